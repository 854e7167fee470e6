"""Laws of calibration."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nser_pmt as nser

METHODS: list[dict[str, Any]] = [
    {"method": "raking"},
    {"method": "linear"},
    {"method": "logit", "bounds": (0.05, 20.0)},
    {"method": "linear", "bounds": (0.0, 20.0)},
    {"method": "raking", "bounds": (0.05, 20.0)},
]


@st.composite
def problems(draw: st.DrawFn) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, Any]]:
    """A sample, totals that some weights near the design weights have, and a method."""
    seed = draw(st.integers(0, 2**32 - 1))
    rows = draw(st.integers(30, 200))
    rng = np.random.default_rng(seed)
    levels = draw(st.lists(st.integers(2, 5), min_size=1, max_size=3))
    frame = pl.DataFrame({f"v{k}": rng.integers(0, n, rows) for k, n in enumerate(levels)})
    frame = frame.with_columns(x=pl.Series(rng.normal(5, 2, rows)))
    weights = rng.uniform(1, 10, rows)
    frame = frame.with_columns(w=pl.Series(weights))
    goal = pl.Series("goal", weights * rng.uniform(0.7, 1.4, rows))
    margins = [f"v{k}" for k in range(len(levels))]
    continuous = draw(st.sampled_from([(), ("x",)]))
    table = nser.totals_template(frame, margins=margins, continuous=continuous)
    moved = frame.with_columns(goal)
    sums = [
        moved.filter(pl.col(v).cast(pl.String) == level)["goal"].sum()
        if level is not None
        else (moved["goal"] * moved[v]).sum()
        for v, level in table.select("variable", "level").iter_rows()
    ]
    table = table.with_columns(total=pl.Series(sums, dtype=pl.Float64))
    return frame, table, draw(st.sampled_from(METHODS))


@given(problems())
def test_totals_are_hit_within_the_bounds(problem: Any) -> None:
    frame, totals, options = problem
    cal = nser.calibrate(frame, totals, weights="w", **options)
    moved = frame.with_columns(cal.weights)
    for variable, level, total in totals.select("variable", "level", "total").iter_rows():
        if level is None:
            found = (moved["weight"] * moved[variable]).sum()
        else:
            found = moved.filter(pl.col(variable).cast(pl.String) == level)["weight"].sum()
        assert abs(found - total) <= 1e-10 * abs(total)
    low, high = options.get("bounds", (-np.inf, np.inf))
    assert low <= cal.report["g_min"].item() <= cal.report["g_max"].item() <= high


@given(problems(), st.sampled_from([1e-6, 0.5, 1024.0, 1e9]))
def test_weights_scale_with_weights_and_totals(problem: Any, times: float) -> None:
    frame, totals, options = problem
    cal = nser.calibrate(frame, totals, weights="w", **options)
    scaled = frame.with_columns(w=pl.col("w") * times)
    again = nser.calibrate(
        scaled, totals.with_columns(total=pl.col("total") * times), weights="w", **options
    )
    np.testing.assert_allclose(again.weights, cal.weights * times, rtol=1e-8, atol=1e-9 * times)


@given(problems())
def test_weights_stay_where_totals_are_hit_already(problem: Any) -> None:
    frame, totals, options = problem
    cal = nser.calibrate(frame, totals, weights="w", **options)
    again = nser.calibrate(
        frame.with_columns(w=pl.col("w")),
        totals.with_columns(total=cal.totals["before"]),
        weights="w",
        **options,
    )
    np.testing.assert_allclose(again.g_weights, 1.0, rtol=1e-9)
    assert again.report["iterations"].item() == 0


@given(problems(), st.integers(0, 1000))
def test_the_order_of_rows_and_of_totals_does_not_matter(problem: Any, seed: int) -> None:
    frame, totals, options = problem
    order = np.random.default_rng(seed).permutation(frame.height)
    cal = nser.calibrate(frame, totals, weights="w", **options)
    again = nser.calibrate(
        frame[order], totals.sample(fraction=1, shuffle=True, seed=seed), weights="w", **options
    )
    np.testing.assert_allclose(again.weights, cal.weights.to_numpy()[order], rtol=1e-8, atol=1e-9)


@given(problems())
def test_the_variance_of_every_row_the_same_changes_nothing(problem: Any) -> None:
    # Variance factors keep rows apart, which cells do not.
    frame, totals, options = problem
    cal = nser.calibrate(frame, totals, weights="w", **options)
    again = nser.calibrate(
        frame.with_columns(v=pl.lit(4.0), one=pl.int_range(pl.len())),
        totals,
        weights="w",
        variance="v",
        **options,
    )
    np.testing.assert_allclose(again.weights, cal.weights, rtol=1e-8, atol=1e-9)
    alone = nser.calibrate(
        frame.with_columns(one=pl.int_range(pl.len())),
        totals,
        weights="w",
        cluster="one",
        **options,
    )
    np.testing.assert_allclose(alone.weights, cal.weights, rtol=1e-8, atol=1e-9)


@given(problems(), st.sampled_from(["linear", "raking", "logit"]), st.floats(1.6, 4.0))
def test_a_level_beyond_its_bound_is_out_of_reach_and_named(
    problem: Any, method: Any, times: float
) -> None:
    frame, totals, _ = problem
    held = nser.calibrate(frame, totals, weights="w", method="linear").totals["before"]
    # The first level of the first margin, for which all margins have to grow.
    margin = totals["variable"] == "v0"
    grown = held[0] * (times - 1) / held.filter(margin).sum()
    others = pl.when(pl.col("level").is_null()).then(1.0).otherwise(1 + grown)
    first = (pl.col("variable") == "v0") & (pl.int_range(pl.len()) == 0)
    moved = totals.with_columns(total=held * others).with_columns(
        total=pl.when(first)
        .then(held[0] * times)
        .when(pl.col("variable") == "v0")
        .then(pl.lit(held))
        .otherwise("total")
    )
    with pytest.raises(nser.ConvergenceError) as found:
        nser.calibrate(frame, moved, weights="w", method=method, bounds=(0.5, 1.5))
    assert found.value.code == "out_of_reach"
    assert f"v0 = '{totals['level'][0]}' should be" in str(found.value)
