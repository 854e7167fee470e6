"""Deciding who is entitled: `decide`, `roll_up`, `recipients`."""

from __future__ import annotations

from datetime import date
from typing import Literal, TypeVar

import polars as pl

from nser_pmt._options import chosen, invalid, polars_frame
from nser_pmt.errors import DomainError, SchemaError
from nser_pmt.programmes._compile import condition_expr, rollup_exprs
from nser_pmt.programmes._deciding_plan import plan, reader_of
from nser_pmt.programmes._deciding_quota import within_quotas
from nser_pmt.programmes._deciding_reasons import ReasonsAs
from nser_pmt.programmes.programme import Programme, day_of, load_programme
from nser_pmt.scoring.model import missing_column

__all__ = ["decide", "recipients", "roll_up"]

Frame = TypeVar("Frame", pl.DataFrame, pl.LazyFrame)
AnyFrame = pl.DataFrame | pl.LazyFrame

OnMissing = Literal["error", "unknown"]
"""What a column that is not there means: an error, or unknown in every row."""


def decide(
    frame: Frame,
    programme: Programme | str,
    *,
    on: date,
    members: AnyFrame | None = None,
    households: AnyFrame | None = None,
    household: str = "hh_id",
    on_missing: OnMissing = "error",
    reasons_as: ReasonsAs = "list",
    suffix: str = "",
) -> Frame:
    """Decide for every row of a frame whether it is entitled, on a day.

    Parameters
    ----------
    frame
        One row a unit of the programme: a household (kafaalat), a person or child (the others).
        It needs ``programme.columns(on)``.
    programme
        A `Programme`, or the name or path of one.
    on
        The day: its rules, cut-offs, amounts and ages count.
    members
        For a programme of households: their members, one row a person, with `household` and
        ``programme.member_columns(on)``. `roll_up` makes facts of the household of them. Leave it
        out where the frame has these facts.
    households
        For a programme of persons: the households, one row each, with `household` and the columns
        of households that the frame does not have.
    household
        Column that names the household in both frames.
    on_missing
        Whether a column that is not there is an ``"error"`` or ``"unknown"`` in every row.
    reasons_as
        ``"list"``, or ``"text"``: one Enum with commas between the reasons (String for a programme
        with more than 14 reasons of a kind). Polars writes it to Parquet many times faster.
    suffix
        Appended to the names of the new columns, to keep the decisions of programmes apart.

    Returns
    -------
    DataFrame or LazyFrame
        The same rows in the same order, plus

        ``eligible`` (Boolean)
            Null where it cannot be said.
        ``decision`` (Enum)
            ``eligible``; ``not_eligible``, a rule is definitely not met; ``needs_data``, no rule is
            definitely not met and one is unknown; ``over_quota``, entitled but out of places or
            money (then ``eligible`` is false).
        ``reasons`` (List of Enum; ``cast(pl.List(pl.String))`` for text)
            With ``not_eligible`` the ids of **all** rules not met. With ``needs_data`` the rules
            that are unknown, each with the column at fault, as ``"score:pmt_score"``; the column is
            ``undetermined`` where the rule's own number is not known. With ``over_quota`` the
            quota.
            With ``eligible`` empty, or why the amount is null, as ``"amount:undetermined"``.
        ``amount`` (Int64, rupees a quarter)
            Of those eligible; null where no source says how much.

    Raises
    ------
    SchemaError
        A column that a rule reads is missing or has a type without sense; names both.
    DomainError
        The day lies before the first version (code ``before_first_version``); households are listed
        twice.
    ModelError
        The programme cannot be loaded.

    Notes
    -----
    Three-valued (Kleene) logic: unknown is not no. Null, NaN, infinity and values that the
    programme does not list are unknown. A household that has no row in `members` is unknown;
    members of households that are not in the frame are left out. Every row is decided: a household
    that is listed twice in the frame is decided twice.

    Rules run as Polars expressions, row by row: a LazyFrame streams in flat memory, however many
    millions of households or persons it has. Three things are not row-wise: `members` are grouped
    by household (memory grows with the number of households: make the facts once with `roll_up` and
    keep them), `households` are joined, and a quota ranks the whole table.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl, nser_pmt as nser
    >>> households = pl.DataFrame({"hh_id": [1, 2, 3], "pmt_score": [32.0, 36.5, None]})
    >>> members = pl.DataFrame({
    ...     "hh_id": [1, 2, 3],
    ...     "sex": ["female", "female", "female"],
    ...     "marital_state": ["married", "widowed", "married"],
    ...     "cnic_verified": [True, True, True],
    ...     "disabled": [False, False, True],
    ... })
    >>> decided = nser.decide(households, "kafaalat", on=date(2024, 6, 1), members=members)
    >>> decided.select("hh_id", "decision", "reasons", "amount")
    shape: (3, 4)
    ┌───────┬──────────────┬─────────────────────┬────────┐
    │ hh_id ┆ decision     ┆ reasons             ┆ amount │
    │ ---   ┆ ---          ┆ ---                 ┆ ---    │
    │ i64   ┆ enum         ┆ list[enum]          ┆ i64    │
    ╞═══════╪══════════════╪═════════════════════╪════════╡
    │ 1     ┆ eligible     ┆ []                  ┆ 10500  │
    │ 2     ┆ not_eligible ┆ ["score"]           ┆ null   │
    │ 3     ┆ needs_data   ┆ ["score:pmt_score"] ┆ null   │
    └───────┴──────────────┴─────────────────────┴────────┘

    The decision of a programme is an input of another:

    >>> active = decided.select("hh_id", kafaalat_active="eligible")
    >>> children = pl.DataFrame({
    ...     "hh_id": [1, 2], "sex": ["female", "male"], "birth_date": [date(2015, 6, 1)] * 2,
    ...     "school_level": ["primary", "primary"], "b_form": [True, True],
    ...     "attendance": [0.7, 0.9], "admitted_on": [date(2023, 4, 1)] * 2,
    ... })
    >>> stipends = nser.decide(children, "taleemi-wazaif", on=date(2024, 6, 1), households=active)
    >>> stipends["amount"].to_list(), stipends["reasons"].to_list()
    ([2500, None], [[], ['kafaalat_active']])
    """
    programme = _programme(programme)
    on = day_of(on)
    chosen("on_missing", on_missing, OnMissing)
    chosen("reasons_as", reasons_as, ReasonsAs)
    polars_frame("frame", frame)
    if programme.unit == "household" and households is not None:
        raise invalid(f"households: programme '{programme.id}' is one of households")
    frame_columns = frame.collect_schema().names()
    names = _new_names(frame_columns, suffix)
    needed = programme.columns(on)
    lazy = frame.lazy()
    if members is not None:
        if programme.unit != "household":
            raise invalid(f"members: programme '{programme.id}' is one of persons; give households")
        polars_frame("members", members)
        facts = roll_up(
            members.lazy(), programme, on=on, household=household, on_missing=on_missing
        )
        already = [r.name for r in programme.active_rollups(on) if r.name in frame_columns]
        if already:
            raise SchemaError(
                f"column '{already[0]}' is already there; members would make it again",
                code="column_exists",
                column=already[0],
                hint="Drop it, or leave members out",
            )
        lazy = _joined(lazy, facts, household)
    elif households is not None:
        polars_frame("households", households)
        given = households.collect_schema().names()
        _need(household, given, "households")
        _check_unique(households, household)
        wanted = [c for c in needed if c in given and c not in frame_columns and c != household]
        lazy = _joined(lazy, households.lazy().select(household, *wanted), household)
    reader = reader_of(programme, dict(lazy.collect_schema()), on_missing == "unknown")
    made = plan(programme, reader, on, names, reasons_as)
    decided = made.apply(lazy)
    for quota in programme.active_quotas(on):
        decided = within_quotas(decided, quota, names, reader, made.reasons)
    decided = decided.select(*frame_columns, *names.values())
    return _like(frame, decided)


def roll_up(
    members: Frame,
    programme: Programme | str,
    *,
    on: date,
    household: str = "hh_id",
    on_missing: OnMissing = "error",
) -> Frame:
    """Make the facts of households that a programme reads, from their members.

    Parameters
    ----------
    members
        One row a person, with `household` and ``programme.member_columns(on)``.
    programme, on, on_missing
        As in `decide`.
    household
        Column that names the household. Rows where it is null are left out.

    Returns
    -------
    DataFrame or LazyFrame
        One row a household, sorted by `household`, with a Boolean column for each roll-up that the
        programme reads on the day (``programme.active_rollups(on)``). Null is unknown: `any` is
        false only if it is false for every member.

    Raises
    ------
    SchemaError, DomainError
        As in `decide`.

    Notes
    -----
    Streams through the members; memory grows with the number of households.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl, nser_pmt as nser
    >>> members = pl.DataFrame({
    ...     "hh_id": [1, 1, 2],
    ...     "sex": ["female", "male", "female"],
    ...     "marital_state": ["married", "married", None],
    ...     "cnic_verified": [True, None, True],
    ...     "disabled": [False, True, None],
    ... })
    >>> facts = nser.roll_up(members, "kafaalat", on=date(2024, 6, 1))
    >>> facts.select("hh_id", "ever_married_woman", "disabled_member").rows()
    [(1, True, True), (2, None, None)]
    """
    programme = _programme(programme)
    on = day_of(on)
    chosen("on_missing", on_missing, OnMissing)
    polars_frame("members", members)
    schema = dict(members.collect_schema())
    _need(household, list(schema), "members")
    reader = reader_of(programme, schema, on_missing == "unknown")
    rollups = programme.active_rollups(on)
    for rollup in rollups:
        for column in rollup.test.columns():
            reader.check(column, rollup.name)
    known = [reader.known(c).alias(c) for c in programme.member_columns(on)]
    lazy = members.lazy().filter(pl.col(household).is_not_null()).select(household, *known)
    inner = reader_of(programme, dict(lazy.collect_schema()), False)
    facts = (
        lazy.group_by(household)
        .agg([rollup_exprs(rollup, inner, on) for rollup in rollups])
        .sort(household)
    )
    return _like(members, facts)


def recipients(
    members: Frame,
    programme: Programme | str,
    decided: AnyFrame,
    *,
    on: date,
    household: str = "hh_id",
    suffix: str = "",
) -> Frame:
    """List the members who may receive the money of an eligible household.

    Parameters
    ----------
    members
        One row a person, with `household` and the columns that the programme's recipient reads.
    programme, on
        As in `decide`, for a programme of households.
    decided
        The households with their decisions.
    household
        Column that names the household in both frames.
    suffix
        That of the decisions.

    Returns
    -------
    DataFrame or LazyFrame
        The members of eligible households who may be paid, in their order, plus ``recipient``
        (Boolean; null where it is not known whether they may) and ``amount`` (of the household: the
        rules do not say how it is shared where there are several).

    Raises
    ------
    SchemaError
        A column is missing or has a type without sense.
    DomainError
        The programme names no recipient; households are listed twice.

    Examples
    --------
    >>> from datetime import date
    >>> import polars as pl, nser_pmt as nser
    >>> members = pl.DataFrame({
    ...     "hh_id": [1, 1], "person_id": [10, 11], "sex": ["male", "female"],
    ...     "marital_state": ["married", "married"],
    ... })
    >>> decided = pl.DataFrame({"hh_id": [1], "eligible": [True], "amount": [10500]})
    >>> paid = nser.recipients(members, "kafaalat", decided, on=date(2024, 6, 1))
    >>> paid.select("person_id", "recipient", "amount").rows()
    [(11, True, 10500)]
    """
    programme = _programme(programme)
    on = day_of(on)
    programme.version(on)
    if programme.recipient is None:
        raise DomainError(f"programme '{programme.id}' names no recipient", code="no_recipient")
    polars_frame("members", members)
    polars_frame("decided", decided)
    schema, columns = dict(members.collect_schema()), dict(decided.collect_schema())
    _need(household, list(schema), "members")
    for column in (household, f"eligible{suffix}", f"amount{suffix}"):
        _need(column, list(columns), "decided")
    if columns[f"eligible{suffix}"] not in (pl.Boolean, pl.Null):
        raise SchemaError(
            f"column 'eligible{suffix}': expected Boolean, found "
            f"{columns[f'eligible{suffix}'].base_type()}",
            code="wrong_column",
            column=f"eligible{suffix}",
        )
    for column in ("recipient", "amount"):
        if column in schema:
            raise _exists(column)
    _check_unique(decided, household)
    reader = reader_of(programme, schema, False)
    for column in programme.recipient.test.columns():
        reader.check(column, "recipient")
    who = condition_expr(programme.recipient.test, reader, on)
    awards = decided.lazy().filter(pl.col(f"eligible{suffix}").cast(pl.Boolean))
    may = members.lazy().with_columns(recipient=who).filter(pl.col("recipient").fill_null(True))
    paid = _joined(may, awards.select(household, amount=f"amount{suffix}"), household, "inner")
    return _like(members, paid)


# -- helpers ---------------------------------------------------------------------------------------


def _programme(programme: Programme | str) -> Programme:
    return programme if isinstance(programme, Programme) else load_programme(programme)


def _joined(
    frame: pl.LazyFrame,
    facts: pl.LazyFrame,
    household: str,
    how: Literal["left", "inner"] = "left",
) -> pl.LazyFrame:
    _need(household, frame.collect_schema().names(), "the frame")
    ours, theirs = frame.collect_schema()[household], facts.collect_schema()[household]
    if ours != theirs:
        if not (ours.is_integer() and theirs.is_integer()):
            raise SchemaError(
                f"column '{household}': {ours.base_type()} in one frame, {theirs.base_type()} in "
                "the other",
                code="wrong_column",
                column=household,
            )
        # A number that the other type does not hold is of no household here.
        facts = facts.with_columns(pl.col(household).cast(ours, strict=False))
    return frame.join(facts, on=household, how=how, maintain_order="left")


def _check_unique(households: AnyFrame, household: str) -> None:
    """Raise if a household is listed twice: its members would be paid twice. Null is none."""
    ids = households.lazy().select(pl.col(household)).drop_nulls()
    twice = ids.select(pl.col(household).n_unique() < pl.len()).collect().item()
    if twice:
        raise DomainError(
            f"column '{household}': a household is listed twice",
            code="duplicate_household",
            column=household,
        )


def _need(column: str, available: list[str], frame: str) -> None:
    if column not in available:
        raise SchemaError(
            f"column '{column}' is missing in {frame}",
            code="missing_column",
            column=column,
            hint=missing_column(column, available).hint,
        )


def _new_names(columns: list[str], suffix: str) -> dict[str, str]:
    names = {n: f"{n}{suffix}" for n in ("eligible", "decision", "reasons", "amount")}
    for name in names.values():
        if name in columns:
            raise _exists(name)
    return names


def _exists(column: str) -> SchemaError:
    return SchemaError(
        f"column '{column}' is already there",
        code="column_exists",
        column=column,
        hint="Drop it, or give a suffix",
    )


def _like(frame: Frame, made: pl.LazyFrame) -> Frame:
    """Return a lazy result for a lazy frame, and the result itself for one in memory."""
    return made if isinstance(frame, pl.LazyFrame) else made.collect()
