"""Steps from one file to another, each in a fresh process: time, memory and size."""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from memory import peak_bytes

REPEATS = 3
Step = dict[str, Any]


def timed(run: Callable[[Path, Path], None], source: Path, target: Path) -> Step:
    """Do a step in this process."""
    start, cpu_start = time.perf_counter(), time.process_time()
    run(source, target)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu_start
    peak = peak_bytes()
    size = target.stat().st_size
    return {"seconds": seconds, "cpu_seconds": cpu, "peak_bytes": peak, "file_bytes": size}


def in_fresh_process(module: str, step: str, source: Path, target: Path, rows: int) -> Step:
    """Call a module with ``--child step``; it prints what `timed` gave."""
    folder = str(source.parent.resolve())
    command = [sys.executable, "-m", module, "--child", step, "--dir", folder, "--rows", str(rows)]
    done = subprocess.run(command, stdout=subprocess.PIPE, cwd=Path(__file__).parent)
    target.unlink(missing_ok=True)
    if done.returncode:
        sys.exit(1)  # the child has said why
    os.sync()  # leave no writing to the next one
    return json.loads(done.stdout)


def in_turns(
    module: str, steps: Sequence[str], files: Callable[[str], tuple[Path, Path]], rows: int
) -> tuple[Path, Mapping[str, Step]]:
    """Make the source if it is not there; then let the steps take turns, and sum them up."""
    source, target = files("")
    if not source.exists():
        part = files(".part")[0]
        in_fresh_process(module, "make", part, target, rows)
        part.rename(source)
    in_fresh_process(module, steps[0], source, target, rows)  # to warm the page cache
    runs: dict[str, list[Step]] = {step: [] for step in steps}
    for _ in range(REPEATS):
        for step, results in runs.items():
            results.append(in_fresh_process(module, step, source, target, rows))
    return source, {
        step: {
            "seconds": statistics.median(r["seconds"] for r in results),
            "all_seconds": [r["seconds"] for r in results],
            "cpu_seconds": statistics.median(r["cpu_seconds"] for r in results),
            "peak_bytes": max(r["peak_bytes"] for r in results),
            "file_bytes": results[0]["file_bytes"],
        }
        for step, results in runs.items()
    }


def main(
    description: str | None,
    steps: Sequence[str],
    files: Callable[[Path, int, str], tuple[Path, Path]],
    child: Callable[[str, Path, Path, int], Step],
    measure: Callable[[Path, int], Step],
) -> None:
    """Be the command of a bench: all steps in turns, or one of them as a child."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rows", type=int, default=35_000_000)
    parser.add_argument("--dir", type=Path, help="keep the households here; default: temporary")
    parser.add_argument("--child", choices=["make", *steps], help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.child:
        suffix = ".part" if args.child == "make" else ""
        source, target = files(args.dir, args.rows, suffix)
        print(json.dumps(child(args.child, source, target, args.rows)))
        return
    with tempfile.TemporaryDirectory(prefix="nser_pmt_bench_") as temporary:
        folder = args.dir or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        print(json.dumps(measure(folder, args.rows)))
