"""Persons against the citizens: the step around `nser_pmt.verify`."""

from __future__ import annotations

import polars as pl

from nser_pmt.control import RunControl
from nser_pmt.linkage.verification import Verified, verify
from nser_pmt.pipeline._config import Pipeline, VerifyStep
from nser_pmt.pipeline._persons import adults, recipients

__all__ = ["check_persons", "chosen_persons", "confirmed"]

_FIELDS = (
    *("person_id", "cnic", "name", "father_name", "husband_name"),
    *("birth_date", "sex", "district"),
)


def chosen_persons(people: pl.DataFrame, step: VerifyStep, config: Pipeline) -> pl.DataFrame:
    """Return the persons that are verified, with the columns that `verify` reads."""
    who = {
        "recipients": recipients(config.on, people.columns),
        "adults": adults(config.on),
        "all": pl.lit(True),
    }[step.who]
    return people.filter(who).select(name for name in _FIELDS if name in people.columns)


def check_persons(
    chosen: pl.DataFrame, citizens: pl.DataFrame, config: Pipeline, control: RunControl
) -> Verified:
    """Verify persons on the day of the run."""
    return verify(
        chosen, citizens, id="person_id", citizen_id="entity", on=config.on, control=control
    )


def confirmed(verified: pl.DataFrame, step: VerifyStep) -> pl.DataFrame:
    """Return ``person_id`` and ``cnic_verified``: whether the number is the person's.

    Null is unknown. The number of a dead citizen is not: someone else uses it.
    """
    verdict = pl.col("verdict").cast(pl.String)
    dead = pl.col("deceased").fill_null(False)
    return verified.select(
        "person_id",
        cnic_verified=pl.when(verdict.is_in(list(step.refuse)) | dead)
        .then(False)
        .when(verdict.is_in(list(step.accept)))
        .then(True),
    )
