"""Blocking rules of a linkage plan: which pairs of rows are looked at.

Each rule makes blocks of rows that agree on something; every pair in a block is a candidate, and
counts for the first rule that makes it. A row without a key is in no block.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from nser_pmt import _engine
from nser_pmt._options import invalid as _invalid

__all__ = ["Rule", "cnic_within", "equal", "neighbours"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One blocking rule; made by the functions of this module.

    Parameters
    ----------
    kind
        ``"equal"``, ``"cnic_within"`` or ``"neighbours"``.
    keys
        Column names, or Polars expressions in Polars' own JSON form.
    window
        Rows that share a look in a sorted order.
    max_block
        Most rows of a block; larger blocks are left out and reported.
    """

    kind: str
    keys: tuple[str, ...]
    expressions: tuple[bool, ...]
    window: int = 0
    max_block: int | None = None

    def exprs(self) -> list[pl.Expr]:
        """Return the keys as expressions."""
        keys = zip(self.keys, self.expressions, strict=True)
        return [_engine.read_expr(text) if coded else pl.col(text) for text, coded in keys]

    @property
    def columns(self) -> frozenset[str]:
        """Columns that the keys are made of."""
        return frozenset(name for key in self.exprs() for name in key.meta.root_names())

    @property
    def label(self) -> str:
        """The rule in words."""
        shown = zip(self.keys, self.expressions, self.exprs(), strict=True)
        keys = ", ".join(_engine.show_expr(key) if coded else text for text, coded, key in shown)
        if self.kind == "equal":
            return keys
        return f"{self.kind}({keys})"

    def _to_json(self) -> dict[str, Any]:
        keys = zip(self.keys, self.expressions, strict=True)
        return {
            "kind": self.kind,
            "keys": [{"expression" if coded else "column": text} for text, coded in keys],
            "window": self.window,
            "max_block": self.max_block,
        }

    @classmethod
    def _from_json(cls, data: Mapping[str, Any]) -> Rule:
        unknown = sorted(data.keys() - {"kind", "keys", "window", "max_block"})
        if unknown:
            raise KeyError(unknown[0])
        kind, window, cap = data["kind"], data["window"], data["max_block"]
        whole = all(n is None or type(n) is int for n in (window, cap))
        if kind not in ("equal", "cnic_within", "neighbours") or not whole:
            raise _invalid("a rule of an unknown kind or size")
        keys = [
            _engine.read_expr(k["expression"]) if "expression" in k else k["column"]
            for k in data["keys"]
        ]
        if not all(isinstance(key, (str, pl.Expr)) for key in keys):
            raise _invalid("a key of a rule is a column or an expression")
        if kind == "equal":
            return equal(*keys, max_block=cap)
        (key,) = keys
        if kind == "neighbours":
            return neighbours(key, window)
        if not isinstance(key, str):
            raise _invalid("cnic_within needs a column")
        return cnic_within(key)


def equal(*keys: str | pl.Expr, max_block: int | None = None) -> Rule:
    """Make pairs of rows with equal keys.

    In a plan, a list of keys stands for the same: ``["name_key", "birth_date"]``.

    Parameters
    ----------
    *keys
        Column names or row-wise Polars expressions; all must agree. An empty text is no key.
    max_block
        Most rows of a block; larger blocks are left out and reported.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> import polars as pl
    >>> nser.blocking.equal("district", pl.col("birth_date").dt.year(), max_block=500).label
    'district, col("birth_date").dt.year()'
    """
    if not keys:
        raise _invalid("a rule needs a key")
    if not all(isinstance(key, (str, pl.Expr)) for key in keys):
        raise _invalid("a key of a rule is a column's name or an expression")
    return _rule("equal", keys, 0, max_block)


def cnic_within(column: str, errors: int = 1) -> Rule:
    """Make pairs of rows whose identity numbers are equal or within one error of entry.

    Exact and complete: a digit wrong, missing or too many, two neighbours swapped, a jump swap, or
    a twin error, in any place (see `nser_pmt.cnic.distance`).

    Parameters
    ----------
    column
        Identity numbers as people write them, or as integers.
    errors
        1; there is no other.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.blocking.cnic_within("cnic").label
    'cnic_within(cnic)'
    """
    if errors != 1:
        raise _invalid("errors must be 1")
    return _rule("cnic_within", (column,), 0, None)


def neighbours(key: str | pl.Expr, window: int = 5) -> Rule:
    """Make pairs of rows that are near each other when sorted by a key.

    Parameters
    ----------
    key
        Column name or row-wise Polars expression. Equal keys are in the order of the ids.
    window
        A row is paired with the ``window - 1`` rows behind it.

    Notes
    -----
    The sorted neighbourhood of Hernández and Stolfo (1995).

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.blocking.neighbours("name", window=3).window
    3
    """
    if type(window) is not int or window < 2:
        raise _invalid("window must be a whole number, at least 2")
    return _rule("neighbours", (key,), window, None)


def _rule(kind: str, keys: tuple[str | pl.Expr, ...], window: int, max_block: int | None) -> Rule:
    if max_block is not None and (type(max_block) is not int or max_block < 2):
        raise _invalid("max_block must be a whole number, at least 2")
    texts = tuple(key if isinstance(key, str) else _engine.write_expr(key) for key in keys)
    coded = tuple(not isinstance(key, str) for key in keys)
    return Rule(kind=kind, keys=texts, expressions=coded, window=window, max_block=max_block)
