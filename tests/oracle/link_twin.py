"""The linker once more in plain Python: every pair of rows, one comparison after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations, product
from math import log2
from typing import Any

import nser_pmt as nser

Row = dict[str, Any]
MEASURES = nser.similarity


def level(c: Any, a: Row, b: Row) -> int | None:
    """Return the place of the level of a pair, None where a value is missing."""
    return _LEVELS[c.kind](c, a[c.column], b[c.column])


def _exact(c: Any, a: Any, b: Any) -> int | None:
    if a in (None, "") or b in (None, ""):
        return None
    return 0 if a == b else 1


def _cnic(c: Any, a: Any, b: Any) -> int | None:
    usable = ("cnic", "malformed", "old_nic")
    if any(nser.cnic.parse_one(v)["kind"] not in usable for v in (a, b)):
        return None
    count = nser.cnic.distance_one(a, b)["count"]
    return None if count is None else min(count, 3)


def _name(c: Any, a: Any, b: Any) -> int | None:
    if not a or not b:
        return None
    found = nser.names.compare_one(a, b, frequencies=c.options.get("token_frequencies"))
    a, b = nser.names.fold_one(a), nser.names.fold_one(b)
    if a and a == b:
        return 0
    if found["similarity"] is None:
        return None
    for place, wanted in enumerate(c.options["levels"], start=1):
        code = wanted["code"]
        if found["similarity"] >= wanted["least"] and code in (None, found["match"]):
            return place
    return len(c.levels) - 1


def _string(c: Any, a: Any, b: Any) -> int | None:
    if not a or not b:
        return None
    if a == b:
        return 0
    metric = c.options["metric"]
    distance = c.options["measure"] == "distance"
    name = f"{metric}_distance_one" if distance else f"{metric}_one"
    value = getattr(MEASURES, name)(a, b)
    for place, cutoff in enumerate(c.options["cutoffs"], start=1):
        if value <= cutoff if distance else value >= cutoff:
            return place
    return len(c.levels) - 1


def _date(c: Any, a: Any, b: Any) -> int | None:
    if a is None or b is None:
        return None
    if a == b:
        return 0
    for place, wanted in enumerate(c.options["levels"], start=1):
        if _date_holds(wanted, a, b):
            return place
    return len(c.levels) - 1


def _date_holds(wanted: Any, a: Any, b: Any) -> bool:
    if isinstance(wanted, dict):
        return bool(abs((a - b).days) <= wanted["days"])
    same_year = bool(a.year == b.year)
    if wanted == "same_year":
        return same_year
    if wanted == "same_year_heaped":
        return same_year and any((d.month, d.day) == (1, 1) for d in (a, b))
    if wanted == "day_month_swap":
        return same_year and (a.month, a.day) == (b.day, b.month)
    x, y = f"{a:%Y%m%d}".zfill(8), f"{b:%Y%m%d}".zfill(8)
    places = [k for k in range(8) if x[k] != y[k]]
    if len(places) == 1:
        return True
    parts = ((0, 1, 2, 3), (4, 5), (6, 7))
    i, j = places[0], places[-1]
    together = any(i in part and j in part for part in parts)
    return len(places) == 2 and j == i + 1 and together and (x[i], x[j]) == (y[j], y[i])


def _number(c: Any, a: Any, b: Any) -> int | None:
    if a is None or b is None or a != a or b != b:
        return None
    if a == b:
        return 0
    for place, wanted in enumerate(c.options["levels"], start=1):
        if "within" in wanted:
            most = wanted["within"]
        else:
            most = wanted["within_share"] * max(abs(a), abs(b))
        if abs(a - b) <= most:
            return place
    return len(c.levels) - 1


def _set(c: Any, a: Any, b: Any) -> int | None:
    x, y = ({v for v in side or () if v is not None} for side in (a, b))
    if not x or not y:
        return None
    if x == y:
        return 0
    for place, wanted in enumerate(c.options["levels"], start=1):
        shared = len(x & y)
        if "shares" in wanted and shared >= wanted["shares"]:
            return place
        if "jaccard" in wanted and shared >= wanted["jaccard"] * len(x | y):
            return place
    return len(c.levels) - 1


_LEVELS = {
    "exact": _exact,
    "cnic": _cnic,
    "name": _name,
    "string": _string,
    "date": _date,
    "number": _number,
    "set": _set,
}


def key_of(row: Row, columns: Sequence[str]) -> tuple[Any, ...] | None:
    """Return the key of a row, None if a part of it is missing."""
    key = tuple(row[c] for c in columns)
    return None if any(part in (None, "") for part in key) else key


def candidates(left: list[Row], right: list[Row] | None, rules: Sequence[Any]) -> list[Any]:
    """Return the pairs that any rule makes, as places of rows.

    A rule is a list of columns, or a function of two rows.
    """
    pairs = combinations(range(len(left)), 2)
    others = left if right is None else right
    every = pairs if right is None else product(range(len(left)), range(len(right)))
    return [(i, j) for i, j in every if any(_makes(rule, left[i], others[j]) for rule in rules)]


def _makes(rule: Any, a: Row, b: Row) -> bool:
    if callable(rule):
        return bool(rule(a, b))
    keys = key_of(a, rule), key_of(b, rule)
    return keys[0] is not None and keys[0] == keys[1]


def weight(spec: Any, levels: Sequence[int | None]) -> float:
    """Return the weight of a pattern, without term frequencies."""
    total = log2(spec.prior / (1 - spec.prior))
    for c, place in zip(spec.compare, levels, strict=True):
        if place is not None:
            total += log2(c.m[place] / c.u[place])
    return total


def rarity(values: Sequence[Any], a: Any, b: Any) -> float:
    """Return log2 of one over the share of the more frequent of two values."""
    given = [v for v in values if v not in (None, "")]
    counts = Counter(given)
    return min(log2(len(given) / counts[v]) for v in (a, b))
