"""What is true of a member beyond the name: school, health, and what administrative files hold.

Whoever has a flag is drawn by welfare: the odds at average welfare times a factor for each standard
deviation of ln consumption within province and region.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from nser_pmt.synth import _members as m
from nser_pmt.synth import _population as p
from nser_pmt.synth._households import code
from nser_pmt.synth._member_names import NamedMembers
from nser_pmt.synth._random import Draws, Ints, Mask, shares_table

SCHOOL_LEVELS = ["none", "primary", "secondary", "higher_secondary"]
NO_DAY = np.iinfo(np.int64).min
FORM = ("disabled", "pregnant", "lactating", "school_level", "elementary_worker")
FILES = (
    *("civil_servant", "foreign_travel", "vehicle_registered", "executive_passport"),
    *("ptcl_bill_mean", "mobile_bill_mean", "executive_cnics"),
)
_FIRST_CLASS = np.array([0, 0, 6, 11])  # of each level; class 0 is the year before class 1


def _chance(spec: list[float], welfare: m.Floats) -> m.Floats:
    odds = spec[0] / (1 - spec[0]) * np.power(spec[1], welfare)
    return np.asarray(odds / (1 + odds))


def _bill(d: Draws, purpose: str, key: Ints, spec: list[float], welfare: m.Floats) -> m.Floats:
    """Rupees a month, lognormal."""
    u, w = d.uniform(f"{purpose} a", key), d.uniform(f"{purpose} b", key)
    normal = np.sqrt(-2 * np.log1p(-u)) * np.cos(2 * np.pi * w)
    return np.asarray(np.rint(spec[0] * np.exp(spec[1] * normal + spec[2] * welfare)))


def answers(who: NamedMembers, v: m.Arrays, welfare: m.Floats) -> dict[str, npt.NDArray[Any]]:
    """All answers of all members; `welfare` is by household."""
    school = _school(who, v, welfare)
    files = _files(who, v, welfare, school["elementary_worker"])
    return {**_health(who), **school, **files}


def _health(who: NamedMembers) -> dict[str, npt.NDArray[Any]]:
    d, key, age, spec = who.draws, who.key, who.age, m.parameters()["member"]
    counts = who.families.counts
    band = (age >= 18).astype(np.intp) + (age >= 66)
    married = ~who.male & (who.marital == p.MARRIED) & (age >= 16) & (age < 46)
    # the last of the roster is the youngest; her mother is the son's wife, or heads, or is the wife
    last = np.cumsum(who.sizes) - 1
    child = who.grandchild[last]
    mother_kind = np.where(
        child,
        np.where(counts[:, m.BRIDE] > 0, m.BRIDE, -1),
        np.where(counts[:, m.WIFE] > 0, m.WIFE, np.where(who.families.female_head, m.HEAD, -1)),
    )
    infant = (counts[:, m.SMALL] > 0) & (age[last] < 2)
    nursing = infant[who.at] & (who.kind == mother_kind[who.at])
    lactating = nursing & d.chance("lactating", key, spec["lactating"])
    return {
        "disabled": d.chance("disabled", key, np.array(spec["disabled"])[band]),
        "pregnant": married & ~lactating & d.chance("pregnant", key, spec["pregnant"]),
        "lactating": lactating,
    }


def _school(who: NamedMembers, v: m.Arrays, welfare: m.Floats) -> dict[str, npt.NDArray[Any]]:
    d, key, kind, spec = who.draws, who.key, who.kind, m.parameters()["member"]
    years = np.floor(who.age).astype(np.int64)
    attending = np.zeros((len(v["hhsize"]), 2), np.int64)
    attending[:, 0] = v["n_5_13_attending"]
    attending[:, 1] = v["n_5_16_attending"] - v["n_5_13_attending"]
    asked = (kind == m.SCHOOL) | (kind == m.OLDER)
    turn = d.below("pupil", who.home, 64)
    enrolled = asked & (
        (who.ordinal + turn) % who.count < attending[who.at, (kind == m.OLDER).astype(np.intp)]
    )
    z = welfare[who.at]
    u = d.uniform("studies", key)
    enrolled |= (kind == m.SEVENTEEN) & (u < _chance(spec["studies_at_17"], z))
    child = (kind == m.GROWN) & (years <= 20) & (who.marital == p.NEVER)
    enrolled |= child & (u < _chance(spec["studies_later"], z))
    behind = d.pick("behind", key, shares_table(spec["behind"]))
    grade = np.clip(years - 5 - behind, 0, 12)
    level = np.where(enrolled, 1 + (grade > 5) + (grade > 10), 0)

    low = d.chance("low attendance", key, spec["low_attendance"])
    w = d.uniform("attendance", key)
    share = np.rint(100 * np.where(low, 0.30 + 0.39 * w, 0.70 + 0.30 * w)) / 100
    late = d.chance("late admission", key, spec["late_admission"])
    day = d.below("admitted", key, 30)
    start = np.minimum(grade - _FIRST_CLASS[level], 4)
    april = ((p.year_of(np.array([p.as_of()]))[0] - start - 1970) * 12 + 3).astype("datetime64[M]")
    first = april.astype("datetime64[D]").astype(np.int64) + day
    admitted = np.where(late, p.as_of() - 60 + day, first)
    worker = np.zeros(len(key), bool)
    able = (v["hhsize"] - v["n_le13"]).astype(np.int64)[
        who.at
    ]  # of 14 years and more: they are first
    some = np.flatnonzero(v["n_elementary_workers"][who.at] > 0)
    shift = np.where(d.chance("worker is head", who.home[some], 0.6), 0, turn[some])
    place = (who.position[some] + shift) % np.maximum(able[some], 1)
    worker[some] = (who.position[some] < able[some]) & (
        place < v["n_elementary_workers"][who.at[some]]
    )
    return {
        "school_level": level.astype(np.uint8),
        "attendance": np.where(enrolled, share, np.nan),
        "admitted_on": np.where(enrolled, admitted, NO_DAY),
        "elementary_worker": worker,
    }


def _files(
    who: NamedMembers, v: m.Arrays, welfare: m.Floats, worker: Mask
) -> dict[str, npt.NDArray[Any]]:
    """Answers of administrative files, which know adults and households."""
    d, spec, n = who.draws, m.parameters()["filter"], len(who.key)
    adults = np.flatnonzero(who.age >= 18)
    key, z, age = who.key[adults], welfare[who.at[adults]], who.age[adults]

    def spread(values: npt.NDArray[Any]) -> npt.NDArray[Any]:
        out = np.zeros(n, values.dtype)
        out[adults] = values
        return out

    def adult(name: str, factor: Any = 1.0) -> Mask:
        return d.chance(name, key, _chance(spec[name], z) * factor)

    office = (age >= 20) & (age < 60) & ~worker[adults]
    working = office * np.where(who.male[adults], 1.0, 0.2)
    mobile = d.chance("mobile line", key, spec["mobile_line"])
    heads, homes = who.starts, who.homes
    car = np.isin(v["vehicles"], code("vehicles", "car_tractor_and_motorcycle", "car_tractor"))
    rate = np.where(car, spec["vehicle_of_car"], spec["vehicle_hidden"])
    vehicle = np.zeros(n, bool)
    vehicle[heads] = d.chance("vehicle", homes, rate)
    line = d.chance("ptcl line", homes, _chance(spec["ptcl_line"], welfare))
    ptcl = np.zeros(n)
    ptcl[heads] = np.where(line, _bill(d, "ptcl bill", homes, spec["ptcl_bill"], welfare), 0.0)
    some = d.chance("executive", homes, _chance(spec["executive_cnic"], welfare))
    number = 1 + d.pick("executive cnics", homes, shares_table(spec["executive_cnics"]))
    cards = np.minimum(number, who.sizes) * some
    return {
        "civil_servant": spread(adult("civil_servant", working)),
        "foreign_travel": spread(adult("foreign_travel")),
        "vehicle_registered": vehicle,
        "executive_passport": spread(adult("executive_passport")),
        "ptcl_bill_mean": ptcl,
        "mobile_bill_mean": spread(
            np.where(mobile, _bill(d, "mobile bill", key, spec["mobile_bill"], z), 0.0)
        ),
        "executive_cnics": cards[who.at].astype(np.int16),
    }
