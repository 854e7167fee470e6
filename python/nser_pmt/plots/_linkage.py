"""Charts of a linkage."""

from __future__ import annotations

from typing import Any

import polars as pl

from nser_pmt._chart_data import thinned
from nser_pmt._svg import AGAINST, FOR
from nser_pmt.errors import DomainError, SchemaError
from nser_pmt.linkage.clustering import Clusters
from nser_pmt.linkage.learning import Learned
from nser_pmt.linkage.link_quality import LinkQuality
from nser_pmt.plots._chart import (
    LABELS,
    NO_AXIS,
    POINTS,
    WIDTH,
    Chart,
    alt,
    data,
    expected,
    finished,
    scale,
    side,
    zero_line,
)

__all__ = ["cluster_sizes", "match_weights", "threshold_curve", "waterfall"]

_TOTAL = "#4a5568"
# Sizes of clusters that have a bar of their own.
_SIZES = 20


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
    expected(learned, Learned, "learn")
    table = learned.table.select("comparison", "level", "weight")
    table = table.with_columns(
        side=pl.when(pl.col("weight") >= 0).then(pl.lit("for")).otherwise(pl.lit("against"))
    )
    weights = [0.0, *table.get_column("weight")]
    reach = scale(min(weights), max(weights), beyond=0.1)
    groups = table.partition_by("comparison", maintain_order=True)
    panels = []
    for number, group in enumerate(groups):
        last = number == len(groups) - 1
        axis = alt.Axis(title="match weight, log2(m / u)") if last else NO_AXIS
        base = alt.Chart(data(group.to_dicts()), title=group.item(0, "comparison")).encode(
            x=alt.X("weight:Q", scale=reach, axis=axis),
            y=alt.Y("level:N", sort=group.get_column("level").to_list(), title=None, axis=LABELS),
        )
        panels.append(_with_numbers(base).properties(width=WIDTH, height=alt.Step(18)))
    stacked = alt.vconcat(*panels, spacing=4)
    return finished(
        stacked.configure_title(anchor="start", frame="group", fontSize=12, offset=3),
        "match weights",
    )


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
        whose = "for" if weight >= 0 else "against"
        ends = {"start": reached, "end": reached + weight}
        rows.append({"label": label, "weight": weight, "side": whose, **ends})
        reached += weight
    total = {"label": "match weight", "weight": reached, "side": "total"}
    rows.append({**total, "start": 0.0, "end": reached})
    sums = [0.0, *(row["end"] for row in rows)]
    reach = scale(min(sums), max(sums), beyond=0.04)
    order = [row["label"] for row in rows]
    base = alt.Chart(data([row | {"right": max(row["start"], row["end"])} for row in rows]))
    y = alt.Y("label:N", sort=order, title=None, axis=LABELS)
    bars = base.mark_bar(height=14).encode(
        x=alt.X("start:Q", title="weight, log2 odds", scale=reach, axis=alt.Axis(tickCount=8)),
        x2="end:Q",
        y=y,
        color=side(("for", "against", "total"), (FOR, AGAINST, _TOTAL)),
    )
    numbers = base.mark_text(align="left", dx=5).encode(
        x="right:Q", y=y, text=alt.Text("weight:Q", format="+.1f")
    )
    return finished(
        (zero_line() + bars + numbers).properties(width=WIDTH, height=alt.Step(22)),
        "weight of a pair, comparison by comparison",
    )


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
    expected(quality, LinkQuality, "evaluate_links")
    curve = quality.curve
    if curve is None or curve.height == 0:
        raise DomainError(
            "there is no curve to draw",
            code="no_curve",
            hint="Give evaluate_links pairs with match_weight",
        )
    curve = thinned(curve, POINTS)
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
        alt.Chart(data(rows))
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
    at = alt.Chart(data([{"at": quality.threshold, "text": f"threshold {quality.threshold:g}"}]))
    rule = at.mark_rule(color="#718096", strokeDash=[2, 2]).encode(x="at:Q")
    word = at.mark_text(align="left", baseline="bottom", dx=4, dy=-4, color="#4a5568").encode(
        x="at:Q", y=alt.value(280), text="text:N"
    )
    return finished(
        (lines + rule + word).properties(width=WIDTH, height=280),
        "precision and recall by threshold",
    )


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
    expected(clusters, Clusters, "cluster")
    sizes = clusters.sizes.sort("size").rows()
    own = sizes if len(sizes) <= _SIZES else sizes[: _SIZES - 1]
    rows = [{"size": f"{size:,}", "clusters": count} for size, count in own]
    if len(sizes) > len(own):
        rest = sizes[len(own) :]
        rows.append({"size": f"≥ {rest[0][0]:,}", "clusters": sum(count for _, count in rest)})
    base = alt.Chart(data(rows)).encode(
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
    return finished((bars + numbers).properties(width=width, height=240), "sizes of clusters")


def _with_numbers(base: Any) -> Any:
    """Return bars of weights with their numbers beyond their ends."""
    number = alt.Text("weight:Q", format="+.1f")
    bars = base.mark_bar(height=13).encode(color=side(("for", "against"), (FOR, AGAINST)))
    above = base.transform_filter("datum.weight >= 0").mark_text(align="left", dx=4)
    below = base.transform_filter("datum.weight < 0").mark_text(align="right", dx=-4)
    return bars + above.encode(text=number) + below.encode(text=number)
