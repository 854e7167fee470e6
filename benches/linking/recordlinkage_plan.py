"""recordlinkage on pandas: index and compare, run in a process of its own; prints JSON.

    python -m linking.recordlinkage_plan --file persons.parquet
    python -m linking.recordlinkage_plan --febrl 4

The persons' pairs are weighed by the sum of their similarities. FEBRL 4 is also classified by ECM
on similarities above .85.
"""

from __future__ import annotations

import argparse
import json
import warnings
from typing import Any

import pandas as pd
import polars as pl
import recordlinkage

from linking import data
from linking.measured import Stages

PERSONS: dict[str, Any] = {
    "keys": (["dob", "district"], ["cnic"]),
    "strings": {"name": "jarowinkler", "father_name": "jarowinkler", "cnic": "levenshtein"},
    "exact": ("dob", "gender", "district"),
}
FEBRL: dict[str, Any] = {
    "keys": (
        ["given_name", "surname"],
        ["date_of_birth"],
        ["soc_sec_id"],
        ["state", "address_1"],
        ["street_number", "address_1"],
        ["postcode"],
    ),
    "strings": {
        "given_name": "jarowinkler",
        "surname": "jarowinkler",
        "soc_sec_id": "damerau_levenshtein",
        "address_1": "jarowinkler",
    },
    "exact": ("date_of_birth", "postcode"),
}


def run(frames: tuple[pl.DataFrame, ...], plan: dict[str, Any], ecm: bool) -> dict[str, Any]:
    stages = Stages()
    with stages.stage("load"):
        tables = [
            pd.DataFrame(frame.drop("errors", strict=False).to_dict(as_series=False))
            for frame in frames
        ]
        tables = [table.set_index("person_id") for table in tables]
    with stages.stage("index"):
        index = recordlinkage.Index()
        for key in plan["keys"]:
            index.block(key)
        candidates = index.index(*tables)
    with stages.stage("compare"):
        compare = recordlinkage.Compare()
        for column, method in plan["strings"].items():
            compare.string(column, column, method=method, label=column)
        for column in plan["exact"]:
            compare.exact(column, column, label=column)
        features = compare.compute(candidates, *tables)
    classified = None
    if ecm:
        with stages.stage("ecm"):
            binary = (features > 0.85).astype(int)
            classified = recordlinkage.ECMClassifier().fit_predict(binary)
    return stages.result() | judged(frames, features, classified)


def judged(frames: tuple[pl.DataFrame, ...], features: Any, classified: Any) -> dict[str, Any]:
    import nser_pmt as nser

    truth = pl.concat(frames).select(id="person_id", entity="entity")

    def named(index: Any) -> pl.DataFrame:
        left, right = (index.get_level_values(n).to_list() for n in (0, 1))
        return pl.DataFrame({"id_left": left, "id_right": right})

    pairs = named(features.index).with_columns(
        match_weight=pl.Series(features.sum(axis=1).to_list())
    )
    found = nser.evaluate_links(pairs, truth, candidates="found")
    result: dict[str, Any] = {
        "pairs": pairs.height,
        "blocking_recall": found.blocking_recall,
        "best_f1": found.best_f1,
        "best_threshold": found.best_threshold,
    }
    if classified is not None:
        result["label_free_f1"] = nser.evaluate_links(named(classified), truth).f1
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", help="persons, as data.persons makes them")
    parser.add_argument("--febrl", type=int, choices=(1, 2, 3, 4))
    parser.add_argument("--threads", type=int, default=1, help="more are slower: ignored")
    args = parser.parse_args()
    warnings.simplefilter("ignore", FutureWarning)  # of pandas
    if args.febrl:
        result = run(data.febrl(args.febrl), FEBRL, ecm=True)
    else:
        result = run((pl.read_parquet(args.file),), PERSONS, ecm=False)
    result["versions"] = {"recordlinkage": recordlinkage.__version__, "pandas": pd.__version__}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
