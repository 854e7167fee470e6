"""Patterns of agreement: how many pairs reach which levels, at random and among candidates.

A pattern has the level of each comparison of the plan, in order: 1 for the best, 0 where a value is
missing. The core counts them without keeping the pairs. Where the plan has comparisons by
expressions, the core gives the pairs of the same samples, and Polars finds their levels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import fsum
from typing import Any, TypeAlias

import polars as pl

from nser_pmt import _engine
from nser_pmt.compare import Comparison
from nser_pmt.linkage._expressions import levels_of
from nser_pmt.linkage._linkage import Prepared

__all__ = ["Pattern", "at_random", "counts", "levels_of_pairs", "of_candidates", "together"]

Pattern: TypeAlias = tuple[list[int], float]


def at_random(prepared: Prepared, pairs: int, seed: int) -> list[Pattern]:
    """Return the patterns of pairs drawn at random."""
    linker = prepared.linker
    if not prepared.expressions:
        stream = linker.random_patterns(pairs, seed, **_options(prepared))
        frame = _engine.frame(stream, {})
    else:
        drawn = _engine.frame(linker.random_pairs(pairs, seed), {})
        frame = _levelled(prepared, drawn).with_columns(pairs=1.0)
    return together(frame)


def of_candidates(prepared: Prepared, pairs: int, seed: int) -> pl.DataFrame:
    """Return patterns of the candidates, each pair once, with all rules that hold for it.

    About so many pairs of each rule are looked at; what is found in a rule of more counts for more.
    Columns: the comparisons by their places, ``rules`` and ``pairs``.
    """
    parts = []
    for number, rule in enumerate(prepared.spec.rules):
        run = prepared.linker.rule(number)
        # Units of a join are work, not pairs.
        joins = rule.kind == "cnic_within"
        of_rule = run.count(alone=False, **_options(prepared)) if joins else sum(run.units)
        share = min(1.0, pairs / max(of_rule, 1))
        sample = {"share": share, "seed": seed, **_options(prepared)}
        if not prepared.expressions:
            part = _engine.frame(run.patterns(**sample), {})
        else:
            part = _levelled(prepared, _engine.frame(run.sample(**sample), {}))
            part = part.with_columns(pairs=1.0)
        parts.append(part.with_columns((pl.col("pairs") / share).cast(pl.Float64)))
    return pl.concat(parts)


def together(patterns: pl.DataFrame) -> list[Pattern]:
    """Bring equal patterns together; the sums do not depend on the order of the work."""
    levels = [name for name in patterns.columns if name not in ("rules", "pairs")]
    sums = patterns.group_by(levels).agg("pairs").sort(levels)
    return [(list(row[:-1]), fsum(row[-1])) for row in sums.iter_rows()]


def counts(patterns: Sequence[Pattern], place: int, levels: int) -> list[float]:
    """Return how many pairs reach each level of the comparison at a place."""
    found = [0.0] * levels
    for pattern, count in patterns:
        if pattern[place]:
            found[pattern[place] - 1] += count
    return found


def levels_of_pairs(prepared: Prepared, pairs: pl.DataFrame) -> pl.DataFrame:
    """Return the level of each comparison, by its place, for ``left`` and ``right`` rows."""
    compare = prepared.spec.compare
    even = [c.with_chances(m=_even(c), u=_even(c)) for c in compare]
    weights = replace(prepared, spec=prepared.spec.replace(compare=even, prior=0.5)).weights(None)
    left, right = pairs.get_column("left"), pairs.get_column("right")
    scored = prepared.linker.score_pairs(left, right, pairs.height, weights)
    enums = {f"level_{c.label}": pl.Enum(c.levels) for c in prepared.native}
    found = _engine.frame(scored, enums)
    if prepared.expressions:
        told = levels_of(prepared.frame, pairs, prepared.expressions)
        found = found.hstack(told.rename({name: f"level_{name}" for name in told.columns}))
    return found.select(
        (pl.col(f"level_{c.label}").to_physical().cast(pl.UInt8) + 1).fill_null(0).alias(str(place))
        for place, c in enumerate(compare)
    )


def _levelled(prepared: Prepared, pairs: pl.DataFrame) -> pl.DataFrame:
    return levels_of_pairs(prepared, pairs).hstack(pairs.drop("left", "right"))


def _options(prepared: Prepared) -> dict[str, Any]:
    control = prepared.control
    return {"control": control._native, "timeout": control.timeout}


def _even(c: Comparison) -> list[float]:
    return [1 / len(c.levels)] * len(c.levels)
