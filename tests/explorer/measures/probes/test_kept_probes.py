"""Probes that are kept: their predictions of points that they were not trained on, and what they say of new vectors."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from explorer.measures.base import PREDICTIONS
from explorer.measures.computation import Context, Given, MeasureError, Uncertainty
from explorer.measures.probes.kept import KeptProbe, arrays_of, kept_probe, votes
from explorer.measures.probes.models import MODELS
from explorer.measures.registry import get
from tests.explorer.measures.memory import MemoryCorpus, MemoryLabels, MemoryLayer

MEASURE = get("probe")
N, WIDTH = 400, 6
RNG = np.random.default_rng(1)
LABELS = np.where(np.arange(N) % 7 == 6, -1, RNG.integers(0, 3, N))
POINTS = np.eye(WIDTH, dtype=np.float32)[LABELS] * 4 + RNG.standard_normal((N, WIDTH)).astype(np.float32)
NAMES = ("a", "b", "c")
TRAIN = np.repeat(np.arange(N // 4) % 4 != 3, 4)
SPLIT = MemoryLabels("sentence", ("train", "test"), (np.arange(N // 4) % 4 == 3).astype(np.int64))
OTHER = MemoryLabels("word", ("x", "y"), RNG.integers(0, 2, N))


def arrays(keep: bool, split: bool = True, **parameters: object) -> Mapping[str, np.ndarray]:
    """What is stored with the accuracies of two layers of words, four in an example; a seventh of them has no label."""
    corpus = MemoryCorpus([4] * (N // 4), [(n, 1) for n in range(N)])
    others = {"split": SPLIT} if split else {}
    others |= {"erase": OTHER} if parameters.get("erase") else {}
    read = {"checkpoint": {"hidden": (MemoryLayer(POINTS), MemoryLayer(POINTS[:, ::-1].copy()))}}
    given = Given(corpus, read, MemoryLabels("word", NAMES, LABELS), others=others)  # type: ignore[arg-type]
    values = MEASURE.compute(given, dict(MEASURE.settle(parameters)), Context(trust=Uncertainty(keep=keep)))
    found = {id(one.artefact): one.artefact for one in values if one.statistic == MEASURE.main}
    assert len(found) == 1  # all layers share it
    (artefact,) = found.values()
    assert artefact is not None
    return artefact


def restored(found: Mapping[str, np.ndarray], layer: int, model: str) -> KeptProbe:
    return kept_probe(found, layer, {"model": model}, NAMES)


def test_predictions_are_those_of_the_points_that_a_probe_was_not_trained_on() -> None:
    found = arrays(keep=False)
    assert list(found) == [PREDICTIONS]
    held = ~TRAIN & (LABELS >= 0)
    points = POINTS.astype(np.float64)
    model = LinearDiscriminantAnalysis(solver="lsqr").fit(points[TRAIN & (LABELS >= 0)], LABELS[TRAIN & (LABELS >= 0)])
    assert found[PREDICTIONS].shape == (2, N)
    assert (found[PREDICTIONS][0][held] == model.predict(points[held])).all()
    assert (found[PREDICTIONS][:, ~held] == -1).all()


def test_without_a_split_the_probes_that_did_not_train_on_a_point_vote() -> None:
    found = arrays(keep=False, split=False, probe_seeds=8)[PREDICTIONS][0]
    there = found >= 0
    assert not there[LABELS < 0].any()
    assert 0.85 < there[LABELS >= 0].mean() <= 1  # 1 - 0.6 ** 8 of the texts are in train of all eight
    assert (found[there] == LABELS[there]).mean() > 0.9


def test_a_vote_counts_only_probes_that_were_not_trained_on_the_point() -> None:
    ballots = [np.array([2, -1, 1, -1]), np.array([2, 0, 0, -1]), np.array([0, -1, 0, -1])]
    found = votes(ballots, np.array([0, 1, 3, 4]), 6)
    assert found.tolist() == [2, 0, -1, 0, -1, -1]
    assert votes([np.array([1, 0])], np.array([0, 1]), 2).tolist() == [1, 0]
    assert votes([np.array([40_000])], np.array([0]), 1).tolist() == [40_000]


@pytest.mark.parametrize(
    "chosen", [{"model": "lda"}, {"model": "logistic"}, {"model": "mlp"}, {"model": "mlp", "hidden": "grid"}]
)
def test_kept_probes_give_the_predictions_that_were_stored_with_them(chosen: dict[str, str]) -> None:
    found = arrays(keep=True, **chosen, probe_seeds=1, erase="other")
    held = found[PREDICTIONS][1] >= 0
    probe = restored(found, 1, chosen["model"])
    said = probe.predict(POINTS[:, ::-1][held])
    assert said == [NAMES[i] for i in found[PREDICTIONS][1][held].tolist()]
    assert probe.labels == NAMES
    assert probe.probabilities(POINTS).sum(1) == pytest.approx(np.ones(N))


def test_labels_are_erased_from_new_vectors_too() -> None:
    probe = restored(arrays(keep=True, erase="other"), 0, "lda")
    (eraser,) = probe.erasers
    erased = eraser.apply(POINTS)
    assert not np.allclose(erased, POINTS, atol=1e-3)
    assert probe.probabilities(erased) == pytest.approx(probe.probabilities(POINTS), abs=1e-5)


def test_a_probe_of_each_seed_is_kept() -> None:
    probe = restored(arrays(keep=True, split=False, probe_seeds=3), 0, "lda")
    each = [probe.probabilities(POINTS, seed) for seed in (1, 2, 3)]
    assert not np.allclose(each[0], each[1])
    assert probe.probabilities(POINTS) == pytest.approx(np.mean(each, axis=0))
    with pytest.raises(MeasureError, match="There is no probe seed 4, only 1 to 3"):
        probe.probabilities(POINTS, 4)
    with pytest.raises(MeasureError, match=r"The probe reads vectors \[n, 6\], not \[400, 5\]"):
        probe.predict(POINTS[:, :5])


def test_a_label_that_one_seed_did_not_see_has_no_probability_there() -> None:
    flat = {"weights": np.eye(2), "intercepts": np.zeros(2)}
    fits = [MODELS["lda"].restored(np.array(ids), flat) for ids in ([0, 1], [0, 2])]
    probe = restored(arrays_of([[(fit, None) for fit in fits]]), 0, "lda")
    assert probe.probabilities(np.zeros((1, 2)), 1).tolist() == [[0.5, 0.5, 0.0]]
    assert probe.probabilities(np.zeros((1, 2)), 2).tolist() == [[0.5, 0.0, 0.5]]
