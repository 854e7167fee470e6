"""From survey forms to a payment list on a million synthetic households; or score your file."""

from __future__ import annotations

import argparse
import dataclasses
import shutil
import sys
import time
from pathlib import Path

import polars as pl

import nser_pmt as nser
from nser_pmt import cli
from nser_pmt.pipeline import ScoreStep

OUT = Path("build/demo")
COUNTRY = OUT / "country"
STORY = Path("demo/story.toml")
MODEL = "schreiner-pk-2009"


def main() -> int:
    """Run the demonstration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a file of households to score, and nothing else")
    parser.add_argument("--model", default=MODEL)
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()

    OUT.mkdir(parents=True, exist_ok=True)
    if options.data is not None:
        return score(options.data, options.model)
    return tell(options.rows, options.model)


def tell(rows: int, model: str) -> int:
    """Make a country, and run the pipeline on it."""
    start = time.perf_counter()
    print(f"Making {rows:,} synthetic households, their members and citizens (no real person) ...")
    shutil.rmtree(COUNTRY, ignore_errors=True)
    nser.synth.write_registry(COUNTRY, rows, seed=2016)
    truth = pl.read_parquet(COUNTRY / "household_truth")
    print(f"  {time.perf_counter() - start:.1f} s")

    print(f"\n$ nser-pmt run {STORY}")
    ran = time.perf_counter()
    config = nser.load_pipeline(STORY)
    if model != MODEL:
        config = dataclasses.replace(config, score=ScoreStep(model=model))
    result: list[nser.PipelineResult] = []
    code = cli.reported(lambda: result.append(cli.run_and_write(config)))
    if code != 0:
        return code
    print(f"  {time.perf_counter() - ran:.1f} s")
    summary(result[0], truth)
    print(f"\nAll in {time.perf_counter() - start:.0f} s.")
    print("Synthetic households say nothing about Pakistan: this shows the machinery.")
    return 0


def summary(result: nser.PipelineResult, truth: pl.DataFrame) -> None:
    """Print what a person wants to know first."""
    decided = [
        (name, decision, rows)
        for name, d in result.decisions.items()
        for decision, rows in d.frame.group_by("decision")
        .agg(rows=pl.len())
        .sort("decision")
        .cast({"decision": pl.String})
        .iter_rows()
    ]
    table = pl.DataFrame(decided, schema=["programme", "decision", "rows"], orient="row")
    table = table.pivot("decision", index="programme", values="rows")
    show("Decisions: households for kafaalat, members for the others", table)

    free = pl.col("held").is_null()
    paid = result.payments.group_by("programme", maintain_order=True).agg(
        payments=free.sum(), rupees=pl.col("amount").filter(free).sum(), held=(~free).sum()
    )
    show("Payments of the quarter (research lines, not official)", paid)

    if result.duplicates is not None:
        found = result.duplicates.households.join(truth, on="hh_id")
        kept = truth.select(duplicate_of="hh_id", kept="household")
        right = found.join(kept, on="duplicate_of").filter(pl.col("household") == pl.col("kept"))
        known = int(truth.get_column("further").sum())
        rows = [(known, found.height, right.height)]
        names = ["registered twice", "found", "rightly"]
        show("Households, by the latent truth", pl.DataFrame(rows, schema=names, orient="row"))

    errors = result.decision_errors
    if errors is not None:
        percent = (pl.col("headcount", "coverage", "ier", "eer") * 100).round(1)
        named = errors.select("programme", percent).rename(
            {
                "headcount": "poor %",
                "coverage": "reached %",
                "ier": "inclusion error %",
                "eer": "exclusion error %",
            }
        )
        show("Errors against the poorest fifth, counted by persons", named)


def score(source: Path, model: str) -> int:
    """Score the households of a file."""
    output = OUT / "scored.parquet"
    print(f"$ nser-pmt score {model} {source} {output}")
    start = time.perf_counter()
    code = cli.main(["score", model, str(source), str(output)])
    if code != 0:
        return code
    print(f"  {time.perf_counter() - start:.1f} s")
    report(pl.read_parquet(output), nser.load_model(model))
    return 0


def report(scored: pl.DataFrame, model: nser.Model) -> None:
    """Print what a person wants to know first."""
    if model.likelihoods:
        line = model.likelihoods[0]
        rate = f"likelihood_{line.line}"
        scored = nser.likelihood(scored, model, lines=line.line)
        show(f"Score bands, with the likelihood of being poor ({line.title})", bands(scored, rate))
        if "province" in scored.columns:
            rates = scored.group_by("province").agg(
                households=pl.len(), estimated_poverty_rate=pl.col(rate).mean().round(3)
            )
            show("Estimated poverty rate by province", rates.sort("estimated_poverty_rate"))
    else:
        quantiles = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95]
        scores = scored.get_column("pmt_score")
        rows = [(q, scores.quantile(q, "lower")) for q in quantiles]
        show("Scores", pl.DataFrame(rows, schema=["share of households", "score"], orient="row"))
    known = [c for c in model.cutoffs if c.side != "unknown"]
    if known:
        shares = scored.select(model.eligible_expr(c.id).mean().alias(c.id) for c in known).row(0)
        rows = [(c.id, c.value, f"{share:.1%}") for c, share in zip(known, shares, strict=True)]
        table = pl.DataFrame(rows, schema=["cut-off", "score", "households"], orient="row")
        show("Households on the poor side of the cut-offs (research lines, not official)", table)


def bands(scored: pl.DataFrame, rate: str) -> pl.DataFrame:
    """Count households in bands of ten points."""
    band = (pl.col("pmt_score") // 10 * 10).clip(0, 90).cast(pl.Int64)
    counted = (
        scored.filter(pl.col("pmt_score").is_not_null())
        .group_by(band.alias("from"))
        .agg(households=pl.len(), likelihood=pl.col(rate).mean().round(3))
        .sort("from")
    )
    total = counted.get_column("households").sum()
    share = pl.col("households") / total
    bar = pl.lit("#").repeat_by((share * 100).round().cast(pl.UInt32)).list.join("")
    label = pl.format("{}-{}", "from", pl.col("from") + 9 + (pl.col("from") == 90).cast(pl.Int64))
    return counted.select(
        label.alias("score"),
        "households",
        (share * 100).round(1).alias("%"),
        "likelihood",
        bar.alias(" "),
    )


def show(title: str, table: pl.DataFrame) -> None:
    """Print a table under its title."""
    print(f"\n{title}")
    with pl.Config(
        tbl_hide_dataframe_shape=True,
        tbl_hide_column_data_types=True,
        tbl_formatting="NOTHING",
        tbl_rows=-1,
        thousands_separator=",",
        tbl_width_chars=100,
        fmt_str_lengths=60,
    ):
        print(table)


if __name__ == "__main__":
    sys.exit(main())
