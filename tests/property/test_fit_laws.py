"""Laws of least squares."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nser_pmt as nser
from nser_pmt import _native

SPEC = nser.ModelSpec(target="y", terms=["a", "b"], weights="w", psu="psu")


@st.composite
def surveys(draw: st.DrawFn) -> pl.DataFrame:
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = draw(st.integers(12, 900))
    scale = 10.0 ** draw(st.integers(-3, 5))
    return pl.DataFrame(
        {
            "psu": np.sort(random.integers(0, max(rows // 6, 3), rows)),
            "w": random.uniform(0.1, 9, rows),
            "a": random.normal(draw(st.integers(-5, 5)) * scale, scale, rows),
            "b": random.normal(0, 1, rows),
            "y": random.normal(3, 1, rows),
        }
    )


def close(found: pl.Series, expected: pl.Series) -> bool:
    pair = [series.fill_null(-1.0).to_numpy() for series in (found, expected)]
    return bool(np.allclose(*pair, rtol=1e-9, atol=1e-13))


@given(surveys(), st.integers(0, 1000))
def test_the_order_of_the_rows_does_not_matter(survey: pl.DataFrame, seed: int) -> None:
    expected = nser.fit(survey, SPEC).coefficients
    shuffled = nser.fit(survey.sample(fraction=1.0, shuffle=True, seed=seed), SPEC).coefficients
    for column in ("coefficient", "se", "vif"):
        assert close(shuffled[column], expected[column])


@given(surveys(), st.floats(0.01, 1000))
def test_the_scale_of_weights_and_target_does_not_matter(
    survey: pl.DataFrame, factor: float
) -> None:
    expected = nser.fit(survey, SPEC).coefficients
    weights = nser.fit(survey.with_columns(pl.col("w") * factor), SPEC).coefficients
    target = nser.fit(survey.with_columns(pl.col("y") * factor), SPEC).coefficients
    for column in ("coefficient", "se"):
        assert close(weights[column], expected[column])
        assert close(target[column] / factor, expected[column])
    assert close(target["p"], expected["p"])


@given(surveys())
def test_a_household_counted_twice_is_one_of_twice_the_weight(survey: pl.DataFrame) -> None:
    doubled = survey.with_columns(pl.col("w") * 2)
    twice = pl.concat([survey, survey]).sort("psu", maintain_order=True)
    expected = nser.fit(doubled, SPEC).coefficients
    found = nser.fit(twice, SPEC).coefficients
    assert close(found["coefficient"], expected["coefficient"])
    assert close(found["se"], expected["se"])


@given(surveys())
def test_scores_from_rows_and_from_sums_are_the_same(survey: pl.DataFrame) -> None:
    kept = nser.fit(survey, SPEC)
    bare = nser.fit(survey, SPEC, max_cache_mb=0)
    assert kept.coefficients["coefficient"].equals(bare.coefficients["coefficient"]) or close(
        kept.coefficients["coefficient"], bare.coefficients["coefficient"]
    )
    assert close(kept.coefficients["se"], bare.coefficients["se"])


@pytest.mark.parametrize("grouped", [False, True])
def test_bits_do_not_depend_on_threads_or_processor(grouped: bool) -> None:
    random = np.random.default_rng(5)
    rows = 70_000
    columns = [pl.Series(f"{n}", random.normal(n, 10.0**n, rows)) for n in range(11)]
    sent = [(s.name, s, rows) for s in columns]
    weights = pl.Series(random.uniform(0, 1, rows))
    groups = pl.Series(np.sort(random.integers(0, 3000, rows))).rle_id().cast(pl.UInt32)

    def run(threads: int, isa: str | None) -> Any:
        how = {"threads": threads, "isa": isa, "control": None, "timeout": None, "tick": None}
        chosen = groups if grouped else None
        made = _native.Moments(sent, rows, weights=weights, groups=chosen, run=how)
        scores = _native.Scores(
            sent, rows, [0.5] * 10, weights=weights, groups=groups, run=how
        ).variance([([], [])], "error")
        return made.to_bytes(), scores

    expected = run(1, None)
    for threads in (2, 3):
        assert run(threads, None) == expected
    for isa in _native.isa_names():
        assert run(1, isa) == expected
