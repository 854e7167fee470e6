"""The page of a report: one file, nothing loaded, light and dark, fit to print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import polars as pl

__all__ = ["cards", "chart", "note", "page", "section", "table"]

_STYLE = """
:root { color-scheme: light dark; --ink: #1a202c; --soft: #4a5568; --paper: #ffffff;
  --line: #d9dee7; --band: #f5f7fa; --mark: #2b6cb0; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ef; --soft: #a7b0c0; --paper: #14181f;
  --line: #343c4a; --band: #1c222c; --mark: #7cb3e8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.25rem 4rem; max-width: 60rem; background: var(--paper);
  color: var(--ink); font: 16px/1.5 system-ui, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
h1 { font-size: 1.8rem; line-height: 1.2; margin: 0 0 .25rem; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .5rem; padding-top: .6rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1rem; margin: 1.5rem 0 .25rem; }
p { margin: .4rem 0 .8rem; max-width: 46rem; }
.lead, .note { color: var(--soft); }
.warn { border-left: 4px solid #c05621; padding: .5rem .9rem; background: var(--band); }
nav { margin: 1rem 0 0; font-size: .9rem; }
nav a { margin-right: 1rem; color: var(--mark); }
.cards { display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0; }
.card { flex: 1 1 auto; min-width: 8rem; padding: .7rem .9rem; background: var(--band);
  border: 1px solid var(--line); border-radius: .4rem; }
.card b { display: block; font-size: 1.3rem; line-height: 1.25; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.card span { color: var(--soft); font-size: .85rem; }
.scroll { overflow-x: auto; margin: .5rem 0 1rem; }
table { border-collapse: collapse; font-size: .9rem; }
th, td { padding: .3rem .8rem .3rem 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--line); }
th { font-weight: 600; color: var(--soft); white-space: nowrap; vertical-align: bottom; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
th.u { text-align: right; }
td.c { font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: .85em;
  white-space: nowrap; }
[lang=ur] { direction: rtl; text-align: right; line-height: 1.9;
  font-family: "Noto Nastaliq Urdu", "Jameel Noori Nastaleeq", "Urdu Typesetting", "Geeza Pro",
  "Noto Naskh Arabic", "Noto Sans Arabic", "Segoe UI", Tahoma, sans-serif; }
figure { margin: .75rem 0 1.25rem; }
figcaption { color: var(--soft); font-size: .9rem; }
svg { max-width: 100%; height: auto; }
td[lang=ur], td.t { min-width: 11rem; }
@media (max-width: 40rem) { figure { overflow-x: auto; } figure svg { max-width: none; } }
@media print { :root { --ink: #000; --soft: #333; --paper: #fff; --line: #bbb; --band: #fff;
  --mark: #000; } body { max-width: none; padding: 0; font-size: 10pt; } nav { display: none; }
  h2, h3 { break-after: avoid; } table, tr, figure, .card { break-inside: avoid; }
  thead { display: table-header-group; } .scroll { overflow: visible; } @page { margin: 18mm; } }
"""

# Letters of a text that needs several lines.
_LONG = 40
_NUMBER, _URDU = ' class="n"', ' lang="ur"'


def page(title: str, body: Sequence[str]) -> str:
    """Return the whole file."""
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(body)
        + "\n</body>\n</html>\n"
    )


def section(id: str, title: str, *parts: str) -> str:
    """Return a section under its title; empty parts are left out."""
    said = "\n".join(part for part in parts if part)
    return f'<section id="{id}">\n<h2>{escape(title)}</h2>\n{said}\n</section>'


def note(text: str, kind: str = "note") -> str:
    """Return a paragraph."""
    return f'<p class="{kind}">{escape(text)}</p>'


def cards(values: Sequence[tuple[str, str]]) -> str:
    """Return a row of numbers, each with what it is."""
    made = (
        f'<div class="card"><b>{escape(n)}</b><span>{escape(t)}</span></div>' for n, t in values
    )
    return f'<div class="cards">{"".join(made)}</div>'


def chart(svg: str, caption: str) -> str:
    """Return a picture with its caption; nothing if there is no picture."""
    if not svg:
        return ""
    # The name of the language that SVG is written in looks like an address, and is not needed here.
    inner = svg.replace(' xmlns="http://www.w3.org/2000/svg"', "")
    return f"<figure>{inner}<figcaption>{escape(caption)}</figcaption></figure>"


def table(
    frame: pl.DataFrame,
    *,
    heads: Mapping[str, str] | None = None,
    forms: Mapping[str, str] | None = None,
    urdu: Sequence[str] = (),
    code: Sequence[str] = (),
) -> str:
    """Return a table: numbers to the right with thousands separators, a dash for none.

    Parameters
    ----------
    frame
        What it shows.
    heads
        Heads of columns, where not their names.
    forms
        Formats of numbers, where not ``",d"`` and ``",.1f"``.
    urdu, code
        Columns in Urdu; columns of ids.
    """
    heads, forms = heads or {}, forms or {}
    kinds = {}
    for name, dtype in frame.schema.items():
        if dtype.is_numeric():
            kinds[name] = _NUMBER
        elif name in urdu:
            kinds[name] = _URDU
        else:
            long = any(len(str(value)) > _LONG for value in frame.get_column(name))
            kinds[name] = ' class="c"' if name in code else ' class="t"' if long else ""
    numeric = {name: ",d" if dtype.is_integer() else ",.1f" for name, dtype in frame.schema.items()}
    sides = {_NUMBER: _NUMBER, _URDU: ' class="u"'}
    head = "".join(
        f"<th{sides.get(kinds[name], '')}>{escape(heads.get(name, name.replace('_', ' ')))}</th>"
        for name in frame.columns
    )
    rows = []
    for row in frame.iter_rows(named=True):
        cells = []
        for name, value in row.items():
            text = "–" if value is None else str(value)
            if value is not None and kinds[name] == _NUMBER:
                text = format(value, forms.get(name, numeric[name]))
            cells.append(f"<td{kinds[name]}>{escape(text)}</td>")
        rows.append(f"<tr>{''.join(cells)}</tr>")
    return (
        f'<div class="scroll"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )
