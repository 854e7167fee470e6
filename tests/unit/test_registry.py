"""The dynamic registry: what updates do, what they refuse, and what is known afterwards."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nser_pmt as nser
import registries as small
from nser_pmt.programmes._parts import Quota, RankKey
from nser_pmt.registry import _files as _registry_files
from nser_pmt.registry.updates import Registry
from registries import no_waiting_for_the_disk  # noqa: F401

ON = date(2024, 3, 1)
N = 40


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stored") / "registry"
    small.registry(folder, N)
    return folder


@pytest.fixture
def registry(stored: Path, tmp_path: Path) -> Registry:
    return Registry.open(shutil.copytree(stored, tmp_path / "registry"))


def homes(*ids: int, **changes: object) -> pl.DataFrame:
    """Return the rows of households with some answers changed."""
    rows = small.households(N).filter(pl.col("hh_id").is_in(ids))
    types = rows.schema
    return rows.with_columns(pl.lit(v).cast(types[n]).alias(n) for n, v in changes.items())


def persons(*ids: int, **changes: object) -> pl.DataFrame:
    """Return the rows of people with some answers changed."""
    rows = small.people(N).filter(pl.col("person_id").is_in(ids))
    types = rows.schema
    return rows.with_columns(pl.lit(v).cast(types[n]).alias(n) for n, v in changes.items())


def reasons(report: nser.UpdateReport) -> list[tuple[str, int, str]]:
    rejected = report.rejected.sort("table", "row")
    return list(rejected.select("table", "row", "reason").iter_rows())


POOREST = {
    "n_le13": 9,
    "school_5_13": "not_all",
    "n_elementary_workers": 3,
    "female_head_spouse_educ": "below_class_1",
    "toilet": "none",
    "tv": False,
    "livestock": "neither",
}


def poorest(home: int) -> pl.DataFrame:
    known = {n: v for n, v in POOREST.items() if n in small.households(1).columns}
    return homes(home, **known)


# -- what is known ---------------------------------------------------------------------------------


def test_creation_keeps_what_came_and_decides_it(registry: Registry) -> None:
    known, members, decisions = small.frames(registry)
    assert_frame_equal(known, small.households(N))
    expected = small.people(N).sort("hh_id", "person_id")
    assert_frame_equal(members, expected)
    anew = small.decided_anew(registry, small.START)
    assert_frame_equal(decisions.select(anew.columns), anew)
    assert 0 < decisions["decision_kafaalat"].eq("eligible").sum() < N
    # Taleemi Wazaif is of children: a household is in it with one of them.
    paid = decisions.filter(pl.col("decision_taleemi-wazaif") == "eligible")
    assert paid.height
    assert (paid["decision_kafaalat"] == "eligible").all()
    assert set(paid["amount_taleemi-wazaif"]) <= {4000, 4500, 5000}
    assert registry.history["kind"].to_list() == ["base"]
    assert "kafaalat" in repr(registry)


def test_files_are_for_the_owner_only(registry: Registry, tmp_path: Path) -> None:
    registry.update(households=homes(1, address="x"), on=ON)
    registry.compact()
    for path in [tmp_path / "registry", *(tmp_path / "registry").rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_update_rescores_and_says_who_enters_and_why(registry: Registry) -> None:
    before = registry.at().decisions.collect()
    out = before.filter(pl.col("decision_kafaalat") != "eligible")["hh_id"][0]
    report = registry.update(households=poorest(out), on=ON)
    assert report.households == 1
    assert not report.already_applied
    [row] = report.transitions.filter(pl.col("programme") == "kafaalat").iter_rows(named=True)
    assert row["transition"] == "enters"
    assert (row["decision_before"], row["decision"]) == ("not_eligible", "eligible")
    assert row["reasons_before"] == ["score"]
    assert row["reasons"] == []
    assert row["amount"] == 10_500
    assert row["score_change"] == row["pmt_score"] - row["pmt_score_before"] < 0
    # The term is the one whose points changed most, found here term by term.
    points = [
        nser.explain(frame, small.MODEL, id="hh_id")["points"]
        for frame in (homes(out), poorest(out))
    ]
    change = points[1] - points[0]
    terms = nser.explain(homes(out), small.MODEL, id="hh_id")["term"]
    largest = max(range(len(change)), key=lambda i: abs(change[i]))
    assert row["term"] == terms[largest]
    assert row["term_change"] == change[largest]
    assert "enters" in repr(report)
    assert "enters" in report._repr_html_()
    # And back: it leaves.
    back = registry.update(households=homes(out), on=ON)
    assert back.transitions.filter(pl.col("programme") == "kafaalat")["transition"][0] == "leaves"
    assert (
        registry.at()
        .decisions.collect()
        .sort("hh_id")
        .drop("decided_on")
        .equals(before.sort("hh_id").drop("decided_on"))
    )


def test_unknown_answers_need_data(registry: Registry) -> None:
    report = registry.update(households=homes(4, tv=None, toilet=None), on=ON)
    [row] = report.transitions.filter(pl.col("programme") == "kafaalat").iter_rows(named=True)
    score = registry.at().decisions.filter(pl.col("hh_id") == 4).collect()["pmt_score"][0]
    expected = "needs_data" if score is None else row["transition"]
    assert row["transition"] == expected
    report = registry.update(people=persons(16, 17, 18, 19, sex=None), on=ON)
    kafaalat = report.transitions.filter(pl.col("programme") == "kafaalat")
    assert kafaalat["decision"][0] in ("needs_data", "not_eligible")


def test_people_join_leave_and_change(registry: Registry) -> None:
    child = persons(4, person_id=900, cnic="3520299999991").with_columns(change=pl.lit("joined"))
    leaving = persons(5).with_columns(change=pl.lit("left"))
    changed = persons(6, disabled=True).with_columns(change=pl.lit("changed"))
    report = registry.update(people=pl.concat([child, leaving, changed]), on=ON)
    assert report.rejected.is_empty()
    known = registry.at().people.filter(pl.col("hh_id") == 1).collect().sort("person_id")
    assert known["person_id"].to_list() == [4, 6, 7, 900]
    assert known["disabled"].to_list() == [False, True, False, False]
    old = registry.at(small.START).people.filter(pl.col("hh_id") == 1).collect()
    assert old["person_id"].sort().to_list() == [4, 5, 6, 7]


def test_disabled_member_relaxes_the_cutoff(registry: Registry) -> None:
    decisions = registry.at().decisions.collect()
    near = decisions.filter(pl.col("pmt_score").is_between(32, 37, closed="right"))["hh_id"]
    home = near[0] if len(near) else None
    if home is None:
        pytest.skip("no household between the cut-offs")
    report = registry.update(people=persons(4 * home, disabled=True), on=ON)
    assert report.transitions.filter(programme="kafaalat")["transition"].to_list() == ["enters"]


def test_household_comes_and_goes(registry: Registry) -> None:
    new = homes(1, hh_id=500).with_columns(change=pl.lit("new"))
    member = persons(4, person_id=901, hh_id=500, cnic=None).with_columns(change=pl.lit("joined"))
    report = registry.update(households=new, people=member, on=ON)
    assert report.rejected.is_empty()
    assert report.transitions["decision_before"].null_count() == 2
    assert report.transitions["pmt_score_before"].null_count() == 2
    gone = homes(1, hh_id=500).with_columns(change=pl.lit("removed"))
    report = registry.update(households=gone, on=date(2024, 3, 2))
    assert report.transitions["decision"].null_count() == 2
    assert registry.at().people.filter(pl.col("hh_id") == 500).collect().is_empty()
    assert registry.at().decisions.filter(pl.col("hh_id") == 500).collect().is_empty()
    assert registry.at(ON).people.filter(pl.col("hh_id") == 500).collect().height == 1
    # It may come again.
    assert registry.update(households=new, on=date(2024, 3, 3)).rejected.is_empty()


def test_same_batch_twice_changes_nothing(registry: Registry, tmp_path: Path) -> None:
    rows = pl.concat([poorest(2), poorest(9)])
    first = registry.update(households=rows, on=ON)
    manifest = (tmp_path / "registry" / "manifest.json").read_bytes()
    again = Registry.open(tmp_path / "registry").update(households=rows.reverse(), on=ON)
    assert again.already_applied
    assert "applied before" in repr(again)
    assert_frame_equal(again.transitions, first.transitions)
    assert (tmp_path / "registry" / "manifest.json").read_bytes() == manifest
    # Also where another batch changed it since: what comes late does not undo what came after.
    registry.update(households=homes(2), on=ON)
    known = small.frames(registry)
    assert registry.update(households=rows, on=ON).already_applied
    assert all(a.equals(b) for a, b in zip(known, small.frames(registry), strict=True))
    # The same answers as of another day are another batch.
    assert not registry.update(households=rows, on=date(2024, 3, 2)).already_applied


# -- linking ---------------------------------------------------------------------------------------


def unplaced(frame: pl.DataFrame, form: object) -> pl.DataFrame:
    return frame.with_columns(
        hh_id=pl.lit(None, pl.UInt64), person_id=pl.lit(None, pl.UInt64), form_id=pl.lit(form)
    )


def test_form_is_linked_by_the_number_of_a_member(registry: Registry) -> None:
    people = unplaced(persons(29, cnic="35202-0000029-2", disabled=True), "a")
    form = homes(7, address="new street").with_columns(
        hh_id=pl.lit(None, pl.UInt64), form_id=pl.lit("a")
    )
    report = registry.update(households=form, people=people, on=ON)
    assert report.rejected.is_empty()
    assert report.transitions["hh_id"].unique().to_list() == [7]
    known, members, _ = small.frames(registry)
    assert known.filter(hh_id=7)["address"].to_list() == ["new street"]
    assert members.filter(disabled=True)["person_id"].to_list() == [29]


def test_person_without_a_number_is_linked_by_name_and_birth(registry: Registry) -> None:
    people = persons(33, cnic=None, disabled=True)
    spelled = people.with_columns(pl.col("name").str.to_uppercase())
    report = registry.update(people=unplaced(spelled, None), on=ON)
    assert report.rejected.is_empty()
    members = small.frames(registry)[1]
    assert members.filter(disabled=True)["person_id"].to_list() == [33]


def test_stranger_is_not_linked(registry: Registry) -> None:
    stranger = persons(33, cnic="3520288888881", birth_date=date(1970, 5, 5))
    other_name = persons(33, cnic=None, name="Zulfiqar Mengal", father_name="Hayat Rind")
    both = pl.concat([unplaced(stranger, "s"), unplaced(other_name, "o")])
    report = registry.update(people=both, on=ON)
    assert reasons(report) == [
        ("people", 0, "unknown_household"),
        ("people", 1, "unknown_household"),
    ]
    assert report.households == 0


def test_form_of_people_of_two_households_is_ambiguous(registry: Registry) -> None:
    people = unplaced(persons(8, 12), "mixed")
    report = registry.update(people=people, on=ON)
    assert {reason for _, _, reason in reasons(report)} == {"ambiguous_household"}


def test_numbers_of_an_update_link_the_next(registry: Registry) -> None:
    registry.update(people=persons(20, cnic="3520277777771"), on=ON)
    old = unplaced(persons(20, disabled=True, birth_date=date(1950, 1, 1)), None)
    new = unplaced(persons(20, disabled=True, cnic="3520277777771"), None)
    assert reasons(registry.update(people=old, on=ON)) == [("people", 0, "unknown_household")]
    assert registry.update(people=new, on=ON).rejected.is_empty()
    assert small.frames(registry)[1].filter(disabled=True)["person_id"].to_list() == [20]


# -- what is not applied ---------------------------------------------------------------------------


def changed(frame: pl.DataFrame, change: str) -> pl.DataFrame:
    return frame.with_columns(change=pl.lit(change))


def test_unknown_household(registry: Registry) -> None:
    before = small.frames(registry)
    report = registry.update(households=homes(1, hh_id=999), people=persons(4, hh_id=998), on=ON)
    assert reasons(report) == [
        ("households", 0, "unknown_household"),
        ("people", 0, "unknown_household"),
    ]
    assert report.rejected["hh_id"].to_list() == [999, 998]
    assert all(a.equals(b) for a, b in zip(before, small.frames(registry), strict=True))


def test_two_updates_of_one_household(registry: Registry) -> None:
    rows = pl.concat([homes(1, tv=True), homes(1, tv=False), homes(2, tv=True)])
    report = registry.update(households=rows, people=persons(4, disabled=True), on=ON)
    assert reasons(report) == [
        ("households", 0, "twice_in_batch"),
        ("households", 1, "twice_in_batch"),
        ("people", 0, "incomplete_household"),
    ]
    assert report.transitions["hh_id"].unique().to_list() == [2]


def test_rows_of_a_household_go_together(registry: Registry) -> None:
    wrong = changed(persons(4, person_id=777), "left")
    report = registry.update(households=homes(1, tv=True), people=wrong, on=ON)
    assert reasons(report) == [
        ("households", 0, "incomplete_household"),
        ("people", 0, "unknown_person"),
    ]


def test_every_other_reason(registry: Registry) -> None:
    households = pl.concat(
        [
            changed(homes(1), "new"),
            changed(homes(2), "removed"),
            changed(homes(3, hh_id=None), "changed"),
            changed(homes(4), "moved house"),
        ]
    )
    people = pl.concat(
        [
            changed(persons(8), "changed"),
            changed(persons(20), "joined"),
            changed(persons(24, person_id=None), "joined"),
            changed(persons(28), "changed"),
            changed(persons(28), "left"),
            changed(persons(36, person_id=950), "joined"),
        ]
    )
    report = registry.update(households=households, people=people, on=ON)
    assert reasons(report) == [
        ("households", 0, "household_exists"),
        ("households", 1, "incomplete_household"),
        ("households", 2, "unknown_household"),
        ("households", 3, "bad_value"),
        ("people", 0, "household_removed"),
        ("people", 1, "person_exists"),
        ("people", 2, "no_key"),
        ("people", 3, "twice_in_batch"),
        ("people", 4, "twice_in_batch"),
        ("people", 5, "cnic_elsewhere"),
    ]
    assert report.rejected.filter(reason="bad_value")["column"].to_list() == ["change"]


def test_number_moves_with_its_person(registry: Registry) -> None:
    # From household 9 to household 1, and its number with it: both rows or neither.
    leaves = changed(persons(36), "left")
    joins = changed(persons(36, hh_id=1), "joined")
    assert reasons(registry.update(people=joins, on=ON)) == [("people", 0, "cnic_elsewhere")]
    wrong = changed(persons(37, person_id=999), "left")
    stuck = registry.update(people=pl.concat([leaves, joins, wrong]), on=ON)
    assert reasons(stuck) == [
        ("people", 0, "incomplete_household"),
        ("people", 1, "cnic_elsewhere"),
        ("people", 2, "unknown_person"),
    ]
    assert registry.update(people=pl.concat([leaves, joins]), on=ON).rejected.is_empty()
    members = small.frames(registry)[1].filter(person_id=36)
    assert members["hh_id"].to_list() == [1]


def test_value_that_is_no_level(registry: Registry) -> None:
    rows = homes(1, 2).with_columns(pl.Series("toilet", ["none", "a golden one"]))
    report = registry.update(households=rows, on=ON)
    assert reasons(report) == [("households", 1, "bad_value")]
    assert report.rejected["column"].to_list() == ["toilet"]
    assert "golden" not in repr(report)


# -- errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "code", "column"),
    [
        (lambda f: f.drop("tv"), "missing_column", "tv"),
        (lambda f: f.with_columns(extra=pl.lit(1)), "unknown_column", "extra"),
        (lambda f: f.with_columns(tv=pl.lit("yes")), "wrong_column", "tv"),
        (lambda f: f.with_columns(hh_id=pl.lit("1")), "wrong_column", "hh_id"),
        (lambda f: f.with_columns(n_le13=pl.lit(1.5)), "wrong_column", "n_le13"),
    ],
)
def test_schema_change_is_an_error(
    registry: Registry, change: object, code: str, column: str
) -> None:
    before = small.frames(registry)
    with pytest.raises(nser.SchemaError) as caught:
        registry.update(households=change(homes(1)), on=ON)  # type: ignore[operator]
    assert (caught.value.code, caught.value.column) == (code, column)
    assert all(a.equals(b) for a, b in zip(before, small.frames(registry), strict=True))


def test_dates_go_forward(registry: Registry) -> None:
    registry.update(households=homes(1), on=ON)
    with pytest.raises(nser.DomainError) as caught:
        registry.update(households=homes(2), on=date(2024, 2, 28))
    assert caught.value.code == "out_of_order"
    with pytest.raises(nser.DomainError) as caught:
        registry.at(date(2024, 1, 31))
    assert caught.value.code == "before_first_date"
    with pytest.raises(nser.DomainError) as caught:
        registry.update(households=homes(2), on="2024-03-01")  # type: ignore[arg-type]
    assert caught.value.code == "wrong_date"


def test_two_writers(registry: Registry, tmp_path: Path) -> None:
    with (
        _registry_files.locked(tmp_path / "registry"),
        pytest.raises(nser.RegistryError) as caught,
    ):
        registry.update(households=homes(1), on=ON)
    assert caught.value.code == "busy"
    assert registry.update(households=homes(1), on=ON).households == 1


def test_lock_of_a_dead_writer_is_free(registry: Registry, tmp_path: Path) -> None:
    code = f"""
import os, pathlib, signal
from nser_pmt.registry import _files as _registry_files
from nser_pmt.programmes._parts import Quota, RankKey
with _registry_files.locked(pathlib.Path({str(tmp_path / "registry")!r})):
    os.kill(os.getpid(), signal.SIGKILL)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    assert registry.update(households=homes(1), on=ON).households == 1


def test_second_object_sees_what_the_first_wrote(registry: Registry, tmp_path: Path) -> None:
    other = Registry.open(tmp_path / "registry")
    registry.update(households=poorest(2), on=ON)
    other.update(households=poorest(3), on=ON)
    known = small.frames(Registry.open(tmp_path / "registry"))[0]
    assert known.filter(pl.col("n_le13") == 9)["hh_id"].to_list() == [2, 3]


def test_damage_is_found(stored: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(stored, tmp_path / "a")
    data = json.loads((folder / "manifest.json").read_text())
    for wrong, code in (
        ({**data, "schema_version": 2}, "schema_version"),
        ({**data, "more": 1}, "damaged"),
        ({**data, "segments": []}, "damaged"),
        ([], "schema_version"),
    ):
        (folder / "manifest.json").write_text(json.dumps(wrong))
        with pytest.raises(nser.RegistryError) as caught:
            Registry.open(folder)
        assert caught.value.code == code
    (folder / "manifest.json").write_text("{")
    with pytest.raises(nser.RegistryError, match="JSON"):
        Registry.open(folder)

    folder = shutil.copytree(stored, tmp_path / "b")
    path = folder / "segments" / "000000" / "people-00001.parquet"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(nser.RegistryError, match="people-00001"):
        Registry.open(folder)

    folder = shutil.copytree(stored, tmp_path / "c")
    for path in (folder / "rules").iterdir():
        path.write_text(path.read_text().replace("32", "33"))
    with pytest.raises(nser.RegistryError) as caught:
        Registry.open(folder)
    assert caught.value.code == "damaged"

    with pytest.raises(nser.RegistryError) as caught:
        Registry.open(tmp_path / "nothing")
    assert caught.value.code == "not_a_registry"
    with pytest.raises(nser.RegistryError) as caught:
        small.registry(stored)
    assert caught.value.code == "already_exists"


def test_records_are_made_again(registry: Registry, tmp_path: Path) -> None:
    folder = tmp_path / "registry"
    records = folder / "segments" / "000000" / "records"
    shutil.rmtree(records)
    registry.update(households=homes(1), on=ON)
    for path in sorted(records.iterdir()):
        path.unlink()
        linked = Registry.open(folder).update(people=unplaced(persons(24), path.name), on=ON)
        assert linked.rejected.is_empty(), path.name
        assert path.exists() or "decisions" in path.name or "households" in path.name
    report = registry.update(households=poorest(2), people=persons(8, disabled=True), on=ON)
    assert report.rejected.is_empty()
    anew = small.decided_anew(registry, ON)
    stored = small.frames(registry)[2].filter(hh_id=2).select(anew.columns)
    assert_frame_equal(stored, anew.filter(hh_id=2))


def test_quota_is_refused(tmp_path: Path) -> None:
    quota = Quota(
        id="places",
        valid_from=date(2020, 1, 1),
        source="test",
        mark="confirmed",
        places=1,
        rank_by=(RankKey(column="pmt_score"),),
        ties="exclude",
    )
    limited = nser.load_programme("kafaalat").with_quota(quota)
    with pytest.raises(nser.ModelError) as caught:
        Registry.create(
            tmp_path / "registry",
            households=small.households(4),
            people=small.people(4),
            model=small.MODEL,
            programmes=[limited],
            on=small.START,
        )
    assert caught.value.code == "quota"
    assert not (tmp_path / "registry").exists()


def test_creation_refuses(tmp_path: Path) -> None:
    households, people = small.households(4), small.people(4)
    no_ids = households.with_columns(hh_id=pl.lit(None, pl.UInt64))

    def create(**changes: object) -> None:
        given = {"households": households, "people": people, "programmes": ["kafaalat"]}
        Registry.create(
            tmp_path / "registry",
            **{"model": small.MODEL, "on": small.START, **given, **changes},  # type: ignore[arg-type]
        )

    schema, domain = nser.SchemaError, nser.DomainError
    cases: list[tuple[str, object, type[nser.NserError], str]] = [
        ("households", pl.concat([households, households]), domain, "twice"),
        ("people", pl.concat([people, people]), domain, "twice"),
        ("people", people.with_columns(pl.col("hh_id") + 1), domain, "unknown_household"),
        ("households", no_ids, domain, "missing_value"),
        ("people", people.with_columns(person_id=pl.lit(-3)), domain, "missing_value"),
        ("households", households.drop("hh_id"), schema, "missing_column"),
        ("households", households.drop("toilet"), schema, "missing_column"),
        ("households", households.with_columns(change=pl.lit(1)), schema, "reserved_name"),
        ("households", households.with_columns(x=pl.lit([1])), schema, "wrong_column"),
        ("on", date(2000, 1, 1), domain, "before_first_version"),
        ("programmes", ["kafaalat", "kafaalat"], nser.ModelError, "twice"),
    ]
    for name, value, kind, code in cases:
        with pytest.raises(kind) as caught:
            create(**{name: value})
        assert caught.value.code == code
    # None of this left anything that is in the way.
    create()


# -- history ---------------------------------------------------------------------------------------


def test_why(registry: Registry) -> None:
    out = registry.at().decisions.filter(decision_kafaalat="not_eligible").collect()
    home = out["hh_id"].min()
    assert isinstance(home, int)
    registry.update(households=poorest(home), people=persons(4 * home, disabled=True), on=ON)
    now, then = registry.why(home, "kafaalat"), registry.why(home, "kafaalat", on=small.START)
    assert now.decided_on == ON
    assert then.decided_on == small.START
    assert now.decision == "eligible"
    assert now.household["n_le13"] == 9
    assert then.household["n_le13"] == homes(home)["n_le13"][0]
    assert now.members["disabled"].to_list() == [True, False, False, False]
    assert then.members["disabled"].sum() == 0
    assert now.model_digest == nser.load_model(small.MODEL).digest
    kafaalat = nser.load_programme("kafaalat")
    assert now.programme_digest == kafaalat.digest
    assert now.version == kafaalat.version(ON).id
    [explained] = now.explain()
    assert (explained.decision, explained.digest) == (now.decision, now.programme_digest)
    [explained] = then.explain()
    assert (explained.decision, explained.reasons) == (then.decision, then.reasons)
    # Of a programme of children, each member.
    stipend = registry.why(home, "taleemi-wazaif")
    each = [explained.decision for explained in stipend.explain()]
    assert len(each) == 4
    assert ("eligible" in each) == (stipend.decision == "eligible") is True
    # No identity in what is shown.
    assert not {"cnic", "name", "father_name"} & set(now.members.columns)
    assert "address" not in now.household
    assert "eligible" in repr(now)
    # What was decided follows from what is told.
    scored = nser.score(poorest(home), small.MODEL)
    assert scored["pmt_score"].to_list() == [now.score]
    for asked, programme, code in (
        (99, "kafaalat", "unknown_household"),
        (home, "x", "unknown_programme"),
    ):
        with pytest.raises(nser.DomainError) as caught:
            registry.why(asked, programme)
        assert caught.value.code == code


def test_compaction_keeps_state_and_history(registry: Registry, tmp_path: Path) -> None:
    registry.update(households=poorest(2), on=ON)
    later = date(2024, 4, 1)
    registry.update(
        households=changed(homes(5), "removed"), people=persons(12, disabled=True), on=later
    )
    states = {day: small.frames(registry, day) for day in (small.START, ON, later)}
    registry.compact()
    registry.update(households=poorest(7), on=later)
    newest = small.frames(registry)
    assert states[later][0].height == newest[0].height == N - 1
    for day in (small.START, ON):
        for left, right in zip(states[day], small.frames(registry, day), strict=True):
            assert_frame_equal(left, right)
    registry.compact(forget_before=ON)
    for left, right in zip(newest, small.frames(registry), strict=True):
        assert_frame_equal(left, right)
    for left, right in zip(states[ON], small.frames(registry, ON), strict=True):
        assert_frame_equal(left, right)
    registry.compact(forget_before=later)
    with pytest.raises(nser.DomainError):
        registry.at(ON)
    for left, right in zip(newest, small.frames(registry), strict=True):
        assert_frame_equal(left, right)
    reopened = Registry.open(tmp_path / "registry")
    for left, right in zip(newest, small.frames(reopened), strict=True):
        assert_frame_equal(left, right)
    with pytest.raises(nser.DomainError):
        registry.compact(forget_before=date(2030, 1, 1))


def test_recomputing_by_other_rules(registry: Registry, tmp_path: Path) -> None:
    registry.update(households=poorest(2), on=ON)
    later = date(2024, 9, 1)
    registry.recompute(on=later, programmes=["kafaalat"])
    decisions = small.frames(registry)[2]
    assert "decision_taleemi-wazaif" not in decisions.columns
    assert decisions["decided_on"].unique().to_list() == [later]
    anew = small.decided_anew(registry, later)
    assert_frame_equal(decisions.select(anew.columns), anew)
    # The past has its own rules.
    assert "decision_taleemi-wazaif" in small.frames(registry, ON)[2].columns
    assert registry.why(2, "taleemi-wazaif", on=ON).decided_on == ON
    reopened = Registry.open(tmp_path / "registry")
    assert [p.id for p in reopened.programmes] == ["kafaalat"]
    assert reopened.update(households=poorest(3), on=later).transitions.height == 1


def test_registry_without_people_or_programmes(tmp_path: Path) -> None:
    made = Registry.create(
        tmp_path / "registry",
        households=small.households(5),
        model=small.MODEL,
        programmes=[],
        on=small.START,
    )
    report = made.update(households=homes(2, n_le13=9), on=ON)
    assert report.transitions.is_empty()
    assert report.households == 1
    scored = nser.score(small.frames(made)[0], small.MODEL)
    assert small.frames(made)[2]["pmt_score"].equals(scored["pmt_score"])
    made.compact()
    assert made.update(on=ON).households == 0


def test_progress_and_stop(tmp_path: Path, registry: Registry) -> None:
    seen: list[int] = []
    registry.recompute(on=ON, control=nser.RunControl(progress=seen.append))
    assert seen == [16, 32, 40]

    def stop(done: int) -> None:
        raise KeyboardInterrupt

    before = small.frames(registry)
    with pytest.raises(KeyboardInterrupt):
        registry.recompute(on=ON, control=nser.RunControl(progress=stop))
    assert all(a.equals(b) for a, b in zip(before, small.frames(registry), strict=True))


def test_status_follows_the_changes(registry: Registry, tmp_path: Path) -> None:
    decisions = registry.at().decisions.filter(decision_kafaalat="not_eligible").collect()
    home = decisions["hh_id"].min()
    assert isinstance(home, int)
    number = small.cnic_of(4 * home)

    def decision(registry: Registry) -> str | None:
        found = registry.status(number, on=ON)
        assert found.answer == "found"
        assert number not in repr(found)
        return found.programmes["kafaalat"].decision

    assert decision(registry) == "not_eligible"
    registry.update(households=poorest(home), on=ON)
    assert decision(registry) == "eligible"
    assert decision(Registry.open(tmp_path / "registry")) == "eligible"
    registry.update(people=changed(persons(4 * home), "left"), on=ON)
    assert registry.status(number, on=ON).answer == "unknown"
    assert registry.status("12345", on=ON).answer == "malformed"
