"""`learn`: known chances are found again, what is given stays, what cannot be learned is said."""

from __future__ import annotations

import math
import pickle
from datetime import date, timedelta
from random import Random
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt import blocking, compare

FIELDS = {"a": (500, 0.95), "b": (300, 0.9), "c": (100, 0.8), "d": (40, 0.97), "e": (4, 0.99)}
PERSONS, AGAIN = 5000, 1500


def simulated(seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Persons of independent fields, and second records of some, right at known rates."""
    random = Random(seed)
    rows: list[dict[str, Any]] = [
        {f: random.randrange(size) for f, (size, _) in FIELDS.items()} for _ in range(PERSONS)
    ]
    entity = list(range(PERSONS))
    for person in random.sample(range(PERSONS), AGAIN):
        again = {
            f: value if random.random() < FIELDS[f][1] else random.randrange(FIELDS[f][0])
            for f, value in rows[person].items()
        }
        rows.append(again)
        entity.append(person)
    frame = pl.DataFrame(rows).with_row_index("id")
    return frame, frame.select("id", entity=pl.Series(entity))


PEOPLE, TRUTH = simulated(3)
SPEC = nser.LinkSpec(
    compare=[compare.exact(field) for field in FIELDS],
    block_on=[["a", "b"], ["c", "d"], ["a", "d"]],
)
SYNTHETIC = nser.synth.people(6000, seed=2)
PLAN = nser.LinkSpec(
    compare=[
        compare.cnic("cnic"),
        compare.name("name"),
        compare.name("father_name"),
        compare.date("birth_date"),
        compare.exact("sex"),
        compare.exact("district", frequency="exact"),
    ],
    block_on=[
        nser.blocking.cnic_within("cnic"),
        [nser.names.key("name"), "birth_date"],
        ["birth_date", "district"],
        [nser.names.key("name"), nser.names.key("father_name")],
    ],
)


def chances(learned: nser.Learned, what: str) -> dict[str, float]:
    exact = learned.table.filter(pl.col("level") == "exact")
    return dict(exact.select("comparison", what).iter_rows())


def test_known_chances_are_found_again() -> None:
    learned = nser.learn(PEOPLE, SPEC, id="id")
    for field, (size, right) in FIELDS.items():
        # A wrong field is right by chance once in its size.
        m = right + (1 - right) / size
        assert chances(learned, "m")[field] == pytest.approx(m, abs=0.04), field
        assert chances(learned, "u")[field] == pytest.approx(1 / size, rel=0.05), field
    prior = AGAIN / math.comb(PEOPLE.height, 2)
    assert learned.spec.prior == pytest.approx(prior, rel=0.15)
    pairs = nser.link(PEOPLE, SPEC.replace(compare=learned.spec.compare, prior=0.5), id="id")
    found = nser.evaluate_links(pairs, TRUTH).true_positives
    assert learned.expected_matches == pytest.approx(found, rel=0.15)
    assert learned.warnings == ()


def test_tables_hold_together() -> None:
    learned = nser.learn(SYNTHETIC.records, PLAN, id="id", max_pairs=400_000)
    sums = learned.table.group_by("comparison").agg(pl.col("m", "u").sum())
    for name, m, u in sums.iter_rows():
        assert (m, u) == (pytest.approx(1), pytest.approx(1)), name
    for m, u, weight in learned.table.select("m", "u", "weight").iter_rows():
        assert weight == pytest.approx(math.log2(m / u))
    assert learned.table.get_column("comparison").unique(maintain_order=True).to_list() == [
        c.label for c in PLAN.compare
    ]
    counts = nser.count_pairs(SYNTHETIC.records, PLAN, id="id")
    candidates = counts.get_column("new_pairs").sum()
    assert learned.patterns.get_column("pairs").sum() == pytest.approx(candidates)
    weights = learned.patterns.get_column("match_weight")
    assert weights.is_sorted(descending=True)
    chosen = learned.sessions.filter("chosen")
    assert chosen.height == chosen.get_column("rule").n_unique() <= len(PLAN.rules)
    best = learned.sessions.group_by("rule").agg(pl.col("likelihood").max())
    joined = chosen.join(best, on="rule", suffix="_best")
    assert (joined["likelihood"] == joined["likelihood_best"]).all()
    assert "matches expected" in repr(learned) and "<svg" in learned._repr_html_()
    assert pickle.loads(pickle.dumps(learned)).spec == learned.spec


def test_u_of_exact_agreement_is_counted() -> None:
    learned = nser.learn(SYNTHETIC.records, PLAN, id="id")
    for field in ("sex", "district"):
        counts = SYNTHETIC.records.get_column(field).drop_nulls().value_counts()["count"]
        n = counts.sum()
        agreement = (counts * (counts - 1)).sum() / (n * (n - 1))
        assert chances(learned, "u")[field] == pytest.approx(agreement, rel=0.02)
    source = learned.table.filter(pl.col("comparison") == "sex").get_column("u_source")
    assert source.to_list()[0] == "value frequencies"


def test_what_is_given_stays() -> None:
    given = compare.exact("a").with_chances(m=[0.7, 0.3], u=[0.25, 0.75])
    half = compare.exact("b").with_chances(u=[0.125, 0.875])
    spec = SPEC.replace(compare=[given, half, *SPEC.compare[2:]], prior=0.001)
    learned = nser.learn(PEOPLE, spec, id="id")
    a, b, *_ = learned.spec.compare
    assert (a.m, a.u) == (given.m, given.u)
    assert b.u == half.u and b.m is not None and b.m[0] == pytest.approx(0.9, abs=0.06)
    assert learned.spec.prior == 0.001
    sources = learned.table.filter(pl.col("comparison") == "a").select("m_source", "u_source")
    assert set(sources.rows()) == {("given", "given")}


def test_everything_given_needs_no_search() -> None:
    spec = SPEC.replace(
        compare=[compare.exact(f).with_chances(m=[0.9, 0.1], u=[0.1, 0.9]) for f in FIELDS]
    )
    learned = nser.learn(PEOPLE, spec, id="id")
    assert learned.spec.learned and learned.sessions.height == 0


def test_labels_are_counted() -> None:
    learned = nser.learn(PEOPLE, SPEC, id="id", labels=TRUTH)
    pairs = TRUTH.join(TRUTH, on="entity", suffix="_right").filter(
        pl.col("id") < pl.col("id_right")
    )
    both = pairs.join(PEOPLE, on="id").join(PEOPLE, left_on="id_right", right_on="id", suffix="_r")
    assert both.height == AGAIN
    for field in FIELDS:
        agree = both.filter(pl.col(field) == pl.col(f"{field}_r")).height
        assert chances(learned, "m")[field] == pytest.approx((agree + 0.5) / (AGAIN + 1))
    assert learned.spec.prior == pytest.approx(AGAIN / math.comb(PEOPLE.height, 2))
    as_pairs = pairs.select(id_left="id_right", id_right="id")
    again = nser.learn(PEOPLE, SPEC, id="id", labels=pl.concat([as_pairs, as_pairs.head(40)]))
    assert chances(again, "m") == chances(learned, "m")
    assert again.spec.prior == learned.spec.prior
    assert set(again.table.get_column("m_source")) == {"labels"}


def test_labels_between_two_frames() -> None:
    first = PEOPLE.head(PERSONS)
    second = PEOPLE.tail(AGAIN)
    learned = nser.learn(first, second, SPEC, id="id", labels=TRUTH)
    assert learned.spec.prior == pytest.approx(AGAIN / (PERSONS * AGAIN))
    one = nser.learn(PEOPLE, SPEC, id="id", labels=TRUTH)
    assert chances(learned, "m") == chances(one, "m")
    without = nser.learn(first, second, SPEC, id="id")
    assert without.spec.prior == pytest.approx(AGAIN / (PERSONS * AGAIN), rel=0.15)


def test_labels_of_some_rows_only() -> None:
    some = TRUTH.filter(pl.col("entity") < 1000)
    learned = nser.learn(PEOPLE, SPEC, id="id", labels=some)
    known = some.height - some.get_column("entity").n_unique()
    assert learned.spec.prior == pytest.approx(known / math.comb(some.height, 2))


@pytest.mark.parametrize(
    ("labels", "code"),
    [
        (TRUTH.rename({"entity": "person"}), "missing_column"),
        (TRUTH.cast({"id": pl.String}), "wrong_column"),
        (TRUTH.select(id_left=pl.col("id").cast(pl.String), id_right="id"), "wrong_column"),
    ],
)
def test_labels_that_cannot_be_read(labels: pl.DataFrame, code: str) -> None:
    with pytest.raises(nser.SchemaError) as caught:
        nser.learn(PEOPLE, SPEC, id="id", labels=labels)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "labels",
    [
        TRUTH.unique("entity"),
        TRUTH.clear(),
        pl.DataFrame(
            {"id_left": [7, 8], "id_right": [7, 8]},
            schema=dict.fromkeys(("id_left", "id_right"), pl.UInt32),
        ),
    ],
)
def test_labels_without_a_match(labels: pl.DataFrame) -> None:
    with pytest.raises(nser.ConvergenceError) as caught:
        nser.learn(PEOPLE, SPEC, id="id", labels=labels)
    assert caught.value.code == "not_learned"


def test_the_same_whatever_the_order_and_the_threads() -> None:
    records = SYNTHETIC.records
    shuffled = records.sample(fraction=1.0, shuffle=True, seed=1)
    chunked = pl.concat([records.slice(k, 700) for k in range(0, 6000, 700)], rechunk=False)
    expected = nser.learn(records, PLAN, id="id", max_pairs=2000)
    for frame in (shuffled, chunked, records.lazy()):
        for threads in (1, 2):
            control = nser.RunControl(threads=threads)
            found = nser.learn(frame, PLAN, id="id", max_pairs=2000, control=control)
            assert found.spec == expected.spec
            assert found.patterns.equals(expected.patterns)
            assert found.sessions.equals(expected.sessions)


def test_seeds_draw_other_pairs_and_agree() -> None:
    one, two = (nser.learn(PEOPLE, SPEC, id="id", max_pairs=3000, seed=s) for s in (1, 2))
    assert one.spec != two.spec
    for field in FIELDS:
        assert chances(one, "m")[field] == pytest.approx(chances(two, "m")[field], abs=0.08)


def test_weights_that_rise_are_warned_of() -> None:
    """Dates with a level that says less than the one below it."""
    random = Random(1)
    born = [date(1970, 1, 1) + timedelta(days=random.randrange(12_000)) for _ in range(4000)]
    more = [d + timedelta(days=300) for d in born[:600]]
    frame = pl.DataFrame(
        {
            "id": range(4600),
            "born": born + more,
            "x": [k % 4000 for k in range(4600)],
            "y": [(k % 4000) * 7 % 900 for k in range(4600)],
        }
    )
    spec = nser.LinkSpec(
        compare=[compare.date("born", levels=[31, 366]), compare.exact("x"), compare.exact("y")],
        block_on=[["x"], ["y"], ["born"]],
    )
    learned = nser.learn(frame, spec, id="id")
    assert any("'born' do not fall" in text for text in learned.warnings)
    assert "warning: " in repr(learned)


@pytest.mark.parametrize(
    "rules",
    [
        [["a"]],  # a is in every rule
        [["a", "b", "c", "d"]],  # one comparison is free, and tells nothing by itself
        [["nothing"]],  # no pairs
    ],
)
def test_what_cannot_be_learned(rules: list[list[str]]) -> None:
    people = PEOPLE.with_columns(nothing=pl.lit(None, pl.String))
    with pytest.raises(nser.ConvergenceError) as caught:
        nser.learn(people, SPEC.replace(block_on=rules), id="id")
    assert caught.value.code == "not_learned" and caught.value.hint


def test_frames_without_matches_say_so() -> None:
    for few in (PEOPLE.clear(), PEOPLE.head(1), PEOPLE.unique("a")):
        with pytest.raises(nser.ConvergenceError):
            nser.learn(few, SPEC, id="id")


def test_as_many_rules_as_a_machine_word_has_bits() -> None:
    rules = [["a", "b"], ["c", "d"], ["a", "d"], *([pl.col("e") + k, "a", "b"] for k in range(61))]
    learned = nser.learn(PEOPLE, SPEC.replace(block_on=rules), id="id")
    assert learned.sessions.get_column("rule").n_unique() == 64
    expected = nser.learn(PEOPLE, SPEC, id="id")
    for field in FIELDS:
        m = chances(expected, "m")[field]
        assert chances(learned, "m")[field] == pytest.approx(m, abs=0.05)
    with pytest.raises(nser.DomainError, match="at most 64"):
        SPEC.replace(block_on=[*rules, ["e"]])


def test_a_column_without_values_counts_for_nothing() -> None:
    people = PEOPLE.with_columns(c=pl.lit(None, pl.Int64))
    spec = SPEC.replace(block_on=[["a", "b"], ["a", "d"], ["b", "d"]])
    learned = nser.learn(people, spec, id="id")
    table = learned.table.filter(comparison="c")
    assert table.get_column("weight").to_list() == [0.0, 0.0]
    assert table.get_column("m_source").unique().to_list() == ["no values"]
    assert any("'c'" in text for text in learned.warnings)
    assert chances(learned, "m")["a"] == pytest.approx(0.95, abs=0.04)


@pytest.mark.parametrize("frames", [(PEOPLE.head(1),), (PEOPLE.head(0),), (PEOPLE, PEOPLE.head(0))])
def test_frames_without_a_pair(frames: tuple[pl.DataFrame, ...]) -> None:
    with pytest.raises(nser.ConvergenceError, match="no pair of rows") as caught:
        nser.learn(*frames, SPEC, id="id")
    assert caught.value.code == "not_learned"


def test_comparisons_may_have_any_name() -> None:
    spec = SPEC.replace(
        compare=[
            compare.exact(f, label=name)
            for f, name in zip(
                FIELDS, ("pairs", "rules", "match_weight", "0", "weight"), strict=True
            )
        ]
    )
    found, plain = (nser.learn(PEOPLE, s, id="id") for s in (spec, SPEC))
    assert found.spec.prior == plain.spec.prior
    assert found.patterns.columns[:3] == ["level_pairs", "level_rules", "level_match_weight"]


def test_a_handful_of_rows_can_be_learned_from_with_labels() -> None:
    numbers = ["3520212345671", "3520212345671", "4210112345673", "4210112345673"]
    few = pl.DataFrame({"id": [1, 2, 3, 4], "cnic": numbers})
    spec = nser.LinkSpec(compare=[compare.cnic("cnic")], block_on=[["cnic"]])
    truth = pl.DataFrame({"id": [1, 2, 3, 4], "entity": [1, 1, 2, 2]})
    learned = nser.learn(few, spec, id="id", labels=truth)
    pairs = nser.link(few, learned.spec, id="id", threshold=None)
    assert pairs.select("id_left", "id_right").rows() == [(1, 2), (3, 4)]


def test_a_constant_entity_is_refused_before_memory_is_full() -> None:
    people = pl.DataFrame({"id": pl.int_range(30_000, eager=True), "a": 1, "b": 2, "entity": 1})
    spec = SPEC.replace(compare=SPEC.compare[:2], block_on=[blocking.equal("a", max_block=2)])
    with pytest.raises(nser.DomainError) as caught:
        nser.learn(people, spec, id="id", labels=people)
    assert caught.value.code == "too_many_pairs"


def test_labels_may_be_lazy_and_ids_of_both_frames_need_pairs() -> None:
    eager, lazy = (nser.learn(PEOPLE, SPEC, id="id", labels=t) for t in (TRUTH, TRUTH.lazy()))
    assert eager.spec == lazy.spec
    with pytest.raises(nser.SchemaError) as caught:
        nser.learn(PEOPLE, PEOPLE, SPEC, id="id", labels=TRUTH)
    assert caught.value.code == "duplicate_id" and caught.value.hint


def test_options() -> None:
    for seed in (-1, 1.5, 2**64):
        with pytest.raises(nser.DomainError, match="seed"):
            nser.learn(PEOPLE, SPEC, id="id", seed=seed)  # type: ignore[arg-type]
    with pytest.raises(nser.DomainError) as caught:
        nser.learn(PEOPLE, SPEC, id="id", max_pairs=10)
    assert caught.value.code == "invalid_option"


def by_expression(field: str) -> compare.Comparison:
    """Return what `compare.exact` is, as an expression."""
    left, right = (pl.col(f"{field}_{side}") for side in ("left", "right"))
    return compare.expr(field, {"exact": left == right}, missing=left.is_null() | right.is_null())


@pytest.mark.parametrize("labels", [None, TRUTH], ids=["without labels", "with labels"])
def test_an_expression_is_learned_as_the_comparison_that_it_states(
    labels: pl.DataFrame | None,
) -> None:
    people = PEOPLE.with_columns(c=pl.when(pl.col("id") % 11 > 0).then("c"))
    told = [by_expression(f) if f in "ce" else compare.exact(f) for f in FIELDS]
    frames = {"id": "id", "labels": labels, "max_pairs": 400_000}
    found = nser.learn(people, SPEC.replace(compare=told), **frames)
    plain = nser.learn(people, SPEC, **frames)
    assert found.table.select("comparison", "level").equals(
        plain.table.select("comparison", "level")
    )
    for field in FIELDS:
        # u of an expression is that of a sample.
        assert chances(found, "u")[field] == pytest.approx(chances(plain, "u")[field], rel=0.03)
        assert chances(found, "m")[field] == pytest.approx(chances(plain, "m")[field], abs=2e-3)
    both = [learned.patterns.sort(pl.all()) for learned in (found, plain)]
    levels = [*(f"level_{field}" for field in FIELDS), "pairs"]
    assert both[0].select(levels).sort(levels).equals(both[1].select(levels).sort(levels))
    sources = found.table.filter(comparison="c").get_column("u_source")
    assert sources.to_list() == ["sample", "sample"]


def test_expressions_are_learned_the_same_whatever_the_order_and_the_threads() -> None:
    names = ("name", "father_name")
    turned = pl.all_horizontal(
        pl.col(f"{a}_left") == pl.col(f"{b}_right") for a, b in (names, names[::-1])
    )
    told = compare.expr("turned", {"turned": turned.fill_null(False)})
    spec = PLAN.replace(compare=[PLAN.compare[0], told, *PLAN.compare[1:]])
    records = SYNTHETIC.records
    expected = nser.learn(records, spec, id="id", max_pairs=2000)
    assert expected.spec.learned and expected.spec.compare[1].label == "turned"
    assert expected.table.filter(comparison="turned").get_column("u_source").to_list() == [
        *("prior", "sample")
    ]
    shuffled = records.sample(fraction=1.0, shuffle=True, seed=1)
    for threads in (1, 2):
        control = nser.RunControl(threads=threads)
        found = nser.learn(shuffled, spec, id="id", max_pairs=2000, control=control)
        assert found.spec == expected.spec and found.patterns.equals(expected.patterns)
    half = (records.filter(pl.col("id") % 2 == k) for k in (0, 1))
    assert nser.learn(*half, spec, id="id", max_pairs=2000).spec.learned


def test_what_is_given_of_an_expression_stays() -> None:
    known = by_expression("e").with_chances(m=[0.9, 0.1], u=[0.01, 0.99])
    learned = nser.learn(PEOPLE, SPEC.replace(compare=[*SPEC.compare[:4], known]), id="id")
    assert learned.spec.compare[-1] == known and learned.spec.learned
    assert learned.table.filter(comparison="e").get_column("m_source").unique().to_list() == [
        "given"
    ]


def test_learning_can_be_stopped() -> None:
    control = nser.RunControl()
    control.cancel()
    with pytest.raises(nser.CancelledError):
        nser.learn(SYNTHETIC.records, PLAN, id="id", control=control)


def test_a_linkage_learns_and_links_as_the_functions_do() -> None:
    rows = nser.Linkage(SYNTHETIC.records, PLAN, id="id")
    learned = rows.learn()
    assert learned.spec == nser.learn(SYNTHETIC.records, PLAN, id="id").spec
    expected = nser.link(SYNTHETIC.records, learned.spec, id="id")
    assert rows.link(learned.spec).equals(expected)
    assert rows.count_pairs().equals(nser.count_pairs(SYNTHETIC.records, PLAN, id="id"))
    with pytest.raises(nser.DomainError) as caught:
        rows.link(learned.spec.replace(block_on=[["name"]]))
    assert caught.value.code == "invalid_option"
