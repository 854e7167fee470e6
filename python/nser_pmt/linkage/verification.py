"""Check the persons of a registry against a citizens' file: `verify`."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Literal, TypeAlias

import polars as pl

from nser_pmt import cnic
from nser_pmt._options import chosen, invalid
from nser_pmt.control import RunControl
from nser_pmt.errors import SchemaError
from nser_pmt.linkage import _verify_rules
from nser_pmt.linkage._verify_fields import Source, compared, source
from nser_pmt.linkage._verify_rules import REASONS, VERDICTS, VerifyRules
from nser_pmt.linkage._verify_search import Search, checked, usual_spec
from nser_pmt.linkage.link_spec import LinkSpec

__all__ = ["REASONS", "VERDICTS", "Show", "Verified", "VerifyRules", "verify"]

Show: TypeAlias = Literal["masked", "full", "none"]

_FOUND_BY = pl.Enum(["number", "search"])
_CODES = (
    "match_number",
    "match_name",
    "match_father_or_husband",
    "match_birth_date",
    "match_sex",
    "match_district",
    "name_similarity",
    "father_or_husband_similarity",
    "relative",
)
_RESULT = {
    *("verdict", "reason", "citizen", "found_by", "claims", *_CODES, "number_issue", "candidate"),
    *("candidate_number", "candidates", "match_weight", "deceased", "card_expiry", "expired"),
}
_NOT_SEARCHED = {
    "found_by": pl.when(pl.col("citizen").is_not_null()).then(pl.lit("number", _FOUND_BY)),
    "candidate": pl.lit(None, pl.UInt32),
    "candidates": pl.lit(None, pl.UInt32),
    "match_weight": pl.lit(None, pl.Float64),
}
# Registry rows compared, or searched for, at a time.
_SLICE = 1_000_000
_SEARCHED = 500_000


@dataclass(frozen=True, kw_only=True, repr=False)
class Verified:
    """What `verify` found.

    Attributes
    ----------
    frame
        One row for each row of the registry, in its order; see `verify`.
    summary
        ``verdict``, ``reason`` and ``rows``, for all reasons that occur.
    rules
        The limits that were used.
    """

    frame: pl.DataFrame
    summary: pl.DataFrame
    rules: VerifyRules

    def __repr__(self) -> str:
        rows = max(self.frame.height, 1)
        lines = [f"Verified: {self.frame.height:,} rows"]
        for verdict in VERDICTS.categories:
            part = self.summary.filter(pl.col("verdict").cast(pl.String) == verdict)
            total = part["rows"].sum()
            lines.append(f"  {verdict:<28} {total:>12,}  {total / rows:6.1%}")
            if part.height > 1:
                lines += [f"    {r:<26} {n:>12,}" for _, r, n in part.iter_rows()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"


def verify(
    registry: pl.DataFrame | pl.LazyFrame,
    citizens: pl.DataFrame | pl.LazyFrame,
    *,
    id: str,
    citizen_id: str,
    columns: Mapping[str, str | tuple[str | None, str | None]] | None = None,
    spec: LinkSpec | None = None,
    rules: VerifyRules | None = None,
    show: Show = "masked",
    on: datetime.date | None = None,
    control: RunControl | None = None,
) -> Verified:
    """Give each row of a registry one verdict against a citizens' file, and the evidence for it.

    Parameters
    ----------
    registry
        What was entered: identity number and name; father's or husband's name, birth date, sex and
        district where there are any. A lazy frame is collected.
    citizens
        One row for each citizen, with the same; both father's and husband's name if it has both,
        and whether the person is alive. A lazy frame is read in parts and need not fit in memory.
    id, citizen_id
        Columns of ids: no null, each once.
    columns
        Column of each field, if it is not the usual one: ``number`` (``"cnic"``), ``name``,
        ``father`` (``"father_name"``), ``husband`` (``"husband_name"``), ``birth_date``, ``sex``,
        ``district``, and of the citizens only ``alive``, ``deceased`` (Boolean) and ``card_expiry``
        (Date). A pair is for the two frames, ``{"father": ("relative", "father")}``, with None for
        a frame without. `number` and `name` are needed. Other fields that a frame does not have
        are not compared, but if they are named here, they must be there.
    spec
        Plan of the search for citizens whose number is not the one entered, on the columns
        ``number``, ``name``, ``relative`` (father or husband), ``birth_date``, ``sex`` and
        ``district``. By default a cautious one.
    rules
        Limits; see `VerifyRules`.
    show
        How ``candidate_number`` is shown: ``"masked"``, ``"full"`` or ``"none"`` (no such column).
    on
        Day for which ``expired`` is told.
    control
        Threads, and a way to stop the search; see `RunControl`.

    Returns
    -------
    Verified
        Its ``frame`` has one row for each row of the registry, in the same order:

        the id
            As in `registry`.
        ``verdict``, ``reason`` (Enum)
            See the notes. A verdict follows from the reason.
        ``citizen``, ``found_by``
            Id of the citizen that the row was compared with, and whether the ``number`` or the
            ``search`` led there. Null where there is none.
        ``claims`` (UInt32)
            Rows of the registry that give this number.
        ``match_number``, ``match_name``, ``match_father_or_husband``, ``match_birth_date``, \
``match_sex``, ``match_district`` (Enum)
            What the fields have to do with those of ``citizen``. Of the number: exact, one_error,
            two_errors, different. Of names: `nser_pmt.names.MATCHES`. Of the birth date: exact,
            day_month_swap, one_slip, first_january, near, different. Of sex and district: same,
            different. Null where one side has no value: neither for nor against.
        ``name_similarity``, ``father_or_husband_similarity`` (Float64)
            See `nser_pmt.names.similarity`.
        ``relative`` (Enum: father, husband)
            Whose name the father's or husband's name is most like.
        ``number_issue`` (Enum)
            What `nser_pmt.cnic.parse` says of the number entered.
        ``candidate``, ``candidate_number``
            The one citizen that name, father's or husband's name and birth date support where the
            number is wrong: a suggestion, not a verdict.
        ``candidates`` (UInt32), ``match_weight`` (Float64)
            Citizens that the search found as good as the best within the margin, if their fields
            support them; and the weight (log2 odds) of the best.
        ``deceased`` (Boolean), ``card_expiry`` (Date), ``expired`` (Boolean; with `on`)
            Of ``citizen``. They never change the verdict.

    Raises
    ------
    SchemaError
        A column is missing or has a wrong type; an id is null or occurs twice.
    DomainError
        An option is not allowed, or the plan is not learned.
    CancelledError
        The search was stopped through `control`.

    Notes
    -----
    A name **agrees** when its match code is ``exact``, or ``optional_missing``, ``reordered``,
    ``spelling_variant`` or ``cross_script`` with a similarity of at least
    `VerifyRules.name_agrees`; it is **another's** when the code is ``different`` or the similarity
    below `VerifyRules.name_varies`, unless what contradicts is the name of the citizen's father or
    husband; otherwise it **varies**. So does the father's or husband's name, which is compared with
    both of the citizen's; one letter wrong is no more than a variation there. A birth date agrees
    when exact, varies when it is one slip, the first of January of the year, or up to
    `VerifyRules.birth_years` away, and contradicts otherwise. Father's or husband's name
    **supports** when it agrees, a birth date also by one slip or the first of January. Sex only
    contradicts. District says nothing: people move.

    ===============  =============================  ==============================================
    verdict          reason                         when
    ===============  =============================  ==============================================
    confirmed        ``all_agree``                  number exact, name agrees, so does all else
                                                    that both sides have
    minor_variation  ``name_varies``                the name varies, father's name or birth date
                                                    supports, nothing contradicts
    ..               ``father_or_husband_varies``,  the name agrees, the other varies
                     ``birth_date_varies``
    ..               ``several_vary``               more than one does, and one supports; with a
                                                    name that varies the birth date is not just near
    ..               ``name_missing``               no name; father's name, birth date support
    ..               ``name_one_slip``              one letter makes it another name, all else
                                                    supports, the search finds nobody else
    ..               ``father_or_husband_differs``  the name agrees, one thing contradicts,
                     ``birth_date_differs``         another supports
                     ``sex_differs``
    ..               ``number_one_error``           no citizen has the number, one has it but for
                                                    one error: name agrees, father's name or birth
                                                    date support, nobody else is as good
    conflicting      ``name_differs``               the name is another's
    ..               ``number_of_relative``         and the number that of father or husband
    ..               ``number_of_another``          and another row has a right to the number, or
                                                    the search finds the row's own citizen
    ..               ``others_differ``              the name may agree, but the rest contradicts
    not_found        ``number_unknown``             no citizen has the number
    invalid_cnic     ``number_missing``,            what was entered is no CNIC
                     ``number_dummy``,
                     ``number_malformed``,
                     ``number_of_other_kind``
    ambiguous        ``too_little_given``           the number is exact, but little else is given
    ..               ``evidence_divided``           some things support, some contradict
    ..               ``name_differs_only``          the name is another's, all else supports: a
                                                    twin, or a new name
    ..               ``number_shared``              one thing contradicts, or the name is another's
                                                    and one thing supports, and another row has
                                                    some right to the number too
    ..               ``number_held_twice``          two citizens have it: a fault of the file
    ..               ``several_citizens``           no citizen has it, and two or more are equally
                                                    well supported
    ===============  =============================  ==============================================

    Rows that are conflicting, not found, invalid or ``name_differs_only`` are looked for by numbers
    within one error of entry and by keys of name, father's or husband's name, birth date and
    district (`nser_pmt.link`). Term frequencies are not used: as `citizens` is to be complete, the
    margin to the next best says how rare a person is. With a file that is not, a search is too sure
    of itself.

    Examples
    --------
    >>> import datetime, polars as pl, nser_pmt as nser
    >>> born = [datetime.date(1971, 3, 9), datetime.date(1990, 7, 21)]
    >>> citizens = pl.DataFrame({
    ...     "person": [7, 8],
    ...     "cnic": ["35202-1234567-1", "42101-7654321-2"],
    ...     "name": ["Muhammad Aslam", "Bushra Bibi"],
    ...     "father_name": ["Ghulam Rasool", "Abdul Waheed"],
    ...     "husband_name": [None, "Kamran Akhtar"],
    ...     "birth_date": born,
    ... })
    >>> registry = pl.DataFrame({
    ...     "id": [1, 2, 3, 4],
    ...     "cnic": ["3520212345671", "4210176543212", "3520212345617", "4210176543212"],
    ...     "name": ["Mohd Aslam", "Bushra", "Muhammad Aslam", "Zubair Nawaz"],
    ...     "father_name": ["Ghulam Rasul", "Kamran Akhter", "Ghulam Rasool", "Ali Nawaz"],
    ...     "birth_date": [born[0], born[1], born[0], None],
    ... })
    >>> found = nser.verify(registry, citizens, id="id", citizen_id="person")
    >>> found.frame.select("id", "verdict", "reason", "citizen", "relative", "claims")
    shape: (4, 6)
    ┌─────┬─────────────────┬───────────────────┬─────────┬──────────┬────────┐
    │ id  ┆ verdict         ┆ reason            ┆ citizen ┆ relative ┆ claims │
    │ --- ┆ ---             ┆ ---               ┆ ---     ┆ ---      ┆ ---    │
    │ i64 ┆ enum            ┆ enum              ┆ i64     ┆ enum     ┆ u32    │
    ╞═════╪═════════════════╪═══════════════════╪═════════╪══════════╪════════╡
    │ 1   ┆ confirmed       ┆ all_agree         ┆ 7       ┆ father   ┆ 1      │
    │ 2   ┆ confirmed       ┆ all_agree         ┆ 8       ┆ husband  ┆ 2      │
    │ 3   ┆ minor_variation ┆ number_one_error  ┆ 7       ┆ father   ┆ 1      │
    │ 4   ┆ conflicting     ┆ number_of_another ┆ 8       ┆ father   ┆ 2      │
    └─────┴─────────────────┴───────────────────┴─────────┴──────────┴────────┘
    """
    chosen("show", show, Show)
    rules, control = rules or VerifyRules(), control or RunControl()
    if spec is not None:
        checked(spec)
    if on is not None and not isinstance(on, datetime.date):
        raise invalid("on must be a date")
    if isinstance(registry, pl.LazyFrame):
        registry = registry.collect()
    left = source(registry, "registry", id, columns or {})
    right = source(citizens, "citizens", citizen_id, columns or {})
    if id in _RESULT:
        raise SchemaError(
            f"registry: column '{id}': the result has a column of this name",
            code="wrong_column",
            column=id,
            hint="Rename the column of ids first",
        )
    numbers = right.read("number").get_column("number")
    rows = _claims(_by_number(left, right, numbers, rules))
    plan = spec or usual_spec(right.rows)
    rows = _searched(rows, left, right, numbers, plan, rules, control)
    frame = _finish(rows, left, right, show, on)
    summary = (
        frame.group_by("verdict", "reason")
        .agg(rows=pl.len())
        .sort(pl.col("verdict").to_physical(), pl.col("reason").to_physical())
    )
    return Verified(frame=frame, summary=summary, rules=rules)


def _by_number(left: Source, right: Source, numbers: pl.Series, rules: VerifyRules) -> pl.DataFrame:
    """Compare each row with the citizen that holds its number."""
    rows = left.read("number", "kind", "issue").with_row_index("row")
    asked = rows.select("number").drop_nulls().unique()
    held = (
        numbers.to_frame("number")
        .with_row_index("citizen")
        .drop_nulls("number")
        .join(asked, on="number", how="semi")
        .group_by("number")
        .agg(pl.col("citizen").min(), holders=pl.len())
    )
    rows = rows.join(held, on="number", how="left", maintain_order="left")
    hits = rows.filter(holders=1).select("row", "citizen")
    parts = []
    for start in range(0, max(hits.height, 1), _SLICE):
        hit = hits.slice(start, _SLICE)
        mine, theirs = left.take(hit["row"]), right.take(hit["citizen"])
        codes = compared(mine, theirs, years=rules.birth_years)
        states = _verify_rules.states(rules)
        codes = codes.with_columns(**states).with_columns(
            reason=_verify_rules.by_number(rules), some_support=pl.col("state_support") >= 1
        )
        codes = codes.drop("of_relative", "relative_slip", "name_taken", *states)
        parts.append(pl.concat([hit.select("row"), codes], how="horizontal"))
    rows = rows.join(pl.concat(parts), on="row", how="left", maintain_order="left")
    several = pl.col("holders") > 1
    return rows.with_columns(
        citizen=pl.when(~several).then("citizen"),
        reason=pl.coalesce(
            "reason",
            _verify_rules.invalid_number(pl.col("kind")),
            pl.when(several).then(pl.lit("number_held_twice", REASONS)),
            pl.lit("number_unknown", REASONS),
        ),
    ).drop("holders", "kind")


def _claims(rows: pl.DataFrame) -> pl.DataFrame:
    """Count the rows that give one number, and weigh them against each other."""
    reason = pl.col("reason").cast(pl.String)
    verdict = _verify_rules.verdict(pl.col("reason")).cast(pl.String)
    rows = rows.with_columns(
        claims=pl.when(pl.col("number").is_not_null()).then(pl.len().over("number")),
        standing=(verdict != "conflicting").sum().over("number"),
        accepted=verdict.is_in(["confirmed", "minor_variation"]).any().over("number"),
    )
    claimed = pl.col("claims") > 1
    divided = (verdict == "minor_variation") & reason.str.ends_with("_differs")
    owned = claimed & (verdict == "conflicting") & pl.col("accepted")
    owned &= reason != "number_of_relative"
    return rows.with_columns(
        # The same person with a spoiled name, or another? The search may tell.
        doubtful=owned & pl.col("some_support"),
        reason=pl.when(claimed & divided & (pl.col("standing") > 1))
        .then(pl.lit("number_shared", REASONS))
        .when(owned & ~pl.col("some_support"))
        .then(pl.lit("number_of_another", REASONS))
        .otherwise("reason"),
    ).drop("standing", "accepted", "some_support")


def _searched(
    rows: pl.DataFrame,
    left: Source,
    right: Source,
    numbers: pl.Series,
    spec: LinkSpec,
    rules: VerifyRules,
    control: RunControl,
) -> pl.DataFrame:
    """Look for the citizens of the rows whose number does not lead to them."""
    verdict = _verify_rules.verdict(pl.col("reason")).cast(pl.String)
    open_ = verdict.is_in(["not_found", "invalid_cnic", "conflicting"]) | (
        pl.col("reason").cast(pl.String) == "name_differs_only"
    )
    rest = rows.filter(open_).select("row", holder="citizen")
    if not rest.height or not right.rows:
        return rows.with_columns(**_NOT_SEARCHED)
    written = left.take(rest["row"], "written").with_columns(rest["row"])
    search = Search(written, right, numbers, spec, rules, control)
    parts = []
    for start in range(0, rest.height, _SEARCHED):
        part = rest.slice(start, _SEARCHED)
        persons = left.take(part["row"]).with_columns(part["row"])
        best = _best(search.find(persons), part, right, rules)
        mine, theirs = left.take(best["row"]), right.take(best["other"])
        codes = compared(mine, theirs, years=rules.birth_years)
        found = pl.concat([best, codes], how="horizontal")
        found = found.with_columns(agrees=_verify_rules.name_agrees(rules))
        parts.append(found.filter(_verify_rules.supported(rules)))
    return _settled(rows, pl.concat(parts))


def _best(
    pairs: pl.DataFrame, rest: pl.DataFrame, right: Source, rules: VerifyRules
) -> pl.DataFrame:
    """Return the best citizen of each row, and how many are as good."""
    pairs = pairs.join(rest, on="row", how="left", maintain_order="left")
    # The holder of the number is another person, or there would be no search.
    pairs = pairs.filter(pl.col("citizen").ne_missing(pl.col("holder")))
    ids = right.take(pairs["citizen"], "id").get_column("id")
    weight = pl.col("weight")
    return (
        pairs.with_columns(ids.alias("id"), most=weight.max().over("row"))
        .filter((pl.col("most") >= rules.weight) & (weight >= pl.col("most") - rules.margin))
        .sort("row", "weight", "id", descending=[False, True, False])
        .group_by("row", maintain_order=True)
        .agg(pl.col("citizen").first().alias("other"), pl.col("most").first(), candidates=pl.len())
    )


def _settled(rows: pl.DataFrame, best: pl.DataFrame) -> pl.DataFrame:
    """Bring what the search found into the rows."""
    best = best.drop("of_relative", "name_slip", "relative_slip", "name_taken").rename(
        {code: f"{code}_found" for code in _CODES}
    )
    rows = rows.join(best, on="row", how="left", maintain_order="left")
    one, several = pl.col("candidates") == 1, pl.col("candidates") > 1
    reason = pl.col("reason").cast(pl.String)
    near = (pl.col("match_number_found").cast(pl.String) == "one_error") & pl.col("agrees")
    another = reason.is_in(["name_differs", "others_differ"]) | (
        (reason == "name_differs_only") & ~pl.col("name_slip")
    )
    shown = pl.col("citizen").is_null() & (one | (several & (reason == "number_unknown")))
    return rows.with_columns(
        pl.when(shown).then(f"{code}_found").otherwise(code).alias(code) for code in _CODES
    ).with_columns(
        reason=pl.when((reason == "number_unknown") & one & near)
        .then(pl.lit("number_one_error", REASONS))
        .when((reason == "number_unknown") & several)
        .then(pl.lit("several_citizens", REASONS))
        .when(another & one)
        .then(pl.lit("number_of_another", REASONS))
        .when("doubtful")
        .then(pl.lit("number_shared", REASONS))
        .when(
            (reason == "name_differs_only") & pl.col("name_slip") & pl.col("candidates").is_null()
        )
        .then(pl.lit("name_one_slip", REASONS))
        .otherwise("reason"),
        found_by=pl.when(shown)
        .then(pl.lit("search", _FOUND_BY))
        .when(pl.col("citizen").is_not_null())
        .then(pl.lit("number", _FOUND_BY)),
        candidate=pl.when(one).then("other"),
        citizen=pl.when(shown).then("other").otherwise("citizen"),
        match_weight="most",
    )


def _finish(
    rows: pl.DataFrame,
    left: Source,
    right: Source,
    show: Show,
    on: datetime.date | None,
) -> pl.DataFrame:
    """Put ids, flags and numbers in the place of rows."""
    compared_with = right.take(rows["citizen"], "id", "deceased", "card_expiry")
    repaired = right.take(rows["candidate"], "id", "number")
    number = cnic.format("number") if show == "full" else cnic.mask("number")
    flags = {"card_expiry": compared_with["card_expiry"]}
    if on is not None:
        flags["expired"] = flags["card_expiry"] < on
    return rows.select(
        left.read("id").get_column("id").alias(left.id),
        _verify_rules.verdict(pl.col("reason")).alias("verdict"),
        "reason",
        compared_with["id"].alias("citizen"),
        "found_by",
        "claims",
        *_CODES,
        number_issue="issue",
        candidate=repaired["id"],
        **({} if show == "none" else {"candidate_number": repaired.select(number).to_series()}),
        candidates="candidates",
        match_weight="match_weight",
        deceased=compared_with["deceased"],
        **flags,
    )
