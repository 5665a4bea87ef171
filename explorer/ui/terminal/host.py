"""The base class of the app, with everything that it does to the terminal.

It uses these private names of Textual 8.2.8:

* ``App._check_bindings`` runs the binding of a key at once. Otherwise the key first passes through the queues of three
  widgets, and later keys would overtake it. A public ``App.run_binding(key)`` would replace it.
* ``App._display`` sends fewer bytes, and none while another program has the terminal (see ``minimal_updates``). A
  public hook for updates would replace it.
* ``App._driver`` writes a query to the terminal, and stops and continues the use of the terminal (see ``suspend``).
* ``App._exception`` tells whether the app ended with an error: after an error in the input thread Textual's return code
  is 0. A return code of 1 would replace it.
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
"""Time in which an answer of the terminal is recognised even if it arrives byte by byte."""


class TerminalApp(App[None]):
    """An app that sends few bytes, can be suspended, and asks the terminal for its background."""

    def __init__(self) -> None:
        # With the terminal's own colours, NO_COLOR sends no colour codes at all (otherwise Textual would send greys).
        super().__init__(ansi_color=True)
        self.asks = False
        """Whether to query the terminal's background. The picture does not wait for the answer."""
        self._asked = -ANSWER_SECONDS
        self._updates = MinimalUpdates()
        self.suspension: Suspension | None = None

    @property
    def broken(self) -> bool:
        """Whether the app ended with an error."""
        return self._exception is not None

    async def bound(self, key: str) -> bool:
        """Run the binding of a key now; return False if it has none."""
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
        self._updates.forget()  # the terminal may have cut off or moved its content

    def action_redraw(self) -> None:
        """Paint everything again, because another program has written on the screen."""
        self._updates.forget()
        self.screen.refresh()

    def action_suspend_process(self) -> None:
        """Give the terminal back to the shell until it continues the explorer."""
        if self.suspension is not None:
            self.suspension.stop()

    def returned(self, stopped: bool) -> None:
        """Paint again after a suspension.

        Args:
            stopped: whether the process was really stopped.
        """
        self.action_redraw()

    def awaits(self) -> bool:
        """Return whether the terminal may still answer the background query. May be called from any thread."""
        return time.monotonic() - self._asked < ANSWER_SECONDS

    def answered(self, answer: str) -> None:
        """Handle an answer of the terminal to the background query. May be called from any thread."""
        dark = background.dark(answer)
        if dark is not None and self.asks:
            self._asked = -ANSWER_SECONDS
            with contextlib.suppress(RuntimeError):  # the app has ended
                self.post_message(Background(dark))
