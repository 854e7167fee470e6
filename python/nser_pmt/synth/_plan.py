"""Who is recorded where: first records of all persons, and further ones of some."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from nser_pmt.synth._names import parameters
from nser_pmt.synth._population import Population
from nser_pmt.synth._random import Draws, Ints, Mask, ramp, shares_table

AGAIN = 1 << 40  # numbers of further records start here; persons are below


@dataclass(frozen=True)
class Plan:
    """Who is recorded where, by record."""

    person: npt.NDArray[np.int32]
    household: npt.NDArray[np.int32]  # number in the registry, from 1
    visit: Ints  # key of the household's registration
    key: Ints  # of the record
    alone: Mask  # recorded again without the household

    @property
    def again(self) -> Mask:
        """Which are further records of their person."""
        return np.asarray(self.key >= AGAIN)

    @property
    def visited_again(self) -> Mask:
        """Which were made when the household, or a member, was registered once more."""
        return np.asarray(self.visit >= AGAIN)

    def cut(self, rows: slice) -> Plan:
        """Keep some of the rows."""
        return Plan(*(getattr(self, f)[rows] for f in self.__dataclass_fields__))


def _further(draws: Draws, population: Population, wanted: int) -> tuple[Ints, Ints, Ints, Mask]:
    """Person, registration, key and aloneness of ``wanted`` further records.

    Registration is -1 for a second entry in the same household.
    """
    spec = parameters()["again"]
    kind_table = shares_table([spec[k] for k in ("whole_household", "member", "same_household")])
    person, visit, key, alone = ([np.zeros(0, np.int64)] for _ in range(4))
    start, found = 0, 0
    while found < wanted:
        event = np.arange(start, start + max(64, (wanted - found) // 2))
        start += len(event)
        home = draws.below("again home", event, len(population.size))
        kind = draws.pick("again kind", event, kind_table)
        more = 1 + draws.pick("again more", event, shares_table(spec["more"]))
        one = draws.below("again member", event, population.size[home].astype(np.int64))
        event = np.repeat(event * 4, more) + ramp(more)
        home, kind, one = (np.repeat(x, more) for x in (home, kind, one))
        members = np.where(kind == 0, population.size[home], 1).astype(np.int64)
        at = np.where(np.repeat(kind == 0, members), ramp(members), np.repeat(one, members))
        event, home, kind = (np.repeat(x, members) for x in (event, home, kind))
        who = population.first[home] + at
        record = AGAIN + event * 32 + at
        kept = (kind > 0) | draws.chance("again kept", record, spec["kept"])
        kept &= who < population.persons
        person.append(who[kept].astype(np.int64))
        visit.append(np.where(kind == 2, -1, AGAIN + event)[kept])
        key.append(record[kept])
        alone.append((kind == 1)[kept])
        found += int(kept.sum())
    whole = (np.concatenate(x)[:wanted] for x in (person, visit, key, alone))
    p, v, k, a = whole
    return p, v, k, a.astype(bool)


def plan_records(draws: Draws, population: Population, n: int, persons: int) -> Plan:
    person, visit, key, alone = _further(draws, population, n - persons)
    everyone = np.arange(persons)
    home = population.home.astype(np.int64)
    person = np.concatenate([everyone, person])
    visit = np.concatenate([home[:persons], np.where(visit < 0, home[person[persons:]], visit)])
    key = np.concatenate([everyone, key])
    alone = np.concatenate([np.zeros(persons, bool), alone])
    # registrations in random order, members of one by their place in the household
    visits, of = np.unique(visit, return_inverse=True)
    rank = np.empty(len(visits), np.int64)
    rank[np.argsort(draws.words("order", visits), kind="stable")] = np.arange(1, len(visits) + 1)
    household = rank[of.ravel()]
    position = person - population.first[home[person]]
    order = np.argsort(household * 64 + position * 2 + draws.below("twice", key, 2), kind="stable")
    return Plan(
        person[order].astype(np.int32),
        household[order].astype(np.int32),
        visit[order],
        key[order],
        alone[order],
    )
