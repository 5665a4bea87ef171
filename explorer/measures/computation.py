"""What a measure receives and returns: the inputs of one cell, the context of a computation, and values.

A measure that cannot be computed on its inputs raises ``MeasureError``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from explorer.measures.declaration import CHECKPOINT, REFERENCE, At, Coordinate, Known
from explorer.measures.protocols import Corpus, Labels, Layer, NoShelf, Shelf

if TYPE_CHECKING:
    import numpy as np


class MeasureError(ValueError):
    """The measure cannot be computed on this input (such as no labels); the message is one sentence for the user."""


@dataclass(frozen=True)
class Uncertainty:
    """Extras requested with each value: null draws, confidence interval, fitted models. Not part of its identity."""

    null: int = 0
    """Number of null draws (``Measure.null`` tells what is permuted); 0: no null."""
    interval: str = ""
    """Kind of interval over whole examples, one of INTERVALS; empty: no interval."""
    level: float = 0.95
    """Confidence level of the interval."""
    resamples: int = 200
    """Number of bootstrap resamples."""
    seed: int = 0
    """Random seed of null and bootstrap: the same seed gives the same permutations and resamples."""
    keep: bool = False
    """Whether to store fitted objects, such as probes (``Measure.keeps``)."""


INTERVALS = ("jackknife", "bootstrap")


def silent(what: str, share: float) -> None:
    """Ignore a progress report."""


@dataclass
class Context:
    """The device, the caches and the requested extras of a computation."""

    device: str = "cpu"
    kept: MutableMapping[tuple[object, ...], object] = field(default_factory=dict)
    """Cache in memory of intermediate results of one side, by (measure family, Layer.identity, parameters). The caller
    limits its size."""
    shelf: Shelf = field(default_factory=NoShelf)
    """Cache on disk of intermediate results that are costly to compute."""
    trust: Uncertainty = Uncertainty()
    detail: str = ""
    """Granularity of the rows: one of the measure's ``details``; empty: the coarsest."""
    progress: Callable[[str, float], None] = silent
    """Called from time to time during long work, with a description of the work and its finished share (0 to 1)."""


@dataclass(frozen=True)
class Value:
    """One number, or the reason why there is none."""

    value: float | None
    n: int
    statistic: str = ""
    unit: str | None = None
    """Unit of the value; None: the measure's unit."""
    head: int | None = None
    label_a: str | None = None
    label_b: str | None = None
    example: int | None = None
    """Example, from 0, as in the corpus's offsets."""
    query: int | None = None
    """Query token, from 0 within its example."""
    interval: tuple[float, float] | None = None
    """Interval of the level in Context.trust; None if none was requested or none is possible (see ``details``)."""
    null: float | None = None
    """Mean of the null draws; their standard deviation is ``null_sd`` in the details."""
    details: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""
    layer: int | None = None
    """Layer, for measures whose cells have values of many layers; otherwise it is in the cell."""
    axes: tuple[tuple[str, Coordinate], ...] = ()
    """Coordinates on the measure's own axes inside a cell, by name."""
    artefact: Mapping[str, np.ndarray] | None = field(default=None, compare=False)
    """Arrays to store with the row, such as probe weights, assignments or directions. Values that have the same object
    share what is stored."""


NOWHERE = At()


def no_artefact(name: str) -> Mapping[str, np.ndarray]:
    """Return no arrays."""
    return {}


@dataclass(frozen=True, eq=False)
class Given:
    """The inputs of one cell."""

    texts: Corpus | None
    """Corpus; None if the measure does not depend on texts."""
    operands: Mapping[str, Mapping[str, object]]
    """Inputs of each operand, by role and kind of input."""
    annotation: Labels | None = None
    """Labels; None if the measure reads none."""
    others: Mapping[str, Labels] = field(default_factory=dict)
    """Further labels of the corpus: those that a parameter names, by that parameter, and the ``split``, if any."""
    at: At = NOWHERE
    known: Mapping[At, tuple[Known, ...]] = field(default_factory=dict)
    """Finished cells of the same operands, for summaries; empty if the measure has no rounds."""
    artefact: Callable[[str], Mapping[str, np.ndarray]] = no_artefact
    """Returns the arrays of a finished cell, by the name in ``Known``."""
    steps: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Steps of the checkpoints of each operand, by role: several for a path."""

    @property
    def layer(self) -> Layer:
        """Layer of the measured checkpoint."""
        return _layer(self.operands[CHECKPOINT.role])

    @property
    def reference(self) -> Layer | None:
        """Layer of the reference; None for a measure of one checkpoint."""
        found = self.operands.get(REFERENCE.role)
        return None if found is None else _layer(found)

    @property
    def corpus(self) -> Corpus:
        """Corpus of the inputs.

        Raises:
            MeasureError: there is none.
        """
        if self.texts is None:
            raise MeasureError("The measure reads checkpoints on texts, and no corpus was given.")
        return self.texts

    @property
    def labels(self) -> Labels:
        """Labels of sentences or words.

        Raises:
            MeasureError: there are none.
        """
        if self.annotation is None:
            raise MeasureError("The measure needs a label for each sentence or word, and the corpus has none.")
        return self.annotation

    @property
    def compared(self) -> tuple[Layer, Layer]:
        """Layers of the checkpoint and of the reference.

        Raises:
            MeasureError: there is no reference.
        """
        reference = self.reference
        if reference is None:
            raise MeasureError("The measure compares a checkpoint with a reference, and none was given.")
        return self.layer, reference

    @classmethod
    def layers(
        cls, corpus: Corpus, layer: Layer, reference: Layer | None = None, labels: Labels | None = None
    ) -> Given:
        """Return the inputs of a measure that reads one layer, and perhaps one of a reference."""
        read: dict[str, Mapping[str, object]] = {CHECKPOINT.role: {"layer": layer}}
        if reference is not None:
            read[REFERENCE.role] = {"layer": reference}
        return cls(corpus, read, labels)


def _layer(read: Mapping[str, object]) -> Layer:
    found: Any = next(iter(read.values()))
    layer: Layer = found
    return layer
