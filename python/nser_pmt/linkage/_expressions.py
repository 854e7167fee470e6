"""Comparisons by expressions: their levels, worked out by Polars for given pairs of rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from nser_pmt import _engine
from nser_pmt.compare import Comparison
from nser_pmt.errors import SchemaError

__all__ = ["columns_of", "computed", "levels_of"]

_SIDES = ("left", "right")


def columns_of(comparison: Comparison) -> list[str]:
    """Return the columns that a comparison reads; those of expressions without their sides."""
    if comparison.kind != "expr":
        return [comparison.column]
    found = set()
    for name in _names(comparison):
        column, _, side = name.rpartition("_")
        if side not in _SIDES:
            raise SchemaError(
                f"column '{name}': an expression compares columns with _left or _right behind",
                code="missing_column",
                column=name,
            )
        found.add(column)
    return sorted(found)


def levels_of(
    frame: pl.DataFrame, pairs: pl.DataFrame, comparisons: Sequence[Comparison]
) -> pl.DataFrame:
    """Return the level of each comparison (Enum) for pairs of rows, ``left`` and ``right``.

    `frame` has the columns of the comparisons.
    """
    sides = [
        frame[pairs.get_column(side)].rename({name: f"{name}_{side}" for name in frame.columns})
        for side in _SIDES
    ]
    wide = pl.concat(sides, how="horizontal")
    return pl.DataFrame(
        [
            computed(wide, [_level(c)], f"comparison '{c.label}'").to_series().alias(c.label)
            for c in comparisons
        ]
    )


def computed(frame: pl.DataFrame, exprs: Sequence[pl.Expr], what: str) -> pl.DataFrame:
    """Select expressions of the caller; Polars' own errors may show values."""
    try:
        found = frame.select(exprs)
    except pl.exceptions.PolarsError as error:
        known = _engine.typed(error)
        hint = "Try the expression on the frame with .select"
        raise known or SchemaError(
            f"{what} cannot be computed: {type(error).__name__}", code="wrong_column", hint=hint
        ) from None
    if found.height != frame.height:
        raise SchemaError(f"{what} does not give one value a row", code="wrong_column")
    return found


def _names(comparison: Comparison) -> list[str]:
    texts = (*comparison.options["levels"].values(), comparison.options["missing"])
    found = {n for t in texts if t is not None for n in _engine.read_expr(t).meta.root_names()}
    return sorted(found)


def _level(comparison: Comparison) -> pl.Expr:
    levels = pl.Enum(comparison.levels)
    given = comparison.options["missing"]
    missing = pl.lit(False) if given is None else _engine.read_expr(given)
    chosen: Any = pl.when(missing.fill_null(True)).then(pl.lit(None, levels))
    for name, text in comparison.options["levels"].items():
        chosen = chosen.when(_engine.read_expr(text)).then(pl.lit(name, levels))
    level: pl.Expr = chosen.otherwise(pl.lit("else", levels))
    return level
