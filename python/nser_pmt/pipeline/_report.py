"""The report of a run: one HTML page that loads nothing."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import polars as pl

from nser_pmt import _native
from nser_pmt._svg import FOR, bars
from nser_pmt.pipeline import _report_forms as forms
from nser_pmt.pipeline import _report_programmes as programmes
from nser_pmt.pipeline._html import cards, chart, note, page, section, table

if TYPE_CHECKING:
    from nser_pmt.pipeline._result import PipelineResult

__all__ = ["report"]

_LEFT_OUT = {
    "verify": "Persons were not verified against citizens.",
    "duplicates": "Forms were not looked through for duplicates: a household may be here twice.",
    "programmes": "Nothing was decided, and nothing is paid.",
    "targeting": "Errors were not measured: no column of welfare was given.",
}


def report(result: PipelineResult) -> str:
    """Return the page."""
    config = result.config
    sections = [
        ("path", "From form to payment", _path(result)),
        ("verified", "Who was verified", forms.verified(result)),
        ("duplicates", "Who is registered twice", forms.duplicates(result)),
        ("scores", "Scores", forms.scores(result)),
        *(
            (f"programme-{n}", decided.programme.title, programmes.programme(result, name))
            for n, (name, decided) in enumerate(result.decisions.items())
        ),
        ("payments", "Payments", programmes.payments(result)),
        ("errors", "Errors of targeting", forms.errors(result)),
        ("made", "How this was made", _made(result)),
    ]
    shown = [part for part in sections if part[2]]
    links = "".join(f'<a href="#{id}">{_short(title)}</a>' for id, title, _ in shown)
    left = [text for step, text in _LEFT_OUT.items() if not getattr(config, step)]
    body = [
        f"<h1>{escape(config.title)}</h1>",
        note(f"As of {config.on:%d %B %Y}. Scores of {result.model.title}.", "lead"),
        note(config.note, "warn") if config.note else "",
        note("Left out: " + " ".join(left), "warn") if left else "",
        f"<nav>{links}</nav>",
        *(section(id, title, *parts) for id, title, parts in shown),
    ]
    return page(config.title, [part for part in body if part])


def _short(title: str) -> str:
    return escape(title.split(":")[0])


def _path(result: PipelineResult) -> list[str]:
    """Return what became of the forms, in numbers and bars."""
    forms = result.inputs["households"][2]
    kept = result.scored.height
    shown = [(f"{forms:,}", "survey forms")]
    rows = [("survey forms", forms)]
    if result.duplicates is not None:
        shown.append((f"{kept:,}", "households, once each"))
        rows.append(("households, once each", kept))
    rows.append(("with a score", kept - result.scored.get_column("pmt_score").null_count()))
    groups = [("", rows)]
    for name, decided in result.decisions.items():
        own = result.payments.filter(pl.col("programme") == name)
        counted = [("entitled", own.height), ("paid", own.get_column("held").null_count())]
        groups.append((programmes.title_of(decided), counted))
    paid = result.payments.filter(pl.col("held").is_null())
    if result.decisions:
        shown += [
            (f"{paid.height:,}", "payments"),
            (f"Rs {paid.get_column('amount').sum():,}", "this quarter"),
            (f"{result.payments.height - paid.height:,}", "payments held"),
        ]
    drawn = bars(
        [(title, [(what, float(n), FOR) for what, n in counted]) for title, counted in groups],
        form=",.0f",
        caption="households",
        label="what became of the forms",
    )
    return [cards(shown), chart(drawn, "What became of the forms.")]


def _made(result: PipelineResult) -> list[str]:
    """Versions and hashes."""
    config = result.config
    rows = [
        ("library", f"nser_pmt {_native.__version__}", ""),
        ("configuration", f"as of {config.on}", config.digest),
        ("model", result.model.id, result.model.digest),
    ]
    rows += [
        (
            "programme",
            f"{d.programme.id}, version {d.programme.version(config.on).id}",
            d.programme.digest,
        )
        for d in result.decisions.values()
    ]
    rows += [
        (name, f"{file or 'a frame of the caller'}, {n:,} rows", digest or "")
        for name, (file, digest, n) in result.inputs.items()
    ]
    frame = pl.DataFrame(rows, schema=["what", "which", "sha256"], orient="row")
    return [
        note(
            "The same tables and the same configuration give the same report, to the last letter: "
            "no time of day is in it. run.json holds the same for programs."
        ),
        table(frame, heads={"sha256": "SHA-256"}, code=["sha256"]),
    ]
