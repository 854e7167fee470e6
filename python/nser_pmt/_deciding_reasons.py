"""Reasons: which rules a row failed, or why it cannot be decided, as a list of texts.

The rules a row failed are the bits of a number, and so is what is not known of it, or what its
amount lacks. A row has reasons of one of these kinds, so one look-up by number makes its list.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import polars as pl

__all__ = ["MOST", "bits", "reason_lists"]

MOST = 32
"""Reasons of a kind, at most: the bits of a number."""

_TABLE_BITS = 14


def bits(tests: Sequence[pl.Expr]) -> pl.Expr:
    """Return a number whose bit i says whether test i is true; null counts as false."""
    dtype = pl.UInt16 if len(tests) <= 16 else pl.UInt32
    zero = pl.lit(0, dtype=dtype)
    flags = [
        pl.when(test).then(pl.lit(1 << n, dtype=dtype)).otherwise(zero)
        for n, test in enumerate(tests)
    ]
    return functools.reduce(pl.Expr.add, flags) if flags else zero


def reason_lists(kinds: Sequence[tuple[pl.Expr, Sequence[str]]], dtype: pl.Enum) -> pl.Expr:
    """Return the list of the first kind of reasons that a row has any of.

    Parameters
    ----------
    kinds
        A number as `bits` makes it, and the texts of its bits.
    dtype
        All texts. As an Enum, lists cost a third of what text costs to make and to write.
    """
    if all(len(texts) <= _TABLE_BITS for _, texts in kinds):
        return _from_one_table(kinds, dtype)
    lists = [(number, _in_pieces(number, texts, dtype)) for number, texts in kinds]
    empty = pl.lit([], dtype=pl.List(dtype))
    chosen: pl.Expr = empty
    for number, made in reversed(lists):
        chosen = pl.when(number > 0).then(made).otherwise(chosen)
    return chosen


def _from_one_table(kinds: Sequence[tuple[pl.Expr, Sequence[str]]], dtype: pl.Enum) -> pl.Expr:
    rows: list[list[str]] = [[]]
    index: pl.Expr = pl.lit(0, dtype=pl.UInt32)
    starts = []
    for _, texts in kinds:
        starts.append(len(rows) - 1)
        rows += _subsets(texts)[1:]
    for (number, texts), start in reversed(list(zip(kinds, starts, strict=True))):
        if texts:
            there = number.cast(pl.UInt32) + pl.lit(start, dtype=pl.UInt32)
            index = pl.when(number > 0).then(there).otherwise(index)
    return _look_up(index, rows, dtype)


def _in_pieces(number: pl.Expr, texts: Sequence[str], dtype: pl.Enum) -> pl.Expr:
    pieces = []
    for start in range(0, len(texts), _TABLE_BITS):
        some = texts[start : start + _TABLE_BITS]
        index = number.cast(pl.UInt32) // (1 << start) % (1 << len(some))
        pieces.append(_look_up(index, _subsets(some), dtype))
    return pl.concat_list(pieces)


def _subsets(texts: Sequence[str]) -> list[list[str]]:
    return [[t for n, t in enumerate(texts) if k >> n & 1] for k in range(1 << len(texts))]


def _look_up(index: pl.Expr, rows: list[list[str]], dtype: pl.Enum) -> pl.Expr:
    if len(rows) == 1:
        empty = pl.lit([], dtype=pl.List(dtype))
        return pl.when(index >= 0).then(empty).otherwise(empty)
    table = pl.Series(rows, dtype=pl.List(dtype))

    def gather(numbers: pl.Series) -> pl.Series:
        return table.gather(numbers).alias(numbers.name)

    # Polars' own gather of a literal is not row-wise for its streaming engine.
    return index.map_batches(gather, return_dtype=table.dtype, is_elementwise=True)
