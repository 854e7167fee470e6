"""What a report says of programmes: decisions, rules, payments."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import polars as pl

from nser_pmt._svg import AGAINST, FOR, bars
from nser_pmt.pipeline._html import chart, note, table
from nser_pmt.pipeline._report_tables import PERCENT, PERCENT_HEAD, share, titled

if TYPE_CHECKING:
    from nser_pmt.pipeline._decisions import Decided
    from nser_pmt.pipeline._result import PipelineResult

__all__ = ["payments", "programme", "title_of"]

# Rows of a list that shows what a file holds.
_FEW = 10
_HELD = {
    "no_recipient": "nobody of the household may receive it",
    "not_verified": "the number of the recipient is not confirmed",
    "paid_elsewhere": "the same person receives it for another household",
    "amount_unknown": "how much it is is not known",
}
_DECISIONS = {
    "eligible": "entitled",
    "not_eligible": "not entitled",
    "needs_data": "an answer is missing",
    "over_quota": "entitled, but there is no place left",
}
# Ids are names: no thousands separators.
_IDS = {"hh_id": "d", "person_id": "d"}
_ID_HEADS = {"hh_id": "household", "person_id": "person", "cnic": "CNIC", "amount": "Rs"}


def title_of(decided: Decided) -> str:
    """Return the title of a programme without what it is."""
    return decided.programme.title.split(":")[0]


def programme(result: PipelineResult, name: str) -> list[str]:
    """Show decisions, and the rules that were asked, in English and Urdu."""
    decided = result.decisions[name]
    book, on = decided.programme, result.config.on
    of = decided.frame.group_by("decision").agg(rows=pl.len()).sort("decision")
    text = pl.col("decision").cast(pl.String)
    decisions = of.select(
        decision=text.str.replace_all("_", " "),
        meaning=text.replace_strict(_DECISIONS, return_dtype=pl.String),
        rows="rows",
        share=share(),
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
        f'<p lang="ur">{escape(book.title_ur)}</p>',
        note(
            f"Rule book {book.id}, version {book.version(on).id}, for each of the "
            f"{decided.frame.height:,} {decided.unit}."
        ),
        chart(drawn, f"{decided.unit.capitalize()} by decision."),
        table(decisions, forms=PERCENT, heads={**PERCENT_HEAD, "rows": decided.unit}),
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
    heads = {"entitled": "with somebody entitled", **PERCENT_HEAD, "rupees": "Rs"}
    return "<h3>By province</h3>" + table(by.sort("province"), heads=heads, forms=PERCENT)


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
    few = rows.filter(free).head(_FEW).drop("held")
    return [
        note(
            "One payment for each household and programme, to one person. Where several may "
            "receive it: whose number is confirmed, then the head, the head's wife, the mother, "
            "then the eldest. Numbers and names are masked; who may see them finds them by "
            "person_id in the registry."
        ),
        table(totals, heads={"rupees": "Rs"}),
        titled("Held", held, heads={"held": "because"}),
        titled("The first rows of payments.csv", few, code=["cnic"], forms=_IDS, heads=_ID_HEADS),
    ]
