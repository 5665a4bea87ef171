"""What ``--reference`` may name: a folder, or a model on the hub, which may be out of reach."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import huggingface_hub
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError

from store.errors import BertdynError
from store.extract.hub import resolve


def test_a_folder_is_taken_as_it_is(tmp_path: Path) -> None:
    assert resolve(str(tmp_path)) == (tmp_path, str(tmp_path))


@pytest.mark.parametrize("name", ["./absent", "/absent", "~absent", "a/b/c"])
def test_a_path_without_a_folder_is_never_looked_for_on_the_hub(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub, "snapshot_download", None)
    with pytest.raises(BertdynError, match=rf"--reference {name}: there is no folder of that name\.$"):
        resolve(name)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (LocalEntryNotFoundError("offline"), "and the hub cannot be reached for a model of that name"),
        (
            PermissionError("401 for it\nand more lines"),
            "cannot be downloaded from the hub: 401 for it",
        ),
    ],
)
def test_a_model_that_cannot_be_had_is_one_sentence(
    error: Exception, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*arguments: object, **more: object) -> str:
        raise error

    monkeypatch.setattr(huggingface_hub, "snapshot_download", failing)
    with pytest.raises(BertdynError) as refused:
        resolve("owner/absent-model")
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_what_is_no_name_of_a_model_is_refused() -> None:
    with pytest.raises(BertdynError, match="it is not a valid name of a model on the hub"):
        resolve("absent--model..")


@pytest.mark.parametrize("safe", [True, False])
def test_pickles_are_fetched_only_without_safetensors(
    safe: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[list[str]] = []

    def snapshot(name: str, allow_patterns: list[str], **more: Any) -> str:
        asked.append(allow_patterns)
        if safe:
            (tmp_path / "model.safetensors").touch()
        return str(tmp_path)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", snapshot)
    assert resolve("owner/model") == (tmp_path, "owner/model")
    assert [any(".bin" in pattern for pattern in patterns) for patterns in asked] == [False] * safe or [False, True]
    assert len(asked) == 2 - safe
