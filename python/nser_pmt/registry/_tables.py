"""The three tables of a registry on disk: writing a segment, and reading the state on a date.

Each table is a log. A row with a key that a later segment has again is out of date, and a row that
is `removed` says that there is no such household or person any more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import polars as pl

from nser_pmt.registry import _files as files
from nser_pmt.registry._manifest import Part, Segment, damaged

if TYPE_CHECKING:
    from nser_pmt.registry._records import Records

__all__ = ["KEYS", "TABLES", "Table", "frame_of", "part_frames", "part_path", "write_part"]

Table = Literal["households", "people", "decisions"]
TABLES: tuple[Table, ...] = ("households", "people", "decisions")
KEYS: dict[Table, tuple[str, ...]] = {
    "households": ("hh_id",),
    "people": ("hh_id", "person_id"),
    "decisions": ("hh_id",),
}
REMOVED = "removed"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Types of the columns of every table, and which columns its records have."""

    schemas: Mapping[Table, Mapping[str, pl.DataType]]
    records: Mapping[Table, tuple[str, ...]]

    def record_types(self, table: Table) -> dict[str, pl.DataType]:
        """Return the types of the columns of the records of a table."""
        return {name: self.schemas[table][name] for name in self.records[table]}


def part_path(folder: Path, number: int, table: Table, part: int) -> Path:
    """Return the Parquet file of a table in a part of a segment."""
    return files.segment_folder(folder, number) / f"{table}-{part:05d}.parquet"


def records_path(path: Path, ending: str = "") -> Path:
    """Return a file that is made from a Parquet file."""
    return path.parent / "records" / f"{path.stem}{ending}"


def write_part(
    folder: Path,
    number: int,
    part: int,
    low: int,
    frames: Mapping[Table, pl.DataFrame],
    layout: Layout,
) -> Part:
    """Write the tables of a range of households, each sorted by its keys, and their records."""
    sizes = []
    for table in TABLES:
        path = part_path(folder, number, table, part)
        frame = frames[table].select(*layout.schemas[table])
        files.write_frame(path, frame)
        sizes.append(path.stat().st_size)
        _write_records(path, frame, table, layout)
    return Part(
        low=low,
        households=frames["decisions"].height,
        people=frames["people"].height,
        bytes=(sizes[0], sizes[1], sizes[2]),
    )


def _write_records(path: Path, frame: pl.DataFrame, table: Table, layout: Layout) -> None:
    from nser_pmt.registry import _records as records

    files.make_folder(records_path(path).parent)
    if table == "people" and records.CNIC in frame.columns:
        number = records.numbers(frame.get_column(records.CNIC)).alias("number")
        holders = frame.select("hh_id").with_columns(number).drop_nulls().sort("number", "hh_id")
        for name, ending in (("number", "cnics"), ("hh_id", "holders")):
            target = records_path(path, f".{ending}.npy")
            records.write_keys(target, holders.get_column(name))
    records.write_records(records_path(path), frame, "hh_id", layout.records[table])


def open_records(path: Path, table: Table, layout: Layout) -> Records:
    """Open the records of a Parquet file; make them first if they are not there."""
    from nser_pmt.registry import _records as records

    dtypes = layout.record_types(table)
    found = records.Records.open(records_path(path), dtypes)
    indexed = table == "people" and records.CNIC in dtypes
    also = (".cnics.npy", ".holders.npy") if indexed else ()
    if found is None or not all(records_path(path, ending).is_file() for ending in also):
        with files.writing():
            _write_records(path, pl.read_parquet(path), table, layout)
        found = records.Records.open(records_path(path), dtypes)
    if found is None:
        raise damaged("the records of a segment cannot be read")
    return found


def check_files(folder: Path, segments: Sequence[Segment]) -> None:
    """Raise if a Parquet file is missing or has another size than when it was written."""
    for segment in segments:
        for place, part in enumerate(segment.parts):
            for table, size in zip(TABLES, part.bytes, strict=True):
                path = part_path(folder, segment.number, table, place)
                if not path.is_file() or path.stat().st_size != size:
                    raise damaged(f"segment {segment.number}: {path.name} is missing or cut short")


def frame_of(folder: Path, segments: Sequence[Segment], table: Table) -> pl.LazyFrame:
    """Return a table as it is after `segments`, of which the first is a base; rows in no order."""
    keys = KEYS[table]
    base = _scan(folder, segments[0], table)
    updates = latest(folder, segments[1:], table)
    if updates is None:
        return base.drop(REMOVED)
    kept = base.join(updates.select(keys), on=keys, how="anti")
    now = updates.filter(~pl.col(REMOVED))
    return pl.concat([kept, now]).drop(REMOVED)


def latest(folder: Path, updates: Sequence[Segment], table: Table) -> pl.LazyFrame | None:
    """Return the newest row of every key in some updates; None if there are none."""
    if not updates:
        return None
    scans = [
        _scan(folder, segment, table).with_columns(pl.lit(place, pl.UInt32).alias("_place"))
        for place, segment in enumerate(updates)
    ]
    if len(scans) == 1:
        return scans[0].drop("_place")
    newest = pl.col("_place").max().over(KEYS[table])
    return pl.concat(scans).filter(pl.col("_place") == newest).drop("_place")


def _scan(folder: Path, segment: Segment, table: Table) -> pl.LazyFrame:
    return pl.scan_parquet(
        [part_path(folder, segment.number, table, p) for p in range(len(segment.parts))],
        glob=False,
    )


def part_frames(
    folder: Path, segments: Sequence[Segment], layout: Layout
) -> Iterator[tuple[int, dict[Table, pl.DataFrame]]]:
    """Yield the state after `segments` range by range, sorted: the low end, and the tables."""
    base = segments[0]
    lows = [part.low for part in base.parts]
    for place, low in enumerate(lows):
        high = lows[place + 1] if place + 1 < len(lows) else None
        within = pl.col("hh_id") >= low if place else pl.lit(value=True)
        if high is not None:
            within &= pl.col("hh_id") < high
        frames: dict[Table, pl.DataFrame] = {}
        for table in TABLES:
            keys = KEYS[table]
            rows = pl.read_parquet(part_path(folder, base.number, table, place))
            updates = latest(folder, segments[1:], table)
            if updates is not None:
                newer = updates.filter(within).collect()
                rows = pl.concat(
                    [rows.join(newer, on=keys, how="anti"), newer.filter(~pl.col(REMOVED))]
                )
            frames[table] = rows.sort(keys)
        yield low, frames
