"""Keep fitted probes as arrays, and apply them to new vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.measures.computation import MeasureError
from explorer.measures.probes.erasure import Eraser
from explorer.measures.probes.models import MODELS, Fitted
from explorer.measures.probes.stacks import stacked, unstacked

CLASSES, PROBE, ERASER = "classes", "probe_", "eraser_"
"""Names of the arrays: the labels, and the prefixes of those of a probe and of an eraser."""


@dataclass(frozen=True, eq=False)
class KeptProbe:
    """The probes of one layer, one per probe seed, for vectors of width d.

    They were trained on the part train of the split: of the corpus or, if it has none, of a random one for each seed.
    """

    labels: tuple[str, ...]
    """Names of the K labels: the columns of ``probabilities``."""
    probes: tuple[Fitted, ...]
    erasers: tuple[Eraser, ...] = ()
    """What is applied to vectors before each probe; empty: nothing was erased."""

    @property
    def width(self) -> int:
        """Width d of the vectors."""
        return self.probes[0].width

    def probabilities(self, vectors: np.ndarray, seed: int | None = None) -> np.ndarray:
        """Return the probability of each label, float64 [n, K]; 0 for a label that train did not have.

        Args:
            vectors: vectors of the layer as the probe read them (first token or mean of a sentence, mean of a word's
                sub-words, both words of an arc one after the other), float [n, d].
            seed: probe seed, from 1; default: the mean over all.

        Raises:
            MeasureError: there is no such probe seed, or the vectors have another width.
        """
        if seed is not None and not 1 <= seed <= len(self.probes):
            raise MeasureError(f"There is no probe seed {seed}, only 1 to {len(self.probes)}.")
        vectors = np.asarray(vectors)
        if vectors.ndim != 2 or vectors.shape[1] != self.width:
            raise MeasureError(f"The probe reads vectors [n, {self.width}], not {list(vectors.shape)}.")
        chosen = range(len(self.probes)) if seed is None else (seed - 1,)
        found: np.ndarray = np.mean([self._softmax(vectors, i) for i in chosen], axis=0)
        return found

    def predict(self, vectors: np.ndarray, seed: int | None = None) -> list[str]:
        """Return the most probable label of each vector (see ``probabilities``).

        Raises:
            MeasureError: as ``probabilities``.
        """
        return [self.labels[i] for i in self.probabilities(vectors, seed).argmax(1).tolist()]

    def _softmax(self, vectors: np.ndarray, i: int) -> np.ndarray:
        wide = vectors.astype(np.float32, copy=False)
        read = self.erasers[i].apply(wide) if self.erasers else wide
        logits = self.probes[i].logits(read.astype(np.float64)).astype(np.float64)
        raised = np.exp(logits - logits.max(1, keepdims=True))
        shares: np.ndarray = raised / raised.sum(1, keepdims=True)
        return shares


def votes(predicted: Sequence[np.ndarray], place: np.ndarray, units: int) -> np.ndarray:
    """Return the label that most probes give each unit, int16 or int32 [units]; -1 where no probe gives one.

    Where two labels have equally many votes, the one with the smaller id is taken.

    Args:
        predicted: labels by each probe, int64 [n] each, -1 where it gives none.
        place: unit of each point, int64 [n].
        units: number of units of the annotation.
    """
    ballots = np.stack(predicted)
    labels = int(ballots.max(initial=0)) + 1
    counts = np.zeros((ballots.shape[1], labels), np.uint8)
    for ballot in ballots:
        rows = np.flatnonzero(ballot >= 0)
        counts[rows, ballot[rows]] += 1
    found = np.full(units, -1, np.result_type(np.int16, np.min_scalar_type(-labels)))
    found[place] = np.where(counts.any(1), counts.argmax(1), -1)
    return found


def arrays_of(layers: Sequence[Sequence[tuple[Fitted, Eraser | None]]]) -> dict[str, np.ndarray]:
    """Return the arrays of the probes of each layer and probe seed, each [layers, seeds, ...], and the classes [K].

    Probes of different seeds may know different labels; the arrays have all of them.
    """
    classes = np.unique(np.concatenate([probe.classes for probe, _ in layers[0]]))
    probes = [[probe.arrays(classes) for probe, _ in seeds] for seeds in layers]
    erasers = [[vars(eraser) for _, eraser in seeds if eraser is not None] for seeds in layers]
    return {CLASSES: classes, **stacked(PROBE, probes), **stacked(ERASER, erasers)}


def kept_probe(
    arrays: Mapping[str, np.ndarray], layer: int, parameters: Mapping[str, object], names: Sequence[str]
) -> KeptProbe:
    """Return the probes of one layer from what ``arrays_of`` returned.

    Args:
        parameters: parameters of the measure probe, all with their values.
        names: names of all labels of the annotation, by id.
    """
    classes, model = arrays[CLASSES], MODELS[str(parameters["model"])]
    probes = (model.restored(classes, one) for one in unstacked(PROBE, arrays, layer))
    erasers = (Eraser(**one) for one in unstacked(ERASER, arrays, layer))
    return KeptProbe(tuple(names[i] for i in classes.tolist()), tuple(probes), tuple(erasers))
