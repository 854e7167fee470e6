"""A whole country from Parquet to Parquet: scoring against copying.

Makes the synthetic households once (the columns that the model reads, and hh_id), then runs two
pipelines in turn, each in a fresh process:

    copy    scan_parquet -> add a constant Float64 column -> sink_parquet
    score   scan_parquet -> nser_pmt.score                -> sink_parquet

Copying is the least that any tool would cost that adds a score; scoring writes one column more, the
status, and its scores compress less well than a constant. Reports the median seconds of a pipeline
(without starting Python), their ratio, and the largest resident memory that the operating system
saw in each process, Python and Polars included. The file is read from the page cache.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

from file_to_file import in_turns, main, timed

# Polars and nser_pmt are imported by the child processes only: a child inherits the memory peak of
# the process that starts it.

MODEL = "schreiner-pk-2009"
STEPS = ("copy", "score")
CHECKED_ROWS = 100_000


def make(rows: int, path: Path) -> None:
    import nser_pmt as nser

    columns = ["hh_id", *nser.load_model(MODEL).columns]
    nser.synth.scan_households(rows).select(columns).sink_parquet(path)


def run_copy(source: Path, target: Path) -> None:
    import polars as pl

    pl.scan_parquet(source).with_columns(constant=pl.lit(1.0)).sink_parquet(target)


def run_score(source: Path, target: Path) -> None:
    import polars as pl

    import nser_pmt as nser

    nser.score(pl.scan_parquet(source), MODEL).sink_parquet(target)


def answers_agree(source: Path, target: Path) -> bool:
    """Whether the file has all rows, and the first of them the scores of the eager call."""
    import polars as pl

    import nser_pmt as nser

    rows = [pl.scan_parquet(path).select(pl.len()).collect().item() for path in (source, target)]
    expected = nser.score(pl.read_parquet(source, n_rows=CHECKED_ROWS), MODEL)
    scored = pl.read_parquet(target, n_rows=CHECKED_ROWS)
    return rows[0] == rows[1] and scored.equals(expected, null_equal=True)


def child(step: str, source: Path, target: Path, rows: int) -> dict[str, Any]:
    """Do one step in this process."""
    import nser_pmt as nser

    if nser._native.debug_build():
        sys.exit("nser_pmt is a debug build; build it with --release")
    if step == "make":
        make(rows, source)
        return {}
    run = {"copy": run_copy, "score": run_score}[step]
    found = timed(run, source, target)
    if step == "score" and not answers_agree(source, target):
        sys.exit("the scored file differs from the scores of the eager call")
    return found


def measure(folder: Path, rows: int) -> dict[str, Any]:
    source, steps = in_turns("scoring.end_to_end", STEPS, partial(_paths, folder, rows), rows)
    result = {"rows": rows, "model": MODEL, "source_bytes": source.stat().st_size, **steps}
    result["ratio"] = result["score"]["seconds"] / result["copy"]["seconds"]
    return result


def _paths(folder: Path, rows: int, suffix: str = "") -> tuple[Path, Path]:
    return folder / f"households-{rows}.parquet{suffix}", folder / "out.parquet"


if __name__ == "__main__":
    main(__doc__, STEPS, _paths, child, measure)
