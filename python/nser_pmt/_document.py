"""What models and programmes share: one strict form in TOML and JSON, a digest, bundled files."""

from __future__ import annotations

import functools
import hashlib
import json
from abc import ABC, abstractmethod
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, TypeVar

from nser_pmt import _files
from nser_pmt._reading import parse_json, parse_toml, plain, read
from nser_pmt.errors import ModelError

if TYPE_CHECKING:
    from nser_pmt.scoring.lint import Finding

__all__ = ["SCHEMA_VERSION", "Document", "bundled", "load"]

SCHEMA_VERSION = 1

D = TypeVar("D", bound="Document")


class Document(ABC):
    """A frozen dataclass that is the content of a file."""

    # What messages call it; the folder of the bundled ones is its plural.
    _kind: ClassVar[str]

    id: str

    @abstractmethod
    def lint(self) -> tuple[Finding, ...]:
        """Look for faults that the schema does not show."""

    def to_json(self) -> str:
        """Return JSON text, of one schema with the TOML form; exact."""
        return json.dumps(plain(self), ensure_ascii=False, indent=1, allow_nan=False)

    @classmethod
    def from_json(cls, text: str | bytes) -> Self:
        """Read JSON text. Raises `ModelError` that names the place."""
        return cls._from_plain(parse_json(text))

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Read TOML text. Raises `ModelError` that names the place."""
        return cls._from_plain(parse_toml(text))

    @classmethod
    def _from_plain(cls, data: object) -> Self:
        version = data.get("schema_version") if isinstance(data, dict) else None
        if version != SCHEMA_VERSION:
            raise ModelError(f"schema_version: expected {SCHEMA_VERSION}", code="schema_version")
        return read(cls, data, "")

    def save(self, path: str | Path) -> None:
        """Write to a ``.json`` file, all or nothing.

        TOML is for people to write and JSON for programs: `save` writes JSON only.
        """
        path = Path(path)
        if path.suffix != ".json":
            raise ModelError(
                f"a {self._kind} is saved as JSON",
                code="wrong_suffix",
                hint="End the path in .json",
            )
        _files.write_text(path, self.to_json() + "\n")

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON form, in hex: says what a result came from."""
        canonical = json.dumps(plain(self), ensure_ascii=False, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process as JSON."""
        return (type(self).from_json, (self.to_json(),))


def load(cls: type[D], source: str | Path, lint: Literal["raise", "ignore"]) -> D:
    """Load a document by the name of a bundled one or from a file.

    Raises
    ------
    ModelError
        The file is missing or not what it should be, or, unless ignored, has findings of level
        ``error``.
    """
    kind, path, names = cls._kind, Path(source), bundled(cls)
    try:
        if isinstance(source, str) and source in names:
            made = cls.from_toml(names[source].read_text(encoding="utf-8"))
        elif path.suffix in (".toml", ".json"):
            made = _read_file(cls, path)
        else:
            raise ModelError(
                f"no {kind} '{source}'",
                code=f"no_such_{kind}",
                hint=f"Bundled: {', '.join(names)}; or give a path ending in .toml or .json",
            )
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ModelError(f"{kind} file {path}: {reason}", code="unreadable_file") from None
    if lint == "raise":
        faults = [str(f) for f in made.lint() if f.level == "error"]
        if faults:
            raise ModelError(f"{kind} '{made.id}': " + "; ".join(faults), code="lint")
    return made


def _read_file(cls: type[D], path: Path) -> D:
    text = path.read_text(encoding="utf-8")
    try:
        return cls.from_toml(text) if path.suffix == ".toml" else cls.from_json(text)
    except ModelError as error:
        raise ModelError(f"{path}: {error}", code=error.code) from None


def bundled(cls: type[Document]) -> dict[str, Any]:
    """Return the bundled files by name."""
    files = resources.files("nser_pmt").joinpath(f"data/{cls._kind}s").iterdir()
    return {f.name.removesuffix(".toml"): f for f in sorted(files, key=lambda f: f.name)}
