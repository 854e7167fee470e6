"""The cases of tests/vectors/scoring.toml, which Rust runs too (rust/core/tests/vectors.rs)."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from nser_pmt import _engine, _native

CASES: list[dict[str, Any]] = tomllib.loads(
    (Path(__file__).parents[1] / "vectors" / "scoring.toml").read_text()
)["case"]


def cell(value: object) -> object:
    return None if value == "NULL" else value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case: dict[str, Any]) -> None:
    scorer = _native.Scorer(case["program"].encode())
    rows = [[cell(v) for v in row] for row in case["rows"]]
    want = [(cell(score), status) for score, status in case["want"]]
    answers = [dict(zip(scorer.columns, row, strict=True)) for row in rows]

    assert [scorer.score_one(a) for a in answers] == want

    frame = pl.DataFrame(rows, schema=scorer.columns, orient="row", strict=False)
    series = _engine.columns(frame.get_columns())
    for isa in _native.isa_names():
        stream = scorer.score(series, len(rows), score="score", status="status", isa=isa)
        assert _engine.scored(stream, "status").rows() == want
    expression = _engine.expression(
        "pmt_both", [pl.col(c) for c in scorer.columns], program=case["program"]
    )
    both = frame.lazy().select(expression.alias("both")).unnest("both")
    assert both.with_columns(_engine.status_of_code("pmt_status")).collect().rows() == want


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_explained_points_add_up(case: dict[str, Any]) -> None:
    scorer = _native.Scorer(case["program"].encode())
    steps = json.loads(case["program"])
    scaled = steps.get("steps") or any(m.get("steps") for m in steps["models"])
    for row, (score, _) in zip(case["rows"], case["want"], strict=True):
        answers = dict(zip(scorer.columns, map(cell, row), strict=True))
        parts = scorer.explain_one(answers)
        if cell(score) is not None and not scaled:
            total = 0.0
            for _, _, points in parts:
                assert points is not None
                total += points
            assert total == score
