"""Packed records beside the Parquet files: rows of scattered households without decoding a file.

A file of records has one row of fixed width for each row of the Parquet file, memory-mapped, so
that a look-up reads the pages of its own rows and no others. Next to it stand the sorted keys. Both
are made from the Parquet file, and again whenever they are missing.

Text is a code into a list of its distinct values, which suits categories; the identity number is
its value. Columns that no rule reads are not in the records.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from nser_pmt import cnic
from nser_pmt.registry import _files as files

__all__ = ["CNIC", "Records", "load_keys", "write_keys", "write_records"]

CNIC = "cnic"
"""Column of identity numbers, kept as a whole number."""

_LISTS = pl.List(pl.String)
_FIXED: dict[pl.DataType, str] = {
    pl.Int8(): "<i1",
    pl.Int16(): "<i2",
    pl.Int32(): "<i4",
    pl.Int64(): "<i8",
    pl.UInt8(): "<u1",
    pl.UInt16(): "<u2",
    pl.UInt32(): "<u4",
    pl.UInt64(): "<u8",
    pl.Float32(): "<f4",
    pl.Float64(): "<f8",
    pl.Boolean(): "?",
    pl.Date(): "<i4",
}
_NULLS = ".nulls"


def write_records(path: Path, frame: pl.DataFrame, key: str, columns: Sequence[str]) -> None:
    """Write the records of a frame that is sorted by `key`, and the keys.

    Files: ``<path>.records.npy``, ``<path>.keys.npy`` and, written last, ``<path>.words.json``.
    """
    words: dict[str, list[Any]] = {}
    fields: list[tuple[Any, ...]] = [(_NULLS, "u1", ((len(columns) + 7) // 8,))]
    values = []
    nulls = np.zeros((frame.height, (len(columns) + 7) // 8), dtype=np.uint8)
    for place, name in enumerate(columns):
        series, distinct = _coded(frame.get_column(name))
        if distinct is not None:
            words[name] = distinct
        kind = np.dtype(_FIXED[series.dtype])
        if series.dtype == pl.Date:
            series = series.to_physical()
        if series.null_count():
            nulls[:, place // 8] |= series.is_null().to_numpy().astype(np.uint8) << (place % 8)
            zero: Any = False if series.dtype == pl.Boolean else 0
            series = series.fill_null(zero)
        fields.append((name, kind))
        values.append(series)
    records = np.empty(frame.height, dtype=np.dtype(fields))
    records[_NULLS] = nulls
    for name, series in zip(columns, values, strict=True):
        records[name] = series.to_numpy()
    _save(_named(path, ".records.npy"), records)
    write_keys(_named(path, ".keys.npy"), frame.get_column(key))
    files.write_text(_named(path, ".words.json"), json.dumps(words, ensure_ascii=False))


def _coded(series: pl.Series) -> tuple[pl.Series, list[Any] | None]:
    """Return values of fixed width, and the words that they are codes of, if they are codes."""
    if series.name == CNIC:
        return numbers(series), None
    dtype = series.dtype
    if isinstance(dtype, pl.Enum):
        return _narrow(series.to_physical(), len(dtype.categories)), None
    if dtype == _LISTS:
        # Lists of rule ids: few distinct ones, and no id has a comma.
        joined = series.list.join(",")
        distinct = joined.drop_nulls().unique().sort().to_list()
        codes = joined.cast(pl.Enum(distinct)).to_physical()
        return _narrow(codes, len(distinct)), [t.split(",") if t else [] for t in distinct]
    if dtype == pl.String:
        distinct = series.drop_nulls().unique().sort().to_list()
        return _narrow(series.cast(pl.Enum(distinct)).to_physical(), len(distinct)), distinct
    return series, None


def numbers(series: pl.Series) -> pl.Series:
    """Return identity numbers as whole numbers; null for what is none."""
    made = series.to_frame().select(cnic.normalize(series.name).cast(pl.UInt64))
    return made.to_series()


def _narrow(codes: pl.Series, levels: int) -> pl.Series:
    width = pl.UInt8 if levels <= 256 else pl.UInt16 if levels <= 65_536 else pl.UInt32
    return codes.cast(width)


@dataclass(frozen=True, slots=True)
class Records:
    """Records of one file, memory-mapped."""

    keys: Any
    _records: Any
    _words: dict[str, list[Any]]
    _dtypes: dict[str, pl.DataType]

    @classmethod
    def open(cls, path: Path, dtypes: Mapping[str, pl.DataType]) -> Records | None:
        """Open the records of `path`; None if they are not there or have other columns."""
        try:
            words = json.loads(_named(path, ".words.json").read_text(encoding="utf-8"))
            keys = load_keys(_named(path, ".keys.npy"))
            records = load_keys(_named(path, ".records.npy"))
        except (OSError, ValueError):
            return None
        names = records.dtype.names or ()
        if len(keys) != len(records) or set(names) - {_NULLS} != set(dtypes):
            return None
        return cls(keys, records, words, {n: dtypes[n] for n in names if n != _NULLS})

    def find(self, ids: Any) -> tuple[Any, Any]:
        """Return the rows of sorted `ids`, and for each the place of its id."""
        first = np.searchsorted(self.keys, ids, side="left")
        past = np.searchsorted(self.keys, ids, side="right")
        counts = past - first
        places = np.repeat(np.arange(len(ids)), counts)
        starts = np.cumsum(counts) - counts
        rows = np.arange(len(places)) - np.repeat(starts, counts) + np.repeat(first, counts)
        return rows, places

    def frame(self, rows: Any) -> pl.DataFrame:
        """Return rows as a frame."""
        # As opaque bytes: NumPy copies a record with fields field by field.
        kind = self._records.dtype
        taken = np.asarray(self._records).view(f"V{kind.itemsize}")[rows].view(kind)
        nulls = taken[_NULLS]
        made = []
        for place, (name, dtype) in enumerate(self._dtypes.items()):
            series = self._series(name, dtype, np.ascontiguousarray(taken[name]))
            gone = (nulls[:, place // 8] >> (place % 8)) & 1
            if gone.any():
                absent = pl.Series(gone.astype(np.bool_))
                series = pl.select(pl.when(~absent).then(series).alias(name)).to_series()
            made.append(series)
        return pl.DataFrame(made)

    def _series(self, name: str, dtype: pl.DataType, values: Any) -> pl.Series:
        if name == CNIC:
            return pl.Series(name, values).cast(pl.String).str.zfill(13)
        if isinstance(dtype, pl.Enum):
            levels = pl.Series(name, dtype.categories, dtype=dtype)
            return _of_codes(levels, values)
        if dtype in (pl.String, _LISTS):
            return _of_codes(pl.Series(name, self._words[name], dtype=dtype), values)
        return pl.Series(name, values).cast(dtype)


def _of_codes(levels: pl.Series, codes: Any) -> pl.Series:
    if not len(levels):
        return pl.Series(levels.name, [None] * len(codes), dtype=levels.dtype)
    return levels.gather(pl.Series(codes.astype(np.uint32)))


def write_keys(path: Path, keys: pl.Series) -> None:
    """Write whole numbers to a file to be memory-mapped."""
    _save(path, keys.to_numpy())


def load_keys(path: Path) -> Any:
    """Memory-map what `write_keys` wrote."""
    made = np.load(path, mmap_mode="r", allow_pickle=False)
    return np.asarray(made)


def _save(path: Path, values: Any) -> None:
    # Through a file, not a map: a full disk is then an error and not a signal.
    with files.synced(path), path.open("wb") as file:
        np.save(file, values, allow_pickle=False)


def _named(path: Path, ending: str) -> Path:
    return path.with_name(path.name + ending)
