"""A registry of questions with a few answers each, and a scorecard on them.

Batches of a registry are made one at a time, so that 30 million households need no frame.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl

import nser_pmt as nser
from nser_pmt.scoring.model import Input, Level, LevelsTerm, Model

QUESTIONS = 40
DISTRICTS = 140
BATCH = 250_000
CUTOFF = 62.0
CHANGED = ("q05", "a1", 6.0)  # a level and its other points


def answers(question: int) -> int:
    return 2 + question % 9


def model() -> Model:
    rng = np.random.default_rng(7)
    names = [f"q{k:02}" for k in range(QUESTIONS)]
    terms = tuple(
        LevelsTerm(
            id=name,
            input=name,
            levels=tuple(
                Level(values=(f"a{n}",), points=float(rng.integers(0, 6)))
                for n in range(answers(k))
            ),
            missing="null",
            unknown="null",
        )
        for k, name in enumerate(names)
    )
    return Model(
        schema_version=1,
        id="bench",
        title="A scorecard of forty questions",
        country="PK",
        year=2026,
        source="benches",
        licence="none",
        status="research",
        unit="household",
        direction="lower_is_poorer",
        inputs=tuple(Input(name, type="category") for name in names),
        terms=terms,
    )


def batches(rows: int) -> Iterator[pl.DataFrame]:
    for start in range(0, rows, BATCH):
        yield batch(start // BATCH, min(BATCH, rows - start))


def batch(number: int, rows: int) -> pl.DataFrame:
    """Return households: one in a thousand lacks an answer to the first question."""
    rng = np.random.default_rng(number)

    def drawn(column: str, kinds: list[str]) -> pl.Series:
        codes = pl.Series(rng.integers(0, len(kinds), rows, dtype=np.uint32))
        return pl.Series(column, kinds, dtype=pl.Enum(kinds)).gather(codes)

    columns = [drawn(f"q{k:02}", [f"a{n}" for n in range(answers(k))]) for k in range(QUESTIONS)]
    missing = pl.Series(rng.random(rows) < 0.001)
    districts = drawn("district", [f"district {n:03}" for n in range(DISTRICTS)])
    frame = pl.DataFrame([*columns, districts, drawn("sex_of_head", ["male", "female"])])
    return frame.with_columns(q00=pl.when(~missing).then("q00"))


def changed(now: nser.Scenario) -> nser.Scenario:
    term, level, points = CHANGED
    return now.set(term=term, level=level, points=points)
