"""A table of totals to be filled in: `totals_template`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import polars as pl

from nser_pmt._options import invalid
from nser_pmt.calibration import _sample as sample
from nser_pmt.calibration._totals import CROSS, ROWS
from nser_pmt.errors import DomainError, SchemaError

__all__ = ["totals_template"]

Frame: TypeAlias = pl.DataFrame | pl.LazyFrame


def totals_template(
    frame: Frame,
    *,
    margins: Sequence[str | Sequence[str]] = (),
    continuous: Sequence[str] = (),
    of: str | None = None,
    by: str | Sequence[str] = (),
) -> pl.DataFrame:
    """Make the table of totals that `calibrate` needs, to be filled in.

    Parameters
    ----------
    frame
        The sample.
    margins
        Categorical columns with a total for each level; two or more columns together, as
        ``("province", "area")``, are crossed.
    continuous
        Columns whose sums are known; ``"(rows)"`` for the number of rows.
    of
        Column that is added up within each level; by default rows are counted.
    by
        Columns of groups that have totals of their own.

    Returns
    -------
    DataFrame
        The columns of `by`, ``variable``, ``level`` (null for the sum of a column), ``of`` if
        given, ``total`` (Float64, all null: to be filled in) and ``rows`` (UInt32, rows of the
        sample that add to it). Margins come first, levels in the order of the Enum, or sorted.

    Raises
    ------
    SchemaError
        A column is missing.
    DomainError
        A level is missing, or a level of a cross holds ``*``.

    Examples
    --------
    >>> import polars as pl, nser_pmt as nser
    >>> survey = pl.DataFrame({"area": ["urban", "rural", "urban"], "age": [31, 45, 27]})
    >>> nser.totals_template(survey, margins=["area"], continuous=["age"])
    shape: (3, 4)
    ┌──────────┬───────┬───────┬──────┐
    │ variable ┆ level ┆ total ┆ rows │
    │ ---      ┆ ---   ┆ ---   ┆ ---  │
    │ str      ┆ str   ┆ f64   ┆ u32  │
    ╞══════════╪═══════╪═══════╪══════╡
    │ area     ┆ rural ┆ null  ┆ 1    │
    │ area     ┆ urban ┆ null  ┆ 2    │
    │ age      ┆ null  ┆ null  ┆ 3    │
    └──────────┴───────┴───────┴──────┘
    """
    by = (by,) if isinstance(by, str) else tuple(by)
    crosses = [(m,) if isinstance(m, str) else tuple(m) for m in margins]
    if not crosses and not continuous:
        raise invalid("give margins, continuous columns, or both")
    lazy = frame.lazy()
    known = lazy.collect_schema().names()
    sums = [name for name in continuous if name != ROWS]
    for name in (*by, *(c for cross in crosses for c in cross), *sums, *([of] if of else [])):
        if name not in known:
            raise SchemaError(f"column '{name}' is missing", code="missing_column", column=name)
    needed = list(dict.fromkeys([*by, *(c for cross in crosses for c in cross)]))
    data = lazy.select(needed or known[:1]).collect()
    for name in needed:
        sample.filled(data, name)
    parts = [_margin(data, cross, by, of) for cross in crosses]
    parts += [_sum(data, name, by, of) for name in continuous]
    return pl.concat(parts)


def _margin(
    data: pl.DataFrame, cross: Sequence[str], by: Sequence[str], of: str | None
) -> pl.DataFrame:
    keys = list(dict.fromkeys([*by, *cross]))
    counted = data.group_by(keys).agg(pl.len().cast(pl.UInt32).alias("__rows")).sort(keys)
    texts = counted.select(pl.col(name).cast(pl.String) for name in keys)
    if len(cross) > 1:
        for name in cross:
            if texts.get_column(name).str.contains(CROSS, literal=True).any():
                raise DomainError(
                    f"column '{name}': a level of a cross must not hold '{CROSS}'",
                    code="out_of_domain",
                    column=name,
                )
    level = pl.concat_str([pl.col(name) for name in cross], separator=CROSS)
    return texts.with_columns(counted.get_column("__rows")).select(
        *by,
        *_columns(CROSS.join(cross), level, of),
        pl.col("__rows").alias("rows"),
    )


def _sum(data: pl.DataFrame, name: str, by: Sequence[str], of: str | None) -> pl.DataFrame:
    counted = pl.DataFrame({"__rows": [data.height]})
    if by:
        counted = data.group_by(list(by)).agg(pl.len().alias("__rows")).sort(list(by))
    kept = [pl.col(key).cast(pl.String) for key in by]
    empty = _columns(name, pl.lit(None, pl.String), None)
    columns = [*empty[:2], pl.lit(None, pl.String).alias("of"), *empty[2:]] if of else empty
    return counted.select(*kept, *columns, pl.col("__rows").cast(pl.UInt32).alias("rows"))


def _columns(variable: str, level: pl.Expr, of: str | None) -> list[pl.Expr]:
    filled = [pl.lit(of, pl.String).alias("of")] if of else []
    return [
        pl.lit(variable, pl.String).alias("variable"),
        level.alias("level"),
        *filled,
        pl.lit(None, pl.Float64).alias("total"),
    ]
