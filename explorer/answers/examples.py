"""Find sentences by text or label, or by how far their attention moved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from explorer.answers.example import ExampleData, Focus, fetch_example
from explorer.answers.look import Look
from explorer.answers.readings import readings
from explorer.answers.sources import layer_at
from explorer.measures.registry import get
from explorer.selection import Question
from explorer.selection.comparisons import comparisons
from explorer.selection.stored import OPERANDS
from store.errors import BertdynError
from store.keys import ITEM_WORDS, Corpus
from store.ragged import pair_offsets
from store.rows import PAIRED_WITH_ITSELF, Is, Not, RowQuery, rows_of

if TYPE_CHECKING:
    from store.store import Store

_BLOCK = 2**19
"""Attention entries of one head worked on at once."""


class NoSuchExampleError(BertdynError):
    """No example of a corpus holds what is looked for."""


@dataclass(frozen=True)
class Found:
    """Examples to walk through, in their order, and how far each moved where that was asked."""

    examples: tuple[int, ...]
    moved: dict[int, float]


def examples(store: Store, question: Question, look: Look) -> Found:
    """The examples that hold what is looked for; in the order of how far they moved, when that is asked.

    Raises:
        BertdynError: there is none, or what is asked cannot be read.
    """
    label, text = None, look.find.strip()
    if text.startswith("label:"):
        name, _, text = text[6:].partition(" ")
        label = name or None
    found = find(store, question.corpus, text.strip(), label)
    if not found:
        raise NoSuchExampleError(f"No example of corpus '{question.corpus}' holds '{look.find}'.")
    if not look.changed:
        return Found(found, {})
    wanted = set(found)
    moved = most_changed(store, focus_of(store, question, look, found[0]), store.corpus(question.corpus).info.examples)
    return Found(tuple(i for i, _ in moved if i in wanted), {i: value for i, value in moved if i in wanted})


def attention(store: Store, question: Question, look: Look, found: Found) -> ExampleData:
    """Both maps of the example that is looked at, and what stored probes read off it.

    Raises:
        BertdynError: no attention, or it cannot be read.
    """
    example = look.example if look.example >= 0 else found.examples[0]
    focus = focus_of(store, question, look, example)
    return replace(fetch_example(store, focus), readings=readings(store, question, focus))


def focus_of(store: Store, question: Question, look: Look, example: int) -> Focus:
    """The one comparison, layer and head that are looked at; of several comparisons the last one."""
    pair = comparisons(question, [c.key for c in store.checkpoints(question.corpus)])[-1]
    if pair.reference is None:
        raise BertdynError("An example is shown in two checkpoints: choose what to compare with (--against).")
    there = store.checkpoint(question.corpus, pair.key)
    layer = layer_at(store, question, look, pair.key, 1)
    return Focus(question.corpus, pair.key, pair.reference, layer, min(look.head, there.heads), example)


def find(store: Store, corpus: str, text: str = "", label: str | None = None) -> tuple[int, ...]:
    """Return the examples (from 0) whose text holds ``text`` in any case, and that have a label, or a word with it.

    Raises:
        BertdynError: no such corpus, or it has no such label.
    """
    found = store.corpus(corpus)
    labelled = _with_label(found, label)
    wanted = text.casefold()
    return tuple(
        i
        for i, columns in enumerate(found.texts)
        if (labelled is None or labelled[i]) and any(wanted in column.casefold() for column in columns)
    )


def most_changed(store: Store, focus: Focus, count: int) -> tuple[tuple[int, float], ...]:
    """The examples whose attention moved most, and their JS divergence in bits: the mean over query tokens (for head 0
    also over heads) between the focus' two checkpoints. Its own example does not matter.

    Stored values of single examples serve where all are there; else both checkpoints' attentions are read, in blocks.

    Raises:
        BertdynError: no such corpus, checkpoint, layer or head, or no attention was extracted.
    """
    corpus = store.corpus(focus.corpus)
    lengths = np.diff(corpus.offsets)
    values = _stored(store, focus, len(lengths))
    if np.isnan(values[lengths > 0]).any():
        heads = store.checkpoint(focus.corpus, focus.key).heads
        chosen = range(1, heads + 1) if focus.head == 0 else (focus.head,)
        values = np.mean([_of_head(store, focus, head, corpus.offsets) for head in chosen], axis=0)
    values = np.where(lengths > 0, values, -1.0)
    order = np.argsort(-values, kind="stable")[: max(0, count)]
    return tuple((int(i), float(values[i])) for i in order if lengths[i])


def _with_label(corpus: Corpus, label: str | None) -> np.ndarray | None:
    """Bool [E]: the example, or a word of it, has the label."""
    if label is None:
        return None
    known = [one for one in corpus.info.annotations if one.kind in ("class", "split") and one.level not in ITEM_WORDS]
    info = next((one for one in known if label in one.labels), None)
    if info is None:
        labels = ", ".join(dict.fromkeys(name for one in known for name in one.labels)) or "none"
        raise BertdynError(f"Corpus '{corpus.info.name}' has no label '{label}'. It has {labels}.")
    has = np.asarray(corpus.annotations[info.name].values) == info.labels.index(label)
    if info.level == "sentence":
        return has
    before = np.concatenate([[0], np.cumsum(has)])
    return np.asarray(np.diff(before[corpus.word_offsets]) > 0)


def _stored(store: Store, focus: Focus, examples: int) -> np.ndarray:
    """Stored divergences of single examples, float64 [E]; NaN where there is none."""
    measure = get("js")
    values = np.full(examples, np.nan)
    operands = zip(OPERANDS, (*focus.key, *focus.reference), strict=True)
    query = RowQuery(
        (
            *rows_of("js", focus.corpus, measure.key(dict(measure.settle({}))), measure.version),
            *(Is(name, value) for name, value in operands),
            Is("layer", focus.layer),
            PAIRED_WITH_ITSELF,
            Is("head", focus.head or None),
            Is("query", None),
            *(Not(Is(name, None)) for name in ("example", "value")),
        ),
        ("example", "value"),
    )
    for example, value in store.result_columns(query):
        values[example] = value
    return values


def _of_head(store: Store, focus: Focus, head: int, offsets: np.ndarray) -> np.ndarray:
    """Mean divergence over the query tokens of each example, float64 [E]; 0 of an example without tokens."""
    lengths = np.diff(offsets)
    pairs = pair_offsets(offsets)
    values = np.zeros(len(lengths))
    for first, last in _blocks(pairs):
        p, q = (
            store.attention(focus.corpus, key, focus.layer, head, int(pairs[first]), int(pairs[last])).astype(
                np.float64
            )
            for key in (focus.key, focus.reference)
        )
        row_lengths = np.repeat(lengths[first:last], lengths[first:last])
        starts = np.cumsum(row_lengths) - row_lengths
        per_row = _packed_js(p, q, starts, row_lengths)
        of_example = np.repeat(np.arange(first, last), lengths[first:last])
        values += np.bincount(of_example, per_row, len(lengths))
    return values / np.maximum(lengths, 1)


def _packed_js(p: np.ndarray, q: np.ndarray, starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Divergence in bits of packed rows, as ``example.row_js``."""
    if not len(starts):
        return np.zeros(0)
    p, q = (x / np.repeat(np.add.reduceat(x, starts), lengths) for x in (p, q))

    def negative_entropy(x: np.ndarray) -> np.ndarray:
        return np.asarray(np.add.reduceat(x * np.log2(np.where(x > 0, x, 1.0)), starts))

    half = (negative_entropy(p) + negative_entropy(q)) / 2 - negative_entropy((p + q) / 2)
    return np.clip(half, 0.0, 1.0)


def _blocks(pairs: np.ndarray) -> Iterator[tuple[int, int]]:
    """Whole examples of together about _BLOCK entries: first, and one past the last."""
    first, total = 0, len(pairs) - 1
    while first < total:
        last = max(first + 1, int(np.searchsorted(pairs, pairs[first] + _BLOCK, side="right")) - 1)
        yield first, last
        first = last
