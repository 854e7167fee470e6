"""What a run says while it works."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

__all__ = ["Progress", "Reporter", "Step"]


@dataclass(frozen=True, kw_only=True)
class Step:
    """A step that begins or has ended.

    Attributes
    ----------
    name
        Short name, such as ``verify``.
    does
        What it does, with its number of rows.
    found
        What came out; None while it works.
    seconds
        How long it took; None while it works.
    """

    name: str
    does: str
    found: str | None = None
    seconds: float | None = None


Progress = Callable[[Step], object]


class Reporter:
    """Tells a caller of each step."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress

    @contextmanager
    def step(self, name: str, does: str) -> Iterator[Callable[[str], None]]:
        """Tell that a step begins, and when the block ends, what the block said it found."""
        found = ""

        def say(text: str) -> None:
            nonlocal found
            found = text

        start = time.perf_counter()
        if self._progress is not None:
            self._progress(Step(name=name, does=does))
        yield say
        if self._progress is not None:
            seconds = time.perf_counter() - start
            self._progress(Step(name=name, does=does, found=found, seconds=seconds))
