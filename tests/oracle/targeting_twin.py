"""The metrics of targeting in plain Python, one definition at a time (field guide, section 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Row = tuple[float, float, float]  # score, welfare, weight

Numbers = dict[str, float | None]


def quantile(values: Sequence[float], weights: Sequence[float], share: float) -> float:
    need = share * sum(weights)
    for value in sorted(set(values)):
        if sum(w for v, w in zip(values, weights, strict=True) if v <= value) >= need - 1e-9:
            return value
    return max(values)


def ratio(a: float, b: float) -> float | None:
    return a / b if b else None


def fixed_rate_cut(rows: Sequence[Row], line: float) -> float:
    poor = sum(w for _, y, w in rows if y <= line)
    if poor == 0:
        return float("-inf")
    return quantile([s for s, _, _ in rows], [w for *_, w in rows], poor / sum(w for *_, w in rows))


def measure(rows: Sequence[Row], line: float, cut: float) -> Numbers:
    rows = [row for row in rows if row[2] > 0]
    tp = sum(w for s, y, w in rows if y <= line and s <= cut)
    fp = sum(w for s, y, w in rows if y > line and s <= cut)
    fn = sum(w for s, y, w in rows if y <= line and s > cut)
    tn = sum(w for s, y, w in rows if y > line and s > cut)
    n = tp + fp + fn + tn
    eer, type1 = ratio(fn, tp + fn), ratio(fp, fp + tn)
    ntd = None if eer is None or type1 is None else 1 - (type1 + eer)
    precision, headcount = ratio(tp, tp + fp), (tp + fn) / n
    made: Numbers = {
        "headcount": headcount,
        "coverage": (tp + fp) / n,
        "ier": ratio(fp, tp + fp),
        "eer": eer,
        "leakage_iris": ratio(fp, tp + fn),
        "leakage_share": fp / n,
        "undercoverage_share": fn / n,
        "type1": type1,
        "type2": eer,
        "total_accuracy": (tp + tn) / n,
        "misclassification": (fp + fn) / n,
        "poverty_accuracy": None if eer is None else 1 - eer,
        "non_poverty_accuracy": None if type1 is None else 1 - type1,
        "bpac": None if eer is None else 1 - eer - abs(fn - fp) / (tp + fn),
        "pie": (tp + fp) / n - headcount,
        "targeting_differential": ntd,
        "ntd": ntd,
        "cgh": None if precision is None or not headcount else precision / headcount,
        "auc": auc(rows, line),
        "gini": gini(rows),
    }
    for power in (0, 1, 2):
        made[f"fgt{power}"] = fgt(rows, line, power)
    budget = sum(w * (line - y) for _, y, w in rows if y <= line)
    paid = tp + fp
    amount = budget / paid if paid else 0.0
    after = [(s, y + amount * (s <= cut), w) for s, y, w in rows]
    for power in (0, 1, 2):
        made[f"fgt{power}_after"] = fgt(after, line, power)
    return made


def fgt(rows: Sequence[Row], line: float, power: int) -> float:
    gaps = sum(w * (1 - y / line) ** power for _, y, w in rows if y <= line)
    return gaps / sum(w for *_, w in rows)


def auc(rows: Sequence[Row], line: float) -> float | None:
    poor = [(s, w) for s, y, w in rows if y <= line]
    other = [(s, w) for s, y, w in rows if y > line]
    right = sum(u * v * ((s < t) + 0.5 * (s == t)) for s, u in poor for t, v in other)
    return ratio(right, sum(u for _, u in poor) * sum(v for _, v in other))


def gini(rows: Sequence[Row]) -> float | None:
    n = sum(w for *_, w in rows)
    total = sum(w * y for _, y, w in rows)
    gaps = sum(u * v * abs(y - z) for _, y, u in rows for _, z, v in rows)
    return ratio(gaps, 2 * n * total)


def same(found: Any, wanted: float | None, tolerance: float = 1e-9) -> bool:
    if wanted is None or found is None:
        return found is wanted
    return bool(abs(found - wanted) <= tolerance * max(1.0, abs(wanted)))
