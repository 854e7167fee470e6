"""Hypothesis strategies: random models, and random frames that fit them.

A frame's values come from a small pool a column, drawn so that edges, levels and their neighbours
are in it; which row holds which value is left to a seed. So a failing example shrinks to a few
values and a few rows.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any

import numpy as np
import polars as pl
from hypothesis import strategies as st

from nser_pmt.scoring.model import (
    Affine,
    Bin,
    BinsTerm,
    Cell,
    Clip,
    Input,
    Level,
    LevelsTerm,
    LinearTerm,
    MinMax,
    Model,
    ProductTerm,
    Round,
    Step,
    Strata,
    Stratum,
    TableTerm,
    Term,
)

__all__ = ["chunked", "frames", "models", "models_and_frames"]

# Lengths 0, below, at and above the 12 bytes that a string view holds itself; beyond ASCII.
TEXTS = (
    "Punjab",
    "",
    "yes",
    "0",
    "true",
    "پنجاب",
    "12 bytes.. é",
    "twelve bytes",
    "thirteen byte",
    "Khyber Pakhtunkhwa",
    "Khyber Pakhtunkhwa 2",
    "خیبر پختونخوا",
)
CODES = (-3, -1, 0, 1, 2, 5, 7, 200, 70_000)
EDGES = (-1e300, -70.5, -2.0, -0.0, 0.1, 0.2, 0.3, math.nextafter(0.3, 1), 0.7, 1.0, 2.0, 5.0, 1e6)
ODD = (math.inf, -math.inf, math.nan, 1e308, -1e200, 5e-324, 1e-20, 0.5, 2.0000000000000004, -7.25)
ROWS = (0, 1, 2, 7, 40, 1023, 1025, 1500)

points = st.sampled_from([0.0, -0.0, 0.1, 0.2, 0.3, 1.0, -7.5, 12.0]) | st.floats(-1e3, 1e3)
policies = st.just("null") | points


def _subset(values: Sequence[Any], low: int = 1, high: int = 6) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=low, max_size=high, unique=True)


def make_model(**parts: Any) -> Model:
    """Make a model of which only the formula matters."""
    return Model(
        schema_version=1,
        id="test",
        title="A model of the tests",
        country="PK",
        year=2024,
        source="tests",
        licence="none",
        status="research",
        unit="household",
        direction="lower_is_poorer",
        **parts,
    )


# ---------------------------------------------------------------- models


@st.composite
def _inputs(draw: st.DrawFn) -> list[Input]:
    """Columns: text, codes, counts, numbers, flags; sometimes a ratio of two of them."""
    kinds = draw(
        st.lists(
            st.sampled_from(["category", "integer", "number", "boolean"]), min_size=1, max_size=4
        )
    )
    made = []
    for n, kind in enumerate(kinds):
        low, high = draw(_range()) if kind in ("integer", "number") else (None, None)
        made.append(Input(f"c{n}", type=kind, min=low, max=high))
    numeric = [i.name for i in made if i.type != "category"]
    if numeric and draw(st.booleans()):
        top, bottom = draw(st.sampled_from(numeric)), draw(st.sampled_from(numeric))
        low, high = draw(_range())
        made.append(Input("ratio", type="number", ratio=(top, bottom), min=low, max=high))
    return made


@st.composite
def _range(draw: st.DrawFn) -> tuple[float | None, float | None]:
    low = draw(st.none() | st.sampled_from([-70.5, 0.0, 0.1, 1.0]))
    high = draw(st.none() | st.sampled_from([0.3, 5.0, 200.0, 1e307]))
    return low, high


def _level_values(item: Input) -> Sequence[bool | int | str]:
    """Values that levels of this input may list."""
    if item.type == "integer":
        return (*CODES, True, False)
    if item.type == "boolean":
        return (True, False, 0, 1, 2)
    return (*TEXTS, *CODES, True, False) if item.name in ("c1", "c3") else TEXTS


@st.composite
def _bins(draw: st.DrawFn) -> tuple[Bin, ...]:
    """Bins between rising edges, with gaps, any mix of closed and open ends, in any order."""
    edges: list[float | None] = sorted(draw(_subset(EDGES, 1, 5)))  # type: ignore[assignment]
    ends = [*([None] * draw(st.booleans())), *edges, *([None] * draw(st.booleans()))]
    made, closed = [], False
    for low, high in pairwise(ends):
        take_low = not closed and draw(st.booleans())
        closed = draw(st.booleans())
        if draw(st.integers(0, 4)) == 0:
            closed = False
            continue
        edge = {("ge" if take_low else "gt"): low, ("le" if closed else "lt"): high}
        made.append(Bin(**edge, points=draw(points)))  # type: ignore[arg-type]
    return tuple(draw(st.permutations(made)))


@st.composite
def _levels(draw: st.DrawFn, item: Input) -> tuple[tuple[bool | int | str, ...], ...]:
    """Groups of distinct values."""
    keys = [(type(v), v) for v in _level_values(item)]
    values = [v for _, v in draw(_subset(keys))]
    cut = draw(st.integers(1, len(values)))
    groups = [values[:cut], *([v] for v in values[cut:])]
    return tuple(map(tuple, groups))


@st.composite
def _term(draw: st.DrawFn, id: str, inputs: list[Input]) -> Term:
    category = [i for i in inputs if i.type != "number"]
    number = [i for i in inputs if i.type != "category"]
    kinds = [*(["levels", "table"] if category else [])]
    kinds += ["bins", "linear", "product"] if number else []
    kind = draw(st.sampled_from(kinds))
    missing, invalid = draw(policies), draw(policies)
    first = draw(st.sampled_from(category if kind in ("levels", "table") else number))
    if kind == "levels":
        levels = tuple(Level(values=v, points=draw(points)) for v in draw(_levels(first)))
        return LevelsTerm(id=id, input=first.name, levels=levels, missing=missing, unknown=invalid)
    if kind == "table":
        second = draw(st.sampled_from(category))
        cells = tuple(
            Cell(first=a, second=b, points=draw(points))
            for a in draw(_levels(first))
            for b in draw(_levels(second))
        )
        names = (first.name, second.name)
        return TableTerm(id=id, inputs=names, cells=cells, missing=missing, unknown=invalid)
    common: dict[str, Any] = {"id": id, "missing": missing, "out_of_range": invalid}
    if kind == "bins":
        return BinsTerm(input=first.name, bins=draw(_bins()), **common)
    if kind == "linear":
        low, high = draw(_range())
        return LinearTerm(
            input=first.name,
            coefficient=draw(points),
            transform=draw(st.sampled_from(["none", "log", "sqrt", "square"])),
            clip_min=low,
            clip_max=high,
            **common,
        )
    second = draw(st.sampled_from(number))
    return ProductTerm(inputs=(first.name, second.name), coefficient=draw(points), **common)


def _step() -> st.SearchStrategy[Step]:
    bound = st.none() | st.sampled_from([-10.0, 0.0, 50.5, 100.0])
    modes = st.sampled_from(["half_even", "half_away_from_zero", "floor", "ceil", "truncate"])
    return st.one_of(
        st.builds(Affine, multiply=points, add=points),
        st.builds(
            MinMax,
            low=st.sampled_from([-3.0, 0.1]),
            high=st.sampled_from([0.3, 77.0]),
            to_low=points,
            to_high=points,
        ),
        st.builds(Clip, min=bound, max=bound),
        st.builds(Round, digits=st.integers(-15, 15) | st.integers(0, 2), mode=modes),
    )


@st.composite
def models(draw: st.DrawFn) -> Model:
    """Models of every kind of term and step, without ``error`` policies."""
    inputs = draw(_inputs())

    def terms(low: int) -> tuple[Term, ...]:
        count = draw(st.integers(low, 4))
        return tuple(draw(_term(f"t{n}", inputs)) for n in range(count))

    steps = st.lists(_step(), max_size=2).map(tuple)
    chooser = [i for i in inputs if i.type != "number"]
    parts: dict[str, Any] = {}
    if chooser and draw(st.integers(0, 2)) == 0:
        item = draw(st.sampled_from(chooser))
        subs = tuple(
            Stratum(values=v, intercept=draw(points), terms=terms(0), steps=draw(steps))
            for v in draw(_levels(item))
        )
        parts["strata"] = Strata(input=item.name, missing="null", unknown="null", models=subs)
    else:
        parts |= {"intercept": draw(points), "terms": terms(1)}
    return make_model(inputs=tuple(inputs), steps=draw(steps), **parts)


# ---------------------------------------------------------------- frames

WIDTHS = ("Int8", "Int16", "Int32", "Int64", "Int128", "UInt8", "UInt16", "UInt32", "UInt64")
TEXT_TYPES = ("String", "Enum", "WideEnum", "Categorical")
# The rich ones first and twice: Hypothesis favours what comes first.
NUMBER_TYPES = ("Float64", "Float32", "Boolean", "Decimal", "Float64", "Float32", *WIDTHS)


def _listed(model: Model, column: str) -> list[tuple[bool | int | str, ...]]:
    """What each categorical use of a column lists."""
    uses = []
    for sub in model.sub_models():
        for term in sub.terms:
            if isinstance(term, LevelsTerm) and term.input == column:
                uses.append(tuple(v for level in term.levels for v in level.values))
            if isinstance(term, TableTerm):
                sides = zip(term.inputs, ("first", "second"), strict=True)
                uses += [
                    tuple(v for c in term.cells for v in getattr(c, side))
                    for name, side in sides
                    if name == column
                ]
    if model.strata is not None and model.strata.input == column:
        uses.append(tuple(v for sub in model.strata.models for v in sub.values))
    return uses


def usable_types(model: Model, column: str) -> list[str]:
    """Types that every use of the column accepts."""
    listed = _listed(model, column)
    item = next(i for i in model.inputs if i.name == column)
    types = []
    if item.type == "category" and all(any(isinstance(v, str) for v in use) for use in listed):
        types += TEXT_TYPES
    if all(any(isinstance(v, int) for v in use) for use in listed):
        types += NUMBER_TYPES
    return [*types, "Null"]


def _pool(kind: str) -> st.SearchStrategy[pl.Series]:
    """A few values of a type, null among them or not."""
    if kind == "Null":
        return st.just(pl.Series([None], dtype=pl.Null))
    if kind in TEXT_TYPES:
        texts = _subset((*TEXTS, "unknown", "an unknown level, a long one", "punjab"), 1, 8)
        return st.builds(_text_pool, st.just(kind), texts, st.booleans())
    return st.builds(_number_pool, st.just(kind), _number_values(kind), st.booleans())


def _text_pool(kind: str, texts: list[str], null: bool) -> pl.Series:
    values = [*texts, None] if null else texts
    if kind == "String":
        return pl.Series(values, dtype=pl.String)
    if kind == "Categorical":
        return pl.Series(values, dtype=pl.Categorical)
    padding = [f"category {n}" for n in range(300 if kind == "WideEnum" else 0)]
    return pl.Series(values, dtype=pl.Enum([*padding, *texts]))


def _number_values(kind: str) -> st.SearchStrategy[list[Any]]:
    if kind == "Boolean":
        return _subset((True, False))
    if kind in WIDTHS:
        bits = int(kind.removeprefix("U").removeprefix("Int"))
        low = 0 if kind[0] == "U" else -(2 ** (bits - 1))
        high = low + 2**bits - 1
        fit = [x for x in (*CODES, 3, 6, low, high) if low <= x <= high]
        return _subset(fit, 1, 8)
    if kind == "Decimal":
        return _subset([Decimal(f"{x:.2f}") for x in (*CODES, *EDGES, 0.25) if abs(x) < 1e9], 1, 8)
    return _subset([*map(float, CODES), *EDGES, *ODD], 1, 10)


def _number_pool(kind: str, values: list[Any], null: bool) -> pl.Series:
    dtype: Any = pl.Decimal(18, 2) if kind == "Decimal" else getattr(pl, kind)
    values = [*values, None] if null else values
    if kind == "Float32":
        return pl.Series(values, dtype=pl.Float64).cast(dtype)
    return pl.Series(values, dtype=dtype)


def chunked(series: pl.Series, cuts: Sequence[int]) -> pl.Series:
    """Return the same values in chunks that end at `cuts`."""
    ends = sorted({0, len(series), *(c for c in cuts if c < len(series))})
    if len(ends) < 3:
        return series
    return pl.concat([series[a:b].clone() for a, b in pairwise(ends)], rechunk=False)


@st.composite
def frames(draw: st.DrawFn, model: Model, *, rows: Sequence[int] = ROWS) -> pl.DataFrame:
    """Frames that `model` scores: any usable type, nulls, odd values, chunks, slices."""
    height = draw(st.sampled_from(rows))
    if height == 1500 and draw(st.integers(0, 4)) == 0:
        height = 3000
    ahead = draw(st.sampled_from([0, 0, 3, 65]))  # rows sliced off: buffers then have an offset
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    series = []
    for column in model.columns:
        pool = draw(_pool(draw(st.sampled_from(usable_types(model, column)))))
        index = rng.integers(0, len(pool), ahead + height)
        cuts = draw(st.lists(st.sampled_from([1, 5, 20, 64, 900, 1024, 1100, 2050]), max_size=3))
        whole = pool.gather(pl.Series(index, dtype=pl.UInt32)).rename(column)
        series.append(chunked(whole, cuts))
    return pl.DataFrame(series).slice(ahead)


@st.composite
def models_and_frames(draw: st.DrawFn, *, rows: Sequence[int] = ROWS) -> tuple[Model, pl.DataFrame]:
    """Return a model and a frame for it."""
    model = draw(models())
    return model, draw(frames(model, rows=rows))
