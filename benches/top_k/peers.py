"""The same question put to the peers: the five most similar names for each query.

RapidFuzz fills a matrix, in blocks that fit in memory, of which NumPy keeps the best of each row;
with `score_cutoff` it may stop early, but matches that are worse are lost. Cosine
similarity of character trigrams weighted by TF-IDF is another measure, so its answers are others.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz import distance, process

import nser_pmt as nser
from timing import Forms

K = 5
BLOCK = 25_000  # names
SCORERS: dict[str, tuple[Callable[..., float], float]] = {
    "jaro_winkler": (distance.JaroWinkler.similarity, 0.8),
    "levenshtein": (distance.Levenshtein.normalized_similarity, 0.6),
}

Matches = tuple[npt.NDArray[np.intp], npt.NDArray[Any]]


def cdist(
    queries: list[str],
    names: list[str],
    scorer: str,
    threads: int,
    *,
    cutoff: float | None = None,
    dtype: type = np.float32,
) -> Matches:
    """Return rows and scores of the best names, in no order."""
    rows = np.empty((len(queries), 0), np.intp)
    scores = np.empty((len(queries), 0), dtype)
    for start in range(0, len(names), BLOCK):
        block = process.cdist(
            queries,
            names[start : start + BLOCK],
            scorer=SCORERS[scorer][0],
            score_cutoff=cutoff,
            dtype=dtype,
            workers=threads,
        )
        if cutoff is None:
            best = np.argpartition(block, -K, axis=1)[:, -K:]
        else:  # NumPy is slow when nearly all are the lowest
            best = np.argpartition(np.negative(block, out=block), K, axis=1)[:, :K]
            np.negative(block, out=block)
        rows = np.hstack([rows, best + start])
        scores = np.hstack([scores, np.take_along_axis(block, best, axis=1)])
    best = np.argpartition(scores, -K, axis=1)[:, -K:]
    return np.take_along_axis(rows, best, axis=1), np.take_along_axis(scores, best, axis=1)


def exact(queries: list[str], names: list[str], scorer: str) -> list[tuple[int, int, float]]:
    """Return query, row and score of the best names; of equal scores, the lower row first."""
    matrix = process.cdist(queries, names, scorer=SCORERS[scorer][0], dtype=np.float64)
    found = []
    for query, scores in enumerate(matrix):
        best = np.argsort(-scores, kind="stable")[:K]
        found += [(query, int(row), float(scores[row])) for row in best]
    return found


def rapidfuzz(queries: list[str], names: list[str], scorer: str, threads: int) -> Forms:
    cutoff = SCORERS[scorer][1]
    return {
        "cdist": lambda: cdist(queries, names, scorer, threads),
        "cdist with score_cutoff": lambda: cdist(queries, names, scorer, threads, cutoff=cutoff),
    }


def tf_idf(queries: list[str], names: list[str], threads: int) -> Forms:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sparse_dot_topn import sp_matmul_topn

    def prepare() -> Any:
        vectorizer = TfidfVectorizer(
            analyzer="char", ngram_range=(3, 3), lowercase=False, dtype=np.float32
        )
        return vectorizer, vectorizer.fit_transform(names).T.tocsr()

    def look_up(prepared: Any) -> Any:
        vectorizer, matrix = prepared
        asked = vectorizer.transform(queries)
        return sp_matmul_topn(asked, matrix, top_n=K, n_threads=threads, sort=True)

    prepared = prepare()
    return {
        "one shot": lambda: look_up(prepare()),
        "prepared": lambda: look_up(prepared),
    }


def ours(queries: Any, names: Any, scorer: Any) -> Forms:
    similarity = nser.similarity
    prepared = similarity.Dictionary(names)
    return {
        "one shot": lambda: similarity.top_k(queries, names, k=K, scorer=scorer),
        "prepared": lambda: similarity.top_k(queries, prepared, k=K, scorer=scorer),
    }
