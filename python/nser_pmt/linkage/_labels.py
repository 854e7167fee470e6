"""Labels that `learn` is given, as pairs of rows that match."""

from __future__ import annotations

import polars as pl

from nser_pmt.errors import SchemaError
from nser_pmt.linkage._linkage import Prepared
from nser_pmt.linkage._truth import refuse_giants

__all__ = ["true_pairs"]


def true_pairs(prepared: Prepared, labels: pl.DataFrame) -> tuple[pl.DataFrame, float]:
    """Return pairs that match, ``left`` and ``right``, each once; and how many pairs are known."""
    ids = prepared.ids.to_frame("id").with_row_index("row")
    split = prepared.left_rows
    if {"id", "entity"} <= set(labels.columns):
        rows = _entities(prepared, labels, ids)
        pairs = rows.join(rows, on="entity", suffix="_right")
        n = rows.height
        left = n if split is None else rows.filter(pl.col("row") < split).height
        known = n * (n - 1) / 2 if split is None else left * (n - left)
    elif {"id_left", "id_right"} <= set(labels.columns):
        pairs = _of_ids(prepared, labels, "id_left", "id_right")
        pairs = pairs.join(ids, left_on="id_left", right_on="id")
        pairs = pairs.join(ids, left_on="id_right", right_on="id", suffix="_right")
        known = prepared.linker.all_pairs
    else:
        raise SchemaError(
            "labels need the columns id and entity, or id_left and id_right",
            code="missing_column",
            column="entity",
        )
    low, high = pl.col("row"), pl.col("row_right")
    if split is None:
        pairs = pairs.select(
            left=pl.min_horizontal(low, high), right=pl.max_horizontal(low, high)
        ).filter(pl.col("left") < pl.col("right"))
    else:
        pairs = pairs.filter(low < split, high >= split).select(left=low, right=high)
    return pairs.unique().sort("left", "right"), max(float(known), 1.0)


def _entities(prepared: Prepared, labels: pl.DataFrame, ids: pl.DataFrame) -> pl.DataFrame:
    """Return ``row`` and ``entity`` of the rows that labels name."""
    given = _of_ids(prepared, labels, "id", "entity").drop_nulls("entity")
    if given.get_column("id").is_duplicated().any():
        raise SchemaError("labels: an id occurs twice", code="duplicate_id", column="id")
    rows = ids.join(given, on="id", how="inner")
    if rows.get_column("id").is_duplicated().any():
        raise SchemaError(
            "labels: an id is in both frames",
            code="duplicate_id",
            column="id",
            hint="Give the pairs that match as id_left and id_right",
        )
    refuse_giants(rows.group_by("entity").len(), "labels")
    return rows


def _of_ids(prepared: Prepared, labels: pl.DataFrame, *columns: str) -> pl.DataFrame:
    """Return columns of the labels; ids must be of the type of those of the frames."""
    for column in columns:
        if column != "entity" and labels.schema[column] != prepared.ids.dtype:
            raise SchemaError(
                f"labels: column '{column}': expected the type of the ids of the frame",
                code="wrong_column",
                column=column,
            )
    return labels.select(columns)
