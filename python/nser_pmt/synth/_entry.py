"""Names and numbers as a clerk enters them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import polars as pl

from nser_pmt.synth import _errors
from nser_pmt.synth._names import Names, Slots
from nser_pmt.synth._names import pool as name_pool
from nser_pmt.synth._random import Draws, Ints, Mask


class Named(Protocol):
    """Persons with names, by row."""

    @property
    def name(self) -> Names: ...
    @property
    def father(self) -> Names: ...
    @property
    def husband(self) -> Names: ...
    @property
    def wed(self) -> Mask: ...  # women with a husband's name

    @property
    def male(self) -> Mask: ...

    def father_or_husband(self) -> Slots: ...


@dataclass(frozen=True)
class Entered:
    """Names with errors: tokens, and the form of each."""

    slots: Slots
    forms: Slots


def names(clerk: _errors.Clerk, who: Named) -> tuple[Entered, Entered]:
    """Own names, and fathers' or husbands', as entered."""
    table = name_pool()
    own = who.name.slots.copy()
    called = who.husband.called
    new = ~table.is_title[own[0]] & (own[1] != called)
    rows = np.flatnonzero(clerk.meets("name_married", who.wed & new))
    own[1:, rows] = -1
    own[1, rows] = called[rows]
    clerk.mark("name_married", rows)

    other = who.father_or_husband()
    switched = clerk.meets("father_husband", who.wed)
    other[:, switched] = who.father.slots[:, switched]
    clerk.mark("father_husband", switched)
    missing = clerk.meets("father_missing")
    other[:, missing] = -1
    clerk.mark("father_missing", missing)

    men = np.ones(len(clerk.key), bool)
    called = np.where(who.wed & ~switched, who.husband.called, who.father.called)
    own_forms = _errors.tokens(clerk, "name", own, who.name.called, who.male)
    other_forms = _errors.tokens(clerk, "father", other, called, men)
    return Entered(own, own_forms), Entered(other, other_forms)


def printed(draws: Draws, digits: pl.Series, key: Ints, form: str) -> pl.Series:
    """Numbers as digits, printed with dashes, or mixed."""
    if form == "digits":
        return digits
    n = len(digits)
    rows = np.flatnonzero(draws.chance("printed", key, 0.5)) if form == "mixed" else np.arange(n)
    number = pl.lit(digits.gather(pl.Series(rows.astype(np.uint32))))
    text = pl.select(
        pl.concat_str(
            number.str.slice(0, 5),
            number.str.head(-1).str.slice(5),
            number.str.tail(1),
            separator="-",
        )
    ).to_series()
    at = np.arange(n, dtype=np.uint32)
    at[rows] = np.arange(n, n + len(rows), dtype=np.uint32)
    return pl.concat([digits, text], rechunk=True).gather(pl.Series(at))
