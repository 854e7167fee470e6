"""The tables of the scoring suite."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from report import Line, child, judge, ms, table

GIB = 2**30

# What one thread must reach: at least so many times the speed of the peer.
TARGETS = {
    "Polars replace_strict": 8.0,
    "Polars gather": 4.0,
    "DuckDB list look-up": 3.0,
    "NumPy take": None,
    "NumPy one-hot matmul": 3.0,
}


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


def report(args: argparse.Namespace) -> tuple[dict[str, str], str]:
    """Measure, and return the versions and the text."""
    results = [
        child(
            "scoring.measure", "--rows", str(args.rows), "--threads", str(threads), threads=threads
        )
        for threads in (1, 2)
    ]
    one, two = results
    lines = [*peer_lines(one), scaling_line(two), one_line(one)]
    if not args.skip_end_to_end:
        options = ["--rows", str(args.end_to_end_rows), *(["--dir", args.dir] if args.dir else [])]
        lines += end_to_end_lines(child("scoring.end_to_end", *options))
    lines += peer_lines(two)
    head = ("against", "nser_pmt", "peer", "ratio", "target", "met")
    speeds = [line for result in results for line in speed_lines(result)]
    speed_head = ("nser_pmt form, threads", "speed", "bandwidth", "of read loop", "target", "met")
    texts = [
        f"Scoring {args.rows:,} rows:",
        table(head, lines, markdown=args.markdown),
        table(speed_head, speeds, markdown=args.markdown),
    ]
    if not args.markdown:
        forms = [line for result in results for line in form_lines(result)]
        texts += ["Every form of every peer:", table(head, forms, markdown=False)]
    return one["versions"], "\n\n".join(texts)
