"""The rows on which targeting is measured: read, checked, and what was set apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import polars as pl

from nser_pmt._options import polars_frame
from nser_pmt.errors import DomainError, SchemaError
from nser_pmt.scoring.model import Direction, missing_column

__all__ = ["Columns", "NeedsData", "Sample", "number_column", "read_sample"]

NeedsData = Literal["apart", "not_targeted"]
"""What a household without a score is: not measured, or measured as not targeted."""

_INFINITY = float("inf")

_REASONS = {"zero_weight": "a weight of 0", "no_welfare": "no welfare", "needs_data": "no score"}


@dataclass(frozen=True, kw_only=True)
class Columns:
    """Names of the columns to read."""

    welfare: str
    line: str | None = None
    weights: str | None = None
    size: str | None = None
    transfer: str | None = None
    by: Sequence[str] = ()
    psu: str | None = None
    strata: str | None = None


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Rows that are measured; scores are turned so that lower is poorer, infinite if not known."""

    frame: pl.DataFrame
    """``weight``, ``welfare``, and ``line``, ``transfer``, ``psu``, ``stratum`` where given."""
    scores: Mapping[str, pl.Series]
    groups: pl.DataFrame
    group_of_row: pl.Series
    excluded: pl.DataFrame
    turned: Mapping[str, bool]

    @property
    def rows(self) -> int:
        """Number of rows."""
        return self.frame.height

    def column(self, name: str) -> pl.Series:
        """Return a column in one piece."""
        return self.frame.get_column(name)

    def rows_by_group(self) -> list[pl.Series]:
        """Return the rows of each group, from one pass."""
        codes = self.group_of_row.alias("group").to_frame().with_row_index("row")
        found = codes.group_by("group", maintain_order=True).agg("row")
        rows = dict(zip(found.get_column("group"), found.get_column("row"), strict=True))
        none = pl.Series([], dtype=pl.UInt32)
        return [rows.get(code, none) for code in range(self.groups.height)]

    def take(self, rows: pl.Series) -> Sample:
        """Return some of the rows."""
        return replace(
            self,
            frame=self.frame.select(pl.all().gather(rows)).rechunk(),
            scores={name: s.gather(rows).rechunk() for name, s in self.scores.items()},
            group_of_row=self.group_of_row.gather(rows),
        )


def number_column(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return a column as Float64, NaN as null, or raise `SchemaError`."""
    if name not in frame.columns:
        raise missing_column(name, frame.columns)
    series = frame.get_column(name)
    if not (series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null)):
        raise SchemaError(
            f"column '{name}': expected numbers, found {series.dtype.base_type()}",
            code="wrong_column",
            column=name,
        )
    return series.cast(pl.Float64).fill_nan(None).rechunk()


def read_sample(
    frame: pl.DataFrame | pl.LazyFrame,
    scores: Mapping[str, tuple[str, Direction]],
    columns: Columns,
    needs_data: NeedsData,
) -> Sample:
    """Read and check the columns; set rows apart that cannot be measured."""
    table = _collected(frame, scores, columns)
    weight = _amounts(table, columns.weights)
    if columns.size is not None:
        weight = (weight * _amounts(table, columns.size)).rename("weight")
    parts = {"weight": weight, "welfare": _finite(table, columns.welfare)}
    if columns.line is not None:
        parts["line"] = _complete(_finite(table, columns.line), columns.line)
    if columns.transfer is not None:
        parts["transfer"] = _amounts(table, columns.transfer)
    for name, column in (("psu", columns.psu), ("stratum", columns.strata)):
        if column is not None:
            parts[name] = _complete(table.get_column(column), column)
    read = {}
    for name, (column, direction) in scores.items():
        given = _finite(table, column)
        read[name] = -given if direction == "higher_is_poorer" else given
    keep, excluded = _set_apart(parts, read, needs_data)
    groups, codes = _groups(table, columns.by)
    named = pl.DataFrame([s.alias(n) for n, s in parts.items()])
    kept = named.filter(keep).rechunk()
    if kept.height == 0 or not kept.get_column("weight").sum() > 0:
        raise DomainError(
            "there is no row with a weight above 0, welfare and a score",
            code="no_rows",
            hint=_apart(excluded),
        )
    return Sample(
        frame=kept,
        scores={n: s.fill_null(_INFINITY).filter(keep).rechunk() for n, s in read.items()},
        groups=groups,
        group_of_row=codes.filter(keep).rechunk(),
        excluded=excluded,
        turned={name: given[1] == "higher_is_poorer" for name, given in scores.items()},
    )


def _apart(excluded: pl.DataFrame) -> str | None:
    parts = [f"{rows:,} have {_REASONS[reason]}" for reason, rows, _ in excluded.rows() if rows]
    return f"Of the rows, {', '.join(parts)}" if parts else "There are no rows"


def _collected(
    frame: pl.DataFrame | pl.LazyFrame, scores: Mapping[str, tuple[str, Direction]], c: Columns
) -> pl.DataFrame:
    polars_frame("frame", frame)
    named = [c.welfare, c.line, c.weights, c.size, c.transfer, c.psu, c.strata]
    wanted = dict.fromkeys([column for column, _ in scores.values()])
    wanted |= dict.fromkeys([name for name in named if name is not None])
    wanted |= dict.fromkeys(c.by)
    schema = frame.collect_schema()
    for name in wanted:
        if name not in schema:
            raise missing_column(name, schema.names())
    return frame.lazy().select(*wanted).collect()


def _amounts(table: pl.DataFrame, name: str | None) -> pl.Series:
    """Return numbers of which none is missing or negative; ones without a column."""
    if name is None:
        return pl.repeat(1.0, table.height, dtype=pl.Float64, eager=True).alias("weight")
    series = _complete(_finite(table, name), name)
    _refuse(series < 0, name, "a number that is not negative")
    return series


def _finite(table: pl.DataFrame, name: str) -> pl.Series:
    series = number_column(table, name)
    _refuse(series.is_infinite().fill_null(False), name, "a finite number")
    return series


def _complete(series: pl.Series, name: str) -> pl.Series:
    _refuse(series.is_null(), name, "no missing value", "missing_value")
    return series


def _refuse(bad: pl.Series, name: str, expected: str, code: str = "out_of_domain") -> None:
    row = bad.arg_max() if bad.any() else None
    if row is not None:
        raise DomainError(
            f"column '{name}', row {row}: expected {expected}", code=code, column=name, row=row
        )


def _set_apart(
    parts: Mapping[str, pl.Series], scores: Mapping[str, pl.Series], needs_data: NeedsData
) -> tuple[pl.Series, pl.DataFrame]:
    """Return which rows are measured, and how many are not and why; each counts once."""
    weight, welfare = parts["weight"], parts["welfare"]
    unscored = pl.repeat(False, len(weight), eager=True)
    for series in scores.values():
        unscored = unscored | series.is_null()
    reasons = {"zero_weight": weight == 0, "no_welfare": welfare.is_null(), "needs_data": unscored}
    left = pl.repeat(True, len(weight), eager=True)
    counted = []
    for reason, rows in reasons.items():
        now = left & rows
        counted.append((reason, int(now.sum()), float(weight.filter(now).sum())))
        if reason != "needs_data" or needs_data == "apart":
            left = left & ~rows
    schema = {"reason": pl.String, "rows": pl.Int64, "weight": pl.Float64}
    return left, pl.DataFrame(counted, schema=schema, orient="row")


def _groups(table: pl.DataFrame, by: Sequence[str]) -> tuple[pl.DataFrame, pl.Series]:
    """Return the groups in order, and the group of each row."""
    if not by:
        return pl.DataFrame(), pl.repeat(0, table.height, dtype=pl.UInt32, eager=True)
    rows = table.select(by)
    groups = rows.unique(maintain_order=True).sort(list(by), nulls_last=True)
    coded = groups.with_row_index("__nser_pmt_group")
    joined = rows.join(coded, on=list(by), how="left", nulls_equal=True, maintain_order="left")
    return groups, joined.get_column("__nser_pmt_group").cast(pl.UInt32)
