"""Run child processes that end with this process, and handle signals for them."""

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
from typing import Any

from store.errors import BertdynError
from store.memory import shortage
from store.threads import ASLEEP

THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")
"""Environment variables that set the number of threads of arithmetic libraries when they are loaded."""

_BLAS = "OPENBLAS_NUM_THREADS"


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let NumPy start no threads if it is imported inside the block, unless the user has set their number.

    It starts one per core when it is imported. A process that only hands out work or draws multiplies no matrices, and
    starting the threads takes more CPU time than all that NumPy does there. Processes that compute are told theirs.
    """
    if _BLAS in os.environ:
        yield
        return
    os.environ[_BLAS] = "1"
    try:
        yield
    finally:
        del os.environ[_BLAS]


@contextmanager
def local_pool(workers: int) -> Iterator[Executor]:
    """Start child processes that share the cores, are killed at the end, and die with this process.

    They are spawned, not forked: a fork after CUDA, OpenMP or zarr's threads have started would hang.

    Raises:
        BertdynError: this machine has no shared memory, no free file descriptors or no further thread for them.
    """
    from multiprocessing.resource_tracker import ensure_running

    import loky

    threads = str(max(1, cpus() // workers))
    env = {**dict.fromkeys(THREADS, threads), **ASLEEP}
    # loky restarts a process whose memory has grown by 300 MB, as if it leaked; here it is a cache of limited size.
    env["LOKY_MAX_MEMORY_LEAK_SIZE"] = str(4 * 2**30)
    try:
        ensure_running()  # its first call starts a process and would unblock the signals that are blocked below
        executor = loky.ProcessPoolExecutor(workers, initializer=_watch_parent, initargs=(os.getpid(),), env=env)
    except OSError as error:
        raise BertdynError(
            f"No worker processes can be started: {error.strerror or error}. They need a writable /dev/shm and some "
            "free file descriptors (ulimit -n)."
        ) from None
    try:
        # Children inherit the mask: Ctrl-C reaches the whole terminal group, but only this process must react.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            with _held(signal.SIGINT, signal.SIGTERM):  # until the thread that can kill the children exists
                _first(executor)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        yield executor
    finally:
        with warnings.catch_warnings():  # without psutil and pgrep loky warns, but it still kills the processes
            warnings.simplefilter("ignore")
            executor.shutdown(wait=True, kill_workers=True)


def _first(executor: Any) -> None:
    """Submit a first task, so that the child processes and the thread that serves them are started.

    Raises:
        BertdynError: the thread cannot be started. The processes that were started for it are killed.
    """
    try:
        executor.submit(os.getpid)
    except RuntimeError as error:
        if not (told := shortage(error)):
            raise
        executor._executor_manager_thread = None  # else loky waits at the end for a thread that never ran
        for process in executor._processes.values():
            process.terminate()
            process.join()
        raise BertdynError(told) from None


@contextmanager
def termination_interrupts() -> Iterator[None]:
    """Make SIGTERM raise KeyboardInterrupt in the main thread inside the block, like Ctrl-C."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def _held(*numbers: int) -> Iterator[None]:
    """Delay signals until the end of the block. A mask would not suffice: another thread could receive the signal."""
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
    """Return the number of cores that this process may use, considering affinity and container limits."""
    import loky

    return int(loky.cpu_count())


def _watch_parent(parent: int) -> None:
    """Exit this child process when its parent is gone, for whatever reason."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
