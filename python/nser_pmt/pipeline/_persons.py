"""Which persons a step looks at."""

from __future__ import annotations

import datetime

import polars as pl

from nser_pmt.programmes._compile import before_age

__all__ = ["ADULT", "adults", "recipients"]

ADULT = 18
"""Years from which on a person has a card of her own."""


def adults(on: datetime.date) -> pl.Expr:
    """Whether a person is 18 on a day; persons of unknown age count."""
    return (pl.col("birth_date") <= before_age(12 * ADULT, on)).fill_null(True)


def recipients(on: datetime.date, columns: list[str]) -> pl.Expr:
    """Whether a programme may pay a person: women who are or were married, transgender persons."""
    sex = pl.col("sex").cast(pl.String)
    wed = pl.lit(True)
    if "marital_state" in columns:
        wed = (pl.col("marital_state").cast(pl.String) != "never married").fill_null(True)
    return adults(on) & (((sex == "female") & wed) | (sex == "transgender")).fill_null(True)
