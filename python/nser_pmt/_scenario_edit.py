"""Changed points: a model from a model."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import Any

from nser_pmt._options import invalid
from nser_pmt._show import _interval
from nser_pmt.errors import ModelError
from nser_pmt.model import (
    BinsTerm,
    LevelsTerm,
    LinearTerm,
    Model,
    ProductTerm,
    Stratum,
    TableTerm,
    Term,
)

__all__ = ["with_points"]


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
        return dataclasses.replace(model, terms=terms)
    chosen = [sub for sub in model.strata.models if _is_meant(sub, term, stratum)]
    if not chosen:
        raise _no_such("term", term, model, [t.id for s in model.sub_models() for t in s.terms])
    models = tuple(
        dataclasses.replace(sub, terms=_edited(model, sub.terms, term, points, coefficient))
        if sub in chosen
        else sub
        for sub in model.strata.models
    )
    return dataclasses.replace(model, strata=dataclasses.replace(model.strata, models=models))


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
    change = _with_coefficient if points is None else _with_levels
    return tuple(
        change(model, term, coefficient if points is None else points)  # type: ignore[operator]
        if term.id == id
        else term
        for term in terms
    )


def _with_coefficient(model: Model, term: Term, coefficient: float) -> Term:
    if not isinstance(term, LinearTerm | ProductTerm):
        raise invalid(f"term '{term.id}' has levels: give level and points")
    return dataclasses.replace(term, coefficient=float(coefficient))


def _with_levels(model: Model, term: Term, points: Mapping[Any, float]) -> Term:
    match term:
        case LevelsTerm():
            name, parts = "levels", term.levels
            keys = [[*part.values, part.label] for part in parts]
        case BinsTerm():
            name, parts = "bins", term.bins  # type: ignore[assignment]
            keys = [[part.label, _interval(part)] for part in term.bins]
        case TableTerm():
            name, parts = "cells", term.cells  # type: ignore[assignment]
            keys = [[(a, b) for a in part.first for b in part.second] for part in term.cells]
        case _:
            raise invalid(f"term '{term.id}' multiplies a number: give coefficient")
    new = list(parts)
    for level, value in points.items():
        hits = [n for n, names in enumerate(keys) if any(_same(level, key) for key in names)]
        if not hits:
            known = [str(next((k for k in names if k != ""), "")) for names in keys]
            raise _no_such(f"level of term '{term.id}'", level, model, known)
        if len(hits) > 1 and not isinstance(term, TableTerm):
            raise invalid(f"term '{term.id}': more than one level is called {level!r}")
        new[hits[0]] = dataclasses.replace(parts[hits[0]], points=float(value))
    return dataclasses.replace(term, **{name: tuple(new)})


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
