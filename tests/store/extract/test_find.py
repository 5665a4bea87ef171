from __future__ import annotations

import json
from pathlib import Path

import pytest

from store.errors import BertdynError
from store.extract.find import DEFAULT_LAYOUT, Layout, find, history, weight_files


def checkpoint(folder: Path, step: int | None = None) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_bytes(b"weights")
    if step is not None:
        (folder / "trainer_state.json").write_text(json.dumps({"global_step": step, "log_history": []}))
    return folder


def keys(*runs: Path, layout: str = DEFAULT_LAYOUT) -> list[str]:
    return [str(f.key) for f in find(runs, Layout(layout))[0]]


def test_a_folder_of_runs_gives_each_checkpoint_in_order(tmp_path: Path) -> None:
    for step in (100, 20, 0):
        checkpoint(tmp_path / "runs" / "sst2" / "seed-a b" / f"checkpoint-{step}")
    checkpoint(tmp_path / "runs" / "mnli" / "seed-1" / "checkpoint-5")
    assert keys(tmp_path / "runs") == ["mnli/1/5", "sst2/a b/0", "sst2/a b/20", "sst2/a b/100"]


def test_a_task_a_run_and_a_single_checkpoint_can_be_named_too(tmp_path: Path) -> None:
    one = checkpoint(tmp_path / "sst2" / "seed-1" / "checkpoint-20")
    for named in (tmp_path / "sst2", tmp_path / "sst2" / "seed-1", one):
        assert keys(named) == ["sst2/1/20"]


def test_a_folder_named_twice_counts_once(tmp_path: Path) -> None:
    checkpoint(tmp_path / "sst2" / "seed-1" / "checkpoint-20")
    assert keys(tmp_path, tmp_path / "sst2") == ["sst2/1/20"]


def test_linked_runs_are_followed_and_circles_end(tmp_path: Path) -> None:
    checkpoint(tmp_path / "disk" / "sst2" / "seed-1" / "checkpoint-20")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "sst2").symlink_to(tmp_path / "disk" / "sst2")
    (tmp_path / "runs" / "again").symlink_to(tmp_path / "runs")
    assert keys(tmp_path / "runs") == ["sst2/1/20"]


def test_without_step_in_the_layout_the_trainer_says_it(tmp_path: Path) -> None:
    checkpoint(tmp_path / "sst2" / "1" / "best", step=345)
    assert keys(tmp_path, layout="{task}/{seed}/*") == ["sst2/1/345"]


def test_a_step_that_nobody_says_is_an_error(tmp_path: Path) -> None:
    checkpoint(tmp_path / "sst2" / "1" / "best")
    with pytest.raises(BertdynError, match=r"step of .*best cannot be told"):
        keys(tmp_path, layout="{task}/{seed}/best")


def test_without_seed_in_the_layout_the_seed_is_0(tmp_path: Path) -> None:
    checkpoint(tmp_path / "out" / "checkpoint-7")
    assert keys(tmp_path, layout="{task}/checkpoint-{step}") == ["out/0/7"]


@pytest.mark.parametrize("template", ["", "x/{step}", "{task}/{epoch}", "{task}/{task}"])
def test_an_unusable_layout_says_what_it_must_name(template: str) -> None:
    with pytest.raises(BertdynError, match=r"--layout: .* must name \{task\}"):
        Layout(template)


def test_no_such_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(BertdynError, match=r"no folder .*nowhere"):
        keys(tmp_path / "nowhere")


def test_nothing_found_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(
        BertdynError, match=r"No checkpoint under .*checkpoint-\{step\} with config.json and model.safe"
    ):
        keys(tmp_path)


def test_models_that_do_not_fit_the_layout_are_named(tmp_path: Path) -> None:
    checkpoint(tmp_path / "final")
    with pytest.raises(BertdynError, match=r"1 folder with a model does not fit, such as .*final: give a --layout"):
        keys(tmp_path)
    checkpoint(tmp_path / "sst2" / "seed-1" / "checkpoint-20")
    _, notes = find([tmp_path], Layout(DEFAULT_LAYOUT))
    assert len(notes) == 1
    assert "final does not fit the layout" in notes[0]


def test_two_folders_for_one_checkpoint_are_an_error(tmp_path: Path) -> None:
    for disk in "ab":
        checkpoint(tmp_path / disk / "sst2" / "seed-1" / "checkpoint-20")
    with pytest.raises(BertdynError, match="are both checkpoint sst2/1/20"):
        keys(tmp_path)


def test_a_task_named_like_the_reference_is_refused(tmp_path: Path) -> None:
    checkpoint(tmp_path / "pretrained" / "seed-1" / "checkpoint-0")
    with pytest.raises(BertdynError, match="name of the reference"):
        keys(tmp_path)


def test_safetensors_come_before_pickles_and_shards_are_all_found(tmp_path: Path) -> None:
    folder = checkpoint(tmp_path / "x")
    (folder / "pytorch_model.bin").write_bytes(b"")
    assert [p.name for p in weight_files(folder)] == ["model.safetensors"]
    (folder / "model.safetensors").unlink()
    shards = {"a": "model-1.safetensors", "b": "model-2.safetensors", "c": "model-1.safetensors"}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    assert [p.name for p in weight_files(folder)] == ["model-1.safetensors", "model-2.safetensors"]


def test_the_trainers_history_up_to_a_step(tmp_path: Path) -> None:
    log = [
        {"step": 10, "epoch": 0.5, "loss": 0.9, "learning_rate": 1e-4},
        {"step": 20, "epoch": 1.0, "loss": 0.7},
        {"step": 20, "epoch": 1.0, "eval_accuracy": 0.8, "eval_runtime": 3.0, "eval_samples_per_second": 9.0},
        {"step": 30, "epoch": 1.5, "loss": float("nan"), "note": "text"},
    ]
    (tmp_path / "trainer_state.json").write_text(json.dumps({"global_step": 30, "epoch": 1.5, "log_history": log}))
    at_20 = history(tmp_path, 20)
    assert (at_20.step, at_20.loss, dict(at_20.metrics)) == (30, 0.7, {"eval_accuracy": 0.8})
    assert {entry["step"] for entry in at_20.log} == {10, 20}
    at_end = history(tmp_path)
    assert (at_end.epoch, at_end.loss) == (1.5, 0.7)
    assert [e["value"] for e in at_end.log if e["step"] == 30] == [None]


def test_a_broken_history_is_noted_not_fatal(tmp_path: Path) -> None:
    assert history(tmp_path).note == ""
    (tmp_path / "trainer_state.json").write_text('{"global_step": 3')
    assert "cannot be read" in history(tmp_path).note
    (tmp_path / "trainer_state.json").write_text("[]")
    assert "cannot be read" in history(tmp_path).note
