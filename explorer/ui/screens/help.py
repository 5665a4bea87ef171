"""The help screen, shown over the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from explorer.ui.help_page import Page, Shown
from explorer.ui.widgets.text_lines import PLAIN

if TYPE_CHECKING:
    from explorer.render.palette import Palette


class HelpScreen(ModalScreen[None]):
    """The help page, which can be scrolled."""

    BINDINGS: ClassVar = [
        Binding("escape,q,enter", "dismiss", show=False),
        Binding("question_mark,f1", "dismiss", show=False, id="help"),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,space", "turn(1)", show=False),
        Binding("pageup", "turn(-1)", show=False),
        Binding("home", "scroll(-9999)", show=False),
        Binding("end", "scroll(9999)", show=False),
        Binding("ctrl+c,ctrl+q", "app.quit", show=False),
    ]

    def __init__(self, palette: Palette, shown: Shown) -> None:
        super().__init__()
        self._palette, self._shown = palette, shown

    def about(self, shown: Shown) -> None:
        """Show the page of another picture."""
        if shown != self._shown:
            self._shown = shown
            self.query_one(Static).update(Page(self._palette, shown, self.app.has_class(PLAIN)))

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="sheet", can_focus=False):
            yield Static(Page(self._palette, self._shown, self.app.has_class(PLAIN)))

    def on_mount(self) -> None:
        self.watch(self._sheet, "scroll_y", self._say_where)
        self.watch(self._sheet, "virtual_size", self._say_where)

    @property
    def _sheet(self) -> VerticalScroll:
        return self.query_one(VerticalScroll)

    def _say_where(self) -> None:
        sheet = self._sheet
        seen, there = int(sheet.scroll_y) + sheet.scrollable_content_region.height, sheet.virtual_size.height
        closes = next((a.shown_keys.split()[0] for a in self._shown.actions if a.id == "help"), "escape")
        more = f"{there - seen} more lines: space or j - " if there > seen else ""
        sheet.border_subtitle = f"{more}{closes} or escape closes"

    def action_scroll(self, by: int) -> None:
        """Scroll by some lines."""
        self._sheet.scroll_relative(y=by, animate=False)

    def action_turn(self, by: int) -> None:
        """Scroll by a page; two lines stay visible."""
        self.action_scroll(by * max(1, self._sheet.scrollable_content_region.height - 2))
