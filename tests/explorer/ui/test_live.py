"""What happens by itself: computing, new checkpoints, other processes, stores that go away, screens of any size."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from explorer.ui.parts.surroundings import SMALLEST
from explorer.ui.reader import LISTING, POLL_SECONDS, TICK, VALUES, stamp
from store.keys import CheckpointKey
from store.rows import RowQuery, rows_of
from store.store import Store
from tests.explorer.ui.conftest import fill, main, screen_text, shown, text_of, until
from tests.explorer.ui.conftest import opened_apart as opened
from tests.synthetic import Copied, make_store, write_checkpoint


@pytest.fixture
def fresh(tmp_path: Path, copied: Copied) -> Path:
    """A store with nothing computed."""
    return copied(make_store, tmp_path / "fresh.bertdyn").path


@pytest.mark.slow
async def test_what_is_missing_is_computed_by_itself_and_kept(fresh: Path) -> None:
    async with opened(fresh, wait=False) as pilot:
        await until(pilot, lambda: "computing" in text_of(pilot, "title"))
        await until(pilot, lambda: main(pilot).picture is not None and not main(pilot).missing, 90)
        await until(pilot, lambda: "comput" not in text_of(pilot, "title"))
        assert "L3 0." in text_of(pilot, "chart")
    assert {r.task for r in Store.open(fresh).results(RowQuery(rows_of("svcca")))} == {"pos"}


@pytest.mark.slow
async def test_x_cancels_and_only_c_starts_again(fresh: Path) -> None:
    async with opened(fresh, wait=False) as pilot:
        screen = main(pilot)
        await until(pilot, lambda: screen.jobs.child is not None, 60)
        await pilot.press("x")
        await until(pilot, lambda: screen.jobs.request is None)
        await shown(pilot, "Cancelled; finished values are kept.")
        await pilot.pause(POLL_SECONDS + 0.5)  # nothing is what must happen, though the store is looked at again
        assert screen.jobs.request is None
        await pilot.press("c")
        await until(pilot, lambda: screen.jobs.child is not None)
        await until(pilot, lambda: screen.jobs.request is None and not screen.missing, 90)


async def test_leaving_leaves_no_job_behind(fresh: Path) -> None:
    async with opened(fresh, wait=False) as pilot:
        await until(pilot, lambda: main(pilot).jobs.child is not None, 60)
        jobs = main(pilot).jobs
        group = jobs.child
        assert group is not None
        await pilot.press("q")
    jobs.finish()
    with pytest.raises(ProcessLookupError):
        os.killpg(group, 0)


async def test_new_checkpoints_and_values_of_others_appear_without_a_key(tmp_path: Path, computed: Path) -> None:
    path = tmp_path / "growing.bertdyn"
    shutil.copytree(computed, path)
    async with opened(path) as pilot:
        assert "x 3 steps" in text_of(pilot, "title")
        store = Store.open(path)
        write_checkpoint(store, store.corpus("dev"), CheckpointKey.plain("pos", "1", 60))
        main(pilot).action_cancel()
        await until(pilot, lambda: "x 4 steps" in text_of(pilot, "title"))
        fill(store, "svcca", "dev")
        await until(pilot, lambda: not main(pilot).missing and "60" in text_of(pilot, "chart"))


async def test_a_store_that_goes_away_is_told_and_found_again(tmp_path: Path, computed: Path) -> None:
    path = tmp_path / "moved.bertdyn"
    shutil.copytree(computed, path)
    async with opened(path) as pilot:
        path.rename(tmp_path / "elsewhere")
        await until(pilot, lambda: main(pilot).chart.view is None)
        assert "moved.bertdyn" in text_of(pilot, "chart")
        (tmp_path / "elsewhere").rename(path)
        await until(pilot, lambda: main(pilot).chart.view is not None)


@pytest.mark.parametrize("what", ["no such folder", "not a store"])
async def test_no_store_is_told_in_words(tmp_path: Path, what: str) -> None:
    path = tmp_path / "nothing"
    if what == "not a store":
        path.mkdir()
    async with opened(path, wait=False) as pilot:
        await shown(pilot, "nothing")
        await until(pilot, lambda: "Opening" not in text_of(pilot, "chart"))
        assert "Unexpected" not in text_of(pilot, "chart")
        await pilot.press("2", "M", "left", "tab", "slash", "escape", "c", "x", "e", "question_mark")
        assert pilot.app.is_running


async def test_an_empty_store_says_what_will_come(tmp_path: Path) -> None:
    Store.create(tmp_path / "empty.bertdyn")
    async with opened(tmp_path / "empty.bertdyn", wait=False) as pilot:
        await shown(pilot, "No checkpoints here yet.")
        await pilot.press("3", "T", "D", "P", "R", "M", "right", "5", "tab", "j", "enter")
        assert pilot.app.is_running


async def test_a_measure_without_labels_says_so_in_the_pictures_place(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("P")
        await until(pilot, lambda: main(pilot).state.corpus == "plain")
        for _ in main(pilot).catalogue.measures:  # type: ignore[union-attr]
            if main(pilot).state.measure == "clusters":
                break
            await pilot.press("M")
        await until(pilot, lambda: "needs labels" in text_of(pilot, "chart"))
        await pilot.press("P", "M")
        await until(pilot, lambda: main(pilot).chart.view is not None)


async def test_a_selection_that_matches_nothing_says_what_there_is(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"step:999", "enter")
        await until(pilot, lambda: "No step matches '999'; there are 0, 20, 40." in screen_text(pilot))
        assert "L3" in text_of(pilot, "chart"), "the picture stays"


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (250, 60), (100, 24)])
async def test_every_view_fits_every_size(computed: Path, size: tuple[int, int]) -> None:
    async with opened(computed, size=size) as pilot:
        for key in "12345":
            await pilot.press(key, "left")
            await pilot.pause()
            lines = screen_text(pilot).splitlines()
            assert len(lines) == size[1]
            assert "could not be drawn" not in screen_text(pilot)
        assert main(pilot).surroundings.panel_open == (size[0] >= 100)


async def test_the_panel_folds_away_on_a_small_screen_and_comes_when_asked_for(computed: Path) -> None:
    async with opened(computed, size=(80, 24)) as pilot:
        assert not main(pilot).panel.display
        await pilot.press("tab")
        await until(pilot, lambda: main(pilot).panel.has_focus)
        await shown(pilot, "[x] pos")
        await pilot.press("escape")
        await until(pilot, lambda: not main(pilot).panel.display)
        await pilot.press("b")
        await until(pilot, lambda: main(pilot).panel.display)
        await pilot.press("b")
        await until(pilot, lambda: not main(pilot).panel.display)


@pytest.mark.parametrize("size", [(59, 16), (60, 15), (20, 3), (1, 1)])
async def test_too_small_a_screen_is_told_politely_and_recovers(computed: Path, size: tuple[int, int]) -> None:
    async with opened(computed, size=size, wait=False) as pilot:
        if size[0] > 40:
            await shown(pilot, f"needs {SMALLEST[0]} x {SMALLEST[1]}")
        else:
            await pilot.pause()
        await pilot.press("3", "left", "tab")
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: getattr(main(pilot).chart.view, "name", "") == "heat" and "6" in screen_text(pilot))


def test_a_stamp_changes_with_a_checkpoint_and_with_a_value_and_not_by_itself(fresh: Path) -> None:
    time.sleep(2 * TICK / 1e9)  # what changed a moment ago may change again unseen, and is looked at once more
    listing, values = stamp(fresh, LISTING), stamp(fresh, VALUES)
    assert (stamp(fresh, LISTING), stamp(fresh, VALUES)) == (listing, values)
    store = Store.open(fresh)
    fill(store, "svcca", "dev")
    assert stamp(fresh, LISTING) == listing
    assert stamp(fresh, VALUES) != values
    write_checkpoint(store, store.corpus("dev"), CheckpointKey.plain("pos", "1", 60))
    assert stamp(fresh, LISTING) != listing
