"""The base of the app: what it does with the terminal itself.

Private names of Textual 8.2.8 here, and what would let them go:

* ``App._check_bindings``: run the binding of a key at once. Otherwise the key passes through the queues of three
  widgets first, and keys behind it would overtake it. A public ``App.run_binding(key)`` would do.
* ``App._display``: send fewer bytes, and none while another program has the terminal. A public hook for updates would
  do (see ``minimal_updates``).
* ``App._driver``: write a question to the terminal, and stop and continue its use (see ``suspend``).
* ``App._exception``: an error of the input thread leaves the return code at 0. An exit code of 1 would do.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from textual.app import App
from textual.drivers.linux_driver import LinuxDriver

from explorer.ui.messages import Background
from explorer.ui.terminal import background
from explorer.ui.terminal.minimal_updates import MinimalUpdates
from explorer.ui.terminal.suspend import Suspension

if TYPE_CHECKING:
    from rich.console import RenderableType
    from textual.screen import Screen

ANSWER_SECONDS = 10.0
"""How long to recognise the terminal's answer, even where it comes byte by byte."""


class TerminalApp(App[None]):
    """An app that sends few bytes, can be suspended, and asks the terminal for its background."""

    def __init__(self) -> None:
        # The terminal's own colours: with them NO_COLOR leaves no colour code at all (Textual would send greys).
        super().__init__(ansi_color=True)
        self.asks = False
        """Whether to ask the terminal for its background; the picture does not wait for the answer."""
        self._asked = -ANSWER_SECONDS
        self._updates = MinimalUpdates()
        self.suspension: Suspension | None = None

    @property
    def broken(self) -> bool:
        """It ended with an error."""
        return self._exception is not None

    async def bound(self, key: str) -> bool:
        """Run the binding of a key now; False where it has none."""
        return await self._check_bindings(key)

    def on_mount(self) -> None:
        if self.asks and self._driver is not None:
            self._asked = time.monotonic()
            self._driver.write(background.ASK)
            self._driver.flush()
        if isinstance(self._driver, LinuxDriver):
            self.suspension = Suspension(self._driver, self.returned)
            self.suspension.listen()

    def _display(self, screen: Screen[object], renderable: RenderableType | None) -> None:
        if self.suspension is None or not self.suspension.away:
            super()._display(screen, self._updates.lean(renderable))

    def on_resize(self) -> None:
        self._updates.forget()  # the terminal has cut off or moved what it showed

    def action_redraw(self) -> None:
        """Paint everything again: another program has written on the screen."""
        self._updates.forget()
        self.screen.refresh()

    def action_suspend_process(self) -> None:
        """Give the terminal back to the shell until it continues the explorer."""
        if self.suspension is not None:
            self.suspension.stop()

    def returned(self, stopped: bool) -> None:
        """Paint again after a suspension; ``stopped`` is False where nobody could stop the process."""
        self.action_redraw()

    def awaits(self) -> bool:
        """Whether the terminal may still answer the background query; from any thread."""
        return time.monotonic() - self._asked < ANSWER_SECONDS

    def answered(self, answer: str) -> None:
        """Take the terminal's answer to the background query; from any thread."""
        dark = background.dark(answer)
        if dark is not None and self.asks:
            self._asked = -ANSWER_SECONDS
            with contextlib.suppress(RuntimeError):  # the app has ended
                self.post_message(Background(dark))
