"""Do the same keys lead to the same place however fast they are typed, and is what takes long said?"""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest
from textual import events
from textual.app import App
from textual.pilot import Pilot

from explorer.ui.app import Explorer
from explorer.ui.reader import Reader
from tests.explorer.ui.conftest import LOOK_SECONDS, changed, main, opened, text_of, until
from tests.parameters import first

Slow = threading.Event


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Slow:
    """The data thread waits for it before it answers."""
    open_ = Slow()
    open_.set()
    answer = Reader._answer

    def late(self: Reader, *args: object) -> object:
        open_.wait(20)
        return answer(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Reader, "_answer", late)
    return open_


def type_ahead(pilot: Pilot[None], *keys: str) -> None:
    """As from a terminal: all of them before anything else happens."""
    for key in keys:
        pilot.app.post_message(events.Key(key, key if len(key) == 1 else None))


def open_when_ended(app: App[object], gate: Slow) -> None:
    while app.screen_stack:
        time.sleep(LOOK_SECONDS)
    gate.set()


def settled(pilot: Pilot[None]) -> bool:
    screen = main(pilot)
    return not screen.pane.waiting and not screen.typing.queue.waiting and screen.picture is not None


async def test_what_is_typed_while_the_store_opens_is_not_lost(computed: Path) -> None:
    async with opened(computed, wait=False) as pilot:
        type_ahead(pilot, "T", "D", "2")
        await until(pilot, lambda: settled(pilot) and main(pilot).state.mode == "profile")
        assert main(pilot).state.tasks == ("sst2",)
        assert main(pilot).state.seeds == ("1",)


async def test_what_is_typed_into_a_list_that_is_not_there_yet_chooses_and_the_rest_is_for_the_picture(
    computed: Path,
) -> None:
    async with opened(computed, wait=False) as pilot:
        type_ahead(pilot, "t", *"sst2", "enter", "s", "down", "enter", "2")
        await until(pilot, lambda: settled(pilot) and main(pilot).state.mode == "profile")
        assert main(pilot).state.tasks == ("sst2",)
        assert main(pilot).state.seeds == ("1",)


@pytest.mark.parametrize(
    "keys",
    first(4, ["n Down n Down Right", "Down , n N n", "o ] Down", "n Down . Down", "o Down n", "n ] Up", "n n n Down"]),
)
async def test_the_same_keys_lead_to_the_same_sentence_and_token_at_any_pace(
    computed: Path, gate: Slow, keys: str
) -> None:
    typed = [
        key if len(key) > 1 else {"]": "right_square_bracket", ",": "comma", ".": "full_stop"}.get(key, key)
        for key in keys.split()
    ]
    typed = [key.lower() if len(key) > 1 else key for key in typed]
    reached = []
    for fast in (False, True):
        async with opened(computed, config=changed(mode="example")) as pilot:
            if fast:
                gate.clear()
                type_ahead(pilot, *typed)
                await until(pilot, lambda: main(pilot).pane.waiting or main(pilot).typing.queue.waiting)
            for key in typed if not fast else ():
                await pilot.press(key)
                await until(pilot, lambda: settled(pilot))
            gate.set()
            await until(pilot, lambda: settled(pilot))
            await pilot.pause()
            await until(pilot, lambda: settled(pilot))
            view, picture = main(pilot).pane.view, main(pilot).picture
            assert view is not None
            assert picture is not None
            reached.append((view.data.focus, picture.cursor))
    assert reached[0] == reached[1]


async def test_a_view_that_takes_long_is_said_to_be_read_beside_what_else_is_told(computed: Path, gate: Slow) -> None:
    async with opened(computed, config=changed(mode="example")) as pilot:
        gate.clear()
        await pilot.press("o")
        told = "most changed sentences first"
        await until(pilot, lambda: "reading …" in text_of(pilot, "notes"))
        assert told in text_of(pilot, "notes")
        gate.set()
        await until(pilot, lambda: "reading …" not in text_of(pilot, "notes"))
        assert told in text_of(pilot, "notes")


async def test_a_measure_typed_where_it_cannot_be_shown_is_refused_with_the_reason(computed: Path) -> None:
    async with opened(computed, config=changed(mode="clusters"), wait=False) as pilot:
        type_ahead(pilot, "slash")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"measure:js", "enter")
        await until(pilot, lambda: "Clusters always shows clusters" in text_of(pilot, "notes"))
        assert main(pilot).state.measure == "svcca"


async def test_an_answer_that_comes_when_the_explorer_has_ended_acts_on_no_key(computed: Path, gate: Slow) -> None:
    async with opened(computed, config=changed(mode="example")) as pilot:
        gate.clear()
        app, held = main(pilot).app, main(pilot).typing.queue
        type_ahead(pilot, "n", "down", "n")
        await until(pilot, lambda: held.waiting)
        threading.Thread(target=open_when_ended, args=(app, gate)).start()  # leaving waits for the data thread
    assert isinstance(app, Explorer)
    await app.on_loaded()
    await app.on_key_done()
    assert held.waiting
