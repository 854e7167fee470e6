"""What a change did to the decisions: who enters, who leaves, and what moved the score."""

from __future__ import annotations

import polars as pl

from nser_pmt.programmes._deciding_plan import DECISION
from nser_pmt.registry._rules import RuleBook, moved_terms

__all__ = ["TRANSITIONS", "transitions"]

TRANSITIONS = pl.Enum(["enters", "leaves", "stays", "needs_data"])

_SCHEMA: dict[str, pl.DataType] = {
    "hh_id": pl.UInt64(),
    "programme": pl.Enum([]),
    "transition": TRANSITIONS,
    "pmt_score_before": pl.Float64(),
    "pmt_score": pl.Float64(),
    "score_change": pl.Float64(),
    "term": pl.String(),
    "term_change": pl.Float64(),
    "decision_before": DECISION,
    "decision": DECISION,
    "reasons_before": pl.List(pl.String()),
    "reasons": pl.List(pl.String()),
    "amount_before": pl.Int64(),
    "amount": pl.Int64(),
}


def transitions(
    book: RuleBook,
    households_before: pl.DataFrame,
    households: pl.DataFrame,
    before: pl.DataFrame,
    after: pl.DataFrame,
) -> pl.DataFrame:
    """Return a row for every household and programme, sorted by household.

    Parameters
    ----------
    book
        Rules in force.
    households_before, households
        Answers before and after, sorted by ``hh_id``.
    before, after
        Decisions before and after.
    """
    old = before.rename({n: f"{n}_before" for n in before.columns if n != "hh_id"})
    both = old.join(after, on="hh_id", how="full", coalesce=True).sort("hh_id")
    scores = both.select(
        "hh_id",
        "pmt_score_before",
        "pmt_score",
        score_change=pl.col("pmt_score") - pl.col("pmt_score_before"),
    )
    moved = scores.filter(pl.col("pmt_score").ne_missing(pl.col("pmt_score_before"))).select(
        "hh_id"
    )
    answers = [
        frame.join(moved, on="hh_id", how="semi", maintain_order="left")
        for frame in (households_before, households)
    ]
    # A term can be compared where the household was there before and is there now.
    shared = answers[0].select("hh_id").join(answers[1].select("hh_id"), on="hh_id")
    answers = [f.join(shared, on="hh_id", how="semi", maintain_order="left") for f in answers]
    terms = moved_terms(answers[0], answers[1], book.model)
    scores = scores.join(terms, on="hh_id", how="left", maintain_order="left")
    names = pl.Enum([p.id for p in book.programmes])
    parts = []
    for place, programme in enumerate(book.programmes):
        was, now = pl.col(f"decision_{programme.id}_before"), pl.col(f"decision_{programme.id}")
        in_before = (was == "eligible").fill_null(value=False)
        in_now = (now == "eligible").fill_null(value=False)
        kind = (
            pl.when((now == "needs_data").fill_null(value=False))
            .then(pl.lit("needs_data"))
            .when(in_now & ~in_before)
            .then(pl.lit("enters"))
            .when(in_before & ~in_now)
            .then(pl.lit("leaves"))
            .otherwise(pl.lit("stays"))
        )
        decided = both.select(
            pl.lit(programme.id, names).alias("programme"),
            kind.cast(TRANSITIONS).alias("transition"),
            was.alias("decision_before"),
            now.alias("decision"),
            pl.col(f"reasons_{programme.id}_before").alias("reasons_before"),
            pl.col(f"reasons_{programme.id}").alias("reasons"),
            pl.col(f"amount_{programme.id}_before").alias("amount_before"),
            pl.col(f"amount_{programme.id}").alias("amount"),
        )
        parts.append(scores.hstack(decided).with_columns(pl.lit(place).alias("_place")))
    if not parts:
        return pl.DataFrame(schema=_SCHEMA)
    made = pl.concat(parts).sort("hh_id", "_place")
    return made.select(*_SCHEMA)
