"""Do two views mean the same step, layer and head whatever other ones each of them has?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.answers.look import ANYWHERE, END, Look
from explorer.compute.run import compute
from explorer.selection import Ranges, Selection, ask_store, at_or_before
from explorer.ui.actions import ACTIONS
from explorer.ui.cursor_axes import drawn, meant, pointed
from explorer.ui.cycles import stepped
from explorer.ui.modes import HEAD, LAYER, MODES, QUERY, STEP
from explorer.ui.session import Session
from explorer.ui.state import State
from explorer.views.base import Cursor
from tests.explorer.ui.conftest import changed, fill, main, opened, shown, text_of, until
from tests.explorer.ui.test_state import START, STORE
from tests.pools import here
from tests.synthetic import make_store, sample_corpus


def view(steps: tuple[int, ...] = (), layers: tuple[int, ...] = (), heads: tuple[int, ...] = ()) -> Any:
    places = {STEP: steps, LAYER: layers, HEAD: heads}
    return SimpleNamespace(places=lambda axis: places[axis])


CURVES, LABELS = State(), State(mode="clusters", variants=(("clusters", 2),))
HEADS = State(mode="heat", variants=(("heat", 1),))
NUMBERS = st.lists(st.integers(0, 60), min_size=1, unique=True).map(lambda found: tuple(sorted(found)))


def as_in(state: State, other: State) -> State:
    """The one state's cursors in the other one's view."""
    return replace(other, cursors=state.cursors, look=state.look)


@given(NUMBERS, st.integers(-5, 70))
def test_the_nearest_at_or_before_is_taken_else_the_first(there: tuple[int, ...], wanted: int) -> None:
    below = [n for n in there if n <= wanted]
    assert there[at_or_before(there, wanted)] == (below[-1] if below else there[0])


@given(NUMBERS, NUMBERS, st.data())
def test_a_view_without_the_step_shows_one_before_and_going_back_shows_it_again(
    steps: tuple[int, ...], others: tuple[int, ...], data: st.DataObject
) -> None:
    here, there = view(steps, (1, 2)), view(others, (1, 2))
    place = data.draw(st.integers(0, len(steps) - 1))
    state = pointed(CURVES, here, Cursor(0, 0), Cursor(place, 1)) if place else CURVES.pointing(Cursor(steps[0], 2))
    assert drawn(state, here).x == place
    elsewhere = as_in(state, LABELS)
    at = drawn(elsewhere, there)
    assert at.x == at_or_before(others, steps[place])
    # Another line is pointed at there; the step was not touched.
    elsewhere = pointed(elsewhere, there, at, Cursor(at.x, 3))
    assert drawn(as_in(elsewhere, CURVES), here).x == place
    # Now it was.
    if len(others) > 1:
        other = pointed(elsewhere, there, at, Cursor(1 - min(at.x, 1), 3))
        assert dict(other.cursors)["steps"].x == others[1 - min(at.x, 1)]


def test_the_last_step_stays_the_last_one_when_more_come() -> None:
    few, more = view((0, 20), (1, 2)), view((0, 20, 40), (1, 2))
    end = pointed(CURVES, few, Cursor(0, -1), Cursor(END, -1))
    assert drawn(end, more) == Cursor(END, -1)
    beyond = pointed(CURVES, few, Cursor(1, -1), Cursor(2, -1))  # one to the right of the last
    assert meant(CURVES, few, Cursor(2, -1)).x == 20
    assert drawn(beyond, more).x == 1


def test_a_head_that_is_pointed_at_is_the_one_that_is_looked_at() -> None:
    heads = view((), (1, 2, 3), (1, 2, 3, 4))
    state = pointed(HEADS, heads, Cursor(0, 0), Cursor(2, 1))
    assert (state.look.head, state.look.layer) == (3, 2)
    by_head = as_in(state, State(variants=(("curves", 3),)))
    assert drawn(by_head, view((0, 20), (), (2, 3))) == Cursor(END, 1)


def test_every_axis_that_is_shared_is_one_of_steps_layers_heads_or_query_tokens() -> None:
    said = {name for mode in MODES.values() for v in mode.variants for name in v.meaning}
    assert said == {"", STEP, LAYER, HEAD, QUERY}


def test_a_film_goes_over_the_steps_that_are_compared_and_is_shared_by_number() -> None:
    state = stepped(START, STORE, -1)
    assert dict(state.cursors)["steps"].x == 0
    assert dict(state.cursors)["profile"].y == 0
    assert dict(stepped(state, STORE, 1).cursors)["labels"].x == 100
    # From between two steps it goes to the neighbours of the one that is shown.
    between = START.pointing(Cursor(60, 3))
    assert dict(stepped(between, STORE, 1).cursors)["steps"] == Cursor(100, 3)


def test_what_is_asked_for_is_a_step_and_no_place() -> None:
    state = replace(START.pointing(Cursor(60, 3)), mode="clusters")
    wish = state.wish(STORE)
    assert wish is not None
    assert wish.look == Look(part="hulls", step=60)
    one = replace(state, mode="example").wish(STORE)
    assert one is not None
    assert one.question is not None
    assert str(one.question.steps) == "0"


@pytest.fixture(scope="module")
def partly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five steps with SVCCA; clusters of the second and the fourth alone."""
    path = tmp_path_factory.mktemp("partly") / "runs.bertdyn"
    steps = (0, 20, 40, 60, 80)
    store = make_store(path, tasks=("sst2",), seeds=("1",), steps=steps, corpora=[sample_corpus("dev")])
    fill(store, "svcca", "dev")
    chosen = ask_store(store, Selection("clusters", "dev", steps=Ranges.parse("20,60", "step")))
    assert compute(store, [chosen], workers=1, device="cpu", executor=here).ok
    return path


async def test_a_partly_computed_view_takes_the_step_before_and_the_first_view_its_own_again(partly: Path) -> None:
    async with opened(partly, config=changed(compute=False)) as pilot:
        await pilot.press("left", "left")
        await until(pilot, lambda: text_of(pilot, "reading").strip().startswith("step 40"))
        await pilot.press("5", "v", "v")
        await until(pilot, lambda: text_of(pilot, "reading").strip().startswith("step 20"))
        await pilot.press("up", "1")
        await until(pilot, lambda: text_of(pilot, "reading").strip().startswith("step 40"))


async def test_side_by_side_both_stand_at_the_same_step(partly: Path) -> None:
    async with opened(partly, (250, 60), config=changed(compute=False)) as pilot:
        screen = main(pilot)
        screen.become(replace(screen.state, beside=(("curves", "labels"),)))
        await until(pilot, lambda: screen.other.remarks.reading.startswith("step 60"))
        await pilot.press("left", "left")
        await until(pilot, lambda: screen.pane.remarks.reading.startswith("step 40"))
        await until(pilot, lambda: screen.other.remarks.reading.startswith("step 20"))
        await pilot.press("right")
        await until(pilot, lambda: screen.other.remarks.reading.startswith("step 60"))
        assert screen.pane.remarks.reading.startswith("step 60")


async def test_the_session_holds_the_step_itself(partly: Path, tmp_path: Path) -> None:
    session = Session(partly, {"XDG_STATE_HOME": str(tmp_path)})
    async with opened(partly, config=changed(compute=False), session=session) as pilot:
        await pilot.press("left", "up", "down")
        await until(pilot, lambda: "step 60" in text_of(pilot, "reading"))
        session.write(main(pilot).saved())
    kept = Session(partly, {"XDG_STATE_HOME": str(tmp_path)}).read().state
    assert dict(kept.cursors)["steps"].x == 60
    async with opened(partly, config=changed(compute=False), session=session) as pilot:
        await shown(pilot, "step 60")
        assert "step 60" in text_of(pilot, "reading")


async def test_the_cursor_moves_in_the_view_that_was_asked_for_not_in_the_one_that_still_stands(partly: Path) -> None:
    async with opened(partly, config=changed(compute=False)) as pilot:
        screen = main(pilot)
        await until(pilot, lambda: "step 80" in text_of(pilot, "reading"))
        put, actions = screen.typing.queue.put, {a.id: a for a in ACTIONS}
        screen.action_mode("profile")  # is being read: what stands there is Curves
        pilot.app.call_later(put, actions["cursor.left"])
        pilot.app.call_later(put, actions["cursor.up"])
        await until(pilot, lambda: text_of(pilot, "reading").strip().startswith("layer 2, step 80"))
        screen.action_mode("curves")
        pilot.app.call_later(put, actions["cursor.first"])
        await until(pilot, lambda: text_of(pilot, "reading").strip().startswith("layer 2, step 0"))


def test_a_step_or_a_layer_pointed_at_is_the_same_wherever_it_is_an_axis() -> None:
    state = State().pointing(Cursor(300, 5))
    assert replace(state, mode="profile").cursor == Cursor(5, 300)
    assert replace(state, mode="seeds").cursor == Cursor(300, 5)
    for mode, way in (("clusters", 2), ("clusters", 4), ("curves", 1)):
        assert replace(state, mode=mode, variants=((mode, way),)).cursor.x == 300
    back = replace(state, mode="profile").pointing(Cursor(2, -1))
    assert replace(back, mode="heat").cursor == Cursor(300, 2)
    assert state.look == ANYWHERE
