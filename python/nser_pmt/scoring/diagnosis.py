"""What is in the columns a model reads: `diagnose`."""

from __future__ import annotations

from typing import Any, Literal

import polars as pl

from nser_pmt.errors import SchemaError
from nser_pmt.scoring._program import term_inputs
from nser_pmt.scoring.model import (
    Bin,
    BinsTerm,
    LevelsTerm,
    LinearTerm,
    Model,
    ProductTerm,
    TableTerm,
    load_model,
    missing_column,
)

__all__ = ["diagnose"]

_RARE = 5
_IDENTITY = r"\d[\d\s-]{6,}\d"


def diagnose(
    frame: pl.DataFrame | pl.LazyFrame,
    model: Model | str,
    *,
    unknown_levels: Literal["frequent", "all", "none"] = "frequent",
) -> pl.DataFrame:
    """Look at every column a model reads, before scoring or when scores are null.

    Parameters
    ----------
    frame
        One row a household. A LazyFrame is streamed.
    model
        A `Model` (a template too), or the name or path of one.
    unknown_levels
        Which unknown levels to list: those on at least five rows that do not look like an identity
        number (so that a column of names or numbers mapped by mistake does not spill), all, or
        none. The count of unknown values is always complete.

    Returns
    -------
    DataFrame
        One row a column: ``column``, ``dtype``, ``rows``, ``missing`` (null or NaN), ``unknown``
        (values in no level), ``out_of_range`` (infinite, outside the input's range or all its bins,
        or a fraction in a whole number), ``min``, ``max`` (of numbers below 1e9 in size) and
        ``unknown_levels`` (List of Struct ``level``, ``count``; most frequent first).

    Raises
    ------
    SchemaError
        A column is missing.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> df = nser.synth.households(100, seed=1).with_columns(province=pl.lit("Gilgit"))
    >>> nser.diagnose(df, "schreiner-pk-2009").select("column", "missing", "unknown").head(2)
    shape: (2, 3)
    ┌──────────┬─────────┬─────────┐
    │ column   ┆ missing ┆ unknown │
    │ ---      ┆ ---     ┆ ---     │
    │ str      ┆ i64     ┆ i64     │
    ╞══════════╪═════════╪═════════╡
    │ province ┆ 0       ┆ 100     │
    │ n_le13   ┆ 0       ┆ 0       │
    └──────────┴─────────┴─────────┘
    """
    model = model if isinstance(model, Model) else load_model(model)
    lazy = frame.lazy()
    schema = lazy.collect_schema()
    for column in model.columns:
        if column not in schema:
            raise missing_column(column, schema.names())
    for column in model.columns:
        _check_type(column, schema[column])
    # One pass for the counts of all columns, and one for each column of levels.
    wanted = [e for c in model.columns for e in _counts(model, c, schema[c])]
    counts = lazy.select(wanted).collect(engine="streaming").row(0, named=True)
    rows = []
    for column in model.columns:
        dtype = schema[column]
        row = {key: counts.get(f"{key} {column}") for key in ("rows", *_COUNTED)}
        row |= {"column": column, "dtype": str(dtype.base_type())}
        rows.append(row | _unknown_levels(lazy, model, column, dtype, unknown_levels))
    return pl.DataFrame(rows, schema=_SCHEMA)


_COUNTED = ("missing", "out_of_range", "min", "max")

_SCHEMA: dict[str, Any] = {
    "column": pl.String,
    "dtype": pl.String,
    "rows": pl.Int64,
    "missing": pl.Int64,
    "unknown": pl.Int64,
    "out_of_range": pl.Int64,
    "min": pl.Float64,
    "max": pl.Float64,
    "unknown_levels": pl.List(pl.Struct({"level": pl.String, "count": pl.Int64})),
}


def _check_type(column: str, dtype: pl.DataType) -> None:
    readable = (pl.Boolean, pl.String, pl.Enum, pl.Categorical, pl.Null)
    if not dtype.is_numeric() and not isinstance(dtype, readable):
        raise SchemaError(
            f"column '{column}': this type cannot be read; cast it to a number, a boolean or text",
            code="wrong_column",
            column=column,
        )


def _counts(model: Model, column: str, dtype: pl.DataType) -> list[pl.Expr]:
    value, missing = pl.col(column), _missing(column, dtype)
    wrong = _out_of_range(value, model, column, dtype) & ~missing
    wanted = {"rows": pl.len(), "missing": missing.sum(), "out_of_range": wrong.sum()}
    if dtype.is_numeric():
        # A number as long as an identity number is none of a household's answers: not shown.
        number = value.cast(pl.Float64)
        number = number.filter(number.abs() < 1e9)
        wanted |= {"min": number.min(), "max": number.max()}
    return [expr.alias(f"{key} {column}") for key, expr in wanted.items()]


def _missing(column: str, dtype: pl.DataType) -> pl.Expr:
    value = pl.col(column)
    return value.is_null() | value.is_nan() if dtype.is_float() else value.is_null()


def _unknown_levels(
    frame: pl.LazyFrame, model: Model, column: str, dtype: pl.DataType, listing: str
) -> dict[str, Any]:
    levels = _levels(model, column, dtype)
    if levels is None:
        return {"unknown": 0, "unknown_levels": []}
    found = _unknown(frame, pl.col(column), dtype, levels, _missing(column, dtype))
    total = found.get_column("count").sum()
    if listing == "frequent":
        shown = (pl.col("count") >= _RARE) & ~pl.col("level").str.contains(_IDENTITY)
        found = found.filter(shown)
    return {
        "unknown": total,
        "unknown_levels": [] if listing == "none" else found.head(20).to_dicts(),
    }


def _levels(model: Model, column: str, dtype: pl.DataType) -> set[str] | None:
    """Values that every categorical use of a column knows, as text."""
    uses = []
    for sub in model.sub_models():
        for term in sub.terms:
            if isinstance(term, LevelsTerm) and term.input == column:
                uses.append([v for level in term.levels for v in level.values])
            if isinstance(term, TableTerm) and column in term.inputs:
                first = term.inputs[0] == column
                uses.append([v for c in term.cells for v in (c.first if first else c.second)])
    if model.strata is not None and model.strata.input == column:
        uses.append([v for sub in model.strata.models for v in sub.values])
    if not uses:
        return None
    text = not (dtype.is_numeric() or dtype == pl.Boolean)
    known = [{v for v in use if isinstance(v, str)} if text else _coded(use) for use in uses]
    return set.intersection(*known)


def _coded(values: list[bool | int | str]) -> set[str]:
    """Codes as text; 0 and 1 stand for false and true, and the other way round."""
    codes = {str(int(v)) for v in values if isinstance(v, int)}
    return codes | {str(bool(int(code))).lower() for code in codes & {"0", "1"}}


def _unknown(
    frame: pl.LazyFrame, value: pl.Expr, dtype: pl.DataType, levels: set[str], missing: pl.Expr
) -> pl.DataFrame:
    whole = value.cast(pl.Int64, strict=False)
    level = value.cast(pl.String)
    if dtype.is_float() or dtype.is_decimal():
        level = pl.when(whole.cast(dtype) == value).then(whole.cast(pl.String)).otherwise(level)
    return (
        frame.filter(~missing)
        .group_by(level.alias("level"))
        .agg(pl.len().cast(pl.Int64).alias("count"))
        .filter(~pl.col("level").is_in(sorted(levels)))
        .sort("count", "level", descending=[True, False])
        .collect(engine="streaming")
    )


def _out_of_range(value: pl.Expr, model: Model, column: str, dtype: pl.DataType) -> pl.Expr:
    """Whether some use of the column as a number refuses it."""
    terms = [term for sub in model.sub_models() for term in sub.terms]
    numeric = (BinsTerm, LinearTerm, ProductTerm)
    names = {name for term in terms if isinstance(term, numeric) for name in term_inputs(term)}
    read = {c for i in model.inputs if i.name in names for c in (i.ratio or (i.name,))}
    if not dtype.is_numeric() or column not in read:
        return pl.lit(False)
    item = next(i for i in model.inputs if i.name == column)
    # Edges are compared in the column's own width, as the scorer does.
    width = pl.Float32 if dtype == pl.Float32 else pl.Float64
    number = value.cast(width)
    wrong = number.is_infinite()
    if item.type == "integer":
        wrong = wrong | (number != number.floor())
    if item.min is not None:
        wrong = wrong | (number < pl.lit(item.min, width))
    if item.max is not None:
        wrong = wrong | (number > pl.lit(item.max, width))
    for term in terms:
        if isinstance(term, BinsTerm) and term.input == column:
            held = (_in_bin(number, item, width) for item in term.bins)
            wrong = wrong | ~pl.any_horizontal(pl.lit(False), *held)
    return wrong


def _in_bin(number: pl.Expr, item: Bin, width: type[pl.DataType]) -> pl.Expr:
    tests = {"ge": item.ge, "gt": item.gt, "le": item.le, "lt": item.lt}
    edges = ((op, pl.lit(e, width)) for op, e in tests.items() if e is not None)
    return pl.all_horizontal(pl.lit(True), *(getattr(number, op)(e) for op, e in edges))
