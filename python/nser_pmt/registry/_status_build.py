"""From a frame of people and their statuses to the rows of a status index."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from nser_pmt import cnic
from nser_pmt.errors import SchemaError
from nser_pmt.programmes._deciding_reasons import SEPARATOR

__all__ = ["NO_DAY", "REASONS", "STATUS", "Rows", "masked_name", "rows"]

# Stands for no expiry date.
NO_DAY = -(2**31)
# Between decision, amount and reasons; and between reasons. No rule's id holds them.
STATUS = "\x1e"
REASONS = "\x1f"

_FIRST_DAY, _LAST_DAY = ((day - date(1970, 1, 1)).days for day in (date.min, date.max))

# So many rows are worked on at a time: texts of all rows would need more memory than the frame.
_SLICE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Rows:
    """The parts of the index.

    Parameters
    ----------
    keys
        Numbers; null where a row has none.
    columns
        Household, day of expiry, code of the masked name, and code of the status by programme.
    texts
        Masked names, and the statuses of each programme.
    """

    keys: pl.Series
    columns: list[pl.Series]
    texts: list[pl.Series]


def masked_name(name: pl.Expr) -> pl.Expr:
    """Return the first letter of each word and three stars; no other sign, and no digit."""
    words = name.str.replace_all(r"\s+", " ").str.strip_chars()
    odd = words.str.replace_all(r"(^|\s)[^\s\p{L}]\S*", "${1}***")
    return odd.str.replace_all(r"(^|\s)(\p{L})\S*", "${1}${2}***")


def rows(
    frame: pl.DataFrame,
    *,
    number: str,
    household: str,
    expiry: str | None,
    name: str | None,
    suffixes: Mapping[str, str],
) -> Rows:
    """Read the columns of `frame`; `suffixes` are those of the programmes."""
    numbers = _column(frame, number).dtype
    if not (_is_text(numbers) or numbers.is_numeric()):
        raise _wrong(number, "expected identity numbers as text or numbers")
    exprs = [
        cnic.parse(number).struct.field("number").alias("key"),
        _household(frame, household).alias("household"),
        _expiry(frame, expiry).alias("expiry"),
        _name(frame, name).alias("name"),
        *(
            _status(frame, suffix).alias(f"status_{i}")
            for i, suffix in enumerate(suffixes.values())
        ),
    ]
    coded = ["name", *(f"status_{i}" for i in range(len(suffixes)))]
    books = {column: _Book() for column in coded}
    parts = []
    for part in _slices(frame):
        made = part.select(exprs)
        parts.append(made.with_columns(books[c].codes(made.get_column(c)) for c in coded))
    whole = pl.concat(parts).rechunk()
    return Rows(
        keys=whole.get_column("key"),
        columns=[whole.get_column(c) for c in ("household", "expiry", *coded)],
        texts=[books[c].texts for c in coded],
    )


def _slices(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    for start in range(0, max(frame.height, 1), _SLICE):
        yield frame.slice(start, _SLICE)


class _Book:
    """Texts and their codes, in the order in which they come."""

    def __init__(self) -> None:
        self.texts = pl.Series(dtype=pl.String)

    def codes(self, column: pl.Series) -> pl.Series:
        found = column.unique(maintain_order=True)
        fresh = found.filter(~found.is_in(self.texts.implode()))
        self.texts = pl.concat([self.texts, fresh.rename("")])
        codes = column.cast(pl.Enum(self.texts)).to_physical()
        return codes.cast(pl.UInt32).alias(column.name)


def _household(frame: pl.DataFrame, column: str) -> pl.Expr:
    series = _column(frame, column)
    if not series.dtype.is_integer() or series.null_count():
        raise _wrong(column, "expected whole numbers, none null")
    try:
        series.head(0).cast(pl.Int64)
        largest = series.max()
    except pl.exceptions.PolarsError:
        raise _wrong(column, "expected whole numbers") from None
    if isinstance(largest, int) and largest >= 1 << 63:
        raise _wrong(column, "expected whole numbers below 2^63")
    return pl.col(column).cast(pl.Int64)


def _expiry(frame: pl.DataFrame, column: str | None) -> pl.Expr:
    if column is None:
        return pl.lit(NO_DAY, dtype=pl.Int32)
    series = _column(frame, column)
    if series.dtype not in (pl.Date, pl.Null):
        raise _wrong(column, "expected dates")
    days = series.cast(pl.Date).to_physical()
    if days.is_between(_FIRST_DAY, _LAST_DAY).all() is False:
        raise _wrong(column, "expected dates of the years 1 to 9999")
    return pl.col(column).cast(pl.Date).to_physical().fill_null(NO_DAY)


def _name(frame: pl.DataFrame, column: str | None) -> pl.Expr:
    if column is None:
        return pl.lit("")
    if not _is_text(_column(frame, column).dtype):
        raise _wrong(column, "expected text")
    return masked_name(pl.col(column).cast(pl.String)).fill_null("")


def _status(frame: pl.DataFrame, suffix: str) -> pl.Expr:
    """Return decision, amount and reasons in one text."""
    decision, amount, reasons = (f"{part}{suffix}" for part in ("decision", "amount", "reasons"))
    if not _is_text(_column(frame, decision).dtype):
        raise _wrong(decision, "expected text or an Enum")
    parts = [pl.col(decision).cast(pl.String), pl.lit(""), pl.lit("")]
    if amount in frame.columns:
        if not (frame.schema[amount].is_numeric() or frame.schema[amount] == pl.Null):
            raise _wrong(amount, "expected a number")
        rupees = pl.col(amount).cast(pl.Float64)
        parts[1] = pl.when(rupees.is_finite()).then(rupees).cast(pl.String)
    if reasons in frame.columns:
        parts[2] = _reasons(reasons, frame.schema[reasons])
    return pl.concat_str([part.fill_null("") for part in parts], separator=STATUS)


def _reasons(column: str, dtype: pl.DataType) -> pl.Expr:
    """Return reasons in one text, from lists or from the texts that `decide` can make of them."""
    if _is_text(dtype):
        return pl.col(column).cast(pl.String).str.replace_all(SEPARATOR, REASONS, literal=True)
    if isinstance(dtype, pl.List) and _is_text(dtype.inner):
        return pl.col(column).cast(pl.List(pl.String)).list.join(REASONS)
    raise _wrong(column, "expected lists of text, or text with commas")


def _is_text(dtype: object) -> bool:
    return dtype == pl.Null or isinstance(dtype, (pl.Enum, pl.Categorical, pl.String))


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    if name not in frame.columns:
        raise SchemaError(f"column '{name}' is missing", code="missing_column", column=name)
    return frame.get_column(name)


def _wrong(column: str, expected: str) -> SchemaError:
    return SchemaError(f"column '{column}': {expected}", code="wrong_column", column=column)
