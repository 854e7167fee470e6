"""Which rows of a batch can be applied, and the households as they are afterwards.

The rows of a household are applied together or not at all: with one row wrong, a score of the rest
would be of a household that nobody reported.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from nser_pmt.registry import _records as records
from nser_pmt.registry._batch import CHANGE, FORM, REASON, ROW, WRONG, Batch, reject
from nser_pmt.registry._look_up import LookUp

__all__ = ["Applied", "apply_batch"]

_PERSON = ["hh_id", "person_id"]


@dataclass(frozen=True)
class Applied:
    """The households that a batch touches, before and after, and the rows to add to the tables."""

    households_before: pl.DataFrame
    decisions_before: pl.DataFrame
    households: pl.DataFrame
    people: pl.DataFrame
    new_households: pl.DataFrame
    new_people: pl.DataFrame


def apply_batch(batch: Batch, known: LookUp) -> Applied:
    """Reject what cannot be applied, in `batch` itself, and apply the rest to what is known."""
    ids = pl.concat([batch.households.get_column("hh_id"), batch.people.get_column("hh_id")])
    ids = ids.drop_nulls().unique().sort()
    households = known.rows("households", ids)
    people = known.rows("people", ids)
    _check_keys(batch)
    _check_known(batch, households, people)
    _together(batch)
    _check_numbers(batch, people, known)

    change_h = _accepted(batch.households)
    change_p = _accepted(batch.people)
    touched = pl.concat([change_h.select("hh_id"), change_p.select("hh_id")]).unique().sort("hh_id")
    before = households.join(touched, on="hh_id", how="semi", maintain_order="left")
    gone = change_h.filter(pl.col(CHANGE) == "removed").select("hh_id")
    members = people.join(touched, on="hh_id", how="semi", maintain_order="left")

    columns_h = [
        name for name in change_h.columns if name not in (ROW, CHANGE, FORM, REASON, WRONG)
    ]
    columns_p = [
        name for name in change_p.columns if name not in (ROW, CHANGE, FORM, REASON, WRONG)
    ]
    rows_h = change_h.with_columns(removed=pl.col(CHANGE) == "removed").select(
        *columns_h, "removed"
    )
    rows_p = change_p.with_columns(removed=pl.col(CHANGE) == "left").select(*columns_p, "removed")
    # With a household go all its people.
    follow = members.join(gone, on="hh_id", how="semi").join(rows_p, on=_PERSON, how="anti")
    rows_p = pl.concat(
        [rows_p, follow.select(_PERSON).with_columns(removed=pl.lit(value=True))], how="diagonal"
    )
    return Applied(
        households_before=before,
        decisions_before=known.rows("decisions", touched.get_column("hh_id")),
        households=_replaced(before, rows_h, ["hh_id"]),
        people=_replaced(members, rows_p, _PERSON),
        new_households=rows_h.sort("hh_id"),
        new_people=rows_p.sort(_PERSON),
    )


def _replaced(old: pl.DataFrame, rows: pl.DataFrame, keys: list[str]) -> pl.DataFrame:
    """Return the old rows with the new ones in their place, in the columns of the old."""
    kept = old.join(rows, on=keys, how="anti")
    new = rows.filter(~pl.col("removed")).select(old.columns)
    if records.CNIC in old.columns and "person_id" in old.columns:
        # As the records give it: digits, or nothing.
        from nser_pmt import cnic

        new = new.with_columns(cnic.normalize(records.CNIC))
    return pl.concat([kept, new]).sort(keys)


def _accepted(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.filter(pl.col(REASON).is_null())


def _check_keys(batch: Batch) -> None:
    twice = pl.col("hh_id").is_duplicated() & pl.col("hh_id").is_not_null()
    batch.households = reject(batch.households, "no_key", pl.col("hh_id").is_null())
    batch.households = reject(batch.households, "twice_in_batch", twice)
    people = reject(batch.people, "no_key", pl.col("hh_id").is_null())
    joining = pl.col("person_id").is_null()
    people = reject(people, "no_key", joining & (pl.col(CHANGE) == "joined"))
    people = reject(people, "unknown_person", joining)
    both = pl.struct(_PERSON).is_duplicated() & pl.col("person_id").is_not_null()
    batch.people = reject(people, "twice_in_batch", both)


def _check_known(batch: Batch, households: pl.DataFrame, people: pl.DataFrame) -> None:
    there = pl.col("hh_id").is_in(households.get_column("hh_id").implode())
    new = pl.col(CHANGE) == "new"
    rows = reject(batch.households, "household_exists", new & there)
    batch.households = reject(rows, "unknown_household", ~new & ~there)

    stated = _accepted(batch.households)
    coming = stated.filter(pl.col(CHANGE) == "new").get_column("hh_id").implode()
    going = stated.filter(pl.col(CHANGE) == "removed").get_column("hh_id").implode()
    rows = reject(batch.people, "unknown_household", ~there & ~pl.col("hh_id").is_in(coming))
    leaving = pl.col(CHANGE) == "left"
    rows = reject(rows, "household_removed", pl.col("hh_id").is_in(going) & ~leaving)
    member = people.select(*_PERSON, _member=pl.lit(value=True))
    rows = rows.join(member, on=_PERSON, how="left", maintain_order="left")
    is_member = pl.col("_member").fill_null(value=False)
    joined = pl.col(CHANGE) == "joined"
    rows = reject(rows, "person_exists", joined & is_member)
    rows = reject(rows, "unknown_person", ~joined & ~is_member)
    batch.people = rows.drop("_member")


def _together(batch: Batch) -> None:
    """Reject every row of a household of which a row is rejected."""
    wrong = pl.concat(
        [
            frame.filter(pl.col(REASON).is_not_null()).select("hh_id", FORM)
            for frame in (batch.households, batch.people)
        ]
    )
    homes = wrong.get_column("hh_id").drop_nulls().unique()
    forms = wrong.get_column(FORM).drop_nulls().unique()
    partly = pl.col("hh_id").is_in(homes.implode()) | pl.col(FORM).is_in(forms.implode())
    batch.households = reject(batch.households, "incomplete_household", partly)
    batch.people = reject(batch.people, "incomplete_household", partly)


def _check_numbers(batch: Batch, people: pl.DataFrame, known: LookUp) -> None:
    """Reject an identity number that somebody else would still have afterwards.

    What is rejected may be what would have freed another number: so again, until all is well.
    """
    if records.CNIC not in people.columns:
        return
    own = people.select(*_PERSON, had=records.numbers(people.get_column(records.CNIC)))
    rows = batch.people.with_columns(
        records.numbers(batch.people.get_column(records.CNIC)).alias("number")
    ).join(own, on=_PERSON, how="left", maintain_order="left")
    brings = (
        (pl.col(CHANGE) != "left")
        & pl.col("number").is_not_null()
        & pl.col("had").ne_missing(pl.col("number"))
    )
    bringing = rows.filter(brings)
    holders = known.holders(bringing.get_column("number").unique().sort())
    freed_rows = rows.filter(
        (pl.col(CHANGE) == "left") | pl.col("had").ne_missing(pl.col("number"))
    )
    while True:
        accepted = _accepted(batch.people).select(ROW)
        gone = _accepted(batch.households).filter(pl.col(CHANGE) == "removed").select("hh_id")
        freed = freed_rows.join(accepted, on=ROW, how="semi").select(_PERSON)
        staying = holders.join(freed, on=_PERSON, how="anti").join(gone, on="hh_id", how="anti")
        now = bringing.join(accepted, on=ROW, how="semi")
        held = pl.col("number").is_in(staying.get_column("number").implode())
        wrong = now.filter(held | pl.col("number").is_duplicated()).get_column(ROW)
        if not len(wrong):
            return
        batch.people = reject(batch.people, "cnic_elsewhere", pl.col(ROW).is_in(wrong.implode()))
        _together(batch)
