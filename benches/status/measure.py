"""Build an index of invented statuses, or time look-ups in it, each in a process of its own.

python -m status.measure build --rows 1000000 --dir DIR
python -m status.measure search --dir DIR

One row a person. The peer is a table of SQLite with the number as its primary key. A look-up is one
call from Python with a text as it is typed; both must give the same household, day and decision.
Prints one JSON object. Exits with 1 if answers differ, or for a debug build of nser_pmt.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import nser_pmt as nser
from memory import peak_bytes
from timing import best_seconds, quantiles, refuse_debug_build, versions

DAY = date(2024, 6, 1)
PROGRAMMES = ("kafaalat", "taleemi_wazaif", "nashonuma", "hunarmand")
DECISIONS = pl.Enum(["eligible", "not_eligible", "needs_data", "over_quota"])
REASONS = (["pmt_cutoff"], ["pmt_cutoff", "government_employee"], [], ["no_score"])
QUERIES = 20_000
ROUNDS = 3
SLICE = 500_000
SEED = 20261122


def people(rows: int) -> pl.DataFrame:
    """Return invented people: numbers of 400 places, each once, in no order."""
    random = np.random.default_rng(SEED)
    places = random.choice(np.arange(11_000, 82_000), 400, replace=False).astype(np.int64)
    serials = random.permutation(np.arange(rows, dtype=np.int64))
    numbers = places[serials % 400] * 10**8 + (serials // 400 * 977 + 1_234_567) % 10**8
    code = random.integers(0, 4, rows)
    frame = pl.DataFrame(
        {
            "hh_id": np.arange(rows),
            "cnic": numbers,
            "cnic_expiry": random.integers(19_000, 23_000, rows).astype(np.int32),
            "code": code,
        }
    ).with_columns(
        pl.col("cnic_expiry").cast(pl.Date),
        pl.concat_str(
            pl.col("hh_id") % 26 + 65, pl.lit(" "), pl.col("hh_id") // 26 % 26 + 65
        ).alias("name"),
    )
    decisions = pl.Series(DECISIONS.categories, dtype=DECISIONS)
    made = []
    for k, programme in enumerate(PROGRAMMES):
        moved = (frame["code"] + k) % 4
        made += [
            decisions.gather(moved).alias(f"decision_{programme}"),
            pl.Series([10_500.0 + 500 * k, None, None, None])
            .gather(moved)
            .alias(f"amount_{programme}"),
            pl.Series(REASONS).gather(moved).alias(f"reasons_{programme}"),
        ]
    return frame.with_columns(made).drop("code")


def build(rows: int, folder: Path) -> dict[str, Any]:
    frame = people(rows)
    queries = frame.sample(QUERIES, seed=1, shuffle=True)
    queries.select("hh_id", "cnic", "cnic_expiry", "decision_kafaalat").write_parquet(
        folder / "queries.parquet"
    )
    before = peak_bytes()
    start = time.perf_counter()
    index = nser.StatusIndex.build(
        frame,
        folder / "status.index",
        expiry="cnic_expiry",
        name="name",
        programmes=PROGRAMMES,
        as_of=DAY,
    )
    seconds = time.perf_counter() - start
    peak = peak_bytes()
    start = time.perf_counter()
    _sqlite(frame, folder / "status.db")
    return {
        "rows": len(index),
        "build": seconds,
        "peak_before": before,
        "peak": peak,
        "sqlite_build": time.perf_counter() - start,
        "bytes": (folder / "status.index").stat().st_size,
        "sqlite_bytes": (folder / "status.db").stat().st_size,
    }


def _sqlite(frame: pl.DataFrame, path: Path) -> None:
    plain = frame.sort("cnic").select(
        "cnic",
        "hh_id",
        pl.col("cnic_expiry").to_physical(),
        "name",
        *(pl.col(f"decision_{p}").to_physical() for p in PROGRAMMES),
        *(f"amount_{p}" for p in PROGRAMMES),
    )
    base = sqlite3.connect(path)
    base.executescript("pragma journal_mode = off; pragma synchronous = off")
    columns = ", ".join(f"c{k}" for k in range(plain.width - 1))
    base.execute(f"create table status (cnic integer primary key, {columns})")
    marks = ", ".join("?" * plain.width)
    for part in plain.iter_slices(SLICE):
        base.executemany(f"insert into status values ({marks})", part.iter_rows())
    base.commit()
    base.close()


def search(folder: Path) -> dict[str, Any]:
    queries = pl.read_parquet(folder / "queries.parquet")
    path = folder / "status.index"
    load = best_seconds(
        {
            "load": {
                "plain": lambda: nser.StatusIndex.load(path),
                "verify": lambda: nser.StatusIndex.load(path, verify=True),
            }
        },
        ROUNDS,
    )["load"]
    index = nser.StatusIndex.load(path)
    base = sqlite3.connect(f"file:{folder / 'status.db'}?mode=ro", uri=True)

    def ours(typed: str) -> nser.Status:
        return index.look_up(typed, on=DAY)

    def theirs(typed: str) -> Any:
        number = int(nser.cnic.normalize_one(typed) or 0)
        return base.execute("select * from status where cnic = ?", (number,)).fetchone()

    typed = queries.select(nser.cnic.format("cnic"))["cnic"].to_list()
    for text, row in zip(typed, queries.rows(), strict=True):
        found, other = ours(text), theirs(text)
        expected = (row[0], row[2], row[3])
        code = DECISIONS.categories.to_list().index(row[3])
        if (found.household, found.expires, found.programmes["kafaalat"].decision) != expected:
            sys.exit("a look-up has another answer")
        if (other[1], date(1970, 1, 1) + timedelta(other[2]), other[4]) != (row[0], row[2], code):
            sys.exit("SQLite has another answer")
        if found.answer != ("expired" if row[2] < DAY else "found"):
            sys.exit("a card that is expired is not, or the other way round")
    # Kept apart: numbers that nobody has, and what is no number.
    absent = [nser.cnic.format_one(9_920_000_000_001 + 2 * k) for k in range(QUERIES // 10)]
    bad = [text.replace("0", "O", 1)[:-2] for text in typed[: QUERIES // 10]]
    if any(ours(text).answer != "unknown" for text in absent if text is not None):
        sys.exit("a number that nobody has is found")
    if any(ours(text).answer != "malformed" for text in bad):
        sys.exit("what is no number is read as one")
    seconds: dict[str, list[list[float]]] = {"ours": [], "theirs": [], "absent": [], "bad": []}
    for _ in range(ROUNDS):
        seconds["ours"].append(_timed(ours, typed))
        seconds["theirs"].append(_timed(theirs, typed))
        seconds["absent"].append(_timed(ours, [text for text in absent if text is not None]))
        seconds["bad"].append(_timed(ours, bad))
    return {
        "load": load,
        "rounds": {name: [quantiles(r) for r in rounds] for name, rounds in seconds.items()},
        "peak": peak_bytes(),
        "versions": versions(pl) | {"sqlite": sqlite3.sqlite_version},
    }


def _timed(call: Callable[[str], Any], texts: list[str]) -> list[float]:
    taken = []
    for text in texts:
        start = time.perf_counter()
        call(text)
        taken.append(time.perf_counter() - start)
    return taken


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
