"""Charts of how well a score finds the poor."""

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
    thinned,
)
from nser_pmt._svg import AGAINST, FOR, staggered
from nser_pmt.errors import DomainError
from nser_pmt.plots._chart import (
    PALETTE,
    POINTS,
    WIDTH,
    Chart,
    alt,
    data,
    expected,
    finished,
)
from nser_pmt.targeting import Targeting

__all__ = ["concentration", "coverage", "error_curve", "roc"]

_ERRORS = {"exclusion error": "eer", "inclusion error": "ier"}
_SQUARE = 340
# Height of a line of words.
_WORD = 14
_GREY = "#718096"


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
    lines = _lines(targeting)
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
        alt.vconcat(*panels, spacing=16).configure_title(anchor="start", fontSize=12, offset=6)
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
        rule = at.mark_rule(color=_GREY, strokeDash=[2, 2], clip=False)
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
    cases = _cases(targeting)
    table = decile_coverage(targeting)
    if table is None:
        raise DomainError(
            "there are no shares by tenth to draw",
            code="no_curve",
            hint="Give targeting points=100, or another multiple of 10",
        )
    panels = []
    for place, (row, name) in enumerate(cases):
        rows = table[10 * place : 10 * place + 10].select("decile", "share").to_dicts()
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
            of_all = alt.Chart(data([{"share": row["coverage"]}])).mark_rule(
                color=_GREY, strokeDash=[4, 3]
            )
            panel = panel + of_all.encode(y="share:Q")
        # White behind the numbers, for the broken line passes there.
        for halo in (3, 0):
            number = base.mark_text(baseline="bottom", dy=-3, stroke="white", strokeWidth=halo)
            panel = panel + number.encode(text=text)
        panels.append(panel.properties(width=WIDTH, height=240 if len(cases) == 1 else 130))
    stacked = panels[0] if len(panels) == 1 else alt.vconcat(*panels, spacing=14)
    return finished(stacked.configure_title(anchor="start", fontSize=12, offset=10))


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
    lines = _lines(targeting)
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
        at = own.select("design", "type1", "poverty_accuracy").drop_nulls()
        marks += [
            {"line": names[-1], "design": design_name(d, None), "other": x, "poor": y}
            for d, x, y in at.iter_rows()
        ]
    if len(rows) <= len(lines):
        raise DomainError("there is no curve: nobody is poor, or all are", code="no_curve")
    colour = _colours("line", names, symbol=60)
    share = alt.Scale(domain=[0, 1])
    x = alt.X("other:Q", title="others that are targeted", scale=share, axis=_PERCENT)
    y = alt.Y("poor:Q", title="poor that are targeted", scale=share, axis=_PERCENT)
    curves = (
        alt.Chart(data(rows))
        .mark_line(strokeWidth=2)
        .encode(x=x, y=y, color=colour, order="other:Q")
    )
    shape = alt.Shape("design:N", legend=alt.Legend(title=None, orient="right"), sort=None)
    cut = alt.Chart(data(marks)).mark_point(filled=True, size=60, opacity=1)
    drawn = _even("other", "poor") + curves + cut.encode(x=x, y=y, color=colour, shape=shape)
    return finished(drawn.properties(width=_SQUARE, height=_SQUARE))


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
    cases = _cases(targeting)
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
    return finished(drawn.properties(width=_SQUARE, height=_SQUARE))


_PERCENT = alt.Axis(format="%", tickCount=5)


def _lines(targeting: Targeting) -> list[tuple[float | None, float | None]]:
    """Return rate and value of each poverty line, if they are not too many."""
    expected(targeting, Targeting, "targeting")
    lines = targeting.metrics.select("rate", "line").unique(maintain_order=True).rows()
    _few(len(lines), "poverty lines")
    return lines


def _cases(targeting: Targeting) -> list[tuple[dict[str, Any], str]]:
    """Return the metrics of each line and design, and its name."""
    expected(targeting, Targeting, "targeting")
    rows = list(targeting.metrics.iter_rows(named=True))
    _few(len(rows), "lines and designs")
    return [
        (row, f"{line_name(row['rate'], row['line'])}, {design_name(row['design'], row['cutoff'])}")
        for row in rows
    ]


def _few(count: int, what: str) -> None:
    if count > len(PALETTE):
        raise DomainError(
            f"a chart shows up to {len(PALETTE)} {what}, the result has {count}",
            code="too_many_series",
            hint="Measure fewer at a time",
        )


def _colours(field: str, names: list[str], *, last: str | None = None, symbol: int = 300) -> Any:
    """Return the colours of named series, and their legend."""
    colours = list(PALETTE[: len(names)])
    if last is not None:
        colours[-1:] = [last]
    scale = alt.Scale(domain=names, range=colours)
    legend = alt.Legend(title=None, orient="right", symbolSize=symbol, labelLimit=320)
    return alt.Color(f"{field}:N", scale=scale, sort=names, legend=legend)


def _even(x: str, y: str) -> Any:
    """Return the diagonal: everyone has the same chance, or the same amount."""
    ends = alt.Chart(data([{x: 0, y: 0}, {x: 1, y: 1}]))
    return ends.mark_line(color="#a0aec0", strokeWidth=1).encode(x=f"{x}:Q", y=f"{y}:Q")
