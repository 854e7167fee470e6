"""The steps of a linkage under pytest-benchmark, for comparing two versions of the library.

    pytest benches -p benchmark

NSER_PMT_BENCH_PERSONS sets the number of persons. nser_pmt and Polars use as many threads as
POLARS_MAX_THREADS allows. The numbers to quote are those of `run.py`.
"""

from __future__ import annotations

import os
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from linking import data
from linking.measured import LABEL_FREE
from linking.nser_plan import persons_plan
from nser_pmt import _native

pytest.importorskip("pytest_benchmark")

PERSONS = int(os.environ.get("NSER_PMT_BENCH_PERSONS", "100000"))
PLAN = persons_plan("keys")


@pytest.fixture(scope="module", autouse=True)
def _release_build() -> None:
    if _native.debug_build():
        pytest.fail("nser_pmt is a debug build; build it with --release")


@pytest.fixture(scope="module")
def made() -> pl.DataFrame:
    dates = pl.col("dob").str.to_date("%Y-%m-%d", strict=False)
    return pl.read_parquet(data.persons(PERSONS)).with_columns(dates)


@pytest.fixture(scope="module")
def persons(made: pl.DataFrame) -> pl.DataFrame:
    return made.drop("entity", "errors")


@pytest.fixture(scope="module")
def rows(persons: pl.DataFrame) -> nser.Linkage:
    return nser.Linkage(persons, PLAN, id="person_id")


@pytest.fixture(scope="module")
def learned(rows: nser.Linkage) -> nser.LinkSpec:
    return rows.learn().spec


@pytest.fixture(scope="module")
def pairs(rows: nser.Linkage, learned: nser.LinkSpec, made: pl.DataFrame) -> pl.DataFrame:
    """Pairs that are right: a fast answer that is wrong is none."""
    found = rows.link(learned, threshold=LABEL_FREE)
    truth = made.select(id="person_id", entity="entity")
    quality = nser.evaluate_links(found, truth, threshold=LABEL_FREE)
    assert quality.f1 is not None and quality.f1 > 0.97
    return found


def test_read(benchmark: Any, persons: pl.DataFrame) -> None:
    benchmark(lambda: nser.Linkage(persons, PLAN, id="person_id"))


def test_count(benchmark: Any, rows: nser.Linkage) -> None:
    benchmark(rows.count_pairs)


def test_learn(benchmark: Any, rows: nser.Linkage, learned: nser.LinkSpec) -> None:
    assert rows.learn().spec == learned
    benchmark(rows.learn)


@pytest.mark.parametrize("threshold", [None, LABEL_FREE], ids=["every pair", "links"])
def test_link(
    benchmark: Any,
    rows: nser.Linkage,
    learned: nser.LinkSpec,
    pairs: pl.DataFrame,
    threshold: float | None,
) -> None:
    found = rows.link(learned, threshold=threshold)
    assert found.filter(pl.col("match_weight") >= LABEL_FREE).equals(pairs)
    benchmark(lambda: rows.link(learned, threshold=threshold))


def test_cluster(benchmark: Any, pairs: pl.DataFrame) -> None:
    benchmark(lambda: nser.cluster(pairs, threshold=LABEL_FREE))
