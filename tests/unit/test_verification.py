"""Verdicts on registry rows: a table of cases, options, bad input, and what is never shown."""

from __future__ import annotations

import datetime
import re
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt.errors import CancelledError, DomainError, SchemaError
from nser_pmt.linkage.verification import REASONS, VERDICTS

DAY = datetime.date

# Invented persons: 3 and 4 are twins, 5 and 6 namesakes, 9 and 10 share a number.
CITIZENS: list[dict[str, Any]] = [
    {"person": 1, "cnic": "35202-1234567-1", "name": "Muhammad Aslam",
     "father_name": "Ghulam Rasool", "birth_date": DAY(1971, 3, 9), "sex": "male",
     "district": "Lahore"},
    {"person": 2, "cnic": "42101-7654321-2", "name": "Bushra Bibi", "father_name": "Abdul Waheed",
     "husband_name": "Kamran Akhtar", "birth_date": DAY(1990, 7, 21), "sex": "female",
     "district": "Karachi East", "alive": False, "card_expiry": DAY(2020, 1, 31)},
    {"person": 3, "cnic": "37405-1111222-3", "name": "Zubair Nawaz", "father_name": "Rab Nawaz",
     "birth_date": DAY(2001, 5, 6), "sex": "male", "district": "Rawalpindi"},
    {"person": 4, "cnic": "37405-9998887-5", "name": "Shoaib Nawaz", "father_name": "Rab Nawaz",
     "birth_date": DAY(2001, 5, 6), "sex": "male", "district": "Rawalpindi"},
    {"person": 5, "cnic": "61101-5556667-1", "name": "Imran Haider", "father_name": "Sajid Haider",
     "birth_date": DAY(1985, 11, 30), "sex": "male", "district": "Islamabad"},
    {"person": 6, "cnic": "61101-5556677-1", "name": "Imran Haider", "father_name": "Sajid Haider",
     "birth_date": DAY(1985, 11, 30), "sex": "male", "district": "Islamabad"},
    {"person": 7, "cnic": "17301-2223334-6", "name": "Shaista Gul", "father_name": "Mir Zaman",
     "husband_name": "Asfand Yar", "birth_date": DAY(1979, 9, 17),
     "sex": "female", "district": "Peshawar"},
    {"person": 8, "cnic": "54400-3332221-9", "name": "Faisal Bugti", "father_name": "Karim Bakhsh",
     "birth_date": DAY(1966, 2, 25), "sex": "male", "district": "Quetta"},
    {"person": 9, "cnic": "33100-4445556-7", "name": "Tariq Mehmood", "father_name": "Noor Ilahi",
     "birth_date": DAY(1959, 12, 2), "sex": "male", "district": "Faisalabad"},
    {"person": 10, "cnic": "33100-4445556-7", "name": "Nadeem Qureshi", "father_name": "Yaqoob",
     "birth_date": DAY(1991, 10, 14), "sex": "male", "district": "Faisalabad"},
]  # fmt: skip
SCHEMA: dict[str, Any] = {
    "person": pl.Int64,
    "cnic": pl.String,
    "name": pl.String,
    "father_name": pl.String,
    "husband_name": pl.String,
    "birth_date": pl.Date,
    "sex": pl.String,
    "district": pl.String,
    "alive": pl.Boolean,
    "card_expiry": pl.Date,
}
FLAGS = ("alive", "card_expiry", "husband_name")


def citizens(rows: list[dict[str, Any]] = CITIZENS) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=SCHEMA)


def entry(person: int, **changes: Any) -> dict[str, Any]:
    """Return a registry row of a citizen, with changes."""
    row = dict.fromkeys(SCHEMA) | CITIZENS[person - 1]
    father = row["husband_name"] or row["father_name"]
    kept = {field: row[field] for field in SCHEMA if field not in (*FLAGS, "person")}
    return kept | {"father_name": father} | changes


def registry(rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {"id": pl.Int64} | {k: t for k, t in SCHEMA.items() if k not in (*FLAGS, "person")}
    return pl.DataFrame([{"id": n, **row} for n, row in enumerate(rows)], schema=schema)


def verify(rows: list[dict[str, Any]], **options: Any) -> pl.DataFrame:
    return nser.verify(registry(rows), citizens(), id="id", citizen_id="person", **options).frame


# What was entered: of whom, with what changes; verdict, reason, citizen, candidate.
CASES: list[tuple[str, int, dict[str, Any], str, str, int | None, int | None]] = [
    ("as in the file", 1, {}, "confirmed", "all_agree", 1, None),
    ("another spelling", 1, {"name": "Mohd Aslem"}, "confirmed", "all_agree", 1, None),
    ("the other script", 1, {"name": "محمد اسلم"}, "confirmed", "all_agree", 1, None),
    ("a title added", 1, {"name": "Haji Muhammad Aslam"}, "confirmed", "all_agree", 1, None),
    ("tokens reordered", 5, {"name": "Haider Imran"}, "confirmed", "all_agree", 5, None),
    ("number in Urdu digits", 1, {"cnic": "۳۵۲۰۲-۱۲۳۴۵۶۷-۱"}, "confirmed", "all_agree", 1, None),
    ("moved", 1, {"district": "Multan"}, "confirmed", "all_agree", 1, None),
    ("under her husband", 2, {"father_name": "Kamran Akhtar"}, "confirmed", "all_agree", 2, None),
    ("under her father", 2, {"father_name": "Abdul Waheed"}, "confirmed", "all_agree", 2, None),
    ("number and name alone", 1, {"father_name": None, "birth_date": None, "sex": None,
     "district": None}, "confirmed", "all_agree", 1, None),
    ("a name dropped", 3, {"name": "Nawaz"}, "minor_variation", "name_varies", 3, None),
    ("an initial", 5, {"name": "I Haider"}, "minor_variation", "name_varies", 5, None),
    ("her husband's name in hers", 7, {"name": "Shaista Asfand"}, "minor_variation", "name_varies",
     7, None),
    ("father in part", 5, {"father_name": "Haider"}, "minor_variation",
     "father_or_husband_varies", 5, None),
    ("father a letter off", 1, {"father_name": "Ghulxm Rasool"}, "minor_variation",
     "father_or_husband_varies", 1, None),
    ("day and month swapped", 1, {"birth_date": DAY(1971, 9, 3)}, "minor_variation",
     "birth_date_varies", 1, None),
    ("the first of January", 1, {"birth_date": DAY(1971, 1, 1)}, "minor_variation",
     "birth_date_varies", 1, None),
    ("one digit of the year", 1, {"birth_date": DAY(1981, 3, 9)}, "minor_variation",
     "birth_date_varies", 1, None),
    ("two small things", 5, {"name": "I Haider", "birth_date": DAY(1985, 1, 1)}, "minor_variation",
     "several_vary", 5, None),
    ("no name", 1, {"name": None}, "minor_variation", "name_missing", 1, None),
    ("a letter of the name", 8, {"name": "Gaisal Bugti"}, "minor_variation", "name_one_slip",
     8, None),
    ("another father", 1, {"father_name": "Sher Zaman"}, "minor_variation",
     "father_or_husband_differs", 1, None),
    ("another birth date", 1, {"birth_date": DAY(1999, 6, 30)}, "minor_variation",
     "birth_date_differs", 1, None),
    ("the other sex", 1, {"sex": "F"}, "minor_variation", "sex_differs", 1, None),
    ("a digit wrong", 1, {"cnic": "35202-1234568-1"}, "minor_variation", "number_one_error", 1, 1),
    ("digits swapped", 7, {"cnic": "17301-2232334-6"}, "minor_variation", "number_one_error", 7, 7),
    ("a child under the father's number", 1, {"name": "Waqas Ahmad", "father_name":
     "Muhammad Aslam", "birth_date": DAY(2004, 2, 3)}, "conflicting", "number_of_relative",
     1, None),
    ("an unknown person", 1, {"name": "Waqas Ahmad", "father_name": "Sher Zaman",
     "birth_date": DAY(2004, 2, 3)}, "conflicting", "name_differs", 1, None),
    ("the twin's number", 3, {"cnic": "37405-9998887-5"}, "conflicting", "number_of_another", 4, 3),
    ("another's number", 8, {"cnic": "35202-1234567-1"}, "conflicting", "number_of_another", 1, 8),
    ("a namesake", 1, {"father_name": "Sher Zaman", "birth_date": DAY(2004, 2, 3)},
     "conflicting", "others_differ", 1, None),
    ("nobody", 1, {"cnic": "35202-8888777-1", "name": "Waqas Ahmad", "father_name": "Sher Zaman",
     "birth_date": DAY(2004, 2, 3)}, "not_found", "number_unknown", None, None),
    ("another number of somebody", 8, {"cnic": "12101-8888777-1"}, "not_found", "number_unknown",
     8, 8),
    ("one error, but another's", 1, {"cnic": "35202-1234568-1", "name": "Waqas Ahmad",
     "father_name": "Sher Zaman", "birth_date": DAY(2004, 2, 3)}, "not_found", "number_unknown",
     None, None),
    ("no number", 8, {"cnic": None}, "invalid_cnic", "number_missing", 8, 8),
    ("no number, half of twins", 3, {"cnic": "NIL"}, "invalid_cnic", "number_missing", 3, 3),
    ("no number, namesakes", 5, {"cnic": None}, "invalid_cnic", "number_missing", None, None),
    ("a dummy", 1, {"cnic": "11111-1111111-1"}, "invalid_cnic", "number_dummy", 1, 1),
    ("a digit lost", 1, {"cnic": "35202-123457-1"}, "invalid_cnic", "number_malformed", 1, 1),
    ("a telephone number", 1, {"cnic": "03001234567"}, "invalid_cnic", "number_of_other_kind",
     1, 1),
    ("an old number", 1, {"cnic": "270-71-123456"}, "invalid_cnic", "number_of_other_kind", 1, 1),
    ("the number alone", 1, {"name": None, "father_name": None, "birth_date": None},
     "ambiguous", "too_little_given", 1, None),
    ("little of a name", 5, {"name": "I Haider", "father_name": None, "birth_date": None},
     "ambiguous", "too_little_given", 5, None),
    ("for and against", 1, {"father_name": "Sher Zaman", "sex": "female"}, "ambiguous",
     "evidence_divided", 1, None),
    ("a brother, perhaps", 5, {"name": "I Haider", "birth_date": DAY(1987, 4, 2)}, "ambiguous",
     "evidence_divided", 5, None),
    ("a new name", 8, {"name": "Rustam Khetran"}, "ambiguous", "name_differs_only", 8, None),
    ("a number held twice", 9, {}, "ambiguous", "number_held_twice", None, None),
    ("between namesakes", 5, {"cnic": "61101-5556687-1"}, "ambiguous", "several_citizens", 5, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("what", "person", "changes", "verdict", "reason", "citizen", "candidate"), CASES
)
def test_a_row_has_its_verdict(
    what: str,
    person: int,
    changes: dict[str, Any],
    verdict: str,
    reason: str,
    citizen: int | None,
    candidate: int | None,
) -> None:
    row = verify([entry(person, **changes)]).row(0, named=True)
    found = (row["verdict"], row["reason"], row["citizen"], row["candidate"])
    assert found == (verdict, reason, citizen, candidate)


def test_rows_do_not_change_each_other_but_by_the_number_they_share() -> None:
    used: set[str | None] = set()
    rows, expected = [], []
    for _, person, changes, _, reason, *_ in CASES:
        row = entry(person, **changes)
        if row["cnic"] not in used:
            used.add(row["cnic"])
            rows.append(row)
            expected.append(reason)
    assert len(rows) > 15
    assert verify(rows)["reason"].to_list() == expected


def test_the_table_covers_every_reason_but_that_of_shared_numbers() -> None:
    assert {case[4] for case in CASES} == set(REASONS.categories) - {"number_shared"}
    assert {case[3] for case in CASES} == set(VERDICTS.categories)


# -- one number on several rows --------------------------------------------------------------------


def test_of_several_claimants_the_file_says_who_is_right() -> None:
    other = {"name": "Waqas Ahmad", "father_name": "Sher Zaman", "birth_date": DAY(2004, 2, 3)}
    found = verify([entry(1, **other), entry(1), entry(1, **other), entry(1, name="M Aslam")])
    assert found["claims"].to_list() == [4] * 4
    assert found["reason"].to_list() == [
        "number_of_another",
        "all_agree",
        "number_of_another",
        "all_agree",
    ]


def test_a_claimant_with_some_support_may_be_the_same_person() -> None:
    brother = {"name": "Waqas Ahmad", "birth_date": DAY(2004, 2, 3)}
    assert verify([entry(1, **brother)])["reason"].to_list() == ["name_differs"]
    found = verify([entry(1, **brother), entry(1)])
    assert found["reason"].to_list() == ["number_shared", "all_agree"]
    # The search knows the brother of this one.
    found = verify([entry(3, cnic="37405-9998887-5"), entry(4)])
    assert found["reason"].to_list() == ["number_of_another", "all_agree"]


def test_when_no_claimant_is_right_none_has_a_right() -> None:
    one = {"name": "Waqas Ahmad", "father_name": "Sher Zaman", "birth_date": DAY(2004, 2, 3)}
    two = {"name": "Junaid Safdar", "father_name": "Habib", "birth_date": DAY(1950, 2, 3)}
    found = verify([entry(1, **one), entry(1, **two)])
    assert found["reason"].to_list() == ["name_differs"] * 2


def test_a_contradiction_and_a_rival_are_ambiguous() -> None:
    other = {"birth_date": DAY(2004, 2, 3)}
    assert verify([entry(1, **other)])["reason"].to_list() == ["birth_date_differs"]
    found = verify([entry(1, **other), entry(1)])
    assert found["reason"].to_list() == ["number_shared", "all_agree"]
    # A claimant without any right to the number is no rival.
    stranger = entry(1, name="Waqas Ahmad", father_name="Sher Zaman", birth_date=None)
    found = verify([entry(1, **other), stranger])
    assert found["reason"].to_list() == ["birth_date_differs", "number_of_another"]


# -- evidence --------------------------------------------------------------------------------------


def test_codes_of_the_fields() -> None:
    changes = {"name": "Bushra", "father_name": "Abdul Wahid", "birth_date": DAY(1990, 1, 1)}
    row = verify([entry(2, **changes, district=None)]).row(0, named=True)
    assert {k: v for k, v in row.items() if k.startswith("match_")} == {
        "match_number": "exact",
        "match_name": "optional_missing",
        "match_father_or_husband": "spelling_variant",
        "match_birth_date": "first_january",
        "match_sex": "same",
        "match_district": None,
        "match_weight": None,
    }
    assert row["relative"] == "father" and row["found_by"] == "number"
    assert 0.75 < row["name_similarity"] < 1 and 0.75 < row["father_or_husband_similarity"] < 1
    other = verify([entry(2, district="Hyderabad", sex="m")]).row(0, named=True)
    assert (other["match_district"], other["match_sex"]) == ("different", "different")
    assert other["relative"] == "husband"


def test_codes_of_birth_dates() -> None:
    cases = [
        (DAY(1990, 7, 21), "exact"),
        (DAY(1990, 7, 22), "one_slip"),
        (DAY(1990, 7, 12), "one_slip"),
        (DAY(1909, 7, 21), "one_slip"),
        (DAY(1899, 7, 21), "different"),
        (DAY(1980, 7, 21), "one_slip"),
        (DAY(1990, 1, 1), "first_january"),
        (DAY(1991, 1, 1), "near"),
        (DAY(1993, 7, 1), "near"),
        (DAY(1996, 9, 1), "different"),
        (None, None),
    ]
    found = verify([entry(2, birth_date=entered) for entered, _ in cases])
    assert found["match_birth_date"].to_list() == [code for _, code in cases]


def test_day_and_month_of_a_birth_date() -> None:
    assert verify([entry(3, birth_date=DAY(2001, 6, 5))])["match_birth_date"].item() == (
        "day_month_swap"
    )


def test_a_search_says_how_sure_it_is() -> None:
    found = verify([entry(8, cnic=None), entry(5, cnic=None), entry(1)])
    assert found["candidates"].to_list() == [1, 2, None]
    assert found["found_by"].to_list() == ["search", None, "number"]
    weights = found["match_weight"].to_list()
    assert weights[0] > 7 and weights[1] > 7 and weights[2] is None


def test_flags_are_shown_and_change_no_verdict() -> None:
    found = verify([entry(2), entry(1)], on=DAY(2021, 1, 1))
    assert found["verdict"].to_list() == ["confirmed"] * 2
    assert found["deceased"].to_list() == [True, None]
    assert found["card_expiry"].to_list() == [DAY(2020, 1, 31), None]
    assert found["expired"].to_list() == [True, None]
    assert "expired" not in verify([entry(2)]).columns
    dead = citizens().with_columns(deceased=~pl.col("alive")).drop("alive", "card_expiry")
    found = nser.verify(registry([entry(2)]), dead, id="id", citizen_id="person").frame
    assert found["deceased"].to_list() == [True] and found["card_expiry"].to_list() == [None]


def test_numbers_are_masked_unless_asked_for() -> None:
    rows = [entry(8, cnic=None), entry(1)]
    assert verify(rows)["candidate_number"].to_list() == ["54400-*******-*", None]
    assert verify(rows, show="full")["candidate_number"].to_list() == ["54400-3332221-9", None]
    assert "candidate_number" not in verify(rows, show="none").columns
    shown = nser.verify(registry(rows), citizens(), id="id", citizen_id="person")
    for text in (repr(shown), shown._repr_html_(), str(shown.frame), str(shown.summary)):
        assert not re.search(r"\d{7}", text) and "Aslam" not in text


def test_the_summary_counts_rows() -> None:
    rows = [entry(1), entry(2), entry(8, cnic=None), entry(5, name="I Haider")]
    found = nser.verify(registry(rows), citizens(), id="id", citizen_id="person")
    assert found.summary.rows() == [
        ("confirmed", "all_agree", 2),
        ("minor_variation", "name_varies", 1),
        ("invalid_cnic", "number_missing", 1),
    ]
    assert repr(found).splitlines()[:2] == [
        "Verified: 4 rows",
        "  confirmed                               2   50.0%",
    ]
    assert found._repr_html_().startswith("<pre>Verified")


# -- columns ---------------------------------------------------------------------------------------


def test_columns_by_other_names() -> None:
    rows = registry([entry(2), entry(1, father_name="Sher Zaman")])
    named = rows.rename({"cnic": "nic", "father_name": "relative", "birth_date": "dob"})
    columns = {
        "number": ("nic", "cnic"),
        "father": ("relative", "father_name"),
        "birth_date": ("dob", "birth_date"),
        "sex": (None, None),
        "district": (None, "district"),
    }
    options: dict[str, Any] = {"id": "id", "citizen_id": "person"}
    found = nser.verify(named, citizens(), columns=columns, **options).frame
    assert found["verdict"].to_list() == ["confirmed", "minor_variation"]
    assert found["match_sex"].null_count() == found["match_district"].null_count() == 2


def test_a_registry_with_father_and_husband() -> None:
    both = registry([entry(2)]).with_columns(
        father_name=pl.lit("Kamran Akhtar"), husband_name=pl.lit("Zahoor")
    )
    row = nser.verify(both, citizens(), id="id", citizen_id="person").frame.row(0, named=True)
    assert (row["verdict"], row["relative"]) == ("confirmed", "husband")


def test_ids_of_any_name() -> None:
    rows = [entry(1), entry(8, cnic=None)]
    for name in ("row", "name_citizen", "id", "holders", "link_id", "part_0"):
        mine = registry(rows).rename({"id": name}) if name != "id" else registry(rows)
        theirs = citizens().rename({"person": name})
        for given in (theirs, theirs.lazy()):
            found = nser.verify(mine, given, id=name, citizen_id=name).frame
            assert found["reason"].to_list() == ["all_agree", "number_missing"]
            assert (found.columns[0], found["candidate"].to_list()) == (name, [None, 8])
    refused(
        "wrong_column", "citizen", registry=registry(rows).rename({"id": "citizen"}), id="citizen"
    )


def test_number_and_name_are_enough_for_a_verdict() -> None:
    few = citizens().select("person", "cnic", "name")
    rows = registry([entry(1), entry(8, cnic=None)]).select("id", "cnic", "name")
    found = nser.verify(rows, few, id="id", citizen_id="person").frame
    assert found["reason"].to_list() == ["all_agree", "number_missing"]


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical, pl.UInt64, pl.Int64, pl.Float64])
def test_numbers_of_any_type(dtype: Any) -> None:
    digits = pl.col("cnic").str.replace_all("-", "")
    numbers = digits if dtype in (pl.String, pl.Categorical) else digits.cast(pl.Int64)
    rows = registry([entry(1), entry(1, cnic="35202-1234568-1"), entry(8, cnic=None)])
    found = nser.verify(
        rows.with_columns(numbers.cast(dtype)),
        citizens().with_columns(numbers.cast(dtype)),
        id="id",
        citizen_id="person",
    ).frame
    assert found["reason"].to_list() == ["all_agree", "number_one_error", "number_missing"]


def test_lazy_frames_give_the_same() -> None:
    rows = [entry(person, **changes) for _, person, changes, *_ in CASES]
    options: dict[str, Any] = {"id": "id", "citizen_id": "person"}
    eager = nser.verify(registry(rows), citizens(), **options).frame
    lazy = nser.verify(registry(rows).lazy(), citizens().lazy(), **options).frame
    assert eager.equals(lazy)


def test_citizens_in_a_file_are_read_in_parts(tmp_path: Any) -> None:
    citizens().write_parquet(tmp_path / "citizens.parquet", row_group_size=3)
    rows = [entry(person, **changes) for _, person, changes, *_ in CASES]
    options: dict[str, Any] = {"id": "id", "citizen_id": "person"}
    scan = pl.scan_parquet(tmp_path / "citizens.parquet")
    found = nser.verify(registry(rows), scan, **options).frame
    assert found.equals(nser.verify(registry(rows), citizens(), **options).frame)


# -- bad input -------------------------------------------------------------------------------------


def refused(code: str, column: str | None, **changes: Any) -> None:
    options: dict[str, Any] = {
        "registry": registry([entry(1)]),
        "citizens": citizens(),
        "id": "id",
        "citizen_id": "person",
    } | changes
    with pytest.raises((SchemaError, DomainError)) as caught:
        nser.verify(options.pop("registry"), options.pop("citizens"), **options)
    assert (caught.value.code, caught.value.column) == (code, column)
    assert not re.search(r"\d{5}", str(caught.value)) and "Aslam" not in str(caught.value)


def test_columns_that_are_missing_or_of_a_wrong_type() -> None:
    refused("missing_column", "cnic", registry=registry([entry(1)]).drop("cnic"))
    refused("missing_column", "name", citizens=citizens().drop("name"))
    refused("missing_column", "nr", id="nr")
    refused("missing_column", "nr", citizen_id="nr")
    refused("missing_column", "born", columns={"birth_date": "born"})
    refused("missing_column", "born", columns={"birth_date": ("birth_date", "born")})
    text = registry([entry(1)]).with_columns(pl.col("birth_date").cast(pl.String))
    refused("wrong_column", "birth_date", registry=text)
    refused("wrong_column", "sex", citizens=citizens().with_columns(sex=pl.lit(1)))
    refused("wrong_column", "alive", citizens=citizens().with_columns(alive=pl.lit("yes")))
    refused("wrong_column", "name", citizens=citizens().with_columns(name=pl.lit(1)))


def test_ids_that_are_missing_or_repeat() -> None:
    rows = registry([entry(1), entry(2)])
    refused("duplicate_id", "id", registry=rows.with_columns(id=1))
    refused("missing_id", "id", registry=rows.with_columns(id=pl.lit(None, pl.Int64)))
    refused("duplicate_id", "person", citizens=citizens().with_columns(person=1))
    refused("missing_id", "person", citizens=citizens().with_columns(person=pl.lit(None, pl.Int64)))


def test_options_that_are_not_allowed() -> None:
    refused("invalid_option", None, show="all")
    refused("invalid_option", None, on="2020-01-01")
    refused("invalid_option", None, columns={"father_or_husband": "father_name"})
    refused("invalid_option", None, columns={"name": ("name", None)})
    plan = nser.LinkSpec(compare=[nser.compare.name("nickname")], block_on=[["name"]])
    refused("invalid_option", "nickname", spec=plan)
    near = nser.LinkSpec(
        compare=[nser.compare.name("name")], block_on=[nser.blocking.neighbours("name")]
    )
    refused("invalid_option", None, spec=near)
    frame = nser.compare.name("name", token_frequencies="frame")
    refused("invalid_option", None, spec=near.replace(compare=[frame], block_on=[["name"]]))
    unlearned = nser.LinkSpec(compare=[nser.compare.name("name")], block_on=[["birth_date"]])
    refused("not_learned", None, spec=unlearned)


@pytest.mark.parametrize(
    "limits",
    [
        {"name_agrees": 1.1},
        {"name_varies": -0.1},
        {"name_agrees": 0.3},
        {"birth_years": -1},
        {"birth_years": 1.5},
        {"margin": -1.0},
        {"weight": float("nan")},
        {"max_block": 0},
    ],
)
def test_rules_that_are_not_allowed(limits: dict[str, Any]) -> None:
    with pytest.raises(DomainError) as caught:
        nser.VerifyRules(**limits)
    assert caught.value.code == "invalid_option"


def test_empty_sides() -> None:
    options: dict[str, Any] = {"id": "id", "citizen_id": "person"}
    nothing = nser.verify(registry([]), citizens(), **options)
    assert nothing.frame.height == nothing.summary.height == 0
    assert nothing.frame.schema == verify([entry(1)]).schema
    assert repr(nothing).startswith("Verified: 0 rows")
    rows = [entry(1), entry(1, cnic=None)]
    alone = nser.verify(registry(rows), citizens([]), **options).frame
    assert alone["reason"].to_list() == ["number_unknown", "number_missing"]
    assert alone.schema == nothing.frame.schema


def test_columns_without_any_value() -> None:
    fields = [field for field in SCHEMA if field not in (*FLAGS, "person")]
    for dtype in (None, pl.Null):
        rows = registry([entry(1), entry(2)])
        empty = rows.with_columns(
            pl.lit(None, dtype or rows.schema[field]).alias(field) for field in fields
        )
        options: dict[str, Any] = {"id": "id", "citizen_id": "person"}
        found = nser.verify(empty, citizens(), **options).frame
        assert found["reason"].to_list() == ["number_missing"] * 2
        theirs = citizens().with_columns(
            pl.lit(None, dtype or SCHEMA[field]).alias(field)
            for field in SCHEMA
            if field != "person"
        )
        found = nser.verify(rows, theirs, **options).frame
        assert found["reason"].to_list() == ["number_unknown"] * 2


def test_one_value_on_all_citizens_does_not_fill_the_search() -> None:
    same = {"name": "Unknown", "father_name": "Unknown", "birth_date": DAY(1990, 1, 1)}
    many = [{**same, "person": n, "cnic": None} for n in range(2_000)]
    found = nser.verify(
        registry([entry(1, **same, cnic=None)] * 1), citizens(many), id="id", citizen_id="person"
    ).frame
    assert (found["verdict"].item(), found["candidates"].item()) == ("invalid_cnic", None)
    few = nser.verify(
        registry([entry(1, **same, cnic=None)]), citizens(many[:20]), id="id", citizen_id="person"
    ).frame
    assert few["candidates"].item() == 20


def test_limits_decide() -> None:
    varied = [entry(5, name="I Haider")]
    assert verify(varied)["verdict"].item() == "minor_variation"
    strict = nser.VerifyRules(name_agrees=0.95, name_varies=0.95)
    assert verify(varied, rules=strict)["verdict"].item() != "minor_variation"
    far = [entry(1, birth_date=DAY(1977, 8, 20))]
    assert verify(far)["reason"].item() == "birth_date_differs"
    assert (
        verify(far, rules=nser.VerifyRules(birth_years=7))["reason"].item() == "birth_date_varies"
    )
    lost = [entry(8, cnic=None)]
    assert verify(lost, rules=nser.VerifyRules(weight=60.0))["candidate"].item() is None
    twins = [entry(3, cnic=None)]
    assert verify(twins)["candidates"].item() == 1
    assert verify(twins, rules=nser.VerifyRules(margin=40.0))["candidates"].item() == 2


def test_a_plan_of_ones_own() -> None:
    chances = {"m": (0.9, 0.1), "u": (1e-5, 1 - 1e-5)}
    plan = nser.LinkSpec(
        compare=[
            nser.compare.exact("name").with_chances(**chances),
            nser.compare.exact("birth_date").with_chances(**chances),
        ],
        block_on=[["birth_date"]],
        prior=0.01,
    )
    found = verify([entry(8, cnic=None), entry(8, cnic=None, birth_date=None)], spec=plan)
    assert found["candidate"].to_list() == [8, None]


def test_a_cancelled_search_stops() -> None:
    control = nser.RunControl()
    control.cancel()
    with pytest.raises(CancelledError):
        verify([entry(8, cnic=None)], control=control)
