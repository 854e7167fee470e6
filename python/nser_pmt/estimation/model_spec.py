"""What is to be estimated: `ModelSpec`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from nser_pmt._options import chosen, invalid
from nser_pmt.terms import Term

__all__ = ["ModelSpec", "Unit"]

Unit = Literal["household", "person"]


@dataclass(frozen=True, kw_only=True)
class ModelSpec:
    """The formula to estimate, and how the survey was drawn.

    Parameters
    ----------
    target
        Numeric column that the formula predicts, such as the logarithm of consumption.
    terms
        Made by the functions of `nser_pmt.terms`; a column's name stands for ``linear``.
    intercept
        Whether the formula has a constant.
    weights
        Column of design weights of households, zero or more; all equal if there is none.
    unit
        ``"household"``: each household counts with its weight; ``"person"``: with its weight times
        the number of its members.
    size
        Column with the number of members: for ``unit="person"``.
    strata
        Column of strata.
    psu
        Column of primary sampling units, within strata; or columns of all stages, the primary units
        first. Households by default.
    fpc
        Finite population corrections: a column, or one for each stage. Its values are the number of
        units in the population of the stratum (of the primary unit, in the second stage), or the
        share that was drawn, if no value is above 1.
    missing_target
        What a missing target means: ``"error"``, or ``"drop"``, the household is left out.

    Examples
    --------
    >>> import nser_pmt as nser
    >>> spec = nser.ModelSpec(
    ...     target="log_cons",
    ...     terms=[nser.terms.levels("toilet"), nser.terms.linear("hhsize", transform="log")],
    ...     weights="w", psu="psu", unit="person", size="hhsize",
    ... )
    >>> [term.id for term in spec.terms]
    ['toilet', 'log(hhsize)']
    """

    target: str
    terms: Sequence[Term | str]
    intercept: bool = True
    weights: str | None = None
    unit: Unit = "household"
    size: str | None = None
    strata: str | None = None
    psu: str | Sequence[str] | None = None
    fpc: str | Sequence[str] | None = None
    missing_target: Literal["error", "drop"] = "error"

    def __post_init__(self) -> None:
        from nser_pmt.terms import linear

        chosen("unit", self.unit, Unit)
        chosen("missing_target", self.missing_target, Literal["error", "drop"])
        made = tuple(linear(term) if isinstance(term, str) else term for term in self.terms)
        ids = [term.id for term in made]
        for id in ids:
            if ids.count(id) > 1 or id == "intercept":
                raise invalid(f"the term id '{id}' is taken; give another")
        if not made:
            raise invalid("a formula needs a term")
        if (self.unit == "person") != (self.size is not None):
            raise invalid("unit='person' needs the column of household sizes in size, and only it")
        stages = () if self.psu is None else _names(self.psu)
        fpc = () if self.fpc is None else _names(self.fpc)
        if len(fpc) > max(len(stages), 1):
            raise invalid("fpc has more stages than psu")
        object.__setattr__(self, "terms", made)
        object.__setattr__(self, "psu", stages or None)
        object.__setattr__(self, "fpc", fpc or None)


def _names(names: str | Sequence[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)
