"""From the overview to the word that moved: enter goes deeper, escape comes back, ! goes to the largest value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from textual.pilot import Pilot

from explorer.answers.findings import Door
from explorer.compute.requests import Compute
from explorer.pages.example import Example
from explorer.ui import cursor_axes, doors
from explorer.ui.modes import MODES
from explorer.views.base import Cursor
from explorer.views.kinds import VIEWS
from explorer.views.ranking import MOST, rank_in_words, ranked
from store.errors import BertdynError
from tests.explorer.ui.conftest import changed, main, opened, screen_text, shown, text_of, until

BEGIN = changed(compute=False, mode="overview")


def mode(pilot: Pilot[None]) -> str:
    return main(pilot).state.mode


def whole(pilot: Pilot[None]) -> bool:
    """Whether the overview has been read to its end."""
    view = main(pilot).chart.view
    return view is not None and view.name == "overview" and view.data.whole


def at(pilot: Pilot[None]) -> dict[str, int]:
    """The step, layer and head that the picture points at."""
    screen = main(pilot)
    assert screen.chart.view is not None
    assert screen.picture is not None
    return cursor_axes.known(screen.state, screen.chart.view, screen.picture.cursor)


async def test_the_first_screen_says_what_changed_and_enter_opens_it(computed: Path) -> None:
    async with opened(computed, config=BEGIN) as pilot:
        await shown(pilot, "What changed")
        await until(pilot, lambda: whole(pilot))
        drawn = text_of(pilot, "chart")
        for topic in ("What changed", "Do seeds agree?", "Do tasks differ?", "Is it chance?", "Attention", "Training"):
            assert topic in drawn
        assert "pos, seeds 1, 2" in drawn
        assert "layers 0 to 3" in drawn, "what the bars are"
        assert "sst2, seeds 1, 2" in drawn, "all tasks, although one is chosen"
        before = main(pilot).state
        await pilot.press("down", "enter")
        await until(pilot, lambda: mode(pilot) == "curves" and main(pilot).state.tasks == ("sst2",))
        await pilot.press("escape")
        await until(pilot, lambda: mode(pilot) == "overview")
        assert main(pilot).state.tasks == before.tasks
        assert main(pilot).state.cursor.y == 1, "the row is pointed at as before"


async def test_page_down_shows_the_next_page_of_findings(computed: Path) -> None:
    async with opened(computed, config=BEGIN, size=(80, 20)) as pilot:
        await until(pilot, lambda: whole(pilot))
        await shown(pilot, "page 1 of ")
        await pilot.press("pagedown")
        await shown(pilot, "page 2 of ")
        await pilot.press("pageup")
        await shown(pilot, "page 1 of ")


async def test_nothing_is_computed_before_enter(computed: Path) -> None:
    async with opened(computed, config=changed(mode="overview", measure="cka")) as pilot:
        await shown(pilot, "none is computed")
        await until(pilot, lambda: whole(pilot))
        started: list[Compute] = []
        main(pilot).jobs.start = lambda request, asked=False: started.append(request)  # type: ignore[method-assign]
        await pilot.press("enter")
        await shown(pilot, "values of cka")
        assert [request.selection.measure for request in started] == ["cka"]


async def test_enter_goes_from_a_layer_to_its_heads_to_the_sentences_and_escape_back(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False, mode="curves", measure="js")) as pilot:
        await pilot.press("exclamation_mark")
        await shown(pilot, "the largest of")
        screen = main(pilot)
        curves, pointed = screen.state, at(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: screen.state.variant.view == "heads" and screen.picture is not None)
        assert screen.state.look.layer == pointed["layer"]
        await pilot.press("exclamation_mark")
        await shown(pilot, "the largest of")
        heads, head = screen.state, at(pilot)
        await pilot.press("enter")
        await until(pilot, lambda: mode(pilot) == "example" and screen.chart.view is not None)
        assert (screen.state.look.layer, screen.state.look.head) == (head["layer"], head["head"])
        assert screen.state.look.changed, "the sentence that changed most comes first"
        await until(pilot, lambda: screen.chart.view.name == "example")  # type: ignore[union-attr]
        await pilot.press("exclamation_mark")
        await shown(pilot, "the largest of")
        data = screen.chart.view.data  # type: ignore[union-attr]
        picture = screen.picture
        assert picture is not None
        query, key = len(data.tokens) - 1 - picture.cursor.y, picture.cursor.x
        assert abs(data.difference[query, key]) == np.abs(data.difference).max()
        await pilot.press("escape", "escape")
        await until(pilot, lambda: mode(pilot) == "curves")
        assert screen.state == curves
        assert heads.mode == "heat"


async def test_enter_goes_from_a_point_of_two_measures_to_its_layer(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False, mode="seeds")) as pilot:
        await pilot.press("v", "v")
        screen = main(pilot)
        await until(pilot, lambda: screen.chart.view is not None and screen.chart.view.name == "agreement")
        await pilot.press("exclamation_mark")
        await shown(pilot, "the largest of")
        pointed = at(pilot)
        assert pointed["layer"] > 0
        await pilot.press("enter")
        await until(pilot, lambda: screen.state.variant.view == "layers" and screen.picture is not None)
        assert at(pilot)["layer"] == pointed["layer"]


async def test_the_token_that_the_text_points_at_stays_in_maps_steps_and_back(computed: Path) -> None:
    parts = list(VIEWS["example"].parts)
    async with opened(computed, config=changed(compute=False, mode="example")) as pilot:
        screen = main(pilot)
        for part in parts[1 : parts.index("reader") + 1]:
            await pilot.press("v")
            await until(pilot, lambda part=part: screen.state.variant.part == part and not screen.pictures.pane.waiting)

        def query() -> int:
            view, picture = screen.chart.view, screen.picture
            assert isinstance(view, Example)
            assert picture is not None
            return view.query_of(picture.cursor.y)

        await pilot.press("exclamation_mark")
        await shown(pilot, "the largest of")
        data = screen.chart.view.data  # type: ignore[union-attr]
        most = int(np.argmax(data.js))
        assert query() == most
        await pilot.press("V")
        await until(pilot, lambda: screen.state.variant.part == "reference" and not screen.pictures.pane.waiting)
        assert query() == most
        await pilot.press("v", "left_square_bracket")
        await until(pilot, lambda: screen.chart.view.data.focus.key.step < data.focus.key.step)  # type: ignore[union-attr]
        assert query() == most, "the film stays at the token, wherever it is listed now"
        assert screen.state.look.example == data.focus.example


async def test_the_next_largest_and_a_picture_without_values(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False, mode="heat")) as pilot:
        screen = main(pilot)
        places = []
        for words in ("the largest of", "the 2nd largest of", "the 3rd largest of"):
            await pilot.press("exclamation_mark")
            await shown(pilot, words)
            assert screen.picture is not None
            places.append(screen.picture.cursor)
        values = screen.chart.view.field.values  # type: ignore[union-attr]
        assert [values[c.y, c.x] for c in places] == sorted(values.ravel(), reverse=True)[:3]
        await pilot.press("9", "exclamation_mark")
        await shown(pilot, "There is no largest value in this picture.")


async def test_rows_of_the_table_and_of_sql_are_doors(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False, mode="table")) as pilot:
        screen = main(pilot)
        await pilot.press("exclamation_mark", "enter")
        await until(pilot, lambda: mode(pilot) == "curves")
        assert screen.state.look.layer == 3
        await pilot.press("escape")
        await until(pilot, lambda: mode(pilot) == "table")
        assert screen.catalogue is not None
        door = doors.of_row(
            ("measure", "task", "variant", "step", "layer"), ("js", "sst2", "", 20, 2), screen.catalogue
        )
        assert door == Door("curves", "layer", "js", tasks=("sst2",), step=20, layer=2)
        state = doors.through(door, screen.state, screen.catalogue)
        assert (state.measure, state.tasks, state.look.layer, state.cursor) == ("js", ("sst2",), 2, Cursor(20, 2))
        assert doors.of_row(("n",), (1,), screen.catalogue) is None
        await pilot.press("8", "enter", "escape")


async def test_there_is_nothing_behind_and_nothing_inside(computed: Path) -> None:
    async with opened(computed, config=changed(compute=False, mode="store")) as pilot:
        await pilot.press("escape")
        await shown(pilot, "Nothing to go back to")
        await pilot.press("enter")
        await shown(pilot, "there is nothing inside")


def test_every_door_leads_somewhere() -> None:
    for of in MODES.values():
        for variant in of.variants:
            for view, part, _ in variant.inside:
                found, place = doors.picture_of(view, part)
                assert found.variants[place].view == view
    with pytest.raises(BertdynError, match="No picture shows nowhere"):
        doors.picture_of("nowhere", "")


def test_places_are_ordered_by_size_without_those_that_have_no_value() -> None:
    sizes = np.array([[0.1, np.nan], [0.5, 0.3]])
    assert ranked(sizes) == (Cursor(0, 1), Cursor(1, 1), Cursor(0, 0))
    assert ranked(sizes, top_first=True) == (Cursor(0, 0), Cursor(1, 0), Cursor(0, 1))


@pytest.mark.parametrize("size", [(60, 16), (80, 24), (250, 60)])
async def test_it_fits_every_size_and_every_finding_is_reached(computed: Path, size: tuple[int, int]) -> None:
    async with opened(computed, size, config=BEGIN) as pilot:
        await until(pilot, lambda: whole(pilot))
        findings = main(pilot).chart.view.data.findings  # type: ignore[union-attr]
        for finding in findings:
            picture = main(pilot).picture
            assert picture is not None
            assert findings[picture.cursor.y] is finding
            assert "▸" in text_of(pilot, "chart")
            assert finding.subject[:8] in text_of(pilot, "chart")
            assert len(screen_text(pilot).splitlines()) == size[1]
            await pilot.press("down")


@pytest.mark.parametrize(
    ("place", "many", "said"),
    [
        (0, 70, "the largest of 70 values"),
        (1, 70, "the 2nd largest of 70 values"),
        (11, 999, "the 12th largest of 999 values"),
        (22, MOST, "the 23rd largest of 1,000 values or more"),
    ],
)
def test_it_is_said_of_how_many_values_one_is_the_largest(place: int, many: int, said: str) -> None:
    """No more than MOST are ordered, of a table with ten thousand rows, too."""
    assert rank_in_words(place, many) == said
