"""Scores side by side on the same households: `compare_models`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import combinations
from typing import Any

import polars as pl

from nser_pmt import _native
from nser_pmt._options import invalid, polars_frame
from nser_pmt.control import RunControl
from nser_pmt.errors import SchemaError
from nser_pmt.scoring.model import Direction, Model, list_models
from nser_pmt.scoring.scoring import score as add_score
from nser_pmt.targeting._bootstrap import LonelyPsu, sampling_units
from nser_pmt.targeting._cuts import Cut, Design, Predicts, QuantileRule, make_lines, steps
from nser_pmt.targeting._options import check_choices, cutoffs_of, options_of
from nser_pmt.targeting._run import Measured, measure
from nser_pmt.targeting._sample import Columns, NeedsData, Sample, read_sample

__all__ = ["ModelComparison", "compare_models"]

OUTCOMES = ("both", "only_a", "only_b", "neither")

_SHOWN = ("coverage", "ier", "eer", "bpac", "ntd", "auc", "cost")


@dataclass(frozen=True, kw_only=True, repr=False)
class ModelComparison:
    """What `compare_models` found.

    Attributes
    ----------
    metrics, by
        Rows of `Targeting.metrics` and `Targeting.by` for each ``model``, and its ``cost``.
    intervals
        Rows of `Targeting.intervals` for each ``model``; replicates draw the same units for all.
    correlation
        ``model_a``, ``model_b``, ``spearman``: weighted correlation of the weighted middle ranks.
        Positive where the two agree on who is poorer, whatever their directions.
    switches
        By line, design, pair of models (and group): ``outcome`` (Enum ``both``, ``only_a``,
        ``only_b``, ``neither``: who is targeted by which), ``rows``, ``weight``, ``share`` of the
        weight, ``poor_share`` of those in it.
    excluded
        Rows that are not measured, by reason. A household counts only if every model has its score.
    """

    metrics: pl.DataFrame
    by: pl.DataFrame | None
    intervals: pl.DataFrame | None
    correlation: pl.DataFrame
    switches: pl.DataFrame
    excluded: pl.DataFrame

    def __repr__(self) -> str:
        width = max(5, *(len(name) for name in self.metrics.get_column("model"))) + 2
        head = "".join(f"{name:>12}" for name in _SHOWN)
        lines = ["ModelComparison", f"  {'model':<{width}}{'design':<11}{'line':>12}{head}"]
        for row in self.metrics.iter_rows(named=True):
            line = "-" if row["line"] is None else f"{row['line']:,.6g}"
            numbers = "".join(f"{_text(row[name]):>12}" for name in _SHOWN)
            lines.append(f"  {row['model']:<{width}}{row['design']:<11}{line:>12}{numbers}")
        for a, b, rho in self.correlation.rows():
            lines.append(f"  rank correlation of {a} and {b}: {_text(rho)}")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from nser_pmt._charts import error_bars

        shown = self.metrics.select("model", "design", "rate", "line", "cutoff", *_SHOWN)
        pairs = escape("\n".join(repr(self).split("\n")[2 + self.metrics.height :]))
        names = escape(", ".join(self.metrics.get_column("model").unique(maintain_order=True)))
        head = f"<div><b>ModelComparison</b>: {names}</div>"
        return f"{head}{error_bars(self.metrics)}{shown._repr_html_()}<pre>{pairs}</pre>"


def compare_models(
    frame: pl.DataFrame | pl.LazyFrame,
    models: Mapping[str, Model | str],
    *,
    welfare: str,
    line: float | str | Sequence[float] | None = None,
    rate: float | Sequence[float] | None = None,
    weights: str | None = None,
    size: str | None = None,
    design: Design | None = None,
    cutoffs: Mapping[str, float | str] | None = None,
    predicts: Predicts | None = None,
    direction: Direction = "lower_is_poorer",
    by: str | Sequence[str] | None = None,
    psu: str | None = None,
    strata: str | None = None,
    replicates: int = 500,
    seed: int = 1,
    confidence: float = 0.95,
    lonely_psu: LonelyPsu = "error",
    benefit: float = 1.0,
    budget: float | None = None,
    quantile_rule: QuantileRule = "inverse_cdf",
    needs_data: NeedsData = "apart",
    points: int = 100,
    control: RunControl | None = None,
) -> ModelComparison:
    """Compare scores on the same households: errors, ranks, who switches, cost.

    Parameters
    ----------
    frame
        One row a household.
    models
        Names, and for each a `Model` (the frame is scored) or a column of scores.
    welfare, line, rate, weights, size, design, predicts, by, psu, strata
        As in `targeting`; the same for all models.
    replicates, seed, confidence, lonely_psu, budget, quantile_rule, needs_data, points, control
        As in `targeting`.
    cutoffs
        A cut-off for each model, a score or the name of one of its own, in the place of a design.
    direction
        Of columns of scores; a `Model` knows its own.
    benefit
        What each unit of weight that is targeted costs.

    Returns
    -------
    ModelComparison

    Raises
    ------
    SchemaError, DomainError, ModelError
        As in `targeting` and `score`.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> survey = pl.DataFrame({
    ...     "old": [10, 20, 30, 40, 50, 60], "new": [20, 10, 50, 30, 40, 60],
    ...     "cons_pc": [900, 1100, 2500, 1000, 3000, 4000], "district": ["a", "a", "a", "b", "b", "b"],
    ... })
    >>> found = nser.compare_models(
    ...     survey, {"old": "old", "new": "new"}, welfare="cons_pc", line=1200, by="district"
    ... )
    >>> found
    ModelComparison
      model  design             line    coverage         ier         eer        bpac         ntd         auc        cost
      old    fixed_rate        1,200      0.5000      0.3333      0.3333      0.6667      0.3333      0.8889      3.0000
      new    fixed_rate        1,200      0.5000      0.0000      0.0000      1.0000      1.0000      1.0000      3.0000
      rank correlation of old and new: 0.7714
    >>> found.switches.filter(pl.col("outcome").is_in(["only_a", "only_b"])).select(
    ...     "district", "outcome", "rows", "poor_share"
    ... )
    shape: (4, 4)
    ┌──────────┬─────────┬──────┬────────────┐
    │ district ┆ outcome ┆ rows ┆ poor_share │
    │ ---      ┆ ---     ┆ ---  ┆ ---        │
    │ str      ┆ enum    ┆ i64  ┆ f64        │
    ╞══════════╪═════════╪══════╪════════════╡
    │ a        ┆ only_a  ┆ 1    ┆ 0.0        │
    │ a        ┆ only_b  ┆ 0    ┆ null       │
    │ b        ┆ only_a  ┆ 0    ┆ null       │
    │ b        ┆ only_b  ┆ 1    ┆ 1.0        │
    └──────────┴─────────┴──────┴────────────┘
    """  # noqa: E501
    if not models or not isinstance(models, Mapping):
        raise invalid("models must hold names, and for each a Model or a column of scores")
    if cutoffs is not None and set(cutoffs) != set(models):
        raise invalid("cutoffs must have one for each model")
    if not benefit >= 0:
        raise invalid("benefit must be an amount that is not negative")
    check_choices(direction, quantile_rule, needs_data, lonely_psu, psu, strata)
    control = control or RunControl()
    table, scores = _scored(frame, models, direction)
    columns = Columns(
        welfare=welfare,
        line=line if isinstance(line, str) else None,
        weights=weights,
        size=size,
        by=[by] if isinstance(by, str) else list(by or ()),
        psu=psu,
        strata=strata,
    )
    sample = read_sample(table, scores, columns, needs_data)
    lines = make_lines(sample, line, rate, quantile_rule, control)
    units = None if psu is None else sampling_units(sample, lonely_psu)
    found = {}
    for name, (_, side) in scores.items():
        model = models[name]
        given = cutoffs[name] if cutoffs is not None else None
        options = options_of(
            design=design,
            cutoffs=cutoffs_of(given, model if isinstance(model, Model) else None, side),
            predicts=predicts,
            direction=side,
            budget=budget,
            points=points,
            replicates=replicates,
            seed=seed,
            confidence=confidence,
            control=control,
        )
        found[name] = measure(sample, name, lines, options, units)
    groups = [(n, _cost(m.by, benefit)) for n, m in found.items() if m.by is not None]
    drawn = [(n, m.intervals) for n, m in found.items() if m.intervals is not None]
    return ModelComparison(
        metrics=_stack([(n, _cost(m.metrics, benefit)) for n, m in found.items()]),
        by=_stack(groups) if groups else None,
        intervals=_stack(drawn) if drawn else None,
        correlation=_correlation(sample),
        switches=_switches(sample, found),
        excluded=sample.excluded,
    )


def _scored(
    frame: pl.DataFrame | pl.LazyFrame, models: Mapping[str, Model | str], direction: Direction
) -> tuple[pl.DataFrame, dict[str, tuple[str, Direction]]]:
    """Return the frame with a column of scores for each model, and which that is."""
    polars_frame("frame", frame)
    table = frame.lazy().collect()
    scores: dict[str, tuple[str, Direction]] = {}
    for number, (name, model) in enumerate(models.items()):
        if isinstance(model, Model):
            suffix = f"__nser_pmt_{number}"
            if f"pmt_score{suffix}" in table.columns:
                raise SchemaError(f"column 'pmt_score{suffix}' is ours", code="column_exists")
            table = add_score(table, model, suffix=suffix)
            scores[name] = (f"pmt_score{suffix}", model.direction)
        elif model not in table.columns and model in list_models()["id"]:
            raise SchemaError(
                f"column '{model}' is missing",
                code="missing_column",
                column=model,
                hint=f"For the model, give load_model('{model}')",
            )
        else:
            scores[name] = (model, direction)
    return table, scores


def _cost(frame: pl.DataFrame, benefit: float) -> pl.DataFrame:
    return frame.with_columns(((pl.col("tp") + pl.col("fp")) * benefit).alias("cost"))


def _stack(frames: Sequence[tuple[str, pl.DataFrame]]) -> pl.DataFrame:
    return pl.concat([f.select(pl.lit(name).alias("model"), pl.all()) for name, f in frames])


def _correlation(sample: Sample) -> pl.DataFrame:
    rows = []
    weight = sample.column("weight")
    for (a, x), (b, y) in combinations(sample.scores.items(), 2):
        rows.append((a, b, _native.rank_correlation(x, y, weight, sample.rows)))
    schema = {"model_a": pl.String, "model_b": pl.String, "spearman": pl.Float64}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _switches(sample: Sample, found: Mapping[str, Measured]) -> pl.DataFrame:
    rows: list[dict[str, Any]] = []
    for (a, of_a), (b, of_b) in combinations(found.items(), 2):
        for cut_a, cut_b in zip(of_a.cuts, of_b.cuts, strict=True):
            keys: dict[str, Any] = {
                "design": cut_a.design,
                "rate": cut_a.line.rate,
                "line": cut_a.line.value,
            }
            keys |= {"model_a": a, "model_b": b}
            rows += [keys | row for row in _outcomes(sample, cut_a, cut_b)]
    schema: dict[str, Any] = {
        "design": pl.String,
        "rate": pl.Float64,
        "line": pl.Float64,
        "model_a": pl.String,
        "model_b": pl.String,
        "group": pl.UInt32,
        "outcome": pl.Enum(OUTCOMES),
        "rows": pl.Int64,
        "weight": pl.Float64,
        "share": pl.Float64,
        "poor_share": pl.Float64,
    }
    frame = pl.DataFrame(rows, schema=schema, orient="row")
    if not sample.groups.width:
        return frame.drop("group")
    groups = sample.groups.with_row_index("group").cast({"group": pl.UInt32})
    joined = frame.join(groups, on="group", how="left", maintain_order="left")
    before, after = list(schema)[:5], list(schema)[6:]
    return joined.select(*before, *sample.groups.columns, *after)


def _outcomes(sample: Sample, a: Cut, b: Cut) -> Iterator[dict[str, object]]:
    # both 0, only a 1, only b 2, neither 3
    code = (~b.targeted).cast(pl.Float64) + 2 * (~a.targeted).cast(pl.Float64)
    weight, poor = sample.column("weight"), a.line.poor
    whole = pl.int_range(sample.rows, eager=True)
    for group, here in enumerate(sample.rows_by_group() or [whole]):
        sums = steps(code.gather(here), weight.gather(here), poor.gather(here), RunControl())
        known = {row[0]: row[1:] for row in sums.frame.rows()}
        before = (0.0, 0.0)
        for number, outcome in enumerate(OUTCOMES):
            rows, *upto = known.get(float(number), (0, *before))
            tp, fp = upto[0] - before[0], upto[1] - before[1]
            before = (upto[0], upto[1])
            everyone = sums.poor + sums.other
            yield {
                "group": group,
                "outcome": outcome,
                "rows": rows,
                "weight": tp + fp,
                "share": (tp + fp) / everyone if everyone > 0 else None,
                "poor_share": tp / (tp + fp) if tp + fp > 0 else None,
            }


def _text(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if abs(value) < 1e4 else f"{value:,.0f}"
