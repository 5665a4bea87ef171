"""Does extraction hold one checkpoint at a time, and one window of sentences, however many there are?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.extract import models

CHILD = """
import json, sys
from pathlib import Path
from store.extract import forward
from store.extract.checkpoint import Silent
from store.extract.plan import ExtractOptions
from store.extract.run import extract

place, store, runs, file = map(Path, sys.argv[1:])
forward.WINDOW_BYTES["cpu"] = 4 << 20
def resident(name):
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
    return int(line.split()[1]) * 1024
def extracted(name, runs, file):
    assert extract(place / name, [runs], {"dev": file}, ExtractOptions(device="cpu"), Noted()).exit_code == 0
class Noted(Silent):
    def outcome(self, work, outcome):
        after.append(resident("VmRSS"))
after = []
extracted(f"warm {store.name}", place / "one", place / "dev.tsv")  # libraries are loaded, and have their buffers
Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
before = resident("VmRSS")
extracted(store, runs, file)
print(json.dumps([resident("VmHWM") - before, *after]))
"""
MODEL = {"hidden_size": 96, "num_attention_heads": 4, "intermediate_size": 384, "vocab_size": 30_000}
WEIGHTS = 12 << 20
"""Bytes of the weights of one model."""
GROWTH = 24 << 20
"""Bytes by which ten times as many sentences may raise the peak: six windows."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("memory")
    for folder, count in (("one", 1), ("twenty", 20)):
        for step in range(count):
            models.save(root / folder / "t" / "seed-1" / f"checkpoint-{step}", seed=1, **MODEL)
    file = models.corpus_file(root)
    (root / "few.tsv").write_text(file.read_text() * 100)
    (root / "many.tsv").write_text(file.read_text() * 1000)
    return root


def memory(place: Path, runs: str, file: str) -> tuple[int, list[int]]:
    """Return the rise of a process's memory during an extraction, and the memory after each checkpoint, in bytes."""
    call = [sys.executable, "-c", CHILD, place, f"{runs} {file}.bertdyn", place / runs, place / file]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(call, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    peak, *after = json.loads(done.stdout.splitlines()[-1])
    return peak, after


pytestmark = [
    pytest.mark.on_demand,
    pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux"),
]


def test_no_checkpoint_is_held_after_it_is_stored(place: Path) -> None:
    _, after = memory(place, "twenty", "dev.tsv")
    assert len(after) == 1 + 20
    assert after[-1] - after[2] < WEIGHTS


def test_ten_times_as_many_sentences_take_no_more_memory(place: Path) -> None:
    (before, _), (after, _) = memory(place, "one", "few.tsv"), memory(place, "one", "many.tsv")
    assert after - before < GROWTH, (before, after)
