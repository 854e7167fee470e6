"""Time identity numbers and names on one number of threads; `report.py` calls this in a process.

Checks answers first: every number as it was made, every similarity as a single value gives it on a
sample. Prints one JSON object; seconds are the best of all rounds. Exits with 1 if answers differ,
or for a debug build of nser_pmt.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import polars as pl

import nser_pmt as nser
from identity import workload
from timing import Forms, best_seconds, refuse_debug_build, versions

ROUNDS = 5
CHECKED = 2_000
KEY = bytes(range(32))

NUMBERS: dict[str, Callable[[str], pl.Expr]] = {
    "cnic.parse": nser.cnic.parse,
    "cnic.is_valid": nser.cnic.is_valid,
    "cnic.normalize": nser.cnic.normalize,
    "cnic.mask": nser.cnic.mask,
    "cnic.token": lambda column: nser.cnic.token(column, key=KEY),
}
NAMES: dict[str, Callable[[], pl.Expr]] = {
    "names.fold": lambda: nser.names.fold("a"),
    "names.tokens": lambda: nser.names.tokens("a"),
    "names.key": lambda: nser.names.key("a"),
    "names.similarity": lambda: nser.names.similarity("a", "b"),
}


def check(numbers: pl.DataFrame, pairs: pl.DataFrame) -> None:
    for column in numbers.columns:
        found = numbers.select(nser.cnic.parse(column).struct.field("number")).to_series()
        if not (found == numbers["integer"]).all():
            sys.exit(f"cnic.parse reads other numbers from {column}")
    sample = pairs.head(CHECKED)
    alike = [nser.names.similarity_one(a, b) for a, b in sample.iter_rows()]
    if sample.select(nser.names.similarity("a", "b")).to_series().to_list() != alike:
        sys.exit("names.similarity differs from names.similarity_one")


def forms(numbers: pl.DataFrame, pairs: pl.DataFrame) -> dict[str, Forms]:
    groups: dict[str, Forms] = {
        name: {"digits": partial(numbers.select, make("digits"))} for name, make in NUMBERS.items()
    }
    for column in ("printed", "integer", "float"):
        groups["cnic.parse"][column] = partial(numbers.select, nser.cnic.parse(column))
    for name, make_name in NAMES.items():
        groups[name] = {"Roman": partial(pairs.select, make_name())}
    return groups


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    args = parser.parse_args()
    refuse_debug_build()
    numbers, pairs = workload.numbers(args.rows), workload.pairs(args.rows)
    check(numbers, pairs)
    result: dict[str, Any] = {
        "rows": args.rows,
        "threads": args.threads,
        "seconds": best_seconds(forms(numbers, pairs), args.rounds),
        "versions": versions(nser, pl),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
