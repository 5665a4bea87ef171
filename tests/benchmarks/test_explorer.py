"""The explorer on 10,000 checkpoints and a million values, on a pseudo-terminal: keys and memory."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.benchmarks.conftest import Report
from tests.benchmarks.screen import DOWN, KEY_BUDGET, LEFT, PICTURE, UNIT, UP, Screen

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the CPU time of another process needs Linux"),
]
MODES = {"profile": "2", "heat": "3", "seeds": "4", "curves": "1"}
MEGABYTES = 150


def test_keys_and_memory_on_a_million_values(
    large: Path, bare_frame: float, report: Report, say: Callable[[str], None]
) -> None:
    with Screen(str(large)) as screen:
        screen.until(PICTURE)
        screen.quiet(2.0)
        cursor = []
        for name, key in [*(("left", LEFT), ("up", UP), ("down", DOWN)) * 2, *MODES.items()]:
            taken, sent = screen.press(key)
            say(f"{name:8} {taken / bare_frame:.2f} x {UNIT}, {sent:,} bytes")
            if name not in MODES:
                cursor.append(taken)
        for key in "5T1M":
            screen.press(key)
            time.sleep(1)
        now, most = screen.memory()
        say(f"memory {now:.0f} MB, at most {most:.0f} MB (budget {MEGABYTES})")
        # The median: a look at the folders every 1.5 s falls into one or two of them.
        report("cursor key, a million values", statistics.median(cursor) / bare_frame, UNIT, KEY_BUDGET)
        assert most < MEGABYTES
        assert not screen.has_loaded(b"duckdb")
        assert screen.has_loaded(b"numpy")  # the names are looked up rightly
