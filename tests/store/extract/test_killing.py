"""Extraction killed at random moments, and two at once: what a reader sees is whole, and the next run completes it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from store.layout import MARKER
from store.store import Store
from tests.store.extract import models

REPOSITORY = Path(__file__).resolve().parents[3]
STEPS, SEEDS = tuple(range(0, 80, 10)), ("1", "2")
CHECKPOINTS = len(STEPS) * len(SEEDS)
RUN = """
import os
import sys
from pathlib import Path
import torch, transformers
import transformers.models.bert.modeling_bert
import store.store, store.arrays
from store.extract.plan import ExtractOptions
from store.extract.run import extract

class Told:
    def begin(self, plan): print("begun", flush=True)
    def loading(self, key): ...
    def advance(self, tokens): ...
    def outcome(self, work, outcome): ...

place = Path(sys.argv[1])
for line in sys.stdin:  # each extraction is a process of its own, spared the seconds that the imports take
    child = os.fork()
    if not child:
        print(os.getpid(), flush=True)
        report = extract(place / line.strip(), [place / "runs"], {"dev": place / "dev.tsv"}, ExtractOptions(), Told())
        print(*(o.status for o in report.outcomes), flush=True)
        os._exit(report.exit_code)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    print("ended", status, flush=True)
"""


class Extractor:
    """A process that runs extractions, one after the other, each in a child that can be killed."""

    def __init__(self, place: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", RUN, str(place)],
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, store: str) -> int:
        """Begin to extract into a store of this name; the process that does it."""
        assert self._process.stdin is not None
        self._process.stdin.write(store + "\n")
        self._process.stdin.flush()
        return int(self._read())

    def wait_for_plan(self) -> None:
        assert self._read() == "begun"

    def end(self) -> tuple[int, list[str]]:
        """Exit code of the child (negative: killed by that signal), and what it said since."""
        said: list[str] = []
        while not (line := self._read()).startswith("ended"):
            said += line.split()
        return int(line.split()[1]), said

    def close(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(60)

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the extractor died"
        return line.strip()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("kill")
    models.runs(place / "runs", steps=STEPS, seeds=SEEDS)
    lines = models.corpus_file(place).read_text()
    (place / "dev.tsv").write_text(lines * 20)
    return place


def contents(store: Store) -> dict[str, str]:
    return {str(c.key): c.digests["hidden"] + c.digests.get("attention", "") for c in store.checkpoints("dev")}


@pytest.fixture(scope="module")
def extractor(place: Path) -> Iterator[Extractor]:
    extractor = Extractor(place)
    yield extractor
    extractor.close()


@pytest.fixture(scope="module")
def calm(place: Path, extractor: Extractor) -> float:
    """Seconds that an extraction takes to write when nobody kills it."""
    extractor.start("calm.bertdyn")
    extractor.wait_for_plan()
    since = time.monotonic()
    assert extractor.end() == (0, ["added"] * CHECKPOINTS)
    return time.monotonic() - since


@pytest.fixture(scope="module")
def undisturbed(place: Path, calm: float) -> dict[str, str]:
    return contents(Store.open(place / "calm.bertdyn"))


@pytest.mark.on_demand
@pytest.mark.parametrize("kills", [5, 20])
def test_kills_leave_nothing_incomplete_and_the_next_run_completes(
    place: Path, extractor: Extractor, calm: float, undisturbed: dict[str, str], kills: int
) -> None:
    rng = random.Random(0)
    path = place / f"killed-{kills}.bertdyn"
    found: list[int] = []
    first = latest = calm * 1.5 / kills  # longer where a loaded machine got nothing done, so that kills fall everywhere
    for _ in range(kills):
        child = extractor.start(path.name)
        extractor.wait_for_plan()  # what follows is writing
        time.sleep(rng.uniform(0, latest))
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:  # it was done before us: nothing is left to kill
            assert extractor.end()[0] == 0
            found.append(CHECKPOINTS)
            break
        assert extractor.end()[0] == -signal.SIGKILL
        before = found[-1] if found else 0
        if not (path / MARKER).is_file():
            latest *= 1.5
            continue
        seen = Store.open(path)
        whole = contents(seen) if seen.corpora() else {}
        found.append(len(whole))
        latest = latest * 1.5 if len(whole) == before else max(first, latest / 1.5)
        assert whole.items() <= undisturbed.items()
        assert not [p for p in seen.check().problems if "staging" not in str(p)]
    assert found == sorted(found)
    assert len(found) > kills // 4, "it was done before enough kills"
    assert found[0] < CHECKPOINTS, "the kills came too late to say anything"
    assert found[-1] > 0, "the kills came too early to say anything"
    extractor.start(path.name)
    code, said = extractor.end()
    assert (code, said.count("present"), said.count("added")) == (0, found[-1], CHECKPOINTS - found[-1])
    store = Store.open(path)
    assert contents(store) == undisturbed
    store.check(repair=True)
    assert not store.check().problems


@pytest.mark.on_demand
def test_two_extractions_at_once_give_the_same_store(
    place: Path, extractor: Extractor, undisturbed: dict[str, str]
) -> None:
    other = Extractor(place)
    extractor.start("both.bertdyn")
    other.start("both.bertdyn")
    ends = [extractor.end(), other.end()]
    other.close()
    assert [code for code, _ in ends] == [0, 0]
    assert sum(said.count("added") for _, said in ends) == CHECKPOINTS
    store = Store.open(place / "both.bertdyn")
    assert contents(store) == undisturbed
    assert not store.check().problems
