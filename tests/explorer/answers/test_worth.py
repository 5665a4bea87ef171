"""Verdicts on values: within or beyond chance, within or beyond what two seeds differ by."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.answers.worth import BEYOND_CHANCE, BEYOND_SEEDS, WITHIN_CHANCE, WITHIN_SEEDS, worth
from explorer.measures.registry import get

DISTANCE, SIMILARITY, SCORE = get("svcca"), get("cka"), get("probe")


@pytest.mark.parametrize(
    ("measure", "value", "seeds", "chance", "interval", "verdict"),
    [
        (DISTANCE, 0.3, None, None, None, ""),
        (DISTANCE, 0.3, 0.2, None, None, BEYOND_SEEDS),
        (DISTANCE, 0.3, 0.3, None, None, WITHIN_SEEDS),
        (DISTANCE, 0.3, 0.4, None, None, WITHIN_SEEDS),
        (DISTANCE, 0.3, None, 0.9, None, BEYOND_CHANCE),
        (DISTANCE, 0.95, 0.2, 0.9, None, WITHIN_CHANCE),
        (DISTANCE, 0.85, 0.2, 0.9, (0.8, 0.92), WITHIN_CHANCE),
        (DISTANCE, 0.85, 0.2, 0.9, (0.8, 0.88), BEYOND_SEEDS),
        (SIMILARITY, 0.3, None, 0.01, None, BEYOND_CHANCE),
        (SIMILARITY, 0.01, None, 0.02, None, WITHIN_CHANCE),
        (SIMILARITY, 0.8, 0.6, None, None, WITHIN_SEEDS),
        (SIMILARITY, 0.5, 0.6, None, None, BEYOND_SEEDS),
        (SCORE, 0.9, None, 0.2, None, BEYOND_CHANCE),
        (SCORE, 0.2, None, 0.2, None, WITHIN_CHANCE),
        (SCORE, 0.25, None, 0.2, (0.15, 0.35), WITHIN_CHANCE),
        (DISTANCE, 0.3, float("nan"), float("nan"), None, ""),
    ],
)
def test_what_a_value_is_worth(measure, value, seeds, chance, interval, verdict):  # type: ignore[no-untyped-def]
    assert worth(measure, value, seeds, chance, interval) == verdict


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_a_similarity_is_judged_as_the_distance_that_it_is_one_minus(value: float, seeds: float, chance: float) -> None:
    distance = replace(SIMILARITY, same=0.0)
    mirrored = (1 - x for x in (value, seeds, chance))
    assert worth(SIMILARITY, value, seeds, chance) == worth(distance, *(abs(1 - (1 - m)) for m in mirrored))
