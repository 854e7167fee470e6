"""Taking turns against a clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

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
