"""Is what is copied what one sees, and do figures come out of the explorer too?"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from tests.explorer.ui.conftest import main, opened, screen_text, text_of, until


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("TMUX", raising=False)
    return tmp_path / "bertdyn"


async def test_shift_y_copies_the_view_as_text_and_says_where_it_is(computed: Path, cache: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("end", "Y")
        await until(pilot, lambda: (cache / "clip.txt").exists())
        text = (cache / "clip.txt").read_text("utf-8")
        heading, reading = text_of(pilot, "heading").strip(), text_of(pilot, "reading").strip()
        assert text.splitlines()[0] == heading
        assert reading in text.splitlines()
        assert text_of(pilot, "chart").splitlines()[3].rstrip() in text
        assert pilot.app.clipboard == text
        assert "Sent to the terminal's clipboard" in text_of(pilot, "notes")


async def test_of_a_table_the_row_under_the_cursor_is_copied(computed: Path, cache: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("7")
        await until(pilot, lambda: getattr(main(pilot).chart.view, "name", "") == "table")
        await pilot.press("o", "o", "o", "o", "j", "j", "Y")
        await until(pilot, lambda: (cache / "clip.csv").exists())
        (row,) = csv.DictReader((cache / "clip.csv").read_text("utf-8").splitlines())
        marked = main(pilot).picture
        assert marked is not None
        place = f"{row['task']}, seed {row['seed']}, layer {row['layer']}, step {row['step']}"
        assert marked.reading.startswith(place)


@pytest.mark.parametrize(("key", "start"), [("g", b"\x89PNG"), ("d", b"%PDF")])
async def test_a_figure_is_written(
    computed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, start: bytes
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    async with opened(computed) as pilot:
        await pilot.press("e")
        await until(pilot, lambda: "for a paper" in screen_text(pilot))
        await pilot.press(key, "enter")
        await until(pilot, lambda: "Written: " in text_of(pilot, "notes"), seconds=60)
        (path,) = tmp_path.iterdir()
        assert path.read_bytes().startswith(start)


async def test_what_has_no_figure_says_so_and_leaves_no_file(
    computed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.chdir(tmp_path)
    async with opened(computed) as pilot:
        await pilot.press("7")
        await until(pilot, lambda: getattr(main(pilot).chart.view, "name", "") == "table")
        await pilot.press("e")
        await until(pilot, lambda: pilot.app.screen is not main(pilot))
        await pilot.press("d", "enter")
        await until(pilot, lambda: "Not written: the view table has no figure" in text_of(pilot, "notes"), seconds=60)
    assert list(tmp_path.iterdir()) == []
