"""Laws of targeting, and a plain twin of every metric."""

from __future__ import annotations

import math
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nser_pmt as nser
from nser_pmt.targeting._metrics import METRICS
from oracle import targeting_twin as twin

# Few distinct values: ties and exact hits of a share are what goes wrong.
ROWS = st.lists(
    st.tuples(
        st.integers(0, 12).map(float),
        st.integers(0, 30).map(lambda y: y / 2),
        st.sampled_from([0.5, 1.0, 1.0, 2.0, 3.25, 10.0]),
    ),
    min_size=1,
    max_size=60,
)
LINES = st.sampled_from([0.5, 3.0, 7.5, 14.0, 20.0])
FGT = ("fgt0", "fgt1", "fgt2", "fgt0_after", "fgt1_after", "fgt2_after")
COMPARED = (*METRICS, "auc", "gini", *FGT)


def survey(rows: list[twin.Row]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["score", "welfare", "w"], orient="row")


def targeting(rows: list[twin.Row], **options: Any) -> dict[str, Any]:
    given = {"score": "score", "welfare": "welfare", "weights": "w"} | options
    return nser.targeting(survey(rows), **given).metrics.row(0, named=True)


@given(ROWS, LINES)
def test_the_fixed_rate_is_the_twin(rows: list[twin.Row], line: float) -> None:
    found = targeting(rows, line=line)
    wanted = twin.measure(rows, line, twin.fixed_rate_cut(rows, line))
    for name in COMPARED:
        assert twin.same(found[name], wanted[name]), (name, found[name], wanted[name])


@given(ROWS, st.sampled_from([0.1, 0.25, 1 / 3, 0.5, 0.9]))
def test_the_fixed_line_at_a_share_is_the_twin(rows: list[twin.Row], rate: float) -> None:
    line = twin.quantile([y for _, y, _ in rows], [w for *_, w in rows], rate)
    found = targeting(rows, rate=rate, design="fixed_line", predicts="welfare")
    assert found["line"] == found["cutoff"] == line
    wanted = twin.measure(rows, line, line) if line > 0 else {}
    for name in COMPARED if line > 0 else ():
        assert twin.same(found[name], wanted[name]), (name, found[name], wanted[name])


@given(ROWS, LINES)
def test_every_step_of_the_curve_is_that_cut_off(rows: list[twin.Row], line: float) -> None:
    curve = nser.targeting(survey(rows), score="score", welfare="welfare", line=line, weights="w")
    assert curve.curve["score"].to_list() == sorted({s for s, *_ in rows})
    for step in curve.curve.iter_rows(named=True):
        found = targeting(rows, line=line, cutoff=step["score"])
        assert found["design"] == "cutoff"
        for name in METRICS:
            assert found[name] == step[name]


@given(ROWS, LINES)
def test_people_targeted_who_are_poor_are_counted_once(rows: list[twin.Row], line: float) -> None:
    for row in nser.targeting(
        survey(rows),
        score="score",
        welfare="welfare",
        line=line,
        weights="w",
        design="both",
        predicts="welfare",
    ).metrics.iter_rows(named=True):
        hit = row["coverage"] * (1 - (row["ier"] or 0))
        assert hit == pytest.approx(row["headcount"] * (1 - (row["eer"] or 0)), abs=1e-12)
        assert row["leakage_share"] + row["undercoverage_share"] == pytest.approx(
            row["misclassification"], abs=1e-12
        )
        if row["coverage"] == row["headcount"] > 0:
            assert row["ier"] == pytest.approx(row["eer"], abs=1e-12)
            assert row["leakage_iris"] == pytest.approx(row["eer"], abs=1e-12)
            assert row["bpac"] == pytest.approx(1 - row["eer"], abs=1e-12)


@given(ROWS, LINES, st.randoms(use_true_random=False))
def test_order_scale_and_increasing_maps_do_not_show(
    rows: list[twin.Row], line: float, random: Any
) -> None:
    found = targeting(rows, line=line)
    moved = list(rows)
    random.shuffle(moved)
    shuffled = targeting(moved, line=line)
    scaled = targeting([(s, y, 4 * w) for s, y, w in rows], line=line)
    mapped = targeting([(math.exp(s / 3) - 5, y, w) for s, y, w in rows], line=line)
    for name in (*METRICS, "auc"):
        assert found[name] == shuffled[name] == scaled[name] == mapped[name], name


@given(ROWS, LINES)
def test_direction_turns_the_score_around(rows: list[twin.Row], line: float) -> None:
    found = targeting(rows, line=line)
    turned = targeting([(-s, y, w) for s, y, w in rows], line=line, direction="higher_is_poorer")
    assert turned["cutoff"] == (None if found["cutoff"] is None else -found["cutoff"])
    assert all(found[name] == turned[name] for name in (*METRICS, "auc", "fgt1_after"))


@given(ROWS, LINES, st.integers(1, 4))
def test_groups_add_up(rows: list[twin.Row], line: float, groups: int) -> None:
    frame = survey(rows).with_columns(g=pl.int_range(pl.len()) % groups)
    found = nser.targeting(
        frame, score="score", welfare="welfare", line=line, weights="w", by="g", points=0
    )
    assert found.by is not None
    for name in ("tp", "fp", "fn", "tn", "rows", "weight", "budget"):
        whole = found.metrics.item(0, name)
        if name != "budget" or found.metrics.item(0, "transfer") is not None:
            assert found.by[name].sum() == pytest.approx(whole, rel=1e-12, abs=1e-12)
    for code, cut in found.by.select("g", "cutoff").rows():
        part = [row for i, row in enumerate(rows) if i % groups == code]
        wanted = twin.measure(part, line, -math.inf if cut is None else cut)
        here = found.by.row(by_predicate=pl.col("g") == code, named=True)
        assert all(twin.same(here[name], wanted[name]) for name in (*METRICS, "auc"))


@given(ROWS, LINES, st.integers(0, 2**64 - 1))
def test_replicates_know_neither_threads_nor_order(
    rows: list[twin.Row], line: float, seed: int
) -> None:
    frame = survey(rows).with_columns(psu=pl.int_range(pl.len()) % 5)
    options: dict[str, Any] = {
        "score": "score", "welfare": "welfare", "rate": 0.4, "weights": "w", "psu": "psu",
        "replicates": 8, "seed": seed, "lonely_psu": "certainty", "points": 0,
    }  # fmt: skip
    found = nser.targeting(frame, **options)
    pieces = pl.concat([frame[:3], frame[3:]], rechunk=False).reverse()
    other = nser.targeting(pieces, **options, control=nser.RunControl(threads=2))
    assert found.intervals is not None and other.intervals is not None
    assert found.intervals.equals(other.intervals, null_equal=True)


@given(ROWS, LINES, st.sampled_from(["fixed_rate", "fixed_line", "cutoff"]), st.booleans())
def test_the_sample_is_a_replicate(
    rows: list[twin.Row], line: float, design: str, of_share: bool
) -> None:
    frame = survey(rows).with_columns(psu=pl.int_range(pl.len()), g=pl.int_range(pl.len()) % 3)
    options: dict[str, Any] = {"rate": 0.3} if of_share else {"line": line}
    options |= {"cutoff": 5.0} if design == "cutoff" else {"design": design}
    found = nser.targeting(
        frame, score="score", welfare="welfare", weights="w", predicts="welfare", psu="psu",
        by="g", replicates=2, lonely_psu="certainty", points=0, **options,
    )  # fmt: skip
    assert found.intervals is not None and found.by is not None
    assert found.by_intervals is not None
    whole = found.metrics.row(0, named=True)
    estimates = dict(found.intervals.select("metric", "estimate").rows())
    for name in (*METRICS, "auc"):  # weights are whole numbers of units: to the last bit
        assert estimates[name] == whole[name], name
    for group, name, estimate in found.by_intervals.select("g", "metric", "estimate").rows():
        if name not in ("line", "cutoff"):
            assert estimate == found.by.filter(g=group).item(0, name), name


@given(ROWS, LINES)
def test_a_model_compared_with_itself(rows: list[twin.Row], line: float) -> None:
    frame = survey(rows).with_columns(twice=2 * pl.col("score"))
    found = nser.compare_models(
        frame, {"a": "score", "b": "twice"}, welfare="welfare", line=line, weights="w"
    )
    a, b = (found.metrics.filter(model=name).drop("model", "cutoff") for name in "ab")
    assert a.equals(b, null_equal=True)
    moved = found.switches.filter(pl.col("outcome").is_in(["only_a", "only_b"]))
    assert moved["rows"].sum() == 0
    one = len({s for s, *_ in rows}) == 1
    assert found.correlation.item(0, "spearman") == (None if one else pytest.approx(1, abs=1e-12))


@given(ROWS, ROWS, LINES)
def test_switches_are_a_cross_table(
    first: list[twin.Row], second: list[twin.Row], line: float
) -> None:
    n = min(len(first), len(second))
    frame = survey(first[:n]).with_columns(other=pl.Series([s for s, *_ in second[:n]]))
    found = nser.compare_models(
        frame, {"a": "score", "b": "other"}, welfare="welfare", line=line, weights="w", benefit=3
    )
    cuts = dict(found.metrics.select("model", "cutoff").rows())
    for row in found.switches.iter_rows(named=True):
        wanted = {"both": (1, 1), "only_a": (1, 0), "only_b": (0, 1), "neither": (0, 0)}
        rows = [
            (y, w)
            for (s, y, w), (t, *_) in zip(first[:n], second[:n], strict=True)
            if (
                cuts["a"] is not None and s <= cuts["a"],
                cuts["b"] is not None and t <= cuts["b"],
            )
            == wanted[row["outcome"]]
        ]
        assert row["rows"] == len(rows)
        assert row["weight"] == pytest.approx(sum(w for _, w in rows), abs=1e-9)
        poor = sum(w for y, w in rows if y <= line)
        assert twin.same(row["poor_share"], poor / row["weight"] if rows else None)
    cost = found.metrics.select(pl.col("cost") - 3 * (pl.col("tp") + pl.col("fp"))).to_series()
    assert cost.abs().max() == 0


@given(ROWS)
def test_spearman_is_the_correlation_of_middle_ranks(rows: list[twin.Row]) -> None:
    frame = survey(rows)
    found = nser.compare_models(
        frame, {"a": "score", "b": "welfare"}, welfare="welfare", line=5.0, weights="w"
    ).correlation.item(0, "spearman")

    def ranks(values: list[float]) -> list[float]:
        w = [row[2] for row in rows]
        return [
            sum(v for y, v in zip(values, w, strict=True) if y < x)
            + sum(v for y, v in zip(values, w, strict=True) if y == x) / 2
            for x in values
        ]

    a, b = ranks([s for s, *_ in rows]), ranks([y for _, y, _ in rows])
    total = sum(w for *_, w in rows)
    mean_a, mean_b = (
        sum(x * w for x, (*_, w) in zip(r, rows, strict=True)) / total for r in (a, b)
    )
    moments = [
        sum(p * q * row[2] for p, q, row in zip(x, y, rows, strict=True))
        for x, y in (
            ([i - mean_a for i in a], [j - mean_b for j in b]),
            ([i - mean_a for i in a], [i - mean_a for i in a]),
            ([j - mean_b for j in b], [j - mean_b for j in b]),
        )
    ]
    if moments[1] < 1e-9 or moments[2] < 1e-9:
        assert found is None
    else:
        assert found == pytest.approx(moments[0] / math.sqrt(moments[1] * moments[2]), abs=1e-9)
