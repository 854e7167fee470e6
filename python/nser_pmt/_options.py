"""Options that callers choose: one error for all that are not right."""

from __future__ import annotations

from typing import get_args

from nser_pmt.errors import DomainError

__all__ = ["chosen", "invalid"]


def invalid(message: str) -> DomainError:
    """Return the error of an option that is not allowed."""
    return DomainError(message, code="invalid_option")


def chosen(option: str, value: str, choices: object) -> str:
    """Return the value of an option if it is one of those of a ``Literal`` type."""
    names: tuple[str, ...] = get_args(choices)
    if value not in names:
        raise invalid(f"{option} must be one of {', '.join(names)}")
    return value
