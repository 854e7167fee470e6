"""What every engine's process reports: seconds by stage, memory, and how good its links are."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from memory import peak_bytes

# log2 odds at which clusters are measured. The runs that are timed keep the pairs, and make the
# clusters, of a probability of .95, which is 4.25.
SWEEP = (-6.0, -4.0, -2.0, 0.0, 2.0, 4.25, 6.0, 8.0, 10.0, 12.0, 15.0, 18.0, 21.0, 25.0)
LABEL_FREE = 4.25


class Stages:
    """Wall and CPU seconds of named stages; the CPU seconds are those of all threads."""

    def __init__(self) -> None:
        self.seconds: dict[str, dict[str, float]] = {}
        self.peak = 0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        taken = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
        self.seconds[name] = taken
        # Python and the engine's own packages included; what judges the links comes after.
        self.peak = peak_bytes()

    def result(self) -> dict[str, Any]:
        wall, cpu = (sum(s[kind] for s in self.seconds.values()) for kind in ("wall", "cpu"))
        return {"stages": self.seconds, "wall": wall, "cpu": cpu, "peak": self.peak}


def judge(pairs: Any, truth: Any, clustered: Callable[[float], Any] | None) -> dict[str, Any]:
    """Measure pairs made without a threshold, and clusters at every weight of `SWEEP`."""
    import nser_pmt as nser

    found = nser.evaluate_links(pairs, truth, candidates="found", threshold=LABEL_FREE)
    result: dict[str, Any] = {
        "pairs": found.candidate_pairs,
        "true_pairs": found.true_pairs,
        "blocking_recall": found.blocking_recall,
        "best_f1": found.best_f1,
        "best_threshold": found.best_threshold,
        "label_free_f1": found.f1_at_p95,
        "precision": found.precision,
        "recall": found.recall,
        "brier": found.brier,
        "stages_of_loss": dict(found.stages.select("stage", "pairs").iter_rows()),
    }
    if clustered is not None:
        result["clusters"] = {str(w): judge_clusters(clustered(w), truth) for w in SWEEP}
    return result


def judge_clusters(clusters: Any, truth: Any) -> dict[str, Any]:
    import nser_pmt as nser

    found = nser.evaluate_links(clusters, truth).clusters
    assert found is not None
    return {name: getattr(found, name) for name in ("precision", "recall", "f1", "exact_share")}
