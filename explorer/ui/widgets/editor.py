"""The statement's editor: history at its edges, completion with tab. Loaded when SQL is first shown."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.message import Message
from textual.widgets import TextArea

from explorer.ui.completion import completions, prefix

MOST_HISTORY = 100


class SqlEditor(TextArea):
    """F5 or ctrl+r runs, tab completes, up and down at the edges go through what was asked, escape leaves."""

    ENDS = ("escape", "tab", "f1")
    """Keys that may lead out of it; each is followed by a Wanted."""

    class Wanted(Message):
        """``run``, ``leave``, ``cancel``, ``help`` or ``stay``."""

        def __init__(self, what: str) -> None:
            super().__init__()
            self.what = what

    def __init__(self, text: str, asked: list[str], suggest: Callable[[tuple[str, ...]], None]) -> None:
        how = "A SELECT over the store's tables; tab completes their names."
        super().__init__(
            text, soft_wrap=True, show_line_numbers=False, tab_behavior="focus", compact=True, placeholder=how
        )
        self.asked = asked
        """Statements, the latest last."""
        self.columns: dict[str, tuple[str, ...]] = {}
        self._suggest = suggest
        self._at: int | None = None
        self._draft = ""
        self._offered: tuple[str, ...] = ()
        self._cycle: tuple[str, ...] = ()
        """Offers that tab goes through, the one that was taken first."""

    def remember(self) -> None:
        """The statement was asked."""
        text = self.text.strip()
        if text in self.asked:
            self.asked.remove(text)
        self.asked.append(text)
        del self.asked[:-MOST_HISTORY]
        self._at = None

    async def _on_key(self, event: events.Key) -> None:
        row = self.cursor_location[0]
        if event.key != "tab":
            self._cycle = ()
        match event.key:
            case "f5" | "ctrl+r":
                self.post_message(self.Wanted("run"))
            case "escape":
                self.post_message(self.Wanted("leave"))
            case "ctrl+c":
                self.post_message(self.Wanted("cancel"))
            case "f1":
                self.post_message(self.Wanted("help"))
            case "tab":
                self.post_message(self.Wanted("stay" if self._complete() else "leave"))
            case "up" if row == 0 and self.asked:
                self._recall(-1)
            case "down" if row == self.document.line_count - 1 and self._at is not None:
                self._recall(1)
            case _:
                await super()._on_key(event)
                return
        event.stop()
        event.prevent_default()

    def on_text_area_changed(self) -> None:
        """New text: what could come next."""
        self.offer()

    def on_text_area_selection_changed(self) -> None:
        """The cursor moved."""
        self.offer()

    def on_focus(self) -> None:
        """Offers are for who types."""
        self.offer()

    def on_blur(self) -> None:
        """Nobody types."""
        self._cycle = ()
        self._suggest(())

    def offer(self) -> None:
        """Say what the word under the cursor may become; while tab goes through the offers they stay."""
        if not self._cycle:
            self._offered = completions(self._before(), self.text, self.columns)
            self._suggest(self._offered if self.has_focus else ())

    def _before(self) -> str:
        return self.get_text_range((0, 0), self.cursor_location)

    def _complete(self) -> bool:
        """Take the next of what is offered."""
        typed = self._cycle[0] if self._cycle else prefix(self._before())
        offered = (*self._cycle[1:], self._cycle[0]) if self._cycle else self._offered
        if not offered:
            return False
        row, column = self.cursor_location
        self._cycle = offered
        self.replace(offered[0], (row, column - len(typed)), (row, column))
        self._suggest(offered)
        return True

    def _recall(self, by: int) -> None:
        if self._at is None:
            self._draft, self._at = self.text, len(self.asked)
        self._at = max(0, self._at + by)
        if self._at >= len(self.asked):
            self.text, self._at = self._draft, None
        else:
            self.text = self.asked[self._at]
        self.move_cursor((0, 0) if by < 0 else self.document.end)
