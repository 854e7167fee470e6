"""From pairs to persons: `cluster` for any number of records, `assign` for one-to-one links."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal, TypeAlias

import polars as pl

from nser_pmt import _native, cnic
from nser_pmt._options import chosen, invalid
from nser_pmt.control import RunControl
from nser_pmt.errors import SchemaError
from nser_pmt.linkage._ids import Frame, absent, ranked, read_ids, read_pairs, refuse, taken

__all__ = ["Clusters", "Method", "assign", "cluster"]

Method: TypeAlias = Literal["connected", "average", "complete"]


@dataclass(frozen=True, kw_only=True, repr=False)
class Clusters:
    """What `cluster` found.

    Attributes
    ----------
    frame
        ``id`` and ``cluster`` (the smallest id of the cluster), one row an id, sorted by id.
    sizes
        ``size`` (records of a cluster) and ``clusters`` (how many have that size), rising: a very
        large cluster is a chain to look at.
    refused
        ``constraint`` and ``pairs``: pairs at or above the threshold between two clusters that the
        constraint keeps apart. A pair that two constraints keep apart counts for both.
    threshold, method
        As they were asked for.
    """

    frame: pl.DataFrame
    sizes: pl.DataFrame
    refused: pl.DataFrame
    threshold: float
    method: Method

    def __repr__(self) -> str:
        clusters = self.sizes["clusters"].sum()
        largest = max(self.sizes["size"].to_list(), default=0)
        alone = self.sizes.filter(pl.col("size") == 1)["clusters"].sum()
        lines = [
            f"Clusters: {self.frame.height:,} records in {clusters:,} clusters",
            f"  {self.method}, weight >= {self.threshold:g}",
            f"  {alone:,} records alone; largest cluster {largest:,}",
        ]
        lines += [f"  {name}: {n:,} pairs refused" for name, n in self.refused.iter_rows()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"


def cluster(
    pairs: Frame,
    *,
    threshold: float = 0.0,
    method: Method = "connected",
    missing: float = -10.0,
    frame: Frame | None = None,
    id: str = "id",
    one_per: str | Sequence[str] = (),
    one_value: str | Sequence[str] = (),
    one_cnic: str | Sequence[str] = (),
    control: RunControl | None = None,
) -> Clusters:
    """Put the records of one person into one cluster.

    Parameters
    ----------
    pairs
        ``id_left``, ``id_right`` (whole numbers or text) and ``match_weight``. Of a pair that is
        there twice, in either order, the larger weight counts. The order of rows does not matter.
    threshold
        Lowest ``match_weight`` (log2 odds) of a link; 0 is even odds.
    method
        When two clusters become one, strongest link first, of equals that of the lower ids:

        ``"connected"``: one link between them is enough (connected components, single linkage).
        One false link joins two persons.

        ``"average"``: while the mean weight of all pairs between them is at least `threshold`. Weak
        pairs in `pairs` count, and a pair that is not there counts as `missing`: so a chain is cut.

        ``"complete"``: only if every pair between them is in `pairs` and a link. Two records of
        which no pair is there are never together.
    missing
        For ``"average"``: weight of a pair that is not in `pairs`, at most `threshold`. By default
        ten bits against: two links of weight 10 hold a chain of three together.
    frame
        The records that were linked, to have those without any pair as well and to give the
        constraints their columns. Every id of `pairs` must be in it, once.
    id
        Column of ids in `frame`.
    one_per
        Columns of `frame` of which a cluster holds no value twice: ``"source"`` for at most one
        record of each source, ``"household_id"`` if no person is twice in one household.
    one_value
        Columns of which a cluster holds no two values: ``"sex"``.
    one_cnic
        Columns of identity numbers in any form: no cluster holds two valid ones that are more than
        one error of entry apart (`cnic.distance`). For numbers that must be equal, give
        `cnic.normalize` of them as `one_value`.
    control
        Time limit, and a way to cancel; see `RunControl`.

    Returns
    -------
    Clusters
        Its ``frame`` has ``id`` and ``cluster``: the smallest id of the cluster.

    Raises
    ------
    SchemaError
        A column is missing or of a wrong type; an id is null, in `frame` twice or not in it; a
        record is paired with itself; a weight is null, NaN or infinite. Code, column and row say
        which.
    CancelledError
        Stopped through `control`.
    DomainError
        An option is not allowed.

    Notes
    -----
    A null, and what is no valid number in `one_cnic`, never breaks a constraint. Constraints are
    looked at when two clusters are about to be joined, so of two links that cannot both hold the
    stronger one does. Memory grows with records and pairs, also for a component of 100,000 records.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> pairs = pl.DataFrame(
    ...     {"id_left": [1, 2, 5], "id_right": [2, 3, 6], "match_weight": [12.0, 1.5, -3.0]}
    ... )
    >>> nser.cluster(pairs).frame["cluster"].to_list()  # of the ids 1, 2, 3, 5 and 6
    [1, 1, 1, 5, 6]
    >>> people = pl.DataFrame({"id": [1, 2, 3, 4, 5, 6], "sex": ["f", None, "m", "m", "f", "f"]})
    >>> found = nser.cluster(pairs, frame=people, one_value="sex")
    >>> found.frame["cluster"].to_list()
    [1, 1, 3, 4, 5, 6]
    >>> found
    Clusters: 6 records in 5 clusters
      connected, weight >= 0
      4 records alone; largest cluster 2
      one_value sex: 1 pairs refused
    """
    chosen("method", method, Method)
    _check_number("threshold", threshold)
    _check_number("missing", missing)
    if method == "average" and missing > threshold:
        raise invalid("missing must be at most threshold")
    wanted = {
        rule: [columns] if isinstance(columns, str) else list(columns)
        for rule, columns in (
            ("one_per", one_per),
            ("one_value", one_value),
            ("one_cnic", one_cnic),
        )
    }
    control = control or RunControl()
    left, right, weight = read_pairs(pairs)
    if frame is None:
        given = [rule for rule, columns in wanted.items() if columns]
        if given:
            raise invalid(f"{given[0]} needs frame: the records with that column")
        (left, right), ids = ranked([left, right], control)
        labels = []
    else:
        known = taken(frame, [id, *(c for columns in wanted.values() for c in columns)], "frame")
        of_frame = read_ids(known.get_column(id), "frame")
        (rows, left, right), ids = ranked([of_frame, left, right], control)
        refuse(~rows.is_first_distinct(), "duplicate_id", "frame", id, "an id occurs twice")
        if len(ids) > len(rows):
            for side, column in (("id_left", left), ("id_right", right)):
                text = "an id that is not in the frame"
                refuse(absent(column, rows), "unknown_id", "pairs", side, text)
        known = known[rows.arg_sort()]
        labels = [(r, c, _labels(known, r, c)) for r, columns in wanted.items() for c in columns]
    refuse(left == right, "self_pair", "pairs", "id_right", "a record is paired with itself")
    stream, refused, sizes = _native.cluster_pairs(
        left,
        right,
        weight,
        len(left),
        records=len(ids),
        threshold=threshold,
        method=method,
        missing=missing,
        constraints=[(rule, values) for rule, _, values in labels],
        control=control._native,
        timeout=control.timeout,
        tick=control.progress,
    )
    roots = pl.DataFrame(stream).to_series()
    return Clusters(
        frame=pl.DataFrame({"id": ids, "cluster": ids.gather(roots)}),
        sizes=pl.DataFrame(sizes, schema={"size": pl.UInt32, "clusters": pl.UInt32}, orient="row"),
        refused=pl.DataFrame(
            {"constraint": [f"{rule} {column}" for rule, column, _ in labels], "pairs": refused},
            schema={"constraint": pl.String, "pairs": pl.UInt64},
        ),
        threshold=threshold,
        method=method,
    )


def assign(
    pairs: Frame, *, threshold: float = 0.0, control: RunControl | None = None
) -> pl.DataFrame:
    """Link the records of two frames one to one, with the largest total weight.

    Parameters
    ----------
    pairs
        ``id_left``, ``id_right`` and ``match_weight``; other columns are kept. The two sides have
        ids of their own: 7 on the left is not 7 on the right.
    threshold
        Lowest ``match_weight`` (log2 odds) of a link.
    control
        Time limit, and a way to cancel; see `RunControl`.

    Returns
    -------
    DataFrame
        Rows of `pairs`, sorted by ``id_left``: no id twice on its side, none below the threshold,
        and no other choice has a larger sum of weights above the threshold. Of equally good choices
        the ids decide, not the order of rows.

    Raises
    ------
    SchemaError
        A column is missing or of a wrong type; an id is null; a weight is null, NaN or infinite.
    DomainError
        `threshold` is not a finite number.
    CancelledError
        Stopped through `control`.

    Notes
    -----
    The optimum, not a greedy choice, whatever the size of a component: shortest augmenting paths on
    the given pairs. Strong components of many thousand records that all want the same few partners
    take long; `control` can stop them.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> pairs = pl.DataFrame(
    ...     {
    ...         "id_left": ["a", "a", "b"],
    ...         "id_right": ["x", "y", "x"],
    ...         "match_weight": [9.0, 8.0, 7.0],
    ...     }
    ... )
    >>> nser.assign(pairs).rows()  # the best pair, a and x, would leave b alone
    [('a', 'y', 8.0), ('b', 'x', 7.0)]
    """
    _check_number("threshold", threshold)
    control = control or RunControl()
    pairs = pairs.lazy().collect()
    left, right, weight = read_pairs(pairs)
    (left,), lefts = ranked([left], control)
    (right,), rights = ranked([right], control)
    stream = _native.assign_pairs(
        left,
        right,
        weight,
        len(left),
        lefts=len(lefts),
        rights=len(rights),
        threshold=threshold,
        control=control._native,
        timeout=control.timeout,
        tick=control.progress,
    )
    rows = pl.DataFrame(stream).to_series()
    return pairs[rows.gather(left.gather(rows).arg_sort())]


def _check_number(name: str, value: float) -> None:
    if not math.isfinite(value):
        raise invalid(f"{name} must be a finite number")


def _labels(frame: pl.DataFrame, rule: str, column: str) -> pl.Series:
    """Return a whole number for each value, 0 for none."""
    values = frame.get_column(column)
    if rule == "one_cnic":
        number = frame.select(cnic.parse(column).alias("parsed")).unnest("parsed")
        valid = pl.when(pl.col("kind").cast(pl.String) == "cnic").then(pl.col("number"))
        return number.select(valid.fill_null(0).cast(pl.UInt64)).to_series().rechunk()
    if isinstance(values.dtype, (pl.Enum, pl.Categorical)):
        values = values.cast(pl.String)
    if values.dtype == pl.Boolean:
        values = values.cast(pl.UInt8)
    if values.dtype.is_float():
        values = values.fill_nan(None)
    if values.dtype.is_nested() or isinstance(values.dtype, (pl.Object, pl.Binary)):
        raise SchemaError(
            f"frame: column '{column}': expected numbers, dates or text",
            code="wrong_column",
            column=column,
        )
    if values.null_count() == len(values):
        return pl.repeat(0, len(values), dtype=pl.UInt64, eager=True)
    return values.rank("dense").fill_null(0).cast(pl.UInt64).rechunk()
