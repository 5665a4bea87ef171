"""The user's choice of values, not checked yet. ``question.ask`` checks and completes it."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.selection.against import Against
from explorer.selection.ranges import Ranges
from store.keys import NO_CORPUS


@dataclass(frozen=True)
class Selection:
    """A choice of values: a measure and its parameters, on checkpoints of a corpus. Empty fields mean the default."""

    measure: str
    corpus: str = NO_CORPUS
    tasks: tuple[str, ...] = ()
    """Tasks, each ``TASK`` or ``TASK+VARIANT``; empty: all."""
    seeds: tuple[str, ...] = ()
    steps: Ranges | None = None
    layers: Ranges | None = None
    against: Against | None = None
    """Reference that checkpoints are compared with; None: the measure's default."""
    parameters: tuple[tuple[str, object], ...] = ()
    """Parameters that differ from the measure's defaults."""
    ref_layers: Ranges | None = None
    """Layers of the reference that every chosen layer is compared with; None: each layer with itself."""
    detail: str = ""
    """Granularity of the finest rows (one of the measure's ``details``); empty: the coarsest."""
    annotation: str = ""
    """Name of the labels to read; empty: the only ones that fit."""
    axes: tuple[tuple[str, str], ...] = ()
    """Choices along the measure's own axes, by name: ``("k", "0-6")``."""
    beside: tuple[str, ...] = ()
    """Further corpora whose values are shown beside those of ``corpus``."""
