"""A map of the linear family, reading included, against the bare float32 product X'Y and against thin SVDs.

A slice of a map: LAYERS layers of STEPS checkpoints against one reference, each layer of 10,000 tokens x 768 in its
own chunked, checksummed float16 Zarr array; BERTDYN_LONG=1 takes a larger slice and every measure. "First" starts from
nothing: each reference layer is decomposed once and each checkpoint's layer once. "Kept" has all sides in memory,
"shelf" in files of the store (a new process).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

from explorer.measures import Context, Given
from explorer.measures.registry import get
from store.layout import chunk_length
from store.shelf import Shelf
from tests.benchmarks.conftest import Report
from tests.benchmarks.timing import best_together
from tests.explorer.measures.memory import MemoryLayer, one_token_each
from tests.oracle import thin_svd_basis

pytestmark = pytest.mark.benchmark
WHOLE = bool(os.environ.get("BERTDYN_LONG"))
N, D = 10_000, 768
LAYERS, STEPS = (2, 6) if WHOLE else (1, 2)
UNIT = "the bare float32 product X'Y"
FAMILY = ("svcca", "cka", "procrustes", "shape", "cca", "pwcca")


class DiskLayer(MemoryLayer):
    """Hidden states in a Zarr array, chunked and checked as the store does."""

    def __init__(self, path: Path, states: np.ndarray) -> None:
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

    def hidden(self, start: int, stop: int) -> np.ndarray:
        return self.array[start:stop]


Pair = tuple[DiskLayer, DiskLayer]


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Pair], list[np.ndarray]]:
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


def value(name: str, pair: Pair, context: Context) -> float | None:
    """One measure of one pair."""
    return get(name).compute(Given.layers(one_token_each(N), *pair), dict(get(name).settle({})), context)[0].value


def literal_svcca(pair: Pair) -> float:
    """As the papers write it: both arrays whole, a thin SVD each, the singular values of Ux' Uy."""
    x, y = (np.concatenate([layer.hidden(0, N)]) for layer in pair)
    return 1 - np.linalg.svd(thin_svd_basis(x).T @ thin_svd_basis(y), compute_uv=False).mean()


def test_a_map_against_the_bare_product_and_thin_svds(
    layers: tuple[list[Pair], list[np.ndarray]], tmp_path: Path, report: Report, say: Callable[[str], None]
) -> None:
    import torch

    pairs, (a, b) = layers
    a, b = (torch.from_numpy(z) for z in (a, b))
    kept, shelf = Context(), Shelf(tmp_path)
    for pair in pairs:
        assert value("svcca", pair, kept) == pytest.approx(value("svcca", pair, Context(shelf=shelf)), abs=1e-6)

    def whole_map(names: Sequence[str], make: Callable[[], Context]) -> None:
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
    say(f"{LAYERS} layers x {STEPS} checkpoints, {N:,} x {D}; the unit, X'Y in float32, takes {bare * 1e3:.0f} ms CPU")
    budgets = {"svcca, first": 5.0, "svcca, sides kept": 2.0}
    for name, times_bare in ratio.items():
        report(f"a map, per pair: {name}", times_bare, UNIT, budgets.get(name))
    report("svcca, one pair, both sides made", single / bare, UNIT, 5)
    for name, wanted in (("svcca, first", None), ("svcca, sides kept", 0.1)):
        report(f"a map, per pair: {name}", ratio[name] * bare / literal, "thin SVDs as the papers write it", wanted)
