"""What a message or web service asks: what is the status of the holder of this CNIC."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Literal, NoReturn, get_args

import polars as pl

from nser_pmt import _native
from nser_pmt._options import chosen, invalid
from nser_pmt.cnic import Shown, mask_one, normalize_one, parse_one
from nser_pmt.control import RunControl
from nser_pmt.errors import ModelError
from nser_pmt.registry import _key_index
from nser_pmt.registry._status_build import NO_DAY, REASONS, STATUS, rows
from nser_pmt.registry._status_words import message

__all__ = ["ProgrammeStatus", "Status", "StatusIndex"]

Answer = Literal["found", "shared", "expired", "unknown", "malformed"]
Language = Literal["en", "ur"]

_KIND = "nser_pmt status index 1"
_EPOCH = date(1970, 1, 1)
# Household, day of expiry, code of the masked name; then a code for each programme.
_ROW = "<qiI"


@dataclass(frozen=True, kw_only=True, slots=True)
class ProgrammeStatus:
    """What was decided for a household in one programme.

    Parameters
    ----------
    decision
        As `nser_pmt.decide` gives it: ``eligible``, ``not_eligible``, ``needs_data`` or
        ``over_quota``; None where there was no decision.
    amount
        Rupees a quarter; None where there is none.
    reasons
        Ids of the rules.
    """

    decision: str | None
    amount: float | None = None
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Status:
    """The answer to a look-up. Nothing in it identifies a person.

    Parameters
    ----------
    answer
        ``found``; ``shared``: the number stands in several households, so there is no one status;
        ``expired``: found, but the card's last day was before `on`; ``unknown``: a possible number
        that is not in the registry; ``malformed``: no number at all, which `reason` explains.
    cnic
        The number with stars; None when malformed.
    reason
        Why it is malformed: the `kind` that `nser_pmt.cnic.parse` gives (``missing``, ``phone``,
        ``dummy``, ``truncated`` ...), or its `issue` where the kind says no more (``wrong_length``,
        ``ocr_letters`` ...). Nothing is repaired or guessed. None otherwise.
    name
        First letter of each word; None when not known.
    household
        Id; None unless there is exactly one.
    households
        In how many households the number stands.
    programmes
        Status by programme; empty unless found or expired.
    expires
        Last day of the card, the latest if it is there twice; None when not known.
    on
        Day of the question.
    as_of
        Day of the decisions.
    """

    answer: Answer
    cnic: str | None
    reason: str | None = None
    name: str | None = None
    household: int | None = None
    households: int = 0
    programmes: Mapping[str, ProgrammeStatus] = field(default_factory=dict, hash=False)
    expires: date | None = None
    on: date
    as_of: date
    _titles: Mapping[str, Mapping[str, str]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def text(self, language: Language = "en") -> str:
        """Return the answer in one line, for a message to the asker.

        The line has no name and no household.

        Parameters
        ----------
        language
            ``"en"`` or ``"ur"``.
        """
        return message(self, chosen("language", language, Language), self._titles)


class StatusIndex:
    """Statuses by CNIC in one file, mapped into memory; made by `build` and `load`.

    Notes
    -----
    A look-up uses no Polars, no threads and no locks, and holds nothing but the mapped file: it is
    safe after a fork, from many threads, and while the file is replaced by a new one.

    The file holds the numbers themselves: keep it as you keep the registry. Of names it holds the
    masked form only.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from datetime import date
    >>> import nser_pmt as nser
    >>> import polars as pl
    >>> people = pl.DataFrame({
    ...     "hh_id": [1, 2],
    ...     "cnic": ["35202-1234567-1", "42101-7654321-3"],
    ...     "cnic_expiry": [date(2030, 1, 1), date(2023, 6, 30)],
    ...     "name": ["Muhammad Aslam", "Bushra Bibi"],
    ...     "decision_kafaalat": ["not_eligible", "eligible"],
    ...     "amount_kafaalat": [None, 10500.0],
    ...     "reasons_kafaalat": [["pmt_cutoff"], []],
    ... })
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "status"
    >>> index = nser.StatusIndex.build(
    ...     people, path, expiry="cnic_expiry", name="name", programmes=["kafaalat"],
    ...     as_of=date(2024, 6, 1),
    ... )
    >>> found = index.look_up("42101 7654321 3", on=date(2023, 6, 30))
    >>> found.answer, found.cnic, found.name, found.programmes["kafaalat"].amount
    ('found', '42101-*******-*', 'B*** B***', 10500.0)
    >>> print(found.text())
    CNIC 42101-*******-*: registered. kafaalat: eligible, Rs 10,500 a quarter. As of 2024-06-01.
    >>> index.look_up("42101-7654321-3", on=date(2024, 6, 1)).answer
    'expired'
    >>> index.look_up("42101-7654321-5", on=date(2024, 6, 1)).answer
    'unknown'
    >>> index.look_up("421O1-7654321-3", on=date(2024, 6, 1)).reason
    'ocr_letters'
    """

    __slots__ = ("_about", "_as_of", "_native", "_programmes", "_row", "_titles")

    def __init__(self, native: _native.KeyIndex) -> None:
        try:
            about = json.loads(native.about)
            if about["kind"] != _KIND:
                raise ValueError("another kind")
            self._as_of = date.fromisoformat(about["as_of"])
            self._programmes: tuple[str, ...] = tuple(about["programmes"])
        except (KeyError, TypeError, ValueError):
            raise ModelError("not an index of statuses", code="foreign_file") from None
        self._about: dict[str, Any] = about
        self._titles: dict[str, dict[str, str]] = about["titles"]
        self._native = native
        self._row = struct.Struct(_ROW + "I" * len(self._programmes))
        if len(native) and native.width != self._row.size:
            raise ModelError("damaged index: the rows", code="corrupt_index")

    @classmethod
    def build(
        cls,
        frame: pl.DataFrame | pl.LazyFrame,
        path: str | os.PathLike[str],
        *,
        cnic: str = "cnic",
        household: str = "hh_id",
        expiry: str | None = None,
        name: str | None = None,
        programmes: Sequence[str] | Mapping[str, str],
        titles: Mapping[str, Mapping[str, str]] | None = None,
        as_of: date,
        control: RunControl | None = None,
    ) -> StatusIndex:
        """Write the file, all or nothing, and map it.

        Parameters
        ----------
        frame
            One row a person who may ask, with the statuses of the household. Of a lazy frame the
            columns that are needed are collected.
        path
            File.
        cnic
            Column in any form that `nser_pmt.cnic.parse` reads. Rows without a possible number
            are left out and counted in `without_cnic`.
        household
            Column of ids: whole numbers, none null.
        expiry
            Column of dates, the last days of the cards; null where not known, which never counts as
            expired.
        name
            Column of text.
        programmes
            Names; the columns are ``decision_<name>`` and, where there are such,
            ``amount_<name>`` (rupees) and ``reasons_<name>``, in any form that `decide` gives them.
            Or suffixes by name, such as ``{"kafaalat": ""}`` for columns without one.
        titles
            What messages call a programme, by name and language:
            ``{"kafaalat": {"en": "Kafaalat", "ur": "کفالت"}}``.
        as_of
            Day of the decisions.
        control
            Time limit and stop; see `RunControl`.

        Raises
        ------
        SchemaError
            A column is missing or of another type, or a household is null.
        OSError
            The file cannot be written.
        """
        if isinstance(programmes, str):
            raise invalid("programmes must be a list of names or suffixes by name")
        if not isinstance(programmes, Mapping):
            programmes = {name: f"_{name}" for name in programmes}
        known = _titles(titles or {}, programmes)
        if isinstance(frame, pl.LazyFrame):
            there = frame.collect_schema().names()
            parts = ("decision", "amount", "reasons")
            wanted = {f"{part}{suffix}" for part in parts for suffix in programmes.values()}
            wanted |= {c for c in (cnic, household, expiry, name) if c is not None}
            frame = frame.select(column for column in there if column in wanted).collect()
        made = rows(
            frame,
            number=cnic,
            household=household,
            expiry=expiry,
            name=name,
            suffixes=programmes,
        )
        about = {
            "kind": _KIND,
            "as_of": _day(as_of, "as_of").isoformat(),
            "programmes": list(programmes),
            "titles": known,
            "without_cnic": made.keys.null_count(),
        }
        _key_index.write(
            path,
            made.keys,
            made.columns,
            texts=made.texts,
            about=json.dumps(about, ensure_ascii=False),
            control=control,
        )
        return cls.load(path)

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, verify: bool = False) -> StatusIndex:
        """Map the file that `build` wrote.

        Parameters
        ----------
        path
            File.
        verify
            Compare the checksums of the whole file, which reads it once. Without it the header is
            checked only: damage elsewhere can lead to wrong answers.

        Raises
        ------
        ModelError
            Not an index of statuses (code ``foreign_file``), of another version
            (``index_version``), cut off (``truncated_index``), or damaged (``corrupt_index``).
        OSError
            The file cannot be read.
        """
        return cls(_key_index.read(path, verify=verify))

    def look_up(self, cnic: object, *, on: date, show: Shown = "prefix") -> Status:
        """Say what the status of the holder of a number is.

        Parameters
        ----------
        cnic
            What was typed, in any form that `nser_pmt.cnic.parse` reads.
        on
            Day of the question: a card is expired from the day after its last.
        show
            What of the number stays visible in the answer; see `nser_pmt.cnic.mask`.

        Returns
        -------
        Status
        """
        on = _day(on, "on")
        # What `parse` gives a number to; `parse` itself, slower, only says why there is none.
        digits = normalize_one(cnic)
        if digits is None:
            read = parse_one(cnic)
            reason = read["issue"] if read["kind"] == "malformed" else read["kind"]
            return Status(answer="malformed", cnic=None, reason=reason, on=on, as_of=self._as_of)
        masked = mask_one(digits, show=show)
        found = [self._row.unpack(row) for row in self._native.rows(int(digits))]
        if not found:
            return Status(answer="unknown", cnic=masked, on=on, as_of=self._as_of)
        households = {row[0] for row in found}
        days = [row[1] for row in found if row[1] != NO_DAY]
        expires = _date(max(days)) if days else None
        if len(households) > 1:
            return Status(
                answer="shared",
                cnic=masked,
                households=len(households),
                expires=expires,
                on=on,
                as_of=self._as_of,
            )
        household, _, name, *codes = found[0]
        return Status(
            answer="expired" if expires is not None and expires < on else "found",
            cnic=masked,
            name=self._native.text(0, name) or None,
            household=household,
            households=1,
            programmes={p: self._status(i, codes[i]) for i, p in enumerate(self._programmes)},
            expires=expires,
            on=on,
            as_of=self._as_of,
            _titles=self._titles,
        )

    def _status(self, programme: int, code: int) -> ProgrammeStatus:
        parts = self._native.text(1 + programme, code).split(STATUS)
        try:
            decision, amount, reasons = parts
            return ProgrammeStatus(
                decision=decision or None,
                amount=float(amount) if amount else None,
                reasons=tuple(reasons.split(REASONS)) if reasons else (),
            )
        except ValueError:
            raise ModelError("damaged index: a status", code="corrupt_index") from None

    @property
    def as_of(self) -> date:
        """Day of the decisions."""
        return self._as_of

    @property
    def programmes(self) -> tuple[str, ...]:
        """Names of the programmes."""
        return self._programmes

    @property
    def without_cnic(self) -> int:
        """Rows of the frame that had no possible number, and cannot be found."""
        return int(self._about["without_cnic"])

    def __len__(self) -> int:
        """Return the number of rows: a number in two households counts twice."""
        return len(self._native)

    def __repr__(self) -> str:
        names = ", ".join(self._programmes)
        return f"StatusIndex of {len(self):,} people as of {self._as_of}: {names}"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a StatusIndex cannot be pickled: load the file elsewhere")


def _titles(
    titles: Mapping[str, Mapping[str, str]], programmes: Mapping[str, str]
) -> dict[str, dict[str, str]]:
    for name, words in titles.items():
        if name not in programmes:
            raise invalid(f"titles: '{name}' is not among the programmes")
        languages = get_args(Language)
        if not isinstance(words, Mapping) or not set(words) <= set(languages):
            raise invalid(f"titles: give '{name}' a text by language: {', '.join(languages)}")
    return {name: dict(words) for name, words in titles.items()}


def _date(day: int) -> date:
    try:
        return _EPOCH + timedelta(days=day)
    except OverflowError:
        raise ModelError("damaged index: a date", code="corrupt_index") from None


def _day(value: date, what: str) -> date:
    if isinstance(value, datetime) or not isinstance(value, date):
        raise invalid(f"{what} must be a date")
    return value
