"""The queue of what is typed ahead: order, passing, and words for what a key opens."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from explorer.ui.key_queue import Gate, KeyQueue


@dataclass
class Screen:
    """Has a picture or not; ``d`` (down) needs it, ``f`` needs it and opens labels, ``/`` opens a line."""

    listed: bool = True
    drawn: bool = True
    done: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.queue: KeyQueue[str] = KeyQueue(self.gate, self.act)

    def gate(self, key: str) -> Gate:
        if not self.listed:
            return Gate.SHUT
        if key in "df" and not self.drawn:
            return Gate.SHUT if key == "f" else Gate.PASSABLE
        return Gate.OPEN

    async def act(self, key: str) -> bool:
        self.done.append(key)
        return key == "/"

    def type(self, keys: str) -> str:
        for key in keys:
            asyncio.run(self.queue.put(key))
        return "".join(self.done)


def test_keys_are_acted_on_at_once_when_all_is_there() -> None:
    screen = Screen()
    assert screen.type("mdf") == "mdf"
    assert not screen.queue.waiting


def test_keys_before_the_store_is_listed_wait_in_their_order() -> None:
    screen = Screen(listed=False)
    assert screen.type("mdt") == ""
    screen.listed = True
    asyncio.run(screen.queue.release())
    assert screen.done == list("mdt")


def test_a_key_that_needs_no_picture_passes_those_that_wait_for_it() -> None:
    screen = Screen(drawn=False)
    assert screen.type("ddm") == "m"
    screen.drawn = True
    asyncio.run(screen.queue.release())
    assert screen.done == list("mdd")


def test_letters_behind_a_key_that_opens_labels_wait_for_the_labels() -> None:
    screen = Screen(drawn=False)
    assert screen.type("fam") == ""
    screen.drawn = True
    asyncio.run(screen.queue.release())
    assert screen.done == list("fam")


def test_text_behind_a_key_that_opens_a_line_waits_until_it_is_open() -> None:
    screen = Screen()
    assert screen.type("/abc") == "/"
    asyncio.run(screen.queue.release())
    assert screen.done == ["/"]
    asyncio.run(screen.queue.key_done())
    assert screen.done == list("/abc")


def test_each_key_that_leads_elsewhere_holds_those_behind_it_again() -> None:
    screen = Screen()
    screen.type("/a/b")
    asyncio.run(screen.queue.key_done())
    assert screen.done == list("/a/")
    asyncio.run(screen.queue.key_done())
    assert screen.done == list("/a/b")


def test_what_waits_for_a_picture_is_forgotten_with_it_and_nothing_else_is() -> None:
    screen = Screen(drawn=False)
    screen.type("dd")
    screen.queue.forget()
    assert not screen.queue.waiting
    screen.type("fa")
    screen.queue.forget()
    assert screen.queue.waiting


@given(st.text("dmf/", max_size=12), st.data())
def test_nothing_is_lost_or_done_twice_whenever_things_come(keys: str, data: st.DataObject) -> None:
    screen = Screen(listed=data.draw(st.booleans()), drawn=data.draw(st.booleans()))
    for key in keys:
        asyncio.run(screen.queue.put(key))
        if data.draw(st.booleans()):
            asyncio.run(screen.queue.release())
    screen.listed = screen.drawn = True
    for _ in range(len(keys) + 1):
        asyncio.run(screen.queue.key_done())
    assert sorted(screen.done) == sorted(keys)
    assert [key for key in screen.done if key in "df"] == [key for key in keys if key in "df"]
    assert [key for key in screen.done if key in "m/"] == [key for key in keys if key in "m/"]
