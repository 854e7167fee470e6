"""How well a score finds the poor: `targeting`."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from nser_pmt.control import RunControl
from nser_pmt.scoring.model import Direction, Model, load_model
from nser_pmt.targeting._bootstrap import LonelyPsu, sampling_units
from nser_pmt.targeting._cuts import Design, Predicts, QuantileRule, make_lines
from nser_pmt.targeting._metrics import metrics
from nser_pmt.targeting._options import check_choices, cutoffs_of, options_of
from nser_pmt.targeting._run import Measured, Options, measure
from nser_pmt.targeting._sample import Columns, NeedsData, Sample, read_sample

__all__ = ["Targeting", "targeting"]

Frame = pl.DataFrame | pl.LazyFrame

_SHOWN = ("headcount", "coverage", "ier", "eer", "bpac", "ntd", "cgh", "auc")


@dataclass(frozen=True, kw_only=True, repr=False)
class Targeting:
    """What `targeting` found. Frames hold null where a number is not defined.

    Attributes
    ----------
    score, welfare
        Columns that were compared.
    counted
        What a sum of weights counts: the weights, times the size if one is given.
    direction, predicts, quantile_rule, needs_data
        As given.
    metrics
        One row for each line and design: ``design`` (``fixed_rate``, ``fixed_line`` or ``cutoff``),
        ``rate`` (nominal share of the poor, if the line is one), ``line``, ``cutoff``, ``rows``,
        ``targeted_rows``, ``weight``, the counts ``tp``, ``fp``, ``fn``, ``tn`` (sums of weights),
        the metrics of the notes of `targeting`, ``auc``, poverty before and after the transfer,
        ``gini`` and ``concentration_index``.
    by
        The same by group, with the line, the cut-off and the transfer of the whole.
    intervals, by_intervals
        By line, design (and group) and ``metric``: ``estimate``, ``se`` (standard deviation of the
        replicates), ``low``, ``high`` (percentiles), ``replicates`` in which it is defined.
    steps
        By line, one row for each distinct score: ``score``, ``rows`` with it, and the four counts
        if all up to it (in direction) are targeted.
    concentration
        By line and design: shares of ``benefits`` (uniform, to those targeted) and of ``welfare``
        that the poorest share of ``people`` have.
    excluded
        ``reason``, ``rows``, ``weight`` of rows that are not measured (``zero_weight``,
        ``no_welfare``, and ``needs_data``: no score).
    replicates, seed, confidence
        Of the intervals.
    """

    score: str
    welfare: str
    counted: str
    direction: Direction
    predicts: Predicts | None
    quantile_rule: QuantileRule
    needs_data: NeedsData
    metrics: pl.DataFrame
    by: pl.DataFrame | None
    intervals: pl.DataFrame | None
    by_intervals: pl.DataFrame | None
    steps: pl.DataFrame
    concentration: pl.DataFrame
    excluded: pl.DataFrame
    replicates: int
    seed: int
    confidence: float

    @functools.cached_property
    def curve(self) -> pl.DataFrame:
        """All cut-offs: `steps` with every metric that follows from the counts."""
        return self.steps.with_columns(metrics())

    def __repr__(self) -> str:
        rows = self.metrics.item(0, "rows")
        lines = [f"Targeting: {self.score} against {self.welfare}, {rows:,} rows by {self.counted}"]
        for reason, count, _ in self.excluded.filter(pl.col("rows") > 0).rows():
            kept = reason == "needs_data" and self.needs_data == "not_targeted"
            what = "measured as not targeted" if kept else "set apart"
            lines.append(f"  {count:,} rows {what}: {reason}")
        head = "".join(f"{name:>10}" for name in _SHOWN)
        lines.append(f"  {'design':<11}{'rate':>7}{'line':>13}{'cutoff':>11}{head}")
        for row in self.metrics.iter_rows(named=True):
            numbers = "".join(f"{_text(row[name], '.4f'):>10}" for name in _SHOWN)
            keys = f"{_text(row['rate'], 'g'):>7}{_text(row['line'], ',.6g'):>13}"
            lines.append(f"  {row['design']:<11}{keys}{_text(row['cutoff'], '.6g'):>11}{numbers}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from html import escape

        from nser_pmt._charts import error_lines

        shown = self.metrics.select("design", "rate", "line", "cutoff", *_SHOWN)
        head = escape(repr(self).split("\n  design")[0])
        return f"<pre>{head}</pre>{error_lines(self)}{shown._repr_html_()}"


def targeting(
    frame: Frame,
    *,
    score: str = "pmt_score",
    welfare: str,
    line: float | str | Sequence[float] | None = None,
    rate: float | Sequence[float] | None = None,
    weights: str | None = None,
    size: str | None = None,
    design: Design | None = None,
    cutoff: float | str | Sequence[float] | None = None,
    predicts: Predicts | None = None,
    model: Model | str | None = None,
    direction: Direction = "lower_is_poorer",
    by: str | Sequence[str] | None = None,
    psu: str | None = None,
    strata: str | None = None,
    replicates: int = 500,
    seed: int = 1,
    confidence: float = 0.95,
    lonely_psu: LonelyPsu = "error",
    budget: float | None = None,
    transfer: str | None = None,
    quantile_rule: QuantileRule = "inverse_cdf",
    needs_data: NeedsData = "apart",
    points: int = 100,
    control: RunControl | None = None,
) -> Targeting:
    """Measure how well a score finds the poor: every metric under its own name and formula.

    Parameters
    ----------
    frame
        One row a household, with a score and the truth.
    score
        Column of scores. Null and NaN mean that it is not known; see `needs_data`.
    welfare
        Column of true welfare, such as consumption per head. A row without it is set apart.
    line
        Poverty line: one amount or several, or a column with the line of each row. Poor is who has
        at most the line.
    rate
        Or the share of the people who are poor, one or several: the line is that quantile.
    weights
        Column of weights; without it each row counts as one.
    size
        Column to multiply the weights with, such as members: then people are counted.
    design
        ``"fixed_rate"``: the lowest scores that hold as many as are poor are targeted; ``"fixed_line"``:
        scores up to the line (needs `predicts`); ``"both"``. By default the fixed rate.
    cutoff
        Or a cut-off of your own, one or several, or the name of one of `model`. Up to the value
        (in direction) is targeted; a model's says whether the value itself is.
    predicts
        What the score predicts, so that the line can be found on it: ``"welfare"``, or its natural
        logarithm, ``"log_welfare"``.
    model
        Model of the score, for its direction and its cut-offs.
    direction
        Which scores are poorer, without a model.
    by
        Columns of groups. The line and the cut-off of a group are those of the whole.
    psu, strata
        Primary sampling unit and stratum, for intervals. Units of two strata are two, whatever
        their names.
    replicates, seed, confidence
        Of the intervals. Equal seeds give equal intervals, for any number of threads.
    lonely_psu
        What the only unit of a stratum means: an error, or (``"certainty"``) a unit of every sample.
    budget
        What is given out, in units of welfare times weight; by default the aggregate poverty gap.
        Everyone targeted gets the same, for each unit of weight.
    transfer
        Column of transfers that differ (for each unit of weight), for the targeting differential,
        NTD and CGH; they have no intervals then.
    quantile_rule
        ``"inverse_cdf"``: the lowest value up to which there is the share; ``"average"``: the mean
        with the next value where the share is met exactly (intervals use the first in any case).
    needs_data
        Households without a score are set ``"apart"``, or measured as ``"not_targeted"``.
    points
        Points of the concentration curve; 0 leaves it and the Gini index out, and saves a sort.
    control
        Threads, time limit, progress; see `RunControl`.

    Returns
    -------
    Targeting

    Raises
    ------
    SchemaError
        A column is missing or holds no numbers.
    DomainError
        A weight is missing or negative, a value is infinite, a unit of sampling is missing, a
        stratum has one unit (``lonely_psu``), or nothing is left to measure (``no_rows``).

    Notes
    -----
    TP, FP, FN, TN are sums of weights, N their total, H = (TP+FN)/N.

    ========================== ======================= ==========================================
    ``headcount``              H                       achieved share of the poor
    ``coverage``               (TP+FP)/N               achieved share targeted: ties stay together
    ``ier``                    FP/(TP+FP)              inclusion error; World Bank's "leakage"
    ``eer``, ``type2``         FN/(TP+FN)              exclusion error, "under-coverage"
    ``leakage_iris``           FP/(TP+FN)              IRIS, USAID; can exceed 1
    ``leakage_share``          FP/N                    Schreiner's "leakage"
    ``undercoverage_share``    FN/N                    Schreiner's "undercoverage"
    ``type1``                  FP/(FP+TN)
    ``total_accuracy``         (TP+TN)/N
    ``misclassification``      (FP+FN)/N
    ``poverty_accuracy``       TP/(TP+FN)
    ``non_poverty_accuracy``   TN/(FP+TN)
    ``bpac``                   (TP-abs(FN-FP))/(TP+FN)  unbounded below
    ``pie``                    coverage - H
    ``targeting_differential`` TP/(TP+FN) - FP/(FP+TN) mean transfer of poor less that of others
    ``ntd``                    the same                over the mean of who gets one, if they differ
    ``cgh``                    [TP/(TP+FP)]/H          Coady, Grosh and Hoddinott
    ``auc``                                            chance that a poor row has the poorer score
    ``fgt0``, ``1``, ``2``     mean of w(1-y/z)^a      poor only; ``_after`` the transfer
    ========================== ======================= ==========================================

    Sums of weights are exact: they do not depend on the order of rows or on threads. Weights are
    rounded to 2^-61 of their total.

    Intervals are percentiles of a Rao-Wu bootstrap: of n units in a stratum n-1 are drawn. A line
    that is a share of the people, and the cut-off, are found anew in each replicate.

    A table that mixes the two designs cannot be compared with anything: ``design`` says which.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> survey = pl.DataFrame({
    ...     "pmt_score": [10.0, 20, 20, 30, 40, 50, 60, None],
    ...     "cons_pc": [900.0, 1100, 2500, 1000, 3000, 4000, 5000, 800],
    ...     "weight": [2.0, 1, 1, 1, 2, 1, 2, 1],
    ... })
    >>> found = nser.targeting(survey, welfare="cons_pc", line=1200, weights="weight")
    >>> found
    Targeting: pmt_score against cons_pc, 7 rows by weight
      1 rows set apart: needs_data
      design        rate         line     cutoff headcount  coverage       ier       eer      bpac       ntd       cgh       auc
      fixed_rate       -        1,200         20    0.4000    0.4000    0.2500    0.2500    0.7500    0.5833    1.8750    0.9375
    >>> found.curve.select("score", "rows", "coverage", "ier", "eer").head(3)
    shape: (3, 5)
    ┌───────┬──────┬──────────┬──────┬──────┐
    │ score ┆ rows ┆ coverage ┆ ier  ┆ eer  │
    │ ---   ┆ ---  ┆ ---      ┆ ---  ┆ ---  │
    │ f64   ┆ i64  ┆ f64      ┆ f64  ┆ f64  │
    ╞═══════╪══════╪══════════╪══════╪══════╡
    │ 10.0  ┆ 1    ┆ 0.2      ┆ 0.0  ┆ 0.5  │
    │ 20.0  ┆ 2    ┆ 0.4      ┆ 0.25 ┆ 0.25 │
    │ 30.0  ┆ 1    ┆ 0.5      ┆ 0.2  ┆ 0.0  │
    └───────┴──────┴──────────┴──────┴──────┘
    """  # noqa: E501
    model = load_model(model) if isinstance(model, str) else model
    direction = model.direction if model is not None else direction
    columns = Columns(
        welfare=welfare,
        line=line if isinstance(line, str) else None,
        weights=weights,
        size=size,
        transfer=transfer,
        by=[by] if isinstance(by, str) else list(by or ()),
        psu=psu,
        strata=strata if psu is not None else None,
    )
    control = control or RunControl()
    options = options_of(
        design=design,
        cutoffs=cutoffs_of(cutoff, model, direction),
        predicts=predicts,
        direction=direction,
        budget=budget,
        points=points,
        replicates=replicates,
        seed=seed,
        confidence=confidence,
        control=control,
    )
    check_choices(direction, quantile_rule, needs_data, lonely_psu, psu, strata)
    sample = read_sample(frame, {score: (score, direction)}, columns, needs_data)
    lines = make_lines(sample, line, rate, quantile_rule, control)
    units = None if psu is None else sampling_units(sample, lonely_psu)
    return result(
        measure(sample, score, lines, options, units),
        sample,
        options,
        score=score,
        columns=columns,
        direction=direction,
        quantile_rule=quantile_rule,
        needs_data=needs_data,
    )


def result(
    found: Measured,
    sample: Sample,
    options: Options,
    *,
    score: str,
    columns: Columns,
    direction: Direction,
    quantile_rule: QuantileRule,
    needs_data: NeedsData,
) -> Targeting:
    """Make the result of what was measured."""
    counted = " x ".join(filter(None, (columns.weights, columns.size))) or "rows"
    return Targeting(
        score=score,
        welfare=columns.welfare,
        counted=counted,
        direction=direction,
        predicts=options.predicts,
        quantile_rule=quantile_rule,
        needs_data=needs_data,
        metrics=found.metrics,
        by=found.by,
        intervals=found.intervals,
        by_intervals=found.by_intervals,
        steps=found.steps,
        concentration=found.concentration,
        excluded=sample.excluded,
        replicates=options.replicates if found.intervals is not None else 0,
        seed=options.seed,
        confidence=options.confidence,
    )


def _text(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
