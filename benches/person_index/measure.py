"""Build an index of invented persons, or time look-ups in it, each in a process of its own.

python -m person_index.measure build --rows 1000000 --dir DIR
python -m person_index.measure search --dir DIR

A look-up is one call from Python with a dict. Those that find the record's own person first
are counted, and searching the frame must give the answers of the single look-ups. Prints one JSON
object. Exits with 1 if answers differ, or for a debug build of nser_pmt.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl

import nser_pmt as nser
from memory import peak_bytes
from timing import best_seconds, quantiles, refuse_debug_build, versions

COLUMNS = ["id", "cnic", "name", "father_name", "sex", "birth_date", "district"]
QUERIES = 10_000
BATCH = 1000
ROUNDS = 3
LEARNED_FROM = 200_000
SEED = 20261122


def plan() -> nser.LinkSpec:
    compare, key = nser.compare, nser.names.key
    return nser.LinkSpec(
        compare=[
            compare.cnic("cnic"),
            compare.name("name"),
            compare.name("father_name"),
            compare.date("birth_date"),
            compare.exact("sex"),
            compare.exact("district", frequency="exact"),
        ],
        block_on=[
            nser.blocking.cnic_within("cnic"),
            ["name", "birth_date"],
            ["father_name", "birth_date"],
            [key("name"), "birth_date"],
            [key("name"), key("father_name"), "district"],
            ["birth_date", "district", pl.col("name").str.head(3)],
        ],
    )


def build(rows: int, folder: Path) -> dict[str, Any]:
    made = nser.synth.people(rows, seed=SEED)
    citizens = made.citizens.rename({"entity": "id"}).select(COLUMNS)
    queries = made.records.select(COLUMNS).sample(QUERIES, seed=1, shuffle=True)
    truth = made.truth.select("id", "entity")
    queries.join(truth, on="id", maintain_order="left").write_parquet(folder / "queries.parquet")
    some = made.records.select(COLUMNS).sample(min(LEARNED_FROM, rows), seed=2)
    del made, truth
    spec = nser.learn(some, plan(), id="id").spec
    before = peak_bytes()
    start = time.perf_counter()
    index = nser.PersonIndex(citizens, spec, id="id")
    seconds = time.perf_counter() - start
    peak = peak_bytes()
    start = time.perf_counter()
    index.save(folder / "people.index")
    size = (folder / "people.index").stat().st_size
    return {
        "persons": len(index),
        "build": seconds,
        "peak_before": before,
        "peak": peak,
        "save": time.perf_counter() - start,
        "bytes": size,
        "largest_block": index.rules["largest_block"].max(),
    }


def search(folder: Path) -> dict[str, Any]:
    queries = pl.read_parquet(folder / "queries.parquet")
    path = folder / "people.index"
    load = best_seconds(
        {
            "load": {
                "plain": lambda: nser.PersonIndex.load(path),
                "verify": lambda: nser.PersonIndex.load(path, verify=True),
            }
        },
        ROUNDS,
    )["load"]
    index = nser.PersonIndex.load(path)
    records = queries.drop("entity").rows(named=True)
    seconds, found = [], []
    for _ in range(ROUNDS):
        taken, found = [], []
        for record in records:
            start = time.perf_counter()
            people = index.search(record)
            taken.append(time.perf_counter() - start)
            found.append([(p.id, p.match_weight) for p in people])
        seconds.append(taken)
    frame = index.search(queries)
    of_frame: list[list[Any]] = [[] for _ in records]
    for number, *rest in frame.select("query_index", "id", "match_weight").iter_rows():
        of_frame[number].append(tuple(rest))
    if of_frame != found:
        sys.exit("look-ups and the search of a frame have other answers")
    right = [
        bool(people) and people[0][0] == entity
        for people, entity in zip(found, queries["entity"], strict=True)
    ]
    batch = queries.head(BATCH)
    one = nser.RunControl(threads=1)
    return {
        "load": load,
        # Others' work on the machine shows in a round, and seldom in the best of all.
        "rounds": [quantiles(taken) for taken in seconds],
        "best": quantiles([min(taken) for taken in zip(*seconds, strict=True)]),
        "frame": best_seconds(
            {"frame": {"1": lambda: index.search(batch, control=one)}}, 5 * ROUNDS
        )["frame"]["1"],
        "first_is_right": sum(right) / len(right),
        "peak": peak_bytes(),
        "versions": versions(pl),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("build", "search"))
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--dir", type=Path, required=True)
    args = parser.parse_args()
    refuse_debug_build()
    result = build(args.rows, args.dir) if args.what == "build" else search(args.dir)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
