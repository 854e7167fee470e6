"""The same totals put to the peers, each given its columns in the form that suits it.

svy rakes by rows, and calibrates by a dense matrix with the linear method only. balance takes no
totals but a target frame: one row for each cell of the margins, with the product of their shares as
its weight.
"""

from __future__ import annotations

import itertools
import logging
import math
from collections.abc import Callable
from typing import Any

import balance
import numpy as np
import numpy.typing as npt
import pandas as pd
import polars as pl
import svy
from balance.weighting_methods.rake import rake as balance_rake

import nser_pmt as nser
from calibrate.data import MARGINS, Workload

Weights = npt.NDArray[np.float64]
TOLERANCE = 1e-8


def ours(survey: pl.DataFrame, totals: pl.DataFrame, **options: Any) -> Callable[[], Weights]:
    return lambda: nser.calibrate(survey, totals, weights="w", **options).weights.to_numpy()


def _levels(totals: pl.DataFrame, name: str) -> dict[int, float]:
    mine = totals.filter(variable=name).select("level", "total")
    return {int(level): total for level, total in mine.iter_rows()}


def svy_rake(work: Workload) -> Callable[[], Weights]:
    controls = {name: _levels(work.margins, name) for name in MARGINS}

    def call() -> Weights:
        sample = svy.Sample(work.survey, svy.Design(wgt="w"))
        raked = sample.weighting.rake(controls=controls, tol=TOLERANCE)
        return raked.data["rk_wgt"].to_numpy()

    return call


def svy_linear(work: Workload, *, sums: bool) -> Callable[[], Weights]:
    controls: dict[Any, Any] = {svy.Cat(name): _levels(work.margins, name) for name in MARGINS}
    if sums:
        rows = work.both.filter(pl.col("level").is_null()).select("variable", "total")
        controls |= dict(rows.iter_rows())

    def call() -> Weights:
        sample = svy.Sample(work.survey, svy.Design(wgt="w"))
        return sample.weighting.calibrate(controls=controls).data["calib_wgt"].to_numpy()

    return call


def balance_raking(work: Workload) -> Callable[[], Weights]:
    logging.getLogger(balance.__name__).setLevel(logging.ERROR)
    names = list(MARGINS)
    margins = [_levels(work.margins, name) for name in names]
    total = sum(margins[0].values())
    cells = list(itertools.product(*margins))
    shares = [math.prod(m[k] / total for m, k in zip(margins, c, strict=True)) for c in cells]
    target = pd.DataFrame(cells, columns=names).astype(str)
    sample = work.survey.select(names).to_pandas().astype(str)
    weights = work.survey["w"].to_pandas()

    def call() -> Weights:
        made = balance_rake(
            sample,
            weights,
            target,
            pd.Series(shares) * total,
            transformations=None,
            convergence_rate=TOLERANCE,
            rate_tolerance=TOLERANCE / 100,
        )
        return np.asarray(made["weight"])

    return call
