"""The methods of `fit`, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import polars as pl

from nser_pmt._options import invalid
from nser_pmt.errors import DomainError, ModelError
from nser_pmt.estimation._glm import binary
from nser_pmt.estimation._least_squares import Errors, Estimate, Lonely, least_squares, sums
from nser_pmt.estimation._penalised import Penalty, penalised
from nser_pmt.estimation._prepared import Prepared
from nser_pmt.estimation._quantile import quantile, quantile_bootstrap
from nser_pmt.estimation._stepwise import Criterion, Direction, stepwise
from nser_pmt.targeting._cuts import quantile as weighted_quantile
from nser_pmt.targeting._cuts import steps

__all__ = ["METHODS", "Method", "Options"]

Method: TypeAlias = Literal[
    "wls",
    "poverty_focused",
    "quantile",
    "logit",
    "probit",
    "ridge",
    "lasso",
    "elastic_net",
    "stepwise",
]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a method may be told."""

    errors: Errors
    replicates: int
    seed: int
    lonely: Lonely
    max_cache_mb: float
    line: float | None
    line_quantile: float | None
    tau: float | None
    penalty: float | None
    alpha: float
    direction: Direction
    criterion: Criterion
    enter: float
    leave: float
    forced: Sequence[str]


def _wls(prepared: Prepared, options: Options) -> Estimate:
    return least_squares(
        prepared, options.errors, lonely=options.lonely, max_cache_mb=options.max_cache_mb
    )


def _poverty_focused(prepared: Prepared, options: Options) -> Estimate:
    """Least squares on the households at or below a line; the others weigh nothing.

    They stay in the design: a unit without a poor household is still a unit.
    """
    line, share = options.line, options.line_quantile
    if (line is None) == (share is None):
        raise invalid("method='poverty_focused' needs either line or line_quantile")
    weights = prepared.weights
    if weights is None:
        weights = pl.repeat(1.0, prepared.rows, eager=True)
    if line is None:
        if not (share is not None and 0 < share <= 1):
            raise invalid("line_quantile must be above 0, and 1 at most")
        found = steps(prepared.target, weights, None, prepared.control)
        line = weighted_quantile(found, share, "inverse_cdf")
    poor = (prepared.target <= line).cast(pl.Float64) * weights
    households = int((poor > 0).sum())
    if households <= len(prepared.columns):
        raise DomainError(
            f"{households} households at or below the line are too few for "
            f"{len(prepared.columns)} coefficients",
            code="too_few_rows",
            hint="Raise the line, or leave terms out",
        )
    made = _wls(replace(prepared, weights=poor, households=households), options)
    return replace(made, statistics={**made.statistics, "line": line})


def _quantile_regression(prepared: Prepared, options: Options) -> Estimate:
    if options.tau is None:
        raise invalid("method='quantile' needs tau, such as the share of the poor")
    if options.errors == "bootstrap":
        return quantile_bootstrap(
            prepared,
            tau=options.tau,
            draws=options.replicates,
            seed=options.seed,
            lonely=options.lonely,
        )
    return quantile(prepared, options.errors, tau=options.tau, lonely=options.lonely)


def _logit(prepared: Prepared, options: Options) -> Estimate:
    return binary(prepared, options.errors, link="logit", lonely=options.lonely)


def _probit(prepared: Prepared, options: Options) -> Estimate:
    return binary(prepared, options.errors, link="probit", lonely=options.lonely)


def _penalised(alpha: float | None) -> Callable[[Prepared, Options], Estimate]:
    def estimate(prepared: Prepared, options: Options) -> Estimate:
        if options.penalty is None and prepared.spec.psu is None:
            raise ModelError(
                "the penalty is chosen in folds of primary units, and the spec has no psu",
                code="no_design",
                hint="Give penalty; or psu, a column that numbers households drawn one by one",
            )
        state = sums(prepared, lonely=options.lonely, max_cache_mb=options.max_cache_mb)
        penalty = Penalty(alpha=options.alpha if alpha is None else alpha)
        found, path = penalised(state, penalty, value=options.penalty)
        return replace(found, path=path.table)

    return estimate


def _stepwise(prepared: Prepared, options: Options) -> Estimate:
    state = sums(prepared, lonely=options.lonely, max_cache_mb=options.max_cache_mb)
    steps = stepwise(
        state,
        direction=options.direction,
        criterion=options.criterion,
        enter=options.enter,
        leave=options.leave,
        forced=options.forced,
    )
    keep = steps.state.keep
    rows = replace(
        prepared,
        columns=tuple(prepared.columns[i] for i in keep),
        values=[prepared.values[i] for i in keep],
    )
    return replace(steps.state.estimate(options.errors, rows=rows), path=steps.table)


METHODS: Mapping[str, Callable[[Prepared, Options], Estimate]] = {
    "wls": _wls,
    "poverty_focused": _poverty_focused,
    "quantile": _quantile_regression,
    "logit": _logit,
    "probit": _probit,
    "ridge": _penalised(0.0),
    "lasso": _penalised(1.0),
    "elastic_net": _penalised(None),
    "stepwise": _stepwise,
}
