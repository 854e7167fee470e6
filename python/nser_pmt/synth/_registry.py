"""One invented country: households' answers, their members and the citizens' file that agree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from nser_pmt._options import chosen, invalid
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
from nser_pmt.synth._random import Draws, Ints, Mask, check_ints, shares_table

_Script = Literal["roman", "both"]
_Form = Literal["digits", "printed", "mixed"]
_SEXES = ["female", "male", "transgender"]
_SEX = pl.Series(_SEXES, dtype=pl.Enum(_SEXES))
_RELATION = pl.Series(p.RELATIONS, dtype=pl.Enum(p.RELATIONS))
_MARITAL = pl.Series(p.MARITAL, dtype=pl.Enum(p.MARITAL))
_LEVEL = pl.Series(answers.SCHOOL_LEVELS, dtype=pl.Enum(answers.SCHOOL_LEVELS))
_ENTRY = pl.Series(_forms.ENTRIES, dtype=pl.Enum(_forms.ENTRIES))

_NAMES = {"name": pl.String, "father_name": pl.String}
_NAMES_URDU = {"name_urdu": pl.String, "father_name_urdu": pl.String}
_PEOPLE: dict[str, Any] = {
    **{"person_id": pl.Int64, "hh_id": pl.Int64, "cnic": pl.String},
    **_NAMES,
    **_NAMES_URDU,
    "sex": _SEX.dtype,
    "birth_date": pl.Date,
    "relation": _RELATION.dtype,
    "marital_state": _MARITAL.dtype,
    "district": pl.String,
    "tehsil": pl.String,
    "phone": pl.String,
    **dict.fromkeys(("disabled", "pregnant", "lactating"), pl.Boolean),
    "elementary_worker": pl.Boolean,
    "school_level": _LEVEL.dtype,
    "attendance": pl.Float64,
    "admitted_on": pl.Date,
    **dict.fromkeys(answers.FILES[:4], pl.Boolean),
    "ptcl_bill_mean": pl.Float64,
    "mobile_bill_mean": pl.Float64,
    "executive_cnics": pl.Int16,
}
_CITIZENS: dict[str, Any] = {
    **{"entity": pl.Int64, "cnic": pl.String},
    **_NAMES,
    "husband_name": pl.String,
    **_NAMES_URDU,
    "husband_name_urdu": pl.String,
    "sex": _SEX.dtype,
    "birth_date": pl.Date,
    "marital_state": _MARITAL.dtype,
    "district": pl.String,
    "alive": pl.Boolean,
    "card_expiry": pl.Date,
}
_TRUTH: dict[str, Any] = {
    "person_id": pl.Int64,
    "entity": pl.Int64,
    "household": pl.Int64,
    "entry": _ENTRY.dtype,
    "further": pl.Boolean,
    "errors": pl.List(pl.String),
}
_HOUSEHOLD_TRUTH: dict[str, Any] = {
    "hh_id": pl.Int64,
    "household": pl.Int64,
    "further": pl.Boolean,
    "consumption_pc": pl.Float64,
}
_CNIC_ERRORS = np.bitwise_or.reduce(
    [np.uint64(1 << i) for i, kind in enumerate(_errors.KINDS) if kind.startswith("cnic_")]
)
_NAME_ERRORS = np.bitwise_or.reduce(
    [
        np.uint64(1 << i)
        for i, kind in enumerate(_errors.KINDS)
        if kind.startswith(("name_", "father_"))
    ]
)


@dataclass(frozen=True, kw_only=True)
class Country:
    """What :func:`registry` makes.

    Attributes
    ----------
    households : DataFrame
        The forms: one row per registered household, sorted by ``hh_id``.
    people : DataFrame
        Their members as written on the forms, and what administrative files say of them.
    citizens : DataFrame
        The citizens' database: one true row per person, sorted by ``entity``.
    truth : DataFrame
        Who each member is (``person_id`` to ``entity``), and the errors of the row.
    household_truth : DataFrame
        Which household each form is of (``hh_id`` to ``household``), and its consumption.
    """

    households: pl.DataFrame
    people: pl.DataFrame
    citizens: pl.DataFrame
    truth: pl.DataFrame
    household_truth: pl.DataFrame

    def __repr__(self) -> str:
        again = int(self.household_truth["further"].sum())
        return (
            f"Country({self.households.height:,} forms of {self.households.height - again:,} "
            f"households, {self.people.height:,} members, {self.citizens.height:,} citizens)"
        )


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
_Part = dict[str, pl.DataFrame]


class _Maker:
    """Makes the frames chunk by chunk."""

    def __init__(
        self,
        seed: int,
        homes: int,
        duplicates: float,
        errors: float,
        missing: float,
        script: str,
        form: str,
    ) -> None:
        self.seed, self.form = seed, form
        self.duplicates, self.errors, self.missing = duplicates, errors, missing
        self.scripts: tuple[Literal["roman", "urdu"], ...] = (
            ("roman",) if script == "roman" else ("roman", "urdu")
        )
        self.rates = _errors.Rates(errors, None)
        self.shared = self._shared(homes)

    def _members(self, chunk: int, rows: int, first_person: int) -> tuple[NamedMembers, m.Arrays]:
        v = hh.arrays(hh.model(), self.seed, chunk, rows)
        codes = _forms.province_codes().tolist()
        province = np.array([codes.index(i) for i in range(max(set(codes) - {255}) + 1)])
        draws = Draws(self.seed)
        who = NamedMembers(draws, chunk * hh.CHUNK, first_person, v, province[v["province"]])
        return who, v

    def _shared(self, homes: int) -> tuple[Ints, npt.NDArray[np.int16]]:
        """Numbers that many claim, and the table to draw them."""
        spec = people_parameters()["shared"]
        count = max(1, int(np.ceil(homes * 6.5 * spec["per_million"] / 1e6)))
        rows = min(count, homes, hh.CHUNK)
        if not rows:
            return np.zeros(1, np.int64), np.zeros(1, np.int16)
        who, _ = self._members(0, rows, 0)
        numbers = who.cnic[who.starts]
        return numbers, shares_table([(i + 1) ** -spec["power"] for i in range(len(numbers))])

    def part(self, chunk: int, rows: int, forms: int, first_person: int) -> _Part:
        """Make ``rows`` households, the first ``forms`` of which are registered."""
        who, v = self._members(chunk, rows, first_person)
        text = {
            script: pl.concat([name_pool().text(script, who.table.names.slots), _NOBODY])
            for script in self.scripts
        }
        citizens = self._citizens(who, text)
        return {"citizens": citizens, **self._registered(who, v, text, forms)}

    def _citizens(self, who: NamedMembers, text: Mapping[str, pl.Series]) -> pl.DataFrame:
        at, table = places(), who.table
        columns: dict[str, Any] = {
            "entity": who.key + 1,
            "cnic": pl.Series(who.cnic).cast(pl.String),
            "sex": _SEX.gather(_index(_sex(who.male, who.transgender))),
            "birth_date": _dates(who.birth),
            "marital_state": _MARITAL.gather(_index(who.marital)),
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
        return _frame(columns, _CITIZENS)

    def _registered(
        self, who: NamedMembers, v: m.Arrays, text: Mapping[str, pl.Series], rows: int
    ) -> dict[str, pl.DataFrame]:
        d, forms = who.draws, _forms.plan(who, rows, self.duplicates)
        at = places()
        made_forms = np.zeros(len(forms.home), np.uint64)
        visit = _errors.Clerk(d, self.rates, forms.key, forms.again, made_forms)
        tehsil = _forms.tehsils(visit, who.home_tehsil[forms.home])
        households = _forms.columns(d, forms, v, tehsil, self.missing, self.errors)
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
        sex = _sex(
            who.male[person] ^ wrong_sex, who.transgender[person] & ~wrong_sex
        )
        hh_ids = np.arange(1, len(forms.home) + 1)
        columns = {
            "cnic": _entry.printed(d, number, clerk.key, self.form),
            **self._names(clerk, who, person, text),
            "sex": _SEX.gather(_index(sex)),
            "birth_date": _dates(birth, has_birth),
            "relation": _RELATION.gather(_index(relation)),
            "marital_state": _MARITAL.gather(_index(who.marital[person])),
            "district": at.district.gather(_index(at.district_of[tehsil][form])),
            "tehsil": at.tehsil.gather(_index(tehsil[form])),
            "phone": phone_text,
            **self._answers(clerk, answers.answers(who, v, _welfare(v)), person, who.age[person] >= 18),
            "hh_id": form + 1,
            "person_id": np.arange(1, len(person) + 1),
        }
        return {
            "households": households.select(pl.Series("hh_id", hh_ids), pl.all()),
            "people": _frame(columns, _PEOPLE),
            "truth": _frame(
                {
                    "person_id": columns["person_id"],
                    "entity": who.key[person] + 1,
                    "household": who.home[person] + 1,
                    "entry": _ENTRY.gather(_index(forms.entry)),
                    "further": forms.further,
                    "errors": _errors.kinds_of(made),
                },
                _TRUTH,
            ),
            "household_truth": _frame(
                {
                    "hh_id": hh_ids,
                    "household": who.homes[forms.home] + 1,
                    "further": forms.again,
                    "consumption_pc": v["consumption_pc"][forms.home],
                },
                _HOUSEHOLD_TRUTH,
            ),
        }

    def _number(self, clerk: _errors.Clerk, who: NamedMembers, forms: _forms.Forms) -> pl.Series:
        """Numbers as entered: adults' with errors; children's are on a B-Form, right or missing."""
        true, adult = who.cnic[forms.person], who.age[forms.person] >= 18
        rows = np.flatnonzero(adult)
        person = forms.person[rows]
        made = clerk.made[rows]
        key = clerk.key[rows]
        some = _errors.Clerk(clerk.draws, clerk.rates, key, clerk.again[rows], made)
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
        clerk.made[rows] = made
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
        text: Mapping[str, pl.Series],
    ) -> dict[str, pl.Series]:
        """Names as entered: text is made anew only where something is wrong."""
        table, wed = who.table, who.wed[person]
        own_row, father, husband = table.own[person], table.father[person], table.husband[person]
        shown = np.where(wed, husband, father)
        written = _Written(
            table.names.take(own_row),
            table.names.take(father),
            table.names.take(husband),
            wed,
            who.male[person],
        )
        own, other = _entry.names(clerk, written)
        wrong = np.flatnonzero(clerk.made & _NAME_ERRORS)
        out = {}
        for script in self.scripts:
            names = text[script]
            for field, column, rows, entered in (
                ("name", "name", own_row, own),
                ("father", "father_name", shown, other),
            ):
                new = name_pool().text(script, entered.slots[:, wrong], entered.forms[:, wrong])
                at = rows.copy()
                at[wrong] = np.arange(len(names), len(names) + len(wrong))
                entered_text = pl.concat([names, new]).gather(_index(at))
                entered_text = _errors.letters(clerk, f"{field}_slip", script, entered_text)
                end = "" if script == "roman" else "_urdu"
                out[column + end] = _errors.layout(clerk, entered_text)
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
                series = _LEVEL.gather(_index(column))
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
    """Standard deviations of ln consumption from the mean of province and region."""
    model = hh.model()
    cell = v["province"] + v["region"] * np.uint8(len(model.mean) // 2)
    return np.asarray((np.log(v["consumption_pc"]) - model.mean[cell]) / model.sd[cell])


def _frame(columns: Mapping[str, Any], schema: Mapping[str, Any]) -> pl.DataFrame:
    """Columns in the order of a schema; those in Urdu only if made."""
    return pl.DataFrame({k: columns[k] for k in schema if k in columns})


def _parts(
    maker: _Maker, n: int, homes: int, threads: int
) -> Iterator[_Part]:
    """Make all chunks, in order."""
    jobs, first = [], 0
    for chunk, start in enumerate(range(0, max(homes, 1), hh.CHUNK)):
        rows = min(hh.CHUNK, homes - start)
        jobs.append((chunk, rows, min(max(n - start, 0), rows), first))
        first += int(hh.arrays(hh.model(), maker.seed, chunk, rows)["hhsize"].sum())
    if first > p.MOST_PERSONS:
        raise invalid(f"there are numbers for {p.MOST_PERSONS:,} persons, got {first:,}")
    with ThreadPoolExecutor(threads) as pool:
        yield from pool.map(lambda job: maker.part(*job), jobs)


def registry(
    n: int,
    seed: int = 0,
    *,
    duplicates: float = 1.0,
    errors: float = 1.0,
    missing: float = 1.0,
    script: _Script = "both",
    cnic_form: _Form = "mixed",
) -> Country:
    """Make one invented country in which households, their members and the citizens' file agree.

    Parameters
    ----------
    n : int
        Number of households on forms; some are on two. At most about 6,000,000.
    seed : int, default 0
        At least 0. Households, persons and citizens are the same for every ``n`` and whatever the
        other arguments.
    duplicates : float, default 1.0
        Factor on the shares of households that are registered twice and of persons whom a second
        household claims; 0 makes each person stand on one form.
    errors : float, default 1.0
        Factor on the rates of errors of entry; 0 makes clean forms.
    missing : float, default 1.0
        Factor on the shares of answers without a value; 0 leaves those that wrong numbers make.
    script : {"roman", "both"}, default "both"
        "both" adds the names in Urdu: ``name_urdu`` and so on.
    cnic_form : {"digits", "printed", "mixed"}, default "mixed"
        Numbers on forms as 13 digits, as ``AAAAA-BBBBBBB-C``, or half of each.

    Returns
    -------
    Country
        ``households``, ``people``, ``citizens``, ``truth``, ``household_truth``: the columns are in
        ``docs/synthetic-people.md``.

    Raises
    ------
    DomainError
        If an argument is out of its range or not of its type.

    See Also
    --------
    households : the same answers of households, without members.
    people : a registry of persons alone.

    Notes
    -----
    What a household owns, and how many members of which age it has, are the rows of
    :func:`households` with the same seed; members are made to fit. With ``errors=0`` and
    ``missing=0`` every column of composition can be counted again from the members. Shares are in
    ``data/synth/registry-2024.toml``: nearly all are invented.

    Examples
    --------
    >>> from nser_pmt import synth
    >>> made = synth.registry(1000, seed=7)
    >>> made
    Country(...)
    >>> made.people.select("relation", "marital_state").head(2).rows()
    """
    check_ints(0, n=n, seed=seed)
    factors = {"duplicates": duplicates, "errors": errors, "missing": missing}
    for name, value in factors.items():
        if not 0 <= value <= 100:
            raise invalid(f"{name} must be from 0 to 100, got {value}")
    chosen("script", script, _Script)
    chosen("cnic_form", cnic_form, _Form)
    homes = n + int(n * m.parameters()["forms"]["unregistered"])
    maker = _Maker(seed, homes, duplicates, errors, missing, script, cnic_form)
    parts: dict[str, list[pl.DataFrame]] = {k: [] for k in Country.__dataclass_fields__}
    forms = people = 0
    for part in _parts(maker, n, homes, pl.thread_pool_size()):
        numbered = {
            "households": {"hh_id": forms},
            "people": {"hh_id": forms, "person_id": people},
            "citizens": {},
            "truth": {"person_id": people},
            "household_truth": {"hh_id": forms},
        }
        for name, ids in numbered.items():
            frame = part[name].with_columns(pl.col(c) + by for c, by in ids.items())
            parts[name].append(frame)
        forms += part["households"].height
        people += part["people"].height
    whole = {name: pl.concat(frames) for name, frames in parts.items()}
    return Country(**whole)
