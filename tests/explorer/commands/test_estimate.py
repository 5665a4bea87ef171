"""Does a dry run time a few values, keep them, and say what is left?"""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from explorer.commands.estimate import Stopwatch, estimate
from explorer.compute.plan import plan
from explorer.compute.protocol import Update
from explorer.selection.question import NO_TRUST
from store.store import Store
from tests.pools import here
from tests.two_seeds import asked


@pytest.fixture
def store(two_seeds: Path, tmp_path: Path) -> Store:
    return Store.open(Path(shutil.copytree(two_seeds, tmp_path / "s.bertdyn")))


def test_a_few_values_are_timed_and_kept(store: Store) -> None:
    question = asked(store, "loss-curve", grid=9, seeds=("1",))
    said = estimate(store, [plan(store, question)], 1, "cpu", here, NO_TRUST)
    found = re.fullmatch(
        r"loss-curve on corpus 'dev': 9 values to compute at first; more may follow from what they say; "
        r"([\d.e-]+) seconds each, about \d+ seconds for the 7 that are left \(2 were timed and kept\)",
        said,
    )
    assert found, said
    assert float(found[1]) > 0
    again = plan(store, question)
    assert (again.known, len(again.missing)) == (2, 7)


def test_too_few_values_are_not_computed(store: Store) -> None:
    question = asked(store, "trajectory", seeds=("1",))
    said = estimate(store, [plan(store, question)], 1, "cpu", here, NO_TRUST)
    assert said.startswith("trajectory: 1 value to compute")
    assert said.endswith("; too few to be timed")
    assert plan(store, question).known == 0


def test_the_first_value_of_each_process_is_not_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([0.0, 10.0, 11.0, 14.0])
    monkeypatch.setattr("explorer.commands.estimate.time.monotonic", lambda: next(times))
    watch = Stopwatch(2)
    for done in (0, 2, 3):
        watch(Update(done, 9, 0, ""))
    assert watch.seconds is None
    with pytest.raises(KeyboardInterrupt):
        watch(Update(4, 9, 0, ""))
    assert watch.seconds == 2.0
