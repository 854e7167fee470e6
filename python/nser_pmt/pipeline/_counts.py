"""What became of the rows of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import polars as pl

from nser_pmt.linkage.verification import Verified
from nser_pmt.pipeline._decisions import Decided
from nser_pmt.pipeline._duplicates import Duplicates

__all__ = ["counts"]


def counts(
    inputs: Mapping[str, tuple[str | None, str | None, int]],
    verified: Verified | None,
    duplicates: Duplicates | None,
    scored: pl.DataFrame,
    decisions: Mapping[str, Decided],
    payments: pl.DataFrame,
) -> pl.DataFrame:
    """Return ``step``, ``what``, ``rows``, in the order of the steps.

    Forms are those kept and those of a household that has one; decisions add up to the rows that
    were decided.
    """
    rows: list[tuple[str, str, int]] = [
        ("forms", name, rows) for name, (_, _, rows) in inputs.items()
    ]
    if verified is not None:
        by = verified.summary.group_by("verdict", maintain_order=True).agg(pl.col("rows").sum())
        rows += [("verified", verdict, n) for verdict, n in by.iter_rows()]
    if duplicates is not None:
        rows += [
            ("duplicates", "forms kept", scored.height),
            ("duplicates", "forms of a household that has one", duplicates.households.height),
        ]
    rows += [("scores", name, n) for name, n in _values(scored, "pmt_status")]
    for name, decided in decisions.items():
        rows += [(name, decision, n) for decision, n in _values(decided.frame, "decision")]
        own = payments.filter(pl.col("programme") == name)
        paid = own.filter(pl.col("held").is_null())
        rows += [(name, "payments", paid.height)]
        rows += [(name, f"held: {why}", n) for why, n in _values(own, "held")]
    return pl.DataFrame(
        rows, schema={"step": pl.String, "what": pl.String, "rows": pl.Int64}, orient="row"
    )


def _values(frame: pl.DataFrame, column: str) -> Iterator[tuple[str, int]]:
    found = (
        frame.drop_nulls(column).group_by(column).agg(pl.len()).sort(pl.col(column).to_physical())
    )
    return found.cast({column: pl.String}).iter_rows()
