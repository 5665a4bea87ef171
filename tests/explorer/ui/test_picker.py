"""Choosing measures, references, tasks, seeds and corpora from lists, and in the command palette."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList, Static

from explorer.ui.dialogs.picker import PickerScreen
from explorer.ui.picks import Pick, place, ranked
from tests.explorer.ui.conftest import changed, main, opened, screen_text, shown, text_of, until


def rows(pilot: Pilot[None]) -> list[str]:
    shown = pilot.app.screen.query_one(OptionList)
    return [str(shown.get_option_at_index(i).prompt) for i in range(shown.option_count)]


def pointed(pilot: Pilot[None]) -> str | None:
    shown = pilot.app.screen.query_one(OptionList)
    return None if shown.highlighted is None else shown.get_option_at_index(shown.highlighted).id


async def test_a_measure_is_found_by_a_word_and_nothing_is_computed_before_enter(computed: Path) -> None:
    async with opened(computed) as pilot:
        screen = main(pilot)
        await pilot.press("m")
        await until(pilot, lambda: isinstance(pilot.app.screen, PickerScreen))
        assert pointed(pilot) == "svcca"
        assert any("Change of the representations" in row for row in rows(pilot))
        await pilot.press(*"attention")
        await until(pilot, lambda: pointed(pilot) == "attention-entropy")
        assert len(rows(pilot)) == 5, "without headings, those whose name, title or topic has the word"
        await pilot.press("ctrl+u", *"js")
        await until(pilot, lambda: pointed(pilot) == "js")
        await until(pilot, lambda: any("all " in row for row in rows(pilot)))
        why = str(pilot.app.screen.query(Static).last().render())
        assert "look elsewhere than before" in why
        assert screen.state.measure == "svcca"
        assert screen.jobs.request is None
        await pilot.press("enter")
        await until(pilot, lambda: text_of(pilot, "heading").strip().startswith("Attention JS divergence"))


async def test_how_much_is_computed_stands_behind_each_measure(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False, mode="curves")) as pilot:
        await pilot.press("m")
        await until(pilot, lambda: any("svcca" in row and "all " in row for row in rows(pilot)))
        assert any("cka" in row and "none of " in row for row in rows(pilot))


async def test_each_row_has_one_line_at_any_width(computed: Path) -> None:
    async with opened(computed, (80, 24), config=changed(compute=False, mode="curves")) as pilot:
        await pilot.press("m")

        def whole() -> bool:
            return any("PWCCA" in line and "none of" in line for line in screen_text(pilot).splitlines())

        await until(pilot, whole)
        await pilot.resize_terminal(60, 16)
        await until(pilot, whole)


@pytest.mark.parametrize(
    ("key", "typed", "part", "value"),
    [
        ("t", "sst2", "tasks", ("sst2",)),
        ("t", "all", "tasks", ("pos", "sst2")),
        ("s", "2", "seeds", ("2",)),
        ("p", "plain", "corpus", "plain"),
    ],
)
async def test_what_is_typed_chooses(computed: Path, key: str, typed: str, part: str, value: object) -> None:
    async with opened(computed, config=changed(compute=False, mode="curves")) as pilot:
        await pilot.press(key, *typed, "enter")
        await until(pilot, lambda: getattr(main(pilot).state, part) == value)


async def test_a_reference_is_chosen_from_the_list_and_escape_changes_nothing(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False, mode="curves")) as pilot:
        before = main(pilot).state
        await pilot.press("r", "down", "escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, PickerScreen))
        assert main(pilot).state == before
        await pilot.press("r", *"checkpoint before", "enter")
        await until(pilot, lambda: str(main(pilot).state.against) == "previous")
        await pilot.press("r", *"task sst2", "enter")
        await until(pilot, lambda: str(main(pilot).state.against) == "task:sst2")
        await until(pilot, lambda: "task sst2 at the same step" in text_of(pilot, "heading"))


async def test_nothing_that_matches_is_said_and_a_letter_can_be_taken_away(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False, mode="curves")) as pilot:
        await pilot.press("m", *"cka", "z")
        await until(pilot, lambda: isinstance(pilot.app.screen, PickerScreen) and not rows(pilot))
        assert "Nothing matches" in str(pilot.app.screen.query(Static).last().render())
        await pilot.press("enter", "backspace", "enter")
        await until(pilot, lambda: main(pilot).state.measure == "cka")


async def test_the_palette_knows_the_same_names(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False, mode="curves")) as pilot:
        nouns = {(kind, name) for kind, name, _ in main(pilot).picking.nouns()}
        assert {
            ("measure", "js"),
            ("task", "sst2"),
            ("seed", "2"),
            ("corpus", "plain"),
            ("reference", "first"),
        } <= nouns
        titles = [str(command.title) for command in pilot.app.get_system_commands(pilot.app.screen)]
        assert "js  (measure)" in titles
        main(pilot).picking.take("measure", "js")
        await until(pilot, lambda: main(pilot).state.measure == "js")


def test_a_name_that_is_typed_in_full_comes_first() -> None:
    some = (Pick("attention-entropy", "of js"), Pick("js-change", ""), Pick("js", "Attention"), Pick("cka", ""))
    assert [row.name for row in ranked(some, "js")] == ["js", "js-change", "attention-entropy"]
    assert [row.name for row in ranked(some, "")] == ["attention-entropy", "js-change", "js", "cka"]


async def typed_into_the_palette(pilot: Pilot[None], text: str) -> None:
    """Type a command, and choose it once the palette shows it first."""
    await pilot.press("colon")
    await until(pilot, lambda: pilot.app.screen is not main(pilot))
    await pilot.press(*text)
    await until(pilot, lambda: bool(rows(pilot)) and rows(pilot)[0].startswith(text))
    await pilot.press("down", "enter")


@pytest.mark.parametrize(
    ("mode", "typed", "read"),
    [
        ("curves", "layer 2", "layer 2, step 40:"),
        ("curves", "step 20", "step 20:"),
        ("heat", "layer 1", "layer 1, step 40:"),
        ("profile", "step 20", "step 20:"),
        ("example", "head 2", ", head 2 "),
    ],
)
async def test_the_palette_points_at_a_place_with_a_number(computed: Path, mode: str, typed: str, read: str) -> None:
    async with opened(computed, config=changed(compute=False, mode=mode)) as pilot:
        await typed_into_the_palette(pilot, typed)
        await until(pilot, lambda: read in text_of(pilot, "heading") + text_of(pilot, "reading"))
        name, number = typed.split()
        if name != "step":
            assert getattr(main(pilot).state.look, name) == int(number)


async def test_a_place_that_is_typed_is_pointed_at_in_the_next_picture_too(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False, mode="overview")) as pilot:
        await typed_into_the_palette(pilot, "layer 1")
        await shown(pilot, "Overview does not show a single layer; other pictures point at layer 1.")
        await pilot.press("1")
        await until(pilot, lambda: "layer 1, step 40:" in text_of(pilot, "reading"))


async def test_a_place_that_no_checkpoint_has_is_refused_with_those_there_are(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False)) as pilot:
        before = main(pilot).state
        await typed_into_the_palette(pilot, "layer 9")
        await shown(pilot, "There is no layer 9, only 0 to 3.")
        await typed_into_the_palette(pilot, "step 41")
        await shown(pilot, "There is no step 41, only 0 to 40.")
        assert main(pilot).state == before


async def test_the_palette_compares_with_a_checkpoint_that_is_typed(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False)) as pilot:
        await typed_into_the_palette(pilot, "against sst2/1/20")
        await until(pilot, lambda: str(main(pilot).state.against) == "sst2/1/20")
        await typed_into_the_palette(pilot, "against nobody/1/20")
        await shown(pilot, "nobody")


@pytest.mark.parametrize("typed", ["layer", "layer x", "layers 4", "against", "against a b", "4", "worlds 4"])
def test_other_words_are_no_place(typed: str) -> None:
    assert place(typed) is None


async def test_a_measure_that_does_not_exist_is_not_replaced_without_a_word(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False, measure="svca")) as pilot:
        await shown(pilot, "There is no measure 'svca'; m lists them.")
        assert main(pilot).state.measure == "svcca"
