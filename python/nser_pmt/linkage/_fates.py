"""What became of each true pair: found, or lost at which stage."""

from __future__ import annotations

import polars as pl

from nser_pmt.linkage._truth import Truth

__all__ = ["by_kind", "fates", "lost", "stages"]

_STAGES = (
    "found",
    "joined_by_clustering",
    "cut_by_clustering",
    "scored_too_low",
    "not_blocked",
    "not_linked",
)
_LOST = _STAGES[2:]
_STAGE = pl.Enum(_STAGES)


def fates(
    truth: Truth,
    *,
    weights: pl.DataFrame | None,
    threshold: float,
    codes: pl.Series | None,
    compared: pl.Series | None,
) -> pl.DataFrame:
    """Return ``id_left``, ``id_right``, ``match_weight`` and ``stage`` of every true pair.

    `weights` has ``pair`` and ``match_weight`` of those among the links, `codes` the cluster of
    each record, `compared` the numbers of the true pairs among the candidates.
    """
    pairs = truth.pairs.with_row_index("pair")
    if weights is None:
        pairs = pairs.with_columns(match_weight=pl.lit(None, pl.Float64))
    else:
        pairs = pairs.join(weights, on="pair", how="left", maintain_order="left")
    weight = pl.col("match_weight")
    listed, linked = weight.is_not_null(), (weight >= threshold).fill_null(False)
    apart = pl.when(listed)
    if compared is None:
        lost = apart.then(pl.lit("scored_too_low")).otherwise(pl.lit("not_linked"))
    else:
        pairs = pairs.with_columns(compared=pl.col("pair").is_in(compared.implode()))
        blocked = apart.then(pl.lit("scored_too_low")).when("compared")
        lost = blocked.then(_low(weights)).otherwise(pl.lit("not_blocked"))
    if codes is None:
        stage = pl.when(linked).then(pl.lit("found")).otherwise(lost)
    else:
        one = codes.gather(pairs.get_column("left")) == codes.gather(pairs.get_column("right"))
        pairs = pairs.with_columns(one.alias("together"))
        joined = pl.lit("found" if weights is None else "joined_by_clustering")
        stage = (
            pl.when(pl.col("together") & linked)
            .then(pl.lit("found"))
            .when("together")
            .then(joined)
            .when(linked)
            .then(pl.lit("cut_by_clustering"))
            .otherwise(lost)
        )
    return pairs.select(
        "pair", "id_left", "id_right", "match_weight", stage.cast(_STAGE).alias("stage")
    )


def _low(weights: pl.DataFrame | None) -> pl.Expr:
    """Stage of a candidate that is not among the links; by clusters alone it is unknown."""
    return pl.lit("not_linked" if weights is None else "scored_too_low")


def stages(fates: pl.DataFrame) -> pl.DataFrame:
    """Count the true pairs of each stage that occurs, as ``stage``, ``pairs``, ``share``."""
    counted = fates.group_by("stage").agg(pairs=pl.len().cast(pl.Int64)).sort("stage")
    return counted.with_columns(share=pl.col("pairs") / pl.col("pairs").sum())


def lost(fates: pl.DataFrame) -> pl.DataFrame:
    """Return the true pairs that are lost."""
    return fates.filter(pl.col("stage").is_in(_LOST)).drop("pair")


def by_kind(fates: pl.DataFrame, kinds: pl.DataFrame) -> pl.DataFrame:
    """Count by kind of error: `kinds` has ``pair`` and ``kind``."""
    stage = pl.col("stage")
    counts = {s: (stage == s).sum().cast(pl.Int64) for s in _LOST}
    return (
        kinds.join(fates.select("pair", "stage"), on="pair")
        .group_by("kind")
        .agg(
            true_pairs=pl.len().cast(pl.Int64),
            found=(~stage.is_in(_LOST)).sum().cast(pl.Int64),
            **counts,
        )
        .with_columns(recall=pl.col("found") / pl.col("true_pairs"))
        .select("kind", "true_pairs", "found", "recall", *_LOST)
        .sort("kind", nulls_last=True)
    )
