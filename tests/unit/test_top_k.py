"""Look-ups in a dictionary: frames, arguments, limits, and what errors never show."""

from __future__ import annotations

import pickle
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt._top_k import Dictionary, top_k
from nser_pmt.errors import CancelledError, DomainError, SchemaError

NAMES = ["Muhammad Ali", "Ahmed Raza", "Ali Ahmed", None, "محمد علی", "Ahmed Raza", ""]
SCHEMA = {
    "query_index": pl.UInt32,
    "query": pl.String,
    "rank": pl.UInt32,
    "match_index": pl.UInt32,
    "match": pl.String,
    "score": pl.Float64,
}


def rows(found: pl.DataFrame) -> list[tuple[int, int]]:
    return list(found.select("query_index", "match_index").iter_rows())


def many(size: int) -> pl.Series:
    """Distinct invented strings."""
    tokens = ("ali", "bilal", "chand", "dawood", "ehsan", "fazal", "gul", "hamza", "iqbal", "jan")
    return pl.Series([" ".join(tokens[int(c)] for c in str(n)) for n in range(size)])


def test_result() -> None:
    found = top_k(["Ahmad Raza", None, "محمد علی خان"], NAMES, k=2, cutoff=0.7)
    assert found.schema == SCHEMA
    assert found.drop("score").rows() == [
        (0, "Ahmad Raza", 1, 1, "Ahmed Raza"),
        (0, "Ahmad Raza", 2, 5, "Ahmed Raza"),
        (2, "محمد علی خان", 1, 4, "محمد علی"),
    ]


def test_a_null_has_no_matches_and_is_none() -> None:
    found = top_k([None, "x"], [None, "x"])
    assert rows(found) == [(1, 1)]


def test_empty_strings_are_alike_and_unlike_all_others() -> None:
    found = top_k(["", "a"], ["a", ""], k=2)
    assert found["score"].to_list() == [1.0, 0.0, 1.0, 0.0]
    assert rows(found) == [(0, 1), (0, 0), (1, 0), (1, 1)]


@pytest.mark.parametrize("nothing", [[], pl.Series([], dtype=pl.String), [None], pl.Series([None])])
def test_nothing_gives_an_empty_frame(nothing: Any) -> None:
    for found in (top_k(nothing, NAMES), top_k(["x"], nothing), top_k(nothing, nothing)):
        assert found.is_empty()
        assert {**found.schema, "query": pl.String, "match": pl.String} == SCHEMA


def test_k_may_exceed_the_dictionary() -> None:
    assert top_k(["Ali"], NAMES, k=10**6).height == 6


def test_one_string_is_one_query() -> None:
    assert top_k("Ahmed Raza", NAMES, k=1)["query"].to_list() == ["Ahmed Raza"]


def test_levenshtein() -> None:
    found = top_k("Ali", ["Alia", "Wali", "Gul"], scorer="levenshtein", cutoff=0.6)
    assert found["score"].to_list() == [0.75]


def test_case_and_order_of_words_count() -> None:
    found = top_k("ali", ["ALI", "ali"], k=2)
    assert found["score"].to_list() == [1.0, 0.0]


@pytest.mark.parametrize("kind", [pl.Categorical, pl.Enum(["Ahmed Raza", "Ali"])])
def test_dictionary_encoded_series(kind: Any) -> None:
    series = pl.Series(["Ali", None, "Ahmed Raza", "Ali"], dtype=kind)
    found = top_k(series, series, k=1)
    assert rows(found) == [(0, 0), (2, 2), (3, 0)]
    assert found["match"].cast(pl.String).to_list() == ["Ali", "Ahmed Raza", "Ali"]


def test_chunks_do_not_matter() -> None:
    whole = pl.Series(NAMES)
    parts = pl.concat([whole[:2], whole[2:3], whole[3:]], rechunk=False)
    assert parts.n_chunks() == 3
    assert top_k(parts, parts, k=3).equals(top_k(whole, whole, k=3))


def test_prepared_dictionary() -> None:
    prepared = Dictionary(NAMES)
    assert len(prepared) == len(NAMES)
    assert repr(prepared) == "Dictionary(7 strings)"
    assert prepared.strings.to_list() == NAMES
    expected = top_k(["Ali", "Raza"], NAMES)
    copied = pickle.loads(pickle.dumps(prepared))
    for dictionary in (prepared, prepared, copied):
        assert top_k(["Ali", "Raza"], dictionary).equals(expected)


@pytest.mark.parametrize(
    "arguments", [{"k": 0}, {"cutoff": 1.1}, {"cutoff": float("nan")}, {"scorer": "cosine"}]
)
def test_bad_arguments(arguments: dict[str, Any]) -> None:
    with pytest.raises(DomainError, match=next(iter(arguments))) as caught:
        top_k(["a"], ["a"], **arguments)
    assert caught.value.code == "invalid_option"


@pytest.mark.parametrize("values", [[1], ["Zulekha", 1], [b"Zulekha"], pl.Series([1.5])])
def test_what_is_not_text_is_refused_and_not_shown(values: Any) -> None:
    for call, column in (
        (lambda: top_k(values, NAMES), "queries"),
        (lambda: top_k(["a"], values), "dictionary"),
    ):
        with pytest.raises(SchemaError, match=f"column '{column}': expected text") as caught:
            call()
        assert "Zulekha" not in str(caught.value)
        assert caught.value.column == column
        assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_threads_do_not_matter_and_progress_counts_queries() -> None:
    names = many(250_000)  # large enough for several threads
    queries = many(300).reverse()
    one, two = nser.RunControl(threads=1), nser.RunControl(threads=2)
    found = top_k(queries, names, k=3, control=one)
    assert found.equals(top_k(queries, names, k=3, control=two))
    assert one.done == two.done == 300
    assert found["match_index"].gather_every(3).to_list() == list(reversed(range(300)))


def test_cancelled_before_it_starts() -> None:
    control = nser.RunControl()
    control.cancel()
    with pytest.raises(CancelledError):
        top_k(["a"], NAMES, control=control)


def test_time_limit() -> None:
    names = Dictionary(many(200_000))
    control = nser.RunControl(timeout=0.05)
    with pytest.raises(CancelledError) as caught:  # every pair is scored
        top_k(many(20_000), names, k=200_000, control=control)
    assert caught.value.code == "timeout"
