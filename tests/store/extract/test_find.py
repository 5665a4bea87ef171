from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from store.errors import BertdynError
from store.extract.find import DEFAULT_LAYOUT, Layout, RunKind, find, history, run_kind
from store.models.files import weight_files


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


def three(run: Path) -> Path:
    for step in (100, 200, 300):
        checkpoint(run / f"checkpoint-{step}", step)
    return run


THREE = ["sst2/1/100", "sst2/1/200", "sst2/1/300"]


def notes(*runs: Path, layout: str = DEFAULT_LAYOUT) -> list[str]:
    return find(runs, Layout(layout))[1]


@pytest.mark.parametrize("absolute", [True, False])
@pytest.mark.parametrize("name", ["best", "last", "checkpoint-7", "checkpoint-best"])
@pytest.mark.parametrize("layout", [DEFAULT_LAYOUT, "{task}/seed-{seed}/*"])
def test_a_link_never_hides_the_checkpoint_that_it_points_to(
    tmp_path: Path, absolute: bool, name: str, layout: str
) -> None:
    run = three(tmp_path / "sst2" / "seed-1")
    (run / name).symlink_to(run / "checkpoint-200" if absolute else Path("checkpoint-200"))
    found, said = find([tmp_path], Layout(layout))
    assert [str(f.key) for f in found] == THREE
    assert not any(f.folder.is_symlink() for f in found)
    assert said == [
        f"1 link to what is read under another name: {run / name} -> {os.path.realpath(run / 'checkpoint-200')}."
    ]


@pytest.mark.parametrize("name", ["a", "seed-0", "seed-2", "zz"])
def test_a_link_to_a_run_makes_no_second_run(tmp_path: Path, name: str) -> None:
    run = three(tmp_path / "sst2" / "seed-1")
    (tmp_path / "sst2" / name).symlink_to("seed-1")
    assert keys(tmp_path) == THREE
    assert notes(tmp_path) == [f"1 link to what is read under another name: {run.parent / name} -> {run.resolve()}."]


def test_links_to_each_other_and_in_circles_end_and_hide_nothing(tmp_path: Path) -> None:
    run = three(tmp_path / "sst2" / "seed-1")
    for name, target in {"a": "b", "b": "a", "self": "self", "up": "..", "top": str(tmp_path), "here": "."}.items():
        (run / name).symlink_to(target)
    found, said = find([tmp_path], Layout(DEFAULT_LAYOUT))
    assert [str(f.key) for f in found] == THREE
    assert [note.split(":")[0] for note in said] == [
        "3 links to what is read under another name",
        "3 links without a target",
    ]


def test_many_links_to_each_other_take_no_time(tmp_path: Path) -> None:
    places = [tmp_path / f"{i}" for i in range(12)]
    for place in places:
        place.mkdir()
        for other in places:
            (place / f"to-{other.name}").symlink_to(other)
    checkpoint(places[3] / "model")
    checkpoint(places[3] / "seed-1" / "checkpoint-5")
    assert keys(tmp_path) == ["3/1/5"]


def test_a_link_without_a_target_is_said(tmp_path: Path) -> None:
    run = three(tmp_path / "sst2" / "seed-1")
    (run / "checkpoint-400").symlink_to("checkpoint-gone")
    assert keys(tmp_path) == THREE
    assert notes(tmp_path) == [f"1 link without a target: {run / 'checkpoint-400'}."]
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "checkpoint-9").symlink_to(tmp_path / "nowhere")
    with pytest.raises(BertdynError, match=r"No checkpoint under .*1 link without a target: .*checkpoint-9"):
        keys(tmp_path / "other")


def test_a_link_to_a_checkpoint_elsewhere_is_a_checkpoint(tmp_path: Path) -> None:
    run = three(tmp_path / "runs" / "sst2" / "seed-1")
    (run / "checkpoint-400").symlink_to(checkpoint(tmp_path / "disk" / "job-7"))
    assert keys(tmp_path / "runs") == [*THREE, "sst2/1/400"]
    assert notes(tmp_path / "runs") == []


def test_a_link_whose_name_says_nothing_takes_the_name_of_its_target(tmp_path: Path) -> None:
    run = three(tmp_path / "runs" / "sst2" / "seed-1")
    (run / "best").symlink_to(checkpoint(tmp_path / "disk" / "sst2" / "seed-2" / "checkpoint-9"))
    (tmp_path / "runs" / "more").symlink_to(checkpoint(tmp_path / "disk" / "pos" / "seed-3" / "checkpoint-8").parent)
    assert keys(tmp_path / "runs") == ["pos/3/8", *THREE, "sst2/2/9"]
    assert "best -> " in notes(tmp_path / "runs")[0]
    # Named itself, too.
    assert keys(run / "best") == ["sst2/2/9"]


def test_the_name_of_a_target_elsewhere_gives_way_to_a_checkpoint_of_that_name(tmp_path: Path) -> None:
    run = three(tmp_path / "runs" / "sst2" / "seed-1")
    elsewhere = checkpoint(tmp_path / "disk" / "sst2" / "seed-1" / "checkpoint-100")
    (run / "a-copy").symlink_to(elsewhere)
    found, said = find([tmp_path / "runs"], Layout(DEFAULT_LAYOUT))
    assert [str(f.key) for f in found] == THREE
    assert found[0].folder == run / "checkpoint-100"
    assert [note.split(":")[0] for note in said] == ["1 folder with a model left out"]
    assert "a-copy" in said[0]


def test_two_links_to_one_checkpoint_elsewhere_are_one_checkpoint(tmp_path: Path) -> None:
    target = checkpoint(tmp_path / "disk" / "job-7")
    run = tmp_path / "runs" / "sst2" / "seed-1"
    run.mkdir(parents=True)
    for name in ("best", "checkpoint-20", "checkpoint-30"):
        (run / name).symlink_to(target)
    assert keys(tmp_path / "runs") == ["sst2/1/20"]
    said = notes(tmp_path / "runs")
    assert said[0].startswith("2 links to what is read under another name: ")
    assert "best -> " in said[0]
    assert "checkpoint-30 -> " in said[0]


def test_a_link_whose_name_fits_stands_for_a_folder_whose_name_does_not(tmp_path: Path) -> None:
    run = three(tmp_path / "sst2" / "seed-1")
    checkpoint(tmp_path / "blobs" / "7f3a")
    (run / "checkpoint-400").symlink_to(Path("..", "..", "blobs", "7f3a"))
    found, said = find([tmp_path], Layout(DEFAULT_LAYOUT))
    assert [str(f.key) for f in found] == [*THREE, "sst2/1/400"]
    assert found[-1].folder == run / "checkpoint-400"
    assert said == []


def test_a_linked_run_names_checkpoints_whose_own_folder_does_not_fit(tmp_path: Path) -> None:
    checkpoint(tmp_path / "raw" / "job-9" / "checkpoint-20")
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "nine").symlink_to(tmp_path / "raw" / "job-9")
    (tmp_path / "sst2").mkdir()
    (tmp_path / "sst2" / "seed-4").symlink_to(tmp_path / "jobs" / "nine")
    (tmp_path / "again").symlink_to("sst2")
    found, said = find([tmp_path], Layout(DEFAULT_LAYOUT))
    assert [str(f.key) for f in found] == ["sst2/4/20"]
    assert found[0].folder == tmp_path / "sst2" / "seed-4" / "checkpoint-20"
    assert [note.split(":")[0] for note in said] == ["1 link to what is read under another name"]


def test_a_chain_of_links_is_followed_out_of_the_tree(tmp_path: Path) -> None:
    checkpoint(tmp_path / "disk2" / "r1" / "checkpoint-20")
    (tmp_path / "disk1" / "s").mkdir(parents=True)
    (tmp_path / "disk1" / "s" / "seed-1").symlink_to(tmp_path / "disk2" / "r1")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "sst2").symlink_to(tmp_path / "disk1" / "s")
    assert keys(tmp_path / "runs") == ["sst2/1/20"]


def test_a_folder_that_cannot_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = three(tmp_path / "sst2" / "seed-1")
    scan = os.scandir

    def refusing(path: str) -> object:
        if str(path).endswith("checkpoint-200"):
            raise PermissionError
        return scan(path)

    monkeypatch.setattr(os, "scandir", refusing)
    assert keys(tmp_path) == ["sst2/1/100", "sst2/1/300"]
    assert notes(tmp_path) == [f"1 folder that cannot be read: {run / 'checkpoint-200'}."]


def test_without_step_in_the_layout_the_trainer_says_it(tmp_path: Path) -> None:
    checkpoint(tmp_path / "sst2" / "1" / "best", step=345)
    assert keys(tmp_path, layout="{task}/{seed}/*") == ["sst2/1/345"]


def test_a_step_that_nobody_says_is_an_error(tmp_path: Path) -> None:
    checkpoint(tmp_path / "sst2" / "1" / "best")
    with pytest.raises(BertdynError, match=r"step of .*best is unknown"):
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
        {"step": 0, "epoch": 0.0, "eval_accuracy": 0.5},
        {"step": 10, "epoch": 0.5, "loss": 0.9, "learning_rate": 1e-4},
        {"step": 20, "epoch": 1.0, "loss": 0.7},
        {"step": 20, "epoch": 1.0, "eval_accuracy": 0.8, "eval_runtime": 3.0, "eval_samples_per_second": 9.0},
        {"step": 30, "epoch": 1.5, "loss": float("nan"), "note": "text"},
    ]
    (tmp_path / "trainer_state.json").write_text(json.dumps({"global_step": 30, "epoch": 1.5, "log_history": log}))
    at_20 = history(tmp_path, 20)
    assert (at_20.step, at_20.loss, dict(at_20.metrics)) == (30, 0.7, {"eval_accuracy": 0.8})
    assert {entry["step"] for entry in at_20.log} == {0, 10, 20}
    at_end = history(tmp_path)
    assert (at_end.epoch, at_end.loss) == (1.5, 0.7)
    assert [e["value"] for e in at_end.log if e["step"] == 30] == [None]


def test_a_broken_history_is_noted_not_fatal(tmp_path: Path) -> None:
    assert history(tmp_path).note == ""
    (tmp_path / "trainer_state.json").write_text('{"global_step": 3')
    assert "cannot be read" in history(tmp_path).note
    (tmp_path / "trainer_state.json").write_text("[]")
    assert "cannot be read" in history(tmp_path).note


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ('{"kind": "freeze", "k": 3}', RunKind("freeze", 3)),
        ('{"kind": "scratch", "k": null}', RunKind("scratch")),
        ('{"kind": "freeze", "k": -1}', RunKind("freeze")),
        ('{"kind": 7, "k": 3}', RunKind()),
        ('{"lr": 0.1}', RunKind()),
        ("[1]", RunKind()),
        ("{", RunKind()),
    ],
)
def test_a_run_says_how_it_was_made_in_a_file_beside_its_checkpoints(tmp_path: Path, said: str, kind: RunKind) -> None:
    folder = checkpoint(tmp_path / "sst2+freeze-9" / "seed-1" / "checkpoint-20")
    assert run_kind(folder) == RunKind()
    (folder.parent / "run.json").write_text(said)
    assert run_kind(folder) == kind
