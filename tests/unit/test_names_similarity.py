"""Similarity of names: the shared cases, nulls, literals, frequencies."""

from __future__ import annotations

import pickle
import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser

CASES: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parents[1] / "vectors" / "name_similarity.toml").read_text(encoding="utf8")
)["case"]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c['a']} | {c['b']}")
def test_case(case: dict[str, Any]) -> None:
    low, high = case["similarity"]
    found = nser.names.compare_one(case["a"], case["b"])
    assert found is not None
    assert found["match"] == case["match"]
    assert low <= found["similarity"] <= high
    assert nser.names.similarity_one(case["a"], case["b"]) == found["similarity"]


def test_columns_give_what_single_names_give() -> None:
    df = pl.DataFrame({"a": [c["a"] for c in CASES], "b": [c["b"] for c in CASES]})
    found = df.select(s=nser.names.similarity("a", "b"), c=nser.names.compare("a", "b")).unnest("c")
    assert found.schema["match"] == nser.names.MATCHES
    one = [nser.names.compare_one(a, b) for a, b in df.iter_rows()]
    assert found["match"].to_list() == [c["match"] for c in one if c]
    assert found["s"].to_list() == found["similarity"].to_list()
    assert found["s"].to_list() == [c["similarity"] for c in one if c]
    lazy = df.lazy().select(nser.names.similarity("a", "b")).collect()
    assert lazy["a"].to_list() == found["s"].to_list()


@pytest.mark.parametrize("nothing", [None, "", "  ", "--"])
def test_no_name_no_answer(nothing: str | None) -> None:
    assert nser.names.similarity_one(nothing, "Zubair") is None
    assert nser.names.compare_one("Zubair", nothing) is None
    df = pl.DataFrame(
        {"a": [nothing, "Zubair"], "b": ["Zubair", "Zubair"]},
        schema={"a": pl.String, "b": pl.String},
    )
    assert df.select(nser.names.similarity("a", "b"))["a"].to_list() == [None, 1.0]
    both = df.select(nser.names.compare("a", "b").alias("c")).unnest("c")
    assert both.rows() == [(None, None), (1.0, "exact")]


def test_a_literal_is_compared_with_every_row() -> None:
    df = pl.DataFrame({"a": ["Zubair", "Imran", None]})
    found = df.select(nser.names.similarity("a", pl.lit("Zubair")))["a"].to_list()
    assert found[0] == 1.0
    assert found[1] < 0.1
    assert found[2] is None


def test_only_text_has_a_likeness() -> None:
    df = pl.DataFrame({"a": [1], "b": ["Zubair"]})
    with pytest.raises(pl.exceptions.ComputeError, match="expected text"):
        df.select(nser.names.similarity("a", "b"))


class TestFrequencies:
    NAMES = pl.Series(
        "name", ["Mohd. Imran", "Muhammad Zubair", None, "محمد زبیر"] * 10 + ["Kashif"]
    )

    def test_counts_names_with_a_token(self) -> None:
        found = nser.names.frequencies(self.NAMES)
        assert found.names == 31
        assert dict(found.counts) == {
            "muhammad": 20,
            "imran": 10,
            "zubair": 10,
            "زبیر": 10,
            "محمد": 10,
        }

    def test_rare_tokens_are_not_kept(self) -> None:
        assert "kashif" not in nser.names.frequencies(self.NAMES).counts
        assert "kashif" in nser.names.frequencies(self.NAMES, min_count=1).counts

    def test_a_token_counts_once_in_a_name(self) -> None:
        found = nser.names.frequencies(pl.Series(["Zubair Zubair"] * 10))
        assert dict(found.counts) == {"zubair": 10}

    def test_common_tokens_say_less(self) -> None:
        names = pl.Series(["Zubair Imran"] * 90 + ["Kashif Imran"] * 10)
        learned = nser.names.frequencies(names)
        by_rare = nser.names.similarity_one("Kashif Imran", "Kashif Zubair", frequencies=learned)
        by_common = nser.names.similarity_one("Kashif Imran", "Junaid Imran", frequencies=learned)
        assert by_rare is not None
        assert by_common is not None
        assert by_rare > 2 * by_common

    def test_frozen_and_silent(self) -> None:
        found = nser.names.frequencies(self.NAMES)
        assert "imran" not in repr(found)
        with pytest.raises(AttributeError):
            found.names = 3  # type: ignore[misc]
        with pytest.raises(TypeError):
            found.counts["imran"] = 3  # type: ignore[index]
        assert pickle.loads(pickle.dumps(found)) == found

    def test_refuses_what_is_no_text(self) -> None:
        with pytest.raises(nser.SchemaError, match="expected text"):
            nser.names.frequencies(pl.Series([1]))
        with pytest.raises(nser.DomainError, match="min_count") as caught:
            nser.names.frequencies(self.NAMES, min_count=0)
        assert caught.value.code == "invalid_option"
