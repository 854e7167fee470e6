"""A first plan for a frame, with the reason for each line: `propose_spec`."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from math import log2
from random import Random

import polars as pl

from nser_pmt._options import invalid
from nser_pmt.errors import DomainError
from nser_pmt.linkage._proposal_fields import PERSONAL, Field, Fields
from nser_pmt.linkage._proposal_rules import Rules
from nser_pmt.linkage.link_spec import LinkSpec
from nser_pmt.scoring.model import missing_column

__all__ = ["Proposal", "propose_spec"]

# A column of which two strangers agree less often than this tells persons apart.
_STABLE = 1e-3
# Bits beyond the odds against a match that full agreement must reach: 99 to 1.
_ROOM = log2(99)
# One match for so many rows is what the odds are reckoned with.
_ROWS_A_MATCH = 10


@dataclass(frozen=True, kw_only=True, repr=False)
class Proposal:
    """What `propose_spec` found.

    Attributes
    ----------
    spec
        The plan; `learn` it before use.
    reasons
        One row for each line of the plan, in order: ``part`` (``comparison`` or ``rule``),
        ``what``, ``why`` and ``to_check``. No value of the frame is in it.
    refused
        What was left out, and why.
    evidence, needed
        Weight that agreement on everything may reach, less what is missing, and the weight that a
        match needs: log2.
    """

    spec: LinkSpec
    reasons: pl.DataFrame
    refused: tuple[str, ...]
    evidence: float
    needed: float

    def __repr__(self) -> str:
        lines = [
            f"Proposal: {len(self.spec.compare)} comparisons, {len(self.spec.rules)} rules, "
            f"{self.evidence:.0f} bits of evidence where {self.needed:.0f} are needed"
        ]
        for part, what, why, check in self.reasons.iter_rows():
            lines.append(f"  {part} {what}: {why}")
            lines += [f"    check: {check}"] if check else []
        lines += [f"  left out: {text}" for text in self.refused]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"


def propose_spec(
    frame: pl.DataFrame | pl.LazyFrame,
    *,
    id: str | None = None,
    sample: int = 100_000,
    seed: int = 1,
) -> Proposal:
    """Propose a first plan for finding duplicates, or say why there can be none.

    Parameters
    ----------
    frame
        Records of persons. Columns are known by their names, in English or Roman Urdu (``cnic``,
        ``naam``, ``walid``, ``dob``, ``zila`` ...), and by what is in them. A LazyFrame is
        collected.
    id
        Column of ids. With it the sample, and so the plan, does not depend on the order of rows.
    sample
        Most rows that are looked at.
    seed
        Which rows those are.

    Returns
    -------
    Proposal
        The plan, the reason for each of its lines, and what to check. It is not learned.

    Raises
    ------
    DomainError
        The data cannot carry a plan. Codes: ``too_few_rows``, ``one_field`` (fewer
        than two columns to compare),
        ``no_stable_key`` (nothing that tells persons apart), ``weak_evidence`` (agreement on
        everything would not outweigh the odds against), ``no_rule`` (every way of making pairs
        makes too many). The message says what would help.
    SchemaError
        `id` is missing.

    Notes
    -----
    The plan is cautious: of columns that say the same thing, such as a district and its tehsil or a
    name in two scripts, it takes one; what a household shares is left out, unless most pairs that
    agree on it agree on a name or a birth date too. A column stands for at most
    ``log2(0.9 / u)`` bits, where u is the chance that two rows agree, and its nulls are taken off.
    Agreement on everything must reach the odds of one match for ten rows, and 99 to 1 beyond.
    Candidate pairs grow with the square of the rows, and are reckoned so from the sample: a rule
    of more than a hundred pairs a row gets another key, a cap on its blocks, or is left out.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> people = nser.synth.people(20_000, seed=1).records
    >>> proposal = nser.propose_spec(people, id="id")
    >>> proposal.reasons.select("part", "what").rows()[:3]
    [('comparison', 'cnic'), ('comparison', 'name'), ('comparison', 'father_name')]
    >>> [rule.kind for rule in proposal.spec.rules]
    ['cnic_within', 'equal', 'equal', 'equal', 'equal']
    >>> try:
    ...     nser.propose_spec(people.select("id", "name", "district"), id="id")
    ... except nser.DomainError as error:
    ...     print(error.code)
    weak_evidence
    """
    if sample < 100:
        raise invalid("sample must be at least 100")
    table = frame.lazy().collect()
    if id is not None and id not in table.columns:
        raise missing_column(id, table.columns)
    rows = table.height
    if rows < 2:
        raise DomainError("a plan needs at least two rows", code="too_few_rows")
    known = Fields(_sampled(table, id, sample, seed), rows, id)
    fields = list(known.of.values())
    needed = log2(_ROWS_A_MATCH * rows / 2) + _ROOM
    evidence = sum(max(0.0, f.evidence) for f in fields)
    _check(fields, rows, evidence, needed)
    rules = Rules(known)
    block_on, why = rules.made()
    lines = [("comparison", f.comparison.label, f.why, f.check) for f in fields] + why
    schema = dict.fromkeys(("part", "what", "why", "to_check"), pl.String)
    return Proposal(
        spec=LinkSpec(compare=[f.comparison for f in fields], block_on=block_on),
        reasons=pl.DataFrame(lines, schema, orient="row"),
        refused=(*known.refused, *rules.refused),
        evidence=evidence,
        needed=needed,
    )


def _sampled(table: pl.DataFrame, id: str | None, sample: int, seed: int) -> pl.DataFrame:
    if table.height <= sample:
        return table
    chosen = sorted(Random(seed).sample(range(table.height), sample))
    if id is not None:
        order = table.select(pl.arg_sort_by(id)).to_series()
        return table[order.gather(chosen)]
    return table[chosen]


def _check(fields: list[Field], rows: int, evidence: float, needed: float) -> None:
    """Refuse what cannot be carried."""
    if len(fields) < 2:
        raise DomainError(
            f"{'one' if fields else 'no'} column can be compared: one field finds namesakes, not "
            "persons",
            code="one_field",
            hint="Give columns such as cnic, name, father_name, birth_date, sex and district; "
            "rename those that have other names",
        )
    if not any(f.role in PERSONAL and f.agreement < _STABLE for f in fields):
        raise DomainError(
            "no column tells persons apart: two rows agree by chance more often than once in "
            f"{1 / _STABLE:,.0f} on each",
            code="no_stable_key",
            hint="Add an identity number, a full name, or a full date of birth",
        )
    if evidence < needed:
        raise DomainError(
            f"agreement on every column is worth {evidence:.0f} bits, and a match among "
            f"{rows:,} rows needs {needed:.0f}",
            code="weak_evidence",
            hint="Add a column that says something else, such as the father's name, the date "
            "of birth or an identity number, or link within smaller areas",
        )
