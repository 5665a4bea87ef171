"""Stores of one small fine-tuned model with its reference, and what the model says by a slow way of its own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from store.extract.plan import ExtractOptions
from store.extract.run import extract
from store.keys import PRETRAINED_KEY, CheckpointKey, Corpus
from store.store import Store
from tests.store.extract import models

KEY = CheckpointKey.plain("t", "1", 10)
LAYERS = 3
TAGS = ("A", "B", "C")
CLASSES = ("C", "A", "B")
"""Classes of token classifiers: in another order than the labels of the corpus."""


@dataclass(frozen=True)
class World:
    """One extracted checkpoint, its folder and that of its reference."""

    store: Store
    task: str
    folder: Path
    base: Path

    @functools.cached_property
    def corpus(self) -> Corpus:
        """The corpus, read once."""
        return self.store.corpus("dev")

    @property
    def annotation(self) -> str:
        """The labels that the classifier was made for."""
        return self.corpus.info.annotations[0].name

    def model(self, state: Mapping[str, Any] | None = None) -> Any:
        """The checkpoint as transformers load it, perhaps with other weights by their names there; until the next."""
        model, own = _loaded(self.folder, f"AutoModelFor{self.task}")
        model.load_state_dict({**own, **(state or {})})
        return model.eval()

    def reference(self, prefix: str, chosen: Callable[[str], bool]) -> dict[str, Any]:
        """Weights of the reference by their names in the model with a classifier."""
        _, state = _loaded(self.base, "AutoModel")
        return {f"{prefix}.{name}": value for name, value in state.items() if chosen(name)}

    def logits(self, model: Any) -> np.ndarray:
        """Logits of each sentence alone, without padding."""
        found = []
        for start, stop in zip(self.corpus.offsets, self.corpus.offsets[1:], strict=False):
            with torch.no_grad():
                output = model(torch.tensor(self.corpus.token_ids[start:stop].astype(np.int64))[None])
            found.append(output.logits[0].reshape(-1, output.logits.shape[-1]).numpy())
        return np.concatenate(found)

    def rows(self, logits: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Loss, predicted class and class of the label of each row, written out."""
        labels = self.corpus.annotations[self.annotation]
        read = logits if self.task == "SequenceClassification" else logits[self.corpus.word_first]
        names = CLASSES if self.task == "TokenClassification" else ("0", "1")
        true = np.array([names.index(labels.names[i]) for i in labels.values])
        wide = np.exp(read.astype(np.float64))
        loss = -np.log(wide[np.arange(len(true)), true] / wide.sum(1))
        return loss, read.argmax(1), true


@functools.cache
def _loaded(folder: Path, kind: str) -> tuple[Any, dict[str, Any]]:
    """A model, and a copy of its weights."""
    model = getattr(transformers, kind).from_pretrained(folder, attn_implementation="eager")
    return model, {name: value.clone() for name, value in model.state_dict().items()}


def make_world(root: Path, family: str, task: str) -> World:
    """Extract one checkpoint and its reference on seven sentences."""
    folder = root / "runs" / "t" / "seed-1" / "checkpoint-10"
    token = task == "TokenClassification"
    models.save(folder, family, seed=10, task=task, num_labels=3 if token else 2)
    models.trained(folder, 10)
    base = models.save(root / "base", family, seed=99, head=False)
    if token:
        models.configure(folder, id2label=dict(enumerate(CLASSES)), label2id={c: i for i, c in enumerate(CLASSES)})
        text, number = root / "dev.conllu", 0
        lines = []
        for sentence in models.SENTENCES:
            for place, word in enumerate(sentence.split(), 1):
                lines.append(f"{place}\t{word}\t_\t{TAGS[number % 3]}\t_\t_\t_\t_\t_\t_\n")
                number += 1
            lines.append("\n")
        text.write_text("".join(lines))
    else:
        text = models.corpus_file(root)
    report = extract(
        root / "s.bertdyn", [root / "runs"], {"dev": text}, ExtractOptions(reference=str(base), attentions=False)
    )
    assert report.exit_code == 0, report
    store = Store.open(root / "s.bertdyn")
    assert {c.key for c in store.checkpoints("dev")} == {KEY, PRETRAINED_KEY}
    return World(store, task, folder, base)
