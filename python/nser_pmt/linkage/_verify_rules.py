"""What `verify` says of a registry row: from match codes to a reason, and from it to a verdict."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from nser_pmt._options import invalid

__all__ = [
    "REASONS",
    "VERDICTS",
    "VerifyRules",
    "by_number",
    "invalid_number",
    "name_agrees",
    "states",
    "supported",
    "verdict",
]

_BY_VERDICT = {
    "confirmed": ("all_agree",),
    "minor_variation": (
        "name_varies",
        "father_or_husband_varies",
        "birth_date_varies",
        "several_vary",
        "name_missing",
        "name_one_slip",
        "father_or_husband_differs",
        "birth_date_differs",
        "sex_differs",
        "number_one_error",
    ),
    "conflicting": ("name_differs", "number_of_relative", "number_of_another", "others_differ"),
    "not_found": ("number_unknown",),
    "invalid_cnic": (
        "number_missing",
        "number_dummy",
        "number_malformed",
        "number_of_other_kind",
    ),
    "ambiguous": (
        "too_little_given",
        "evidence_divided",
        "name_differs_only",
        "number_shared",
        "number_held_twice",
        "several_citizens",
    ),
}
VERDICTS = pl.Enum(list(_BY_VERDICT))
REASONS = pl.Enum([reason for reasons in _BY_VERDICT.values() for reason in reasons])
_VERDICT_OF = {reason: v for v, reasons in _BY_VERDICT.items() for reason in reasons}

_KINDS = {
    "missing": "number_missing",
    "dummy": "number_dummy",
    "malformed": "number_malformed",
    "truncated": "number_malformed",
    "multiple": "number_malformed",
    "old_nic": "number_of_other_kind",
    "passport": "number_of_other_kind",
    "foreign_id": "number_of_other_kind",
    "phone": "number_of_other_kind",
}


@dataclass(frozen=True, kw_only=True)
class VerifyRules:
    """Limits of `verify`.

    Parameters
    ----------
    name_agrees
        Least `nser_pmt.names.similarity` of a name that agrees without being ``exact``.
    name_varies
        Least similarity of a name that varies and is not another's.
    birth_years
        Birth dates at most so many years apart vary; further apart they contradict each other.
    weight
        Least match weight (log2 odds) of a citizen found by search. 7 is a chance of 99.2 %.
    margin
        How much more weight the best citizen found needs than the next.
    max_block
        Most citizens that one key of the search may have; keys of more are not looked at.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.VerifyRules(margin=10.0).margin
    10.0
    """

    name_agrees: float = 0.75
    name_varies: float = 0.5
    birth_years: int = 3
    weight: float = 7.0
    margin: float = 5.0
    max_block: int = 500

    def __post_init__(self) -> None:
        if not 0 <= self.name_varies <= self.name_agrees <= 1:
            raise invalid("0 <= name_varies <= name_agrees <= 1 must hold")
        if not (isinstance(self.birth_years, int) and self.birth_years >= 0):
            raise invalid("birth_years must be a whole number, 0 or more")
        if not -1e6 < self.weight < 1e6 or not 0 <= self.margin < 1e6:
            raise invalid("weight must be finite, and margin 0 or more")
        if not (isinstance(self.max_block, int) and self.max_block >= 1):
            raise invalid("max_block must be at least 1")


def _state(code: pl.Expr, agrees: pl.Expr, differs: pl.Expr) -> pl.Expr:
    """Return 1 where a field agrees, -1 where it contradicts, 0 between; null stays."""
    known = pl.when(agrees).then(1).when(differs).then(-1).otherwise(0)
    return pl.when(code.is_not_null()).then(known.cast(pl.Int8))


def _name_state(code: str, similarity: str, rules: VerifyRules) -> pl.Expr:
    match, alike = pl.col(code).cast(pl.String), pl.col(similarity)
    codes = ["spelling_variant", "cross_script", "optional_missing", "reordered"]
    agrees = (match == "exact") | (match.is_in(codes) & (alike >= rules.name_agrees))
    return _state(match, agrees, (match == "different") | (alike < rules.name_varies))


def _names(rules: VerifyRules) -> tuple[pl.Expr, pl.Expr]:
    """Return the states of the name and of the father's or husband's."""
    name = _name_state("match_name", "name_similarity", rules)
    other = _name_state("match_father_or_husband", "father_or_husband_similarity", rules)
    name = pl.when(name.eq(-1) & pl.col("name_taken")).then(0).otherwise(name)
    return name, pl.when(other.eq(-1) & pl.col("relative_slip")).then(0).otherwise(other)


def _states(rules: VerifyRules) -> tuple[pl.Expr, pl.Expr, pl.Expr, pl.Expr]:
    """Return the state of the name; how many others support, vary, and contradict."""
    name, other = _names(rules)
    born = pl.col("match_birth_date").cast(pl.String)
    sex = pl.col("match_sex").cast(pl.String) == "different"
    slips = ["exact", "day_month_swap", "one_slip", "first_january"]
    support = _count(other == 1, born.is_in(slips))
    vary = _count(other == 0, born.is_in([*slips[1:], "near"]))
    return name, support, vary, _count(other == -1, born == "different", sex)


def _count(*tests: pl.Expr) -> pl.Expr:
    return pl.sum_horizontal(test.fill_null(False).cast(pl.Int8) for test in tests)


def states(rules: VerifyRules) -> dict[str, pl.Expr]:
    """Return the columns that `by_number` reads: worked out once, as its tests share them."""
    name, support, vary, against = _states(rules)
    _, other = _names(rules)
    return {
        "state_name": name,
        "state_other": other,
        "state_support": support,
        "state_vary": vary,
        "state_against": against,
    }


def by_number(rules: VerifyRules) -> pl.Expr:
    """Return the reason for a row whose number one citizen holds, from its `states`."""
    name, other = pl.col("state_name"), pl.col("state_other")
    support, vary = pl.col("state_support"), pl.col("state_vary")
    against = pl.col("state_against")
    born = pl.col("match_birth_date").cast(pl.String)
    small = (against == 0) & (vary > 0)
    one = (against == 1) & (support >= 1)
    near = (born == "near").fill_null(False)
    chain = {
        # The name agrees.
        "all_agree": (name == 1) & (against == 0) & (vary == 0),
        "father_or_husband_varies": (name == 1) & small & (vary == 1) & (other == 0),
        "birth_date_varies": (name == 1) & small & (vary == 1),
        "sex_differs": (name == 1) & one & (pl.col("match_sex").cast(pl.String) == "different"),
        "father_or_husband_differs": (name == 1) & one & (other == -1),
        "birth_date_differs": (name == 1) & one & (born == "different"),
        # It varies, or is not given.
        "name_varies": (name == 0) & (against == 0) & (support >= 1) & (vary == 0),
        "several_vary": (name >= 0) & small & (support >= 1) & ((name == 1) | ~near),
        "name_missing": name.is_null() & (against == 0) & (support == 2),
        "too_little_given": (name.is_null() | ((name == 0) & ~(near & (support >= 1))))
        & (against == 0),
        # It is another's.
        "name_differs_only": (name == -1) & (against == 0) & (support == 2),
        "number_of_relative": (name == -1) & (pl.col("of_relative") >= rules.name_agrees),
        "name_differs": name == -1,
        # More than one thing contradicts, or one and nothing supports; brothers and sisters.
        "evidence_divided": ((name == 1) & ((support >= 1) | (against <= 1)))
        | ((support >= 1) & (against <= 1)),
    }
    reason = pl.coalesce(pl.when(test).then(pl.lit(slug, REASONS)) for slug, test in chain.items())
    return reason.fill_null("others_differ")


def invalid_number(kind: pl.Expr) -> pl.Expr:
    """Return the reason for what is no number; null where it is one."""
    return kind.cast(pl.String).replace_strict(_KINDS, default=None, return_dtype=REASONS)


def supported(rules: VerifyRules) -> pl.Expr:
    """Whether name, father and birth date support a citizen that was found by search."""
    name, support, _, against = _states(rules)
    enough = ((name == 1) & (support >= 1)) | ((name == 0) & (support == 2))
    # The sex alone may be a slip, when all the rest agrees.
    sex = pl.col("match_sex").cast(pl.String) == "different"
    slip = (name == 1) & (support == 2) & (against == 1) & sex
    return ((enough & (against == 0)) | slip).fill_null(False)


def name_agrees(rules: VerifyRules) -> pl.Expr:
    """Whether the name agrees."""
    return (_name_state("match_name", "name_similarity", rules) == 1).fill_null(False)


def verdict(reason: pl.Expr) -> pl.Expr:
    """Return the verdict that a reason belongs to."""
    return reason.cast(pl.String).replace_strict(_VERDICT_OF, return_dtype=VERDICTS)
