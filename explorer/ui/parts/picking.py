"""Picking: lists of measures, references, tasks, seeds and corpora, and the same names in the command palette."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from explorer.answers.look import ANYWHERE
from explorer.ui import doors, picks
from explorer.ui.modes import MODES
from explorer.ui.parts.choosing import FILTER
from explorer.ui.parts.screen_part import ScreenPart
from explorer.ui.state import Wish
from store.errors import BertdynError

if TYPE_CHECKING:
    from explorer.ui.dialogs.picker import PickerScreen
    from explorer.ui.messages import Loaded
    from explorer.ui.screens.main import MainScreen

PLACE = 2
"""Number of the list for the data thread, after those of the two panes."""
_STORE = Wish("store", None, ANYWHERE)


class Picking(ScreenPart):
    """Opens lists, and shows what is chosen in them."""

    def __init__(self, screen: MainScreen) -> None:
        super().__init__(screen)
        self._open: PickerScreen | None = None
        self._states: Mapping[str, str] = {}

    def open(self, what: str) -> None:
        """Open the list of measures, references, tasks, seeds or corpora; nothing is computed before one is chosen."""
        from explorer.ui.dialogs.picker import PickerScreen

        screen = self.screen
        if screen.catalogue is None:
            return
        rows = picks.picks(what, screen.state, screen.catalogue)
        self._states = {}
        self._open = PickerScreen(what, rows, lambda: self._states, lambda name: self._closed(what, name))
        if what == picks.MEASURE:
            screen.reader.show(_STORE, PLACE)
        screen.app.push_screen(self._open)

    def loaded(self, message: Loaded) -> None:
        """Take in how much of each measure is computed."""
        if message.wish == _STORE and self._open is not None:
            self._states = picks.computed(message.view.data, self.screen.state.corpus)
            self._open.refresh_states()

    def _closed(self, what: str, name: str | None) -> None:
        self._open = None
        self.screen.reader.show(None, PLACE)
        if name is not None:
            self.take(what, name)

    def take(self, what: str, name: str) -> None:
        """Show what was chosen."""
        screen = self.screen
        if screen.catalogue is None:
            return
        try:
            screen.choosing.choose(what, picks.taken(what, name, screen.pinned(), screen.catalogue))
        except BertdynError as error:
            screen.tell(screen.words_of(error))

    def go(self, place: picks.Place) -> None:
        """Point at a step, layer or head that was typed, or compare with the checkpoint that was typed."""
        screen = self.screen
        if screen.catalogue is None:
            return
        if place.what == picks.AGAINST:
            screen.choosing.answered(FILTER, f"{place.what}:{place.value}")
            return
        try:
            screen.become(doors.to_place(place.what, int(place.value), screen.state, screen.catalogue))
        except BertdynError as error:
            screen.tell(screen.words_of(error))
            return
        variant = screen.state.variant
        shown = variant.meaning, variant.kind.depends if variant.kind is not None else ()
        if not any(place.what in names for names in shown):
            title = MODES[screen.state.mode].title
            screen.tell(
                f"{title} does not show a single {place.what}; other pictures point at {place.what} {place.value}."
            )

    def nouns(self) -> list[tuple[str, str, str]]:
        """Return (kind, name, what it is) of everything that can be chosen, for the command palette."""
        screen = self.screen
        if screen.catalogue is None:
            return []
        kinds = (picks.MEASURE, picks.REFERENCE, picks.TASK, picks.SEED, picks.CORPUS)
        return [
            (kind, row.name, row.why or row.text)
            for kind in kinds
            for row in picks.picks(kind, screen.state, screen.catalogue)
        ]
