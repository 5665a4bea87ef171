"""The part of the main screen that jumps: labels over the picture and the panel, and the keys while they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on

from explorer.render.targets import Target
from explorer.ui.jump import Jump
from explorer.ui.screens.core import pictured
from explorer.ui.screens.keeping import Keeping
from explorer.ui.widgets.chart import Chart
from explorer.ui.widgets.lines import Lines
from explorer.views.base import Cursor

if TYPE_CHECKING:
    from textual import events


@dataclass(frozen=True)
class Spot:
    """A cell of a widget, and what stands there: a target of the picture, or a row of the panel."""

    x: int
    y: int
    target: Target | None = None
    """None: the panel's row in that line."""


class Jumping(Keeping):
    """A screen whose places can be called by letters."""

    _jump: Jump[Spot] | None = None

    @property
    def commanding(self) -> bool:
        """A key is a command: the picture has the focus, and no labels wait for letters."""
        return self.focused is self.chart and self._jump is None

    @pictured
    def action_jump(self) -> None:
        """Label everything that one can go to."""
        spots = self._spots()
        if not spots:
            self.tell("Nothing here can be jumped to.")
            return
        self._jump = Jump.to(spots)
        self._label()
        self.tell("Type the letters of the place to go to; escape stays.")

    @on(Chart.Drawn)
    def _look_again(self) -> None:
        """Labels end with the picture that they stand on."""
        self.stale()

    def on_key(self, event: events.Key) -> None:
        """While labels stand every key is a letter of one, or the end of jumping."""
        if self._jump is None:
            return
        event.stop()
        event.prevent_default()
        if self.stale():
            return
        if event.key == "escape":
            self.land()
            return
        self._jump = self._jump.type(event.character or event.key)
        spot = self._jump.reached
        if spot is not None:
            self.land()
            self._go(spot)
        elif self._jump.left:
            self._label()
        else:
            said = self._jump.typed if event.is_printable else event.key
            self.land(f"No place is called '{said}': {self.key_of('jump')} shows the letters again.")

    def stale(self) -> bool:
        """End jumping when what was labelled is no longer where it was; True when that was so."""
        if self._jump is None or tuple(spot for _, spot in self._jump.places) == self._spots():
            return False
        self.land(f"The picture has changed: {self.key_of('jump')} shows letters again.")
        return True

    def land(self, word: str = "") -> None:
        """Take the labels away."""
        self._jump = None
        self._label()
        self.tell(word)

    def _spots(self) -> tuple[Spot, ...]:
        """Everything that can be labelled now, the picture first: its labels are the short ones."""
        chart, panel = self.chart, self.panel
        targets = chart.picture.targets if chart.picture is not None and chart.view is not None else ()
        there = [Spot(t.x, t.y, t) for t in targets if t.x < chart.size.width and t.y < chart.size.height]
        rows = panel.places() if self._open else ()
        return (*there, *(Spot(0, y) for y in rows))

    def _label(self) -> None:
        left = self._jump.left if self._jump is not None else ()
        for widget, of_panel in ((self.chart, False), (self.panel, True)):
            self._mark(widget, [(spot, text) for text, spot in left if (spot.target is None) == of_panel])

    def _mark(self, widget: Lines, found: list[tuple[Spot, str]]) -> None:
        # At the right edge a label moves left rather than lose a letter.
        room = widget.size.width
        widget.mark({(min(spot.x, room - len(text)), spot.y): text for spot, text in found}, self.palette.strong)

    def _go(self, spot: Spot) -> None:
        if spot.target is None:
            self.panel.take(spot.y)
        elif self.picture is not None:
            at, to = self.picture.cursor, spot.target
            self.point(Cursor(to.column if to.column >= 0 else at.x, to.row if to.row >= 0 else at.y))
