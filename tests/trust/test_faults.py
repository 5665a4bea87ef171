"""Disks that fail or are full lose nothing: a sentence names the place, and the same command completes its work later.

A write of a command fails with an error of the system, and with it all later ones; or the command runs on a disk of
its own that has hardly any room. It ends with a sentence about that disk, or does without what it could not write. What
was stored before is there; what is new is what the undisturbed command stored. When the disk works again, the same
command gives the store of the undisturbed one, and leaves no leftovers.
"""

from __future__ import annotations

import errno
import os
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.trust.commands import Commands, Ended, Point
from tests.trust.scenarios import SCENARIOS, Scenario, Trial, picker, small_disk

pytestmark = [pytest.mark.slow, pytest.mark.index]

SEED = 3
ERRORS = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EACCES, errno.EROFS)
FULL = "is full. Free some space|No space left on device| [kMG]?B free|Disk quota exceeded"
PAGE = 4096


def is_told(ended: Ended, words: str) -> None:
    """Check the end of a command that met a fault: it did without the write, or says what was wrong."""
    assert "Traceback" not in ended.said
    assert ended.code in (0, 1, 2), ended.said
    if ended.code:
        assert any(word in ended.said for word in words.split("|")), ended.said


def with_failing_writes(commands: Commands, world: Path, scenario: Scenario, tries: int) -> None:
    trial = Trial(commands, world, scenario)
    rng = random.Random(f"{SEED} {scenario}")
    pick = picker(rng, trial.undisturbed)
    for _ in range(tries):
        point = Point(write=pick(1.0), error=rng.choice(ERRORS))
        with trial.folder() as folder:
            is_told(commands.run(folder, scenario.command, point), f"{FULL}|{os.strerror(point.error)}")
            trial.look(folder, f"{point} of {trial.undisturbed.writes[point.write - 1]}")
            again = commands.run(folder, scenario.command)
            assert again.code == 0, again.said


def leave(disk: Path, pages: int) -> Path:
    """Fill a disk up to some pages of memory, and return the file to be removed again."""
    ballast = disk / "ballast"
    with open(ballast, "wb", buffering=0) as file:
        while (free := os.statvfs(disk).f_bavail - pages) > 0:
            file.write(bytes(min(free, 256) * PAGE))
    return ballast


def with_a_small_disk(commands: Commands, world: Path, scenario: Scenario, tries: int) -> None:
    trial = Trial(commands, world, scenario)
    rng = random.Random(f"{SEED} {scenario}")
    for _ in range(tries):
        pages = int(2 ** rng.uniform(0, 7)) - 1
        with small_disk(world / "disk") as disk, trial.folder(disk) as folder:
            ballast = leave(disk, pages)
            is_told(commands.run(folder, scenario.command), FULL)
            ballast.unlink()
            trial.look(folder, f"{pages} pages")
            again = commands.run(folder, scenario.command)
            assert again.code == 0, again.said


@pytest.mark.parametrize("name", ["compaction"])
def test_failing_writes_lose_nothing(commands: Commands, world: Path, name: str) -> None:
    with_failing_writes(commands, world, SCENARIOS[name], tries=1)


def tries(name: str, chosen: Sequence[str]) -> int:
    """Return the number of tries of a command: one for some, for all as many as ``BERTDYN_FAULTS`` says together."""
    asked = os.environ.get("BERTDYN_FAULTS")
    if asked is None and name not in chosen:
        pytest.skip("set BERTDYN_FAULTS=66 to disturb all commands")
    return -(-int(asked or 1) // len(SCENARIOS))


@pytest.mark.on_demand
@pytest.mark.parametrize("name", SCENARIOS)
def test_many_failing_writes_lose_nothing(commands: Commands, world: Path, name: str) -> None:
    with_failing_writes(commands, world, SCENARIOS[name], tries(name, ["extract", "training", "figure"]))


@pytest.mark.on_demand
@pytest.mark.parametrize("name", SCENARIOS)
def test_full_disks_lose_nothing(commands: Commands, world: Path, name: str) -> None:
    with_a_small_disk(commands, world, SCENARIOS[name], tries(name, ["compaction", "repair", "training"]))
