"""Many processes at one store: extractions of the same runs, computations, an explorer, SQL and DuckDB itself.

Nobody sees an error, nothing that was there goes away, and in the end the store equals one that a single process made.
On demand one round, or as many as fit into ``BERTDYN_SECONDS``; ``tests/store/test_processes.py`` has a smaller crowd.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import duckdb
import pytest

from store.catalog_process import CatalogProcess
from store.layout import INDEX
from store.rows import RowQuery
from store.store import Store
from tests.trust.commands import Commands
from tests.trust.contents import contents
from tests.trust.scenarios import EXTRACT, NAME, call

pytestmark = [pytest.mark.slow, pytest.mark.index]

SVCCA = ("compute", "svcca", NAME, "--device", "cpu")
JS = ("compute", "js", NAME, "--device", "cpu")
COUNT = ("sql", NAME, "select count(*) as n from results", "--format", "csv")
FRESH = "fresh.bertdyn"
CROWD = (*[("extract", FRESH, *EXTRACT[2:])] * 4, EXTRACT, SVCCA, JS, COUNT)
DUCKDB = "select count(*) from results union all select count(*) from checkpoints"


def crowded(commands: Commands, world: Path) -> dict[str, str]:
    """Let a crowd work at a store that is not complete and at a new one, and look at the first all the time.

    Returns:
        What the first store holds in the end.
    """
    folder = world / "crowded"
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(world / "extracted", folder)
    path = folder / NAME
    assert commands.run(folder, call("compute", "svcca", NAME, "--layer", "1", "--device", "cpu")).code == 0
    shutil.rmtree(path / "activations" / "dev" / "sst" / "1" / "0")
    explorer = Store.open(path, CatalogProcess)
    crowd = [commands.start(folder, call(*arguments, small_tables=True)) for arguments in CROWD]
    seen: list[tuple[int, int]] = []
    try:
        while not seen or not all(one.over for one in crowd):
            rows, checkpoints = len(explorer.results(RowQuery())), len(explorer.checkpoints("dev"))
            with duckdb.connect(str(path / INDEX), read_only=True) as outside:
                outside.execute(DUCKDB).fetchall()
            seen.append((rows, checkpoints))
    finally:
        explorer.close()
        ends = [one.wait() for one in crowd]
    for arguments, ended in zip(CROWD, ends, strict=True):
        assert ended.code == 0, (arguments, ended.said)
        assert "lock" not in ended.said.lower(), ended.said
    for counts in zip(*seen, strict=True):
        assert list(counts) == sorted(counts), "what was there went away"
    for arguments in (SVCCA, JS):  # of checkpoints that were not there yet
        assert commands.run(folder, call(*arguments)).code == 0
    assert contents(folder / FRESH) == contents(world / "extracted" / NAME)
    for store in (path, folder / FRESH):
        assert Store.open(store).check().sound
    return contents(path)


def alone(commands: Commands, world: Path) -> dict[str, str]:
    """Return what the store of a single process holds."""
    folder = world / "alone"
    shutil.copytree(world / "extracted", folder)
    for arguments in (SVCCA, JS):
        assert commands.run(folder, call(*arguments)).code == 0
    return contents(folder / NAME)


@pytest.fixture(scope="module")
def wanted(commands: Commands, world: Path) -> dict[str, str]:
    return alone(commands, world)


@pytest.mark.on_demand
def test_a_crowd_makes_the_store_of_a_single_process(commands: Commands, world: Path, wanted: dict[str, str]) -> None:
    end = time.monotonic() + float(os.environ.get("BERTDYN_SECONDS", "0"))
    rounds = 0
    while not rounds or time.monotonic() < end:
        assert crowded(commands, world) == wanted
        rounds += 1
    print(f"{rounds} rounds")
