"""A registry as byte codes, built batch by batch."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import polars as pl

from nser_pmt import _engine, _native
from nser_pmt._options import invalid
from nser_pmt.control import RunControl
from nser_pmt.errors import DomainError, SchemaError
from nser_pmt.scenario._layout import Layout, too_many
from nser_pmt.scoring._program import may_raise
from nser_pmt.scoring.model import Model, missing_column

__all__ = ["Grouping", "Held", "Registry", "hold", "how"]

Registry: TypeAlias = pl.DataFrame | pl.LazyFrame | Iterable[pl.DataFrame]

How: TypeAlias = tuple[int | None, _native.Control, float | None, Any]

BATCH = 500_000  # rows
GROUPS = 65_536  # of a grouping, that of the nulls among them


@dataclass(frozen=True, kw_only=True)
class Grouping:
    """A column that households are counted by; code 0 is a null.

    `order` lists the codes that occur, by their values, a null first.
    """

    column: str
    values: pl.Series
    order: pl.Series

    def __len__(self) -> int:
        return len(self.values)


@dataclass(frozen=True, kw_only=True, eq=False)
class Held:
    """A registry as codes: what the scenarios of one registry share."""

    layout: Layout
    codes: _native.ScenarioCodes
    numbers: dict[tuple[int, int], list[float]]
    groupings: tuple[Grouping, ...]
    weighted: bool


def how(control: RunControl | None) -> How:
    """Return how a call into the core runs."""
    control = control or RunControl()
    return control.threads, control._native, control.timeout, control.progress


def hold(
    registry: Registry,
    model: Model,
    by: Sequence[str],
    weights: str | None,
    control: RunControl | None,
) -> Held:
    """Read a registry once, and hold what the model needs of it."""
    layout = Layout.of(model)
    coder = _native.ScenarioCoder(
        list(layout.columns),
        layout.strata,
        [(q.slot, q.stratum, q.first, q.multiplies, q.program) for q in layout.questions],
        layout.slots,
        len(by),
        weights is not None,
    )
    wanted = [*layout.columns, *by, *([weights] if weights else [])]
    labels = [_Labels(column) for column in by]
    checked = may_raise(model)
    start, counts = 0, False
    options = how(control)
    progress = options[3]
    for batch in _batches(registry, list(dict.fromkeys(wanted))):
        if checked:
            _raise_as_scoring_does(batch, model, start)
        counted = None if weights is None else _weights(batch.get_column(weights), start)
        counts |= counted is not None and bool((counted > 0).any())
        full = coder.push(
            _engine.columns([batch.get_column(column) for column in layout.columns]),
            batch.height,
            [label.codes(batch.get_column(label.column)) for label in labels],
            counted,
            how=options,
        )
        if full is not None:
            raise too_many(_question(layout, *full))
        start += batch.height
        if progress is not None:
            progress(start)
    if weights is not None and start and not counts:
        raise DomainError(
            f"column '{weights}': the weights add up to zero",
            code="zero_weights",
            column=weights,
        )
    codes, found = coder.finish()
    numbers = {
        (slot, _question_at(layout, slot, n).first): values
        for slot, each in enumerate(found)
        for n, values in enumerate(each)
        if values is not None
    }
    groupings = tuple(label.finish() for label in labels)
    return Held(
        layout=layout,
        codes=codes,
        numbers=numbers,
        groupings=groupings,
        weighted=weights is not None,
    )


def _question_at(layout: Layout, slot: int, n: int) -> Any:
    return [q for q in layout.questions if q.slot == slot][n]


def _question(layout: Layout, slot: int, n: int) -> str:
    term: str = _question_at(layout, slot, n).term
    return term


def _batches(registry: Registry, columns: list[str]) -> Iterator[pl.DataFrame]:
    if isinstance(registry, pl.DataFrame):
        yield from _chosen(registry, columns).iter_slices(BATCH)
    elif isinstance(registry, pl.LazyFrame):
        chosen = _chosen(registry, columns)
        rows = registry.select(pl.len()).collect().item()
        for start in range(0, rows, BATCH):
            yield chosen.slice(start, BATCH).collect()
    else:
        for frame in registry:
            if not isinstance(frame, pl.DataFrame):
                raise SchemaError(
                    "the registry must be a DataFrame, a LazyFrame or batches of DataFrames",
                    code="wrong_frame",
                )
            yield from _chosen(frame, columns).iter_slices(BATCH)


def _chosen(frame: Any, columns: list[str]) -> Any:
    names = frame.collect_schema().names()
    for column in columns:
        if column not in names:
            raise missing_column(column, names)
    return frame.select(columns)


def _raise_as_scoring_does(batch: pl.DataFrame, model: Model, start: int) -> None:
    """Raise the error that the model asks for, with the row's number in the whole registry."""
    try:
        given = _engine.columns([batch.get_column(column) for column in model.columns])
        model._scorer.score(given, batch.height, score="score", status="status")
    except DomainError as error:
        if error.row is None or start == 0:
            raise
        row = start + error.row
        text = str(error).replace(f", row {error.row}:", f", row {row}:", 1)
        raise DomainError(text, code=error.code, column=error.column, row=row) from None


def _weights(series: pl.Series, start: int) -> pl.Series:
    if not series.dtype.is_numeric():
        raise SchemaError(
            f"column '{series.name}': expected weights as numbers, found {series.dtype}",
            code="wrong_column",
            column=series.name,
        )
    weights = series.cast(pl.Float64)
    bad = (~(weights.is_finite() & (weights >= 0))).fill_null(True).arg_true()
    if len(bad):
        row = start + int(bad[0])
        raise DomainError(
            f"column '{series.name}', row {row}: expected a weight of 0 or more",
            code="invalid_weight",
            column=series.name,
            row=row,
        )
    return weights


class _Labels:
    """Codes for the values of a column, in the order in which they turn up."""

    def __init__(self, column: str) -> None:
        self.column = column
        self.known: dict[Any, int] = {}
        self.dtype: pl.DataType | None = None
        self.nulls = False

    def codes(self, series: pl.Series) -> pl.Series:
        dtype = series.dtype
        self.nulls |= series.has_nulls()
        text = isinstance(dtype, (pl.String, pl.Enum, pl.Categorical))
        if not (text or dtype.is_integer() or dtype in (pl.Boolean, pl.Date, pl.Null)):
            raise SchemaError(
                f"column '{self.column}': expected groups as text, whole numbers, dates or "
                f"booleans, found {dtype}",
                code="wrong_column",
                column=self.column,
            )
        if self.dtype in (None, pl.Null):
            self.dtype = dtype
        elif self.dtype != dtype and text:
            self.dtype = pl.String()
        values = series.cast(pl.String) if text else series
        for value in values.unique().drop_nulls().sort():
            self.known.setdefault(value, len(self.known) + 1)
        if len(self.known) >= GROUPS:
            raise invalid(f"by: column '{self.column}' has more than {GROUPS - 1:,} groups")
        if not self.known:
            return pl.repeat(0, len(series), dtype=pl.UInt16, eager=True)
        old = pl.Series(list(self.known), dtype=values.dtype)
        new = pl.Series(list(self.known.values()), dtype=pl.UInt16)
        coded = values.replace_strict(old, new, default=0, return_dtype=pl.UInt16)
        return coded.fill_null(0)

    def finish(self) -> Grouping:
        dtype = self.dtype or pl.Null()
        if isinstance(dtype, (pl.Enum, pl.Categorical)):
            values = pl.Series(self.column, [None, *self.known], dtype=pl.String).cast(dtype)
        else:
            values = pl.Series(self.column, [None, *self.known], dtype=dtype)
        codes = pl.DataFrame({"value": values}).with_row_index("code")
        order = codes.sort("value", nulls_last=False)["code"][0 if self.nulls else 1 :]
        return Grouping(column=self.column, values=values, order=order)
