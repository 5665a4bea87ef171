"""What is frozen, removed or re-initialised before a run begins, on several architectures."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch

from explorer.demo.run import tiny_bert
from explorer.training.base import Base
from explorer.training.settings import Settings
from explorer.training.variants import KINDS, Variant
from store.errors import BertdynError
from tests.store.extract import models
from tests.training import weights

CLASSES = ("a", "b", "c")
BASE = Base(tiny_bert(), "sentence", CLASSES)
IDS = torch.tensor([[2, 30, 40, 50, 3], [2, 60, 70, 80, 3]])
DEFAULT = Settings()


def made(kind: str, k: int, base: Base = BASE, **settings: Any) -> Any:
    """The model of a variant, from the same seed."""
    torch.manual_seed(1)
    return Variant(KINDS[kind], k).model(base, dataclasses.replace(DEFAULT, **settings))


def parts(model: Any) -> dict[str, Any]:
    """The weights of a model by name."""
    return {name: weight.detach() for name, weight in model.named_parameters()}


def layer_of(name: str) -> int | None:
    """The layer of a weight of BERT by its name, written out: 0 for embeddings, None above the layers."""
    if ".embeddings." in name:
        return 0
    return int(name.split(".layer.")[1].split(".")[0]) + 1 if ".layer." in name else None


def base_with_pooler(folder: Path) -> Base:
    """A small BERT whose file has a pooler."""
    return Base(models.save(folder, head=False), "sentence", CLASSES)


@pytest.mark.parametrize("k", [0, 1, 4, 6])
def test_frozen_layers_get_no_gradient_and_all_others_do(k: int) -> None:
    model = made("freeze", k)
    model(input_ids=IDS, labels=torch.tensor([0, 1])).loss.backward()
    for name, weight in model.named_parameters():
        layer = layer_of(name)
        frozen = k > 0 and layer is not None and layer <= k
        assert weight.requires_grad is not frozen, name
        assert (weight.grad is None) is frozen, name


def test_there_is_no_backward_pass_below_frozen_layers() -> None:
    hidden = made("freeze", 4)(input_ids=IDS, output_hidden_states=True).hidden_states
    assert [layer.requires_grad for layer in hidden] == [False] * 5 + [True] * 2


def test_dropout_in_frozen_layers_is_on_or_off() -> None:
    for on in (True, False):
        model = made("freeze", 3, frozen_dropout=on).eval().train()
        with torch.no_grad():
            once, again = (model(input_ids=IDS, output_hidden_states=True).hidden_states for _ in range(2))
        same = [torch.equal(one, other) for one, other in zip(once, again, strict=True)]
        assert same == [not on] * 4 + [False] * 3


def test_a_truncated_model_is_the_bottom_of_the_whole_one() -> None:
    whole, cut = parts(made("freeze", 0)), parts(made("truncate", 2))
    assert cut.keys() == {name for name in whole if (layer_of(name) or 0) <= 2}
    assert all(torch.equal(cut[name], whole[name]) for name in cut if "pooler" not in name)


def test_the_classifier_sits_on_the_last_layer_that_is_left() -> None:
    model = made("truncate", 2).eval()
    whole = made("freeze", 0).eval()
    with torch.no_grad():
        second = whole(input_ids=IDS, output_hidden_states=True).hidden_states[2]
        expected = model.classifier(model.bert.pooler(second))
        assert torch.allclose(model(input_ids=IDS).logits, expected, atol=1e-6)


@pytest.mark.parametrize("k", [0, 1, 6])
def test_only_the_top_layers_are_made_anew(k: int) -> None:
    before, after = parts(made("freeze", 0)), parts(made("reinit", k))
    spread = BASE.config.parsed.initializer_range
    for name in before:
        if (layer_of(name) or 0) <= 6 - k:
            assert torch.equal(before[name], after[name]), name
        elif name.endswith("LayerNorm.weight"):
            assert torch.equal(after[name], torch.ones_like(after[name])), name
        elif name.endswith("bias"):
            assert not after[name].any(), name
        else:
            assert not torch.equal(before[name], after[name]), name
            assert float(after[name].std()) == pytest.approx(spread, rel=0.1), name


def test_nothing_is_left_of_the_base_from_scratch() -> None:
    before, after = parts(made("freeze", 0)), parts(made("scratch", 0))
    assert before.keys() == after.keys()
    kept = {name for name in before if torch.equal(before[name], after[name])}
    assert {name for name in kept if layer_of(name) is not None} == set()


def test_the_pooler_is_kept_or_new(tmp_path: Path) -> None:
    base = base_with_pooler(tmp_path)
    pooler = "bert.pooler.dense.weight"
    whole = parts(made("freeze", 0, base))[pooler]
    for kind, k in (("truncate", 2), ("reinit", 1)):
        assert torch.equal(parts(made(kind, k, base))[pooler], whole)
        assert not torch.equal(parts(made(kind, k, base, pooler="fresh"))[pooler], whole)
    assert [base.pooler(wanted) for wanted in ("kept", "fresh")] == ["kept", "fresh"]


def test_a_pooler_that_is_in_no_file_is_new(tmp_path: Path) -> None:
    assert BASE.pooler("kept") == "fresh"
    assert Base(tiny_bert(), "word", CLASSES).pooler("kept") == "none"


@pytest.mark.parametrize("family", ["roberta", "distilbert", "electra", "deberta-v2"])
def test_layers_are_found_in_other_architectures(tmp_path: Path, family: str) -> None:
    """Hidden states say which layers are frozen, whatever the weights are called."""
    base = Base(models.save(tmp_path, family, head=False), "sentence", CLASSES)
    base.check()
    ids = torch.tensor([[5, 6, 7, 8, 9]])
    model = made("freeze", 2, base)
    hidden = model(input_ids=ids, output_hidden_states=True).hidden_states
    assert [layer.requires_grad for layer in hidden] == [False, False, False, True]
    model(input_ids=ids, labels=torch.tensor([0])).loss.backward()
    assert {weight.grad is None for weight in model.base_model.get_input_embeddings().parameters()} == {True}
    assert made("truncate", 1, base).config.num_hidden_layers == 1
    whole, renewed = made("freeze", 0, base).eval(), made("reinit", 1, base).eval()
    with torch.no_grad():
        once, other = (one(input_ids=ids, output_hidden_states=True).hidden_states for one in (whole, renewed))
    assert [torch.equal(a, b) for a, b in zip(once, other, strict=True)] == [True, True, True, False]


def test_layers_that_share_weights_are_refused(tmp_path: Path) -> None:
    base = Base(models.save(tmp_path, "albert", head=False), "sentence", CLASSES)
    with pytest.raises(BertdynError, match="its layers share their weights"):
        base.check()


@pytest.mark.parametrize("classes", [3, 2])
def test_the_classifier_of_the_files_is_not_used(tmp_path: Path, classes: int) -> None:
    """Its classes may be others, or in another order."""
    tuned = models.save(tmp_path / "tuned", seed=3, num_labels=classes)
    if classes == len(CLASSES):
        models.configure(tuned, id2label={0: "c", 1: "a", 2: "b"}, label2id={"c": 0, "a": 1, "b": 2})
    base = Base(tuned, "sentence", CLASSES)
    model = base.load()
    loaded, written = parts(model), weights(tuned)
    assert model.classifier.weight.shape[0] == len(CLASSES)
    for name, weight in loaded.items():
        kept = weight.shape == written[name].shape and torch.equal(weight, written[name])
        assert kept or name.startswith("classifier."), name
        assert not (kept and name == "classifier.weight")
    assert base.config.parsed.id2label != dict(enumerate(CLASSES))
    assert model.config.id2label == dict(enumerate(CLASSES))
