"""Small charts for notebooks, drawn as SVG text: nothing to install, nothing to load."""

from __future__ import annotations

from html import escape

import polars as pl

__all__ = ["AGAINST", "FOR", "weight_bars"]

FOR = "#2b6cb0"
"""Colour of what speaks for a match."""
AGAINST = "#c05621"
"""Colour of what speaks against it."""

_WIDTH = 680
_LABELS = 210
_NUMBERS = 52
_ROW = 18
_GAP = 12
# Letters of a label that have room.
_LETTERS = 26


def weight_bars(table: pl.DataFrame) -> str:
    """Return the match weights of a table of `Learned` as bars, one a level."""
    groups = table.select("comparison", "level", "weight").partition_by(
        "comparison", maintain_order=True
    )
    weights = table.get_column("weight").to_list()
    low, high = min([0.0, *weights]), max([0.0, *weights])
    room = _WIDTH - _LABELS - 2 * _NUMBERS
    unit = room / ((high - low) or 1.0)
    zero = _LABELS + _NUMBERS - low * unit
    parts, y = [], 0
    for group in groups:
        y += _GAP
        name = group.item(0, "comparison")
        parts.append(f'<text x="0" y="{y + 13}" font-weight="bold">{_label(name)}</text>')
        for level, weight in group.select("level", "weight").iter_rows():
            parts.append(_bar(level, weight, y, zero, unit))
            y += _ROW
    line = f'<line x1="{zero:.1f}" x2="{zero:.1f}" y1="{_GAP}" y2="{y}" stroke="currentColor"/>'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="match weights" '
        f'width="{_WIDTH}" viewBox="0 0 {_WIDTH} {y + 26}" font-family="sans-serif" '
        f'font-size="12" fill="currentColor">{"".join(parts)}{line}'
        f'<text x="{zero:.1f}" y="{y + 20}" text-anchor="middle">match weight, log2(m / u)</text>'
        "</svg>"
    )


def _bar(level: str | None, weight: float, y: int, zero: float, unit: float) -> str:
    size = abs(weight) * unit
    left = zero if weight >= 0 else zero - size
    side, at = ("start", zero + size + 5) if weight >= 0 else ("end", zero - size - 5)
    colour = FOR if weight >= 0 else AGAINST
    return (
        f'<text x="{_LABELS}" y="{y + 13}" text-anchor="end">{_label(level)}</text>'
        f'<rect x="{left:.1f}" y="{y + 2}" width="{size:.1f}" height="{_ROW - 4}" '
        f'fill="{colour}"/>'
        f'<text x="{at:.1f}" y="{y + 13}" text-anchor="{side}">{weight:+.1f}</text>'
    )


def _label(text: str | None) -> str:
    """Return a label as XML, cut if it is long; the whole one shows under the pointer."""
    text = "missing" if text is None else text
    if len(text) <= _LETTERS:
        return escape(text)
    return f"<title>{escape(text)}</title>{escape(text[: _LETTERS - 1])}…"
