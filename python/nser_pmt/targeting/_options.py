"""The options of `targeting` and `compare_models`, checked."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

from nser_pmt._options import chosen, invalid
from nser_pmt.control import RunControl
from nser_pmt.scoring.model import Cutoff, Direction, Model
from nser_pmt.targeting._bootstrap import LonelyPsu
from nser_pmt.targeting._cuts import Design, Predicts, QuantileRule
from nser_pmt.targeting._run import Options
from nser_pmt.targeting._sample import NeedsData

__all__ = ["check_choices", "cutoffs_of", "options_of"]


def check_choices(
    direction: str,
    quantile_rule: str,
    needs_data: str,
    lonely_psu: str,
    psu: str | None,
    strata: str | None,
) -> None:
    """Refuse what is none of the choices."""
    chosen("direction", direction, Direction)
    chosen("quantile_rule", quantile_rule, QuantileRule)
    chosen("needs_data", needs_data, NeedsData)
    chosen("lonely_psu", lonely_psu, LonelyPsu)
    if strata is not None and psu is None:
        raise invalid("strata need psu")


def options_of(
    *,
    design: Design | None,
    cutoffs: Sequence[tuple[float, float]],
    predicts: Predicts | None,
    direction: Direction,
    budget: float | None,
    points: int,
    replicates: int,
    seed: int,
    confidence: float,
    control: RunControl,
) -> Options:
    """Check the options of a measurement."""
    if design is not None:
        chosen("design", design, Design)
    if predicts is not None:
        chosen("predicts", predicts, Predicts)
    if cutoffs and design is not None:
        raise invalid("give either a cutoff, or a design")
    if design in ("fixed_line", "both"):
        if predicts is None:
            raise invalid(
                f"design '{design}' needs predicts: whether the score predicts welfare or its log"
            )
        if direction != "lower_is_poorer":
            raise invalid("a score that predicts welfare is lower for the poorer")
    if budget is not None and not (math.isfinite(budget) and budget >= 0):
        raise invalid("budget must be an amount that is not negative")
    if points < 0 or replicates < 2 or not 0 < confidence < 1 or not 0 <= seed < 2**64:
        raise invalid(
            "points must be at least 0, replicates at least 2, confidence between 0 and 1, "
            "and seed a whole number that is not negative"
        )
    return Options(
        design=design,
        cutoffs=cutoffs,
        predicts=predicts,
        budget=budget,
        points=points,
        replicates=replicates,
        seed=seed,
        confidence=confidence,
        control=control,
    )


def cutoffs_of(
    cutoff: float | str | Sequence[float] | None, model: Model | None, direction: Direction
) -> list[tuple[float, float]]:
    """Return cut-offs on the scale of the core, where lower is poorer, and as given."""
    if cutoff is None:
        return []
    sides: list[tuple[float, Literal["inclusive", "exclusive"]]] = []
    if isinstance(cutoff, str):
        if model is None:
            raise invalid("a cutoff with a name needs its model")
        named: Cutoff = model.cutoff(cutoff)
        if named.side == "unknown":
            raise invalid(f"cut-off '{cutoff}' does not say whether the value itself is targeted")
        sides.append((named.value, named.side))
    else:
        values = [cutoff] if isinstance(cutoff, int | float) else list(cutoff)
        if not values or not all(math.isfinite(value) for value in values):
            raise invalid("cutoff must be one or more finite scores, or a name")
        sides += [(float(value), "inclusive") for value in values]
    turned = -1.0 if direction == "higher_is_poorer" else 1.0
    made = []
    for value, side in sides:
        at = turned * value
        made.append((math.nextafter(at, -math.inf) if side == "exclusive" else at, value))
    return made
