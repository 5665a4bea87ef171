"""Two processes of bertdyn at once on two cores, against one: do they get into each other's way?

Both use all the cores by themselves, so two take at least twice the time of one. CPU seconds count what they lose to
each other (threads that spin while they wait); the time on the clock also depends on what else the machine does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.benchmarks.conftest import Report
from tests.benchmarks.timing import COMPILED, REPOSITORY
from tests.store.extract import models

BUDGET = 2.4
ROUNDS = 3
CHILD = """
import os, sys
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:2])
from explorer.cli import main
main(sys.argv[1:])
"""


def spent(calls: Sequence[Sequence[str]], logs: Path) -> tuple[float, float]:
    """Run commands of bertdyn at once; return the seconds until all have ended, and CPU seconds of all."""
    environment = {**os.environ, **COMPILED, "PYTHONPATH": str(REPOSITORY)}
    began, cpu, running = time.perf_counter(), 0.0, []
    for number, call in enumerate(calls):
        with (logs / str(number)).open("w") as log:
            command = [sys.executable, "-c", CHILD, *call]
            running.append(subprocess.Popen(command, env=environment, stdout=log, stderr=log))
    for number, process in enumerate(running):
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, (logs / str(number)).read_text()
        cpu += usage.ru_utime + usage.ru_stime
    return time.perf_counter() - began, cpu


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the checkpoints of a run, sentences, and a store of them."""
    root = tmp_path_factory.mktemp("two")
    for step in (0, 10):
        models.save(
            root / "runs" / "t" / "seed-1" / f"checkpoint-{step}", seed=step, hidden_size=384, num_hidden_layers=6,
            num_attention_heads=12, intermediate_size=1536,
        )  # fmt: skip
    file = models.corpus_file(root)
    file.write_text(file.read_text() * 60)
    spent([extraction(root, "s.bertdyn")], root)
    return root


def extraction(place: Path, store: str) -> tuple[str, ...]:
    """Return the arguments of an extraction into a store of its own."""
    return (
        "extract",
        str(place / store),
        str(place / "runs"),
        "--corpus",
        f"dev={place / 'dev.tsv'}",
        "--device",
        "cpu",
    )


def computation(place: Path, store: str) -> tuple[str, ...]:
    """Return the arguments of a computation in a copy of the store."""
    shutil.copytree(place / "s.bertdyn", place / store)
    return ("compute", "svcca,js", str(place / store), "--against", "previous", "--device", "cpu")


@pytest.mark.benchmark
@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="the system binds no process to two cores")
@pytest.mark.skipif((os.cpu_count() or 1) < 2, reason="there is one core")
@pytest.mark.parametrize("command", [extraction, computation])
def test_two_processes_at_once_lose_little_to_each_other(place: Path, report: Report, command) -> None:  # type: ignore[no-untyped-def]
    ratios, processor = [], []
    for number in range(ROUNDS):
        names = [f"{command.__name__}-{number}-{which}.bertdyn" for which in ("alone", "left", "right")]
        alone, left, right = (command(place, name) for name in names)
        seconds, cpu = spent([alone], place)
        of_both, cpu_of_both = spent([left, right], place)
        ratios.append(of_both / seconds)
        processor.append(cpu_of_both / cpu)
        for name in names:
            shutil.rmtree(place / name)
    middle = ROUNDS // 2
    note = f"CPU seconds {sorted(processor)[middle]:.2f} x"
    report(f"two at once, {command.__name__}", sorted(ratios)[middle], "the time of one", BUDGET, note)
