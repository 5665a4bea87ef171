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
    rate: float
    """Peak learning rate: whole sentences are learned later than words."""
    examples: int
    """Sentences of the corpus: enough for several times more tokens than the model is wide."""

    @property
    def corpus_file(self) -> str:
        """Name of the corpus's file."""
        return self.name + (".tsv" if self.kind == "sentence" else ".conllu")

    def held_out(self) -> list[texts.Sentence]:
        """The corpus: the same for every run, and none of it is trained on."""
        return self.make(HELD_OUT_SEED, self.examples)

    def training(self, n: int) -> list[texts.Sentence]:
        """n sentences to train on; the runs of a task differ by their seeds, not by their text."""
        return self.make(TRAINING_SEED, n, avoid=self.held_out())


@dataclass(frozen=True)
class Recipe:
    """How a run is trained. The checkpoints lie denser at the beginning, where most of the change is."""

    steps: tuple[int, ...] = (0, 10, 25, 50, 100, 200)
    batch: int = 32
    warm_up: int = 10
    sentences: int = 3200


HELD_OUT_SEED, TRAINING_SEED = 1, 2
TASKS = (
    Task("topic", "sentence", texts.TOPICS, texts.topic, 1e-3, 300),
    Task("tags", "word", texts.TAGS, texts.tagged, 3e-4, 120),
)
SEEDS = (1, 2)
