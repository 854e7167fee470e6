"""PMT models as data: the classes of a model file, loading, saving.

A model is written in TOML, or saved as JSON; both have the same strict schema, which is the classes
below. `docs/models.md` shows every part in a file.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from nser_pmt._document import Document, bundled, load
from nser_pmt._reading import keyed_by
from nser_pmt.errors import ModelError, SchemaError

if TYPE_CHECKING:
    import polars as pl
    from polars._typing import IntoExpr

    from nser_pmt._native import Scorer
    from nser_pmt.scoring.lint import Finding

__all__ = ["Model", "list_models", "load_model"]

N = TypeVar("N")

Policy = Literal["null", "error"] | float
"""What a missing or invalid answer means: a null score, an error, or stated points."""

Direction = Literal["lower_is_poorer", "higher_is_poorer"]


@dataclass(frozen=True)
class Input:
    """A column the model reads, or the ratio of two of them.

    Where it is read as a number, or is part of a ratio, numbers outside ``min .. max`` and
    fractions in an ``integer`` input are out of domain. As a category it has the levels that its
    terms list.
    """

    name: str
    _: KW_ONLY
    type: Literal["category", "boolean", "integer", "number"]
    unit: str | None = None
    description: str = ""
    ratio: tuple[str, str] | None = None
    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, kw_only=True)
class Level:
    """Values of a category that get the same points."""

    values: tuple[bool | int | str, ...]
    points: float | None = None
    label: str = ""


@dataclass(frozen=True, kw_only=True)
class Bin:
    """Numbers between two edges. `ge` and `le` edges belong to the bin, `gt` and `lt` do not."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    points: float | None = None
    label: str = ""

    def __post_init__(self) -> None:
        if (self.ge is not None and self.gt is not None) or (
            self.le is not None and self.lt is not None
        ):
            raise ModelError("a bin has one lower and one upper edge", code="bad_bin")


@dataclass(frozen=True, kw_only=True)
class LevelsTerm:
    """A category to points."""

    id: str
    kind: Literal["levels"] = "levels"
    input: str
    levels: tuple[Level, ...]
    missing: Policy
    unknown: Policy
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class BinsTerm:
    """A number to points, by bins."""

    id: str
    kind: Literal["bins"] = "bins"
    input: str
    bins: tuple[Bin, ...]
    missing: Policy
    out_of_range: Policy
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class LinearTerm:
    """``transform(clip(x)) * coefficient``."""

    id: str
    kind: Literal["linear"] = "linear"
    input: str
    coefficient: float
    transform: Literal["none", "log", "sqrt", "square"] = "none"
    clip_min: float | None = None
    clip_max: float | None = None
    missing: Policy
    out_of_range: Policy
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class ProductTerm:
    """``(a * b) * coefficient`` of two numbers."""

    id: str
    kind: Literal["product"] = "product"
    inputs: tuple[str, str]
    coefficient: float
    missing: Policy
    out_of_range: Policy
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Cell:
    """Points for every combination of two lists of values."""

    first: tuple[bool | int | str, ...]
    second: tuple[bool | int | str, ...]
    points: float


@dataclass(frozen=True, kw_only=True)
class TableTerm:
    """Two categories to points."""

    id: str
    kind: Literal["table"] = "table"
    inputs: tuple[str, str]
    cells: tuple[Cell, ...]
    missing: Policy
    unknown: Policy
    description: str = ""


Term = LevelsTerm | BinsTerm | LinearTerm | ProductTerm | TableTerm


@dataclass(frozen=True, kw_only=True)
class Affine:
    """``x * multiply + add``."""

    kind: Literal["affine"] = "affine"
    multiply: float = 1.0
    add: float = 0.0


@dataclass(frozen=True, kw_only=True)
class MinMax:
    """Carries the interval `from_` to the interval `to`, linearly and without clipping."""

    kind: Literal["min_max"] = "min_max"
    low: float
    high: float
    to_low: float = 0.0
    to_high: float = 100.0

    def __post_init__(self) -> None:
        if self.low == self.high:
            raise ModelError("low and high must differ", code="bad_step")


@dataclass(frozen=True, kw_only=True)
class Clip:
    """Limits the score."""

    kind: Literal["clip"] = "clip"
    min: float | None = None
    max: float | None = None


@dataclass(frozen=True, kw_only=True)
class Round:
    """Rounds to `digits` decimals: ``mode(x * 10**digits) / 10**digits``."""

    kind: Literal["round"] = "round"
    digits: int
    mode: Literal["half_even", "half_away_from_zero", "floor", "ceil", "truncate"]

    def __post_init__(self) -> None:
        if not -15 <= self.digits <= 15:
            raise ModelError("digits must be from -15 to 15", code="bad_step")


Step = Affine | MinMax | Clip | Round


@dataclass(frozen=True, kw_only=True)
class Stratum:
    """A whole sub-model, for some values of the stratum column."""

    values: tuple[bool | int | str, ...]
    intercept: float = 0.0
    terms: tuple[Term, ...]
    steps: tuple[Step, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Strata:
    """A column that chooses among sub-models."""

    input: str
    missing: Literal["null", "error"]
    unknown: Literal["null", "error"]
    models: tuple[Stratum, ...]


@dataclass(frozen=True)
class Cutoff:
    """A named line on the score. The poor side includes the value itself when `side` says so."""

    id: str
    _: KW_ONLY
    value: float
    side: Literal["inclusive", "exclusive", "unknown"]
    description: str = ""
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class Band:
    """Scores with the same likelihood, a probability in [0, 1]."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None
    probability: float


@dataclass(frozen=True)
class Likelihood:
    """Probability of being below a poverty line, by score band."""

    line: str
    _: KW_ONLY
    title: str
    source: str = ""
    bands: tuple[Band, ...]


@dataclass(frozen=True, kw_only=True, repr=False)
class Model(Document):
    """A proxy-means-test model: what `load_model` returns. Frozen; two equal files are equal.

    The score of a household is the intercept plus the points of the terms, added from left to right
    in model order in double precision, then put through `steps`.

    Attributes
    ----------
    id, title, country, year, source, licence, notes
        Where the model comes from. `country` is an ISO 3166-1 alpha-2 code.
    status
        ``published`` (a formula in use), ``research`` (estimated, never official) or ``template``
        (structure without points: loads, lints and prints, but refuses to score).
    unit
        What one row is, such as ``household``.
    direction
        Which end of the score is poor.
    range
        Lowest and highest possible score, if there are such.
    inputs
        Columns the model reads.
    terms, intercept, strata
        The formula; a model has either `terms` or `strata`.
    steps
        From the raw sum to the score.
    cutoffs
        Named lines on the score.
    likelihoods
        Tables from score to the probability of being poor.
    """

    _kind: ClassVar[str] = "model"

    schema_version: int
    id: str
    title: str
    country: str
    year: int
    source: str
    licence: str
    status: Literal["published", "research", "template"]
    unit: str
    direction: Direction
    range: tuple[float, float] | None = None
    notes: str = ""
    inputs: tuple[Input, ...] = keyed_by("name")
    intercept: float = 0.0
    terms: tuple[Term, ...] = ()
    strata: Strata | None = None
    steps: tuple[Step, ...] = ()
    cutoffs: tuple[Cutoff, ...] = keyed_by("id", default=())
    likelihoods: tuple[Likelihood, ...] = keyed_by("line", default=())

    def __post_init__(self) -> None:
        from nser_pmt.scoring.lint import check_references

        check_references(self)

    # -- what is in it -------------------------------------------------------------------------

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns a frame must have, in the order in which the model first uses them."""
        from nser_pmt.scoring._program import columns

        return columns(self)

    def sub_models(self) -> tuple[Stratum, ...]:
        """Return the strata, or the whole model as a single stratum."""
        if self.strata is not None:
            return self.strata.models
        return (Stratum(values=(), intercept=self.intercept, terms=self.terms),)

    def cutoff(self, id: str) -> Cutoff:
        """Return the cut-off with this id, or raise `ModelError`."""
        return _named(self.cutoffs, "id", id, f"model '{self.id}' has no cut-off")

    def likelihood(self, line: str) -> Likelihood:
        """Return the likelihood table of this poverty line, or raise `ModelError`."""
        return _named(self.likelihoods, "line", line, f"model '{self.id}' has no likelihood line")

    def lint(self) -> tuple[Finding, ...]:
        """Look for faults that a schema cannot see: gaps, overlaps, unreachable bins and so on.

        Returns
        -------
        tuple of Finding
            Errors first. An empty tuple means that nothing was found.

        Examples
        --------
        >>> import nser_pmt as nser
        >>> model = nser.load_model("schreiner-pk-2009")
        >>> sorted({finding.code for finding in model.lint()})
        ['non-monotone-likelihood']
        """
        from nser_pmt.scoring.lint import lint

        return lint(self)

    # -- scoring -------------------------------------------------------------------------------

    @functools.cached_property
    def _scorer(self) -> Scorer:
        from nser_pmt import _native
        from nser_pmt.scoring._program import program

        return _native.Scorer(program(self).encode())

    def score_expr(self, *, inputs: Mapping[str, IntoExpr] | None = None) -> pl.Expr:
        """Return the score as a Polars expression.

        Works in every context and engine, and after serialisation. Gives the bits of `score`.

        Parameters
        ----------
        inputs
            What to read instead of the column of that name: a column, an expression or a literal.

        Returns
        -------
        Expr
            Float64, named ``pmt_score``; null where the score cannot be computed.

        Examples
        --------
        >>> import polars as pl, nser_pmt as nser
        >>> model = nser.load_model("schreiner-pk-2009")
        >>> households = nser.synth.households(1000, seed=1)
        >>> by_region = households.group_by("region", maintain_order=True)
        >>> by_region.agg(model.score_expr().mean().round(1))
        shape: (2, 2)
        ┌────────┬───────────┐
        │ region ┆ pmt_score │
        │ ---    ┆ ---       │
        │ enum   ┆ f64       │
        ╞════════╪═══════════╡
        │ urban  ┆ 68.4      │
        │ rural  ┆ 55.2      │
        └────────┴───────────┘
        """
        from nser_pmt.scoring import scoring

        return scoring.expression(self, "pmt_score", inputs)

    def status_expr(self, *, inputs: Mapping[str, IntoExpr] | None = None) -> pl.Expr:
        """Return the status as a Polars expression: Enum ``ok``, ``missing``, ``out_of_domain``.

        See `score_expr`. The expression is named ``pmt_status``.
        """
        from nser_pmt.scoring import scoring

        return scoring.expression(self, "pmt_status", inputs)

    def score_one(self, answers: Mapping[str, Any]) -> tuple[float | None, str]:
        """Score one household without Polars: for services.

        Takes microseconds, is thread-safe and works in a forked worker. Gives the bits of `score`.

        Parameters
        ----------
        answers
            An answer for every column in `columns`: a number, a boolean, text, or None if missing.

        Returns
        -------
        score
            None when it cannot be computed.
        status
            ``ok``, ``missing`` or ``out_of_domain``.

        Raises
        ------
        SchemaError
            An answer is not given, or its type makes no sense.
        DomainError
            An answer that the model says is an error.

        Examples
        --------
        >>> import nser_pmt as nser
        >>> model = nser.load_model("schreiner-pk-2009")
        >>> model.score_one({
        ...     "province": "Punjab", "n_le13": 3, "school_5_13": "all", "n_elementary_workers": 1,
        ...     "female_head_spouse_educ": "class_1_or_higher", "water": "hand_pump",
        ...     "toilet": "flush_pit", "fridge_freezer": False, "tv": True, "motor_vehicle": False,
        ... })
        (47.0, 'ok')
        """
        return self._scorer.score_one(answers)

    def explain_one(self, answers: Mapping[str, Any]) -> list[tuple[str, str | None, float | None]]:
        """List what each term adds for one household: (term, answer as text, points).

        The intercept comes first; the points add up, from left to right, to the raw score exactly.
        Points are None where a term cannot be computed. Arguments and errors as in `score_one`.
        """
        return self._scorer.explain_one(answers)

    def eligible_expr(self, cutoff: str, *, score: str = "pmt_score") -> pl.Expr:
        """Return a Boolean expression: whether the score lies on the poor side of a cut-off.

        Null scores give null. A cut-off whose side is not known raises `ModelError`.
        """
        import polars as pl

        line = self.cutoff(cutoff)
        if line.side == "unknown":
            raise ModelError(
                f"cut-off '{cutoff}' of model '{self.id}': its source does not say whether the "
                "value itself is included",
                code="cutoff_side_unknown",
            )
        name = {
            ("lower_is_poorer", "inclusive"): "le",
            ("lower_is_poorer", "exclusive"): "lt",
            ("higher_is_poorer", "inclusive"): "ge",
            ("higher_is_poorer", "exclusive"): "gt",
        }[self.direction, line.side]
        result: pl.Expr = getattr(pl.col(score), name)(line.value)
        return result.alias(f"below_{cutoff}")

    # -- how it shows --------------------------------------------------------------------------

    def __repr__(self) -> str:
        """Return a summary in a few lines."""
        from nser_pmt._show import model_text

        return model_text(self)

    def _repr_html_(self) -> str:
        from nser_pmt._show import model_html

        return model_html(self)


def load_model(source: str | Path, *, lint: Literal["raise", "ignore"] = "raise") -> Model:
    """Load a model by name or from a file.

    Parameters
    ----------
    source
        Name of a bundled model (see `list_models`), or the path of a ``.toml`` or ``.json`` file.
    lint
        Whether findings of level ``error`` (bins that overlap, a level listed twice) raise.
        Warnings never do; ``model.lint()`` has them.

    Returns
    -------
    Model

    Raises
    ------
    ModelError
        The file is missing, is not strict TOML or JSON, or is not a model; the place is named.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> model = nser.load_model("schreiner-pk-2009")
    >>> model.status, len(model.terms), model.range
    ('published', 10, (0.0, 100.0))
    """
    return load(Model, source, lint)


def list_models() -> pl.DataFrame:
    """List the bundled models.

    Returns
    -------
    DataFrame
        ``id``, ``title``, ``country``, ``year``, ``status``, ``terms`` (number of terms).

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.list_models()["id"].to_list()
    ['bisp-psc-2009', 'hiics-2016-research', 'schreiner-pk-2009']
    """
    import polars as pl

    models = [load_model(name) for name in bundled(Model)]
    rows = [
        (m.id, m.title, m.country, m.year, m.status, sum(len(s.terms) for s in m.sub_models()))
        for m in models
    ]
    return pl.DataFrame(
        rows, schema=["id", "title", "country", "year", "status", "terms"], orient="row"
    )


def _named(items: tuple[N, ...], key: str, name: str, message: str) -> N:
    for item in items:
        if getattr(item, key) == name:
            return item
    known = ", ".join(getattr(item, key) for item in items) or "none"
    raise ModelError(f"{message} '{name}'", code="no_such_name", hint=f"It has: {known}")


def missing_column(column: str, available: list[str]) -> SchemaError:
    """Make the error for a column that a frame does not have."""
    import difflib

    close = difflib.get_close_matches(column, available, n=1, cutoff=0.7)
    hint = f"Did you mean '{close[0]}'?" if close else None
    return SchemaError(
        f"column '{column}' is missing", code="missing_column", column=column, hint=hint
    )
