"""An invented country for the bench of updates: one tile of households, laid out many times."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

import nser_pmt as nser

TILE = 100_000
SEED = 20261122

_FIRST = ["Aslam", "Bushra", "Kashif", "Nadia", "Imran", "Sana", "Tariq", "Rubina", "Yousaf"]
_SECOND = ["Khan", "Bibi", "Malik", "Butt", "Shah", "Begum", "Chaudhry", "Baloch", "Mengal"]
_RELATIONS = ["head", "wife", "son", "daughter", "relative"]
_LEVELS = ["none", "primary", "secondary", "higher_secondary"]


def tile() -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the households of a tile, and their people, one to ten in each."""
    random = np.random.default_rng(SEED)
    households = nser.synth.households(TILE, seed=SEED).with_columns(
        pl.Series("pilot_district", random.random(TILE) < 0.3),
        pl.Series("flood_area", random.random(TILE) < 0.1),
        pl.Series("district", random.integers(0, 130, TILE)).cast(pl.String),
        farm_land_acres=pl.col("land_owned_acres"),
    )
    sizes = 1 + random.integers(0, 10, TILE)
    n = int(sizes.sum())
    home = np.repeat(households["hh_id"].to_numpy(), sizes)
    place = np.arange(n) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    female = random.random(n) < 0.5
    adult = random.integers(20, 80, n)
    age = np.where(place < 2, adult, random.integers(0, 40, n))
    born = np.datetime64("2025-01-01") - (age * 365 + random.integers(0, 365, n))

    def share(chance: float) -> pl.Series:
        return pl.Series(random.random(n) < chance)

    def names() -> pl.Series:
        first, second = (pl.Series(part) for part in (_FIRST, _SECOND))
        some = [pl.Series(random.integers(0, len(part), n)) for part in (first, second)]
        return first.gather(some[0]) + " " + second.gather(some[1])

    state = np.where(
        age < 18, "never married", np.where(random.random(n) < 0.7, "married", "widowed")
    )
    people = pl.DataFrame({"person_id": np.arange(1, n + 1, dtype=np.uint64), "hh_id": home})
    people = people.with_columns(
        pl.Series("sex", np.where(female, "female", "male")).cast(
            pl.Enum(["male", "female", "transgender"])
        ),
        pl.Series("birth_date", born.astype("datetime64[D]")),
        pl.Series("relation", np.array(_RELATIONS)[np.minimum(place, 4)]).cast(pl.Enum(_RELATIONS)),
        pl.Series("marital_state", state).cast(
            pl.Enum(["never married", "married", "widowed", "divorced"])
        ),
        pl.Series("school_level", np.array(_LEVELS)[random.integers(0, 4, n)]).cast(
            pl.Enum(_LEVELS)
        ),
        pl.Series("attendance", random.random(n)),
        pl.Series("ptcl_bill_mean", random.random(n) * 900),
        pl.Series("mobile_bill_mean", random.random(n) * 900),
        pl.Series("executive_cnics", np.zeros(n, dtype=np.int16)),
        pl.Series("cnic", 35_201 * 10**8 + np.arange(n) * 10 + 1 + female).cast(pl.String),
        name=names(),
        father_name=names(),
        disabled=share(0.03),
        pregnant=share(0.03),
        lactating=share(0.05),
        cnic_verified=share(0.95),
        b_form=share(0.9),
        conditions_met=share(0.8),
        primary_completed=share(0.1),
        civil_servant=share(0.02),
        foreign_travel=share(0.02),
        vehicle_registered=share(0.02),
        executive_passport=share(0.01),
        admitted_on=pl.date(2024, 4, 1),
    )
    return households, people


def tiles(count: int) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    """Yield the tiles of a country, with ids and numbers of their own."""
    households, people = tile()
    for k in range(count):
        number = pl.col("cnic").cast(pl.Int64) + 10 * k * people.height
        yield (
            households.with_columns(pl.col("hh_id") + k * TILE),
            people.with_columns(
                pl.col("hh_id") + k * TILE,
                pl.col("person_id") + k * people.height,
                number.cast(pl.String).alias("cnic"),
            ),
        )
