"""Cards with whole points."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt.errors import DomainError, ModelError
from nser_pmt.scoring.model import (
    Affine,
    Bin,
    BinsTerm,
    Cell,
    Input,
    Level,
    LevelsTerm,
    LinearTerm,
    MinMax,
    Model,
    TableTerm,
)


def points_of(model: Model) -> dict[str, list[float]]:
    made = {}
    for term in model.terms:
        if isinstance(term, LevelsTerm):
            made[term.id] = [level.points or 0.0 for level in term.levels]
        elif isinstance(term, BinsTerm):
            made[term.id] = [item.points or 0.0 for item in term.bins]
        elif isinstance(term, TableTerm):
            made[term.id] = [cell.points for cell in term.cells]
    return made


def small(**parts: object) -> Model:
    base = nser.load_model("schreiner-pk-2009")
    return replace(
        base,
        inputs=tuple(Input(n, type="number" if n == "b" else "category") for n in "abc"),
        intercept=3.0,
        terms=(
            LevelsTerm(
                id="a",
                input="a",
                levels=(Level(values=("x",), points=-1.0), Level(values=("y",), points=0.25)),
                missing=0.5,
                unknown="null",
            ),
            BinsTerm(
                id="b",
                input="b",
                bins=(Bin(lt=1.0, points=2.0), Bin(ge=1.0, points=0.0)),
                missing="null",
                out_of_range="null",
            ),
            TableTerm(
                id="t",
                inputs=("a", "c"),
                cells=(
                    Cell(first=("x", "y"), second=("u",), points=0.0),
                    Cell(first=("x", "y"), second=("v",), points=0.5),
                ),
                missing="null",
                unknown="null",
            ),
        ),
        range=None,
        likelihoods=(),
        **parts,
    )  # fmt: skip


def test_points_are_whole_and_add_up() -> None:
    card = nser.to_scorecard(small(), points=10)
    # Spans 1.5, 2, 0.5 of 4: 3.75, 5, 1.25 points.
    assert points_of(card.model) == {"a": [0, 3], "b": [5, 0], "t": [0, 1]}
    first = card.model.terms[0]
    assert isinstance(first, LevelsTerm) and (first.missing, first.unknown) == (4, "null")
    assert card.per_point == 0.4
    assert card.rounding["points"].to_list() == [4, 5, 1]
    assert card.rounding["largest_error"][0] == pytest.approx(0.1)
    assert card.model.range == (0, 10) and card.model.status == "research"
    assert Model.from_json(card.model.to_json()) == card.model


@pytest.mark.parametrize("points", [1, 7, 50, 100, 1000])
def test_every_card_reaches_its_points(points: int) -> None:
    model = nser.load_model("hiics-2016-research")
    card = nser.to_scorecard(model, points=points)
    made = points_of(card.model)
    assert all(value >= 0 and value == int(value) for term in made.values() for value in term)
    assert all(min(term) == 0 for term in made.values())
    assert sum(max(term) for term in made.values()) == points
    for name, term in points_of(model).items():  # the order of levels stays
        pairs = sorted(zip(term, made[name], strict=True))
        assert all(a[1] <= b[1] for a, b in pairwise(pairs))


def test_steps_that_turn_the_score_around() -> None:
    for step in (Affine(multiply=-2.0, add=1.0), MinMax(low=0, high=1, to_low=100, to_high=0)):
        turned = nser.to_scorecard(small(steps=(step,)), points=10)
        assert points_of(turned.model) == {"a": [4, 1], "b": [0, 5], "t": [1, 0]}
    twice = (Affine(multiply=-2.0), Affine(multiply=-1.0))
    assert points_of(nser.to_scorecard(small(steps=twice), points=10).model)["b"] == [5, 0]


def test_what_has_no_card() -> None:
    with pytest.raises(DomainError):
        nser.to_scorecard("hiics-2016-research", points=0)
    with pytest.raises(ModelError) as error:
        nser.to_scorecard("bisp-psc-2009")
    assert error.value.code == "points_not_public"
    line = LinearTerm(id="n", input="b", coefficient=1.0, missing="null", out_of_range="null")
    with pytest.raises(ModelError, match="a linear term has no classes"):
        nser.to_scorecard(replace(small(), terms=(*small().terms, line)))
    flat = small().terms[2]
    assert isinstance(flat, TableTerm)
    cells = tuple(replace(cell, points=1.0) for cell in flat.cells)
    with pytest.raises(ModelError) as error:
        nser.to_scorecard(replace(small(), terms=(replace(flat, cells=cells),)))
    assert error.value.code == "no_points"


@pytest.mark.data
def test_what_the_rounding_costs(shared_data: Path) -> None:
    path = shared_data / "households" / "pak_hiics2015_16_household.parquet"
    survey = pl.read_parquet(path)
    costs = {}
    for points in (20, 100, 1000):
        card = nser.to_scorecard(
            "hiics-2016-research", points=points, frame=survey, welfare="cons_pc", rate=0.2,
            weights="w_calibrated", size="hhsize",
        )  # fmt: skip
        assert card.comparison is not None
        costs[points] = card.comparison.correlation.item(0, "spearman")
        eer = card.comparison.metrics["eer"].to_list()
        assert eer[0] == pytest.approx(0.435814, abs=5e-7)
        assert eer[1] == pytest.approx(eer[0], abs=0.03 if points == 20 else 0.01)
        assert "rank correlation" in repr(card) and "<table" in card._repr_html_()
    assert 0.98 < costs[20] < costs[100] < costs[1000] < 1
