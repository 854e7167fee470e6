"""Which households a shock hits, and the assumption in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

import polars as pl

from nser_pmt import _engine
from nser_pmt._options import invalid
from nser_pmt.errors import SchemaError
from nser_pmt.scoring.model import Model, missing_column

__all__ = ["check_columns", "drawn", "in_area", "in_words"]

# SplitMix64 (Steele, Lea and Flood 2014).
_STEP, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_WORD = 1 << 64


def in_area(area: pl.Expr | Mapping[str, Any], schema: Mapping[str, pl.DataType]) -> pl.Expr:
    """Return whether a household is in the area; null where that is not known."""
    if isinstance(area, pl.Expr):
        check_columns(area, schema)
        dtype = pl.LazyFrame(schema=schema).select(area.alias("area")).collect_schema()["area"]
        if dtype != pl.Boolean:
            raise invalid("area must be a Boolean expression")
        return area
    if not isinstance(area, Mapping):
        raise invalid("area must be a Boolean expression, or values by column")
    if not area:
        raise invalid("area must name a column at least; everywhere is pl.lit(True)")
    parts = []
    for column, wanted in area.items():
        if column not in schema:
            raise missing_column(column, list(schema))
        dtype, values = schema[column], _values(wanted)
        try:
            plain = pl.Series(values, dtype=_plain(dtype), strict=True).cast(dtype)
        except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
            raise SchemaError(
                f"column '{column}': a value of the area is none of its type, {dtype.base_type()}",
                code="wrong_column",
                column=column,
            ) from None
        if not values or None in values:
            raise invalid(f"area: give values for '{column}', none of them null")
        if dtype == pl.Null:
            parts.append(pl.lit(None, dtype=pl.Boolean))
            continue
        one_of = [pl.col(column) == pl.lit(value, dtype=dtype) for value in plain]
        parts.append(pl.any_horizontal(one_of))
    return pl.all_horizontal(parts)


def check_columns(expr: pl.Expr, schema: Mapping[str, pl.DataType]) -> None:
    """Raise `SchemaError` if an expression reads a column that is not there."""
    for column in expr.meta.root_names():
        if column not in schema:
            raise missing_column(column, list(schema))


def _values(wanted: Any) -> list[Any]:
    if isinstance(wanted, (Set, pl.Series)):
        raise invalid("area: give a value, or a list of values")
    if isinstance(wanted, Sequence) and not isinstance(wanted, str):
        return list(wanted)
    return [wanted]


def _plain(dtype: pl.DataType) -> pl.DataType:
    return pl.String() if isinstance(dtype, (pl.Enum, pl.Categorical)) else dtype


def drawn(id: pl.Expr, share: float, seed: int) -> pl.Expr:
    """Return whether a household is drawn, by its id and the seed alone."""

    def word(value: int) -> pl.Expr:
        return pl.lit(value % _WORD, dtype=pl.UInt64)

    def mixed(state: pl.Expr, shift: int) -> pl.Expr:
        return state ^ (state // word(1 << shift))

    # Additions and products wrap around.
    number = id.cast(pl.Int128) % pl.lit(_WORD, dtype=pl.Int128)
    state = number.cast(pl.UInt64) + word((seed + 1) * _STEP)
    for shift, factor in ((30, _FIRST), (27, _SECOND)):
        state = mixed(state, shift) * word(factor)
    return mixed(state, 31) < word(min(int(share * _WORD), _WORD - 1))


def in_words(
    area: pl.Expr | Mapping[str, Any],
    effect: Mapping[str, Any] | float,
    share: float,
    seed: int,
    model: Model,
    line: str,
) -> str:
    """Return the assumption in three sentences."""
    if isinstance(area, Mapping):
        where = " and ".join(
            f"{column} is {' or '.join(_shown(v) for v in _values(wanted))}"
            for column, wanted in area.items()
        )
    else:
        where = _engine.show_expr(area)
    who = "Every household" if share == 1 else f"A share of {share:g} of the households"
    drawn_by = "" if share == 1 else f" (drawn by id with seed {seed})"
    if isinstance(effect, Mapping):
        changes = ", ".join(f"{column} becomes {_shown(v)}" for column, v in effect.items())
        what = f"{changes}, where the answer is known"
    else:
        what = f"the score changes by {effect:+g}"
    verb = "is" if share == 1 else "are"
    return (
        f"{who} where {where} {verb} hit{drawn_by}: {what}. "
        f"Scored with {model.id}; below the line means {line}."
    )


def _shown(value: Any) -> str:
    if isinstance(value, pl.Expr):
        return _engine.show_expr(value)
    return str(value).lower() if isinstance(value, bool) else str(value)
