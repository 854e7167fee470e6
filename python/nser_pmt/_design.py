"""From terms to the columns of a regression, and from coefficients back to a scoring model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import polars as pl

from nser_pmt import model as models
from nser_pmt.errors import DomainError, ModelError, SchemaError
from nser_pmt.model import Model, missing_column
from nser_pmt.terms import Bins, Interaction, Levels, Linear, Term, Value

__all__ = ["Built", "Column", "assemble", "build"]

INTERCEPT = "intercept"

# What stands for an answer that is missing, or that the term does not know, in a column of codes.
_MISSING = -1.0
_UNKNOWN = -2.0


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of the regression: a term, and which level of it."""

    term: str
    level: str
    base: str

    @property
    def name(self) -> str:
        """Name for messages."""
        return f"{self.term}: {self.level}" if self.level else self.term


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


@dataclass(frozen=True, kw_only=True)
class Built:
    """A design.

    Attributes
    ----------
    plans
        One for each term.
    inputs
        Columns of the scoring model.
    columns
        Columns of the regression, without the intercept.
    values
        Their values.
    kept
        Rows of the survey that take part; None if all do.
    """

    plans: tuple[Plan, ...]
    inputs: tuple[models.Input, ...]
    columns: tuple[Column, ...]
    values: list[pl.Series]
    kept: pl.Series | None


def build(frame: pl.DataFrame, terms: Sequence[Term]) -> Built:
    """Make the columns of the regression from a survey."""
    for term in terms:
        for column in _columns(term):
            if column not in frame.columns:
                raise missing_column(column, frame.columns)
    inputs = _inputs(frame, terms)
    plans = [_plan(frame, term, terms) for term in terms]
    raw = frame.select(_raw(plan, inputs).alias(f"{n}") for n, plan in enumerate(plans))
    kept = None
    for n, plan in enumerate(plans):
        missing = _missing(frame, plan, raw.get_column(f"{n}"))
        if missing is not None:
            kept = ~missing if kept is None else kept & ~missing
    if kept is not None:
        raw = raw.filter(kept)
    columns: list[Column] = []
    values: list[pl.Series] = []
    for n, plan in enumerate(plans):
        codes = raw.get_column(f"{n}")
        if not plan.coded:
            columns.append(Column(term=plan.term.id, level="", base=""))
            values.append(codes)
            continue
        plan, found = _present(plan, codes)
        plans[n] = plan
        base = ", ".join(plan.levels[code] for code in plan.base) or ""
        for code in found:
            name = "(missing)" if code < 0 else plan.levels[code]
            columns.append(Column(term=plan.term.id, level=name, base=base))
        made = raw.select((pl.col(f"{n}") == code).alias(f"{code}") for code in found)
        values += made.get_columns()
    return Built(
        plans=tuple(plans),
        inputs=inputs,
        columns=tuple(columns),
        values=values,
        kept=kept,
    )


def assemble(
    built: Mapping[str, Any], points: Mapping[tuple[str, str], float], *, intercept: float
) -> tuple[tuple[models.Input, ...], tuple[models.Term, ...], float]:
    """Return inputs, terms and intercept of the scoring model with these coefficients.

    `built` has the ``plans`` and ``inputs`` of a design; `points` the coefficients by term and
    level. Terms without any coefficient are left out.
    """
    terms = []
    for plan in built["plans"]:
        own = {level: value for (id, level), value in points.items() if id == plan.term.id}
        if own:
            terms.append(_with_points(plan, own))
    used = {
        column
        for plan in built["plans"]
        for t in terms
        if t.id == plan.term.id
        for column in _columns(plan.term)
    }
    return tuple(i for i in built["inputs"] if i.name in used), tuple(terms), intercept


# -- plans -----------------------------------------------------------------------------------------


def _columns(term: Term) -> tuple[str, ...]:
    return (term.first, term.second) if isinstance(term, Interaction) else (term.column,)


def _inputs(frame: pl.DataFrame, terms: Sequence[Term]) -> tuple[models.Input, ...]:
    out: dict[str, models.Input] = {}
    for term in terms:
        unit = getattr(term, "unit", None)
        for column in _columns(term):
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


def _plan(frame: pl.DataFrame, term: Term, terms: Sequence[Term]) -> Plan:
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
        missing=_MISSING,
        unknown=_UNKNOWN,
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
        missing=_MISSING,
        out_of_range=_UNKNOWN,
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
        missing=_MISSING,
        unknown=_UNKNOWN,
        description=term.description,
    )
    names = tuple(f"{_name(a)} x {_name(b)}" for a in rows for b in cols)
    return Plan(term=term, shape=table, levels=names, base=base)


def _plain_levels(column: str) -> Levels:
    return Levels(id=column, column=column, levels=None, base=None, missing="error", description="")


# -- values ----------------------------------------------------------------------------------------


def _raw(plan: Plan, inputs: Sequence[models.Input]) -> pl.Expr:
    """Return a term's number or code, read as the scorer reads it."""
    shape = plan.shape
    if isinstance(shape, models.LinearTerm) and (
        shape.transform == "none" and shape.clip_min is None and shape.clip_max is None
    ):
        return pl.col(shape.input)
    names = _columns(plan.term)
    probe = Model(
        **_HEAD,
        inputs=tuple(item for item in inputs if item.name in names),
        terms=(shape,),
    )
    return probe.score_expr()


_HEAD: dict[str, Any] = {
    "schema_version": models.SCHEMA_VERSION,
    "id": "probe",
    "title": "",
    "country": "",
    "year": 0,
    "source": "",
    "licence": "",
    "status": "research",
    "unit": "household",
    "direction": "lower_is_poorer",
}


def _missing(frame: pl.DataFrame, plan: Plan, values: pl.Series) -> pl.Series | None:
    """Return which rows have no answer, if they are to be left out; raise if they may not be."""
    term = plan.term
    if plan.coded:
        unknown = values == _UNKNOWN
        if unknown.any():
            raise _bad_row(term, unknown, "out_of_domain", "the answer is none of the levels")
        missing = values == _MISSING
        if term.missing == "level":
            return None
    else:
        missing = values.is_null()
        if term.missing == "drop" and values.dtype.is_float():
            missing = missing | values.is_nan().fill_null(False)
    if not missing.any():
        return None
    given = [_no_answer(frame.get_column(column)) for column in _columns(term)]
    answered = ~given[0] if len(given) == 1 else ~(given[0] | given[1])
    wrong = missing & answered
    if wrong.any():
        raise _bad_row(term, wrong, "out_of_domain", "the number is outside what the term accepts")
    if term.missing == "error":
        raise _bad_row(
            term,
            missing,
            "missing_value",
            "the answer is missing",
            "missing='drop' leaves such households out",
        )
    return missing


def _no_answer(values: pl.Series) -> pl.Series:
    missing = values.is_null()
    return missing | values.is_nan().fill_null(False) if values.dtype.is_float() else missing


def _bad_row(
    term: Term, rows: pl.Series, code: str, message: str, hint: str | None = None
) -> DomainError:
    row = rows.arg_max()
    columns = _columns(term)
    return DomainError(
        f"term '{term.id}', column '{columns[0]}', row {row}: {message}",
        code=code,
        column=columns[0],
        row=row,
        hint=hint,
    )


def _present(plan: Plan, codes: pl.Series) -> tuple[Plan, list[int]]:
    """Return the codes that get a column. Levels that were looked up, not asked for, may go."""
    term = plan.term
    seen = {int(code) for code in codes.unique().to_list()}
    asked = isinstance(term, Bins) or (isinstance(term, Levels) and term.levels is not None)
    empty = [code for code in range(len(plan.levels)) if code not in seen]
    if empty and asked:
        raise DomainError(
            f"term '{term.id}': no household has the level {plan.levels[empty[0]]}",
            code="empty_level",
            column=_columns(term)[0],
            hint="Put it together with another level",
        )
    if isinstance(term, Levels) and len(seen - {-1}) < 2 and not (seen - {-1} and -1 in seen):
        raise DomainError(
            f"term '{term.id}': all households have the same level",
            code="constant_term",
            column=term.column,
            hint="Leave the term out",
        )
    if isinstance(term, Levels) and plan.base[0] in empty:
        first = min(seen - {-1})
        plan = replace(plan, base=(first,))
    if empty:
        plan = replace(plan, shape=_without(plan.shape, {float(code) for code in empty}))
    found = [code for code in range(len(plan.levels)) if code in seen and code not in plan.base]
    return plan, found + ([-1] if -1 in seen and term.missing == "level" else [])


def _without(shape: models.Term, codes: set[float]) -> models.Term:
    if isinstance(shape, models.LevelsTerm):
        return replace(shape, levels=tuple(v for v in shape.levels if v.points not in codes))
    if isinstance(shape, models.TableTerm):
        return replace(shape, cells=tuple(c for c in shape.cells if c.points not in codes))
    return shape


def _with_points(plan: Plan, points: Mapping[str, float]) -> models.Term:
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
