"""Makes the frames of one invented country, chunk by chunk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from nser_pmt.synth import _country as c
from nser_pmt.synth import _entry, _errors, _forms
from nser_pmt.synth import _households as hh
from nser_pmt.synth import _member_answers as answers
from nser_pmt.synth import _members as m
from nser_pmt.synth import _population as p
from nser_pmt.synth._member_names import NamedMembers
from nser_pmt.synth._names import Names, Slots
from nser_pmt.synth._names import parameters as people_parameters
from nser_pmt.synth._names import pool as name_pool
from nser_pmt.synth._places import places
from nser_pmt.synth._random import Draws, Ints, Mask, shares_table

_Script = Literal["roman", "urdu"]
_CNIC_ERRORS = np.bitwise_or.reduce(
    [np.uint64(1 << i) for i, kind in enumerate(_errors.KINDS) if kind.startswith("cnic_")]
)
_NAME_ERRORS = [kind for kind in _errors.KINDS if kind.startswith(("name_", "father_"))]


@dataclass(frozen=True)
class _Written:
    """Persons whose names a clerk enters, by record."""

    name: Names
    father: Names
    husband: Names
    wed: Mask
    male: Mask

    def father_or_husband(self) -> Slots:
        """Name what a card shows beside the name."""
        return np.where(self.wed, self.husband.slots, self.father.slots)


# frames of one chunk by name; forms and records are numbered from 1 in each
Part = dict[str, pl.DataFrame]


class Maker:
    """Makes the frames chunk by chunk: of ``n`` households on forms, and of those on none."""

    def __init__(
        self,
        seed: int,
        n: int,
        duplicates: float,
        errors: float,
        missing: float,
        script: str,
        form: str,
    ) -> None:
        self.seed, self.n, self.form = seed, n, form
        self.homes = n + int(n * m.parameters()["forms"]["unregistered"])
        self.duplicates, self.errors, self.missing = duplicates, errors, missing
        self.scripts: tuple[_Script, ...] = ("roman",) if script == "roman" else ("roman", "urdu")
        self.rates = _errors.Rates(errors, None)
        self.shared = self._shared()

    def _members(self, chunk: int, rows: int, first_person: int) -> tuple[NamedMembers, m.Arrays]:
        v = hh.arrays(hh.model(), self.seed, chunk, rows)
        province = _forms.place_provinces()[v["province"]]
        who = NamedMembers(Draws(self.seed), chunk * hh.CHUNK, first_person, v, province)
        return who, v

    def _shared(self) -> tuple[Ints, npt.NDArray[np.int16]]:
        """Numbers that many claim, and the table to draw them."""
        spec = people_parameters()["shared"]
        count = max(1, int(np.ceil(self.homes * 6.5 * spec["per_million"] / 1e6)))
        rows = min(count, self.homes, hh.CHUNK)
        if not rows:
            return np.zeros(1, np.int64), np.zeros(1, np.int16)
        who, _ = self._members(0, rows, 0)
        numbers = who.cnic[who.starts]
        return numbers, shares_table([(i + 1) ** -spec["power"] for i in range(len(numbers))])

    def part(self, chunk: int, rows: int, forms: int, first_person: int) -> Part:
        """Make ``rows`` households, the first ``forms`` of which are registered."""
        who, v = self._members(chunk, rows, first_person)
        text = {script: name_pool().text(script, who.table.names.slots) for script in self.scripts}
        citizens = self._citizens(who, text)
        return {"citizens": citizens, **self._registered(who, v, text, forms)}

    def _citizens(self, who: NamedMembers, text: Mapping[_Script, pl.Series]) -> pl.DataFrame:
        at, table = places(), who.table
        columns: dict[str, Any] = {
            "entity": who.key + 1,
            "cnic": pl.Series(who.cnic).cast(pl.String),
            "sex": c.SEX.gather(_index(_sex(who.male, who.transgender))),
            "birth_date": _dates(who.birth),
            "marital_state": c.MARITAL.gather(_index(who.marital)),
            "district": at.district.gather(_index(at.district_of[who.registered])),
            "alive": who.alive,
            "card_expiry": _dates(who.expiry, who.age >= 18),
        }
        for script, names in text.items():
            end = "" if script == "roman" else "_urdu"
            for column, rows in (
                ("name", table.own),
                ("father_name", table.father),
                ("husband_name", table.husband),
            ):
                columns[column + end] = names.gather(_rows(rows, len(names)))
        return _frame(columns, c.CITIZENS)

    def _registered(
        self, who: NamedMembers, v: m.Arrays, text: Mapping[_Script, pl.Series], rows: int
    ) -> dict[str, pl.DataFrame]:
        d, forms = who.draws, _forms.plan(who, rows, self.duplicates)
        at = places()
        made_forms = np.zeros(len(forms.home), np.uint64)
        visit = _errors.Clerk(d, self.rates, forms.key, forms.again, made_forms)
        tehsil = _forms.tehsils(visit, who.home_tehsil[forms.home])
        true = answers.answers(who, v, _welfare(v))
        worker = true["elementary_worker"]
        households = _forms.columns(d, forms, v, tehsil, worker, self.missing, self.errors)
        changed = visit.meets("phone_changed")
        new_phone = p.new_phone(d, "phone new", forms.key)

        person, form = forms.person, forms.form
        made = made_forms[form]
        clerk = _errors.Clerk(d, self.rates, forms.person_key, forms.further, made)
        wrong_sex = clerk.meets("sex_wrong")
        clerk.mark("sex_wrong", wrong_sex)
        birth, has_birth = _errors.birth(clerk, who.birth[person])
        phone = np.where(changed[form], new_phone[form], who.phone[person])
        phone_text = _errors.phone(clerk, phone)
        clerk.mark("phone_changed", changed[form] & phone_text.is_not_null().to_numpy())
        number = self._number(clerk, who, forms)
        relation = np.where(forms.entry == _forms.CLAIMED, p.RELATIVE, who.role[person])
        sex = _sex(who.male[person] ^ wrong_sex, who.transgender[person] & ~wrong_sex)
        hh_ids = np.arange(1, len(forms.home) + 1)
        columns = {
            "cnic": _entry.printed(d, number, clerk.key, self.form),
            **self._names(clerk, who, person, text),
            "sex": c.SEX.gather(_index(sex)),
            "birth_date": _dates(birth, has_birth),
            "relation": c.RELATION.gather(_index(relation)),
            "marital_state": c.MARITAL.gather(_index(who.marital[person])),
            "district": at.district.gather(_index(at.district_of[tehsil][form])),
            "tehsil": at.tehsil.gather(_index(tehsil[form])),
            "phone": phone_text,
            **self._answers(clerk, true, person, who.age[person] >= 18),
            "hh_id": form + 1,
            "person_id": np.arange(1, len(person) + 1),
        }
        truth = {
            "person_id": columns["person_id"],
            "entity": who.key[person] + 1,
            "household": who.home[person] + 1,
            "entry": c.ENTRY.gather(_index(forms.entry)),
            "further": forms.further,
            "errors": _errors.kinds_of(made),
        }
        household_truth = {
            "hh_id": hh_ids,
            "household": who.homes[forms.home] + 1,
            "further": forms.again,
            "consumption_pc": v["consumption_pc"][forms.home],
        }
        return {
            "households": households.select(pl.Series("hh_id", hh_ids), pl.all()),
            "people": _frame(columns, c.PEOPLE),
            "truth": _frame(truth, c.TRUTH),
            "household_truth": _frame(household_truth, c.HOUSEHOLD_TRUTH),
        }

    def _number(self, clerk: _errors.Clerk, who: NamedMembers, forms: _forms.Forms) -> pl.Series:
        """Numbers as entered: adults' with errors; children's are on a B-Form, right or missing."""
        true, adult = who.cnic[forms.person], who.age[forms.person] >= 18
        rows = np.flatnonzero(adult)
        person = forms.person[rows]
        some = clerk.take(rows)
        key = some.key
        numbers, table = self.shared

        def other(at: npt.NDArray[np.intp]) -> Ints:
            one = person[at]
            home = who.at[one]
            size = who.sizes[home]
            step = 1 + some.draws.below("other", key[at], np.maximum(size - 1, 1))
            return who.cnic[who.starts[home] + (who.position[one] + step) % size]

        def shared(at: npt.NDArray[np.intp]) -> Ints:
            return numbers[some.draws.pick("shared", key[at], table)]

        several = who.sizes[who.at[person]] > 1
        entered = _errors.number(
            some,
            true[rows],
            np.zeros(len(rows), bool),
            {"cnic_other": (several, other), "cnic_shared": (np.ones(len(rows), bool), shared)},
        )
        clerk.made[rows] = some.made
        missing = clerk.meets("cnic_missing_child", ~adult)
        clerk.mark("cnic_missing", missing)
        children = pl.Series(true[~adult]).cast(pl.String)
        at = np.empty(len(true), np.int64)
        at[rows] = np.arange(len(rows))
        at[~adult] = np.arange(len(rows), len(true))
        at[missing] = len(true)
        return pl.concat([entered, children, _NOBODY]).gather(_index(at))

    def _names(
        self,
        clerk: _errors.Clerk,
        who: NamedMembers,
        person: npt.NDArray[np.intp],
        text: Mapping[_Script, pl.Series],
    ) -> dict[str, pl.Series]:
        """Names as entered: made anew only where an error can be."""
        table = who.table
        can = np.zeros(len(person), bool)
        for kind in _NAME_ERRORS:
            can |= clerk.meets(kind)
        rows = np.flatnonzero(can)
        few, one = clerk.take(rows), person[rows]
        own, other = _entry.names(
            few,
            _Written(
                table.names.take(table.own[one]),
                table.names.take(table.father[one]),
                table.names.take(table.husband[one]),
                who.wed[one],
                who.male[one],
            ),
        )
        shown = np.where(who.wed, table.husband, table.father)
        out = {}
        for script in self.scripts:
            names = text[script]
            end = "" if script == "roman" else "_urdu"
            for field, column, row, entered in (
                ("name", "name", table.own, own),
                ("father", "father_name", shown, other),
            ):
                new = name_pool().text(script, entered.slots, entered.forms)
                new = _errors.layout(few, _errors.letters(few, f"{field}_slip", script, new))
                at = row[person]
                at[rows] = np.arange(len(names), len(names) + len(new))
                out[column + end] = pl.concat([names, new], rechunk=True).gather(_index(at))
        clerk.made[rows] = few.made
        return out

    def _answers(
        self,
        clerk: _errors.Clerk,
        true: Mapping[str, npt.NDArray[Any]],
        person: npt.NDArray[np.intp],
        adult: Mask,
    ) -> dict[str, Any]:
        """Answers on members, some unknown: files know nobody whose number is wrong."""
        spec = m.parameters()["missing"]
        form, file = (min(spec[k] * self.missing, 1.0) for k in ("member", "filter"))
        unmatched = adult & ((clerk.made & _CNIC_ERRORS) != 0)
        school = clerk.draws.chance("unknown school", clerk.key, form)
        out: dict[str, Any] = {}
        for name, values in true.items():
            known = ~clerk.draws.chance(
                f"unknown {name}", clerk.key, file if name in answers.FILES else form
            )
            if name in answers.FILES:
                known &= ~unmatched
            column = values[person]
            if name in ("school_level", "attendance", "admitted_on"):
                known &= ~school
                if name == "attendance":
                    known &= ~np.isnan(column)
                elif name == "admitted_on":
                    known &= column != answers.NO_DAY
            if name == "school_level":
                series = c.LEVEL.gather(_index(column))
            elif name == "admitted_on":
                series = _dates(np.where(known, column, 0))
            else:
                series = pl.Series(column)
            out[name] = pl.select(pl.when(pl.Series(known)).then(series)).to_series()
        return out


_NOBODY = pl.Series([None], dtype=pl.String)


def _index(codes: npt.NDArray[Any]) -> pl.Series:
    return pl.Series(codes.astype(np.uint32))


def _rows(rows: Ints, end: int) -> pl.Series:
    """Rows of a text that ends with nobody's name."""
    return _index(np.where(rows < 0, end - 1, rows))


def _dates(days: Ints, known: Mask | None = None) -> pl.Series:
    column = pl.Series(days.astype(np.int32)).cast(pl.Date)
    if known is None:
        return column
    return pl.select(pl.when(pl.Series(known)).then(column)).to_series()


def _sex(male: Mask, transgender: Mask) -> npt.NDArray[np.uint8]:
    return np.where(transgender, 2, male).astype(np.uint8)


def _welfare(v: m.Arrays) -> m.Floats:
    """Distance of ln consumption from the mean of province and region, in its sd."""
    model = hh.model()
    cell = v["province"] + v["region"] * np.uint8(len(model.mean) // 2)
    return np.asarray((np.log(v["consumption_pc"]) - model.mean[cell]) / model.sd[cell])


def _frame(columns: Mapping[str, Any], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Columns in the order of a schema; those in Urdu only if made."""
    return pl.DataFrame({k: columns[k] for k in schema if k in columns})
