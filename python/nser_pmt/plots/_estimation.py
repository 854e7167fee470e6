"""Charts of a fit and of calibrated weights."""

from __future__ import annotations

from collections.abc import Sequence

from nser_pmt._chart_data import coefficient_rows, histogram
from nser_pmt._options import invalid
from nser_pmt._svg import FOR
from nser_pmt.calibration._report import Calibrated
from nser_pmt.errors import DomainError
from nser_pmt.estimation.fitting import Fit
from nser_pmt.plots._chart import GREY, WIDTH, Chart, alt, data, expected, finished, zero_line

__all__ = ["coefficients", "weights"]

_ROWS = 200
_BINS = 40


def coefficients(fit: Fit, *, terms: Sequence[str] | None = None) -> Chart:
    """Draw the coefficients of a fit with their intervals, level by level under each term.

    Parameters
    ----------
    fit
        What `fit` estimated. Methods without standard errors have points only.
    terms
        Which terms, in this order; by default all but the intercept.

    Returns
    -------
    Chart

    Raises
    ------
    DomainError
        The fit has no such term, has only an intercept, or more coefficients than a chart can
        hold (code ``too_many_rows``); or it is no fit (``wrong_result``).

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> survey = pl.DataFrame({"y": [1.0, 2, 4, 3, 5, 7], "toilet": ["flush", "pit", "none"] * 2})
    >>> spec = nser.ModelSpec(target="y", terms=[nser.terms.levels("toilet")])
    >>> nser.plots.coefficients(nser.fit(survey, spec)).svg[:4]
    '<svg'
    """
    expected(fit, Fit, "fit")
    found = coefficient_rows(fit.coefficients)
    if terms is not None:
        known = list(dict.fromkeys(row["term"] for row in found))
        for term in terms:
            if term not in known:
                raise invalid(f"the fit has no term '{term}'; it has: {', '.join(known)}")
        found = [row for term in dict.fromkeys(terms) for row in found if row["term"] == term]
    if not found:
        raise invalid("there is no coefficient but the intercept")
    if len(found) > _ROWS:
        raise DomainError(
            f"a chart shows up to {_ROWS} rows, these coefficients take {len(found)}",
            code="too_many_rows",
            hint="Choose some with terms",
        )
    # Levels of two terms may have one name: rows are told apart by number, and shown by name.
    rows = [row | {"row": f"{n:04d}{row['name']}"} for n, row in enumerate(found)]
    bold = [row["row"] for row in rows if row["head"]]
    axis = alt.Axis(
        labelExpr="slice(datum.label, 4)",
        labelFontWeight=alt.condition(
            alt.FieldOneOfPredicate(field="value", oneOf=bold),
            alt.value("bold"),
            alt.value("normal"),
        ),
        labelLimit=320,
        labelPadding=6,
        ticks=False,
        domain=False,
        grid=False,
    )
    order = [row["row"] for row in rows]
    y = alt.Y("row:N", scale=alt.Scale(domain=order), sort=None, title=None, axis=axis)
    numbered = [row for row in rows if "coefficient" in row]
    spread = [row for row in numbered if row["low"] is not None and row["high"] is not None]
    title = f"coefficient, with its {fit.level:.0%} interval" if spread else "coefficient"
    x = alt.X("coefficient:Q", title=title, axis=alt.Axis(tickCount=8))
    points = alt.Chart(data(numbered)).mark_point(filled=True, size=45, color=FOR, opacity=1)
    drawn = zero_line() + points.encode(x=x, y=y)
    if spread:
        spans = alt.Chart(data(spread)).mark_rule(color=FOR, strokeWidth=2)
        drawn = drawn + spans.encode(x=alt.X("low:Q", title=title), x2="high:Q", y=y)
    return finished(
        drawn.properties(width=WIDTH, height=alt.Step(18)), "coefficients and their intervals"
    )


def weights(calibrated: Calibrated) -> Chart:
    """Draw how many rows have which g: calibrated weight over design weight.

    Parameters
    ----------
    calibrated
        What `calibrate` found.

    Returns
    -------
    Chart
        A histogram, with the lowest g, the highest g, and 1, which is no change.

    Raises
    ------
    DomainError
        It is another kind of result (code ``wrong_result``).

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> survey = pl.DataFrame({"area": ["urban", "urban", "rural"]})
    >>> totals = pl.DataFrame(
    ...     {"variable": ["area", "area"], "level": ["urban", "rural"], "total": [3.0, 2.0]}
    ... )
    >>> nser.plots.weights(nser.calibrate(survey, totals)).svg[:4]
    '<svg'
    """
    expected(calibrated, Calibrated, "calibrate")
    g = calibrated.g_weights
    low, high = float(g.min()), float(g.max())  # type: ignore[arg-type]
    made = histogram(g, _BINS)
    rows = [{"low": a, "high": b, "rows": count} for a, b, count in made]
    ends = [min(made[0][0], 1.0), max(made[-1][1], 1.0)]
    room = 0.02 * (ends[1] - ends[0])
    reach = alt.Scale(domain=[ends[0] - room, ends[1] + room], nice=False, zero=False)
    axis = alt.Axis(tickCount=8, labelFlush=False)
    x = alt.X("low:Q", title="g: calibrated weight / design weight", scale=reach, axis=axis)
    bars = (
        alt.Chart(data(rows))
        .mark_bar(color=FOR, orient="vertical", binSpacing=1)
        .encode(
            x=x,
            x2="high:Q",
            y=alt.Y("rows:Q", title="rows", axis=alt.Axis(format=",d", tickCount=6)),
        )
    )
    same = alt.Chart(data([{"low": 1.0}])).mark_rule(color=GREY, strokeDash=[4, 3]).encode(x=x)
    words = f"{len(g):,} rows by {calibrated.method}; g from {low:.4g} to {high:.4g}"
    titled = alt.TitleParams(words, anchor="start", fontSize=12, fontWeight="normal")
    return finished(
        (bars + same).properties(width=WIDTH, height=240, title=titled),
        "calibrated over design weights",
    )
