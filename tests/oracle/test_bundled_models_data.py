"""The bundled models against the transcribed sources and the survey file."""

from __future__ import annotations

import csv
import gzip
import json
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pytest

import nser_pmt as nser

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.data


def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)


def _probability(percent: Decimal | int | str) -> float:
    """Per cent to the nearest double of the decimal text, which division would miss at times."""
    return float(Decimal(percent) / 100)


def _classes(term: Any) -> list[tuple[str, float | None]]:
    classes = term.levels if term.kind == "levels" else term.bins
    return [(c.label, c.points) for c in classes]


def _levels(model: nser.Model) -> dict[str, dict[str, float]]:
    """Points by column and value."""
    terms: Any = model.terms
    return {t.input: {v: level.points for level in t.levels for v in level.values} for t in terms}


@pytest.fixture(scope="module")
def card(shared_data: Path) -> Any:
    return _json(shared_data / "scorecards" / "pak_simple_poverty_scorecard_2009.json")


@pytest.fixture(scope="module")
def golden(shared_data: Path) -> Any:
    return _json(shared_data / "oracles" / "golden_pak_wls7.json")


def test_schreiner_points(card: Any) -> None:
    model = nser.load_model("schreiner-pk-2009")
    expected = [[(label, points) for label, points in i["options"]] for i in card["indicators"]]
    assert [_classes(term) for term in model.terms] == expected


def test_schreiner_likelihoods(card: Any) -> None:
    model = nser.load_model("schreiner-pk-2009")
    assert [table.line for table in model.likelihoods] == list(card["fig6_likelihood_pct"])
    for table in model.likelihoods:
        printed = card["fig6_likelihood_pct"][table.line]
        expected = [(low, _probability(percent)) for low, _, percent in printed]
        assert [(band.ge, band.probability) for band in table.bands] == expected, table.line


def test_schreiner_likelihoods_equal_ppitables(shared_data: Path) -> None:
    path = shared_data / "scorecards" / "ppi_lookup_long_117tables.csv.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["table"] == "ppiPAK2009"]
    assert len(rows) == 909
    expected = {
        (row["line"], int(row["score"])): _probability(row["likelihood_pct"]) for row in rows
    }
    got = {
        (table.line, score): band.probability
        for table in nser.load_model("schreiner-pk-2009").likelihoods
        for score in range(101)
        for band in table.bands
        if band.ge is not None and band.ge <= score
        if (band.lt is not None and score < band.lt) or (band.le is not None and score <= band.le)
    }
    assert got == expected


def test_schreiner_cutoffs_maximise_the_printed_columns(card: Any) -> None:
    model = nser.load_model("schreiner-pk-2009")
    rows = card["fig15_targeting_validation_2005_06"]["nl100"]
    assert model.cutoff("nl100-max-total-accuracy").value == max(rows, key=lambda r: r[6])[1]
    assert model.cutoff("nl100-max-bpac").value == max(rows, key=lambda r: r[7])[1]


def test_research_coefficients(golden: Any) -> None:
    model = nser.load_model("hiics-2016-research")
    got = {
        f"{column}_{value}": points
        for column, levels in _levels(model).items()
        for value, points in levels.items()
        if points != 0
    }
    assert {"const": model.intercept} | got == {k: float(v) for k, v in golden["wls_coef"].items()}
    assert ",".join(model.columns) in golden["x"]


def test_research_scores_are_the_prediction(golden: Any, shared_data: Path) -> None:
    """Sums of points leave residuals of mean 0 and the R2 of the fit; no level is idle."""
    model = nser.load_model("hiics-2016-research")
    levels = _levels(model)
    survey = pl.read_parquet(shared_data / "households" / "pak_hiics2015_16_household.parquet")
    assert len(survey) == 24_238
    assert {column: set(survey[column]) for column in levels} == {
        column: set(points) for column, points in levels.items()
    }
    points = [
        pl.col(column).replace_strict(points, return_dtype=pl.Float64)
        for column, points in levels.items()
    ]
    score = survey.select(model.intercept + pl.sum_horizontal(points)).to_series().to_numpy()
    y = survey["cons_pc"].clip(1).log().to_numpy()
    w = survey["w_calibrated"].to_numpy()
    assert np.average(y - score, weights=w) == pytest.approx(0, abs=1e-9)
    total = np.average((y - np.average(y, weights=w)) ** 2, weights=w)
    r2 = 1 - np.average((y - score) ** 2, weights=w) / total
    assert r2 == pytest.approx(float(golden["r2"]), abs=1e-12)


def test_template_classes(shared_data: Path) -> None:
    source = _json(shared_data / "scorecards" / "pak_bisp_psc2009_structure_no_points.json")
    model = nser.load_model("bisp-psc-2009")
    expected = [[(label, None) for label in item["options"]] for item in source["indicators"]]
    assert [_classes(term) for term in model.terms] == expected
    assert model.range == tuple(source["scale"])
    assert model.cutoff("bisp-2010").value == float(source["cutoff_2010"])
    dummies = sum(len(_classes(term)) - 1 for term in model.terms)
    assert dummies == source["n_dummies_after_dropping_bases"]
