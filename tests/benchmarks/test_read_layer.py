"""Reading one layer of one checkpoint against a plain read of the same bytes (budget: at most 3 times as long)."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pytest

from store import layout
from store.keys import CheckpointKey
from store.store import Store
from tests.benchmarks.conftest import Report
from tests.synthetic import sample_corpus

KEY = CheckpointKey.plain("sst2", "1", 100)
WIDTH, HEADS, EXAMPLES = 384, 2, 12_000


@pytest.mark.benchmark
def test_reading_a_layer_takes_at_most_three_plain_reads(tmp_path: Path, report: Report) -> None:
    corpus = sample_corpus(examples=EXAMPLES)
    store = Store.create(tmp_path / "s.bertdyn")
    store.add_corpus(corpus)
    rng = np.random.default_rng(0)
    with store.writer(
        "dev", KEY, layers=1, heads=HEADS, width=WIDTH, dtype="float16", attentions=False, attributes={}
    ) as writer:
        for start in range(0, corpus.info.tokens, 4096):
            count = min(4096, corpus.info.tokens - start)
            writer.append(rng.standard_normal((2, count, WIDTH), dtype=np.float32).astype(np.float16), None)
        writer.commit()
    chunks = sorted((layout.checkpoint_path(store.path, "dev", KEY) / "hidden" / "c" / "1").glob("*/0"))
    same = tmp_path / "same.bin"
    store.hidden("dev", KEY, 1).tofile(same)
    megabytes = same.stat().st_size / 1e6

    def plain() -> None:
        np.fromfile(same, np.float16)

    def stored() -> None:
        store.hidden("dev", KEY, 1)

    plain(), stored()
    pairs = [(_seconds(plain), _seconds(stored)) for _ in range(15)]
    ratio = median(b / a for a, b in pairs)
    speed = megabytes / median(b for _, b in pairs)
    report(
        f"reading one layer ({megabytes:.0f} MB, {len(chunks)} chunks)", ratio, "a plain read", 3, f"{speed:.0f} MB/s"
    )


def _seconds(work: Callable[[], None]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
