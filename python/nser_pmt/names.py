"""Names of Pakistani people in Urdu and Roman script.

Functions of names make a Polars expression; a string names a column. The function with ``_one``
behind its name takes and returns single values. `frequencies` learns from a whole Series.

A column that is not text raises Polars' ComputeError when an expression is computed, and
`SchemaError` from a function of one value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias, TypedDict

import polars as pl

from nser_pmt import _engine, _native, errors
from nser_pmt._options import chosen, invalid

if TYPE_CHECKING:
    from polars._typing import IntoExpr

__all__ = [
    "MATCHES",
    "ROLES",
    "Comparison",
    "Frequencies",
    "Token",
    "compare",
    "compare_one",
    "fold",
    "fold_one",
    "frequencies",
    "key",
    "key_one",
    "romanize",
    "romanize_one",
    "similarity",
    "similarity_one",
    "tokens",
    "tokens_one",
]

KeyTokens: TypeAlias = Literal["all", "first"]

_CATEGORIES = dict(_native.name_categories())

ROLES = pl.Enum(_CATEGORIES["role"])
"""What a token is; see `tokens`."""

MATCHES = pl.Enum(_CATEGORIES["match"])
"""What two names have to do with each other; see `compare`."""

_COMPARISON = pl.Struct({"similarity": pl.Float64(), "match": MATCHES})

_TOKENS = pl.List(pl.Struct({"token": pl.String(), "role": ROLES}))


class Token(TypedDict):
    """A word of a name, or a compound that is one name, and its role."""

    token: str
    role: str


def fold(expr: IntoExpr) -> pl.Expr:
    """Bring names to the form in which equal names are equal.

    Latin letters lose case and accents; Urdu letters come to one shape each whatever keyboard or
    font they are from, without marks, hamza, tatweel and joiners; digits become ASCII; signs
    become spaces, but ``@`` and the slash of ``s/o`` stay. Folding twice changes nothing.

    Parameters
    ----------
    expr
        Text: a column's name, an expression, or a literal (``pl.lit``).

    Returns
    -------
    Expr
        String; null where the input is.

    See Also
    --------
    tokens : Also reads what the words are.

    Examples
    --------
    >>> import polars as pl
    >>> import nser_pmt as nser
    >>> df = pl.DataFrame({"name": ["Abdul-REHMAN  ", "ﻣﺤﻤّﺪ عائشہ", "Ḥāfiẓ"]})
    >>> df.select(nser.names.fold("name")).to_series().to_list()
    ['abdul rehman', 'محمد عایشہ', 'hafiz']
    """
    return _engine.row_wise("names.fold", [expr], pl.String())


def fold_one(name: str | None) -> str | None:
    """Return what `fold` gives for one name.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.names.fold_one("Sana'a  BIBI")
    'sanaa bibi'
    """
    result: str | None = _engine.one("names.fold", [name])
    return result


def tokens(expr: IntoExpr) -> pl.Expr:
    """Read names into tokens, each with its role.

    What is one name is one token in one spelling, however it is written: Abdul Rehman, Abd-ur-
    Rehman and Abdurrehman are ``abdulrehman``; Habib Ullah is ``habibullah``, Nizam ud Din
    ``nizamuddin``, Ghulam Rasool ``ghulamrasool``. Muhammad and titles have one spelling each.

    Parameters
    ----------
    expr
        Text: a column's name, an expression, or a literal (``pl.lit``).

    Returns
    -------
    Expr
        List of Struct of token (String) and role (Enum `ROLES`); null where the input is.

    Notes
    -----
    Roles: ``name`` carries identity; ``muhammad`` hardly any; ``title`` (Syed, Haji, Khan),
    ``female`` (Bibi, Begum), ``particle`` (ul, bin), ``initial`` and ``number`` (digits) are
    written or left out; a title, marker or particle that is all there is of a name is its
    ``name``. ``relation`` (s/o, زوجہ) says that the tokens after it are another person's,
    ``relative``; ``alias_mark`` (@, urf, عرف) that they are another name, ``alias``.

    Examples
    --------
    >>> import polars as pl
    >>> import nser_pmt as nser
    >>> df = pl.DataFrame({"name": ["Haji Mohd. Abdur Rehman s/o Asif"]})
    >>> df.select(nser.names.tokens("name").explode()).unnest("name").rows()
    [('haji', 'title'), ('muhammad', 'muhammad'), ('abdulrehman', 'name'), ('s/o', 'relation'), \
('asif', 'relative')]
    """
    return _engine.row_wise("names.tokens", [expr], _TOKENS)


def tokens_one(name: str | None) -> list[Token] | None:
    """Return what `tokens` gives for one name.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.names.tokens_one("سکینہ بی بی")
    [{'token': 'سکینہ', 'role': 'name'}, {'token': 'بیبی', 'role': 'female'}]
    """
    result: list[Token] | None = _engine.one("names.tokens", [name])
    return result


def key(expr: IntoExpr, *, tokens: KeyTokens = "all") -> pl.Expr:
    """Make a phonetic key that Urdu and Roman spellings of a name share.

    The key is for blocking: names with one key are worth comparing. It is made of the person's own
    names; Muhammad, titles, markers and initials count only when there is nothing else. It never
    identifies anyone, but it is derived from a name: treat it as identity data.

    Parameters
    ----------
    expr
        Text: a column's name, an expression, or a literal (``pl.lit``).
    tokens
        ``"all"``: the keys of every name, sorted, so that order does not matter. ``"first"``: the
        key of the first; found as well when a further name is missing on one side, in larger
        blocks.

    Returns
    -------
    Expr
        String; null where the input is, and for a name without letters, so that such names do not
        meet in one block.

    Examples
    --------
    >>> import polars as pl
    >>> import nser_pmt as nser
    >>> df = pl.DataFrame({"name": ["Muhammad Yousaf Qadir", "Kadir Yusuf", "محمد یوسف قادر"]})
    >>> df.select(nser.names.key("name")).to_series().n_unique()
    1
    """
    return _engine.row_wise("names.key", [expr], pl.String(), _key_spec(tokens))


def key_one(name: str | None, *, tokens: KeyTokens = "all") -> str | None:
    """Return what `key` gives for one name.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.names.key_one("Mohd. Aasif") == nser.names.key_one("محمد آصف")
    True
    """
    result: str | None = _engine.one("names.key", [name], _key_spec(tokens))
    return result


def romanize(expr: IntoExpr) -> pl.Expr:
    """Write Urdu names in Roman script, as Pakistani identity documents spell them.

    Frequent names come from a table; others are spelled by rule, with the short vowels that Urdu
    does not write guessed. Roman names get capitals and the usual spelling of their titles.

    Parameters
    ----------
    expr
        Text: a column's name, an expression, or a literal (``pl.lit``).

    Returns
    -------
    Expr
        String; null where the input is.

    Notes
    -----
    Consonants, compounds and sun letters follow the ODNI standard (ICS-630-01, 2015); long vowels
    are written as documents write them (Saleem, Mehmood). A Roman form is for reading: to compare
    names of two scripts, compare them as they are.

    Examples
    --------
    >>> import polars as pl
    >>> import nser_pmt as nser
    >>> df = pl.DataFrame({"name": ["محمد حسین", "عبدالرحمٰن", "سیف الرحمن", "عائشہ بی بی"]})
    >>> df.select(nser.names.romanize("name")).to_series().to_list()
    ['Muhammad Hussain', 'Abdul Rehman', 'Saif ur Rehman', 'Ayesha Bibi']
    """
    return _engine.row_wise("names.romanize", [expr], pl.String())


def romanize_one(name: str | None) -> str | None:
    """Return what `romanize` gives for one name.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.names.romanize_one("نظام الدین")
    'Nizamuddin'
    """
    result: str | None = _engine.one("names.romanize", [name])
    return result


@dataclass(frozen=True, kw_only=True)
class Frequencies:
    """How common tokens are in some set of names; see `frequencies`. Holds words, nobody's name."""

    names: int
    """Number of names."""
    counts: Mapping[str, int]
    """Names that contain a token, by token in match form."""
    min_count: int
    """Tokens of fewer names are not held."""

    def __post_init__(self) -> None:
        """Copy the counts, so that they stay as they are."""
        object.__setattr__(self, "counts", MappingProxyType(dict(self.counts)))

    def __getstate__(self) -> dict[str, object]:
        """Return what `__setstate__` takes."""
        return {"names": self.names, "counts": dict(self.counts), "min_count": self.min_count}

    def __setstate__(self, state: dict[str, object]) -> None:
        """Take what `__getstate__` gave."""
        for name, value in state.items():
            object.__setattr__(self, name, value)
        self.__post_init__()

    def __repr__(self) -> str:
        """Say how much there is, not what."""
        return f"Frequencies(names={self.names}, tokens={len(self.counts)})"


def frequencies(names: pl.Series, *, min_count: int = 10) -> Frequencies:
    """Learn from names how common each token is, to weigh it in `similarity`.

    Parameters
    ----------
    names
        Series of text. Learn from the whole registry: from a few names, every token looks common.
    min_count
        A token of fewer names than this is not kept: it could identify a person, and counts as rare
        in any case.

    Returns
    -------
    Frequencies
        Counts of tokens, each of at least `min_count` names; whose they are cannot be read from it.

    Raises
    ------
    SchemaError
        The series is not text.
    DomainError
        `min_count` is less than 1 (code ``invalid_option``).

    Examples
    --------
    >>> import polars as pl
    >>> import nser_pmt as nser
    >>> names = pl.Series(["Mohd. Imran", "Muhammad Zubair", "محمد زبیر"] * 10)
    >>> dict(sorted(nser.names.frequencies(names).counts.items()))
    {'imran': 10, 'muhammad': 20, 'zubair': 10, 'زبیر': 10, 'محمد': 10}
    """
    if names.dtype not in (pl.String, pl.Categorical, pl.Enum, pl.Null):
        raise errors.SchemaError(
            f"expected text, found {names.dtype}", code="wrong_column", column=names.name
        )
    if min_count < 1:
        raise invalid("min_count must be at least 1")
    read = names.to_frame("name").select(tokens("name")).drop_nulls()
    own = pl.element().filter(
        pl.element().struct["role"].is_in(["name", "muhammad", "title", "female"])
    )
    found = (
        read.select(pl.col("name").list.eval(own.struct["token"]).list.unique())
        .explode("name")
        .drop_nulls()
        .group_by("name")
        .len("count")
        .filter(pl.col("count") >= min_count)
        .sort("count", "name", descending=[True, False])
    )
    return Frequencies(names=read.height, counts=dict(found.iter_rows()), min_count=min_count)


class Comparison(TypedDict):
    """How alike two names are, and why."""

    similarity: float
    match: str


def similarity(a: IntoExpr, b: IntoExpr, *, frequencies: Frequencies | None = None) -> pl.Expr:
    """Tell how alike two names are: Roman, Urdu, or one of each.

    Parameters
    ----------
    a, b
        Text: a column's name, an expression, or a literal (``pl.lit``).
    frequencies
        How common tokens are; from `frequencies`, or else from the package.

    Returns
    -------
    Expr
        Float64 from 0 to 1; null where one is null or has no letters. The table below helps to
        choose a threshold; .5 is a good first one.

    See Also
    --------
    compare : Also tells what agrees and what does not.

    Notes
    -----
    Tokens (see `tokens`) are paired so that as much as possible agrees, in any order. A pair counts
    by its likeness and by the rarity of its tokens: agreement on Muhammad hardly counts. A name
    that one side lacks costs little, a title, Muhammad or a female marker next to nothing, a name
    that contradicts another most of all. 1 is for equal tokens only.

    The likeness of two tokens is the probability that they are spellings of one name, given that
    half of all pairs are, and that one different pair in five is of near neighbours. It comes from
    an alignment of letters with weights learned on romanisations of Urdu words. Names that look
    alike and are not one (Rashid and Rasheed) agree at most by .8 in Roman, .25 in Urdu script.

    On 404 names with 1,737 romanisations, none of which was learned from, single tokens at or above
    a threshold:

    ========= ================ ===================== ================ =====================
    threshold Roman: same name Roman: another's name Urdu-Roman: same Urdu-Roman: another's
    ========= ================ ===================== ================ =====================
    .30       98.9 %           .72 %                 99.0 %           .47 %
    .50       98.3 %           .42 %                 98.7 %           .30 %
    .80       96.3 %           .16 %                 97.0 %           .14 %
    .95       87.3 %           .05 %                 88.8 %           .07 %
    ========= ================ ===================== ================ =====================

    The first 32 tokens of a name and 32 letters of a token are read. Names of more than eight
    tokens are paired best pairs first, shorter ones optimally.

    Examples
    --------
    >>> import polars as pl
    >>> import nser_pmt as nser
    >>> df = pl.DataFrame(
    ...     {"a": ["Mohd. Yousaf", "Zubair Nawaz", "Imran"], "b": ["Yusuf", "زبیر نواز", "Kashif"]}
    ... )
    >>> df.select(nser.names.similarity("a", "b").round(2)).to_series().to_list()
    [0.97, 0.99, 0.0]
    """
    return _engine.row_wise("names.similarity", [a, b], pl.Float64(), spec=_weights(frequencies))


def similarity_one(
    a: str | None, b: str | None, *, frequencies: Frequencies | None = None
) -> float | None:
    """Return what `similarity` gives for two names.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.names.similarity_one("Ghulam Rasool", "Gulam Rasool")
    1.0
    """
    result: float | None = _engine.one("names.similarity", [a, b], spec=_weights(frequencies))
    return result


def compare(a: IntoExpr, b: IntoExpr, *, frequencies: Frequencies | None = None) -> pl.Expr:
    """Tell how alike two names are, and what kind of match that is.

    Parameters
    ----------
    a, b
        Text: a column's name, an expression, or a literal (``pl.lit``).
    frequencies
        How common tokens are; from `frequencies`, or else from the package.

    Returns
    -------
    Expr
        Struct of similarity (Float64, see `similarity`) and match (Enum `MATCHES`), both null where
        one name is null or has no letters.

    Notes
    -----
    The first that holds: ``exact``, the same tokens; ``different``, no token agrees;
    ``conflicting``, names agree and others contradict each other; ``initial``, a name stands
    against an initial; ``subset``, a name is missing in one; ``cross_script``, one is Urdu and one
    Roman; ``reordered``; ``optional_missing``, a title, Muhammad or a female marker is missing in
    one; ``spelling_variant``, the rest.

    Examples
    --------
    >>> import polars as pl
    >>> import nser_pmt as nser
    >>> df = pl.DataFrame(
    ...     {
    ...         "a": ["Syed Imran Raza", "Imran Raza", "Imran Raza", "Imran Raza"],
    ...         "b": ["Imran Raza", "Raza Imran", "Imran", "Imran Kashif"],
    ...     }
    ... )
    >>> df.select(nser.names.compare("a", "b").struct["match"]).to_series().to_list()
    ['optional_missing', 'reordered', 'subset', 'conflicting']
    """
    return _engine.row_wise("names.compare", [a, b], _COMPARISON, spec=_weights(frequencies))


def compare_one(
    a: str | None, b: str | None, *, frequencies: Frequencies | None = None
) -> Comparison | None:
    """Return what `compare` gives for two names, or None when one is None or has no letters.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.names.compare_one("Zubair", "زبیر")["match"]
    'cross_script'
    """
    result: Comparison = _engine.one("names.compare", [a, b], spec=_weights(frequencies))
    return None if result["similarity"] is None else result


def _key_spec(tokens: KeyTokens) -> dict[str, object]:
    """Return the specification of a key."""
    return {"tokens": chosen("tokens", tokens, KeyTokens)}


def _weights(frequencies: Frequencies | None) -> dict[str, object]:
    """Return the specification of a comparison."""
    if frequencies is None:
        return {"frequencies": None}
    return {"frequencies": {"names": frequencies.names, "counts": dict(frequencies.counts)}}
