"""Choosing values and views: with keys for the next one, with rows of the panel, and with the filter line."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.ui import choices, cycles, filters, state
from explorer.ui.catalogue import Catalogue
from explorer.ui.modes import MODES
from explorer.ui.parts.screen_part import ScreenPart
from explorer.ui.state import State
from store.errors import BertdynError

if TYPE_CHECKING:
    from explorer.answers.rows import Rows
    from explorer.ui.choices import Choice
    from explorer.ui.screens.main import MainScreen

FILTER = "filter"
"""Label of the prompt for a filter line."""
_NEXT: Mapping[str, Callable[[State, Catalogue, int], State]] = {
    "measure": cycles.next_measure,
    "task": cycles.next_task,
    "seed": cycles.next_seed,
    "corpus": cycles.next_corpus,
    "reference": cycles.next_reference,
    "step": cycles.stepped,
}


class Choosing(ScreenPart):
    """Turns keys, picked rows and typed conditions into a state."""

    def __init__(self, screen: MainScreen) -> None:
        super().__init__(screen)
        self._mistyped = ""
        """Filter line that was not valid; it is offered again so that it can be corrected."""
        self._statistic_of = ""
        """Measure that was shown when the statistic was typed."""

    def vary(self, by: int) -> None:
        """Show another picture of the same mode."""
        screen, mode = self.screen, self.screen.mode.mode
        if len(mode.variants) == 1:
            several = ", ".join(
                f"{screen.key_of(f'mode.{m.name}')} {m.title}" for m in MODES.values() if m.variants[1:]
            )
            screen.tell(f"{mode.title} has one picture; these have several: {several}.")
            return
        if screen.catalogue is not None:
            screen.become(cycles.varied(screen.pinned(), screen.catalogue, by))
        at = mode.variants.index(screen.state.variant) + 1
        words = f"picture {at} of {len(mode.variants)}, {screen.key_of('vary')}: other picture"
        screen.tell(f"{screen.state.variant.title} ({words})")

    def next(self, what: str, by: int) -> None:
        """Show the next measure, task, seed, corpus, reference or step."""
        screen = self.screen
        if screen.catalogue is None:
            return
        try:
            self.choose(what, _NEXT[what](screen.pinned(), screen.catalogue, by))
            if what in ("task", "seed"):
                keys = screen.key_of(f"{what}.next"), screen.key_of("vary")
                screen.tell(cycles.where(screen.state, screen.catalogue, what, *keys))
        except BertdynError as error:
            screen.tell(screen.words_of(error))

    def look(self, what: str, by: int) -> None:
        """Show the next layer or head in views of a single one, also in the second view."""
        screen, variant = self.screen, self.screen.state.variant
        if screen.catalogue is None:
            return
        shown = [s.variant.kind for _, s in screen.pictures.shown]
        if what in variant.meaning:
            screen.tell(f"{variant.title} shows more than one {what}: choose one with the cursor.")
        elif not any(kind is not None and what in kind.depends for kind in shown):
            screen.tell(f"{variant.title} does not show a single {what}.")
        else:
            screen.become(cycles.looking(screen.pinned(), screen.catalogue, what, by))

    def choose(self, what: str, new: State) -> None:
        """Show a state with another measure, reference and so on, unless nothing on the screen would change."""
        screen = self.screen
        if why := self._unshown(what):
            screen.tell(why)
            return
        assert screen.catalogue is not None
        fixed = state.fixed(screen.state, screen.catalogue, what)
        screen.become(new)
        if fixed:
            screen.tell(f"{fixed}; the second view: {new.measure if what == 'measure' else new.against}")

    def _unshown(self, what: str) -> str:
        """Return why another measure or reference would change nothing on the screen; empty if it would."""
        assert self.screen.catalogue is not None
        fixed = [state.fixed(shown, self.screen.catalogue, what) for _, shown in self.screen.pictures.shown]
        if not all(fixed):
            return ""
        where = ", ".join(m.title for m in MODES.values() if m.variants[0].kind and m.variants[0].kind.free)
        return fixed[0] + (f": {where} can show another one." if what == "measure" else ".")

    def picked(self, row: Choice) -> None:
        """Apply a row of the panel: take its value, or open a prompt for a value that is typed."""
        screen = self.screen
        if screen.catalogue is None:
            return
        typed = choices.typed(row, screen.state, screen.catalogue)
        if typed is not None:
            screen.prompt.ask(row.section, *typed)
        else:
            what = "reference" if row.section == "against" else row.section
            self.choose(what, choices.picked(row, screen.state, screen.catalogue))

    def ask_filter(self) -> None:
        """Open the prompt for a filter line; the panel shows the rows that match."""
        self.screen.set_class(True, "-panel")
        hint = "sst  or  task:sst* seed!=3 step>=100 layer:8-12 head:2 variance:0.9"
        self.screen.prompt.ask(FILTER, self._mistyped, hint)

    def answered(self, what: str, typed: str) -> None:
        """Apply the text of a prompt: a filter line, or the value of a row of the panel."""
        screen, self._mistyped = self.screen, ""
        text, rest = filters.conditions(what if what != FILTER else "", typed)
        if what == FILTER and rest and screen.panel.row is not None:
            screen.set_focus(screen.panel)
        else:
            screen.panel.find("")
            screen.set_focus(screen.panel if what != FILTER and screen.surroundings.panel_open else screen.chart)
        screen.surroundings.fold()
        try:
            if screen.catalogue is not None and text:
                self._filter(filters.filtered(screen.state, screen.catalogue, text), text)
        except BertdynError as error:
            self._mistyped = typed if what == FILTER else ""
            screen.tell(screen.words_of(error))

    def _filter(self, new: State, text: str) -> None:
        """Show a filtered state, unless nothing on the screen can show its measure or reference."""
        screen, now = self.screen, self.screen.state
        others = {"measure": new.measure != now.measure, "reference": new.against != now.against}
        for what in (what for what, other in others.items() if other):
            if why := self._unshown(what):
                screen.tell(why)
                return
        if new.look.statistic != now.look.statistic:
            self._statistic_of = new.measured
        screen.become(new)
        if word := filters.without_effect(screen.state, text, screen.key_of):
            screen.tell(word)

    def statistic_lost(self, stored: Rows | None) -> bool:
        """Drop a statistic that was typed for another measure if this measure does not have it; return whether it was
        dropped."""
        screen = self.screen
        wanted, there = screen.state.look.statistic, None if stored is None else stored.statistics
        if (
            screen.state.measured == self._statistic_of
            or not wanted
            or there is None
            or there.shown
            or not there.others
        ):
            return False
        screen.become(replace(screen.state, look=replace(screen.state.look, statistic="")))
        screen.tell(f"{screen.state.measured} has no statistic '{wanted}': all are shown.")
        return True
