"""Building segments: a base, range by range, and the households of one batch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import polars as pl

from nser_pmt.control import RunControl
from nser_pmt.errors import DomainError, RegistryError
from nser_pmt.registry import _files as files
from nser_pmt.registry import _tables as tables
from nser_pmt.registry._manifest import Manifest, Part, Segment, load_manifest, now
from nser_pmt.registry._rules import RuleBook

__all__ = ["add_segment", "layout_of", "ranges", "with_decisions"]

_Frames = Mapping[tables.Table, pl.DataFrame]


def layout_of(
    book: RuleBook, households: Mapping[str, pl.DataType], people: Mapping[str, pl.DataType]
) -> tables.Layout:
    """Return the columns of the three tables, and which of them the records have."""
    removed = {tables.REMOVED: pl.Boolean()}
    schemas: dict[tables.Table, dict[str, pl.DataType]] = {
        "households": {**households, **removed},
        "people": {**people, **removed},
        "decisions": {"hh_id": pl.UInt64(), **book.output, **removed},
    }
    read = {*book.inputs, "hh_id", "person_id", "cnic", tables.REMOVED}
    return tables.Layout(
        schemas=schemas,
        records={
            "households": tuple(n for n in schemas["households"] if n in read - {"cnic"}),
            "people": tuple(n for n in schemas["people"] if n in read),
            "decisions": tuple(schemas["decisions"]),
        },
    )


def with_decisions(
    book: RuleBook, households: pl.DataFrame, people: pl.DataFrame, on: date
) -> dict[tables.Table, pl.DataFrame]:
    """Return the tables of some households, decided."""
    kept = pl.lit(value=False).alias(tables.REMOVED)
    return {
        "households": households.with_columns(kept),
        "people": people.with_columns(kept),
        "decisions": book.decide(households, people, on).with_columns(kept),
    }


def add_segment(
    folder: Path,
    manifest: Manifest,
    segment: Segment,
    parts: Iterator[tuple[int, _Frames]],
    layout: tables.Layout,
    *,
    forget: Callable[[Segment], bool] = lambda segment: False,
    extra: Mapping[str, pl.DataFrame] | None = None,
    control: RunControl | None = None,
) -> Manifest:
    """Write a segment beside the others and put it in force; or leave all as it was.

    Parameters
    ----------
    folder, manifest
        The registry, whose lock the caller holds.
    segment
        The new segment, without its parts.
    parts
        Low end and tables of each range.
    layout
        Columns of the tables.
    forget
        Which of the segments before it to drop.
    extra
        Further frames to keep with the segment, by name.
    control
        Told the number of households done.
    """
    target = files.segment_folder(folder, segment.number)
    try:
        with files.writing():
            files.make_folder(target)
        made: list[Part] = []
        for place, (low, frames) in enumerate(parts):
            with files.writing():
                made.append(tables.write_part(folder, segment.number, place, low, frames, layout))
            if control is not None and control.progress is not None:
                control.progress(sum(part.households for part in made))
        with files.writing():
            for name, frame in (extra or {}).items():
                files.write_frame(target / f"{name}.parquet", frame)
            files.sync(target / "records")
            files.sync(target)
            kept = tuple(s for s in manifest.segments if not forget(s))
            whole = replace(segment, parts=tuple(made), recorded_at=now())
            changed = replace(manifest, segments=(*kept, whole))
            changed.save(folder)
    except BaseException:
        # Asked of the disk: the interrupt may have come just after the change.
        with contextlib.suppress(OSError, RegistryError):
            in_force = load_manifest(folder).segments if (folder / files.MANIFEST).exists() else ()
            files.sweep(folder, {s.number for s in in_force})
        raise
    files.settle(folder)
    return changed


def ranges(
    households: pl.LazyFrame, people: pl.LazyFrame, rows: int
) -> Iterator[tuple[int, pl.DataFrame, pl.DataFrame]]:
    """Yield households and their people, `rows` households at a time, in the order of hh_id.

    Raises
    ------
    DomainError
        A household comes twice, a person twice in a household, or a person's household is not
        there.
    """
    ids = households.select("hh_id").collect().to_series().sort()
    for frame, columns in ((ids.to_frame(), ["hh_id"]), (people, ["hh_id", "person_id"])):
        gaps = frame.lazy().select(pl.col(columns).is_null().any()).collect().row(0)
        for column, gap in zip(columns, gaps, strict=True):
            if gap:
                raise DomainError(
                    f"column '{column}': an id is null or below 0",
                    code="missing_value",
                    column=column,
                )
    if ids.n_unique() < len(ids):
        raise DomainError("column 'hh_id': a household comes twice", code="twice", column="hh_id")
    stranger = people.join(ids.to_frame().lazy(), on="hh_id", how="anti").select(pl.len())
    if stranger.collect().item():
        raise DomainError(
            "people, column 'hh_id': a person's household is not among the households",
            code="unknown_household",
            column="hh_id",
        )
    lows = ids.gather_every(rows).to_list() or [0]
    for place, low in enumerate(lows):
        within = pl.col("hh_id") >= low
        if place + 1 < len(lows):
            within &= pl.col("hh_id") < lows[place + 1]
        some = households.filter(within).collect().sort("hh_id")
        members = people.filter(within).collect().sort("hh_id", "person_id")
        if members.select(pl.struct("hh_id", "person_id").is_duplicated().any()).item():
            raise DomainError(
                "people, column 'person_id': a person comes twice in a household",
                code="twice",
                column="person_id",
            )
        yield low if place else 0, some, members
