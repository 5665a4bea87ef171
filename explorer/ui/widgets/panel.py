"""The selection panel. It draws its own check marks, because those of Textual differ only by colour."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding
from textual.message import Message

from explorer.ui.bars import middle
from explorer.ui.choices import MORE, Choice, choices, folded
from explorer.ui.widgets.text_lines import SegmentLine, TextLines

if TYPE_CHECKING:
    from explorer.render.palette import Palette
    from explorer.ui.catalogue import Catalogue
    from explorer.ui.state import State


class SelectionPanel(TextLines, can_focus=True):
    """Shows the state as rows, and tells the screen which row was picked."""

    DEFAULT_CSS = "SelectionPanel { width: 28; height: 1fr; }"
    BINDINGS: ClassVar = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("left,h", "section(-1)", show=False),
        Binding("right,l", "section(1)", show=False),
        Binding("pageup", "move(-10)", show=False),
        Binding("pagedown", "move(10)", show=False),
        Binding("home", "move(-10000)", show=False),
        Binding("end", "move(10000)", show=False),
        Binding("space,enter", "pick", show=False),
        Binding("escape", "leave", show=False),
    ]

    class Picked(Message):
        """A row was picked."""

        def __init__(self, row: Choice) -> None:
            super().__init__()
            self.row = row

    class Left(Message):
        """The user left the panel."""

    def __init__(self, palette: Palette, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._palette = palette
        self._rows: list[Choice] = []
        self._at = self._top = 0
        self._about: tuple[State, Catalogue] | None = None
        self._opened = ""
        """Section whose list is unfolded when not all rows fit."""
        self.keys: dict[str, str] = {}
        """Keys in force, by default key."""
        self.wanted = ""
        """Words that rows must match."""

    def about(self, state: State, catalogue: Catalogue) -> None:
        """Show a state."""
        self._about = state, catalogue
        self._fill()

    def recolour(self, palette: Palette) -> None:
        """Draw with the colours of another palette."""
        self._palette = palette
        self._fill()

    def find(self, wanted: str) -> None:
        """Show only the rows that match some words, and go to the row of exactly that name, if there is one."""
        if wanted != self.wanted:
            self.wanted = wanted
            self._fill()
            named = [i for i, row in enumerate(self._rows) if row.name.lower() == wanted.lower()]
            if named:
                self._at = named[0]
                self._paint()

    @property
    def row(self) -> Choice | None:
        """The row under the cursor."""
        return self._rows[self._at] if 0 <= self._at < len(self._rows) else None

    def action_move(self, by: int) -> None:
        """Move the cursor by a number of rows that can be picked."""
        places = [i for i, row in enumerate(self._rows) if not row.head]
        if places:
            now = min(range(len(places)), key=lambda i: abs(places[i] - self._at))
            self._at = places[min(max(now + by, 0), len(places) - 1)]
            if self.row is not None and self.row.name == MORE:
                self._open(self.row.section, by > 0)
            self._fill()

    def _open(self, section: str, downwards: bool) -> None:
        """Unfold a list. Go to the row after the picked one when moving down, and to the last row when moving up."""
        self._opened = section
        self._fill()
        inside = [i for i, row in enumerate(self._rows) if row.section == section and not row.head]
        chosen = next((i for i in inside if "x" in self._rows[i].mark), inside[0])
        self._at = min(chosen + 1, inside[-1]) if downwards else inside[-1]

    def action_section(self, by: int) -> None:
        """Go to another section: to its picked row, or to its first row."""
        heads = [i for i, row in enumerate(self._rows) if row.head]
        now = max((n for n, i in enumerate(heads) if i <= self._at), default=0)
        wanted = min(max(now + by, 0), len(heads) - 1)
        if heads:
            start = heads[wanted] + 1
            stop = heads[wanted + 1] if wanted + 1 < len(heads) else len(self._rows)
            self._at = next((i for i in range(start, stop) if "x" in self._rows[i].mark), start)
            self._fill()

    def action_pick(self) -> None:
        """Pick the row under the cursor."""
        if self.row is not None and not self.row.head:
            self.post_message(self.Picked(self.row))

    def action_leave(self) -> None:
        """Clear the filter; if there is none, go back to the picture."""
        if self.wanted:
            self.find("")
        else:
            self.post_message(self.Left())

    def places(self) -> tuple[int, ...]:
        """Return the line numbers of the rows that can be picked now."""
        first = 1 if self.wanted else 0
        shown = enumerate(self._rows[self._top : self._top + self.size.height - first], start=first)
        return tuple(y for y, row in shown if not row.head)

    def take(self, y: int) -> None:
        """Pick the row in a line; if it stands for a folded list, unfold the list."""
        self._at = self._top + y - (1 if self.wanted else 0)
        if self.row is not None and self.row.name == MORE:
            self.focus()
            self._open(self.row.section, True)
            self._fill()
        else:
            self.action_pick()

    def on_focus(self) -> None:
        self._fill()

    def on_blur(self) -> None:
        self._fill()

    def on_resize(self) -> None:
        super().on_resize()
        self._fill()

    def _fill(self) -> None:
        if self._about is None:
            return
        under = self.row
        if under is None or under.section != self._opened or not self.has_focus:
            self._opened = ""  # the list folds again when the cursor leaves it
        rows = choices(*self._about, self.wanted)
        self._rows = rows if self.wanted else folded(rows, self._opened, self.size.height)
        places = [i for i, row in enumerate(self._rows) if not row.head]
        near = [i for i in places if under and self._rows[i].section == under.section]
        same = [i for i in near if under and self._rows[i].name == under.name]
        self._at = (same or [min(near or places, key=lambda i: abs(i - self._at), default=0)])[0]
        self._paint()

    def _paint(self) -> None:
        height, width = self.size.height, self.size.width
        if not height or not width:
            return
        head = [[Segment(f"/{self.wanted}  esc: clear", self._palette.warning)]] if self.wanted else []
        room = height - len(head)
        # One row above the cursor stays visible, so that the head of the section can be seen.
        self._top = max(0, min(self._top, max(0, self._at - 1)), self._at - room + 1)
        if len(self._rows) <= room:
            self._top = 0
        shown = range(self._top, min(len(self._rows), self._top + room))
        lines = [*head, *(self._line(i, width - 2) for i in shown)]
        if not self._rows and self.wanted:
            lines.append([Segment("nothing matches", self._palette.text)])
        self.show([[Segment(" "), *line] for line in lines])

    def _line(self, place: int, width: int) -> SegmentLine:
        row, palette = self._rows[place], self._palette
        if row.head:
            key = self.keys.get(row.key, row.key)
            room = max(0, width - len(key) - 1)
            return [Segment(middle(row.text, room).ljust(room + 1), palette.axis), Segment(key, palette.axis)]
        mark = f"{row.mark} " if row.mark else ""
        text = mark + middle(row.text, width - len(mark))
        style = palette.strong if "x" in row.mark else palette.text
        if self.has_focus and place == self._at:
            return [Segment(text.ljust(width), style + Style(reverse=True))]
        return [Segment(text, style)]
