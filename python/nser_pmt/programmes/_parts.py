"""The classes of a programme file below the programme itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import KW_ONLY, dataclass
from datetime import date
from typing import Literal

from nser_pmt.errors import ModelError

__all__ = [
    "Amount",
    "Condition",
    "Cutoff",
    "Dated",
    "Exclude",
    "Input",
    "Line",
    "Mark",
    "Quota",
    "RankKey",
    "Recipient",
    "Require",
    "Rollup",
    "Rule",
    "Unmodelled",
    "Version",
    "rule_conditions",
]

Mark = Literal["confirmed", "secondary", "inferred", "unknown"]
"""How sure a fact is: read in the source named, only at second hand, concluded, or not known."""


_SIDES = (("ge", "gt"), ("le", "lt"))


@dataclass(frozen=True)
class Input:
    """A column the programme reads, of a household or of a person.

    Numbers outside ``min .. max``, NaN, infinity and values that are not listed in `values` are
    unknown, as null is.
    """

    name: str
    _: KW_ONLY
    type: Literal["boolean", "category", "date", "integer", "number"]
    level: Literal["household", "person"]
    unit: str | None = None
    description: str = ""
    values: tuple[str, ...] = ()
    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A question with the answers true, false and unknown.

    One of: `all` of some conditions, `any` of some, `negate` one; or a `column` with `equals`,
    `one_of`, the edges `ge`, `gt`, `le`, `lt`, or `same`. With `age`, the column is a birth date
    and the edges are completed years or months on the decision date. ``same = "quarter"`` asks
    whether a date lies between the first day of the calendar quarter of the decision date and that
    date.
    """

    column: str | None = None
    equals: bool | int | str | None = None
    one_of: tuple[int | str, ...] = ()
    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    age: Literal["years", "months"] | None = None
    same: Literal["quarter"] | None = None
    all: tuple[Condition, ...] = ()
    any: tuple[Condition, ...] = ()
    negate: Condition | None = None

    def __post_init__(self) -> None:
        forms = [
            bool(self.all),
            bool(self.any),
            self.negate is not None,
            self.equals is not None,
            bool(self.one_of),
            bool(self.edges()),
            self.same is not None,
        ]
        if sum(forms) != 1:
            raise ModelError(
                "a condition has exactly one of all, any, negate, equals, one_of, edges (ge, gt, "
                "le, lt) and same",
                code="bad_condition",
            )
        if (self.column is None) != any(forms[:3]):
            message = "needs a column" if self.column is None else "takes no column here"
            raise ModelError(f"column: a condition {message}", code="bad_condition")
        if self.age is not None and not self.edges():
            raise ModelError("age: needs edges (ge, gt, le, lt)", code="bad_condition")
        if self.age is not None and any(edge % 1 for _, edge in self.edges()):
            raise ModelError("age: the edges are whole numbers", code="bad_condition")
        names = [name for name, _ in self.edges()]
        if {"ge", "gt"} <= set(names) or {"le", "lt"} <= set(names):
            raise ModelError("one lower and one upper edge at most", code="bad_condition")
        low, high = (next((v for n, v in self.edges() if n in pair), None) for pair in _SIDES)
        if low is not None and high is not None and low > high:
            raise ModelError("the lower edge lies above the upper one", code="bad_condition")

    def edges(self) -> list[tuple[str, float]]:
        """Return the edges that are set, by their names."""
        return [(n, v) for n in ("ge", "gt", "le", "lt") if (v := getattr(self, n)) is not None]

    def parts(self) -> tuple[Condition, ...]:
        """Return the conditions that this one is made of."""
        return (*self.all, *self.any, *((self.negate,) if self.negate is not None else ()))

    def leaves(self) -> Iterator[Condition]:
        """Yield the conditions on columns, from left to right."""
        if self.column is not None:
            yield self
        for part in self.parts():
            yield from part.leaves()

    def columns(self) -> list[str]:
        """Return the columns it reads, each once."""
        return list(dict.fromkeys(leaf.column for leaf in self.leaves() if leaf.column))


@dataclass(frozen=True, kw_only=True)
class Rollup:
    """A fact of a household made of its members: `any`, `all`, or at least `at_least` of them.

    Unknown is not no: with a member unknown, `any` is true or unknown, never false.
    """

    name: str
    kind: Literal["any", "all", "count"]
    test: Condition
    at_least: int = 1
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Version:
    """A stretch of time in which the programme is described by one set of sources."""

    id: str
    valid_from: date
    valid_to: date | None = None
    title: str = ""
    source: str
    mark: Mark


@dataclass(frozen=True, kw_only=True)
class Dated:
    """What has an id, dates (both included), a switch, a source and a mark."""

    id: str
    valid_from: date
    valid_to: date | None = None
    enabled: bool = True
    source: str
    mark: Mark

    def __post_init__(self) -> None:
        if self.valid_to is not None and self.valid_to < self.valid_from:
            raise ModelError("valid_to: before valid_from", code="bad_dates")

    def covers(self, on: date) -> bool:
        """Whether the dates hold a day, switched on or not."""
        return self.valid_from <= on and (self.valid_to is None or on <= self.valid_to)

    def in_force(self, on: date) -> bool:
        """Whether it counts on a day."""
        return self.enabled and self.covers(on)


@dataclass(frozen=True, kw_only=True)
class Require(Dated):
    """A condition that must be true."""

    kind: Literal["require"] = "require"
    test: Condition
    text: str
    text_ur: str


@dataclass(frozen=True, kw_only=True)
class Exclude(Dated):
    """A filter: a condition that must be false."""

    kind: Literal["exclude"] = "exclude"
    test: Condition
    text: str
    text_ur: str


@dataclass(frozen=True, kw_only=True)
class Line(Dated):
    """A cut-off of a score; with `when`, for some households only.

    The poor side is the lower one; `side` says whether the value itself belongs to it. Without a
    `value` the line exists and its number is not known: households it holds for are undetermined.
    """

    value: float | None = None
    side: Literal["<", "<="]
    when: Condition | None = None
    text: str
    text_ur: str


@dataclass(frozen=True, kw_only=True)
class Cutoff(Dated):
    """A score under one of the lines that hold for the household."""

    kind: Literal["cutoff"] = "cutoff"
    column: str
    lines: tuple[Line, ...]
    text: str
    text_ur: str


Rule = Require | Exclude | Cutoff


@dataclass(frozen=True, kw_only=True)
class Amount(Dated):
    """Rupees a quarter, for those whom `when` describes; the first amount that holds counts.

    A `supplement` is paid on top. Without a `value` the amount exists and is not known.
    """

    value: int | None = None
    when: Condition | None = None
    supplement: bool = False
    text: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.value is not None and self.value < 0:
            raise ModelError("value: an amount is not negative", code="bad_amount")


@dataclass(frozen=True, kw_only=True)
class RankKey:
    """A column to rank by; lowest first unless `descending`."""

    column: str
    descending: bool = False


@dataclass(frozen=True, kw_only=True)
class Quota(Dated):
    """Places or money for some of the eligible only, in the order of `rank_by`.

    Give `places` (rows) or `budget` (rupees a quarter). Rows that tie on all of `rank_by` get in
    together or stay out together: `ties` says which when not all of them fit. Name a further column
    in `rank_by` to part them.
    """

    places: int | None = None
    budget: int | None = None
    rank_by: tuple[RankKey, ...]
    ties: Literal["include", "exclude"]
    per: str | None = None
    text: str = ""
    text_ur: str = ""

    def __post_init__(self) -> None:
        super().__post_init__()
        if (self.places is None) == (self.budget is None):
            raise ModelError("a quota has either places or budget", code="bad_quota")
        for name in ("places", "budget"):
            if type(getattr(self, name)) not in (int, type(None)):
                raise ModelError(f"{name}: expected a whole number", code="bad_quota")
        if self.ties not in ("include", "exclude"):
            raise ModelError("ties: expected 'include' or 'exclude'", code="bad_quota")
        if not self.rank_by:
            raise ModelError("rank_by: a quota needs a ranking", code="bad_quota")
        if (self.places or self.budget or 0) < 0:
            raise ModelError("a quota is not negative", code="bad_quota")


@dataclass(frozen=True, kw_only=True)
class Recipient:
    """Who of an eligible household may be paid."""

    test: Condition
    text: str
    text_ur: str
    source: str
    mark: Mark


@dataclass(frozen=True, kw_only=True)
class Unmodelled:
    """A fact in print that the file has no rule for, and why."""

    id: str
    text: str
    source: str
    mark: Mark


def rule_conditions(rule: Rule) -> list[Condition]:
    """Return the conditions in a rule, those of switched-off lines included."""
    if isinstance(rule, Cutoff):
        return [line.when for line in rule.lines if line.when is not None]
    return [rule.test]
