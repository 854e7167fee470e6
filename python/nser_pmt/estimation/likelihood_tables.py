"""From a survey to the chance of being poor, by band of scores: `likelihood_table`."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import pairwise
from typing import Any

import polars as pl

from nser_pmt._options import invalid
from nser_pmt.control import RunControl
from nser_pmt.scoring.model import Band, Likelihood, Model
from nser_pmt.targeting._cuts import steps
from nser_pmt.targeting._sample import Columns, read_sample

__all__ = ["LikelihoodTable", "likelihood_table"]


@dataclass(frozen=True, kw_only=True, repr=False)
class LikelihoodTable:
    """What `likelihood_table` found.

    Attributes
    ----------
    frame
        By ``line`` and band: ``from`` (in the band), ``to`` (not in it, but for the last),
        ``rows``, ``weight``, ``likelihood`` (poor share; null in a band without rows),
        ``se`` (without clusters: p (1 - p) over Kish's effective rows, under the root).
    likelihoods
        The same as a model holds it. A band without rows is left out: its scores have none.
    excluded
        Rows that do not count, by reason.
    """

    frame: pl.DataFrame
    likelihoods: tuple[Likelihood, ...]
    excluded: pl.DataFrame

    def attach(self, model: Model) -> Model:
        """Return the model with these tables in the place of its own."""
        return replace(model, likelihoods=self.likelihoods)

    def __repr__(self) -> str:
        return f"LikelihoodTable: {self._lines()}\n{self.frame}"

    def _repr_html_(self) -> str:
        head = f"<div><b>LikelihoodTable</b>: {escape(self._lines())}</div>"
        return f"{head}{self.frame._repr_html_()}"

    def _lines(self) -> str:
        return ", ".join(table.line for table in self.likelihoods)


def likelihood_table(
    frame: pl.DataFrame | pl.LazyFrame,
    *,
    score: str = "pmt_score",
    welfare: str,
    lines: Mapping[str, float],
    bands: float | Sequence[float] = 5,
    weights: str | None = None,
    size: str | None = None,
    source: str = "",
) -> LikelihoodTable:
    """Count, in a survey, how many are poor in each band of scores.

    Parameters
    ----------
    frame
        One row a household. Rows without a score or welfare do not count.
    score, welfare, weights, size
        Columns, as in `targeting`: without a size, households are counted and not people.
    lines
        Names of poverty lines, and the lines. Poor is who has at most the line.
    bands
        Width of a band, from a multiple of the width; or the edges. A band holds its lower edge;
        the last one holds both.
    source
        Where the numbers are from, for the model file.

    Returns
    -------
    LikelihoodTable
        Its `attach` puts the tables into a model, for `likelihood` to read.

    Raises
    ------
    SchemaError, DomainError
        As in `targeting`; or the edges do not rise.

    Notes
    -----
    The likelihood of a band is the weighted share of those in it who are poor (Schreiner, Simple
    Poverty Scorecard, 2009, section 4). It is not smoothed: it may rise from a band to the
    next, and the linter of models says where.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> survey = pl.DataFrame({"pmt_score": [1, 4, 6, 9, 12], "cons_pc": [5, 8, 7, 20, 30]})
    >>> table = nser.likelihood_table(survey, welfare="cons_pc", lines={"nl100": 7.5})
    >>> table.frame.select("from", "to", "rows", "likelihood").rows()
    [(0.0, 5.0, 2, 0.5), (5.0, 10.0, 2, 0.5), (10.0, 15.0, 1, 0.0)]
    """
    if (
        not isinstance(lines, Mapping)
        or not lines
        or not all(math.isfinite(value) for value in lines.values())
    ):
        raise invalid("lines must be one or more names with finite amounts")
    columns = Columns(welfare=welfare, weights=weights, size=size)
    sample = read_sample(frame, {score: (score, "lower_is_poorer")}, columns, "apart")
    scores, weight = sample.scores[score], sample.column("weight")
    edges = _edges(scores, bands)
    band = _band(scores, edges)
    inside = (band >= 0) & (band < len(edges) - 1)
    rows, likelihoods = [], []
    for name, line in lines.items():
        poor = sample.column("welfare") <= line
        found = steps(
            band.filter(inside).cast(pl.Float64),
            weight.filter(inside),
            poor.filter(inside),
            RunControl(),
        )
        rows += _rows(name, edges, found.frame, band, weight)
        likelihoods.append(_likelihood(name, line, source, rows[-(len(edges) - 1) :]))
    schema: dict[str, Any] = {
        "line": pl.String,
        "from": pl.Float64,
        "to": pl.Float64,
        "rows": pl.Int64,
    }
    floats = dict.fromkeys(("weight", "likelihood", "se"), pl.Float64)
    return LikelihoodTable(
        frame=pl.DataFrame(rows, schema=schema | floats, orient="row"),
        likelihoods=tuple(likelihoods),
        excluded=sample.excluded,
    )


_Row = tuple[str, float, float, int, float, float | None, float | None]


def _edges(scores: pl.Series, bands: float | Sequence[float]) -> list[float]:
    if isinstance(bands, int | float):
        if not (math.isfinite(bands) and bands > 0):
            raise invalid("bands must be a width above 0, or edges")
        low, high = (float(x) for x in (scores.min(), scores.max()))  # type: ignore[arg-type]
        first, last = math.floor(low / bands), math.floor(high / bands) + 1
        if last - first > 100_000:
            raise invalid("bands are so narrow that there would be more than 100,000")
        return [step * float(bands) for step in range(first, last + 1)]
    edges = [float(edge) for edge in bands]
    if len(edges) < 2 or not all(a < b for a, b in pairwise(edges)):
        raise invalid("bands must be edges that rise")
    return edges


def _band(scores: pl.Series, edges: list[float]) -> pl.Series:
    """Return the band of each score; outside, -1 or the number of bands."""
    band = pl.Series(edges).search_sorted(scores, side="right").cast(pl.Int64) - 1
    return band - (scores == edges[-1]).cast(pl.Int64)


def _rows(
    name: str, edges: list[float], found: pl.DataFrame, band: pl.Series, weight: pl.Series
) -> list[_Row]:
    known = {int(row[0]): row[1:] for row in found.rows()}
    made: list[_Row] = []
    before = (0.0, 0.0)
    for number, (low, high) in enumerate(pairwise(edges)):
        rows, tp, fp = known.get(number, (0, *before))
        poor, total = tp - before[0], tp - before[0] + fp - before[1]
        before = (tp, fp)
        share = poor / total if total > 0 else None
        se = None
        if share is not None:
            squares = float((weight.filter(band == number) ** 2).sum())
            se = math.sqrt(share * (1 - share) * squares) / total
        made.append((name, low, high, rows, total, share, se))
    return made


def _likelihood(name: str, line: float, source: str, rows: Sequence[_Row]) -> Likelihood:
    last = len(rows) - 1
    bands = [
        Band(ge=low, lt=None if i == last else high, le=high if i == last else None, probability=p)
        for i, (_, low, high, _, _, p, _) in enumerate(rows)
        if p is not None
    ]
    title = f"Share with at most {line:g}, by band of scores"
    return Likelihood(name, title=title, source=source, bands=tuple(bands))
