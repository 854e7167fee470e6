"""Targeting: edge cases, what is refused, and what the result says of itself."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt.errors import DomainError, ModelError, SchemaError
from nser_pmt.scoring.model import Cutoff


def survey(**columns: Any) -> pl.DataFrame:
    given: dict[str, Any] = {
        "pmt_score": [10.0, 20, 20, 30, 40, 50],
        "cons": [900.0, 1100, 2500, 1000, 3000, 4000],
        "w": [2.0, 1, 1, 1, 2, 1],
    }
    return pl.DataFrame(given | columns)


def one(frame: pl.DataFrame, **options: Any) -> dict[str, Any]:
    given: dict[str, Any] = {"welfare": "cons", "line": 1200, "weights": "w"}
    return nser.targeting(frame, **(given | options)).metrics.row(0, named=True)


def test_nobody_poor() -> None:
    row = one(survey(), line=1)
    assert (row["headcount"], row["coverage"], row["cutoff"]) == (0, 0, None)
    for name in ("ier", "eer", "leakage_iris", "bpac", "cgh", "ntd", "auc", "transfer"):
        assert row[name] is None
    assert (row["type1"], row["total_accuracy"], row["fgt0_after"]) == (0, 1, 0)


def test_everybody_poor() -> None:
    row = one(survey(), line=9999)
    assert (row["headcount"], row["coverage"], row["eer"], row["ier"]) == (1, 1, 0, 0)
    assert row["type1"] is None and row["auc"] is None and row["ntd"] is None


def test_nobody_targeted() -> None:
    row = one(survey(), cutoff=0)
    assert (row["coverage"], row["eer"], row["ier"], row["transfer"]) == (0, 1, None, None)
    assert row["fgt1_after"] == row["fgt1"] > 0
    assert row["targeted_rows"] == 0


def test_all_tied() -> None:
    row = one(survey(pmt_score=[7.0] * 6))
    assert (row["coverage"], row["auc"], row["cutoff"]) == (1, 0.5, 7)
    assert row["ier"] == 0.5  # 4 of 8


def test_scores_that_are_not_known_are_counted_apart() -> None:
    frame = survey(pmt_score=[None, 20.0, math.nan, 30, 40, 50])
    found = nser.targeting(frame, welfare="cons", line=1200, weights="w")
    assert found.excluded.rows() == [
        ("zero_weight", 0, 0.0),
        ("no_welfare", 0, 0.0),
        ("needs_data", 2, 3.0),
    ]
    assert found.metrics.item(0, "weight") == 5
    assert "2 rows set apart: needs_data" in repr(found)


def test_scores_that_are_not_known_may_count_as_not_targeted() -> None:
    frame = survey(pmt_score=[None, 20.0, None, 30, 40, 50])
    found = nser.targeting(frame, welfare="cons", line=1200, weights="w", needs_data="not_targeted")
    row = found.metrics.row(0, named=True)
    assert (row["weight"], row["headcount"], row["tp"], row["fn"]) == (8, 0.5, 2, 2)
    assert found.steps["score"].to_list() == [20, 30, 40, 50]
    assert found.steps.row(-1, named=True)["fn"] == 2  # no cut-off reaches who has no score
    assert "measured as not targeted" in repr(found)
    # Fewer have scores than are poor: all who have one are targeted, and nobody else.
    row = one(survey(pmt_score=[None, 20.0, None, None, None, None]), needs_data="not_targeted")
    assert (row["cutoff"], row["targeted_rows"], row["tp"]) == (20, 1, 1)


def test_replicates_leave_who_has_no_score() -> None:
    frame = survey(pmt_score=[None, 20.0, None, None, None, None], psu=[1, 2, 3, 4, 5, 6])
    found = nser.targeting(
        frame, welfare="cons", line=1200, weights="w", psu="psu", needs_data="not_targeted",
        replicates=30,
    )  # fmt: skip
    assert found.intervals is not None
    estimates = dict(found.intervals.select("metric", "estimate").rows())
    assert estimates["coverage"] == found.metrics.item(0, "coverage") == 1 / 8


def test_welfare_that_is_not_known_and_weights_of_zero() -> None:
    frame = survey(cons=[900.0, None, math.nan, 1000, 3000, 4000], w=[2.0, 1, 1, 1, 0, 1])
    found = nser.targeting(frame, welfare="cons", line=1200, weights="w")
    assert found.excluded["rows"].to_list() == [1, 2, 0]
    assert found.metrics.item(0, "rows") == 3


@pytest.mark.parametrize(
    ("columns", "code", "column", "row"),
    [
        ({"w": [1.0, 1, -1, 1, 1, 1]}, "out_of_domain", "w", 2),
        ({"w": [1.0, None, 1, 1, 1, 1]}, "missing_value", "w", 1),
        ({"w": [1.0, math.nan, 1, 1, 1, 1]}, "missing_value", "w", 1),
        ({"w": [1.0, 1, 1, math.inf, 1, 1]}, "out_of_domain", "w", 3),
        ({"cons": [1.0, 1, 1, 1, 1, -math.inf]}, "out_of_domain", "cons", 5),
        ({"pmt_score": [math.inf, 1.0, 1, 1, 1, 1]}, "out_of_domain", "pmt_score", 0),
        ({"w": [0.0] * 6}, "no_rows", None, None),
        ({"cons": [None] * 6}, "no_rows", None, None),
    ],
)
def test_values_that_are_refused(
    columns: dict[str, Any], code: str, column: str | None, row: int | None
) -> None:
    with pytest.raises(DomainError) as error:
        one(survey(**columns))
    assert (error.value.code, error.value.column, error.value.row) == (code, column, row)


def test_columns_that_are_refused() -> None:
    with pytest.raises(SchemaError, match="column 'cons_' is missing"):
        one(survey(), welfare="cons_")
    with pytest.raises(SchemaError, match="column 'w': expected numbers, found String"):
        one(survey(w=["a"] * 6))
    with pytest.raises(DomainError, match="column 'psu', row 1: expected no missing value"):
        one(survey(psu=[1, None, 2, 2, 3, 3]), psu="psu")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"rate": 0.2}, "either line, or rate"),
        ({"line": None}, "either line, or rate"),
        ({"line": None, "rate": 1.0}, "between 0 and 1"),
        ({"line": math.nan}, "finite amounts"),
        ({"line": []}, "finite amounts"),
        ({"design": "best"}, "design must be one of fixed_rate, fixed_line, both"),
        ({"design": "fixed_line"}, "needs predicts"),
        ({"design": "both", "predicts": "welfare", "direction": "higher_is_poorer"}, "lower for"),
        ({"design": "fixed_rate", "cutoff": 3.0}, "either a cutoff, or a design"),
        ({"cutoff": "main"}, "needs its model"),
        ({"cutoff": math.inf}, "finite scores"),
        ({"strata": "w"}, "strata need psu"),
        ({"confidence": 1.0}, "confidence"),
        ({"budget": -1.0}, "budget"),
        ({"needs_data": "drop"}, "needs_data must be one of"),
    ],
)
def test_options_that_are_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(DomainError, match=words) as error:
        one(survey(), **options)
    assert error.value.code == "invalid_option"


def test_a_line_without_a_logarithm() -> None:
    with pytest.raises(DomainError, match="no logarithm"):
        one(survey(), line=0, design="fixed_line", predicts="log_welfare")


def test_a_unit_alone_in_its_stratum() -> None:
    frame = survey(psu=[1, 1, 2, 2, 3, 3], stratum=["a", "a", "a", "a", "b", "b"])
    with pytest.raises(DomainError, match="1 of 2 strata hold one") as error:
        one(frame, psu="psu", strata="stratum")
    assert error.value.code == "lonely_psu"
    found = nser.targeting(
        frame, welfare="cons", line=1200, psu="psu", strata="stratum", lonely_psu="certainty",
        replicates=20,
    )  # fmt: skip
    assert found.replicates == 20


def test_units_of_two_strata_are_two() -> None:
    frame = survey(psu=[1, 2, 1, 2, 1, 2], stratum=["a", "a", "b", "b", "c", "c"])
    named = frame.with_columns(psu=pl.concat_str("stratum", "psu"))
    made = [
        nser.targeting(f, welfare="cons", line=1200, psu="psu", strata="stratum", replicates=9)
        for f in (frame, named)
    ]
    assert made[0].intervals is not None and made[1].intervals is not None
    assert made[0].intervals.equals(made[1].intervals, null_equal=True)


def test_the_standard_error_is_that_of_linearisation() -> None:
    import numpy as np

    rng = np.random.default_rng(5)
    units, size = 300, 8
    effect = np.repeat(rng.normal(size=units), size)
    frame = pl.DataFrame(
        {
            "psu": np.repeat(np.arange(units), size),
            "stratum": np.repeat(np.arange(units) % 3, size),
            "w": rng.uniform(1, 3, units * size),
            "pmt_score": effect + rng.normal(size=units * size),
            "cons": effect + rng.normal(size=units * size),
        }
    )
    found = nser.targeting(
        frame, welfare="cons", line=-0.5, weights="w", cutoff=-0.4, psu="psu", strata="stratum",
        replicates=2000,
    )  # fmt: skip
    assert found.intervals is not None
    # Taylor: the variance of a ratio from totals of residuals by unit (Cochran, 1977, section 11).
    for metric, top, bottom in (
        ("coverage", pl.col("pmt_score") <= -0.4, pl.lit(True)),
        ("eer", (pl.col("cons") <= -0.5) & (pl.col("pmt_score") > -0.4), pl.col("cons") <= -0.5),
    ):
        estimate, se = found.intervals.filter(metric=metric).select("estimate", "se").row(0)
        residual = (top.cast(pl.Float64) - estimate * bottom.cast(pl.Float64)) * pl.col("w")
        whole = frame.select((bottom.cast(pl.Float64) * pl.col("w")).sum()).item()
        totals = frame.group_by("stratum", "psu").agg(residual.sum().alias("e"))
        by = totals.group_by("stratum").agg(v=pl.len() * pl.col("e").var())
        assert se == pytest.approx(math.sqrt(by["v"].sum()) / whole, rel=0.08)
        low, high = found.intervals.filter(metric=metric).select("low", "high").row(0)
        assert high - low == pytest.approx(2 * 1.96 * se, rel=0.1)


def test_a_line_for_each_household() -> None:
    frame = survey(z=[1200.0, 1000, 2600, 900, 900, 900])
    row = one(frame, line="z")
    assert row["line"] is None and row["headcount"] == 3 / 8
    scored = frame.with_columns(pmt_score=pl.Series([1100.0, 1100, 2700, 800, 5000, 5000]))
    row = one(scored, line="z", design="fixed_line", predicts="welfare")
    assert (row["cutoff"], row["tp"], row["fp"], row["fn"]) == (None, 2, 1, 1)


def test_transfers_that_differ() -> None:
    frame = survey(amount=[100.0, 50, 50, 10, 10, 10])
    found = nser.targeting(
        frame, welfare="cons", line=1200, weights="w", cutoff=20, transfer="amount"
    ).metrics.row(0, named=True)
    # Poor: 2 x 100 + 50 over 4; others: 50 over 4; recipients: 300 over 4.
    assert found["targeting_differential"] == 250 / 4 - 50 / 4
    assert found["ntd"] == (250 / 4 - 50 / 4) / (300 / 4)
    assert found["cgh"] == 250 / 300 / 0.5
    uniform = one(survey(amount=[7.0] * 6), cutoff=20, transfer="amount")
    plain = one(survey(), cutoff=20)
    assert uniform["ntd"] == pytest.approx(plain["ntd"], rel=1e-14)
    assert uniform["cgh"] == pytest.approx(plain["cgh"], rel=1e-14)


def test_a_group_of_which_nothing_is_measured() -> None:
    frame = survey(pmt_score=[None, 20.0, 20, 30, 40, 50], g=["a", None, "b", "b", "b", "b"])
    found = nser.targeting(frame, welfare="cons", line=1200, by="g")
    assert found.by is not None
    assert found.by.select("g", "rows", "weight", "eer", "auc").rows() == [
        ("a", 0, 0.0, None, None),
        ("b", 4, 4.0, 1.0, 2 / 3),
        (None, 1, 1.0, 0.0, None),
    ]
    both = nser.compare_models(
        frame, {"x": "pmt_score", "y": "cons"}, welfare="cons", line=1200, by="g"
    )
    assert both.switches.filter(pl.col("g") == "a")["rows"].to_list() == [0, 0, 0, 0]


def test_a_budget_of_ones_own() -> None:
    row = one(survey(), cutoff=20, budget=1000.0)
    assert (row["budget"], row["transfer"]) == (1000, 250)
    # 900, 1100 and 2500 get 250; 1000 does not.
    assert row["fgt1_after"] == pytest.approx(((1 - 1150 / 1200) * 2 + (1 - 1000 / 1200)) / 8)


def test_the_average_rule() -> None:
    frame = survey(cons=[1.0, 2, 3, 4, 5, 6], w=[1.0] * 6)
    assert one(frame, line=None, rate=0.5)["line"] == 3
    assert one(frame, line=None, rate=0.5, quantile_rule="average")["line"] == 3.5
    assert one(frame, line=None, rate=0.4, quantile_rule="average")["line"] == 3


def test_direction_and_cut_offs_of_a_model() -> None:
    for direction, turn in (("lower_is_poorer", 1.0), ("higher_is_poorer", -1.0)):
        for side, targeted in (("inclusive", 4), ("exclusive", 2)):
            model = replace(
                nser.load_model("schreiner-pk-2009"),
                direction=direction,
                cutoffs=(Cutoff("main", value=20.0 * turn, side=side),),
            )
            frame = survey().with_columns(pl.col("pmt_score") * turn)
            row = one(frame, cutoff="main", model=model)
            assert (row["cutoff"], row["tp"] + row["fp"]) == (20 * turn, targeted)
    unknown = replace(model, cutoffs=(Cutoff("main", value=20.0, side="unknown"),))
    with pytest.raises(DomainError, match="does not say"):
        one(survey(), cutoff="main", model=unknown)


def test_frames_may_be_lazy_and_of_other_types() -> None:
    frame = survey()
    money, count = pl.col("cons").cast(pl.Decimal(10, 2)), pl.col("w").cast(pl.Int8)
    lazy = frame.lazy().with_columns(money, count)
    assert one(lazy, line=1200) == one(frame)  # type: ignore[arg-type]


def test_it_shows_in_a_notebook() -> None:
    found = nser.targeting(survey(), welfare="cons", line=1200, weights="w", by="w")
    assert "<table" in found._repr_html_() and "Targeting" in found._repr_html_()
    assert found.concentration.columns[-3:] == ["people", "benefits", "welfare"]
    assert found.concentration.height == 101


def test_a_call_can_be_stopped() -> None:
    control = nser.RunControl()
    control.cancel()
    with pytest.raises(nser.CancelledError):
        one(survey(), control=control)


def test_templates_have_no_scores() -> None:
    with pytest.raises(ModelError):
        nser.compare_models(
            survey(), {"a": nser.load_model("bisp-psc-2009")}, welfare="cons", line=1
        )


def test_no_rows_are_explained_in_words() -> None:
    frame = pl.DataFrame({"pmt_score": [None, 2.0], "cons": [1.0, None]}).cast(pl.Float64)
    with pytest.raises(DomainError, match="1 have no welfare, 1 have no score"):
        nser.targeting(frame, welfare="cons", rate=0.2)
    with pytest.raises(DomainError, match="There are no rows"):
        nser.targeting(frame.head(0), welfare="cons", rate=0.2)
    with pytest.raises(SchemaError, match="must be a Polars DataFrame or LazyFrame, found list"):
        nser.targeting([frame], welfare="cons", rate=0.2)  # type: ignore[arg-type]


def test_models_are_given_by_name_and_model() -> None:
    frame = pl.DataFrame({"pmt_score": [1.0, 2.0], "cons": [1.0, 2.0]})
    with pytest.raises(DomainError, match="names, and for each"):
        nser.compare_models(frame, ["pmt_score"], welfare="cons", rate=0.5)  # type: ignore[arg-type]
    with pytest.raises(SchemaError, match=r"load_model\('schreiner-pk-2009'\)"):
        nser.compare_models(frame, {"a": "schreiner-pk-2009"}, welfare="cons", rate=0.5)
