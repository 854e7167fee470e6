"""An estimated formula: `Fit`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from math import inf, nan, sqrt
from typing import Any, Literal

import polars as pl

from nser_pmt import _native
from nser_pmt._document import SCHEMA_VERSION
from nser_pmt._options import chosen, invalid, polars_frame
from nser_pmt.errors import DomainError, ModelError, NserWarning, SchemaError
from nser_pmt.estimation._cross_validation import CrossValidation, measured, predicted
from nser_pmt.estimation._design import INTERCEPT, assemble
from nser_pmt.estimation._fit_methods import METHODS, Options
from nser_pmt.estimation._least_squares import Errors, Estimate, LeastSquares, sums
from nser_pmt.estimation._prepared import Prepared, prepare
from nser_pmt.estimation._replicates import replicate_table
from nser_pmt.estimation.model_spec import ModelSpec
from nser_pmt.estimation.scorecard import Scorecard, to_scorecard
from nser_pmt.scoring import model as models
from nser_pmt.scoring.model import Model, missing_column
from nser_pmt.targeting.targeting import targeting

__all__ = ["CrossValidation", "Fit", "plans_of", "shown"]

# Which scores are poorer, unless told otherwise: the target of these is 1 for the poor.
_DIRECTIONS: Mapping[str, models.Direction] = {
    "logit": "higher_is_poorer",
    "probit": "higher_is_poorer",
}


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
        ``vif`` (variance inflation), ``deff`` (variance over the classical one; not of bootstrap
        errors of a quantile). ``p``, ``low`` and
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
    _options: Options

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
        direction: models.Direction | None = None,
    ) -> Model:
        """Return the formula as a scoring model.

        Its score is the predicted target; of logit and probit, the log odds and the normal quantile
        of the chance.

        Parameters
        ----------
        id, title, country, year, source, licence, notes
            See `Model`. A year of 0 says that none was given.
        direction
            Which scores are poorer. By default higher ones of logit and probit, as their target is
            taken to be 1 for the poor, and lower ones of the other methods, whose target is taken
            to be welfare.

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
            schema_version=SCHEMA_VERSION,
            id=id,
            title=title or f"{self.method} of {self.spec.target}",
            country=country,
            year=year,
            source=source,
            licence=licence,
            status="research",
            unit="household",
            direction=direction or _DIRECTIONS.get(self.method, "lower_is_poorer"),
            notes=notes,
            inputs=inputs,
            intercept=intercept,
            terms=terms,
        )

    def to_scorecard(
        self,
        *,
        points: int = 100,
        frame: pl.DataFrame | None = None,
        welfare: str | None = None,
        line: float | None = None,
        rate: float | Sequence[float] | None = None,
        weights: str | None = None,
        size: str | None = None,
        edges: Mapping[str, Sequence[float]] | None = None,
        lines: Mapping[str, float] | None = None,
        bands: float | Sequence[float] = 5,
        direction: models.Direction | None = None,
    ) -> Scorecard:
        """Turn the formula into a card with whole points.

        Parameters
        ----------
        points, frame, welfare, line, rate, edges, lines, bands
            See `nser_pmt.to_scorecard`. The fit keeps no rows: what the rounding costs, edges for
            linear terms and likelihoods by band of scores need a survey.
        weights, size
            By default those of the spec.
        direction
            See `to_model`.

        Returns
        -------
        Scorecard
            With the loss of accuracy in ``rounding``, and on a survey in ``comparison``.

        Examples
        --------
        >>> import nser_pmt as nser
        >>> homes = nser.synth.households(2000, seed=1)
        >>> homes = homes.with_columns(welfare=nser.score(homes, "schreiner-pk-2009")["pmt_score"])
        >>> spec = nser.ModelSpec(target="welfare", terms=[nser.terms.levels("tv"), "n_le13"])
        >>> card = nser.fit(homes, spec).to_scorecard(
        ...     points=20, frame=homes, welfare="welfare", rate=0.2, edges={"n_le13": [1, 3, 5]}
        ... )
        >>> card.rounding["points"].sum()
        20
        """
        return to_scorecard(
            self.to_model(direction=direction),
            points=points,
            frame=frame,
            welfare=welfare,
            line=line,
            rate=rate,
            weights=weights or self.spec.weights,
            size=size or self.spec.size,
            edges=edges,
            lines=lines,
            bands=bands,
            source=f"{self.method} of {self.spec.target}",
        )

    # -- other errors --------------------------------------------------------------------------

    def with_errors(self, errors: Literal["design", "cluster", "classical"]) -> Fit:
        """Return the same fit with other standard errors; ``"hc1"`` needs the rows: fit again."""
        chosen("errors", errors, Literal["design", "cluster", "hc1", "classical"])
        return self._same(self._least_squares().estimate(errors))

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
        ``fit(..., errors="bootstrap")`` gives the same, and does it for quantile regression.

        The rescaled bootstrap of Rao, Wu and Yue (1992): in each stratum ``n_h - 1`` of its ``n_h``
        primary units are drawn with replacement, each for ``n_h / (n_h - 1)``; with an fpc this
        spread shrinks by ``sqrt(1 - f)``. The variance is the mean square of the changes from the
        fit itself; refits in which a term becomes constant are left out of it.
        """
        if n < 2:
            raise invalid("n must be at least 2")
        options = replace(self._options, replicates=n, seed=seed)
        return replace(self, _options=options)._drawn()

    def _drawn(self) -> Fit:
        return self._resampled("bootstrap", self._options.replicates, self._options.seed)

    def jackknife(self) -> Fit:
        """Return the fit with errors from leaving out each primary unit in turn (JKn).

        ``sum (1 - f) (n_h - 1) / n_h`` times the squared changes from the fit itself.
        """
        return self._resampled("jackknife", 0, 0)

    def _resampled(self, errors: Errors, n: int, seed: int) -> Fit:
        state = self._least_squares()
        if self.spec.psu is None:
            raise ModelError(
                f"{errors} errors are of primary units, and the spec has no psu",
                code="no_design",
                hint="Where households were drawn one by one, psu is a column that numbers them",
            )
        solution = state.solution()
        covariance, changes = state.refits(solution, n, seed)
        estimate = state.estimate(errors, resampled=covariance)
        table = replicate_table(estimate.columns, solution["coefficients"], changes)
        return self._same(replace(estimate, replicates=table))

    # -- other formulas and weights ------------------------------------------------------------

    def drop(self, *terms: str) -> Fit:
        """Return the fit without some terms, from the sums: no rows are read.

        Errors are of the same kind, those of a bootstrap from the same draws. But HC1 errors need
        the rows: they become classical, with an `NserWarning`. The same goes for `add`, `keep` and
        `refit`.
        """
        own = self._terms()
        self._check(terms, own)
        return self._kept([term for term in own if term not in terms])

    def add(self, *terms: str) -> Fit:
        """Return the fit with terms of its spec that had been dropped."""
        known = self._all_terms()
        self._check(terms, known)
        wanted = {*self._terms(), *terms}
        return self._kept([term for term in known if term in wanted])

    def keep(self, *terms: str) -> Fit:
        """Return the fit on some terms of its spec; the intercept stays if there is one."""
        self._check(terms, self._all_terms())
        return self._kept(terms)

    def _kept(self, terms: Sequence[str]) -> Fit:
        state = self._least_squares()
        keep = tuple(
            n
            for n, column in enumerate(state.columns)
            if column.term in terms or column.term == INTERCEPT
        )
        if not terms:
            raise invalid("keep at least one term")
        return self._with(replace(state, keep=keep), called=4)

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
        return self._with(state.reweighted(values.to_list()), called=3)

    def cross_validate(
        self,
        *,
        folds: int = 10,
        seed: int = 0,
        frame: pl.DataFrame | pl.LazyFrame | None = None,
        welfare: str | None = None,
        line: float | None = None,
        rate: float | Sequence[float] | None = None,
        weights: str | None = None,
        size: str | None = None,
    ) -> CrossValidation:
        """Predict each primary unit from the others, fold by fold.

        Parameters
        ----------
        folds
            Number of folds; whole primary units, in turn by stratum so that folds are alike.
        seed
            Which units go together.
        frame
            The survey of the fit, for the predictions of its households. Least squares needs none
            for R2 and RMSE: it has sums. Other methods do, and are estimated again for each fold.
        welfare, line, rate
            Measure targeting by the predictions on the survey, as `targeting` does. Welfare is the
            target by default, which is enough for errors at a rate.
        weights, size
            Of targeting; by default those of the spec.

        Returns
        -------
        CrossValidation

        Raises
        ------
        ModelError
            The spec has no primary units, or the method keeps no sums and no survey is given.
        DomainError
            A term is constant without a fold, so that it cannot be predicted.

        Notes
        -----
        From sums, a stepwise choice of terms, and a line given as a share of the weight, are those
        of the whole survey; from rows they are made again for each fold.

        Examples
        --------
        >>> import nser_pmt as nser
        >>> homes = nser.synth.households(4000, seed=1).with_columns(
        ...     y=pl.col("consumption_pc").log(), psu=pl.col("hh_id") // 20
        ... )
        >>> spec = nser.ModelSpec(target="y", terms=[nser.terms.levels("toilet_cat")], psu="psu")
        >>> found = nser.fit(homes, spec).cross_validate(frame=homes, rate=[0.2, 0.4])
        >>> found.targeting.metrics.select("rate", pl.col("eer").round(2)).rows()
        [(0.2, 0.58), (0.4, 0.42)]
        """
        if frame is None and any(x is not None for x in (welfare, line, rate, weights, size)):
            raise invalid("welfare, line, rate, weights and size belong to a survey: give frame")
        if line is None and rate is None and any(x is not None for x in (welfare, weights, size)):
            raise invalid("targeting is measured at a line or a rate: give one")
        if self.spec.psu is None:
            raise ModelError(
                "cross-validation: the spec has no psu",
                code="no_design",
                hint="Where households were drawn one by one, psu is a column that numbers them",
            )
        if frame is None:
            return CrossValidation(**self._fold_sums(folds, seed))
        polars_frame("frame", frame)
        survey = frame.lazy().collect()
        if self._state is not None and self._state.moments.groups:
            state = self._state
            found = self._fold_sums(folds, seed)
        else:  # the units are wanted, which any term has
            sample = prepare(survey, replace(self.spec, terms=self.spec.terms[:1]), None)
            state, found = sums(sample, lonely="adjust", max_cache_mb=inf), None
        assert state.design.psus is not None
        units = state.design.psus.with_columns(fold=pl.Series(state.folds(folds, seed)))

        def formula(fold: pl.Series, number: int) -> Model:
            if found is None:
                others = prepare(survey.filter(fold != number), self.spec, None)
                options = replace(self._options, errors="classical")
                estimate = METHODS[self.method](others, options)
                return self._again(estimate, plans_of(others)).model
            without = state.reweighted([float(own != number) for own in units.get_column("fold")])
            return self._again(without.estimate("classical")).model

        predictions = predicted(survey, units, folds, formula)
        if found is None:
            own = None if self.method in _DIRECTIONS else self.model
            found = measured(survey, self.spec, units, predictions, own)
        errors = None
        if line is not None or rate is not None:
            errors = targeting(
                survey.with_columns(predictions.get_column("predicted")),
                score="predicted",
                welfare=welfare or self.spec.target,
                line=line,
                rate=rate,
                weights=weights or self.spec.weights,
                size=size or self.spec.size,
                direction=_DIRECTIONS.get(self.method, "lower_is_poorer"),
            )
        return CrossValidation(**found, predictions=predictions, targeting=errors)

    def _fold_sums(self, folds: int, seed: int) -> dict[str, Any]:
        """Return the table of folds, R2 and RMSE from the sums."""
        state = self._least_squares("Give the survey: cross_validate(frame=survey)")
        fold = state.folds(folds, seed)
        solution = state.solution()
        found = state.fold_errors(solution, fold, folds)
        weight = pl.col("weight")
        outs = pl.Series([out for _, out in found], dtype=pl.Float64)
        table = (
            pl.DataFrame({"fold": fold, "weight": state.unit_weights()})
            .group_by("fold")
            .agg(psus=pl.len(), weight=weight.sum())
            .sort("fold")
            .select(
                "fold",
                "psus",
                "weight",
                rmse_in=(pl.Series([own for own, _ in found]) / weight).sqrt(),
                rmse_out=(outs / weight).sqrt(),
            )
        )
        total = nan if outs.null_count() else sum(outs.to_list())
        rmse = sqrt(total / state.weight_sum) if total == total else nan
        return {"folds": table, "r2": 1 - total / solution["total"], "rmse": rmse}

    # -- helpers -------------------------------------------------------------------------------

    def _least_squares(self, hint: str | None = None) -> LeastSquares:
        if self._state is None:
            again = "Fit again" + (", with errors='bootstrap'" if self.method == "quantile" else "")
            raise ModelError(
                f"method '{self.method}' keeps no sums of products",
                code="rows_needed",
                hint=hint or again,
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

    def _with(self, state: LeastSquares, *, called: int) -> Fit:
        """Solve again, with the same errors; those that need the rows become classical."""
        if self.errors in ("bootstrap", "jackknife"):
            plain = self._again(state.estimate("classical"))
            return plain.jackknife() if self.errors == "jackknife" else plain._drawn()
        if self.errors == "hc1":
            warnings.warn(
                "HC1 errors need the rows: these are classical. Fit again for HC1",
                NserWarning,
                stacklevel=called,
            )
            return self._again(state.estimate("classical"))
        return self._again(state.estimate(self.errors))  # type: ignore[arg-type]

    def _same(self, estimate: Estimate) -> Fit:
        """Show other errors of this same fit: how it went stays."""
        known = self.diagnostics.row(0, named=True)
        statistics = {**known, **estimate.statistics}
        return self._again(replace(estimate, statistics=statistics, path=self.path))

    def _again(self, estimate: Estimate, plans: Mapping[str, Any] | None = None) -> Fit:
        return shown(
            self.spec, self.method, estimate, self.level, plans or self._plans, self._options
        )

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
        from nser_pmt._charts import coefficient_intervals

        head, known, *_ = repr(self).split("\n")
        with pl.Config(tbl_rows=-1, float_precision=4):
            table = self.coefficients._repr_html_()
        drawn = coefficient_intervals(self.coefficients, self.level)
        return f"<div><b>{escape(head)}</b><br>{escape(known)}</div>{drawn}{table}"


def plans_of(prepared: Prepared) -> dict[str, Any]:
    """Return what a scoring model is made of, but for the points."""
    return {"plans": prepared.built.plans, "inputs": prepared.built.inputs}


def shown(
    spec: ModelSpec,
    method: str,
    estimate: Estimate,
    level: float,
    plans: Mapping[str, Any],
    options: Options,
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
        replicates=estimate.replicates,
        path=estimate.path,
        _state=estimate.state,
        _plans=plans,
        _options=options,
    )
