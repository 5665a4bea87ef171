"""SVCCA of one layer of one pair, reading included, against the bare float32 product X'Y on the same arrays."""

from __future__ import annotations

import time

import numpy as np
import pytest

from explorer.measures import Context, get
from store.layout import chunk_length
from tests.explorer.measures.memory import MemoryLayer, one_token_each

pytestmark = pytest.mark.benchmark
N, D = 10_000, 768


class DiskLayer(MemoryLayer):
    """Hidden states in a Zarr array, chunked and checked as the store does."""

    def __init__(self, path, states):
        import zarr

        self.hidden_chunk = chunk_length(len(states), states.shape[1] * 2)
        self.array = zarr.create_array(
            str(path),
            shape=states.shape,
            dtype="float16",
            chunks=(self.hidden_chunk, states.shape[1]),
            compressors=[zarr.codecs.Crc32cCodec()],
        )
        self.array[:] = states
        self.identity, self.width, self.heads, self.attention_chunk = str(path), states.shape[1], 0, 1

    def hidden(self, start, stop):
        return self.array[start:stop]


def best_together(functions, rounds=5):
    """Shortest CPU time of each on one thread, measured in turns: what else the machine does hardly enters."""
    import torch

    times = [[] for _ in functions]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for _ in range(rounds):
            for spent, function in zip(times, functions, strict=True):
                begin = time.process_time()
                function()
                spent.append(time.process_time() - begin)
    finally:
        torch.set_num_threads(threads)
    return [min(t) for t in times]


def test_svcca_against_the_bare_product(tmp_path, capsys):
    import torch

    rng = np.random.default_rng(0)
    mix = rng.standard_normal((D, D)) * np.arange(1, D + 1) ** -0.7
    x = (rng.standard_normal((N, D)) @ mix.T).astype(np.float16)
    y = (x + 0.5 * rng.standard_normal((N, D)) @ mix.T).astype(np.float16)
    sides = DiskLayer(tmp_path / "x", x), DiskLayer(tmp_path / "y", y)
    measure, stimuli = get("svcca"), one_token_each(N)
    parameters = dict(measure.settle({}))
    kept = Context()
    measure.compute(*sides, stimuli, parameters, kept)
    a, b = (torch.from_numpy(z.astype(np.float32)) for z in (x, y))
    bare, known, new = best_together(
        [
            lambda: a.T @ b,
            lambda: measure.compute(*sides, stimuli, parameters, kept),
            lambda: measure.compute(*sides, stimuli, parameters, Context()),
        ]
    )
    with capsys.disabled():
        print(
            f"\nsvcca {N} x {D}: bare X'Y {bare * 1e3:.0f} ms; both sides kept {known / bare:.2f} x (budget 2);"
            f" both made {new / bare:.2f} x (budget 5)"
        )
    assert known / bare < 4
    assert new / bare < 10
