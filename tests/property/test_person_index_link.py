"""Searching an index gives what linking two frames gives."""

from __future__ import annotations

import math
import threading
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import nser_pmt as nser
from nser_pmt import synth

CAP = 60
UNSHRUNK = [Phase.explicit, Phase.reuse, Phase.generate]  # a case says enough, and is slow


def chances(levels: int, odd: float) -> dict[str, list[float]]:
    """Chances that differ at each level and for each comparison, so that a wrong level shows."""
    m = [0.9 / (1.7 + odd) ** k for k in range(levels)]
    u = [1e-4 * (3.1 - odd) ** k for k in range(levels - 1)]
    return {"m": [x / sum(m) for x in m], "u": [*u, 1 - sum(u)]}


def plan(**frequency: Any) -> nser.LinkSpec:
    compare = nser.compare
    comparisons = [
        compare.cnic("cnic"),
        compare.name("name", frequency=frequency.get("name", "none")),
        compare.name("father_name", levels=[0.9, (0.8, "subset"), 0.7], frequency="none"),
        compare.date("birth_date", frequency=frequency.get("birth_date", "none")),
        compare.exact("sex"),
        compare.exact("district", frequency=frequency.get("district", "none")),
        compare.string("tehsil", frequency=frequency.get("tehsil", "none")),
        compare.set("phones", levels=[1]),
        compare.number("age", levels=[1, "10%"], frequency=frequency.get("age", "none")),
    ]
    blocking = nser.blocking
    return nser.LinkSpec(
        compare=[
            c.with_chances(**chances(len(c.levels), 0.0371 * k**1.5))
            for k, c in enumerate(comparisons)
        ],
        block_on=[
            blocking.cnic_within("cnic"),
            ["birth_date", "district"],
            blocking.equal(nser.names.key("name"), pl.col("birth_date").dt.year(), max_block=CAP),
            ["phone"],
            [pl.col("name").str.head(4).str.to_lowercase(), pl.col("cnic").str.tail(4)],
        ],
        prior=1e-4,
    )


def widened(frame: pl.DataFrame) -> pl.DataFrame:
    number = pl.col("id") % 7
    return frame.with_columns(
        phones=pl.concat_list(pl.col("phone"), pl.lit("0300") + number.cast(pl.String)),
        age=2026.0 - pl.col("birth_date").dt.year(),
    )


@pytest.fixture(scope="module")
def persons() -> pl.DataFrame:
    return widened(synth.people(3000, seed=11, duplicates=0.3).records)


def split(persons: pl.DataFrame, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    mixed = persons.sample(fraction=1.0, shuffle=True, seed=seed)
    return mixed.head(400), mixed.slice(400)


def adjusted(
    pairs: pl.DataFrame, queries: pl.DataFrame, citizens: pl.DataFrame, spec: nser.LinkSpec
) -> pl.DataFrame:
    """Add to weights without term frequency what the frequencies among citizens make of them."""
    for c in spec.compare:
        if c.frequency == "none":
            continue
        assert c.u is not None
        value = nser.names.fold(c.column) if c.kind == "name" else pl.col(c.column)
        sides = [frame.select("id", value.alias("value")) for frame in (queries, citizens)]
        known = sides[1].get_column("value").drop_nulls()
        counts = dict(known.value_counts().iter_rows())
        last = 1 if c.frequency == "exact" else len(c.levels) - 1
        of_query, of_citizen = (dict(side.iter_rows()) for side in sides)

        def rarity(value: Any, counts: Any = counts, total: int = len(known)) -> float:
            count = counts.get(value, 0)
            rare: float = (
                pl.Series([math.log2(total / count)], dtype=pl.Float32)[0] if count else math.inf
            )
            return rare

        added = []
        for left, right, level in pairs.select(
            "id_left", "id_right", f"level_{c.label}"
        ).iter_rows():
            place = 0 if level is None else c.levels.index(level) + 1
            rare = min(rarity(of_query[left]), rarity(of_citizen[right]))
            added.append(math.log2(c.u[0]) + rare if 1 <= place <= last else 0.0)
        pairs = pairs.with_columns(match_weight=pl.col("match_weight") + pl.Series(added))
    return pairs


def expected(
    queries: pl.DataFrame,
    citizens: pl.DataFrame,
    spec: nser.LinkSpec,
    k: int,
    threshold: float | None,
) -> pl.DataFrame:
    """The k best of the pairs of two frames, one query at a time for the caps."""
    plain = nser.LinkSpec(
        compare=[
            nser.compare.Comparison(**{**c.__dict__, "frequency": "none"}) for c in spec.compare
        ],
        block_on=[nser.blocking.Rule(**{**r.__dict__, "max_block": None}) for r in spec.rules],
        prior=spec.prior,
    )
    assert all(r.max_block is None or r.max_block == CAP for r in spec.rules)
    pairs = nser.link(queries, citizens, plain, id="id", threshold=None)
    pairs = adjusted(pairs, queries, citizens, spec)
    if threshold is not None:
        pairs = pairs.filter(pl.col("match_weight") >= threshold)
    numbers = queries.select(pl.col("id").alias("id_left")).with_row_index("query_index")
    rank = pl.int_range(1, pl.len() + 1, dtype=pl.UInt32).over("query_index").alias("rank")
    return (
        pairs.join(numbers, on="id_left")
        .sort("query_index", -pl.col("match_weight").round(9), "id_right")
        .with_columns(rank)
        .filter(pl.col("rank") <= k)
        .select(
            "query_index",
            "rank",
            pl.col("id_right").alias("id"),
            "match_weight",
            pl.col("^level_.*$"),
        )
    )


def check(found: pl.DataFrame, wanted: pl.DataFrame) -> None:
    assert found.columns[:5] == ["query_index", "rank", "id", "match_weight", "match_probability"]
    levels = [c for c in found.columns if c.startswith("level_")]
    shown = ["query_index", "rank", "id", *levels]
    # Before Polars 1.32 an Enum from outside equals no other one.
    text = pl.col(levels).cast(pl.String)
    assert found.select(shown).with_columns(text).equals(wanted.select(shown).with_columns(text))
    apart = (found["match_weight"] - wanted["match_weight"]).abs().max()
    assert apart is None or apart < 1e-9


def uncapped(spec: nser.LinkSpec) -> nser.LinkSpec:
    rules = [nser.blocking.Rule(**{**rule.__dict__, "max_block": None}) for rule in spec.rules]
    return spec.replace(block_on=rules)


@settings(max_examples=6, deadline=None, phases=UNSHRUNK)
@given(
    seed=st.integers(0, 10**6),
    frequency=st.fixed_dictionaries(
        {
            column: st.sampled_from(["none", "exact", "all"])
            for column in ("name", "birth_date", "district", "tehsil", "age")
        }
    ),
    threshold=st.sampled_from([None, 0.0, 8.0]),
)
def test_searching_is_linking(
    persons: pl.DataFrame, seed: int, frequency: Any, threshold: float | None
) -> None:
    queries, citizens = split(persons, seed)
    spec = uncapped(plan(**frequency))
    index = nser.PersonIndex(citizens, spec, id="id", max_block=10**6)
    found = index.search(queries, k=5, threshold=threshold)
    check(found, expected(queries, citizens, spec, 5, threshold))
    assert found.height > 100


@settings(max_examples=5, deadline=None, phases=UNSHRUNK)
@given(seed=st.integers(0, 10**6), cuts=st.lists(st.integers(1, 900), min_size=1, max_size=5))
def test_an_index_that_was_changed_is_one_of_the_persons_it_holds(
    persons: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory, seed: int, cuts: list[int]
) -> None:
    queries, citizens = split(persons, seed)
    spec = plan(name="all", district="exact", tehsil="all")
    first, later = citizens.head(1200), citizens.slice(1200)
    index = nser.PersonIndex(first, spec, id="id", max_block=12)
    held = first
    for cut in cuts:
        some, later = later.head(cut), later.slice(cut)
        index.add(some)
        held = pl.concat([held, some])
        gone = held.sample(min(held.height, 37), seed=seed)["id"]
        assert index.remove(gone) == len(gone)
        assert index.remove(gone) == 0
        held = held.filter(~pl.col("id").is_in(gone.to_list()))
        assert len(index) == held.height
    new = nser.PersonIndex(held, spec, id="id", max_block=12)
    wanted = new.search(queries, k=4, threshold=None)
    assert index.search(queries, k=4, threshold=None).equals(wanted)
    path = tmp_path_factory.mktemp("index") / "people.index"
    index.save(path)
    loaded = nser.PersonIndex.load(path, verify=True)
    assert loaded.search(queries, k=4, threshold=None).equals(wanted)
    assert loaded.rules.equals(new.rules)
    new.save(path)  # the mapped file is replaced, not changed
    assert loaded.search(queries, k=4, threshold=None).equals(wanted)


def test_a_record_and_a_frame_of_one_row_give_the_same(persons: pl.DataFrame) -> None:
    queries, citizens = split(persons, 5)
    index = nser.PersonIndex(citizens, plan(name="exact"), id="id")
    frame = index.search(queries, k=3, threshold=-5)
    for number, record in enumerate(queries.head(150).iter_rows(named=True)):
        found = index.search(record, k=3, threshold=-5)
        wanted = frame.filter(pl.col("query_index") == number)
        assert [(p.id, p.match_weight) for p in found] == list(
            wanted.select("id", "match_weight").iter_rows()
        )
        levels = wanted.select(pl.col("^level_.*$").cast(pl.String))
        levels.columns = [name.removeprefix("level_") for name in levels.columns]
        assert [dict(p.levels) for p in found] == levels.to_dicts()
        probabilities = wanted["match_probability"].to_list()
        assert [p.match_probability for p in found] == pytest.approx(probabilities, abs=1e-12)


def test_blocks_above_the_cap_are_left_out_and_reported(persons: pl.DataFrame) -> None:
    citizens = persons.head(800)
    exact = nser.compare.exact("sex").with_chances(m=[0.9, 0.1], u=[0.5, 0.5])
    spec = nser.LinkSpec(compare=[exact], block_on=[["district"]], prior=0.1)
    sizes = citizens.drop_nulls("district").group_by("district").len()
    cap = int(sizes["len"].sort()[len(sizes) // 2]) + 1
    index = nser.PersonIndex(citizens, spec, id="id", max_block=cap)
    rules = index.rules.row(0, named=True)
    large = sizes.filter(pl.col("len") + 1 > cap)
    assert rules["largest_block"] == sizes["len"].max() and rules["keys"] == len(sizes)
    assert (rules["skipped_blocks"], rules["skipped_persons"]) == (len(large), large["len"].sum())
    for district, size in sizes.iter_rows():
        found = index.search({"district": district}, k=10**6, threshold=None)
        assert len(found) == (0 if size + 1 > cap else size)


def test_searches_see_the_persons_of_one_moment(persons: pl.DataFrame) -> None:
    queries, citizens = split(persons, 9)
    spec = plan()
    index = nser.PersonIndex(citizens.head(1500), spec, id="id", max_block=10**6)
    more = citizens.slice(1500, 400)
    queries = queries.head(60)
    before = index.search(queries, threshold=None)
    index.add(more)
    after = index.search(queries, threshold=None)
    index.remove(more["id"])
    assert not before.equals(after)
    faults: list[str] = []
    done = threading.Event()

    def search() -> None:
        while not done.is_set():
            found = index.search(queries, threshold=None)
            if not (found.equals(before) or found.equals(after)):
                faults.append("half")

    readers = [threading.Thread(target=search) for _ in range(3)]
    for reader in readers:
        reader.start()
    for _ in range(6):
        index.add(more)
        assert index.remove(more["id"]) == more.height
    done.set()
    for reader in readers:
        reader.join()
    assert not faults


@pytest.fixture(scope="module")
def written(persons: pl.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("written") / "people.index"
    nser.PersonIndex(persons.head(300), plan(name="all"), id="id").save(path)
    return path


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_damaged_file_never_brings_anything_down(
    persons: pl.DataFrame, written: Path, data: st.DataObject
) -> None:
    good = written.read_bytes()
    bad = bytearray(good)
    if data.draw(st.booleans()):
        for _ in range(data.draw(st.integers(1, 20))):
            place = data.draw(st.integers(0, len(bad) - 1))
            bad[place] ^= data.draw(st.integers(1, 255))
    else:
        bad = bad[: data.draw(st.integers(0, len(bad) - 1))]
    path = written.with_name("damaged.index")
    path.write_bytes(bad)
    try:
        index = nser.PersonIndex.load(path)
        index.search(persons.head(40), threshold=None)
        index.remove(persons["id"].head(20))
        index.add(persons.slice(300, 20))
        index.search(persons.head(40), threshold=None)
        index.save(path.with_name("again.index"))
    except nser.NserError as error:
        assert not isinstance(error, nser.InternalError)
    if bytes(bad) != good:
        padding = len(bad) == len(good)
        try:
            checked = nser.PersonIndex.load(path, verify=True)
        except nser.ModelError:
            return
        # Only bytes between the sections are not looked at.
        assert padding
        sound = nser.PersonIndex.load(written)
        queries = persons.head(40)
        assert checked.search(queries, threshold=None).equals(sound.search(queries, threshold=None))
