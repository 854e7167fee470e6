"""A model cut down to one of its terms: its score is what the term adds."""

from __future__ import annotations

from dataclasses import replace

from nser_pmt.scoring.model import BinsTerm, LevelsTerm, Model, TableTerm, Term

__all__ = ["only_term"]


def only_term(model: Model, term: str | None) -> Model:
    """Return the model in which only one term, or only the intercept, has points other than 0."""
    subs = tuple(
        replace(
            sub,
            intercept=sub.intercept if term is None else 0.0,
            terms=tuple(t if t.id == term else _zero(t) for t in sub.terms),
            steps=(),
        )
        for sub in model.sub_models()
    )
    bare = replace(model, steps=(), cutoffs=(), likelihoods=(), range=None)
    if model.strata is not None:
        return replace(bare, strata=replace(model.strata, models=subs))
    return replace(bare, intercept=subs[0].intercept, terms=subs[0].terms)


def _zero(term: Term) -> Term:
    if isinstance(term, LevelsTerm):
        return replace(term, levels=tuple(replace(level, points=0.0) for level in term.levels))
    if isinstance(term, BinsTerm):
        return replace(term, bins=tuple(replace(item, points=0.0) for item in term.bins))
    if isinstance(term, TableTerm):
        return replace(term, cells=tuple(replace(cell, points=0.0) for cell in term.cells))
    return replace(term, coefficient=0.0)
