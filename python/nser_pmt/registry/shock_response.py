"""Who would fall below a line if something happened to an area: `shock`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import polars as pl

from nser_pmt import _engine
from nser_pmt._options import invalid, polars_frame
from nser_pmt.errors import DomainError, SchemaError
from nser_pmt.registry._shock_area import check_columns, drawn, in_area, in_words
from nser_pmt.scoring._program import program
from nser_pmt.scoring._score_line import below, line_of, line_text
from nser_pmt.scoring.model import Cutoff, Model, load_model, missing_column
from nser_pmt.targeting._sample import number_column

__all__ = ["Shock", "shock"]

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

OUTCOMES = ("newly_below", "still_below", "newly_above", "still_above", "needs_data", "not_hit")
_OUTCOME = pl.Enum(OUTCOMES)
_UNDRAWN = "__nser_pmt_undrawn"
_HIT, _AREA, _MADE = "__nser_pmt_hit", "__nser_pmt_area", "__nser_pmt_outcome"
_WEIGHT, _PEOPLE = "__nser_pmt_weight", "__nser_pmt_people"
_BEFORE, _AFTER = "pmt_score_before", "pmt_score_after"
_OWN = (_HIT, _AREA, _MADE, _WEIGHT, _PEOPLE, _BEFORE, _AFTER)


@dataclass(frozen=True, kw_only=True, repr=False)
class Shock(Generic[Frame]):
    """What `shock` found.

    Attributes
    ----------
    newly_below
        Households that would newly fall below the line, in the order of the frame: the id,
        ``pmt_score_before``, ``pmt_score_after``. Lazy if the frame was.
    outcomes
        By ``outcome``: ``newly_below``, ``still_below``, ``newly_above``, ``still_above``,
        ``needs_data`` (hit, with no score before or after), ``not_hit``. ``households``; their
        ``weight``; ``people``, weight times size, if there is a size.
    by
        The same by group; None without groups.
    area_unknown
        Households of which it is not known whether they are in the area; they count as not hit.
    assumption
        What was assumed, in words.
    assumptions
        The same for programs: ``area``, ``effect``, ``share``, ``seed``, ``model``, ``digest`` of
        the model, ``line``, ``side``, ``direction``.
    """

    newly_below: Frame
    outcomes: pl.DataFrame
    by: pl.DataFrame | None
    area_unknown: int
    assumption: str
    assumptions: Mapping[str, Any]

    def __repr__(self) -> str:
        lines = ["Shock", f"  {self.assumption}"]
        names = self.outcomes.columns[1:]
        lines.append(f"  {'outcome':<13}" + "".join(f"{name:>16}" for name in names))
        for outcome, *numbers in self.outcomes.rows():
            lines.append(f"  {outcome:<13}" + "".join(f"{n:>16,.0f}" for n in numbers))
        if self.area_unknown:
            lines.append(f"  {self._unknown()}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from html import escape

        groups = "" if self.by is None else self.by._repr_html_()
        unknown = f"<p>{self._unknown()}</p>" if self.area_unknown else ""
        assumption = f"<p>{escape(self.assumption)}</p>"
        return f"{assumption}{self.outcomes._repr_html_()}{groups}{unknown}"

    def _unknown(self) -> str:
        return f"area not known: {self.area_unknown:,} households, counted as not hit"


def shock(
    frame: Frame,
    model: Model | str,
    *,
    area: pl.Expr | Mapping[str, Any],
    effect: Mapping[str, Any] | float,
    line: float | str | None = None,
    share: float = 1.0,
    seed: int = 1,
    id: str = "hh_id",
    weights: str | None = None,
    size: str | None = None,
    by: str | Sequence[str] = (),
) -> Shock[Frame]:
    """Score an area again under a stated assumption, and list who would fall below a line.

    Parameters
    ----------
    frame
        One row a household, with the columns of the model.
    model
        A `Model`, or the name or path of one.
    area
        Who is hit: a Boolean expression, or values by column, all of which must hold:
        ``{"province": "Sindh", "district": ["Dadu", "Jamshoro"]}``.
    effect
        What happens to them: new answers by column, each a value or an expression of the columns
        as they were (``{"livestock": "neither", "rooms": pl.col("rooms") - 1}``); or a number
        that is added to the score.
    line
        A score that counts as poor itself, or the name of one of the model's cut-offs; None for
        the only one it has.
    share
        Share of the households of the area that are hit, if not all: drawn by id and seed.
    seed
        Which those are.
    id
        Column that the list names households by; whole numbers if `share` is below 1.
    weights, size
        Columns: weight of a household, and its persons.
    by
        Columns to group by.

    Returns
    -------
    Shock

    Raises
    ------
    SchemaError
        A column is missing, or cannot hold the new answers; a share is drawn by ids of which one is
        null (code ``null_id``); or the effect is on a column that the
        model does not read (code ``unused_column``), and so would change nothing.
    DomainError
        An option is not allowed; a weight or size is missing, negative or not finite.

    Notes
    -----
    An answer that is missing stays missing: nobody can lose what is not known to be there. Columns
    that were made from others, such as classes of rooms, are not made again: name those that the
    model reads. The score is all that moves; what the assumption leaves out, it leaves out.

    Whether a household is drawn depends on its id and the seed alone (SplitMix64 of both, below
    `share` of 2^64), not on the order of rows or on what else is in the frame.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> households = nser.synth.households(1000, seed=1)
    >>> flood = nser.shock(
    ...     households,
    ...     "schreiner-pk-2009",
    ...     area={"province": "Sindh", "region": "rural"},
    ...     effect={"tv": False, "fridge_freezer": False},
    ...     line=24,
    ... )
    >>> print(flood.assumption)
    Every household where province is Sindh and region is rural is hit: tv becomes false, \
fridge_freezer becomes false, where the answer is known. Scored with schreiner-pk-2009; below the \
line means score <= 24.
    >>> flood.newly_below.columns
    ['hh_id', 'pmt_score_before', 'pmt_score_after']
    """
    polars_frame("frame", frame)
    model = load_model(model) if isinstance(model, str) else model
    at = line_of(model, line)
    by = [by] if isinstance(by, str) else list(by)
    schema = frame.collect_schema()
    amounts: list[str] = [c for c in (weights, size) if c is not None]
    if taken := {"outcome", "households", "weight", "people"} & set(by):
        raise invalid(f"by: {', '.join(sorted(taken))} is a name of the result")
    _check(schema, [id, *by, *amounts])
    _check(schema, model.columns)
    if not isinstance(share, (int, float)) or not 0 <= share <= 1:
        raise invalid("share must be from 0 to 1")
    if share < 1 and not schema[id].is_integer():
        raise invalid("a share needs an id of whole numbers, to draw by")
    hit = pl.col(_AREA).fill_null(False)
    if share < 1:
        hit &= drawn(pl.col(id), share, seed)
    lazy = (
        frame.lazy().with_columns(in_area(area, schema).alias(_AREA)).with_columns(hit.alias(_HIT))
    )
    lazy = _scored(lazy, model, {}, _BEFORE)
    if isinstance(effect, Mapping):
        if not effect:
            raise invalid("effect must change an answer at least")
        lazy = _scored(lazy, model, _changes(effect, model, schema), _AFTER)
    else:
        number = isinstance(effect, (int, float)) and not isinstance(effect, bool)
        if not (number and math.isfinite(effect)):
            raise invalid("effect must be new answers by column, or a finite number of points")
        moved = pl.when(_HIT).then(pl.col(_BEFORE) + float(effect)).otherwise(pl.col(_BEFORE))
        lazy = lazy.with_columns(moved.alias(_AFTER))
    lazy = lazy.with_columns(_outcome(model, at).alias(_MADE))
    undrawn = pl.col(_HIT).is_null().alias(_UNDRAWN)
    read = [*dict.fromkeys([*by, *amounts]), _MADE]
    counted = lazy.select(*read, pl.col(_AREA).is_null(), undrawn).collect()
    _check_drawn(counted.get_column(_UNDRAWN), id)
    counted = counted.with_columns(_amounts(counted, weights, size))
    newly = lazy.filter(pl.col(_MADE) == "newly_below").select(id, _BEFORE, _AFTER)
    found: Any = newly if isinstance(frame, pl.LazyFrame) else newly.collect()
    return Shock(
        newly_below=found,
        outcomes=_outcomes(counted, size is not None),
        by=_by(counted, by, size is not None) if by else None,
        area_unknown=int(counted.get_column(_AREA).sum()),
        assumption=in_words(area, effect, share, seed, model, line_text(model, at)),
        assumptions=_assumptions(area, effect, share, seed, model, at),
    )


def _check(schema: Mapping[str, pl.DataType], columns: Sequence[str]) -> None:
    for column in columns:
        if column not in schema:
            raise missing_column(column, list(schema))
    for column in _OWN:
        if column in schema:
            raise SchemaError(f"column '{column}' is ours", code="column_exists", column=column)


def _check_drawn(undrawn: pl.Series, id: str) -> None:
    if undrawn.any():
        row = undrawn.arg_true()[0]
        raise SchemaError(
            f"column '{id}', row {row}: the id is null, and a share is drawn by id",
            code="null_id",
            column=id,
            row=row,
        )


def _changes(
    effect: Mapping[str, Any], model: Model, schema: Mapping[str, pl.DataType]
) -> dict[str, pl.Expr]:
    """Return the answers after the event, of the types that they had."""
    made = {}
    for column, value in effect.items():
        if column not in schema:
            raise missing_column(column, list(schema))
        if column not in model.columns:
            raise SchemaError(
                f"column '{column}': model '{model.id}' does not read it, so nothing would change",
                code="unused_column",
                column=column,
            )
        dtype, old = schema[column], pl.col(column)
        if isinstance(value, pl.Expr):
            check_columns(value, schema)
        new = value if isinstance(value, pl.Expr) else _literal(column, value, dtype)
        hit = pl.col(_HIT) & old.is_not_null()
        made[column] = pl.when(hit).then(new.cast(dtype)).otherwise(old).alias(column)
    return made


def _literal(column: str, value: Any, dtype: pl.DataType) -> pl.Expr:
    wrong = SchemaError(
        f"column '{column}': the new answer is no value of its type, {dtype.base_type()}",
        code="wrong_column",
        column=column,
    )
    plain = pl.String() if isinstance(dtype, (pl.Enum, pl.Categorical)) else dtype
    kinds: tuple[type, ...] = (str,)
    if dtype == pl.Boolean:
        kinds = (bool,)
    elif dtype.is_integer():
        kinds = (int,)
    elif dtype.is_numeric():
        kinds = (int, float)
    if not isinstance(value, kinds) or (isinstance(value, bool) and dtype != pl.Boolean):
        raise wrong
    try:
        return pl.lit(pl.Series([value], dtype=plain).cast(dtype).first(), dtype=dtype)
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        raise wrong from None


def _scored(
    lazy: pl.LazyFrame,
    model: Model,
    changes: Mapping[str, pl.Expr],
    name: str,
) -> pl.LazyFrame:
    """Add the score of the answers, after some changes, under a name; the answers stay."""
    inputs = {column: changes.get(column, pl.col(column)) for column in model.columns}
    given = [inputs[column] for column in model.columns]
    made = _engine.expression("pmt_score", given, program=program(model, "null"))
    return lazy.with_columns(made.alias(name))


def _outcome(model: Model, line: Cutoff) -> pl.Expr:
    before, after = below(model, line, _BEFORE), below(model, line, _AFTER)
    names = {
        "newly_below": ~before & after,
        "still_below": before & after,
        "newly_above": before & ~after,
        "still_above": ~before & ~after,
    }
    made: Any = pl.when(~pl.col(_HIT)).then(pl.lit("not_hit", dtype=_OUTCOME))
    for name, holds in names.items():
        made = made.when(holds).then(pl.lit(name, dtype=_OUTCOME))
    outcome: pl.Expr = made.otherwise(pl.lit("needs_data", dtype=_OUTCOME))
    return outcome


def _amounts(frame: pl.DataFrame, weights: str | None, size: str | None) -> list[pl.Series]:
    weight = pl.Series(_WEIGHT, [1.0]).new_from_index(0, frame.height)
    if weights is not None:
        weight = _amount(frame, weights).alias(_WEIGHT)
    people = weight if size is None else weight * _amount(frame, size)
    return [weight, people.alias(_PEOPLE)]


def _amount(frame: pl.DataFrame, column: str) -> pl.Series:
    amount = number_column(frame, column)
    bad = (~(amount.is_finite() & (amount >= 0))).fill_null(True).arg_true()
    if len(bad):
        raise DomainError(
            f"column '{column}', row {bad[0]}: expected a finite number from 0 on",
            code="out_of_domain",
            column=column,
            row=bad[0],
        )
    return amount


def _outcomes(counted: pl.DataFrame, sized: bool) -> pl.DataFrame:
    parts = [counted.filter(pl.col(_MADE) == name) for name in OUTCOMES]
    made = {
        "outcome": pl.Series(OUTCOMES, dtype=_OUTCOME),
        "households": pl.Series([part.height for part in parts], dtype=pl.UInt64),
        # One after the other: the sums of a group_by depend on its threads.
        "weight": [part.get_column(_WEIGHT).rechunk().sum() for part in parts],
    }
    if sized:
        made["people"] = [part.get_column(_PEOPLE).rechunk().sum() for part in parts]
    return pl.DataFrame(made)


def _by(counted: pl.DataFrame, by: list[str], sized: bool) -> pl.DataFrame:
    ordered = counted.sort(by, maintain_order=True, nulls_last=True)
    parts = ordered.partition_by(by, maintain_order=True)
    made = [
        part.select(pl.col(by).first()).join(_outcomes(part, sized), how="cross") for part in parts
    ]
    none = counted.select(by).head(0).join(_outcomes(counted, sized).head(0), how="cross")
    return pl.concat(made) if made else none


def _assumptions(
    area: pl.Expr | Mapping[str, Any],
    effect: Mapping[str, Any] | float,
    share: float,
    seed: int,
    model: Model,
    line: Cutoff,
) -> dict[str, Any]:
    def shown(value: Any) -> Any:
        return _engine.show_expr(value) if isinstance(value, pl.Expr) else value

    return {
        "area": {k: shown(v) for k, v in area.items()}
        if isinstance(area, Mapping)
        else shown(area),
        "effect": {k: shown(v) for k, v in effect.items()}
        if isinstance(effect, Mapping)
        else float(effect),
        "share": float(share),
        "seed": seed if share < 1 else None,
        "model": model.id,
        "digest": model.digest,
        "line": line.value,
        "side": line.side,
        "direction": model.direction,
    }
