"""What every suite's report is made of: fresh processes, comparisons, tables."""

from __future__ import annotations

import datetime
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent


class Line(NamedTuple):
    """A comparison: ours against theirs, and what was wanted of it."""

    what: str
    ours: str
    theirs: str
    ratio: str
    target: str
    met: str


def child(module: str, *args: str, threads: int | None = None) -> Any:
    """Run a module in a fresh process and return the JSON that it prints."""
    names = ("POLARS_MAX_THREADS", "NSER_PMT_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    names += ("OMP_NUM_THREADS", "MKL_NUM_THREADS")  # NumPy built with another BLAS
    names += ("RAYON_NUM_THREADS",)  # svy
    given = {name: str(threads) for name in names} if threads else {}
    path = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        [sys.executable, "-m", module, *args],
        env=os.environ | given | {"PYTHONPATH": path},
        stdout=subprocess.PIPE,
    )
    if done.returncode:
        sys.exit(1)
    return json.loads(done.stdout)


def judge(value: float, target: float | None, *, most: bool = False) -> tuple[str, str]:
    if target is None:
        return "", ""
    met = value <= target if most else value >= target
    return f"{'<=' if most else '>='} {target:g}", "yes" if met else "NO"


def ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


def table(head: tuple[str, ...], lines: Sequence[tuple[str, ...]], *, markdown: bool) -> str:
    rows = [head, *lines]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    texts = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    if markdown:
        rows.insert(1, ("---", *["---:"] * (len(head) - 1)))
        texts = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(texts)


def machine(versions: dict[str, str]) -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    today = datetime.date.today().isoformat()
    return f"{today}, {model}, {os.cpu_count()} cores; {packages}"
