"""Do other keys work, does every list show them, and is a mistake one sentence?"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest

from explorer.cli import tui
from explorer.ui.actions import ACTIONS
from explorer.ui.key_bindings import in_force, keymap
from explorer.ui.settings import defaults
from store.errors import BertdynError
from tests.explorer.ui.conftest import main, opened, screen_text, shown, text_of, until


def test_no_two_actions_share_a_key_and_every_key_is_one() -> None:
    own = in_force({})
    assert own == ACTIONS
    assert in_force({a.id: ",".join(a.keys) for a in ACTIONS}) == ACTIONS


def test_characters_and_names_are_both_keys() -> None:
    assert keymap({"help": "?, F1,ctrl+K", "scale": ",", "quit": "Q"}) == {
        "help": "question_mark,f1,ctrl+k",
        "scale": "comma",
        "quit": "Q",
    }


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ({"measure.next": "T"}, "the key 'T' is given to two actions, 'task.next' and 'measure.next'"),
        ({"measure.next": "f5", "scale": "F5"}, "the key 'f5' is given to two actions"),
        ({"scale": "ctrl+q"}, "given to two actions, 'quit' and 'scale'"),
        ({"scale": "pgup"}, "'scale' has the key 'pgup', which is not a key name. Did you mean 'pageup'?"),
        ({"scale": "strg+x"}, "which is not a key name"),
    ],
)
def test_a_key_for_two_actions_is_a_sentence(keys: dict[str, str], says: str) -> None:
    with pytest.raises(BertdynError) as refused:
        in_force(keys)
    assert says in str(refused.value)


async def test_keys_that_were_exchanged_do_each_others_work_and_are_shown(computed: Path) -> None:
    config = replace(defaults(), keys={"measure.pick": "t", "task.pick": "m", "help": "f2", "palette": "f3"})
    async with opened(computed, size=(160, 90), config=config) as pilot:
        screen = main(pilot)
        await pilot.press("m", *"sst2", "enter")
        await until(pilot, lambda: screen.state.tasks == ("sst2",))
        await pilot.press("t", *"js", "enter")
        assert screen.state.measure != "svcca"
        assert "t measure" in " ".join(text_of(pilot, "footer").split())
        assert "m task" in " ".join(text_of(pilot, "footer").split())
        heads = {line.split()[0]: line.split()[-1] for line in text_of(pilot, "panel").splitlines() if line.strip()}
        assert (heads["measure"], heads["task"], heads["seed"]) == ("t", "m", "s")
        commands = {c.title for c in pilot.app.get_system_commands(pilot.app.screen)}
        assert {"Choose the measure  (t)", "Choose the task  (m)", "Help  (f2)"} <= commands
        await pilot.press("question_mark", "ctrl+p")
        assert pilot.app.screen is screen
        await pilot.press("f2")
        await shown(pilot, "Next measure")
        assert re.search(r"  t M +Choose the measure", screen_text(pilot))
        await pilot.press("f2")
        await until(pilot, lambda: pilot.app.screen is screen)
        await pilot.press("f3", *"next measure")  # all commands are more than a screen of 90 lines holds
        await shown(pilot, "Next measure  (M)")


def test_mistakes_end_with_2_and_one_sentence(
    computed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.toml"
    monkeypatch.setenv("BERTDYN_CONFIG", str(file))
    for text, says in (
        ('[keys]\n"scale" = "t"\n', "given to two actions"),
        ('mode = "hat"\n', "there is no view 'hat', only overview"),
        ("colour = 1\n", "there is no setting 'colour'"),
    ):
        file.write_text(text)
        with pytest.raises(SystemExit) as left:
            tui([str(computed)])
        said = capsys.readouterr().err
        assert left.value.code == 2
        assert says in said
        assert said.count("\n") == 1


def test_the_settings_are_printed_with_every_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[keys]\n"scale" = "f9"\n')
    monkeypatch.setenv("BERTDYN_CONFIG", str(file))
    monkeypatch.setenv("BERTDYN_COLOR", "256")
    with pytest.raises(SystemExit) as left:
        tui(["--no-mouse", "--print-config"])
    assert not left.value.code
    said = capsys.readouterr().out
    assert 'color = "256"' in said
    assert "from BERTDYN_COLOR" in said
    assert "mouse = false" in said
    assert '\n"scale" = "f9"' in said
    assert '# "measure.pick" = "m"' in said


async def test_messages_name_the_keys_in_force(computed: Path) -> None:
    keys = {"corpus.pick": "f3", "measure.pick": "f4", "sql.write": "f6", "deeper": "f7", "cancel": "f8"}
    config = replace(defaults(), keys=keys, values={**defaults().values, "compute": False})
    async with opened(computed, config=config) as pilot:
        screen = main(pilot)
        await pilot.press("P", "5")
        await until(pilot, lambda: "Labelled: dev. f3: choose the corpus." in " ".join(text_of(pilot, "chart").split()))
        await pilot.press("P")
        assert screen.catalogue is not None
        alone = next(m.name for m in screen.catalogue.measures if not m.compares and m.labels is None)
        screen.become(replace(screen.state, measure=alone, mode="heat", variants=(("heat", 3),)))
        await shown(pilot, "f4: choose the measure.")
        await pilot.press("8")
        await shown(pilot, "f7 edits a query · f6 writes or changes it · F5 or ^r runs it")
        await pilot.press("f5")
        await shown(pilot, "f7 takes a worked query, f6 writes one.")
        await pilot.press("0")
        await shown(pilot, "another explorer computes is not listed here")
