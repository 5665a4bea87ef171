"""Commands that are killed at any moment lose nothing, show nothing half-written, and are completed by the next call.

A command is run undisturbed first, which lists its writes. Then it is killed just before some of them, or after some
time. After each kill: what was stored before is there, with the same bits; what is new is what the undisturbed command
stored; ``check`` finds nothing but leftovers. In the end the same command is called once more: the store then equals
that of the undisturbed command, and the next writer removes all leftovers, but not those of two processes that still
live, one of them on another host.

Every other call runs on another host, on which each ``flock`` is granted and the clock is 400 s late.

By default 20 kills, on demand 14 of the other commands or as many as ``BERTDYN_KILLS`` says; 220 take 5 to 10 minutes.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from pathlib import Path

import pytest

from tests.trust.commands import NEVER, Commands, Point
from tests.trust.scenarios import SCENARIOS, Scenario, Trial, picker

pytestmark = [pytest.mark.slow, pytest.mark.index]

SEED = 7
BY_DEFAULT = ("extract", "compute", "compaction", "repair")
AFTER_A_TIME = 0.2
"""Share of kills after some time rather than before a write."""


def killed(commands: Commands, world: Path, scenario: Scenario, kills: int, in_a_row: int) -> str:
    """Kill a command until that met it so many times, with some kills before each call that ends."""
    trial = Trial(commands, world, scenario)
    rng = random.Random(f"{SEED} {scenario}")
    pick = picker(rng, trial.undisturbed)
    met = tries = 0
    while met < kills:
        tries += 1
        assert tries <= 2 * kills + 4, "most kills came too late"
        with trial.folder() as folder:
            for number, share in enumerate((1.0, *[0.3] * (in_a_row - 1), 0.0)):
                if not share:
                    point = NEVER
                elif rng.random() < AFTER_A_TIME:
                    point = Point(seconds=rng.uniform(0, share * trial.undisturbed.seconds))
                else:
                    point = Point(write=pick(share))
                ended = commands.run(folder, replace(scenario.command, other_host=number % 2 == 1), point)
                if not ended.killed:
                    break
                met += 1
                trial.look(folder, f"{point} of {trial.undisturbed.writes[point.write - 1 : point.write]}")
            assert ended.code == 0, ended.said
    return f"{met} kills in {tries} tries"


@pytest.mark.parametrize("name", BY_DEFAULT)
def test_kills_lose_nothing(commands: Commands, world: Path, name: str) -> None:
    print(name, killed(commands, world, SCENARIOS[name], kills=5, in_a_row=5))


@pytest.mark.on_demand
@pytest.mark.parametrize("name", SCENARIOS)
def test_many_kills_lose_nothing(commands: Commands, world: Path, name: str) -> None:
    asked = os.environ.get("BERTDYN_KILLS")
    if asked is None and name in BY_DEFAULT:
        pytest.skip("it was killed already: set BERTDYN_KILLS=220")
    kills = -(-int(asked or 22) // len(SCENARIOS))
    print(name, killed(commands, world, SCENARIOS[name], kills, in_a_row=2))
