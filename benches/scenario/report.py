"""The tables of the scenario suite."""

from __future__ import annotations

import argparse
from typing import Any

from report import Line, child, judge, ms, table

ROWS = 30_000_000
PEER_ROWS = 1_000_000
THREADS = 2
TARGETS = {"rescore": 0.6, "change": 0.05, "movers": 0.1, "coverage": 0.001}
WHAT = {
    "rescore": "other points for all questions",
    "change": "other points for one question",
    "movers": "movers by district",
    "movers listed": "movers listed with scores",
    "compare by all": "movers by district, sex, decile",
    "quota": "a quota",
    "index": "index by district",
    "coverage": "any cut-off, all districts",
}


def full(result: dict[str, Any]) -> list[Line]:
    lines = []
    for name, seconds in result["seconds"]["nser_pmt"].items():
        wanted = TARGETS.get(name)
        judged = judge(seconds * 1e3, wanted and wanted * 1e3, most=True)
        lines.append(Line(WHAT[name], ms(seconds), "", "", *judged))
    gigabytes = result["peak"] / 1e9
    held = f"{result['memory'] / 1e9:.2f} GB held, {gigabytes:.2f} peak"
    lines.append(Line("memory", held, "", "", *judge(gigabytes, 2.0, most=True)))
    lines.append(Line("build, with making the answers", f"{result['build']:.0f} s", "", "", "", ""))
    return lines


def beside(result: dict[str, Any]) -> list[Line]:
    own, theirs = result["seconds"]["nser_pmt"], result["seconds"]["Polars"]
    return [
        Line(WHAT[name], ms(own[name]), ms(seconds), f"{seconds / own[name]:.1f}", "", "")
        for name, seconds in theirs.items()
    ]


def report(args: argparse.Namespace) -> tuple[dict[str, str], str]:
    """Return the versions of all packages, and the tables."""
    rows = str(min(PEER_ROWS, args.rows))
    small = child("scenario.measure", "--rows", rows, "--peer", threads=THREADS)
    large = child("scenario.measure", "--rows", str(ROWS), threads=THREADS)
    texts = []
    for result, lines in ((large, full(large)), (small, beside(small))):
        what = f"{result['rows']:,} households, 40 questions"
        head = (what, "nser_pmt", "Polars", "ratio", "target", "met")
        texts.append(table(head, lines, markdown=args.markdown))
    return large["versions"], "\n\n".join(texts)
