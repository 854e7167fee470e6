"""Laws of quantile regression, against every vertex of small problems."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

import nser_pmt as nser
from nser_pmt import _engine, _native
from nser_pmt.estimation._dense import dense
from nser_pmt.estimation._prepared import prepare

WHOLE = st.integers(-4, 4)


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[tuple[int, int, int, int]], float]:
    """Whole numbers: ties, rows on the plane, equal answers."""
    row = st.tuples(WHOLE, WHOLE, WHOLE, st.integers(0, 5))
    rows = draw(st.lists(row, min_size=5, max_size=11))
    return rows, draw(st.sampled_from([0.1, 0.25, 0.5, 0.8]))


@settings(deadline=None)
@given(problems())
def test_no_vertex_is_better(problem: tuple[list[tuple[int, int, int, int]], float]) -> None:
    rows, tau = problem
    table = np.array(rows, dtype=float)
    x = np.column_stack([np.ones(len(rows)), table[:, :2]])
    y, w = table[:, 2], table[:, 3]
    used = w > 0
    if used.sum() <= 3 or np.linalg.matrix_rank(x[used]) < 3:
        return
    frame = pl.DataFrame({"a": x[:, 1], "b": x[:, 2], "y": y, "w": w})
    spec = nser.ModelSpec(target="y", terms=["a", "b"], weights="w")
    prepared = prepare(frame, spec, None)
    given = dense(prepared)
    found, dual = _native.quantile_fit(
        given.columns,
        given.target,
        given.weights,
        given.rows,
        tau=tau,
        near=None,
        intercept=True,
        run=prepared.run(),
    )
    assert dual is not None, found
    a = _engine.frame(dual, {})["dual"].to_numpy()

    def loss(b: object) -> float:
        r = y - x @ b
        return float((w * r * (tau - (r < 0))).sum())

    own = np.array(found["coefficients"])
    vertices = []
    for basis in combinations(np.flatnonzero(used), 3):
        square = x[list(basis)]
        if abs(np.linalg.det(square)) > 1e-9:
            vertices.append(np.linalg.solve(square, y[list(basis)]))
    best = min(loss(b) for b in vertices)
    assert abs(loss(own) - best) <= 1e-9 * (1 + best)
    assert abs(found["loss"] - best) <= 1e-9 * (1 + best)
    # The dual proves it.
    assert np.abs(x.T @ a - (1 - tau) * x.T @ w).max() <= 1e-8 * (1 + w.sum())
    assert (a >= 0).all() and (a <= w).all()
    equals = [b for b in vertices if loss(b) <= best + 1e-9 and np.abs(b - own).max() > 1e-6]
    if found["unique"]:
        assert not equals
