"""The small chart that each result shows in a notebook, as SVG text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from nser_pmt._chart_data import (
    coefficient_rows,
    count_form,
    curve_of,
    design_name,
    histogram,
    line_name,
    most_moved,
    of_line,
)
from nser_pmt._svg import AGAINST, FOR, LETTERS, Bar, Interval, bars, intervals, lines
from nser_pmt._svg import histogram as histogram_svg

if TYPE_CHECKING:
    from nser_pmt.targeting.targeting import Targeting

__all__ = [
    "coefficient_intervals",
    "coverage_bars",
    "error_bars",
    "error_lines",
    "g_weight_bars",
    "moved_points",
    "mover_bars",
    "weight_bars",
]

# Rows of a small chart; the table has all of them.
_ROWS = 40
_FEW = 12
_POINTS = 200
_BINS = 40


def weight_bars(table: pl.DataFrame) -> str:
    """Return the match weights of a table of `Learned` as bars, one a level."""
    groups = table.select("comparison", "level", "weight").partition_by(
        "comparison", maintain_order=True
    )
    named = [
        (group.item(0, "comparison"), [_signed(*row) for row in group.iter_rows()])
        for group in (group.select("comparison", "level", "weight") for group in groups)
    ]
    return bars(named, form="+.1f", caption="match weight, log2(m / u)", label="match weights")


def _signed(_: str, label: str | None, value: float) -> Bar:
    return label, value, FOR if value >= 0 else AGAINST


def coefficient_intervals(table: pl.DataFrame, level: float) -> str:
    """Return the coefficients of a fit with their intervals, the intercept aside."""
    rows = coefficient_rows(table)
    if not rows:
        return ""
    shown: list[Interval] = []
    for row in rows[:_ROWS]:
        name = row["name"] if len(row["name"]) <= LETTERS or not row["head"] else row["term"]
        ends = (row.get("coefficient"), row.get("low"), row.get("high"))
        shown.append((name, *ends, row["head"]))
    caption = f"coefficients, {level:.0%} intervals" if "low" in table.columns else "coefficients"
    if len(rows) > _ROWS:
        caption += f"; the first {_ROWS} rows of {len(rows)}"
    return intervals(shown, caption=caption, label="coefficients")


def error_lines(found: Targeting) -> str:
    """Return both errors by cut-off, for the first line."""
    rate, line = found.metrics.select("rate", "line").row(0)
    curve = curve_of(found, rate, line, _POINTS)
    if not curve.height:
        return ""
    series = [
        (name, colour, curve.select("score", column).drop_nulls().rows())
        for name, column, colour in (
            ("exclusion error", "eer", AGAINST),
            ("inclusion error", "ier", FOR),
        )
    ]
    score = curve.get_column("score")
    inside = pl.col("cutoff").is_between(pl.lit(score.min()), pl.lit(score.max()))
    cuts = found.metrics.filter(of_line(rate, line), inside)
    marks = [
        (design_name(*row), row[1])
        for row in cuts.select("design", "cutoff").unique(maintain_order=True).rows()
    ]
    caption = f"cut-off on {found.score}; {line_name(rate, line)}"
    return lines(series, marks=marks[:_FEW], caption=caption, label="errors by cut-off")


def error_bars(metrics: pl.DataFrame) -> str:
    """Return both errors of each model, for the first line and design."""
    keys = metrics.select("design", "rate", "line").row(0)
    names = ("design", "rate", "line")
    same = [pl.col(n).eq_missing(pl.lit(k)) for n, k in zip(names, keys, strict=True)]
    groups = []
    for model, eer, ier in metrics.filter(*same).select("model", "eer", "ier").head(_FEW).rows():
        named = (("exclusion error", eer, AGAINST), ("inclusion error", ier, FOR))
        groups.append((model, [bar for bar in named if bar[1] is not None]))
    words = f"{design_name(keys[0], None)}, {line_name(*keys[1:])}"
    return bars(groups, form=".1%", caption=words, label="errors by model")


def moved_points(terms: pl.DataFrame) -> str:
    """Return by how much the mean points of each term changed; those that changed most."""
    named = terms.select("term", "change").drop_nulls()
    most = named.select(pl.col("change").abs().rank("ordinal", descending=True)).to_series()
    shown = named.filter(most <= _FEW)
    if not shown.height:
        return ""
    bar = [_signed("", term, change) for term, change in shown.rows()]
    return bars([("", bar)], form="+.3g", caption="change in mean points", label="change by term")


def g_weight_bars(g: pl.Series) -> str:
    """Return the histogram of g-weights."""
    made = histogram(g, _BINS)
    caption = "g: calibrated weight / design weight; broken line at 1"
    return histogram_svg(made, marks=[1.0], caption=caption, label="g-weights")


def mover_bars(frame: pl.DataFrame) -> str:
    """Return who enters and who leaves by group; the groups with most of them."""
    name = frame.columns[0]
    shown, rest = most_moved(frame, _FEW)
    enter = [(group, count, FOR) for group, count in shown.select("group", "enters").rows()]
    leave = [(group, count, AGAINST) for group, count in shown.select("group", "leaves").rows()]
    groups = [(f"enter, by {name}", enter), ("leave", leave)]
    caption = "households" + (f"; {rest.height:,} more groups" if rest.height else "")
    moved = [(n, [b for b in bar if b[1]]) for n, bar in groups if any(b[1] for b in bar)]
    if not moved:
        return ""
    return bars(
        moved,
        form=count_form(frame.get_column("enters")),
        caption=caption,
        label="who enters and leaves",
    )


def coverage_bars(frame: pl.DataFrame, group: str | None) -> str:
    """Return the share that is covered by group, or of all."""
    shown = frame.head(_FEW)
    names = [None] * shown.height if group is None else shown.get_column(group).cast(pl.String)
    pairs = zip(names, shown.get_column("coverage"), strict=True)
    bar: list[Bar] = [
        ("all" if group is None else name, share, FOR) for name, share in pairs if share is not None
    ]
    more = frame.height - shown.height
    caption = "covered" + (f"; {more:,} more groups" if more else "")
    title = "" if group is None else f"by {group}"
    full = 1.0 if group is None else 0.0
    return bars([(title, bar)], form=".1%", caption=caption, label="coverage", full=full)
