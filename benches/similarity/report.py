"""The tables of the similarity suite."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from report import Line, child, judge, ms, table

# At least so many times the speed of the fastest peer, on one thread, with these instructions.
TARGETS = {"portable": None, "avx2": 1.3, "avx512": 1.3, "avx512vbmi": 3.0}


def name_lines(result: dict[str, Any]) -> Iterator[Line]:
    threads = result["threads"]
    for metric, seconds in result["names"].items():
        peers = {p: min(forms.values()) for p, forms in seconds.items() if "nser" not in p}
        fastest = min(peers, key=peers.__getitem__)
        ours = seconds["nser_pmt"]["expression"]
        for peer, theirs in peers.items():
            what = f"{metric} against {peer}, {threads} thread{'s' * (threads > 1)}"
            yield Line(what, ms(ours), ms(theirs), f"{theirs / ours:.2f}", "", "")
        for isa, own in seconds.get("nser_pmt by instruction set", {}).items():
            ratio = peers[fastest] / own
            judged = judge(ratio, TARGETS[isa])
            what = f"{metric} with {isa} against {fastest}, 1 thread"
            yield Line(what, ms(own), ms(peers[fastest]), f"{ratio:.2f}", *judged)


def scaling_lines(one: dict[str, Any], two: dict[str, Any]) -> Iterator[Line]:
    for metric, seconds in two["names"].items():
        ours = seconds["nser_pmt"]["expression"]
        alone = one["names"][metric]["nser_pmt"]["expression"]
        ratio = alone / ours
        what = f"{metric}, one thread against two"
        yield Line(what, ms(ours), ms(alone), f"{ratio:.2f}", *judge(ratio, 1.8))


def script_lines(result: dict[str, Any]) -> Iterator[Line]:
    for case in result["scripts"]:
        theirs = case["seconds"]["RapidFuzz"]["cpdist"]
        for isa, ours in case["seconds"]["nser_pmt"].items():
            ratio = theirs / ours
            pairs = [f"{s / case['rows'] * 1e9:,.0f} ns" for s in (ours, theirs)]
            what = f"{case['what']}: {case['metric']}, {isa}"
            yield Line(what, *pairs, f"{ratio:.2f}", *judge(ratio, 1.0))


def report(args: argparse.Namespace) -> tuple[dict[str, str], str]:
    """Measure, and return the versions and the text."""
    one, two = (
        child("similarity.measure", "--rows", str(args.rows), "--threads", str(n), threads=n)
        for n in (1, 2)
    )
    head = ("against", "nser_pmt", "peer", "ratio", "target", "met")
    lines = [*name_lines(one), *scaling_lines(one, two), *name_lines(two)]
    scripts = list(script_lines(one))
    slower = [line for line in scripts if line.met == "NO"]
    texts = [
        f"Similarity of {args.rows:,} pairs of Roman names:",
        table(head, lines, markdown=args.markdown),
        f"Other lengths and scripts against RapidFuzz, per pair ({len(slower)} slower):",
        table(head, slower if args.markdown else scripts, markdown=args.markdown),
    ]
    return one["versions"], "\n\n".join(texts)
