"""How soon the explorer shows what other processes write, against the time between two looks at the store."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

import pytest

from explorer.ui.reader import POLL_SECONDS
from tests.benchmarks.conftest import Report
from tests.explorer.ui.conftest import changed, fill, main, opened, text_of, until
from tests.explorer.ui.test_other_processes import BERTDYN, COMMIT, beside
from tests.synthetic import make_store

UNIT, BUDGET = "the time between two looks", 2.0 / POLL_SECONDS


@pytest.mark.benchmark
async def test_checkpoints_and_values_of_others_show_within_two_seconds(tmp_path: Path, report: Report) -> None:
    path = tmp_path / "growing.bertdyn"
    fill(make_store(path), "svcca", "dev")
    waited: dict[str, list[float]] = {"a checkpoint": [], "values": []}
    async with opened(path, config=changed(compute=False)) as pilot:
        for steps, step in ((4, 60), (5, 80), (6, 100)):
            process = await beside(COMMIT, str(path), str(step))
            await until(pilot, lambda steps=steps: f"x {steps} steps" in text_of(pilot, "title"))  # type: ignore[misc]
            newest = (path / "activations/dev/pos/1").stat().st_mtime
            waited["a checkpoint"].append(time.time() - newest)
            await until(pilot, lambda: main(pilot).missing > 0)
            assert await process.wait() == 0
            process = await beside(BERTDYN, "compute", "svcca", str(path), "--corpus", "dev", "--task", "pos")
            await until(pilot, lambda: not main(pilot).missing, 120)
            newest = max(p.stat().st_mtime for p in (path / "tables/results").glob("*.parquet"))
            waited["values"].append(time.time() - newest)
            assert await process.wait() == 0
    for what, seconds in waited.items():
        note = ", ".join(f"{s:.2f} s" for s in seconds)
        report(f"{what} of another process shows", statistics.median(seconds) / POLL_SECONDS, UNIT, BUDGET, note)
