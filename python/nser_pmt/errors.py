"""Errors of nser_pmt.

::

    NserError (Exception)               .code  .column  .row  .hint
    |- ModelError     (ValueError)      a model, programme or spec file that is not right
    |- SchemaError    (ValueError)      a column that is missing or has an unusable type
    |- DomainError    (ValueError)      a value outside what the model accepts
    |- ConvergenceError (ArithmeticError)
    |- RegistryError  (RuntimeError)    a stored registry that is busy, damaged or not writable
    |- CancelledError (RuntimeError)    stopped by the caller, or out of time
    `- InternalError  (RuntimeError)    our fault: a caught panic

    NserWarning (UserWarning)           a result that stands, but is not quite what was asked for

Messages name the column, the row (counted from 0) and the expected form. They never show a value:
the data may hold identity numbers and names.
"""

from __future__ import annotations

__all__ = [
    "CancelledError",
    "ConvergenceError",
    "DomainError",
    "InternalError",
    "ModelError",
    "NserError",
    "NserWarning",
    "RegistryError",
    "SchemaError",
]


class NserError(Exception):
    """Base of every error of this package.

    Parameters
    ----------
    message
        What is wrong and what was expected.
    code
        Stable slug to test for in programs, such as ``"missing_column"``.
    column
        Column at fault, if there is one.
    row
        Row at fault, counted from 0, if it is known.
    hint
        What to do about it.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "error",
        column: str | None = None,
        row: int | None = None,
        hint: str | None = None,
    ) -> None:
        super().__init__(message if hint is None else f"{message}. {hint}")
        self.code = code
        self.column = column
        self.row = row
        self.hint = hint


class ModelError(NserError, ValueError):
    """A model, programme or spec that cannot be used; the message names the place in it."""


class SchemaError(NserError, ValueError):
    """A column that is missing or has a type that makes no sense for its use."""


class DomainError(NserError, ValueError):
    """A value outside what the model accepts, where the model or the caller asks for an error."""


class ConvergenceError(NserError, ArithmeticError):
    """An estimation that did not converge."""


class RegistryError(NserError, RuntimeError):
    """A stored registry that is busy, damaged, not there or cannot be written."""


class CancelledError(NserError, RuntimeError):
    """A run that was cancelled (code ``cancelled``) or took too long (code ``timeout``)."""


class InternalError(NserError, RuntimeError):
    """A fault in nser_pmt itself. The message names a place in the source and no data."""


class NserWarning(UserWarning):
    """A result that stands, but is not quite what was asked for; the message says why."""
