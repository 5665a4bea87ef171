"""Does every weight of a checkpoint's file have its place, in each family of encoders?"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store.errors import BertdynError
from store.models.names import MODULES, OTHER, fit, layers_of_group, place_of
from store.models.weights import StoredWeights
from tests.store.extract import models

LAYERS = 4
ALBERT = {
    "vocab_size": 50, "embedding_size": 16, "hidden_size": 24, "num_hidden_layers": LAYERS, "num_hidden_groups": 2,
    "inner_group_num": 1, "num_attention_heads": 2, "intermediate_size": 48, "max_position_embeddings": 64,
}  # fmt: skip


def saved(folder: Path, kind: str) -> tuple[Path, Any]:
    """A small classifier in a file, and its weights as torch has them."""
    from transformers import AutoConfig, AutoModelForSequenceClassification

    if kind == "albert":
        model = AutoModelForSequenceClassification.from_config(AutoConfig.for_model(kind, **ALBERT))
        model.save_pretrained(folder)
    else:
        models.save(folder, kind, tokenizer=False, num_hidden_layers=LAYERS)
        model = AutoModelForSequenceClassification.from_pretrained(folder)
    return folder, dict(model.named_parameters())


def stored(folder: Path, kind: str, name: str = "model.safetensors") -> StoredWeights:
    return StoredWeights(folder, (folder / name,), LAYERS, f"{kind.partition('-')[0]}.")


@pytest.mark.parametrize("kind", [*models.CONFIGURATIONS, "albert"])
def test_every_weight_is_found_once_in_its_layer_and_module(tmp_path: Path, kind: str) -> None:
    folder, parameters = saved(tmp_path / kind, kind)
    with stored(folder, kind) as weights:
        by_layer = {layer: weights.modules(layer) for layer in (None, *range(LAYERS + 1))}
        named = {name for found in by_layer.values() for name in found}
        assert len(named) == len(parameters)
        sizes = Counter(tuple(p.shape) for p in parameters.values())
        assert Counter(weights.tensor(name).shape for name in named) == sizes
        for name in sorted(named):
            (written,) = [one for one in parameters if f".{one}".endswith(f".{name}")]
            np.testing.assert_array_equal(weights.tensor(name), parameters[written].detach().numpy())
    modules = {module for found in by_layer.values() for module in found.values()}
    assert modules <= set(MODULES) - {OTHER}
    core = {"query", "key", "value", "attention-output", "mlp-in", "mlp-out", "layer-norm"}
    assert all(core <= set(by_layer[layer].values()) for layer in range(1, LAYERS + 1))
    assert set(by_layer[0].values()) == {"embeddings", "layer-norm"}
    assert set(by_layer[None].values()) <= {"pooler", "classifier"}
    assert "classifier" in by_layer[None].values()


def test_layers_that_share_weights_have_the_same_ones(tmp_path: Path) -> None:
    folder, _ = saved(tmp_path / "albert", "albert")
    with stored(folder, "albert") as weights:
        assert weights.modules(1) == weights.modules(2) != weights.modules(3) == weights.modules(4)


@pytest.mark.parametrize(("layers", "groups"), [(12, 1), (12, 3), (5, 2), (4, 4)])
def test_groups_are_dealt_out_as_transformers_does(layers: int, groups: int) -> None:
    there = [int(n / (layers / groups)) for n in range(layers)]  # AlbertTransformer.forward
    for group in range(groups):
        assert [n - 1 for n in layers_of_group(group, groups, layers)] == [
            n for n, one in enumerate(there) if one == group
        ]


@pytest.mark.parametrize("prefix", ["", "bert.", "_orig_mod.bert.", "module.bert.", "encoder.", "encoder.encoder."])
def test_a_prefix_is_taken_off_the_encoder_and_its_wrapper_off_heads(prefix: str) -> None:
    plain = place_of("encoder.layer.3.attention.output.LayerNorm.weight")
    assert plain is not None
    assert (plain.layer, plain.module) == (4, "layer-norm")
    assert place_of(f"{prefix}encoder.layer.3.attention.output.LayerNorm.gamma", prefix) == plain
    for name in ("classifier.weight", f"{prefix.partition('.')[0]}.classifier.weight", f"{prefix}classifier.weight"):
        assert place_of(name.lstrip("."), prefix) == place_of("classifier.weight")


@pytest.mark.parametrize(
    "name", ["cls.predictions.bias", "bert.embeddings.position_ids", "lm_head.dense.weight", "vocab_projector.bias"]
)
def test_heads_of_pretraining_and_buffers_have_no_place(name: str) -> None:
    assert place_of(name, "bert.") is None


def test_what_is_unknown_is_kept_under_a_name_of_its_own() -> None:
    inside, outside = (
        place_of("bert.encoder.layer.0.adapter.down.weight", "bert."),
        place_of("temperature.scale", "bert."),
    )
    assert inside is not None
    assert outside is not None
    assert (inside.module, inside.layer) == (OTHER, 1)
    assert (outside.module, outside.layer) == (OTHER, None)


QUERY, WORDS = "encoder.layer.0.attention.self.query.weight", "embeddings.word_embeddings.weight"


@pytest.mark.parametrize("prefix", ["", "bert.", "_orig_mod.", "module.bert.", "encoder.", "model.model.bert.", "a b."])
def test_the_prefix_of_an_encoder_is_found(prefix: str) -> None:
    found = fit([prefix + QUERY, prefix + WORDS, "classifier.weight"], [QUERY, WORDS, "pooler.dense.weight"])
    assert (found.prefix, found.written) == (prefix, {QUERY: prefix + QUERY, WORDS: prefix + WORDS})
    assert (found.missing, found.over, found.heads, found.unknown) == ((), (), ("classifier.weight",), ())


def test_what_does_not_belong_to_the_encoder_is_told_apart() -> None:
    names = [f"m.bert.{one}" for one in (QUERY, WORDS, "encoder.layer.9.x.weight", "embeddings.position_ids")]
    names += ["m.cls.predictions.bias", "m.fc.weight", f"teacher.{QUERY}"]
    found = fit(names, [QUERY, WORDS, "embeddings.LayerNorm.bias"])
    assert found.prefix == "m.bert."
    assert found.missing == ("embeddings.LayerNorm.bias",)
    assert found.over == ("m.bert.encoder.layer.9.x.weight", f"teacher.{QUERY}")
    assert (found.heads, found.unknown) == (("m.cls.predictions.bias",), ("m.fc.weight",))


def test_old_names_of_layer_norms_fit_and_two_names_of_one_weight_do_not() -> None:
    norm = "embeddings.LayerNorm"
    assert fit([f"bert.{norm}.gamma"], [f"{norm}.weight"]).written == {f"{norm}.weight": f"bert.{norm}.gamma"}
    assert fit([f"{norm}.gamma", f"{norm}.weight"], [f"{norm}.weight"]).over == (f"{norm}.gamma",)
    assert fit([f"{norm}.gamma"], [f"{norm}.gamma"]).written == {f"{norm}.gamma": f"{norm}.gamma"}


def test_two_encoders_in_one_file_are_refused() -> None:
    names = [f"{one}.{name}" for one in ("student", "teacher") for name in (QUERY, WORDS)]
    with pytest.raises(ValueError, match=r"student.*teacher"):
        fit(names, [QUERY, WORDS])


def test_pickled_weights_are_read_and_a_damaged_file_is_named(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    folder, _ = saved(tmp_path / "bert", "bert")
    state = load_file(folder / "model.safetensors")
    torch.save(state, folder / "pytorch_model.bin")
    torch.save({name: tensor.bfloat16() for name, tensor in state.items()}, folder / "half.bin")
    name = "encoder.layer.1.intermediate.dense.weight"
    with stored(folder, "bert", "pytorch_model.bin") as weights:
        np.testing.assert_array_equal(weights.tensor(name), state[f"bert.{name}"].numpy())
    with stored(folder, "bert", "half.bin") as weights:
        np.testing.assert_array_equal(weights.tensor(name), state[f"bert.{name}"].bfloat16().float().numpy())
    cut = folder / "model.safetensors"
    cut.write_bytes(cut.read_bytes()[:1000])
    with pytest.raises(BertdynError, match=r"model\.safetensors cannot be read"):
        StoredWeights(folder, (cut,), LAYERS)


SAVED = {
    "model.safetensors": "float32",
    "half.safetensors": "float16",
    "brain.safetensors": "bfloat16",
    "eighth.safetensors": "float8_e4m3fn",
    "pytorch_model.bin": "float32",
    "old.bin": "float32",
}
"""Files of the same weights, and their types; the last one is of torch before 1.6."""


@pytest.fixture(scope="module")
def formats(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the same weights in every format."""
    import torch
    from safetensors.torch import load_file, save_file

    folder, _ = saved(tmp_path_factory.mktemp("formats") / "bert", "bert")
    state = load_file(folder / "model.safetensors")
    save_file({name: tensor.half() for name, tensor in state.items()}, folder / "half.safetensors")
    save_file({name: tensor.bfloat16() for name, tensor in state.items()}, folder / "brain.safetensors")
    eighths = {name: tensor.to(torch.float8_e4m3fn) for name, tensor in state.items()}
    save_file(eighths, folder / "eighth.safetensors")
    torch.save(state, folder / "pytorch_model.bin")
    torch.save(state, folder / "old.bin", _use_new_zipfile_serialization=False)
    return folder


@pytest.mark.parametrize("file", SAVED)
def test_shapes_and_parts_are_those_of_whole_weights(formats: Path, file: str) -> None:
    import torch
    from safetensors.torch import load_file

    state = load_file(formats / "model.safetensors")
    with stored(formats, "bert", file) as weights:
        for layer in (None, *range(LAYERS + 1)):
            for name in weights.modules(layer):
                (written,) = [one for one in state if f".{one}".endswith(f".{name}")]
                whole = state[written].to(getattr(torch, SAVED[file])).float().numpy()
                np.testing.assert_array_equal(weights.tensor(name), whole)
                assert weights.shape(name) == whole.shape
                part = weights.part(name, 1, whole.size - 1)
                assert part.dtype == np.float32
                np.testing.assert_array_equal(part, whole.reshape(-1)[1:-1])
                assert weights.part(name, 0, 0).shape == (0,)


def test_a_file_that_is_cut_while_it_is_read_is_named(formats: Path, tmp_path: Path) -> None:
    path = tmp_path / "cut.safetensors"
    path.write_bytes((formats / "model.safetensors").read_bytes())
    with StoredWeights(tmp_path, (path,), LAYERS, "bert.") as weights:
        entries = int(np.prod(weights.shape(WORDS)))
        assert weights.part(WORDS, 0, entries).shape == (entries,)
        with path.open("r+b") as file:
            file.truncate(1000)
        with pytest.raises(BertdynError, match=r"cut\.safetensors cannot be read: it has been cut"):
            weights.part(WORDS, 0, entries)


def test_two_weights_of_one_place_are_of_two_encoders(formats: Path, tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    path = tmp_path / "two.safetensors"
    save_file({"bert.pooler.dense.bias": torch.zeros(2), "pooler.dense.bias": torch.ones(2)}, path)
    with pytest.raises(BertdynError, match=r"more than one encoder: 'bert\.pooler.*' and 'pooler.*' are both"):
        StoredWeights(tmp_path, (path,), LAYERS, "bert.")


def test_a_file_that_is_replaced_while_it_is_open_is_read_as_it_was(formats: Path, tmp_path: Path) -> None:
    """Training may write the checkpoint again: the parts of a weight must not come from two files."""
    from safetensors.torch import load_file, save_file

    path, other = tmp_path / "replaced.safetensors", tmp_path / "new.safetensors"
    state = load_file(formats / "model.safetensors")
    save_file(state, path)
    save_file({name: tensor + 1 for name, tensor in state.items()}, other)
    with StoredWeights(tmp_path, (path,), LAYERS, "bert.") as weights:
        before = weights.tensor(WORDS)
        other.replace(path)
        np.testing.assert_array_equal(weights.part(WORDS, 0, before.size), before.reshape(-1))
        path.unlink()
        np.testing.assert_array_equal(weights.tensor(WORDS), before)
