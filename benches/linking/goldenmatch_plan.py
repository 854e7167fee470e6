"""GoldenMatch: weighted similarities behind five keys, run in a process of its own; prints JSON.

    python -m linking.goldenmatch_plan --file persons.parquet [--threshold 0.88]
    python -m linking.goldenmatch_plan --febrl 3 [--model probabilistic]

FEBRL runs as GoldenMatch configures itself, with weights or with Fellegi-Sunter (set 4 is for
linking, which is left out). On the persons that would join most of the file: weights are given.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import logging
import os
from typing import Any

import polars as pl

from linking import data
from linking.measured import Stages, judge_clusters

KEYS = (
    ("dob", "district"),
    ("cnic",),
    ("name", "dob"),
    ("father_name", "dob"),
    ("name", "father_name"),
)
WEIGHTS = (
    ("cnic", "levenshtein", 0.35),
    ("name", "jaro_winkler", 0.25),
    ("father_name", "jaro_winkler", 0.2),
    ("dob", "levenshtein", 0.2),
)


def config(threshold: float) -> Any:
    from goldenmatch.config.schemas import (
        BlockingConfig,
        BlockingKeyConfig,
        GoldenMatchConfig,
        MatchkeyConfig,
        MatchkeyField,
    )

    keys = [BlockingKeyConfig(fields=list(fields)) for fields in KEYS]
    fields = [MatchkeyField(field=f, scorer=s, weight=w) for f, s, w in WEIGHTS]
    return GoldenMatchConfig(
        matchkeys=[
            MatchkeyConfig(name="person", type="weighted", fields=fields, threshold=threshold)
        ],
        blocking=BlockingConfig(
            strategy="multi_pass", keys=keys[:1], passes=keys, max_block_size=5000
        ),
        backend="bucket",
        n_buckets=256,
    )


def run(frame: pl.DataFrame, plan: Any, model: str) -> dict[str, Any]:
    import goldenmatch

    stages = Stages()
    fields = frame.drop("person_id", "entity", "errors", strict=False)
    # What it prints would be taken for the result.
    with stages.stage("all"), contextlib.redirect_stdout(io.StringIO()):
        if model == "probabilistic":
            plan = goldenmatch.auto_configure_probabilistic_df(fields)
        found = goldenmatch.dedupe_df(fields, config=plan, confidence_required=plan is not None)
        members = [(c, row) for c, info in found.clusters.items() for row in info["members"]]
    clusters = pl.DataFrame(members, {"cluster": pl.Int64, "row": pl.Int64}, orient="row")
    ids = frame.get_column("person_id")
    named = clusters.select("cluster", id=ids.gather(clusters.get_column("row")))
    judged = judge_clusters(named, frame.select(id="person_id", entity="entity"))
    versions = {"goldenmatch": goldenmatch.__version__}
    return stages.result() | {"clusters": {"": judged}, "versions": versions}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", help="persons, as data.persons makes them")
    parser.add_argument("--febrl", type=int, choices=(1, 2, 3))
    parser.add_argument("--threshold", type=float, default=0.88)
    parser.add_argument("--model", choices=("weighted", "probabilistic"), default="weighted")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    for name in ("RAYON_NUM_THREADS", "POLARS_MAX_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(name, str(args.threads))
    logging.disable(logging.WARNING - 1)
    if args.febrl:
        (frame,) = data.febrl(args.febrl)
        result = run(frame, None, args.model)
    else:
        result = run(pl.read_parquet(args.file), config(args.threshold), args.model)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
