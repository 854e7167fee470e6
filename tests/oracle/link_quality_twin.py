"""What `nser_pmt.evaluate_links` must give, pair by pair and record by record, in fractions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction
from itertools import combinations

Pair = tuple[int, int]
Scores = tuple[int, int, Fraction | None, Fraction | None, Fraction | None]


def true_pairs(entity: Mapping[int, str]) -> set[Pair]:
    return {(a, b) for a, b in combinations(sorted(entity), 2) if entity[a] == entity[b]}


def scores(predicted: set[Pair], true: set[Pair]) -> Scores:
    """Predicted, true positives, precision, recall, F1 as the harmonic mean."""
    hits = len(predicted & true)
    precision = Fraction(hits, len(predicted)) if predicted else None
    recall = Fraction(hits, len(true)) if true else None
    f1 = None
    if precision and recall:
        f1 = 2 * precision * recall / (precision + recall)
    elif predicted or true:
        f1 = Fraction(0)
    return len(predicted), hits, precision, recall, f1


def curve(weights: Mapping[Pair, float], true: set[Pair]) -> dict[float, Scores]:
    return {t: scores(at_least(weights, t), true) for t in sorted(set(weights.values()))}


def at_least(weights: Mapping[Pair, float], threshold: float) -> set[Pair]:
    return {pair for pair, weight in weights.items() if weight >= threshold}


def within(cluster: Mapping[int, int]) -> set[Pair]:
    return {(a, b) for a, b in combinations(sorted(cluster), 2) if cluster[a] == cluster[b]}


def b_cubed(cluster: Mapping[int, int], entity: Mapping[int, str]) -> tuple[Fraction, Fraction]:
    """Mean over records of the share of their cluster, and of their person, that is right."""
    precision = recall = Fraction(0)
    for a in entity:
        mates = {b for b in entity if cluster[b] == cluster[a]}
        self = {b for b in entity if entity[b] == entity[a]}
        precision += Fraction(len(mates & self), len(mates))
        recall += Fraction(len(mates & self), len(self))
    return precision / len(entity), recall / len(entity)


def exact_share(cluster: Mapping[int, int], entity: Mapping[int, str]) -> Fraction:
    def groups(code: Mapping[int, object]) -> set[frozenset[int]]:
        return {frozenset(a for a in entity if code[a] == c) for c in set(code.values())}

    persons = groups(entity)
    return Fraction(len(persons & groups(cluster)), len(persons))


def stages(
    entity: Mapping[int, str],
    weights: Mapping[Pair, float],
    threshold: float,
    candidates: set[Pair] | None,
    cluster: Mapping[int, int] | None,
) -> Counter[str]:
    def stage(pair: Pair) -> str:
        linked = weights.get(pair, float("-inf")) >= threshold
        together = linked if cluster is None else cluster[pair[0]] == cluster[pair[1]]
        if together:
            return "found" if linked else "joined_by_clustering"
        if linked:
            return "cut_by_clustering"
        if pair in weights or (candidates is not None and pair in candidates):
            return "scored_too_low"
        return "not_linked" if candidates is None else "not_blocked"

    return Counter(map(stage, true_pairs(entity)))
