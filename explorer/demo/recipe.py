"""The demo's tasks, seeds, steps and sizes. Pure data, chosen so that the demo takes a few minutes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from explorer.demo import texts


@dataclass(frozen=True)
class DemoTask:
    """A task to fine-tune on, and its corpus, on which its checkpoints are evaluated and all are measured."""

    name: str
    kind: Literal["sentence", "word"]
    labels: tuple[str, ...]
    make: Callable[..., list[texts.Sentence]]
    rate: float
    """Peak learning rate; it is higher for sentences, which are learned later than words."""
    examples: int
    """Number of sentences of the corpus, enough for several times more tokens than the model's width."""

    @property
    def corpus_file(self) -> str:
        """Name of the corpus's file."""
        return self.name + (".tsv" if self.kind == "sentence" else ".conllu")

    def held_out(self) -> list[texts.Sentence]:
        """Return the sentences of the corpus: the same for every run, and not used for training."""
        return self.make(HELD_OUT_SEED, self.examples)

    def training(self, n: int) -> list[texts.Sentence]:
        """Return n sentences for training; the runs of a task differ by their seeds, not by their text."""
        return self.make(TRAINING_SEED, n, avoid=self.held_out())


@dataclass(frozen=True)
class Recipe:
    """Settings of a training run. Checkpoints are denser at the beginning, where most changes happen."""

    steps: tuple[int, ...] = (0, 10, 25, 50, 100, 200)
    batch: int = 32
    warm_up: int = 10
    sentences: int = 3200


HELD_OUT_SEED, TRAINING_SEED = 1, 2
TASKS = (
    DemoTask("topic", "sentence", texts.TOPICS, texts.topic, 1e-3, 300),
    DemoTask("tags", "word", texts.TAGS, texts.tagged, 3e-4, 120),
)
SEEDS = (1, 2)
