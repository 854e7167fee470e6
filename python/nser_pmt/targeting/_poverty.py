"""Poverty measures before and after a transfer, and how amounts are spread."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from nser_pmt import _native
from nser_pmt.targeting._cuts import Cut
from nser_pmt.targeting._sample import Sample

__all__ = ["Transfer", "concentration", "fgt", "gap", "poverty_columns"]


@dataclass(frozen=True, kw_only=True)
class Transfer:
    """What is given out: a budget, and the amount for each unit of weight that is targeted."""

    budget: float
    amount: float | None
    """None if nobody is targeted."""


def line_of(sample: Sample, cut: Cut) -> pl.Series | float:
    """Return the line of each row."""
    return sample.column("line") if cut.line.value is None else cut.line.value


def gap(sample: Sample, welfare: pl.Series, line: pl.Series | float, poor: pl.Series) -> float:
    """Return the aggregate poverty gap: what would lift all of the poor to their line."""
    return float((sample.column("weight") * (line - welfare)).filter(poor).sum())


def fgt(
    weight: pl.Series, welfare: pl.Series, line: pl.Series | float
) -> tuple[float | None, float | None, float | None]:
    """Return FGT 0, 1, 2 (J. Foster, J. Greer and E. Thorbecke, 1984); None without a line > 0."""
    everyone = float(weight.sum())
    positive = line > 0
    if not (everyone > 0 and (positive if isinstance(positive, bool) else positive.all())):
        return None, None, None
    poor = welfare <= line
    w = weight.filter(poor)
    short = (1 - welfare / line).filter(poor)
    sums = (w.sum(), (w * short).sum(), (w * short * short).sum())
    zero, one, two = (float(total) / everyone for total in sums)
    return zero, one, two


def poverty_columns(
    sample: Sample, targeted: pl.Series, line: pl.Series | float, transfer: Transfer
) -> dict[str, float | None]:
    """Return poverty before and after everyone targeted gets the amount."""
    weight, welfare = sample.column("weight"), sample.column("welfare")
    before = fgt(weight, welfare, line)
    after = before
    if transfer.amount is not None:
        after = fgt(weight, welfare + targeted.cast(pl.Float64) * transfer.amount, line)
    made: dict[str, float | None] = dict(zip(("fgt0", "fgt1", "fgt2"), before, strict=True))
    made |= {"budget": transfer.budget, "transfer": transfer.amount}
    made |= dict(zip(("fgt0_after", "fgt1_after", "fgt2_after"), after, strict=True))
    return made


def concentration(
    sample: Sample, amounts: pl.Series, points: int
) -> tuple[float | None, list[float]]:
    """Return the index, and the shares of an amount that the poorest have, by welfare."""
    return _native.concentration_curve(
        sample.column("welfare"),
        amounts.cast(pl.Float64).rechunk(),
        sample.column("weight"),
        sample.rows,
        points,
    )
