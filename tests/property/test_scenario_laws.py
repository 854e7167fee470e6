"""Scenarios against scoring the frame itself, and against counts by Polars expressions."""

from __future__ import annotations

import dataclasses
import math
import random
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from hypothesis import assume, given
from hypothesis import strategies as st

import nser_pmt as nser
from nser_pmt import _native
from nser_pmt.scenario._codes import how
from nser_pmt.scoring._program import program
from nser_pmt.scoring.model import LinearTerm, ProductTerm, Term
from strategies import models_and_frames

CASES = models_and_frames()
SEEDS = st.integers(0, 2**32)
NEW_POINTS = (0.0, 1.0, -3.0, 0.1, 2.5, 12.25, -0.7, 1 / 3, 1e4)


def scenario(frame: pl.DataFrame, model: nser.Model, **options: Any) -> nser.Scenario:
    """Make a scenario, unless the model cannot be held as codes."""
    try:
        return nser.Scenario(frame, model, **options)
    except nser.ModelError as error:
        assume(error.code != "not_as_codes")
        raise


def with_places(frame: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Add a district, sometimes null, and whole weights that are not all zero."""
    rng = np.random.default_rng(seed)
    districts = pl.Series(["Attock", "Badin", "Chitral", None], dtype=pl.String)
    rows = frame.height
    weights = rng.integers(0, 9, rows)
    weights[:1] += 1
    return frame.with_columns(
        district=districts.gather(pl.Series(rng.integers(0, 4, rows), dtype=pl.UInt32)),
        weight=pl.Series(weights, dtype=pl.Int64),
    )


def other_points(model: nser.Model, seed: int) -> nser.Model:
    """Return the model with other points for some levels of some terms."""
    rng = random.Random(seed)

    def point(old: float | None) -> float:
        return rng.choice(NEW_POINTS) if rng.random() < 0.5 or old is None else old

    def edited(term: Term) -> Term:
        if rng.random() < 0.5:
            return term
        if isinstance(term, LinearTerm | ProductTerm):
            return dataclasses.replace(term, coefficient=point(term.coefficient))
        part = {"levels": "levels", "bins": "bins", "table": "cells"}[term.kind]
        parts = getattr(term, part)
        new = tuple(dataclasses.replace(p, points=point(p.points)) for p in parts)
        return dataclasses.replace(term, **{part: new})

    if model.strata is None:
        return dataclasses.replace(model, terms=tuple(edited(t) for t in model.terms))
    subs = tuple(
        dataclasses.replace(sub, terms=tuple(edited(t) for t in sub.terms))
        for sub in model.strata.models
    )
    return dataclasses.replace(model, strata=dataclasses.replace(model.strata, models=subs))


def bits(frame: pl.DataFrame) -> list[tuple[int | None, str]]:
    score = frame.get_column("pmt_score")
    numbers = score.fill_null(0.0).to_numpy().view(np.uint64).tolist()
    known = [None if null else n for n, null in zip(numbers, score.is_null(), strict=True)]
    return list(zip(known, frame.get_column("pmt_status").cast(pl.String), strict=True))


def lines_of(scores: pl.Series, seed: int) -> tuple[float, float]:
    """Two cut-offs: scores that occur, where there are any, and sums just beside them."""
    rng = random.Random(seed)
    pool = [*scores.drop_nulls().to_list(), 0.0]
    pick = rng.choice(pool)
    return pick, rng.choice([rng.choice(pool), math.nextafter(pick, math.inf), pick - 0.5])


# ---------------------------------------------------------------- scores


@given(CASES, SEEDS)
def test_scores_are_those_of_the_frame_before_and_after_changes(
    case: tuple[nser.Model, pl.DataFrame], seed: int
) -> None:
    model, frame = case
    now = scenario(frame, model)
    assert bits(now.scores()) == bits(nser.score(frame, model))
    for step in range(3):
        model = other_points(model, seed + step)
        now = now.set(model=model)
        assert now.model.digest == model.digest
        assert bits(now.scores()) == bits(nser.score(frame, model))


@given(CASES, SEEDS)
def test_every_instruction_set_gives_the_same_scores(
    case: tuple[nser.Model, pl.DataFrame], seed: int
) -> None:
    model, frame = case
    now = scenario(frame, model)
    held, others = now._held, other_points(model, seed)
    expected = nser.score(frame, others).get_column("pmt_score")
    for isa in _native.isa_names():
        programs = [program(m) for m in (model, others)]
        tables = [held.layout.points(p, held.numbers) for p in programs]
        made = held.codes.score(programs[0].encode(), tables[0], how=how(None), isa=isa)
        made = made.change(programs[1].encode(), tables[1], how=how(None), isa=isa)
        scores = pl.DataFrame(made.scores(how=how(None))).get_column("pmt_score")
        assert scores.equals(expected, null_equal=True)


@given(CASES, SEEDS)
def test_batches_and_row_order_change_nothing(
    case: tuple[nser.Model, pl.DataFrame], seed: int
) -> None:
    model, frame = case
    whole = scenario(frame, model).scores()
    sizes = random.Random(seed)
    cuts = sorted(sizes.randint(0, frame.height) for _ in range(3))
    ends = [0, *cuts, frame.height]
    pieces = [frame[a:b] for a, b in pairwise(ends)]
    assert bits(nser.Scenario(iter(pieces), model).scores()) == bits(whole)
    assert bits(nser.Scenario(frame.lazy(), model).scores()) == bits(whole)
    backwards = nser.Scenario(frame.reverse(), model).scores()
    assert bits(backwards.reverse()) == bits(whole)


# ---------------------------------------------------------------- counts


def twin(
    frame: pl.DataFrame,
    before: pl.Series,
    after: pl.Series,
    lines: tuple[pl.Expr, pl.Expr],
    weight: pl.Expr,
    by: str,
) -> dict[Any, tuple[float, ...]]:
    """Count movers by group with expressions."""
    b = lines[0].fill_null(False)
    a = lines[1].fill_null(False)
    both = frame.with_columns(before=before, after=after)
    made = both.group_by(by).agg(
        households=weight.sum(),
        covered_before=weight.filter(b).sum(),
        covered_after=weight.filter(a).sum(),
        enters=weight.filter(a & ~b).sum(),
        leaves=weight.filter(b & ~a).sum(),
        needs_data_before=weight.filter(pl.col("before").is_null()).sum(),
        needs_data_after=weight.filter(pl.col("after").is_null()).sum(),
    )
    return {row[0]: tuple(map(float, row[1:])) for row in made.iter_rows()}


COUNTS = (
    "households",
    "covered_before",
    "covered_after",
    "enters",
    "leaves",
    "needs_data_before",
    "needs_data_after",
)


def counted(frame: pl.DataFrame, by: str) -> dict[Any, tuple[float, ...]]:
    rows = frame.select(by, *COUNTS).iter_rows()
    return {row[0]: tuple(map(float, row[1:])) for row in rows}


@given(CASES, SEEDS, st.booleans(), st.booleans())
def test_comparison_equals_scoring_twice_and_joining(
    case: tuple[nser.Model, pl.DataFrame], seed: int, weighted: bool, higher: bool
) -> None:
    model, frame = case
    if higher:
        model = dataclasses.replace(model, direction="higher_is_poorer")
    frame = with_places(frame, seed)
    changed = other_points(model, seed)
    before = nser.score(frame, model).get_column("pmt_score")
    after = nser.score(frame, changed).get_column("pmt_score")
    one, two = lines_of(pl.concat([before, after]), seed)
    weight = "weight" if weighted else None
    now = scenario(frame, model, by="district", weights=weight, cutoff=one, transfer=100)
    then = now.set(model=changed, cutoff=two)
    change = now.compare(then)

    inside = "ge" if higher else "le"
    lines = (getattr(pl.col("before"), inside)(one), getattr(pl.col("after"), inside)(two))
    weights = pl.col("weight") if weighted else pl.col("one")
    frame = frame.with_columns(one=pl.lit(1, pl.Int64))
    expected = twin(frame, before, after, lines, weights, "district")
    assert counted(change.by["district"], "district") == expected
    total = frame.with_columns(all=pl.lit(0))
    assert counted(change.total.with_columns(all=pl.lit(0)), "all") == (
        twin(total, before, after, lines, weights, "all") or {0: (0.0,) * 7}
    )

    # Tenths: ten times the share of those who are poorer, by whole numbers.
    scores = before.to_numpy()
    own = frame.get_column("weight" if weighted else "one").to_numpy()
    scored = ~before.is_null().to_numpy()
    everyone = int(own[scored].sum())
    tenth: list[int | None] = []
    for score, is_scored in zip(scores, scored, strict=True):
        poorer = scored & ((scores > score) if higher else (scores < score))
        share = 10 * int(own[poorer].sum()) // everyone if everyone else 10
        tenth.append(min(share, 9) + 1 if is_scored else None)
    by_tenth = frame.with_columns(score_decile=pl.Series(tenth, dtype=pl.UInt8))
    expected = twin(by_tenth, before, after, lines, weights, "score_decile")
    assert counted(change.by["score_decile"], "score_decile") == expected

    # Movers are the same households, by row.
    moved = now.movers(then)
    both = pl.DataFrame({"before": before, "after": after}).with_row_index("row")
    is_in = [line.fill_null(False) for line in lines]
    wanted = both.filter(is_in[0] != is_in[1]).with_columns(
        change=pl.when(is_in[1]).then(pl.lit("enters")).otherwise(pl.lit("leaves")),
    )
    assert moved["row"].to_list() == wanted["row"].to_list()
    assert moved["change"].cast(pl.String).to_list() == wanted["change"].to_list()
    assert moved["score_before"].to_list() == wanted["before"].to_list()
    assert moved["score_after"].to_list() == wanted["after"].to_list()
    district = frame.get_column("district").gather(wanted["row"])
    assert moved["district"].to_list() == district.to_list()


@given(CASES, SEEDS, st.booleans(), st.booleans())
def test_curve_gives_the_coverage_of_every_cutoff(
    case: tuple[nser.Model, pl.DataFrame], seed: int, weighted: bool, higher: bool
) -> None:
    model, frame = case
    if higher:
        model = dataclasses.replace(model, direction="higher_is_poorer")
    frame = with_places(frame, seed)
    now = scenario(frame, model, by="district", weights="weight" if weighted else None)
    curve, total = now.curve("district"), now.curve()
    for line in lines_of(now.scores()["pmt_score"], seed):
        there = now.set(cutoff=line)
        for found, by in ((curve.at(line), "district"), (total.at([line]), None)):
            assert found.drop("cutoff").equals(there.coverage(by))


@given(CASES, SEEDS, st.floats(0, 1), st.booleans())
def test_quota_takes_the_poorest_and_treats_equals_alike(
    case: tuple[nser.Model, pl.DataFrame], seed: int, share: float, higher: bool
) -> None:
    model, frame = case
    if higher:
        model = dataclasses.replace(model, direction="higher_is_poorer")
    frame = with_places(frame, seed)
    quota = round(share * frame.height)
    out = scenario(frame, model, by="district", quota=quota)
    ties = out.set(ties="in")
    scores = nser.score(frame, model).get_column("pmt_score")
    known = sorted((s for s in scores if s is not None), reverse=higher)
    most = out.coverage().item(0, "covered")
    assert most <= quota
    assert sum(s in known[:most] for s in known) == most  # all that are equal, or none
    if most < min(quota, len(known)):
        tie = known[most]
        assert known.count(tie) + most > quota
        assert ties.coverage().item(0, "covered") == most + known.count(tie)
    else:
        assert ties.coverage().item(0, "covered") == most
