"""One line to type into: a filter, a range, a name. Textual's Input is loaded when first asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Horizontal
from textual.message import Message

from explorer.ui.messages import Led, Opened

if TYPE_CHECKING:
    from textual import events
    from textual.widgets import Input


class Prompt(Horizontal):
    """Hidden until it asks; enter answers, escape (or an empty line's ctrl+c) drops it."""

    ENDS = ("enter", "escape", "ctrl+c", "tab")
    """Keys that close it."""

    class Typed(Message):
        """The text so far."""

        def __init__(self, what: str, text: str) -> None:
            super().__init__()
            self.what, self.text = what, text

    class Entered(Typed):
        """The text was entered."""

    class Dropped(Message):
        """Escape was pressed."""

    what = ""
    """Purpose of the prompt; empty while hidden."""
    opening = False
    """It was asked to open, and takes no key yet."""

    def ask(self, what: str, text: str, hint: str, label: str = "") -> None:
        """Open with a text to start from; without a label the purpose is shown."""
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
        self.post_message(Led())

    def on_key(self, event: events.Key) -> None:
        if event.key in self.ENDS[1:]:
            event.stop()
            event.prevent_default()
            self.drop()

    def drop(self) -> None:
        """Close without an answer."""
        self._close()
        self.post_message(self.Dropped())
        self.post_message(Led())

    def _close(self) -> None:
        self.remove_class("-open")
