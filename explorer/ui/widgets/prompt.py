"""The prompt: a line for typing a filter, a range or a name. Textual's Input is loaded when it is first needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.message import Message

from explorer.ui.messages import KeyDone, Opened

if TYPE_CHECKING:
    from textual import events
    from textual.widgets import Input


class Prompt(Horizontal):
    """A line that is hidden until ``ask``. Enter answers; escape, ctrl+c and tab close it without an answer."""

    ENDS = ("enter", "escape", "ctrl+c", "tab")
    """Keys that close the prompt."""

    class Typed(Message):
        """The text has changed."""

        def __init__(self, what: str, text: str) -> None:
            super().__init__()
            self.what, self.text = what, text

    class Entered(Typed):
        """The text was entered."""

    class Dropped(Message):
        """The prompt was closed without an answer."""

    what = ""
    """Purpose of the text that is typed; empty before the first ``ask``."""
    opening = False
    """Whether the prompt is opening and takes no keys yet."""

    def ask(self, what: str, text: str, hint: str, label: str = "") -> None:
        """Open the prompt.

        Args:
            what: purpose of the answer; it comes back with the messages.
            text: text to start from.
            hint: text that is shown while the line is empty.
            label: label of the line; empty: ``what``.
        """
        self.what, self.opening = what, True
        self.add_class("-open")
        self.run_worker(self._open(label or what, text, hint), exclusive=True)

    async def _open(self, label: str, text: str, hint: str) -> None:
        from textual.widgets import Input, Label

        try:
            await self.remove_children()
            field = Input(value=text, placeholder=hint, compact=True)
            await self.mount(Label(f" {label}: "), field)
            self.screen.set_focus(field)
        finally:
            self.opening = False
            self.post_message(Opened())

    def on_input_changed(self, message: Input.Changed) -> None:
        message.stop()
        self.post_message(self.Typed(self.what, message.value))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        message.stop()
        self._close()
        self.post_message(self.Entered(self.what, message.value))
        self.post_message(KeyDone())

    def on_key(self, event: events.Key) -> None:
        if event.key in self.ENDS[1:]:
            event.stop()
            event.prevent_default()
            self.drop()

    def drop(self) -> None:
        """Close without an answer."""
        self._close()
        self.post_message(self.Dropped())
        self.post_message(KeyDone())

    def _close(self) -> None:
        self.remove_class("-open")
