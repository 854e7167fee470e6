"""`evaluate_links`: kinds of error, forms of input, and what it refuses."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt.errors import DomainError, SchemaError

TRUTH = pl.DataFrame(
    {
        "id": ["p1", "p2", "p3", "p4", "p5"],
        "entity": [7, 7, 7, 9, 9],
        "errors": [[], ["cnic", "name"], ["cnic"], None, []],
        "error": [None, "cnic", "name", None, None],
    }
)
PAIRS = pl.DataFrame(
    {
        "id_left": ["p1", "p2", "p1"],
        "id_right": ["p2", "p3", "p4"],
        "match_weight": [8.0, -2.0, 1.0],
    }
)
CLUSTERS = pl.DataFrame({"id": ["p1", "p2", "p3"], "cluster": ["p1", "p1", "p3"]})


def test_by_kind_of_error() -> None:
    by = nser.evaluate_links(PAIRS, TRUTH, by="errors", candidates="found").by
    assert by is not None
    shown = by.select("kind", "true_pairs", "found", "scored_too_low", "not_blocked").rows()
    # p1-p2 and p2-p3 and p1-p3; then p4-p5, which has no error.
    assert shown == [("cnic", 3, 1, 1, 1), ("name", 2, 1, 1, 0), (None, 1, 0, 0, 1)]


def test_kinds_in_a_frame_of_their_own() -> None:
    column = nser.evaluate_links(PAIRS, TRUTH, by="errors").by
    long = TRUTH.select("id", "errors").explode("errors").drop_nulls()
    frame = nser.evaluate_links(PAIRS, TRUTH, by=long.rename({"errors": "kind of slip"})).by
    assert column is not None
    assert frame is not None
    assert column.equals(frame)


def test_a_kind_for_each_true_pair() -> None:
    true = PAIRS.head(2).select("id_left", "id_right", error=pl.Series(["a", None]))
    by = nser.evaluate_links(PAIRS, true, by="error").by
    assert by is not None
    assert by.select("kind", "true_pairs", "found").rows() == [("a", 1, 1), (None, 1, 0)]
    with pytest.raises(SchemaError, match="give a column of it"):
        nser.evaluate_links(PAIRS, true, by=TRUTH.select("id", "error"))


def test_links_without_weights_are_all_predicted() -> None:
    quality = nser.evaluate_links(PAIRS.drop("match_weight"), TRUTH)
    assert (quality.predicted, quality.true_positives) == (3, 2)
    assert quality.curve is None
    assert quality.stages.rows() == [("found", 2, 0.5), ("not_linked", 2, 0.5)]


def test_reduction_and_blocking_recall() -> None:
    quality = nser.evaluate_links(PAIRS, TRUTH, candidates="found")
    assert quality.candidate_pairs == 3
    assert quality.blocking_recall == 0.5
    assert quality.reduction == 0.7


def test_clusters_alone_leave_the_stage_open() -> None:
    quality = nser.evaluate_links(CLUSTERS, TRUTH)
    assert quality.stages.rows() == [("found", 1, 0.25), ("not_linked", 3, 0.75)]
    known = nser.evaluate_links(CLUSTERS, TRUTH, candidates=PAIRS)
    assert known.stages.select("stage", "pairs").rows() == [
        ("found", 1),
        ("not_blocked", 2),
        ("not_linked", 1),
    ]


def test_a_result_that_holds_its_frame() -> None:
    @dataclass
    class Clusters:
        frame: pl.DataFrame

    held = nser.evaluate_links(PAIRS, TRUTH, clusters=Clusters(CLUSTERS)).clusters
    given = nser.evaluate_links(Clusters(CLUSTERS), TRUTH).clusters
    assert held is not None
    assert given is not None
    assert held.f1 == given.f1 == 2 / 5


def test_types_of_ids() -> None:
    codes = {f"p{n}": n for n in range(1, 6)}
    numbers = TRUTH.with_columns(pl.col("id").replace_strict(codes, return_dtype=pl.Int64))
    pairs = PAIRS.with_columns(
        pl.col("id_left", "id_right").replace_strict(codes, return_dtype=pl.UInt8)
    )
    expected = nser.evaluate_links(PAIRS, TRUTH).f1
    assert nser.evaluate_links(pairs.lazy(), numbers.lazy()).f1 == expected
    enum = PAIRS.with_columns(pl.col("id_left", "id_right").cast(pl.Enum(list(codes))))
    assert nser.evaluate_links(enum, TRUTH).f1 == expected
    with pytest.raises(SchemaError, match="ids of two types") as caught:
        nser.evaluate_links(pairs, TRUTH)
    assert caught.value.code == "wrong_column"


def test_a_kind_named_twice_counts_once() -> None:
    true = PAIRS.head(1).select("id_left", "id_right", errors=pl.Series([["a", "a"]]))
    by = nser.evaluate_links(PAIRS, true, by="errors").by
    assert by is not None
    assert by.select("kind", "true_pairs").rows() == [("a", 1)]


@pytest.mark.parametrize("zeros", [[-0.0, 0.0, -0.0], [0.0, -0.0, 0.0]])
def test_the_two_zeros_are_one_threshold(zeros: list[float]) -> None:
    curve = nser.evaluate_links(PAIRS.with_columns(match_weight=pl.Series(zeros)), TRUTH).curve
    assert curve is not None
    assert str(curve.get_column("threshold").to_list()) == "[0.0]"


def test_infinite_weights() -> None:
    pairs = PAIRS.with_columns(match_weight=pl.Series([float("inf"), 0.0, float("-inf")]))
    quality = nser.evaluate_links(pairs, TRUTH)
    assert quality.brier == pytest.approx(0.25 / 3)
    assert quality.best_threshold == 0.0


def test_nothing_found_and_nothing_true() -> None:
    nothing = nser.evaluate_links(PAIRS.clear(), TRUTH, clusters=CLUSTERS.clear())
    assert (nothing.precision, nothing.recall, nothing.f1) == (None, 0.0, 0.0)
    assert nothing.clusters is not None
    assert nothing.clusters.exact_share == 0.0
    alone = nser.evaluate_links(PAIRS.clear(), TRUTH.with_columns(entity="id"))
    assert (alone.true_pairs, alone.recall, alone.f1) == (0, None, None)
    assert nser.evaluate_links(CLUSTERS.clear(), TRUTH.clear()).clusters is not None


def null(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """Make the second value of a column null."""
    row = pl.int_range(pl.len())
    return frame.with_columns(pl.when(row != 1).then(pl.col(column)).alias(column))


WRONG: dict[str, tuple[str, str, int | None, dict[str, Any]]] = {
    "truth with an id twice": ("duplicate_id", "id", 5, {"truth": pl.concat([TRUTH, TRUTH[1:2]])}),
    "truth with a null id": ("null_id", "id", 1, {"truth": null(TRUTH, "id")}),
    "truth with a null entity": ("null_id", "entity", 1, {"truth": null(TRUTH, "entity")}),
    "truth without entity": ("missing_column", "entity", None, {"truth": TRUTH.drop("entity")}),
    "unknown id": ("unknown_id", "id_right", 1, {"truth": TRUTH.filter(pl.col("id") != "p3")}),
    "null id": ("null_id", "id_right", 1, {"found": null(PAIRS, "id_right")}),
    "null weight": ("null_weight", "match_weight", 1, {"found": null(PAIRS, "match_weight")}),
    "weight not a number": (
        "null_weight",
        "match_weight",
        0,
        {"found": PAIRS.with_columns(match_weight=float("nan"))},
    ),
    "pair twice": ("duplicate_pair", "id_left", 3, {"found": pl.concat([PAIRS, PAIRS[1:2]])}),
    "pair of one record": (
        "self_pair",
        "id_right",
        0,
        {"found": PAIRS.with_columns(id_right="id_left")},
    ),
    "weights of text": (
        "wrong_column",
        "match_weight",
        None,
        {"found": PAIRS.with_columns(match_weight=pl.lit("1"))},
    ),
    "id in two clusters": (
        "duplicate_id",
        "id",
        3,
        {"clusters": pl.concat([CLUSTERS, CLUSTERS[1:2]])},
    ),
    "null cluster": ("null_id", "cluster", 1, {"clusters": null(CLUSTERS, "cluster")}),
    "unknown id in clusters": (
        "unknown_id",
        "id",
        0,
        {"clusters": CLUSTERS.with_columns(id=pl.lit("p9"))},
    ),
    "clusters without entities": (
        "missing_column",
        "entity",
        None,
        {"truth": PAIRS, "clusters": CLUSTERS},
    ),
    "true pair twice": ("duplicate_pair", "id_left", 3, {"truth": pl.concat([PAIRS, PAIRS[1:2]])}),
    "unknown column of kinds": ("missing_column", "kind", None, {"by": "kind"}),
}


@pytest.mark.parametrize("name", WRONG)
def test_bad_input(name: str) -> None:
    code, column, row, given = WRONG[name]
    given = {"found": PAIRS, "truth": TRUTH} | given
    with pytest.raises(SchemaError) as caught:
        nser.evaluate_links(given.pop("found"), given.pop("truth"), **given)
    assert (caught.value.code, caught.value.column, caught.value.row) == (code, column, row)
    assert "p2" not in str(caught.value)


def test_the_same_pair_the_other_way_round_is_the_same_pair() -> None:
    turned = PAIRS[:1].select(id_left="id_right", id_right="id_left", match_weight="match_weight")
    with pytest.raises(SchemaError, match="a pair occurs twice"):
        nser.evaluate_links(pl.concat([PAIRS, turned]), TRUTH)


def test_a_constant_entity_is_refused_before_memory_is_full() -> None:
    truth = pl.DataFrame({"id": pl.int_range(30_000, eager=True), "entity": 1})
    with pytest.raises(DomainError) as caught:
        nser.evaluate_links(PAIRS, truth)
    assert caught.value.code == "too_many_pairs"


def test_options() -> None:
    for options in ({"threshold": math.nan}, {"thresholds": [0.0, math.nan]}):
        with pytest.raises(DomainError, match="must be numbers"):
            nser.evaluate_links(PAIRS, TRUTH, **options)  # type: ignore[arg-type]
    with pytest.raises(DomainError, match="candidates"):
        nser.evaluate_links(CLUSTERS, TRUTH, candidates="found")
    with pytest.raises(SchemaError, match="expected pairs"):
        nser.evaluate_links(CLUSTERS, TRUTH, clusters=CLUSTERS)


def test_frozen_and_shown() -> None:
    quality = nser.evaluate_links(PAIRS, TRUTH, clusters=CLUSTERS)
    with pytest.raises(FrozenInstanceError):
        quality.f1 = 1.0  # type: ignore[misc]
    assert "F1 .3333" in repr(quality)
    assert "p1" not in repr(quality)
    assert quality._repr_html_().startswith("<pre>LinkQuality: 4 true pairs")
