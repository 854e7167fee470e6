"""Scores have the bits of a scorer written in Polars expressions, on every road into the core."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nser_pmt as nser
from nser_pmt import _engine, _native
from nser_pmt.scoring import scoring
from nser_pmt.scoring.model import (
    Input,
    Level,
    LevelsTerm,
    LinearTerm,
    ProductTerm,
    Round,
    Strata,
    Stratum,
)
from oracle import polars_twin as twin
from strategies import chunked, make_model, models_and_frames

FEW = (0, 1, 2, 7, 40)
CASES = models_and_frames()
SMALL = models_and_frames(rows=FEW)


def bits(result: pl.DataFrame) -> list[tuple[int | None, str]]:
    """Score bits and status of every row."""
    score = result.get_column("pmt_score")
    assert score.dtype == pl.Float64
    numbers = score.fill_null(0.0).to_numpy().view(np.uint64).tolist()
    known = [None if null else n for n, null in zip(numbers, score.is_null(), strict=True)]
    return list(zip(known, result.get_column("pmt_status").cast(pl.String), strict=True))


def native(model: nser.Model, frame: pl.DataFrame, **options: Any) -> pl.DataFrame:
    """Score on a given instruction set or number of threads."""
    series = scoring._series(frame, model.columns)
    names = {"score": "pmt_score", "status": "pmt_status"}
    stream = model._scorer.score(series, frame.height, **names, **options)
    return _engine.scored(stream, "pmt_status")


# ---------------------------------------------------------------- the same bits


@given(CASES)
def test_frame(case: tuple[nser.Model, pl.DataFrame]) -> None:
    model, frame = case
    scored = nser.score(frame, model)
    assert scored.columns == [*frame.columns, "pmt_score", "pmt_status"]
    assert scored.select(frame.columns).equals(frame)
    assert bits(scored) == bits(twin.score(frame, model))


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@given(case=CASES)
def test_lazy_frame(engine: Any, case: tuple[nser.Model, pl.DataFrame]) -> None:
    model, frame = case
    scored = nser.score(frame.lazy(), model).collect(engine=engine)
    assert bits(scored) == bits(twin.score(frame, model))


@given(CASES)
def test_expressions(case: tuple[nser.Model, pl.DataFrame]) -> None:
    model, frame = case
    scored = frame.select(model.score_expr(), model.status_expr())
    assert bits(scored) == bits(twin.score(frame, model))


@pytest.mark.parametrize("isa", _native.isa_names())
@given(case=CASES)
def test_instruction_sets(isa: str, case: tuple[nser.Model, pl.DataFrame]) -> None:
    model, frame = case
    assert bits(native(model, frame, isa=isa)) == bits(twin.score(frame, model))


@given(CASES)
def test_one_household_at_a_time(case: tuple[nser.Model, pl.DataFrame]) -> None:
    """A Python float has 64 bits: the twin reads 32-bit columns as 64-bit ones."""
    model, frame = case
    frame = frame.head(60).cast({pl.Float32: pl.Float64})
    rows = [model.score_one(row) for row in frame.iter_rows(named=True)]
    scored = pl.DataFrame(
        rows, schema={"pmt_score": pl.Float64, "pmt_status": twin.STATUS}, orient="row"
    )
    assert bits(scored) == bits(twin.score(frame, model))


@pytest.mark.parametrize("threads", [1, 2])
def test_long_frames_on_any_number_of_threads(threads: int) -> None:
    """Long enough for the pool; chunks of the columns end in different rows."""
    rows = 230_001
    model = nser.load_model("schreiner-pk-2009")
    frame = nser.synth.households(rows, seed=5).with_columns(
        pl.when(pl.int_range(rows) % 1013 == 0).then(None).otherwise("toilet").alias("toilet"),
        pl.col("n_le13").cast(pl.Float32),
    )
    cuts = {"toilet": [70_000, 70_001], "n_le13": [1, 131_072], "tv": [65_536, 199_999]}
    frame = frame.with_columns(chunked(frame[c], at) for c, at in cuts.items())
    scored = nser.score(frame, model, control=nser.RunControl(threads=threads))
    expected = bits(twin.score(frame, model))
    assert bits(scored) == expected
    assert {status for _, status in expected} == {"ok", "missing"}
    assert bits(native(model, frame, threads=threads)) == expected


# ---------------------------------------------------------------- laws


@given(CASES, st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(case: tuple[nser.Model, pl.DataFrame], random: Any) -> None:
    model, frame = case
    order = list(range(frame.height))
    random.shuffle(order)
    once = nser.score(frame, model)[order] if order else nser.score(frame, model)
    moved = nser.score(frame[order] if order else frame, model)
    assert bits(moved) == bits(once)


@given(CASES, st.integers(0, 3000))
def test_parts_score_as_the_whole(case: tuple[nser.Model, pl.DataFrame], cut: int) -> None:
    model, frame = case
    parts = [nser.score(frame[:cut], model), nser.score(frame[cut:], model)]
    whole = bits(nser.score(frame, model))
    assert bits(parts[0]) + bits(parts[1]) == whole
    assert bits(nser.score(frame.rechunk(), model)) == whole
    joined = pl.concat([frame[:cut], frame[cut:]], rechunk=False)
    assert bits(nser.score(joined, model)) == whole


@given(CASES)
def test_a_score_is_null_exactly_when_the_status_is_not_ok(
    case: tuple[nser.Model, pl.DataFrame],
) -> None:
    scored = nser.score(case[1], case[0])
    assert (scored["pmt_score"].is_null() == (scored["pmt_status"] != "ok")).all()
    assert scored["pmt_score"].drop_nulls().is_finite().all()


@given(SMALL)
def test_explained_points_add_up_to_the_raw_score(case: tuple[nser.Model, pl.DataFrame]) -> None:
    model, frame = case
    model = _without_steps(model)
    scores = nser.score(frame, model)["pmt_score"].to_list()
    statuses = nser.score(frame, model)["pmt_status"].to_list()
    explained = nser.explain(frame.with_row_index("id"), model, id="id")
    for row, (score, status) in enumerate(zip(scores, statuses, strict=True)):
        parts = explained.filter(pl.col("id") == row)["points"].to_list()
        if status == "ok":
            total = parts[0]
            for part in parts[1:]:
                total += part
            assert total == score
        else:
            assert None in parts or not parts or not np.isfinite(np.sum(parts, dtype=float))


@given(SMALL)
def test_one_household_explains_as_in_a_frame(case: tuple[nser.Model, pl.DataFrame]) -> None:
    model, frame = case
    frame = frame.cast({pl.Float32: pl.Float64})
    explained = nser.explain(frame.with_row_index("id"), model, id="id")
    for row, answers in enumerate(frame.iter_rows(named=True)):
        here = explained.filter(pl.col("id") == row)
        alone = [(term, points) for term, _, points in model.explain_one(answers)]
        assert repr(alone) == repr(here.select("term", "points").rows())


def _without_steps(model: nser.Model) -> nser.Model:
    strata = model.strata
    if strata is not None:
        bare = tuple(dataclasses.replace(sub, steps=()) for sub in strata.models)
        strata = dataclasses.replace(strata, models=bare)
    return dataclasses.replace(model, steps=(), strata=strata)


# ---------------------------------------------------------------- faults


@given(CASES)
def test_an_error_names_the_first_bad_row(case: tuple[nser.Model, pl.DataFrame]) -> None:
    model, frame = case
    faults = twin.faults(frame, model)
    if not faults:
        expected = bits(twin.score(frame, model))
        assert bits(nser.score(frame, model, on_invalid="error")) == expected
        return
    with pytest.raises(nser.DomainError) as caught:
        nser.score(frame, model, on_invalid="error")
    _assert_names(caught.value, faults[0])


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@given(case=CASES)
def test_a_lazy_error_names_a_bad_row(engine: Any, case: tuple[nser.Model, pl.DataFrame]) -> None:
    """Any of them: Polars' threads do not wait for each other."""
    model, frame = case
    faults = {fault.row: fault for fault in twin.faults(frame, model)}
    lazy = nser.score(frame.lazy(), model, on_invalid="error")
    if not faults:
        assert bits(lazy.collect(engine=engine)) == bits(twin.score(frame, model))
        return
    with pytest.raises(pl.exceptions.ComputeError) as caught:
        lazy.collect(engine=engine)
    error = _engine.typed(caught.value)
    assert isinstance(error, nser.DomainError)
    _assert_names(error, faults[error.row])


def _assert_names(error: nser.NserError, fault: twin.Fault) -> None:
    assert (error.row, error.code) == (fault.row, fault.code)
    assert error.column in fault.inputs


@given(SMALL)
def test_null_on_invalid_leaves_these_models_as_they_are(
    case: tuple[nser.Model, pl.DataFrame],
) -> None:
    model, frame = case
    assert bits(nser.score(frame, model, on_invalid="null")) == bits(nser.score(frame, model))


# ---------------------------------------------------------------- corners that chance seldom finds


def _codes(*codes: int) -> nser.Model:
    """Code n of the list gives n points."""
    levels = tuple(Level(values=(code,), points=float(n)) for n, code in enumerate(codes))
    term = LevelsTerm(id="t", input="x", levels=levels, missing="null", unknown="null")
    return make_model(inputs=(Input("x", type="integer"),), terms=(term,))


def _product() -> nser.Model:
    inputs = (Input("a", type="number"), Input("b", type="number"))
    term = ProductTerm(
        id="t", inputs=("a", "b"), coefficient=1.0, missing="null", out_of_range="null"
    )
    return make_model(inputs=inputs, terms=(term,))


@pytest.mark.parametrize(
    ("codes", "number"),
    [
        ((-5, 0), 1e-20),
        ((-1, 0), -1e-17),
        ((-3, 2), 2.0000000000000004),
        ((-60_000, 1), 1.0000000000000002),
    ],
)
def test_a_number_beside_a_code_is_not_the_code(codes: tuple[int, int], number: float) -> None:
    model, frame = _codes(*codes), pl.DataFrame({"x": [number]})
    assert model.score_one({"x": number}) == (None, "out_of_domain")
    assert bits(nser.score(frame, model)) == bits(twin.score(frame, model))


@pytest.mark.parametrize("code", [2**53 - 1, 1 - 2**53, 9 * 10**15])
def test_the_largest_codes_are_known_in_every_type(code: int) -> None:
    model = _codes(7, code)
    for number in (code, float(code)):
        assert model.score_one({"x": number}) == (1.0, "ok")
    for dtype in (pl.Int64, pl.Int128, pl.Float64):
        frame = pl.DataFrame({"x": [code, None]}, schema={"x": dtype})
        assert nser.score(frame, model)["pmt_score"].to_list() == [1.0, None]


@pytest.mark.parametrize("mode", ["half_even", "half_away_from_zero", "ceil", "truncate"])
def test_a_negative_zero_is_the_same_on_every_road(mode: Any) -> None:
    """A stratum's own steps and the model's are one chain of steps."""
    round_ = Round(digits=0, mode=mode)
    sub = Stratum(values=(1,), intercept=-0.25, terms=(), steps=(round_,))
    strata = Strata(input="x", missing="null", unknown="null", models=(sub,))
    model = dataclasses.replace(_codes(1), terms=(), strata=strata)
    frame = pl.DataFrame({"x": [1] * 9})
    assert str(model.score_one({"x": 1})) == "(-0.0, 'ok')"
    assert bits(nser.score(frame, model)) == bits(twin.score(frame, model))


def test_a_status_out_of_domain_wins_over_missing() -> None:
    model, nan = _product(), float("nan")
    other = LinearTerm(
        id="u", input="c", coefficient=1.0, missing="null", out_of_range="null", transform="log"
    )
    inputs = (*model.inputs, Input("c", type="number"))
    for terms in ((*model.terms, other), (other, *model.terms)):
        both = dataclasses.replace(model, inputs=inputs, terms=terms)
        frame = pl.DataFrame({"a": [nan, 1.0, nan], "b": [1.0, 1.0, 1.0], "c": [-1.0, -1.0, 1.0]})
        got = nser.score(frame, both)["pmt_status"].to_list()
        assert got == ["out_of_domain", "out_of_domain", "missing"]


@pytest.mark.parametrize(
    ("a", "b", "column", "code"),
    [
        (None, 1.0, "a", "missing_value"),
        (1.0, None, "b", "missing_value"),
        (float("inf"), 1.0, "a", "out_of_domain"),
        (1.0, float("inf"), "b", "out_of_domain"),
        (float("inf"), None, "b", "missing_value"),
    ],
)
def test_an_error_of_a_product_names_the_column_at_fault(
    a: float | None, b: float | None, column: str, code: str
) -> None:
    frame = pl.DataFrame({"a": [2.0, a], "b": [2.0, b]})
    with pytest.raises(nser.DomainError) as caught:
        nser.score(frame, _product(), on_invalid="error")
    error = caught.value
    assert (error.row, error.column, error.code) == (1, column, code)


def test_an_error_of_a_ratio_names_a_column_of_the_frame() -> None:
    """The name of a ratio says nothing to somebody who looks at the frame."""
    inputs = (Input("a", type="number"), Input("b", type="number"))
    ratio = Input("r", type="number", ratio=("a", "b"))
    term = LinearTerm(id="t", input="r", coefficient=1.0, missing="null", out_of_range="null")
    model = make_model(inputs=(*inputs, ratio), terms=(term,))
    with pytest.raises(nser.DomainError) as caught:
        nser.score(pl.DataFrame({"a": [1.0], "b": [0.0]}), model, on_invalid="error")
    assert "'b'" in str(caught.value)


def test_a_typed_lazy_error_has_the_text_of_the_eager_one() -> None:
    """Polars adds the expression to the text of a plugin's error: many lines that help nobody."""
    model, frame = _codes(1, 2), pl.DataFrame({"x": [3]})
    with pytest.raises(nser.DomainError) as eager:
        nser.score(frame, model, on_invalid="error")
    with pytest.raises(pl.exceptions.ComputeError) as lazy:
        nser.score(frame.lazy(), model, on_invalid="error").collect()
    error = _engine.typed(lazy.value)
    assert str(error) == str(eager.value)
    assert vars(error) == vars(eager.value)
