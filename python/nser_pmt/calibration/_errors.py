"""Why a calibration has no solution, in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

from nser_pmt.calibration._totals import CROSS, Plan, described, group_text
from nser_pmt.errors import ConvergenceError, DomainError, NserError

__all__ = ["trouble"]

# Totals and groups that a message names.
_NAMED = 5


def trouble(
    plan: Plan, said: Sequence[Mapping[str, Any]], frame: pl.DataFrame, bounds: str
) -> NserError:
    """Return the error of the first group that has no solution; others are named."""
    failed = [group for group, one in enumerate(said) if "trouble" in one]
    group = failed[0]
    words = _Words(plan, group, frame, bounds)
    error = words.error(said[group])
    if plan.by:
        where = group_text(plan.by, plan.groups[group])
        others = [group_text(plan.by, plan.groups[k]) for k in failed[1:]]
        more = ", ..." if len(others) > _NAMED else ""
        also = f" (also without a solution: {'; '.join(others[:_NAMED])}{more})" if others else ""
        message = str(error.args[0]).removesuffix(f". {error.hint}")
        error = type(error)(
            f"{where}: {message}{also}",
            code=error.code,
            column=error.column,
            row=error.row,
            hint=error.hint,
        )
    return error


class _Words:
    def __init__(self, plan: Plan, group: int, frame: pl.DataFrame, bounds: str) -> None:
        self.plan = plan
        self.group = group
        self.frame = frame
        self.bounds = bounds

    def error(self, said: Mapping[str, Any]) -> NserError:
        make: NserError = getattr(self, said["trouble"])(said)
        return make

    def _target(self, total: int) -> float:
        value = self.plan.totals[self.group][total]
        return 0.0 if value is None else value

    def _label(self, total: int) -> str:
        return described(self.plan.labels[total])

    def _list(self, totals: Sequence[int]) -> str:
        named = [self._label(k) for k in totals[:_NAMED]]
        more = len(totals) - len(named)
        return ", ".join(named) + (f" and {more} more" if more else "")

    def uncovered(self, said: Mapping[str, Any]) -> NserError:
        term, row = self.plan.terms[said["term"]], said["row"]
        values = self.frame.select(pl.col(c).cast(pl.String) for c in term.columns).row(row)
        return DomainError(
            f"row {row}: the level {term.variable} = '{CROSS.join(values)}' has no total",
            code="level_without_total",
            column=term.columns[0] if term.columns else None,
            row=row,
            hint="Add a total for it, merge it with another level, or filter its rows out",
        )

    def empty(self, said: Mapping[str, Any]) -> NserError:
        total = said["total"]
        if self.plan.by and not said.get("rows", 1):
            return DomainError("the sample has no row of this group", code="empty_cell")
        return DomainError(
            f"{self._label(total)} should be {self._target(total):,.10g}, but no row of the sample "
            "adds to it",
            code="empty_cell",
            column=self.plan.labels[total][0],
            hint="Merge the level with another one, or leave out its total",
        )

    def contradiction(self, said: Mapping[str, Any]) -> NserError:
        total = said["total"]
        return DomainError(
            f"totals contradict each other: {self._label(total)} should be "
            f"{self._target(total):,.10g}, but {self._list(said['others'])} make it "
            f"{said['implied']:,.10g}",
            code="totals_contradict",
            column=self.plan.labels[total][0],
            hint="Correct them, or give those that may be missed a cost",
        )

    def no_room(self, said: Mapping[str, Any]) -> NserError:
        return DomainError(
            f"row {said['row']}: {self.bounds} leave its weight no room",
            code="weight_bounds",
            row=said["row"],
            hint="Widen weight_bounds; the logit method needs each design weight within them",
        )

    def out_of_reach(self, said: Mapping[str, Any]) -> NserError:
        nearest = said["nearest"]
        parts = [
            f"{self._label(k)} should be {self._target(k):,.10g}, the nearest is {sum_:,.10g}"
            for k, sum_ in nearest[:_NAMED]
        ]
        more = len(nearest) - len(parts)
        low, high = said["free"]
        free = ""
        if low is not None and high is not None:
            free = f"; without bounds the linear method needs g from {low:.4g} to {high:.4g}"
        return ConvergenceError(
            f"the totals are out of reach: no weights with {self.bounds} hit them. "
            f"{'; '.join(parts)}{f'; and {more} more' if more else ''}{free}",
            code="out_of_reach",
            column=self.plan.labels[nearest[0][0]][0],
            hint="Widen the bounds, merge small levels, or give totals that may be missed a cost",
        )

    def not_converged(self, said: Mapping[str, Any]) -> NserError:
        trace = said["trace"]
        worst, total, _ = trace[-1]
        miss = "without limit" if worst is None else f"by {worst:.3g} of its size"
        zero = [k for k, value in enumerate(self.plan.totals[self.group]) if value == 0]
        hint = "Raise max_iterations, widen the bounds, merge small levels, or give totals a cost"
        if zero:
            hint = f"Leave out what should be zero ({self._list(zero)}) together with its rows"
        return ConvergenceError(
            f"not solved after {len(trace) - 1} steps: {self._label(total)} is missed {miss}",
            code="not_converged",
            column=self.plan.labels[total][0],
            hint=hint,
        )

    def trim_too_tight(self, said: Mapping[str, Any]) -> NserError:
        return DomainError(
            f"the bounds of trimming leave no room for the sum of the weights, {said['sum']:,.10g}",
            code="invalid_option",
            hint="Widen trim",
        )
