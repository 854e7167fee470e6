"""Means, totals and ratios of a survey with their design errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import nan, sqrt
from typing import Any

import polars as pl

from nser_pmt import _engine, _native
from nser_pmt._least_squares import Lonely
from nser_pmt._options import chosen
from nser_pmt._prepared import numbers, read_weights
from nser_pmt._survey_design import read_survey_design
from nser_pmt.errors import DomainError

__all__ = ["survey_mean", "survey_ratio", "survey_total"]

_RUN = {"threads": None, "isa": None, "control": None, "timeout": None, "tick": None}


def survey_mean(
    survey: pl.DataFrame,
    columns: str | Sequence[str],
    *,
    weights: str | None = None,
    strata: str | None = None,
    psu: str | Sequence[str] | None = None,
    fpc: str | Sequence[str] | None = None,
    lonely_psu: Lonely = "error",
) -> pl.DataFrame:
    """Estimate means and their design errors.

    Parameters
    ----------
    survey
        One row a household.
    columns
        Numeric or Boolean columns.
    weights, strata, psu, fpc
        Columns of the design, as in `ModelSpec`.
    lonely_psu
        As in `fit`.

    Returns
    -------
    DataFrame
        One row for each column: ``column``, ``estimate``, ``se`` and ``deff``, the variance over
        that of a simple random sample of as many households drawn without replacement from as many
        as the weights add up to (null if that is none).

    Raises
    ------
    DomainError
        A value is missing, a weight is impossible, or a stratum has one primary unit.

    Notes
    -----
    Taylor linearisation, as in R's survey.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> homes = nser.synth.households(1000, seed=1)
    >>> nser.survey_mean(homes, ["tv"], psu="province")["column"].to_list()
    ['tv']
    """
    names = [columns] if isinstance(columns, str) else list(columns)
    sample = _read(survey, names, weights, strata, psu, fpc, lonely_psu)
    return pl.DataFrame([_mean(sample, name) for name in names])


def survey_total(
    survey: pl.DataFrame,
    columns: str | Sequence[str],
    *,
    weights: str | None = None,
    strata: str | None = None,
    psu: str | Sequence[str] | None = None,
    fpc: str | Sequence[str] | None = None,
    lonely_psu: Lonely = "error",
) -> pl.DataFrame:
    """Estimate totals and their design errors.

    Parameters
    ----------
    survey, columns, weights, strata, psu, fpc, lonely_psu
        As in `survey_mean`.

    Returns
    -------
    DataFrame
        The columns of `survey_mean`.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> homes = nser.synth.households(1000, seed=1)
    >>> nser.survey_total(homes, "n_le13")["column"].to_list()
    ['n_le13']
    """
    names = [columns] if isinstance(columns, str) else list(columns)
    sample = _read(survey, names, weights, strata, psu, fpc, lonely_psu)
    rows = []
    for name in names:
        mean = _mean(sample, name)
        variance = sample.variance(name, 0.0)
        simple = sample.simple(name) * sample.weight_sum**2
        rows.append(
            {
                "column": name,
                "estimate": mean["estimate"] * sample.weight_sum,
                "se": sqrt(variance),
                "deff": variance / simple if simple > 0 else None,
            }
        )
    return pl.DataFrame(rows)


def survey_ratio(
    survey: pl.DataFrame,
    numerator: str,
    denominator: str,
    *,
    weights: str | None = None,
    strata: str | None = None,
    psu: str | Sequence[str] | None = None,
    fpc: str | Sequence[str] | None = None,
    lonely_psu: Lonely = "error",
) -> pl.DataFrame:
    """Estimate the ratio of two totals and its design error.

    Parameters
    ----------
    numerator, denominator
        Numeric or Boolean columns.
    survey, weights, strata, psu, fpc, lonely_psu
        As in `survey_mean`.

    Returns
    -------
    DataFrame
        One row: ``estimate``, ``se``.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> homes = nser.synth.households(1000, seed=1)
    >>> nser.survey_ratio(homes, "tv", "n_le13").columns
    ['estimate', 'se']
    """
    names = [numerator, denominator]
    sample = _read(survey, names, weights, strata, psu, fpc, lonely_psu)
    below = _mean(sample, denominator)["estimate"]
    if below == 0:
        raise DomainError(
            f"column '{denominator}': its total is zero", code="zero_total", column=denominator
        )
    ratio = _mean(sample, numerator)["estimate"] / below
    variance = sample.variance(numerator, ratio, of=denominator)
    se = sqrt(variance) / abs(below * sample.weight_sum)
    return pl.DataFrame({"estimate": [ratio], "se": [se]})


@dataclass(frozen=True, kw_only=True)
class _Sample:
    values: dict[str, pl.Series]
    weights: pl.Series
    households: int
    units: pl.Series
    stages: Any
    lonely: Lonely
    name: Any

    @property
    def weight_sum(self) -> float:
        return float(self.weights.sum())

    def moments(self, name: str) -> _native.Moments:
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
            raise DomainError(
                f"stratum '{self.name(found[1])}' has one sampling unit"
                if found[0] == 0
                else "a primary sampling unit has one unit inside",
                code="lonely_psu",
                hint="lonely_psu='adjust' compares it with the mean of all, 'remove' leaves it out",
            )
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


def _mean(sample: _Sample, name: str) -> dict[str, Any]:
    estimate = sample.moments(name).solve([0], 0)["coefficients"][0]
    variance = sample.variance(name, estimate) / sample.weight_sum**2
    simple = sample.simple(name)
    deff = variance / simple if simple > 0 else None
    return {"column": name, "estimate": estimate, "se": sqrt(variance), "deff": deff}


def _read(
    survey: pl.DataFrame,
    names: Sequence[str],
    weights: str | None,
    strata: str | None,
    psu: str | Sequence[str] | None,
    fpc: str | Sequence[str] | None,
    lonely: Lonely,
) -> _Sample:
    chosen("lonely_psu", lonely, Lonely)
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
    return _Sample(
        values={name: series.rechunk() for name, series in values.items()},
        weights=weight.rechunk(),
        households=int((weight > 0).sum()),
        units=units.rechunk(),
        stages=stages,
        lonely=lonely,
        name=design.stratum_name,
    )
