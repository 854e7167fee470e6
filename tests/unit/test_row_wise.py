"""The expressions of `cnic`, `names` and `similarity`, in every place where Polars takes one."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nser_pmt as nser
from nser_pmt import _engine
from strategies import chunked

ENGINES = ("in-memory", "streaming")

Two = Callable[[Any, Any], pl.Expr]

# Each is made from two columns; most read the first only.
EXPRESSIONS: dict[str, Two] = {
    "cnic.parse": lambda a, b: nser.cnic.parse(a),
    "cnic.normalize": lambda a, b: nser.cnic.normalize(a),
    "cnic.format": lambda a, b: nser.cnic.format(a),
    "cnic.is_valid": lambda a, b: nser.cnic.is_valid(a),
    "cnic.mask": lambda a, b: nser.cnic.mask(a),
    "cnic.distance": lambda a, b: nser.cnic.distance(a, b),
    "cnic.repair": lambda a, b: nser.cnic.repair(a),
    "names.fold": lambda a, b: nser.names.fold(a),
    "names.tokens": lambda a, b: nser.names.tokens(a),
    "names.key": lambda a, b: nser.names.key(a),
    "names.romanize": lambda a, b: nser.names.romanize(a),
    "names.similarity": lambda a, b: nser.names.similarity(a, b),
    "names.compare": lambda a, b: nser.names.compare(a, b),
    "similarity.jaro": lambda a, b: nser.similarity.jaro(a, b),
    "similarity.jaro_winkler": lambda a, b: nser.similarity.jaro_winkler(a, b),
    "similarity.levenshtein": lambda a, b: nser.similarity.levenshtein(a, b),
    "similarity.osa": lambda a, b: nser.similarity.osa(a, b),
    "similarity.damerau_levenshtein": lambda a, b: nser.similarity.damerau_levenshtein(a, b),
    "similarity.token_sort": lambda a, b: nser.similarity.token_sort(a, b),
    "similarity.token_set": lambda a, b: nser.similarity.token_set(a, b),
    "similarity.jaccard": lambda a, b: nser.similarity.jaccard(a, b),
    "similarity.dice": lambda a, b: nser.similarity.dice(a, b),
}

VALUES = [
    "35202-1234567-1",
    "3520212345671",
    "352O2-1234567-l",
    "11111-1111111-1",
    "NIL",
    "",
    "   ",
    None,
    "Muhammad Aslam Khan",
    "Mohd. Aslam",
    "محمد اسلم خان",
    "عبدالرحمٰن",
    "Zainab d/o Ghulam Rasool",
    "Noor-ul-Ain @ Noori",
    "\u0301",
    "😀 علی Ali",
    "a name that is longer than thirty-two letters, in one cell",
]


@pytest.fixture(scope="module")
def people() -> pl.DataFrame:
    """Return every value beside every value, with a group."""
    a = pl.DataFrame({"a": VALUES})
    both = a.join(pl.DataFrame({"b": VALUES}), how="cross", maintain_order="left_right")
    return both.with_columns(g=pl.int_range(pl.len()) % 3)


@pytest.fixture(params=EXPRESSIONS, ids=str)
def make(request: Any) -> Two:
    return EXPRESSIONS[request.param]


@pytest.fixture
def want(people: pl.DataFrame, make: Two) -> pl.DataFrame:
    return people.with_columns(x=make("a", "b"))


def test_every_public_expression_is_listed() -> None:
    """Those left out need more than two columns and have tests of their own."""
    public = {
        f"{room.__name__.split('.')[-1]}.{name}"
        for room in (nser.cnic, nser.names, nser.similarity)
        for name in room.__all__
        if callable(getattr(room, name))
    }
    assert set(EXPRESSIONS) <= public


def test_the_result_is_named_after_the_first_column(people: Any, make: Any) -> None:
    assert people.select(make("a", "b")).columns == ["a"]
    assert people.select(make(pl.col("b"), "a")).columns == ["b"]


@pytest.mark.parametrize("engine", ENGINES)
def test_lazy(engine: Any, people: Any, make: Any, want: Any) -> None:
    query = people.lazy().with_columns(x=make("a", "b"))
    assert query.collect_schema() == want.schema
    assert_frame_equal(query.collect(engine=engine), want)


def test_chunks_and_slices(people: Any, make: Any, want: Any) -> None:
    pieces = [chunked(people["a"], [3, 70]), chunked(people["b"], [5, 64, 200]), people["g"]]
    assert_frame_equal(pl.DataFrame(pieces).with_columns(x=make("a", "b")), want)
    got = people.slice(13, 100).with_columns(x=make("a", "b"))
    assert_frame_equal(got, want.slice(13, 100))


def test_literals(people: Any, make: Any, want: Any) -> None:
    for row in (0, 8, 10):
        value = pl.lit(VALUES[row])
        got = people.filter(pl.col("b").eq_missing(value)).select(x=make("a", value))
        assert_frame_equal(got, want.filter(pl.col("b").eq_missing(value)).select("x"))
    nothing = pl.lit(None, dtype=pl.String)
    nulls = people.with_columns(b=nothing).select(x=make("a", "b"))
    assert_frame_equal(people.select(x=make("a", nothing)), nulls)


def test_groups_and_windows(people: Any, make: Any, want: Any) -> None:
    got = people.group_by("g", maintain_order=True).agg(x=make("a", "b"))
    assert_frame_equal(got, want.group_by("g", maintain_order=True).agg("x"))
    got = people.select(x=make("a", "b").over("g"))
    assert_frame_equal(got, want.select("x"))


@pytest.mark.parametrize("rows", [0, 1])
def test_short_frames(rows: int, people: Any, make: Any, want: Any) -> None:
    assert_frame_equal(people.head(rows).with_columns(x=make("a", "b")), want.head(rows))


def test_nulls_only(people: Any, make: Any, want: Any) -> None:
    frame = people.head(3).with_columns(a=pl.lit(None, dtype=pl.String))
    typed = frame.select(x=make("a", "b"))
    untyped = frame.with_columns(a=pl.lit(None)).select(x=make("a", "b"))
    assert_frame_equal(typed, untyped)
    assert typed.schema["x"] == want.schema["x"]


def test_enums_and_categoricals_read_as_text(people: Any, make: Any, want: Any) -> None:
    enum = pl.Enum([v for v in VALUES if v is not None])
    for dtype in (enum, pl.Categorical):
        frame = people.with_columns(pl.col("a", "b").cast(dtype))
        assert_frame_equal(frame.select(x=make("a", "b")), want.select("x"))


def test_many_rows_on_threads(people: Any, make: Any, want: Any) -> None:
    times = 230_000 // people.height + 1
    got = pl.concat([people] * times, rechunk=True).select(x=make("a", "b"))
    assert got.height > 200_000
    assert_frame_equal(got, pl.concat([want.select("x")] * times))


def test_after_serialisation(people: Any, make: Any, want: Any) -> None:
    query = people.lazy().with_columns(x=make("a", "b"))
    copy = pl.LazyFrame.deserialize(io.BytesIO(query.serialize()))
    assert_frame_equal(copy.collect(), want)


@pytest.mark.parametrize("engine", ENGINES)
def test_fallback(engine: Any, people: Any, make: Any, want: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(_engine, "plugin_works", lambda: False)
    query = people.lazy().with_columns(x=make("a", "b"))
    assert_frame_equal(query.collect(engine=engine), want)
    assert people.select(make("a", "b")).columns == ["a"]


def test_sink(people: Any, make: Any, want: Any, tmp_path: Path) -> None:
    people.lazy().with_columns(x=make("a", "b")).sink_parquet(tmp_path / "x.parquet")
    assert_frame_equal(pl.read_parquet(tmp_path / "x.parquet"), want)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:.*fork.*")
def test_single_values_after_a_fork() -> None:
    nser.names.similarity_one("Ali Khan", "Aly Khan")
    child = os.fork()
    if child == 0:
        same = nser.names.similarity_one("Ali Khan", "Ali Khan") == 1.0
        os._exit(0 if same and nser.cnic.parse_one("35202-1234567-1")["kind"] == "cnic" else 1)
    assert os.waitpid(child, 0)[1] == 0


# ---------------------------------------------------------------- every type of column

PATHS = [str(folder) for folder in Path(__file__).parents[:2]]
RUN = f"import sys; sys.path[:0] = {PATHS!r}; import test_row_wise; test_row_wise._run()"


def _outcome(make: Two, series: pl.Series) -> list[str]:
    frame = pl.DataFrame({"a": series, "b": ["x", "y"]})
    try:
        return ["answer", str(frame.select(make("a", "b")).to_series().dtype)]
    except BaseException as error:  # a panic is a BaseException
        return [type(error).__name__, str(error)]


def _run() -> None:
    from test_dtypes import _series

    for dtype, series in _series().items():
        for name, make in EXPRESSIONS.items():
            print(json.dumps([dtype, name]), flush=True)  # the last line names an abort
            print(json.dumps(_outcome(make, series())), flush=True)


def test_every_type_of_column_has_an_answer_or_a_clear_error() -> None:
    from test_dtypes import INTEGERS, TEXTS

    done = subprocess.run(
        [sys.executable, "-c", RUN], capture_output=True, text=True, timeout=120, check=False
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"died at {lines[-1]}: {done.stderr[-2000:]}"
    assert done.stderr == ""
    for (dtype, name), (kind, text) in zip(lines[::2], lines[1::2], strict=True):
        numbers = INTEGERS | {"Float64"} if name.startswith("cnic.") else set()
        if dtype in TEXTS | numbers | {"Null"}:
            assert kind == "answer", (dtype, name, text)
        else:
            assert kind in ("answer", "ComputeError"), (dtype, name, text)
            if kind == "ComputeError":
                assert "nser_pmt[wrong_column] column 'a': " in text, (dtype, name, text)
