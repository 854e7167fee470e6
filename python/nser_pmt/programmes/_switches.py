"""Switching the rules of a programme on and off."""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar

from nser_pmt._options import invalid
from nser_pmt.errors import ModelError
from nser_pmt.programmes._parts import Cutoff, Dated, Rule

if TYPE_CHECKING:
    from nser_pmt.programmes.programme import Programme

__all__ = ["switched"]

D = TypeVar("D", bound=Dated)


def switched(programme: Programme, on: Sequence[str], off: Sequence[str]) -> Programme:
    """Do the work of `Programme.with_rules`."""
    if isinstance(on, str) or isinstance(off, str):
        raise invalid("on and off are lists of ids, such as ['vehicle']")
    wanted = dict.fromkeys(on, True) | dict.fromkeys(off, False)
    if len(wanted) < len(set(on)) + len(set(off)):
        raise invalid("an id is in both on and off")
    known = {name for item in programme.switches() for name in _names(item)}
    for name in wanted:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            ids = dict.fromkeys(item.id for item in programme.switches())
            hint = f"Did you mean '{close[0]}'?" if close else f"It has: {', '.join(ids)}"
            raise ModelError(
                f"programme '{programme.id}' has no rule '{name}'", code="no_such_rule", hint=hint
            )

    def switch(item: D) -> D:
        state = next((wanted[n] for n in reversed(_names(item)) if n in wanted), item.enabled)
        return item if state is item.enabled else dataclasses.replace(item, enabled=state)

    def switch_rule(rule: Rule) -> Rule:
        if isinstance(rule, Cutoff):
            rule = dataclasses.replace(rule, lines=tuple(switch(line) for line in rule.lines))
        return switch(rule)

    changed = dataclasses.replace(
        programme,
        rules=tuple(switch_rule(rule) for rule in programme.rules),
        amounts=tuple(switch(amount) for amount in programme.amounts),
        quotas=tuple(switch(quota) for quota in programme.quotas),
    )
    if changed == programme:
        return programme
    marks = "".join(f"{'+' if state else '-'}{name}" for name, state in wanted.items())
    return dataclasses.replace(
        changed, id=programme.id + marks, derived_from=programme.derived_from or programme.id
    )


def _names(item: Dated) -> tuple[str, str]:
    return item.id, f"{item.id}@{item.valid_from.isoformat()}"
