"""One record, as a dict, in the values that the core reads.

They are what a frame of one row would give, without the time that a frame takes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from typing import Any, TypeAlias

import polars as pl

from nser_pmt import _engine, names
from nser_pmt.errors import SchemaError
from nser_pmt.linkage._linkage import Origin, column_of

__all__ = ["Reader", "dtype_of", "name_of_dtype"]

_Reading: TypeAlias = Callable[[Any], Any]

_EPOCH = date(1970, 1, 1).toordinal()
_INTEGERS = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
_UNITS: tuple[Any, ...] = ("ms", "us", "ns")
_FLAT: list[pl.DataType] = [
    *(kind() for kind in (pl.String, pl.Boolean, *_INTEGERS, pl.Float32, pl.Float64)),
    pl.Date(),
    pl.Time(),
    pl.Null(),
    *(pl.Datetime(unit) for unit in _UNITS),
    *(pl.Duration(unit) for unit in _UNITS),
]
_DTYPES = {str(dtype): dtype for flat in _FLAT for dtype in (flat, pl.List(flat))}

# First letters of a text that a rule may be made of, without Polars for a look-up.
_MOST_LETTERS = 16


def name_of_dtype(column: str, dtype: pl.DataType) -> str:
    """Return the name of the type of a column, for `dtype_of`."""
    if isinstance(dtype, (pl.Enum, pl.Categorical)):
        return "String"
    if str(dtype) not in _DTYPES:
        raise SchemaError(
            f"column '{column}': an index cannot keep this type; cast it",
            code="wrong_column",
            column=column,
        )
    return str(dtype)


def dtype_of(name: str) -> pl.DataType:
    """Return the type of a name; KeyError for one that there is not."""
    return _DTYPES[name]


class Reader:
    """Reads records.

    Parameters
    ----------
    origins
        What is read.
    dtypes
        Types of the columns of the frame that the index was made of.
    """

    def __init__(self, origins: Sequence[Origin], dtypes: Mapping[str, pl.DataType]) -> None:
        self._dtypes = dict(dtypes)
        self._plain: list[tuple[int, str, _Reading | None]] = []
        self._made: list[tuple[int, Origin]] = []
        self._size = len(origins)
        for place, origin in enumerate(origins):
            if origin.column is not None:
                self._plain.append((place, origin.column, _plain(origin, self._dtypes)))
                continue
            assert origin.key is not None
            known = _known(origin.key, self._dtypes)
            if known is None:
                self._made.append((place, origin))
            else:
                self._plain.append((place, *known))
        keys = [origin.key for _, origin in self._made if origin.key is not None]
        roots = {root for key in keys for root in key.meta.root_names()}
        self._roots = {name: self._dtypes[name] for name in sorted(roots)}
        self._columns = frozenset(self._dtypes)

    def read(self, record: Mapping[str, Any]) -> list[Any]:
        """Return the values of a record. What it does not have is missing."""
        if self._columns.isdisjoint(record):
            raise SchemaError(
                "the record has none of the columns of the index", code="missing_column"
            )
        values: list[Any] = [None] * self._size
        for place, column, reading in self._plain:
            value = record.get(column)
            if value is None:
                continue
            try:
                values[place] = value if reading is None else reading(value)
            except (
                TypeError,
                ValueError,
                AttributeError,
                OverflowError,
                pl.exceptions.PolarsError,
            ):
                raise _unreadable(column) from None
        if self._made:
            frame = self._frame({name: record.get(name) for name in self._roots})
            for place, origin in self._made:
                values[place] = column_of(frame, origin).item()
        return values

    def _frame(self, values: Mapping[str, Any]) -> pl.DataFrame:
        for column, value in values.items():
            try:
                pl.Series([value], dtype=self._roots[column])
            except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
                raise _unreadable(column) from None
        return pl.DataFrame({c: [v] for c, v in values.items()}, schema=self._roots)


def _unreadable(column: str) -> SchemaError:
    return SchemaError(
        f"column '{column}': the record has a value of another type than the index",
        code="wrong_column",
        column=column,
    )


def _plain(origin: Origin, dtypes: Mapping[str, pl.DataType]) -> _Reading | None:
    """Return how a value of a column becomes what the core reads; None for as it is."""
    assert origin.column is not None
    dtype = dtypes[origin.column]
    kind = None if origin.comparison is None else origin.comparison.kind
    if kind == "name" and dtype == pl.String:
        return names.fold_one
    if kind == "date" and isinstance(dtype, (pl.Date, pl.Datetime)):
        return _day
    if kind == "number" and (dtype.is_numeric()):
        return None
    if kind == "set":
        return (
            _members if dtype in (pl.List(pl.String), pl.List(pl.Int64)) else _slow(origin, dtype)
        )
    if dtype == pl.Date:
        return _day
    if isinstance(dtype, (pl.String, pl.Boolean, pl.Float32, pl.Float64)) or dtype.is_integer():
        return None if dtype != pl.Float32 else _slow(origin, dtype)
    return _slow(origin, dtype)


def _day(value: date) -> int:
    return value.toordinal() - _EPOCH


def _members(values: Sequence[object]) -> str:
    return "\x1f".join(sorted({str(value) for value in values if value is not None}))


def _slow(origin: Origin, dtype: pl.DataType) -> _Reading:
    column = origin.column
    assert column is not None

    def read(value: Any) -> Any:
        frame = pl.DataFrame({column: [value]}, schema={column: dtype})
        return column_of(frame, origin).item()

    return read


def _known(key: pl.Expr, dtypes: Mapping[str, pl.DataType]) -> tuple[str, _Reading] | None:
    """Return the column and the function of an expression that needs no Polars, if it is one."""
    roots = key.meta.root_names()
    if len(roots) != 1:
        return None
    (root,) = roots
    column, text = pl.col(root), _engine.write_expr(key)
    if dtypes[root] == pl.String:
        for n in range(1, _MOST_LETTERS + 1):
            if text == _engine.write_expr(column.str.head(n)):
                return root, lambda value, n=n: _text(value)[:n]
            if text == _engine.write_expr(column.str.tail(n)):
                return root, lambda value, n=n: _text(value)[-n:]
        if text == _engine.write_expr(names.key(root)):
            return root, names.key_one
        if text == _engine.write_expr(names.key(root, tokens="first")):
            return root, lambda value: names.key_one(value, tokens="first")
    if isinstance(dtypes[root], (pl.Date, pl.Datetime)):
        if text == _engine.write_expr(column.dt.year()):
            return root, lambda value: value.year
        if text == _engine.write_expr(column.dt.month()):
            return root, lambda value: value.month
    return None


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
