"""What must stay true of the table of prefixes."""

from __future__ import annotations

import re
from pathlib import Path

import polars as pl
import pytest

import nser_pmt as nser

TABLE = nser.cnic.prefixes()
NOW = TABLE.filter(pl.col("valid_to").is_null())
EDITED = {"Dera Ismail Khan"}
LATER = {"Hub", "Kot Addu", "Murree", "Talagang", "Taunsa", "Usta Muhammad", "Wazirabad"} | {
    f"South Waziristan {part}" for part in ("Lower", "Upper")
}


@pytest.fixture(scope="module")
def pcodes(shared_data: Path) -> pl.DataFrame:
    path = shared_data / "identity" / "pak_codab_pcodes_adm1_adm2.csv"
    if not path.exists():
        pytest.skip("no list of P-codes in the shared data")
    return pl.read_csv(path)


def test_every_prefix_has_one_present_place() -> None:
    assert NOW["prefix"].is_unique().all()
    assert set(TABLE["prefix"]) == set(NOW["prefix"]) and TABLE["prefix"].is_sorted()
    assert NOW.height == 532
    assert NOW["mark"].value_counts().sort("mark").rows() == [
        ("doubtful", 3),
        ("inferred", 1),
        ("listed", 523),
        ("seen", 5),
    ]


def test_the_fourth_digit_is_0_in_every_prefix() -> None:
    assert (TABLE["prefix"] // 10 % 10 == 0).all()
    assert TABLE["prefix"].is_between(10_000, 99_999).all()


def test_the_first_digit_is_the_province() -> None:
    first = NOW.filter(pl.col("prefix") < 90_000).select(
        "province", first=pl.col("prefix") // 10_000
    )
    assert dict(first.unique().select("first", "province").rows()) == {
        1: "Khyber Pakhtunkhwa",
        2: "Khyber Pakhtunkhwa",
        3: "Punjab",
        4: "Sindh",
        5: "Balochistan",
        6: "Islamabad",
        7: "Gilgit Baltistan",
        8: "Azad Kashmir",
    }
    assert NOW.filter(pl.col("prefix") >= 90_000)["province"].null_count() == 2


def test_periods_of_a_prefix_follow_each_other() -> None:
    for rows in TABLE.partition_by("prefix", maintain_order=True):
        starts, ends = rows["valid_from"].to_list(), rows["valid_to"].to_list()
        assert starts[0] is None or rows.height == 1
        assert ends[:-1] == starts[1:] and ends[-1] is None
        assert ends[:-1] == sorted(ends[:-1])
    dates = TABLE["valid_from"].drop_nulls().unique().to_list()
    assert all(re.fullmatch(r"\d{4}(-\d\d(-\d\d)?)?", date) for date in dates)


def test_fata_joined_khyber_pakhtunkhwa() -> None:
    fata = TABLE.filter(pl.col("province") == "FATA")
    assert fata.height == 48 and (fata["valid_to"] == "2018-05-31").all()
    assert (fata["prefix"] // 10_000 == 2).all()
    after = TABLE.filter(pl.col("prefix").is_in(fata["prefix"].implode()), valid_from="2018-05-31")
    assert after.height == 48 and (after["province"] == "Khyber Pakhtunkhwa").all()


def test_names_are_spelt_one_way() -> None:
    for column in ("province", "division", "district", "tehsil"):
        names = TABLE[column].drop_nulls().unique()
        assert (names == names.str.strip_chars()).all()
        assert not names.str.contains(r'[",;]|  |[A-Z]{2}').filter(names != "FATA").any()
    pairs = NOW.select("district", "division").drop_nulls().unique()
    assert pairs["district"].is_unique().all()


def test_pcodes_are_those_of_the_places(pcodes: pl.DataFrame) -> None:
    name = dict(pcodes.select("P-Code", "Name").rows())
    parent = dict(pcodes.select("P-Code", "Parent P-Code").rows())
    for row in TABLE.iter_rows(named=True):
        adm1, adm2 = row["adm1_pcode"], row["adm2_pcode"]
        assert (adm1 is None) == (row["province"] in (None, "FATA"))
        assert adm1 is None or name[adm1] == row["province"]
        if adm2 is not None:
            assert parent[adm2] == adm1
            assert name[adm2] == row["district"] or row["district"] in EDITED | LATER
    nowhere = NOW.filter(pl.col("adm2_pcode").is_null())["prefix"].to_list()
    assert nowhere == [15000, 90403, 90406]
    # The exceptions are no more than stated.
    renamed = NOW.filter(
        pl.col("adm2_pcode").replace_strict(name, default=None) != pl.col("district")
    )
    assert set(renamed["district"]) == EDITED | LATER


def test_every_prefix_of_the_source_is_there(shared_data: Path) -> None:
    path = shared_data / "identity" / "cnic_prefix5.csv"
    if not path.exists():
        pytest.skip("no source table in the shared data")
    source = pl.read_csv(path)["prefix5"]
    assert len(source) == 526
    listed = NOW.filter(pl.col("mark").is_in(["listed", "doubtful"]))["prefix"].to_list()
    assert sorted(source) == listed


def test_the_core_reads_the_same_table() -> None:
    numbers = NOW.select(number=pl.col("prefix").cast(pl.UInt64) * 10**8 + 12_345_671)
    parsed = numbers.select(nser.cnic.parse("number").alias("p")).unnest("p")
    for column in ("province", "district", "tehsil"):
        assert parsed[column].cast(pl.String).to_list() == NOW[column].to_list()
    assert (parsed["kind"] == "cnic").all()
    issues = parsed.filter(pl.col("issue") != "none")["issue"].to_list()
    assert issues == ["special_prefix"] * 2


def test_the_licence_of_the_source_is_beside_it() -> None:
    folder = Path(nser.__file__).parent / "data" / "cnic"
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "MIT License" in text and "EasingSoft/cnic" in text and "Copyright (c) 2021" in text
