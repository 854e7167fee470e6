"""Look-ups are exact: the same rows and the same bits as scoring every pair with RapidFuzz."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rapidfuzz.distance import JaroWinkler, Levenshtein

from nser_pmt import _native
from nser_pmt._top_k import Dictionary, Scorer, top_k

SCORERS: dict[Scorer, Callable[[str, str], float]] = {
    "jaro_winkler": JaroWinkler.similarity,
    "levenshtein": Levenshtein.normalized_similarity,
}

few = st.text("abc ", max_size=9)
names = st.text("abcdeilmnrsu AMS-محدعلی", max_size=40)
anything = st.text(max_size=20)
long = st.text("ab ", min_size=50, max_size=150)
texts = few | names | anything | long


@st.composite
def columns(draw: st.DrawFn) -> tuple[list[str | None], list[str | None]]:
    """Queries and a dictionary, many of whose strings are near each other."""
    pool = draw(st.lists(texts, min_size=1, max_size=12))
    near = [
        text[:at] + draw(st.sampled_from(["", "a", "م", "x"])) + text[at + 1 :]
        for text in pool
        for at in [draw(st.integers(0, len(text)))]
    ]
    some = st.sampled_from([*pool, *near, None])
    return draw(st.lists(some, max_size=6)), draw(st.lists(some, max_size=40))


def every_pair(
    queries: list[str | None], dictionary: list[str | None], k: int, cutoff: float, scorer: Scorer
) -> list[tuple[int, int, float]]:
    found = []
    for index, query in enumerate(queries):
        scored = [
            (-SCORERS[scorer](query, text), row)
            for row, text in enumerate(dictionary)
            if query is not None and text is not None
        ]
        kept = sorted((minus, row) for minus, row in scored if -minus >= cutoff)[:k]
        found += [(index, row, -minus) for minus, row in kept]
    return found


@pytest.mark.parametrize("scorer", SCORERS)
@given(
    given=columns(),
    k=st.sampled_from([1, 2, 5, 100]),
    cutoff=st.sampled_from([0.0, 0.5, 0.7, 0.8, 0.9, 1.0]),
)
def test_the_same_as_scoring_every_pair(
    scorer: Scorer, given: tuple[list[str | None], list[str | None]], k: int, cutoff: float
) -> None:
    queries, dictionary = given
    found = top_k(queries, dictionary, k=k, cutoff=cutoff, scorer=scorer)
    expected = every_pair(queries, dictionary, k, cutoff, scorer)
    assert found.select("query_index", "match_index", "score").rows() == expected


@pytest.mark.parametrize("scorer", SCORERS)
@given(given=columns(), k=st.sampled_from([1, 3]))
def test_instruction_sets_agree(
    scorer: Scorer, given: tuple[list[str | None], list[str | None]], k: int
) -> None:
    queries = pl.Series(given[0], dtype=pl.String)
    native = Dictionary(given[1])._native

    def run(isa: str) -> pl.DataFrame:
        return pl.DataFrame(
            native.top_k(queries, len(queries), scorer=scorer, k=k, cutoff=0.0, isa=isa)
        )

    first, *others = (run(isa) for isa in _native.isa_names())
    assert all(other.equals(first) for other in others)
