"""Applies a batch in a process that is killed: for the tests of what a crash leaves.

Reads lines of JSON, ``{"folder", "batch", "on", "step", "seconds"}``. Of each it forks a child that
applies the batch; the child kills itself at a step, or is killed after some seconds. Answers with
the steps that the child came to. A fork costs less than a new process for each of many kills.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from datetime import date
from pathlib import Path

import numpy  # noqa: F401  (imported once, not in every child)
import polars as pl

import nser_pmt  # noqa: F401
from nser_pmt.registry import _files as _registry_files
from nser_pmt.registry.updates import Registry


def apply(order: dict[str, object], log: int) -> None:
    """Apply the batch; die at the step."""
    taken = 0

    def fault(step: str) -> None:
        nonlocal taken
        os.write(log, f"{step}\n".encode())
        if taken == order["step"]:
            os.kill(os.getpid(), signal.SIGKILL)
        taken += 1

    _registry_files.fault = fault
    # A kill leaves what was written with the system; only a loss of power would not.
    _registry_files.sync = lambda path: None
    batch = Path(str(order["batch"]))
    os.write(log, b"begin\n")
    Registry.open(str(order["folder"])).update(
        households=pl.read_parquet(batch / "households.parquet"),
        people=pl.read_parquet(batch / "people.parquet"),
        on=date.fromisoformat(str(order["on"])),
    )


def main() -> None:
    """Serve orders until there are no more."""
    for line in sys.stdin:
        order = json.loads(line)
        inside, outside = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(inside)
            try:
                apply(order, outside)
                os._exit(0)
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
        os.close(outside)
        with os.fdopen(inside) as log:
            first = log.readline()
            if order["seconds"] is not None:
                time.sleep(order["seconds"])
                os.kill(child, signal.SIGKILL)
            steps = [first.strip(), *(text.strip() for text in log)]
        _, status = os.waitpid(child, 0)
        print(json.dumps({"steps": steps[1:], "status": status}), flush=True)


if __name__ == "__main__":
    main()
