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

from explorer.render.text import clean, crop
from explorer.ui.picks import Pick, ranked
from explorer.ui.terminal.lists import Options

if TYPE_CHECKING:
    from textual import events

_WIDTH = 76


class PickerScreen(ModalScreen[str | None]):
    """Rows under headings. The result is the name that was chosen, or None.

    Keys go to the screen itself, not to a field: none is lost while the list opens.
    """

    BINDINGS: ClassVar = [
        Binding("escape", "dismiss", show=False),
        Binding("enter", "take", show=False),
        Binding("down,tab,ctrl+n", "go(1)", show=False),
        Binding("up,shift+tab,ctrl+p", "go(-1)", show=False),
        Binding("pagedown", "go(10)", show=False),
        Binding("pageup", "go(-10)", show=False),
        Binding("backspace", "erase", show=False),
        Binding("ctrl+u", "clear", show=False),
        Binding("ctrl+c,ctrl+q", "app.quit", show=False),
    ]

    def __init__(self, what: str, rows: Sequence[Pick], states: Callable[[], Mapping[str, str]]) -> None:
        """
        Args:
            states: returns how much of each row is computed, by name; empty while that is not known.
        """
        super().__init__()
        self._what, self._rows, self._states = what, tuple(rows), states
        self._typed = ""
        self._list = Options()
        self._list.can_focus = False
        self._head, self._foot = Static(), Static()

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet"):
            yield self._head
            yield self._list
            yield self._foot

    def on_mount(self) -> None:
        chosen = next((row.name for row in self._rows if row.chosen), None)
        self._fill(chosen)

    def refresh_states(self) -> None:
        """Draw again, because more is known about what is computed."""
        if self.is_mounted:
            self._fill(self._pointed())

    def on_key(self, event: events.Key) -> None:
        """Add a character to what is typed."""
        if event.character is not None and event.is_printable:
            self._typed += event.character
            self._fill(None)
            event.stop()

    def action_erase(self) -> None:
        """Take the last character away."""
        self._typed = self._typed[:-1]
        self._fill(None)

    def action_clear(self) -> None:
        """Show all rows."""
        self._typed = ""
        self._fill(None)

    def action_go(self, by: int) -> None:
        """Move by some rows; headings are passed over."""
        places = [i for i in range(self._list.option_count) if not self._list.get_option_at_index(i).disabled]
        if places:
            now = places.index(self._list.highlighted) if self._list.highlighted in places else -1
            self._list.highlighted = places[min(max(now + by, 0), len(places) - 1)]

    def action_take(self) -> None:
        """Choose the row under the cursor."""
        name = self._pointed()
        if name is not None:
            self.dismiss(name)

    def on_option_list_option_highlighted(self, message: OptionList.OptionHighlighted) -> None:
        row = next((row for row in self._rows if row.name == message.option_id), None)
        self._foot.update(Text("\n" + clean(row.why or row.text) if row else "", overflow="ellipsis"))

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        self.dismiss(message.option_id)

    def _pointed(self) -> str | None:
        at = self._list.highlighted
        return None if at is None else self._list.get_option_at_index(at).id

    def _fill(self, pointed: str | None) -> None:
        """Show the rows that match, with the cursor on one of them (None: the first)."""
        rows, states = ranked(self._rows, self._typed), self._states()
        wide = max((cell_len(clean(row.name)) for row in self._rows), default=0)
        group, options = "", []
        for row in rows:
            if row.group != group and not self._typed:
                group = row.group
                options.append(Option(Text(clean(group[:1].upper() + group[1:]), style="bold"), disabled=True))
            mark = "●" if row.chosen else " "
            state = states.get(row.name, "")
            name = clean(row.name)
            text = f"{mark} {name}{' ' * (wide - cell_len(name))}  {clean(row.text)}"
            text = crop(text, _WIDTH - len(state) - 2)
            gap = _WIDTH - cell_len(text) - len(state)
            options.append(Option(Text(text + " " * gap + state), id=row.name))
        self._list.set_options(options)
        typed = f"{self._what}: {self._typed}▏   {len(rows)} of {len(self._rows)}"
        self._head.update(Text(f"{typed}   enter takes · esc closes\n"))
        names = [option.id for option in options]
        at = names.index(pointed) if pointed in names else next((i for i, n in enumerate(names) if n is not None), None)
        self._list.highlighted = at
        if at is None:
            self._foot.update(Text("\nNothing matches; backspace takes a letter away."))
