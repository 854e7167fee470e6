"""The rule engine once more in plain Python: the same TOML file, row by row, sharing no code.

True, False and None are true, false and unknown. Ages are counted forwards from the birthday, where
the engine compares birth dates.
"""

from __future__ import annotations

import math
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

DATA = Path(__file__).parents[2] / "python" / "nser_pmt" / "data" / "programmes"

Row = dict[str, Any]


def book(name: str) -> Row:
    return tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))


# -- three values ----------------------------------------------------------------------------------


def both(values: list[bool | None]) -> bool | None:
    if any(v is False for v in values):
        return False
    return None if any(v is None for v in values) else True


def either(values: list[bool | None]) -> bool | None:
    if any(v is True for v in values):
        return True
    return None if any(v is None for v in values) else False


def opposite(value: bool | None) -> bool | None:
    return None if value is None else not value


# -- values and conditions -------------------------------------------------------------------------


def read(book: Row, row: Row, column: str) -> Any:
    """The value of a column, None if it is unknown."""
    value = row.get(column)
    spec = book["inputs"].get(column)
    if value is None or spec is None:
        return value
    if spec["type"] in ("number", "integer"):
        if not math.isfinite(value):
            return None
        if value < spec.get("min", -math.inf) or value > spec.get("max", math.inf):
            return None
    if spec.get("values") and value not in spec["values"]:
        return None
    return value


def full_months(birth: date, on: date) -> int:
    months = (on.year - birth.year) * 12 + (on.month - birth.month)
    return months - 1 if on.day < birth.day else months


def holds(book: Row, row: Row, test: Row, on: date) -> bool | None:
    if "all" in test:
        return both([holds(book, row, part, on) for part in test["all"]])
    if "any" in test:
        return either([holds(book, row, part, on) for part in test["any"]])
    if "negate" in test:
        return opposite(holds(book, row, test["negate"], on))
    value = read(book, row, test["column"])
    if value is None:
        return None
    if "same" in test:
        quarter = (on.month - 1) // 3
        return value.year == on.year and (value.month - 1) // 3 == quarter and value <= on
    if "equals" in test:
        return bool(value == test["equals"])
    if "one_of" in test:
        return value in test["one_of"]
    if "age" in test:
        months = full_months(value, on)
        value = months // 12 if test["age"] == "years" else months
    return (
        value >= test.get("ge", -math.inf)
        and (("gt" not in test) or value > test["gt"])
        and value <= test.get("le", math.inf)
        and (("lt" not in test) or value < test["lt"])
    )


# -- rules -----------------------------------------------------------------------------------------


def in_force(item: Row, on: date, switches: dict[str, bool]) -> bool:
    enabled = switches.get(item["id"], item.get("enabled", True))
    return enabled and item["valid_from"] <= on <= item.get("valid_to", date.max)


def lines_in_force(rule: Row, on: date, switches: dict[str, bool]) -> list[Row]:
    return [line for line in rule["lines"] if in_force(line, on, switches)]


def met(book: Row, row: Row, rule: Row, on: date, switches: dict[str, bool]) -> bool | None:
    if rule["kind"] == "require":
        return holds(book, row, rule["test"], on)
    if rule["kind"] == "exclude":
        return opposite(holds(book, row, rule["test"], on))
    answers = []
    score = read(book, row, rule["column"])
    for line in lines_in_force(rule, on, switches):
        applies = holds(book, row, line["when"], on) if "when" in line else True
        below = None
        if score is not None and "value" in line:
            below = score <= line["value"] if line["side"] == "<=" else score < line["value"]
        answers.append(both([applies, below]))
    return either(answers)


def columns_of(test: Row) -> list[str]:
    if "column" in test:
        return [test["column"]]
    parts = test.get("all") or test.get("any") or [test["negate"]]
    return [column for part in parts for column in columns_of(part)]


def rule_columns(rule: Row, on: date, switches: dict[str, bool]) -> list[str]:
    if rule["kind"] != "cutoff":
        return list(dict.fromkeys(columns_of(rule["test"])))
    found = [rule["column"]]
    for line in lines_in_force(rule, on, switches):
        found += columns_of(line["when"]) if "when" in line else []
    return list(dict.fromkeys(found))


def blame(book: Row, row: Row, id: str, columns: list[str]) -> list[str]:
    nulls = [column for column in columns if read(book, row, column) is None]
    return [f"{id}:{column}" for column in nulls] or [f"{id}:undetermined"]


def rupees(
    book: Row, row: Row, on: date, switches: dict[str, bool]
) -> tuple[int | None, list[str]]:
    """The amount, and what it lacks."""
    total, known, columns = None, True, []
    active = [item for item in book.get("amounts", []) if in_force(item, on, switches)]
    for item in active:
        columns += columns_of(item["when"]) if "when" in item else []
    for item in active:
        if item.get("supplement"):
            continue
        applies = holds(book, row, item["when"], on) if "when" in item else True
        if applies is None:
            break
        if applies:
            total = item.get("value")
            break
    for item in active:
        if not item.get("supplement"):
            continue
        applies = holds(book, row, item["when"], on) if "when" in item else True
        if applies is None or (applies and "value" not in item):
            known = False
        elif applies and total is not None:
            total += item["value"]
    if total is not None and known:
        return total, []
    return None, blame(book, row, "amount", list(dict.fromkeys(columns)))


def with_facts(book: Row, row: Row, members: list[Row], on: date) -> Row:
    """A household with the facts that its members make."""
    facts = {}
    for name, rollup in book.get("rollups", {}).items():
        answers = [holds(book, member, rollup["test"], on) for member in members]
        if not members:
            facts[name] = None
        elif rollup["kind"] == "any":
            facts[name] = either(answers)
        elif rollup["kind"] == "all":
            facts[name] = both(answers)
        else:
            yes, maybe = answers.count(True), answers.count(None)
            least = rollup["at_least"]
            facts[name] = True if yes >= least else False if yes + maybe < least else None
    return row | facts


def decide_row(
    book: Row, row: Row, on: date, *, switches: dict[str, bool] | None = None
) -> tuple[bool | None, str, list[str], int | None]:
    """eligible, decision, reasons, amount of one row."""
    switches = switches or {}
    failed, unknown = [], []
    for rule in book["rules"]:
        if not in_force(rule, on, switches):
            continue
        if rule["kind"] == "cutoff" and not lines_in_force(rule, on, switches):
            continue
        answer = met(book, row, rule, on, switches)
        if answer is False:
            failed.append(rule["id"])
        elif answer is None:
            unknown += blame(book, row, rule["id"], rule_columns(rule, on, switches))
    if failed:
        return False, "not_eligible", failed, None
    if unknown:
        return None, "needs_data", unknown, None
    amount, lacking = rupees(book, row, on, switches)
    return True, "eligible", lacking, amount


def decide_table(
    book: Row,
    rows: list[Row],
    on: date,
    *,
    switches: dict[str, bool] | None = None,
    quota: Row | None = None,
) -> list[tuple[bool | None, str, list[str], int | None]]:
    """All rows, then the quota over them."""
    decided = [decide_row(book, row, on, switches=switches) for row in rows]
    if quota is None:
        return decided
    budget = quota.get("budget")
    if budget is not None:
        for n, (eligible, _, _, amount) in enumerate(decided):
            if eligible and amount is None:
                decided[n] = (None, "needs_data", [f"{quota['id']}:amount"], None)
    for area in {row.get(quota.get("per", "")) for row in rows}:
        mine = [n for n, row in enumerate(rows) if row.get(quota.get("per", "")) == area]
        mine = [n for n in mine if decided[n][0]]
        cost = {n: 1 if budget is None else decided[n][3] for n in mine}
        room = quota["places"] if budget is None else budget
        for group in ranked(rows, mine, quota["rank_by"]):
            size = sum(cost[n] for n in group)
            fits = room > 0 if quota["ties"] == "include" else size <= room
            room = room - size if fits else -1
            if not fits:
                for n in group:
                    decided[n] = (False, "over_quota", [quota["id"]], None)
    return decided


def ranked(rows: list[Row], mine: list[int], keys: list[Row]) -> list[list[int]]:
    """Groups of tied rows, the first first; unknown comes last in each column."""
    groups = [mine]
    for key in keys:
        finer = []
        for group in groups:
            values: dict[Any, list[int]] = {}
            for n in group:
                value = rows[n].get(key["column"])
                if isinstance(value, float) and math.isnan(value):
                    value = None
                values.setdefault(value, []).append(n)
            known = sorted(
                (v for v in values if v is not None), reverse=key.get("descending", False)
            )
            finer += [values[v] for v in known] + ([values[None]] if None in values else [])
        groups = finer
    return groups
