"""Extraction killed at random moments, and two at once: what a reader sees is whole, and the next run completes it."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from store.layout import MARKER
from store.store import Store
from tests.store.extract import models

REPOSITORY = Path(__file__).resolve().parents[3]
KILLS = 20
RUN = """
import sys
from pathlib import Path
from store.extract.run import ExtractOptions, extract

class Told:
    def begin(self, plan): print("begun", flush=True)
    def loading(self, key): ...
    def advance(self, tokens): ...
    def outcome(self, work, outcome): ...

place = Path(sys.argv[1])
report = extract(place / sys.argv[2], [place / "runs"], {"dev": place / "dev.tsv"}, ExtractOptions(), Told())
print(*(o.status for o in report.outcomes), flush=True)
sys.exit(report.exit_code)
"""


def start(place: Path, store: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, str(place), store],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("kill")
    models.runs(place / "runs", steps=tuple(range(0, 120, 10)), seeds=("1", "2"))
    lines = models.probe_file(place).read_text()
    (place / "dev.tsv").write_text(lines * 40)
    return place


def contents(store: Store) -> dict[str, str]:
    return {str(c.key): c.hidden_digest + c.attention_digest for c in store.checkpoints("dev")}


@pytest.fixture(scope="module")
def undisturbed(place: Path) -> dict[str, str]:
    process = start(place, "calm.bertdyn")
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert out.split() == ["begun"] + ["added"] * 24
    return contents(Store.open(place / "calm.bertdyn"))


@pytest.mark.slow
@pytest.mark.xdist_group("kill")
def test_twenty_kills_leave_nothing_incomplete_and_the_next_run_completes(
    place: Path, undisturbed: dict[str, str]
) -> None:
    rng = random.Random(0)
    path = place / "killed.bertdyn"
    killed = 0
    for _ in range(KILLS):
        process = start(place, path.name)
        assert process.stdout is not None
        if process.stdout.readline():  # the plan is made: what follows is writing
            time.sleep(rng.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        process.communicate()
        killed += process.returncode == -signal.SIGKILL
        if (path / MARKER).is_file():
            seen = Store.open(path)
            if not seen.probes():
                continue
            whole = contents(seen)
            assert whole.items() <= undisturbed.items()
            assert not [p for p in seen.check().problems if "staging" not in str(p)]
    assert killed >= KILLS // 2
    process = start(place, path.name)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    assert set(out.split()) <= {"begun", "added", "present"}
    store = Store.open(path)
    assert contents(store) == undisturbed
    store.check(repair=True)
    assert not store.check().problems


@pytest.mark.slow
@pytest.mark.xdist_group("kill")
def test_two_extractions_at_once_give_the_same_store(place: Path, undisturbed: dict[str, str]) -> None:
    both = [start(place, "both.bertdyn") for _ in range(2)]
    said = [process.communicate(timeout=300) for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    store = Store.open(place / "both.bertdyn")
    assert contents(store) == undisturbed
    assert not store.check().problems
    added = [out.split().count("added") for out, _ in said]
    assert sum(added) == 24
