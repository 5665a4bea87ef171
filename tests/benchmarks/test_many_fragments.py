"""``sql`` and ``ls`` on a table of 3,000 fragments against the same on one (budgets: 2 s and 1 s CPU, where one takes
half a second: 4 times before the fragments are merged, 2 times after)."""

from __future__ import annotations

import os
import shutil
import sys
import uuid
from pathlib import Path

import duckdb
import pytest

from store import fragments, tables
from store.store import Store
from tests.store.results import result
from tests.synthetic import make_store, sample_corpus

REPOSITORY = Path(__file__).resolve().parents[2]
MANY, DIFFERENT = 3000, 60
COMMANDS = {"sql": ("select task, max(value) from svcca group by all",), "ls": ()}


def cpu(command: str, store: Path) -> float:
    """CPU seconds of a command."""
    line = [sys.executable, "-m", "explorer.cli", command, str(store), *COMMANDS[command]]
    quiet = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    pid = os.posix_spawn(sys.executable, line, {**os.environ, "PYTHONPATH": str(REPOSITORY)}, file_actions=quiet)
    _, status, used = os.wait4(pid, 0)
    assert status == 0
    return used.ru_utime + used.ru_stime


def crowded(path: Path) -> Store:
    """Make a store whose results lie in many fragments that no process has merged."""
    store = make_store(path, tasks=["sst2"], corpora=[sample_corpus(examples=4)])
    of = store.checkpoints()
    store.add_results([result(of[0])])
    with duckdb.connect() as connection:
        for number in range(DIFFERENT):
            rows = [tables.result_row(result(of[number % len(of)], layer=n, head=number)) for n in range(12)]
            written = fragments.write(connection, store.path, tables.RESULTS, rows)
            time, _, rest = written.name.split("-", 2)
            for _ in range(MANY // DIFFERENT - 1):
                shutil.copyfile(written, written.with_name(f"{time}-{uuid.uuid4().hex[:12]}-{rest}"))
    return store


@pytest.mark.benchmark
def test_three_thousand_fragments_cost_seconds_once_and_then_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    small = make_store(tmp_path / "small", tasks=["sst2"], corpora=[sample_corpus(examples=4)])
    small.add_results([result(small.checkpoints()[0])])
    ratios = {}
    for command in COMMANDS:
        one = min(cpu(command, small.path) for _ in range(3))
        many = crowded(tmp_path / command)
        before = cpu(command, many.path)
        after = min(cpu(command, many.path) for _ in range(3))
        ratios[command] = before / one, after / one
        with capsys.disabled():
            print(f"\n{command}, {MANY} fragments: {before / one:.1f} x, then {after / one:.1f} x a store with one")
    assert max(before for before, _ in ratios.values()) < 8  # twice the budget: what a busy machine adds, and no more
    assert max(after for _, after in ratios.values()) < 4
