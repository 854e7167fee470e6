"""Cards of fits: linear terms in bins, likelihoods by band, the cost of rounding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt.errors import DomainError, ModelError
from nser_pmt.scoring.model import BinsTerm

FRAME = pl.DataFrame(
    {
        "rooms": [0.0, 1, 2, 2, 3, 5, 6, 8],
        "kind": ["a", "b"] * 4,
        "w": [1.0, 2, 1, 3, 1, 1, 2, 1],
        "n": [4, 3, 2, 2, 1, 1, 5, 2],
        "cons": [9.0, 14, 12, 20, 15, 26, 22, 33],
    }
)
SPEC = nser.ModelSpec(target="cons", terms=[nser.terms.levels("kind"), "rooms"], weights="w")


def test_a_linear_term_takes_the_mean_of_each_bin() -> None:
    fit = nser.fit(FRAME, SPEC)
    card = fit.to_scorecard(points=1000, frame=FRAME, edges={"rooms": [2, 5]})
    slope = fit.coefficients.filter(term="rooms")["coefficient"][0]
    term = card.model.terms[1]
    assert isinstance(term, BinsTerm) and [(b.ge, b.lt) for b in term.bins] == [
        (None, 2.0), (2.0, 5.0), (5.0, None)
    ]  # fmt: skip
    # By the spec's weights: (0 + 2) / 3, (2 + 6 + 3) / 5, (5 + 12 + 8) / 4.
    means = [2 / 3, 11 / 5, 25 / 4]
    found = [(b.points or 0.0) * card.per_point for b in term.bins]
    assert found == pytest.approx([slope * (m - means[0]) for m in means], abs=card.per_point)
    assert card.comparison is None and card.likelihoods is None
    plain = nser.to_scorecard(fit.model, points=1000, frame=FRAME, edges={"rooms": [2, 5]})
    middle = plain.model.terms[1]
    assert isinstance(middle, BinsTerm) and middle.bins[1].points != term.bins[1].points


def test_likelihoods_and_costs_count_people() -> None:
    spec = nser.ModelSpec(
        target="cons", terms=SPEC.terms, weights="w", unit="person", size="n"
    )  # fmt: skip
    card = nser.fit(FRAME, spec).to_scorecard(
        points=20, frame=FRAME, welfare="cons", line=15, edges={"rooms": [2, 5]},
        lines={"nl": 15.0}, bands=[0, 10, 20],
    )  # fmt: skip
    scores = nser.score(FRAME, card.model)["pmt_score"].to_numpy()
    people = (FRAME["w"] * FRAME["n"]).to_numpy()
    poor = FRAME["cons"].to_numpy() <= 15
    assert card.likelihoods is not None and card.comparison is not None
    shares = [
        np.average(poor[band], weights=people[band])
        for band in ((scores < 10), (scores >= 10))
    ]  # fmt: skip
    assert card.likelihoods.frame["likelihood"].to_list() == pytest.approx(shares)
    assert card.model.likelihoods == card.likelihoods.likelihoods
    assert card.model.likelihoods[0].line == "nl"
    assert "nl" in repr(card) and "<" in card._repr_html_()
    expected = nser.compare_models(
        FRAME, {"model": nser.fit(FRAME, spec).model, "scorecard": card.model},
        welfare="cons", line=15, weights="w", size="n",
    )  # fmt: skip
    assert card.comparison.metrics.equals(expected.metrics)


def test_a_card_of_a_chance_keeps_its_direction() -> None:
    frame = FRAME.with_columns(poor=pl.Series([1, 1, 1, 0, 1, 0, 0, 0]))
    spec = nser.ModelSpec(target="poor", terms=[nser.terms.levels("kind")])
    card = nser.fit(frame, spec, method="logit").to_scorecard(points=10)
    assert card.model.direction == "higher_is_poorer"
    # Of kind a three in four are poor, of kind b one in four.
    assert nser.score(frame, card.model)["pmt_score"].to_list()[:2] == [10.0, 0.0]


def test_what_a_linear_term_needs() -> None:
    fit = nser.fit(FRAME, SPEC)
    with pytest.raises(ModelError) as none:
        fit.to_scorecard()
    assert none.value.code == "no_scorecard" and "edges" in str(none.value.hint)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"edges": {"rooms": [2]}}, "need a frame"),
        ({"frame": FRAME, "edges": {"rooms": []}}, "edges of 'rooms'"),
        ({"frame": FRAME, "edges": {"rooms": [3, 2]}}, "edges of 'rooms'"),
        ({"frame": FRAME, "edges": {"rooms": [2, 9]}}, "no household is in bin 3 of 3"),
        ({"frame": FRAME, "edges": {"rooms": [2]}, "rate": 0.2}, "need welfare"),
        ({"frame": FRAME}, "a frame needs welfare"),
        ({"lines": {"nl": 15.0}}, "need a frame"),
    ]
    for options, text in cases:
        with pytest.raises(DomainError, match=text):
            fit.to_scorecard(**options)
    with pytest.raises(ModelError, match="no linear term 'kind'") as wrong:
        fit.to_scorecard(frame=FRAME, edges={"kind": [1]})
    assert "rooms" in str(wrong.value.hint)


@pytest.mark.data
def test_a_card_of_the_survey_of_pakistan_loses_little(shared_data: Path) -> None:
    survey = pl.read_parquet(shared_data / "households" / "pak_hiics2015_16_household.parquet")
    survey = survey.filter(pl.col("cons_pc") > 0).with_columns(log_cons=pl.col("cons_pc").log())
    names = ("dep_cat", "headedu_cat", "rooms_cat", "toilet_cat", "livestock_cat", "land_cat")
    spec = nser.ModelSpec(
        target="log_cons", terms=[nser.terms.levels(name) for name in names],
        weights="w_calibrated", unit="person", size="hhsize",
    )  # fmt: skip
    card = nser.fit(survey, spec).to_scorecard(
        frame=survey, welfare="cons_pc", rate=0.2, lines={"low": 3000.0}, bands=10
    )
    assert card.model.range == (0.0, 100.0)
    assert card.comparison is not None and card.likelihoods is not None
    areas = card.comparison.metrics["auc"].to_list()
    assert abs(areas[0] - areas[1]) < 0.002
    assert "moves a level by at most 0.01" in repr(card)
    shares = card.likelihoods.frame["likelihood"].drop_nulls().to_list()
    assert shares[0] > 0.5 > 0.1 > shares[-1]
