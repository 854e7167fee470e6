"""The acceptance case: the research model on the HIICS file reproduces the golden numbers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nser_pmt as nser

pytestmark = pytest.mark.data

Golden = tuple[pl.DataFrame, dict[str, Any]]


@pytest.fixture(scope="module")
def golden(shared_data: Path) -> Golden:
    path = shared_data / "households" / "pak_hiics2015_16_household.parquet"
    survey = pl.read_parquet(path).sort("hhcode")
    scored = nser.score(survey, "hiics-2016-research").select(
        score="pmt_score",
        status="pmt_status",
        welfare=pl.col("cons_pc").clip(1).log(),
        households="w_calibrated",
        persons=pl.col("w_calibrated") * pl.col("hhsize"),
    )
    numbers = json.loads((shared_data / "oracles" / "golden_pak_wls7.json").read_text())
    return scored, numbers


def weighted_quantile(x: np.ndarray, w: np.ndarray, p: float) -> float:
    """Return min{x : sum of w over x_i <= x is at least p of all} (field/pmt.md, section 5)."""
    order = np.argsort(x, kind="stable")
    reached = np.cumsum(w[order]) >= p * w.sum()
    return float(x[order][np.argmax(reached)])


def errors(poor: np.ndarray, targeted: np.ndarray, w: np.ndarray) -> dict[str, float]:
    tp, fp = w[poor & targeted].sum(), w[~poor & targeted].sum()
    fn, tn = w[poor & ~targeted].sum(), w[~poor & ~targeted].sum()
    n = tp + fp + fn + tn
    return {
        "IER": fp / (tp + fp),
        "EER": fn / (tp + fn),
        "coverage": (tp + fp) / n,
        "type1": fp / (fp + tn),
        "TA": (tp + tn) / n,
        "CGH": tp / (tp + fp) / ((tp + fn) / n),
        "BPAC": (tp - abs(fn - fp)) / (tp + fn),
    }


def test_every_household_is_scored(golden: Golden) -> None:
    scored, _ = golden
    assert scored.height == 24_238
    assert scored["status"].unique().to_list() == ["ok"]
    assert scored["score"].n_unique() == 2_242  # distinct predictions of field/pmt.md section 5


def test_weighted_r2(golden: Golden) -> None:
    scored, numbers = golden
    y, x, w = (scored[c].to_numpy() for c in ("welfare", "score", "households"))
    total = (w * (y - np.average(y, weights=w)) ** 2).sum()
    r2 = 1 - (w * (y - x) ** 2).sum() / total
    assert r2 == pytest.approx(0.518141, abs=5e-7)
    assert r2 == pytest.approx(numbers["r2"], abs=1e-9)


@pytest.mark.parametrize("rate", ["0.1", "0.2", "0.3", "0.4"])
def test_targeting_metrics(golden: Golden, rate: str) -> None:
    scored, numbers = golden
    wanted = numbers["metrics_in_sample"][rate]
    y, x, w = (scored[c].to_numpy() for c in ("welfare", "score", "persons"))
    line = weighted_quantile(y, w, float(rate))
    assert line == pytest.approx(wanted["z"], abs=1e-9)
    poor = y <= line

    cut = weighted_quantile(x, w, float(w[poor].sum() / w.sum()))
    assert cut == pytest.approx(wanted["score_cut_fixed_rate"], abs=1e-6)
    for design, targeted in (("fixed_rate", x <= cut), ("fixed_line", x <= line)):
        found = errors(poor, targeted, w)
        for name, value in wanted[design].items():
            assert found[name] == pytest.approx(value, abs=1e-6), (design, name)


def test_the_terms_explain_the_score(golden: Golden, shared_data: Path) -> None:
    path = shared_data / "households" / "pak_hiics2015_16_household.parquet"
    survey = pl.read_parquet(path).head(500)
    scored = nser.score(survey, "hiics-2016-research")
    long = nser.explain(survey, "hiics-2016-research", id="hhcode")
    for (_, parts), score in zip(
        long.group_by("hhcode", maintain_order=True), scored["pmt_score"], strict=True
    ):
        total = 0.0
        for points in parts["points"]:
            total += points
        assert total == score
