"""The picture and the second view: requesting them, drawing them, and moving the cursor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.containers import Vertical

from explorer.answers.findings import said
from explorer.answers.look import END
from explorer.render.targets import nearest
from explorer.ui import cursor_axes
from explorer.ui.news import under_way
from explorer.ui.parts.screen_part import ScreenPart
from explorer.ui.widgets.pane import Pane
from explorer.views.base import Cursor
from store.errors import BertdynError

if TYPE_CHECKING:
    from explorer.render.palette import Palette
    from explorer.selection import Question
    from explorer.ui.messages import Failed, Loaded
    from explorer.ui.screens.main import MainScreen
    from explorer.ui.state import State
    from explorer.views.base import View

PATIENCE = 0.3
"""Seconds until the screen says that a view is being read."""


class Pictures(ScreenPart):
    """Lets both panes show the state of the screen."""

    def __init__(self, screen: MainScreen, palette: Palette) -> None:
        super().__init__(screen)
        self.slot = Vertical(id="slot")
        """Space above the picture for the widgets of a mode."""
        self.pane = Pane(palette, 0, self.slot, id="picture")
        self.other = Pane(palette, 1, id="beside", of="beside-")
        self.other.chart.can_focus = False
        self.refused = ""
        """Reason why the store cannot be read now; empty if it can."""
        self._follows = False
        self._said: dict[int, str] = {}
        """Reasons, by pane, why a state has no picture."""

    @property
    def shown(self) -> tuple[tuple[Pane, State], ...]:
        """The panes on the screen, the picture's first, each with the state that it shows."""
        companion = self.screen.pair.companion
        return ((self.pane, self.screen.state), *(((self.other, companion),) if companion is not None else ()))

    @property
    def lacking(self) -> tuple[Question, ...]:
        """Questions on the screen that have values which are not computed, the picture's first."""
        shown = [p.wish.question for p in (self.pane, self.other) if p.missing and p.wish is not None]
        return tuple(dict.fromkeys(q for q in shown if q is not None))

    def show(self, again: bool = False) -> None:
        """Show the state.

        Args:
            again: request the views even if they are the same.
        """
        if not self._wished(self.pane, self.screen.state, again):
            self.screen.mode.show()
        self.accompany(again)

    def accompany(self, again: bool = False) -> None:
        """Show the second view, at the picture's step and layer."""
        if self.screen.catalogue is None:
            return
        companion = self.screen.pair.companion
        self.screen.set_class(companion is not None, "-beside")
        if companion is not None:
            self._wished(self.other, companion, again)
        elif self.other.wish is not None:
            self._withdraw(self.other)

    def _withdraw(self, pane: Pane) -> None:
        pane.wish, pane.missing = None, 0
        pane.settled()
        self.screen.reader.show(None, pane.place)

    def _wished(self, pane: Pane, state: State, again: bool) -> bool:
        """Request the view of a state, or draw the present one again; False if the mode draws its own picture."""
        assert self.screen.catalogue is not None
        try:
            wish = state.wish(self.screen.catalogue)
        except BertdynError as error:
            self._withdraw(pane)
            self._said[pane.place] = self.refused or self.screen.words_of(error)
            self._say_again(pane)
            return True
        self._said.pop(pane.place, None)
        if wish is None:
            self._withdraw(pane)
            return False
        if self.refused:
            pane.wish = wish
            pane.settled()
            pane.say(self.refused)
        elif again or wish != pane.wish:
            pane.wish, pane.late = wish, False
            self.screen.reader.show(wish, pane.place)
            self.screen.set_timer(PATIENCE, lambda: self._remind(pane, wish))
        elif pane.view is not None and not pane.waiting:
            self._draw(pane, pane.view, state)
        return True

    def _remind(self, pane: Pane, wish: object) -> None:
        if pane.waiting and pane.wish == wish:
            pane.late = True
            self.screen.bars()

    def _draw(self, pane: Pane, view: View, state: State) -> None:
        behaviour, before = self.screen.modes[state.mode], pane.view
        view = behaviour.dressed(view)
        if pane is self.pane and before is not None and before is not view:
            at = behaviour.followed(before, view, state.cursor)
            if at != state.cursor:
                self.screen.state = state = state.pointing(at)
        pane.draw(view, state if pane is self.pane else cursor_axes.aligned(state, self.screen.state, view))

    def job_changed(self) -> None:
        """Show the progress of the jobs beside the queue in place of missing pictures, and in those that have it."""
        for pane, state in self.shown:
            if pane.place in self._said:
                self._say_again(pane)
            elif pane.view is not None and not pane.waiting:
                view = self.screen.modes[state.mode].dressed(pane.view)
                if view is not pane.view:
                    self._draw(pane, view, state)

    def _say_again(self, pane: Pane) -> None:
        told = [said(finding) for finding in under_way(self.screen.jobs.listed())]
        pane.say("\n\n".join((self._said[pane.place], *told)))

    def loaded(self, message: Loaded) -> None:
        """Draw a view that was requested."""
        for pane, state in self.shown:
            if message.wish == pane.wish:
                pane.settled()
                pane.missing = message.missing
                self._draw(pane, message.view, state)

    def failed(self, message: Failed) -> None:
        """Show the reason why there is no view."""
        self.refused = message.reason if message.wish is None else self.refused
        for pane in (self.pane, self.other):
            if message.wish in (None, pane.wish):
                pane.settled()
                pane.word = ""
                pane.say(message.reason)

    def point(self, cursor: Cursor) -> None:
        """Move the cursor, and with it the cursor of the second view."""
        picture, view = self.pane.picture, self.pane.view
        if view is None or picture is None:
            return
        self.screen.state = cursor_axes.pointed(self.screen.state, view, picture.cursor, cursor)
        self.pane.word = self.other.word = ""
        self._draw(self.pane, view, self.screen.state)
        # The picture is painted first; while a key is held down, the second view follows only once per painted frame.
        if not self._follows:
            self._follows = self.screen.call_after_refresh(self._follow)

    def _follow(self) -> None:
        self._follows = False
        self.accompany()

    def move(self, across: int, up: int) -> None:
        """Move the cursor from the place where it is drawn."""
        if self.pane.picture is not None:
            self.point(self.screen.state.moved(self.pane.picture.cursor, across, up))

    def page(self, up: int) -> None:
        """Move the cursor by a screenful of rows: in a list by as many as it shows, which may have several lines."""
        picture, height = self.pane.picture, self.pane.chart.size.height
        listed = picture is not None and self.screen.state.variant.downwards
        rows = {target.row for target in picture.targets if target.row >= 0} if picture and listed else set()
        self.move(0, up * max(1, len(rows) or height - 4))

    def click(self, x: int, y: int) -> None:
        """Move the cursor to the place nearest to a cell of the picture."""
        picture = self.pane.picture
        if picture is None or self.pane.waiting:
            return
        to = nearest(picture.targets, x, y, self.screen.state.variant.lines)
        if to is not None:
            self.point(picture.cursor.at(to))

    def wheel(self, by: int) -> str:
        """Return the id of the action of a turn of the wheel: the next row of a list, or the next step."""
        back, on = (
            ("cursor.up", "cursor.down") if self.screen.state.variant.downwards else ("step.previous", "step.next")
        )
        return on if by > 0 else back

    def edge(self, side: int) -> None:
        """Move the cursor to the first or the last step (in a table: row)."""
        if self.pane.picture is not None:
            end, at = 0 if side < 0 else END, self.pane.picture.cursor
            self.point(Cursor(at.x, end) if self.screen.state.variant.downwards else Cursor(end, at.y))
