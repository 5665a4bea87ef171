"""Child processes on this machine that end with it, and what signals mean to them."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from types import FrameType

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Variables of the environment that say how many threads libraries of arithmetic take when they are loaded."""


@contextmanager
def local_pool(workers: int) -> Iterator[Executor]:
    """Child processes that share the cores, are killed on the way out, and die with this process.

    Spawned, not forked: a fork after CUDA, OpenMP or zarr's threads have started hangs.
    """
    from multiprocessing.resource_tracker import ensure_running

    import loky

    ensure_running()  # the first time it starts a process, and takes the signals off the mask that is set below
    threads = str(max(1, cpus() // workers))
    env = dict.fromkeys(THREADS, threads)
    # On a machine that others use too, threads that spin while they wait made small products 15 times slower.
    env["OMP_WAIT_POLICY"] = "PASSIVE"
    # loky takes memory that grows by 300 MB for a leak and restarts the process; here it is what is kept, and bounded.
    env["LOKY_MAX_MEMORY_LEAK_SIZE"] = str(4 * 2**30)
    executor = loky.ProcessPoolExecutor(workers, initializer=_watch_parent, initargs=(os.getpid(),), env=env)
    try:
        # Children inherit the mask: Ctrl-C reaches the whole terminal group, and only this process shall answer it.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with _held(signal.SIGINT, signal.SIGTERM):  # until there is the thread that can kill the children
                executor.submit(os.getpid)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        yield executor
    finally:
        with warnings.catch_warnings():  # loky warns where it finds neither psutil nor pgrep, and kills all the same
            warnings.simplefilter("ignore")
            executor.shutdown(wait=True, kill_workers=True)


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """Within it SIGTERM is what Ctrl-C is: KeyboardInterrupt in the main thread."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _held(*numbers: int) -> Iterator[None]:
    """Within it signals wait. A mask would not do: the system gives a signal to any thread that does not block it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        came.append(number)

    before = {number: signal.signal(number, note) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, signal.SIG_DFL if handler is None else handler)
        for number in came:
            signal.raise_signal(number)


def cpus() -> int:
    """Cores that this process may use (affinity and container limits counted)."""
    import loky

    return int(loky.cpu_count())


def _watch_parent(parent: int) -> None:
    """In the child: leave when the parent is gone, however it went."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
