"""Scenarios: changes by name, rules of who is in, errors, and what cannot be held."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt.errors import DomainError
from nser_pmt.scoring.model import (
    Bin,
    BinsTerm,
    Cell,
    Cutoff,
    Input,
    Level,
    LevelsTerm,
    LinearTerm,
    Round,
    Strata,
    Stratum,
    TableTerm,
)
from strategies import make_model

TOILET = LevelsTerm(
    id="toilet",
    input="toilet",
    levels=(
        Level(values=("flush",), points=10.0, label="Flush"),
        Level(values=("pit", "dry"), points=4.0),
        Level(values=("none",), points=0.0),
    ),
    missing="null",
    unknown="null",
)
SIZE = BinsTerm(
    id="size",
    input="size",
    bins=(
        Bin(le=4, points=20.0),
        Bin(gt=4, le=8, points=10.5, label="middling"),
        Bin(gt=8, points=0.0),
    ),
    missing="null",
    out_of_range="null",
)
INPUTS = (Input("toilet", type="category"), Input("size", type="integer", min=1, max=99))
MODEL = make_model(
    inputs=INPUTS,
    intercept=5.0,
    terms=(TOILET, SIZE),
    cutoffs=(
        Cutoff("low", value=15.5, side="inclusive"),
        Cutoff("under", value=15.5, side="exclusive"),
        Cutoff("vague", value=15.5, side="unknown"),
    ),
)
# Scores: 35, 19.5, 15, 15.5, null, null, 5, 15.5
FRAME = pl.DataFrame(
    {
        "hh": ["a", "b", "c", "d", "e", "f", "g", "h"],
        "toilet": ["flush", "dry", "flush", "none", None, "pit", "none", "none"],
        "size": [3, 6, 12, 5, 5, 100, 9, 5],
        "district": ["Badin", "Attock", "Badin", "Attock", "Badin", None, "Attock", "Badin"],
    }
)


def scenario(**options: Any) -> nser.Scenario:
    return nser.Scenario(FRAME, MODEL, **{"by": ["district"]} | options)


def test_scores_and_statuses() -> None:
    found = scenario().scores()
    assert found["pmt_score"].to_list() == [35.0, 19.5, 15.0, 15.5, None, None, 5.0, 15.5]
    assert found["pmt_status"][4] == "missing"
    assert found["pmt_status"][5] == "out_of_domain"
    assert found.equals(nser.score(FRAME, MODEL).select(found.columns))


def test_coverage_by_group() -> None:
    found = scenario(cutoff=15.5, transfer=1000).coverage("district")
    assert found.rows() == [
        (None, 1, 1, 0, 0.0, 0),
        ("Attock", 3, 0, 2, 2 / 3, 2000),
        ("Badin", 4, 1, 2, 0.5, 2000),
    ]
    assert found.columns == ["district", "households", "needs_data", "covered", "coverage", "cost"]
    total = scenario(cutoff=15.5).coverage()
    assert total.rows() == [(8, 2, 4, 0.5)]


@pytest.mark.parametrize(
    ("cutoff", "covered"), [(15.5, 4), ("low", 4), ("under", 2), (15.4, 2), (0, 0), (99, 6)]
)
def test_cutoff_by_number_and_by_name(cutoff: Any, covered: int) -> None:
    assert scenario(cutoff=cutoff).coverage().item(0, "covered") == covered


def test_a_vague_cutoff_is_refused() -> None:
    with pytest.raises(nser.ModelError, match="does not say") as caught:
        scenario(cutoff="vague")
    assert caught.value.code == "cutoff_side_unknown"


@pytest.mark.parametrize(
    ("options", "line", "covered"),
    [
        ({"quota": 0}, (5.0, "below"), 0),
        ({"quota": 1}, (5.0, "at_most"), 1),
        ({"quota": 3}, (15.0, "at_most"), 2),
        ({"quota": 3, "ties": "in"}, (15.5, "at_most"), 4),
        ({"quota": 4}, (15.5, "at_most"), 4),
        ({"quota": 2, "ties": "in"}, (15.0, "at_most"), 2),
        ({"quota": 0, "ties": "in"}, (5.0, "below"), 0),
        ({"quota": 80}, (35.0, "at_most"), 6),
        ({"budget": 3999, "transfer": 1000}, (15.0, "at_most"), 2),
        ({"budget": 4000, "transfer": 1000}, (15.5, "at_most"), 4),
    ],
)
def test_quota_and_budget(options: Any, line: Any, covered: int) -> None:
    made = scenario(**options)
    assert made.cutoff == line
    assert made.coverage().item(0, "covered") == covered


def test_nobody_has_a_score() -> None:
    frame = FRAME.with_columns(toilet=pl.lit(None, pl.String))
    made = nser.Scenario(frame, MODEL, quota=3)
    assert made.coverage().row(0) == (8, 8, 0, 0.0)
    assert nser.Scenario(FRAME.clear(), MODEL, quota=3).coverage().row(0) == (0, 0, 0, None)


# ---------------------------------------------------------------- changes


@pytest.mark.parametrize("level", ["pit", "dry"])
def test_points_of_a_level_by_any_of_its_values(level: str) -> None:
    changed = scenario().set(term="toilet", level=level, points=1)
    assert changed.scores()["pmt_score"][1] == 16.5
    assert changed.model.terms[0].levels[1].points == 1.0  # type: ignore[union-attr]


def test_points_by_label_interval_and_dict() -> None:
    now = scenario()
    assert now.set(term="toilet", level="Flush", points=0).scores()["pmt_score"][0] == 25
    assert now.set(term="size", level="middling", points=0).scores()["pmt_score"][1] == 9
    assert now.set(term="size", level="(-inf, 4]", points=0).scores()["pmt_score"][0] == 15
    both = now.set(term="toilet", points={"flush": 0, "none": 0.25}).scores()["pmt_score"]
    assert both.to_list() == [25.0, 19.5, 5.0, 15.75, None, None, 5.25, 15.75]
    assert now.scores()["pmt_score"][0] == 35  # as it was


def test_the_changed_model_scores_saves_and_lints(tmp_path: Any) -> None:
    changed = scenario().set(term="toilet", level="flush", points=11.25)
    changed.model.save(tmp_path / "model.json")
    again = nser.load_model(tmp_path / "model.json")
    assert again == changed.model
    assert again.lint() == MODEL.lint()
    scored = nser.score(FRAME, again).select("pmt_score", "pmt_status")
    assert scored.equals(changed.scores())


def test_who_enters_and_leaves() -> None:
    now = scenario(cutoff=15.5, transfer=10)
    then = now.set(term="size", points={"middling": 10, "(8, inf)": 6}).set(cutoff="low")
    # Scores: 35, 19, 21, 15, null, null, 11, 15
    change = now.compare(then)
    assert change.total.select("enters", "leaves", "net", "cost_change").row(0) == (0, 1, -1, -10)
    assert change.by["district"].select("district", "leaves").rows() == [
        (None, 0),
        ("Attock", 0),
        ("Badin", 1),
    ]
    assert list(change.by) == ["district", "score_decile"]
    assert list(now.compare(then, by="district").by) == ["district"]
    moved = now.movers(then, id=FRAME["hh"])
    assert moved.rows() == [("c", "leaves", 15.0, 21.0, "Badin")]
    assert "leave" in repr(change) and change._repr_html_().startswith("<pre>")
    back = then.compare(now).total
    assert back.select("enters", "leaves").row(0) == (1, 0)


def test_a_household_without_a_score_may_enter() -> None:
    def model(missing: Any) -> nser.Model:
        toilet = LevelsTerm(
            id="toilet", input="toilet", levels=TOILET.levels, missing=missing, unknown="null"
        )
        return make_model(inputs=INPUTS, terms=(toilet, SIZE))

    now = nser.Scenario(FRAME, model("null"), cutoff=10.5)
    then = now.set(model=model(0.0))
    moved = now.movers(then)
    assert moved.rows() == [(4, "enters", None, 10.5)]
    total = now.compare(then).total
    assert total.select("needs_data_before", "needs_data_after", "enters").row(0) == (2, 1, 1)


def test_weights_count_everything() -> None:
    frame = FRAME.with_columns(people=pl.Series([1.5, 2, 3, 4, 5, 6, 7, 8]))
    made = nser.Scenario(frame, MODEL, weights="people", cutoff=15.5, transfer=2)
    assert made.coverage().row(0) == (36.5, 11.0, 22.0, 22 / 36.5, 44.0)
    assert made.set(quota=9).coverage().item(0, "covered") == 7.0
    assert made.curve().at(15.5).row(0) == (15.5, 36.5, 11.0, 22.0, 22 / 36.5)


@pytest.mark.parametrize("bad", [-1.0, None, float("nan"), float("inf")])
def test_bad_weights(bad: Any) -> None:
    frame = FRAME.with_columns(people=pl.Series([1.0, 2, 3, bad, 5, 6, 7, 8]))
    with pytest.raises(nser.DomainError) as caught:
        nser.Scenario(frame, MODEL, weights="people")
    assert (caught.value.code, caught.value.column, caught.value.row) == (
        "invalid_weight",
        "people",
        3,
    )


def test_strata_have_their_own_questions_points_and_steps() -> None:
    urban = Stratum(values=("urban",), intercept=1.0, terms=(TOILET, SIZE))
    rural = Stratum(values=("rural",), terms=(SIZE,), steps=(Round(digits=0, mode="floor"),))
    strata = Strata(input="region", missing="null", unknown="null", models=(urban, rural))
    model = make_model(inputs=(*INPUTS, Input("region", type="category")), strata=strata)
    regions = ["urban", "rural", "urban", "rural", "urban", "rural", None, "elsewhere"]
    frame = FRAME.with_columns(region=pl.Series(regions))
    now = nser.Scenario(frame, model, cutoff=11)
    assert now.scores()["pmt_score"].to_list() == [31.0, 10.0, 11.0, 10.0, *[None] * 4]
    both = now.set(term="size", level="middling", points=3.5)
    assert both.scores().equals(nser.score(frame, both.model).select("pmt_score", "pmt_status"))
    one = now.set(term="size", level="(8, inf)", points=3.5, stratum="urban")
    assert one.scores()["pmt_score"][2] == 14.5
    assert now.compare(one).total.item(0, "leaves") == 1
    with pytest.raises(nser.ModelError, match="no term 'toilet'"):
        now.set(term="toilet", level="flush", points=1, stratum="rural")


def test_a_table_and_a_number() -> None:
    table = TableTerm(
        id="both",
        inputs=("toilet", "region"),
        cells=(
            Cell(first=("flush",), second=("urban", "rural"), points=3.0),
            Cell(first=("none",), second=("urban",), points=1.0),
        ),
        missing="null",
        unknown=0.0,
    )
    line = LinearTerm(
        id="size", input="size", coefficient=-0.1, transform="log", missing="null", out_of_range=9.0
    )
    inputs = (*INPUTS, Input("region", type="category"))
    model = make_model(inputs=inputs, terms=(table, line))
    frame = FRAME.with_columns(region=pl.Series(["urban", "rural"] * 4))
    now = nser.Scenario(frame, model)
    then = now.set(term="both", level=("flush", "rural"), points=5).set(
        term="size", coefficient=0.75
    )
    for made in (now, then):
        expected = nser.score(frame, made.model).select("pmt_score", "pmt_status")
        assert made.scores().equals(expected)


# ---------------------------------------------------------------- the truth of a survey


def test_errors_on_a_survey() -> None:
    survey = FRAME.with_columns(
        welfare=pl.Series([50.0, 5, 9, 10, 3, 40, 2, 30]), w=pl.Series([1, 1, 2, 1, 1, 1, 1, 4])
    )
    made = scenario(cutoff=15.5, survey=survey, welfare="welfare", line=10, survey_weights="w")
    # Poor: b c d e g (6 of 12); in: c d g h (8)
    row = made.errors().row(0, named=True)
    assert row == {
        "cutoff": 15.5,
        "poverty_rate": 0.5,
        "coverage": 8 / 12,
        "exclusion_error": 2 / 6,
        "inclusion_error": 4 / 8,
    }
    change = made.compare(made.set(cutoff=5))
    assert change.errors is not None
    assert change.errors["exclusion_error"].to_list() == [2 / 6, 5 / 6]
    plain = scenario(cutoff=15.5, survey=survey, welfare="welfare", line=10).errors()
    assert plain.select("poverty_rate", "inclusion_error").row(0) == (5 / 8, 1 / 4)
    assert "exclusion error" in repr(change)


@pytest.mark.parametrize("named", [5, 15.5, 99])
def test_errors_are_those_of_targeting(named: float) -> None:
    welfare = pl.Series([50.0, 5, 9, 10, 3, 40, 2, 30])
    survey = FRAME.with_columns(welfare=welfare, w=pl.Series([0.3, 1, 2.5, 1, 0, 1.7, 1, 4]))
    made = scenario(cutoff=named, survey=survey, welfare="welfare", line=10, survey_weights="w")
    scored = nser.score(survey, made.model)
    found = nser.targeting(
        scored, welfare="welfare", line=10, cutoff=named, weights="w", needs_data="not_targeted",
        model=made.model,
    ).metrics.row(0, named=True)  # fmt: skip
    row = made.errors().row(0, named=True)
    pairs = {"poverty_rate": "headcount", "exclusion_error": "eer", "inclusion_error": "ier"}
    for own, name in {**pairs, "coverage": "coverage"}.items():
        assert row[own] == pytest.approx(found[name], rel=1e-12)


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"cutoff": 1, "quota": 2}, "give one of them"),
        ({"quota": -1}, "quota must be"),
        ({"quota": float("inf")}, "quota must be"),
        ({"cutoff": float("nan")}, "cutoff must be"),
        ({"budget": 5}, "transfer"),
        ({"ties": "lot"}, "ties must be one of out, in"),
        ({"by": ["district", "district"]}, "different columns"),
        ({"line": 3}, "belong to a survey"),
        ({"survey": FRAME}, "needs welfare"),
    ],
)
def test_options_that_are_refused(options: Any, text: str) -> None:
    with pytest.raises(nser.DomainError, match=text) as caught:
        scenario(**options)
    assert caught.value.code == "invalid_option"


@pytest.mark.parametrize(
    ("options", "error", "text"),
    [
        ({"term": "toilet"}, nser.DomainError, "level and points"),
        ({"term": "toilet", "level": "flush"}, nser.DomainError, "points"),
        ({"term": "toilet", "points": 3}, nser.DomainError, "level and points"),
        ({"points": 3}, nser.DomainError, "belong to a term"),
        ({"term": "toilet", "level": "flush", "points": float("nan")}, nser.DomainError, "finite"),
        ({"term": "toilet", "coefficient": 3}, nser.DomainError, "has levels"),
        ({"term": "walls", "level": "mud", "points": 1}, nser.ModelError, "It has: toilet, size"),
        (
            {"term": "toilet", "level": "tap", "points": 1},
            nser.ModelError,
            "It has: 'flush', 'pit'",
        ),
        ({"term": "size", "level": "middling", "points": 1, "stratum": 2}, nser.DomainError, "no"),
        ({"model": make_model(inputs=INPUTS, terms=(SIZE,))}, nser.ModelError, "another way"),
    ],
)
def test_changes_that_are_refused(options: Any, error: Any, text: str) -> None:
    with pytest.raises(error, match=text):
        scenario().set(**options)


def test_comparisons_that_are_refused() -> None:
    now = scenario(cutoff=15)
    with pytest.raises(nser.DomainError, match="different registries"):
        now.compare(scenario(cutoff=15))
    with pytest.raises(nser.DomainError, match="does not say who is in"):
        scenario().coverage()
    with pytest.raises(nser.DomainError, match="it has: district"):
        now.curve("tehsil")
    with pytest.raises(nser.SchemaError, match="2 rows"):
        now.movers(now, id=pl.Series([1, 2]))
    with pytest.raises(nser.DomainError, match="need a survey"):
        now.errors()


def test_columns_that_are_refused() -> None:
    with pytest.raises(nser.SchemaError, match="'tehsil' is missing"):
        scenario(by=["tehsil"])
    with pytest.raises(nser.SchemaError, match="expected groups"):
        nser.Scenario(FRAME.with_columns(x=pl.lit(0.5)), MODEL, by="x")
    with pytest.raises(nser.SchemaError, match="'size' is missing"):
        nser.Scenario(FRAME.drop("size").lazy(), MODEL)
    with pytest.raises(nser.SchemaError, match="batches of DataFrames"):
        nser.Scenario([1, 2], MODEL)  # type: ignore[list-item]


def test_a_number_with_too_many_values_is_refused_with_the_way_out() -> None:
    line = LinearTerm(id="x", input="x", coefficient=0.5, missing="null", out_of_range="null")
    model = make_model(inputs=(Input("x", type="number"),), terms=(line,))
    fits = pl.DataFrame({"x": [float(n % 254) for n in range(3000)]})
    assert nser.Scenario(fits, model).scores()["pmt_score"].to_list() == (fits["x"] * 0.5).to_list()
    beyond = pl.DataFrame({"x": [float(n % 255) for n in range(3000)]})
    with pytest.raises(nser.ModelError, match="Use bins") as caught:
        nser.Scenario(beyond, model)
    assert caught.value.code == "not_as_codes"


def test_too_many_levels_are_refused() -> None:
    levels = tuple(Level(values=(n,), points=float(n)) for n in range(255))
    term = LevelsTerm(id="t", input="x", levels=levels, missing="null", unknown="null")
    model = make_model(inputs=(Input("x", type="integer"),), terms=(term,))
    with pytest.raises(nser.ModelError, match="255 levels"):
        nser.Scenario(pl.DataFrame({"x": [1]}), model)


def test_an_answer_that_is_an_error_is_named_by_its_row_in_the_registry() -> None:
    term = LevelsTerm(
        id="toilet", input="toilet", levels=TOILET.levels, missing="error", unknown="null"
    )
    model = make_model(inputs=INPUTS, terms=(term, SIZE))
    with pytest.raises(nser.DomainError) as caught:
        nser.Scenario([FRAME[:3], FRAME[3:]], model)
    assert (caught.value.code, caught.value.column, caught.value.row) == (
        "missing_value",
        "toilet",
        4,
    )
    assert "row 4" in str(caught.value)


def test_a_template_is_refused() -> None:
    with pytest.raises(nser.ModelError, match="template"):
        nser.Scenario(FRAME, "bisp-psc-2009")


# ---------------------------------------------------------------- running


def test_threads_give_the_same_numbers_and_progress_is_shown() -> None:
    rows = 600_000
    rng = np.random.default_rng(1)
    frame = pl.DataFrame(
        {
            "toilet": pl.Series(["flush", "pit", "none", None]).gather(
                pl.Series(rng.integers(0, 4, rows), dtype=pl.UInt32)
            ),
            "size": rng.integers(1, 20, rows),
            "district": rng.integers(0, 150, rows),
            "weight": rng.random(rows),
        }
    )
    seen: list[int] = []
    made = []
    for threads in (1, 3):
        control = nser.RunControl(threads=threads, progress=seen.append)
        now = nser.Scenario(
            frame, MODEL, by="district", weights="weight", cutoff=15.5, control=control
        )
        assert control.done >= rows
        run = [nser.RunControl(threads=threads) for _ in range(3)]
        then = now.set(term="size", level="middling", points=1 / 3, control=run[0])
        change = now.compare(then, control=run[1])
        made.append((change, now.movers(then, control=run[2]), then.scores()))
    assert seen[-1] == rows
    one, many = made
    assert one[0].total.equals(many[0].total)
    assert all(one[0].by[name].equals(many[0].by[name]) for name in one[0].by)
    assert one[1].equals(many[1])
    assert one[2].equals(many[2])


def test_a_run_can_be_stopped() -> None:
    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scenario(control=nser.RunControl(progress=stop))


def test_scenarios_may_be_used_from_several_threads() -> None:
    now = scenario(cutoff=15.5)
    found: list[int] = []

    def work(points: int) -> None:
        then = now.set(term="toilet", level="none", points=points)
        found.append(then.coverage().item(0, "covered"))

    threads = [threading.Thread(target=work, args=(n,)) for n in (0, 100) * 5]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [1] * 5 + [4] * 5


def test_how_it_shows_and_what_it_holds() -> None:
    now = scenario(cutoff=15.5, transfer=1000)
    assert repr(now).splitlines() == [
        "Scenario: 8 households, model 'test'",
        "  in if the score is at most 15.5",
        "  covered                   4 (50.0%)",
        "  need data                 2",
        "  cost                  4,000",
        "  by district",
    ]
    assert now._repr_html_().startswith("<pre>")
    assert now.memory == {"shared": 8 * (2 + 2), "own": 32}
    assert repr(now.curve("district")) == "CoverageCurve(6 distinct scores by district)"


def test_groups_keep_their_type() -> None:
    kinds = pl.Enum(["rural", "urban"])
    frame = FRAME.with_columns(
        region=pl.Series(["urban", "rural"] * 4, dtype=kinds),
        code=pl.Series([3, 1] * 4, dtype=pl.UInt8),
        flag=pl.Series([True, None] * 4),
    )
    made = nser.Scenario(frame, MODEL, by=["region", "code", "flag"], cutoff=15)
    assert made.coverage("region").schema["region"] == kinds
    assert made.coverage("region")["region"].to_list() == ["rural", "urban"]
    assert made.coverage("code")["code"].to_list() == [1, 3]
    assert made.coverage("flag")["flag"].to_list() == [None, True]
    assert made.movers(made.set(cutoff=99)).schema["region"] == kinds


def test_weights_that_add_up_to_zero_are_refused() -> None:
    homes = nser.synth.households(100, seed=1).with_columns(none=pl.lit(0.0))
    with pytest.raises(DomainError, match="'none': the weights add up to zero"):
        nser.Scenario(homes, "schreiner-pk-2009", weights="none", cutoff=30)
    with pytest.raises(DomainError, match="weights of the survey add up to zero"):
        nser.Scenario(
            homes,
            "schreiner-pk-2009",
            cutoff=30,
            survey=homes,
            welfare="consumption_pc",
            line=2000,
            survey_weights="none",
        )


def test_a_level_that_is_not_there_is_named_with_those_that_are() -> None:
    now = nser.Scenario(nser.synth.households(50, seed=1), "schreiner-pk-2009", cutoff=30)
    with pytest.raises(nser.ModelError, match=r"'tv' has no level 'yess'\. It has: False, True"):
        now.set(term="tv", level="yess", points=0)
    with pytest.raises(nser.ModelError, match=r"has no level 3\. It has: '5\+', '4', '3'"):
        now.set(term="n_le13", level=3, points=1)
