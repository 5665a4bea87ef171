"""Two explorers of one store, in two panes: does either harm the other, and do both see what comes?"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer.measures.registry import all_measures
from tests.computed import make_computed
from tests.synthetic import Copied
from tests.terminal.conftest import REPOSITORY, Terminal

COMMIT = """
import sys
from pathlib import Path
from store.keys import CheckpointKey
from store.store import Store
from tests.synthetic import write_checkpoint
store = Store.open(Path(sys.argv[1]))
write_checkpoint(store, store.corpus("dev"), CheckpointKey.plain("sst2", "1", 240), layers=12)
"""


@pytest.fixture
def runs(tmp_path: Path, copied: Copied) -> Path:
    return copied(make_computed, tmp_path / "runs.bertdyn").path


@pytest.fixture
def both(tmp_path: Path) -> Iterator[tuple[Terminal, Terminal]]:
    """Two terminals; who explores in them has one home."""
    made = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made.append(Terminal(tmp_path / name))
    yield made[0], made[1]
    for terminal in made:
        terminal.close()


def drawn(text: str) -> bool:
    return "SVCCA distance from" in text and "L12" in text


def start(terminal: Terminal, path: Path, *arguments: str) -> int:
    home = {"XDG_STATE_HOME": str(path.parent / "state"), "TERM": "xterm-256color"}
    terminal.start([str(path), *arguments], environment=home)
    terminal.until(drawn)
    return terminal.program()


def test_presets_of_both_stay_and_the_session_is_the_last_ones(both: tuple[Terminal, Terminal], runs: Path) -> None:
    one, two = both
    first = start(one, runs, "--no-compute")
    start(two, runs, "--no-compute")
    for terminal, name, mode in ((one, "mine", "3"), (two, "yours", "2")):
        terminal.press(mode, "S")
        terminal.until(lambda text: "keep as:" in text)
        terminal.press(name, "Enter")
        terminal.until(lambda text, name=name: f"Kept as '{name}'" in text)
    for terminal in both:
        terminal.press("L")
        terminal.until(lambda text: "mine " in text and "yours " in text)
        terminal.press("Escape")
        terminal.until(lambda text: "mine " not in text)
    os.kill(first, signal.SIGKILL)
    two.press("7")
    two.until(lambda text: "rows 1-" in text)
    two.press("q")
    two.until(lambda text: "left with 0" in text)
    (saved,) = (p for p in (runs.parent / "state").rglob("*.json") if "presets" not in p.name)
    assert json.loads(saved.read_text())["state"]["mode"] == "table"


def test_both_see_checkpoints_and_values_and_may_compute_the_same(both: tuple[Terminal, Terminal], runs: Path) -> None:
    for terminal in both:
        start(terminal, runs)
    last = all_measures()[-1].title
    for terminal in both:
        terminal.press("m", "anisotropy", "Enter")  # nothing of it is computed
    for terminal in both:
        terminal.until(lambda text: "comput" not in text and f"{last} · sst2" in text and "step 180: 0." in text, 90)
        terminal.press("m", "svcca", "Enter")
        terminal.until(drawn)
    subprocess.run([sys.executable, "-c", COMMIT, str(runs)], cwd=REPOSITORY, check=True)
    for terminal in both:
        terminal.until(lambda text: "x 5 steps" in text)
        terminal.until(lambda text: "step 240" in text and "comput" not in text, 90)
    assert list((runs / "staging").iterdir()) == []
