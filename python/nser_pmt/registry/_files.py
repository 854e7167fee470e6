"""The folder of a registry: its lock, and writing so that a crash leaves the old state or the new.

Files of a segment are written once, under a folder that no manifest names, and synchronised to the
disk. Then the manifest is replaced by renaming: that is the moment of the change.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from nser_pmt.errors import RegistryError

__all__ = [
    "MANIFEST",
    "RULES",
    "claim",
    "commit",
    "locked",
    "make_folder",
    "segment_folder",
    "settle",
    "sweep",
    "sync",
    "synced",
    "write_frame",
    "write_text",
    "writing",
]

MANIFEST = "manifest.json"
RULES = "rules"
_LOCK = "lock"
_SEGMENTS = "segments"
_ROW_GROUP = 131_072


def _no_fault(step: str) -> None:
    """Do nothing; tests put here what stops a writer at a step."""


fault: Callable[[str], None] = _no_fault


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold the registry for writing. The lock of a process that died is free.

    Raises
    ------
    RegistryError
        Another process or object writes (code ``busy``).
    """
    import fcntl  # POSIX only, as the registry; the rest of the package is not

    try:
        handle = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _failed(error) from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise RegistryError(
                "another writer holds the registry", code="busy", hint="Try again when it is done"
            ) from None
        yield
    finally:
        os.close(handle)


@contextlib.contextmanager
def writing() -> Iterator[None]:
    """Turn what the disk refuses into a `RegistryError` (code ``write_failed``)."""
    try:
        yield
    except OSError as error:
        raise _failed(error) from error
    except pl.exceptions.ComputeError as error:
        # Polars 1 reports some failures of the disk so.
        if "os error" in str(error):
            raise RegistryError(
                "the registry could not be written; it is as it was", code="write_failed"
            ) from error
        raise


def _failed(error: OSError) -> RegistryError:
    why = error.strerror or "the system refused"
    return RegistryError(
        f"the registry could not be written ({why}); it is as it was", code="write_failed"
    )


def segment_folder(folder: Path, number: int) -> Path:
    """Return the folder of a segment."""
    return folder / _SEGMENTS / f"{number:06d}"


@contextlib.contextmanager
def synced(path: Path) -> Iterator[Path]:
    """Let the block write `path`, for the owner's eyes only, and see it to the disk."""
    fault(f"write {path.name}")
    yield path
    path.chmod(0o600)
    sync(path)


def write_frame(path: Path, frame: pl.DataFrame) -> None:
    """Write a Parquet file and see it to the disk."""
    with synced(path):
        frame.write_parquet(path, row_group_size=_ROW_GROUP, compression_level=1)


def write_text(path: Path, text: str) -> None:
    """Write a text file and see it to the disk."""
    with synced(path):
        path.write_text(text, encoding="utf-8")


def make_folder(path: Path) -> None:
    """Make a folder for the owner's eyes only."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)


def claim(folder: Path) -> None:
    """Make the folder of a registry; what a creation that died left there is no matter.

    Raises
    ------
    RegistryError
        The folder has a registry or other files (code ``already_exists``).
    """
    with writing():
        own = {_LOCK, _SEGMENTS, RULES, f".{MANIFEST}.new"}
        if any(path.name not in own for path in folder.iterdir()):
            raise RegistryError("the folder is not empty", code="already_exists")
        make_folder(folder / RULES)
        make_folder(folder / _SEGMENTS)
        sweep(folder, set())


def commit(folder: Path, manifest: object) -> None:
    """Replace the manifest: at every moment the old or the new one is in force."""
    for inner in (folder / _SEGMENTS, folder):
        sync(inner)
    temporary = folder / f".{MANIFEST}.new"
    try:
        write_text(temporary, json.dumps(manifest, ensure_ascii=False, indent=1))
        fault("rename manifest")
        temporary.replace(folder / MANIFEST)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def settle(folder: Path) -> None:
    """See the new manifest to the disk.

    Raises
    ------
    RegistryError
        The system does not confirm it (code ``not_settled``); the change is in force.
    """
    try:
        fault("sync folder")
        sync(folder)
    except OSError as error:
        raise RegistryError(
            "the change is in force, but the system does not confirm that it would outlast a loss "
            "of power",
            code="not_settled",
        ) from error


def sweep(folder: Path, known: set[int]) -> None:
    """Remove what a writer that died left behind, and segments that are forgotten."""
    for path in (*folder.glob(".*.new"), *(folder / RULES).glob(".*.new")):
        path.unlink(missing_ok=True)
    names = {f"{number:06d}" for number in known}
    for path in sorted((folder / _SEGMENTS).iterdir()):
        if path.name not in names:
            shutil.rmtree(path)


def sync(path: Path) -> None:
    """See a file, or the names in a folder, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
