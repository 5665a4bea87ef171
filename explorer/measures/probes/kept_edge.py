"""Keep trained edge probes as arrays, and apply them to new vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.measures.computation import MeasureError
from explorer.measures.probes.edge import EdgeProbes
from explorer.measures.probes.stacks import stacked, unstacked

INPUTS, PROBE, MIX = "inputs", "probe_", "mix"
"""Names of the arrays: the layers that each probe reads, the prefix of a probe's weights, and those that mix layers."""


@dataclass(frozen=True, eq=False)
class KeptEdgeProbe:
    """The edge probes of one layer or mix of layers, one per probe seed.

    They were trained on the part train of the split: of the corpus or, if it has none, of a random one for each seed.
    """

    labels: tuple[str, ...]
    """Names of the K labels: the columns of ``probabilities``."""
    layers: tuple[int, ...]
    """Layers whose hidden states are read, ascending."""
    probes: tuple[EdgeProbes, ...]
    """One probe for each seed."""

    @property
    def width(self) -> int:
        """Width of the hidden states."""
        return int(self.probes[0].weights["map0"].shape[1])

    @property
    def spans(self) -> int:
        """Number of spans of a target: 1 or 2."""
        return sum(name.startswith("score") for name in self.probes[0].weights)

    def probabilities(self, states: np.ndarray, spans: np.ndarray, seed: int | None = None) -> np.ndarray:
        """Return the probability of each label, float64 [n, K]. A target may have several labels, or none.

        Args:
            states: hidden states of tokens, [tokens, width] for a probe of one layer, or of all its ``layers`` in
                order, [layers, tokens, width].
            spans: first and last token of the spans of each target, inclusive, rows of ``states``, int [n, 2] for
                targets of one span, or [n, 1 or 2, 2].
            seed: probe seed, from 1; default: the mean over all.

        Raises:
            MeasureError: there is no such probe seed, the states have another shape, or a span is outside of them.
        """
        if seed is not None and not 1 <= seed <= len(self.probes):
            raise MeasureError(f"There is no probe seed {seed}, only 1 to {len(self.probes)}.")
        vectors, places = self._states(states), self._spans(spans, np.shape(states)[-2])
        if not len(places):
            return np.zeros((0, len(self.labels)))
        chosen = self.probes if seed is None else self.probes[seed - 1 : seed]
        logits = [probe.logits(vectors, places)[0].astype(np.float64) for probe in chosen]
        found: np.ndarray = np.mean([0.5 * (1 + np.tanh(each / 2)) for each in logits], axis=0)
        return found

    def predict(self, states: np.ndarray, spans: np.ndarray, seed: int | None = None) -> list[tuple[str, ...]]:
        """Return the labels of each target: those with a probability of at least 1/2 (see ``probabilities``).

        Raises:
            MeasureError: as ``probabilities``.
        """
        said = self.probabilities(states, spans, seed) >= 0.5
        return [tuple(self.labels[i] for i in np.flatnonzero(row).tolist()) for row in said]

    def _states(self, states: np.ndarray) -> np.ndarray:
        given = np.asarray(states)
        layered = given[None] if given.ndim == 2 else given
        if layered.ndim != 3 or layered.shape[::2] != (len(self.layers), self.width):
            shape = (
                f"[tokens, {self.width}]" if len(self.layers) == 1 else f"[{len(self.layers)}, tokens, {self.width}]"
            )
            raise MeasureError(f"The probe reads hidden states {shape}, not {list(given.shape)}.")
        return layered

    def _spans(self, spans: np.ndarray, tokens: int) -> np.ndarray:
        given = np.asarray(spans, np.int64)
        places = given[:, None] if given.ndim == 2 else given
        if places.ndim != 3 or places.shape[1:] != (self.spans, 2):
            raise MeasureError(f"The probe reads targets [n, {self.spans}, 2], not {list(given.shape)}.")
        if (places[..., 0] < 0).any() or (places[..., 1] < places[..., 0]).any() or (places[..., 1] >= tokens).any():
            raise MeasureError(f"A span ends before it begins, or is outside of the {tokens:,} tokens.")
        return places


def arrays_of(inputs: np.ndarray, probes: Sequence[Sequence[Mapping[str, np.ndarray]]]) -> dict[str, np.ndarray]:
    """Return what is stored of the probes of each layer or mix and of each probe seed.

    Args:
        inputs: layers that each probe reads, bool [B, layers].
        probes: weights of each probe by seed, as ``EdgeProbes.weights_of`` returns them.
    """
    return {INPUTS: inputs, **stacked(PROBE, probes)}


def kept_edge_probe(
    arrays: Mapping[str, np.ndarray], layer: int, parameters: Mapping[str, object], names: Sequence[str]
) -> KeptEdgeProbe:
    """Return the probes of one layer, or of the mix that ends with it, from what ``arrays_of`` returned.

    Args:
        names: names of all labels of the annotation, by id.
    """
    inputs = arrays[INPUTS]
    last = inputs.shape[1] - 1 - inputs[:, ::-1].argmax(1)
    (which,) = np.flatnonzero(last == layer).tolist()
    layers = np.flatnonzero(inputs[which])
    own = np.ones((1, len(layers)), bool)
    probes = [
        EdgeProbes(own, {**{k: v[None] for k, v in one.items()}, MIX: one[MIX][None, : len(layers)]}, (0,), (True,))
        for one in unstacked(PROBE, arrays, which)
    ]
    return KeptEdgeProbe(tuple(names), tuple(layers.tolist()), tuple(probes))
