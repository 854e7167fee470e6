"""Predictions out of fold, and the errors that follow from them."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt import terms
from nser_pmt.errors import DomainError, ModelError, SchemaError


def survey(rows: int = 900) -> pl.DataFrame:
    random = np.random.default_rng(5)
    frame = pl.DataFrame(
        {
            "psu": np.arange(rows) // 15 % 30,
            "stratum": np.where(np.arange(rows) < rows // 2, "a", "b"),
            "w": random.uniform(0.5, 3.0, rows),
            "size": random.integers(1, 9, rows),
            "rooms": random.uniform(0.05, 0.9, rows),
            "toilet": random.choice(["flush", "pit", "none"], rows),
        }
    )
    effect = {"flush": 0.4, "pit": 0.1, "none": -0.2}
    return frame.with_columns(
        y=pl.col("toilet").replace_strict(effect)
        + 0.5 * pl.col("rooms")
        + pl.Series(random.normal(7, 0.3, rows))
    ).with_columns(cons=pl.col("y").exp(), poor=(pl.col("y") < 7.2).cast(pl.Float64))


def spec(**changes: Any) -> nser.ModelSpec:
    given: dict[str, Any] = {
        "target": "y",
        "terms": [terms.levels("toilet"), "rooms"],
        "weights": "w",
        "psu": "psu",
        "strata": "stratum",
    }
    return nser.ModelSpec(**(given | changes))


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("wls", {}),
        ("quantile", {"tau": 0.3}),
        ("lasso", {"penalty": 0.01}),
        ("logit", {}),
    ],
)
def test_each_fold_is_scored_by_a_fit_on_the_others(method: Any, options: Any) -> None:
    frame = survey()
    given = spec(target="poor" if method == "logit" else "y")
    fit = nser.fit(frame, given, method=method, **options)
    found = fit.cross_validate(folds=4, seed=2, frame=frame)
    assert found.predictions is not None and found.predictions.null_count().sum_horizontal()[0] == 0
    units = frame.select("stratum", "psu").hstack(found.predictions).unique(["stratum", "psu"])
    assert units.height == 60 and units["fold"].value_counts()["count"].to_list() == [15] * 4
    for fold in range(4):
        mine = found.predictions["fold"] == fold
        rest = nser.fit(frame.filter(~mine), given, method=method, errors="auto", **options)
        expected = nser.score(frame.filter(mine), rest.model)["pmt_score"]
        own = found.predictions.filter(mine)["predicted"]
        assert own.to_list() == pytest.approx(expected.to_list(), rel=1e-9)
        if method != "logit":
            w, y = frame.filter(mine)["w"], frame.filter(mine)["y"]
            rmse = ((w * (y - expected) ** 2).sum() / w.sum()) ** 0.5
            assert found.folds["rmse_out"][fold] == pytest.approx(rmse, rel=1e-9)
            scored = nser.score(frame.filter(mine), fit.model)["pmt_score"]
            rmse = ((w * (y - scored) ** 2).sum() / w.sum()) ** 0.5
            assert found.folds["rmse_in"][fold] == pytest.approx(rmse, rel=1e-9)
    if method == "logit":
        assert found.folds["rmse_out"].null_count() == 4 and found.r2 != found.r2
    else:
        w, y = frame["w"], frame["y"]
        residual = (w * (y - found.predictions["predicted"]) ** 2).sum()
        total = (w * (y - (w * y).sum() / w.sum()) ** 2).sum()
        assert found.r2 == pytest.approx(1 - residual / total, rel=1e-9)
        assert found.rmse == pytest.approx((residual / w.sum()) ** 0.5, rel=1e-9)


def test_the_sums_and_the_rows_agree() -> None:
    frame = survey()
    fit = nser.fit(frame, spec())
    from_sums = fit.cross_validate(folds=5, seed=3)
    small = nser.fit(frame, spec(), max_cache_mb=0).cross_validate(folds=5, seed=3, frame=frame)
    assert from_sums.predictions is None and from_sums.targeting is None
    for column in from_sums.folds.columns:
        assert small.folds[column].to_list() == pytest.approx(from_sums.folds[column].to_list())
    assert small.r2 == pytest.approx(from_sums.r2, rel=1e-12)


def test_targeting_errors_are_those_of_the_predictions() -> None:
    frame = survey()
    fit = nser.fit(frame, spec())
    found = fit.cross_validate(frame=frame, welfare="cons", rate=[0.2, 0.4], size="size")
    assert found.targeting is not None and found.predictions is not None
    by_hand = nser.targeting(
        frame.hstack(found.predictions),
        score="predicted",
        welfare="cons",
        rate=[0.2, 0.4],
        weights="w",
        size="size",
    )
    assert found.targeting.metrics.equals(by_hand.metrics)
    assert found.targeting.counted == "w x size"
    lazy = fit.cross_validate(frame=frame.lazy(), welfare="cons", rate=[0.2, 0.4], size="size")
    assert lazy.predictions is not None and lazy.predictions.equals(found.predictions)
    # By default the target, and the weights of the spec; a chance of being poor is higher for them.
    of_target = fit.cross_validate(frame=frame, rate=0.2).targeting
    assert of_target is not None and (of_target.welfare, of_target.counted) == ("y", "w")
    chance = nser.fit(frame, spec(target="poor"), method="logit")
    turned = chance.cross_validate(frame=frame, welfare="cons", rate=0.2).targeting
    assert turned is not None and turned.direction == "higher_is_poorer"
    assert turned.metrics["auc"][0] > 0.6


def test_it_shows_folds_and_errors() -> None:
    frame = survey()
    found = nser.fit(frame, spec()).cross_validate(frame=frame, rate=0.2)
    text, html = repr(found), found._repr_html_()
    assert text.startswith("CrossValidation: 10 folds of 60 primary units, R2 0.")
    assert "rmse_out" in text and "fixed_rate" in text
    assert "10 folds" in html and "<table" in html and "<svg" in html


def test_a_household_without_an_answer_or_a_unit_has_no_prediction() -> None:
    frame = survey()
    given = spec(terms=[terms.levels("toilet"), terms.linear("rooms", missing="drop")])
    holes = frame.with_columns(
        rooms=pl.when(pl.int_range(pl.len()) == 7).then(None).otherwise("rooms")
    )
    fit = nser.fit(holes, given)
    more = pl.concat([holes, holes.head(1).with_columns(psu=pl.lit(99, pl.Int64))])
    found = fit.cross_validate(frame=more)
    assert found.predictions is not None
    assert found.predictions["predicted"].is_null().arg_true().to_list() == [7, 900]
    assert found.predictions["fold"].is_null().arg_true().to_list() == [900]


def test_what_cannot_be_done_is_said() -> None:
    frame = survey()
    fit = nser.fit(frame, spec())
    with pytest.raises(DomainError, match="give frame"):
        fit.cross_validate(rate=0.2)
    with pytest.raises(DomainError, match="at a line or a rate"):
        fit.cross_validate(frame=frame, welfare="cons")
    with pytest.raises(SchemaError, match="found dict"):
        fit.cross_validate(frame={"psu": [1]})  # type: ignore[arg-type]
    with pytest.raises(SchemaError, match="'psu'"):
        fit.cross_validate(frame=frame.drop("psu"))
    alone = nser.fit(frame, spec(psu=None, strata=None))
    with pytest.raises(ModelError, match="numbers them"):
        alone.cross_validate()
    median = nser.fit(frame, spec(), method="quantile", tau=0.5)
    with pytest.raises(ModelError, match=r"cross_validate\(frame=survey\)"):
        median.cross_validate()
    # A level that only one unit has.
    rare = frame.with_columns(
        toilet=pl.when((pl.col("psu") == 3) & (pl.col("stratum") == "a"))
        .then(pl.lit("river"))
        .otherwise("toilet")
    )
    only = nser.fit(rare, spec())
    assert only.cross_validate().folds["rmse_out"].null_count() == 1
    with pytest.raises(DomainError, match=r"fold \d cannot be predicted.*toilet: river"):
        only.cross_validate(frame=rare)
