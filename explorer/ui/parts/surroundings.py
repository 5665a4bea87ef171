"""The surroundings of the picture: title, notes, reading, footer, and whether the panel is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer.compute.requests import Compute
from explorer.ui import bars
from explorer.ui.modes import MODES
from explorer.ui.parts.screen_part import ScreenPart
from explorer.ui.widgets.picture_box import centred
from explorer.ui.widgets.text_lines import TextLines

if TYPE_CHECKING:
    from explorer.ui.screens.main import MainScreen

SMALLEST = (60, 16)
PANEL_FROM = 100
"""Width of the screen from which the panel is open, unless the user hides it."""


class Surroundings(ScreenPart):
    """Writes the lines around the picture, and shows or hides the panel."""

    def __init__(self, screen: MainScreen) -> None:
        super().__init__(screen)
        self.lines = {name: TextLines(id=name) for name in ("title", "notes", "reading", "footer", "small")}
        self.folded: bool | None = None
        """Whether the user hid the panel; None: the width of the screen decides."""

    def write(self) -> None:
        """Write all lines."""
        screen = self.screen
        width, keys = screen.size.width, (screen.key_of("compute"), screen.key_of("cancel"))
        missing, progress = screen.missing or screen.other.missing, screen.computing.progress
        running = screen.jobs.request
        shown = None if running is None or screen.question is None else Compute(screen.question.selection)
        job = bars.job(running, shown, progress, missing, screen.jobs.waiting, keys)
        hint, more = bars.hint(screen.state.mode, screen.actions), screen.key_of("help")
        at = width - (screen.other.outer_size.width if screen.has_class("-beside") else 0)
        remarks = (screen.pane.remarks, screen.other.remarks)
        show = {
            "title": bars.title(screen.path, screen.state, screen.catalogue, job, screen.palette, width),
            "notes": bars.both(bars.noted(remarks, hint, more, screen.palette), at, width),
            "reading": bars.both(bars.read(remarks, screen.palette.cursor), at, width),
            "footer": bars.footer(screen.state.mode, screen.palette, width, screen.actions),
        }
        for name, line in show.items():
            self.lines[name].show([line])
        companion = screen.pair.companion
        screen.pane.title("" if screen.pane.view is not None else screen.mode.mode.title)
        screen.other.title(MODES[companion.mode].title if companion is not None else "")

    def fit(self, width: int, height: int) -> None:
        """Adapt the screen to the size of the terminal, or say that the terminal is too small."""
        small = width < SMALLEST[0] or height < SMALLEST[1]
        self.screen.set_class(small, "-small")
        self.fold()
        self.screen.pictures.accompany()
        if small:
            words = f"bertdyn needs {SMALLEST[0]} x {SMALLEST[1]} cells, not {width} x {height}. "
            words += f"{self.screen.key_of('quit')} leaves."
            self.lines["small"].show(centred(words, width, height, self.screen.palette.text))
        self.screen.bars()

    @property
    def panel_open(self) -> bool:
        """Whether the panel is on the screen."""
        return self.screen.has_class("-panel")

    def fold(self) -> None:
        """Show or hide the panel as the user chose; without a choice, by the width of the screen."""
        folded = self.screen.size.width < PANEL_FROM if self.folded is None else self.folded
        self.screen.set_class(not folded or self.screen.focused is self.screen.panel, "-panel")

    def switch(self) -> None:
        """Hide or show the panel until the user changes it again."""
        self.folded = self.panel_open
        if self.folded and self.screen.focused is self.screen.panel:
            self.screen.set_focus(self.screen.chart)
        self.screen.call_after_refresh(self.fold)

    def enter(self) -> None:
        """Move the focus to the panel, or back to the picture."""
        if self.screen.focused is self.screen.panel:
            self.leave()
        else:
            self.screen.set_class(True, "-panel")
            self.screen.set_focus(self.screen.panel)

    def leave(self) -> None:
        """Move the focus back to the picture."""
        self.screen.set_focus(self.screen.chart)
        self.fold()

    def zoom(self) -> None:
        """Show only the picture, or everything again."""
        self.screen.toggle_class("-zoom")
        self.fold()
        self.screen.pictures.accompany()
