"""nser_pmt: the plan of the suite, run in a process of its own; prints JSON.

python -m linking.nser_plan --file persons.parquet [--rules loose]
python -m linking.nser_plan --febrl 3
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import polars as pl

import nser_pmt as nser
from linking import data
from linking.measured import LABEL_FREE, Stages, judge
from timing import refuse_debug_build, versions


def persons_plan(rules: str) -> Any:
    def start(column: str, letters: int) -> pl.Expr:
        return pl.col(column).str.head(letters)

    year = pl.col("dob").dt.year()
    tight = [
        ["cnic"],
        ["name", "dob"],
        ["father_name", "dob"],
        ["dob", "district"],
        ["name", "father_name"],
        [start("name", 3), start("father_name", 3), year, "district"],
        [pl.col("cnic").str.tail(6)],
    ]
    loose = [["dob", start("name", 4)], ["dob", start("father_name", 4)]]
    name, father = nser.names.key("name"), nser.names.key("father_name")
    keys = [[name, father], [name, year, "district"], [father, year, "district"]]
    compare = nser.compare
    return nser.LinkSpec(
        compare=[
            compare.cnic("cnic"),
            compare.name("name"),
            compare.name("father_name"),
            compare.date("dob"),
            compare.exact("gender"),
            compare.exact("district", frequency="exact"),
        ],
        block_on=[
            *tight,
            *(loose if rules == "loose" else []),
            *(keys if rules == "keys" else []),
            *([nser.blocking.cnic_within("cnic")] if rules != "as Splink" else []),
        ],
    )


def febrl_plan(number: int) -> Any:
    compare = nser.compare
    rules: list[Any] = [
        ["soc_sec_id"],
        ["given_name"],
        ["surname"],
        ["date_of_birth"],
        ["postcode"],
    ]
    if number == 4:
        rules = [
            ["given_name", "surname"],
            [pl.concat_list("given_name", "surname").list.sort().list.join(" ")],
            ["date_of_birth"],
            ["soc_sec_id"],
            ["state", "address_1"],
            ["street_number", "address_1"],
            ["postcode"],
        ]
    return nser.LinkSpec(
        compare=[
            compare.string("given_name", frequency="exact"),
            compare.string("surname", frequency="exact"),
            compare.date("date_of_birth", levels=["one_slip", 31, 366]),
            compare.string("soc_sec_id", "damerau_levenshtein", levels=[1, 2]),
            compare.exact("street_number", frequency="exact"),
            compare.string("postcode", "damerau_levenshtein", levels=[1, 2], frequency="exact"),
            compare.string("address_1", levels=[0.9, 0.75]),
            compare.string("suburb", levels=[0.9, 0.75]),
            compare.exact("state"),
        ],
        block_on=rules,
    )


def run(frames: tuple[pl.DataFrame, ...], spec: Any, born: str) -> dict[str, Any]:
    stages = Stages()
    truth = pl.concat(frames).select(id="person_id", entity="entity")
    fields = [frame.drop("entity", "errors", strict=False) for frame in frames]
    with stages.stage("load"):
        dates = pl.col(born).str.to_date("%Y-%m-%d", strict=False)
        fields = [frame.with_columns(dates) for frame in fields]
    with stages.stage("read"):
        rows = nser.Linkage(*fields, spec, id="person_id")
    with stages.stage("learn"):
        learned = rows.learn().spec
    with stages.stage("link"):
        pairs = rows.link(learned, threshold=LABEL_FREE)
    dedupe = len(frames) == 1
    if dedupe:
        with stages.stage("cluster"):
            nser.cluster(pairs, threshold=LABEL_FREE)
    # Without the clock: all pairs, for every threshold.
    pairs = rows.link(learned, threshold=None)

    def clustered(weight: float) -> Any:
        return nser.cluster(pairs, threshold=weight)

    judged = judge(pairs, truth, clustered if dedupe else None)
    return stages.result() | judged | {"versions": versions(nser, pl)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", help="persons, as data.persons makes them")
    parser.add_argument("--febrl", type=int, choices=(1, 2, 3, 4))
    parser.add_argument("--rules", choices=("as Splink", "tight", "loose", "keys"), default="tight")
    args = parser.parse_args()
    refuse_debug_build()
    if args.febrl:
        result = run(data.febrl(args.febrl), febrl_plan(args.febrl), "date_of_birth")
    else:
        result = run((pl.read_parquet(args.file),), persons_plan(args.rules), "dob")
    print(json.dumps(result))


if __name__ == "__main__":
    main()
