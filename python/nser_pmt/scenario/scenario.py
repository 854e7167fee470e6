"""What if: other points, another cut-off, another quota, for a whole registry at once."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

import polars as pl

from nser_pmt import _engine
from nser_pmt._options import invalid
from nser_pmt.control import RunControl
from nser_pmt.errors import DomainError, ModelError, SchemaError
from nser_pmt.scenario._aim import Goal, Ties, read_survey
from nser_pmt.scenario._codes import Grouping, Held, Registry, hold, how
from nser_pmt.scenario._edit import with_points
from nser_pmt.scenario._layout import Layout
from nser_pmt.scenario._results import (
    DECILE,
    CoverageCurve,
    Cut,
    ScenarioChange,
    change_frame,
    coverage_frame,
    errors_of,
)
from nser_pmt.scoring._program import program
from nser_pmt.scoring.model import Model, load_model
from nser_pmt.scoring.scoring import score

__all__ = ["CoverageCurve", "Scenario", "ScenarioChange"]

_SIDES = {
    "lower_is_poorer": ("at_most", "below"),
    "higher_is_poorer": ("at_least", "above"),
}
_COMPARED = {"at_most": "le", "below": "lt", "at_least": "ge", "above": "gt"}


class Scenario:
    """A registry under a model and a rule of who is in, to be changed and compared at once.

    The registry is read once, in batches, and held as one byte for each household and term. Every
    change gives a new scenario that shares those bytes; this one stays as it is. Households keep
    the order of the registry. May be used from several threads.

    Parameters
    ----------
    registry
        DataFrame, LazyFrame (a scan; it is read in slices) or an iterable of DataFrames, with the
        columns ``model.columns``.
    model
        A `Model`, or the name or path of one.
    by
        Columns to count by, such as ``["district", "sex_of_head"]``: text, whole numbers, dates or
        booleans, up to 65,535 values. Nulls are a group.
    weights
        Column with how many households (or persons) a row stands for, a finite number of 0 or more.
        Everything is counted in them then: coverage, quota, cost, deciles.
    cutoff
        Who is in: a score, itself included, or the name of a cut-off of the model, with its side.
    quota
        Who is in, instead: so many of the poorest.
    budget
        Who is in, instead: as many of the poorest as `transfer` can be paid to.
    transfer
        What one household (or what the weights count) gets: the cost is that times the covered.
    ties
        Households of equal score where a quota or budget runs out are all ``"out"``, so that it is
        never exceeded, or all ``"in"``. Nobody is chosen by lot or by place in the registry.
    survey
        DataFrame of households of which the truth is known: the model's columns and `welfare`.
    welfare, line
        Column of the survey, such as consumption per head, and the poverty line: the poor are at
        or below it.
    survey_weights
        Column of the survey.
    control
        Threads, time limit, progress in rows; see `RunControl`. Ctrl-C works without it.

    Raises
    ------
    ModelError
        The model is a template; or a term has more than 254 levels, or multiplies a number that has
        more than 254 different values in the registry (code ``not_as_codes``).
    SchemaError
        A column is missing, or its type makes no sense for its use.
    DomainError
        An answer that the model says is an error; a bad weight; options that are not allowed.
    CancelledError
        Stopped through `control`.

    Notes
    -----
    Scores are those of `score`, to the bit. A household whose score is null is not in; it is
    counted as ``needs_data``. Points are held as whole numbers in the coarsest unit in which all of
    them are whole, and added up so; where that could put a household on the wrong side of a
    cut-off, its doubles are added in model order. With points such as ``0.2641249621``, which no
    unit fits, a quota, a curve and deciles need the doubles of all households: seconds, not a
    fraction of one.

    Memory: one byte for each household and term, 2 for each column of `by`, 8 for `weights`, and 4
    for each scenario that is kept: 1.4 GB for 30 million households, 40 terms and two groupings.
    No identity is held: give `movers` a Series of ids, which stays outside.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> households = nser.synth.households(10_000, seed=1)
    >>> now = nser.Scenario(households, "schreiner-pk-2009", by="region", cutoff=30)
    >>> now.coverage("region")
    shape: (2, 5)
    ┌────────┬────────────┬────────────┬─────────┬──────────┐
    │ region ┆ households ┆ needs_data ┆ covered ┆ coverage │
    │ ---    ┆ ---        ┆ ---        ┆ ---     ┆ ---      │
    │ enum   ┆ i64        ┆ i64        ┆ i64     ┆ f64      │
    ╞════════╪════════════╪════════════╪═════════╪══════════╡
    │ urban  ┆ 3846       ┆ 0          ┆ 93      ┆ 0.024181 │
    │ rural  ┆ 6154       ┆ 0          ┆ 612     ┆ 0.099448 │
    └────────┴────────────┴────────────┴─────────┴──────────┘
    """

    __slots__ = ("_cut", "_goal", "_held", "_model", "_program", "_scores", "_survey")

    def __init__(
        self,
        registry: Registry,
        model: Model | str,
        *,
        by: Sequence[str] | str = (),
        weights: str | None = None,
        cutoff: float | str | None = None,
        quota: float | None = None,
        budget: float | None = None,
        transfer: float | None = None,
        ties: Ties = "out",
        survey: pl.DataFrame | None = None,
        welfare: str | None = None,
        line: float | None = None,
        survey_weights: str | None = None,
        control: RunControl | None = None,
    ) -> None:
        model = model if isinstance(model, Model) else load_model(model)
        goal = Goal(cutoff=cutoff, quota=quota, budget=budget, transfer=transfer, ties=ties)
        groups = [by] if isinstance(by, str) else list(by)
        if len(set(groups)) < len(groups) or DECILE in groups:
            raise invalid(f"by must name different columns, none of them '{DECILE}'")
        self._model = model
        self._goal = goal
        self._survey = read_survey(model, survey, welfare, line, survey_weights)
        self._held: Held = hold(registry, model, groups, weights, control)
        self._program = program(model)
        table = self._held.layout.points(self._program, self._held.numbers)
        self._scores = self._held.codes.score(self._program.encode(), table, how=how(control))
        self._cut = self._resolve(control)

    def _with(self, model: Model, goal: Goal, control: RunControl | None) -> Scenario:
        made = object.__new__(Scenario)
        made._held, made._survey, made._model, made._goal = self._held, self._survey, model, goal
        made._program = program(model)
        if made._program == self._program:
            made._scores = self._scores
        else:
            table = self._held.layout.points(made._program, self._held.numbers)
            options = how(control)
            made._scores = self._scores.change(made._program.encode(), table, how=options)
        made._cut = made._resolve(control)
        return made

    def set(
        self,
        *,
        term: str | None = None,
        level: Any = None,
        points: float | Mapping[Any, float] | None = None,
        coefficient: float | None = None,
        stratum: bool | int | str | None = None,
        model: Model | None = None,
        cutoff: float | str | None = None,
        quota: float | None = None,
        budget: float | None = None,
        transfer: float | None = None,
        ties: Ties | None = None,
        control: RunControl | None = None,
    ) -> Scenario:
        """Return a scenario with something else; this one stays as it is.

        Parameters
        ----------
        term, level, points
            Other points for a level of a term: one of its values or its label; a bin by its label
            or as ``model`` prints it, such as ``"[2, 4)"``; a cell by a pair of values. Or `points`
            alone as a dict from levels to points.
        coefficient
            Instead of points, for a term that multiplies a number.
        stratum
            In a model with strata, change this stratum only; by default all that have the term.
        model
            A whole other model that reads the answers as this one does: all but points,
            coefficients, intercepts, steps and cut-offs must be the same.
        cutoff, quota, budget
            Another rule of who is in; each replaces the others.
        transfer, ties
            As in the constructor.
        control
            Threads, time limit; see `RunControl`.

        Returns
        -------
        Scenario

        Raises
        ------
        ModelError
            There is no such term or level, or the other model reads other answers.
        DomainError
            Options that do not go together.
        """
        new = self._model if model is None else model
        if model is not None and Layout.of(model) != self._held.layout:
            raise ModelError(
                f"model '{model.id}' reads the answers in another way than '{self._model.id}'",
                code="other_layout",
                hint="Only points, coefficients, intercepts, steps and cut-offs may differ; "
                "make a new Scenario",
            )
        if term is not None:
            if isinstance(points, Mapping) == (level is not None) and coefficient is None:
                raise invalid("with term, give level and points, or points as a dict")
            table = points if points is None or isinstance(points, Mapping) else {level: points}
            new = with_points(new, term, table, coefficient, stratum)
        elif any(x is not None for x in (level, points, coefficient, stratum)):
            raise invalid("level, points, coefficient and stratum belong to a term: give it too")
        goal = self._goal
        if any(x is not None for x in (cutoff, quota, budget)):
            amount = goal.transfer if transfer is None else transfer
            goal = replace(goal, cutoff=cutoff, quota=quota, budget=budget, transfer=amount)
        elif transfer is not None:
            goal = replace(goal, transfer=transfer)
        if ties is not None:
            goal = replace(goal, ties=ties)
        return self._with(new, goal, control)

    # -- what it is ----------------------------------------------------------------------------

    @property
    def model(self) -> Model:
        """The model, with all changes: it scores, saves and lints as any other."""
        return self._model

    @property
    def households(self) -> int:
        """Rows of the registry."""
        return self._held.codes.rows

    @property
    def cutoff(self) -> Cut | None:
        """The score where the line is, and which scores are in.

        These are ``at_most``, ``below``, ``at_least`` or ``above`` it. A quota or budget has been
        turned into such a line. None where nothing says who is in.
        """
        return self._cut

    @property
    def memory(self) -> dict[str, int]:
        """Bytes: ``shared`` by all scenarios of the registry, and ``own``."""
        return {"shared": self._held.codes.nbytes, "own": self._scores.nbytes}

    def scores(self, *, control: RunControl | None = None) -> pl.DataFrame:
        """Return score and status of every household, in the order of the registry.

        Returns
        -------
        DataFrame
            ``pmt_score`` and ``pmt_status`` as `score` gives them, to the bit.
        """
        found = _engine.frame(self._scores.scores(how=how(control)), {})
        return found.select("pmt_score", _engine.status_of_code("status").alias("pmt_status"))

    # -- who is in -----------------------------------------------------------------------------

    def coverage(self, by: str | None = None, *, control: RunControl | None = None) -> pl.DataFrame:
        """Count who is in.

        Parameters
        ----------
        by
            A column of the scenario's `by`, or ``"score_decile"``; by default one row for all.
        control
            Threads, time limit; see `RunControl`.

        Returns
        -------
        DataFrame
            The group, ``households``, ``needs_data`` (no score), ``covered``, ``coverage`` (a share
            of all households), and ``cost`` if there is a transfer.
        """
        cut = self._line()
        found = self._tally(self, (cut, cut), [] if by is None else [by], control)
        tally, grouping = found[0]
        return coverage_frame(tally, grouping if by else None, self._goal.transfer)

    def compare(
        self,
        other: Scenario,
        *,
        by: Sequence[str] | str | None = None,
        control: RunControl | None = None,
    ) -> ScenarioChange:
        """Count who enters and who leaves when this scenario gives way to another.

        Parameters
        ----------
        other
            A scenario of the same registry, made from this one by `set`, or both from a third.
        by
            Columns of the scenario's `by`, and ``"score_decile"``; all of these by default.
        control
            Threads, time limit; see `RunControl`.

        Returns
        -------
        ScenarioChange
            Frames for all, and by each column of `by`.

        Raises
        ------
        DomainError
            The other scenario is of another registry, or one has no rule of who is in.

        Examples
        --------
        >>> import nser_pmt as nser
        >>> households = nser.synth.households(10_000, seed=1)
        >>> now = nser.Scenario(households, "schreiner-pk-2009", by="region", cutoff=30)
        >>> then = now.set(term="tv", level=True, points=0)
        >>> change = now.compare(then)
        >>> change.by["region"].select("region", "enters", "leaves")
        shape: (2, 3)
        ┌────────┬────────┬────────┐
        │ region ┆ enters ┆ leaves │
        │ ---    ┆ ---    ┆ ---    │
        │ enum   ┆ i64    ┆ i64    │
        ╞════════╪════════╪════════╡
        │ urban  ┆ 28     ┆ 0      │
        │ rural  ┆ 82     ┆ 0      │
        └────────┴────────┴────────┘
        """
        cuts = self._lines(other)
        if by is None:
            by = [*(g.column for g in self._held.groupings), DECILE]
        names = [by] if isinstance(by, str) else list(dict.fromkeys(by))
        found = self._tally(other, cuts, names, control)
        transfers = (self._goal.transfer, other._goal.transfer)
        errors = [s.errors() for s in (self, other) if s._survey is not None]
        frames = [change_frame(tally, grouping, transfers) for tally, grouping in found]
        return ScenarioChange(
            total=change_frame(found[0][0], None, transfers),
            by=dict(zip(names, frames, strict=False)),
            errors=pl.concat(errors) if errors else None,
        )

    def movers(
        self,
        other: Scenario,
        *,
        id: pl.Series | None = None,
        control: RunControl | None = None,
    ) -> pl.DataFrame:
        """List the households that enter or leave.

        Parameters
        ----------
        other
            As in `compare`.
        id
            Names of all households in the order of the registry. By default they are known by row.
        control
            Threads, time limit; see `RunControl`.

        Returns
        -------
        DataFrame
            In the order of the registry: the id, or ``row`` (UInt32, from 0); ``change`` (Enum:
            ``enters``, ``leaves``); ``score_before``, ``score_after``; the columns of `by`.

        Raises
        ------
        SchemaError
            `id` has another number of rows than the registry.
        DomainError
            As in `compare`.
        """
        if id is not None and len(id) != self.households:
            raise SchemaError(
                f"id has {len(id)} rows, the registry has {self.households}",
                code="wrong_length",
                column=id.name,
            )
        cuts = self._lines(other)
        found = _engine.frame(self._scores.movers(other._scores, cuts, how=how(control)), {})
        kind = pl.Enum(["enters", "leaves"])
        names = [pl.lit(name, dtype=kind) for name in kind.categories]
        change = pl.when(pl.col("cell") % 3 == 2).then(names[0]).otherwise(names[1])
        row = found.get_column("row")
        groups = [
            grouping.values.gather(found.get_column(f"group_{n}"))
            for n, grouping in enumerate(self._held.groupings)
        ]
        made = found.select(change.alias("change"), "score_before", "score_after")
        key = row if id is None else id.gather(row).alias(id.name or "id")
        return made.insert_column(0, key).hstack(groups)

    def curve(self, by: str | None = None, *, control: RunControl | None = None) -> CoverageCurve:
        """Index the scores, so that the coverage at any cut-off is a matter of microseconds.

        Parameters
        ----------
        by
            A column of the scenario's `by`; by default all households together.
        control
            Threads, time limit; see `RunControl`.

        Returns
        -------
        CoverageCurve
            Its ``at(cutoffs)`` gives frames.

        Examples
        --------
        >>> import nser_pmt as nser
        >>> households = nser.synth.households(10_000, seed=1)
        >>> now = nser.Scenario(households, "schreiner-pk-2009", by="region")
        >>> now.curve("region").at([20, 30]).select("cutoff", "region", "covered")
        shape: (4, 3)
        ┌────────┬────────┬─────────┐
        │ cutoff ┆ region ┆ covered │
        │ ---    ┆ ---    ┆ ---     │
        │ f64    ┆ enum   ┆ i64     │
        ╞════════╪════════╪═════════╡
        │ 20.0   ┆ urban  ┆ 10      │
        │ 20.0   ┆ rural  ┆ 174     │
        │ 30.0   ┆ urban  ┆ 93      │
        │ 30.0   ┆ rural  ┆ 612     │
        └────────┴────────┴─────────┘
        """
        place, grouping = (None, None) if by is None else self._grouping(by)
        size = 1 if grouping is None else len(grouping)
        curve = self._scores.distribution(place, size, how=how(control))
        return CoverageCurve(curve, grouping, _SIDES[self._model.direction], self._held.weighted)

    def errors(self) -> pl.DataFrame:
        """Measure the errors of this scenario on its survey.

        The survey is scored with the scenario's model, and the scenario's cut-off applied. For all
        other measures give ``score(survey, scenario.model)`` and the cut-off to `targeting`.

        Returns
        -------
        DataFrame
            One row: ``cutoff``, ``poverty_rate``, ``coverage``, ``exclusion_error`` (share of the
            poor that are not in), ``inclusion_error`` (share of those in that are not poor); shares
            of the survey's weights. A household without a score is not in.

        Raises
        ------
        DomainError
            The scenario has no survey, or no rule of who is in.
        """
        if self._survey is None:
            raise invalid("errors need a survey: give survey, welfare and line to Scenario")
        value, side = self._line()
        scored = score(self._survey.frame, self._model, suffix="_scenario")
        cut = getattr(pl.col("pmt_score_scenario"), _COMPARED[side])(value)
        survey = self._survey
        found = errors_of(scored, cut, survey.welfare, survey.line, survey.weights)
        schema = dict.fromkeys(["cutoff", *found], pl.Float64)
        return pl.DataFrame([{"cutoff": value, **found}], schema=schema)

    # -- helpers -------------------------------------------------------------------------------

    def _resolve(self, control: RunControl | None) -> Cut | None:
        """Turn the goal into a score and a side."""
        goal = self._goal
        sides = _SIDES[self._model.direction]
        if isinstance(goal.cutoff, str):
            line = self._model.cutoff(goal.cutoff)
            if line.side == "unknown":
                raise ModelError(
                    f"cut-off '{goal.cutoff}' of model '{self._model.id}': its source does not say "
                    "whether the value itself is included",
                    code="cutoff_side_unknown",
                    hint="Give the score as a number",
                )
            return line.value, sides[0 if line.side == "inclusive" else 1]
        if goal.cutoff is not None:
            return float(goal.cutoff), sides[0]
        quota = goal.quota
        if goal.budget is not None and goal.transfer:
            quota = goal.budget / goal.transfer
        if quota is None:
            return None
        curve = self._scores.distribution(None, 1, how=how(control))
        found = curve.cutoff_of(quota, self._low_is_poor, goal.ties == "in")
        if found is not None:
            return found
        return (-math.inf if self._low_is_poor else math.inf), sides[1]  # nobody has a score

    @property
    def _low_is_poor(self) -> bool:
        return self._model.direction == "lower_is_poorer"

    def _line(self) -> Cut:
        if self._cut is None:
            raise invalid("the scenario does not say who is in: set cutoff, quota or budget")
        return self._cut

    def _lines(self, other: Scenario) -> tuple[Cut, Cut]:
        if not isinstance(other, Scenario) or other._held is not self._held:
            raise DomainError(
                "the scenarios are of different registries",
                code="other_registry",
                hint="Make one from the other with set",
            )
        return self._line(), other._line()

    def _grouping(self, by: str) -> tuple[int, Grouping]:
        for place, grouping in enumerate(self._held.groupings):
            if grouping.column == by:
                return place, grouping
        known = ", ".join(g.column for g in self._held.groupings) or "none"
        raise invalid(f"by: '{by}' is not a grouping of the scenario; it has: {known}")

    def _tally(
        self,
        other: Scenario,
        cuts: tuple[Cut, Cut],
        by: Sequence[str],
        control: RunControl | None,
    ) -> list[tuple[Any, Grouping | None]]:
        """Return tallies by the groupings; without any, that of all households."""
        options = how(control)
        places = [self._grouping(name) for name in by if name != DECILE]
        tenths: list[Cut] = []
        if DECILE in by:
            curve = self._scores.distribution(None, 1, how=options)
            tenths = curve.parts(10, self._low_is_poor)
        elif not places:
            tenths = [(math.inf, "at_most")]  # puts all in one group
        sizes = [(place, len(grouping)) for place, grouping in places]
        found = self._scores.tally(other._scores, cuts, sizes, tenths, how=options)
        names = [name for name in by if name != DECILE]
        tallies: dict[str, Any] = {
            name: (tally, grouping)
            for name, tally, (_, grouping) in zip(names, found, places, strict=False)
        }
        if tenths:
            rows, _ = found[-1]
            there = [n for n in range(len(rows) // 9) if any(rows[9 * n : 9 * n + 9])]
            values = pl.Series(DECILE, [None, *range(1, 11)], dtype=pl.UInt8)
            order = pl.Series(there, dtype=pl.UInt32)
            decile = Grouping(column=DECILE, values=values, order=order)
            tallies[DECILE] = (found[-1], decile if DECILE in by else None)
        return [tallies[name] for name in by] or [tallies[DECILE]]

    def __repr__(self) -> str:
        lines = [f"Scenario: {self.households:,} households, model '{self._model.id}'"]
        if self._cut is not None:
            value, side = self._cut
            row = self.coverage().row(0, named=True)
            share = "" if row["coverage"] is None else f" ({row['coverage']:.1%})"
            lines.append(f"  in if the score is {side.replace('_', ' ')} {value:g}")
            lines.append(f"  covered      {row['covered']:>14,}{share}")
            lines.append(f"  need data    {row['needs_data']:>14,}")
            if "cost" in row:
                lines.append(f"  cost         {row['cost']:>14,.0f}")
        if self._held.groupings:
            lines.append("  by " + ", ".join(g.column for g in self._held.groupings))
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from nser_pmt._charts import coverage_bars

        head = f"<pre>{escape(repr(self))}</pre>"
        if self._cut is None:
            return head
        by = self._held.groupings[0].column if self._held.groupings else None
        table = self.coverage(by)
        return f"{head}{coverage_bars(table, by)}{table._repr_html_()}"
