"""Time the look-ups on one number of threads; `report.py` calls this in a fresh process.

Checks the answers of some queries against RapidFuzz first: rows, order and the bits of the scores.
RapidFuzz gets some of the queries, and its seconds are multiplied: it takes as long for each.
Prints one JSON object; seconds are the best of all rounds. Exits with 1 if answers differ, or for
a debug build of nser_pmt.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

import numpy as np
import polars as pl
import rapidfuzz
import sklearn
import sparse_dot_topn

import nser_pmt as nser
import roman_names
from timing import best_seconds, refuse_debug_build, versions
from top_k.peers import SCORERS, K, exact, ours, tf_idf
from top_k.peers import rapidfuzz as rapidfuzz_forms

ROUNDS = 5
CHECKED = 25  # queries
SHARE = 20  # RapidFuzz gets one query of so many


def check(queries: list[str], names: list[str], scorer: Any) -> None:
    found = nser.similarity.top_k(queries[:CHECKED], names, k=K, scorer=scorer)
    rows = found.select("query_index", "match_index", "score").rows()
    if rows != exact(queries[:CHECKED], names, scorer):
        sys.exit(f"nser_pmt and RapidFuzz have other answers by {scorer}")


def measure(queries: list[str], names: list[str], threads: int, rounds: int) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for scorer in SCORERS:
        check(queries, names, scorer)
        own = {"nser_pmt": ours(pl.Series(queries), pl.Series(names), scorer)}
        peers = {"RapidFuzz": rapidfuzz_forms(queries[::SHARE], names, scorer, threads)}
        seconds = best_seconds(own | peers, rounds)
        share = len(queries) / len(queries[::SHARE])
        seconds["RapidFuzz"] = {form: s * share for form, s in seconds["RapidFuzz"].items()}
        result[scorer] = seconds
    trigrams = {"sparse_dot_topn": tf_idf(queries, names, threads)}
    result["jaro_winkler"] |= best_seconds(trigrams, 2)
    return result


def one_by_one(queries: list[str], names: list[str]) -> float:
    """Median seconds of the look-up of one name."""
    prepared = nser.similarity.Dictionary(names)
    seconds = []
    for query in queries:
        start = time.perf_counter()
        nser.similarity.top_k(query, prepared, k=K)
        seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--names", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=1_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()
    refuse_debug_build()
    names = roman_names.dictionary(args.names)
    queries = roman_names.queries(names, args.queries)
    result = {
        "threads": args.threads,
        "names": args.names,
        "queries": args.queries,
        "seconds": measure(queries, names, args.threads, args.rounds),
        "one": one_by_one(queries[:200], names),
        "versions": versions(nser, pl, np, rapidfuzz, sklearn, sparse_dot_topn),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
