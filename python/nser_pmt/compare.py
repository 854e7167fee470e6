"""Comparisons of a linkage plan: how two values are compared, in ordered levels.

Each function describes one comparison of a column with itself in another row or another frame. Its
levels go from exact agreement to everything else; a missing value is a level of its own that says
nothing for or against a match. Column names are the same in both frames.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import fsum
from types import MappingProxyType
from typing import Any, Literal, TypeAlias, TypeGuard, get_args

import polars as pl

from nser_pmt import _engine
from nser_pmt._options import invalid as _invalid
from nser_pmt.names import MATCHES, Frequencies

__all__ = [
    "Comparison",
    "Distance",
    "Frequency",
    "Similarity",
    "TokenFrequencies",
    "cnic",
    "date",
    "exact",
    "expr",
    "name",
    "number",
    "set",
    "string",
]

Frequency: TypeAlias = Literal["none", "exact", "all"]
Similarity: TypeAlias = Literal[
    "jaro_winkler",
    "jaro",
    "levenshtein_similarity",
    "osa_similarity",
    "damerau_levenshtein_similarity",
    "token_sort",
    "token_set",
    "jaccard",
    "dice",
]
TokenFrequencies: TypeAlias = Frequencies | Literal["frame"]
Distance: TypeAlias = Literal["levenshtein", "osa", "damerau_levenshtein"]


# Chances that people write down are rounded.
_SUM = 0.005
# The option of a comparison of names that is a table.
_TOKENS = "token_frequencies"


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One comparison of a plan; made by the functions of this module.

    Parameters
    ----------
    kind
        Which function made it.
    column
        Column that is compared.
    label
        Its name in results; the column's by default.
    levels
        Names of the levels, best first, the last one for everything else.
    options
        What the levels mean, as JSON values but for a table of tokens.
    frequency
        Which levels are adjusted for how frequent the agreeing values are: ``"none"``, ``"exact"``
        (the first), or ``"all"`` but the last.
    m, u
        Chance of each level among pairs that match, and among those that do not; None until
        learned.
    """

    kind: str
    column: str
    label: str
    levels: tuple[str, ...]
    options: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    frequency: Frequency = "none"
    m: tuple[float, ...] | None = None
    u: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        if self.frequency not in get_args(Frequency):
            raise _invalid(f"frequency must be one of {', '.join(get_args(Frequency))}")
        if len({*self.levels}) < len(self.levels):
            raise _invalid(f"two levels of '{self.label}' are the same")
        for what, chances in (("m", self.m), ("u", self.u)):
            if chances is None:
                continue
            if len(chances) != len(self.levels):
                raise _invalid(
                    f"{what} of '{self.label}' needs {len(self.levels)} chances, one a level"
                )
            if not all(0 < chance <= 1 for chance in chances):
                raise _invalid(f"{what} of '{self.label}' must be above 0 and at most 1")
            if abs(fsum(chances) - 1) > _SUM:
                raise _invalid(f"{what} of '{self.label}' must add up to 1")

    def with_chances(
        self, *, m: Sequence[float] | None = None, u: Sequence[float] | None = None
    ) -> Comparison:
        """Return the comparison with other chances.

        Examples
        --------
        >>> import nser_pmt as nser
        >>> sex = nser.compare.exact("sex").with_chances(m=[0.99, 0.01], u=[0.5, 0.5])
        >>> sex.u
        (0.5, 0.5)
        """
        return replace(
            self,
            m=self.m if m is None else tuple(m),
            u=self.u if u is None else tuple(u),
        )

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self._to_json(),)

    def _to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "column": self.column,
            "label": self.label,
            "levels": list(self.levels),
            "options": {name: _json(value) for name, value in self.options.items()},
            "frequency": self.frequency,
            "m": None if self.m is None else list(self.m),
            "u": None if self.u is None else list(self.u),
        }


def _restored(data: Mapping[str, Any]) -> Comparison:
    """Return the comparison that `_to_json` wrote, made anew so that all of it is checked."""
    kind, column, label = data["kind"], data["column"], data["label"]
    if not (isinstance(column, str) and isinstance(label, str)):
        raise _invalid("column and label of a comparison are texts")
    options = data["options"]
    common: dict[str, Any] = {"label": label}
    if kind not in ("cnic", "set", "expr"):
        common["frequency"] = data["frequency"]
    if kind in ("exact", "cnic"):
        made = (exact if kind == "exact" else cnic)(column, **common)
    elif kind == "name":
        levels = [
            item["least"] if item["code"] is None else (item["least"], item["code"])
            for item in options["levels"]
        ]
        made = name(column, levels=levels, token_frequencies=_table(options.get(_TOKENS)), **common)
    elif kind == "string":
        metric = options["metric"]
        if options["measure"] == "similarity" and metric not in get_args(Similarity):
            metric = f"{metric}_similarity"
        made = string(column, metric, levels=options["cutoffs"], **common)
    elif kind == "date":
        days = [item["days"] if isinstance(item, dict) else item for item in options["levels"]]
        made = date(column, levels=days, **common)
    elif kind == "number":
        sizes = [
            item["within"] if "within" in item else f"{item['within_share'] * 100!r}%"
            for item in options["levels"]
        ]
        made = number(column, levels=sizes, **common)
    elif kind == "set":
        shares = [item.get("shares", item.get("jaccard")) for item in options["levels"]]
        made = set(column, levels=shares, **common)
    elif kind == "expr":
        texts = options["levels"]
        missing = options["missing"]
        made = expr(
            label,
            {k: _engine.read_expr(text) for k, text in texts.items()},
            missing=None if missing is None else _engine.read_expr(missing),
        )
    else:
        raise _invalid("a comparison of an unknown kind")
    if options.keys() != made.options.keys():
        raise _invalid(f"options of '{label}' are not those of its kind")
    # Labels of levels, and shares to the last bit, are what they were.
    if len(data["levels"]) != len(made.levels) or not all(
        isinstance(text, str) for text in data["levels"]
    ):
        raise _invalid(f"levels of '{label}' do not go with its options")
    return replace(
        made,
        levels=tuple(data["levels"]),
        options=MappingProxyType(
            {k: made.options[k] if k == _TOKENS else value for k, value in options.items()}
        ),
        m=_chances(data["m"]),
        u=_chances(data["u"]),
    )


def _json(value: Any) -> Any:
    """Return an option as JSON values."""
    if isinstance(value, Frequencies):
        return {"names": value.names, "counts": dict(value.counts), "min_count": value.min_count}
    return value


def _table(given: Any) -> Any:
    """Return the frequencies of tokens that `_json` wrote."""
    if not isinstance(given, dict):
        return given
    numbers = [given["names"], given["min_count"], *given["counts"].values()]
    if len(given) != 3 or not all(_is_whole(n) and n >= 0 for n in numbers):
        raise _invalid("token_frequencies are counts of names")
    return Frequencies(names=given["names"], counts=given["counts"], min_count=given["min_count"])


def _chances(given: Any) -> tuple[float, ...] | None:
    return None if given is None else tuple(float(chance) for chance in given)


def exact(column: str, *, label: str | None = None, frequency: Frequency = "none") -> Comparison:
    """Compare values for equality: district, sex, tehsil.

    Parameters
    ----------
    column
        Column of any type but nested ones. An empty text counts as missing.
    label
        Name in results; the column's by default.
    frequency
        ``"exact"`` lets agreement on a rare value count for more.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.compare.exact("district", frequency="exact").levels
    ('exact', 'else')
    """
    return _comparison("exact", column, label, (), {}, frequency)


def cnic(column: str, *, label: str | None = None) -> Comparison:
    """Compare identity numbers by errors of entry.

    Levels: exact, one error (a digit wrong, missing or too many, two neighbours swapped, a jump
    swap, a twin error; see `nser_pmt.cnic.distance`), two errors, else. Numbers are read as
    `nser_pmt.cnic.parse` reads them, so that dashes, spaces and Urdu digits make no difference; a
    number with too many or too few digits is compared too; dummies, telephone numbers and other
    things count as missing.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.compare.cnic("cnic").levels
    ('exact', 'one_error', 'two_errors', 'else')
    """
    return _comparison("cnic", column, label, ("one_error", "two_errors"), {}, "none")


def name(
    column: str,
    *,
    levels: Sequence[float | tuple[float, str]] = (0.95, 0.85, 0.7),
    label: str | None = None,
    frequency: Frequency = "all",
    token_frequencies: TokenFrequencies | None = None,
) -> Comparison:
    """Compare names of persons, in Roman or Urdu script or one of each.

    Parameters
    ----------
    column
        Text.
    levels
        Least `nser_pmt.names.similarity` of each level after the first, highest first; or a pair of
        it and a match code of `nser_pmt.names.compare`, which must hold too. The first level is for
        names of one match form (`nser_pmt.names.fold`): case, accents, spaces, punctuation and
        keyboards make no difference.
    label
        Name in results; the column's by default.
    frequency
        ``"all"`` lets agreement on a rare name, and near agreement, count for more; ``"exact"``
        only agreement.
    token_frequencies
        How common words of names are, which decides how much each counts in the similarity: those
        of the package by default; a table of a population, from `nser_pmt.names.frequencies`, which
        is saved with the plan; or ``"frame"``, learned anew from the column in all rows that are
        linked. Take a table where a plan runs on parts of a registry, and where the rows are few:
        among some hundreds every word looks common.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> import polars as pl
    >>> nser.compare.name("name", levels=[0.95, (0.8, "subset"), 0.8]).levels
    ('exact', 'at_least_0.95', 'at_least_0.8_subset', 'at_least_0.8', 'else')
    >>> population = nser.names.frequencies(pl.Series(["Muhammad Aslam", "Bushra Bibi"] * 1000))
    >>> by_village = nser.compare.name("name", token_frequencies=population)
    >>> by_village.options["token_frequencies"]
    Frequencies(names=2000, tokens=4)
    """
    pairs = [level if isinstance(level, tuple) else (level, None) for level in levels]
    _check_cutoffs([least for least, _ in pairs], falling=True)
    for _, code in pairs:
        if code is not None and code not in MATCHES.categories:
            raise _invalid(f"a match code must be one of {', '.join(MATCHES.categories)}")
    labels = [f"at_least_{least:g}" + (f"_{code}" if code else "") for least, code in pairs]
    options: dict[str, Any] = {"levels": [{"least": least, "code": code} for least, code in pairs]}
    if token_frequencies is not None:
        if token_frequencies != "frame" and not isinstance(token_frequencies, Frequencies):
            raise _invalid("token_frequencies must be a table of names.frequencies or 'frame'")
        options[_TOKENS] = token_frequencies
    return _comparison("name", column, label, labels, options, frequency)


def string(
    column: str,
    measure: Similarity | Distance = "jaro_winkler",
    *,
    levels: Sequence[float] | None = None,
    label: str | None = None,
    frequency: Frequency = "none",
) -> Comparison:
    """Compare texts by any measure of `nser_pmt.similarity`.

    Parameters
    ----------
    column
        Text. It is compared as it is: fold case before.
    measure
        A similarity, or a distance.
    levels
        Least similarity of each level after the first, highest first (0.95, 0.88, 0.75 by default);
        or the greatest distance, lowest first (1, 2 by default).
    label
        Name in results; the column's by default.
    frequency
        ``"exact"`` lets agreement on a rare value count for more, ``"all"`` near agreement as well.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.compare.string("postcode", "damerau_levenshtein", levels=[1, 2]).levels
    ('exact', 'at_most_1', 'at_most_2', 'else')
    """
    options: dict[str, Any]
    if measure in get_args(Distance):
        cutoffs = [1, 2] if levels is None else [int(level) for level in levels]
        if levels is not None and cutoffs != list(levels):
            raise _invalid("levels of a distance are whole numbers")
        _check_cutoffs(cutoffs, falling=False)
        options = {"measure": "distance", "metric": measure, "cutoffs": cutoffs}
        labels = [f"at_most_{cutoff}" for cutoff in cutoffs]
    elif measure in get_args(Similarity):
        least = [0.95, 0.88, 0.75] if levels is None else list(levels)
        _check_cutoffs(least, falling=True)
        metric = measure.removesuffix("_similarity")
        options = {"measure": "similarity", "metric": metric, "cutoffs": least}
        labels = [f"at_least_{cutoff:g}" for cutoff in least]
    else:
        known = (*get_args(Similarity), *get_args(Distance))
        raise _invalid(f"measure must be one of {', '.join(known)}")
    return _comparison("string", column, label, labels, options, frequency)


def date(
    column: str,
    *,
    levels: Sequence[str | int] = (
        "day_month_swap",
        "same_year_heaped",
        "one_slip",
        31,
        366,
        3653,
    ),
    label: str | None = None,
    frequency: Frequency = "exact",
) -> Comparison:
    """Compare dates by the slips of those who write them down.

    Parameters
    ----------
    column
        Date or Datetime.
    levels
        What holds at each level after the first; the first that holds counts. ``"day_month_swap"``
        (4 May for 5 April), ``"one_slip"`` (one digit, or two neighbours of one part swapped),
        ``"same_year_heaped"`` (one year, and one date is 1 January: the day for those of whom only
        the year is known), ``"same_year"``, or a number: at most so many days apart.
    label
        Name in results; the column's by default.
    frequency
        ``"exact"`` lets agreement on 1 January, which many share, count for less.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.compare.date("birth_date", levels=["one_slip", 31, "same_year"]).levels
    ('exact', 'one_slip', 'within_31_days', 'same_year', 'else')
    """
    known = ("day_month_swap", "one_slip", "same_year_heaped", "same_year")
    for level in levels:
        if level not in known and not (_is_whole(level) and level >= 1):
            raise _invalid(f"a level of a date is a number of days or one of {', '.join(known)}")
    _check_order([level for level in levels if isinstance(level, int)], "days rise")
    labels = [f"within_{level}_days" if isinstance(level, int) else level for level in levels]
    options = {"levels": [{"days": lv} if isinstance(lv, int) else lv for lv in levels]}
    return _comparison("date", column, label, labels, options, frequency)


def number(
    column: str,
    *,
    levels: Sequence[float | str] = (1.0,),
    label: str | None = None,
    frequency: Frequency = "none",
) -> Comparison:
    """Compare numbers by their difference.

    Parameters
    ----------
    column
        Number. NaN counts as missing.
    levels
        Greatest difference at each level after the first; or a text such as ``"10%"``, a share of
        the larger of the two.
    label
        Name in results; the column's by default.
    frequency
        ``"exact"`` lets agreement on a rare number count for more.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.compare.number("age", levels=[1, 5]).levels
    ('exact', 'within_1', 'within_5', 'else')
    """
    options, labels = [], []
    for level in levels:
        share = isinstance(level, str)
        try:
            size = float(str(level).removesuffix("%")) / (100 if share else 1)
        except ValueError:
            size = -1.0
        if not 0 <= size < float("inf") or (share and not str(level).endswith("%")):
            raise _invalid("a level of a number is a difference or a share such as '10%'")
        options.append({"within_share" if share else "within": size})
        labels.append(f"within_{level}" if share else f"within_{size:g}")
    _check_order([o["within"] for o in options if "within" in o], "differences rise")
    _check_order([o["within_share"] for o in options if "within_share" in o], "shares rise")
    return _comparison("number", column, label, labels, {"levels": options}, frequency)


def set(
    column: str, *, levels: Sequence[int | float] = (1,), label: str | None = None
) -> Comparison:
    """Compare sets, such as the telephone numbers of a person, by what they share.

    Parameters
    ----------
    column
        List of texts or numbers. Order and repetition make no difference; an empty list counts as
        missing.
    levels
        Least number of shared members of each level after the first (int), or least share of all
        members of either (float below 1: Jaccard).
    label
        Name in results; the column's by default.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> nser.compare.set("phones", levels=[2, 1]).levels
    ('exact', 'shares_2', 'shares_1', 'else')
    """
    options: list[dict[str, float]] = []
    labels = []
    for level in levels:
        if _is_whole(level) and level >= 1:
            options.append({"shares": level})
            labels.append(f"shares_{level}")
        elif isinstance(level, float) and 0 < level < 1:
            options.append({"jaccard": level})
            labels.append(f"jaccard_{level:g}")
        else:
            raise _invalid("a level of a set is a number of members or a share below 1")
    _check_order([-o["shares"] for o in options if "shares" in o], "numbers of members fall")
    _check_order([-o["jaccard"] for o in options if "jaccard" in o], "shares fall")
    return _comparison("set", column, label, labels, {"levels": options}, "none")


def expr(
    label: str, levels: Mapping[str, pl.Expr], *, missing: pl.Expr | None = None
) -> Comparison:
    """Compare by any Polars expressions over the columns of both rows.

    Slower than the other comparisons: it is worked out by Polars for the pairs that the others
    leave in question, many at a time. `nser_pmt.learn` learns it as it does the others.

    Parameters
    ----------
    label
        Name in results.
    levels
        Name of each level and a boolean expression, row by row, over columns ``<column>_left`` and
        ``<column>_right``; the first that is true counts. A level ``"else"`` is added.
    missing
        True where nothing can be said.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> import polars as pl
    >>> swapped = (pl.col("name_left") == pl.col("father_name_right")) & (
    ...     pl.col("father_name_left") == pl.col("name_right")
    ... )
    >>> nser.compare.expr("names_swapped", {"swapped": swapped}).levels
    ('swapped', 'else')
    """
    if not levels or "else" in levels:
        raise _invalid("levels needs at least one level, and none named 'else'")
    if not all(isinstance(level, pl.Expr) and level.meta.root_names() for level in levels.values()):
        raise _invalid("a level is an expression over columns of both rows")
    texts = {name: _engine.write_expr(level) for name, level in levels.items()}
    asked = None if missing is None else _engine.write_expr(missing)
    return Comparison(
        kind="expr",
        column="",
        label=label,
        levels=(*levels, "else"),
        options=MappingProxyType({"levels": texts, "missing": asked}),
    )


def _is_whole(level: object) -> TypeGuard[int]:
    return isinstance(level, int) and not isinstance(level, bool)


def _comparison(
    kind: str,
    column: str,
    label: str | None,
    levels: Sequence[str],
    options: Mapping[str, Any],
    frequency: Frequency,
) -> Comparison:
    return Comparison(
        kind=kind,
        column=column,
        label=label or column,
        levels=("exact", *levels, "else"),
        options=MappingProxyType(dict(options)),
        frequency=frequency,
    )


def _check_order(limits: Sequence[float], rule: str) -> None:
    """Refuse levels behind one that holds whenever they do."""
    if list(limits) != sorted(limits):
        raise _invalid(f"levels must be best first: {rule}")


def _check_cutoffs(cutoffs: Sequence[float], *, falling: bool) -> None:
    if falling:
        fine = all(0 < cutoff <= 1 for cutoff in cutoffs)
        ordered = list(cutoffs) == sorted(cutoffs, reverse=True)
    else:
        fine = all(cutoff >= 1 for cutoff in cutoffs)
        ordered = list(cutoffs) == sorted(cutoffs)
    if not fine or not ordered:
        what = "in (0, 1], highest first" if falling else "at least 1, lowest first"
        raise _invalid(f"levels must be {what}")
