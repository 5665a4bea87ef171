"""What the explorer knows of a store: its checkpoints and the measures that exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.selection import Listing, seed_order
from explorer.selection.against import NEXT_SEED, SEEDS
from store.keys import PLAIN, PRETRAINED

if TYPE_CHECKING:
    from explorer.measures.base import Measure


@dataclass(frozen=True)
class Catalogue(Listing):
    """Content of a store and the measures that exist, as last listed by the data thread."""

    layers: int
    """Largest number of transformer layers of a checkpoint."""
    measures: tuple[Measure, ...]
    heads: int = 0
    """Largest number of attention heads of a checkpoint."""

    def tasks(self, corpus: str) -> tuple[str, ...]:
        """Return the fine-tuning tasks of a corpus; the pre-trained model is a reference, not a task."""
        return tuple(sorted({run.recipe for run in self.runs(corpus)} - {PRETRAINED}))

    def seeds(self, corpus: str, tasks: Sequence[str] = ()) -> tuple[str, ...]:
        """Return the seeds of the tasks (of all tasks if none is named), in numerical order."""
        named = ((run.recipe, run.seed) for run in self.runs(corpus))
        found = {seed for recipe, seed in named if recipe != PRETRAINED and (not tasks or recipe in tasks)}
        return tuple(sorted(found, key=seed_order))

    def measure(self, name: str) -> Measure | None:
        """Return the measure with that name; None if there is none."""
        return next((m for m in self.measures if m.name == name), None)

    def references(self, corpus: str) -> tuple[str, ...]:
        """Return the references for checkpoints of a corpus, as ``--against`` writes them."""
        runs, seeds = self.runs(corpus), self.seeds(corpus)
        pretrained = (PRETRAINED,) if any(run.task == PRETRAINED for run in runs) else ()
        plain = (PLAIN,) if any(run.variant for run in runs) else ()
        others = (SEEDS, NEXT_SEED, *(f"seed:{seed}" for seed in seeds)) if len(seeds) > 1 else ()
        return (*pretrained, "first", "previous", "final", *plain, *others)
