"""Does a stored model run as it is, with other weights as a new model would, and come back bit for bit?"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from store.errors import BertdynError
from store.evaluation import model, passes
from store.evaluation.changes import changed
from store.evaluation.lower import LowerLayers
from store.evaluation.model import StoredModel
from store.evaluation.on_vectors import StoredClassifier
from store.evaluation.passes import logits_of
from store.keys import PRETRAINED_KEY
from store.models.classifier import classifying
from store.models.load import load, look
from store.models.weights import StoredWeights
from tests.classified import KEY, LAYERS, World
from tests.parameters import later
from tests.store.extract import models

FAMILIES = (
    ("bert", "SequenceClassification"),
    ("distilbert", "TokenClassification"),
    ("deberta-v2", "SequenceClassification"),
    later("roberta", "SequenceClassification"),
    later("electra", "SequenceClassification"),
)
Make = Callable[[str, str], World]


def stored(world: World) -> StoredModel:
    return StoredModel(world.store, world.store.checkpoint("dev", KEY))


def of_reference(world: World, *layers: int) -> dict[str, np.ndarray]:
    with StoredWeights.of(world.store, "dev", PRETRAINED_KEY) as weights:
        return {name: weights.tensor(name) for layer in layers for name in weights.modules(layer)}


@pytest.mark.parametrize(("family", "task"), FAMILIES)
def test_other_weights_give_what_a_new_model_with_them_gives(classified: Make, family: str, task: str) -> None:
    world = classified(family, task)
    prefix = world.model().base_model_prefix
    whole = world.logits(world.model())
    for layers, chosen in (
        ((2,), lambda name: ".layer.1." in name),
        ((0,), lambda name: "pooler" not in name and ".layer." not in name),
        ((1, 3), lambda name: any(f".layer.{n}." in name for n in (0, 2))),
    ):
        slow = world.logits(world.model(world.reference(prefix, chosen)))
        assert np.abs(slow - whole).max() > 1e-2
        np.testing.assert_allclose(stored(world).logits(of_reference(world, *layers), "cpu"), slow, atol=2e-5)


@pytest.mark.parametrize(("family", "task"), FAMILIES)
def test_afterwards_the_model_is_the_old_one_bit_for_bit(classified: Make, family: str, task: str) -> None:
    world = classified(family, task)
    before = stored(world).logits({}, "cpu")
    other = stored(world).logits(of_reference(world, *range(LAYERS + 1)), "cpu")
    assert np.abs(other - before).max() > 1e-2
    assert np.array_equal(stored(world).logits({}, "cpu"), before)
    np.testing.assert_allclose(before, world.store.logits("dev", KEY)[0], atol=1e-4)


def test_a_failure_in_between_restores_every_weight() -> None:
    module = torch.nn.Linear(3, 2)
    parameters = dict(module.named_parameters())
    before = {name: value.detach().clone() for name, value in parameters.items()}
    places = {name: value.data_ptr() for name, value in parameters.items()}
    new = {name: np.ones(value.shape, np.float32) for name, value in parameters.items()}

    def fails() -> None:
        with changed(parameters, new):
            assert all(bool((value == 1).all()) for value in parameters.values())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert all(torch.equal(value, before[name]) for name, value in parameters.items())
    assert {name: value.data_ptr() for name, value in parameters.items()} == places


def test_a_pass_that_is_interrupted_leaves_the_model_and_its_files_as_they_were(
    classified: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The model stays in memory, with outputs of lower layers that were kept before the interrupt."""
    world = classified("bert", "SequenceClassification")
    monkeypatch.setitem(passes.BATCH_TOKENS, "cpu", 16)
    some, changes = np.array([0, 1, 2, 4, 5, 6]), of_reference(world, 2)
    before, wanted = stored(world).logits({}, "cpu", some), stored(world).logits(changes, "cpu", some)
    files = {path: path.read_bytes() for path in world.folder.iterdir()}
    whole, calls = passes.forward, 0

    def interrupted(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise KeyboardInterrupt
        return whole(*given)

    with monkeypatch.context() as patch:
        patch.setattr(passes, "forward", interrupted)
        with pytest.raises(KeyboardInterrupt):
            stored(world).logits(changes, "cpu", some)
    assert calls == 3
    assert np.array_equal(stored(world).logits({}, "cpu", some), before)
    assert np.array_equal(stored(world).logits(changes, "cpu", some), wanted)
    assert {path: path.read_bytes() for path in world.folder.iterdir()} == files


def test_nothing_is_changed_if_one_weight_does_not_fit() -> None:
    module = torch.nn.Linear(3, 2)
    parameters = dict(module.named_parameters())
    before = module.bias.detach().clone()
    bias = np.ones(2, np.float32)
    for values, said in (
        ({"bias": bias, "weight": np.ones((3, 2), np.float32)}, "weight has shapes 2 x 3 and 3 x 2"),
        ({"bias": bias, "scale": bias}, "no weight 'scale'"),
    ):
        with pytest.raises(BertdynError, match=said), changed(parameters, values):
            pass
        assert torch.equal(module.bias, before)


def test_layers_that_share_weights_are_refused(classified: Make) -> None:
    world = classified("albert", "SequenceClassification")
    with pytest.raises(BertdynError, match="share their weights: none of them can be changed alone"):
        stored(world).logits({}, "cpu")


@pytest.fixture
def own(classified: Make, tmp_path: Path) -> Iterator[World]:
    """A world whose checkpoint may be changed: it is put back afterwards."""
    world = classified("bert", "SequenceClassification")
    kept = world.folder.rename(tmp_path / "kept")
    shutil.copytree(kept, world.folder)
    yield world
    shutil.rmtree(world.folder)
    kept.rename(world.folder)


def test_a_folder_that_changed_since_the_extraction_is_refused(own: World, classified: Make) -> None:
    stored(classified("distilbert", "TokenClassification")).logits({}, "cpu")  # another model is in memory
    models.configure(own.folder, id2label={"0": "LABEL_1", "1": "LABEL_0"})
    with pytest.raises(BertdynError, match=r"now names other classes \(LABEL_1, LABEL_0\)"):
        stored(own).logits({}, "cpu")
    models.configure(own.folder, id2label={"0": "LABEL_0", "1": "LABEL_1"})
    assert stored(own).logits({}, "cpu").shape == (7, 2)
    models.reweigh(own.folder, lambda tensors: tensors["classifier.bias"].add_(1.0))
    with pytest.raises(BertdynError, match="have changed since t/1/10 was stored"):
        stored(own).logits({}, "cpu")
    (own.folder / "model.safetensors").unlink()
    with pytest.raises(BertdynError, match="are no longer in"):
        stored(own).logits({}, "cpu")


@pytest.mark.parametrize(("family", "task"), FAMILIES)
def test_the_classifier_alone_gives_the_logits_of_the_last_layer(classified: Make, family: str, task: str) -> None:
    world = classified(family, task)
    own = StoredClassifier.of(world.store, world.store.checkpoint("dev", KEY))
    hidden = world.store.hidden("dev", KEY, LAYERS)
    if own.head == "sequence":
        hidden = hidden[world.corpus.offsets[:-1]]
    expected = world.store.logits("dev", KEY)[0]
    np.testing.assert_allclose(own.logits(hidden), expected, atol=5e-3)
    assert (own.labels, own.problem) == (world.store.logits("dev", KEY)[1].labels, "single_label_classification")


@pytest.mark.parametrize(("family", "task"), FAMILIES)
@pytest.mark.parametrize(("limit", "skipped"), [(1, (0, 0)), (20_000, (0, 2)), (2**20, (1, 2))])
def test_layers_below_the_changed_one_run_once_and_give_the_same_bits(
    classified: Make, family: str, task: str, limit: int, skipped: tuple[int, int]
) -> None:
    """In whatever order layers change; nothing is kept, or every second layer's outputs, or all."""
    world = classified(family, task)
    files = look(world.folder)
    encoder = load(files, torch.device("cpu"))
    found = classifying(encoder, files.config)
    assert not isinstance(found, str)
    weights = dict(encoder.model.named_parameters())
    last = LAYERS + 1  # nothing is changed
    runs: list[int] = []
    layers = next(m for m in encoder.model.modules() if isinstance(m, torch.nn.ModuleList) and len(m) == LAYERS)
    for layer in layers:
        output = [m for m in layer.modules() if isinstance(m, torch.nn.Linear)][-1]
        output.register_forward_hook(lambda *_: runs.append(1))

    def logits(changed_layer: int, kept: LowerLayers) -> np.ndarray:
        names = [n for n in weights if f".layer.{changed_layer - 1}." in n and weights[n].dim() == 2]
        with changed(weights, {n: 0.5 * weights[n].detach().numpy() for n in names}):
            return logits_of(encoder, found, world.corpus, kept, changed_layer)

    lower = LowerLayers(encoder, world.corpus.info.tokens, limit)
    kept = [logits(n, lower) for n in (2, 3, 1, last, 2, 3)]
    alone = [logits(n, LowerLayers(encoder, 1, 1)) for n in (2, 3, 1, last, 2, 3)]
    assert all(map(np.array_equal, kept, alone))
    assert len({one.tobytes() for one in kept}) == 4
    for changed_layer, below in zip((2, 3), skipped, strict=True):
        runs.clear()
        logits(changed_layer, lower)
        assert len(runs) == LAYERS - below  # there is one batch


def test_a_classifier_that_cannot_be_built_is_one_sentence(classified: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    store = classified("bert", "SequenceClassification").store
    checkpoint = store.checkpoint("dev", KEY)
    with pytest.raises(BertdynError, match="transformers has no class NoModel"):
        StoredClassifier.of(store, checkpoint._replace(model_class="NoModel"))
    own = StoredClassifier.of(store, checkpoint)
    with pytest.raises(BertdynError, match="BertForSequenceClassification cannot classify single vectors: "):
        own.logits(np.zeros((2, 3), np.float32))
    monkeypatch.setattr(store, "classifier", lambda *_: {})
    with pytest.raises(BertdynError, match="cannot be built: KeyError"):
        StoredClassifier.of(store, checkpoint)


def test_a_folder_whose_model_lost_its_classifier_is_refused(own: World) -> None:
    stored(own).logits({}, "cpu")
    models.configure(own.folder, architectures=["BertModel"])
    model._loaded.cache_clear()
    with pytest.raises(BertdynError, match="has no classifier to run"):
        stored(own).logits({}, "cpu")


@pytest.mark.parametrize("error", [RuntimeError("a kernel\nfailed"), torch.OutOfMemoryError("out of memory")])
def test_an_error_of_the_model_is_a_sentence_and_a_lack_of_memory_stays_one(
    classified: Make, monkeypatch: pytest.MonkeyPatch, error: RuntimeError
) -> None:
    def fails(*_: object) -> None:
        raise error

    own = stored(classified("bert", "SequenceClassification"))
    curved = own.curvature(None, np.arange(2), np.zeros(2, np.int64), "cpu")
    monkeypatch.setattr(passes, "inputs_of", fails)
    if isinstance(error, torch.OutOfMemoryError):
        for ask in (lambda: own.logits({}, "cpu"), lambda: curved.product(np.ones(len(curved.weights), np.float32))):
            with pytest.raises(torch.OutOfMemoryError):
                ask()
    else:
        with pytest.raises(BertdynError, match=r"fails on corpus 'dev': a kernel$"):
            own.logits({}, "cpu")
