"""Means, totals, ratios and quantiles of a survey with their design errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import sqrt

import polars as pl

from nser_pmt import _native
from nser_pmt._options import invalid
from nser_pmt.control import RunControl
from nser_pmt.errors import DomainError
from nser_pmt.estimation._least_squares import Lonely
from nser_pmt.estimation._survey_sample import DesignSample, mean, read_design_sample
from nser_pmt.targeting._cuts import Steps, quantile, steps

__all__ = ["survey_mean", "survey_quantile", "survey_ratio", "survey_total"]


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
    sample = read_design_sample(survey, names, weights, strata, psu, fpc, lonely_psu)
    return pl.DataFrame([mean(sample, name) for name in names])


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
    sample = read_design_sample(survey, names, weights, strata, psu, fpc, lonely_psu)
    rows = []
    for name in names:
        average = mean(sample, name)
        variance = sample.variance(name, 0.0)
        simple = sample.simple(name) * sample.weight_sum**2
        rows.append(
            {
                "column": name,
                "estimate": average["estimate"] * sample.weight_sum,
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
    sample = read_design_sample(survey, names, weights, strata, psu, fpc, lonely_psu)
    below = mean(sample, denominator)["estimate"]
    if below == 0:
        raise DomainError(
            f"column '{denominator}': its total is zero", code="zero_total", column=denominator
        )
    ratio = mean(sample, numerator)["estimate"] / below
    variance = sample.variance(numerator, ratio, of=denominator)
    se = sqrt(variance) / abs(below * sample.weight_sum)
    return pl.DataFrame({"estimate": [ratio], "se": [se]})


def survey_quantile(
    survey: pl.DataFrame,
    columns: str | Sequence[str],
    quantiles: float | Sequence[float] = 0.5,
    *,
    level: float = 0.95,
    weights: str | None = None,
    strata: str | None = None,
    psu: str | Sequence[str] | None = None,
    fpc: str | Sequence[str] | None = None,
    lonely_psu: Lonely = "error",
) -> pl.DataFrame:
    """Estimate quantiles, such as the median, with their intervals.

    Parameters
    ----------
    quantiles
        Shares of the weight, above 0 and at most 1: the estimate is the lowest value up to which
        there is the share.
    level
        Of the intervals.
    survey, columns, weights, strata, psu, fpc, lonely_psu
        As in `survey_mean`.

    Returns
    -------
    DataFrame
        One row for each column and quantile: ``column``, ``quantile``, ``estimate``, ``se``,
        ``low``, ``high``. A limit is null where the share would lie below 0 or above 1; ``se`` is
        null if one of them is, or if the design has no degree of freedom.

    Notes
    -----
    Intervals of R. Woodruff (1952): the limits are the quantiles at the limits of the share of the
    weight up to the estimate, with t of primary units less strata degrees of freedom. ``se`` is the
    length of the interval over twice that t. The numbers are those of R's ``svyquantile`` with its
    defaults.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> homes = nser.synth.households(1000, seed=1)
    >>> nser.survey_quantile(homes, "n_le13", [0.25, 0.5])["quantile"].to_list()
    [0.25, 0.5]
    """
    names = [columns] if isinstance(columns, str) else list(columns)
    shares = [quantiles] if isinstance(quantiles, int | float) else list(quantiles)
    if not all(0 < share <= 1 for share in shares):
        raise invalid("quantiles must be above 0, and 1 at most")
    if not 0 < level < 1:
        raise invalid("level must lie between 0 and 1")
    sample = read_design_sample(survey, names, weights, strata, psu, fpc, lonely_psu)
    df = sample.design.df(sample.households)
    t = _native.student_limit(1 - level, df) if df > 0 else None
    rows = []
    for name in names:
        values = sample.values[name].cast(pl.Float64)
        found = steps(values, sample.weights, None, RunControl())
        for share in shares:
            estimate = quantile(found, share, "inverse_cdf")
            low, high = (None, None) if t is None else _woodruff(sample, found, values, estimate, t)
            se = None if t is None or low is None or high is None else (high - low) / (2 * t)
            rows.append((name, float(share), estimate, se, low, high))
    floats = dict.fromkeys(("quantile", "estimate", "se", "low", "high"), pl.Float64)
    return pl.DataFrame(rows, schema={"column": pl.String, **floats}, orient="row")


def _woodruff(
    sample: DesignSample, found: Steps, values: pl.Series, estimate: float, t: float
) -> tuple[float | None, float | None]:
    """Return the quantiles at the limits of the share of the weight up to the estimate."""
    below = (values <= estimate).alias("below")
    share = mean(replace(sample, values={"below": below}), "below")
    half = t * share["se"]
    low, high = share["estimate"] - half, share["estimate"] + half
    return (
        quantile(found, low, "inverse_cdf") if low >= 0 else None,
        quantile(found, high, "inverse_cdf") if high <= 1 else None,
    )
