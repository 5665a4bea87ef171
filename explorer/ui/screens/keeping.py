"""The part of the main screen that keeps things: the session, undo, presets, copies, files."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer.ui import history, state
from explorer.ui.actions import ACTIONS
from explorer.ui.modes import MODES
from explorer.ui.screens.core import Core, pictured
from explorer.ui.session import Saved, Session
from explorer.ui.state import Catalogue, State
from explorer.ui.widgets.lines import PLAIN, Lines
from explorer.views.base import NOWHERE
from store.layout import folder_name

if TYPE_CHECKING:
    from explorer.render.palette import Palette

KEEP = "keep as"
"""What the prompt asks for when a selection is kept."""


def file_name(shown: State) -> str:
    """What to call a file of what is shown, without its ending."""
    return "-".join([shown.mode, shown.measure, *map(folder_name, (*shown.tasks, shown.corpus))])


class Keeping(Core):
    """A heart that remembers."""

    def __init__(self, path: Path, palette: Palette) -> None:
        super().__init__(path, palette)
        self.computes = True
        """What is shown and missing is computed without being asked."""
        self.history = history.History()
        self.session: Session | None = None
        self.extra: dict[str, Any] = {}
        """What other parts of the screen want in the session: JSON values by a name of theirs."""

    def open_with(self, begin: State, saved: Saved, session: Session | None) -> None:
        """Where to begin, before the first listing."""
        self.state, self._folded, self.extra, self.session = begin, saved.folded, dict(saved.extra), session

    def on_mount(self) -> None:
        new = {a.id: a for a in self.actions}
        self.panel.keys = {a.shown_keys.split()[0]: new[a.id].shown_keys.split()[0] for a in ACTIONS}

    def saved(self) -> Saved:
        """What a session keeps of now."""
        return Saved(self.state, self._folded, deepcopy(self.extra))

    def known(self, begun: State, catalogue: Catalogue) -> State:
        """A state with a measure that there is; what a session or a preset kept may be older."""
        if not catalogue.measures or catalogue.measure(begun.measure) is not None:
            return begun
        return replace(begun, measure=state.FIRST_MEASURE)

    def become(self, new: State, anew: bool = False) -> None:
        """As Core's; a change of the selection by the user's hand can be undone."""
        if not anew:
            self.history.note(self.state, new)
        super().become(new, anew)
        if new.options.ascii != self.app.has_class(PLAIN):
            self.app.set_class(new.options.ascii, PLAIN)
            for lines in self.query(Lines):
                lines.anew()

    def action_undo(self) -> None:
        """The selection before."""
        self._travel(self.history.back(self.state), "This is where it began.")

    def action_redo(self) -> None:
        """The selection that was undone."""
        self._travel(self.history.forth(self.state), "Nothing was undone.")

    def _travel(self, to: State | None, otherwise: str) -> None:
        if to is None or self.catalogue is None:
            self.tell(otherwise)
            return
        self._show(to)

    @pictured
    def action_copy(self) -> None:
        """Copy what `bertdyn show` would print; of a table the row under the cursor, with its columns' names."""
        from explorer.export.picture import as_text
        from explorer.export.rows import as_csv
        from explorer.ui.clipboard import copy as copied

        view, at, options = self.chart.view, self.picture.cursor if self.picture else NOWHERE, self.state.options
        what, there = "The view", self.companion
        more = ""
        if there is not None:
            what, other = MODES[self.state.mode].title, MODES[there.mode].title
            more = f" {self.key_of('swap')} and then {self.key_of('copy')} copy the view beside, {other}."
        if view is None:
            self.tell("There is no picture to copy.")
        elif at.y >= 0 and (row := view.row(at.y, options)) is not None:
            columns, values = row
            self.tell("The row. " + copied(as_csv(columns, [values]), "csv", self.app.copy_to_clipboard))
        else:
            text = as_text(view, (self.chart.size.width, self.chart.size.height), cursor=at, options=options)
            self.tell(f"{what} as text. " + copied(text, "txt", self.app.copy_to_clipboard) + more)

    @pictured
    def action_export(self) -> None:
        """Choose a format, then write the view to a file."""
        from explorer.export.files import write_beside
        from explorer.ui.screens.export import Exportable, ExportScreen

        there = [(pane, shown, pane.view) for pane, shown in self.shown if pane.view is not None]
        if not there:
            self.tell("There is no picture to export.")
            return
        views = [Exportable(f"{MODES[s.mode].title}: {v.title}", Path.cwd() / file_name(s)) for _, s, v in there]

        def write(chosen: tuple[int, str] | None) -> None:
            if chosen is not None:
                at, format = chosen
                pane, shown, view = there[at]
                self.tell(f"writing {MODES[shown.mode].title} …")
                cursor = pane.picture.cursor if pane.picture is not None else NOWHERE
                about = (pane.chart.size.width, pane.chart.size.height), self.palette.dark, cursor, shown.options
                self.reader.write(lambda: write_beside(view, format, Path.cwd(), file_name(shown), *about))

        self.app.push_screen(ExportScreen(views), write)

    def action_keep(self) -> None:
        """Ask for a name and keep the selection under it."""
        if self.session is None:
            self.tell("Nothing can be kept here.")
            return
        self.prompt.ask(KEEP, "", "a name; one that is there already is replaced")

    def keep(self, name: str) -> None:
        """Keep the selection under a name."""
        name = " ".join(name.split())
        if name and self.session is not None:
            trouble = self.session.keep(name, history.about(self.state))
            kept = f"Kept as '{name}'; {self.key_of('presets')} shows it again."
            self.tell(f"Not kept: {trouble}." if trouble else kept)

    def action_presets(self) -> None:
        """Choose one of the selections that were kept."""
        from explorer.ui.screens.presets import PresetsScreen

        if self.session is None or not self.session.presets():
            self.tell(f"No selection was kept yet: {self.key_of('keep')} keeps this one.")
            return
        self.app.push_screen(PresetsScreen(self.session), lambda name: self.load(name) if name else None)

    def load(self, name: str) -> None:
        """Show a selection that was kept."""
        found = self.session.presets().get(name) if self.session is not None else None
        if found is None or self.catalogue is None:
            self.tell(f"There is no selection '{name}'.")
            return
        before = self.state
        self._show(history.taken(found, self.state))
        self.history.note(before, self.state)

    def _show(self, to: State) -> None:
        """Take a kept selection, without what the store no longer has, and leave no trace of it."""
        assert self.catalogue is not None
        super().become(state.settled(self.known(to, self.catalogue), self.catalogue))
