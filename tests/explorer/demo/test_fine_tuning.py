"""Does the training loop write what the Hugging Face Trainer would, and really train?"""

from __future__ import annotations

import hashlib
import json

import pytest

from explorer.demo.recipe import TASKS, Recipe
from explorer.demo.run import tiny_bert

transformers = pytest.importorskip("transformers")
TOPIC, TAGS = TASKS
QUICK = Recipe(steps=(0, 2, 4), batch=4, warm_up=1, sentences=64)


def _weights(folder):
    return {p.parent.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.glob("*/model.safetensors")}


@pytest.mark.parametrize("task", TASKS, ids=lambda t: t.name)
def test_a_run_is_written_as_the_trainer_writes_it(tmp_path, task):
    from explorer.demo.train import fine_tune

    fine_tune(tiny_bert(), tmp_path / "seed-1", task, 1, QUICK, tmp_path / "draft")
    assert sorted(p.name for p in tmp_path.glob("*/*")) == ["checkpoint-0", "checkpoint-2", "checkpoint-4"]
    for step in QUICK.steps:
        folder = tmp_path / "seed-1" / f"checkpoint-{step}"
        state = json.loads((folder / "trainer_state.json").read_text())
        assert state["global_step"] == step
        evaluated = {e["step"]: e["eval_accuracy"] for e in state["log_history"] if "eval_accuracy" in e}
        assert set(evaluated) == {s for s in QUICK.steps if s <= step}
        assert all(0 <= a <= 1 for a in evaluated.values())
        assert {e["step"] for e in state["log_history"] if "loss" in e} == {s for s in QUICK.steps if 0 < s <= step}
        head = "Sequence" if task.kind == "sentence" else "Token"
        config = transformers.AutoConfig.from_pretrained(folder)
        assert config.architectures == [f"BertFor{head}Classification"]
        assert tuple(config.id2label.values()) == task.labels
        assert transformers.AutoTokenizer.from_pretrained(folder)("The soup was good.")["input_ids"]
    assert len(set(_weights(tmp_path / "seed-1").values())) == 3


def test_step_0_has_the_weights_of_the_pre_trained_encoder(tmp_path):
    from safetensors.numpy import load_file

    from explorer.demo.train import fine_tune

    fine_tune(
        tiny_bert(), tmp_path, TAGS, 1, Recipe(steps=(0, 2), batch=4, warm_up=1, sentences=16), tmp_path / "draft"
    )
    before = load_file(tiny_bert() / "model.safetensors")
    after = load_file(tmp_path / "checkpoint-0" / "model.safetensors")
    shared = [k for k in after if k.startswith("bert.")]
    assert len(shared) > 90
    assert all((before[k] == after[k]).all() for k in shared)
    moved = load_file(tmp_path / "checkpoint-2" / "model.safetensors")
    assert not all((before[k] == moved[k]).all() for k in shared)


def test_a_seed_decides_the_run(tmp_path):
    from explorer.demo.train import fine_tune

    recipe = Recipe(steps=(0, 2), batch=4, warm_up=1, sentences=16)
    for name, seed in (("a", 1), ("again", 1), ("b", 2)):
        fine_tune(tiny_bert(), tmp_path / name, TOPIC, seed, recipe, tmp_path / "draft")
    assert _weights(tmp_path / "a") == _weights(tmp_path / "again")
    assert _weights(tmp_path / "a")["checkpoint-2"] != _weights(tmp_path / "b")["checkpoint-2"]
