"""Undo, kept selections and the session."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from explorer.ui import history, state, visits
from explorer.ui.parts.screen_part import ScreenPart
from explorer.ui.picks import kept_selections
from explorer.ui.session import Saved, Session
from explorer.ui.state import State

if TYPE_CHECKING:
    from explorer.answers.findings import Finding, Findings
    from explorer.ui.catalogue import Catalogue
    from explorer.ui.screens.main import MainScreen
    from explorer.views.base import View

KEEP = "keep as"
"""Label of the prompt for the name of a kept selection."""


class Keeping(ScreenPart):
    """Remembers earlier selections, selections kept under a name, and the last selection of the session."""

    def __init__(self, screen: MainScreen) -> None:
        super().__init__(screen)
        self.history = history.SelectionHistory()
        self.session: Session | None = None
        self.extra: dict[str, Any] = {}
        """JSON values that modes keep in the session, by mode."""
        self._before: visits.Seen | None = None
        """What the visit before saw."""
        self._seen: visits.Seen | None = None

    def begin(self, saved: Saved, session: Session | None) -> None:
        """Continue the last session."""
        self.extra, self.session = dict(saved.extra), session
        self._before = self._seen = saved.seen

    def listed(self, catalogue: Catalogue) -> None:
        """Note which checkpoints are there."""
        self._seen = visits.with_runs(self._seen or visits.Seen(), catalogue)

    def loaded(self, view: View) -> None:
        """Note of which measures there are values."""
        self._seen = visits.with_view(self._seen or visits.Seen(), view)

    def news(self, findings: Findings) -> tuple[Finding, ...]:
        """Return what is new since the last visit."""
        if self._before is None or self._seen is None:
            return ()
        return visits.since(self._before, self._seen, findings)

    def saved(self, folded: bool | None) -> Saved:
        """Return the present content of the session."""
        for name, behaviour in self.screen.modes.items():
            if (kept := behaviour.kept()) is not None:
                self.extra[name] = kept
        return Saved(self.screen.state, folded, deepcopy(self.extra), self._seen)

    def known(self, begun: State) -> State:
        """Return a state whose measure exists: a session or a kept selection may name an old one."""
        catalogue = self.screen.catalogue
        if catalogue is None or not catalogue.measures or catalogue.measure(begun.measure) is not None:
            return begun
        return replace(begun, measure=state.FIRST_MEASURE)

    def undo(self) -> None:
        """Show the previous selection."""
        self._travel(self.history.back(self.screen.state), "Nothing to undo.")

    def redo(self) -> None:
        """Show the selection that was undone."""
        self._travel(self.history.forth(self.screen.state), "Nothing to redo.")

    def _travel(self, to: State | None, otherwise: str) -> None:
        if to is None or self.screen.catalogue is None:
            self.screen.tell(otherwise)
        else:
            self._show(to)

    def ask(self) -> None:
        """Ask for a name and keep the selection under it."""
        if self.session is None:
            self.screen.tell("Selections cannot be kept: there is no session.")
        else:
            self.screen.prompt.ask(
                KEEP, "", "a name, or name: what you see, which bertdyn report shows; the same name replaces"
            )

    def answered(self, text: str) -> None:
        """Keep the selection under a name, with its picture for a report and a remark behind the first colon."""
        self.screen.set_focus(self.screen.chart)
        name, _, remark = (part.strip() for part in " ".join(text.split()).partition(": "))
        if name and self.session is not None:
            trouble = self.session.keep(name, self.screen.state, remark)
            kept = f"Kept as '{name}'; {self.screen.key_of('presets')} shows it again."
            self.screen.tell(f"Not kept: {trouble}." if trouble else kept)

    def presets(self) -> None:
        """Open the list of kept selections."""
        from explorer.ui.dialogs.picker import PickerScreen

        if self.session is None or not (there := self.session.presets()):
            self.screen.tell(f"No selection was kept yet: {self.screen.key_of('keep')} keeps this one.")
            return
        rows = kept_selections(there, self.session.remarks())
        picker = PickerScreen("kept selection", rows, dict, self._taken, self.session.drop)
        self.screen.app.push_screen(picker)

    def _taken(self, name: str | None) -> None:
        if name is not None:
            self.load(name)

    def load(self, name: str) -> None:
        """Show a kept selection."""
        found = self.session.presets().get(name) if self.session is not None else None
        if found is None or self.screen.catalogue is None:
            self.screen.tell(f"There is no selection '{name}'.")
            return
        before = self.screen.state
        self._show(history.taken(found, before))
        self.history.note(before, self.screen.state)

    def _show(self, to: State) -> None:
        """Show a remembered selection, without choices that the store no longer has; the history does not record it."""
        assert self.screen.catalogue is not None
        self.screen.become(state.settled(self.known(to), self.screen.catalogue), noted=False)
