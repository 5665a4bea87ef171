"""The explorer from exec to its first frame and picture, on a pseudo-terminal, against a bare Textual app's first frame
(CPU time, whatever the size of the store)."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.store import Store
from tests.benchmarks.conftest import Report
from tests.benchmarks.screen import FOOTER, FRAME_BUDGET, PICTURE, PICTURE_BUDGET, UNIT, Screen, bare_first_frame
from tests.synthetic import make_store

pytestmark = [
    pytest.mark.benchmark,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="the CPU time of another process needs Linux"),
]


@pytest.mark.parametrize("checkpoints", [0, 60])
def test_first_frame_of_a_small_store(tmp_path: Path, checkpoints: int, report: Report) -> None:
    path = tmp_path / "runs.bertdyn"
    if checkpoints:
        make_store(path, tasks=("sst2",), seeds=("1",), steps=tuple(range(checkpoints)))
    else:
        Store.create(path)
    bare, frames = [], []
    for _ in range(4):
        bare.append(bare_first_frame())
        with Screen(str(path), mode="overview") as screen:
            screen.until(FOOTER)
            frames.append(screen.cpu())
    ratio = min(frames) / min(bare)
    report(f"first frame, {checkpoints} checkpoints", ratio, UNIT, FRAME_BUDGET, f"{1000 * min(frames):.0f} ms CPU")


def test_first_frame_and_picture_of_ten_thousand_checkpoints_and_a_million_values(large: Path, report: Report) -> None:
    bare, frames, pictures, readers = [], [], [], []
    for _ in range(3):
        bare.append(bare_first_frame())
        with Screen(str(large), "--no-compute", mode="overview") as screen:
            screen.until(FOOTER)
            frames.append(screen.cpu())
            screen.until(PICTURE)
            pictures.append(screen.cpu())
            readers.append(screen.cpu_of_children())
    unit = min(bare)
    report(
        "first frame, 10,000 checkpoints", min(frames) / unit, UNIT, FRAME_BUDGET, f"{1000 * min(frames):.0f} ms CPU"
    )
    note = f"{1000 * min(pictures):.0f} ms CPU; the process that reads the tables: {min(readers) / unit:.2f} x"
    report("first picture, a million values", min(pictures) / unit, UNIT, PICTURE_BUDGET, note)
