"""Look for the citizen a registry row means when its number does not lead to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from nser_pmt import blocking, compare, names
from nser_pmt._options import invalid
from nser_pmt.blocking import Rule
from nser_pmt.control import RunControl
from nser_pmt.errors import DomainError
from nser_pmt.linkage._expressions import columns_of
from nser_pmt.linkage._verify_fields import ROW, Source
from nser_pmt.linkage._verify_rules import VerifyRules
from nser_pmt.linkage.link_spec import LinkSpec
from nser_pmt.linkage.linking import link

__all__ = ["Search", "checked", "usual_spec"]

_FIELDS = ("number", "name", "relative", "birth_date", "sex", "district")


def usual_spec(citizens: int) -> LinkSpec:
    """Return a cautious plan of the search.

    m and u are assumptions, rounded to the side of caution: names of a national file, an eighth of
    the birth dates on 1 January, one number in a million within one error of another's.
    """
    name = {"m": (0.70, 0.13, 0.05, 0.05, 0.07), "u": (3e-4, 1e-4, 3e-4, 1e-3, 0.9983)}
    dates: list[str | int] = ["day_month_swap", "one_slip", "same_year_heaped", 366, 1098]
    return LinkSpec(
        compare=[
            compare.cnic("number").with_chances(
                m=(0.90, 0.04, 0.02, 0.04), u=(1e-6, 1e-6, 1e-5, 0.999988)
            ),
            compare.name("name", frequency="none").with_chances(**name),
            compare.name("relative", frequency="none").with_chances(**name),
            compare.date("birth_date", levels=dates, frequency="none").with_chances(
                m=(0.84, 0.01, 0.03, 0.05, 0.02, 0.02, 0.03),
                u=(3e-4, 1e-4, 1e-3, 3e-3, 3e-2, 8e-2, 0.8856),
            ),
            compare.exact("sex").with_chances(m=(0.99, 0.01), u=(0.5, 0.5)),
            compare.exact("district").with_chances(m=(0.8, 0.2), u=(0.02, 0.98)),
        ],
        block_on=[
            blocking.cnic_within("number"),
            [names.key("name"), "birth_date"],
            [names.key("relative"), "birth_date"],
            [names.key("name"), names.key("relative"), pl.col("birth_date").dt.year()],
            [names.key("name"), names.key("relative"), "district"],
        ],
        prior=min(1 / max(citizens, 2), 0.5),
    )


def checked(spec: LinkSpec) -> LinkSpec:
    """Return a plan that a search can follow, or say why it cannot."""
    compared = {name for c in spec.compare for name in columns_of(c)}
    columns = compared | {n for r in spec.rules for n in r.columns}
    strange = sorted(columns - set(_FIELDS))
    if strange or any(rule.kind == "neighbours" for rule in spec.rules):
        raise DomainError(
            f"the plan of a search is of the columns {', '.join(_FIELDS)}, with rules of equal "
            "keys or cnic_within",
            code="invalid_option",
            column=strange[0] if strange else None,
        )
    if any(c.options.get("token_frequencies") == "frame" for c in spec.compare):
        raise invalid("token_frequencies of a search are a table: it sees parts of the frames")
    if not spec.learned:
        raise DomainError("the plan has no chances of agreement yet", code="not_learned")
    return spec


class Search:
    """The citizens' keys of all rules, ready for one slice of the registry after the other.

    `rest` is all of the registry that will be asked for: ``row`` and its number as ``written``.
    """

    def __init__(
        self,
        rest: pl.DataFrame,
        citizens: Source,
        numbers: pl.Series,
        spec: LinkSpec,
        rules: VerifyRules,
        control: RunControl,
    ) -> None:
        self.citizens, self.rules, self.control = citizens, rules, control
        self.equal = [rule for rule in spec.rules if rule.kind == "equal"]
        self.within = [rule for rule in spec.rules if rule.kind == "cnic_within"]
        keys = [blocking.equal(f"key_{k}") for k in range(len(self.equal))]
        # What a slice holds says nothing of how frequent a value is: the margin stands for that.
        self.spec = replace(
            spec,
            compare=[replace(c, frequency="none") for c in spec.compare],
            block_on=[*self.within, *keys],
        )
        within = bool(self.within)
        self.near = _numbers_near(rest if within else rest.clear(), numbers, control)
        self.keys = [
            _keys(citizens, relative, self.equal)
            for relative in ("father", "husband")
            if relative == "father" or {"father", "husband"} <= citizens.has
        ]

    def find(self, rest: pl.DataFrame) -> pl.DataFrame:
        """Return pairs: ``row`` of the registry, ``citizen`` (row), ``weight``; each pair once.

        `rest` has the fields of registry rows and ``row``.
        """
        left = _with_keys(_doubled(rest), self.equal).collect()
        rows, allowed = self._near(rest, left)
        if not len(rows):
            return pl.DataFrame(
                schema={"row": pl.UInt32, "citizen": pl.UInt32, "weight": pl.Float64}
            )
        right = self.citizens.take(rows).with_columns(rows.alias("row"))
        right = right.with_columns(written=pl.col("number").cast(pl.String))
        right = _with_keys(_doubled(right), self.equal).collect()
        left, right = _only(left, allowed), _only(right, allowed)
        floor = self.rules.weight - self.rules.margin
        pairs = link(left, right, self.spec, id="link_id", threshold=floor, control=self.control)
        return (
            pairs.lazy()
            .select(
                row=(pl.col("id_left") // 2).cast(pl.UInt32),
                citizen=(pl.col("id_right") // 2).cast(pl.UInt32),
                weight="match_weight",
            )
            .group_by("row", "citizen")
            .agg(pl.col("weight").max())
            .sort("row", "citizen")
            .collect()
        )

    def _near(self, rest: pl.DataFrame, left: pl.DataFrame) -> tuple[pl.Series, list[pl.Series]]:
        """Return the citizens that share a key with the slice, and the keys that count."""
        found, allowed = [], []
        for k in range(len(self.equal)):
            asked = left.select(f"key_{k}").drop_nulls().unique()
            hits = [
                keys.select("row", f"key_{k}").join(asked, on=f"key_{k}", how="semi")
                for keys in self.keys
            ]
            hit = pl.concat(hits)
            few = (
                hit.group_by(f"key_{k}").agg(pl.len()).filter(pl.col("len") <= self.rules.max_block)
            )
            allowed.append(few.get_column(f"key_{k}"))
            found.append(hit.join(few, on=f"key_{k}", how="semi").get_column("row"))
        near = self.near.join(rest.select("row"), on="row", how="semi")
        found.append(near.get_column("citizen"))
        return pl.concat(found).unique().sort(), allowed


def _numbers_near(rest: pl.DataFrame, numbers: pl.Series, control: RunControl) -> pl.DataFrame:
    """Return pairs ``row``, ``citizen`` of numbers that are within one error of each other."""
    digits = names.fold("written").str.replace_all("[^0-9]", "").cast(pl.UInt64, strict=False)
    row = pl.col("row").cast(pl.UInt64)
    left = rest.select(row, number=digits).drop_nulls()
    right = numbers.to_frame("number").with_row_index("row").select(row, "number").drop_nulls()
    if not left.height or not right.height:
        return pl.DataFrame(schema={"row": pl.UInt32, "citizen": pl.UInt32})
    cnic = next(c for c in usual_spec(2).compare if c.kind == "cnic")
    spec = LinkSpec(compare=[cnic], block_on=[blocking.cnic_within("number")], prior=0.5)
    pairs = link(left, right, spec, id="row", threshold=None, control=control)
    return pairs.select(
        row=pl.col("id_left").cast(pl.UInt32), citizen=pl.col("id_right").cast(pl.UInt32)
    )


def _doubled(persons: pl.DataFrame) -> pl.LazyFrame:
    """Give a person with a father and a husband two rows, one for each as the ``relative``."""
    common = {
        "number": pl.col("written"),
        "name": pl.col("name"),
        "birth_date": pl.col("birth_date"),
        "sex": pl.col("female"),
        "district": pl.col("district"),
    }
    two = pl.col("father").is_not_null() & pl.col("husband").is_not_null()
    id = pl.col("row").cast(pl.UInt64) * 2
    first = persons.select(link_id=id, relative=pl.coalesce("father", "husband"), **common)
    second = persons.filter(two).select(link_id=id + 1, relative="husband", **common)
    return pl.concat([first, second]).lazy()


def _keys(citizens: Source, relative: str, rules: Sequence[Rule]) -> pl.DataFrame:
    """Return ``row`` and the hashed keys of citizens, with one of the two as their relative.

    Those with a husband as well as a father are there once for each.
    """
    fields = citizens.fields
    person = {
        "number": fields["number"].cast(pl.String),
        "name": fields["name"],
        "birth_date": fields["birth_date"],
        "sex": fields["female"],
        "district": fields["district"],
    }
    lazy = citizens.frame.lazy().with_row_index(ROW)
    if relative == "husband":
        lazy = lazy.filter(fields["father"].is_not_null() & fields["husband"].is_not_null())
        person["relative"] = fields["husband"]
    else:
        person["relative"] = pl.coalesce(fields["father"], fields["husband"])
    keyed = _with_keys(lazy.select(pl.col(ROW).alias("row"), **person), rules)
    return keyed.drop(*person).collect(engine="streaming")


def _with_keys(frame: pl.LazyFrame, rules: Sequence[Rule]) -> pl.LazyFrame:
    """Add one number for the keys of each rule; null where one is missing or empty."""
    parts = {
        text: expr for rule in rules for text, expr in zip(rule.keys, rule.exprs(), strict=True)
    }
    named = {text: f"part_{n}" for n, text in enumerate(parts)}
    frame = frame.with_columns(expr.alias(named[text]) for text, expr in parts.items())
    schema = frame.collect_schema()
    given = {
        name: pl.col(name).is_not_null()
        & (pl.col(name) != "" if schema[name] == pl.String else True)
        for name in named.values()
    }
    keys = []
    for k, rule in enumerate(rules):
        of_rule = [named[text] for text in rule.keys]
        hashed = pl.struct(of_rule).hash(1)
        known = pl.all_horizontal(given[name] for name in of_rule)
        keys.append(pl.when(known).then(hashed).alias(f"key_{k}"))
    return frame.with_columns(keys).drop(named.values())


def _only(side: pl.DataFrame, allowed: Sequence[pl.Series]) -> pl.DataFrame:
    """Forget keys that do not count."""
    for key in allowed:
        name = key.name
        table = key.to_frame().with_columns(allowed=pl.lit(True))
        joined = side.select(name).join(table, on=name, how="left", maintain_order="left")
        kept = pl.when(joined.get_column("allowed").fill_null(False)).then(pl.col(name))
        side = side.with_columns(kept.alias(name))
    return side
