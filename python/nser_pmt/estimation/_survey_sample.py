"""Columns of a survey and its design, and the variance of their totals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt
from typing import Any

import polars as pl

from nser_pmt import _engine, _native
from nser_pmt._options import chosen, polars_frame
from nser_pmt.errors import DomainError
from nser_pmt.estimation._least_squares import Lonely
from nser_pmt.estimation._prepared import numbers, read_weights
from nser_pmt.estimation._survey_design import SurveyDesign, read_survey_design

__all__ = ["DesignSample", "mean", "read_design_sample"]

_RUN = {"threads": None, "isa": None, "control": None, "timeout": None, "tick": None}


@dataclass(frozen=True, kw_only=True)
class DesignSample:
    """Columns in the order of the design; every row has a value."""

    values: dict[str, pl.Series]
    weights: pl.Series
    households: int
    units: pl.Series
    stages: Any
    lonely: Lonely
    design: SurveyDesign

    @property
    def weight_sum(self) -> float:
        """Sum of the weights."""
        return float(self.weights.sum())

    def moments(self, name: str) -> _native.Moments:
        """Return sums of products of a column and ones."""
        columns = self._columns(name, [pl.Series("ones", [1.0])])
        rows = len(self.weights)
        return _native.Moments(columns, rows, weights=self.weights, groups=None, run=_RUN)

    def variance(self, name: str, slope: float, of: str | None = None) -> float:
        """Variance of the total of a column less `slope` times another (ones by default)."""
        ones = pl.Series("ones", [1.0])
        other = ones if of is None else self.values[of]
        scores = _native.Scores(
            self._columns(name, [ones, other]),
            len(self.weights),
            [0.0, slope],
            weights=self.weights,
            groups=self.units,
            run=_RUN,
        )
        found = scores.variance(self.stages, self.lonely)
        if isinstance(found, tuple):
            raise self.design.lonely_error(*found)
        return found[0]

    def simple(self, name: str) -> float:
        """Variance of the mean in a simple random sample."""
        n, total = self.households, self.weight_sum
        solution = self.moments(name).solve([0], 0)
        variance = solution["residual"] / total * n / (n - 1) if n > 1 else nan
        return float(variance * (total - n) / (total * n))

    def _columns(self, name: str, series: list[pl.Series]) -> list[tuple[str, Any, int]]:
        series = [*series, self.values[name]]
        return [(s.name, c, len(s)) for s, c in zip(series, _engine.columns(series), strict=True)]


def mean(sample: DesignSample, name: str) -> dict[str, Any]:
    """Estimate a mean, its error and its design effect."""
    estimate = sample.moments(name).solve([0], 0)["coefficients"][0]
    variance = sample.variance(name, estimate) / sample.weight_sum**2
    simple = sample.simple(name)
    deff = variance / simple if simple > 0 else None
    return {"column": name, "estimate": estimate, "se": sqrt(variance), "deff": deff}


def read_design_sample(
    survey: pl.DataFrame,
    names: Sequence[str],
    weights: str | None,
    strata: str | None,
    psu: str | Sequence[str] | None,
    fpc: str | Sequence[str] | None,
    lonely: Lonely,
) -> DesignSample:
    """Read and check the columns of a survey."""
    chosen("lonely_psu", lonely, Lonely)
    polars_frame("survey", survey)
    values = {name: numbers(survey, name) for name in names}
    for name, series in values.items():
        bad = series.is_null() | ~series.is_finite().fill_null(True)
        if bad.any():
            row = bad.arg_max()
            raise DomainError(
                f"column '{name}', row {row}: expected a finite number",
                code="missing_value",
                column=name,
                row=row,
                hint="Leave such households out first",
            )
    weight = read_weights(survey, weights, None)
    if weight is None:
        weight = pl.repeat(1.0, survey.height, eager=True)
    stage_names = [
        () if s is None else (s,) if isinstance(s, str) else tuple(s) for s in (psu, fpc)
    ]
    design = read_survey_design(survey, strata=strata, psu=stage_names[0], fpc=stage_names[1])
    if design.order is not None:
        values = {name: series.gather(design.order) for name, series in values.items()}
        weight = weight.gather(design.order)
    stages = design.stages if design.stages[0][1] else design.stages[:1]
    if design.units:
        units = design.units[len(stages) - 1]
    else:
        units = pl.select(pl.int_range(survey.height, dtype=pl.UInt32)).to_series()
    return DesignSample(
        values={name: series.rechunk() for name, series in values.items()},
        weights=weight.rechunk(),
        households=int((weight > 0).sum()),
        units=units.rechunk(),
        stages=stages,
        lonely=lonely,
        design=design,
    )
