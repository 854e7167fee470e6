"""Laws of `link`: what may not matter does not, and every pair is what a naive twin says."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nser_pmt as nser
from nser_pmt import blocking, compare
from oracle import link_twin as twin

NUMBERS = ["3520212345671", "3520212345617", "3520212345670", "352021234567", "4210176543213"]
NAMES = ["Muhammad Aslam", "Mohd Aslam", "Aslam", "Bushra Bibi", "Bushra Zahid", "محمد اسلم", ""]
DATES = [date(1980, 4, 5), date(1980, 5, 4), date(1980, 1, 1), date(1980, 4, 6), date(1971, 1, 1)]

ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "cnic": st.sampled_from([None, *NUMBERS]),
            "name": st.sampled_from([None, *NAMES]),
            "born": st.sampled_from([None, *DATES]),
            "place": st.sampled_from([None, "", "a", "b", "c"]),
            "size": st.sampled_from([None, math.nan, 0.0, 1.0, 1.5, 8.0]),
            "phones": st.none() | st.lists(st.sampled_from(["1", "2", "3"]), max_size=3),
        }
    ),
    max_size=14,
)
SCHEMA = {
    "cnic": pl.String,
    "name": pl.String,
    "born": pl.Date,
    "place": pl.String,
    "size": pl.Float64,
    "phones": pl.List(pl.String),
}


def known(c: nser.compare.Comparison) -> nser.compare.Comparison:
    n = len(c.levels)
    m = [0.8, *(0.2 / (n - 1) for _ in range(n - 1))]
    u = [0.02, *(0.98 / (n - 1) for _ in range(n - 1))]
    return c.with_chances(m=m, u=u)


SPEC = nser.LinkSpec(
    compare=[
        known(c)
        for c in (
            compare.name("name", levels=[0.9, 0.6]),
            compare.date("born", frequency="none"),
            compare.number("size", levels=[1, "50%"]),
            compare.set("phones", levels=[2, 0.3]),
            compare.exact("place", frequency="exact"),
            compare.string("place", label="place_2", frequency="all"),
        )
    ],
    block_on=[["place"], ["name", "born"], blocking.cnic_within("cnic"), ["cnic"]],
    prior=0.02,
)


def framed(rows: list[dict[str, Any]], first: int = 1) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=SCHEMA)
    return frame.with_columns(id=pl.int_range(first, first + 7 * frame.height, 7))


def link(frame: Any, *more: Any, **options: Any) -> pl.DataFrame:
    return nser.link(frame, *more, SPEC, id="id", threshold=None, **options)


@given(rows=ROWS, data=st.data())
def test_order_chunks_threads_and_laziness_do_not_matter(
    rows: list[dict[str, Any]], data: st.DataObject
) -> None:
    frame = framed(rows)
    expected = link(frame)
    order = data.draw(st.permutations(range(frame.height)))
    cut = data.draw(st.integers(0, frame.height))
    shuffled = frame[list(order)]
    chunked = pl.concat([frame.slice(0, cut), frame.slice(cut)], rechunk=False)
    for other in (shuffled, chunked, frame.lazy()):
        assert link(other).equals(expected)
    for threads in (1, 2):
        assert link(frame, control=nser.RunControl(threads=threads)).equals(expected)


@given(rows=ROWS)
def test_pairs_are_those_of_the_twin(rows: list[dict[str, Any]]) -> None:
    spec = SPEC.replace(block_on=[["place"], ["name", "born"], ["cnic"]])
    frame = framed(rows)
    found = nser.link(frame, spec, id="id", threshold=None)
    listed = frame.to_dicts()
    pairs = twin.candidates(listed, None, [["place"], ["name", "born"], ["cnic"]])
    keys = [(listed[i]["id"], listed[j]["id"]) for i, j in pairs]
    assert sorted(found.select("id_left", "id_right").rows()) == sorted(keys)
    by_pair = {(row[0], row[1]): row for row in found.iter_rows()}
    for (i, j), key in zip(pairs, keys, strict=True):
        a, b = listed[i], listed[j]
        places = [twin.level(c, a, b) for c in spec.compare]
        labels = [
            None if p is None else c.levels[p] for c, p in zip(spec.compare, places, strict=True)
        ]
        assert list(by_pair[key][4:]) == labels
        expected = twin.weight(spec, places)
        for c, place in zip(spec.compare, places, strict=True):
            last = {"none": -1, "exact": 0, "all": len(c.levels) - 2}[c.frequency]
            if place is not None and place <= last:
                assert c.u is not None
                values = frame.get_column(c.column).to_list()
                rarity = twin.rarity(values, a[c.column], b[c.column])
                expected += math.log2(c.u[0]) + rarity
        assert by_pair[key][2] == pytest.approx(expected, abs=1e-5)


@given(rows=ROWS, threshold=st.floats(-15, 15))
def test_a_threshold_is_a_filter(rows: list[dict[str, Any]], threshold: float) -> None:
    frame = framed(rows)
    kept = nser.link(frame, SPEC, id="id", threshold=threshold)
    assert kept.equals(link(frame).filter(pl.col("match_weight") >= threshold))


@given(left=ROWS, right=ROWS)
def test_two_frames_are_the_pairs_across_of_one(
    left: list[dict[str, Any]], right: list[dict[str, Any]]
) -> None:
    a, b = framed(left), framed(right, first=1000)
    across = link(a, b)
    whole = link(pl.concat([a, b])).filter(
        (pl.col("id_left") < 1000) & (pl.col("id_right") >= 1000)
    )
    order = ["id_left", "id_right"]
    assert across.sort(order).equals(whole.sort(order))


@given(rows=ROWS)
def test_explained_weights_add_up(rows: list[dict[str, Any]]) -> None:
    pairs = link(framed(rows))
    explained = nser.explain_pairs(pairs, SPEC)
    sums = explained.group_by("id_left", "id_right", maintain_order=True).agg(
        pl.col("weight").sum()
    )
    assert sums.get_column("weight").to_list() == pytest.approx(
        pairs.get_column("match_weight").to_list(), abs=1e-9
    )


@given(rows=ROWS, cap=st.integers(2, 6))
def test_counts_are_those_of_the_run(rows: list[dict[str, Any]], cap: int) -> None:
    rules = [blocking.equal("place", max_block=cap), ["born"], blocking.neighbours("name", 3)]
    spec = SPEC.replace(block_on=rules)
    frame = framed(rows)
    counts = nser.count_pairs(frame, spec, id="id")
    pairs = nser.link(frame, spec, id="id", threshold=None)
    assert counts.get_column("new_pairs").sum() == pairs.height
    assert pairs.select("id_left", "id_right").is_unique().all()
    sizes = frame.filter(pl.col("place") != "").group_by("place").len().get_column("len")
    dropped = sizes.filter(sizes > cap)
    assert counts.item(0, "dropped_blocks") == len(dropped)
    assert counts.item(0, "dropped_rows") == dropped.sum()
    assert counts.item(0, "dropped_pairs") == sum(math.comb(n, 2) for n in dropped)


@given(rows=ROWS)
def test_only_the_order_of_ids_matters(rows: list[dict[str, Any]]) -> None:
    frame = framed(rows)
    other = frame.with_columns(
        pl.format("p{}", (pl.col("id") + 10_000).cast(pl.String)).alias("id")
    )
    renamed = link(frame).with_columns(
        pl.format("p{}", (pl.col(c) + 10_000).cast(pl.String)).alias(c)
        for c in ("id_left", "id_right")
    )
    assert link(other).equals(renamed)
