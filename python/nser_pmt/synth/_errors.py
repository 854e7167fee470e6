"""Errors of entry: each function puts one field of some records to paper as a clerk would.

A record's errors are bits of a word, in the order of `KINDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from nser_pmt._options import invalid
from nser_pmt.synth._names import Slots, compact, parameters
from nser_pmt.synth._names import pool as name_pool
from nser_pmt.synth._population import as_of, first_january, year_of
from nser_pmt.synth._random import U64, Draws, Ints, Mask, shares_table
from nser_pmt.synth._spelling import VARIANTS, number_slip, slip

_CLASSES = (
    *("substitution", "transposition", "jump", "twin", "jump_twin", "several"),
    *("omission", "insertion"),
)
KINDS = [
    *("cnic_missing", "cnic_dummy", "cnic_parent", "cnic_other", "cnic_shared"),
    *(f"cnic_{c}" for c in _CLASSES),
    *("name_spelling", "name_slip", "name_dropped", "name_swapped", "name_initial", "name_title"),
    *("name_married", "name_case", "name_spaces"),
    *("father_spelling", "father_slip", "father_dropped", "father_swapped", "father_initial"),
    *("father_title", "father_husband", "father_missing"),
    *("birth_missing", "birth_first_january", "birth_round_age", "birth_swap", "birth_slip"),
    *("birth_near", "sex_wrong", "district_moved", "tehsil_moved"),
    *("phone_missing", "phone_changed", "phone_slip"),
]
_BIT = {kind: np.uint64(1 << i) for i, kind in enumerate(KINDS)}


class Rates:
    """Chance of each error in first and further records, scaled."""

    def __init__(self, scale: float, given: Mapping[str, tuple[float, float]] | None) -> None:
        rates: dict[str, list[float]] = dict(parameters()["rates"])
        for kind, pair in (given or {}).items():
            if kind not in rates:
                raise invalid(f"rates has no kind {kind!r}: the kinds are {', '.join(rates)}")
            if len(pair) != 2 or not all(0 <= r <= 1 for r in pair):
                raise invalid(f"rates[{kind!r}] must be two numbers from 0 to 1")
            rates[kind] = list(pair)
        self._rates = {k: np.minimum(np.array(v) * scale, 1.0) for k, v in rates.items()}

    def of(self, kind: str, again: Mask) -> npt.NDArray[np.float64]:
        """Chance by row."""
        first, further = self._rates[kind]
        return np.asarray(np.where(again, further, first))


@dataclass(frozen=True)
class Clerk:
    """Draws of errors for some records, and the errors made."""

    draws: Draws
    rates: Rates
    key: Ints
    again: Mask
    made: U64

    def take(self, rows: npt.NDArray[np.intp]) -> Clerk:
        """Make a clerk of some records; the errors are copied: the caller puts them back."""
        return Clerk(self.draws, self.rates, self.key[rows], self.again[rows], self.made[rows])

    def meets(self, kind: str, where: Mask | None = None) -> Mask:
        """Rows that get an error of a kind, of those where it can be."""
        hit = self.draws.chance(kind, self.key, self.rates.of(kind, self.again))
        return hit if where is None else hit & where

    def mark(self, kind: str, rows: Any) -> None:
        """Note an error."""
        self.made[rows] |= _BIT[kind]


def kinds_of(made: U64) -> pl.Series:
    """Errors of each record as a list of names."""
    one = np.uint64(1)
    # list 0 has none, list 1 + i kind i alone; the others are few
    _, exponent = np.frexp(made.astype(np.float64))
    at = exponent.astype(np.uint32)
    rows = np.flatnonzero(made & (made - one * (made > 0)))
    words, of = np.unique(made[rows], return_inverse=True)
    at[rows] = 1 + len(KINDS) + of.ravel()
    bits = [(1 << i, kind) for i, kind in enumerate(KINDS)]
    several = [" ".join(kind for bit, kind in bits if word & bit) for word in words.tolist()]
    lists = pl.Series(["", *KINDS, *several]).str.extract_all("[^ ]+")
    return lists.gather(pl.Series(at))


def replace(column: pl.Series, rows: npt.NDArray[np.intp], values: list[str]) -> pl.Series:
    """Set some rows of a column of strings."""
    if not len(rows):
        return column
    at = np.arange(len(column), dtype=np.uint32)
    at[rows] = np.arange(len(column), len(column) + len(rows), dtype=np.uint32)
    return pl.concat([column, pl.Series(values, dtype=pl.String)]).gather(pl.Series(at))


def number(
    clerk: Clerk,
    true: Ints,
    child: Mask,
    others: Mapping[Literal["cnic_parent", "cnic_other", "cnic_shared"], tuple[Mask, Any]],
) -> pl.Series:
    """Identity numbers as entered: 13 digits, other lengths after an omission or insertion.

    ``others`` gives, for a number that is not one's own, where it can be and how to make it.
    """
    d, key, out = clerk.draws, clerk.key, true.copy()
    missing = clerk.meets("cnic_missing", ~child) | clerk.meets("cnic_missing_child", child)
    clerk.mark("cnic_missing", missing)
    free = ~missing

    dummies = parameters()["dummies"]
    rows = np.flatnonzero(clerk.meets("cnic_dummy", free))
    which = d.pick("dummy", key[rows], shares_table([*dummies.values()]))
    clerk.mark("cnic_dummy", rows)
    free[rows] = False
    dummy_rows, dummy_values = rows, [[*dummies][i] for i in which]

    for kind, (can, make) in others.items():
        rows = np.flatnonzero(clerk.meets(kind, free & can))
        given = make(rows)
        rows, given = rows[given != true[rows]], given[given != true[rows]]
        out[rows] = given
        clerk.mark(kind, rows)
        free[rows] = False

    rows = np.flatnonzero(clerk.meets("cnic_entry", free))
    spec = parameters()["entry"]
    kinds = d.pick("entry class", key[rows], shares_table([spec[c] for c in _CLASSES]))
    keypad = d.chance("keypad", key[rows], spec["keypad"])
    words = d.words("entry", key[rows]) >> np.uint64(8)
    text = [str(v) for v in out[rows].tolist()]
    slips = [
        number_slip(t, _CLASSES[k], p, w)
        for t, k, p, w in zip(text, kinds.tolist(), keypad.tolist(), words.tolist(), strict=True)
    ]
    for code, name in enumerate(_CLASSES):
        clerk.mark(f"cnic_{name}", rows[kinds == code])
    digits = pl.Series(out).cast(pl.String)
    digits = replace(digits, dummy_rows, dummy_values)
    digits = replace(digits, rows, slips)
    return pl.select(pl.when(pl.Series(~missing)).then(digits)).to_series()


def tokens(
    clerk: Clerk,
    field: Literal["name", "father"],
    slots: Slots,
    called: npt.NDArray[np.int16],
    male: Mask,
) -> Slots:
    """Lose, swap, shorten, respell and add tokens, in place; returns the variant of each slot."""
    d, key, names = clerk.draws, clerk.key, name_pool()

    rows = np.flatnonzero(clerk.meets(f"{field}_title", slots[3] < 0))
    titled = names.is_title[slots[0, rows]] & (slots[1, rows] >= 0)
    lose, add = rows[titled], rows[~titled & (slots[0, rows] >= 0)]
    slots[0, lose] = -1
    slots[1:, add] = slots[:3, add]
    man, woman = (
        names.first[name] + d.pick(f"{field} added", key[add], shares_table(names.ranks(name, end)))
        for name, end in (("added_man", "added_woman"), ("added_woman", "men"))
    )
    slots[0, add] = np.where(male[add], man, woman)
    clerk.mark(f"{field}_title", np.concatenate([lose, add]))
    compact(slots)

    count = (slots >= 0).sum(axis=0)
    rows = np.flatnonzero(clerk.meets(f"{field}_dropped", count > 1))
    at = d.below(f"{field} dropped", key[rows], count[rows])
    first = slots[0, rows] == names.muhammad  # the token that is lost first
    at[first & d.chance(f"{field} no m", key[rows], 0.6)] = 0
    needed = (slots[at, rows] == called[rows]) & d.chance(f"{field} needed", key[rows], 0.9)
    at = np.where(needed, (at + 1) % count[rows], at)  # what one is called by is seldom lost
    slots[at, rows] = -1
    clerk.mark(f"{field}_dropped", rows)
    compact(slots)

    count = (slots >= 0).sum(axis=0)
    rows = np.flatnonzero(clerk.meets(f"{field}_swapped", count > 1))
    at = d.below(f"{field} swapped", key[rows], count[rows] - 1)
    slots[at, rows], slots[at + 1, rows] = slots[at + 1, rows], slots[at, rows]
    clerk.mark(f"{field}_swapped", rows)

    variants = np.zeros_like(slots)
    rows = np.flatnonzero(clerk.meets(f"{field}_spelling", count > 0))
    sure = d.below(f"{field} spelled", key[rows], count[rows])
    for slot in range(4):
        one = (sure == slot) | d.chance(f"{field} spelled {slot}", key[rows], 0.2)
        form = 2 + d.below(f"{field} form {slot}", key[rows], VARIANTS - 2)
        one &= slot < count[rows]
        variants[slot, rows[one]] = form[one]

    rows = np.flatnonzero(clerk.meets(f"{field}_initial", count > 1))
    at = d.below(f"{field} initial", key[rows], count[rows])
    at[d.chance(f"{field} initial first", key[rows], 0.6)] = 0
    variants[at, rows] = 1
    clerk.mark(f"{field}_initial", rows)
    clerk.mark(f"{field}_spelling", (variants > 1).any(axis=0))  # an initial hides a spelling
    return variants


def letters(clerk: Clerk, kind: str, script: str, text: pl.Series) -> pl.Series:
    """Slips of typing."""
    rows = np.flatnonzero(clerk.meets(kind, text.is_not_null().to_numpy()))
    words = clerk.draws.words(f"{kind} {script}", clerk.key[rows]).tolist()
    old = text.gather(pl.Series(rows.astype(np.uint32))).to_list()
    clerk.mark(kind, rows)
    return replace(text, rows, [slip(t, w) for t, w in zip(old, words, strict=True)])


def layout(clerk: Clerk, text: pl.Series) -> pl.Series:
    """Case and spaces."""
    d, known = clerk.draws, text.is_not_null().to_numpy()
    case, spaces = clerk.meets("name_case", known), clerk.meets("name_spaces", known)
    clerk.mark("name_case", case)
    clerk.mark("name_spaces", spaces)
    rows = np.flatnonzero(case | spaces)
    key = clerk.key[rows]
    lower = d.chance("lower", key, 0.3)
    style = np.where(spaces[rows], d.below("spaces", key, 4), -1)
    old = text.gather(pl.Series(rows.astype(np.uint32))).to_list()
    new = []
    for t, cased, small, wide in zip(
        old, case[rows].tolist(), lower.tolist(), style.tolist(), strict=True
    ):
        out = (t.lower() if small else t.upper()) if cased else t
        if wide >= 2:
            out = out.replace(" ", " " * wide, 1)
        new.append(" " * (wide == 0) + out + " " * (wide in (1, 3)))
    return replace(text, rows, new)


def _civil(days: Ints) -> tuple[Ints, Ints, Ints]:
    """Year, month and day of days since 1970."""
    date = days.astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    day = (date - month).astype(np.int64) + 1
    return year_of(days), month.astype(np.int64) % 12 + 1, day


def _days(year: Ints, month: Ints, day: Ints) -> Ints:
    """Days since 1970 of a date that exists."""
    first = ((year - 1970) * 12 + month - 1).astype("datetime64[M]").astype("datetime64[D]")
    return first.astype(np.int64) + day - 1


def birth(clerk: Clerk, true: Ints) -> tuple[Ints, Mask]:
    """Birth dates as entered, in days since 1970, and which there are. One error at most."""
    d, out, today = clerk.draws, true.copy(), as_of()
    missing = clerk.meets("birth_missing")
    clerk.mark("birth_missing", missing)
    free = ~missing

    def put(kind: str, wrong: Callable[[Ints, Ints], Ints]) -> None:
        """Enter other days; a row whose days stay the same, or are to come, has no error."""
        rows = np.flatnonzero(clerk.meets(kind, free))
        days = wrong(true[rows], clerk.key[rows])
        hit = (days != true[rows]) & (days <= today)
        rows = rows[hit]
        out[rows] = days[hit]
        clerk.mark(kind, rows)
        free[rows] = False

    def round_age(days: Ints, _: Ints) -> Ints:
        age = (today - days) / 365.25
        fives = 5 * np.rint(age / 5).astype(np.int64)
        return np.where(age >= 18, first_january(year_of(np.array([today])) - fives), days)

    def swap(days: Ints, _: Ints) -> Ints:
        year, month, day = _civil(days)
        can = (day <= 12) & (day != month)
        return _days(year, np.where(can, day, month), np.where(can, month, day))

    def near(days: Ints, key: Ints) -> Ints:
        year, month, day = _civil(days)
        off = d.below("near", key, 3) + 1
        off = np.where(d.chance("near before", key, 0.5), -off, off)
        return _days(year + off, month, np.minimum(day, 28))

    put("birth_first_january", lambda days, _: first_january(year_of(days)))
    put("birth_round_age", round_age)
    put("birth_swap", swap)
    put("birth_slip", lambda days, key: _date_slip(d, key, *_civil(days)))
    put("birth_near", near)
    return out, ~missing


def _date_slip(d: Draws, key: Ints, year: Ints, month: Ints, day: Ints) -> Ints:
    """One digit of day, month or year wrong; the result exists."""
    what = d.below("date slip", key, 6)
    digit = d.below("date digit", key, 9) + 1
    units = day // 10 * 10 + (day % 10 + digit) % 10
    tens = (day + 10 * (1 + digit % 2)) % 30
    months = np.where(
        month < 10, (month + digit - 1) % 9 + 1, 10 + (month - 10 + 1 + digit % 2) % 3
    )
    years = year // 10 * 10 + (year % 10 + digit) % 10
    decades = year + np.where(digit < 5, -10, 10)
    day = np.where(what == 0, units, np.where(what == 1, tens, day))
    return _days(
        np.where(what == 3, years, np.where(what >= 4, np.where(what == 4, decades, years), year)),
        np.where(what == 2, months, month),
        np.clip(day, 1, 28),
    )


def phone(clerk: Clerk, true: Ints) -> pl.Series:
    """Mobile numbers: 11 digits from 03, or one digit wrong, lost or swapped."""
    missing = clerk.meets("phone_missing")
    clerk.mark("phone_missing", missing)
    text = pl.select(pl.concat_str(pl.lit("0"), pl.Series(true).cast(pl.String))).to_series()
    rows = np.flatnonzero(clerk.meets("phone_slip", ~missing))
    words = (clerk.draws.words("phone slip", clerk.key[rows]) >> np.uint64(8)).tolist()
    old = text.gather(pl.Series(rows.astype(np.uint32))).to_list()
    text = replace(text, rows, [_phone_slip(t, w) for t, w in zip(old, words, strict=True)])
    clerk.mark("phone_slip", rows)
    return pl.select(pl.when(pl.Series(~missing)).then(text)).to_series()


def _phone_slip(text: str, word: int) -> str:
    word, at = divmod(word, 9)
    at += 2
    kind = word % 8
    if kind == 0:  # the 0 that a spreadsheet eats
        return text[1:]
    if kind == 1:
        return text[:at] + text[at + 1 :]
    if kind == 2 and at < 10 and text[at] != text[at + 1]:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + str((int(text[at]) + 1 + word // 8 % 9) % 10) + text[at + 1 :]
