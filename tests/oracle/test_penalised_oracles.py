"""Penalised paths against R's glmnet and their own conditions; stepwise choice against refits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt.estimation._least_squares import LeastSquares, sums
from nser_pmt.estimation._penalised import Penalty, path
from nser_pmt.estimation._prepared import prepare
from nser_pmt.estimation._stepwise import stepwise

SCHOOLS = ["ell", "meals", "mobility", "col.grad", "grad.sch", "full", "emer", "hsg", "some.col"]


def read(frame: pl.DataFrame, spec: nser.ModelSpec) -> LeastSquares:
    return sums(prepare(frame, spec, None), lonely="error", max_cache_mb=512.0)


@pytest.mark.parametrize(
    ("file", "alpha"), [("glmnet_apistrat", 1.0), ("glmnet_enet_apistrat", 0.5)]
)
def test_glmnet(shared_data: Path, file: str, alpha: float) -> None:
    expected = json.loads((shared_data / f"oracles/r_survey/{file}.json").read_text())
    frame = pl.read_csv(shared_data / "oracles/r_survey/apistrat.csv", null_values="NA")
    frame = frame.drop_nulls(["api00", *SCHOOLS, "pw"])
    spec = nser.ModelSpec(target="api00", terms=SCHOOLS, weights="pw")
    found = path(read(frame, spec), Penalty(alpha=alpha), lambdas=expected["lambda"])
    for i, (a0, *beta) in enumerate(zip(expected["a0"], *expected["beta"], strict=True)):
        assert found.coefficients[i] == pytest.approx([a0, *beta], rel=1e-7, abs=1e-7)


def test_pakistan(shared_data: Path) -> None:
    frame = pl.read_parquet(shared_data / "households/pak_hiics2015_16_household.parquet")
    frame = frame.with_columns(y=pl.col("cons_pc").clip(1).log())
    table = pl.read_csv(shared_data / "oracles/oracle_R_pak_glmnet_lasso.csv")
    names = table[""].to_list()[1:]
    columns = []
    for name in names:
        term = name[: name.index("_cat") + 4]
        columns.append((pl.col(term).cast(pl.String) == name[len(term) :]).alias(name))
    frame = frame.with_columns(columns)
    spec = nser.ModelSpec(target="y", terms=names, weights="w_calibrated")
    found = path(read(frame, spec), Penalty(alpha=1.0), lambdas=[0.1, 0.05, 0.02, 0.01, 0.005])
    for i, own in enumerate(found.coefficients):
        # glmnet's threshold is 1e-7 of the variance: its coefficients are as near as its root.
        assert own == pytest.approx(table[f"s{i}"].to_list(), abs=5e-4)


def survey(seed: int, n: int = 400) -> tuple[pl.DataFrame, list[str]]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 8)) * [1, 5, 0.1, 1, 2, 1, 1, 100] + 3
    x[:, 3] = x[:, 0] + 0.1 * x[:, 3]
    group = rng.integers(0, 5, n)
    y = x @ [1, 0.2, 0, 0.5, 0, 0, -0.3, 0.001] + group * 0.3 + rng.normal(size=n)
    frame = pl.DataFrame({f"x{j}": x[:, j] for j in range(8)})
    frame = frame.with_columns(
        y=pl.Series(y), w=pl.Series(rng.uniform(0.1, 30, n)), g=pl.Series(group).cast(pl.String)
    )
    return frame, [f"x{j}" for j in range(8)]


@pytest.mark.parametrize("alpha", [0.0, 0.3, 1.0])
@pytest.mark.parametrize("standardise", [True, False])
def test_conditions_of_an_optimum(alpha: float, standardise: bool) -> None:
    frame, terms = survey(5)
    spec = nser.ModelSpec(target="y", terms=terms, weights="w")
    factors = {"x1": 0.0, "x2": 3.0}
    penalty = Penalty(alpha=alpha, standardise=standardise, factors=factors)
    found = path(read(frame, spec), penalty, count=20)
    x, y, w = frame.select(terms).to_numpy(), frame["y"].to_numpy(), frame["w"].to_numpy()
    w = w / w.sum()
    x, y = x - w @ x, y - w @ y
    scale = np.sqrt(w @ x**2) if standardise else np.ones(len(terms))
    deviation = np.sqrt(w @ y**2)
    charge = np.array([factors.get(term, 1.0) for term in terms])
    for value, (_, *beta) in zip(found.table["lambda"], found.coefficients, strict=True):
        b = np.array(beta)
        gradient = (w * (y - x @ b)) @ x / scale
        pull = gradient - charge * value * (1 - alpha) * b * scale / deviation
        limit = charge * alpha * value
        used = b != 0
        tolerance = 1e-10 * deviation
        assert np.abs(pull[used] - limit[used] * np.sign(b[used])).max() < tolerance
        assert (np.abs(pull[~used]) <= limit[~used] + tolerance).all()
    first = found.coefficients[0]
    if alpha > 0:
        # Nothing but the free column is in at the largest penalty, and something after it.
        assert [b != 0 for b in first[1:]] == [term == "x1" for term in terms]
        assert found.table["nonzero"][1] > 1


@pytest.mark.parametrize("criterion", ["p", "aic", "bic"])
@pytest.mark.parametrize("direction", ["forward", "backward", "both"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_stepwise(criterion: Any, direction: Any, seed: int) -> None:
    frame, terms = survey(seed)
    frame = frame.with_columns(twice=2 * pl.col("x5"))
    spec = nser.ModelSpec(target="y", terms=[*terms, nser.terms.levels("g"), "twice"], weights="w")
    found = stepwise(read(frame, spec), direction=direction, criterion=criterion, forced=["x4"])
    steps = [(row["term"], row["action"]) for row in found.table.iter_rows(named=True)]
    assert steps == naive(frame, [*terms, "g", "twice"], criterion, direction)
    kept = {found.state.columns[i].term for i in found.state.keep}
    follows = direction == "backward" or "x5" in kept
    assert found.refused == (("twice",) if follows else ("x5",) if "twice" in kept else ())


def naive(
    frame: pl.DataFrame, terms: list[str], criterion: str, direction: str
) -> list[tuple[str, str]]:
    """Refit for every candidate of every step."""
    from scipy.stats import f as f_distribution

    y, w = frame["y"].to_numpy(), frame["w"].to_numpy()
    n = len(y)
    root = np.sqrt(w / w.mean())
    blocks = {t: frame.select(t).to_numpy() for t in terms if t != "g"}
    levels = sorted(frame["g"].unique())
    blocks["g"] = np.column_stack([(frame["g"] == v).to_numpy() * 1.0 for v in levels[1:]])

    def fitted(chosen: set[str]) -> tuple[float, int]:
        use = [np.ones((n, 1)), blocks["x4"], *(blocks[t] for t in terms if t in chosen)]
        x = np.column_stack(use)
        b, *_ = np.linalg.lstsq(x * root[:, None], y * root, rcond=None)
        rank = np.linalg.matrix_rank((x / np.abs(x).max(axis=0)) * root[:, None])
        return float(((root * (y - x @ b)) ** 2).sum()), int(rank)

    def value(rss: float, k: int) -> float:
        return n * np.log(rss / n) + (2 if criterion == "aic" else np.log(n)) * k

    def p(small: tuple[float, int], large: tuple[float, int]) -> float:
        extra = large[1] - small[1]
        f = (small[0] - large[0]) / extra / (large[0] / (n - large[1]))
        return float(f_distribution.sf(f, extra, n - large[1]))

    free = [t for t in terms if t != "x4"]
    chosen: set[str] = set()
    if direction == "backward":
        for term in free:
            if fitted(chosen | {term})[1] == fitted(chosen)[1] + blocks[term].shape[1]:
                chosen.add(term)
    out: list[tuple[str, str]] = []
    for _ in range(50):
        now = fitted(chosen)
        move = None
        if direction != "forward" and chosen:
            gone = {t: fitted(chosen - {t}) for t in free if t in chosen}
            if criterion == "p":
                t = max(gone, key=lambda t: p(gone[t], now))
                move = t if p(gone[t], now) > 0.1 else None
            else:
                t = min(gone, key=lambda t: value(*gone[t]))
                move = t if value(*gone[t]) < value(*now) else None
        if move is not None:
            chosen.remove(move)
            out.append((move, "leave"))
            continue
        if direction != "backward":
            more = {t: fitted(chosen | {t}) for t in free if t not in chosen}
            more = {t: m for t, m in more.items() if m[1] == now[1] + blocks[t].shape[1]}
            if criterion == "p" and more:
                t = min(more, key=lambda t: (p(now, more[t]), more[t][0]))
                move = t if p(now, more[t]) < 0.05 else None
            elif more:
                t = min(more, key=lambda t: value(*more[t]))
                move = t if value(*more[t]) < value(*now) else None
        if move is None:
            break
        chosen.add(move)
        out.append((move, "enter"))
    return out
