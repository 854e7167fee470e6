"""Invented numbers and names, a few million of each."""

from __future__ import annotations

import numpy as np
import polars as pl

import nser_pmt as nser
import roman_names

DISTINCT = 200_000  # names that are drawn from


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


def pairs(rows: int, seed: int = 1) -> pl.DataFrame:
    """Make pairs of names: half are one name and the same with a slip, half two names."""
    rng = np.random.default_rng(seed)
    known = roman_names.dictionary(DISTINCT)
    source = roman_names.Names(seed + 1)
    a, b = pl.Series(known), pl.Series([source.typed(name) for name in known])
    first = rng.integers(0, DISTINCT, rows)
    second = np.where(rng.random(rows) < 0.5, first, rng.integers(0, DISTINCT, rows))
    return pl.DataFrame({"a": a.gather(first), "b": b.gather(second)}).rechunk()
