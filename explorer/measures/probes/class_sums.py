"""Sum the points of each class in one streaming pass, for many sets of labels of the same points at once.

Labels, a control task and shuffles share the points, and so the second moment X'X; only the sums of the classes differ.
All sums are about a shift near the mean, since a large mean would cost precision. Products of float16 and float32
points are float32 over ROWS rows at a time, and are added up in float64; float64 points are multiplied in float64.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from explorer.measures.moments import ROWS, near_mean
from explorer.measures.tokens import check_finite


@dataclass(frozen=True, eq=False)
class LabelSums:
    """Sums of the points by the classes of one set of labels."""

    classes: np.ndarray
    """Label ids that occur, ascending, int64 [K]."""
    counts: np.ndarray
    """Number of points of each class, int64 [K]."""
    sums: np.ndarray
    """Sum of the points of each class, minus the shift, float64 [K, d]."""

    @property
    def means(self) -> np.ndarray:
        """Mean of each class, minus the shift, float64 [K, d]."""
        means: np.ndarray = self.sums / self.counts[:, None]
        return means


@dataclass(frozen=True, eq=False)
class ClassSums:
    """Sums of n points of width d: X'X, and the sums by class for each set of labels."""

    n: int
    shift: np.ndarray
    """What was subtracted from each point, float64 [d]."""
    second: np.ndarray
    """X'X of the points minus the shift, float64 [d, d]."""
    sets: tuple[LabelSums, ...]
    epsilon: float
    """Relative rounding error of the products."""

    @property
    def mean(self) -> np.ndarray:
        """Mean of all points, minus the shift, float64 [d]."""
        mean: np.ndarray = self.sets[0].sums.sum(0) / self.n
        return mean

    def covariance(self) -> np.ndarray:
        """Return the covariance of all points (divided by n), float64 [d, d]."""
        mean = self.mean
        covariance: np.ndarray = self.second / self.n - np.outer(mean, mean)
        return covariance

    def within(self, which: int) -> np.ndarray:
        """Return the pooled covariance within the classes of one set of labels (divided by n), float64 [d, d]."""
        of = self.sets[which]
        within: np.ndarray = (self.second - of.means.T @ of.sums) / self.n
        return within


def class_sums(chunks: Iterable[np.ndarray], labels: np.ndarray) -> ClassSums:
    """Return the sums of points by class.

    Args:
        chunks: the points in order, each array [rows, d]; at least one row in all.
        labels: label ids of all points in each set of labels, int64 [S, n].

    Raises:
        MeasureError: some points are not finite.
        ValueError: there are not as many points as labels.
    """
    classes, codes = np.unique(labels, return_inverse=True)
    codes = codes.reshape(labels.shape) + len(classes) * np.arange(len(labels))[:, None]
    at, shift, second, sums = 0, np.zeros(0), np.zeros(0), np.zeros(0)
    epsilon = 0.0
    for chunk in chunks:
        if not len(chunk):
            continue
        if not at:
            shift = near_mean(chunk)
            second = np.zeros((len(shift), len(shift)))
            sums = np.zeros((len(labels) * len(classes), len(shift)))
        kind = np.result_type(chunk.dtype, np.float32)
        epsilon = max(epsilon, float(np.finfo(kind).eps))
        for start in range(0, len(chunk), ROWS):
            with np.errstate(invalid="ignore", over="ignore"):  # infinite numbers are refused at the end of the pass
                strip = chunk[start : start + ROWS].astype(kind) - shift.astype(kind)
                second += strip.T @ strip
                sums += _by_row(codes[:, at : at + len(strip)], len(sums), strip)
            at += len(strip)
    if at != labels.shape[1]:
        raise ValueError(f"{at} points have {labels.shape[1]} labels.")
    check_finite(float(sums.sum()), "hidden states")
    return ClassSums(at, shift, second, tuple(_sets(codes, classes, sums)), epsilon)


def _by_row(rows: np.ndarray, count: int, points: np.ndarray) -> np.ndarray:
    """Add each point [m, d] to several rows [S, m] of a result [count, d]."""
    from scipy.sparse import csr_matrix

    times, m = rows.shape
    ones = np.ones(rows.size, points.dtype)
    chosen = csr_matrix((ones, rows.T.ravel(), np.arange(0, rows.size + 1, times)), shape=(m, count))
    found: np.ndarray = chosen.T @ points
    return found


def _sets(codes: np.ndarray, classes: np.ndarray, sums: np.ndarray) -> Iterable[LabelSums]:
    counts = np.bincount(codes.ravel(), minlength=len(sums)).reshape(len(codes), -1)
    for count, of in zip(counts, sums.reshape(*counts.shape, -1), strict=True):
        there = count > 0
        yield LabelSums(classes[there], count[there], of[there])
