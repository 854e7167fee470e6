"""Intervals of the metrics from replicates drawn by primary sampling unit."""

from __future__ import annotations

from typing import Literal

import polars as pl

from nser_pmt import _engine, _native
from nser_pmt.control import RunControl
from nser_pmt.errors import DomainError
from nser_pmt.targeting._cuts import Cut, Predicts
from nser_pmt.targeting._metrics import METRICS, metrics
from nser_pmt.targeting._sample import Sample

__all__ = ["LonelyPsu", "Units", "intervals", "sampling_units"]

LonelyPsu = Literal["error", "certainty"]
"""What the only unit of a stratum means: an error, or a unit that is in every sample."""

Units = tuple[pl.Series, list[int]]
"""The unit of each row, and the stratum of each unit."""

_OF_CHANCE = (*METRICS, "auc", "line", "cutoff")


def sampling_units(sample: Sample, lonely: LonelyPsu) -> Units:
    """Give a number to each primary sampling unit; those of two strata are two."""
    frame = sample.frame
    if "stratum" not in frame.columns:
        frame = frame.with_columns(stratum=pl.lit(0))
    rows = frame.select("stratum", "psu")
    distinct = rows.unique(maintain_order=True).sort("stratum", "psu")
    strata = distinct.get_column("stratum").rank("dense").cast(pl.UInt32) - 1
    alone = int((strata.value_counts().get_column("count") == 1).sum())
    if alone and lonely == "error":
        raise DomainError(
            f"{alone} of {strata.n_unique()} strata hold one primary sampling unit, "
            "which cannot be drawn against another",
            code="lonely_psu",
            hint='Join such strata to their neighbours, or give lonely_psu="certainty"',
        )
    coded = distinct.with_row_index("__nser_pmt_unit")
    on = ["stratum", "psu"]
    units = rows.join(coded, on=on, how="left", maintain_order="left")
    return units.get_column("__nser_pmt_unit").cast(pl.UInt32).rechunk(), strata.to_list()


def intervals(
    sample: Sample,
    score: pl.Series,
    cut: Cut,
    units: Units,
    *,
    by_group: bool,
    turned: bool,
    predicts: Predicts | None,
    replicates: int,
    seed: int,
    confidence: float,
    control: RunControl,
) -> pl.DataFrame:
    """Return ``group``, ``metric``, ``estimate``, ``se``, ``low``, ``high``, ``replicates``."""
    groups = sample.group_of_row if by_group else sample.group_of_row * 0
    line, rate = cut.line.poor, cut.line.rate
    targeted: pl.Series | None = cut.targeted
    at_line: pl.Series | None = None
    if rate is not None:
        line = sample.column("welfare")
    if cut.design == "fixed_rate":
        targeted = None
    elif cut.design == "fixed_line" and rate is not None:
        targeted, at_line = None, _scores_at(sample.column("welfare"), predicts)
    stream = _native.targeting_bootstrap(
        score,
        sample.column("weight"),
        units[0],
        groups.cast(pl.UInt32).rechunk(),
        sample.rows,
        strata=units[1],
        group_count=sample.groups.height if by_group else 1,
        line=line.rechunk(),
        rate=rate,
        target=None if targeted is None else targeted.rechunk(),
        at_line=at_line,
        replicates=replicates,
        seed=seed,
        threads=control.threads,
        control=control._native,
        timeout=control.timeout,
        tick=control.progress,
    )
    drawn = _engine.frame(stream, {}).with_columns(metrics())
    if turned:
        drawn = drawn.with_columns(-pl.col("cutoff"))
    unequal = "transfer" in sample.frame.columns
    of_amounts = ("targeting_differential", "ntd", "cgh") if unequal else ()
    names = [name for name in _OF_CHANCE if name not in of_amounts]
    return _summary(drawn, names, confidence)


def _scores_at(welfare: pl.Series, predicts: Predicts | None) -> pl.Series:
    """Return the scores that stand for amounts; those that have none lie below all others."""
    if predicts == "welfare":
        return welfare
    some = welfare.clip(lower_bound=0.0)  # the logarithm of 0 is minus infinity
    return some.log().rechunk()


def _summary(drawn: pl.DataFrame, names: list[str], confidence: float) -> pl.DataFrame:
    long = drawn.unpivot(
        names, index=["replicate", "group"], variable_name="metric", value_name="value"
    )
    sample = long.filter(pl.col("replicate") == 0).select("group", "metric", estimate="value")
    value, tail = pl.col("value"), (1 - confidence) / 2
    spread = (
        long.filter(pl.col("replicate") > 0)
        .group_by("group", "metric", maintain_order=True)
        .agg(
            se=value.std(),
            low=value.quantile(tail, "linear"),
            high=value.quantile(1 - tail, "linear"),
            replicates=value.count(),
        )
    )
    joined = sample.join(spread, on=["group", "metric"], how="left", maintain_order="left")
    order = pl.col("metric").replace_strict({name: i for i, name in enumerate(names)})
    return joined.sort("group", order, maintain_order=True)
