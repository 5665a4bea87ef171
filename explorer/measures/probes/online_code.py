"""Compute the length of the online code of labels given points (Voita and Titov 2020, section 3.2).

The labels are sent in blocks. The first block is sent with the uniform code, log2 K bits per label; each further block
with the probabilities of a probe that was trained on all blocks before it, and on nothing else. Lengths are in bits
throughout. Sender and receiver know the points and the K labels.

Texts are shuffled once, by the seed alone, so that all layers and checkpoints send the same blocks. Equal texts and the
words of one text stay in one block: a block ends with the first text that reaches its portion. Portions that would be
empty are merged with the next.

A label that the probe has not seen needs a finite length. With u of the K labels not seen among n points, each of them
has the probability 1 / (u (n + 1)), and the probe's probabilities are multiplied by n / (n + 1); with u = 0 they are
used as they are. A probe that has seen only one label gives it all of its probability.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, TypeVar

import numpy as np

from explorer.measures.computation import MeasureError
from explorer.measures.moments import ROWS
from explorer.measures.probes.evaluation import bits_of
from explorer.measures.probes.scratch import Rows

PORTIONS = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.25, 12.5, 25.0, 50.0, 100.0)
"""Ends of the blocks in per cent of the points, as Voita and Titov chose them."""


class Probe(Protocol):
    """A fitted probe."""

    @property
    def classes(self) -> np.ndarray:
        """Label ids, ascending, int64 [K]."""
        ...

    def logits(self, points: np.ndarray) -> np.ndarray:
        """Return unnormalised log-probabilities of points [n, d]: float [n, K]."""
        ...


P = TypeVar("P", bound=Probe)


@dataclass(frozen=True, eq=False)
class OnlineCode:
    """Code of n labels."""

    ends: np.ndarray
    """Number of points up to the end of each block, int64 [B]: the probe of block b + 1 was trained on so many."""
    bits: np.ndarray
    """Length of each block, float64 [B]."""
    uniform: float
    """Length of the uniform code of all labels in bits."""

    @property
    def length(self) -> float:
        """Length of the code in bits."""
        return float(self.bits.sum())

    @property
    def compression(self) -> float:
        """Ratio of the uniform code's length to the length: 1 for a probe that learns nothing."""
        return self.uniform / self.length


def online_code(
    read: Callable[[np.ndarray], Rows],
    labels: np.ndarray,
    group: np.ndarray,
    fit: Callable[[Rows, np.ndarray, P | None], P],
    seed: int,
) -> OnlineCode:
    """Return the online code of the labels.

    Args:
        read: function from positions of points, int64 [m], to the points in this order, float [m, d].
        labels: label id of each point, int64 [n].
        group: group of identical texts of each point, int64 [n].
        fit: function from points, their labels (at least two different ones) and the probe of the block before (to
            start from; None at first) to a probe. It must not hold out points for early stopping from other blocks, and
            sees none.
        seed: seed of the shuffle.

    Raises:
        MeasureError: as ``classes_of``.
    """
    classes = classes_of(labels)
    order, ends = _blocks(group, seed)
    points, labels = read(order), labels[order]
    bits, before = [ends[0] * np.log2(len(classes))], None
    for known, end in pairwise(ends):
        seen = np.unique(labels[:known])
        before = fit(points[:known], labels[:known], before) if len(seen) > 1 else None
        sent = slice(known, end)
        bits.append(_length(before, points[sent], labels[sent], seen, len(classes), int(known)))
    return OnlineCode(ends, np.array(bits), len(labels) * float(np.log2(len(classes))))


def classes_of(labels: np.ndarray) -> np.ndarray:
    """Return the labels that occur, ascending, int64 [K].

    Raises:
        MeasureError: there are fewer than two.
    """
    classes = np.unique(labels)
    if len(classes) < 2:
        few = "All points have the same label" if len(classes) else "No point has a label"
        raise MeasureError(f"{few}: there is nothing to send.")
    return classes


def _blocks(group: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the shuffled points, int64 [n], and the ends of the blocks, int64 [B]."""
    texts, of = np.unique(group, return_inverse=True)
    place = np.random.default_rng([seed, 5 << 20]).permutation(len(texts))[of]
    reached = np.cumsum(np.bincount(place))
    targets = np.round(np.array(PORTIONS) / 100 * len(group))
    ends = reached[np.searchsorted(reached, targets[targets > 0])]
    return np.argsort(place, kind="stable"), np.unique(ends)


def _length(probe: Probe | None, points: Rows, labels: np.ndarray, seen: np.ndarray, count: int, n: int) -> float:
    """Return the bits of labels [m] given a probe that has seen some of ``count`` labels among n points."""
    new = count - len(seen)
    known = np.isin(labels, seen)
    bits = 0.0
    for start in range(0, len(labels) if probe is not None else 0, ROWS):
        here, own = known[start : start + ROWS], labels[start : start + ROWS]
        if probe is not None and here.any():
            logits = probe.logits(np.asarray(points[start : start + ROWS])[here])
            bits += float(bits_of(logits, np.searchsorted(seen, own[here])).sum())
    if new:
        bits += known.sum() * np.log2((n + 1) / n) + (~known).sum() * np.log2(new * (n + 1.0))
    return float(bits)
