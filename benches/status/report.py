"""The table of the status suite."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from typing import Any

from report import Line, child, judge, ms, table

# One recipient in each of 35 million households; and a smaller registry.
ROWS = (1_000_000, 35_000_000)
LOOK_UP = 1e-3


def us(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} us"


def lines(made: dict[str, Any], found: dict[str, Any]) -> Iterator[Line]:
    of = f"{made['rows']:,} people: "
    peak = f"SQLite {made['sqlite_build']:.1f} s"
    ratio = f"{made['sqlite_build'] / made['build']:.1f}x"
    yield Line(of + "build", f"{made['build']:.1f} s", peak, ratio, "", "")
    memory = f"peak {made['peak'] / 1e9:.1f} GB, the frame {made['peak_before'] / 1e9:.1f}"
    sizes = f"{made['bytes'] / made['rows']:.0f} bytes a person"
    other = f"SQLite {made['sqlite_bytes'] / made['rows']:.0f} bytes; {memory}"
    yield Line(of + "file", sizes, other, "", "", "")
    load = found["load"]
    yield Line(of + "load", ms(load["plain"]), f"{ms(load['verify'])} verified", "", "", "")
    rounds = found["rounds"]
    for name in ("p50", "p99", "p99.9", "most"):
        ours, theirs = (min(r[name] for r in rounds[who]) for who in ("ours", "theirs"))
        worst = us(max(r[name] for r in rounds["ours"]))
        text = f"SQLite {us(theirs)}; ours in the slowest round {worst}"
        target = LOOK_UP if name == "p99" else None
        judged = judge(ours, target, most=True)
        yield Line(of + f"look-up, {name}", us(ours), text, f"{theirs / ours:.1f}x", *judged)
    for name, what in (("absent", "unknown"), ("bad", "malformed")):
        ours = min(r["p99"] for r in rounds[name])
        judged = judge(ours, LOOK_UP, most=True)
        yield Line(of + f"{what}, p99", us(ours), "", "", *judged)


def report(args: argparse.Namespace) -> tuple[dict[str, str], str]:
    """Return the versions of all packages, and the table."""
    rows: list[Line] = []
    versions: dict[str, str] = {}
    for people in ROWS:
        with tempfile.TemporaryDirectory() as folder:
            made = child("status.measure", "build", "--rows", f"{people}", "--dir", folder)
            found = child("status.measure", "search", "--dir", folder, threads=1)
        rows += lines(made, found)
        versions = found["versions"]
    head = ("status by CNIC", "nser_pmt", "SQLite", "ratio", "target", "met")
    return versions, table(head, rows, markdown=args.markdown)
