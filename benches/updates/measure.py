"""Store a registry, do the whole of it anew, or update some of it, each in a process of its own.

python -m updates.measure make --rows 10000000 --dir DIR
python -m updates.measure nightly --dir DIR
python -m updates.measure update --changed 100000 --dir DIR

``nightly`` is what would be done without the registry: read all households and people, score,
decide for four programmes, write the three tables. ``recompute`` does the same through the
registry, which also writes the records that updates need. Prints one JSON object. Exits with 1 if
an answer is not that of the whole, or for a debug build of nser_pmt.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import nser_pmt as nser
from memory import peak_bytes
from nser_pmt.registry import _files as files
from nser_pmt.registry._rules import RuleBook
from timing import refuse_debug_build, versions
from updates.country import TILE, tiles

MODEL = "schreiner-pk-2009"
PROGRAMMES = ("kafaalat", "taleemi-wazaif", "nashonuma", "hunarmand")
START = date(2025, 7, 1)
# Households in a file, of the source and of the registry.
PART = 1_000_000
ROUNDS = 3


def make(rows: int, folder: Path) -> dict[str, Any]:
    source = folder / "source"
    source.mkdir()
    waiting: list[tuple[pl.DataFrame, pl.DataFrame]] = []
    for place, pair in enumerate(tiles(rows // TILE)):
        waiting.append(pair)
        if len(waiting) * TILE >= min(PART, rows):
            for name, some in zip(("h", "p"), zip(*waiting, strict=True), strict=True):
                pl.concat(some).write_parquet(source / f"{name}{place:05d}.parquet")
            waiting = []

    def create() -> None:
        nser.Registry.create(
            folder / "registry",
            households=pl.scan_parquet(source / "h*.parquet"),
            people=pl.scan_parquet(source / "p*.parquet"),
            model=MODEL,
            programmes=PROGRAMMES,
            on=START,
            part_rows=PART,
        )

    return {"create": _timed(create), "bytes": _bytes(folder / "registry"), "peak": peak_bytes()}


def nightly(folder: Path) -> dict[str, Any]:
    book = RuleBook.of(nser.load_model(MODEL), [nser.load_programme(name) for name in PROGRAMMES])
    source = folder / "source"

    def whole() -> None:
        with tempfile.TemporaryDirectory(dir=folder) as target:
            for place, path in enumerate(sorted(source.glob("h*.parquet"))):
                households = pl.read_parquet(path)
                people = pl.read_parquet(path.with_name(path.name.replace("h", "p", 1)))
                decisions = book.decide(households, people, START)
                for name, frame in (("h", households), ("p", people), ("d", decisions)):
                    files.write_frame(Path(target) / f"{name}{place}.parquet", frame)

    return {"seconds": _timed(whole), "peak": peak_bytes()}


def recompute(folder: Path) -> dict[str, Any]:
    registry = nser.Registry.open(folder / "registry")
    on = registry.on
    return {"seconds": _timed(lambda: registry.recompute(on=on)), "peak": peak_bytes()}


def update(changed: int, folder: Path) -> dict[str, Any]:
    rounds = []
    for state in ("warm",) * ROUNDS + ("cold",):
        registry = nser.Registry.open(folder / "registry")
        on = registry.on + timedelta(days=1)
        batch = _batch(changed, folder, on)
        if state == "cold":
            _forget(folder / "registry")
        made: list[nser.UpdateReport] = []
        taken = _timed(
            lambda r=registry, b=batch, d=on, m=made: m.append(r.update(households=b, on=d))
        )
        [report] = made
        if report.households != changed or report.rejected.height:
            sys.exit("not all of the batch was applied")
        _check(registry, batch, on)
        moved = dict(report.transitions.group_by("transition").len().iter_rows())
        rounds.append({"state": state, **taken, "moved": moved})
    return {"rounds": rounds, "peak": peak_bytes(), "versions": versions(pl)}


def _batch(changed: int, folder: Path, on: date) -> pl.DataFrame:
    """Return households all over the country, with other answers."""
    households = pl.scan_parquet(folder / "source" / "h*.parquet")
    count = households.select(pl.len()).collect().item()
    random = np.random.default_rng(on.toordinal())
    ids = pl.Series(np.sort(random.choice(count, changed, replace=False)) + 1).cast(pl.UInt64)
    rows = households.filter(pl.col("hh_id").is_in(ids.implode())).collect()
    drawn = [pl.Series(random.random(rows.height) < 0.3) for _ in range(3)]
    return rows.with_columns(
        toilet=pl.when(drawn[0])
        .then(pl.lit("none").cast(rows.schema["toilet"]))
        .otherwise("toilet"),
        livestock=pl.when(drawn[1])
        .then(pl.lit("neither").cast(rows.schema["livestock"]))
        .otherwise("livestock"),
        n_le13=pl.when(drawn[2]).then(pl.lit(6, pl.Int16)).otherwise("n_le13"),
    )


def _check(registry: nser.Registry, batch: pl.DataFrame, on: date) -> None:
    """Compare a part of what was stored with a decision of everything that is known of it."""
    some = batch.head(2_000)
    ids = some["hh_id"].implode()
    state = registry.at()
    people = state.people.filter(pl.col("hh_id").is_in(ids)).collect()
    stored = state.decisions.filter(pl.col("hh_id").is_in(ids)).collect().sort("hh_id")
    book = RuleBook.of(registry.model, registry.programmes)
    if not stored.equals(book.decide(some, people, on)):
        sys.exit("an update decides otherwise than the whole")


def _forget(folder: Path) -> None:
    """Ask the system to drop the files from its memory, as after a restart."""
    for path in folder.rglob("*"):
        if path.is_file():
            handle = os.open(path, os.O_RDONLY)
            os.posix_fadvise(handle, 0, 0, os.POSIX_FADV_DONTNEED)
            os.close(handle)


def _timed(call: Callable[[], object]) -> dict[str, float]:
    """Return seconds by the clock, and of all processors: the latter bear a busy machine."""
    clock, processor = time.perf_counter(), time.process_time()
    call()
    return {
        "clock": time.perf_counter() - clock,
        "processor": time.process_time() - processor,
    }


def _bytes(folder: Path) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for path in folder.rglob("*"):
        if path.is_file():
            kind = path.suffix.lstrip(".") or "other"
            sizes[kind] = sizes.get(kind, 0) + path.stat().st_size
    return sizes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("make", "nightly", "recompute", "update"))
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--changed", type=int, default=100_000)
    parser.add_argument("--dir", type=Path, required=True)
    args = parser.parse_args()
    refuse_debug_build()
    if args.what == "make":
        result = make(args.rows, args.dir)
    elif args.what == "nightly":
        result = nightly(args.dir)
    elif args.what == "recompute":
        result = recompute(args.dir)
    else:
        result = update(args.changed, args.dir)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
