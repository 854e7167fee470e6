"""`evaluate_links` counts as its naive twin does, whatever the order of rows and ids."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nser_pmt as nser
from oracle import link_quality_twin as twin

WEIGHTS = (-70.0, -3.5, -0.0, 0.0, 0.25, 4.0, 4.5, 30.0)
ALONE = 100  # clusters of one record from here on have no row


class Case(NamedTuple):
    entity: dict[int, str]
    weights: dict[twin.Pair, float]
    candidates: set[twin.Pair]
    cluster: dict[int, int]
    threshold: float

    @property
    def truth(self) -> pl.DataFrame:
        rows = list(self.entity.items())[::-1]
        return pl.DataFrame(rows, {"id": pl.Int32, "entity": pl.String}, orient="row")

    @property
    def pairs(self) -> pl.DataFrame:
        rows = [(*pair, weight) for pair, weight in self.weights.items()]
        schema = {"id_left": pl.Int64, "id_right": pl.Int64, "match_weight": pl.Float64}
        return pl.DataFrame(rows, schema, orient="row")

    @property
    def compared(self) -> pl.DataFrame:
        schema = {"id_left": pl.Int64, "id_right": pl.Int64}
        return pl.DataFrame(sorted(self.candidates), schema, orient="row")

    @property
    def clusters(self) -> pl.DataFrame:
        schema = {"id": pl.Int64, "cluster": pl.Int64}
        rows = [(a, c) for a, c in self.cluster.items() if c < ALONE]
        return pl.DataFrame(rows, schema, orient="row")


@st.composite
def cases(draw: st.DrawFn) -> Case:
    ids = draw(st.lists(st.integers(-50, 50), min_size=1, max_size=9, unique=True))
    entity = {a: draw(st.sampled_from("abcd")) for a in ids}
    cluster = {a: draw(st.integers(0, 3) | st.just(ALONE + n)) for n, a in enumerate(ids)}
    every = list(combinations(sorted(ids), 2))
    if not every:
        return Case(entity, {}, set(), cluster, 0.0)
    candidates = draw(st.sets(st.sampled_from(every)))
    scored = [pair for pair in sorted(candidates) if draw(st.booleans())]
    weights = {pair: draw(st.sampled_from(WEIGHTS)) for pair in draw(st.permutations(scored))}
    return Case(entity, weights, candidates, cluster, draw(st.sampled_from(WEIGHTS)))


def close(found: float | None, expected: Fraction | None) -> bool:
    if found is None or expected is None:
        return found is expected
    return found == pytest.approx(float(expected), abs=1e-12)


def alike(found: tuple[float | None, ...], expected: twin.Scores) -> bool:
    return found[:2] == expected[:2] and all(map(close, found[2:], expected[2:]))


@given(case=cases())
def test_pairs(case: Case) -> None:
    true = twin.true_pairs(case.entity)
    quality = nser.evaluate_links(case.pairs, case.truth, threshold=case.threshold)
    flat = (quality.predicted, quality.true_positives)
    flat += (quality.precision, quality.recall, quality.f1)
    assert alike(flat, twin.scores(twin.at_least(case.weights, case.threshold), true))
    assert (quality.records, quality.true_pairs) == (len(case.entity), len(true))

    expected = twin.curve(case.weights, true)
    assert quality.curve is not None
    assert quality.curve.get_column("threshold").to_list() == list(expected)
    assert all(
        alike(row[1:], scores)
        for row, scores in zip(quality.curve.rows(), expected.values(), strict=True)
    )
    defined = [(s[4], t) for t, s in expected.items() if s[4] is not None]
    best = max(defined, default=(None, None))
    assert close(quality.best_f1, best[0])
    assert quality.best_threshold == best[1]
    # A probability of 4.0 is .941, of 4.5 .958.
    assert close(quality.f1_at_p95, twin.scores(twin.at_least(case.weights, 4.2), true)[4])


@given(
    case=cases(), thresholds=st.lists(st.sampled_from([*WEIGHTS, -100.0, 1.0, 99.0]), max_size=5)
)
def test_thresholds_given(case: Case, thresholds: list[float]) -> None:
    true = twin.true_pairs(case.entity)
    curve = nser.evaluate_links(case.pairs, case.truth, thresholds=thresholds).curve
    assert curve is not None
    assert curve.get_column("threshold").to_list() == sorted(set(thresholds))
    for threshold, *row in curve.iter_rows():
        assert alike(tuple(row), twin.scores(twin.at_least(case.weights, threshold), true))


@given(case=cases())
def test_clusters(case: Case) -> None:
    quality = nser.evaluate_links(case.clusters, case.truth)
    clusters = quality.clusters
    assert clusters is not None
    expected = twin.scores(twin.within(case.cluster), twin.true_pairs(case.entity))
    flat = (clusters.predicted, clusters.true_positives)
    flat += (clusters.precision, clusters.recall, clusters.f1)
    assert alike(flat, expected)
    assert (quality.f1, quality.recall) == (clusters.f1, clusters.recall)
    precision, recall = twin.b_cubed(case.cluster, case.entity)
    assert close(clusters.b_cubed_precision, precision)
    assert close(clusters.b_cubed_recall, recall)
    assert close(clusters.exact_share, twin.exact_share(case.cluster, case.entity))
    assert clusters.sizes.select(pl.col("size").dot("clusters")).item() == len(case.entity)


@given(case=cases(), blocked=st.booleans(), clustered=st.booleans())
def test_stages(case: Case, blocked: bool, clustered: bool) -> None:
    candidates = case.candidates if blocked else None
    quality = nser.evaluate_links(
        case.pairs,
        case.truth,
        threshold=case.threshold,
        candidates=case.compared if blocked else None,
        clusters=case.clusters if clustered else None,
    )
    cluster = case.cluster if clustered else None
    expected = twin.stages(case.entity, case.weights, case.threshold, candidates, cluster)
    assert dict(quality.stages.select("stage", "pairs").iter_rows()) == expected
    lost = sum(n for stage, n in expected.items() if stage not in ("found", "joined_by_clustering"))
    assert quality.lost.height == lost
    true = twin.true_pairs(case.entity)
    if blocked:
        compared = Fraction(len(case.candidates & true), len(true)) if true else None
        assert close(quality.blocking_recall, compared)


@given(case=cases())
def test_a_list_of_true_pairs(case: Case) -> None:
    true = pl.DataFrame(
        sorted(twin.true_pairs(case.entity)),
        {"id_left": pl.Int64, "id_right": pl.Int64},
        orient="row",
    )
    listed = nser.evaluate_links(case.pairs, true, threshold=case.threshold, candidates="found")
    entity = nser.evaluate_links(
        case.pairs, case.truth, threshold=case.threshold, candidates="found"
    )
    assert listed.curve is not None
    assert entity.curve is not None
    assert listed.curve.equals(entity.curve)
    assert listed.stages.equals(entity.stages)
    assert listed.blocking_recall == entity.blocking_recall


@given(case=cases())
def test_calibration(case: Case) -> None:
    quality = nser.evaluate_links(case.pairs, case.truth)
    true = twin.true_pairs(case.entity)
    errors = [(1 / (1 + 2**-w) - (pair in true)) ** 2 for pair, w in case.weights.items()]
    assert quality.calibration is not None
    assert quality.calibration.get_column("pairs").sum() == len(errors)
    if not errors:
        assert quality.brier is None
        return
    assert quality.brier == pytest.approx(sum(errors) / len(errors), abs=1e-12)
    for low, high, n, hits, share, expected in quality.calibration.iter_rows():
        # -70 is pooled with what is below -63.
        inside = {p: w for p, w in case.weights.items() if low <= max(w, -64.0) < high}
        assert (n, hits) == (len(inside), len(true & set(inside)))
        assert share == hits / n
        mean = sum(1 / (1 + 2**-w) for w in inside.values()) / n
        assert expected == pytest.approx(mean, abs=1e-12)


@given(case=cases(), data=st.data())
def test_neither_order_of_rows_nor_of_ids_matters(case: Case, data: st.DataObject) -> None:
    def shuffled(frame: pl.DataFrame) -> pl.DataFrame:
        return frame[data.draw(st.permutations(range(frame.height)))]

    turned = case.pairs.select(id_left="id_right", id_right="id_left", match_weight="match_weight")
    first = evaluated(case.pairs, case.truth, case.clusters, case.compared)
    second = evaluated(*map(shuffled, (turned, case.truth, case.clusters, case.compared)))
    for name, value in first.items():
        other = second[name]
        assert value.equals(other) if isinstance(value, pl.DataFrame) else value == other, name


def evaluated(
    pairs: pl.DataFrame, truth: pl.DataFrame, clusters: pl.DataFrame, compared: pl.DataFrame
) -> Mapping[str, object]:
    quality = nser.evaluate_links(pairs, truth, candidates=compared, clusters=clusters, by="entity")
    found = dict(vars(quality))
    return found | {f"of clusters: {k}": v for k, v in vars(found.pop("clusters")).items()}
