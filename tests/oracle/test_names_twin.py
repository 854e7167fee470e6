"""Folding against its slow twin, on every code point and on mixed text."""

from __future__ import annotations

import unicodedata

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st
from names_twin import fold

from nser_pmt import names

# Python's Unicode tables may be older or newer than ours: no unassigned code points.
KNOWN = st.characters(exclude_categories=["Cn", "Cs"])


@given(st.text(KNOWN, max_size=30))
@example("s/o")
@example("a S\\O b")
def test_any_text(text: str) -> None:
    assert names.fold_one(text) == fold(text)


def test_every_code_point() -> None:
    known = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) not in {"Cn", "Cs"}]
    df = pl.DataFrame({"raw": [f"a{c}b" for c in known]})
    got = df.select(names.fold("raw")).to_series().to_list()
    differ = [f"U+{ord(c):04X}" for c, g in zip(known, got, strict=True) if g != fold(f"a{c}b")]
    assert differ == []
