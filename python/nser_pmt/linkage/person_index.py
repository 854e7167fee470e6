"""An index of persons: built once, saved to one file, and asked whom a record may be of."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, overload

import polars as pl

from nser_pmt import _engine, _files, _native
from nser_pmt._options import invalid
from nser_pmt.control import RunControl
from nser_pmt.errors import ModelError, SchemaError
from nser_pmt.linkage._linkage import Planned, check_learned, native_weights, planned, sorted_by_id
from nser_pmt.linkage._record import Reader, dtype_of, name_of_dtype
from nser_pmt.linkage.link_spec import LinkSpec

__all__ = ["PersonIndex", "PersonMatch"]

_Frame = pl.DataFrame | pl.LazyFrame

# A block of so many persons is compared in less than a millisecond.
_MAX_BLOCK = 1000
_WHOLE = (pl.Int8, pl.Int16, pl.Int32, pl.Int64, pl.UInt8, pl.UInt16, pl.UInt32, pl.UInt64)
_IDS: dict[str, pl.DataType] = {str(kind()): kind() for kind in (*_WHOLE, pl.String)}


@dataclass(frozen=True, kw_only=True, slots=True)
class PersonMatch:
    """A person that a record may be of.

    Parameters
    ----------
    id
        Id of the person.
    match_weight
        Log2 of the odds that the record is of this person.
    match_probability
        The same as a probability.
    levels
        Level of each comparison; None where a value is missing.
    """

    id: int | str
    match_weight: float
    match_probability: float
    levels: Mapping[str, str | None]


class PersonIndex:
    """Find the persons that a record may be of, among millions, in less than a millisecond.

    Parameters
    ----------
    citizens
        Frame with the columns that the plan names. A lazy frame is collected.
    spec
        A learned plan. Rules of neighbours, comparisons by expressions and names with
        `token_frequencies` of their own cannot be indexed.
    id
        Column of ids: whole numbers or text, no null, each once.
    max_block
        Most rows of a block, the query among them, for rules without a `max_block` of their own,
        and most persons with one number for `cnic_within`. Larger blocks are left out: `rules`
        says which rules that touches.
    control
        Threads, time limit; see `RunControl`.

    Raises
    ------
    SchemaError
        A column is missing or of the wrong type; ids are null or repeat.
    DomainError
        The plan is not learned, or cannot be indexed (code ``not_indexable``).

    Notes
    -----
    Weights are those of ``link(records, citizens, spec)``, where the frequency of a value is that
    among the persons of the index.

    An index may be searched from many threads, also while another adds or removes persons: a search
    sees the persons as they were at one moment. Searching does not hold the GIL.

    The file holds the values of all compared columns: keep it as you keep the citizens.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> import polars as pl
    >>> citizens = pl.DataFrame({
    ...     "id": [1, 2, 3],
    ...     "cnic": ["3520212345671", "4210176543213", "6110198765439"],
    ...     "name": ["Muhammad Aslam", "Bushra Bibi", "Kashif Mehmood"],
    ... })
    >>> spec = nser.LinkSpec(
    ...     compare=[
    ...         nser.compare.cnic("cnic").with_chances(
    ...             m=[0.9, 0.06, 0.02, 0.02], u=[1e-6, 1e-6, 1e-5, 0.999988]
    ...         ),
    ...         nser.compare.name("name", levels=[0.9], frequency="none").with_chances(
    ...             m=[0.7, 0.25, 0.05], u=[1e-4, 1e-3, 0.9989]
    ...         ),
    ...     ],
    ...     block_on=[nser.blocking.cnic_within("cnic"), [nser.names.key("name")]],
    ...     prior=1e-4,
    ... )
    >>> index = nser.PersonIndex(citizens, spec, id="id")
    >>> [found] = index.search({"cnic": "35202-1234576-1", "name": "Mohd Aslam"})
    >>> found.id, found.levels["cnic"], round(found.match_weight, 1)
    (1, 'one_error', 10.6)
    """

    __slots__ = ("_dtypes", "_id", "_id_dtype", "_index", "_reader", "_spec")

    _index: _native.PersonIndex
    _spec: LinkSpec
    _id: str
    _id_dtype: pl.DataType
    _dtypes: dict[str, pl.DataType]
    _reader: Reader

    def __init__(
        self,
        citizens: _Frame,
        spec: LinkSpec,
        *,
        id: str,
        max_block: int = _MAX_BLOCK,
        control: RunControl | None = None,
    ) -> None:
        control = control or RunControl()
        _check_spec(spec)
        if max_block < 2:
            raise invalid("max_block must be at least 2")
        frame = sorted_by_id(citizens, id, "frame")
        ids = _ids(frame.get_column(id))
        used = {c.column for c in spec.compare} | {n for rule in spec.rules for n in rule.columns}
        known = sorted(used.intersection(frame.columns))  # the plan names what is missing
        dtypes = {name: name_of_dtype(name, frame.schema[name]) for name in known}
        conformed = _conformed(frame, {n: dtype_of(d) for n, d in dtypes.items()})
        plan = planned([conformed], spec, match_forms=True)
        about = {
            "columns": [origin.name for origin in plan.origins],
            "comparisons": plan.comparisons,
            "rules": plan.rules,
            "caps": [rule.max_block or max_block for rule in spec.rules],
            "weights": native_weights(spec, None),
            "spec": spec.to_json(),
            "id": id,
            "id_dtype": str(frame.schema[id]),
            "dtypes": dtypes,
        }
        native = _native.PersonIndex(
            _engine.columns(plan.columns),
            ids,
            frame.height,
            json.dumps(about),
            threads=control.threads,
            control=control._native,
            timeout=control.timeout,
        )
        self._set(native)

    def _set(self, native: _native.PersonIndex) -> None:
        try:
            about = json.loads(native.about)
            self._index = native
            self._spec = LinkSpec.from_json(about["spec"])
            self._id = about["id"]
            self._id_dtype = _IDS[about["id_dtype"]]
            self._dtypes = {name: dtype_of(dtype) for name, dtype in about["dtypes"].items()}
            empty = pl.DataFrame(schema=self._dtypes)
            plan = planned([empty], self._spec, match_forms=True)
            if [plan.comparisons, plan.rules] != [about["comparisons"], about["rules"]]:
                raise ValueError("the plan reads other columns")
            self._reader = Reader(plan.origins, self._dtypes)
        except (KeyError, TypeError, ValueError, pl.exceptions.PolarsError) as fault:
            raise ModelError(
                "the plan in the index cannot be read",
                code="index_version",
                hint="Its expressions may be from another version of Polars; make the index anew",
            ) from fault

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, verify: bool = False) -> PersonIndex:
        """Map the file that `save` wrote into memory.

        Parameters
        ----------
        path
            File.
        verify
            Compare the checksums of the whole file, which reads it once. Without it the header is
            checked only: damage elsewhere can lead to wrong answers.

        Returns
        -------
        PersonIndex

        Raises
        ------
        ModelError
            Not an index (code ``foreign_file``), of another version (``index_version``), cut off
            (``truncated_index``), or damaged (``corrupt_index``).
        OSError
            The file cannot be read.

        Notes
        -----
        The file may be replaced by `save` while it is mapped; it must not be changed in place.
        """
        with Path(path).open("rb"):
            native = _native.PersonIndex.open(str(Path(path)), verify)
        index = cls.__new__(cls)
        index._set(native)
        return index

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write all persons to one file, all or nothing: those added too, those removed not.

        The index stays as it is. One that is loaded from the file is what a new index of the same
        persons would be.
        """
        with _files.replacing(Path(path)) as temporary:
            self._index.save(str(temporary))

    @overload
    def search(
        self,
        record: Mapping[str, Any],
        *,
        k: int = 5,
        threshold: float | None = 0.0,
        control: RunControl | None = None,
    ) -> list[PersonMatch]: ...
    @overload
    def search(
        self,
        record: _Frame,
        *,
        k: int = 5,
        threshold: float | None = 0.0,
        control: RunControl | None = None,
    ) -> pl.DataFrame: ...
    def search(
        self,
        record: Mapping[str, Any] | _Frame,
        *,
        k: int = 5,
        threshold: float | None = 0.0,
        control: RunControl | None = None,
    ) -> list[PersonMatch] | pl.DataFrame:
        """Find the persons that a record, or each row of a frame, is likeliest to be.

        Parameters
        ----------
        record
            Values by column; what is not there is missing, other keys are ignored. Or a frame with
            the columns of the plan.
        k
            Most persons for each record.
        threshold
            Least match weight; None for any.
        control
            For frames: threads, time limit; see `RunControl`.

        Returns
        -------
        list of PersonMatch, or DataFrame
            Best first; persons of one weight in the order of their ids. The frame has
            ``query_index`` (UInt32, row of the query from 0), ``rank`` (UInt32, from 1), ``id``,
            ``match_weight``, ``match_probability`` (Float64) and ``level_<comparison>`` (Enum), and
            no row for a query without a match.

        Raises
        ------
        SchemaError
            A column is missing in a frame, a record has none of the columns, or a value has another
            type than in the index.
        """
        if k < 1:
            raise invalid("k must be at least 1")
        least = -math.inf if threshold is None else float(threshold)
        if math.isnan(least):
            raise invalid("threshold must be a number")
        if isinstance(record, (pl.DataFrame, pl.LazyFrame)):
            return self._search_frame(record, k, least, control or RunControl())
        found = self._index.search_one(self._reader.read(record), k, least)
        return [
            PersonMatch(
                id=id,
                match_weight=weight,
                match_probability=_probability(weight),
                levels={
                    c.label: c.levels[level - 1] if level else None
                    for c, level in zip(self._spec.compare, levels, strict=True)
                },
            )
            for id, weight, levels in found
        ]

    def _search_frame(
        self, frame: _Frame, k: int, least: float, control: RunControl
    ) -> pl.DataFrame:
        if isinstance(frame, pl.LazyFrame):
            frame = frame.collect()
        stream = self._index.search(
            _engine.columns(self._planned(frame).columns),
            frame.height,
            k,
            least,
            threads=control.threads,
            control=control._native,
            timeout=control.timeout,
        )
        enums = {f"level_{c.label}": pl.Enum(c.levels) for c in self._spec.compare}
        weight = pl.col("match_weight")
        return _engine.frame(stream, enums).select(
            "query_index",
            "rank",
            pl.col("id").cast(self._id_dtype),
            weight,
            (1 / (1 + pl.lit(2.0).pow(-weight))).alias("match_probability"),
            *enums,
        )

    def add(self, citizens: _Frame) -> None:
        """Take in persons whose ids are not in the index.

        Their columns are those of the frame that the index was made of. They are kept in memory
        until `save`.

        Raises
        ------
        SchemaError
            A column is missing or of another type; an id is null, repeats, or is in the index (code
            ``duplicate_id``). Nothing is added then.
        """
        frame = sorted_by_id(citizens, self._id, "frame")
        ids = _ids(self._own_ids(frame.get_column(self._id)))
        self._index.add(_engine.columns(self._planned(frame).columns), ids, frame.height)

    def remove(self, ids: pl.Series | Iterable[Any]) -> int:
        """Take out the persons with these ids, and return how many there were.

        Ids that are not in the index are passed over.
        """
        if isinstance(ids, pl.Series):
            series = self._own_ids(ids)
        else:
            try:
                series = pl.Series(self._id, list(ids), dtype=self._id_dtype)
            except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
                raise self._other_ids() from None
        series = _ids(series.drop_nulls())
        return self._index.remove(series, len(series))

    def _planned(self, frame: pl.DataFrame) -> Planned:
        return planned([_conformed(frame, self._dtypes)], self._spec, match_forms=True)

    def _own_ids(self, ids: pl.Series) -> pl.Series:
        if ids.dtype != self._id_dtype and ids.dtype != pl.Null:
            raise self._other_ids()
        return ids.cast(self._id_dtype)

    def _other_ids(self) -> SchemaError:
        return SchemaError(
            f"column '{self._id}': expected ids of the type that the index has, {self._id_dtype}",
            code="wrong_column",
            column=self._id,
        )

    @property
    def spec(self) -> LinkSpec:
        """The plan."""
        return self._spec

    @property
    def rules(self) -> pl.DataFrame:
        """What the blocks of each rule were like when the index was made or saved.

        Columns: ``rule``, ``max_block`` (UInt32), ``persons`` with a key, ``keys``, persons of
        the ``largest_block``, ``skipped_blocks`` that are above `max_block`, and the
        ``skipped_persons`` in them, who are found by other rules only (UInt64).
        """
        caps = json.loads(self._index.about)["caps"]
        schema = {
            "rule": pl.String,
            "max_block": pl.UInt32,
            "persons": pl.UInt64,
            "keys": pl.UInt64,
            "largest_block": pl.UInt64,
            "skipped_blocks": pl.UInt64,
            "skipped_persons": pl.UInt64,
        }
        rows = [
            (rule.label, cap, *blocks)
            for rule, cap, blocks in zip(self._spec.rules, caps, self._index.blocks, strict=True)
        ]
        return pl.DataFrame(rows, schema=schema, orient="row")

    def __len__(self) -> int:
        return len(self._index)

    def __repr__(self) -> str:
        compared = ", ".join(c.label for c in self._spec.compare)
        rules = "; ".join(rule.label for rule in self._spec.rules)
        head = f"PersonIndex of {len(self):,} persons by '{self._id}'"
        return f"{head}\ncompares {compared}\nfinds by {rules}"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a PersonIndex cannot be pickled: save it, and load the file elsewhere")


def _check_spec(spec: LinkSpec) -> None:
    check_learned(spec)
    for rule in spec.rules:
        if rule.kind == "neighbours":
            raise _not_indexable("a rule of neighbours")
    if any(c.kind == "expr" for c in spec.compare):
        raise _not_indexable("a comparison by expressions")
    if any("token_frequencies" in c.options for c in spec.compare):
        raise _not_indexable("a comparison of names with token_frequencies of its own")


def _not_indexable(what: str) -> Exception:
    error = invalid(f"{what} cannot be indexed; leave it out with spec.replace")
    error.code = "not_indexable"
    return error


def _conformed(frame: pl.DataFrame, dtypes: Mapping[str, pl.DataType]) -> pl.DataFrame:
    """Return a frame with columns of exactly these types, or say which has another one."""
    changed = []
    for name, dtype in dtypes.items():
        if name not in frame.columns:
            raise SchemaError(f"column '{name}' is missing", code="missing_column", column=name)
        found = frame.schema[name]
        if found == dtype:
            continue
        text = isinstance(found, (pl.Enum, pl.Categorical)) and dtype == pl.String
        whole = found.is_integer() and dtype.is_integer()
        number = found.is_numeric() and dtype.is_float()
        series = frame.get_column(name)
        if found == pl.Null or text or number or whole:
            series = series.cast(dtype, strict=False)
        if series.dtype != dtype or series.null_count() > frame.get_column(name).null_count():
            raise SchemaError(
                f"column '{name}': expected {dtype}, as in the index",
                code="wrong_column",
                column=name,
            )
        changed.append(series)
    return frame.with_columns(changed)


def _ids(ids: pl.Series) -> pl.Series:
    if str(ids.dtype) not in _IDS:
        raise SchemaError(
            f"column '{ids.name}': an index needs ids that are whole numbers or text",
            code="wrong_column",
            column=ids.name,
        )
    wide = pl.Int64 if ids.dtype.is_integer() and ids.dtype != pl.UInt64 else ids.dtype
    return ids.cast(wide).rechunk()


def _probability(weight: float) -> float:
    return 1 / (1 + 2.0**-weight) if weight > -1000 else 0.0
