"""Likelihoods counted in a survey, and that the scorer reads them."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt.errors import DomainError


def survey() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "pmt_score": [0.0, 4, 5, 9.5, 20, 24, 25, None],
            "cons": [1.0, 9, 2, 8, 3, 7, 1, 1],
            "w": [1.0, 3, 1, 1, 2, 2, 5, 9],
        }
    )


def table(**options: Any) -> nser.LikelihoodTable:
    given: dict[str, Any] = {"welfare": "cons", "lines": {"low": 2.5, "high": 8.0}, "weights": "w"}
    return nser.likelihood_table(survey(), **(given | options))


def test_shares_by_band() -> None:
    found = table().frame.filter(line="high")
    assert found["from"].to_list() == [0, 5, 10, 15, 20, 25]
    assert found["rows"].to_list() == [2, 2, 0, 0, 2, 1]
    assert found["likelihood"].to_list() == [0.25, 1, None, None, 1, 1]
    low = table().frame.filter(line="low")
    assert low["likelihood"].to_list() == [0.25, 0.5, None, None, 0, 1]
    assert low["se"][1] == pytest.approx((0.5 * 0.5 * (1 + 1)) ** 0.5 / 2)
    assert table().excluded["rows"].to_list() == [0, 0, 1]


def test_a_size_makes_it_count_people() -> None:
    frame = survey().with_columns(size=pl.Series([3, 1, 2, 6, 1, 1, 1, 1]))
    frame = frame.with_columns(both=pl.col("w") * pl.col("size"))
    given: dict[str, Any] = {"welfare": "cons", "lines": {"low": 2.5}}
    people = nser.likelihood_table(frame, **given, weights="w", size="size")
    assert people.frame.equals(nser.likelihood_table(frame, **given, weights="both").frame)
    assert people.frame["likelihood"].to_list()[:2] == [0.5, 0.25]


def test_the_scorer_reads_them() -> None:
    made = table()
    model = made.attach(nser.load_model("schreiner-pk-2009"))
    assert nser.Model.from_json(model.to_json()) == model
    rated = nser.likelihood(survey(), model)
    assert rated["likelihood_low"].to_list() == [0.25, 0.25, 0.5, 0.5, 0, 0, 1, None]
    # A group's rate is the mean of its likelihoods: that of the survey is met exactly.
    known = rated.drop_nulls("pmt_score")
    mean = (known["likelihood_high"] * known["w"]).sum() / known["w"].sum()
    poor = known.filter(pl.col("cons") <= 8)["w"].sum() / known["w"].sum()
    assert mean == pytest.approx(poor)
    between = nser.likelihood(pl.DataFrame({"pmt_score": [12.0]}), model)
    assert between["likelihood_low"].to_list() == [None]  # no row was there


def test_edges_of_ones_own() -> None:
    found = table(bands=[0, 5, 25])
    assert found.frame.filter(line="low")["rows"].to_list() == [2, 5]
    assert found.likelihoods[0].bands[-1].le == 25
    part = table(bands=[4, 10])
    assert part.frame.filter(line="low")["rows"].to_list() == [3]
    assert "LikelihoodTable" in repr(part) and "<table" in part._repr_html_()


@pytest.mark.parametrize(
    "options",
    [{"bands": 0}, {"bands": [5]}, {"bands": [5, 5]}, {"lines": {}}, {"bands": 1e-9}],
)
def test_what_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(DomainError) as error:
        table(**options)
    assert error.value.code == "invalid_option"
