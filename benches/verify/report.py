"""The tables of the verify suite: speed, memory, and who was taken for whom."""

from __future__ import annotations

import argparse
from typing import Any

from report import child, table

THREADS = 2
WAYS = {"nser_pmt": (), "nser_pmt, lazy citizens": ("--lazy",), "exact join": ("--join",)}
COUNTS = ("rows", "accepted", "accepted_wrong", "suggested", "suggested_wrong", "neither")


def run(maker: str, rows: int) -> tuple[dict[str, Any], ...]:
    registry, citizens = child("verify.data", "--maker", maker, "--rows", str(rows))
    files = ("--registry", registry, "--citizens", citizens)
    return tuple(
        child("verify.measure", *files, *options, threads=THREADS) for options in WAYS.values()
    )


def cells(counts: dict[str, Any]) -> tuple[str, ...]:
    return tuple(f"{counts[name]:,}" for name in COUNTS)


def report(args: argparse.Namespace) -> tuple[dict[str, str], str]:
    """Measure, and return the versions and the text."""
    sizes = {"synth": min(args.rows, 5_000_000), "linking": min(args.rows, 300_000)}
    texts: list[str] = []
    versions: dict[str, str] = {}
    for maker, rows in sizes.items():
        results = run(maker, rows)
        versions = results[0]["versions"]
        lines = []
        for name, result in zip(WAYS, results, strict=True):
            taken = result["stages"]["verify"]
            speed = (f"{taken['wall']:.1f}", f"{taken['cpu']:.1f}", f"{rows / taken['wall']:,.0f}")
            memory = tuple(f"{result[what] / 1e9:.1f}" for what in ("loaded", "peak"))
            lines.append((name, *speed, *memory, *cells(result["all"])[1:]))
        title = f"{maker}: {rows:,} rows, {results[0]['citizens']:,} citizens"
        head = (title, "s", "CPU s", "rows/s", "GB loaded", "GB peak", *COUNTS[1:])
        texts.append(table(head, lines, markdown=args.markdown))
        for name, key in (("verdict", "verdicts"), ("errors", "kinds")):
            lines = [(counts[name], *cells(counts)) for counts in results[0][key]]
            texts.append(table((name, *COUNTS), lines, markdown=args.markdown))
    return versions, "\n\n".join(texts)
