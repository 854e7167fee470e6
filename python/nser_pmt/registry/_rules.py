"""Scores and decisions of households under the model and the programmes of a registry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import polars as pl

from nser_pmt._engine import STATUS
from nser_pmt.errors import ModelError
from nser_pmt.programmes._deciding_plan import DECISION
from nser_pmt.programmes.deciding import decide
from nser_pmt.programmes.programme import Programme
from nser_pmt.registry import _files as files
from nser_pmt.registry._manifest import Programme as InForce
from nser_pmt.registry._manifest import Rules, damaged
from nser_pmt.scoring.model import Model
from nser_pmt.scoring.scoring import explain, score

__all__ = ["RuleBook", "load_rules", "moved_terms"]

_KEYS = ("hh_id", "person_id")


@dataclass(frozen=True)
class RuleBook:
    """A model and programmes, those that others need before the others."""

    model: Model
    programmes: tuple[Programme, ...]

    @classmethod
    def of(cls, model: Model, programmes: Sequence[Programme]) -> RuleBook:
        """Put programmes in the order in which they can be decided.

        Raises
        ------
        ModelError
            A programme comes twice, has a quota, or they need each other in a circle.
        """
        ids = [programme.id for programme in programmes]
        for programme in programmes:
            if ids.count(programme.id) > 1:
                raise ModelError(f"programme '{programme.id}' comes twice", code="twice")
            if any(quota.enabled for quota in programme.quotas):
                raise ModelError(
                    f"programme '{programme.id}' has a quota, which ranks all households: one "
                    "change would decide others again",
                    code="quota",
                    hint="Keep the programme without its quota, and decide with it on what "
                    "registry.at() returns",
                )
        ordered: list[Programme] = []
        left = list(programmes)
        while left:
            waiting = {programme.id for programme in left}
            ready = [p for p in left if not waiting & set(p.needs)]
            if not ready:
                raise ModelError("the programmes need each other in a circle", code="circle")
            ordered += ready
            left = [p for p in left if p not in ready]
        return cls(model, tuple(ordered))

    @cached_property
    def inputs(self) -> frozenset[str]:
        """Names of all columns that the model or a programme reads, on any date."""
        names = set(self.model.columns)
        for programme in self.programmes:
            names.update(item.name for item in programme.inputs)
            names.update(rollup.name for rollup in programme.rollups)
        return frozenset(names)

    @cached_property
    def output(self) -> dict[str, pl.DataType]:
        """Columns of decisions besides hh_id, and their types."""
        made: dict[str, pl.DataType] = {"pmt_score": pl.Float64(), "pmt_status": STATUS}
        for programme in self.programmes:
            made[f"decision_{programme.id}"] = DECISION
            made[f"reasons_{programme.id}"] = pl.List(pl.String())
            made[f"amount_{programme.id}"] = pl.Int64()
        return {**made, "decided_on": pl.Date()}

    def decide(self, households: pl.DataFrame, people: pl.DataFrame, on: date) -> pl.DataFrame:
        """Return hh_id, score, status and the decision of every programme, sorted by hh_id."""
        decided = score(households.sort("hh_id"), self.model)
        result = decided.select("hh_id", "pmt_score", "pmt_status")
        for programme in self.programmes:
            for name in programme.needs:
                if f"decision_{name}" in result.columns:
                    fact = _active(result.get_column(f"decision_{name}"))
                    decided = decided.with_columns(fact.alias(active_name(name)))
            result = result.hstack(self._of(programme, decided, people, on))
        result = result.with_columns(pl.lit(on).alias("decided_on"))
        return result.cast(self.output)  # type: ignore[arg-type]

    def _of(
        self, programme: Programme, households: pl.DataFrame, people: pl.DataFrame, on: date
    ) -> list[pl.Series]:
        end = f"_{programme.id}"
        names = [f"decision{end}", f"reasons{end}", f"amount{end}"]
        if programme.unit == "household":
            members = people if people.width > len(_KEYS) else None
            made = decide(households, programme, on=on, members=members, suffix=end)
            return made.select(names).get_columns()
        # A programme of persons: the household is in it with one of its people.
        read = {item.name for item in programme.inputs} - set(people.columns)
        facts = households.select("hh_id", *(c for c in households.columns if c in read))
        made = decide(people, programme, on=on, households=facts, suffix=end)
        rolled = made.group_by("hh_id").agg(_rolled(end))
        homes = households.select("hh_id").join(
            rolled, on="hh_id", how="left", maintain_order="left"
        )
        nobody = pl.lit("not_eligible").cast(DECISION)
        text = pl.List(pl.String())
        return homes.select(
            pl.col(names[0]).fill_null(nobody),
            pl.col(names[1]).cast(text).fill_null(pl.lit([], dtype=text)),
            names[2],
        ).get_columns()

    def in_force(self, on: date) -> Rules:
        """Return what the manifest says of these rules."""
        return Rules(
            model=self.model.id,
            model_digest=self.model.digest,
            programmes=tuple(
                InForce(id=p.id, digest=p.digest, version=p.version(on).id) for p in self.programmes
            ),
        )

    def save(self, folder: Path) -> None:
        """Keep the files of the rules, each under its digest."""
        texts = {p.digest: p.to_json() for p in self.programmes}
        texts[self.model.digest] = self.model.to_json()
        for digest, text in texts.items():
            path = folder / files.RULES / f"{digest}.json"
            if not path.exists():
                temporary = path.with_name(f".{path.name}.new")
                files.write_text(temporary, text)
                temporary.replace(path)
        files.sync(folder / files.RULES)


def active_name(programme: str) -> str:
    """Return the column by which other programmes know who is in one."""
    return f"{programme}_active"


def is_active(decision: str) -> bool | None:
    """Say whether a decision is to pay; None where that needs data."""
    return None if decision == "needs_data" else decision == "eligible"


def _active(decisions: pl.Series) -> pl.Series:
    """Return `is_active` of every decision."""
    text = decisions.cast(pl.String).to_frame("d")
    known = pl.when(pl.col("d") != "needs_data").then(pl.col("d") == "eligible")
    return text.select(known).to_series()


def _rolled(end: str) -> list[pl.Expr]:
    """Return the decision of a household of those of its people, and what stands in the way."""
    decision = pl.col(f"decision{end}")
    paid, unknown = (decision == "eligible").any(), (decision == "needs_data").any()
    either = pl.when(paid).then(pl.lit("eligible")).when(unknown).then(pl.lit("needs_data"))
    kind = either.otherwise(pl.lit("not_eligible")).cast(DECISION)
    # Of those who keep the household from a better answer.
    reasons = pl.col(f"reasons{end}").filter(decision == kind).explode().drop_nulls()
    amount = pl.col(f"amount{end}").filter(decision == "eligible")
    return [
        kind.alias(f"decision{end}"),
        reasons.unique().sort().alias(f"reasons{end}"),
        pl.when(paid & (amount.null_count() == 0)).then(amount.sum()).alias(f"amount{end}"),
    ]


def load_rules(folder: Path, rules: Rules) -> RuleBook:
    """Read the rules that a segment was decided with; RegistryError if they were changed."""
    texts = {}
    for digest in (rules.model_digest, *(p.digest for p in rules.programmes)):
        try:
            texts[digest] = (folder / files.RULES / f"{digest}.json").read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            raise damaged("a file of the rules is missing") from None
    try:
        model = Model.from_json(texts[rules.model_digest])
        programmes = tuple(Programme.from_json(texts[p.digest]) for p in rules.programmes)
    except ModelError:
        raise damaged("a file of the rules cannot be read") from None
    book = RuleBook(model, programmes)
    if [model.digest, *(p.digest for p in programmes)] != list(texts):
        raise damaged("a file of the rules was changed")
    return book


def moved_terms(before: pl.DataFrame, after: pl.DataFrame, model: Model) -> pl.DataFrame:
    """Return, for households in both frames, the term whose points changed most.

    Columns ``hh_id``, ``term`` (String) and ``term_change`` (points); the first term in model order
    of those that changed most. A household is left out where no term is known to have changed.
    """
    points = [explain(frame.sort("hh_id"), model, id="hh_id") for frame in (before, after)]
    # The same households in the same order, and the same terms: row by row.
    both = (
        points[0]
        .select("hh_id", "term")
        .with_columns(
            points[1].get_column("points").alias("after") - points[0].get_column("points")
        )
    )
    return (
        both.rename({"after": "term_change"})
        .filter(pl.col("term_change") != 0.0)
        .group_by("hh_id", maintain_order=True)
        .agg(
            pl.all()
            .sort_by(pl.col("term_change").abs(), descending=True, maintain_order=True)
            .first()
        )
        .with_columns(pl.col("term").cast(pl.String))
    )
