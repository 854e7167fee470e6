"""Stepwise choice of terms from the sums of a survey."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

import polars as pl

from nser_pmt import _native
from nser_pmt._options import chosen, invalid
from nser_pmt.errors import DomainError
from nser_pmt.estimation._design import INTERCEPT
from nser_pmt.estimation._least_squares import LeastSquares

__all__ = ["Criterion", "Direction", "Steps", "stepwise"]

Criterion: TypeAlias = Literal["p", "aic", "bic"]
Direction: TypeAlias = Literal["forward", "backward", "both"]


@dataclass(frozen=True, kw_only=True)
class Steps:
    """What was chosen.

    Attributes
    ----------
    state
        The sums, with the columns that were chosen in use.
    table
        One row for each step: ``step``, ``term``, ``action`` (``"enter"`` or ``"leave"``), ``p``
        (of the term at that moment), ``value`` (of the criterion after the step), ``rmse`` after
        it.
    refused
        Terms that could not enter, because they follow from others.
    """

    state: LeastSquares
    table: pl.DataFrame
    refused: tuple[str, ...]


def stepwise(
    state: LeastSquares,
    *,
    direction: Direction = "both",
    criterion: Criterion = "p",
    enter: float = 0.05,
    leave: float = 0.1,
    forced: Sequence[str] = (),
) -> Steps:
    """Choose terms; all columns of a term enter and leave together.

    p-values are those of F tests of least squares with weights of a mean of 1, as for a simple
    random sample: a rule to choose by, not an inference. ``aic`` is ``n ln(RSS / n) + 2 k``,
    ``bic`` has ``k ln(n)``. ``"forward"`` only takes terms in, ``"backward"`` begins with all and
    only puts them out, ``"both"`` begins with none.
    """
    chosen("direction", direction, Direction)
    chosen("criterion", criterion, Criterion)
    if not 0 < enter <= leave < 1:
        raise invalid("expected 0 < enter <= leave < 1")
    places: dict[str, list[int]] = {}
    for place, i in enumerate(state.keep):
        places.setdefault(state.columns[i].term, []).append(place)
    for term in forced:
        if term not in places:
            raise invalid(f"forced: the spec has no term '{term}'")
    always = [term for term in places if term == INTERCEPT or term in forced]
    free = [term for term in places if term not in always]
    columns = [*state.keep, state.moments.width - 1]
    found = _native.choose_terms(
        [state.moments.entry(i, j) for i in columns for j in columns],
        len(columns),
        rows=float(state.households),
        weight=state.weight_sum,
        terms=[places[term] for term in free],
        forced=[place for term in always for place in places[term]],
        criterion=criterion,
        direction=direction,
        limits=(enter, leave),
    )
    if "collinear" in found:
        column = state.columns[state.keep[found["collinear"]]]
        raise DomainError(
            f"term '{column.name}' is zero, constant, or a combination of other forced terms",
            code="collinear",
            column=column.term,
        )
    kept = {*always, *(term for term, is_in in zip(free, found["chosen"], strict=True) if is_in)}
    keep = tuple(i for i in state.keep if state.columns[i].term in kept)
    steps = found["steps"]
    table = pl.DataFrame(
        {
            "step": list(range(1, len(steps) + 1)),
            "term": [free[term] for term, *_ in steps],
            "action": ["enter" if entered else "leave" for _, entered, *_ in steps],
            "p": [step[2] for step in steps],
            "value": [step[4] for step in steps],
            "rmse": [(step[3] / state.weight_sum) ** 0.5 for step in steps],
        },
        schema={
            "step": pl.UInt32,
            "term": pl.String,
            "action": pl.String,
            "p": pl.Float64,
            "value": pl.Float64,
            "rmse": pl.Float64,
        },
    )
    return Steps(
        state=replace(state, keep=keep),
        table=table,
        refused=tuple(free[i] for i in found["refused"]),
    )
