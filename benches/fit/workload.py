"""A wide survey in clusters, and one of the size that statistical offices publish."""

from __future__ import annotations

import numpy as np
import polars as pl

import nser_pmt as nser


def clustered(rows: int, columns: int, clusters: int) -> pl.DataFrame:
    """Return columns x0, x1 ..., a cluster effect in the target, weights; rows lie by cluster."""
    random = np.random.default_rng(1)
    cluster = np.arange(rows) * clusters // rows
    x = random.standard_normal((columns, rows))
    effect = random.standard_normal(clusters)[cluster]
    y = 0.1 * x.sum(axis=0) + 0.5 * effect + random.standard_normal(rows)
    frame = {f"x{j}": x[j] for j in range(columns)}
    weights = random.uniform(0.5, 2.0, rows)
    return pl.DataFrame(frame | {"cluster": cluster, "w": weights, "y": y})


def spec(columns: int) -> nser.ModelSpec:
    names = [f"x{j}" for j in range(columns)]
    return nser.ModelSpec(target="y", terms=names, weights="w", psu="cluster")
