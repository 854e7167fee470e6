"""Run every scoring bench and print its table, ratios first.

    python benches/run.py [--rows N] [--skip-end-to-end] [--markdown]

Every number of threads has a fresh process, in which nser_pmt and its peers take turns. Exits with
1 if any answers differ, never because a target is missed. Takes five minutes and 8 GB of memory at
full size.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
GIB = 2**30

# What one thread must reach: at least so many times the speed of the peer.
TARGETS = {
    "Polars replace_strict": 8.0,
    "Polars gather": 4.0,
    "DuckDB list look-up": 3.0,
    "NumPy take": None,
    "NumPy one-hot matmul": 3.0,
}


class Line(NamedTuple):
    """A comparison: ours against theirs, and what was wanted of it."""

    what: str
    ours: str
    theirs: str
    ratio: str
    target: str
    met: str


def child(script: str, *args: str, threads: int | None = None) -> Any:
    """Run a script in a fresh process and return the JSON that it prints."""
    names = ("POLARS_MAX_THREADS", "NSER_PMT_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    names += ("OMP_NUM_THREADS", "MKL_NUM_THREADS")  # NumPy built with another BLAS
    given = {name: str(threads) for name in names} if threads else {}
    done = subprocess.run(
        [sys.executable, str(HERE / script), *args],
        env=os.environ | given,
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


def peer_lines(result: dict[str, Any]) -> Iterator[Line]:
    threads, seconds = result["threads"], result["enum"]["seconds"]
    ours = seconds["nser_pmt"]["score"]
    for peer, target in TARGETS.items():
        form, theirs = min(seconds[peer].items(), key=lambda item: item[1])
        ratio = theirs / ours
        what = f"{peer} ({form}), {threads} thread{'s' * (threads > 1)}"
        judged = judge(ratio, target if threads == 1 else None)
        yield Line(what, ms(ours), ms(theirs), f"{ratio:.2f}", *judged)
    ours = result["string"]["seconds"]["nser_pmt"]["score"]
    theirs = min(result["string"]["seconds"]["Polars replace_strict"].values())
    what = f"Polars replace_strict on String columns, {threads} thread{'s' * (threads > 1)}"
    yield Line(what, ms(ours), ms(theirs), f"{theirs / ours:.2f}", *judge(theirs / ours, 2.0))


def scaling_line(result: dict[str, Any]) -> Line:
    """Compare threads within one process, where both had their turns."""
    seconds = result["enum"]["seconds"]
    ours, theirs = seconds["nser_pmt"]["score"], seconds["nser_pmt, one thread"]["score"]
    what = f"nser_pmt, one thread against {result['threads']}"
    return Line(what, ms(ours), ms(theirs), f"{theirs / ours:.2f}", *judge(theirs / ours, 1.7))


def one_line(result: dict[str, Any]) -> Line:
    micros = result["score_one"] * 1e6
    return Line("score_one, 25 answers", f"{micros:.1f} us", "", "", *judge(micros, 5, most=True))


def end_to_end_lines(result: dict[str, Any]) -> Iterator[Line]:
    score, copy, ratio = result["score"], result["copy"], result["ratio"]
    times = (f"{score['seconds']:.2f} s", f"{copy['seconds']:.2f} s", f"{ratio:.2f}")
    what = f"Parquet to Parquet, {result['rows']:,} households, against copying"
    yield Line(what, *times, *judge(ratio, 1.3, most=True))
    peaks = [r["peak_bytes"] / GIB for r in (score, copy)]
    text = (f"{peaks[0]:.2f} GiB", f"{peaks[1]:.2f} GiB", f"{peaks[0] / peaks[1]:.2f}")
    yield Line("its peak memory (target in GiB)", *text, *judge(peaks[0], 2, most=True))


def form_lines(result: dict[str, Any]) -> Iterator[Line]:
    """All forms of all peers, of which the other table has the fastest."""
    for columns in ("enum", "string"):
        groups = result[columns]["seconds"]
        ours = groups["nser_pmt"]["score"]
        for peer in (peer for peer in TARGETS if peer in groups):
            for form, theirs in groups[peer].items():
                what = f"{peer} ({form}), {columns}, {result['threads']}"
                yield Line(what, ms(ours), ms(theirs), f"{theirs / ours:.2f}", "", "")


def speed_lines(result: dict[str, Any]) -> Iterator[Line]:
    """Speeds of every form of ours, as a share of the bandwidth of the fastest read loop."""
    threads, size = result["threads"], result["enum"]["read_bytes"]
    loop, reading = min(result["enum"]["seconds"]["read loop"].items(), key=lambda item: item[1])
    bandwidth = size / reading / 1e9
    yield Line(f"read loop ({loop}), {threads}", "", f"{bandwidth:.1f} GB/s", "100 %", "", "")
    for group, forms in result["enum"]["seconds"].items():
        if group not in ("nser_pmt", "nser_pmt by instruction set"):
            continue
        if group != "nser_pmt" and threads > 1:
            continue  # those run on one thread
        for form, seconds in forms.items():
            rate, share = size / seconds / 1e9, 100 * reading / seconds
            wanted = form == "score" and threads == 1
            judged = judge(share, 60 if wanted else None)
            speed = f"{result['rows'] / seconds / 1e6:.1f} Mrows/s"
            yield Line(f"{form}, {threads}", speed, f"{rate:.1f} GB/s", f"{share:.0f} %", *judged)


def ms(seconds: float) -> str:
    return f"{seconds * 1e3:.1f} ms"


def table(head: tuple[str, ...], lines: list[Line], *, markdown: bool) -> str:
    rows = [head, *lines]
    widths = [max(len(row[i]) for row in rows) for i in range(len(head))]
    texts = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    if markdown:
        rows.insert(1, ("---", *["---:"] * (len(head) - 1)))
        texts = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(texts)


def machine(versions: dict[str, str], rows: int) -> str:
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
        model = names[0] if names else model
    packages = ", ".join(f"{name} {version}" for name, version in versions.items())
    today = datetime.date.today().isoformat()
    return f"{today}, {model}, {os.cpu_count()} cores, {rows:,} rows; {packages}"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=5_000_000, help="rows in memory")
    parser.add_argument("--end-to-end-rows", type=int, default=35_000_000)
    parser.add_argument("--dir", help="keep the households of the end-to-end bench here")
    parser.add_argument("--skip-end-to-end", action="store_true")
    parser.add_argument("--markdown", action="store_true", help="print the tables for the README")
    args = parser.parse_args()

    results = [
        child("measure.py", "--rows", str(args.rows), "--threads", str(threads), threads=threads)
        for threads in (1, 2)
    ]
    one, two = results
    lines = [*peer_lines(one), scaling_line(two), one_line(one)]
    if not args.skip_end_to_end:
        options = ["--rows", str(args.end_to_end_rows), *(["--dir", args.dir] if args.dir else [])]
        lines += end_to_end_lines(child("end_to_end.py", *options))
    lines += peer_lines(two)
    print(machine(one["versions"], args.rows), end="\n\n")
    head = ("against", "nser_pmt", "peer", "ratio", "target", "met")
    print(table(head, lines, markdown=args.markdown), end="\n\n")
    speeds = [line for result in results for line in speed_lines(result)]
    speed_head = ("nser_pmt form, threads", "speed", "bandwidth", "of read loop", "target", "met")
    print(table(speed_head, speeds, markdown=args.markdown))
    if not args.markdown:
        forms = [line for result in results for line in form_lines(result)]
        print("\nEvery form of every peer:", table(head, forms, markdown=False), sep="\n\n")


if __name__ == "__main__":
    main()
