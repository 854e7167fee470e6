"""Counts and shares of `evaluate_links`: by threshold, by weight, by cluster.

Counts are whole numbers. Sums of fractions are taken over sorted values in one run, so that no
result depends on the order of rows or on threads.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from nser_pmt.linkage._ids import Frame
from nser_pmt.linkage._truth import Truth

__all__ = [
    "ClusterQuality",
    "calibration",
    "cluster_codes",
    "curve",
    "f1",
    "measure_clusters",
    "share",
    "steps",
]


def share(part: float, whole: int) -> float | None:
    """Return part / whole, or none of nothing."""
    return part / whole if whole else None


def f1(hits: int, predicted: int, true: int) -> float | None:
    """Return 2 TP / (predicted + true)."""
    return share(2 * hits, predicted + true)


def steps(weights: pl.Series, true: pl.Series) -> pl.DataFrame:
    """Count links and true pairs of each distinct weight: ``weight`` (rising), ``n``, ``t``."""
    tables = []
    for column, counted, other in ((weights, "n", "t"), (true, "t", "n")):
        # Of the two zeros, one: Polars leaves out the addition of 0.
        runs = column.zip_with(column != 0, pl.Series([0.0])).sort().rle().struct
        count = runs.field("len").cast(pl.Int64)
        table = pl.DataFrame({"weight": runs.field("value"), counted: count, other: count * 0})
        tables.append(table.select("weight", "n", "t"))
    return pl.concat(tables).group_by("weight").sum().sort("weight").rechunk()


def curve(steps: pl.DataFrame, true: int, thresholds: Sequence[float] | None) -> pl.DataFrame:
    """Measure the links of at least each weight, or each threshold given."""
    counted = steps.select(
        threshold="weight",
        predicted=pl.col("n").cum_sum(reverse=True),
        true_positives=pl.col("t").cum_sum(reverse=True),
    )
    if thresholds is not None:
        asked = pl.Series("threshold", sorted({float(t) for t in thresholds}), dtype=pl.Float64)
        # The first weight that is not below the threshold; above all of them nothing is predicted.
        at = counted.get_column("threshold").search_sorted(asked, side="left")
        end = pl.DataFrame([(math.inf, 0, 0)], counted.schema, orient="row")
        counted = pl.concat([counted, end])[at].with_columns(asked)
    predicted, hits = pl.col("predicted"), pl.col("true_positives")
    return counted.with_columns(
        precision=pl.when(predicted > 0).then(hits / predicted),
        recall=pl.when(true > 0).then(hits / true),
        f1=pl.when(predicted + true > 0).then(2 * hits / (predicted + true)),
    )


def calibration(steps: pl.DataFrame) -> tuple[pl.DataFrame, float | None]:
    """Compare weights with shares of true pairs, a bit at a time; and the Brier score."""
    weight, n, t, p = (pl.col(name) for name in ("weight", "n", "t", "p"))
    steps = steps.with_columns(
        p=1 / (1 + pl.lit(2.0).pow(-weight)), bin=weight.floor().clip(-_FAR, _FAR)
    )
    steps = steps.with_columns(error=t * (1 - p) ** 2 + (n - t) * p**2)
    rows = []
    for part in steps.partition_by("bin", maintain_order=True):
        pairs, true = int(part.get_column("n").sum()), int(part.get_column("t").sum())
        expected = _sum(part.select(p * n))
        low = part.get_column("bin").item(0)
        rows.append((low, low + 1, pairs, true, true / pairs, expected / pairs))
    pairs = int(steps.get_column("n").sum())
    return pl.DataFrame(rows, _CALIBRATION, orient="row"), share(_sum(steps.select("error")), pairs)


def _sum(one: pl.DataFrame) -> float:
    """Sum a column in one run, in order."""
    return float(one.to_series().rechunk().sum())


_FAR = 64.0  # a probability is 0 or 1 by then

_CALIBRATION = {
    "weight_from": pl.Float64,
    "weight_to": pl.Float64,
    "pairs": pl.Int64,
    "true_pairs": pl.Int64,
    "share_true": pl.Float64,
    "expected": pl.Float64,
}


@dataclass(frozen=True, kw_only=True)
class ClusterQuality:
    """How good clusters are, as pairs, as records and as persons.

    ``predicted`` and ``true_positives`` are pairs of records in one cluster; ``exact_share`` is the
    share of persons whose cluster holds all of their records and no other. ``sizes`` has ``size``
    and ``clusters``, how many clusters are of this size, those of one record included.
    """

    predicted: int
    true_positives: int
    precision: float | None
    recall: float | None
    f1: float | None
    b_cubed_precision: float | None
    b_cubed_recall: float | None
    exact_share: float | None
    sizes: pl.DataFrame


def cluster_codes(truth: Truth, clusters: Frame) -> pl.Series:
    """Return a code for the cluster of each record; who is in no cluster is alone."""
    given = truth.clusters(clusters)
    assert truth.ids is not None
    every = truth.ids.select("row").join(given, on="row", how="left", maintain_order="left")
    return every.select(pl.coalesce("code", -1 - pl.col("row").cast(pl.Int64))).to_series()


def measure_clusters(truth: Truth, codes: pl.Series) -> ClusterQuality:
    """Measure clusters: the formulas are in `evaluate_links`."""
    assert truth.entity is not None
    records = pl.DataFrame({"cluster": codes, "entity": truth.entity})
    cells = records.group_by("cluster", "entity").agg(n=pl.len().cast(pl.Int64))
    cells = cells.with_columns(
        c=pl.col("n").sum().over("cluster"), e=pl.col("n").sum().over("entity")
    )
    together = _pairs(records.group_by("cluster").len().get_column("len"))
    true = truth.pairs.height
    hits = _pairs(cells.get_column("n"))
    exact = cells.filter(pl.col("n") == pl.col("c"), pl.col("n") == pl.col("e")).height
    sizes = records.group_by("cluster").len("size").group_by("size").len("clusters").sort("size")
    return ClusterQuality(
        predicted=together,
        true_positives=hits,
        precision=share(hits, together),
        recall=share(hits, true),
        f1=f1(hits, together, true),
        b_cubed_precision=_b_cubed(cells, "c"),
        b_cubed_recall=_b_cubed(cells, "e"),
        exact_share=share(exact, records.get_column("entity").n_unique()),
        sizes=sizes.cast(pl.Int64),
    )


def _pairs(sizes: pl.Series) -> int:
    n = sizes.cast(pl.Int64)
    return int((n * (n - 1) // 2).sum())


def _b_cubed(cells: pl.DataFrame, size: str) -> float | None:
    """Mean over records of n / size: whole numbers for each size, then few fractions."""
    squares = cells.group_by(size).agg((pl.col("n") ** 2).sum().alias("squares")).sort(size)
    total = math.fsum(s / k for k, s in squares.iter_rows())
    records = int(cells.get_column("n").sum())
    return total / records if records else None
