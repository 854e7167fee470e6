"""Logit and median regression as the peers do them: their coefficients, the intercept first."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Coefficients = npt.NDArray[Any]
Peer = Callable[[pl.DataFrame, int], Coefficients]


def names(columns: int) -> list[str]:
    return [f"x{j}" for j in range(columns)]


def svy_logit(frame: pl.DataFrame, columns: int) -> Coefficients:
    import svy

    sample = svy.Sample(frame, svy.Design(psu="cluster", wgt="w"))
    found = sample.glm.fit(y="poor", x=names(columns), family="binomial")
    return np.array([term.est for term in found.coefs])


def glum_logit(frame: pl.DataFrame, columns: int) -> Coefficients:
    """With errors by cluster."""
    from glum import GeneralizedLinearRegressor

    x = frame.select(names(columns)).to_pandas()
    y, w = frame["poor"].to_numpy(), frame["w"].to_numpy()
    model = GeneralizedLinearRegressor(family="binomial", alpha=0, gradient_tol=1e-9)
    model.fit(x, y, sample_weight=w)
    model.covariance_matrix(x, y, sample_weight=w, clusters=frame["cluster"].to_numpy())
    return np.concatenate([[model.intercept_], model.coef_])


def sklearn_logit(frame: pl.DataFrame, columns: int) -> Coefficients:
    """No errors."""
    from sklearn.linear_model import LogisticRegression

    x, y = frame.select(names(columns)).to_numpy(), frame["poor"].to_numpy()
    model = LogisticRegression(C=np.inf, solver="newton-cholesky", tol=1e-8)
    model.fit(x, y, sample_weight=frame["w"].to_numpy())
    return np.concatenate([model.intercept_, model.coef_[0]])


def pyfixest_median(frame: pl.DataFrame, columns: int) -> Coefficients:
    """No weights; errors from the density at the median, as ours."""
    import pyfixest

    data = frame.select("y", *names(columns)).to_pandas()
    found = pyfixest.quantreg(f"y ~ {' + '.join(names(columns))}", data, vcov="nid", quantile=0.5)
    return np.asarray(found.coef())


def statsmodels_median(frame: pl.DataFrame, columns: int) -> Coefficients:
    """No weights."""
    import statsmodels.api as sm

    x = sm.add_constant(frame.select(names(columns)).to_numpy())
    return np.asarray(sm.QuantReg(frame["y"].to_numpy(), x).fit(q=0.5).params)


LOGIT: dict[str, Peer] = {
    "svy": svy_logit,
    "glum": glum_logit,
    "scikit-learn (no errors)": sklearn_logit,
}
MEDIAN: dict[str, Peer] = {
    "pyfixest (no weights)": pyfixest_median,
    "statsmodels (no weights)": statsmodels_median,
}
