"""Strict reading of a data file into frozen dataclasses, and back.

The dataclass is the schema: its annotations are the types, its defaults the defaults. Unknown keys,
wrong types, NaN and infinity are a `ModelError` that names the place (``terms[2].bins[0].ge``).
A date is a TOML date, or text such as ``"2024-06-01"`` (JSON has no dates).
"""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import functools
import json
import math
import tomllib
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

from nser_pmt.errors import ModelError

T = TypeVar("T")

_WORDS = {
    str: "text",
    int: "a whole number",
    float: "a finite number",
    bool: "true or false",
    datetime.date: "a date",
}


def parse_json(text: str | bytes) -> object:
    """Return the plain data of JSON text, refusing a key given twice as TOML does."""
    return _parse("JSON", lambda: json.loads(text, object_pairs_hook=_once))


def parse_toml(text: str) -> object:
    """Return the plain data of TOML text."""
    return _parse("TOML", lambda: tomllib.loads(text))


def _parse(form: str, parse: Callable[[], object]) -> object:
    try:
        return parse()
    except RecursionError:
        reason = "it is nested too deeply"
    except ModelError:
        raise
    except ValueError as error:  # bad syntax, bad UTF-8, a number of thousands of digits
        reason = str(error)
    raise ModelError(f"not valid {form}: {reason}", code=f"not_{form.lower()}")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table: dict[str, Any] = {}
    for key, value in pairs:
        if key in table:
            raise ModelError(f"{key}: the key is given twice", code="duplicate_key")
        table[key] = value
    return table


def keyed_by(name: str, **kwargs: Any) -> Any:
    """Field for a table whose keys become the attribute `name` of its entries."""
    return dataclasses.field(metadata={"key": name}, **kwargs)


@functools.cache
def _hints(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def read(cls: type[T], data: object, place: str) -> T:
    """Make a `cls` from plain `data`; errors name the `place`."""
    if not isinstance(data, dict):
        raise _wrong(place, "a table")
    fields = {f.name: f for f in dataclasses.fields(cls) if f.init}  # type: ignore[arg-type]
    for key in data:
        if key not in fields:
            close = difflib.get_close_matches(str(key), fields, n=1)
            hint = f"Did you mean '{close[0]}'?" if close else f"Known keys: {', '.join(fields)}"
            raise ModelError(f"{_join(place, key)}: unknown key", code="unknown_key", hint=hint)
    hints = _hints(typing.cast(Any, cls))
    values: dict[str, Any] = {}
    for name, field in fields.items():
        if name in data:
            here = _join(place, name)
            if (key := field.metadata.get("key")) is not None:
                values[name] = _read_keyed(hints[name], data[name], here, key)
            else:
                values[name] = _convert(hints[name], data[name], here)
        elif field.default is field.default_factory is dataclasses.MISSING:
            raise ModelError(f"{_join(place, name)}: missing", code="missing_key")
    try:
        return cls(**values)
    except ModelError as error:  # a dataclass's own check: say where
        message = f"{place}: {error.args[0]}" if place else error.args[0]
        raise ModelError(message, code=error.code) from None


def plain(value: object) -> Any:
    """Turn what `read` made back into plain data, leaving out everything at its default."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        out = {}
        for field in dataclasses.fields(value):
            item = getattr(value, field.name)
            if not field.init or (item == field.default and field.name != "kind"):
                continue
            if (key := field.metadata.get("key")) is not None:
                out[field.name] = {getattr(i, key): _without(plain(i), key) for i in item}
                continue
            out[field.name] = plain(item)
        return out
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime.date):
        return value.isoformat()
    return value


def _without(data: dict[str, Any], key: str) -> dict[str, Any]:
    return {k: v for k, v in data.items() if k != key}


def _read_keyed(hint: Any, data: object, place: str, key: str) -> tuple[Any, ...]:
    if not isinstance(data, dict):
        raise _wrong(place, "a table")
    entry = get_args(hint)[0]
    out = []
    for name, item in data.items():
        if isinstance(item, dict) and key in item:
            raise ModelError(f"{_join(place, name)}.{key}: unknown key", code="unknown_key")
        item = {key: name, **item} if isinstance(item, dict) else item
        out.append(_convert(entry, item, _join(place, name)))
    return tuple(out)


def _convert(hint: Any, value: object, place: str) -> Any:
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        if not isinstance(value, str) or value not in args:
            raise _wrong(place, " or ".join(f"'{a}'" for a in args))
        return value
    if origin in (Union, types.UnionType):
        return _convert_union(args, value, place)
    if origin is tuple:
        if not isinstance(value, list | tuple):
            raise _wrong(place, "a list")
        if args[-1] is Ellipsis:
            return tuple(_convert(args[0], v, f"{place}[{i}]") for i, v in enumerate(value))
        if len(value) != len(args):
            raise _wrong(place, f"a list of {len(args)}")
        pairs = enumerate(zip(args, value, strict=True))
        return tuple(_convert(a, v, f"{place}[{i}]") for i, (a, v) in pairs)
    if origin is Mapping:
        if not isinstance(value, dict):
            raise _wrong(place, "a table")
        return {k: _convert(args[1], v, _join(place, k)) for k, v in value.items()}
    if dataclasses.is_dataclass(hint):
        return _read_entry(hint, value, place)
    return _convert_scalar(hint, value, place)


def _read_entry(cls: Any, value: object, place: str) -> Any:
    return read(cls, value, place)


def _convert_scalar(hint: Any, value: object, place: str) -> Any:
    if hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise _wrong(place, "a finite number")
        return number
    if hint is datetime.date and type(value) is str:
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            raise _wrong(place, "a date such as 2024-06-01") from None
    if hint in _WORDS and type(value) is hint and _is_unicode(value):
        return value
    raise _wrong(place, _WORDS.get(hint, str(hint)))


def _is_unicode(value: object) -> bool:
    """Whether text can be written at all: JSON may hold half of a surrogate pair."""
    try:
        return not isinstance(value, str) or bool(value.encode()) or not value
    except UnicodeEncodeError:
        return False


def _convert_union(args: tuple[Any, ...], value: object, place: str) -> Any:
    tables = [a for a in args if dataclasses.is_dataclass(a)]
    if len(tables) == 1:
        return _read_entry(tables[0], value, place)
    if tables:
        kinds = {_kind(a): a for a in tables}
        kind = value.get("kind") if isinstance(value, dict) else None
        if kind not in kinds:
            raise _wrong(_join(place, "kind"), " or ".join(f"'{k}'" for k in kinds))
        return _read_entry(kinds[kind], value, place)
    # A whole number in a file may be meant as a float: exact types first.
    for arg in sorted(args, key=lambda a: type(value) is not a):
        try:
            return _convert(arg, value, place)
        except ModelError:
            continue
    raise _wrong(place, " or ".join(_describe(a) for a in args if a is not type(None)))


def _kind(cls: Any) -> str:
    return str(get_args(_hints(cls)["kind"])[0])


def _describe(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return " or ".join(f"'{a}'" for a in get_args(hint))
    return _WORDS.get(hint, "a list" if get_origin(hint) is tuple else str(hint))


def _join(place: str, key: object) -> str:
    return f"{place}.{key}" if place else str(key)


def _wrong(place: str, expected: str) -> ModelError:
    return ModelError(f"{place}: expected {expected}", code="wrong_type")
