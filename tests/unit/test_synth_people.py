"""Synthetic persons: the same rows always, a truth that holds, the rates that were asked for."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from nser_pmt import DomainError, cnic, synth
from nser_pmt.synth import _errors, _people
from nser_pmt.synth._names import parameters, pool
from nser_pmt.synth._random import STEPS, Draws, shares_table
from nser_pmt.synth._spelling import VARIANTS, number_slip, roman_variants, slip, urdu_variants

N = 40_000
RECORDS = [
    *("id", "household_id", "cnic", "name", "father_name", "sex", "birth_date", "relation"),
    *("marital_state", "district", "tehsil", "phone"),
]
CITIZENS = [
    *("entity", "cnic", "name", "father_name", "husband_name", "sex", "birth_date", "district"),
    *("alive", "card_expiry"),
]
GOLDEN = [
    ("4240102365717", "Muhammad Misri Bhutto", "Irfan Akhtar Bhutto", date(1980, 1, 1)),
    ("4200063737044", "Gulshan Yasmeen", "Muhammad Misri Bhutto", date(1981, 12, 9)),
    ("4240167077984", "Rabail Nasira", "Muhammad Misri Bhutto", date(2006, 9, 15)),
]


@pytest.fixture(scope="module")
def made() -> synth.People:
    return synth.people(N, seed=11, script="both")


@pytest.fixture(scope="module")
def joined(made: synth.People) -> pl.DataFrame:
    """Records beside their truth (``*_true``)."""
    true = made.citizens.with_columns(
        shown=pl.coalesce("husband_name", "father_name"),
        shown_urdu=pl.coalesce("husband_name_urdu", "father_name_urdu"),
    )
    return made.records.join(made.truth, on="id", maintain_order="left").join(
        true, on="entity", suffix="_true", maintain_order="left"
    )


# ---------------------------------------------------------------- the same rows


def test_schema(made: synth.People) -> None:
    plain = synth.people(10)
    assert plain.records.columns == RECORDS
    assert plain.citizens.columns == CITIZENS
    assert made.records.columns == [*_people._RECORDS]
    for frame, schema in (
        (made.records, _people._RECORDS),
        (made.truth, _people._TRUTH),
        (made.citizens, _people._CITIZENS),
    ):
        assert dict(frame.schema) == schema
    for name, wants in (("name", False), ("phone", True), ("cnic", True), ("sex", False)):
        assert (made.records[name].null_count() > 0) == wants


def test_shape(made: synth.People) -> None:
    assert made.records["id"].to_list() == list(range(1, N + 1))
    assert made.truth["id"].to_list() == list(range(1, N + 1))
    assert made.truth["further"].sum() == N // 10
    assert made.citizens["entity"].to_list() == list(range(1, N - N // 10 + 1))
    firsts = made.truth.filter(~pl.col("further"))["entity"]
    assert firsts.sort().to_list() == made.citizens["entity"].to_list()
    assert repr(made) == "People(40,000 records of 36,000 persons, 36,000 citizens)"


def test_golden_rows() -> None:
    """Rows are a promise across versions of NumPy, Polars and this library."""
    columns = ["cnic", "name", "father_name", "birth_date"]
    assert synth.people(3, seed=1).records.select(columns).rows() == GOLDEN


def test_same_seed_same_rows_other_seed_other_rows() -> None:
    one, two, other = (synth.people(2000, seed=s) for s in (5, 5, 6))
    for name in ("records", "truth", "citizens"):
        assert_frame_equal(getattr(one, name), getattr(two, name))
    assert not set(one.citizens["cnic"]) & set(other.citizens["cnic"])


def test_rows_do_not_depend_on_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    one = synth.people(3000, seed=5, script="both", citizens=3500)
    monkeypatch.setattr(_people, "_CHUNK", 701)
    two = synth.people(3000, seed=5, script="both", citizens=3500)
    for name in ("records", "truth", "citizens"):
        assert_frame_equal(getattr(one, name), getattr(two, name))


def test_rows_do_not_depend_on_threads() -> None:
    code = (
        "import hashlib\n"
        "from nser_pmt import synth\n"
        "m = synth.people(20_000, seed=3)\n"
        "text = m.records.write_csv() + m.citizens.write_csv()\n"
        "print(hashlib.sha256(text.encode()).hexdigest())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"POLARS_MAX_THREADS": threads},
        ).stdout
        for threads in ("1", "3")
    }
    assert len(said) == 1


def test_a_person_is_the_same_whatever_the_rest() -> None:
    few = synth.people(1000, seed=4).citizens
    assert_frame_equal(synth.people(5000, seed=4, duplicates=0.3).citizens.head(900), few)
    assert_frame_equal(synth.people(1000, seed=4, errors=0, citizens=2000).citizens.head(900), few)


def test_no_rows() -> None:
    for n in (0, 1):
        made = synth.people(n)
        assert made.records.height == n
        assert made.records.columns == RECORDS
        assert dict(made.truth.schema) == _people._TRUTH


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": -1},
        {"n": 1.5},
        {"n": True},
        {"seed": -1},
        {"duplicates": 0.95},
        {"duplicates": float("nan")},
        {"errors": -0.1},
        {"script": "urdu"},
        {"cnic_form": "dashes"},
        {"citizens": 5},
        {"citizens": 50_000_000},
        {"rates": {"name_spelled": (0.1, 0.1)}},
        {"rates": {"name_slip": (0.1, 1.1)}},
        {"rates": {"name_slip": (0.1,)}},
    ],
    ids=str,
)
def test_wrong_arguments(wrong: dict[str, Any]) -> None:
    with pytest.raises(DomainError):
        synth.people(**{"n": 10, **wrong})


# ---------------------------------------------------------------- the truth holds


def kind(prefix: str) -> pl.Expr:
    """Whether a record has an error of a field, by the start of its name."""
    starts = pl.element().str.starts_with(prefix)
    return pl.col("errors").list.eval(starts).list.any()


def test_clean_records_are_the_citizens() -> None:
    made = synth.people(5000, seed=2, errors=0, script="both")
    assert made.truth["errors"].list.len().sum() == 0
    true = made.citizens.with_columns(
        father_name=pl.coalesce("husband_name", "father_name"),
        father_name_urdu=pl.coalesce("husband_name_urdu", "father_name_urdu"),
    )
    columns = [
        *("cnic", "name", "father_name", "name_urdu", "father_name_urdu", "sex", "birth_date")
    ]
    shown = made.truth.join(true, on="entity", maintain_order="left").select(columns)
    assert_frame_equal(made.records.select(columns), shown)


@pytest.mark.parametrize(
    ("field", "column", "true"),
    [
        ("cnic_", "cnic", "cnic_true"),
        ("name_", "name", "name_true"),
        ("birth_", "birth_date", "birth_date_true"),
        ("sex_", "sex", "sex_true"),
    ],
)
def test_a_field_differs_if_and_only_if_it_has_an_error(
    joined: pl.DataFrame, field: str, column: str, true: str
) -> None:
    differs = ~pl.col(column).eq_missing(pl.col(true))
    wrong = joined.filter(differs != kind(field))
    # two slips can undo each other: not often
    assert wrong.filter(differs).height == 0
    assert wrong.height <= 0.0005 * joined.height


def test_fathers_differ_if_they_have_an_error(joined: pl.DataFrame) -> None:
    """Case and spaces are of both names, so they count here too."""
    differs = ~pl.col("father_name").eq_missing(pl.col("shown"))
    layout = kind("name_case") | kind("name_spaces")
    assert joined.filter(differs & ~kind("father_") & ~layout).height == 0
    assert joined.filter(~differs & kind("father_")).height <= 0.0005 * joined.height


def test_each_kind_alone_is_what_its_name_says() -> None:
    rates = parameters()["rates"]

    def only(name: str) -> pl.DataFrame:
        made = synth.people(
            1500,
            seed=9,
            rates={k: (1.0, 1.0) if k == name else (0.0, 0.0) for k in rates},
        )
        frame = made.records.join(made.truth, on="id", maintain_order="left")
        return frame.join(made.citizens, on="entity", suffix="_true", maintain_order="left")

    for name in rates:
        kinds = set(only(name)["errors"].explode().drop_nulls())
        if name == "cnic_entry":
            assert "cnic_substitution" in kinds
        assert all(k.split("_")[0] == name.split("_")[0] for k in kinds) and kinds, name

    dropped = only("name_dropped")
    was, now = (pl.col(c).str.split(" ").list.len() for c in ("name_true", "name"))
    assert dropped.filter(pl.col("errors").list.len() > 0, was <= now).height == 0
    swapped = only("name_swapped").filter(pl.col("errors").list.len() > 0)
    letters = [sorted(a) == sorted(b) for a, b in swapped.select("name", "name_true").rows()]
    assert all(letters)
    first = only("birth_first_january")
    assert (first["birth_date"].dt.ordinal_day() == 1).all()
    assert (first["birth_date"].dt.year() == first["birth_date_true"].dt.year()).all()
    aged = only("birth_round_age").filter(pl.col("errors").list.len() > 0)
    assert ((2024 - aged["birth_date"].dt.year()) % 5 == 0).all()
    swap = only("birth_swap").filter(pl.col("errors").list.len() > 0)
    assert (swap["birth_date"].dt.day() == swap["birth_date_true"].dt.month()).all()
    moved = only("district_moved")
    assert (moved["errors"].list.len() > 0).mean() > 0.9


def test_parents_numbers_are_in_the_household() -> None:
    kinds = parameters()["rates"]
    rates = {k: (0.5, 0.5) if k == "cnic_parent" else (0.0, 0.0) for k in kinds}
    made = synth.people(5000, seed=1, duplicates=0, rates=rates)
    frame = made.records.join(made.truth, on="id").filter(pl.col("errors").list.len() > 0)
    assert frame.height > 500
    heads = made.records.filter(pl.col("relation") == "head").select("household_id", head="cnic")
    with_head = frame.join(heads, on="household_id")
    assert with_head.height == frame.height
    assert (with_head["cnic"] == with_head["head"]).all()
    assert with_head["birth_date"].min() > date(2006, 6, 30)  # type: ignore[operator]


# ---------------------------------------------------------------- rates


def test_rates_within_tolerance() -> None:
    """Kinds that can be in every record have their rates; all scale."""
    rates = parameters()["rates"]
    for scale in (1.0, 2.0):
        made = synth.people(40_000, seed=21, duplicates=0.5, errors=scale)
        has = made.truth.explode("errors").group_by("further", "errors").len()
        found = {(f, e): k for f, e, k in has.rows()}
        for name in (
            *("name_spelling", "name_slip", "father_missing", "sex_wrong", "birth_missing"),
            *("father_slip", "phone_missing", "name_spaces", "name_case"),
        ):
            for further in (False, True):
                p = min(rates[name][further] * scale, 1)
                got = found[further, name] / 20_000
                slack = 5 * (p * (1 - p) / 20_000) ** 0.5 + 0.04 * p
                assert abs(got - p) <= slack, (name, further, got, p)


def test_classes_of_slips_have_their_shares() -> None:
    made = synth.people(
        30_000, seed=2, rates={"cnic_entry": (1.0, 1.0), "cnic_missing_child": (0.0, 0.0)}
    )
    kinds = made.truth["errors"].explode().value_counts()
    count = dict(kinds.rows())
    entry = parameters()["entry"]
    classes = [c for c in entry if c != "keypad"]
    total = sum(count.get(f"cnic_{c}", 0) for c in classes)
    for c in classes:
        share = entry[c] / sum(entry[k] for k in classes)
        got = count[f"cnic_{c}"] / total
        assert abs(got - share) < 5 * (share * (1 - share) / total) ** 0.5 + 1e-4
    length = made.records["cnic"].str.len_chars().value_counts()
    assert set(length["cnic"].drop_nulls()) == {12, 13, 14}


def test_duplicates_are_spread_and_come_more_than_once(made: synth.People) -> None:
    size = made.truth.group_by("entity").len()["len"]
    assert 0.85 < (size == 2).sum() / (size > 1).sum() < 0.97
    assert size.max() >= 3  # type: ignore[operator]
    both = made.records.join(made.truth, on="id").select("entity", "household_id", "id")
    pairs = both.join(both, on="entity").filter(pl.col("id") < pl.col("id_right"))
    same = (pairs["household_id"] == pairs["household_id_right"]).mean()
    assert 0.03 < same < 0.25  # type: ignore[operator]
    assert (pairs["id_right"] - pairs["id"]).median() > N / 8  # type: ignore[operator]


def test_one_number_is_claimed_by_many(made: synth.People) -> None:
    shared = made.records.join(made.truth, on="id").filter(
        pl.col("errors").list.contains("cnic_shared")
    )
    claims = shared["cnic"].value_counts()["count"]
    assert claims.max() > 10  # type: ignore[operator]
    assert set(shared["cnic"]) <= set(made.citizens["cnic"])


# ---------------------------------------------------------------- persons


def test_numbers_are_unique_and_right() -> None:
    frame = synth.people(60_000, seed=3, duplicates=0).citizens
    assert frame["cnic"].n_unique() == frame.height
    parsed = cnic.parse("cnic", sex=pl.col("sex").cast(pl.String))
    checked = frame.select("district", parsed=parsed).with_columns(
        pl.col("parsed").struct.field(x).alias(f"parsed_{x}") for x in ("kind", "issue", "district")
    )
    assert (checked["parsed_kind"] == "cnic").all()
    assert (checked["parsed_issue"] == "none").all()
    assert (checked["parsed_district"] == checked["district"]).all()
    assert (frame["cnic"].str.slice(3, 1) == "0").all()
    last = frame["cnic"].str.slice(-1).cast(pl.Int8)
    assert ((last % 2 == 1) == (frame["sex"] == "male")).all()


def test_numbers_are_unique_past_the_first_slots() -> None:
    """The second ten millions share serials with the first, never a number."""
    from nser_pmt.synth import _population

    draws = Draws(1)
    n = 2000
    population = _population.Population(draws, 3 * n)
    small = pytest.MonkeyPatch()
    small.setattr(_population, "_SLOTS", n)
    try:
        who = population.make(np.arange(2 * n))
        who.__dict__["registered"] = np.zeros(2 * n, np.int64)
        assert len(np.unique(who.cnic)) == 2 * n
    finally:
        small.undo()


def test_families(made: synth.People) -> None:
    frame = made.records.join(made.truth, on="id").filter(~pl.col("further"))
    frame = frame.drop("name", "birth_date").join(made.citizens, on="entity", suffix="_true")
    heads = frame.filter(pl.col("relation") == "head", pl.col("sex_true") == "male")
    heads = heads.select("household_id", head="name", born="birth_date")
    house = frame.join(heads, on="household_id")
    children = house.filter(pl.col("relation").is_in(["son", "daughter"]))
    assert (children["father_name_true"] == children["head"]).all()
    age_gap = (children["birth_date"] - children["born"]).dt.total_days() / 365.25
    assert age_gap.min() > 13  # type: ignore[operator]
    wives = house.filter(pl.col("relation") == "wife")
    assert (wives["husband_name"] == wives["head"]).all()
    brothers = house.filter(pl.col("relation") == "brother")
    heads_father = frame.filter(pl.col("relation") == "head").select(
        "household_id", line="father_name_true"
    )
    same = brothers.join(heads_father, on="household_id")
    assert (same["father_name_true"] == same["line"]).all()
    assert brothers.height > 100
    cards = made.citizens
    assert cards.filter(pl.col("birth_date") > date(2006, 7, 2))["card_expiry"].is_null().all()
    assert (cards["birth_date"] <= date(2024, 7, 1)).all()
    assert 0.001 < (~cards["alive"]).mean() < 0.03


def test_hard_negatives_are_there(made: synth.People) -> None:
    """Twins, near names among siblings, namesakes: other persons, nearly the same record."""
    cards = made.citizens
    born = cards.filter(pl.col("birth_date").dt.ordinal_day() > 1)
    twins = born.join(born, on=["father_name", "birth_date"]).filter(
        pl.col("entity_right") - pl.col("entity") == 1
    )
    assert 100 < twins.height < 600
    assert (twins["name"] != twins["name_right"]).all()
    like = pool().roman.index("Rashid")
    assert pool().roman[pool().like[like]] == "Rasheed"
    heads = made.records.join(made.truth, on="id").filter(
        ~pl.col("further"), pl.col("relation") == "head", pl.col("sex") == "male"
    )
    heads = heads.select("entity").join(cards, on="entity").select("entity", "name", "father_name")
    near = heads.sort("entity").with_columns(pl.all().shift().name.suffix("_before"))
    brothers = near.filter(pl.col("father_name") == pl.col("father_name_before"))
    assert 0.05 < brothers.height / heads.height < 0.12
    assert 0 < (brothers["name"] == brothers["name_before"]).mean() < 0.15  # type: ignore[operator]
    namesakes = cards.filter(pl.struct("name", "father_name", "district").is_duplicated())
    assert namesakes.height > 20
    siblings = cards.group_by("name", "father_name", "birth_date").len()
    assert (siblings["len"] > 1).sum() <= 3


def test_names_are_as_many_as_a_registry_has() -> None:
    spec = parameters()["tokens"]
    count = {k: len([e for e in v.split(",") if e.strip()]) for k, v in spec.items()}
    assert count["men"] >= 400 and count["women"] >= 300
    assert count["families"] + count["honorifics"] >= 100
    made = synth.people(100_000, seed=1)
    distinct = made.records["name"].n_unique()
    assert 40_000 < distinct < 60_000
    men = made.citizens.filter(pl.col("sex") == "male")["name"]
    tokens = men.str.split(" ").list.len()
    assert 0.05 < (tokens == 1).mean() < 0.11  # type: ignore[operator]
    assert 0.58 < (tokens == 2).mean() < 0.70  # type: ignore[operator]
    assert 0.18 < (tokens == 3).mean() < 0.30  # type: ignore[operator]


# ---------------------------------------------------------------- forms


def test_printed_numbers() -> None:
    plain, printed, mixed = (
        synth.people(2000, seed=1, cnic_form=form).records["cnic"]  # type: ignore[arg-type]
        for form in ("digits", "printed", "mixed")
    )
    whole = printed.drop_nulls().filter(printed.drop_nulls().str.len_chars() == 15)
    assert whole.str.contains(r"^\d{5}-\d{7}-\d$").all()
    assert (printed.str.replace_all("-", "") == plain).all()
    assert (mixed.str.replace_all("-", "") == plain).all()
    assert 0.4 < mixed.drop_nulls().str.contains("-").mean() < 0.6  # type: ignore[operator]


def test_places_are_those_of_the_prefix_table(made: synth.People) -> None:
    known = set(cnic.prefixes()["district"].drop_nulls())
    assert set(made.records["district"]) <= known
    listed = [d for p in parameters()["place"]["districts"].values() for d in p]
    assert set(listed) <= known and len(listed) > 140


# ---------------------------------------------------------------- rules of spelling


def test_variants_differ_from_the_token() -> None:
    for token in pool().roman:
        forms = roman_variants(token)
        assert len(forms) == VARIANTS
        assert forms[0] == token and token not in forms[2:], token
        assert all(f and f == f.strip() for f in forms)
    assert all(len(urdu_variants(u)) == VARIANTS for u in pool().urdu)
    assert {"Rasheed", "Shafeeq", "Shafique"} <= {
        *roman_variants("Rashid"),
        *roman_variants("Shafiq"),
    }
    assert "عبد الرحمن" in urdu_variants("عبدالرحمن")


def test_the_generator_knows_nothing_of_the_linker() -> None:
    """No module of the generator reads the tables or functions that compare names."""
    folder = Path(str(resources.files("nser_pmt"))) / "synth"
    allowed = {"nser_pmt", "nser_pmt._options", "nser_pmt.synth"}
    for path in folder.glob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("nser_pmt"):
                module = node.module or ""
                assert module in allowed or module.startswith("nser_pmt.synth."), path.name
                if module == "nser_pmt":
                    assert [a.name for a in node.names] == ["cnic"], path.name
            if isinstance(node, ast.Constant) and node.value in ("names", "_native"):
                raise AssertionError(f"{path.name} names {node.value}")


DIGITS = st.text("0123456789", min_size=13, max_size=13)
WORDS = st.integers(0, 2**56 - 1)


@given(DIGITS, st.sampled_from(_errors._CLASSES), st.booleans(), WORDS)
def test_number_slips(digits: str, kind: str, keypad: bool, word: int) -> None:
    new = number_slip(digits, kind, keypad, word)
    assert len(new) == {"omission": 12, "insertion": 14}.get(kind, 13)
    assert new != digits and new.isdigit()
    if kind in ("omission", "insertion"):
        return
    wrong = [i for i in range(13) if new[i] != digits[i]]
    if kind == "substitution":
        assert len(wrong) == 1
    elif kind == "several":
        assert len(wrong) in (2, 3)
    elif len(wrong) == 2:
        gap = 1 if kind in ("transposition", "twin") else 2
        assert wrong[1] - wrong[0] == gap
        if kind in ("transposition", "jump"):
            assert sorted(new) == sorted(digits)
        else:
            assert new[wrong[0]] == new[wrong[1]]


@given(st.text("abcdefgh ", min_size=2, max_size=12), WORDS)
def test_letter_slips_change_little(text: str, word: int) -> None:
    new = slip(text, word)
    assert abs(len(new) - len(text)) <= 1
    assert new[:1] == text[:1]


@given(st.integers(1, 3000), st.integers(0, 2**70))
def test_permutations_are_permutations(size: int, seed: int) -> None:
    moved = Draws(seed).permute("test", np.arange(size), size)
    assert np.array_equal(np.sort(moved), np.arange(size))


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30).filter(lambda x: sum(x) > 0.01))
def test_tables_hold_their_shares(shares: list[float]) -> None:
    table = shares_table(shares)
    assert len(table) == STEPS
    got = np.bincount(table, minlength=len(shares)) / STEPS
    assert np.allclose(got, np.array(shares) / sum(shares), atol=1.1 / STEPS)


def test_draws_are_uniform_and_apart() -> None:
    draws = Draws(0)
    u = draws.uniform("one", np.arange(100_000))
    v = draws.uniform("two", np.arange(100_000))
    assert abs(u.mean() - 0.5) < 0.005 and abs(u.var() - 1 / 12) < 0.002
    assert abs(np.corrcoef(u, v)[0, 1]) < 0.015
    assert abs(np.corrcoef(u[1:], u[:-1])[0, 1]) < 0.015
