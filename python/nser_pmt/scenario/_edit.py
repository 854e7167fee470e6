"""Changed points: a model from a model."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeVar

from nser_pmt._options import invalid
from nser_pmt._show import interval
from nser_pmt.errors import ModelError
from nser_pmt.scoring.model import (
    Bin,
    BinsTerm,
    Cell,
    Level,
    LevelsTerm,
    LinearTerm,
    Model,
    ProductTerm,
    Stratum,
    TableTerm,
    Term,
)

__all__ = ["with_points"]

Part = TypeVar("Part", Level, Bin, Cell)


def with_points(
    model: Model,
    term: str,
    points: Mapping[Any, float] | None,
    coefficient: float | None,
    stratum: bool | int | str | None,
) -> Model:
    """Return the model with other points for some levels of a term, or another coefficient."""
    if (points is None) == (coefficient is None):
        raise invalid("with term, give level and points, or points as a dict, or coefficient")
    for value in [coefficient] if points is None else points.values():
        if not isinstance(value, (int, float)) or not math.isfinite(value):
            raise invalid("points and coefficient must be finite numbers")
    if model.strata is None:
        if stratum is not None:
            raise invalid(f"stratum: model '{model.id}' has no strata")
        terms = _edited(model, model.terms, term, points, coefficient)
        return replace(model, terms=terms)
    chosen = [sub for sub in model.strata.models if _is_meant(sub, term, stratum)]
    if not chosen:
        raise _no_such("term", term, model, [t.id for s in model.sub_models() for t in s.terms])
    models = tuple(
        replace(sub, terms=_edited(model, sub.terms, term, points, coefficient))
        if sub in chosen
        else sub
        for sub in model.strata.models
    )
    return replace(model, strata=replace(model.strata, models=models))


def _is_meant(sub: Stratum, term: str, stratum: bool | int | str | None) -> bool:
    here = stratum is None or any(_same(stratum, value) for value in sub.values)
    return here and any(t.id == term for t in sub.terms)


def _edited(
    model: Model,
    terms: tuple[Term, ...],
    id: str,
    points: Mapping[Any, float] | None,
    coefficient: float | None,
) -> tuple[Term, ...]:
    if all(term.id != id for term in terms):
        raise _no_such("term", id, model, [term.id for term in terms])

    def changed(term: Term) -> Term:
        if points is None:
            return _with_coefficient(term, coefficient)
        return _with_levels(model, term, points)

    return tuple(changed(term) if term.id == id else term for term in terms)


def _with_coefficient(term: Term, coefficient: float | None) -> Term:
    if coefficient is None or not isinstance(term, LinearTerm | ProductTerm):
        raise invalid(f"term '{term.id}' has levels: give level and points")
    return replace(term, coefficient=float(coefficient))


def _with_levels(model: Model, term: Term, points: Mapping[Any, float]) -> Term:
    keys: list[list[Any]]
    match term:
        case LevelsTerm():
            keys = [[*level.values, level.label] for level in term.levels]
            return replace(term, levels=_repointed(model, term, term.levels, keys, points))
        case BinsTerm():
            keys = [[item.label, interval(item)] for item in term.bins]
            return replace(term, bins=_repointed(model, term, term.bins, keys, points))
        case TableTerm():
            keys = [[(a, b) for a in cell.first for b in cell.second] for cell in term.cells]
            return replace(term, cells=_repointed(model, term, term.cells, keys, points))
        case _:
            raise invalid(f"term '{term.id}' multiplies a number: give coefficient")


def _repointed(
    model: Model,
    term: Term,
    parts: tuple[Part, ...],
    keys: list[list[Any]],
    points: Mapping[Any, float],
) -> tuple[Part, ...]:
    """Return parts of a term, known by any of their keys, with other points."""
    new = list(parts)
    for level, value in points.items():
        hits = [n for n, names in enumerate(keys) if any(_same(level, key) for key in names)]
        if not hits:
            known = [repr(next((k for k in names if k != ""), "")) for names in keys]
            raise ModelError(
                f"model '{model.id}': term '{term.id}' has no level {level!r}",
                code="no_such_name",
                hint=f"It has: {', '.join(dict.fromkeys(known))}",
            )
        if len(hits) > 1 and not isinstance(term, TableTerm):  # the first cell counts
            raise invalid(f"term '{term.id}': more than one level is called {level!r}")
        new[hits[0]] = replace(new[hits[0]], points=float(value))
    return tuple(new)


def _same(a: Any, b: Any) -> bool:
    """Whether two values of a model are the same: True is not 1."""
    return type(a) is type(b) and a == b and a != ""


def _no_such(what: str, name: Any, model: Model, known: list[str]) -> ModelError:
    listed = ", ".join(dict.fromkeys(known)) or "none"
    return ModelError(
        f"model '{model.id}' has no {what} '{name}'",
        code="no_such_name",
        hint=f"It has: {listed}",
    )
