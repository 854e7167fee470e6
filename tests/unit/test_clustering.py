"""Clusters, one-to-one links and golden records: results, options, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt import golden
from nser_pmt.errors import CancelledError, DomainError, SchemaError

CHAIN = [("a", "b", 9.0), ("b", "c", 8.0), ("c", "d", 7.0), ("x", "y", -1.0)]


def pairs(rows: Sequence[tuple[Any, Any, float | None]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["id_left", "id_right", "match_weight"], orient="row")


def clusters(found: nser.Clusters) -> list[str]:
    """Each cluster as the text of its ids."""
    groups = found.frame.group_by("cluster", maintain_order=True).agg("id")["id"]
    return ["".join(map(str, group)) for group in groups]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["abcd", "x", "y"]),
        ({"threshold": 8.0}, ["abc", "d", "x", "y"]),
        ({"threshold": -2.0}, ["abcd", "xy"]),
        ({"method": "complete"}, ["ab", "cd", "x", "y"]),
        ({"method": "average"}, ["ab", "cd", "x", "y"]),
        ({"method": "average", "missing": -7.0}, ["ab", "cd", "x", "y"]),
        ({"method": "average", "missing": -1.0}, ["abcd", "x", "y"]),
    ],
)
def test_a_chain_by_method(options: dict[str, Any], expected: list[str]) -> None:
    assert clusters(nser.cluster(pairs(CHAIN), **options)) == expected


def test_average_counts_weak_pairs() -> None:
    triangle = [("a", "b", 9.0), ("b", "c", 8.0), ("a", "c", -9.0)]
    for weak, expected in ((-9.0, ["ab", "c"]), (-7.0, ["abc"])):
        rows = [*triangle[:2], ("a", "c", weak)]
        assert clusters(nser.cluster(pairs(rows), method="average")) == expected


@pytest.mark.parametrize(
    "dtype", [pl.Int8, pl.UInt64, pl.Int64, pl.String, pl.Categorical, pl.Enum(list("7654321"))]
)
def test_result_has_the_type_of_the_ids(dtype: Any) -> None:
    rows = pairs([("7", "5", 3.0), ("3", "5", 2.0), ("1", "2", 1.0)])
    frame = rows.with_columns(pl.col("id_left", "id_right").cast(dtype))
    for given in (frame, frame.lazy()):
        found = nser.cluster(given)
        assert dict(found.frame.schema) == {
            "id": frame.schema["id_left"],
            "cluster": frame.schema["id_left"],
        }
        assert found.frame.cast(pl.String)["id"].to_list() == ["1", "2", "3", "5", "7"]
        assert found.frame.cast(pl.String)["cluster"].to_list() == ["1", "1", "3", "3", "3"]


def test_extreme_ids() -> None:
    ids = [-(2**63), -1, 0, 2**63 - 1]
    rows = pairs([(ids[3], ids[0], 1.0), (ids[2], ids[1], 1.0)])
    found = nser.cluster(rows)
    assert found.frame["id"].to_list() == ids
    assert found.frame["cluster"].to_list() == [ids[0], -1, -1, ids[0]]


def test_nothing() -> None:
    empty = pairs([]).cast({"id_left": pl.Int64, "id_right": pl.Int64, "match_weight": pl.Float64})
    found = nser.cluster(empty)
    assert found.frame.schema == {"id": pl.Int64, "cluster": pl.Int64}
    assert found.frame.is_empty()
    assert found.sizes.is_empty()
    assert nser.assign(empty).equals(empty)
    assert nser.cluster(pairs([])).frame.is_empty()
    alone = nser.cluster(empty, frame=pl.DataFrame({"id": [3, 1]}))
    assert alone.frame.rows() == [(1, 1), (3, 3)]


def test_a_pair_given_twice_counts_with_its_larger_weight() -> None:
    rows = [("a", "b", -5.0), ("b", "a", 5.0), ("a", "b", 1.0)]
    for method in ("connected", "average", "complete"):
        assert clusters(nser.cluster(pairs(rows), method=method, threshold=5.0)) == ["ab"]


def test_sizes_and_repr() -> None:
    found = nser.cluster(pairs(CHAIN), threshold=7.5)
    assert found.sizes.rows() == [(1, 3), (3, 1)]
    assert repr(found).splitlines() == [
        "Clusters: 6 records in 4 clusters",
        "  connected, weight >= 7.5",
        "  3 records alone; largest cluster 3",
    ]
    assert found._repr_html_().startswith("<pre>Clusters: 6 records")
    assert "weight &gt;= 7.5" in found._repr_html_()


PEOPLE = pl.DataFrame(
    {
        "key": ["e", "d", "c", "b", "a"],
        "source": ["s", "s", "t", "s", None],
        "sex": [None, "m", "f", None, "m"],
        "cnic": [
            None,
            "35202-1234567-1",  # one digit from the number of c
            "35202-1234568-1",
            "NIL",
            "35202-7654321-1",
        ],
    }
)


@pytest.mark.parametrize(
    ("options", "expected", "refused"),
    [
        ({}, ["abcd", "e"], []),
        ({"one_per": "source"}, ["abc", "d", "e"], [("one_per source", 1)]),
        (
            {"one_value": "sex"},
            ["ab", "c", "d", "e"],
            [("one_value sex", 2)],
        ),
        ({"one_cnic": "cnic"}, ["ab", "cd", "e"], [("one_cnic cnic", 1)]),
        (
            {"one_cnic": ["cnic"], "one_value": ["sex"], "one_per": ["source"]},
            ["ab", "c", "d", "e"],
            [("one_per source", 0), ("one_value sex", 2), ("one_cnic cnic", 1)],
        ),
    ],
)
def test_constraints(
    options: dict[str, Any], expected: list[str], refused: list[tuple[str, int]]
) -> None:
    linked = pairs(CHAIN[:3])
    for people in (PEOPLE, PEOPLE.reverse(), PEOPLE.lazy()):
        found = nser.cluster(linked, frame=people, id="key", **options)
        assert clusters(found) == expected
        assert found.refused.rows() == refused


def test_of_two_links_the_stronger_holds() -> None:
    rows = [("a", "b", 3.0), ("b", "c", 4.0)]
    people = pl.DataFrame({"id": ["a", "b", "c"], "source": [1, 2, 1]})
    for method in ("connected", "average", "complete"):
        options: dict[str, Any] = {"method": method, "missing": -1.0}
        found = nser.cluster(pairs(rows), frame=people, one_per="source", **options)
        assert clusters(found) == ["a", "bc"]


@pytest.mark.parametrize(
    "values",
    [
        [1.5, 2.5, float("nan")],
        [True, False, None],
        pl.Series(["x", "y", None], dtype=pl.Categorical),
        pl.Series(["x", "y", None], dtype=pl.Enum(["y", "x"])),
        pl.Series([1, 2, None], dtype=pl.Date),
    ],
)
def test_labels_of_any_type_and_what_is_missing_breaks_nothing(values: Any) -> None:
    people = pl.DataFrame({"id": ["a", "b", "c"], "label": values})
    rows = pairs([("a", "b", 3.0), ("b", "c", 2.0)])
    found = nser.cluster(rows, frame=people, one_value="label")
    assert clusters(found) == ["a", "bc"]
    nothing = people.with_columns(label=pl.lit(None))
    assert clusters(nser.cluster(rows, frame=nothing, one_value="label")) == ["abc"]


SECRET = "3520212345671"


@pytest.mark.parametrize(
    ("rows", "frame", "code", "column", "row"),
    [
        ([("a", "b", 1.0), ("a", None, 1.0)], None, "null_id", "id_right", 1),
        ([("a", "b", 1.0), (SECRET, SECRET, 1.0)], None, "self_pair", "id_right", 1),
        ([("a", "b", None)], None, "null_weight", "match_weight", 0),
        ([("a", "b", 1.0), ("a", "c", float("nan"))], None, "null_weight", "match_weight", 1),
        ([("a", "b", float("inf"))], None, "infinite_weight", "match_weight", 0),
        ([("a", "b", 1.0), ("a", SECRET, 1.0)], ["a", "b"], "unknown_id", "id_right", 1),
        ([(SECRET, "a", 1.0)], ["a", "b", "c"], "unknown_id", "id_left", 0),
        ([("a", "b", 1.0)], ["a", "b", SECRET, SECRET], "duplicate_id", "id", 3),
        ([("a", "b", 1.0)], ["a", None, "b"], "null_id", "id", 1),
        ([("a", "b", 1.0)], [1, 2], "wrong_column", "id_right", None),
        ([("a", "b", 1.0)], [[1], [2]], "wrong_column", "id", None),
        ([(1.5, 2.5, 1.0)], None, "wrong_column", "id_left", None),
        ([("a", "b", "x")], None, "wrong_column", "match_weight", None),
    ],
)
def test_bad_input(
    rows: list[tuple[Any, Any, Any]],
    frame: list[Any] | None,
    code: str,
    column: str,
    row: int | None,
) -> None:
    people = None if frame is None else pl.DataFrame({"id": frame})
    with pytest.raises(SchemaError) as caught:
        nser.cluster(pairs(rows), frame=people)
    assert (caught.value.code, caught.value.column, caught.value.row) == (code, column, row)
    assert SECRET not in str(caught.value)


def test_missing_columns() -> None:
    with pytest.raises(SchemaError, match="pairs: column 'match_weight' is missing"):
        nser.cluster(pairs(CHAIN).drop("match_weight"))
    with pytest.raises(SchemaError, match=r"pairs: column 'id_left' is missing.*'id_lef'"):
        nser.assign(pairs(CHAIN).rename({"id_left": "id_lef"}))
    with pytest.raises(SchemaError, match="frame: column 'sex' is missing"):
        nser.cluster(pairs(CHAIN), frame=pl.DataFrame({"id": list("abcdxy")}), one_value="sex")
    with pytest.raises(SchemaError, match="frame: column 'tags'"):
        people = pl.DataFrame({"id": list("abcdxy"), "tags": [[1]] * 6})
        nser.cluster(pairs(CHAIN), frame=people, one_value="tags")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "single"}, "method"),
        ({"threshold": float("nan")}, "threshold"),
        ({"missing": float("inf")}, "missing"),
        ({"method": "average", "missing": 1.0}, "at most threshold"),
        ({"one_per": "source"}, "one_per needs frame"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(DomainError, match=message):
        nser.cluster(pairs(CHAIN), **options)


def test_cancelled_and_time_limit() -> None:
    control = nser.RunControl()
    control.cancel()
    with pytest.raises(CancelledError):
        nser.cluster(pairs(CHAIN), control=control)
    with pytest.raises(CancelledError):
        nser.assign(pairs(CHAIN), control=control)


def test_assign_keeps_columns_and_takes_the_best_total() -> None:
    rows = pairs([("b", "x", 7.0), ("a", "x", 9.0), ("a", "y", 8.0), ("c", "y", -1.0)])
    frame = rows.with_columns(level=pl.Series(["p", "q", "r", "s"]))
    expected = [("a", "y", 8.0, "r"), ("b", "x", 7.0, "p")]
    for given in (frame, frame.reverse(), frame.lazy()):
        assert nser.assign(given).rows() == expected
    assert nser.assign(frame, threshold=7.5).rows() == [("a", "x", 9.0, "q")]
    # One on the left may be one on the right: the sides have ids of their own.
    assert nser.assign(pairs([(1, 1, 2.0), (2, 1, 3.0), (2, 2, 2.5)])).height == 2


RECORDS = pl.DataFrame(
    {
        "id": [5, 4, 3, 2, 1, 9],
        "name": ["Bilal", "Bilal Ahmed", "Bilal", "Bilal Ahmad", None, None],
        "income": [3.0, float("nan"), 9.0, None, 1.0, None],
        "source": ["survey", "registry", "phone", None, "survey", "registry"],
        "visited": [2020, 2024, None, 2011, 2024, 2024],
        "sex": pl.Series(["m", "m", "f", None, "m", "f"], dtype=pl.Enum(["f", "m"])),
    }
)
OF_ONE = pl.DataFrame({"id": [1, 2, 3, 4, 5], "cluster": [1, 1, 1, 1, 1]})


@pytest.mark.parametrize(
    ("column", "rule", "value", "source"),
    [
        ("name", "most_frequent", "Bilal", 3),
        ("name", "longest", "Bilal Ahmad", 2),
        ("name", "first", "Bilal Ahmad", 2),
        ("name", "min", "Bilal", 3),
        ("name", "max", "Bilal Ahmed", 4),
        ("name", golden.newest("visited"), "Bilal Ahmed", 4),
        ("name", golden.from_source("source", ["phone", "registry"]), "Bilal", 3),
        ("name", golden.from_source("source", ["nobody"]), "Bilal Ahmad", 2),
        ("income", "max", 9.0, 3),
        ("income", "min", 1.0, 1),
        ("income", golden.from_source("source", ["registry", "survey"]), 1.0, 1),
        ("sex", "most_frequent", "m", 1),
        ("visited", golden.newest("visited"), 2024, 1),
        ("id", "max", 5, 5),
    ],
)
def test_rules(column: str, rule: golden.Rule, value: object, source: int) -> None:
    for records in (RECORDS, RECORDS.reverse(), RECORDS.lazy()):
        for clusters in (OF_ONE, OF_ONE.reverse()):
            made = nser.representative(records, clusters, id="id", rules={column: rule})
            assert made.columns == ["cluster", "records", column, f"{column}_from"]
            assert made.row(0) == (1, 5, value, source)
            # A record without a row among the clusters is alone.
            assert made.select("cluster", "records").row(1) == (9, 1)
            assert made.schema[column] == RECORDS.schema[column]
    if column in ("name", "income"):
        assert made.row(1)[2:] == (None, None)


def test_representative_takes_what_cluster_gives() -> None:
    found = nser.cluster(pairs([(1, 2, 5.0), (5, 3, 5.0)]), frame=RECORDS)
    made = nser.representative(RECORDS, found, id="id", rules={"name": "first"})
    assert made["cluster"].to_list() == [1, 3, 4, 9]
    assert made["name_from"].to_list() == [2, 3, 4, None]
    bare = nser.representative(RECORDS, found, id="id", rules={})
    assert bare.columns == ["cluster", "records"]
    empty = nser.representative(RECORDS.clear(), OF_ONE.clear(), id="id", rules={"name": "longest"})
    assert empty.is_empty()


def test_representative_refuses() -> None:
    def make(records: pl.DataFrame = RECORDS, of: pl.DataFrame = OF_ONE, **rules: Any) -> Any:
        return nser.representative(records, of, id="id", rules=rules)

    for call, code in (
        (lambda: make(nobody="first"), "missing_column"),
        (lambda: make(name=golden.newest("nobody")), "missing_column"),
        (lambda: make(income="longest"), "wrong_column"),
        (lambda: make(pl.concat([RECORDS, RECORDS]), name="first"), "duplicate_id"),
        (lambda: make(of=pl.concat([OF_ONE, OF_ONE])), "duplicate_id"),
        (lambda: make(RECORDS.tail(3)), "unknown_id"),
        (lambda: make(of=OF_ONE.cast(pl.String)), "wrong_column"),
        (lambda: make(name=golden.from_source("name", [1, 2])), "wrong_column"),
        (lambda: make(name=golden.from_source("name", ["x", 2])), "wrong_column"),
        (lambda: make(name=golden.from_source("income", ["x"])), "wrong_column"),
    ):
        with pytest.raises(SchemaError) as caught:
            call()
        assert caught.value.code == code
    with pytest.raises(DomainError, match="the rule of 'name'"):
        make(name="best")
    with pytest.raises(DomainError, match="one name"):
        make(RECORDS.rename({"name": "cluster"}), cluster="first")
