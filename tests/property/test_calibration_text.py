"""Calibration by columns of text equals calibration by the same columns as Enums."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nser_pmt as nser
from nser_pmt.errors import DomainError

# Around the twelve bytes that a string view holds, with shared beginnings and endings.
STEMS = ("", "a", "district", "ضلع", "a district of Balochistan ", "بلوچستان کا ضلع ")
ENDS = ("", "\0", "0", "01", "10", "abcd", "گاؤں", "of many", "کوئی ایک بڑا گاؤں")
LEVELS = st.builds(str.__add__, st.sampled_from(STEMS), st.sampled_from(ENDS)) | st.text(
    st.characters(codec="utf-8"), max_size=40
)


@st.composite
def columns(draw: st.DrawFn) -> tuple[pl.Series, list[str]]:
    """A column of text in some pieces, and levels that it may have."""
    levels = draw(st.lists(LEVELS, min_size=2, max_size=40, unique=True))
    known = draw(st.integers(2, len(levels)))  # the others have no total
    values = draw(st.lists(st.sampled_from(levels[:known]), min_size=known, max_size=120))
    values += levels[:known]
    for odd in draw(st.lists(st.sampled_from([None, *levels[known:]]), max_size=1)):
        values.insert(draw(st.integers(0, len(values))), odd)
    series = pl.Series("level", ["cut off", *values, "cut off too, and longer"], dtype=pl.String)
    column = series.slice(1, len(values))
    cut = draw(st.integers(0, len(values)))
    if draw(st.booleans()):
        column = pl.concat([column[:cut], column[cut:]], rechunk=False)
    return column, levels[:known]


def outcome(frame: pl.DataFrame, totals: pl.DataFrame) -> Any:
    try:
        return nser.calibrate(frame, totals).weights.to_list()
    except DomainError as error:
        return error.code, error.column, error.row


@given(columns())
def test_text_is_read_as_an_enum_is(given: tuple[pl.Series, list[str]]) -> None:
    column, known = given
    schema = {"variable": pl.String, "level": pl.String, "total": pl.Float64}
    # Each level as often as it is there and once more, so that every weight moves.
    times = [float((column == level).sum() + 1) for level in known]
    rows = [("level", *row) for row in zip(known, times, strict=True)]
    totals = pl.DataFrame(rows, schema=schema, orient="row")
    names = [*known, *{text for text in column.drop_nulls() if text not in known}]
    found = outcome(column.to_frame(), totals)
    assert found == outcome(column.cast(pl.Enum(names)).to_frame(), totals)
    assert found == outcome(column.cast(pl.Categorical).to_frame(), totals)
    lacking = [row for row, text in enumerate(column) if text is None]
    without = [row for row, text in enumerate(column) if text not in known]
    if without:
        code = "missing_value" if lacking else "level_without_total"
        assert found == (code, "level", without[0])
    else:
        weights = dict(zip(known, times, strict=True))
        expected = [weights[text] / (weights[text] - 1) for text in column]
        assert found == pytest.approx(expected, rel=1e-8)
