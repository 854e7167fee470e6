"""What a scenario aims at: who is to be in, and the survey that says who is poor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, TypeAlias

import polars as pl

from nser_pmt._options import chosen, invalid
from nser_pmt.errors import DomainError, SchemaError
from nser_pmt.scoring.model import Model, missing_column

__all__ = ["Goal", "Survey", "Ties", "read_survey"]

Ties: TypeAlias = Literal["out", "in"]


@dataclass(frozen=True, kw_only=True)
class Goal:
    """Who is to be in: by a cut-off, or as many of the poorest as there is room or money for."""

    cutoff: float | str | None
    quota: float | None
    budget: float | None
    transfer: float | None
    ties: Ties

    def __post_init__(self) -> None:
        chosen("ties", self.ties, Ties)
        given = [name for name in ("cutoff", "quota", "budget") if getattr(self, name) is not None]
        if len(given) > 1:
            raise invalid(f"{' and '.join(given)}: give one of them")
        if isinstance(self.cutoff, (int, float)) and math.isnan(self.cutoff):
            raise invalid("cutoff must be a number or the name of a cut-off of the model")
        for name in ("quota", "budget", "transfer"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value >= 0):
                raise invalid(f"{name} must be a number of 0 or more")
        if self.budget is not None and not self.transfer:
            raise invalid("a budget needs the transfer to one household, above 0")


@dataclass(frozen=True, kw_only=True, eq=False)
class Survey:
    """Households of which the truth is known."""

    frame: pl.DataFrame
    welfare: str
    line: float
    weights: str | None


def read_survey(
    model: Model,
    survey: pl.DataFrame | None,
    welfare: str | None,
    line: float | None,
    weights: str | None,
) -> Survey | None:
    """Check a survey, and keep the columns that are needed of it."""
    if survey is None:
        if any(x is not None for x in (welfare, line, weights)):
            raise invalid("welfare, line and survey_weights belong to a survey: give it too")
        return None
    if welfare is None or line is None or not math.isfinite(line):
        raise invalid("a survey needs welfare, a column of it, and line, a number")
    named = [welfare, *([weights] if weights else [])]
    for column in [*model.columns, *named]:
        if column not in survey.columns:
            raise missing_column(column, survey.columns)
    for column in named:
        values = survey.get_column(column)
        if not values.dtype.is_numeric():
            raise SchemaError(
                f"column '{column}': expected numbers, found {values.dtype}",
                code="wrong_column",
                column=column,
            )
        numbers = values.cast(pl.Float64)
        good = numbers.is_finite() & ((numbers >= 0) | (column == welfare))
        bad = (~good).fill_null(True).arg_true()
        if len(bad):
            raise DomainError(
                f"column '{column}', row {bad[0]}: expected a finite number"
                + ("" if column == welfare else " of 0 or more"),
                code="invalid_survey",
                column=column,
                row=int(bad[0]),
            )
    if weights is not None and not survey.get_column(weights).sum() > 0:
        raise DomainError(
            f"column '{weights}': the weights of the survey add up to zero",
            code="zero_weights",
            column=weights,
        )
    chosen_columns = list(dict.fromkeys([*model.columns, *named]))
    return Survey(
        frame=survey.select(chosen_columns), welfare=welfare, line=float(line), weights=weights
    )
