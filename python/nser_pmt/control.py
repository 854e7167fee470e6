"""How a long call runs: threads, a time limit, progress, and a way to stop it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nser_pmt import _native
from nser_pmt._options import invalid

__all__ = ["RunControl"]


@dataclass(frozen=True, kw_only=True)
class RunControl:
    """Options of one long call, and a handle on it.

    Use a new one for each call. Ctrl-C works without it.

    Parameters
    ----------
    threads
        Most threads to use; by default as many as the process may use, or the environment variable
        ``NSER_PMT_NUM_THREADS``. The result is the same for any number.
    timeout
        Seconds after which the call raises `CancelledError` with code ``timeout``.
    progress
        Called on the thread that made the call, about twenty times a second, with the number of
        rows done. What it raises stops the call.

    Raises
    ------
    DomainError
        `threads` is less than 1, or `timeout` not above 0 (code ``invalid_option``).

    Examples
    --------
    >>> import nser_pmt as nser
    >>> control = nser.RunControl(threads=1)
    >>> df = nser.synth.households(1000, seed=1)
    >>> scored = nser.score(df, nser.load_model("schreiner-pk-2009"), control=control)
    >>> control.done
    1000
    """

    threads: int | None = None
    timeout: float | None = None
    progress: Callable[[int], object] | None = None
    _native: _native.Control = field(
        default_factory=_native.Control, init=False, repr=False, compare=False
    )

    def __post_init__(self) -> None:
        if self.threads is not None and self.threads < 1:
            raise invalid("threads must be at least 1")
        if self.timeout is not None and not self.timeout > 0:
            raise invalid("timeout must be a positive number of seconds")

    @property
    def done(self) -> int:
        """Rows finished so far."""
        return self._native.done

    @property
    def statuses(self) -> dict[str, int]:
        """Rows finished so far, by status."""
        return dict(zip(("ok", "missing", "out_of_domain"), self._native.statuses, strict=True))

    def cancel(self) -> None:
        """Stop the call, from any thread; it raises `CancelledError` with code ``cancelled``."""
        self._native.cancel()
