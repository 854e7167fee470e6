"""Ridge, lasso and elastic net from the sums of a survey."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import polars as pl

from nser_pmt import _native
from nser_pmt._options import invalid
from nser_pmt.errors import ConvergenceError, DomainError
from nser_pmt.estimation._design import INTERCEPT
from nser_pmt.estimation._least_squares import Estimate, LeastSquares

__all__ = ["Path", "Penalty", "cross_validated", "path", "penalised"]

_LEAST = 1e-3  # of the largest penalty, where the path ends


@dataclass(frozen=True, kw_only=True)
class Penalty:
    """What is penalised.

    Attributes
    ----------
    alpha
        1 for the lasso, 0 for ridge, between them for the elastic net.
    standardise
        Whether columns are divided by their weighted standard deviations before.
    factors
        Factor of the penalty of a term's columns; 1 by default, 0 for no penalty.
    """

    alpha: float
    standardise: bool = True
    factors: Mapping[str, float] | None = None


@dataclass(frozen=True, kw_only=True)
class Path:
    """Fits along a path of penalties.

    Attributes
    ----------
    table
        One row for each penalty, the largest first: ``lambda``, ``nonzero`` (coefficients that are
        not 0, the intercept aside), ``r2``; with cross-validation also ``rmse`` and ``rmse_se``,
        out of fold.
    coefficients
        Of each penalty, in the order of the columns; the intercept first.
    """

    table: pl.DataFrame
    coefficients: list[list[float]]


def path(
    state: LeastSquares,
    penalty: Penalty,
    *,
    lambdas: Sequence[float] | None = None,
    count: int = 100,
    moments: _native.Moments | None = None,
) -> Path:
    """Fit along a path of penalties, those given or `count` from the largest that counts.

    The objective is glmnet's: half the weighted mean square of the residuals, plus lambda times
    (alpha times the sum of the absolute coefficients, plus (1 - alpha) / 2 times the sum of their
    squares over the standard deviation of the target), of standardised columns. Weights have a sum
    of 1.
    """
    if not 0 <= penalty.alpha <= 1:
        raise invalid("alpha must be from 0 (ridge) to 1 (lasso)")
    if lambdas is not None and not all(0 <= x < float("inf") for x in lambdas):
        raise invalid("penalties must be finite numbers, zero or more")
    terms = [state.columns[i].term for i in state.keep]
    if not terms or terms[0] != INTERCEPT:
        raise invalid("a penalised fit needs an intercept")
    given = penalty.factors or {}
    for term, factor in given.items():
        if term not in terms or not factor >= 0:
            raise invalid(f"penalty factors: expected numbers for terms; '{term}' is wrong")
    moments = moments or state.moments
    first, *keep = state.keep
    last = moments.width - 1
    found = _native.penalised_path(
        [moments.entry(i, j) for i in keep for j in keep],
        [moments.entry(last, j) for j in keep],
        moments.entry(last, last),
        [moments.entry(first, j) for j in keep],
        moments.entry(first, last),
        moments.entry(first, first),
        alpha=penalty.alpha,
        factors=[float(given.get(term, 1.0)) for term in terms[1:]],
        standardise=penalty.standardise,
        lambdas=None if lambdas is None else [float(x) for x in lambdas],
        count=count,
        ratio=_LEAST,
    )
    if found is None:
        raise DomainError(
            f"column '{state.target}': the target is constant",
            code="constant_target",
            column=state.target,
        )
    for value, *_, sweeps in found:
        if sweeps is None:
            raise ConvergenceError(
                f"the penalised fit did not settle at lambda {value:g}",
                code="not_converged",
                hint="Use a larger lambda, or leave out terms that nearly follow from others",
            )
    table = pl.DataFrame(
        {
            "lambda": [point[0] for point in found],
            "nonzero": [sum(b != 0 for b in point[2]) for point in found],
            "r2": [point[3] for point in found],
        },
        schema={"lambda": pl.Float64, "nonzero": pl.UInt32, "r2": pl.Float64},
    )
    return Path(table=table, coefficients=[[point[1], *point[2]] for point in found])


def cross_validated(
    state: LeastSquares,
    penalty: Penalty,
    *,
    lambdas: Sequence[float] | None = None,
    count: int = 100,
    folds: int = 10,
    seed: int = 0,
) -> Path:
    """Fit a path, and predict each primary unit from the others at each penalty."""
    whole = path(state, penalty, lambdas=lambdas, count=count)
    fold = state.folds(folds, seed)
    used = whole.table.get_column("lambda").to_list()
    squares: list[list[float]] = []
    weights: list[float] = []
    for own, others in state.moments.folds(fold, folds):
        part = path(state, penalty, lambdas=used, moments=others)
        squares.append([_residual(own, state.keep, b) for b in part.coefficients])
        weights.append(own.entry(state.keep[0], state.keep[0]))
    total = sum(weights)
    means = [sum(fold[i] for fold in squares) / total for i in range(len(used))]
    spread = [
        sqrt(
            sum(w * (own[i] / w - means[i]) ** 2 for own, w in zip(squares, weights, strict=True))
            / total
            / (folds - 1)
        )
        for i in range(len(used))
    ]
    rmse = [sqrt(mean) for mean in means]
    # Of a square root: half the error of the square over the root.
    errors = [s / (2 * r) if r else 0.0 for s, r in zip(spread, rmse, strict=True)]
    table = whole.table.with_columns(rmse=pl.Series(rmse), rmse_se=pl.Series(errors))
    return Path(table=table, coefficients=whole.coefficients)


def _residual(moments: _native.Moments, keep: Sequence[int], b: Sequence[float]) -> float:
    """Weighted sum of squared residuals under coefficients of another fit."""
    return moments.quadratic([*keep, moments.width - 1], [*b, -1.0])


def penalised(
    state: LeastSquares,
    penalty: Penalty,
    *,
    value: float | None = None,
    folds: int = 10,
    seed: int = 0,
) -> tuple[Estimate, Path]:
    """Fit at one penalty: the one given, or the one of the least error out of fold.

    Penalised coefficients are biased on purpose, so they have no standard errors.
    """
    if value is None:
        found = cross_validated(state, penalty, folds=folds, seed=seed)
        at = found.table.get_column("rmse").arg_min()
        assert at is not None
    else:
        found = path(state, penalty, lambdas=[value])
        at = 0
    chosen = found.table.row(at, named=True)
    statistics: dict[str, Any] = {
        "households": state.households,
        "dropped": state.dropped,
        "coefficients": int(chosen["nonzero"]) + 1,
        "weight_sum": state.weight_sum,
        "r2": chosen["r2"],
        "rmse": sqrt(
            _residual(state.moments, state.keep, found.coefficients[at]) / state.weight_sum
        ),
        "alpha": penalty.alpha,
        "lambda": chosen["lambda"],
        "rmse_out_of_fold": chosen.get("rmse"),
        "kish": state.kish,
        **state.design.size(),
    }
    estimate = Estimate(
        columns=tuple(state.columns[i] for i in state.keep),
        coefficients=found.coefficients[at],
        covariance=None,
        errors="no",
        df=float("nan"),
        extra={},
        statistics=statistics,
    )
    return estimate, found
