"""Small drawings for notebooks as SVG text: nothing to install, nothing to load."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TypeAlias

__all__ = [
    "AGAINST",
    "FOR",
    "LETTERS",
    "Bar",
    "Interval",
    "bars",
    "histogram",
    "intervals",
    "lines",
    "staggered",
]

FOR = "#2b6cb0"
"""Colour of what speaks for a match, and of who enters."""
AGAINST = "#c05621"
"""Colour of what speaks against it, and of who leaves."""

Bar: TypeAlias = tuple[str | None, float, str]
"""Label, length, colour; a label of None is a missing value."""
Interval: TypeAlias = tuple[str, float | None, float | None, float | None, bool]
"""Label, value and both ends (None for a line of text only), and whether the label is bold."""

_WIDTH = 680
_LABELS = 210
_NUMBERS = 62
_LETTER = 7
_ROW = 18
_GAP = 12
LETTERS = 26
"""Letters of a label that have room."""
# Letters of a name and a label that have room side by side.
_BOTH = 30
_GRID = "#a0aec0"


def bars(
    groups: Sequence[tuple[str, Sequence[Bar]]],
    *,
    form: str,
    caption: str,
    label: str,
    full: float = 0.0,
) -> str:
    """Return horizontal bars from zero, with their numbers, in named groups.

    Parameters
    ----------
    groups
        Name (empty for none) and bars.
    form
        Format of the numbers.
    caption
        What the lengths are.
    label
        What the picture shows, for who cannot see it.
    full
        Length that has room in any case.
    """
    values = [0.0, full, *(value for _, group in groups for _, value, _ in group)]
    low, high = min(values), max(values)
    letters = max(
        (len(f"{value:{form}}") for _, group in groups for _, value, _ in group), default=0
    )
    room = max(_NUMBERS, 6 + _LETTER * letters)
    unit = (_WIDTH - _LABELS - _NUMBERS - room) / ((high - low) or 1.0)
    zero = _LABELS + _NUMBERS - low * unit
    # Names stand beside the first label if all of them have room there, or else above it.
    above = any(
        len(name) + min(len((group[0][0] or "") if group else ""), LETTERS) > _BOTH
        for name, group in groups
    )
    parts: list[str] = []
    y = 0
    for name, group in groups:
        y += _GAP
        if name:
            parts.append(f'<text x="0" y="{y + 13}" font-weight="bold">{_short(name)}</text>')
            y += _ROW if above else 0
        for bar in group:
            parts.append(_bar(bar, y, zero, unit, form))
            y += _ROW
    parts.append(_upright(zero, _GAP, y, "currentColor"))
    parts.append(_text(zero, y + 20, caption, "middle" if low < 0 else "start"))
    return _picture(parts, y + 26, label)


def intervals(rows: Sequence[Interval], *, caption: str, label: str) -> str:
    """Return points with intervals around zero, one a row."""
    numbers = [x for row in rows for x in row[1:4] if x is not None]
    low, high = min([0.0, *numbers]), max([0.0, *numbers])
    unit = (_WIDTH - _LABELS - _NUMBERS - 20) / ((high - low) or 1.0)

    def at(value: float) -> float:
        return _LABELS + 16 + (value - low) * unit

    parts, y = [], _GAP
    for name, value, left, right, bold in rows:
        weight = ' font-weight="bold"' if bold else ""
        parts.append(
            f'<text x="{_LABELS}" y="{y + 13}" text-anchor="end"{weight}>{_short(name)}</text>'
        )
        if value is not None:
            middle = y + _ROW / 2
            if left is not None and right is not None:
                parts.append(
                    f'<line x1="{at(left):.1f}" x2="{at(right):.1f}" y1="{middle}" y2="{middle}" '
                    f'stroke="{FOR}" stroke-width="2"/>'
                )
            parts.append(f'<circle cx="{at(value):.1f}" cy="{middle}" r="3.5" fill="{FOR}"/>')
            parts.append(
                f'<text x="{_WIDTH}" y="{y + 13}" text-anchor="end">{_number(value)}</text>'
            )
        y += _ROW
    parts.insert(0, _upright(at(0.0), _GAP, y, _GRID))
    parts.append(_text(at(0.0), y + 18, "0", "middle"))
    parts.append(_text(_WIDTH, y + 18, caption, "end"))
    return _picture(parts, y + 26, label)


def lines(
    series: Sequence[tuple[str, str, Sequence[tuple[float, float]]]],
    *,
    marks: Sequence[tuple[str, float]],
    caption: str,
    label: str,
) -> str:
    """Return curves of shares, from 0 to 1.

    Parameters
    ----------
    series
        Name, colour, and points.
    marks
        Places on the horizontal axis, with their names.
    caption, label
        What the horizontal axis is, and what the picture shows.
    """
    left, right, top = 46.0, _WIDTH - 16.0, 30.0 + 14 * len(marks)
    bottom = top + 160
    places = [x for _, _, points in series for x, _ in points] + [x for _, x in marks]
    low, high = min(places, default=0.0), max(places, default=1.0)
    unit = (right - left) / ((high - low) or 1.0)

    def path(points: Sequence[tuple[float, float]]) -> str:
        return " ".join(
            f"{left + (x - low) * unit:.1f},{bottom - y * (bottom - top):.1f}" for x, y in points
        )

    parts = []
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * (bottom - top)
        parts.append(f'<line x1="{left}" x2="{right}" y1="{y}" y2="{y}" stroke="{_GRID}"/>')
        parts.append(_text(left - 6, y + 4, f"{share:.0%}", "end"))
    start = left
    for name, colour, points in series:
        parts.append(
            f'<polyline points="{path(points)}" fill="none" stroke="{colour}" stroke-width="2"/>'
        )
        parts.append(f'<rect x="{start}" y="8" width="18" height="4" fill="{colour}"/>')
        parts.append(_text(start + 24, 15, name, "start"))
        start += 60 + 7 * len(name)
    for n, (name, x) in enumerate(staggered(marks, (low + high) / 2)):
        at, y = left + (x - low) * unit, top - 14 * (len(marks) - n)
        parts.append(_upright(at, y, bottom, "currentColor", dashed=True))
        side, off = ("start", 5) if x <= (low + high) / 2 else ("end", -5)
        parts.append(_text(at + off, y + 10, name, side))
    parts.append(_text(left, bottom + 16, f"{low:.4g}", "start"))
    parts.append(_text((left + right) / 2, bottom + 16, caption, "middle"))
    parts.append(_text(right, bottom + 16, f"{high:.4g}", "end"))
    return _picture(parts, bottom + 24, label)


def staggered(marks: Sequence[tuple[str, float]], middle: float) -> list[tuple[str, float]]:
    """Return marks from the top down, so that no rule crosses the word of another.

    Words run to the middle; so those nearest to an edge are highest.
    """
    near = sorted((mark for mark in marks if mark[1] <= middle), key=lambda mark: mark[1])
    far = sorted((mark for mark in marks if mark[1] > middle), key=lambda mark: -mark[1])
    return near + far


def histogram(
    bins: Sequence[tuple[float, float, int]], *, marks: Sequence[float], caption: str, label: str
) -> str:
    """Return how many values are in each bin; marks are places on the horizontal axis."""
    left, right, top, bottom = 16.0, _WIDTH - 16.0, 14.0, 134.0
    low, high = bins[0][0], bins[-1][1]
    unit = (right - left) / (high - low)
    tallest = max(count for *_, count in bins) or 1
    parts = [_text(left, top - 3, f"{tallest:,} rows in the tallest bar", "start")]
    for start, end, count in bins:
        size = count / tallest * (bottom - top)
        parts.append(
            f'<rect x="{left + (start - low) * unit:.1f}" y="{bottom - size:.1f}" '
            f'width="{max((end - start) * unit - 1, 0.5):.1f}" height="{size:.1f}" fill="{FOR}"/>'
        )
    parts.append(f'<line x1="{left}" x2="{right}" y1="{bottom}" y2="{bottom}" stroke="{_GRID}"/>')
    for mark in marks:
        if low <= mark <= high:
            at = left + (mark - low) * unit
            parts.append(_upright(at, top, bottom, "currentColor", dashed=True))
    parts.append(_text(left, bottom + 16, f"{low:.4g}", "start"))
    parts.append(_text((left + right) / 2, bottom + 16, caption, "middle"))
    parts.append(_text(right, bottom + 16, f"{high:.4g}", "end"))
    return _picture(parts, bottom + 24, label)


def _bar(bar: Bar, y: int, zero: float, unit: float, form: str) -> str:
    name, value, colour = bar
    size = abs(value) * unit
    left = zero if value >= 0 else zero - size
    side, at = ("start", zero + size + 5) if value >= 0 else ("end", zero - size - 5)
    return (
        f'<text x="{_LABELS}" y="{y + 13}" text-anchor="end">{_short(name)}</text>'
        f'<rect x="{left:.1f}" y="{y + 2}" width="{size:.1f}" height="{_ROW - 4}" '
        f'fill="{colour}"/>'
        f'<text x="{at:.1f}" y="{y + 13}" text-anchor="{side}">{value:{form}}</text>'
    )


def _picture(parts: Sequence[str], height: float, label: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" aria-label="{escape(label)}" '
        f'width="{_WIDTH}" viewBox="0 0 {_WIDTH} {height:g}" font-family="sans-serif" '
        f'font-size="12" fill="currentColor">{"".join(parts)}</svg>'
    )


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:g}" text-anchor="{anchor}">{escape(text)}</text>'


def _upright(x: float, top: float, bottom: float, colour: str, *, dashed: bool = False) -> str:
    dash = ' stroke-dasharray="3 3"' if dashed else ""
    return f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top}" y2="{bottom}" stroke="{colour}"{dash}/>'


def _number(value: float) -> str:
    """Return a number in few letters, with its sign."""
    return f"{value:+.3f}" if 1e-3 <= abs(value) < 1e4 else f"{value:+.3g}"


def _short(text: str | None) -> str:
    """Return a label as XML, cut if it is long; the whole one shows under the pointer."""
    text = "missing" if text is None else text
    if len(text) <= LETTERS:
        return escape(text)
    return f"<title>{escape(text)}</title>{escape(text[: LETTERS - 1])}…"
