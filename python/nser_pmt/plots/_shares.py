"""Charts of one share against another: ROC, concentration and Lorenz curves."""

from __future__ import annotations

from typing import Any

import polars as pl

from nser_pmt._chart_data import curve_of, design_name, line_name, of_line, thinned
from nser_pmt.errors import DomainError
from nser_pmt.plots._chart import GREY, PALETTE, POINTS, Chart, alt, data, finished
from nser_pmt.plots._lines import cases_of, lines_of
from nser_pmt.targeting.targeting import Targeting

__all__ = ["concentration", "roc"]

_SQUARE = 340
_PERCENT = alt.Axis(format="%", tickCount=5)


def roc(targeting: Targeting) -> Chart:
    """Draw the poor that are targeted against the others that are, over all cut-offs.

    Parameters
    ----------
    targeting
        What `targeting` found. Each line has a curve; its area is the chance that a poor household
        has the poorer score.

    Returns
    -------
    Chart
        With a mark where the cut-off of each design stands.

    Raises
    ------
    DomainError
        As in `error_curve`.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> survey = pl.DataFrame({"pmt_score": [10, 20, 20, 30], "cons_pc": [900, 1100, 2500, 1000]})
    >>> found = nser.targeting(survey, welfare="cons_pc", line=1200)
    >>> nser.plots.roc(found).svg[:4]
    '<svg'
    """
    lines = lines_of(targeting)
    rows: list[dict[str, Any]] = []
    marks: list[dict[str, Any]] = []
    names: list[str] = []
    for rate, line in lines:
        own = targeting.metrics.filter(of_line(rate, line))
        auc = own.item(0, "auc")
        names.append(line_name(rate, line) + (f", AUC {auc:.3f}" if auc is not None else ""))
        curve = curve_of(targeting, rate, line, POINTS // len(lines) - 1)
        start = pl.DataFrame({"type1": [0.0], "poverty_accuracy": [0.0]})
        points = pl.concat([start, curve.select("type1", "poverty_accuracy").drop_nulls()])
        rows += [{"line": names[-1], "other": x, "poor": y} for x, y in points.iter_rows()]
        at = own.select("design", "cutoff", "type1", "poverty_accuracy")
        at = at.drop_nulls(["type1", "poverty_accuracy"])
        marks += [
            {"line": names[-1], "design": _mark(d, cutoff), "other": x, "poor": y}
            for d, cutoff, x, y in at.iter_rows()
        ]
    if len(rows) <= len(lines):
        raise DomainError("there is no curve: nobody is poor, or all are", code="no_curve")
    colour = _colours("line", names)
    share = alt.Scale(domain=[0, 1])
    x = alt.X("other:Q", title="others that are targeted", scale=share, axis=_PERCENT)
    y = alt.Y("poor:Q", title="poor that are targeted", scale=share, axis=_PERCENT)
    curves = (
        alt.Chart(data(rows))
        .mark_line(strokeWidth=2)
        .encode(x=x, y=y, color=colour, order="other:Q")
    )
    # Marks have the colours of their curves: those of the legend stand for any.
    legend = alt.Legend(title=None, orient="right", symbolFillColor=GREY, symbolStrokeWidth=0)
    shape = alt.Shape("design:N", legend=legend, sort=None)
    cut = alt.Chart(data(marks)).mark_point(filled=True, size=60, opacity=1)
    drawn = _even("other", "poor") + curves + cut.encode(x=x, y=y, color=colour, shape=shape)
    return finished(drawn.properties(width=_SQUARE, height=_SQUARE), "ROC curve")


def concentration(targeting: Targeting) -> Chart:
    """Draw the share of benefits that the poorest have, and the Lorenz curve of welfare.

    Parameters
    ----------
    targeting
        What `targeting` found. Benefits are uniform, to those targeted; each line and design has a
        curve. Above the diagonal the poorest have more than their share.

    Returns
    -------
    Chart
        Named with the concentration index (negative if the poorest have more) and the Gini index.

    Raises
    ------
    DomainError
        As in `error_curve`; or the result has no concentration curve (``no_curve``).

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> survey = pl.DataFrame({"pmt_score": range(50), "cons_pc": range(50)})
    >>> found = nser.targeting(survey, welfare="cons_pc", rate=0.3)
    >>> nser.plots.concentration(found).svg[:4]
    '<svg'
    """
    cases = cases_of(targeting)
    table = targeting.concentration
    if not table.width:
        raise DomainError(
            "there is no concentration curve to draw",
            code="no_curve",
            hint="Give targeting points=100",
        )
    length = table.height // len(cases)
    rows: list[dict[str, Any]] = []
    names: list[str] = []

    def add(name: str, column: str, part: pl.DataFrame) -> None:
        few = thinned(part.select("people", column).drop_nulls(), POINTS // (len(cases) + 1))
        if few.height:
            names.append(name)
            rows.extend({"curve": name, "people": x, "share": y} for x, y in few.iter_rows())

    for number, (row, name) in enumerate(cases):
        index = row["concentration_index"]
        word = "benefits" if len(cases) == 1 else name
        known = "" if index is None else f" (index {index:.2f})"
        add(word + known, "benefits", table[number * length : (number + 1) * length])
    gini = cases[0][0]["gini"]
    add("welfare" + ("" if gini is None else f" (Gini {gini:.2f})"), "welfare", table[:length])
    share = alt.Scale(domain=[0, 1])
    who = f"poorest by {targeting.welfare} (counted: {targeting.counted})"
    lorenz = names[-1] if names and names[-1].startswith("welfare") else None
    curves = (
        alt.Chart(data(rows))
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X("people:Q", title=who, scale=share, axis=_PERCENT),
            y=alt.Y("share:Q", title="their share", scale=share, axis=_PERCENT),
            color=_colours("curve", names, last="#2d3748" if lorenz else None),
            strokeDash=alt.StrokeDash(
                "curve:N",
                scale=alt.Scale(
                    domain=names, range=[[6, 3] if n == lorenz else [1, 0] for n in names]
                ),
                sort=names,
            ),
        )
    )
    drawn = _even("people", "share") + curves
    return finished(
        drawn.properties(width=_SQUARE, height=_SQUARE), "concentration and Lorenz curves"
    )


def _mark(design: str, cutoff: float | None) -> str:
    name = design_name(design, cutoff)
    return name if design == "cutoff" else f"cut-off of the {name}"


def _colours(field: str, names: list[str], *, last: str | None = None) -> Any:
    """Return the colours of named series, and their legend."""
    colours = list(PALETTE[: len(names)])
    if last is not None:
        colours[-1:] = [last]
    scale = alt.Scale(domain=names, range=colours)
    legend = alt.Legend(
        title=None,
        orient="right",
        symbolType="stroke",
        symbolStrokeWidth=2,
        symbolSize=300,
        labelLimit=320,
    )
    return alt.Color(f"{field}:N", scale=scale, sort=names, legend=legend)


def _even(x: str, y: str) -> Any:
    """Return the diagonal: everyone has the same chance, or the same amount."""
    ends = alt.Chart(data([{x: 0, y: 0}, {x: 1, y: 1}]))
    return ends.mark_line(color="#a0aec0", strokeWidth=1).encode(x=f"{x}:Q", y=f"{y}:Q")
