"""A store that vanishes or is damaged while one looks at it: is it said in words, in every mode, and no more?"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from textual.pilot import Pilot

from explorer.ui.modes import MODES
from explorer.ui.reader import POLL_SECONDS
from tests.explorer.ui.conftest import changed, main, text_of, until
from tests.explorer.ui.conftest import opened_apart as opened


@pytest.fixture
def store(computed: Path, tmp_path: Path) -> Path:
    path = tmp_path / "here.bertdyn"
    shutil.copytree(computed, path)
    return path


def says(pilot: Pilot[None], words: str) -> bool:
    """In the picture's place, however it is wrapped."""
    return words in " ".join(text_of(pilot, "chart").split())


async def test_a_store_that_goes_is_said_to_be_gone_in_every_mode_and_comes_back(store: Path) -> None:
    async with opened(store, config=changed(compute=False)) as pilot:
        screen = main(pilot)
        await pilot.press("T", "left")
        await until(pilot, lambda: text_of(pilot, "reading").strip().startswith("step 20"))
        store.rename(store.with_name("elsewhere"))
        await until(pilot, lambda: says(pilot, "There is no folder"))
        for mode in MODES.values():
            await pilot.press(mode.key, "right", "down", "f", "escape", "o", "c")
            if mode.variants[0].view:
                await until(pilot, lambda: says(pilot, "There is no folder"))
        await pilot.press("1")
        store.with_name("elsewhere").rename(store)
        await until(pilot, lambda: text_of(pilot, "reading").strip().startswith("step 20"))
        assert screen.state.tasks == ("sst2",)
        await pilot.press("3")
        await until(pilot, lambda: "layer 3, step 20" in text_of(pilot, "reading"))


PARTS = (".", "tables", "activations")


@pytest.mark.parametrize("part", PARTS)
async def test_a_store_that_is_removed_in_part_ends_nothing(store: Path, part: str) -> None:
    every = bool(os.environ.get("BERTDYN_LONG"))
    modes = list(MODES.values())[0 if every else PARTS.index(part) :: 1 if every else len(PARTS)]
    async with opened(store, config=changed(compute=False)) as pilot:
        path = store / part
        path.unlink() if path.is_file() else shutil.rmtree(path)
        for mode in (*modes, MODES["curves"]):
            await pilot.press(mode.key, "M", "n", "T", "D", "v", "left", "up", "c", "x", "question_mark", "escape")
        await pilot.pause(POLL_SECONDS + 0.5)  # what the next look at the store finds must not end it either
        assert pilot.app.is_running
        assert pilot.app._exception is None


@pytest.mark.parametrize("mode", ["curves", "heat", "table"])
async def test_tables_that_are_no_tables_are_said_to_be_damaged(store: Path, mode: str) -> None:
    for fragment in (store / "tables").rglob("*.parquet"):
        fragment.write_bytes(b"no table")
    async with opened(store, config=changed(compute=False, mode=mode), wait=False) as pilot:
        await until(pilot, lambda: main(pilot).catalogue is not None and not main(pilot).pane.waiting)
        await until(pilot, lambda: says(pilot, "damaged"))
        assert pilot.app._exception is None
