"""Walking from a picture to what is inside it, and back; and to the largest values of a picture."""

from __future__ import annotations

from dataclasses import replace

from explorer.ui import cursor_axes, doors
from explorer.ui.parts.screen_part import ScreenPart
from explorer.ui.state import State
from explorer.views.base import NOWHERE, Cursor
from store.errors import BertdynError

MOST = 100
"""Pictures that are remembered on the way back."""


class Walking(ScreenPart):
    """Goes deeper with one key and back with another; the way back shows each picture as it was left."""

    _trail: tuple[State, ...] = ()
    """States that were left by going deeper, the last one at the end."""
    _ranking: tuple[object, int] = (None, 0)
    """The view whose largest values were asked for, and how many of them were shown."""

    def deeper(self) -> None:
        """Show what is inside the place that is pointed at."""
        screen = self.screen
        if screen.catalogue is None:
            return
        try:
            inside = screen.mode.deeper()
        except BertdynError as error:
            screen.tell(screen.words_of(error))
            return
        if inside is not None:
            self._trail = (*self._trail[1 - MOST :], screen.state)
            screen.become(inside)
            screen.tell(f"{screen.key_of('back')} goes back")

    def back(self) -> None:
        """Show the picture that was left last by going deeper, as it was."""
        if not self._trail:
            self.screen.tell("Nothing to go back to: enter goes deeper, escape comes back.")
            return
        *rest, last = self._trail
        self._trail = tuple(rest)
        self.screen.become(last)

    def inside(self) -> State | None:
        """Return the state that shows what is inside the place pointed at; None, with a message, if nothing is."""
        screen = self.screen
        assert screen.catalogue is not None
        view, picture = screen.chart.view, screen.picture
        at = cursor_axes.known(screen.state, view, picture.cursor) if view is not None and picture is not None else {}
        found = doors.deeper(screen.state, screen.catalogue, at)
        if found is None:
            screen.tell(f"{screen.state.variant.title}: there is nothing inside.")
        return found

    def by_row(self) -> State | None:
        """Return the state that shows the row under the cursor; None, with a message, if it names no picture."""
        screen, view = self.screen, self.screen.chart.view
        picture, row = screen.picture, None
        if view is not None and picture is not None and picture.cursor.y >= 0:
            row = view.row(picture.cursor.y, screen.state.options)
        assert screen.catalogue is not None
        door = doors.of_row(*row, screen.catalogue) if row is not None else None
        if door is None:
            screen.tell("A row with the columns measure or task opens as a picture; this one has neither.")
            return None
        if not door.measure:
            door = replace(door, measure=screen.state.measured)
        return doors.through(door, screen.state, screen.catalogue)

    def largest(self) -> None:
        """Point at the largest value of the picture; again, at the next one."""
        from explorer.views.ranking import rank_in_words

        screen, view = self.screen, self.screen.chart.view
        ranked = view.ranked(screen.state.options) if view is not None else ()
        if not ranked:
            screen.tell("There is no largest value in this picture.")
            return
        seen, last = self._ranking
        place = (last + 1) % len(ranked) if seen is view and self._at(ranked[last]) else 0
        self._ranking = view, place
        screen.pictures.point(ranked[place])
        screen.tell(f"{rank_in_words(place, len(ranked))}; {screen.key_of('largest')} goes to the next")

    def _at(self, cursor: Cursor) -> bool:
        picture = self.screen.picture
        return (picture.cursor if picture is not None else NOWHERE) == cursor
