"""How far the answers of two sources to one question agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from nser_pmt.errors import SchemaError
from nser_pmt.registry._source_pairs import SOURCES, Pairs

__all__ = ["agreement"]

_COUNTS = ("pairs", "answered", "only_desk", "only_door")
_SCHEMA: dict[str, Any] = {
    "question": pl.String,
    **dict.fromkeys(_COUNTS, pl.UInt64),
    "equal": pl.Float64,
    "kappa": pl.Float64,
    "weighted_kappa": pl.Float64,
    "mean_difference": pl.Float64,
    "desk_higher": pl.Float64,
    "desk_lower": pl.Float64,
}
_CONFUSION = {
    "question": pl.String,
    "desk": pl.String,
    "door": pl.String,
    "households": pl.UInt64,
}


def agreement(
    pairs: Pairs, questions: Sequence[str], ordered: Sequence[str]
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return a row a question, and the counts of pairs of answers."""
    matched = {name: pairs.matched(name) for name in SOURCES}
    rows, tables = [], []
    for question in questions:
        desk, door = (matched[name].get_column(question) for name in SOURCES)
        kind, desk, door = _answers(question, desk, door, question in ordered)
        both = pl.DataFrame([desk.alias("desk"), door.alias("door")])
        answered = both.drop_nulls()
        row: dict[str, Any] = {
            "question": question,
            "pairs": both.height,
            "answered": answered.height,
            "only_desk": (desk.is_not_null() & door.is_null()).sum(),
            "only_door": (door.is_not_null() & desk.is_null()).sum(),
        }
        if answered.height:
            row |= _nominal(answered)
            if kind != "text":
                row |= _in_order(answered)
        rows.append(row)
        if kind != "number":
            names = _names(matched["door"].get_column(question)) if kind == "rank" else None
            tables.append(_confusion(question, answered, names))
    return (
        pl.DataFrame([{**dict.fromkeys(_SCHEMA), **row} for row in rows], schema=_SCHEMA),
        pl.concat(tables) if tables else pl.DataFrame(schema=_CONFUSION),
    )


def _answers(
    question: str, desk: pl.Series, door: pl.Series, ordered: bool
) -> tuple[str, pl.Series, pl.Series]:
    """Return what the answers are (number, boolean, rank, text), and both in one type."""
    texts = (pl.String, pl.Enum, pl.Categorical)
    # A column without a type holds no answer, of whatever type the other source has.
    if desk.dtype == pl.Null:
        desk = desk.cast(pl.String if door.dtype == pl.Null else door.dtype)
    if door.dtype == pl.Null:
        door = door.cast(desk.dtype)
    if ordered and isinstance(desk.dtype, pl.Enum) and isinstance(door.dtype, pl.Enum):
        if _names(desk) == _names(door):
            return "rank", desk.to_physical().cast(pl.Int64), door.to_physical().cast(pl.Int64)
    elif ordered and isinstance(desk.dtype, texts):
        pass
    elif desk.dtype == door.dtype == pl.Boolean:
        return "boolean", desk, door
    elif desk.dtype.is_integer() and door.dtype.is_integer():
        return "number", desk.cast(pl.Int64), door.cast(pl.Int64)
    elif desk.dtype.is_numeric() and door.dtype.is_numeric():
        desk, door = (s.cast(pl.Float64).fill_nan(None) for s in (desk, door))
        return "number", desk, door
    elif isinstance(desk.dtype, texts) and isinstance(door.dtype, texts):
        return "text", desk.cast(pl.String), door.cast(pl.String)
    wanted = "an Enum of the same categories" if ordered else "text, Booleans or numbers, the same"
    raise SchemaError(
        f"column '{question}': expected {wanted} in both sources",
        code="wrong_column",
        column=question,
    )


def _names(series: pl.Series) -> list[str]:
    return pl.Series(series.dtype.categories).to_list() if isinstance(series.dtype, pl.Enum) else []


def _nominal(answered: pl.DataFrame) -> dict[str, float | None]:
    """Return the share of equal answers and Cohen's kappa, from whole numbers."""
    n = answered.height
    equal = int((answered.get_column("desk") == answered.get_column("door")).sum())
    margins = [answered.group_by(pl.col(name).alias("answer")).len(f"n_{name}") for name in SOURCES]
    joint = margins[0].join(margins[1], on="answer")
    product = pl.col("n_desk").cast(pl.UInt64) * pl.col("n_door").cast(pl.UInt64)
    by_chance = int(joint.select(product.sum()).item() or 0)
    kappa = None if by_chance == n * n else (n * equal - by_chance) / (n * n - by_chance)
    return {"equal": equal / n, "kappa": kappa}


def _in_order(answered: pl.DataFrame) -> dict[str, float | None]:
    """Return what the order of answers tells."""
    desk, door = (answered.get_column(n).cast(pl.Float64).rechunk() for n in SOURCES)
    finite = desk.is_finite() & door.is_finite()
    desk, door = desk.filter(finite), door.filter(finite)
    gap = desk - door
    spread = _number(desk.var(ddof=0)) + _number(door.var(ddof=0)) + _number(gap.mean()) ** 2
    square = _number((gap * gap).mean())
    return {
        "weighted_kappa": 1 - square / spread if spread > 0 else None,
        "mean_difference": _number(gap.mean()) if len(gap) else None,
        "desk_higher": _number((gap > 0).mean()) if len(gap) else None,
        "desk_lower": _number((gap < 0).mean()) if len(gap) else None,
    }


def _number(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) else 0.0


def _confusion(question: str, answered: pl.DataFrame, names: list[str] | None) -> pl.DataFrame:
    counted = answered.group_by(SOURCES).len("households").sort(SOURCES)
    if names is not None:
        shown = pl.Series(names, dtype=pl.String)
        counted = counted.with_columns(
            shown.gather(counted.get_column(n)).alias(n) for n in SOURCES
        )
    return counted.select(
        pl.lit(question).alias("question"),
        *(pl.col(n).cast(pl.String) for n in SOURCES),
        pl.col("households").cast(pl.UInt64),
    )
