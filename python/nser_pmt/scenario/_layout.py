"""Where the answers to a model's terms go in a registry held as byte codes, and their points.

A slot holds one code for each household. In a model with strata it is shared by terms of different
strata, and code 0 stands for a household of none of them. The codes of a term start with that of a
missing answer and that of an answer outside the model; those of its levels follow in model order.
For a term that multiplies a number, the levels are the distinct numbers that were found.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nser_pmt.errors import ModelError
from nser_pmt.scoring._program import program
from nser_pmt.scoring.model import Model

__all__ = ["Layout", "Question", "too_many"]

CODES = 256
NULLS = 2  # missing, outside the model
STRATA = 250  # the codes above mean that there is no stratum

MISSING, OUT_OF_DOMAIN = 1, 2  # codes of the status


@dataclass(frozen=True, kw_only=True)
class Question:
    """A term of a sub-model and the place of its codes.

    `errors` says whether a missing answer, and one outside the model, is an error.
    """

    term: str
    slot: int
    stratum: int | None
    first: int
    multiplies: bool
    errors: tuple[bool, bool]
    program: bytes


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How the answers to a model are coded: all of the model but its points.

    Two models with equal layouts read the same codes.
    """

    columns: tuple[str, ...]
    strata: bytes | None
    strata_errors: tuple[bool, bool]
    questions: tuple[Question, ...]
    slots: int

    @classmethod
    def of(cls, model: Model) -> Layout:
        """Lay out the codes of a model; raise `ModelError` where a byte is too small for a term."""
        data = json.loads(program(model))
        strata = data.get("strata")
        used: list[int] = []  # codes of each slot that are taken
        base = 0 if strata is None else 1
        if strata is not None and len(strata["levels"]) > STRATA:
            raise ModelError(
                f"model '{model.id}' has more than {STRATA} strata: too many for a scenario",
                code="not_as_codes",
            )
        questions = []
        for stratum, sub in enumerate(data["models"]):
            slot = 0
            for term in sub["terms"]:
                multiplies = term["kind"] in ("linear", "product")
                levels = CODES - NULLS - base if multiplies else len(_level_points(term))
                need = NULLS + levels
                if base + need > CODES:
                    raise too_many(term["id"], levels)
                while slot < len(used) and used[slot] + need > CODES:
                    slot += 1
                if slot == len(used):
                    used.append(base)
                questions.append(
                    Question(
                        term=term["id"],
                        slot=slot,
                        stratum=None if strata is None else stratum,
                        first=used[slot],
                        multiplies=multiplies,
                        errors=_errors(term),
                        program=_coder(data["inputs"], term),
                    )
                )
                used[slot] += need
                slot += 1
        return cls(
            columns=model.columns,
            strata=None if strata is None else _strata_coder(data["inputs"], strata),
            strata_errors=(False, False) if strata is None else _errors(strata),
            questions=tuple(questions),
            slots=len(used),
        )

    def points(
        self, formula: str, numbers: Mapping[tuple[int, int], Sequence[float]]
    ) -> list[tuple[list[float], list[int]]]:
        """Return points, NaN where the score is null, and statuses of the codes of every slot.

        `formula` is the program of a model with this layout; `numbers` are those that were found,
        by slot and first code.
        """
        data = json.loads(formula)
        tables = [([0.0] * CODES, [0] * CODES) for _ in range(self.slots)]
        terms = [term for sub in data["models"] for term in sub["terms"]]
        for question, term in zip(self.questions, terms, strict=True):
            found = numbers.get((question.slot, question.first), ())
            missing = _policy(term["missing"], MISSING)
            invalid = _policy(term["invalid"], OUT_OF_DOMAIN)
            entries = [missing, invalid]
            for points in _level_points(term, found):
                stated = points is not None and math.isfinite(points)
                entries.append((points, 0) if stated else invalid)
            table, status = tables[question.slot]
            for code, (points, state) in enumerate(entries, question.first):
                table[code], status[code] = points, state
        return tables


def too_many(term: str, levels: int | None = None) -> ModelError:
    """Make the error for a term whose answers do not fit a byte."""
    has = "more than 254 different numbers" if levels is None else f"{levels} levels"
    return ModelError(
        f"term '{term}' has {has}: too many to hold a registry as byte codes",
        code="not_as_codes",
        hint="Use bins or fewer levels in the model, or round or clip the input column first; "
        "nser.score and nser.targeting take any model",
    )


def _level_points(term: Mapping[str, Any], numbers: Sequence[float] = ()) -> list[Any]:
    """Points of the levels of a term, None where the model has none."""
    match term["kind"]:
        case "levels" | "bins" as kind:
            return [level["points"] for level in term[kind]]
        case "table":
            return list(term["cells"])
        case _:
            return [x * term["coefficient"] for x in numbers]


def _errors(policies: Mapping[str, Any]) -> tuple[bool, bool]:
    return policies["missing"] == "error", policies["invalid"] == "error"


def _policy(policy: str | float, status: int) -> tuple[float, int]:
    return (math.nan, status) if isinstance(policy, str) else (float(policy), 0)


def _coder(inputs: Sequence[Mapping[str, Any]], term: Mapping[str, Any]) -> bytes:
    """Write the program whose score is the number of the level, or the number multiplied."""
    coder = {**term, "missing": "null", "invalid": "null", "inputs": [*range(len(term["inputs"]))]}
    match term["kind"]:
        case "levels" | "bins" as kind:
            coder[kind] = [{**level, "points": n} for n, level in enumerate(term[kind])]
        case "table":
            cells = enumerate(term["cells"])
            coder["cells"] = [None if points is None else n for n, points in cells]
        case _:
            coder["coefficient"] = 1.0
    return _write([inputs[i] for i in term["inputs"]], coder)


def _strata_coder(inputs: Sequence[Mapping[str, Any]], strata: Mapping[str, Any]) -> bytes:
    levels = [{"values": values, "points": n} for n, values in enumerate(strata["levels"])]
    term = {"id": "strata", "kind": "levels", "inputs": [0], "levels": levels}
    return _write([inputs[strata["input"]]], {**term, "missing": "null", "invalid": "null"})


def _write(inputs: Sequence[Mapping[str, Any]], term: Mapping[str, Any]) -> bytes:
    models = [{"intercept": 0.0, "terms": [term]}]
    return json.dumps({"inputs": inputs, "models": models}, ensure_ascii=False).encode()
