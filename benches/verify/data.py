"""Registries to verify, with citizens and truth, as Parquet files; prints their paths as JSON.

    python -m verify.data --rows 500000 [--maker linking]

Two makers, neither of which knows the verifier: `nser.synth.people`, with as many errors as a
registry may have and four citizens for each row, and that of the linking suite, with few but
independent errors and nine citizens for ten rows.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

import nser_pmt as nser
from linking import data

SEED = 20261123
FIELDS = ("id", "cnic", "name", "father_name", "sex", "birth_date", "district", "entity", "errors")


def synth(rows: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    made = nser.synth.people(rows, seed=SEED, citizens=4 * rows, cnic_form="mixed")
    truth = made.truth.select("entity", "errors")
    return pl.concat([made.records, truth], how="horizontal").select(FIELDS), made.citizens


def linking(rows: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    rng = np.random.default_rng(SEED)
    citizens = data._people(rows - round(rows * data.DUPLICATES), rng)
    names = {"person_id": "id", "gender": "sex", "dob": "birth_date"}
    dates = pl.col("birth_date").str.to_date("%Y-%m-%d", strict=False)
    frames = (data.make(rows, SEED), citizens)
    records, persons = (f.rename(names, strict=False).with_columns(dates) for f in frames)
    return records.select(FIELDS), persons.drop("errors", "tehsil")


MAKERS = {"synth": synth, "linking": linking}


def files(maker: str, rows: int) -> tuple[Path, Path]:
    """Return the files of the registry and of the citizens."""
    paths = [data.folder() / f"verify-{maker}-{rows}-{what}.parquet" for what in ("rows", "people")]
    if not all(path.exists() for path in paths):
        paths[0].parent.mkdir(parents=True, exist_ok=True)
        for path, frame in zip(paths, MAKERS[maker](rows), strict=True):
            part = path.with_suffix(".part")
            frame.write_parquet(part)
            part.replace(path)
    return paths[0], paths[1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("--maker", choices=MAKERS, default="synth")
    args: Any = parser.parse_args()
    print(json.dumps([str(path) for path in files(args.maker, args.rows)]))


if __name__ == "__main__":
    main()
