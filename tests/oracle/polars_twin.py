"""A slow, obvious scorer: Polars expressions only, one `when` a level and one a bin.

It shares no code with the Rust core; the tests hold the two to the same bits. It follows the
docstrings of `nser_pmt.scoring.model` and `nser_pmt.score`.

Every term is two expressions, a status code (0 ok, 1 missing, 2 out of domain) and its points; the
model adds the points from left to right and takes the highest code.

Arithmetic with a constant takes a whole column of it. Of a scalar, Polars makes ``x`` out of
``x + 0.0``, which keeps a negative zero, and ``x * (1 / c)`` out of ``x / c``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from nser_pmt.scoring.model import (
    Affine,
    Bin,
    BinsTerm,
    Clip,
    Input,
    LevelsTerm,
    LinearTerm,
    MinMax,
    Model,
    ProductTerm,
    Step,
    Stratum,
    TableTerm,
    Term,
)

__all__ = ["Fault", "faults", "score"]

OK, MISSING, INVALID = 0, 1, 2
STATUS = pl.Enum(["ok", "missing", "out_of_domain"])
TEXT = (pl.String, pl.Enum, pl.Categorical)
Scalar = bool | int | str


def score(frame: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Return ``pmt_score`` and ``pmt_status`` of every row."""
    frame = frame.with_columns(chosen=_stratum(frame, model), code=_unchosen(frame, model))
    frame = frame.with_columns(score=pl.lit(None, dtype=pl.Float64))
    for n, sub in enumerate(model.sub_models()):
        own = _sub_model(frame, model, sub)
        here = pl.col("chosen") == n
        frame = frame.with_columns(
            score=pl.when(here).then(own["total"]).otherwise("score"),
            code=pl.when(here).then(own["total_code"]).otherwise("code"),
        )
    ok = pl.col("code") == OK
    status = pl.col("code").replace_strict([0, 1, 2], STATUS.categories, return_dtype=STATUS)
    return frame.select(pl.when(ok).then("score").alias("pmt_score"), status.alias("pmt_status"))


@dataclass(frozen=True)
class Fault:
    """The first answer of a row that the model gives no points for."""

    row: int
    code: str
    inputs: tuple[str, ...]


def faults(frame: pl.DataFrame, model: Model) -> list[Fault]:
    """Return what ``on_invalid="error"`` may complain about: the first bad answer of each row."""
    frame = frame.with_columns(chosen=_stratum(frame, model), code_stratum=_unchosen(frame, model))
    named = [("code_stratum", () if model.strata is None else (model.strata.input,))]
    for n, sub in enumerate(model.sub_models()):
        for term in sub.terms:
            codes, _ = _term(frame, model, term)
            frame = frame.with_columns(
                **{f"code_{n}_{term.id}": _when(pl.col("chosen") == n, codes, OK)}
            )
            named.append((f"code_{n}_{term.id}", _columns(model, term)))
    found = []
    for row, codes in enumerate(frame.select(name for name, _ in named).iter_rows()):
        bad = [(code, inputs) for code, (_, inputs) in zip(codes, named, strict=True) if code != OK]
        if bad:
            code, inputs = bad[0]
            found.append(Fault(row, {1: "missing_value", 2: "out_of_domain"}[code], inputs))
    return found


def _columns(model: Model, term: Term) -> tuple[str, ...]:
    names = term.inputs if isinstance(term, ProductTerm | TableTerm) else (term.input,)
    ratios = {i.name: i.ratio for i in model.inputs}
    return tuple(column for name in names for column in (ratios[name] or (name,)))


# ---------------------------------------------------------------- the model


def _constant(frame: pl.DataFrame, x: float) -> pl.Expr:
    return pl.lit(pl.Series([x] * frame.height, dtype=pl.Float64))


def _stratum(frame: pl.DataFrame, model: Model) -> pl.Expr:
    """Return the number of the sub-model that scores a row, or null."""
    if model.strata is None:
        return pl.lit(0.0)
    column, models = model.strata.input, model.strata.models
    listed = [v for sub in models for v in sub.values]
    return _first(
        (_is_one_of(frame, column, sub.values, listed), n) for n, sub in enumerate(models)
    )


def _unchosen(frame: pl.DataFrame, model: Model) -> pl.Expr:
    """Return the status of a row that no sub-model scores."""
    if model.strata is None:
        return pl.lit(OK)
    nowhere = _stratum(frame, model).is_null()
    return _when(_missing(frame, model.strata.input), MISSING, _when(nowhere, INVALID, OK))


def _sub_model(frame: pl.DataFrame, model: Model, sub: Stratum) -> pl.DataFrame:
    """Return ``total`` and ``total_code`` of a sub-model, for every row."""
    frame = frame.with_columns(total=_constant(frame, sub.intercept + 0.0), total_code=pl.lit(OK))
    for term in sub.terms:
        codes, points = _term(frame, model, term)
        frame = frame.with_columns(
            total=pl.col("total") + points, total_code=pl.max_horizontal("total_code", codes)
        )
    frame = frame.with_columns(finite=pl.col("total").is_finite())
    for step in (*sub.steps, *model.steps):
        frame = frame.with_columns(total=_step(frame, pl.col("total"), step))
    finite = pl.col("finite") & pl.col("total").is_finite()
    own = _when(pl.col("total_code") != OK, pl.col("total_code"), _when(finite, OK, INVALID))
    return frame.with_columns(total_code=own)


def _term(frame: pl.DataFrame, model: Model, term: Term) -> tuple[pl.Expr, pl.Expr]:
    """Return status code and points of a term."""
    codes, points = _answer(frame, model, term)
    unknown = term.unknown if isinstance(term, LevelsTerm | TableTerm) else term.out_of_range
    for code, policy in ((MISSING, term.missing), (INVALID, unknown)):
        if isinstance(policy, float):
            points = _when(codes == code, policy, points)
            codes = _when(codes == code, OK, codes)
    return codes, points


def _answer(frame: pl.DataFrame, model: Model, term: Term) -> tuple[pl.Expr, pl.Expr]:
    """Return code and points of a term, before its policies."""
    if isinstance(term, LevelsTerm):
        listed = [v for level in term.levels for v in level.values]
        points = _first(
            (_is_one_of(frame, term.input, level.values, listed), level.points)
            for level in term.levels
        )
        missing = _missing(frame, term.input)
    elif isinstance(term, TableTerm):
        points = _first(
            (
                _is_one_of(frame, term.inputs[0], c.first, [v for o in term.cells for v in o.first])
                & _is_one_of(
                    frame, term.inputs[1], c.second, [v for o in term.cells for v in o.second]
                ),
                c.points,
            )
            for c in term.cells
        )
        missing = _missing(frame, term.inputs[0]) | _missing(frame, term.inputs[1])
    elif isinstance(term, BinsTerm):
        number = _Number(frame, model, term.input)
        points = _first((_in_bin(number, one), one.points) for one in term.bins)
        return number.codes(points.is_null()), points
    elif isinstance(term, LinearTerm):
        number = _Number(frame, model, term.input)
        points = _transform(term, number.value) * term.coefficient
        return number.codes(~points.is_finite()), points
    else:
        a, b = (_Number(frame, model, name) for name in term.inputs)
        missing = a.missing | b.missing
        points = a.value * b.value * term.coefficient
        valid = a.valid & b.valid & points.is_finite()
        return _when(missing, MISSING, _when(valid, OK, INVALID)), points
    return _when(missing, MISSING, _when(points.is_null(), INVALID, OK)), points


# ---------------------------------------------------------------- categories


def _missing(frame: pl.DataFrame, column: str) -> pl.Expr:
    value = pl.col(column)
    return value.is_null() | value.is_nan() if frame.schema[column].is_float() else value.is_null()


def _is_one_of(
    frame: pl.DataFrame, column: str, values: Sequence[Scalar], listed: Sequence[Scalar]
) -> pl.Expr:
    """Whether an answer is one of `values`; false for a null.

    0 and 1 stand for false and true, and the other way round, unless they are `listed` themselves.
    """
    dtype, tests = frame.schema[column], [pl.lit(False)]
    for value in values:
        if isinstance(dtype, TEXT):
            if isinstance(value, str):
                tests.append(pl.col(column).cast(pl.String) == value)
        elif dtype == pl.Null or isinstance(value, str):
            continue
        elif isinstance(value, bool) == (dtype == pl.Boolean) or not _lists(listed, value):
            tests.append(pl.col(column).cast(pl.Float64) == float(value))
    return pl.any_horizontal(tests).fill_null(False)


def _lists(listed: Sequence[Scalar], value: Scalar) -> bool:
    """Whether the other form of a flag is listed: 1 for True, True for 1."""
    return any(type(v) is not type(value) and not isinstance(v, str) and v == value for v in listed)


# ---------------------------------------------------------------- numbers


class _Number:
    """An input read as a number."""

    def __init__(self, frame: pl.DataFrame, model: Model, name: str) -> None:
        inputs = {i.name: i for i in model.inputs}
        item = inputs[name]
        parts = item.ratio or (name,)
        self.single = item.ratio is None and frame.schema[name] == pl.Float32
        self.missing = pl.any_horizontal(_missing(frame, part) for part in parts)
        valid = [_part_is_valid(frame, inputs[part]) for part in parts]
        numbers = [pl.col(part).cast(pl.Float64) for part in parts]
        self.value = numbers[0]
        if item.ratio:
            self.value = numbers[0] / numbers[1]
            valid += [numbers[1] != 0, _inside(self.value, item, single=False)]
        self.valid = pl.all_horizontal(valid)

    def edge(self, x: float) -> pl.Expr:
        """Return an edge in the width in which the column is stored."""
        return _edge(x, self.single)

    def codes(self, nowhere: pl.Expr) -> pl.Expr:
        return _when(self.missing, MISSING, _when(self.valid & ~nowhere, OK, INVALID))


def _part_is_valid(frame: pl.DataFrame, item: Input) -> pl.Expr:
    x = pl.col(item.name).cast(pl.Float64)
    whole = x == x.floor() if item.type == "integer" else pl.lit(True)
    return x.is_finite() & whole & _inside(x, item, frame.schema[item.name] == pl.Float32)


def _inside(x: pl.Expr, item: Input, single: bool) -> pl.Expr:
    low = pl.lit(True) if item.min is None else x >= _edge(item.min, single)
    high = pl.lit(True) if item.max is None else x <= _edge(item.max, single)
    return low & high


def _edge(x: float, single: bool) -> pl.Expr:
    return pl.lit(x).cast(pl.Float32).cast(pl.Float64) if single else pl.lit(x)


def _in_bin(number: _Number, one: Bin) -> pl.Expr:
    x, edge = number.value, number.edge
    tests = [pl.lit(True)]
    tests += [] if one.ge is None else [x >= edge(one.ge)]
    tests += [] if one.gt is None else [x > edge(one.gt)]
    tests += [] if one.le is None else [x <= edge(one.le)]
    tests += [] if one.lt is None else [x < edge(one.lt)]
    return pl.all_horizontal(tests).fill_null(False)


def _transform(term: LinearTerm, x: pl.Expr) -> pl.Expr:
    x = x if term.clip_min is None else _when(x < term.clip_min, term.clip_min, x)
    x = x if term.clip_max is None else _when(x > term.clip_max, term.clip_max, x)
    return {"none": x, "log": x.log(), "sqrt": x.sqrt(), "square": x * x}[term.transform]


# ---------------------------------------------------------------- steps


def _step(frame: pl.DataFrame, x: pl.Expr, step: Step) -> pl.Expr:
    def column(number: float) -> pl.Expr:
        return _constant(frame, number)

    if isinstance(step, Affine):
        return x * column(step.multiply) + column(step.add)
    if isinstance(step, MinMax):
        share = (x - column(step.low)) / (column(step.high) - column(step.low))
        return share * (column(step.to_high) - column(step.to_low)) + column(step.to_low)
    if isinstance(step, Clip):
        x = x if step.min is None else _when(x < step.min, step.min, x)
        return x if step.max is None else _when(x > step.max, step.max, x)
    factor = column(10.0**step.digits)
    y = x * factor
    rounded = {
        "half_even": y.round(0, mode="half_to_even"),
        "half_away_from_zero": y.round(0, mode="half_away_from_zero"),
        "floor": y.floor(),
        "ceil": y.ceil(),
        "truncate": _when(y < 0, y.ceil(), y.floor()),
    }
    return rounded[step.mode] / factor


# ---------------------------------------------------------------- expressions


def _when(condition: pl.Expr, yes: pl.Expr | float, no: pl.Expr | float) -> pl.Expr:
    """Choose; a null condition is false."""
    one, other = (x if isinstance(x, pl.Expr) else pl.lit(x) for x in (yes, no))
    return pl.when(condition).then(one).otherwise(other)


def _first(cases: Iterable[tuple[pl.Expr, float | None]]) -> pl.Expr:
    """Return the value of the first case that is true, else null."""
    found = pl.lit(None, dtype=pl.Float64)
    for condition, value in reversed(list(cases)):
        found = _when(condition, float(value or 0.0), found)
    return found
