"""The tables of a run: read, renamed to the library's names, and checked."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from nser_pmt import cnic
from nser_pmt._tables import polars_errors, scan
from nser_pmt.errors import ModelError, SchemaError
from nser_pmt.pipeline._config import Pipeline, Source
from nser_pmt.scoring.model import missing_column

__all__ = ["Frame", "Inputs", "read_inputs"]

Frame = pl.DataFrame | pl.LazyFrame

SOURCES = ("households", "people", "citizens", "truth")
HOUSEHOLD, PERSON, CITIZEN = "hh_id", "person_id", "entity"
_KEYS = {"households": HOUSEHOLD, "people": PERSON, "citizens": CITIZEN, "truth": HOUSEHOLD}
_NEEDED = {
    "households": (HOUSEHOLD,),
    "people": (PERSON, HOUSEHOLD, "cnic", "name", "sex", "birth_date"),
    "citizens": (CITIZEN, "cnic", "name"),
    "truth": (HOUSEHOLD,),
}
_PERSON = (
    *("person_id", "hh_id", "cnic", "name", "father_name", "husband_name", "birth_date", "sex"),
    *("district", "relation", "marital_state", "cnic_verified", "b_form"),
)
_CITIZEN = (
    *("entity", "cnic", "name", "father_name", "husband_name", "birth_date", "sex", "district"),
    *("alive", "deceased", "card_expiry"),
)
# Digits that are text: a spreadsheet's guess would lose them.
_TEXT = ("cnic", "phone", "name", "father_name", "husband_name")


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What is read.

    `files` has the name in the configuration, SHA-256 (None for a frame of the caller) and rows.
    """

    households: pl.DataFrame
    people: pl.DataFrame | None
    citizens: pl.DataFrame | None
    truth: pl.DataFrame | None
    files: Mapping[str, tuple[str | None, str | None, int]]


def read_inputs(
    config: Pipeline, given: Mapping[str, Frame | None], asked: Iterable[str]
) -> Inputs:
    """Read the tables of a configuration, or take those that the caller has.

    Of persons and citizens only columns that a step reads are kept; `asked` are those of the rules.
    """
    read = {"people": {*_PERSON, *asked}, "citizens": set(_CITIZEN)}
    tables: dict[str, pl.DataFrame | None] = {}
    files = {}
    for name in SOURCES:
        source: Source | None = getattr(config, name)
        frame = given.get(name)
        if source is None:
            if frame is not None:
                raise ModelError(f"{name}: the pipeline has no such table", code="missing_key")
            tables[name] = None
            continue
        digest = None
        if frame is None:
            if source.file is None:
                raise ModelError(f"{name}.file: missing", code="missing_key")
            path = config.path(source.file)
            frame, digest = _scan(path, source.columns), _digest(path)
            with polars_errors(path):
                table = _taken(frame, source.columns, name, read.get(name)).collect()
        else:
            table = _taken(frame.lazy(), source.columns, name, read.get(name)).collect()
        _check_key(table, name)
        tables[name] = table
        files[name] = (source.file, digest, table.height)
    households, people = tables["households"], tables["people"]
    assert households is not None
    if people is not None:
        _check_members(people, households)
    return Inputs(
        households=households,
        people=people,
        citizens=tables["citizens"],
        truth=tables["truth"],
        files=files,
    )


def _scan(path: Path, columns: Mapping[str, str]) -> pl.LazyFrame:
    if path.is_dir():
        return pl.scan_parquet(_parts(path))
    if path.suffix != ".csv":
        return scan(path)
    scan(path)  # says what is wrong with the path
    text = {columns.get(name, name): pl.String for name in _TEXT}
    with polars_errors(path):
        there = pl.scan_csv(path, infer_schema=False).collect_schema().names()
        return pl.scan_csv(
            path,
            try_parse_dates=True,
            infer_schema_length=10_000,
            schema_overrides={name: kind for name, kind in text.items() if name in there},
        )


def _parts(folder: Path) -> list[Path]:
    """Return the Parquet files of a folder, in the order of their names."""
    parts = sorted(folder.glob("*.parquet"))
    if not parts:
        raise FileNotFoundError(2, "no .parquet file in the folder", str(folder))
    return parts


def _digest(path: Path) -> str:
    """Return the SHA-256 of a file; of a folder, that of its files' one after the other."""
    if path.is_dir():
        parts = "".join(_digest(part) for part in _parts(path))
        return hashlib.sha256(parts.encode()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _renamed(frame: pl.LazyFrame, columns: Mapping[str, str], table: str) -> pl.LazyFrame:
    """Give columns the library's names."""
    there = frame.collect_schema().names()
    renamed = {old: new for new, old in columns.items() if old != new}
    for new, old in columns.items():
        if old not in there:
            raise _missing(table, old, there)
        if new != old and new in there and new not in renamed:
            raise SchemaError(
                f"{table}: column '{new}' is there already",
                code="wrong_column",
                column=new,
                hint=f"{table}.columns.{new} names another",
            )
    if len(renamed) < sum(old != new for new, old in columns.items()):
        raise ModelError(f"{table}.columns: a column is named twice", code="duplicate_key")
    names = [renamed.get(name, name) for name in there]
    for name in _NEEDED[table]:
        if name not in names:
            raise _missing(table, name, names)
    return frame.rename(renamed)


def _taken(
    frame: pl.LazyFrame, columns: Mapping[str, str], table: str, read: set[str] | None
) -> pl.LazyFrame:
    """Return what is read of a table, under the library's names, with types that make sense."""
    frame = _renamed(frame, columns, table)
    schema = frame.collect_schema()
    if table != "citizens":
        ids = {_KEYS[table], HOUSEHOLD}
        for column in sorted(ids):
            if not schema[column].is_integer():
                raise _wrong_type(table, column, "whole numbers")
        frame = frame.with_columns(pl.col(*ids).cast(pl.Int64, strict=False))
    if table == "people":
        _check_types(schema)
        frame = _completed(frame, schema.names())
    if read is None:
        return frame
    return frame.select(name for name in frame.collect_schema().names() if name in read)


def _missing(table: str, column: str, known: list[str]) -> SchemaError:
    error = missing_column(column, known)
    hint = error.hint or f"{table}.columns can say which column it is"
    return SchemaError(
        f"{table}: column '{column}' is missing", code=error.code, column=column, hint=hint
    )


def _check_key(table: pl.DataFrame, name: str) -> None:
    """Ids are there, each once."""
    key = _KEYS[name]
    ids = table.get_column(key)
    wrong = ids.is_null() | ~ids.is_first_distinct()
    row = wrong.arg_max() if wrong.any() else None
    if row is not None:
        code = "missing_id" if ids[row] is None else "duplicate_id"
        text = "an id is missing" if ids[row] is None else "an id occurs twice"
        raise SchemaError(
            f"{name}: column '{key}', row {row}: {text}", code=code, column=key, row=row
        )


def _completed(people: pl.LazyFrame, columns: list[str]) -> pl.LazyFrame:
    """Return persons with what other columns say of a missing one."""
    for column in ("name", "father_name"):
        urdu = f"{column}_urdu"
        if column in columns and urdu in columns:
            people = people.with_columns(pl.col(column, urdu).cast(pl.String)).with_columns(
                pl.coalesce(column, urdu)
            )
    if "b_form" in columns:
        return people
    # A child's number is that of its B-Form.
    return people.with_columns(b_form=cnic.normalize("cnic").is_not_null())


def _check_types(schema: pl.Schema) -> None:
    """Columns of persons that are read here are of types that make sense."""
    text = (pl.String, pl.Enum, pl.Categorical, pl.Null)
    columns = ("name", "name_urdu", "father_name", "father_name_urdu", "sex", "relation")
    for column in (*columns, "marital_state"):
        if column in schema and not isinstance(schema[column], text):
            raise _wrong_type("people", column, "text")
    if schema["birth_date"] != pl.Date:
        raise _wrong_type("people", "birth_date", "a Date", "In CSV write 1990-07-21")
    if schema.get("cnic_verified", pl.Boolean()) != pl.Boolean:
        raise _wrong_type("people", "cnic_verified", "true or false")


def _wrong_type(table: str, column: str, expected: str, hint: str | None = None) -> SchemaError:
    return SchemaError(
        f"{table}: column '{column}': expected {expected}",
        code="wrong_column",
        column=column,
        hint=hint,
    )


def _check_members(people: pl.DataFrame, households: pl.DataFrame) -> None:
    """Each person is of a household that is there."""
    theirs = people.get_column(HOUSEHOLD)
    lost = ~theirs.is_in(households.get_column(HOUSEHOLD).implode()).fill_null(False)
    if lost.any():
        row = lost.arg_max()
        raise SchemaError(
            f"people: column '{HOUSEHOLD}', row {row}: no household has this id",
            code="unknown_id",
            column=HOUSEHOLD,
            row=row,
        )
