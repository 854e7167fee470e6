"""One batch, from the rows that came to the rows to write and the report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path

import polars as pl

from nser_pmt.registry import _tables as tables
from nser_pmt.registry._apply import apply_batch
from nser_pmt.registry._batch import Batch, rejected_rows
from nser_pmt.registry._link import link_rows
from nser_pmt.registry._look_up import LookUp
from nser_pmt.registry._manifest import Segment
from nser_pmt.registry._rules import RuleBook
from nser_pmt.registry._transitions import transitions

__all__ = ["run_update"]

_NAMED = ("hh_id", "person_id", "name", "father_name", "sex", "birth_date")


def run_update(
    folder: Path,
    segments: Sequence[Segment],
    layout: tables.Layout,
    book: RuleBook,
    batch: Batch,
    on: date,
) -> tuple[Mapping[tables.Table, pl.DataFrame], Mapping[str, pl.DataFrame]]:
    """Return the rows to add to each table, and the frames of the report."""
    known = LookUp(folder, segments, layout)

    def born(dates: pl.Series) -> pl.DataFrame:
        people = tables.frame_of(folder, segments, "people")
        columns = [name for name in _NAMED if name in layout.schemas["people"]]
        return (
            people.filter(pl.col("birth_date").is_in(dates.implode()))
            .select(columns)
            .collect()
            .sort("hh_id", "person_id")
        )

    link_rows(batch, known, born)
    applied = apply_batch(batch, known)
    after = book.decide(applied.households, applied.people, on)
    gone = applied.decisions_before.join(after, on="hh_id", how="anti").select("hh_id")
    kept = pl.lit(value=False).alias(tables.REMOVED)
    removed = gone.with_columns(pl.lit(value=True).alias(tables.REMOVED))
    decisions = pl.concat([after.with_columns(kept), removed], how="diagonal").sort("hh_id")
    moved = transitions(
        book, applied.households_before, applied.households, applied.decisions_before, after
    )
    frames: dict[tables.Table, pl.DataFrame] = {
        "households": applied.new_households,
        "people": applied.new_people,
        "decisions": decisions,
    }
    return frames, {"transitions": moved, "rejected": rejected_rows(batch)}
