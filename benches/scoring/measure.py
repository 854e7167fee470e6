"""Time everything on one number of threads; `run.py` calls this in a fresh process.

Checks the answers first: nser_pmt must give the bits of a left-to-right NumPy sum in every form,
on any threads, with every instruction set and from strings; the peers must agree to 1e-9. Then all
forms of all peers take turns, round after round. Prints one JSON object; seconds are the best of
all rounds. Exits with 1 if answers differ, or for a debug build of nser_pmt.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

import duckdb
import numpy as np
import polars as pl

import nser_pmt as nser
from scoring.bandwidth import read_loops
from scoring.peers import Forms, check, left_to_right, on_enums, on_strings
from scoring.workload import Formula, arrays, coded, formula, frame, households
from timing import best_seconds, refuse_debug_build, versions

ROUNDS = 7
CALLS = 20_000  # households of score_one in a round


def check_all(groups: dict[str, Forms], expected: Any) -> None:
    for name, forms in groups.items():
        if not check(forms.values(), expected, exactly=name.startswith("nser_pmt")):
            sys.exit(f"{name} gives other scores than the left-to-right sum")


def time_enums(df: pl.DataFrame, f: Formula, threads: int, rounds: int) -> dict[str, Any]:
    columns = arrays(coded(df))
    groups = on_enums(df, f, threads)
    check_all(groups, left_to_right(df, f))
    loops = read_loops(columns, threads)
    for loop in loops.values():
        loop()  # the warm-up that the others had in the check
    seconds = best_seconds(groups | {"read loop": loops}, rounds)
    return {"seconds": seconds, "read_bytes": sum(c.nbytes for c in columns)}


def time_strings(rows: int, f: Formula, threads: int, rounds: int) -> dict[str, Any]:
    expected = left_to_right(frame(rows), f)
    groups = on_strings(frame(rows, categories="string"), f, threads)
    check_all(groups, expected)
    return {"seconds": best_seconds(groups, rounds)}


def one_by_one(f: Formula, rounds: int) -> float:
    """Seconds of one `score_one`, with a different household at every call."""
    model, people = f.model(), households(CALLS)

    def score() -> list[float | None]:
        return [model.score_one(answers)[0] for answers in people]

    check_all({"nser_pmt.Model.score_one": {"": score}}, left_to_right(frame(CALLS), f))
    return best_seconds({"": {"": score}}, rounds)[""][""] / CALLS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()
    refuse_debug_build()
    if os.environ.get("POLARS_MAX_THREADS") != str(args.threads):
        sys.exit("set POLARS_MAX_THREADS to the number of threads; run.py does")
    f = formula()
    result = {
        "threads": args.threads,
        "rows": args.rows,
        "enum": time_enums(frame(args.rows), f, args.threads, args.rounds),
        "string": time_strings(args.rows, f, args.threads, args.rounds),
        "score_one": one_by_one(f, args.rounds),
        "versions": versions(nser, pl, duckdb, np),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
