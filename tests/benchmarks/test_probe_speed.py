"""Probes of a checkpoint, against reading its layers and against scikit-learn.

Unit of the linear discriminant: reading each layer (10,000 points x 768, float16, chunked and checksummed in Zarr) and
the float32 product X'X. The probe reads the layers, fits the labels, a control task and ten shuffles on train, and
predicts test for all of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from explorer.measures.probes.class_sums import class_sums
from explorer.measures.probes.evaluation import evaluate
from explorer.measures.probes.lda import fit_lda
from explorer.measures.probes.linear_probe import LinearProbe
from explorer.measures.probes.logistic import fit_logistic, prepared
from explorer.measures.probes.mlp import fit_mlps
from explorer.measures.probes.online_code import online_code
from store.layout import chunk_length
from tests.benchmarks.conftest import Report
from tests.benchmarks.test_svcca import DiskLayer
from tests.benchmarks.timing import best_together
from tests.explorer.measures.probes.probe_samples import encoded

pytestmark = pytest.mark.benchmark
N, D, CLASSES = 10_000, 768, 17
TEST = 2_000


@pytest.fixture(scope="module")
def points() -> tuple[np.ndarray, np.ndarray]:
    """Points [N, D] float16 and their labels."""
    found, labels = encoded(N, D, CLASSES)
    return found.astype(np.float16), labels


def test_linear_discriminants_with_a_control_task_and_ten_shuffles(
    points: tuple[np.ndarray, np.ndarray], tmp_path: Path, report: Report
) -> None:
    states, labels = points
    layers = [DiskLayer(tmp_path / str(i), states) for i in range(2)]
    rng, step = np.random.default_rng(0), chunk_length(N, D * 2)
    sets = np.stack([labels, *(rng.permutation(labels) for _ in range(11))])

    def read(layer: DiskLayer) -> np.ndarray:
        return np.concatenate([layer.hidden(at, at + step) for at in range(0, N, step)])

    def unit() -> None:
        for layer in layers:
            x = read(layer).astype(np.float32)
            x.T @ x

    def probe() -> None:
        for layer in layers:
            x = read(layer)
            train, test = x[TEST:], x[:TEST].astype(np.float64)
            sums = class_sums([train], sets[:, TEST:])
            for fit, of, known in zip(fit_lda(sums), sets, sums.sets, strict=True):
                evaluate(fit.logits(test), fit.classes, of[:TEST], known.counts, fit.parameters)

    bare, whole = best_together([unit, probe])
    report("LDA of a layer, its control task and 10 shuffles", whole / bare, "reading the layer and X'X", 3)


@pytest.mark.parametrize("apart", [0.05, 0.15], ids=["overlapping", "separable"])
def test_logistic_regression_over_the_steps_of_a_run(apart: float, report: Report) -> None:
    """scikit-learn's default stops after 100 iterations, or early; ours goes on to the optimum."""
    from sklearn.linear_model import LogisticRegression

    points, labels = encoded(4000, 384, CLASSES, apart=apart)
    points = points.astype(np.float32)
    moved = points + 0.01 * np.random.default_rng(0).standard_normal(points.shape).astype(np.float32)
    before = fit_logistic(prepared(points), labels)
    wide = points.astype(np.float64)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs, narrow, cold, warm = best_together(
            [
                lambda: LogisticRegression().fit(wide, labels),
                lambda: LogisticRegression().fit(points, labels),
                lambda: fit_logistic(prepared(points), labels),
                lambda: fit_logistic(prepared(moved), labels, start=before),
            ],
            rounds=2,
        )
    report("logistic regression of a layer", cold / theirs, "scikit-learn's default in float64", 1)
    report("logistic regression of a layer", cold / narrow, "scikit-learn's default in float32")
    report("logistic regression of a layer, from the step before", warm / theirs, "scikit-learn's default", 1)


def test_the_online_code_of_a_layer(report: Report) -> None:
    points, labels = encoded(4000, 384, CLASSES, apart=0.05)
    points = points.astype(np.float32)

    def fit(some: np.ndarray, of: np.ndarray, before: LinearProbe | None) -> LinearProbe:
        return fit_logistic(prepared(some), of, start=before)

    probe, code = best_together(
        [
            lambda: fit_logistic(prepared(points), labels),
            lambda: online_code(points.__getitem__, labels, np.arange(len(labels)), fit, seed=0),
        ],
        rounds=3,
    )
    report("the online code of a layer", code / probe, "one logistic probe", 3)


def test_perceptrons_of_seven_layers_and_five_seeds(report: Report, say: Callable[[str], None]) -> None:
    from sklearn.neural_network import MLPClassifier

    points, labels = encoded(5000, 384, CLASSES, apart=0.12)
    layers = [np.ascontiguousarray(points.astype(np.float32)) for _ in range(7)]
    rows = np.arange(5000)
    theirs: list[float] = []
    ours: list[float] = []

    def one() -> None:
        fit = MLPClassifier((64, 64), early_stopping=True, random_state=len(theirs)).fit(points[:4000], labels[:4000])
        theirs.append(float(fit.score(points[4000:], labels[4000:])))

    def batch() -> None:
        probes = fit_mlps(layers, labels, rows[:3600], rows[3600:4000], range(5))
        ours.extend(float((p.logits(layers[0][4000:]).argmax(1) == labels[4000:]).mean()) for p in probes[0])

    single, several = (
        sum(best_together([job], rounds=1)[0] for _ in range(n)) / n for job, n in ((one, 3), (batch, 1))
    )
    say(f"accuracy: scikit-learn {np.mean(theirs):.3f} ± {np.std(theirs):.3f}, ours {np.mean(ours):.3f}")
    assert np.mean(ours) > np.mean(theirs) - 2 * np.std(theirs)
    report("perceptrons, per layer and seed", several / 35 / single, "scikit-learn's of the same sizes", 1 / 3)
