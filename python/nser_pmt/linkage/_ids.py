"""Pairs of ids as pairs of numbers that ascend as the ids do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import polars as pl

from nser_pmt import _native
from nser_pmt.control import RunControl
from nser_pmt.errors import SchemaError
from nser_pmt.scoring.model import missing_column

__all__ = [
    "SIDES",
    "Frame",
    "HasFrame",
    "absent",
    "frame_of",
    "ranked",
    "read_ids",
    "read_pairs",
    "read_weights",
    "refuse",
    "taken",
]

Frame: TypeAlias = pl.DataFrame | pl.LazyFrame


class HasFrame(Protocol):
    """A result that holds its frame, such as that of `cluster`."""

    @property
    def frame(self) -> pl.DataFrame:
        """One row a record."""


SIDES = ("id_left", "id_right")
WEIGHT = "match_weight"


_WHOLE = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)


def frame_of(given: Frame | HasFrame) -> Frame:
    """Return a frame, or that of a result."""
    return given if isinstance(given, (pl.DataFrame, pl.LazyFrame)) else given.frame


def taken(frame: Frame, columns: Sequence[str], what: str) -> pl.DataFrame:
    """Return the columns of a frame, or say which is missing."""
    schema = frame.lazy().collect_schema()
    for column in columns:
        if column not in schema:
            error = missing_column(column, schema.names())
            raise SchemaError(
                f"{what}: column '{column}' is missing",
                code=error.code,
                column=column,
                hint=error.hint,
            )
    return frame.lazy().select(list(dict.fromkeys(columns))).collect()


def read_pairs(pairs: Frame) -> tuple[pl.Series, pl.Series, pl.Series]:
    """Return ids and finite weights; says what is null, and where."""
    frame = taken(pairs, (*SIDES, WEIGHT), "pairs")
    left, right = (read_ids(frame.get_column(side), "pairs") for side in SIDES)
    weight = read_weights(frame.get_column(WEIGHT), "pairs").rechunk()
    refuse(weight.is_infinite(), "infinite_weight", "pairs", WEIGHT, "expected a finite weight")
    return left, right, weight


def read_weights(weights: pl.Series, what: str) -> pl.Series:
    """Return weights as Float64; null and NaN are refused."""
    if not (weights.dtype.is_numeric() or weights.dtype == pl.Null):
        raise _wrong_type(what, weights.name, "expected numbers")
    weights = weights.cast(pl.Float64)
    wrong = weights.is_null() | weights.is_nan()
    refuse(wrong, "null_weight", what, weights.name, "null or NaN")
    return weights


def read_ids(ids: pl.Series, what: str) -> pl.Series:
    """Return a column of ids that has no null."""
    usable = ids.dtype in _WHOLE
    if not (usable or isinstance(ids.dtype, (pl.String, pl.Enum, pl.Categorical, pl.Null))):
        raise _wrong_type(what, ids.name, "expected whole numbers of up to 64 bits or text")
    refuse(ids.is_null(), "null_id", what, ids.name, "null")
    return ids


def refuse(wrong: pl.Series, code: str, what: str, column: str, text: str) -> None:
    """Raise an error that names the first row at fault, if there is one."""
    if wrong.any():
        row = wrong.arg_max()
        raise SchemaError(
            f"{what}: column '{column}', row {row}: {text}", code=code, column=column, row=row
        )


def absent(values: pl.Series, known: pl.Series) -> pl.Series:
    """Whether each value is none of the known ones, each of which is there once."""
    table = known.alias("value").to_frame().with_columns(known=pl.lit(True))
    frame = values.alias("value").to_frame()
    return frame.join(table, on="value", how="left", maintain_order="left")["known"].is_null()


def _wrong_type(what: str, column: str, text: str) -> SchemaError:
    return SchemaError(f"{what}: column '{column}': {text}", code="wrong_column", column=column)


def ranked(columns: Sequence[pl.Series], control: RunControl) -> tuple[list[pl.Series], pl.Series]:
    """Return the rank of each id among the ids of all columns, and those ids in ascending order.

    The ids have the type of the first column. Ranks count from 0.
    """
    plain = [_plain(column) for column in columns]
    kinds = {column.dtype for column in plain if len(column)} or {pl.Int64()}
    if len(kinds) > 1:
        raise _wrong_type("ids", columns[-1].name, "ids of different types; cast one")
    dtype = kinds.pop()
    every = pl.concat([c.cast(dtype).alias("id") for c in plain]).rechunk()
    streams = _native.rank_ids(every, len(every), control=control._native, timeout=control.timeout)
    ranks, rows = (pl.DataFrame(stream).to_series() for stream in streams)
    ids = every.gather(rows)
    ends = pl.Series([len(column) for column in plain]).cum_sum().to_list()
    parts = [
        ranks.slice(end - len(c), len(c)).rechunk() for c, end in zip(plain, ends, strict=True)
    ]
    return parts, ids.cast(columns[0].dtype)


def _plain(ids: pl.Series) -> pl.Series:
    if ids.dtype.is_integer():
        return ids if ids.dtype == pl.UInt64 else ids.cast(pl.Int64)
    return ids.cast(pl.String)
