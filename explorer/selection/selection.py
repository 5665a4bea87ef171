"""What a person typed: pure, frozen, and not yet checked. ``question.ask`` settles it."""

from __future__ import annotations

from dataclasses import dataclass

from explorer.selection.against import Against
from explorer.selection.ranges import Ranges
from store.keys import NO_CORPUS


@dataclass(frozen=True)
class Selection:
    """One choice of values: a measure and its parameters on checkpoints of a corpus. Empty means the default."""

    measure: str
    corpus: str = NO_CORPUS
    tasks: tuple[str, ...] = ()
    """Each ``TASK`` or ``TASK+VARIANT``; empty: all."""
    seeds: tuple[str, ...] = ()
    steps: Ranges | None = None
    layers: Ranges | None = None
    against: Against | None = None
    """What checkpoints are compared with; None: the measure's default."""
    parameters: tuple[tuple[str, object], ...] = ()
    """Those that are not the measure's defaults."""
    ref_layers: Ranges | None = None
    """Layers of the reference that every chosen layer is compared with; None: each layer with itself."""
    detail: str = ""
    """The finest rows that are wanted (one of the measure's ``details``); empty: the coarsest."""
    annotation: str = ""
    """The labels that are read; empty: the only ones that fit."""
