"""Faults of a programme that its schema cannot see."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING

from nser_pmt.programmes._checks import rule_columns
from nser_pmt.programmes._parts import Amount, Cutoff, Dated, Line, Rule, Version
from nser_pmt.scoring.lint import Finding

if TYPE_CHECKING:
    from nser_pmt.programmes.programme import Programme

__all__ = ["lint"]

_DAY = timedelta(days=1)


def lint(programme: Programme, supplied: tuple[str, ...] | None) -> tuple[Finding, ...]:
    """Return the findings on a programme, errors first, in the order of the file."""
    found = [
        *_versions(programme),
        *_dates(programme),
        *_unreachable(programme),
        *_amounts(programme),
        *_sources(programme),
        *_columns(programme, supplied),
    ]
    return tuple(sorted(found, key=lambda f: f.level != "error"))


# -- dates -----------------------------------------------------------------------------------------


def _versions(programme: Programme) -> Iterator[Finding]:
    ordered = sorted(programme.versions, key=lambda v: v.valid_from)
    for version in ordered:
        if version.valid_to is not None and version.valid_to < version.valid_from:
            yield _error("bad-dates", f"versions '{version.id}'", "valid_to is before valid_from")
    for a, b in itertools.pairwise(ordered):
        place = f"versions '{b.id}'"
        if _end(a) >= b.valid_from:
            yield _error("dates-overlap", place, f"begins before version '{a.id}' ends")
        elif _end(a) + _DAY < b.valid_from:
            yield _warn("dates-gap", place, f"days between version '{a.id}' and this have no rules")


def _dates(programme: Programme) -> Iterator[Finding]:
    """One rule, line, amount or quota at two places on one day; days without it in between."""
    groups: dict[tuple[str, str], list[Dated]] = {}
    for rule in programme.rules:
        groups.setdefault(("rules", rule.id), []).append(rule)
        if isinstance(rule, Cutoff):
            for line in rule.lines:
                groups.setdefault(("lines", line.id), []).append(line)
    for amount in programme.amounts:
        groups.setdefault(("amounts", amount.id), []).append(amount)
    for quota in programme.quotas:
        groups.setdefault(("quotas", quota.id), []).append(quota)
    first = min(version.valid_from for version in programme.versions)
    for (kind, id), rows in groups.items():
        place = f"{kind} '{id}'"
        rows.sort(key=lambda row: row.valid_from)
        for a, b in itertools.pairwise(rows):
            if _end(a) >= b.valid_from:
                yield _error("dates-overlap", place, f"is there twice on {b.valid_from}")
            elif _end(a) + _DAY < b.valid_from:
                yield _warn("dates-gap", place, f"is not there from {_end(a) + _DAY} on")
        if all(_end(row) < first for row in rows):
            yield _warn("unreachable", place, "ends before the first version")


# -- what can never count --------------------------------------------------------------------------


def _unreachable(programme: Programme) -> Iterator[Finding]:
    for id in dict.fromkeys(item.id for item in programme.switches()):
        rows = [item for item in programme.switches() if item.id == id]
        if not any(row.enabled for row in rows):
            yield _warn("off-for-ever", f"'{id}'", "is switched off at all times")
    for a, b in itertools.combinations(programme.rules, 2):
        if a.id != b.id and _together(a, b) and _asks(a) == _asks(b):
            yield _warn("unreachable", f"rules '{b.id}'", f"asks what rule '{a.id}' asks")
    for rule in programme.rules:
        if isinstance(rule, Cutoff):
            yield from _lines(rule)
        yield from _bounds(programme, rule)
    for used, name in _rollups_used(programme):
        if not used:
            yield _warn("unused-rollup", f"rollups.{name}", "no rule or amount reads it")


def _asks(rule: Rule) -> object:
    if isinstance(rule, Cutoff):
        return (rule.kind, rule.column, [(line.value, line.side, line.when) for line in rule.lines])
    return rule.kind, rule.test


def _lines(rule: Cutoff) -> Iterator[Finding]:
    base = [line for line in rule.lines if line.when is None]
    for a, b in itertools.combinations(base, 2):
        if _together(a, b) and a.enabled and b.enabled:
            message = f"two lines for everybody on one day: '{a.id}' and '{b.id}'"
            yield _error("dates-overlap", f"rules '{rule.id}'", message)
    for line in rule.lines:
        if line.when is None or line.value is None:
            continue
        for other in base:
            if other.value is not None and _together(line, other) and not _above(line, other):
                message = f"line '{line.id}' never binds: line '{other.id}' lets more in"
                yield _warn("unreachable", f"rules '{rule.id}'", message)


def _above(line: Line, base: Line) -> bool:
    """Whether a line lets scores in that the base line does not."""
    assert line.value is not None and base.value is not None
    return (line.value, line.side == "<=") > (base.value, base.side == "<=")


def _bounds(programme: Programme, rule: Rule) -> Iterator[Finding]:
    """Cut-offs and edges outside the numbers that an input may have."""
    inputs = {item.name: item for item in programme.inputs}
    if isinstance(rule, Cutoff):
        edges = [(rule.column, line.value) for line in rule.lines if line.value is not None]
    else:
        leaves = [leaf for leaf in rule.test.leaves() if leaf.age is None]
        edges = [(leaf.column or "", edge) for leaf in leaves for _, edge in leaf.edges()]
    for column, edge in edges:
        item = inputs.get(column)
        if item is None:
            continue
        low, high = item.min, item.max
        if (low is not None and edge < low) or (high is not None and edge > high):
            message = f"{edge:g} lies outside the numbers of '{column}'"
            yield _warn("unreachable", f"rules '{rule.id}'", message)


def _rollups_used(programme: Programme) -> Iterator[tuple[bool, str]]:
    read = {c for rule in programme.rules for c in rule_columns(rule)}
    for amount in programme.amounts:
        read |= set(amount.when.columns()) if amount.when is not None else set()
    for rollup in programme.rollups:
        yield rollup.name in read, rollup.name


# -- amounts, sources, columns ---------------------------------------------------------------------


def _amounts(programme: Programme) -> Iterator[Finding]:
    rows = [amount for amount in programme.amounts if not amount.supplement]
    for a, b in itertools.combinations(rows, 2):
        if a.enabled and b.enabled and _together(a, b) and a.when == b.when:
            place = f"amounts '{b.id}'"
            yield _error("amounts-overlap", place, f"amount '{a.id}' holds for the same rows")
    for version in programme.versions:
        gap = _uncovered(version, [row for row in rows if row.enabled])
        if gap is not None:
            message = f"no amount is known from {gap} on"
            yield _warn("amount-unknown", f"versions '{version.id}'", message)


def _uncovered(version: Version, rows: Sequence[Amount]) -> date | None:
    """Return the first day of a version on which no amount holds."""
    day = version.valid_from
    while day <= _end(version):
        ends = [_end(row) for row in rows if row.covers(day)]
        if not ends:
            return day
        if max(ends) >= date.max:
            return None
        day = max(ends) + _DAY
    return None


def _sources(programme: Programme) -> Iterator[Finding]:
    parts: list[tuple[str, Dated | Version]] = [(f"'{i.id}'", i) for i in programme.switches()]
    parts += [(f"versions '{v.id}'", v) for v in programme.versions]
    for place, part in parts:
        if not part.source.strip():
            yield _warn("source-missing", place, "has no source")
        if part.mark == "unknown" and getattr(part, "enabled", True):
            yield _warn("mark-unknown", place, "counts, though how sure it is is not known")
    for rule in programme.rules:
        for name, text in (("text", rule.text), ("text_ur", rule.text_ur)):
            if not text.strip():
                yield _warn("text-missing", f"rules '{rule.id}'", f"{name} is empty")


def _columns(programme: Programme, supplied: tuple[str, ...] | None) -> Iterator[Finding]:
    declared = {item.name: item for item in programme.inputs}
    rollups = {rollup.name: rollup for rollup in programme.rollups}
    readers: dict[str, list[str]] = {}
    for rule in programme.rules:
        for column in rule_columns(rule):
            readers.setdefault(column, []).append(rule.id)
    for amount in programme.amounts:
        for column in amount.when.columns() if amount.when is not None else []:
            readers.setdefault(column, []).append(amount.id)
    for name, rollup in rollups.items():
        for column in rollup.test.columns():
            readers.setdefault(column, []).extend(readers.get(name, []))
    paid = programme.recipient.test.columns() if programme.recipient is not None else []
    for name in declared:
        if name not in readers and name not in paid:
            yield _warn("unused-input", f"inputs.{name}", "nothing reads it")
    if supplied is None:
        return
    in_force = {i.id for i in programme.switches() if i.enabled}
    for column, ids in readers.items():
        read_by = sorted({id for id in ids if id in in_force})
        if not read_by or column in supplied:
            continue
        if column in rollups and all(c in supplied for c in rollups[column].test.columns()):
            continue
        if column in declared and _made_up(column, programme, supplied):
            continue
        message = f"no column '{column}', which {', '.join(read_by)} reads"
        yield _warn("column-missing", f"inputs.{column}", message)


def _made_up(column: str, programme: Programme, supplied: tuple[str, ...]) -> bool:
    """Whether a column of members is not needed: the roll-ups that read it are supplied."""
    users = [r for r in programme.rollups if column in r.test.columns()]
    return bool(users) and all(r.name in supplied for r in users)


# -- helpers ---------------------------------------------------------------------------------------


def _end(part: Dated | Version) -> date:
    return part.valid_to or date.max


def _together(a: Dated, b: Dated) -> bool:
    return a.valid_from <= _end(b) and b.valid_from <= _end(a)


def _error(code: str, place: str, message: str) -> Finding:
    return Finding(level="error", code=code, place=place, message=message)


def _warn(code: str, place: str, message: str) -> Finding:
    return dataclasses.replace(_error(code, place, message), level="warning")
