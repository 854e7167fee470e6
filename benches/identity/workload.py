"""Invented numbers and names, a few million of each."""

from __future__ import annotations

import numpy as np
import polars as pl

import nser_pmt as nser
import roman_names

DISTINCT = 200_000  # names that are drawn from
WORDS = {1: 9, 2: 63, 3: 22, 4: 6}  # per cent of names of official lists with so many words


def numbers(rows: int, seed: int = 1) -> pl.DataFrame:
    """Make numbers with listed prefixes: as integers, 13 digits, the printed form, and floats."""
    rng = np.random.default_rng(seed)
    listed = nser.cnic.prefixes().filter(pl.col("valid_to").is_null())
    prefixes = listed["prefix"].to_numpy().astype("u8")
    made = prefixes[rng.integers(0, len(prefixes), rows)] * 10**8
    made += rng.integers(0, 10**7, rows).astype("u8") * 10 + rng.integers(1, 10, rows).astype("u8")
    number = pl.col("integer")
    digits = number.cast(pl.String)
    printed = [digits.str.slice(0, 5), digits.str.slice(5, 7), digits.str.slice(12, 1)]
    return (
        pl.DataFrame({"integer": made})
        .with_columns(
            digits=digits,
            printed=pl.concat_str(printed, separator="-"),
            float=number.cast(pl.Float64),
        )
        .rechunk()
    )


def pairs(rows: int, slips: float = 0.1, seed: int = 1) -> pl.DataFrame:
    """Make pairs of names: half are one name, a share of them with a slip, half are two names.

    Every slip makes a word that was never seen before, which is what costs most.
    """
    rng = np.random.default_rng(seed)
    source = roman_names.Names(seed + 1)
    lengths = source.random.choices(list(WORDS), list(WORDS.values()), k=DISTINCT)
    whole = roman_names.dictionary(DISTINCT)
    known = [" ".join(n.split()[:words]) for n, words in zip(whole, lengths, strict=True)]
    typed = [source.typed(n) if source.random.random() < slips else n for n in known]
    a, b = pl.Series(known), pl.Series(typed)
    first = rng.integers(0, DISTINCT, rows)
    second = np.where(rng.random(rows) < 0.5, first, rng.integers(0, DISTINCT, rows))
    return pl.DataFrame({"a": a.gather(first), "b": b.gather(second)}).rechunk()
