"""The same questions put by hand to Polars and NumPy, and to scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.metrics import roc_auc_score, roc_curve

import nser_pmt as nser
from nser_pmt.targeting._cuts import Steps, steps
from targeting.workload import RATE, Registry
from timing import Forms

Floats = npt.NDArray[np.float64]


def ours(given: Registry, threads: int) -> nser.Targeting:
    return nser.targeting(
        given.frame,
        score="score",
        welfare="welfare",
        line=given.line,
        weights="w",
        points=0,
        control=nser.RunControl(threads=threads),
    )


def our_pass(given: Registry, threads: int) -> Steps:
    """Sort and sum alone, as the peers do: no checks, no poverty measures."""
    poor = given.frame["welfare"] <= given.line
    return steps(given.frame["score"], given.frame["w"], poor, nser.RunControl(threads=threads))


def by_polars(given: Registry) -> pl.DataFrame:
    """Return score, tp and fp at every distinct score."""
    poor = pl.col("welfare") <= given.line
    return (
        given.frame.lazy()
        .select("score", tp=pl.col("w") * poor, fp=pl.col("w") * ~poor)
        .group_by("score")
        .agg(pl.col("tp", "fp").sum())
        .sort("score")
        .with_columns(pl.col("tp", "fp").cum_sum())
        .collect()
    )


def by_numpy(given: Registry) -> tuple[Floats, Floats, Floats]:
    """Return score, tp and fp at every distinct score."""
    score, welfare, w = (given.frame[c].to_numpy() for c in ("score", "welfare", "w"))
    order = np.argsort(score, kind="stable")
    score, poor, w = score[order], welfare[order] <= given.line, w[order]
    last = np.append(np.flatnonzero(np.diff(score)), len(score) - 1)
    return score[last], np.cumsum(w * poor)[last], np.cumsum(w * ~poor)[last]


def auc_by_sklearn(given: Registry) -> float:
    frame = given.frame
    poor = (frame["welfare"] <= given.line).to_numpy()
    weights = frame["w"].to_numpy()
    return float(roc_auc_score(poor, -frame["score"].to_numpy(), sample_weight=weights))


def curve_by_sklearn(given: Registry) -> Any:
    frame = given.frame
    poor = (frame["welfare"] <= given.line).to_numpy()
    weights = frame["w"].to_numpy()
    return roc_curve(
        poor, -frame["score"].to_numpy(), sample_weight=weights, drop_intermediate=False
    )


def curves(given: Registry, threads: int) -> dict[str, Forms]:
    return {
        "nser_pmt": {"every metric": lambda: ours(given, threads)},
        "nser_pmt, the pass alone": {"all cut-offs": lambda: our_pass(given, threads)},
        "Polars by hand": {"all cut-offs": lambda: by_polars(given)},
        "NumPy by hand": {"all cut-offs": lambda: by_numpy(given)},
        "scikit-learn roc_curve": {"all cut-offs": lambda: curve_by_sklearn(given)},
        "scikit-learn roc_auc_score": {"area alone": lambda: auc_by_sklearn(given)},
    }


def our_intervals(given: Registry, replicates: int, threads: int) -> nser.Targeting:
    return nser.targeting(
        given.frame,
        score="score",
        welfare="welfare",
        rate=RATE,
        weights="w",
        psu="psu",
        strata="stratum",
        replicates=replicates,
        points=0,
        control=nser.RunControl(threads=threads),
    )


def numpy_intervals(given: Registry, replicates: int) -> Floats:
    """Return EER and the area in each replicate: the rows are sorted once, as by us."""
    rng = np.random.default_rng(1)
    psu, score, welfare, w = (given.frame[c].to_numpy() for c in ("psu", "score", "welfare", "w"))
    stratum = np.zeros(int(psu.max()) + 1, np.int64)
    stratum[psu] = given.frame["stratum"].to_numpy()
    members = [np.flatnonzero(stratum == s) for s in np.unique(stratum)]
    by_welfare, by_score = (np.argsort(x, kind="stable") for x in (welfare, score))
    last = np.append(np.flatnonzero(np.diff(score[by_score])), len(score) - 1)
    found = np.empty((replicates, 2))
    for number in range(replicates):
        factor = np.zeros(len(stratum))
        for units in members:
            n = len(units)
            drawn = np.bincount(rng.integers(0, n, n - 1), minlength=n)
            factor[units] = drawn * n / (n - 1)
        now = w * factor[psu]
        reached = np.cumsum(now[by_welfare])
        line = welfare[by_welfare[np.searchsorted(reached, RATE * reached[-1])]]
        poor = (welfare <= line)[by_score]
        sorted_w = now[by_score]
        tp = np.cumsum(sorted_w * poor)[last]
        fp = np.cumsum(sorted_w * ~poor)[last]
        cut = np.searchsorted(tp + fp, tp[-1])
        area = np.sum(np.diff(fp, prepend=0) * (tp + np.append(0, tp[:-1]))) / 2
        found[number] = 1 - tp[cut] / tp[-1], area / (tp[-1] * fp[-1])
    return found
