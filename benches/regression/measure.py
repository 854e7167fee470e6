"""Time logit and median regression on one number of threads.

`report.py` calls this in a fresh process.

Checks the answers first: coefficients of logit against each peer's; of median regression the loss,
which no peer's may be below, and the coefficients within what the peer promises. Prints one JSON
object; seconds are the best of all rounds. Exits with 1 if answers differ, or for a debug build of
nser_pmt.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import glum
import numpy as np
import polars as pl
import pyfixest
import sklearn
import statsmodels
import svy

import nser_pmt as nser
from regression.peers import LOGIT, MEDIAN
from regression.workload import spec, survey
from timing import best_seconds, refuse_debug_build, versions

SLOW_ROUNDS = 2


def rounds_of(peers: Any, frame: pl.DataFrame, columns: int) -> dict[str, float]:
    out = {}
    for name, peer in peers.items():
        form = {"": lambda peer=peer: peer(frame, columns)}
        out[name] = best_seconds({name: form}, SLOW_ROUNDS)[name][""]
    return out


def logit(rows: int, columns: int, rounds: int) -> dict[str, Any]:
    frame = survey(rows, columns, rows // 20)
    given = spec(columns, "poor", weighted=True, psu="cluster")
    own = nser.fit(frame, given, method="logit").coefficients["coefficient"].to_numpy()
    for name, peer in LOGIT.items():
        if not np.allclose(own, peer(frame, columns), rtol=1e-5, atol=1e-6):
            sys.exit(f"nser_pmt and {name} have other coefficients")
    form = {"": lambda: nser.fit(frame, given, method="logit")}
    seconds = best_seconds({"nser_pmt": form}, rounds)["nser_pmt"][""]
    return {"own": seconds, "peers": rounds_of(LOGIT, frame, columns)}


def median(rows: int, columns: int, rounds: int) -> dict[str, Any]:
    frame = survey(rows, columns, rows // 20, seed=2)
    plain = spec(columns, "y", weighted=False)
    own = nser.fit(frame, plain, method="quantile", tau=0.5).coefficients["coefficient"]
    x = np.column_stack([np.ones(rows), frame.select(f"x{j}" for j in range(columns)).to_numpy()])
    y = frame["y"].to_numpy()
    least = np.abs(y - x @ own.to_numpy()).sum()
    for name, peer in MEDIAN.items():
        theirs = peer(frame, columns)
        loss = np.abs(y - x @ theirs).sum()
        if loss < least * (1 - 1e-12) or not np.allclose(own, theirs, atol=1e-3):
            sys.exit(f"nser_pmt and {name} have other medians")
    weighted = spec(columns, "y", weighted=True)
    form = {"": lambda: nser.fit(frame, weighted, method="quantile", tau=0.5)}
    seconds = best_seconds({"nser_pmt": form}, rounds)["nser_pmt"][""]
    return {"own": seconds, "peers": rounds_of(MEDIAN, frame, columns)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--median-rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=40)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    refuse_debug_build()
    result = {
        "threads": args.threads,
        "logit": {"rows": args.rows, **logit(args.rows, args.columns, args.rounds)},
        "median": {
            "rows": args.median_rows,
            **median(args.median_rows, args.columns, args.rounds),
        },
        "columns": args.columns,
        "versions": versions(nser, pl, np, svy, glum, sklearn, pyfixest, statsmodels),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
