"""What a scenario gives back: frames of counts by group."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

import polars as pl

from nser_pmt import _native
from nser_pmt._options import invalid
from nser_pmt.scenario._codes import Grouping
from nser_pmt.targeting._metrics import COUNTS, metrics

__all__ = ["CoverageCurve", "Cut", "ScenarioChange", "change_frame", "coverage_frame", "errors_of"]

Cut: TypeAlias = tuple[float, str]
"""A score and who is in: ``at_most``, ``below``, ``at_least`` or ``above``."""

Tally: TypeAlias = tuple[list[int], list[float]]

DECILE = "score_decile"

# Cells are three times the class before plus the class after; the classes: null, out, in.
_BEFORE = {"null": (0, 1, 2), "in": (6, 7, 8)}
_AFTER = {"null": (0, 3, 6), "in": (2, 5, 8)}
_ENTERS, _LEAVES = (2, 5), (6, 7)

# What `Scenario.errors` calls the metrics of `targeting`.
_ERRORS = {
    "poverty_rate": "headcount",
    "coverage": "coverage",
    "exclusion_error": "eer",
    "inclusion_error": "ier",
}


@dataclass(frozen=True, kw_only=True, repr=False)
class ScenarioChange:
    """Who enters and who leaves between two scenarios: what `Scenario.compare` returns.

    Counts are of households, or of what the weights count. In every frame: the group,
    ``households``, ``covered_before``, ``covered_after``, ``enters``, ``leaves``, ``net``;
    ``needs_data_before`` and ``needs_data_after``, those without a score, who are in no other
    count but ``households``; ``coverage_before`` and ``coverage_after``, the covered as a share of
    all households; and, where the scenarios have a transfer, ``cost_before``, ``cost_after``,
    ``cost_change``.

    Attributes
    ----------
    total
        One row.
    by
        A frame for each grouping, and one by ``score_decile``: tenths of the households by their
        score before, 1 the poorest; null for those without a score. Households of equal score are
        in one tenth. A null group comes first.
    errors
        Where the scenarios have a survey, one row for each of the two, in order: see
        `Scenario.errors`.
    """

    total: pl.DataFrame
    by: Mapping[str, pl.DataFrame]
    errors: pl.DataFrame | None

    def __repr__(self) -> str:
        row = self.total.row(0, named=True)
        lines = [
            f"ScenarioChange: {row['households']:,} households",
            f"  covered before   {_count(row['covered_before'], row['coverage_before'])}",
            f"  covered after    {_count(row['covered_after'], row['coverage_after'])}",
            f"  enter            {row['enters']:>14,}",
            f"  leave            {row['leaves']:>14,}",
            f"  need data        {row['needs_data_after']:>14,}",
        ]
        if "cost_after" in row:
            lines.append(f"  cost             {row['cost_after']:>14,.0f}")
            lines.append(f"  change of cost   {row['cost_change']:>+14,.0f}")
        if self.errors is not None:
            for name in ("exclusion_error", "inclusion_error"):
                before, after = (_share(x) for x in self.errors.get_column(name))
                lines.append(f"  {name.replace('_', ' '):<16} {before} -> {after}")
        lines.append("  by " + ", ".join(self.by))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from nser_pmt._charts import mover_bars

        first = next(iter(self.by.values()), None)
        if first is None:
            return f"<pre>{escape(repr(self))}</pre>{self.total._repr_html_()}"
        return f"<pre>{escape(repr(self))}</pre>{mover_bars(first)}{first._repr_html_()}"


class CoverageCurve:
    """How many each cut-off would cover, by group: what `Scenario.curve` returns.

    Holds the scores that occur, in order, with counts: any cut-off is then a few look-ups. Does not
    hold the registry.
    """

    __slots__ = (
        "_curve",
        "_grouping",
        "_groups",
        "_households",
        "_nulls",
        "_order",
        "_sides",
        "_weighted",
    )

    def __init__(
        self,
        curve: _native.ScenarioCurve,
        grouping: Grouping | None,
        sides: tuple[str, str],
        weighted: bool,
    ) -> None:
        self._curve = curve
        self._grouping = grouping
        self._sides = sides
        self._weighted = weighted
        self._order = [0] if grouping is None else grouping.order.to_list()
        nulls = curve.nulls()
        scored, _ = curve.coverage((0.0, sides[0]))
        everyone = [a + b for a, b in zip(scored, nulls, strict=True)]
        self._households, self._nulls = self._counts(everyone), self._counts(nulls)
        groups = {} if grouping is None else {grouping.column: grouping.values[grouping.order]}
        self._groups = groups

    def at(self, cutoffs: float | Sequence[float], *, inclusive: bool = True) -> pl.DataFrame:
        """Return the coverage of every group at a cut-off, or at several.

        Parameters
        ----------
        cutoffs
            Scores.
        inclusive
            Whether a score equal to the cut-off is in.

        Returns
        -------
        DataFrame
            One row for each cut-off and group: ``cutoff``, the group, ``households``,
            ``needs_data`` (no score), ``covered``, ``coverage`` (a share of all households).
        """
        wanted = [cutoffs] if isinstance(cutoffs, (int, float)) else list(cutoffs)
        frames = [self._at(float(value), inclusive) for value in wanted]
        if not frames:
            return self._at(0.0, inclusive).clear()
        return frames[0] if len(frames) == 1 else pl.concat(frames)

    def _at(self, value: float, inclusive: bool) -> pl.DataFrame:
        if value != value:
            raise invalid("a cut-off must be a number")
        _, admitted = self._curve.coverage((value, self._sides[0 if inclusive else 1]))
        covered = self._counts(admitted)
        return pl.DataFrame(
            {
                "cutoff": pl.repeat(value, len(covered), dtype=pl.Float64, eager=True),
                **self._groups,
                "households": self._households,
                "needs_data": self._nulls,
                "covered": covered,
                "coverage": _ratio(covered, self._households),
            }
        )

    def _counts(self, values: Sequence[float]) -> pl.Series:
        """Return counts of the groups that occur: whole numbers, unless they are weighted."""
        counts = pl.Series([values[place] for place in self._order], dtype=pl.Float64)
        return counts if self._weighted else counts.cast(pl.Int64)

    def __len__(self) -> int:
        return len(self._curve)

    def __repr__(self) -> str:
        by = "" if self._grouping is None else f" by {self._grouping.column}"
        return f"CoverageCurve({len(self):,} distinct scores{by})"


def change_frame(
    tally: Tally, grouping: Grouping | None, transfers: tuple[float | None, float | None]
) -> pl.DataFrame:
    """Return the counts of two scenarios by group; without one, as one row."""
    cells = _Cells(tally, grouping)
    covered = cells.sum(_BEFORE["in"]), cells.sum(_AFTER["in"])
    enters, leaves = cells.sum(_ENTERS), cells.sum(_LEAVES)
    columns = {
        "households": cells.sum(range(9)),
        "covered_before": covered[0],
        "covered_after": covered[1],
        "enters": enters,
        "leaves": leaves,
        "net": enters - leaves,
        "needs_data_before": cells.sum(_BEFORE["null"]),
        "needs_data_after": cells.sum(_AFTER["null"]),
    }
    for name, count in zip(("before", "after"), covered, strict=True):
        columns[f"coverage_{name}"] = _ratio(count, columns["households"])
    if transfers[0] is not None and transfers[1] is not None:
        before, after = covered[0] * transfers[0], covered[1] * transfers[1]
        columns |= {"cost_before": before, "cost_after": after, "cost_change": after - before}
    return cells.frame(columns)


def coverage_frame(tally: Tally, grouping: Grouping | None, transfer: float | None) -> pl.DataFrame:
    """Return the counts of one scenario, tallied with itself, by group."""
    cells = _Cells(tally, grouping)
    columns = {
        "households": cells.sum(range(9)),
        "needs_data": cells.sum(_AFTER["null"]),
        "covered": cells.sum(_AFTER["in"]),
    }
    columns["coverage"] = _ratio(columns["covered"], columns["households"])
    if transfer is not None:
        columns["cost"] = columns["covered"] * transfer
    return cells.frame(columns)


class _Cells:
    """Counts of one grouping by cell."""

    def __init__(self, tally: Tally, grouping: Grouping | None) -> None:
        rows, weights = tally
        self.grouping = grouping
        cells = pl.Series(weights, dtype=pl.Float64) if weights else pl.Series(rows, dtype=pl.Int64)
        counts = cells.reshape((-1, 9))
        self.counts = [counts.arr.get(cell) for cell in range(9)]
        if grouping is None:  # groups of any grouping, taken together
            self.counts = [pl.Series([count.sum()], dtype=count.dtype) for count in self.counts]

    def sum(self, cells: Sequence[int]) -> pl.Series:
        first, *others = cells
        total = self.counts[first]
        for cell in others:
            total = total + self.counts[cell]
        return total

    def frame(self, columns: Mapping[str, pl.Series]) -> pl.DataFrame:
        if self.grouping is None:
            return pl.DataFrame(columns)
        frame = pl.DataFrame({self.grouping.column: self.grouping.values, **columns})
        return frame[self.grouping.order]


def _ratio(part: pl.Series, whole: pl.Series) -> pl.Series:
    """Return shares, null where there is no whole."""
    share = part / whole
    return share.set(whole == 0, None) if (whole == 0).any() else share


def errors_of(
    scored: pl.DataFrame, cut: pl.Expr, welfare: str, line: float, weights: str | None
) -> dict[str, float | None]:
    """Return exclusion and inclusion error of a survey with scores, by `targeting`'s formulas.

    The poor are those whose welfare is at or below the line. A household without a score is not
    targeted.
    """
    weight = pl.lit(1.0) if weights is None else pl.col(weights).cast(pl.Float64)
    poor, targeted = pl.col(welfare) <= line, cut.fill_null(False)
    cells = (poor & targeted, ~poor & targeted, poor & ~targeted, ~poor & ~targeted)
    sums = [pl.when(cell).then(weight).otherwise(0.0).sum() for cell in cells]
    counts = scored.select(n.alias(name) for name, n in zip(COUNTS, sums, strict=True))
    found = counts.select(metrics()).row(0, named=True)
    return {name: found[metric] for name, metric in _ERRORS.items()}


def _count(count: float, share: float | None) -> str:
    return f"{count:>14,} ({_share(share)})"


def _share(share: float | None) -> str:
    return "none" if share is None else f"{share:.1%}"
