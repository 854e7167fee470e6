"""Look-ups under pytest-benchmark, for comparing two versions of the library.

    pytest benches -p benchmark

NSER_PMT_BENCH_NAMES sets the size of the dictionary. The numbers to quote are those of `run.py`.
"""

from __future__ import annotations

import os
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
import roman_names
from nser_pmt import _native
from top_k.peers import SCORERS, K, exact

pytest.importorskip("pytest_benchmark")

NAMES = int(os.environ.get("NSER_PMT_BENCH_NAMES", "100000"))


@pytest.fixture(scope="module", autouse=True)
def _release_build() -> None:
    if _native.debug_build():
        pytest.fail("nser_pmt is a debug build; build it with --release")


@pytest.fixture(scope="module")
def names() -> list[str]:
    return roman_names.dictionary(NAMES)


@pytest.mark.parametrize("scorer", SCORERS)
def test_top_k(benchmark: Any, names: list[str], scorer: Any) -> None:
    queries = roman_names.queries(names, 1000)
    prepared = nser.similarity.Dictionary(names)
    few = nser.similarity.top_k(queries[:10], prepared, k=K, scorer=scorer)
    rows = few.select("query_index", "match_index", "score").rows()
    assert rows == exact(queries[:10], names, scorer)
    asked = pl.Series(queries)
    benchmark(lambda: nser.similarity.top_k(asked, prepared, k=K, scorer=scorer))


def test_dictionary(benchmark: Any, names: list[str]) -> None:
    series = pl.Series(names)
    benchmark(lambda: nser.similarity.Dictionary(series))
