"""Which persons a step looks at."""

from __future__ import annotations

import datetime

import polars as pl

__all__ = ["ADULT", "adults", "recipients"]

ADULT = 18
"""Years from which on a person has a card of her own."""


def adults(on: datetime.date) -> pl.Expr:
    """Whether a person is 18 on a day; persons of unknown age count."""
    # Born on 29 February: 18 on 1 March of a year that has no such day.
    last = pl.lit(datetime.date(on.year - ADULT, on.month, min(on.day, 28)))
    if on.day > 28:
        last = last.dt.offset_by(f"{on.day - 28}d")
    return (pl.col("birth_date") <= last).fill_null(True)


def recipients(on: datetime.date, columns: list[str]) -> pl.Expr:
    """Whether a programme may pay a person: women who are or were married, transgender persons."""
    sex = pl.col("sex").cast(pl.String)
    wed = pl.lit(True)
    if "marital_state" in columns:
        wed = (pl.col("marital_state").cast(pl.String) != "never married").fill_null(True)
    return adults(on) & (((sex == "female") & wed) | (sex == "transgender")).fill_null(True)
