"""The plan of a linkage: what is compared, and which pairs are looked at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import polars as pl

from nser_pmt import _files
from nser_pmt._options import invalid
from nser_pmt.blocking import Rule, equal
from nser_pmt.compare import Comparison, _restored
from nser_pmt.errors import DomainError, ModelError

__all__ = ["LinkSpec", "load_link_spec"]

SCHEMA_VERSION = 1
# The core keeps the rules that make a pair in the bits of a machine word.
_MOST_RULES = 64


@dataclass(frozen=True, kw_only=True)
class LinkSpec:
    """A plan for finding the same persons in one frame or in two.

    Parameters
    ----------
    compare
        Comparisons, made by the functions of `nser_pmt.compare`.
    block_on
        Blocking rules: lists of keys that must all agree (column names or row-wise Polars
        expressions), or what the functions of `nser_pmt.blocking` make. A pair counts for the first
        rule that makes it.
    prior
        Chance that two rows drawn at random match; None until learned.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> import polars as pl
    >>> spec = nser.LinkSpec(
    ...     compare=[
    ...         nser.compare.cnic("cnic"),
    ...         nser.compare.name("name"),
    ...         nser.compare.date("birth_date"),
    ...     ],
    ...     block_on=[
    ...         nser.blocking.cnic_within("cnic"),
    ...         ["birth_date", nser.names.key("name")],
    ...     ],
    ... )
    >>> nser.LinkSpec.from_json(spec.to_json()) == spec
    True
    """

    compare: Sequence[Comparison]
    block_on: Sequence[Rule | Sequence[str | pl.Expr]]
    prior: float | None = None

    def __post_init__(self) -> None:
        rules = []
        if isinstance(self.compare, Comparison) or not all(
            isinstance(c, Comparison) for c in self.compare
        ):
            raise invalid("compare is a list of what the functions of nser_pmt.compare make")
        for rule in self.block_on:
            if isinstance(rule, str):
                raise invalid("a rule is a list of keys, such as ['cnic']")
            rules.append(rule if isinstance(rule, Rule) else equal(*rule))
        object.__setattr__(self, "compare", tuple(self.compare))
        object.__setattr__(self, "block_on", tuple(rules))
        labels = [comparison.label for comparison in self.compare]
        if not labels or not rules:
            raise invalid("a plan needs a comparison and a blocking rule")
        if len(rules) > _MOST_RULES:
            raise invalid(f"a plan has at most {_MOST_RULES} blocking rules")
        twice = sorted({label for label in labels if labels.count(label) > 1})
        if twice:
            raise invalid(f"two comparisons are called '{twice[0]}'; give one a label")
        if all(comparison.kind == "expr" for comparison in self.compare):
            raise invalid("a plan needs a comparison that is not an expression")
        if self.prior is not None and not 0 < self.prior < 1:
            raise invalid("prior must be between 0 and 1")

    @property
    def rules(self) -> tuple[Rule, ...]:
        """The blocking rules."""
        return tuple(rule for rule in self.block_on if isinstance(rule, Rule))

    @property
    def learned(self) -> bool:
        """Whether the plan has all chances that weights need."""
        chances = all(c.m is not None and c.u is not None for c in self.compare)
        return chances and self.prior is not None

    def to_json(self) -> str:
        """Return the plan as JSON. Polars expressions are kept in Polars' own form."""
        data = {
            "schema_version": SCHEMA_VERSION,
            "prior": self.prior,
            "compare": [comparison._to_json() for comparison in self.compare],
            "block_on": [rule._to_json() for rule in self.rules],
        }
        return json.dumps(data, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> LinkSpec:
        """Return the plan that `to_json` wrote.

        Raises
        ------
        ModelError
            Not such a text, or from another version of the format.
        """
        try:
            data = json.loads(text)
            version = data["schema_version"]
        except (ValueError, TypeError, KeyError):
            raise ModelError("not a link spec: no schema_version", code="invalid_spec") from None
        if version != SCHEMA_VERSION:
            raise ModelError(
                f"link spec of version {version}; this version reads {SCHEMA_VERSION}",
                code="spec_version",
                hint="Make it anew, or use the version of nser_pmt that wrote it",
            )
        unknown = sorted(set(data) - {"schema_version", "prior", "compare", "block_on"})
        if unknown:
            raise ModelError(f"link spec: unknown key '{unknown[0]}'", code="invalid_spec")
        try:
            return cls(
                compare=[_comparison(item) for item in data["compare"]],
                block_on=[Rule._from_json(item) for item in data["block_on"]],
                prior=data["prior"],
            )
        except (
            KeyError,
            TypeError,
            AttributeError,
            ValueError,
            pl.exceptions.PolarsError,
        ) as fault:
            raise ModelError(f"link spec: {_reason(fault)}", code="invalid_spec") from None

    def save(self, path: str | Path) -> None:
        """Write the plan to a JSON file, all or nothing."""
        _files.write_text(Path(path), self.to_json())

    def replace(self, **changes: Any) -> LinkSpec:
        """Return the plan with other fields."""
        return replace(self, **changes)


def load_link_spec(path: str | Path) -> LinkSpec:
    """Read the plan that `LinkSpec.save` wrote.

    Returns
    -------
    LinkSpec
        With the chances, if it was learned.

    Raises
    ------
    ModelError
        Not such a file, or from another version of the format.

    Examples
    --------
    >>> import tempfile, nser_pmt as nser
    >>> spec = nser.LinkSpec(compare=[nser.compare.cnic("cnic")], block_on=[["cnic"]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     spec.save(f"{folder}/plan.json")
    ...     nser.load_link_spec(f"{folder}/plan.json") == spec
    True
    """
    try:
        text = Path(path).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ModelError("not a link spec: not UTF-8 text", code="invalid_spec") from None
    return LinkSpec.from_json(text)


_KEYS = {"kind", "column", "label", "levels", "options", "frequency", "m", "u"}


def _comparison(item: dict[str, Any]) -> Comparison:
    unknown = sorted(item.keys() - _KEYS)
    if unknown:
        raise KeyError(unknown[0])
    return _restored(item)


def _reason(fault: Exception) -> str:
    """Return what is wrong; names of keys and types are no data."""
    if isinstance(fault, KeyError):
        return f"missing or unknown key {fault}"
    return str(fault) if isinstance(fault, DomainError) else type(fault).__name__
