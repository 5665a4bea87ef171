"""Which setting wins, and is a mistake in one said in a sentence?"""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from explorer.ui.settings import SETTINGS, Settings, default_path, printed, read
from store.errors import BertdynError

ACTIONS = ("measure.next", "task.next")


def config(tmp_path: Path, text: str = "", given=None, **environ: str) -> Settings:
    path = tmp_path / "config.toml"
    path.write_text(text)
    return read(given or {}, ACTIONS, {"BERTDYN_CONFIG": str(path), **environ})


def test_without_a_file_everything_is_its_default(tmp_path: Path) -> None:
    found = read({}, ACTIONS, {"XDG_CONFIG_HOME": str(tmp_path)})
    assert found.values == {s.name: s.default for s in SETTINGS}
    assert set(found.sources.values()) == {"default"}


def test_the_command_line_wins_over_the_environment_and_it_over_the_file(tmp_path: Path) -> None:
    text = 'color = "256"\nascii = true\nmode = "heat"\n'
    found = config(tmp_path, text, {"color": "16", "mode": None}, BERTDYN_COLOR="none", BERTDYN_MODE="table")
    assert (found.text("color"), found.sources["color"]) == ("16", "--color")
    assert (found.text("mode"), found.sources["mode"]) == ("table", "BERTDYN_MODE")
    assert found.on("ascii")
    assert found.sources["ascii"].endswith("config.toml")
    assert found.sources["mouse"] == "default"


def test_an_empty_variable_says_nothing(tmp_path: Path) -> None:
    assert config(tmp_path, 'color = "256"\n', BERTDYN_COLOR="").text("color") == "256"


@pytest.mark.parametrize(("said", "on"), [("1", True), ("off", False), ("TRUE", True), ("no", False)])
def test_on_and_off_in_the_environment(tmp_path: Path, said: str, on: bool) -> None:
    assert config(tmp_path, BERTDYN_MOUSE=said).on("mouse") is on


@pytest.mark.parametrize(
    ("text", "environ", "says"),
    [
        ("colour = 1", {}, "there is no setting 'colour'. Did you mean 'color'?"),
        ('color = "green"', {}, "color must be one of auto, truecolor, 256, 16, none, not 'green'"),
        ("color = 256", {}, "color must be one of"),
        ('mouse = "maybe"', {}, "mouse must be true or false, not 'maybe'"),
        ("color = ", {}, "is not valid TOML"),
        ("keys = 3", {}, "[keys] must be a table"),
        ('[keys]\n"measure.nxt" = "n"', {}, "there is no action 'measure.nxt'. Did you mean 'measure.next'?"),
        ('[keys]\n"measure.next" = 3', {}, "needs keys as text"),
        ("", {"BERTDYN_BACKGROUND": "pink"}, "BERTDYN_BACKGROUND: background must be one of auto, dark, light"),
        ("", {"BERTDYN_CONFIG": "/nowhere/at/all.toml"}, "BERTDYN_CONFIG: there is no file"),
    ],
)
def test_a_mistake_is_one_sentence(tmp_path: Path, text: str, environ: dict[str, str], says: str) -> None:
    with pytest.raises(BertdynError) as refused:
        config(tmp_path, text, **environ)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value).rstrip()


def test_what_is_printed_is_a_file_that_says_the_same(tmp_path: Path) -> None:
    first = config(tmp_path, 'measure = "a\\"b"\nmouse = false\n[keys]\n"measure.next" = "n, m"\n', {"color": "16"})
    assert first.keys == {"measure.next": "n,m"}
    text = printed(first)
    assert "from --color" in text
    assert set(tomllib.loads(text)) == {s.name for s in SETTINGS} | {"keys"}
    again = config(tmp_path, text)
    assert (again.values, again.keys) == (first.values, first.keys)


def test_where_the_file_is(tmp_path: Path) -> None:
    assert default_path({"XDG_CONFIG_HOME": "/x"}) == Path("/x/bertdyn/config.toml")
    assert default_path({}) == Path("~/.config/bertdyn/config.toml").expanduser()
