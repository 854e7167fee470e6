"""Charts of what a change of the formula does."""

from __future__ import annotations

import itertools
import math
from typing import Any, Literal

import polars as pl

from nser_pmt._chart_data import count_form, most_moved, step_sides
from nser_pmt._options import invalid
from nser_pmt._svg import AGAINST, FOR
from nser_pmt.errors import DomainError
from nser_pmt.plots._chart import LABELS, PALETTE, WIDTH, Chart, alt, data, expected, finished
from nser_pmt.scenario._results import CoverageCurve, ScenarioChange

__all__ = ["coverage_curve", "movers"]

_GRID = 100
_GROUPS = 4


def movers(change: ScenarioChange, by: str = "district", *, most: int = 30) -> Chart:
    """Draw who enters and who leaves, group by group.

    Parameters
    ----------
    change
        What `Scenario.compare` found.
    by
        One of the groupings that were compared, such as ``"score_decile"``.
    most
        Groups to show. If there are more, those with most movers come first and a line says how
        many the others have.

    Returns
    -------
    Chart

    Raises
    ------
    DomainError
        The change is not counted by this column (code ``invalid_option``), or is another kind of
        result (``wrong_result``).

    Examples
    --------
    >>> import nser_pmt as nser
    >>> households = nser.synth.households(2_000, seed=1)
    >>> now = nser.Scenario(households, "schreiner-pk-2009", by="region", cutoff=30)
    >>> change = now.compare(now.set(term="tv", level=True, points=0))
    >>> nser.plots.movers(change, by="region").svg[:4]
    '<svg'
    """
    expected(change, ScenarioChange, "Scenario.compare")
    if by not in change.by:
        known = ", ".join(change.by) or "none"
        raise invalid(f"by: the change is not counted by '{by}'; it is by: {known}")
    if not 1 <= most <= 100:
        raise invalid("most must be from 1 to 100")
    shown, rest = most_moved(change.by[by], most)
    rows: list[dict[str, Any]] = []
    for group, enters, leaves in shown.iter_rows():
        rows.append({"group": group, "change": "enter", "households": enters, "text": enters})
        rows.append({"group": group, "change": "leave", "households": -leaves, "text": leaves})
    reach = max([row["text"] for row in rows], default=0) or 1
    enters_most = max([row["households"] for row in rows], default=0)
    leaves_most = -min([row["households"] for row in rows], default=0)
    room = 0.14 * (enters_most + leaves_most or reach)
    low = -(leaves_most + room) if leaves_most else 0
    high = enters_most + room if enters_most else (0 if leaves_most else 1)
    sides = [name for name, size in (("leave", leaves_most), ("enter", enters_most)) if size]
    words = f"households that {' and '.join(sides)}" if sides else "nobody enters or leaves"
    if len(sides) == 2:
        words = "households that leave (left) and enter (right)"
    order = shown.get_column("group").to_list()
    colour = alt.Color(
        "change:N",
        scale=alt.Scale(domain=["leave", "enter"], range=[AGAINST, FOR]),
        legend=alt.Legend(title=None, orient="top") if len(sides) == 2 else None,
        sort=["leave", "enter"],
    )
    base = alt.Chart(data(rows)).encode(
        x=alt.X(
            "households:Q",
            title=words,
            scale=alt.Scale(domain=[low, high], nice=False),
            axis=alt.Axis(tickCount=6, labelExpr="format(abs(datum.value), ',')"),
        ),
        y=alt.Y("group:N", sort=order, title=None, axis=LABELS),
    )
    bars = base.mark_bar(height=13).encode(color=colour)
    number = alt.Text("text:Q", format=",.1~f")
    right = base.transform_filter("datum.households > 0").mark_text(align="left", dx=4)
    left = base.transform_filter("datum.households < 0").mark_text(align="right", dx=-4)
    drawn = bars + right.encode(text=number) + left.encode(text=number)
    words = f"by {by}"
    if rest.height:
        form = count_form(rest.get_column("enters"))
        enter, leave = rest.select(pl.col("enters", "leaves").sum()).row(0)
        words = f"{by}: the {shown.height} with most movers"
        words += f"; in {rest.height:,} others {enter:{form}} enter and {leave:{form}} leave"
    titled = alt.TitleParams(words, anchor="start", fontSize=12, fontWeight="normal")
    return finished(
        drawn.properties(width=WIDTH, height=alt.Step(18), title=titled),
        "who enters and who leaves",
    )


def coverage_curve(curve: CoverageCurve) -> Chart:
    """Draw the share that each cut-off would cover.

    Parameters
    ----------
    curve
        What `Scenario.curve` made. Up to four groups have a line each; of more, the chart shows all
        households together, the middle group, and the band that holds four groups in five.

    Returns
    -------
    Chart

    Raises
    ------
    DomainError
        No household has a score (code ``no_curve``), or it is another kind of result
        (``wrong_result``).

    Examples
    --------
    >>> import nser_pmt as nser
    >>> households = nser.synth.households(2_000, seed=1)
    >>> now = nser.Scenario(households, "schreiner-pk-2009", by="region")
    >>> nser.plots.coverage_curve(now.curve("region")).svg[:4]
    '<svg'
    """
    expected(curve, CoverageCurve, "Scenario.curve")
    cutoffs = _cutoffs(curve)
    table = curve.at(cutoffs)
    group = table.columns[1] if table.columns[1] != "households" else None
    groups = table.height // len(cutoffs)
    run = _run(curve, cutoffs, table)
    rows: list[dict[str, Any]] = []
    bands: list[dict[str, Any]] = []
    if group is not None and groups <= _GROUPS:
        named = pl.col(group).cast(pl.String).fill_null("missing")
        known = table.select("cutoff", named.alias("series"), "coverage").drop_nulls("coverage")
        rows = known.to_dicts()
    else:
        whole = table.group_by("cutoff", maintain_order=True).agg(
            (pl.col("covered").sum() / pl.col("households").sum()).alias("coverage"),
            pl.col("coverage").median().alias("middle"),
            pl.col("coverage").quantile(0.1, "linear").alias("low"),
            pl.col("coverage").quantile(0.9, "linear").alias("high"),
        )
        rows = whole.select("cutoff", "coverage", series=pl.lit("all households")).to_dicts()
        if group is not None:
            middle = whole.select("cutoff", coverage="middle", series=pl.lit(f"middle {group}"))
            rows += middle.select("cutoff", "coverage", "series").to_dicts()
            bands = whole.select("cutoff", "low", "high").to_dicts()
    names = list(dict.fromkeys(row["series"] for row in rows))
    legend = alt.Legend(title=group if not bands else None, orient="top", symbolSize=300)
    colour = alt.Color(
        "series:N",
        scale=alt.Scale(domain=names, range=list(PALETTE[: len(names)])),
        sort=names,
        legend=legend if len(names) > 1 else None,
    )
    x = alt.X(
        "cutoff:Q",
        title="cut-off",
        scale=alt.Scale(domain=[cutoffs[0], cutoffs[-1]], nice=False),
        axis=alt.Axis(tickCount=10),
    )
    share = alt.Scale(domain=[0, 1])
    y = alt.Y("coverage:Q", title="covered", scale=share, axis=alt.Axis(format="%"))
    drawn = alt.Chart(data(rows)).mark_line(interpolate=run, strokeWidth=2)
    drawn = drawn.encode(x=x, y=y, color=colour)
    words = ""
    if bands:
        band = alt.Chart(data(bands)).mark_area(interpolate=run, color=AGAINST, opacity=0.18)
        drawn = band.encode(x=x, y=alt.Y("low:Q", title="covered"), y2="high:Q") + drawn
        words = f"the band holds four in five of {groups:,} groups by {group}"
    titled = alt.TitleParams(words, anchor="start", fontSize=12, fontWeight="normal")
    return finished(drawn.properties(width=WIDTH, height=280, title=titled), "coverage by cut-off")


def _covered(curve: CoverageCurve, cutoff: float) -> float:
    return float(curve.at(cutoff).get_column("covered").sum())


def _run(
    curve: CoverageCurve, cutoffs: list[float], table: pl.DataFrame
) -> Literal["linear", "step-after", "step-before"]:
    """Return steps if nothing changes between the cut-offs, as with a card of whole points."""
    rises = _covered(curve, -math.inf) < _covered(curve, math.inf)
    groups = table.height // len(cutoffs)
    between = curve.at([(a + b) / 2 for a, b in itertools.pairwise(cutoffs)]).get_column("covered")
    covered = table.get_column("covered")
    same = covered[: len(between)] if rises else covered[groups:]
    if not (between == same).all():
        return "linear"
    return step_sides("lower_is_poorer" if rises else "higher_is_poorer")


def _cutoffs(curve: CoverageCurve) -> list[float]:
    """Return round cut-offs from before the first score to the last, about a hundred."""
    start, end = _covered(curve, -math.inf), _covered(curve, math.inf)
    if start == end:
        raise DomainError("no household has a score", code="no_curve")
    low, high = -1.0, 1.0
    while _covered(curve, low) != start:
        low *= 2
    while _covered(curve, high) != end:
        high *= 2
    first = _border(low, high, lambda at: _covered(curve, at) != start)
    last = _border(low, high, lambda at: _covered(curve, at) == end)
    # 1, 2 or 5 times a power of ten, so that whole scores are among the cut-offs.
    rough = max(last - first, 1e-9 * max(abs(first), abs(last), 1.0)) / _GRID
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(m * power for m in (1.0, 2.0, 5.0, 10.0) if m * power >= rough * (1 - 1e-9))
    count = range(math.floor(first / step) - 1, math.ceil(last / step) + 2)
    return [float(f"{k * step:.12g}") for k in count]


def _border(low: float, high: float, passed: Any) -> float:
    """Return about the lowest value between two where a condition holds that stays true."""
    size = high - low
    while high - low > 1e-6 * size:
        middle = (low + high) / 2
        low, high = (low, middle) if passed(middle) else (middle, high)
    return high
