"""The rules of a programme on a day as Polars expressions with the answers true, false and null.

Polars' own Boolean operators are Kleene's: false and null is false, true or null is true.
"""

from __future__ import annotations

import calendar
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from nser_pmt.errors import SchemaError
from nser_pmt.programmes._parts import Condition, Cutoff, Exclude, Input, Line, Rollup, Rule
from nser_pmt.scoring.model import missing_column

__all__ = ["Reader", "before_age", "condition_expr", "line_expr", "rollup_exprs", "rule_expr"]

UNKNOWN = pl.lit(None, dtype=pl.Boolean)


@dataclass(frozen=True, kw_only=True)
class Reader:
    """The columns of a frame as the programme's inputs, unknown values made null.

    Parameters
    ----------
    inputs
        What the programme says of its columns; roll-ups are Boolean columns.
    schema
        Columns that are there.
    unknown_if_missing
        Whether a column that is not there is unknown throughout, or an error.
    """

    inputs: Mapping[str, Input]
    schema: Mapping[str, pl.DataType]
    unknown_if_missing: bool

    def check(self, column: str, rule: str) -> None:
        """Raise `SchemaError` if a rule's column is missing or of a type without sense."""
        dtype = self.schema.get(column)
        if dtype is None:
            if self.unknown_if_missing:
                return
            error = missing_column(column, list(self.schema))
            hint = error.hint or (
                "Add it, switch the rule off with programme.with_rules(off=[...]), or pass "
                "on_missing='unknown'"
            )
            raise SchemaError(
                f"column '{column}' is missing; rule '{rule}' reads it",
                code="missing_column",
                column=column,
                hint=hint,
            )
        wanted = self.type(column)
        if not self.suits(column):
            words = {
                "boolean": "Boolean",
                "date": "Date",
                "category": "String, Enum or Categorical",
            }
            raise SchemaError(
                f"column '{column}': rule '{rule}' expects {words.get(wanted, 'numbers')}, found "
                f"{dtype.base_type()}",
                code="wrong_column",
                column=column,
            )

    def suits(self, column: str) -> bool:
        """Return whether a column that is there has a type that the programme can read."""
        return _suits(self.type(column), self.schema[column])

    def type(self, column: str) -> str:
        """Return the type of a column; a roll-up is Boolean."""
        item = self.inputs.get(column)
        return item.type if item is not None else "boolean"

    def known(self, column: str) -> pl.Expr:
        """Return the values of a column, null where they are unknown."""
        dtype = self.schema.get(column)
        kind = self.type(column)
        if dtype is None or dtype == pl.Null:
            empty = {"boolean": pl.Boolean, "date": pl.Date, "category": pl.String}
            return pl.lit(None, dtype=empty.get(kind, pl.Float64))
        values = pl.col(column)
        item = self.inputs.get(column)
        if item is None or kind in ("boolean", "date"):
            return values
        if isinstance(dtype, pl.Decimal):
            # The releases of Polars compare decimals with other numbers in different ways.
            values, dtype = values.cast(pl.Float64), pl.Float64()
        if kind == "category":
            return _listed(values, item, dtype)
        tests = [values.is_finite()] if dtype.is_float() else []
        if item.min is not None and item.max is not None:
            tests = [values.is_between(item.min, item.max)]  # NaN and infinity are not
        elif item.min is not None:
            tests.append(values >= item.min)
        elif item.max is not None:
            tests.append(values <= item.max)
        return pl.when(functools.reduce(pl.Expr.and_, tests)).then(values) if tests else values


def _suits(kind: str, dtype: pl.DataType) -> bool:
    if dtype == pl.Null:
        return True
    if kind == "boolean":
        return dtype == pl.Boolean
    if kind == "date":
        return dtype == pl.Date
    if kind == "category":
        return isinstance(dtype, (pl.String, pl.Enum, pl.Categorical))
    return dtype.is_numeric()


def _listed(values: pl.Expr, item: Input, dtype: pl.DataType) -> pl.Expr:
    """Make what the programme does not list null."""
    if not item.values:
        return values
    if isinstance(dtype, pl.Enum):
        categories = dtype.categories.to_list()
        strange = [c for c in categories if c not in item.values]
        if not strange:
            return values
        odd = functools.reduce(pl.Expr.or_, [values == category for category in strange])
        return pl.when(~odd).then(values)
    text = values if isinstance(dtype, pl.String) else values.cast(pl.String)
    return pl.when(text.is_in(list(item.values))).then(text)


# -- conditions ------------------------------------------------------------------------------------


def condition_expr(condition: Condition, reader: Reader, on: date) -> pl.Expr:
    """Return a condition as a Boolean expression; null is unknown."""
    parts = [condition_expr(part, reader, on) for part in condition.parts()]
    if condition.all:
        return functools.reduce(pl.Expr.and_, parts)
    if condition.any:
        return functools.reduce(pl.Expr.or_, parts)
    if condition.negate is not None:
        return ~parts[0]
    column = condition.column or ""
    values = reader.known(column)
    if condition.age is not None:
        return _age(condition, values, on)
    if condition.same is not None:
        start = date(on.year, on.month - (on.month - 1) % 3, 1)
        return (values >= pl.lit(start)) & (values <= pl.lit(on))
    if condition.edges():
        tests: list[pl.Expr] = [getattr(values, n)(edge) for n, edge in condition.edges()]
        return functools.reduce(pl.Expr.and_, tests)
    if condition.equals is True:
        return values
    if condition.equals is False:
        return ~values
    wanted: list[object] = [*condition.one_of] if condition.one_of else [condition.equals]
    return _one_of(values, wanted, reader.schema.get(column))


def _one_of(values: pl.Expr, wanted: list[object], dtype: pl.DataType | None) -> pl.Expr:
    if isinstance(dtype, pl.Enum):
        # Polars refuses to compare an Enum with a value that it does not have.
        wanted = [value for value in wanted if value in dtype.categories]
        if not wanted:
            return pl.when(values.is_not_null()).then(False)
    return functools.reduce(pl.Expr.or_, [values.eq(value) for value in wanted])


def _age(condition: Condition, births: pl.Expr, on: date) -> pl.Expr:
    """Ages compare as birth dates: at least n years old is born on or before a day."""
    unit = 12 if condition.age == "years" else 1
    tests = []
    for name, edge in condition.edges():
        months = int(edge) * unit
        last = before_age(months + (unit if name in ("gt", "le") else 0), on)
        old = births <= pl.lit(last)
        tests.append(old if name in ("ge", "gt") else ~old)
    return functools.reduce(pl.Expr.and_, tests)


def before_age(months: int, on: date) -> date:
    """Return the last birth date of those who have completed so many months on a day.

    Months are completed on the same day of the month; who was born on a day that the month does not
    have completes it on the first day of the next (29 February: on 1 March).
    """
    count = on.year * 12 + on.month - 1 - months
    year, month = count // 12, count % 12 + 1
    if year < 1:
        return date.min
    if year > 9999:
        return date.max
    return date(year, month, min(on.day, calendar.monthrange(year, month)[1]))


# -- rules -----------------------------------------------------------------------------------------


def rule_expr(rule: Rule, reader: Reader, on: date) -> pl.Expr:
    """Return whether a rule is met: true, false, or null where that is not known."""
    if isinstance(rule, Cutoff):
        lines = [line_expr(line, rule.column, reader, on) for line in rule.lines]
        return functools.reduce(pl.Expr.or_, lines)
    test = condition_expr(rule.test, reader, on)
    return ~test if isinstance(rule, Exclude) else test


def line_expr(line: Line, column: str, reader: Reader, on: date) -> pl.Expr:
    """Return whether a line of a cut-off holds and the score lies under it."""
    score = reader.known(column)
    if line.value is None:
        under = UNKNOWN
    else:
        under = score <= line.value if line.side == "<=" else score < line.value
    return under if line.when is None else condition_expr(line.when, reader, on) & under


def rollup_exprs(rollup: Rollup, reader: Reader, on: date) -> pl.Expr:
    """Return a roll-up as an aggregation over the members of a household."""
    test = condition_expr(rollup.test, reader, on)
    yes = test.sum()
    unknown = test.is_null().sum()
    if rollup.kind == "all":
        no = (~test).sum()
        met, failed = (no == 0) & (unknown == 0), no > 0
    else:
        met, failed = yes >= rollup.at_least, yes + unknown < rollup.at_least
    return pl.when(met).then(True).when(failed).then(False).alias(rollup.name)
