"""The explorer where its users run it: in tmux on a machine reached over ssh. Every byte is counted on both ways.

What stands on the user's own terminal is read from a second tmux on this side of the hop.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.computed import make_computed
from tests.parameters import later
from tests.synthetic import Copied
from tests.terminal import hop as ssh
from tests.terminal.conftest import Terminal, coloured, explorer

pytestmark = pytest.mark.skipif(bool(ssh.missing()), reason=ssh.missing() or "there is ssh")

DEPTHS = {"truecolor": {"COLORTERM": "truecolor"}}
"""The depth that costs most bytes; the others on request."""
if os.environ.get("BERTDYN_LONG"):
    DEPTHS["256"] = {}
DARK, LIGHT = b"38;5;252", b"38;5;235"
"""Colours of text on a dark and on a light background."""
OPENS = {
    "2": "step 180 0.",
    "3": "▸",
    "4": "seed 3",
    "5": "Distance between labels",
    "6": "Attention, layer",
    "7": "rows 1-",
    "8": "SQL",
    "9": "free",
    "0": "Nothing",
    "1": "L12",
}
"""A key for each mode, and words that stand on the screen once it is drawn."""


@pytest.fixture(scope="module")
def hop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ssh.Hop]:
    made = ssh.Hop(tmp_path_factory.mktemp("ssh"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory, copied: Copied) -> Path:
    return copied(make_computed, tmp_path_factory.mktemp("away") / "runs.bertdyn").path


class Away:
    """A user's terminal, and a tmux far away that outlives it."""

    def __init__(self, folder: Path, hop: ssh.Hop) -> None:
        self.folder, self._hop = folder, hop
        self._terminals: list[Terminal] = []
        self.far = self._terminal("far")
        self._configuration = folder / "tmux.conf"
        # No status line: its clock would send bytes by itself. Without RGB tmux maps colours down for its client.
        self._configuration.write_text("set -g status off\nset -as terminal-features ',*:RGB'\n")

    def start(self, arguments: list[str], size: str = "120x40", environment: dict[str, str] | None = None) -> Terminal:
        """Run the explorer in tmux over ssh; the terminal on this side."""
        program = explorer(self.folder, arguments, environment or {})
        near = self.attach(size, shlex.join(["-s", "here", program, ";", *self.far.logged()]))
        until(lambda: self.far.runs, "tmux")
        return near

    def attach(self, size: str, session: str = "-s here") -> Terminal:
        """Another ssh connection to the session."""
        tmux = f"{shutil.which('tmux')} -u -S {self.far.socket} -f {self._configuration} new-session -A {session}"
        return self.run(tmux, size)

    def run(self, command: str, size: str = "120x40") -> Terminal:
        """Run a command over ssh, without tmux on the other side."""
        near = self._terminal(f"near{len(self._terminals)}")
        near.open(f"env TERM=xterm-256color {self._hop.command(command)}; echo gone; exec sleep 100", size)
        return near

    def close(self) -> None:
        """End all of it."""
        for terminal in self._terminals:
            terminal.close()

    def _terminal(self, name: str) -> Terminal:
        (self.folder / name).mkdir()
        self._terminals.append(Terminal(self.folder / name))
        return self._terminals[-1]


@pytest.fixture
def away(tmp_path: Path, hop: ssh.Hop) -> Iterator[Away]:
    made = Away(tmp_path, hop)
    yield made
    made.close()


def until(holds: Callable[[], object], what: str, seconds: float = 60) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"it never came: {what}"
        time.sleep(0.05)


def drawn(text: str) -> bool:
    return "SVCCA distance from" in text and "L12" in text


def of_store(path: Path) -> list[int]:
    """Processes that were told a store's path: the explorer, its jobs."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if str(path).encode() in words:
            found.append(int(process.name))
    return found


@pytest.mark.parametrize("depth", list(DEPTHS))
def test_every_mode_draws_over_ssh_and_what_its_keys_cost(away: Away, runs: Path, depth: str) -> None:
    near = away.start([str(runs), "--no-compute"], environment=DEPTHS[depth])
    near.until(drawn)
    start = near.quiet(1.0)
    time.sleep(2)  # only time can show that nothing comes
    assert near.quiet() == start, "idle sends something"
    assert (b"38;2;" in near.sent) is (depth == "truecolor")
    table, dear = [f"start {start:,}"], []
    for mode, words in OPENS.items():
        opened = cost(away, near, mode, words)
        keys = {
            key: cost(away, near, key) for key in (("Left", "h", "Down", "j", "Up") if mode in "123456" else ("j",))
        }
        table.append(f"{mode}: {opened}  " + "  ".join(f"{key} {sent}" for key, sent in keys.items()))
        dear += [f"{mode} {key}: {sent}" for key, sent in keys.items() if max(sent) >= 8_000]
        assert max(opened) < (45_000 if mode == "3" else 30_000), mode
    print(f"\nbytes in {depth} (over ssh, to tmux):\n" + "\n".join(table))
    assert dear == []
    assert near.screen() == away.far.screen()


def cost(away: Away, near: Terminal, key: str, words: str = "") -> tuple[int, int]:
    """Bytes that a key brings over ssh, and that the explorer writes to tmux; wait for words if some must come.

    Words can come before their picture: then a longer silence tells that it is whole.
    """
    before = last = near.count, away.far.count
    near.press(key)
    if words:
        near.until(lambda text: words in text)
    since = time.monotonic()
    while time.monotonic() - since < (0.8 if words else 0.4 if last == before else 0.2):
        time.sleep(0.02)
        now = near.count, away.far.count
        if now != last:
            last, since = now, time.monotonic()
    return last[0] - before[0], last[1] - before[1]


def test_one_detaches_and_comes_back_from_elsewhere_at_another_size(away: Away, runs: Path) -> None:
    first = away.start([str(runs), "--no-compute"])
    first.until(drawn)
    first.press("3")
    first.until(lambda text: "12▸" in text)
    first.press("C-b", "d")
    first.until(lambda text: "gone" in text)
    for size in ("90x30", "200x50"):
        other = away.attach(size)
        other.until(lambda text: "12▸" in text and "layer 12, " in text.splitlines()[-2])
        other.quiet()
        lines = other.screen().splitlines()
        assert lines == away.far.screen().splitlines()
        assert len(lines) == int(size.partition("x")[2])
        assert "? help" in lines[-1]
        other.press("Down")
        other.until(lambda text: "layer 11, " in text)
        other.press("Up")
        other.until(lambda text: "layer 12, " in text)
        other.press("C-b", "d")
        other.until(lambda text: "gone" in text)


def test_in_tmux_it_outlives_a_connection_that_breaks(away: Away, runs: Path) -> None:
    near = away.start([str(runs), "--no-compute"])
    near.until(drawn)
    program = away.far.flag("pane_pid")
    os.kill(near.program(), signal.SIGKILL)
    until(lambda: away.far.flag("session_attached") == "0", "tmux alone")
    assert away.far.flag("pane_pid") == program
    again = away.attach("120x40")
    again.until(drawn)
    for columns, rows in ((40, 10), (250, 60), (61, 17), (10, 3), (100, 30), (120, 40)):
        again.resize(columns, rows)
        time.sleep(0.05)  # as a hand drags a window
    again.press("2")
    again.until(lambda text: "step 180" in text and len(text.splitlines()) == 40 and "? help" in text.splitlines()[-1])
    assert away.far.flag("pane_pid") == program


def test_without_tmux_a_broken_connection_saves_the_session_and_leaves_no_process(
    away: Away, runs: Path, tmp_path: Path
) -> None:
    path = tmp_path / "own.bertdyn"
    shutil.copytree(runs, path)
    near = away.run(explorer(away.folder, [str(path)], {}))
    near.until(drawn)
    near.press("3", "m", "anisotropy", "Enter")  # nothing of it is computed
    near.until(lambda text: "computing" in text)
    until(lambda: len(of_store(path)) >= 2, "a job")
    os.kill(near.program(), signal.SIGKILL)
    until(lambda: not of_store(path), "the end of every process")
    (saved,) = (file for file in (away.folder / "state").rglob("*.json") if "presets" not in file.name)
    assert json.loads(saved.read_text())["state"]["mode"] == "heat"


@pytest.mark.parametrize("style", ["bg=#fafafa", later("")])
def test_the_background_is_asked_through_the_hop_and_a_silent_one_costs_nothing(
    away: Away, runs: Path, style: str
) -> None:
    near = away.run(explorer(away.folder, [str(runs), "--no-compute"], {"TERM": "xterm-256color"}, "TMUX"))
    if style:
        near.style(style)
    near.until(drawn)
    until(lambda: (LIGHT if style else DARK) in near.sent, "its colours")
    before = near.quiet(1.0)
    assert b"\x1b]11;?" in near.sent
    assert (LIGHT in near.sent) is bool(style)
    assert drawn(near.screen())
    time.sleep(1)  # only time can show that nothing comes
    assert near.count == before


def test_in_tmux_on_the_other_side_it_is_that_one_that_answers(away: Away, runs: Path) -> None:
    near = away.start([str(runs), "--no-compute"])
    away.far.style("bg=#fafafa")
    near.until(drawn)
    until(lambda: LIGHT in away.far.sent, "its colours")
    assert drawn(near.screen())


def test_stray_bytes_do_no_harm(away: Away, runs: Path) -> None:
    near = away.run(explorer(away.folder, [str(runs), "--no-compute"], {}))
    near.until(drawn)
    for stray in (
        b"\x1b[M \xa00",  # a mouse report of a terminal that fell back to the oldest protocol
        b"\x1b[<35;40;20M\x1b[<0;200;90M\x1b[<0;200;90m",  # movement, and a click beyond the screen
        b"\x1b]11;rgb:0000/0000/0000\x07\x1b]52;c;cXFx\x1b\\\x1b[?1;2c\x1b[I\x1b[O",  # answers to nobody's questions
        b"\x1b[200~q3xq\nselect\x1b[201~",  # a text that somebody pastes here
        b"\xff\xfe\xc3",
    ):
        near.send(*stray)
        time.sleep(0.2)  # each by itself; some bring nothing that one could wait for
    near.press("2")
    near.until(lambda text: "step 180" in text and "? help" in text)
    near.press("1")
    near.until(drawn)
    near.press("q")
    near.until(lambda text: "gone" in text and "SVCCA" not in text)


def test_a_copy_arrives_at_the_terminal(away: Away, runs: Path) -> None:
    near = away.start([str(runs), "--no-compute"])
    near.until(drawn)
    near.take_clipboard()
    near.press("Y")
    near.until(lambda text: "OSC 52" in text)
    until(lambda: "SVCCA distance from" in near.clipboard(), "the copy")
    alone = away.run(explorer(away.folder, [str(runs), "--no-compute"], {}))
    alone.until(drawn)
    alone.take_clipboard()
    alone.press("Y")
    until(lambda: "SVCCA distance from" in alone.clipboard(), "the copy without tmux")


def test_no_color_sends_no_colour_code_over_ssh(away: Away, runs: Path) -> None:
    near = away.start([str(runs), "--no-compute"], environment={"NO_COLOR": "1", "COLORTERM": "truecolor"})
    near.until(drawn)
    for key in ("Left", *OPENS, "Left", "Up"):
        cost(away, near, key)
    assert coloured(away.far.sent) == []
    assert coloured(near.sent) == []
