"""The help screen, shown over the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from explorer.ui.help_page import Page, Shown
from explorer.ui.widgets.text_lines import PLAIN

if TYPE_CHECKING:
    from textual import events

    from explorer.render.palette import Palette


class HelpScreen(ModalScreen[None]):
    """The help page, which can be scrolled, and whose keys can be filtered while one types.

    Keys go to the screen itself, not to a field: none is lost.
    """

    BINDINGS: ClassVar = [
        Binding("escape,q,enter", "dismiss", show=False),
        Binding("question_mark,f1", "dismiss", show=False, id="help"),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,space", "turn(1)", show=False),
        Binding("pageup", "turn(-1)", show=False),
        Binding("home", "scroll(-9999)", show=False),
        Binding("end", "scroll(9999)", show=False),
        Binding("slash", "find", show=False, id="filter"),
        Binding("ctrl+c,ctrl+q", "app.quit", show=False),
    ]

    def __init__(self, palette: Palette, shown: Shown) -> None:
        super().__init__()
        self._palette, self._shown = palette, shown
        self._typed: str | None = None
        """What is typed to find keys; None: nothing is looked for."""

    def about(self, shown: Shown) -> None:
        """Show the page of another picture."""
        if shown != self._shown:
            self._shown = shown
            self.query_one(Static).update(self._page())

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="sheet", can_focus=False):
            yield Static(self._page())

    def _page(self) -> Page:
        return Page(self._palette, self._shown, self.app.has_class(PLAIN), self._typed or "")

    def on_key(self, event: events.Key) -> None:
        """Take a key as a part of what is looked for, if keys are being filtered."""
        if self._typed is None:
            return
        if event.character is not None and event.is_printable:
            self._find(self._typed + event.character)
        elif event.key == "backspace":
            self._find(self._typed[:-1] if self._typed else None)
        elif event.key == "ctrl+u":
            self._find("")
        elif event.key == "escape":
            self._find(None)
        else:
            return
        event.stop()
        event.prevent_default()

    def action_find(self) -> None:
        """Begin to filter the keys. The sheet keeps its height, so that the line at its top stays where it is."""
        self._sheet.styles.min_height = self._sheet.outer_size.height
        self._find("")

    def _find(self, typed: str | None) -> None:
        self._typed = typed
        self.query_one(Static).update(self._page())
        self._sheet.scroll_home(animate=False)
        self._say_where()

    def on_mount(self) -> None:
        self.watch(self._sheet, "scroll_y", self._say_where)
        self.watch(self._sheet, "virtual_size", self._say_where)

    @property
    def _sheet(self) -> VerticalScroll:
        return self.query_one(VerticalScroll)

    def _say_where(self) -> None:
        sheet = self._sheet
        seen, there = int(sheet.scroll_y) + sheet.scrollable_content_region.height, sheet.virtual_size.height
        keys = {a.id: a.shown_keys.split()[0] for a in self._shown.actions}
        closes, finds = keys.get("help", "escape"), keys.get("filter", "/")
        if self._typed is None:
            more = f"{there - seen} more lines: space or j - " if there > seen else ""
            sheet.border_title, sheet.border_subtitle = f"{finds} finds keys", f"{more}{closes} or escape closes"
        else:
            caret = "_" if self.app.has_class(PLAIN) else "▏"
            sheet.border_title = Text(f"keys with: {self._typed}{caret}")
            more = f"{there - seen} more lines: down - " if there > seen else ""
            sheet.border_subtitle = f"{more}escape shows all"

    def action_scroll(self, by: int) -> None:
        """Scroll by some lines."""
        self._sheet.scroll_relative(y=by, animate=False)

    def action_turn(self, by: int) -> None:
        """Scroll by a page; two lines stay visible."""
        self.action_scroll(by * max(1, self._sheet.scrollable_content_region.height - 2))
