"""`diagnose` counts by hand, agrees with the scorer, and does not spill what was mapped wrongly."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given

import nser_pmt as nser
from nser_pmt.scoring.model import (
    Bin,
    BinsTerm,
    Cell,
    Input,
    Level,
    LevelsTerm,
    LinearTerm,
    Model,
    ProductTerm,
    Strata,
    Stratum,
    TableTerm,
    Term,
)
from strategies import make_model, models_and_frames


def make(inputs: list[Input], *terms: Term, strata: Strata | None = None) -> Model:
    return make_model(inputs=tuple(inputs), terms=terms, strata=strata)


def levels(column: str, *values: bool | int | str) -> LevelsTerm:
    level = Level(values=values, points=1.0)
    return LevelsTerm(
        id=f"{column} {values}", input=column, levels=(level,), missing="null", unknown="null"
    )


def bins(column: str, *parts: Bin) -> BinsTerm:
    return BinsTerm(id=column, input=column, bins=parts, missing="null", out_of_range="null")


TOILET = make([Input("toilet", type="category")], levels("toilet", "flush", "none"))


def one(frame: pl.DataFrame, model: Model, **options: Any) -> dict[str, Any]:
    row: dict[str, Any] = nser.diagnose(frame, model, **options).row(0, named=True)
    return row


# ---------------------------------------------------------------- counts


def test_by_hand() -> None:
    model = make(
        [
            Input("toilet", type="category"),
            Input("rooms", type="integer", min=1, max=20),
            Input("acres", type="number"),
            Input("tv", type="boolean"),
        ],
        levels("toilet", "flush", "none"),
        bins("rooms", Bin(ge=1, le=3, points=1.0), Bin(ge=5, points=2.0)),
        LinearTerm(id="acres", input="acres", coefficient=1.0, missing="null", out_of_range="null"),
        levels("tv", True, False),
    )
    frame = pl.DataFrame(
        {
            "name": ["a", "b", "c", "d", "e", "f"],
            "acres": [0.5, math.nan, None, math.inf, -2.0, 1.0],
            "toilet": ["flush", "none", "Flush", "pit", "pit", None],
            "rooms": [1.0, 4.0, 2.5, 21.0, 20.0, None],
            "tv": [True, False, None, None, None, True],
        }
    )
    rows = nser.diagnose(frame, model).drop("unknown_levels").rows()
    assert rows == [
        ("toilet", "String", 6, 1, 3, 0, None, None),
        # 4 is in a gap, 2.5 a fraction, 21 above the most
        ("rooms", "Float64", 6, 1, 0, 3, 1.0, 21.0),
        ("acres", "Float64", 6, 2, 0, 1, -2.0, 1.0),
        ("tv", "Boolean", 6, 3, 0, 0, None, None),
    ]
    lazy = nser.diagnose(frame.lazy(), model)
    assert lazy.equals(nser.diagnose(frame, model))


def test_columns_of_a_ratio_and_of_strata() -> None:
    model = make(
        [
            Input("region", type="category"),
            Input("rooms", type="number", min=0),
            Input("hhsize", type="integer", min=1),
            Input("crowding", type="number", ratio=("rooms", "hhsize")),
        ],
        strata=Strata(
            input="region",
            missing="null",
            unknown="null",
            models=(
                Stratum(values=("urban",), terms=(bins("crowding", Bin(le=1.0, points=1.0)),)),
                Stratum(values=("rural",), terms=()),
            ),
        ),
    )
    frame = pl.DataFrame({"rooms": [-1, 2], "hhsize": [0, 3], "region": ["urban", "city"]})
    found = nser.diagnose(frame, model).select("column", "unknown", "out_of_range").rows()
    assert found == [("region", 1, 0), ("rooms", 0, 1), ("hhsize", 0, 1)]


def test_no_rows() -> None:
    found = one(pl.DataFrame(schema={"toilet": pl.String}), TOILET)
    assert (found["rows"], found["missing"], found["unknown"]) == (0, 0, 0)


def test_missing_column() -> None:
    with pytest.raises(nser.SchemaError, match="Did you mean 'toilets'") as caught:
        nser.diagnose(pl.DataFrame({"toilets": ["flush"]}), TOILET)
    assert caught.value.code == "missing_column"


CASES: dict[str, tuple[tuple[bool | int | str, ...], pl.Series, int]] = {
    "codes as integers": ((1, 2), pl.Series([1, 2, 3, None]), 1),
    "codes as floats": ((1, 2), pl.Series([1.0, 2.5, math.nan, None]), 1),
    "codes as decimals": ((1, 2), pl.Series([Decimal("1.0"), Decimal("2.5")]), 1),
    "codes as flags": ((1, 2), pl.Series([True, False, None]), 1),
    "flags as flags": ((True, False), pl.Series([True, False, None]), 0),
    "flags as integers": ((True, False), pl.Series([0, 1, 2]), 1),
    "flags as floats": ((True,), pl.Series([0.0, 1.0, -0.0]), 2),
    "minus zero": ((0,), pl.Series([0.0, -0.0]), 0),
    "text as Enum": (("a",), pl.Series(["a", "b", None], dtype=pl.Enum(["a", "b"])), 1),
    "text as Categorical": (("a",), pl.Series(["a", "b"], dtype=pl.Categorical), 1),
    "mixed levels, text": ((1, True, "yes"), pl.Series(["yes", "no", "1", "true"]), 3),
    "mixed levels, flags": ((1, "yes"), pl.Series([True, False]), 1),
    "only nulls": (("a",), pl.Series([None, None], dtype=pl.Null), 0),
    "infinite code": ((1,), pl.Series([1.0, math.inf]), 1),
}


@pytest.mark.parametrize("case", CASES)
def test_unknown_values_are_those_that_the_scorer_does_not_know(case: str) -> None:
    listed, series, unknown = CASES[case]
    model = make([Input("x", type="category")], levels("x", *listed))
    frame = series.alias("x").to_frame()
    assert one(frame, model)["unknown"] == unknown
    assert (nser.score(frame, model)["pmt_status"] == "out_of_domain").sum() == unknown


@pytest.mark.parametrize("dtype", [pl.Float32, pl.Float64])
def test_edges_are_compared_in_the_width_of_the_column(dtype: Any) -> None:
    """As in `score`, where 0.3 stored in 32 bits belongs to "up to 0.3"."""
    model = make([Input("x", type="number", max=0.7)], bins("x", Bin(le=0.3, points=1.0)))
    frame = pl.DataFrame({"x": [0.1, 0.3, 0.4]}, schema={"x": dtype})
    assert (nser.score(frame, model)["pmt_status"] == "out_of_domain").sum() == 1
    assert one(frame, model)["out_of_range"] == 1
    model = make([Input("x", type="number", max=0.7)], bins("x", Bin(points=1.0)))
    frame = pl.DataFrame({"x": [0.1, 0.7, 0.8]}, schema={"x": dtype})
    assert (nser.score(frame, model)["pmt_status"] == "out_of_domain").sum() == 1
    assert one(frame, model)["out_of_range"] == 1


def test_what_no_use_of_a_column_knows() -> None:
    """A value is unknown when some term does not know it."""
    cell = Cell(first=("a", "b"), second=(1,), points=1.0)
    table = TableTerm(id="t", inputs=("x", "n"), cells=(cell,), missing="null", unknown="null")
    product = ProductTerm(
        id="p", inputs=("n", "n"), coefficient=1.0, missing="null", out_of_range="null"
    )
    inputs = [Input("x", type="category"), Input("n", type="integer")]
    model = make(inputs, table, levels("x", "b", "c"), product)
    frame = pl.DataFrame({"x": ["a", "b", "c", "d"], "n": [1, 2, 1, 1]})
    assert nser.diagnose(frame, model)["unknown"].to_list() == [3, 1]


@given(models_and_frames(rows=(0, 1, 7, 40)))
def test_clean_columns_score(case: tuple[Model, pl.DataFrame]) -> None:
    """Where nothing is found in any column, only arithmetic can keep a row from its score."""
    model, frame = case
    found = nser.diagnose(frame, model)
    assert found["column"].to_list() == list(model.columns)
    assert (found["rows"] == frame.height).all()
    nulls = [
        frame[c].is_null().sum() + (frame[c].is_nan().sum() if frame[c].dtype.is_float() else 0)
        for c in model.columns
    ]
    assert found["missing"].to_list() == nulls
    if sum(nulls) == 0:
        assert "missing" not in nser.score(frame, model)["pmt_status"].to_list()


# ---------------------------------------------------------------- what is listed

CNICS = [f"35202-{1234567 + n}-1" for n in range(6)]


@pytest.fixture
def toilets() -> pl.DataFrame:
    """Unknown: "pit" 7 times, "bucket" 5, "canal" 4, one identity number 9 times."""
    known = ["flush"] * 20 + ["none"] * 3 + [None]
    unknown = ["pit"] * 7 + ["bucket"] * 5 + ["canal"] * 4 + [CNICS[0]] * 9
    return pl.DataFrame({"toilet": known + unknown})


def listed(found: dict[str, Any]) -> list[tuple[str, int]]:
    return [(entry["level"], entry["count"]) for entry in found["unknown_levels"]]


def test_frequent_levels_are_listed_by_default(toilets: pl.DataFrame) -> None:
    found = one(toilets, TOILET)
    assert listed(found) == [("pit", 7), ("bucket", 5)]
    assert found["unknown"] == 25


def test_all_levels(toilets: pl.DataFrame) -> None:
    found = one(toilets, TOILET, unknown_levels="all")
    assert listed(found) == [(CNICS[0], 9), ("pit", 7), ("bucket", 5), ("canal", 4)]


def test_no_levels(toilets: pl.DataFrame) -> None:
    found = one(toilets, TOILET, unknown_levels="none")
    assert (listed(found), found["unknown"]) == ([], 25)


@pytest.mark.parametrize(
    "text",
    ["35202-1234567-1", "3520212345671", "35202 1234567 1", "0300-1234567", "id 35202-1234567-1."],
)
def test_identity_numbers_are_not_listed(text: str) -> None:
    found = one(pl.DataFrame({"toilet": [text] * 50}), TOILET)
    assert (found["unknown"], listed(found)) == (50, [])


def test_a_column_of_identity_numbers_does_not_spill() -> None:
    """Also not through the name of its type: an Enum's categories are values."""
    series = pl.Series("toilet", CNICS * 20)
    for dtype in (pl.String, pl.Categorical, pl.Enum(CNICS)):
        found = nser.diagnose(series.cast(dtype).to_frame(), TOILET)
        assert found["unknown"].to_list() == [120]
        assert "35202" not in str(found.rows())


def test_integer_identity_numbers_do_not_spill_as_levels() -> None:
    model = make([Input("x", type="category")], levels("x", 1, 2))
    frame = pl.DataFrame({"x": [3520212345671] * 30})
    found = one(frame, model)
    assert (found["unknown"], listed(found)) == (30, [])
