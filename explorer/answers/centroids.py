"""Compute the centroids of labels for the checkpoints of a run, and their principal plane."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from store.errors import BertdynError
from store.keys import Annotation, CheckpointKey, Corpus

if TYPE_CHECKING:
    from store.store import Store


@dataclass(frozen=True, eq=False)
class Centroids:
    """Means of the points of each label, in one layer of several checkpoints. Only labels that have points."""

    corpus: str
    keys: tuple[CheckpointKey, ...]
    layer: int
    labels: tuple[str, ...]
    counts: tuple[int, ...]
    """Number of points of each label."""
    points: str
    """What a point is, in words: 'mean of a word\'s sub-words'."""
    values: np.ndarray
    """float64 [checkpoints, labels, width]."""
    left_out: int = 0
    """Number of checkpoints of the run that were not read."""
    missing: int = 0
    """Always 0: centroids are computed when they are shown."""

    @cached_property
    def plane(self) -> tuple[np.ndarray, tuple[float, float]]:
        """Project all centroids onto their first two principal components.

        Returns:
            float64 [checkpoints, labels, 2], and the share of the centroids' variance along both axes. Components
            point to where the entry of largest size is positive, so that a picture never flips by itself.
        """
        return principal_plane(self.values)


def principal_plane(values: np.ndarray) -> tuple[np.ndarray, tuple[float, float]]:
    """Project points [..., width] onto two principal components [..., 2]; also return their shares of variance."""
    flat = values.reshape(-1, values.shape[-1])
    centred = flat - flat.mean(0)
    _, sizes, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(axes[np.arange(len(axes[:2])), np.abs(axes[:2]).argmax(1)])[:, None]
    places = np.zeros((len(flat), 2))
    places[:, : len(axes)] = centred @ axes.T
    total = float((sizes**2).sum())
    shares = [float(s**2) / total if total > 0 else 0.0 for s in sizes[:2]] + [0.0, 0.0]
    return places.reshape(*values.shape[:-1], 2), (shares[0], shares[1])


def run_keys(store: Store, corpus: str, task: str, seed: str) -> tuple[CheckpointKey, ...]:
    """A run's checkpoints on a corpus, in the order of the steps.

    Raises:
        BertdynError: no such corpus.
    """
    return tuple(c.key for c in store.checkpoints(corpus) if (c.key.recipe, c.key.seed) == (task, seed))


def fetch_centroids(store: Store, corpus: str, annotation: str, keys: Sequence[CheckpointKey], layer: int) -> Centroids:
    """The labels' centroids in one layer (0: the embedding output) of some checkpoints, read from the hidden states.

    Points are those of the measure ``clusters``: the first token of each labelled sentence, or the mean of each
    labelled word's sub-words. Hidden states are read chunk by chunk.

    Raises:
        BertdynError: no such corpus, checkpoint or layer; no labels; checkpoints of different widths.
    """
    found = store.corpus(corpus)
    if not keys:
        raise BertdynError(f"There is no checkpoint on corpus '{corpus}' to show a path of.")
    labels = found.annotations[annotation]
    label_of, weight, counts = token_weights(found, labels)
    present = np.flatnonzero(counts)
    if not len(present):
        raise BertdynError(f"No label of corpus '{corpus}' has a point: there is no centroid.")
    sums = []
    for key in keys:
        chunk = max(1, store.chunks(corpus, key)[0])
        total: np.ndarray | None = None
        for start in range(0, found.info.tokens, chunk):
            stop = min(start + chunk, found.info.tokens)
            here = np.flatnonzero(weight[start:stop])
            share = np.zeros((len(counts), len(here)))
            share[label_of[start:stop][here], np.arange(len(here))] = weight[start:stop][here]
            part = share @ store.hidden(corpus, key, layer, start, stop)[here].astype(np.float64)
            total = part if total is None else total + part
        assert total is not None, "a label with a point needs a token"
        sums.append(total)
    if len({total.shape for total in sums}) > 1:
        raise BertdynError("The checkpoints have hidden states of different widths: they lie in no common space.")
    means = np.stack(sums)[:, present] / counts[present, None]
    if not np.isfinite(means).all():
        raise BertdynError(f"Hidden states of layer {layer} are not finite: extract these checkpoints again.")
    what = "mean of a word's sub-words" if labels.level == "word" else "first token of a sentence"
    names = tuple(labels.names[i] for i in present.tolist())
    return Centroids(corpus, tuple(keys), layer, names, tuple(counts[present].tolist()), what, means)


def token_weights(corpus: Corpus, annotation: Annotation) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return what each token adds to the sum of its label's points: label id [T], weight float64 [T], and the number of
    points of each label."""
    labels = np.asarray(annotation.values)
    label_of, weight = np.zeros(corpus.info.tokens, np.int64), np.zeros(corpus.info.tokens)
    if annotation.level == "sentence":
        there = (np.diff(corpus.offsets) > 0) & (labels >= 0)
        first, of = corpus.offsets[:-1][there], labels[there]
        label_of[first], weight[first] = of, 1.0
    else:
        there = labels >= 0
        of, first, length = labels[there], corpus.word_first[there], corpus.word_length[there].astype(np.int64)
        begin = np.cumsum(length) - length
        at = np.repeat(first - begin, length) + np.arange(length.sum())
        label_of[at], weight[at] = np.repeat(of, length), np.repeat(1 / length, length)
    return label_of, weight, np.bincount(of, minlength=len(annotation.names))
