"""What a report says of each step."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import polars as pl

from nser_pmt._chart_data import histogram
from nser_pmt._charts import error_lines
from nser_pmt._svg import AGAINST, FOR, bars
from nser_pmt._svg import histogram as histogram_svg
from nser_pmt.pipeline._html import chart, note, table
from nser_pmt.pipeline._payments import HELD

if TYPE_CHECKING:
    from nser_pmt.pipeline._decisions import Decided
    from nser_pmt.pipeline._result import PipelineResult

__all__ = [
    "duplicates",
    "errors",
    "payments",
    "programme",
    "said",
    "scores",
    "title_of",
    "verified",
]

# Rows of a list that shows what a file holds.
_FEW = 10
_BINS = 40
_HELD = {
    "no_recipient": "nobody of the household may receive it",
    "not_verified": "the number of the recipient is not confirmed",
    "paid_elsewhere": "the same person receives it for another household",
    "amount_unknown": "the sources do not say how much it is",
}
_DECISIONS = {
    "eligible": "entitled",
    "not_eligible": "not entitled",
    "needs_data": "an answer is missing",
    "over_quota": "entitled, but there is no place left",
}


def said(text: str) -> str:
    """Return text as HTML."""
    return escape(text)


def title_of(decided: Decided) -> str:
    """Return the title of a programme without what it is."""
    return decided.programme.title.split(":")[0]


def _share(column: str = "rows") -> pl.Expr:
    return (pl.col(column) / pl.col(column).sum() * 100).alias("share")


def _words(column: str) -> pl.Expr:
    return pl.col(column).cast(pl.String).str.replace_all("_", " ")


_PERCENT = {"share": ".1f"}
_PERCENT_HEAD = {"share": "%"}


def verified(result: PipelineResult) -> list[str]:
    """Verdicts, and their reasons."""
    found, step = result.verified, result.config.verify
    if found is None or step is None:
        return []
    by = found.summary.group_by("verdict", maintain_order=True).agg(pl.col("rows").sum())
    pairs = by.select(_words("verdict"), "rows", accepted=_verdict_in(step.accept))
    drawn = bars(
        [("", [(v, float(n), FOR if good else AGAINST) for v, n, good in pairs.iter_rows()])],
        form=",.0f",
        caption="persons",
        label="verdicts",
    )
    reasons = found.summary.select(_words("verdict"), _words("reason"), "rows", _share())
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
        table(reasons, forms=_PERCENT, heads={**_PERCENT_HEAD, "rows": "persons"}),
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
    status = status.select(_words("pmt_status"), "rows", _share())
    parts = [note(f"{model.title}. {_side(model.direction)}")]
    if known.height:
        drawn = histogram_svg(
            _score_bins(known.get_column("pmt_score")),
            marks=[c.value for c in model.cutoffs],
            caption="score; broken lines: the model's own cut-offs",
            label="scores",
        )
        parts.append(chart(drawn, "Households by score."))
    parts.append(table(status, forms=_PERCENT, heads={"pmt_status": "status", **_PERCENT_HEAD}))
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


def programme(result: PipelineResult, name: str) -> list[str]:
    """Decisions, and the rules that were asked, in English and Urdu."""
    decided = result.decisions[name]
    book, on = decided.programme, result.config.on
    of = decided.frame.group_by("decision").agg(rows=pl.len()).sort("decision")
    text = pl.col("decision").cast(pl.String)
    decisions = of.select(
        decision=text.str.replace_all("_", " "),
        meaning=text.replace_strict(_DECISIONS, return_dtype=pl.String),
        rows="rows",
        share=_share(),
    )
    drawn = bars(
        [
            (
                "",
                [
                    (d, float(n), FOR if d == "eligible" else AGAINST)
                    for d, n in decisions.select("decision", "rows").iter_rows()
                ],
            )
        ],
        form=",.0f",
        caption=decided.unit,
        label=f"decisions of {book.id}",
    )
    rules = pl.DataFrame(
        [(rule.id, rule.text, rule.text_ur, rule.mark) for rule in book.active_rules(on)],
        schema=["rule", "text", "text_ur", "mark"],
        orient="row",
    )
    asked = rules.join(_reasons(decided), on="rule", how="left", maintain_order="left").select(
        "rule", "text", "text_ur", pl.col("not_eligible", "needs_data").fill_null(0), "mark"
    )
    parts = [
        f'<p lang="ur">{said(book.title_ur)}</p>',
        note(
            f"Rule book {book.id}, version {book.version(on).id}, for each of the "
            f"{decided.frame.height:,} {decided.unit}."
        ),
        chart(drawn, f"{decided.unit.capitalize()} by decision."),
        table(decisions, forms=_PERCENT, heads={**_PERCENT_HEAD, "rows": decided.unit}),
        "<h3>Rules of the day</h3>",
        table(
            asked,
            heads={
                "text_ur": "in Urdu",
                "not_eligible": "not met",
                "needs_data": "not known",
                "mark": "source",
            },
            urdu=["text_ur"],
            code=["rule"],
        ),
    ]
    parts.append(_by_province(result, name))
    if book.notes:
        parts.append(note(" ".join(book.notes.split())))
    return parts


def _reasons(decided: Decided) -> pl.DataFrame:
    """Return ``rule`` and for how many rows it is not met, and not known."""
    # A reason of what is unknown is "rule:column", and a rule may have several columns.
    rule = pl.col("reasons").list.eval(pl.element().str.split(":").list.first().unique())
    decision = pl.col("decision").cast(pl.String)
    why = decided.frame.select("decision", "reasons").filter(
        decision.is_in(["not_eligible", "needs_data"])
    )
    listed = why.group_by("decision", "reasons").agg(rows=pl.len())
    return (
        listed.cast({"reasons": pl.List(pl.String)})
        .with_columns(rule=rule)
        .explode("rule")
        .group_by("rule")
        .agg(
            pl.col("rows").filter(decision == kind).sum().alias(kind)
            for kind in ("not_eligible", "needs_data")
        )
    )


def _by_province(result: PipelineResult, name: str) -> str:
    """Households entitled by province."""
    if "province" not in result.scored.columns:
        return ""
    own = result.payments.filter(pl.col("programme") == name)
    place = result.scored.select(pl.col("hh_id").cast(pl.Int64), pl.col("province").cast(pl.String))
    rows = place.join(own, on="hh_id", how="left")
    entitled, free = pl.col("programme").is_not_null(), pl.col("held").is_null()
    by = rows.group_by("province").agg(
        households=pl.len(),
        entitled=entitled.sum(),
        share=entitled.mean() * 100,
        paid=(entitled & free).sum(),
        rupees=pl.col("amount").filter(entitled & free).sum(),
    )
    heads = {"entitled": "with somebody entitled", **_PERCENT_HEAD, "rupees": "Rs"}
    return "<h3>By province</h3>" + table(by.sort("province"), heads=heads, forms=_PERCENT)


def payments(result: PipelineResult) -> list[str]:
    """Totals, what is held, and the first rows of the list."""
    if not result.decisions:
        return []
    rows = result.payments
    free = pl.col("held").is_null()
    totals = rows.group_by("programme", maintain_order=True).agg(
        households=pl.len(),
        paid=free.sum(),
        rupees=pl.col("amount").filter(free).sum(),
        held=(~free).sum(),
    )
    held = rows.filter(~free).group_by("programme", "held").agg(rows=pl.len())
    order = pl.col("programme").replace_strict(
        {name: at for at, name in enumerate(result.decisions)}, return_dtype=pl.Int32
    )
    held = held.sort(order, pl.col("held").to_physical()).with_columns(
        pl.col("held").cast(pl.String).replace_strict(_HELD, return_dtype=pl.String)
    )
    assert set(_HELD) == set(HELD.categories)
    few = rows.filter(free).head(_FEW).drop("held")
    return [
        note(
            "One payment for each household and programme, to one person. Where several may "
            "receive it: whose number is confirmed, then the head, her or his wife, the mother, "
            "then the eldest. Numbers and names are masked; who may see them finds them by "
            "person_id in the registry."
        ),
        table(totals, heads={"rupees": "Rs"}),
        _titled("Held", held, heads={"held": "because"}),
        _titled("The first rows of payments.csv", few, code=["cnic"], forms=_IDS, heads=_ID_HEADS),
    ]


def _titled(title: str, frame: pl.DataFrame, **options: Any) -> str:
    """Return a table under a title; nothing if it is empty."""
    return f"<h3>{said(title)}</h3>{table(frame, **options)}" if frame.height else ""


# Ids are names: no thousands separators.
_IDS = {"hh_id": "d", "person_id": "d"}
_ID_HEADS = {"hh_id": "household", "person_id": "person", "cnic": "CNIC", "amount": "Rs"}


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
