"""Is every weight of a checkpoint's file accounted for, whatever stands before its name?"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from store.errors import BertdynError
from store.models.load import Encoder, load, look
from tests.store.extract import models
from tests.store.extract.models import as_pickle, configure, rename, reweigh

Tensors = dict[str, Any]


def loaded(folder: Path, reference: Path | None = None) -> Encoder:
    import torch

    return load(look(folder, reference), torch.device("cpu"))


def same(one: Encoder, other: Encoder) -> bool:
    ours, theirs = one.model.state_dict(), other.model.state_dict()
    known = ours.keys() - one.absent
    return one.absent == other.absent and all((ours[name] == theirs[name]).all() for name in known)


def refused(folder: Path, message: str, reference: Path | None = None) -> None:
    with pytest.raises(BertdynError, match=message) as caught:
        loaded(folder, reference)
    assert "\n" not in str(caught.value)


PREFIXES = [
    ("bert", "_orig_mod.bert."), ("bert", "module.bert."), ("bert", "encoder."), ("bert", "model.bert."),
    ("bert", "module._orig_mod.model."), ("bert", "base_model.model.bert."), ("bert", "a b.c."),
    ("roberta", "_orig_mod.roberta."), ("roberta", "module."), ("roberta", "bert."),
    ("distilbert", "model.distilbert."), ("distilbert", "transformer."),
    ("electra", "_forward_module.electra."), ("deberta-v2", "_orig_mod.module.deberta."),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "prefix"), PREFIXES)
@pytest.mark.parametrize("pickled", [False, True], ids=["safetensors", "pickle"])
def test_a_unique_prefix_is_read_and_said(tmp_path: Path, kind: str, prefix: str, pickled: bool) -> None:
    plain = models.save(tmp_path / "plain", kind)
    own = f"{kind.partition('-')[0]}."

    def wrapped(tensors: Tensors) -> None:
        outer = prefix.partition(".")[0]
        for name in list(tensors):
            before = prefix if name.startswith(own) else f"{outer}."
            tensors[before + name.removeprefix(own)] = tensors.pop(name)

    folder = models.save(tmp_path / "wrapped", kind)
    reweigh(folder, wrapped)
    if pickled:
        as_pickle(folder)
    assert same(loaded(folder), loaded(plain))
    assert f"weights read under the prefix '{prefix}'" in look(folder).notes
    assert look(folder).prefix == prefix
    assert look(plain).notes == ()


def test_an_encoder_alone_and_one_with_a_head_need_no_word(tmp_path: Path) -> None:
    for head in (True, False):
        model = look(models.save(tmp_path / str(head), head=head))
        assert (model.prefix, model.notes) == ("bert." if head else "", ())


def test_two_encoders_that_fit_are_refused(tmp_path: Path) -> None:
    folder = models.save(tmp_path, head=False)

    def twice(tensors: Tensors) -> None:
        for name in list(tensors):
            tensors[f"student.{name}"], tensors[f"teacher.{name}"] = tensors[name].clone(), tensors.pop(name)

    reweigh(folder, twice)
    refused(folder, "more than one encoder, under 'student.' and 'teacher.'")


@pytest.mark.parametrize(
    "name",
    ["bert.encoder.layer.3.output.dense.weight", "bert.encoder.layer.0.adapter.down.weight", "bert.temperature.scale"],
)
def test_a_weight_of_the_encoder_that_is_left_over_is_named(tmp_path: Path, name: str) -> None:
    import torch

    folder = models.save(tmp_path)
    reweigh(folder, lambda tensors: tensors.update({name: torch.ones(2)}))
    refused(folder, f"1 weights of an encoder have no place .*{name}")


def test_fewer_layers_by_the_configuration_than_in_the_weights(tmp_path: Path) -> None:
    folder = models.save(tmp_path)
    configure(folder, num_hidden_layers=2)
    refused(folder, r"16 weights of an encoder have no place .*: bert\.encoder\.layer\.2\..* and 13 more")


def test_part_of_another_encoder_beside_the_one_that_fits_is_refused(tmp_path: Path) -> None:
    import torch

    folder = models.save(tmp_path)
    name = "teacher.encoder.layer.0.output.dense.weight"
    reweigh(folder, lambda tensors: tensors.update({name: torch.ones(2)}))
    refused(folder, f"have no place .*{name}")


@pytest.mark.parametrize(
    "name",
    ["classifier.out.bias", "cls.predictions.bias", "lm_head.dense.weight", "qa_outputs.bias", "bert.pooler.x.bias"],
)
def test_a_head_may_be_left_over(tmp_path: Path, name: str) -> None:
    import torch

    folder = models.save(tmp_path)
    reweigh(folder, lambda tensors: tensors.update({name: torch.ones(2)}))
    assert look(folder).notes == ()
    assert same(loaded(folder), loaded(models.save(tmp_path / "plain")))


def test_a_pooler_where_the_encoder_has_none_is_a_head(tmp_path: Path) -> None:
    import torch

    folder = models.save(tmp_path, "distilbert", head=False)
    reweigh(folder, lambda tensors: tensors.update({"pooler.dense.weight": torch.ones(2)}))
    assert loaded(folder).heads.keys() == {"pooler.dense.weight"}


def test_what_stands_beside_the_encoder_and_is_not_known_is_named(tmp_path: Path) -> None:
    import torch

    folder = models.save(tmp_path)
    reweigh(folder, lambda tensors: tensors.update({"n_averaged": torch.ones(1), "fc.weight": torch.ones(2)}))
    assert look(folder).notes == ("left over beside the encoder: fc.weight, n_averaged",)
    assert {"fc.weight", "classifier.weight"} <= loaded(folder).heads.keys()


def test_buffers_and_old_names_are_no_weights_too_many(tmp_path: Path) -> None:
    import torch

    plain, folder = models.save(tmp_path / "plain"), models.save(tmp_path / "old")

    def old(tensors: Tensors) -> None:
        for name in list(tensors):
            renamed = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
            tensors[f"module.{renamed}"] = tensors.pop(name)
        tensors["module.bert.embeddings.position_ids"] = torch.arange(64)[None]

    reweigh(folder, old)
    assert same(loaded(folder), loaded(plain))


@pytest.mark.parametrize("prefix", ["bert.", "_orig_mod.bert."])
def test_a_missing_weight_is_named_under_a_prefix_too(tmp_path: Path, prefix: str) -> None:
    folder = rename(models.save(tmp_path), prefix, "bert.")
    reweigh(folder, lambda tensors: tensors.pop(f"{prefix}encoder.layer.1.output.dense.bias"))
    refused(folder, r"1 weights of the encoder are missing from the file \(encoder\.layer\.1\.output\.dense\.bias")


def test_an_adapter_that_was_saved_unmerged_in_the_weights_is_named(tmp_path: Path) -> None:
    import torch

    def unmerged(tensors: Tensors) -> None:
        name = "bert.encoder.layer.0.attention.self.query"
        tensors[f"{name}.base_layer.weight"] = tensors.pop(f"{name}.weight")
        tensors[f"{name}.lora_A.default.weight"] = torch.ones(2, 24)

    folder = models.save(tmp_path)
    reweigh(folder, unmerged)
    refused(folder, "missing .* holds an unmerged adapter")


def test_the_references_configuration_serves_a_folder_without_one_and_is_said(tmp_path: Path) -> None:
    base, plain, folder = (models.save(tmp_path / name, seed=i) for i, name in enumerate(("base", "plain", "bare"), 1))
    reweigh(folder, lambda tensors: tensors.update(_weights(plain)))
    (folder / "config.json").unlink()
    assert same(loaded(folder, base), loaded(plain))
    assert look(folder, base).notes == (f"no config.json: that of the reference {base} is used",)
    refused(folder, r"has no config\.json: give the pre-trained model with --reference")
    refused(folder, r"has no config\.json: give", reference=folder)


def test_the_references_configuration_must_fit(tmp_path: Path) -> None:
    base = models.save(tmp_path / "base", num_hidden_layers=2)
    (models.save(tmp_path / "bare") / "config.json").unlink()
    refused(tmp_path / "bare", "have no place in the encoder that config.json describes", base)
    (base / "config.json").write_text("{")
    refused(tmp_path / "bare", f"{base}/config.json cannot be used", base)


def _weights(folder: Path) -> Tensors:
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


ODD: list[dict[str, Any]] = [
    {"model_type": 7}, {"model_type": None}, {"model_type": ["bert"]}, {"num_hidden_layers": "three"},
    {"num_hidden_layers": 3.5}, {"hidden_size": -24}, {"vocab_size": None}, {"hidden_act": 5},
    {"num_attention_heads": 5}, {"layer_norm_eps": "x"}, {"quantization_config": 3},
]  # fmt: skip


@pytest.mark.parametrize("settings", ODD, ids=str)
def test_an_odd_configuration_is_one_sentence(tmp_path: Path, settings: dict[str, Any]) -> None:
    configure(models.save(tmp_path), **settings)
    refused(tmp_path, str(tmp_path))


@pytest.mark.parametrize("content", ["null", "[]", "7", '"bert"', "", "{}", "[" * 100_000], ids=range(7))
def test_a_configuration_that_is_no_table_is_one_sentence(tmp_path: Path, content: str) -> None:
    (models.save(tmp_path) / "config.json").write_text(content)
    refused(tmp_path, "config.json cannot be used")


@pytest.mark.parametrize("value", [5, None, [], "BertModel", [5], [None]], ids=str)
def test_architectures_that_name_no_class_do_not_matter(tmp_path: Path, value: Any) -> None:
    configure(models.save(tmp_path), architectures=value)
    assert loaded(tmp_path).model_class == "BertModel"


def _nested(state: Tensors) -> Any:
    return {"state_dict": state, "epoch": 3}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (_nested, "holds more than weights by name: 'state_dict', 'epoch' is something else"),
        (lambda state: list(state.values()), "holds a list, not weights by name"),
        (lambda state: {**state, 5: next(iter(state.values()))}, "5 is something else"),
    ],
)
def test_a_pickle_of_something_else_is_one_sentence(
    tmp_path: Path, change: Callable[[Tensors], Any], message: str
) -> None:
    import torch

    path = as_pickle(models.save(tmp_path))
    torch.save(change(torch.load(path)), path)
    refused(tmp_path, message)


def test_an_old_pickle_is_read(tmp_path: Path) -> None:
    import torch

    plain = loaded(models.save(tmp_path))
    path = as_pickle(tmp_path)
    torch.save(torch.load(path), path, _use_new_zipfile_serialization=False)
    assert same(loaded(tmp_path), plain)


def test_an_index_that_is_none_is_one_sentence(tmp_path: Path) -> None:
    (models.save(tmp_path) / "model.safetensors").unlink()
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps({"weight_map": None}))
    refused(tmp_path, "is not an index of weights")


def test_weights_that_the_class_itself_leaves_out_are_none_too_many(tmp_path: Path) -> None:
    import torch

    name = "deberta.embeddings.position_embeddings.weight"
    folder = models.save(tmp_path, "deberta-v2")
    reweigh(folder, lambda tensors: tensors.update({name: torch.ones(64, 24)}))
    assert loaded(folder).model_class == "DebertaV2ForSequenceClassification"


def test_names_of_another_family_are_refused(tmp_path: Path) -> None:
    folder = models.save(tmp_path, "distilbert")
    (models.save(tmp_path / "bert") / "config.json").rename(folder / "config.json")
    refused(folder, "weights of the encoder are missing")
