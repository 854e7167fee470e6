"""Pairs of strings to compare: Roman names, and one set for each length and script of interest.

In every set half of the pairs are a string and itself after a few slips; the others are drawn
apart. All names and texts are invented.
"""

from __future__ import annotations

from random import Random

import numpy as np
import polars as pl

import roman_names

LONGEST_NAME = 32
DISTINCT = 200_000

ROMAN = "abcdefghijklmnopqrstuvwxyz "
SCRIPTS = {
    "ASCII": ROMAN,
    "Latin with marks": ROMAN + "áéíñöüşğ",
    "Urdu": "ابپتٹثجچحخدڈذرڑزژسشصضطظعغفقکگلمنوہھءیے ",
    "Han": "".join(map(chr, range(0x4E00, 0x4E00 + 2000))),
}
# Lengths, and the number of pairs for a bench of a million.
LENGTHS = {
    (1, 32): 200_000,
    (33, 64): 50_000,
    (65, 128): 20_000,
    (129, 500): 5_000,
    (2_000, 2_500): 100,
    (20_000, 20_000): 4,
}


def names(rows: int) -> pl.DataFrame:
    """Return pairs of Roman names of up to 32 letters, in one chunk."""
    known = [n for n in roman_names.dictionary(DISTINCT) if len(n) < LONGEST_NAME]
    asked = [n for n in roman_names.queries(known, DISTINCT) if len(n) <= LONGEST_NAME]
    slips = Random(1)
    typed = [_slip(slips, n, ROMAN)[:LONGEST_NAME] for n in known]
    rng = np.random.default_rng(1)
    a = rng.integers(0, len(known), rows)
    near = pl.Series(typed).gather(a)
    far = pl.Series(asked).gather(rng.integers(0, len(asked), rows))
    mixed = near.zip_with(pl.Series(rng.random(rows) < 0.5), far)
    # In lists and back: every column holds its texts in order, as if it came from a file.
    pairs = {"a": pl.Series(known).gather(a).to_list(), "b": mixed.to_list()}
    return pl.DataFrame(pairs).rechunk()


def texts(script: str, lengths: tuple[int, int], rows: int) -> pl.DataFrame:
    """Return pairs of random strings of a script and of such lengths."""
    random = Random(f"{script} {lengths}")
    letters = SCRIPTS[script]

    def text() -> str:
        return "".join(random.choices(letters, k=random.randint(*lengths)))

    a = [text() for _ in range(rows)]
    b = [_slip(random, x, letters) if i % 2 else text() for i, x in enumerate(a)]
    return pl.DataFrame({"a": a, "b": b}).rechunk()


def mixed(rows: int) -> pl.DataFrame:
    """Return names in which every fiftieth pair is long, or Urdu."""
    frame = names(rows)
    rare = pl.concat([texts("ASCII", (200, 400), 500), texts("Urdu", (5, 25), 500)])
    at = pl.int_range(pl.len()) % 50 == 0
    pick = pl.int_range(pl.len()) // 50 % rare.height
    swap = [pl.when(at).then(pl.lit(rare[c]).gather(pick)).otherwise(c).alias(c) for c in "ab"]
    return frame.select(swap).rechunk()


def _slip(random: Random, text: str, letters: str) -> str:
    for _ in range(random.randint(1, 3)):
        at = random.randrange(len(text) + 1)
        kept = at + random.randrange(2)
        text = text[:at] + random.choice(letters) * random.randrange(2) + text[kept:]
    return text
