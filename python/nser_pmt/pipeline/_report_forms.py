"""What a report says of forms: who was verified, what is there twice, scores and their errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from nser_pmt._chart_data import histogram
from nser_pmt._charts import error_lines
from nser_pmt._svg import AGAINST, FOR, bars
from nser_pmt._svg import histogram as histogram_svg
from nser_pmt.pipeline._html import chart, note, table
from nser_pmt.pipeline._report_tables import PERCENT, PERCENT_HEAD, share, words

if TYPE_CHECKING:
    from nser_pmt.pipeline._result import PipelineResult

__all__ = ["duplicates", "errors", "scores", "verified"]

_BINS = 40


def verified(result: PipelineResult) -> list[str]:
    """Verdicts, and their reasons."""
    found, step = result.verified, result.config.verify
    if found is None or step is None:
        return []
    by = found.summary.group_by("verdict", maintain_order=True).agg(pl.col("rows").sum())
    pairs = by.select(words("verdict"), "rows", accepted=_verdict_in(step.accept))
    drawn = bars(
        [("", [(v, float(n), FOR if good else AGAINST) for v, n, good in pairs.iter_rows()])],
        form=",.0f",
        caption="persons",
        label="verdicts",
    )
    reasons = found.summary.select(words("verdict"), words("reason"), "rows", share())
    meant = " or ".join(step.accept).replace("_", " ")
    refused = " or ".join(step.refuse).replace("_", " ") or "none"
    return [
        note(
            f"{found.frame.height:,} persons ({step.who}) were looked up by number, and by name "
            "where the number does not lead to them. A number counts as confirmed if the verdict "
            f"is {meant}; as not the person's if it is {refused}, or if the citizen is dead. "
            "Otherwise it is not known: the person may bring the right one."
        ),
        chart(drawn, "Persons by verdict; blue: the number is confirmed."),
        table(reasons, forms=PERCENT, heads={**PERCENT_HEAD, "rows": "persons"}),
    ]


def _verdict_in(verdicts: tuple[str, ...]) -> pl.Expr:
    return pl.col("verdict").cast(pl.String).is_in(list(verdicts))


def duplicates(result: PipelineResult) -> list[str]:
    """Forms of one household, and persons in several."""
    found, step = result.duplicates, result.config.duplicates
    if found is None or step is None:
        return []
    kept = found.persons.filter("kept")
    in_several = kept.filter(pl.len().over("person") > 1)
    rows = [
        ("survey forms", result.inputs["households"][2]),
        ("forms of a household that has one: set aside", found.households.height),
        ("households, once each", result.scored.height),
        ("adults who were compared", found.compared),
        ("persons with more than one record", found.persons.get_column("person").n_unique()),
        (
            "persons in two households that are not one",
            in_several.get_column("person").n_unique(),
        ),
    ]
    frame = pl.DataFrame(rows, schema=["what", "rows"], orient="row")
    return [
        note(
            "Adults were linked by number, names, birth date, sex and district. Two forms are of "
            f"one household if at least {step.overlap:.0%} of their adults are the same persons; "
            f"the {step.keep} by {step.order.replace('_', ' ')} is kept. A person who is in two "
            "different households is paid once."
        ),
        table(frame, heads={"rows": "number"}),
    ]


def scores(result: PipelineResult) -> list[str]:
    """How scores are spread, and who could not be scored."""
    scored, model = result.scored, result.model
    known = scored.filter(pl.col("pmt_score").is_not_null())
    status = scored.group_by("pmt_status").agg(rows=pl.len()).sort("pmt_status")
    status = status.select(words("pmt_status"), "rows", share())
    parts = [note(f"{model.title}. {_side(model.direction)}")]
    if known.height:
        drawn = histogram_svg(
            _score_bins(known.get_column("pmt_score")),
            marks=[c.value for c in model.cutoffs],
            caption="score; broken lines: the model's own cut-offs",
            label="scores",
        )
        parts.append(chart(drawn, "Households by score."))
    parts.append(table(status, forms=PERCENT, heads={"pmt_status": "status", **PERCENT_HEAD}))
    if "province" in scored.columns and known.height:
        score = pl.col("pmt_score")
        by = known.group_by(pl.col("province").cast(pl.String)).agg(
            households=pl.len(),
            lowest_tenth=score.quantile(0.1, "lower"),
            median=score.quantile(0.5, "lower"),
            highest_tenth=score.quantile(0.9, "lower"),
        )
        heads = {
            "lowest_tenth": "10th percentile",
            "median": "median",
            "highest_tenth": "90th percentile",
        }
        parts.append(table(by.sort("province"), heads=heads))
    return parts


def _score_bins(scores: pl.Series) -> list[tuple[float, float, int]]:
    """Return bins of scores; of whole scores each holds as many whole numbers."""
    low, high = float(scores.min()), float(scores.max())  # type: ignore[arg-type]
    if not (scores == scores.floor()).all():
        return histogram(scores, _BINS)
    width = -(-(high - low + 1) // _BINS)
    counts = dict(((scores - low) // width).cast(pl.Int64).alias("bin").value_counts().iter_rows())
    places = range(int((high - low) // width) + 1)
    return [(low + k * width, low + (k + 1) * width, counts.get(k, 0)) for k in places]


def _side(direction: str) -> str:
    side = "lower" if direction == "lower_is_poorer" else "higher"
    return f"A {side} score is poorer."


def errors(result: PipelineResult) -> list[str]:
    """Errors of the score, and of what was decided."""
    found, step = result.targeting, result.config.targeting
    if found is None or step is None:
        return []
    percent = [pl.col(name) * 100 for name in ("headcount", "coverage", "ier", "eer")]
    score = found.metrics.select(*percent, "cgh", "auc")
    heads = {
        "headcount": "poor, %",
        "coverage": "reached, %",
        "ier": "inclusion error, %",
        "eer": "exclusion error, %",
        "cgh": "CGH",
        "auc": "AUC",
    }
    forms = {"cgh": ".2f", "auc": ".3f"}
    parts = [
        note(
            f"Poor are the {step.rate:.0%} with the least {step.welfare.replace('_', ' ')}"
            f"{', counted by persons' if step.size else ''}. Inclusion error: share of those "
            "reached who are not poor. Exclusion error: share of the poor who are not reached. "
            "CGH: what the poor get over what they would get if everybody got the same."
        ),
        "<h3>The score alone, reaching as many as are poor</h3>",
        table(score, heads=heads, forms=forms),
        chart(error_lines(found), "Both errors for every cut-off of the score."),
    ]
    decided = result.decision_errors
    if decided is not None and decided.height:
        shown = decided.select("programme", *percent, "cgh")
        parts += [
            "<h3>What was decided: households with somebody entitled</h3>",
            table(shown, heads=heads, forms=forms),
        ]
    return parts
