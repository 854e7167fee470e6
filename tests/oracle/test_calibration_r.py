"""Calibrated weights against R's survey package 4.5."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser

TYPES = [("stype", "E", 4421.0), ("stype", "H", 755.0), ("stype", "M", 1018.0)]
GOALS = [("sch.wide", "No", 1072.0), ("sch.wide", "Yes", 5122.0)]
SCHEMA = {"variable": pl.String, "level": pl.String, "total": pl.Float64}


def totals(*rows: tuple[str, str | None, float]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


@pytest.fixture(scope="module")
def api(shared_data: Path) -> tuple[pl.DataFrame, pl.DataFrame, tuple[str, None, float]]:
    folder = shared_data / "oracles" / "r_survey"
    read = {"null_values": "NA", "infer_schema_length": None}
    expected = pl.read_csv(folder / "apiclus1_calibrated_weights.csv")
    sample = pl.read_csv(folder / "apiclus1.csv", **read).with_columns(w=expected["base"])
    population = pl.read_csv(folder / "apipop.csv", **read)
    return sample, expected, ("api99", None, float(population["api99"].sum()))


@pytest.mark.parametrize(
    ("name", "parts", "options"),
    [
        ("poststratify_stype", "t", {"method": "poststratify"}),
        ("rake_stype_schwide", "tg", {}),
        ("rake_stype_schwide", "tg", {"method": "entropy"}),
        ("calibrate_linear_stype_api99", "ta", {"method": "linear"}),
        ("calibrate_raking_stype_api99", "ta", {"method": "raking"}),
        ("calibrate_logit_stype_api99", "ta", {"method": "logit", "bounds": (0.5, 2)}),
        ("calibrate_linear_stype_api99_schwide", "tag", {"method": "linear"}),
        ("calibrate_linear_bounded_stype_api99", "ta", {"method": "linear", "bounds": (0.55, 1.9)}),
        (
            "calibrate_raking_bounded_stype_api99",
            "ta",
            {"method": "raking", "bounds": (0.55, 1.9)},
        ),
        ("calibrate_linear_aggregate_stage1", "ta", {"method": "linear", "cluster": "dnum"}),
        ("calibrate_ratio_variance", "e", {"method": "linear", "variance": "enroll"}),
    ],
)
def test_weights_of_r(api: Any, name: str, parts: str, options: dict[str, Any]) -> None:
    sample, expected, api99 = api
    known = {"t": TYPES, "g": GOALS, "a": [api99], "e": [("enroll", None, 3811472.0)]}
    rows = [row for part in parts for row in known[part]]
    cal = nser.calibrate(sample, totals(*rows), weights="w", **options)
    assert (cal.weights / expected[name] - 1).abs().max() < 1e-10
    assert cal.report["worst"].item() < 1e-12


def test_bounds_that_r_cannot_meet_are_refused_with_the_totals_named(api: Any) -> None:
    sample, _, api99 = api
    for method in ("linear", "raking", "logit"):
        with pytest.raises(nser.ConvergenceError) as found:
            nser.calibrate(
                sample, totals(*TYPES, api99), weights="w", method=method, bounds=(0.7, 1.4)
            )
        assert found.value.code == "out_of_reach"
        text = str(found.value)
        # High schools can be 1.4 times their estimate at most.
        assert "stype = 'H' should be 755, the nearest is 663.4" in text
        assert "the sum of 'api99'" in text
        assert "g from 0.7 to 1.4" in text
        assert "g from 0.4186 to 1.833" in text


def test_trimming_of_r(api: Any) -> None:
    sample, expected, _ = api
    # What R trimmed was raked in the classic way until no cell moved by 1: so is this.
    weights = sample["w"].to_numpy().copy()
    cells = sample.select("stype", "sch.wide")
    table = None
    while True:
        for rows in (TYPES, GOALS):
            for column, level, total in rows:
                mine = (cells[column] == level).to_numpy()
                weights[mine] *= total / weights[mine].sum()
        now = cells.with_columns(w=weights).group_by("stype", "sch.wide").agg(pl.sum("w"))
        now = now.sort("stype", "sch.wide")["w"]
        if table is not None and (now - table).abs().max() < 1:
            break
        table = now
    raked = sample.with_columns(w=pl.Series(weights))
    cal = nser.calibrate(raked, totals(*GOALS), weights="w", trim=(None, 45))
    assert (cal.weights / expected["trimWeights_upper45"] - 1).abs().max() < 1e-10
    assert cal.weights.max() == 45
    assert cal.report["trimmed"].item() == (raked["w"] > 45).sum()
    # Trimming misses the totals, and the report says so.
    assert cal.report["worst"].item() > 0.01
    assert cal.totals["difference"].abs().max() > 1


def test_pakistan_to_the_census(shared_data: Path) -> None:
    folder = shared_data / "households"
    survey = pl.read_parquet(folder / "pak_hiics2015_16_household.parquet")
    census = pl.read_csv(folder / "pak_census2017_provisional_margins.csv")
    named = {"urban_pop": "Urban", "rural_pop": "Rural"}
    # The survey counts the capital with Punjab.
    census = census.filter(~pl.col("area").is_in(["FATA", "PAKISTAN"])).with_columns(
        province=pl.col("area").replace("ICT", "Punjab")
    )
    people = census.unpivot(index="province", on=list(named)).group_by("province", "variable")
    cells = people.agg(total=pl.sum("value")).select(
        variable=pl.lit("province*region"),
        level=pl.col("province") + "*" + pl.col("variable").replace(named),
        total="total",
    )
    # Persons of a household are its weight: each cell gets one factor, as in the weights given.
    by_person = nser.calibrate(survey, cells, weights="hhsize", method="poststratify")
    own = (by_person.weights / survey["hhsize"]) / survey["w_calibrated"] - 1
    assert own.filter(survey["province"] != "Punjab").abs().max() < 1e-12
    # Persons as what is added up: households keep to their design weights, the census is met.
    design = survey.with_columns(d=pl.col("w_calibrated") * 1.1)
    persons = cells.with_columns(of=pl.lit("hhsize"))
    for method in ("linear", "raking"):
        cal = nser.calibrate(design, persons, weights="d", method=method, bounds=(0.5, 2))
        found = survey.with_columns(cal.weights).group_by("province", "region")
        found = found.agg(total=(pl.col("weight") * pl.col("hhsize")).sum())
        assert found["total"].sum() == pytest.approx(202_772_844, rel=1e-11)
        assert cal.totals["relative"].abs().max() < 1e-12
        assert 0.5 <= cal.g_weights.min() <= cal.g_weights.max() <= 2
        assert cal.g_weights.median() == pytest.approx(1 / 1.1, abs=0.05)
