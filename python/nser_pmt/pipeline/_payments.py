"""Who is paid how much: one row for each household and programme, identities masked."""

from __future__ import annotations

import datetime

import polars as pl

from nser_pmt import cnic

__all__ = ["HELD", "PAYMENTS", "masked_name", "pay", "quarter"]

HELD = pl.Enum(["no_recipient", "not_verified", "paid_elsewhere", "amount_unknown"])
"""Why a payment is held: nobody of the household may receive it; her number is not confirmed; the
same person receives it for another household; no source says how much it is, or an answer that it
depends on is missing."""

PAYMENTS = pl.Schema(
    {
        "programme": pl.String(),
        "quarter": pl.String(),
        "hh_id": pl.Int64(),
        "person_id": pl.Int64(),
        "cnic": pl.String(),
        "name": pl.String(),
        "entitled": pl.UInt32(),
        "amount": pl.Int64(),
        "held": HELD,
    }
)
"""``entitled``: persons of the household for whom it is paid, 1 for a programme of households."""

# Who is first asked to receive it, where several may.
_RELATIONS = {"head": 0, "wife": 1, "mother": 2}


def quarter(on: datetime.date) -> str:
    """Return the quarter of a day, such as ``2024-Q2``."""
    return f"{on.year}-Q{(on.month + 2) // 3}"


def masked_name(name: str) -> pl.Expr:
    """Return the first letter of each word of a column."""
    return pl.col(name).str.strip_chars().str.replace_all(r"(\w)\w*", "${1}***")


def choose_recipients(may_receive: pl.DataFrame) -> pl.DataFrame:
    """Return one person for each household.

    First one whose number is confirmed; then the head, the head's wife, his mother; then the
    eldest; then the smallest id.
    """
    relation = pl.lit(len(_RELATIONS))
    if "relation" in may_receive.columns:
        relation = (
            pl.col("relation")
            .cast(pl.String)
            .replace_strict(_RELATIONS, default=len(_RELATIONS), return_dtype=pl.Int32)
        )
    ranked = may_receive.with_columns(
        __number=~pl.col("cnic_verified").fill_null(False), __relation=relation
    ).sort("hh_id", "__number", "__relation", "birth_date", "person_id", nulls_last=True)
    return ranked.unique("hh_id", keep="first", maintain_order=True).select(
        "hh_id", "person_id", "cnic", "name", "cnic_verified"
    )


def pay(
    due: pl.DataFrame,
    recipients: pl.DataFrame,
    persons: pl.DataFrame | None,
    *,
    programme: str,
    on: datetime.date,
    verified: bool,
) -> pl.DataFrame:
    """Return the payments of one programme, those that are held with the reason.

    Parameters
    ----------
    due
        ``hh_id``, ``entitled`` and ``amount`` of each eligible household.
    recipients
        Of `choose_recipients`.
    persons
        ``person_id`` and ``person`` of records of persons who have several.
    programme, on
        What is paid, and when.
    verified
        Whether numbers were verified: then only who is confirmed is paid.
    """
    rows = due.join(recipients, on="hh_id", how="left", maintain_order="left")
    rows = rows.with_columns(
        __person=pl.col("person_id").cast(pl.Int64),
    )
    if persons is not None:
        one = persons.select("person_id", "person")
        rows = rows.join(one, on="person_id", how="left", maintain_order="left").with_columns(
            __person=pl.coalesce("person", "person_id").cast(pl.Int64)
        )
    rows = rows.sort("hh_id")
    free = pl.col("person_id").is_not_null()
    unconfirmed = ~pl.col("cnic_verified").fill_null(False) if verified else pl.lit(False)
    payable = free & ~unconfirmed & pl.col("amount").is_not_null()
    again = payable & (payable.cast(pl.UInt32).cum_sum().over("__person") > 1)
    held = (
        pl.when(~free)
        .then(pl.lit("no_recipient", HELD))
        .when(unconfirmed)
        .then(pl.lit("not_verified", HELD))
        .when(again)
        .then(pl.lit("paid_elsewhere", HELD))
        .when(pl.col("amount").is_null())
        .then(pl.lit("amount_unknown", HELD))
    )
    return rows.select(
        programme=pl.lit(programme),
        quarter=pl.lit(quarter(on)),
        hh_id=pl.col("hh_id").cast(pl.Int64),
        person_id=pl.col("person_id").cast(pl.Int64),
        cnic=cnic.mask("cnic"),
        name=masked_name("name"),
        entitled=pl.col("entitled").cast(pl.UInt32),
        amount=pl.col("amount").cast(pl.Int64),
        held=held,
    )
