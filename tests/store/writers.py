"""What the processes of ``test_processes.py`` do. Apart from the tests, since other processes import it."""

from __future__ import annotations

import json
import time
from pathlib import Path

import numpy as np

from store.keys import CheckpointKey
from store.store import Store
from tests.store.results import result
from tests.synthetic import sample_corpus

CORPUS = sample_corpus("dev", examples=12)
KEYS = [CheckpointKey.plain("sst2", seed, step) for step in range(0, 200, 20) for seed in ("1", "2")]
LAYERS, HEADS, WIDTH = 2, 2, 8


def arrays(key: CheckpointKey) -> tuple[np.ndarray, np.ndarray]:
    """What every process stores for a checkpoint: hidden states and attentions that no other checkpoint has."""
    rng = np.random.default_rng(key.step * 10 + int(key.seed))
    hidden = rng.standard_normal((LAYERS + 1, CORPUS.info.tokens, WIDTH)).astype(np.float16)
    return hidden, rng.random((LAYERS, HEADS, CORPUS.info.pairs)).astype(np.float16)


def extract(path: str, out: str = "", pause: float = 0.0, replace: bool = False) -> None:
    """Store what is missing, example by example, as an extraction does; ``out`` gets the keys that were ours."""
    store = Store.open(path)
    there = set() if replace else {c.key for c in store.checkpoints()}
    ours = []
    pairs = np.concatenate([[0], np.cumsum(np.diff(CORPUS.offsets) ** 2)])
    for key in KEYS:
        if key in there:
            continue
        hidden, attention = arrays(key)
        with store.writer(
            "dev", key, layers=LAYERS, heads=HEADS, width=WIDTH, dtype="float16", attentions=True, attributes={},
            replace=replace,
        ) as writer:  # fmt: skip
            writer.append(hidden[:, : CORPUS.offsets[4]], attention[:, :, : pairs[4]])
            time.sleep(pause)
            writer.append(hidden[:, CORPUS.offsets[4] :], attention[:, :, pairs[4] :])
            if writer.commit():
                ours.append(str(key))
    if out:
        Path(out).write_text(json.dumps(ours))


def compute(path: str, number: int, count: int) -> None:
    """Keep ``count`` values, one fragment each."""
    store = Store.open(path)
    of = store.checkpoints()[0]
    for layer in range(count):
        store.add_results([result(of, layer=layer, head=number)])
