"""Laws of clusters and one-to-one links on random graphs."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

import nser_pmt as nser
from nser_pmt.linkage.clustering import Method

Row = tuple[int, int, float]

_records = st.integers(0, 11)
_weights = st.integers(-40, 80).map(lambda n: n / 4)
_rows = st.lists(
    st.tuples(_records, _records, _weights).filter(lambda row: row[0] != row[1]), max_size=40
)
_methods: st.SearchStrategy[Method] = st.sampled_from(("connected", "average", "complete"))
_labels = st.lists(st.sampled_from(["p", "q", None]), min_size=12, max_size=12)


def frame(rows: list[Row], text: bool = False) -> pl.DataFrame:
    made = pl.DataFrame(
        rows,
        schema={"id_left": pl.Int64, "id_right": pl.Int64, "match_weight": pl.Float64},
        orient="row",
    )
    name = pl.col("id_left", "id_right")
    return made.with_columns(name.cast(pl.String).str.zfill(3)) if text else made


def people(labels: list[str | None]) -> pl.DataFrame:
    return pl.DataFrame({"id": range(12), "label": labels}, schema_overrides={"label": pl.String})


def sets(found: nser.Clusters) -> dict[int, set[int]]:
    """The members of each record's cluster."""
    groups: dict[int, set[int]] = {}
    for record, cluster in found.frame.iter_rows():
        groups.setdefault(cluster, set()).add(record)
    assert all(min(members) == cluster for cluster, members in groups.items())
    return {record: members for members in groups.values() for record in members}


def naive(rows: list[Row], threshold: float) -> dict[int, set[int]]:
    groups = {record: {record} for row in rows for record in row[:2]}
    for left, right, weight in rows:
        if weight >= threshold and groups[left] is not groups[right]:
            groups[left] |= groups[right]
            for record in groups[right]:
                groups[record] = groups[left]
    return groups


@given(_rows, _weights)
def test_components_are_those_of_the_naive_twin(rows: list[Row], threshold: float) -> None:
    assert sets(nser.cluster(frame(rows), threshold=threshold)) == naive(rows, threshold)


@given(_rows, _methods, _labels, st.data())
def test_order_of_rows_and_sides_and_type_of_ids_change_nothing(
    rows: list[Row], method: Method, labels: list[str | None], data: st.DataObject
) -> None:
    options: dict[str, Any] = {"method": method, "one_value": "label"}
    known = people(labels)
    expected = nser.cluster(frame(rows), frame=known, **options)
    turned = [
        (right, left, weight) if data.draw(st.booleans()) else (left, right, weight)
        for left, right, weight in data.draw(st.permutations(rows))
    ]
    found = nser.cluster(frame(turned), frame=known.reverse(), **options)
    assert found.frame.equals(expected.frame)
    assert found.refused.equals(expected.refused)
    ids = known.with_columns(pl.col("id").cast(pl.String).str.zfill(3))
    text = nser.cluster(frame(turned, text=True), frame=ids, **options)
    assert text.frame.cast(pl.Int64).equals(expected.frame)
    assert text.sizes.equals(expected.sizes)


@given(_rows, _methods, _labels)
def test_constraints_hold(rows: list[Row], method: Method, labels: list[str | None]) -> None:
    for rule in ("one_per", "one_value"):
        options: dict[str, Any] = {"method": method, rule: "label"}
        found = nser.cluster(frame(rows), frame=people(labels), **options)
        groups = sets(found)
        for a, b in combinations(range(12), 2):
            if b in groups[a] and labels[a] is not None and labels[b] is not None:
                assert (labels[a] != labels[b]) == (rule == "one_per")
        free = sets(nser.cluster(frame(rows), frame=people([None] * 12), method=method))
        if method == "connected":
            assert all(groups[record] <= free[record] for record in range(12))
        if found.refused["pairs"].sum() == 0:
            assert groups == free


@given(_rows, st.tuples(_weights, _weights))
def test_a_higher_threshold_only_divides(rows: list[Row], thresholds: tuple[float, float]) -> None:
    low, high = (
        sets(nser.cluster(frame(rows), threshold=threshold)) for threshold in sorted(thresholds)
    )
    assert all(high[record] <= low[record] for record in high)


@given(_rows, _weights)
def test_methods_are_ordered(rows: list[Row], threshold: float) -> None:
    weights: dict[frozenset[int], float] = {}
    for left, right, weight in rows:
        key = frozenset((left, right))
        weights[key] = max(weight, weights.get(key, weight))
    connected = sets(nser.cluster(frame(rows), threshold=threshold))
    complete = sets(nser.cluster(frame(rows), threshold=threshold, method="complete"))
    average = sets(nser.cluster(frame(rows), threshold=threshold, method="average", missing=-50.0))
    for record, members in complete.items():
        for pair in combinations(sorted(members), 2):
            assert weights[frozenset(pair)] >= threshold
        assert members <= connected[record]
    assert all(average[record] <= connected[record] for record in average)


@given(_rows, st.integers(0, 5).map(float))
def test_one_to_one_links_are_the_best(rows: list[Row], threshold: float) -> None:
    found = nser.assign(frame(rows), threshold=threshold)
    assert found["id_left"].is_unique().all()
    assert found["id_right"].is_unique().all()
    assert set(found.iter_rows()) <= set(rows)
    assert found["id_left"].is_sorted()

    def best(lefts: list[int], taken: frozenset[int]) -> float:
        if not lefts:
            return 0.0
        totals = [best(lefts[1:], taken)]
        for left, right, weight in set(links):
            if left == lefts[0] and right not in taken:
                rest = best(lefts[1:], taken | {right})
                totals.append(weight - threshold + rest)
        return max(totals)

    links = [row for row in rows if row[2] >= threshold][:12]
    kept = nser.assign(frame(links), threshold=threshold)
    total = (kept["match_weight"] - threshold).sum()
    assert total == best(sorted({row[0] for row in links}), frozenset())
    assert nser.assign(frame(rows[::-1]), threshold=threshold).equals(found)
