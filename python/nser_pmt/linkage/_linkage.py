"""Frames made ready for a plan: rows in the order of their ids, columns as the core reads them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import isfinite, log2
from typing import Any

import polars as pl

from nser_pmt import _engine, _native, names
from nser_pmt._options import invalid
from nser_pmt.compare import Comparison
from nser_pmt.control import RunControl
from nser_pmt.errors import DomainError, SchemaError
from nser_pmt.linkage._expressions import columns_of, computed
from nser_pmt.linkage.link_spec import LinkSpec
from nser_pmt.scoring.model import missing_column

__all__ = [
    "Origin",
    "Planned",
    "Prepared",
    "check_learned",
    "column_of",
    "level_weights",
    "native_weights",
    "planned",
    "prepare",
    "prior_weight",
    "sorted_by_id",
]

_TEXT = (pl.String, pl.Enum, pl.Categorical)
_SEPARATOR = "\x1f"


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """One frame, or two one after the other, and a plan on them."""

    linker: _native.Linker
    spec: LinkSpec
    control: RunControl
    ids: pl.Series
    frame: pl.DataFrame
    """Columns that expressions compare, in the order of `ids`."""
    left_rows: int | None

    @property
    def native(self) -> list[Comparison]:
        """Comparisons that the core makes."""
        return [c for c in self.spec.compare if c.kind != "expr"]

    @property
    def expressions(self) -> list[Comparison]:
        """Comparisons that Polars makes."""
        return [c for c in self.spec.compare if c.kind == "expr"]

    def with_spec(self, spec: LinkSpec | None, control: RunControl | None) -> Prepared:
        """Return the same rows with other chances, and for another call."""
        changed = replace(self, control=control or RunControl())
        if spec is None:
            return changed
        bare = [_without_chances(s) for s in (spec, self.spec)]
        if bare[0] != bare[1]:
            raise invalid(
                "the plan has other comparisons or rules than the one the rows were read for"
            )
        return replace(changed, spec=spec)

    def weights(self, threshold: float | None) -> str:
        """Return the weights of the core's comparisons, as it reads them.

        `threshold` is the least weight of all; what expressions can add at most is taken off.
        """
        check_learned(self.spec)
        if threshold is not None and not isfinite(threshold):
            raise invalid("threshold must be a finite number or None")
        spare = sum(max(0.0, *level_weights(c)) for c in self.expressions)
        least = None if threshold is None else threshold - spare
        return json.dumps(native_weights(self.spec, least))


def check_learned(spec: LinkSpec) -> None:
    """Refuse a plan without the chances that weights need."""
    if not spec.learned:
        raise DomainError(
            "the plan has no chances of agreement yet",
            code="not_learned",
            hint="Use nser.learn, or give each comparison m and u and the plan a prior",
        )


def native_weights(spec: LinkSpec, least: float | None) -> dict[str, Any]:
    """Return the weights of the core's comparisons, as it reads them."""
    return {
        "prior": prior_weight(spec),
        "least": least,
        "comparisons": [_levels(c) for c in spec.compare if c.kind != "expr"],
    }


def _levels(comparison: Comparison) -> dict[str, Any]:
    frequency = None
    if comparison.frequency != "none" and comparison.u is not None:
        last = 1 if comparison.frequency == "exact" else len(comparison.levels) - 1
        frequency = {"log2_u": log2(comparison.u[0]), "scale": 1.0, "last_level": last}
    return {
        "name": comparison.label,
        "labels": list(comparison.levels),
        "weights": [0.0, *level_weights(comparison)],
        "frequency": frequency,
    }


def _without_chances(spec: LinkSpec) -> LinkSpec:
    bare = [replace(comparison, m=None, u=None) for comparison in spec.compare]
    return spec.replace(compare=bare, prior=None)


def prior_weight(spec: LinkSpec) -> float:
    """Return log2 of the prior odds."""
    prior = spec.prior or 0.5
    return log2(prior / (1 - prior))


def level_weights(comparison: Comparison) -> list[float]:
    """Return log2(m / u) of each level."""
    m, u = comparison.m or (), comparison.u or ()
    return [log2(a / b) for a, b in zip(m, u, strict=True)]


def prepare(
    left: pl.DataFrame | pl.LazyFrame,
    right: pl.DataFrame | pl.LazyFrame | None,
    spec: LinkSpec,
    id: str,
    control: RunControl | None,
) -> Prepared:
    """Check the frames and hand their columns to the core."""
    control = control or RunControl()
    frames = [sorted_by_id(left, id, "left" if right is not None else "frame")]
    if right is not None:
        frames.append(sorted_by_id(right, id, "right"))
        if frames[0].schema[id] != frames[1].schema[id]:
            raise SchemaError(
                f"column '{id}': the ids of both frames must have one type",
                code="wrong_column",
                column=id,
            )
    _check_columns(frames, spec)
    plan = planned(frames, spec)
    rows = sum(frame.height for frame in frames)
    left_rows = frames[0].height if right is not None else None
    linker = _native.Linker(
        _engine.columns(plan.columns),
        rows,
        json.dumps({"left": left_rows, "comparisons": plan.comparisons, "rules": plan.rules}),
        threads=control.threads,
        control=control._native,
        timeout=control.timeout,
    )
    expressions = [c for c in spec.compare if c.kind == "expr"]
    by_expressions = sorted({column for c in expressions for column in columns_of(c)})
    kept = [pl.DataFrame([_column(frame, name) for name in by_expressions]) for frame in frames]
    return Prepared(
        linker=linker,
        spec=spec,
        control=control,
        ids=_stack([frame.get_column(id) for frame in frames], id),
        frame=pl.concat(kept),
        left_rows=left_rows,
    )


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What a column that the core reads is made of."""

    name: str
    """Its name in messages."""
    comparison: Comparison | None
    """The first comparison that reads it, or None for a rule's key."""
    key: pl.Expr | None
    column: str | None
    """The column of the frame, unless it is made by an expression."""
    is_number: bool = False
    """Whether a key is an identity number."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """The columns that a plan needs, each once, and the plan in terms of their places."""

    columns: list[pl.Series]
    origins: list[Origin]
    comparisons: list[dict[str, Any]]
    rules: list[dict[str, Any]]


def planned(
    frames: Sequence[pl.DataFrame], spec: LinkSpec, *, match_forms: bool = False
) -> Planned:
    """Return the columns of frames, one after the other, as the core reads them.

    The linker brings names to their match form itself, once for each distinct name. An index, which
    keeps what it compares, is given `match_forms`.
    """
    columns: list[pl.Series] = []
    origins: list[Origin] = []
    places: dict[str, int] = {}

    def place(key: str, series: pl.Series, origin: Origin) -> int:
        if key not in places:
            places[key] = len(columns)
            columns.append(series.rechunk())
            origins.append(origin)
        return places[key]

    comparisons = []
    for c in spec.compare:
        if c.kind != "expr":
            series = _stack([_compared(frame, c, match_forms) for frame in frames], c.column)
            form = c.kind if c.kind == "set" or (match_forms and c.kind == "name") else "value"
            key = f"{form} {c.column} {series.dtype}"
            origin = Origin(name=c.column, comparison=c, key=None, column=c.column)
            comparisons.append({"column": place(key, series, origin), **_kind(c, series)})
    # A key of several rules is made once: keys of names take longer than the rest.
    made: dict[tuple[str, bool], pl.Series] = {}
    rules: list[dict[str, Any]] = []
    for rule in spec.rules:
        keys = []
        for text, coded, expr in zip(rule.keys, rule.expressions, rule.exprs(), strict=True):
            name = "value" if rule.kind != "neighbours" else "place"
            is_number = rule.kind == "cnic_within"
            if (text, is_number) not in made:
                parts = [_key(frame, expr, is_number) for frame in frames]
                made[text, is_number] = _stack(parts, expr.meta.output_name())
            series = made[text, is_number]
            if rule.kind == "neighbours":
                series = _places(series)
            shown = ", ".join(expr.meta.root_names())
            column = None if coded else text
            origin = Origin(
                name=shown, comparison=None, key=expr, column=column, is_number=is_number
            )
            keys.append(place(f"{name} {text} {series.dtype}", series, origin))
        if rule.kind == "equal":
            rules.append({"kind": "equal", "columns": keys, "max_block": rule.max_block})
        elif rule.kind == "cnic_within":
            rules.append({"kind": "cnic_within", "column": keys[0]})
        else:
            rules.append({"kind": "near", "column": keys[0], "window": rule.window})
    return Planned(columns=columns, origins=origins, comparisons=comparisons, rules=rules)


def sorted_by_id(frame: pl.DataFrame | pl.LazyFrame, id: str, which: str) -> pl.DataFrame:
    """Return the rows in the order of their ids, so that no result depends on their own order."""
    if isinstance(frame, pl.LazyFrame):
        frame = frame.collect()
    ids = _column(frame, id)
    if not (ids.dtype.is_integer() or ids.dtype == pl.Null or _is(ids, *_TEXT)):
        _refuse(ids, "whole numbers or text as ids")
    nulls = ids.is_null().arg_max()
    given = ids
    if ids.null_count() and nulls is not None:
        raise SchemaError(
            f"column '{id}', row {nulls}: an id is missing in the {which}",
            code="missing_id",
            column=id,
            row=nulls,
        )
    # Categories of text are in an order of their own.
    order = ids.cast(pl.String) if isinstance(ids.dtype, pl.Categorical) else ids
    if not order.is_sorted():
        frame = frame[order.arg_sort()]
        ids = frame.get_column(id)
    if frame.height > 1 and (ids.head(frame.height - 1) == ids.tail(frame.height - 1)).any():
        row = (~given.is_first_distinct()).arg_max()
        raise SchemaError(
            f"column '{id}', row {row}: ids repeat in the {which}",
            code="duplicate_id",
            column=id,
            row=row,
            hint="Each row needs an id of its own; with_row_index makes one",
        )
    return frame


def _stack(parts: Sequence[pl.Series], column: str) -> pl.Series:
    """Return the rows of both frames as numbers or text that the core knows."""
    known = [part for part in parts if part.null_count() < len(part)] or parts[:1]
    kinds = {part.dtype for part in known}
    if len(kinds) > 1 and all(kind.is_numeric() for kind in kinds):
        wide = pl.concat([part.alias("").to_frame() for part in known], how="vertical_relaxed")
        kinds = {wide.to_series().dtype}
    if len(kinds) > 1:
        raise SchemaError(
            f"column '{column}': its types in the two frames have no common values",
            code="wrong_column",
            column=column,
        )
    (kind,) = kinds
    series = [part if part.dtype == kind else part.cast(kind) for part in parts]
    stacked = series[0] if len(series) == 1 else pl.concat(series)
    return stacked.to_physical() if kind.is_temporal() else stacked


def _check_columns(frames: Sequence[pl.DataFrame], spec: LinkSpec) -> None:
    """Refuse frames without the columns of the plan; of two, say which."""
    wanted = [column for c in spec.compare for column in columns_of(c)]
    wanted += sorted({column for rule in spec.rules for column in rule.columns})
    for frame, which in zip(frames, ("left", "right") if len(frames) > 1 else ("",), strict=True):
        for name in wanted:
            if name not in frame.columns:
                error = missing_column(name, frame.columns)
                where = f" in the {which} frame" if which else ""
                raise SchemaError(
                    f"column '{name}' is missing{where}",
                    code=error.code,
                    column=name,
                    hint=error.hint,
                )


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    if name not in frame.columns:
        raise missing_column(name, frame.columns)
    return frame.get_column(name)


def _compared(frame: pl.DataFrame, comparison: Comparison, match_forms: bool) -> pl.Series:
    """Return a column as its comparison reads it."""
    series = _column(frame, comparison.column)
    if series.dtype == pl.Null:
        return series.cast(pl.String)
    if comparison.kind in ("name", "string"):
        text = series.cast(pl.String) if _is(series, *_TEXT) else _refuse(series, "text")
        if comparison.kind == "string" or not match_forms:
            return text
        return text.to_frame("text").select(names.fold("text")).to_series().alias(series.name)
    if comparison.kind == "date":
        if not _is(series, pl.Date, pl.Datetime):
            _refuse(series, "a Date; parse text with .str.to_date()")
        return series.cast(pl.Date)
    if comparison.kind == "number":
        numeric = series.dtype.is_numeric()
        return series.cast(pl.Float64) if numeric else _refuse(series, "a number")
    if comparison.kind == "set":
        if not isinstance(series.dtype, pl.List) or series.dtype.inner.is_nested():
            _refuse(series, "a List of texts or numbers")
        members = pl.element().cast(pl.String).drop_nulls().unique().sort()
        packed = pl.col(series.name).list.eval(members).list.join(_SEPARATOR)
        return series.to_frame().select(packed).to_series()
    return _number(series) if comparison.kind == "cnic" else _plain(series)


def column_of(frame: pl.DataFrame, origin: Origin) -> pl.Series:
    """Return a column as an index keeps it."""
    if origin.comparison is not None:
        return _compared(frame, origin.comparison, match_forms=True)
    return _key(frame, pl.lit(None) if origin.key is None else origin.key, origin.is_number)


def _key(frame: pl.DataFrame, key: pl.Expr, as_number: bool) -> pl.Series:
    for name in key.meta.root_names():
        _column(frame, name)
    series = computed(frame, [key], "a key of a rule").to_series()
    return _number(series) if as_number else _plain(series)


def _number(series: pl.Series) -> pl.Series:
    """Return identity numbers as text, so that whole numbers and text can meet."""
    if not (series.dtype.is_numeric() or series.dtype == pl.Null or _is(series, *_TEXT)):
        _refuse(series, "identity numbers as text or numbers")
    whole = series.dtype.is_integer() or not series.dtype.is_numeric()
    return series.cast(pl.String) if whole else series


def _plain(series: pl.Series) -> pl.Series:
    """Return a column that can be told equal or not, without types the core does not know."""
    if series.dtype == pl.Null or _is(series, *_TEXT):
        return series.cast(pl.String)
    if series.dtype.is_nested() or _is(series, pl.Object, pl.Binary):
        _refuse(series, "a number, a boolean, a date or text")
    return series


def _is(series: pl.Series, *kinds: Any) -> bool:
    return isinstance(series.dtype, kinds) or series.dtype in kinds


def _refuse(series: pl.Series, expected: str) -> pl.Series:
    raise SchemaError(
        f"column '{series.name}': expected {expected}", code="wrong_column", column=series.name
    )


def _places(key: pl.Series) -> pl.Series:
    """Return the place of each row when sorted by a key, rows of one key in their own order."""
    rows = pl.DataFrame({"key": key}).with_row_index("row").drop_nulls("key")
    rows = rows.sort("key", "row").with_row_index("place").sort("row")
    all_rows = pl.DataFrame({"row": pl.int_range(len(key), dtype=pl.UInt32, eager=True)})
    return all_rows.join(rows, on="row", how="left", maintain_order="left").get_column("place")


def _kind(comparison: Comparison, values: pl.Series) -> dict[str, Any]:
    """Return a comparison of values as the core reads it."""
    kind: dict[str, Any] = {"rarity": comparison.frequency != "none", "kind": comparison.kind}
    options = dict(comparison.options)
    if comparison.kind == "string":
        kind["kind"] = options.pop("measure")
    tokens = options.get("token_frequencies")
    if tokens is not None:
        table = names.frequencies(values) if tokens == "frame" else tokens
        options["token_frequencies"] = {"names": table.names, "counts": dict(table.counts)}
    return kind | options
