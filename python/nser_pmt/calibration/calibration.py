"""Survey weights that hit known totals: `calibrate`, and `totals_template` for the totals."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import polars as pl

from nser_pmt import _native
from nser_pmt._options import chosen, invalid, polars_frame
from nser_pmt.calibration import _sample as sample
from nser_pmt.calibration._errors import trouble
from nser_pmt.calibration._report import Calibrated, report_frame, totals_frame, trace_frame
from nser_pmt.calibration._template import totals_template
from nser_pmt.calibration._totals import (
    Plan,
    agreeing,
    as_json,
    described,
    group_text,
    read_totals,
)
from nser_pmt.control import RunControl
from nser_pmt.errors import DomainError, NserError
from nser_pmt.scoring.model import missing_column

__all__ = ["Calibrated", "Disagreement", "Method", "calibrate", "totals_template"]

Frame: TypeAlias = pl.DataFrame | pl.LazyFrame
Method: TypeAlias = Literal["raking", "linear", "logit", "poststratify", "entropy"]
Disagreement: TypeAlias = Literal["error", "rescale"]
Range: TypeAlias = tuple[float | None, float | None]

# Rows are numbered in 32 bits.
_MOST_ROWS = 2**32 - 1

_FORGOTTEN = ("level_without_total", "empty_cell", "missing_value", "wrong_column", "out_of_domain")

_CURVES = {"poststratify": "raking", "entropy": "raking"}


def calibrate(
    frame: Frame,
    totals: Frame,
    *,
    weights: str | None = None,
    method: Method = "raking",
    bounds: Range | None = None,
    weight_bounds: Range | None = None,
    trim: Range | None = None,
    by: str | Sequence[str] = (),
    cluster: str | None = None,
    variance: str | None = None,
    disagreement: Disagreement = "error",
    tolerance: float = 1e-12,
    max_iterations: int = 50,
    control: RunControl | None = None,
) -> Calibrated:
    """Change survey weights as little as possible, so that they add up to known totals.

    Parameters
    ----------
    frame
        The sample, one row for each unit.
    totals
        The totals, as `totals_template` makes them: ``variable``, ``level``, ``total`` and, if
        wanted, ``of``, ``cost`` and the columns of `by`. A level makes a row of a margin: every
        level of the sample must have a total. Without a level, the total is the sum of a column, or
        the number of rows for the variable ``"(rows)"``. ``"a*b"`` is the cross of two columns; its
        levels are ``"x*y"``. ``of`` names a column that is added up within the level, such as
        persons by province in a frame of households. A total with a ``cost`` may be missed: cost c
        adds c/2 times its squared relative miss to what is minimised (see Notes), so 1 is weak
        and 1e6 nearly exact. Columns ``rows`` and ``note`` are not read.
    weights
        Column of design weights, above zero; by default every row has weight 1. They should add up
        to about the size of the population where no total counts rows (totals with ``of``).
    method
        ``"raking"``: g = exp(u), never negative. ``"linear"``: g = 1 + u, the generalised
        regression estimator. ``"logit"``: between two `bounds`, smoothly. ``"poststratify"``: one
        margin or cross, in one step. ``"entropy"``: entropy balancing, which is raking by another
        name: give the totals of the population to be like.
    bounds
        Lowest and highest g = calibrated weight / design weight; None for open. With ``"linear"``
        and ``"raking"`` the curve is cut off there (truncated); ``"logit"`` needs both, around 1.
    weight_bounds
        Lowest and highest calibrated weight, held while the totals are hit.
    trim
        Lowest and highest weight afterwards: weights outside are cut, and what is cut off is shared
        equally among the others until none is outside, as ``trimWeights(strict=TRUE)`` of R's
        survey package does. Totals are then missed, and the report says by how much; with
        `weight_bounds` they are hit.
    by
        Columns of groups that are calibrated each by itself, to totals of their own.
    cluster
        Column of households or sampling units: rows of one get the same g, by the mean of what they
        add to the totals (R's ``aggregate.stage``), weighted where their design weights differ.
    variance
        Column of variance factors: the larger, the easier a weight moves less. ``u`` is divided
        by it, as by R's ``variance``: a ratio estimator has one total and its column here.
    disagreement
        Margins that add up to different populations: ``"error"``, or ``"rescale"`` all to the
        first in the table.
    tolerance
        Largest miss of a total, relative to its size. Where rounding allows no better, 1e-9 will
        do: the report has the miss.
    max_iterations
        Most steps; five to ten are usual.
    control
        Threads, time limit, cancellation; see `RunControl`.

    Returns
    -------
    Calibrated
        Weights on the same rows in the same order, and frames that say how they came about.

    Raises
    ------
    SchemaError
        A column is missing or has a type that makes no sense for its use.
    DomainError
        A weight is not above zero; a value is missing; a level of the sample has no total
        (``level_without_total``); a total above zero has no row (``empty_cell``); margins disagree
        (``margins_disagree``); totals contradict each other (``totals_contradict``); a total of
        zero needs a method that can give weights of zero (``zero_total``); an option is not
        allowed.
    ConvergenceError
        No weights within the bounds hit the totals (``out_of_reach``; the message names the totals
        and the nearest sums), or not solved in time (``not_converged``).
    CancelledError
        Stopped through `control`.

    Notes
    -----
    With design weights d, the weights are d g(u) where u = x'm / variance, x is what a row adds to
    the totals, and m makes the sums right. They minimise the sum of d G(g) under the totals, where
    G is the distance whose slope is the inverse of g(u) (Deville and Sarndal, 1992); a cost adds
    N c / 2 times the squared relative miss, N the sum of d. One Newton solver on the dual does all
    methods; rows that no total tells apart are one. Totals that follow from others, such as
    the last level of a second margin, are checked and left out.

    The result has the same bits for any number of threads. Another order of the rows may change the
    last bits of a sum.

    Kish's design effect is n sum(w^2) / sum(w)^2, effective rows are n over it.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> survey = pl.DataFrame(
    ...     {"area": ["urban", "urban", "rural", "rural"], "sex": ["f", "m", "f", "m"]}
    ... )
    >>> totals = pl.DataFrame(
    ...     {
    ...         "variable": ["area", "area", "sex", "sex"],
    ...         "level": ["urban", "rural", "f", "m"],
    ...         "total": [40.0, 60.0, 50.0, 50.0],
    ...     }
    ... )
    >>> cal = nser.calibrate(survey, totals, method="raking")
    >>> cal.weights.round(6).to_list()
    [20.0, 20.0, 30.0, 30.0]
    >>> survey.with_columns(cal.weights).columns
    ['area', 'sex', 'weight']
    """
    chosen("method", method, Method)
    chosen("disagreement", disagreement, Disagreement)
    by = (by,) if isinstance(by, str) else tuple(by)
    polars_frame("frame", frame)
    polars_frame("totals", totals)
    lazy = frame.lazy()
    schema = lazy.collect_schema()
    used = [name for name in (*by, weights, cluster, variance) if name is not None]
    for name in used:
        if name not in schema:
            raise missing_column(name, schema.names())
    plan = read_totals(totals.lazy().collect(), schema.names(), by)
    disagrees = None
    try:
        plan = agreeing(plan, disagreement)
    except DomainError as fault:
        disagrees = fault
    if method == "poststratify":
        _check_one_margin(plan)
    spec = as_json(plan) | {
        "curve": _CURVES.get(method, method),
        "bounds": _range("bounds", bounds, method),
        "weight_bounds": None if weight_bounds is None else _range("weight_bounds", weight_bounds),
        "trim": None if trim is None else _range("trim", trim),
        "tolerance": _positive("tolerance", tolerance),
        "max_iterations": int(_positive("max_iterations", max_iterations)),
    }
    if cluster is not None and variance is not None:
        raise invalid("cluster and variance cannot be combined")
    needed = list(dict.fromkeys([*plan.columns, *plan.numbers, *used]))
    # A frame without columns has no rows, so one column is kept.
    data = lazy.select(needed or schema.names()[:1]).collect()
    if not 0 < data.height < _MOST_ROWS:
        raise DomainError("expected at least one row and less than 2^32", code="no_rows")
    control = control or RunControl()
    try:
        return _solve(data, plan, spec, method, weights, cluster, variance, control)
    except NserError as fault:
        # Margins also disagree where the total of a level was forgotten: then that is the answer.
        if disagrees is None or fault.code in _FORGOTTEN:
            raise
    raise disagrees


def _solve(
    data: pl.DataFrame,
    plan: Plan,
    spec: dict[str, Any],
    method: str,
    weights: str | None,
    cluster: str | None,
    variance: str | None,
    control: RunControl,
) -> Calibrated:
    if weights is None:
        design = pl.repeat(1.0, data.height, dtype=pl.Float64, eager=True)
    else:
        design = sample.positive(data, weights, "weights")
    variables = sample.categoricals(data, {c: plan.levels(c) for c in plan.columns})
    stream, text = _native.calibrate(
        json.dumps(spec),
        data.height,
        weights=design,
        variables=[(sample.native(series), values) for series, values in variables],
        values=[sample.numbers(data, name, "what is added up") for name in plan.numbers],
        variance=None if variance is None else sample.positive(data, variance, "variance factors"),
        clusters=None if cluster is None else sample.clusters(data, cluster),
        groups=sample.groups(data, plan) if plan.by else None,
        threads=control.threads,
        control=control._native,
        timeout=control.timeout,
        tick=control.progress,
    )
    said = json.loads(text)
    if stream is None:
        raise trouble(plan, said, data, _bounds_text(spec))
    _check_zeros(plan, said, spec)
    weight = pl.DataFrame(stream).to_series()
    if (weight == 0).all():
        raise DomainError("the totals make every weight zero", code="zero_total")
    return Calibrated(
        weights=weight,
        g_weights=(weight / design).alias("g"),
        method=method,
        totals=totals_frame(plan, said),
        report=report_frame(plan, said),
        trace=trace_frame(plan, said),
    )


def _check_one_margin(plan: Plan) -> None:
    costs = any(cost is not None for row in plan.costs for cost in row)
    if len(plan.terms) != 1 or not plan.terms[0].columns or plan.terms[0].of or costs:
        raise invalid("method 'poststratify' needs one margin or cross, counted and without costs")


def _range(name: str, given: Range | None, method: str | None = None) -> list[float | None]:
    low, high = given or (None, None)
    if any(value is not None and not math.isfinite(value) for value in (low, high)):
        raise invalid(f"{name} must be finite numbers, or None for open")
    if low is not None and high is not None and low >= high:
        raise invalid(f"{name} must be a lower and a higher number")
    if method == "logit" and (low is None or high is None or not low < 1 < high):
        raise invalid("method 'logit' needs bounds below and above 1, such as (0.3, 3)")
    if method == "poststratify" and given is not None:
        raise invalid("method 'poststratify' has no bounds")
    return [low, high]


def _positive(name: str, value: float) -> float:
    if not (math.isfinite(value) and value > 0):
        raise invalid(f"{name} must be above zero")
    return value


def _bounds_text(spec: Mapping[str, Any]) -> str:
    def words(name: str, pair: Sequence[float | None]) -> str:
        low, high = pair
        if low is None or high is None:
            side, value = ("at least", low) if high is None else ("at most", high)
            return f"{name} {side} {value:g}"
        return f"{name} from {low:g} to {high:g}"

    parts = []
    if any(value is not None for value in spec["bounds"]):
        parts.append(words("g", spec["bounds"]))
    elif spec["curve"] == "raking":
        parts.append("g above 0")
    if spec["weight_bounds"] is not None:
        parts.append(words("weights", spec["weight_bounds"]))
    return " and ".join(parts)


def _check_zeros(plan: Plan, said: Sequence[Mapping[str, Any]], spec: Mapping[str, Any]) -> None:
    """Refuse a level with rows whose total is zero, where no weight can be zero."""
    low = spec["bounds"][0]
    reachable = spec["curve"] == "linear" and (low is None or low <= 0)
    for group, one in enumerate(said):
        for k, label in enumerate(plan.labels):
            total, before = plan.totals[group][k], one["before"][k]
            counted = label[1] is not None and plan.costs[group][k] is None
            if total == 0 and before and counted and not reachable:
                where = f"{group_text(plan.by, plan.groups[group])}: " if plan.by else ""
                raise DomainError(
                    f"{where}{described(label)} should be zero, but the sample has such rows, and "
                    "this method gives no weight of zero",
                    code="zero_total",
                    column=label[0],
                    hint="Filter these rows out, or use method='linear' with bounds=(0, None)",
                )
