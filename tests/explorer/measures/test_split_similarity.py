"""Is the labels' layout in train compared with that in test, and with nothing else?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from explorer.measures import Context, Given, MeasureError
from explorer.measures.hulls import compare
from explorer.measures.probes.splits import random_parts
from explorer.measures.registry import get
from tests.explorer.measures.memory import MemoryCorpus, MemoryLayer

MEASURE = get("split-similarity")
LABELS, EACH, WIDTH = 5, 12, 3


@dataclass
class Parts:
    """The split of each example."""

    values: np.ndarray
    names: tuple[str, ...]
    level: str = "sentence"
    items: None = None


def clouds(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points, their labels and their parts: a third of each label in each part."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(LABELS), EACH)
    x = rng.standard_normal((LABELS, WIDTH))[y] * 15 + rng.standard_normal((LABELS * EACH, WIDTH))
    return x, y, np.tile(np.arange(3), LABELS * EACH // 3)


def measure(x, y, part, names=("train", "dev", "test"), **parameters):
    corpus = MemoryCorpus([1] * len(x), label_ids=y, label_names=tuple(f"L{i}" for i in range(LABELS)))
    read = Given.layers(corpus, MemoryLayer(np.asarray(x)), labels=corpus.labels)
    others = {} if part is None else {"split": Parts(part, names)}
    inputs = Given(read.texts, read.operands, read.annotation, others)
    values = MEASURE.compute(inputs, dict(MEASURE.settle(parameters)), Context())
    return {v.statistic: v for v in values}


def vector(x, y, distance):
    """Distances of every two labels, by definition."""
    sets = [x[y == label] for label in np.unique(y)]
    pairs = [(a, b) for i, a in enumerate(sets) for b in sets[i + 1 :]]
    return [compare(a, b).upper if distance == "hull" else np.linalg.norm(a.mean(0) - b.mean(0)) for a, b in pairs]


@pytest.mark.parametrize("distance", ["hull", "centroid"])
@pytest.mark.parametrize("method", ["pairs", "directprobe"])
def test_distances_in_train_and_in_test_correlate_as_numpy_says(distance, method):
    x, y, part = clouds(0)
    got = measure(x, y, part, distance=distance, method=method)["pearson"]
    train, test = (vector(x[part == i], y[part == i], distance) for i in (0, 2))
    assert got.value == pytest.approx(np.corrcoef(train, test)[0, 1], abs=1e-5)
    assert (got.n, got.details["train"], got.details["test"]) == (10, 20, 20)


def test_the_same_points_on_both_sides_are_laid_out_alike():
    x, y, part = clouds(1)
    x[part == 2] = x[part == 0]
    assert measure(x, y, part)["pearson"].value == 1.0


def test_points_of_dev_do_not_count_and_turning_all_points_changes_nothing():
    x, y, part = clouds(2)
    plain = measure(x, y, part)["pearson"].value
    moved = x.copy()
    moved[part == 1] += 100
    assert measure(moved, y, part)["pearson"].value == plain
    turn = np.linalg.qr(np.random.default_rng(0).standard_normal((WIDTH, WIDTH)))[0]
    assert measure(3 * x @ turn + 7, y, part)["pearson"].value == pytest.approx(plain, abs=1e-4)


def test_labels_that_test_moves_apart_lower_it():
    x, y, part = clouds(3)
    moved = x.copy()
    moved[(part == 2) & (y == 0)] += 60 * np.eye(WIDTH)[0]
    got = measure(moved, y, part)
    assert got["pearson"].value < measure(x, y, part)["pearson"].value
    assert got["mantel_p"].value > measure(x, y, part)["mantel_p"].value


def test_a_label_of_one_side_is_left_out_and_named():
    x, y, part = clouds(4)
    part[(y == 4) & (part == 2)] = 1
    got = measure(x, y, part)["pearson"]
    kept = y < 4
    train, test = (vector(x[kept & (part == i)], y[kept & (part == i)], "hull") for i in (0, 2))
    assert got.value == pytest.approx(np.corrcoef(train, test)[0, 1], abs=1e-5)
    assert (got.n, got.details["labels_on_one_side"]) == (6, ["L4"])


def test_without_a_split_a_random_one_of_whole_texts_is_drawn():
    x, y, _ = clouds(5)
    part = random_parts(np.arange(len(x)), 3)
    assert measure(x, y, None, split_seed=3)["pearson"].value == measure(x, y, part)["pearson"].value
    assert measure(x, y, None, split_seed=3)["pearson"].details["split"] == "random"


def test_a_part_without_points_has_no_value_and_an_unknown_one_is_refused():
    x, y, part = clouds(6)
    got = measure(x, y, np.zeros_like(part))
    assert {v.value for v in got.values()} == {None}
    assert "no labelled points in test" in got["pearson"].reason
    with pytest.raises(MeasureError, match="neither training"):
        measure(x, y, part, names=("train", "later", "test"))
