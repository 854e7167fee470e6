"""True pairs to judge links by: from the entity of each record, or as a list of pairs.

Every true pair has a number, its row in `Truth.pairs`; a frame of links is read once, for the true
pairs that it holds. Ids become row numbers first, so that text and numbers cost the same after.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from nser_pmt.errors import DomainError, SchemaError
from nser_pmt.linkage._ids import SIDES, Frame, refuse, taken

__all__ = ["Truth", "kinds_of_pairs", "read_truth", "refuse_giants"]

# 16 bytes each, and as much again while they are made.
_MOST_PAIRS = 200_000_000


@dataclass(frozen=True, kw_only=True)
class Truth:
    """True pairs; `ids` and `entity` only where the truth says the entity of each record."""

    pairs: pl.DataFrame  # id_left, id_right; with entities left, right: rows of `ids`
    ids: pl.DataFrame | None = None  # id (sorted), row
    entity: pl.Series | None = None  # code of the entity of each row

    def hits(self, links: pl.DataFrame, what: str) -> pl.DataFrame:
        """Find the true pairs among links: ``link`` (row of `links`) and ``pair``."""
        for side in SIDES:
            _refuse_nulls(links.get_column(side), what)
        if self.ids is None or self.entity is None:
            return self._listed(links, what)
        left, right = (self.rows(links.get_column(side), what) for side in SIDES)
        refuse(left == right, "self_pair", what, "id_right", "a record is paired with itself")
        # Either order of the two ids is the same pair.
        keys = pl.select(_key(left, right, self.ids.height)).to_series()
        _refuse_twice(keys, "duplicate_pair", what, "a pair occurs twice", "id_left")
        same = (self.entity.gather(left) == self.entity.gather(right)).arg_true()
        true = pl.select(_key(self.pairs["left"], self.pairs["right"], self.ids.height)).to_series()
        found = pl.DataFrame({"link": same, "key": keys.gather(same)})
        numbered = pl.DataFrame({"key": true}).with_row_index("pair")
        return found.join(numbered, on="key", how="inner").select("link", "pair").sort("link")

    def _listed(self, links: pl.DataFrame, what: str) -> pl.DataFrame:
        sides = pl.DataFrame([self._like(links.get_column(side), side, what) for side in SIDES])
        twice = "a pair occurs twice"
        _refuse_twice(sides.to_struct(), "duplicate_pair", what, twice, "id_left")
        numbered = self.pairs.with_row_index("pair")
        found = sides.with_row_index("link").join(numbered, on=SIDES, how="inner")
        return found.select("link", "pair").sort("link")

    def rows(self, ids: pl.Series, what: str) -> pl.Series:
        """Return the row in the truth of each id."""
        assert self.ids is not None
        _refuse_nulls(ids, what)
        wanted = self._like(ids, "id", what).rename("id").to_frame()
        rows = wanted.join(self.ids, on="id", how="left", maintain_order="left").get_column("row")
        unknown = "the truth does not have this id"
        refuse(rows.is_null(), "unknown_id", what, ids.name, unknown)
        return rows

    def clusters(self, clusters: Frame) -> pl.DataFrame:
        """Return ``row`` and ``code`` (of its cluster) of each record that is in one."""
        if self.ids is None:
            raise SchemaError(
                "clusters need a truth of 'id' and 'entity'", code="missing_column", column="entity"
            )
        given = taken(clusters, ("id", "cluster"), "clusters")
        _refuse_nulls(given.get_column("cluster"), "clusters")
        rows = self.rows(given.get_column("id"), "clusters")
        _refuse_twice(rows, "duplicate_id", "clusters", "an id occurs twice", "id")
        code = _plain(given.get_column("cluster")).rank("dense").cast(pl.Int64)
        return pl.DataFrame([rows, code.rename("code")])

    def _like(self, ids: pl.Series, column: str, what: str) -> pl.Series:
        """Return ids in the type of those of the truth; what does not fit it is null."""
        dtype = (self.pairs if self.ids is None else self.ids).schema[column]
        ids = _plain(ids)
        if ids.dtype == dtype:
            return ids
        if ids.dtype == pl.Null or (ids.dtype.is_integer() and dtype.is_integer()):
            return ids.cast(dtype, strict=False)
        text = f"{ids.dtype!r} in {what}, {dtype!r} in the truth"
        raise SchemaError(
            f"column '{ids.name}': ids of two types, {text}", code="wrong_column", column=ids.name
        )


def read_truth(truth: Frame) -> Truth:
    """Read ``id`` and ``entity`` of every record, or ``id_left`` and ``id_right`` of true pairs."""
    names = truth.lazy().collect_schema().names()
    if set(SIDES) <= set(names):
        listed = taken(truth, SIDES, "truth")
        pairs = pl.DataFrame([_plain(listed.get_column(side)) for side in SIDES])
        for side in SIDES:
            _refuse_nulls(pairs.get_column(side), "truth")
        twice = "a pair occurs twice"
        _refuse_twice(pairs.to_struct(), "duplicate_pair", "truth", twice, "id_left")
        return Truth(pairs=pairs)
    records = taken(truth, ("id", "entity"), "truth")
    for column in records.iter_columns():
        _refuse_nulls(column, "truth")
    records = records.with_columns(_plain(records.get_column("id")))
    _refuse_twice(records.get_column("id"), "duplicate_id", "truth", "an id occurs twice", "id")
    # By id, so that of two rows the lower has the lower id.
    records = records.sort("id").with_row_index("row")
    code = records.get_column("entity").rank("dense").rename("entity")
    rows = records.select("row", code)
    return Truth(
        pairs=_pairs_within(rows, records.get_column("id")),
        ids=records.select("id", "row"),
        entity=code,
    )


def _pairs_within(rows: pl.DataFrame, ids: pl.Series) -> pl.DataFrame:
    sizes = rows.group_by("entity").len().filter(pl.col("len") > 1)
    refuse_giants(sizes, "truth")
    shared = rows.join(sizes, on="entity", how="semi")
    pairs = (
        shared.join(shared, on="entity")
        .filter(pl.col("row") < pl.col("row_right"))
        .select(left="row", right="row_right")
        .sort("left", "right")
    )
    return pairs.with_columns(
        id_left=ids.gather(pairs.get_column("left")),
        id_right=ids.gather(pairs.get_column("right")),
    )


def refuse_giants(sizes: pl.DataFrame, what: str) -> None:
    """Refuse entities, whose sizes are in ``len``, of more pairs than memory should hold."""
    size = sizes.get_column("len").cast(pl.Int64)
    if (size * (size - 1) // 2).sum() > _MOST_PAIRS:
        largest = max(size.to_list())
        raise DomainError(
            f"{what}: more than {_MOST_PAIRS:,} true pairs",
            code="too_many_pairs",
            column="entity",
            hint=f"The largest entity has {largest:,} records: is 'entity' the right column?",
        )


def kinds_of_pairs(truth: Truth, given: Frame, by: str | Frame) -> pl.DataFrame:
    """Return ``pair`` and ``kind``: the kinds of either record; null where neither has one."""
    if not isinstance(by, str):
        others = [c for c in by.lazy().collect_schema().names() if c != "id"]
        if len(others) != 1:
            raise SchemaError(
                "by: expected a frame of 'id' and one more column", code="wrong_column"
            )
        given, by = by, others[0]
    if truth.ids is None:
        if "id" in given.lazy().collect_schema().names():
            raise SchemaError(
                "by: with a truth of pairs, give a column of it", code="wrong_column", column="id"
            )
        named = _exploded(taken(given, (by,), "truth").select(kind=by).with_row_index("pair"))
    else:
        kinds = taken(given, ("id", by), "by")
        rows = truth.rows(kinds.get_column("id"), "by")
        long = _exploded(pl.DataFrame([rows, kinds.get_column(by).rename("kind")]))
        numbered = truth.pairs.with_row_index("pair")
        sides = [long.join(numbered, left_on="row", right_on=s) for s in ("left", "right")]
        named = pl.concat([side.select("pair", "kind") for side in sides]).unique()
    every = truth.pairs.with_row_index("pair").select("pair")
    return every.join(named, on="pair", how="left")


def _exploded(long: pl.DataFrame) -> pl.DataFrame:
    if isinstance(long.schema["kind"], pl.List):
        long = long.filter(pl.col("kind").list.len() > 0).explode("kind")
    if isinstance(long.schema["kind"], pl.Categorical):
        long = long.with_columns(pl.col("kind").cast(pl.String))
    return long.drop_nulls("kind").unique()


def _plain(ids: pl.Series) -> pl.Series:
    return ids.cast(pl.String) if isinstance(ids.dtype, (pl.Enum, pl.Categorical)) else ids


def _key(left: pl.Series, right: pl.Series, rows: int) -> pl.Expr:
    """One number for a pair of rows."""
    low, high = pl.min_horizontal(left, right), pl.max_horizontal(left, right)
    return (low.cast(pl.UInt64) * rows + high).alias("key")


def _refuse_nulls(column: pl.Series, what: str) -> None:
    refuse(column.is_null(), "null_id", what, column.name, "null")


def _refuse_twice(values: pl.Series, code: str, what: str, text: str, column: str) -> None:
    refuse(~values.is_first_distinct(), code, what, column, text)
