"""Scoring frames: `score`, `explain`, `likelihood` and the expressions behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, TypeVar

import polars as pl

from nser_pmt import _engine, _native
from nser_pmt.control import RunControl
from nser_pmt.errors import ModelError, SchemaError
from nser_pmt.scoring._program import OnInvalid, likelihood_program, may_raise, program
from nser_pmt.scoring.model import Model, load_model, missing_column

if TYPE_CHECKING:
    from polars._typing import IntoExpr

__all__ = ["explain", "likelihood", "score"]

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)

_ROW = "__nser_pmt_row"
_BOTH = "__nser_pmt_both"


def score(
    frame: Frame,
    model: Model | str,
    *,
    on_invalid: OnInvalid = "model",
    suffix: str = "",
    control: RunControl | None = None,
) -> Frame:
    """Score every household of a frame.

    Parameters
    ----------
    frame
        DataFrame or LazyFrame, one row a household, with the columns ``model.columns``. Integers of
        any width, floats, decimals, booleans, String, Enum and Categorical are read as they are.
    model
        A `Model`, or the name or path of one.
    on_invalid
        What an answer that is missing or outside the model means where the model states no points:
        ``"model"`` as the model says, ``"null"`` a null score, ``"error"`` a `DomainError` that
        names the column and the row.
    suffix
        Appended to the names of the new columns, to keep the scores of two models apart.
    control
        Threads, time limit, progress; see `RunControl`. For a LazyFrame only progress counts and
        ``cancel()`` apply: Polars' own threads do the work.

    Returns
    -------
    DataFrame or LazyFrame
        The same rows in the same order, plus ``pmt_score`` (Float64, null unless the status is
        ``ok``) and ``pmt_status`` (Enum: ``ok``; ``missing``, an answer is null or NaN;
        ``out_of_domain``, an answer is an unknown level, infinite, out of range or a fraction where
        a whole number belongs; it wins over ``missing``).

    Raises
    ------
    SchemaError
        A column is missing, or its type makes no sense for its use.
    DomainError
        See `on_invalid`. A LazyFrame raises Polars' ComputeError when collected, with the text for
        one of the bad rows: its threads do not wait for each other.
    ModelError
        The model is a template, or cannot be loaded.
    CancelledError
        Stopped through `control`.

    Notes
    -----
    The score is the left-to-right double-precision sum of intercept and terms in model order, then
    the model's steps: the same bits for any chunking, thread count, engine and processor.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> households = nser.synth.households(5, seed=3)
    >>> nser.score(households, "schreiner-pk-2009").select("province", "pmt_score", "pmt_status")
    shape: (5, 3)
    ┌────────────────────┬───────────┬────────────┐
    │ province           ┆ pmt_score ┆ pmt_status │
    │ ---                ┆ ---       ┆ ---        │
    │ enum               ┆ f64       ┆ enum       │
    ╞════════════════════╪═══════════╪════════════╡
    │ Punjab             ┆ 83.0      ┆ ok         │
    │ Balochistan        ┆ 24.0      ┆ ok         │
    │ Khyber Pakhtunkhwa ┆ 82.0      ┆ ok         │
    │ Sindh              ┆ 79.0      ┆ ok         │
    │ Punjab             ┆ 30.0      ┆ ok         │
    └────────────────────┴───────────┴────────────┘
    """
    model = _model(model)
    names = _new_names(frame, suffix)
    if isinstance(frame, pl.LazyFrame):
        return _score_lazy(frame, model, on_invalid, names, control)
    scorer = _scorer(model, on_invalid)
    series = _series(frame, model.columns)
    control = control or RunControl()
    stream = scorer.score(
        series,
        frame.height,
        score=names[0],
        status=names[1],
        threads=control.threads,
        control=control._native,
        timeout=control.timeout,
        tick=control.progress,
    )
    return frame.hstack(_engine.scored(stream, names[1]).get_columns())


def _score_lazy(
    frame: pl.LazyFrame,
    model: Model,
    on_invalid: OnInvalid,
    names: tuple[str, str],
    control: RunControl | None,
) -> pl.LazyFrame:
    scorer = _scorer(model, on_invalid)
    schema = frame.collect_schema()
    for column in model.columns:
        if column not in schema:
            raise missing_column(column, schema.names())
    _check_types(scorer, schema)
    # Numbering costs a little, and only an error needs it.
    numbered = may_raise(model, on_invalid)
    if numbered:
        frame = frame.with_row_index(_ROW)
    inputs = [pl.col(column) for column in model.columns]
    both = _engine.expression(
        "pmt_both",
        [*inputs, pl.col(_ROW)] if numbered else inputs,
        program=program(model, on_invalid),
        name=names[0],
        status=names[1],
        control=control._native if control else None,
        numbered=numbered,
    )
    scored = frame.with_columns(both.alias(_BOTH)).unnest(_BOTH)
    scored = scored.with_columns(_engine.status_of_code(names[1]))
    return scored.drop(_ROW) if numbered else scored


def _check_types(scorer: _native.Scorer, schema: Mapping[str, pl.DataType]) -> None:
    """Raise now, with a type of our own, what Polars would raise when the frame is collected."""
    empty = pl.DataFrame(schema={c: schema[c] for c in scorer.columns})
    columns = _engine.columns(empty.get_columns())
    scorer.score(columns, 0, score="score", status="status")


def expression(
    model: Model, output: Literal["pmt_score", "pmt_status"], inputs: Mapping[str, IntoExpr] | None
) -> pl.Expr:
    """Make the expression behind `Model.score_expr` and `Model.status_expr`."""
    given = dict(inputs or {})
    for name in given:
        if name not in model.columns:
            raise missing_column(name, list(model.columns))
    columns = [_engine.into_expr(given.get(c, c)) for c in model.columns]
    made = _engine.expression(output, columns, program=program(model))
    return (_engine.own_enum(made) if output == "pmt_status" else made).alias(output)


def explain(frame: pl.DataFrame, model: Model | str, *, id: str) -> pl.DataFrame:
    """Say what every term adds to every household's score.

    Parameters
    ----------
    frame
        One row a household, as in `score`.
    model
        A `Model`, or the name or path of one.
    id
        Column that names the household in the result.

    Returns
    -------
    DataFrame
        One row for the intercept and one for each term of each household, households in the order
        of the frame, terms in model order: the `id` column, ``term`` (Enum), ``value`` (String, the
        answer), ``points`` (Float64, null where the term cannot be computed). The points of a
        household, added from top to bottom, are its raw score exactly (before the model's steps).

    Raises
    ------
    SchemaError, ModelError
        As in `score`.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> households = nser.synth.households(2, seed=3)
    >>> nser.explain(households, "schreiner-pk-2009", id="hh_id").head(4)
    shape: (4, 4)
    ┌───────┬─────────────┬───────────────┬────────┐
    │ hh_id ┆ term        ┆ value         ┆ points │
    │ ---   ┆ ---         ┆ ---           ┆ ---    │
    │ u64   ┆ enum        ┆ str           ┆ f64    │
    ╞═══════╪═════════════╪═══════════════╪════════╡
    │ 1     ┆ intercept   ┆ null          ┆ 0.0    │
    │ 1     ┆ province    ┆ Punjab        ┆ 12.0   │
    │ 1     ┆ n_le13      ┆ 0             ┆ 31.0   │
    │ 1     ┆ school_5_13 ┆ none_in_range ┆ 5.0    │
    └───────┴─────────────┴───────────────┴────────┘
    """
    model = _model(model)
    if id not in frame.columns:
        raise missing_column(id, frame.columns)
    series = _series(frame, model.columns)
    scorer = model._scorer
    terms = {"term": pl.Enum(scorer.terms)}
    long = _engine.frame(scorer.explain(series, frame.height), terms)
    ids = frame.get_column(id).gather(long.get_column("row"))
    return long.drop("row").insert_column(0, ids)


def likelihood(
    frame: Frame,
    model: Model | str,
    *,
    lines: Sequence[str] | str | None = None,
    score: str = "pmt_score",
) -> Frame:
    """Add the probability of being below a poverty line, from the model's likelihood tables.

    Parameters
    ----------
    frame
        A frame with scores of this model.
    model
        A `Model` with likelihood tables, or the name or path of one.
    lines
        Poverty lines, by their names in the model; by default all of them.
    score
        Column with the scores.

    Returns
    -------
    DataFrame or LazyFrame
        The frame plus, for each line, ``likelihood_<line>`` (Float64 in [0, 1]; null where the
        score is null or in no band). The poverty rate of a group is the mean of its households'
        likelihoods, not the likelihood of its mean score.

    Raises
    ------
    ModelError
        The model has no such line.
    SchemaError
        There is no column of scores.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> scored = pl.DataFrame({"pmt_score": [20.0, 30.0, 40.0]})
    >>> rated = nser.likelihood(scored, "schreiner-pk-2009", lines="nl100")
    >>> rated["likelihood_nl100"].to_list()
    [0.576, 0.395, 0.174]
    >>> round(rated["likelihood_nl100"].mean(), 3)
    0.382
    """
    model = _model(model)
    if isinstance(lines, str):
        lines = [lines]
    tables = [model.likelihood(line) for line in lines] if lines else list(model.likelihoods)
    if not tables:
        raise ModelError(f"model '{model.id}' has no likelihood tables", code="no_likelihoods")
    schema = frame.collect_schema()
    if score not in schema:
        raise missing_column(score, schema.names())
    if not schema[score].is_float():
        raise SchemaError(
            f"column '{score}': expected floating-point scores, found {schema[score].base_type()}",
            code="wrong_column",
            column=score,
        )
    return frame.with_columns(
        _engine.expression(
            "pmt_score", [pl.col(score)], program=likelihood_program(table, score)
        ).alias(f"likelihood_{table.line}")
        for table in tables
    )


# -- helpers ---------------------------------------------------------------------------------------


def _model(model: Model | str) -> Model:
    return model if isinstance(model, Model) else load_model(model)


def _scorer(model: Model, on_invalid: OnInvalid) -> _native.Scorer:
    if on_invalid == "model":
        return model._scorer
    return _native.Scorer(program(model, on_invalid).encode())


def _series(frame: pl.DataFrame, columns: Sequence[str]) -> list[pl.Series | pl.DataFrame]:
    for column in columns:
        if column not in frame.columns:
            raise missing_column(column, frame.columns)
    return _engine.columns([frame.get_column(column) for column in columns])


def _new_names(frame: pl.DataFrame | pl.LazyFrame, suffix: str) -> tuple[str, str]:
    names = (f"pmt_score{suffix}", f"pmt_status{suffix}")
    for name in names:
        if name in frame.collect_schema():
            raise SchemaError(
                f"column '{name}' is already there",
                code="column_exists",
                column=name,
                hint="Drop it, or give a suffix",
            )
    return names
