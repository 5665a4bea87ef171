"""The export dialog: choosing a view and a file format."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from explorer.export.files import FORMATS, suffix
from explorer.render.signs import plain
from explorer.ui.widgets.text_lines import PLAIN

KEYS = {"t": "text", "c": "csv", "j": "json", "p": "parquet", "s": "svg", "g": "png", "d": "pdf"}
"""Formats, by the letter that chooses them."""


class Exportable(NamedTuple):
    """A view that can be written."""

    title: str
    """Title, such as 'Curves: SVCCA distance from the pre-trained model'."""
    target: Path
    """Path of the file without its ending."""


class ExportScreen(ModalScreen[tuple[int, str] | None]):
    """Lets a letter choose the format, and tab the view. The result is the number of the view and the format.

    Only enter writes: letters typed into a picture by mistake must not leave files behind.
    """

    BINDINGS: ClassVar = [
        *(Binding(key, f"choose('{format}')", show=False) for key, format in KEYS.items()),
        Binding("down", "go(1)", show=False),
        Binding("up", "go(-1)", show=False),
        Binding("enter", "write", show=False),
        Binding("tab,B,W", "other", show=False),
        Binding("escape,q", "leave", show=False),
        Binding("e", "leave", show=False, id="export"),
        Binding("ctrl+c,ctrl+q", "app.quit", show=False),
    ]

    def __init__(self, views: Sequence[Exportable]) -> None:
        """
        Args:
            views: the views on the screen, the picture first.
        """
        super().__init__()
        self._views, self._at = views, 0
        self._format = ""
        """Chosen format; empty: none yet."""

    def compose(self) -> ComposeResult:
        with Vertical(classes="sheet"):
            yield Static(self._text())

    def _text(self) -> Text:
        view = self._views[self._at]
        title = plain(view.title) if self.app.has_class(PLAIN) else view.title
        text = Text.assemble("Write ", (title, "bold"), f"\nto {view.target}.*  (nothing is overwritten)\n\n")
        for key, name in KEYS.items():
            row = f"{key}  .{suffix(name):8} {FORMATS[name].help}"
            text.append(*((f"> {row}\n", "bold") if name == self._format else (f"  {row}\n",)))
        if len(self._views) > 1:
            other = self._views[1 - self._at]
            title = plain(other.title) if self.app.has_class(PLAIN) else other.title
            text.append(f"\n  tab  the {'second view' if self._at == 0 else 'first view'}: {title}")
        writes = f"write .{suffix(self._format)}" if self._format else "write, after a letter has chosen the format"
        return text.append(f"\n  enter  {writes}\n  esc  cancel")

    def action_other(self) -> None:
        """Switch to the other view."""
        self._at = (self._at + 1) % len(self._views)
        self.query_one(Static).update(self._text())

    def action_choose(self, format: str) -> None:
        """Choose a format."""
        self._format = format
        self.query_one(Static).update(self._text())

    def action_go(self, by: int) -> None:
        """Choose the next format of the list."""
        names = list(KEYS.values())
        at = names.index(self._format) + by if self._format else (0 if by > 0 else -1)
        self.action_choose(names[at % len(names)])

    def action_write(self) -> None:
        """Close the dialog with a view and the chosen format."""
        if self._format:
            self.dismiss((self._at, self._format))

    def action_leave(self) -> None:
        """Close the dialog without a choice."""
        self.dismiss(None)
