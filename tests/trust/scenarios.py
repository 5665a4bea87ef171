"""Commands that write, each with what it starts from, and trials of them."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from store import ownership
from store.layout import MARKER, STAGING
from store.locks import locked
from store.ownership import owner
from store.staging import Stage
from store.store import Store
from tests.trust.commands import Command, Commands, Ended, other_host
from tests.trust.contents import contents

NAME = "s.bertdyn"
ALIVE_ELSEWHERE = "bbbbbbbb-cccccccc-1-1-0123456789ab"
"""Folder in ``staging/`` of a process on a third host."""


@dataclass(frozen=True)
class Scenario:
    """A command that writes, and what it starts from."""

    command: Command
    start: str
    """Name of a folder of the fixture ``world``."""
    readable: bool = True
    """Whether the store that it starts from is intact."""
    output: str = ""
    """File that it writes beside the store."""


def call(*arguments: str, small_tables: bool = False) -> Command:
    """Return a command."""
    return Command(arguments, small_tables=small_tables)


EXTRACT = ("extract", NAME, "../runs", "--reference", "../base", "--corpus", "dev=../dev.tsv", "--device", "cpu")
_TRAIN = (
    *("--task", "sst", "--train", "../dev.tsv", "--eval", "../dev.tsv", "--out", "ablations", "--cpu"),
    *("--max-steps", "4", "--batch-size", "4", "--learning-rate", "1e-3", "--checkpoints", "0,2"),
)
_ROWS = "from svcca order by all"
SCENARIOS = {
    "extract": Scenario(call(*EXTRACT), "empty"),
    "annotate": Scenario(call("annotate", NAME, "dev", "../dev.tsv", "--name", "topic"), "extracted"),
    "compute": Scenario(call("compute", "svcca,probe", NAME, "--step", "10", "--device", "cpu"), "extracted"),
    "compaction": Scenario(call("compute", "js", NAME, "--device", "cpu", small_tables=True), "computed"),
    "repair": Scenario(call("check", NAME, "--repair"), "damaged", readable=False),
    "picture": Scenario(call("show", "curves", NAME, "-o", "curves.svg"), "computed", output="curves.svg"),
    "rows": Scenario(call("sql", NAME, _ROWS, "-o", "rows.parquet"), "computed", output="rows.parquet"),
    "figure": Scenario(call("show", "curves", NAME, "-o", "curves.png"), "computed", output="curves.png"),
    "landscape": Scenario(call("compute", "loss-curve", NAME, "--step", "10", "--device", "cpu"), "extracted"),
    "training": Scenario(call("ablate", "freeze", NAME, *_TRAIN, "--k", "1"), "extracted"),
    "demo": Scenario(call("demo", "."), "empty"),
}
"""Scenarios by name."""


@contextmanager
def small_disk(place: Path, bytes: int = 32 << 20) -> Iterator[Path]:
    """Mount a small disk at a folder, and unmount it in the end."""
    place.mkdir(exist_ok=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={bytes}", "tmpfs", str(place)]
    if os.geteuid() or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("this user cannot mount a disk")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


class Trial:
    """A scenario, what its undisturbed command does, and checks of what a disturbed one leaves."""

    def __init__(self, commands: Commands, world: Path, scenario: Scenario) -> None:
        self._world, self._scenario = world, scenario
        self._start = world / scenario.start
        self._calm = self._copied(self._start, "calm")
        self.undisturbed: Ended = commands.run(self._calm, scenario.command)
        """The command without a fault."""
        assert self.undisturbed.code == 0, self.undisturbed.said
        self._wanted = everything(self._calm)
        before = everything(self._copied(self._start, "copy")) if scenario.readable else self._wanted
        assert before.items() <= self._wanted.items()
        self._before = before

    @contextmanager
    def folder(self, place: Path | None = None) -> Iterator[Path]:
        """Yield a folder to run the command in. In the end, it must hold what the undisturbed command stored, and no
        leftovers but those of two processes that live.

        Args:
            place: an empty folder to use; None: make one.
        """
        if place is None:
            place = self._copied(self._start, "tried")
        else:
            shutil.copytree(self._start, place, dirs_exist_ok=True)
        live = _alive(place)
        yield place
        assert everything(place) == self._wanted
        output = self._scenario.output
        if output:
            assert (place / output).read_bytes() == (self._calm / output).read_bytes()
        _tidy(place, live)

    def look(self, folder: Path, where: str) -> None:
        """Check what a reader finds after a fault, in a copy, so that the next call finds what the fault left."""
        output = self._scenario.output
        if output:
            seen = (folder / output).read_bytes()
            assert seen in ((self._start / output).read_bytes(), (self._calm / output).read_bytes()), where
        if not self._scenario.readable:
            return
        copy = self._copied(folder, "copy")
        found = everything(copy)
        assert self._before.items() <= found.items(), where
        assert found.items() <= self._wanted.items(), where
        for path in stores(copy):
            wrong = [p for p in Store.open(path).check().problems if not p.place.startswith(f"{STAGING}/")]
            assert not wrong, where

    def _copied(self, folder: Path, name: str) -> Path:
        copy = self._world / name
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        return copy


def everything(folder: Path) -> dict[str, str]:
    """Return what the stores in a folder hold."""
    return {name: digest for path in stores(folder) for name, digest in contents(path).items()}


def stores(folder: Path) -> list[Path]:
    """Return the stores in a folder."""
    return [path.parent for path in folder.glob(f"*/{MARKER}") if owner(path.parent.name) is None]


def picker(rng: random.Random, undisturbed: Ended) -> Callable[[float], int]:
    """Return a function that picks the number of a write, each kind of write as often as the others.

    Its argument is the share of the command, from its start, in which the write lies.
    """
    kinds: dict[str, list[int]] = defaultdict(list)
    for number, kind in enumerate(undisturbed.writes, 1):
        kinds[kind].append(number)
    order: list[str] = []

    def pick(share: float) -> int:
        last = max(1.0, share * len(undisturbed.writes))
        while True:
            if not order:
                order.extend(rng.sample(list(kinds), len(kinds)))
            early = [number for number in kinds[order.pop()] if number <= last]
            if early:
                return rng.choice(early)

    return pick


def _alive(folder: Path) -> dict[Path, Stage]:
    """Let this process, and one on a third host, write to each store."""
    live = {}
    for path in stores(folder):
        live[path] = Stage(path)
        (path / STAGING / ALIVE_ELSEWHERE).mkdir()
        (path / STAGING / f"{ALIVE_ELSEWHERE}.lock").touch()
    return live


def _tidy(folder: Path, live: Mapping[Path, Stage]) -> None:
    """Check that the next writers remove all leftovers, and nothing of processes that live."""
    for path in stores(folder):
        _write(path)
        with _on_the_other_host():  # a host collects at once what its own processes left
            _write(path)
        stage = live.get(path)
        alive = {ALIVE_ELSEWHERE, stage.path.name} if stage is not None else set()
        assert {name.removesuffix(".lock") for name in os.listdir(path / STAGING)} == alive
        if stage is not None:
            stage.discard()
            (path / STAGING / f"{ALIVE_ELSEWHERE}.lock").unlink()
            (path / STAGING / ALIVE_ELSEWHERE).rmdir()
    for lock in folder.rglob(".lock"):  # it may be left, but does not hinder its own host
        with locked(lock, wait=False) as here, _on_the_other_host(), locked(lock, wait=False) as there:
            assert here != there
    left = [place for place in folder.rglob("*") if owner(place.name) is not None or place.name == ".lock"]
    assert not left


def _write(path: Path) -> None:
    """Begin to write to a store, and find that everything is there."""
    store = Store.open(path)
    store.add_corpus(store.corpus(store.corpora()[0].name))


@contextmanager
def _on_the_other_host() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ownership, "this_machine", other_host)
        yield
