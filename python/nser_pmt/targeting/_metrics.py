"""The metrics of targeting, each with its formula: one table for every use."""

from __future__ import annotations

import polars as pl

__all__ = ["COUNTS", "METRICS", "metrics"]

COUNTS = ("tp", "fp", "fn", "tn")
"""Weights of the poor and targeted, others targeted, poor missed, and neither."""

METRICS = (
    "headcount",
    "coverage",
    "ier",
    "eer",
    "leakage_iris",
    "leakage_share",
    "undercoverage_share",
    "type1",
    "type2",
    "total_accuracy",
    "misclassification",
    "poverty_accuracy",
    "non_poverty_accuracy",
    "bpac",
    "pie",
    "targeting_differential",
    "ntd",
    "cgh",
)
"""Metrics that follow from the four counts."""


def metrics() -> list[pl.Expr]:
    """Return the metrics as expressions over the columns `COUNTS`; null where they are undefined.

    Sources: C. Brown, M. Ravallion and D. van de Walle (2018), eq. 3-7; M. Schreiner (2009); L.
    McBride and A. Nichols (2018); D. Coady, M. Grosh and J. Hoddinott (2004).
    """
    tp, fp, fn, tn = (pl.col(name) for name in COUNTS)
    poor, other, targeted, everyone = tp + fn, fp + tn, tp + fp, tp + fp + fn + tn
    differential = _share(tp, poor) - _share(fp, other)
    made = {
        "headcount": _share(poor, everyone),
        "coverage": _share(targeted, everyone),
        "ier": _share(fp, targeted),
        "eer": _share(fn, poor),
        "leakage_iris": _share(fp, poor),
        "leakage_share": _share(fp, everyone),
        "undercoverage_share": _share(fn, everyone),
        "type1": _share(fp, other),
        "type2": _share(fn, poor),
        "total_accuracy": _share(tp + tn, everyone),
        "misclassification": _share(fp + fn, everyone),
        "poverty_accuracy": _share(tp, poor),
        "non_poverty_accuracy": _share(tn, other),
        "bpac": _share(tp - (fn - fp).abs(), poor),
        "pie": _share(targeted, everyone) - _share(poor, everyone),
        "targeting_differential": differential,
        "ntd": differential,
        "cgh": pl.when(poor > 0).then(_share(tp, targeted) / (poor / everyone)),
    }
    return [made[name].alias(name) for name in METRICS]


def _share(part: pl.Expr, whole: pl.Expr) -> pl.Expr:
    return pl.when(whole > 0).then(part / whole)
