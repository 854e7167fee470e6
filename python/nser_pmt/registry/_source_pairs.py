"""The households of two sources: read, checked, and matched by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from nser_pmt._options import invalid
from nser_pmt.errors import SchemaError
from nser_pmt.scoring.model import missing_column

__all__ = ["SOURCES", "Pairs", "paired"]

SOURCES = ("desk", "door")


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """Two sources, and which of their rows are of one household.

    Parameters
    ----------
    sources
        The columns of each, by name of the source.
    rows
        Rows of the households in both, in the order of the desk.
    groups
        Columns to group those households by.
    reach
        The same columns of the households in either, and ``__desk`` and ``__door``: is it there.
    """

    sources: Mapping[str, pl.DataFrame]
    rows: Mapping[str, pl.Series]
    groups: pl.DataFrame
    reach: pl.DataFrame

    def matched(self, name: str) -> pl.DataFrame:
        """Return the rows of a source whose households are in both."""
        return self.sources[name].select(pl.all().gather(self.rows[name]))


def paired(
    desk: pl.DataFrame | pl.LazyFrame,
    door: pl.DataFrame | pl.LazyFrame,
    *,
    id: str,
    columns: Sequence[str],
    by: Sequence[str],
) -> Pairs:
    """Read two sources and match their households."""
    if id in by:
        raise invalid("by: the id makes no groups")
    wanted = list(dict.fromkeys([id, *columns, *by]))
    sources = {
        name: _read(frame, wanted, id, name)
        for name, frame in zip(SOURCES, (desk, door), strict=True)
    }
    keys = {name: _keys(sources, name, id) for name in SOURCES}
    parts = {
        name: pl.DataFrame([keys[name].alias("__id")])
        .with_row_index(f"__{name}")
        .hstack([_group(sources, name, column).alias(f"__{name}_{column}") for column in by])
        for name in SOURCES
    }
    # Polars 2 joins in any order unless it is asked.
    either = parts["desk"].join(
        parts["door"], on="__id", how="full", coalesce=True, maintain_order="left_right"
    )
    groups = [pl.coalesce(f"__door_{column}", f"__desk_{column}").alias(column) for column in by]
    both = either.drop_nulls([f"__{name}" for name in SOURCES])
    there = [pl.col(f"__{name}").is_not_null() for name in SOURCES]
    return Pairs(
        sources=sources,
        rows={name: both.get_column(f"__{name}") for name in SOURCES},
        groups=both.select(groups),
        reach=either.select(*groups, *there),
    )


def _read(
    frame: pl.DataFrame | pl.LazyFrame, wanted: Sequence[str], id: str, source: str
) -> pl.DataFrame:
    names = frame.collect_schema().names()
    for column in wanted:
        if column not in names:
            raise missing_column(column, names)
    read = frame.lazy().select(wanted).collect()
    ids = read.get_column(id)
    for code, bad, what in (
        ("null_id", ids.is_null(), "is null"),
        ("duplicate_id", ~ids.is_first_distinct(), "repeats"),
    ):
        if bad.any():
            row = bad.arg_true()[0]
            raise SchemaError(
                f"column '{id}' of the {source}, row {row}: the id {what}",
                code=code,
                column=id,
                row=row,
            )
    return read


def _keys(sources: Mapping[str, pl.DataFrame], name: str, id: str) -> pl.Series:
    mine, others = (sources[n].get_column(id) for n in (name, *(s for s in SOURCES if s != name)))
    if mine.dtype == others.dtype:
        return mine
    if mine.dtype.is_integer() and others.dtype.is_integer():
        return mine.cast(pl.Int128)
    raise _other_types(id)


def _group(sources: Mapping[str, pl.DataFrame], name: str, column: str) -> pl.Series:
    """Return a column to group by; Enums and Categoricals of two frames may differ: as text."""
    mine, others = (
        sources[n].get_column(column) for n in (name, *(s for s in SOURCES if s != name))
    )
    if isinstance(mine.dtype, (pl.Enum, pl.Categorical)):
        mine = mine.cast(pl.String)
    if isinstance(others.dtype, (pl.Enum, pl.Categorical)):
        others = others.head(0).cast(pl.String)
    if mine.dtype != others.dtype:
        raise _other_types(column)
    return mine


def _other_types(column: str) -> SchemaError:
    return SchemaError(
        f"column '{column}': expected one type in both sources", code="wrong_column", column=column
    )
