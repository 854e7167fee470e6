"""Two sources against plain Python: coverage, kappa, score differences, cost."""

from __future__ import annotations

import statistics
from collections import Counter
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nser_pmt as nser
from nser_pmt.errors import DomainError, SchemaError
from nser_pmt.registry._source_agreement import agreement
from nser_pmt.registry._source_pairs import paired

MODEL = nser.load_model("schreiner-pk-2009")
GRADES = pl.Enum(["low", "middle", "high"])


def kappa(pairs: list[tuple[Any, Any]]) -> float | None:
    """Cohen (1960), from the table."""
    n = len(pairs)
    observed = sum(x == y for x, y in pairs) / n
    left, right = Counter(x for x, _ in pairs), Counter(y for _, y in pairs)
    expected = sum(left[k] * right[k] for k in left) / n**2
    return None if expected == 1 else (observed - expected) / (1 - expected)


def weighted_kappa(pairs: list[tuple[float, float]]) -> float | None:
    """Cohen (1968) with quadratic weights: all pairs of one source with the other."""
    n = len(pairs)
    observed = sum((x - y) ** 2 for x, y in pairs) / n
    expected = sum((x - y) ** 2 for x, _ in pairs for _, y in pairs) / n**2
    return None if expected == 0 else 1 - observed / expected


def sources(rows: list[tuple[Any, Any]], dtype: Any) -> tuple[pl.DataFrame, pl.DataFrame]:
    ids = pl.Series("id", range(len(rows)), dtype=pl.Int64)
    desk, door = (pl.Series("q", [r[k] for r in rows], dtype=dtype) for k in (0, 1))
    return pl.DataFrame([ids, desk]), pl.DataFrame([ids, door])


def agreed(rows: list[tuple[Any, Any]], dtype: Any, *, ordered: bool = False) -> dict[str, Any]:
    desk, door = sources(rows, dtype)
    pairs = paired(desk, door.reverse(), id="id", columns=["q"], by=[])
    table, _ = agreement(pairs, ["q"], ["q"] if ordered else [])
    return table.row(0, named=True)


def check(found: dict[str, Any], rows: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    answered = [(x, y) for x, y in rows if x is not None and y is not None]
    assert (found["pairs"], found["answered"]) == (len(rows), len(answered))
    assert found["only_desk"] == sum(x is not None and y is None for x, y in rows)
    assert found["only_door"] == sum(x is None and y is not None for x, y in rows)
    if not answered:
        assert found["equal"] is None and found["kappa"] is None
        return answered
    assert found["equal"] == sum(x == y for x, y in answered) / len(answered)
    assert found["kappa"] == pytest.approx(kappa(answered))
    return answered


def values(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[list[tuple[Any, Any]]]:
    return st.lists(st.tuples(st.none() | strategy, st.none() | strategy), max_size=30)


@given(rows=values(st.sampled_from(GRADES.categories.to_list())), ordered=st.booleans())
def test_words_agree_as_in_plain_python(rows: list[tuple[Any, Any]], ordered: bool) -> None:
    found = agreed(rows, GRADES, ordered=ordered)
    answered = check(found, rows)
    if not ordered or not answered:
        assert found["weighted_kappa"] is None and found["desk_higher"] is None
        return
    rank = GRADES.categories.to_list().index
    check_order(found, [(rank(x), rank(y)) for x, y in answered])


@given(rows=values(st.integers(-3, 3)) | values(st.floats(-1e3, 1e3)))
def test_numbers_agree_as_in_plain_python(rows: list[tuple[Any, Any]]) -> None:
    whole = all(isinstance(v, int) for row in rows for v in row if v is not None)
    found = agreed(rows, pl.Int16 if whole else pl.Float64)
    if answered := check(found, rows):
        check_order(found, answered)


def check_order(found: dict[str, Any], answered: list[tuple[float, float]]) -> None:
    expected = weighted_kappa(answered)
    if expected is None or found["weighted_kappa"] is None:
        # Numbers so close that their squares vanish.
        assert max(abs(x - answered[0][1]) for x, _ in answered) < 1e-100
    else:
        assert found["weighted_kappa"] == pytest.approx(expected, rel=1e-6, abs=1e-9)
    gaps = [x - y for x, y in answered]
    assert found["mean_difference"] == pytest.approx(statistics.fmean(gaps), abs=1e-12)
    assert found["desk_higher"] == sum(g > 0 for g in gaps) / len(gaps)
    assert found["desk_lower"] == sum(g < 0 for g in gaps) / len(gaps)


def test_a_published_kappa() -> None:
    # 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no: kappa 0.4 (p_o 0.7, p_e 0.5).
    rows = [(True, True)] * 20 + [(True, False)] * 5 + [(False, True)] * 10 + [(False, False)] * 15
    found = agreed(rows, pl.Boolean)
    assert (found["equal"], found["kappa"]) == (0.7, pytest.approx(0.4))
    # Of two answers, quadratic weights change nothing.
    assert found["weighted_kappa"] == pytest.approx(0.4)
    assert agreed([(True, True)] * 3, pl.Boolean)["kappa"] is None


def two_sources() -> tuple[pl.DataFrame, pl.DataFrame]:
    door = nser.synth.households(600, seed=4).with_columns(pl.col("hh_id").cast(pl.Int64))
    desk = door.tail(450).sample(fraction=1, shuffle=True, seed=2)
    own = desk.head(50).with_columns(hh_id=pl.col("hh_id") + 10_000)
    desk = pl.concat([desk, own]).with_columns(
        tv=pl.when(pl.col("hh_id") % 5 == 0).then(True).otherwise("tv"),
        n_le13=pl.when(pl.col("hh_id") % 4 == 0).then(pl.col("n_le13") + 1).otherwise("n_le13"),
        water=pl.when(pl.col("hh_id") % 9 != 0).then("water"),
    )
    return desk, door


@pytest.mark.parametrize("lazy", [False, True])
def test_all_parts_against_plain_python(lazy: bool) -> None:
    desk, door = two_sources()
    found = nser.compare_sources(
        desk.lazy() if lazy else desk, door.lazy() if lazy else door,
        id="hh_id", model=MODEL, line=40, cost={"desk": 150, "door": 620}, by="region",
    )  # fmt: skip
    rows = {
        name: {r["hh_id"]: r for r in frame.iter_rows(named=True)}
        for name, frame in (("desk", desk), ("door", door))
    }
    scores = {
        name: {i: MODEL.score_one({c: r[c] for c in MODEL.columns})[0] for i, r in of.items()}
        for name, of in rows.items()
    }
    either = rows["desk"].keys() | rows["door"].keys()
    both = [i for i in rows["desk"] if i in rows["door"]]
    assert found.coverage.row(0, named=True) == {
        "desk": 500, "door": 600, "both": 450, "only_desk": 50, "only_door": 150,
        "desk_share": 500 / len(either), "door_share": 600 / len(either),
    }  # fmt: skip
    # A model with policies of its own gives a score where an answer is missing; here null.
    pairs = [
        (scores["desk"][i], scores["door"][i], rows["door"][i]["region"])
        for i in both
        if scores["desk"][i] is not None and scores["door"][i] is not None
    ]
    assert 0 < len(pairs) < len(both)

    def compare(table: pl.DataFrame, some: list[Any]) -> None:
        row = table.row(0, named=True)
        gaps = [x - y for x, y, *_ in some]
        assert row["households"] == len(some)
        assert row["mean_desk"] == pytest.approx(statistics.fmean(x for x, *_ in some))
        assert row["mean_difference"] == pytest.approx(statistics.fmean(gaps))
        assert row["sd_difference"] == pytest.approx(statistics.stdev(gaps))
        cuts = statistics.quantiles(gaps, n=20, method="inclusive")
        assert row["p05"] == pytest.approx(cuts[0]) and row["p95"] == pytest.approx(cuts[-1])
        assert row["p50"] == pytest.approx(statistics.median(gaps))
        assert row["equal"] == sum(g == 0 for g in gaps) / len(some)
        sides = Counter((x <= 40, y <= 40) for x, y, *_ in some)
        assert row["below_both"] == sides[True, True] / len(some)
        assert row["below_only_desk"] == sides[True, False] / len(some)
        assert row["below_only_door"] == sides[False, True] / len(some)

    compare(found.scores, pairs)
    assert found.scores_by is not None and found.coverage_by is not None
    for region in ("rural", "urban"):
        part = found.scores_by.filter(pl.col("region") == region)
        compare(part, [p for p in pairs if p[2] == region])
        covered = found.coverage_by.filter(pl.col("region") == region).row(0, named=True)
        here = [i for i in either if (rows["door"].get(i) or rows["desk"][i])["region"] == region]
        assert covered["both"] == sum(i in rows["desk"] and i in rows["door"] for i in here)
        assert covered["only_desk"] == sum(i not in rows["door"] for i in here)
    assert found.cost is not None
    confirmed = sum(x <= 40 and y <= 40 for x, y, _ in pairs)
    for name, price in (("desk", 150.0), ("door", 620.0)):
        row = found.cost.filter(pl.col("source") == name).row(0, named=True)
        poor = sum(s is not None and s <= 40 for s in scores[name].values())
        assert (row["interviews"], row["cost"]) == (len(rows[name]), price * len(rows[name]))
        assert (row["found_poor"], row["confirmed"]) == (poor, confirmed)
        assert row["cost_per_found"] == price * len(rows[name]) / poor
        assert row["cost_per_confirmed"] == price * len(rows[name]) / confirmed
    answers = {r["question"]: r for r in found.answers.iter_rows(named=True)}
    assert list(answers) == list(MODEL.columns)
    for question, row in answers.items():
        check(row, [(rows["desk"][i][question], rows["door"][i][question]) for i in both])
    counted = Counter((rows["desk"][i]["tv"], rows["door"][i]["tv"]) for i in both)
    shown = found.confusion.filter(pl.col("question") == "tv").drop("question").rows()
    assert {tuple(k): n for *k, n in shown} == {
        (str(x).lower(), str(y).lower()): n for (x, y), n in counted.items()
    }


def test_terms_add_up_to_the_scores() -> None:
    desk, door = two_sources()
    found = nser.compare_sources(desk, door, id="hh_id", model=MODEL)
    score = found.scores.row(0, named=True)
    for name in ("desk", "door"):
        assert found.terms[name].sum() == pytest.approx(score[f"mean_{name}"])
    moved = found.terms.filter(pl.col("difference").abs() > 1e-12)["term"].to_list()
    assert len(moved) == 2  # tv and children
    assert found.cost is None and found.line is None and found.coverage_by is None
    assert "below_both" not in found.scores.columns


def test_a_source_against_itself() -> None:
    _, door = two_sources()
    narrow = door.with_columns(pl.col("hh_id").cast(pl.UInt16))
    found = nser.compare_sources(narrow, door, id="hh_id", model=MODEL, ordered=["toilet"])
    assert found.coverage["both"].item() == door.height
    assert set(found.answers["equal"]) == {1.0} and set(found.answers["kappa"]) == {1.0}
    toilet = found.answers.filter(pl.col("question") == "toilet")
    assert toilet["weighted_kappa"].item() == 1.0
    assert found.scores.select("mean_difference", "sd_difference", "equal").row(0) == (0, 0, 1)
    assert "SourceComparison" in repr(found) and "<table" in found._repr_html_()


def test_nobody_in_both_and_nobody_at_all() -> None:
    _, door = two_sources()
    found = nser.compare_sources(
        door.head(10), door.tail(10), id="hh_id", model=MODEL, line=30,
        cost={"desk": 1, "door": 1}, by=["region", "province"],
    )  # fmt: skip
    assert found.coverage["both"].item() == 0
    assert found.scores.select("households", "mean_difference", "below_both").row(0) == (
        0,
        None,
        None,
    )
    assert found.answers["kappa"].null_count() == len(MODEL.columns)
    assert repr(found)
    none = nser.compare_sources(door.head(0), door.head(0), id="hh_id", model=MODEL, by="region")
    assert none.coverage["desk_share"].item() is None
    assert none.coverage_by is not None and none.coverage_by.height == 0
    assert repr(none)


@pytest.mark.parametrize(
    ("arguments", "change", "error", "code"),
    [
        ({}, {"hh_id": pl.lit(1, dtype=pl.Int64)}, SchemaError, "duplicate_id"),
        ({}, {"hh_id": pl.lit(None, dtype=pl.Int64)}, SchemaError, "null_id"),
        ({}, {"hh_id": pl.col("hh_id").cast(pl.String)}, SchemaError, "wrong_column"),
        ({"questions": ["rooms"]}, {"rooms": pl.lit("2")}, SchemaError, "wrong_column"),
        ({"by": "region"}, {"region": pl.lit(1)}, SchemaError, "wrong_column"),
        ({"ordered": ["water"]}, {"water": pl.lit("piped")}, SchemaError, "wrong_column"),
        ({"ordered": ["rooms"]}, {}, DomainError, "invalid_option"),
        ({"questions": ["shoes"]}, {}, SchemaError, "missing_column"),
        ({"cost": {"desk": 1, "door": 2}}, {}, DomainError, "invalid_option"),
        ({"cost": {"desk": 1}, "line": 30}, {}, DomainError, "invalid_option"),
        ({"cost": {"desk": 1, "door": -2}, "line": 30}, {}, DomainError, "invalid_option"),
        ({"by": "hh_id"}, {}, DomainError, "invalid_option"),
    ],
)
def test_what_cannot_be_done_is_said(
    arguments: dict[str, Any], change: dict[str, pl.Expr], error: Any, code: str
) -> None:
    desk, door = two_sources()
    with pytest.raises(error) as caught:
        nser.compare_sources(
            desk.with_columns(**change), door, **{"id": "hh_id", "model": MODEL} | arguments
        )
    assert caught.value.code == code


def test_a_question_that_nobody_answered_has_no_type() -> None:
    desk, door = two_sources()
    for change in ((pl.lit(None), "tv"), ("tv", pl.lit(None)), (pl.lit(None), pl.lit(None))):
        pair = [
            frame.with_columns(tv=value) if isinstance(value, pl.Expr) else frame
            for frame, value in zip((desk, door), change, strict=True)
        ]
        found = nser.compare_sources(*pair, id="hh_id", model=MODEL, questions=["tv"])
        row = found.answers.row(0, named=True)
        assert (row["answered"], row["equal"], row["kappa"]) == (0, None, None)
        assert found.scores["households"].item() == 0
        assert (row["only_door"] > 0) == (not isinstance(change[1], pl.Expr))


def test_one_answer_has_no_kappa() -> None:
    desk, door = two_sources()
    same = [frame.with_columns(tv=pl.lit(True)) for frame in (desk, door)]
    found = nser.compare_sources(*same, id="hh_id", model=MODEL, questions=["tv", "tv"])
    assert found.answers.select("equal", "kappa", "weighted_kappa").rows() == [(1.0, None, None)]


def test_no_questions() -> None:
    desk, door = two_sources()
    found = nser.compare_sources(desk, door, id="hh_id", model=MODEL, questions=[])
    assert found.answers.height == found.confusion.height == 0
    assert "question" in repr(found)


@pytest.mark.parametrize(
    "arguments", [{"questions": "tv"}, {"ordered": "tv"}, {"cost": {"desk": None, "door": 1}}]
)
def test_options_of_another_kind(arguments: dict[str, Any]) -> None:
    desk, door = two_sources()
    with pytest.raises(DomainError):
        nser.compare_sources(desk, door, id="hh_id", model=MODEL, line=30, **arguments)
    with pytest.raises(SchemaError):
        nser.compare_sources([desk], door, id="hh_id", model=MODEL)  # type: ignore[arg-type]
