"""The peers under pytest-benchmark, for comparing two versions of the library.

    pytest benches -p benchmark

NSER_PMT_BENCH_ROWS sets the number of rows. Polars and nser_pmt use as many threads as
POLARS_MAX_THREADS allows. The numbers to quote are those of `run.py`.
"""

from __future__ import annotations

import os
from typing import Any

import polars as pl
import pytest

from nser_pmt import _native
from scoring.bandwidth import read_loops
from scoring.peers import Forms, check, left_to_right, on_enums, on_strings
from scoring.workload import arrays, coded, formula, frame, households

pytest.importorskip("pytest_benchmark")

ROWS = int(os.environ.get("NSER_PMT_BENCH_ROWS", "1000000"))
THREADS = pl.thread_pool_size()
FORMULA = formula()


@pytest.fixture(scope="module", autouse=True)
def _release_build() -> None:
    if _native.debug_build():
        pytest.fail("nser_pmt is a debug build; build it with --release")


@pytest.fixture(scope="module")
def expected() -> Any:
    return left_to_right(frame(ROWS), FORMULA)


@pytest.fixture(scope="module")
def enum_groups() -> dict[str, Forms]:
    return on_enums(frame(ROWS), FORMULA, THREADS)


@pytest.fixture(scope="module")
def string_groups() -> dict[str, Forms]:
    return on_strings(frame(ROWS, categories="string"), FORMULA, THREADS)


def names(groups: dict[str, Forms]) -> list[tuple[str, str]]:
    return [(group, form) for group, forms in groups.items() for form in forms]


def run(benchmark: Any, groups: dict[str, Forms], group: str, form: str, expected: Any) -> None:
    call = groups[group][form]
    assert check([call], expected, exactly=group.startswith("nser_pmt"))
    benchmark(call)


@pytest.mark.parametrize(("group", "form"), names(on_enums(frame(10), FORMULA, THREADS)))
def test_enums(
    benchmark: Any, enum_groups: dict[str, Forms], group: str, form: str, expected: Any
) -> None:
    benchmark.group = f"{ROWS:,} rows, Enum, {THREADS} threads"
    run(benchmark, enum_groups, group, form, expected)


@pytest.mark.parametrize(
    ("group", "form"), names(on_strings(frame(10, categories="string"), FORMULA, THREADS))
)
def test_strings(
    benchmark: Any, string_groups: dict[str, Forms], group: str, form: str, expected: Any
) -> None:
    benchmark.group = f"{ROWS:,} rows, String, {THREADS} threads"
    run(benchmark, string_groups, group, form, expected)


def test_read_loop(benchmark: Any) -> None:
    benchmark.group = f"{ROWS:,} rows, Enum, {THREADS} threads"
    benchmark(read_loops(arrays(coded(frame(ROWS))), THREADS)["sum of columns"])


def test_score_one(benchmark: Any) -> None:
    model, answers = FORMULA.model(), households(1)[0]
    score, status = benchmark(model.score_one, answers)
    assert (score, status) == (left_to_right(frame(1), FORMULA)[0], "ok")
