"""Score predicted sets of labels, and say in which layers a mix of layers finds them (Tenney et al. 2019)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class SetScores:
    """Counts of predicted and true labels of n targets, by label, int64 [K]."""

    n: int
    right: np.ndarray
    """Number of labels that are both predicted and true."""
    predicted: np.ndarray
    true: np.ndarray

    @property
    def f1(self) -> float:
        """Micro-F1 over all pairs of a target and a label, as scikit-learn's ``f1_score(average="micro")``."""
        return float(2 * self.right.sum() / max(1, self.predicted.sum() + self.true.sum()))

    @property
    def label_f1(self) -> np.ndarray:
        """F1 of each label, float64 [K]; NaN for a label that is neither predicted nor true."""
        count = self.predicted + self.true
        return np.asarray(np.where(count > 0, 2 * self.right / np.maximum(count, 1), np.nan))


def set_scores(predicted: np.ndarray, true: np.ndarray) -> SetScores:
    """Compare predicted with true labels, bool [n, K] each."""
    return SetScores(len(true), (predicted & true).sum(0), predicted.sum(0), true.sum(0))


def majority(labels: np.ndarray, rows: np.ndarray, test: np.ndarray) -> float:
    """Return the micro-F1 of giving every test target the most frequent label of train.

    Args:
        labels: bool [n, K].
        rows: targets of train, int64.
        test: targets of test, int64.
    """
    always = np.zeros_like(labels[test])
    always[:, labels[rows].sum(0).argmax()] = True
    return set_scores(always, labels[test]).f1


def centre_of_gravity(mix: np.ndarray) -> float:
    """Return the mean layer under the weights of a mix [layers] with the sum 1 (Tenney et al. 2019b, section 3.1)."""
    return float(mix @ np.arange(len(mix)))


def expected_layer(scores: np.ndarray) -> float | None:
    """Return the mean layer under the gains of cumulative scoring; None if the last score is not above the first.

    The gain of layer l is the score of the mix of layers 0..l minus that of 0..l-1; the mean is over layers 1 and
    up (Tenney et al. 2019b, section 3.2). A gain may be negative, so the mean may lie outside of the layers.

    Args:
        scores: score of the mix of layers 0..l for each l, [layers].
    """
    gains = np.diff(scores)
    return float(gains @ np.arange(1, len(scores)) / gains.sum()) if gains.sum() > 0 else None
