"""DirectProbe whole, on sets that the authors' code takes 27 s for, or does not finish in 15 minutes (CPU time).

The unit is what the method cannot do without: bottom-up clustering of the same points by SciPy, which looks at no
label; or, where nearly all time goes into whether two clusters overlap, SciPy's linear programme of that question.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from explorer.measures import Context, Given
from explorer.measures.registry import get
from tests.benchmarks.conftest import Report
from tests.benchmarks.timing import best_together
from tests.explorer.measures.memory import MemoryCorpus, MemoryLayer
from tests.parameters import later

pytestmark = pytest.mark.benchmark
CLUSTERING, PROGRAMME = "SciPy's clustering without labels", "SciPy's linear programme of each problem solved"
GIGABYTES = 2


class Run:
    """DirectProbe on some points: its values of the layer by statistic, and its longest silence in seconds."""

    def __init__(self, points: np.ndarray, labels: np.ndarray) -> None:
        names = tuple(f"L{i}" for i in range(labels.max() + 1))
        corpus = MemoryCorpus([1] * len(points), label_ids=labels, label_names=names)
        told = [time.monotonic()]
        context = Context(progress=lambda what, share: told.append(time.monotonic()))
        measure = get("clusters")
        given = Given.layers(corpus, MemoryLayer(points, hidden_chunk=4096), labels=corpus.labels)
        found = measure.compute(given, dict(measure.settle({"method": "directprobe"})), context)
        self.values: dict[str, Any] = {v.statistic: v for v in found if v.label_a is None}
        self.silence = float(np.diff(told).max())


def against(unit: Callable[[], object], points: np.ndarray, labels: np.ndarray) -> tuple[float, float, Run]:
    """CPU seconds of a unit and of DirectProbe, and what DirectProbe found."""
    Run(points[:100], labels[:100])  # imports
    runs: list[Run] = []
    bare = min(best_together([unit], rounds=2))
    (spent,) = best_together([lambda: runs.append(Run(points, labels))], rounds=1)
    return min(bare, *best_together([unit], rounds=1)), spent, runs[0]


def clustering(points: np.ndarray) -> Callable[[], object]:
    from scipy.cluster.hierarchy import linkage

    return lambda: linkage(points, "average")


def programme(points: np.ndarray, labels: np.ndarray) -> Callable[[], object]:
    """A plane between the points of two labels, or the proof that there is none, by SciPy's solver."""
    from scipy.optimize import linprog

    sides = [np.column_stack([points[labels == label], np.ones((labels == label).sum())]) for label in (0, 1)]
    rows = np.concatenate([-sides[0], sides[1]]).astype(float)
    return lambda: linprog(np.zeros(rows.shape[1]), rows, -np.ones(len(rows)), bounds=(None, None))


def test_separable_labels(report: Report) -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(4000) % 5
    points = (rng.standard_normal((4000, 64)) + 12 * np.eye(5, 64)[labels]).astype(np.float32)
    bare, spent, found = against(clustering(points), points, labels)
    assert found.values["clusters"].value == 5
    note = f"{spent:.2f} s CPU, authors' code 27"
    report("directprobe, separable, 4,000 x 64, 5 labels", spent / bare, CLUSTERING, 1.5, note)


@pytest.mark.parametrize(("n", "width"), [(500, 64), later(2000, 384)])
def test_labels_without_meaning(n: int, width: int, report: Report) -> None:
    rng = np.random.default_rng(0)
    labels = rng.permutation(np.arange(n) % 5)
    points = rng.standard_normal((n, width)).astype(np.float32)
    bare, spent, found = against(programme(points, labels), points, labels)
    clusters = found.values["clusters"]
    problems = clusters.details["problems_solved"]
    assert clusters.value > 5
    report(
        f"directprobe, random labels, {n:,} x {width}, 5 labels",
        spent / (problems * bare),
        PROGRAMME,
        1.0,
        f"{spent:.1f} s CPU, authors' code {'more than 900' if n > 1000 else '47'}; {clusters.value:.0f} clusters, "
        f"{problems:,} problems solved, longest silence {found.silence:.1f} s",
    )


@pytest.mark.parametrize("n", [2000, later(10_000)])
def test_words(n: int, report: Report) -> None:
    """As words of a checkpoint: 17 labels of very different sizes, most directions nearly flat."""
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(1, 18)
    labels = rng.choice(17, n, p=shares / shares.sum())
    spectrum = np.arange(1, 385) ** -0.75
    points = rng.standard_normal((n, 384)) * spectrum + 1.5 * rng.standard_normal((17, 384))[labels] * spectrum**0.5
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    bare, spent, found = against(clustering(points[:2000]), points.astype(np.float32), labels)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    report(
        f"directprobe, words, {n:,} x 384, 17 labels",
        spent / (bare * (n / 2000) ** 2),
        CLUSTERING,
        10,
        f"{spent:.1f} s CPU, peak memory {peak / 2**20:.2f} GB (before {before / 2**20:.2f}; budget {GIGABYTES}), "
        f"{found.values['clusters'].value:.0f} clusters, longest silence {found.silence:.1f} s",
    )
    assert peak < GIGABYTES * 2**20
