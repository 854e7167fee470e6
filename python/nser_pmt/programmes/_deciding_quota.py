"""Quotas: places or money for the first of a ranking of the eligible, ties as stated."""

from __future__ import annotations

import polars as pl

from nser_pmt.errors import SchemaError
from nser_pmt.programmes._compile import Reader
from nser_pmt.programmes._deciding_plan import DECISION
from nser_pmt.programmes._deciding_reasons import reason
from nser_pmt.programmes._parts import Quota

__all__ = ["within_quotas"]

_WANTED, _BEFORE, _THROUGH = "__nser_pmt_wanted", "__nser_pmt_before", "__nser_pmt_through"
_IN = "__nser_pmt_in"


def within_quotas(
    frame: pl.LazyFrame, quota: Quota, names: dict[str, str], reader: Reader, reasons: pl.DataType
) -> pl.LazyFrame:
    """Turn those eligible who do not fit into ``over_quota``.

    The whole table is ranked: rows that tie on the whole ranking are one group, groups follow in
    order, and the first group that does not fit ends the quota. Null (and NaN) ranks last.
    """
    keys = {f"__nser_pmt_rank_{n}": key for n, key in enumerate(quota.rank_by)}
    for key in quota.rank_by:
        if key.column not in reader.schema:
            raise _missing(key.column, quota)
    if quota.per is not None and quota.per not in reader.schema:
        raise _missing(quota.per, quota)
    ranks = []
    for name, key in keys.items():
        rank = pl.col(key.column)
        if reader.schema[key.column].is_float():
            rank = pl.when(rank.is_not_nan()).then(rank + 0.0)  # -0.0 is 0.0
        ranks.append(rank.alias(name))
    per = [pl.col(quota.per).alias("__nser_pmt_per")] if quota.per is not None else []
    groups = [*(["__nser_pmt_per"] if per else []), *keys]
    eligible, amount = pl.col(names["eligible"]), pl.col(names["amount"])
    frame = frame.with_columns(*per, *ranks)
    if quota.budget is not None:
        frame = _without_unknown_amounts(frame, quota, names, reasons)
    weight = pl.lit(1, dtype=pl.Int64) if quota.budget is None else amount
    room = quota.places if quota.budget is None else quota.budget
    through = pl.col(_WANTED).cum_sum()
    if per:
        through = through.over("__nser_pmt_per")
    table = (
        frame.filter(eligible)
        .with_columns(weight.alias(_WANTED))
        .group_by(groups)
        .agg(pl.col(_WANTED).sum())
        .sort(
            groups,
            descending=[False] * len(per) + [key.descending for key in keys.values()],
            nulls_last=True,
            maintain_order=True,
        )
        .with_columns(through.alias(_THROUGH))
        .with_columns((pl.col(_THROUGH) - pl.col(_WANTED)).alias(_BEFORE))
        .select(
            *groups,
            (pl.col(_BEFORE) < room if quota.ties == "include" else pl.col(_THROUGH) <= room).alias(
                _IN
            ),
        )
    )
    over = pl.col(names["eligible"]) & ~pl.col(_IN)
    return (
        frame.join(table, on=groups, how="left", nulls_equal=True, maintain_order="left")
        .with_columns(
            pl.when(over).then(False).otherwise(eligible).alias(names["eligible"]),
            pl.when(over)
            .then(pl.lit("over_quota", dtype=DECISION))
            .otherwise(pl.col(names["decision"]))
            .alias(names["decision"]),
            pl.when(over)
            .then(reason(quota.id, reasons))
            .otherwise(pl.col(names["reasons"]))
            .alias(names["reasons"]),
            pl.when(over).then(None).otherwise(amount).alias(names["amount"]),
        )
        .drop(*groups, _IN)
    )


def _without_unknown_amounts(
    frame: pl.LazyFrame, quota: Quota, names: dict[str, str], reasons: pl.DataType
) -> pl.LazyFrame:
    """Make those eligible whose amount is not known undecided: a budget cannot count them."""
    open_ = pl.col(names["eligible"]) & pl.col(names["amount"]).is_null()
    changed = {
        "eligible": pl.lit(None, dtype=pl.Boolean),
        "decision": pl.lit("needs_data", dtype=DECISION),
        "reasons": reason(f"{quota.id}:amount", reasons),
    }
    return frame.with_columns(
        pl.when(open_).then(value).otherwise(pl.col(names[n])).alias(names[n])
        for n, value in changed.items()
    )


def _missing(column: str, quota: Quota) -> SchemaError:
    return SchemaError(
        f"column '{column}' is missing; quota '{quota.id}' reads it",
        code="missing_column",
        column=column,
    )
