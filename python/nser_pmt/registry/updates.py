"""The dynamic registry: households as they are, as they were, and why each decision was taken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from nser_pmt._options import invalid
from nser_pmt.cnic import Shown
from nser_pmt.control import RunControl
from nser_pmt.errors import DomainError, ModelError, SchemaError
from nser_pmt.programmes.programme import Programme, load_programme
from nser_pmt.registry import _files as files
from nser_pmt.registry import _manifest as manifests
from nser_pmt.registry import _tables as tables
from nser_pmt.registry import _write as write
from nser_pmt.registry._batch import RESERVED, read_batch
from nser_pmt.registry._manifest import Manifest, Segment
from nser_pmt.registry._report import RegistryState, UpdateReport, Why, why_of
from nser_pmt.registry._rules import RuleBook, load_rules
from nser_pmt.registry.status import Status, StatusIndex
from nser_pmt.scoring.model import Model, load_model, missing_column

__all__ = ["Registry", "RegistryState", "UpdateReport", "Why"]

_Frame = pl.DataFrame | pl.LazyFrame

# Households in a file of the base: some hundred megabytes with their people.
_PART = 1_000_000


class Registry:
    """A stored registry that knows what it knew, and why it decided as it did.

    Made by `create`, opened by `open`. The object sees the registry as it was when it was opened,
    and what it wrote itself; open it again to see what others wrote.

    Examples
    --------
    >>> import tempfile
    >>> from datetime import date
    >>> import polars as pl, nser_pmt as nser
    >>> households = nser.synth.households(100, seed=1)
    >>> women = households.select(
    ...     "hh_id", person_id="hh_id", cnic=3520200000002 + 10 * pl.col("hh_id").cast(pl.Int64),
    ...     sex=pl.lit("female"), marital_state=pl.lit("married"), cnic_verified=pl.lit(True),
    ...     disabled=pl.lit(False),
    ... )
    >>> registry = nser.Registry.create(
    ...     tempfile.mkdtemp(), households=households, people=women,
    ...     model="schreiner-pk-2009", programmes=["kafaalat"], on=date(2024, 6, 1),
    ... )
    >>> sold = households.filter(hh_id=45).with_columns(livestock=pl.lit("neither"), n_le13=5)
    >>> report = registry.update(households=sold, on=date(2024, 7, 1))
    >>> report.transitions.select("hh_id", "transition", "score_change", "term", "reasons_before")
    shape: (1, 5)
    ┌───────┬────────────┬──────────────┬────────┬────────────────┐
    │ hh_id ┆ transition ┆ score_change ┆ term   ┆ reasons_before │
    │ ---   ┆ ---        ┆ ---          ┆ ---    ┆ ---            │
    │ u64   ┆ enum       ┆ f64          ┆ str    ┆ list[str]      │
    ╞═══════╪════════════╪══════════════╪════════╪════════════════╡
    │ 45    ┆ enters     ┆ -22.0        ┆ n_le13 ┆ ["score"]      │
    └───────┴────────────┴──────────────┴────────┴────────────────┘
    >>> registry.why(45, "kafaalat", on=date(2024, 6, 30)).decision
    'not_eligible'
    >>> registry.status("35202-0000045-2", on=date(2024, 7, 2)).programmes["kafaalat"].decision
    'eligible'
    """

    __slots__ = ("_book", "_folder", "_index", "_manifest")

    def __init__(self, folder: Path, manifest: Manifest, book: RuleBook) -> None:
        self._folder = folder
        self._manifest = manifest
        self._book = book
        self._index: tuple[int, StatusIndex] | None = None

    # -- making and opening --------------------------------------------------------------------

    @classmethod
    def create(
        cls,
        folder: str | Path,
        *,
        households: _Frame,
        people: _Frame | None = None,
        model: Model | str,
        programmes: Sequence[Programme | str],
        on: date,
        part_rows: int = _PART,
        control: RunControl | None = None,
    ) -> Registry:
        """Store a registry, scored and decided.

        Parameters
        ----------
        folder
            Folder to make; it may be there if it is empty.
        households
            ``hh_id`` (whole number, each once), the columns that the model and the programmes read,
            and any others. A lazy frame is read a range of ``hh_id`` at a time, which is quick for
            Parquet that is sorted by it.
        people
            ``hh_id``, ``person_id`` (whole number, each once in a household), what the programmes
            read, and any others; ``cnic``, ``name``, ``father_name``, ``sex`` and ``birth_date``
            serve to link updates.
        model, programmes
            Rules to decide by, or their names or paths. Programmes with a quota cannot be kept.
        on
            Date that the data is of, and that is decided on.
        part_rows
            Households in a file; what is in memory at once.
        control
            Progress in households; see `RunControl`.

        Raises
        ------
        RegistryError
            The folder has files (code ``already_exists``), or cannot be written
            (``write_failed``).
        SchemaError
            A column is missing or of a type that cannot be kept.
        DomainError
            Ids are null or repeat, or a person has no household.
        """
        if part_rows < 1:
            raise invalid("part_rows must be at least 1")
        _check_date(on)
        path = Path(folder)
        book = _book(model, programmes)
        given = households.lazy()
        persons = pl.LazyFrame(schema=_NO_PEOPLE) if people is None else people.lazy()
        given = _keyed(given, "households", ["hh_id"])
        persons = _keyed(persons, "people", ["hh_id", "person_id"])
        schema_h = manifests.columns_of(given.collect_schema(), "households")
        schema_p = manifests.columns_of(persons.collect_schema(), "people")
        segment = _segment(0, "base", on, book)
        with files.writing():
            files.make_folder(path)
        with files.locked(path):
            files.claim(path)
            with files.writing():
                book.save(path)
            layout = write.layout_of(
                book, manifests.schema_of(schema_h), manifests.schema_of(schema_p)
            )
            parts = (
                (low, write.with_decisions(book, some, members, on))
                for low, some, members in write.ranges(given, persons, part_rows)
            )
            manifest = write.add_segment(
                path,
                Manifest(
                    schema_version=manifests.SCHEMA_VERSION,
                    households=schema_h,
                    people=schema_p,
                    segments=(),
                ),
                segment,
                parts,
                layout,
                control=control,
            )
        return cls(path, manifest, book)

    @classmethod
    def open(cls, folder: str | Path) -> Registry:
        """Open a stored registry.

        Raises
        ------
        RegistryError
            There is none (code ``not_a_registry``), it was written by a later version
            (``schema_version``), or files are missing or cut short (``damaged``).
        """
        path = Path(folder)
        manifest = manifests.load_manifest(path)
        tables.check_files(path, manifest.segments)
        return cls(path, manifest, load_rules(path, manifest.last.rules))

    # -- what is known -------------------------------------------------------------------------

    @property
    def on(self) -> date:
        """Date of the last change."""
        return self._manifest.last.day

    @property
    def model(self) -> Model:
        """Model in force."""
        return self._book.model

    @property
    def programmes(self) -> tuple[Programme, ...]:
        """Programmes in force, those that others need first."""
        return self._book.programmes

    @property
    def history(self) -> pl.DataFrame:
        """What was written and when: one row a segment, oldest first."""
        return pl.DataFrame(
            [
                {
                    "number": s.number,
                    "kind": s.kind,
                    "on": s.day,
                    "recorded_at": s.recorded_at,
                    "households": sum(part.households for part in s.parts),
                    "people": sum(part.people for part in s.parts),
                    "model": s.rules.model,
                    "programmes": [p.id for p in s.rules.programmes],
                }
                for s in self._manifest.segments
            ],
            schema_overrides={"number": pl.UInt32, "households": pl.UInt64, "people": pl.UInt64},
        )

    def at(self, on: date | None = None) -> RegistryState:
        """Return what was known, and decided, on a date; now by default.

        Raises
        ------
        DomainError
            The registry knows nothing of that date (code ``before_first_date``).
        """
        segments = self._known(on)
        types = self._layout(segments[-1])
        frames = {table: tables.frame_of(self._folder, segments, table) for table in tables.TABLES}
        return RegistryState(
            on=segments[-1].day if on is None else on,
            households=frames["households"],
            people=frames["people"],
            decisions=frames["decisions"].select(
                name for name in types.schemas["decisions"] if name != tables.REMOVED
            ),
        )

    def why(self, hh_id: int, programme: str, *, on: date | None = None) -> Why:
        """Say why a decision was taken: the rules, and the answers as they were.

        Raises
        ------
        DomainError
            There was no such household on the date (code ``unknown_household``), no such programme
            (``unknown_programme``), or the registry knows nothing of the date.
        """
        return why_of(self._folder, self._known(on), hh_id, programme)

    def status(self, cnic: object, *, on: date, show: Shown = "prefix") -> Status:
        """Say what the status of the holder of a CNIC is, as of the last change.

        The first question after a change makes an index of everybody, which takes a pass over the
        registry; then an answer takes less than a millisecond. See `StatusIndex.look_up`.

        Parameters
        ----------
        cnic, on, show
            As in `StatusIndex.look_up`. Cards expire by the column ``cnic_expiry`` of the people,
            if there is one.

        Raises
        ------
        SchemaError
            The people of the registry have no column ``cnic``.
        RegistryError
            The index cannot be written (code ``write_failed``).
        """
        return self._status_index().look_up(cnic, on=on, show=show)

    # -- changing it ---------------------------------------------------------------------------

    def update(
        self,
        *,
        households: pl.DataFrame | None = None,
        people: pl.DataFrame | None = None,
        on: date,
        control: RunControl | None = None,
    ) -> UpdateReport:
        """Apply a batch of changes: all of it that can be applied, at once, or nothing.

        Parameters
        ----------
        households
            All columns of the registry's households, and if need be ``change`` (``changed``, the
            default, ``new`` or ``removed``) and ``form_id``. A household may come once.
        people
            All columns of the registry's people, and if need be ``change`` (``changed``, the
            default, ``joined`` or ``left``) and ``form_id``. A person may come once in a household.
        on
            Date that the changes are of, and that is decided on; not before the last.
        control
            Progress in households; see `RunControl`.

        Returns
        -------
        UpdateReport
            Transitions of every household that changed, and the rows that were not applied. For a
            batch that was applied before, its report of then; the registry is not changed.

        Raises
        ------
        SchemaError
            A column is missing, unknown, or of a type that cannot be the registry's.
        DomainError
            `on` is before the last change (code ``out_of_order``).
        RegistryError
            Somebody else writes (code ``busy``), or the disk refuses (``write_failed``): the
            registry is as it was.

        Notes
        -----
        A row without ``hh_id`` belongs to the household that the other rows of its form name, else
        that of the member with its CNIC, else that of the person with its name, father's name, sex
        and date of birth. The rows of a household are applied together or not at all.

        Household answers are not derived from the people: a batch that changes who lives in a
        household says so in the household's row too.
        """
        _check_date(on)
        from nser_pmt.registry._update import run_update

        schemas = {
            "households": manifests.schema_of(self._manifest.households),
            "people": manifests.schema_of(self._manifest.people),
        }
        batch = read_batch(households, people, schemas, on)
        with files.locked(self._folder):
            self._refresh()
            for segment in self._manifest.segments:
                if segment.batch == batch.digest:
                    return UpdateReport.load(self._folder, segment, already_applied=True)
            self._not_before(on)
            segments = self._manifest.current()
            layout = self._layout(self._manifest.last)
            tables_changed, report = run_update(
                self._folder, segments, layout, self._book, batch, on
            )
            number = self._manifest.last.number + 1
            self._manifest = write.add_segment(
                self._folder,
                self._manifest,
                _segment(number, "update", on, self._book, batch.digest),
                iter([(0, tables_changed)]),
                layout,
                extra=report,
                control=control,
            )
            return UpdateReport.load(self._folder, self._manifest.last, already_applied=False)

    def recompute(
        self,
        *,
        on: date,
        model: Model | str | None = None,
        programmes: Sequence[Programme | str] | None = None,
        control: RunControl | None = None,
    ) -> None:
        """Score and decide every household again, as of a date or by other rules.

        An update decides only what it changes. Ages pass and rules change for the others too: run
        this when a version of a programme begins, or every night.

        Raises
        ------
        DomainError, RegistryError, SchemaError
            As in `create` and `update`.
        """
        _check_date(on)
        with files.locked(self._folder):
            self._refresh()
            self._not_before(on)
            book = _book(
                self._book.model if model is None else model,
                self._book.programmes if programmes is None else programmes,
            )
            with files.writing():
                book.save(self._folder)
            self._rewrite(on, book, decide=True, keep=None, control=control)

    def compact(
        self, *, forget_before: date | None = None, control: RunControl | None = None
    ) -> None:
        """Merge the updates into a new base, which look-ups and scans find faster.

        Parameters
        ----------
        forget_before
            Drop what is not needed to tell of this date or a later one. By default all history is
            kept, and the old base with it.
        control
            Progress in households; see `RunControl`.
        """
        with files.locked(self._folder):
            self._refresh()
            last = self._manifest.last
            if forget_before is not None and forget_before > last.day:
                raise invalid(f"forget_before must not be after the last change, {last.day}")
            self._rewrite(last.day, self._book, decide=False, keep=forget_before, control=control)

    # -- helpers -------------------------------------------------------------------------------

    def _rewrite(
        self,
        on: date,
        book: RuleBook,
        *,
        decide: bool,
        keep: date | None,
        control: RunControl | None,
    ) -> None:
        segments = self._manifest.current()
        old = self._layout(self._manifest.last)
        layout = self._layout_by(book)

        def parts() -> Any:
            for low, frames in tables.part_frames(self._folder, segments, old):
                if decide:
                    homes = frames["households"].drop(tables.REMOVED)
                    members = frames["people"].drop(tables.REMOVED)
                    yield low, write.with_decisions(book, homes, members, on)
                else:
                    yield low, frames

        needed = {s.number for s in self._manifest.current(keep)} if keep is not None else set()

        def forget(segment: Segment) -> bool:
            if keep is None or segment.day >= keep:
                return False
            return segment.number not in needed

        self._manifest = write.add_segment(
            self._folder,
            self._manifest,
            _segment(self._manifest.last.number + 1, "base", on, book),
            parts(),
            layout,
            forget=forget,
            control=control,
        )
        self._book = book
        if keep is not None:
            files.sweep(self._folder, {s.number for s in self._manifest.segments})

    def _status_index(self) -> StatusIndex:
        number = self._manifest.last.number
        if self._index is not None and self._index[0] == number:
            return self._index[1]
        columns = {column.name for column in self._manifest.people}
        if "cnic" not in columns:
            raise missing_column("cnic", sorted(columns))
        path = files.segment_folder(self._folder, number) / "records" / "status"
        try:
            index = StatusIndex.load(path)
        except (OSError, ModelError):
            state = self.at()
            with files.writing():
                index = StatusIndex.build(
                    state.people.join(state.decisions, on="hh_id"),
                    path,
                    expiry="cnic_expiry" if "cnic_expiry" in columns else None,
                    name="name" if "name" in columns else None,
                    programmes=[programme.id for programme in self.programmes],
                    as_of=self.on,
                )
                path.chmod(0o600)
        self._index = (number, index)
        return index

    def _refresh(self) -> None:
        """See what is in force, and clear away what a writer that died left. Under the lock."""
        manifest = manifests.load_manifest(self._folder)
        if manifest.last.rules != self._manifest.last.rules:
            self._book = load_rules(self._folder, manifest.last.rules)
        self._manifest = manifest
        with files.writing():
            files.sweep(self._folder, {s.number for s in manifest.segments})

    def _known(self, on: date | None) -> tuple[Segment, ...]:
        if on is not None:
            _check_date(on)
        segments = self._manifest.current(on)
        if not segments:
            first = self._manifest.segments[0].day
            raise DomainError(
                f"the registry knows nothing before {first}", code="before_first_date"
            )
        return segments

    def _not_before(self, on: date) -> None:
        if on < self.on:
            raise DomainError(
                f"on: the registry was changed as of {self.on}; a change as of an earlier date "
                "would rewrite history",
                code="out_of_order",
            )

    def _layout(self, segment: Segment) -> tables.Layout:
        same = segment.rules == self._manifest.last.rules
        return self._layout_by(self._book if same else load_rules(self._folder, segment.rules))

    def _layout_by(self, book: RuleBook) -> tables.Layout:
        return write.layout_of(
            book,
            manifests.schema_of(self._manifest.households),
            manifests.schema_of(self._manifest.people),
        )

    def __repr__(self) -> str:
        last = self._manifest.current()
        return (
            f"Registry of {last[0].rules.model} and "
            f"{', '.join(p.id for p in last[0].rules.programmes) or 'no programme'}: "
            f"{len(self._manifest.segments)} segments, last changed as of {self.on}"
        )


_NO_PEOPLE: Mapping[str, Any] = {"hh_id": pl.UInt64(), "person_id": pl.UInt64()}


def _book(model: Model | str, programmes: Sequence[Programme | str]) -> RuleBook:
    return RuleBook.of(
        model if isinstance(model, Model) else load_model(model),
        [p if isinstance(p, Programme) else load_programme(p) for p in programmes],
    )


def _keyed(frame: pl.LazyFrame, table: str, keys: list[str]) -> pl.LazyFrame:
    """Give the keys their type; SchemaError if they are not whole numbers."""
    schema = frame.collect_schema()
    for name in schema:
        if name in RESERVED:
            raise SchemaError(
                f"{table}, column '{name}': the registry uses this name itself",
                code="reserved_name",
                column=name,
                hint="Rename it",
            )
    for key in keys:
        if key not in schema:
            raise missing_column(key, schema.names())
        if not schema[key].is_integer():
            raise SchemaError(
                f"{table}, column '{key}': expected whole numbers, found {schema[key].base_type()}",
                code="wrong_column",
                column=key,
            )
    # A number below 0 becomes null, which `ranges` refuses without showing it.
    return frame.with_columns(pl.col(keys).cast(pl.UInt64, strict=False))


def _check_date(on: object) -> None:
    if type(on) is not date:
        raise DomainError("on: expected a date, as date(2024, 6, 1)", code="wrong_date")


def _segment(number: int, kind: Any, on: date, book: RuleBook, batch: str = "") -> Segment:
    return Segment(
        number=number,
        kind=kind,
        on=on.isoformat(),
        recorded_at="",
        batch=batch,
        rules=book.in_force(on),
        parts=(),
    )
