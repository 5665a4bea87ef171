"""Copying the views on the screen, and writing them to files."""

from __future__ import annotations

from pathlib import Path

from explorer.ui.modes import MODES
from explorer.ui.parts.screen_part import ScreenPart
from explorer.ui.state import State
from explorer.views.base import NOWHERE
from store.layout import folder_name


def file_name(shown: State) -> str:
    """Return the file name for the view of a state, without its ending."""
    return "-".join([shown.mode, shown.measured, *map(folder_name, (*shown.tasks, shown.corpus))])


class Exporting(ScreenPart):
    """Copies the picture, and writes views to files."""

    def copy(self) -> None:
        """Copy the view as ``bertdyn show`` prints it; in a table, copy the row under the cursor with column names."""
        from explorer.export.picture import as_text
        from explorer.export.rows import as_csv
        from explorer.ui.terminal.clipboard import copy

        screen, companion, send = self.screen, self.screen.pair.companion, self.screen.app.copy_to_clipboard
        view, at, options = (
            screen.chart.view,
            screen.picture.cursor if screen.picture else NOWHERE,
            screen.state.drawing,
        )
        what, more = "The view", ""
        if companion is not None:
            what, other = screen.mode.mode.title, MODES[companion.mode].title
            more = f" {screen.key_of('swap')} and then {screen.key_of('copy')} copy the second view, {other}."
        if view is None:
            screen.tell("There is no picture to copy.")
        elif at.y >= 0 and (row := view.row(at.y, options)) is not None:
            columns, values = row
            screen.tell("The row as CSV. " + copy(as_csv(columns, [values]), "csv", send))
        else:
            text = as_text(view, (screen.chart.size.width, screen.chart.size.height), cursor=at, options=options)
            screen.tell(f"{what} as text. " + copy(text, "txt", send) + more)

    def export(self) -> None:
        """Ask for a format, then write the view to a file."""
        from explorer.export.files import write_beside
        from explorer.ui.dialogs.export import Exportable, ExportScreen

        screen = self.screen
        there = [(pane, state, pane.view) for pane, state in screen.pictures.shown if pane.view is not None]
        if not there:
            screen.tell("There is no picture to export.")
            return
        views = [Exportable(f"{MODES[s.mode].title}: {v.title}", Path.cwd() / file_name(s)) for _, s, v in there]

        def write(chosen: tuple[int, str] | None) -> None:
            if chosen is not None:
                at, format = chosen
                pane, shown, view = there[at]
                screen.tell(f"writing {MODES[shown.mode].title} …")
                cursor = pane.picture.cursor if pane.picture is not None else NOWHERE
                about = (pane.chart.size.width, pane.chart.size.height), screen.palette.dark, cursor, shown.drawing
                screen.reader.write(lambda: write_beside(view, format, Path.cwd(), file_name(shown), *about))

        screen.app.push_screen(ExportScreen(views), write)
