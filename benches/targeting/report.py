"""The table of the targeting suite."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from report import Line, child, judge, ms, table

SIZES = ((1_000_000, 5), (30_000_000, 2))  # rows, rounds


def lines(result: dict[str, Any]) -> Iterator[Line]:
    threads = f"{result['threads']} thread{'s' * (result['threads'] > 1)}"
    for kind, seconds in result["curves"].items():
        whole, own = seconds.pop("nser_pmt"), seconds.pop("nser_pmt, the pass alone")
        for peer, theirs in seconds.items():
            what = f"all cut-offs of {result['rows']:,} {kind}, {peer}, {threads}"
            yield Line(what, ms(own), ms(theirs), f"{theirs / own:.1f}", *judge(theirs / own, 1.0))
        what = f"every metric of {result['rows']:,} {kind}, {threads}"
        yield Line(what, ms(whole), "", "", "", "")
    if "intervals" in result:
        own, theirs = result["intervals"]["nser_pmt"], result["intervals"]["NumPy by hand"]
        what = f"500 replicates of 30,000 rows, NumPy by hand, {threads}"
        yield Line(what, ms(own), ms(theirs), f"{theirs / own:.1f}", *judge(theirs / own, 1.0))


def report(args: argparse.Namespace) -> tuple[dict[str, str], str]:
    """Return the versions of all packages, and the table."""
    results = []
    for rows, rounds in SIZES:
        for threads in (1, 2):
            given = ("--rows", str(rows), "--rounds", str(rounds), "--threads", str(threads))
            results.append(child("targeting.measure", *given, threads=threads))
    rows_of_table = [line for result in results for line in lines(result)]
    head = ("targeting", "nser_pmt", "peer", "ratio", "target", "met")
    return results[0]["versions"], table(head, rows_of_table, markdown=args.markdown)
