"""Does one come back to what was shown, whatever happened to the file meanwhile?"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path

import pytest

from explorer.selection import Against, Ranges
from explorer.ui.codec import decode, encode
from explorer.ui.history import History, about
from explorer.ui.session import Saved, Session
from explorer.ui.state import State
from explorer.views.base import Cursor, DrawOptions, Look
from tests.explorer.ui.conftest import changed, main, opened, screen_text, shown, text_of, until

OTHER = State(
    mode="heat",
    measure="js",
    probe="dev",
    tasks=("sst2", "a/b ü"),
    seeds=("1", "x"),
    steps=Ranges.parse("0,20,100-", "step"),
    layers=Ranges.parse("1-3", "layer"),
    against=Against.parse("sst2/1/40"),
    reference_chosen=True,
    look=Look(layer=3, head=2, find="the"),
    variants=(("clusters", 2),),
    cursors=(("steps", Cursor(2, 1)), ("table", Cursor(0, 7))),
    options=DrawOptions(log_y=True, ascii=True, sort="value", descending=True),
)


def session(tmp_path: Path, store: Path) -> Session:
    return Session(store, {"XDG_STATE_HOME": str(tmp_path)})


@pytest.mark.parametrize("against", ["pretrained", "seed:2", "seeds", "previous", "pos/1/20"])
def test_every_field_comes_back(against: str) -> None:
    state = replace(OTHER, against=Against.parse(against))
    assert decode(State, json.loads(json.dumps(encode(state)))) == state


def test_there_is_no_field_that_a_session_cannot_hold() -> None:
    for f in fields(State):
        kept = decode(State, {f.name: encode(getattr(State(), f.name))})
        assert kept == State(), f.name
        assert f.name in encode(State())


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ({"mode": 3, "measure": "js"}, State(measure="js")),
        ({"unheard": 1, "tasks": ["a"]}, State(tasks=("a",))),
        ({"tasks": "a"}, State()),
        ({"steps": "5-1", "seeds": ["1"]}, State(seeds=("1",))),
        ({"against": "nonsense", "probe": "dev"}, State(probe="dev")),
        ({"cursors": [["steps", {"x": "a", "y": 2}]]}, State(cursors=(("steps", Cursor(-1, 2)),))),
        ({"options": {"log_y": True, "shiny": 1}}, State(options=DrawOptions(log_y=True))),
        ([], State()),
        (None, State()),
    ],
)
def test_what_cannot_be_read_is_left_out(said: object, kept: State) -> None:
    assert decode(State, said) == kept


def test_a_session_is_of_the_store_whatever_path_leads_to_it(tmp_path: Path) -> None:
    store = tmp_path / "runs.bertdyn"
    store.mkdir()
    (tmp_path / "link").symlink_to(store)
    session(tmp_path, store).write(Saved(OTHER, True, {"sql": "select 1"}))
    assert session(tmp_path, tmp_path / "link").read() == Saved(OTHER, True, {"sql": "select 1"})
    assert session(tmp_path, tmp_path / "other" / "runs.bertdyn").read() == Saved()
    assert [p.suffix for p in session(tmp_path, store).path.parent.iterdir()] == [".json"]


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"\xff\xfe", b'{"version": 99, "state": {"mode": "heat"}}', b"[" * 9999]
)
def test_a_damaged_or_foreign_file_is_no_session(tmp_path: Path, text: bytes) -> None:
    kept = session(tmp_path, tmp_path)
    kept.path.parent.mkdir(parents=True)
    kept.path.write_bytes(text)
    assert kept.read() == Saved()


def test_what_was_asked_for_first_never_replaces_what_came_later(tmp_path: Path) -> None:
    kept = session(tmp_path, tmp_path)
    slow = kept.writer(Saved(State(measure="old")))
    kept.write(Saved(State(measure="new")))
    slow()
    assert kept.read().state.measure == "new"


def test_a_folder_that_cannot_be_written_is_borne(tmp_path: Path) -> None:
    (tmp_path / "bertdyn").write_text("in the way")
    kept = session(tmp_path, tmp_path)
    kept.write(Saved(OTHER))
    assert kept.read() == Saved()
    assert not kept.keep("mine", OTHER)


def test_two_explorers_lose_no_preset_of_each_other(tmp_path: Path) -> None:
    one, two = session(tmp_path, tmp_path), session(tmp_path, tmp_path)
    assert one.keep("a", OTHER)
    assert two.keep("b", State())
    assert one.drop("c")
    assert one.presets() == {"a": OTHER, "b": State()}
    assert one.drop("a")
    assert list(two.presets()) == ["b"]


def test_undo_is_of_the_selection_and_not_of_the_cursor() -> None:
    history = History()
    first, second = State(measure="svcca"), State(measure="js")
    history.note(first, first.pointing(Cursor(1, 1)))
    history.note(first, replace(first, mode="heat", options=DrawOptions(log_y=True)))
    assert history.back(first) is None
    history.note(first, second)
    here = replace(second, mode="heat").pointing(Cursor(2, 2))
    back = history.back(here)
    assert back == replace(here, measure="svcca")
    assert history.forth(back) == here
    back = history.back(here)
    assert back is not None
    history.note(back, replace(back, measure="cka"))
    assert history.forth(back) is None
    assert about(here) == about(second)


async def test_the_store_opens_as_it_was_left(computed: Path, tmp_path: Path) -> None:
    kept = session(tmp_path, computed)
    async with opened(computed, session=kept) as pilot:
        await pilot.press("3", "t", "b", "home", "y")
        await until(pilot, lambda: "sst2" in text_of(pilot, "heading"))
        left = main(pilot).state
        # Not only at the end: a connection may drop.
        await until(pilot, lambda: kept.read().state == left, seconds=5)
    again = session(tmp_path, computed)
    async with opened(computed, session=again) as pilot:
        assert main(pilot).state == left
        assert (left.mode, left.tasks) == ("heat", ("sst2",))
        assert not main(pilot).panel.display
    async with opened(computed, session=again, config=changed(restore=False)) as pilot:
        assert main(pilot).state.mode == "curves"


async def test_what_the_settings_say_wins_over_what_was_left(computed: Path, tmp_path: Path) -> None:
    kept = session(tmp_path, computed)
    kept.write(Saved(State(mode="heat", measure="js", tasks=("sst2",))))
    async with opened(computed, session=kept, config=changed(mode="profile", ascii=True)) as pilot:
        state = main(pilot).state
        assert (state.mode, state.measure, state.tasks, state.options.ascii) == ("profile", "js", ("sst2",), True)


async def test_what_the_store_no_longer_has_is_settled(computed: Path, tmp_path: Path) -> None:
    kept = session(tmp_path, computed)
    kept.write(Saved(State(measure="gone", probe="gone", tasks=("gone",), seeds=("9",), reference_chosen=True)))
    async with opened(computed, session=kept) as pilot:
        state = main(pilot).state
        assert (state.measure, state.probe, state.tasks, state.seeds) == ("svcca", "dev", ("pos",), ())


async def test_u_takes_a_change_back_and_shift_u_does_it_again(computed: Path) -> None:
    async with opened(computed) as pilot:
        screen = main(pilot)
        await pilot.press("t", "s", "left", "3")
        assert (screen.state.tasks, screen.state.seeds) == (("sst2",), ("1",))
        await pilot.press("u")
        assert (screen.state.tasks, screen.state.seeds, screen.state.mode) == (("sst2",), (), "heat")
        await pilot.press("u")
        assert screen.state.tasks == ("pos",)
        await pilot.press("u")
        await shown(pilot, "This is where it began.")
        await pilot.press("U", "ctrl+r")
        assert (screen.state.tasks, screen.state.seeds) == (("sst2",), ("1",))
        await until(pilot, lambda: "sst2, seed 1" in text_of(pilot, "heading"))


async def test_a_selection_is_kept_by_name_and_shown_again(computed: Path, tmp_path: Path) -> None:
    kept = session(tmp_path, computed)
    async with opened(computed, session=kept) as pilot:
        screen = main(pilot)
        await pilot.press("L")
        await shown(pilot, "No selection was kept yet: S keeps this one.")
        await pilot.press("t", "s", "S")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"first seed", "enter")
        await shown(pilot, "Kept as 'first seed'; L shows it again.")
        assert screen.chart.has_focus
        await pilot.press("t", "3", "L")
        await shown(pilot, "first seed  svcca, against pretrained, probe dev, sst2, seeds 1")
        await pilot.press("enter")
        await until(pilot, lambda: (screen.state.tasks, screen.state.seeds) == (("sst2",), ("1",)))
        assert screen.state.mode == "heat"
        await pilot.press("u")
        assert screen.state.tasks == ("pos", "sst2")
        await pilot.press("colon")
        await until(pilot, lambda: pilot.app.screen is not screen)
        await pilot.press(*"kept sel")
        await shown(pilot, "Kept selection: first seed")
        await pilot.press("escape", "escape")
        await until(pilot, lambda: pilot.app.screen is screen)
        await pilot.press("L")
        await until(pilot, lambda: "x forgets it" in screen_text(pilot))
        await pilot.press("x")
        await until(pilot, lambda: pilot.app.screen is screen)
    assert kept.presets() == {}
