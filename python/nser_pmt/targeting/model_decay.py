"""The same model on a later survey: `decay`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import polars as pl

from nser_pmt._options import chosen, invalid, polars_frame
from nser_pmt.control import RunControl
from nser_pmt.errors import SchemaError
from nser_pmt.scoring._term_points import only_term
from nser_pmt.scoring.model import Model, load_model, missing_column
from nser_pmt.scoring.scoring import score as add_score
from nser_pmt.targeting._cuts import Predicts
from nser_pmt.targeting._sample import number_column
from nser_pmt.targeting.targeting import targeting

__all__ = ["Decay", "decay"]

_SHOWN = ("headcount", "coverage", "pie", "ier", "eer", "bpac", "auc")


@dataclass(frozen=True, kw_only=True, repr=False)
class Decay:
    """What `decay` found.

    Attributes
    ----------
    terms
        ``term``, ``before``, ``after`` (mean points of a household, or person), ``change``. The
        intercept comes first. The column adds up to the mean raw score, before the model's steps.
    summary
        ``measure``, ``before``, ``after``, ``change``: rows scored, means of score and welfare;
        and, where the score predicts welfare or its logarithm, ``bias`` (mean of what happened less
        what was predicted), ``slope`` of what happened on the prediction (1 if it is calibrated),
        ``rmse`` and ``r2`` = 1 - RSS / TSS.
    metrics
        Rows of `Targeting.metrics` for each ``survey`` and ``design``: in the later one with the
        line and the cut-off of the earlier. ``pie``, the share targeted less the share of the poor,
        says whether the line is still calibrated.
    """

    terms: pl.DataFrame
    summary: pl.DataFrame
    metrics: pl.DataFrame

    def __repr__(self) -> str:
        lines = [f"Decay  {'':<26}{'before':>12}{'after':>12}{'change':>12}"]
        for part in (self.summary, self.terms):
            for name, before, after, change in part.rows():
                numbers = "".join(f"{_text(v):>12}" for v in (before, after, change))
                lines.append(f"  {name:<31}{numbers}")
        lines.append(f"  {'survey':<8}{'design':<11}" + "".join(f"{n:>11}" for n in _SHOWN))
        for row in self.metrics.iter_rows(named=True):
            numbers = "".join(f"{_text(row[name]):>11}" for name in _SHOWN)
            lines.append(f"  {row['survey']:<8}{row['design']:<11}{numbers}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from nser_pmt._charts import moved_points

        shown = self.metrics.select("survey", "design", "line", "cutoff", *_SHOWN)
        parts = (self.summary, self.terms, shown)
        names = ("summary", "mean points by term", "targeting")
        tables = (f"<b>{escape(n)}</b>{p._repr_html_()}" for n, p in zip(names, parts, strict=True))
        head = "<div><b>Decay</b> of a model between two surveys</div>"
        return f"{head}{moved_points(self.terms)}{''.join(tables)}"


def decay(
    before: pl.DataFrame | pl.LazyFrame,
    after: pl.DataFrame | pl.LazyFrame,
    model: Model | str,
    *,
    welfare: str,
    line: float | None = None,
    rate: float | None = None,
    weights: str | None = None,
    size: str | None = None,
    predicts: Predicts | None = None,
    control: RunControl | None = None,
) -> Decay:
    """Say what has moved since a model was made: by term, in score and welfare, in errors.

    Parameters
    ----------
    before, after
        An earlier and a later survey, with the model's columns and welfare in the same prices.
    model
        A `Model`, or the name or path of one.
    welfare, weights, size
        Columns, as in `targeting`, of both surveys.
    line
        Poverty line, the same for both.
    rate
        Or the share of the people that was poor in the earlier survey; its line is that of both.
    predicts
        What the score predicts, ``"welfare"`` or ``"log_welfare"``: adds the fixed line.
    control
        Threads and a time limit; see `RunControl`.

    Returns
    -------
    Decay

    Raises
    ------
    SchemaError, DomainError, ModelError
        As in `targeting` and `score`.

    Notes
    -----
    The points of a term are the score of the model in which all other terms have 0, so nothing is
    laid out by household and term. A change in the mean of a term is a change in the answers, for
    the points are the same in both surveys. What the answers do not explain is in ``bias``: welfare
    has moved, and the score has not.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> model = nser.load_model("schreiner-pk-2009")
    >>> before = nser.synth.households(500, seed=1).with_columns(cons_pc=pl.int_range(500))
    >>> after = before.with_columns(tv=pl.lit(True))
    >>> moved = nser.decay(before, after, model, welfare="cons_pc", line=100)
    >>> moved.terms.filter(pl.col("change") != 0)["term"].to_list()
    ['tv']
    """
    model = load_model(model) if isinstance(model, str) else model
    if (line is None) == (rate is None):
        raise invalid("give either line, or rate")
    if predicts is not None:
        chosen("predicts", predicts, Predicts)
    columns = [name for name in (welfare, weights, size) if name is not None]
    surveys = {n: _read(f, n, model, columns) for n, f in (("before", before), ("after", after))}
    counts = {name: _weight(frame, weights, size) for name, frame in surveys.items()}
    found = targeting(
        surveys["before"],
        score=_SCORE,
        welfare=welfare,
        line=line,
        rate=rate,
        weights=weights,
        size=size,
        design="fixed_rate" if predicts is None else "both",
        predicts=predicts,
        model=model,
        control=control,
    )
    rows = [found.metrics.select(pl.lit("before").alias("survey"), pl.all())]
    for row in found.metrics.iter_rows(named=True):
        if row["cutoff"] is None:
            continue  # nobody was poor: there is no cut-off to keep
        later = targeting(
            surveys["after"],
            score=_SCORE,
            welfare=welfare,
            line=row["line"],
            weights=weights,
            size=size,
            cutoff=row["cutoff"],
            model=model,
        )
        named = [pl.lit("after").alias("survey"), pl.lit(row["design"]).alias("design")]
        rows.append(later.metrics.select(*named, pl.exclude("design")))
    summaries = {n: _summary(f, counts[n], welfare, predicts) for n, f in surveys.items()}
    terms = {n: dict(_means(f, model, counts[n])) for n, f in surveys.items()}
    return Decay(
        terms=_table("term", terms),
        summary=_table("measure", summaries),
        metrics=pl.concat(rows),
    )


_SCORE = "__nser_pmt_score"


def _read(
    given: pl.DataFrame | pl.LazyFrame, name: str, model: Model, columns: Sequence[str]
) -> pl.DataFrame:
    polars_frame(name, given)
    frame = given.lazy().collect()
    for column in (*model.columns, *columns):
        if column not in frame.columns:
            raise missing_column(column, frame.columns)
    if _SCORE in frame.columns:
        raise SchemaError(f"column '{_SCORE}' is ours", code="column_exists", column=_SCORE)
    scored = add_score(frame.select(model.columns), model, on_invalid="null")
    return frame.with_columns(scored.get_column("pmt_score").alias(_SCORE))


def _weight(frame: pl.DataFrame, weights: str | None, size: str | None) -> pl.Series:
    """Return weights; those of households without a score are 0."""
    made = frame.get_column(_SCORE).is_not_null().cast(pl.Float64)
    for name in (weights, size):
        if name is not None:
            made = made * number_column(frame, name).fill_null(0.0)
    return made


def _means(frame: pl.DataFrame, model: Model, weight: pl.Series) -> Iterator[tuple[str, float]]:
    ids = dict.fromkeys(term.id for sub in model.sub_models() for term in sub.terms)
    answers = frame.select(model.columns)
    total = float(weight.sum())
    for name in (None, *ids):
        points = add_score(answers, only_term(model, name), on_invalid="null").get_column(
            "pmt_score"
        )
        yield name or "intercept", float((points.fill_null(0.0) * weight).sum()) / total


def _summary(
    frame: pl.DataFrame, weight: pl.Series, welfare: str, predicts: Predicts | None
) -> dict[str, float | None]:
    truth = number_column(frame, welfare)
    happened = truth.log() if predicts == "log_welfare" else truth
    usable = (weight > 0) & happened.is_finite().fill_null(False)
    w, y, x = (s.filter(usable) for s in (weight, happened, frame.get_column(_SCORE)))
    total = float(w.sum())

    def mean(values: pl.Series) -> float:
        return float((w * values).sum()) / total

    mean_y, mean_x = mean(y), mean(x)
    made: dict[str, float | None] = {
        "rows": float(usable.sum()),
        "mean score": mean_x,
        "mean log welfare" if predicts == "log_welfare" else "mean welfare": mean_y,
    }
    if predicts is not None:
        of_x, of_y = mean((x - mean_x) ** 2), mean((y - mean_y) ** 2)
        square = mean((y - x) ** 2)
        made["bias"] = mean_y - mean_x
        made["slope"] = mean((x - mean_x) * (y - mean_y)) / of_x if of_x > 0 else None
        made["rmse"] = math.sqrt(square)
        made["r2"] = 1 - square / of_y if of_y > 0 else None
    return made


def _table(key: str, parts: Mapping[str, Mapping[str, float | None]]) -> pl.DataFrame:
    before, after = parts["before"], parts["after"]
    rows = [(name, before[name], after[name]) for name in before]
    schema = {key: pl.String, "before": pl.Float64, "after": pl.Float64}
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    return frame.with_columns((pl.col("after") - pl.col("before")).alias("change"))


def _text(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if abs(value) < 1e4 else f"{value:,.0f}"
