"""Every Polars type as a column: an answer or a typed error that names the column, never a crash.

The matrix runs in a process of its own (`_run`), so that an abort is a failure.
"""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt.scoring.model import Bin, BinsTerm, Input, Level, LevelsTerm, Model
from strategies import make_model

ROADS = ("eager", "lazy", "expression", "explain", "diagnose")
TIMEOUT = 120
PATHS = [str(folder) for folder in Path(__file__).parents[:2]]
RUN = f"import sys; sys.path[:0] = {PATHS!r}; import test_dtypes; test_dtypes._run()"


def _series() -> dict[str, Callable[[], pl.Series]]:
    """One column of every type that this Polars has: an ordinary value and a null."""
    day, moment = datetime.date(2024, 5, 1), datetime.datetime(2024, 5, 1)
    made: dict[str, Callable[[], pl.Series]] = {
        "String": lambda: pl.Series(["1", None]),
        "Categorical": lambda: pl.Series(["1", None], dtype=pl.Categorical),
        "Enum": lambda: pl.Series(["1", None], dtype=pl.Enum(["0", "1"])),
        "Enum of 300": lambda: pl.Series(["1", None], dtype=pl.Enum([str(n) for n in range(300)])),
        "Enum of 70000": lambda: pl.Series(["1", None], dtype=pl.Enum(map(str, range(70_000)))),
        "Boolean": lambda: pl.Series([True, None]),
        "Null": lambda: pl.Series([None, None]),
        "Decimal": lambda: pl.Series([Decimal("1.00"), None], dtype=pl.Decimal(38, 2)),
        "Decimal of whole": lambda: pl.Series([Decimal("1"), None], dtype=pl.Decimal(10, 0)),
        "Date": lambda: pl.Series([day, None]),
        "Datetime": lambda: pl.Series([moment, None]),
        "Datetime with zone": lambda: pl.Series([moment, None], dtype=pl.Datetime("ms", "UTC")),
        "Duration": lambda: pl.Series([datetime.timedelta(1), None]),
        "Time": lambda: pl.Series([datetime.time(1), None]),
        "Binary": lambda: pl.Series([b"1\xff", None]),
        "List": lambda: pl.Series([[1], None]),
        "List of text": lambda: pl.Series([["1"], None]),
        "Array": lambda: pl.Series([[1], None], dtype=pl.Array(pl.Int64, 1)),
        "Struct": lambda: pl.Series([{"a": 1}, None]),
        "Object": lambda: pl.Series([object(), None], dtype=pl.Object),
    }
    for name in (
        "Int8",
        "Int16",
        "Int32",
        "Int64",
        "Int128",
        "UInt8",
        "UInt16",
        "UInt32",
        "UInt64",
    ):
        made[name] = lambda name=name: pl.Series([1, None], dtype=getattr(pl, name))
    for name in ("Float32", "Float64", "Float16", "UInt128"):
        if hasattr(pl, name):
            made[name] = lambda name=name: pl.Series([1, None], dtype=getattr(pl, name))
    if hasattr(pl, "Categories"):
        for width in ("UInt8", "UInt16"):
            categories = pl.Categories(width, physical=getattr(pl, width))
            made[f"Categorical of {width}"] = lambda c=categories: pl.Series(
                ["1", None], dtype=pl.Categorical(c)
            )
    return made


INTEGERS = {"Int8", "Int16", "Int32", "Int64", "Int128", "UInt8", "UInt16", "UInt32", "UInt64"}
NUMBERS = INTEGERS | {"Float16", "Float32", "Float64", "Decimal", "Decimal of whole", "Boolean"}
TEXTS = {"String", "Enum", "Enum of 300", "Enum of 70000", "Categorical"}
TEXTS |= {"Categorical of UInt8", "Categorical of UInt16"}

# What each use reads; anything else is a SchemaError. UInt128 has no Arrow type.
READ = {"text": TEXTS, "codes": NUMBERS, "both": TEXTS | NUMBERS, "number": NUMBERS}


def _model(use: str) -> Model:
    item = Input("x", type="number" if use == "number" else "category")
    term: Any
    if use == "number":
        bins = (Bin(le=0.5, points=1.0), Bin(gt=0.5, points=7.0))
        term = BinsTerm(id="t", input="x", bins=bins, missing="null", out_of_range="null")
    else:
        values = {"text": ("1",), "codes": (1, True), "both": (1, "1")}[use]
        level = Level(values=values, points=7.0)
        term = LevelsTerm(id="t", input="x", levels=(level,), missing="null", unknown="null")
    return make_model(inputs=(item,), terms=(term,))


def _outcome(road: str, model: Model, series: pl.Series) -> list[Any]:
    frame = series.alias("x").to_frame().with_row_index("id")
    try:
        if road == "eager":
            return ["scores", nser.score(frame, model)["pmt_score"].to_list()]
        if road == "lazy":
            return ["scores", nser.score(frame.lazy(), model).collect()["pmt_score"].to_list()]
        if road == "expression":
            return ["scores", frame.select(model.score_expr()).to_series().to_list()]
        if road == "explain":
            points = nser.explain(frame, model, id="id").filter(pl.col("term") == "t")["points"]
            return ["scores", points.to_list()]
        return ["scores", nser.diagnose(frame, model)["missing"].to_list()]
    except BaseException as error:  # a panic is a BaseException
        return [type(error).__name__, str(error), getattr(error, "column", None)]


def _run() -> None:
    for name, make in _series().items():
        for use in READ:
            for road in ROADS:
                print(json.dumps([name, use, road]), flush=True)  # the last line names an abort
                print(json.dumps(_outcome(road, _model(use), make())), flush=True)


@pytest.fixture(scope="module")
def matrix() -> dict[tuple[str, str, str], list[Any]]:
    done = subprocess.run(
        [sys.executable, "-c", RUN], capture_output=True, text=True, timeout=TIMEOUT, check=False
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.returncode == 0, f"died at {lines[-1]}: {done.stderr[-2000:]}"
    assert done.stderr == ""
    return {tuple(at): found for at, found in zip(lines[::2], lines[1::2], strict=True)}


@pytest.mark.parametrize("use", READ)
@pytest.mark.parametrize("name", _series())
def test_type(matrix: dict[tuple[str, str, str], list[Any]], name: str, use: str) -> None:
    found = {road: matrix[name, use, road] for road in ROADS}
    if name == "Null":
        assert {road: found[road] for road in ROADS[:4]} == {
            road: ["scores", [None, None]] for road in ROADS[:4]
        }
    elif name in READ[use]:
        for road in ROADS[:4]:
            assert found[road] == ["scores", [7.0, None]], road
    else:
        for road in ("eager", "lazy", "explain"):
            kind, text, column = found[road]
            assert (kind, column) == ("SchemaError", "x"), (road, text)
            assert text.startswith("column 'x': "), (road, text)
        kind, text, _ = found["expression"]
        assert kind == "ComputeError"
        assert "nser_pmt[wrong_column] column 'x': " in text


@pytest.mark.parametrize("use", READ)
@pytest.mark.parametrize("name", _series())
def test_diagnose_takes_what_score_takes(
    matrix: dict[tuple[str, str, str], list[Any]], name: str, use: str
) -> None:
    found = matrix[name, use, "diagnose"]
    if name in READ[use] or name == "Null":
        assert found == ["scores", [2 if name == "Null" else 1]]
    else:
        assert found[0] in ("scores", "SchemaError")
