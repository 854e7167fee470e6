"""A survey of made-up households, and totals that some weights near its own have."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

MARGINS = {"district": 140, "area": 2, "roof": 8, "toilet": 6, "education": 12}


class Workload(NamedTuple):
    survey: pl.DataFrame
    margins: pl.DataFrame
    """Totals of the five margins."""
    both: pl.DataFrame
    """The same, with two sums."""


def workload(rows: int) -> Workload:
    rng = np.random.default_rng(20170315)
    columns = {
        name: rng.choice(levels, rows, p=rng.dirichlet(np.full(levels, 5.0))).astype(np.uint8)
        for name, levels in MARGINS.items()
    }
    weights = rng.uniform(10.0, 60.0, rows)
    numbers = {"age": rng.gamma(4.0, 10.0, rows), "members": rng.poisson(5.0, rows) + 1.0}
    totals = []
    for name, levels in MARGINS.items():
        sums = np.bincount(columns[name], weights, levels) * rng.uniform(0.8, 1.25, levels)
        sums *= weights.sum() / sums.sum()
        totals += [(name, str(level), total) for level, total in enumerate(sums)]
    moved = [
        (name, None, float((weights * values).sum()) * times)
        for (name, values), times in zip(numbers.items(), (1.02, 0.98), strict=True)
    ]
    schema = {"variable": pl.String, "level": pl.String, "total": pl.Float64}
    return Workload(
        pl.DataFrame(columns | numbers | {"w": weights}),
        pl.DataFrame(totals, schema=schema, orient="row"),
        pl.DataFrame(totals + moved, schema=schema, orient="row"),
    )


def as_text(survey: pl.DataFrame) -> pl.DataFrame:
    return survey.with_columns(pl.col(name).cast(pl.String) for name in MARGINS)


def as_enum(survey: pl.DataFrame) -> pl.DataFrame:
    return as_text(survey).with_columns(
        pl.col(name).cast(pl.Enum([str(k) for k in range(levels)]))
        for name, levels in MARGINS.items()
    )
