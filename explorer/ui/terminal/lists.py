"""Lists whose chosen row is in reverse: readable on any background, and without colours.

Textual 8.2.8 takes no reverse for the chosen row from a style sheet, so ``OptionList._lines`` tells which row a line
belongs to; and ``CommandPalette`` makes its list itself, so it is composed here with ``_placeholder``. A ``text-style:
reverse`` that works for options would let this module go.
"""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.app import ComposeResult
from textual.command import CommandInput, CommandList, CommandPalette, SearchIcon
from textual.containers import Horizontal, Vertical
from textual.strip import Strip
from textual.widgets import LoadingIndicator, OptionList

_REVERSE = Style(reverse=True)


class _Reversed:
    """Paints the chosen row in reverse."""

    def render_line(self: OptionList, y: int) -> Strip:  # type: ignore[misc]
        """Paint as Textual does, with the chosen row in reverse."""
        strip: Strip = super().render_line(y)  # type: ignore[misc]
        line = self.scroll_offset.y + y
        if line >= len(self._lines) or self._lines[line][0] != self.highlighted:
            return strip
        found = [Segment(text, (style or Style()) + _REVERSE, control) for text, style, control in strip]
        return Strip(found, strip.cell_length)


class Options(_Reversed, OptionList):
    """A list to choose from."""


class Commands(_Reversed, CommandList, can_focus=False):
    """The palette's list."""


class CommandFinder(CommandPalette):
    """The command palette, with that list."""

    def compose(self) -> ComposeResult:
        with Vertical(id="--container"):
            with Horizontal(id="--input"):
                yield SearchIcon()
                yield CommandInput(placeholder=self._placeholder, select_on_focus=False)
            with Vertical(id="--results"):
                yield Commands()
                yield LoadingIndicator()
