"""Pakistan's 13-digit identity number (CNIC): parse, repair, mask, hash.

Functions of values make a Polars expression; a string names a column. The function with ``_one``
behind its name does the same to a single value. Text, integers of any width, floats, decimals, Enum
and Categorical are read as they are. `index` reads a registry for `repair`, `prefixes` gives the
table of places. No error and no log of this module shows a number.

A column of another type raises Polars' ComputeError when an expression is computed, and
`SchemaError` from a function of one value.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import polars as pl

from nser_pmt import _engine, _native
from nser_pmt._cnic_repair import Index, enums, index, repair, repair_one
from nser_pmt._options import chosen
from nser_pmt.errors import DomainError

if TYPE_CHECKING:
    from polars._typing import IntoExpr

__all__ = [
    "Index",
    "distance",
    "distance_one",
    "format",
    "format_one",
    "index",
    "is_valid",
    "is_valid_one",
    "mask",
    "mask_one",
    "normalize",
    "normalize_one",
    "parse",
    "parse_one",
    "prefixes",
    "repair",
    "repair_one",
    "token",
    "token_one",
]

Shown = Literal["prefix", "prefix_and_last", "province", "none"]
TokenForm = Literal["hex", "binary"]

_LEAST_KEY = 32


# -- reading ---------------------------------------------------------------------------------------


def parse(value: IntoExpr, *, sex: IntoExpr | None = None) -> pl.Expr:
    """Say what a value is, what is wrong with it, and where the number was issued.

    Parameters
    ----------
    value
        Column or expression with what was typed, scanned or exported.
    sex
        Recorded sex, as text: ``male``, ``m``, ``female``, ``f`` and their Urdu words; any other
        word counts as unknown. With it a last digit of the wrong parity is an issue.

    Returns
    -------
    Expr
        A struct, never null itself:

        ``number`` (UInt64)
            The 13 digits; null unless `kind` is ``cnic``.
        ``kind`` (Enum)
            ``cnic``; ``dummy``, one digit all over or a sequence; ``old_nic``, 11 digits;
            ``passport``; ``foreign_id``, said to be a refugee's card; ``phone``; ``truncated``,
            digits lost in a spreadsheet or float; ``multiple``; ``malformed``; ``missing``, also
            for null, blanks and words such as NIL.
        ``issue`` (Enum)
            The most serious of: ``two_numbers``, ``other_text``, ``masked``, ``negative``,
            ``not_whole``, ``truncated_scientific``, ``truncated_float``, ``ocr_letters``,
            ``wrong_length``, ``digit_missing`` (12), ``digit_extra`` (14), ``leading_zero``,
            ``repeated_digits``, ``sequence``; and of those that leave the number standing:
            ``digit4_nonzero``, ``unknown_prefix``, ``repeated_serial``, ``sex_mismatch``,
            ``special_prefix`` (first digit 9), ``last_digit_zero``; or ``none``.
        ``province``, ``district``, ``tehsil`` (Enum)
            Present-day place of registration, which is not the residence; null when the prefix is
            not in the table. Also given for a truncated number when its prefix is certain.
        ``sex`` (Enum)
            ``male`` for an odd last digit, ``female`` for an even one: evidence, not proof. Null
            without a `number`.

    Notes
    -----
    The number has no check digit. A wrong digit shows only in the first five, by the table of
    prefixes and by the fourth digit, which is 0 in every known prefix; or in the parity of the
    last. No prefix is ever a reason to reject: new ones appear.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> people = pl.DataFrame({"cnic": ["35202-1234567-1", "21202 1234567 2", "3.52021E+12"]})
    >>> people.select(nser.cnic.parse("cnic")).unnest("cnic").drop("issue", "tehsil")
    shape: (3, 5)
    ┌───────────────┬───────────┬────────────────────┬──────────┬────────┐
    │ number        ┆ kind      ┆ province           ┆ district ┆ sex    │
    │ ---           ┆ ---       ┆ ---                ┆ ---      ┆ ---    │
    │ u64           ┆ enum      ┆ enum               ┆ enum     ┆ enum   │
    ╞═══════════════╪═══════════╪════════════════════╪══════════╪════════╡
    │ 3520212345671 ┆ cnic      ┆ Punjab             ┆ Lahore   ┆ male   │
    │ 2120212345672 ┆ cnic      ┆ Khyber Pakhtunkhwa ┆ Khyber   ┆ female │
    │ null          ┆ truncated ┆ Punjab             ┆ Lahore   ┆ null   │
    └───────────────┴───────────┴────────────────────┴──────────┴────────┘
    """
    inputs = [value] if sex is None else [value, sex]
    return _engine.row_wise("cnic.parse", inputs, _types()["parsed"])


def parse_one(value: object, *, sex: str | None = None) -> dict[str, Any]:
    """Return what `parse` gives for one value, as a dictionary.

    Returns
    -------
    dict
        The fields of `parse`.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> found = nser.cnic.parse_one("CNIC No. 35212-1234567-1")
    >>> found["number"], found["kind"], found["issue"], found["sex"]
    (3521212345671, 'cnic', 'digit4_nonzero', 'male')
    """
    found: dict[str, Any] = _engine.one("cnic.parse", [value, sex])
    return found


def normalize(value: IntoExpr) -> pl.Expr:
    """Give the 13 ASCII digits of a number; null for everything that `parse` does not call a CNIC.

    Returns
    -------
    Expr
        String. Suspicious numbers are given too: ask `parse`. Nothing is repaired.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> typed = pl.DataFrame({"cnic": ["۳۵۲۰۲-۱۲۳۴۵۶۷-۱", "3520212345671.0", "352O2-1234567-1"]})
    >>> typed.select(nser.cnic.normalize("cnic"))["cnic"].to_list()
    ['3520212345671', '3520212345671', None]
    """
    return _engine.row_wise("cnic.normalize", [value], pl.String())


def normalize_one(value: object) -> str | None:
    """Return what `normalize` gives for one value.

    Returns
    -------
    str or None
        Thirteen digits.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.cnic.normalize_one(" 35202–1234567–1 ")
    '3520212345671'
    """
    found: str | None = _engine.one("cnic.normalize", [value])
    return found


def format(value: IntoExpr) -> pl.Expr:
    """Give the printed form of a number, ``35202-1234567-1``; null where `normalize` gives null.

    Returns
    -------
    Expr
        String.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> pl.select(nser.cnic.format(pl.lit(3520212345671))).item()
    '35202-1234567-1'
    """
    return _engine.row_wise("cnic.format", [value], pl.String())


def format_one(value: object) -> str | None:
    """Return what `format` gives for one value.

    Returns
    -------
    str or None
        The printed form.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.cnic.format_one(3520212345671)
    '35202-1234567-1'
    """
    found: str | None = _engine.one("cnic.format", [value])
    return found


def is_valid(value: IntoExpr) -> pl.Expr:
    """Say whether a value is a possible number: whether `parse` calls it a ``cnic``.

    Returns
    -------
    Expr
        Boolean; null for null. True means 13 digits in any written form, the first not 0, no dummy,
        no rounded number. It does not mean that the number was issued, nor that nothing about it
        is suspicious: prefixes outside the table, Azad Kashmir's 8, 9 and a last digit 0 are valid.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> typed = pl.DataFrame({"cnic": ["82303-1234567-1", "11111-1111111-1", "NIL", None]})
    >>> typed.select(nser.cnic.is_valid("cnic"))["cnic"].to_list()
    [True, False, False, None]
    """
    return _engine.row_wise("cnic.is_valid", [value], pl.Boolean())


def is_valid_one(value: object) -> bool | None:
    """Return what `is_valid` gives for one value.

    Returns
    -------
    bool or None
        None for None.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.cnic.is_valid_one("12345-6789012-3")
    False
    """
    found: bool | None = _engine.one("cnic.is_valid", [value])
    return found


# -- hiding ----------------------------------------------------------------------------------------


def mask(value: IntoExpr, *, show: Shown = "prefix") -> pl.Expr:
    """Give the printed form of a number with stars for what is not to be seen.

    Parameters
    ----------
    value
        Column or expression.
    show
        What stays visible: ``"prefix"`` (``35202-*******-*``), ``"prefix_and_last"``
        (``35202-*******-1``), ``"province"`` (``3****-*******-*``) or ``"none"``.

    Returns
    -------
    Expr
        String; null where `normalize` gives null, so that a value which is no number is not shown.

    Notes
    -----
    The default shows the place of registration, which is enough to tell rows apart by eye, and
    hides the last digit: place, sex and a name together identify a person.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> pl.select(nser.cnic.mask(pl.lit("3520212345671"))).item()
    '35202-*******-*'
    """
    return _engine.row_wise("cnic.mask", [value], pl.String(), _mask_spec(show))


def mask_one(value: object, *, show: Shown = "prefix") -> str | None:
    """Return what `mask` gives for one value.

    Returns
    -------
    str or None
        The masked form.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.cnic.mask_one("3520212345671", show="prefix_and_last")
    '35202-*******-1'
    """
    found: str | None = _engine.one("cnic.mask", [value], _mask_spec(show))
    return found


def token(value: IntoExpr, *, key: bytes, form: TokenForm = "hex") -> pl.Expr:
    """Give a keyed hash of a number, to link files without showing it.

    Parameters
    ----------
    value
        Column or expression.
    key
        Secret of at least 32 bytes, such as ``secrets.token_bytes(32)``, kept away from the data.
        Whoever has it can find the number behind every token.
    form
        ``"hex"``, 64 hexadecimal digits (String), or ``"binary"``, the first 16 bytes (Binary).

    Returns
    -------
    Expr
        String or Binary; null where `normalize` gives null.

    Raises
    ------
    DomainError
        The key is shorter than 32 bytes, or one byte all over (code ``weak_key``). An expression
        that was made in another process raises Polars' ComputeError unless a token expression with
        the same key was made in this one.

    Notes
    -----
    HMAC-SHA-256 of the 13 ASCII digits (RFC 2104; FIPS 198-1), as any other tool computes it. The
    key stays in this process: the expression holds a fingerprint of it. A plain hash would be no
    protection: all plausible numbers can be hashed within minutes.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> key = bytes(range(32))  # for real: secrets.token_bytes(32)
    >>> pl.select(nser.cnic.token(pl.lit("35202-1234567-1"), key=key)).item()[:16]
    'f8701c9676956a1b'
    """
    dtype = pl.String() if form == "hex" else pl.Binary()
    return _engine.row_wise("cnic.token", [value], dtype, _token_spec(key, form))


def token_one(value: object, *, key: bytes, form: TokenForm = "hex") -> str | bytes | None:
    """Return what `token` gives for one value.

    Returns
    -------
    str, bytes or None
        The token.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> len(nser.cnic.token_one("35202-1234567-1", key=bytes(range(32)), form="binary"))
    16
    """
    found: str | bytes | None = _engine.one("cnic.token", [value], _token_spec(key, form))
    return found


# -- comparing -------------------------------------------------------------------------------------


def distance(a: IntoExpr, b: IntoExpr) -> pl.Expr:
    """Say how the digits of one value become those of another.

    Parameters
    ----------
    a, b
        Columns or expressions; one may be a literal.

    Returns
    -------
    Expr
        A struct of ``edit`` (Enum: ``equal``, ``substitution``, ``adjacent_swap``, ``jump_swap``,
        ``twin``, ``jump_twin``, ``omission``, ``insertion``, ``other``) and ``count`` (UInt8: 0, 1
        for one slip, else the least number of substitutions, adjacent swaps, omissions and
        insertions). Both are null when a value holds no digits of a number. Letters that look like
        digits are read as those.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> pairs = pl.DataFrame({"a": ["35202-1234567-1"], "b": ["35202-1235467-1"]})
    >>> pairs.select(nser.cnic.distance("a", "b"))["a"].to_list()
    [{'edit': 'adjacent_swap', 'count': 1}]
    """
    return _engine.row_wise("cnic.distance", [a, b], _types()["distance"])


def distance_one(a: object, b: object) -> dict[str, Any]:
    """Return what `distance` gives for two values, as a dictionary.

    Returns
    -------
    dict
        ``edit`` and ``count``.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.cnic.distance_one("35202-1234567-1", "35202-123457-1")
    {'edit': 'omission', 'count': 1}
    """
    found: dict[str, Any] = _engine.one("cnic.distance", [a, b])
    return found


# -- the table -------------------------------------------------------------------------------------


def prefixes() -> pl.DataFrame:
    """Return the table of prefixes: where a number was registered, now and before.

    Returns
    -------
    DataFrame
        ``prefix`` (UInt32, the first five digits), ``province``, ``division``, ``district``,
        ``tehsil``, ``adm1_pcode``, ``adm2_pcode`` (OCHA COD-AB of 2022-09-09), ``valid_from``,
        ``valid_to`` (ISO 8601, to the year where no more is known; null: always, still),
        ``mark`` and ``source`` (see ``data/cnic/README.md``). One row a prefix has no ``valid_to``.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> table = nser.cnic.prefixes().filter(prefix=21202)
    >>> table.select("province", "district", "adm2_pcode", "valid_from").rows()
    [('FATA', 'Khyber Agency', None, None), ('Khyber Pakhtunkhwa', 'Khyber', 'PK513', '2018-05-31')]
    """
    path = Path(__file__).parent / "data" / "cnic" / "prefixes.csv"
    return pl.read_csv(path, schema_overrides={"prefix": pl.UInt32}, infer_schema=False)


# -- helpers ---------------------------------------------------------------------------------------


@functools.cache
def _types() -> Mapping[str, pl.DataType]:
    parsed: dict[str, Any] = {"number": pl.UInt64()}
    for field in ("kind", "issue", "province", "district", "tehsil", "sex"):
        parsed[field] = enums()[field]
    return {
        "parsed": pl.Struct(parsed),
        "distance": pl.Struct({"edit": enums()["edit"], "count": pl.UInt8()}),
    }


def _mask_spec(show: Shown) -> Mapping[str, object]:
    return {"show": chosen("show", show, Shown)}


def _token_spec(key: bytes, form: TokenForm) -> Mapping[str, object]:
    chosen("form", form, TokenForm)
    if not isinstance(key, bytes):
        raise DomainError("the key must be bytes", code="weak_key")
    known = _native.cnic_key(key)
    if known is None:
        raise DomainError(
            f"the key must have at least {_LEAST_KEY} bytes, and not one byte all over",
            code="weak_key",
            hint="Make one with secrets.token_bytes(32)",
        )
    return {"key": known, "form": form}
