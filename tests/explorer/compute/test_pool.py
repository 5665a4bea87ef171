"""Are child processes started and ended cleanly, whenever a signal comes?"""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import threading

import pytest

from explorer.compute.pool import local_pool, termination_interrupts
from store.errors import BertdynError


def test_a_signal_while_children_are_started_waits_until_they_can_be_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    from loky.process_executor import _ExecutorManagerThread as Manager

    began: list[threading.Thread] = []

    def start(thread: threading.Thread) -> None:
        os.kill(os.getpid(), signal.SIGTERM)
        began.append(thread)
        threading.Thread.start(thread)

    monkeypatch.setattr(Manager, "start", start)
    with termination_interrupts(), pytest.raises(KeyboardInterrupt), local_pool(1):
        pytest.fail("the signal was lost")
    assert len(began) == 1
    assert not began[0].is_alive()


def test_threads_of_a_child_wait_without_spinning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The benchmark of two processes at once shows what it is worth."""
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    with local_pool(1) as executor:
        assert executor.submit(os.getenv, "OMP_WAIT_POLICY").result() == "PASSIVE"
        assert executor.submit(os.getenv, "OPENBLAS_THREAD_TIMEOUT").result() == "4"


def test_a_child_leaves_ctrl_c_to_its_parent_and_can_be_told_to_end() -> None:
    with local_pool(1) as executor:
        blocked = executor.submit(signal.pthread_sigmask, signal.SIG_BLOCK, ()).result()
    assert signal.SIGINT in blocked
    assert signal.SIGTERM not in blocked


@pytest.mark.parametrize("asked", [None, "2"])
def test_numpy_starts_no_threads_in_a_process_that_multiplies_nothing(asked: str | None) -> None:
    code = """
import os
from explorer.compute.pool import one_blas_thread
with one_blas_thread():
    import numpy
print(len(os.listdir("/proc/self/task")), os.environ.get("OPENBLAS_NUM_THREADS"))
"""
    environment = {name: value for name, value in os.environ.items() if not name.endswith("_NUM_THREADS")}
    chosen = {} if asked is None else {"OPENBLAS_NUM_THREADS": asked}
    done = subprocess.run([sys.executable, "-c", code], env=environment | chosen, capture_output=True, text=True)
    threads = 1 if asked is None else min(2, os.cpu_count() or 1)
    assert done.stdout.split() == [str(threads), str(asked)]


def test_a_pool_whose_thread_cannot_be_started_is_one_sentence_and_leaves_no_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from loky.process_executor import _ExecutorManagerThread as Manager

    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Manager, "start", start)
    before = set(multiprocessing.active_children())
    with pytest.raises(BertdynError, match=r"^The system allows this process no further thread\. "), local_pool(1):
        pytest.fail("there is no pool")
    assert set(multiprocessing.active_children()) <= before
