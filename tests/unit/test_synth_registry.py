"""One invented country: forms, members, citizens and truth agree."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from nser_pmt import DomainError, cnic, synth
from nser_pmt.synth import _country, _households, _population
from nser_pmt.synth._members import parameters
from nser_pmt.synth._names import parameters as people_parameters

N = 20_000
FRAMES = ("households", "people", "citizens", "truth", "household_truth")
DAY = date(2024, 7, 1)
GOLDEN = [
    (
        "17301-0236571-7",
        "Muhammad Khaista Qureshi",
        "Shahid Akhtar Qureshi",
        date(1978, 1, 1),
        "head",
        "03368122423",
    ),
    (
        "4200063737044",
        "Arifa Iqbal",
        "Muhammad Khaista Qureshi",
        date(1983, 4, 4),
        "wife",
        "03310813078",
    ),
]


@pytest.fixture(scope="module")
def made() -> synth.Country:
    return synth.registry(N, seed=3)


@pytest.fixture(scope="module")
def clean() -> synth.Country:
    return synth.registry(N, seed=3, duplicates=0, errors=0, missing=0)


def years(born: str = "birth_date") -> pl.Expr:
    """Completed years on the day of the survey, by the calendar."""
    birthday = pl.col(born).dt.month().cast(pl.Int32) * 100 + pl.col(born).dt.day()
    before = birthday > DAY.month * 100 + DAY.day
    return DAY.year - pl.col(born).dt.year() - before.cast(pl.Int32)


def counted(people: pl.DataFrame) -> pl.DataFrame:
    """Count the columns of composition again from the members."""
    age = years()
    pupil = pl.col("school_level") != "none"
    young, child = age.is_between(5, 13), age.is_between(5, 16)
    out = people.group_by("hh_id").agg(
        hhsize=pl.len(),
        n_dep_lt18_gt65=((age < 18) | (age > 65)).sum(),
        n_le13=(age <= 13).sum(),
        n_5_13=young.sum(),
        n_5_16=child.sum(),
        n_5_16_attending=(child & pupil).sum(),
        n_5_13_attending=(young & pupil).sum(),
        n_elementary_workers=pl.col("elementary_worker").sum(),
    )
    some = pl.lit("some")
    asked, at = pl.col("n_5_16"), pl.col("n_5_16_attending")
    small, small_at = pl.col("n_5_13"), pl.col("n_5_13_attending")
    dependants = pl.col("n_dep_lt18_gt65")
    return (
        out.with_columns(pl.exclude("hh_id").cast(pl.Int16))
        .with_columns(
            school_5_13=pl.when(small == 0)
            .then(pl.lit("none_in_range"))
            .when(small == small_at)
            .then(pl.lit("all"))
            .otherwise(pl.lit("not_all")),
            school_5_16=pl.when(asked == 0)
            .then(pl.lit("none_in_range"))
            .when(asked == at)
            .then(pl.lit("all"))
            .when(at == 0)
            .then(pl.lit("none_attending"))
            .otherwise(some),
            dep_cat=pl.when(dependants < 3)
            .then(pl.lit("0-2"))
            .when(dependants < 5)
            .then(pl.lit("3-4"))
            .when(dependants < 7)
            .then(pl.lit("5-6"))
            .otherwise(pl.lit("7+")),
        )
        .with_columns(
            school_cat=pl.col("school_5_16").replace(
                {"none_in_range": "nochild", "none_attending": "none"}
            )
        )
        .sort("hh_id")
    )


COMPOSITION = [
    *("hhsize", "n_dep_lt18_gt65", "n_le13", "n_5_13", "n_5_16", "n_5_16_attending"),
    *("n_5_13_attending", "n_elementary_workers", "school_5_13", "school_5_16", "dep_cat"),
    "school_cat",
]


def asked(households: pl.DataFrame) -> pl.DataFrame:
    enums = [c for c, t in households.schema.items() if isinstance(t, pl.Enum)]
    return households.with_columns(pl.col(enums).cast(pl.String)).select("hh_id", *COMPOSITION)


def with_truth(made: synth.Country) -> pl.DataFrame:
    """Members beside their truth and the citizens' file (``*_true``)."""
    known = made.people.join(made.truth, on="person_id", maintain_order="left")
    return known.join(made.citizens, on="entity", suffix="_true", maintain_order="left")


# ---------------------------------------------------------------- the same country


def test_schema(made: synth.Country) -> None:
    assert dict(made.people.schema) == _country.PEOPLE
    assert dict(made.citizens.schema) == _country.CITIZENS
    assert dict(made.truth.schema) == _country.TRUTH
    assert dict(made.household_truth.schema) == _country.HOUSEHOLD_TRUTH
    like = synth.households(3)
    ours = made.households.drop("district", "tehsil", "hh_id").schema
    assert dict(ours) == dict(like.drop("hh_id", "consumption_pc").schema)
    assert made.households.columns[:5] == ["hh_id", "province", "region", "district", "tehsil"]
    roman = synth.registry(5, script="roman")
    assert not [c for c in roman.people.columns + roman.citizens.columns if "urdu" in c]
    assert made.households["hh_id"].to_list() == list(range(1, made.households.height + 1))
    assert made.people["person_id"].to_list() == list(range(1, made.people.height + 1))
    assert made.people["hh_id"].is_sorted()
    assert made.citizens["entity"].to_list() == list(range(1, made.citizens.height + 1))
    assert made.truth["person_id"].equals(made.people["person_id"])
    assert made.household_truth["hh_id"].equals(made.households["hh_id"])
    assert repr(synth.registry(0)) == "Country(0 forms of 0 households, 0 members, 0 citizens)"


def test_golden_rows() -> None:
    """Rows are a promise across versions of NumPy, Polars and this library."""
    columns = ["cnic", "name", "father_name", "birth_date", "relation", "phone"]
    made = synth.registry(2, seed=1, duplicates=0)
    assert made.people.select(columns).head(2).rows() == GOLDEN


def test_same_seed_same_country_other_seed_other_country() -> None:
    one, two, other = (synth.registry(500, seed=s) for s in (5, 5, 6))
    for name in FRAMES:
        assert_frame_equal(getattr(one, name), getattr(two, name))
    assert not set(one.citizens["cnic"]) & set(other.citizens["cnic"])


def test_a_person_is_the_same_whatever_the_rest() -> None:
    few = synth.registry(300, seed=4).citizens
    more = synth.registry(900, seed=4, errors=0, duplicates=5, missing=0, cnic_form="digits")
    assert_frame_equal(more.citizens.head(few.height), few)


def test_rows_do_not_depend_on_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks are made in any order, on any threads."""
    monkeypatch.setattr(_households, "CHUNK", 1024)  # of the definition: another country
    made = []
    for threads in (1, 3):
        monkeypatch.setattr(pl, "thread_pool_size", lambda t=threads: t)
        made.append(synth.registry(4000, seed=3))
    for name in FRAMES:
        assert_frame_equal(getattr(made[0], name), getattr(made[1], name))
    assert made[0].people["person_id"].to_list() == list(range(1, made[0].people.height + 1))
    assert made[0].people["hh_id"].max() == made[0].households.height
    people = with_truth(made[0])
    assert made[0].citizens["cnic"].is_unique().all()
    true = people.select("hh_id", "school_level", "elementary_worker", birth_date="birth_date_true")
    columns = ["hh_id", "hhsize", "n_dep_lt18_gt65", "n_le13", "n_5_13", "n_5_16"]
    assert_frame_equal(asked(made[0].households).select(columns), counted(true).select(columns))


def test_files_hold_the_same_rows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(_households, "CHUNK", 1024)
    made = synth.registry(3000, seed=2)
    synth.write_registry(tmp_path / "new", 3000, seed=2)
    assert len(list((tmp_path / "new" / "people").iterdir())) == 4
    for name in FRAMES:
        assert_frame_equal(pl.read_parquet(tmp_path / "new" / name), getattr(made, name))
    with pytest.raises(FileExistsError):
        synth.write_registry(tmp_path / "new", 3)
    with pytest.raises(DomainError):
        synth.write_registry(tmp_path / "other", -1)
    assert not (tmp_path / "other").exists()


def test_more_households_than_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_population, "MOST_PERSONS", 1000)
    assert synth.registry(100).citizens.height < 1000
    with pytest.raises(DomainError, match="1,000 persons"):
        synth.registry(200)


@pytest.mark.parametrize(
    "wrong",
    [
        {"n": -1},
        {"n": 1.5},
        {"n": True},
        {"seed": -1},
        {"duplicates": -0.5},
        {"errors": float("nan")},
        {"missing": 1000},
        {"script": "urdu"},
        {"cnic_form": "dashes"},
    ],
    ids=str,
)
def test_wrong_arguments(wrong: dict[str, Any]) -> None:
    with pytest.raises(DomainError):
        synth.registry(**{"n": 10, **wrong})


# ---------------------------------------------------------------- agreement


def test_composition_is_that_of_the_members(clean: synth.Country) -> None:
    """Exactly, from forms without errors."""
    assert_frame_equal(asked(clean.households), counted(clean.people).select("hh_id", *COMPOSITION))


def test_composition_is_that_of_the_citizens_on_the_form(made: synth.Country) -> None:
    """With errors too: claimed persons and second forms included, by the true birth dates."""
    true = with_truth(made).select(
        "hh_id",
        "school_level",
        "elementary_worker",
        birth_date="birth_date_true",
    )
    columns = ["hh_id", "hhsize", "n_dep_lt18_gt65", "n_le13", "n_5_13", "n_5_16", "dep_cat"]
    again = counted(true).select(columns)
    assert_frame_equal(asked(made.households).select(columns), again)


def test_households_are_those_of_synth_households(clean: synth.Country) -> None:
    like = synth.households(N, seed=3)
    ours = clean.households.drop("hh_id", "district", "tehsil")
    assert_frame_equal(ours, like.drop("hh_id", "consumption_pc"))
    assert clean.household_truth["consumption_pc"].equals(like["consumption_pc"])


def test_clean_forms_are_the_citizens(clean: synth.Country) -> None:
    assert clean.truth["errors"].list.len().sum() == 0
    assert not clean.truth["further"].any()
    true = with_truth(clean).with_columns(
        father_name_true=pl.coalesce("husband_name", "father_name_true"),
        father_name_urdu_true=pl.coalesce("husband_name_urdu", "father_name_urdu_true"),
        cnic=pl.col("cnic").str.replace_all("-", ""),
    )
    for column in (
        *("cnic", "name", "father_name", "name_urdu", "father_name_urdu", "sex", "birth_date"),
        "marital_state",
    ):
        assert true[column].equals(true[f"{column}_true"]), column


def test_places_agree(made: synth.Country) -> None:
    known = cnic.prefixes().select("province", "district").unique().drop_nulls()
    forms = made.households.select(pl.col("province", "district").cast(pl.String)).unique()
    assert forms.join(known, on=["province", "district"], how="anti").height == 0
    people = made.people.join(made.households, on="hh_id", suffix="_form")
    assert people["district"].equals(people["district_form"])
    assert people["tehsil"].equals(people["tehsil_form"])


def test_numbers_are_unique_and_right(made: synth.Country) -> None:
    card = made.citizens
    assert card["cnic"].n_unique() == card.height
    checked = card.select(parsed=cnic.parse("cnic")).unnest("parsed")
    assert (checked["issue"] == "none").all()
    last = card["cnic"].str.slice(-1).cast(pl.Int8)
    known = card["sex"] != "transgender"
    assert ((last % 2 == 1) == (card["sex"] == "male")).filter(known).all()


def test_families(made: synth.Country) -> None:
    first = with_truth(made).filter(pl.col("entry") == "first")
    heads = first.filter(pl.col("relation") == "head")
    assert heads["hh_id"].n_unique() == heads.height == N
    house = first.join(
        heads.select(
            "hh_id",
            head="name_true",
            head_sex="sex_true",
            line="father_name_true",
            head_at=years("birth_date_true"),
        ),
        on="hh_id",
    ).with_columns(age=years("birth_date_true"))
    assert house["head_at"].min() >= 18  # type: ignore[operator]
    man = pl.col("head_sex") == "male"
    children = house.filter(pl.col("relation").is_in(["son", "daughter"]))
    of_men = children.filter(man)
    assert (of_men["father_name_true"] == of_men["head"]).all()
    wives = house.filter(pl.col("relation") == "wife")
    assert (wives["husband_name"] == wives["head"]).all() and (wives["head_sex"] == "male").all()
    assert wives["hh_id"].is_unique().all() and wives["age"].min() >= 18  # type: ignore[operator]
    brothers = house.filter(pl.col("relation") == "brother", man)
    assert brothers.height > 100 and (brothers["father_name_true"] == brothers["line"]).all()
    mother = wives.select("hh_id", mother="age")
    gap = children.join(mother, on="hh_id").select(pl.col("mother") - pl.col("age")).to_series()
    assert gap.min() >= 14 and gap.quantile(0.99) <= 47  # type: ignore[operator]
    brides = house.filter(pl.col("relation") == "daughter-in-law")
    sons = house.filter(pl.col("relation") == "son").select("hh_id", son="name_true")
    assert brides.height > 500
    wed = brides.join(sons, left_on=["hh_id", "husband_name"], right_on=["hh_id", "son"])
    assert wed["person_id"].n_unique() == brides.height
    names = house.group_by("hh_id", "name_true", "father_name_true", "birth_date_true").len()
    assert (names["len"] > 1).sum() <= 3


def test_couples_fit_the_answers_on_their_schooling(clean: synth.Country) -> None:
    women = clean.people.filter(
        (pl.col("relation") == "wife")
        | ((pl.col("relation") == "head") & (pl.col("marital_state") != "never married"))
    ).filter(pl.col("cnic").str.slice(-1).cast(pl.Int8) % 2 == 0)
    present = clean.households["hh_id"].is_in(women["hh_id"].implode())
    told = clean.households["female_head_spouse_educ"] != "none_present"
    assert (present == told).all()


# ---------------------------------------------------------------- rates


def near(got: float, rate: float, n: int) -> bool:
    return abs(got - rate) <= 4.5 * (rate * (1 - rate) / n) ** 0.5 + 0.02 * rate


def test_second_forms_and_claims_have_their_rates(made: synth.Country) -> None:
    spec = parameters()["forms"]
    truth = made.household_truth
    assert near(truth["further"].sum() / N, spec["again"], N)
    assert truth.group_by("household").len()["len"].max() == 2
    people = with_truth(made)
    again = people.filter(pl.col("entry") == "again")
    forms = truth.filter("further").join(truth.filter(~pl.col("further")), on="household")
    assert again.height == again["entity"].n_unique()
    size = made.households.select("hh_id", "hhsize")
    both = forms.join(size, on="hh_id").join(size, left_on="hh_id_right", right_on="hh_id")
    assert (both["hhsize"] - both["hhsize_right"]).is_between(-3, 0).all()
    claimed = people.filter(pl.col("entry") == "claimed")
    assert 100 < claimed.height < 300
    assert (claimed["relation"] == "relative").all()
    home = claimed.join(truth, on="hh_id")
    assert (home["household"] != home["household_right"]).all()
    assert claimed.select(years("birth_date_true")).to_series().min() >= 18  # type: ignore[operator]


def test_second_forms_may_move_and_hide() -> None:
    made = synth.registry(6000, seed=2, duplicates=25, missing=0)
    forms = made.households.join(made.household_truth, on="hh_id")
    first, second = forms.filter(~pl.col("further")), forms.filter("further")
    assert near(second.height / first.height, 25 * parameters()["forms"]["again"], first.height)
    both = second.join(first, on="household", suffix="_first")
    rates = people_parameters()["rates"]
    moved = both["district"] != both["district_first"]
    assert near(moved.mean(), rates["district_moved"][1], both.height)  # type: ignore[arg-type]
    for name in ("tv", "fridge_freezer", "stove_range_microwave"):
        had = both.filter(f"{name}_first")
        assert near((~had[name]).mean(), parameters()["forms"]["hides"], had.height), name  # type: ignore[arg-type]
        assert not both.filter(~pl.col(f"{name}_first"))[name].any(), name
    same = ("rooms", "toilet", "vehicles", "n_le13", "school_cat")
    assert all(both[name].equals(both[f"{name}_first"]) for name in same)
    place = {c: f"{c}_form" for c in ("district", "tehsil")}
    people = made.people.join(made.households.select("hh_id", *place).rename(place), on="hh_id")
    assert (people["tehsil"] == people["tehsil_form"]).all()


def test_citizens_without_a_form(made: synth.Country) -> None:
    seen = made.truth["entity"].n_unique()
    never = made.citizens.height - seen
    assert near(never / seen, parameters()["forms"]["unregistered"], N)
    assert 0.001 < (~made.citizens["alive"]).mean() < 0.03


def test_answers_are_missing_at_their_rates(made: synth.Country) -> None:
    spec = parameters()["missing"]
    n = made.households.height
    for item in ("rooms", "water", "toilet", "tv", "vehicles", "land_owned_acres"):
        assert near(made.households[item].null_count() / n, spec["household"], n), item
    for one, other in (
        ("rooms", "rooms_cat"),
        ("toilet", "toilet_cat"),
        ("vehicles", "motor_vehicle"),
        ("land_owned_acres", "land_cat"),
        ("livestock", "livestock_cat"),
        ("head_education", "headedu_cat"),
    ):
        both = made.households[one].is_null() == made.households[other].is_null()
        assert both.all(), one
    assert made.households.select(COMPOSITION).null_count().sum_horizontal().item() == 0
    people = made.people
    for item in ("disabled", "pregnant", "lactating", "elementary_worker"):
        assert near(people[item].null_count() / people.height, spec["member"], people.height), item
    few = synth.registry(2000, seed=3, missing=0)
    assert few.households.null_count().sum_horizontal().item() == 0
    assert few.people["disabled"].null_count() == 0


def test_files_know_nobody_whose_number_is_wrong(made: synth.Country) -> None:
    adults = with_truth(made).filter(years("birth_date_true") >= 18)
    wrong = pl.col("errors").list.eval(pl.element().str.starts_with("cnic_")).list.any()
    none = adults.filter(wrong)
    assert none.height > 1000 and none["civil_servant"].null_count() == none.height
    right = adults.filter(~wrong)
    assert near(
        right["civil_servant"].null_count() / right.height,
        parameters()["missing"]["filter"],
        right.height,
    )


def test_only_adults_have_wrong_numbers(made: synth.Country) -> None:
    people = with_truth(made).with_columns(digits=pl.col("cnic").str.replace_all("-", ""))
    child = people.filter(years("birth_date_true") < 18)
    assert (child["digits"] == child["cnic_true"]).drop_nulls().all()
    assert 0.1 < child["cnic"].null_count() / child.height < 0.25
    adult = people.filter(years("birth_date_true") >= 18)
    wrong = (adult["digits"] != adult["cnic_true"]).drop_nulls().mean()
    assert 0.02 < wrong < 0.08  # type: ignore[operator]


def test_members_have_answers_that_fit_them(clean: synth.Country) -> None:
    people = clean.people.with_columns(age=years())
    woman = (pl.col("sex") == "female") & pl.col("age").is_between(16, 65)
    assert people.filter(pl.col("pregnant") | pl.col("lactating")).select(woman.all()).item()
    nursing = people.filter("lactating")
    infants = people.filter(pl.col("age") < 2).select("hh_id").unique()
    assert nursing.height > 500 and nursing.join(infants, on="hh_id", how="anti").height == 0
    pupil = people.filter(pl.col("school_level") != "none")
    assert pupil["age"].is_between(5, 20).all()
    assert pupil["attendance"].null_count() == pupil["admitted_on"].null_count() == 0
    assert people.filter(pl.col("school_level") == "none")["attendance"].null_count() == (
        people.height - pupil.height
    )
    assert pupil["attendance"].is_between(0.3, 1).all()
    low = (pupil["attendance"] < 0.7).mean()
    assert near(low, parameters()["member"]["low_attendance"], pupil.height)  # type: ignore[arg-type]
    assert pupil["admitted_on"].max() <= DAY  # type: ignore[operator]
    for level, (least, most) in {
        "primary": (5, 12),
        "secondary": (11, 17),
        "higher_secondary": (16, 20),
    }.items():
        ages = pupil.filter(pl.col("school_level") == level)["age"]
        assert ages.is_between(least, most).all() and ages.len() > 300, level
    young = people.filter(pl.col("age") < 18)
    for flag in ("civil_servant", "foreign_travel", "vehicle_registered", "executive_passport"):
        assert not young[flag].any(), flag
        assert people[flag].sum() > 100, flag
    assert young["ptcl_bill_mean"].sum() == young["mobile_bill_mean"].sum() == 0
    assert people["executive_cnics"].max() >= 3  # type: ignore[operator]
    assert (
        people.group_by("hh_id").agg(pl.col("executive_cnics").n_unique())["executive_cnics"].max()
        == 1
    )
    third = (people["sex"] == "transgender").sum()
    assert 1 <= third < 60


def test_the_rich_meet_the_filters(clean: synth.Country) -> None:
    people = clean.people.join(clean.household_truth, on="hh_id")
    top = pl.col("consumption_pc") > people["consumption_pc"].median()
    for flag in (
        *(pl.col(c) for c in ("civil_servant", "foreign_travel", "executive_passport")),
        pl.col("vehicle_registered"),
        pl.col("ptcl_bill_mean") > 1000,
        pl.col("mobile_bill_mean") > 1000,
        pl.col("executive_cnics") >= 3,
    ):
        rich, poor = (people.filter(x).select(flag.mean()).item() for x in (top, ~top))
        assert rich > 1.3 * poor > 0, flag


# ---------------------------------------------------------------- laws


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 60), st.integers(0, 2**40), st.floats(0, 3), st.floats(0, 30))
def test_any_country_agrees(n: int, seed: int, errors: float, duplicates: float) -> None:
    made = synth.registry(n, seed, errors=errors, duplicates=duplicates, missing=0)
    assert made.household_truth["household"].n_unique() == n
    assert made.citizens["cnic"].n_unique() == made.citizens.height
    if n == 0:
        return
    true = with_truth(made).select(
        "hh_id", "school_level", "elementary_worker", birth_date="birth_date_true"
    )
    columns = ["hh_id", *COMPOSITION]
    again = counted(true).select(columns)
    assert_frame_equal(asked(made.households).select(columns), again.select(columns))


def test_the_day_a_band_ends() -> None:
    """Ages keep their band on the day of the survey, whatever the day of birth."""
    assert _households.CHUNK == 65_536
    made = synth.registry(3000, seed=8, duplicates=0, errors=0, missing=0)
    ages = made.people.select(age=years(), born=pl.col("birth_date"))
    eve = ages.filter(pl.col("born").dt.month() == 7, pl.col("born").dt.day() == 1)
    assert eve.height > 10
    assert (eve["age"] == DAY.year - eve["born"].dt.year()).all()
