"""Quantile regression against R's quantreg, and against the conditions of an optimum."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

import nser_pmt as nser

PAK = (
    "dep_cat",
    "headedu_cat",
    "school_cat",
    "rooms_cat",
    "toilet_cat",
    "livestock_cat",
    "land_cat",
)


@pytest.mark.parametrize("tau", [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
def test_engel(shared_data: Path, tau: float) -> None:
    expected = json.loads((shared_data / "oracles/r_survey/quantreg.json").read_text())
    frame = pl.read_csv(shared_data / "oracles/r_survey/engel.csv")
    spec = nser.ModelSpec(target="foodexp", terms=["income"])
    found = nser.fit(frame, spec, method="quantile", tau=tau, errors="classical").coefficients
    at = expected["engel"][f"{tau:g}"]
    assert found["coefficient"].to_list() == pytest.approx(list(at.values()), rel=1e-11)
    if tau == 0.5:
        nid = list(expected["engel_nid_se"].values())
        assert found["se"].to_list() == pytest.approx(nid, rel=1e-8)


@pytest.mark.parametrize("tau", [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95])
def test_weighted(shared_data: Path, tau: float) -> None:
    expected = json.loads((shared_data / "oracles/r_survey/quantreg.json").read_text())
    at = expected["apistrat_weighted"][f"{tau:g}"]
    frame = pl.read_csv(shared_data / "oracles/r_survey/apistrat.csv", null_values="NA")
    frame = frame.drop_nulls(["ell", "meals", "mobility"])
    spec = nser.ModelSpec(target="api00", terms=["ell", "meals", "mobility"], weights="pw")
    found = nser.fit(frame, spec, method="quantile", tau=tau)
    assert found.diagnostics["unique"][0]
    values = found.coefficients["coefficient"].to_list()
    assert values == pytest.approx(list(at["coef"].values()), rel=1e-10)
    x = frame.select(pl.lit(1.0), "ell", "meals", "mobility").to_numpy()
    r = frame["api00"].to_numpy() - x @ values
    # R's rho leaves the weights out.
    assert (r * (tau - (r < 0))).sum() == pytest.approx(at["rho"], rel=1e-11)


@pytest.mark.parametrize("weighted", [True, False])
def test_pakistan(shared_data: Path, weighted: bool) -> None:
    frame = pl.read_parquet(shared_data / "households/pak_hiics2015_16_household.parquet")
    frame = frame.with_columns(y=pl.col("cons_pc").clip(1).log())
    table = pl.read_csv(shared_data / "oracles/oracle_R_pak_survey_quantreg.csv")
    bases = {
        "dep_cat": "0-2",
        "headedu_cat": "1-5",
        "school_cat": "all",
        "rooms_cat": "<=0.2",
        "toilet_cat": "flush",
        "livestock_cat": "both",
        "land_cat": "0-12.5ha",
    }
    terms = []
    for term in PAK:
        levels = set(frame[term].cast(pl.String).unique())
        named = {row.removeprefix(term) for row in table["term"] if row.startswith(term)}
        (base,) = levels - named
        bases[term] = base
        terms.append(nser.terms.levels(term, base=base))
    spec = nser.ModelSpec(target="y", terms=terms, weights="w_calibrated" if weighted else None)
    found = nser.fit(frame, spec, method="quantile", tau=0.2)
    expected = dict(table.select("term", "rq20_w" if weighted else "rq20_unw").iter_rows())
    worst = 0.0
    for row in found.coefficients.iter_rows(named=True):
        term = "(Intercept)" if row["term"] == "intercept" else row["term"] + row["level"]
        worst = max(worst, abs(row["coefficient"] - expected[term]))
    # R's interior point method stops short of the vertex.
    assert worst < (1e-5 if found.diagnostics["unique"][0] else 1e-3)
    check_optimum(frame, found, spec, 0.2)


def check_optimum(frame: pl.DataFrame, found: nser.Fit, spec: nser.ModelSpec, tau: float) -> None:
    """No direction along one coefficient, or opposite to it, lowers the loss."""
    w = np.ones(frame.height) if spec.weights is None else frame[spec.weights].to_numpy()
    y = frame[spec.target].to_numpy()
    columns = []
    for row in found.coefficients.iter_rows(named=True):
        if row["term"] == "intercept":
            columns.append(np.ones(frame.height))
        else:
            columns.append((frame[row["term"]].cast(pl.String) == row["level"]).to_numpy() * 1.0)
    x = np.column_stack(columns)
    r = y - x @ found.coefficients["coefficient"].to_numpy()
    on = np.abs(r) < 1e-11 * np.abs(y).max()
    assert on.sum() >= x.shape[1]
    slope = np.where(r > 0, tau, tau - 1.0) * w
    slope[on] = 0
    for sign in (1, -1):
        d = sign * x
        own = np.where(d > 0, (1 - tau) * d, -tau * d) * w[:, None]
        change = -(slope @ d) + own[on].sum(axis=0)
        assert (change >= -1e-9 * w.sum()).all()
