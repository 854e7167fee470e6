"""Programme files: what they hold, what they refuse, switches, lint, how they show."""

from __future__ import annotations

import pickle
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import nser_pmt as nser
from nser_pmt import cli
from nser_pmt.errors import DomainError, ModelError
from nser_pmt.programmes import Quota, RankKey

EXAMPLE = Path(__file__).parents[1] / "vectors" / "programme_example.toml"
BUNDLED = Path(nser.__file__).parent / "data" / "programmes"
TEXT = EXAMPLE.read_text(encoding="utf-8")
NAMES = ["hunarmand", "kafaalat", "nashonuma", "taleemi-wazaif"]


def changed(old: str, new: str) -> str:
    assert old in TEXT
    return TEXT.replace(old, new, 1)


def codes(text: str) -> set[str]:
    return {finding.code for finding in nser.Programme.from_toml(text).lint()}


@pytest.mark.parametrize("name", NAMES)
def test_bundled_programmes_are_sound_and_travel(name: str, tmp_path: Path) -> None:
    programme = nser.load_programme(name)
    assert not [f for f in programme.lint() if f.level == "error"]
    assert {f.code for f in programme.lint()} <= {"off-for-ever", "amount-unknown"}
    assert nser.Programme.from_json(programme.to_json()) == programme
    assert pickle.loads(pickle.dumps(programme)) == programme
    programme.save(tmp_path / "p.json")
    assert nser.load_programme(tmp_path / "p.json").digest == programme.digest
    for item in programme.switches():
        assert item.source and item.mark in ("confirmed", "secondary", "inferred", "unknown")
        if item.mark != "confirmed":
            assert not item.enabled, f"{item.id} is {item.mark} and counts"
    for rule in programme.rules:
        assert rule.text and any("\u0600" <= c <= "\u06ff" for c in rule.text_ur)


def test_the_example_has_no_findings() -> None:
    assert nser.load_programme(EXAMPLE).lint() == ()


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('id = "example"', 'id = "example"\nidd = 1', "idd"),
        ('kind = "cutoff"', 'kind = "cut"', "rules[0].kind"),
        ("valid_from = 2020-01-01", 'valid_from = "soon"', "versions[0].valid_from"),
        ("valid_from = 2020-01-01", "valid_from = 2020-01-01T00:00:00", "versions[0].valid_from"),
        ('side = "<"', 'side = "below"', "rules[0].lines[0].side"),
        ('column = "score"', 'column = "scored"', "'scored'"),
        ('column = "rooms", gt = 4', 'column = "rooms", equals = true', "'rooms'"),
        ('column = "rooms", gt = 4', 'column = "working", equals = true', "'working'"),
        ('column = "rooms", gt = 4', 'column = "rooms"', "rules[2].test.negate"),
        ('column = "rooms", gt = 4', 'column = "rooms", gt = 4, ge = 4', "rules[2].test.negate"),
        ('age = "years", lt = 5', 'age = "years", lt = 5.5', "age"),
        ('column = "working", equals', 'column = "rooms", equals', "rollups.nobody_works"),
        ("at_least = 3", "at_least = 0", "at_least"),
        ('id = "big_house"', 'id = "big:house"', "big:house"),
        ('id = "amount_small"', 'id = "score"', "score"),
        ('mark = "confirmed"', 'mark = "sure"', "versions[0].mark"),
        ("schema_version = 1", "schema_version = 2", "schema_version"),
        ('id = "example"', 'id = " "', "id: "),
        ('column = "score"', 'column = "scores"', "Did you mean 'score'?"),
        ('column = "rooms", gt = 4', 'column = "room", gt = 4', "Did you mean 'rooms'?"),
        ('column = "rooms", gt = 4', 'column = "rooms", ge = 4, le = 3', "rules[2].test.negate"),
        ("value = 100", "value = -100", "amounts[1]: value"),
    ],
)
def test_what_is_wrong_is_named(old: str, new: str, place: str) -> None:
    with pytest.raises(ModelError) as caught:
        nser.Programme.from_toml(changed(old, new))
    assert place in str(caught.value)


def test_unknown_programme_and_file() -> None:
    with pytest.raises(ModelError, match="Bundled: hunarmand, kafaalat"):
        nser.load_programme("kafalat")
    with pytest.raises(ModelError, match="No such file"):
        nser.load_programme("nowhere.toml")


# -- dates -----------------------------------------------------------------------------------------


def test_a_day_before_every_version_names_the_first() -> None:
    with pytest.raises(DomainError, match="2025-06-21") as caught:
        nser.load_programme("hunarmand").version(date(2025, 6, 20))
    assert caught.value.code == "before_first_version"


def test_what_is_no_date() -> None:
    with pytest.raises(DomainError, match="expected a date"):
        nser.load_programme("hunarmand").version("2025-06-21")  # type: ignore[arg-type]


def test_versions_and_rules_change_with_the_day() -> None:
    book = nser.load_programme("kafaalat")
    assert [book.version(date(2022, 11, 30)).id, book.version(date(2022, 12, 1)).id] == [
        "2019",
        "2022-12",
    ]
    assert "vehicle" in [r.id for r in book.active_rules(date(2021, 12, 31))]
    assert "vehicle" not in [r.id for r in book.active_rules(date(2022, 1, 1))]
    assert "couple_vehicle" in book.columns(date(2021, 1, 1))
    assert "vehicle_registered" in book.member_columns(date(2021, 1, 1))


# -- switches --------------------------------------------------------------------------------------


def test_switches_make_another_programme() -> None:
    book = nser.load_programme("kafaalat")
    other = book.with_rules(on=["vehicle@2022-01-01"], off=["cnic_verified"])
    assert other.id == "kafaalat+vehicle@2022-01-01-cnic_verified"
    assert other.derived_from == "kafaalat" and other.digest != book.digest
    ids = [rule.id for rule in other.active_rules(date(2024, 1, 1))]
    assert "vehicle" in ids and "cnic_verified" not in ids
    assert book.with_rules(on=["score"]) is book
    assert nser.Programme.from_json(other.to_json()) == other


def test_switches_refuse_what_is_not_there() -> None:
    book = nser.load_programme("kafaalat")
    with pytest.raises(ModelError, match="Did you mean 'vehicle'"):
        book.with_rules(on=["vehicles"])
    with pytest.raises(DomainError, match="both"):
        book.with_rules(on=["vehicle"], off=["vehicle"])
    with pytest.raises(DomainError, match="lists"):
        book.with_rules(on="vehicle")


def test_a_cutoff_without_lines_does_not_count() -> None:
    book = nser.load_programme("kafaalat").with_rules(off=["score_32", "score_37_disabled"])
    assert "score" not in [rule.id for rule in book.active_rules(date(2024, 1, 1))]


# -- lint ------------------------------------------------------------------------------------------


def rule(id: str, start: str, test: str, **more: str) -> str:
    lines = {"id": f'"{id}"', "kind": '"require"', "valid_from": start, "test": test}
    lines |= {"text": '"t"', "text_ur": '"ت"', "source": '"s"', "mark": '"confirmed"'} | more
    return "\n[[rules]]\n" + "\n".join(f"{k} = {v}" for k, v in lines.items()) + "\n"


ROOMS = '{ column = "rooms", le = 3 }'
SAME = '{ negate = { column = "rooms", gt = 4 } }'


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (TEXT + rule("a", "2020-01-01", ROOMS) + rule("a", "2021-01-01", ROOMS), "dates-overlap"),
        (
            TEXT
            + rule("a", "2020-01-01", ROOMS, valid_to="2020-06-30")
            + rule("a", "2020-08-01", ROOMS),
            "dates-gap",
        ),
        (TEXT + rule("a", "2020-01-01", SAME), "unreachable"),
        (TEXT + rule("a", "2018-01-01", ROOMS, valid_to="2019-01-01"), "unreachable"),
        (TEXT + rule("a", "2020-01-01", ROOMS, enabled="false"), "off-for-ever"),
        (TEXT + rule("a", "2020-01-01", ROOMS, source='" "'), "source-missing"),
        (TEXT + rule("a", "2020-01-01", ROOMS, mark='"unknown"'), "mark-unknown"),
        (TEXT + rule("a", "2020-01-01", ROOMS, text_ur='""'), "text-missing"),
        (changed("value = 40", "value = 20"), "unreachable"),
        (changed("value = 40", "value = 140"), "unreachable"),
        (
            changed("value = 100", "value = 100\nvalid_to = 2021-01-01").replace(
                "value = 300", "value = 300\nvalid_to = 2021-01-01"
            ),
            "amount-unknown",
        ),
        (
            changed(
                'value = 300\nwhen = { column = "three_small_children", equals = true }',
                "value = 300",
            ),
            "amounts-overlap",
        ),
        (
            changed(
                "[inputs.rooms]",
                "[inputs.other]\ntype = 'date'\nlevel = 'person'\n[inputs.rooms]",
            ),
            "unused-input",
        ),
        (
            TEXT.replace(
                "[inputs.score]",
                '[[versions]]\nid = "2"\nvalid_from = 2021-01-01\nsource = "s"\n'
                'mark = "confirmed"\n[inputs.score]',
            ),
            "dates-overlap",
        ),
    ],
)
def test_lint_finds(text: str, code: str) -> None:
    assert code in codes(text)


def test_lint_errors_stop_loading(tmp_path: Path) -> None:
    path = tmp_path / "twice.toml"
    path.write_text(TEXT + rule("a", "2020-01-01", ROOMS) + rule("a", "2021-01-01", ROOMS))
    with pytest.raises(ModelError, match="twice"):
        nser.load_programme(path)
    assert nser.load_programme(path, lint="ignore").lint()[0].level == "error"


def test_lint_finds_columns_that_nobody_supplies() -> None:
    book = nser.load_programme("kafaalat")
    facts = ["pmt_score", "sex", "marital_state", "disabled", "relation", "cnic_verified"]
    found = [f for f in book.lint(columns=facts) if f.code == "column-missing"]
    assert any("'civil_servant'" in f.message and "civil_servant reads" in f.message for f in found)
    assert not any("'sex'" in f.message or "'ever_married_woman'" in f.message for f in found)
    rolled = [r.name for r in book.rollups]
    found = book.lint(columns=["pmt_score", *rolled])
    assert "column-missing" not in {f.code for f in found}


# -- how it shows ----------------------------------------------------------------------------------


def test_shows_rules_dates_marks_and_urdu() -> None:
    book = nser.load_programme("kafaalat")
    assert "OFF from 2022-12-01" in repr(book) and "[unknown]" in repr(book)
    assert "dir='rtl'" in book._repr_html_() and "اسکور" in book._repr_html_()
    assert "not modelled" in repr(nser.load_programme("hunarmand"))


def test_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["programmes"]) == 0
    assert "taleemi-wazaif" in capsys.readouterr().out
    assert cli.main(["programmes", "hunarmand"]) == 0
    assert "warning: versions '2025-06': no amount is known" in capsys.readouterr().out
    assert cli.main(["programmes", "nothing"]) == 2


@pytest.mark.parametrize(
    ("old", "new", "hint"),
    [
        ('column = "sex", equals = "female"', 'column = "sex", equals = "femal"', "'female'"),
        ('one_of = ["married"', 'one_of = ["maried"', "'married'"),
        ('column = "sex", equals = "female"', 'column = "sex", equals = "x"', "Listed: male"),
    ],
)
def test_a_value_that_is_not_listed_is_a_mistake(old: str, new: str, hint: str) -> None:
    """It would be false for everybody, without a word."""
    text = nser.load_programme("kafaalat").to_json()
    book = (BUNDLED / "kafaalat.toml").read_text(encoding="utf-8")
    assert nser.Programme.from_toml(book).to_json() == text and old in book
    with pytest.raises(ModelError, match=hint) as caught:
        nser.Programme.from_toml(book.replace(old, new, 1))
    assert "rollups.ever_married_woman" in str(caught.value)


@pytest.mark.parametrize(
    "change", [{"places": 1.5}, {"places": True}, {"ties": "incl"}, {"budget": 1}, {"places": -1}]
)
def test_a_quota_made_in_python_is_checked(change: dict[str, Any]) -> None:
    usual: dict[str, Any] = {
        "id": "q", "places": 1, "ties": "include", "rank_by": (RankKey(column="pmt_score"),),
        "valid_from": date(2024, 1, 1), "source": "invented", "mark": "unknown",
    }  # fmt: skip
    programme = nser.load_programme("kafaalat").with_quota(Quota(**usual))
    with pytest.raises(ModelError) as caught:
        Quota(**usual | change)
    assert caught.value.code == "bad_quota"
    with pytest.raises(ModelError, match="taken"):
        programme.with_quota(Quota(**usual))


def test_lint_takes_a_list_of_columns() -> None:
    with pytest.raises(DomainError):
        nser.load_programme("kafaalat").lint(columns="pmt_score")
