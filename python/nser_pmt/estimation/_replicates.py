"""Refits on other weights of the primary sampling units, as a table."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from nser_pmt.estimation._design import Column

__all__ = ["replicate_table"]


def replicate_table(
    columns: Sequence[Column],
    coefficients: Sequence[float],
    changes: Sequence[Sequence[float] | None],
) -> pl.DataFrame:
    """Return the coefficients of each refit, from their changes; null where it has none."""
    rows = [
        [None] * len(columns)
        if change is None
        else [a + b for a, b in zip(coefficients, change, strict=True)]
        for change in changes
    ]
    schema = dict.fromkeys((column.name for column in columns), pl.Float64)
    return pl.DataFrame(rows, schema=schema, orient="row")
