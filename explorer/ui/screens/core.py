"""The heart of the main screen: one state, the picture that follows from it, and the lines of words around that."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from rich.segment import Segment
from textual.containers import Vertical
from textual.screen import Screen

from explorer.compute.requests import Compute
from explorer.ui import bars, beside, places
from explorer.ui.actions import ACTIONS, Action
from explorer.ui.jobs import Jobs
from explorer.ui.messages import Failed, Loaded
from explorer.ui.modes import MODES
from explorer.ui.reader import Reader
from explorer.ui.state import Catalogue, NotShownError, State, Wish
from explorer.ui.widgets.chart import Chart
from explorer.ui.widgets.lines import Lines, SegmentLine, abreast
from explorer.ui.widgets.pane import Pane
from explorer.ui.widgets.panel import Panel
from explorer.ui.widgets.prompt import Prompt
from explorer.views.base import Cursor, Picture
from store.errors import BertdynError

if TYPE_CHECKING:
    from textual.message import Message

    from explorer.render.palette import Palette
    from explorer.selection import Question
    from explorer.ui.messages import Progress
    from explorer.views.base import View

PANEL_FROM = 100
"""Columns from which the panel is open unless the user folds it."""
READING = "reading …"
PATIENCE = 0.3
"""Seconds that a view may take before the screen says that it is being read."""


_P = ParamSpec("_P")
_S = TypeVar("_S", bound="Core")


def pictured(action: Callable[Concatenate[_S, _P], None]) -> Callable[Concatenate[_S, _P], None]:
    """An action on the picture: typed ahead of the one that was asked for, it waits for that one, so that the same keys
    lead to the same place however fast they come."""

    @wraps(action)
    def later(self: _S, *args: _P.args, **named: _P.kwargs) -> None:
        self.once_drawn(self.pane, partial(action, self, *args, **named))

    return later


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
        self.progress: Progress | None = None
        self.pane = Pane(palette, 0, Vertical(id="editor"), id="picture")
        """The picture; cursor keys are for it."""
        self.other = Pane(palette, 1, id="beside", of="beside-")
        """What stands beside it where there is room: the same question, step and layer."""
        self.other.chart.can_focus = False
        self.pairs = True
        """Whether anything may stand beside the picture."""
        self._left = self._follows = False
        self._refused = ""
        """Why the store cannot be read now."""
        self._later: list[tuple[Pane, Callable[[], Any]]] = []
        """What waits for the picture that a pane was asked for."""
        self._folded: bool | None = None

    def on_screen_suspend(self) -> None:
        self.reader.start()  # what opens over the screen may come before it was painted

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
        """The picture's own widget."""
        return self.pane.chart

    @property
    def picture(self) -> Picture | None:
        """How the picture was drawn last; None while words stand in its place."""
        return self.pane.picture

    @property
    def opening(self) -> bool:
        """The store was neither listed yet, nor is it known why it cannot be."""
        return self.catalogue is None and not self._refused

    @property
    def missing(self) -> int:
        """Values of the picture that nobody has computed yet."""
        return self.pane.missing

    @property
    def panes(self) -> tuple[Pane, ...]:
        """Those on the screen, the picture's first."""
        return (self.pane, self.other) if self.companion is not None else (self.pane,)

    @property
    def shown(self) -> tuple[tuple[Pane, State], ...]:
        """The same, each with the state that it shows."""
        states = (self.state, self.companion)
        return tuple((p, s) for p, s in zip((self.pane, self.other), states, strict=True) if s is not None)

    @property
    def panel(self) -> Panel:
        """The selection panel."""
        return self.query_one("#panel", Panel)

    @property
    def prompt(self) -> Prompt:
        """The line to type into."""
        return self.query_one("#prompt", Prompt)

    @property
    def question(self) -> Question | None:
        """The stored values that are shown; None where there are none to show or to compute."""
        kind = self.state.variant.kind
        if self.catalogue is None or kind is None or not kind.computes:
            return None
        try:
            return self.state.question(self.catalogue, kind)
        except BertdynError:
            return None

    @property
    def lacking(self) -> tuple[Question, ...]:
        """Selections on the screen of which values are not computed, the picture's first."""
        shown = [p.wish.question for p in (self.pane, self.other) if p.missing and p.wish is not None]
        return tuple(dict.fromkeys(s for s in shown if s is not None))

    @property
    def companion(self) -> State | None:
        """The state as the view beside the picture shows it; None where none stands there."""
        roomy = self.pairs and self.size.width >= beside.FROM and not self.has_class("-zoom")
        return beside.companion(self.state) if roomy else None

    def become(self, new: State, anew: bool = False) -> None:
        """Take another state and show it; ``anew`` asks for the views even when the state is the same."""
        if new.variant is not self.state.variant:
            self._later.clear()
        self.state = new
        if not anew:  # what was said of a job that has ended stays when the store is listed again
            self.pane.word = self.other.word = ""
        self.set_class(new.mode == "sql", "-sql")
        if self.catalogue is not None:
            self.panel.about(new, self.catalogue)
            if not self._wished(self.pane, new, anew):
                self.own_view()
            self.accompany(anew)
        self.bars()

    def accompany(self, anew: bool = False) -> None:
        """Show what stands beside the picture, at its step and layer."""
        companion = self.companion
        self.set_class(companion is not None, "-beside")
        if companion is not None:
            self._wished(self.other, companion, anew)
        elif self.other.wish is not None:
            self.other.wish, self.other.missing = None, 0
            self.other.settled()
            self.reader.show(None, self.other.place)

    def _wished(self, pane: Pane, state: State, anew: bool) -> bool:
        """Show a state in a pane: ask for its view, or draw again what there is; False for one that the mode makes."""
        assert self.catalogue is not None
        try:
            wish = state.wish(self.catalogue)
        except BertdynError as error:
            pane.wish = None
            pane.settled()
            self.reader.show(None, pane.place)
            pane.say(self._refused or self.words_of(error))
            return True
        if wish is None:
            pane.wish, pane.missing = None, 0
            pane.settled()
            self.reader.show(None, pane.place)
            return False
        if self._refused:
            pane.wish = wish
            pane.settled()
            pane.say(self._refused)
        elif anew or wish != pane.wish:
            self._ask(pane, wish)
        elif pane.view is not None and not pane.waiting:
            self._draw(pane, pane.view, state)
        return True

    def _draw(self, pane: Pane, view: View, state: State) -> None:
        pane.draw(view, state if pane is self.pane else places.aligned(state, self.state, view))

    def own_view(self) -> None:
        """Draw a mode whose numbers are the explorer's own, not the store's."""
        if self.state.mode == "jobs":
            from explorer.views.jobs import JobList
            from explorer.views.jobs import Jobs as JobsView

            self.pane.draw(JobsView(JobList(self.jobs.listed())), self.state)

    def _ask(self, pane: Pane, wish: Wish) -> None:
        pane.wish, pane.late = wish, False
        self.reader.show(wish, pane.place)

        def remind() -> None:
            if pane.waiting and pane.wish == wish:
                pane.late = True
                self.bars()

        self.set_timer(PATIENCE, remind)

    def on_loaded(self, message: Loaded) -> None:
        for pane in (self.pane, self.other):
            state = self.state if pane is self.pane else self.companion
            if message.wish == pane.wish and state is not None:
                pane.settled()
                pane.missing = message.missing
                self._draw(pane, message.view, state)
        self.bars()
        self._go_on()

    def on_failed(self, message: Failed) -> None:
        self._refused = message.reason if message.wish is None else self._refused
        for pane in (self.pane, self.other):
            if message.wish in (None, pane.wish):
                pane.settled()
                pane.word = ""
                pane.say(message.reason)
        self.bars()
        self._go_on()

    def once_drawn(self, pane: Pane, act: Callable[[], Any]) -> None:
        """Do something when a pane shows what it was asked for: at once, or behind what waits already."""
        self._later.append((pane, act))
        self._go_on()

    @property
    def typed_ahead(self) -> bool:
        """Something waits for a picture."""
        return bool(self._later)

    def _go_on(self) -> None:
        while self._later and not self._later[0][0].waiting:
            self._later.pop(0)[1]()

    def on_chart_drawn(self) -> None:
        self.bars()

    def point(self, cursor: Cursor) -> None:
        """Move the cursor, and that of the view beside with it."""
        if self.pane.view is None or self.picture is None:
            return
        self.state = places.pointed(self.state, self.pane.view, self.picture.cursor, cursor)
        self.pane.word = self.other.word = ""
        self._draw(self.pane, self.pane.view, self.state)
        # The picture is painted first; who holds a key down waits for one view beside, not twenty.
        if not self._follows:
            self._follows = self.call_after_refresh(self._follow)

    def _follow(self) -> None:
        self._follows = False
        if self.catalogue is not None:
            self.accompany()

    def recolour(self, palette: Palette) -> None:
        """Colours for another background."""
        self.palette = palette
        for widget in (self.pane, self.other, *self.query(Panel)):
            widget.recolour(palette)
        self.bars()

    def key_of(self, action: str) -> str:
        """The first key in force of an action, as a person reads it."""
        return next(a.shown_keys.split()[0] for a in self.actions if a.id == action)

    def words_of(self, error: BertdynError) -> str:
        """An error in words, with the key in force of what leads on."""
        action = next((a for a in self.actions if isinstance(error, NotShownError) and a.id == error.action), None)
        return str(error) if action is None else f"{error} {self.key_of(action.id)}: {action.title.lower()}."

    def tell(self, word: str) -> None:
        """Say something until the next change."""
        self.pane.word = word
        self.bars()

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
        width, palette = self.size.width, self.palette
        keys = self.key_of("compute"), self.key_of("cancel")
        missing, waiting = self.missing or self.other.missing, self.jobs.waiting
        running = self.jobs.request
        shown = None if running is None or self.question is None else Compute(self.question.selection)
        job = bars.job(running, shown, self.progress, missing, waiting, keys)
        hint, more = bars.hint(self.state.mode, self.actions), self.key_of("help")
        at = width - (self.other.outer_size.width if self.has_class("-beside") else 0)

        def both(line: Callable[[Pane, int], SegmentLine]) -> SegmentLine:
            there = line(self.other, width - at - 1) if at < width else []
            if not any(text.strip() for text, *_ in there):
                return line(self.pane, width)
            return abreast(line(self.pane, at), [Segment(" "), *there], at, width)

        def notes(pane: Pane, width: int) -> SegmentLine:
            own = pane is self.pane  # what is said of both is said once
            known = () if own else {bars.meaning(note) for note in self.pane.notes}
            said = [note for note in pane.notes if bars.meaning(note) not in known]
            word = bars.DOT.join(filter(None, (READING if pane.late else "", pane.word)))
            return bars.notes(word, said, hint if own else "", more, palette, width)

        show = {
            "title": bars.title(self.path, self.state, self.catalogue, job, palette, width),
            "notes": both(notes),
            "reading": both(lambda p, w: bars.reading(p.reading, palette.cursor, w)),
            "footer": bars.footer(self.state.mode, palette, width, self.actions),
        }
        for name, line in show.items():
            self.query_one(f"#{name}", Lines).show([line])
        self.pane.title("" if self.pane.view is not None else MODES[self.state.mode].title)
        companion = self.companion
        self.other.title(MODES[companion.mode].title if companion is not None else "")
