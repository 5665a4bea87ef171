"""The Textual app: one main screen, the command palette, and a sane end. All else is in the modules beside it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import Iterable
from functools import partial
from pathlib import Path

from textual.app import App, SystemCommand
from textual.screen import Screen

from explorer.ui import terminal
from explorer.ui.actions import ACTIONS
from explorer.ui.screens.main import MainScreen


class Explorer(App[None]):
    """Looks at one store."""

    CSS_PATH = "explorer.tcss"
    TITLE = "bertdyn"

    def __init__(self, path: Path) -> None:
        # The terminal's own colours: with them NO_COLOR leaves no colour code at all (Textual would send greys).
        super().__init__(ansi_color=True)
        self.theme = "ansi-dark"
        self.animation_level = "none"
        self.main = MainScreen(path, terminal.colours(self.console.color_system, self.no_color))

    def get_default_screen(self) -> Screen[None]:
        return self.main

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGHUP):
            with contextlib.suppress(RuntimeError, ValueError):  # not the main thread: a test, not a terminal
                loop.add_signal_handler(number, self._leave, number)

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """Every action of the registry by its name."""
        for action in ACTIONS:
            if action.id != "palette":
                run = partial(self.call_later, self.main.run_action, action.call)
                yield SystemCommand(f"{action.title}  ({action.shown_keys})", action.help, run)

    def _leave(self, number: int) -> None:
        self.exit(return_code=128 + number)


def run(store_path: Path, *, mouse: bool = True) -> int:
    """Show a store until the user leaves; the exit code is 0, or 128 plus the signal that ended it.

    On a terminal that cannot show a full screen (TERM=dumb, a pipe) the first view is printed as text, with code 2.

    Raises:
        BertdynError: such a terminal, and a store that cannot be opened.
    """
    if os.environ.get("NO_COLOR") == "":  # https://no-color.org: only when not empty
        del os.environ["NO_COLOR"]
    why = terminal.unusable()
    if why:
        return terminal.text_view(store_path, why)
    for name in ("COLUMNS", "LINES"):  # Textual believes them rather than the terminal, and would never see a resize
        os.environ.pop(name, None)
    terminal.survive_stray_bytes()
    explorer = Explorer(store_path)
    try:
        explorer.run(mouse=mouse)
    finally:
        explorer.main.reader.finish()
        explorer.main.jobs.finish()
    broken = explorer._exception is not None  # the input thread's own errors leave the return code at 0
    return explorer.return_code or (1 if broken else 0)
