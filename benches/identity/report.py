"""The table of the identity suite: speeds, as no peer does these jobs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from report import Line, child, judge, ms, table

# Millions of values or pairs a second on one thread.
TARGETS = {
    ("cnic.parse", "digits"): 30.0,
    ("names.fold", "Roman"): 5.0,
    ("names.similarity", "Roman"): 3.0,
}


def lines(one: dict[str, Any], two: dict[str, Any]) -> Iterator[Line]:
    for name, forms in one["seconds"].items():
        for form, seconds in forms.items():
            rate = one["rows"] / seconds / 1e6
            both = two["seconds"][name][form]
            judged = judge(rate, TARGETS.get((name, form)))
            yield Line(f"{name} ({form})", ms(seconds), ms(both), f"{rate:.1f}", *judged)


def report(args: argparse.Namespace) -> tuple[dict[str, str], str]:
    """Measure, and return the versions and the text."""
    one, two = (
        child("identity.measure", "--rows", str(args.rows), "--threads", str(n), threads=n)
        for n in (1, 2)
    )
    head = (f"{args.rows:,} rows", "1 thread", "2 threads", "M/s/thread", "target", "met")
    return one["versions"], table(head, list(lines(one, two)), markdown=args.markdown)
