"""Methods of `fit` beside least squares: what goes wrong, and what is kept."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt import _engine, _native
from nser_pmt.errors import ConvergenceError, DomainError, ModelError
from nser_pmt.estimation._dense import dense
from nser_pmt.estimation._least_squares import sums
from nser_pmt.estimation._prepared import Prepared, prepare
from nser_pmt.estimation._quantile import bandwidth


def survey(n: int = 600, seed: int = 1) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.uniform(0, 10, n)
    y = 1 + x - 0.2 * z + rng.normal(size=n)
    return pl.DataFrame(
        {
            "x": x,
            "z": z,
            "kind": rng.choice(["a", "b", "c"], n),
            "y": y,
            "poor": (y < 0).astype(int),
            "w": rng.uniform(0.5, 3, n),
            "psu": rng.integers(0, 40, n),
        }
    )


def spec(target: str, terms: Any = ("x", "z"), **columns: Any) -> nser.ModelSpec:
    return nser.ModelSpec(target=target, terms=terms, weights="w", **columns)


@pytest.mark.parametrize("method", ["logit", "probit"])
def test_separation_names_its_column(method: Any) -> None:
    frame = survey().with_columns(sure=(pl.col("poor") == 1) & (pl.col("x") < 0))
    with pytest.raises(ConvergenceError, match="'sure'") as caught:
        nser.fit(frame, spec("poor", ["x", "z", "sure"]), method=method)
    assert (caught.value.code, caught.value.column) == ("quasi_separation", "sure")
    assert "'z'" not in str(caught.value)
    frame = frame.with_columns(all=pl.col("poor") * 3.0 + 1)
    with pytest.raises(ConvergenceError, match="all households") as caught:
        nser.fit(frame, spec("poor", ["x", "all"]), method=method)
    assert caught.value.code == "perfect_separation"


@pytest.mark.parametrize("method", ["logit", "probit", "quantile"])
def test_what_cannot_be_estimated(method: Any) -> None:
    tau = 0.3 if method == "quantile" else None
    frame = survey().with_columns(both=pl.col("x") + pl.col("z"))
    with pytest.raises(DomainError, match="'both'") as caught:
        nser.fit(frame, spec("poor", ["x", "z", "both"]), method=method, tau=tau)
    assert (caught.value.code, caught.value.column) == ("collinear", "both")
    if method != "quantile":
        with pytest.raises(DomainError) as caught:
            nser.fit(frame.with_columns(poor=1), spec("poor"), method=method)
        assert caught.value.code == "constant_target"
        with pytest.raises(DomainError, match="from 0 to 1"):
            nser.fit(frame, spec("y"), method=method)


def test_shares_are_as_good_as_trials() -> None:
    frame = survey().with_columns(x=pl.col("x").round(0), z=pl.col("z").round(0) % 3)
    shares = frame.group_by("x", "z").agg(
        poor=(pl.col("poor") * pl.col("w")).sum() / pl.col("w").sum(), w=pl.col("w").sum()
    )
    one = nser.fit(frame, spec("poor"), method="logit").coefficients["coefficient"]
    two = nser.fit(shares, spec("poor"), method="logit").coefficients["coefficient"]
    assert one.to_list() == pytest.approx(two.to_list(), rel=1e-10)


def test_weights_of_zero_are_no_rows() -> None:
    frame = survey()
    none = frame.with_columns(w=pl.lit(0.0), y=pl.lit(1e6), poor=pl.lit(1, pl.Int64))
    both = pl.concat([none.head(70), frame, none.tail(50)])
    for method, target in [("logit", "poor"), ("quantile", "y")]:
        options: Any = {"method": method, "tau": 0.4 if method == "quantile" else None}
        one = nser.fit(frame, spec(target), **options).coefficients
        two = nser.fit(both, spec(target), **options).coefficients
        for column in ("coefficient", "se"):
            assert one[column].to_list() == pytest.approx(two[column].to_list(), rel=1e-9)


def native(prepared: Prepared, kind: str, *, threads: int, isa: str | None) -> Any:
    given = dense(prepared)
    run = {**prepared.run(), "threads": threads, "isa": isa}
    head = (given.columns, given.target, given.weights, given.rows)
    if kind == "quantile":
        found, dual = _native.quantile_fit(*head, tau=0.3, near=None, intercept=True, run=run)
        assert dual is not None
        return found, _engine.frame(dual, {})["dual"].to_list()
    return _native.glm_fit(*head, link=kind, rounds=30, intercept=True, run=run)


@pytest.mark.parametrize("kind", ["logit", "probit", "quantile"])
def test_same_bits(kind: str) -> None:
    # Enough cells for several threads, and rows that fill no panel.
    frame = survey(100_123)
    prepared = prepare(frame, spec("y" if kind == "quantile" else "poor"), None)
    isa = _native.isa_names()
    expected = native(prepared, kind, threads=1, isa=isa[-1])
    assert "fault" not in (expected[0] if kind == "quantile" else expected)
    assert native(prepared, kind, threads=3, isa=None) == expected
    if "avx2" in isa:
        assert native(prepared, kind, threads=2, isa="avx2") == expected
    small = prepare(frame.head(5_003), prepared.spec, None)
    found = [native(small, kind, threads=1, isa=name) for name in isa]
    assert all(each == found[0] for each in found)


def test_bootstrap_of_a_quantile() -> None:
    frame = survey(3000)
    given = spec("y", psu="psu")
    options: dict[str, Any] = {"method": "quantile", "tau": 0.3, "errors": "bootstrap"}
    found = nser.fit(frame, given, **options, replicates=60, seed=4)
    plain = nser.fit(frame, given, method="quantile", tau=0.3)
    own = plain.coefficients["coefficient"].to_list()
    assert found.coefficients["coefficient"].to_list() == own
    assert (found.errors, found.diagnostics["df"][0]) == ("bootstrap", 39.0)
    assert "deff" not in found.coefficients.columns
    assert found.replicates is not None and found.replicates.columns == ["intercept", "x", "z"]
    table = found.replicates.to_numpy()
    assert table.shape == (60, 3)
    spread = np.sqrt(((table - own) ** 2).mean(axis=0))
    assert found.coefficients["se"].to_list() == pytest.approx(spread, rel=1e-12)
    ratio = spread / plain.coefficients["se"].to_numpy()
    assert ((ratio > 0.5) & (ratio < 2)).all()
    again = nser.fit(frame, given, **options, replicates=60, seed=4)
    assert again.replicates is not None and again.replicates.equals(found.replicates)
    other = nser.fit(frame, given, **options, replicates=60, seed=5)
    assert other.replicates is not None and not other.replicates.equals(found.replicates)


def test_a_refit_of_a_quantile_is_a_fit_under_other_weights() -> None:
    # Two units: one of them is drawn, and counts twice.
    frame = survey(400).with_columns(psu=pl.int_range(400) % 2)
    options: dict[str, Any] = {"method": "quantile", "tau": 0.3}
    found = nser.fit(frame, spec("y", psu="psu"), **options, errors="bootstrap", replicates=20)
    alone = [
        nser.fit(frame.filter(psu=unit), spec("y"), **options).coefficients["coefficient"].to_list()
        for unit in (0, 1)
    ]
    assert found.replicates is not None
    rows = [list(row) for row in found.replicates.rows()]
    close = [[row == pytest.approx(own, abs=1e-9) for own in alone] for row in rows]
    assert all(any(each) for each in close) and {tuple(each) for each in close} == {
        (True, False),
        (False, True),
    }


def test_bootstrap_errors_at_the_fit_are_those_after_it() -> None:
    frame, given = survey(), spec("y", psu="psu")
    for method in ("wls", "stepwise"):
        found = nser.fit(frame, given, method=method, errors="bootstrap", replicates=30, seed=2)
        after = nser.fit(frame, given, method=method).bootstrap(n=30, seed=2)
        assert found.coefficients.equals(after.coefficients)
        assert found.covariance.equals(after.covariance)
        assert (found.path is None) == (method == "wls")
    poor = nser.fit(frame, given, method="poverty_focused", line=0.5, errors="bootstrap")
    assert poor.diagnostics["line"][0] == 0.5


def test_what_has_no_bootstrap_errors() -> None:
    frame = survey()
    for method in ("logit", "ridge"):
        with pytest.raises(DomainError, match="no bootstrap errors"):
            nser.fit(frame, spec("poor", psu="psu"), method=method, errors="bootstrap")
    with pytest.raises(DomainError, match="at least 2"):
        nser.fit(frame, spec("y", psu="psu"), errors="bootstrap", replicates=1)
    options: dict[str, Any] = {"method": "quantile", "tau": 0.3}
    with pytest.raises(ModelError, match="no psu"):
        nser.fit(frame, spec("y"), **options, errors="bootstrap")
    with pytest.raises(DomainError, match="tau"):
        nser.fit(frame, spec("y", psu="psu"), method="quantile", tau=1, errors="bootstrap")
    lonely = frame.with_columns(stratum=pl.col("psu") == 0)
    designed = spec("y", psu="psu", strata="stratum")
    with pytest.raises(DomainError) as caught:
        nser.fit(lonely, designed, **options, errors="bootstrap")
    assert caught.value.code == "lonely_psu"
    kept = nser.fit(lonely, designed, **options, errors="bootstrap", lonely_psu="remove")
    assert kept.errors == "bootstrap"
    with pytest.raises(ModelError) as missing:
        nser.fit(frame, spec("y", psu="psu"), **options).bootstrap()
    assert "errors='bootstrap'" in str(missing.value.hint)


@pytest.mark.parametrize("method", ["logit", "probit"])
def test_scores_of_a_chance_of_being_poor_are_poorer_when_higher(method: Any) -> None:
    fit = nser.fit(survey(), spec("poor"), method=method)
    assert fit.model.direction == "higher_is_poorer"
    assert fit.to_model(direction="lower_is_poorer").direction == "lower_is_poorer"
    assert nser.fit(survey(), spec("y")).model.direction == "lower_is_poorer"


def test_bandwidth() -> None:
    # z(.975) ** (2 / 3) / 10 * (1.5 * phi(0) ** 2) ** (1 / 3), by hand.
    assert bandwidth(0.5, 1000) == pytest.approx(0.1 * 1.5661 * 0.62034, rel=1e-3)
    assert 0 < bandwidth(0.01, 50) <= 0.01


def test_a_quantile_with_several_answers_says_so() -> None:
    frame = pl.DataFrame({"y": [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], "x": [0.0, 1.0] * 3, "w": [1.0] * 6})
    prepared = prepare(frame, nser.ModelSpec(target="y", terms=["x"]), None)
    given = dense(prepared)
    plain = [(given.columns[:0], 6), (given.columns, 6)]
    found, _ = _native.quantile_fit(
        plain[0][0],
        given.target,
        given.weights,
        6,
        tau=0.5,
        near=None,
        intercept=True,
        run=prepared.run(),
    )
    assert found["coefficients"][0] in (3.0, 4.0)
    assert not found["unique"]
    found, _ = _native.quantile_fit(
        plain[1][0],
        given.target,
        given.weights,
        6,
        tau=0.5,
        near=None,
        intercept=True,
        run=prepared.run(),
    )
    assert found["coefficients"] == [3.0, 1.0]
    assert found["unique"]


def test_penalised_and_stepwise_keep_their_paths() -> None:
    frame = survey()
    given = spec("y", ["x", "z", nser.terms.levels("kind")], psu="psu")
    lasso = nser.fit(frame, given, method="lasso")
    assert lasso.path is not None
    assert lasso.path["rmse"].min() == lasso.diagnostics["rmse_out_of_fold"][0]
    assert "se" not in lasso.coefficients.columns
    scored = nser.score(frame, lasso.model)["pmt_score"]
    assert scored.null_count() == 0
    ols = nser.fit(frame, given).coefficients["coefficient"]
    free = nser.fit(frame, given, method="lasso", penalty=0.0).coefficients["coefficient"]
    assert free.to_list() == pytest.approx(ols.to_list(), rel=1e-8)
    chosen = nser.fit(frame, given, method="stepwise")
    assert chosen.path is not None
    assert chosen.path["term"].to_list()[:2] == ["x", "z"]
    again = nser.fit(frame, replace(given, terms=("x", "z")))
    assert chosen.coefficients["se"].to_list() == again.coefficients["se"].to_list()
    assert repr(lasso) and repr(chosen)


def test_error_out_of_fold_is_that_of_fits_on_the_other_units() -> None:
    frame, given = survey(), spec("y", psu="psu")
    lasso = nser.fit(frame, given, method="lasso")
    assert lasso.path is not None
    state = sums(prepare(frame, given, None), lonely="error", max_cache_mb=64)
    assert state.design.psus is not None
    units = state.design.psus.with_columns(fold=pl.Series(state.folds(10, 0)))
    frame = frame.join(units, on="psu", maintain_order="left")
    row = lasso.path.row(30, named=True)
    squares = 0.0
    for (_,), own in frame.group_by("fold", maintain_order=True):
        others = frame.join(own, on="fold", how="anti", maintain_order="left")
        found = nser.fit(others, given, method="lasso", penalty=row["lambda"])
        miss = own["y"] - nser.score(own, found.model)["pmt_score"]
        squares += float((own["w"] * miss**2).sum())
    assert row["nonzero"] == 2
    rmse = (squares / float(frame["w"].sum())) ** 0.5
    assert row["rmse"] == pytest.approx(rmse, rel=1e-9)


def test_options_are_checked() -> None:
    frame = survey()
    for options in (
        {"method": "quantile"},
        {"method": "quantile", "tau": 1.0},
        {"method": "elastic_net", "alpha": 2.0},
        {"method": "lasso", "penalty": -1.0},
        {"method": "stepwise", "enter": 0.2, "leave": 0.1},
        {"method": "stepwise", "forced": ["nothing"]},
        {"method": "stepwise", "direction": "sideways"},
    ):
        with pytest.raises(DomainError) as caught:
            nser.fit(frame, spec("y", psu="psu"), **options)  # type: ignore[arg-type]
        assert caught.value.code == "invalid_option"
