"""A registry whose writer is stopped: the old state or the new one, and nothing between."""

from __future__ import annotations

import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

import nser_pmt as nser
import registries as small
from nser_pmt.registry import _files as _registry_files
from nser_pmt.registry.updates import Registry
from registries import no_waiting_for_the_disk  # noqa: F401

ON = date(2024, 3, 1)
N = 12
Tables = tuple[pl.DataFrame, ...]


def batch() -> dict[str, pl.DataFrame]:
    homes = small.households(N).filter(pl.col("hh_id").is_in([3, 7, 12]))
    persons = small.people(N).filter(pl.col("hh_id").is_in([3, 5]))
    return {
        "households": homes.with_columns(address=pl.lit("elsewhere"), n_le13=pl.lit(7, pl.Int16)),
        "people": persons.with_columns(disabled=pl.lit(value=True)),
    }


def create(folder: Path) -> Registry:
    return small.registry(folder, N, part_rows=6, programmes=["kafaalat"])


def same(left: Tables, right: Tables) -> bool:
    return all(a.equals(b) for a, b in zip(left, right, strict=True))


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Tables, Tables]:
    """Return a registry, a batch in files, and the tables before and after it."""
    folder = tmp_path_factory.mktemp("crash")
    before = small.frames(create(folder / "registry"))
    for name, frame in batch().items():
        frame.write_parquet(folder / f"{name}.parquet")
    shutil.copytree(folder / "registry", folder / "done")
    done = Registry.open(folder / "done")
    done.update(**batch(), on=ON)
    after = small.frames(done)
    assert not same(before, after)
    return folder / "registry", folder, before, after


class Killer:
    """A process that starts writers and kills them."""

    def __init__(self) -> None:
        script = Path(small.__file__).with_name("registry_killer.py")
        self._process = subprocess.Popen(
            [sys.executable, str(script)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "POLARS_MAX_THREADS": "2"},
        )

    def run(
        self, folder: Path, batch: Path, *, step: int | None = None, seconds: float | None = None
    ) -> dict[str, Any]:
        order = {"folder": str(folder), "batch": str(batch), "on": ON.isoformat()}
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(
            json.dumps({**order, "step": step, "seconds": seconds}),
            file=self._process.stdin,
            flush=True,
        )
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process.wait()


@pytest.fixture(scope="module")
def killer() -> Iterator[Killer]:
    made = Killer()
    yield made
    made.close()


def check_after_crash(folder: Path, before: Tables, after: Tables) -> str:
    """Return which state a crash left; and see that the batch can then be applied."""
    found = Registry.open(folder)
    tables = small.frames(found)
    state = "old" if same(tables, before) else "new"
    if state == "new":
        assert same(tables, after)
    report = found.update(**batch(), on=ON)
    assert report.already_applied == (state == "new")
    assert report.households == 4
    assert same(small.frames(Registry.open(folder)), after)
    names = {path.name for path in (folder / "segments").iterdir()}
    assert names == {"000000", "000001"}
    assert not list(folder.glob(".*"))
    return state


def test_killed_at_steps(
    world: tuple[Path, Path, Tables, Tables], killer: Killer, tmp_path: Path
) -> None:
    registry, files, before, after = world
    whole = killer.run(shutil.copytree(registry, tmp_path / "whole"), files)
    assert whole["status"] == 0
    steps = whole["steps"]
    # The state changes once, at the renaming of the manifest.
    moment = steps.index("rename manifest")
    for step in sorted({*range(0, len(steps), 3), *range(moment - 1, len(steps))}):
        folder = shutil.copytree(registry, tmp_path / f"step{step}")
        answer = killer.run(folder, files, step=step)
        assert answer["status"] == signal.SIGKILL
        assert answer["steps"] == steps[: step + 1]
        state = check_after_crash(folder, before, after)
        assert state == ("old" if step <= moment else "new")
        shutil.rmtree(folder)


def test_killed_at_50_random_moments(
    world: tuple[Path, Path, Tables, Tables], killer: Killer, tmp_path: Path
) -> None:
    registry, files, before, after = world
    start = time.monotonic()
    killer.run(shutil.copytree(registry, tmp_path / "whole"), files)
    length = time.monotonic() - start
    moments = random.Random(6)
    for place in range(50):
        folder = shutil.copytree(registry, tmp_path / f"moment{place}")
        killer.run(folder, files, seconds=moments.uniform(0.0, length))
        check_after_crash(folder, before, after)
        shutil.rmtree(folder)


def test_full_disk_at_every_step(
    world: tuple[Path, Path, Tables, Tables], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, _, _, after = world
    folder = shutil.copytree(registry, tmp_path / "registry")
    opened = Registry.open(folder)
    names = sorted(path.name for path in folder.rglob("*"))
    manifest = (folder / "manifest.json").read_bytes()
    step = 0
    while True:
        taken: list[str] = []

        def fault(name: str, taken: list[str] = taken, step: int = step) -> None:
            taken.append(name)
            if len(taken) > step:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

        monkeypatch.setattr(_registry_files, "fault", fault)
        with pytest.raises(nser.RegistryError) as caught:
            opened.update(**batch(), on=ON)
        monkeypatch.undo()
        if caught.value.code == "not_settled":
            break
        assert caught.value.code == "write_failed"
        assert "No space left" in str(caught.value)
        # No new file, and the one that says what is in force is the old one.
        assert sorted(path.name for path in folder.rglob("*")) == names
        assert (folder / "manifest.json").read_bytes() == manifest
        step += 1
    assert step > 15
    assert same(small.frames(Registry.open(folder)), after)


def test_file_that_may_not_grow(world: tuple[Path, Path, Tables, Tables], tmp_path: Path) -> None:
    # What the system refuses while a file is written, not before.
    registry, files, before, _ = world
    folder = shutil.copytree(registry, tmp_path / "registry")
    code = f"""
import resource, signal
from datetime import date
import polars as pl, nser_pmt as nser
from nser_pmt.registry.updates import Registry
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
registry = Registry.open({str(folder)!r})
batch = {{n: pl.read_parquet({str(files)!r} + f"/{{n}}.parquet") for n in ("households", "people")}}
for limit in (0, 500, 2000, 4000):
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        registry.update(**batch, on=date(2024, 3, 1))
    except nser.RegistryError as error:
        assert error.code == "write_failed", error.code
    else:
        raise SystemExit("no error")
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert same(small.frames(Registry.open(folder)), before)
    assert not list(folder.glob(".*"))
    assert [path.name for path in (folder / "segments").iterdir()] == ["000000"]


def test_creation_that_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stop(BaseException):
        pass

    def fault(name: str) -> None:
        if name.startswith("people-00001"):
            raise Stop

    monkeypatch.setattr(_registry_files, "fault", lambda name: fault(name.removeprefix("write ")))
    with pytest.raises(Stop):
        create(tmp_path / "registry")
    monkeypatch.undo()
    with pytest.raises(nser.RegistryError) as caught:
        Registry.open(tmp_path / "registry")
    assert caught.value.code == "not_a_registry"
    made = create(tmp_path / "registry")
    assert_frame_equal(small.frames(made)[0].select("hh_id"), small.households(N).select("hh_id"))


def test_interrupt_just_after_the_change(
    world: tuple[Path, Path, Tables, Tables], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, _, _, after = world
    folder = shutil.copytree(registry, tmp_path / "registry")

    def interrupted(self: object, folder: Path) -> None:
        from nser_pmt._reading import plain

        _registry_files.commit(folder, plain(self))
        raise KeyboardInterrupt

    from nser_pmt.registry._manifest import Manifest

    monkeypatch.setattr(Manifest, "save", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Registry.open(folder).update(**batch(), on=ON)
    monkeypatch.undo()
    assert same(small.frames(Registry.open(folder)), after)


def test_compaction_that_was_stopped(
    world: tuple[Path, Path, Tables, Tables], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry, _, before, after = world
    folder = shutil.copytree(registry, tmp_path / "registry")
    opened = Registry.open(folder)
    opened.update(**batch(), on=ON)
    for stop in ("write decisions-00001.parquet", "rename manifest"):

        def fault(name: str, stop: str = stop) -> None:
            if name == stop:
                raise KeyboardInterrupt

        monkeypatch.setattr(_registry_files, "fault", fault)
        with pytest.raises(KeyboardInterrupt):
            opened.compact(forget_before=ON)
        monkeypatch.undo()
        assert same(small.frames(Registry.open(folder)), after)
        assert same(small.frames(Registry.open(folder), small.START), before)
    opened.compact(forget_before=ON)
    assert same(small.frames(Registry.open(folder)), after)
