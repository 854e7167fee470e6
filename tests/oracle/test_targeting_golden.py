"""Published and certified numbers of targeting."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt.targeting._cuts import quantile, steps
from nser_pmt.targeting._metrics import metrics

pytestmark = pytest.mark.data

# field/pmt.md section 7, in the order of its columns.
COLUMNS = (
    "coverage",
    "ier",
    "eer",
    "leakage_iris",
    "type1",
    "total_accuracy",
    "bpac",
    "cgh",
    "ntd",
    "auc",
)
AUC = {0.1: 0.849493, 0.2: 0.843474, 0.3: 0.841526, 0.4: 0.845362}
GOLDEN = """
    rate 10 7.554924 .100187 .609845 .609747 .609998 .067899 .877829 .390002 3.895266 .322354
    rate 20 7.721655 .200279 .436502 .435814 .437034 .109283 .825400 .562966 2.816997 .454903
    rate 30 7.845503 .304793 .362366 .352456 .367998 .157810 .783772 .632002 2.124540 .489735
    rate 40 7.959539 .400468 .289217 .288405 .289547 .193040 .768813 .710453 1.776910 .518555
    line 10 7.440174 .053068 .563009 .768470 .298297 .033204 .893151 -.238643 4.362871 .198326
    line 20 7.636334 .140771 .387805 .569178 .272911 .068243 .831553 .134554 3.060439 .362579
    line 30 7.784007 .249698 .319883 .434163 .266133 .114127 .789822 .397808 2.266091 .451711
    line 40 7.912582 .352359 .258401 .346746 .227618 .151752 .770248 .534127 1.853947 .501502
"""
TABLE = {
    (f"fixed_{words[0]}", int(words[1]) / 100): [float(word) for word in words[2:]]
    for words in map(str.split, GOLDEN.strip().splitlines())
}


@pytest.fixture(scope="module")
def survey(shared_data: Path) -> pl.DataFrame:
    path = shared_data / "households" / "pak_hiics2015_16_household.parquet"
    frame = pl.read_parquet(path).with_columns(welfare=pl.col("cons_pc").clip(1))
    return nser.score(frame, "hiics-2016-research")


@pytest.fixture(scope="module")
def found(survey: pl.DataFrame) -> nser.Targeting:
    return nser.targeting(
        survey,
        welfare="welfare",
        rate=[0.1, 0.2, 0.3, 0.4],
        weights="w_calibrated",
        size="hhsize",
        design="both",
        predicts="log_welfare",
    )


def test_the_golden_table_to_the_printed_digits(found: nser.Targeting) -> None:
    assert found.metrics.height == len(TABLE)
    for row in found.metrics.iter_rows(named=True):
        cutoff, *printed = TABLE[row["design"], row["rate"]]
        assert row["cutoff"] == pytest.approx(cutoff, abs=5.01e-7)
        for name, value in zip(COLUMNS, [*printed, AUC[row["rate"]]], strict=True):
            assert row[name] == pytest.approx(value, abs=5.01e-7), (row["design"], name)


def test_the_golden_file_to_its_own_digits(found: nser.Targeting, shared_data: Path) -> None:
    golden = json.loads((shared_data / "oracles" / "golden_pak_wls7.json").read_text())
    ours = {"TA": "total_accuracy"}
    for row in found.metrics.iter_rows(named=True):
        wanted = golden["metrics_in_sample"][f"{row['rate']:g}"]
        for name, value in wanted[row["design"]].items():
            assert row[ours.get(name, name.lower())] == pytest.approx(value, abs=1e-9)


def test_poverty_at_the_twenty_percent_line(found: nser.Targeting) -> None:
    row = found.metrics.filter(rate=0.2, design="fixed_line").row(0, named=True)
    assert row["line"] == pytest.approx(2072.1333, abs=5e-5)
    assert row["fgt1"] == pytest.approx(0.040917, abs=5e-7)
    assert row["fgt2"] == pytest.approx(0.012568, abs=5e-7)
    assert row["fgt0"] == pytest.approx(row["headcount"], abs=1e-14)
    # The budget would close every gap: nothing that is given out can do more.
    assert row["budget"] == pytest.approx(row["fgt1"] * row["line"] * row["weight"], rel=1e-12)
    assert 0 < row["fgt1_after"] < row["fgt1"]


def test_ties_stay_together(found: nser.Targeting) -> None:
    row = found.metrics.filter(rate=0.3, design="fixed_rate").row(0, named=True)
    assert row["coverage"] == pytest.approx(0.304793, abs=5e-7)
    assert found.steps.filter(pl.col("rate") == 0.3).height == 2_242


def test_intervals_are_those_of_the_estimates(survey: pl.DataFrame) -> None:
    # Replicates count in units of 2^-50 of the total: they may draw a unit a thousand times.
    found = nser.targeting(
        survey,
        welfare="welfare",
        rate=0.2,
        weights="w_calibrated",
        size="hhsize",
        design="both",
        predicts="log_welfare",
        psu="psu",
        strata="prov5",
        by="region",
        replicates=40,
        points=0,
    )
    assert found.intervals is not None and found.by_intervals is not None
    for row in found.intervals.iter_rows(named=True):
        whole = found.metrics.row(by_predicate=pl.col("design") == row["design"], named=True)
        assert row["estimate"] == pytest.approx(whole[row["metric"]], rel=1e-10, abs=1e-10)
        assert row["low"] <= row["high"] and row["se"] > 0
    assert found.by is not None
    for row in found.by_intervals.filter(~pl.col("metric").is_in(["line", "cutoff"])).iter_rows(
        named=True
    ):
        here = (pl.col("design") == row["design"]) & (pl.col("region") == row["region"])
        assert row["estimate"] == pytest.approx(
            found.by.row(by_predicate=here, named=True)[row["metric"]], rel=1e-10, abs=1e-10
        )


def test_world_bank_2009_fits_the_law(shared_data: Path) -> None:
    path = shared_data / "scorecards" / "published_targeting_results.json"
    published = json.loads(path.read_text())["WB2009_pakistan_pmt"]
    rows = zip(
        published["target_pct"],
        published["coverage_pct"],
        published["undercoverage_pct"],
        published["leakage_pct"],
        strict=True,
    )
    for poor, coverage, under, leakage in rows:
        tp = poor * (1 - under / 100)
        counts = {"tp": tp, "fp": coverage - tp, "fn": poor - tp, "tn": 100 - coverage - poor + tp}
        row = pl.DataFrame({k: [v] for k, v in counts.items()}).select(metrics()).row(0, named=True)
        assert row["eer"] == pytest.approx(under / 100, abs=1e-12)
        assert row["ier"] == pytest.approx(leakage / 100, abs=0.014)  # cells with one decimal


def test_schreiners_tables_are_our_formulas(shared_data: Path) -> None:
    path = shared_data / "scorecards" / "pak_simple_poverty_scorecard_2009.json"
    card: dict[str, Any] = json.loads(path.read_text())
    # Largest error that cells with one decimal can make in BPAC (field/pmt.md section 3).
    rounding = {"nl200": 0.12, "ppp375": 0.12, "ppp250": 0.19, "nl125": 0.37}
    rounding |= {"ppp125": 1.29, "nl100": 1.68}
    for line, tolerance in rounding.items():
        cells = card["fig15_targeting_validation_2005_06"][line]
        names = ["tp", "fn", "fp", "tn"]
        counts = pl.DataFrame([row[2:6] for row in cells], schema=names, orient="row")
        made = (counts.cast(pl.Float64)).select(metrics()) * 100
        for row, found in zip(cells, made.iter_rows(named=True), strict=True):
            assert found["total_accuracy"] == pytest.approx(row[6], abs=0.16)
            assert found["bpac"] == pytest.approx(row[7], abs=tolerance + 0.01)
            assert found["leakage_share"] == pytest.approx(row[4], abs=0.11)
            assert found["undercoverage_share"] == pytest.approx(row[3], abs=0.11)
        for row, found in zip(card["fig16"][line], made.iter_rows(named=True), strict=True):
            assert found["coverage"] == pytest.approx(row[2], abs=0.16)
            if row[2] > 8:  # below, one decimal says too little of a share
                assert 100 - found["ier"] == pytest.approx(row[3], abs=0.7)
                assert found["poverty_accuracy"] == pytest.approx(row[4], abs=0.7)
        if line == "nl100":
            best = [(max(made[m]), made[m].arg_max()) for m in ("total_accuracy", "bpac")]
            assert [cells[i or 0][1] for _, i in best] == [24, 34]


@pytest.fixture(scope="module")
def eusilc(shared_data: Path) -> tuple[pl.DataFrame, dict[str, Any]]:
    folder = shared_data / "oracles" / "r_survey"
    frame = pl.read_csv(folder / "eusilc.csv.gz", infer_schema_length=None)
    return frame, json.loads((folder / "eusilc_poverty.json").read_text())


def test_eusilc_poverty_and_gini(eusilc: tuple[pl.DataFrame, dict[str, Any]]) -> None:
    frame, golden = eusilc
    found = nser.targeting(
        frame,
        score="eqIncome",
        welfare="eqIncome",
        line=golden["arpt"],
        weights="rb050",
        by="db040",
        predicts="welfare",
        design="both",
    )
    for row in found.metrics.iter_rows(named=True):
        assert row["headcount"] == pytest.approx(golden["arpr"] / 100, rel=1e-12)
        assert row["gini"] == pytest.approx(golden["gini"] / 100, rel=1e-12)
        assert (row["ier"], row["eer"], row["auc"]) == (0, 0, 1)  # a perfect score
    assert found.by is not None
    ours = dict(found.by.filter(design="fixed_rate").select("db040", "headcount").rows())
    for region in golden["arpr_by_region"]:
        assert ours[region["stratum"]] == pytest.approx(region["value"] / 100, rel=1e-12)


def test_eusilc_quantiles(eusilc: tuple[pl.DataFrame, dict[str, Any]]) -> None:
    frame, golden = eusilc
    income, weight = frame["eqIncome"].cast(pl.Float64), frame["rb050"].cast(pl.Float64)
    found = steps(income, weight, None, nser.RunControl())
    shares = (0.5, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9)
    values = (golden["weightedMedian"], *golden["weightedQ"])
    for share, value in zip(shares, values, strict=True):
        assert quantile(found, share, "average") == pytest.approx(value, rel=1e-12)
