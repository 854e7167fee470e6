"""Fits against certified and published answers: NIST StRD, R's survey and sandwich, statsmodels."""

from __future__ import annotations

import json
from itertools import pairwise
from math import log10
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser

NIST = (
    "Filip",
    "Longley",
    "NoInt1",
    "NoInt2",
    "Norris",
    "Pontius",
    "Wampler1",
    "Wampler2",
    "Wampler3",
    "Wampler4",
    "Wampler5",
)

DESIGNS: dict[str, tuple[str, dict[str, Any]]] = {
    "dstrat": ("apistrat", {"strata": "stype", "fpc": "fpc"}),
    "dclus1": ("apiclus1", {"psu": "dnum", "fpc": "fpc"}),
    "dclus2": ("apiclus2", {"psu": ["dnum", "snum"], "fpc": ["fpc1", "fpc2"]}),
    "dstrat_nofpc": ("apistrat", {"strata": "stype"}),
    "dclus1_nofpc": ("apiclus1", {"psu": "dnum"}),
}

PAK = (
    "dep_cat",
    "headedu_cat",
    "school_cat",
    "rooms_cat",
    "toilet_cat",
    "livestock_cat",
    "land_cat",
)


def digits(found: float, certified: float) -> float:
    """Correct digits; of a certified zero, digits below one."""
    error = abs(found - certified) / (abs(certified) or 1.0)
    return 16.0 if error == 0 else -log10(error)


@pytest.mark.parametrize("name", NIST)
def test_certified_digits(shared_data: Path, name: str) -> None:
    data = json.loads((shared_data / "oracles/nist_strd/nist_strd.json").read_text())[name]
    constant = not name.startswith("NoInt")
    rows = [row if isinstance(row, list) else [row] for row in data["x"]]
    if len(rows[0]) == 1:
        powers = range(1, len(data["beta"]) + (not constant))
        rows = [[float(row[0]) ** power for power in powers] for row in rows]
    names = [f"x{n}" for n in range(len(rows[0]))]
    frame = pl.DataFrame([[float(x) for x in row] for row in rows], schema=names, orient="row")
    frame = frame.with_columns(y=pl.Series(data["y"], dtype=pl.Float64))
    spec = nser.ModelSpec(target="y", terms=names, intercept=constant)
    fit = nser.fit(frame, spec, errors="classical")
    found = fit.coefficients
    # The tenth power of a double has lost more than half of Filip's digits.
    least = {"Filip": (7.0, 7.0)}.get(name, (13.0, 10.0))
    for value, certified in zip(found["coefficient"], data["beta"], strict=True):
        assert digits(value, certified) >= least[0]
    for value, certified in zip(found["se"], data["se"], strict=True):
        assert digits(value, certified) >= least[1]
    assert digits(fit.diagnostics["residual_sd"][0], data["rsd"]) >= min(least[1], 9.0)


def read_r(shared_data: Path, name: str) -> pl.DataFrame:
    return pl.read_csv(shared_data / f"oracles/r_survey/{name}.csv", null_values="NA")


def estimates(shared_data: Path) -> Any:
    return json.loads((shared_data / "oracles/r_survey/survey_estimates.json").read_text())


@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("which", ["svyglm_gaussian", "svyglm_gaussian_factor"])
@pytest.mark.parametrize("shuffled", [False, True])
def test_svyglm(shared_data: Path, design: str, which: str, shuffled: bool) -> None:
    expected = estimates(shared_data)[which][design]
    file, columns = DESIGNS[design]
    levels = [nser.terms.levels("stype"), nser.terms.levels("sch.wide")]
    terms = ["ell", "meals", *(levels if "factor" in which else ["mobility"])]
    frame = read_r(shared_data, file)
    if shuffled:
        frame = frame.sample(fraction=1.0, shuffle=True, seed=4)
    fit = nser.fit(frame, nser.ModelSpec(target="api00", terms=terms, weights="pw", **columns))
    found = fit.coefficients
    assert found["coefficient"].to_list() == pytest.approx(
        list(expected["coef"].values()), rel=1e-12
    )
    assert found["se"].to_list() == pytest.approx(list(expected["se"].values()), rel=1e-12)
    covariance = [x for row in expected["vcov"] for x in row]
    assert fit.covariance.transpose().to_numpy().ravel().tolist() == pytest.approx(
        covariance, rel=1e-9
    )
    assert fit.diagnostics["df"][0] == expected["df.residual"]


@pytest.mark.parametrize("design", DESIGNS)
def test_survey_means_totals_and_ratios(shared_data: Path, design: str) -> None:
    expected = estimates(shared_data)
    file, columns = DESIGNS[design]
    frame = read_r(shared_data, file)
    means = nser.survey_mean(frame, ["api00", "api99", "ell"], weights="pw", **columns)
    wanted = expected["svymean"][design]
    assert means["estimate"].to_list() == pytest.approx(list(wanted["est"].values()), rel=1e-13)
    assert means["se"].to_list() == pytest.approx(list(wanted["se"].values()), rel=1e-12)
    assert means["deff"].to_list() == pytest.approx(wanted["deff"], rel=1e-10)
    # R leaves rows out within the design: here they weigh nothing.
    frame = frame.with_columns(
        pw=pl.when(pl.col("enroll").is_null()).then(0.0).otherwise(pl.col("pw")),
        enroll=pl.col("enroll").fill_null(0),
        **{"api.stu": pl.col("api.stu").fill_null(0)},
    )
    total = nser.survey_total(frame, "enroll", weights="pw", **columns)
    wanted = expected["svytotal"][design]
    assert total["estimate"][0] == pytest.approx(wanted["est"]["enroll"], rel=1e-13)
    assert total["se"][0] == pytest.approx(wanted["se"]["enroll"], rel=1e-12)
    ratio = nser.survey_ratio(frame, "api.stu", "enroll", weights="pw", **columns)
    wanted = expected["svyratio"][design]
    assert ratio["estimate"][0] == pytest.approx(wanted["est"], rel=1e-13)
    assert ratio["se"][0] == pytest.approx(wanted["se"], rel=1e-11)


@pytest.mark.parametrize("design", DESIGNS)
def test_survey_quantiles(shared_data: Path, design: str) -> None:
    path = shared_data / "oracles/r_survey/survey_quantiles.json"
    expected = json.loads(path.read_text())[design]
    file, columns = DESIGNS[design]
    frame = read_r(shared_data, file)
    shares = [float(row["_row"]) for row in expected]
    found = nser.survey_quantile(frame, "api00", shares, weights="pw", **columns)
    assert found["column"].to_list() == ["api00"] * 5 and found["quantile"].to_list() == shares
    for name, own in (("estimate", "quantile"), ("low", "ci.2.5"), ("high", "ci.97.5")):
        assert found[name].to_list() == [row[own] for row in expected]
    assert found["se"].to_list() == pytest.approx([row["se"] for row in expected], rel=1e-10)


def test_petersens_clustered_errors(shared_data: Path) -> None:
    expected = json.loads((shared_data / "oracles/r_survey/petersen_se.json").read_text())
    frame = read_r(shared_data, "petersen")
    for psu, kind, name in [
        (None, "classical", "iid"),
        (None, "hc1", "HC1"),
        ("firm", "cluster", "firm_CR1"),
        ("year", "cluster", "year_CR1"),
    ]:
        spec = nser.ModelSpec(target="y", terms=["x"], psu=psu)
        found = nser.fit(frame, spec, errors=kind).coefficients  # type: ignore[arg-type]
        assert found["se"].to_list() == pytest.approx(list(expected[name].values()), rel=1e-11)
        assert found["coefficient"].to_list() == pytest.approx(
            list(expected["coef"].values()), rel=1e-12
        )
    weighted = frame.with_columns(w=1.0 + pl.col("firm") % 3)
    spec = nser.ModelSpec(target="y", terms=["x"], weights="w", psu="firm")
    found = nser.fit(weighted, spec, errors="cluster").coefficients
    assert found["se"].to_list() == pytest.approx(
        list(expected["weighted_firm_CR1"].values()), rel=1e-11
    )


@pytest.fixture(scope="module")
def pakistan(shared_data: Path) -> pl.DataFrame:
    frame = pl.read_parquet(shared_data / "households/pak_hiics2015_16_household.parquet")
    return frame.sort("hhcode").with_columns(
        y=pl.col("cons_pc").clip(1).log(),
        stratum=pl.concat_str("prov5", "region", separator="|"),
    )


def pak_spec(rooms: str, **columns: Any) -> nser.ModelSpec:
    bases = {"rooms_cat": rooms, "land_cat": "<=12.5ha"}
    terms = [nser.terms.levels(name, base=bases.get(name)) for name in PAK]
    return nser.ModelSpec(target="y", terms=terms, weights="w_calibrated", **columns)


def test_the_pakistan_model_of_statsmodels(shared_data: Path, pakistan: pl.DataFrame) -> None:
    golden = json.loads((shared_data / "oracles/golden_pak_wls7.json").read_text())
    spec = pak_spec("0.2-0.3", psu="psu")
    for errors, name in [("hc1", "se_hc1"), ("cluster", "se_cluster_psu")]:
        fit = nser.fit(pakistan, spec, errors=errors)  # type: ignore[arg-type]
        rows = fit.coefficients.select("term", "level", "coefficient", "se").rows()
        keys = ["const" if term == "intercept" else f"{term}_{level}" for term, level, *_ in rows]
        assert set(keys) == set(golden["wls_coef"])
        for key, (_, _, coefficient, se) in zip(keys, rows, strict=True):
            assert coefficient == pytest.approx(golden["wls_coef"][key], abs=6e-11)
            assert se == pytest.approx(golden[name][key], abs=6e-11)
        assert fit.diagnostics["r2"][0] == pytest.approx(golden["r2"], abs=1e-13)
        assert fit.diagnostics["adjusted_r2"][0] == pytest.approx(golden["r2_adj"], abs=1e-13)


def test_the_pakistan_model_of_r(shared_data: Path, pakistan: pl.DataFrame) -> None:
    oracle = pl.read_csv(shared_data / "oracles/oracle_R_pak_survey_quantreg.csv")
    expected = {row["term"]: row for row in oracle.rows(named=True)}
    fit = nser.fit(pakistan, pak_spec("<=0.2", psu="psu", strata="stratum"))
    assert fit.errors == "design"
    for term, level, coefficient, se in fit.coefficients.select(
        "term", "level", "coefficient", "se"
    ).rows():
        row = expected.pop("(Intercept)" if term == "intercept" else term + level)
        assert coefficient == pytest.approx(row["svyglm_coef"], abs=1e-10)
        assert se == pytest.approx(row["svyglm_se"], rel=1e-10)
    assert not expected
    scores = nser.score(pakistan, fit.model)["pmt_score"]
    assert scores.null_count() == 0
    assert fit.model.lint() == ()
    # Weighted residuals of a fit with a constant add up to nothing.
    rest = ((pakistan["y"] - scores) * pakistan["w_calibrated"]).sum()
    assert abs(rest) < 1e-6
    # Three ways to the same errors.
    drawn, without = fit.bootstrap(n=200, seed=1), fit.jackknife()
    for a, b, c in zip(
        fit.coefficients["se"], drawn.coefficients["se"], without.coefficients["se"], strict=True
    ):
        assert b == pytest.approx(a, rel=0.25)
        assert c == pytest.approx(a, rel=0.1)


def test_out_of_sample_errors_at_a_fixed_rate(pakistan: pl.DataFrame) -> None:
    """Half of the primary units predict the other half: no worse than the field's baselines."""
    spec = pak_spec("<=0.2")
    psus = pakistan.get_column("psu").unique().sort()
    errors: dict[float, list[float]] = {0.1: [], 0.2: [], 0.3: [], 0.4: []}
    for seed in range(4):
        half = psus.sample(fraction=0.5, seed=seed).implode()
        for fitted, held in pairwise(
            [
                pakistan.filter(pl.col("psu").is_in(half)),
                pakistan.filter(~pl.col("psu").is_in(half)),
                pakistan.filter(pl.col("psu").is_in(half)),
            ]
        ):
            scored = nser.score(held, nser.fit(fitted, spec).model)
            for rate, found in errors.items():
                found.append(fixed_rate_error(scored, rate))
    for rate, limit in [(0.1, 0.637), (0.2, 0.462), (0.3, 0.359), (0.4, 0.295)]:
        mean = sum(errors[rate]) / len(errors[rate])
        assert mean <= limit + 0.01, (rate, mean)


def fixed_rate_error(scored: pl.DataFrame, rate: float) -> float:
    """Share of the poorest by welfare whom as many by score leave out; by persons."""
    frame = scored.select("y", "pmt_score", w=pl.col("w_calibrated") * pl.col("hhsize"))
    poor = []
    for column in ("y", "pmt_score"):
        ranked = frame.with_row_index().sort(column).with_columns(c=pl.col("w").cum_sum())
        line = ranked.filter(pl.col("c") >= rate * pl.col("w").sum())[column][0]
        poor.append(frame[column] <= line)
    wrong = frame.filter(poor[0] & ~poor[1])["w"].sum()
    return float(wrong / frame.filter(poor[0])["w"].sum())
