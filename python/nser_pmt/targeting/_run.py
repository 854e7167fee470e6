"""One score against the truth: rows of metrics, whole and by group, with intervals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from nser_pmt.control import RunControl
from nser_pmt.targeting._bootstrap import Units, intervals
from nser_pmt.targeting._cuts import Cut, Design, Line, Predicts, Steps, make_cuts, steps
from nser_pmt.targeting._metrics import COUNTS, METRICS, metrics
from nser_pmt.targeting._poverty import Transfer, concentration, gap, line_of, poverty_columns
from nser_pmt.targeting._sample import Sample

__all__ = ["Measured", "Options", "measure"]

_KEYS = {"design": pl.String, "rate": pl.Float64, "line": pl.Float64, "cutoff": pl.Float64}
_POVERTY = ("fgt0", "fgt1", "fgt2", "budget", "transfer", "fgt0_after", "fgt1_after", "fgt2_after")
_SPREAD = ("gini", "concentration_index")


@dataclass(frozen=True, kw_only=True)
class Options:
    """What `measure` is asked for."""

    design: Design | None
    cutoffs: Sequence[tuple[float, float]]
    predicts: Predicts | None
    budget: float | None
    points: int
    replicates: int
    seed: int
    confidence: float
    control: RunControl


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Frames of one score."""

    metrics: pl.DataFrame
    by: pl.DataFrame | None
    intervals: pl.DataFrame | None
    by_intervals: pl.DataFrame | None
    steps: pl.DataFrame
    concentration: pl.DataFrame
    cuts: tuple[Cut, ...]


def measure(
    sample: Sample, name: str, lines: Sequence[Line], options: Options, units: Units | None
) -> Measured:
    """Measure a score for each line in each design."""
    score, turned = sample.scores[name], sample.turned[name]
    rows: list[dict[str, Any]] = []
    by_rows: list[dict[str, Any]] = []
    drawn: dict[bool, list[pl.DataFrame]] = {False: [], True: []}
    spread: list[pl.DataFrame] = []
    curves: list[pl.DataFrame] = []
    all_cuts: list[Cut] = []
    gini, lorenz = _gini(sample, options.points)
    groups = [(rows_of, sample.take(rows_of)) for rows_of in sample.rows_by_group()]
    for line in lines:
        found = steps(score, sample.column("weight"), line.poor, options.control)
        curves.append(_curve(found, line, turned))
        cuts = make_cuts(
            sample,
            score,
            line,
            found,
            design=options.design,
            cutoffs=options.cutoffs,
            predicts=options.predicts,
            turned=turned,
        )
        for cut in cuts:
            transfer = _transfer(sample, cut, options.budget)
            keys = _keys(cut)
            row = keys | _row(sample, cut, found, transfer) | {"gini": gini}
            if options.points:
                index, shares = concentration(sample, cut.targeted, options.points)
                row["concentration_index"] = index
                spread.append(_spread(keys, shares, lorenz, options.points))
            rows.append(row)
            for code, (rows_of, part) in enumerate(groups):
                row = _group_row(part, rows_of, name, cut, transfer, options)
                by_rows.append(keys | {"group": code} | row)
            if units is not None:
                for by_group in (False, True) if groups else (False,):
                    of_chance = _drawn(
                        sample, score, cut, units, by_group=by_group, turned=turned, options=options
                    )
                    known = [pl.lit(keys[k], dtype=t).alias(k) for k, t in _KEYS.items()]
                    drawn[by_group].append(of_chance.select(*known, pl.all()))
        all_cuts += cuts
    named = sample.groups.with_row_index("group").cast({"group": pl.UInt32})
    return Measured(
        metrics=_frame(rows),
        by=_named(_frame(by_rows, {"group": pl.UInt32}), named) if groups else None,
        intervals=pl.concat(drawn[False]).drop("group") if drawn[False] else None,
        by_intervals=_named(pl.concat(drawn[True]), named) if drawn[True] else None,
        steps=pl.concat(curves),
        concentration=pl.concat(spread) if spread else pl.DataFrame(),
        cuts=tuple(all_cuts),
    )


def _keys(cut: Cut) -> dict[str, Any]:
    return {
        "design": cut.design,
        "rate": cut.line.rate,
        "line": cut.line.value,
        "cutoff": cut.shown,
    }


def _row(sample: Sample, cut: Cut, found: Steps, transfer: Transfer) -> dict[str, Any]:
    """Return counts and what does not follow from them."""
    weight = sample.column("weight")
    if cut.cutoff is None:  # nobody, or a cut-off in each row
        side = steps((~cut.targeted).cast(pl.Float64), weight, cut.line.poor, RunControl())
        inside, at = side.frame.filter(pl.col("score") == 0), 0
    else:
        inside = found.frame
        at = int(inside.get_column("score").search_sorted(cut.cutoff, side="right")) - 1
    tp, fp = (float(inside.item(at, n)) if 0 <= at < len(inside) else 0.0 for n in ("tp", "fp"))
    row: dict[str, Any] = {
        "rows": sample.rows,
        "targeted_rows": int(cut.targeted.sum()),
        "weight": found.poor + found.other,
        "auc": found.auc,
    }
    row |= dict(zip(COUNTS, (tp, fp, found.poor - tp, found.other - fp), strict=True))
    row |= poverty_columns(sample, cut.targeted, line_of(sample, cut), transfer)
    if "transfer" in sample.frame.columns:
        row |= _amounts(sample, cut, row)
    return row


def _amounts(sample: Sample, cut: Cut, row: dict[str, Any]) -> dict[str, float | None]:
    """Return the metrics of transfers that differ (Ravallion, 2000)."""
    paid = (sample.column("weight") * sample.column("transfer")).filter(cut.targeted)
    poor = cut.line.poor.filter(cut.targeted)
    to_poor, all_paid = float(paid.filter(poor).sum()), float(paid.sum())
    n_poor, n_other, n_paid = row["tp"] + row["fn"], row["fp"] + row["tn"], row["tp"] + row["fp"]
    td = None
    if n_poor > 0 and n_other > 0:
        td = to_poor / n_poor - (all_paid - to_poor) / n_other
    share = n_poor / (n_poor + n_other)
    return {
        "targeting_differential": td,
        "ntd": td / (all_paid / n_paid) if td is not None and all_paid > 0 else None,
        "cgh": to_poor / all_paid / share if all_paid > 0 and share > 0 else None,
    }


def _transfer(sample: Sample, cut: Cut, budget: float | None) -> Transfer:
    if budget is None:
        line = line_of(sample, cut)
        budget = gap(sample, sample.column("welfare"), line, cut.line.poor)
    targeted = float(sample.column("weight").filter(cut.targeted).sum())
    return Transfer(budget=budget, amount=budget / targeted if targeted > 0 else None)


def _group_row(
    part: Sample, rows: pl.Series, name: str, cut: Cut, transfer: Transfer, options: Options
) -> dict[str, Any]:
    """Return the row of a group: the line, the cut-off and the amount are those of the whole."""
    line = Line(rate=cut.line.rate, value=cut.line.value, poor=cut.line.poor.gather(rows))
    here = Cut(
        design=cut.design,
        line=line,
        cutoff=cut.cutoff,
        shown=cut.shown,
        targeted=cut.targeted.gather(rows),
    )
    found = steps(part.scores[name], part.column("weight"), line.poor, RunControl())
    paid = float(part.column("weight").filter(here.targeted).sum()) * (transfer.amount or 0.0)
    row = _row(part, here, found, Transfer(budget=paid, amount=transfer.amount))
    if options.points:
        row["gini"], _ = concentration(part, part.column("welfare"), 1)
        row["concentration_index"], _ = concentration(part, here.targeted, 1)
    return row


def _gini(sample: Sample, points: int) -> tuple[float | None, list[float]]:
    if not points:
        return None, []
    return concentration(sample, sample.column("welfare"), points)


def _spread(
    keys: dict[str, Any], benefits: list[float], welfare: list[float], points: int
) -> pl.DataFrame:
    people = [k / points for k in range(points + 1)]
    none = [None] * len(people)
    columns = {"people": people, "benefits": benefits or none, "welfare": welfare or none}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(columns, pl.Float64))
    return frame.select([pl.lit(keys[k], dtype=t).alias(k) for k, t in _KEYS.items()] + [pl.all()])


def _curve(found: Steps, line: Line, turned: bool) -> pl.DataFrame:
    score = -pl.col("score") if turned else pl.col("score")
    return found.frame.select(
        pl.lit(line.rate, dtype=pl.Float64).alias("rate"),
        pl.lit(line.value, dtype=pl.Float64).alias("line"),
        score.alias("score"),
        pl.col("rows").cast(pl.Int64),
        "tp",
        "fp",
        (pl.lit(found.poor) - pl.col("tp")).alias("fn"),
        (pl.lit(found.other) - pl.col("fp")).alias("tn"),
    )


def _drawn(
    sample: Sample,
    score: pl.Series,
    cut: Cut,
    units: Units,
    *,
    by_group: bool,
    turned: bool,
    options: Options,
) -> pl.DataFrame:
    return intervals(
        sample,
        score,
        cut,
        units,
        by_group=by_group,
        turned=turned,
        predicts=options.predicts,
        replicates=options.replicates,
        seed=options.seed,
        confidence=options.confidence,
        control=options.control,
    )


def _frame(rows: list[dict[str, Any]], more: dict[str, Any] | None = None) -> pl.DataFrame:
    given = ("targeting_differential", "ntd", "cgh")
    counts: dict[str, Any] = {"rows": pl.Int64, "targeted_rows": pl.Int64}
    floats = ("weight", *COUNTS, "auc", *_POVERTY, *_SPREAD, *given)
    schema = _KEYS | (more or {}) | counts | dict.fromkeys(floats, pl.Float64)
    frame = pl.DataFrame([{k: row.get(k) for k in schema} for row in rows], schema=schema)
    of_amounts = [pl.coalesce(pl.col(n), e).alias(n) for n, e in _expressions() if n in given]
    others = [e for n, e in _expressions() if n not in given]
    if any("ntd" in row for row in rows):  # of transfers that differ: undefined stays undefined
        of_amounts = []
    frame = frame.with_columns(*others, *of_amounts)
    keys = [*_KEYS, *(more or {}), "rows", "targeted_rows", "weight", *COUNTS]
    return frame.select(*keys, *METRICS, "auc", *_POVERTY, *_SPREAD)


def _expressions() -> list[tuple[str, pl.Expr]]:
    return list(zip(METRICS, metrics(), strict=True))


def _named(frame: pl.DataFrame, groups: pl.DataFrame) -> pl.DataFrame:
    """Put the names of the groups in the place of their numbers."""
    place = frame.columns.index("group")
    names = groups.columns[1:]
    rest = [c for c in frame.columns if c != "group"]
    named = frame.join(groups, on="group", how="left", maintain_order="left")
    return named.select(*rest[:place], *names, *rest[place:])
