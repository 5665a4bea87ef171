"""Compute the data map of a run: how its classifier learned the label of each example."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from explorer.measures import Given, MeasureError
from explorer.measures.data_maps import course
from store.errors import BertdynError
from store.keys import CheckpointKey, Corpus
from store.outputs import Outputs

if TYPE_CHECKING:
    from store.store import Store


COLUMNS = (
    *("corpus", "annotation", "task", "seed", "step", "example", "label", "confidence", "variability", "correct"),
    *("checkpoints", "text"),
)
"""Columns of the rows of a data map."""


@dataclass(frozen=True, eq=False)
class DataMapData:
    """Labelled sentences or words [n] of a corpus, and what the checkpoints of a run say of their labels."""

    corpus: str
    annotation: str
    level: str
    keys: tuple[CheckpointKey, ...]
    """The run's checkpoints, in the order of their steps."""
    confidence: np.ndarray
    """float64 [n]: mean probability of the label."""
    variability: np.ndarray
    """float64 [n]: standard deviation of that probability."""
    right: np.ndarray
    """int64 [n]: checkpoints that predict the label."""
    example: np.ndarray
    """int64 [n]: the example of each row."""
    labels: tuple[str, ...]
    """The label of each row."""
    texts: tuple[str, ...]
    """The sentence of each row, after the word where it is one."""
    missing: int = 0
    """Always 0: data maps are computed when they are shown."""

    def rows(self, order: Iterable[int]) -> list[tuple[object, ...]]:
        """Return one row per sentence or word in this order, with the COLUMNS."""
        key = self.keys[-1]
        place = (self.corpus, self.annotation, key.recipe, key.seed, key.step)
        return [
            (
                *(*place, int(self.example[i]), self.labels[i], float(self.confidence[i]), float(self.variability[i])),
                *(int(self.right[i]), len(self.keys), self.texts[i]),
            )
            for i in order
        ]


def fetch_data_map(
    store: Store, corpus: str, annotation: str, keys: tuple[CheckpointKey, ...], said: str
) -> DataMapData:
    """Read the logits of a run's checkpoints and return what they say of the labels.

    Args:
        said: which label is which class (``measures.output_labels.class_of``).

    Raises:
        BertdynError: fewer than two checkpoints, or one without logits; labels that do not fit the classes.
    """
    texts = store.corpus(corpus)
    labels = texts.annotations[annotation]
    path = tuple(Outputs(*store.logits(corpus, key)) for key in keys)
    try:
        found = course(Given(texts, {"path": {"logits": path}}, labels), said)
    except MeasureError as error:
        raise BertdynError(str(error)) from None
    rows = np.flatnonzero(np.asarray(labels.values) >= 0)
    return DataMapData(
        corpus,
        annotation,
        labels.level,
        keys,
        found.probability.mean(0),
        found.probability.std(0),
        found.right.sum(0),
        found.example,
        tuple(labels.names[labels.values[row]] for row in rows),
        tuple(_text(texts, labels.level, int(row), int(of)) for row, of in zip(rows, found.example, strict=True)),
    )


def _text(texts: Corpus, level: str, row: int, example: int) -> str:
    sentence = " / ".join(texts.texts[example])
    if level != "word" or texts.words is None:
        return sentence
    return f"{texts.words[example][int(texts.word_index[row])]} in: {sentence}"
