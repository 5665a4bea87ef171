"""The editor of SQL statements, with history and completion. It is loaded when the SQL mode is first shown."""

from __future__ import annotations

from collections.abc import Callable

from textual import events
from textual.widgets import TextArea

from explorer.ui.completion import completions, prefix
from explorer.ui.messages import KeyDone

MOST_HISTORY = 100


class SqlEditor(TextArea):
    """A text area with keys for SQL: F5 or ctrl+r runs the statement, ctrl+u empties it, tab completes, escape leaves.

    Up in the first line and down in the last line recall other statements of the history.
    """

    ENDS = ("escape", "tab", "f1")
    """Keys that may move the focus out of the editor; each is followed by a ``KeyDone``."""

    def __init__(
        self,
        text: str,
        asked: list[str],
        suggest: Callable[[tuple[str, ...]], None],
        wanted: Callable[[str], None],
    ) -> None:
        """
        Args:
            asked: earlier statements, the latest last.
            suggest: called with the completions of the word under the cursor.
            wanted: called when a key is a command: ``run``, ``leave``, ``cancel`` or ``help``.
        """
        how = "A SELECT over the store's tables; tab completes their names."
        super().__init__(
            text, soft_wrap=True, show_line_numbers=False, tab_behavior="focus", compact=True, placeholder=how
        )
        self.asked = asked
        """Statements that were run, the latest last."""
        self.columns: dict[str, tuple[str, ...]] = {}
        self._suggest, self._wanted = suggest, wanted
        self._at: int | None = None
        self._draft = ""
        self._offered: tuple[str, ...] = ()
        self._cycle: tuple[str, ...] = ()
        """Completions that tab cycles through, beginning with the one in the text."""

    def remember(self) -> None:
        """Add the statement to the history."""
        text = self.text.strip()
        if text in self.asked:
            self.asked.remove(text)
        self.asked.append(text)
        del self.asked[:-MOST_HISTORY]
        self._at = None

    def on_key(self, event: events.Key) -> None:
        """Handle the keys that are commands; Textual's own handler gets all other keys."""
        row = self.cursor_location[0]
        if event.key != "tab":
            self._cycle = ()
        match event.key:
            case "f5" | "ctrl+r":
                self._wanted("run")
            case "escape":
                self._wanted("leave")
            case "ctrl+c":
                self._wanted("cancel")
            case "f1":
                self._wanted("help")
            case "ctrl+u":
                self.text = ""
            case "tab":
                if not self._complete():
                    self._wanted("leave")
            case "up" if row == 0 and self.asked:
                self._recall(-1)
            case "down" if row == self.document.line_count - 1 and self._at is not None:
                self._recall(1)
            case _:
                return
        event.stop()
        event.prevent_default()
        if event.key in self.ENDS:
            self.post_message(KeyDone())

    def on_text_area_changed(self) -> None:
        """Offer completions for the new text."""
        self.offer()

    def on_text_area_selection_changed(self) -> None:
        """Offer completions for another word."""
        self.offer()

    def on_focus(self) -> None:
        """Offer completions when typing begins."""
        self.offer()

    def on_blur(self) -> None:
        """Remove the completions when typing ends."""
        self._cycle = ()
        self._suggest(())

    def offer(self) -> None:
        """Offer completions of the word under the cursor; they do not change while tab cycles through them."""
        if not self._cycle:
            self._offered = completions(self._before(), self.text, self.columns)
            self._suggest(self._offered if self.has_focus else ())

    def _before(self) -> str:
        return self.get_text_range((0, 0), self.cursor_location)

    def _complete(self) -> bool:
        """Insert the next completion; return False if there is none."""
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
