"""A small registry for tests, and batches of changes to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt.registry import _files as _registry_files
from nser_pmt.registry.updates import Registry

MODEL = "schreiner-pk-2009"
START = date(2024, 2, 1)
PROGRAMMES = ["kafaalat", "taleemi-wazaif"]

SEXES = pl.Enum(["male", "female", "transgender"])
MARITAL = pl.Enum(["never married", "married", "widowed", "divorced"])
LEVELS = pl.Enum(["none", "primary", "secondary", "higher_secondary"])

_NAMES = ["Aslam Khan", "Bushra Bibi", "Kashif Malik", "Nadia Begum", "Imran Shah", "Sana Gul"]


@pytest.fixture(autouse=True, scope="module")
def no_waiting_for_the_disk() -> Iterator[None]:
    """Leave out what only a loss of power would need: it takes most of the time of small writes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_registry_files, "sync", lambda path: None)
        yield


def cnic_of(person: int) -> str:
    """Return an invented number."""
    return f"35202{person:07d}{1 + person % 2}"


def households(n: int) -> pl.DataFrame:
    """Return households with what the model reads, and a text that no rule reads."""
    columns = nser.load_model(MODEL).columns
    made = nser.synth.households(n, seed=7).select("hh_id", *columns)
    return made.with_columns(address=pl.format("house {}", "hh_id"))


def people(n: int) -> pl.DataFrame:
    """Return four people for each household: a married couple and two children."""
    rows: list[dict[str, Any]] = []
    for home in range(1, n + 1):
        for place in range(4):
            person = 4 * home + place
            female = person % 2 == 0
            rows.append(
                {
                    "person_id": person,
                    "hh_id": home,
                    "cnic": cnic_of(person),
                    "name": _NAMES[(person * 7 + home) % 6],
                    "father_name": _NAMES[(person * 5 + 1) % 6],
                    "sex": "female" if female else "male",
                    "birth_date": date(1980 if place < 2 else 2014, 1 + person % 12, 1 + home % 28),
                    "marital_state": "married" if place < 2 else "never married",
                    "disabled": False,
                    "cnic_verified": True,
                    "b_form": True,
                    "school_level": None if place < 2 else "primary",
                    "attendance": None if place < 2 else 0.9,
                    "admitted_on": None if place < 2 else date(2023, 4, 1),
                    "primary_completed": False,
                }
            )
    types = {
        "person_id": pl.UInt64,
        "hh_id": pl.UInt64,
        "sex": SEXES,
        "marital_state": MARITAL,
        "school_level": LEVELS,
        "attendance": pl.Float64,
        "admitted_on": pl.Date,
    }
    return pl.DataFrame(rows, schema_overrides=types)


def registry(
    folder: Path, n: int = 40, *, part_rows: int = 16, programmes: Sequence[str] = PROGRAMMES
) -> Registry:
    """Store a registry of `n` households in several files."""
    return Registry.create(
        folder,
        households=households(n),
        people=people(n),
        model=MODEL,
        programmes=programmes,
        on=START,
        part_rows=part_rows,
    )


def frames(registry: Registry, on: date | None = None) -> tuple[pl.DataFrame, ...]:
    """Return what is known on a date, sorted."""
    state = registry.at(on)
    return (
        state.households.collect().sort("hh_id"),
        state.people.collect().sort("hh_id", "person_id"),
        state.decisions.collect().sort("hh_id"),
    )


def decided_anew(registry: Registry, on: date, *, at: date | None = None) -> pl.DataFrame:
    """Return the decisions of all that is known `at` a date, made in one go as of `on`."""
    state = registry.at(on if at is None else at)
    homes, persons = state.households.collect().sort("hh_id"), state.people.collect()
    scored = nser.score(homes, MODEL)
    made = nser.decide(scored, "kafaalat", on=on, members=persons)
    return made.select(
        "hh_id",
        "pmt_score",
        "pmt_status",
        decision_kafaalat="decision",
        reasons_kafaalat=pl.col("reasons").cast(pl.List(pl.String)),
        amount_kafaalat="amount",
    )
