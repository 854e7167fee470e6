"""The same questions put to Polars: scores as sums of looked-up points, movers by a group-by."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from nser_pmt.scoring.model import LevelsTerm, Model
from scenario.workload import CUTOFF


def score(model: Model) -> pl.Expr:
    total = pl.lit(model.intercept, pl.Float32)
    for term in model.terms:
        assert isinstance(term, LevelsTerm)
        points = {str(level.values[0]): level.points for level in term.levels}
        found = pl.col(term.input).replace_strict(points, return_dtype=pl.Float32)
        total = total + found
    return total


class Registry:
    """A frame with scores, as a person would keep it."""

    def __init__(self, frame: pl.DataFrame, model: Model) -> None:
        self.model = model
        self.frame = frame.with_columns(now=score(model))

    def rescore(self) -> pl.Series:
        return self.frame.select(now=score(self.model)).to_series()

    def change(self, other: Model) -> pl.Series:
        """Add the difference of the one question that changed."""
        total = pl.col("now")
        for old, new in zip(self.model.terms, other.terms, strict=True):
            if old != new:
                assert isinstance(old, LevelsTerm)
                assert isinstance(new, LevelsTerm)
                change = {
                    str(a.values[0]): (b.points or 0.0) - (a.points or 0.0)
                    for a, b in zip(old.levels, new.levels, strict=True)
                }
                total = total + pl.col(old.input).replace_strict(change, return_dtype=pl.Float32)
        return self.frame.select(then=total).to_series()

    def movers(self, then: pl.Series) -> pl.DataFrame:
        before = (pl.col("now") <= CUTOFF).fill_null(False)
        after = (pl.col("then") <= CUTOFF).fill_null(False)
        frame = self.frame.select("district", "now").with_columns(then=then)
        return (
            frame.group_by("district")
            .agg(enters=(after & ~before).sum(), leaves=(before & ~after).sum())
            .sort("district")
        )

    def coverage(self, cutoff: float) -> pl.DataFrame:
        covered = (pl.col("now") <= cutoff).sum()
        return self.frame.group_by("district").agg(covered=covered).sort("district")

    def calls(self, other: Model) -> dict[str, Callable[[], object]]:
        then = self.change(other)
        return {
            "rescore": self.rescore,
            "change": lambda: self.change(other),
            "movers": lambda: self.movers(then),
            "coverage": lambda: self.coverage(CUTOFF),
        }
