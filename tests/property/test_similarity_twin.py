"""`nser_pmt.similarity` equals RapidFuzz to the bit, and the definitions of q-grams."""

from __future__ import annotations

import itertools
import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nser_pmt import _engine, _native, similarity
from oracle import similarity_twin as twin

ALPHABETS = [
    "ab",
    "abcdefgh \0",
    "ابپتکگیےہ \u200c\u064b",
    "aéßÿ \u00a0\u0085",
    "αβγ мир",
    "漢字𐍈👍🏽 \u2003",
]


@st.composite
def pair(draw: st.DrawFn, longest: int = 40) -> tuple[str, str]:
    """Two strings of one script or two; often the second is the first after some edits."""
    letters = st.sampled_from(draw(st.sampled_from(ALPHABETS)))
    a = draw(st.text(letters, max_size=longest))
    if draw(st.booleans()):
        other = st.sampled_from(draw(st.sampled_from(ALPHABETS)))
        return a, draw(st.text(other | letters, max_size=longest))
    b = list(a)
    for _ in range(draw(st.integers(0, 6))):
        at = draw(st.integers(0, len(b)))
        kind = draw(st.sampled_from(["insert", "delete", "swap"]))
        if kind == "insert":
            b.insert(at, draw(letters))
        elif kind == "delete":
            del b[at : at + 1]
        else:
            b[at : at + 2] = b[at : at + 2][::-1]
    return a, "".join(b)


def compare(pairs: list[tuple[str, str]]) -> None:
    frame = pl.DataFrame(pairs, schema=["a", "b"], orient="row")
    for isa in _native.isa_names():
        for suffix, functions, dtype in (
            ("", twin.SIMILARITIES, pl.Float64()),
            ("_distance", twin.DISTANCES, pl.UInt32()),
        ):
            for name, function in functions.items():
                operation = f"similarity.{name}{suffix}"
                found = frame.select(_engine.row_wise(operation, ["a", "b"], dtype, {"isa": isa}))
                assert found.to_series().to_list() == [function(a, b) for a, b in pairs], (
                    name,
                    isa,
                )


@given(st.lists(pair(), max_size=40))
def test_short_strings(pairs: list[tuple[str, str]]) -> None:
    compare(pairs)


@given(pair(400))
def test_long_strings(texts: tuple[str, str]) -> None:
    compare([texts, texts[::-1]])


@given(st.lists(st.tuples(st.text(), st.text()), max_size=20))
def test_any_text(pairs: list[tuple[str, str]]) -> None:
    compare(
        [
            (a.encode("utf-8", "replace").decode(), b.encode("utf-8", "replace").decode())
            for a, b in pairs
        ]
    )


@given(pair(90), st.floats(0, 1))
def test_cutoffs(texts: tuple[str, str], cutoff: float) -> None:
    a, b = texts
    for name, function in twin.CUT.items():
        one, value = getattr(similarity, f"{name}_one"), function(a, b)
        assert one(a, b, cutoff=value) == value
        assert one(a, b, cutoff=min(math.nextafter(value, 2), 1.0)) == (value == 1.0)
        if abs(value - cutoff) > 1e-6:  # RapidFuzz rounds cutoffs to single precision
            assert one(a, b, cutoff=cutoff) == function(a, b, score_cutoff=cutoff), name
    for name, distance in twin.DISTANCES.items():
        one = getattr(similarity, f"{name}_distance_one")
        for most in (0, int(cutoff * 90), distance(a, b)):
            assert one(a, b, cutoff=most) == distance(a, b, score_cutoff=most), (name, most)


@given(
    pair(),
    st.integers(1, 6),
    st.sampled_from(["none", "both"]),
    st.sampled_from(["set", "multiset"]),
)
def test_q_grams(texts: tuple[str, str], q: int, padding: Any, counting: Any) -> None:
    expected = twin.q_grams(*texts, q=q, padding=padding, counting=counting)
    given_options: dict[str, Any] = {"q": q, "padding": padding, "counting": counting}
    assert similarity.jaccard_one(*texts, **given_options) == expected["jaccard"]
    assert similarity.dice_one(*texts, **given_options) == expected["dice"]


@pytest.mark.parametrize(("letters", "longest"), [("ab", 6), ("abc", 4)])
def test_small_alphabets_exhaustively(letters: str, longest: int) -> None:
    texts = ["".join(t) for n in range(longest + 1) for t in itertools.product(letters, repeat=n)]
    compare(list(itertools.product(texts, texts)))


def test_every_length_around_a_word() -> None:
    texts = ["ab" * n + "c" * m for n in (0, 15, 16, 31, 32, 33, 64) for m in (0, 1, 2, 3)]
    compare(list(itertools.product(texts, texts)))
    wide = [text.replace("a", "ا").replace("b", "漢") for text in texts]
    compare(list(itertools.product(wide, wide)))
    compare(list(zip(texts, wide, strict=True)))
