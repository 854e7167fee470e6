"""Random draws that depend on a seed, a purpose and a number, and on nothing else.

A draw is the SplitMix64 finaliser (Steele, Lea and Flood 2014) of ``key + (i + 1) * golden ratio``,
with one key for each purpose. So row i is the same in every chunk, and no state has to be kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from numbers import Integral
from typing import Any
from zlib import crc32

import numpy as np
import numpy.typing as npt

from nser_pmt._options import invalid

U64 = npt.NDArray[np.uint64]
Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]

_GOLDEN = 0x9E3779B97F4A7C15
_WORD = (1 << 64) - 1
STEPS = 1 << 16  # of a table of shares


def check_ints(least: int, **values: object) -> None:
    """Refuse what is not an int of at least ``least``."""
    for name, value in values.items():
        if not isinstance(value, Integral) or isinstance(value, bool):
            raise invalid(f"{name} must be an int, got {type(value).__name__}")
        if int(value) < least:
            raise invalid(f"{name} must be at least {least}, got {value}")


def _mix(x: U64) -> U64:
    """Finalise in place."""
    x ^= x >> np.uint64(30)
    x *= np.uint64(0xBF58476D1CE4E5B9)
    x ^= x >> np.uint64(27)
    x *= np.uint64(0x94D049BB133111EB)
    x ^= x >> np.uint64(31)
    return x


def shares_table(shares: Sequence[float]) -> npt.NDArray[np.int16]:
    """Code 0, 1, ... of each of 2^16 equal steps, by shares (they need not add to 1)."""
    cumulative = list(accumulate(shares))
    ends = [round(c / cumulative[-1] * STEPS) for c in cumulative]
    return np.repeat(np.arange(len(ends)), np.diff([0, *ends])).astype(np.int16)


def ramp(counts: Ints) -> Ints:
    """0 ... count - 1 for each count, end to end."""
    ends = np.cumsum(counts)
    return np.arange(ends[-1] if len(ends) else 0) - np.repeat(ends - counts, counts)


class Draws:
    """Draws of one seed, by purpose and number."""

    def __init__(self, seed: int) -> None:
        key = np.array([(seed ^ (seed >> 64)) & _WORD], np.uint64)
        self._key = int(_mix(key + np.uint64(_GOLDEN))[0])
        self._keys: dict[str, np.uint64] = {}

    def words(self, purpose: str, at: npt.NDArray[Any]) -> U64:
        """64 random bits for each number."""
        key = self._keys.get(purpose)
        if key is None:
            first = np.array([self._key ^ (crc32(purpose.encode()) * _GOLDEN & _WORD)], np.uint64)
            key = self._keys[purpose] = _mix(first)[0]
        x = at.astype(np.uint64)
        x *= np.uint64(_GOLDEN)
        x += key
        return _mix(x)

    def uniform(self, purpose: str, at: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Numbers in [0, 1)."""
        return (self.words(purpose, at) >> np.uint64(11)).astype(np.float64) * 2.0**-53

    def below(self, purpose: str, at: npt.NDArray[Any], end: Any) -> Ints:
        """Whole numbers 0 to ``end`` - 1; ``end`` (one, or one each) is below 2^31."""
        high = (self.words(purpose, at) >> np.uint64(33)).astype(np.int64)
        return np.asarray(high * end >> 31)

    def chance(self, purpose: str, at: npt.NDArray[Any], rate: Any) -> Mask:
        """Whether each number meets its rate."""
        return np.asarray(self.uniform(purpose, at) < rate)

    def steps(self, purpose: str, at: npt.NDArray[Any]) -> Ints:
        """Draw steps of a table of shares."""
        return (self.words(purpose, at) >> np.uint64(48)).astype(np.int64)

    def pick(self, purpose: str, at: npt.NDArray[Any], table: npt.NDArray[np.int16]) -> Ints:
        """Draw codes by the shares of one table."""
        return table[self.steps(purpose, at)].astype(np.int64)

    def permute(self, purpose: str, at: npt.NDArray[Any], size: int) -> Ints:
        """Swap 0 ... ``size`` - 1 among each other: a Feistel cipher that walks its cycles."""
        half = max(1, (size - 1).bit_length() + 1 >> 1)
        low = np.uint64((1 << half) - 1)
        shift = np.uint64(half)

        def once(x: U64) -> U64:
            left, right = x >> shift, x & low
            for turn in range(4):
                left, right = right, left ^ (self.words(f"{purpose} {turn}", right) & low)
            return (left << shift) | right

        out = once(at.astype(np.uint64))
        outside = np.flatnonzero(out >= size)
        while outside.size:
            out[outside] = once(out[outside])
            outside = outside[out[outside] >= size]
        return out.astype(np.int64)
