"""Who is poor and who is targeted: lines, quantiles, designs, and the sorted pass."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import polars as pl

from nser_pmt import _engine, _native
from nser_pmt._options import invalid
from nser_pmt.control import RunControl
from nser_pmt.errors import DomainError
from nser_pmt.targeting._sample import Sample

__all__ = ["Cut", "Design", "Line", "Predicts", "QuantileRule", "Steps", "make_cuts", "steps"]

Design = Literal["fixed_rate", "fixed_line", "both"]
Predicts = Literal["welfare", "log_welfare"]
QuantileRule = Literal["inverse_cdf", "average"]

_SLACK = 2.0**-40
"""Share of the total by which a sum may miss what is needed; the core's is the same."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A poverty line: an amount, a column of the sample, or a share of the people."""

    rate: float | None
    value: float | None
    """None if it is a column."""
    poor: pl.Series


@dataclass(frozen=True, kw_only=True)
class Steps:
    """One row for each distinct score: ``score``, ``rows``, ``tp``, ``fp``, up to that score."""

    frame: pl.DataFrame
    poor: float
    other: float
    auc: float | None


@dataclass(frozen=True, kw_only=True)
class Cut:
    """One line with one design: who is poor, who is targeted."""

    design: str
    line: Line
    cutoff: float | None
    """On the scale of the core, where lower is poorer; None if there is none, or one a row."""
    shown: float | None
    """The cut-off as it was given."""
    targeted: pl.Series


def steps(
    ranks: pl.Series, weight: pl.Series, poor: pl.Series | None, control: RunControl
) -> Steps:
    """Sort once, and sum at every distinct value."""
    stream, auc = _native.targeting_curve(
        ranks.rechunk(),
        weight.rechunk(),
        None if poor is None else poor.rechunk(),
        len(ranks),
        threads=control.threads,
        control=control._native,
        timeout=control.timeout,
        tick=control.progress,
    )
    frame = _engine.frame(stream, {}).rename({"poor": "tp", "other": "fp"})
    last = frame.tail(1)
    total_poor, total_other = (last.item(0, name) if len(last) else 0.0 for name in ("tp", "fp"))
    known = frame.get_column("score").is_finite()
    if not known.all():
        frame = frame.filter(known)
    return Steps(frame=frame, poor=total_poor, other=total_other, auc=auc)


def reached(found: Steps, need: float) -> int | None:
    """Return the first step whose people are as many as needed; none if there are never so many."""
    sums = found.frame.get_column("tp") + found.frame.get_column("fp")
    enough = need - _SLACK * (found.poor + found.other)
    step = int(sums.search_sorted(enough, side="left"))
    return step if step < len(sums) else None


def quantile(found: Steps, share: float, rule: QuantileRule) -> float:
    """Return the lowest value up to which there is a share of the people."""
    everyone = found.poor + found.other
    values = found.frame.get_column("score")
    step = reached(found, share * everyone)
    step = len(values) - 1 if step is None else step
    value = float(values[step])
    if rule == "average" and step + 1 < len(values):
        sum_here = found.frame.item(step, "tp") + found.frame.item(step, "fp")
        if abs(sum_here - share * everyone) <= _SLACK * everyone:
            value = (value + float(values[step + 1])) / 2
    return value


def make_lines(
    sample: Sample,
    line: float | str | Sequence[float] | None,
    rate: float | Sequence[float] | None,
    rule: QuantileRule,
    control: RunControl,
) -> list[Line]:
    """Return the lines that are asked for."""
    if (line is None) == (rate is None):
        raise invalid("give either line, or rate")
    welfare = sample.column("welfare")
    if isinstance(line, str):
        poor = welfare <= sample.column("line")
        return [Line(rate=None, value=None, poor=poor)]
    if line is not None:
        values = [line] if isinstance(line, int | float) else list(line)
        if not values or not all(math.isfinite(value) for value in values):
            raise invalid("line must be one or more finite amounts, or a column")
        return [Line(rate=None, value=float(v), poor=welfare <= float(v)) for v in values]
    rates = [rate] if isinstance(rate, int | float) else list(rate or ())
    if not rates or not all(0 < share < 1 for share in rates):
        raise invalid("rate must be one or more shares of the people, between 0 and 1")
    found = steps(welfare, sample.column("weight"), None, control)
    made = []
    for share in rates:
        value = quantile(found, share, rule)
        made.append(Line(rate=share, value=value, poor=welfare <= value))
    return made


def make_cuts(
    sample: Sample,
    score: pl.Series,
    line: Line,
    found: Steps,
    *,
    design: Design | None,
    cutoffs: Sequence[tuple[float, float]],
    predicts: Predicts | None,
    turned: bool,
) -> list[Cut]:
    """Return who is targeted in each design; `cutoffs` are on the scale of the core, and as given.

    A household without a score (infinite) is never targeted.
    """
    if cutoffs:
        return [
            Cut(design="cutoff", line=line, cutoff=at, shown=shown, targeted=score <= at)
            for at, shown in cutoffs
        ]
    made = []
    if design in (None, "fixed_rate", "both"):
        at = None
        if found.poor > 0 and len(found.frame):
            step = reached(found, found.poor)
            at = float(found.frame.item(-1 if step is None else step, "score"))
        targeted = score <= (-math.inf if at is None else at)
        shown = None if at is None else -at if turned else at
        made.append(Cut(design="fixed_rate", line=line, cutoff=at, shown=shown, targeted=targeted))
    if design in ("fixed_line", "both"):
        if line.value is None:
            at_line = on_score(sample.column("line"), predicts)
            cut = Cut(
                design="fixed_line", line=line, cutoff=None, shown=None, targeted=score <= at_line
            )
        else:
            at = float(on_score(pl.Series([line.value]), predicts)[0])
            cut = Cut(design="fixed_line", line=line, cutoff=at, shown=at, targeted=score <= at)
        made.append(cut)
    return made


def on_score(welfare: pl.Series, predicts: Predicts | None) -> pl.Series:
    """Return the score that stands for an amount of welfare: what the score predicts of it."""
    if predicts == "welfare":
        return welfare
    if (welfare <= 0).any():
        raise DomainError(
            "a poverty line that is not above 0 has no logarithm", code="out_of_domain"
        )
    return welfare.log()
