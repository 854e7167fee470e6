"""Programmes as data: who is entitled to what, by which rules, from when, according to whom.

A programme is written in TOML, or saved as JSON; both have the same strict schema, which is the
classes of this module and of `_parts`. `docs/programmes.md` shows every part in a file.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from nser_pmt._document import Document, bundled, load
from nser_pmt._reading import keyed_by
from nser_pmt.errors import DomainError, ModelError
from nser_pmt.programmes._parts import (
    Amount,
    Condition,
    Cutoff,
    Dated,
    Exclude,
    Input,
    Line,
    Quota,
    RankKey,
    Recipient,
    Require,
    Rollup,
    Rule,
    Unmodelled,
    Version,
)

if TYPE_CHECKING:
    import polars as pl

    from nser_pmt.scoring.lint import Finding

__all__ = [
    "Amount",
    "Condition",
    "Cutoff",
    "Exclude",
    "Input",
    "Line",
    "Programme",
    "Quota",
    "RankKey",
    "Recipient",
    "Require",
    "Rollup",
    "Version",
    "list_programmes",
    "load_programme",
]


@dataclass(frozen=True, kw_only=True, repr=False)
class Programme(Document):
    """A rule book: what `load_programme` returns. Frozen; two equal files are equal.

    Attributes
    ----------
    id, title, title_ur, country, source, licence, notes
        What the programme is and where its rules come from; the title also in Urdu.
    unit
        What one row is: ``household``, ``person``, ``woman`` or ``child``.
    needs
        Programmes whose decisions this one reads, as a column that the caller fills.
    versions
        Named stretches of time; a day before the first cannot be decided.
    inputs
        Columns of households and of persons.
    rollups
        Facts of a household that are made of its members.
    rules
        What is asked, in the order in which reasons are listed. Rows with one id are the same rule
        at different times.
    amounts
        Rupees a quarter.
    quotas
        Places or money for some of the eligible only.
    recipient
        Who of an eligible household may be paid.
    unmodelled
        Facts in print that the file has no rule for.
    derived_from
        Id of the programme that `with_rules` or `with_quota` started from.
    """

    _kind: ClassVar[str] = "programme"

    schema_version: int
    id: str
    title: str
    title_ur: str
    country: str
    unit: Literal["household", "person", "woman", "child"]
    needs: tuple[str, ...] = ()
    source: str
    licence: str
    notes: str = ""
    derived_from: str = ""
    versions: tuple[Version, ...]
    inputs: tuple[Input, ...] = keyed_by("name")
    rollups: tuple[Rollup, ...] = keyed_by("name", default=())
    rules: tuple[Rule, ...]
    amounts: tuple[Amount, ...] = ()
    quotas: tuple[Quota, ...] = ()
    recipient: Recipient | None = None
    unmodelled: tuple[Unmodelled, ...] = ()

    def __post_init__(self) -> None:
        from nser_pmt.programmes._checks import check_references

        check_references(self)

    # -- what is in it -------------------------------------------------------------------------

    def version(self, on: date) -> Version:
        """Return the version in force on a day.

        Raises
        ------
        DomainError
            The day lies before the first version (code ``before_first_version``), or in none.
        """
        if not isinstance(on, date):
            raise DomainError("on: expected a date, as date(2024, 6, 1)", code="wrong_date")
        on = day_of(on)
        first = min(self.versions, key=lambda v: v.valid_from)
        if on < first.valid_from:
            raise DomainError(
                f"programme '{self.id}' has no rules on {on}: its first version begins on "
                f"{first.valid_from}",
                code="before_first_version",
                hint=f"Decide on {first.valid_from} or later",
            )
        for version in self.versions:
            if version.valid_from <= on and (version.valid_to is None or on <= version.valid_to):
                return version
        raise DomainError(f"programme '{self.id}' has no version on {on}", code="no_version")

    def active_rules(self, on: date) -> tuple[Rule, ...]:
        """Return the rules in force on a day, in order; a cut-off with its lines of that day."""
        self.version(on)
        on = day_of(on)
        rules: list[Rule] = []
        for rule in self.rules:
            if rule.in_force(on):
                if isinstance(rule, Cutoff):
                    lines = tuple(line for line in rule.lines if line.in_force(on))
                    if not lines:
                        continue
                    rule = dataclasses.replace(rule, lines=lines)
                rules.append(rule)
        return tuple(rules)

    def active_amounts(self, on: date) -> tuple[Amount, ...]:
        """Return the amounts in force on a day."""
        self.version(on)
        return tuple(amount for amount in self.amounts if amount.in_force(day_of(on)))

    def active_quotas(self, on: date) -> tuple[Quota, ...]:
        """Return the quotas in force on a day."""
        self.version(on)
        return tuple(quota for quota in self.quotas if quota.in_force(day_of(on)))

    def columns(self, on: date) -> tuple[str, ...]:
        """Columns that `decide` reads on a day; roll-ups by their names.

        Give the members to `decide` and it makes the roll-ups from `member_columns`.
        """
        from nser_pmt.programmes._checks import columns

        return columns(self, on)

    def member_columns(self, on: date) -> tuple[str, ...]:
        """Columns of the members that the roll-ups of a day are made of."""
        rollups = self.active_rollups(on)
        return tuple(dict.fromkeys(c for rollup in rollups for c in rollup.test.columns()))

    def active_rollups(self, on: date) -> tuple[Rollup, ...]:
        """Return the roll-ups that the rules and amounts of a day read."""
        read = self.columns(on)
        return tuple(rollup for rollup in self.rollups if rollup.name in read)

    def rule_ids(self) -> tuple[str, ...]:
        """Return the ids of the rules, each once."""
        return tuple(dict.fromkeys(rule.id for rule in self.rules))

    def switches(self) -> Iterator[Dated]:
        """Yield all that can be switched on and off: rules, lines, amounts and quotas."""
        for rule in self.rules:
            yield rule
            if isinstance(rule, Cutoff):
                yield from rule.lines
        yield from self.amounts
        yield from self.quotas

    def lint(self, *, columns: Iterable[str] | None = None) -> tuple[Finding, ...]:
        """Look for faults that a schema cannot see: overlapping dates, unreachable rules and so on.

        Parameters
        ----------
        columns
            Columns of the frames that will be decided, those of members included: what the rules
            read and these do not supply is found too.

        Returns
        -------
        tuple of Finding
            Errors first. An empty tuple means that nothing was found.

        Examples
        --------
        >>> import nser_pmt as nser
        >>> programme = nser.load_programme("hunarmand")
        >>> sorted({finding.code for finding in programme.lint()})
        ['amount-unknown', 'off-for-ever']
        """
        from nser_pmt._options import invalid
        from nser_pmt.programmes._lint import lint

        if isinstance(columns, str):
            raise invalid("columns is a list of names")
        return lint(self, None if columns is None else tuple(columns))

    # -- changes -------------------------------------------------------------------------------

    def with_rules(self, *, on: Sequence[str] = (), off: Sequence[str] = ()) -> Programme:
        """Switch rules, lines of a cut-off, amounts or quotas on or off.

        Parameters
        ----------
        on, off
            Ids. Rows with one id switch together; ``"vehicle@2022-01-01"`` is the row that begins
            on that day.

        Returns
        -------
        Programme
            With an id and a digest of its own, which say what was switched.

        Raises
        ------
        ModelError
            There is no such id.

        Examples
        --------
        >>> import nser_pmt as nser
        >>> programme = nser.load_programme("kafaalat").with_rules(on=["amount_13500"])
        >>> programme.id, programme.derived_from
        ('kafaalat+amount_13500', 'kafaalat')
        """
        from nser_pmt.programmes._switches import switched

        return switched(self, on, off)

    def with_quota(self, quota: Quota) -> Programme:
        """Return the programme with a quota more; see `nser_pmt.programmes.programme.Quota`.

        Examples
        --------
        >>> from datetime import date
        >>> import nser_pmt as nser
        >>> from nser_pmt.programmes import Quota, RankKey
        >>> quota = Quota(
        ...     id="first_round", places=1000, rank_by=(RankKey(column="pmt_score"),),
        ...     ties="include", valid_from=date(2024, 1, 1), source="an example", mark="unknown",
        ... )
        >>> nser.load_programme("kafaalat").with_quota(quota).id
        'kafaalat+first_round'
        """
        if any(other.id == quota.id for other in self.quotas):
            raise ModelError(f"quota '{quota.id}': the id is taken", code="bad_quota")
        base = self.derived_from or self.id
        return dataclasses.replace(
            self, id=f"{self.id}+{quota.id}", derived_from=base, quotas=(*self.quotas, quota)
        )

    # -- how it shows --------------------------------------------------------------------------

    def __repr__(self) -> str:
        """Return the rule book in a few lines."""
        from nser_pmt.programmes._show import programme_text

        return programme_text(self)

    def _repr_html_(self) -> str:
        from nser_pmt.programmes._show import programme_html

        return programme_html(self)


def load_programme(source: str | Path, *, lint: Literal["raise", "ignore"] = "raise") -> Programme:
    """Load a programme by name or from a file.

    Parameters
    ----------
    source
        Name of a bundled programme (see `list_programmes`), or the path of a ``.toml`` or ``.json``
        file.
    lint
        Whether findings of level ``error`` (one rule twice on a day) raise. Warnings never do;
        ``programme.lint()`` has them.

    Returns
    -------
    Programme

    Raises
    ------
    ModelError
        The file is missing, is not strict TOML or JSON, or is not a programme; the place is named.

    Examples
    --------
    >>> from datetime import date
    >>> import nser_pmt as nser
    >>> programme = nser.load_programme("kafaalat")
    >>> programme.version(date(2024, 6, 1)).id
    '2022-12'
    >>> [rule.id for rule in programme.active_rules(date(2024, 6, 1))]
    ['recipient', 'score', 'cnic_verified']
    """
    return load(Programme, source, lint)


def list_programmes() -> pl.DataFrame:
    """List the bundled programmes.

    Returns
    -------
    DataFrame
        ``id``, ``title``, ``unit``, ``valid_from`` (first day that can be decided), ``versions``
        and ``rules`` (numbers of them).

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.list_programmes()["id"].to_list()
    ['hunarmand', 'kafaalat', 'nashonuma', 'taleemi-wazaif']
    """
    import polars as pl

    programmes = [load_programme(name) for name in bundled(Programme)]
    rows = [
        (
            p.id,
            p.title,
            p.unit,
            min(v.valid_from for v in p.versions),
            len(p.versions),
            len(p.rule_ids()),
        )
        for p in programmes
    ]
    names = ["id", "title", "unit", "valid_from", "versions", "rules"]
    return pl.DataFrame(rows, schema=names, orient="row")


def day_of(on: date) -> date:
    """Return the day of a date that may be a point in time."""
    if not isinstance(on, date):
        raise DomainError("on: expected a date, as date(2024, 6, 1)", code="wrong_date")
    return date(on.year, on.month, on.day)
