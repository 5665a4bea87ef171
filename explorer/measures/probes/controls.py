"""Labels that say what a probe's accuracy is worth: a control task, and shuffled labels."""

from __future__ import annotations

import numpy as np


def word_type_labels(types: np.ndarray, labels: np.ndarray, train: np.ndarray, seed: int) -> np.ndarray:
    """Return the labels of the control task of Hewitt & Liang (2019), int64 [n].

    Each type has one label, the same in train and test, drawn from the labels' distribution in train. So a probe can
    learn it only by remembering types.

    Args:
        types: type of each point, int64 [n].
        labels: label id of each point, int64 [n].
        train: rows of the training points.
    """
    known, count = np.unique(labels[train], return_counts=True)
    rng = np.random.default_rng([seed, 4 << 20])
    of_type = rng.choice(known, int(types.max(initial=-1)) + 1, p=count / count.sum())
    return np.asarray(of_type[types], np.int64)


def shuffled_labels(labels: np.ndarray, parts: tuple[np.ndarray, ...], seed: int, draw: int) -> np.ndarray:
    """Return the labels with those of each part of a split permuted among its points, int64 [n].

    Each part keeps its number of points of each label; what is left is what a probe reaches by chance.
    """
    rng = np.random.default_rng([seed, 5 << 20, draw])
    found = labels.copy()
    for rows in parts:
        found[rows] = labels[rng.permutation(rows)]
    return found
