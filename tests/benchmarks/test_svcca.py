"""A map of the linear family, reading included, against the bare float32 product X'Y and against thin SVDs.

A slice of a map: LAYERS layers of STEPS checkpoints against one reference, each layer of 10,000 tokens x 768 in its
own chunked, checksummed float16 Zarr array; BERTDYN_LONG=1 takes a larger slice and every measure. "First" starts from
nothing: each reference layer is decomposed once and each checkpoint's layer once. "Kept" has all sides in memory,
"shelf" in files of the store (a new process).
"""

from __future__ import annotations

import os
import time

import numpy as np
import pytest

from explorer.measures import Context
from explorer.measures.registry import get
from store.layout import chunk_length
from store.shelf import Shelf
from tests.explorer.measures.memory import MemoryLayer, one_token_each
from tests.oracle import thin_svd_basis

pytestmark = pytest.mark.benchmark
WHOLE = bool(os.environ.get("BERTDYN_LONG"))
N, D = 10_000, 768
LAYERS, STEPS = (2, 6) if WHOLE else (1, 2)
FAMILY = ("svcca", "cka", "procrustes", "shape", "cca", "pwcca")


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
    from threadpoolctl import threadpool_limits

    times = [[] for _ in functions]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            for _ in range(rounds):
                for spent, function in zip(times, functions, strict=True):
                    begin = time.process_time()
                    function()
                    spent.append(time.process_time() - begin)
    finally:
        torch.set_num_threads(threads)
    return [min(t) for t in times]


@pytest.fixture(scope="module")
def layers(tmp_path_factory):
    """Pairs (checkpoint's layer, reference's layer) of the slice, and two of them in memory."""
    folder, rng = tmp_path_factory.mktemp("map"), np.random.default_rng(0)
    found, arrays = [], []
    for number in range(LAYERS):
        mix = rng.standard_normal((D, D)) * np.arange(1, D + 1) ** -0.7
        base = rng.standard_normal((N, D)) @ mix.T
        reference = DiskLayer(folder / f"{number}", base.astype(np.float16))
        for step in range(1, STEPS + 1):
            moved = (base + 0.3 * step * rng.standard_normal((N, D)) @ mix.T).astype(np.float16)
            found.append((DiskLayer(folder / f"{number}-{step}", moved), reference))
        arrays = [moved.astype(np.float32), base.astype(np.float16).astype(np.float32)]
    return found, arrays


def value(name, pair, context):
    """One measure of one pair."""
    return get(name).compute(given(*pair, corpus=one_token_each(N)), dict(get(name).settle({})), context)[0].value


def literal_svcca(pair):
    """As the papers write it: both arrays whole, a thin SVD each, the singular values of Ux' Uy."""
    x, y = (np.concatenate([layer.hidden(0, N)]) for layer in pair)
    return 1 - np.linalg.svd(thin_svd_basis(x).T @ thin_svd_basis(y), compute_uv=False).mean()


@pytest.mark.on_demand
def test_a_map_against_the_bare_product_and_thin_svds(layers, tmp_path, capsys):
    import torch

    pairs, (a, b) = layers
    a, b = (torch.from_numpy(z) for z in (a, b))
    kept, shelf = Context(), Shelf(tmp_path)
    for pair in pairs:
        assert value("svcca", pair, kept) == pytest.approx(value("svcca", pair, Context(shelf=shelf)), abs=1e-6)

    def whole_map(names, make):
        context = make()
        for pair in pairs:
            for name in names:
                value(name, pair, context)

    jobs = {
        "svcca, first": lambda: whole_map(["svcca"], Context),
        "svcca, first, sides put on the shelf": lambda: whole_map(
            ["svcca"], lambda: Context(shelf=Shelf(tmp_path / "new"))
        ),
        "svcca, sides on the shelf": lambda: whole_map(["svcca"], lambda: Context(shelf=shelf)),
        **{
            f"{name}, sides kept": lambda name=name: whole_map([name], lambda: kept)
            for name in (FAMILY if WHOLE else FAMILY[:1])
        },
        "all six, sides kept": lambda: whole_map(FAMILY, lambda: kept),
    }
    bare, single, literal, *times = best_together(
        [lambda: a.T @ b, lambda: value("svcca", pairs[0], Context()), lambda: literal_svcca(pairs[0]), *jobs.values()],
        rounds=2 if WHOLE else 1,
    )
    ratio = {name: t / len(pairs) / bare for name, t in zip(jobs, times, strict=True)}
    peer = {name: literal / (ratio[name] * bare) for name in ("svcca, first", "svcca, sides kept")}
    with capsys.disabled():
        print(
            f"\n{LAYERS} layers x {STEPS} checkpoints, {N} x {D}; X'Y in float32 {bare * 1e3:.0f} ms; per pair, of it:"
        )
        for name, times_bare in ratio.items():
            print(f"  {name:40s} {times_bare:5.2f} x")
        print(f"  {'svcca, one pair, both sides made':40s} {single / bare:5.2f} x (budget 5)")
        print("  budgets of a whole map: first 5 x, kept 2 x")
        print(
            f"  thin SVDs, straight from the papers: {literal / bare:.1f} x; slower than ours by: first "
            f"{peer['svcca, first']:.1f} (wanted 6), kept {peer['svcca, sides kept']:.1f} (wanted 15)"
        )
    assert ratio["svcca, first"] < 10
    assert ratio["svcca, sides kept"] < 4
    assert peer["svcca, sides kept"] > 5
