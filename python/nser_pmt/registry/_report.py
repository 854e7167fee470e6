"""What a registry answers with: the state on a date, the report of an update, and a why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from nser_pmt.errors import DomainError
from nser_pmt.programmes.decision_explained import DecisionExplained, explain_decision
from nser_pmt.programmes.programme import Programme
from nser_pmt.registry import _files as files
from nser_pmt.registry import _tables as tables
from nser_pmt.registry._manifest import Segment, damaged
from nser_pmt.registry._rules import active_name, is_active, load_rules

__all__ = ["RegistryState", "UpdateReport", "Why", "why_of"]

_IDENTITY = ("cnic", "name", "father_name", "husband_name", "phone", "address")


@dataclass(frozen=True, kw_only=True)
class RegistryState:
    """What was known on a date, as lazy frames; their rows are in no order.

    Attributes
    ----------
    on
        The date.
    households, people
        Answers, with the columns of the registry.
    decisions
        ``hh_id``, ``pmt_score``, ``pmt_status``, for each programme ``decision_<id>``,
        ``reasons_<id>`` and ``amount_<id>``, and ``decided_on``.
    """

    on: date
    households: pl.LazyFrame
    people: pl.LazyFrame
    decisions: pl.LazyFrame

    def __repr__(self) -> str:
        return f"RegistryState on {self.on}: households, people, decisions"


@dataclass(frozen=True, kw_only=True)
class UpdateReport:
    """What a batch did.

    Attributes
    ----------
    on
        Date of the changes.
    number
        Segment of the registry's history.
    already_applied
        Whether the batch was applied before; then this is its report of then.
    households, people
        Households decided again or removed; rows of people added.
    transitions
        One row for each household and programme: ``hh_id``, ``programme``, ``transition`` (Enum:
        ``enters`` the eligible, ``leaves`` them, ``stays`` in or out, ``needs_data`` now),
        ``pmt_score_before``, ``pmt_score``, ``score_change``, ``term`` and ``term_change`` (the
        term that moved the score most, and by how many points), ``decision_before``, ``decision``,
        ``reasons_before``, ``reasons`` (rule ids), ``amount_before``, ``amount``. What was before
        is null for a new household, what is now for a removed one.
    rejected
        Rows that were not applied: ``table``, ``row`` (from 0), ``hh_id``, ``reason`` (Enum),
        ``column``.
    """

    on: date
    number: int
    already_applied: bool
    households: int
    people: int
    transitions: pl.DataFrame
    rejected: pl.DataFrame

    @classmethod
    def load(cls, folder: Path, segment: Segment, *, already_applied: bool) -> UpdateReport:
        """Read the report that was kept with a segment."""
        place = files.segment_folder(folder, segment.number)
        try:
            moved = pl.read_parquet(place / "transitions.parquet")
            rejected = pl.read_parquet(place / "rejected.parquet")
        except (OSError, pl.exceptions.PolarsError):
            raise damaged("the report of a segment cannot be read") from None
        return cls(
            on=segment.day,
            number=segment.number,
            already_applied=already_applied,
            households=sum(part.households for part in segment.parts),
            people=sum(part.people for part in segment.parts),
            transitions=moved,
            rejected=rejected,
        )

    @property
    def summary(self) -> pl.DataFrame:
        """Households by programme and transition."""
        return (
            self.transitions.group_by("programme", "transition")
            .agg(pl.len().alias("households"))
            .sort("programme", "transition")
        )

    def __repr__(self) -> str:
        lines = [
            f"Update as of {self.on}: {self.households} households decided"
            + (", applied before" if self.already_applied else "")
        ]
        for programme, transition, n in self.summary.iter_rows():
            lines.append(f"  {programme:<20} {transition:<11} {n:>9}")
        reasons = self.rejected.group_by("reason").len().sort("reason")
        lines += [f"  not applied: {reason:<22} {n:>9} rows" for reason, n in reasons.iter_rows()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = f"Update as of {self.on}: {self.households} households decided"
        reasons = self.rejected.group_by("reason").len("rows").sort("reason")
        return f"<div>{head}{self.summary._repr_html_()}{reasons._repr_html_()}</div>"


@dataclass(frozen=True, kw_only=True)
class Why:
    """Why a decision was taken.

    Attributes
    ----------
    hh_id, programme
        What it is about.
    decided_on
        Date that was decided on.
    model, model_digest
        Model, and the SHA-256 of its content.
    version, programme_digest
        Version of the programme, and the SHA-256 of the rule book.
    household, members
        The answers then. Identity numbers, names, telephones and addresses are left out.
    score, status, decision, reasons, amount
        What was decided.
    """

    hh_id: int
    programme: str
    decided_on: date
    model: str
    model_digest: str
    version: str
    programme_digest: str
    household: Mapping[str, Any]
    members: pl.DataFrame
    score: float | None
    status: str
    decision: str
    reasons: tuple[str, ...]
    amount: int | None
    _programme: Programme = field(repr=False, compare=False)
    _facts: Mapping[str, bool | None] = field(repr=False, compare=False)

    def explain(self) -> tuple[DecisionExplained, ...]:
        """Go through every rule, for the household or for each of its people.

        Which it is depends on the unit of the programme. See `explain_decision`.
        """
        book = self._programme
        answers = {**self.household, **self._facts, "pmt_score": self.score}
        if book.unit == "household":
            members = self.members if self.members.width > len(tables.KEYS["people"]) else None
            return (explain_decision(answers, book, on=self.decided_on, members=members),)
        return tuple(
            explain_decision({**answers, **person}, book, on=self.decided_on)
            for person in self.members.iter_rows(named=True)
        )

    def __repr__(self) -> str:
        score = "no score" if self.score is None else f"score {self.score:g}"
        because = f" because of {', '.join(self.reasons)}" if self.reasons else ""
        return (
            f"household {self.hh_id}, {self.programme}, as of {self.decided_on}: {self.decision}"
            f"{because}\n  {score} ({self.status}) by {self.model} {self.model_digest[:12]}, "
            f"rules {self.version} {self.programme_digest[:12]}, {self.members.height} members"
        )


def why_of(folder: Path, segments: Sequence[Segment], hh_id: int, programme: str) -> Why:
    """Return why a decision was taken, in the state after `segments`."""
    rules = segments[-1].rules
    found = [p for p in rules.programmes if p.id == programme]
    if not found:
        raise DomainError(
            "no such programme in the registry on this date",
            code="unknown_programme",
            hint=f"Known: {', '.join(p.id for p in rules.programmes) or 'none'}",
        )
    frames = {
        table: tables.frame_of(folder, segments, table).filter(pl.col("hh_id") == hh_id).collect()
        for table in tables.TABLES
    }
    if not frames["decisions"].height:
        raise DomainError("no such household on this date", code="unknown_household")
    decided = frames["decisions"].row(0, named=True)
    book = load_rules(folder, rules)
    (rule_book,) = [p for p in book.programmes if p.id == programme]
    shown = frames["households"].drop(_IDENTITY, strict=False)
    return Why(
        hh_id=hh_id,
        programme=programme,
        decided_on=decided["decided_on"],
        model=rules.model,
        model_digest=rules.model_digest,
        version=rule_book.version(decided["decided_on"]).id,
        programme_digest=found[0].digest,
        household=shown.row(0, named=True),
        members=frames["people"].drop(_IDENTITY, strict=False).sort("person_id"),
        score=decided["pmt_score"],
        status=decided["pmt_status"],
        decision=decided[f"decision_{programme}"],
        reasons=tuple(decided[f"reasons_{programme}"] or ()),
        amount=decided[f"amount_{programme}"],
        _programme=rule_book,
        _facts={
            active_name(name): is_active(decided[f"decision_{name}"])
            for name in rule_book.needs
            if f"decision_{name}" in decided
        },
    )
