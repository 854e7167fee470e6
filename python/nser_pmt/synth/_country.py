"""What `nser_pmt.synth.registry` makes: its frames and their columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from nser_pmt.synth._forms import ENTRIES
from nser_pmt.synth._member_answers import FILES, SCHOOL_LEVELS
from nser_pmt.synth._population import MARITAL as MARITAL_STATES
from nser_pmt.synth._population import RELATIONS

SEXES = ["female", "male", "transgender"]
SEX = pl.Series(SEXES, dtype=pl.Enum(SEXES))
RELATION = pl.Series(RELATIONS, dtype=pl.Enum(RELATIONS))
MARITAL = pl.Series(MARITAL_STATES, dtype=pl.Enum(MARITAL_STATES))
LEVEL = pl.Series(SCHOOL_LEVELS, dtype=pl.Enum(SCHOOL_LEVELS))
ENTRY = pl.Series(ENTRIES, dtype=pl.Enum(ENTRIES))

_NAMES = {"name": pl.String, "father_name": pl.String}
_NAMES_URDU = {"name_urdu": pl.String, "father_name_urdu": pl.String}
PEOPLE: dict[str, Any] = {
    "person_id": pl.Int64,
    "hh_id": pl.Int64,
    "cnic": pl.String,
    **_NAMES,
    **_NAMES_URDU,
    "sex": SEX.dtype,
    "birth_date": pl.Date,
    "relation": RELATION.dtype,
    "marital_state": MARITAL.dtype,
    "district": pl.String,
    "tehsil": pl.String,
    "phone": pl.String,
    **dict.fromkeys(("disabled", "pregnant", "lactating"), pl.Boolean),
    "elementary_worker": pl.Boolean,
    "school_level": LEVEL.dtype,
    "attendance": pl.Float64,
    "admitted_on": pl.Date,
    **dict.fromkeys(FILES[:4], pl.Boolean),
    "ptcl_bill_mean": pl.Float64,
    "mobile_bill_mean": pl.Float64,
    "executive_cnics": pl.Int16,
}
CITIZENS: dict[str, Any] = {
    "entity": pl.Int64,
    "cnic": pl.String,
    **_NAMES,
    "husband_name": pl.String,
    **_NAMES_URDU,
    "husband_name_urdu": pl.String,
    "sex": SEX.dtype,
    "birth_date": pl.Date,
    "marital_state": MARITAL.dtype,
    "district": pl.String,
    "alive": pl.Boolean,
    "card_expiry": pl.Date,
}
TRUTH: dict[str, Any] = {
    "person_id": pl.Int64,
    "entity": pl.Int64,
    "household": pl.Int64,
    "entry": ENTRY.dtype,
    "further": pl.Boolean,
    "errors": pl.List(pl.String),
}
HOUSEHOLD_TRUTH: dict[str, Any] = {
    "hh_id": pl.Int64,
    "household": pl.Int64,
    "further": pl.Boolean,
    "consumption_pc": pl.Float64,
}


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
