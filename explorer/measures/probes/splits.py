"""Split labelled points into train, dev and test, always by whole examples.

Words of one sentence share their context, and equal sentences share everything. So a random split assigns whole
examples, and examples of identical text, that is of the same token ids, stay together. A split that the corpus brings
is taken as it is; it reports the test points whose text is also in train.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.measures.computation import MeasureError

PARTS = ("train", "dev", "test")
SHARES = (0.6, 0.2, 0.2)
"""Shares of the examples in train, dev and test of a random split."""
DEV_SHARE = 0.1
"""Share of the training texts that are held out as dev where a split has none."""
NAMES = {
    "train": "train",
    "tr": "train",
    "dev": "dev",
    "validation": "dev",
    "valid": "dev",
    "val": "dev",
    "va": "dev",
    "test": "test",
    "te": "test",
}
"""Part that each name of a split stands for, in lower case."""


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of the points of train, dev and test, each int64 and ascending; dev may be empty."""

    train: np.ndarray
    dev: np.ndarray
    test: np.ndarray
    unseen: np.ndarray
    """Labels in test that train does not have, ascending, int64. No probe can predict them: their points count as
    errors."""
    repeated: int
    """Number of test points whose text is also in train (0 in a random split)."""
    group: np.ndarray
    """Group of identical texts of each point, int64 [n]."""

    def with_dev(self, labels: np.ndarray, seed: int) -> Split:
        """Return the split itself if it has dev points; otherwise, move a share of train, by whole texts, to dev.

        Args:
            labels: label id of each point, int64 [n].
            seed: seed of the draw of texts.

        Raises:
            MeasureError: the training points have fewer than two texts.
        """
        if len(self.dev):
            return self
        held = _held_out(self.group[self.train], seed)
        if not len(held):
            raise MeasureError("The training points have only one text, so none is left for early stopping.")
        moved = np.isin(self.group[self.train], held)
        return _split(labels, self.group, self.train[~moved], self.train[moved], self.test)


def advice(part: np.ndarray, name: str) -> str:
    """Return how a user gets a part of which a split has no example; else an empty text.

    Args:
        part: part of each example, as a position in PARTS, int64 [E].
        name: name of the part.
    """
    if (part == PARTS.index(name)).any():
        return ""
    return f" Add a file for it (--corpus NAME:{name}=FILE), or all texts in one file, to be split at random."


def parts_of(names: Sequence[str], ids: np.ndarray) -> np.ndarray:
    """Return the part of each example as a position in PARTS, int64 [E]; -1: the example has no split.

    Args:
        names: names of the splits, in the order of the ids (see NAMES; case does not matter).
        ids: split of each example, int [E]; negative: none.

    Raises:
        MeasureError: a split has an unknown name.
    """
    unknown = [name for name in names if name.lower() not in NAMES]
    if unknown:
        known = ", ".join(NAMES)
        raise MeasureError(f"The split '{unknown[0]}' is neither training, development nor test data: {known}.")
    part = np.array([PARTS.index(NAMES[name.lower()]) for name in names] + [-1], np.int64)
    return part[np.where(ids < 0, -1, ids)]


def random_parts(group: np.ndarray, seed: int) -> np.ndarray:
    """Return a random part of each example as a position in PARTS, int64 [E], in the proportions SHARES.

    Args:
        group: group of identical texts of each example, int64 [E]; a group is never divided.
        seed: the same seed and groups give the same parts, whatever the labels are.
    """
    texts = _shuffled_texts(group, seed)
    place = np.empty(len(texts), np.int64)
    place[np.searchsorted(np.unique(group), texts)] = np.arange(len(texts))
    place = place[np.unique(group, return_inverse=True)[1]]
    counts = np.bincount(place, minlength=len(texts))
    middle = (np.cumsum(counts) - counts / 2) / max(1, len(group))  # a large group goes where most of it lies
    return np.searchsorted(np.cumsum(SHARES)[:-1], middle, side="right")[place].astype(np.int64)


def split_points(labels: np.ndarray, example: np.ndarray, part: np.ndarray, group: np.ndarray) -> Split:
    """Return the split of labelled points.

    Args:
        labels: label id of each point, int64 [n].
        example: example of each point, int64 [n].
        part: part of each example, as parts_of and random_parts return it, int64 [E].
        group: group of identical texts of each example, int64 [E].

    Raises:
        MeasureError: train or test has no points, or train has fewer than two labels.
    """
    at = part[example]
    train, dev, test = (np.flatnonzero(at == i) for i in range(len(PARTS)))
    for name, rows in (("train", train), ("test", test)):
        if not len(rows):
            raise MeasureError(f"The split has no labelled points in {name}.{advice(part, name)}")
    if len(np.unique(labels[train])) < 2:
        raise MeasureError("All training points have the same label: a probe needs at least two labels.")
    return _split(labels, group[example], train, dev, test)


def _split(labels: np.ndarray, group: np.ndarray, train: np.ndarray, dev: np.ndarray, test: np.ndarray) -> Split:
    """Return the split with what follows from its rows; ``group`` is that of each point."""
    unseen = np.setdiff1d(labels[test], labels[train])
    return Split(train, dev, test, unseen, int(np.isin(group[test], group[train]).sum()), group)


def said_of_unknown(counts: Sequence[int], n: int) -> str:
    """Return what is said of test points whose label train does not have; empty if there are none.

    Args:
        counts: number of such points in the split of each probe seed.
        n: number of test points.
    """
    most = max(counts)
    up_to = "up to " if len(set(counts)) > 1 else ""
    return f"test has labels that train lacks: {up_to}{most:,} of {n:,} points, which count as errors" if most else ""


def with_dev_examples(part: np.ndarray, group: np.ndarray, seed: int) -> np.ndarray:
    """Return the part of each example, with a share of train's texts moved to dev if no example is in dev, int64 [E].

    Args:
        part: part of each example, as parts_of and random_parts return it, int64 [E].
        group: group of identical texts of each example, int64 [E].
        seed: seed of the draw of texts.
    """
    train, dev = (part == PARTS.index(name) for name in ("train", "dev"))
    if dev.any():
        return part
    held = _held_out(group[train], seed)
    return np.where(train & np.isin(group, held), PARTS.index("dev"), part)


def _held_out(group: np.ndarray, seed: int) -> np.ndarray:
    """Return the groups of texts that are dev from now on, at least one; none if there are fewer than two groups."""
    texts = _shuffled_texts(group, seed)
    return texts[: max(1, round(DEV_SHARE * len(texts)))] if len(texts) > 1 else texts[:0]


def _shuffled_texts(group: np.ndarray, seed: int) -> np.ndarray:
    """Return the groups in a random order."""
    return np.random.default_rng([seed, 3 << 20]).permutation(np.unique(group))
