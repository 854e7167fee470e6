"""How a programme shows in a terminal and in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING

from nser_pmt.programmes._parts import Cutoff, Dated

if TYPE_CHECKING:
    from nser_pmt.programmes.programme import Programme

__all__ = ["dates", "programme_html", "programme_text"]


def programme_text(programme: Programme) -> str:
    """Return a rule book as text, one rule a line."""
    lines = [f"{programme.id}: {programme.title} ({programme.country})", _about(programme)]
    for id, when, text, mark, _ in _rows(programme):
        lines.append(f"  {id:<26} {when:<24} {text} [{mark}]")
    lines += [f"  not modelled: {u.text} [{u.mark}]" for u in programme.unmodelled]
    return "\n".join(lines)


def programme_html(programme: Programme) -> str:
    """Return a rule book as an HTML table, with the rules in Urdu beside those in English."""
    left = "style='text-align:left'"
    rows = [
        f"<tr><td {left}>{escape(id)}</td><td {left}>{escape(when)}</td><td {left}>{escape(text)}"
        f"</td><td dir='rtl' lang='ur' style='text-align:right'>{escape(urdu)}</td>"
        f"<td {left}>{escape(mark)}</td></tr>"
        for id, when, text, mark, urdu in _rows(programme)
    ]
    rows += [
        f"<tr><td {left}>{escape(u.id)}</td><td></td><td {left}>not modelled: {escape(u.text)}</td>"
        f"<td></td><td {left}>{escape(u.mark)}</td></tr>"
        for u in programme.unmodelled
    ]
    return (
        f"<div><b>{escape(programme.id)}</b>: {escape(programme.title)} "
        f"<span dir='rtl' lang='ur'>{escape(programme.title_ur)}</span><br>"
        f"<i>{escape(_about(programme))}</i><table>{''.join(rows)}</table></div>"
    )


def _about(programme: Programme) -> str:
    versions = ", ".join(f"{v.id} ({dates(v)})" for v in programme.versions)
    needs = f"; needs {', '.join(programme.needs)}" if programme.needs else ""
    return f"decides a {programme.unit}{needs}; versions {versions}"


def _rows(programme: Programme) -> Iterator[tuple[str, str, str, str, str]]:
    for rule in programme.rules:
        kind = "NOT: " if rule.kind == "exclude" else ""
        yield rule.id, _when(rule), kind + rule.text, rule.mark, rule.text_ur
        if isinstance(rule, Cutoff):
            for line in rule.lines:
                yield f"  {line.id}", _when(line), line.text, line.mark, line.text_ur
    for amount in programme.amounts:
        value = (
            "an unknown amount" if amount.value is None else f"{amount.value:,} rupees a quarter"
        )
        text = (
            f"{value}{' more' if amount.supplement else ''}{': ' * bool(amount.text)}{amount.text}"
        )
        yield amount.id, _when(amount), text, amount.mark, ""
    for quota in programme.quotas:
        room = f"{quota.places:,} places" if quota.budget is None else f"{quota.budget:,} rupees"
        ranks = ", ".join(k.column + " descending" * k.descending for k in quota.rank_by)
        text = (
            f"{room}{f' in each {quota.per}' if quota.per else ''} by {ranks}; ties {quota.ties}d"
        )
        yield quota.id, _when(quota), text, quota.mark, quota.text_ur


def _when(part: Dated) -> str:
    return dates(part) if part.enabled else f"OFF {dates(part)}"


def dates(part: object) -> str:
    """Return the dates of a part of a programme in words."""
    start, end = getattr(part, "valid_from"), getattr(part, "valid_to")  # noqa: B009
    return f"{start} to {end}" if end is not None else f"from {start}"
