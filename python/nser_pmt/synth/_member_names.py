"""Names of the members of households: each is made once, and rows point at it.

A head's name is his children's father's name and his wife's husband's name, so a table of names
holds heads, their fathers, and whoever else is named; members hold rows of the table.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from nser_pmt.synth import _members as m
from nser_pmt.synth import _population as p
from nser_pmt.synth._names import Bearers, Names, Slots
from nser_pmt.synth._names import pool as name_pool
from nser_pmt.synth._places import places
from nser_pmt.synth._random import STEPS, Ints, Mask


@dataclass(frozen=True)
class Table:
    """Names, and by member the row of the own, the father's and the husband's; -1 for none.

    The last of the names is nobody's, so -1 points at it.
    """

    names: Names
    own: Ints
    father: Ints
    husband: Ints


class NamedMembers(m.Members):
    """Members with names."""

    @cached_property
    def _group(self) -> Ints:
        step = self.draws.steps("group", self.home_line)
        at = np.asarray(places().group[self.province * STEPS + step], np.int64)
        return at[self.at]

    @cached_property
    def _line(self) -> Ints:
        return self.home_line[self.at]

    def _family_men(self, purpose: str, rows: Any, key: Ints, young: Mask) -> Names:
        """Names of men of the household's family."""
        who = self._bearers("own", self._line[rows], key, young, rows)
        return name_pool().men(self.draws, purpose, who)

    def _other_men(self, purpose: str, rows: Any) -> Names:
        """Names of men of families of their own."""
        key = self.key[rows]
        who = self._bearers("other", key, key, np.zeros(len(key), bool), rows)
        return name_pool().men(self.draws, purpose, who)

    @cached_property
    def table(self) -> Table:
        """Make all names."""
        names, n, homes = name_pool(), len(self.key), len(self.homes)
        heads = self.starts
        young = self.birth > p._young_from()
        parts: list[Names] = []
        rows = 0

        def add(made: Names) -> Ints:
            nonlocal rows
            parts.append(made)
            rows += len(made.called)
            return np.arange(rows - len(made.called), rows)

        patriarch = add(self._family_men("patriarch", heads, self.home_namer, young[heads]))
        line = self.home_line
        grandfather = add(self._family_men("grandfather", heads, line, np.zeros(homes, bool)))

        own = np.full(n, -1, np.int64)
        head = (self.kind == m.HEAD) & self.male
        own[head] = patriarch[self.at[head]]
        men = np.flatnonzero(self.male & (self.kind != m.HEAD))
        like, key = self.like[men], self.key[men] - self.like[men]
        who = self._bearers("own", self._line[men], key, young[men], men)
        who = Bearers(key, who.group, who.young, who.style, who.family, self._stratum[men])
        own[men] = add(names.men(self.draws, "man", who, like))

        # fathers
        father = np.full(n, -1, np.int64)
        child = self.kind >= m.GROOM
        father[child] = patriarch[self.at[child]]
        groom = np.flatnonzero(self.kind == m.GROOM)
        groom_of = np.full(homes, -1, np.int64)
        groom_of[self.at[groom]] = own[groom]
        son = np.flatnonzero(self.grandchild & (groom_of[self.at] < 0))  # who lives elsewhere
        fatherless = np.unique(self.at[son])
        first = self.starts[fatherless]
        elsewhere = self._family_men(
            "son elsewhere", first, self.key[first], np.zeros(len(first), bool)
        )
        groom_of[fatherless] = add(elsewhere)
        father[self.grandchild] = groom_of[self.at[self.grandchild]]
        of_line = head | (self.kind == m.BROTHER)
        father[of_line] = grandfather[self.at[of_line]]
        rest = np.flatnonzero(father < 0)
        father[rest] = add(self._other_men("father", rest))

        # husbands
        husband = np.full(n, -1, np.int64)
        of_head = self.wed & np.isin(self.kind, (m.HEAD, m.WIFE))
        husband[of_head] = patriarch[self.at[of_head]]
        of_father = self.kind == m.MOTHER
        husband[of_father] = grandfather[self.at[of_father]]
        bride = self.kind == m.BRIDE
        husband[bride] = groom_of[self.at[bride]]
        rest = np.flatnonzero(self.wed & (husband < 0))
        husband[rest] = add(self._other_men("husband", rest))

        women = np.flatnonzero(~self.male)
        called = np.concatenate([part.called for part in parts])
        own[women] = add(self._women(women, young[women], called[father[women]]))
        add(Names(np.full((4, 1), -1, np.int16), np.full(1, -1, np.int16)))
        slots = np.concatenate([part.slots for part in parts], axis=1)
        called = np.concatenate([part.called for part in parts])
        return Table(Names(slots, called), own, father, husband)

    def _women(self, rows: npt.NDArray[np.intp], young: Mask, father_called: Slots) -> Names:
        key = self.key[rows] - self.like[rows]
        at_home = self.kind[rows] >= m.GROWN
        mine = self._bearers("own", self._line[rows], key, young, rows)
        other = self._bearers("other", self.key[rows], key, young, rows)
        who = Bearers(
            key,
            mine.group,
            mine.young,
            np.where(at_home, mine.style, other.style),
            np.where(at_home, mine.family, other.family),
            self._stratum[rows],
        )
        return name_pool().women(self.draws, "woman", who, father_called, self.like[rows])

    @cached_property
    def _stratum(self) -> Ints:
        """Of given names: no two children of a household have one name, but by ``like``."""
        start = self.draws.below("stratum", self.home, 16)
        return np.where(self.child >= 0, (start + 7 * (self.child - self.like)) % 16, -1)
