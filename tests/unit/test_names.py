"""Names: the shared cases, the types of the expressions, and what becomes of bad input."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt import names

VECTORS = tomllib.loads(
    (Path(__file__).parents[1] / "vectors" / "names.toml").read_text(encoding="utf-8")
)
ONE = [names.fold_one, names.tokens_one, names.key_one, names.romanize_one]
EXPRESSIONS = [names.fold, names.tokens, names.key, names.romanize]


def groups(kind: str) -> Any:
    return pytest.mark.parametrize("group", VECTORS[kind], ids=lambda group: group["why"])


def column(values: list[str | None], expr: pl.Expr) -> list[Any]:
    return (
        pl.DataFrame({"n": pl.Series(values, dtype=pl.String)}).select(expr).to_series().to_list()
    )


@groups("fold")
def test_fold(group: dict[str, Any]) -> None:
    raw, want = zip(*group["cases"], strict=True)
    assert column(list(raw), names.fold("n")) == list(want)
    assert [names.fold_one(name) for name in raw] == list(want)


@groups("tokens")
def test_tokens(group: dict[str, Any]) -> None:
    raw = [case[0] for case in group["cases"]]
    for case, got in zip(group["cases"], column(raw, names.tokens("n")), strict=True):
        assert [f"{t['token']}/{t['role']}" for t in got] == case[1:]
        assert names.tokens_one(case[0]) == got


@groups("key")
def test_one_key(group: dict[str, Any]) -> None:
    which = "first" if group.get("first") else "all"
    for case in group["cases"]:
        keys = column(case, names.key("n", tokens=which))
        assert len(set(keys)) == 1, case
        assert None not in keys
        assert [names.key_one(name, tokens=which) for name in case] == keys


@groups("apart")
def test_keys_apart(group: dict[str, Any]) -> None:
    for case in group["cases"]:
        assert len(set(column(case, names.key("n")))) == len(case), case


@groups("roman")
def test_romanize(group: dict[str, Any]) -> None:
    raw, want = zip(*group["cases"], strict=True)
    assert column(list(raw), names.romanize("n")) == list(want)
    assert [names.romanize_one(name) for name in raw] == list(want)


def test_types() -> None:
    df = pl.DataFrame({"n": ["Asif"]}).lazy()
    made = df.select(
        f=names.fold("n"), t=names.tokens("n"), k=names.key("n"), r=names.romanize("n")
    )
    tokens = pl.List(pl.Struct({"token": pl.String, "role": names.ROLES}))
    want = {"f": pl.String, "t": tokens, "k": pl.String, "r": pl.String}
    assert dict(made.collect_schema()) == want
    assert dict(made.collect().schema) == want


def test_the_result_is_named_after_the_column() -> None:
    df = pl.DataFrame({"n": ["Asif"]})
    assert [df.select(f("n")).columns for f in EXPRESSIONS] == [["n"]] * 4


def test_null_in_null_out() -> None:
    assert [f(None) for f in ONE] == [None] * 4
    for f in EXPRESSIONS:
        assert column([None, "Asif", None], f("n")).count(None) == 2
        assert column([None, None], f("n")) == [None, None]
        assert column([], f("n")) == []


def test_a_name_without_letters_has_no_key_and_no_tokens() -> None:
    raw = ["", "  ", "...", "\u0301", "🙂"]
    assert column(raw, names.key("n")) == [None] * 5
    assert column(raw, names.tokens("n")) == [[]] * 5
    assert column(raw, names.romanize("n")) == [""] * 5


@pytest.mark.parametrize("f", EXPRESSIONS)
def test_only_text(f: Any) -> None:
    with pytest.raises(pl.exceptions.ComputeError, match="expected text"):
        pl.DataFrame({"n": [1]}).select(f("n"))


@pytest.mark.parametrize("f", ONE)
def test_only_text_as_one_value(f: Any) -> None:
    with pytest.raises(nser.SchemaError, match="expected text"):
        f(12)


@pytest.mark.parametrize("f", EXPRESSIONS)
def test_literals_categories_and_nulls_of_no_type(f: Any) -> None:
    df = pl.DataFrame({"n": ["Asif", "Mohd. Javed", "Asif"]})
    plain = df.select(f("n")).to_series().to_list()
    coded = df.select(f(pl.col("n").cast(pl.Categorical))).to_series().to_list()
    assert coded == plain
    assert df.select(x=f(pl.lit("Asif")), n="n")["x"].to_list() == [plain[0]] * 3
    assert df.select(x=f(pl.lit(None)), n="n")["x"].to_list() == [None] * 3


@pytest.mark.parametrize("f", [names.key, names.key_one])
def test_only_the_keys_there_are(f: Any) -> None:
    with pytest.raises(nser.DomainError, match="tokens must be one of all, first") as caught:
        f("n", tokens="last")
    assert caught.value.code == "invalid_option"


@pytest.mark.parametrize("f", ONE)
def test_a_megabyte_is_a_name_too(f: Any) -> None:
    for piece in ["a", "ullah", "abdul ", "محمد ", "s/o ", "\u0301", "🙂", "ﷲ", "@"]:
        f(piece * (1_000_000 // len(piece)))


def test_roles_are_those_of_the_core() -> None:
    seen = {
        t["role"]
        for g in VECTORS["tokens"]
        for c in g["cases"]
        for t in names.tokens_one(c[0]) or []
    }
    assert seen == set(names.ROLES.categories)
