"""Laws of the similarity of names, and its twin."""

from __future__ import annotations

import math
import tomllib
from itertools import pairwise
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

import nser_pmt as nser
from oracle import name_similarity_twin as twin

CASES = tomllib.loads(
    (Path(__file__).parents[1] / "vectors" / "name_similarity.toml").read_text(encoding="utf8")
)["case"]
ROMAN = st.text(alphabet="aeioubdfghjklmnqrstzyw", min_size=3, max_size=9)
URDU = st.text(alphabet="اوعیہبتجحدرسشطفقکلمنزضصخغ", min_size=2, max_size=7)
KNOWN = st.sampled_from(
    [c for case in CASES for name in (case["a"], case["b"]) for c in name.split() if "/" not in c]
)
WORD = st.one_of(KNOWN, ROMAN, URDU)
NAME = st.lists(WORD, min_size=1, max_size=4).map(" ".join)


def kept(name: str) -> list[nser.names.Token]:
    return [t for t in nser.names.tokens_one(name) or [] if t["role"] != "particle"]


def plain(name: str) -> bool:
    """Whether the twin knows the name: each word is a token, and none is a compound or initial."""
    words = (nser.names.fold_one(name) or "").split()
    found = nser.names.tokens_one(name) or []
    parts = ("abdul", "ghulam", "ullah", "uddin", "allah", "عبدال", "غلام", "اللہ", "الدین")
    return (
        len(words) == len(found)
        and all(t["role"] in {"name", "muhammad", "title", "female", "particle"} for t in found)
        and not any(part in t["token"] for t in found for part in parts)
    )


def repeats(name: str) -> bool:
    """Whether a token comes twice: of equal pairings, which is taken may differ."""
    found = [t["token"] for t in kept(name)]
    return len(set(found)) < len(found)


def joined(a: str, b: str) -> bool:
    """Whether two neighbours of one name could be one token of the other."""
    x, y = ([t["token"] for t in kept(name)] for name in (a, b))
    return any(
        one[:1] == p[:1] and one[-1:] == q[-1:]
        for many, few in ((x, y), (y, x))
        for p, q in pairwise(many)
        for one in few
    )


@given(NAME, NAME)
def test_equals_its_twin(a: str, b: str) -> None:
    if not (plain(a) and plain(b)) or joined(a, b) or repeats(a) or repeats(b):
        return
    found, want = nser.names.similarity_one(a, b), twin.similarity(a, b)
    assert (found is None) == (want is None)
    if found is not None and want is not None:
        assert math.isclose(found, want, rel_tol=1e-5, abs_tol=1e-6), (found, want)


@given(WORD, WORD)
def test_words_equal_their_twin(a: str, b: str) -> None:
    if not (plain(a) and plain(b)):
        return
    (x,), (y,) = (nser.names.tokens_one(name) or [] for name in (a, b))
    want = min(twin.likeness(x["token"], y["token"]), 1.0)
    found = nser.names.similarity_one(a, b)
    if {x["role"], y["role"]} <= {"name", "muhammad"}:
        assert found is not None
        names = x["role"] == y["role"] == "name"
        assert math.isclose(
            found, want if names or want >= 0.5 else 0.0, rel_tol=1e-5, abs_tol=1e-6
        )


@given(NAME, NAME)
def test_symmetric_and_between_0_and_1(a: str, b: str) -> None:
    found = nser.names.compare_one(a, b)
    assert found == nser.names.compare_one(b, a)
    assert found is not None
    assert 0 <= found["similarity"] <= 1


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_has_an_answer(a: str, b: str) -> None:
    found = nser.names.compare_one(a, b)
    assert found == nser.names.compare_one(b, a)
    same = nser.names.compare_one(a, a)
    assert same is None or same == {"similarity": 1.0, "match": "exact"}


@given(st.binary(max_size=60))
def test_any_bytes_have_an_answer(raw: bytes) -> None:
    text = raw.decode("utf8", "surrogateescape")
    found = nser.names.similarity_one(text, "Zubair Nawaz")
    assert found is None or 0 <= found <= 1


@given(NAME)
def test_a_fold_is_the_same_name(a: str) -> None:
    assert nser.names.compare_one(a, nser.names.fold_one(a)) == {
        "similarity": 1.0,
        "match": "exact",
    }


@given(
    st.lists(st.one_of(ROMAN, KNOWN), min_size=1, max_size=3),
    st.sampled_from(["Muhammad", "Syed", "Haji"]),
)
def test_an_optional_token_takes_little_and_never_adds(words: list[str], optional: str) -> None:
    a, longer = " ".join(words), " ".join([optional, *words])
    if optional in words or not any(t["role"] == "name" for t in kept(a)):
        return
    less = nser.names.similarity_one(a, longer)
    assert less is not None
    assert 0.7 < less <= 1
    both = nser.names.similarity_one(longer, longer)
    assert both is not None
    assert both >= less


PAIRS = [
    ("Zubair", "زبیر"),
    ("Imran", "عمران"),
    ("Farooq", "فاروق"),
    ("Nawaz", "نواز"),
    ("Tariq", "طارق"),
]


@given(st.lists(st.sampled_from(PAIRS), min_size=1, max_size=3, unique=True), st.data())
def test_scripts_may_be_mixed(pairs: list[tuple[str, str]], data: st.DataObject) -> None:
    roman = " ".join(r for r, _ in pairs)
    mixed = " ".join(data.draw(st.sampled_from(pair)) for pair in pairs)
    found = nser.names.similarity_one(roman, mixed)
    assert found is not None
    assert found > 0.9
