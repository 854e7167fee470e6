"""Fields of a registry and of a citizens' file, read alike and compared: the parts of `verify`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from nser_pmt import cnic, names, similarity
from nser_pmt._options import invalid
from nser_pmt.errors import SchemaError
from nser_pmt.scoring.model import missing_column

__all__ = ["BIRTHS", "NUMBERS", "RELATIVES", "ROW", "SAME", "Source", "compared", "source"]

NUMBERS = pl.Enum(["exact", "one_error", "two_errors", "different"])
BIRTHS = pl.Enum(["exact", "day_month_swap", "one_slip", "first_january", "near", "different"])
SAME = pl.Enum(["same", "different"])
RELATIVES = pl.Enum(["father", "husband"])

_NAMES = {
    "number": "cnic",
    "name": "name",
    "father": "father_name",
    "husband": "husband_name",
    "birth_date": "birth_date",
    "sex": "sex",
    "district": "district",
    "alive": "alive",
    "deceased": "deceased",
    "card_expiry": "card_expiry",
}
_FLAGS = ("alive", "deceased", "card_expiry")
# No column of anybody's frame.
ROW = "nser_pmt row"
_NEEDED = ("number", "name")
# Names of less similarity are looked at in other ways too.
_UNLIKE = 0.75
_TEXT = (pl.String, pl.Enum, pl.Categorical, pl.Null)
_DATE = (pl.Date, pl.Datetime, pl.Null)

# Numbers that differ in the last digit only: what `cnic.parse` says of a sex that does not fit.
_MAN, _WOMAN = 3520212345671, 3520212345672


@dataclass(frozen=True, kw_only=True)
class Source:
    """A frame, and expressions that read its fields."""

    frame: pl.DataFrame | pl.LazyFrame
    id: str
    rows: int
    fields: Mapping[str, pl.Expr]
    has: frozenset[str]

    def read(self, *fields: str) -> pl.DataFrame:
        """Return some fields of all rows."""
        wanted = [self.fields[field].alias(field) for field in fields]
        return self.frame.lazy().select(wanted).collect(engine="streaming")

    def take(self, rows: pl.Series, *fields: str) -> pl.DataFrame:
        """Return fields (all by default) of some rows, in the order of `rows`, which may repeat."""
        wanted = [self.fields[field].alias(field) for field in fields or self.fields]
        if isinstance(self.frame, pl.DataFrame):
            used = {name for expr in wanted for name in expr.meta.root_names()}
            return self.frame.select(sorted(used))[rows].select(wanted)
        asked = rows.cast(pl.UInt32).to_frame(ROW)
        once = asked.unique().sort(ROW).lazy()
        found = self.frame.with_row_index(ROW).join(once, on=ROW, how="semi")
        known = found.select(ROW, *wanted).collect(engine="streaming")
        return asked.join(known, on=ROW, how="left", maintain_order="left").drop(ROW)


def source(
    frame: pl.DataFrame | pl.LazyFrame,
    which: str,
    id: str,
    columns: Mapping[str, str | tuple[str | None, str | None]],
) -> Source:
    """Check the columns of the registry or of the citizens, and say how they are read."""
    citizens = which == "citizens"
    schema = frame.lazy().collect_schema()
    unknown = sorted(set(columns) - set(_NAMES))
    if unknown:
        raise invalid(f"columns: no field '{unknown[0]}'; there are {', '.join(_NAMES)}")
    found: dict[str, str] = {}
    for field, usual in _NAMES.items():
        if field in _FLAGS and not citizens:
            continue
        given = columns.get(field, usual)
        column = given[citizens] if isinstance(given, tuple) else given
        if column in schema:
            assert column is not None
            found[field] = column
        elif column is None and field in _NEEDED:
            raise invalid(f"columns: '{field}' is needed in both frames")
        elif column is not None and (field in columns or field in _NEEDED):
            raise _missing(which, column, schema.names())
    if id not in schema:
        raise _missing(which, id, schema.names())
    rows = _check_ids(frame, which, id)
    fields = {"id": pl.col(id)} | _persons(found, schema, which)
    fields |= _flags(found, schema, which) if citizens else _written(found["number"], schema)
    return Source(frame=frame, id=id, rows=rows, fields=fields, has=frozenset(found))


def _missing(which: str, column: str, known: list[str]) -> SchemaError:
    error = missing_column(column, known)
    return SchemaError(
        f"{which}: column '{column}' is missing", code=error.code, column=column, hint=error.hint
    )


def _check_ids(frame: pl.DataFrame | pl.LazyFrame, which: str, id: str) -> int:
    ids = pl.col(id)
    counts = frame.lazy().select(rows=pl.len(), nulls=ids.null_count(), distinct=ids.n_unique())
    rows, nulls, distinct = counts.collect(engine="streaming").row(0)
    if nulls or distinct < rows:
        code, text = ("missing_id", "an id is missing") if nulls else ("duplicate_id", "ids repeat")
        wrong = ids.is_null() if nulls else ~ids.is_first_distinct()
        row = frame.lazy().select(wrong.arg_max()).collect().item()
        raise SchemaError(
            f"{which}: column '{id}', row {row}: {text}", code=code, column=id, row=row
        )
    return int(rows)


def _persons(found: Mapping[str, str], schema: pl.Schema, which: str) -> dict[str, pl.Expr]:
    fields: dict[str, pl.Expr] = {}
    for field in ("name", "father", "husband", "district"):
        text = _read(found, schema, which, field, _TEXT, "text").cast(pl.String)
        fields[field] = text if field != "district" else _nonempty(names.fold(text))
    born = _read(
        found, schema, which, "birth_date", _DATE, "a Date; parse text with .str.to_date()"
    )
    fields["birth_date"] = born.cast(pl.Date)
    sex = _read(found, schema, which, "sex", _TEXT, "text").cast(pl.String)
    fields["female"] = pl.when(_unfit(_MAN, sex)).then(True).when(_unfit(_WOMAN, sex)).then(False)
    number = _number(found["number"], schema)
    fields["number"] = cnic.parse(number).struct["number"]
    return fields


def _read(
    found: Mapping[str, str],
    schema: pl.Schema,
    which: str,
    field: str,
    types: tuple[Any, ...],
    expected: str,
) -> pl.Expr:
    """Return a column, or nulls where there is none."""
    if field not in found:
        return pl.lit(None, pl.String if types is _TEXT else types[0])
    column = found[field]
    if schema[column].base_type() not in types:
        raise SchemaError(
            f"{which}: column '{column}': expected {expected}", code="wrong_column", column=column
        )
    return pl.col(column)


def _number(column: str, schema: pl.Schema) -> pl.Expr:
    # A column without any value has no type that a number can be read from.
    return pl.col(column).cast(pl.String) if schema[column] == pl.Null else pl.col(column)


def _unfit(number: int, sex: pl.Expr) -> pl.Expr:
    issue = cnic.parse(pl.lit(number, pl.UInt64), sex=sex).struct["issue"]
    return issue.cast(pl.String) == "sex_mismatch"


def _nonempty(text: pl.Expr) -> pl.Expr:
    return pl.when(text != "").then(text)


def _written(column: str, schema: pl.Schema) -> dict[str, pl.Expr]:
    """Return what was written for a number: digits to compare, its kind, what is wrong with it."""
    number = _number(column, schema)
    parsed = cnic.parse(number)
    kind = parsed.struct["kind"].cast(pl.String)
    digits = pl.when(kind == "malformed").then(number.cast(pl.String))
    known = pl.when(kind == "cnic").then(parsed.struct["number"].cast(pl.String))
    return {
        "kind": parsed.struct["kind"],
        "issue": parsed.struct["issue"],
        "written": pl.coalesce(known, digits),
    }


def _flags(found: Mapping[str, str], schema: pl.Schema, which: str) -> dict[str, pl.Expr]:
    boolean = (pl.Boolean, pl.Null)
    alive = _read(found, schema, which, "alive", boolean, "a Boolean").cast(pl.Boolean)
    dead = _read(found, schema, which, "deceased", boolean, "a Boolean").cast(pl.Boolean)
    expiry = _read(found, schema, which, "card_expiry", _DATE, "a Date").cast(pl.Date)
    return {"deceased": pl.coalesce(dead, ~alive), "card_expiry": expiry}


# -- comparing -------------------------------------------------------------------------------------


def compared(left: pl.DataFrame, right: pl.DataFrame, *, years: int) -> pl.DataFrame:
    """Compare the fields of registry rows with those of citizens, row by row.

    Returns
    -------
    DataFrame
        The match codes and similarities of a result; ``of_relative``: how alike the father's or
        husband's name and the citizen's own are, where the own names are not; ``name_slip`` and
        ``relative_slip``: whether names that are not alike are one slip of the keyboard apart;
        ``name_taken``: whether what contradicts in the name is the father's or husband's.
    """
    pairs = pl.concat([left, right.rename(lambda name: f"{name}_citizen")], how="horizontal")
    both = ("father", "husband")
    ways = [(mine, citizen) for citizen in both for mine in both]
    pairs = pairs.with_columns(
        names.compare("name", "name_citizen").alias("own"),
        *(
            names.compare(mine, f"{citizen}_citizen").alias(f"{mine}-{citizen}")
            for mine, citizen in ways
        ),
    )
    likeness = {f"{mine}-{of}": pl.col(f"{mine}-{of}") for mine, of in ways}
    best = pl.max_horizontal(way.struct["similarity"] for way in likeness.values())
    is_best = [(name, way.struct["similarity"] == best) for name, way in likeness.items()]
    relative = pl.coalesce(
        pl.when(test).then(pl.lit(name.split("-")[1], RELATIVES)) for name, test in is_best
    )
    other = pl.coalesce(
        pl.when(test).then(likeness[name].struct["match"]) for name, test in is_best
    )
    own = pl.col("own")
    # Most names agree: what follows is worked out for the others only.
    theirs = pl.when(own.struct["similarity"] < _UNLIKE).then("name_citizen")
    elder = [names.compare(mine, theirs).struct["similarity"] for mine in ("father", "husband")]
    unlike = pl.when(best < _UNLIKE)
    slips = [_slip(unlike.then(mine), f"{citizen}_citizen") for mine, citizen in ways]
    return pairs.select(
        match_number=_numbers(pl.col("written"), pl.col("number_citizen")),
        match_name=own.struct["match"],
        match_father_or_husband=other,
        match_birth_date=_births_of(pairs, years),
        match_sex=_same("female"),
        match_district=_same("district"),
        name_similarity=own.struct["similarity"],
        father_or_husband_similarity=best,
        relative=relative,
        of_relative=pl.max_horizontal(elder),
        name_slip=_slip(pl.col("name"), theirs),
        name_taken=_taken(own, theirs),
        relative_slip=pl.any_horizontal(slips),
    )


def _taken(own: pl.Expr, theirs: pl.Expr) -> pl.Expr:
    """Whether each part of a name is in the citizen's name or in that of father or husband.

    Women take their husband's name as their second, and drop their father's.
    """
    partly = own.struct["match"].cast(pl.String) == "conflicting"
    family = pl.concat_str(
        pl.when(partly).then(theirs),
        pl.col("father_citizen").fill_null(""),
        pl.col("husband_citizen").fill_null(""),
        separator=" ",
    )
    match = names.compare("name", family).struct["match"].cast(pl.String)
    return match.is_in(["exact", "reordered", "subset"]).fill_null(False)


def _slip(a: pl.Expr, b: pl.Expr | str) -> pl.Expr:
    """Whether two names in match form are one wrong, missing, added or swapped letter apart."""
    b = pl.col(b) if isinstance(b, str) else b
    asked = pl.when(b.is_not_null()).then(a)
    distance = similarity.osa_distance(names.fold(asked), names.fold(b), cutoff=1)
    return (distance <= 1).fill_null(False)


def _numbers(written: pl.Expr, number: pl.Expr) -> pl.Expr:
    errors = cnic.distance(written, number).struct["count"]
    named = list(enumerate(NUMBERS.categories[:-1]))
    codes = pl.coalesce(pl.when(errors == n).then(pl.lit(name, NUMBERS)) for n, name in named)
    return pl.when(errors.is_not_null()).then(codes.fill_null("different"))


def _same(field: str) -> pl.Expr:
    a, b = pl.col(field), pl.col(f"{field}_citizen")
    both = a.is_not_null() & b.is_not_null()
    code = pl.when(a == b).then(pl.lit("same", SAME)).otherwise(pl.lit("different", SAME))
    return pl.when(both).then(code)


def _births_of(pairs: pl.DataFrame, years: int) -> pl.Series:
    """Return what the birth dates of pairs have to do with each other.

    Most are equal: only the others are looked at digit by digit.
    """
    a, b = pl.col("birth_date"), pl.col("birth_date_citizen")
    dates = pairs.select(a, b).with_row_index(ROW)
    others = dates.filter(a != b).select(ROW, code=_births(a, b, years))
    code = pl.when(a == b).then(pl.lit("exact", BIRTHS)).otherwise("code")
    joined = dates.join(others, on=ROW, how="left", maintain_order="left")
    return joined.select(code).to_series()


def _births(a: pl.Expr, b: pl.Expr, years: int) -> pl.Expr:
    """Return what two unequal dates have to do with each other; the first that holds."""
    swapped = (
        (a.dt.year() == b.dt.year())
        & (a.dt.month() == b.dt.day().cast(pl.Int8))
        & (a.dt.day() == b.dt.month())
    )
    heaped = (a.dt.ordinal_day() == 1) | (b.dt.ordinal_day() == 1)
    near = (a - b).dt.total_days().abs() <= 366 * years
    tests = {
        "day_month_swap": swapped,
        "one_slip": _one_slip(_digits(a), _digits(b)),
        "first_january": heaped & (a.dt.year() == b.dt.year()),
        "near": near,
    }
    codes = pl.coalesce(pl.when(test).then(pl.lit(name, BIRTHS)) for name, test in tests.items())
    return codes.fill_null("different")


def _digits(date: pl.Expr) -> list[pl.Expr]:
    """Return the eight digits of year, month and day."""
    year, month, day = (
        part.cast(pl.Int32) for part in (date.dt.year(), date.dt.month(), date.dt.day())
    )
    whole = year * 10_000 + month * 100 + day
    return [whole // 10**place % 10 for place in range(7, -1, -1)]


def _one_slip(a: list[pl.Expr], b: list[pl.Expr]) -> pl.Expr:
    """Whether one digit differs, or two neighbours of one part are swapped."""
    unequal = [x != y for x, y in zip(a, b, strict=True)]
    count = pl.sum_horizontal(unequal)
    swaps = [
        unequal[i] & (a[i] == b[i + 1]) & (a[i + 1] == b[i])
        for i in range(7)
        if i not in (3, 5)  # the last digits of year and month have no neighbour behind them
    ]
    return (count == 1) | ((count == 2) & pl.any_horizontal(swaps))
