"""Weighted least squares with errors by cluster, as the peers do it: (coefficients, errors)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Fitted = tuple[npt.NDArray[Any], npt.NDArray[Any]]


def design(frame: pl.DataFrame, columns: int) -> npt.NDArray[Any]:
    x = np.empty((frame.height, columns + 1))
    x[:, 0] = 1.0
    for j in range(columns):
        x[:, j + 1] = frame[f"x{j}"].to_numpy()
    return x


def normal_equations(frame: pl.DataFrame, columns: int) -> Fitted:
    """NumPy: the normal equations, and scores summed by bincount; CR1 errors."""
    x, y, w = design(frame, columns), frame["y"].to_numpy(), frame["w"].to_numpy()
    cluster = frame["cluster"].to_numpy()
    weighted = x * w[:, None]
    gram = x.T @ weighted
    b = np.linalg.solve(gram, weighted.T @ y)
    weighted *= (y - x @ b)[:, None]
    sums = np.stack([np.bincount(cluster, weights=weighted[:, j]) for j in range(columns + 1)])
    bread = np.linalg.inv(gram)
    n, groups = len(y), sums.shape[1]
    scale = groups / (groups - 1) * (n - 1) / (n - columns - 1)
    return b, np.sqrt(scale * np.diag(bread @ (sums @ sums.T) @ bread))


def statsmodels(frame: pl.DataFrame, columns: int) -> Fitted:
    import statsmodels.api as sm

    model = sm.WLS(frame["y"].to_numpy(), design(frame, columns), weights=frame["w"].to_numpy())
    groups = frame["cluster"].to_numpy()
    found = model.fit(cov_type="cluster", cov_kwds={"groups": groups})
    return found.params, found.bse


def svy(frame: pl.DataFrame, columns: int) -> Fitted:
    """Design errors: without the factor (n - 1) / (n - k)."""
    import svy

    sample = svy.Sample(frame, svy.Design(psu="cluster", wgt="w"))
    found = sample.glm.fit(y="y", x=[f"x{j}" for j in range(columns)], family="gaussian")
    terms = found.coefs
    return np.array([t.est for t in terms]), np.array([t.se for t in terms])


PEERS: dict[str, Callable[[pl.DataFrame, int], Fitted]] = {
    "NumPy normal equations": normal_equations,
    "svy": svy,
    "statsmodels": statsmodels,
}
