"""From a model with coefficients to a card with whole points: `to_scorecard`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape

import polars as pl

from nser_pmt._options import invalid
from nser_pmt.errors import ModelError
from nser_pmt.estimation._card_bins import cut_linear_terms
from nser_pmt.estimation._prepared import read_weights
from nser_pmt.estimation.likelihood_tables import LikelihoodTable, likelihood_table
from nser_pmt.scoring.model import (
    Affine,
    BinsTerm,
    LevelsTerm,
    MinMax,
    Model,
    Policy,
    TableTerm,
    Term,
    load_model,
)
from nser_pmt.scoring.scoring import score
from nser_pmt.targeting.model_comparison import ModelComparison, compare_models

__all__ = ["Scorecard", "to_scorecard"]

_ClassTerm = LevelsTerm | BinsTerm | TableTerm


@dataclass(frozen=True, kw_only=True, repr=False)
class Scorecard:
    """What `to_scorecard` made.

    Attributes
    ----------
    model
        The card: a `Model` with whole points from 0 up, whose highest score is `points`.
    points
        Highest score.
    per_point
        What a point stands for, in units of the model's raw score.
    rounding
        ``term``, ``levels``, ``span`` (of the model's points), ``points`` (highest of the card),
        ``largest_error`` of a level, in units of the raw score.
    comparison
        The model and its card on a survey, if one was given with a line or a rate: a
        `ModelComparison` of ``model`` and ``scorecard``.
    likelihoods
        Chance of being poor by band of the card's scores, if lines were given; the card holds it.
    """

    model: Model
    points: int
    per_point: float
    rounding: pl.DataFrame
    comparison: ModelComparison | None
    likelihoods: LikelihoodTable | None

    def __repr__(self) -> str:
        lines = [repr(self.model), self._loss()]
        if self.comparison is not None:
            lines.append(repr(self.comparison))
        if self.likelihoods is not None:
            lines.append(repr(self.likelihoods))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        parts = (self.comparison, self.likelihoods)
        after = "".join(part._repr_html_() for part in parts if part is not None)
        return f"{self.model._repr_html_()}<p>{escape(self._loss())}</p>{after}"

    def _loss(self) -> str:
        largest = max(self.rounding.get_column("largest_error").to_list())
        return (
            f"a point is {self.per_point:.4g} of the raw score; rounding moves a level by at most "
            f"{largest:.4g}"
        )


def to_scorecard(
    model: Model | str,
    *,
    points: int = 100,
    frame: pl.DataFrame | None = None,
    welfare: str | None = None,
    line: float | None = None,
    rate: float | Sequence[float] | None = None,
    weights: str | None = None,
    size: str | None = None,
    edges: Mapping[str, Sequence[float]] | None = None,
    lines: Mapping[str, float] | None = None,
    bands: float | Sequence[float] = 5,
    source: str = "",
) -> Scorecard:
    """Turn a model into a card with whole points that an interviewer can add.

    Parameters
    ----------
    model
        A `Model`, or the name or path of one. Its terms are levels, bins and tables; linear ones
        need `edges`.
    points
        Highest score of the card, at least 1.
    frame, welfare, line, rate, weights, size
        A survey on which to say what the rounding costs, as in `targeting`.
    edges
        For each linear term, by its id, the rising inner edges of bins to cut it into, with the
        help of the survey.
    lines, bands, source
        Names and amounts of poverty lines: the card gets a table of the chance of being poor for
        each band of its scores, see `likelihood_table`.

    Returns
    -------
    Scorecard

    Raises
    ------
    ModelError
        The model has strata, a product term, a linear term without edges, or does not vary.
    DomainError
        `points` is not allowed, or no household of the survey is in a bin.

    Notes
    -----
    Each term is shifted to have 0 as its lowest points. The highest points of the terms share out
    `points` by largest remainder (Hamilton's method), so they add up to it exactly; the points
    between are scaled with those of their term and rounded to the nearest, halves up. The order of
    levels in a term stays, but two may come to share their points, and a term with little weight
    may lose all of its own: `rounding` says so. Stated points for missing and unknown answers are
    scaled in the same way.

    A bin of a linear term has the weighted mean of what the term adds to the scores of the
    households in it; the outer bins have no end. `comparison` counts what that costs, too.

    Intercept, steps, cut-offs and likelihoods belong to the old scale and are left behind.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> card = nser.to_scorecard("hiics-2016-research", points=100)
    >>> card.model.range
    (0.0, 100.0)
    >>> card.rounding.select("term", "points").rows()[:3]
    [('dep_cat', 13), ('headedu_cat', 23), ('school_cat', 6)]
    """
    model = load_model(model) if isinstance(model, str) else model
    if points < 1:
        raise invalid("points must be at least 1")
    asked = lines is not None or line is not None or rate is not None
    if frame is not None and (welfare is None or not asked) and edges is None:
        raise invalid("a frame needs welfare, and a line, a rate or lines")
    if frame is None and (edges is not None or asked):
        raise invalid("edges, line, rate and lines need a frame")
    if asked and welfare is None:
        raise invalid("line, rate and lines need welfare")
    counted = None if frame is None else _weight(frame, weights, size)
    whole = model
    if edges and frame is not None and counted is not None:
        model = cut_linear_terms(model, edges, frame, counted)
    terms = _class_terms(model)
    sign = -1.0 if _reversed(model) else 1.0
    ranges = [_range(term, sign) for term in terms]
    spans = [high - low for low, high in ranges]
    if not sum(spans) > 0:
        raise ModelError(f"model '{model.id}': every answer has the same points", code="no_points")
    shares = _apportion(spans, points)
    made = [
        _scaled(term, sign, low, share / span if span > 0 else 0.0)
        for term, (low, _), span, share in zip(terms, ranges, spans, shares, strict=True)
    ]
    card = replace(
        model,
        id=f"{model.id}-scorecard",
        title=f"{model.title}, as a card of {points} points",
        status="research",
        range=(0.0, float(points)),
        intercept=0.0,
        terms=tuple(made),
        steps=(),
        cutoffs=(),
        likelihoods=(),
    )
    per_point = sum(spans) / points
    comparison = likelihoods = None
    if frame is not None and welfare is not None and (line is not None or rate is not None):
        comparison = compare_models(
            frame,
            {"model": whole, "scorecard": card},
            welfare=welfare,
            line=line,
            rate=rate,
            weights=weights,
            size=size,
        )
    if frame is not None and welfare is not None and lines is not None:
        scored = score(frame.select(*card.columns), card)
        table = pl.DataFrame(
            {"pmt_score": scored.get_column("pmt_score"), "welfare": frame.get_column(welfare)}
        )
        likelihoods = likelihood_table(
            table.with_columns(weight=counted),
            welfare="welfare",
            lines=lines,
            bands=bands,
            weights="weight",
            source=source,
        )
        card = likelihoods.attach(card)
    return Scorecard(
        model=card,
        points=points,
        per_point=per_point,
        rounding=_rounding(terms, made, sign, ranges, per_point),
        comparison=comparison,
        likelihoods=likelihoods,
    )


def _weight(frame: pl.DataFrame, weights: str | None, size: str | None) -> pl.Series:
    """Return what each household counts."""
    found = read_weights(frame, weights, size)
    return pl.repeat(1.0, frame.height, eager=True) if found is None else found


def _class_terms(model: Model) -> list[_ClassTerm]:
    if model.strata is not None:
        raise ModelError(
            f"model '{model.id}' has strata: their scores would not be comparable as cards",
            code="no_scorecard",
            hint="Make a card of each stratum",
        )
    if model.status == "template":
        raise ModelError(
            f"model '{model.id}' is a template: its points are not public", code="points_not_public"
        )
    terms = []
    for term in model.terms:
        if not isinstance(term, _ClassTerm):
            hint = "Give edges for it, and a frame, or fit bins in its place"
            raise ModelError(
                f"model '{model.id}', term '{term.id}': a {term.kind} term has no classes",
                code="no_scorecard",
                hint=hint if term.kind == "linear" else "Fit classes in its place",
            )
        terms.append(term)
    return terms


def _reversed(model: Model) -> bool:
    """Whether the steps turn the raw score around."""
    turns = 0
    for step in model.steps:
        if isinstance(step, Affine):
            turns += step.multiply < 0
        elif isinstance(step, MinMax):
            turns += (step.high - step.low) * (step.to_high - step.to_low) < 0
    return turns % 2 == 1


def _policies(term: _ClassTerm) -> tuple[Policy, Policy]:
    other = term.out_of_range if isinstance(term, BinsTerm) else term.unknown
    return term.missing, other


def _values(term: _ClassTerm, *, stated: bool = True) -> list[float]:
    """Return the points of a term, in order, those of its policies last."""
    if isinstance(term, LevelsTerm):
        found = [level.points for level in term.levels]
    elif isinstance(term, BinsTerm):
        found = [item.points for item in term.bins]
    else:
        found = [cell.points for cell in term.cells]
    if stated:
        found += [p for p in _policies(term) if not isinstance(p, str)]
    return [value for value in found if value is not None]


def _range(term: _ClassTerm, sign: float) -> tuple[float, float]:
    values = [sign * value for value in _values(term)]
    return min(values), max(values)


def _apportion(spans: Sequence[float], points: int) -> list[int]:
    """Share whole points out in proportion; what is left goes to the largest remainders."""
    total = sum(spans)
    exact = [points * span / total for span in spans]
    shares = [int(share) for share in exact]
    by_remainder = sorted(range(len(spans)), key=lambda i: (shares[i] - exact[i], i))
    for i in by_remainder[: points - sum(shares)]:
        shares[i] += 1
    return shares


def _scaled(term: _ClassTerm, sign: float, low: float, factor: float) -> Term:
    def whole(value: float) -> float:
        return float(int((sign * value - low) * factor + 0.5))

    def some(value: float | None) -> float | None:
        return None if value is None else whole(value)

    def policy(value: Policy) -> Policy:
        return value if isinstance(value, str) else whole(value)

    missing, other = (policy(p) for p in _policies(term))
    if isinstance(term, LevelsTerm):
        levels = tuple(replace(level, points=some(level.points)) for level in term.levels)
        return replace(term, levels=levels, missing=missing, unknown=other)
    if isinstance(term, BinsTerm):
        bins = tuple(replace(item, points=some(item.points)) for item in term.bins)
        return replace(term, bins=bins, missing=missing, out_of_range=other)
    cells = tuple(replace(cell, points=whole(cell.points)) for cell in term.cells)
    return replace(term, cells=cells, missing=missing, unknown=other)


def _rounding(
    before: Sequence[_ClassTerm],
    after: Sequence[Term],
    sign: float,
    ranges: Sequence[tuple[float, float]],
    per_point: float,
) -> pl.DataFrame:
    rows = []
    for old, new, (low, high) in zip(before, after, ranges, strict=True):
        assert isinstance(new, _ClassTerm)  # made of one above
        given, made = _values(old), _values(new)
        errors = [abs(b * per_point - (sign * a - low)) for a, b in zip(given, made, strict=True)]
        rows.append(
            (old.id, len(_values(old, stated=False)), high - low, int(max(made)), max(errors))
        )
    schema = {"term": pl.String, "levels": pl.Int64, "span": pl.Float64, "points": pl.Int64}
    return pl.DataFrame(rows, schema=schema | {"largest_error": pl.Float64}, orient="row")
