"""The same scores by nser_pmt and by every peer.

A peer comes in one form or several, by name; each is a function without arguments that returns a
vector of scores, and the fastest form counts. What can be prepared once for a model and a frame
(look-up tables, category codes, the one-hot matrix, a table inside DuckDB) is prepared outside the
timed function, and nothing is converted after the scores are there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import duckdb
import numpy as np
import polars as pl

import nser_pmt as nser
from nser_pmt import _native
from scoring.workload import CATEGORIES, LEVELS, NUMBERS, Formula, arrays, coded
from timing import Forms

BLOCK = 65_536  # rows that stay in cache between two passes of NumPy


def nser_pmt(df: pl.DataFrame, f: Formula, threads: int) -> Forms:
    model = f.model()

    def score() -> Any:
        scored = nser.score(df, model, control=nser.RunControl(threads=threads))
        return scored.get_column("pmt_score")

    def expression() -> Any:
        return df.select(model.score_expr()).get_column("pmt_score")

    return {"score": score, "score_expr": expression}


def nser_pmt_by_isa(df: pl.DataFrame, f: Formula) -> Forms:
    """Score on one thread with each instruction set of this processor."""
    model = f.model()
    scorer = model._scorer
    series = [df.get_column(name) for name in model.columns]

    def score(isa: str) -> Any:
        stream = scorer.score(series, df.height, score="s", status="t", threads=1, isa=isa)
        return pl.DataFrame(stream).get_column("s")

    return {isa: partial(score, isa) for isa in _native.isa_names()}


def polars_replace_strict(df: pl.DataFrame, f: Formula) -> Forms:
    def points(k: int, column: pl.Expr, old: list[Any]) -> pl.Expr:
        return column.replace_strict(old, list(f.points[k]), return_dtype=pl.Float64)

    columns = list(enumerate(map(pl.col, CATEGORIES)))
    forms = _both_engines("labels", df, f, [points(k, c, f.labels(k)) for k, c in columns])
    if df.schema[CATEGORIES[0]] != pl.String:
        by_code = [points(k, c.to_physical(), list(range(LEVELS[k]))) for k, c in columns]
        forms |= _both_engines("codes", df, f, by_code)
    return forms


def polars_gather(df: pl.DataFrame, f: Formula) -> Forms:
    points = [
        pl.lit(pl.Series(p)).gather(pl.col(name).to_physical())
        for p, name in zip(f.points, CATEGORIES, strict=True)
    ]
    return _both_engines("gather", df, f, points)


def _both_engines(name: str, df: pl.DataFrame, f: Formula, points: list[pl.Expr]) -> Forms:
    total = pl.lit(f.intercept)
    for column, coefficient in zip(NUMBERS, f.coefficients, strict=True):
        total = total + pl.col(column) * coefficient
    for term in points:
        total = total + term
    lazy = df.lazy().select(score=total)
    return {
        f"{name}, in memory": lambda: lazy.collect(engine="in-memory").get_column("score"),
        f"{name}, streaming": lambda: lazy.collect(engine="streaming").get_column("score"),
    }


def duckdb_list(df: pl.DataFrame, f: Formula, threads: int) -> Forms:
    """Look up in constant lists, over a table of codes that DuckDB holds itself."""
    connection = duckdb.connect(config={"threads": threads})
    connection.register("arrow", coded(df).to_arrow())
    connection.execute("create table households as select * from arrow")
    connection.unregister("arrow")
    terms = [_double(f.intercept)]
    terms += [f"{_double(b)} * {c}" for b, c in zip(f.coefficients, NUMBERS, strict=True)]
    for points, column in zip(f.points, CATEGORIES, strict=True):
        terms.append(f"[{', '.join(map(_double, points))}][{column} + 1]")
    query = f"select {' + '.join(terms)} as score from households"
    return {
        "to NumPy": lambda: connection.execute(query).fetchnumpy()["score"],
        "to Arrow": lambda: connection.sql(query).to_arrow_table().column("score"),
    }


def _double(value: float) -> str:
    return f"{value:.17e}"  # without an exponent it is a DECIMAL


def numpy_take(df: pl.DataFrame, f: Formula) -> Forms:
    """Add from left to right: these are the bits that nser_pmt must give."""
    columns = arrays(coded(df))
    numbers, codes = columns[: len(NUMBERS)], columns[len(NUMBERS) :]
    tables = [np.array(p) for p in f.points]

    def add(total: Any, part: Any, rows: slice) -> None:
        np.multiply(numbers[0][rows], f.coefficients[0], out=total)
        total += f.intercept
        for x, coefficient in zip(numbers[1:], f.coefficients[1:], strict=True):
            total += np.multiply(x[rows], coefficient, out=part)
        for code, table in zip(codes, tables, strict=True):
            total += np.take(table, code[rows], out=part, mode="clip")  # unbuffered, unlike "raise"

    def score(block: int) -> Any:
        total, part = np.empty(df.height), np.empty(block)
        for start in range(0, df.height, block):
            stop = min(start + block, df.height)
            add(total[start:stop], part[: stop - start], slice(start, stop))
        return total

    return {
        "whole columns": partial(score, df.height),
        f"{BLOCK:,} rows at a time": partial(score, BLOCK),
    }


def numpy_matmul(df: pl.DataFrame, f: Formula) -> Forms:
    weights = np.array([*f.coefficients, *(x for p in f.points for x in p)])
    by_columns = _one_hot(df)

    def multiply(matrix: Any) -> Any:
        total = matrix @ weights
        total += f.intercept
        return total

    by_rows = by_columns.copy(order="C")
    return {"by rows": partial(multiply, by_rows), "by columns": partial(multiply, by_columns)}


def _one_hot(df: pl.DataFrame) -> Any:
    columns = arrays(coded(df))
    matrix = np.zeros((df.height, len(NUMBERS) + sum(LEVELS)), order="F")
    for i, numbers in enumerate(columns[: len(NUMBERS)]):
        matrix[:, i] = numbers
    at = len(NUMBERS)
    for codes, n in zip(columns[len(NUMBERS) :], LEVELS, strict=True):
        for level in range(n):
            matrix[:, at + level] = codes == level
        at += n
    return matrix


def on_enums(df: pl.DataFrame, f: Formula, threads: int) -> dict[str, Forms]:
    """Make every form of every peer; those named nser_pmt must give the same bits."""
    groups = {"nser_pmt": nser_pmt(df, f, threads)}
    if threads > 1:
        groups["nser_pmt, one thread"] = {"score": nser_pmt(df, f, 1)["score"]}
    return groups | {
        "nser_pmt by instruction set": nser_pmt_by_isa(df, f),
        "Polars replace_strict": polars_replace_strict(df, f),
        "Polars gather": polars_gather(df, f),
        "DuckDB list look-up": duckdb_list(df, f, threads),
        "NumPy take": numpy_take(df, f),
        "NumPy one-hot matmul": numpy_matmul(df, f),
    }


def on_strings(df: pl.DataFrame, f: Formula, threads: int) -> dict[str, Forms]:
    """Make the peers that read String columns."""
    return {
        "nser_pmt": {"score": nser_pmt(df, f, threads)["score"]},
        "Polars replace_strict": polars_replace_strict(df, f),
    }


def left_to_right(df: pl.DataFrame, f: Formula) -> Any:
    """Return the scores that nser_pmt must give to the bit, of a frame with Enum columns."""
    return numpy_take(df, f)["whole columns"]()


def check(forms: Iterable[Callable[[], Any]], expected: Any, *, exactly: bool) -> bool:
    """Whether all forms give the expected scores: the same bits, or within 1e-9 of each."""

    def right(scores: Any) -> bool:
        if scores.shape != expected.shape:
            return False
        if exactly:
            return scores.tobytes() == expected.tobytes()
        return bool((np.abs(scores - expected) <= 1e-9 * np.abs(expected)).all())

    return all(right(np.asarray(form())) for form in forms)
