"""The list of the kept selections of a store: choosing and deleting them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from explorer.ui.terminal.lists import Options

if TYPE_CHECKING:
    from explorer.ui.session import Session
    from explorer.ui.state import State


class PresetsScreen(ModalScreen[str | None]):
    """A list of names. The result is the chosen name, or None."""

    BINDINGS: ClassVar = [
        Binding("escape,q", "dismiss", show=False),
        Binding("L", "dismiss", show=False, id="presets"),
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
        Binding("x,delete", "forget", show=False),
        Binding("ctrl+c,ctrl+q", "app.quit", show=False),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet"):
            yield Static(Text("Kept selections of this store: enter shows one, x deletes it, esc closes\n"))
            yield Options(*self._options())

    def on_mount(self) -> None:
        self.query_one(OptionList).highlighted = 0

    def action_down(self) -> None:
        """Go to the next name."""
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        """Go to the previous name."""
        self.query_one(OptionList).action_cursor_up()

    def action_forget(self) -> None:
        """Delete the selection under the cursor; close the list if it was the last one."""
        shown = self.query_one(OptionList)
        if shown.highlighted is None:
            return
        at, name = shown.highlighted, shown.get_option_at_index(shown.highlighted).id
        if name is None:
            return
        if trouble := self._session.drop(name):
            self.query_one(Static).update(Text(f"Not deleted: {trouble}\n"))
            return
        shown.remove_option(name)
        if shown.option_count:
            shown.highlighted = min(at, shown.option_count - 1)
        else:
            self.dismiss(None)

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        self.dismiss(message.option_id)

    def _options(self) -> list[Option]:
        presets = self._session.presets()
        wide = max(map(len, presets), default=0)
        return [Option(Text(f"{name:{wide}}  {described(kept)}"), id=name) for name, kept in presets.items()]


def described(kept: State) -> str:
    """Return a description of a selection on one line."""
    seeds = ", ".join(kept.seeds) or "all"
    parts = [kept.measure, f"against {kept.against}", f"corpus {kept.corpus}", ", ".join(kept.tasks), f"seeds {seeds}"]
    parts += [f"{what} {span}" for what, span in (("steps", kept.steps), ("layers", kept.layers)) if span is not None]
    parts += [f"{axis} {text}" for axis, text in kept.along(kept.measure)]
    return ", ".join(part for part in parts if part)
