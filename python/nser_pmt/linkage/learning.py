"""Learn how often matches and others agree, without labels: `learn`."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from math import log2
from typing import Any

import polars as pl

from nser_pmt import _native
from nser_pmt._options import invalid
from nser_pmt.compare import Comparison
from nser_pmt.control import RunControl
from nser_pmt.errors import ConvergenceError
from nser_pmt.linkage._expressions import columns_of
from nser_pmt.linkage._labels import true_pairs
from nser_pmt.linkage._linkage import Prepared, level_weights, prepare
from nser_pmt.linkage._patterns import (
    Pattern,
    at_random,
    counts,
    levels_of_pairs,
    of_candidates,
    together,
)
from nser_pmt.linkage.link_spec import LinkSpec
from nser_pmt.linkage.linking import Frame, arguments

__all__ = ["Learned", "learn"]

# Chances of exact agreement among matches that a search begins with; the rest is shared out.
_STARTS = (0.9, 0.7, 0.5)
_CHANGE = 1e-5
_ROUNDS = 500
# Times that u, the sessions and the prior are brought in line with each other.
_PASSES = 3
# A session with fewer matches than this says nothing.
_FEW = 10.0
# Rows that u of numbers is reckoned with at least.
_FEWEST = 100
# Pairs added to every level, so that none is impossible.
_HALF = 0.5


@dataclass(frozen=True, kw_only=True)
class Learned:
    """What `learn` found.

    Attributes
    ----------
    spec
        The plan with all chances: what `link` takes.
    table
        One row for each level: ``comparison``, ``level``, ``m``, ``u`` (Float64), ``weight``
        (log2(m / u)), ``m_source`` and ``u_source``: where the number comes from.
    patterns
        Patterns of agreement among the candidates: ``level_<comparison>``, ``pairs`` (Float64;
        expected in the whole set when a sample was looked at), ``match_weight`` without term
        frequencies, and ``match_probability``.
    sessions
        One row for each search: ``rule``, ``pairs`` looked at, ``start``, ``matching`` (share that
        matches), ``rounds``, ``change`` (the last), ``likelihood``, ``chosen``.
    warnings
        What to look at before the plan is used.
    """

    spec: LinkSpec
    table: pl.DataFrame
    patterns: pl.DataFrame
    sessions: pl.DataFrame
    warnings: tuple[str, ...] = field(default=())

    @property
    def expected_matches(self) -> float:
        """Expected number of matches among the candidates."""
        p = self.patterns
        return float((p.get_column("pairs") * p.get_column("match_probability")).sum())

    def __repr__(self) -> str:
        lines = [
            f"Learned: {len(self.spec.compare)} comparisons, prior {self.spec.prior:.3g}, "
            f"{self.expected_matches:,.0f} matches expected among the candidates"
        ]
        with pl.Config(tbl_rows=-1, tbl_hide_dataframe_shape=True, float_precision=6):
            lines.append(str(self.table))
        lines += [f"warning: {text}" for text in self.warnings]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from nser_pmt._charts import weight_bars

        notes = "".join(f"<p>{escape(text)}</p>" for text in self.warnings)
        return f"{weight_bars(self.table)}{self.table._repr_html_()}{notes}"


def learn(
    left: Frame,
    right: Frame | LinkSpec,
    spec: LinkSpec | None = None,
    *,
    id: str,
    labels: Frame | None = None,
    max_pairs: int = 50_000,
    seed: int = 1,
    control: RunControl | None = None,
) -> Learned:
    """Learn how often pairs that match, and pairs that do not, reach each level of agreement.

    No labels are needed. Chances that a comparison already has (see
    `nser_pmt.compare.Comparison.with_chances`) stay as they are.

    Parameters
    ----------
    left, right, spec, id, control
        As for `link`.
    labels
        Known truth, if there is any: ``id`` and ``entity`` (rows of one entity match; rows that are
        not named are ignored), or all pairs that match as ``id_left`` and ``id_right``. Then m and
        the prior are counted, not estimated. Two frames that share ids need pairs.
    max_pairs
        Pairs of each rule that are looked at for m, about; four times as many are drawn at random
        for u.
    seed
        Which pairs those are.

    Returns
    -------
    Learned

    Raises
    ------
    ConvergenceError
        No rule leaves a comparison free to be learned, or no matches were found.

    Notes
    -----
    u, the chance among pairs that do not match, of exact agreement is counted from the frequencies
    of the values and freed from the matches among them; that of the levels below, and of
    expressions, comes from pairs drawn at random. Of identity numbers no sample holds enough, and
    nearly all that agree are matches: u is taken as 1 / rows for exact agreement and one error, and
    5 / rows for two. m is found by expectation maximisation over patterns of agreement in
    the blocks of each rule, with u fixed and without the comparisons that the rule itself is made
    of (Jaro, 1989). The searches of all rules are averaged by the matches they found. The prior is
    what makes the expected number of matches among the candidates agree with itself. A level
    that no pair has counts as half a pair.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> import polars as pl
    >>> people = nser.synth.people(20_000, seed=1).records
    >>> spec = nser.LinkSpec(
    ...     compare=[
    ...         nser.compare.cnic("cnic"),
    ...         nser.compare.name("name"),
    ...         nser.compare.date("birth_date"),
    ...         nser.compare.exact("district"),
    ...     ],
    ...     block_on=[["cnic"], ["name", "birth_date"], ["birth_date", "district"]],
    ... )
    >>> learned = nser.learn(people, spec, id="id")
    >>> number = learned.table.filter(pl.col("comparison") == "cnic")
    >>> number.select("level", pl.col("weight").round(0))
    shape: (4, 2)
    ┌────────────┬────────┐
    │ level      ┆ weight │
    │ ---        ┆ ---    │
    │ str        ┆ f64    │
    ╞════════════╪════════╡
    │ exact      ┆ 14.0   │
    │ one_error  ┆ 12.0   │
    │ two_errors ┆ 5.0    │
    │ else       ┆ -3.0   │
    └────────────┴────────┘
    """
    first, second, spec = arguments(left, right, spec)
    prepared = prepare(first, second, spec, id, control)
    return learn_prepared(prepared, labels=labels, max_pairs=max_pairs, seed=seed)


def learn_prepared(
    prepared: Prepared, *, labels: Frame | None, max_pairs: int, seed: int
) -> Learned:
    """Do what `learn` does."""
    work = _Work(prepared, max_pairs, seed)
    return work.without_labels() if labels is None else work.from_labels(labels.lazy().collect())


@dataclass
class _Session:
    """Patterns of one rule, and what was found in them."""

    rule: str
    patterns: list[Pattern]
    used: list[bool]
    m: list[list[float]] = field(default_factory=list)
    matching: float = 0.0

    @cached_property
    def pairs(self) -> float:
        return sum(count for _, count in self.patterns)


class _Work:
    def __init__(self, prepared: Prepared, max_pairs: int, seed: int) -> None:
        if max_pairs < 1000:
            raise invalid("max_pairs must be at least 1,000")
        if type(seed) is not int or not 0 <= seed < 2**64:
            raise invalid("seed must be a whole number from 0 to 2^64 - 1")
        if prepared.linker.all_pairs == 0:
            raise ConvergenceError("there is no pair of rows to learn from", code="not_learned")
        self.prepared = prepared
        self.linker = prepared.linker
        self.spec = prepared.spec
        self.max_pairs = max_pairs
        self.seed = seed
        self.compare = self.spec.compare
        self.agreement = _agreement(prepared)
        self.warnings: list[str] = []
        self.all_pairs = max(self.linker.all_pairs, 1)
        sampled = at_random(prepared, 4 * max_pairs, seed)
        self.sampled = [counts(sampled, k, len(c.levels)) for k, c in enumerate(self.compare)]
        self.u_sources = [["given" if c.u else "" for _ in c.levels] for c in self.compare]

    # ------------------------------------------------------------------ u

    def u(self, prior: float, m: list[list[float]] | None) -> list[list[float]]:
        """Chances among pairs that do not match."""
        return [self._u(k, c, prior, m) for k, c in enumerate(self.compare)]

    def _u(self, k: int, c: Comparison, prior: float, m: list[list[float]] | None) -> list[float]:
        if c.u is not None:
            return list(c.u)
        sources = self.u_sources[k]
        agreement = self.agreement[k]
        rows = len(self.prepared.ids)
        floor = 1 / max(rows, _FEWEST)
        if c.kind == "cnic":
            # One number in the registry that is not its bearer's own, and some near ones.
            sources[:] = ["number of rows"] * 3 + ["rest"]
            chances = [floor, floor, 5 * floor]
            return [*chances, 1 - sum(chances)]
        seen = self.sampled[k]
        total = sum(seen) + _HALF * len(seen)
        drawn = [(count + _HALF) / total for count in seen]
        exact = drawn[0]
        sources[:] = ["sample" if count else "prior" for count in seen]
        if agreement is not None:
            # Pairs that match are among those that agree.
            matched = prior * m[k][0] if m is not None else 0.0
            least = min(agreement, floor) / 2
            exact = max((agreement - matched) / (1 - prior), least, 1e-12)
            sources[0] = "value frequencies"
        exact = min(exact, 1 - 1e-9)
        rest = sum(drawn[1:])
        return [exact, *(chance * (1 - exact) / rest for chance in drawn[1:])]

    # ------------------------------------------------------------------ m

    def _survey(self) -> pl.DataFrame:
        return of_candidates(self.prepared, self.max_pairs, self.seed)

    def _sessions(self, survey: pl.DataFrame) -> list[_Session]:
        """One search for each rule that leaves two comparisons free."""
        sessions = []
        for number, rule in enumerate(self.spec.rules):
            free = [rule.columns.isdisjoint(columns_of(c)) for c in self.compare]
            unknown = [f and c.m is None for f, c in zip(free, self.compare, strict=True)]
            if sum(free) < 2 or not any(unknown):
                continue
            held = pl.col("rules").cast(pl.UInt64) & pl.lit(1 << number, pl.UInt64)
            patterns = together(survey.filter(held != 0))
            if patterns:
                sessions.append(_Session(rule.label, patterns, free))
        return sessions

    def _start(self, c: Comparison, exact: float) -> list[float]:
        if c.m is not None:
            return list(c.m)
        if c.kind == "expr":
            # Its first level need not be the likeliest.
            return [1 / len(c.levels)] * len(c.levels)
        others = len(c.levels) - 1
        weights = [0.5**k for k in range(others)]
        return [exact, *((1 - exact) * w / sum(weights) for w in weights)]

    def _search(self, session: _Session, u: list[list[float]], log: list[dict[str, Any]]) -> None:
        """Find m in the patterns of one rule, from several starts; the likeliest is kept."""
        found = []
        for exact in _STARTS:
            spec = {
                "patterns": session.patterns,
                "u": u,
                "m": [self._start(c, exact) for c in self.compare],
                "used": session.used,
                "fixed": [c.m is not None for c in self.compare],
                "matching": 0.1,
                "change": _CHANGE,
                "rounds": _ROUNDS,
            }
            m, matching, likelihood, rounds, change = _native.learn_matches(json.dumps(spec))
            found.append((likelihood, m, matching))
            log.append(
                {
                    "rule": session.rule,
                    "pairs": int(session.pairs),
                    "start": exact,
                    "matching": matching,
                    "rounds": rounds,
                    "change": change,
                    "likelihood": likelihood,
                    "chosen": False,
                }
            )
        best = max(range(len(found)), key=lambda k: found[k][0])
        log[len(log) - len(found) + best]["chosen"] = True
        _, session.m, session.matching = found[best]

    def _average(
        self, sessions: list[_Session], candidates: list[Pattern], u: list[list[float]]
    ) -> tuple[list[list[float]], list[str]]:
        """Bring the searches together, each by the matches it found.

        A comparison that no candidate has values for says nothing: its m is its u.
        """
        chances, sources = [], []
        for k, c in enumerate(self.compare):
            if c.m is not None:
                chances.append(list(c.m))
                sources.append("given")
                continue
            if not any(levels[k] for levels, _ in candidates):
                chances.append(list(u[k]))
                sources.append("no values")
                continue
            sums, weight = [0.0] * len(c.levels), 0.0
            for session in sessions:
                matches = session.matching * session.pairs
                known = any(levels[k] for levels, _ in session.patterns)
                if session.used[k] and known and matches >= _FEW:
                    weight += matches
                    sums = [s + matches * m for s, m in zip(sums, session.m[k], strict=True)]
            if weight == 0:
                raise ConvergenceError(
                    f"nothing could be learned about '{c.label}': every rule is made of it, or "
                    "found no matches",
                    code="not_learned",
                    hint="Add a blocking rule of other columns, or give it m with with_chances",
                )
            total = weight + _HALF * len(sums)
            chances.append([(s + _HALF) / total for s in sums])
            sources.append("estimated")
        return chances, sources

    def _weight(self, levels: Sequence[int], m: list[list[float]], u: list[list[float]]) -> float:
        parts = zip(levels, m, u, strict=True)
        return sum(log2(mk[level - 1] / uk[level - 1]) for level, mk, uk in parts if level)

    def _prior(
        self,
        candidates: list[Pattern],
        m: list[list[float]],
        u: list[list[float]],
        prior: float,
    ) -> float:
        """Return the prior under which as many matches are expected as it says."""
        ratios = [(2.0 ** self._weight(levels, m, u), count) for levels, count in candidates]
        for _ in range(1000):
            odds = prior / (1 - prior)
            matches = float(sum(count * odds * r / (1 + odds * r) for r, count in ratios))
            new = min(max(matches / self.all_pairs, 1e-15), 0.5)
            if abs(new - prior) <= 1e-9 * prior:
                return new
            prior = new
        return prior

    def without_labels(self) -> Learned:
        survey = self._survey()
        if not survey.height:
            raise ConvergenceError(
                "no rule makes a pair to learn from",
                code="not_learned",
                hint="See nser.count_pairs, and which keys are null",
            )
        sessions = self._sessions(survey)
        candidates = together(survey)
        prior, m = 1 / max(len(self.prepared.ids), 2), None
        log: list[dict[str, Any]] = []
        sources: list[str] = []
        u = self.u(prior, m)
        for _ in range(_PASSES):
            log.clear()
            for session in sessions:
                self._search(session, u, log)
            m, sources = self._average(sessions, candidates, u)
            if self.spec.prior is None:
                prior = self._prior(candidates, m, u, prior)
            else:
                prior = self.spec.prior
            u = self.u(prior, m)
        assert m is not None
        return self._result(m, u, prior, sources, log, candidates)

    def from_labels(self, labels: pl.DataFrame) -> Learned:
        pairs, known = true_pairs(self.prepared, labels)
        if not pairs.height:
            raise ConvergenceError("the labels hold no pair that matches", code="not_learned")
        found = levels_of_pairs(self.prepared, pairs)
        patterns = together(found.with_columns(pairs=1.0))
        m, sources = [], []
        for k, c in enumerate(self.compare):
            if c.m is not None:
                m.append(list(c.m))
                sources.append("given")
                continue
            seen = counts(patterns, k, len(c.levels))
            total = sum(seen) + _HALF * len(seen)
            m.append([(count + _HALF) / total for count in seen])
            sources.append("labels")
        prior = self.spec.prior or min(max(pairs.height / known, 1e-15), 0.5)
        candidates = together(self._survey())
        return self._result(m, self.u(prior, m), prior, sources, [], candidates)

    # ------------------------------------------------------------------ result

    def _result(
        self,
        m: list[list[float]],
        u: list[list[float]],
        prior: float,
        sources: list[str],
        log: list[dict[str, Any]],
        candidates: list[Pattern],
    ) -> Learned:
        chances = {
            c.label: c.with_chances(m=mk, u=uk)
            for c, mk, uk in zip(self.compare, m, u, strict=True)
        }
        spec = self.spec.replace(
            compare=[chances.get(c.label, c) for c in self.spec.compare], prior=prior
        )
        rows = []
        for k, c in enumerate(self.compare):
            weights = level_weights(chances[c.label])
            for level, values in enumerate(zip(c.levels, m[k], u[k], weights, strict=True)):
                rows.append((c.label, *values, sources[k], self.u_sources[k][level]))
            if c.kind != "expr" and any(b > a + 1e-9 for a, b in itertools.pairwise(weights)):
                self.warnings.append(
                    f"weights of '{c.label}' do not fall from level to level: merge levels"
                )
        self.warnings += [
            f"no candidate has values of '{c.label}' on both sides: it counts for nothing"
            for c, source in zip(self.compare, sources, strict=True)
            if source == "no values"
        ]
        schema = ["comparison", "level", "m", "u", "weight", "m_source", "u_source"]
        table = pl.DataFrame(rows, schema=schema, orient="row")
        base = log2(prior / (1 - prior))
        patterns = [
            (
                *(c.levels[level - 1] if level else None for c, level in named),
                count,
                weight := base + self._weight(levels, m, u),
                1 / (1 + 2.0**-weight),
            )
            for levels, count in candidates
            for named in [list(zip(self.compare, levels, strict=True))]
        ]
        labels = [f"level_{c.label}" for c in self.compare]
        columns = dict.fromkeys(labels, pl.String) | dict.fromkeys(
            ("pairs", "match_weight", "match_probability"), pl.Float64
        )
        frame = pl.DataFrame(patterns, schema=columns, orient="row")
        for session in log:
            if session["chosen"] and session["change"] > _CHANGE:
                self.warnings.append(f"the search in '{session['rule']}' did not settle")
        session_schema = {
            "rule": pl.String,
            "pairs": pl.Int64,
            "start": pl.Float64,
            "matching": pl.Float64,
            "rounds": pl.Int64,
            "change": pl.Float64,
            "likelihood": pl.Float64,
            "chosen": pl.Boolean,
        }
        return Learned(
            spec=spec,
            table=table,
            patterns=frame.sort("match_weight", descending=True, maintain_order=True),
            sessions=pl.DataFrame(log, schema=session_schema),
            warnings=tuple(self.warnings),
        )


def _agreement(prepared: Prepared) -> list[float | None]:
    """Return the share of pairs that agree exactly, or None where only a sample tells."""
    shares = iter(prepared.linker.agreement)
    return [None if c.kind == "expr" else next(shares) for c in prepared.spec.compare]
