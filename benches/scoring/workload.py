"""What the benches score: a model of the size of a national formula, and frames for it.

The model has 15 numbers times a coefficient and 10 categories of three to eight levels. The frame
has no missing answers, because not every peer could bear them; nser_pmt looks for missing and
foreign answers all the same, and returns a status beside the score.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

import nser_pmt as nser

NUMBERS = tuple(f"number_{i:02}" for i in range(1, 16))
CATEGORIES = tuple(f"category_{i:02}" for i in range(1, 11))
LEVELS = (3, 4, 5, 6, 7, 8, 3, 4, 5, 6)  # of each category
LABELS = (
    "none",
    "owned",
    "hand_pump",
    "own_flush_toilet_to_sewer",
    "rented",
    "class_1_or_higher",
    "tanker",
    "piped_inside_the_house",
)


@dataclass(frozen=True)
class Formula:
    """The numbers of the model, for peers that take them as they are."""

    intercept: float
    coefficients: tuple[float, ...]
    points: tuple[tuple[float, ...], ...]  # by category, by level

    def labels(self, category: int) -> list[str]:
        return list(LABELS[: len(self.points[category])])

    def model(self) -> nser.Model:
        linear = [
            {
                "id": name,
                "kind": "linear",
                "input": name,
                "coefficient": coefficient,
                "missing": "null",
                "out_of_range": "null",
            }
            for name, coefficient in zip(NUMBERS, self.coefficients, strict=True)
        ]
        levels = [
            {
                "id": name,
                "kind": "levels",
                "input": name,
                "levels": [
                    {"values": [label], "points": points}
                    for label, points in zip(self.labels(k), self.points[k], strict=True)
                ],
                "missing": "null",
                "unknown": "null",
            }
            for k, name in enumerate(CATEGORIES)
        ]
        data = {
            "schema_version": 1,
            "id": "bench",
            "title": "Random numbers in the shape of a national formula",
            "country": "PK",
            "year": 2024,
            "source": "benches/workload.py",
            "licence": "none",
            "status": "research",
            "unit": "household",
            "direction": "lower_is_poorer",
            "inputs": {
                **{name: {"type": "number"} for name in NUMBERS},
                **{name: {"type": "category"} for name in CATEGORIES},
            },
            "intercept": self.intercept,
            "terms": linear + levels,
        }
        return nser.Model.from_json(json.dumps(data))


def formula(seed: int = 1) -> Formula:
    """Make the formula. Its scores stay away from 0, where a relative error says little."""
    rng = np.random.default_rng(seed)
    return Formula(
        intercept=250.0,
        coefficients=tuple(rng.normal(0, 2, len(NUMBERS)).round(4).tolist()),
        points=tuple(tuple(rng.normal(0, 4, n).round(3).tolist()) for n in LEVELS),
    )


def frame(rows: int, seed: int = 1, categories: Literal["enum", "string"] = "enum") -> pl.DataFrame:
    """Make a frame in one chunk, without nulls: 15 Float64, then 10 Enum or String columns."""
    rng = np.random.default_rng(seed)
    data: dict[str, Any] = {name: rng.normal(5, 2, rows) for name in NUMBERS}
    for name, n in zip(CATEGORIES, LEVELS, strict=True):
        texts = pl.Series(LABELS[:n]).gather(rng.integers(0, n, rows, dtype=np.uint32))
        data[name] = texts if categories == "string" else texts.cast(pl.Enum(LABELS[:n]))
    return pl.DataFrame(data).rechunk()


def coded(df: pl.DataFrame) -> pl.DataFrame:
    """Return the frame with its Enum columns as category codes; nothing is copied."""
    return df.with_columns(pl.col(CATEGORIES).to_physical())


def arrays(df: pl.DataFrame) -> list[npt.NDArray[Any]]:
    """Return the columns of a coded frame as NumPy arrays, which share its memory."""
    return [df.get_column(name).to_numpy() for name in (*NUMBERS, *CATEGORIES)]


def households(rows: int) -> list[dict[str, Any]]:
    """Return the first households as a service would have them: a mapping each."""
    return frame(rows).to_dicts()
