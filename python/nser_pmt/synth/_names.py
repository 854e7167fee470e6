"""Names of invented persons: tokens in both scripts, and the patterns that join them.

A name is four slots of token codes, -1 where empty; a slot is spelled by a variant number (0 is the
token's own form, 1 its initial).
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from nser_pmt.synth._random import STEPS, Draws, Ints, Mask, shares_table
from nser_pmt.synth._spelling import VARIANTS, roman_variants, urdu_variants

Slots = npt.NDArray[np.int16]  # 4 by rows
GROUPS = "PSKB"  # Punjabi and Urdu, Sindhi, Pashto, Baloch
PLAIN, FAMILY, SAYYID = 0, 1, 2  # styles of a family

_ENTRY = re.compile(r"([A-Za-z ]+?) ([^A-Za-z]+?)(?: ([PSKBoy]+))?")
_LISTS = (
    *("muhammad", "sayyid", "sayyid_woman", "honorifics", "added_man", "added_woman"),
    *("men", "compounds", "seconds", "families", "sayyid_families", "women", "second_women"),
)
_LETTERS = ".MGCSFHTABDE"  # of patterns; E is a second A
_MEN = ("man", "man_of_family", "man_sayyid")
_WOMEN = ("woman", "woman_of_family", "woman_sayyid")


@cache
def parameters() -> dict[str, Any]:
    """Read the parameter file, once."""
    path = resources.files("nser_pmt") / "data" / "synth" / "people-2024.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Names:
    """Names of rows."""

    slots: Slots
    called: Slots  # one token a row: what the person is called by

    def take(self, rows: Any) -> Names:
        """Names of some of the rows."""
        return Names(self.slots[:, rows], self.called[rows])

    def put(self, rows: Any, other: Names) -> None:
        """Set the names of some rows."""
        self.slots[:, rows] = other.slots
        self.called[rows] = other.called


@dataclass(frozen=True)
class Bearers:
    """What a name depends on, by row."""

    key: Ints  # of the draws
    group: Ints
    young: Mask
    style: Ints
    family: Slots  # one token a row
    stratum: Ints | None = None  # sixteenth of the given names: siblings have one each; -1: any


class Pool:
    """The tokens, and tables to draw them by group and generation."""

    def __init__(self) -> None:
        spec = parameters()
        roman: list[str] = []
        urdu: list[str] = []
        all_marks: list[str] = []
        self.first: dict[str, int] = {}
        self._tables: dict[str, npt.NDArray[np.int16]] = {}
        for name in _LISTS:
            self.first[name] = len(roman)
            entries = [e.strip() for e in spec["tokens"][name].replace("\n", " ").split(",")]
            found = [m.groups() for e in entries if e and (m := _ENTRY.fullmatch(e))]
            if len(found) != sum(map(bool, entries)):
                raise ValueError(f"tokens.{name} has a malformed entry")
            roman += [r for r, _, _ in found]
            urdu += [u for _, u, _ in found]
            marks = [m or "" for _, _, m in found]
            all_marks += marks
            law = spec["weights"].get(name, {"power": 1.0, "shift": 1.0})
            self._tables[name] = np.concatenate(
                [
                    self.first[name] + shares_table(self._weights(marks, law, group, young))
                    for group in GROUPS
                    for young in (False, True)
                ]
            ).astype(np.int16)
        self.roman, self.urdu = roman, urdu
        codes = {r: i for i, r in reversed([*enumerate(roman)])}
        self._same = np.array([codes[r] for r in roman], np.int16)
        words = {w: i for i, w in enumerate(w for r in roman for w in r.split())}
        self._first_word = np.array([words[r.split()[0]] for r in roman])
        self._last_word = np.array([words[r.split()[-1]] for r in roman])
        self._has_muhammad = np.array(["Muhammad" in r for r in roman])
        self.is_title = np.zeros(len(roman), bool)
        self.is_title[self.first["sayyid"] : self.first["men"]] = True
        self.muhammad = self.first["muhammad"]
        self.like = self._like(all_marks)
        self._patterns = {k: self._compile(k) for k in (*_MEN, *_WOMEN)}

    @staticmethod
    def _weights(marks: list[str], law: Any, group: str, young: bool) -> list[float]:
        w = parameters()["weights"]
        out = []
        for rank, mark in enumerate(marks, 1):
            weight = float((rank + law["shift"]) ** -law["power"])
            if homes := set(mark) & set(GROUPS):
                weight *= w["at_home"] if group in homes else w["elsewhere"]
            if ("o" if young else "y") in mark:
                weight *= w["out_of_age"]
            out.append(weight)
        return out

    def _like(self, marks: list[str]) -> Slots:
        """Find the nearest other name of the list, some letters off; else the next of its kind."""
        like = np.arange(len(self.roman), dtype=np.int16)
        for name, end, most in (
            ("men", "compounds", 2),
            ("compounds", "seconds", 4),  # one word
            ("women", "second_women", 2),
        ):
            mine = range(self.first[name], self.first[end])
            for i in mine:
                others = [j for j in mine if self._same[i] != self._same[j]]
                near = [
                    (_distance(self.roman[i], self.roman[j]), abs(i - j), j)
                    for j in others
                    if self.roman[i][0] == self.roman[j][0]
                ]
                if near and min(near)[0] <= most:
                    like[i] = min(near)[2]
                else:
                    like[i] = min(others, key=lambda j: (marks[j] != marks[i], abs(i - j)))
        return like

    @staticmethod
    def _compile(kind: str) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.intp], Ints]:
        """Table of patterns, letters by slot and pattern, slot of what one is called by."""
        shares = parameters()["pattern"][kind]
        texts = [p.replace("AA", "AE") for p in shares]
        letters = np.array([[_LETTERS.index(c) for c in p.ljust(4, ".")] for p in texts]).T
        called = [next((i for i, c in enumerate(p) if c in "GCA"), len(p) - 1) for p in texts]
        return shares_table([*shares.values()]), letters, np.array(called)

    @cached_property
    def _roman_forms(self) -> pl.Series:
        """All forms of all tokens, and a null."""
        return pl.Series([v for r in self.roman for v in roman_variants(r)] + [None])

    @cached_property
    def _urdu_forms(self) -> pl.Series:
        return pl.Series([v for u in self.urdu for v in urdu_variants(u)] + [None])

    def ranks(self, name: str, end: str) -> list[float]:
        """Zipf's shares of a list that ends where ``end`` starts."""
        return [1 / rank for rank in range(1, self.first[end] - self.first[name] + 1)]

    def draw(
        self, draws: Draws, purpose: str, name: str, who: Bearers, first: bool = False
    ) -> Slots:
        """Draw tokens of a list; ``first``: within the stratum."""
        at = draws.steps(purpose, who.key)
        if first and who.stratum is not None:
            within = who.stratum * (STEPS // 16) + at % (STEPS // 16)
            at = np.where(who.stratum < 0, at, within)
        at += (who.group * 2 + who.young) * STEPS
        return self._tables[name][at]

    def _join(
        self, draws: Draws, purpose: str, kinds: tuple[str, ...], who: Bearers, by: Slots
    ) -> Names:
        """Fill the slots of each row's pattern with its tokens, one row of ``by`` a letter."""
        rows = np.arange(len(who.key))
        step = draws.steps(f"{purpose} pattern", who.key)
        letters = np.zeros((4, len(rows)), np.intp)
        called = np.zeros(len(rows), np.int64)
        for style, kind in enumerate(kinds):
            table, of, call = self._patterns[kind]
            mine = np.flatnonzero(who.style == style)
            pattern = table[step[mine]]
            letters[:, mine] = of[:, pattern]
            called[mine] = call[pattern]
        slots = by[letters, rows]
        name = slots[called, rows]
        for a, b in ((0, 1), (1, 2), (0, 2), (2, 3)):  # nobody is called Ali Ali
            twice = self._last_word[slots[a]] == self._first_word[slots[b]]
            slots[b, twice & (slots[a] >= 0) & (slots[b] >= 0)] = -1
        double = self._has_muhammad[slots[1]] & (slots[1] >= 0) & (slots[0] == self.muhammad)
        slots[0, double] = -1
        return Names(compact(slots), name)

    def men(self, draws: Draws, purpose: str, who: Bearers, like: Mask | None = None) -> Names:
        """Names of men; where ``like``, the given name is one near to that of the key."""
        n = len(who.key)
        by = np.full((len(_LETTERS), n), -1, np.int16)
        by[_LETTERS.index("M")] = self.muhammad
        for letter, name in (("G", "men"), ("C", "compounds"), ("S", "seconds")):
            tokens = self.draw(draws, f"{purpose} {name}", name, who, letter != "S")
            if like is not None and letter != "S":
                tokens = np.where(like, self.like[tokens], tokens)
            by[_LETTERS.index(letter)] = tokens
        by[_LETTERS.index("H")] = self.draw(draws, f"{purpose} title", "honorifics", who)
        by[_LETTERS.index("F")] = who.family
        by[_LETTERS.index("T")] = self.first["sayyid"]
        return self._join(draws, purpose, _MEN, who, by)

    def women(
        self, draws: Draws, purpose: str, who: Bearers, father_called: Slots, like: Mask
    ) -> Names:
        """Names of women."""
        n = len(who.key)
        by = np.full((len(_LETTERS), n), -1, np.int16)
        for letter, name in (("A", "women"), ("B", "second_women"), ("E", "women")):
            tokens = self.draw(draws, f"{purpose} {letter}", name, who, letter == "A")
            if letter == "A":
                tokens = np.where(like, self.like[tokens], tokens)
            by[_LETTERS.index(letter)] = tokens
        by[_LETTERS.index("D")] = father_called
        by[_LETTERS.index("F")] = who.family
        by[_LETTERS.index("T")] = self.first["sayyid_woman"]
        return self._join(draws, purpose, _WOMEN, who, by)

    def text(
        self, script: Literal["roman", "urdu"], slots: Slots, variants: Slots | None = None
    ) -> pl.Series:
        """Write names; null where all slots are empty."""
        table = self._roman_forms if script == "roman" else self._urdu_forms
        parts = []
        for slot in range(len(slots)):
            at = slots[slot].astype(np.int64) * VARIANTS
            if variants is not None:
                at += variants[slot]
            at[slots[slot] < 0] = len(table) - 1
            parts.append(table.gather(pl.Series(at.astype(np.uint32))).alias(str(slot)))
        joined = pl.concat_str(pl.all(), separator=" ", ignore_nulls=True)
        text = pl.DataFrame(parts).select(name=joined).to_series()
        return pl.select(pl.when(text != "").then(text)).to_series()


def compact(slots: Slots) -> Slots:
    """Move tokens to the front, in order, in place."""
    for _ in range(len(slots) - 1):
        for i in range(len(slots) - 1):
            hole = (slots[i] < 0) & (slots[i + 1] >= 0)
            if hole.any():
                slots[i, hole] = slots[i + 1, hole]
                slots[i + 1, hole] = -1
    return slots


def _distance(a: str, b: str) -> int:
    """Levenshtein's; 9 for lengths more than 3 apart."""
    if abs(len(a) - len(b)) > 3:
        return 9
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        new = [i]
        for j, y in enumerate(b, 1):
            new.append(min(row[j] + 1, new[-1] + 1, row[j - 1] + (x != y)))
        row = new
    return row[-1]


@cache
def pool() -> Pool:
    """Make the pool, once."""
    return Pool()
