"""How fast this machine can read memory, measured from Python: the yardstick of the scorer.

It reads, once and from start to end, the very columns that the scorer reads (15 x 8 + 10 x 1 bytes
a row), and a single buffer of the same size. Three NumPy reductions without any other memory
traffic do the reading: sum and bitwise or of 64-bit integers, and the largest double. The fastest
of all counts, so that the share of the bandwidth that the scorer reaches is not flattered. On two
threads each reads one half of every column (NumPy releases the GIL in these loops). What is
measured is the reading bandwidth of so many threads, not the limit of the memory itself, and the
scorer's 9 bytes of output a row are not counted.

`python benches/bandwidth.py [ROWS]` prints it.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from scoring.workload import arrays, coded, frame

Array = npt.NDArray[Any]

KINDS: dict[str, tuple[Any, Callable[[Array], object]]] = {
    "sum": (np.uint64, np.add.reduce),
    "or": (np.uint64, np.bitwise_or.reduce),
    "max": (np.float64, np.maximum.reduce),
}


def read_loops(columns: list[Array], threads: int) -> dict[str, Callable[[], None]]:
    """Make the read loops, by name. Each reads all bytes of the columns once."""
    size = sum(c.nbytes for c in columns)
    layouts = {"columns": columns, "one buffer": [np.full(size, 1, np.uint8)]}
    return {
        f"{kind} of {layout}": _loop(reduce, [_words(c, dtype) for c in parts], threads)
        for layout, parts in layouts.items()
        for kind, (dtype, reduce) in KINDS.items()
    }


def _words(column: Array, dtype: Any) -> Array:
    data = column.view(np.uint8)
    return data[: data.size // 8 * 8].view(dtype)


def _loop(
    reduce: Callable[[Array], object], columns: list[Array], threads: int
) -> Callable[[], None]:
    shares = list(zip(*(np.array_split(c, threads) for c in columns), strict=True))

    def read(share: tuple[Array, ...]) -> None:
        for part in share:
            reduce(part)

    if threads == 1:
        return lambda: read(shares[0])
    pool = ThreadPoolExecutor(threads)

    def read_all() -> None:
        for _ in pool.map(read, shares):  # waits, and raises what a thread raised
            pass

    return read_all


def main() -> None:
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000_000
    columns = arrays(coded(frame(rows)))
    size = sum(c.nbytes for c in columns)
    for threads in (1, 2):
        for name, loop in read_loops(columns, threads).items():
            seconds = []
            for _ in range(8):
                start = time.perf_counter()
                loop()
                seconds.append(time.perf_counter() - start)
            print(f"{threads} thread(s)  {name:18} {size / min(seconds) / 1e9:6.1f} GB/s")


if __name__ == "__main__":
    main()
