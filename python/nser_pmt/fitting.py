"""Estimating a formula from a survey: `fit`."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from math import nan, sqrt
from typing import Any, Literal, TypeAlias

import polars as pl

from nser_pmt import _native
from nser_pmt import model as models
from nser_pmt._design import INTERCEPT, assemble
from nser_pmt._glm import binary
from nser_pmt._least_squares import (
    Errors,
    Estimate,
    LeastSquares,
    Lonely,
    least_squares,
    sums,
)
from nser_pmt._options import chosen, invalid
from nser_pmt._penalised import Penalty, penalised
from nser_pmt._prepared import Prepared, prepare
from nser_pmt._quantile import quantile
from nser_pmt._stepwise import Criterion, Direction, stepwise
from nser_pmt.control import RunControl
from nser_pmt.errors import DomainError, ModelError, SchemaError
from nser_pmt.model import Model, missing_column
from nser_pmt.model_spec import ModelSpec

__all__ = ["CrossValidation", "Fit", "Method", "fit"]

Method: TypeAlias = Literal[
    "wls",
    "poverty_focused",
    "quantile",
    "logit",
    "probit",
    "ridge",
    "lasso",
    "elastic_net",
    "stepwise",
]


@dataclass(frozen=True, kw_only=True)
class Options:
    """What a method may be told."""

    errors: Errors
    lonely: Lonely
    max_cache_mb: float
    line: float | None
    line_quantile: float | None
    tau: float | None
    penalty: float | None
    alpha: float
    direction: Direction
    criterion: Criterion
    enter: float
    leave: float
    forced: Sequence[str]


def _wls(prepared: Prepared, options: Options) -> Estimate:
    return least_squares(
        prepared, options.errors, lonely=options.lonely, max_cache_mb=options.max_cache_mb
    )


def _poverty_focused(prepared: Prepared, options: Options) -> Estimate:
    """Least squares on the households at or below a line; the others weigh nothing.

    They stay in the design: a unit without a poor household is still a unit.
    """
    line, share = options.line, options.line_quantile
    if (line is None) == (share is None):
        raise invalid("method='poverty_focused' needs either line or line_quantile")
    if line is None:
        if not (share is not None and 0 < share <= 1):
            raise invalid("line_quantile must be above 0, and 1 at most")
        own = prepared.weights
        ones = pl.repeat(1.0, prepared.rows, eager=True) if own is None else own
        line = weighted_quantile(steps(prepared.target, ones, None, prepared.control), share, "inverse_cdf")
    weights = prepared.weights
    ones = pl.repeat(1.0, prepared.rows, eager=True) if weights is None else weights
    poor = (prepared.target <= line).cast(pl.Float64) * ones
    households = int((poor > 0).sum())
    if households <= len(prepared.columns):
        raise DomainError(
            f"{households} households at or below the line are too few for "
            f"{len(prepared.columns)} coefficients",
            code="too_few_rows",
            hint="Raise the line, or leave terms out",
        )
    found = _wls(replace(prepared, weights=poor, households=households), options)
    return replace(found, statistics={**found.statistics, "line": line})


def _quantile_regression(prepared: Prepared, options: Options) -> Estimate:
    if options.tau is None:
        raise invalid("method='quantile' needs tau, such as the share of the poor")
    return quantile(prepared, options.errors, tau=options.tau, lonely=options.lonely)


def _logit(prepared: Prepared, options: Options) -> Estimate:
    return binary(prepared, options.errors, link="logit", lonely=options.lonely)


def _probit(prepared: Prepared, options: Options) -> Estimate:
    return binary(prepared, options.errors, link="probit", lonely=options.lonely)


def _penalised(alpha: float | None) -> Callable[[Prepared, Options], Estimate]:
    def estimate(prepared: Prepared, options: Options) -> Estimate:
        state = sums(prepared, lonely=options.lonely, max_cache_mb=options.max_cache_mb)
        penalty = Penalty(alpha=options.alpha if alpha is None else alpha)
        found, path = penalised(state, penalty, value=options.penalty)
        return replace(found, path=path.table)

    return estimate


def _stepwise(prepared: Prepared, options: Options) -> Estimate:
    state = sums(prepared, lonely=options.lonely, max_cache_mb=options.max_cache_mb)
    steps = stepwise(
        state,
        direction=options.direction,
        criterion=options.criterion,
        enter=options.enter,
        leave=options.leave,
        forced=options.forced,
    )
    keep = steps.state.keep
    rows = replace(
        prepared,
        columns=tuple(prepared.columns[i] for i in keep),
        values=[prepared.values[i] for i in keep],
    )
    return replace(steps.state.estimate(options.errors, rows=rows), path=steps.table)


_METHODS: Mapping[str, Callable[[Prepared, Options], Estimate]] = {
    "wls": _wls,
    "poverty_focused": _poverty_focused,
    "quantile": _quantile_regression,
    "logit": _logit,
    "probit": _probit,
    "ridge": _penalised(0.0),
    "lasso": _penalised(1.0),
    "elastic_net": _penalised(None),
    "stepwise": _stepwise,
}


def fit(
    survey: pl.DataFrame | pl.LazyFrame,
    spec: ModelSpec,
    *,
    method: Method = "wls",
    errors: Literal["auto", "design", "cluster", "hc1", "classical"] = "auto",
    line: float | None = None,
    line_quantile: float | None = None,
    tau: float | None = None,
    penalty: float | None = None,
    alpha: float = 0.5,
    direction: Direction = "both",
    criterion: Criterion = "p",
    enter: float = 0.05,
    leave: float = 0.1,
    forced: Sequence[str] = (),
    lonely_psu: Lonely = "error",
    level: float = 0.95,
    max_cache_mb: float = 512.0,
    control: RunControl | None = None,
) -> Fit:
    """Estimate a formula from a household survey.

    Parameters
    ----------
    survey
        One row a household.
    spec
        The formula, the weights and the design.
    method
        ``"wls"``, weighted least squares; ``"poverty_focused"``, the same on the households at or
        below a line (see `line`); ``"quantile"``, exact quantile regression (see `tau`);
        ``"logit"`` and ``"probit"``, the chance of a target from 0 to 1; ``"ridge"``, ``"lasso"``
        and ``"elastic_net"``, penalised least squares (see `penalty`); ``"stepwise"``, least
        squares on terms chosen step by step (see `direction`).
    errors
        Standard errors: ``"design"``, of the survey design (Taylor linearisation); ``"cluster"``,
        by primary unit, strata and fpc ignored; ``"hc1"``, by household; ``"classical"``, from the
        residual variance. ``"auto"``: design if the spec has strata, psu or fpc, hc1 otherwise. For
        bootstrap and jackknife see `Fit.bootstrap` and `Fit.jackknife`.
    line, line_quantile
        The line of ``"poverty_focused"``: on the scale of the target, or as the share of the weight
        that lies at or below it.
    tau
        Which quantile ``"quantile"`` predicts, between 0 and 1.
    penalty
        Lambda of the penalised methods, on glmnet's scale; by default the one with the least error
        out of fold, in ten folds of whole primary units. There are no standard errors then.
    alpha
        Of ``"elastic_net"``: 1 is the lasso, 0 is ridge.
    direction, criterion, enter, leave, forced
        Of ``"stepwise"``: ``"forward"``, ``"backward"`` or ``"both"``; by ``"p"``-values (terms
        enter below `enter` and leave above `leave`), ``"aic"`` or ``"bic"``; terms that are always
        in. All columns of a term enter and leave together.
    lonely_psu
        A stratum with one primary unit: ``"error"``; ``"adjust"``, compared with the mean of all;
        ``"remove"``, it adds nothing.
    level
        Of the confidence intervals.
    max_cache_mb
        Sums of products are kept for each primary unit when they take no more megabytes than this
        (16 bytes an entry); without them a fit cannot be refitted under other weights,
        bootstrapped or cross-validated.
    control
        Threads, time limit, progress; see `RunControl`.

    Returns
    -------
    Fit

    Raises
    ------
    SchemaError
        A column is missing, or its type makes no sense for its use.
    DomainError
        A missing or impossible answer (the row is named), weights that are negative or add up to
        zero, a term that is constant, empty or a combination of others (named), a constant target,
        too few rows, a stratum with one primary unit.
    CancelledError
        Stopped through `control`.

    Notes
    -----
    Sums of products are taken in double-double arithmetic in a fixed order, and the normal
    equations are solved in it: the result has the same bits for any number of threads, and no
    digits are lost to the conditioning of the columns beyond those the data have lost already. The
    order of the rows may move the last bit.

    Factors of small samples, for n households with a weight, k coefficients, G units in H strata:
    design errors have ``(1 - f) n_h / (n_h - 1)`` in each stratum and t with ``G - H - k + 1``
    degrees of freedom, as R's survey; cluster errors ``G / (G - 1) * (n - 1) / (n - k)`` and
    ``G - 1``, as statsmodels and Stata; HC1 ``n / (n - k)`` and ``n - k``; classical errors
    ``sum(w e ** 2) / (n - k)`` and ``n - k``. Later stages count if fpc has them.

    A household's ``unit`` and a missing answer are matters of the spec and its terms.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> import polars as pl
    >>> homes = nser.synth.households(2000, seed=1)
    >>> score = nser.score(homes, "schreiner-pk-2009")["pmt_score"]
    >>> homes = homes.with_columns(welfare=score + pl.Series(range(2000)) % 7)
    >>> spec = nser.ModelSpec(
    ...     target="welfare",
    ...     terms=[nser.terms.levels("toilet"), nser.terms.levels("tv"), "n_le13"],
    ... )
    >>> found = nser.fit(homes, spec)
    >>> found.coefficients.height, found.coefficients["term"][0]
    (9, 'intercept')
    >>> nser.score(homes, found.model)["pmt_score"].null_count()
    0
    """
    chosen("method", method, Method)
    chosen("lonely_psu", lonely_psu, Lonely)
    chosen("errors", errors, Literal["auto", "design", "cluster", "hc1", "classical"])
    if not 0 < level < 1:
        raise invalid("level must lie between 0 and 1")
    designed = spec.strata is not None or spec.psu is not None or spec.fpc is not None
    if errors == "auto":
        errors = "design" if designed else "hc1"
    options = Options(
        errors=errors,
        lonely=lonely_psu,
        max_cache_mb=max_cache_mb,
        line=line,
        line_quantile=line_quantile,
        tau=tau,
        penalty=penalty,
        alpha=alpha,
        direction=direction,
        criterion=criterion,
        enter=enter,
        leave=leave,
        forced=forced,
    )
    prepared = prepare(survey, spec, control)
    estimate = _METHODS[method](prepared, options)
    plans = {"plans": prepared.built.plans, "inputs": prepared.built.inputs}
    return _shown(spec, method, estimate, level, plans)


@dataclass(frozen=True, kw_only=True)
class CrossValidation:
    """What `Fit.cross_validate` found.

    Attributes
    ----------
    folds
        One row for each fold: ``fold``, ``psus``, ``weight``, ``rmse_in`` (under the coefficients
        of all) and ``rmse_out`` (under those of the other folds; null where a term became constant
        without the fold).
    r2, rmse
        Of all households, each predicted by the other folds; NaN if a fold has none.
    """

    folds: pl.DataFrame
    r2: float
    rmse: float


@dataclass(frozen=True, kw_only=True, repr=False)
class Fit:
    """An estimated formula: what `fit` returns. Frozen; keeps sums by primary unit, no rows.

    A primary unit with a single household is kept as sums of that household.

    Attributes
    ----------
    spec
        What was asked for.
    method, errors
        How it was estimated, and which kind the standard errors are.
    level
        Of the intervals.
    coefficients
        One row each: ``term``, ``level`` (empty for a number), ``base`` (the level that it is the
        difference from), ``coefficient``, ``se``, ``t``, ``p`` (two-sided), ``low``, ``high``,
        ``vif`` (variance inflation), ``deff`` (variance over the classical one). ``p``, ``low`` and
        ``high`` are null when the design has too few units for the coefficients.
    diagnostics
        One row: ``households`` with a weight, ``dropped`` for a missing answer, ``coefficients``,
        ``weight_sum``, ``r2``, ``adjusted_r2``, ``rmse`` (weighted), ``residual_sd`` (with n - k),
        ``condition`` (of the columns, each of length one), ``kish`` (design effect of the weights),
        ``psus``, ``strata``, ``df`` of the errors.
    covariance
        Of the coefficients: a column for each, named as `coefficients` orders them, ``term`` or
        ``term: level``.
    replicates
        Coefficients of each bootstrap or jackknife refit, if the errors are of those; the columns
        of `covariance`. Null where a term became constant.
    path
        Steps of a stepwise choice, or penalties tried.
    """

    spec: ModelSpec
    method: str
    errors: str
    level: float
    coefficients: pl.DataFrame
    diagnostics: pl.DataFrame
    covariance: pl.DataFrame
    replicates: pl.DataFrame | None
    path: pl.DataFrame | None
    _state: LeastSquares | None
    _plans: Mapping[str, Any]

    # -- the model -----------------------------------------------------------------------------

    @property
    def model(self) -> Model:
        """The formula as a scoring model: `to_model` with its defaults."""
        return self.to_model()

    def to_model(
        self,
        *,
        id: str = "fit",
        title: str | None = None,
        country: str = "PK",
        year: int = 0,
        source: str = "estimated with nser_pmt",
        licence: str = "",
        notes: str = "",
        direction: models.Direction = "lower_is_poorer",
    ) -> Model:
        """Return the formula as a scoring model whose score is the predicted target.

        Parameters
        ----------
        id, title, country, year, source, licence, notes, direction
            See `Model`. A year of 0 says that none was given.

        Returns
        -------
        Model
            Of status ``research``. An answer that the formula does not know gives no score; a
            missing one neither, unless the term has a level for it.
        """
        rows = self.coefficients.select("term", "level", "coefficient").rows()
        points = {(term, level): value for term, level, value in rows}
        intercept = points.pop((INTERCEPT, ""), 0.0)
        inputs, terms, intercept = assemble(self._plans, points, intercept=intercept)
        if not terms:
            raise ModelError("a model needs a term", code="no_terms")
        return Model(
            schema_version=models.SCHEMA_VERSION,
            id=id,
            title=title or f"{self.method} of {self.spec.target}",
            country=country,
            year=year,
            source=source,
            licence=licence,
            status="research",
            unit="household",
            direction=direction,
            notes=notes,
            inputs=inputs,
            intercept=intercept,
            terms=terms,
        )

    # -- other errors --------------------------------------------------------------------------

    def with_errors(self, errors: Literal["design", "cluster", "classical"]) -> Fit:
        """Return the same fit with other standard errors; ``"hc1"`` needs the rows: fit again."""
        chosen("errors", errors, Literal["design", "cluster", "hc1", "classical"])
        return self._again(self._least_squares().estimate(errors))

    def bootstrap(self, *, n: int = 500, seed: int = 0) -> Fit:
        """Return the fit with bootstrap errors.

        Parameters
        ----------
        n
            Number of refits.
        seed
            Of the draws: the same on every machine.

        Returns
        -------
        Fit
            With `replicates`. t has G - H degrees of freedom, for G units in H strata.

        Notes
        -----
        The rescaled bootstrap of Rao, Wu and Yue (1992): in each stratum ``n_h - 1`` of its ``n_h``
        primary units are drawn with replacement, each for ``n_h / (n_h - 1)``; with an fpc this
        spread shrinks by ``sqrt(1 - f)``. The variance is the mean square of the changes from the
        fit itself; refits in which a term becomes constant are left out of it.
        """
        if n < 2:
            raise invalid("n must be at least 2")
        return self._resampled("bootstrap", n, seed)

    def jackknife(self) -> Fit:
        """Return the fit with errors from leaving out each primary unit in turn (JKn).

        ``sum (1 - f) (n_h - 1) / n_h`` times the squared changes from the fit itself.
        """
        return self._resampled("jackknife", 0, 0)

    def _resampled(self, errors: Errors, n: int, seed: int) -> Fit:
        state = self._least_squares()
        solution = state.solution()
        covariance, changes = state.refits(solution, n, seed)
        estimate = state.estimate(errors, resampled=covariance)
        names = [column.name for column in estimate.columns]
        center = solution["coefficients"]
        width = len(names)
        rows = [
            [None] * width
            if change is None
            else [a + b for a, b in zip(center, change, strict=True)]
            for change in changes
        ]
        replicates = pl.DataFrame(rows, schema=dict.fromkeys(names, pl.Float64), orient="row")
        return replace(self._again(estimate), replicates=replicates)

    # -- other formulas and weights ------------------------------------------------------------

    def drop(self, *terms: str) -> Fit:
        """Return the fit without some terms, from the sums: no rows are read.

        Errors are of the same kind, see `errors`; but HC1 errors, which need the rows, become
        classical, and those of a bootstrap or jackknife design errors.
        """
        own = self._terms()
        self._check(terms, own)
        return self.keep(*(term for term in own if term not in terms))

    def add(self, *terms: str) -> Fit:
        """Return the fit with terms of its spec that had been dropped."""
        known = self._all_terms()
        self._check(terms, known)
        wanted = {*self._terms(), *terms}
        return self.keep(*(term for term in known if term in wanted))

    def keep(self, *terms: str) -> Fit:
        """Return the fit on some terms of its spec; the intercept stays if there is one."""
        self._check(terms, self._all_terms())
        state = self._least_squares()
        keep = tuple(
            n
            for n, column in enumerate(state.columns)
            if column.term in terms or column.term == INTERCEPT
        )
        if not terms:
            raise invalid("keep at least one term")
        return self._with(replace(state, keep=keep))

    def refit(self, *, psu_weights: pl.DataFrame) -> Fit:
        """Return the fit under other weights of the primary units, from the sums.

        Parameters
        ----------
        psu_weights
            The columns of the primary unit (and of its stratum, if there are strata) and
            ``factor``, by which the weights of its households are multiplied. Units that are not in
            it keep theirs.

        Returns
        -------
        Fit
        """
        state = self._least_squares()
        state._units("a refit")
        psus = state.design.psus
        assert psus is not None
        for column in (*psus.columns, "factor"):
            if column not in psu_weights.columns:
                raise missing_column(column, psu_weights.columns)
        given = psu_weights.select(*psus.columns, pl.col("factor").cast(pl.Float64))
        if given.select(psus.columns).is_duplicated().any():
            raise SchemaError("psu_weights has a unit twice", code="duplicate_key")
        factors = psus.join(given, on=psus.columns, how="left", maintain_order="left")
        values = factors.get_column("factor").fill_null(1.0)
        if not (values.is_finite() & (values >= 0)).all():
            raise DomainError(
                "column 'factor': expected finite numbers, zero or more",
                code="bad_weight",
                column="factor",
            )
        return self._with(state.reweighted(values.to_list()))

    def cross_validate(self, *, folds: int = 10, seed: int = 0) -> CrossValidation:
        """Predict each primary unit from the others, fold by fold, from the sums.

        Parameters
        ----------
        folds
            Number of folds; whole primary units, in turn by stratum so that folds are alike.
        seed
            Which units go together.

        Returns
        -------
        CrossValidation
        """
        state = self._least_squares()
        state._units("cross-validation")
        strata = state.design.stages[0][0] or [0] * state.moments.groups
        units = len(strata)
        if not 2 <= folds <= units:
            raise invalid(f"folds must be from 2 to the number of primary units, {units}")
        order = list(range(units))
        random.Random(seed).shuffle(order)
        order.sort(key=strata.__getitem__)
        fold = [0] * units
        for turn, unit in enumerate(order):
            fold[unit] = turn % folds
        solution = state.solution()
        found = state.fold_errors(solution, fold, folds)
        table = (
            pl.DataFrame({"fold": fold, "weight": state.unit_weights()})
            .group_by("fold")
            .agg(psus=pl.len(), weight=pl.col("weight").sum())
            .sort("fold")
            .select(
                "fold",
                "psus",
                "weight",
                rmse_in=(pl.Series([own for own, _ in found]) / pl.col("weight")).sqrt(),
                rmse_out=(
                    pl.Series([out for _, out in found], dtype=pl.Float64) / pl.col("weight")
                ).sqrt(),
            )
        )
        outs = [nan if out is None else out for _, out in found]
        return CrossValidation(
            folds=table,
            r2=1 - sum(outs) / solution["total"],
            rmse=sqrt(sum(outs) / state.weight_sum) if sum(outs) == sum(outs) else nan,
        )

    # -- helpers -------------------------------------------------------------------------------

    def _least_squares(self) -> LeastSquares:
        if self._state is None:
            raise ModelError(
                f"method '{self.method}' keeps no sums of products",
                code="rows_needed",
                hint="Fit again",
            )
        return self._state

    def _all_terms(self) -> list[str]:
        return [term.id for term in self.spec.terms]  # type: ignore[union-attr]

    def _terms(self) -> list[str]:
        used = set(self.coefficients.get_column("term").to_list())
        return [term for term in self._all_terms() if term in used]

    def _check(self, terms: tuple[str, ...], known: list[str]) -> None:
        for term in terms:
            if term not in known:
                raise ModelError(
                    f"the fit has no term '{term}'",
                    code="no_such_name",
                    hint=f"It has: {', '.join(known)}",
                )

    def _with(self, state: LeastSquares) -> Fit:
        """Solve again, with the same errors where no rows are needed for them."""
        others: dict[str, Any] = {"bootstrap": "design", "jackknife": "design", "hc1": "classical"}
        return self._again(state.estimate(others.get(self.errors, self.errors)))

    def _again(self, estimate: Estimate) -> Fit:
        return _shown(self.spec, self.method, estimate, self.level, self._plans)

    # -- how it shows --------------------------------------------------------------------------

    def __repr__(self) -> str:
        d = self.diagnostics.row(0, named=True)
        head = (
            f"Fit: {self.method} of {self.spec.target}, {d['households']:,} households, "
            f"{d['coefficients']} coefficients, {self.errors} errors"
        )
        known = [
            f"{label} {d[name]:.4g}"
            for name, label in (("r2", "R2"), ("adjusted_r2", "adjusted"), ("rmse", "RMSE"))
            if d.get(name) is not None
        ]
        with pl.Config(
            tbl_rows=-1,
            tbl_cols=-1,
            tbl_width_chars=160,
            tbl_hide_dataframe_shape=True,
            tbl_hide_column_data_types=True,
            float_precision=4,
        ):
            table = str(self.coefficients.drop("base"))
        return "\n".join([head, ", ".join(known), table])

    def _repr_html_(self) -> str:
        head, known, *_ = repr(self).split("\n")
        with pl.Config(tbl_rows=-1, float_precision=4):
            table = self.coefficients._repr_html_()
        return f"<div><b>{escape(head)}</b><br>{escape(known)}</div>{table}"


def _shown(
    spec: ModelSpec, method: str, estimate: Estimate, level: float, plans: Mapping[str, Any]
) -> Fit:
    """Make the tables of a fit."""
    columns, values = estimate.columns, estimate.coefficients
    names = [column.name for column in columns]
    width = len(columns)
    matrix = estimate.covariance
    table: dict[str, Any] = {
        "term": [column.term for column in columns],
        "level": [column.level for column in columns],
        "base": [column.base for column in columns],
        "coefficient": values,
    }
    if matrix is not None:
        se = [sqrt(max(x, 0.0)) for x in matrix[:: width + 1]]
        t = [b / s if s else nan for b, s in zip(values, se, strict=True)]
        half = _native.student_limit(1 - level, estimate.df)
        table |= {
            "se": se,
            "t": t,
            "p": _native.student_p(t, estimate.df),
            "low": [b - half * s for b, s in zip(values, se, strict=True)],
            "high": [b + half * s for b, s in zip(values, se, strict=True)],
        }
    table |= estimate.extra
    rows = [matrix[n * width : (n + 1) * width] for n in range(width)] if matrix else []
    return Fit(
        spec=spec,
        method=method,
        errors=estimate.errors,
        level=level,
        coefficients=pl.DataFrame(table).fill_nan(None),
        diagnostics=pl.DataFrame({name: [value] for name, value in estimate.statistics.items()}),
        covariance=pl.DataFrame(dict(zip(names, rows, strict=False))),
        replicates=None,
        path=estimate.path,
        _state=estimate.state,
        _plans=plans,
    )
