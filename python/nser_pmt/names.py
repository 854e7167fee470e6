"""Names of Pakistani people in Urdu and Roman script.

Each function makes a Polars expression; its twin ``*_one`` takes and returns a single value.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypedDict

import polars as pl

from nser_pmt import _engine

if TYPE_CHECKING:
    from polars._typing import IntoExpr

__all__ = [
    "ROLES",
    "Token",
    "fold",
    "fold_one",
    "key",
    "key_one",
    "romanize",
    "romanize_one",
    "tokens",
    "tokens_one",
]

ROLES = pl.Enum(
    [
        "name",
        "muhammad",
        "title",
        "female",
        "particle",
        "initial",
        "number",
        "relation",
        "relative",
        "alias_mark",
        "alias",
    ]
)
"""What a token is; see `tokens`."""

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
    expr : IntoExpr
        Text, or the name of a column of text.

    Returns
    -------
    pl.Expr
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
    expr : IntoExpr
        Text, or the name of a column of text.

    Returns
    -------
    pl.Expr
        List of Struct of token (String) and role (Enum `ROLES`); null where the input is.

    Notes
    -----
    Roles: ``name`` carries identity; ``muhammad`` hardly any; ``title`` (Syed, Haji, Khan),
    ``female`` (Bibi, Begum), ``particle`` (ul, bin) and ``initial`` are written or left out; a
    title, marker or particle that is all there is of a name is its ``name``. ``relation`` (s/o,
    زوجہ) says that the tokens after it are another person's, ``relative``; ``alias_mark`` (@, urf,
    عرف) that they are another name, ``alias``.

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


def key(expr: IntoExpr, *, tokens: Literal["all", "first"] = "all") -> pl.Expr:
    """Make a phonetic key that Urdu and Roman spellings of a name share.

    The key is for blocking: names with one key are worth comparing. It is made of the person's own
    names; Muhammad, titles, markers and initials count only when there is nothing else. It never
    identifies anyone, but it is derived from a name: treat it as identity data.

    Parameters
    ----------
    expr : IntoExpr
        Text, or the name of a column of text.
    tokens : {"all", "first"}
        ``all``: the keys of every name, sorted, so that order does not matter. ``first``: the key
        of the first; found as well when a further name is missing on one side, in larger blocks.

    Returns
    -------
    pl.Expr
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
    return _engine.row_wise("names.key", [expr], pl.String(), spec={"tokens": tokens})


def key_one(name: str | None, *, tokens: Literal["all", "first"] = "all") -> str | None:
    """Return what `key` gives for one name.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.names.key_one("Mohd. Aasif") == nser.names.key_one("محمد آصف")
    True
    """
    result: str | None = _engine.one("names.key", [name], spec={"tokens": tokens})
    return result


def romanize(expr: IntoExpr) -> pl.Expr:
    """Write Urdu names in Roman script, as Pakistani identity documents spell them.

    Frequent names come from a table; others are spelled by rule, with the short vowels that Urdu
    does not write guessed. Roman names get capitals and the usual spelling of their titles.

    Parameters
    ----------
    expr : IntoExpr
        Text, or the name of a column of text.

    Returns
    -------
    pl.Expr
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
