"""Rows read once for several steps of a linkage: `Linkage`."""

from __future__ import annotations

from pathlib import Path
from typing import overload

import polars as pl

from nser_pmt.control import RunControl
from nser_pmt.linkage._linkage import prepare
from nser_pmt.linkage.learning import Learned, learn_prepared
from nser_pmt.linkage.link_spec import LinkSpec
from nser_pmt.linkage.linking import Frame, arguments, count_prepared, link_prepared

__all__ = ["Linkage"]


class Linkage:
    """The rows of one frame, or of two, made ready for a plan.

    `nser_pmt.count_pairs`, `nser_pmt.learn` and `nser_pmt.link` read the frames each time; this
    reads them once. Immutable; holds what the plan compares, about 200 bytes a row and each
    distinct name.

    Parameters
    ----------
    left, right, spec, id, control
        As for `nser_pmt.link`; the plan need not be learned.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> people = nser.synth.people(20_000, seed=1).records
    >>> spec = nser.LinkSpec(
    ...     compare=[
    ...         nser.compare.cnic("cnic"),
    ...         nser.compare.name("name"),
    ...         nser.compare.date("birth_date"),
    ...     ],
    ...     block_on=[nser.blocking.cnic_within("cnic"), ["birth_date", "district"]],
    ... )
    >>> rows = nser.Linkage(people, spec, id="id")
    >>> rows
    Linkage(20,000 rows, 199,990,000 pairs of rows)
    >>> learned = rows.learn()
    >>> rows.link(learned.spec, threshold=6.63).equals(
    ...     nser.link(people, learned.spec, id="id", threshold=6.63)
    ... )
    True
    """

    __slots__ = ("_prepared",)

    def __init__(
        self,
        left: Frame,
        right: Frame | LinkSpec,
        spec: LinkSpec | None = None,
        *,
        id: str,
        control: RunControl | None = None,
    ) -> None:
        first, second, spec = arguments(left, right, spec)
        self._prepared = prepare(first, second, spec, id, control)

    @property
    def spec(self) -> LinkSpec:
        """The plan the rows were read for."""
        return self._prepared.spec

    def __repr__(self) -> str:
        rows = len(self._prepared.ids)
        return f"Linkage({rows:,} rows, {self._prepared.linker.all_pairs:,} pairs of rows)"

    def count_pairs(self, *, control: RunControl | None = None) -> pl.DataFrame:
        """Count candidate pairs; see `nser_pmt.count_pairs`."""
        return count_prepared(self._prepared.with_spec(None, control))

    def learn(
        self,
        *,
        labels: Frame | None = None,
        max_pairs: int = 50_000,
        seed: int = 1,
        control: RunControl | None = None,
    ) -> Learned:
        """Learn chances of agreement; see `nser_pmt.learn`."""
        prepared = self._prepared.with_spec(None, control)
        return learn_prepared(prepared, labels=labels, max_pairs=max_pairs, seed=seed)

    @overload
    def link(
        self,
        spec: LinkSpec | None = None,
        *,
        threshold: float | None = 0.0,
        to: None = None,
        control: RunControl | None = None,
    ) -> pl.DataFrame: ...
    @overload
    def link(
        self,
        spec: LinkSpec | None = None,
        *,
        threshold: float | None = 0.0,
        to: str | Path,
        control: RunControl | None = None,
    ) -> pl.LazyFrame: ...
    def link(
        self,
        spec: LinkSpec | None = None,
        *,
        threshold: float | None = 0.0,
        to: str | Path | None = None,
        control: RunControl | None = None,
    ) -> pl.DataFrame | pl.LazyFrame:
        """Find pairs that are the same person; see `nser_pmt.link`.

        `spec` is the plan of the rows with other chances, such as those that `learn` found.
        """
        return link_prepared(self._prepared.with_spec(spec, control), threshold, to)
