"""Forms: who is on which, and the answers on the dwelling and its goods."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from nser_pmt.synth import _errors
from nser_pmt.synth import _households as hh
from nser_pmt.synth import _members as m
from nser_pmt.synth._names import parameters
from nser_pmt.synth._places import other_district, other_tehsil, places
from nser_pmt.synth._plan import AGAIN
from nser_pmt.synth._random import Draws, Ints, Mask, ramp

ENTRIES = ["first", "again", "claimed"]
FIRST, REPEATED, CLAIMED = range(len(ENTRIES))
NO_SURVEY = 255
_NEAR = 50  # a second household that claims a person is one of the next ones
# a question -> the columns that fall with it
_ASKED = {
    "head_education": ("headedu_cat",),
    "female_head_spouse_educ": (),
    "rooms": ("rooms_cat",),
    "water": (),
    "toilet": ("toilet_cat",),
    "fridge_freezer": (),
    "washing_machine": (),
    "ac_cooler_geyser_heater": (),
    "stove_range_microwave": (),
    "tv": (),
    "vehicles": ("motor_vehicle",),
    "livestock": ("livestock_cat",),
    "land_owned_acres": ("land_cat",),
}
_HIDDEN = (
    *("fridge_freezer", "washing_machine", "ac_cooler_geyser_heater", "stove_range_microwave"),
    "tv",
)
_DROPPED = ("hh_id", "consumption_pc")


@dataclass(frozen=True)
class Forms:
    """Forms of the households of one chunk, in order, and who is on them; rows of the chunk."""

    home: npt.NDArray[np.intp]  # by form
    again: Mask  # the second form of its household
    key: Ints  # of the visit
    person: npt.NDArray[np.intp]  # by record
    form: npt.NDArray[np.intp]
    entry: npt.NDArray[np.uint8]
    person_key: Ints

    @property
    def further(self) -> Mask:
        """Records of a person who has one already."""
        return np.asarray(self.entry != FIRST)


def plan(who: m.Members, rows: int, duplicates: float) -> Forms:
    """Forms of the first ``rows`` households: one each, a second of some, and claimed persons."""
    d, spec = who.draws, m.parameters()["forms"]
    again, claims = (min(spec[k] * duplicates, 1.0) for k in ("again", "claimed"))
    homes = np.arange(rows)
    twice = np.flatnonzero(d.chance("form again", who.homes[:rows], again))
    at = d.below("form place", who.homes[twice], rows)  # where the second form stands
    order = np.argsort(np.concatenate([homes * 2, at * 2 + 1]), kind="stable")
    home = np.concatenate([homes, twice])[order]
    second = (np.arange(len(home)) >= rows)[order]
    key = who.homes[home] + second * AGAIN

    size = who.sizes[home]
    person = np.repeat(who.starts[home], size) + ramp(size)
    form = np.repeat(np.arange(len(home)), size)
    entry = np.where(second[form], REPEATED, FIRST).astype(np.uint8)

    end = int(who.sizes[:rows].sum())
    grown = np.isin(who.kind[:end], (m.BROTHER, m.RELATIVE, m.GROWN, m.GROOM))
    grown &= d.chance("claimed", who.key[:end], claims)
    claimed = np.flatnonzero(grown)
    away = min(_NEAR, rows - 1)
    claimed = claimed[: len(claimed) * (away > 0)]
    step = 1 + d.below("claimed by", who.key[claimed], max(away, 1))
    first_form = np.empty(rows, np.intp)
    first_form[home[~second]] = np.flatnonzero(~second)
    by = first_form[(who.at[claimed] + step) % rows]

    person = np.concatenate([person, claimed])
    form = np.concatenate([form, by])
    entry = np.concatenate([entry, np.full(len(claimed), CLAIMED, np.uint8)])
    order = np.argsort(form, kind="stable")
    person, form, entry = person[order], form[order], entry[order]
    return Forms(
        home, second, key, person, form, entry, who.key[person] + entry.astype(np.int64) * AGAIN
    )


def tehsils(clerk: _errors.Clerk, here: Ints) -> Ints:
    """Tehsil of each form: a household that is registered again may have moved."""
    d, visit, of = clerk.draws, clerk.key, places().district_of
    away = other_district(d, "moved", visit, here)
    near = other_tehsil(d, "moved near", visit, here)
    surveyed = province_codes()[places().province_of[of[away]]] != NO_SURVEY
    moved = clerk.meets("district_moved", (of[away] != of[here]) & surveyed)
    stepped = clerk.meets("tehsil_moved", ~moved & (near != here))
    clerk.mark("district_moved", moved)
    clerk.mark("tehsil_moved", stepped)
    return np.where(moved, away, np.where(stepped, near, here))


def columns(
    draws: Draws,
    forms: Forms,
    v: m.Arrays,
    tehsil: Ints,
    worker: Mask,
    missing: float,
    errors: float,
) -> pl.DataFrame:
    """Answers by form, without identifiers; ``worker`` tells of persons in elementary work."""
    at, home, key = places(), forms.home, forms.key
    made: m.Arrays = {name: v[name][home] for name in hh.coded_schema() if name not in _DROPPED}
    # claimed persons are adults under 66: they add to these two counts only
    claimed = forms.entry == CLAIMED
    for name, who in (
        ("hhsize", claimed),
        ("n_elementary_workers", claimed & worker[forms.person]),
    ):
        made[name] = made[name] + np.bincount(forms.form[who], minlength=len(home))
    made["rooms_cat"] = hh.rooms_codes(made["rooms"].astype(np.int64), made["hhsize"])
    district = at.district_of[tehsil]
    made["province"] = province_codes()[at.province_of[district]]
    hides = m.parameters()["forms"]["hides"] * errors
    for name in _HIDDEN:
        made[name] = made[name].astype(bool)
        made[name] &= ~(forms.again & draws.chance(f"hides {name}", key, min(hides, 1.0)))
    made["fridge_freezer_washer"] = made["fridge_freezer"] | made["washing_machine"]
    types = {pl.Boolean: np.bool_, pl.Int16: np.int16}
    schema = hh.coded_schema()
    frame = pl.DataFrame(
        {k: a.astype(types.get(schema[k], a.dtype), copy=False) for k, a in made.items()}
    )
    rate = m.parameters()["missing"]["household"] * missing
    blank = {
        name: pl.Series(draws.chance(f"missing {name}", key, min(rate, 1.0))) for name in _ASKED
    }
    frame = frame.with_columns(
        pl.when(~pl.lit(blank[asked])).then(pl.col(name)).alias(name)
        for asked, with_it in _ASKED.items()
        for name in (asked, *with_it)
    ).with_columns(
        *(e for e in hh.enums() if e.meta.output_name() in frame.columns),
        fridge_freezer_washer=pl.col("fridge_freezer") | pl.col("washing_machine"),
    )
    place = [
        at.district.gather(pl.Series(district.astype(np.uint32))).alias("district"),
        at.tehsil.gather(pl.Series(tehsil.astype(np.uint32))).alias("tehsil"),
    ]
    return frame.select("province", "region", *place, pl.exclude("province", "region"))


@cache
def place_provinces() -> Ints:
    """Province of `places` by code of the households' column."""
    listed = [*parameters()["place"]["districts"]]
    return np.array([listed.index(name) for name in hh.model().schema["province"].categories])


@cache
def province_codes() -> npt.NDArray[np.uint8]:
    """Code of the households' column by province of `places`; `NO_SURVEY` where none is held."""
    codes = np.full(len(parameters()["place"]["districts"]), NO_SURVEY, np.uint8)
    codes[place_provinces()] = np.arange(len(place_provinces()))
    return codes
