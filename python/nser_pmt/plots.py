"""Charts of a linkage, drawn on this machine; they need the extra ``nser_pmt[plots]``.

Each function returns a `Chart`: it shows in a notebook, `Chart.svg` is its text, and `Chart.save`
writes it. Altair describes a chart, vl-convert draws it; neither loads anything from the network.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from nser_pmt import _files
from nser_pmt._charts import AGAINST, FOR
from nser_pmt._options import invalid
from nser_pmt.clustering import Clusters
from nser_pmt.errors import DomainError, SchemaError
from nser_pmt.learning import Learned
from nser_pmt.link_quality import LinkQuality

__all__ = ["Chart", "cluster_sizes", "match_weights", "threshold_curve", "waterfall"]

try:
    import altair as alt
    import vl_convert as vlc
except ModuleNotFoundError as fault:
    raise ModuleNotFoundError(
        f"charts need {fault.name}: pip install 'nser_pmt[plots]'", name=fault.name
    ) from None

_WIDTH = 520
_TOTAL = "#4a5568"
# Points of a curve that the eye can tell apart, and sizes of clusters that have a bar of their own.
_POINTS = 400
_SIZES = 20


@dataclass(frozen=True, kw_only=True, repr=False)
class Chart:
    """A chart that is ready to be drawn.

    Attributes
    ----------
    altair
        The chart of Altair, to be changed or combined with others.
    """

    altair: Any

    @functools.cached_property
    def svg(self) -> str:
        """The chart as SVG text."""
        version = ".".join(alt.SCHEMA_VERSION.split(".")[:2])
        described = self.altair.to_dict()
        text: str = vlc.vegalite_to_svg(described, vl_version=version, allowed_base_urls=[])
        return text

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


def match_weights(learned: Learned) -> Chart:
    """Draw the match weight of each level: what it adds to, or takes from, the weight of a pair.

    Parameters
    ----------
    learned
        What `learn` found.

    Returns
    -------
    Chart

    Examples
    --------
    >>> import nser_pmt as nser
    >>> people = nser.synth.people(5000, seed=1).records
    >>> learned = nser.learn(people, nser.propose_spec(people, id="id").spec, id="id")
    >>> nser.plots.match_weights(learned).svg[:4]
    '<svg'
    """
    table = learned.table.select("comparison", "level", "weight")
    table = table.with_columns(
        side=pl.when(pl.col("weight") >= 0).then(pl.lit("for")).otherwise(pl.lit("against"))
    )
    weights = [0.0, *table.get_column("weight")]
    scale = _scale(min(weights), max(weights), beyond=0.1)
    groups = table.partition_by("comparison", maintain_order=True)
    panels = []
    for number, group in enumerate(groups):
        last = number == len(groups) - 1
        axis = alt.Axis(title="match weight, log2(m / u)") if last else _NO_AXIS
        base = alt.Chart(_data(group.to_dicts()), title=group.item(0, "comparison")).encode(
            x=alt.X("weight:Q", scale=scale, axis=axis),
            y=alt.Y("level:N", sort=group.get_column("level").to_list(), title=None, axis=_LABELS),
        )
        panels.append(_with_numbers(base).properties(width=_WIDTH, height=alt.Step(18)))
    stacked = alt.vconcat(*panels, spacing=4)
    return _finished(stacked.configure_title(anchor="start", frame="group", fontSize=12, offset=3))


def waterfall(explained: pl.DataFrame) -> Chart:
    """Draw how the weight of one pair comes about: the prior, each comparison, and the sum.

    Parameters
    ----------
    explained
        Rows of one pair of what `explain_pairs` gave.

    Returns
    -------
    Chart

    Raises
    ------
    SchemaError
        A column is missing.
    DomainError
        The rows are of no pair or of several (code ``one_pair``).

    Examples
    --------
    >>> import nser_pmt as nser
    >>> import polars as pl
    >>> sex = nser.compare.exact("sex").with_chances(m=[0.99, 0.01], u=[0.5, 0.5])
    >>> spec = nser.LinkSpec(compare=[sex], block_on=[["sex"]], prior=0.25)
    >>> people = pl.DataFrame({"id": [1, 2], "sex": ["f", "f"]})
    >>> pairs = nser.link(people, spec, id="id", threshold=None)
    >>> nser.plots.waterfall(nser.explain_pairs(pairs, spec)).svg[:4]
    '<svg'
    """
    for column in ("id_left", "id_right", "comparison", "level", "weight"):
        if column not in explained.columns:
            raise SchemaError(f"column '{column}' is missing", code="missing_column", column=column)
    if explained.select("id_left", "id_right").unique().height != 1:
        raise DomainError(
            "a waterfall shows one pair", code="one_pair", hint="Filter by id_left and id_right"
        )
    rows: list[dict[str, Any]] = []
    reached = 0.0
    steps = explained.select("comparison", "level", "weight").iter_rows()
    for comparison, level, weight in steps:
        own = comparison not in ("prior", "term frequency")
        label = f"{comparison}: {'missing' if level is None else level}" if own else comparison
        side = "for" if weight >= 0 else "against"
        ends = {"start": reached, "end": reached + weight}
        rows.append({"label": label, "weight": weight, "side": side, **ends})
        reached += weight
    total = {"label": "match weight", "weight": reached, "side": "total"}
    rows.append({**total, "start": 0.0, "end": reached})
    sums = [0.0, *(row["end"] for row in rows)]
    scale = _scale(min(sums), max(sums), beyond=0.04)
    order = [row["label"] for row in rows]
    base = alt.Chart(_data([row | {"right": max(row["start"], row["end"])} for row in rows]))
    y = alt.Y("label:N", sort=order, title=None, axis=_LABELS)
    bars = base.mark_bar(height=14).encode(
        x=alt.X("start:Q", title="weight, log2 odds", scale=scale, axis=alt.Axis(tickCount=8)),
        x2="end:Q",
        y=y,
        color=_side(("for", "against", "total"), (FOR, AGAINST, _TOTAL)),
    )
    numbers = base.mark_text(align="left", dx=5).encode(
        x="right:Q", y=y, text=alt.Text("weight:Q", format="+.1f")
    )
    zero = alt.Chart(_data([{"zero": 0}])).mark_rule(color="#a0aec0").encode(x="zero:Q")
    return _finished((zero + bars + numbers).properties(width=_WIDTH, height=alt.Step(22)))


def threshold_curve(quality: LinkQuality) -> Chart:
    """Draw precision, recall and F1 by threshold, and where the threshold stands.

    Parameters
    ----------
    quality
        What `evaluate_links` found of pairs with weights.

    Returns
    -------
    Chart

    Raises
    ------
    DomainError
        There is no curve: clusters, or pairs without weights, were measured (code ``no_curve``).

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> truth = pl.DataFrame({"id": [1, 2, 3], "entity": ["a", "a", "b"]})
    >>> pairs = pl.DataFrame(
    ...     {"id_left": [1, 2], "id_right": [2, 3], "match_weight": [9.0, -1.5]}
    ... )
    >>> nser.plots.threshold_curve(nser.evaluate_links(pairs, truth)).svg[:4]
    '<svg'
    """
    curve = quality.curve
    if curve is None or curve.height == 0:
        raise DomainError(
            "there is no curve to draw",
            code="no_curve",
            hint="Give evaluate_links pairs with match_weight",
        )
    if curve.height > _POINTS:
        step = (curve.height - 1) / (_POINTS - 1)
        curve = curve[sorted({round(k * step) for k in range(_POINTS)})]
    measures = ("precision", "recall", "F1")
    rows = [
        {"threshold": at, "measure": name, "value": value}
        for at, *values in curve.select("threshold", "precision", "recall", "f1").iter_rows()
        for name, value in zip(measures, values, strict=True)
        if value is not None
    ]
    colour = alt.Color(
        "measure:N",
        scale=alt.Scale(domain=list(measures), range=[FOR, AGAINST, "#2d3748"]),
        sort=list(measures),
        legend=alt.Legend(title=None, orient="top", symbolSize=400),
    )
    dashes = alt.Scale(domain=list(measures), range=[[6, 3], [2, 2], [1, 0]])
    dash = alt.StrokeDash("measure:N", scale=dashes, sort=list(measures))
    lines = (
        alt.Chart(_data(rows))
        .mark_line(strokeWidth=2)
        .encode(
            x=alt.X(
                "threshold:Q", title="least match weight of a link", axis=alt.Axis(tickCount=10)
            ),
            y=alt.Y("value:Q", title=None, scale=alt.Scale(domain=[0, 1])),
            color=colour,
            strokeDash=dash,
        )
    )
    at = alt.Chart(_data([{"at": quality.threshold, "text": f"threshold {quality.threshold:g}"}]))
    rule = at.mark_rule(color="#718096", strokeDash=[2, 2]).encode(x="at:Q")
    word = at.mark_text(align="left", baseline="bottom", dx=4, dy=-4, color="#4a5568").encode(
        x="at:Q", y=alt.value(280), text="text:N"
    )
    return _finished((lines + rule + word).properties(width=_WIDTH, height=280))


def cluster_sizes(clusters: Clusters) -> Chart:
    """Draw how many clusters have each size, on a logarithmic scale.

    Parameters
    ----------
    clusters
        What `cluster` found.

    Returns
    -------
    Chart

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> pairs = pl.DataFrame({"id_left": [1, 4], "id_right": [2, 5], "match_weight": [9.0, 7.0]})
    >>> nser.plots.cluster_sizes(nser.cluster(pairs)).svg[:4]
    '<svg'
    """
    sizes = clusters.sizes.sort("size").rows()
    own = sizes if len(sizes) <= _SIZES else sizes[: _SIZES - 1]
    rows = [{"size": f"{size:,}", "clusters": count} for size, count in own]
    if len(sizes) > len(own):
        rest = sizes[len(own) :]
        rows.append({"size": f"≥ {rest[0][0]:,}", "clusters": sum(count for _, count in rest)})
    base = alt.Chart(_data(rows)).encode(
        x=alt.X("size:N", sort=None, title="records in a cluster", axis=alt.Axis(labelAngle=0)),
        y=alt.Y(
            "clusters:Q",
            title="clusters (logarithmic)",
            scale=alt.Scale(type="log", domainMin=0.5, nice=False),
            axis=alt.Axis(format=",", values=[10**k for k in range(10)]),
        ),
    )
    bars = base.mark_bar(color=FOR).encode(y2=alt.datum(0.5))
    numbers = base.mark_text(baseline="bottom", dy=-3).encode(
        text=alt.Text("clusters:Q", format=",")
    )
    width = alt.Step(46) if len(rows) < 12 else alt.Step(38)
    return _finished((bars + numbers).properties(width=width, height=240))


_NO_AXIS = alt.Axis(title=None, labels=False, ticks=False, domain=False)
_LABELS = alt.Axis(labelLimit=320, labelPadding=6, ticks=False, domain=False)


def _data(rows: list[dict[str, Any]]) -> Any:
    return alt.InlineData(values=rows)


def _side(sides: tuple[str, ...], colours: tuple[str, ...]) -> Any:
    scale = alt.Scale(domain=list(sides), range=list(colours))
    return alt.Color("side:N", scale=scale, legend=None)


def _scale(low: float, high: float, *, beyond: float) -> Any:
    """Return a scale with room beyond both ends for numbers."""
    room = beyond * ((high - low) or 1.0)
    return alt.Scale(domain=[low - room if low < 0 else low, high + room], nice=False)


def _with_numbers(base: Any) -> Any:
    """Return bars of weights with their numbers beyond their ends."""
    number = alt.Text("weight:Q", format="+.1f")
    bars = base.mark_bar(height=13).encode(color=_side(("for", "against"), (FOR, AGAINST)))
    above = base.transform_filter("datum.weight >= 0").mark_text(align="left", dx=4)
    below = base.transform_filter("datum.weight < 0").mark_text(align="right", dx=-4)
    return bars + above.encode(text=number) + below.encode(text=number)


def _finished(chart: Any) -> Chart:
    plain = chart.configure_view(stroke=None).configure_axis(gridColor="#e2e8f0")
    return Chart(altair=plain.properties(background="white"))
