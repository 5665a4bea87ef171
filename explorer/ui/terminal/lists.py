"""Lists that show the chosen row in reverse, which is readable on any background and without colours.

A style sheet of Textual 8.2.8 cannot show the chosen row in reverse, so the private ``OptionList._lines`` is used to
find the row of a line. ``CommandPalette`` makes its own list, so it is composed again here, with the private
``_placeholder``. If ``text-style: reverse`` worked for options, this module could be removed.
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
    """A mixin that paints the chosen row in reverse."""

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
    """The list of the command palette."""


class CommandFinder(CommandPalette):
    """The command palette, with ``Commands`` as its list."""

    def compose(self) -> ComposeResult:
        with Vertical(id="--container"):
            with Horizontal(id="--input"):
                yield SearchIcon()
                yield CommandInput(placeholder=self._placeholder, select_on_focus=False)
            with Vertical(id="--results"):
                yield Commands()
                yield LoadingIndicator()
