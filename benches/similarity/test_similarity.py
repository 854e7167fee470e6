"""The peers under pytest-benchmark, for comparing two versions of the library.

    pytest benches -p benchmark

NSER_PMT_BENCH_ROWS sets the number of rows. The numbers to quote are those of `run.py`.
"""

from __future__ import annotations

import os
from typing import Any

import polars as pl
import pytest

from nser_pmt import _native
from similarity import workload
from similarity.peers import agree, on_names

pytest.importorskip("pytest_benchmark")

ROWS = int(os.environ.get("NSER_PMT_BENCH_ROWS", "1000000"))
THREADS = pl.thread_pool_size()


@pytest.fixture(scope="module", autouse=True)
def _release_build() -> None:
    if _native.debug_build():
        pytest.fail("nser_pmt is a debug build; build it with --release")


@pytest.mark.parametrize("metric", ["jaro_winkler", "levenshtein"])
@pytest.mark.parametrize("peer", ["nser_pmt", "RapidFuzz", "DuckDB"])
def test_names(benchmark: Any, metric: str, peer: str) -> None:
    groups = on_names(workload.names(ROWS), metric, THREADS)
    assert agree(groups) is None
    benchmark.group = f"{ROWS:,} pairs, {metric}, {THREADS} threads"
    (call,) = groups[peer].values()
    benchmark(call)
