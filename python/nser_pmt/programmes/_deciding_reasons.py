"""Reasons: which rules a row failed, or why it cannot be decided, as a list of texts.

The rules a row failed are the bits of a number, and so is what is not known of it, or what its
amount lacks. A row has reasons of one of these kinds, so one look-up by number makes its list.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Literal

import polars as pl

__all__ = ["MOST", "SEPARATOR", "ReasonsAs", "bits", "reason", "reasons", "reasons_type"]

ReasonsAs = Literal["list", "text"]

SEPARATOR = ", "


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


def reasons_type(
    kinds: Sequence[Sequence[str]], more: Sequence[str], form: ReasonsAs
) -> pl.DataType:
    """Return the type of the reasons; `more` are reasons that no bit stands for."""
    if form == "list":
        # An Enum, as lists of it cost a third of what lists of text cost to make and to write.
        return pl.List(pl.Enum([text for texts in kinds for text in texts] + list(more)))
    if _small(kinds):
        return pl.Enum([*_joined(_sets(kinds)), *more])
    return pl.String()


def reason(text: str, dtype: pl.DataType) -> pl.Expr:
    """Return a single reason."""
    return pl.lit([text] if isinstance(dtype, pl.List) else text, dtype=dtype)


def reasons(kinds: Sequence[tuple[pl.Expr, Sequence[str]]], dtype: pl.DataType) -> pl.Expr:
    """Return the reasons of the first kind of which a row has any.

    Parameters
    ----------
    kinds
        A number as `bits` makes it, and the texts of its bits.
    dtype
        What `reasons_type` says.
    """
    if _small([texts for _, texts in kinds]):
        return _from_one_table(kinds, dtype)
    lists = dtype
    if not isinstance(dtype, pl.List):
        lists = pl.List(pl.Enum([text for _, texts in kinds for text in texts]))
    chosen: pl.Expr = pl.lit([], dtype=lists)
    for number, texts in reversed(kinds):
        chosen = pl.when(number > 0).then(_in_pieces(number, texts, lists)).otherwise(chosen)
    if isinstance(dtype, pl.List):
        return chosen
    return chosen.cast(pl.List(pl.String)).list.join(SEPARATOR)


def _small(kinds: Sequence[Sequence[str]]) -> bool:
    return all(len(texts) <= _TABLE_BITS for texts in kinds)


def _sets(kinds: Sequence[Sequence[str]]) -> list[list[str]]:
    """Return no reason, and then all sets of reasons of each kind."""
    return [[], *(subset for texts in kinds for subset in _subsets(texts)[1:])]


def _subsets(texts: Sequence[str]) -> list[list[str]]:
    return [[t for n, t in enumerate(texts) if k >> n & 1] for k in range(1 << len(texts))]


def _joined(sets: list[list[str]]) -> list[str]:
    return [SEPARATOR.join(texts) for texts in sets]


def _from_one_table(kinds: Sequence[tuple[pl.Expr, Sequence[str]]], dtype: pl.DataType) -> pl.Expr:
    index: pl.Expr = pl.lit(0, dtype=pl.UInt32)
    start = 0
    starts = []
    for _, texts in kinds:
        starts.append(start)
        start += (1 << len(texts)) - 1
    for (number, texts), first in reversed(list(zip(kinds, starts, strict=True))):
        if texts:
            there = number.cast(pl.UInt32) + pl.lit(first, dtype=pl.UInt32)
            index = pl.when(number > 0).then(there).otherwise(index)
    return _look_up(index, _sets([texts for _, texts in kinds]), dtype)


def _in_pieces(number: pl.Expr, texts: Sequence[str], dtype: pl.DataType) -> pl.Expr:
    pieces = [pl.lit([], dtype=dtype)] if not texts else []
    for start in range(0, len(texts), _TABLE_BITS):
        some = texts[start : start + _TABLE_BITS]
        index = number.cast(pl.UInt32) // (1 << start) % (1 << len(some))
        pieces.append(_look_up(index, _subsets(some), dtype))
    return pl.concat_list(pieces)


def _look_up(index: pl.Expr, sets: list[list[str]], dtype: pl.DataType) -> pl.Expr:
    if isinstance(dtype, pl.List):
        table = pl.Series(sets, dtype=pl.List(pl.String)).cast(dtype)  # Polars' quicker way
    else:
        table = pl.Series(_joined(sets), dtype=dtype)

    def gather(numbers: pl.Series) -> pl.Series:
        return table.gather(numbers).alias(numbers.name)

    # Polars' own gather of a literal is not row-wise for its streaming engine.
    return index.map_batches(gather, return_dtype=dtype, is_elementwise=True)
