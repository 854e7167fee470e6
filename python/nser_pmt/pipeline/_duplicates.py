"""Persons who are registered twice, and households: who shares most adults is one household."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import polars as pl

from nser_pmt import blocking, compare, names
from nser_pmt.compare import Comparison
from nser_pmt.control import RunControl
from nser_pmt.errors import SchemaError
from nser_pmt.linkage.clustering import cluster
from nser_pmt.linkage.link_spec import LinkSpec, load_link_spec
from nser_pmt.linkage.linking import link
from nser_pmt.pipeline._config import DuplicatesStep, Pipeline
from nser_pmt.pipeline._persons import adults
from nser_pmt.scoring.model import missing_column

__all__ = ["Duplicates", "find_duplicates", "usual_plan"]

# Of two hundred records of adults one is a further one of the same person: stated, not learned, so
# that a small run and a large one are looked at alike.
_FURTHER = 1 / 200


@dataclass(frozen=True, kw_only=True)
class Duplicates:
    """What is registered twice.

    Attributes
    ----------
    households
        One row for each form that is not kept: ``hh_id``, ``duplicate_of``,
        ``shared_persons`` (the most, with another form of its group), ``adults``.
    persons
        One row for each record of a person who has several: ``person_id``, ``hh_id``, ``person``
        (the smallest ``person_id`` of hers), ``kept`` (whether the form is).
    compared
        Records that were compared.
    """

    households: pl.DataFrame
    persons: pl.DataFrame
    compared: int


def usual_plan(rows: int, columns: list[str]) -> LinkSpec:
    """Return a cautious plan for persons, on the columns that there are.

    m and u are assumptions, rounded to the side of caution: names of a national file, an eighth of
    the birth dates on 1 January, one number in a million within one error of another's.
    """
    name = {"m": (0.70, 0.13, 0.05, 0.05, 0.07), "u": (3e-4, 1e-4, 3e-4, 1e-3, 0.9983)}
    dates: list[str | int] = ["day_month_swap", "one_slip", "same_year_heaped", 366]
    compared: dict[str, Comparison] = {
        "cnic": compare.cnic("cnic").with_chances(
            m=(0.80, 0.04, 0.02, 0.14), u=(1e-6, 1e-6, 1e-5, 0.999988)
        ),
        "name": compare.name("name").with_chances(**name),
        "father_name": compare.name("father_name").with_chances(**name),
        "birth_date": compare.date("birth_date", levels=dates).with_chances(
            m=(0.84, 0.01, 0.04, 0.05, 0.03, 0.03), u=(3e-4, 1e-4, 1e-3, 3e-3, 3e-2, 0.9656)
        ),
        "sex": compare.exact("sex").with_chances(m=(0.99, 0.01), u=(0.5, 0.5)),
        "district": compare.exact("district").with_chances(m=(0.8, 0.2), u=(0.02, 0.98)),
    }
    rules = [
        (("cnic",), blocking.cnic_within("cnic")),
        (("name", "birth_date"), blocking.equal(names.key("name"), "birth_date")),
        (("father_name", "birth_date"), blocking.equal(names.key("father_name"), "birth_date")),
        (
            ("name", "father_name", "district"),
            blocking.equal(names.key("name"), names.key("father_name"), "district"),
        ),
    ]
    return LinkSpec(
        compare=[c for column, c in compared.items() if column in columns],
        block_on=[rule for needed, rule in rules if set(needed) <= set(columns)],
        prior=_FURTHER / max(rows, 2),
    )


def find_duplicates(
    people: pl.DataFrame, households: pl.DataFrame, config: Pipeline, control: RunControl
) -> Duplicates:
    """Link the adults, and join the households that share most of theirs."""
    step = config.duplicates or DuplicatesStep()
    if step.order not in households.columns:
        error = missing_column(step.order, households.columns)
        raise SchemaError(
            f"duplicates.order: households: {error.args[0]}", code=error.code, column=step.order
        )
    records = _records(people, households, config.on)
    spec = usual_plan(records.height, records.columns)
    if step.spec is not None:
        spec = load_link_spec(config.path(step.spec))
    pairs = link(records, spec, id="person_id", threshold=step.threshold, control=control)
    found = cluster(
        pairs,
        threshold=step.threshold,
        frame=records,
        id="person_id",
        one_value="sex",
        # Two records of one form are two persons: brothers, twins.
        one_per="hh_id",
    )
    several = (
        found.frame.rename({"id": "person_id", "cluster": "person"})
        .filter(pl.len().over("person") > 1)
        .join(records.select("person_id", "hh_id"), on="person_id", maintain_order="left")
        .sort("person", "person_id")
    )
    dropped = _households(several, records, households, step)
    kept = ~pl.col("hh_id").is_in(dropped.get_column("hh_id").implode())
    return Duplicates(
        households=dropped,
        persons=several.select("person_id", "hh_id", "person", kept.alias("kept")),
        compared=records.height,
    )


def _records(people: pl.DataFrame, households: pl.DataFrame, on: datetime.date) -> pl.DataFrame:
    """Return the adults, with the district of their household unless they have one."""
    records = people.filter(adults(on))
    if "district" not in records.columns and "district" in households.columns:
        records = records.join(
            households.select("hh_id", "district"), on="hh_id", maintain_order="left"
        )
    wanted = ("person_id", "hh_id", "cnic", "name", "father_name", "birth_date", "sex", "district")
    return records.select(name for name in wanted if name in records.columns)


def _households(
    several: pl.DataFrame, records: pl.DataFrame, households: pl.DataFrame, step: DuplicatesStep
) -> pl.DataFrame:
    """Return the forms that are further forms of a household, and which is kept of it."""
    grown = records.group_by("hh_id").agg(adults=pl.len())
    order = (
        households.select("hh_id", step=step.order)
        .sort("step", "hh_id", descending=step.keep == "last", nulls_last=True)
        .select(pl.col("hh_id"), place=pl.int_range(pl.len()))
    )
    one = several.select("person", "hh_id")
    shared = (
        one.join(one, on="person", suffix="_other")
        .filter(pl.col("hh_id") < pl.col("hh_id_other"))
        .group_by("hh_id", "hh_id_other")
        .agg(shared=pl.len())
        .join(grown, on="hh_id")
        .join(grown.rename({"hh_id": "hh_id_other"}), on="hh_id_other", suffix="_other")
        .select(
            "shared",
            id_left="hh_id",
            id_right="hh_id_other",
            match_weight=2 * pl.col("shared") / (pl.col("adults") + pl.col("adults_other")),
        )
        .filter(pl.col("match_weight") >= step.overlap)
        .sort("id_left", "id_right")
    )
    groups = cluster(shared.drop("shared"), threshold=step.overlap).frame
    ends = pl.concat(shared.select("shared", hh_id=side) for side in ("id_left", "id_right"))
    most = ends.group_by("hh_id").agg(shared_persons=pl.col("shared").max())
    first = pl.col("hh_id").sort_by("place").first().over("cluster")
    return (
        groups.rename({"id": "hh_id"})
        .join(order, on="hh_id", maintain_order="left")
        .with_columns(duplicate_of=first)
        .filter(pl.col("hh_id") != pl.col("duplicate_of"))
        .join(most, on="hh_id", maintain_order="left")
        .join(grown, on="hh_id", maintain_order="left")
        .select("hh_id", "duplicate_of", "shared_persons", "adults")
        .sort("hh_id")
    )
