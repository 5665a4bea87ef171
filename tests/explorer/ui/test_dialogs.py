"""Are the dialogs readable, do they say what they are about, and is what stands beside within reach?"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from rich.segment import Segment
from textual.pilot import Pilot

from explorer.ui.session import Session
from tests.explorer.ui.conftest import changed, main, opened, screen_text, shown, text_of, until


def segments(pilot: Pilot[None], words: str) -> list[Segment]:
    """What draws the line with these words."""
    strips = pilot.app.screen._compositor.render_strips()
    line = next(strip for strip in strips if words in strip.text)
    return [s for s in line if s.text.strip()]


@pytest.mark.parametrize("background", ["dark", "light"])
async def test_the_chosen_command_can_be_read_whole(computed: Path, background: str) -> None:
    """Its description once was grey on grey."""
    async with opened(computed, config=changed(background=background)) as pilot:
        await pilot.press("colon", *"previous layer")
        await shown(pilot, "in views of a single layer")
        await pilot.press("down")
        for words in ("Previous layer", "in views of a single layer"):
            await until(pilot, lambda words=words: all(s.style and s.style.reverse for s in segments(pilot, words)))
            for segment in segments(pilot, words):
                assert segment.style is not None
                assert not segment.style.dim
                assert segment.style.color is None or segment.style.color.is_default
                assert segment.style.bgcolor is None or segment.style.bgcolor.is_default


async def test_the_first_kept_selection_is_pointed_at_and_enter_shows_it(computed: Path, tmp_path: Path) -> None:
    session = Session(computed, {"XDG_STATE_HOME": str(tmp_path)})
    async with opened(computed, session=session) as pilot:
        await pilot.press("T", "S")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"mine", "enter", "T", "L")
        await shown(pilot, "enter takes")
        assert any(s.style is not None and s.style.reverse for s in segments(pilot, "mine  "))
        await pilot.press("enter")
        await until(pilot, lambda: main(pilot).state.tasks == ("sst2",))


async def test_the_export_says_which_view_it_writes_and_tab_takes_the_one_beside(
    computed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(computed, size=(220, 50)) as pilot:
        await until(pilot, lambda: main(pilot).other.view is not None)
        await pilot.press("e")
        await shown(pilot, "Write Curves: SVCCA distance from the pre-trained model")
        await shown(pilot, "the second view: Profile")
        await pilot.press("tab")
        await shown(pilot, "Write Profile: ")
        await pilot.press("c")
        await shown(pilot, "enter  write .csv")
        await pilot.press("enter")
        path = tmp_path / "profile-svcca-pos-dev.csv"
        await until(pilot, lambda: "Written: " in text_of(pilot, "notes"))
        with path.open() as file:
            assert {row["step"] for row in csv.DictReader(file)}


async def test_letters_typed_into_a_picture_write_no_file(
    computed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with opened(computed, config=changed(compute=False)) as pilot:
        await pilot.press("h", "e", *"llo world")
        await shown(pilot, "enter  write .pdf")
        await pilot.press("escape", "e", "enter")
        await shown(pilot, "after a letter has chosen the format")
        await pilot.press("down", "down", "up", "up")
        await shown(pilot, "enter  write .pdf")
        await pilot.press("escape")
        await until(pilot, lambda: pilot.app.screen is main(pilot))
        assert "Written" not in text_of(pilot, "notes")
    assert list(tmp_path.iterdir()) == []


async def test_a_copy_of_one_of_two_views_says_which_and_how_to_copy_the_other(
    computed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("TMUX", raising=False)
    async with opened(computed, size=(260, 50)) as pilot:
        await until(pilot, lambda: main(pilot).other.view is not None)
        await pilot.press("Y")
        await until(pilot, lambda: "Curves as text." in text_of(pilot, "notes"))
        assert "W and then Y copy the second view, Profile." in main(pilot).pane.word
        await pilot.press("W")
        await until(pilot, lambda: getattr(main(pilot).pane.view, "name", "") == "profile")
        await pilot.press("Y")
        await until(pilot, lambda: "Profile as text." in text_of(pilot, "notes"))


async def test_a_filter_that_was_not_understood_can_be_mended(computed: Path) -> None:
    async with opened(computed) as pilot:
        await pilot.press("slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"layr:2", "enter")
        await until(pilot, lambda: "There is no 'layr:'. Did you mean 'layer:'?" in text_of(pilot, "notes"))
        await pilot.press("slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press("home", "right", "right", "right", "e", "enter")
        await until(pilot, lambda: str(main(pilot).state.layers) == "2")


async def test_a_statistic_is_shown_in_the_panel_and_goes_with_its_measure(computed: Path) -> None:
    async with opened(computed, size=(120, 60), config=changed(mode="table", measure="js", compute=False)) as pilot:
        await pilot.press("slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"statistic:main", "enter")
        await until(pilot, lambda: "stat   main" in text_of(pilot, "panel"))
        await pilot.press("slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"statistic:other*", "enter")
        await until(pilot, lambda: "No row has a statistic 'other*'" in screen_text(pilot))
        await pilot.press("slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"measure:svcca", "enter")
        await until(pilot, lambda: "svcca has no statistic 'other*': all are shown." in text_of(pilot, "notes"))
        await until(pilot, lambda: main(pilot).picture is not None)
        assert "stat " not in text_of(pilot, "panel")


async def test_sql_says_how_to_go_on_and_offers_names_only_to_who_types(computed: Path) -> None:
    async with opened(computed, config=changed(mode="sql")) as pilot:
        await shown(pilot, "A SELECT over the store's tables")
        await pilot.press("i", *"SELECT x FROM res")
        await shown(pilot, "tab: results")
        await pilot.press("escape")
        await until(pilot, lambda: "tab: results" not in screen_text(pilot))
        await pilot.press("f5")
        await shown(pilot, "f5: run it again after a change · escape: leave the")
        await shown(pilot, "i: write SQL, f5: run SQL")


async def test_no_sentence_found_says_how_to_find_others(computed: Path) -> None:
    async with opened(computed, config=changed(mode="example")) as pilot:
        await pilot.press("slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"label:none", "enter")
        await until(pilot, lambda: main(pilot).pane.view is None)
        await pilot.press("n")
        await until(pilot, lambda: "No sentence is shown: / finds others" in text_of(pilot, "notes"))


async def test_the_help_follows_the_picture_that_comes_while_it_is_open(computed: Path) -> None:
    async with opened(computed, wait=False) as pilot:
        await pilot.press("question_mark")
        await shown(pilot, "Keys of Curves")
        await shown(pilot, "SVCCA distance from the pre-trained model · pos")


async def test_a_table_is_sorted_by_the_columns_that_are_seen_and_says_by_which(computed: Path) -> None:
    async with opened(computed, config=changed(mode="table")) as pilot:
        seen = main(pilot).pane.view.columns  # type: ignore[union-attr]
        for name in seen[:3]:
            await pilot.press("o")
            await until(pilot, lambda name=name: f"{name}↑" in text_of(pilot, "chart"))
            await pilot.press("o")
            await until(pilot, lambda name=name: f"{name}↓" in text_of(pilot, "chart"))
