"""The table of the regression suite."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from report import Line, child, judge, ms, table

TARGETS = {
    "svy": 5.0,
    "glum": 5.0,
    "pyfixest (no weights)": 5.0,
    "statsmodels (no weights)": 5.0,
}
TITLES = {"logit": "logit, errors by cluster", "median": "weighted median regression"}


def lines(result: dict[str, Any]) -> Iterator[Line]:
    threads = result["threads"]
    for kind, title in TITLES.items():
        found = result[kind]
        size = f"{found['rows']:,} x {result['columns']}"
        for peer, seconds in found["peers"].items():
            ratio = seconds / found["own"]
            what = f"{title}, {size}, against {peer}, {threads} thread{'s' * (threads > 1)}"
            judged = judge(ratio, TARGETS.get(peer))
            yield Line(what, ms(found["own"]), ms(seconds), f"{ratio:.1f}", *judged)


def report(args: argparse.Namespace) -> tuple[dict[str, str], str]:
    """Return the versions of all packages, and the table."""
    results = [child("regression.measure", "--threads", str(n), threads=n) for n in (1, 2)]
    rows = [line for result in results for line in lines(result)]
    head = ("regression", "nser_pmt", "peer", "ratio", "target", "met")
    return results[0]["versions"], table(head, rows, markdown=args.markdown)
