"""The columns of a sample, checked, in the form that the core reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from nser_pmt import _engine
from nser_pmt.calibration._totals import Plan, first, group_text
from nser_pmt.errors import DomainError, SchemaError

__all__ = ["categoricals", "clusters", "groups", "numbers", "positive"]


def positive(frame: pl.DataFrame, name: str, what: str) -> pl.Series:
    """Return a column of numbers above zero."""
    values = numbers(frame, name, what)
    if (row := first(values <= 0)) is not None:
        raise DomainError(
            f"column '{name}', row {row}: {what} must be above zero",
            code="out_of_domain",
            column=name,
            row=row,
            hint="Filter such rows out first",
        )
    return values


def numbers(frame: pl.DataFrame, name: str, what: str) -> pl.Series:
    """Return a column of finite numbers."""
    series = frame.get_column(name)
    if not (series.dtype.is_numeric() or series.dtype == pl.Boolean):
        raise SchemaError(
            f"column '{name}': {what} must be numbers", code="wrong_column", column=name
        )
    values = series.cast(pl.Float64).rechunk()
    missing = first(values.is_null()) if values.null_count() else None
    row = missing if missing is not None else first(~values.is_finite())
    if row is not None:
        problem = "is missing" if row == missing else "is not a finite number"
        raise DomainError(
            f"column '{name}', row {row}: the value {problem}",
            code="missing_value" if row == missing else "out_of_domain",
            column=name,
            row=row,
        )
    return values


def filled(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return a column without missing values."""
    series = frame.get_column(name)
    if series.null_count():
        row = first(series.is_null())
        raise DomainError(
            f"column '{name}', row {row}: the value is missing",
            code="missing_value",
            column=name,
            row=row,
            hint="Give it a level of its own, or filter such rows out",
        )
    return series


def categoricals(
    frame: pl.DataFrame, levels: Mapping[str, Sequence[str]]
) -> list[tuple[pl.Series, list[str] | list[int]]]:
    """Return columns of text or whole numbers, and what stands for each level of a column."""
    return [_coded(filled(frame, name), own) for name, own in levels.items()]


def _coded(series: pl.Series, levels: Sequence[str]) -> tuple[pl.Series, list[str] | list[int]]:
    name, dtype = series.name, series.dtype
    # The core finds a text of 12 bytes by its view; Polars is faster with longer ones.
    if dtype == pl.String and all(len(level.encode()) <= 12 for level in levels):
        return series, list(levels)
    if dtype == pl.String or isinstance(dtype, pl.Categorical):
        found = series.cast(pl.Enum(levels), strict=False)
        return found.to_physical(), list(range(len(levels)))
    if isinstance(dtype, pl.Enum):
        place = {level: k for k, level in enumerate(dtype.categories)}
        # A level that the column cannot have stands for a code that it does not have.
        return series.to_physical(), [place.get(level, -1 - k) for k, level in enumerate(levels)]
    if dtype == pl.Boolean:
        place = {"false": 0, "true": 1}
        return series, [place.get(level.lower(), -1 - k) for k, level in enumerate(levels)]
    if dtype.is_integer() and dtype != pl.Int128:
        try:
            values = [int(level) for level in levels]
            return series, pl.Series(values, dtype=pl.Int64).to_list()
        except (ValueError, TypeError, OverflowError):
            raise DomainError(
                f"column '{name}' holds whole numbers, but totals name levels that are none",
                code="invalid_total",
                column=name,
            ) from None
    raise SchemaError(
        f"column '{name}': levels must be text, Enum, Categorical, whole numbers or booleans",
        code="wrong_column",
        column=name,
    )


def clusters(frame: pl.DataFrame, name: str) -> pl.Series:
    """Return a number for each cluster."""
    series = filled(frame, name)
    if isinstance(series.dtype, (pl.Enum, pl.Categorical)):
        series = series.to_physical()
    if series.dtype == pl.Boolean:
        series = series.cast(pl.UInt8)
    if series.dtype.is_nested() or series.dtype.is_float():
        raise SchemaError(
            f"column '{name}': clusters must be text or whole numbers",
            code="wrong_column",
            column=name,
        )
    return series.rank("dense").cast(pl.UInt32).rechunk()


def groups(frame: pl.DataFrame, plan: Plan) -> pl.Series:
    """Return the number of each row's group among those of the totals."""
    for name in plan.by:
        filled(frame, name)
    known = pl.DataFrame(list(plan.groups), schema=dict.fromkeys(plan.by, pl.String), orient="row")
    known = known.with_columns(pl.int_range(known.height, dtype=pl.UInt32).alias("__group"))
    own = frame.select(pl.col(name).cast(pl.String) for name in plan.by)
    found = own.join(known, on=list(plan.by), how="left", maintain_order="left")
    numbers = found.get_column("__group")
    if numbers.null_count():
        row: Any = first(numbers.is_null())
        raise DomainError(
            f"row {row}: the group {group_text(plan.by, own.row(row))} has no totals",
            code="level_without_total",
            column=plan.by[0],
            row=row,
            hint="Add its totals, or filter its rows out",
        )
    return numbers.rechunk()


def native(series: pl.Series) -> pl.Series | pl.DataFrame:
    """Return a column as the core takes it."""
    return _engine.columns([series])[0]
