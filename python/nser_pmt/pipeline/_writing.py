"""A folder of outputs that is there whole, or not at all."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from nser_pmt.errors import DomainError

__all__ = ["RECORD", "check_target", "replacing_folder"]

RECORD = "run.json"
"""The file that says that a folder is the output of a run."""


def check_target(folder: Path) -> None:
    """Refuse a folder that holds something else than an earlier run.

    Raises
    ------
    DomainError
        It does (code ``output_exists``).
    OSError
        There is no folder to make it in, or it is a file.
    """
    if not folder.parent.is_dir():
        raise FileNotFoundError(2, "no such folder", str(folder.parent))
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(20, "is a file, not a folder", str(folder))
    if folder.is_dir() and any(folder.iterdir()) and not (folder / RECORD).is_file():
        raise DomainError(
            f"{folder}: the folder holds other files than those of a run",
            code="output_exists",
            hint="Give a folder that is new, empty, or of an earlier run",
        )


@contextlib.contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside `folder`; put it in its place if the block succeeds."""
    check_target(folder)
    mark = secrets.token_hex(6)
    new, old = (
        folder.with_name(f".{folder.name}.{mark}"),
        folder.with_name(f".{folder.name}-{mark}"),
    )
    try:
        new.mkdir()
        yield new
        if folder.exists():
            folder.rename(old)
        new.rename(folder)
    finally:
        # Ctrl-C between the two names: the earlier run comes back.
        if old.exists() and not folder.exists():
            old.rename(folder)
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
