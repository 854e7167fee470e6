"""Time a scenario in a process of its own, beside Polars where it fits; prints JSON.

    python -m scenario.measure --rows 30000000 [--peer]

With ``--peer`` the answers are compared first. Seconds are the best of all rounds.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import polars as pl

import nser_pmt as nser
from memory import peak_bytes
from scenario.peers import Registry
from scenario.workload import CHANGED, CUTOFF, batch, batches, changed, model
from timing import best_seconds, refuse_debug_build, versions

ROUNDS = 5


def check(now: nser.Scenario, then: nser.Scenario, peer: Registry) -> None:
    """Compare scores, movers and coverage with Polars, and scores with `nser.score`."""
    scores = now.scores()
    if not scores["pmt_score"].cast(pl.Float32).equals(peer.rescore(), null_equal=True):
        sys.exit("Scenario and Polars have other scores")
    if not scores.equals(nser.score(peer.frame, now.model).select(scores.columns)):
        sys.exit("Scenario and nser.score have other scores")
    found = now.compare(then, by="district").by["district"]
    moved = peer.movers(peer.change(then.model))
    if found.select("enters", "leaves").rows() != moved.select("enters", "leaves").rows():
        sys.exit("Scenario and Polars have other movers")
    covered = now.curve("district").at(CUTOFF)["covered"].to_list()
    if covered != peer.coverage(CUTOFF)["covered"].to_list():
        sys.exit("Scenario and Polars have other coverage")


def calls(now: nser.Scenario, then: nser.Scenario) -> dict[str, Callable[[], object]]:
    term, level, points = CHANGED
    terms = tuple(doubled(term) for term in now.model.terms)
    others = dataclasses.replace(now.model, terms=terms)
    curve = now.curve("district")
    return {
        "rescore": lambda: now.set(model=others),
        "change": lambda: now.set(term=term, level=level, points=points),
        "movers": lambda: now.compare(then, by="district"),
        "movers listed": lambda: now.movers(then),
        "compare by all": lambda: now.compare(then),
        "quota": lambda: now.set(quota=now.households // 4),
        "index": lambda: now.curve("district"),
        "coverage": lambda: curve.at(CUTOFF),
    }


def doubled(term: Any) -> Any:
    """Return a term with twice the points: every look-up table is another one."""
    levels = (dataclasses.replace(level, points=2 * level.points) for level in term.levels)
    return dataclasses.replace(term, levels=tuple(levels))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=30_000_000)
    parser.add_argument("--peer", action="store_true")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()
    refuse_debug_build()
    formula = model()
    groups: dict[str, dict[str, Callable[[], object]]] = {}
    peer = Registry(batch(0, args.rows), formula) if args.peer else None
    start = time.perf_counter()
    now = nser.Scenario(
        batches(args.rows) if peer is None else peer.frame,
        formula,
        by=["district", "sex_of_head"],
        cutoff=CUTOFF,
        transfer=1,
    )
    build = time.perf_counter() - start
    then = changed(now)
    if peer is not None:
        check(now, then, peer)
        groups["Polars"] = peer.calls(then.model)
    groups["nser_pmt"] = calls(now, then)
    seconds = best_seconds(groups, args.rounds)
    result = {
        "rows": args.rows,
        "seconds": seconds,
        "build": build,
        "memory": now.memory["shared"] + now.memory["own"],
        "peak": peak_bytes(),
        "versions": versions(nser, pl),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
