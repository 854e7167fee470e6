"""General string similarity of two columns, of a column and a literal, of many with many.

All functions count Unicode characters (code points), not bytes, and take the text as it is: fold
case, script and marks first where they should not count. All are symmetric. A similarity is a
Float64 from 0 (nothing in common) to 1 (equal); a distance is a UInt32. Null in, null out.

The numbers are those of RapidFuzz, to the bit: `jaro`, `jaro_winkler` are its ``similarity``,
`levenshtein`, `osa`, `damerau_levenshtein` its ``normalized_similarity``, the same with
``_distance`` its ``distance``; `token_sort` and `token_set` are ``fuzz.token_sort_ratio / 100`` and
``fuzz.token_set_ratio / 100``. Only a cutoff within 1e-7 of a similarity may differ: RapidFuzz
rounds cutoffs to single precision.

All but `top_k` make a Polars expression: a string names a column; ``pl.lit("text")`` is the text
itself. A literal is prepared once. Enum and Categorical columns are read by their categories. The
function with ``_one`` behind its name takes two strings, and returns a number.

``cutoff`` says what does not matter: a similarity below it becomes 0.0, a distance above it becomes
``cutoff + 1``. Pairs that cannot reach it are not computed to the end.

A column that is not text raises Polars' ComputeError when an expression is computed, and
`SchemaError` from a function of two strings. A pair is computed to its end before Ctrl-C is heeded:
two texts of a million characters that have little in common take half a minute without a cutoff.

`top_k` finds the most similar strings of a dictionary, `Dictionary` prepares one for a service.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import polars as pl

from nser_pmt import _engine
from nser_pmt._options import chosen, invalid
from nser_pmt._top_k import Dictionary, top_k

if TYPE_CHECKING:
    from polars._typing import IntoExpr

__all__ = [
    "Dictionary",
    "damerau_levenshtein",
    "damerau_levenshtein_distance",
    "damerau_levenshtein_distance_one",
    "damerau_levenshtein_one",
    "dice",
    "dice_one",
    "jaccard",
    "jaccard_one",
    "jaro",
    "jaro_one",
    "jaro_winkler",
    "jaro_winkler_one",
    "levenshtein",
    "levenshtein_distance",
    "levenshtein_distance_one",
    "levenshtein_one",
    "osa",
    "osa_distance",
    "osa_distance_one",
    "osa_one",
    "token_set",
    "token_set_one",
    "token_sort",
    "token_sort_one",
    "top_k",
]

Padding: TypeAlias = Literal["none", "both"]
Counting: TypeAlias = Literal["set", "multiset"]

_LONGEST_GRAM = 6
_LARGEST = 2**32 - 1


def jaro(a: IntoExpr, b: IntoExpr, *, cutoff: float | None = None) -> pl.Expr:
    """Jaro similarity: characters in common, and how many of them stand in another order.

    Parameters
    ----------
    a, b
        Text: a column's name, an expression, or a literal (``pl.lit``).
    cutoff
        From 0 to 1; what is below becomes 0.0.

    Returns
    -------
    Expr
        Float64 from 0 to 1, named after `a`.

    Notes
    -----
    (m/len(a) + m/len(b) + (m - t)/m) / 3, where m characters match within half the longer length,
    less one, and t is half the number of those in another order (Jaro 1989).

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> df = pl.DataFrame({"a": ["MARTHA", "آمنہ"], "b": ["MARHTA", "امنہ"]})
    >>> df.select(nser.similarity.jaro("a", "b").round(4))["a"].to_list()
    [0.9444, 0.8333]
    """
    return _similarity("jaro", a, b, cutoff)


def jaro_one(a: str | None, b: str | None, *, cutoff: float | None = None) -> float | None:
    """Return the `jaro` similarity of two strings; None when one is None."""
    return _similarity_one("jaro", a, b, cutoff)


def jaro_winkler(a: IntoExpr, b: IntoExpr, *, cutoff: float | None = None) -> pl.Expr:
    """Jaro similarity, raised for a common beginning.

    Parameters
    ----------
    a, b
        Text: a column's name, an expression, or a literal (``pl.lit``).
    cutoff
        From 0 to 1; what is below becomes 0.0.

    Returns
    -------
    Expr
        Float64 from 0 to 1, named after `a`.

    Notes
    -----
    s + 0.1 p (1 - s), where s is the Jaro similarity and p the length of the common prefix, at most
    4; s itself when it is not above 0.7 (Winkler 1990).

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> df = pl.DataFrame({"name": ["Amina", "Ameena", "Zainab"]})
    >>> df.select(nser.similarity.jaro_winkler("name", pl.lit("Aminah")).round(3))["name"].to_list()
    [0.967, 0.822, 0.667]
    """
    return _similarity("jaro_winkler", a, b, cutoff)


def jaro_winkler_one(a: str | None, b: str | None, *, cutoff: float | None = None) -> float | None:
    """Return the `jaro_winkler` similarity of two strings; None when one is None."""
    return _similarity_one("jaro_winkler", a, b, cutoff)


def levenshtein(a: IntoExpr, b: IntoExpr, *, cutoff: float | None = None) -> pl.Expr:
    """Levenshtein similarity: 1 - distance / longer length.

    Parameters
    ----------
    a, b
        Text: a column's name, an expression, or a literal (``pl.lit``).
    cutoff
        From 0 to 1; what is below becomes 0.0.

    Returns
    -------
    Expr
        Float64 from 0 to 1, named after `a`.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> df = pl.DataFrame({"a": ["Aslam", "", "Khan"], "b": ["Aslum", "", None]})
    >>> df.select(nser.similarity.levenshtein("a", "b"))["a"].to_list()
    [0.8, 1.0, None]
    """
    return _similarity("levenshtein", a, b, cutoff)


def levenshtein_one(a: str | None, b: str | None, *, cutoff: float | None = None) -> float | None:
    """Return the `levenshtein` similarity of two strings; None when one is None."""
    return _similarity_one("levenshtein", a, b, cutoff)


def levenshtein_distance(a: IntoExpr, b: IntoExpr, *, cutoff: int | None = None) -> pl.Expr:
    """Levenshtein distance: fewest insertions, deletions and substitutions.

    Parameters
    ----------
    a, b
        Text: a column's name, an expression, or a literal (``pl.lit``).
    cutoff
        Largest distance that matters; what is above becomes ``cutoff + 1``.

    Returns
    -------
    Expr
        UInt32, named after `a`.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> df = pl.DataFrame({"a": ["Aslam", "Ghulam Fatima"], "b": ["Aslum", "Zainab"]})
    >>> df.select(nser.similarity.levenshtein_distance("a", "b", cutoff=2))["a"].to_list()
    [1, 3]
    """
    return _distance("levenshtein", a, b, cutoff)


def levenshtein_distance_one(
    a: str | None, b: str | None, *, cutoff: int | None = None
) -> int | None:
    """Return the `levenshtein_distance` of two strings; None when one is None."""
    return _distance_one("levenshtein", a, b, cutoff)


def osa(a: IntoExpr, b: IntoExpr, *, cutoff: float | None = None) -> pl.Expr:
    """Optimal string alignment similarity: 1 - `osa_distance` / longer length.

    Parameters
    ----------
    a, b
        Text: a column's name, an expression, or a literal (``pl.lit``).
    cutoff
        From 0 to 1; what is below becomes 0.0.

    Returns
    -------
    Expr
        Float64 from 0 to 1, named after `a`.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> df = pl.DataFrame({"a": ["Aslam"], "b": ["Alsam"]})
    >>> df.select(nser.similarity.osa("a", "b"))["a"].to_list()
    [0.8]
    """
    return _similarity("osa", a, b, cutoff)


def osa_one(a: str | None, b: str | None, *, cutoff: float | None = None) -> float | None:
    """Return the `osa` similarity of two strings; None when one is None."""
    return _similarity_one("osa", a, b, cutoff)


def osa_distance(a: IntoExpr, b: IntoExpr, *, cutoff: int | None = None) -> pl.Expr:
    """Edit distance with swaps of neighbours, which are not edited again.

    Parameters
    ----------
    a, b
        Text: a column's name, an expression, or a literal (``pl.lit``).
    cutoff
        Largest distance that matters; what is above becomes ``cutoff + 1``.

    Returns
    -------
    Expr
        UInt32, named after `a`.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> df = pl.DataFrame({"a": ["Aslam", "ca"], "b": ["Alsam", "abc"]})
    >>> df.select(nser.similarity.osa_distance("a", "b"))["a"].to_list()
    [1, 3]
    """
    return _distance("osa", a, b, cutoff)


def osa_distance_one(a: str | None, b: str | None, *, cutoff: int | None = None) -> int | None:
    """Return the `osa_distance` of two strings; None when one is None."""
    return _distance_one("osa", a, b, cutoff)


def damerau_levenshtein(a: IntoExpr, b: IntoExpr, *, cutoff: float | None = None) -> pl.Expr:
    """Damerau-Levenshtein similarity: 1 - `damerau_levenshtein_distance` / longer length.

    Parameters
    ----------
    a, b
        Text: a column's name, an expression, or a literal (``pl.lit``).
    cutoff
        From 0 to 1; what is below becomes 0.0.

    Returns
    -------
    Expr
        Float64 from 0 to 1, named after `a`.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> df = pl.DataFrame({"a": ["Aslam"], "b": ["Alsam"]})
    >>> df.select(nser.similarity.damerau_levenshtein("a", "b"))["a"].to_list()
    [0.8]
    """
    return _similarity("damerau_levenshtein", a, b, cutoff)


def damerau_levenshtein_one(
    a: str | None, b: str | None, *, cutoff: float | None = None
) -> float | None:
    """Return the `damerau_levenshtein` similarity of two strings; None when one is None."""
    return _similarity_one("damerau_levenshtein", a, b, cutoff)


def damerau_levenshtein_distance(a: IntoExpr, b: IntoExpr, *, cutoff: int | None = None) -> pl.Expr:
    """Edit distance with swaps of neighbours, which may be edited again.

    Takes time in proportion to both lengths: seconds for texts of 100,000 characters, where the
    other distances take a fraction of one.

    Parameters
    ----------
    a, b
        Text: a column's name, an expression, or a literal (``pl.lit``).
    cutoff
        Largest distance that matters; what is above becomes ``cutoff + 1``.

    Returns
    -------
    Expr
        UInt32, named after `a`.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> df = pl.DataFrame({"a": ["Aslam", "ca"], "b": ["Alsam", "abc"]})
    >>> df.select(nser.similarity.damerau_levenshtein_distance("a", "b"))["a"].to_list()
    [1, 2]
    """
    return _distance("damerau_levenshtein", a, b, cutoff)


def damerau_levenshtein_distance_one(
    a: str | None, b: str | None, *, cutoff: int | None = None
) -> int | None:
    """Return the `damerau_levenshtein_distance` of two strings; None when one is None."""
    return _distance_one("damerau_levenshtein", a, b, cutoff)


def token_sort(a: IntoExpr, b: IntoExpr, *, cutoff: float | None = None) -> pl.Expr:
    """Similarity of the words in alphabetical order.

    Parameters
    ----------
    a, b
        Text: a column's name, an expression, or a literal (``pl.lit``).
    cutoff
        From 0 to 1; what is below becomes 0.0.

    Returns
    -------
    Expr
        Float64 from 0 to 1, named after `a`.

    Notes
    -----
    1 - d / (len(a) + len(b)) of the sorted words joined by spaces, where d counts insertions and
    deletions. As in RapidFuzz, U+0085 and U+00A0 separate words only in a text that has a character
    above U+00FF.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> df = pl.DataFrame({"a": ["Khan Amina", "Amina Bibi"], "b": ["Amina Khan", "Amina"]})
    >>> df.select(nser.similarity.token_sort("a", "b").round(3))["a"].to_list()
    [1.0, 0.667]
    """
    return _similarity("token_sort", a, b, cutoff)


def token_sort_one(a: str | None, b: str | None, *, cutoff: float | None = None) -> float | None:
    """Return the `token_sort` similarity of two strings; None when one is None."""
    return _similarity_one("token_sort", a, b, cutoff)


def token_set(a: IntoExpr, b: IntoExpr, *, cutoff: float | None = None) -> pl.Expr:
    """Similarity of the words in any order, where words of one text alone count little.

    Parameters
    ----------
    a, b
        Text: a column's name, an expression, or a literal (``pl.lit``).
    cutoff
        From 0 to 1; what is below becomes 0.0.

    Returns
    -------
    Expr
        Float64 from 0 to 1, named after `a`. 1 when the words of one text are all in the other; 0
        when a text has no words.

    Notes
    -----
    The best of three ratios as in `token_sort`: the common words with the rest of `a` against the
    common words with the rest of `b`, and the common words against each of these.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> df = pl.DataFrame({"a": ["Amina Bibi Khan"], "b": ["Khan Amina"]})
    >>> df.select(nser.similarity.token_set("a", "b"))["a"].to_list()
    [1.0]
    """
    return _similarity("token_set", a, b, cutoff)


def token_set_one(a: str | None, b: str | None, *, cutoff: float | None = None) -> float | None:
    """Return the `token_set` similarity of two strings; None when one is None."""
    return _similarity_one("token_set", a, b, cutoff)


def jaccard(
    a: IntoExpr,
    b: IntoExpr,
    *,
    q: int = 2,
    padding: Padding = "none",
    counting: Counting = "set",
    cutoff: float | None = None,
) -> pl.Expr:
    """Jaccard similarity of q-grams: those in both texts over those in either.

    Parameters
    ----------
    a, b
        Text: a column's name, an expression, or a literal (``pl.lit``).
    q
        Characters of a q-gram, from 1 to 6.
    padding
        ``"both"`` puts q - 1 marks, which equal no character, before and after a text that is not
        empty, so that its ends count more.
    counting
        ``"set"`` counts different q-grams, ``"multiset"`` each as often as it occurs.
    cutoff
        From 0 to 1; what is below becomes 0.0.

    Returns
    -------
    Expr
        Float64 from 0 to 1, named after `a`. Texts without any q-gram have 1 when they are equal,
        else 0.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> df = pl.DataFrame({"a": ["Amina"], "b": ["Aminah"]})
    >>> df.select(nser.similarity.jaccard("a", "b"))["a"].to_list()
    [0.8]
    """
    return _similarity("jaccard", a, b, cutoff, _grams(q, padding, counting))


def jaccard_one(
    a: str | None,
    b: str | None,
    *,
    q: int = 2,
    padding: Padding = "none",
    counting: Counting = "set",
    cutoff: float | None = None,
) -> float | None:
    """Return the `jaccard` similarity of two strings; None when one is None."""
    return _similarity_one("jaccard", a, b, cutoff, _grams(q, padding, counting))


def dice(
    a: IntoExpr,
    b: IntoExpr,
    *,
    q: int = 2,
    padding: Padding = "none",
    counting: Counting = "set",
    cutoff: float | None = None,
) -> pl.Expr:
    """Sørensen-Dice similarity of q-grams: twice those in both texts over those of each, added.

    Parameters
    ----------
    a, b
        Text: a column's name, an expression, or a literal (``pl.lit``).
    q, padding, counting
        What a q-gram is; see `jaccard`.
    cutoff
        From 0 to 1; what is below becomes 0.0.

    Returns
    -------
    Expr
        Float64 from 0 to 1, named after `a`; see `jaccard`.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> df = pl.DataFrame({"a": ["night"], "b": ["nacht"]})
    >>> df.select(nser.similarity.dice("a", "b"))["a"].to_list()
    [0.25]
    """
    return _similarity("dice", a, b, cutoff, _grams(q, padding, counting))


def dice_one(
    a: str | None,
    b: str | None,
    *,
    q: int = 2,
    padding: Padding = "none",
    counting: Counting = "set",
    cutoff: float | None = None,
) -> float | None:
    """Return the `dice` similarity of two strings; None when one is None."""
    return _similarity_one("dice", a, b, cutoff, _grams(q, padding, counting))


# -- helpers ---------------------------------------------------------------------------------------

_Spec: TypeAlias = dict[str, object]


def _similarity(
    method: str, a: IntoExpr, b: IntoExpr, cutoff: float | None, grams: _Spec | None = None
) -> pl.Expr:
    spec = (grams or {}) | _similarity_cutoff(cutoff)
    return _engine.row_wise(f"similarity.{method}", [a, b], pl.Float64(), spec)


def _distance(method: str, a: IntoExpr, b: IntoExpr, cutoff: int | None) -> pl.Expr:
    spec = _distance_cutoff(cutoff)
    return _engine.row_wise(f"similarity.{method}_distance", [a, b], pl.UInt32(), spec)


def _similarity_one(
    method: str, a: str | None, b: str | None, cutoff: float | None, grams: _Spec | None = None
) -> float | None:
    spec = (grams or {}) | _similarity_cutoff(cutoff)
    found: float | None = _engine.one(f"similarity.{method}", [a, b], spec)
    return found


def _distance_one(method: str, a: str | None, b: str | None, cutoff: int | None) -> int | None:
    spec = _distance_cutoff(cutoff)
    found: int | None = _engine.one(f"similarity.{method}_distance", [a, b], spec)
    return found


def _similarity_cutoff(cutoff: float | None) -> _Spec:
    if cutoff is None:
        return {}
    if not 0 <= cutoff <= 1:
        raise invalid("cutoff must be a similarity from 0 to 1")
    return {"cutoff": float(cutoff)}


def _distance_cutoff(cutoff: int | None) -> _Spec:
    if cutoff is None:
        return {}
    if not isinstance(cutoff, int) or not 0 <= cutoff <= _LARGEST:
        raise invalid("cutoff must be a whole number of edits")
    return {"cutoff": int(cutoff)}


def _grams(q: int, padding: Padding, counting: Counting) -> _Spec:
    if not isinstance(q, int) or not 1 <= q <= _LONGEST_GRAM:
        raise invalid(f"q must be a whole number from 1 to {_LONGEST_GRAM}")
    return {
        "q": int(q),
        "padded": chosen("padding", padding, Padding) == "both",
        "counted": chosen("counting", counting, Counting) == "multiset",
    }
