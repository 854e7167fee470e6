"""Synthetic households: same rows every time, the stated shares, and the laws of a household."""

from __future__ import annotations

import importlib.util
import os
import tomllib
from importlib import resources
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from nser_pmt import DomainError, synth

N = 200_000
# 4.5 standard errors of a share of half at the size of the smaller region, 76,000
TOLERANCE = 0.008
REPO = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("NSER_PMT_DATA", REPO.parent / "shared" / "data"))
YES = pl.Boolean
COUNT = pl.Int16

SCHEMA: dict[str, Any] = {
    "hh_id": pl.UInt64,
    "province": pl.Enum(["Punjab", "Sindh", "Khyber Pakhtunkhwa", "Balochistan", "Islamabad"]),
    "region": pl.Enum(["urban", "rural"]),
    "hhsize": COUNT,
    "n_dep_lt18_gt65": COUNT,
    "n_le13": COUNT,
    "n_5_13": COUNT,
    "n_5_16": COUNT,
    "n_5_16_attending": COUNT,
    "n_5_13_attending": COUNT,
    "school_5_13": pl.Enum(["none_in_range", "all", "not_all"]),
    "school_5_16": pl.Enum(["none_in_range", "all", "some", "none_attending"]),
    "n_elementary_workers": COUNT,
    "head_education": pl.Enum(["never", "class_0_5", "class_6_10", "class_11_plus"]),
    "female_head_spouse_educ": pl.Enum(["below_class_1", "none_present", "class_1_or_higher"]),
    "rooms": COUNT,
    "water": pl.Enum(["piped", "hand_pump", "motor_pump", "tube_well", "covered_well", "other"]),
    "toilet": pl.Enum(
        [
            "flush_sewer",
            "flush_septic",
            "flush_pit",
            "flush_drain",
            "dry_raised_latrine",
            "dry_pit_latrine",
            "none",
        ]
    ),
    "fridge_freezer": YES,
    "washing_machine": YES,
    "fridge_freezer_washer": YES,
    "ac_cooler_geyser_heater": YES,
    "stove_range_microwave": YES,
    "tv": YES,
    "vehicles": pl.Enum(["car_tractor_and_motorcycle", "car_tractor", "motorcycle", "neither"]),
    "motor_vehicle": YES,
    "livestock": pl.Enum(["large_and_small", "large", "small", "neither"]),
    "land_owned_acres": pl.Float64,
    "dep_cat": pl.Enum(["0-2", "3-4", "5-6", "7+"]),
    "headedu_cat": pl.Enum(["0-5", "11+", "6-10", "never", "other"]),
    "school_cat": pl.Enum(["all", "nochild", "none", "some"]),
    "rooms_cat": pl.Enum(["0.2-0.3", "0.3-0.4", "<=0.2", ">0.4"]),
    "toilet_cat": pl.Enum(["flush", "latrine", "none"]),
    "livestock_cat": pl.Enum(["both", "buffalo", "cow_goat_sheep", "none"]),
    "land_cat": pl.Enum(["<=12.5ha", ">12.5ha", "none"]),
    "hh_weight": pl.Float64,
    "consumption_pc": pl.Float64,
}


@pytest.fixture(scope="module")
def hh() -> pl.DataFrame:
    return synth.households(N, seed=7)


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    path = resources.files("nser_pmt") / "data" / "synth" / "pakistan-2016.toml"
    return tomllib.loads(path.read_text(encoding="utf-8"))


# ---------------------------------------------------------------- the same rows


def test_schema(hh: pl.DataFrame) -> None:
    assert dict(hh.schema) == SCHEMA
    assert list(hh.columns) == list(SCHEMA)
    assert dict(synth.scan_households(5).collect_schema()) == SCHEMA
    assert hh.null_count().sum_horizontal().item() == 0


def test_same_seed_same_rows_other_seed_other_rows(hh: pl.DataFrame) -> None:
    assert_frame_equal(synth.households(1_000, seed=7), hh.head(1_000))
    other = synth.households(1_000, seed=8)
    assert (other["consumption_pc"] != hh["consumption_pc"].head(1_000)).sum() > 990


def test_golden_rows() -> None:
    """Rows are a promise across versions of NumPy, Polars and this library."""
    golden = [
        (1, "rural", 6, 3, "0.3-0.4", 2340.42),
        (2, "rural", 11, 7, "<=0.2", 1095.5),
        (3, "urban", 7, 1, "0.2-0.3", 3776.25),
    ]
    columns = ["hh_id", "region", "hhsize", "n_le13", "rooms_cat", "consumption_pc"]
    assert synth.households(3).select(columns).rows() == golden


@pytest.mark.parametrize("n", [1, 10, 65_535, 65_536, 65_537, 131_073])
def test_row_does_not_depend_on_n(hh: pl.DataFrame, n: int) -> None:
    assert_frame_equal(synth.households(n, seed=7), hh.head(n))


def test_no_rows() -> None:
    assert dict(synth.households(0).schema) == SCHEMA
    assert_frame_equal(synth.scan_households(0).collect(), synth.households(0))


def test_ids_are_row_numbers(hh: pl.DataFrame) -> None:
    assert hh["hh_id"].to_list() == list(range(1, N + 1))


# ---------------------------------------------------------------- the scan

QUERIES = {
    "all": lambda f: f,
    "head": lambda f: f.head(70_000),
    "columns in another order": lambda f: f.select("tv", "toilet", "hh_id"),
    "one derived column": lambda f: f.select("rooms_cat"),
    "filter on a count, then limit": lambda f: f.filter(pl.col("rooms") == 3).head(5),
    "limit, then filter": lambda f: f.head(100).filter(pl.col("rooms") == 3).select("hh_id"),
    "filter on a column not kept": lambda f: f.filter(pl.col("hhsize") > 9).select("tv"),
    "filter on an Enum": lambda f: f.filter(pl.col("toilet") == "none").select("tv", "toilet"),
    "nothing left": lambda f: f.filter(pl.col("rooms") > 50),
    "no rows asked": lambda f: f.head(0),
    "slice over a chunk edge": lambda f: f.slice(65_530, 20),
    "number of rows": lambda f: f.filter(pl.col("rooms") == 1).select(pl.len()),
    "no column at all": lambda f: f.with_row_index().select("index"),
    "aggregate": lambda f: f.group_by("region").agg(pl.col("hhsize").sum()).sort("region"),
}


@pytest.mark.parametrize("engine", ["in-memory", "streaming"])
@pytest.mark.parametrize("batch_size", [1, 140_000, 1_000_000])
@pytest.mark.parametrize("query", QUERIES)
def test_scan_equals_eager(hh: pl.DataFrame, query: str, batch_size: int, engine: Any) -> None:
    n = 150_000
    scan = synth.scan_households(n, seed=7, batch_size=batch_size)
    assert_frame_equal(QUERIES[query](scan).collect(engine=engine), QUERIES[query](hh.head(n)))


def test_sink_parquet(hh: pl.DataFrame, tmp_path: Path) -> None:
    path = tmp_path / "households.parquet"
    synth.scan_households(N, seed=7).sink_parquet(path)
    assert_frame_equal(pl.read_parquet(path), hh)


# ---------------------------------------------------------------- shares


def _shares(values: pl.Series, levels: list[Any]) -> list[float]:
    return [(values == level).sum() / len(values) for level in levels]


def test_shares_of_levels(hh: pl.DataFrame, spec: dict[str, Any]) -> None:
    for name, draw in spec["draw"].items():
        if "levels" not in draw or name == "head_education":
            continue
        levels = (
            [level == "yes" for level in draw["levels"]]
            if "yes" in draw["levels"]
            else draw["levels"]
        )
        for region in ("urban", "rural"):
            got = _shares(hh.filter(pl.col("region") == region)[name], levels)
            assert got == pytest.approx(draw[region], abs=TOLERANCE), (name, region)


def test_shares_of_head_education(hh: pl.DataFrame, spec: dict[str, Any]) -> None:
    draw = spec["draw"]["head_education"]
    for region in ("urban", "rural"):
        here = hh.filter(pl.col("region") == region)
        got = _shares(here["headedu_cat"], ["never", "0-5", "6-10", "other", "11+"])
        assert got == pytest.approx(draw[region], abs=TOLERANCE)
        never, low, middle, other, high = draw[region]
        stated = _shares(
            here["head_education"], ["never", "class_0_5", "class_6_10", "class_11_plus"]
        )
        assert stated == pytest.approx([never, low, middle + other, high], abs=TOLERANCE)


def test_shares_of_counts(hh: pl.DataFrame, spec: dict[str, Any]) -> None:
    """Household size; each count given the count that it is part of, where the row is not rare."""
    h = hh.with_columns(n_0_4=pl.col("n_le13") - pl.col("n_5_13"))
    checked = 0
    for name, draw in spec["draw"].items():
        base = draw.get("part_of", draw.get("given"))
        if name not in h.columns or "levels" in draw or base == "n_dep_other":
            continue
        if name == "n_elementary_workers":  # held to the members above 13: fewer, seldom
            continue
        for region in [r for r in ("all", "urban", "rural") if r in draw]:
            here = h if region == "all" else h.filter(pl.col("region") == region)
            rows = enumerate(draw[region], 1) if base else [(None, draw[region])]
            for n, shares in rows:
                values = here[name] if n is None else here.filter(pl.col(base) == n)[name]
                if len(values) < 2_000 or (n is not None and n == len(draw[region])):
                    continue
                first = draw.get("first", 0)
                got = _shares(values, list(range(first, first + len(shares))))
                tolerance = max(TOLERANCE, 4.5 * 0.5 / len(values) ** 0.5)
                if name == "n_5_16":  # a head is kept
                    tolerance += 0.01
                assert got == pytest.approx(shares, abs=tolerance), (name, region, n)
                checked += 1
    assert checked > 50


def test_elementary_workers(hh: pl.DataFrame, spec: dict[str, Any]) -> None:
    draw = spec["draw"]["n_elementary_workers"]
    for region in ("urban", "rural"):
        got = _shares(hh.filter(pl.col("region") == region)["n_elementary_workers"], [0, 1, 2, 3])
        assert got == pytest.approx(draw[region], abs=0.02)
        assert got[0] == pytest.approx(draw[region][0], abs=TOLERANCE)


def test_land(hh: pl.DataFrame, spec: dict[str, Any]) -> None:
    draw = spec["draw"]["land"]
    bounds = [-1.0, *draw["edges"]]
    for region in ("urban", "rural"):
        acres = hh.filter(pl.col("region") == region)["land_owned_acres"].to_numpy()
        got = [((acres > lo) & (acres <= hi)).mean() for lo, hi in pairwise(bounds)]
        assert got == pytest.approx(draw[region], abs=TOLERANCE)
    assert hh["land_owned_acres"].max() <= draw["edges"][-1]


def test_places_and_consumption(hh: pl.DataFrame, spec: dict[str, Any]) -> None:
    for region in ("urban", "rural"):
        here = hh.filter(pl.col("region") == region)
        for k, province in enumerate(spec["province"]["levels"]):
            cell = here.filter(pl.col("province") == province)["consumption_pc"].log()
            assert len(cell) / N == pytest.approx(spec["province"][region][k], abs=TOLERANCE)
            model = spec["ln_consumption"][region]
            error = 4.5 * model["sd"] / len(cell) ** 0.5
            assert cell.mean() == pytest.approx(model["mean"][k], abs=error)
            assert cell.std() == pytest.approx(model["sd"], abs=error)


def test_indicators_explain_consumption_as_in_the_survey(hh: pl.DataFrame) -> None:
    cats = [c for c in SCHEMA if c.endswith("_cat")]
    assert len(cats) == 7
    x = hh.select(cats).cast(pl.String).to_dummies(drop_first=True).to_numpy().astype(float)
    x = np.column_stack([np.ones(N), x])
    y = hh["consumption_pc"].log().to_numpy()
    residual = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    assert 0.45 < 1 - residual.var() / y.var() < 0.58


# ---------------------------------------------------------------- laws of a household

c = pl.col
OLDER = c("n_5_16") - c("n_5_13")
OLDER_ATTENDING = c("n_5_16_attending") - c("n_5_13_attending")


def _when(*cases: tuple[pl.Expr, str], otherwise: str) -> pl.Expr:
    out = pl.lit(otherwise)
    for condition, label in reversed(cases):
        out = pl.when(condition).then(pl.lit(label)).otherwise(out)
    return out


LAWS = {
    "at least one member": c("hhsize") >= 1,
    "dependants are members": c("n_dep_lt18_gt65").is_between(0, c("hhsize")),
    "a head older than 16": c("n_le13") + OLDER <= c("hhsize") - 1,
    "children are dependants": c("n_le13") + OLDER <= c("n_dep_lt18_gt65"),
    "5-13 are up to 13": c("n_5_13").is_between(0, c("n_le13")),
    "5-13 are 5-16": OLDER >= 0,
    "attending at 5-13": c("n_5_13_attending").is_between(0, c("n_5_13")),
    "attending at 14-16": OLDER_ATTENDING.is_between(0, OLDER),
    "workers are above 13": c("n_elementary_workers").is_between(0, c("hhsize") - c("n_le13")),
    "rooms": c("rooms") >= 1,
    "land": c("land_owned_acres") >= 0,
    "weight": c("hh_weight") == 1.0,
    "consumption": (c("consumption_pc") > 0) & c("consumption_pc").is_finite(),
    "either machine": c("fridge_freezer_washer") == (c("fridge_freezer") | c("washing_machine")),
    "any vehicle": c("motor_vehicle") == (c("vehicles").cast(pl.String) != "neither"),
}  # fmt: skip

_SCHOOL_5_16 = [
    c("n_5_16") == 0,
    c("n_5_16_attending") == c("n_5_16"),
    c("n_5_16_attending") == 0,
]
_TOILET, _HERD = c("toilet").cast(pl.String), c("livestock").cast(pl.String)
DERIVED = {
    "school_5_13": _when(
        (c("n_5_13") == 0, "none_in_range"),
        (c("n_5_13_attending") == c("n_5_13"), "all"),
        otherwise="not_all",
    ),
    "school_5_16": _when(
        *zip(_SCHOOL_5_16, ("none_in_range", "all", "none_attending"), strict=True),
        otherwise="some",
    ),
    "school_cat": _when(
        *zip(_SCHOOL_5_16, ("nochild", "all", "none"), strict=True), otherwise="some"
    ),
    "dep_cat": _when(
        (c("n_dep_lt18_gt65") <= 2, "0-2"),
        (c("n_dep_lt18_gt65") <= 4, "3-4"),
        (c("n_dep_lt18_gt65") <= 6, "5-6"),
        otherwise="7+",
    ),
    "rooms_cat": _when(
        (10 * c("rooms") <= 2 * c("hhsize"), "<=0.2"),
        (10 * c("rooms") <= 3 * c("hhsize"), "0.2-0.3"),
        (10 * c("rooms") <= 4 * c("hhsize"), "0.3-0.4"),
        otherwise=">0.4",
    ),
    "toilet_cat": _when(
        (_TOILET.str.starts_with("flush"), "flush"),
        (_TOILET == "none", "none"),
        otherwise="latrine",
    ),
    "livestock_cat": _when(
        (_HERD == "large_and_small", "both"),
        (_HERD == "large", "buffalo"),
        (_HERD == "small", "cow_goat_sheep"),
        otherwise="none",
    ),
    "land_cat": _when(
        (c("land_owned_acres") == 0, "none"),
        (c("land_owned_acres") <= 30.9, "<=12.5ha"),
        otherwise=">12.5ha",
    ),
}


@pytest.mark.parametrize("law", LAWS)
def test_law(hh: pl.DataFrame, law: str) -> None:
    broken = hh.filter(~LAWS[law])
    assert broken.is_empty(), broken.head(3)


@pytest.mark.parametrize("column", DERIVED)
def test_derived_column(hh: pl.DataFrame, column: str) -> None:
    again = hh.select(DERIVED[column].alias(column)).to_series()
    assert (again == hh[column].cast(pl.String)).all()
    assert hh[column].n_unique() == len(SCHEMA[column].categories)


def test_headedu_cat_names_the_head_education(hh: pl.DataFrame) -> None:
    pairs = hh.select(c("head_education", "headedu_cat").cast(pl.String)).unique().rows()
    assert sorted(pairs) == [
        ("class_0_5", "0-5"),
        ("class_11_plus", "11+"),
        ("class_6_10", "6-10"),
        ("class_6_10", "other"),
        ("never", "never"),
    ]


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"n": -1}, "n must be at least 0, got -1"),
        ({"n": 2.0}, "n must be an int, got float"),
        ({"n": True}, "n must be an int, got bool"),
        ({"n": 2, "seed": -3}, "seed must be at least 0, got -3"),
        ({"n": 2, "seed": "a"}, "seed must be an int, got str"),
    ],
)
def test_bad_arguments(arguments: dict[str, Any], message: str) -> None:
    for make in (synth.households, synth.scan_households):
        with pytest.raises(DomainError, match=message):
            make(**arguments)


def test_bad_batch_size() -> None:
    with pytest.raises(DomainError, match="batch_size must be at least 1, got 0"):
        synth.scan_households(2, batch_size=0)


def test_numpy_integers_are_ints() -> None:
    assert_frame_equal(synth.households(np.int64(3)), synth.households(3))  # type: ignore[arg-type]


# ---------------------------------------------------------------- the parameter file


@pytest.mark.skipif(
    not (DATA / "households" / "pak_hiics2015_16_household.parquet").exists(),
    reason=f"survey file not found under {DATA} (set NSER_PMT_DATA)",
)
def test_parameters_are_what_the_survey_says(spec: dict[str, Any]) -> None:
    path = REPO / "tools" / "synth_marginals.py"
    module_spec = importlib.util.spec_from_file_location("synth_marginals", path)
    assert module_spec is not None
    assert module_spec.loader is not None
    tool = importlib.util.module_from_spec(module_spec)
    module_spec.loader.exec_module(tool)
    measured = tool.measure(DATA)
    assert list(measured["draw"]) == list(spec["draw"])[: len(measured["draw"])]
    _assert_close(measured, spec, "")


def _assert_close(measured: Any, stated: Any, where: str) -> None:
    if isinstance(measured, dict):
        for key, value in measured.items():
            _assert_close(value, stated[key], f"{where}.{key}")
    elif isinstance(measured, list):
        assert len(measured) == len(stated), where
        for k, value in enumerate(measured):
            _assert_close(value, stated[k], f"{where}[{k}]")
    elif isinstance(measured, float):
        assert measured == pytest.approx(stated, abs=1.5e-5), where
    else:
        assert measured == stated, where
