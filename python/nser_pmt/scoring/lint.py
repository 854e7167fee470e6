"""Faults of a model that its schema cannot see."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from nser_pmt.errors import ModelError
from nser_pmt.scoring._program import invalid_policy, term_inputs, used_inputs
from nser_pmt.scoring.model import (
    Affine,
    Bin,
    BinsTerm,
    Clip,
    Input,
    Level,
    LevelsTerm,
    LinearTerm,
    MinMax,
    Model,
    Step,
    TableTerm,
    Term,
)

__all__ = ["Finding", "lint"]


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One fault: an ``error`` makes scores ambiguous, a ``warning`` asks for a look."""

    level: Literal["error", "warning"]
    code: str
    place: str
    message: str

    def __str__(self) -> str:
        """Return the finding in one line."""
        return f"{self.place}: {self.message} [{self.code}]"


class _Edges(Protocol):
    @property
    def ge(self) -> float | None: ...
    @property
    def gt(self) -> float | None: ...
    @property
    def le(self) -> float | None: ...
    @property
    def lt(self) -> float | None: ...


def lint(model: Model) -> tuple[Finding, ...]:
    """Return the findings on a model, errors first, in model order."""
    inputs = {i.name: i for i in model.inputs}
    found: list[Finding] = []
    for sub, terms in enumerate(s.terms for s in model.sub_models()):
        for n, term in enumerate(terms):
            place = f"terms[{n}] '{term.id}'"
            if model.strata is not None:
                place = f"strata.models[{sub}].{place}"
            found += _lint_term(term, inputs, place)
    found += _lint_inputs(model)
    found += _lint_strata(model)
    found += _lint_range(model)
    found += _lint_cutoffs(model)
    found += _lint_likelihoods(model)
    return tuple(sorted(found, key=lambda f: f.level != "error"))


def check_references(model: Model) -> None:
    """Raise `ModelError` where a model contradicts itself so that it cannot be read at all."""

    def bad(message: str) -> ModelError:
        return ModelError(message, code="bad_reference")

    inputs = {i.name: i for i in model.inputs}
    if (model.strata is None) == (not model.terms):
        raise bad("a model has either terms or strata")
    if model.strata is not None and (model.intercept or not model.strata.models):
        raise bad("strata: each sub-model has its own intercept and terms")
    for name in used_inputs(model):
        if name not in inputs:
            raise bad(f"inputs: '{name}' is used but not declared")
    for item in model.inputs:
        for part in item.ratio or ():
            if part not in inputs or inputs[part].ratio:
                raise bad(f"inputs.{item.name}.ratio: '{part}' is not a declared column")
            if inputs[part].type == "category":
                message = f"inputs.{item.name}.ratio: '{part}' is a category, not a number"
                raise ModelError(message, code="wrong_input_type")
    for sub in model.sub_models():
        ids = [term.id for term in sub.terms]
        for id in ids:
            if ids.count(id) > 1 or id == "intercept":
                raise bad(f"terms: the id '{id}' is taken")
        _check_integers(sub.values, "strata")
        for term in sub.terms:
            _check_kinds(term, inputs)
            _check_integers(_values(term), f"term '{term.id}'")
            if model.status != "template":
                _check_points(term)


def _check_kinds(term: Term, inputs: dict[str, Input]) -> None:
    for name in term_inputs(term):
        numeric = inputs[name].type in ("integer", "number")
        if isinstance(term, LevelsTerm | TableTerm):
            if inputs[name].type == "number":
                raise ModelError(
                    f"term '{term.id}': levels need a category, not the number '{name}'",
                    code="wrong_input_type",
                )
        elif not numeric and inputs[name].type != "boolean":
            raise ModelError(
                f"term '{term.id}': needs a number, but '{name}' is a category",
                code="wrong_input_type",
            )


def _check_points(term: Term) -> None:
    parts: Sequence[Level | Bin] = ()
    if isinstance(term, LevelsTerm):
        parts = term.levels
    elif isinstance(term, BinsTerm):
        parts = term.bins
    for n, part in enumerate(parts):
        if part.points is None:
            raise ModelError(
                f"term '{term.id}', entry {n}: points are missing; only a template may leave "
                "them out",
                code="points_missing",
            )


def _check_integers(values: Iterable[object], place: str) -> None:
    """Integers are compared as doubles, so each must be a double of its own."""
    if any(isinstance(v, int) and abs(v) >= 2**53 for v in values):
        raise ModelError(f"{place}: an integer level is too large", code="bad_level")


def _values(term: Term) -> list[bool | int | str]:
    if isinstance(term, LevelsTerm):
        return [v for level in term.levels for v in level.values]
    if isinstance(term, TableTerm):
        return [v for cell in term.cells for v in (*cell.first, *cell.second)]
    return []


# -- one term --------------------------------------------------------------------------------------


def _lint_term(term: Term, inputs: dict[str, Input], place: str) -> Iterator[Finding]:
    if isinstance(term, LevelsTerm):
        yield from _duplicates([v for level in term.levels for v in level.values], place)
    elif isinstance(term, TableTerm):
        pairs = [(a, b) for cell in term.cells for a in cell.first for b in cell.second]
        yield from _duplicates(pairs, place)
    elif isinstance(term, BinsTerm):
        item = inputs[term.input]
        yield from _lint_bins(term.bins, item, place)
        points = [b.points for b in _ordered(term.bins)]
        if None not in points and not _monotone(points):  # type: ignore[arg-type]
            yield _warn("non-monotone-points", place, "points go up and down along the bins")


def _duplicates(values: Sequence[object], place: str) -> Iterator[Finding]:
    seen: set[tuple[type, object]] = set()
    for value in values:
        key = (type(value), value)
        if key in seen:
            message = f"the level {value!r} is listed twice"
            yield Finding(level="error", code="duplicate-level", place=place, message=message)
        seen.add(key)


def _lint_bins(bins: Sequence[_Edges], item: Input | None, place: str) -> Iterator[Finding]:
    whole = item is not None and item.type == "integer"
    domain = (-math.inf, math.inf)
    if item is not None:
        domain = (_or(item.min, -math.inf), _or(item.max, math.inf))
    for n, one in enumerate(bins):
        if not any(_contains(one, x) and domain[0] <= x <= domain[1] for x in _probes(bins, whole)):
            yield _warn("unreachable-bin", place, f"no number falls in bin {n}")
    covered = [sum(_contains(b, x) for b in bins) for x in _probes(bins, whole)]
    for x, count in zip(_probes(bins, whole), covered, strict=True):
        if count > 1:
            message = f"bins overlap near {x:g}"
            yield Finding(level="error", code="bins-overlap", place=place, message=message)
            break
    inner = [i for i, count in enumerate(covered) if count]
    if inner:
        probes = _probes(bins, whole)
        for i in range(inner[0], inner[-1]):
            if not covered[i]:
                yield _warn("bins-gap", place, f"no bin holds numbers near {probes[i]:g}")
                break


def _edges(one: _Edges) -> list[float]:
    return [e for e in (one.ge, one.gt, one.le, one.lt) if e is not None]


def _probes(bins: Sequence[_Edges], whole: bool) -> list[float]:
    """Numbers such that any gap, overlap or empty bin shows at one of them."""
    edges = sorted({e for one in bins for e in _edges(one)})
    if whole:
        near = {float(math.floor(e) + d) for e in edges for d in (-1, 0, 1, 2)}
        return sorted(near)
    between = [(a + b) / 2 for a, b in itertools.pairwise(edges)]
    ends = [edges[0] - 1, edges[-1] + 1] if edges else [0.0]
    return sorted({*edges, *between, *ends})


def _contains(one: _Edges, x: float) -> bool:
    return (
        (one.ge is None or x >= one.ge)
        and (one.gt is None or x > one.gt)
        and (one.le is None or x <= one.le)
        and (one.lt is None or x < one.lt)
    )


def _ordered(bins: Sequence[Bin]) -> list[Bin]:
    return sorted(bins, key=lambda b: _or(b.ge, _or(b.gt, -math.inf)))


def _monotone(points: Sequence[float]) -> bool:
    steps = [b - a for a, b in itertools.pairwise(points)]
    return all(s >= 0 for s in steps) or all(s <= 0 for s in steps)


# -- the whole model -------------------------------------------------------------------------------


def _lint_inputs(model: Model) -> Iterator[Finding]:
    used = set(used_inputs(model))
    used |= {part for i in model.inputs if i.ratio and i.name in used for part in i.ratio}
    for item in model.inputs:
        place = f"inputs.{item.name}"
        if item.name not in used:
            yield _warn("unused-input", place, "no term reads it")
        if item.type in ("integer", "number") and item.ratio is None and item.unit is None:
            yield _warn("unit-missing", place, "a number without a unit")


def _lint_strata(model: Model) -> Iterator[Finding]:
    if model.strata is not None:
        values = [v for sub in model.strata.models for v in sub.values]
        yield from _duplicates(values, "strata")


def _lint_range(model: Model) -> Iterator[Finding]:
    if model.range is None or model.status == "template":
        return
    low, high = model.range
    if low >= high:
        yield Finding(
            level="error", code="bad-range", place="range", message="low is not below high"
        )
    for n, sub in enumerate(model.sub_models()):
        ends = [_term_ends(term, model) for term in sub.terms]
        reach = [sub.intercept + sum(e[0] for e in ends), sub.intercept + sum(e[1] for e in ends)]
        for step in (*sub.steps, *model.steps):
            reach = sorted(_after(step)(x) for x in reach)
        if reach[0] < low or reach[1] > high:
            place = f"strata.models[{n}]" if model.strata else "range"
            message = f"scores reach from {reach[0]:g} to {reach[1]:g}, outside {low:g} to {high:g}"
            yield _warn("score-outside-range", place, message)


def _term_ends(term: Term, model: Model) -> tuple[float, float]:
    """Return the fewest and the most points a term can give."""
    inputs = {i.name: i for i in model.inputs}
    stated = [p for p in (term.missing, invalid_policy(term)) if isinstance(p, float)]
    if isinstance(term, LevelsTerm):
        points = [level.points or 0.0 for level in term.levels]
    elif isinstance(term, BinsTerm):
        points = [b.points or 0.0 for b in term.bins]
    elif isinstance(term, TableTerm):
        points = [cell.points for cell in term.cells]
    elif isinstance(term, LinearTerm):
        item = inputs[term.input]
        low = max(_or(term.clip_min, -math.inf), _or(item.min, -math.inf))
        high = min(_or(term.clip_max, math.inf), _or(item.max, math.inf))
        points = [_linear(term, x) for x in (low, high)]
        if term.transform == "square" and low < 0 < high:
            points.append(0.0)
    else:
        corners = [
            (_or(inputs[n].min, -math.inf), _or(inputs[n].max, math.inf)) for n in term.inputs
        ]
        points = [_times(_times(a, b), term.coefficient) for a in corners[0] for b in corners[1]]
    points += stated
    return min(points, default=0.0), max(points, default=0.0)


def _linear(term: LinearTerm, x: float) -> float:
    functions: dict[str, Callable[[float], float]] = {
        "none": lambda v: v,
        "log": lambda v: math.log(v) if v > 0 else -math.inf,
        "sqrt": lambda v: math.sqrt(max(v, 0.0)),
        "square": lambda v: v * v,
    }
    return _times(functions[term.transform](x), term.coefficient)


def _times(a: float, b: float) -> float:
    return 0.0 if a == 0 or b == 0 else a * b


def _after(step: Step) -> Callable[[float], float]:
    match step:
        case Affine():
            return lambda x: _times(x, step.multiply) + step.add
        case MinMax():
            scale = (step.to_high - step.to_low) / (step.high - step.low)
            return lambda x: (x - step.low) * scale + step.to_low
        case Clip():
            return lambda x: min(max(x, _or(step.min, -math.inf)), _or(step.max, math.inf))
        case _:
            return lambda x: x  # rounding moves a score by less than the range is stated to


def _lint_cutoffs(model: Model) -> Iterator[Finding]:
    for cutoff in model.cutoffs:
        place = f"cutoffs.{cutoff.id}"
        if cutoff.side == "unknown":
            yield _warn("cutoff-side-unknown", place, "the source does not say which side is meant")
        if model.range and not model.range[0] <= cutoff.value <= model.range[1]:
            yield _warn("cutoff-outside-range", place, "no score can be there")


def _lint_likelihoods(model: Model) -> Iterator[Finding]:
    for table in model.likelihoods:
        place = f"likelihoods.{table.line}"
        yield from _lint_bins(table.bands, None, place)
        bands = sorted(table.bands, key=lambda b: _or(b.ge, _or(b.gt, -math.inf)))
        odds = [band.probability for band in bands]
        if not all(0 <= p <= 1 for p in odds):
            message = "a probability lies outside 0 to 1"
            yield Finding(level="error", code="bad-probability", place=place, message=message)
        sign = 1 if model.direction == "lower_is_poorer" else -1
        wrong = sum((b - a) * sign > 0 for a, b in itertools.pairwise(odds))
        if wrong:
            message = f"{wrong} step(s) where a better-off band is more likely to be poor"
            yield _warn("non-monotone-likelihood", place, message)


def _warn(code: str, place: str, message: str) -> Finding:
    return Finding(level="warning", code=code, place=place, message=message)


def _or(value: float | None, default: float) -> float:
    return default if value is None else value
