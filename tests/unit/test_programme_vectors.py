"""The cases of tests/vectors/programmes.toml: by the rule engine and by plain Python."""

from __future__ import annotations

import sys
import tomllib
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt.programmes import Quota, RankKey

TESTS = Path(__file__).parents[1]
sys.path.insert(0, str(TESTS / "oracle"))

import programme_twin as twin  # noqa: E402

VECTORS = tomllib.loads((TESTS / "vectors" / "programmes.toml").read_text(encoding="utf-8"))
EXAMPLE = TESTS / "vectors" / "programme_example.toml"
TYPES: dict[str, Any] = {
    "boolean": pl.Boolean,
    "category": pl.String,
    "date": pl.Date,
    "integer": pl.Int64,
    "number": pl.Float64,
}


def filled(row: dict[str, Any]) -> dict[str, Any]:
    row = VECTORS["base"].get(row.get("base"), {}) | row
    return {k: None if v == "NULL" else v for k, v in row.items() if k != "base"}


def frame(
    book: dict[str, Any], rows: list[dict[str, Any]], level: tuple[str, ...], **more: Any
) -> pl.DataFrame:
    schema = {n: TYPES[i["type"]] for n, i in book["inputs"].items() if i["level"] in level}
    rows = [{n: row.get(n) for n in (*schema, *more)} for row in rows]
    return pl.DataFrame(rows, schema=schema | more)


def books(case: dict[str, Any]) -> tuple[dict[str, Any], nser.Programme, dict[str, bool]]:
    name = case.get("programme", "example")
    source = EXAMPLE if name == "example" else twin.DATA / f"{name}.toml"
    on, off = case.get("on", []), case.get("off", [])
    programme = nser.load_programme(source).with_rules(on=on, off=off)
    plain = tomllib.loads(source.read_text(encoding="utf-8"))
    return plain, programme, dict.fromkeys(on, True) | dict.fromkeys(off, False)


def answers(decided: pl.DataFrame) -> list[tuple[Any, ...]]:
    return decided.select("eligible", "decision", "reasons", "amount").rows()


def test_there_are_enough_and_each_has_a_name_of_its_own() -> None:
    names = [case["name"] for case in VECTORS["case"]]
    assert len(names) >= 60 and len(set(names)) == len(names)


@pytest.mark.parametrize("case", VECTORS["case"], ids=lambda case: case["name"])
def test_case(case: dict[str, Any]) -> None:
    book, programme, switches = books(case)
    decision, reasons, *amount = case["want"]
    eligible = {"eligible": True, "not_eligible": False, "needs_data": None}[decision]
    want = (eligible, decision, reasons, amount[0] if amount else None)
    on = case["day"]
    if "row" in case:
        row = filled(case["row"])
        decided = nser.decide(frame(book, [row], ("household", "person")), programme, on=on)
    else:
        members = [filled(member) | {"hh_id": 1} for member in case["members"]]
        household = filled(case["household"])
        row = twin.with_facts(book, household, members, on)
        decided = nser.decide(
            frame(book, [household | {"hh_id": 1}], ("household",), hh_id=pl.Int64),
            programme,
            on=on,
            members=frame(book, members, ("person",), hh_id=pl.Int64),
        )
    assert answers(decided) == [want]
    assert twin.decide_row(book, row, on, switches=switches) == want


@pytest.mark.parametrize("case", VECTORS["quota"], ids=lambda case: case["name"])
def test_quota(case: dict[str, Any]) -> None:
    book, programme, _ = books(case)
    base = {"rooms": 2, "three_small_children": False, "nobody_works": True}
    rows = [base | filled(row) for row in case["rows"]]
    given = case["quota"]
    quota = Quota(
        id="places",
        valid_from=date(2020, 1, 1),
        source="invented",
        mark="confirmed",
        **(given | {"rank_by": tuple(RankKey(**key) for key in given["rank_by"])}),
    )
    households = pl.DataFrame(rows)
    on = date(2024, 6, 1)
    decided = nser.decide(households, programme.with_quota(quota), on=on)
    assert decided["decision"].to_list() == case["want"]
    over = decided.filter(pl.col("decision") == "over_quota")
    assert over["reasons"].to_list() == [["places"]] * over.height
    assert over["eligible"].to_list() == [False] * over.height
    assert over["amount"].null_count() == over.height
    assert answers(decided) == twin.decide_table(book, rows, on, quota=given | {"id": "places"})
    lazy = nser.decide(households.lazy(), programme.with_quota(quota), on=on)
    assert lazy.collect().equals(decided)
