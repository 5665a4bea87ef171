"""Read training loss and evaluation metric along the steps of a task's checkpoints. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from store.keys import Checkpoint

METRICS = ("eval_accuracy", "eval_f1", "eval_matthews_correlation", "eval_pearson", "eval_loss")
"""Metrics in the order of preference; without any of them, the first by name is shown."""


@dataclass(frozen=True, eq=False)
class Track:
    """One quantity along the steps: the mean over seeds, NaN where it was not logged."""

    name: str
    values: np.ndarray

    @property
    def letter(self) -> str:
        """A word of at most four letters for a narrow margin."""
        return "loss" if self.name.endswith("loss") else self.short[:3]

    @property
    def short(self) -> str:
        """'accuracy', 'loss'."""
        return self.name.removeprefix("eval_").replace("_", " ")


@dataclass(frozen=True, eq=False)
class Training:
    """The training log of a task's chosen seeds at the steps of their checkpoints."""

    steps: tuple[int, ...]
    tracks: tuple[Track, ...]
    seeds: int = 1
    """Number of seeds that the tracks are means over."""

    def at(self, step: int) -> Iterator[tuple[str, float]]:
        """Yield name and value of each quantity that was logged at a step."""
        if step in self.steps:
            place = self.steps.index(step)
            yield from ((t.short, float(v)) for t in self.tracks if np.isfinite(v := t.values[place]))


NONE = Training((), ())


def training(checkpoints: Sequence[Checkpoint], task: str, seeds: Sequence[str]) -> Training:
    """Return the training log from the checkpoints of a task and some of its seeds (pure)."""
    chosen = [c for c in checkpoints if c.key.recipe == task and c.key.seed in seeds]
    steps = tuple(sorted({c.key.step for c in chosen}))
    names = sorted({name for c in chosen for name in c.metrics})
    metric = next((name for name in METRICS if name in names), names[0] if names else "")

    def mean(of: dict[int, list[float]]) -> np.ndarray:
        return np.array([np.mean(of[step]) if of.get(step) else np.nan for step in steps])

    scores: dict[int, list[float]] = {}
    losses: dict[int, list[float]] = {}
    for c in chosen:
        if metric in c.metrics:
            scores.setdefault(c.key.step, []).append(c.metrics[metric])
        if c.loss is not None:
            losses.setdefault(c.key.step, []).append(c.loss)
    tracks = (Track(metric, mean(scores)), Track("training loss", mean(losses)))
    averaged = len({c.key.seed for c in chosen})
    return Training(steps, tuple(t for t in tracks if np.isfinite(t.values).sum() > 1), averaged)
