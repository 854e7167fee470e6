"""What is computed for a row: the outcome of each rule, the amount, and what they lack."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import polars as pl

from nser_pmt.errors import ModelError
from nser_pmt.programmes._checks import rule_columns
from nser_pmt.programmes._compile import Reader, condition_expr, rule_expr
from nser_pmt.programmes._deciding_reasons import MOST, ReasonsAs, bits, reasons, reasons_type
from nser_pmt.programmes._parts import Amount, Cutoff, Dated, Rule
from nser_pmt.programmes.programme import Programme

__all__ = ["DECISION", "Plan", "plan", "reader_of"]

DECISION = pl.Enum(["eligible", "not_eligible", "needs_data", "over_quota"])

_FAILED, _UNKNOWN, _LACKING = "__nser_pmt_failed", "__nser_pmt_unknown", "__nser_pmt_lacking"
_OUTCOME, _AMOUNT = "__nser_pmt_outcome_", "__nser_pmt_amount"

UNDETERMINED = "undetermined"
"""Stands for the column in a reason where no column is at fault but a number that nobody knows."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Expressions in three layers; each reads the columns of the one before.

    Without layers Polars would compute a rule once for each place that reads it: it turns negations
    inside out before it looks for what is common.
    """

    outcomes: list[pl.Expr]
    numbers: list[pl.Expr]
    answers: list[pl.Expr]
    reasons: pl.DataType

    def apply(self, frame: pl.LazyFrame) -> pl.LazyFrame:
        """Return the frame with all the columns of the plan."""
        return (
            frame.with_columns(self.outcomes).with_columns(self.numbers).with_columns(self.answers)
        )


def reader_of(
    programme: Programme, schema: dict[str, pl.DataType], unknown_if_missing: bool
) -> Reader:
    """Return the reader of a frame's columns."""
    inputs = {item.name: item for item in programme.inputs}
    return Reader(inputs=inputs, schema=schema, unknown_if_missing=unknown_if_missing)


def plan(
    programme: Programme, reader: Reader, on: date, names: dict[str, str], reasons_as: ReasonsAs
) -> Plan:
    """Make the plan of a programme on a day; `names` are those of the new columns."""
    rules = programme.active_rules(on)
    _check_once([*rules, *programme.active_quotas(on)], programme, on)
    for rule in rules:
        for column in rule_columns(rule):
            reader.check(column, rule.id)
    outcomes: list[pl.Expr] = []
    failed, unknown, unknown_texts = [], [], []
    for n, rule in enumerate(rules):
        outcomes.append(rule_expr(rule, reader, on).alias(f"{_OUTCOME}{n}"))
        met = pl.col(f"{_OUTCOME}{n}")
        failed.append(~met)
        flags, named_columns = _lacking(
            rule.id, met.is_null(), rule_columns(rule), reader, numbers_known=_numbers_known(rule)
        )
        unknown += flags
        unknown_texts += named_columns
    amount, columns = _amount(programme.active_amounts(on), reader, on)
    outcomes.append(amount.cast(pl.Int64).alias(_AMOUNT))
    lacking, lacking_texts = _lacking(
        "amount", pl.col(_AMOUNT).is_null(), columns, reader, numbers_known=False
    )
    for count in (len(rules), len(unknown_texts), len(lacking_texts)):
        if count > MOST:
            raise ModelError(
                f"programme '{programme.id}' has more than {MOST} reasons of a kind on a day",
                code="too_many_rules",
            )
    texts = [[rule.id for rule in rules], unknown_texts, lacking_texts]
    quotas = [text for q in programme.active_quotas(on) for text in (q.id, f"{q.id}:amount")]
    dtype = reasons_type(texts, quotas, reasons_as)
    numbers = [
        bits(failed).alias(_FAILED),
        bits(unknown).alias(_UNKNOWN),
        bits(lacking).alias(_LACKING),
    ]
    no, open_ = pl.col(_FAILED) > 0, pl.col(_UNKNOWN) > 0
    answers = {
        "eligible": pl.when(no).then(False).when(~open_).then(True),
        "decision": pl.when(no)
        .then(pl.lit("not_eligible", dtype=DECISION))
        .when(open_)
        .then(pl.lit("needs_data", dtype=DECISION))
        .otherwise(pl.lit("eligible", dtype=DECISION)),
        "reasons": reasons(
            list(zip(map(pl.col, (_FAILED, _UNKNOWN, _LACKING)), texts, strict=True)), dtype
        ),
        "amount": pl.when(~no & ~open_).then(pl.col(_AMOUNT)),
    }
    named = [e.alias(names[name]) for name, e in answers.items()]
    return Plan(outcomes=outcomes, numbers=numbers, answers=named, reasons=dtype)


def _check_once(parts: Sequence[Dated], programme: Programme, on: date) -> None:
    """Raise if the file has two rules or quotas of one id on a day, as `lint` finds too."""
    seen: set[str] = set()
    for part in parts:
        if part.id in seen:
            raise ModelError(
                f"programme '{programme.id}': '{part.id}' is there twice on {on}",
                code="dates_overlap",
                hint="programme.lint() finds all of them",
            )
        seen.add(part.id)


def _numbers_known(rule: Rule) -> bool:
    return not isinstance(rule, Cutoff) or all(line.value is not None for line in rule.lines)


def _lacking(
    id: str, unknown: pl.Expr, columns: list[str], reader: Reader, *, numbers_known: bool
) -> tuple[list[pl.Expr], list[str]]:
    """Say for which columns something is unknown; for none of them, if a number is to blame."""
    if numbers_known and len(columns) == 1:
        return [unknown], [f"{id}:{columns[0]}"]
    nulls = [reader.known(column).is_null() for column in columns]
    flags = [unknown & null for null in nulls]
    if numbers_known:
        return flags, [f"{id}:{column}" for column in columns]
    none = unknown & ~functools.reduce(pl.Expr.or_, nulls, pl.lit(False))
    return [*flags, none], [f"{id}:{column}" for column in (*columns, UNDETERMINED)]


def _amount(amounts: tuple[Amount, ...], reader: Reader, on: date) -> tuple[pl.Expr, list[str]]:
    """Return the rupees of a row, and the columns that they depend on."""
    columns: dict[str, None] = {}
    for item in amounts:
        for column in item.when.columns() if item.when is not None else ():
            reader.check(column, item.id)
            columns[column] = None
    nothing = pl.lit(None, dtype=pl.Int64)
    total = nothing
    # From the last to the first: the first that holds counts, and one that may hold hides the rest.
    for item in reversed([item for item in amounts if not item.supplement]):
        value = nothing if item.value is None else pl.lit(item.value, dtype=pl.Int64)
        if item.when is None:
            total = value
            continue
        holds = condition_expr(item.when, reader, on)
        total = pl.when(holds).then(value).when(holds.is_not_null()).then(total)
    for item in amounts:
        if item.supplement:
            value = nothing if item.value is None else pl.lit(item.value, dtype=pl.Int64)
            holds = pl.lit(True) if item.when is None else condition_expr(item.when, reader, on)
            more = pl.when(holds).then(value).when(~holds).then(pl.lit(0, dtype=pl.Int64))
            total = total + more
    return total, list(columns)
