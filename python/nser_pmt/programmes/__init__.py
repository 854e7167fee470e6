"""Programmes as dated rule books, and decisions by them."""

from nser_pmt.programmes.programme import (
    Amount,
    Condition,
    Cutoff,
    Exclude,
    Input,
    Line,
    Programme,
    Quota,
    RankKey,
    Recipient,
    Require,
    Rollup,
    Version,
)

__all__ = [
    "Amount",
    "Condition",
    "Cutoff",
    "Exclude",
    "Input",
    "Line",
    "Programme",
    "Quota",
    "RankKey",
    "Recipient",
    "Require",
    "Rollup",
    "Version",
]
