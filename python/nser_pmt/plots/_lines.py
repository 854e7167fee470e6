"""Lines and designs of a targeting result, as many as a chart can show."""

from __future__ import annotations

from typing import Any

from nser_pmt._chart_data import design_name, line_name
from nser_pmt.errors import DomainError
from nser_pmt.plots._chart import PALETTE, expected
from nser_pmt.targeting.targeting import Targeting

__all__ = ["cases_of", "lines_of"]


def lines_of(targeting: Targeting) -> list[tuple[float | None, float | None]]:
    """Return rate and value of each poverty line, if they are not too many."""
    expected(targeting, Targeting, "targeting")
    lines = targeting.metrics.select("rate", "line").unique(maintain_order=True).rows()
    _few(len(lines), "poverty lines")
    return lines


def cases_of(targeting: Targeting) -> list[tuple[dict[str, Any], str]]:
    """Return the metrics of each line and design, and its name."""
    expected(targeting, Targeting, "targeting")
    rows = list(targeting.metrics.iter_rows(named=True))
    _few(len(rows), "lines and designs")
    return [
        (row, f"{line_name(row['rate'], row['line'])}, {design_name(row['design'], row['cutoff'])}")
        for row in rows
    ]


def _few(count: int, what: str) -> None:
    if count > len(PALETTE):
        raise DomainError(
            f"a chart shows up to {len(PALETTE)} {what}, the result has {count}",
            code="too_many_series",
            hint="Measure fewer at a time",
        )
