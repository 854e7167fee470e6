"""Score a million synthetic households, or a file of your own, and say what came out."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

import polars as pl

import nser_pmt as nser
from nser_pmt import cli

OUT = Path("build/demo")


def main() -> int:
    """Run the demonstration."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="a file of households; by default synthetic ones")
    parser.add_argument("--model", default="schreiner-pk-2009")
    parser.add_argument("--rows", type=int, default=1_000_000)
    options = parser.parse_args()

    OUT.mkdir(parents=True, exist_ok=True)
    source = options.data or OUT / "households.parquet"
    if options.data is None:
        print(f"Making {options.rows:,} synthetic households (no real person) -> {source}")
        start = time.perf_counter()
        nser.synth.scan_households(options.rows, seed=2016).sink_parquet(source)
        print(f"  {time.perf_counter() - start:.1f} s")

    output = OUT / "scored.parquet"
    print(f"\n$ nser-pmt score {options.model} {source} {output}")
    start = time.perf_counter()
    code = cli.main(["score", options.model, str(source), str(output)])
    if code != 0:
        return code
    print(f"  {time.perf_counter() - start:.1f} s")
    report(pl.read_parquet(output), nser.load_model(options.model))
    if options.data is None:
        print("\nSynthetic households say nothing about Pakistan: this shows the machinery.")
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
