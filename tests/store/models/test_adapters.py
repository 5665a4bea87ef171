"""Is an adapter merged into its base as peft runs it, and otherwise refused?"""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from store.errors import BertdynError
from store.models import adapters
from store.models.load import Encoder, load, look
from tests.store.extract import models

needs_peft = pytest.mark.skipif(find_spec("peft") is None, reason="needs the extra 'adapters'")


def loaded(folder: Path, base: Path) -> Encoder:
    import torch

    return load(look(folder, base), torch.device("cpu"))


def hidden(encoder: Any) -> np.ndarray:
    import torch

    with torch.inference_mode():
        states = encoder.eval()(input_ids=torch.arange(5, 25)[None], output_hidden_states=True).hidden_states
    return torch.stack(states).numpy()


def adapted(folder: Path, base: Path, config: Any, task: str = "SequenceClassification") -> np.ndarray:
    """Save an adapter as if it had been trained, and return the hidden states of peft's own model."""
    import peft
    import torch
    import transformers

    name = f"AutoModelFor{task}" if task else "AutoModel"
    model = peft.get_peft_model(getattr(transformers, name).from_pretrained(base), config)
    torch.manual_seed(5)
    for parameter in model.parameters():
        if parameter.requires_grad:
            torch.nn.init.normal_(parameter, std=0.2)
    model.save_pretrained(folder)
    inner = model.get_base_model()
    return hidden(getattr(inner, inner.base_model_prefix, inner))


def lora(**settings: Any) -> Callable[[], Any]:
    def make() -> Any:
        import peft

        return peft.LoraConfig(**{"task_type": "SEQ_CLS", "r": 4, "target_modules": ["query", "value"]} | settings)

    return make


def other(name: str, **settings: Any) -> Callable[[], Any]:
    def make() -> Any:
        import peft

        return getattr(peft, name)(task_type="SEQ_CLS", **{"target_modules": ["query", "value"]} | settings)

    return make


MERGED: dict[str, Callable[[], Any]] = {
    "lora": lora(),
    "rslora": lora(use_rslora=True, lora_alpha=32, target_modules="all-linear"),
    "dora": lora(use_dora=True),
    "biases": lora(bias="all", target_modules=["query", "dense"]),
    "ranks by module": lora(rank_pattern={"query": 2}, alpha_pattern={"value": 64}),
    "a path as a pattern": lora(target_modules=r"bert\.encoder\.layer\.1\..*query"),
    "embeddings": lora(target_modules=["word_embeddings", "query"]),
    "some tokens": lora(trainable_token_indices=[5, 6]),
    "pooler": lora(modules_to_save=["pooler", "classifier"]),
    "pissa": lora(init_lora_weights="pissa"),
    "adalora": other("AdaLoraConfig", total_step=10, init_r=6, target_r=4),
    "ia3": other("IA3Config", target_modules=["key", "output.dense"], feedforward_modules=["output.dense"]),
    "loha": other("LoHaConfig", r=4),
    "lokr": other("LoKrConfig", r=4),
    "oft": other("OFTConfig", oft_block_size=4),
}


@needs_peft
@pytest.mark.parametrize("kind", list(MERGED))
def test_an_adapter_is_what_peft_makes_of_its_base(tmp_path: Path, kind: str) -> None:
    base = models.save(tmp_path / "base", head=False)
    expected = adapted(tmp_path / "own", base, MERGED[kind]())
    encoder = loaded(tmp_path / "own", base)
    found = hidden(encoder.model)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert np.abs(found - hidden(loaded(base, tmp_path).model)).max() > 0.1
    assert {"classifier.weight", "classifier.bias"} <= encoder.heads.keys()


@needs_peft
@pytest.mark.parametrize(
    ("family", "task", "modules"),
    [
        ("roberta", "SequenceClassification", ["query", "dense"]), ("distilbert", "SequenceClassification", ["q_lin"]),
        ("electra", "TokenClassification", ["value"]), ("bert", "", ["query"]),
    ],
)  # fmt: skip
def test_adapters_of_other_families_and_tasks(tmp_path: Path, family: str, task: str, modules: list[str]) -> None:
    base = models.save(tmp_path / "base", family, head=False)
    settings = {"task_type": "TOKEN_CLS" if task.startswith("Token") else "SEQ_CLS" if task else None}
    expected = adapted(tmp_path / "own", base, lora(target_modules=modules, **settings)(), task)
    np.testing.assert_allclose(hidden(loaded(tmp_path / "own", base).model), expected, atol=1e-4)


@needs_peft
def test_the_base_may_have_a_prefix_and_a_head_of_its_own(tmp_path: Path) -> None:
    base = models.save(tmp_path / "base")
    expected = adapted(tmp_path / "own", base, MERGED["lora"]())
    models.rename(base, "_orig_mod.")
    np.testing.assert_allclose(hidden(loaded(tmp_path / "own", base).model), expected, atol=1e-4)
    assert "weights read under the prefix '_orig_mod.bert.'" in look(tmp_path / "own", base).notes


@needs_peft
def test_it_is_said_and_its_files_are_those_of_the_base_and_its_own(tmp_path: Path) -> None:
    base = models.save(tmp_path / "base", head=False)
    adapted(tmp_path / "own", base, MERGED["lora"]())
    model = look(tmp_path / "own", base)
    assert model.notes == (f"adapter (LORA, trained on '{base}'), merged into the reference {base}",)
    assert [path.relative_to(tmp_path).as_posix() for path in model.files] == [
        "base/model.safetensors", "own/adapter_config.json", "own/adapter_model.safetensors",
    ]  # fmt: skip


@needs_peft
def test_beside_the_weights_of_its_base_it_is_read_and_beside_others_refused(tmp_path: Path) -> None:
    base = models.save(tmp_path / "base", head=False)
    expected = adapted(tmp_path / "own", base, MERGED["lora"]())
    models.save(tmp_path / "own", head=False)
    np.testing.assert_allclose(hidden(loaded(tmp_path / "own", base).model), expected, atol=1e-4)
    models.save(tmp_path / "own", head=False, seed=5)
    refused(tmp_path / "own", "weights that differ from the reference", base)


@needs_peft
def test_a_pickled_adapter_is_read_and_one_with_code_is_not(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file

    base = models.save(tmp_path / "base", head=False)
    expected = adapted(tmp_path / "own", base, MERGED["lora"]())
    path = tmp_path / "own" / "adapter_model.safetensors"
    torch.save(load_file(path), tmp_path / "own" / "adapter_model.bin")
    path.unlink()
    np.testing.assert_allclose(hidden(loaded(tmp_path / "own", base).model), expected, atol=1e-4)
    torch.save({"x": Path("x")}, tmp_path / "own" / "adapter_model.bin")
    refused(tmp_path / "own", "pickled code", base)


@needs_peft
def test_an_adapter_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    base = models.save(tmp_path / "base", head=False)
    own = tmp_path / "own"
    adapted(own, base, MERGED["lora"]())
    small = models.save(tmp_path / "small", head=False, num_hidden_layers=2)
    refused(own, r"weights without a place in its base: bert\.encoder\.layer\.2\..* and 1 more", small)
    refused(own, "cannot be merged: ", models.save(tmp_path / "narrow", head=False, hidden_size=16))
    refused(own, "it has no weights for a module of it", models.save(tmp_path / "distil", "distilbert", head=False))
    weights = load_file(own / "adapter_model.safetensors")
    name = "base_model.model.bert.encoder.layer.0.attention.self.query.lora_A.weight"
    save_file({n: t for n, t in weights.items() if n != name}, own / "adapter_model.safetensors")
    refused(own, r"lacks weights that it must have: bert\.encoder\.layer\.0\.attention\.self\.query\.lora_A", base)
    save_file({"other": weights[name]}, own / "adapter_model.safetensors")
    refused(own, "'other' is not a name that peft gives", base)


def refused(folder: Path, message: str, base: Path | None) -> None:
    import torch

    with pytest.raises(BertdynError, match=message) as caught:
        load(look(folder, base), torch.device("cpu"))
    assert "\n" not in str(caught.value)
    assert str(folder) in str(caught.value)


def files(folder: Path, **settings: Any) -> Path:
    """The files of a LoRA as peft writes them, without peft."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(exist_ok=True)
    written = {"peft_type": "LORA", "r": 2, "target_modules": ["query"], "base_model_name_or_path": "a/b"} | settings
    (folder / "adapter_config.json").write_text(json.dumps(written))
    name = "base_model.model.bert.encoder.layer.0.attention.self.query"
    tensors = {f"{name}.lora_A.weight": torch.ones(2, 24), f"{name}.lora_B.weight": torch.ones(24, 2)}
    save_file(tensors, folder / "adapter_model.safetensors")
    return folder


KINDS = ["PREFIX_TUNING", "PROMPT_TUNING", "P_TUNING", "VERA", "SOMETHING", "lora", 7, None, ["LORA"]]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_kind_that_cannot_be_merged_is_named(tmp_path: Path, kind: Any) -> None:
    base = models.save(tmp_path / "base", head=False)
    named = f"of kind '{kind}'" if isinstance(kind, str) else "of unknown kind"
    refused(files(tmp_path / "own", peft_type=kind), f"{named}.* which bertdyn cannot merge", base)


def test_without_peft_the_extra_is_named_whatever_lies_beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = models.save(tmp_path / "base", head=False)
    monkeypatch.setattr(adapters, "find_spec", lambda name: None)
    refused(files(tmp_path / "own"), "needs the extra 'adapters'", base)
    models.save(tmp_path / "own")
    refused(tmp_path / "own", "needs the extra 'adapters'", base)


def test_without_a_base_it_is_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "find_spec", lambda name: True)
    own = files(models.save(tmp_path / "own"))
    refused(own, r"is an adapter \(LORA\) of 'a/b', not a whole model: give its base with --reference", None)
    refused(own, "give its base with --reference", own)


def test_the_base_may_not_be_an_adapter_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapters, "find_spec", lambda name: True)
    with pytest.raises(BertdynError, match=r"base is an adapter .* not a whole model"):
        look(files(tmp_path / "own"), files(tmp_path / "base"))


@pytest.mark.parametrize("content", ["{", "null", "[1]", "", "[" * 100_000], ids=range(5))
def test_an_adapters_broken_configuration_is_one_sentence(tmp_path: Path, content: str) -> None:
    own = files(tmp_path / "own")
    (own / "adapter_config.json").write_text(content)
    refused(own, r"adapter_config.json cannot be read|of unknown kind", None)


def test_half_an_adapter_is_never_the_base_in_silence(tmp_path: Path) -> None:
    base = models.save(tmp_path / "base", head=False)
    for missing, message in (("adapter_config.json", "no adapter_config"), ("adapter_model.safetensors", "no weights")):
        own = files(models.save(tmp_path / missing))
        (own / missing).unlink()
        refused(own, message, base)


def test_an_adapter_that_would_run_code_is_refused(tmp_path: Path) -> None:
    refused(files(tmp_path / "own", megatron_config={"a": 1}, megatron_core="os"), "would run code", tmp_path)
