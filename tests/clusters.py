"""A dask cluster on this machine: a scheduler and workers, each a process of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Cluster:
    """A scheduler and workers, each a process of its own."""

    address: str
    processes: list[subprocess.Popen[bytes]]

    @property
    def workers(self) -> list[subprocess.Popen[bytes]]:
        return self.processes[1:]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def started(workers: int = 2, threads: int = 1, folder: Path | None = None, **env: str) -> Iterator[Cluster]:
    port = free_port()
    address = f"tcp://127.0.0.1:{port}"
    plain = [sys.executable, "-m", "distributed.cli.dask_scheduler", "--port", str(port), "--no-dashboard"]
    worker = [
        sys.executable,
        "-m",
        "distributed.cli.dask_worker",
        address,
        "--nthreads",
        str(threads),
        "--no-dashboard",
    ]
    worker += ["--death-timeout", "60", "--memory-limit", "0", "--no-nanny"]
    worker += ["--local-directory", str(folder)] if folder else []
    commands = [[*plain, "--host", "127.0.0.1"], *([[*worker, "--name", f"w{n}"] for n in range(workers)])]
    processes = [
        subprocess.Popen(c, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                         start_new_session=True)
        for c in commands
    ]  # fmt: skip
    try:
        wait_for(address, workers)
        yield Cluster(address, processes)
    finally:
        for process in processes:
            with_group(process, signal.SIGKILL)
            process.wait()


def with_group(process: subprocess.Popen[bytes], number: int) -> None:
    if process.poll() is None:
        os.killpg(process.pid, number)


def wait_for(address: str, workers: int) -> None:
    from distributed import Client

    deadline = time.monotonic() + 90
    while True:
        try:
            with Client(address, timeout=5, set_as_default=False) as client:
                client.wait_for_workers(workers, timeout=60)
                return
        except (OSError, TimeoutError):
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)
