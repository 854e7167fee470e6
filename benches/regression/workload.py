"""Made-up surveys for the regression suite."""

from __future__ import annotations

import numpy as np
import polars as pl

import nser_pmt as nser


def survey(rows: int, columns: int, clusters: int, seed: int = 1) -> pl.DataFrame:
    """Half of the columns are 0 or 1; ``y`` is a number and ``poor`` is 0 or 1."""
    rng = np.random.default_rng(seed)
    data = {}
    score = np.full(rows, -0.3)
    for j in range(columns):
        x = rng.random(rows) if j % 2 else (rng.random(rows) < 0.3).astype(float)
        data[f"x{j}"] = x
        score += 0.6 * np.sin(0.7 * (j + 1)) * x
    noise = rng.logistic(size=rows)
    return pl.DataFrame(
        data
        | {
            "y": score + noise * (0.5 + data["x1"]),
            "poor": (score + noise > 0).astype(float),
            "w": rng.uniform(0.5, 2.0, rows),
            "cluster": np.sort(rng.integers(0, clusters, rows)),
        }
    )


def spec(columns: int, target: str, *, weighted: bool, psu: str | None = None) -> nser.ModelSpec:
    weights = "w" if weighted else None
    terms = [f"x{j}" for j in range(columns)]
    return nser.ModelSpec(target=target, terms=terms, weights=weights, psu=psu)
