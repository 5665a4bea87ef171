"""Odd surroundings: a store that cannot be written, that has moved, or that is reached in another way; a temporary or
home folder that is full; few file descriptors. A command works, or one sentence says what is wrong."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from explorer.compute.pool import local_pool
from store import index
from store.errors import BertdynError
from store.layout import INDEX
from store.store import Store
from tests.parameters import later
from tests.synthetic import make_store
from tests.trust.commands import Commands, Ended
from tests.trust.contents import contents
from tests.trust.scenarios import EXTRACT, NAME, call, small_disk

pytestmark = [pytest.mark.slow, pytest.mark.index]

COUNT = ("sql", NAME, "select count(*) as n from svcca", "--format", "csv")
CRASHES = (-signal.SIGSEGV, -signal.SIGABRT, 127)
"""Exit codes of a process that a library crashed."""
JS = ("compute", "js", NAME, "--step", "10", "--device", "cpu")


def refused(ended: Ended, words: str) -> None:
    """Check that a command was refused in one sentence."""
    assert ended.code == 2, ended.said
    assert re.search(rf"(^|\n)bertdyn: [^\n]*{words}[^\n]*\n$", ended.said), ended.said
    assert "Traceback" not in ended.said


def counted(commands: Commands, folder: Path) -> int:
    ended = commands.run(folder, call(*COUNT))
    assert ended.code == 0, ended.said
    return int(ended.said.split()[-1])


def test_a_store_on_a_read_only_disk_is_shown_and_not_changed(commands: Commands, world: Path) -> None:
    with small_disk(world / "read-only") as disk:
        shutil.copytree(world / "computed", disk, dirs_exist_ok=True)
        before = contents(disk / NAME)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        assert counted(commands, disk) == len([name for name in before if name.startswith("row")])
        for arguments in (("ls", NAME), ("show", "curves", NAME), ("check", NAME)):
            ended = commands.run(disk, call(*arguments))
            assert ended.code == 0, ended.said
        refused(commands.run(disk, call(*JS)), f"{NAME}' cannot be written: Read-only file system")
        annotate = call("annotate", NAME, "dev", "../dev.tsv", "--name", "topic")
        refused(commands.run(disk, annotate), f"{NAME}' cannot be written: Read-only file system")
        refused(commands.run(disk, call("check", NAME, "--repair")), f"{NAME}' is not writable")
        refused(commands.run(disk, call(*COUNT, "-o", "n.csv")), "Cannot write n.csv: Read-only file system")
        assert contents(disk / NAME) == before


@pytest.mark.parametrize("how", [*map(later, ["moved", "copied", "linked", "linked parent"])])
def test_a_store_works_wherever_it_is_and_however_it_is_reached(commands: Commands, world: Path, how: str) -> None:
    folder = world / f"mein Ordner ü 日本 {how}"
    store = folder / NAME
    shutil.copytree(world / "computed", folder)
    if how == "moved":
        folder = folder.rename(world / "moved twice, 'quoted'")
        store = folder / NAME
    elif how == "linked":
        store = store.rename(folder / "elsewhere.bertdyn")
        (folder / NAME).symlink_to(store.name)
    elif how == "linked parent":
        link = world / "link ü"
        link.symlink_to(folder.name)
        folder = link
    before = counted(commands, folder)
    ended = commands.run(folder, call(*JS))
    assert ended.code == 0, ended.said
    assert counted(commands, folder) == before
    found = contents(store)
    assert len([name for name in found if name.startswith("row ('js'")]) == 3 * (1 + 2)  # layers, heads
    assert contents(world / "computed" / NAME).items() <= found.items()
    assert not [path for path in store.parent.iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("variable", [later("TMPDIR"), later("HOME")])
def test_a_full_temporary_or_home_folder_does_no_harm(commands: Commands, world: Path, variable: str) -> None:
    folder = world / f"without {variable}"
    shutil.copytree(world / "computed", folder)
    with small_disk(world / "full", 4096) as disk:
        (disk / "ballast").write_bytes(bytes(4096))
        for arguments in (COUNT, ("show", "curves", NAME), JS):
            ended = commands.run(folder, replace(call(*arguments), environment=((variable, str(disk)),)))
            assert ended.code == 0, ended.said
        assert [path.name for path in disk.iterdir()] == ["ballast"]


@pytest.mark.parametrize("descriptors", [later(10), 14, later(20), later(40)])
def test_few_file_descriptors_are_enough_or_said_to_be_too_few(
    commands: Commands, world: Path, descriptors: int
) -> None:
    folder = world / f"{descriptors} descriptors"
    shutil.copytree(world / "computed", folder)
    before = contents(folder / NAME)
    for arguments in (COUNT, JS):
        ended = commands.run(folder, replace(call(*arguments), descriptors=descriptors))
        assert ended.code in (0, 2), ended.said
        assert "Traceback" not in ended.said
        if ended.code:
            refused(ended, "Too many open files")
    assert before.items() <= contents(folder / NAME).items()
    assert commands.run(folder, call(*JS)).code == 0


@pytest.mark.parametrize("megabytes", [later(4), later(16), 40, later(100), later(250)])
@pytest.mark.parametrize("start", ["empty", "computed"])
def test_little_memory_is_enough_or_said_to_be_too_little(
    commands: Commands, world: Path, start: str, megabytes: int
) -> None:
    """Threads of torch and DuckDB that get no memory for their own data crash; glibc then ends the process."""
    folder = world / f"{start} {megabytes} megabytes"
    shutil.copytree(world / start, folder)
    every = (EXTRACT,) if start == "empty" else (COUNT, JS)
    before = contents(folder / NAME) if start == "computed" else {}
    for arguments in every:
        ended = commands.run(folder, replace(call(*arguments), memory=megabytes << 20))
        assert ended.code in (0, 1, 2, *CRASHES), ended.said
        assert "Traceback" not in ended.said
        if ended.code in (1, 2):
            assert re.search("[Mm]emory|allocate|thread|Decompression failure", ended.said), ended.said
    if start == "computed":
        assert before.items() <= contents(folder / NAME).items()
    for arguments in every:
        assert commands.run(folder, call(*arguments)).code == 0


@pytest.mark.parametrize("error", [OSError(30, "Read-only file system"), OSError(24, "Too many open files")])
def test_worker_processes_that_cannot_be_started_are_one_sentence(
    monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    import loky

    def failing(*arguments: object, **more: object) -> None:
        raise error

    monkeypatch.setattr(loky, "ProcessPoolExecutor", failing)
    with (
        pytest.raises(BertdynError, match=rf"^No worker processes can be started: {error.strerror}\. .*/dev/shm"),
        local_pool(1),
    ):
        pytest.fail("there is no pool")


def test_a_disk_that_is_full_when_the_index_is_committed_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = make_store(tmp_path / NAME, tasks=["sst2"], seeds=["1"], steps=[0], pretrained=False)

    def full(*arguments: object) -> None:
        raise duckdb.TransactionException("TransactionContext Error: Failed to commit: No space left on device")

    monkeypatch.setattr(index, "_write_views", full)
    (store.path / INDEX).unlink()
    assert len(Store.open(store.path).checkpoints()) == 1  # the index is for other programs
    with pytest.raises(BertdynError, match=rf"^The disk that holds '.*{INDEX}' is full\."):
        store.check(repair=True)
