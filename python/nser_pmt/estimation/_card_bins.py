"""Linear terms of a model cut into bins, so that a card can hold them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from math import isfinite

import polars as pl

from nser_pmt._options import invalid
from nser_pmt.errors import DomainError, ModelError
from nser_pmt.scoring.model import Bin, BinsTerm, LinearTerm, Model, missing_column

__all__ = ["cut_linear_terms"]


def cut_linear_terms(
    model: Model, edges: Mapping[str, Sequence[float]], frame: pl.DataFrame, weight: pl.Series
) -> Model:
    """Return the model with bins in the place of some linear terms.

    A bin has the mean of what the term adds to the scores of the households in it.
    """
    linear = {term.id: term for term in model.terms if isinstance(term, LinearTerm)}
    for id in edges:
        if id not in linear:
            raise ModelError(
                f"model '{model.id}' has no linear term '{id}'",
                code="no_such_name",
                hint=f"It has: {', '.join(linear)}" if linear else None,
            )
    terms = [
        _cut(model, term, [float(edge) for edge in edges[term.id]], frame, weight)
        if isinstance(term, LinearTerm) and term.id in edges
        else term
        for term in model.terms
    ]
    return replace(model, terms=tuple(terms))


def _cut(
    model: Model, term: LinearTerm, edges: list[float], frame: pl.DataFrame, weight: pl.Series
) -> BinsTerm:
    if not edges or not all(map(isfinite, edges)) or not all(a < b for a, b in pairwise(edges)):
        raise invalid(f"edges of '{term.id}' must be one or more numbers that rise")
    if term.input not in frame.columns:
        raise missing_column(term.input, frame.columns)
    alone = replace(
        model,
        inputs=tuple(item for item in model.inputs if item.name == term.input),
        terms=(replace(term, missing="null", out_of_range="null"),),
        intercept=0.0,
        steps=(),
        range=None,
        cutoffs=(),
        likelihoods=(),
    )
    number = pl.col(term.input).cast(pl.Float64)
    table = (
        frame.select(number.alias("number"), alone.score_expr().alias("points"))
        .with_columns(weight.alias("weight"))
        .filter(pl.col("points").is_not_null() & (pl.col("weight") > 0))
        .with_columns(bin=pl.sum_horizontal(pl.col("number") >= edge for edge in edges))
    )
    mean = (pl.col("points") * pl.col("weight")).sum() / pl.col("weight").sum()
    points: list[float] = []
    for n in range(len(edges) + 1):
        own = table.filter(pl.col("bin") == n)
        if not own.height:
            raise DomainError(
                f"term '{term.id}': no household is in bin {n + 1} of {len(edges) + 1}",
                code="empty_level",
                column=term.input,
                hint="Move the edges",
            )
        points.append(own.select(mean).item())
    limits = [None, *edges, None]
    bins = zip(pairwise(limits), points, strict=True)
    return BinsTerm(
        id=term.id,
        input=term.input,
        bins=tuple(Bin(ge=low, lt=high, points=value) for (low, high), value in bins),
        missing=term.missing,
        out_of_range=term.out_of_range,
        description=term.description,
    )
