"""Districts and tehsils, the prefixes registered there, and moves between them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

from nser_pmt import cnic
from nser_pmt.synth._names import GROUPS, parameters
from nser_pmt.synth._random import STEPS, Draws, Ints, shares_table


@dataclass(frozen=True)
class Places:
    """Tehsils with a prefix, by district and province."""

    prefix: Ints  # by tehsil
    district_of: Ints
    tehsil: pl.Series
    district: pl.Series
    first: Ints  # tehsil, by district
    count: Ints
    group: npt.NDArray[np.int16]  # by province and step
    province_of: Ints  # by district
    any_tehsil: npt.NDArray[np.int16]  # by step: all persons
    by_province: npt.NDArray[np.int16]  # by province and step


@cache
def places() -> Places:
    """Join prefixes and weights, once."""
    spec = parameters()["place"]
    listed = (
        cnic.prefixes()
        .filter(pl.col("valid_to").is_null(), pl.col("mark") == "listed")
        .sort("prefix")
    )
    rows: list[tuple[int, int, str, float]] = []
    districts: list[tuple[str, int]] = []
    for province, (name, persons) in enumerate(spec["districts"].items()):
        for district, thousands in persons.items():
            mine = listed.filter(pl.col("province") == name, pl.col("district") == district)
            weights = [spec["main_tehsil"]] + [1.0] * (mine.height - 1)
            for (prefix, tehsil), weight in zip(
                mine.select("prefix", "tehsil").rows(), weights, strict=True
            ):
                share = thousands * weight / sum(weights)
                rows.append((prefix, len(districts), tehsil or district, share))
            districts.append((district, province))
    district_of = np.array([r[1] for r in rows])
    province_of = np.array([p for _, p in districts])
    weight = np.array([r[3] for r in rows])
    groups = [[spec["groups"][p].get(x, 0.0) for x in GROUPS] for p in spec["districts"]]
    return Places(
        prefix=np.array([r[0] for r in rows], np.int64),
        district_of=district_of,
        tehsil=pl.Series([r[2] for r in rows]),
        district=pl.Series([d for d, _ in districts]),
        first=np.searchsorted(district_of, np.arange(len(districts))),
        count=np.bincount(district_of),
        group=np.concatenate([shares_table(g) for g in groups]),
        province_of=province_of,
        any_tehsil=shares_table(weight.tolist()),
        by_province=np.concatenate(
            [
                shares_table(np.where(province_of[district_of] == p, weight, 0).tolist())
                for p in range(len(spec["districts"]))
            ]
        ),
    )


def other_tehsil(draws: Draws, purpose: str, key: Ints, tehsil: Ints) -> Ints:
    """Another tehsil of the same district; the same where there is one only."""
    at = places()
    district = at.district_of[tehsil]
    count, first = at.count[district], at.first[district]
    step = 1 + draws.below(purpose, key, np.maximum(count - 1, 1))
    return first + (tehsil - first + step) % count


def other_district(draws: Draws, purpose: str, key: Ints, tehsil: Ints) -> Ints:
    """Draw a tehsil of another district, four times in five of the same province."""
    at = places()
    province = at.province_of[at.district_of[tehsil]]
    step = draws.steps(purpose, key)
    near = at.by_province[province * STEPS + step].astype(np.int64)
    far = at.any_tehsil[step].astype(np.int64)
    out = np.where(draws.chance(f"{purpose} near", key, 0.8), near, far)
    same = at.district_of[out] == at.district_of[tehsil]
    return np.where(same, (tehsil + at.count.max() + step) % len(at.prefix), out)
