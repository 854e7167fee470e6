"""Frames of totals: what they say, and what a sample must have for them."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import polars as pl

from nser_pmt.errors import DomainError, SchemaError

__all__ = [
    "CROSS",
    "ROWS",
    "Plan",
    "Term",
    "agreeing",
    "as_json",
    "described",
    "group_text",
    "read_totals",
]

CROSS = "*"
"""Stands between the columns of a cross, and between their levels."""

ROWS = "(rows)"
"""The variable of the total that counts all rows."""

_REQUIRED = ("variable", "level", "total")
_KNOWN = (*_REQUIRED, "of", "cost", "rows", "note")

# A cross has a table of its combinations, and the solver one of totals by totals.
_MOST_COMBINATIONS = 10_000_000
_MOST_TOTALS = 8192

# Margins whose sums differ by less, relative to the larger, agree.
_AGREE = 1e-9


@dataclass(frozen=True, kw_only=True)
class Term:
    """Totals of one margin, or one total of all rows."""

    variable: str
    columns: tuple[str, ...]
    of: str | None
    totals: dict[tuple[str, ...], int] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Totals by group, and the terms that add up to them."""

    by: tuple[str, ...]
    labels: tuple[tuple[str, str | None, str | None], ...]
    terms: tuple[Term, ...]
    groups: tuple[tuple[str, ...], ...]
    given: list[list[float | None]]
    totals: list[list[float | None]]
    costs: list[list[float | None]]

    @property
    def columns(self) -> list[str]:
        """Categorical columns, each once."""
        return list(dict.fromkeys(column for term in self.terms for column in term.columns))

    @property
    def numbers(self) -> list[str]:
        """Columns that are added up, each once."""
        return list(dict.fromkeys(term.of for term in self.terms if term.of is not None))

    def levels(self, column: str) -> list[str]:
        """Levels of a categorical column that any total names."""
        places = [(t, k) for t in self.terms for k, c in enumerate(t.columns) if c == column]
        return list(dict.fromkeys(levels[k] for term, k in places for levels in term.totals))


def read_totals(totals: pl.DataFrame, columns: Sequence[str], by: Sequence[str]) -> Plan:
    """Read a frame of totals for a sample that has these columns."""
    totals = _typed(totals, by)
    labels: dict[tuple[str, str | None, str | None], int] = {}
    terms: dict[tuple[str, str | None, bool], Term] = {}
    groups: dict[tuple[str, ...], dict[int, tuple[float, float | None]]] = {}
    for row, (*group, variable, level, of, total, cost) in enumerate(totals.iter_rows()):
        label = (variable, level, of)
        number = labels.setdefault(label, len(labels))
        key = (variable, of, level is None)
        if key not in terms:
            terms[key] = _term(variable, level, of, columns)
        _add(terms[key], level, number)
        mine = groups.setdefault(tuple(group), {})
        if number in mine:
            raise DomainError(
                f"totals: {described(label)} is given twice",
                code="duplicate_total",
                column="variable",
                row=row,
            )
        _check(label, total, cost, row)
        mine[number] = (total, cost)
    if max(map(len, groups.values())) > _MOST_TOTALS:
        raise DomainError(
            f"totals: more than {_MOST_TOTALS:,} for one group",
            code="too_many_totals",
            hint="Calibrate by groups",
        )
    size = range(len(labels))
    given = [[mine[k][0] if k in mine else None for k in size] for mine in groups.values()]
    costs = [[mine[k][1] if k in mine else None for k in size] for mine in groups.values()]
    return Plan(
        by=tuple(by),
        labels=tuple(labels),
        terms=tuple(terms.values()),
        groups=tuple(groups),
        given=given,
        totals=given,
        costs=costs,
    )


def agreeing(plan: Plan, disagreement: str) -> Plan:
    """Return the plan with margins that agree: an error if they do not, or rescaled."""
    totals = [list(row) for row in plan.totals]
    for group, row in enumerate(totals):
        for of in dict.fromkeys(term.of for term in plan.terms):
            margins = [t for t in plan.terms if t.of == of and _whole(plan, group, t)]
            sums = [math.fsum(_values(row, term)) for term in margins]
            if not sums or _agree(sums):
                continue
            if disagreement == "error":
                raise _disagreement(plan, group, margins, sums)
            for term, total in zip(margins[1:], sums[1:], strict=True):
                for k in term.totals.values():
                    value = row[k]
                    if value is not None and total > 0:
                        row[k] = value * (sums[0] / total)
    return replace(plan, totals=totals)


def described(label: tuple[str, str | None, str | None]) -> str:
    """Return a total in words."""
    variable, level, of = label
    if level is None:
        return "the number of rows" if variable == ROWS else f"the sum of '{variable}'"
    where = f"{variable} = '{level}'"
    return where if of is None else f"the sum of '{of}' where {where}"


def group_text(by: Iterable[str], group: Iterable[str]) -> str:
    """Return a group in words."""
    return ", ".join(f"{c} = '{v}'" for c, v in zip(by, group, strict=True))


def _typed(totals: pl.DataFrame, by: Sequence[str]) -> pl.DataFrame:
    needed = (*by, *_REQUIRED)
    for name in needed:
        if name not in totals.columns:
            raise SchemaError(
                f"totals: column '{name}' is missing",
                code="missing_column",
                column=name,
                hint="totals_template makes a frame to fill in",
            )
    for name in totals.columns:
        if name not in (*by, *_KNOWN):
            close = difflib.get_close_matches(name, _KNOWN, n=1)
            advice = f"Did you mean '{close[0]}'?" if close else "Notes go into a column 'note'"
            raise SchemaError(
                f"totals: column '{name}' is not known",
                code="wrong_column",
                column=name,
                hint=advice,
            )
    if totals.is_empty():
        raise DomainError("totals: there are none", code="no_totals")
    level = pl.col("level")
    if totals.schema["level"].is_float():
        level = level.cast(pl.Int64)
    optional = [
        pl.col("of").cast(pl.String)
        if "of" in totals.columns
        else pl.lit(None, pl.String).alias("of"),
        pl.col("total").cast(pl.Float64),
        pl.col("cost").cast(pl.Float64)
        if "cost" in totals.columns
        else pl.lit(None, pl.Float64).alias("cost"),
    ]
    text = [pl.col(name).cast(pl.String) for name in (*by, "variable")]
    try:
        typed = totals.select(*text, level.cast(pl.String), *optional)
    except pl.exceptions.PolarsError:
        raise SchemaError(
            "totals: expected text or whole numbers in 'level', numbers in 'total' and 'cost'",
            code="wrong_column",
        ) from None
    for name in (*by, "variable"):
        if (row := first(typed.get_column(name).is_null())) is not None:
            raise DomainError(
                f"totals: column '{name}', row {row}: the value is missing",
                code="missing_value",
                column=name,
                row=row,
            )
    return typed


def first(flags: pl.Series) -> int | None:
    """Return the first row where a flag is set, if any is."""
    return flags.arg_max() if flags.any() else None


def _term(variable: str, level: str | None, of: str | None, columns: Sequence[str]) -> Term:
    if level is None:
        if of is not None:
            raise DomainError(
                f"totals: the sum of '{variable}' has no level, so 'of' must be empty",
                code="invalid_total",
                column="of",
            )
        if variable == ROWS:
            return Term(variable=variable, columns=(), of=None)
        return Term(variable=variable, columns=(), of=_found(variable, columns))
    parts = [variable] if variable in columns else variable.split(CROSS)
    crossing = tuple(_found(part.strip(), columns) for part in parts)
    if len(set(crossing)) < len(crossing):
        raise DomainError(
            f"totals: '{variable}' crosses a column with itself", code="invalid_total"
        )
    return Term(variable=variable, columns=crossing, of=None if of is None else _found(of, columns))


def _found(name: str, columns: Sequence[str]) -> str:
    if name in columns:
        return name
    close = difflib.get_close_matches(name, columns, n=1)
    hint = f"Did you mean '{close[0]}'?" if close else "Crosses are written as 'a*b'"
    raise SchemaError(
        f"totals name column '{name}', which the frame does not have",
        code="missing_column",
        column=name,
        hint=hint,
    )


def _add(term: Term, level: str | None, number: int) -> None:
    parts: tuple[str, ...] = ()
    if level is not None:
        parts = (level,) if len(term.columns) == 1 else tuple(map(str.strip, level.split(CROSS)))
    if len(parts) != len(term.columns):
        raise DomainError(
            f"totals: a level of '{term.variable}' must be {len(term.columns)} levels with "
            f"'{CROSS}' between them",
            code="invalid_total",
            column="level",
        )
    term.totals.setdefault(parts, number)


def _check(
    label: tuple[str, str | None, str | None], total: float | None, cost: float | None, row: int
) -> None:
    problem = None
    if total is None:
        problem, column = "is not filled in", "total"
    elif not math.isfinite(total):
        problem, column = "is not a finite number", "total"
    elif total < 0 and label[1] is not None and label[2] is None:
        problem, column = "is below zero", "total"
    elif cost is not None and not (math.isfinite(cost) and cost > 0):
        problem, column = "has a cost that is not above zero", "cost"
    if problem is not None:
        raise DomainError(
            f"totals, row {row}: {described(label)} {problem}",
            code="invalid_total",
            column=column,
            row=row,
        )


def _whole(plan: Plan, group: int, term: Term) -> bool:
    """Whether a term of a group adds up all rows, and must be hit."""
    numbers = term.totals.values()
    totals, costs = plan.totals[group], plan.costs[group]
    return any(totals[k] is not None for k in numbers) and all(costs[k] is None for k in numbers)


def _values(row: Sequence[float | None], term: Term) -> list[float]:
    return [value for k in term.totals.values() if (value := row[k]) is not None]


def _agree(sums: Sequence[float]) -> bool:
    return max(sums) - min(sums) <= _AGREE * max(map(abs, sums))


def _disagreement(
    plan: Plan, group: int, margins: Sequence[Term], sums: Sequence[float]
) -> DomainError:
    parts = [
        f"'{term.variable}' to {total:,.10g}" for term, total in zip(margins, sums, strict=True)
    ]
    where = f"{group_text(plan.by, plan.groups[group])}: " if plan.by else ""
    return DomainError(
        f"{where}the margins disagree: totals of {', of '.join(parts)} add up to different "
        "populations",
        code="margins_disagree",
        hint=f"Correct them, or let disagreement='rescale' bring all to '{margins[0].variable}'",
    )


def as_json(plan: Plan) -> dict[str, Any]:
    """Return the plan as the core reads it."""
    columns, numbers = plan.columns, plan.numbers
    levels = {column: plan.levels(column) for column in columns}
    terms = []
    for term in plan.terms:
        counts = [len(levels[column]) for column in term.columns]
        if math.prod(counts) > _MOST_COMBINATIONS:
            raise DomainError(
                f"totals: '{term.variable}' has more than {_MOST_COMBINATIONS:,} combinations of "
                "levels",
                code="too_many_totals",
                hint="Cross fewer columns, or calibrate by groups",
            )
        table: list[int | None] = [None] * math.prod(counts)
        places = [{level: k for k, level in enumerate(levels[c])} for c in term.columns]
        for parts, number in term.totals.items():
            at = 0
            for part, count, place in zip(parts, counts, places, strict=True):
                at = at * count + place[part]
            table[at] = number
        terms.append(
            {
                "variables": [columns.index(column) for column in term.columns],
                "levels": counts,
                "of": None if term.of is None else numbers.index(term.of),
                "totals": table,
            }
        )
    return {"terms": terms, "totals": plan.totals, "costs": plan.costs}
