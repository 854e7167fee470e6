"""Two ways of collecting the same households side by side: `compare_sources`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from nser_pmt._options import invalid, polars_frame
from nser_pmt.control import RunControl
from nser_pmt.registry._source_agreement import agreement
from nser_pmt.registry._source_pairs import SOURCES, Pairs, paired
from nser_pmt.scoring._score_line import below, line_of, line_text
from nser_pmt.scoring._term_points import only_term
from nser_pmt.scoring.model import Cutoff, Model, load_model
from nser_pmt.scoring.scoring import score as add_score

__all__ = ["SourceComparison", "compare_sources"]

_OWN = ("only_desk", "only_door", "desk_share", "door_share", "households", "below_desk")
_QUANTILES = {"p05": 0.05, "p25": 0.25, "p50": 0.5, "p75": 0.75, "p95": 0.95}


@dataclass(frozen=True, kw_only=True, repr=False)
class SourceComparison:
    """What `compare_sources` found. Differences are desk less door.

    Attributes
    ----------
    coverage, coverage_by
        Households of ``desk``, ``door``, ``both``, ``only_desk``, ``only_door``; ``desk_share`` and
        ``door_share`` of the households that are in either. In all, and by group.
    answers
        A row a question, of the households in both: ``pairs``; ``answered`` by both,
        ``only_desk`` and ``only_door`` by one; of those answered by both ``equal`` (share),
        ``kappa`` (Cohen), and where answers have an order ``weighted_kappa`` (quadratic weights),
        ``mean_difference``, ``desk_higher`` and ``desk_lower`` (shares).
    confusion
        Of questions with text or Boolean answers: ``question``, ``desk``, ``door``, ``households``.
    scores, scores_by
        Of households that both sources can score: ``households``, ``mean_desk``, ``mean_door``,
        ``mean_difference``, ``sd_difference``, quantiles ``p05`` .. ``p95`` of the difference,
        ``equal`` (share); with a line the shares ``below_both``, ``below_only_desk``,
        ``below_only_door``. In all, and by group.
    terms
        Mean points of each ``term`` in ``desk`` and ``door`` and their ``difference``, of the same
        households: it adds up to the difference of the mean raw scores.
    cost
        By ``source``: ``interviews``, ``cost_per_interview``, ``cost``, ``found_poor`` (below the
        line by the source's own answers), ``cost_per_found``; and ``confirmed``, those who are
        below the line in both sources, with ``cost_per_confirmed``. None without costs.
    line
        The line in words; None without one.
    """

    coverage: pl.DataFrame
    coverage_by: pl.DataFrame | None
    answers: pl.DataFrame
    confusion: pl.DataFrame
    scores: pl.DataFrame
    scores_by: pl.DataFrame | None
    terms: pl.DataFrame
    cost: pl.DataFrame | None
    line: str | None

    def __repr__(self) -> str:
        reach, score = self.coverage.row(0, named=True), self.scores.row(0, named=True)
        lines = [
            "SourceComparison: desk against door",
            f"  households {reach['desk']:,} and {reach['door']:,}, {reach['both']:,} in both; "
            f"coverage {_percent(reach['desk_share'])} and {_percent(reach['door_share'])}",
            f"  score {_text(score['mean_desk'])} and {_text(score['mean_door'])}, difference "
            f"{_text(score['mean_difference'])} (sd {_text(score['sd_difference'])})",
        ]
        if self.line is not None:
            lines.append(
                f"  {self.line}: both {_percent(score['below_both'])}, only desk "
                f"{_percent(score['below_only_desk'])}, only door "
                f"{_percent(score['below_only_door'])}"
            )
        if self.cost is not None:
            lines += [
                f"  {row['source']}: {row['found_poor']:,} found poor, "
                f"{_text(row['cost_per_found'])} each"
                for row in self.cost.iter_rows(named=True)
            ]
        width = max([8, *(len(q) for q in self.answers.get_column("question"))]) + 2
        names = ("equal", "kappa", "weighted_kappa", "mean_difference")
        lines.append(f"  {'question':<{width}}" + "".join(f"{n:>17}" for n in names))
        for row in self.answers.iter_rows(named=True):
            numbers = "".join(f"{_text(row[n]):>17}" for n in names)
            lines.append(f"  {row['question']:<{width}}{numbers}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = {
            "coverage": self.coverage if self.coverage_by is None else self.coverage_by,
            "answers": self.answers,
            "scores": self.scores if self.scores_by is None else self.scores_by,
            "mean points by term": self.terms,
            "cost": self.cost,
        }
        shown = {name: part for name, part in parts.items() if part is not None}
        return "".join(f"<b>{name}</b>{part._repr_html_()}" for name, part in shown.items())


def compare_sources(
    desk: pl.DataFrame | pl.LazyFrame,
    door: pl.DataFrame | pl.LazyFrame,
    *,
    id: str,
    model: Model | str,
    line: float | str | None = None,
    cost: Mapping[str, float] | None = None,
    questions: Sequence[str] | None = None,
    ordered: Sequence[str] = (),
    by: str | Sequence[str] = (),
    control: RunControl | None = None,
) -> SourceComparison:
    """Say how two ways of collecting the same households differ: desk and door to door.

    Parameters
    ----------
    desk, door
        One row a household, each with the columns of the model. Lazy frames are collected.
    id
        Column that tells which rows are of one household: in neither source null or twice.
    model
        A `Model`, or the name or path of one.
    line
        A score that counts as poor itself, or the name of one of the model's cut-offs.
    cost
        Cost of an interview by source: ``{"desk": 150, "door": 620}``. Needs a line.
    questions
        Columns whose answers are compared; those of the model by default.
    ordered
        Questions whose Enum categories stand in order. Numbers and Booleans always do.
    by
        Columns to group by: the value of the door where the household is there, else of the desk.
    control
        Threads and time limit of the scoring; see `RunControl`.

    Returns
    -------
    SourceComparison

    Raises
    ------
    SchemaError
        A column is missing, has different types in the two sources, or an id is null or repeats
        (codes ``null_id``, ``duplicate_id``).
    DomainError
        An option is not allowed.

    Notes
    -----
    Nobody is right by definition: a difference says that answers differ, not which is true.

    Kappa is (p_o - p_e) / (1 - p_e), with p_o the share of equal answers and p_e that of two
    sources with the same margins that answer independently; null when only one answer occurs. With
    quadratic weights it is 1 - mean (x - y)^2 / (var x + var y + (mean x - mean y)^2), of numbers
    their values, of an ordered Enum the ranks (Cohen 1968; Fleiss and Cohen 1973).

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> door = nser.synth.households(500, seed=1)
    >>> desk = door.head(400).with_columns(tv=pl.lit(True))
    >>> found = nser.compare_sources(
    ...     desk, door, id="hh_id", model="schreiner-pk-2009", line=24, cost={"desk": 1, "door": 4}
    ... )
    >>> found.coverage.select("both", "only_door", "desk_share").row(0)
    (400, 100, 0.8)
    >>> found.terms.filter(pl.col("difference") != 0)["term"].to_list()
    ['tv']
    """
    polars_frame("desk", desk)
    polars_frame("door", door)
    model = load_model(model) if isinstance(model, str) else model
    at = None if line is None else line_of(model, line)
    prices = _prices(cost, at)
    by = [by] if isinstance(by, str) else list(by)
    if taken := {"desk", "door", "both", *_OWN} & set(by):
        raise invalid(f"by: {', '.join(sorted(taken))} is a name of the result")
    if isinstance(questions, str) or isinstance(ordered, str):
        raise invalid("questions and ordered are lists of columns")
    asked = list(dict.fromkeys(model.columns if questions is None else questions))
    if strange := set(ordered) - set(asked):
        raise invalid(f"ordered: {', '.join(sorted(strange))} not among the questions")
    pairs = paired(desk, door, id=id, columns=list(dict.fromkeys([*model.columns, *asked])), by=by)
    scored = {name: _scores(pairs.sources[name], model, control) for name in SOURCES}
    both = _both(pairs, scored, model, at)
    answers, confusion = agreement(pairs, asked, ordered)
    return SourceComparison(
        coverage=_coverage(pairs.reach),
        coverage_by=_by(pairs.reach, by, _coverage),
        answers=answers,
        confusion=confusion,
        scores=_differences(both),
        scores_by=_by(both, by, _differences),
        terms=_terms(pairs, scored, model),
        cost=None if prices is None or at is None else _cost(scored, both, model, at, prices),
        line=None if at is None else line_text(model, at),
    )


def _prices(cost: Mapping[str, float] | None, line: Cutoff | None) -> dict[str, float] | None:
    if cost is None:
        return None
    if line is None:
        raise invalid("cost needs a line: whom the money finds")
    right = set(cost) == set(SOURCES) and all(isinstance(p, (int, float)) for p in cost.values())
    if not right or not all(0 <= p < math.inf for p in cost.values()):
        raise invalid("cost must be an amount from 0 on for 'desk' and for 'door'")
    return {name: float(price) for name, price in cost.items()}


def _scores(frame: pl.DataFrame, model: Model, control: RunControl | None) -> pl.Series:
    scored = add_score(frame.select(model.columns), model, on_invalid="null", control=control)
    return scored.get_column("pmt_score")


def _both(
    pairs: Pairs, scored: Mapping[str, pl.Series], model: Model, line: Cutoff | None
) -> pl.DataFrame:
    """Return groups, scores and sides of households that both sources can score."""
    matched = [scored[name].gather(pairs.rows[name]).alias(name) for name in SOURCES]
    made = pl.DataFrame([*pairs.groups.get_columns(), *matched])
    if line is not None:
        sides = [below(model, line, name).alias(f"below_{name}") for name in SOURCES]
        made = made.with_columns(sides)
    return made.filter(pl.all_horizontal(pl.col(name).is_not_null() for name in SOURCES))


def _coverage(reach: pl.DataFrame) -> pl.DataFrame:
    desk, door = (pl.col(f"__{name}") for name in SOURCES)
    counts = {
        "desk": desk,
        "door": door,
        "both": desk & door,
        "only_desk": desk & ~door,
        "only_door": door & ~desk,
    }
    counted = reach.select(expr.sum().cast(pl.UInt64).alias(n) for n, expr in counts.items())
    shares = (pl.col(n) / reach.height for n in SOURCES)
    made = zip(SOURCES, shares, strict=True)
    return counted.with_columns(
        (share if reach.height else pl.lit(None, dtype=pl.Float64)).alias(f"{n}_share")
        for n, share in made
    )


def _differences(both: pl.DataFrame) -> pl.DataFrame:
    desk, door = (both.get_column(name).rechunk() for name in SOURCES)
    gap = desk - door
    made: dict[str, object] = {
        "households": len(gap),
        "mean_desk": desk.mean(),
        "mean_door": door.mean(),
        "mean_difference": gap.mean(),
        "sd_difference": gap.std(),
    }
    made |= {name: gap.quantile(at, "linear") for name, at in _QUANTILES.items()}
    made["equal"] = (gap == 0).mean()
    if "below_desk" in both.columns:
        first, second = (both.get_column(f"below_{name}") for name in SOURCES)
        made["below_both"] = (first & second).mean()
        made["below_only_desk"] = (first & ~second).mean()
        made["below_only_door"] = (~first & second).mean()
    schema = {name: pl.UInt64 if name == "households" else pl.Float64 for name in made}
    return pl.DataFrame({name: [value] for name, value in made.items()}, schema=schema)


def _by(
    frame: pl.DataFrame, by: Sequence[str], make: Callable[[pl.DataFrame], pl.DataFrame]
) -> pl.DataFrame | None:
    if not by:
        return None
    parts = frame.sort(by, maintain_order=True, nulls_last=True).partition_by(
        by, maintain_order=True
    )
    made = [part.select(by).head(1).hstack(make(part)) for part in parts]
    return pl.concat(made) if made else frame.select(by).head(0).hstack(make(frame).head(0))


def _terms(pairs: Pairs, scored: Mapping[str, pl.Series], model: Model) -> pl.DataFrame:
    known = pl.DataFrame(scored[name].gather(pairs.rows[name]).alias(name) for name in SOURCES)
    keep = known.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
    answers = {
        name: pairs.matched(name).select(model.columns).filter(keep).rechunk() for name in SOURCES
    }
    ids = dict.fromkeys(term.id for sub in model.sub_models() for term in sub.terms)
    made = []
    for term in (None, *ids):
        bare = only_term(model, term)
        means = [_scores(answers[name], bare, None).fill_null(0.0).mean() for name in SOURCES]
        made.append((term or "intercept", *means))
    schema = {"term": pl.String, "desk": pl.Float64, "door": pl.Float64}
    table = pl.DataFrame(made, schema=schema, orient="row")
    return table.with_columns(difference=pl.col("desk") - pl.col("door"))


def _cost(
    scored: Mapping[str, pl.Series],
    both: pl.DataFrame,
    model: Model,
    line: Cutoff,
    prices: Mapping[str, float],
) -> pl.DataFrame:
    confirmed = both.select((pl.col("below_desk") & pl.col("below_door")).sum()).item()
    rows = []
    for name in SOURCES:
        found = scored[name].to_frame("score").select(below(model, line, "score").sum()).item()
        total = prices[name] * len(scored[name])
        each = [total / n if n else None for n in (found, confirmed)]
        rows.append(
            (name, len(scored[name]), prices[name], total, found, each[0], confirmed, each[1])
        )
    schema = {
        "source": pl.String,
        "interviews": pl.UInt64,
        "cost_per_interview": pl.Float64,
        "cost": pl.Float64,
        "found_poor": pl.UInt64,
        "cost_per_found": pl.Float64,
        "confirmed": pl.UInt64,
        "cost_per_confirmed": pl.Float64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:,.4g}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
