"""True persons in households: what each draw depends on is a person's or a household's number.

So the attributes of any persons can be made in any order, and nothing but the sizes of households
has to be kept.
"""

from __future__ import annotations

import dataclasses
from datetime import date
from functools import cache, cached_property
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from nser_pmt.synth._names import FAMILY, PLAIN, SAYYID, Bearers, Names, Slots, parameters
from nser_pmt.synth._names import pool as name_pool
from nser_pmt.synth._places import other_tehsil, places
from nser_pmt.synth._random import STEPS, Draws, Ints, Mask, shares_table

RELATIONS = ["head", "wife", "son", "daughter", "mother", "brother", "daughter-in-law", "relative"]
HEAD, WIFE, SON, DAUGHTER, MOTHER, BROTHER, DAUGHTER_IN_LAW, RELATIVE = range(len(RELATIONS))
MARITAL = ["never married", "married", "widowed", "divorced"]
NEVER, MARRIED, WIDOWED, DIVORCED = range(len(MARITAL))

_SLOTS = 20_000_000  # serials by two halves of the last digits
MOST_PERSONS = 2 * _SLOTS
_MALE = np.array([[[1, 3, 5], [7, 9, 7]], [[1, 3, 1], [5, 7, 9]]])  # last digits by serial parity
_FEMALE = np.array([[2, 4], [6, 8]])


@cache
def _age_steps() -> npt.NDArray[np.float64]:
    """Head's age in years by step."""
    spec = parameters()["household"]["head_age"]
    law = NormalDist(spec["mean"], spec["sd"])
    ages = np.array([law.inv_cdf((k + 0.5) / 4096) for k in range(4096)])
    least, most = spec["range"]
    return ages.clip(least, most)


def first_january(year: Ints) -> Ints:
    """Days since 1970 of 1 January of each year."""
    return (year - 1970).astype("datetime64[Y]").astype("datetime64[D]").astype(np.int64)


def year_of(days: Ints) -> Ints:
    """Calendar year of days since 1970."""
    return days.astype("datetime64[D]").astype("datetime64[Y]").astype(np.int64) + 1970


def as_of() -> int:
    """Day of the survey, in days since 1970."""
    day: date = parameters()["as_of"]
    return (day - date(1970, 1, 1)).days


class Population:
    """Households enough for a number of persons."""

    def __init__(self, draws: Draws, persons: int) -> None:
        spec = parameters()["household"]
        table = shares_table(spec["size"]) + 1
        mean = sum(i * s for i, s in enumerate(spec["size"], 1)) / sum(spec["size"])
        sizes = np.zeros(0, np.int64)
        while sizes.sum() < persons:
            more = np.arange(len(sizes), len(sizes) + int(persons / mean * 1.02) + 20)
            sizes = np.concatenate([sizes, table[draws.steps("size", more)]])
        ends = np.cumsum(sizes)
        households = int(np.searchsorted(ends, persons)) + 1 if persons else 0
        self.draws = draws
        self.persons = persons
        self.size = sizes[:households].astype(np.int32)
        self.first = (ends[:households] - sizes[:households]).astype(np.int32)
        self.home = np.repeat(np.arange(households, dtype=np.int32), self.size)

    def make(self, person: npt.NDArray[Any]) -> Persons:
        """Look at persons by number."""
        return Persons(self, person.astype(np.int64))


class Persons:
    """Some persons, by row; what is asked for is made then."""

    def __init__(self, population: Population, person: Ints) -> None:
        self.population = population
        self.draws = population.draws
        self.key = person
        self.home = population.home[person].astype(np.int64)
        self.first = population.first[self.home].astype(np.int64)
        self.size = population.size[self.home].astype(np.int64)
        self.position = person - self.first
        self._spec = parameters()["household"]
        self._roles()

    def _roles(self) -> None:
        """Who lives together: head, wives, children, mother, brother, son's wife, in this order."""
        d, h, size, spec = self.draws, self.home, self.size, self._spec
        self.female_head = d.chance("female head", h, spec["female_head"])
        wife = ~self.female_head & (size > 1) & d.chance("wife", h, spec["wife"])
        second = wife & (size > 3) & d.chance("wives", h, spec["second_wife"])
        self.wives = wife.astype(np.int64) + second
        mother = (size > 3) & d.chance("mother", h, spec["mother"])
        brother = (size > 4) & d.chance("brother", h, spec["brother"])
        front = 1 + self.wives
        self.children = size - front - mother - brother
        in_law = (size > 5) & (self.children > 1) & d.chance("in-law", h, spec["daughter_in_law"])
        self.children -= in_law
        self.in_law = in_law
        self.child = self.position - front  # 0 is the eldest
        is_child = (self.child >= 0) & (self.child < self.children)
        after = self.child - self.children
        self.role = np.where(
            self.position == 0,
            HEAD,
            np.where(
                self.position < front,
                WIFE,
                np.where(
                    is_child,
                    SON,
                    np.where(
                        (after == 0) & mother,
                        MOTHER,
                        np.where((after == mother) & brother, BROTHER, DAUGHTER_IN_LAW),
                    ),
                ),
            ),
        )
        odd = is_child & (self.child % 2 == 1)
        self.twin = odd & d.chance("twin", self.key, 2 * spec["twins"])
        self.like = odd & d.chance("like", self.key, 2 * spec["like_sibling"])
        self.like |= self.twin & d.chance("like twin", self.key, 0.6)
        elder = self.key - self.like
        age = self.age
        girl = d.chance("girl", elder, np.where(age > 24, 0.28, 0.485))
        girl &= ~((self.child == 0) & in_law)  # he has a wife
        girl &= ~((self.child == 1) & in_law & self.like)
        self.role[is_child & girl] = DAUGHTER
        self.male = np.isin(self.role, (SON, BROTHER)) | ((self.role == HEAD) & ~self.female_head)

    @cached_property
    def age(self) -> npt.NDArray[np.float64]:
        """Years."""
        d, h, key = self.draws, self.home, self.key
        head = np.maximum(_age_steps()[d.steps("head age", h) >> 4], 21 + 1.45 * self.children)
        head = np.where(self.in_law, np.maximum(head, 46.0), head)
        head += d.uniform("head days", h)
        mate = np.maximum(head - 10 * d.uniform("mate", h) + 2.5, 17.5)
        mother_of = np.where(self.wives > 0, mate, head)
        eldest = np.maximum(mother_of - 18 - 7 * d.uniform("eldest", h), 1.4 * self.children)
        at_home = 30 + 6 * d.uniform("leaves", h)  # elder children have households of their own
        eldest = np.minimum(eldest, np.maximum(at_home, 1.4 * self.children))
        eldest = np.where(self.in_law, np.maximum(eldest, 20 + 4 * d.uniform("groom", h)), eldest)
        span = np.minimum(eldest, 24) / np.maximum(self.children, 1)
        late = 0.45 * d.uniform("late", key - self.twin)
        child = eldest - span * (self.child - self.twin + late * (self.child > self.twin))
        u = d.uniform("age", key)
        age = np.where(self.role == HEAD, head, child)
        for role, years in (
            (WIFE, np.where(self.position == 2, np.maximum(mate - 3 - 8 * u, 18), mate)),
            (MOTHER, np.minimum(head + 17 + 13 * u, 97)),
            (BROTHER, np.maximum(head - 11 * u, 16)),
            (DAUGHTER_IN_LAW, np.maximum(eldest - 4 * u, 17.2)),
        ):
            age = np.where(self.role == role, years, age)
        return np.asarray(np.maximum(age, 0.02))

    @cached_property
    def birth(self) -> Ints:
        """Days since 1970."""
        days = as_of() - np.floor(self.age * 365.25).astype(np.int64)
        year = year_of(days)
        rough = (year < 1985) & self.draws.chance(
            "rough", self.key - self.twin, self._spec["first_january"]
        )
        return np.where(rough, first_january(year), days)

    @cached_property
    def marital(self) -> Ints:
        """Codes of `MARITAL`."""
        married = np.isin(self.role, (WIFE, DAUGHTER_IN_LAW))
        married |= (self.role == SON) & (self.child == 0) & self.in_law
        married |= (self.role == HEAD) & (self.wives > 0)
        u = self.draws.uniform("marital", self.key)
        married |= (self.role == SON) & (self.age > 26) & (u < 0.5)  # the wife is elsewhere
        married |= (self.role == BROTHER) & (self.age > 28) & (u < 0.6)
        alone = (self.role == HEAD) & self.female_head
        widower = (self.role == HEAD) & self.male & (self.wives == 0) & (self.children > 0)
        out = np.where(married, MARRIED, NEVER)
        out[alone] = np.where(u < 0.72, WIDOWED, np.where(u < 0.84, MARRIED, DIVORCED))[alone]
        out[widower] = WIDOWED
        out[self.role == MOTHER] = WIDOWED
        return out

    @cached_property
    def wed(self) -> Mask:
        """Women with a husband's name."""
        return np.asarray(~self.male & (self.marital != NEVER))

    @cached_property
    def _namer(self) -> Ints:
        """The household whose head's name this one's has: the one before for a namesake's."""
        same = self.draws.chance("namesake", self.home, self._spec["namesake"]) & (self.home > 0)
        return np.asarray(self.home - same)

    @cached_property
    def _line(self) -> Ints:
        """The household that place, family and head's father come from: the one before for kin."""
        kin = self.draws.chance("kin", self.home, self._spec["brother_near"]) & (self.home > 0)
        return np.where(kin, self.home - 1, self._namer)

    @cached_property
    def tehsil(self) -> Ints:
        """Where the household lives."""
        return self.draws.pick("tehsil", self._line, places().any_tehsil)

    @cached_property
    def _group(self) -> Ints:
        at = places()
        step = self.draws.steps("group", self._line)
        province = at.province_of[at.district_of[self.tehsil]]
        return np.asarray(at.group[province * STEPS + step], np.int64)

    def _bearers(self, purpose: str, line: Ints, key: Ints, young: Mask, rows: Any) -> Bearers:
        """Gather what names depend on; ``line`` draws the family, ``key`` the name."""
        d, spec, names = self.draws, self._spec, name_pool()
        group = self._group[rows]
        draw = Bearers(line, group, young, np.zeros_like(key), np.zeros(len(key), np.int16))
        u = d.uniform(f"{purpose} style", line)
        style = np.where(u < spec["family_name"], FAMILY, PLAIN)
        style[u > 1 - spec["sayyid"]] = SAYYID
        family = names.draw(d, f"{purpose} family", "families", draw)
        sayyid = names.draw(d, f"{purpose} family", "sayyid_families", draw)
        family = np.where(style == SAYYID, sayyid, family)
        return Bearers(key, group, young, style, family)

    def _men(
        self, purpose: str, rows: Any, key: Ints, young: Mask, line: Ints | None = None
    ) -> Names:
        """Names of men of the household's family, or of the family that ``line`` draws."""
        if line is None:
            who = self._bearers("own", self._line[rows], key, young, rows)
        else:
            who = self._bearers("other", line, key, young, rows)
        return name_pool().men(self.draws, purpose, who)

    def _patriarch(self, rows: Any) -> Names:
        """Name the man who heads, or headed, the household."""
        namer = self._namer[rows]
        years = _age_steps()[self.draws.steps("head age", namer) >> 4]
        young = as_of() - years * 365.25 > _young_from()
        return self._men("patriarch", rows, namer, young)

    def _grandfather(self, rows: Any) -> Names:
        line = self._line[rows]
        return self._men("grandfather", rows, line, np.zeros(len(line), bool))

    @cached_property
    def father(self) -> Names:
        """Names of fathers."""
        n = len(self.key)
        out = Names(np.full((4, n), -1, np.int16), np.full(n, -1, np.int16))
        child = np.flatnonzero(np.isin(self.role, (SON, DAUGHTER)))
        out.put(child, self._patriarch(child))
        line = (self.role == BROTHER) | ((self.role == HEAD) & self.male)
        of_line = np.flatnonzero(line)
        out.put(of_line, self._grandfather(of_line))
        rest = np.flatnonzero(~line & ~np.isin(self.role, (SON, DAUGHTER)))
        key = self.key[rest]
        out.put(rest, self._men("father", rest, key, np.zeros(len(rest), bool), key))
        return out

    @cached_property
    def husband(self) -> Names:
        """Names of husbands; empty for all but women who are or were married."""
        n = len(self.key)
        out = Names(np.full((4, n), -1, np.int16), np.full(n, -1, np.int16))
        for roles, make in (((HEAD, WIFE), self._patriarch), ((MOTHER,), self._grandfather)):
            rows = np.flatnonzero(self.wed & np.isin(self.role, roles))
            out.put(rows, make(rows))
        rows = np.flatnonzero(self.role == DAUGHTER_IN_LAW)
        if rows.size:
            groom = self.population.make(self.first[rows] + 1 + self.wives[rows])
            out.put(rows, groom.name)
        return out

    @cached_property
    def _stratum(self) -> Ints:
        """Of given names: no two children of a household have one name, but by ``like``."""
        start = self.draws.below("stratum", self.home, 16)
        own = (start + 7 * (self.child - self.like)) % 16
        return np.where(np.isin(self.role, (SON, DAUGHTER)), own, -1)

    @cached_property
    def name(self) -> Names:
        """Own names."""
        n = len(self.key)
        out = Names(np.full((4, n), -1, np.int16), np.full(n, -1, np.int16))
        head = np.flatnonzero((self.role == HEAD) & self.male)
        out.put(head, self._patriarch(head))
        young = self.birth > _young_from()
        names = name_pool()

        men = np.flatnonzero(self.male & (self.role != HEAD))
        key = self.key[men] - self.like[men]
        who = self._bearers("own", self._line[men], key, young[men], men)
        who = dataclasses.replace(who, stratum=self._stratum[men])
        out.put(men, names.men(self.draws, "man", who, self.like[men]))

        women = np.flatnonzero(~self.male)
        key = self.key[women] - self.like[women]
        at_home = self.role[women] == DAUGHTER
        mine = self._bearers("own", self._line[women], key, young[women], women)
        other = self._bearers("other", self.key[women], key, young[women], women)
        who = Bearers(
            key,
            mine.group,
            mine.young,
            np.where(at_home, mine.style, other.style),
            np.where(at_home, mine.family, other.family),
            self._stratum[women],
        )
        called = self.father.called[women]
        out.put(women, names.women(self.draws, "woman", who, called, self.like[women]))
        return out

    def father_or_husband(self) -> Slots:
        """Name what a card shows beside the name."""
        return np.where(self.wed, self.husband.slots, self.father.slots)

    # Numbers.

    @cached_property
    def registered(self) -> Ints:
        """Tehsil of registration."""
        d, at, here = self.draws, places(), self.tehsil
        u = d.uniform("registered", self.key)
        near = other_tehsil(d, "registered near", self.key, here)
        far = d.pick("registered far", self.key, at.any_tehsil)
        own, district = self._spec["own_tehsil"], self._spec["own_district"]
        return np.where(u < own, here, np.where(u < own + district, near, far))

    @cached_property
    def cnic(self) -> Ints:
        """Identity numbers: unique, because persons have slots of their own whatever the prefix."""
        slot = self.draws.permute("cnic", self.key % _SLOTS, _SLOTS)
        turn = self.draws.below("cnic digit", slot, 6) + self.key // _SLOTS
        serial, half = slot >> 1, slot & 1
        three = (serial & 1) == half  # of the five odd digits, one half has three
        male = _MALE[serial & 1, half, turn % np.where(three, 3, 2)]
        last = np.where(self.male, male, _FEMALE[half, turn % 2])
        prefix = places().prefix[self.registered]
        return np.asarray(prefix * 100_000_000 + serial * 10 + last)

    @cached_property
    def phone(self) -> Ints:
        """Mobile numbers without the leading 0: the head's, or one's own."""
        own = (self.age >= 18) & self.draws.chance("phone own", self.key, self._spec["phone_own"])
        return new_phone(self.draws, "phone", np.where(own, self.key + 1, -self.home - 1))

    @cached_property
    def alive(self) -> Mask:
        """Whether the person lives, as the citizens' database knows it."""
        band = np.searchsorted([18, 45, 65], self.age, side="right")
        return ~self.draws.chance("dead", self.key, np.array(self._spec["deceased"])[band])

    @cached_property
    def expiry(self) -> Ints:
        """Day the card ends (days since 1970); meaningless under 18."""
        d, key = self.draws, self.key
        past = d.chance("expired", key, self._spec["expired"])
        days = np.where(past, -d.below("ended", key, 3000) - 1, d.below("ends", key, 3650))
        adult = np.floor((self.age - 18) * 365.25).astype(np.int64)
        return np.asarray(as_of() + np.maximum(days, 3653 - adult))  # ten years from 18 at least


def _young_from() -> int:
    return (date(parameters()["weights"]["young_from"], 1, 1) - date(1970, 1, 1)).days


def new_phone(draws: Draws, purpose: str, key: Ints) -> Ints:
    """Draw a mobile number for each key, without the leading 0."""
    word = draws.words(purpose, key)
    operator = (word >> np.uint64(40)) % np.uint64(50)
    return (3_000_000_000 + operator * 10_000_000 + word % np.uint64(10_000_000)).astype(np.int64)
