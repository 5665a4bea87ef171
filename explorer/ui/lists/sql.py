"""SQL: worked queries to start from, and the rows that a statement gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.render.axes import count
from explorer.render.cells import Grid
from explorer.render.palette import Palette
from explorer.render.tables import TextTable, cell
from explorer.render.targets import Target
from explorer.render.text import clean, crop
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Base, Cursor, DrawOptions, Picture

if TYPE_CHECKING:
    from store.duck import Table


@dataclass(frozen=True)
class Worked:
    """A question in words, and the statement that answers it."""

    question: str
    sql: str


WORKED = (
    Worked(
        "Which layer moved most in each run, at its last step?",
        "SELECT corpus, task, seed, arg_max(layer, value) AS layer, max(value) AS distance\n"
        "FROM svcca JOIN runs USING (task, variant, seed)\n"
        "WHERE step = last_step AND ref_task = 'pretrained'\n"
        "GROUP BY ALL ORDER BY ALL",
    ),
    Worked(
        "Since when? The first checkpoint with half of the change, and the one before it.",
        "SELECT corpus, task, seed, layer, half_after, half_by, ninety_by, last_value\n"
        "FROM onsets WHERE measure = 'svcca' AND ref_task = 'pretrained'\n"
        "ORDER BY ALL",
    ),
    Worked(
        "Does the last layer's distance follow the accuracy?",
        "SELECT s.corpus, s.task, s.seed, s.step, s.variance, avg(s.value) AS distance, t.value AS accuracy\n"
        "FROM svcca s JOIN training_log t USING (task, variant, seed, step)\n"
        "WHERE t.name = 'eval_accuracy' AND s.ref_task = 'pretrained'\n"
        "  AND s.layer = (SELECT max(layer) FROM svcca)\n"
        "GROUP BY ALL ORDER BY ALL",
    ),
    Worked(
        "How far apart are two seeds, and each from the pre-trained model?",
        "SELECT corpus, task, step, layer,\n"
        "       avg(value) FILTER (ref_task = task AND ref_step = step) AS between_seeds,\n"
        "       avg(value) FILTER (ref_task = 'pretrained') AS from_pretrained\n"
        "FROM svcca GROUP BY ALL ORDER BY ALL",
    ),
    Worked(
        "Which attention heads changed most?",
        "SELECT task, seed, step, layer, head, value AS bits\n"
        "FROM results WHERE measure = 'js' AND head IS NOT NULL AND example IS NULL AND query IS NULL\n"
        "ORDER BY bits DESC LIMIT 40",
    ),
    Worked(
        "How did training go?",
        "SELECT task, seed, step, name, value FROM training_log ORDER BY ALL",
    ),
    Worked(
        "Which checkpoints are there, and how large are they?",
        "SELECT corpus, task, variant, seed, step, layers, map_keys(digests) AS inputs, round(bytes / 1e6, 1) AS mb\n"
        "FROM checkpoints ORDER BY ALL",
    ),
    Worked(
        "What was computed, and when last?",
        "SELECT measure, corpus, parameters, count(*) AS rows, max(computed_at) AS last\n"
        "FROM results GROUP BY ALL ORDER BY last DESC",
    ),
    Worked(
        "Which claims of the four papers hold here?",
        "SELECT claim, task, corpus, verdict, statistic, value, low, high, why, sentence FROM claims\n"
        "WHERE verdict <> 'cannot be said'",
    ),
    Worked("Which tables are there?", "SHOW TABLES"),
)


def how(write: str = "i", cancel: str = "x") -> str:
    """The editor in one line; the keys are those in force (its own are always the same)."""
    return f"{write} writes or changes it · F5 or ^r runs it · ^u empties it · esc: to the rows · {cancel} cancels"


class WorkedList(Base):
    """y is the query, counted from the top."""

    name = "sql"
    title = "Ask the store's tables in SQL (DuckDB)"
    notes: tuple[str, ...] = ()

    def __init__(self, data: Sequence[Worked] = WORKED, pick: str = "enter", editing: str = "") -> None:
        """``pick``: the key in force that takes a query; ``editing``: what ``how`` says."""
        self.data = data
        self.subtitle = f"{pick} edits a query · {editing or how()}"
        self.empty = not data

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``."""
        at = Cursor(-1, max(0, cursor.clamped(1, len(self.data)).y))
        grid = Grid(width, height)
        top = max(0, at.y - height + 1)
        for line, worked in enumerate(self.data[top : top + height]):
            here = top + line == at.y
            mark = (">" if options.ascii else "▸") if here else " "
            style = palette.strong if here else palette.text
            grid.put(line, 0, crop(f"{mark} {worked.question}", width, options.ascii), style)
        below = height - len(self.data) - 1
        for line, text in enumerate(self.data[at.y].sql.splitlines()[: max(0, below)]):
            grid.put(len(self.data) + 1 + line, 2, crop(text, width - 2, options.ascii), palette.axis)
        targets = tuple(Target(0, line, row=top + line) for line in range(min(height, len(self.data) - top)))
        return Picture(tuple(grid.lines()), self.data[at.y].question, at, self.notes, targets)

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """One row a query."""
        return ("question", "sql"), [(worked.question, worked.sql) for worked in self.data]


class Answer(Base):
    """y is the row, counted from the top; x the column that must be visible."""

    name = "sql"

    def __init__(self, data: Table, sql: str, seconds: float, editing: str = "") -> None:
        """``editing``: what ``how`` says."""
        self.data = data
        self.empty = not data.rows
        many = f"the first {count(len(data.rows))} rows" if data.truncated else f"{count(len(data.rows))} rows"
        self.title = clean(" ".join(sql.split()))
        self.subtitle = f"{many}, {count(len(data.columns))} columns, {seconds:.2f} s · {editing or how()}"
        self.notes = (
            (f"! there are more than these {count(len(data.rows))} rows: narrow the statement, or bertdyn sql has all",)
            if data.truncated
            else ()
        )
        self._table = TextTable(data.columns, data.rows)

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``."""
        if self.empty:
            return words.instead("No row answers this.", width, height, palette, self.notes)
        at = cursor.clamped(len(self.data.columns), len(self.data.rows))
        lines = self._table.draw(width, height, palette, at.y, at.x, options.ascii)
        return Picture(tuple(lines), self._read(at), at, self.notes, self._table.targets(width, height, at.y, at.x))

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """All that was read."""
        return self.data.columns, list(self.data.rows)

    def row(self, y: int, options: DrawOptions = PLAIN) -> tuple[tuple[str, ...], tuple[object, ...]]:
        """The columns, and the values of one row."""
        return self.data.columns, tuple(self.data.rows[y])

    def _read(self, at: Cursor) -> str:
        if at.y < 0:
            return ""
        x = max(0, at.x)
        value = self.data.rows[at.y][x]
        text = "NULL" if value is None else str(value)
        beside = cell(value)
        exact = f" ({beside})" if beside != text and isinstance(value, float) else ""
        return clean(f"row {count(at.y + 1)}, {self.data.columns[x]} ({self.data.types[x]}): {text}{exact}")
