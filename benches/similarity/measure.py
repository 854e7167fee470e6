"""Time the similarities on one number of threads; `report.py` calls this in a fresh process.

Checks all answers first: nser_pmt must give the bits of RapidFuzz, DuckDB the same to 1e-9. Prints
one JSON object; seconds are the best of all rounds. Exits with 1 if answers differ, or for a debug
build of nser_pmt.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import duckdb
import numpy as np
import polars as pl
import rapidfuzz

import nser_pmt as nser
from similarity import peers, workload
from timing import Forms, best_seconds, refuse_debug_build, versions

ROUNDS = 5


def timed(groups: dict[str, Forms], rounds: int) -> dict[str, dict[str, float]]:
    wrong = peers.agree(groups)
    if wrong is not None:
        sys.exit(f"{wrong} gives other similarities than RapidFuzz")
    return best_seconds(groups, rounds)


def time_names(rows: int, threads: int, rounds: int) -> dict[str, Any]:
    df = workload.names(rows)
    return {
        metric: timed(peers.on_names(df, metric, threads), rounds)
        for metric in ("jaro_winkler", "levenshtein")
    }


def time_scripts(rows: int, rounds: int) -> list[dict[str, Any]]:
    """Time nser_pmt and RapidFuzz on every script, length and metric, by instruction set."""
    sets = [
        (f"{script}, {lengths[0]:,}-{lengths[1]:,}", workload.texts(script, lengths, n))
        for script in workload.SCRIPTS
        for lengths, share in workload.LENGTHS.items()
        if (n := max(2, share * rows // 5_000_000)) > 0
    ]
    sets.append(("names, every 50th long or Urdu", workload.mixed(rows // 20)))
    result = []
    for name, df in sets:
        for metric in peers.RAPIDFUZZ:
            groups = {
                "nser_pmt": peers.nser_pmt_by_isa(df, metric),
                "RapidFuzz": peers.rapidfuzz(df, metric, 1),
            }
            seconds = timed(groups, rounds)
            result.append({"what": name, "metric": metric, "rows": df.height, "seconds": seconds})
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()
    refuse_debug_build()
    result = {
        "rows": args.rows,
        "threads": args.threads,
        "names": time_names(args.rows, args.threads, args.rounds),
        "scripts": time_scripts(args.rows, args.rounds) if args.threads == 1 else [],
        "versions": versions(nser, pl, rapidfuzz, duckdb, np),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
