"""A chart, and what all charts share."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nser_pmt import _files
from nser_pmt._options import invalid
from nser_pmt.errors import DomainError

__all__ = [
    "GREY",
    "LABELS",
    "NO_AXIS",
    "PALETTE",
    "POINTS",
    "WIDTH",
    "Chart",
    "alt",
    "data",
    "expected",
    "finished",
    "scale",
    "side",
    "zero_line",
]

try:
    import altair as alt
    import vl_convert as vlc
except ModuleNotFoundError as fault:
    raise ModuleNotFoundError(
        f"charts need {fault.name}: pip install 'nser_pmt[plots]'", name=fault.name
    ) from None

WIDTH = 520
GREY = "#718096"
"""Colour of lines to compare with."""
POINTS = 400
"""Points of a curve that the eye can tell apart."""
PALETTE = (
    "#2b6cb0",
    "#c05621",
    "#2f855a",
    "#6b46c1",
    "#b7791f",
    "#0987a0",
    "#97266d",
    "#718096",
    "#2d3748",
    "#c53030",
)
"""Colours of series that have no side."""
NO_AXIS = alt.Axis(title=None, labels=False, ticks=False, domain=False)
LABELS = alt.Axis(labelLimit=320, labelPadding=6, ticks=False, domain=False)


@dataclass(frozen=True, kw_only=True, repr=False)
class Chart:
    """A chart that is ready to be drawn.

    Attributes
    ----------
    title
        What it shows.
    altair
        The chart of Altair, to be changed or combined with others.
    """

    title: str
    altair: Any

    @functools.cached_property
    def svg(self) -> str:
        """The chart as SVG text."""
        version = ".".join(alt.SCHEMA_VERSION.split(".")[:2])
        described = self.altair.to_dict()
        text: str = vlc.vegalite_to_svg(described, vl_version=version, allowed_base_urls=[])
        return text

    def __repr__(self) -> str:
        return f"Chart: {self.title} (shows in a notebook; save writes it as .svg or .png)"

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | Path) -> None:
        """Write the chart to a file, all or nothing: SVG, or PNG if the name ends so.

        Raises
        ------
        DomainError
            The name ends in anything else (code ``invalid_option``).
        """
        path = Path(path)
        if path.suffix.lower() == ".svg":
            _files.write_text(path, self.svg)
        elif path.suffix.lower() == ".png":
            with _files.replacing(path) as temporary:
                temporary.write_bytes(vlc.svg_to_png(self.svg, scale=2))
        else:
            raise invalid("a chart is saved as .svg or .png")


def expected(value: object, kind: type, maker: str) -> None:
    """Refuse what is not a result of the right kind."""
    if not isinstance(value, kind):
        raise DomainError(
            f"expected a {kind.__name__}, found {type(value).__name__}",
            code="wrong_result",
            hint=f"It is what {maker} returns",
        )


def data(rows: list[dict[str, Any]]) -> Any:
    """Return rows as the data of a chart."""
    return alt.InlineData(values=rows)


def side(sides: tuple[str, ...], colours: tuple[str, ...]) -> Any:
    """Return colours by the field ``side``."""
    scale = alt.Scale(domain=list(sides), range=list(colours))
    return alt.Color("side:N", scale=scale, legend=None)


def scale(low: float, high: float, *, beyond: float) -> Any:
    """Return a scale with room beyond both ends for numbers."""
    room = beyond * ((high - low) or 1.0)
    return alt.Scale(domain=[low - room if low < 0 else low, high + room], nice=False)


def zero_line() -> Any:
    """Return an upright line at zero."""
    return alt.Chart(data([{"zero": 0}])).mark_rule(color="#a0aec0").encode(x="zero:Q")


def finished(chart: Any, title: str) -> Chart:
    """Return a chart in the style of all."""
    plain = chart.configure_view(stroke=None).configure_axis(gridColor="#e2e8f0")
    return Chart(title=title, altair=plain.properties(background="white"))
