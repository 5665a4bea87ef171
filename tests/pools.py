"""Executors for tests."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def here(workers: int) -> Iterator[Executor]:
    """An executor without child processes: the interface is all that ``compute`` knows of one."""
    with ThreadPoolExecutor(1) as executor:
        yield executor
