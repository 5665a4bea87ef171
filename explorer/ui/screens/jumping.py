"""The part of the main screen that jumps: labels over the picture and the panel, and the keys while they stand."""

from __future__ import annotations

from collections.abc import Sequence
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
    _first: Target | None = None
    """The row or the column of a map that was gone to: the cells along it are labelled now."""

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
        self._stand(spots)
        self.tell("Type the letters of the place to go to; escape stays.")

    @on(Chart.Drawn)
    def _look_again(self) -> None:
        """Labels end with the picture that they stand on."""
        self.stale()

    def on_key(self, event: events.Key) -> None:
        """While labels stand every key is a letter of one, or the end of jumping.

        Once a row (or column) of a map was reached the other half is an offer: other keys are commands again.
        """
        if self._jump is None:
            return
        offered, ends = self._first is not None and not self._jump.typed, event.key in ("escape", "enter")
        if offered and not ends and not self._jump.type(event.character or event.key).left:
            self.land()
            return
        event.stop()
        event.prevent_default()
        if self.stale():
            return
        if event.key == "escape" or (offered and ends):
            self.land()
            return
        self._jump = self._jump.type(event.character or event.key)
        spot = self._jump.reached
        if spot is not None:
            half = self._first is None
            self.land()
            self._go(spot)
            if half and spot.target is not None and not self.state.variant.lines:
                self._go_on_along(spot.target)
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
        self._jump = self._first = None
        self._label()
        self.tell(word)

    def _spots(self) -> tuple[Spot, ...]:
        """Everything that can be labelled now, the picture first: its labels are the short ones."""
        chart, panel = self.chart, self.panel
        targets = chart.picture.targets if chart.picture is not None and chart.view is not None else ()
        there = [Spot(t.x, t.y, t) for t in targets if t.x < chart.size.width and t.y < chart.size.height]
        if self._first is not None:
            return along(self._first, there)
        rows = panel.places() if self._open else ()
        return (*there, *(Spot(0, y) for y in rows))

    def _stand(self, spots: tuple[Spot, ...]) -> None:
        self._jump = Jump.to(spots)
        self._label()

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

    def _go_on_along(self, reached: Target) -> None:
        """In a map: the other half of the way to a cell, without another call."""
        self._first = reached
        spots = self._spots()
        if not spots:
            self._first = None
            return
        self._stand(spots)
        here, there = ("row", "column") if reached.row >= 0 else ("column", "row")
        self.tell(f"And the letters of the {there}, for a cell; escape stays in this {here}.")


def along(first: Target, spots: Sequence[Spot]) -> tuple[Spot, ...]:
    """The cells of a row where columns have labels, or the other way round."""
    there = [spot for spot in spots if spot.target is not None]
    if first.column < 0 <= first.row:
        return tuple(Spot(s.x, first.y, s.target) for s in there if s.target and s.target.row < 0 <= s.target.column)
    if first.row < 0 <= first.column:
        return tuple(Spot(first.x, s.y, s.target) for s in there if s.target and s.target.column < 0 <= s.target.row)
    return ()
