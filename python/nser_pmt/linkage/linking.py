"""Find the rows of one frame, or of two, that are the same person: `link` and what goes with it."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, overload

import polars as pl

from nser_pmt import _engine, _files
from nser_pmt._options import invalid
from nser_pmt.control import RunControl
from nser_pmt.errors import SchemaError
from nser_pmt.linkage._expressions import levels_of
from nser_pmt.linkage._linkage import (
    Prepared,
    check_learned,
    level_weights,
    prepare,
    prior_weight,
)
from nser_pmt.linkage.link_spec import LinkSpec

__all__ = ["count_pairs", "explain_pairs", "link"]

Frame = pl.DataFrame | pl.LazyFrame

# Candidate pairs between two results: enough for all threads, few enough for memory.
_STRETCH = 8_000_000
# What adding up in another order may change.
_ROUNDING = 1e-6


@overload
def link(
    left: Frame,
    right: LinkSpec,
    spec: None = None,
    *,
    id: str,
    threshold: float | None = 0.0,
    to: None = None,
    control: RunControl | None = None,
) -> pl.DataFrame: ...
@overload
def link(
    left: Frame,
    right: Frame,
    spec: LinkSpec,
    *,
    id: str,
    threshold: float | None = 0.0,
    to: None = None,
    control: RunControl | None = None,
) -> pl.DataFrame: ...
@overload
def link(
    left: Frame,
    right: Frame | LinkSpec,
    spec: LinkSpec | None = None,
    *,
    id: str,
    threshold: float | None = 0.0,
    to: str | Path,
    control: RunControl | None = None,
) -> pl.LazyFrame: ...
def link(
    left: Frame,
    right: Frame | LinkSpec,
    spec: LinkSpec | None = None,
    *,
    id: str,
    threshold: float | None = 0.0,
    to: str | Path | None = None,
    control: RunControl | None = None,
) -> pl.DataFrame | pl.LazyFrame:
    """Find pairs of rows that are the same person.

    ``link(frame, spec, id=...)`` finds pairs within one frame, ``link(a, b, spec, id=...)`` pairs
    of a row of one and a row of the other.

    Parameters
    ----------
    left, right
        Frames with the columns that the plan names. Lazy frames are collected.
    spec
        A learned plan; see `learn`.
    id
        Column of ids: no null, each once in its frame, one type in both frames.
    threshold
        Least match weight of a pair that is kept: log2 of the odds that it is a match. 0 is a
        chance of one half, 6.63 of 99 %. None keeps every candidate. Most pairs below it are never
        fully compared.
    to
        Parquet file for results that are larger than memory; it appears whole or not at all.
    control
        Threads, time limit, progress in candidate pairs; see `RunControl`.

    Returns
    -------
    DataFrame
        Or, with `to`, a scan of the file. One row for each pair: ``id_left``, ``id_right`` (within
        one frame the lower id is left), ``match_weight`` (Float64), ``match_probability`` (Float64;
        it reaches 1 at weights above 53: rank by the weight), and ``level_<comparison>`` (Enum;
        null where a value is missing). In the order of the rules that found them; the same for any
        order of the rows, chunks and number of threads.

    Raises
    ------
    SchemaError
        A column is missing or of the wrong type; ids are null or repeat.
    DomainError
        The plan is not learned.
    CancelledError
        Stopped through `control`.

    Notes
    -----
    The match weight is the prior log2 odds, plus for each comparison with a value on both sides
    ``log2(m / u)`` of its level, plus the adjustment for term frequency (Fellegi and Sunter, 1969).

    Examples
    --------
    >>> import nser_pmt as nser
    >>> import polars as pl
    >>> people = pl.DataFrame({
    ...     "id": [1, 2, 3],
    ...     "cnic": ["35202-1234567-1", "35202-1234576-1", "42101-7654321-3"],
    ...     "name": ["Muhammad Aslam", "Mohd Aslam", "Bushra Bibi"],
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
    ...     block_on=[nser.blocking.cnic_within("cnic")],
    ...     prior=1e-4,
    ... )
    >>> pairs = nser.link(people, spec, id="id")
    >>> pairs.select("id_left", "id_right", "level_cnic", pl.col("match_weight").round(1))
    shape: (1, 4)
    ┌─────────┬──────────┬────────────┬──────────────┐
    │ id_left ┆ id_right ┆ level_cnic ┆ match_weight │
    │ ---     ┆ ---      ┆ ---        ┆ ---          │
    │ i64     ┆ i64      ┆ enum       ┆ f64          │
    ╞═════════╪══════════╪════════════╪══════════════╡
    │ 1       ┆ 2        ┆ one_error  ┆ 10.6         │
    └─────────┴──────────┴────────────┴──────────────┘
    """
    first, second, spec = arguments(left, right, spec)
    return link_prepared(prepare(first, second, spec, id, control), threshold, to)


def link_prepared(
    prepared: Prepared, threshold: float | None, to: str | Path | None
) -> pl.DataFrame | pl.LazyFrame:
    """Do what `link` does."""
    stretches = _stretches(prepared, threshold)
    if to is None:
        parts = list(stretches)
        return pl.concat(parts) if parts else _empty(prepared)
    path = Path(to)
    if path.is_dir():
        raise IsADirectoryError(21, "is a folder, not a file", str(path))
    if not path.parent.is_dir():
        raise FileNotFoundError(2, "there is no such folder", str(path.parent))
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        _empty(prepared).write_parquet(folder / "part-000000.parquet")
        for n, part in enumerate(stretches, start=1):
            part.write_parquet(folder / f"part-{n:06}.parquet")
        with _files.replacing(path) as temporary:
            # Signs of a pattern are letters here.
            pl.scan_parquet(sorted(folder.iterdir()), glob=False).sink_parquet(temporary)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return pl.scan_parquet(path, glob=False)


def count_pairs(
    left: Frame,
    right: Frame | LinkSpec,
    spec: LinkSpec | None = None,
    *,
    id: str,
    control: RunControl | None = None,
) -> pl.DataFrame:
    """Count the candidate pairs of each blocking rule, before any is compared.

    Parameters
    ----------
    left, right, spec, id, control
        As for `link`; the plan need not be learned.

    Returns
    -------
    DataFrame
        One row for each rule, in order: ``rule``, ``pairs`` (UInt64; those of its blocks, within
        one frame or between the two), ``new_pairs`` (UInt64; those that no earlier rule makes),
        ``largest_blocks`` (List of UInt32; rows of the ten largest, before the cap),
        ``dropped_blocks``, ``dropped_rows``, ``dropped_pairs`` (UInt64; what `max_block` left out).

    Examples
    --------
    >>> import nser_pmt as nser
    >>> import polars as pl
    >>> people = pl.DataFrame({"id": [1, 2, 3, 4], "name": list("aaab"), "born": [1, 1, 2, 2]})
    >>> spec = nser.LinkSpec(
    ...     compare=[nser.compare.exact("name")], block_on=[["name", "born"], ["name"]]
    ... )
    >>> nser.count_pairs(people, spec, id="id").select("rule", "pairs", "new_pairs")
    shape: (2, 3)
    ┌────────────┬───────┬───────────┐
    │ rule       ┆ pairs ┆ new_pairs │
    │ ---        ┆ ---   ┆ ---       │
    │ str        ┆ u64   ┆ u64       │
    ╞════════════╪═══════╪═══════════╡
    │ name, born ┆ 1     ┆ 1         │
    │ name       ┆ 3     ┆ 2         │
    └────────────┴───────┴───────────┘
    """
    first, second, spec = arguments(left, right, spec)
    return count_prepared(prepare(first, second, spec, id, control))


def count_prepared(prepared: Prepared) -> pl.DataFrame:
    """Do what `count_pairs` does."""
    rows = []
    done = _Progress(prepared.control)
    for number, rule in enumerate(prepared.spec.rules):
        run = prepared.linker.rule(number)
        pairs = run.count(alone=True, **done.options())
        new = run.count(alone=False, **done.options())
        rows.append((rule.label, pairs, new, run.largest, *run.dropped))
        done.add(pairs)
    schema: dict[str, Any] = {
        "rule": pl.String,
        "pairs": pl.UInt64,
        "new_pairs": pl.UInt64,
        "largest_blocks": pl.List(pl.UInt32),
        "dropped_blocks": pl.UInt64,
        "dropped_rows": pl.UInt64,
        "dropped_pairs": pl.UInt64,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def explain_pairs(pairs: Frame, spec: LinkSpec) -> pl.DataFrame:
    """Say what each comparison added to the weight of each pair.

    Parameters
    ----------
    pairs
        Some rows of what `link` gave. A lazy frame is collected.
    spec
        The plan it was given.

    Returns
    -------
    DataFrame
        For each pair one row for the prior and one for each comparison, in order: ``id_left``,
        ``id_right``, ``comparison``, ``level`` and ``weight`` (Float64: log2(m / u) of the level).
        A last row ``term frequency`` has what the frequency of the agreeing values adds or takes.
        The weights of a pair add up to its match weight.

    Raises
    ------
    SchemaError
        The pairs are not those of this plan.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> import polars as pl
    >>> sex = nser.compare.exact("sex").with_chances(m=[0.99, 0.01], u=[0.5, 0.5])
    >>> spec = nser.LinkSpec(compare=[sex], block_on=[["sex"]], prior=0.25)
    >>> people = pl.DataFrame({"id": [1, 2], "sex": ["f", "f"]})
    >>> pairs = nser.link(people, spec, id="id", threshold=None)
    >>> nser.explain_pairs(pairs, spec).select("comparison", "level", pl.col("weight").round(2))
    shape: (2, 3)
    ┌────────────┬───────┬────────┐
    │ comparison ┆ level ┆ weight │
    │ ---        ┆ ---   ┆ ---    │
    │ str        ┆ str   ┆ f64    │
    ╞════════════╪═══════╪════════╡
    │ prior      ┆ null  ┆ -1.58  │
    │ sex        ┆ exact ┆ 0.99   │
    └────────────┴───────┴────────┘
    """
    pairs = pairs.lazy().collect()
    wanted = ["id_left", "id_right", "match_weight", *(f"level_{c.label}" for c in spec.compare)]
    for name in wanted:
        if name not in pairs.columns:
            raise SchemaError(f"column '{name}' is missing", code="missing_column", column=name)
    check_learned(spec)
    for c in spec.compare:
        levels = pairs.get_column(f"level_{c.label}").cast(pl.String).drop_nulls().unique()
        if set(levels) - set(c.levels):
            raise SchemaError(
                f"column 'level_{c.label}': a level that the plan does not have",
                code="wrong_column",
                column=f"level_{c.label}",
            )
    keys = pairs.select("id_left", "id_right").with_row_index("pair")
    parts = [
        keys.with_columns(
            pl.lit("prior").alias("comparison"),
            pl.lit(None, pl.String).alias("level"),
            pl.lit(prior_weight(spec)).alias("weight"),
            pl.lit(0, pl.UInt32).alias("place"),
        )
    ]
    for place, c in enumerate(spec.compare, start=1):
        weights = dict(zip(c.levels, level_weights(c), strict=True))
        level = pairs.get_column(f"level_{c.label}").cast(pl.String)
        parts.append(
            keys.with_columns(
                pl.lit(c.label).alias("comparison"),
                level.alias("level"),
                level.replace_strict(weights, default=0.0, return_dtype=pl.Float64).alias("weight"),
                pl.lit(place, pl.UInt32).alias("place"),
            )
        )
    known = pl.concat(parts).group_by("pair", maintain_order=True).agg(pl.col("weight").sum())
    rest = pairs.get_column("match_weight") - known.sort("pair").get_column("weight")
    if all(c.frequency == "none" for c in spec.compare):
        if (rest.abs() > _ROUNDING).any():
            raise SchemaError(
                "column 'match_weight': weights of a plan with other chances",
                code="wrong_column",
                column="match_weight",
            )
    else:
        parts.append(
            keys.with_columns(
                pl.lit("term frequency").alias("comparison"),
                pl.lit(None, pl.String).alias("level"),
                rest.alias("weight"),
                pl.lit(len(spec.compare) + 1, pl.UInt32).alias("place"),
            )
        )
    return pl.concat(parts).sort("pair", "place").drop("pair", "place")


def arguments(
    left: Frame, right: Frame | LinkSpec, spec: LinkSpec | None
) -> tuple[Frame, Frame | None, LinkSpec]:
    if not isinstance(left, (pl.DataFrame, pl.LazyFrame)):
        raise invalid("expected a Polars frame first")
    if isinstance(right, LinkSpec):
        if spec is not None:
            raise invalid("two plans were given")
        return left, None, right
    if not isinstance(spec, LinkSpec):
        raise invalid("a plan is missing: give a LinkSpec")
    if not isinstance(right, (pl.DataFrame, pl.LazyFrame)):
        raise invalid("expected two Polars frames before the plan")
    return left, right, spec


class _Progress:
    """Counts candidate pairs over several calls of the core."""

    def __init__(self, control: RunControl) -> None:
        self.control = control
        self.done = 0

    def options(self) -> dict[str, Any]:
        progress = self.control.progress
        tick = None
        if progress is not None:
            progress(self.done)
            tick = lambda _: progress(self.done)  # noqa: E731
        return {"control": self.control._native, "timeout": self.control.timeout, "tick": tick}

    def add(self, pairs: int) -> None:
        self.done += pairs
        if self.control.progress is not None:
            self.control.progress(self.done)


def _stretches(prepared: Prepared, threshold: float | None) -> Iterator[pl.DataFrame]:
    """Yield the pairs of one stretch of the work after the other."""
    weights = prepared.weights(threshold)
    levels = {f"level_{c.label}": pl.Enum(c.levels) for c in prepared.native}
    done = _Progress(prepared.control)
    for number in range(len(prepared.spec.rules)):
        run = prepared.linker.rule(number)
        units = run.units
        start = 0
        while start < len(units):
            stop, pairs = start, 0
            while stop < len(units) and pairs < _STRETCH:
                pairs += units[stop]
                stop += 1
            found = _engine.frame(run.score(start, stop, weights, **done.options()), levels)
            if found.height:
                yield _finish(prepared, found, threshold)
            done.add(pairs)
            start = stop


def _finish(prepared: Prepared, found: pl.DataFrame, threshold: float | None) -> pl.DataFrame:
    """Give pairs their ids, and what expressions say of them."""
    if prepared.expressions:
        found = _with_expressions(prepared, found)
        if threshold is not None:
            found = found.filter(pl.col("match_weight") >= threshold)
    weight = pl.col("match_weight")
    return found.select(
        prepared.ids.gather(found.get_column("left")).alias("id_left"),
        prepared.ids.gather(found.get_column("right")).alias("id_right"),
        weight,
        (1 / (1 + pl.lit(2.0).pow(-weight))).alias("match_probability"),
        *(f"level_{c.label}" for c in prepared.spec.compare),
    )


def _with_expressions(prepared: Prepared, found: pl.DataFrame) -> pl.DataFrame:
    """Add the levels of expressions, and their weights in the order of the plan."""
    weight = found.get_column("match_weight")
    levels = levels_of(prepared.frame, found, prepared.expressions)
    for c in prepared.expressions:
        weights = dict(zip(c.levels, level_weights(c), strict=True))
        level = levels.get_column(c.label).cast(pl.String)
        weight += level.replace_strict(weights, default=0.0, return_dtype=pl.Float64)
    named = levels.rename({c.label: f"level_{c.label}" for c in prepared.expressions})
    return found.with_columns(weight).hstack(named)


def _empty(prepared: Prepared) -> pl.DataFrame:
    schema: dict[str, Any] = {
        "id_left": prepared.ids.dtype,
        "id_right": prepared.ids.dtype,
        "match_weight": pl.Float64,
        "match_probability": pl.Float64,
    }
    schema |= {f"level_{c.label}": pl.Enum(c.levels) for c in prepared.spec.compare}
    return pl.DataFrame(schema=schema)
