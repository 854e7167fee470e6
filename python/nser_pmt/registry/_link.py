"""To which household a row of a batch belongs, where the batch does not say.

Rows of one form belong together. A form is of the household that its own rows name; else of the one
that has a member with the identity number of one of its people; else of the one that has a person
of the same name and date of birth. People who join do not count: they are not there yet.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from nser_pmt import compare
from nser_pmt.linkage.link_spec import LinkSpec
from nser_pmt.linkage.linking import link
from nser_pmt.registry import _records as records
from nser_pmt.registry._batch import CHANGE, FORM, REASON, ROW, Batch, reject
from nser_pmt.registry._look_up import LookUp

__all__ = ["link_rows"]

_GROUP = "_group"
_LINKED: dict[str, pl.DataType] = {ROW: pl.UInt32(), "home": pl.UInt64(), "person": pl.UInt64()}

# Odds of the names and the sex among people born on one day, in the order of magnitude that
# learning on registries gives; a match must be thousand times likelier than chance.
_LEAST_WEIGHT = 10.0


def link_rows(batch: Batch, known: LookUp, born: Callable[[pl.Series], pl.DataFrame]) -> None:
    """Fill in hh_id and person_id, and give a reason to rows that cannot be linked.

    Parameters
    ----------
    batch
        Changed in place.
    known
        The registry as it is.
    born
        Returns the people of the registry with some dates of birth.
    """
    people, households = batch.people, batch.households
    form = pl.format("form {}", FORM)
    alone = pl.format("row {}", ROW)
    lacking = pl.col("hh_id").is_null()
    if (
        not households.select(lacking.any()).item()
        and not people.select(
            (lacking | (pl.col("person_id").is_null() & (pl.col(CHANGE) != "joined"))).any()
        ).item()
    ):
        return
    people = people.with_columns(pl.coalesce(form, alone).alias(_GROUP))
    households = households.with_columns(form.alias(_GROUP))

    said = pl.concat([frame.select(_GROUP, "hh_id") for frame in (people, households)])
    homes = _agreed(said.drop_nulls())
    linked = pl.DataFrame(schema=_LINKED)
    for by_name in (False, True):
        left = _unlinked(people, homes, linked)
        found = _by_name(left, born) if by_name else _by_number(left, known)
        # Where the household is known, only its own members count.
        found = found.join(people.select(ROW, _GROUP, "hh_id"), on=ROW).join(
            homes, on=_GROUP, how="left"
        )
        own = pl.coalesce("hh_id", pl.when(pl.col("homes") == 1).then("agreed"))
        found = found.filter(own.is_null() | (own == pl.col("home")))
        more = _agreed(found.filter(own.is_null()).select(_GROUP, pl.col("home").alias("hh_id")))
        homes = pl.concat([homes, more.join(homes, on=_GROUP, how="anti")])
        linked = pl.concat([linked, found.select(ROW, "home", "person")])

    # One person to a row: two candidates in the household are none.
    one = linked.unique().group_by(ROW, "home").agg(pl.col("person").first(), n=pl.len())
    one = one.filter(pl.col("n") == 1).drop("n")
    people = _with_homes(people, homes)
    people = people.join(
        one, left_on=[ROW, "hh_id"], right_on=[ROW, "home"], how="left", maintain_order="left"
    )
    batch.people = people.with_columns(
        pl.when(pl.col(CHANGE) == "joined")
        .then("person_id")
        .otherwise(pl.coalesce("person_id", "person"))
        .alias("person_id")
    ).drop("person")
    batch.households = _with_homes(households, homes)


def _agreed(rows: pl.DataFrame) -> pl.DataFrame:
    """Return each group's household, and how many it has."""
    return rows.group_by(_GROUP).agg(
        pl.col("hh_id").min().alias("agreed"), pl.col("hh_id").n_unique().alias("homes")
    )


def _with_homes(frame: pl.DataFrame, homes: pl.DataFrame) -> pl.DataFrame:
    joined = frame.join(homes, on=_GROUP, how="left", maintain_order="left")
    joined = reject(
        joined, "ambiguous_household", pl.col("hh_id").is_null() & (pl.col("homes") > 1)
    )
    filled = pl.coalesce("hh_id", pl.when(pl.col("homes") == 1).then("agreed"))
    joined = joined.with_columns(filled.alias("hh_id"))
    joined = reject(joined, "unknown_household", pl.col("hh_id").is_null())
    return joined.drop(_GROUP, "agreed", "homes")


def _unlinked(people: pl.DataFrame, homes: pl.DataFrame, linked: pl.DataFrame) -> pl.DataFrame:
    """Return people of the registry whose household or id is not known yet."""
    rest = people.filter(
        pl.col(REASON).is_null()
        & (pl.col(CHANGE) != "joined")
        & (pl.col("hh_id").is_null() | pl.col("person_id").is_null())
    ).join(linked, on=ROW, how="anti")
    placed = pl.col("person_id").is_not_null() & pl.col("agreed").is_not_null()
    return rest.join(homes, on=_GROUP, how="left").filter(~placed).drop("agreed", "homes")


def _by_number(people: pl.DataFrame, known: LookUp) -> pl.DataFrame:
    if records.CNIC not in people.columns:
        return pl.DataFrame(schema=_LINKED)
    wanted = people.select(
        ROW, records.numbers(people.get_column(records.CNIC)).alias("number")
    ).drop_nulls()
    holders = known.holders(wanted.get_column("number").unique().sort())
    return wanted.join(holders, on="number").select(
        ROW, pl.col("hh_id").alias("home"), pl.col("person_id").alias("person")
    )


def _by_name(people: pl.DataFrame, born: Callable[[pl.Series], pl.DataFrame]) -> pl.DataFrame:
    none = pl.DataFrame(schema=_LINKED)
    if not {"name", "birth_date"} <= set(people.columns):
        return none
    wanted = people.drop_nulls(["name", "birth_date"])
    dates = wanted.get_column("birth_date").unique()
    candidates = born(dates) if wanted.height else people.clear()
    if not candidates.height:
        return none
    kept = ["name", "birth_date", *(c for c in ("father_name", "sex") if c in people.columns)]
    left = wanted.select(pl.col(ROW).cast(pl.Int64).alias("id"), *kept)
    candidates = candidates.with_row_index("id").with_columns(pl.col("id").cast(pl.Int64))
    pairs = link(left, candidates.select("id", *kept), _spec(kept), id="id")
    near = pairs.filter(pl.col("match_weight") >= _LEAST_WEIGHT)
    return near.join(
        candidates.select("id", "hh_id", "person_id"), left_on="id_right", right_on="id"
    ).select(
        pl.col("id_left").cast(pl.UInt32).alias(ROW),
        pl.col("hh_id").alias("home"),
        pl.col("person_id").alias("person"),
    )


def _spec(columns: list[str]) -> LinkSpec:
    weighed = [
        compare.name("name", levels=[0.92, 0.8], frequency="none").with_chances(
            m=[0.7, 0.2, 0.08, 0.02], u=[0.0005, 0.002, 0.01, 0.9875]
        )
    ]
    if "father_name" in columns:
        weighed.append(
            compare.name("father_name", levels=[0.92, 0.8], frequency="none").with_chances(
                m=[0.7, 0.2, 0.08, 0.02], u=[0.0005, 0.002, 0.01, 0.9875]
            )
        )
    if "sex" in columns:
        weighed.append(
            compare.exact("sex", frequency="none").with_chances(m=[0.99, 0.01], u=[0.5, 0.5])
        )
    return LinkSpec(compare=weighed, block_on=[["birth_date"]], prior=0.5)
