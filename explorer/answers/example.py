"""Read one sentence's attention in two checkpoints, and how far each query token's row moved."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from explorer.answers.readings import Reading
from store.errors import BertdynError
from store.keys import NO_LABEL, Annotation, CheckpointKey, Corpus, Level
from store.ragged import pair_offsets

if TYPE_CHECKING:
    from store.store import Store


COLUMNS = (
    *("corpus", "example", "task", "seed", "step", "reference", "layer", "head", "query", "query_token", "key"),
    *("key_token", "attention", "reference_attention", "difference", "query_js"),
)
"""Columns of the rows of an example."""


@dataclass(frozen=True)
class Focus:
    """One map: an example's attention in a layer and head of a checkpoint, and what it is compared with."""

    corpus: str
    key: CheckpointKey
    reference: CheckpointKey
    layer: int
    """Counted from 1."""
    head: int
    """Counted from 1; 0: the mean over heads."""
    example: int
    """Counted from 0, as in the tables."""


@dataclass(frozen=True, eq=False)
class ExampleData:
    """Everything that is shown of one example of l tokens; queries are rows of the maps, keys (attended) columns."""

    focus: Focus
    heads: int
    layers: int
    examples: int
    """Number of the example in the corpus."""
    tokens: tuple[str, ...]
    special: np.ndarray
    """Bool [l]: [CLS], [SEP] and their kin."""
    labels: tuple[str, ...]
    """Of each token: that of the word which begins there; empty where there is none."""
    label: str
    """Of the sentence; empty where sentences have none."""
    text: str
    checkpoint: np.ndarray
    """Attention float64 [l, l], rows sum to 1; the mean over heads for head 0."""
    reference: np.ndarray
    js: np.ndarray
    """Jensen-Shannon divergence of each query token's two rows in bits, [l]; for head 0 the mean over heads."""
    readings: tuple[Reading, ...] = ()
    """What stored probes of the layer read off it, those of words first."""
    missing: int = 0
    """Nothing here is computed beforehand, so nothing can be missing."""

    @cached_property
    def difference(self) -> np.ndarray:
        """The checkpoint's attention less the reference's, [l, l]."""
        return self.checkpoint - self.reference

    def rows(self) -> list[tuple[object, ...]]:
        """Return one row per query token and attended token, in the order of COLUMNS."""
        f = self.focus
        place = (f.corpus, f.example, f.key.recipe, f.key.seed, f.key.step, str(f.reference), f.layer, f.head or None)
        return [
            (
                *(*place, i, query, j, key, float(self.checkpoint[i, j]), float(self.reference[i, j])),
                *(float(self.difference[i, j]), float(self.js[i])),
            )
            for i, query in enumerate(self.tokens)
            for j, key in enumerate(self.tokens)
        ]


def row_js(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Jensen-Shannon divergence in bits of rows [..., l] that sum to 1: H((P + Q) / 2) - (H(P) + H(Q)) / 2, float64."""

    def entropy(rows: np.ndarray) -> np.ndarray:
        return -(rows * np.log2(np.where(rows > 0, rows, 1.0))).sum(-1)

    return np.asarray(np.clip(entropy((p + q) / 2) - (entropy(p) + entropy(q)) / 2, 0.0, 1.0))


def largest_changes(data: ExampleData, most: int, least: float = 0.0) -> tuple[int, ...]:
    """Return the query tokens whose rows moved most, at most so many, the largest divergence first.

    Args:
        least: bits that a row's divergence must exceed.
    """
    order = np.argsort(-data.js, kind="stable")[:most]
    return tuple(int(i) for i in order if data.js[i] > least)


def largest_shifts(data: ExampleData, query: int, most: int) -> tuple[int, ...]:
    """Return the attended tokens whose weights in a query token's row changed most, the largest change first.

    Changes that are zero in two places are left out.
    """
    change = data.difference[query]
    order = np.argsort(-np.abs(change), kind="stable")[:most]
    return tuple(int(j) for j in order if round(float(change[j]), 2))


def fetch_example(store: Store, focus: Focus) -> ExampleData:
    """Read one example's attention in both checkpoints.

    Raises:
        BertdynError: no such corpus, checkpoint, layer, head or example, or no attention was extracted.
    """
    corpus = store.corpus(focus.corpus)
    if not 0 <= focus.example < corpus.info.examples:
        raise BertdynError(
            f"Corpus '{focus.corpus}' has no example {focus.example}: they count from 0 to {corpus.info.examples - 1}."
        )
    sides = [store.checkpoint(focus.corpus, key) for key in (focus.key, focus.reference)]
    heads = {side.heads for side in sides}
    if len(heads) > 1:
        raise BertdynError(
            f"{focus.key} has {sides[0].heads} attention heads and {focus.reference} {sides[1].heads}: "
            "there is no head to compare with."
        )
    start, stop = corpus.offsets[focus.example : focus.example + 2].tolist()
    length = stop - start
    chosen = range(1, sides[0].heads + 1) if focus.head == 0 else (focus.head,)
    begin = int(pair_offsets(corpus.offsets[: focus.example + 1])[-1])
    maps = np.empty((2, len(chosen), length, length))
    for i, key in enumerate((focus.key, focus.reference)):
        for j, head in enumerate(chosen):
            packed = store.attention(focus.corpus, key, focus.layer, head, begin, begin + length**2)
            maps[i, j] = packed.astype(np.float64).reshape(length, length)
    sums = maps.sum(-1, keepdims=True)
    if not (sums > 0).all():
        raise BertdynError(
            f"Attention of {focus.key} or {focus.reference} in example {focus.example} has rows without any weight: "
            "extract the checkpoint again."
        )
    maps /= sums
    words, label = _labels(corpus, focus.example)
    return ExampleData(
        focus=focus,
        heads=sides[0].heads,
        layers=sides[0].layers,
        examples=corpus.info.examples,
        tokens=tuple(corpus.pieces[i] for i in corpus.token_ids[start:stop].tolist()),
        special=corpus.special[start:stop],
        labels=words,
        label=label,
        text=" / ".join(corpus.texts[focus.example]),
        checkpoint=maps[0].mean(0),
        reference=maps[1].mean(0),
        js=row_js(maps[0], maps[1]).mean(0),
    )


def _labels(corpus: Corpus, example: int) -> tuple[tuple[str, ...], str]:
    """Label of each token of an example (on the first sub-word of its word), and that of the sentence."""
    start, stop = corpus.offsets[example : example + 2].tolist()
    words = [""] * (stop - start)
    sentence, of_words = (_first_classes(corpus, level) for level in ("sentence", "word"))
    label = int(sentence.values[example]) if sentence is not None else NO_LABEL
    said = sentence.names[label] if sentence is not None and label != NO_LABEL else ""
    if of_words is None:
        return tuple(words), said
    for word in range(*corpus.word_offsets[example : example + 2].tolist()):
        label = int(of_words.values[word])
        if label != NO_LABEL:
            words[int(corpus.word_first[word]) - start] = of_words.names[label]
    return tuple(words), said


def _first_classes(corpus: Corpus, level: Level) -> Annotation | None:
    """The first annotation with classes of sentences or words."""
    known = (one.name for one in corpus.info.annotations if (one.level, one.kind) == (level, "class"))
    name = next(known, None)
    return None if name is None else corpus.annotations[name]
