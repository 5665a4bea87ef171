"""Run a probe on one layer: the splits, the label sets and the scores of each probe seed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer.measures.computation import MeasureError
from explorer.measures.labelled import shuffled_labels
from explorer.measures.probes.class_sums import class_sums
from explorer.measures.probes.controls import CONTROLS, WORD_TYPE, Items
from explorer.measures.probes.erasure import Eraser, fit_eraser
from explorer.measures.probes.evaluation import Evaluation, evaluation, predictions
from explorer.measures.probes.models import Fitted, Model, Settings
from explorer.measures.probes.points import Points
from explorer.measures.probes.splits import Split, parts_of, random_parts, split_points
from explorer.measures.probes.vectors import Vectors
from explorer.measures.protocols import Labels

NO_CONTROL = "none"
MOST_SEEDS = 100
"""Maximum number of probe seeds."""


@dataclass(frozen=True, eq=False)
class Trial:
    """One probe seed: a split, and the label sets that are probed on it."""

    seed: int
    split: Split
    labels: np.ndarray
    """int64 [sets, n]: the labels, then the control task where there is one, then the shuffles."""
    control: bool


@dataclass(frozen=True, eq=False)
class Outcome:
    """Scores of one trial in one layer."""

    scores: Evaluation
    control: Evaluation | None
    shuffles: tuple[float, ...]
    """Accuracies on shuffled labels."""
    probe: Fitted
    """The classifier that was fitted to the labels."""
    eraser: Eraser | None
    """What was applied to the points first; None: nothing."""
    predicted: np.ndarray
    """Label that the probe gives each point, int64 [n]; -1 for its training points."""
    warning: str
    """What is unusual about the fit if it makes the scores doubtful; else empty."""


def splits_of(points: Points, split: Labels | None, seeds: int, seeded: bool = False) -> list[Split]:
    """Return a split for each probe seed: the split of the corpus or, if it has none, random ones.

    Args:
        seeded: whether fits depend on the seed and stop by dev. Otherwise one seed is enough for the split of the
            corpus; if they do and it has no dev, a share of train becomes dev, another one for each seed.

    Raises:
        MeasureError: as ``split_points``, ``parts_of`` and, if seeded, ``Split.with_dev``.
    """
    group = points.corpus.same_text
    if split is not None:
        parts = [parts_of(split.names, np.asarray(split.values))] * (seeds if seeded else 1)
    else:
        parts = [random_parts(group, seed) for seed in range(1, seeds + 1)]
    found = [split_points(points.labels, points.example, part, group) for part in parts]
    return [one.with_dev(points.labels, seed) for seed, one in enumerate(found, 1)] if seeded else found


def trials_of(points: Points, splits: Sequence[Split], control: str, shuffles: int, null_seed: int) -> list[Trial]:
    """Return the trials of each split, with their control tasks and shuffled labels.

    Args:
        shuffles: number of shuffled label sets for each split.
        null_seed: seed of the shuffles (``Uncertainty.seed``); each split has draws of its own.
    """
    known, examples = points.types, len(points.corpus.offsets) - 1
    controlled = control != NO_CONTROL and (control != WORD_TYPE or known is not None)
    types = np.zeros(len(points.labels), np.int64) if known is None else known
    items = Items(points.labels, points.example, examples, types)
    found = []
    for seed, split in enumerate(splits, 1):
        sets = [points.labels]
        sets += [CONTROLS[control](items, seed)] if controlled else []
        sets += [
            shuffled_labels(points.labels, points.example, examples, null_seed, draw * MOST_SEEDS + seed)
            for draw in range(shuffles)
        ]
        found.append(Trial(seed, split, np.stack(sets), controlled))
    return found


def outcomes_of(
    layers: Sequence[Vectors], trial: Trial, model: Model, settings: Settings, erased: np.ndarray | None
) -> list[Outcome]:
    """Fit and score probes of all label sets of a trial, for each of some layers.

    Args:
        layers: vectors of the same points in each layer.
        erased: labels that are erased first, int64 [n], negative if there is none; None: nothing is erased.

    Raises:
        MeasureError: there are no more training points than labels.
    """
    erasers = [_eraser(vectors, trial.split, erased) for vectors in layers]
    read = [
        vectors if eraser is None else vectors.mapped(eraser.apply)
        for vectors, eraser in zip(layers, erasers, strict=True)
    ]
    fits = model.fit(read, trial.labels, trial.split, trial.seed, settings)
    return [_outcome(*each, trial, model) for each in zip(read, erasers, fits, strict=True)]


def _eraser(vectors: Vectors, split: Split, erased: np.ndarray | None) -> Eraser | None:
    if erased is None:
        return None
    rows = split.train[erased[split.train] >= 0]
    if len(np.unique(erased[rows])) < 2:
        raise MeasureError("The labels to erase have fewer than two values in train.")
    return fit_eraser(class_sums(vectors.chunks(rows), erased[None, rows]))


def _outcome(vectors: Vectors, eraser: Eraser | None, fits: Sequence[Fitted], trial: Trial, model: Model) -> Outcome:
    """Score the fits of all label sets of a trial in one layer; the vectors are what is left after erasing."""
    split = trial.split
    said, bits = _said(vectors, trial, fits)
    scores = [
        evaluation(of, cost, fit.classes, labels[split.test], _counts(labels[split.train], fit.classes), fit.parameters)
        for of, cost, fit, labels in zip(said[:, split.test], bits[:, split.test], fits, trial.labels, strict=True)
    ]
    control = scores[1] if trial.control else None
    shuffles = tuple(one.accuracy for one in scores[1 + trial.control :])
    warning = fits[0].reason if model.warns else ""
    return Outcome(scores[0], control, shuffles, fits[0], eraser, said[0], warning)


def _said(vectors: Vectors, trial: Trial, fits: Sequence[Fitted]) -> tuple[np.ndarray, np.ndarray]:
    """Return the label that each fit gives each point, int64 [sets, n], and the true label's bits, float64 [sets, n].

    The labels of training points are -1. Beyond the first set, only test points have labels.
    """
    split = trial.split
    said, bits = np.full(trial.labels.shape, -1), np.full(trial.labels.shape, np.nan)
    held, at = np.setdiff1d(np.arange(vectors.n), split.train), 0
    for block in vectors.chunks(held):
        rows, at = held[at : at + len(block)], at + len(block)
        wide, tested = block.astype(np.float64), np.isin(rows, split.test)
        for i, (fit, labels) in enumerate(zip(fits, trial.labels, strict=True)):
            chosen = tested if i else np.ones(len(rows), bool)
            if chosen.any():
                here = rows[chosen]
                said[i, here], bits[i, here] = predictions(fit.logits(wide[chosen]), fit.classes, labels[here])
    return said, bits


def _counts(labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the number of labels of each class, int64 [K]."""
    return np.bincount(np.searchsorted(classes, labels[np.isin(labels, classes)]), minlength=len(classes))
