"""A shock against plain Python, household by household."""

from __future__ import annotations

import math
import pickle
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nser_pmt as nser
from nser_pmt.errors import DomainError, SchemaError
from nser_pmt.registry._shock_area import drawn

MODEL = nser.load_model("schreiner-pk-2009")
LOST: dict[str, Any] = {"tv": False, "fridge_freezer": False, "toilet": "none"}


def households(n: int = 400) -> pl.DataFrame:
    made = nser.synth.households(n, seed=3)
    # Some answers are missing, and some places.
    return made.with_columns(
        tv=pl.when(pl.col("hh_id") % 7 != 0).then("tv"),
        fridge_freezer=pl.when(pl.col("hh_id") % 11 != 0).then("fridge_freezer"),
        province=pl.when(pl.col("hh_id") % 13 != 0).then("province"),
    )


def outcome(row: dict[str, Any], effect: dict[str, Any], line: float) -> str:
    """Say what becomes of one household."""
    if row["province"] is None or row["province"] != "Sindh" or row["region"] != "rural":
        return "not_hit"
    answers = {column: row[column] for column in MODEL.columns}
    before, _ = MODEL.score_one(answers)
    lost = {c: v for c, v in effect.items() if answers[c] is not None}
    after, _ = MODEL.score_one(answers | lost)
    if before is None or after is None:
        return "needs_data"
    return {
        (False, True): "newly_below",
        (True, True): "still_below",
        (True, False): "newly_above",
        (False, False): "still_above",
    }[before <= line, after <= line]


@pytest.mark.parametrize("lazy", [False, True])
@pytest.mark.parametrize("line", [24.0, 40.0, 55.0])
def test_each_household_is_where_plain_python_puts_it(lazy: bool, line: float) -> None:
    frame = households()
    found = nser.shock(
        frame.lazy() if lazy else frame,
        MODEL,
        area={"province": "Sindh", "region": ["rural"]},
        effect=LOST,
        line=line,
        weights="hh_weight",
        size="hhsize",
        by="region",
    )
    naive = [outcome(row, LOST, line) for row in frame.iter_rows(named=True)]
    listed = found.newly_below.lazy().collect()
    ids = frame["hh_id"].to_list()
    assert listed["hh_id"].to_list() == [
        i for i, o in zip(ids, naive, strict=True) if o == "newly_below"
    ]
    assert isinstance(found.newly_below, pl.LazyFrame if lazy else pl.DataFrame)
    weights, sizes = frame["hh_weight"].to_list(), frame["hhsize"].to_list()
    for name, count, weight, people in found.outcomes.rows():
        mine = [i for i, o in enumerate(naive) if o == name]
        assert count == len(mine)
        assert weight == pytest.approx(math.fsum(weights[i] for i in mine))
        assert people == pytest.approx(math.fsum(weights[i] * sizes[i] for i in mine))
    assert found.by is not None
    sums = found.by.group_by("outcome").agg(pl.col("households").sum())
    assert dict(sums.rows()) == dict(found.outcomes.select("outcome", "households").rows())
    assert (
        found.by.filter(pl.col("region") == "urban", pl.col("outcome") != "not_hit")[
            "households"
        ].to_list()
        == [0] * 5
    )
    # Whoever has no province may still be known not to be in the area.
    unknown = frame.filter(pl.col("province").is_null(), pl.col("region") == "rural").height
    assert found.area_unknown == unknown > 0


def test_scores_are_those_of_score() -> None:
    frame = households()
    found = nser.shock(frame, MODEL, area=pl.lit(True), effect=LOST, line=40)
    before = nser.score(frame, MODEL).select("hh_id", "pmt_score")
    after = nser.score(
        frame.with_columns(
            tv=pl.when(pl.col("tv").is_not_null()).then(False),
            fridge_freezer=pl.when(pl.col("fridge_freezer").is_not_null()).then(False),
            toilet=pl.lit("none").cast(frame.schema["toilet"]),
        ),
        MODEL,
    ).select("hh_id", "pmt_score")
    expected = before.join(after, on="hh_id", suffix="_after", maintain_order="left").filter(
        pl.col("pmt_score") > 40, pl.col("pmt_score_after") <= 40
    )
    assert found.newly_below.rows() == expected.rows()
    assert found.newly_below.height > 0


def test_points_and_expressions() -> None:
    frame = households()
    points = nser.shock(frame, MODEL, area={"region": "urban"}, effect=-10, line=40)
    rows = points.newly_below
    assert (rows["pmt_score_before"] - rows["pmt_score_after"] == 10).all() and rows.height
    none = nser.shock(frame, MODEL, area={"region": "urban"}, effect=0.0, line=40)
    assert none.newly_below.height == 0
    more = nser.shock(
        frame, MODEL, area=pl.col("hhsize") > 3, effect={"n_le13": pl.col("n_le13") + 1}, line=40
    )
    less = nser.shock(
        frame, MODEL, area=pl.col("hhsize") > 3, effect={"n_le13": pl.col("n_le13")}, line=40
    )
    assert more.newly_below.height > 0 == less.newly_below.height
    assert "n_le13" in more.assumption and "hhsize" in more.assumption


def test_the_assumption_is_in_the_result() -> None:
    found = nser.shock(
        households(), MODEL, area={"province": ["Sindh", "Punjab"]}, effect=LOST,
        line="nl100-max-bpac", share=0.3, seed=5,
    )  # fmt: skip
    assert found.assumption == (
        "A share of 0.3 of the households where province is Sindh or Punjab are hit (drawn by id "
        "with seed 5): tv becomes false, fridge_freezer becomes false, toilet becomes none, where "
        "the answer is known. Scored with schreiner-pk-2009; below the line means score <= 34."
    )
    assert dict(found.assumptions) == {
        "area": {"province": ["Sindh", "Punjab"]},
        "effect": LOST,
        "share": 0.3,
        "seed": 5,
        "model": "schreiner-pk-2009",
        "digest": MODEL.digest,
        "line": 34.0,
        "side": "inclusive",
        "direction": "lower_is_poorer",
    }
    assert found.assumption in repr(found)
    assert "<table" in found._repr_html_()


def splitmix(id: int, seed: int) -> int:
    word = 2**64 - 1
    state = (id + (seed + 1) * 0x9E3779B97F4A7C15) & word
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & word
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & word
    return state ^ (state >> 31)


@given(
    ids=st.lists(st.integers(-(2**63), 2**63 - 1), max_size=20),
    share=st.floats(0, 1, exclude_max=True),
    seed=st.integers(0, 100),
)
def test_who_is_drawn_is_the_same_everywhere(ids: list[int], share: float, seed: int) -> None:
    frame = pl.DataFrame({"id": ids}, schema={"id": pl.Int64})
    found = frame.select(drawn(pl.col("id"), share, seed)).to_series().to_list()
    assert found == [splitmix(i, seed) < int(share * 2**64) for i in ids]


def test_a_share_grows_by_more_households_not_by_others() -> None:
    frame = households()
    hit = [
        set(
            nser.shock(frame, MODEL, area=pl.lit(True), effect=LOST, line=60, share=share)
            .newly_below["hh_id"]
            .to_list()
        )
        for share in (0.0, 0.2, 0.5, 1.0)
    ]
    assert hit[0] == set() and hit[0] < hit[1] < hit[2] < hit[3]
    turned = frame.reverse()
    other = nser.shock(turned, MODEL, area=pl.lit(True), effect=LOST, line=60, share=0.5)
    assert set(other.newly_below["hh_id"].to_list()) == hit[2]


@pytest.mark.parametrize(
    ("arguments", "error", "code"),
    [
        ({"effect": {"livestock": "neither"}}, SchemaError, "unused_column"),
        ({"effect": {"camels": 0}}, SchemaError, "missing_column"),
        ({"effect": {"toilet": "marble"}}, SchemaError, "wrong_column"),
        ({"effect": {"tv": "no"}}, SchemaError, "wrong_column"),
        ({"effect": {"n_le13": 10**9}}, SchemaError, "wrong_column"),
        ({"effect": {"n_le13": True}}, SchemaError, "wrong_column"),
        ({"effect": math.nan}, DomainError, "invalid_option"),
        ({"effect": True}, DomainError, "invalid_option"),
        ({"area": {"province": "Atlantis"}}, SchemaError, "wrong_column"),
        ({"area": {"planet": "Earth"}}, SchemaError, "missing_column"),
        ({"area": {"province": None}}, DomainError, "invalid_option"),
        ({"area": {}}, DomainError, "invalid_option"),
        ({"area": pl.col("hhsize")}, DomainError, "invalid_option"),
        ({"share": 1.5}, DomainError, "invalid_option"),
        ({"share": 0.5, "id": "province"}, DomainError, "invalid_option"),
        ({"line": None}, DomainError, "invalid_option"),
        ({"line": math.inf}, DomainError, "invalid_option"),
        ({"weights": "tv"}, DomainError, "out_of_domain"),
        ({"by": "nowhere"}, SchemaError, "missing_column"),
        ({"effect": {}}, DomainError, "invalid_option"),
        ({"effect": "much"}, DomainError, "invalid_option"),
        ({"effect": None}, DomainError, "invalid_option"),
        ({"effect": {"tv": pl.col("television")}}, SchemaError, "missing_column"),
        ({"area": "Sindh"}, DomainError, "invalid_option"),
        ({"area": {"province": {"Sindh"}}}, DomainError, "invalid_option"),
        ({"area": {"province": pl.Series(["Sindh"])}}, DomainError, "invalid_option"),
        ({"area": pl.col("provinse") == "Sindh"}, SchemaError, "missing_column"),
        ({"share": "half"}, DomainError, "invalid_option"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: dict[str, Any], error: type[nser.NserError], code: str
) -> None:
    usual: dict[str, Any] = {"area": {"province": "Sindh"}, "effect": LOST, "line": 40}
    with pytest.raises(error) as caught:
        nser.shock(households(40), MODEL, **usual | arguments)
    assert caught.value.code == code  # type: ignore[attr-defined]


def test_a_frame_without_rows() -> None:
    found = nser.shock(
        households(40).head(0), MODEL, area=pl.lit(True), effect=LOST, line=40, by="region"
    )
    assert found.outcomes["households"].sum() == 0
    assert found.by is not None and found.by.height == 0


@pytest.mark.parametrize("typed", [True, False])
def test_an_area_that_is_not_known_is_said(typed: bool) -> None:
    frame = households(40)
    dtype = frame.schema["province"] if typed else pl.Null()
    nowhere = frame.with_columns(province=pl.lit(None, dtype=dtype))
    usual: dict[str, Any] = {"effect": LOST, "line": 40}
    found = nser.shock(nowhere, MODEL, area={"province": "Sindh"}, **usual)
    assert found.area_unknown == 40
    assert found.outcomes.filter(pl.col("outcome") == "not_hit")["households"].item() == 40
    for text in (repr(found), found._repr_html_()):
        assert "area not known: 40 households, counted as not hit" in text
    known = nser.shock(frame, MODEL, area={"region": "rural"}, **usual)
    assert known.area_unknown == 0 and "not known" not in repr(known)
    assert pickle.loads(pickle.dumps(known)).assumptions == known.assumptions


@pytest.mark.parametrize("lazy", [False, True])
def test_a_share_cannot_be_drawn_without_ids(lazy: bool) -> None:
    frame = households(40)
    inside = frame["province"].cast(pl.String) == "Sindh"
    row = int(inside.arg_true()[1])
    ids = pl.when(pl.int_range(pl.len()) == row).then(None).otherwise("hh_id").alias("hh_id")
    gap = frame.with_columns(ids)
    usual: dict[str, Any] = {"area": {"province": "Sindh"}, "effect": LOST, "line": 40}
    given = gap.lazy() if lazy else gap
    with pytest.raises(SchemaError) as caught:
        nser.shock(given, MODEL, share=0.5, **usual)
    assert (caught.value.code, caught.value.row) == ("null_id", row)
    # Where all are hit nobody is drawn, and outside of the area neither.
    assert nser.shock(given, MODEL, **usual).outcomes.equals(
        nser.shock(frame, MODEL, **usual).outcomes
    )
    elsewhere = frame.with_columns(pl.when(inside).then("hh_id").alias("hh_id"))
    assert nser.shock(elsewhere, MODEL, share=0.5, **usual).outcomes["households"].sum() == 40
