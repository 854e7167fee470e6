"""Exact weighted quantile regression."""

from __future__ import annotations

from dataclasses import replace
from math import sqrt
from statistics import NormalDist
from typing import Any

import polars as pl

from nser_pmt import _engine, _native
from nser_pmt._options import invalid
from nser_pmt.errors import DomainError, ModelError
from nser_pmt.estimation._dense import Dense, covariance, dense, fault, weighted_gram
from nser_pmt.estimation._least_squares import Errors, Estimate, Lonely
from nser_pmt.estimation._prepared import Prepared
from nser_pmt.estimation._replicates import replicate_table

__all__ = ["bandwidth", "quantile", "quantile_bootstrap"]


def quantile(prepared: Prepared, errors: Errors, *, tau: float, lonely: Lonely) -> Estimate:
    """Estimate a quantile: weights count as so many equal households.

    The answer is a vertex of the linear programme, so exact: as many households as coefficients
    lie on it. If several answers are equally good, it is one of the vertices among them, and
    ``unique`` is false.

    Errors are a sandwich. The bread is Hendricks and Koenker's (1992): the density of each
    household at its quantile, from fits at ``tau - h`` and ``tau + h`` with the bandwidth h of Hall
    and Sheather (1988) for the number of households (R's ``se="nid"``). The filling is that of the
    scores by household, unit or design; of ``"classical"`` errors it is
    ``tau (1 - tau) sum(w ** 2 x x')``, as in R.
    """
    _check(prepared, tau)
    given = dense(prepared)
    found, dual = _fit(prepared, given, tau, None)
    coefficients = found["coefficients"]
    bread = _bread(prepared, given, tau, coefficients)
    k, n = given.width, prepared.households
    squares = given.own_weights * given.own_weights
    filling = weighted_gram(prepared, given, squares)
    classical = _native.sandwich_variance(bread, [tau * (1 - tau) * x for x in filling], k)
    if errors == "classical":
        matrix, df = classical, float(n - k)
    else:
        scores = dual - (1 - tau) * given.own_weights
        matrix, df = covariance(
            prepared, given, factors=scores, bread=bread, errors=errors, lonely=lonely
        )
    plain = [sqrt(max(x, 0.0)) for x in classical[:: k + 1]]
    spread = [sqrt(max(x, 0.0)) for x in matrix[:: k + 1]]
    extra = {"deff": [(a / b) ** 2 for a, b in zip(spread, plain, strict=True)]}
    return _estimate(prepared, tau, found, matrix, errors, df, extra)


def quantile_bootstrap(
    prepared: Prepared, *, tau: float, draws: int, seed: int, lonely: Lonely
) -> Estimate:
    """Estimate a quantile, with errors of refits on draws of primary units: see `Fit.bootstrap`.

    A refit in which a term becomes constant does not count. No density is needed.
    """
    _check(prepared, tau)
    design = prepared.design
    if design.psus is None:
        raise ModelError("bootstrap errors: the spec has no psu", code="no_design")
    alone = design.lonely()
    if alone is not None and lonely == "error":
        raise design.lonely_error(0, alone)
    given = dense(prepared)
    found, _ = _fit(prepared, given, tau, None)
    strata, fraction = design.stages[0]
    matrix, changes = _native.quantile_refits(
        given.columns,
        given.target,
        given.weights,
        _engine.columns([design.units[0].rechunk()])[0],
        given.rows,
        tau=tau,
        near=found["coefficients"],
        strata=strata,
        fraction=fraction,
        units=design.psus.height,
        replicates=draws,
        seed=seed,
        intercept=given.intercept,
        run=prepared.run(),
    )
    df = design.df(prepared.households)
    made = _estimate(prepared, tau, found, matrix, "bootstrap", df, {})
    table = replicate_table(prepared.columns, found["coefficients"], changes)
    return replace(made, replicates=table)


def _check(prepared: Prepared, tau: float) -> None:
    if not 0 < tau < 1:
        raise invalid("tau must lie between 0 and 1")
    target, weights = prepared.target, prepared.weights
    counted = target if weights is None else target.filter(weights > 0)
    if prepared.spec.intercept and counted.min() == counted.max():
        raise DomainError(
            f"column '{prepared.spec.target}': the target is constant",
            code="constant_target",
            column=prepared.spec.target,
        )


def _estimate(
    prepared: Prepared,
    tau: float,
    found: dict[str, Any],
    matrix: list[float],
    errors: Errors,
    df: float,
    extra: dict[str, list[float]],
) -> Estimate:
    return Estimate(
        columns=prepared.columns,
        coefficients=found["coefficients"],
        covariance=matrix,
        errors=errors,
        df=df,
        extra=extra,
        statistics={
            "households": prepared.households,
            "dropped": prepared.dropped,
            "coefficients": len(prepared.columns),
            "weight_sum": prepared.weight_sum,
            "tau": tau,
            "loss": found["loss"] / prepared.weight_sum,
            "unique": found["unique"],
            "kish": prepared.kish,
            **prepared.design.size(),
            "df": df,
        },
    )


def bandwidth(tau: float, n: int) -> float:
    """Return Hall and Sheather's bandwidth for intervals of 95 %, kept within 0 and 1."""
    normal = NormalDist()
    x = normal.inv_cdf(tau)
    f = normal.pdf(x)
    h = n ** (-1 / 3) * normal.inv_cdf(0.975) ** (2 / 3) * (1.5 * f**2 / (2 * x**2 + 1)) ** (1 / 3)
    while tau - h < 0 or tau + h > 1:
        h /= 2
    return float(h)


def _fit(
    prepared: Prepared, given: Dense, tau: float, near: list[float] | None
) -> tuple[dict[str, Any], pl.Series]:
    found, dual = _native.quantile_fit(
        given.columns,
        given.target,
        given.weights,
        given.rows,
        tau=tau,
        near=near,
        intercept=given.intercept,
        run=prepared.run(),
    )
    if dual is None:
        raise fault(prepared, given, found["fault"], found["columns"], "the quantile regression")
    return found, _engine.frame(dual, {}).get_column("dual")


def _bread(prepared: Prepared, given: Dense, tau: float, coefficients: list[float]) -> list[float]:
    """Inverse of ``sum(w f x x')``, by rows."""
    h = bandwidth(tau, prepared.households)
    high, _ = _fit(prepared, given, tau + h, coefficients)
    low, _ = _fit(prepared, given, tau - h, coefficients)
    change = [a - b for a, b in zip(high["coefficients"], low["coefficients"], strict=True)]
    constant = change.pop(0) if given.intercept else 0.0
    rise = pl.repeat(constant, given.rows, dtype=pl.Float64, eager=True)
    for column, slope in zip(given.series, change, strict=True):
        rise = rise + column * slope
    # As in R: no density where the two quantiles cross.
    density = 2 * h / (rise - 2**-26)
    density = pl.select(pl.max_horizontal(density, 0.0)).to_series()
    k = given.width
    matrix = weighted_gram(prepared, given, density * given.own_weights)
    try:
        return _native.inverse([matrix[i * k + j] for i in range(k) for j in range(i + 1)], k)
    except DomainError:
        raise DomainError(
            "the density of the target about this quantile cannot be estimated",
            code="no_density",
            hint="Use bootstrap errors, or a tau further from 0 and 1",
        ) from None
