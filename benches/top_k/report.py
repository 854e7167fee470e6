"""The table of the top_k suite."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any

from report import Line, child, judge, ms, table

TARGETS = {"RapidFuzz": 10.0, "sparse_dot_topn": 1.0}


def lines(result: dict[str, Any]) -> Iterator[Line]:
    threads = result["threads"]
    for scorer, seconds in result["seconds"].items():
        own = seconds["nser_pmt"]
        for peer, forms in seconds.items():
            if peer == "nser_pmt":
                continue
            for form, theirs in forms.items():
                # Who prepares nothing is compared with a call that prepares everything.
                ours = own["prepared" if form == "prepared" else "one shot"]
                what = f"{scorer} against {peer} ({form}), {threads} thread{'s' * (threads > 1)}"
                judged = judge(theirs / ours, TARGETS[peer])
                yield Line(what, ms(ours), ms(theirs), f"{theirs / ours:.1f}", *judged)
        rate = result["names"] * result["queries"] / own["prepared"] / 1e6
        what = f"{scorer}, dictionary prepared, {threads} thread{'s' * (threads > 1)}"
        yield Line(what, ms(own["prepared"]), f"{rate:.0f} M pairs/s", "", "", "")


def report(args: argparse.Namespace) -> tuple[dict[str, str], str]:
    """Return the versions of all packages, and the table."""
    results = [child("top_k.measure", "--threads", str(n), threads=n) for n in (1, 2)]
    rows = [line for result in results for line in lines(result)]
    rows.append(Line("one name, dictionary prepared", ms(results[0]["one"]), "", "", "", ""))
    one = results[0]
    head = (f"{one['queries']:,} names in {one['names']:,}", "nser_pmt", "peer", "ratio")
    return one["versions"], table((*head, "target", "met"), rows, markdown=args.markdown)
