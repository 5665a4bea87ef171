"""Control tasks: other labels of the same points, which a probe can only memorise.

A probe that does as well on a control task as on the real labels shows how much it can memorise, not what the
representation holds. The two controls ask different questions: ``word-type`` (Hewitt and Liang 2019) can be learnt by
memorising word types, ``shuffled`` not at all.

Hewitt and Liang tell word types apart by their written form. Here, words with the same token ids are one type, which is
the same for a cased model. For an uncased one, two labels of "The" and "the" could not be memorised by any probe.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from explorer.measures.labelled import shuffled_labels


@dataclass(frozen=True, eq=False)
class Items:
    """What a control task knows of n labelled points."""

    labels: np.ndarray
    """Label ids, int64 [n]."""
    example: np.ndarray
    """Example of each point, ascending, int64 [n]."""
    examples: int
    """Number of examples of the corpus."""
    types: np.ndarray
    """Word type of each point (words with the same token ids have equal numbers, from 0), int64 [n]."""


def word_type(items: Items, seed: int) -> np.ndarray:
    """Return one fixed random label for each word type, drawn from the distribution of the labels: int64 [n].

    A type has the same label in train and test, and the same whichever other types there are.
    """
    classes, counts = np.unique(items.labels, return_counts=True)
    drawn = np.random.default_rng([seed, 4 << 20]).random(int(items.types.max(initial=-1)) + 1)
    of_type = np.searchsorted(np.cumsum(counts) / counts.sum(), drawn, side="right")
    return classes[of_type[items.types]].astype(np.int64)


def shuffled(items: Items, seed: int) -> np.ndarray:
    """Return permuted labels, by whole examples: int64 [n]."""
    return shuffled_labels(items.labels, items.example, items.examples, seed, 0)


WORD_TYPE = "word-type"
CONTROLS: Mapping[str, Callable[[Items, int], np.ndarray]] = {WORD_TYPE: word_type, "shuffled": shuffled}
"""Control tasks by name: functions of the points and a seed."""


def selectivity(accuracy: float, control: float) -> float:
    """Return the accuracy on the labels minus that on the control task: 0 for a probe that only memorises."""
    return accuracy - control
