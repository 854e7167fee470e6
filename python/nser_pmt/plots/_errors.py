"""Charts of both errors by cut-off, and of who is targeted by welfare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from nser_pmt._chart_data import (
    curve_of,
    decile_coverage,
    design_name,
    line_name,
    of_line,
    step_sides,
)
from nser_pmt._svg import AGAINST, FOR, staggered
from nser_pmt.errors import DomainError
from nser_pmt.plots._chart import GREY, POINTS, WIDTH, Chart, alt, data, finished
from nser_pmt.plots._lines import cases_of, lines_of
from nser_pmt.targeting.targeting import Targeting

__all__ = ["coverage", "error_curve"]

_ERRORS = {"exclusion error": "eer", "inclusion error": "ier"}
# Height of a line of words.
_WORD = 14
# Height of a number above a bar, with the room around it.
_NUMBER = 18


def error_curve(targeting: Targeting) -> Chart:
    """Draw exclusion and inclusion error by cut-off, and where the cut-offs stand.

    Parameters
    ----------
    targeting
        What `targeting` found. Each poverty line has a panel.

    Returns
    -------
    Chart

    Raises
    ------
    DomainError
        There are more lines or designs than can be told apart (code ``too_many_series``), no score
        to draw (``no_curve``), or another kind of result (``wrong_result``).

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> survey = pl.DataFrame({"pmt_score": [10, 20, 20, 30], "cons_pc": [900, 1100, 2500, 1000]})
    >>> found = nser.targeting(survey, welfare="cons_pc", line=1200)
    >>> nser.plots.error_curve(found).svg[:4]
    '<svg'
    """
    lines = lines_of(targeting)
    span = targeting.steps.get_column("score")
    if span.is_empty():
        raise DomainError("there is no score to draw", code="no_curve")
    low, high = float(span.min()), float(span.max())  # type: ignore[arg-type]
    low, high = (low, high) if high > low else (low - 0.5, high + 0.5)
    panels = []
    for number, (rate, line) in enumerate(lines):
        curve = curve_of(targeting, rate, line, POINTS // 2)
        # Between two scores the errors are those of the poorer; thinned, the steps are not seen.
        run = step_sides(targeting.direction) if curve.height < POINTS // 2 else "linear"
        last = number == len(lines) - 1
        words = f"cut-off on {targeting.score}" if last else None
        x = alt.X(
            "score:Q",
            scale=alt.Scale(domain=[low, high], nice=False),
            axis=alt.Axis(title=words, tickCount=10),
        )
        colour = alt.Color(
            "error:N",
            scale=alt.Scale(domain=list(_ERRORS), range=[AGAINST, FOR]),
            sort=list(_ERRORS),
            legend=alt.Legend(title=None, orient="top", symbolSize=400),
        )
        drawn = alt.Chart(data(_errors(curve))).mark_line(interpolate=run, strokeWidth=2)
        share = alt.Scale(domain=[0, 1])
        y = alt.Y("value:Q", title=None, scale=share, axis=alt.Axis(format="%"))
        panel = drawn.encode(x=x, y=y, color=colour)
        for mark in _cutoffs(targeting.metrics.filter(of_line(rate, line)), low, high):
            panel = panel + mark
        height = 280 if len(lines) == 1 else 180
        panels.append(panel.properties(width=WIDTH, height=height, title=line_name(rate, line)))
    return finished(
        alt.vconcat(*panels, spacing=16).configure_title(anchor="start", fontSize=12, offset=6),
        "targeting errors by cut-off",
    )


def _errors(curve: pl.DataFrame) -> list[dict[str, Any]]:
    return [
        {"score": score, "error": name, "value": value}
        for name, column in _ERRORS.items()
        for score, value in curve.select("score", column).drop_nulls().iter_rows()
    ]


def _cutoffs(metrics: pl.DataFrame, low: float, high: float) -> Iterator[Any]:
    """Return a rule and a word for each cut-off, one word above the other, over the plot."""
    known = metrics.filter(pl.col("cutoff").is_not_null()).select("design", "cutoff")
    cuts = [cut for cut in known.unique(maintain_order=True).rows() if low <= cut[1] <= high]
    for number, (design, cutoff) in enumerate(staggered(cuts, (low + high) / 2)):
        word = design_name(design, cutoff)
        word = word if design == "cutoff" else f"{word} {cutoff:.4g}"
        at = alt.Chart(data([{"score": cutoff, "text": word}])).encode(x="score:Q")
        top = -_WORD * (len(cuts) - number)
        rule = at.mark_rule(color=GREY, strokeDash=[2, 2], clip=False)
        yield rule.encode(y=alt.value(top), y2=alt.value("height"))
        look: dict[str, Any] = {"align": "left", "dx": 4}
        if cutoff > (low + high) / 2:
            look = {"align": "right", "dx": -4}
        yield at.mark_text(baseline="top", color="#4a5568", **look).encode(
            y=alt.value(top), text="text:N"
        )


def coverage(targeting: Targeting) -> Chart:
    """Draw the share that is targeted in each tenth by welfare, from the poorest.

    Parameters
    ----------
    targeting
        What `targeting` found. Each line and design has a panel. Who has the welfare on the border
        of two tenths is shared out between them.

    Returns
    -------
    Chart
        The broken line is the share targeted of all.

    Raises
    ------
    DomainError
        As in `error_curve`; or the concentration curve does not have the tenths (``no_curve``).

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> survey = pl.DataFrame({"pmt_score": range(50), "cons_pc": range(50)})
    >>> found = nser.targeting(survey, welfare="cons_pc", rate=0.3)
    >>> nser.plots.coverage(found).svg[:4]
    '<svg'
    """
    cases = cases_of(targeting)
    table = decile_coverage(targeting)
    if table is None:
        raise DomainError(
            "there are no shares by tenth to draw",
            code="no_curve",
            hint="Give targeting points=100, or another multiple of 10",
        )
    panels = []
    for place, (row, name) in enumerate(cases):
        height = 240 if len(cases) == 1 else 130
        of_all = row["coverage"] or 0.0
        # A number that the broken line would strike through stands above it.
        near = pl.col("share").is_between(of_all - _NUMBER / height, of_all)
        number = pl.when(near).then(of_all).otherwise("share").alias("number")
        tenths = table[10 * place : 10 * place + 10]
        rows = tenths.select("decile", "share", number).to_dicts()
        title = f"tenth by {targeting.welfare}, 1 is the poorest (counted: {targeting.counted})"
        last = place == len(cases) - 1
        if row["coverage"] is not None:
            name += f": {row['coverage']:.1%} of all (broken line)"
        base = alt.Chart(data(rows), title=name).encode(
            x=alt.X(
                "decile:O", axis=alt.Axis(title=title if last else None, labelAngle=0, ticks=False)
            ),
            y=alt.Y(
                "share:Q",
                title="share targeted",
                scale=alt.Scale(domain=[0, 1]),
                axis=alt.Axis(format="%", tickCount=5),
            ),
        )
        text = alt.Text("share:Q", format=".0%")
        panel = base.mark_bar(color=FOR)
        if row["coverage"] is not None:
            rule = alt.Chart(data([{"share": of_all}])).mark_rule(color=GREY, strokeDash=[4, 3])
            panel = panel + rule.encode(y="share:Q")
        words = base.mark_text(baseline="bottom", dy=-3)
        panel = panel + words.encode(y="number:Q", text=text)
        panels.append(panel.properties(width=WIDTH, height=height))
    stacked = panels[0] if len(panels) == 1 else alt.vconcat(*panels, spacing=14)
    return finished(
        stacked.configure_title(anchor="start", fontSize=12, offset=10),
        "share targeted by tenth of welfare",
    )
