"""`nser_pmt.similarity`: the shared vectors, contexts, types, nulls, options."""

from __future__ import annotations

import inspect
import itertools
import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt import _engine, _native, errors, similarity

VECTORS: dict[str, list[dict[str, Any]]] = tomllib.loads(
    (Path(__file__).parents[1] / "vectors" / "similarity.toml").read_text(encoding="utf-8")
)
FUNCTIONS = [name for name in similarity.__all__ if hasattr(similarity, f"{name}_one")]


def options(case: dict[str, Any]) -> dict[str, Any]:
    given = {name: case[name] for name in ("cutoff", "q") if name in case}
    if case.get("padded"):
        given["padding"] = "both"
    if case.get("counted"):
        given["counting"] = "multiset"
    return given


@pytest.mark.parametrize("suffix", ["", "_distance"])
def test_vectors(suffix: str) -> None:
    cases = VECTORS["distance" if suffix else "similarity"]
    for case in cases:
        name, a, b = case["metric"] + suffix, case["a"], case["b"]
        expression = getattr(similarity, name)("a", "b", **options(case))
        frame = pl.DataFrame({"a": [a, b, None, a], "b": [b, a, b, None]})
        found = frame.select(expression).to_series().to_list()
        assert found == [case["want"], case["want"], None, None], case
        assert getattr(similarity, f"{name}_one")(a, b, **options(case)) == case["want"], case


@pytest.mark.parametrize("name", FUNCTIONS)
def test_types_and_nulls(name: str) -> None:
    function, one = getattr(similarity, name), getattr(similarity, f"{name}_one")
    texts = ["Amina", "Ameena", None, "", "آمنہ بی بی", "a much longer name than a view holds"]
    pairs = list(itertools.product(texts, texts))
    a, b = [x for x, _ in pairs], [y for _, y in pairs]
    expected = [None if x is None or y is None else one(x, y) for x, y in pairs]
    dtype = pl.UInt32 if name.endswith("_distance") else pl.Float64
    enum = pl.Enum([t for t in texts if t is not None])
    for left, right in itertools.product([pl.String(), enum, pl.Categorical()], repeat=2):
        frame = pl.DataFrame({"a": pl.Series(a, dtype=left), "b": pl.Series(b, dtype=right)})
        found = frame.select(function("a", "b")).to_series()
        assert (found.name, found.dtype, found.to_list()) == ("a", dtype, expected)
    frame = pl.DataFrame({"a": a, "b": b})
    lazy = pl.concat([frame.lazy(), frame.lazy()]).select(function("a", pl.col("b")))
    assert lazy.collect(engine="streaming").to_series().to_list() == expected * 2
    literal = frame.select(x=function("a", pl.lit("Amina")), y=function(pl.lit("Amina"), "a"))
    wanted = [None if x is None else one(x, "Amina") for x in a]
    assert literal["x"].to_list() == wanted == literal["y"].to_list()
    nothing = frame.select(function("a", pl.lit(None, dtype=pl.String))).to_series()
    assert (nothing.dtype, nothing.null_count()) == (dtype, frame.height)
    assert frame.clear().select(function("a", "b")).to_series().dtype == dtype
    assert one(None, "a") is None is one("a", None)


def test_every_instruction_set_and_many_threads_agree() -> None:
    names = ["Muhammad Aslam", "Mohammad Aslum", "Ghulam Fatima", "آمنہ", "x" * 70, "", "Aslam M."]
    frame = pl.DataFrame({"a": (names * 60_000)[:400_001], "b": (names[1:] * 70_000)[:400_001]})
    for name in ("jaro_winkler", "levenshtein", "osa"):
        expected = frame.head(42).select(getattr(similarity, name)("a", "b")).to_series()
        for isa in _native.isa_names():
            expression = _engine.row_wise(
                f"similarity.{name}", ["a", "b"], pl.Float64(), {"isa": isa}
            )
            found = frame.select(expression).to_series()
            period = len(names) * (len(names) - 1)
            again = found.head(period * 9_000).to_numpy().reshape(-1, period)
            assert (again == expected.to_numpy()).all(), (name, isa)


def test_chunks_may_differ() -> None:
    a, b = (
        pl.Series("a", ["Amina", "Zainab", "Hafsa"]),
        pl.Series("b", ["Ameena", "Zenab", "Hifza"]),
    )
    split = pl.DataFrame([a.head(1).append(a.tail(2)), b.head(2).append(b.tail(1))])
    whole = pl.DataFrame([a, b])
    expression = similarity.levenshtein("a", "b")
    assert split.select(expression).equals(whole.select(expression))
    assert whole.slice(1, 1).select(expression).item() == whole.select(expression)["a"][1]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_other_types_are_refused_and_no_value_is_shown(name: str) -> None:
    frame = pl.DataFrame({"a": ["Amina"], "n": [3520212345671]})
    with pytest.raises(pl.exceptions.ComputeError, match="column 'n': expected text") as raised:
        frame.select(getattr(similarity, name)("a", "n"))
    assert "3520212345671" not in str(raised.value)
    with pytest.raises(errors.SchemaError):
        getattr(similarity, f"{name}_one")("a", 1)


def test_wrong_options_are_refused() -> None:
    wrong: list[tuple[str, dict[str, Any]]] = [
        ("jaro", {"cutoff": 1.5}),
        ("jaro_winkler", {"cutoff": float("nan")}),
        ("osa_distance", {"cutoff": -1}),
        ("osa_distance", {"cutoff": 0.5}),
        ("jaccard", {"q": 0}),
        ("dice", {"q": 7}),
        ("dice", {"padding": "left"}),
        ("dice", {"counting": True}),
    ]
    for name, given in wrong:
        for function in (name, f"{name}_one"):
            with pytest.raises(errors.DomainError) as raised:
                getattr(similarity, function)("a", "b", **given)
            assert raised.value.code == "invalid_option"


def test_long_texts_give_an_answer() -> None:
    million = "ab" * 500_000
    assert similarity.jaro_winkler_one(million, million + "c") > 0.999
    assert similarity.levenshtein_distance_one(million, million[1:]) == 1
    assert similarity.osa_distance_one(million, "x" + million, cutoff=3) == 1
    assert similarity.levenshtein_distance_one(million, million[::-1], cutoff=10) == 2
    assert similarity.damerau_levenshtein_distance_one(million, million + "c") == 1
    assert similarity.dice_one(million, million[1:]) == 1.0
    wide = "".join(map(chr, range(0x20, 0xD000)))
    assert similarity.levenshtein_distance_one(wide, wide[::-1]) == len(wide) - len(wide) % 2
    assert similarity.jaro_one(wide, wide) == 1.0


def test_a_lone_surrogate_is_some_character() -> None:
    assert similarity.levenshtein_distance_one("a\ud800", "a") > 0


def test_names_are_sorted_and_documented() -> None:
    assert similarity.__all__ == sorted(similarity.__all__)
    assert nser.similarity is similarity
    for name in similarity.__all__:
        assert inspect.getdoc(getattr(similarity, name))
