"""Members that fit the composition of given households: who they are, how old, of which sex.

A household of `nser_pmt.synth.households` says how many members there are, and how many of them are
of which ages. Members are kinds in a fixed order: the head, who lives with him, the eldest married
son and his wife, children by age. Ages of one kind are spread over its range from the eldest down,
so they hold their band by construction.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

from nser_pmt.synth import _population as p
from nser_pmt.synth._households import code
from nser_pmt.synth._names import parameters as people_parameters
from nser_pmt.synth._places import places
from nser_pmt.synth._random import STEPS, Draws, Ints, Mask, ramp

Arrays = dict[str, npt.NDArray[Any]]
Floats = npt.NDArray[np.float64]

KINDS = (
    *("head", "wife", "mother", "brother", "bride", "relative", "elder", "groom", "grown"),
    *("seventeen", "older", "school", "small"),
)
HEAD, WIFE, MOTHER, BROTHER, BRIDE, RELATIVE, ELDER, GROOM, GROWN = range(9)
SEVENTEEN, OLDER, SCHOOL, SMALL = range(9, 13)  # 17; 14 to 16; 5 to 13; 0 to 4
_BANDS = {SEVENTEEN: (17, 18), OLDER: (14, 17), SCHOOL: (5, 14), SMALL: (0, 5)}
_OLDEST_CHILD = 45  # years between a mother and her last child
_END = 65.99  # of the ages 18 to 65
_ROLE = np.array(
    [
        *(p.HEAD, p.WIFE, p.MOTHER, p.BROTHER, p.DAUGHTER_IN_LAW, p.RELATIVE, p.RELATIVE),
        *[p.SON] * 6,
    ]
)


@cache
def parameters() -> dict[str, Any]:
    """Read the parameter file, once."""
    path = resources.files("nser_pmt") / "data" / "synth" / "registry-2024.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Families:
    """Kinds of members by household, and their ages."""

    counts: npt.NDArray[np.uint8]  # households by kinds
    low: Floats  # ages, households by kinds
    high: Floats
    mother_age: Floats  # of the head's wife, or who stands for her
    female_head: Mask

    @property
    def size(self) -> Ints:
        """Members."""
        return np.asarray(self.counts.sum(axis=1, dtype=np.int64))


@cache
def _head_ages() -> tuple[Floats, Floats]:
    """Chance of an age up to each step, and the steps."""
    spec = people_parameters()["household"]["head_age"]
    ages = np.arange(15, 70, 0.25)
    law = NormalDist(spec["mean"], spec["sd"])
    return np.array([law.cdf(a) for a in ages.tolist()]), ages


def _head_age(u: Floats, low: Floats, high: Floats) -> Floats:
    """Draw truncated normal ages."""
    chance, ages = _head_ages()
    a, b = np.interp(low, ages, chance), np.interp(high, ages, chance)
    return np.asarray(np.clip(np.interp(a + u * (b - a), chance, ages), low, high))


def families(draws: Draws, home: Ints, v: Arrays) -> Families:
    """Choose kinds of members that fit the counts of each household, and their ranges of age."""
    spec = parameters()["family"]

    def chance(name: str) -> Mask:
        return draws.chance(f"family {name}", home, spec[name])

    def uniform(name: str) -> Floats:
        return draws.uniform(f"family {name}", home)

    small, school = (v[k].astype(np.int64) for k in ("n_0_4", "n_5_13"))
    older = v["n_5_16"] - school
    rest = v["n_dep_lt18_gt65"] - v["n_5_16"] - small
    adults = v["hhsize"].astype(np.int64) - v["n_dep_lt18_gt65"]
    seventeen = np.zeros_like(rest)
    for i in range(int(rest.max(initial=0))):
        young = draws.chance(f"family seventeen {i}", home, spec["seventeen"])
        seventeen += (rest > i) & young
    seventeen = np.minimum(seventeen, np.where(adults == 0, rest - 1, rest))
    elders = rest - seventeen

    absent, below = code("female_head_spouse_educ", "none_present", "below_class_1")
    present = v["female_head_spouse_educ"] != absent
    unschooled = v["head_education"] == code("head_education", "never")
    fits = unschooled == (v["female_head_spouse_educ"] == below)
    female_head = present & ((adults + elders == 1) | (fits & chance("female_head")))
    married = present & ~female_head
    elder_head = (elders > 0) & ((adults == 0) | ((adults == 1) & married) | chance("elder_head"))
    adults = adults - ~elder_head
    elders = elders - elder_head
    elder_wife = married & elder_head & (elders > 0)
    adults = adults - (married & ~elder_wife)
    elders = elders - elder_wife
    elder_mother = ~elder_head & (elders > 0) & chance("elder_mother")
    parents = (adults > 0) & (elder_head | chance("adult_children"))  # of adults
    adult_mother = (adults > 0) & ~parents & ~elder_mother & ~elder_head & chance("mother")
    left = adults - adult_mother
    brother = np.where(
        parents,
        (left > 2) & chance("brother"),
        np.minimum(left, 1 + (uniform("brothers") < 0.3)) * ~elder_head,
    )
    left = left - brother
    children = small + school + older + seventeen > 0
    bride = (
        parents
        & (left > 1)
        & (chance("bride") | (elder_head & children & chance("bride_of_elder")))
    )
    left = left - 2 * bride  # and the groom
    counts = np.zeros((len(home), len(KINDS)), np.uint8)
    for kind, count in (
        *((HEAD, 1), (WIFE, married), (MOTHER, elder_mother | adult_mother), (BROTHER, brother)),
        *((BRIDE, bride), (RELATIVE, left * ~parents), (ELDER, elders - elder_mother)),
        *((GROOM, bride), (GROWN, left * parents), (SEVENTEEN, seventeen), (OLDER, older)),
        *((SCHOOL, school), (SMALL, small)),
    ):
        counts[:, kind] = count

    # Ages. The head's leave room for the children that are there.
    eldest = np.zeros(len(home))  # child under 18
    youngest = np.full(len(home), 20.0)
    for kind, (from_, to) in _BANDS.items():
        here = counts[:, kind] > 0
        eldest = np.where(here, np.maximum(eldest, to), eldest)
        youngest = np.where(here, np.minimum(youngest, from_), youngest)
    least = np.maximum(20.0, eldest + 20 * (eldest > 0))
    least = np.where(parents, np.maximum(least, 43.0), least)
    least = np.where(bride, 48.0, least)
    most = np.where(children & ~bride, 47 + youngest, _END)
    most = np.where(adult_mother, 46.0, most)
    most = np.clip(most, least + 1, _END)
    u, w = uniform("head age"), uniform("mate")
    head = np.where(elder_head, 66 + 27 * u * u, _head_age(u, least, most))
    mate_least = np.where(bride, 43.0, np.where(parents, 39.0, np.maximum(eldest + 17, 18.0)))
    mate = np.clip(head - 10 * w + 2.5, mate_least, _END)
    mate = np.where(elder_head, np.where(elder_wife, 66 + (head - 66) * w, 50 + 15.9 * w), mate)
    mother = np.where(married, mate, np.where(female_head, head, head - 5))
    grown = np.clip(mother - 17 - 3 * uniform("eldest"), 19.0, np.where(elder_head, 45.0, 42.0))
    low, high = np.zeros(counts.shape), np.zeros(counts.shape)
    mother_low = np.where(elder_mother, 66.0, np.minimum(head + 17, 64.5))
    mother_low = np.where(elder_mother & (head > 49), head + 17, mother_low)
    brother_low = np.clip(head - 11, 18.0, 60.0)
    grown_high = np.where(bride, np.maximum(grown - 2, 18.5), grown)
    bride_high = np.maximum(grown - 0.5, 18.5)
    for kind, from_, to in (
        *((HEAD, head, head), (WIFE, mate, mate)),
        (MOTHER, mother_low, np.where(elder_mother, mother_low + 13, _END)),
        (BROTHER, brother_low, np.clip(head + 3, brother_low + 1, _END)),
        (BRIDE, np.maximum(grown - 4.5, 18.0), bride_high),
        *((RELATIVE, 18.0, 60.0), (ELDER, 66.0, 88.0)),
        (GROOM, np.maximum(grown - 2, 18.5), grown),
        (GROWN, np.clip(mother - 47, 18.0, grown_high - 0.5), grown_high),
        *((kind, *band) for kind, band in _BANDS.items()),
    ):
        low[:, kind], high[:, kind] = from_, to
    return Families(counts, low, high, mother, female_head)


class Members(p.Persons):
    """Members of some households in a row, by row."""

    def __init__(
        self, draws: Draws, first_home: int, first_person: int, v: Arrays, province: Ints
    ) -> None:
        n = len(v["hhsize"])
        self.draws = draws
        self._spec = people_parameters()["household"]
        homes = np.arange(first_home, first_home + n)
        self.homes = homes
        self.province = province  # of `places`, by household
        self.families = made = families(draws, homes, v)
        self.sizes = made.size
        self.starts = np.cumsum(self.sizes) - self.sizes
        self.at = np.repeat(np.arange(n, dtype=np.int32), self.sizes)
        self.home = homes[self.at]
        self.key = first_person + np.arange(len(self.at))
        counts = made.counts.ravel()
        self.cell = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
        self.count = counts[self.cell].astype(np.int64)
        self.ordinal = ramp(counts.astype(np.int64))
        self.kind = self.cell % len(KINDS)
        self._fill()

    def _fill(self) -> None:
        d, made = self.draws, self.families
        front = made.counts[:, :GROOM].sum(axis=1, dtype=np.int64)
        position = np.arange(len(self.key)) - self.starts[self.at]
        self.position = position
        self.child = position - front[self.at]
        minor = self.kind >= SEVENTEEN
        odd = (self.child >= 0) & (self.ordinal % 2 == 1)
        self.twin = odd & minor & d.chance("twin", self.key, 2 * self._spec["twins"])
        self.like = odd & d.chance("like", self.key, 2 * self._spec["like_sibling"])
        self.like |= self.twin & d.chance("like twin", self.key, 0.6)
        elder = self.key - self.like
        age = self.age
        girl = d.chance("girl", elder, np.where(age > 24, 0.28, 0.485))
        relative = np.array([0.0] * 5 + [0.5, 0.6] + [0.0] * 6)[self.kind]
        woman = np.isin(self.kind, (WIFE, MOTHER, BRIDE))
        woman |= (self.kind >= GROWN) & girl
        woman |= (relative > 0) & d.chance("relative woman", self.key, relative)
        woman |= (self.kind == HEAD) & made.female_head[self.at]
        self.male = ~woman
        gap = made.mother_age[self.at] - age
        self.grandchild = minor & (gap > _OLDEST_CHILD)
        role = _ROLE[self.kind]
        role[(role == p.SON) & woman] = p.DAUGHTER
        role[self.grandchild] = p.RELATIVE
        self.role = role
        rate = parameters()["family"]["transgender"]
        can = (age >= 18) & np.isin(self.kind, (HEAD, BROTHER, RELATIVE, GROWN))
        can &= self.marital == p.NEVER
        self.transgender = can & d.chance("transgender", self.key, rate)

    @cached_property
    def age(self) -> Floats:
        """Years."""
        low, high = self.families.low.ravel()[self.cell], self.families.high.ravel()[self.cell]
        u = self.draws.uniform("age", self.key - self.twin)
        step = self.count - 1 - (self.ordinal - self.twin) + u
        return np.asarray(low + (high - low) * (step / self.count))

    @cached_property
    def birth(self) -> Ints:
        """Days since 1970: the completed years on the day of the survey are those of the age."""
        whole = np.floor(self.age)
        ends = _birthdays()
        years = whole.astype(np.int64)
        length = ends[years] - ends[years + 1]
        days = ends[years] - np.floor((self.age - whole) * length).astype(np.int64)
        rows = np.flatnonzero(self.age > 39)
        year = p.year_of(days[rows])
        rough = (year < 1985) & (years[rows] != 65)  # who turns 66 is of another band
        rough &= self.draws.chance("rough", self.key[rows], self._spec["first_january"])
        days[rows[rough]] = p.first_january(year[rough])
        return days

    @cached_property
    def marital(self) -> Ints:
        """Codes of `MARITAL`."""
        kind, age = self.kind, self.age
        married = np.isin(kind, (WIFE, BRIDE, GROOM))
        wife = self.families.counts[:, WIFE][self.at] > 0
        head = kind == HEAD
        married |= head & wife
        u = self.draws.uniform("marital", self.key)
        married |= (kind == GROWN) & self.male & (age > 26) & (u < 0.5)  # the wife is elsewhere
        married |= (kind == BROTHER) & (age > 28) & (u < 0.6)
        out = np.where(married, p.MARRIED, p.NEVER)
        alone = head & ~self.male
        out[alone] = np.where(u < 0.72, p.WIDOWED, np.where(u < 0.84, p.MARRIED, p.DIVORCED))[alone]
        children = (self.families.counts[:, SEVENTEEN:].sum(axis=1) > 0)[self.at]
        out[head & self.male & ~wife & (children | ((age > 40) & (u < 0.6)))] = p.WIDOWED
        out[kind == MOTHER] = p.WIDOWED
        out[(kind == ELDER) & (u < 0.8)] = p.WIDOWED
        woman = ~self.male & (age > 25)
        out[woman & (kind == RELATIVE) & (u < 0.7)] = p.WIDOWED
        out[woman & (kind == GROWN) & (u < 0.08)] = p.DIVORCED
        return out

    # Places.

    def _near(self, name: str, rate: str) -> Mask:
        """Households that share something with the one before, in the same province."""
        same = np.zeros(len(self.homes), bool)
        same[1:] = self.province[1:] == self.province[:-1]
        return same & self.draws.chance(name, self.homes, self._spec[rate])

    @cached_property
    def home_namer(self) -> Ints:
        """By household, the one whose head's name this one's has."""
        return np.asarray(self.homes - self._near("namesake", "namesake"))

    @cached_property
    def home_line(self) -> Ints:
        """By household, the one that place, family and head's father come from."""
        kin = self._near("kin", "brother_near")
        return np.where(kin, self.homes - 1, self.home_namer)

    @cached_property
    def home_tehsil(self) -> Ints:
        """Where each household lives."""
        at = places()
        step = self.draws.steps("tehsil", self.home_line)
        return np.asarray(at.by_province[self.province * STEPS + step], np.int64)

    @cached_property
    def tehsil(self) -> Ints:
        """Where the household lives."""
        return np.asarray(self.home_tehsil[self.at])


@cache
def _birthdays() -> Ints:
    """Last birthday, in days since 1970, of who is 0, 1, ... years old on the day of the survey."""
    day = np.array([p.as_of()]).astype("datetime64[D]")
    month = day.astype("datetime64[M]")
    of_month = (day - month).astype(np.int64)
    years = np.arange(0, 125)
    return np.asarray((month - 12 * years).astype("datetime64[D]").astype(np.int64) + of_month)
