"""What `nser_pmt.similarity` must give: RapidFuzz, and the definitions of q-grams word for word."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA, DamerauLevenshtein, Jaro, JaroWinkler, Levenshtein


def _over_100(scorer: Callable[..., float]) -> Callable[[str, str], float]:
    return lambda a, b: scorer(a, b) / 100


SIMILARITIES: dict[str, Callable[[str, str], float]] = {
    "jaro": Jaro.similarity,
    "jaro_winkler": JaroWinkler.similarity,
    "levenshtein": Levenshtein.normalized_similarity,
    "osa": OSA.normalized_similarity,
    "damerau_levenshtein": DamerauLevenshtein.normalized_similarity,
    "token_sort": _over_100(fuzz.token_sort_ratio),
    "token_set": _over_100(fuzz.token_set_ratio),
}
DISTANCES: dict[str, Callable[..., int]] = {
    "levenshtein": Levenshtein.distance,
    "osa": OSA.distance,
    "damerau_levenshtein": DamerauLevenshtein.distance,
}
# These take a cutoff on the same scale.
CUT: dict[str, Callable[..., float]] = {
    name: scorer for name, scorer in SIMILARITIES.items() if not name.startswith("token")
}


def _grams(text: str, q: int, padding: str) -> list[tuple[str, ...]]:
    marks = ["mark"] * (q - 1) if padding == "both" and text else []
    characters = [*marks, *text, *marks]
    return [tuple(characters[i : i + q]) for i in range(len(characters) - q + 1)]


def q_grams(a: str, b: str, *, q: int, padding: str, counting: str) -> dict[str, float]:
    """Return Jaccard and Dice similarity."""
    x: Counter[Any] = Counter(_grams(a, q, padding))
    y: Counter[Any] = Counter(_grams(b, q, padding))
    if counting == "set":
        x, y = Counter(set(x)), Counter(set(y))
    if not x and not y:
        return dict.fromkeys(("jaccard", "dice"), float(a == b))
    both = (x & y).total()
    return {
        "jaccard": both / (x | y).total(),
        "dice": 2 * both / (x.total() + y.total()),
    }
