"""Laws of decisions: the plain-Python twin, order, chunks, engines, and knowing more."""

from __future__ import annotations

import sys
import tomllib
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nser_pmt as nser
from nser_pmt.programmes import Quota, RankKey

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS / "oracle"))

import programme_twin as twin  # noqa: E402

EXAMPLE = TESTS / "vectors" / "programme_example.toml"
SOURCES = {name: twin.DATA / f"{name}.toml" for name in ("kafaalat", "nashonuma", "hunarmand")}
SOURCES |= {"taleemi-wazaif": twin.DATA / "taleemi-wazaif.toml", "example": EXAMPLE}
BOOKS = {n: tomllib.loads(path.read_text(encoding="utf-8")) for n, path in SOURCES.items()}
PROGRAMMES = {name: nser.load_programme(path) for name, path in SOURCES.items()}
DTYPES: dict[str, Any] = {
    "boolean": pl.Boolean,
    "category": pl.String,
    "date": pl.Date,
    "integer": pl.Int64,
    "number": pl.Float64,
}
EDGES = {
    "pmt_score": [31.999, 32.0, 32.001, 37.0, 37.001, float("nan"), float("inf")],
    "score": [19.999, 20.0, 39.9, 40.0, -1.0, 101.0, float("-inf")],
    "attendance": [0.0, 0.699, 0.7, 0.701, 1.0, 1.5, float("nan")],
    "ptcl_bill_mean": [999.0, 1000.0, 1000.5, -1.0],
    "mobile_bill_mean": [1000.0, 1000.5],
    "farm_land_acres": [12.0, 12.1],
}


def values(name: str, spec: dict[str, Any], on: date) -> st.SearchStrategy[Any]:
    """Values near the edges of the rules, and null."""
    if spec["type"] == "boolean":
        some: Any = st.booleans()
    elif spec["type"] == "category":
        some = st.sampled_from([*spec.get("values", ["head", "wife", "son"]), "strange"])
    elif spec["type"] == "integer":
        some = st.integers(-1, 6)
    elif spec["type"] == "number":
        some = st.sampled_from(EDGES[name])
    elif name == "admitted_on":
        some = st.integers(-200, 3).map(lambda days: on + timedelta(days=days))
    else:
        # Birthdays of every age up to forty-one, a day before and after.
        some = st.builds(
            lambda months, days: on - timedelta(days=round(months * 30.4375) + days),
            st.integers(-1, 41 * 12),
            st.integers(-2, 2),
        )
    return st.none() | some


@st.composite
def tables(draw: st.DrawFn) -> tuple[str, date, list[dict[str, Any]], dict[str, bool]]:
    """A programme, a day, rows and switches."""
    name = draw(st.sampled_from(sorted(SOURCES)))
    book = BOOKS[name]
    first = min(version["valid_from"] for version in book["versions"])
    days = draw(st.integers(0, 2200))
    on = draw(st.sampled_from([first + timedelta(days=days), date(2024, 2, 29), date(2025, 7, 1)]))
    on = max(on, first)
    level = ("household",) if name in ("kafaalat", "example") else ("household", "person")
    fields = {c: values(c, s, on) for c, s in book["inputs"].items() if s["level"] in level}
    fields |= {rollup: st.none() | st.booleans() for rollup in book.get("rollups", {})}
    rows = draw(st.lists(st.fixed_dictionaries(fields), min_size=1, max_size=8))
    ids = sorted({item.id for item in PROGRAMMES[name].switches()})
    # Two amounts of 2023 are in print: switched on together, the first of them counts.
    flips = draw(st.dictionaries(st.sampled_from(ids), st.booleans(), max_size=3))
    return name, on, rows, flips


def frame(name: str, rows: list[dict[str, Any]]) -> pl.DataFrame:
    book = BOOKS[name]
    schema = {c: DTYPES[s["type"]] for c, s in book["inputs"].items() if c in rows[0]}
    schema |= dict.fromkeys(book.get("rollups", {}), pl.Boolean)
    return pl.DataFrame(rows, schema=schema)


def programme(name: str, flips: dict[str, bool]) -> nser.Programme:
    on = [id for id, state in flips.items() if state]
    return PROGRAMMES[name].with_rules(on=on, off=[id for id in flips if id not in on])


def answers(decided: pl.DataFrame) -> list[tuple[Any, ...]]:
    return decided.select("eligible", "decision", "reasons", "amount").rows()


@given(tables())
def test_engine_and_twin_agree(table: tuple[Any, ...]) -> None:
    name, on, rows, flips = table
    decided = nser.decide(frame(name, rows), programme(name, flips), on=on)
    assert answers(decided) == [
        twin.decide_row(BOOKS[name], row, on, switches=flips) for row in rows
    ]


@given(tables(), st.randoms(use_true_random=False))
def test_order_chunks_and_engines_do_not_matter(table: tuple[Any, ...], random: Any) -> None:
    name, on, rows, flips = table
    book = programme(name, flips)
    whole = frame(name, rows).with_row_index("n")
    want = nser.decide(whole, book, on=on)
    order = list(range(len(rows)))
    random.shuffle(order)
    assert nser.decide(whole[order], book, on=on).sort("n").equals(want)
    pieces = pl.concat([whole[:3], whole[3:]], rechunk=False)
    assert nser.decide(pieces, book, on=on).equals(want)
    lazy = nser.decide(whole.lazy(), book, on=on)
    assert lazy.collect(engine="in-memory").equals(want)
    assert lazy.collect(engine="streaming").equals(want)


@given(tables(), st.data())
def test_knowing_more_never_flips_a_definite_answer(table: tuple[Any, ...], data: Any) -> None:
    name, on, rows, flips = table
    inputs = BOOKS[name]["inputs"]
    known = [dict(row) for row in rows]
    for row in known:
        for column, value in row.items():
            if value is None:
                spec = inputs.get(column, {"type": "boolean"})
                row[column] = data.draw(values(column, spec, on), label=column)
    book = programme(name, flips)
    before = nser.decide(frame(name, rows), book, on=on)
    after = nser.decide(frame(name, known), book, on=on)
    for a, b in zip(before.iter_rows(named=True), after.iter_rows(named=True), strict=True):
        if a["eligible"] is not None:
            assert b["eligible"] == a["eligible"]
        if a["eligible"] is False:
            assert set(a["reasons"]) <= set(b["reasons"])
        if a["amount"] is not None:
            assert b["amount"] == a["amount"]


PEOPLE = {c: s for c, s in BOOKS["kafaalat"]["inputs"].items() if s["level"] == "person"}


@given(
    st.lists(
        st.tuples(
            st.integers(1, 3),
            st.fixed_dictionaries({c: values(c, s, date(2021, 6, 1)) for c, s in PEOPLE.items()}),
        ),
        max_size=8,
    ),
    st.integers(1, 3),
)
def test_rolled_up_members_are_those_of_the_twin(
    drawn: list[tuple[int, dict[str, Any]]], small: int
) -> None:
    on = date(2021, 6, 1)
    for name, columns in (("kafaalat", PEOPLE), ("example", {"working": {}, "birth_date": {}})):
        members = [{"hh_id": hh} | row for hh, row in drawn]
        if name == "example":
            members = [
                {
                    "hh_id": hh,
                    "working": row["disabled"],
                    "birth_date": None
                    if row["executive_cnics"] is None
                    else date(2014 + small, 6, 1),
                }
                for hh, row in drawn
            ]
        types = {c: DTYPES[BOOKS[name]["inputs"][c]["type"]] for c in columns}
        table = pl.DataFrame(members, schema={"hh_id": pl.Int64} | types)
        for given_members in (table, table.lazy()):
            facts = nser.roll_up(given_members, PROGRAMMES[name], on=on).lazy().collect()
            for row in facts.iter_rows(named=True):
                mine = [m for m in members if m["hh_id"] == row["hh_id"]]
                want = twin.with_facts(BOOKS[name], {}, mine, on)
                assert {c: v for c, v in row.items() if c != "hh_id"} == {
                    c: want[c] for c in facts.columns if c != "hh_id"
                }
            assert facts["hh_id"].to_list() == sorted({m["hh_id"] for m in members})


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "score": st.none() | st.sampled_from([1.0, 5.0, 5.0, 9.0, 30.0]),
            "rooms": st.none() | st.integers(1, 5),
            "district": st.none() | st.sampled_from(["A", "B"]),
            "three_small_children": st.none() | st.booleans(),
            "nobody_works": st.just(True),
        }
    ),
    min_size=1,
    max_size=12,
)


@given(
    ROWS,
    st.integers(0, 6),
    st.booleans(),
    st.sampled_from(["include", "exclude"]),
    st.sampled_from([None, "district"]),
    st.booleans(),
)
def test_quotas_are_those_of_the_twin_and_ignore_order(
    rows: list[dict[str, Any]], room: int, money: bool, ties: Any, per: str | None, down: bool
) -> None:
    ranks = (RankKey(column="score", descending=down), RankKey(column="rooms"))
    dates: dict[str, Any] = {"valid_from": date(2020, 1, 1), "source": "s", "mark": "confirmed"}
    limits: dict[str, Any] = {"budget": room * 70} if money else {"places": room}
    quota = Quota(id="q", rank_by=ranks, ties=ties, per=per, **limits, **dates)
    plain = limits | {"id": "q", "ties": ties} | ({"per": per} if per else {})
    plain["rank_by"] = [{"column": "score", "descending": down}, {"column": "rooms"}]
    book, on = PROGRAMMES["example"].with_quota(quota), date(2024, 6, 1)
    table = pl.DataFrame(
        rows,
        schema={
            "score": pl.Float64,
            "rooms": pl.Int64,
            "district": pl.String,
            "three_small_children": pl.Boolean,
            "nobody_works": pl.Boolean,
        },
    ).with_row_index("n")
    decided = nser.decide(table, book, on=on)
    assert answers(decided) == twin.decide_table(BOOKS["example"], rows, on, quota=plain)
    assert nser.decide(table.reverse(), book, on=on).sort("n").equals(decided)
    assert nser.decide(table.lazy(), book, on=on).collect(engine="streaming").equals(decided)


@pytest.mark.parametrize("months", [0, 1, 6, 23, 24, 48, 96, 216])
def test_every_birth_date_around_an_age(months: int) -> None:
    """Each day of three years before each age, decided on leap days and month ends."""
    test = {"column": "birth_date", "age": "months", "ge": months}
    book = {"inputs": {"birth_date": {"type": "date"}}}
    from nser_pmt.programmes._compile import before_age

    for on in (date(2024, 2, 29), date(2025, 2, 28), date(2025, 3, 1), date(2024, 12, 31)):
        last = before_age(months, on)
        for days in range(-400, 400, 1):
            birth = last + timedelta(days=days)
            assert twin.holds(book, {"birth_date": birth}, test, on) == (birth <= last)
