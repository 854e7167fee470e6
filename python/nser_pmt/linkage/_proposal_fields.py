"""Columns of a registry that are of use for finding duplicates, and why the others are not."""

from __future__ import annotations

from dataclasses import dataclass
from math import log2

import polars as pl

from nser_pmt import names
from nser_pmt.compare import Comparison
from nser_pmt.linkage._column_reading import NAMES, agreement, read_column, share_of_cnics
from nser_pmt.linkage._roles import role_of

__all__ = ["PERSONAL", "Field", "Fields"]

# Chance of agreement of a match, guessed before anything is learned.
_M = 0.9
# Of pairs that agree on a number or an address, the share that must agree on a name or birth date.
_OWN = 0.5
_FEW_PAIRS = 20
# Columns that nearly every row agrees on say nothing.
_CONSTANT = 0.9

_ORDER = (
    *("cnic", "number", "name", "given", "surname", "father", "mother", "birth", "birth_year"),
    *("sex", "phone", "district", "tehsil", "province", "village", "postcode", "address"),
)
PERSONAL = ("cnic", "number", "name", "given", "surname", "father", "mother", "birth", "phone")
# The first of each pair is left out if both are there.
_INSIDE = (
    ("given", "name"),
    ("surname", "name"),
    ("number", "cnic"),
    ("birth_year", "birth"),
    ("tehsil", "district"),
    ("province", "district"),
    ("province", "tehsil"),
    ("village", "district"),
    ("village", "tehsil"),
    ("postcode", "district"),
)
_CHECKS = {
    "cnic": ("that it is each person's own and not the head's",),
    "father": ("brothers share it, and a wife may have her husband's here",),
    "mother": ("brothers and sisters share it",),
    "phone": ("that it is the person's own",),
}


@dataclass(frozen=True, kw_only=True)
class Field:
    """A column that is of use."""

    column: str
    role: str
    comparison: Comparison
    agreement: float
    filled: float
    why: str
    check: str = ""

    @property
    def evidence(self) -> float:
        """Bits of agreement, less what is missing."""
        return self.filled**2 * log2(_M / self.agreement)


class Fields:
    """Takes the columns of a sample that are of use."""

    def __init__(self, table: pl.DataFrame, rows: int, id: str | None) -> None:
        self.table = table
        self.rows = rows
        self.refused: list[str] = []
        self.of: dict[str, Field] = {}
        self._read_columns(id)
        self._leave_out_repeats()

    def key(self, role: str) -> pl.Expr:
        """Return what rows of one person agree on."""
        column = self.of[role].column
        return names.key(column) if role in NAMES else pl.col(column)

    def _read_columns(self, id: str | None) -> None:
        """Take the best column of each role."""
        found: dict[str, list[Field]] = {}
        for column in self.table.columns:
            if column == id:
                continue
            series = self.table.get_column(column)
            role = self._role(series)
            if role in ("other", "household"):
                why = "members share it" if role == "household" else "its name says nothing known"
                self.refused.append(
                    f"{column}: {why}; compare it if it is a person's own and lasts"
                )
                continue
            field = self._field(series, role)
            if field is not None:
                found.setdefault(field.role, []).append(field)
        for role in _ORDER:
            same = sorted(found.get(role, []), key=lambda f: (-f.filled, f.agreement, f.column))
            for field in same[1:]:
                self.refused.append(
                    f"{field.column}: says the same as {same[0].column}; both would count it twice"
                )
            if same:
                self.of[role] = same[0]

    def _role(self, series: pl.Series) -> str:
        role = role_of(series.name)
        texts = (pl.String, pl.Enum, pl.Categorical)
        readable = isinstance(series.dtype, texts) or series.dtype.is_integer()
        if role == "number" and readable and share_of_cnics(series) >= 0.5:
            return "cnic"
        return role

    def _field(self, series: pl.Series, role: str) -> Field | None:
        made = read_column(series, role)
        if isinstance(made, str):
            self.refused.append(f"{series.name}: {made}")
            return None
        values, comparison, checks = made
        chance, filled, top = agreement(values, self.rows)
        if filled == 0:
            self.refused.append(f"{series.name}: every value is missing")
            return None
        if chance > _CONSTANT:
            self.refused.append(f"{series.name}: nearly every row has one value")
            return None
        why = f"two rows agree by chance {_chance(chance)}"
        if filled < 1:
            checks.append(f"{1 - filled:.1%} missing")
        if top >= 0.02 and role in PERSONAL:
            checks.append(f"one value fills {top:.1%}: if it is a dummy, set it to null")
        return Field(
            column=series.name,
            role=role,
            comparison=comparison,
            agreement=chance,
            filled=filled,
            why=why,
            check="; ".join([*checks, *_CHECKS.get(role, ())]),
        )

    def _leave_out_repeats(self) -> None:
        """Leave out what lies within something else, and what a household shares."""
        fields = self.of
        for inner, outer in _INSIDE:
            if inner in fields and outer in fields:
                column = fields.pop(inner).column
                other = fields[outer].column
                self.refused.append(f"{column}: goes with {other}; both would count it twice")
        own: list[str] = [r for r in ("name", "surname", "given", "birth") if r in fields]
        for role in ("phone", "address", "postcode", "village"):
            if role not in fields:
                continue
            share, pairs = self._own(fields[role].column, own)
            if share < _OWN or pairs < _FEW_PAIRS:
                column = fields.pop(role).column
                if pairs < _FEW_PAIRS:
                    text = (
                        "too few rows agree on it to say whether it is a person's or a household's"
                    )
                else:
                    text = (
                        f"only {share:.0%} of the pairs that agree on it agree on a name or a "
                        "birth date too: a household or a place shares it"
                    )
                self.refused.append(f"{column}: {text}")

    def _own(self, column: str, roles: list[str]) -> tuple[float, int]:
        """Share of the pairs that agree on a column and on a field of the person, and the pairs."""
        keys = [self.key(role).alias(role) for role in roles]
        table = self.table.select(pl.col(column).alias("shared"), *keys).drop_nulls("shared")
        sizes = pl.len().over("shared")
        table = table.filter((sizes > 1) & (sizes <= 20)).with_row_index("row")
        pairs = table.join(table, on="shared", suffix="_right")
        pairs = pairs.filter(pl.col("row") < pl.col("row_right"))
        if pairs.height == 0 or not roles:
            return 0.0, pairs.height
        same = pl.any_horizontal(
            *((pl.col(r) == pl.col(f"{r}_right")).fill_null(False) for r in roles)
        )
        return float(pairs.select(same.mean()).item()), pairs.height


def _chance(agreement: float) -> str:
    if agreement > 0.01:
        return f"{agreement:.0%} of the time"
    return f"once in {1 / agreement:,.0f}"
