"""What makes a programme one that can be read at all, and the columns that it reads."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from datetime import date
from typing import TYPE_CHECKING

from nser_pmt.errors import ModelError
from nser_pmt.programmes._parts import Condition, Cutoff, Rule, rule_conditions

if TYPE_CHECKING:
    from nser_pmt.programmes.programme import Programme

__all__ = ["check_references", "columns", "rule_columns"]

_NUMERIC = ("integer", "number")


def check_references(programme: Programme) -> None:
    """Raise `ModelError` where a programme contradicts itself."""
    if not programme.versions:
        raise _bad("versions: a programme has at least one version")
    if not programme.id.strip():
        raise _bad("id: a programme has a name")
    if not programme.rules:
        raise _bad("rules: a programme has at least one rule")
    types: dict[str, str] = {i.name: i.type for i in programme.inputs}
    listed = {i.name: i.values for i in programme.inputs}
    levels = {i.name: i.level for i in programme.inputs}
    for rollup in programme.rollups:
        place = f"rollups.{rollup.name}"
        if rollup.name in types:
            raise _bad(f"{place}: the name is that of an input")
        if rollup.at_least < 1 or (rollup.kind != "count" and rollup.at_least != 1):
            raise _bad(f"{place}.at_least: a number from 1, for kind 'count' only")
        _check_condition(rollup.test, types, listed, place)
        for column in rollup.test.columns():
            if levels[column] != "person":
                raise _bad(f"{place}: '{column}' is no column of a person")
    readable: dict[str, str] = {
        n: t for n, t in types.items() if _may_read(programme.unit, levels[n])
    }
    readable |= {rollup.name: "boolean" for rollup in programme.rollups}
    for place, condition in _conditions(programme):
        _check_condition(condition, readable, listed, place)
    for rule in programme.rules:
        if isinstance(rule, Cutoff):
            if readable.get(rule.column) not in _NUMERIC:
                hint = _close(rule.column, readable)
                raise _bad(f"rule '{rule.id}': '{rule.column}' is not a declared number", hint)
            if not rule.lines:
                raise _bad(f"rule '{rule.id}': a cut-off has at least one line")
    for quota in programme.quotas:
        if quota.per is not None and not quota.per:
            raise _bad(f"quota '{quota.id}': per: an empty name")
    if programme.recipient is not None:
        _check_condition(programme.recipient.test, types, listed, "recipient")
    _check_ids(programme)


def _may_read(unit: str, level: str) -> bool:
    """Whether rules may read a column: those of persons read columns of households too."""
    return unit != "household" or level == "household"


def _conditions(programme: Programme) -> Iterator[tuple[str, Condition]]:
    for rule in programme.rules:
        for condition in rule_conditions(rule):
            yield f"rule '{rule.id}'", condition
    for amount in programme.amounts:
        if amount.when is not None:
            yield f"amount '{amount.id}'", amount.when


def _check_condition(
    condition: Condition, types: dict[str, str], listed: dict[str, tuple[str, ...]], place: str
) -> None:
    for leaf in condition.leaves():
        kind = types.get(leaf.column or "")
        if kind is None:
            hint = _close(leaf.column or "", types)
            raise _bad(f"{place}: '{leaf.column}' is not a declared column of that level", hint)
        if leaf.age is not None or leaf.same is not None:
            right = kind == "date"
        elif leaf.edges():
            right = kind in _NUMERIC
        elif leaf.one_of:
            wanted: type = str if kind == "category" else int
            right = kind in ("category", "integer") and all(type(v) is wanted for v in leaf.one_of)
        else:
            types_of = {"boolean": bool, "category": str, "integer": int}
            right = type(leaf.equals) is types_of.get(kind)
        if not right:
            raise ModelError(
                f"{place}: the condition does not suit '{leaf.column}', a {kind}",
                code="wrong_input_type",
            )

        values = listed.get(leaf.column or "", ())
        for wanted_value in (*leaf.one_of, leaf.equals) if values else ():
            if isinstance(wanted_value, str) and wanted_value not in values:
                hint = _close(wanted_value, values) or f"Listed: {', '.join(values)}"
                raise _bad(f"{place}: '{leaf.column}' is never '{wanted_value}'", hint)


def _close(name: str, names: Iterable[str]) -> str | None:
    close = difflib.get_close_matches(name, list(names), n=1)
    return f"Did you mean '{close[0]}'?" if close else None


def _check_ids(programme: Programme) -> None:
    """Ids say what a reason or a switch means: one id, one thing (or one rule at many times)."""
    seen: dict[str, str] = {}
    for rule in programme.rules:
        if seen.setdefault(rule.id, "rule") != "rule":
            raise _bad(f"rules: the id '{rule.id}' is taken")
    for rule in programme.rules:
        for line in rule.lines if isinstance(rule, Cutoff) else ():
            if seen.setdefault(line.id, f"line of {rule.id}") != f"line of {rule.id}":
                raise _bad(f"rule '{rule.id}': the id '{line.id}' is taken")
    for kind, items in (("amount", programme.amounts), ("quota", programme.quotas)):
        for item in items:
            if seen.setdefault(item.id, kind) != kind:
                raise _bad(f"{kind}s: the id '{item.id}' is taken")
    for id in (*seen, *(rollup.name for rollup in programme.rollups)):
        if not id or any(c in id for c in ":@+ ") or id == "amount":
            raise _bad(f"the id '{id}': no space, ':', '@' or '+', and not 'amount'")
    versions = [version.id for version in programme.versions]
    if len(set(versions)) < len(versions):
        raise _bad("versions: two have one id")


def rule_columns(rule: Rule) -> list[str]:
    """Return the columns that a rule reads, each once."""
    own = [rule.column] if isinstance(rule, Cutoff) else []
    read = [c for condition in rule_conditions(rule) for c in condition.columns()]
    return list(dict.fromkeys([*own, *read]))


def columns(programme: Programme, on: date) -> tuple[str, ...]:
    """Return the columns that the rules, amounts and quotas of a day read."""
    names = [c for rule in programme.active_rules(on) for c in rule_columns(rule)]
    for amount in programme.active_amounts(on):
        names += amount.when.columns() if amount.when is not None else []
    for quota in programme.active_quotas(on):
        names += [key.column for key in quota.rank_by] + ([quota.per] if quota.per else [])
    return tuple(dict.fromkeys(names))


def _bad(message: str, hint: str | None = None) -> ModelError:
    return ModelError(message, code="bad_reference", hint=hint)
