"""Quantiles of a survey: what they are, and what they refuse."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nser_pmt as nser
from nser_pmt.errors import DomainError, SchemaError

ROWS = st.lists(
    st.tuples(st.integers(-5, 5), st.integers(0, 4)), min_size=2, max_size=40
).filter(lambda rows: sum(w for _, w in rows) > 0)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(ROWS, st.lists(st.integers(1, 16), min_size=1, max_size=4))
def test_the_lowest_value_up_to_which_there_is_the_share(rows: Any, sixteenths: Any) -> None:
    frame = pl.DataFrame(rows, schema=["x", "w"], orient="row")
    shares = [n / 16 for n in sixteenths]
    found = nser.survey_quantile(frame, "x", shares, weights="w")
    everyone = sum(w for _, w in rows)
    for share, estimate, low, high in zip(
        shares, found["estimate"], found["low"], found["high"], strict=True
    ):
        reached = [v for v, _ in rows if sum(w for x, w in rows if x <= v) >= share * everyone]
        assert estimate == min(reached)
        assert low is None or low <= estimate
        assert high is None or high >= estimate


def test_limits_that_lie_outside_are_null() -> None:
    frame = pl.DataFrame({"x": range(10)})
    found = nser.survey_quantile(frame, "x", [0.1, 0.5, 0.9])
    assert found["estimate"].to_list() == [0.0, 4.0, 8.0]
    assert found["low"].is_null().to_list() == [True, False, False]
    assert found["high"].is_null().to_list() == [False, False, True]
    assert found["se"].is_null().to_list() == [True, False, True]
    alone = nser.survey_quantile(frame.head(1), "x")
    assert alone.row(0) == ("x", 0.5, 0.0, None, None, None)


def test_a_constant_has_no_error() -> None:
    frame = pl.DataFrame({"x": [3, 3, 3], "y": [True, False, True]})
    found = nser.survey_quantile(frame, ["x", "y"], 0.5)
    assert found["column"].to_list() == ["x", "y"]
    assert found.row(0) == ("x", 0.5, 3.0, 0.0, 3.0, 3.0)
    assert found["estimate"][1] == 1.0


def test_what_is_refused() -> None:
    frame = pl.DataFrame(
        {"x": [1.0, None, 2.0], "s": ["a", "a", "b"], "t": ["u"] * 3, "y": [1] * 3}
    )
    for share in (0, -0.1, 1.1, float("nan")):
        with pytest.raises(DomainError, match="quantiles must be"):
            nser.survey_quantile(frame, "y", share)
    with pytest.raises(DomainError, match="level"):
        nser.survey_quantile(frame, "y", level=1)
    with pytest.raises(DomainError, match="'x', row 1"):
        nser.survey_quantile(frame, "x")
    with pytest.raises(SchemaError):
        nser.survey_quantile(frame, "t")
    with pytest.raises(DomainError, match="stratum 'b'"):
        nser.survey_quantile(frame, "y", strata="s")
