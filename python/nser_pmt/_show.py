"""How a model shows in a terminal and in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nser_pmt.scoring.model import Bin, Model, Term

_STATUS = {
    "published": "published formula",
    "research": "RESEARCH model, not an official formula",
    "template": "TEMPLATE without points: cannot score",
}


def model_text(model: Model) -> str:
    """Return a model as text, one term a line."""
    lines = [f"{model.id}: {model.title} ({model.country} {model.year})", _STATUS[model.status]]
    lines.append(_scale(model))
    for name, value, terms in _groups(model):
        if name:
            lines.append(name)
        if value:
            lines.append(f"  {'intercept':<26} {value:g}")
        lines += [f"  {term.id:<26} {_points(term)}" for term in terms]
    if model.cutoffs:
        lines.append("cut-offs: " + "; ".join(_cutoffs(model)))
    if model.likelihoods:
        lines.append("likelihood lines: " + ", ".join(t.line for t in model.likelihoods))
    return "\n".join(lines)


def model_html(model: Model) -> str:
    """Return a model as an HTML table."""
    rows = []
    for name, value, terms in _groups(model):
        if name:
            rows.append(f"<tr><th colspan=2 style='text-align:left'>{escape(name)}</th></tr>")
        if value:
            rows.append(f"<tr><td>intercept</td><td>{value:g}</td></tr>")
        rows += [
            f"<tr><td style='text-align:left'>{escape(term.id)}</td>"
            f"<td style='text-align:left'>{escape(_points(term))}</td></tr>"
            for term in terms
        ]
    foot = "; ".join(_cutoffs(model))
    return (
        f"<div><b>{escape(model.id)}</b>: {escape(model.title)} "
        f"({escape(model.country)} {model.year})<br>"
        f"<i>{escape(_STATUS[model.status])}</i><br>{escape(_scale(model))}"
        f"<table>{''.join(rows)}</table>{escape(foot)}</div>"
    )


def _scale(model: Model) -> str:
    side = "lower" if model.direction == "lower_is_poorer" else "higher"
    reach = f"from {model.range[0]:g} to {model.range[1]:g}, " if model.range else ""
    return f"score of a {model.unit}, {reach}{side} is poorer"


def _groups(model: Model) -> list[tuple[str, float, tuple[Term, ...]]]:
    if model.strata is None:
        return [("", model.intercept, model.terms)]
    return [
        (f"{model.strata.input} = {' or '.join(map(str, sub.values))}", sub.intercept, sub.terms)
        for sub in model.strata.models
    ]


def _points(term: Term) -> str:
    from nser_pmt.scoring.model import BinsTerm, LevelsTerm, LinearTerm, ProductTerm

    if isinstance(term, LevelsTerm):
        parts = [(str(v.label or v.values[0]), v.points) for v in term.levels]
    elif isinstance(term, BinsTerm):
        parts = [(b.label or interval(b), b.points) for b in term.bins]
    elif isinstance(term, LinearTerm):
        inner = term.input if term.transform == "none" else f"{term.transform}({term.input})"
        return f"{term.coefficient:g} x {inner}"
    elif isinstance(term, ProductTerm):
        return f"{term.coefficient:g} x {term.inputs[0]} x {term.inputs[1]}"
    else:
        return f"table of {term.inputs[0]} and {term.inputs[1]}, {len(term.cells)} cells"
    return " | ".join(name if p is None else f"{name} {p:g}" for name, p in parts)


def interval(item: Bin) -> str:
    low = f"[{item.ge:g}" if item.ge is not None else "(-inf"
    low = f"({item.gt:g}" if item.gt is not None else low
    high = f"{item.le:g}]" if item.le is not None else "inf)"
    high = f"{item.lt:g})" if item.lt is not None else high
    return f"{low}, {high}"


def _cutoffs(model: Model) -> list[str]:
    lower = model.direction == "lower_is_poorer"
    sign = {"inclusive": "<=" if lower else ">=", "exclusive": "<" if lower else ">"}
    return [f"{c.id} (score {sign.get(c.side, '?')} {c.value:g})" for c in model.cutoffs]
