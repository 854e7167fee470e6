"""The tables of the fit suite."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from report import Line, child, judge, ms, table

TARGETS = {"NumPy normal equations": 3.0, "svy": 10.0, "statsmodels": 10.0}
MOST_SECONDS = {"500 bootstrap refits": 0.2}


def lines(result: dict[str, Any]) -> Iterator[Line]:
    threads = result["threads"]
    own = result["own"]
    for peer, seconds in result["peers"].items():
        ratio = seconds / own["by cluster"]
        what = f"against {peer}, {threads} thread{'s' * (threads > 1)}"
        judged = judge(ratio, TARGETS[peer])
        yield Line(what, ms(own["by cluster"]), ms(seconds), f"{ratio:.1f}", *judged)
    for form in ("f32 columns", "rows in any order"):
        yield Line(f"{form}, {threads} thread{'s' * (threads > 1)}", ms(own[form]), "", "", "", "")


def survey(result: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for what, seconds in result["survey"].items():
        limit = MOST_SECONDS.get(what)
        yield what, ms(seconds), *judge(seconds, limit, most=True)


def report(args: argparse.Namespace) -> tuple[dict[str, str], str]:
    """Return the versions of all packages, and the tables."""
    size = ("--rows", str(min(args.rows, 1_000_000)))
    results = [child("fit.measure", *size, "--threads", str(n), threads=n) for n in (1, 2)]
    first = results[0]
    title = (
        f"weighted least squares, {first['rows']:,} x {first['columns']}, errors by "
        f"{first['clusters']:,} clusters"
    )
    rows = [line for result in results for line in lines(result)]
    head = (title, "nser_pmt", "peer", "ratio", "target", "met")
    text = table(head, rows, markdown=args.markdown)
    head = ("survey of 32,000 x 40, 2,000 primary units, 2 threads", "nser_pmt", "target", "met")
    small = table(head, list(survey(results[1])), markdown=args.markdown)
    return first["versions"], f"{text}\n\n{small}"
