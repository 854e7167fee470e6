"""Taking turns against a clock, and what every measurement says of itself."""

from __future__ import annotations

import platform
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from nser_pmt import _native

Forms = dict[str, Callable[[], Any]]


def best_seconds(groups: Mapping[str, Forms], rounds: int) -> dict[str, dict[str, float]]:
    """Best time of each form; in a round each form has its turn. Run them once before."""
    best = {name: dict.fromkeys(forms, float("inf")) for name, forms in groups.items()}
    for _ in range(rounds):
        for name, forms in groups.items():
            for form, call in forms.items():
                start = time.perf_counter()
                result = call()
                seconds = time.perf_counter() - start
                del result  # not timed, for anybody
                best[name][form] = min(best[name][form], seconds)
    return best


def quantiles(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    at = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}
    found = {name: ordered[int(share * len(ordered))] for name, share in at.items()}
    return found | {"most": ordered[-1]}


def refuse_debug_build() -> None:
    if _native.debug_build():
        sys.exit("nser_pmt is a debug build; build it with --release")


def versions(*packages: ModuleType) -> dict[str, str]:
    return {"python": platform.python_version()} | {p.__name__: p.__version__ for p in packages}
