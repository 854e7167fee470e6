"""Time calibration on one number of threads; `report.py` calls this in a fresh process.

The weights of every peer are compared with ours first. Prints one JSON object; seconds are the best
of all rounds, of which peers that take long have one. Exits with 1 if weights differ, or for a
debug build of nser_pmt.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import balance
import numpy as np
import polars as pl
import svy

import nser_pmt as nser
from calibrate.data import as_enum, as_text, workload
from calibrate.peers import Weights, balance_raking, ours, svy_linear, svy_rake
from timing import best_seconds, refuse_debug_build, versions

ROUNDS = 7
AGREE = 1e-5  # of weights, for peers stop when totals are hit to 1e-8 or less strictly


def check(name: str, found: Weights, expected: Weights) -> None:
    apart = float(np.abs(found / expected - 1).max())
    if not apart < AGREE:
        sys.exit(f"{name} has other weights than nser_pmt: {apart:.2g} apart")


def measure(rows: int, rounds: int, *, slow: bool) -> dict[str, dict[str, float]]:
    work = workload(rows)
    forms = {"Enum": as_enum(work.survey), "integers": work.survey, "text": as_text(work.survey)}
    raked = ours(work.survey, work.margins)()
    linear = ours(work.survey, work.margins, method="linear")()
    both = ours(work.survey, work.both, method="linear")()
    peers: dict[str, tuple[Callable[[], Weights], Weights, int]] = {  # more runs of it
        "rake, svy": (svy_rake(work), raked, 2),
        "rake, balance": (balance_raking(work), raked, 2),
    }
    if slow:
        peers["linear, svy"] = (svy_linear(work, sums=False), linear, 0)
        peers["linear and sums, svy"] = (svy_linear(work, sums=True), both, 0)
    own: dict[str, Callable[[], Any]] = {}
    for form, survey in forms.items():
        own[f"rake, {form}"] = ours(survey, work.margins)
    enum = forms["Enum"]
    own["linear, Enum"] = ours(enum, work.margins, method="linear")
    own["linear and sums, Enum"] = ours(enum, work.both, method="linear")
    own["raking and sums, Enum"] = ours(enum, work.both)
    own["logit and sums, Enum"] = ours(enum, work.both, method="logit", bounds=(0.2, 5.0))
    seconds = best_seconds({"nser_pmt": own}, rounds)["nser_pmt"]
    for name, (call, expected, times) in peers.items():
        start = time.perf_counter()
        found = call()
        first = time.perf_counter() - start  # what takes a minute is run once
        check(name, found, expected)
        seconds[name] = min(first, *(best_seconds({"": {name: call}}, times)[""].values()))
    return {"seconds": seconds}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--without-slow", action="store_true", help="leave out the dense matrices")
    args = parser.parse_args()
    refuse_debug_build()
    result = measure(args.rows, args.rounds, slow=not args.without_slow)
    result |= {"threads": args.threads, "rows": args.rows}
    result |= {"versions": versions(nser, pl, np, svy, balance)}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
