"""`decide`, `roll_up`, `recipients`, `explain_decision`: frames, bad input, what shows."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt.errors import DomainError, ModelError, SchemaError
from nser_pmt.programmes import Quota, RankKey

DAY = date(2024, 6, 1)
EXAMPLE = Path(__file__).parents[1] / "vectors" / "programme_example.toml"
HOUSEHOLDS = pl.DataFrame({"hh_id": [3, 1, 2], "pmt_score": [36.0, 20.0, None]})
MEMBERS = pl.DataFrame(
    {
        "hh_id": [1, 2, 3, 3, None],
        "person_id": [10, 20, 30, 31, 40],
        "sex": ["female", "female", "female", "male", "female"],
        "marital_state": ["married", "widowed", "married", "married", "married"],
        "disabled": [False, None, False, True, True],
        "cnic_verified": [True, True, True, None, True],
        "cnic": ["11111-1111111-1"] * 5,
    }
)


def decided(**more: Any) -> pl.DataFrame:
    return nser.decide(HOUSEHOLDS, "kafaalat", on=DAY, members=MEMBERS, **more)


def test_rows_keep_their_order_and_columns() -> None:
    result = decided()
    assert result.columns == [*HOUSEHOLDS.columns, "eligible", "decision", "reasons", "amount"]
    assert result.select(HOUSEHOLDS.columns).equals(HOUSEHOLDS)
    assert result["decision"].to_list() == ["eligible", "eligible", "needs_data"]
    assert result.schema["decision"] == pl.Enum(
        ["eligible", "not_eligible", "needs_data", "over_quota"]
    )
    assert result.schema["amount"] == pl.Int64 and result.schema["eligible"] == pl.Boolean


def test_lazy_and_streaming_and_precomputed_facts_agree(tmp_path: Path) -> None:
    want = decided()
    lazy = nser.decide(HOUSEHOLDS.lazy(), "kafaalat", on=DAY, members=MEMBERS.lazy())
    assert lazy.collect().equals(want)
    assert lazy.collect(engine="streaming").equals(want)
    lazy.sink_parquet(tmp_path / "d.parquet")
    assert pl.read_parquet(tmp_path / "d.parquet").equals(want)
    assert lazy.collect_schema() == want.schema
    facts = nser.roll_up(MEMBERS, "kafaalat", on=DAY)
    joined = HOUSEHOLDS.join(facts, on="hh_id", how="left", maintain_order="left")
    again = nser.decide(joined, "kafaalat", on=DAY)
    assert again.select(want.columns).equals(want)


def test_suffix_keeps_two_decisions_apart() -> None:
    both = nser.decide(
        decided(suffix="_a"),
        nser.load_programme("kafaalat").with_rules(off=["cnic_verified"]),
        on=DAY,
        members=MEMBERS,
        suffix="_b",
    )
    assert {"decision_a", "decision_b"} <= set(both.columns)
    with pytest.raises(SchemaError, match="'eligible_a' is already there"):
        nser.decide(both, "kafaalat", on=DAY, members=MEMBERS, suffix="_a")


def test_types_of_every_kind_are_read() -> None:
    sexes = pl.Enum(["female", "male"])  # an Enum without transgender is no error
    for dtype in (pl.String, sexes, pl.Categorical):
        members = MEMBERS.with_columns(pl.col("sex").cast(dtype))
        result = nser.decide(HOUSEHOLDS, "kafaalat", on=DAY, members=members)
        assert result.equals(decided())
    narrow = HOUSEHOLDS.with_columns(
        pl.col("pmt_score").cast(pl.Int8), pl.col("hh_id").cast(pl.UInt32)
    )
    result = nser.decide(narrow, "kafaalat", on=DAY, members=MEMBERS)
    assert result["decision"].to_list() == ["eligible", "eligible", "needs_data"]


def test_an_enum_with_strange_values_is_unknown() -> None:
    strange = pl.Enum(["female", "male", "F"])
    members = MEMBERS.with_columns(sex=pl.lit("F").cast(strange))
    result = nser.decide(HOUSEHOLDS.head(1), "kafaalat", on=DAY, members=members)
    assert result["decision"].to_list() == ["needs_data"]


@pytest.mark.parametrize("score", [None, float("nan"), float("inf"), float("-inf")])
def test_a_score_that_is_no_number_is_unknown(score: float | None) -> None:
    frame = HOUSEHOLDS.with_columns(pmt_score=pl.lit(score, dtype=pl.Float64))
    result = nser.decide(frame, "kafaalat", on=DAY, members=MEMBERS)
    assert result["reasons"][1].to_list()[0] == "score:pmt_score"
    assert result["eligible"].to_list() == [None] * 3


def test_null_everywhere_needs_data() -> None:
    for name in nser.list_programmes()["id"]:
        programme = nser.load_programme(name)
        on = date(2025, 7, 1)
        empty = pl.DataFrame({c: [None, None] for c in programme.columns(on)})
        result = nser.decide(empty, programme, on=on)
        assert result["decision"].to_list() == ["needs_data"] * 2
        unknown = nser.decide(pl.DataFrame({"x": [1, 2]}), programme, on=on, on_missing="unknown")
        assert unknown["reasons"].to_list() == result["reasons"].to_list()


def test_no_rows() -> None:
    assert nser.decide(HOUSEHOLDS.clear(), "kafaalat", on=DAY, members=MEMBERS).height == 0
    assert (
        nser.decide(HOUSEHOLDS, "kafaalat", on=DAY, members=MEMBERS.clear())["decision"].to_list()
        == ["needs_data"] * 3
    )


# -- bad input -------------------------------------------------------------------------------------


def test_a_rule_on_a_missing_column() -> None:
    with pytest.raises(SchemaError, match="'pmt_score' is missing; rule 'score'") as caught:
        nser.decide(HOUSEHOLDS.drop("pmt_score"), "kafaalat", on=DAY, members=MEMBERS)
    assert (caught.value.code, caught.value.column) == ("missing_column", "pmt_score")
    with pytest.raises(SchemaError, match="'disabled' is missing; rule 'disabled_member'"):
        nser.decide(HOUSEHOLDS, "kafaalat", on=DAY, members=MEMBERS.drop("disabled"))
    with pytest.raises(SchemaError, match="'flood_area' is missing; rule 'girl_3000'"):
        columns = [c for c in nser.load_programme("nashonuma").columns(DAY) if c != "flood_area"]
        nser.decide(pl.DataFrame({c: [None] for c in columns}), "nashonuma", on=DAY)


def test_a_mistyped_column() -> None:
    text = HOUSEHOLDS.with_columns(pl.col("pmt_score").cast(pl.String))
    with pytest.raises(SchemaError, match="'pmt_score': rule 'score' expects numbers") as caught:
        nser.decide(text, "kafaalat", on=DAY, members=MEMBERS)
    assert caught.value.code == "wrong_column"
    with pytest.raises(SchemaError, match="expects Boolean"):
        nser.decide(
            HOUSEHOLDS, "kafaalat", on=DAY, members=MEMBERS.with_columns(disabled=pl.lit(1))
        )


def test_a_day_before_every_version() -> None:
    with pytest.raises(DomainError, match="2019-07-01"):
        nser.decide(HOUSEHOLDS, "kafaalat", on=date(2010, 1, 1), members=MEMBERS)
    with pytest.raises(DomainError, match="expected a date"):
        nser.decide(HOUSEHOLDS, "kafaalat", on="2024-06-01", members=MEMBERS)  # type: ignore


def test_options_and_frames_that_do_not_go_together() -> None:
    with pytest.raises(DomainError, match="on_missing"):
        decided(on_missing="guess")
    with pytest.raises(DomainError, match="give households"):
        nser.decide(HOUSEHOLDS, "nashonuma", on=DAY, members=MEMBERS)
    with pytest.raises(DomainError, match="is one of households"):
        nser.decide(HOUSEHOLDS, "kafaalat", on=DAY, households=HOUSEHOLDS)
    facts = HOUSEHOLDS.with_columns(disabled_member=True)
    with pytest.raises(SchemaError, match="'disabled_member' is already there"):
        nser.decide(facts, "kafaalat", on=DAY, members=MEMBERS)
    with pytest.raises(SchemaError, match="Int64 in one frame"):
        nser.decide(
            HOUSEHOLDS, "kafaalat", on=DAY, members=MEMBERS.with_columns(pl.col("hh_id").cast(str))
        )


def test_a_household_listed_twice() -> None:
    active = pl.DataFrame(
        {"hh_id": [1, 1], "kafaalat_active": [True, False], "pilot_district": True}
    )
    persons = pl.DataFrame({"hh_id": [1]})
    for households in (active, active.lazy()):
        with pytest.raises(DomainError, match="listed twice"):
            nser.decide(persons, "hunarmand", on=date(2025, 7, 1), households=households)


# -- chains and recipients -------------------------------------------------------------------------


def test_persons_get_the_columns_of_their_households() -> None:
    active = decided().select("hh_id", kafaalat_active="eligible", pilot_district=True)
    persons = pl.DataFrame({"hh_id": [2, 1, 9], "kind": ["a", "b", "c"]})
    result = nser.decide(persons, "hunarmand", on=date(2025, 7, 1), households=active)
    assert result.columns[:2] == ["hh_id", "kind"] and result["kind"].to_list() == ["a", "b", "c"]
    assert result["decision"].to_list() == ["needs_data", "eligible", "needs_data"]


def test_recipients_are_of_eligible_households_only() -> None:
    paid = nser.recipients(MEMBERS, "kafaalat", decided(), on=DAY)
    assert paid["person_id"].to_list() == [10, 30]
    assert paid["recipient"].to_list() == [True, True]
    assert paid["amount"].to_list() == [10500, 10500]
    unsure = MEMBERS.with_columns(marital_state=pl.lit(None, dtype=pl.String))
    assert (
        nser.recipients(unsure, "kafaalat", decided(), on=DAY)["recipient"].to_list() == [None] * 2
    )
    with pytest.raises(DomainError, match="names no recipient"):
        nser.recipients(MEMBERS, "hunarmand", decided(), on=date(2025, 7, 1))


def test_a_budget_leaves_out_whom_it_cannot_count() -> None:
    quota = Quota(
        id="money",
        budget=100,
        rank_by=(RankKey(column="score"),),
        ties="exclude",
        valid_from=date(2020, 1, 1),
        source="invented",
        mark="confirmed",
    )
    book = nser.load_programme(EXAMPLE).with_quota(quota)
    frame = pl.DataFrame(
        {
            "score": [1.0, 2.0, 3.0],
            "rooms": [1, 1, 1],
            "nobody_works": [True] * 3,
            "three_small_children": [None, False, False],
        }
    )
    result = nser.decide(frame, book, on=DAY)
    assert result["decision"].to_list() == ["needs_data", "eligible", "over_quota"]
    assert result["reasons"].to_list() == [["money:amount"], [], ["money"]]
    texts = nser.decide(frame, book, on=DAY, reasons_as="text")
    assert texts["reasons"].to_list() == ["money:amount", "", "money"]
    with pytest.raises(SchemaError, match="quota 'places' reads it"):
        other = Quota(
            id="places",
            places=1,
            rank_by=(RankKey(column="nothing"),),
            ties="exclude",
            valid_from=date(2020, 1, 1),
            source="invented",
            mark="confirmed",
        )
        nser.decide(frame, nser.load_programme(EXAMPLE).with_quota(other), on=DAY)


def test_many_reasons_do_not_need_a_table_of_all_sets() -> None:
    text = EXAMPLE.read_text(encoding="utf-8")
    names = [f"r{n}" for n in range(20)]
    more = "".join(
        f'\n[[rules]]\nid = "{n}"\nkind = "require"\nvalid_from = 2020-01-01\n'
        f'test = {{ column = "rooms", equals = {k} }}\ntext = "t"\ntext_ur = "ت"\n'
        'source = "s"\nmark = "confirmed"\n'
        for k, n in enumerate(names)
    )
    book = nser.Programme.from_toml(text + more)
    frame = pl.DataFrame(
        {
            "score": [1.0, 90.0],
            "rooms": [3, None],
            "nobody_works": [True, None],
            "three_small_children": [False, False],
        }
    )
    result = nser.decide(pl.concat([frame, frame.with_columns(score=1.0)]), book, on=DAY)
    assert result["reasons"][0].to_list() == [n for n in names if n != "r3"]
    assert result["reasons"][1].to_list() == ["score"]
    assert result["reasons"][3].to_list()[:2] == ["nobody_works:nobody_works", "big_house:rooms"]
    assert len(result["reasons"][3]) == 22
    texts = nser.decide(frame, book, on=DAY, reasons_as="text")["reasons"].to_list()
    assert texts == [", ".join(reasons) for reasons in result["reasons"].head(2).to_list()]


def test_reasons_as_text_are_the_lists_joined() -> None:
    for frame in (HOUSEHOLDS, HOUSEHOLDS.lazy()):
        made = nser.decide(frame, "kafaalat", on=DAY, members=MEMBERS, reasons_as="text")
        texts = made.lazy().collect()
        assert isinstance(texts.schema["reasons"], pl.Enum)
        lists = decided()["reasons"].cast(pl.List(pl.String))
        assert texts["reasons"].cast(pl.String).to_list() == lists.list.join(", ").to_list()
    with pytest.raises(DomainError, match="reasons_as"):
        decided(reasons_as="words")


# -- explained -------------------------------------------------------------------------------------


def test_explained_household() -> None:
    why = nser.explain_decision(HOUSEHOLDS.head(1), "kafaalat", on=DAY, members=MEMBERS)
    assert (why.decision, why.amount, why.version) == ("eligible", 10500, "2022-12")
    rows = {row["rule"]: row for row in why.rules.iter_rows(named=True)}
    assert rows["score"]["outcome"] == "met"
    assert (rows["score_32"]["outcome"], rows["score_37_disabled"]["outcome"]) == ("not_met", "met")
    assert rows["score_transgender"]["outcome"] == rows["vehicle"]["outcome"] == "off"
    assert "1 of 2 members" in rows["score"]["inputs"]
    for text in (repr(why), why._repr_html_()):
        assert "11111" not in text and "پوری" in text and "score_32" in text
    assert "dir='rtl'" in why._repr_html_()


def test_explained_like_decided() -> None:
    for row in HOUSEHOLDS.iter_rows(named=True):
        one = nser.explain_decision(row, "kafaalat", on=DAY, members=MEMBERS)
        want = decided().filter(pl.col("hh_id") == row["hh_id"]).row(0, named=True)
        assert [one.decision, list(one.reasons)] == [want["decision"], want["reasons"]]


def test_explained_child_shows_the_age_not_the_date() -> None:
    child = {"birth_date": date(2014, 2, 3), "school_level": "primary", "name": "Invented"}
    why = nser.explain_decision(child, "taleemi-wazaif", on=DAY)
    assert "10 years old" in repr(why) and "2014" not in repr(why) and "Invented" not in repr(why)
    assert why.eligible is None and "kafaalat_active:kafaalat_active" in why.reasons
    with pytest.raises(SchemaError, match="'attendance': expected Float64") as caught:
        nser.explain_decision(child | {"attendance": "secret"}, "taleemi-wazaif", on=DAY)
    assert "secret" not in str(caught.value)
    with pytest.raises(DomainError, match="one row"):
        nser.explain_decision(HOUSEHOLDS, "kafaalat", on=DAY)


def test_members_whose_id_the_other_type_cannot_hold_are_of_no_household() -> None:
    households = HOUSEHOLDS.with_columns(pl.col("hh_id").cast(pl.UInt8))
    more = MEMBERS.with_columns(hh_id=pl.Series([1, 2, 3, 3, 2**40]))
    some = MEMBERS.with_columns(hh_id=pl.Series([1, 2, 3, 3, -4]))
    for members in (more, some):
        result = nser.decide(households, "kafaalat", on=DAY, members=members)
        assert result["decision"].to_list() == decided()["decision"].to_list()


def test_households_are_not_left_unread() -> None:
    with pytest.raises(DomainError, match="one of households"):
        decided(households=HOUSEHOLDS)


def test_frames_of_others_are_refused() -> None:
    for call in (
        lambda: nser.decide({"hh_id": [1]}, "kafaalat", on=DAY),  # type: ignore[type-var]
        lambda: nser.decide(HOUSEHOLDS, "kafaalat", on=DAY, members=[{}]),  # type: ignore[arg-type]
        lambda: nser.roll_up({}, "kafaalat", on=DAY),  # type: ignore[type-var]
    ):
        with pytest.raises(SchemaError) as caught:
            call()
        assert caught.value.code == "wrong_frame"


def test_decimal_scores_are_read_as_the_nearest_number() -> None:
    """On every release of Polars: some of them compare decimals digit by digit."""
    texts = ["32", "32.01", "37", "32.0000000000000001", None]
    scores = pl.Series("pmt_score", texts).cast(pl.Decimal(38, 16))
    facts = nser.roll_up(MEMBERS, "kafaalat", on=DAY).filter(pl.col("hh_id") == 1).drop("hh_id")
    frame = scores.to_frame().join(facts, how="cross")
    result = nser.decide(frame, "kafaalat", on=DAY)
    # Household 1 has no disabled member: 37 is too much.
    assert result["eligible"].to_list() == [True, False, False, True, None]


def test_noise_above_the_line_is_above_the_line() -> None:
    facts = nser.roll_up(MEMBERS, "kafaalat", on=DAY).filter(pl.col("hh_id") == 1).drop("hh_id")
    frame = pl.DataFrame({"pmt_score": [32.0, 32.000000000000004]}).join(facts, how="cross")
    assert nser.decide(frame, "kafaalat", on=DAY)["eligible"].to_list() == [True, False]


def test_recipients_need_ids_and_decisions_of_one_kind() -> None:
    done = decided()
    for members, awards, column in (
        (MEMBERS.with_columns(pl.col("hh_id").cast(pl.String)), done, "hh_id"),
        (MEMBERS, done.with_columns(pl.col("eligible").cast(pl.String)), "eligible"),
    ):
        with pytest.raises(SchemaError) as caught:
            nser.recipients(members, "kafaalat", awards, on=DAY)
        assert caught.value.column == column
    nobody = pl.concat([done, done.with_columns(hh_id=pl.lit(None, dtype=pl.Int64))])
    paid = nser.recipients(MEMBERS, "kafaalat", nobody, on=DAY)
    assert paid.equals(nser.recipients(MEMBERS, "kafaalat", done, on=DAY))


@pytest.mark.parametrize("text", [True, False])
def test_a_rule_that_is_there_twice_is_named(text: bool) -> None:
    book = EXAMPLE.read_text(encoding="utf-8")
    twice = nser.Programme.from_toml(
        book + book[book.rindex("[[rules]]") : book.index("[[amounts")]
    )
    frame = pl.DataFrame({"score": [1.0], "rooms": [2]})
    with pytest.raises(ModelError, match="twice on 2024-06-01") as caught:
        if text:
            nser.decide(frame, twice, on=DAY, on_missing="unknown")
        else:
            nser.explain_decision(frame, twice, on=DAY)
    assert caught.value.code == "dates_overlap"


def test_explain_takes_points_in_time_and_lazy_frames() -> None:
    want = nser.explain_decision(HOUSEHOLDS[1], "kafaalat", on=DAY, members=MEMBERS)
    for on in (datetime(2024, 6, 1, 13), datetime(2024, 6, 1, tzinfo=UTC)):
        found = nser.explain_decision(
            HOUSEHOLDS[1].lazy(), "kafaalat", on=on, members=MEMBERS.lazy()
        )
        assert (found.decision, found.on) == (want.decision, DAY)
        assert found.rules.equals(want.rules)


@pytest.mark.parametrize(
    ("household", "members", "column"),
    [
        ({"birth_date": "2015-01-01"}, None, "birth_date"),
        ({"birth_date": "soon"}, None, "birth_date"),
        ({"birth_date": datetime(2015, 1, 1)}, None, "birth_date"),
        ({"hh_id": "1"}, MEMBERS, "hh_id"),
    ],
)
def test_explain_refuses_what_it_cannot_read(
    household: dict[str, Any], members: pl.DataFrame | None, column: str
) -> None:
    programme = "taleemi-wazaif" if members is None else "kafaalat"
    with pytest.raises(SchemaError) as caught:
        nser.explain_decision(household, programme, on=DAY, members=members)
    assert caught.value.column == column


def test_explained_exclusions_read_as_conditions() -> None:
    why = nser.explain_decision({}, "kafaalat", on=date(2020, 6, 1))
    row = why.rules.filter(pl.col("rule") == "civil_servant").row(0, named=True)
    assert row["text"].startswith("Must not hold: ")
    assert row["text_ur"].startswith("یہ درست نہ ہو کہ ")


def test_explain_takes_the_columns_of_a_registry() -> None:
    """Its `vehicles` are words; a rule that is switched off reads a number of that name."""
    registry = nser.synth.registry(300, 7)
    scored = nser.score(registry.households, "schreiner-pk-2009")
    people = registry.people.with_columns(
        cnic_verified=pl.lit(True), executive_passport=pl.lit("no")
    )
    want = nser.decide(scored, "kafaalat", on=DAY, members=people)
    for row in range(0, 300, 10):
        why = nser.explain_decision(scored[row], "kafaalat", on=DAY, members=people)
        found = (why.eligible, why.decision, list(why.reasons), why.amount)
        assert found == want.select("eligible", "decision", "reasons", "amount").row(row)
        off = why.rules.filter(pl.col("rule").is_in(["vehicle_owned", "executive_passport"]))
        assert off["outcome"].to_list() == ["off", "off"]
        shown = repr(why) + why._repr_html_()
        members = people.filter(pl.col("hh_id") == scored["hh_id"][row])
        for column in ("cnic", "name", "father_name", "phone"):
            assert not any(v in shown for v in members[column].drop_nulls() if len(v) > 5)
    counting = nser.load_programme("kafaalat").with_rules(on=["vehicle_owned"])
    with pytest.raises(SchemaError) as caught:
        nser.explain_decision(scored[0], counting, on=DAY, members=people)
    assert caught.value.column == "vehicles"


def test_explain_takes_members_for_households_only() -> None:
    with pytest.raises(DomainError, match="members"):
        nser.explain_decision({}, "hunarmand", on=date(2025, 7, 1), members=[{}])


def test_the_frame_without_the_household_is_named() -> None:
    bare = MEMBERS.drop("hh_id")
    for call, frame in (
        (lambda: nser.decide(HOUSEHOLDS, "kafaalat", on=DAY, members=bare), "members"),
        (lambda: nser.decide(HOUSEHOLDS.drop("hh_id"), "kafaalat", on=DAY, members=MEMBERS), "the"),
        (lambda: nser.recipients(MEMBERS, "kafaalat", HOUSEHOLDS, on=DAY), "decided"),
    ):
        with pytest.raises(SchemaError, match=f"is missing in {frame}") as caught:
            call()
        assert caught.value.code == "missing_column"
