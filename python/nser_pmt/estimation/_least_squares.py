"""Least squares from moments, its errors, and everything that needs no rows any more."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any, Literal

import polars as pl

from nser_pmt import _native
from nser_pmt._options import invalid
from nser_pmt.errors import DomainError, ModelError
from nser_pmt.estimation._design import INTERCEPT, Column
from nser_pmt.estimation._prepared import Prepared
from nser_pmt.estimation._survey_design import SurveyDesign

__all__ = ["Errors", "Estimate", "LeastSquares", "Lonely", "least_squares", "sums"]

Errors = Literal["design", "cluster", "hc1", "classical", "bootstrap", "jackknife"]
Lonely = Literal["error", "adjust", "remove"]

_BYTES = 16  # of an entry of a unit's moments


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a method of estimation found.

    Attributes
    ----------
    columns
        What the coefficients belong to.
    coefficients, covariance
        The covariance by rows; None when the method has no errors.
    errors
        Which kind the covariance is.
    df
        Degrees of freedom of the errors.
    extra
        More columns for the table of coefficients.
    statistics
        For the table of diagnostics.
    state
        What the method keeps for later.
    path
        How it went: steps, or penalties.
    replicates
        Coefficients of each refit, if the errors are of refits.
    """

    columns: tuple[Column, ...]
    coefficients: list[float]
    covariance: list[float] | None
    errors: str
    df: float
    extra: Mapping[str, list[float]]
    statistics: Mapping[str, Any]
    state: LeastSquares | None = None
    path: pl.DataFrame | None = None
    replicates: pl.DataFrame | None = None


@dataclass(frozen=True, kw_only=True)
class LeastSquares:
    """Moments of a survey, and what else its errors need; no rows.

    `keep` are the columns in use. Without a cache, `moments` has no units.
    """

    moments: _native.Moments
    columns: tuple[Column, ...]
    keep: tuple[int, ...]
    target: str
    households: int
    dropped: int
    weight_sum: float
    kish: float
    design: SurveyDesign
    lonely: Lonely
    threads: int | None

    # -- errors --------------------------------------------------------------------------------

    def estimate(
        self,
        errors: Errors,
        *,
        rows: Prepared | None = None,
        resampled: list[float] | None = None,
    ) -> Estimate:
        """Solve, with the errors asked for; `resampled` is the covariance of a `refits`."""
        solution = self.solution()
        k, n = len(self.keep), self.households
        classical = [x * solution["residual"] / (n - k) for x in solution["inverse"]]
        if resampled is not None:
            covariance, df = resampled, self.design.df(n)
        elif errors == "classical":
            covariance, df = classical, float(n - k)
        else:
            covariance, df = self._covariance(solution, errors, rows)
        spread = [sqrt(max(x, 0.0)) for x in covariance[:: k + 1]]
        plain = [sqrt(max(x, 0.0)) for x in classical[:: k + 1]]
        deff = [(a / b) ** 2 if b else float("nan") for a, b in zip(spread, plain, strict=True)]
        total, residual = solution["total"], solution["residual"]
        r2 = 1 - residual / total
        constant = self._constant() is not None
        statistics: dict[str, Any] = {
            "households": n,
            "dropped": self.dropped,
            "coefficients": k,
            "weight_sum": self.weight_sum,
            "r2": r2,
            "adjusted_r2": 1 - (1 - r2) * (n - constant) / (n - k),
            "rmse": sqrt(residual / self.weight_sum),
            "residual_sd": sqrt(residual / (n - k)),
            "condition": solution["condition"],
            "kish": self.kish,
            **self.design.size(),
            "df": df,
        }
        return Estimate(
            columns=tuple(self.columns[i] for i in self.keep),
            coefficients=solution["coefficients"],
            covariance=covariance,
            errors=errors,
            df=df,
            extra={"vif": solution["vif"], "deff": deff},
            statistics=statistics,
            state=self,
        )

    def solution(self) -> dict[str, Any]:
        """Solve; a column that cannot be estimated is named."""
        place = self._constant()
        keep = list(self.keep)
        found = self.moments.solve(keep, place)
        if "dependent" in found:
            raise self._dependent(found["dependent"], found["of"])
        if place is not None:
            whole = self.moments.entry(self.moments.width - 1, self.moments.width - 1)
            if not found["total"] > 1e-26 * whole:
                raise DomainError(
                    f"column '{self.target}': the target is constant",
                    code="constant_target",
                    column=self.target,
                )
        return found

    def _constant(self) -> int | None:
        names = [self.columns[i].term for i in self.keep]
        return names.index(INTERCEPT) if INTERCEPT in names else None

    def _dependent(self, row: int, of: Sequence[tuple[int, float]]) -> DomainError:
        names = [self.columns[i].name for i in self.keep]
        others = [names[i] for i, _ in of]
        term = self.columns[self.keep[row]].term
        if not others:
            return DomainError(
                f"term '{names[row]}' is zero for every household with a weight",
                code="constant_term",
                column=term,
                hint="Leave it out, or put levels together",
            )
        if others == [INTERCEPT]:
            return DomainError(
                f"term '{names[row]}' has one value for every household with a weight",
                code="constant_term",
                column=term,
                hint="Leave it out",
            )
        shown = ", ".join(others[:6]) + (f" and {len(others) - 6} more" if others[6:] else "")
        return DomainError(
            f"term '{names[row]}' is a combination of others: {shown}",
            code="collinear",
            column=term,
            hint="Leave one of them out",
        )

    def _covariance(
        self,
        solution: dict[str, Any],
        errors: Errors,
        rows: Prepared | None,
    ) -> tuple[list[float], float]:
        k, n = len(self.keep), self.households
        if errors == "hc1":
            if rows is None:
                raise _rows_needed(errors)
            meat = _native.robust_meat(
                rows.native(),
                rows.rows,
                solution["coefficients"],
                weights=rows.weights,
                run=rows.run(),
            )
            meat = [n / (n - k) * x for x in meat]
            return _native.sandwich_variance(solution["inverse"], meat, k), float(n - k)
        scores, stages = self._scores(solution, errors, rows)
        found = scores.variance(stages, self.lonely, threads=self.threads)
        if isinstance(found, tuple):
            raise self.design.lonely_error(*found)
        units = len(scores)
        if errors == "cluster":
            scale, df = (n - 1) / (n - k), float(units - 1)
        else:
            scale, df = 1.0, self.design.df(n) - (k - 1)
        meat = [scale * x for x in found]
        return _native.sandwich_variance(solution["inverse"], meat, k), df

    def _scores(
        self, solution: dict[str, Any], errors: Errors, rows: Prepared | None
    ) -> tuple[_native.Scores, list[tuple[list[int], list[float]]]]:
        stages = self.design.stages if errors == "design" else [([], [])]
        if not stages[0][1]:
            stages = stages[:1]  # later stages count by the fraction drawn in the first
        by_psu = self.design.psus is not None and len(stages) == 1
        if errors == "cluster" and self.design.psus is None:
            raise _needs("cluster errors", "psu")
        if by_psu and self.moments.groups:
            return self._cached(solution), stages
        if rows is None:
            raise _rows_needed(errors)
        if by_psu:
            units = rows.design.units[0]
        elif rows.design.units:
            units = rows.design.units[len(stages) - 1]
        else:
            units = pl.select(pl.int_range(rows.rows, dtype=pl.UInt32)).to_series()
        weights = rows.weights
        scores = _native.Scores(
            rows.native(),
            rows.rows,
            solution["coefficients"],
            weights=weights,
            groups=units.rechunk(),
            run=rows.run(),
        )
        return scores, stages

    def _cached(self, solution: dict[str, Any]) -> _native.Scores:
        return self.moments.scores(list(self.keep), solution["coefficients"], solution["low"])

    # -- refits --------------------------------------------------------------------------------

    def _units(self, what: str) -> None:
        if self.design.psus is None:
            raise _needs(what, "psu")
        if not self.moments.groups:
            raise ModelError(
                f"{what}: the sums of each primary sampling unit were not kept",
                code="rows_needed",
                hint="Fit again with a larger max_cache_mb",
            )

    def refits(
        self, solution: dict[str, Any], draws: int, seed: int
    ) -> tuple[list[float], list[list[float] | None]]:
        """Refit on `draws` draws of units, or without each in turn (0): covariance and changes."""
        self._units("refits")
        strata, fraction = self.design.stages[0]
        alone = self.design.lonely()
        if alone is not None and self.lonely == "error":
            raise self.design.lonely_error(0, alone)
        fit = (list(self.keep), solution["coefficients"], solution["low"])
        scores = self._cached(solution)
        given: dict[str, Any] = {"strata": strata, "fraction": fraction, "threads": self.threads}
        if draws:
            given |= {"replicates": draws, "seed": seed}
            return _native.bootstrap(self.moments, scores, fit, **given)
        return _native.jackknife(self.moments, scores, fit, **given)

    def folds(self, folds: int, seed: int) -> list[int]:
        """Return a fold for each primary unit: in turn by stratum, so that folds are alike."""
        self._units("cross-validation")
        strata = self.design.stages[0][0] or [0] * self.moments.groups
        units = len(strata)
        if not 2 <= folds <= units:
            raise invalid(f"folds must be from 2 to the number of primary units, {units}")
        order = list(range(units))
        random.Random(seed).shuffle(order)
        order.sort(key=strata.__getitem__)
        fold = [0] * units
        for turn, unit in enumerate(order):
            fold[unit] = turn % folds
        return fold

    def fold_errors(
        self, solution: dict[str, Any], fold: list[int], folds: int
    ) -> list[tuple[float, float | None]]:
        """Squared residuals of each fold, in and out of it."""
        self._units("cross-validation")
        fit = (list(self.keep), solution["coefficients"], solution["low"])
        return _native.cross_validate(self.moments, self._cached(solution), fit, fold, folds)

    def unit_weights(self) -> list[float]:
        """Sum of the weights of each primary unit; needs an intercept."""
        names = [column.term for column in self.columns]
        if INTERCEPT not in names:
            raise invalid("this needs a formula with an intercept")
        at = names.index(INTERCEPT)
        return self.moments.group_entries(at, at)

    def reweighted(self, factors: list[float]) -> LeastSquares:
        """Multiply the weights of each unit."""
        self._units("a refit")
        weights = self.unit_weights()
        total = sum(a * w for a, w in zip(factors, weights, strict=True))
        if not total > 0:
            raise DomainError("the weights add up to zero", code="zero_weights")
        return replace(
            self, moments=self.moments.scaled(factors), weight_sum=total, kish=float("nan")
        )


def least_squares(
    prepared: Prepared, errors: Errors, *, lonely: Lonely, max_cache_mb: float
) -> Estimate:
    """Estimate by least squares from the rows."""
    return sums(prepared, lonely=lonely, max_cache_mb=max_cache_mb).estimate(errors, rows=prepared)


def sums(prepared: Prepared, *, lonely: Lonely, max_cache_mb: float) -> LeastSquares:
    """Read the rows."""
    design = prepared.design
    width = len(prepared.columns) + 1
    groups = None
    if design.psus is not None:
        size = design.psus.height * (width * (width + 1) // 2) * _BYTES
        if size <= max_cache_mb * 1e6:
            groups = design.units[0].rechunk()
    moments = _native.Moments(
        prepared.native(),
        prepared.rows,
        weights=prepared.weights,
        groups=groups,
        run=prepared.run(),
    )
    return LeastSquares(
        moments=moments,
        columns=prepared.columns,
        keep=tuple(range(len(prepared.columns))),
        target=prepared.spec.target,
        households=prepared.households,
        dropped=prepared.dropped,
        weight_sum=prepared.weight_sum,
        kish=prepared.kish,
        design=replace(design, order=None, units=[]),
        lonely=lonely,
        threads=prepared.control.threads,
    )


def _rows_needed(errors: str) -> ModelError:
    return ModelError(
        f"{errors} errors need the rows, or sums of each primary unit, which this fit has not",
        code="rows_needed",
        hint=f"Fit again with errors='{errors}'",
    )


def _needs(what: str, column: str) -> ModelError:
    return ModelError(f"{what}: the spec has no {column}", code="no_design")
