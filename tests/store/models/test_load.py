from __future__ import annotations

import json
import logging
import os
import pickle
from pathlib import Path
from typing import Any

import pytest

from store.errors import BertdynError
from store.extract.hub import resolve
from store.extract.tokens import load_tokenizer
from store.models.config import Geometry
from store.models.files import present_files, weights_digest, weights_stamp
from store.models.load import Encoder, load, look
from store.models.quiet import quiet
from tests.store.extract import models
from tests.store.extract.models import as_pickle, configure, reweigh


def encoder_of(folder: Path) -> Encoder:
    import torch

    return load(look(folder), torch.device("cpu"))


@pytest.mark.parametrize("kind", list(models.CONFIGURATIONS))
def test_what_a_checkpoint_is_can_be_read_without_its_weights(tmp_path: Path, kind: str) -> None:
    assert look(models.save(tmp_path, kind)).geometry == Geometry(layers=3, heads=2, width=24)


def test_a_task_head_is_left_out_and_named(tmp_path: Path) -> None:
    encoder = encoder_of(models.save(tmp_path))
    assert type(encoder.model).__name__ == "BertModel"
    assert encoder.model_class == "BertForSequenceClassification"
    assert not encoder.model.training


def test_weights_in_a_pickle_without_code_are_the_same_weights(tmp_path: Path) -> None:
    folder = models.save(tmp_path)
    first = encoder_of(folder).model.state_dict()
    as_pickle(folder)
    again = encoder_of(folder).model.state_dict()
    assert all((first[name] == again[name]).all() for name in first)


def test_shards_are_read_and_hashed_together(tmp_path: Path) -> None:
    from transformers import AutoModel

    folder = models.save(tmp_path)
    model = AutoModel.from_pretrained(folder)
    (folder / "model.safetensors").unlink()
    model.save_pretrained(folder, max_shard_size="20KB")
    files = present_files(folder)
    assert len(files) > 1
    assert weights_stamp(files)[0] == sum(p.stat().st_size for p in files)
    assert len(weights_digest(files)) == 64
    assert (encoder_of(folder).model.get_input_embeddings().weight == model.get_input_embeddings().weight).all()


def refused(folder: Path, message: str) -> None:
    with pytest.raises(BertdynError, match=message) as caught:
        encoder_of(folder)
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def test_no_weights(tmp_path: Path) -> None:
    (models.save(tmp_path) / "model.safetensors").unlink()
    refused(tmp_path, "has no weights: looked for model.safetensors")


def test_a_missing_shard(tmp_path: Path) -> None:
    (models.save(tmp_path) / "model.safetensors").unlink()
    (tmp_path / "model.safetensors.index.json").write_text('{"weight_map": {"a": "model-1.safetensors"}}')
    refused(tmp_path, "model-1.safetensors, which does not exist")


@pytest.mark.parametrize("form", ["../other/{}", "{folder}/other/{}", "./{}", "..", "", "sub/{}", 5, "a\0b"])
def test_an_index_cannot_name_files_elsewhere(tmp_path: Path, form: object) -> None:
    name = "model.safetensors"
    models.save(tmp_path / "other")
    (models.save(tmp_path / "here") / name).unlink()
    part = form.format(name, folder=tmp_path) if isinstance(form, str) else form
    (tmp_path / "here" / f"{name}.index.json").write_text(json.dumps({"weight_map": {"a": part}}))
    refused(tmp_path / "here", "which is not the name of a file beside it")


@pytest.mark.parametrize("kept", [0, 5, 100, 0.5, 0.999])
def test_truncated_safetensors(tmp_path: Path, kept: float) -> None:
    path = models.save(tmp_path) / "model.safetensors"
    os.truncate(path, int(kept if kept >= 1 else kept * path.stat().st_size))
    refused(tmp_path, "is truncated or not a safetensors file")


def test_a_pointer_to_large_storage_is_no_weights(tmp_path: Path) -> None:
    (models.save(tmp_path) / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")
    refused(tmp_path, "is truncated or not a safetensors file")


@pytest.mark.parametrize("kept", [0, 10, 0.5, 0.999])
def test_truncated_pickle(tmp_path: Path, kept: float) -> None:
    path = as_pickle(models.save(tmp_path))
    os.truncate(path, int(kept if kept >= 1 else kept * path.stat().st_size))
    refused(tmp_path, "is truncated or not a PyTorch file")


class Trap:
    """Code in a pickle: it makes a file when it is run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return (Path.touch, (self.path,))


def test_pickled_code_is_refused_and_not_run(tmp_path: Path) -> None:
    import torch

    folder = models.save(tmp_path / "model")
    path = as_pickle(folder)
    torch.save({"weights": Trap(tmp_path / "sprung")}, path)
    refused(folder, "holds pickled code")
    path.write_bytes(pickle.dumps({"weights": Trap(tmp_path / "sprung")}))
    refused(folder, "holds pickled code")
    assert not (tmp_path / "sprung").exists()


def test_code_beside_the_weights_is_not_run(tmp_path: Path) -> None:
    folder = models.save(tmp_path / "model")
    (folder / "own.py").write_text(f"open({str(tmp_path / 'sprung')!r}, 'w')\n")
    configure(folder, model_type="own", auto_map={"AutoConfig": "own.Config", "AutoModel": "own.Model"})
    refused(folder, "needs its own code")
    assert not (tmp_path / "sprung").exists()


def test_code_that_comes_with_a_known_model_is_not_run_either(tmp_path: Path) -> None:
    folder = models.save(tmp_path / "model")
    canary = f"open({str(tmp_path / 'sprung')!r}, 'w')\n"
    for name in ("own.py", "__init__.py", "modeling_own.py", "generate.py"):
        (folder / name).write_text(canary)
    (folder / "custom_generate").mkdir()
    (folder / "custom_generate" / "generate.py").write_text(canary)
    autos = ("AutoConfig", "AutoModel", "AutoModelForSequenceClassification", "AutoTokenizer")
    configure(folder, auto_map=dict.fromkeys(autos, "own.Own"))
    path = folder / "tokenizer_config.json"
    told = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps({**told, "auto_map": {"AutoTokenizer": ["own.Own", "own.Own"]}}))
    there, plain = (encoder_of(one).model.state_dict() for one in (folder, models.save(tmp_path / "plain")))
    assert all(there[name].equal(plain[name]) for name in plain)
    load_tokenizer(folder)
    assert not (tmp_path / "sprung").exists()


def test_weights_of_the_encoder_that_are_missing_are_never_random_numbers(tmp_path: Path) -> None:
    folder = models.save(tmp_path)
    reweigh(folder, lambda tensors: tensors.pop("bert.encoder.layer.1.attention.self.query.weight"))
    refused(folder, r"1 weights of the encoder are missing.*layer\.1\.attention\.self\.query\.weight")


def test_a_missing_pooler_is_no_loss(tmp_path: Path) -> None:
    folder = models.save(tmp_path)
    reweigh(folder, lambda tensors: [tensors.pop(name) for name in list(tensors) if "pooler" in name])
    assert encoder_of(folder).geometry.layers == 3


def test_another_layer_count_by_the_configuration_than_by_the_weights(tmp_path: Path) -> None:
    folder = models.save(tmp_path)
    configure(folder, num_hidden_layers=4)
    refused(folder, "weights of the encoder are missing")


def test_another_width_by_the_configuration_than_by_the_weights(tmp_path: Path) -> None:
    folder = models.save(tmp_path)
    configure(folder, intermediate_size=40)
    refused(folder, r"intermediate.* is 48.* in the weights, but 40.* by config.json")


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "cannot be used"), ("{}", "cannot be used"), ('{"model_type": "no-such"}', "cannot be used: .*no-such")],
)
def test_an_unusable_configuration(tmp_path: Path, content: str, message: str) -> None:
    (models.save(tmp_path) / "config.json").write_text(content)
    refused(tmp_path, message)


def test_no_configuration(tmp_path: Path) -> None:
    (models.save(tmp_path) / "config.json").unlink()
    refused(tmp_path, r"has no config\.json")


def test_a_model_that_is_no_encoder(tmp_path: Path) -> None:
    (models.save(tmp_path) / "config.json").write_text('{"model_type": "t5", "is_encoder_decoder": true}')
    refused(tmp_path, "'t5' is not an encoder")


def test_loading_says_nothing_on_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], recwarn: pytest.WarningsRecorder
) -> None:
    folder = models.save(tmp_path)
    capfd.readouterr()
    encoder_of(folder)
    assert capfd.readouterr() == ("", "")
    assert logging.getLogger("transformers").level <= logging.WARNING
    assert not recwarn.list


def test_a_folder_is_never_looked_up_on_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def asked(*_: object, **__: object) -> None:
        raise AssertionError("asked the network")

    monkeypatch.setattr(socket.socket, "connect", asked)
    folder = models.save(tmp_path)
    assert resolve(str(folder)) == (folder, str(folder))
    encoder_of(folder)


@pytest.mark.parametrize("name", ["./nowhere", "/no/such/folder", "~/nowhere-at-all", "a/b/c"])
def test_a_reference_that_can_only_be_a_folder_must_be_one(name: str) -> None:
    with pytest.raises(BertdynError, match=r"there is no folder of that name\.$"):
        resolve(name)


@pytest.mark.parametrize("name", ["no model has blanks", "bertdyn-no-such-model"])
def test_a_reference_that_the_hub_cannot_give(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(BertdynError, match=r"there is no folder of that name, and .*hub") as caught:
        resolve(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("shown", [True, False])
def test_progress_bars_are_shown_or_not_as_before(shown: bool) -> None:
    from huggingface_hub.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
    from transformers.utils import logging as theirs

    before = are_progress_bars_disabled(), theirs.is_progress_bar_enabled()
    try:
        (enable_progress_bars if shown else disable_progress_bars)()
        (theirs.enable_progress_bar if shown else theirs.disable_progress_bar)()
        with quiet():
            assert are_progress_bars_disabled()
            assert not theirs.is_progress_bar_enabled()
        assert (are_progress_bars_disabled(), theirs.is_progress_bar_enabled()) == (not shown, shown)
    finally:
        (disable_progress_bars if before[0] else enable_progress_bars)()
        (theirs.enable_progress_bar if before[1] else theirs.disable_progress_bar)()
