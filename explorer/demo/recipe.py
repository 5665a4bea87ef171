"""What the demo trains and measures: tasks, seeds, steps, sizes. Pure data, chosen so that all takes about a minute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from explorer.demo import texts


@dataclass(frozen=True)
class Task:
    """A task to fine-tune on, and the sentences that its checkpoints are evaluated on and that all are measured on."""

    name: str
    kind: Literal["sentence", "word"]
    labels: tuple[str, ...]
    make: Callable[..., list[texts.Sentence]]
    examples: int
    """Sentences of the probe set: enough for several times more tokens than the model is wide."""

    @property
    def probe_file(self) -> str:
        """Name of the probe set's file."""
        return self.name + (".tsv" if self.kind == "sentence" else ".conllu")

    def held_out(self) -> list[texts.Sentence]:
        """The probe set: the same for every run, and none of it is trained on."""
        return self.make(HELD_OUT_SEED, self.examples)

    def training(self, n: int) -> list[texts.Sentence]:
        """n sentences to train on; the runs of a task differ by their seeds, not by their text."""
        return self.make(TRAINING_SEED, n, avoid=self.held_out())


@dataclass(frozen=True)
class Recipe:
    """How a run is trained. The checkpoints lie denser at the beginning, where most of the change is."""

    steps: tuple[int, ...] = (0, 10, 25, 50, 100, 150)
    batch: int = 32
    rate: float = 5e-4
    warm_up: int = 10
    sentences: int = 3200


HELD_OUT_SEED, TRAINING_SEED = 1, 2
TASKS = (
    Task("sentiment", "sentence", texts.LABELS, texts.sentiment, 300),
    Task("tags", "word", texts.TAGS, texts.tagged, 200),
)
SEEDS = (1, 2)


def task_named(name: str) -> Task:
    """The task of that name (KeyError when there is none)."""
    return {task.name: task for task in TASKS}[name]
