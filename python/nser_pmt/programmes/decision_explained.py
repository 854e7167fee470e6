"""Why a decision: every rule for one household or person, its inputs and outcome, in words."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from html import escape
from typing import Any

import polars as pl

from nser_pmt._options import invalid
from nser_pmt.errors import SchemaError
from nser_pmt.programmes._checks import rule_columns
from nser_pmt.programmes._compile import condition_expr, line_expr, rule_expr
from nser_pmt.programmes._deciding_plan import reader_of
from nser_pmt.programmes._parts import Condition, Cutoff, Rollup, Rule, rule_conditions
from nser_pmt.programmes.deciding import decide, roll_up
from nser_pmt.programmes.programme import Programme, load_programme

__all__ = ["DecisionExplained", "explain_decision"]

OUTCOMES = {
    "met": "پوری ہوئی",
    "not_met": "پوری نہیں ہوئی",
    "unknown": "معلوم نہیں",
    "off": "نافذ نہیں",
}
DECISIONS = {
    "eligible": "اہل",
    "not_eligible": "اہل نہیں",
    "needs_data": "مزید معلومات درکار ہیں",
}
_HIDDEN = ("cnic", "name", "father_name", "mother_name", "phone", "address")
_TYPES: dict[str, Any] = {
    "boolean": pl.Boolean(),
    "category": pl.String(),
    "date": pl.Date(),
    "integer": pl.Int64(),
    "number": pl.Float64(),
}
_KEY = "__nser_pmt_household"

Row = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, repr=False)
class DecisionExplained:
    """A decision and every rule behind it: what `explain_decision` returns.

    Attributes
    ----------
    programme, digest, version, on
        Which rules counted, on which day.
    eligible, decision, reasons, amount
        As in `decide`.
    decision_ur
        The decision in Urdu.
    rules
        One row a rule of the day, switched-off ones included: ``rule``, ``text``, ``text_ur``,
        ``inputs`` and ``inputs_ur`` (what was read, in words), ``outcome`` (Enum: met, not_met,
        unknown, off), ``outcome_ur``, ``source``, ``mark``. The
        lines of a cut-off follow it.
    """

    programme: str
    digest: str
    version: str
    on: date
    eligible: bool | None
    decision: str
    decision_ur: str
    reasons: tuple[str, ...]
    amount: int | None
    rules: pl.DataFrame

    def __repr__(self) -> str:
        """Return the decision and its rules in a few lines."""
        lines = [self._headline()]
        for row in self.rules.iter_rows(named=True):
            outcome = row["outcome"].replace("_", " ")
            inputs = f" ({row['inputs']})" if row["inputs"] else ""
            lines += [
                f"  {outcome:<8} {row['rule']}: {row['text']}{inputs}",
                f"           {row['outcome_ur']}: {row['text_ur']}",
            ]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        left, right = "style='text-align:left'", "dir='rtl' lang='ur' style='text-align:right'"
        rows = "".join(
            f"<tr><td {left}>{escape(row['rule'])}</td><td {left}>{escape(row['text'])}</td>"
            f"<td {left}>{escape(row['inputs'])}</td>"
            f"<td {left}>{escape(row['outcome'].replace('_', ' '))}</td>"
            f"<td {right}>{escape(row['text_ur'])}: {escape(row['outcome_ur'])}</td></tr>"
            for row in self.rules.iter_rows(named=True)
        )
        head = "".join(f"<th>{name}</th>" for name in ("rule", "text", "inputs", "outcome", ""))
        return (
            f"<div><b>{escape(self._headline())}</b> <span dir='rtl' lang='ur'>"
            f"{escape(self.decision_ur)}</span><table><tr>{head}</tr>{rows}</table></div>"
        )

    def _headline(self) -> str:
        money = ""
        if self.decision == "eligible":
            known = self.amount is not None
            money = f", {self.amount:,} rupees a quarter" if known else ", amount not known"
        decision = self.decision.replace("_", " ")
        return f"{self.programme} {self.version} on {self.on}: {decision}{money}"


def explain_decision(
    household: Row | pl.DataFrame | pl.LazyFrame,
    programme: Programme | str,
    *,
    on: date,
    members: Sequence[Row] | pl.DataFrame | pl.LazyFrame | None = None,
    household_id: str = "hh_id",
) -> DecisionExplained:
    """Say why one household or person is entitled or not: every rule, its inputs, its outcome.

    Parameters
    ----------
    household
        A mapping or a frame of one row: a unit of the programme, as in `decide`. What is not there
        is unknown.
    programme, on
        As in `decide`. Quotas need the whole table and are left out.
    members
        For a programme of households: its members, as mappings or as a frame. Of a frame with more
        than one household, the rows of this one count.
    household_id
        Column that names the household, in both.

    Returns
    -------
    DecisionExplained
        Identity numbers, names and phones never show in it; birth dates show as ages.

    Raises
    ------
    SchemaError, DomainError, ModelError
        As in `decide`.

    Examples
    --------
    >>> from datetime import date
    >>> import nser_pmt as nser
    >>> woman = {
    ...     "sex": "female", "marital_state": "widowed", "cnic_verified": True, "disabled": None
    ... }
    >>> why = nser.explain_decision(
    ...     {"pmt_score": 35.0}, "kafaalat", on=date(2024, 6, 1), members=[woman]
    ... )
    >>> why.decision, why.reasons
    ('needs_data', ('score:disabled_member',))
    >>> why.rules.select("rule", "inputs", "outcome").rows()[1]
    ('score', 'pmt_score = 35, disabled_member unknown (0 of 1 members, 1 unknown)', 'unknown')
    """
    programme = programme if isinstance(programme, Programme) else load_programme(programme)
    programme = dataclasses.replace(programme, quotas=())
    version = programme.version(on)
    on = date(on.year, on.month, on.day)
    frame = _frame(household, programme, ("household", "person"), household_id)
    if frame.height != 1:
        raise invalid("household: expected one row")
    people = None
    if members is not None:
        if programme.unit != "household":
            raise invalid(f"members: programme '{programme.id}' is one of persons")
        people = _frame(members, programme, ("person",), household_id)
        if household_id in frame.columns and household_id in people.columns:
            people = _of_household(people, frame, household_id)
        people = _readable(people, programme, programme.member_columns(on))
        people = people.with_columns(pl.lit(0).alias(_KEY))
        everything = programme.with_rules(on=[i.id for i in programme.switches() if not i.enabled])
        facts = roll_up(people, everything, on=on, household=_KEY, on_missing="unknown")
        known = [name for name in facts.columns if name in frame.columns]
        frame = frame.drop(known).with_columns(pl.lit(0).alias(_KEY))
        frame = frame.join(facts, on=_KEY, how="left").drop(_KEY)
    new = {"eligible", "decision", "reasons", "amount"}
    frame = frame.drop(new & set(frame.columns))
    decided = decide(frame, programme, on=on, on_missing="unknown").row(0, named=True)
    frame = _readable(frame, programme, ())
    rows = list(_rules(programme, frame, people, on))
    schema = {n: pl.String() for n in ("rule", "text", "text_ur", "inputs", "inputs_ur")}
    outcomes: dict[str, Any] = {"outcome": pl.Enum(list(OUTCOMES)), "outcome_ur": pl.String()}
    last = {"source": pl.String(), "mark": pl.String()}
    return DecisionExplained(
        programme=programme.id,
        digest=programme.digest,
        version=version.id,
        on=on,
        eligible=decided["eligible"],
        decision=decided["decision"],
        decision_ur=DECISIONS[decided["decision"]],
        reasons=tuple(decided["reasons"]),
        amount=decided["amount"],
        rules=pl.DataFrame(rows, schema=schema | outcomes | last, orient="row"),
    )


def _readable(frame: pl.DataFrame, programme: Programme, needed: Sequence[str]) -> pl.DataFrame:
    """Leave out what only switched-off rules read, and cannot: another column of the same name."""
    reader = reader_of(programme, dict(frame.schema), True)
    names = {item.name for item in programme.inputs} & set(frame.columns) - set(needed)
    return frame.drop(name for name in names if not reader.suits(name))


def _of_household(people: pl.DataFrame, frame: pl.DataFrame, id: str) -> pl.DataFrame:
    ours, theirs = frame.schema[id], people.schema[id]
    if ours != theirs and not (ours.is_integer() and theirs.is_integer()):
        raise SchemaError(
            f"column '{id}': {ours.base_type()} of the household, {theirs.base_type()} of members",
            code="wrong_column",
            column=id,
        )
    return people.filter(pl.col(id) == frame.get_column(id)[0])


def _frame(
    rows: Row | Sequence[Row] | pl.DataFrame | pl.LazyFrame,
    programme: Programme,
    levels: tuple[str, ...],
    id: str,
) -> pl.DataFrame:
    """Return rows as a frame: the household's id, and columns of the programme's types."""
    if isinstance(rows, (pl.DataFrame, pl.LazyFrame)):
        return rows.lazy().collect()
    listed: list[Row] = [rows] if isinstance(rows, Mapping) else list(rows)
    types = {i.name: _TYPES[i.type] for i in programme.inputs if i.level in levels}
    if "household" in levels:
        types |= {rollup.name: _TYPES["boolean"] for rollup in programme.rollups}
    present = {name: dtype for name, dtype in types.items() if any(name in row for row in listed)}
    made = [pl.Series("__nser_pmt_row", range(len(listed)), dtype=pl.Int64)]
    if all(id in row for row in listed) and listed:
        made.append(pl.Series(id, [row[id] for row in listed]))
    for name, dtype in present.items():
        values = [row.get(name) for row in listed]
        try:
            series = pl.Series(name, values, dtype, strict=True)
        except (TypeError, OverflowError, pl.exceptions.PolarsError):
            series = None
        # Only some releases of Polars read dates from text.
        text = dtype == pl.Date() and any(isinstance(value, str) for value in values)
        if series is None or series.dtype != dtype or text:
            raise SchemaError(
                f"column '{name}': expected {dtype} or None", code="wrong_column", column=name
            )
        made.append(series)
    return pl.DataFrame(made)


def _rules(
    programme: Programme, frame: pl.DataFrame, people: pl.DataFrame | None, on: date
) -> Iterator[tuple[str, ...]]:
    reader = reader_of(programme, dict(frame.schema), True)
    active = {rule.id: rule for rule in programme.active_rules(on)}
    for listed in programme.rules:
        if not listed.covers(on):
            continue
        rule = active.get(listed.id)
        shown: Rule = rule or listed
        words = [_words(c, shown, programme, frame, people, on) for c in rule_columns(shown)]
        inputs, inputs_ur = (", ".join(word) for word in zip(*words, strict=True))
        text, text_ur = shown.text, shown.text_ur
        if shown.kind == "exclude":
            text, text_ur = f"Must not hold: {text}", f"یہ درست نہ ہو کہ {text_ur}"
        outcome = _outcome(frame, rule_expr(rule, reader, on) if rule is not None else None)
        yield shown.id, text, text_ur, inputs, inputs_ur, *outcome, shown.source, shown.mark
        if not isinstance(listed, Cutoff):
            continue
        for line in listed.lines:
            if line.covers(on):
                counts = rule is not None and line.enabled
                met = line_expr(line, listed.column, reader, on) if counts else None
                outcome = _outcome(frame, met)
                yield line.id, line.text, line.text_ur, "", "", *outcome, line.source, line.mark


def _outcome(frame: pl.DataFrame, met: pl.Expr | None) -> tuple[str, str]:
    outcome = "off"
    if met is not None:
        answer = frame.select(met.alias("met")).item()
        outcome = {True: "met", False: "not_met", None: "unknown"}[answer]
    return outcome, OUTCOMES[outcome]


def _words(
    column: str,
    rule: Rule,
    programme: Programme,
    frame: pl.DataFrame,
    people: pl.DataFrame | None,
    on: date,
) -> tuple[str, str]:
    """Return a column and its value in words, in English and in Urdu."""
    reader = reader_of(programme, dict(frame.schema), True)
    value = frame.select(reader.known(column).alias("value")).item()
    leaf = next((c for r in rule_conditions(rule) for c in r.leaves() if c.column == column), None)
    english, urdu = _value(column, value, leaf, on)
    rollup = next((r for r in programme.rollups if r.name == column), None)
    if rollup is not None and people is not None:
        english = f"{english} {_counts(rollup, programme, people, on)}"
    return english, urdu


def _value(column: str, value: Any, leaf: Condition | None, on: date) -> tuple[str, str]:
    if value is None:
        return f"{column} unknown", f"{column}: نامعلوم"
    if column in _HIDDEN:
        return f"{column} hidden", f"{column}: پوشیدہ"
    if isinstance(value, bool):
        return f"{column} = {'yes' if value else 'no'}", f"{column}: {'ہاں' if value else 'نہیں'}"
    if isinstance(value, date):
        if leaf is not None and leaf.age is not None:
            months = (on.year - value.year) * 12 + on.month - value.month - (on.day < value.day)
            age = months // 12 if leaf.age == "years" else months
            unit_ur = "سال" if leaf.age == "years" else "ماہ"
            return f"{column}: {age} {leaf.age} old", f"{column}: عمر {age} {unit_ur}"
        return f"{column} = {value}", f"{column}: {value}"
    shown = f"{value:,.6g}" if isinstance(value, float) else str(value)
    return f"{column} = {shown}", f"{column}: {shown}"


def _counts(rollup: Rollup, programme: Programme, people: pl.DataFrame, on: date) -> str:
    reader = reader_of(programme, dict(people.schema), True)
    held = people.select(condition_expr(rollup.test, reader, on).alias("held")).to_series()
    if len(held) != people.height:
        held = held.new_from_index(0, people.height) if people.height else held.clear()
    unknown = f", {held.null_count()} unknown" if held.null_count() else ""
    return f"({held.sum()} of {people.height} members{unknown})"
