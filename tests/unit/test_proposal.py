"""`propose_spec`: what is proposed, what is left out, and when it refuses."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt.linkage._roles import role_of

MADE = nser.synth.people(12_000, seed=4)
PEOPLE = MADE.records


def whats(proposal: nser.Proposal, part: str) -> list[str]:
    return proposal.reasons.filter(pl.col("part") == part).get_column("what").to_list()


def test_a_registry_gets_the_plan_one_would_write() -> None:
    proposal = nser.propose_spec(PEOPLE, id="id")
    assert whats(proposal, "comparison") == [
        *("cnic", "name", "father_name", "birth_date", "sex", "district"),
    ]
    assert whats(proposal, "rule") == [
        "cnic_within(cnic)",
        "key of name, birth_date",
        "key of father_name, birth_date",
        "birth_date, district",
        "key of name, key of father_name",
    ]
    assert not proposal.spec.learned
    assert proposal.evidence > proposal.needed
    left = " ".join(proposal.refused)
    assert all(name in left for name in ("tehsil", "phone", "household_id", "relation"))
    assert all(text in repr(proposal) for text in ("check:", "left out:"))


def test_the_plan_can_be_learned_and_does_not_over_merge() -> None:
    spec = nser.propose_spec(PEOPLE, id="id").spec
    learned = nser.learn(PEOPLE, spec, id="id").spec
    pairs = nser.link(PEOPLE, learned, id="id", threshold=4.25)
    quality = nser.evaluate_links(pairs, MADE.truth, threshold=4.25)
    assert quality.f1 is not None and quality.f1 > 0.9


def test_columns_in_roman_urdu() -> None:
    urdu = PEOPLE.rename(
        {
            "cnic": "Shanakhti Card No",
            "name": "Naam",
            "father_name": "walid_ka_naam",
            "birth_date": "tareekh_paidaish",
            "sex": "jins",
            "district": "Zila",
        }
    )
    kinds = [(c.kind, c.column) for c in nser.propose_spec(urdu, id="id").spec.compare]
    assert kinds == [
        ("cnic", "Shanakhti Card No"),
        ("name", "Naam"),
        ("name", "walid_ka_naam"),
        ("date", "tareekh_paidaish"),
        ("exact", "jins"),
        ("exact", "Zila"),
    ]


@pytest.mark.parametrize(
    ("column", "role"),
    [
        ("NIC", "cnic"),
        ("head_cnic", "other"),
        ("father_cnic", "other"),
        ("fatherDOB", "other"),
        ("mother_mobile", "other"),
        ("husband_name", "father"),
        ("dateOfBirth", "birth"),
        ("birth_place", "other"),
        ("yob", "birth_year"),
        ("district_name", "district"),
        ("mobile no.", "phone"),
        ("first_name", "given"),
        ("family_name", "surname"),
        ("family_id", "household"),
        ("marital_state", "other"),
        ("registered", "other"),
        ("username2", "other"),
    ],
)
def test_what_a_name_says(column: str, role: str) -> None:
    assert role_of(column) == role


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        (["cnic"], "one_field"),
        (["relation", "phone"], "one_field"),
        (["sex", "district"], "no_stable_key"),
        (["name", "district", "sex"], "weak_evidence"),
    ],
)
def test_refusals(columns: list[str], code: str) -> None:
    with pytest.raises(nser.DomainError) as caught:
        nser.propose_spec(PEOPLE.select("id", *columns), id="id")
    assert caught.value.code == code and caught.value.hint


def test_refusals_of_odd_frames() -> None:
    with pytest.raises(nser.DomainError) as caught:
        nser.propose_spec(PEOPLE.head(1), id="id")
    assert caught.value.code == "too_few_rows"
    with pytest.raises(nser.SchemaError) as missing:
        nser.propose_spec(PEOPLE, id="person")
    assert missing.value.code == "missing_column"
    empty = PEOPLE.select("id", pl.exclude("id").cast(pl.String)).with_columns(
        pl.exclude("id").replace_strict({}, default=None, return_dtype=pl.String)
    )
    with pytest.raises(nser.DomainError) as caught:
        nser.propose_spec(empty, id="id")
    assert caught.value.code == "one_field"


def test_no_rule_when_nothing_can_make_blocks() -> None:
    """A telephone number of each person and little else: no two columns to block on."""
    phones = pl.DataFrame(
        {
            "mobile": [f"03{k // 2:09}" for k in range(4000)],
            "naam": [None if k % 3 else f"{'abcdefgh'[k % 8]}alo" for k in range(4000)],
            "zila": [f"z{k % 90}" for k in range(4000)],
        }
    )
    with pytest.raises(nser.DomainError) as caught:
        nser.propose_spec(phones)
    assert caught.value.code in ("one_field", "no_stable_key", "weak_evidence", "no_rule")


def test_columns_that_are_not_what_they_are_called() -> None:
    odd = PEOPLE.with_columns(
        cnic=pl.lit("none of that kind") + pl.col("id").cast(pl.String),
        phone=pl.lit("x"),
        sex=pl.lit("f"),
    )
    proposal = nser.propose_spec(odd, id="id")
    assert [c.column for c in proposal.spec.compare] == [
        *("name", "father_name", "birth_date", "district"),
    ]
    left = "\n".join(proposal.refused)
    assert "cnic: named like an identity number, but only 0%" in left
    assert "sex: nearly every row has one value" in left


def test_numbers_by_another_name_are_known_by_what_they_are() -> None:
    proposal = nser.propose_spec(PEOPLE.rename({"cnic": "national_id"}), id="id")
    assert proposal.spec.compare[0].kind == "cnic"


def test_text_dates_are_compared_as_text_with_a_word_about_it() -> None:
    text = PEOPLE.with_columns(pl.col("birth_date").cast(pl.String))
    proposal = nser.propose_spec(text, id="id")
    assert {c.column: c.kind for c in proposal.spec.compare}["birth_date"] == "string"
    row = proposal.reasons.filter(pl.col("what") == "birth_date")
    assert "str.to_date" in row.item(0, "to_check")


def test_two_scripts_of_a_name_count_once() -> None:
    both = nser.synth.people(5000, seed=2, script="both").records
    columns = [c.column for c in nser.propose_spec(both, id="id").spec.compare]
    assert len({"name", "name_urdu"} & set(columns)) == 1


def test_a_rule_that_would_explode_is_refined_or_capped() -> None:
    """One date of birth fills a sixth of a large frame."""
    many = pl.concat(
        [PEOPLE.with_columns(pl.col("id") + 1_000_000 * k) for k in range(5)]
    ).with_columns(
        birth_date=pl.when(pl.col("id") % 6 == 0)
        .then(date(1980, 1, 1))
        .otherwise(pl.col("birth_date")),
        district=pl.when(pl.col("id") % 6 == 0).then(pl.lit("Lahore")).otherwise("district"),
    )
    proposal = nser.propose_spec(many, id="id")
    rules = {" ".join(sorted(rule.columns)): rule for rule in proposal.spec.rules}
    assert rules["birth_date district"].max_block is not None
    capped = proposal.reasons.filter(pl.col("what").str.starts_with("birth_date, district"))
    assert "left out" in capped.item(0, "to_check")
    counts = nser.count_pairs(many, proposal.spec, id="id")
    assert counts.get_column("pairs").max() <= 100 * many.height  # type: ignore[operator]


def test_a_number_that_thousands_share_makes_no_pairs() -> None:
    shared = pl.concat(
        [PEOPLE.with_columns(pl.col("id") + 1_000_000 * k) for k in range(5)]
    ).with_columns(
        cnic=pl.when(pl.col("id") % 3 == 0).then(pl.lit("3520212345671")).otherwise("cnic")
    )
    proposal = nser.propose_spec(shared, id="id")
    assert proposal.spec.rules[0].kind == "equal"
    assert proposal.spec.rules[0].max_block == 100
    check = proposal.reasons.filter(pl.col("what") == "cnic").item(0, "to_check")
    assert "one value fills" in check


def test_pairs_are_reckoned_from_the_sample() -> None:
    whole = nser.propose_spec(PEOPLE, id="id")
    part = nser.propose_spec(PEOPLE, id="id", sample=6000)
    assert whole.spec == part.spec

    def pairs(proposal: nser.Proposal) -> int:
        why = proposal.reasons.filter(pl.col("what") == "birth_date, district").item(0, "why")
        return int(why.split()[1].replace(",", ""))

    assert 0.5 < pairs(part) / pairs(whole) < 2
    assert pairs(whole) == nser.count_pairs(PEOPLE, whole.spec, id="id").item(3, "pairs")


def test_the_order_of_rows_and_laziness_make_no_difference() -> None:
    expected = nser.propose_spec(PEOPLE, id="id", sample=3000)
    shuffled = PEOPLE.sample(fraction=1.0, shuffle=True, seed=9)
    for frame in (shuffled, shuffled.lazy()):
        found = nser.propose_spec(frame, id="id", sample=3000)
        assert found.spec == expected.spec and found.refused == expected.refused
        assert found.reasons.equals(expected.reasons)


def test_no_value_of_the_frame_is_shown() -> None:
    shown = repr(nser.propose_spec(PEOPLE, id="id")) + str(nser.propose_spec(PEOPLE)._repr_html_())
    for column in ("cnic", "name", "father_name", "phone"):
        for value in PEOPLE.get_column(column).drop_nulls().unique().to_list():
            assert len(value) < 5 or value not in shown, column
