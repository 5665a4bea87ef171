"""Store: which checkpoints are extracted, how large they are, and what is computed of them; a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.style import Style

from explorer.answers.coverage import BARE, COLUMNS, FULL, MISSING, REGISTERED, Coverage, MeasureCoverage, RunCoverage
from explorer.render.axes import count
from explorer.render.cells import Grid
from explorer.render.fitting import DOT
from explorer.render.palette import Palette
from explorer.render.targets import Target
from explorer.render.text import clean, crop, pad
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Base, Cursor, DrawOptions, Picture
from store.disk import readable
from store.keys import PRETRAINED

_MARKS = {FULL: "●", BARE: "○", MISSING: "·", REGISTERED: "◌"}
_PLAIN_MARKS = {FULL: "#", BARE: "o", MISSING: ".", REGISTERED: "-"}
_MIXED, _PLAIN_MIXED = "◐", "%"
_BAR = 20
_NAMES = 5
"""Missing steps that are named."""


@dataclass(frozen=True)
class _Section:
    heading: str
    columns: tuple[str, ...]
    right: frozenset[int]
    """Columns that stand to the right."""
    cells: tuple[tuple[str, ...], ...]
    marks: str
    """Name of the last column, which takes the rest of the line."""


class StoreView(Base):
    """y is the row, counted from the top over all sections; x does nothing."""

    name = "store"

    def __init__(self, data: Coverage) -> None:
        self.data = data
        self.title = clean(f"Store {data.path}")
        keys = {(run.task, run.seed, step) for run in data.runs for step in run.there}
        sizes = f"{readable(data.bytes)}", f"cache {readable(data.kept)}", f"{readable(data.free)} free on disk"
        self.subtitle = DOT.join((f"{count(len(keys))} checkpoints", *sizes))
        self.empty = not data.runs
        self.notes = self._notes()

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``."""
        if self.empty:
            text = "The store is empty: bertdyn extract puts checkpoints into it."
            return words.instead(text, width, height, palette, self.notes)
        rows: list[RunCoverage | MeasureCoverage] = [*self.data.runs, *self.data.measures]
        at = Cursor(-1, cursor.clamped(1, len(rows)).y)
        sections = self._sections(options.ascii)
        pages = _pages([len(s.cells) for s in sections], max(1, height - 1))
        which = next(i for i, page in enumerate(pages) if max(0, at.y) in {row for _, row in page})
        grid = Grid(width, height)
        self._page(grid, sections, pages[which], at.y, palette, options.ascii)
        if height > 1:
            shown = [row for _, row in pages[which] if row >= 0]
            where = f"rows {count(shown[0] + 1)}-{count(shown[-1] + 1)} of {count(len(rows))}"
            grid.put(height - 1, 2, crop(where, width - 2, options.ascii), palette.axis)
        targets = tuple(Target(0, line, row=row) for line, (_, row) in enumerate(pages[which]) if row >= 0)
        return Picture(tuple(grid.lines()), self._read(rows[at.y]) if at.y >= 0 else "", at, self.notes, targets)

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """One row a run and corpus, then one a measure and corpus."""
        return COLUMNS, self.data.rows()

    def _sections(self, plain: bool) -> tuple[_Section, ...]:
        data, marks = self.data, _PLAIN_MARKS if plain else _MARKS
        key = f"{marks[FULL]} with attentions  {marks[BARE]} without  {marks[MISSING]} missing"
        if any(REGISTERED in run.states for run in data.runs):
            key += f"  {marks[REGISTERED]} registered only"
        runs = tuple(
            (
                "pre-trained" if run.task == PRETRAINED else run.task,
                "" if run.task == PRETRAINED else run.seed,
                run.corpus or "no texts",
                f"{len(run.there)} of {len(run.steps)}",
                _steps(run),
                readable(run.bytes),
            )
            for run in data.runs
        )
        reference = "the pre-trained model" if data.against == "pretrained" else "each run's first checkpoint"
        computed = tuple(
            (one.measure.name, one.texts, count(one.known), count(one.possible), _share(one)) for one in data.measures
        )
        return (
            _Section(
                f"Extracted: {key}",
                ("task", "seed", "corpus", "checkpoints", "steps", "size"),
                frozenset((3, 5)),
                runs,
                "one mark per step",
            ),
            _Section(
                f"Computed, with each measure's own defaults, against {reference}",
                ("measure", "corpus", "computed", "possible", "share"),
                frozenset((2, 3, 4)),
                computed,
                "",
            ),
        )

    def _page(
        self,
        grid: Grid,
        sections: Sequence[_Section],
        page: Sequence[tuple[int, int]],
        cursor: int,
        palette: Palette,
        plain: bool,
    ) -> None:
        first = {i: sum(len(s.cells) for s in sections[:i]) for i in range(len(sections))}
        widths = [_widths(section, grid.width) for section in sections]
        for line, (which, row) in enumerate(page):
            section = sections[which]
            if row == _BLANK:
                continue
            if row == _HEADING:
                grid.put(line, 2, crop(section.heading, grid.width - 2, plain), palette.strong)
                continue
            cells = section.columns if row == _NAMES_LINE else section.cells[row - first[which]]
            style = palette.axis if row == _NAMES_LINE else palette.strong if row == cursor else palette.text
            at = 2
            for j, (text, wide) in enumerate(zip(cells, widths[which], strict=True)):
                grid.put(line, at, pad(crop(text, wide, plain), wide, j in section.right), style)
                at += wide + 2
            room = grid.width - at
            if row == _NAMES_LINE:
                grid.put(line, at, crop(section.marks, room, plain), palette.axis)
            elif which == 0:
                _coverage(grid, line, at, room, self.data.runs[row], palette, plain)
            else:
                _progress(grid, line, at, min(_BAR, room), self.data.measures[row - first[which]], palette, plain)
            if row == cursor:
                grid.put(line, 0, ">" if plain else "▸", palette.strong)

    def _read(self, row: RunCoverage | MeasureCoverage) -> str:
        if isinstance(row, MeasureCoverage):
            left = row.possible - row.known
            known = f"{count(row.known)} of {count(row.possible)}"
            on = f" on {row.texts}" if row.corpus else ""
            text = f"{row.measure.title}{on}: {known} layers of checkpoints"
            todo = f"; bertdyn compute {row.measure.name} computes the other {count(left)}" if left else ", all of them"
            return clean(text + todo)
        who = "the pre-trained model" if row.task == PRETRAINED else f"{row.task}, seed {row.seed}"
        text = f"{who} on {row.corpus}: {readable(row.bytes)}" if row.corpus else f"{who}: registered, with no arrays"
        if row.missing:
            text += f"; not extracted: {_named(row.missing)}"
        bare = [step for step, state in zip(row.steps, row.states, strict=True) if state == BARE]
        if bare:
            text += f"; without attentions: {_named(bare)}"
        return clean(text)

    def _notes(self) -> tuple[str, ...]:
        said, data = [], self.data
        gone = sum(len(run.missing) for run in data.runs)
        if gone:
            places = sum(len(run.steps) for run in data.runs)
            said.append(f"not extracted: {count(gone)} of {count(places)} checkpoints that other seeds or corpora have")
        if data.missing:
            possible = sum(one.possible for one in data.measures)
            said.append(f"not computed: {count(data.missing)} of {count(possible)} values")
        return tuple(said)


_BLANK, _HEADING, _NAMES_LINE = -3, -2, -1


def _pages(sizes: Sequence[int], height: int) -> list[list[tuple[int, int]]]:
    """Lines of each page as (section, row over all sections): every page begins with its section's heading and column
    names, as far as there is room for a row beside them."""
    pages: list[list[tuple[int, int]]] = [[]]
    row = 0
    for section, rows in enumerate(sizes):
        if not rows:
            continue
        top = [(section, _HEADING), (section, _NAMES_LINE)][: max(0, height - 1)]
        if len(pages[-1]) + 1 + len(top) + 1 > height and pages[-1]:
            pages.append([])
        pages[-1] += ([(section, _BLANK)] if pages[-1] else []) + top
        for _ in range(rows):
            if len(pages[-1]) >= height:
                pages.append(list(top))
            pages[-1].append((section, row))
            row += 1
    return pages


def _widths(section: _Section, width: int) -> list[int]:
    """Of the columns: the longest text, names cut where the marks would have no room."""
    columns = zip(section.columns, *section.cells, strict=True) if section.cells else [(n,) for n in section.columns]
    widths = [max(len(text) for text in column) for column in columns]
    room = width - 2 - _BAR - sum(wide + 2 for wide in widths[1:])
    return [min(widths[0], max(8, width // 5, room - 2)), *widths[1:]]


def _coverage(grid: Grid, line: int, at: int, room: int, run: RunCoverage, palette: Palette, plain: bool) -> None:
    """A mark a step; where steps share a cell and differ, a mark that says so."""
    cells = min(room, len(run.states))
    marks, mixed = (_PLAIN_MARKS, _PLAIN_MIXED) if plain else (_MARKS, _MIXED)
    for i in range(max(0, cells)):
        shared = set(run.states[i * len(run.states) // cells : (i + 1) * len(run.states) // cells])
        style = palette.line(0.6) if shared == {FULL} else palette.warning if shared != {BARE} else palette.text
        grid.put(line, at + i, marks[shared.pop()] if len(shared) == 1 else mixed, style)


def _progress(grid: Grid, line: int, at: int, room: int, one: MeasureCoverage, palette: Palette, plain: bool) -> None:
    if room < 4:
        return
    done = one.known * room // one.possible
    done = max(1, done) if one.known else 0
    full, rest = ("#", ".") if plain else ("█", "░")
    grid.put(line, at, full * done, palette.line(0.6) if not palette.letters else Style())
    grid.put(line, at + done, rest * (room - done), palette.faint)


def _steps(run: RunCoverage) -> str:
    there = run.there
    if not there:
        return ""
    return f"{there[0]:,}" if len(there) == 1 else f"{there[0]:,}-{there[-1]:,}"


def _share(one: MeasureCoverage) -> str:
    """Whole per cent, never '100 %' or '0 %' where something is missing or there."""
    share = 100 * one.known // one.possible
    return "< 1 %" if one.known and not share else f"{share} %"


def _named(steps: Sequence[int]) -> str:
    """'step 300', 'steps 300, 900', 'steps 0, 20, 40, 60, 80 and 12 more'."""
    shown = ", ".join(f"{step:,}" for step in steps[:_NAMES])
    more = f" and {len(steps) - _NAMES} more" if len(steps) > _NAMES else ""
    return f"step{'' if len(steps) == 1 else 's'} {shown}{more}"
