"""The index of persons: what it takes, what it refuses, and what it keeps."""

from __future__ import annotations

import copy
import pickle
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser

PEOPLE = pl.DataFrame(
    {
        "id": [30, 10, 20, 40],
        "cnic": ["35202-1234567-1", "4210176543213", None, "6110198765439"],
        "name": ["Muhammad Aslam", "Bushra Bibi", "Kashif Mehmood", "Aslam Khan"],
        "born": [date(1980, 1, 2), date(1990, 5, 6), None, date(1980, 1, 2)],
        "age": [46.0, 36.0, 12.0, 46.0],
    }
)


def spec(**changes: Any) -> nser.LinkSpec:
    compare = nser.compare
    plan = nser.LinkSpec(
        compare=[
            compare.cnic("cnic").with_chances(
                m=[0.9, 0.06, 0.02, 0.02], u=[1e-6, 1e-6, 1e-5, 0.999988]
            ),
            compare.name("name", levels=[0.9], frequency="none").with_chances(
                m=[0.7, 0.25, 0.05], u=[1e-4, 1e-3, 0.9989]
            ),
            compare.exact("born").with_chances(m=[0.9, 0.1], u=[1e-3, 0.999]),
        ],
        block_on=[nser.blocking.cnic_within("cnic"), ["born"], [pl.col("name").str.to_lowercase()]],
        prior=1e-3,
    )
    return plan.replace(**changes)


@pytest.fixture
def index() -> nser.PersonIndex:
    return nser.PersonIndex(PEOPLE, spec(), id="id")


def test_a_record_finds_its_person_and_what_is_missing_is_missing(index: nser.PersonIndex) -> None:
    record = {"born": date(1980, 1, 2), "name": "Muhammad Aslam"}
    [first, second] = index.search(record, threshold=None)
    assert (first.id, second.id) == (30, 40)
    assert first.levels["cnic"] is None and first.levels["born"] == "exact"
    assert first.match_weight > second.match_weight
    assert index.search({"name": "KASHIF MEHMOOD", "other": object()}, threshold=-5)[0].id == 20
    assert index.search({"cnic": 4210176543213})[0].levels["cnic"] == "exact"
    assert index.search({"cnic": "03001234567", "name": "--"}) == []
    assert index.search({"born": datetime(1990, 5, 6, 12)}, threshold=None)[0].id == 10


def test_names_of_one_match_form_are_one_name(index: nser.PersonIndex) -> None:
    born = PEOPLE.row(0, named=True)["born"]
    for name in (" MUHAMMAD  aslam.", "Muḥammad Aslam", "Muhammad Aslam"):
        asked = {"name": name, "born": born}
        first = index.search(asked, k=1, threshold=None)[0]
        assert first.levels["name"] == "exact"
        frame = pl.DataFrame([asked]).with_columns(cnic=pl.lit(None, pl.String))
        found = index.search(frame, k=1, threshold=None)
        assert found.row(0)[2:4] == (first.id, first.match_weight)


def test_ties_go_to_the_lower_id_and_k_is_the_most(index: nser.PersonIndex) -> None:
    found = index.search({"born": date(1980, 1, 2)}, threshold=None)
    assert [p.id for p in found] == [30, 40]
    assert [p.id for p in index.search({"born": date(1980, 1, 2)}, k=1, threshold=None)] == [30]
    best = found[0].match_weight
    assert len(index.search({"born": date(1980, 1, 2)}, threshold=best)) == 2
    assert index.search({"born": date(1980, 1, 2)}, threshold=best + 1e-9) == []


def test_a_frame_has_one_row_for_each_match(index: nser.PersonIndex) -> None:
    queries = PEOPLE.drop("id", "age").with_columns(pl.col("cnic").cast(pl.Categorical))
    found = index.search(queries.lazy(), threshold=None)
    assert found.select("query_index", "rank", "id").rows() == [
        (0, 1, 30),
        (0, 2, 40),
        (1, 1, 10),
        (2, 1, 20),
        (3, 1, 40),
        (3, 2, 30),
    ]
    assert found.schema["query_index"] == pl.UInt32 and found.schema["rank"] == pl.UInt32
    assert found["level_born"].to_list() == ["exact", "exact", "exact", None, "exact", "exact"]
    none = index.search(queries.head(0))
    assert none.schema == found.schema and none.height == 0


@pytest.mark.parametrize("dtype", [pl.Int8, pl.UInt16, pl.Int64, pl.UInt64, pl.String])
def test_ids_come_back_in_their_own_type(dtype: Any, tmp_path: Path) -> None:
    people = PEOPLE.with_columns(pl.col("id").cast(dtype))
    index = nser.PersonIndex(people, spec(), id="id")
    index.save(tmp_path / "index")
    index = nser.PersonIndex.load(tmp_path / "index")
    found = index.search(people.drop("id"), threshold=None)
    assert found.schema["id"] == dtype
    assert found.filter(rank=1)["id"].to_list() == people["id"].to_list()
    assert index.search({"cnic": "4210176543213"})[0].id == people["id"][1]
    assert index.remove(people["id"].head(1)) == 1 and index.remove([people["id"][1]]) == 1
    assert len(index) == 2


def test_numbers_beyond_the_signed_ones_are_ids_too() -> None:
    ids = pl.Series("id", [2**64 - 1, 2**63, 5, 2**63 - 1], dtype=pl.UInt64)
    index = nser.PersonIndex(PEOPLE.with_columns(ids), spec(), id="id")
    found = index.search({"born": date(1980, 1, 2)}, threshold=None)
    assert [p.id for p in found] == [2**63 - 1, 2**64 - 1]
    assert index.remove([2**64 - 1, 7]) == 1


def test_negative_ids_keep_their_order() -> None:
    ids = pl.Series("id", [-5, 3, -7, 2])
    index = nser.PersonIndex(PEOPLE.with_columns(ids), spec(), id="id")
    assert [p.id for p in index.search({"born": date(1980, 1, 2)}, threshold=None)] == [-5, 2]


def test_no_person_at_all(tmp_path: Path) -> None:
    index = nser.PersonIndex(PEOPLE.head(0), spec(), id="id")
    assert len(index) == 0 and index.search({"name": "Aslam"}, threshold=None) == []
    index.add(PEOPLE)
    assert len(index) == 4 and index.search({"name": "muhammad aslam"}, threshold=-5)[0].id == 30
    assert index.remove(PEOPLE["id"]) == 4
    index.save(tmp_path / "index")
    assert len(nser.PersonIndex.load(tmp_path / "index", verify=True)) == 0


def test_the_repr_says_what_it_is_and_nothing_of_anyone(index: nser.PersonIndex) -> None:
    text = repr(index)
    assert text.startswith("PersonIndex of 4 persons by 'id'\ncompares cnic, name, born")
    assert not any(name in text for name in ("Aslam", "3520", "1980"))


def test_it_is_not_pickled(index: nser.PersonIndex) -> None:
    for copied in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="save it"):
            copied(index)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"prior": None}, "not_learned"),
        ({"block_on": [nser.blocking.neighbours("name")]}, "not_indexable"),
        (
            {
                "compare": [
                    *spec().compare,
                    nser.compare.expr(
                        "same", {"same": pl.col("name_left") == pl.col("name_right")}
                    ).with_chances(m=[0.9, 0.1], u=[0.1, 0.9]),
                ]
            },
            "not_indexable",
        ),
        (
            {
                "compare": [
                    nser.compare.name("name", token_frequencies="frame").with_chances(
                        m=[0.6, 0.2, 0.1, 0.05, 0.05], u=[0.01, 0.01, 0.01, 0.01, 0.96]
                    )
                ]
            },
            "not_indexable",
        ),
    ],
)
def test_plans_that_cannot_be_indexed(changes: Any, code: str) -> None:
    with pytest.raises(nser.DomainError) as error:
        nser.PersonIndex(PEOPLE, spec(**changes), id="id")
    assert error.value.code == code


@pytest.mark.parametrize(
    ("people", "code"),
    [
        (PEOPLE.drop("born"), "missing_column"),
        (PEOPLE.drop("id"), "missing_column"),
        (PEOPLE.with_columns(pl.lit(1).alias("id")), "duplicate_id"),
        (PEOPLE.with_columns(pl.lit(None, pl.Int64).alias("id")), "missing_id"),
        (PEOPLE.with_columns(pl.col("id").cast(pl.Float64)), "wrong_column"),
        (PEOPLE.with_columns(pl.col("name").str.split(" ")), "wrong_column"),
    ],
)
def test_persons_that_cannot_be_indexed(people: pl.DataFrame, code: str) -> None:
    with pytest.raises(nser.SchemaError) as error:
        nser.PersonIndex(people, spec(), id="id")
    assert error.value.code == code


@pytest.mark.parametrize(
    "record",
    [
        {"name": 5},
        {"name": b"Aslam"},
        {"born": "1980-01-02"},
        {"born": 5},
        {"cnic": object()},
        {"cnic": 2**80},
        {"nothing": 1},
        {},
    ],
)
def test_records_of_other_types_are_refused_without_their_values(
    index: nser.PersonIndex, record: dict[str, Any]
) -> None:
    with pytest.raises(nser.SchemaError) as error:
        index.search(record)
    assert error.value.code in ("wrong_column", "missing_column")
    assert not any(str(value) in str(error.value) for value in record.values())


def test_frames_of_other_types_are_refused(index: nser.PersonIndex) -> None:
    with pytest.raises(nser.SchemaError):
        index.search(PEOPLE.drop("name"))
    other = PEOPLE.with_columns(born=pl.col("age"))
    for call in (index.search, index.add):
        with pytest.raises(nser.SchemaError) as error:
            call(other.with_columns(id=pl.col("id") + 100))
        assert error.value.column == "born"


def test_columns_of_a_query_frame_take_the_types_of_the_index() -> None:
    people = PEOPLE.with_columns(pl.col("age").cast(pl.Int16), sex=pl.lit("f", pl.Enum(["m", "f"])))
    age = nser.compare.number("age").with_chances(m=[0.8, 0.1, 0.1], u=[0.01, 0.02, 0.97])
    sex = nser.compare.exact("sex").with_chances(m=[0.9, 0.1], u=[0.5, 0.5])
    plan = spec(compare=[age, sex], block_on=[["age"], [pl.col("sex").cast(pl.String).str.head(1)]])
    index = nser.PersonIndex(people, plan, id="id")
    queries = people.select("age", "sex")
    wanted = index.search(queries, threshold=None)
    for dtype in (pl.Int64, pl.UInt8):
        other = queries.with_columns(pl.col("age").cast(dtype), pl.col("sex").cast(pl.Categorical))
        assert index.search(other, threshold=None).equals(wanted)
    nothing = queries.with_columns(age=None)
    assert index.search(nothing, threshold=None)["level_age"].null_count() == 16
    for age_of in (pl.col("age") + 0.5, pl.col("age").cast(pl.Int64) + 10**6, pl.col("sex")):
        with pytest.raises(nser.SchemaError) as error:
            index.search(queries.with_columns(age=age_of))
        assert (error.value.code, error.value.column) == ("wrong_column", "age")


@pytest.mark.parametrize("options", [{"k": 0}, {"threshold": float("nan")}])
def test_options_that_make_no_sense(index: nser.PersonIndex, options: Any) -> None:
    with pytest.raises(nser.DomainError) as error:
        index.search({"name": "Aslam"}, **options)
    assert error.value.code == "invalid_option"
    with pytest.raises(nser.DomainError):
        nser.PersonIndex(PEOPLE, spec(), id="id", max_block=1)


def test_an_id_is_added_once(index: nser.PersonIndex) -> None:
    new = PEOPLE.with_columns(id=pl.col("id") + 5)
    with pytest.raises(nser.SchemaError) as error:
        index.add(pl.concat([new, PEOPLE.head(1)]))
    assert error.value.code == "duplicate_id" and len(index) == 4
    with pytest.raises(nser.SchemaError):
        index.add(new.with_columns(pl.col("id").cast(pl.String)))
    with pytest.raises(nser.SchemaError):
        index.remove(["30"])
    index.add(new)
    assert len(index) == 8
    assert index.remove([30]) == 1 and len(index) == 7
    index.add(PEOPLE.head(1))  # who was removed may come back
    assert index.search({"cnic": "3520212345671"})[0].id == 30


def test_files_that_are_no_index_of_ours(index: nser.PersonIndex, tmp_path: Path) -> None:
    path = tmp_path / "index"
    index.save(path)
    good = path.read_bytes()
    files = {
        "foreign_file": [b"", b"PAR1", b"x" * 500],
        "index_version": [good[:8] + b"\7" + good[9:]],
        "truncated_index": [good[:40], good[:-1]],
        "corrupt_index": [good + b"\0", good[:60] + b"\1" + good[61:]],
    }
    for code, contents in files.items():
        for content in contents:
            path.write_bytes(content)
            with pytest.raises(nser.ModelError) as error:
                nser.PersonIndex.load(path)
            assert error.value.code == code
    middle = len(good) - 200
    path.write_bytes(good[:middle] + bytes(200))
    with pytest.raises(nser.ModelError):
        nser.PersonIndex.load(path, verify=True)
    with pytest.raises(FileNotFoundError, match="none"):
        nser.PersonIndex.load(tmp_path / "none")
    with pytest.raises(IsADirectoryError):
        nser.PersonIndex.load(tmp_path)
    with pytest.raises(IsADirectoryError):
        index.save(tmp_path)


def test_a_file_has_the_same_bytes_for_every_order_of_the_rows(tmp_path: Path) -> None:
    written = set()
    for people in (PEOPLE, PEOPLE.reverse(), pl.concat([PEOPLE.tail(1), PEOPLE.head(3)])):
        nser.PersonIndex(people, spec(), id="id").save(tmp_path / "index")
        written.add((tmp_path / "index").read_bytes())
    assert len(written) == 1
