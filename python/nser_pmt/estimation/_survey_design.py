"""How a survey was drawn, as the core reads it: numbered units of each stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

import polars as pl

from nser_pmt._options import invalid
from nser_pmt.errors import DomainError, SchemaError
from nser_pmt.scoring.model import missing_column

__all__ = ["SurveyDesign", "numbered", "read_survey_design"]

# For each stage: the parent of each unit (none: all have one), and the share drawn of each parent.
Stages = list[tuple[list[int], list[float]]]


@dataclass(frozen=True, kw_only=True)
class SurveyDesign:
    """Units of a survey.

    Attributes
    ----------
    order
        Rows so that those of a unit follow each other; None when they do already.
    units
        For each stage, the number of each row's unit (UInt32), rows in `order`; empty when each row
        is a unit.
    stages
        What the core reads.
    psus
        One row for each primary unit: its stratum and its own key. None when each row is a unit.
    strata
        One row for each stratum, if there are strata.
    """

    order: pl.Series | None
    units: list[pl.Series]
    stages: Stages
    psus: pl.DataFrame | None
    strata: pl.DataFrame | None

    def stratum_name(self, number: int) -> str:
        """Return a stratum's name for a message."""
        return "" if self.strata is None else str(self.strata.row(number)[0])

    def size(self) -> dict[str, int | None]:
        """Return the numbers of primary units and strata, for a table of diagnostics."""
        return {
            "psus": None if self.psus is None else self.psus.height,
            "strata": None if self.strata is None else self.strata.height,
        }

    def df(self, households: int) -> float:
        """Return the number of primary units, or of households, less that of strata."""
        units = households if self.psus is None else self.psus.height
        return float(units - (1 if self.strata is None else self.strata.height))

    def lonely(self) -> int | None:
        """Return a stratum with one primary unit, if there is one."""
        parents = self.stages[0][0] or [0] * (0 if self.psus is None else self.psus.height)
        return next((p for p, count in Counter(parents).items() if count == 1), None)

    def lonely_error(self, stage: int, parent: int) -> DomainError:
        """Return the error for a stratum, or a unit of another stage, with one unit inside."""
        name = self.stratum_name(parent)
        where = f"stratum '{name}'" if stage == 0 else "a primary sampling unit"
        return DomainError(
            f"{where} has one sampling unit, so its variance is unknown",
            code="lonely_psu",
            hint="lonely_psu='adjust' compares it with the mean of all, 'remove' takes its "
            "variance as 0; or put strata together. In fit, errors='cluster' ignores strata",
        )


def read_survey_design(
    frame: pl.DataFrame,
    *,
    strata: str | None,
    psu: Sequence[str],
    fpc: Sequence[str],
) -> SurveyDesign:
    """Read the design columns of a frame."""
    first = [] if strata is None else [strata]
    for name in (*first, *psu, *fpc):
        if name not in frame.columns:
            raise missing_column(name, frame.columns)
        if frame.get_column(name).null_count():
            row = frame.get_column(name).is_null().arg_max()
            raise DomainError(
                f"column '{name}', row {row}: the value is missing; the design needs it",
                code="missing_value",
                column=name,
                row=row,
            )
    frame = frame.select(list(dict.fromkeys([*first, *psu, *fpc])))
    prefixes = [[*first, *keys] for keys in accumulate([key] for key in psu)]
    order = None
    if not all(_together(frame, keys) for keys in prefixes):
        keys = prefixes[-1]
        sorted_rows = frame.select(keys).with_row_index("__row").sort(keys, maintain_order=True)
        order = sorted_rows.get_column("__row")
        frame = frame[order]
    begins = [frame.select(_begins(keys)).to_series() for keys in prefixes]
    units = [frame.select(_key(keys).rle_id()).to_series() for keys in prefixes]
    strata_table = None
    stages: Stages = []
    for stage in range(max(len(psu), 1)):
        table = frame.filter(begins[stage]) if psu else frame
        if stage == 0:
            parents: list[int] = []
            if strata is not None:
                numbers, strata_table = numbered(table.select(strata))
                parents = numbers.to_list()
        else:
            parents = units[stage - 1].filter(begins[stage]).to_list()
        fraction = _fraction(table, parents, fpc[stage]) if stage < len(fpc) else []
        stages.append((parents, fraction))
    return SurveyDesign(
        order=order,
        units=units,
        stages=stages,
        psus=frame.filter(begins[0]).select(prefixes[0]) if psu else None,
        strata=strata_table,
    )


def numbered(keys: pl.DataFrame) -> tuple[pl.Series, pl.DataFrame]:
    """Return a number for each row, the same for equal rows, and the distinct rows."""
    table = keys.unique(maintain_order=True).with_row_index("__number")
    joined = keys.join(table, on=keys.columns, how="left", maintain_order="left")
    return joined.get_column("__number"), table.drop("__number")


def _begins(keys: Sequence[str]) -> pl.Expr:
    changes = [pl.col(key) != pl.col(key).shift(1) for key in keys]
    return pl.any_horizontal(changes).fill_null(True).alias("begins")


def _together(frame: pl.DataFrame, keys: Sequence[str]) -> bool:
    runs, kinds = frame.select(runs=_begins(keys).sum(), kinds=_key(keys).n_unique()).row(0)
    return bool(runs == kinds)


def _key(keys: Sequence[str]) -> pl.Expr:
    return pl.col(keys[0]) if len(keys) == 1 else pl.struct(keys)


def _fraction(table: pl.DataFrame, parents: list[int], column: str) -> list[float]:
    """Share drawn of the units of each parent."""
    dtype = table.get_column(column).dtype
    if not dtype.is_numeric():
        raise SchemaError(
            f"column '{column}': expected numbers of units, or shares of them",
            code="wrong_column",
            column=column,
        )
    rows = pl.DataFrame(
        {"parent": parents or [0] * table.height, "size": table.get_column(column)},
        schema={"parent": pl.UInt32, "size": pl.Float64},
    )
    by = rows.group_by("parent").agg(
        pl.col("size").first(), least=pl.col("size").min(), most=pl.col("size").max(), n=pl.len()
    )
    by = by.sort("parent")
    share = by.select(pl.col("most").max() <= 1).item()
    fraction = pl.col("size") if share else pl.col("n") / pl.col("size")
    by = by.with_columns(fraction=fraction)
    if by.select(((pl.col("least") != pl.col("most")) | ~(pl.col("size") > 0)).any()).item():
        raise invalid(f"fpc '{column}': expected one number above zero in each stratum")
    if by.select((pl.col("fraction") > 1).any()).item():
        raise invalid(f"fpc '{column}': a stratum has more units in the sample than in all")
    return by.get_column("fraction").to_list()
