"""A list to choose from, which is filtered while one types."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from explorer.render.signs import plain
from explorer.render.text import clean, crop
from explorer.ui.picks import Pick, ranked
from explorer.ui.terminal.lists import Options
from explorer.ui.widgets.text_lines import PLAIN

if TYPE_CHECKING:
    from textual import events

_WIDTH = 76
"""Largest width of a row, in cells."""
_SHARE, _AROUND = 96, 8
"""Largest share of the terminal's width that the sheet takes, in per cent (explorer.tcss), and what it has around a
row: border, padding and a scroll bar, in cells."""
_NOTHING = "Nothing matches; backspace takes a letter away."
_PAGE = 10
"""Rows that a page key moves by."""


class PickerScreen(ModalScreen[None]):
    """Rows under headings, of which one is chosen.

    The app hands each key over as it comes (``press``), not through the queues of widgets: the same keys choose the
    same row at any speed, and a key after the choice is no longer for the list.
    """

    BINDINGS: ClassVar = [Binding("ctrl+c,ctrl+q", "app.quit", show=False)]

    def __init__(
        self,
        what: str,
        rows: Sequence[Pick],
        states: Callable[[], Mapping[str, str]],
        taken: Callable[[str | None], None],
        forget: Callable[[str], str] | None = None,
    ) -> None:
        """
        Args:
            states: returns how much of each row is computed, by name; empty while that is not known.
            taken: called at once with the name that was chosen, or None: the keys after it are for what is shown then.
            forget: deletes what a row stands for, and returns why that failed; None: rows cannot be deleted.
        """
        super().__init__()
        self._what, self._rows, self._states, self._taken = what, tuple(rows), states, taken
        self._forget, self._trouble = forget, ""
        self._typed = ""
        self._at = next((i for i, row in enumerate(self._rows) if row.chosen), 0)
        """Number of the row that is pointed at, among those that match."""
        self._early: list[events.Key] = []
        """Keys that came before the list was there."""
        self._ready = self._left = False
        self._list = Options()
        self._list.can_focus = False
        self._head, self._foot = Static(), Static()

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet"):
            yield self._head
            yield self._list
            yield self._foot

    async def on_mount(self) -> None:
        self._ready = True
        self._draw()
        early, self._early = self._early, []
        for event in early:
            await self.app.on_event(event)

    def on_resize(self) -> None:
        """Fit the rows into the new width."""
        self.refresh_states()

    def refresh_states(self) -> None:
        """Draw again, because more is known about what is computed."""
        if self._ready and not self._left:
            self._draw()

    def press(self, event: events.Key) -> None:
        """Act on a key: letters filter, arrows move, enter chooses, escape closes."""
        if not self._ready:
            self._early.append(event)
            return
        self._trouble = ""
        moves = {"down": 1, "tab": 1, "up": -1, "shift+tab": -1, "pagedown": _PAGE, "pageup": -_PAGE}
        rows = self._shown
        if event.key == "escape":
            self._leave(None)
        elif event.key == "enter":
            if rows:
                self._leave(rows[self._at].name)
        elif event.key in moves:
            self._at = min(max(self._at + moves[event.key], 0), max(0, len(rows) - 1))
            self._draw()
        elif event.key == "delete" and self._forget is not None and rows:
            self._delete(rows[self._at])
        elif event.key in ("backspace", "ctrl+u"):
            self._filter(self._typed[:-1] if event.key == "backspace" else "")
        elif event.character is not None and event.is_printable:
            self._filter(self._typed + event.character)

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """Choose the row that was clicked."""
        self._leave(message.option_id)

    @property
    def _shown(self) -> tuple[Pick, ...]:
        return ranked(self._rows, self._typed)

    def _filter(self, typed: str) -> None:
        self._typed, self._at = typed, 0
        self._draw()

    def _delete(self, row: Pick) -> None:
        assert self._forget is not None
        self._trouble = self._forget(row.name)
        if not self._trouble:
            self._rows = tuple(other for other in self._rows if other is not row)
            self._at = min(self._at, max(0, len(self._shown) - 1))
        if self._rows:
            self._draw()
        else:
            self._leave(None)

    def _leave(self, name: str | None) -> None:
        if not self._left:
            self._left = True
            self.dismiss()
            self._taken(name)

    def _draw(self) -> None:
        """Show the rows that match, under headings while nothing is typed."""
        rows, states = self._shown, self._states()
        wide = max((cell_len(clean(row.name)) for row in self._rows), default=0)
        width = min(_WIDTH, self.app.size.width * _SHARE // 100 - _AROUND)
        group, options, place = "", list[Option](), 0
        for number, row in enumerate(rows):
            if row.group != group and not self._typed:
                group = row.group
                options.append(Option(Text(clean(group[:1].upper() + group[1:]), style="bold"), disabled=True))
            if number == self._at:
                place = len(options)
            name, state = clean(row.name), states.get(row.name, "")
            text = f"{'●' if row.chosen else ' '} {name}{' ' * (wide - cell_len(name))}  {clean(row.text)}"
            text = self._sign(crop(text, max(1, width - len(state) - 2)))
            options.append(Option(Text(text + " " * (width - cell_len(text) - len(state)) + state), id=row.name))
        self._list.set_options(options)
        self._list.highlighted = place if rows else None
        typed = f"{self._what}: {self._typed}▏   {len(rows)} of {len(self._rows)}"
        deletes = "" if self._forget is None else " · delete removes"
        self._head.update(Text(self._sign(f"{typed}   enter takes{deletes} · esc closes\n")))
        about = clean(rows[self._at].why or rows[self._at].text) if rows else _NOTHING
        about = f"Not deleted: {clean(self._trouble)}" if self._trouble else about
        self._foot.update(Text("\n" + self._sign(about), overflow="ellipsis"))

    def _sign(self, text: str) -> str:
        """Return a text in plain characters, if only such are to be shown."""
        return plain(text) if self.app.has_class(PLAIN) else text
