"""Say in a word what a value is worth beside chance and beside what two seeds differ by. Pure.

A comparison is within chance if it lies at least as far from a checkpoint against itself as permuted examples do; a
score, such as a probe's accuracy, if it is at most that of permuted labels. Where the value has an interval, its end on
the side of chance decides. A change is within seeds if two seeds of one task differ at least as much at the same step.
"""

from __future__ import annotations

import math

from explorer.measures.base import Measure

WITHIN_CHANCE, WITHIN_SEEDS, BEYOND_SEEDS, BEYOND_CHANCE = (
    "within chance",
    "within seeds",
    "beyond seeds",
    "beyond chance",
)


def worth(
    measure: Measure,
    value: float,
    seeds: float | None = None,
    chance: float | None = None,
    interval: tuple[float, float] | None = None,
) -> str:
    """Return the verdict on a value; empty where neither chance nor the distance between seeds is known.

    Args:
        seeds: mean of the measure between two seeds.
        chance: mean of the null draws.
        interval: lower and upper end.
    """
    if chance is not None and not math.isnan(chance) and within_chance(measure, value, chance, interval):
        return WITHIN_CHANCE
    if seeds is not None and not math.isnan(seeds):
        return WITHIN_SEEDS if abs(value - measure.same) <= abs(seeds - measure.same) else BEYOND_SEEDS
    return "" if chance is None or math.isnan(chance) else BEYOND_CHANCE


def within_chance(measure: Measure, value: float, chance: float, interval: tuple[float, float] | None = None) -> bool:
    """Return whether a value cannot be told from chance (see above)."""
    ends = (value,) if interval is None else interval
    if measure.compares:
        return max(abs(end - measure.same) for end in ends) >= abs(chance - measure.same)
    return min(ends) <= chance
