"""Learn the classes of sounds of the blocking key, ``nser_pmt.names.key``.

    python tools/learn_name_key.py [--data ../shared/data/identity]
                                   [--out python/nser_pmt/data/names/key_classes.csv]

Reads ``roman_urdu_lexicon_train.tsv`` and ``roman_urdu_name_pairs_dev.json`` (Urdu words and their
romanisations; both from the Dakshina data set, Roark et al. 2020, CC BY-SA 4.0), writes the table
under the same licence, and prints how good it is. NumPy only,
deterministic, a minute or two on one core.

Model. ``rust/core/src/name/key.rs`` says how a word becomes a head and consonants, and which of
three levels of classes writes them; ``sounds``, ``urdu_sounds`` and ``Words.level`` repeat it here.
What ``key.rs`` makes one sound from the first (s, sh, z, zh, j, g; k, kh, q, x; p, f) is given.
A table is worth

    .6 recall(words) + .4 recall(names) - PRICE (share(names) + .3 share(words))

with recall, the share of pairs of romanisations of one word that have one key, and share, that of
all pairs of romanisations of two words. Of words, at most six pairs count each.

Search. Iterated local search (Lourenço, Martin & Stützle 2003): one sound, or a whole class, takes
another class of its level or none, or one head another; the best change of each place is taken
for as long as one helps. Then a few random changes are made and the better of the old and the new
table goes on.

What the figures say. Half of the lexicon's words are never searched on, so those are a test. The
development names are searched on: their figures are fitted. Names are shorter than words and not
inflected; from words alone the search finds tables that do worse on names (recall .971 to .978,
with .008 to .016 of strangers, in all that was tried). So the search is also run with half of the
names and measured on the other half, both ways: those figures are the ones to expect.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

REPO = Path(__file__).resolve().parents[1]
SEED = 1
PRICE = 1.5
KICKS = 12
GAIN = 1e-5  # a change that brings less is noise

# In the order in which they lend their letter to a class: as in `key.rs`.
SOUNDS = "mnlrdtbpksCRN"
HEADS = "ahyvc"  # vowel, h, y, v or w, any other consonant
ENOUGH = (3, 2, 0)
LONGEST = 13  # consonants of a word; the very few words with more are left out

# ---- words -----------------------------------------------------------------------------------

GRAPHEME = re.compile("tsch|sch|tsh|ch|ph|rh|n[nh]*$|.")
ROMAN = {
    **{letter: letter for letter in "bdlmnprt"},
    **dict.fromkeys(("tsch", "tsh", "ch"), "C"),
    **dict.fromkeys("ckqx", "k"),
    **dict.fromkeys(("sch", *"gjsz"), "s"),
    **dict.fromkeys(("ph", "f"), "p"),
    "rh": "R",
}
ROMAN_HEADS = {**dict.fromkeys("aeiou", "a"), "h": "h", "y": "y", **dict.fromkeys("vw", "v")}
URDU = {
    **dict(zip("بچدڈرڑلمن", "bCddrRlmn", strict=True)),
    **dict.fromkeys("پف", "p"),
    **dict.fromkeys("تٹط", "t"),
    **dict.fromkeys("ثسصشذزضظژجگغ", "s"),
    **dict.fromkeys("خقک", "k"),
}
URDU_HEADS = {**dict.fromkeys("اع", "a"), **dict.fromkeys("ہح", "h"), "ی": "y", "و": "v"}
# What `names.fold` does to the letters of these words.
MARKS = re.compile("[\u0610-\u061a\u0640\u064b-\u065f\u0670\u200c\u200dء]")
LETTERS = dict(zip("آأإٱؤئيىےۓكڪهھەةۀۂۃں", "ااااویییییککہہہہہہہن", strict=True))
FOLD = str.maketrans(LETTERS)


def sounds(roman: str) -> tuple[str, str]:
    """Head and consonants of a Roman word."""
    *inner, last = GRAPHEME.findall(re.sub("c(?=[eiy])", "s", roman))
    end = "N" if last[0] == "n" else ROMAN.get(last, "")
    return ROMAN_HEADS.get(roman[0], "c"), "".join(ROMAN.get(g, "") for g in inner) + end


def urdu_sounds(urdu: str) -> tuple[str, str]:
    """Head and consonants of an Urdu word."""
    word = MARKS.sub("", urdu.translate(FOLD))
    out = "".join(URDU.get(letter, "") for letter in word)
    if word.endswith("ن"):
        out = out[:-1] + "N"
    return URDU_HEADS.get(word[:1], "c"), out


# ---- table -----------------------------------------------------------------------------------


class Table(NamedTuple):
    """Classes of each level; a class goes by its first sound, none by 0."""

    classes: Ints  # [level, 1 + place in SOUNDS]
    heads: Ints  # [level, place in HEADS]

    @classmethod
    def start(cls) -> Table:
        """Every sound its own class; heads told apart in all but long words."""
        classes = np.tile(np.arange(len(SOUNDS) + 1), (len(ENOUGH), 1))
        heads = np.tile(np.arange(len(HEADS)), (len(ENOUGH), 1))
        heads[0] = len(HEADS) - 1
        return cls(classes, heads)

    def named(self) -> Table:
        """Name classes and heads anew; a head is that of a consonant if it can be."""
        classes, heads = self.classes.copy(), self.heads.copy()
        for old, new in zip(self.classes, classes, strict=True):
            for name in np.unique(old[old > 0]):
                new[old == name] = np.flatnonzero(old == name)[0]
        for old, new in zip(self.heads, heads, strict=True):
            for name in np.unique(old):
                same = np.flatnonzero(old == name)
                new[same] = same[-1] if same[-1] == len(HEADS) - 1 else same[0]
        return Table(classes, heads)

    def text(self) -> str:
        """Lines of ``key_classes.csv``."""
        lines = []
        for level, (classes, heads) in enumerate(zip(*self.named(), strict=True)):
            lines.append(f"{level},head,{''.join(HEADS[k] for k in heads)}")
            rows = []
            for name in np.unique(classes[classes > 0]):
                has = "".join(SOUNDS[k - 1] for k in np.flatnonzero(classes == name))
                rows.append(f"{level},{has[0]},{has}")
            lines += sorted(rows)
        return "\n".join(lines) + "\n"


class Figures(NamedTuple):
    """What a table does to some words."""

    recall: float
    share: float


Keys = tuple[Ints, Ints]  # of the spellings by one level, as numbers, and how long they are


class Words:
    """Spellings of words, each as head and consonants."""

    def __init__(self, groups: list[list[tuple[str, str]]], most: float) -> None:
        groups = [[s for s in group if len(s[1]) <= LONGEST] for group in groups]
        unique = sorted({s for group in groups for s in group}, key=lambda s: (-len(s[1]), s))
        row = {s: k for k, s in enumerate(unique)}
        self.heads = np.array([HEADS.index(head) for head, _ in unique])
        codes = [[1 + SOUNDS.index(c) for c in consonants] for _, consonants in unique]
        # The n-th consonants of the words that have so many: those come first.
        self.codes = [
            np.array([code[n] for code in codes if len(code) > n], np.int64)
            for n in range(max(map(len, codes)))
        ]
        pairs = [[*itertools.combinations([row[s] for s in group], 2)] for group in groups]
        self.pairs = np.array([p for some in pairs for p in some]).T
        weights = [np.full(len(some), min(1, most / max(1, len(some)))) for some in pairs]
        self.weights = np.concatenate(weights) / sum(w.sum() for w in weights)
        self.count = np.bincount([row[s] for group in groups for s in group])
        self.total = int(self.count.sum())

    def level(self, classes: Ints, heads: Ints) -> Keys:
        """Keys of one level, as numbers, and how many consonants they have."""
        key, last = heads[self.heads] + 1, np.zeros_like(self.heads)
        count = last.copy()
        for sound in self.codes:
            n = len(sound)
            code = classes[sound]
            new = (code != 0) & (code != last[:n])
            key[:n] = np.where(new, key[:n] << 4 | code, key[:n])
            last[:n] = np.where(new, code, last[:n])
            count[:n] += new
        return key, count

    def levels(self, table: Table) -> list[Keys]:
        """Keys of every level."""
        named = table.named()
        return [self.level(c, h) for c, h in zip(*named, strict=True)]

    def figures(self, levels: list[Keys]) -> Figures:
        """Recall, and the share of pairs of spellings of two words that have one key."""
        *first, (key, _) = levels
        for (longer, count), enough in reversed([*zip(first, ENOUGH, strict=False)]):
            key = np.where(count >= enough, longer, key)
        equal = key[self.pairs[0]] == key[self.pairs[1]]
        order = np.argsort(key)
        starts = np.flatnonzero(np.diff(key[order], prepend=-1))
        met = np.add.reduceat(self.count[order], starts)
        strangers = int((met**2).sum()) - self.total - 2 * int(equal.sum())
        return Figures(float(self.weights @ equal), strangers / self.total**2)

    def measure(self, table: Table) -> Figures:
        """Measure a table on these words."""
        return self.figures(self.levels(table))


# ---- search ----------------------------------------------------------------------------------


class Search:
    """Looks for the table that is worth most on words and names."""

    def __init__(self, words: Words, names: Words) -> None:
        self.samples = (words, names)
        self.rng = np.random.default_rng(SEED)
        places = itertools.product(range(len(ENOUGH)), range(len(SOUNDS + HEADS)))
        self.places = np.array([*places])

    def worth(self, levels: list[list[Keys]]) -> float:
        """Recall less the price of the strangers: see the top of this file."""
        words, names = (s.figures(keys) for s, keys in zip(self.samples, levels, strict=True))
        price = PRICE * (names.share + 0.3 * words.share)
        return 0.6 * words.recall + 0.4 * names.recall - price

    def changes(self, table: Table, level: int, place: int) -> Iterator[Table]:
        """Other heads for one, or other classes for one sound and for its whole class."""
        if place >= len(SOUNDS):
            for name in range(len(HEADS)):
                heads = table.heads.copy()
                heads[level, place - len(SOUNDS)] = name
                yield Table(table.classes, heads).named()
            return
        old = table.classes[level]
        one = np.arange(len(old)) == place + 1
        free = np.setdiff1d(np.arange(len(old)), old)[:1]
        for name in np.union1d(old, free):
            for moved in (one, old == old[place + 1])[: 1 + (old[place + 1] > 0)]:
                classes = table.classes.copy()
                classes[level, moved] = name
                yield Table(classes, table.heads).named()

    def climb(self, table: Table) -> tuple[float, Table]:
        """Take the best change of each place for as long as one helps."""
        levels = [sample.levels(table) for sample in self.samples]
        best, idle = self.worth(levels), 0
        while idle < len(self.places):
            for level, place in self.rng.permutation(self.places):
                idle += 1
                old, better = [keys[level] for keys in levels], None
                for other in self.changes(table, level, place):
                    for sample, keys in zip(self.samples, levels, strict=True):
                        keys[level] = sample.level(other.classes[level], other.heads[level])
                    worth = self.worth(levels)
                    if worth > best + GAIN:
                        best, better, idle = worth, (other, [k[level] for k in levels]), 0
                table, new = better or (table, old)
                for keys, key in zip(levels, new, strict=True):
                    keys[level] = key
                if idle == len(self.places):
                    break
        return best, table

    def kick(self, table: Table) -> Table:
        """Make a few random changes."""
        for level, place in self.rng.choice(self.places, 4, replace=False):
            changes = [*self.changes(table, level, place)]
            table = changes[self.rng.integers(len(changes))]
        return table

    def run(self) -> Table:
        """Climb, then kick and climb again; keep the best."""
        best = self.climb(Table.start())
        for _ in range(KICKS):
            best = max(best, self.climb(self.kick(best[1])), key=lambda found: found[0])
        return best[1]


# ---- data and report -------------------------------------------------------------------------

NOTICE = """\
# Classes of sounds of the blocking key (names.key). Derived from the Dakshina dataset (Roark et al.
# 2020, "Processing South Asian Languages Written in the Latin Script: the Dakshina Dataset"), its
# Urdu romanisations, licence CC BY-SA 4.0 (https://creativecommons.org/licenses/by-sa/4.0/);
# changed: only this summary is kept. This file is under the same licence.
#
# Made by tools/learn_name_key.py: a local search for recall over pairs of romanisations of one word
# (words that are no names, and the development name pairs, which are so no test of it) against the
# share of random pairs with one key.
#
# level   0 for words that keep three consonants, 1 for two, 2 for the rest: tried in this order
# class   the letter that is written
# sounds  what it stands for: C is ch, R is ڑ or rh, N an n at the end, s also sh z zh j g gh,
#         k also kh q x, p also f; a sound that is not listed is not written. "head" lists what is
#         written for a word that begins with a vowel, h, y, v or w, any other consonant
level,class,sounds
"""


def read_lexicon(path: Path) -> dict[str, list[str]]:
    """Romanisations of each word of three to eight letters."""
    out: dict[str, list[str]] = {}
    for line in path.read_text(encoding="utf8").splitlines()[1:]:
        urdu, roman, _ = line.split("\t")
        if 3 <= len(urdu) <= 8 and re.fullmatch("[a-z]+", roman):
            out.setdefault(urdu, []).append(roman)
    return out


def spellings(words: Iterable[Iterable[str]], most: float) -> Words:
    """Words, each of `words` the romanisations of one."""
    return Words([sorted(map(sounds, roman)) for roman in words], most)


def across(words: dict[str, list[str]]) -> Words:
    """Each romanisation with its Urdu word."""
    pairs = ((urdu_sounds(urdu), roman) for urdu, some in words.items() for roman in some)
    return Words([[urdu, sounds(roman)] for urdu, roman in pairs], 1)


def halves(count: int) -> tuple[Ints, Ints]:
    """Row numbers in two random halves."""
    order = np.random.default_rng(SEED).permutation(count)
    return np.sort(order[: count // 2]), np.sort(order[count // 2 :])


def show(tag: str, table: Table, words: Words) -> None:
    """Print recall and the share of strangers."""
    figures = words.measure(table)
    print(f"  {tag:36s} recall {figures.recall:.4f}  strangers {figures.share:.5f}", flush=True)


def main() -> None:
    """Search, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    data, out = "../shared/data/identity", "python/nser_pmt/data/names/key_classes.csv"
    parser.add_argument("--data", type=Path, default=REPO / data)
    parser.add_argument("--out", type=Path, default=REPO / out)
    options = parser.parse_args()
    started = time.perf_counter()
    lexicon = read_lexicon(options.data / "roman_urdu_lexicon_train.tsv")
    dev = json.loads((options.data / "roman_urdu_name_pairs_dev.json").read_text(encoding="utf8"))
    urdu, names = [*lexicon], [*dev["urdu"]]
    learn, held = ([urdu[k] for k in half] for half in halves(len(urdu)))
    words = spellings((lexicon[u] for u in learn), 6)
    kept_out = spellings((lexicon[u] for u in held), 6)
    print(f"{len(learn)} words to learn from, {len(held)} kept out, {len(names)} names")

    folds = [spellings((dev["urdu"][names[k]] for k in f), np.inf) for f in halves(len(names))]
    for seen, other in (folds, folds[::-1]):
        print("Search on half of the names")
        table = Search(words, seen).run()
        show("words kept out", table, kept_out)
        show("names of this half", table, seen)
        show("names of the other half", table, other)

    print("Search on all names")
    every = spellings(dev["urdu"].values(), np.inf)
    table = Search(words, every).run()
    show("words kept out", table, kept_out)
    show("names, all pairs", table, every)
    for tag, pairs in (
        ("pairs `same`", spellings(dev["same"], 1)),
        ("pairs `different`", spellings(dev["different"], 1)),
        ("Urdu and Roman, words kept out", across({u: lexicon[u] for u in held})),
        ("Urdu and Roman, names", across(dev["urdu"])),
    ):
        print(f"  {tag:36s} one key {pairs.measure(table).recall:.4f}")
    options.out.write_text(NOTICE + table.text(), encoding="utf8")
    print(f"{time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
