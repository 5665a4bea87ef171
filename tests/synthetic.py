"""Small stores written through the real Store: random arrays that drift with the step, more in higher layers."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from store.corpora.annotations import make_annotation
from store.keys import PRETRAINED_KEY, Annotation, CheckpointKey, Corpus, CorpusInfo, Level
from store.outputs import Classes, Classifier
from store.store import Store

LAYERS, WIDTH, HEADS = 3, 16, 2
Copied = Callable[[Callable[[Path], Store], Path], Store]
"""Type of the fixture ``copied``."""


def sample_corpus(
    name: str = "dev",
    *,
    kind: Literal["sentence", "word"] = "sentence",
    labels: Sequence[str] = ("negative", "positive"),
    examples: int = 40,
    seed: int = 0,
) -> Corpus:
    """Examples of 3 to 9 tokens, first and last of each special; every other word has two sub-words where it can."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, 10, examples)
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    special = np.zeros(offsets[-1], bool)
    special[offsets[:-1]] = special[offsets[1:] - 1] = True
    first, length, per_example = [], [], []
    for start, stop in zip(offsets[:-1] + 1, offsets[1:] - 1, strict=True):
        words = 0
        while start < stop:
            size = min(1 + words % 2, stop - start)
            first.append(start)
            length.append(size)
            start += size
            words += 1
        per_example.append(words)
    word_offsets = np.concatenate([[0], np.cumsum(per_example)]).astype(np.int64)
    token_ids = rng.integers(10, 60, offsets[-1]).astype(np.int32)
    annotations = sample_labels(kind, labels, examples if kind == "sentence" else len(first))
    words = None
    if kind == "word":
        words = tuple((f"sentence {i}", *(f"word{k}" for k in range(1, n)))[:n] for i, n in enumerate(per_example))
    info = CorpusInfo(
        name=name,
        kind=kind,
        examples=examples,
        tokens=int(offsets[-1]),
        pairs=int((lengths**2).sum()),
        words=len(first),
        annotations=tuple(annotation.info for annotation in annotations.values()),
        tokenizer="synthetic",
        fingerprint=f"{zlib.crc32(token_ids.tobytes()):08x}",
        truncated=0,
        source=f"{name}.tsv",
    )
    return Corpus(
        info=info,
        token_ids=token_ids,
        token_types=np.zeros(info.tokens, np.int8),
        offsets=offsets,
        special=special,
        word_first=np.array(first, np.int64),
        word_length=np.array(length, np.int32),
        word_offsets=word_offsets,
        word_index=np.concatenate([np.arange(n) for n in per_example]).astype(np.int32),
        texts=tuple((" ".join(w),) for w in words) if words else tuple((f"sentence {i}",) for i in range(examples)),
        words=words,
        pieces={int(i): f"piece{i}" for i in np.unique(token_ids)},
        annotations=annotations,
    )


def make_store(
    path: Path,
    *,
    tasks: Sequence[str] = ("pos", "sst2"),
    seeds: Sequence[str] = ("1", "2"),
    steps: Sequence[int] = (0, 20, 40),
    pretrained: bool = True,
    attentions: bool = True,
    corpora: Sequence[Corpus] | None = None,
    layers: int = LAYERS,
    width: int = WIDTH,
    heads: int = HEADS,
    classes: Sequence[str] = (),
) -> Store:
    """A store with one checkpoint a task, seed and step, and the pre-trained model, on every corpus.

    Step 0 is the pre-trained model itself. Labels, where there are any, pull the hidden states of their examples (or
    words) apart with the step. Fine-tuned checkpoints classify examples where classes are named.
    """
    store = Store.create(path)
    keys = [CheckpointKey.of(task, seed, step) for task in tasks for seed in seeds for step in steps]
    for corpus in [sample_corpus()] if corpora is None else corpora:
        store.add_corpus(corpus)
        for key in [PRETRAINED_KEY, *keys] if pretrained else keys:
            write_checkpoint(
                store, corpus, key, attentions=attentions, layers=layers, width=width, heads=heads,
                classes=() if key == PRETRAINED_KEY else classes,
            )  # fmt: skip
    return store


def sample_labels(level: Level, labels: Sequence[str], items: int, name: str = "label") -> dict[str, Annotation]:
    """Labels one after the other, again and again; none where there are no names."""
    if not labels:
        return {}
    ids = np.arange(items) % len(labels)
    return {name: make_annotation(name, level, "class", tuple(labels), ids)}


def write_checkpoint(
    store: Store,
    corpus: Corpus,
    key: CheckpointKey,
    *,
    attentions: bool = True,
    replace: bool = False,
    shift: float = 0.0,
    layers: int = LAYERS,
    width: int = WIDTH,
    heads: int = HEADS,
    classes: Sequence[str] = (),
) -> None:
    """One checkpoint. ``shift`` moves it, for a second version under the same name (``replace``); with
    ``classes`` it classifies the examples."""
    attributes = {
        "corpus": corpus.info.name,
        "task": key.task,
        "variant": key.variant,
        "seed": key.seed,
        "step": key.step,
        "layers": layers,
        "heads": heads,
        "width": width,
        "dtype": "float16",
        "corpus_fingerprint": corpus.info.fingerprint,
        "model_class": "SyntheticModel",
        "source": f"runs/{key}",
        "weights_sha256": f"{zlib.crc32(str(key).encode()):08x}" * 8,
        "weights_size": 1,
        "weights_mtime_ns": 1,
        "epoch": key.step / 40,
        "loss": 1 / (1 + key.step),
        "metrics": {"eval_accuracy": 0.5 + key.step / 100},
        "training_log": [{"step": key.step, "epoch": key.step / 40, "name": "loss", "value": 1 / (1 + key.step)}],
        "versions": {},
    }
    with store.writer(
        corpus.info.name,
        key,
        layers=layers,
        heads=heads,
        width=width,
        dtype="float16",
        attentions=attentions,
        attributes=attributes,
        classifier=Classifier(Classes("sequence", tuple(classes), "single_label_classification"), {})
        if classes
        else None,
        replace=replace,
    ) as writer:
        attention = attention_of(corpus, key, layers, heads) if attentions else None
        logits = logits_of(corpus, key, len(classes)) if classes else None
        writer.append((hidden_of(corpus, key, layers, width) + shift).astype(np.float16), attention, logits)
        writer.commit()


def hidden_of(corpus: Corpus, key: CheckpointKey, layers: int = LAYERS, width: int = WIDTH) -> np.ndarray:
    """Hidden states [layers + 1, tokens, width] in float64, before they are rounded for the store."""
    shape = (layers + 1, corpus.info.tokens, width)
    base = np.random.default_rng(1).standard_normal(shape) * np.linspace(2, 0.3, width)
    drift = _rng(key).standard_normal(shape)
    labels = next(iter(corpus.annotations.values()), None)
    if labels is not None:
        towards = _rng(key).standard_normal((len(labels.names), width))
        if labels.level == "sentence":
            drift += 3 * towards[np.repeat(labels.values, np.diff(corpus.offsets))]
        else:
            for first, length, label in zip(corpus.word_first, corpus.word_length, labels.values, strict=True):
                drift[:, first : first + length] += 3 * towards[label]
    depth = np.arange(layers + 1)[:, None, None] / layers
    return base + drift * depth * key.step / 80


def attention_of(corpus: Corpus, key: CheckpointKey, layers: int = LAYERS, heads: int = HEADS) -> np.ndarray:
    """Packed attentions [layers, heads, pairs] in float16; rows sum to one as well as float16 allows."""
    base, drift = np.random.default_rng(2), _rng(key)
    maps = []
    for length in np.diff(corpus.offsets):
        shape = (layers, heads, length, length)
        depth = (np.arange(layers) + 1)[:, None, None, None] / layers
        logits = base.standard_normal(shape) + drift.standard_normal(shape) * depth * key.step / 80
        weights = np.exp(logits)
        maps.append((weights / weights.sum(-1, keepdims=True)).reshape(layers, heads, -1))
    return np.concatenate(maps, axis=2).astype(np.float16)


def logits_of(corpus: Corpus, key: CheckpointKey, classes: int) -> np.ndarray:
    """Logits [examples, classes] in float32, noisier the earlier the step."""
    rng = np.random.default_rng(zlib.crc32(str(key).encode()))
    right = np.eye(classes)[np.arange(corpus.info.examples) % classes]
    return (key.step / 20 * right + rng.standard_normal(right.shape)).astype(np.float32)


def _rng(key: CheckpointKey) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(f"{key.recipe}/{key.seed}".encode()))
