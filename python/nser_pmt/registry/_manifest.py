"""The manifest of a registry: what it holds, written as JSON and read strictly."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal

import polars as pl

from nser_pmt._reading import plain, read
from nser_pmt.errors import ModelError, RegistryError, SchemaError
from nser_pmt.registry import _files as files

__all__ = ["Manifest", "Part", "Rules", "Segment", "load_manifest"]

SCHEMA_VERSION = 1

_PLAIN = (
    *(pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64),
    *(pl.Float32, pl.Float64, pl.Boolean, pl.String, pl.Date),
)
_BY_NAME: dict[str, pl.DataType] = {str(kind()): kind() for kind in _PLAIN}


@dataclass(frozen=True, kw_only=True)
class Column:
    """Name and type of a column; `levels` are those of an Enum."""

    name: str
    type: str
    levels: tuple[str, ...] = ()

    @property
    def dtype(self) -> pl.DataType:
        """Type in Polars."""
        return pl.Enum(list(self.levels)) if self.type == "Enum" else _BY_NAME[self.type]


@dataclass(frozen=True, kw_only=True)
class Programme:
    """Programme in force: its file, and the version that applied on the date."""

    id: str
    digest: str
    version: str


@dataclass(frozen=True, kw_only=True)
class Rules:
    """Model and programmes that a segment was decided with."""

    model: str
    model_digest: str
    programmes: tuple[Programme, ...]


@dataclass(frozen=True, kw_only=True)
class Part:
    """Files of a range of households, from `low` on; the size of each file in bytes."""

    low: int
    households: int
    people: int
    bytes: tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class Segment:
    """What one call wrote: the whole registry (a base) or the households of one batch."""

    number: int
    kind: Literal["base", "update"]
    on: str
    recorded_at: str
    batch: str = ""
    rules: Rules
    parts: tuple[Part, ...]

    @property
    def day(self) -> date:
        """Date that the segment tells of."""
        return date.fromisoformat(self.on)


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What is in force: the columns and the segments, oldest first; a later one wins."""

    schema_version: int
    households: tuple[Column, ...]
    people: tuple[Column, ...]
    segments: tuple[Segment, ...]

    @property
    def last(self) -> Segment:
        """Newest segment."""
        return self.segments[-1]

    def current(self, on: date | None = None) -> tuple[Segment, ...]:
        """Return the last base known on a date and the updates after it."""
        known = [s for s in self.segments if on is None or s.day <= on]
        bases = [place for place, s in enumerate(known) if s.kind == "base"]
        return tuple(known[bases[-1] :]) if bases else ()

    def save(self, folder: Path) -> None:
        """Put this manifest in force."""
        files.commit(folder, plain(self))


def columns_of(schema: Mapping[str, pl.DataType], table: str) -> tuple[Column, ...]:
    """Return the columns to keep of a table; SchemaError for a type that cannot be kept."""
    made = []
    for name, dtype in schema.items():
        if isinstance(dtype, pl.Enum):
            made.append(Column(name=name, type="Enum", levels=tuple(dtype.categories)))
        elif str(dtype) in _BY_NAME:
            made.append(Column(name=name, type=str(dtype)))
        else:
            raise SchemaError(
                f"{table}, column '{name}': a registry keeps whole numbers, floats, Boolean, "
                f"String, Enum and Date, found {dtype.base_type()}",
                code="wrong_column",
                column=name,
                hint="Cast it",
            )
    return tuple(made)


def schema_of(columns: tuple[Column, ...]) -> dict[str, pl.DataType]:
    """Return names and types of columns."""
    return {column.name: column.dtype for column in columns}


def now() -> str:
    """Return the time, in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def load_manifest(folder: Path) -> Manifest:
    """Read the manifest of a registry.

    Raises
    ------
    RegistryError
        There is none (code ``not_a_registry``), or it cannot be read (``damaged``).
    """
    try:
        text = (folder / files.MANIFEST).read_text(encoding="utf-8")
    except OSError:
        raise RegistryError("no registry in this folder", code="not_a_registry") from None
    except UnicodeDecodeError:
        raise damaged("the manifest is not text") from None
    try:
        data: Any = json.loads(text)
    except ValueError:
        raise damaged("the manifest is not JSON") from None
    version = data.get("schema_version") if isinstance(data, dict) else None
    if version != SCHEMA_VERSION:
        raise RegistryError(
            f"the manifest has a schema_version that this version of nser_pmt cannot read; it "
            f"reads {SCHEMA_VERSION}",
            code="schema_version",
        )
    try:
        manifest = read(Manifest, data, "manifest")
        for column in (*manifest.households, *manifest.people):
            _ = column.dtype
        days = [s.day for s in manifest.segments]
    except (ModelError, KeyError, ValueError):
        raise damaged("the manifest is not of this schema") from None
    if not days or days != sorted(days):
        raise damaged("the segments of the manifest are out of order")
    return manifest


def damaged(message: str) -> RegistryError:
    """Return the error of a registry that was changed from outside."""
    return RegistryError(message, code="damaged", hint="Restore the folder from a copy")
