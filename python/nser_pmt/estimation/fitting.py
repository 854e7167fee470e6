"""Estimating a formula from a survey: `fit`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import polars as pl

from nser_pmt._options import chosen, invalid, polars_frame
from nser_pmt.control import RunControl
from nser_pmt.estimation._fit_methods import METHODS, Method, Options
from nser_pmt.estimation._least_squares import Lonely
from nser_pmt.estimation._prepared import prepare
from nser_pmt.estimation._stepwise import Criterion, Direction
from nser_pmt.estimation.fit_result import CrossValidation, Fit, plans_of, shown
from nser_pmt.estimation.model_spec import ModelSpec

__all__ = ["CrossValidation", "Fit", "Method", "fit"]

# Methods whose refits are made from sums.
_REFITTED = ("wls", "poverty_focused", "stepwise")


def fit(
    survey: pl.DataFrame | pl.LazyFrame,
    spec: ModelSpec,
    *,
    method: Method = "wls",
    errors: Literal["auto", "design", "cluster", "hc1", "classical", "bootstrap"] = "auto",
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
    replicates: int = 500,
    seed: int = 0,
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
        residual variance; ``"bootstrap"``, of refits on draws of primary units, see
        `Fit.bootstrap` (least squares and quantiles). ``"auto"``: design if the spec has strata,
        psu or fpc, hc1 otherwise. For the jackknife see `Fit.jackknife`.
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
    replicates, seed
        Of ``"bootstrap"``: the number of refits; equal seeds give equal draws, on every machine.
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
    polars_frame("survey", survey)
    if not isinstance(spec, ModelSpec):
        raise invalid(f"spec must be a ModelSpec, found {type(spec).__name__}")
    chosen("method", method, Method)
    chosen("lonely_psu", lonely_psu, Lonely)
    chosen("errors", errors, Literal["auto", "design", "cluster", "hc1", "classical", "bootstrap"])
    if replicates < 2:
        raise invalid("replicates must be at least 2")
    refitted = errors == "bootstrap" and method in _REFITTED
    if errors == "bootstrap" and not refitted and method != "quantile":
        raise invalid(f"method='{method}' has no bootstrap errors")
    if not 0 < level < 1:
        raise invalid("level must lie between 0 and 1")
    designed = spec.strata is not None or spec.psu is not None or spec.fpc is not None
    if errors == "auto":
        errors = "design" if designed else "hc1"
    options = Options(
        errors="classical" if refitted else errors,
        replicates=replicates,
        seed=seed,
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
    estimate = METHODS[method](prepared, options)
    found = shown(spec, method, estimate, level, plans_of(prepared), options)
    return found.bootstrap(n=replicates, seed=seed) if refitted else found
