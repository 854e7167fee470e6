"""The two roads into the Rust core: a Polars expression, and whole Series."""

from __future__ import annotations

import functools
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import polars as pl
from polars.plugins import register_plugin_function

from nser_pmt import _native, errors

__all__ = [
    "STATUS",
    "columns",
    "expression",
    "frame",
    "own_enum",
    "scored",
    "status_of_code",
    "typed",
]

_TAGGED = re.compile(r"nser_pmt\[(\w+)\] ([^\n]*)")

_CLASSES: dict[str, type[errors.NserError]] = {
    "invalid_model": errors.ModelError,
    "wrong_column": errors.SchemaError,
    "missing_value": errors.DomainError,
    "out_of_domain": errors.DomainError,
    "cancelled": errors.CancelledError,
    "timeout": errors.CancelledError,
    "internal_error": errors.InternalError,
}


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
    """Make the expression of a plugin function.

    ``pmt_score`` gives the score, ``pmt_status`` the status, ``pmt_both`` a struct of the score and
    the code of the status (see `status_of_code`).
    """
    if not plugin_works():
        return _fallback(function, inputs, program, name, status, numbered)
    run = None if control is None else control.id
    return _plugin(function, inputs, program, name, status, numbered, run)


def _plugin(
    function: str,
    inputs: Sequence[pl.Expr],
    program: str,
    name: str,
    status: str,
    numbered: bool,
    run: int | None = None,
) -> pl.Expr:
    return register_plugin_function(
        plugin_path=Path(_native.__file__),
        function_name=function,
        args=list(inputs),
        kwargs={
            "program": program,
            "name": name,
            "status": status,
            "run": run,
            "numbered": numbered,
        },
        is_elementwise=True,
    )


@functools.cache
def plugin_works() -> bool:
    """Whether this Polars speaks our version of the plugin interface."""
    program = '{"inputs": [], "models": [{"intercept": 1.5, "terms": []}]}'
    row = pl.lit(0, dtype=pl.UInt32)
    try:
        pl.select(_plugin("pmt_score", [row], program, "score", "status", numbered=True))
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
