"""Repair of identity numbers: `repair`, and the `Index` of a registry that it may ask."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any

import polars as pl

from nser_pmt import _engine, _native
from nser_pmt._options import invalid
from nser_pmt.errors import SchemaError

if TYPE_CHECKING:
    from polars._typing import IntoExpr

__all__ = ["Index", "enums", "index", "repair", "repair_one"]


class Index:
    """Numbers of a registry, for `repair`; made by `index`.

    It stays in the memory of this process until `release`, also when only an expression still needs
    it. As a context manager it is released at the end. It shows no numbers and cannot be pickled.
    """

    def __init__(self, native: _native.CnicIndex, evidence: tuple[str, ...]) -> None:
        self._native = native
        self._evidence = evidence

    def __len__(self) -> int:
        """Return the number of distinct numbers."""
        return len(self._native)

    def __repr__(self) -> str:
        known = ", ".join(self._evidence) or "numbers only"
        return f"Index({len(self):,} numbers; {known})"

    def __reduce__(self) -> str:
        raise TypeError("an index of identity numbers stays in its process")

    def __enter__(self) -> Index:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def release(self) -> None:
        """Free the memory. Expressions that use the index fail from now on."""
        self._native.release()


def index(
    people: pl.DataFrame | pl.Series,
    number: str = "cnic",
    *,
    name: str | None = None,
    father: str | None = None,
    birth: str | None = None,
) -> Index:
    """Make an index of registered people, for `repair`.

    Parameters
    ----------
    people
        A Series of numbers, or a DataFrame.
    number
        Column with the numbers, in any form that `parse` reads; others are left out.
    name, father, birth
        Columns with what else is known, to be compared: texts, and a date, year or text for
        `birth`.

    Returns
    -------
    Index
        It keeps the numbers and these columns in memory until it is released.

    Raises
    ------
    SchemaError
        A column is missing or has an unusable type.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> registry = pl.DataFrame({"cnic": ["35202-1234567-1"], "name": ["Invented Person"]})
    >>> nser.cnic.index(registry, name="name")
    Index(1 numbers; name)
    """
    frame = people.to_frame(number) if isinstance(people, pl.Series) else people
    named = {"name": name, "father": father, "birth": birth}
    known = {role: column for role, column in named.items() if column is not None}
    for column in (number, *known.values()):
        if column not in frame.columns:
            raise SchemaError(f"column '{column}' is missing", code="missing_column", column=column)
    series = [frame.get_column(number)]
    for role, column in known.items():
        found = frame.get_column(column)
        series.append(found.cast(pl.String) if role == "birth" else found)
    numbers, *others = _engine.columns(series)
    native = _native.CnicIndex(numbers, frame.height, **dict(zip(known, others, strict=True)))
    return Index(native, tuple(known))


def repair(
    value: IntoExpr,
    *,
    sex: IntoExpr | None = None,
    index: Index | None = None,
    name: IntoExpr | None = None,
    father: IntoExpr | None = None,
    birth: IntoExpr | None = None,
    threshold: float = 0.8,
    limit: int = 3,
    error_rate: float = 0.01,
    coverage: float = 0.9,
) -> pl.Expr:
    """Propose the numbers that were meant, with probabilities; nothing rather than a guess.

    Parameters
    ----------
    value
        Column or expression with what was typed, scanned or exported.
    sex
        Recorded sex, as in `parse`.
    index
        Numbers of a registry. A registered neighbour is another person until something but the
        digits says otherwise: without `name`, `father` or `birth` it is never proposed.
    name, father, birth
        What is known of the person, compared with the same of the registered one: names as
        `nser_pmt.names.similarity` does, in either script; births for equality.
    threshold
        Least probability of the first candidate.
    limit
        Most candidates in a list.
    error_rate
        Share of the numbers in such a column that are written wrongly.
    coverage
        Share of the people in such a column who are in the registry.

    Returns
    -------
    Expr
        A struct of ``candidates`` and ``outcome``.

        ``candidates`` (List of Struct)
            ``number`` (UInt64), ``posterior`` (Float64) and ``edit`` (Enum, as in `distance`, or
            ``ocr_letters``), the likeliest first; empty unless the outcome is ``found``.
        ``outcome`` (Enum)
            ``found``; ``plausible``, the likeliest is that nothing is wrong; ``registered``, the
            same and the number is in the index; ``ambiguous``, something is wrong, but no candidate
            reaches the threshold; ``registered_neighbour``, see `index`; ``not_repairable``, there
            is no number: missing, dummy, another document, digits lost.

    Raises
    ------
    DomainError
        A setting is out of its range, or evidence is given that the index does not have.

    Notes
    -----
    Posterior probabilities over every number that one slip turns into what was written, over the
    number itself, and over errors in several digits. A slip has the rate of its class (Verhoeff
    1969: substitution 79 %, adjacent swap 10 % of the errors that keep the length; omission and
    insertion 15 % of all); a number has the prior of its prefix, fourth and last digit, or of the
    registry; one record in two hundred has the wrong sex. A candidate is for a person to confirm.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> typed = pl.DataFrame({"cnic": ["35212-1234567-1", "35202-1234567-1", "NIL"]})
    >>> found = typed.select(nser.cnic.repair("cnic")).unnest("cnic")
    >>> found["outcome"].to_list()
    ['found', 'plausible', 'not_repairable']
    >>> best = found["candidates"].list.first()
    >>> best.struct.field("number").to_list(), best.struct.field("edit").to_list()
    ([3520212345671, None, None], ['substitution', None, None])
    """
    texts = {"sex": sex, "name": name, "father": father, "birth": birth}
    known = {role: _engine.into_expr(text) for role, text in texts.items() if text is not None}
    if "birth" in known:
        known["birth"] = known["birth"].cast(pl.String)
    spec = _repair_spec(list(known), index, threshold, limit, error_rate, coverage)
    return _engine.row_wise("cnic.repair", [value, *known.values()], _repaired(), spec)


def repair_one(
    value: object,
    *,
    sex: str | None = None,
    index: Index | None = None,
    name: str | None = None,
    father: str | None = None,
    birth: object = None,
    threshold: float = 0.8,
    limit: int = 3,
    error_rate: float = 0.01,
    coverage: float = 0.9,
) -> dict[str, Any]:
    """Return what `repair` gives for one value, as a dictionary.

    Returns
    -------
    dict
        ``candidates``, a list of dictionaries, and ``outcome``.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> registry = pl.DataFrame({"cnic": ["35202-1234569-1"], "name": ["Invented Person"]})
    >>> with nser.cnic.index(registry, name="name") as people:
    ...     alone = nser.cnic.repair_one("35202-123456-1", index=people)
    ...     named = nser.cnic.repair_one("35202-123456-1", index=people, name="invented person")
    >>> alone["outcome"], named["outcome"], named["candidates"][0]["number"]
    ('registered_neighbour', 'found', 3520212345691)
    """
    given = {"sex": sex, "name": name, "father": father, "birth": birth}
    known = {role: str(text) for role, text in given.items() if text is not None}
    spec = _repair_spec(list(known), index, threshold, limit, error_rate, coverage)
    found: dict[str, Any] = _engine.one("cnic.repair", [value, *known.values()], spec)
    return found


# -- helpers ---------------------------------------------------------------------------------------


@functools.cache
def enums() -> Mapping[str, pl.Enum]:
    """Return the Enums of results, by field."""
    return {name: pl.Enum(names) for name, names in _native.cnic_categories()}


@functools.cache
def _repaired() -> pl.DataType:
    edit, outcome = enums()["edit"], enums()["outcome"]
    candidate = pl.Struct({"number": pl.UInt64(), "posterior": pl.Float64(), "edit": edit})
    return pl.Struct({"candidates": pl.List(candidate), "outcome": outcome})


def _repair_spec(
    inputs: list[str],
    index: Index | None,
    threshold: float,
    limit: int,
    error_rate: float,
    coverage: float,
) -> Mapping[str, object]:
    for what, value in (("threshold", threshold), ("coverage", coverage)):
        if not 0 < value <= 1:
            raise invalid(f"{what} must be above 0 and at most 1")
    if not 0 < error_rate < 1:
        raise invalid("error_rate must be between 0 and 1")
    if limit < 1:
        raise invalid("limit must be at least 1")
    for role in inputs:
        if role != "sex" and (index is None or role not in index._evidence):
            raise invalid(f"{role} is compared with an index: make one with {role}=")
    return {
        "inputs": inputs,
        "index": None if index is None else index._native.id,
        "threshold": threshold,
        "limit": limit,
        "error_rate": error_rate,
        "coverage": coverage,
    }
