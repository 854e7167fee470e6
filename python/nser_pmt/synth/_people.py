"""A synthetic registry of persons with errors and duplicates, its truth, and its citizens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from nser_pmt._options import invalid
from nser_pmt.synth import _entry, _errors
from nser_pmt.synth._names import Slots, parameters
from nser_pmt.synth._names import pool as name_pool
from nser_pmt.synth._places import other_district, other_tehsil, places
from nser_pmt.synth._plan import Plan, plan_records
from nser_pmt.synth._population import (
    HEAD,
    MARITAL,
    MOST_PERSONS,
    RELATIONS,
    RELATIVE,
    Persons,
    Population,
    new_phone,
)
from nser_pmt.synth._random import Draws, Ints, Mask, check_ints, shares_table

_CHUNK = 262_144  # rows made at a time: no part of the definition of the data
_RELATIONS = pl.Series(RELATIONS, dtype=pl.Enum(RELATIONS))
_MARITAL = pl.Series(MARITAL, dtype=pl.Enum(MARITAL))
_SEX = pl.Series(["female", "male"], dtype=pl.Enum(["female", "male"]))

_RECORDS: dict[str, Any] = {
    "id": pl.Int64,
    "household_id": pl.Int64,
    "cnic": pl.String,
    "name": pl.String,
    "father_name": pl.String,
    "name_urdu": pl.String,
    "father_name_urdu": pl.String,
    "sex": _SEX.dtype,
    "birth_date": pl.Date,
    "relation": _RELATIONS.dtype,
    "marital_state": _MARITAL.dtype,
    "district": pl.String,
    "tehsil": pl.String,
    "phone": pl.String,
}
_CITIZENS: dict[str, Any] = {
    "entity": pl.Int64,
    "cnic": pl.String,
    "name": pl.String,
    "father_name": pl.String,
    "husband_name": pl.String,
    "name_urdu": pl.String,
    "father_name_urdu": pl.String,
    "husband_name_urdu": pl.String,
    "sex": _SEX.dtype,
    "birth_date": pl.Date,
    "district": pl.String,
    "alive": pl.Boolean,
    "card_expiry": pl.Date,
}
_TRUTH: dict[str, Any] = {
    "id": pl.Int64,
    "entity": pl.Int64,
    "further": pl.Boolean,
    "errors": pl.List(pl.String),
}


@dataclass(frozen=True, kw_only=True)
class People:
    """What :func:`people` makes.

    Attributes
    ----------
    records : DataFrame
        The registry: one row per record, sorted by ``id``.
    truth : DataFrame
        Who each record is, and the errors it carries.
    citizens : DataFrame
        The citizens' database: one true row per person, sorted by ``entity``.
    """

    records: pl.DataFrame
    truth: pl.DataFrame
    citizens: pl.DataFrame

    def __repr__(self) -> str:
        again = int(self.truth["further"].sum())
        return (
            f"People({self.records.height:,} records of {self.records.height - again:,} persons, "
            f"{self.citizens.height:,} citizens)"
        )


class _Maker:
    """Makes rows of the frames, chunk by chunk."""

    def __init__(
        self,
        population: Population,
        persons: int,
        n: int,
        rates: _errors.Rates,
        script: str,
        cnic_form: str,
    ) -> None:
        self.population = population
        self.draws = population.draws
        self.persons = persons
        self.rates = rates
        self.scripts = ("roman",) if script == "roman" else ("roman", "urdu")
        self.form = cnic_form
        spec = parameters()["shared"]
        count = int(np.ceil(n * spec["per_million"] / 1e6))
        self.shared = shares_table([(i + 1) ** -spec["power"] for i in range(max(count, 1))])

    def records(self, plan: Plan, first_id: int) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Rows of records and truth."""
        d, key = self.draws, plan.key
        who = self.population.make(plan.person)
        made = np.zeros(len(key), np.uint64)
        clerk = _errors.Clerk(d, self.rates, key, plan.again, made)
        clerk_of_visit = _errors.Clerk(d, self.rates, plan.visit, plan.visited_again, made)

        wrong_sex = clerk.meets("sex_wrong")
        clerk.mark("sex_wrong", wrong_sex)
        birth, has_birth = _errors.birth(clerk, who.birth)
        relation = np.where(plan.alone & (who.role != HEAD), RELATIVE, who.role)
        tehsil = self._tehsil(clerk_of_visit, who)
        district = places().district_of[tehsil]
        changed = clerk_of_visit.meets("phone_changed")
        phone = np.where(changed, new_phone(d, "phone new", plan.visit), who.phone)
        phone_text = _errors.phone(clerk, phone)
        clerk.mark("phone_changed", changed & phone_text.is_not_null().to_numpy())
        number = self._number(clerk, who)
        ids = np.arange(first_id, first_id + len(key))
        columns = {
            "id": ids,
            "household_id": plan.household.astype(np.int64),
            "cnic": _entry.printed(d, number, key, self.form),
            **self._names(clerk, who),
            "sex": _SEX.gather(_index(who.male ^ wrong_sex)),
            "birth_date": _dates(birth, has_birth),
            "relation": _RELATIONS.gather(_index(relation)),
            "marital_state": _MARITAL.gather(_index(who.marital)),
            "district": places().district.gather(_index(district)),
            "tehsil": places().tehsil.gather(_index(tehsil)),
            "phone": phone_text,
        }
        truth = {
            "id": ids,
            "entity": plan.person.astype(np.int64) + 1,
            "further": plan.again,
            "errors": _errors.kinds_of(made),
        }
        return _frame(columns, _RECORDS), _frame(truth, _TRUTH)

    def _tehsil(self, clerk: _errors.Clerk, who: Persons) -> Ints:
        """Tehsil of the record: households move as one."""
        d, visit, here = self.draws, clerk.key, who.tehsil
        away = other_district(d, "moved", visit, here)
        near = other_tehsil(d, "moved near", visit, here)
        of = places().district_of
        moved = clerk.meets("district_moved", of[away] != of[here])
        stepped = clerk.meets("tehsil_moved", ~moved & (near != here))
        clerk.mark("district_moved", moved)
        clerk.mark("tehsil_moved", stepped)
        return np.where(moved, away, np.where(stepped, near, here))

    def _number(self, clerk: _errors.Clerk, who: Persons) -> pl.Series:
        child = who.age < 18
        key, make = clerk.key, self.population.make

        def parent(rows: Any) -> Ints:
            return make(who.first[rows]).cnic

        def other(rows: Any) -> Ints:
            size = who.size[rows]
            step = 1 + self.draws.below("other", key[rows], np.maximum(size - 1, 1))
            return make(who.first[rows] + (who.position[rows] + step) % size).cnic

        def shared(rows: Any) -> Ints:
            which = self.draws.pick("shared", key[rows], self.shared)
            return make(self.draws.below("shared person", which, self.persons)).cnic

        everyone = np.ones(len(key), bool)
        return _errors.number(
            clerk,
            who.cnic,
            child,
            {
                "cnic_parent": (child & (who.role != HEAD), parent),
                "cnic_other": (who.size > 1, other),
                "cnic_shared": (everyone, shared),
            },
        )

    def _names(self, clerk: _errors.Clerk, who: Persons) -> dict[str, pl.Series]:
        """Own and father's or husband's names as entered, in each script."""
        own, other = _entry.names(clerk, who)
        out = {}
        for script in self.scripts:
            end = "" if script == "roman" else "_urdu"
            for field, column, entered in (
                ("name", "name", own),
                ("father", "father_name", other),
            ):
                text = name_pool().text(
                    "roman" if script == "roman" else "urdu", entered.slots, entered.forms
                )
                text = _errors.letters(clerk, f"{field}_slip", script, text)
                out[column + end] = _errors.layout(clerk, text)
        return out

    def citizens(self, person: Ints) -> pl.DataFrame:
        """Rows of the citizens' database."""
        who, names = self.population.make(person), name_pool()
        slots: dict[str, Slots] = {
            "name": who.name.slots,
            "father_name": who.father.slots,
            "husband_name": who.husband.slots,
        }
        text = {
            column + ("" if script == "roman" else "_urdu"): names.text(
                "roman" if script == "roman" else "urdu", s
            )
            for script in self.scripts
            for column, s in slots.items()
        }
        columns = {
            "entity": person + 1,
            "cnic": pl.Series(who.cnic).cast(pl.String),
            **text,
            "sex": _SEX.gather(_index(who.male)),
            "birth_date": _dates(who.birth, np.ones(len(person), bool)),
            "district": places().district.gather(_index(places().district_of[who.registered])),
            "alive": who.alive,
            "card_expiry": _dates(who.expiry, who.age >= 18),
        }
        return _frame(columns, _CITIZENS)


def _index(codes: npt.NDArray[Any]) -> pl.Series:
    return pl.Series(codes.astype(np.uint32))


def _dates(days: Ints, known: Mask) -> pl.Series:
    column = pl.Series(days.astype(np.int32)).cast(pl.Date)
    return pl.select(pl.when(pl.Series(known)).then(column)).to_series()


def _frame(columns: Mapping[str, Any], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Columns in the order of a schema; those in Urdu only if made."""
    return pl.DataFrame({k: columns[k] for k in schema if k in columns})


def people(
    n: int,
    seed: int = 0,
    *,
    duplicates: float = 0.10,
    errors: float = 1.0,
    rates: Mapping[str, tuple[float, float]] | None = None,
    script: Literal["roman", "both"] = "roman",
    cnic_form: Literal["digits", "printed", "mixed"] = "digits",
    citizens: int | None = None,
) -> People:
    """Make a registry of invented persons, with duplicate records and errors of entry.

    Parameters
    ----------
    n : int
        Number of records.
    seed : int, default 0
        At least 0. The same persons whatever ``n`` and the other arguments.
    duplicates : float, default 0.10
        Share of the records that are further records of a person: 0 to 0.9.
    errors : float, default 1.0
        Factor on all rates of error; 0 makes clean records.
    rates : mapping, optional
        Other rates than the file's, by kind: in the first record of a person, in further records.
    script : {"roman", "both"}, default "roman"
        "both" adds the names in Urdu: ``name_urdu`` and so on.
    cnic_form : {"digits", "printed", "mixed"}, default "digits"
        Numbers as 13 digits, as ``AAAAA-BBBBBBB-C``, or half of each.
    citizens : int, optional
        Rows of the citizens' database, at least the number of persons in the registry (the
        default): the rest are citizens without a record.

    Returns
    -------
    People
        ``records``: ``id`` (Int64, from 1), ``household_id`` (Int64), ``cnic``, ``name``,
        ``father_name`` (the husband's for a woman who is or was married), ``sex`` (Enum),
        ``birth_date`` (Date), ``relation`` to the head (Enum), ``marital_state`` (Enum),
        ``district``, ``tehsil``, ``phone`` (String).

        ``truth``: ``id``, ``entity`` (Int64, the person), ``further`` (Boolean: not the person's
        first record), ``errors`` (List(String): kinds of error that the record carries).

        ``citizens``: ``entity``, ``cnic``, ``name``, ``father_name``, ``husband_name``, ``sex``,
        ``birth_date``, ``district`` of registration, ``alive`` (Boolean), ``card_expiry`` (Date,
        null under 18).

    Raises
    ------
    DomainError
        If an argument is out of its range or not of its type.

    Notes
    -----
    Rates, shares and names are in ``data/synth/people-2024.toml``, each marked measured, published,
    general knowledge or assumption. Hard negatives are meant: twins, siblings with names one letter
    apart, namesakes with one father's name in one place, numbers that many claim. Spelling
    variants come from rules that know nothing of the tables of ``nser_pmt.names``.

    Examples
    --------
    >>> from nser_pmt import synth
    >>> made = synth.people(1000, seed=7)
    >>> made
    People(1,000 records of 900 persons, 900 citizens)
    >>> made.truth.filter("further").height
    100
    """
    check_ints(0, n=n, seed=seed)
    for name, value, most in (("duplicates", duplicates, 0.9), ("errors", errors, 100.0)):
        if not 0 <= value <= most:
            raise invalid(f"{name} must be from 0 to {most:g}, got {value}")
    for name, word, words in (
        ("script", script, ("roman", "both")),
        ("cnic_form", cnic_form, ("digits", "printed", "mixed")),
    ):
        if word not in words:
            raise invalid(f"{name} must be one of {', '.join(words)}")
    persons = n - int(n * duplicates)
    everyone = persons if citizens is None else citizens
    check_ints(persons, citizens=everyone)
    if everyone > MOST_PERSONS:
        raise invalid(f"there are numbers for {MOST_PERSONS:,} persons, got {everyone:,}")

    draws = Draws(seed)
    population = Population(draws, everyone)
    maker = _Maker(population, persons, n, _errors.Rates(errors, rates), script, cnic_form)
    plan = plan_records(draws, population, n, persons)
    parts = [
        maker.records(plan.cut(slice(start, start + _CHUNK)), start + 1)
        for start in range(0, max(n, 1), _CHUNK)
    ]
    del plan
    true = [
        maker.citizens(np.arange(start, min(start + _CHUNK, everyone)))
        for start in range(0, max(everyone, 1), _CHUNK)
    ]
    return People(
        records=pl.concat([r for r, _ in parts], rechunk=True),
        truth=pl.concat([t for _, t in parts], rechunk=True),
        citizens=pl.concat(true, rechunk=True),
    )
