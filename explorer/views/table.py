"""Table: every stored row of the selection, heads and label pairs included, sorted and paged."""

from __future__ import annotations

from typing import Any

from explorer.answers.geometry import Geometry
from explorer.answers.rows import Rows
from explorer.answers.table_rows import Counts
from explorer.answers.uncertainty_notes import UncertaintyNotes
from explorer.fields.field import FieldAxis
from explorer.measures import Measure
from explorer.render.axes import number
from explorer.render.palette import Palette
from explorer.render.tables import TextTable, cell, order_of
from explorer.render.text import clean
from explorer.selection.against import SEEDS
from explorer.selection.stored import further_axes
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Base, Cursor, DrawOptions, Picture
from explorer.views.ranking import MOST
from explorer.views.spot import Spot
from store.errors import BertdynError
from store.results import Result

COLUMNS = (
    *("measure", "corpus", "task", "seed", "step", "layer", "head", "example", "query"),
    *("statistic", "label_a", "label_b"),
    *("value", "unit", "interval_low", "interval_high", "null", "seed_to_seed", "n", "reason"),
    *("ref_task", "ref_seed", "ref_step", "ref_layer", "details", "parameters", "computed_at"),
)
_IN_TITLE = ("measure", "corpus", "parameters")
_IN_TITLE_IF_ONE = ("unit", "ref_task", "ref_seed", "ref_step")
_STORED = {"null": "null_value", "task": "recipe", "ref_task": "ref_recipe"}
"""Columns that a row calls otherwise."""


def columns_of(measure: Measure) -> tuple[str, ...]:
    """Return every column of a measure's table: those of all measures, and its own axes before the statistic."""
    at = COLUMNS.index("statistic")
    return (*COLUMNS[:at], *(name for name, _ in further_axes(measure)), *COLUMNS[at:])


class Table(Base):
    """y is the row, counted from the top; x the column that must be visible."""

    name, listed = "table", True

    def __init__(self, data: Rows) -> None:
        self.data = self.stored = data
        self.left_out = data.left_out
        self.title = words.title(data, ", ".join(data.tasks[:4]) + (", ..." if len(data.tasks) > 4 else ""))
        self.subtitle = words.subtitle(data, data.main)
        self.empty = not data.results
        self._names = columns_of(data.measure)
        trust = UncertaintyNotes.of(data.measure, data.results)
        self._said = words.notes(data, data.results) + tuple(map(clean, trust.notes("[ ]", chance=True)))
        self._said += words.on_noise(data.measure, data.results)
        if data.statistics is not None:
            self._said = (data.statistics.note, *self._said)
        self._all = [tuple(self._cell(r, name) for name in self._names) for r in data.results]
        crossed = any(r.ref_layer not in (None, r.layer) for r in data.results)
        said = {name for name in _IN_TITLE_IF_ONE if len({row[self._names.index(name)] for row in self._all}) == 1}
        self.columns: tuple[str, ...] = tuple(
            name
            for j, name in enumerate(self._names)
            if name not in _IN_TITLE
            and name not in said
            and any(row[j] not in (None, "", "{}") for row in self._all)
            and (crossed or name != "ref_layer")
        )
        """Columns on the screen: those with a value somewhere; what the title says is left out."""
        self.notes = (*self._cut(PLAIN), *self._said)
        self._kept: tuple[tuple[str, bool], tuple[list[Result], TextTable]] | None = None

    def lines_needed(self, width: int) -> int:
        """See ``View.lines_needed``."""
        return len(self.data.results) + 2

    def ranked(self, options: DrawOptions = PLAIN) -> tuple[Cursor, ...]:
        """See ``View.ranked``."""
        same, (results, _) = self.data.measure.same, self._sorted(options.sort, options.descending)
        known = [(y, abs(r.value - same)) for y, r in enumerate(results) if r.value is not None]
        column = self.columns.index("value") if "value" in self.columns else 0
        return tuple(Cursor(column, y) for y, _ in sorted(known, key=lambda one: (-one[1], one[0]))[:MOST])

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``.

        Raises:
            BertdynError: there is no column to sort by of that name.
        """
        if self.empty:
            missed = self.data.statistics is not None and self.data.statistics.others
            text = f"{self.notes[0].capitalize()}." if missed else words.nothing(self.data)
            return words.instead(text, width, height, palette, self.notes)
        results, table = self._sorted(options.sort, options.descending)
        at = cursor.clamped(len(self.columns), len(results))
        lines = table.draw(width, height, palette, at.y, at.x, options.ascii)
        notes = (*self._cut(options), *self._said)
        targets = tuple(t for t in table.targets(width, height, at.y, at.x) if t.row >= 0)
        marked = next(((t.x, t.y) for t in targets if t.row == options.mark.y), None)
        return Picture(tuple(lines), self._read(results[at.y]) if at.y >= 0 else "", at, notes, targets, marked)

    def _cut(self, options: DrawOptions) -> tuple[str, ...]:
        """Return the note on rows that are left out."""
        if not self.data.left_out:
            return ()
        more = "choose fewer, or ask for them in SQL"
        if (options.sort, options.descending) == self.data.order:
            first = "" if not options.sort else f" the first {len(self._all):,} by {options.sort} are here:"
            return (f"{self.data.left_out:,} more rows are too many for a table:{first} {more}",)
        return (f"! only the {len(self._all):,} rows that were read are sorted, {self.data.left_out:,} more: {more}",)

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Every row with every column."""
        return self._names, list(self._all)

    def row(self, y: int, options: DrawOptions = PLAIN) -> tuple[tuple[str, ...], tuple[object, ...]]:
        """The columns that are shown, and the values of one row in the order that is shown."""
        results, _ = self._sorted(options.sort, options.descending)
        return self.columns, tuple(self._cell(results[y], name) for name in self.columns)

    def _cell(self, r: Result, column: str) -> Any:
        if column != "seed_to_seed":
            return getattr(r, _STORED.get(column, column)) if column in COLUMNS else dict(r.axes).get(column)
        whole = r.head is None and r.label_a is None and r.example is None and r.query is None
        if not whole or r.statistic != self.data.measure.main or r.ref_layer not in (None, r.layer):
            return None
        return self.data.yardstick(r)

    def _sorted(self, sort: str, descending: bool) -> tuple[list[Result], TextTable]:
        if self._kept is None or self._kept[0] != (sort, descending):
            order = list(range(len(self._all)))
            if sort:
                if sort not in self._names:
                    raise BertdynError(f"The table has no column '{sort}', only {', '.join(self._names)}.")
                at = self._names.index(sort)
                order = order_of([row[at] for row in self._all], descending)
            elif descending:
                order.reverse()
            places = [self._names.index(name) for name in self.columns]
            results = [self.data.results[i] for i in order]
            warned = frozenset(i for i, r in enumerate(results) if r.reason)
            table = TextTable(
                self.columns, [[self._all[i][p] for p in places] for i in order], warned, (sort, descending)
            )
            self._kept = ((sort, descending), (results, table))
        return self._kept[1]

    def _read(self, r: Result) -> str:
        return words.reading(self.data, self._place(r), r) + f" [n {cell(r.n)}]"

    def _place(self, r: Result) -> str:
        """Return what tells a row from others in words: 'sst2, seed 1, layer 3, step 80'."""
        return ", ".join((r.recipe, f"seed {r.seed}", *self._places(r).values()))

    def _places(self, r: Result) -> dict[str, str]:
        """Return the places of a row in words, by the names of axes and columns."""
        titled = {axis.name: axis.title for axis in self.data.measure.axes}
        among_seeds = self.data.question.against is not None and self.data.question.against.kind == SEEDS
        found = {
            "layer": "" if r.layer is None else f"layer {r.layer}",
            **{name: FieldAxis(name, (place,), titled.get(name, "")).said(0) for name, place in r.axes},
            "head": "" if r.head is None else f"head {r.head}",
            "step": f"step {r.step:,}",
            "ref_layer": "" if r.ref_layer in (None, r.layer) else f"against layer {r.ref_layer}",
            "ref_seed": f"against seed {r.ref_seed}" if among_seeds else "",
            "example": "" if r.example is None else f"example {r.example}",
            "query": "" if r.query is None else f"token {r.query}",
            "labels": " and ".join(label for label in (r.label_a, r.label_b) if label is not None),
            "statistic": r.statistic,
        }
        return {name: said for name, said in found.items() if said}

    def valued(self, at: Cursor, options: DrawOptions = PLAIN) -> Spot | None:
        """See ``View.valued``: the value of a row."""
        results, _ = self._sorted(options.sort, options.descending)
        return self._spot(results[at.y]) if 0 <= at.y < len(results) else None

    def place_of(self, spot: Spot, options: DrawOptions = PLAIN) -> Cursor:
        """See ``View.place_of``."""
        results, _ = self._sorted(options.sort, options.descending)
        for y, r in enumerate(results):
            if r.value == spot.value and (found := self._spot(r)) and dict(found.where) == dict(spot.where):
                return Cursor(-1, y)
        return NOWHERE

    def _spot(self, r: Result) -> Spot | None:
        if r.value is None:
            return None
        measure, where = self.data.measure, words.whereabouts(self.data, r.recipe, (r.seed,)) | self._places(r)
        name = measure.name
        if r.statistic == measure.main:
            where.pop("statistic", None)
        else:
            name += f" {r.statistic}"
        said = f"{number(r.value)}{words.unit(measure, r)}"
        return Spot(r.value, said, self._place(r), name, tuple(where.items()))


def table(*read: Counts | Rows) -> Table:
    """Every row; how many there are was only needed to read them."""
    data = read[-1]
    assert isinstance(data, Rows)
    return Table(data)


class PlainTable(Base):
    """A table as it was read: y is the row, counted from the top; x the column that must be visible."""

    listed = True

    def __init__(self, name: str, data: Geometry) -> None:
        self.name, self.data, self.notes, self.empty = name, data, data.notes, not data.rows
        self.title, self.subtitle = data.title, data.subtitle
        self._table = TextTable(data.columns, data.cells, absent="-")

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``."""
        at = cursor.clamped(len(self.data.columns), len(self.data.cells))
        lines = self._table.draw(width, height, palette, at.y, at.x, options.ascii)
        targets = self._table.targets(width, height, at.y, at.x)
        return Picture(tuple(lines), "", at, self.notes, tuple(t for t in targets if t.row >= 0))

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """See ``View.rows``."""
        return self.data.columns, self.data.cells

    def row(self, y: int, options: DrawOptions = PLAIN) -> tuple[tuple[str, ...], tuple[object, ...]]:
        """See ``View.row``."""
        return self.data.columns, self.data.cells[y]


def geometry(data: Geometry) -> PlainTable:
    """Return the table of the labels' geometry."""
    return PlainTable("geometry", data)
