"""From survey forms to a payment list: what a run makes, and what it never shows."""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt import cli, synth
from nser_pmt.errors import DomainError, ModelError, SchemaError
from nser_pmt.pipeline import (
    DuplicatesStep,
    Pipeline,
    PipelineResult,
    ProgrammeStep,
    ScoreStep,
    Source,
    Step,
    TargetingStep,
    VerifyStep,
    _report_programmes,
    load_pipeline,
    run_pipeline,
)
from nser_pmt.pipeline._payments import HELD, choose_recipients, masked_name, pay, quarter
from nser_pmt.pipeline._persons import adults
from nser_pmt.programmes._deciding_plan import DECISION
from nser_pmt.synth import Country

ROWS = 2000
ON = datetime.date(2024, 6, 30)
PROGRAMMES = ("kafaalat", "taleemi-wazaif", "nashonuma")

CONFIG = """
schema_version = 1
on = 2024-06-30
title = "A test <of> it"
output = "out"
households.file = "households.parquet"
people.file = "people.parquet"
citizens.file = "citizens.parquet"
truth.file = "truth.parquet"
verify.who = "recipients"
duplicates.overlap = 0.5
score.model = "schreiner-pk-2009"
targeting = { welfare = "consumption_pc", size = "hhsize" }

[[programmes]]
programme = "kafaalat"

[[programmes]]
programme = "taleemi-wazaif"

[[programmes]]
programme = "nashonuma"
facts = { flood_area = false }
"""


@pytest.fixture(scope="module")
def country() -> Country:
    return synth.registry(ROWS, seed=3)


@pytest.fixture(scope="module")
def folder(country: Country, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files of a run, and its configuration."""
    place = tmp_path_factory.mktemp("pipeline")
    country.households.write_parquet(place / "households.parquet")
    country.people.write_parquet(place / "people.parquet")
    country.citizens.write_parquet(place / "citizens.parquet")
    country.household_truth.select("hh_id", "consumption_pc").write_parquet(place / "truth.parquet")
    (place / "run.toml").write_text(CONFIG, encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def result(folder: Path) -> PipelineResult:
    return run_pipeline(folder / "run.toml")


@pytest.fixture(scope="module")
def written(result: PipelineResult, folder: Path) -> Path:
    result.write(folder / "written")
    return folder / "written"


def asked(**steps: object) -> Pipeline:
    """Return a pipeline on frames: scores only, and the steps given."""
    made = Pipeline(on=ON, households=Source(), score=ScoreStep(model="schreiner-pk-2009"))
    return dataclasses.replace(made, **steps)  # type: ignore[arg-type]


# -- what it makes -----------------------------------------------------------------------------


def test_counts_add_up(result: PipelineResult, country: Country) -> None:
    forms = country.households.height
    assert result.duplicates is not None and result.verified is not None
    assert forms == result.scored.height + result.duplicates.households.height
    members = country.people.filter(pl.col("hh_id").is_in(result.scored["hh_id"].implode()))
    for name, decided in result.decisions.items():
        rows = result.scored.height if name == "kafaalat" else members.height
        assert decided.frame.height == rows
        counted = result.counts.filter(pl.col("step") == name)
        decisions = ["eligible", "not_eligible", "needs_data", "over_quota"]
        assert counted.filter(pl.col("what").is_in(decisions))["rows"].sum() == rows
        owed = decided.frame.filter(pl.col("eligible"))["hh_id"].n_unique()
        assert result.payments.filter(pl.col("programme") == name).height == owed > 0
    assert result.verified.frame.height == result.verified.summary["rows"].sum()


def test_duplicates_are_those_of_the_truth(result: PipelineResult, country: Country) -> None:
    assert result.duplicates is not None
    truth = country.household_truth.select("hh_id", "household")
    found = result.duplicates.households.join(truth, on="hh_id").join(
        truth.rename({"hh_id": "duplicate_of", "household": "kept"}), on="duplicate_of"
    )
    right = (found["household"] == found["kept"]).sum()
    assert right >= 0.95 * found.height
    assert right >= 0.85 * country.household_truth["further"].sum() > 0
    assert (found["hh_id"] > found["duplicate_of"]).all()


def test_amounts_are_those_of_the_decisions(result: PipelineResult) -> None:
    for name, decided in result.decisions.items():
        own = result.payments.filter(pl.col("programme") == name)
        eligible = decided.frame.filter(pl.col("eligible"))
        # Where one amount is not known, the household's is not.
        whole = eligible.filter(pl.col("amount").is_not_null().all().over("hh_id"))
        assert own["amount"].sum() == whole["amount"].sum() > 0
        unknown = eligible["hh_id"].n_unique() - whole["hh_id"].n_unique()
        assert own["amount"].null_count() == unknown
    kafaalat = result.payments.filter(pl.col("programme") == "kafaalat")
    assert set(kafaalat["amount"]) == {10_500} and set(kafaalat["entitled"]) == {1}
    assert set(result.payments["quarter"]) == {"2024-Q2"}
    assert result.payments.select("programme", "hh_id").is_duplicated().sum() == 0


def test_who_is_paid_may_receive_it(result: PipelineResult, country: Country) -> None:
    paid = result.payments.filter(pl.col("held").is_null()).join(
        country.people.select("person_id", "hh_id", "sex", "marital_state", birth="birth_date"),
        on="person_id",
        suffix="_form",
    )
    assert paid.height == result.payments["held"].null_count()
    assert (paid["hh_id"] == paid["hh_id_form"]).all()
    woman = (pl.col("sex") == "female") & (pl.col("marital_state") != "never married")
    assert paid.select((woman | (pl.col("sex") == "transgender")).all()).item()
    assert result.verified is not None
    verdicts = paid.join(result.verified.frame, on="person_id")["verdict"].cast(pl.String)
    assert set(verdicts) <= {"confirmed", "minor_variation"} and len(verdicts) == paid.height


def test_errors_of_decisions_are_counted_by_hand(result: PipelineResult, country: Country) -> None:
    assert result.targeting is not None and result.decision_errors is not None
    eligible = result.decisions["kafaalat"].frame.select("hh_id", "eligible")
    rows = result.scored.join(eligible, on="hh_id").join(country.household_truth, on="hh_id")
    rows = rows.filter(pl.col("consumption_pc").is_not_null())
    found = result.decision_errors.row(0, named=True)
    assert found["programme"] == "kafaalat"
    size = rows["hhsize"]
    poor = rows["consumption_pc"] <= found["line"]
    assert size.filter(poor).sum() / size.sum() == pytest.approx(0.2, abs=0.01)
    reached = rows["eligible"].fill_null(False)
    # A household of unknown size has no weight, and is not measured.
    assert found["ier"] == pytest.approx(
        size.filter(reached & ~poor).sum() / size.filter(reached).sum(), rel=1e-12
    )
    assert found["eer"] == pytest.approx(
        size.filter(poor & ~reached).sum() / size.filter(poor).sum(), rel=1e-12
    )


def test_each_step_is_told(folder: Path) -> None:
    steps: list[Step] = []
    run_pipeline(folder / "run.toml", progress=steps.append)
    names = [step.name for step in steps if step.seconds is None]
    assert names == ["read", "verify", "duplicates", "score", *["decide"] * 3, "pay", "errors"]
    ended = [step for step in steps if step.seconds is not None]
    assert [step.name for step in ended] == names and all(step.found for step in ended)


# -- what is written ----------------------------------------------------------------------------


def test_outputs_are_there(written: Path) -> None:
    assert sorted(path.name for path in written.iterdir()) == [
        *(f"decisions-{name}.parquet" for name in sorted(PROGRAMMES)),
        "duplicate-persons.parquet",
        "duplicates.parquet",
        "payments.csv",
        "payments.parquet",
        "report.html",
        "run.json",
        "scored.parquet",
        "verified.parquet",
    ]


def test_run_json_says_how_it_was_made(written: Path, result: PipelineResult) -> None:
    said = json.loads((written / "run.json").read_text(encoding="utf-8"))
    assert said["nser_pmt"] == nser.__version__ and said["on"] == "2024-06-30"
    model = nser.load_model("schreiner-pk-2009")
    assert said["model"] == {"id": model.id, "sha256": model.digest}
    assert [p["sha256"] for p in said["programmes"]] == [
        nser.load_programme(name).digest for name in PROGRAMMES
    ]
    assert said["config_sha256"] == result.config.digest
    assert said["inputs"]["households"]["rows"] == result.inputs["households"][2]
    assert len(said["inputs"]["people"]["sha256"]) == 64
    assert said["left_out"] == []
    assert said["counts"] == result.counts.to_dicts()


def test_no_identity_is_shown(written: Path, country: Country) -> None:
    shown = "".join(
        (written / name).read_text(encoding="utf-8")
        for name in ("payments.csv", "report.html", "run.json")
    ) + "".join(
        pl.read_parquet(written / name).select(pl.col(pl.String)).write_csv()
        for name in ("payments.parquet", "verified.parquet")
    )
    digits = set(re.findall(r"\b\d{5}-?\d{7}-?\d\b", shown))
    numbers = country.people.select(nser.cnic.normalize("cnic")).to_series().drop_nulls()
    assert len(numbers) > ROWS and not digits & {*numbers, *country.people["cnic"].drop_nulls()}
    assert not digits
    names = country.people.select("name", "father_name", "phone").unpivot()["value"].drop_nulls()
    whole = {name for name in names.unique() if len(name) > 8}
    page = (written / "report.html").read_text(encoding="utf-8")
    assert len(whole) > ROWS and not [name for name in whole if name in page]
    masked = pl.read_csv(written / "payments.csv")["name"].drop_nulls()
    assert len(masked) > 100 and masked.str.contains(r"^(\w\*\*\*\W*)+$").all()
    assert not set(pl.read_parquet(written / "verified.parquet").columns) & {"name", "cnic"}


def test_the_report_loads_nothing(result: PipelineResult) -> None:
    page = result.report()
    assert "http" not in page.replace("http-equiv", "")
    assert not re.search(r"<(script|link|img|iframe|object)\b|url\(|@import|src=", page)
    assert "default-src 'none'" in page
    assert page.count("<svg") >= 7 and page.count("<table") >= 12
    assert 'lang="ur"' in page and "prefers-color-scheme: dark" in page and "@media print" in page
    assert "A test &lt;of&gt; it" in page and "<of>" not in page


def test_the_report_has_the_numbers(result: PipelineResult) -> None:
    page = result.report()
    assert f"{result.scored.height:,}" in page
    paid = result.payments.filter(pl.col("held").is_null())
    assert f"Rs {paid['amount'].sum():,}" in page
    refused = result.decisions["kafaalat"].frame.explode("reasons")["reasons"].cast(pl.String)
    assert f'<td class="n">{(refused == "score").sum():,}</td>' in page


def test_the_report_has_words_for_each_code() -> None:
    assert list(_report_programmes._HELD) == HELD.categories.to_list()
    assert list(_report_programmes._DECISIONS) == DECISION.categories.to_list()


def test_a_second_run_writes_the_same_files(written: Path, folder: Path) -> None:
    run_pipeline(folder / "run.toml", control=nser.RunControl(threads=1)).write(folder / "again")
    for path in written.iterdir():
        assert path.read_bytes() == (folder / "again" / path.name).read_bytes(), path.name


def test_an_earlier_run_is_replaced_and_other_folders_are_not(
    result: PipelineResult, tmp_path: Path
) -> None:
    result.write(tmp_path / "out")
    (tmp_path / "out" / "extra.txt").write_text("of an earlier run")
    result.write(tmp_path / "out")
    assert not (tmp_path / "out" / "extra.txt").exists()
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "letter.txt").write_text("keep")
    with pytest.raises(DomainError, match="holds other files") as error:
        result.write(mine)
    assert error.value.code == "output_exists"
    with pytest.raises(FileNotFoundError):
        result.write(tmp_path / "none" / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "out"]
    assert [path.name for path in mine.iterdir()] == ["letter.txt"]


def test_a_failed_write_leaves_what_was_there(
    result: PipelineResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    result.write(tmp_path / "out")
    before = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}

    def full(_: PipelineResult) -> str:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PipelineResult, "report", full)
    for folder in ("out", "new"):
        with pytest.raises(OSError, match="No space"):
            result.write(tmp_path / folder)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert before == {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}


# -- steps that are left out ----------------------------------------------------------------------


def test_scores_alone(country: Country) -> None:
    made = run_pipeline(asked(), households=country.households)
    assert made.verified is made.duplicates is made.targeting is None
    assert made.scored.height == country.households.height
    assert not made.decisions and made.payments.height == 0
    page = made.report()
    assert "Left out: " in page and "Persons were not verified" in page
    assert "Payments" not in page and made.record()["left_out"] == [
        *("verify", "duplicates", "programmes", "targeting")
    ]
    assert list(made.tables()) == ["scored"]


def test_without_verification_the_form_must_say_it(country: Country) -> None:
    config = asked(people=Source(), programmes=(ProgrammeStep(programme="kafaalat"),))
    tables = {"households": country.households, "people": country.people}
    with pytest.raises(SchemaError, match="cnic_verified") as error:
        run_pipeline(config, **tables)
    assert error.value.column == "cnic_verified" and "[verify]" in str(error.value)
    said = country.people.with_columns(cnic_verified=pl.lit(True))
    made = run_pipeline(config, households=country.households, people=said)
    assert made.payments["held"].null_count() == made.payments.height > 0


def test_unknown_and_switched_rules(country: Country) -> None:
    tables = {"households": country.households, "people": country.people}
    step = ProgrammeStep(programme="kafaalat", unknown=("cnic_verified",))
    unknown = run_pipeline(asked(people=Source(), programmes=(step,)), **tables)
    assert not unknown.decisions["kafaalat"].frame["eligible"].any()
    step = ProgrammeStep(programme="kafaalat", switch_off=("cnic_verified",))
    off = run_pipeline(asked(people=Source(), programmes=(step,)), **tables)
    assert off.decisions["kafaalat"].frame["eligible"].any()
    assert off.record()["programmes"][0]["id"] != "kafaalat"


# -- parts --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("born", "on", "grown"),
    [
        ("2006-06-30", "2024-06-30", True),
        ("2006-07-01", "2024-06-30", False),
        ("2006-02-28", "2024-02-29", True),
        ("2006-03-01", "2024-02-29", False),
        ("2004-02-29", "2022-02-28", False),
        ("2004-02-29", "2022-03-01", True),
        (None, "2024-06-30", True),
    ],
)
def test_adults(born: str | None, on: str, grown: bool) -> None:
    date = None if born is None else datetime.date.fromisoformat(born)
    frame = pl.DataFrame({"birth_date": [date]}, schema={"birth_date": pl.Date})
    assert frame.select(adults(datetime.date.fromisoformat(on))).item() is grown


@pytest.mark.parametrize(
    ("on", "said"),
    [("2024-01-01", "2024-Q1"), ("2024-03-31", "2024-Q1"), ("2024-12-31", "2024-Q4")],
)
def test_quarter(on: str, said: str) -> None:
    assert quarter(datetime.date.fromisoformat(on)) == said


def test_names_are_masked() -> None:
    names = pl.DataFrame({"name": ["Bushra Bibi", " Md. Yousaf", "عائشہ بی بی", "O", None, ""]})
    assert names.select(masked_name("name")).to_series().to_list() == [
        *("B*** B***", "M***. Y***", "ع*** ب*** ب***", "O***", None, "")
    ]


def test_choice_of_recipient_and_what_is_held() -> None:
    people = pl.DataFrame(
        {
            "person_id": [1, 2, 3, 4, 5, 6],
            "hh_id": [1, 1, 1, 2, 3, 4],
            "cnic": ["35202-1234567-2"] * 6,
            "name": ["A B"] * 6,
            "relation": ["head", "wife", "mother", "wife", "head", "wife"],
            "birth_date": [datetime.date(1980, 1, day) for day in range(1, 7)],
            "cnic_verified": [None, True, True, True, None, True],
        }
    )
    chosen = choose_recipients(people)
    assert chosen["person_id"].to_list() == [2, 4, 5, 6]
    owed = pl.DataFrame(
        {"hh_id": [1, 2, 3, 4, 5], "entitled": [1] * 5, "amount": [10, 10, 10, None, 10]}
    )
    persons = pl.DataFrame({"person_id": [2, 4], "person": [2, 2]})
    rows = pay(owed, chosen, persons, programme="p", on=ON, verified=True)
    assert rows["held"].to_list() == [
        *(None, "paid_elsewhere", "not_verified", "amount_unknown", "no_recipient")
    ]
    assert rows.schema["held"] == HELD
    trusted = pay(owed, chosen, None, programme="p", on=ON, verified=False)
    assert trusted["held"].to_list() == [None, None, None, "amount_unknown", "no_recipient"]
    assert rows["cnic"].drop_nulls().unique().to_list() == ["35202-*******-*"]


# -- bad input ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("schema_version = 1", "schema_version = 2", "schema_version: expected 1"),
        ("on = 2024-06-30", "on = 5", "on: expected a date"),
        ("on = 2024-06-30", "", "on: missing"),
        ("verify.who", "verify.whom", "verify.whom: unknown key"),
        ('"recipients"', '"women"', "verify.who: expected 'recipients' or"),
        ("overlap = 0.5", "overlap = 1.5", "duplicates: overlap"),
        ('citizens.file = "citizens.parquet"', "", "verify: needs [citizens]"),
        ("households.file", "households.columns = 3\nhouseholds.file", "households.columns"),
        ('programme = "taleemi-wazaif"', 'programme = "kafaalat"', "programmes[1].programme"),
        ('"taleemi-wazaif"', '"tuition"', "no programme 'tuition'"),
        ('"schreiner-pk-2009"', '"none"', "no model 'none'"),
        ("[[programmes]]", "folder = 'x'\n[[programmes]]", "folder: unknown key"),
        ("title", "title = 1\ntitle", "not valid TOML"),
    ],
)
def test_a_bad_configuration_names_the_place(
    folder: Path, tmp_path: Path, old: str, new: str, place: str
) -> None:
    assert old in CONFIG
    text = CONFIG.replace(old, new, 1).replace('"households.parquet"', "'h.parquet'")
    (tmp_path / "run.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ModelError) as error:
        run_pipeline(tmp_path / "run.toml")
    assert place in str(error.value)


def test_a_programme_stands_after_the_one_it_needs(country: Country) -> None:
    config = asked(people=Source(), programmes=(ProgrammeStep(programme="taleemi-wazaif"),))
    with pytest.raises(ModelError, match="needs 'kafaalat' before it"):
        run_pipeline(config, households=country.households, people=country.people)


def test_lines_of_a_programme_are_for_low_scores(country: Country, tmp_path: Path) -> None:
    card = nser.load_model("schreiner-pk-2009")
    turned = dataclasses.replace(card, direction="higher_is_poorer", cutoffs=(), likelihoods=())
    turned.save(tmp_path / "turned.json")
    config = dataclasses.replace(
        asked(people=Source(), programmes=(ProgrammeStep(programme="kafaalat"),)),
        score=ScoreStep(model=str(tmp_path / "turned.json")),
    )
    with pytest.raises(ModelError, match="takes low scores for poor") as error:
        run_pipeline(config, households=country.households, people=country.people)
    assert error.value.code == "wrong_direction"


def test_a_day_before_the_rules(country: Country) -> None:
    config = dataclasses.replace(
        asked(people=Source(), programmes=(ProgrammeStep(programme="kafaalat"),)),
        on=datetime.date(2015, 1, 1),
    )
    with pytest.raises(DomainError) as error:
        run_pipeline(config, households=country.households, people=country.people)
    assert error.value.code == "before_first_version"


def _again(frame: pl.DataFrame) -> pl.DataFrame:
    return pl.concat([frame, frame.head(1)])


BAD: list[tuple[str, Callable[[pl.DataFrame], pl.DataFrame], str, str]] = [
    ("households", lambda f: f.drop("hh_id"), "missing_column", "households: column 'hh_id'"),
    ("households", _again, "duplicate_id", f"column 'hh_id', row {'{end}'}"),
    ("households", lambda f: f.drop("tv"), "missing_column", "tv"),
    ("people", lambda f: f.drop("cnic"), "missing_column", "people: column 'cnic'"),
    ("people", lambda f: f.with_columns(hh_id=-1), "unknown_id", "column 'hh_id', row 0"),
    ("people", lambda f: f.cast({"birth_date": pl.String}), "wrong_column", "a Date"),
    ("people", lambda f: f.with_columns(name=1), "wrong_column", "people: column 'name'"),
    ("people", lambda f: f.cast({"person_id": pl.String}), "wrong_column", "whole numbers"),
    ("people", lambda f: f.drop("disabled"), "missing_column", "people: column 'disabled'"),
    ("citizens", lambda f: f.drop("name"), "missing_column", "citizens: column 'name'"),
    ("citizens", _again, "duplicate_id", "citizens: column 'entity'"),
    ("truth", lambda f: f.drop("consumption_pc"), "missing_column", "consumption_pc"),
]


@pytest.mark.parametrize(("table", "spoil", "code", "said"), BAD)
def test_a_bad_table_names_itself_and_the_column(
    country: Country,
    folder: Path,
    table: str,
    spoil: Callable[[pl.DataFrame], pl.DataFrame],
    code: str,
    said: str,
) -> None:
    tables: dict[str, pl.DataFrame] = {
        "households": country.households,
        "people": country.people,
        "citizens": country.citizens,
        "truth": country.household_truth,
    }
    tables[table] = spoil(tables[table])
    with pytest.raises(SchemaError) as error:
        run_pipeline(folder / "run.toml", **tables)
    assert error.value.code == code
    assert said.format(end=country.households.height) in str(error.value)


def test_columns_take_the_names_of_the_library(country: Country, tmp_path: Path) -> None:
    people = country.people.rename({"cnic": "CNIC_NO", "name": "naam"})
    people.select(pl.exclude("cnic")).write_csv(tmp_path / "people.csv")
    country.households.write_parquet(tmp_path / "h.parquet")
    config = dataclasses.replace(
        asked(duplicates=DuplicatesStep(), people=Source()),
        households=Source(file="h.parquet"),
        people=Source(file="people.csv", columns={"cnic": "CNIC_NO", "name": "naam"}),
        folder=tmp_path,
    )
    made = run_pipeline(config)
    plain = run_pipeline(
        asked(duplicates=DuplicatesStep(), people=Source()),
        households=country.households,
        people=country.people,
    )
    assert made.duplicates is not None and plain.duplicates is not None
    assert made.duplicates.households.equals(plain.duplicates.households)
    wrong = dataclasses.replace(config, people=Source(file="people.csv", columns={"cnic": "CNIC"}))
    with pytest.raises(SchemaError, match="column 'CNIC' is missing"):
        run_pipeline(wrong)


def test_a_folder_of_parts_is_one_table(country: Country, tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    for k in range(3):
        country.households[k * 700 : (k + 1) * 700].write_parquet(tmp_path / f"parts/{k}.parquet")
    config = dataclasses.replace(asked(), households=Source(file="parts"), folder=tmp_path)
    assert run_pipeline(config).scored.height == country.households.height
    (tmp_path / "none").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no \.parquet file"):
        run_pipeline(dataclasses.replace(config, households=Source(file="none")))


def test_targeting_on_columns_of_the_forms() -> None:
    households = synth.households(500, seed=1)
    config = asked(targeting=TargetingStep(welfare="consumption_pc", rate=0.3))
    made = run_pipeline(config, households=households)
    assert made.targeting is not None and made.targeting.metrics["rate"][0] == 0.3


def test_options_are_checked() -> None:
    for wrong in (
        lambda: VerifyStep(accept=("fine",)),
        lambda: VerifyStep(accept=("conflicting",)),
        lambda: DuplicatesStep(threshold=float("nan")),
        lambda: TargetingStep(welfare="w", rate=1.0),
    ):
        with pytest.raises(ModelError):
            wrong()


# -- the command ----------------------------------------------------------------------------------


def test_the_command_writes_and_tells(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], written: Path
) -> None:
    target = tmp_path / "out"
    assert cli.main(["run", str(folder / "run.toml"), "--output", str(target)]) == 0
    said = capsys.readouterr().out
    for word in ("read", "verify", "duplicates", "score", "decide", "pay", "errors", "write"):
        assert re.search(rf"^{word} .* s$", said, re.MULTILINE)
    assert f"{target / 'report.html'}: open it in a browser" in said
    assert (target / "run.json").read_bytes() == (written / "run.json").read_bytes()


def test_the_command_says_what_is_wrong(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["run", str(tmp_path / "none.toml")]) == 2
    (tmp_path / "run.toml").write_text(CONFIG, encoding="utf-8")
    assert cli.main(["run", str(tmp_path / "run.toml")]) == 2
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "letter.txt").write_text("keep")
    assert cli.main(["run", str(tmp_path / "run.toml")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 and all(line.startswith("nser-pmt: ") for line in lines)
    assert "none.toml" in lines[0] and "households.parquet" in lines[1]
    assert "other files" in lines[2]
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["letter.txt"]


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_leaves_nothing(folder: Path, tmp_path: Path, sent: signal.Signals) -> None:
    target = tmp_path / "out"
    code = f"""
import os, sys, time
from nser_pmt import cli
from nser_pmt.pipeline import PipelineResult
written = PipelineResult.report
def slow(self):
    print("here", flush=True)
    time.sleep(60)
PipelineResult.report = slow
sys.exit(cli.main(["run", {str(folder / "run.toml")!r}, "--output", {str(target)!r}]))
"""
    child = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert child.stdout is not None
    while child.stdout.readline().strip() != "here":
        assert child.poll() is None
    assert [path.name[:5] for path in tmp_path.iterdir()] == [".out."]
    time.sleep(0.1)
    child.send_signal(sent)
    _, error = child.communicate(timeout=60)
    assert (child.returncode, error) == (130, "nser-pmt: stopped; nothing was written\n")
    assert list(tmp_path.iterdir()) == []


def test_the_configuration_of_the_demo_loads() -> None:
    path = Path(__file__).resolve().parents[2] / "demo" / "story.toml"
    config = load_pipeline(path)
    assert [step.programme for step in config.programmes] == list(PROGRAMMES)
    assert config.verify and config.duplicates and config.targeting and config.output
    assert "folder" not in config.digest and config.digest == load_pipeline(path).digest
