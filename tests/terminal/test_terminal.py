"""The explorer in a real terminal: does it start, count its bytes, survive, and leave the terminal as it was."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.terminal.conftest import CODE, REPOSITORY, Terminal, coloured


def drawn(text: str) -> bool:
    return "L12" in text


def test_it_starts_with_curves_and_shows_every_mode(terminal: Terminal, store: Path) -> None:
    terminal.start([str(store)])
    assert "SVCCA distance from the pre-trained model" in terminal.until(drawn)
    for key, words in {"2": "layer", "3": "0.0", "4": "seed 1", "7": "rows 1-", "1": "L12"}.items():
        terminal.press(key)
        terminal.until(lambda text, words=words: words in text)
    terminal.press("?")
    terminal.until(lambda text: "Choose the measure" in text)
    terminal.press("?")
    terminal.until(drawn)
    terminal.press("q")
    assert "left with 0" in terminal.until(lambda text: "left with" in text)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_leaves_a_sane_terminal(terminal: Terminal, store: Path, number: int, code: int) -> None:
    terminal.start([str(store)])
    terminal.until(drawn)
    assert terminal.flag("alternate_on") == "1"
    os.kill(terminal.program(), number)
    text = terminal.until(lambda text: "extproc" in text)  # the last word of stty
    assert f"left with {code}" in text
    assert terminal.flag("alternate_on") == "0"
    assert terminal.flag("mouse_any_flag") == "0"
    assert terminal.flag("cursor_flag") == "1"
    assert re.search(r"(?<!-)\bicanon\b", text)
    assert re.search(r"(?<!-)\becho\b", text)


def test_what_a_key_costs_on_the_wire_at_120x40_in_256_colours(terminal: Terminal, store: Path) -> None:
    terminal.start([str(store)])
    terminal.until(drawn)
    start = terminal.quiet()
    focus = terminal.cost("Left")
    cursor = max(terminal.cost(key) for key in ("Left", "Left", "Down", "k", "l"))
    other = terminal.cost("2")
    curves = terminal.cost("1")
    heat = terminal.cost("3")
    cell = max(terminal.cost(key) for key in ("Left", "Down"))
    print(
        f"bytes: start {start:,}; first cursor key {focus:,}; cursor key {cursor:,}; profile {other:,}; "
        f"curves {curves:,}; heat map {heat:,}; cursor on the heat map {cell:,}"
    )
    assert 0 < cursor < 8_000
    assert 0 < cell < 8_000
    assert 0 < curves < 30_000
    assert 0 < focus < 30_000
    assert 0 < heat < 45_000


def test_idle_sends_nothing(terminal: Terminal, store: Path) -> None:
    terminal.start([str(store)])
    terminal.until(drawn)
    before = terminal.quiet(1.0)
    time.sleep(4)  # only time can show that nothing comes
    assert terminal.count == before


@pytest.mark.on_demand
def test_no_color_sends_no_colour_code(terminal: Terminal, store: Path) -> None:
    terminal.start([str(store)], environment={"NO_COLOR": "1"})
    terminal.until(drawn)
    for key in ("2", "3", "d", "Left", "4", "5", "Tab", "j", "Escape", "1", "m", "Escape", "M"):
        terminal.cost(key)
    terminal.press("?")
    terminal.until(lambda text: "Next measure" in text)
    terminal.cost("?", ":")
    assert coloured(terminal.sent) == []


def test_colours_are_there_without_it(terminal: Terminal, store: Path) -> None:
    terminal.start([str(store)])
    terminal.until(drawn)
    terminal.quiet()
    assert any(b"38;5;" in code for code in coloured(terminal.sent))
    assert not any(b"38;2;" in code for code in coloured(terminal.sent))


def test_mouse_bytes_that_are_no_utf8_do_not_end_it(terminal: Terminal, store: Path) -> None:
    terminal.start([str(store)])
    terminal.until(drawn)
    terminal.send(0x1B, 0x5B, 0x4D, 0x20, 0xA0, 0x30)
    terminal.quiet()
    terminal.press("3")
    terminal.until(lambda text: "layer" in text and "L12" not in text)


def test_no_mouse_asks_for_no_mouse(terminal: Terminal, store: Path) -> None:
    terminal.start([str(store), "--no-mouse"])
    terminal.until(drawn)
    assert b"\x1b[?1000h" not in terminal.sent
    assert b"\x1b[?1003h" not in terminal.sent


def test_80x24_and_a_storm_of_sizes(terminal: Terminal, store: Path) -> None:
    terminal.start([str(store)], size="80x24")
    text = terminal.until(drawn)
    assert "1 Curves" in text
    assert "? help" in text
    for columns, rows in ((40, 10), (250, 60), (61, 17), (100, 30), (10, 3), (120, 40)):
        terminal.resize(columns, rows)
        time.sleep(0.05)  # as a hand drags a window
    terminal.until(lambda text: drawn(text) and "measure" in text)
    terminal.resize(50, 12)
    terminal.until(lambda text: "needs 60 x 16" in " ".join(text.split()))


def test_a_dumb_terminal_gets_the_text_view_and_exit_code_2(store: Path) -> None:
    environment = {**os.environ, "TERM": "dumb", "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", CODE, str(store)]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert "SVCCA distance from the pre-trained model" in run.stdout
    assert "What changed" in run.stdout
    assert "most in layer 12" in run.stdout
    assert "\x1b" not in run.stdout
    assert "text view" in run.stderr
