"""Laws of names, on any text that Unicode allows."""

from __future__ import annotations

import unicodedata

import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from nser_pmt import names

PIECES = st.sampled_from(
    [
        *["abdul", "ur", "ullah", "ud", "din", "muhammad", "m.", "syed", "khan", "bi"],
        *["s/o", "@", "ghulam"],
        *["محمد", "عبد", "ال", "اللہ", "الدین", "بی", "ولد", "عرف", "ھ", "ے", "ء", "آ"],
        *["\u0670", " ", "-", "'", "é", "\u200c", "\u202b", "ﷲ", "ﷺ", "٣", "🙂", "\ufffd"],
    ]
)
TEXT = st.text(max_size=40) | st.lists(PIECES, max_size=10).map("".join)
URDU = st.text("ابپتٹثجچحخدڈذرڑزژسشصضطظعغفقکگلمنوہی", min_size=1, max_size=8)


@given(TEXT)
def test_folding_twice_is_folding_once(text: str) -> None:
    once = names.fold_one(text)
    assert names.fold_one(once) == once


@given(TEXT)
def test_a_folded_name_has_single_spaces_inside(text: str) -> None:
    folded = names.fold_one(text)
    assert folded is not None
    assert folded == " ".join(folded.split(" ")).strip(" ")
    assert "  " not in folded


@given(TEXT)
def test_case_and_normal_form_do_not_matter(text: str) -> None:
    for form in ("NFC", "NFD"):
        assert names.fold_one(unicodedata.normalize(form, text)) == names.fold_one(text)
    if text.isascii():
        assert names.fold_one(text.upper()) == names.fold_one(text)


@given(URDU)
def test_presentation_forms_are_their_letters(word: str) -> None:
    assert names.fold_one("".join(PRESENTED.get(c, c) for c in word)) == names.fold_one(word)


PRESENTED = {
    plain: chr(code)
    for code in [*range(0xFB50, 0xFBB2), *range(0xFE80, 0xFEF5)]
    if len(plain := unicodedata.normalize("NFKC", chr(code))) == 1
}


@given(TEXT)
def test_tokens_read_the_folded_text_and_their_own_text_alike(text: str) -> None:
    tokens = names.tokens_one(text)
    assert tokens == names.tokens_one(names.fold_one(text))
    assert tokens is not None
    assert all(t["token"] and " " not in t["token"] for t in tokens)
    assert bool(tokens) == bool(names.fold_one(text))


@given(TEXT)
def test_a_name_with_tokens_has_a_key_and_a_roman_form(text: str) -> None:
    tokens, key = names.tokens_one(text), names.key_one(text)
    own = [
        t for t in tokens or [] if t["role"] not in {"relation", "relative", "alias_mark", "alias"}
    ]
    assert bool(own) <= (key is not None)
    assert bool(tokens) == bool(names.romanize_one(text))


@given(
    st.lists(st.sampled_from(["asif", "javed", "nadeem", "کریم", "bilal"]), min_size=1, max_size=4)
)
def test_the_key_forgets_the_order(words: list[str]) -> None:
    assert names.key_one(" ".join(words)) == names.key_one(" ".join(reversed(words)))


@given(URDU)
def test_an_urdu_name_is_romanised_to_ascii(word: str) -> None:
    roman = names.romanize_one(word)
    assert roman is not None
    assert roman.isascii()


@example([None, "Ali"], 1)
@given(st.lists(st.none() | TEXT, max_size=30), st.integers(0, 30))
def test_a_column_is_its_values_whatever_its_chunks(values: list[str | None], cut: int) -> None:
    whole = pl.Series("n", values, dtype=pl.String)
    parts = pl.concat([whole[:cut], whole[cut:]], rechunk=False)
    for expression, one in [
        (names.fold, names.fold_one),
        (names.tokens, names.tokens_one),
        (names.key, names.key_one),
        (names.romanize, names.romanize_one),
    ]:
        got = parts.to_frame().select(expression("n")).to_series().to_list()
        assert got == [one(value) for value in values]
