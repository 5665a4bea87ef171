"""Are child processes started and ended cleanly, whenever a signal comes?"""

from __future__ import annotations

import os
import signal
import threading

import pytest

from explorer.compute.pool import local_pool, termination_interrupts


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


def test_a_child_leaves_ctrl_c_to_its_parent_and_can_be_told_to_end() -> None:
    with local_pool(1) as executor:
        blocked = executor.submit(signal.pthread_sigmask, signal.SIG_BLOCK, ()).result()
    assert signal.SIGINT in blocked
    assert signal.SIGTERM not in blocked
