"""Laws of `verify`: one verdict a row, whatever the order, the chunks and who else is a citizen."""

from __future__ import annotations

import datetime
from functools import cache
from itertools import pairwise
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

import nser_pmt as nser
from nser_pmt.linkage import _verify_fields, verification
from nser_pmt.linkage._verify_rules import _VERDICT_OF

IDS: dict[str, Any] = {"id": "id", "citizen_id": "entity"}


@cache
def made() -> nser.synth.People:
    return nser.synth.people(600, seed=11, errors=4.0, script="both", citizens=1_500)


@cache
def verdicts() -> pl.DataFrame:
    return nser.verify(made().records, made().citizens, **IDS).frame


def test_every_row_has_one_verdict_that_follows_from_its_reason() -> None:
    found = verdicts()
    assert found["id"].to_list() == made().records["id"].to_list()
    pairs = found.select(pl.col("verdict", "reason").cast(pl.String)).rows()
    assert all(_VERDICT_OF[reason] == verdict for verdict, reason in pairs)
    assert found["verdict"].n_unique() >= 5
    nobody = found.filter(pl.col("found_by").is_null())
    assert nobody.height
    assert nobody["citizen"].null_count() == nobody["match_name"].null_count() == nobody.height


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32), cuts=st.lists(st.integers(0, 600), max_size=4))
def test_order_and_chunks_of_either_side_change_nothing(seed: int, cuts: list[int]) -> None:
    citizens = made().citizens.sample(fraction=1.0, shuffle=True, seed=seed)
    records = made().records.sample(fraction=1.0, shuffle=True, seed=seed)
    bounds = [0, *sorted(cuts), records.height]
    parts = [records[a:b] for a, b in pairwise(bounds)]
    records = pl.concat(parts, rechunk=False)
    found = nser.verify(records, citizens, **IDS).frame
    assert found["id"].to_list() == records["id"].to_list()
    assert found.sort("id").equals(verdicts())


@settings(max_examples=3)
@given(size=st.integers(150, 700), searched=st.integers(60, 300))
def test_slices_change_nothing(size: int, searched: int) -> None:
    before = verification._SLICE, verification._SEARCHED
    verification._SLICE, verification._SEARCHED = size, searched
    try:
        assert nser.verify(made().records, made().citizens, **IDS).frame.equals(verdicts())
    finally:
        verification._SLICE, verification._SEARCHED = before


@settings(max_examples=6)
@given(seed=st.integers(0, 2**32), n=st.integers(1, 400))
def test_other_citizens_do_not_change_what_is_confirmed(seed: int, n: int) -> None:
    others = nser.synth.people(n, seed=seed).citizens
    others = others.with_columns(pl.col("entity") + 10_000_000)
    others = others.join(made().citizens, on="cnic", how="anti").select(made().citizens.columns[:3])
    more = pl.concat([made().citizens, others], how="diagonal")
    found = nser.verify(made().records, more, **IDS).frame
    kept = verdicts().filter(pl.col("verdict").cast(pl.String) == "confirmed")
    assert kept.height > 200
    assert found.join(kept.select("id"), on="id", how="semi", maintain_order="left").equals(kept)


@settings(max_examples=20)
@given(
    dates=st.lists(
        st.tuples(
            st.dates(datetime.date(1900, 1, 1), datetime.date(2030, 12, 31)),
            st.sampled_from(["digit", "swap", "parts", "january", "days"]),
            st.integers(0, 7),
            st.integers(0, 9),
        ),
        min_size=1,
        max_size=60,
    )
)
def test_codes_of_birth_dates_are_those_of_a_naive_twin(dates: list[Any]) -> None:
    pairs = [(a, b) for a, *change in dates if (b := changed(a, *change)) is not None]
    schema = {"birth_date": pl.Date, "birth_date_citizen": pl.Date}
    missing = [(None, a) for a, _ in pairs] + [(b, None) for _, b in pairs]
    frame = pl.DataFrame(pairs + missing, schema=schema, orient="row")
    codes = _verify_fields._births_of(frame, 3).to_list()
    assert codes == [twin(a, b) for a, b in pairs] + [None] * len(missing)


def changed(date: datetime.date, how: str, at: int, digit: int) -> datetime.date | None:
    text = date.isoformat().replace("-", "")
    if how == "digit":
        text = text[:at] + str(digit) + text[at + 1 :]
    elif how == "swap":
        text = text[:at] + text[at : at + 2][::-1] + text[at + 2 :]
    elif how == "parts":
        text = text[:4] + text[6:] + text[4:6]
    elif how == "january":
        text = text[:4] + "0101"
    else:
        return date + datetime.timedelta(days=400 * (at - 4) + digit)
    try:
        return datetime.datetime.strptime(text, "%Y%m%d").date()
    except ValueError:
        return None


def twin(a: datetime.date, b: datetime.date) -> str:
    if a == b:
        return "exact"
    if (a.year, a.month, a.day) == (b.year, b.day, b.month):
        return "day_month_swap"
    parts = zip(a.isoformat().split("-"), b.isoformat().split("-"), strict=True)
    unequal = [(x, y) for x, y in parts if x != y]
    if len(unequal) == 1:
        x, y = unequal[0]
        swaps = {x[:i] + x[i + 1] + x[i] + x[i + 2 :] for i in range(len(x) - 1)}
        if y in swaps or sum(p != q for p, q in zip(x, y, strict=True)) == 1:
            return "one_slip"
    if a.year == b.year and (1, 1) in ((a.month, a.day), (b.month, b.day)):
        return "first_january"
    return "near" if abs((a - b).days) <= 366 * 3 else "different"
