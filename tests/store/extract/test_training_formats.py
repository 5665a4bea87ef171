"""Is a folder with nothing but a training run's sharded state named, with the way to convert it?"""

from __future__ import annotations

from pathlib import Path

import pytest

from store.errors import BertdynError
from store.extract.find import DEFAULT_LAYOUT, Layout, find
from store.models.files import present_files
from tests.store.extract import models

STEP = "sst/seed-1/checkpoint-7"
FORMATS = {
    "FSDP below": ([f"{STEP}/pytorch_model_fsdp_0/__0_0.distcp", f"{STEP}/optimizer_0/__0_0.distcp"], "FSDP", (
        f"accelerate merge-weights {{}}/{STEP}/pytorch_model_fsdp_0 {{}}/{STEP}")),
    "FSDP itself": ([f"{STEP}/__0_0.distcp", f"{STEP}/.metadata"], "FSDP", "accelerate merge-weights"),
    "DeepSpeed": ([f"{STEP}/global_step7/mp_rank_00_model_states.pt", f"{STEP}/latest"], "DeepSpeed", (
        f"python {{}}/{STEP}/zero_to_fp32.py {{}}/{STEP} {{}}/{STEP} --safe_serialization")),
    "Lightning": ([f"{STEP}/epoch=0-step=7.ckpt"], "Lightning", "load_from_checkpoint"),
    "Lightning, sharded": ([f"{STEP}/last.ckpt/__0_0.distcp"], "Lightning", "consolidate_checkpoint"),
}  # fmt: skip


def made(top: Path, files: list[str]) -> Path:
    for name in files:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_bytes(b"state")
    return top


@pytest.mark.parametrize("configured", [False, True])
@pytest.mark.parametrize(("files", "tool", "way"), FORMATS.values(), ids=list(FORMATS))
def test_it_is_a_checkpoint_that_must_be_converted(
    tmp_path: Path, files: list[str], tool: str, way: str, configured: bool
) -> None:
    made(tmp_path, [*files, f"{STEP}/trainer_state.json", *([f"{STEP}/config.json"] if configured else [])])
    (found,), notes = find([tmp_path], Layout(DEFAULT_LAYOUT))
    assert (str(found.key), notes) == ("sst/1/7", [])
    with pytest.raises(BertdynError, match=f"^{found.folder} holds .*{tool}") as caught:
        present_files(found.folder)
    assert way.format(*[tmp_path] * 3) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("files", "tool", "way"), FORMATS.values(), ids=list(FORMATS))
def test_beside_weights_it_does_not_matter(tmp_path: Path, files: list[str], tool: str, way: str) -> None:
    models.save(made(tmp_path, files) / STEP)
    (found,), notes = find([tmp_path], Layout(DEFAULT_LAYOUT))
    assert (str(found.key), notes) == ("sst/1/7", [])
    assert present_files(found.folder)


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("lightning_logs/version_0/checkpoints/epoch=1-step=20.ckpt", r"checkpoints holds a checkpoint of Lightning"),
        ("out/global_step20/zero_pp_rank_0_mp_rank_00_optim_states.pt", r"global_step20 holds the sharded state of De"),
        ("out/model/__0_0.distcp", r"model holds sharded weights of FSDP"),
    ],
)
def test_where_its_path_does_not_fit_it_is_named_all_the_same(tmp_path: Path, file: str, said: str) -> None:
    with pytest.raises(BertdynError, match=said):
        find([made(tmp_path, [file])], Layout(DEFAULT_LAYOUT))
    models.save(tmp_path / STEP)
    (found,), (note,) = find([tmp_path], Layout(DEFAULT_LAYOUT))
    assert str(found.key) == "sst/1/7"
    assert note.startswith("1 folder left out: ")


def test_the_state_of_an_optimiser_alone_is_nothing(tmp_path: Path) -> None:
    with pytest.raises(BertdynError, match="No checkpoint under"):
        find([made(tmp_path, [f"{STEP}/optimizer_0/__0_0.distcp"])], Layout(DEFAULT_LAYOUT))


def test_a_final_model_above_hides_no_sharded_checkpoint(tmp_path: Path) -> None:
    models.save(tmp_path / "sst/seed-1")
    made(tmp_path, [f"{STEP}/__0_0.distcp", "sst/seed-1/trainer_state.json"])
    found, _ = find([tmp_path], Layout(DEFAULT_LAYOUT))
    assert [str(one.key) for one in found] == ["sst/1/7"]
