"""How the threads of arithmetic libraries wait for each other. The libraries read it when they are loaded."""

from __future__ import annotations

import os
from collections.abc import Mapping

ASLEEP: Mapping[str, str] = {"OMP_WAIT_POLICY": "PASSIVE", "OPENBLAS_THREAD_TIMEOUT": "4"}
"""Environment variables by which threads sleep while they wait.

Otherwise they spin, which on a busy machine takes the time of the thread that they wait for: beside three other
processes on two cores, extraction took 2.5 to 3.5 times as long, and two computations at once 3 to 5 times the time of
one instead of 2. OpenBLAS' threads spin for 2**26 cycles unless told otherwise; four is its least exponent.
"""


def wait_asleep() -> None:
    """Let the threads of this process and its children sleep while they wait, unless the user has said how they wait.

    Call it before PyTorch or NumPy is imported.
    """
    for name, value in ASLEEP.items():
        os.environ.setdefault(name, value)
