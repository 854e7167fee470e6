"""The same similarities by nser_pmt and by every peer, each from the form it likes best.

RapidFuzz takes lists of Python strings, DuckDB a table of its own; making these is not timed.
polars-ds would be another peer; it is built against one version of Polars and does not load in
this one.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import duckdb
import numpy as np
import polars as pl
from rapidfuzz import process
from rapidfuzz.distance import OSA, JaroWinkler, Levenshtein

import nser_pmt as nser
from nser_pmt import _engine, _native
from timing import Forms

RAPIDFUZZ = {
    "jaro_winkler": JaroWinkler.similarity,
    "levenshtein": Levenshtein.normalized_similarity,
    "osa": OSA.normalized_similarity,
}
DUCKDB = {
    "jaro_winkler": "jaro_winkler_similarity(a, b)",
    "levenshtein": "1 - levenshtein(a, b) / greatest(length(a), length(b))",
}


def nser_pmt(df: pl.DataFrame, metric: str) -> Forms:
    expression = getattr(nser.similarity, metric)("a", "b")
    return {"expression": lambda: df.select(expression).to_series()}


def nser_pmt_by_isa(df: pl.DataFrame, metric: str) -> Forms:
    """Compare with each instruction set of this processor."""

    def compare(isa: str) -> Any:
        spec = {"isa": isa}
        made = _engine.row_wise(f"similarity.{metric}", ["a", "b"], pl.Float64(), spec)
        return df.select(made).to_series()

    return {isa: partial(compare, isa) for isa in _native.isa_names()}


def rapidfuzz(df: pl.DataFrame, metric: str, threads: int) -> Forms:
    a, b = df["a"].to_list(), df["b"].to_list()
    scorer = RAPIDFUZZ[metric]
    return {
        "cpdist": lambda: process.cpdist(a, b, scorer=scorer, workers=threads, dtype=np.float64)
    }


def duckdb_sql(df: pl.DataFrame, metric: str, threads: int) -> Forms:
    connection = duckdb.connect(config={"threads": threads})
    connection.register("arrow", df.to_arrow())
    connection.execute("create table pairs as select * from arrow")
    connection.unregister("arrow")
    query = f"select {DUCKDB[metric]} as score from pairs"
    return {"SQL": lambda: connection.execute(query).fetchnumpy()["score"]}


def on_names(df: pl.DataFrame, metric: str, threads: int) -> dict[str, Forms]:
    groups = {"nser_pmt": nser_pmt(df, metric)}
    if threads == 1:
        groups["nser_pmt by instruction set"] = nser_pmt_by_isa(df, metric)
    groups["RapidFuzz"] = rapidfuzz(df, metric, threads)
    if metric in DUCKDB:
        groups["DuckDB"] = duckdb_sql(df, metric, threads)
    return groups


def agree(groups: dict[str, Forms]) -> str | None:
    """Name a form with other answers: than RapidFuzz's bits, or DuckDB's within 1e-9."""
    (reference,) = groups["RapidFuzz"].values()
    expected = np.asarray(reference())
    for group, forms in groups.items():
        for form, call in forms.items():
            found = np.asarray(call())
            right = np.abs(found - expected) <= (1e-9 if group == "DuckDB" else 0)
            if found.shape != expected.shape or not right.all():
                return f"{group} ({form})"
    return None
