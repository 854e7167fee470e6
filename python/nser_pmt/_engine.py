"""The two roads into the Rust core: a Polars expression, and whole Series."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
from polars.plugins import register_plugin_function

from nser_pmt import _native, errors

if TYPE_CHECKING:
    from polars._typing import IntoExpr

__all__ = [
    "STATUS",
    "columns",
    "expression",
    "frame",
    "into_expr",
    "one",
    "own_enum",
    "read_expr",
    "row_wise",
    "scored",
    "show_expr",
    "status_of_code",
    "typed",
    "write_expr",
]

_TAGGED = re.compile(r"nser_pmt\[(\w+)\] ([^\n]*)")

_CLASSES: dict[str, type[errors.NserError]] = {
    "invalid_model": errors.ModelError,
    "wrong_column": errors.SchemaError,
    "missing_value": errors.DomainError,
    "out_of_domain": errors.DomainError,
    "unknown_index": errors.DomainError,
    "unknown_key": errors.DomainError,
    "cancelled": errors.CancelledError,
    "timeout": errors.CancelledError,
    "internal_error": errors.InternalError,
}


def row_wise(
    operation: str,
    inputs: Sequence[IntoExpr],
    dtype: pl.DataType,
    spec: Mapping[str, object] | None = None,
) -> pl.Expr:
    """Make the expression of an operation of the core, such as ``cnic.parse``.

    A string names a column. The result has the type `dtype` and the name of the first input.
    """
    exprs = [into_expr(value) for value in inputs]
    text = json.dumps(spec or {})
    if not plugin_works():
        return _row_wise_fallback(operation, exprs, dtype, text)
    made = _plugin("row_wise", exprs, {"operation": operation, "spec": text})
    plain = _without_enums(dtype)
    return made.cast(plain).cast(dtype) if _FOREIGN_ENUMS and plain != dtype else made


def _without_enums(dtype: pl.DataType) -> pl.DataType:
    """Return the type with text for every Enum in it."""
    if isinstance(dtype, pl.Enum):
        return pl.String()
    if isinstance(dtype, pl.List) and isinstance(dtype.inner, pl.DataType):
        return pl.List(_without_enums(dtype.inner))
    if isinstance(dtype, pl.Struct):
        fields = {f.name: f.dtype for f in dtype.fields}
        return pl.Struct(
            {n: _without_enums(d) if isinstance(d, pl.DataType) else d for n, d in fields.items()}
        )
    return dtype


def one(operation: str, values: Sequence[object], spec: Mapping[str, object] | None = None) -> Any:
    """Return what `row_wise` gives for a row of these values."""
    return _native.evaluate_one(operation, json.dumps(spec or {}), list(values))


def into_expr(value: IntoExpr) -> pl.Expr:
    """Return a column's name as the column, an expression as itself, anything else as a literal."""
    if isinstance(value, pl.Expr):
        return value
    return pl.col(value) if isinstance(value, str) else pl.lit(value)


# Stands for the place of our own library, which differs from machine to machine.
_LIBRARY = "nser_pmt._native"


def write_expr(expr: pl.Expr) -> str:
    """Return an expression in Polars' JSON form, to be read by the same version of Polars."""
    text: str = expr.meta.serialize(format="json")
    return text.replace(json.dumps(_native.__file__), json.dumps(_LIBRARY))


def read_expr(text: str) -> pl.Expr:
    """Return the expression that `write_expr` wrote."""
    text = text.replace(json.dumps(_LIBRARY), json.dumps(_native.__file__))
    return pl.Expr.deserialize(text.encode(), format="json")


_OPERATION = re.compile(rb"operation\x94\x8c.([a-z_.]+)", re.DOTALL)


def show_expr(expr: pl.Expr) -> str:
    """Return an expression in words, with the names of our operations, not the library's place."""
    shown = str(expr)
    place = re.compile(re.escape(_native.__file__) + r":\w+")
    if not place.search(shown):
        return shown
    names = _operations(json.loads(write_expr(expr)))
    return place.sub(lambda _: next(names, "nser_pmt"), shown)


def _operations(node: Any) -> Iterator[str]:
    """Yield the operations of the core in an expression, in the order in which Polars shows it."""
    if isinstance(node, dict) and isinstance(node.get("input"), list) and "function" in node:
        first, *others = node["input"]
        parts = [first, node["function"], *others]
    elif isinstance(node, dict):
        if found := _OPERATION.search(bytes(node.get("kwargs") or [])):
            yield found[1].decode()
        parts = list(node.values())
    else:
        parts = node if isinstance(node, list) else []
    for part in parts:
        yield from _operations(part)


def _row_wise_fallback(
    operation: str, inputs: Sequence[pl.Expr], dtype: pl.DataType, spec: str
) -> pl.Expr:
    """Do the same through Python, for a Polars whose plugin interface has changed."""

    def call(batch: pl.Series) -> pl.Series:
        given = columns(batch.struct.unnest().get_columns())
        try:
            made = pl.DataFrame(_native.evaluate(operation, spec, given, len(batch))).to_series()
        except errors.NserError as error:
            raise pl.exceptions.ComputeError(_tagged(error, None)) from None
        return made.cast(_without_enums(dtype)).cast(dtype)

    # A struct is named after its first field.
    fields = [e.alias(f"__nser_pmt_{i}") if i else e for i, e in enumerate(inputs)]
    return pl.struct(fields).map_batches(call, return_dtype=dtype, is_elementwise=True)


def expression(
    function: str,
    inputs: Sequence[pl.Expr],
    *,
    program: str,
    name: str = "pmt_score",
    status: str = "pmt_status",
    control: _native.Control | None = None,
    numbered: bool = False,
) -> pl.Expr:
    """Make the expression of a scoring function.

    ``pmt_score`` gives the score, ``pmt_status`` the status, ``pmt_both`` a struct of the score and
    the code of the status (see `status_of_code`).
    """
    if not plugin_works():
        return _fallback(function, inputs, program, name, status, numbered)
    run = None if control is None else control.id
    given: dict[str, object] = {
        "program": program,
        "name": name,
        "status": status,
        "run": run,
        "numbered": numbered,
    }
    return _plugin(function, inputs, given)


def _plugin(function: str, inputs: Sequence[pl.Expr], arguments: dict[str, object]) -> pl.Expr:
    return register_plugin_function(
        plugin_path=Path(_native.__file__),
        function_name=function,
        args=list(inputs),
        kwargs=arguments,
        is_elementwise=True,
    )


@functools.cache
def plugin_works() -> bool:
    """Whether this Polars speaks our version of the plugin interface."""
    arguments: dict[str, object] = {
        "program": '{"inputs": [], "models": [{"intercept": 1.5, "terms": []}]}',
        "name": "score",
        "status": "status",
        "run": None,
        "numbered": True,
    }
    try:
        pl.select(_plugin("pmt_score", [pl.lit(0, dtype=pl.UInt32)], arguments))
    except Exception:
        return False
    return True


def _fallback(
    function: str,
    inputs: Sequence[pl.Expr],
    program: str,
    name: str,
    status: str,
    numbered: bool,
) -> pl.Expr:
    """Do the same through Python, for a Polars whose plugin interface has changed."""
    scorer = _native.Scorer(program.encode())
    fields = [f"{i}" for i in range(len(inputs))]

    def call(batch: pl.Series) -> pl.Series:
        given = batch.struct.unnest().get_columns()
        numbers = given.pop() if numbered else None
        try:
            stream = scorer.score(columns(given), len(batch), score=name, status=status, threads=1)
        except errors.NserError as error:
            raise pl.exceptions.ComputeError(_tagged(error, numbers)) from None
        result = scored(stream, status)
        if function == "pmt_both":
            code = pl.col(status).to_physical().cast(pl.UInt8)
            return result.with_columns(code).to_struct(name)
        return result.get_column(name if function == "pmt_score" else status)

    kinds: dict[str, pl.DataType] = {"pmt_score": pl.Float64(), "pmt_status": STATUS}
    both = pl.Struct({name: pl.Float64(), status: pl.UInt8()})
    packed = pl.struct(e.alias(f) for e, f in zip(inputs, fields, strict=True))
    return packed.map_batches(
        call, return_dtype=kinds.get(function, both), is_elementwise=True
    ).alias(status if function == "pmt_status" else name)


def _tagged(error: errors.NserError, numbers: pl.Series | None) -> str:
    """Write an error as the plugin does, with the row's number in the whole frame."""
    text = str(error)
    if error.row is not None and numbers is not None:
        text = text.replace(f", row {error.row}:", f", row {numbers[error.row]}:", 1)
    return f"nser_pmt[{error.code}] {text}"


STATUS = pl.Enum(["ok", "missing", "out_of_domain"])
_OK = pl.Series(["ok"], dtype=STATUS)


# Before 1.32 an Enum from outside equals no other Enum; through text it becomes an ordinary one.
_FOREIGN_ENUMS = tuple(int(n) for n in pl.__version__.split(".")[:2]) < (1, 32)


def own_enum(expr: pl.Expr) -> pl.Expr:
    """Return a status expression that is an ordinary Enum on every Polars."""
    return expr.cast(pl.String).cast(STATUS) if _FOREIGN_ENUMS else expr


def status_of_code(column: str) -> pl.Expr:
    """Return the status that a column of codes stands for."""
    names = [pl.lit(name, dtype=STATUS) for name in STATUS.categories]
    code = pl.col(column)
    chosen = pl.when(code == 0).then(names[0]).when(code == 1).then(names[1]).otherwise(names[2])
    return chosen.alias(column)


def columns(series: Sequence[pl.Series]) -> list[pl.Series | pl.DataFrame]:
    """Return the columns in a form that the core can read on every Polars.

    In version 1.30 the Arrow stream of a Series with a dictionary or a decimal contradicts itself;
    that of a frame does not.
    """
    wrapped = (pl.Enum, pl.Categorical, pl.Decimal)
    return [s.to_frame() if isinstance(s.dtype, wrapped) else s for s in series]


def frame(stream: _native.ArrowStream, enums: Mapping[str, pl.Enum]) -> pl.DataFrame:
    """Return the frame that the core made, without a copy; `enums` are its Enum columns."""
    made = pl.DataFrame(stream)
    if not _FOREIGN_ENUMS:
        return made
    present = {name: dtype for name, dtype in enums.items() if name in made.columns}
    return made.with_columns(pl.col(n).cast(pl.String).cast(d) for n, d in present.items())


def scored(stream: _native.ArrowStream, status: str) -> pl.DataFrame:
    """Return scores and statuses; the core leaves the statuses out when all are ok."""
    result = frame(stream, {status: STATUS})
    if result.width == 1:
        all_ok = _OK.new_from_index(0, result.height).alias(status)
        result = result.hstack([all_ok])
    return result


def typed(error: Exception) -> errors.NserError | None:
    """Return the typed error inside a Polars error that a plugin call caused, if there is one."""
    found = _TAGGED.search(str(error))
    if found is None or found[1] not in _CLASSES:
        return None
    message = found[2].strip()
    column = re.search(r"column '([^']*)'", message)
    row = re.search(r", row (\d+):", message)
    return _CLASSES[found[1]](
        message,
        code=found[1],
        column=column[1] if column else None,
        row=int(row[1]) if row else None,
    )
