"""Verify a registry in a process of its own, and judge it by the truth; prints JSON.

    python -m verify.measure --registry rows.parquet --citizens people.parquet [--lazy | --join]

``--join`` is what is done without nser_pmt: an exact join on the digits of the number; a row is
accepted when the names are equal but for case and spaces, and no birth date contradicts.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

import polars as pl

import nser_pmt as nser
from linking.measured import Stages
from timing import refuse_debug_build, versions

ACCEPTED = ("confirmed", "minor_variation")


def joined(registry: pl.DataFrame, citizens: pl.DataFrame) -> pl.DataFrame:
    """Return id, verdict, citizen and candidate by an exact join."""
    digits = pl.col("cnic").str.replace_all("-", "")
    folded = pl.col("name").str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    theirs = citizens.select(
        digits.alias("number"), folded.alias("known"), born="birth_date", citizen="entity"
    )
    theirs = theirs.unique("number", keep="first", maintain_order=True)
    mine = registry.select("id", digits.alias("number"), folded.alias("name"), "birth_date")
    both = mine.join(theirs, on="number", how="left", maintain_order="left")
    same = (pl.col("name") == pl.col("known")) & (pl.col("birth_date") == pl.col("born")).fill_null(
        True
    )
    verdict = pl.when(pl.col("citizen").is_null()).then(pl.lit("not_found"))
    verdict = verdict.when(same).then(pl.lit("confirmed")).otherwise(pl.lit("conflicting"))
    candidate = pl.lit(None, pl.Int64)
    return both.select("id", verdict.alias("verdict"), "citizen", candidate=candidate)


def judged(found: pl.DataFrame, registry: pl.DataFrame) -> dict[str, Any]:
    """Count what is right and wrong, by verdict and by kind of error."""
    rows = found.select(pl.col("verdict").cast(pl.String), "citizen", "candidate").with_columns(
        registry.select("entity", "errors")
    )
    accepted = pl.col("verdict").is_in(ACCEPTED)
    own = pl.col("citizen") == pl.col("entity")
    suggested = ~accepted & pl.col("candidate").is_not_null()
    mine = pl.col("candidate") == pl.col("entity")
    counts = {
        "rows": pl.len(),
        "accepted": (accepted & own).sum(),
        "accepted_wrong": (accepted & ~own).sum(),
        "suggested": (suggested & mine).sum(),
        "suggested_wrong": (suggested & ~mine).sum(),
        "neither": (~accepted & ~suggested).sum(),
    }
    kinds = rows.explode("errors").with_columns(pl.col("errors").fill_null("none"))
    return {
        "all": rows.select(**counts).to_dicts()[0],
        "verdicts": rows.group_by("verdict").agg(**counts).sort("verdict").to_dicts(),
        "kinds": kinds.group_by("errors").agg(**counts).sort("errors").to_dicts(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--registry", required=True)
    parser.add_argument("--citizens", required=True)
    parser.add_argument("--lazy", action="store_true", help="do not read the citizens at once")
    parser.add_argument("--join", action="store_true", help="the exact join instead")
    args = parser.parse_args()
    refuse_debug_build()
    stages = Stages()
    with stages.stage("load"):
        registry = pl.read_parquet(args.registry)
        scan = pl.scan_parquet(args.citizens)
        citizens: Any = scan if args.lazy else scan.collect()
    loaded = stages.peak
    with stages.stage("verify"):
        if args.join:
            frame = joined(registry, citizens)
        else:
            fields = registry.drop("entity", "errors")
            frame = nser.verify(fields, citizens, id="id", citizen_id="entity").frame
    people = scan.select(pl.len()).collect().item()
    result = {"loaded": loaded, "citizens": people, "versions": versions(nser, pl)}
    print(json.dumps(stages.result() | result | judged(frame, registry)))


if __name__ == "__main__":
    main()
