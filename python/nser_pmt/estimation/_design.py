"""From terms to the columns of a regression, and from coefficients back to a scoring model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from nser_pmt._document import SCHEMA_VERSION
from nser_pmt.errors import DomainError
from nser_pmt.estimation._term_plans import (
    MISSING,
    UNKNOWN,
    Plan,
    columns_of,
    inputs_of,
    make_plan,
    with_points,
    without,
)
from nser_pmt.scoring import model as models
from nser_pmt.scoring.model import Model, missing_column
from nser_pmt.terms import Bins, Levels, Term

__all__ = ["Built", "Column", "assemble", "build"]

INTERCEPT = "intercept"


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of the regression: a term, and which level of it."""

    term: str
    level: str
    base: str

    @property
    def name(self) -> str:
        """Name for messages."""
        return f"{self.term}: {self.level}" if self.level else self.term


@dataclass(frozen=True, kw_only=True)
class Built:
    """A design.

    Attributes
    ----------
    plans
        One for each term.
    inputs
        Columns of the scoring model.
    columns
        Columns of the regression, without the intercept.
    values
        Their values.
    kept
        Rows of the survey that take part; None if all do.
    """

    plans: tuple[Plan, ...]
    inputs: tuple[models.Input, ...]
    columns: tuple[Column, ...]
    values: list[pl.Series]
    kept: pl.Series | None


def build(frame: pl.DataFrame, terms: Sequence[Term]) -> Built:
    """Make the columns of the regression from a survey."""
    for term in terms:
        for column in columns_of(term):
            if column not in frame.columns:
                raise missing_column(column, frame.columns)
    inputs = inputs_of(frame, terms)
    plans = [make_plan(frame, term, terms) for term in terms]
    raw = frame.select(_raw(plan, inputs).alias(f"{n}") for n, plan in enumerate(plans))
    kept = None
    for n, plan in enumerate(plans):
        missing = _missing(frame, plan, raw.get_column(f"{n}"))
        if missing is not None:
            kept = ~missing if kept is None else kept & ~missing
    if kept is not None:
        raw = raw.filter(kept)
    columns: list[Column] = []
    values: list[pl.Series] = []
    for n, plan in enumerate(plans):
        codes = raw.get_column(f"{n}")
        if not plan.coded:
            columns.append(Column(term=plan.term.id, level="", base=""))
            values.append(codes)
            continue
        plan, found = _present(plan, codes)
        plans[n] = plan
        base = ", ".join(plan.levels[code] for code in plan.base) or ""
        for code in found:
            name = "(missing)" if code < 0 else plan.levels[code]
            columns.append(Column(term=plan.term.id, level=name, base=base))
        made = raw.select((pl.col(f"{n}") == code).alias(f"{code}") for code in found)
        values += made.get_columns()
    return Built(
        plans=tuple(plans),
        inputs=inputs,
        columns=tuple(columns),
        values=values,
        kept=kept,
    )


def assemble(
    built: Mapping[str, Any], points: Mapping[tuple[str, str], float], *, intercept: float
) -> tuple[tuple[models.Input, ...], tuple[models.Term, ...], float]:
    """Return inputs, terms and intercept of the scoring model with these coefficients.

    `built` has the ``plans`` and ``inputs`` of a design; `points` the coefficients by term and
    level. Terms without any coefficient are left out.
    """
    terms = []
    for plan in built["plans"]:
        own = {level: value for (id, level), value in points.items() if id == plan.term.id}
        if own:
            terms.append(with_points(plan, own))
    used = {
        column
        for plan in built["plans"]
        for t in terms
        if t.id == plan.term.id
        for column in columns_of(plan.term)
    }
    return tuple(i for i in built["inputs"] if i.name in used), tuple(terms), intercept


def _raw(plan: Plan, inputs: Sequence[models.Input]) -> pl.Expr:
    """Return a term's number or code, read as the scorer reads it."""
    shape = plan.shape
    if isinstance(shape, models.LinearTerm) and (
        shape.transform == "none" and shape.clip_min is None and shape.clip_max is None
    ):
        return pl.col(shape.input)
    names = columns_of(plan.term)
    probe = Model(
        **_HEAD,
        inputs=tuple(item for item in inputs if item.name in names),
        terms=(shape,),
    )
    return probe.score_expr()


_HEAD: dict[str, Any] = {
    "schema_version": SCHEMA_VERSION,
    "id": "probe",
    "title": "",
    "country": "",
    "year": 0,
    "source": "",
    "licence": "",
    "status": "research",
    "unit": "household",
    "direction": "lower_is_poorer",
}


def _missing(frame: pl.DataFrame, plan: Plan, values: pl.Series) -> pl.Series | None:
    """Return which rows have no answer, if they are to be left out; raise if they may not be."""
    term = plan.term
    if plan.coded:
        unknown = values == UNKNOWN
        if unknown.any():
            raise _bad_row(term, unknown, "out_of_domain", "the answer is none of the levels")
        missing = values == MISSING
        if term.missing == "level":
            return None
    else:
        missing = values.is_null()
        if term.missing == "drop" and values.dtype.is_float():
            missing = missing | values.is_nan().fill_null(False)
    if not missing.any():
        return None
    given = [_no_answer(frame.get_column(column)) for column in columns_of(term)]
    answered = ~given[0] if len(given) == 1 else ~(given[0] | given[1])
    wrong = missing & answered
    if wrong.any():
        raise _bad_row(term, wrong, "out_of_domain", "the number is outside what the term accepts")
    if term.missing == "error":
        raise _bad_row(
            term,
            missing,
            "missing_value",
            "the answer is missing",
            "missing='drop' leaves such households out",
        )
    return missing


def _no_answer(values: pl.Series) -> pl.Series:
    missing = values.is_null()
    return missing | values.is_nan().fill_null(False) if values.dtype.is_float() else missing


def _bad_row(
    term: Term, rows: pl.Series, code: str, message: str, hint: str | None = None
) -> DomainError:
    row = rows.arg_max()
    columns = columns_of(term)
    return DomainError(
        f"term '{term.id}', column '{columns[0]}', row {row}: {message}",
        code=code,
        column=columns[0],
        row=row,
        hint=hint,
    )


def _present(plan: Plan, codes: pl.Series) -> tuple[Plan, list[int]]:
    """Return the codes that get a column. Levels that were looked up, not asked for, may go."""
    term = plan.term
    seen = {int(code) for code in codes.unique().to_list()}
    asked = isinstance(term, Bins) or (isinstance(term, Levels) and term.levels is not None)
    empty = [code for code in range(len(plan.levels)) if code not in seen]
    if empty and asked:
        raise DomainError(
            f"term '{term.id}': no household has the level {plan.levels[empty[0]]}",
            code="empty_level",
            column=columns_of(term)[0],
            hint="Put it together with another level",
        )
    if isinstance(term, Levels) and len(seen - {-1}) < 2 and not (seen - {-1} and -1 in seen):
        raise DomainError(
            f"term '{term.id}': all households have the same level",
            code="constant_term",
            column=term.column,
            hint="Leave the term out",
        )
    if isinstance(term, Levels) and plan.base[0] in empty:
        first = min(seen - {-1})
        plan = replace(plan, base=(first,))
    if empty:
        plan = replace(plan, shape=without(plan.shape, {float(code) for code in empty}))
    found = [code for code in range(len(plan.levels)) if code in seen and code not in plan.base]
    return plan, found + ([-1] if -1 in seen and term.missing == "level" else [])
