"""Logit and probit against R's survey, and against a naive twin."""

from __future__ import annotations

import json
from pathlib import Path
from statistics import NormalDist
from typing import Any

import numpy as np
import polars as pl
import pytest

import nser_pmt as nser

DESIGNS: dict[str, tuple[str, dict[str, Any]]] = {
    "dstrat": ("apistrat", {"strata": "stype", "fpc": "fpc"}),
    "dclus1": ("apiclus1", {"psu": "dnum", "fpc": "fpc"}),
    "dclus2": ("apiclus2", {"psu": ["dnum", "snum"], "fpc": ["fpc1", "fpc2"]}),
    "dstrat_nofpc": ("apistrat", {"strata": "stype"}),
    "dclus1_nofpc": ("apiclus1", {"psu": "dnum"}),
}
TERMS = ("ell", "meals", "mobility")


def schools(shared_data: Path, name: str) -> pl.DataFrame:
    frame = pl.read_csv(shared_data / f"oracles/r_survey/{name}.csv", null_values="NA")
    return frame.with_columns(met=(pl.col("sch.wide") == "Yes").cast(pl.Int8))


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize(("method", "which"), [("logit", "quasibinomial"), ("probit", "probit")])
def test_svyglm(shared_data: Path, design: str, method: Any, which: str) -> None:
    text = (shared_data / "oracles/r_survey/survey_estimates.json").read_text()
    expected = json.loads(text)[f"svyglm_{which}"][design]
    name, columns = DESIGNS[design]
    frame = schools(shared_data, name)
    spec = nser.ModelSpec(target="met", terms=TERMS, weights="pw", **columns)
    found = nser.fit(frame, spec, method=method).coefficients
    # R stops when the deviance does, whose last digit says nothing about the later half of those
    # of the coefficients; and its errors have the weights of the step before.
    near, close = (1e-10, 1e-8) if method == "logit" else (1e-6, 1e-6)
    for row, term in zip(found.iter_rows(named=True), ("(Intercept)", *TERMS), strict=True):
        assert row["coefficient"] == pytest.approx(expected["coef"][term], rel=near)
        assert row["se"] == pytest.approx(expected["se"][term], rel=close)
    # R's own steps, from its own start: they end on R's answer where R stops, and on ours later.
    for epsilon, coefficients, errors in (
        (1e-14, list(expected["coef"].values()), list(expected["se"].values())),
        (0.0, found["coefficient"].to_list(), found["se"].to_list()),
    ):
        b, bread, scores = steps_of_r(frame, method, epsilon)
        assert b.tolist() == pytest.approx(coefficients, rel=1e-10)
        if design != "dclus2":
            meat = one_stage(frame, scores, columns)
            se = np.sqrt(np.diag(bread @ meat @ bread))
            assert se.tolist() == pytest.approx(errors, rel=1e-10)


def one_stage(frame: pl.DataFrame, scores: Any, columns: dict[str, Any]) -> Any:
    """Variance of the sum of scores of a stratified sample of units."""
    strata = frame[columns["strata"]] if "strata" in columns else pl.Series(["all"] * frame.height)
    units = frame[columns["psu"]] if "psu" in columns else pl.Series(range(frame.height))
    out = 0.0
    for stratum in strata.unique():
        rows = (strata == stratum).to_numpy()
        own = units.filter(pl.Series(rows)).unique(maintain_order=True)
        sums = np.array([scores[rows & (units == u).to_numpy()].sum(axis=0) for u in own])
        n = len(own)
        share = n / frame[columns["fpc"]].filter(pl.Series(rows))[0] if "fpc" in columns else 0.0
        sums = sums - sums.mean(axis=0)
        out = out + (1 - share) * n / (n - 1) * sums.T @ sums
    return out


def steps_of_r(frame: pl.DataFrame, method: str, epsilon: float) -> tuple[Any, Any, Any]:
    """``glm.fit`` of R, with the weights divided by their mean as ``svyglm`` does.

    Coefficients, the inverse of the information, and scores: these two as R has them at the end.
    """
    x = np.column_stack([np.ones(frame.height), *(frame[t].to_numpy() for t in TERMS)])
    y, w = frame["met"].to_numpy() * 1.0, frame["pw"].to_numpy()
    w = w / w.mean()
    mean = (w * y + 0.5) / (w + 1)
    normal = NormalDist()

    def slope_of(eta: Any, mean: Any) -> Any:
        return mean * (1 - mean) if method == "logit" else np.array([normal.pdf(e) for e in eta])

    if method == "logit":
        eta = np.log(mean / (1 - mean))
    else:
        eta = np.array([normal.inv_cdf(m) for m in mean])
    before = deviance(y, w, mean)
    for _ in range(100):
        slope = slope_of(eta, mean)
        weight = w * slope**2 / (mean * (1 - mean))
        root = np.sqrt(weight)
        z = eta + (y - mean) / slope
        b = np.linalg.lstsq(x * root[:, None], z * root, rcond=None)[0]
        eta = x @ b
        if method == "logit":
            mean = 1 / (1 + np.exp(-eta))
        else:
            mean = np.array([normal.cdf(e) for e in eta])
        after = deviance(y, w, mean)
        if abs(after - before) / (abs(after) + 0.1) < epsilon:
            break
        before = after
    bread = np.linalg.inv(x.T @ (x * weight[:, None]))
    return b, bread, x * (weight * (y - mean) / slope_of(eta, mean))[:, None]


def deviance(y: Any, w: Any, mean: Any) -> float:
    return float(-2 * (w * np.where(y > 0, np.log(mean), np.log1p(-mean))).sum())


@pytest.mark.parametrize("method", ["logit", "probit"])
def test_score_equations(method: Any) -> None:
    """At the answer the scores of a naive twin add up to nothing."""
    rng = np.random.default_rng(3)
    n = 3000
    x = rng.normal(size=(n, 4)) * [1, 30, 0.01, 1]
    y = (x @ [0.5, 0.02, 40, 0] + rng.logistic(size=n) > 0.3).astype(float)
    w = rng.uniform(0.5, 40, n)
    frame = pl.DataFrame({f"x{j}": x[:, j] for j in range(4)} | {"y": y, "w": w})
    spec = nser.ModelSpec(target="y", terms=[f"x{j}" for j in range(4)], weights="w")
    found = nser.fit(frame, spec, method=method)
    design = np.column_stack([np.ones(n), x])
    eta = design @ found.coefficients["coefficient"].to_numpy()
    if method == "logit":
        mean = 1 / (1 + np.exp(-eta))
        factor = w * (y - mean)
        information = mean * (1 - mean)
    else:
        normal = NormalDist()
        mean = np.array([normal.cdf(e) for e in eta])
        density = np.array([normal.pdf(e) for e in eta])
        factor = w * (y - mean) * density / (mean * (1 - mean))
        information = density**2 / (mean * (1 - mean))
    score = design.T @ factor
    assert np.all(np.abs(score) <= 1e-11 * (np.abs(design).T @ np.abs(factor)))
    bread = np.linalg.inv(design.T @ (design * (w * information)[:, None]))
    pieces = design * factor[:, None]
    pieces -= pieces.mean(axis=0)
    meat = pieces.T @ pieces * n / (n - 5)
    se = np.sqrt(np.diag(bread @ meat @ bread))
    np.testing.assert_allclose(found.coefficients["se"].to_numpy(), se, rtol=1e-9)
