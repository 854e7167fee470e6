"""Calibration: what it says, what it refuses, and the words of both."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt.errors import ConvergenceError, DomainError, NserError, SchemaError
from oracle.calibration_twin import calibrated, indicators

SCHEMA = {"variable": pl.String, "level": pl.String, "total": pl.Float64}


def totals(*rows: tuple[Any, ...], **columns: list[Any]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema=SCHEMA, orient="row")
    return frame.with_columns(pl.Series(name, values) for name, values in columns.items())


def sample(rows: int = 400, seed: int = 3) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    return pl.DataFrame(
        {
            "area": rng.choice(["urban", "rural"], rows, p=[0.4, 0.6]),
            "size": rng.integers(1, 5, rows),
            "age": rng.gamma(4.0, 10.0, rows),
            "w": rng.uniform(5.0, 20.0, rows),
        }
    )


AREA = [("area", "urban", 2000.0), ("area", "rural", 3000.0)]
SIZE = [("size", "1", 1000.0), ("size", "2", 1200.0), ("size", "3", 1300.0), ("size", "4", 1500.0)]


def design(frame: pl.DataFrame) -> tuple[Any, Any]:
    """Columns of area, size and age as a dense matrix, and the weights."""
    area = indicators((frame["area"] == "rural").to_numpy().astype(int), 2)
    size = indicators(frame["size"].to_numpy() - 1, 4)
    return np.column_stack([area, size, frame["age"].to_numpy()]), frame["w"].to_numpy()


@pytest.mark.parametrize(
    ("method", "bounds"),
    [
        ("raking", None),
        ("linear", None),
        ("logit", (0.3, 3.0)),
        ("linear", (0.5, 2.0)),
        ("raking", (0.5, 2.0)),
    ],
)
@pytest.mark.parametrize("continuous", [False, True])
def test_twin(method: Any, bounds: Any, continuous: bool) -> None:
    frame = sample()
    x, w = design(frame)
    age = float((w * x[:, -1]).sum()) * 1.05
    rows = [*AREA, *SIZE, ("age", None, age)]
    wanted = np.array([row[2] for row in rows])
    if not continuous:
        x, rows, wanted = x[:, :-1], rows[:-1], wanted[:-1]
    cal = nser.calibrate(frame, totals(*rows), weights="w", method=method, bounds=bounds)
    expected = calibrated(x, w, wanted, method, bounds or (-np.inf, np.inf))
    np.testing.assert_allclose(cal.weights, expected, rtol=1e-10)
    np.testing.assert_allclose(cal.totals["achieved"], wanted, rtol=1e-12)
    np.testing.assert_allclose(cal.totals["before"], w @ x, rtol=1e-12)
    np.testing.assert_allclose(cal.g_weights, expected / w, rtol=1e-10)


def test_costs_let_totals_be_missed() -> None:
    frame = sample()
    x, w = design(frame)
    wanted = np.array([row[2] for row in [*AREA, *SIZE]])
    for cost in (0.5, 20.0):
        costs = [None, None, *[cost] * 4]
        given = totals(*AREA, *SIZE, cost=costs)
        cal = nser.calibrate(frame, given, weights="w", method="linear")
        slack = np.array([0, 0, *wanted[2:] ** 2 / (cost * w.sum())])
        expected = calibrated(x[:, :-1], w, wanted, "linear", slack=slack)
        np.testing.assert_allclose(cal.weights, expected, rtol=1e-9)
        np.testing.assert_allclose(cal.totals["achieved"][:2], wanted[:2], rtol=1e-12)
    misses = []
    for cost in (0.01, 1.0, 1e8):
        given = totals(*AREA, *SIZE, cost=[None, None, *[cost] * 4])
        misses.append(nser.calibrate(frame, given, weights="w").totals["relative"].abs().max())
    assert misses[0] > misses[1] > 1e-4 > 1e-6 > misses[2]


def test_margins_of_penalised_totals_need_not_agree() -> None:
    given = totals(*AREA, *[(v, k, 2 * t) for v, k, t in SIZE], cost=[None] * 2 + [1.0] * 4)
    cal = nser.calibrate(sample(), given, weights="w")
    assert cal.weights.sum() == pytest.approx(5000.0)


def test_weight_bounds_hold_while_totals_are_hit() -> None:
    frame = sample()
    for method in ("linear", "raking", "logit"):
        cal = nser.calibrate(
            frame,
            totals(*AREA, *SIZE),
            weights="w",
            method=method,
            bounds=(0.1, 9) if method == "logit" else None,
            weight_bounds=(4.0, 24.0),
        )
        assert cal.weights.min() >= 4.0 and cal.weights.max() <= 24.0
        assert cal.totals["relative"].abs().max() < 1e-12
        free = nser.calibrate(frame, totals(*AREA, *SIZE), weights="w", method="linear")
        assert free.weights.max() > 24.0
    with pytest.raises(DomainError, match="leave its weight no room") as found:
        nser.calibrate(
            frame,
            totals(*AREA),
            weights="w",
            method="logit",
            bounds=(0.1, 9),
            weight_bounds=(10.0, 24.0),
        )
    row = found.value.row
    assert row is not None and frame["w"][row] <= 10.0


def test_crosses_and_sums_within_levels() -> None:
    frame = sample()
    cross = nser.totals_template(frame, margins=[("area", "size")])
    sums = frame.with_columns(cell=pl.format("{}*{}", "area", "size")).group_by("cell")
    wanted = sums.agg(total=pl.sum("w") * 1.1).rename({"cell": "level"})
    cross = cross.drop("total").join(wanted, on="level")
    cal = nser.calibrate(frame, cross, weights="w", method="poststratify")
    np.testing.assert_allclose(cal.g_weights, 1.1, rtol=1e-13)
    ages = frame.group_by("area").agg(total=(pl.col("w") * pl.col("age")).sum() * 1.02)
    given = ages.select(variable=pl.lit("area"), level="area", total="total", of=pl.lit("age"))
    rows = totals(*AREA).with_columns(of=pl.lit(None, pl.String))
    cal = nser.calibrate(frame, pl.concat([rows, given]), weights="w")
    x, w = design(frame)
    domains = np.column_stack([x[:, :2], x[:, :2] * x[:, [-1]]])
    by_area = dict(ages.iter_rows())
    order = np.array([2000.0, 3000.0, by_area["urban"], by_area["rural"]])
    np.testing.assert_allclose(cal.weights, calibrated(domains, w, order, "raking"), rtol=1e-9)


def test_groups_are_calibrated_each_by_itself() -> None:
    frame = sample()
    given = pl.concat(
        [
            totals(*SIZE).with_columns(area=pl.lit("urban")),
            totals(*SIZE[::-1]).with_columns(area=pl.lit("rural"), total=pl.col("total") * 2),
        ]
    )
    cal = nser.calibrate(frame, given, weights="w", by="area")
    assert cal.report.select("area", "rows").rows() == [
        ("urban", frame.filter(area="urban").height),
        ("rural", frame.filter(area="rural").height),
    ]
    for area, times in (("urban", 1), ("rural", 2)):
        mine = [(v, k, times * t) for v, k, t in SIZE]
        alone = nser.calibrate(frame.filter(area=area), totals(*mine), weights="w")
        assert cal.weights.filter(frame["area"] == area).to_list() == alone.weights.to_list()
    assert set(cal.trace.columns) > {"area", "worst"}
    assert "8 totals in 2 groups" in repr(cal)
    wrong = given.with_columns(total=pl.when(area="rural", level="2").then(0.0).otherwise("total"))
    with pytest.raises(DomainError, match="area = 'rural': size = '2' should be zero") as found:
        nser.calibrate(frame, wrong, weights="w", by="area")
    assert found.value.code == "zero_total"
    with pytest.raises(DomainError, match="the group area = 'rural' has no totals"):
        nser.calibrate(frame, given.filter(area="urban"), weights="w", by="area")
    third = totals(*SIZE).with_columns(area=pl.lit("camp"))
    with pytest.raises(DomainError, match="area = 'camp': ") as found:
        nser.calibrate(frame, pl.concat([given, third]), weights="w", by="area")
    assert found.value.code == "empty_cell"


def test_clusters_get_one_factor() -> None:
    frame = sample().with_columns(hh=pl.int_range(pl.len()) // 4)
    for options in ({}, {"weight_bounds": (1.0, 60.0)}):
        cal = nser.calibrate(frame, totals(*AREA, *SIZE), weights="w", cluster="hh", **options)
        g = frame.with_columns(g=cal.g_weights).group_by("hh")
        spread = g.agg(pl.max("g") / pl.min("g"))
        assert spread["g"].max() - 1 < 1e-14
        assert cal.report["units"].item() == 100
        assert cal.totals["relative"].abs().max() < 1e-12


def test_every_kind_of_column_gives_the_same_bits() -> None:
    frame = sample().with_columns(yes=pl.col("age") > 40)
    rows = [*AREA, *SIZE, ("yes", "true", 1800.0), ("yes", "false", 3200.0)]
    expected = nser.calibrate(frame, totals(*rows), weights="w").weights.to_list()
    areas = pl.Enum(["x", "rural", "urban"])
    for columns in (
        {"area": pl.Categorical, "size": pl.UInt8},
        {"area": areas, "size": pl.Int16, "yes": pl.String},
        {"size": pl.String},
        {"size": pl.Enum(["4", "3", "2", "1"])},
    ):
        cast = frame.with_columns(
            pl.col("yes").cast(pl.String) if k == "yes" else pl.col(k).cast(pl.String).cast(t)
            for k, t in columns.items()
        )
        for form in (cast, cast.lazy(), pl.concat([cast[:100], cast[100:]], rechunk=False)):
            assert nser.calibrate(form, totals(*rows), weights="w").weights.to_list() == expected
    with pytest.raises(SchemaError, match="column 'age': levels must be text"):
        nser.calibrate(frame, totals(("age", "40", 5000.0)), weights="w")


def test_many_combinations_of_levels() -> None:
    # More combinations than any table holds: 200 ** 5.
    rng = np.random.default_rng(0)
    frame = pl.DataFrame({f"v{k}": rng.integers(0, 3, 3000) * 99 for k in range(5)})
    given = nser.totals_template(frame, margins=[f"v{k}" for k in range(5)])
    known = given["rows"].cast(pl.Float64)
    wide = pl.concat(
        [
            given.with_columns(total=known * 2).drop("rows"),
            pl.DataFrame(
                {
                    "variable": [f"v{k}" for k in range(5) for _ in range(200)],
                    "level": [str(1000 + j) for _ in range(5) for j in range(200)],
                    "total": [0.0] * 1000,
                }
            ),
        ]
    )
    cal = nser.calibrate(frame, wide)
    np.testing.assert_allclose(cal.weights, 2.0, rtol=1e-12)
    assert cal.report["units"].item() == frame.unique().height


def refused(error: type[NserError], code: str, text: str, frame: Any, given: Any, **o: Any) -> Any:
    with pytest.raises(error) as found:
        nser.calibrate(frame, given, **{"weights": "w"} | o)
    assert found.value.code == code, str(found.value)
    assert text in str(found.value)
    return found.value


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (0.0, "out_of_domain"),
        (-1.0, "out_of_domain"),
        (float("nan"), "out_of_domain"),
        (float("inf"), "out_of_domain"),
        (None, "missing_value"),
    ],
)
def test_weights_that_are_none_are_refused(value: float | None, code: str) -> None:
    frame = sample().with_columns(
        w=pl.when(pl.int_range(pl.len()) == 17).then(pl.lit(value)).otherwise("w")
    )
    error = refused(DomainError, code, "column 'w', row 17", frame, totals(*AREA))
    assert (error.column, error.row) == ("w", 17)


def test_what_cannot_be_hit_is_named() -> None:
    frame = sample()
    camp = ("area", "camp", 50.0)
    refused(DomainError, "empty_cell", "area = 'camp' should be 50", frame, totals(*AREA, camp))
    nothing = totals(*AREA, ("area", "camp", 0.0))
    assert nser.calibrate(frame, nothing, weights="w").totals["achieved"][2] == 0.0
    error = refused(
        DomainError,
        "level_without_total",
        "the level size = '4' has no total",
        frame,
        totals(*AREA, *SIZE[:3]),
        disagreement="rescale",
    )
    assert frame["size"][error.row] == 4
    missing = frame.with_columns(area=pl.when(pl.col("size") != 4).then("area"))
    refused(DomainError, "missing_value", "column 'area', row", missing, totals(*AREA))
    # A mean age above the highest.
    far = totals(*AREA, ("age", None, 5000.0 * 200))
    refused(ConvergenceError, "out_of_reach", "the sum of 'age' should be 1,000,000", frame, far)
    negative = totals(*AREA, ("age", None, -1.0))
    refused(ConvergenceError, "out_of_reach", "g above 0", frame, negative)
    zero = totals(("area", "urban", 5000.0), ("area", "rural", 0.0))
    refused(DomainError, "zero_total", "area = 'rural' should be zero", frame, zero)
    kept = nser.calibrate(frame, zero, weights="w", method="linear", bounds=(0, None))
    assert kept.weights.filter(frame["area"] == "rural").max() == pytest.approx(0, abs=1e-9)
    few = refused(
        ConvergenceError,
        "not_converged",
        "not solved after 1 steps",
        frame,
        totals(*AREA, *SIZE),
        max_iterations=1,
    )
    assert "max_iterations" in few.hint


def test_margins_that_disagree_are_flagged_or_rescaled() -> None:
    frame = sample()
    larger = [(v, k, 1.1 * t) for v, k, t in SIZE]
    error = refused(
        DomainError,
        "margins_disagree",
        "totals of 'area' to 5,000, of 'size' to 5,500",
        frame,
        totals(*AREA, *larger),
    )
    assert "rescale" in error.hint
    cal = nser.calibrate(frame, totals(*AREA, *larger), weights="w", disagreement="rescale")
    same = nser.calibrate(frame, totals(*AREA, *SIZE), weights="w")
    np.testing.assert_allclose(cal.weights, same.weights, rtol=1e-12)
    assert cal.totals["given"][2] == 1100.0
    assert cal.totals["target"][2] == pytest.approx(1000.0)


def test_a_forgotten_level_is_named_before_the_margins_that_it_makes_disagree() -> None:
    frame = sample()
    refused(
        DomainError,
        "level_without_total",
        "the level size = '4' has no total",
        frame,
        totals(*AREA, *SIZE[:3]),
    )
    camp = ("area", "camp", 50.0)
    text = "area = 'camp' should be 50"
    refused(DomainError, "empty_cell", text, frame, totals(*AREA, camp, *SIZE))


def test_totals_that_contradict_each_other_are_named() -> None:
    cross = [("area*size", f"{a}*{s}", 625.0) for a in ("urban", "rural") for s in range(1, 5)]
    text = "area = 'urban' should be 2,000, but"
    given = totals(*cross, *AREA)
    error = refused(DomainError, "totals_contradict", text, sample(), given)
    assert "area*size = 'urban*1'" in str(error)
    assert "make it 2,500" in str(error)


@pytest.mark.parametrize(
    ("given", "error", "code", "text"),
    [
        (totals(*AREA, AREA[0]), DomainError, "duplicate_total", "area = 'urban' is given twice"),
        (totals(*AREA[:1], ("area", "rural", None)), DomainError, "invalid_total", "not filled in"),
        (
            totals(*AREA[:1], ("area", "rural", float("inf"))),
            DomainError,
            "invalid_total",
            "finite",
        ),
        (totals(*AREA[:1], ("area", "rural", -3.0)), DomainError, "invalid_total", "below zero"),
        (totals(*AREA, cost=[None, 0.0]), DomainError, "invalid_total", "cost"),
        (totals(*AREA, costs=[None, 0.5]), SchemaError, "wrong_column", "Did you mean 'cost'?"),
        (totals(*AREA).drop("level"), SchemaError, "missing_column", "totals_template"),
        (totals(("aria", "urban", 5.0)), SchemaError, "missing_column", "Did you mean 'area'?"),
        (totals(("area*size", "urban", 5.0)), DomainError, "invalid_total", "2 levels"),
        (totals(("size", "one", 5.0)), DomainError, "invalid_total", "whole numbers"),
        (totals(("area", None, 5.0)), SchemaError, "wrong_column", "must be numbers"),
        (totals(("size", str(2**70), 5.0)), DomainError, "invalid_total", "whole numbers"),
        (
            totals(*[("(rows)", None, 9.0)], *[("size", str(k), 1.0) for k in range(9000)]),
            DomainError,
            "too_many_totals",
            "8,192",
        ),
        (totals(), DomainError, "no_totals", "there are none"),
    ],
)
def test_tables_of_totals_that_are_not_right(
    given: Any, error: type[NserError], code: str, text: str
) -> None:
    refused(error, code, text, sample(), given)


@pytest.mark.parametrize(
    "options",
    [
        {"method": "rake"},
        {"method": "logit"},
        {"method": "logit", "bounds": (1.2, 2)},
        {"bounds": (2, 1)},
        {"bounds": (0.5, float("nan"))},
        {"method": "poststratify", "bounds": (0.5, 2)},
        {"method": "poststratify"},
        {"tolerance": 0},
        {"disagreement": "ignore"},
        {"cluster": "size", "variance": "age"},
    ],
)
def test_options_that_are_not_allowed(options: dict[str, Any]) -> None:
    refused(DomainError, "invalid_option", "", sample(), totals(*AREA, *SIZE), **options)


def test_columns_that_are_missing() -> None:
    for option in ("weights", "by", "cluster", "variance"):
        with pytest.raises(SchemaError, match="column 'gone' is missing"):
            nser.calibrate(sample(), totals(*AREA), **{option: "gone"})
    with pytest.raises(DomainError, match="at least one row"):
        nser.calibrate(sample().clear(), totals(*AREA))


def test_trimming_that_has_no_room() -> None:
    refused(DomainError, "invalid_option", "no room", sample(), totals(*AREA), trim=(None, 12.0))
    cal = nser.calibrate(sample(), totals(*AREA), weights="w", trim=(6.0, 20.0))
    assert (cal.weights.min(), cal.weights.max()) >= (6.0, 0.0)
    assert cal.weights.max() <= 20.0
    assert cal.weights.sum() == pytest.approx(5000.0, rel=1e-12)


def test_the_report() -> None:
    frame = sample()
    cal = nser.calibrate(frame, totals(*AREA, *SIZE), weights="w")
    w, d = cal.weights.to_numpy(), frame["w"].to_numpy()
    kish = [len(v) * (v**2).sum() / v.sum() ** 2 for v in (d, w)]
    (report,) = cal.report.to_dicts()
    found = (report["design_effect_before"], report["design_effect_after"])
    np.testing.assert_allclose(found, kish, rtol=1e-12)
    np.testing.assert_allclose(report["effective_rows_after"], 400 / kish[1], rtol=1e-12)
    assert report["g_min"] == pytest.approx((w / d).min(), rel=1e-14)
    assert (report["sum_after"], report["rows"], report["units"]) == (pytest.approx(5000), 400, 8)
    assert cal.trace["iteration"].to_list() == list(range(report["iterations"] + 1))
    assert cal.trace["worst"].to_list() == sorted(cal.trace["worst"], reverse=True)
    text = repr(cal)
    assert text.startswith("Calibrated by raking: 400 rows to 6 totals\n")
    assert f"worst total     {cal.worst_total}, missed by" in text
    html = cal._repr_html_()
    assert "<table" in html and "Calibrated by raking" in html


def test_template() -> None:
    frame = sample().with_columns(area=pl.col("area").cast(pl.Enum(["urban", "rural"])))
    made = nser.totals_template(
        frame.lazy(), margins=["area", ("area", "size")], continuous=["age", "(rows)"], of="w"
    )
    assert made.columns == ["variable", "level", "of", "total", "rows"]
    assert made["level"].to_list()[:3] == ["urban", "rural", "urban*1"]
    assert made["total"].null_count() == made.height == 12
    by = nser.totals_template(frame, margins=["size"], continuous=["age"], by="area")
    assert by.columns == ["area", "variable", "level", "total", "rows"]
    assert by.group_by("area", "variable").agg(pl.sum("rows"))["rows"].sum() == 800
    filled = by.with_columns(total=pl.when(pl.col("level").is_null()).then(9e4).otherwise(1e3))
    cal = nser.calibrate(frame, filled, by="area")
    assert cal.totals["relative"].abs().max() < 1e-12
    with pytest.raises(SchemaError, match="'gone'"):
        nser.totals_template(frame, margins=["gone"])
    with pytest.raises(DomainError, match="must not hold"):
        odd = frame.with_columns(area=pl.lit("a*b"))
        nser.totals_template(odd, margins=[("area", "size")])


def test_number_of_rows_as_a_total() -> None:
    cal = nser.calibrate(sample(), totals(("(rows)", None, 7000.0)), weights="w")
    assert cal.weights.sum() == pytest.approx(7000.0, rel=1e-14)
    assert cal.worst_total == "the number of rows"


def test_the_same_bits_for_any_number_of_threads() -> None:
    frame = pl.concat([sample(300_000, seed) for seed in (1,)])
    age = float((frame["w"] * frame["age"]).sum())
    for rows in ([*AREA, *SIZE], [*AREA, *SIZE, ("age", None, age / frame["w"].sum() * 5000)]):
        found = [
            nser.calibrate(
                frame, totals(*rows), weights="w", control=nser.RunControl(threads=threads)
            ).weights
            for threads in (1, 2, 5)
        ]
        assert found[0].equals(found[1]) and found[0].equals(found[2])


def test_a_call_can_be_cancelled() -> None:
    control = nser.RunControl(threads=1)
    control.cancel()
    with pytest.raises(nser.CancelledError):
        nser.calibrate(sample(), totals(*AREA), weights="w", control=control)


def test_totals_that_leave_no_weight_are_refused() -> None:
    nothing = totals(("area", "urban", 0.0), ("area", "rural", 0.0))
    text = "make every weight zero"
    refused(DomainError, "zero_total", text, sample(), nothing, method="linear")


def test_other_frames_are_refused() -> None:
    with pytest.raises(SchemaError, match="totals must be a Polars DataFrame"):
        nser.calibrate(sample(), {"area": 1.0})  # type: ignore[arg-type]
    with pytest.raises(SchemaError, match="Did you mean 'weight'"):
        nser.calibrate(sample().rename({"w": "weight"}), totals(*AREA), weights="weigth")
