"""What is known of some households now, from the records of all segments in force."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from nser_pmt.registry import _records as records
from nser_pmt.registry import _tables as tables
from nser_pmt.registry._manifest import Segment

__all__ = ["LookUp"]


class LookUp:
    """Look-ups in a state of the registry.

    Parameters
    ----------
    folder
        Folder of the registry.
    segments
        A base and the updates after it.
    layout
        Columns of the tables.
    """

    def __init__(self, folder: Path, segments: Sequence[Segment], layout: tables.Layout) -> None:
        self._folder = folder
        self._segments = segments
        self._layout = layout
        self._open: dict[tuple[int, tables.Table, int], records.Records] = {}

    def rows(self, table: tables.Table, ids: pl.Series) -> pl.DataFrame:
        """Return the rows in force of sorted, distinct household ids."""
        keys = tables.KEYS[table]
        needles = ids.to_numpy()
        found = []
        for segment in self._segments:
            lows = np.array([part.low for part in segment.parts], dtype=np.uint64)
            ends = [*np.searchsorted(needles, lows[1:]), len(needles)]
            start = 0
            for place, end in enumerate(ends):
                some = needles[start:end]
                start = end
                if len(some):
                    held = self._records(segment.number, table, place)
                    rows, _ = held.find(some)
                    if len(rows):
                        found.append(held.frame(rows))
        if not found:
            return pl.DataFrame(schema=self._layout.record_types(table)).drop(tables.REMOVED)
        made = pl.concat(found)
        if len(self._segments) > 1:
            made = made.unique(keys, keep="last", maintain_order=True)
            made = made.filter(~pl.col(tables.REMOVED))
        return made.drop(tables.REMOVED).sort(keys)

    def holders(self, numbers: pl.Series) -> pl.DataFrame:
        """Return who has some identity numbers now: number, hh_id, person_id, sorted.

        `numbers` are sorted, distinct whole numbers.
        """
        needles = numbers.to_numpy()
        homes = []
        for segment in self._segments:
            for place in range(len(segment.parts)):
                # Opening the records makes these files too, if they are not there.
                self._records(segment.number, "people", place)
                path = tables.part_path(self._folder, segment.number, "people", place)
                known = records.load_keys(tables.records_path(path, ".cnics.npy"))
                holders = records.load_keys(tables.records_path(path, ".holders.npy"))
                first = np.searchsorted(known, needles, side="left")
                past = np.searchsorted(known, needles, side="right")
                # All but a few numbers are in one household.
                while (more := first < past).any():
                    homes.append(holders[first[more]])
                    first, past = first[more] + 1, past[more]
        ids = np.unique(np.concatenate(homes)) if homes else np.array([], dtype=np.uint64)
        members = self.rows("people", pl.Series("hh_id", ids, dtype=pl.UInt64))
        held = members.with_columns(records.numbers(members.get_column("cnic")).alias("number"))
        return (
            held.select("number", "hh_id", "person_id")
            .join(numbers.to_frame("number"), on="number", how="semi")
            .sort("number", "hh_id", "person_id")
        )

    def _records(self, number: int, table: tables.Table, part: int) -> records.Records:
        key = (number, table, part)
        if key not in self._open:
            path = tables.part_path(self._folder, number, table, part)
            self._open[key] = tables.open_records(path, table, self._layout)
        return self._open[key]
