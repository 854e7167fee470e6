"""Calibration by dense matrices and plain Newton steps: slow, and obviously right."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def factor(method: str, u: Array, low: float, high: float) -> tuple[Array, Array]:
    """Factor and slope of a method."""
    if method == "logit":
        a = (high - low) / ((1 - low) * (high - 1))
        e = np.exp(a * u)
        bottom = (high - 1) + (1 - low) * e
        g = (low * (high - 1) + high * (1 - low) * e) / bottom
        return g, (high - low) ** 2 * e / bottom**2
    free, slope = (1 + u, np.ones_like(u)) if method == "linear" else (np.exp(u), np.exp(u))
    return np.clip(free, low, high), np.where((free > low) & (free < high), slope, 0.0)


def calibrated(
    x: Array,
    weights: Array,
    totals: Array,
    method: str,
    bounds: tuple[float, float] = (-np.inf, np.inf),
    slack: Array | None = None,
) -> Array:
    """Weights whose sums of the columns of `x` are the totals, by halved Newton steps."""
    slack = np.zeros(len(totals)) if slack is None else slack
    m = np.zeros(len(totals))

    def miss(m: Array) -> tuple[Array, Array]:
        g, slope = factor(method, x @ m, *bounds)
        return (weights * g) @ x + slack * m - totals, weights * slope

    for _ in range(200):
        gradient, slopes = miss(m)
        if np.abs(gradient).max() <= 1e-13 * np.abs(totals).max():
            break
        step = np.linalg.lstsq((x * slopes[:, None]).T @ x + np.diag(slack), -gradient)[0]
        length = 1.0
        while length > 1e-6 and not (
            np.linalg.norm(miss(m + length * step)[0]) < np.linalg.norm(gradient)
        ):
            length /= 2
        m = m + length * step
    return weights * factor(method, x @ m, *bounds)[0]


def indicators(codes: npt.NDArray[np.int64], levels: int) -> Array:
    """One column for each level."""
    return (codes[:, None] == np.arange(levels)).astype(float)
