"""The slow, obvious twin of `names.similarity`: from the same tables, by the definitions.

It knows names of Roman and Urdu words without compounds, relatives and aliases; their tokens and
roles come from `names.tokens`. Joined tokens (Noor Jahan, Noorjahan) are not looked for.
"""

from __future__ import annotations

import csv
import math
from functools import cache
from itertools import permutations
from pathlib import Path

import numpy as np

import nser_pmt as nser

TABLES = Path(nser.__file__).parent / "data" / "names"
ROMAN_VOWELS, URDU_VOWELS = "aeiouy", "اوعی"
WEAK_ROLES = {"title", "female", "number"}
# What people write for each consonant.
SOUNDS = {
    "b": "bp", "c": "cgkqsx", "d": "drtz", "f": "fp", "g": "cgjkqx", "j": "gjsxz", "k": "cgkqx",
    "l": "l", "m": "mn", "n": "mn", "p": "bfp", "q": "cgkqx", "r": "dr", "s": "cjsxz", "t": "dt",
    "x": "cgjkqsxz", "z": "djsxz",
}  # fmt: skip
URDU_SOUNDS = dict(
    zip("بچدڈفغگجخکلمنپقرڑثسشصتٹطذزژضظ", "bcddfggjkklmnpqrrsssstttzzzzz", strict=True)
)


def rows(name: str, delimiter: str = ",") -> list[list[str]]:
    lines = (TABLES / name).read_text(encoding="utf8").splitlines()
    kept = [line for line in lines if not line.startswith("#")]
    return list(csv.reader(kept, delimiter=delimiter, quoting=csv.QUOTE_NONE))[1:]


@cache
def weights() -> dict[tuple[str, str, str], dict[str, int]]:
    """Weights by place, of scripts and two segments (one empty: without a partner)."""
    found: dict[tuple[str, str, str], dict[str, int]] = {}
    for scripts, x, y, place, weight in rows("edit_costs.tsv", "\t"):
        found.setdefault((scripts, x, y), {})[place] = int(weight)
        if scripts in {"roman roman", "urdu urdu"}:
            found.setdefault((scripts, y, x), {})[place] = int(weight)
    return found


@cache
def letters(script: str) -> frozenset[str]:
    """The letters of a script that have rows."""
    found = set()
    for scripts, x, y in weights():
        of_x, of_y = scripts.split()
        found |= {s for s, of in ((x, of_x), (y, of_y)) if of == script and len(s) == 1}
    return frozenset(found - {"*"})


def script_of(word: str) -> str:
    return "urdu" if "\u0600" <= word[0] <= "\u06ff" else "roman"


def log_odds(a: str, b: str) -> int:
    """The worth of the best alignment of two words, in thousandths."""
    a, b = a[:32], b[:32]
    if (script_of(a), script_of(b)) == ("roman", "urdu"):
        a, b = b, a
    scripts = f"{script_of(a)} {script_of(b)}"
    table = weights()

    def kind(word: str, k: int) -> int:
        if not 0 <= k < len(word):
            return 0
        vowels = URDU_VOWELS if script_of(word) == "urdu" else ROMAN_VOWELS
        return 1 if word[k] in vowels else 2

    def segment(word: str, start: int, end: int) -> str:
        text = word[start:end]
        strange = len(text) == 1 and text not in letters(script_of(word))
        return "*" if strange else text

    def place(word: str, start: int, end: int) -> str:
        return "first" if start == 0 else "last" if end == len(word) else "inner"

    def around(word: str, start: int, end: int) -> str:
        return "^vc"[kind(word, start - 1)] + "$vc"[kind(word, end)]

    @cache
    def best(i: int, j: int) -> float:
        if i == j == 0:
            return 0
        found = -math.inf
        for k in range(min(i, 3) + 1):
            for m in range(min(j, 3) + 1):
                if k + m == 0:
                    continue
                s, t = segment(a, i - k, i), segment(b, j - m, j)
                row = table.get((scripts, s, t))
                if row is None or (s == t == "*" and a[i - 1] != b[j - 1]):
                    continue
                if k and m:
                    here, there = place(a, i - k, i), place(b, j - m, j)
                    where = here if here == there else "inner"
                else:
                    where = around(a, i - k, i) if k else around(b, j - m, j)
                found = max(found, best(i - k, j - m) + row.get(where, row["any"]))
        return found

    return int(best(len(a), len(b))) + table[scripts, "", ""][str(min(len(a), len(b), 9))]


def consonants(word: str) -> set[str]:
    return {URDU_SOUNDS.get(c, c) for c in word} & set(SOUNDS)


def sounds_agree(a: str, b: str) -> bool:
    """At least half of the consonants of each are heard in the other."""
    x, y = consonants(a), consonants(b)

    def half(of: set[str], other: set[str]) -> bool:
        heard = set().union(*(SOUNDS[c] for c in other))
        return 2 * len(of & heard) >= len(of)

    return half(x, y) and half(y, x)


def cap(a: str, b: str) -> float:
    """The most that two different words may agree."""
    for x, y, most in rows("guard_pairs.csv"):
        if (a, b) in ((x, y), (y, x)):
            return float(most)
    man, woman = sorted((a, b), key=len)
    if woman.startswith(man):
        ending = woman[len(man) :]
        if ending in {"a", "ah", "aa"} and len(man) >= 4 and man[-1] not in ROMAN_VOWELS:
            return 0.5
        if ending == "ہ" and len(man) >= 3:
            return 0.25
    return 1.0


def likeness(a: str, b: str) -> float:
    """How alike two tokens without compounds are."""
    if a == b:
        return 1.0
    if not sounds_agree(a, b):
        return 0.0
    odds = log_odds(a, b)
    if odds < -4000:
        return 0.0
    alike = min(1 / (1 + math.exp(-odds / 1000)), 0.999)
    if script_of(a) == script_of(b):
        alike = min(alike, cap(a, b))
    return math.floor(alike * 1e6 + 0.5) / 1e6


@cache
def rarities() -> tuple[float, dict[str, float]]:
    counts = {token: float(count) for token, count in rows("token_frequencies.csv")}
    names = counts.pop("")
    return names, counts


def weight(token: nser.names.Token) -> float:
    names, counts = rarities()
    share = names / counts.get(token["token"], 2.0)
    rarity = float(np.float32(max(math.log(share), 0.5)))
    return rarity * 0.3 if token["role"] in WEAK_ROLES else rarity


def similarity(a: str, b: str) -> float | None:
    """How alike two names are."""
    kept = [
        [t for t in nser.names.tokens_one(name) or [] if t["role"] != "particle"] for name in (a, b)
    ]
    x, y = kept
    if not x or not y:
        return None
    if x == y:
        return 1.0
    if len(x) < len(y):
        x, y = y, x

    def is_name(token: nser.names.Token) -> bool:
        return token["role"] == "name"

    gains = {}
    for i, s in enumerate(x):
        for j, t in enumerate(y):
            alike = likeness(s["token"], t["token"])
            if alike >= 0.5 or (is_name(s) and is_name(t)):
                gains[i, j] = alike
    weigh_x, weigh_y = [weight(t) for t in x], [weight(t) for t in y]
    best: tuple[float, list[tuple[int, int]]] = (-1.0, [])
    for order in permutations(range(len(x)), len(y)):
        pairs = [(i, j) for j, i in enumerate(order) if gains.get((i, j), 0) > 0]
        gain = sum(gains[i, j] * (weigh_x[i] + weigh_y[j]) for i, j in pairs)
        if gain > best[0]:
            best = (gain, pairs)
    pairs = best[1]
    left_x = [i for i in range(len(x)) if i not in {p[0] for p in pairs}]
    left_y = [j for j in range(len(y)) if j not in {p[1] for p in pairs}]
    names_x, names_y = [i for i in left_x if is_name(x[i])], [j for j in left_y if is_name(y[j])]
    opposed = list(zip(names_x, names_y, strict=False))
    left_x = [i for i in left_x if i not in {p[0] for p in opposed}]
    left_y = [j for j in left_y if j not in {p[1] for p in opposed}]

    worse = 1.5 if len(y) > 1 else 1.0
    agree = against = lacking = 0.0
    for i, j in pairs + opposed:
        both = (weigh_x[i] + weigh_y[j]) / 2
        agree += both * gains.get((i, j), 0.0)
        against += both * (1 - gains.get((i, j), 0.0)) * worse
    for token, weighs in [(x[i], weigh_x[i]) for i in left_x] + [
        (y[j], weigh_y[j]) for j in left_y
    ]:
        lacking += weighs * (0.35 if is_name(token) else 0.1)
    partners = [j for _, j in sorted(pairs + opposed)]
    total = agree + against + lacking
    alike = agree / total * (0.98 if partners != sorted(partners) else 1.0) if total else 0.0
    return min(alike, 0.999)
