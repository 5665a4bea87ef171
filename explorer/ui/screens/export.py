"""Which format to write the view in."""

from __future__ import annotations

from pathlib import Path
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from explorer.export.files import FORMATS, suffix

KEYS = {"t": "text", "c": "csv", "j": "json", "p": "parquet", "s": "svg", "g": "png", "d": "pdf"}
"""A letter a format."""


class ExportScreen(ModalScreen[str | None]):
    """A letter chooses and closes."""

    BINDINGS: ClassVar = [
        *(Binding(key, f"choose('{format}')", show=False) for key, format in KEYS.items()),
        Binding("escape,q", "choose('')", show=False),
        Binding("e", "choose('')", show=False, id="export"),
        Binding("ctrl+c,ctrl+q", "app.quit", show=False),
    ]

    def __init__(self, target: Path) -> None:
        super().__init__()
        self._target = target

    def compose(self) -> ComposeResult:
        lines = [f"Write this view to {self._target}.*  (nothing is overwritten)", ""]
        lines += [f"  {key}  .{suffix(format):8} {FORMATS[format].help}" for key, format in KEYS.items()]
        lines += ["", "  esc  leave it"]
        with Vertical(classes="sheet"):
            yield Static(Text("\n".join(lines)))

    def action_choose(self, format: str) -> None:
        """Close with the format, or with none."""
        self.dismiss(format or None)
