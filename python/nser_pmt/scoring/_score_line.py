"""Who is on the poor side of a line on the score."""

from __future__ import annotations

import math

import polars as pl

from nser_pmt._options import invalid
from nser_pmt.scoring.model import Cutoff, Model

__all__ = ["below", "line_of", "line_text"]


def line_of(model: Model, line: float | str | None) -> Cutoff:
    """Return a line: a cut-off of the model by its name, or a score that is itself included.

    None is the one cut-off that the model has.
    """
    if line is None:
        if len(model.cutoffs) != 1:
            raise invalid("give a line: the model does not have exactly one cut-off")
        line = model.cutoffs[0].id
    if isinstance(line, str):
        found = model.cutoff(line)
        if found.side == "unknown":
            raise invalid(f"cut-off '{line}' does not say whether the value itself is included")
        return found
    if isinstance(line, bool) or not math.isfinite(line):
        raise invalid("a line must be a finite score, or the name of a cut-off")
    return Cutoff("line", value=float(line), side="inclusive")


def below(model: Model, line: Cutoff, score: str) -> pl.Expr:
    """Return whether a score is on the poor side; null where there is no score."""
    column, inclusive = pl.col(score), line.side == "inclusive"
    if model.direction == "lower_is_poorer":
        return column <= line.value if inclusive else column < line.value
    return column >= line.value if inclusive else column > line.value


def line_text(model: Model, line: Cutoff) -> str:
    """Return the line in words."""
    signs = {"lower_is_poorer": ("<=", "<"), "higher_is_poorer": (">=", ">")}
    sign = signs[model.direction][line.side != "inclusive"]
    return f"score {sign} {line.value:g}"
