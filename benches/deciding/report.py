"""The table of the deciding suite."""

from __future__ import annotations

import argparse
from typing import Any

from report import Line, child, judge, table

MIB = 2**20


def lines(result: dict[str, Any]) -> list[Line]:
    score = result["score"]
    found = []
    for step, what in (("decide", "reasons as lists"), ("text", "reasons as text")):
        ours = result[step]
        ratio = ours["seconds"] / score["seconds"]
        times = (f"{ours['seconds']:.2f} s", f"{score['seconds']:.2f} s", f"{ratio:.2f}")
        text = f"four programmes, {what}, against scoring"
        found.append(Line(text, *times, *judge(ratio, 2.0, most=True)))
        peaks = [r["peak_bytes"] / MIB for r in (ours, score)]
        text = (f"{peaks[0]:.0f} MiB", f"{peaks[1]:.0f} MiB", f"{peaks[0] / peaks[1]:.2f}")
        found.append(Line("its peak memory", *text, "", ""))
    return found


def report(args: argparse.Namespace) -> tuple[dict[str, str], str]:
    """Return the versions of all packages, and the table."""
    import polars

    rows = min(args.rows, args.end_to_end_rows) if args.skip_end_to_end else args.end_to_end_rows
    result = child(
        "deciding.measure", "--rows", str(rows), *(["--dir", args.dir] if args.dir else [])
    )
    head = (f"{rows:,} households, Parquet to Parquet", "decide", "score", "ratio", "target", "met")
    return {"polars": polars.__version__}, table(head, lines(result), markdown=args.markdown)
