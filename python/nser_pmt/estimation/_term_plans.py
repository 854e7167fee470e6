"""Terms made ready for a survey: which level is which code, and the term of a scoring model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import polars as pl

from nser_pmt.errors import DomainError, ModelError, SchemaError
from nser_pmt.scoring import model as models
from nser_pmt.terms import Bins, Interaction, Levels, Linear, Term, Value

__all__ = [
    "MISSING",
    "UNKNOWN",
    "Plan",
    "columns_of",
    "inputs_of",
    "make_plan",
    "with_points",
    "without",
]

# What stands for an answer that is missing, or that the term does not know, in a column of codes.
MISSING = -1.0
UNKNOWN = -2.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A term made ready for a survey.

    Attributes
    ----------
    term
        The term, levels and base filled in.
    shape
        The term of a scoring model, whose points are to be replaced. Of a category, the points are
        the codes 0, 1, 2 and so on.
    levels
        Name of each code.
    base
        Codes without a column.
    """

    term: Term
    shape: models.Term
    levels: tuple[str, ...] = ()
    base: tuple[int, ...] = ()

    @property
    def coded(self) -> bool:
        """Whether the term is one of categories."""
        return bool(self.levels)


def columns_of(term: Term) -> tuple[str, ...]:
    """Return the columns that a term reads."""
    return (term.first, term.second) if isinstance(term, Interaction) else (term.column,)


def inputs_of(frame: pl.DataFrame, terms: Sequence[Term]) -> tuple[models.Input, ...]:
    """Return the columns of the scoring model."""
    out: dict[str, models.Input] = {}
    for term in terms:
        unit = getattr(term, "unit", None)
        for column in columns_of(term):
            known = out.get(column)
            if known is None:
                dtype = frame.schema[column]
                out[column] = models.Input(column, type=_kind(column, dtype), unit=unit)
            elif unit is not None and known.unit is None:
                out[column] = replace(known, unit=unit)
    return tuple(out.values())


def _kind(column: str, dtype: pl.DataType) -> Any:
    if dtype.is_integer():
        return "integer"
    if dtype.is_float() or dtype.is_decimal():
        return "number"
    if dtype == pl.Boolean:
        return "boolean"
    if isinstance(dtype, pl.String | pl.Enum | pl.Categorical):
        return "category"
    raise SchemaError(
        f"column '{column}': expected numbers, text, an Enum or booleans, found "
        f"{dtype.base_type()}",
        code="wrong_column",
        column=column,
    )


def make_plan(frame: pl.DataFrame, term: Term, terms: Sequence[Term]) -> Plan:
    """Make a term ready for a survey."""
    match term:
        case Levels():
            return _levels_plan(frame, term)
        case Bins():
            return _bins_plan(term)
        case Linear():
            shape = models.LinearTerm(
                id=term.id,
                input=term.column,
                coefficient=1.0,
                transform=term.transform,
                clip_min=term.clip_min,
                clip_max=term.clip_max,
                missing="null",
                out_of_range="null",
                description=term.description,
            )
            _needs_number(frame, term.column)
            return Plan(term=term, shape=shape)
        case Interaction():
            return _interaction_plan(frame, term, terms)


def _needs_number(frame: pl.DataFrame, column: str) -> None:
    if _kind(column, frame.schema[column]) == "category":
        raise SchemaError(
            f"column '{column}': expected numbers, found text",
            code="wrong_column",
            column=column,
            hint="Use terms.levels for a category",
        )


def _levels_plan(frame: pl.DataFrame, term: Levels) -> Plan:
    groups, base = _groups(frame, term)
    shape = models.LevelsTerm(
        id=term.id,
        input=term.column,
        levels=tuple(
            models.Level(values=group, points=float(code)) for code, group in enumerate(groups)
        ),
        missing=MISSING,
        unknown=UNKNOWN,
        description=term.description,
    )
    return Plan(term=term, shape=shape, levels=tuple(map(_name, groups)), base=(base,))


def _groups(frame: pl.DataFrame, term: Levels) -> tuple[tuple[tuple[Value, ...], ...], int]:
    """Return the levels of a column, and which of them is the base."""
    column, groups = term.column, term.levels
    dtype = frame.schema[column]
    if _kind(column, dtype) == "number":
        raise SchemaError(
            f"column '{column}': expected a category, found {dtype.base_type()}",
            code="wrong_column",
            column=column,
            hint="Cut a number with terms.bins, or cast it to integers",
        )
    if groups is None:
        found = frame.get_column(column).drop_nulls().unique().to_list()
        if isinstance(dtype, pl.Enum):
            found = [name for name in dtype.categories if name in set(found)]
        groups = tuple(
            (value,) for value in (found if isinstance(dtype, pl.Enum) else sorted(found))
        )
    base = 0
    if term.base is not None:
        at = [n for n, group in enumerate(groups) if term.base in group]
        if not at:
            raise DomainError(
                f"term '{term.id}': no household has the base level",
                code="empty_level",
                column=column,
            )
        base = at[0]
    return groups, base


def _name(group: Sequence[Value]) -> str:
    return "/".join(str(value) for value in group)


def _bins_plan(term: Bins) -> Plan:
    low, high = ("ge", "lt") if term.closed == "left" else ("gt", "le")
    spans: list[dict[str, Any]] = [{high: term.edges[0]}]
    spans += [{low: a, high: b} for a, b in pairwise(term.edges)]
    spans.append({low: term.edges[-1]})
    shape = models.BinsTerm(
        id=term.id,
        input=term.column,
        bins=tuple(models.Bin(**span, points=float(code)) for code, span in enumerate(spans)),
        missing=MISSING,
        out_of_range=UNKNOWN,
        description=term.description,
    )
    from nser_pmt._show import interval

    names = tuple(interval(one) for one in shape.bins)
    return Plan(term=term, shape=shape, levels=names, base=(term.base,))


def _interaction_plan(frame: pl.DataFrame, term: Interaction, terms: Sequence[Term]) -> Plan:
    own = {t.column: t for t in terms if isinstance(t, Levels)}
    pair = (term.first, term.second)
    kinds = [_kind(column, frame.schema[column]) for column in pair]
    if not any(
        kind == "category" or column in own for kind, column in zip(kinds, pair, strict=True)
    ):
        product = models.ProductTerm(
            id=term.id,
            inputs=pair,
            coefficient=1.0,
            missing="null",
            out_of_range="null",
            description=term.description,
        )
        return Plan(term=term, shape=product)
    if "number" in kinds:
        raise ModelError(
            f"term '{term.id}': a category and a number have no common term",
            code="wrong_input_type",
            hint="Cut the number into an integer or text column of classes first",
        )
    sides = [_groups(frame, own.get(column) or _plain_levels(column)) for column in pair]
    (rows, row_base), (cols, col_base) = sides
    main = [column in own for column in pair]
    base = tuple(
        i * len(cols) + j
        for i in range(len(rows))
        for j in range(len(cols))
        if (i == row_base and j == col_base)
        or (main[1] and i == row_base)
        or (main[0] and j == col_base)
    )
    cells = tuple(
        models.Cell(first=a, second=b, points=float(i * len(cols) + j))
        for i, a in enumerate(rows)
        for j, b in enumerate(cols)
    )
    table = models.TableTerm(
        id=term.id,
        inputs=pair,
        cells=cells,
        missing=MISSING,
        unknown=UNKNOWN,
        description=term.description,
    )
    names = tuple(f"{_name(a)} x {_name(b)}" for a in rows for b in cols)
    return Plan(term=term, shape=table, levels=names, base=base)


def _plain_levels(column: str) -> Levels:
    return Levels(id=column, column=column, levels=None, base=None, missing="error", description="")


def without(shape: models.Term, codes: set[float]) -> models.Term:
    """Return the term of a scoring model without some codes."""
    if isinstance(shape, models.LevelsTerm):
        return replace(shape, levels=tuple(v for v in shape.levels if v.points not in codes))
    if isinstance(shape, models.TableTerm):
        return replace(shape, cells=tuple(c for c in shape.cells if c.points not in codes))
    return shape


def with_points(plan: Plan, points: Mapping[str, float]) -> models.Term:
    """Return the term of a scoring model with its coefficients; those of the base are zero."""
    shape = plan.shape

    def of(code: float | None) -> float:
        return points.get(plan.levels[int(code or 0)], 0.0)

    missing: models.Policy = points.get("(missing)", "null")
    match shape:
        case models.LevelsTerm():
            levels = tuple(replace(v, points=of(v.points)) for v in shape.levels)
            return replace(shape, levels=levels, missing=missing, unknown="null")
        case models.BinsTerm():
            bins = tuple(replace(b, points=of(b.points)) for b in shape.bins)
            return replace(shape, bins=bins, missing=missing, out_of_range="null")
        case models.TableTerm():
            cells = tuple(replace(c, points=of(c.points)) for c in shape.cells)
            return replace(shape, cells=cells, missing="null", unknown="null")
        case _:
            return replace(shape, coefficient=points[""])
