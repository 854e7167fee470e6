"""What each programme decides, and what it owes."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from nser_pmt.errors import ModelError, SchemaError
from nser_pmt.pipeline._config import Pipeline, ProgrammeStep
from nser_pmt.pipeline._persons import adults
from nser_pmt.programmes._parts import Cutoff
from nser_pmt.programmes.deciding import decide, recipients
from nser_pmt.programmes.programme import Programme, load_programme
from nser_pmt.scoring.model import Model

__all__ = ["Decided", "decide_programme", "due", "load_programmes", "may_receive", "reached"]

_RESULT = ("eligible", "decision", "reasons", "amount")
_TYPES: dict[str, pl.DataType] = {
    "boolean": pl.Boolean(),
    "category": pl.String(),
    "date": pl.Date(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
}


@dataclass(frozen=True, kw_only=True)
class Decided:
    """The decisions of one programme.

    Attributes
    ----------
    programme
        By what was decided, with the rules that the configuration switched.
    frame
        ``hh_id`` (and ``person_id``, if it is decided for persons), ``eligible``, ``decision``,
        ``reasons``, ``amount``: one row for each household that is kept, or each of its members.
    """

    programme: Programme
    frame: pl.DataFrame

    @property
    def unit(self) -> str:
        """What is decided for, in the plural."""
        return "households" if self.programme.unit == "household" else "members"


def load_programmes(config: Pipeline, model: Model) -> list[tuple[str, ProgrammeStep, Programme]]:
    """Return the programmes of a configuration under their names; what one needs stands before.

    The lines of programmes are for scores of which the lower is poorer.
    """
    loaded: list[tuple[str, ProgrammeStep, Programme]] = []
    for at, step in enumerate(config.programmes):
        programme = load_programme(config.named(step.programme))
        name = programme.id
        if step.switch_on or step.switch_off:
            programme = programme.with_rules(on=step.switch_on, off=step.switch_off)
        lines = any(
            isinstance(rule, Cutoff) and rule.column == "pmt_score"
            for rule in programme.active_rules(config.on)
        )
        if lines and model.direction != "lower_is_poorer":
            raise ModelError(
                f"programmes[{at}]: '{name}' takes low scores for poor, and model '{model.id}' "
                "high ones",
                code="wrong_direction",
            )
        before = [other for other, _, _ in loaded]
        for other in programme.needs:
            if other not in before:
                raise ModelError(
                    f"programmes[{at}]: '{name}' needs '{other}' before it", code="missing_key"
                )
        if name in before:
            raise ModelError(f"programmes[{at}]: '{name}' is there twice", code="duplicate_key")
        loaded.append((name, step, programme))
    return loaded


def decide_programme(
    step: ProgrammeStep,
    programme: Programme,
    scored: pl.DataFrame,
    people: pl.DataFrame,
    before: Mapping[str, Decided],
    config: Pipeline,
) -> Decided:
    """Decide for one programme, after those it needs."""
    active = {f"{name}_active": reached(before[name], scored) for name in programme.needs}
    households = scored.with_columns(**active)
    columns = programme.columns(config.on)
    if programme.unit == "household":
        wanted = programme.member_columns(config.on)
        members = _with(people, wanted, step, programme, "people").select("hh_id", *wanted)
        made = [rollup.name for rollup in programme.active_rollups(config.on)]
        asked = [name for name in columns if name not in made]
        rows = _with(households, asked, step, programme, "households").select("hh_id", *asked)
        decided = decide(rows, programme, on=config.on, members=members)
        return Decided(programme=programme, frame=decided.select("hh_id", *_RESULT))
    theirs = [c for c in columns if c in households.columns and c not in people.columns]
    rows = people.join(
        households.select("hh_id", *theirs), on="hh_id", how="left", maintain_order="left"
    )
    rows = _with(rows, columns, step, programme, "people").select("person_id", "hh_id", *columns)
    decided = decide(rows, programme, on=config.on)
    return Decided(programme=programme, frame=decided.select("person_id", "hh_id", *_RESULT))


def _with(
    frame: pl.DataFrame,
    columns: Sequence[str],
    step: ProgrammeStep,
    programme: Programme,
    table: str,
) -> pl.DataFrame:
    """Add what the configuration says of everybody; refuse what nobody says."""
    types = {i.name: _TYPES[i.type] for i in programme.inputs}
    added = {}
    for name in columns:
        if name in step.facts:
            added[name] = pl.lit(step.facts[name])
        elif name in step.unknown:
            added[name] = pl.lit(None, types.get(name, pl.Null()))
        elif name not in frame.columns:
            raise SchemaError(
                f"{table}: column '{name}' is missing, which '{programme.id}' reads",
                code="missing_column",
                column=name,
                hint=_hint(name),
            )
    return frame.with_columns(**added)


def _hint(column: str) -> str:
    if column == "cnic_verified":
        return "[verify] makes it"
    return "Say it for everybody in the programme's facts, or list it in unknown"


def reached(decided: Decided, scored: pl.DataFrame) -> pl.Series:
    """Return whether each household, or anybody of it, is eligible, in the order of `scored`."""
    frame = decided.frame
    if "person_id" in frame.columns:
        # Of those who are not eligible, one of whom it is unknown leaves it unknown.
        frame = frame.group_by("hh_id").agg(pl.col("eligible").any(ignore_nulls=False))
    rows = scored.select("hh_id").join(
        frame.select("hh_id", "eligible"), on="hh_id", how="left", maintain_order="left"
    )
    return rows.get_column("eligible")


def due(decided: Decided) -> pl.DataFrame:
    """Return ``hh_id``, ``entitled`` (persons, or 1) and ``amount`` of the eligible households.

    An amount of several persons is unknown if one of theirs is.
    """
    paid = decided.frame.filter(pl.col("decision").cast(pl.String) == "eligible")
    amount = pl.col("amount")
    return (
        paid.group_by("hh_id")
        .agg(
            entitled=pl.len(),
            amount=pl.when(amount.is_not_null().all()).then(amount.sum()),
        )
        .sort("hh_id")
    )


def may_receive(
    name: str, decisions: Mapping[str, Decided], people: pl.DataFrame, on: datetime.date
) -> pl.DataFrame:
    """Return the persons who may be paid for a household.

    A programme that does not say who they are pays whom the programme that it needs pays; if none
    says so, any adult.
    """
    asked = [name]
    while asked:
        decided = decisions[asked.pop(0)]
        if decided.programme.recipient is not None and "person_id" not in decided.frame.columns:
            found = recipients(people, decided.programme, decided.frame, on=on)
            return found.filter("recipient").drop("recipient", "amount")
        asked += decided.programme.needs
    return people.filter(adults(on))
