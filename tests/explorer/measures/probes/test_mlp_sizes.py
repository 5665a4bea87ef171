"""Do perceptrons get the sizes that dev prefers, and the same fit as when the sizes are given?"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax

from explorer.measures.computation import Context, Given, MeasureError, Uncertainty
from explorer.measures.moments import ROWS
from explorer.measures.probes.mlp import fit_mlps
from explorer.measures.probes.mlp_sizes import GRID, choose_mlps, sizes_in
from explorer.measures.registry import get
from tests.explorer.measures.memory import MemoryCorpus, MemoryLabels, MemoryLayer
from tests.explorer.measures.probes.probe_samples import encoded
from tests.parameters import later

TRAIN, DEV = np.arange(300), np.arange(300, 400)
MEASURE = get("probe")


def test_the_grid_is_the_papers() -> None:
    assert len(GRID) == len(set(GRID)) == 16
    assert {units for pair in GRID for units in pair} == {32, 64, 128, 256}


@pytest.mark.parametrize("at_once", [30, later(ROWS)])
def test_each_layer_and_seed_gets_the_sizes_with_the_least_loss_on_dev(
    at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("explorer.measures.probes.mlp.ROWS", at_once)
    points, labels = encoded(400, 12, 4, apart=0.5)
    layers, grid, seeds = [points, points[::-1].copy()], [(2, 2), (8, 4), (32, 16)], [3, 4]
    found = choose_mlps(layers, labels, TRAIN, DEV, seeds, grid)
    alone = {sizes: fit_mlps(layers, labels, TRAIN, DEV, seeds, sizes) for sizes in grid}
    for i, layer in enumerate(layers):
        for j in range(len(seeds)):
            losses = {}
            for sizes, fits in alone.items():
                logits = fits[i][j].logits(layer[DEV]).astype(np.float64)
                losses[sizes] = -log_softmax(logits, axis=1)[np.arange(len(DEV)), labels[DEV]].mean()
                assert fits[i][j].loss == pytest.approx(losses[sizes], rel=1e-4)
            best = min(losses, key=losses.__getitem__)
            assert found[i][j].sizes == best
            np.testing.assert_array_equal(found[i][j].logits(layer), alone[best][i][j].logits(layer))


@pytest.mark.parametrize("text", ["64", "64,", "0,64", "64,32,16", "a,b", "64,9999", "-1,4", ""])
def test_what_is_no_pair_of_sizes_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(MeasureError, match="such as 64,32"):
        MEASURE.settle({"hidden": text})


def test_the_same_sizes_have_one_spelling() -> None:
    assert dict(MEASURE.settle({"hidden": " 064, 32"}))["hidden"] == "64,32"
    assert dict(MEASURE.settle({"hidden": "grid "}))["hidden"] == "grid"
    assert sizes_in("64,32") == ((64, 32),)
    assert dict(MEASURE.settle({}))["hidden"] == "64,64"


def test_sizes_are_chosen_without_test_and_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """The labels of test do not change the choice; the control task is probed with the sizes of the labels."""
    monkeypatch.setattr("explorer.measures.probes.mlp_sizes.GRID", ((4, 2), (16, 8)))
    points, labels = encoded(400, 8, 3, apart=0.5)
    part = np.repeat([0, 1, 2], (60, 20, 20))
    split = MemoryLabels("sentence", ("train", "dev", "test"), part)
    corpus = MemoryCorpus([4] * 100, [(n, 1) for n in range(400)], types=np.arange(400) % 50)
    layers = (MemoryLayer(points.astype(np.float32)), MemoryLayer(points[:, ::-1].astype(np.float32)))

    def computed(of: np.ndarray) -> list:
        given = Given(
            corpus,
            {"checkpoint": {"hidden": layers}},
            MemoryLabels("word", ("a", "b", "c"), of),
            others={"split": split},  # type: ignore[arg-type, dict-item]
        )
        settled = dict(MEASURE.settle({"model": "mlp", "hidden": "grid", "probe_seeds": 1}))
        return MEASURE.compute(given, settled, Context(trust=Uncertainty(null=1)))

    other = labels.copy()
    other[part.repeat(4) == 2] = np.random.default_rng(0).permutation(labels[part.repeat(4) == 2])
    here, there = ([v.details for v in computed(of) if v.statistic == "accuracy"] for of in (labels, other))
    assert [one["hidden"] for one in here] == [one["hidden"] for one in there]
    for one in here:
        assert len(one["hidden"]) == 1
        sizes = [sizes_in(text)[0] for text in one["hidden"]]
        assert set(sizes) <= {(4, 2), (16, 8)}
        assert one["parameters"] == max(8 * a + a + a * b + b + b * 3 + 3 for a, b in sizes)
