"""Time all cut-offs, and intervals, on one number of threads; `report.py` calls this afresh.

Checks first that every cut-off has the same counts by hand, that the area is scikit-learn's, and
that the standard errors are those of the same bootstrap by hand (other draws: within a quarter).
Prints one JSON object; seconds are the best of all rounds. Exits with 1 if answers differ, or for a
debug build of nser_pmt.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import numpy as np
import polars as pl
import sklearn

import nser_pmt as nser
from targeting import peers
from targeting.workload import Registry, registry
from timing import best_seconds, refuse_debug_build, versions

REPLICATES = 500
SHARE = 10  # by hand, one replicate of so many is timed
SURVEY = (30_000, 2_000)  # rows, primary sampling units


def check_curve(given: Registry, threads: int) -> None:
    found = peers.ours(given, threads)
    scores, tp, fp = peers.by_numpy(given)
    steps = found.steps
    same = np.array_equal(steps["score"].to_numpy(), scores)
    for name, values in (("tp", tp), ("fp", fp)):
        same = same and np.allclose(steps[name].to_numpy(), values, rtol=1e-9, atol=0)
    by_polars = peers.by_polars(given)
    same = same and np.allclose(by_polars["tp"].to_numpy(), tp, rtol=1e-9, atol=0)
    if not same or abs(found.metrics.item(0, "auc") - peers.auc_by_sklearn(given)) > 1e-9:
        sys.exit("nser_pmt and its peers have other answers")


def check_intervals(given: Registry, threads: int) -> None:
    found = peers.our_intervals(given, REPLICATES, threads).intervals
    by_hand = peers.numpy_intervals(given, REPLICATES).std(axis=0, ddof=1)
    assert found is not None
    for name, se in zip(("eer", "auc"), by_hand, strict=True):
        if abs(found.filter(metric=name).item(0, "se") / se - 1) > 0.25:
            sys.exit(f"nser_pmt and NumPy have other standard errors of {name}")


def measure_intervals(threads: int, rounds: int) -> dict[str, float]:
    survey = registry(SURVEY[0], points=False, units=SURVEY[1])
    check_intervals(survey, threads)
    forms = {
        "nser_pmt": {"x": lambda: peers.our_intervals(survey, REPLICATES, threads)},
        "NumPy by hand": {"x": lambda: peers.numpy_intervals(survey, REPLICATES // SHARE)},
    }
    seconds = {name: best["x"] for name, best in best_seconds(forms, rounds).items()}
    seconds["NumPy by hand"] *= SHARE
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    refuse_debug_build()
    result: dict[str, Any] = {"threads": args.threads, "rows": args.rows, "curves": {}}
    for kind in ("points", "numbers"):
        given = registry(args.rows, points=kind == "points")
        check_curve(given, args.threads)
        seconds = best_seconds(peers.curves(given, args.threads), args.rounds)
        result["curves"][kind] = {n: min(forms.values()) for n, forms in seconds.items()}
    if args.rows <= 1_000_000:
        result["intervals"] = measure_intervals(args.threads, args.rounds)
    result["versions"] = versions(nser, pl, np, sklearn)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
