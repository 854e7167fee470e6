"""From a `Model` to the program that the Rust core compiles."""

from __future__ import annotations

import json
from typing import Any, Literal

from nser_pmt.errors import ModelError
from nser_pmt.scoring.model import (
    Affine,
    Bin,
    BinsTerm,
    Clip,
    Input,
    LevelsTerm,
    Likelihood,
    LinearTerm,
    MinMax,
    Model,
    Policy,
    ProductTerm,
    Round,
    Step,
    TableTerm,
    Term,
)

OnInvalid = Literal["model", "null", "error"]


def program(model: Model, on_invalid: OnInvalid = "model") -> str:
    """Return the JSON program of a model.

    `on_invalid` replaces the model's "null" and "error" policies; stated points stay.
    """
    if model.status == "template":
        raise ModelError(
            f"model '{model.id}' is a template: its points are not public, so it cannot score",
            code="points_not_public",
            hint="Fit a model of your own on a survey, or fill in points you are entitled to use",
        )
    names = used_inputs(model)
    build = _Builder(model, names, on_invalid)
    data: dict[str, Any] = {
        "inputs": [build.input(name) for name in names],
        "models": [
            {
                "intercept": sub.intercept,
                "terms": [build.term(term) for term in sub.terms],
                "steps": [_step(step) for step in sub.steps],
            }
            for sub in model.sub_models()
        ],
        "steps": [_step(step) for step in model.steps],
    }
    if model.strata is not None:
        data["strata"] = {
            "input": names.index(model.strata.input),
            "levels": [list(sub.values) for sub in model.strata.models],
            "missing": build.policy(model.strata.missing),
            "invalid": build.policy(model.strata.unknown),
        }
    return json.dumps(data, ensure_ascii=False, allow_nan=False)


def may_raise(model: Model, on_invalid: OnInvalid = "model") -> bool:
    """Whether some answer is an error to this model."""
    policies: list[Policy] = []
    if model.strata is not None:
        policies += [model.strata.missing, model.strata.unknown]
    for sub in model.sub_models():
        for term in sub.terms:
            policies += [term.missing, invalid_policy(term)]
    build = _Builder(model, [], on_invalid)
    return any(build.policy(policy) == "error" for policy in policies)


def likelihood_program(table: Likelihood, column: str) -> str:
    """Return the program that looks a score up in a likelihood table."""
    bins = [
        {"ge": b.ge, "gt": b.gt, "le": b.le, "lt": b.lt, "points": b.probability}
        for b in table.bands
    ]
    term = {
        "id": table.line,
        "kind": "bins",
        "inputs": [0],
        "missing": "null",
        "invalid": "null",
        "bins": bins,
    }
    return json.dumps(
        {
            "inputs": [{"name": column, "parts": [{"column": column, "integer": False}]}],
            "models": [{"intercept": 0.0, "terms": [term]}],
        }
    )


def term_inputs(term: Term) -> tuple[str, ...]:
    """Names of the inputs of a term."""
    return term.inputs if isinstance(term, ProductTerm | TableTerm) else (term.input,)


def used_inputs(model: Model) -> list[str]:
    """Names of the inputs that the formula uses, in order of first use."""
    names = [model.strata.input] if model.strata is not None else []
    for sub in model.sub_models():
        for term in sub.terms:
            names.extend(term_inputs(term))
    return list(dict.fromkeys(names))


def columns(model: Model) -> tuple[str, ...]:
    """Columns that the formula reads, in the order in which the core asks for them."""
    by_name = {i.name: i for i in model.inputs}
    used = [_input_columns(by_name[name]) for name in used_inputs(model)]
    return tuple(dict.fromkeys(column for group in used for column in group))


def _input_columns(item: Input) -> tuple[str, ...]:
    return item.ratio or (item.name,)


class _Builder:
    def __init__(self, model: Model, names: list[str], on_invalid: OnInvalid) -> None:
        self.names = names
        self.inputs = {i.name: i for i in model.inputs}
        self.on_invalid = on_invalid

    def policy(self, policy: Policy) -> Policy:
        stated = not isinstance(policy, str) or self.on_invalid == "model"
        return policy if stated else self.on_invalid  # type: ignore[return-value]

    def input(self, name: str) -> dict[str, Any]:
        item = self.inputs[name]
        parts = [self.part(column) for column in _input_columns(item)]
        ratio = {"min": item.min, "max": item.max} if item.ratio else {}
        return {"name": name, "parts": parts, "range": ratio}

    def part(self, column: str) -> dict[str, Any]:
        item = self.inputs[column]
        bounds = {"min": item.min, "max": item.max}
        return {"column": column, "integer": item.type == "integer", "range": bounds}

    def term(self, term: Term) -> dict[str, Any]:
        return {
            "id": term.id,
            "kind": term.kind,
            "inputs": [self.names.index(name) for name in term_inputs(term)],
            "missing": self.policy(term.missing),
            "invalid": self.policy(invalid_policy(term)),
            **_formula(term),
        }


def invalid_policy(term: Term) -> Policy:
    """Return what an answer that the term does not know means."""
    return term.unknown if isinstance(term, LevelsTerm | TableTerm) else term.out_of_range


def _formula(term: Term) -> dict[str, Any]:
    match term:
        case LevelsTerm():
            return {"levels": [{"values": list(v.values), "points": v.points} for v in term.levels]}
        case BinsTerm():
            return {"bins": [_bin(b) for b in term.bins]}
        case LinearTerm():
            return {
                "coefficient": term.coefficient,
                "transform": term.transform,
                "clip": {"min": term.clip_min, "max": term.clip_max},
            }
        case ProductTerm():
            return {"coefficient": term.coefficient}
        case TableTerm():
            return _table(term)


def _bin(item: Bin) -> dict[str, float | None]:
    return {"ge": item.ge, "gt": item.gt, "le": item.le, "lt": item.lt, "points": item.points}


def _table(term: TableTerm) -> dict[str, Any]:
    """Spread the cells over a full grid of single values."""
    rows = list(dict.fromkeys((type(v), v) for cell in term.cells for v in cell.first))
    cols = list(dict.fromkeys((type(v), v) for cell in term.cells for v in cell.second))
    points = {
        ((type(a), a), (type(b), b)): cell.points
        for cell in reversed(term.cells)
        for a in cell.first
        for b in cell.second
    }
    return {
        "rows": [[value] for _, value in rows],
        "columns": [[value] for _, value in cols],
        "cells": [points.get((row, col)) for row in rows for col in cols],
    }


def _step(step: Step) -> dict[str, Any]:
    match step:
        case Affine():
            return {"kind": "affine", "multiply": step.multiply, "add": step.add}
        case MinMax():
            to = [step.to_low, step.to_high]
            return {"kind": "min_max", "from": [step.low, step.high], "to": to}
        case Clip():
            return {"kind": "clip", "min": step.min, "max": step.max}
        case Round():
            return {"kind": "round", "digits": step.digits, "mode": step.mode}
