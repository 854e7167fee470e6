"""Tables in files, known by their suffix."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from nser_pmt import _engine
from nser_pmt.errors import SchemaError

__all__ = ["SUFFIXES", "file_suffix", "polars_errors", "scan", "sink"]

SUFFIXES = (".parquet", ".csv", ".arrow", ".ipc", ".feather")


def scan(path: Path) -> pl.LazyFrame:
    """Open a file by its suffix."""
    if path.is_dir():
        raise IsADirectoryError(21, "is a folder, not a file", str(path))
    if not path.exists():
        raise FileNotFoundError(2, "no such file", str(path))
    if path.stat().st_size == 0:
        raise SchemaError(f"{path}: the file is empty", code="empty_file")
    readers: dict[str, Callable[[Path], pl.LazyFrame]] = {
        ".parquet": pl.scan_parquet,
        ".csv": pl.scan_csv,
    }
    return readers.get(file_suffix(path), pl.scan_ipc)(path)


def sink(frame: pl.LazyFrame, path: Path, provenance: dict[str, str]) -> None:
    """Stream a frame to a file by its suffix. Parquet also keeps the provenance."""
    suffix = file_suffix(path)
    if suffix == ".parquet":
        frame.sink_parquet(path, metadata=provenance)
    elif suffix == ".csv":
        frame.sink_csv(path)
    else:
        frame.sink_ipc(path)


def file_suffix(path: Path) -> str:
    """Return the suffix of a path, which says its format."""
    if path.suffix not in SUFFIXES:
        raise SchemaError(
            f"{path}: cannot tell the format",
            code="unknown_suffix",
            hint=f"End the path in {', '.join(SUFFIXES)}",
        )
    return path.suffix


@contextlib.contextmanager
def polars_errors(source: Path, target: Path | None = None) -> Iterator[None]:
    """Turn the errors of Polars into ours; their own texts may quote data."""
    try:
        yield
    except (pl.exceptions.PolarsError, OSError) as error:
        ours = _engine.typed(error)
        system = re.search(r"\(os error (\d+)\)", str(error))
        if ours is not None:
            raise ours from None
        if system is not None:
            number = int(system[1])
            raise OSError(number, os.strerror(number), str(target or source)) from None
        if isinstance(error, OSError):
            raise
        raise SchemaError(
            f"{source}: cannot be read as {source.suffix} ({type(error).__name__}); is the file "
            "complete and of that format?",
            code="unreadable_file",
        ) from None
