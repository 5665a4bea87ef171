"""Checkpoints that other processes extract: what they give, and what their errors cost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from store.extract.plan import ExtractOptions, ExtractPlan, make_plan
from store.extract.run import Report, execute, extract
from store.extract.sharing import Verdict
from store.keys import CheckpointKey
from store.store import Store
from tests.store.extract import models

STEPS = (0, 10, 20)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three checkpoints, sentences, and a store that one process made of them."""
    folder = tmp_path_factory.mktemp("shared")
    models.runs(folder / "runs", steps=STEPS)
    models.corpus_file(folder)
    report = extract(folder / "alone", [folder / "runs"], {"dev": folder / "dev.tsv"}, ExtractOptions(device="cpu"))
    assert report.exit_code == 0
    return folder


@pytest.fixture(scope="module")
def plan(place: Path) -> Iterator[ExtractPlan]:
    """The plan of a new store, and arithmetic with one thread, as each of several processes has."""
    threads = torch.get_num_threads()
    yield make_plan(place / "new", [place / "runs"], {"dev": place / "dev.tsv"}, ExtractOptions(device="cpu"))
    torch.set_num_threads(threads)


@dataclass
class Said:
    """What an error means."""

    message: str
    over: bool


@dataclass
class Thread:
    """One other process as the extraction sees it: a thread, with errors at chosen tasks."""

    executor: ThreadPoolExecutor
    refused: int | None = None
    """Number of the task that cannot be sent."""
    broken: dict[int, Exception] = field(default_factory=dict)
    """Errors of tasks by their numbers."""
    over: bool = False
    lost: str = ""
    """Why the processes are gone, once a task was sent."""
    count: int = 1
    threads: int = 1
    sent: int = 0

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.sent += 1
        if self.sent == self.refused:
            raise ConnectionError("no way")
        if self.sent in self.broken:
            return self.executor.submit(self._fail, self.broken[self.sent])
        return Future() if self.lost else self.executor.submit(function, *args, **kwargs)

    def gone(self) -> str:
        return self.lost

    def verdict(self, error: BaseException, doing: str) -> Verdict | None:
        return None if isinstance(error, KeyError) else Said(f"{doing}: {error}", self.over)

    @staticmethod
    def _fail(error: Exception) -> None:
        raise error


def shared(plan: ExtractPlan, store: Path, **how: Any) -> Report:
    with ThreadPoolExecutor(1) as executor:
        return execute(replace(plan, store=store), helpers=Thread(executor, **how))


def found(report: Report) -> list[tuple[int, str, str]]:
    return [(one.key.step, one.status, one.reason) for one in report.outcomes]


def test_other_processes_store_the_same_arrays(place: Path, plan: ExtractPlan, tmp_path: Path) -> None:
    report = shared(plan, tmp_path / "s")
    assert found(report) == [(step, "added", "") for step in STEPS]
    one, other = Store.open(tmp_path / "s"), Store.open(place / "alone")
    for step in STEPS:
        key = CheckpointKey.plain("sst", "1", step)
        np.testing.assert_array_equal(one.hidden("dev", key, 2), other.hidden("dev", key, 2))


def test_an_error_of_one_task_costs_one_checkpoint(plan: ExtractPlan, tmp_path: Path) -> None:
    report = shared(plan, tmp_path / "s", broken={2: RuntimeError("lost")})
    assert found(report) == [(0, "added", ""), (10, "failed", "sst/1/10: lost"), (20, "added", "")]


def test_after_the_last_error_nothing_is_sent(plan: ExtractPlan, tmp_path: Path) -> None:
    report = shared(plan, tmp_path / "s", broken={2: RuntimeError("all lost")}, over=True)
    failed = [(step, "failed", "sst/1/10: all lost") for step in (10, 20)]
    assert found(report) == [(0, "added", ""), *failed]


def test_a_task_that_cannot_be_sent_is_the_last_one(plan: ExtractPlan, tmp_path: Path) -> None:
    report = shared(plan, tmp_path / "s", refused=2)
    assert found(report) == [(0, "added", ""), *((step, "failed", "sst/1/10: no way") for step in (10, 20))]


def test_processes_that_are_gone_are_not_waited_for(plan: ExtractPlan, tmp_path: Path) -> None:
    report = shared(plan, tmp_path / "s", lost="all processes are gone")
    assert found(report) == [(step, "failed", "all processes are gone") for step in STEPS]
    assert not (tmp_path / "s").exists()


def test_a_bug_is_not_taken_for_an_error_of_a_checkpoint(plan: ExtractPlan, tmp_path: Path) -> None:
    with pytest.raises(KeyError, match="ours"):
        shared(plan, tmp_path / "s", broken={1: KeyError("ours")})


def test_a_checkpoint_that_goes_away_meanwhile_is_one_sentence(place: Path, plan: ExtractPlan, tmp_path: Path) -> None:
    folder = place / "runs" / "sst" / "seed-1" / "checkpoint-10"
    folder.rename(tmp_path / "rotated")
    report = shared(plan, tmp_path / "s")
    (tmp_path / "rotated").rename(folder)
    (failed,) = [one for one in report.outcomes if one.status == "failed"]
    assert failed.key.step == 10
    assert "checkpoint-10" in failed.reason
    assert "\n" not in failed.reason
