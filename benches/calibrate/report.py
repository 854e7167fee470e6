"""The table of the calibrate suite."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from report import Line, child, judge, ms, table

# What is timed of ours, the peer, and the ratio wanted. svy has neither raking nor a logistic curve
# with sums: what it takes for the linear method stands for them.
PAIRS = [
    ("rake, integers", "rake, svy", 20.0),
    ("rake, Enum", "rake, svy", 20.0),
    ("rake, text", "rake, svy", None),
    ("rake, text", "rake, balance", 20.0),
    ("linear, Enum", "linear, svy", 100.0),
    ("linear and sums, Enum", "linear and sums, svy", 100.0),
    ("raking and sums, Enum", "linear and sums, svy", 100.0),
    ("logit and sums, Enum", "linear and sums, svy", None),
]


def lines(result: dict[str, Any]) -> Iterator[Line]:
    threads, seconds = result["threads"], result["seconds"]
    for own, peer, target in PAIRS:
        if peer in seconds:
            what = f"{own} against {peer}, {threads} thread{'s' * (threads > 1)}"
            ratio = seconds[peer] / seconds[own]
            judged = judge(ratio, target)
            yield Line(what, ms(seconds[own]), ms(seconds[peer]), f"{ratio:.1f}", *judged)


def report(args: argparse.Namespace) -> tuple[dict[str, str], str]:
    """Return the versions of all packages, and the table."""
    results = [child("calibrate.measure", "--threads", str(n), threads=n) for n in (1, 2)]
    rows = [line for result in results for line in lines(result)]
    one = results[0]
    head = (f"{one['rows']:,} rows, five margins", "nser_pmt", "peer", "ratio")
    return one["versions"], table((*head, "target", "met"), rows, markdown=args.markdown)
