"""A survey made ready for estimation: columns, target, weights and design."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from nser_pmt import _engine
from nser_pmt._options import invalid
from nser_pmt.control import RunControl
from nser_pmt.errors import DomainError, SchemaError
from nser_pmt.estimation._design import INTERCEPT, Built, Column, build
from nser_pmt.estimation._survey_design import SurveyDesign, read_survey_design
from nser_pmt.estimation.model_spec import ModelSpec
from nser_pmt.scoring.model import missing_column

__all__ = ["Prepared", "numbers", "prepare", "read_weights"]


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """What every method of estimation reads.

    Attributes
    ----------
    columns
        Columns of the regression, the intercept first if there is one.
    values
        Their values in rows of the design's order, in their own types; one value counts for all.
    target, weights
        Float64 in the same order. No weights mean ones.
    households
        Number of rows with a weight.
    dropped
        Rows of the survey that were left out for a missing answer.
    design
        Strata and units.
    """

    spec: ModelSpec
    built: Built
    columns: tuple[Column, ...]
    values: list[pl.Series]
    target: pl.Series
    weights: pl.Series | None
    households: int
    dropped: int
    design: SurveyDesign
    control: RunControl

    @property
    def rows(self) -> int:
        """Number of rows, those without a weight among them."""
        return len(self.target)

    @property
    def weight_sum(self) -> float:
        """Sum of the weights."""
        return float(self.rows) if self.weights is None else float(self.weights.sum())

    @property
    def kish(self) -> float:
        """Kish's design effect of the weights: ``n * sum(w ** 2) / sum(w) ** 2``."""
        if self.weights is None:
            return 1.0
        squares = float((self.weights * self.weights).sum())
        return self.households * squares / self.weight_sum**2

    def native(self) -> list[tuple[str, Any, int]]:
        """Return columns and target as the core takes them."""
        series = [*self.values, self.target]
        names = [*(column.name for column in self.columns), self.spec.target]
        sent = _engine.columns(series)
        return [(n, c, len(s)) for n, c, s in zip(names, sent, series, strict=True)]

    def run(self) -> dict[str, Any]:
        """Return how the core is to run."""
        control = self.control
        return {
            "threads": control.threads,
            "isa": None,
            "control": control._native,
            "timeout": control.timeout,
            "tick": control.progress,
        }


def prepare(
    frame: pl.DataFrame | pl.LazyFrame, spec: ModelSpec, control: RunControl | None
) -> Prepared:
    """Read a survey."""
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    target = numbers(frame, spec.target)
    weights = read_weights(frame, spec.weights, spec.size)
    present = target.is_not_null() & target.is_finite().fill_null(True)
    if not present.all():
        infinite = target.is_infinite().fill_null(False)
        if spec.missing_target == "error" or infinite.any():
            row = (infinite if spec.missing_target == "drop" else ~present).arg_max()
            assert row is not None
            raise DomainError(
                f"column '{spec.target}', row {row}: expected a finite number",
                code="missing_value",
                column=spec.target,
                row=row,
                hint="Leave such households out first"
                if infinite[row]
                else "missing_target='drop' leaves out households without a target",
            )
        frame, target = frame.filter(present), target.filter(present)
        weights = None if weights is None else weights.filter(present)
    read = frame.height
    built = build(frame, spec.terms)  # type: ignore[arg-type]
    if built.kept is not None:
        frame, target = frame.filter(built.kept), target.filter(built.kept)
        weights = None if weights is None else weights.filter(built.kept)
    design = read_survey_design(frame, strata=spec.strata, psu=spec.psu or (), fpc=spec.fpc or ())
    values = built.values
    if design.order is not None:
        # All columns at once: Polars gathers them on all threads.
        together = pl.DataFrame({f"{n}": series for n, series in enumerate(values)})
        values = together[design.order].get_columns()
        target = target.gather(design.order)
        weights = None if weights is None else weights.gather(design.order)
    columns = built.columns
    if spec.intercept:
        columns = (Column(term=INTERCEPT, level="", base=""), *columns)
        values = [pl.Series(INTERCEPT, [1.0]), *values]
    households = len(target) if weights is None else int((weights > 0).sum())
    if households <= len(columns):
        raise DomainError(
            f"{households} households with a weight are too few for {len(columns)} coefficients",
            code="too_few_rows",
            hint="Leave terms out, or put levels together",
        )
    return Prepared(
        spec=spec,
        built=built,
        columns=columns,
        values=[series.rechunk() for series in values],
        target=target.rechunk(),
        weights=None if weights is None else weights.rechunk(),
        households=households,
        dropped=int((~present).sum()) + read - frame.height,
        design=design,
        control=control or RunControl(),
    )


def numbers(frame: pl.DataFrame, column: str) -> pl.Series:
    """Return a numeric column as Float64; NaN counts as missing."""
    if column not in frame.columns:
        raise missing_column(column, frame.columns)
    values = frame.get_column(column)
    if not (values.dtype.is_numeric() or values.dtype == pl.Boolean):
        raise SchemaError(
            f"column '{column}': expected numbers, found {values.dtype.base_type()}",
            code="wrong_column",
            column=column,
        )
    return values.cast(pl.Float64).fill_nan(None)


def read_weights(frame: pl.DataFrame, weights: str | None, size: str | None) -> pl.Series | None:
    """Return the weight of each row, if they have any."""
    parts = [name for name in (weights, size) if name is not None]
    out: pl.Series | None = None
    for name in parts:
        own = numbers(frame, name)
        bad = own.is_null() | ~own.is_finite().fill_null(True) | (own < 0).fill_null(False)
        if bad.any():
            row = bad.arg_max()
            raise DomainError(
                f"column '{name}', row {row}: expected a finite number, zero or more",
                code="bad_weight",
                column=name,
                row=row,
            )
        out = own if out is None else out * own
    if out is not None and not out.sum() > 0:
        raise DomainError(
            f"the weights add up to zero: {' times '.join(parts)}",
            code="zero_weights",
            column=parts[0],
        )
    if out is None and not frame.height:
        raise invalid("the survey has no rows")
    return out
