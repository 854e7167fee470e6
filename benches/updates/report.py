"""The table of the updates suite."""

from __future__ import annotations

import argparse
import tempfile
from typing import Any

from report import Line, child, judge, table

ROWS = 10_000_000
CHANGED = 100_000
# An update costs at most this share of doing the whole registry.
TARGET = 20.0


def report(args: argparse.Namespace) -> tuple[dict[str, str], str]:
    """Return the versions of all packages, and the table."""
    with tempfile.TemporaryDirectory() as folder:
        made = child("updates.measure", "make", "--rows", f"{ROWS}", "--dir", folder)
        whole = child("updates.measure", "nightly", "--dir", folder)
        found = child("updates.measure", "update", "--changed", f"{CHANGED}", "--dir", folder)
    head = ("updates of a registry", "update", "the whole", "ratio", "target", "met")
    return found["versions"], table(head, lines(made, whole, found), markdown=args.markdown)


def lines(made: dict[str, Any], whole: dict[str, Any], found: dict[str, Any]) -> list[Line]:
    """Return a line for each state of the machine, and what the registry takes."""
    of = f"{CHANGED:,} of {ROWS:,} households"
    rows = []
    for state in ("warm", "cold"):
        rounds = [r for r in found["rounds"] if r["state"] == state]
        for kind in ("clock", "processor"):
            ours = min(r[kind] for r in rounds)
            ratio = whole["seconds"][kind] / ours
            judged = judge(ratio, TARGET if state == "warm" else None)
            rows.append(
                Line(
                    f"{of}: {kind}, files {'in' if state == 'warm' else 'not in'} memory",
                    f"{ours:.1f} s",
                    f"{whole['seconds'][kind]:.0f} s",
                    f"{ratio:.0f}x",
                    *judged,
                )
            )
    peak = f"peak {found['peak'] / 1e9:.1f} GB; the whole {whole['peak'] / 1e9:.1f}"
    sizes = {kind: f"{size / 1e9:.1f} GB" for kind, size in made["bytes"].items()}
    rows.append(Line("memory", peak, "", "", "", ""))
    rows.append(
        Line("on disk", f"Parquet {sizes['parquet']}, records {sizes['npy']}", "", "", "", "")
    )
    rows.append(Line("create", f"{made['create']['clock']:.0f} s", "", "", "", ""))
    return rows
