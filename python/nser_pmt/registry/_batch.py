"""A batch of updates as it was given: checked against the columns of the registry, and typed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

import polars as pl

from nser_pmt.errors import SchemaError

__all__ = ["FORM", "ROW", "Batch", "read_batch", "rejected_rows"]

HouseholdChange = Literal["changed", "new", "removed"]
PersonChange = Literal["changed", "joined", "left"]

CHANGE = "change"
FORM = "form_id"
ROW = "_row"
REASON = "_reason"
WRONG = "_column"
RESERVED = (CHANGE, FORM, ROW, REASON, WRONG, "removed", "_place")

REASONS = pl.Enum(
    [
        "bad_value",
        "no_key",
        "unknown_household",
        "ambiguous_household",
        "household_exists",
        "household_removed",
        "unknown_person",
        "person_exists",
        "cnic_elsewhere",
        "twice_in_batch",
        "incomplete_household",
    ]
)
"""Why a row of a batch is not applied."""

_CHANGES = {"households": ("changed", "new", "removed"), "people": ("changed", "joined", "left")}


@dataclass
class Batch:
    """Households and people of a batch with the types of the registry.

    Besides the registry's columns they have the row in the batch, the change, the form, and the
    reason why the row is not applied, with the column at fault.
    """

    households: pl.DataFrame
    people: pl.DataFrame
    digest: str


def read_batch(
    households: pl.DataFrame | None,
    people: pl.DataFrame | None,
    schemas: Mapping[str, Mapping[str, pl.DataType]],
    on: date,
) -> Batch:
    """Check the columns of a batch and give them the types of the registry.

    Raises
    ------
    SchemaError
        A column is missing, is not in the registry, or has a type that cannot be its type.
    """
    given = {"households": households, "people": people}
    typed = {name: _typed(name, given[name], schemas[name]) for name in given}
    hashed = hashlib.sha256(f"nser_pmt batch 1 {on.isoformat()}".encode())
    for name, frame in typed.items():
        hashed.update(name.encode())
        hashed.update(_text(frame).encode())
    return Batch(typed["households"], typed["people"], hashed.hexdigest())


def _text(frame: pl.DataFrame) -> str:
    """Return the content of a table of a batch, the same for any order of its rows."""
    keys = [name for name in ("hh_id", "person_id", FORM) if name in frame.columns]
    ordered = frame.sort(keys, nulls_last=True, maintain_order=True)
    # Quoted, so that an empty text is not a null; a row of its own may not read as two.
    return ordered.drop(ROW, WRONG).write_csv(quote_style="non_numeric", null_value="")


def _typed(
    table: str, frame: pl.DataFrame | None, schema: Mapping[str, pl.DataType]
) -> pl.DataFrame:
    extra = {CHANGE: pl.Enum(_CHANGES[table]), FORM: pl.String()}
    known = {**schema, **extra}
    if frame is None:
        frame = pl.DataFrame(schema=known)
    for name in frame.columns:
        if name not in known:
            raise SchemaError(
                f"{table}, column '{name}': not a column of the registry",
                code="unknown_column",
                column=name,
                hint=f"Its columns: {', '.join(known)}",
            )
    for name in schema:
        if name not in frame.columns:
            raise SchemaError(
                f"{table}, column '{name}': missing; a batch has every column of the registry",
                code="missing_column",
                column=name,
            )
    if CHANGE not in frame.columns:
        frame = frame.with_columns(pl.lit(_CHANGES[table][0]).alias(CHANGE))
    if FORM not in frame.columns:
        frame = frame.with_columns(pl.lit(None, pl.String).alias(FORM))
    casts, bad = [], pl.lit(None, pl.String)
    for name, dtype in known.items():
        found = frame.schema[name]
        if not _may_become(found, dtype):
            raise SchemaError(
                f"{table}, column '{name}': expected {dtype.base_type()}, found "
                f"{found.base_type()}",
                code="wrong_column",
                column=name,
            )
        if found != dtype:
            value = pl.col(name)
            if isinstance(found, (pl.Enum, pl.Categorical)):
                value = value.cast(pl.String)
            cast = value.cast(dtype, strict=False)
            casts.append(cast)
            lost = cast.is_null() & pl.col(name).is_not_null()
            bad = pl.when(bad.is_null() & lost).then(pl.lit(name)).otherwise(bad)
    bad = pl.when(bad.is_null() & pl.col(CHANGE).is_null()).then(pl.lit(CHANGE)).otherwise(bad)
    wrong = (
        frame.select(bad.alias(WRONG)).to_series()
        if frame.height
        else pl.Series(WRONG, [], pl.String)
    )
    reason = pl.when(pl.col(WRONG).is_not_null()).then(pl.lit("bad_value"))
    return (
        frame.with_columns(casts)
        .select(*known)
        .with_row_index(ROW)
        .with_columns(wrong)
        .with_columns(reason.cast(REASONS).alias(REASON))
    )


def _may_become(found: pl.DataType, dtype: pl.DataType) -> bool:
    """Say whether values of a type can be values of the registry's type, all or some."""
    if found in (dtype, pl.Null()):
        return True
    if isinstance(dtype, (pl.Enum, pl.String)):
        return isinstance(found, (pl.Enum, pl.Categorical, pl.String)) or (
            # Forms may be numbered.
            dtype == pl.String and found.is_integer()
        )
    if dtype.is_integer():
        return found.is_integer()
    if dtype.is_float():
        return found.is_float() or found.is_integer()
    return False


def reject(frame: pl.DataFrame, reason: str, where: pl.Expr) -> pl.DataFrame:
    """Give rows a reason, unless they have one."""
    new = pl.col(REASON).is_null() & where.fill_null(value=False)
    made = pl.when(new).then(pl.lit(reason, REASONS)).otherwise(REASON)
    return frame.with_columns(made.alias(REASON))


def rejected_rows(batch: Batch) -> pl.DataFrame:
    """Return the rows that are not applied: table, row, hh_id, reason, column."""
    parts = [
        frame.filter(pl.col(REASON).is_not_null()).select(
            pl.lit(name).alias("table"),
            pl.col(ROW).alias("row"),
            "hh_id",
            pl.col(REASON).alias("reason"),
            pl.col(WRONG).alias("column"),
        )
        for name, frame in (("households", batch.households), ("people", batch.people))
    ]
    return pl.concat(parts)
