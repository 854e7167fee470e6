"""One record for each cluster, by stated rules: `representative`, and rules with arguments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import polars as pl

from nser_pmt._options import invalid
from nser_pmt.errors import SchemaError
from nser_pmt.linkage._ids import Frame, HasFrame, absent, frame_of, read_ids, refuse, taken

__all__ = ["FromSource", "Newest", "Rule", "from_source", "newest", "representative"]


@dataclass(frozen=True, kw_only=True)
class Newest:
    """The value of the record with the highest `by`: see `newest`."""

    by: str


@dataclass(frozen=True, kw_only=True)
class FromSource:
    """The value of the best source: see `from_source`."""

    column: str
    order: tuple[object, ...]


Rule: TypeAlias = Literal["most_frequent", "longest", "first", "min", "max"] | Newest | FromSource

_NAMED = ("most_frequent", "longest", "first", "min", "max")


def newest(by: str) -> Newest:
    """Make the rule that takes the value of the newest record.

    Parameters
    ----------
    by
        Column of dates, times or numbers; the highest wins, null comes last.

    Returns
    -------
    Newest
        For `representative`.

    Examples
    --------
    >>> from nser_pmt import golden
    >>> golden.newest("visited")
    Newest(by='visited')
    """
    return Newest(by=by)


def from_source(column: str, order: Sequence[object]) -> FromSource:
    """Make the rule that takes the value of the best source that has one.

    Parameters
    ----------
    column
        Column that says where a record comes from.
    order
        Its values, best first; records of others come last.

    Returns
    -------
    FromSource
        For `representative`.

    Examples
    --------
    >>> from nser_pmt import golden
    >>> golden.from_source("source", ["registry", "survey"])
    FromSource(column='source', order=('registry', 'survey'))
    """
    return FromSource(column=column, order=tuple(order))


def representative(
    frame: Frame, clusters: Frame | HasFrame, *, id: str, rules: Mapping[str, Rule]
) -> pl.DataFrame:
    """Make one record for each cluster, and say which record gave each value.

    Parameters
    ----------
    frame
        The records.
    clusters
        What `cluster` found, or a frame of ``id`` and ``cluster``. A record without a row there is
        a cluster of its own.
    id
        Column of ids in `frame`: not null, none twice.
    rules
        For each column wanted, how its value is chosen among the records of the cluster where it is
        not null or NaN: ``"most_frequent"``, ``"longest"`` (text, in characters), ``"first"`` (the
        record with the lowest id), ``"min"``, ``"max"``, ``golden.newest(by)`` or
        ``golden.from_source(column, order)``. Of equals, the record with the lowest id.

    Returns
    -------
    DataFrame
        One row a cluster, sorted: ``cluster``, ``records`` (UInt32, its size), then for each column
        the value and ``<column>_from``, the id of the record that gave it. Both are null where no
        record has a value.

    Raises
    ------
    SchemaError
        A column is missing or of a type that the rule cannot use; an id is null, twice, or in
        `clusters` only.
    DomainError
        There is no such rule, or two columns of the result would have one name.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> people = pl.DataFrame(
    ...     {
    ...         "id": [1, 2, 3, 4],
    ...         "name": ["Bilal", "Bilal Ahmed", None, "Zainab"],
    ...         "district": ["Lahore", "Kasur", "Lahore", None],
    ...         "visited": [2011, 2023, 2019, 2021],
    ...     }
    ... )
    >>> clusters = pl.DataFrame({"id": [1, 2, 3, 4], "cluster": [1, 1, 1, 4]})
    >>> rules = {"name": "longest", "district": nser.golden.newest("visited")}
    >>> nser.representative(people, clusters, id="id", rules=rules)
    shape: (2, 6)
    ┌─────────┬─────────┬─────────────┬───────────┬──────────┬───────────────┐
    │ cluster ┆ records ┆ name        ┆ name_from ┆ district ┆ district_from │
    │ ---     ┆ ---     ┆ ---         ┆ ---       ┆ ---      ┆ ---           │
    │ i64     ┆ u32     ┆ str         ┆ i64       ┆ str      ┆ i64           │
    ╞═════════╪═════════╪═════════════╪═══════════╪══════════╪═══════════════╡
    │ 1       ┆ 3       ┆ Bilal Ahmed ┆ 2         ┆ Kasur    ┆ 2             │
    │ 4       ┆ 1       ┆ Zainab      ┆ 4         ┆ null     ┆ null          │
    └─────────┴─────────┴─────────────┴───────────┴──────────┴───────────────┘
    """
    for column, rule in rules.items():
        if not isinstance(rule, (Newest, FromSource)) and rule not in _NAMED:
            raise invalid(
                f"the rule of '{column}' must be one of {', '.join(_NAMED)}, "
                "golden.newest or golden.from_source"
            )
    names = ["cluster", "records", *(n for c in rules for n in (c, f"{c}_from"))]
    if len(set(names)) < len(names):
        raise invalid("two columns of the result would have one name; rename one in the frame")
    helpers = [h for rule in rules.values() for h in _helpers(rule)]
    records = taken(frame, [id, *rules, *helpers], "frame")
    ids = read_ids(records.get_column(id), "frame")
    refuse(~ids.is_first_distinct(), "duplicate_id", "frame", id, "an id occurs twice")
    records = records.with_columns(_clusters_of(ids, clusters))
    sizes = records.group_by(_CLUSTER).agg(pl.len().cast(pl.UInt32).alias("records"))
    result = sizes.sort(_CLUSTER)
    # Most records are alone: nothing has to be chosen.
    shared = records.select(pl.col(_CLUSTER).is_duplicated()).to_series()
    alone, shared_records = records.filter(~shared), records.filter(shared)
    for column, rule in rules.items():
        parts = [_only(alone, id, column), _chosen(shared_records, id, column, rule)]
        chosen = pl.concat(parts)
        result = result.join(chosen, on=_CLUSTER, how="left", maintain_order="left")
    return result.rename({_CLUSTER: "cluster"})


_CLUSTER = "__nser_pmt_cluster"
_KEY = "__nser_pmt_key"


def _helpers(rule: Rule) -> list[str]:
    if isinstance(rule, Newest):
        return [rule.by]
    return [rule.column] if isinstance(rule, FromSource) else []


def _clusters_of(ids: pl.Series, clusters: Frame | HasFrame) -> pl.Series:
    """Return the cluster of each id."""
    given = taken(frame_of(clusters), ["id", "cluster"], "clusters")
    for column in given.get_columns():
        read_ids(column, "clusters")
        if column.dtype != ids.dtype and len(column):
            raise SchemaError(
                f"clusters: column '{column.name}': expected the type of the ids of the frame",
                code="wrong_column",
                column=column.name,
            )
    given = given.cast(ids.dtype)
    members = given.get_column("id")
    refuse(~members.is_first_distinct(), "duplicate_id", "clusters", "id", "an id occurs twice")
    records = ids.alias("id").to_frame()
    text = "an id that is not in the frame"
    refuse(absent(members, ids), "unknown_id", "clusters", "id", text)
    found = records.join(given, on="id", how="left", maintain_order="left")
    return found.select(pl.coalesce("cluster", "id").alias(_CLUSTER)).to_series()


def _only(records: pl.DataFrame, id: str, column: str) -> pl.DataFrame:
    """Return the cluster, the value and the id that it is from, where there is a value."""
    filled = records.with_columns(pl.col(pl.Float32, pl.Float64).fill_nan(None)).drop_nulls(column)
    return filled.select(_CLUSTER, column, pl.col(id).alias(f"{column}_from"))


def _chosen(records: pl.DataFrame, id: str, column: str, rule: Rule) -> pl.DataFrame:
    """Return the same for clusters of several records."""
    dtype = records.schema[column]
    if rule == "longest" and not isinstance(dtype, (pl.String, pl.Enum, pl.Categorical, pl.Null)):
        raise SchemaError(
            f"frame: column '{column}': expected text", code="wrong_column", column=column
        )
    descending = rule != "min"
    given = records.with_columns(pl.col(pl.Float32, pl.Float64).fill_nan(None))
    filled = given.drop_nulls(column).with_columns(_key(rule, column, records.schema))
    best = filled.sort(
        _CLUSTER, _KEY, id, descending=[False, descending, False], nulls_last=True
    ).unique(_CLUSTER, keep="first", maintain_order=True)
    return _only(best, id, column)


def _key(rule: Rule, column: str, schema: pl.Schema) -> pl.Expr:
    """Return what the chosen record has most of; for "min", least."""
    if isinstance(rule, Newest):
        key = pl.col(rule.by)
    elif isinstance(rule, FromSource):
        dtype = schema[rule.column]
        textual = isinstance(dtype, (pl.Enum, pl.Categorical))
        order = _values(rule, pl.String() if textual else dtype)
        places = pl.int_range(0, -len(order), -1, dtype=pl.Int32, eager=True)
        source = pl.col(rule.column).cast(order.dtype)
        key = source.replace_strict(order, places, default=-len(order), return_dtype=pl.Int32)
    elif rule == "most_frequent":
        key = pl.len().over(_CLUSTER, column)
    elif rule == "longest":
        key = pl.col(column).cast(pl.String).str.len_chars()
    elif rule == "first":
        key = pl.lit(0)
    else:
        key = pl.col(column)
    return key.alias(_KEY)


def _values(rule: FromSource, dtype: pl.DataType) -> pl.Series:
    """Return the sources in the type of their column, best first."""
    try:
        order = pl.Series(list(rule.order), dtype=dtype, strict=True)
    except (TypeError, OverflowError, pl.exceptions.PolarsError):
        raise SchemaError(
            f"frame: column '{rule.column}': the order of sources has values of another type",
            code="wrong_column",
            column=rule.column,
        ) from None
    return order.unique(maintain_order=True)
