"""Two views side by side: when there is room, what stands there, and whether it follows the picture."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from textual.pilot import Pilot

from explorer.ui import beside
from explorer.ui.modes import MODES
from explorer.ui.reader import Reader
from explorer.ui.session import Session
from explorer.ui.state import State, Wish
from store.catalog import Catalog
from tests.explorer.ui.conftest import changed, fill, main, opened, screen_text, text_of, until
from tests.synthetic import make_store

WIDE = (250, 60)


@pytest.fixture(scope="module")
def labelled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store whose clusters and SVCCA distances are computed."""
    path = tmp_path_factory.mktemp("beside") / "labelled.bertdyn"
    store = make_store(path, tasks=("pos",))
    fill(store, "clusters", "dev")
    fill(store, "svcca", "dev")
    return path


def right(pilot: Pilot[None], view: str) -> Callable[[], bool]:
    """What is drawn on the right."""
    return lambda: getattr(main(pilot).other.view, "name", "") == view and main(pilot).other.picture is not None


def says(pilot: Pilot[None], name: str, words: str) -> Callable[[], bool]:
    return lambda: words in text_of(pilot, name)


def halves(pilot: Pilot[None], name: str) -> tuple[str, str]:
    """A line under the pictures: the picture's part and that of the view beside it."""
    at = main(pilot).other.region.x
    line = text_of(pilot, name)
    return line[:at].strip(), line[at:].strip()


async def test_a_wide_terminal_shows_two_views_with_their_words(computed: Path) -> None:
    async with opened(computed, size=WIDE) as pilot:
        await until(pilot, right(pilot, "profile"))
        await until(pilot, lambda: "step 40" in halves(pilot, "reading")[1])
        assert main(pilot).chart.view.name == "curves"  # type: ignore[union-attr]
        assert text_of(pilot, "heading").strip().startswith("SVCCA distance from the pre-trained model")
        assert text_of(pilot, "beside-heading").strip().startswith("Profile: SVCCA distance from the pre-trained model")
        assert "corpus dev" in text_of(pilot, "beside-subheading")
        assert main(pilot).chart.size.width == pytest.approx(main(pilot).other.chart.size.width, abs=2)
        assert halves(pilot, "reading")[0].startswith("step 40")
        assert halves(pilot, "reading")[1].startswith("layer 3, step 40: 0.")


async def test_the_view_beside_follows_the_step_and_the_layer(computed: Path) -> None:
    async with opened(computed, size=WIDE) as pilot:
        await until(pilot, right(pilot, "profile"))
        await pilot.press("left", "up", "down")
        await until(pilot, lambda: halves(pilot, "reading")[0].startswith("layer 2, step 20: 0."))
        await until(pilot, lambda: halves(pilot, "reading")[1].startswith("layer 2, step 20: 0."))
        # The same number on both sides: the axes are swapped, the value is not.
        assert halves(pilot, "reading")[0].split()[4] == halves(pilot, "reading")[1].split()[4]
        await pilot.press("3")
        await until(pilot, right(pilot, "curves"))
        await pilot.press("left")
        await until(pilot, lambda: halves(pilot, "reading")[1].startswith("layer 2, step 0: 0 "))


async def test_b_walks_through_what_may_stand_beside_and_nothing(computed: Path) -> None:
    async with opened(computed, size=WIDE) as pilot:
        seen = []
        for _ in range(len(beside.COMPANIONS)):
            companion = beside.companion(main(pilot).state)
            if companion is None:
                await until(pilot, lambda: not main(pilot).other.display and main(pilot).chart.size.width > 200)
                seen.append("")
            else:
                await until(pilot, lambda c=companion: main(pilot).other.wish == c.wish(main(pilot).catalogue))
                await until(pilot, lambda: main(pilot).other.display)
                seen.append(companion.variant.view)
            await pilot.press("B")
        assert seen == ["profile", "curves", "heat", "heads", "seeds", "clusters", "labels", "example", ""]
        await until(pilot, right(pilot, "profile"))
        assert "Second view: Profile, one line per step (1 of 8, B: next)" in text_of(pilot, "notes")
        await pilot.press("backslash", "backslash")
        await until(pilot, right(pilot, "example"))


async def test_a_view_never_stands_beside_itself(computed: Path) -> None:
    for mode in MODES.values():
        for way in range(len(mode.variants)):
            state = State(mode=mode.name, variants=((mode.name, way),))
            for name in beside.possible(state):
                other = beside.companion(beside.put(state, name))
                assert other is not None
                assert other.variant != state.variant


async def test_w_swaps_the_sides_and_keeps_the_cursor(computed: Path) -> None:
    async with opened(computed, size=WIDE) as pilot:
        await until(pilot, right(pilot, "profile"))
        await pilot.press("left", "up")
        await until(pilot, lambda: halves(pilot, "reading")[1].startswith("layer 3, step 20: "))
        value = halves(pilot, "reading")[1]
        await pilot.press("W")
        await until(pilot, right(pilot, "curves"))
        await until(pilot, lambda: main(pilot).chart.view.name == "profile")  # type: ignore[union-attr]
        await until(pilot, lambda: halves(pilot, "reading")[0] == value)
        await pilot.press("down")
        await until(pilot, lambda: halves(pilot, "reading")[1].startswith("layer 3, step 0: "))
        await pilot.press("W")
        await until(pilot, lambda: main(pilot).state.mode == "curves")


async def test_labels_along_the_steps_stand_beside_their_map_and_the_same_distances(labelled: Path) -> None:
    async with opened(labelled, size=WIDE) as pilot:
        await pilot.press("5", "v")
        await until(pilot, right(pilot, "labels"))
        await until(pilot, says(pilot, "beside-heading", "layer 3"))
        assert main(pilot).other.wish.look.part == "centroids"  # type: ignore[union-attr]
        await pilot.press("comma")
        await until(pilot, says(pilot, "heading", "layer 2"))
        await until(pilot, says(pilot, "beside-heading", "layer 2"))


async def test_steps_walked_in_a_view_of_one_checkpoint_move_the_curves_beside(computed: Path) -> None:
    async with opened(computed, size=WIDE) as pilot:
        await pilot.press("6", "B", "B")
        await until(pilot, right(pilot, "curves"))
        await pilot.press("left_square_bracket", "comma")
        await until(pilot, says(pilot, "heading", "step 20"))
        await until(pilot, lambda: halves(pilot, "reading")[1].startswith("layer 2, step 20: 0."))


async def test_an_example_beside_the_curves_is_of_the_layer_and_step_that_are_pointed_at(computed: Path) -> None:
    async with opened(computed, size=WIDE) as pilot:
        await pilot.press("backslash", "backslash")
        await until(pilot, right(pilot, "example"))
        await pilot.press("up", "down", "left")
        await until(pilot, lambda: sentence(pilot) == (20, 2, 0, 0))
        await pilot.press("greater_than_sign", "n")
        await until(pilot, lambda: sentence(pilot) == (20, 2, 1, 1))


def sentence(pilot: Pilot[None]) -> tuple[int, int, int, int]:
    """Step, layer, head and example on the right."""
    focus = main(pilot).other.view.data.focus  # type: ignore[union-attr]
    return focus.key.step, focus.layer, focus.head, focus.example


async def test_a_resize_across_the_threshold_folds_and_unfolds_it(computed: Path) -> None:
    async with opened(computed, size=(beside.FROM - 1, 50)) as pilot:
        assert not main(pilot).other.display
        assert main(pilot).other.wish is None
        await pilot.press("B")
        assert f"Two views need {beside.FROM} columns; the screen has {beside.FROM - 1}" in text_of(pilot, "notes")
        assert main(pilot).state.beside == ()
        await pilot.resize_terminal(beside.FROM, 50)
        await until(pilot, right(pilot, "profile"))
        assert main(pilot).other.chart.size.width >= 80
        await until(pilot, lambda: "step 40" in halves(pilot, "reading")[1])
        await pilot.resize_terminal(120, 40)
        await until(pilot, lambda: not main(pilot).other.display)
        assert main(pilot).chart.size.width > 80
        assert screen_text(pilot).count("SVCCA distance from") == 1


async def test_z_leaves_the_picture_alone(computed: Path) -> None:
    async with opened(computed, size=WIDE) as pilot:
        await until(pilot, right(pilot, "profile"))
        await pilot.press("z")
        await until(pilot, lambda: main(pilot).chart.size.width == WIDE[0])
        await pilot.press("z")
        await until(pilot, lambda: main(pilot).other.display and main(pilot).chart.size.width < 120)


async def test_what_stands_beside_each_view_is_remembered(computed: Path, tmp_path: Path) -> None:
    kept = Session(computed, {"XDG_STATE_HOME": str(tmp_path)})
    async with opened(computed, size=WIDE, session=kept) as pilot:
        await pilot.press("B", "B", "3", "backslash", "backslash", "1")
        await until(pilot, right(pilot, "heat"))
        await until(pilot, lambda: kept.read().state == main(pilot).state)
    async with opened(computed, size=WIDE, session=Session(computed, {"XDG_STATE_HOME": str(tmp_path)})) as pilot:
        await until(pilot, right(pilot, "heat"))
        await pilot.press("3")
        await until(pilot, lambda: main(pilot).state.mode == "heat" and not main(pilot).other.display)


async def test_the_setting_leaves_one_view_at_a_time(computed: Path) -> None:
    async with opened(computed, size=WIDE, config=changed(beside=False)) as pilot:
        assert not main(pilot).other.display
        await pilot.press("B")
        assert "'beside' is off" in text_of(pilot, "notes")


async def test_why_there_is_nothing_beside_is_said_there_alone(computed: Path) -> None:
    async with opened(computed, size=WIDE) as pilot:
        await pilot.press(*"BBBBB", "P")
        await until(pilot, lambda: "needs labels" in text_of(pilot, "beside-chart"))
        await until(pilot, lambda: "L3" in text_of(pilot, "chart") and main(pilot).picture is not None)


async def test_the_picture_is_answered_first_and_both_are_kept(computed: Path) -> None:
    async with opened(computed, size=WIDE) as pilot:
        await until(pilot, right(pilot, "profile"))
        catalogue, start = main(pilot).catalogue, main(pilot).state
        assert catalogue is not None
        first, second = start.wish(catalogue), replace(start, mode="table").wish(catalogue)
        heard: list[object] = []
        reader = Reader(computed, heard.append, Catalog)
        reader.show(second, 1)
        reader.show(first)
        reader.start()
        await until(pilot, lambda: len(loaded(heard)) >= 2)
        assert loaded(heard)[:2] == [first, second]
        # Nothing was forgotten: the same numbers come again without being read.
        views = [m.view.data for m in heard if hasattr(m, "view")]
        reader.show(second, 1)
        reader.show(first)
        await until(pilot, lambda: len(loaded(heard)) >= 4)
        again = {id(m.view.data) for m in heard[-2:] if hasattr(m, "view")}
        assert again <= {id(data) for data in views}
        reader.finish()


def loaded(heard: list[object]) -> list[Wish]:
    return [m.wish for m in heard if hasattr(m, "view")]  # type: ignore[attr-defined]
