"""What charts draw: results brought down to a few hundred numbers, for Altair and for SVG alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import polars as pl

if TYPE_CHECKING:
    from nser_pmt.targeting.targeting import Targeting

__all__ = [
    "coefficient_rows",
    "count_form",
    "curve_of",
    "decile_coverage",
    "design_name",
    "histogram",
    "line_name",
    "most_moved",
    "of_line",
    "step_sides",
    "thinned",
]

_DECILES = 10
# Letters of a term and its base that a chart has room for.
_LETTERS = 40


def thinned(frame: pl.DataFrame, points: int) -> pl.DataFrame:
    """Return at most so many rows, evenly spaced, with the first and the last."""
    if frame.height <= points:
        return frame
    step = (frame.height - 1) / (points - 1)
    return frame[sorted({round(k * step) for k in range(points)})]


def line_name(rate: float | None, line: float | None) -> str:
    """Return a poverty line in words."""
    if rate is not None:
        return f"poorest {100 * rate:g} %"
    return "line of each row" if line is None else f"line {line:,.6g}"


def count_form(values: pl.Series) -> str:
    """Return the format of counts: whole, or, if they are weighted, with a decimal."""
    return ",d" if values.dtype.is_integer() else ",.1f"


def design_name(design: str, cutoff: float | None) -> str:
    """Return a design in words."""
    if design == "cutoff" and cutoff is not None:
        return f"cut-off {cutoff:.5g}"
    return "cut-off" if design == "cutoff" else design.replace("_", " ")


def of_line(rate: float | None, line: float | None) -> pl.Expr:
    """Select the rows of one poverty line."""
    return pl.col("rate").eq_missing(rate) & pl.col("line").eq_missing(line)


def step_sides(direction: str) -> Literal["step-after", "step-before"]:
    """Return how a curve over cut-offs runs between two scores, in Vega's words."""
    return "step-after" if direction == "lower_is_poorer" else "step-before"


def curve_of(
    targeting: Targeting, rate: float | None, line: float | None, points: int
) -> pl.DataFrame:
    """Return the curve of one poverty line, thinned."""
    own = targeting.curve.filter(of_line(rate, line))
    return thinned(own.unique(subset="score", keep="first", maintain_order=True), points)


def decile_coverage(targeting: Targeting) -> pl.DataFrame | None:
    """Return the share targeted of each tenth by welfare, for every line and design.

    The benefits are uniform, so that the share of them that a tenth has is the share of those
    targeted that are in it. None if the concentration curve has no points at the tenths.
    """
    if not targeting.concentration.width:
        return None
    keys = ("design", "rate", "line", "cutoff")
    rows: list[dict[str, Any]] = []
    benefits = targeting.concentration.get_column("benefits")
    length = len(benefits) // targeting.metrics.height
    cases = targeting.metrics.select(*keys, "coverage").iter_rows(named=True)
    for number, row in enumerate(cases):
        shares = benefits[number * length : (number + 1) * length]
        step, rest = divmod(len(shares) - 1, _DECILES)
        if rest or not step:
            return None
        shares = shares[: step * _DECILES + 1].fill_null(0.0)  # null where nobody is targeted
        for tenth in range(_DECILES):
            own = float(shares[(tenth + 1) * step] - shares[tenth * step])
            share = min(max(own * (row["coverage"] or 0.0) * _DECILES, 0.0), 1.0)
            rows.append(row | {"decile": tenth + 1, "share": share})
    return pl.DataFrame(rows, infer_schema_length=None)


def histogram(values: pl.Series, bins: int) -> list[tuple[float, float, int]]:
    """Return equal bins from the lowest to the highest value: both ends, and how many are in."""
    low, high = (float(values.min()), float(values.max()))  # type: ignore[arg-type]
    if not high - low > 1e-9 * max(abs(low), abs(high)):
        return [(low - 0.5, high + 0.5, len(values))]
    width = (high - low) / bins
    places = ((values - low) / width).floor().clip(0, bins - 1).cast(pl.Int64)
    counts = dict(places.alias("bin").value_counts().iter_rows())
    return [(low + k * width, low + (k + 1) * width, counts.get(k, 0)) for k in range(bins)]


def coefficient_rows(table: pl.DataFrame) -> list[dict[str, Any]]:
    """Return coefficients by term: a head for each term with levels, and a row for each number.

    The intercept is left out. ``name`` is the term, with its base level if there is one.
    """
    rows: list[dict[str, Any]] = []
    table = table.filter(pl.col("term") != "intercept")
    for group in table.partition_by("term", maintain_order=True):
        term, bases = group.item(0, "term"), group.get_column("base").unique().drop_nulls()
        base = str(bases[0]) if len(bases) == 1 else ""
        single = group.height == 1 and group.item(0, "level") in ("", None)
        if not single:
            name = f"{term} (base {base})"
            name = name if base and len(name) <= _LETTERS else term
            rows.append({"term": term, "head": True, "name": name})
        for row in group.iter_rows(named=True):
            ends = {end: row.get(end) for end in ("low", "high")}
            name = term if single else str(row["level"])
            rows.append(
                {
                    "term": term,
                    "head": single,
                    "name": name,
                    "coefficient": row["coefficient"],
                    **ends,
                }
            )
    return rows


def most_moved(frame: pl.DataFrame, most: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the groups with most households that move, and the rest.

    The group is named ``group``. Those with most come first; but groups that have an order, such as
    tenths, keep it if all are shown.
    """
    group = frame.columns[0]
    missing = "no score" if group == "score_decile" else "missing"
    named = frame.select(
        pl.col(group).cast(pl.String).fill_null(missing).alias("group"), "enters", "leaves"
    )
    if frame.height <= most and frame.schema[group] != pl.String:
        return named, named.clear()
    moved = pl.col("enters") + pl.col("leaves")
    ordered = named.sort(moved, descending=True, maintain_order=True)
    return ordered.head(most), ordered.slice(most)
