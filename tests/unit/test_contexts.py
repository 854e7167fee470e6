"""Score and status as expressions, in every place where Polars takes one."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nser_pmt as nser
from nser_pmt import _engine
from strategies import chunked

ENGINES = ("in-memory", "streaming")
OLD_POLARS = tuple(int(n) for n in pl.__version__.split(".")[:2]) < (1, 32)
BOTH = ("pmt_score", "pmt_status")


@pytest.fixture(scope="module")
def model() -> nser.Model:
    return nser.load_model("schreiner-pk-2009")


@pytest.fixture(scope="module")
def hh(model: nser.Model) -> pl.DataFrame:
    """5,000 households, some of them with a missing or an unknown answer."""
    n = pl.int_range(pl.len())
    frame = nser.synth.households(5_000, seed=11).select("hh_id", "region", *model.columns)
    return frame.with_columns(
        n_le13=pl.when(n % 7 == 0).then(None).otherwise("n_le13"),
        water=pl.when(n % 11 == 0)
        .then(pl.lit("a canal"))
        .otherwise(pl.col("water").cast(pl.String)),
    )


@pytest.fixture(scope="module")
def scored(hh: pl.DataFrame, model: nser.Model) -> pl.DataFrame:
    out = nser.score(hh, model)
    assert set(out["pmt_status"]) == {"ok", "missing", "out_of_domain"}
    assert out["pmt_score"].n_unique() > 50
    return out


# ---------------------------------------------------------------- contexts


def test_select_and_with_columns(hh: Any, model: Any, scored: Any) -> None:
    assert_frame_equal(hh.with_columns(model.score_expr(), model.status_expr()), scored)
    assert_frame_equal(
        hh.select(model.status_expr(), model.score_expr()), scored.select(BOTH[::-1])
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_lazy(engine: Any, hh: Any, model: Any, scored: Any) -> None:
    query = hh.lazy().with_columns(model.score_expr(), model.status_expr())
    assert query.collect_schema() == scored.schema
    assert_frame_equal(query.collect(engine=engine), scored)
    query = nser.score(hh.lazy(), model)
    assert query.collect_schema() == scored.schema
    assert_frame_equal(query.collect(engine=engine), scored)


def test_filter(hh: Any, model: Any, scored: Any) -> None:
    poor = (pl.col("pmt_score") < 40) & (pl.col("pmt_status") == "ok")
    got = hh.filter(model.score_expr() < 40, model.status_expr() == "ok")
    assert_frame_equal(got, scored.filter(poor).select(hh.columns))
    assert 0 < got.height < hh.height


def test_group_by(hh: Any, model: Any, scored: Any) -> None:
    got = hh.group_by("region", maintain_order=True).agg(
        model.score_expr().mean(),
        (model.status_expr() == "ok").sum().alias("n"),
        model.score_expr().alias("all"),
        model.status_expr(),
    )
    want = scored.group_by("region", maintain_order=True).agg(
        pl.col("pmt_score").mean(),
        (pl.col("pmt_status") == "ok").sum().alias("n"),
        pl.col("pmt_score").alias("all"),
        pl.col("pmt_status"),
    )
    assert_frame_equal(got, want)


def test_group_by_of_an_aggregate(hh: Any, model: Any) -> None:
    """One input is one value a group, the others are columns."""
    most = pl.col("n_le13").max()
    got = hh.group_by("region", maintain_order=True).agg(model.score_expr(inputs={"n_le13": most}))
    spread = nser.score(hh.with_columns(most.over("region")), model)
    want = spread.group_by("region", maintain_order=True).agg("pmt_score")
    assert_frame_equal(got, want)


@pytest.mark.skipif(OLD_POLARS, reason="Polars 1.30 takes no first() of what is one value already")
def test_group_by_where_every_input_is_an_aggregate(hh: Any, model: Any) -> None:
    first = {c: pl.col(c).first() for c in model.columns}
    got = hh.group_by("hh_id", maintain_order=True).agg(model.score_expr(inputs=first).first())
    assert_frame_equal(got, nser.score(hh, model).select("hh_id", "pmt_score"))


def test_over(hh: Any, model: Any, scored: Any) -> None:
    got = hh.select(model.score_expr().mean().over("region"), model.status_expr().over("region"))
    want = scored.select(pl.col("pmt_score").mean().over("region"), "pmt_status")
    assert_frame_equal(got, want)


def test_sink_and_read_again(hh: Any, model: Any, scored: Any, tmp_path: Path) -> None:
    nser.score(hh.lazy(), model).sink_parquet(tmp_path / "scored.parquet")
    assert_frame_equal(pl.read_parquet(tmp_path / "scored.parquet"), scored)


def test_after_serialisation(hh: Any, model: Any, scored: Any) -> None:
    copies = [
        pl.Expr.deserialize(e.meta.serialize()) for e in (model.score_expr(), model.status_expr())
    ]
    assert_frame_equal(hh.with_columns(copies), scored)
    query = pl.LazyFrame.deserialize(io.BytesIO(nser.score(hh.lazy(), model).serialize()))
    assert_frame_equal(query.collect(), scored)


# ---------------------------------------------------------------- inputs


def test_inputs_as_literals(hh: Any, model: Any) -> None:
    given = {"n_le13": 2, "tv": True, "province": pl.lit("Sindh")}
    got = hh.select(model.score_expr(inputs=given), model.status_expr(inputs=given))
    replaced = hh.with_columns(province=pl.lit("Sindh"), n_le13=pl.lit(2), tv=pl.lit(True))
    assert_frame_equal(got, nser.score(replaced, model).select(BOTH))


def test_all_inputs_are_literals(hh: Any, model: Any, scored: Any) -> None:
    row = 3
    given = {c: pl.lit(hh[c][row]) for c in model.columns}
    got = hh.with_columns(model.score_expr(inputs=given), model.status_expr(inputs=given))
    assert got.height == hh.height
    assert got.select(BOTH).unique().rows() == scored.select(BOTH).slice(row, 1).rows()


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_literals_in_a_short_frame(rows: int, hh: Any, model: Any) -> None:
    got = hh.tail(rows).select(model.score_expr(inputs={"tv": True}))
    want = nser.score(hh.tail(rows).with_columns(tv=pl.lit(True)), model).select("pmt_score")
    assert_frame_equal(got, want)


def test_inputs_as_expressions_and_other_columns(hh: Any, model: Any) -> None:
    named = hh.rename({"toilet": "latrine"})
    given = {"toilet": "latrine", "n_le13": pl.col("n_le13") + 1}
    got = named.select(model.score_expr(inputs=given), model.status_expr(inputs=given))
    want = nser.score(hh.with_columns(pl.col("n_le13") + 1), model).select(BOTH)
    assert_frame_equal(got, want)


def test_an_input_that_the_model_does_not_have(model: Any) -> None:
    with pytest.raises(nser.SchemaError) as caught:
        model.score_expr(inputs={"provinces": "x"})
    assert (caught.value.code, caught.value.column) == ("missing_column", "provinces")


# ---------------------------------------------------------------- shapes of frames


@pytest.mark.parametrize("rows", [0, 1, 4_999])
def test_few_rows(rows: int, hh: Any, model: Any, scored: Any) -> None:
    part, want = hh.head(rows), scored.head(rows)
    assert_frame_equal(nser.score(part, model), want)
    assert_frame_equal(part.with_columns(model.score_expr(), model.status_expr()), want)
    for engine in ENGINES:
        assert_frame_equal(nser.score(part.lazy(), model).collect(engine=engine), want)


NULLS: dict[str, Callable[[pl.DataFrame, str], pl.Expr]] = {
    "typed": lambda frame, c: pl.lit(None, dtype=frame.schema[c]),
    "pl.Null": lambda frame, c: pl.lit(None),
}


@pytest.mark.parametrize("kind", NULLS)
def test_all_null_columns(kind: str, hh: Any, model: Any) -> None:
    for column in ("province", "n_le13", "tv"):
        frame = hh.with_columns(NULLS[kind](hh, column).alias(column))
        for got in (
            nser.score(frame, model),
            nser.score(frame.lazy(), model).collect(engine="streaming"),
            frame.with_columns(model.score_expr(), model.status_expr()),
        ):
            assert got["pmt_score"].null_count() == hh.height
            assert set(got["pmt_status"]) == {"missing", "out_of_domain"}
    stated = hh.with_columns(
        NULLS[kind](hh, "female_head_spouse_educ").alias("female_head_spouse_educ")
    )
    assert set(nser.score(stated, model)["pmt_status"]) == {"ok", "missing", "out_of_domain"}


def test_slices_and_chunks(hh: Any, model: Any, scored: Any) -> None:
    sliced = hh.slice(1_027, 2_500)
    assert_frame_equal(nser.score(sliced, model), scored.slice(1_027, 2_500))
    pieces = [chunked(hh[c], [n, 100 * n + 7]) for n, c in enumerate(hh.columns, start=1)]
    frame = pl.DataFrame(pieces).slice(3)
    assert max(frame[c].n_chunks() for c in frame.columns) > 1
    want = scored.slice(3)
    assert_frame_equal(nser.score(frame, model), want)
    assert_frame_equal(frame.with_columns(model.score_expr(), model.status_expr()), want)
    assert_frame_equal(nser.score(frame.lazy(), model).collect(engine="streaming"), want)


def test_half_a_million_rows_stay_in_order(model: Any) -> None:
    rows = 500_000
    frame = nser.synth.households(rows, seed=2).select("hh_id", *model.columns)
    want = nser.score(frame, model)
    got = nser.score(frame.lazy(), model).collect(engine="streaming")
    assert_frame_equal(got, want)
    assert got["hh_id"].to_list() == list(range(1, rows + 1))


def test_a_wide_frame_keeps_its_other_columns(hh: Any, model: Any, scored: Any) -> None:
    extra = {f"x{n}": np.full(hh.height, n) for n in range(500)}
    wide = pl.DataFrame(extra).hstack(hh)
    for got in (nser.score(wide, model), nser.score(wide.lazy(), model).collect()):
        assert got.columns == [*wide.columns, *BOTH]
        assert_frame_equal(got.select(wide.columns), wide)
        assert_frame_equal(got.select(BOTH), scored.select(BOTH))
    assert wide.columns == [*extra, *hh.columns]


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("lazy", [False, True])
def test_suffix(lazy: bool, hh: Any, model: Any, scored: Any) -> None:
    frame = scored.lazy() if lazy else scored
    with pytest.raises(nser.SchemaError, match="pmt_score") as caught:
        nser.score(frame, model)
    assert (caught.value.code, caught.value.column) == ("column_exists", "pmt_score")
    got = nser.score(frame, model, suffix="_2").lazy().collect()
    assert got.columns == [*scored.columns, "pmt_score_2", "pmt_status_2"]
    again = got.select(pmt_score="pmt_score_2", pmt_status="pmt_status_2")
    assert_frame_equal(again, scored.select(BOTH))
    with pytest.raises(nser.SchemaError, match="pmt_status"):
        nser.score(frame.drop("pmt_score"), model)


@pytest.mark.parametrize("lazy", [False, True])
def test_missing_column(lazy: bool, hh: Any, model: Any) -> None:
    frame = hh.rename({"province": "provinces"})
    with pytest.raises(nser.SchemaError) as caught:
        nser.score(frame.lazy() if lazy else frame, model)
    error = caught.value
    assert (error.code, error.column) == ("missing_column", "province")
    assert str(error) == "column 'province' is missing. Did you mean 'provinces'?"
    with pytest.raises(nser.SchemaError) as caught:
        nser.score(hh.drop("tv").lazy() if lazy else hh.drop("tv"), model)
    assert caught.value.hint is None


# ---------------------------------------------------------------- without the plugin interface


@pytest.mark.parametrize("engine", ENGINES)
def test_fallback(engine: Any, hh: Any, model: Any, scored: Any, monkeypatch: Any) -> None:
    assert _engine.plugin_works()
    monkeypatch.setattr(_engine, "plugin_works", lambda: False)
    assert "map" in str(model.score_expr()) or "python" in str(model.score_expr()).lower()
    assert_frame_equal(nser.score(hh.lazy(), model).collect(engine=engine), scored)
    query = hh.lazy().with_columns(model.score_expr(), model.status_expr())
    assert_frame_equal(query.collect(engine=engine), scored)
    got = hh.group_by("region", maintain_order=True).agg(model.score_expr().mean())
    want = scored.group_by("region", maintain_order=True).agg(pl.col("pmt_score").mean())
    assert_frame_equal(got, want)
    given = {"n_le13": 2}
    literal = hh.select(model.score_expr(inputs=given))
    monkeypatch.undo()
    assert_frame_equal(literal, hh.select(model.score_expr(inputs=given)))


def test_fallback_errors_name_a_bad_row(hh: Any, model: Any, monkeypatch: Any) -> None:
    """Polars may make a ComputeError of ours, or a new error of our class from its text."""
    monkeypatch.setattr(_engine, "plugin_works", lambda: False)
    with pytest.raises((nser.DomainError, pl.exceptions.ComputeError)) as caught:
        nser.score(hh.lazy(), model, on_invalid="error").collect()
    found = re.search(r"column '(n_le13|water)', row (\d+): the value is", str(caught.value))
    assert found is not None
    assert int(found[2]) % {"n_le13": 7, "water": 11}[found[1]] == 0


# ---------------------------------------------------------------- the status column


@pytest.mark.parametrize("rows", [0, 1, 50])
def test_status_is_an_ordinary_enum(rows: int, hh: Any, model: Any) -> None:
    """On every road it compares, joins and stacks with an Enum that the caller made."""
    frame, enum = hh.head(rows), pl.Enum(["ok", "missing", "out_of_domain"])
    scored = nser.score(frame, model)
    for got in (
        scored["pmt_status"],
        nser.score(frame.lazy(), model).collect()["pmt_status"],
        nser.score(frame.lazy(), model).collect(engine="streaming")["pmt_status"],
        frame.select(model.status_expr()).to_series(),
    ):
        assert got.dtype == enum
        assert got.dtype.categories.to_list() == ["ok", "missing", "out_of_domain"]
        own = pl.Series("pmt_status", got.cast(pl.String), dtype=enum)
        assert (got == own).all()
        assert pl.concat([got, own]).to_list() == [*own, *own]
        labels = pl.DataFrame(
            {"pmt_status": pl.Series(enum.categories, dtype=enum), "n": [1, 2, 3]}
        )
        assert got.to_frame().join(labels, on="pmt_status").height == rows


@pytest.mark.parametrize("rows", [0, 1, 50])
def test_term_is_an_ordinary_enum(rows: int, hh: Any, model: Any) -> None:
    terms = pl.Enum(["intercept", *(term.id for term in model.terms)])
    got = nser.explain(hh.head(rows), model, id="hh_id")["term"]
    assert got.dtype == terms
    own = pl.Series("term", [*terms.categories] * rows, dtype=terms)
    assert len(got) == len(own)
    assert (got == own).all()
