"""What is in a column of a registry: its values, how they are compared, and what to check."""

from __future__ import annotations

import polars as pl

from nser_pmt import cnic, compare, names
from nser_pmt.compare import Comparison

__all__ = ["NAMES", "agreement", "read_column", "share_of_cnics"]

NAMES = ("name", "given", "surname", "father", "mother")
"""Roles whose columns hold names."""

# Values, a comparison and what to check; or why the column is of no use.
_Read = tuple[pl.Series, Comparison, list[str]] | str


def read_column(series: pl.Series, role: str) -> _Read:
    """Read a column that is thought to have a role."""
    if role in NAMES:
        return _read_name(series)
    readers = {
        "cnic": _read_cnic,
        "birth": _read_birth,
        "birth_year": _read_year,
        "phone": _read_phone,
        "number": _read_text,
        "address": _read_text,
        "sex": _read_sex,
    }
    return readers.get(role, _read_place)(series)


def share_of_cnics(series: pl.Series) -> float:
    """Return the share of the values, other than missing ones, that are identity numbers."""
    kind = series.to_frame().select(cnic.parse(series.name).struct.field("kind"))
    kinds = kind.to_series().cast(pl.String)
    return _share(kinds.filter(kinds != "missing") == "cnic")


def agreement(values: pl.Series, rows: int) -> tuple[float, float, float]:
    """Return the chance that two rows agree, the share filled, and that of the most frequent."""
    given = values.drop_nulls()
    n = len(given)
    if n == 0:
        return 1.0, 0.0, 0.0
    counts = given.value_counts().get_column("count").cast(pl.Float64)
    pairs = float((counts * (counts - 1)).sum())
    chance = pairs / (n * (n - 1)) if n > 1 else 0.0
    return max(chance, 1 / rows), n / len(values), float(counts.sort()[-1]) / n


def _is_text(series: pl.Series) -> bool:
    return isinstance(series.dtype, (pl.String, pl.Enum, pl.Categorical))


def _read_cnic(series: pl.Series) -> _Read:
    if not (_is_text(series) or series.dtype.is_numeric()):
        return "not an identity number: neither text nor a whole number"
    parsed = series.to_frame().select(cnic.parse(series.name).alias("p")).unnest("p")
    kinds = parsed.get_column("kind").cast(pl.String)
    given = int((kinds != "missing").sum())
    good = int((kinds == "cnic").sum())
    if given == 0:
        return "every value is missing"
    if good < given / 2:
        return f"named like an identity number, but only {good / given:.0%} can be read as one"
    checks = []
    dummies = int((kinds == "dummy").sum())
    if dummies:
        checks.append(f"{dummies / given:.1%} dummies, which count as missing")
    if given - good - dummies:
        checks.append(f"{(given - good - dummies) / given:.1%} are no full numbers")
    return parsed.get_column("number"), compare.cnic(series.name), checks


def _read_name(series: pl.Series) -> _Read:
    if not _is_text(series):
        return "named like a name, but not text"
    folded = series.to_frame().select(names.fold(series.name)).to_series()
    given = folded.filter(folded.str.len_chars() > 0)
    lettered = _share(given.str.contains(r"\p{L}{2}"))
    if len(given) and lettered < 0.8:
        return f"named like a name, but only {lettered:.0%} hold letters"
    values = folded.to_frame("v").select(pl.when(pl.col("v") != "").then("v")).to_series()
    return values, compare.name(series.name), []


def _read_birth(series: pl.Series) -> _Read:
    if _is_text(series):
        text = series.cast(pl.String)
        given = text.filter(text.str.len_chars() > 0)
        dated = _share(given.str.contains(r"^\s*\d{1,4}\D?\d{1,2}\D?\d{1,4}\b"))
        if len(given) and dated < 0.5:
            return f"named like a date of birth, but only {dated:.0%} look like a date"
        check = (
            "dates are text: parse them with .str.to_date() to have slips and heaps of dates seen"
        )
        levels = compare.string(series.name, "damerau_levenshtein", levels=[1], frequency="exact")
        return _filled(text), levels, [check]
    if not isinstance(series.dtype, (pl.Date, pl.Datetime)):
        return "named like a date of birth, but not a Date; parse it"
    days = series.cast(pl.Date)
    given = days.drop_nulls()
    checks = []
    if len(given):
        heaped = _share((given.dt.month() == 1) & (given.dt.day() == 1))
        if heaped > 0.02:
            checks.append(f"{heaped:.1%} on 1 January, which stands for a year only")
        early = int((given.dt.year() < 1900).sum())
        if early:
            checks.append(f"{early / len(given):.1%} before 1900")
    return days, compare.date(series.name), checks


def _read_year(series: pl.Series) -> _Read:
    if not series.dtype.is_numeric():
        return "named like a year of birth, but not a number"
    return series, compare.number(series.name, levels=[1, 5], frequency="exact"), []


def _read_phone(series: pl.Series) -> _Read:
    if isinstance(series.dtype, pl.List):
        return "a list of numbers: compare it with compare.set if they are the person's own"
    if not (_is_text(series) or series.dtype.is_integer()):
        return "named like a telephone number, but neither text nor a whole number"
    digits = series.cast(pl.String).str.replace_all(r"\D", "")
    share = _share(digits.drop_nulls().str.len_chars() >= 7)
    if share < 0.5 and series.null_count() < len(series):
        return f"named like a telephone number, but only {share:.0%} have seven digits"
    return _filled(digits), compare.exact(series.name, frequency="exact"), []


def _read_text(series: pl.Series) -> _Read:
    if series.dtype.is_integer():
        return series, compare.exact(series.name), []
    if not _is_text(series):
        return "not text"
    text = series.cast(pl.String)
    return _filled(text), compare.string(series.name, "damerau_levenshtein", levels=[1, 2]), []


def _read_sex(series: pl.Series) -> _Read:
    return _read_code(series, "none")


def _read_place(series: pl.Series) -> _Read:
    return _read_code(series, "exact")


def _read_code(series: pl.Series, frequency: compare.Frequency) -> _Read:
    dtype = series.dtype
    if not (_is_text(series) or dtype.is_integer() or dtype == pl.Boolean):
        return "neither text nor a code"
    values = _filled(series.cast(pl.String)) if _is_text(series) else series
    return values, compare.exact(series.name, frequency=frequency), []


def _filled(text: pl.Series) -> pl.Series:
    """Return text with nulls for what is empty."""
    return text.to_frame("v").select(pl.when(pl.col("v") != "").then("v")).to_series()


def _share(holds: pl.Series) -> float:
    return int(holds.sum()) / len(holds) if len(holds) else 0.0
