"""Does DuckDB behave as the rest of the program does?"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from store.duck import connect, retried, written

LONG = "select count(*) from range(3_000_000_000_000)"


@pytest.fixture
def ctrl_c() -> Iterator[threading.Event]:
    """Ctrl-C comes while something runs, again and again until the event is set, as from a person: where it hits a
    callback of the garbage collector, Python drops it. A suite that a shell runs in the background has it ignored."""
    over = threading.Event()

    def interrupt(number: int, frame: object) -> None:
        if not over.is_set():
            raise KeyboardInterrupt

    def press() -> None:
        while not over.wait(0.3):
            os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, interrupt)
    hands = threading.Thread(target=press)
    hands.start()
    yield over
    over.set()
    hands.join()
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize(
    "work",
    [
        lambda folder: retried(lambda: connect().execute(LONG)),
        lambda folder: written(folder / "rows", lambda file: connect().execute(f"copy ({LONG}) to '{file}'")),
    ],
    ids=["reading", "writing"],
)
def test_ctrl_c_during_a_query_is_an_interrupt(
    tmp_path: Path, ctrl_c: threading.Event, work: Callable[[Path], object]
) -> None:
    def interrupted() -> None:
        try:
            work(tmp_path)
        finally:
            ctrl_c.set()

    with pytest.raises(KeyboardInterrupt):
        interrupted()
