"""A file of 64-bit keys, each with one number or several, mapped into memory and asked by key."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from nser_pmt import _files, _native
from nser_pmt.control import RunControl
from nser_pmt.errors import SchemaError

__all__ = ["KeyIndex", "read", "write"]


class KeyIndex:
    """Keys of 64 bits, each with one number or several; made by `build` and `open`.

    A key may be there several times: its numbers stay in the order in which they were given. The
    file may be replaced while it is mapped. One key is looked up without Polars, threads or locks:
    safe after a fork.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> import polars as pl
    >>> from nser_pmt.registry._key_index import KeyIndex
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "keys"
    >>> index = KeyIndex.build(pl.Series([30, 10, 30]), pl.Series([1, 2, 3]), path)
    >>> index.one(30), index.one(31)
    ([1, 3], [])
    >>> index.first(pl.Series([31, 10, 30])).rows()
    [(None, 0), (2, 1), (1, 2)]
    """

    __slots__ = ("_native",)

    def __init__(self, native: _native.KeyIndex) -> None:
        self._native = native

    @classmethod
    def build(
        cls,
        keys: pl.Series,
        values: pl.Series,
        path: str | os.PathLike[str],
        *,
        control: RunControl | None = None,
    ) -> KeyIndex:
        """Write the file, all or nothing, and map it.

        Parameters
        ----------
        keys
            Whole numbers from 0 to 2^64 - 1; rows with null are left out.
        values
            As many whole numbers from 0 to 2^64 - 1, none null. They take 4 bytes each if all are
            below 2^32.
        path
            File.
        control
            Time limit and stop; see `RunControl`.
        """
        values = _whole(values, "values")
        if values.null_count():
            raise SchemaError("column 'values': a value is null", code="wrong_column")
        if len(values) != len(keys):
            raise SchemaError("column 'values': as many values as keys", code="wrong_column")
        largest = values.max()
        if not isinstance(largest, int) or largest < 1 << 32:
            values = values.cast(pl.UInt32)
        write(path, keys, [values], control=control)
        return cls.open(path)

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, verify: bool = False) -> KeyIndex:
        """Map the file that `build` wrote.

        Raises
        ------
        ModelError
            Not such a file (code ``foreign_file``), of another version (``index_version``), cut off
            (``truncated_index``), or damaged (``corrupt_index``): the header always, the rest only
            with `verify`, which reads the whole file once.
        OSError
            The file cannot be read.
        """
        return cls(read(path, verify=verify))

    def __len__(self) -> int:
        """Return the number of rows: a key with two numbers counts twice."""
        return len(self._native)

    def one(self, key: int) -> list[int]:
        """Return the numbers of one key."""
        return [int.from_bytes(row, "little") for row in self._native.rows(key)]

    def first(self, keys: pl.Series, *, control: RunControl | None = None) -> pl.DataFrame:
        """Return the first number of each key, and how many it has.

        Returns
        -------
        DataFrame
            One row a key: ``value`` (UInt64, null for a key that is null or not there) and
            ``count`` (UInt32).
        """
        asked, control = _whole(keys, "keys"), control or RunControl()
        found = self._native.first(
            asked, len(asked), control=control._native, timeout=control.timeout
        )
        return pl.DataFrame(found)

    def all(self, keys: pl.Series, *, control: RunControl | None = None) -> pl.DataFrame:
        """Return all numbers of the keys.

        Returns
        -------
        DataFrame
            One row a number: ``key_index`` (UInt32, from 0) and ``value`` (UInt64), in the order of
            the keys. Keys that are not there have no row.
        """
        asked, control = _whole(keys, "keys"), control or RunControl()
        found = self._native.all(
            asked, len(asked), control=control._native, timeout=control.timeout
        )
        return pl.DataFrame(found)

    def __repr__(self) -> str:
        return f"KeyIndex of {len(self):,} rows"


def read(path: str | os.PathLike[str], *, verify: bool = False) -> _native.KeyIndex:
    """Map a file of keys and rows; see `KeyIndex.open`."""
    # What cannot be opened, or is empty, fails here and not in the core.
    with Path(path).open("rb"):
        return _native.KeyIndex.open(str(Path(path)), verify)


def write(
    path: str | os.PathLike[str],
    keys: pl.Series,
    columns: Sequence[pl.Series],
    *,
    texts: Sequence[pl.Series] = (),
    about: str = "",
    control: RunControl | None = None,
) -> None:
    """Write a file of keys and rows, all or nothing.

    Parameters
    ----------
    path
        File.
    keys
        Whole numbers from 0 to 2^64 - 1; rows with null are left out.
    columns
        Fields of a row: Int32, UInt32, Int64 or UInt64, without nulls.
    texts
        Dictionaries that codes in the rows may point to.
    about
        Whatever the reader should have back.
    control
        Time limit and stop; see `RunControl`.
    """
    control = control or RunControl()
    keys = _whole(keys, "keys")
    with _files.replacing(Path(path)) as temporary:
        _native.KeyIndex.build(
            str(temporary),
            keys,
            [column.rechunk() for column in columns],
            len(keys),
            [(text.rechunk(), len(text)) for text in texts],
            about,
            control=control._native,
            timeout=control.timeout,
        )


def _whole(series: pl.Series, what: str) -> pl.Series:
    """Return a column as 64-bit numbers from 0 on, in one chunk."""
    wrong = SchemaError(
        f"column '{what}': expected whole numbers from 0 on", code="wrong_column", column=what
    )
    if series.dtype != pl.Null and not series.dtype.is_integer():
        raise wrong
    try:
        return series.cast(pl.UInt64).rechunk()
    except pl.exceptions.PolarsError:
        raise wrong from None  # Polars' text would show a value
