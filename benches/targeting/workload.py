"""A registry with the truth: scores, welfare and weights from a seed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

RATE = 0.2
POINTS = 2_000  # distinct scores of a card with decimals, about


class Registry(NamedTuple):
    """The frame, and the line with `RATE` of the people below it."""

    frame: pl.DataFrame
    line: float


def registry(rows: int, *, points: bool, units: int = 0) -> Registry:
    """Make log welfare, and a score that explains half of it; whole points, or as it comes."""
    rng = np.random.default_rng(7)
    psu = np.sort(rng.integers(0, max(units, 1), rows).astype(np.uint32))
    welfare = rng.normal(size=rows) + 0.4 * rng.normal(size=max(units, 1))[psu]
    score = 0.5 * welfare + rng.normal(scale=0.5, size=rows)
    if points:
        score = np.round(score * POINTS / 6) / 10
    weights = rng.integers(200, 4_000, rows) / 4
    columns = {"score": score, "welfare": welfare, "w": weights}
    if units:
        columns |= {"psu": psu, "stratum": psu % 12}
    return Registry(pl.DataFrame(columns), float(np.quantile(welfare, RATE)))
