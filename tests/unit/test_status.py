"""Status look-ups against a list of dictionaries, and what an answer may show."""

from __future__ import annotations

import copy
import dataclasses
import math
import os
import pickle
import re
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import nser_pmt as nser
from nser_pmt import cnic
from nser_pmt.errors import DomainError, ModelError, SchemaError
from nser_pmt.registry.status import Status

DAY = date(2024, 6, 1)
DECISIONS = pl.Enum(["eligible", "not_eligible", "needs_data", "over_quota"])


def people(rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {
        "hh_id": pl.Int64,
        "cnic": pl.String,
        "cnic_expiry": pl.Date,
        "name": pl.String,
        "decision_kafaalat": DECISIONS,
        "amount_kafaalat": pl.Float64,
        "reasons_kafaalat": pl.List(pl.String),
        "decision_taleemi": DECISIONS,
    }
    return pl.DataFrame(rows, schema=schema)


def row(
    hh_id: int, number: str | None, expiry: date | None = None, name: str | None = None
) -> dict[str, Any]:
    return {
        "hh_id": hh_id,
        "cnic": number,
        "cnic_expiry": expiry,
        "name": name,
        "decision_kafaalat": "eligible",
        "amount_kafaalat": 10500.0,
        "reasons_kafaalat": ["cutoff", "disabled"],
        "decision_taleemi": None,
    }


def build(path: Path, rows: list[dict[str, Any]]) -> nser.StatusIndex:
    return nser.StatusIndex.build(
        people(rows),
        path,
        expiry="cnic_expiry",
        name="name",
        programmes=["kafaalat", "taleemi"],
        titles={"kafaalat": {"en": "Kafaalat", "ur": "کفالت"}},
        as_of=DAY,
    )


ROWS = [
    row(1, "35202-1234567-1", DAY, "Muhammad  ASLAM 2nd"),
    row(2, "42101 7654321 3", DAY - timedelta(1), "بشریٰ بی بی"),
    row(3, "6110198765439", None, None),
    row(4, "6110198765439", None, "9-B Ali3520212345671"),
    row(5, "3120212345678", DAY - timedelta(9), "Zed"),
    row(5, "31202-1234567-8", DAY, "Zed"),
    row(6, "not a number", DAY, "Nobody"),
    row(7, None, DAY, "Nobody"),
]


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> nser.StatusIndex:
    return build(tmp_path_factory.mktemp("status") / "index", ROWS)


@pytest.mark.parametrize(
    ("asked", "answer", "household", "name"),
    [
        ("3520212345671", "found", 1, "M*** A*** ***"),
        (" 35202-1234567-1 ", "found", 1, "M*** A*** ***"),
        (3520212345671, "found", 1, "M*** A*** ***"),
        ("42101-7654321-3", "expired", 2, "ب*** ب*** ب***"),
        ("6110198765439", "shared", None, None),
        ("3120212345678", "found", 5, "Z***"),
        ("3520212345673", "unknown", None, None),
    ],
)
def test_each_answer(
    index: nser.StatusIndex, asked: object, answer: str, household: int | None, name: str | None
) -> None:
    found = index.look_up(asked, on=DAY)
    assert (found.answer, found.household, found.name) == (answer, household, name)
    assert found.cnic == cnic.mask_one(asked)
    assert found.reason is None
    assert (found.on, found.as_of) == (DAY, DAY)
    assert set(found.programmes) == ({"kafaalat", "taleemi"} if household else set())


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (None, "missing"),
        ("NIL", "missing"),
        ("0300-1234567", "phone"),
        ("11111-1111111-1", "dummy"),
        ("3.52021E+12", "truncated"),
        ("352O2-1234567-1", "ocr_letters"),
        ("35202-123456-1", "digit_missing"),
        ("12345", "wrong_length"),
    ],
)
def test_what_is_no_number_is_told_apart_and_never_guessed(
    index: nser.StatusIndex, asked: object, reason: str
) -> None:
    found = index.look_up(asked, on=DAY)
    assert (found.answer, found.reason) == ("malformed", reason)
    assert (found.cnic, found.household, found.name) == (None, None, None)


def test_programmes_come_back_as_they_were_decided(index: nser.StatusIndex) -> None:
    found = index.look_up("3520212345671", on=DAY)
    kafaalat = found.programmes["kafaalat"]
    assert (kafaalat.decision, kafaalat.amount) == ("eligible", 10500.0)
    assert kafaalat.reasons == ("cutoff", "disabled")
    taleemi = found.programmes["taleemi"]
    assert (taleemi.decision, taleemi.amount, taleemi.reasons) == (None, None, ())
    with pytest.raises(dataclasses.FrozenInstanceError):
        kafaalat.decision = None  # type: ignore[misc]


def test_the_last_day_of_a_card_counts(index: nser.StatusIndex) -> None:
    assert index.look_up("3520212345671", on=DAY + timedelta(1)).answer == "expired"
    assert index.look_up("3520212345671", on=DAY).expires == DAY
    # Not known when it expires: never expired.
    assert index.look_up("6110198765439", on=date(2100, 1, 1)).expires is None
    assert index.look_up("3120212345678", on=DAY).expires == DAY


def test_messages(index: nser.StatusIndex) -> None:
    found = index.look_up("3520212345671", on=DAY)
    assert found.text() == (
        "CNIC 35202-*******-*: registered. Kafaalat: eligible, Rs 10,500 a quarter. "
        "taleemi: no decision. As of 2024-06-01."
    )
    assert "کفالت: اہل، 10,500 روپے فی سہ ماہی" in found.text("ur")
    asked = ["3520212345671", "42101-7654321-3", "6110198765439", "3520212345673", "12"]
    texts = {index.look_up(a, on=DAY).text(language) for a in asked for language in ("en", "ur")}
    assert len(texts) == 10
    assert all("\n" not in text and "{" not in text and "None" not in text for text in texts)
    with pytest.raises(DomainError):
        found.text("fr")  # type: ignore[arg-type]


def shown(found: Status) -> str:
    return " ".join([repr(found), found.text("en"), found.text("ur")])


def test_no_answer_shows_whose_number_it_is(index: nser.StatusIndex) -> None:
    for given_row in ROWS:
        asked = given_row["cnic"]
        found = index.look_up(asked, on=DAY, show="none")
        assert not re.search(r"\d", (found.cnic or "") + (found.name or ""))
        text = shown(index.look_up(asked, on=DAY))
        if (number := cnic.normalize_one(asked)) is not None:
            assert number not in text and number[5:12] not in text
        for word in (given_row["name"] or "").split():
            assert len(word) < 3 or word not in text
    assert "35202" not in repr(index)


@given(name=st.text(max_size=30))
@example(name="\U00031350")  # a letter that Python 3.11 does not know yet
def test_a_masked_name_shows_initials_and_nothing_else(name: str) -> None:
    from nser_pmt.registry._status_build import masked_name

    masked = pl.select(masked_name(pl.lit(name))).item()
    assert re.fullmatch(r"(|[^\s\d]?\*{3}( [^\s\d]?\*{3})*)", masked)


@given(
    rows=st.lists(
        st.tuples(
            st.integers(1, 4),
            st.integers(0, 5),
            st.one_of(st.none(), st.integers(-3, 3)),
            st.sampled_from(["eligible", "not_eligible", "needs_data", "over_quota", None]),
            st.one_of(st.none(), st.integers(0, 3), st.floats(0, 1e9)),
            st.one_of(st.none(), st.lists(st.sampled_from(["a", "b"]), max_size=3)),
        ),
        max_size=25,
    ),
    lazy=st.booleans(),
)
def test_look_ups_agree_with_a_list(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, int, int | None, str | None, float | None, list[str] | None]],
    lazy: bool,
) -> None:
    frame = pl.DataFrame(
        {
            "house": [r[0] for r in rows],
            "number": [3520212345670 + r[1] for r in rows],
            "until": [None if r[2] is None else DAY + timedelta(r[2]) for r in rows],
            "decision": [r[3] for r in rows],
            "amount": [None if r[4] is None else float(r[4]) for r in rows],
            "reasons": [r[5] for r in rows],
        },
        schema={
            "house": pl.UInt32,
            "number": pl.Int64,
            "until": pl.Date,
            "decision": pl.String,
            "amount": pl.Float64,
            "reasons": pl.List(pl.String),
        },
    )
    index = nser.StatusIndex.build(
        frame.lazy() if lazy else frame,
        tmp_path_factory.mktemp("status") / "index",
        cnic="number",
        household="house",
        expiry="until",
        programmes={"one": ""},
        as_of=DAY,
    )
    assert len(index) == len(rows)
    for last in range(6):
        number = 3520212345670 + last
        mine = [r for r in rows if r[1] == last]
        found = index.look_up(number, on=DAY)
        houses = {r[0] for r in mine}
        days = [r[2] for r in mine if r[2] is not None]
        if len(houses) != 1:
            assert found.answer == ("shared" if houses else "unknown")
            assert found.households == len(houses)
            continue
        assert found.answer == ("expired" if days and max(days) < 0 else "found")
        assert found.household == mine[0][0]
        status = found.programmes["one"]
        assert status.decision == mine[0][3]
        assert status.amount == mine[0][4]
        assert list(status.reasons) == (mine[0][5] or [])


def test_what_is_left_out_is_counted(index: nser.StatusIndex) -> None:
    assert (len(index), index.without_cnic) == (6, 2)
    assert index.programmes == ("kafaalat", "taleemi")
    assert repr(index) == "StatusIndex of 6 people as of 2024-06-01: kafaalat, taleemi"
    with pytest.raises(TypeError):
        pickle.dumps(index)


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"hh_id": pl.lit(None, dtype=pl.Int64)}, "hh_id"),
        ({"hh_id": pl.lit("1")}, "hh_id"),
        ({"hh_id": pl.lit(2**63, dtype=pl.UInt64)}, "hh_id"),
        ({"cnic_expiry": pl.lit("2024-06-01")}, "cnic_expiry"),
        ({"cnic_expiry": pl.lit(10**7, dtype=pl.Int32).cast(pl.Date)}, "cnic_expiry"),
        ({"name": pl.lit(1)}, "name"),
        ({"decision_kafaalat": pl.lit(1)}, "decision_kafaalat"),
        ({"amount_kafaalat": pl.lit("1")}, "amount_kafaalat"),
        ({"reasons_kafaalat": pl.lit(1)}, "reasons_kafaalat"),
        ({"cnic": pl.lit(True)}, "cnic"),
    ],
)
def test_columns_that_cannot_be_read(
    tmp_path: Path, change: dict[str, pl.Expr], column: str
) -> None:
    with pytest.raises(SchemaError) as caught:
        nser.StatusIndex.build(
            people(ROWS).with_columns(**change),
            tmp_path / "index",
            expiry="cnic_expiry",
            name="name",
            programmes=["kafaalat"],
            as_of=DAY,
        )
    assert caught.value.column == column
    assert list(tmp_path.iterdir()) == []


def test_other_arguments_are_refused(tmp_path: Path, index: nser.StatusIndex) -> None:
    with pytest.raises(DomainError):
        index.look_up("1", on="2024-06-01")  # type: ignore[arg-type]
    with pytest.raises(DomainError):
        nser.StatusIndex.build(people(ROWS), tmp_path / "i", programmes="kafaalat", as_of=DAY)
    with pytest.raises(SchemaError) as caught:
        nser.StatusIndex.build(people(ROWS), tmp_path / "i", programmes=["none"], as_of=DAY)
    assert caught.value.code == "missing_column"
    for titles in ({"taleemi": {"en": "T"}}, {"kafaalat": "K"}, {"kafaalat": {"fr": "K"}}):
        with pytest.raises(DomainError, match="titles"):
            nser.StatusIndex.build(
                people(ROWS),
                tmp_path / "i",
                programmes=["kafaalat"],
                titles=titles,  # type: ignore[arg-type]
                as_of=DAY,
            )


@pytest.mark.parametrize("reasons_as", ["list", "text"])
@pytest.mark.parametrize("lazy", [False, True])
def test_decisions_are_indexed_as_decide_gives_them(
    tmp_path: Path, reasons_as: Any, lazy: bool
) -> None:
    households = pl.DataFrame({"hh_id": [1, 2, 3], "pmt_score": [32.0, 40.0, None]})
    members = pl.DataFrame(
        {
            "hh_id": [1, 2, 3],
            "sex": ["female"] * 3,
            "marital_state": ["married"] * 3,
            "disabled": [False, False, None],
            "cnic_verified": [True, False, True],
            "cnic": [3520212345671, 4210176543213, 6110198765439],
        }
    )
    decided = nser.decide(
        households, "kafaalat", on=DAY, members=members, suffix="_kafaalat", reasons_as=reasons_as
    )
    frame = members.join(decided, on="hh_id")
    made = nser.StatusIndex.build(
        frame.lazy() if lazy else frame, tmp_path / "i", programmes=["kafaalat"], as_of=DAY
    )
    found = [made.look_up(n, on=DAY).programmes["kafaalat"] for n in members["cnic"]]
    want = nser.decide(households, "kafaalat", on=DAY, members=members)
    assert [(f.decision, f.amount, list(f.reasons)) for f in found] == want.select(
        "decision", "amount", "reasons"
    ).rows()
    assert found[1].reasons == ("score", "cnic_verified")


@pytest.mark.parametrize(
    "change",
    [
        {"reasons_kafaalat": pl.lit(None)},
        {"amount_kafaalat": pl.lit(None), "decision_kafaalat": pl.lit(None)},
        {"amount_kafaalat": pl.lit(math.inf)},
        {"name": pl.col("name").cast(pl.Categorical)},
    ],
)
def test_what_nobody_knows_is_null(tmp_path: Path, change: dict[str, pl.Expr]) -> None:
    frame = people(ROWS).with_columns(**change)
    made = nser.StatusIndex.build(
        frame, tmp_path / "i", name="name", programmes=["kafaalat"], as_of=DAY
    )
    found = made.look_up("3520212345671", on=DAY)
    status = found.programmes["kafaalat"]
    if "reasons_kafaalat" in change:
        assert status.reasons == ()
    elif "amount_kafaalat" in change:
        assert status.amount is None
        assert (status.decision is None) == ("decision_kafaalat" in change)
    assert found.name == "M*** A*** ***"


def test_answers_travel_and_are_keys(index: nser.StatusIndex) -> None:
    for asked in ("3520212345671", "3520212345673", "12"):
        found = index.look_up(asked, on=DAY)
        again = pickle.loads(pickle.dumps(found))
        assert again == found and copy.deepcopy(found) == found
        assert again.text("ur") == found.text("ur")
        assert len({found, again}) == 1
        assert dataclasses.asdict(found)["answer"] == found.answer
        assert asked not in pickle.dumps(found).decode("latin-1") or asked == "12"


def test_numbers_in_urdu_keep_their_order(index: nser.StatusIndex) -> None:
    """Without marks a bidirectional display turns the parts of a masked number around."""
    text = index.look_up("3520212345671", on=DAY + timedelta(1)).text("ur")
    assert "\u200e35202-*******-*\u200e" in text
    assert text.count(f"\u200e{DAY}\u200e") == 2
    assert "\u200e" not in index.look_up("3520212345671", on=DAY).text("en")


def test_damaged_files_are_told(tmp_path: Path) -> None:
    path = tmp_path / "index"
    build(path, ROWS)
    whole = path.read_bytes()
    for at in range(0, len(whole), 3):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :])
        try:
            damaged = nser.StatusIndex.load(path)
            for given_row in ROWS:
                damaged.look_up(given_row["cnic"], on=DAY)
        except ModelError as error:
            assert error.code in (
                "foreign_file",
                "index_version",
                "truncated_index",
                "corrupt_index",
            )
    path.write_bytes(whole[:-3])
    with pytest.raises(ModelError) as caught:
        nser.StatusIndex.load(path)
    assert caught.value.code == "truncated_index"
    from nser_pmt.registry._key_index import KeyIndex

    KeyIndex.build(pl.Series([1]), pl.Series([1]), path)
    with pytest.raises(ModelError) as caught:
        nser.StatusIndex.load(path, verify=True)
    assert caught.value.code == "foreign_file"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_process_may_ask(index: nser.StatusIndex) -> None:
    child = os.fork()
    if child == 0:
        ok = index.look_up("3520212345671", on=DAY).household == 1
        os._exit(0 if ok else 1)
    assert os.waitpid(child, 0)[1] == 0
