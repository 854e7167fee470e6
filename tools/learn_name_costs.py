"""Learn the alignment weights of `nser_pmt.names.similarity`.

    python tools/learn_name_costs.py [--data FOLDER] [--out edit_costs.tsv]

Reads the Dakshina romanisation lexicon (Roark et al. 2020, CC BY-SA 4.0: Urdu word, romanisation,
count), writes the table, and prints how well it does on held-out words and on the development name
pairs; it learns from neither. NumPy only, deterministic, two minutes on one core.

Model. Two names are aligned by segments of one to three letters. An alignment is worth the sum of
its weights: of a segment against a segment, or against nothing, each in its context. The worth of
the best alignment plus a constant is the log-odds that both spell one name. Weights are those of a
logistic regression on the counts of the best alignment, which is found anew in every step
(McCallum, Bellare & Pereira 2005, with the best path for the sum). Same: two romanisations of one
Urdu word. Different: romanisations of two words, at random, and nearest by bigrams.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

REPO = Path(__file__).resolve().parents[1]
SEED = 20
NEVER = np.float32(-1e4)
LENGTHS = 9  # constants for names of 1, 2, ... 8 letters and of more

# ---- letters -------------------------------------------------------------------------------------

ROMAN = "abcdefghijklmnopqrstuvwxyz"
ROMAN_VOWELS = frozenset("aeiouy")
ROMAN_SEGMENTS = (  # noqa: SIM905
    "sch tsh chh kh gh sh ch th dh bh ph jh zh rh ck ks qu kw aa ee oo ii uu ai au ou ay ei ey ea "
    "ia ie iy ya ye yo yu "
    "ue oa eo oe ow aw av wa ua ao ui io ae eu uw iya aya eya aye ah eh"
).split() + [c + c for c in ROMAN if c not in ROMAN_VOWELS]
URDU = "ابپتٹثجچحخدڈذرڑزژسشصضطظعغفقکگلمنوہی"
URDU_VOWELS = frozenset("اوعی")
# What `names.fold` does to letters; tests/oracle/test_name_accuracy.py holds the two together.
MATCH_FORM = str.maketrans(
    dict(zip("آأإٱؤئيىےۓكڪهھەةۀۂۃں", "ااااویییییککہہہہہہہن", strict=True))
    | dict.fromkeys("ءـ\u200c\u200d")
)
MARKS = re.compile("[\u064b-\u065f\u0670\u0610-\u061a]")


def match_form(urdu: str) -> str:
    """Return the letters as `names.fold` would."""
    return MARKS.sub("", urdu.translate(MATCH_FORM))


class Script:
    """The segments of one script and the contexts they stand in."""

    def __init__(self, letters: str, vowels: frozenset[str], more: list[str]) -> None:
        self.letters, self.vowels = letters, vowels
        self.segments = ["", *letters, *more]
        self.id = {s: k for k, s in enumerate(self.segments)}
        self.longest = max(map(len, self.segments))

    def encode(self, words: list[str]) -> Encoded:
        """Find the segments of words."""
        shape = (self.longest + 1, len(words), max(map(len, words)) + 1)
        spot, gone = np.zeros(shape, np.int32), np.zeros(shape, np.int32)
        for row, word in enumerate(words):
            kind = [0, *(1 if c in self.vowels else 2 for c in word), 0]
            for end in range(1, len(word) + 1):
                for size in range(1, min(end, self.longest) + 1):
                    segment = self.id.get(word[end - size : end])
                    if segment is not None:
                        place = 1 if end == size else 2 if end == len(word) else 0
                        spot[size, row, end] = segment * 3 + place
                        gone[size, row, end] = segment * 9 + kind[end - size] * 3 + kind[end + 1]
        return Encoded(np.array([len(w) for w in words]), spot, gone)


class Encoded(NamedTuple):
    """Segments that end at each letter: `[size, word, end]`, 0 where there is none."""

    length: np.ndarray
    spot: np.ndarray  # segment * 3 + place (0 inner, 1 first, 2 last)
    gone: (
        np.ndarray
    )  # segment * 9 + what is left of it * 3 + right of it (0 edge, 1 vowel, 2 consonant)

    def take(self, rows: np.ndarray) -> Encoded:
        """Return some of the words."""
        length = self.length[rows]
        stop = int(length.max()) + 1
        return Encoded(length, self.spot[:, rows, :stop], self.gone[:, rows, :stop])


# ---- alignment -----------------------------------------------------------------------------------


class Weights(NamedTuple):
    """Worth of every operation in every context."""

    both: np.ndarray  # [spot of x * spots of y + spot of y]
    left: np.ndarray  # [gone of x]
    right: np.ndarray  # [gone of y]
    spots: int  # of y


def align(x: Encoded, y: Encoded, weights: Weights, trace: bool):
    """Worth of the best alignment of each pair of rows and, with `trace`, its steps.

    A step is `(kind, row, index)`: kind 0 indexes `both`, 1 `left`, 2 `right`.
    """
    rows, stop_x, stop_y = len(x.length), int(x.length.max()), int(y.length.max())
    moves = [
        (k, m)
        for k in range(len(x.spot))
        for m in range(len(y.spot))
        if k + m and (min(k, m) or max(k, m) < 3)
    ]
    best = np.full((stop_x + 1, stop_y + 1, rows), NEVER, np.float32)
    via = np.zeros(best.shape, np.uint8)
    best[0, 0] = 0
    has_x, has_y = x.spot.any(axis=1), y.spot.any(axis=1)
    base = x.spot.astype(np.int64) * weights.spots
    for i in range(stop_x + 1):
        for j in range(stop_y + 1):
            for number, (k, m) in enumerate(moves, 1):
                if k > i or m > j or (k and not has_x[k, i]) or (m and not has_y[m, j]):
                    continue
                if m == 0:
                    step = weights.left[x.gone[k, :, i]]
                elif k == 0:
                    step = weights.right[y.gone[m, :, j]]
                else:
                    step = weights.both[base[k, :, i] + y.spot[m, :, j]]
                worth = best[i - k, j - m] + step
                better = worth > best[i, j]
                np.copyto(best[i, j], worth, where=better)
                np.copyto(via[i, j], number, where=better, casting="unsafe")
    row = np.arange(rows)
    worth = best[x.length, y.length, row]
    steps: list[tuple[int, np.ndarray, np.ndarray]] = []
    if trace:
        size_x, size_y = np.array([(0, 0), *moves]).T
        i, j, open_ = x.length.copy(), y.length.copy(), row[worth > NEVER / 2]
        while len(open_):
            move = via[i[open_], j[open_], open_]
            k, m = size_x[move], size_y[move]
            for kind, of in enumerate([(k > 0) & (m > 0), m == 0, k == 0]):
                at = open_[of]
                if kind == 0:
                    index = base[k[of], at, i[at]] + y.spot[m[of], at, j[at]]
                elif kind == 1:
                    index = x.gone[k[of], at, i[at]]
                else:
                    index = y.gone[m[of], at, j[at]]
                steps.append((kind, at, index))
            i[open_] -= k
            j[open_] -= m
            open_ = open_[(i[open_] > 0) | (j[open_] > 0)]
    return worth, steps


# ---- parameters ----------------------------------------------------------------------------------


class Model:
    """Weights of one pair of scripts: of every operation, plus what a context adds to it.

    Parameters lie in one vector: operations in any place, then what the inner, first and last place
    add, then deletions (x, y) in any context and what each adds, then a constant by the length of
    the shorter name.
    """

    def __init__(
        self, x: Script, y: Script, start: np.ndarray, start_x: np.ndarray, start_y: np.ndarray
    ) -> None:
        self.x, self.y, self.same = x, y, x is y
        nx, ny = len(x.segments), len(y.segments)
        a, b = np.meshgrid(np.arange(nx), np.arange(ny), indexing="ij")
        pair = np.minimum(a, b) * ny + np.maximum(a, b) if self.same else a * ny + b
        spot_x, spot_y = np.arange(nx * 3), np.arange(ny * 3)
        base = pair[spot_x[:, None] // 3, spot_y[None] // 3]
        place_x, place_y = spot_x[:, None] % 3, spot_y[None] % 3
        place = np.where(place_x == place_y, place_x, 0)
        self.base, self.placed = base.ravel(), ((place + 1) * nx * ny + base).ravel()
        at = 4 * nx * ny
        self.gone_x, self.gone_x_in = at + np.arange(nx * 9) // 9, at + nx + np.arange(nx * 9)
        if self.same:
            self.gone_y, self.gone_y_in = self.gone_x, self.gone_x_in
            at += 10 * nx
        else:
            at += 10 * nx
            self.gone_y, self.gone_y_in = at + np.arange(ny * 9) // 9, at + ny + np.arange(ny * 9)
            at += 10 * ny
        self.constant, self.size, self.shape = at, at + LENGTHS, (nx, ny)
        self.w = np.zeros(self.size, np.float32)
        self.w[: nx * ny] = start.ravel()
        self.w[self.gone_x[::9]] = start_x
        self.w[self.gone_y[::9]] = start_y
        self.w[self.constant :] = -2
        self.prior = self.w.copy()
        self.allowed = start > NEVER / 2
        self.allowed_x, self.allowed_y = np.ones(nx, bool), np.ones(ny, bool)
        self.mean, self.square, self.steps = np.zeros(self.size), np.zeros(self.size), 0

    def weights(self) -> Weights:
        """Return the worth of operations; what may not be is `NEVER`."""
        ny, w = self.shape[1], self.w
        both = (w[self.base] + w[self.placed]).astype(np.float32)
        allowed = np.repeat(np.repeat(self.allowed, 3, 0), 3, 1).ravel()
        both[~allowed] = NEVER
        left = np.where(
            np.repeat(self.allowed_x, 9), w[self.gone_x] + w[self.gone_x_in], NEVER
        ).astype(np.float32)
        right = np.where(
            np.repeat(self.allowed_y, 9), w[self.gone_y] + w[self.gone_y_in], NEVER
        ).astype(np.float32)
        return Weights(both, left, right, ny * 3)

    def constant_of(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Parameter that holds the constant for names of these lengths."""
        return self.constant + np.minimum(np.minimum(x, y), LENGTHS) - 1

    def scores(self, x: Encoded, y: Encoded, rows: np.ndarray, batch: int = 8192) -> np.ndarray:
        """Log-odds of pairs `rows[:, 0]` of `x`, `rows[:, 1]` of `y`."""
        out = np.empty(len(rows), np.float32)
        order = np.argsort(x.length[rows[:, 0]] * 32 + y.length[rows[:, 1]], kind="stable")
        weights = self.weights()
        for start in range(0, len(order), batch):
            at = order[start : start + batch]
            out[at] = align(x.take(rows[at, 0]), y.take(rows[at, 1]), weights, trace=False)[0]
        return out + self.w[self.constant_of(x.length[rows[:, 0]], y.length[rows[:, 1]])]

    def step(self, x: Encoded, y: Encoded, slope, rate: float, decay: float) -> float:
        """Take one Adam step on pairs of rows; return the loss.

        `slope(score)` gives the loss and its derivative by the score.
        """
        worth, steps = align(x, y, self.weights(), trace=True)
        constant = self.constant_of(x.length, y.length)
        loss, g = slope(worth + self.w[constant])
        total = self.counts(steps, g)
        total += np.bincount(constant, weights=g, minlength=self.size)
        total = total / len(g) + decay * (self.w - self.prior)
        self.steps += 1
        self.mean += 0.1 * (total - self.mean)
        self.square += 0.01 * (total**2 - self.square)
        mean, square = self.mean / (1 - 0.9**self.steps), self.square / (1 - 0.99**self.steps)
        self.w = (self.w - rate * mean / (np.sqrt(square) + 1e-5)).astype(np.float32)
        # A letter without a partner is never evidence for one name.
        for anywhere, inside in [(self.gone_x, self.gone_x_in), (self.gone_y, self.gone_y_in)]:
            self.w[inside] = np.minimum(self.w[inside], -0.1 - self.w[anywhere])
        return loss

    def counts(self, steps, weight: np.ndarray) -> np.ndarray:
        """Sum up the weights of the rows whose alignment uses a parameter."""
        total = np.zeros(self.size)
        for kind, maps in enumerate(
            [(self.base, self.placed), (self.gone_x, self.gone_x_in), (self.gone_y, self.gone_y_in)]
        ):
            index = np.concatenate([s[2] for s in steps if s[0] == kind])
            row = np.concatenate([s[1] for s in steps if s[0] == kind])
            for to in maps:
                total += np.bincount(to[index], weights=weight[row], minlength=self.size)
        return total

    def used(self, x: Encoded, y: Encoded, rows: np.ndarray, batch: int = 8192) -> np.ndarray:
        """How often the best alignments of `rows` use each parameter."""
        total, weights = np.zeros(self.size), self.weights()
        for start in range(0, len(rows), batch):
            at = rows[start : start + batch]
            steps = align(x.take(at[:, 0]), y.take(at[:, 1]), weights, trace=True)[1]
            total += self.counts(steps, np.ones(len(at)))
        return total

    def prune(self, used: np.ndarray, least: int) -> None:
        """Forbid operations seen fewer than `least` times; a letter may always match or vanish."""
        nx, ny = self.shape
        keep = used[: nx * ny].reshape(nx, ny) >= least
        keep |= keep.T if self.same else False
        if self.same:
            n = len(self.x.letters) + 1
            keep[range(n), range(n)] = True
        self.allowed &= keep
        for allowed, gone, script in [
            (self.allowed_x, self.gone_x, self.x),
            (self.allowed_y, self.gone_y, self.y),
        ]:
            allowed &= used[gone[::9]] >= least
            allowed[1 : len(script.letters) + 1] = True
            allowed[0] = False


# ---- measures ------------------------------------------------------------------------------------


def measures(same: np.ndarray, different: np.ndarray) -> dict[str, float]:
    """AUC, best F1, and recall at 1 % and .1 % false positives."""
    score = np.concatenate([same, different])
    order = np.argsort(-score, kind="stable")
    hit = np.arange(len(score))[order] < len(same)
    true, false = np.cumsum(hit), np.cumsum(~hit)
    last = np.append(np.diff(score[order]) != 0, True)
    _, inverse, count = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[inverse]
    auc = (ranks[: len(same)].sum() - len(same) * (len(same) + 1) / 2) / (
        len(same) * len(different)
    )
    recall = [
        float((true[last & (false <= q * len(different))] / len(same)).max(initial=0))
        for q in (0.01, 0.001)
    ]
    f1 = float((2 * true / (true + false + len(same)))[last].max())
    return {"AUC": float(auc), "F1": f1, "R@1%": recall[0], "R@.1%": recall[1]}


def bigram_dice(words: list[str]) -> np.ndarray:
    """Return the share of bigrams that two words have in common, of all pairs."""
    columns: dict[str, int] = {}
    rows, cells = [], []
    for k, word in enumerate(words):
        marked = f"^{word}$"
        for gram in sorted({marked[a : a + 2] for a in range(len(marked) - 1)}):
            rows.append(k)
            cells.append(columns.setdefault(gram, len(columns)))
    has = np.zeros((len(words), len(columns)), np.float32)
    has[rows, cells] = 1
    count = has.sum(1)
    dice = 2 * (has @ has.T) / (count[:, None] + count)
    np.fill_diagonal(dice, 0)
    return dice


def show(tag: str, values: dict[str, float]) -> None:
    """Print a row of the report."""
    print(f"  {tag:34s}" + "  ".join(f"{k} {v:.4f}" for k, v in values.items()), flush=True)


# ---- lexicon -------------------------------------------------------------------------------------


class Lexicon:
    """Urdu words in match form and their romanisations, as row numbers."""

    def __init__(self, words: dict[str, dict[str, int]], roman: Script, urdu: Script) -> None:
        self.words = words
        self.urdu, self.roman = (
            sorted(words),
            sorted({r for forms in words.values() for r in forms}),
        )
        self.urdu_row = {u: k for k, u in enumerate(self.urdu)}
        self.roman_row = {r: k for k, r in enumerate(self.roman)}
        self.forms = [np.array(sorted(self.roman_row[r] for r in words[u])) for u in self.urdu]
        self.usual = np.array(
            [self.roman_row[max(sorted(words[u]), key=words[u].__getitem__)] for u in self.urdu]
        )
        self.owners: list[set[int]] = [set() for _ in self.roman]
        for k, forms in enumerate(self.forms):
            for r in forms:
                self.owners[r].add(k)
        self.x_roman, self.x_urdu = roman.encode(self.roman), urdu.encode(self.urdu)

    def pairs(self, words: np.ndarray, rng: np.random.Generator, most: int = 12) -> np.ndarray:
        """Pairs of romanisations of one word."""
        out = []
        for k in words:
            forms = self.forms[k]
            both = np.array(
                [(a, b) for i, a in enumerate(forms) for b in forms[i + 1 :]], np.int64
            ).reshape(-1, 2)
            out.append(
                both if len(both) <= most else both[rng.choice(len(both), most, replace=False)]
            )
        return np.concatenate(out)

    def strangers(self, words: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        """Random pairs of romanisations of different words."""
        rows = np.concatenate([self.forms[k] for k in words])
        return self._different(rows[rng.integers(0, len(rows), (count, 2))])

    def neighbours(self, words: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
        """Pairs of romanisations of different words that share most bigrams among 2,500 others."""
        rows, out, found = np.unique(np.concatenate([self.forms[k] for k in words])), [], 0
        while found < count:
            block = rng.choice(rows, min(2500, len(rows)), replace=False)
            dice = bigram_dice([self.roman[r] for r in block])
            near = np.argsort(-dice, axis=1, kind="stable")[:, :3]
            out.append(
                self._different(np.stack([np.repeat(block, 3), block[near.ravel()]], axis=1))
            )
            found += len(out[-1])
        return rng.permutation(np.concatenate(out))[:count]

    def _different(self, pairs: np.ndarray) -> np.ndarray:
        keep = [a != b and not self.owners[a] & self.owners[b] for a, b in pairs]
        return pairs[np.array(keep, bool)]


def read_lexicon(path: Path) -> dict[str, dict[str, int]]:
    """Return the romanisations of each word, with counts."""
    words: dict[str, dict[str, int]] = {}
    for line in path.read_text(encoding="utf8").splitlines()[1:]:
        urdu, roman, count = line.split("\t")
        add_word(words, urdu, {roman: int(count)})
    return words


def add_word(words: dict[str, dict[str, int]], urdu: str, forms: dict[str, int]) -> None:
    """Add a word's romanisations, if both are plain letters."""
    urdu = match_form(urdu)
    if 2 <= len(urdu) <= 12 and set(urdu) <= set(URDU):
        for roman, count in forms.items():
            if re.fullmatch("[a-z]{2,14}", roman):
                into = words.setdefault(urdu, {})
                into[roman] = into.get(roman, 0) + count


# ---- starting points -----------------------------------------------------------------------------

SOUNDS = {
    "ا": "a aa e i u", "ب": "b", "پ": "p", "ت": "t", "ٹ": "t", "ث": "s", "ج": "j", "چ": "ch c",
    "ح": "h", "خ": "kh k q x", "د": "d", "ڈ": "d", "ذ": "z j", "ر": "r", "ڑ": "r d", "ز": "z j",
    "ژ": "z zh j", "س": "s", "ش": "sh s ch", "ص": "s", "ض": "z j d", "ط": "t", "ظ": "z j",
    "ع": "a aa i u", "غ": "gh g", "ف": "f ph", "ق": "q k kh", "ک": "k c", "گ": "g", "ل": "l",
    "م": "m", "ن": "n", "و": "w v o u oo au ou", "ہ": "h ah a", "ی": "y i e ee ai ay",
}  # fmt: skip


def is_vowel(segment: str, script: Script) -> bool:
    """Tell whether a segment is of vowels only."""
    return segment != "" and set(segment) <= script.vowels


def start_weights(x: Script, y: Script, alike) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the start of operations on two segments, and of the segments without a partner."""
    both = np.full((len(x.segments), len(y.segments)), NEVER, np.float32)
    for a, s in enumerate(x.segments):
        for b, t in enumerate(y.segments):
            if s and t:
                both[a, b] = alike(s, t)
    return both, *(np.array([vanish(s, of) for s in of.segments], np.float32) for of in (x, y))


def vanish(segment: str, script: Script) -> float:
    """Return the start of a segment without a partner."""
    weak = is_vowel(segment, script) or segment in {"h", "w", "v", "ہ"}
    return -0.5 * len(segment) if weak else -2.5 * len(segment)


def alike_in(script: Script):
    """Of two segments of one script."""

    def alike(s: str, t: str) -> float:
        if s == t:
            return 0.6 * len(s)
        if is_vowel(s, script) and is_vowel(t, script):
            return -0.3
        if script.letters != ROMAN:
            return 0.4 if set(SOUNDS.get(s, s).split()) & set(SOUNDS.get(t, t).split()) else -2.5
        one_sound = any({s, t} <= set(sounds.split()) for sounds in SOUNDS.values())
        return 0.3 if one_sound else -0.5 if s[0] == t[0] else -2.5

    return alike


def alike_across(s: str, t: str) -> float:
    """Of an Urdu and a Roman segment."""
    sounds = set(SOUNDS.get(s, "").split())
    if len(s) == 2 and s[1] == "ہ":
        sounds = {SOUNDS[s[0]].split()[0] + "h", SOUNDS[s[0]].split()[0]}
    if t in sounds or (len(t) == 2 and t[0] == t[1] and t[0] in sounds):
        return 1.0
    vowels = any(set(x) <= ROMAN_VOWELS for x in sounds) or len(s) == 2
    return -0.5 if vowels and set(t) <= ROMAN_VOWELS else -3.0


# ---- learning ------------------------------------------------------------------------------------

RATES = (0.05, 0.05, 0.03, 0.02, 0.01, 0.005, 0.003)


def learn(
    model: Model,
    x: Encoded,
    y: Encoded,
    sample,
    rng,
    rates=RATES,
    batch: int = 2048,
    decay: float = 1e-5,
):
    """`sample(round)` gives pairs of rows, same or not (1, 0), and how much each counts."""
    for rate in rates:
        rows, same, counts = sample()
        order = np.argsort(
            x.length[rows[:, 0]] + y.length[rows[:, 1]] + 1.5 * rng.random(len(rows))
        )
        batches = [order[k : k + batch] for k in range(0, len(order), batch)]
        total = 0.0
        for k in rng.permutation(len(batches)):
            at = batches[k]
            label, count = same[at], counts[at]

            def slope(score: np.ndarray, label=label, count=count):
                loss = np.logaddexp(0, np.where(label > 0, -score, score)) * count
                return float(loss.sum()), (1 / (1 + np.exp(-score.clip(-30, 30))) - label) * count

            total += model.step(x.take(rows[at, 0]), y.take(rows[at, 1]), slope, rate, decay)
        print(
            f"    rate {rate:.3f}  {len(rows)} pairs  loss {total / counts.sum():.4f}", flush=True
        )


def labelled(same: np.ndarray, *different: tuple[np.ndarray, float]):
    """Put same and different pairs together, each group with its weight."""
    rows = np.concatenate([same, *(d for d, _ in different)])
    label = np.r_[np.ones(len(same)), np.zeros(len(rows) - len(same))]
    counts = np.concatenate([np.ones(len(same)), *(np.full(len(d), c) for d, c in different)])
    return rows, label, counts


def learn_roman(lexicon: Lexicon, train: np.ndarray, roman: Script, rng) -> Model:
    """Learn from two romanisations of one word."""
    model = Model(roman, roman, *start_weights(roman, roman, alike_in(roman)))
    e = lexicon.x_roman
    same = lexicon.pairs(train, rng)

    def sample():
        random, far = lexicon.strangers(train, 40000, rng), lexicon.strangers(train, 80000, rng)
        near = far[np.argsort(-model.scores(e, e, far), kind="stable")[:5000]]
        return labelled(
            rng.permutation(same)[:40000],
            (random, 1.0),
            (near, 1.0),
            (lexicon.neighbours(train, 30000, rng), 0.2),
        )

    learn(model, e, e, sample, rng)
    model.prune(model.used(e, e, rng.permutation(same)[:60000]), 8)
    learn(model, e, e, sample, rng, rates=RATES[3:])
    return model


def learn_across(lexicon: Lexicon, train: np.ndarray, urdu: Script, roman: Script, rng) -> Model:
    """Learn from words and their romanisations."""
    model = Model(urdu, roman, *start_weights(urdu, roman, alike_across))
    x, y = lexicon.x_urdu, lexicon.x_roman
    same = np.array([(k, r) for k in train for r in lexicon.forms[k]])

    def sample():
        rows = rng.permutation(same)
        random = np.stack([rows[:20000, 0], rows[-20000:, 1]], axis=1)
        words = rng.choice(train, 1000, replace=False)
        pool = lexicon.usual[rng.choice(train, 250, replace=False)]
        every = np.stack([np.repeat(words, len(pool)), np.tile(pool, len(words))], axis=1)
        score = model.scores(x, y, every).reshape(len(words), -1)
        near = np.argsort(-score, axis=1, kind="stable")[:, :10]
        near = np.stack([np.repeat(words, 10), pool[near.ravel()]], axis=1)
        strange = [d[np.array([r not in lexicon.forms[k] for k, r in d])] for d in (random, near)]
        return labelled(rows[:30000], (strange[0], 1.0), (strange[1], 1.0))

    learn(model, x, y, sample, rng, batch=1024)
    model.prune(model.used(x, y, rng.permutation(same)[:60000]), 8)
    learn(model, x, y, sample, rng, rates=RATES[3:], batch=1024)
    return model


def homophones(lexicon: Lexicon) -> np.ndarray:
    """Pairs of Urdu words that annotators romanise alike, with half of the writings in common."""
    out = []
    share = [
        {r: c / sum(f.values()) for r, c in f.items()}
        for f in (lexicon.words[u] for u in lexicon.urdu)
    ]
    near = {(a, b) for owners in lexicon.owners for a in owners for b in owners if a < b}
    for a, b in sorted(near):
        if sum(min(part, share[b].get(r, 0)) for r, part in share[a].items()) >= 0.5:
            out.append((a, b))
    return np.array(out)


def urdu_strangers(
    lexicon: Lexicon, words: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of Urdu words without a romanisation in common: at random, and nearest by bigrams."""

    def strange(pairs: np.ndarray) -> np.ndarray:
        keep = [a != b and not {*lexicon.forms[a]} & {*lexicon.forms[b]} for a, b in pairs]
        return pairs[np.array(keep, bool)]

    block = rng.choice(words, min(4000, len(words)), replace=False)
    near = np.argsort(-bigram_dice([lexicon.urdu[k] for k in block]), axis=1, kind="stable")[:, :2]
    near = np.stack([np.repeat(block, 2), block[near.ravel()]], axis=1)
    return strange(rng.choice(words, (6000, 2))), strange(near)


def learn_urdu(lexicon: Lexicon, train: np.ndarray, urdu: Script, rng) -> Model:
    """Learn from words that are romanised alike."""
    model = Model(urdu, urdu, *start_weights(urdu, urdu, alike_in(urdu)))
    e, same = lexicon.x_urdu, homophones(lexicon)
    same = same[np.isin(same, train).all(axis=1)]

    def sample():
        random, near = urdu_strangers(lexicon, train, rng)
        itself = np.repeat(rng.choice(train, 3000), 2).reshape(-1, 2)
        return labelled(np.concatenate([same] * 4 + [itself]), (random, 1.0), (near, 0.5))

    # Few pairs: hold the weights near their start.
    learn(model, e, e, sample, rng, batch=512, decay=1e-3)
    model.prune(model.used(e, e, same), 2)
    learn(model, e, e, sample, rng, rates=RATES[3:], batch=512, decay=1e-3)
    return model


# ---- the table -----------------------------------------------------------------------------------


def calibrate(
    model: Model, x: Encoded, y: Encoded, same: np.ndarray, random: np.ndarray, near: np.ndarray
) -> None:
    """Scales the weights so that the score is the log-odds of one name.

    That is among pairs of which half are the same name, two fifths are strangers and a tenth are
    near neighbours.
    """
    score = np.concatenate([model.scores(x, y, rows) for rows in (same, random, near)]).astype(
        np.float64
    )
    label = np.arange(len(score)) < len(same)
    weight = np.concatenate(
        [np.full(len(g), w / len(g)) for g, w in ((same, 0.5), (random, 0.4), (near, 0.1))]
    )
    fit = np.array([1.0, 0.0])
    for _ in range(100):  # Newton, in short steps as the score may part the groups
        p = 1 / (1 + np.exp(-(fit[0] * score + fit[1]).clip(-30, 30)))
        design = np.stack([score, np.ones(len(score))])
        bend = (design * weight * p * (1 - p)) @ design.T + 1e-6 * np.eye(2)
        fit -= np.linalg.solve(bend, design @ (weight * (p - label))).clip(-0.1, 0.1)
    model.w = (model.w * np.float32(fit[0])).astype(np.float32)
    model.w[model.constant :] += np.float32(fit[1])
    print(f"    log-odds = {fit[0]:.3f} score {fit[1]:+.3f}")


def table(model: Model, pair: str) -> list[str]:
    """Rows `pair, x, y, place, weight`; a place without a row has that of `any`."""
    nx, ny = model.shape
    w, rows = model.weights(), []

    def write(x: str, y: str, places: list[str], worth: np.ndarray, usual: int) -> None:
        whole = np.round(worth * 1000).astype(int)
        rows.append(f"{pair}\t{x}\t{y}\tany\t{whole[usual]}")
        for place, value in zip(places, whole, strict=True):
            if value != whole[usual]:
                rows.append(f"{pair}\t{x}\t{y}\t{place}\t{value}")

    both = w.both.reshape(nx, 3, ny, 3)
    for a in range(1, nx):
        for b in range(a if model.same else 1, ny):
            if model.allowed[a, b]:
                worth = np.array([both[a, k, b, k] for k in range(3)])
                write(
                    model.x.segments[a], model.y.segments[b], ["inner", "first", "last"], worth, 0
                )
    around = [left + right for left in "^vc" for right in "$vc"]
    for side, (script, allowed, gone) in enumerate(
        [(model.x, model.allowed_x, w.left), (model.y, model.allowed_y, w.right)][
            : 1 if model.same else 2
        ]
    ):
        for a in np.flatnonzero(allowed):
            names = (script.segments[a], "") if side == 0 else ("", script.segments[a])
            write(*names, around, gone.reshape(-1, 9)[a], 8)
    constants = np.round(model.w[model.constant :] * 1000).astype(int)
    rows.extend(f"{pair}\t\t\t{n}\t{constant}" for n, constant in enumerate(constants, 1))
    return rows


def ranking(model: Model, lexicon: Lexicon, words: np.ndarray) -> dict[str, float]:
    """Where each word's usual romanisation stands among those of all; a tie is a loss."""
    pool = np.unique(lexicon.usual[words])
    every = np.stack([np.repeat(words, len(pool)), np.tile(pool, len(words))], axis=1)
    score = model.scores(lexicon.x_urdu, lexicon.x_roman, every).reshape(len(words), -1)
    own = score[np.arange(len(words)), np.searchsorted(pool, lexicon.usual[words])]
    rank = (score >= own[:, None]).sum(1)
    return {"top-1": float((rank <= 1).mean()), "top-5": float((rank <= 5).mean())}


NOTICE = """\
# Alignment weights of nser_pmt.names.similarity, in thousandths of log-odds.
# Made by tools/learn_name_costs.py from the romanisation lexicon of the Dakshina data set (Roark et
# al., LREC 2020), CC BY-SA 4.0; an adaptation under the same licence: see edit_costs.NOTICE.
scripts\tx\ty\tplace\tweight
"""
# A letter of no alphabet: the same on both sides, and without a partner. Chosen, not learned.
OTHER = ["{pair}\t*\t*\tany\t500", "{pair}\t*\t\tany\t-3000", "{pair}\t\t*\tany\t-3000"]


def main() -> None:
    """Learn, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=REPO.parent / "shared/data/identity")
    parser.add_argument(
        "--out", type=Path, default=REPO / "python/nser_pmt/data/names/edit_costs.tsv"
    )
    options = parser.parse_args()
    started = time.time()
    rng = np.random.default_rng(SEED)
    roman = Script(ROMAN, ROMAN_VOWELS, ROMAN_SEGMENTS)
    long_vowels = [a + b for a in "اوعیہ" for b in "اوعیہ"]
    urdu = Script(
        URDU, URDU_VOWELS, [c + "ہ" for c in URDU if c not in "اوعیہ"] + long_vowels + ["خو", "ال"]
    )
    lexicon = Lexicon(read_lexicon(options.data / "roman_urdu_lexicon_train.tsv"), roman, urdu)
    names = json.loads((options.data / "roman_urdu_name_pairs_dev.json").read_text(encoding="utf8"))
    words: dict[str, dict[str, int]] = {}
    for word, forms in names["urdu"].items():
        add_word(words, word, forms)
    dev = Lexicon(words, roman, urdu)
    order = rng.permutation(len(lexicon.urdu))
    held, train, every = order[:2000], order[2000:], np.arange(len(dev.urdu))
    print(f"{len(train)} words to learn from, {len(held)} held out, {len(every)} development names")
    rows: list[str] = []

    print("Roman and Roman")
    model, e = learn_roman(lexicon, train, roman, rng), lexicon.x_roman
    same, random = lexicon.pairs(held, rng), lexicon.strangers(held, 20000, rng)
    near = lexicon.neighbours(held, 10000, rng)
    calibrate(model, e, e, same, random, near)
    rows += table(model, "roman roman")
    show("held-out words, random", measures(model.scores(e, e, same), model.scores(e, e, random)))
    show("held-out words, near", measures(model.scores(e, e, same), model.scores(e, e, near)))
    e = dev.x_roman
    same, random = (
        np.array([(dev.roman_row[a], dev.roman_row[b]) for a, b in names[k]])
        for k in ("same", "different")
    )
    near = dev.neighbours(every, 5000, rng)
    show(
        "development names, random", measures(model.scores(e, e, same), model.scores(e, e, random))
    )
    show("development names, near", measures(model.scores(e, e, same), model.scores(e, e, near)))

    print("Urdu and Roman")
    model, x, y = learn_across(lexicon, train, urdu, roman, rng), lexicon.x_urdu, lexicon.x_roman
    same = np.array([(k, r) for k in held for r in lexicon.forms[k]])
    owner = {r: k for k, r in same[::-1]}
    random = np.stack([rng.permutation(same[:, 0]), rng.permutation(same[:, 1])], axis=1)
    near = np.array([(owner[a], b) for a, b in lexicon.neighbours(held, 10000, rng)])
    random, near = (d[np.array([r not in lexicon.forms[k] for k, r in d])] for d in (random, near))
    calibrate(model, x, y, same, random, near)
    rows += table(model, "urdu roman")
    show("held-out words, random", measures(model.scores(x, y, same), model.scores(x, y, random)))
    show("held-out words, near", measures(model.scores(x, y, same), model.scores(x, y, near)))
    show("held-out words, 400 in 400", ranking(model, lexicon, held[:400]))
    show(
        f"development names, {len(every)} in {len(np.unique(dev.usual))}",
        ranking(model, dev, every),
    )

    print("Urdu and Urdu")
    model, e = learn_urdu(lexicon, train, urdu, rng), lexicon.x_urdu
    same, (random, near) = homophones(lexicon), urdu_strangers(lexicon, held, rng)
    same = same[np.isin(same, held).any(axis=1)]
    calibrate(model, e, e, same, random, near)
    rows += table(model, "urdu urdu")
    show("held-out words, random", measures(model.scores(e, e, same), model.scores(e, e, random)))
    show("held-out words, near", measures(model.scores(e, e, same), model.scores(e, e, near)))

    for pair in ("roman roman", "urdu roman", "urdu urdu"):
        rows += [r.format(pair=pair) for r in (OTHER if pair == "urdu roman" else OTHER[:2])]
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(NOTICE + "\n".join(rows) + "\n", encoding="utf8")
    print(f"{len(rows)} rows in {time.time() - started:.0f} s")


if __name__ == "__main__":
    main()
