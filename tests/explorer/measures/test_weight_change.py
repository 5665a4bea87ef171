"""Is weight change what its formula says, on weights that are known, and refused where it would mean nothing?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given as sampled
from hypothesis import strategies as st

from explorer.compute.run import compute
from explorer.measures.computation import Context, Given, Value
from explorer.measures.declaration import At
from explorer.measures.registry import get
from explorer.measures.weight_change import weight_change
from explorer.selection import Selection, ask_store
from explorer.selection.stored import further_axes
from store.keys import CheckpointKey
from store.results import Result
from store.rows import Is, RowQuery
from store.store import Store
from tests.pools import here
from tests.store.extract import models
from tests.store.extract.test_run import go
from tests.synthetic import sample_corpus

KEY = CheckpointKey.plain("sst", "1", 10)


@dataclass
class Made:
    """Weights that a test makes: of one layer, each with its module."""

    weights: Mapping[str, tuple[str, np.ndarray]]

    def modules(self, layer: int | None) -> dict[str, str]:
        return {name: module for name, (module, _) in self.weights.items()}

    def tensor(self, name: str) -> np.ndarray:
        return np.asarray(self.weights[name][1], np.float32)


def changed(own: Made, reference: Made) -> dict[tuple[str, str], Value]:
    operands = {"checkpoint": {"weights": own}, "reference": {"weights": reference}}
    values = weight_change(Given(sample_corpus(), operands, at=At(1, 1)), {}, Context())
    return {(str(dict(v.axes).get("module", "")), v.statistic): v for v in values}


def layer(scale: float = 1.0, seed: int = 0) -> Made:
    rng = np.random.default_rng(seed)
    shapes = {"q.weight": ("query", (70, 1000)), "q.bias": ("query", (70,)), "k.weight": ("key", (3, 5))}
    return Made({n: (m, scale * rng.normal(size=s).astype(np.float32)) for n, (m, s) in shapes.items()})


def test_longer_weights_in_the_same_direction() -> None:
    found = changed(layer(1.5), layer())
    for module in ("", "query", "key"):
        assert found[module, "relative"].value == pytest.approx(0.5, rel=1e-6)
        assert found[module, "cosine"].value == pytest.approx(1.0, abs=1e-7)
    assert [found[m, "relative"].n for m in ("", "query", "key")] == [70_085, 70_070, 15]


def test_the_same_weights_have_not_changed() -> None:
    found = changed(layer(), layer())
    assert {v.value for (_, statistic), v in found.items() if statistic == "relative"} == {0.0}


@sampled(seed=st.integers(0, 99), small=st.sampled_from([1.0, 1e-3, 1e-6]))
def test_it_is_the_formula_in_float64(seed: int, small: float) -> None:
    before, step = layer(seed=seed), layer(small, seed=seed + 1)
    after = Made({n: (m, w.astype(np.float32) + step.tensor(n)) for n, (m, w) in before.weights.items()})
    w, w0 = (
        np.concatenate([one.tensor(n).astype(np.float64).ravel() for n in sorted(one.weights)])
        for one in (after, before)
    )
    found = changed(after, before)
    relative = np.linalg.norm(w - w0) / np.linalg.norm(w0)
    assert found["", "relative"].value == pytest.approx(relative, rel=1e-9)
    assert found["", "cosine"].value == pytest.approx(w @ w0 / np.linalg.norm(w) / np.linalg.norm(w0), abs=1e-12)


def test_what_one_side_lacks_or_has_in_another_shape_is_refused_by_name() -> None:
    whole, part = layer(), Made({n: w for n, w in layer().weights.items() if n != "q.bias"})
    found = changed(part, whole)
    assert found["query", "relative"].value is None
    assert "q.bias is only in the reference" in found["query", "relative"].reason
    assert found["", "relative"].value is None
    assert found["key", "relative"].value == 0.0
    other = Made({**whole.weights, "k.weight": ("key", np.ones((4, 5)))})
    assert "k.weight has shapes 4 x 5 and 3 x 5" in changed(other, whole)["key", "relative"].reason


def test_weights_that_are_all_zero_have_no_relative_change() -> None:
    zero = Made({"k.weight": ("key", np.zeros((2, 2)))})
    one = Made({"k.weight": ("key", np.ones((2, 2)))})
    assert changed(one, zero)["key", "relative"].reason == "the reference's weights are all zero"
    found = changed(zero, one)
    assert (found["key", "relative"].value, found["key", "cosine"].value) == (1.0, None)


@pytest.mark.parametrize("broken", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("side", [0, 1])
def test_weights_that_are_no_finite_numbers_have_no_value(broken: float, side: int) -> None:
    sides = [layer(), Made({**layer().weights, "k.weight": ("key", np.full((3, 5), broken))})]
    found = changed(sides[side], sides[1 - side])
    for statistic in ("relative", "cosine"):
        for module in ("", "key"):
            assert found[module, statistic].value is None
            assert found[module, statistic].reason == "some weights are not finite numbers"
    assert found["query", "relative"].value == 0.0


@pytest.fixture(scope="module")
def extracted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Store, Path]:
    place = tmp_path_factory.mktemp("weights")
    models.runs(place / "runs")
    models.save(place / "base", head=False, seed=99)
    models.corpus_file(place)
    go(place)
    return Store.open(place / "x.bertdyn"), place


def computed(store: Store, step: int) -> tuple[list[Result], tuple[str, ...]]:
    question = ask_store(store, Selection("weight-change", tasks=("sst",), steps=None))
    outcome = compute(store, [question], workers=1, device="cpu", executor=here)
    query = RowQuery((Is("measure", "weight-change"), Is("step", step)), axes=further_axes(get("weight-change")))
    rows = store.results(query)
    return rows, tuple(str(failure) for failure in outcome.failures)


def test_of_checkpoints_on_disk_it_is_numpys_own_answer(extracted: tuple[Store, Path]) -> None:
    from safetensors.numpy import load_file

    store, place = extracted
    rows, failures = computed(store, 10)
    assert not failures
    own = load_file(place / "runs" / "sst" / "seed-1" / "checkpoint-10" / "model.safetensors")
    base = load_file(place / "base" / "model.safetensors")
    there = {(r.layer, dict(r.axes).get("module")): r for r in rows if r.statistic == "relative"}
    for number in range(1, 4):
        names = [n for n in base if f"encoder.layer.{number - 1}." in n]
        w, w0 = (
            np.concatenate([one[f"{start}{n}"].astype(np.float64).ravel() for n in names])
            for one, start in ((own, "bert."), (base, ""))
        )
        expected = np.linalg.norm(w - w0) / np.linalg.norm(w0)
        assert there[number, None].value == pytest.approx(expected, rel=1e-12)
        assert there[number, None].n == len(w)
    assert "only in the checkpoint" in there[None, "classifier"].reason
    assert there[None, "pooler"].value is not None
    assert {r.ref_layer for r in rows} == {None, 0, 1, 2, 3}


def test_weights_that_are_others_now_or_gone_are_refused(tmp_path: Path) -> None:
    models.runs(tmp_path / "runs", steps=(0, 10, 20))
    models.save(tmp_path / "base", head=False, seed=99)
    models.corpus_file(tmp_path)
    go(tmp_path)
    store = Store.open(tmp_path / "x.bertdyn")
    runs = tmp_path / "runs" / "sst" / "seed-1"
    models.save(runs / "checkpoint-10", seed=5)
    (runs / "checkpoint-20" / "model.safetensors").unlink()
    rows, failures = computed(store, 0)
    assert rows
    assert all(r.step == 0 for r in store.results())
    said = "\n".join(failures)
    assert "have changed since sst/1/10 was stored" in said
    assert "The weights of sst/1/20 are no longer in" in said


def test_weights_that_were_only_touched_are_the_same(tmp_path: Path) -> None:
    models.runs(tmp_path / "runs", steps=(10,))
    models.save(tmp_path / "base", head=False, seed=99)
    models.corpus_file(tmp_path)
    go(tmp_path)
    (tmp_path / "runs" / "sst" / "seed-1" / "checkpoint-10" / "model.safetensors").touch()
    assert computed(Store.open(tmp_path / "x.bertdyn"), 10)[0]
