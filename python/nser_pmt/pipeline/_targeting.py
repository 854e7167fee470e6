"""Errors of targeting, where the welfare of households is known."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from nser_pmt.control import RunControl
from nser_pmt.pipeline._config import TargetingStep
from nser_pmt.scoring.model import Model
from nser_pmt.targeting.targeting import Targeting, targeting

__all__ = ["errors_of_decisions", "errors_of_score", "with_truth"]

_PAID = ("line", "headcount", "coverage", "ier", "eer", "cgh")


def with_truth(
    scored: pl.DataFrame, truth: pl.DataFrame | None, step: TargetingStep
) -> pl.DataFrame:
    """Return the households with the columns that are measured, from the table of the truth."""
    if truth is None:
        return scored
    wanted = [step.welfare, step.weights, step.size]
    theirs = [name for name in dict.fromkeys(wanted) if name in truth.columns]
    own = scored.drop(theirs, strict=False)
    return own.join(truth.select("hh_id", *theirs), on="hh_id", how="left", maintain_order="left")


def errors_of_score(
    scored: pl.DataFrame, model: Model, step: TargetingStep, control: RunControl
) -> Targeting:
    """Measure the score alone: as many as are poor, from the poorest score up."""
    return targeting(
        scored,
        welfare=step.welfare,
        rate=step.rate,
        weights=step.weights,
        size=step.size,
        model=model,
        control=control,
    )


def errors_of_decisions(
    scored: pl.DataFrame,
    eligible: Mapping[str, pl.Series],
    step: TargetingStep,
    control: RunControl,
) -> pl.DataFrame:
    """Measure decisions: eligible households against the poor; unknown is not reached.

    `eligible` has one value a household for each programme, in the order of `scored`.
    """
    rows = []
    for programme, reached in eligible.items():
        judged = scored.with_columns(__left_out=(~reached.fill_null(False)).cast(pl.Float64))
        found = targeting(
            judged,
            score="__left_out",
            welfare=step.welfare,
            rate=step.rate,
            weights=step.weights,
            size=step.size,
            cutoff=0.0,
            points=0,
            control=control,
        )
        rows.append({"programme": programme, **found.metrics.select(_PAID).row(0, named=True)})
    schema = {"programme": pl.String} | dict.fromkeys(_PAID, pl.Float64)
    return pl.DataFrame(rows, schema=schema)
