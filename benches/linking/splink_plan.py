"""Splink on DuckDB: the plan of the suite, run in a process of its own; prints JSON.

    python -m linking.splink_plan --file persons.parquet [--rules loose] [--max-pairs 1e7]
    python -m linking.splink_plan --febrl 3

Splink draws records to learn u from random pairs. No two of a few thousand records share a CNIC, so
the levels of a near-unique number often go unobserved and take a default weight: `--fix-u` sets
them by hand, which is Splink at its best.
"""

from __future__ import annotations

import argparse
import json
import warnings
from typing import Any

import duckdb
import polars as pl
import splink
import splink.comparison_level_library as cll
import splink.comparison_library as cl
from splink import DuckDBAPI, Linker, SettingsCreator, block_on

from linking import data
from linking.measured import LABEL_FREE, Stages, judge

TIGHT = (
    ("cnic",),
    ("name", "dob"),
    ("father_name", "dob"),
    ("dob", "district"),
    ("name", "father_name"),
    ("left(name,3)", "left(father_name,3)", "left(dob,4)", "district"),
    ("right(cnic,6)",),
)
LOOSE = (*TIGHT, ("dob", "left(name,4)"), ("dob", "left(father_name,4)"))
TRAINING = (("dob", "district"), ("cnic",), ("name", "father_name"))
U_OF_CNIC = (1e-6, 1e-6, 5e-6, 1 - 7e-6)


def cnic(fix_u: bool) -> Any:
    levels = [
        cll.ExactMatchLevel("cnic"),
        cll.LevenshteinLevel("cnic", 1),
        cll.LevenshteinLevel("cnic", 2),
        cll.ElseLevel(),
    ]
    if fix_u:
        for level, u in zip(levels, U_OF_CNIC, strict=True):
            level.configure(u_probability=u, fix_u_probability=True)
    return cl.CustomComparison([cll.NullLevel("cnic"), *levels], output_column_name="cnic")


def persons_plan(rules: Any, fix_u: bool) -> dict[str, Any]:
    def name(column: str) -> Any:
        levels = cl.JaroWinklerAtThresholds(column, [0.95, 0.88, 0.75])
        return levels.configure(term_frequency_adjustments=True)

    return {
        "comparisons": [
            cnic(fix_u),
            name("name"),
            name("father_name"),
            cl.DateOfBirthComparison("dob", input_is_string=True),
            cl.ExactMatch("gender"),
            cl.ExactMatch("district").configure(term_frequency_adjustments=True),
        ],
        "rules": rules,
        "training": TRAINING,
        "strict": (("cnic",), ("name", "father_name", "dob")),
        "recall": 0.75,
    }


def febrl_plan(number: int) -> dict[str, Any]:
    def frequent(comparison: Any) -> Any:
        return comparison.configure(term_frequency_adjustments=True)

    linked = number == 4
    names = [cl.NameComparison(column) for column in ("given_name", "surname")]
    distances = [1, 2] if linked else [2]
    postcode = cl.DamerauLevenshteinAtThresholds("postcode", [1, 2])
    rules: tuple[tuple[str, ...], ...] = (
        ("soc_sec_id",), ("given_name",), ("surname",), ("date_of_birth",), ("postcode",),
    )  # fmt: skip
    if linked:
        rules = (
            ("given_name", "surname"),
            ("l.given_name = r.surname and l.surname = r.given_name",),
            ("date_of_birth",),
            ("soc_sec_id",),
            ("state", "address_1"),
            ("street_number", "address_1"),
            ("postcode",),
        )
    return {
        "comparisons": [
            *(map(frequent, names) if linked else names),
            cl.DateOfBirthComparison("date_of_birth", input_is_string=True),
            cl.DamerauLevenshteinAtThresholds("soc_sec_id", distances),
            frequent(cl.ExactMatch("street_number")),
            frequent(postcode if linked else cl.ExactMatch("postcode")),
        ],
        "rules": rules,
        "training": (("date_of_birth",), ("postcode",)),
        "strict": (("soc_sec_id",), ("given_name", "surname", "date_of_birth")),
        "recall": 0.8 if linked else 0.9,
    }


def rule(columns: tuple[str, ...]) -> Any:
    return columns[0] if " = " in columns[0] else block_on(*columns)


def run(frames: tuple[pl.DataFrame, ...], plan: dict[str, Any], args: Any) -> dict[str, Any]:
    stages = Stages()
    truth = pl.concat(frames).select(id="person_id", entity="entity")
    connection = duckdb.connect()
    connection.execute(f"set threads = {args.threads}")
    with stages.stage("load"):
        database = DuckDBAPI(connection=connection)
        tables = []
        for n, frame in enumerate(frames):
            arrow = frame.drop("entity", "errors", strict=False).to_arrow()
            connection.register(f"arrow_{n}", arrow)
            connection.execute(f"create table persons_{n} as select * from arrow_{n}")
            tables.append(database.register(connection.table(f"persons_{n}")))
        settings = SettingsCreator(
            link_type="link_only" if len(frames) > 1 else "dedupe_only",
            unique_id_column_name="person_id",
            comparisons=plan["comparisons"],
            blocking_rules_to_generate_predictions=[rule(r) for r in plan["rules"]],
            retain_matching_columns=False,
            retain_intermediate_calculation_columns=False,
        )
        linker = Linker(tables if len(frames) > 1 else tables[0], settings)
    training = linker.training
    with stages.stage("prior"):
        strict = [block_on(*columns) for columns in plan["strict"]]
        training.estimate_probability_two_random_records_match(strict, recall=plan["recall"])
    with stages.stage("u"):
        training.estimate_u_using_random_sampling(max_pairs=args.max_pairs, seed=args.seed)
    with stages.stage("em"):
        for columns in plan["training"]:
            training.estimate_parameters_using_expectation_maximisation(
                block_on(*columns), estimate_without_term_frequencies=True
            )
    with stages.stage("predict"):
        kept = linker.inference.predict(threshold_match_weight=LABEL_FREE)

    def clusters(pairs: Any, weight: float) -> Any:
        return linker.clustering.cluster_pairwise_predictions_at_threshold(
            pairs, threshold_match_weight=weight
        )

    def clustered(weight: float) -> pl.DataFrame:
        found = pl.from_arrow(clusters(predicted, weight).as_pyarrow_table())
        assert isinstance(found, pl.DataFrame)
        return found.select(id="person_id", cluster="cluster_id")

    dedupe = len(frames) == 1
    if dedupe:
        with stages.stage("cluster"):
            clusters(kept, LABEL_FREE)
    predicted = linker.inference.predict(threshold_match_weight=None)
    names = "person_id_l as id_left, person_id_r as id_right, match_weight"
    table = connection.sql(f"select {names} from {predicted.physical_name}").to_arrow_table()
    pairs = pl.from_arrow(table)
    return stages.result() | judge(pairs, truth, clustered if dedupe else None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--file", help="persons, as data.persons makes them")
    parser.add_argument("--febrl", type=int, choices=(1, 2, 3, 4))
    parser.add_argument("--rules", choices=("tight", "loose"), default="tight")
    parser.add_argument("--max-pairs", type=float, default=1e7)
    parser.add_argument("--fix-u", action="store_true")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    warnings.simplefilter("default")
    if args.febrl:
        frames, plan = data.febrl(args.febrl), febrl_plan(args.febrl)
    else:
        frames = (pl.read_parquet(args.file),)
        plan = persons_plan(LOOSE if args.rules == "loose" else TIGHT, args.fix_u)
    result = run(frames, plan, args)
    result["versions"] = {"splink": splink.__version__, "duckdb": duckdb.__version__}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
