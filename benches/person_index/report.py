"""The table of the person_index suite."""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from typing import Any

from report import Line, child, judge, ms, table

# Records that are made; of ten, nine are of different persons.
RECORDS = (1_111_200, 11_112_000)
LOAD, LOOK_UP, BATCH = 1.0, 1e-3, 0.05


def us(seconds: float) -> str:
    return f"{seconds * 1e6:.0f} us"


def lines(made: dict[str, Any], found: dict[str, Any]) -> Iterator[Line]:
    of = f"{made['persons']:,} persons: "
    peak = f"peak {made['peak'] / 1e9:.1f} GB, {made['peak_before'] / 1e9:.1f} before"
    yield Line(of + "build", f"{made['build']:.1f} s", peak, "", "", "")
    size = f"{made['bytes'] / made['persons']:.0f} bytes a person"
    yield Line(of + "save", f"{made['save']:.1f} s", size, "", "", "")
    load = found["load"]
    judged = judge(load["plain"], LOAD, most=True)
    yield Line(of + "load", ms(load["plain"]), f"{ms(load['verify'])} verified", "", *judged)
    best, rounds = found["best"], found["rounds"]
    for name, seconds in best.items():
        target = LOOK_UP if name == "p99" else None
        worst = f"{us(max(taken[name] for taken in rounds))} in the slowest round"
        yield Line(
            of + f"look-up, {name}", us(seconds), worst, "", *judge(seconds, target, most=True)
        )
    judged = judge(found["frame"], BATCH, most=True)
    yield Line(of + "1,000 queries in a frame", ms(found["frame"]), "1 thread", "", *judged)
    share = f"{found['first_is_right']:.4f}"
    memory = f"peak {found['peak'] / 1e9:.1f} GB with what is mapped"
    yield Line(of + "first is the person", share, memory, "", "", "")


def report(args: argparse.Namespace) -> tuple[dict[str, str], str]:
    """Return the versions of all packages, and the table."""
    rows: list[Line] = []
    versions: dict[str, str] = {}
    for records in RECORDS:
        with tempfile.TemporaryDirectory() as folder:
            made = child("person_index.measure", "build", "--rows", f"{records}", "--dir", folder)
            found = child("person_index.measure", "search", "--dir", folder, threads=1)
        rows += lines(made, found)
        versions = found["versions"]
    head = ("index of persons", "nser_pmt", "", "", "target", "met")
    return versions, table(head, rows, markdown=args.markdown)
