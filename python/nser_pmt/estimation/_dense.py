"""A survey's columns as the row-by-row kernels read them, and errors from scores."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from nser_pmt import _engine, _native
from nser_pmt._options import invalid
from nser_pmt.errors import ConvergenceError, DomainError, ModelError
from nser_pmt.estimation._design import INTERCEPT
from nser_pmt.estimation._least_squares import Errors, Lonely
from nser_pmt.estimation._prepared import Prepared

__all__ = ["Dense", "covariance", "dense", "fault", "units_of", "weighted_gram"]


@dataclass(frozen=True, kw_only=True)
class Dense:
    """Columns, target and weights as Float64 without nulls; the intercept is a flag."""

    columns: list[tuple[str, Any]]
    target: Any
    weights: Any
    rows: int
    intercept: bool
    series: list[pl.Series]
    own_weights: pl.Series

    @property
    def width(self) -> int:
        """Number of coefficients."""
        return len(self.columns) + self.intercept


def dense(prepared: Prepared) -> Dense:
    """Read a survey."""
    names = [column.name for column in prepared.columns]
    values = list(prepared.values)
    intercept = bool(prepared.columns) and prepared.columns[0].term == INTERCEPT
    if intercept:
        names, values = names[1:], values[1:]
    series = []
    for name, column in zip(names, values, strict=True):
        made = column.cast(pl.Float64)
        if made.null_count():
            raise _not_finite(name, made)
        series.append(made.rechunk())
    weights = prepared.weights
    if weights is None:
        weights = pl.repeat(1.0, prepared.rows, eager=True)
    weights = weights.cast(pl.Float64).rechunk()
    sent = _engine.columns([*series, prepared.target, weights])
    return Dense(
        columns=list(zip(names, sent[:-2], strict=True)),
        target=sent[-2],
        weights=sent[-1],
        rows=prepared.rows,
        intercept=intercept,
        series=series,
        own_weights=weights,
    )


def _not_finite(name: str, values: pl.Series) -> DomainError:
    row = (~values.is_finite().fill_null(False)).arg_max()
    return DomainError(
        f"term '{name}', row {row}: expected a finite number",
        code="not_finite",
        column=name,
        row=row,
    )


def fault(
    prepared: Prepared, given: Dense, kind: str, columns: Sequence[int], method: str
) -> Exception:
    """Return the error of a fit that failed."""
    # Looked for here only: a number that is not finite lets every fit fail.
    for (name, _), values in zip(given.columns, given.series, strict=True):
        if not values.is_finite().all():
            return _not_finite(name, values)
    names = [prepared.columns[i].name for i in columns]
    term = prepared.columns[columns[0]].term if columns else None
    shown = ", ".join(f"'{name}'" for name in names[:6])
    shown += f" and {len(names) - 6} more" if names[6:] else ""
    target = prepared.spec.target
    if kind == "collinear":
        return DomainError(
            f"term {shown} is zero, constant, or a combination of the terms before it",
            code="collinear",
            column=term,
            hint="Leave it out, or put levels together",
        )
    if kind == "constant_target":
        return DomainError(
            f"column '{target}': the target is constant", code="constant_target", column=target
        )
    if kind == "no_weight":
        return DomainError("the weights add up to zero", code="zero_weights")
    if kind in ("perfect_separation", "quasi_separation"):
        what = "all households" if kind == "perfect_separation" else "some households"
        return ConvergenceError(
            f"the coefficients of {shown} grow without bound: together they tell the target of "
            f"{what} for certain",
            code=kind,
            column=term,
            hint="Leave them out, or put levels together",
        )
    return ConvergenceError(f"{method} did not converge", code="not_converged")


def units_of(prepared: Prepared, errors: Errors) -> tuple[pl.Series, list[Any]]:
    """Return the unit of each row and the stages of the design, for errors from scores."""
    design = prepared.design
    stages: list[Any] = design.stages if errors == "design" else [([], [])]
    if not stages[0][1]:
        stages = stages[:1]  # later stages count by the fraction drawn in the first
    if errors == "cluster" and design.psus is None:
        raise ModelError("cluster errors: the spec has no psu", code="no_design")
    if not design.units:
        rows = pl.select(pl.int_range(prepared.rows, dtype=pl.UInt32)).to_series()
        return rows, stages
    return design.units[len(stages) - 1].rechunk(), stages


def covariance(
    prepared: Prepared,
    given: Dense,
    *,
    factors: pl.Series,
    bread: list[float],
    errors: Errors,
    lonely: Lonely,
) -> tuple[list[float], float]:
    """Return the sandwich of `bread` (by rows) and scores, and its degrees of freedom.

    `factors` times the numbers of a row are its scores. Small samples are corrected as in least
    squares.
    """
    if errors in ("bootstrap", "jackknife"):
        raise invalid(f"{errors} errors: fit first")
    n, k = prepared.households, given.width
    if errors == "hc1":
        # Scores add up to zero, so their squares need no centre.
        squares = weighted_gram(prepared, given, factors * factors)
        meat = [n / (n - k) * x for x in squares]
        return _native.sandwich_variance(bread, meat, k), float(n - k)
    ids, stages = units_of(prepared, errors)
    count = int(ids.max()) + 1  # type: ignore[arg-type]
    sent, groups = _engine.columns([factors.rechunk(), ids])
    scores = _native.group_scores(
        given.columns,
        sent,
        groups,
        given.rows,
        count=count,
        intercept=given.intercept,
        run=prepared.run(),
    )
    found = scores.variance(stages, lonely)
    if isinstance(found, tuple):
        raise prepared.design.lonely_error(*found)
    if errors == "cluster":
        scale, df = (n - 1) / (n - k), float(len(scores) - 1)
    else:
        scale, df = 1.0, prepared.design.df(n) - (k - 1)
    meat = [scale * x for x in found]
    return _native.sandwich_variance(bread, meat, k), df


def weighted_gram(prepared: Prepared, given: Dense, weights: pl.Series) -> list[float]:
    """Return ``X' q X`` for weights q, by rows."""
    width = given.width
    lower = _native.weighted_gram(
        given.columns,
        _engine.columns([weights.rechunk()])[0],
        given.rows,
        intercept=given.intercept,
        run=prepared.run(),
    )
    at = [i * (i + 1) // 2 for i in range(width)]
    return [lower[at[max(i, j)] + min(i, j)] for i in range(width) for j in range(width)]
