"""Time the fits on one number of threads; `report.py` calls this in a fresh process.

Checks coefficients and errors against NumPy's first. Prints one JSON object; seconds are the best
of all rounds. Exits with 1 if answers differ, or for a debug build of nser_pmt.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import numpy as np
import polars as pl
import statsmodels
import svy

import nser_pmt as nser
from fit.peers import PEERS
from fit.workload import clustered, spec
from timing import best_seconds, refuse_debug_build, versions

SURVEY = (32_000, 40, 2_000)
DRAWS = 500


def check(found: nser.Fit, theirs: Any, name: str, *, scale: float = 1.0) -> None:
    own = [found.coefficients[c].to_numpy() for c in ("coefficient", "se")]
    same = np.allclose(own[0], theirs[0], rtol=1e-8) and np.allclose(
        own[1], theirs[1] * scale, rtol=1e-7
    )
    if not same:
        sys.exit(f"nser_pmt and {name} have other answers")


def measure(rows: int, columns: int, clusters: int, rounds: int) -> dict[str, Any]:
    frame = clustered(rows, columns, clusters)
    given = spec(columns)
    found = nser.fit(frame, given, errors="cluster")
    for name, peer in PEERS.items():
        # svy's design errors lack the factor for the coefficients.
        scale = ((rows - 1) / (rows - columns - 1)) ** 0.5 if name == "svy" else 1.0
        check(found, peer(frame, columns), name, scale=scale)
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=2)
    narrow = frame.with_columns(pl.col("^x.*$").cast(pl.Float32))
    own = {
        "by cluster": lambda: nser.fit(frame, given, errors="cluster"),
        "f32 columns": lambda: nser.fit(narrow, given, errors="cluster"),
        "rows in any order": lambda: nser.fit(shuffled, given, errors="cluster"),
    }
    seconds = best_seconds({"nser_pmt": own}, rounds)["nser_pmt"]
    # NumPy takes its turns with ours; who needs several seconds gets two.
    fast = {"nser_pmt": {"by cluster": own["by cluster"]}}
    fast["NumPy normal equations"] = {"": lambda: PEERS["NumPy normal equations"](frame, columns)}
    turns = best_seconds(fast, rounds)
    seconds["by cluster"] = min(seconds["by cluster"], turns["nser_pmt"]["by cluster"])
    peers = {"NumPy normal equations": turns["NumPy normal equations"][""]}
    for name in ("svy", "statsmodels"):
        peer = PEERS[name]
        slow = best_seconds({name: {"": lambda peer=peer: peer(frame, columns)}}, 2)  # type: ignore[misc]
        peers[name] = slow[name][""]
    return {"own": seconds, "peers": peers}


def survey(rounds: int) -> dict[str, float]:
    frame = clustered(*SURVEY)
    fit = nser.fit(frame, spec(SURVEY[1]))
    drawn = fit.bootstrap(n=DRAWS)
    ratio = (drawn.coefficients["se"] / fit.coefficients["se"]).to_numpy()
    if not (np.abs(ratio - 1) < 0.2).all():
        sys.exit("bootstrap and linearised errors disagree")
    forms = {
        "fit with design errors": lambda: nser.fit(frame, spec(SURVEY[1])),
        f"{DRAWS} bootstrap refits": lambda: fit.bootstrap(n=DRAWS),
        "jackknife": fit.jackknife,
        "10-fold cross-validation": fit.cross_validate,
        "without a term": lambda: fit.drop("x7"),
    }
    return best_seconds({"nser_pmt": forms}, rounds)["nser_pmt"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=40)
    parser.add_argument("--clusters", type=int, default=50_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=7)
    args = parser.parse_args()
    refuse_debug_build()
    result = {
        "threads": args.threads,
        "rows": args.rows,
        "columns": args.columns,
        "clusters": args.clusters,
        **measure(args.rows, args.columns, args.clusters, args.rounds),
        "survey": survey(args.rounds),
        "versions": versions(nser, pl, np, svy, statsmodels),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
