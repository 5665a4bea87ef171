"""The heart of the main screen: one state, the picture that follows from it, and the lines of words around that."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

from textual.screen import Screen

from explorer.ui import bars
from explorer.ui.actions import ACTIONS, Action
from explorer.ui.jobs import Jobs
from explorer.ui.reader import Reader
from explorer.ui.state import Catalogue, State, Wish
from explorer.ui.widgets.chart import Chart
from explorer.ui.widgets.lines import Lines
from explorer.ui.widgets.panel import Panel
from explorer.ui.widgets.prompt import Prompt
from explorer.views.base import Cursor, Picture
from store.errors import BertdynError

if TYPE_CHECKING:
    from textual.message import Message

    from explorer.render.palette import Palette
    from explorer.selection import Selection
    from explorer.ui.messages import Progress

PANEL_FROM = 100
"""Columns from which the panel is open unless the user folds it."""
READING = "reading …"
PATIENCE = 0.3
"""Seconds that a view may take before the screen says that it is being read."""


class Core(Screen[None]):
    """Takes a state and shows it; knows no key."""

    def __init__(self, path: Path, palette: Palette) -> None:
        super().__init__()
        self.path, self.palette = path, palette
        self.actions: tuple[Action, ...] = ACTIONS
        """With the keys in force."""
        self.state = State()
        self.catalogue: Catalogue | None = None
        self.reader = Reader(path, self.hear)
        self.jobs = Jobs(path, self.hear)
        self.picture: Picture | None = None
        self.progress: Progress | None = None
        self.missing = 0
        self.wish: Wish | None = None
        """What was asked of the data thread last."""
        self._left = False
        self._folded: bool | None = None
        self._word = ""
        """The last thing to tell that is in no picture; gone with the next key that changes something."""

    def on_unmount(self) -> None:
        self._left = True
        self.reader.stop()
        self.jobs.cancel_all()

    def hear(self, message: Message) -> None:
        """From any thread; who speaks after the end is not heard."""
        if not self._left:
            with contextlib.suppress(RuntimeError):
                self.post_message(message)

    @property
    def chart(self) -> Chart:
        """The picture."""
        return self.query_one("#chart", Chart)

    @property
    def panel(self) -> Panel:
        """The selection panel."""
        return self.query_one("#panel", Panel)

    @property
    def selection(self) -> Selection | None:
        """The stored values that are shown; None where there are none to show or to compute."""
        kind = self.state.variant.kind
        if self.catalogue is None or kind is None or not kind.computes:
            return None
        try:
            return self.state.selection(self.catalogue, kind)
        except BertdynError:
            return None

    def become(self, new: State, anew: bool = False) -> None:
        """Take another state and show it; ``anew`` asks for the view even when the state is the same."""
        self.state = new
        self._word = ""
        self.set_class(new.mode == "sql", "-sql")
        if self.catalogue is not None:
            self.panel.about(new, self.catalogue)
            try:
                wish = new.wish(self.catalogue)
            except BertdynError as error:
                self.picture = self.wish = None
                self.chart.say(str(error))
            else:
                if wish is None:
                    self.wish, self.missing = None, 0
                    self.reader.show(None)
                    self.own_view()
                elif anew or wish != self.wish:
                    self._ask(wish)
                elif self.chart.view is not None:
                    self.chart.draw(self.chart.view, new.cursor, new.options)
        self.bars()

    def own_view(self) -> None:
        """Draw a mode whose numbers are the explorer's own, not the store's."""
        if self.state.mode == "jobs":
            from explorer.views.jobs import JobList
            from explorer.views.jobs import Jobs as JobsView

            self.chart.draw(JobsView(JobList(self.jobs.listed())), self.state.cursor, self.state.options)

    def _ask(self, wish: Wish) -> None:
        self.wish = wish
        self.reader.show(wish)
        shown = self.chart.view

        def remind() -> None:
            if self.wish == wish and self.chart.view is shown and not self._word:
                self.tell(READING)

        self.set_timer(PATIENCE, remind)

    def point(self, cursor: Cursor) -> None:
        """Move the cursor."""
        before, self.state = self.state, self.state.pointing(cursor)
        self._word = ""
        if self.chart.view is not None and before.variant == self.state.variant:
            self.chart.draw(self.chart.view, cursor, self.state.options)

    def key_of(self, action: str) -> str:
        """The first key in force of an action, as a person reads it."""
        return next(a.shown_keys.split()[0] for a in self.actions if a.id == action)

    def tell(self, word: str) -> None:
        """Say something until the next change."""
        self._word = word
        self.bars()

    @property
    def prompt(self) -> Prompt:
        """The line to type into."""
        return self.query_one("#prompt", Prompt)

    @property
    def _open(self) -> bool:
        return self.has_class("-panel")

    def fold(self) -> None:
        """Open or fold the panel: as the user wants it, else as the width allows."""
        roomy = self.size.width >= PANEL_FROM
        folded = not roomy if self._folded is None else self._folded
        self.set_class(not folded or self.focused is self.panel, "-panel")

    def bars(self) -> None:
        """Write the lines of words anew."""
        if not self.is_mounted:
            return
        width = self.size.width
        view, palette = self.chart.view, self.palette
        keys = self.key_of("compute"), self.key_of("cancel")
        job = bars.job(
            self.jobs.selection, self.selection, self.progress, self.missing if view else 0, self.jobs.waiting, keys
        )
        said = self.picture.notes if view and self.picture else ()
        show = {
            "title": bars.title(self.path, self.state, self.catalogue, job, palette, width),
            "heading": bars.plain(view.title if view else "", palette.strong, self.chart.size.width),
            "subheading": bars.plain(view.subtitle if view else "", palette.axis, self.chart.size.width),
            "notes": bars.notes(self._word, (*said, bars.hint(self.state.mode, self.actions)), palette, width),
            "reading": bars.plain(self.picture.reading if view and self.picture else "", palette.cursor, width),
            "footer": bars.footer(self.state.mode, palette, width, self.actions),
        }
        for name, line in show.items():
            self.query_one(f"#{name}", Lines).show([line])
