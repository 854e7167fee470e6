"""Blocking rules for the columns of a registry that do not make too many pairs."""

from __future__ import annotations

import polars as pl

from nser_pmt import blocking, cnic, names
from nser_pmt.blocking import Rule
from nser_pmt.errors import DomainError
from nser_pmt.linkage._column_reading import NAMES
from nser_pmt.linkage._proposal_fields import Fields
from nser_pmt.linkage.link_spec import LinkSpec
from nser_pmt.linkage.linking import count_pairs

__all__ = ["Reason", "Rules"]

Reason = tuple[str, str, str, str]
"""Part, what, why, to check."""

# Candidate pairs of one rule for each row, and rows of a block, that are not too many.
_PAIRS_A_ROW = 100
_LARGE_BLOCK = 5000
_CAPS = (5000, 2000, 1000, 500, 200, 100, 50)
# A cap that leaves fewer than this share of the rows is no rule.
_LEAST_KEPT = 0.5
# A column to sort by must agree by chance less often than this.
_RARE = 0.01

_RULES = (
    ("cnic",),
    ("number",),
    ("name", "birth"),
    ("surname", "birth"),
    ("given", "birth"),
    ("father", "birth"),
    ("birth", "district"),
    ("name", "father"),
    ("given", "surname"),
)
# Only where there is no full date of birth.
_WITHOUT_BIRTH = (
    ("name", "birth_year"),
    ("name", "district"),
    ("father", "district"),
    ("name", "tehsil"),
    ("name", "phone"),
)


def _wanted(roles: set[str]) -> list[tuple[str, ...]]:
    rules = _RULES if "birth" in roles else (*_RULES, *_WITHOUT_BIRTH)
    return [rule for rule in rules if roles.issuperset(rule)]


class Rules:
    """Makes the rules, and reckons from a sample how many pairs they make."""

    def __init__(self, fields: Fields) -> None:
        self.known = fields
        self.fields = fields.of
        self.table = fields.table
        self.rows = fields.rows
        self.scale = fields.rows / fields.table.height
        self.refused: list[str] = []

    def made(self) -> tuple[list[Rule], list[Reason]]:
        """Return rules that are not too large, each with its reason."""
        found: list[tuple[Rule, str]] = []
        for roles in _wanted(set(self.fields)):
            made = self._rule(roles)
            if made is not None:
                found.append(made)
        if not found:
            found = self._neighbours()
        numbered = self.table.drop("__row", strict=False).with_row_index("__row")
        spec = LinkSpec(
            compare=[next(iter(self.fields.values())).comparison],
            block_on=[self._shrunk(rule) for rule, _ in found],
        )
        counts = count_pairs(numbered, spec, id="__row")
        lines: list[Reason] = []
        pairs_of = counts.select("pairs", "new_pairs", "dropped_rows").iter_rows()
        for (rule, check), (pairs, new, dropped) in zip(found, pairs_of, strict=True):
            reckoned, fresh = pairs * self.scale**2, new * self.scale**2
            why = f"about {reckoned:,.0f} pairs in all, {fresh:,.0f} that no earlier rule makes"
            checks = [check] if check else []
            if dropped:
                share = dropped / self.table.height
                checks.append(f"the cap leaves out blocks with {share:.1%} of the rows")
            lines.append(("rule", self._words(rule), why, "; ".join(checks)))
        rules = [rule for rule, _ in found]
        for field in self.fields.values():
            others = {f.column for f in self.fields.values()} - {field.column}
            if not any(field.column not in r.columns and others - r.columns for r in rules):
                lines.append(
                    (
                        "rule",
                        f"(none without {field.column})",
                        f"{field.column} cannot be learned without a rule of other columns",
                        "give it m with with_chances, or add a rule",
                    )
                )
        return rules, lines

    def _words(self, rule: Rule) -> str:
        names_ = {str(names.key(f.column)): f"key of {f.column}" for f in self.fields.values()}
        if rule.kind != "equal":
            return f"{rule.kind}({', '.join(names_.get(str(e), k) for k, e in _keys(rule))})"
        words = ", ".join(names_.get(str(expr), key) for key, expr in _keys(rule))
        return words if rule.max_block is None else f"{words}, blocks of at most {rule.max_block:,}"

    def _rule(self, roles: tuple[str, ...]) -> tuple[Rule, str] | None:
        if roles == ("cnic",):
            return self._number_rule()
        keys = [self.known.key(role) for role in roles]
        check = ""
        pairs, largest = self._blocks(keys, None)
        refined = "district" in self.fields and "district" not in roles and len(roles) > 1
        if self._too_many(pairs, largest) and refined:
            keys.append(self.known.key("district"))
            check = "too many pairs without the district: who has moved is missed"
            pairs, largest = self._blocks(keys, None)
        cap = None
        if self._too_many(pairs, largest):
            whole, every = pairs, self._kept(keys, None)
            for cap in _CAPS:
                pairs, _ = self._blocks(keys, cap)
                if not self._too_many(pairs, 0):
                    break
            if self._too_many(pairs, 0) or self._kept(keys, cap) < _LEAST_KEPT * every:
                shown = ", ".join(self.fields[role].column for role in roles)
                self.refused.append(f"rule {shown}: about {whole:,.0f} pairs, too many to look at")
                return None
            text = (
                f"the largest block may have {largest:,.0f} rows: those above {cap:,} are left out"
            )
            check = "; ".join(filter(None, [check, text]))
        plain = [self.fields[r].column if r not in NAMES else self.known.key(r) for r in roles]
        if len(keys) > len(roles):
            plain.append(self.fields["district"].column)
        return blocking.equal(*plain, max_block=cap), check

    def _number_rule(self) -> tuple[Rule, str] | None:
        """Equal numbers and those within one error, unless some are shared by very many."""
        column = self.fields["cnic"].column
        number = cnic.parse(column).struct.field("number")
        pairs, largest = self._blocks([number], None)
        if not self._too_many(pairs, largest):
            return blocking.cnic_within(column), ""
        self.refused.append(
            f"rule cnic_within({column}): one number has about {largest:,.0f} rows; set it to null"
        )
        return blocking.equal(column, max_block=100), "numbers with more than 100 rows are left out"

    def _neighbours(self) -> list[tuple[Rule, str]]:
        """Two sorted orders, so that each column can be learned in one that is not its own."""
        rare = sorted(
            (f for f in self.fields.values() if f.agreement < _RARE),
            key=lambda f: (f.agreement, f.column),
        )[:2]
        if len(rare) < 2 or len(self.fields) < 3:
            raise DomainError(
                "every blocking rule makes too many pairs or none",
                code="no_rule",
                hint="Add a column that most persons do not share, such as a date of birth",
            )
        check = "looks at neighbours in one sorted order: an error in the first letters is missed"
        return [(blocking.neighbours(f.column, window=10), check) for f in rare]

    def _too_many(self, pairs: float, largest: float) -> bool:
        return pairs > max(_PAIRS_A_ROW * self.rows, 1e6) or largest > _LARGE_BLOCK

    def _blocks(self, keys: list[pl.Expr], cap: int | None) -> tuple[float, float]:
        """Return the pairs of a rule and the rows of its largest block, in the whole frame."""
        size = self._sizes(keys, cap)
        pairs = float((size * (size - 1)).sum()) / 2 * self.scale**2
        return pairs, float(size.max() or 0) * self.scale  # type: ignore[arg-type]

    def _kept(self, keys: list[pl.Expr], cap: int | None) -> float:
        return float(self._sizes(keys, cap).sum())

    def _sizes(self, keys: list[pl.Expr], cap: int | None) -> pl.Series:
        """Return the sizes of the blocks in the sample that a cap leaves."""
        columns = [key.alias(f"key_{n}") for n, key in enumerate(keys)]
        blocks = self.table.select(columns).drop_nulls().group_by(pl.all()).agg(size=pl.len())
        size = blocks.get_column("size").cast(pl.Float64)
        return size if cap is None else size.filter(size * self.scale <= cap)

    def _shrunk(self, rule: Rule) -> Rule:
        """Return a rule with the cap that fits the sample."""
        if rule.max_block is None:
            return rule
        keys = [e if c else k for (k, e), c in zip(_keys(rule), rule.expressions, strict=True)]
        return blocking.equal(*keys, max_block=max(2, round(rule.max_block / self.scale)))


def _keys(rule: Rule) -> list[tuple[str, pl.Expr]]:
    return list(zip(rule.keys, rule.exprs(), strict=True))
