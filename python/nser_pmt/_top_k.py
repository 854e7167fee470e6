"""The most similar strings of a dictionary: `top_k`, and a `Dictionary` prepared once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, TypeAlias

import polars as pl

from nser_pmt import _engine, _native
from nser_pmt._options import chosen, invalid
from nser_pmt.control import RunControl
from nser_pmt.errors import SchemaError

__all__ = ["Dictionary", "Scorer", "top_k"]

Scorer: TypeAlias = Literal["jaro_winkler", "levenshtein"]


class Dictionary:
    """Strings prepared for look-ups by `top_k`: for a service that asks again and again.

    Takes about 50 bytes a name besides the strings themselves. Immutable; may be used from several
    threads, and pickled.

    Parameters
    ----------
    strings
        Series or any iterable of strings. A null never matches.
    control
        Threads and a time limit; see `RunControl`.

    Raises
    ------
    SchemaError
        What is given is not text.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> known = nser.similarity.Dictionary(["Muhammad Ali", "Ahmed Raza", "Ali Ahmed"])
    >>> known
    Dictionary(3 strings)
    >>> nser.similarity.top_k("Ahmad Raza", known, k=1)["match"].to_list()
    ['Ahmed Raza']
    """

    __slots__ = ("_native", "_strings")

    def __init__(
        self, strings: pl.Series | Iterable[str | None], *, control: RunControl | None = None
    ) -> None:
        self._strings = _texts(strings, "dictionary")
        control = control or RunControl()
        self._native = _native.Dictionary(
            _engine.columns([self._strings])[0],
            len(self._strings),
            threads=control.threads,
            control=control._native,
            timeout=control.timeout,
        )

    @property
    def strings(self) -> pl.Series:
        """The strings, as they were given."""
        return self._strings

    def __len__(self) -> int:
        return len(self._strings)

    def __repr__(self) -> str:
        return f"Dictionary({len(self):,} strings)"

    def __reduce__(self) -> tuple[type[Dictionary], tuple[pl.Series]]:
        return Dictionary, (self._strings,)


def top_k(
    queries: pl.Series | Iterable[str | None] | str,
    dictionary: Dictionary | pl.Series | Iterable[str | None],
    *,
    k: int = 5,
    cutoff: float = 0.0,
    scorer: Scorer = "jaro_winkler",
    control: RunControl | None = None,
) -> pl.DataFrame:
    """Find the most similar strings of a dictionary for every query.

    The answer is that of scoring every pair, but nearly no pair is scored, and no matrix is made:
    memory grows with the dictionary and the answer only.

    Parameters
    ----------
    queries
        Series or any iterable of strings, or one string. A null has no matches.
    dictionary
        Series or any iterable of strings, or a `Dictionary` prepared before. A null never matches.
    k
        Most matches of a query, at least 1.
    cutoff
        Lowest score of a match, in [0, 1]. The higher it is, the faster the search.
    scorer
        ``"jaro_winkler"``, or ``"levenshtein"``: 1 - distance / length of the longer string.
        Both compare Unicode characters as they are: fold names first.
    control
        Threads, time limit, progress in queries done (equal queries count once); see `RunControl`.

    Returns
    -------
    DataFrame
        One row for each match, by query and rank: ``query_index`` (UInt32, row of the query),
        ``query`` (as given), ``rank`` (UInt32, from 1), ``match_index`` (UInt32, row of the
        dictionary), ``match`` (as given), ``score`` (Float64 in [0, 1]). Of equal scores, the lower
        ``match_index`` comes first; equal strings in different rows are different matches. A query
        without a match has no row.

    Raises
    ------
    SchemaError
        Queries or dictionary are not text.
    CancelledError
        Stopped through `control`.
    DomainError
        `k`, `cutoff` or `scorer` is not allowed (code ``invalid_option``).

    Notes
    -----
    The scores are RapidFuzz's ``JaroWinkler.similarity`` and ``Levenshtein.normalized_similarity``
    to the last bit, and the same for any number of threads and on any processor. An empty string
    scores 1 with an empty one and 0 with any other.

    Pairs are left out by an upper bound of their score. It follows from the lengths, from the first
    characters, and from how many characters the two strings have in common in any order.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> known = ["Muhammad Ali", "Ahmed Raza", "Ali Ahmed", None, "محمد علی"]
    >>> nser.similarity.top_k(["Ahmad Raza", "محمد علی خان"], known, k=2, cutoff=0.7)
    shape: (2, 6)
    ┌─────────────┬──────────────┬──────┬─────────────┬────────────┬──────────┐
    │ query_index ┆ query        ┆ rank ┆ match_index ┆ match      ┆ score    │
    │ ---         ┆ ---          ┆ ---  ┆ ---         ┆ ---        ┆ ---      │
    │ u32         ┆ str          ┆ u32  ┆ u32         ┆ str        ┆ f64      │
    ╞═════════════╪══════════════╪══════╪═════════════╪════════════╪══════════╡
    │ 0           ┆ Ahmad Raza   ┆ 1    ┆ 1           ┆ Ahmed Raza ┆ 0.875556 │
    │ 1           ┆ محمد علی خان ┆ 1    ┆ 4           ┆ محمد علی   ┆ 0.933333 │
    └─────────────┴──────────────┴──────┴─────────────┴────────────┴──────────┘
    """
    chosen("scorer", scorer, Scorer)
    if k < 1:
        raise invalid("k must be at least 1")
    if not 0 <= cutoff <= 1:
        raise invalid("cutoff must be a similarity from 0 to 1")
    asked = _texts([queries] if isinstance(queries, str) else queries, "queries")
    control = control or RunControl()
    if not isinstance(dictionary, Dictionary):
        dictionary = Dictionary(dictionary, control=control)
    stream = dictionary._native.top_k(
        _engine.columns([asked])[0],
        len(asked),
        scorer=scorer,
        k=min(k, len(dictionary)),
        cutoff=cutoff,
        threads=control.threads,
        control=control._native,
        timeout=control.timeout,
        tick=control.progress,
    )
    found = _engine.frame(stream, {})
    return found.select(
        "query_index",
        asked.gather(found["query_index"]).alias("query"),
        "rank",
        "match_index",
        dictionary.strings.gather(found["match_index"]).alias("match"),
        "score",
    )


def _texts(values: pl.Series | Iterable[str | None], what: str) -> pl.Series:
    if not isinstance(values, pl.Series):
        try:
            values = pl.Series(values=list(values), dtype=pl.String, strict=True)
        except TypeError:
            raise _not_text(what) from None  # Polars' text would show a value
    if not isinstance(values.dtype, (pl.String, pl.Enum, pl.Categorical, pl.Null)):
        raise _not_text(what)
    return values.rechunk()


def _not_text(what: str) -> SchemaError:
    return SchemaError(f"column '{what}': expected text", code="wrong_column", column=what)
