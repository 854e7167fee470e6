"""`link`, `count_pairs`, `explain_pairs` and plans: what they give, and what they refuse."""

from __future__ import annotations

import json
import math
import pickle
from datetime import date, datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import nser_pmt as nser
from nser_pmt import blocking, compare
from oracle import link_twin as twin

PEOPLE = nser.synth.people(400, seed=6).records.with_columns(
    phones=pl.when(pl.col("id") % 7 == 0)
    .then(None)
    .otherwise(pl.concat_list(pl.col("phone"), (pl.col("household_id") % 50).cast(pl.String))),
    age=(2024 - pl.col("birth_date").dt.year()).cast(pl.Int32),
)


def known(c: nser.compare.Comparison) -> nser.compare.Comparison:
    """Return a comparison with chances that fall from level to level."""
    n = len(c.levels)
    m = [0.9, *(0.1 / (n - 1) for _ in range(n - 1))]
    u = [0.01, *(0.99 / (n - 1) for _ in range(n - 1))]
    return c.with_chances(m=m, u=u)


def plan(*comparisons: nser.compare.Comparison, rules: Any, prior: float = 0.01) -> nser.LinkSpec:
    return nser.LinkSpec(compare=[known(c) for c in comparisons], block_on=rules, prior=prior)


FULL = plan(
    compare.cnic("cnic"),
    compare.name("name", frequency="none"),
    compare.date("birth_date", frequency="none"),
    compare.exact("sex"),
    compare.exact("district"),
    rules=[
        blocking.cnic_within("cnic"),
        ["birth_date"],
        [nser.names.key("name"), "district"],
        ["household_id"],
    ],
)


def ids(pairs: pl.DataFrame) -> list[tuple[int, int]]:
    return list(pairs.select("id_left", "id_right").iter_rows())


# ---------------------------------------------------------------------- the twin

TWINS = [
    compare.cnic("cnic"),
    compare.name("name", levels=[0.95, (0.8, "subset"), 0.7], frequency="none"),
    compare.string("tehsil", frequency="none"),
    compare.string("district", "osa", levels=[1, 3]),
    compare.string("name", "token_set", levels=[0.9, 0.5]),
    compare.string("cnic", "damerau_levenshtein"),
    compare.date("birth_date", frequency="none"),
    compare.date("birth_date", levels=["same_year", 800], frequency="none"),
    compare.number("age", levels=[1, 5]),
    compare.number("age", levels=["10%", 30]),
    compare.set("phones", levels=[1]),
    compare.set("phones", levels=[0.3]),
    compare.exact("relation"),
]


@pytest.mark.parametrize("c", TWINS, ids=lambda c: f"{c.kind} {'/'.join(c.levels[1:-1])}")
def test_levels_and_weights_are_those_of_a_naive_twin(c: nser.compare.Comparison) -> None:
    people = PEOPLE.head(90 if c.kind == "cnic" else 150)
    spec = plan(c, rules=[["everyone"]])
    pairs = nser.link(people.with_columns(everyone=1), spec, id="id", threshold=None)
    assert pairs.height == math.comb(people.height, 2)
    rows = {row["id"]: row for row in people.iter_rows(named=True)}
    seen = set()
    for left, right, weight, _, level in pairs.iter_rows():
        place = twin.level(c, rows[left], rows[right])
        assert level == (None if place is None else c.levels[place]), (left, right)
        assert weight == pytest.approx(twin.weight(spec, [place]), abs=1e-9)
        seen.add(level)
    assert len(seen) > 2 or c.kind == "exact"


def test_names_of_one_match_form_agree_exactly() -> None:
    forms = {
        "case": "MUHAMMAD  ali",
        "punctuation": " Muhammad. Ali-",
        "accents": "Muḥammad Alī",
        "spelling": "Mohammad Ali",
        "script": "محمد علی",
        "no letters": "--",
    }
    people = pl.DataFrame({"id": ["a", *forms], "name": ["Muhammad Ali", *forms.values()]})
    people = people.with_columns(everyone=1)
    c = compare.name("name", frequency="all")
    pairs = nser.link(people, plan(c, rules=[["everyone"]]), id="id", threshold=None)
    of_first = pairs.filter(id_left="a").select("id_right", "level_name").rows()
    assert dict(of_first) == {
        "case": "exact",
        "punctuation": "exact",
        "accents": "exact",
        "spelling": "at_least_0.95",
        "script": "at_least_0.95",
        "no letters": None,
    }
    # They are one value: four of six names.
    exact = pairs.filter(level_name="exact").get_column("match_weight")
    assert exact.n_unique() == 1
    c = known(c)
    assert c.m is not None
    expected = math.log2(0.01 / 0.99) + math.log2(c.m[0] / (4 / 6))
    assert exact[0] == pytest.approx(expected, abs=1e-5)


def test_keyboards_make_no_difference() -> None:
    people = pl.DataFrame({"id": [1, 2], "name": ["يوسف ﻋﻠﻲ", "یوسف علی"], "everyone": 1})
    spec = plan(compare.name("name"), rules=[["everyone"]])
    pairs = nser.link(people, spec, id="id", threshold=None)
    assert pairs.get_column("level_name").to_list() == ["exact"]


def test_tokens_count_by_the_table_that_is_given() -> None:
    people = PEOPLE.head(150).with_columns(everyone=1)
    levels = [0.98, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7, 0.6, 0.5]
    shown = pl.col("level_name").cast(pl.String)

    def found(frame: pl.DataFrame, **options: Any) -> pl.DataFrame:
        c = compare.name("name", levels=levels, frequency="none", **options)
        return nser.link(frame, plan(c, rules=[["everyone"]]), id="id", threshold=None)

    own = nser.names.frequencies(people.get_column("name"))
    of_frame = found(people, token_frequencies="frame")
    assert of_frame.equals(found(people, token_frequencies=own))
    assert of_frame.equals(
        found(people.sample(fraction=1.0, shuffle=True, seed=2), token_frequencies="frame")
    )
    of_package = found(people)
    assert (of_package.select(shown) != of_frame.select(shown)).sum().item() > 10
    rows = {row["id"]: row for row in people.iter_rows(named=True)}
    c = compare.name("name", levels=levels, token_frequencies=own)
    for left, right, level in of_frame.select("id_left", "id_right", shown).iter_rows():
        place = twin.level(c, rows[left], rows[right])
        assert level == (None if place is None else c.levels[place])


def test_the_frame_of_token_frequencies_is_both() -> None:
    people = PEOPLE.with_columns(everyone=1)
    left, right = people.head(60), people.slice(60)
    own = nser.names.frequencies(people.get_column("name"))
    spec = plan(compare.name("name", token_frequencies="frame"), rules=[["everyone"]])
    told = plan(compare.name("name", token_frequencies=own), rules=[["everyone"]])
    found = nser.link(left, right, spec, id="id", threshold=None)
    assert found.equals(nser.link(left, right, told, id="id", threshold=None))


def test_term_frequency_is_that_of_the_definition() -> None:
    c = known(compare.exact("district", frequency="exact"))
    spec = nser.LinkSpec(compare=[c], block_on=[["everyone"]], prior=0.1)
    people = PEOPLE.with_columns(everyone=1)
    pairs = nser.link(people, spec, id="id", threshold=None)
    values = people.get_column("district").to_list()
    of_id = dict(people.select("id", "district").iter_rows())
    assert c.u is not None
    for left, right, weight, _, level in pairs.head(20_000).iter_rows():
        place = 0 if level == "exact" else 1
        expected = twin.weight(spec, [place])
        if place == 0:
            expected += math.log2(c.u[0]) + twin.rarity(values, of_id[left], of_id[right])
        assert weight == pytest.approx(expected, abs=1e-5)


# ---------------------------------------------------------------------- candidates


def test_every_candidate_comes_once_and_none_is_missing() -> None:
    found = ids(nser.link(PEOPLE, FULL, id="id", threshold=None))
    assert len(found) == len(set(found)) and all(a < b for a, b in found)
    rows = PEOPLE.with_columns(key=nser.names.key("name")).sort("id").to_dicts()
    rules = [["birth_date"], ["key", "district"], ["household_id"]]
    expected = {(rows[i]["id"], rows[j]["id"]) for i, j in twin.candidates(rows, None, rules)}
    digits = [(r["id"], str(n)) for r in rows if (n := nser.cnic.parse_one(r["cnic"])["number"])]
    for (a, x), (b, y) in combinations(digits, 2):
        # Numbers of one length that are one error apart differ in at most three places.
        if sum(p != q for p, q in zip(x, y, strict=True)) <= 3:
            count = nser.cnic.distance_one(x, y)["count"]
            if count is not None and count <= 1:
                expected.add((a, b))
    assert expected <= set(found)
    by_id = {row["id"]: row for row in rows}
    # Numbers of a wrong length are candidates too.
    for a, b in set(found) - expected:
        kinds = {nser.cnic.parse_one(by_id[k]["cnic"])["kind"] for k in (a, b)}
        assert kinds != {"cnic"}
        assert nser.cnic.distance_one(by_id[a]["cnic"], by_id[b]["cnic"])["count"] <= 1


def test_counts_are_those_of_the_run() -> None:
    counts = nser.count_pairs(PEOPLE, FULL, id="id")
    pairs = nser.link(PEOPLE, FULL, id="id", threshold=None)
    assert counts.get_column("new_pairs").sum() == pairs.height
    alone = [
        nser.link(PEOPLE, FULL.replace(block_on=[rule]), id="id", threshold=None).height
        for rule in FULL.rules
    ]
    assert counts.get_column("pairs").to_list() == alone
    assert counts.get_column("dropped_pairs").sum() == 0
    households = PEOPLE.group_by("household_id").len().get_column("len")
    largest = counts.get_column("largest_blocks").to_list()[3]
    assert largest == households.sort(descending=True).head(10).to_list()


def test_a_cap_drops_whole_blocks_and_says_what() -> None:
    people = pl.DataFrame({"id": range(30), "place": ["a"] * 20 + ["b"] * 6 + ["c"] * 3 + [None]})
    spec = plan(compare.exact("place"), rules=[blocking.equal("place", max_block=6)])
    (row,) = nser.count_pairs(people, spec, id="id").iter_rows(named=True)
    assert row["pairs"] == row["new_pairs"] == 15 + 3
    assert (row["dropped_blocks"], row["dropped_rows"], row["dropped_pairs"]) == (1, 20, 190)
    assert row["largest_blocks"] == [20, 6, 3]
    assert nser.link(people, spec, id="id", threshold=None).height == 18


def test_a_pair_that_a_cap_dropped_is_left_to_later_rules() -> None:
    people = pl.DataFrame({"id": range(8), "place": ["a"] * 8, "born": [1, 1, 2, 2, 3, 3, 4, 4]})
    rules = [blocking.equal("place", max_block=4), ["born"]]
    spec = plan(compare.exact("place"), rules=rules)
    assert ids(nser.link(people, spec, id="id", threshold=None)) == [(0, 1), (2, 3), (4, 5), (6, 7)]


def test_neighbours() -> None:
    people = pl.DataFrame({"id": [5, 1, 4, 2, 3], "name": ["e", "b", "b", "a", None]})
    spec = plan(compare.exact("name"), rules=[blocking.neighbours("name", window=3)])
    # In order: 2 (a), 1 (b), 4 (b), 5 (e).
    found = ids(nser.link(people, spec, id="id", threshold=None))
    assert sorted(found) == [(1, 2), (1, 4), (1, 5), (2, 4), (4, 5)]


# ---------------------------------------------------------------------- two frames


def test_two_frames_give_the_pairs_across_of_one() -> None:
    """With ids apart, pairs between two halves are those within the whole that lie across."""
    left, right = PEOPLE.filter(pl.col("id") <= 200), PEOPLE.filter(pl.col("id") > 200)
    across = nser.link(left, right, FULL, id="id", threshold=None)
    whole = nser.link(PEOPLE, FULL, id="id", threshold=None)
    whole = whole.filter((pl.col("id_left") <= 200) & (pl.col("id_right") > 200))
    order = ["id_left", "id_right"]
    assert across.height > 20
    assert across.sort(order).equals(whole.sort(order))
    swapped = nser.link(right, left, FULL, id="id", threshold=None)
    swapped = swapped.rename({"id_left": "id_right", "id_right": "id_left"})
    assert swapped.select(across.columns).sort(order).equals(across.sort(order))
    new = nser.count_pairs(left, right, FULL, id="id").get_column("new_pairs")
    assert new.sum() == across.height


def test_two_frames_may_share_ids() -> None:
    spec = plan(compare.exact("name"), rules=[["name"]])
    a = pl.DataFrame({"id": [1, 2, 3], "name": ["x", "y", "z"]})
    b = pl.DataFrame({"id": [3, 2, 1], "name": ["x", "y", "x"]})
    assert sorted(ids(nser.link(a, b, spec, id="id", threshold=None))) == [(1, 1), (1, 3), (2, 2)]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (pl.Series([3520212345671], dtype=pl.Int64), pl.Series(["35202-1234567-1"])),
        (pl.Series([3520212345671], dtype=pl.Int64), pl.Series([3520212345671], dtype=pl.UInt64)),
        (
            pl.Series(["35202-1234567-1"]),
            pl.Series(["35202-1234567-1"], dtype=pl.Enum(["35202-1234567-1"])),
        ),
    ],
)
def test_numbers_of_other_types_in_the_other_frame(left: pl.Series, right: pl.Series) -> None:
    spec = plan(compare.cnic("cnic"), rules=[blocking.cnic_within("cnic")])
    a, b = pl.DataFrame({"id": [1], "cnic": left}), pl.DataFrame({"id": [1], "cnic": right})
    pairs = nser.link(a, b, spec, id="id", threshold=None)
    assert pairs.get_column("level_cnic").to_list() == ["exact"]


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (pl.Series([date(2000, 1, 1)]), pl.Series([datetime(2000, 1, 1)])),
        (
            pl.Series([datetime(2000, 1, 1)], dtype=pl.Datetime("ms")),
            pl.Series([datetime(2000, 1, 1)], dtype=pl.Datetime("us")),
        ),
        (pl.Series([7]), pl.Series(["7"])),
    ],
)
def test_keys_of_types_that_cannot_be_equal_are_refused(left: pl.Series, right: pl.Series) -> None:
    spec = plan(compare.exact("x"), rules=[["x"]])
    a, b = pl.DataFrame({"id": [1], "x": left}), pl.DataFrame({"id": [1], "x": right})
    with pytest.raises(nser.SchemaError) as caught:
        nser.link(a, b, spec, id="id")
    assert (caught.value.code, caught.value.column) == ("wrong_column", "x")


def test_whole_numbers_of_other_widths_are_equal() -> None:
    spec = plan(compare.exact("x"), rules=[["x"]])
    a = pl.DataFrame({"id": [1], "x": pl.Series([7], dtype=pl.Int8)})
    b = pl.DataFrame({"id": [1], "x": pl.Series([7], dtype=pl.Int64)})
    assert nser.link(a, b, spec, id="id", threshold=None).height == 1


# ---------------------------------------------------------------------- thresholds, expressions


@pytest.mark.parametrize("threshold", [-20.0, -3.0, 0.0, 2.5, 6.63, 500.0])
def test_a_threshold_keeps_what_reaches_it(threshold: float) -> None:
    every = nser.link(PEOPLE, FULL, id="id", threshold=None)
    kept = nser.link(PEOPLE, FULL, id="id", threshold=threshold)
    assert kept.equals(every.filter(pl.col("match_weight") >= threshold))
    weight = every.get_column("match_weight").sort(descending=True)[10]
    at = nser.link(PEOPLE, FULL, id="id", threshold=weight)
    assert at.get_column("match_weight").min() == weight


def test_probability_is_that_of_the_weight() -> None:
    pairs = nser.link(PEOPLE, FULL, id="id", threshold=None)
    for weight, probability in pairs.select("match_weight", "match_probability").iter_rows():
        assert probability == pytest.approx(1 / (1 + 2**-weight), rel=1e-12)


@pytest.mark.parametrize("threshold", [math.nan, math.inf, -math.inf])
def test_thresholds_that_are_none(threshold: float) -> None:
    with pytest.raises(nser.DomainError) as caught:
        nser.link(PEOPLE, FULL, id="id", threshold=threshold)
    assert caught.value.code == "invalid_option"


SWAPPED = compare.expr(
    "swapped",
    {
        "both": (pl.col("name_left") == pl.col("father_name_right"))
        & (pl.col("father_name_left") == pl.col("name_right")),
        "one": pl.col("name_left") == pl.col("father_name_right"),
    },
    missing=pl.col("relation_left").is_null() | (pl.col("tehsil_right") == ""),
).with_chances(m=[0.6, 0.3, 0.1], u=[0.001, 0.01, 0.989])


def test_expressions() -> None:
    people = pl.DataFrame(
        {
            "id": [1, 2, 3, 4],
            "name": ["asif", "bilal", "asif", None],
            "father_name": ["bilal", "asif", "dawud", "asif"],
            "relation": ["head", "head", None, "head"],
            "tehsil": ["t", "t", "t", "t"],
        }
    )
    spec = nser.LinkSpec(
        compare=[known(compare.exact("tehsil")), SWAPPED], block_on=[["tehsil"]], prior=0.01
    )
    pairs = nser.link(people, spec, id="id", threshold=None)
    levels = {(a, b): lv for a, b, lv in pairs.select(*pairs.columns[:2], "level_swapped").rows()}
    assert levels == {
        (1, 2): "both",
        (1, 3): "else",
        (1, 4): "one",
        (2, 3): "else",
        (2, 4): "else",
        (3, 4): None,
    }
    explained = (
        nser.explain_pairs(pairs, spec).group_by("id_left", "id_right").agg(pl.col("weight").sum())
    )
    joined = pairs.join(explained, on=["id_left", "id_right"])
    assert (joined["weight"] - joined["match_weight"]).abs().max() < 1e-9  # type: ignore[operator]
    for threshold in (-5.0, 0.0, 3.0):
        kept = nser.link(people, spec, id="id", threshold=threshold)
        assert kept.equals(pairs.filter(pl.col("match_weight") >= threshold))


@pytest.mark.parametrize(
    ("expr", "column"),
    [(pl.col("nobody_left") == 1, "nobody"), (pl.col("name") == "x", "name")],
)
def test_expressions_over_columns_that_are_not_there(expr: pl.Expr, column: str) -> None:
    c = compare.expr("x", {"yes": expr}).with_chances(m=[0.9, 0.1], u=[0.1, 0.9])
    spec = nser.LinkSpec(
        compare=[known(compare.exact("sex")), c], block_on=[["household_id"]], prior=0.01
    )
    with pytest.raises(nser.SchemaError) as caught:
        nser.link(PEOPLE, spec, id="id")
    assert caught.value.column == column


# ---------------------------------------------------------------------- explaining


def test_explained_weights_add_up() -> None:
    spec = FULL.replace(
        compare=[known(compare.name("name")), known(compare.exact("district", frequency="all"))]
    )
    pairs = nser.link(PEOPLE, spec, id="id", threshold=None)
    explained = nser.explain_pairs(pairs, spec)
    assert explained.height == pairs.height * 4
    assert explained.get_column("comparison").to_list()[:4] == [
        *("prior", "name", "district", "term frequency"),
    ]
    sums = explained.group_by("id_left", "id_right", maintain_order=True).agg(
        pl.col("weight").sum()
    )
    assert sums.select("id_left", "id_right").equals(pairs.select("id_left", "id_right"))
    apart = sums.get_column("weight") - pairs.get_column("match_weight")
    assert apart.abs().max() < 1e-9  # type: ignore[operator]


def test_explaining_a_scan_of_a_file(tmp_path: Path) -> None:
    pairs = nser.link(PEOPLE, FULL, id="id", to=tmp_path / "pairs.parquet")
    assert nser.explain_pairs(pairs, FULL).equals(nser.explain_pairs(pairs.collect(), FULL))


def test_explaining_with_other_chances_is_refused() -> None:
    spec = plan(compare.exact("sex"), rules=[["household_id"]])
    pairs = nser.link(PEOPLE, spec, id="id", threshold=None)
    with pytest.raises(nser.SchemaError) as caught:
        nser.explain_pairs(pairs, spec.replace(prior=0.5))
    assert caught.value.column == "match_weight"


def test_explaining_with_another_plan_is_refused() -> None:
    pairs = nser.link(PEOPLE, FULL, id="id")
    with pytest.raises(nser.SchemaError, match="level_tehsil"):
        nser.explain_pairs(pairs, plan(compare.exact("tehsil"), rules=[["tehsil"]]))
    other = plan(compare.name("name", levels=[0.5]), rules=[["name"]])
    with pytest.raises(nser.SchemaError) as caught:
        nser.explain_pairs(pairs, other)
    assert caught.value.code == "wrong_column"
    bare = nser.LinkSpec(compare=[compare.exact("sex")], block_on=[["sex"]])
    with pytest.raises(nser.DomainError) as not_learned:
        nser.explain_pairs(pairs, bare)
    assert not_learned.value.code == "not_learned"


# ---------------------------------------------------------------------- files and stopping


@pytest.mark.parametrize("threshold", [None, 0.0, 1000.0])
def test_a_file_holds_what_a_frame_would(tmp_path: Path, threshold: float | None) -> None:
    expected = nser.link(PEOPLE, FULL, id="id", threshold=threshold)
    lazy = nser.link(PEOPLE, FULL, id="id", threshold=threshold, to=tmp_path / "pairs.parquet")
    found = lazy.collect()
    assert found.equals(expected) and found.schema == expected.schema
    assert [p.name for p in tmp_path.iterdir()] == ["pairs.parquet"]


def raising(done: int) -> None:
    raise RuntimeError("enough")


def test_nothing_is_left_of_a_run_that_was_stopped(tmp_path: Path) -> None:
    people = nser.synth.people(20_000, seed=1).records
    spec = FULL.replace(block_on=[["sex"]])
    path = tmp_path / "pairs.parquet"
    path.write_text("the old file")
    stopped = nser.RunControl()
    stopped.cancel()
    controls: list[tuple[nser.RunControl, type[Exception], str | None]] = [
        (stopped, nser.CancelledError, "cancelled"),
        (nser.RunControl(timeout=0.3), nser.CancelledError, "timeout"),
        (nser.RunControl(progress=raising), RuntimeError, None),
    ]
    for control, error, code in controls:
        with pytest.raises(error) as caught:
            nser.link(people, spec, id="id", threshold=30.0, to=path, control=control)
        assert getattr(caught.value, "code", None) == code
        assert [p.name for p in tmp_path.iterdir()] == ["pairs.parquet"]
        assert path.read_text() == "the old file"


def test_a_run_can_be_stopped_from_its_progress(tmp_path: Path) -> None:
    people = nser.synth.people(20_000, seed=1).records
    seen: list[int] = []

    def progress(done: int) -> None:
        seen.append(done)
        if len(seen) == 3:
            control.cancel()

    control = nser.RunControl(progress=progress)
    with pytest.raises(nser.CancelledError):
        nser.link(people, FULL.replace(block_on=[["sex"]]), id="id", threshold=30, control=control)
    assert seen == sorted(seen)


def test_progress_ends_at_all_candidates() -> None:
    seen: list[int] = []
    control = nser.RunControl(progress=seen.append)
    pairs = nser.link(PEOPLE, FULL, id="id", threshold=None, control=control)
    assert seen == sorted(seen) and seen[-1] >= pairs.height


def test_signs_of_patterns_in_a_path(tmp_path: Path) -> None:
    folder = tmp_path / "run[1]*"
    folder.mkdir()
    for name in ("pairs[2].parquet", "pairs?.parquet"):
        found = nser.link(PEOPLE, FULL, id="id", to=folder / name)
        assert found.collect().equals(nser.link(PEOPLE, FULL, id="id"))
    assert len(list(folder.iterdir())) == 2


def test_places_that_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        nser.link(PEOPLE, FULL, id="id", to=tmp_path / "no" / "pairs.parquet")
    with pytest.raises(IsADirectoryError):
        nser.link(PEOPLE, FULL, id="id", to=tmp_path)
    assert list(tmp_path.iterdir()) == []


# ---------------------------------------------------------------------- plans


def test_a_plan_comes_back_from_json_and_pickle(tmp_path: Path) -> None:
    spec = FULL.replace(compare=[*(known(c).with_chances() for c in TWINS[:1]), *FULL.compare[1:]])
    tokens = nser.names.frequencies(PEOPLE["father_name"])
    weighed = [
        compare.name("name", label="by frame", token_frequencies="frame"),
        compare.name("father_name", token_frequencies=tokens),
    ]
    spec = spec.replace(
        compare=[*spec.compare, *(known(c) for c in weighed), SWAPPED],
        block_on=[*spec.rules, blocking.neighbours("name", 4), blocking.equal("sex", max_block=9)],
    )
    assert nser.LinkSpec.from_json(spec.to_json()) == spec
    assert pickle.loads(pickle.dumps(spec)) == spec
    spec.save(tmp_path / "plan.json")
    again = nser.load_link_spec(tmp_path / "plan.json")
    first = nser.link(PEOPLE, spec, id="id", threshold=None)
    assert nser.link(PEOPLE, again, id="id", threshold=None).equals(first)
    assert str(Path(nser.__file__).parent) not in spec.to_json()


def changed(**changes: Any) -> str:
    return json.dumps(json.loads(FULL.to_json()) | changes)


def broken(part: str, **changes: Any) -> str:
    data = json.loads(FULL.to_json())
    data[part][0] |= changes
    return json.dumps(data)


def told(token_frequencies: Any) -> str:
    data = json.loads(FULL.to_json())
    data["compare"][1]["options"]["token_frequencies"] = token_frequencies
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "invalid_spec"),
        ("{", "invalid_spec"),
        ("[]", "invalid_spec"),
        ("3", "invalid_spec"),
        ("null", "invalid_spec"),
        ("{}", "invalid_spec"),
        (changed(schema_version=0), "spec_version"),
        (changed(schema_version=99), "spec_version"),
        (changed(schema_version="1"), "spec_version"),
        (changed(more=1), "invalid_spec"),
        (changed(compare=[]), "invalid_spec"),
        (changed(compare=None), "invalid_spec"),
        (changed(compare=["cnic"]), "invalid_spec"),
        (changed(block_on=3), "invalid_spec"),
        (changed(prior=2), "invalid_spec"),
        (changed(prior="often"), "invalid_spec"),
        (broken("compare", kind="magic"), "invalid_spec"),
        (broken("compare", more=1), "invalid_spec"),
        (broken("compare", m=[0.5]), "invalid_spec"),
        (broken("compare", m="0.5"), "invalid_spec"),
        (broken("compare", levels=["exact"]), "invalid_spec"),
        (broken("compare", options={"levels": 3}), "invalid_spec"),
        (told({"names": 3, "counts": {"ali": "3"}, "min_count": 1}), "invalid_spec"),
        (told({"names": 3, "counts": {"ali": -3}, "min_count": 1}), "invalid_spec"),
        (told({"names": 3, "counts": ["ali"], "min_count": 1}), "invalid_spec"),
        (told({"names": 3, "counts": {}, "min_count": 1, "more": 1}), "invalid_spec"),
        (told({"names": 3}), "invalid_spec"),
        (told("package"), "invalid_spec"),
        (told(3), "invalid_spec"),
        (broken("block_on", kind="magic"), "invalid_spec"),
        (broken("block_on", more=1), "invalid_spec"),
        (broken("block_on", keys=[{"expression": "no expression"}]), "invalid_spec"),
        (broken("block_on", keys=[{"column": 3}]), "invalid_spec"),
        (broken("block_on", window="wide"), "invalid_spec"),
    ],
)
def test_texts_that_are_no_plan(text: str, code: str) -> None:
    with pytest.raises(nser.ModelError) as caught:
        nser.LinkSpec.from_json(text)
    assert caught.value.code == code


@pytest.mark.parametrize(
    "make",
    [
        lambda: nser.LinkSpec(compare=[], block_on=[["a"]]),
        lambda: nser.LinkSpec(compare=[compare.exact("a")], block_on=[]),
        lambda: nser.LinkSpec(compare=[compare.exact("a")], block_on=["a"]),
        lambda: nser.LinkSpec(compare=[compare.exact("a")], block_on=[[]]),
        lambda: nser.LinkSpec(compare=[compare.exact("a"), compare.cnic("a")], block_on=[["a"]]),
        lambda: nser.LinkSpec(compare=[SWAPPED], block_on=[["a"]]),
        lambda: nser.LinkSpec(compare=[compare.exact("a")], block_on=[["a"]], prior=0),
        lambda: compare.exact("a").with_chances(m=[1, 0], u=[0.5, 0.5]),
        lambda: compare.exact("a").with_chances(m=[0.5], u=[0.5, 0.5]),
        lambda: compare.exact("a").with_chances(m=[0.9, 0.2], u=[0.5, 0.5]),
        lambda: nser.LinkSpec(compare=["name"], block_on=[["a"]]),  # type: ignore[list-item]
        lambda: nser.LinkSpec(compare=compare.exact("a"), block_on=[["a"]]),  # type: ignore[arg-type]
        lambda: nser.LinkSpec(compare=[compare.exact("a")], block_on=[[3]]),  # type: ignore[list-item]
        lambda: compare.exact("a").with_chances(u=[math.nan, 0.5]),
        lambda: compare.exact("a", frequency="often"),  # type: ignore[arg-type]
        lambda: compare.name("a", levels=[0.7, 0.9]),
        lambda: compare.name("a", levels=[1.5]),
        lambda: compare.name("a", levels=[(0.9, "alike")]),
        lambda: compare.name("a", token_frequencies="package"),  # type: ignore[arg-type]
        lambda: compare.name("a", token_frequencies={"ali": 3}),  # type: ignore[arg-type]
        lambda: compare.string("a", "soundex"),  # type: ignore[arg-type]
        lambda: compare.string("a", "osa", levels=[2, 1]),
        lambda: compare.string("a", "osa", levels=[1.5]),
        lambda: compare.name("a", levels=[0.9, 0.9]),
        lambda: compare.date("a", levels=["one_slip", "one_slip"]),
        lambda: compare.date("a", levels=[366, 31]),
        lambda: compare.number("a", levels=[5, 1]),
        lambda: compare.number("a", levels=["10%", "5%"]),
        lambda: compare.set("a", levels=[1, 2]),
        lambda: compare.set("a", levels=[0.2, 0.5]),
        lambda: compare.string("a", "osa", levels=[0]),
        lambda: compare.date("a", levels=["same_month"]),
        lambda: compare.date("a", levels=[0]),
        lambda: compare.date("a", levels=[True]),
        lambda: compare.number("a", levels=[-1]),
        lambda: compare.number("a", levels=["ten%"]),
        lambda: compare.number("a", levels=["10"]),
        lambda: compare.number("a", levels=[math.inf]),
        lambda: compare.set("a", levels=[1.5]),
        lambda: compare.set("a", levels=[0]),
        lambda: compare.set("a", levels=[True]),
        lambda: compare.expr("a", {}),
        lambda: compare.expr("a", {"else": pl.col("x_left")}),
        lambda: compare.expr("a", {"yes": pl.lit(True)}),
        lambda: compare.expr("a", {"yes": "x_left"}),  # type: ignore[dict-item]
        lambda: blocking.equal(),
        lambda: blocking.equal("a", max_block=1),
        lambda: blocking.cnic_within("a", 2),
        lambda: blocking.neighbours("a", window=1),
        lambda: blocking.neighbours("a", window=2.5),  # type: ignore[arg-type]
        lambda: blocking.equal("a", max_block=2.5),  # type: ignore[arg-type]
        lambda: blocking.equal(3),  # type: ignore[arg-type]
    ],
)
def test_options_that_are_not_allowed(make: Any) -> None:
    with pytest.raises(nser.DomainError) as caught:
        make()
    assert caught.value.code == "invalid_option"


def test_a_rule_reads_as_it_was_written() -> None:
    rule = blocking.equal(nser.names.key("name"), "birth_date")
    assert rule.label == 'col("name").names.key(), birth_date'
    assert rule.columns == {"name", "birth_date"}


# ---------------------------------------------------------------------- bad input


def secret(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(cnic=pl.lit("35202-1234567-1"), name=pl.lit("Bushra Zahid"))


@pytest.mark.parametrize(
    ("frame", "code", "column", "row"),
    [
        (PEOPLE.drop("id"), "missing_column", "id", None),
        (PEOPLE.drop("cnic"), "missing_column", "cnic", None),
        (PEOPLE.drop("household_id"), "missing_column", "household_id", None),
        (
            PEOPLE.with_columns(id=pl.when(pl.col("id") != 3).then("id")),
            "missing_id",
            "id",
            2,
        ),
        (PEOPLE.with_columns(id=pl.col("id") % 399), "duplicate_id", "id", PEOPLE.height - 1),
        (PEOPLE.with_columns(id=pl.concat_list("id")), "wrong_column", "id", None),
        (PEOPLE.with_columns(id=pl.col("id").cast(pl.Float64)), "wrong_column", "id", None),
        (PEOPLE.with_columns(name=pl.col("id")), "wrong_column", "name", None),
        (
            PEOPLE.with_columns(birth_date=pl.lit("1999-09-09")),
            "wrong_column",
            "birth_date",
            None,
        ),
        (PEOPLE.with_columns(sex=pl.struct("id")), "wrong_column", "sex", None),
        (PEOPLE.with_columns(cnic=pl.lit(True)), "wrong_column", "cnic", None),
        (PEOPLE.with_columns(cnic=pl.concat_list("id")), "wrong_column", "cnic", None),
    ],
)
def test_bad_frames(frame: pl.DataFrame, code: str, column: str, row: int | None) -> None:
    if "cnic" in frame.columns and frame.schema["cnic"] == pl.String:
        frame = frame.with_columns(cnic=pl.lit("35202-1234567-1"))
    with pytest.raises(nser.SchemaError) as caught:
        nser.link(frame, FULL, id="id")
    error = caught.value
    assert (error.code, error.column, error.row) == (code, column, row)
    assert "1234567" not in str(error)


def test_ids_of_two_types() -> None:
    other = PEOPLE.with_columns(pl.col("id").cast(pl.String))
    with pytest.raises(nser.SchemaError) as caught:
        nser.link(PEOPLE, other, FULL, id="id")
    assert caught.value.code == "wrong_column"


def test_a_key_that_is_not_one_value_a_row() -> None:
    spec = plan(compare.exact("sex"), rules=[[pl.col("id").max()]])
    with pytest.raises(nser.SchemaError) as caught:
        nser.link(PEOPLE, spec, id="id")
    assert caught.value.code == "wrong_column"


@pytest.mark.parametrize("where", ["rule", "comparison"])
def test_errors_of_expressions_show_no_value(where: str) -> None:
    spec = plan(compare.exact("sex"), rules=[["household_id"]])
    if where == "rule":
        spec = spec.replace(block_on=[[pl.col("cnic").str.replace("3", "x").cast(pl.Int64)]])
    else:
        number = pl.col("name_left").cast(pl.Int64) == 3
        told = compare.expr("odd", {"yes": number}).with_chances(m=[0.9, 0.1], u=[0.1, 0.9])
        spec = spec.replace(compare=[*spec.compare, told])
    with pytest.raises(nser.SchemaError) as caught:
        nser.link(PEOPLE, spec, id="id", threshold=None)
    shown = str(caught.value) + str(caught.value.__cause__)
    assert caught.value.code == "wrong_column"
    for column in ("cnic", "name"):
        assert not any(v in shown for v in PEOPLE[column].drop_nulls().to_list())


def test_a_plan_in_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(FULL.to_json().encode("utf-16"))
    with pytest.raises(nser.ModelError) as caught:
        nser.load_link_spec(tmp_path / "plan.json")
    assert caught.value.code == "invalid_spec"


def test_a_missing_column_is_said_of_its_frame() -> None:
    with pytest.raises(nser.SchemaError, match="'sex' is missing in the right frame") as caught:
        nser.link(PEOPLE, PEOPLE.rename({"sex": "sexe"}), FULL, id="id")
    assert caught.value.hint is not None and "'sexe'" in caught.value.hint


def test_plans_and_arguments() -> None:
    for frames in ((PEOPLE.to_dict(), FULL), (PEOPLE, PEOPLE.to_dict(), FULL)):
        with pytest.raises(nser.DomainError, match="Polars frame"):
            nser.link(*frames, id="id")
    bare = nser.LinkSpec(compare=[compare.exact("sex")], block_on=[["sex"]])
    with pytest.raises(nser.DomainError) as caught:
        nser.link(PEOPLE, bare, id="id")
    assert caught.value.code == "not_learned"
    for arguments in ((PEOPLE, FULL, FULL), (PEOPLE, PEOPLE)):
        with pytest.raises(nser.DomainError) as wrong:
            nser.link(*arguments, id="id")  # type: ignore[call-overload]
        assert wrong.value.code == "invalid_option"


@pytest.mark.parametrize("rows", [0, 1])
def test_frames_without_pairs(rows: int, tmp_path: Path) -> None:
    few = PEOPLE.head(rows)
    expected = nser.link(PEOPLE, FULL, id="id").schema
    assert nser.link(few, FULL, id="id").schema == expected
    assert nser.link(few, few, FULL, id="id", threshold=None).height <= 1
    assert nser.link(PEOPLE, few.clear(), FULL, id="id").height == 0
    assert nser.link(few.clear(), PEOPLE, FULL, id="id").height == 0
    lazy = nser.link(few, FULL, id="id", to=tmp_path / "none.parquet")
    assert lazy.collect().schema == expected
    counts = nser.count_pairs(few, FULL, id="id")
    assert counts.get_column("pairs").sum() == 0


def test_columns_without_a_value() -> None:
    columns = ["cnic", "name", "birth_date", "sex", "district"]
    empty = PEOPLE.with_columns(pl.lit(None, dtype=PEOPLE.schema[c]).alias(c) for c in columns)
    for frame in (empty, PEOPLE.with_columns(pl.lit(None).alias(c) for c in columns)):
        pairs = nser.link(frame, FULL, id="id", threshold=None)
        assert pairs.height > 0  # of households
        assert all(pairs.get_column(f"level_{c}").null_count() == pairs.height for c in columns)
        weights = pairs.get_column("match_weight").unique().to_list()
        assert weights == [pytest.approx(math.log2(0.01 / 0.99))]


def test_one_value_in_every_row_is_bounded_by_a_cap() -> None:
    people = secret(nser.synth.people(30_000, seed=1).records)
    spec = plan(
        compare.exact("name"),
        rules=[blocking.equal("name", max_block=1000), ["birth_date", "district"]],
    )
    counts = nser.count_pairs(people, spec, id="id")
    assert counts.item(0, "dropped_pairs") == math.comb(30_000, 2)
    assert counts.item(0, "pairs") == 0
    pairs = nser.link(people, spec, id="id", threshold=None)
    assert pairs.height == counts.get_column("new_pairs").sum()


@pytest.mark.parametrize("dtype", [pl.String, pl.Categorical, pl.UInt8, pl.Int64])
def test_ids_keep_their_type(dtype: Any) -> None:
    people = PEOPLE.head(200).with_columns(pl.col("id").cast(pl.String).cast(dtype))
    pairs = nser.link(people, FULL, id="id", threshold=None)
    assert pairs.schema["id_left"] == people.schema["id"]
    values = [(str(a), str(b)) for a, b in ids(pairs)]
    numeric = dtype not in (pl.String, pl.Categorical)
    assert all(int(a) < int(b) if numeric else a < b for a, b in values)


def test_text_may_be_enum_or_categorical() -> None:
    expected = nser.link(PEOPLE, FULL, id="id", threshold=None)
    for dtype in (pl.Categorical, pl.Enum(PEOPLE["district"].unique().drop_nulls().sort())):
        other = PEOPLE.with_columns(pl.col("district").cast(dtype))
        assert nser.link(other, FULL, id="id", threshold=None).equals(expected)
