"""What tables of a report have in common."""

from __future__ import annotations

from html import escape
from typing import Any

import polars as pl

from nser_pmt.pipeline._html import table

__all__ = ["PERCENT", "PERCENT_HEAD", "share", "titled", "words"]

PERCENT = {"share": ".1f"}
PERCENT_HEAD = {"share": "%"}


def share(column: str = "rows") -> pl.Expr:
    """Return the per cent that each row has of a column."""
    return (pl.col(column) / pl.col(column).sum() * 100).alias("share")


def words(column: str) -> pl.Expr:
    """Return a code as words."""
    return pl.col(column).cast(pl.String).str.replace_all("_", " ")


def titled(title: str, frame: pl.DataFrame, **options: Any) -> str:
    """Return a table under a title; nothing if it is empty."""
    return f"<h3>{escape(title)}</h3>{table(frame, **options)}" if frame.height else ""
