"""Table: every stored row of the selection, heads and label pairs included, sorted and paged."""

from __future__ import annotations

from collections.abc import Sequence

from explorer.render.cells import message
from explorer.render.palette import Palette
from explorer.render.tables import TextTable, cell
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Cursor, DrawOptions, Picture
from explorer.views.rows import Rows
from store.errors import BertdynError
from store.keys import Result

COLUMNS = (
    *("measure", "probe", "task", "seed", "step", "layer", "head", "statistic", "label_a", "label_b", "value", "unit"),
    *("n", "ref_task", "ref_seed", "ref_step", "interval_low", "interval_high", "null_value", "reason", "details"),
    *("parameters", "computed_at"),
)
_IN_TITLE = ("measure", "probe", "parameters")


class Table:
    """y is the row, counted from the top; x the column that must be visible."""

    name = "table"

    def __init__(self, data: Rows) -> None:
        self.data = data
        self.title = words.title(data, ", ".join(data.tasks[:4]) + (", ..." if len(data.tasks) > 4 else ""))
        self.subtitle = words.subtitle(data, data.main)
        self.empty = not data.results
        self.notes = words.notes(data, data.results)
        self._all = [tuple(getattr(r, name) for name in COLUMNS) for r in data.results]
        self.columns: tuple[str, ...] = tuple(
            name
            for j, name in enumerate(COLUMNS)
            if name not in _IN_TITLE and any(row[j] not in (None, "", "{}") for row in self._all)
        )
        """Columns on the screen: those with a value somewhere; what the title says is left out."""
        self._kept: tuple[tuple[str, bool], tuple[list[Result], TextTable]] | None = None

    def draw(
        self,
        width: int,
        height: int,
        palette: Palette,
        cursor: Cursor = NOWHERE,
        options: DrawOptions = PLAIN,
    ) -> Picture:
        """See ``View.draw``.

        Raises:
            BertdynError: there is no column to sort by of that name.
        """
        if self.empty:
            return Picture(
                tuple(message(words.nothing(self.data), width, height, palette.text)), "", NOWHERE, self.notes
            )
        results, table = self._sorted(options.sort, options.descending)
        at = cursor.clamped(len(self.columns), len(results))
        lines = table.draw(width, height, palette, at.y, at.x, options.ascii)
        return Picture(tuple(lines), self._read(results[at.y]) if at.y >= 0 else "", at, self.notes)

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Every row with every column."""
        return COLUMNS, list(self._all)

    def _sorted(self, sort: str, descending: bool) -> tuple[list[Result], TextTable]:
        if self._kept is None or self._kept[0] != (sort, descending):
            order = list(range(len(self._all)))
            if sort:
                if sort not in COLUMNS:
                    raise BertdynError(f"The table has no column '{sort}', only {', '.join(COLUMNS)}.")
                at = COLUMNS.index(sort)
                there = [i for i in order if self._all[i][at] is not None]
                there.sort(key=lambda i: self._all[i][at], reverse=descending)
                # Rows without a value stand last either way.
                order = there + [i for i in order if self._all[i][at] is None]
            elif descending:
                order.reverse()
            places = [COLUMNS.index(name) for name in self.columns]
            results = [self.data.results[i] for i in order]
            warned = frozenset(i for i, r in enumerate(results) if r.reason)
            table = TextTable(self.columns, [[self._all[i][p] for p in places] for i in order], warned)
            self._kept = ((sort, descending), (results, table))
        return self._kept[1]

    def _read(self, r: Result) -> str:
        parts: Sequence[str] = [
            f"{r.task}, seed {r.seed}, layer {r.layer}" + (f", head {r.head}" if r.head is not None else ""),
            f"step {r.step:,}" + (f", {r.label_a} and {r.label_b}" if r.label_a is not None else ""),
        ]
        extra = f" [n {cell(r.n)}]"
        return words.reading(self.data, ", ".join(parts) + (f", {r.statistic}" if r.statistic else ""), r) + extra
