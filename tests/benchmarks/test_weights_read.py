"""Weight change of one pair, against a plain read of both checkpoints' files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from explorer.measures.computation import Context, Given
from explorer.measures.declaration import At
from explorer.measures.weight_change import weight_change
from store.models.weights import StoredWeights
from tests.benchmarks.conftest import Report
from tests.benchmarks.timing import best_together
from tests.synthetic import sample_corpus

pytestmark = pytest.mark.benchmark

LAYERS, WIDTH, VOCABULARY = 6, 384, 30_000


def written(folder: Path, seed: int) -> Path:
    """The weights of an encoder of MiniLM's size (about 90 MB)."""
    from safetensors.numpy import save_file

    rng = np.random.default_rng(seed)
    shapes = {"embeddings.word_embeddings.weight": (VOCABULARY, WIDTH)}
    for layer in range(LAYERS):
        start = f"encoder.layer.{layer}"
        for name in ("attention.self.query", "attention.self.key", "attention.self.value", "attention.output.dense"):
            shapes[f"{start}.{name}.weight"] = (WIDTH, WIDTH)
        shapes[f"{start}.intermediate.dense.weight"] = (4 * WIDTH, WIDTH)
        shapes[f"{start}.output.dense.weight"] = (WIDTH, 4 * WIDTH)
    path = folder / f"{seed}.safetensors"
    save_file({name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}, path)
    return path


def test_weight_change_costs_less_than_twice_a_plain_read(tmp_path: Path, report: Report) -> None:
    paths = written(tmp_path, 1), written(tmp_path, 2)
    corpus = sample_corpus()

    def plain() -> None:
        for path in paths:
            path.read_bytes()

    def ours() -> None:
        for layer in (*range(LAYERS + 1), None):
            own, reference = ({"weights": StoredWeights(path.parent, (path,), LAYERS)} for path in paths)
            weight_change(
                Given(corpus, {"checkpoint": own, "reference": reference}, at=At(layer, layer)), {}, Context()
            )

    read, taken = best_together([plain, ours])
    report("weight change of a pair", taken / read, "a plain read of both files", 2.0)
