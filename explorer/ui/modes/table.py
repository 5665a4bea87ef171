"""Table: every value of the selection, sorted by any column."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.ui.modes.mode import Behaviour, list_of

if TYPE_CHECKING:
    from explorer.ui.state import State


class SortedTable(Behaviour):
    """Sorts by one column after the other."""

    def deeper(self) -> State | None:
        """Show the row under the cursor as a picture."""
        return self.screen.walking.by_row()

    def sort(self) -> None:
        """Sort by the next column, each first ascending, then descending."""
        from explorer.ui.cycles import resorted

        screen, view = self.screen, self.screen.chart.view
        if view is None:
            super().sort()
            return
        options = resorted(screen.state.options, view.columns)
        # A table with too many rows is read again: sorted by this column, its first rows may be different.
        cut = bool(view.left_out)
        order = (options.sort, options.descending) if cut else ("", False)
        look = replace(screen.state.look, sort=order[0], descending=order[1])
        screen.become(replace(screen.state, options=options, look=look))
        descending = ", descending" if options.descending else ""
        screen.tell(f"sorted by {options.sort or 'task, seed, step, layer'}{descending}")


MODE = list_of("table", "7", keys=("deeper", "sort", "filter", "copy"), behaviour=SortedTable, sorts="Table")
