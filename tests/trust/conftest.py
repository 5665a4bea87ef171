"""Commands to be killed and disturbed, and what they start from."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import locks
from store.layout import TABLES
from tests.trust.commands import SHORT_WAIT, Command, Commands
from tests.trust.scenarios import EXTRACT, NAME, call


@pytest.fixture(autouse=True)
def short_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait no minute for the lock of a process that may live on the other host."""
    monkeypatch.setattr(locks, "WAIT_SECONDS", SHORT_WAIT)


@pytest.fixture(scope="session")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Commands]:
    """Return what runs commands."""
    commands = Commands(tmp_path_factory.mktemp("world"), all_commands=bool(os.environ.get("BERTDYN_LONG")))
    yield commands
    commands.close()


@pytest.fixture(scope="session")
def world(commands: Commands) -> Path:
    """Folders from which commands start, beside their checkpoints and sentences."""
    root = commands.root
    (root / "empty").mkdir()
    _made(commands, root / "empty", root / "extracted", call(*EXTRACT))
    layers = [call("compute", "svcca", NAME, "--layer", str(layer), "--device", "cpu") for layer in range(3)]
    _made(commands, root / "extracted", root / "computed", *layers)
    for name in ("curves.svg", "rows.parquet", "curves.png"):
        (root / "computed" / name).write_bytes(b"an older file")
    shutil.copytree(root / "computed", root / "damaged")
    store = root / "damaged" / NAME
    (store / "activations" / "dev" / "sst" / "1" / "10" / "hidden" / "c" / "0" / "0" / "0").write_bytes(b"damaged")
    next((store / TABLES / "results").glob("*.parquet")).write_bytes(b"damaged")
    return root


def _made(commands: Commands, start: Path, folder: Path, *calls: Command) -> None:
    shutil.copytree(start, folder)
    for one in calls:
        ended = commands.run(folder, one)
        assert ended.code == 0, ended.said
