"""Terms of a formula that is to be estimated: `levels`, `bins`, `linear` and `interaction`.

They are the terms of a scoring model (see `nser_pmt.Model`) without points, so that a fit is a
scoring model too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import isfinite
from typing import Literal, TypeAlias

from nser_pmt._options import chosen, invalid

__all__ = [
    "Bins",
    "Interaction",
    "Levels",
    "Linear",
    "Missing",
    "Term",
    "bins",
    "interaction",
    "levels",
    "linear",
]

Value: TypeAlias = bool | int | str

Missing = Literal["error", "drop", "level"]
"""What a missing answer means when the formula is estimated: an error, a household that is left
out, or an answer with points of its own."""

Transform = Literal["none", "log", "sqrt", "square"]


@dataclass(frozen=True, kw_only=True)
class Levels:
    """A category, one coefficient for each level but the base. Made by `levels`."""

    id: str
    column: str
    levels: tuple[tuple[Value, ...], ...] | None
    base: Value | None
    missing: Missing
    description: str


@dataclass(frozen=True, kw_only=True)
class Bins:
    """A number cut into bins, one coefficient for each but the base. Made by `bins`."""

    id: str
    column: str
    edges: tuple[float, ...]
    closed: Literal["left", "right"]
    base: int
    missing: Missing
    unit: str | None
    description: str


@dataclass(frozen=True, kw_only=True)
class Linear:
    """A number, perhaps transformed, with one coefficient. Made by `linear`."""

    id: str
    column: str
    transform: Transform
    clip_min: float | None
    clip_max: float | None
    missing: Missing
    unit: str | None
    description: str


@dataclass(frozen=True, kw_only=True)
class Interaction:
    """Two columns together. Made by `interaction`."""

    id: str
    first: str
    second: str
    missing: Missing
    description: str


Term: TypeAlias = Levels | Bins | Linear | Interaction


def levels(
    column: str,
    *,
    levels: Sequence[Value | Sequence[Value]] | None = None,
    base: Value | None = None,
    missing: Missing = "error",
    id: str | None = None,
    description: str = "",
) -> Levels:
    """Give each level of a category a coefficient, the difference from the base level.

    Parameters
    ----------
    column
        Text, Enum, Categorical, Boolean or integer column.
    levels
        Levels in the order of the model; a list of values is one level. By default all values that
        the survey has: of an Enum in its order, others sorted.
    base
        A value of the level whose coefficient is zero; by default the first level.
    missing
        ``"error"``; ``"drop"``, the household is left out; ``"level"``, a missing answer is a level
        of its own.
    id
        Name of the term; by default that of the column.
    description
        Text for the model.

    Returns
    -------
    Levels

    Examples
    --------
    >>> import nser_pmt as nser
    >>> term = nser.terms.levels("water", levels=[["piped", "pump"], "well"], base="well")
    >>> term.levels, term.base
    ((('piped', 'pump'), ('well',)), 'well')
    """
    groups = None
    if levels is not None:
        groups = tuple(_group(level) for level in levels)
        values = [(type(v), v) for group in groups for v in group]
        if len(values) != len(set(values)) or not all(groups):
            raise invalid(f"levels of '{column}': each value belongs to one level")
        if len(groups) < 2:
            raise invalid(f"levels of '{column}': give two or more")
        if base is not None and (type(base), base) not in values:
            raise invalid(f"levels of '{column}': the base is not one of them")
    chosen("missing", missing, Missing)
    return Levels(
        id=id or column,
        column=column,
        levels=groups,
        base=base,
        missing=missing,
        description=description,
    )


def bins(
    column: str,
    *,
    edges: Sequence[float],
    closed: Literal["left", "right"] = "left",
    base: int = 0,
    missing: Missing = "error",
    unit: str | None = None,
    id: str | None = None,
    description: str = "",
) -> Bins:
    """Cut a number into bins; each has a coefficient, the difference from the base bin.

    Parameters
    ----------
    column
        Numeric column.
    edges
        Rising inner edges: ``[1, 2]`` makes three bins, the first and the last without an end.
    closed
        Whether an edge belongs to the bin above it (``"left"``: ``[1, 2)``) or below it
        (``"right"``: ``(1, 2]``).
    base
        Which bin, counted from 0, has the coefficient zero.
    missing, id, description
        As for `levels`.
    unit
        Unit of the number, for the model.

    Returns
    -------
    Bins

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.terms.bins("rooms_pp", edges=[0.2, 0.3, 0.4], base=1).edges
    (0.2, 0.3, 0.4)
    """
    cuts = tuple(float(edge) for edge in edges)
    if not cuts or not all(map(isfinite, cuts)) or any(a >= b for a, b in pairwise(cuts)):
        raise invalid(f"edges of '{column}' must be finite and rising")
    if not 0 <= base <= len(cuts):
        raise invalid(f"base of '{column}' must be a bin from 0 to {len(cuts)}")
    chosen("closed", closed, Literal["left", "right"])
    chosen("missing", missing, Missing)
    return Bins(
        id=id or column,
        column=column,
        edges=cuts,
        closed=closed,
        base=base,
        missing=missing,
        unit=unit,
        description=description,
    )


def linear(
    column: str,
    *,
    transform: Transform = "none",
    clip_min: float | None = None,
    clip_max: float | None = None,
    missing: Missing = "error",
    unit: str | None = None,
    id: str | None = None,
    description: str = "",
) -> Linear:
    """Give a number one coefficient: ``transform(clip(x)) * coefficient``.

    Parameters
    ----------
    column
        Numeric or Boolean column.
    transform
        ``"none"``, ``"log"`` (natural), ``"sqrt"`` or ``"square"``.
    clip_min, clip_max
        The number is moved to these limits first.
    missing
        ``"error"`` or ``"drop"``.
    unit, id, description
        As for `bins`. The default `id` has the transform in it, such as ``log(hhsize)``.

    Returns
    -------
    Linear

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.terms.linear("hhsize", transform="log").id
    'log(hhsize)'
    """
    chosen("transform", transform, Transform)
    _no_level(column, missing)
    if clip_min is not None and clip_max is not None and clip_min >= clip_max:
        raise invalid(f"clip_min of '{column}' must be below clip_max")
    name = column if transform == "none" else f"{transform}({column})"
    return Linear(
        id=id or name,
        column=column,
        transform=transform,
        clip_min=None if clip_min is None else float(clip_min),
        clip_max=None if clip_max is None else float(clip_max),
        missing=missing,
        unit=unit,
        description=description,
    )


def interaction(
    first: str,
    second: str,
    *,
    missing: Missing = "error",
    id: str | None = None,
    description: str = "",
) -> Interaction:
    """Let two columns act together.

    Of two numbers it is their product, with one coefficient. Of two categories each combination
    that the survey has gets a coefficient: beyond the levels of a column that the formula has as
    `levels` too, and relative to the combination of both base levels otherwise.

    Parameters
    ----------
    first, second
        Two numeric columns, or two columns as for `levels`.
    missing
        ``"error"`` or ``"drop"``.
    id, description
        As for `levels`. The default `id` is such as ``a:b``.

    Returns
    -------
    Interaction

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.terms.interaction("region", "toilet").id
    'region:toilet'
    """
    if first == second:
        raise invalid("an interaction needs two columns")
    _no_level(f"{first}:{second}", missing)
    return Interaction(
        id=id or f"{first}:{second}",
        first=first,
        second=second,
        missing=missing,
        description=description,
    )


def _group(level: Value | Sequence[Value]) -> tuple[Value, ...]:
    return (level,) if isinstance(level, bool | int | str) else tuple(level)


def _no_level(name: str, missing: str) -> None:
    chosen("missing", missing, Missing)
    if missing == "level":
        raise invalid(f"'{name}' is not a category: missing must be 'error' or 'drop'")
