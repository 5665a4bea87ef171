"""Does one come back to what was shown, whatever happened to the file meanwhile?"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import fields, replace
from pathlib import Path

import pytest

from explorer.answers.look import Look
from explorer.selection import Against, Ranges
from explorer.selection.codec import decode, encode
from explorer.ui.app import Explorer
from explorer.ui.history import SelectionHistory, about
from explorer.ui.session import Saved, Session
from explorer.ui.state import State
from explorer.views.base import Cursor, DrawOptions
from tests.explorer.ui.conftest import changed, main, opened, screen_text, shown, text_of, until

OTHER = State(
    mode="heat",
    measure="js",
    corpus="dev",
    tasks=("sst2", "a/b ü"),
    seeds=("1", "x"),
    steps=Ranges.parse("0,20,100-", "step"),
    layers=Ranges.parse("1-3", "layer"),
    against=Against.parse("sst2/1/40"),
    reference_chosen=True,
    look=Look(layer=3, head=2, find="the"),
    variants=(("clusters", 2),),
    cursors=(("steps", Cursor(2, 1)), ("table", Cursor(0, 7))),
    options=DrawOptions(scale="log", ascii=True, sort="value", descending=True),
    digits=("heat",),
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
        ({"against": "nonsense", "corpus": "dev"}, State(corpus="dev")),
        ({"cursors": [["steps", {"x": "a", "y": 2}]]}, State(cursors=(("steps", Cursor(-1, 2)),))),
        ({"options": {"scale": "log", "shiny": 1}}, State(options=DrawOptions(scale="log"))),
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
    ("text", "why"),
    [
        (b"", "damaged"),
        (b"{", "damaged"),
        (b"[]", "damaged"),
        (b"\xff\xfe", "damaged"),
        (b'{"version": 99, "state": {"mode": "heat"}}', "another version"),
        (b'{"somebody": "else\'s"}', "another version"),
        (b"[" * 9999, "damaged"),
    ],
)
def test_a_damaged_or_foreign_file_is_no_session_and_is_set_aside(tmp_path: Path, text: bytes, why: str) -> None:
    kept = session(tmp_path, tmp_path)
    kept.path.parent.mkdir(parents=True)
    kept.path.write_bytes(text)
    assert kept.read() == Saved()
    assert why in kept.trouble
    assert kept.path.read_bytes() == text
    assert kept.write(Saved(OTHER)) == ""
    assert kept.aside.read_bytes() == text
    assert kept.read().state == OTHER
    assert kept.trouble == ""


def test_no_file_is_no_trouble(tmp_path: Path) -> None:
    kept = session(tmp_path, tmp_path)
    assert (kept.read(), kept.trouble) == (Saved(), "")


def test_presets_that_cannot_be_read_are_not_written_over(tmp_path: Path) -> None:
    kept = session(tmp_path, tmp_path)
    assert kept.keep("mine", OTHER) == ""
    kept.presets_path.write_bytes(text := kept.presets_path.read_bytes()[:-9])
    assert kept.presets() == {}
    assert "damaged" in kept.keep("other", State())
    assert "damaged" in kept.drop("mine")
    assert kept.presets_path.read_bytes() == text


def test_names_of_any_script_and_length_have_a_session(tmp_path: Path) -> None:
    kept = session(tmp_path, tmp_path / ("\N{SNOWMAN WITHOUT SNOW}" * 80 + ".bertdyn"))
    assert kept.write(Saved(OTHER)) == ""
    assert kept.read().state == OTHER


def test_what_a_killed_process_left_is_removed_when_it_is_old(tmp_path: Path) -> None:
    kept = session(tmp_path, tmp_path)
    kept.write(Saved(OTHER))
    old, new = (kept.path.with_name(f".{kept.path.name}.{n}.tmp") for n in (1, 2))
    for draft in (old, new):
        draft.write_text("{")
    os.utime(old, (0, 0))
    assert kept.read().state == OTHER
    assert not old.exists()
    assert new.exists()


WRITES = """
import itertools, sys
from pathlib import Path
from explorer.ui.session import Saved, Session
from explorer.ui.state import State
kept = Session(Path(sys.argv[1]), {"XDG_STATE_HOME": sys.argv[2]})
for number in itertools.count():
    assert not kept.write(Saved(State(measure=f"m{number}"), None, {"long": f"{number} " * 2_000_000}))
    print(number, flush=True)
"""


def test_a_kill_in_the_middle_of_a_save_leaves_the_old_or_the_new_one(tmp_path: Path) -> None:
    kept = session(tmp_path, tmp_path)
    halves = turn = 0
    while turn < 12 or (not halves and turn < 60):
        turn += 1
        words = [sys.executable, "-c", WRITES, str(tmp_path), str(tmp_path)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[3]) as process:
            assert process.stdout is not None
            for _ in range(2):
                process.stdout.readline()
            while turn % 4 and not any(".tmp" in name for name in os.listdir(kept.path.parent)):
                pass
            time.sleep(0.0005 * (turn % 12))  # each time at another moment of the save
            process.kill()
            told = [int(line) for line in process.stdout.read().split()]
        saved = kept.read()
        assert kept.trouble == ""
        number = int(saved.state.measure[1:])
        assert number in (max([1, *told]), max([1, *told]) + 1)
        assert saved.extra["long"] == f"{number} " * 2_000_000
        halves += len(list(kept.path.parent.glob(".*.tmp")))
        for draft in kept.path.parent.glob(".*.tmp"):
            draft.unlink()
    assert halves, "no save was cut: the test shows nothing"


def test_what_was_asked_for_first_never_replaces_what_came_later(tmp_path: Path) -> None:
    kept = session(tmp_path, tmp_path)
    slow = kept.writer(Saved(State(measure="old")))
    kept.write(Saved(State(measure="new")))
    slow()
    assert kept.read().state.measure == "new"


def test_a_folder_that_cannot_be_written_is_borne(tmp_path: Path) -> None:
    (tmp_path / "bertdyn").write_text("in the way")
    kept = session(tmp_path, tmp_path)
    assert "Not a directory" in kept.write(Saved(OTHER))
    assert kept.read() == Saved()
    assert "Not a directory" in kept.keep("mine", OTHER)


def test_two_explorers_lose_no_preset_of_each_other(tmp_path: Path) -> None:
    one, two = session(tmp_path, tmp_path), session(tmp_path, tmp_path)
    assert not one.keep("a", OTHER)
    assert not two.keep("b", State())
    assert not one.drop("c")
    assert one.presets() == {"a": OTHER, "b": State()}
    assert not one.drop("a")
    assert list(two.presets()) == ["b"]


def test_undo_is_of_the_selection_and_not_of_the_cursor() -> None:
    history = SelectionHistory()
    first, second = State(measure="svcca"), State(measure="js")
    history.note(first, first.pointing(Cursor(1, 1)))
    history.note(first, replace(first, mode="heat", options=DrawOptions(scale="log")))
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


FULL = """
import resource, sys
from pathlib import Path
from explorer.ui.session import Saved, Session
from explorer.ui.state import State
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, 2_000))
kept = Session(Path(sys.argv[1]), {"XDG_STATE_HOME": sys.argv[2]})
print(kept.write(Saved(State(measure="new"), None, {"long": "x" * 5_000})))
"""


def test_no_room_leaves_the_session_before_and_no_draft(tmp_path: Path) -> None:
    kept = session(tmp_path, tmp_path)
    assert kept.write(Saved(OTHER)) == ""
    words = [sys.executable, "-c", FULL, str(tmp_path), str(tmp_path)]
    said = subprocess.run(words, capture_output=True, text=True, check=True, cwd=Path(__file__).parents[3]).stdout
    assert said.startswith("File too large: ")
    assert kept.read() == Saved(OTHER)
    assert [path.name for path in kept.path.parent.iterdir()] == [kept.path.name]


async def test_the_store_opens_as_it_was_left(computed: Path, tmp_path: Path) -> None:
    kept = session(tmp_path, computed)
    async with opened(computed, session=kept) as pilot:
        await pilot.press("3", "T", "b", "home", "y")
        await until(pilot, lambda: main(pilot).state.options.log and not main(pilot).typing.queue.waiting)
        left = main(pilot).state
        # Not only at the end: a connection may drop.
        await until(pilot, lambda: kept.read().state == left)
    again = session(tmp_path, computed)
    async with opened(computed, session=again) as pilot:
        assert main(pilot).state == left
        assert (left.mode, left.tasks) == ("heat", ("sst2",))
        assert not main(pilot).panel.display
    async with opened(computed, session=again, config=changed(restore=False)) as pilot:
        assert main(pilot).state.mode == "overview", "the screen that one lands on"


async def test_what_the_settings_say_wins_over_what_was_left(computed: Path, tmp_path: Path) -> None:
    kept = session(tmp_path, computed)
    kept.write(Saved(State(mode="heat", measure="js", tasks=("sst2",))))
    async with opened(computed, session=kept, config=changed(mode="profile", ascii=True)) as pilot:
        state = main(pilot).state
        assert (state.mode, state.measure, state.tasks, state.options.ascii) == ("profile", "js", ("sst2",), True)


async def test_what_the_store_no_longer_has_is_settled(computed: Path, tmp_path: Path) -> None:
    kept = session(tmp_path, computed)
    kept.write(Saved(State(measure="gone", corpus="gone", tasks=("gone",), seeds=("9",), reference_chosen=True)))
    async with opened(computed, session=kept) as pilot:
        state = main(pilot).state
        assert (state.measure, state.corpus, state.tasks, state.seeds) == ("svcca", "dev", ("pos",), ())


async def test_u_takes_a_change_back_and_shift_u_does_it_again(computed: Path) -> None:
    async with opened(computed) as pilot:
        screen = main(pilot)
        await pilot.press("T", "D", "left", "3")
        assert (screen.state.tasks, screen.state.seeds) == (("sst2",), ("1",))
        await pilot.press("u")
        assert (screen.state.tasks, screen.state.seeds, screen.state.mode) == (("sst2",), (), "heat")
        await pilot.press("u")
        assert screen.state.tasks == ("pos",)
        await pilot.press("u")
        await shown(pilot, "Nothing to undo.")
        await pilot.press("U", "ctrl+r")
        assert (screen.state.tasks, screen.state.seeds) == (("sst2",), ("1",))
        await until(pilot, lambda: "sst2, seed 1" in text_of(pilot, "heading"))


async def test_a_selection_is_kept_by_name_and_shown_again(computed: Path, tmp_path: Path) -> None:
    kept = session(tmp_path, computed)
    async with opened(computed, session=kept) as pilot:
        screen = main(pilot)
        await pilot.press("L")
        await shown(pilot, "No selection was kept yet: S keeps this one.")
        await pilot.press("T", "D", "2", "S")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press(*"first seed", "enter")
        await shown(pilot, "Kept as 'first seed'; L shows it again.")
        assert kept.presets()["first seed"].mode == "profile"  # for a report
        assert screen.chart.has_focus
        await pilot.press("T", "3", "L")
        await shown(pilot, "first seed  svcca, against pretrained, corpus dev, sst2, seeds 1")
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
        await until(pilot, lambda: "delete removes" in screen_text(pilot))
        await pilot.press("delete")
        await until(pilot, lambda: pilot.app.screen is screen)
    assert kept.presets() == {}


async def test_a_kept_selection_has_a_remark_and_the_last_one_of_a_name_counts(computed: Path, tmp_path: Path) -> None:
    kept = session(tmp_path, computed)
    async with opened(computed, session=kept) as pilot:
        for typed in ("deep: layer 3: half by step 20", "wide: all of it", "wide"):
            await pilot.press("S")
            await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
            await pilot.press(*typed, "enter")
            await shown(pilot, f"Kept as '{typed.split(':')[0]}'; L shows it again.")
        assert kept.remarks() == {"deep": "layer 3: half by step 20"}
        await pilot.press("L")
        await shown(pilot, "layer 3: half by step 20")
        await pilot.press(*"wi")
        await until(pilot, lambda: "half by step 20" not in screen_text(pilot))
        await pilot.press("ctrl+u", "delete")
        await until(pilot, lambda: list(kept.presets()) == ["wide"])
        assert kept.remarks() == {}
        await shown(pilot, "1 of 1")


async def test_a_selection_that_cannot_be_deleted_stays_in_the_list_with_the_reason(
    computed: Path, tmp_path: Path
) -> None:
    kept = session(tmp_path, computed)
    kept.keep("mine", State())
    async with opened(computed, session=kept) as pilot:
        await pilot.press("L")
        await shown(pilot, "delete removes")
        whole = kept.presets_path.read_bytes()
        kept.presets_path.write_bytes(whole[:-9])
        await pilot.press("delete")
        await shown(pilot, "Not deleted: it is damaged")
        assert "1 of 1" in screen_text(pilot)


SOON = 0.1


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the session be saved ten times as often, so that what must not happen then shows sooner."""
    monkeypatch.setattr("explorer.ui.app.SAVE_SECONDS", SOON)


async def test_a_damaged_session_is_told_of_and_stays_until_one_does_something(
    computed: Path, tmp_path: Path, often: None
) -> None:
    kept = session(tmp_path, computed)
    kept.path.parent.mkdir(parents=True)
    kept.path.write_text("{")
    async with opened(computed, config=changed(compute=False), session=kept) as pilot:
        await shown(pilot, "The saved session is ignored: it is damaged. Your next key moves it to")
        await pilot.pause(3 * SOON)
        assert kept.path.read_text() == "{"
        app = pilot.app
        assert isinstance(app, Explorer)
        await pilot.press("q")
        app.save()
        assert kept.path.read_text() == "{"
    again = session(tmp_path, computed)
    async with opened(computed, config=changed(compute=False), session=again) as pilot:
        await pilot.press("3")
        await until(pilot, lambda: again.aside.exists() and again.path.exists())
        assert again.aside.read_text() == "{"
    assert session(tmp_path, computed).read().state.mode == "heat"


async def test_a_session_that_cannot_be_saved_is_said_once(computed: Path, tmp_path: Path, often: None) -> None:
    (tmp_path / "bertdyn").write_text("in the way")
    async with opened(computed, config=changed(compute=False), session=session(tmp_path, computed)) as pilot:
        await pilot.press("3")
        await shown(pilot, "The session is not saved: ")
        await pilot.press("S")
        await until(pilot, lambda: type(pilot.app.focused).__name__ == "Input")
        await pilot.press("a", "enter")
        await shown(pilot, "Not kept: ")
        await pilot.press("1")
        await pilot.pause(3 * SOON)  # nothing is what must be said
        assert "not saved" not in text_of(pilot, "notes")
