"""A cursor key to the painted frame, in CPU time: while nothing else happens, and while a job runs."""

from __future__ import annotations

import os
import select
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.benchmarks.conftest import Report
from tests.benchmarks.screen import BUSY_KEY_BUDGET, DOWN, KEY_BUDGET, LEFT, RIGHT, UNIT, UP, Screen
from tests.computed import make_computed
from tests.synthetic import make_store, sample_corpus

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the CPU time of another process needs Linux"),
]
READING = b"\x1b[39;"
"""Moves to the line that says what the cursor points at, the last but one of 40."""
MODES = ["1", "2", "3", "4", "5", "6", "7", "9"]


def painted(screen: Screen, key: str, words: bytes = READING, seconds: float = 5.0) -> tuple[float, float] | None:
    """Return CPU and wall seconds from a key until some bytes were sent; None where they were not."""
    before, since, seen = screen.cpu(), time.monotonic(), b""
    screen.send(key)
    while words not in seen:
        left = since + seconds - time.monotonic()
        if left <= 0 or not select.select([screen.output], [], [], left)[0]:
            return None
        seen += os.read(screen.output, 65536)
    return screen.cpu() - before, time.monotonic() - since


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    path = tmp_path_factory.mktemp("keys") / "runs.bertdyn"
    make_computed(path)
    with Screen(str(path), "--no-compute") as screen:
        screen.quiet(2.0)
        yield screen


@pytest.mark.parametrize("mode", MODES)
def test_a_cursor_key_in_every_mode(idle: Screen, mode: str, bare_frame: float, report: Report) -> None:
    idle.send(mode)
    idle.quiet(0.4)
    taken = []
    for key in (LEFT, DOWN, DOWN, RIGHT, UP):
        found = painted(idle, key, seconds=1.0)
        idle.quiet(0.1, 0.1)
        taken += [] if found is None else [found]
    cpu, wall = (statistics.median(t) for t in zip(*taken, strict=True))
    note = f"{1000 * cpu:.0f} ms CPU, {1000 * wall:.0f} ms until painted (median of {len(taken)} keys)"
    report(f"cursor key, mode {mode}", cpu / bare_frame, UNIT, KEY_BUDGET, note)


def test_cursor_keys_while_a_job_runs(tmp_path: Path, bare_frame: float, report: Report) -> None:
    path, steps = tmp_path / "runs.bertdyn", tuple(range(0, 300, 10))
    corpus = sample_corpus("dev", examples=80)
    # Wide enough for a job of many seconds, few enough checkpoints to be written in a few.
    make_store(path, tasks=("sst2",), steps=steps, attentions=False, corpora=[corpus], layers=12, width=192)
    with Screen(str(path)) as screen:
        screen.until(b"computing")
        screen.until(b"L12")  # the first values are there
        taken = []
        for key in (LEFT, DOWN, DOWN, LEFT, UP, LEFT, DOWN, DOWN, RIGHT, UP, LEFT, DOWN):
            found = painted(screen, key)
            if not screen.jobs():
                break
            assert found is not None
            taken.append(found)
            screen.quiet(0.05, 0.05)
    assert len(taken) > 4, "the job ended too early to say anything"
    cpu, wall = (statistics.median(t) for t in zip(*taken, strict=True))
    worst = max(wall for _, wall in taken)
    note = f"{1000 * cpu:.0f} ms CPU, {1000 * wall:.0f} ms until painted (median), {1000 * worst:.0f} ms at most"
    report("cursor key while a job runs", cpu / bare_frame, UNIT, BUSY_KEY_BUDGET, note)
