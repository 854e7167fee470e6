"""Options and frames that callers give: the errors of those that are not right."""

from __future__ import annotations

from typing import get_args

import polars as pl

from nser_pmt.errors import DomainError, SchemaError

__all__ = ["chosen", "invalid", "polars_frame"]


def invalid(message: str) -> DomainError:
    """Return the error of an option that is not allowed."""
    return DomainError(message, code="invalid_option")


def chosen(option: str, value: str, choices: object) -> str:
    """Return the value of an option if it is one of those of a ``Literal`` type."""
    names: tuple[str, ...] = get_args(choices)
    if value not in names:
        raise invalid(f"{option} must be one of {', '.join(names)}")
    return value


def polars_frame(name: str, value: object) -> None:
    """Refuse what is no frame of Polars."""
    if not isinstance(value, (pl.DataFrame, pl.LazyFrame)):
        raise SchemaError(
            f"{name} must be a Polars DataFrame or LazyFrame, found {type(value).__name__}",
            code="wrong_frame",
            hint="polars.from_pandas and polars.from_arrow make one of other frames",
        )
