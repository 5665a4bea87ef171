"""A store on a disk that cannot be written: everything is shown, and a job says why it cannot store values."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from explorer.ui.modes import MODES
from tests.explorer.ui.conftest import changed, main, opened_apart, screen_text, text_of, until
from tests.trust.scenarios import small_disk


@pytest.fixture
def store(computed: Path, tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk") as disk:
        path = Path(shutil.copytree(computed, disk / "here.bertdyn"))
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        yield path


async def test_every_mode_works(store: Path) -> None:
    async with opened_apart(store, config=changed(compute=False)) as pilot:
        for mode in MODES.values():
            await pilot.press(mode.key)
            await until(pilot, lambda: not main(pilot).pane.waiting)  # keys for a picture that is left are dropped
            await pilot.press("down", "right", "question_mark", "escape")
            await pilot.pause()
            assert pilot.app._exception is None
            assert "Read-only" not in screen_text(pilot), mode
        await pilot.press("1")
        await until(pilot, lambda: "from the pre-trained model" in text_of(pilot, "reading"))


async def test_a_job_says_that_the_disk_is_read_only(store: Path) -> None:
    async with opened_apart(store, size=(240, 40), config=changed(measure="cka")) as pilot:
        await until(pilot, lambda: "Read-only file system" in screen_text(pilot))
        assert pilot.app._exception is None
