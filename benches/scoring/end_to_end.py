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

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

# Polars and nser_pmt are imported by the child processes only: a child inherits the memory peak of
# the process that starts it.

MODEL = "schreiner-pk-2009"
REPEATS = 3
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
    start, cpu_start = time.perf_counter(), time.process_time()
    run(source, target)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu_start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024  # Linux counts in KiB
    if step == "score" and not answers_agree(source, target):
        sys.exit("the scored file differs from the scores of the eager call")
    size = target.stat().st_size
    return {"seconds": seconds, "cpu_seconds": cpu, "peak_bytes": peak, "file_bytes": size}


def in_fresh_process(step: str, source: Path, target: Path, rows: int) -> dict[str, Any]:
    command = [sys.executable, __file__, "--child", step, "--dir", str(source.parent)]
    done = subprocess.run([*command, "--rows", str(rows)], stdout=subprocess.PIPE)
    target.unlink(missing_ok=True)
    if done.returncode:
        sys.exit(1)  # the child has said why
    os.sync()  # leave no writing to the next one
    return json.loads(done.stdout)


def measure(folder: Path, rows: int) -> dict[str, Any]:
    source, target = _paths(folder, rows)
    if not source.exists():
        part = _paths(folder, rows, suffix=".part")[0]
        in_fresh_process("make", part, target, rows)
        part.rename(source)
    in_fresh_process("copy", source, target, rows)  # to warm the page cache
    runs: dict[str, list[dict[str, Any]]] = {"copy": [], "score": []}
    for _ in range(REPEATS):
        for step, results in runs.items():
            results.append(in_fresh_process(step, source, target, rows))
    result: dict[str, Any] = {"rows": rows, "model": MODEL, "source_bytes": source.stat().st_size}
    for step, results in runs.items():
        result[step] = {
            "seconds": statistics.median(r["seconds"] for r in results),
            "all_seconds": [r["seconds"] for r in results],
            "cpu_seconds": statistics.median(r["cpu_seconds"] for r in results),
            "peak_bytes": max(r["peak_bytes"] for r in results),
            "file_bytes": results[0]["file_bytes"],
        }
    result["ratio"] = result["score"]["seconds"] / result["copy"]["seconds"]
    return result


def _paths(folder: Path, rows: int, suffix: str = "") -> tuple[Path, Path]:
    return folder / f"households-{rows}.parquet{suffix}", folder / "out.parquet"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=35_000_000)
    parser.add_argument(
        "--dir", type=Path, help="keep the households here; default: a temporary one"
    )
    parser.add_argument("--child", choices=["make", "copy", "score"], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        suffix = ".part" if args.child == "make" else ""
        source, target = _paths(args.dir, args.rows, suffix)
        print(json.dumps(child(args.child, source, target, args.rows)))
        return
    with tempfile.TemporaryDirectory(prefix="nser_pmt_bench_") as temporary:
        folder = args.dir or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print(json.dumps(measure(folder, args.rows)))


if __name__ == "__main__":
    main()
