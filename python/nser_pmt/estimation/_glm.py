"""Logit and probit under survey weights."""

from __future__ import annotations

from math import sqrt
from typing import Literal

from nser_pmt import _engine, _native
from nser_pmt.errors import DomainError
from nser_pmt.estimation._dense import covariance, dense, fault
from nser_pmt.estimation._least_squares import Errors, Estimate, Lonely
from nser_pmt.estimation._prepared import Prepared

__all__ = ["ROUNDS", "binary"]

ROUNDS = 30


def binary(
    prepared: Prepared,
    errors: Errors,
    *,
    link: Literal["logit", "probit"],
    lonely: Lonely,
    rounds: int = ROUNDS,
) -> Estimate:
    """Estimate the chance of a target from 0 to 1 by quasi-likelihood, as R's ``svyglm``.

    Design errors are those of ``svyglm(family = quasibinomial(link))``: scores at the coefficients,
    between two inverses of the expected information. Classical errors are those of a maximum
    likelihood fit with weights of a mean of 1, without a dispersion.
    """
    target = prepared.target
    bad = (target < 0) | (target > 1)
    if bad.any():
        raise DomainError(
            f"column '{prepared.spec.target}': expected numbers from 0 to 1",
            code="out_of_domain",
            column=prepared.spec.target,
            hint="Make it poor = 1 and not poor = 0",
        )
    given = dense(prepared)
    found = _native.glm_fit(
        given.columns,
        given.target,
        given.weights,
        given.rows,
        link=link,
        rounds=rounds,
        intercept=given.intercept,
        run=prepared.run(),
    )
    if "fault" in found:
        raise fault(prepared, given, found["fault"], found["columns"], link)
    coefficients = found["coefficients"]
    k, n = given.width, prepared.households
    inverse = _native.inverse(found["information"], k)
    mean_weight = prepared.weight_sum / n
    classical = [x * mean_weight for x in inverse]
    if errors == "classical":
        matrix, df = classical, float(n - k)
    else:
        factors = _native.glm_factors(
            given.columns,
            given.target,
            given.weights,
            given.rows,
            coefficients,
            link=link,
            intercept=given.intercept,
            run=prepared.run(),
        )
        scores = _engine.frame(factors, {}).get_column("factor")
        matrix, df = covariance(
            prepared, given, factors=scores, bread=inverse, errors=errors, lonely=lonely
        )
    plain = [sqrt(max(x, 0.0)) for x in classical[:: k + 1]]
    spread = [sqrt(max(x, 0.0)) for x in matrix[:: k + 1]]
    deviance, null = found["deviance"] / mean_weight, found["null_deviance"] / mean_weight
    return Estimate(
        columns=prepared.columns,
        coefficients=coefficients,
        covariance=matrix,
        errors=errors,
        df=df,
        extra={"deff": [(a / b) ** 2 for a, b in zip(spread, plain, strict=True)]},
        statistics={
            "households": n,
            "dropped": prepared.dropped,
            "coefficients": k,
            "weight_sum": prepared.weight_sum,
            "deviance": deviance,
            "null_deviance": null,
            "pseudo_r2": 1 - deviance / null,
            "rounds": len(found["rounds"]),
            "kish": prepared.kish,
            **prepared.design.size(),
            "df": df,
        },
    )
