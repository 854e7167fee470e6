"""What a formula predicts for households that it has not seen: `CrossValidation`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import isnan, nan, sqrt
from typing import Any

import polars as pl

from nser_pmt.errors import DomainError
from nser_pmt.estimation._prepared import numbers, read_weights
from nser_pmt.estimation.model_spec import ModelSpec
from nser_pmt.scoring.model import Model, missing_column
from nser_pmt.scoring.scoring import score
from nser_pmt.targeting.targeting import Targeting

__all__ = ["CrossValidation", "measured", "predicted"]


@dataclass(frozen=True, kw_only=True, repr=False)
class CrossValidation:
    """What `Fit.cross_validate` found.

    Attributes
    ----------
    folds
        One row for each fold: ``fold``, ``psus``, ``weight``, ``rmse_in`` (under the coefficients
        of all) and ``rmse_out`` (under those of the other folds; null where a term became constant
        without the fold, and of logit and probit, which predict a chance).
    r2, rmse
        Of all households, each predicted by the other folds; NaN if a fold has none.
    predictions
        If a survey was given, one row for each of its rows: ``fold`` and ``predicted``, the score
        under the formula of the other folds. Null for a household whose unit the fit did not see,
        or that did not answer a term.
    targeting
        If a line or a rate was given, what `targeting` says of ``predicted``: the errors for
        households that the formula has not seen.
    """

    folds: pl.DataFrame
    r2: float
    rmse: float
    predictions: pl.DataFrame | None = None
    targeting: Targeting | None = None

    def __repr__(self) -> str:
        lines = [self._head(), "".join(f"{name:>14}" for name in self.folds.columns)]
        for fold, psus, weight, *errors in self.folds.iter_rows():
            words = (str(fold), f"{psus:,}", f"{weight or 0:,.0f}", *map(_text, errors))
            lines.append("".join(f"{word:>14}" for word in words))
        if self.targeting is not None:
            lines.append(repr(self.targeting))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        after = "" if self.targeting is None else self.targeting._repr_html_()
        return f"<div><b>{self._head()}</b></div>{self.folds._repr_html_()}{after}"

    def _head(self) -> str:
        units = self.folds.get_column("psus").sum()
        return (
            f"CrossValidation: {self.folds.height} folds of {units:,} primary units, "
            f"R2 {_text(self.r2)}, RMSE {_text(self.rmse)}"
        )


def predicted(
    frame: pl.DataFrame, units: pl.DataFrame, folds: int, formula: Callable[[pl.Series, int], Model]
) -> pl.DataFrame:
    """Score the households of each fold by the formula of the others.

    `units` has the columns of the primary unit and ``fold``; `formula` gives the one without a
    fold, from the fold of each row.
    """
    keys = [name for name in units.columns if name != "fold"]
    for name in keys:
        if name not in frame.columns:
            raise missing_column(name, frame.columns)
    own = frame.select(pl.col(name).cast(units.schema[name], strict=False) for name in keys)
    fold = own.join(units, on=keys, how="left", maintain_order="left").get_column("fold")
    parts = []
    for number in range(folds):
        try:
            model = formula(fold, number)
        except DomainError as fault:
            message = str(fault).removesuffix(f". {fault.hint}")
            raise DomainError(
                f"fold {number} cannot be predicted. Without its units: {message}",
                code=fault.code,
                column=fault.column,
                hint="Put rare levels together, or take another seed or fewer folds",
            ) from None
        rows = (fold == number).fill_null(False).arg_true()
        scored = score(frame.select(model.columns)[rows], model, on_invalid="null")
        parts.append(pl.DataFrame({"row": rows, "predicted": scored.get_column("pmt_score")}))
    found = fold.to_frame().with_row_index("row")
    return found.join(pl.concat(parts), on="row", how="left", maintain_order="left").drop("row")


def measured(
    frame: pl.DataFrame,
    spec: ModelSpec,
    units: pl.DataFrame,
    predictions: pl.DataFrame,
    model: Model | None,
) -> dict[str, Any]:
    """Return the table of folds, R2 and RMSE from the rows; the latter not without a model."""
    weights = read_weights(frame, spec.weights, spec.size)
    rows = predictions.select(
        "fold",
        "predicted",
        w=pl.lit(1.0) if weights is None else weights,
        y=numbers(frame, spec.target),
        own=pl.lit(None, pl.Float64)
        if model is None
        else score(frame.select(model.columns), model, on_invalid="null").get_column("pmt_score"),
    ).drop_nulls(["fold", "predicted", "y"])
    square = [
        ((pl.col("w") * (pl.col("y") - pl.col(name)) ** 2).sum()).alias(of)
        for name, of in (("own", "in"), ("predicted", "out"))
    ]
    by = rows.group_by("fold").agg(*square, weight=pl.col("w").sum())
    table = units.group_by("fold").agg(psus=pl.len()).join(by, on="fold", how="left").sort("fold")
    known = model is not None
    errors = {
        f"rmse_{of}": (pl.col(of) / pl.col("weight")).sqrt() if known else pl.lit(None, pl.Float64)
        for of in ("in", "out")
    }
    weight, total = float(rows.get_column("w").sum()), float(table.get_column("out").sum())
    mean = float((rows.get_column("w") * rows.get_column("y")).sum()) / weight
    spread = float((rows.get_column("w") * (rows.get_column("y") - mean) ** 2).sum())
    shown = table.select("fold", "psus", "weight", **errors)
    if not known:
        return {"folds": shown, "r2": nan, "rmse": nan}
    return {"folds": shown, "r2": 1 - total / spread, "rmse": sqrt(total / weight)}


def _text(value: float | None) -> str:
    return "-" if value is None or isnan(value) else f"{value:.4g}"
