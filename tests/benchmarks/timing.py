"""Measure what work costs, in units of other work of the same run: no benchmark depends on the machine's speed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
COMPILED = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(Path(tempfile.gettempdir(), "bertdyn-bytecode"))}
"""Environment of programs that find their modules compiled, as an installed program does after its first start."""
FAR_OFF = 2.0
"""Times its budget at which a ratio fails: a shared machine is no stopwatch, and a real loss of speed is a factor."""


def best_together(functions: Sequence[Callable[[], object]], rounds: int = 5) -> list[float]:
    """Return the shortest CPU time of each function on one thread, measured in turns so that load hits all alike."""
    import torch
    from threadpoolctl import threadpool_limits

    times: list[list[float]] = [[] for _ in functions]
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with threadpool_limits(1):
            for _ in range(rounds):
                for spent, function in zip(times, functions, strict=True):
                    begin = time.process_time()
                    function()
                    spent.append(time.process_time() - begin)
    finally:
        torch.set_num_threads(threads)
    return [min(t) for t in times]


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a running process so far, including its threads that have ended (Linux only)."""
    return time.clock_gettime((~pid) << 3 | 2)  # the clock that clock_getcpuclockid(3) gives


def cpu_of_python(code: str, *arguments: str) -> float:
    """Run Python code in a process of its own and return the CPU seconds of it and its children."""
    environment = {**os.environ, **COMPILED, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", code, *arguments]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, arguments
    return usage.ru_utime + usage.ru_stime
