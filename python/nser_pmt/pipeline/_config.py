"""What a run of the pipeline reads, does and writes: `Pipeline`, and its TOML file."""

from __future__ import annotations

import datetime
import functools
import hashlib
import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from nser_pmt._reading import parse_toml, plain, read
from nser_pmt.errors import ModelError
from nser_pmt.linkage.verification import VERDICTS
from nser_pmt.scoring._program import OnInvalid

__all__ = [
    "DuplicatesStep",
    "Pipeline",
    "ProgrammeStep",
    "ScoreStep",
    "Source",
    "TargetingStep",
    "VerifyStep",
    "load_pipeline",
]

SCHEMA_VERSION = 1


@dataclass(frozen=True, kw_only=True)
class Source:
    """A table that is read.

    Parameters
    ----------
    file
        Path, relative to the file of the pipeline: Parquet, CSV or Arrow by suffix, or a folder of
        Parquet files. None if a frame is given to `run_pipeline`.
    columns
        Names of the table for the library's: ``{"cnic": "CNIC_NO"}``. Others are read as they are.
    """

    file: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class VerifyStep:
    """Check persons against the citizens (`nser_pmt.verify`).

    Parameters
    ----------
    who
        ``"recipients"``: women who are or were married and transgender persons, of 18 years or
        more or of unknown age: those that a programme may pay. ``"adults"``: everybody of 18 years
        or more or of unknown age. ``"all"``: everybody.
    accept, refuse
        Verdicts that mean that a person's number is confirmed, and that it is not hers. Of the
        others it is not known: a person of a wrong number may bring the right one.
    """

    who: Literal["recipients", "adults", "all"] = "recipients"
    accept: tuple[str, ...] = ("confirmed", "minor_variation")
    refuse: tuple[str, ...] = ("conflicting",)

    def __post_init__(self) -> None:
        for key in ("accept", "refuse"):
            for verdict in getattr(self, key):
                if verdict not in VERDICTS.categories:
                    raise ModelError(
                        f"{key}: no verdict '{verdict}'",
                        code="no_such_name",
                        hint=f"There are {', '.join(VERDICTS.categories)}",
                    )
        both = sorted(set(self.accept) & set(self.refuse))
        if both:
            raise ModelError(f"refuse: '{both[0]}' is accepted too", code="duplicate_key")


@dataclass(frozen=True, kw_only=True)
class DuplicatesStep:
    """Find persons, and then households, that are registered twice.

    Parameters
    ----------
    threshold
        Least match weight (log2 odds) of records of one person.
    overlap
        Least share of the adults of two households who are the same persons: two for each person
        in both, over the adults of both. Such households are one.
    keep
        Which form of a household is kept: the ``"first"`` or the ``"last"`` by `order`.
    order
        Column of the households, such as the day of registration; then by ``hh_id``.
    spec
        JSON file of a learned `nser_pmt.LinkSpec`, instead of the usual plan.
    """

    threshold: float = 10.0
    overlap: float = 0.5
    keep: Literal["first", "last"] = "first"
    order: str = "hh_id"
    spec: str | None = None

    def __post_init__(self) -> None:
        if not math.isfinite(self.threshold):
            raise ModelError("threshold: expected a finite number", code="wrong_type")
        if not 0 < self.overlap <= 1:
            raise ModelError("overlap: expected a share above 0, at most 1", code="wrong_type")


@dataclass(frozen=True, kw_only=True)
class ScoreStep:
    """Score the households (`nser_pmt.score`).

    Parameters
    ----------
    model
        Name of a bundled model, or a TOML or JSON file.
    on_invalid
        As for `nser_pmt.score`.
    """

    model: str
    on_invalid: OnInvalid = "model"


@dataclass(frozen=True, kw_only=True)
class ProgrammeStep:
    """Decide for one programme (`nser_pmt.decide`).

    Parameters
    ----------
    programme
        Name of a bundled programme, or a TOML file.
    facts
        Answers that hold for everybody, such as ``{"flood_area": False}``.
    unknown
        Columns that the rules read and no table has: unknown for everybody.
    switch_on, switch_off
        Ids of rules and amounts to count, or not to, whatever the file says.
    """

    programme: str
    facts: Mapping[str, bool | int | float | str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()
    switch_on: tuple[str, ...] = ()
    switch_off: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TargetingStep:
    """Measure errors of targeting against known welfare (`nser_pmt.targeting.targeting`).

    Parameters
    ----------
    welfare
        Column of the truth, or of the households: such as consumption per head.
    rate
        Share of the people who are poor.
    weights, size
        Columns of weights, and of household sizes to count people; likewise.
    """

    welfare: str
    rate: float = 0.2
    weights: str | None = None
    size: str | None = None

    def __post_init__(self) -> None:
        if not 0 < self.rate < 1:
            raise ModelError("rate: expected a share between 0 and 1", code="wrong_type")


@dataclass(frozen=True, kw_only=True)
class Pipeline:
    """A run from survey forms to a payment list, as a value; see `load_pipeline`.

    A step that is None is left out, and the report says so.

    Parameters
    ----------
    on
        The day for which ages, cards and rules are looked at.
    households, people, citizens, truth
        The forms; their members; the file of citizens to verify them against; what is known of the
        welfare of households, if the forms do not have it.
    verify, duplicates, score, programmes, targeting
        The steps.
    output
        Folder that is written, relative to the file of the pipeline.
    title, note
        Of the report.
    folder
        Where relative paths start.
    """

    on: datetime.date
    households: Source
    score: ScoreStep
    people: Source | None = None
    citizens: Source | None = None
    truth: Source | None = None
    verify: VerifyStep | None = None
    duplicates: DuplicatesStep | None = None
    programmes: tuple[ProgrammeStep, ...] = ()
    targeting: TargetingStep | None = None
    output: str | None = None
    title: str = "From survey form to payment list"
    note: str = ""
    folder: Path = Path()
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        needs = {
            "verify": ("people", "citizens"),
            "duplicates": ("people",),
            "programmes": ("people",),
        }
        for step, sources in needs.items():
            for source in sources:
                if getattr(self, step) and getattr(self, source) is None:
                    raise ModelError(f"{step}: needs [{source}]", code="missing_key")
        names = [step.programme for step in self.programmes]
        for at, name in enumerate(names):
            if name in names[:at]:
                raise ModelError(
                    f"programmes[{at}].programme: '{name}' is there twice", code="duplicate_key"
                )

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of what the file says, its place aside."""
        said = {k: v for k, v in plain(self).items() if k != "folder"}
        canonical = json.dumps(
            said, ensure_ascii=False, separators=(",", ":"), sort_keys=True, default=str
        )
        return hashlib.sha256(canonical.encode()).hexdigest()

    def path(self, name: str) -> Path:
        """Return the path that a name in the file means."""
        return Path(os.path.normpath(self.folder / name))

    def named(self, name: str) -> str:
        """Return a model's or programme's name, or the path of its file."""
        return str(self.path(name)) if Path(name).suffix in (".toml", ".json") else name


def load_pipeline(path: str | Path) -> Pipeline:
    """Read a pipeline from a strict TOML file; ``docs/run.md`` has all its keys.

    Parameters
    ----------
    path
        The file. Paths in it are relative to its folder.

    Returns
    -------
    Pipeline

    Raises
    ------
    ModelError
        The file is missing, is not TOML, or a key is unknown, missing or of a wrong type; the place
        is named.

    Examples
    --------
    >>> import pathlib, tempfile, nser_pmt as nser
    >>> text = '''
    ... schema_version = 1
    ... on = 2024-06-01
    ... households.file = "households.parquet"
    ... score.model = "schreiner-pk-2009"
    ... '''
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = pathlib.Path(folder, "run.toml")
    ...     _ = file.write_text(text)
    ...     pipeline = nser.load_pipeline(file)
    >>> pipeline.on, pipeline.households.file, pipeline.score.model
    (datetime.date(2024, 6, 1), 'households.parquet', 'schreiner-pk-2009')
    """
    path = Path(path)
    try:
        data = parse_toml(path.read_text(encoding="utf-8"))
        assert isinstance(data, dict)
        if data.get("schema_version") != SCHEMA_VERSION:
            raise ModelError(f"schema_version: expected {SCHEMA_VERSION}", code="schema_version")
        if "folder" in data:
            raise ModelError("folder: unknown key", code="unknown_key")
        pipeline = read(Pipeline, data, "")
    except ModelError as error:
        raise ModelError(f"{path}: {error}", code=error.code) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ModelError(f"{path}: {reason}", code="unreadable_file") from None
    object.__setattr__(pipeline, "folder", path.parent)
    return pipeline
