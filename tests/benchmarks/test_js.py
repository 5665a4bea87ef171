"""Attention divergence of one layer against reading both sides and one log pass over them in torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from explorer.measures import Context, Given
from explorer.measures.registry import get
from store.layout import chunk_length
from tests.benchmarks.conftest import Report
from tests.benchmarks.timing import best_together
from tests.explorer.measures.memory import MemoryCorpus, MemoryLayer

pytestmark = pytest.mark.benchmark
HEADS = 12


class DiskMaps(MemoryLayer):
    """Attention maps in a Zarr array, chunked and checked as the store does."""

    def __init__(self, path: Path, maps: np.ndarray) -> None:
        import zarr

        self.attention_chunk = chunk_length(maps.shape[1], 2)
        self.array = zarr.create_array(
            str(path),
            shape=maps.shape,
            dtype="float16",
            chunks=(1, self.attention_chunk),
            compressors=[zarr.codecs.Crc32cCodec()],
        )
        self.array[:] = maps
        self.identity, self.width, self.heads, self.hidden_chunk = str(path), 0, len(maps), 1

    def attention(self, head: int, start: int, stop: int) -> np.ndarray:
        return self.array[head - 1, start:stop]


def test_js_against_reading_and_logs(tmp_path: Path, report: Report) -> None:
    import torch

    rng = np.random.default_rng(0)
    lengths = rng.integers(6, 60, 870)
    row_lengths = np.repeat(lengths, lengths)
    starts = np.cumsum(row_lengths) - row_lengths

    def maps() -> np.ndarray:
        x = np.exp(rng.standard_normal((HEADS, row_lengths.sum()), dtype=np.float32) * 2)
        return (x / np.repeat(np.add.reduceat(x, starts, axis=1), row_lengths, axis=1)).astype(np.float16)

    sides = DiskMaps(tmp_path / "a", maps()), DiskMaps(tmp_path / "b", maps())
    measure, corpus = get("js"), MemoryCorpus(list(lengths))
    entries = int(row_lengths.sum())

    def bare() -> None:
        for head in range(1, HEADS + 1):
            for side in sides:
                for start in range(0, entries, side.attention_chunk):
                    read = side.attention(head, start, min(start + side.attention_chunk, entries))
                    torch.from_numpy(read).float().log_().sum()

    plain, ours = best_together(
        [bare, lambda: measure.compute(Given.layers(corpus, *sides), dict(measure.settle({})), Context())], rounds=3
    )
    unit = "reading both sides and one log pass"
    report(f"js, {HEADS} heads x {entries:,} entries", ours / plain, unit, 2, f"unit {plain * 1e3:.0f} ms CPU")
