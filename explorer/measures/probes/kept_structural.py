"""Apply structural probes that were kept to new vectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.measures.computation import MeasureError
from explorer.measures.probes.structural import squared_depths, squared_distances


@dataclass(frozen=True, eq=False)
class KeptStructuralProbe:
    """The structural probe of one layer: a map for distances and another for depths."""

    distance: np.ndarray
    """float32 [width, rank]"""
    depth: np.ndarray
    """float32 [width, rank]"""

    def distances(self, vectors: np.ndarray) -> np.ndarray:
        """Return the predicted number of arcs between two words of a sentence, float64 [m, m].

        Args:
            vectors: vectors of the m words of one sentence, means of their sub-words, float [m, width].

        Raises:
            MeasureError: the vectors have another width.
        """
        return squared_distances(self._read(vectors), self.distance)

    def depths(self, vectors: np.ndarray) -> np.ndarray:
        """Return the predicted number of arcs from the root to each word, float64 [m] (see ``distances``).

        Raises:
            MeasureError: the vectors have another width.
        """
        return squared_depths(self._read(vectors), self.depth)

    def _read(self, vectors: np.ndarray) -> np.ndarray:
        given = np.asarray(vectors)
        if given.ndim != 2 or given.shape[1] != len(self.depth):
            raise MeasureError(f"The probe reads vectors [m, {len(self.depth)}], not {list(given.shape)}.")
        return given.astype(np.float32, copy=False)


def kept_structural_probe(
    arrays: Mapping[str, np.ndarray], layer: int, parameters: Mapping[str, object], names: Sequence[str]
) -> KeptStructuralProbe:
    """Return the probe of one layer from the stored maps of both kinds, [layers, width, rank] each."""
    return KeptStructuralProbe(arrays["distance"][layer], arrays["depth"][layer])
