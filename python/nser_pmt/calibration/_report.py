"""What a calibration gives back, and the frames in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import polars as pl

from nser_pmt.calibration._totals import Plan, described

__all__ = ["Calibrated", "report_frame", "totals_frame", "trace_frame"]

# Totals that a notebook shows.
_SHOWN = 10


@dataclass(frozen=True, kw_only=True, repr=False)
class Calibrated:
    """What `calibrate` found.

    Attributes
    ----------
    weights
        Calibrated weights (Float64, ``weight``), on the rows of the frame in their order.
    g_weights
        Calibrated weight over design weight (Float64, ``g``), in the same order.
    method
        The method.
    totals
        One row for each total: the columns of `by`; ``variable``, ``level``, ``of``; ``given``, the
        total in the table; ``target``, the same or rescaled; ``cost``; ``before`` and ``achieved``,
        its sums under the design weights and the calibrated weights; ``difference`` (achieved -
        target) and ``relative``, the same over the size of the target.
    report
        One row for each group, or one: the columns of `by`; ``rows``; ``units`` that could be told
        apart; ``iterations``; ``worst_total`` and ``worst``, its relative miss; ``g_min``,
        ``g_max``; ``at_bound``, rows at a bound; ``trimmed``, rows whose weights were cut; ``sum``,
        ``design_effect`` (Kish) and ``effective_rows``, each ``_before`` and ``_after``;
        ``weight_min``, ``weight_max``.
    trace
        One row for each step of the solver: the columns of `by`; ``iteration`` (0 is the start),
        ``worst`` (largest relative miss), ``worst_total``, ``step`` (share of the Newton step).
    """

    weights: pl.Series
    g_weights: pl.Series
    method: str
    totals: pl.DataFrame
    report: pl.DataFrame
    trace: pl.DataFrame

    @property
    def worst_total(self) -> str:
        """The total that is missed most, relative to its size, in words."""
        return str(self.report.sort("worst", descending=True).get_column("worst_total")[0])

    def _head(self) -> str:
        groups = f" in {self.report.height:,} groups" if self.report.height > 1 else ""
        return (
            f"Calibrated by {self.method}: {len(self.weights):,} rows to "
            f"{self.totals.height:,} totals{groups}"
        )

    def _lines(self) -> list[str]:
        r, c = self.report, pl.col
        few = r.height == 1

        def pair(name: str, form: str) -> str:
            before, after = r.select(c(f"{name}_before").max(), c(f"{name}_after").max()).row(0)
            return f"{'' if few else 'largest '}{before:{form}} -> {after:{form}}"

        def effective() -> str:
            before, after = r.select(pl.col("^effective_rows_.*$").sum()).row(0)
            return f"{before:,.0f} -> {after:,.0f}"

        steps, low, high = r.select(c("iterations").max(), c("g_min").min(), c("g_max").max()).row(
            0
        )
        worst = r.select(c("worst").max()).item()
        at_bound, trimmed = r.select(c("at_bound").sum(), c("trimmed").sum()).row(0)
        return [
            f"steps           {steps}",
            f"worst total     {self.worst_total}, missed by {worst:.2g}",
            f"g               {low:.4g} to {high:.4g}",
            f"design effect   {pair('design_effect', '.3f')} (Kish)",
            f"effective rows  {effective()}",
            f"at a bound      {at_bound:,}",
            f"trimmed         {trimmed:,}",
        ]

    def __repr__(self) -> str:
        return "\n  ".join([self._head(), *self._lines()])

    def _repr_html_(self) -> str:
        from nser_pmt._charts import g_weight_bars

        size = pl.col("relative").abs()
        missed = self.totals.sort(size, descending=True, nulls_last=True).head(_SHOWN)
        text = f"<pre>{escape(repr(self))}</pre>"
        shown = f"<p>Totals, the worst {_SHOWN}:</p>" if self.totals.height > _SHOWN else ""
        groups = self.report._repr_html_() if self.report.height > 1 else ""
        drawn = g_weight_bars(self.g_weights)
        return f"<div>{text}{drawn}{groups}{shown}{missed._repr_html_()}</div>"


def _group_columns(plan: Plan, times: Sequence[int]) -> dict[str, pl.Series]:
    repeated = [g for g, n in zip(plan.groups, times, strict=True) for _ in range(n)]
    return {
        name: pl.Series(name, [group[k] for group in repeated], dtype=pl.String)
        for k, name in enumerate(plan.by)
    }


def totals_frame(plan: Plan, said: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return one row for each total: what was wanted, and what was found."""
    rows = []
    times = []
    for group, one in enumerate(said):
        known = [k for k, total in enumerate(plan.totals[group]) if total is not None]
        times.append(len(known))
        for k in known:
            given, target = plan.given[group][k], plan.totals[group][k]
            cost, before, achieved = plan.costs[group][k], one["before"][k], one["achieved"][k]
            rows.append((*plan.labels[k], given, target, cost, before, achieved))
    names = ("given", "target", "cost", "before", "achieved")
    text = dict.fromkeys(("variable", "level", "of"), pl.String)
    frame = pl.DataFrame(rows, schema=text | dict.fromkeys(names, pl.Float64), orient="row")
    wanted, difference = pl.col("target"), pl.col("achieved") - pl.col("target")
    frame = frame.with_columns(
        difference.alias("difference"),
        pl.when(wanted != 0).then(difference / wanted.abs()).alias("relative"),
    )
    return pl.DataFrame(_group_columns(plan, times)).hstack(frame) if plan.by else frame


def _worst(plan: Plan, group: int, one: Mapping[str, Any]) -> tuple[str, float]:
    """Return the total that must be hit and is missed most, and by how much of its size."""
    worst, miss = 0, -1.0
    for k, target in enumerate(plan.totals[group]):
        if target is None or plan.costs[group][k] is not None:
            continue
        size = abs(target) or abs(one["before"][k]) or 1.0
        own = abs(one["achieved"][k] - target) / size
        if own > miss:
            worst, miss = k, own
    return described(plan.labels[worst]), max(miss, 0.0)


def report_frame(plan: Plan, said: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return one row for each group: how far the weights had to move."""
    rows = []
    for group, one in enumerate(said):
        before, after = one["spread"]
        worst_total, worst = _worst(plan, group, one)
        rows.append(
            {
                "rows": one["rows"],
                "units": one["units"],
                "iterations": len(one["trace"]) - 1,
                "worst_total": worst_total,
                "worst": worst,
                "g_min": one["factors"][0],
                "g_max": one["factors"][1],
                "at_bound": one["at_bound"],
                "trimmed": one["trimmed"],
                "sum_before": before[0],
                "sum_after": after[0],
                "design_effect_before": before[1],
                "design_effect_after": after[1],
                "effective_rows_before": before[2],
                "effective_rows_after": after[2],
                "weight_min": after[3],
                "weight_max": after[4],
            }
        )
    frame = pl.DataFrame(rows, infer_schema_length=None)
    return pl.DataFrame(_group_columns(plan, [1] * len(said))).hstack(frame) if plan.by else frame


def trace_frame(plan: Plan, said: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return one row for each step of the solver."""
    rows = [
        (iteration, worst, described(plan.labels[total]), step)
        for one in said
        for iteration, (worst, total, step) in enumerate(one["trace"])
    ]
    schema = {
        "iteration": pl.UInt32,
        "worst": pl.Float64,
        "worst_total": pl.String,
        "step": pl.Float64,
    }
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    times = [len(one["trace"]) for one in said]
    return pl.DataFrame(_group_columns(plan, times)).hstack(frame) if plan.by else frame
