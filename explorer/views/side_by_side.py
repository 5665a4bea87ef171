"""Small charts side by side on one scale, one per seed or task, then their mean: is it fine-tuning, or this seed?

The axes, the line in focus and the cursor are the same in all of them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from rich.cells import cell_len

from explorer.answers.coordinates import SEED, STEP, TASK, coordinate
from explorer.answers.fetching import fetch_each
from explorer.answers.look import ANYWHERE, Look
from explorer.answers.rows import Rows
from explorer.answers.uncertainty_notes import UncertaintyNotes, joined, spread
from explorer.fields.field import Field, stacked
from explorer.fields.placing import field_along, fixed_places
from explorer.render.axes import number
from explorer.render.cells import Grid
from explorer.render.lines import LineChart
from explorer.render.palette import Palette
from explorer.render.panels import arranged
from explorer.render.targets import Target
from explorer.render.text import clean, crop
from explorer.selection import Question
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Base, Cursor, DrawOptions, Part, Picture, Sheet
from explorer.views.field_view import OUTER, Layout, between, field_rows, other_tasks, said_places
from explorer.views.lines import chart_of, series_of
from store.store import Store

_NAMED = 6
"""Seeds or tasks that a reading names."""


@dataclass(frozen=True, eq=False)
class Panel:
    """One of the small charts."""

    name: str
    chart: LineChart
    pointed: str = ""
    """Added to the name while a line is pointed at: the sign of what stands beside it."""


@dataclass(frozen=True, eq=False)
class Member:
    """One seed or task: its values, and what is said of the rows behind them, which need not be kept."""

    name: str
    task: str
    seeds: tuple[str, ...]
    field: Field
    """Values by the measure's own axis and step, as means over the seeds."""
    flaws: tuple[str, ...]
    """Notes on values that are missing or unreliable."""
    low: tuple[str, ...]
    """Notes on noise."""
    uncertainty: UncertaintyNotes


def member_of(data: Rows, task: str, seeds: Sequence[str] = ()) -> Member:
    """Return one task's mean over its seeds, or over some of them."""
    seeds = tuple(seeds) or data.seeds(task)
    layout = Layout(STEP, OUTER).of(data.measure)
    kept = [(coordinate(name), place) for name, place in fixed_places(data, task, (layout.y, STEP)).items()]
    mine = (r for r in data.main if r.recipe == task and r.seed in seeds)
    shown = tuple(r for r in mine if all(read(r) == place for read, place in kept))
    whole = field_along(data, task, SEED, layout.y, STEP, rows=[r for r in data.of(task) if r.seed in seeds])
    field = whole.at(SEED, seeds[0]) if len(seeds) == 1 else whole.over(SEED)
    low, uncertainty = words.on_noise(data.measure, shown), UncertaintyNotes.of(data.measure, shown)
    return Member(task, task, seeds, field, words.flaws(shown), low, uncertainty)


class SideBySide(Base):
    """x is the step, y (the line) the layer, the same in every panel."""

    name = "seeds"

    def __init__(self, data: Rows, by: str, members: Sequence[Member]) -> None:
        """``by``: ``seed`` or ``task``; ``members``: one or more, of that axis."""
        self.data, self.stored, self.by, self.members = data, data, by, members
        self.field = stacked(by, {one.name: one.field for one in members})
        self.mean = self.field.over(by, complete=by == TASK) if len(members) > 1 else None
        if by == TASK and self.mean is not None and self.mean.empty:
            self.mean = None  # over other tasks at every step it would draw their difference as a change
        self.empty = self.field.empty
        self.yardstick = self.mean if self.mean is not None else members[0].field
        """The field whose distances between seeds have a panel of their own."""
        self.apart = by == SEED and bool(np.isfinite(self.yardstick.yardstick).any())
        many = len(members)
        of = f"{by} {members[0].name}" if by == SEED and many == 1 else f"{many} {by}s side by side"
        of = "one task" if by == TASK and many == 1 else of + (", means over seeds" if by == TASK else "")
        task = (members[0].task,) if by == SEED else ()
        axes = [axis.name for axis in members[0].field.axes]
        kept = said_places(data, members[0].task, fixed_places(data, members[0].task, axes)).values()
        self.title = words.title(data, *task, of, *kept) if data.tasks else words.title(data)
        self.subtitle = words.subtitle(data, data.main)
        alone = ("one task is chosen: the panel, or --task, adds others",) if by == TASK and many == 1 else ()
        self.notes = alone + words.missing(data) + self._of_each([one.flaws for one in members])
        self.notes += other_tasks(data, members[0].task) if by == SEED else ()
        self.uncertainty = joined([one.uncertainty for one in members])
        self.low = self._of_each([one.low for one in members])
        self.panels = self._panels()
        self.spare = many if self.mean is not None else 0
        """Number of first panels that are parts of the others: they go first where room is short."""

    @property
    def refused_scales(self) -> Mapping[str, str]:
        """See ``View.refused_scales``."""
        return {**super().refused_scales, **words.no_log(self.data.measure)}

    def places(self, axis: str) -> Sequence[int]:
        """See ``View.places``."""
        return self.field.places(axis)  # type: ignore[return-value]

    def _panels(self) -> list[Panel]:
        fields = [self.field.at(self.by, one.name) for one in self.members]
        shown = fields + ([] if self.mean is None else [self.mean])
        low, high = self.data.measure.low, self.data.measure.high
        bands = [e for f in shown for e in (f.low, f.high, f.values - f.spread, f.values + f.spread)]
        edges = [*(f.values for f in shown), *(np.clip(e, low, high) for e in bands)]
        scale = np.concatenate([np.ravel(e) for e in (*edges, self.yardstick.yardstick)])
        xs = np.array(self.field.axes[2].places, np.float64)

        def chart(field: Field, companions: bool) -> LineChart:
            alone = not np.isfinite(field.spread).any()
            whole = chart_of(self.data, series_of(field, (low, high), companions), field.axes[1], alone)
            return LineChart(replace(whole, y_name="", scale_of=scale, xs_of=xs, values=False, fades=False))

        # Of seeds the mean alone has companions: they are the same beside each seed.
        several = self.mean is not None and self.by == SEED
        panels = []
        for one, field in zip(self.members, fields, strict=True):
            beside = ", ╌ seeds" if not several and np.isfinite(field.yardstick).any() else ""
            panels.append(Panel(clean(self._named(one)), chart(field, not several), beside))
        if self.mean is not None:
            over = "" if self.by == SEED else f" over {len(self.members)} tasks"
            panels.append(Panel(f"mean ± sd{over}", chart(self.mean, True), ", ╌ seeds" if self.apart else ""))
        if self.apart:
            none = np.full_like(self.yardstick.values, np.nan)
            between_seeds = replace(
                self.yardstick, values=self.yardstick.yardstick, low=none, high=none, spread=none, null=none
            )
            panels.append(Panel("between seeds", chart(between_seeds, False)))
        return panels

    def _named(self, one: Member) -> str:
        if self.by == SEED:
            return f"seed {one.name}"
        return f"{one.task}, seed {one.seeds[0]}" if len(one.seeds) == 1 else f"{one.task} ± sd"

    def marks(self, pointed: bool) -> tuple[str, ...]:
        """Return the notes on what stands beside the values while a line is pointed at, or none is."""
        seeds = any(len(one.seeds) > 1 and np.isfinite(one.field.spread).any() for one in self.members)
        means = self.mean is not None and bool(np.isfinite(self.mean.spread).any())
        over = " and, of the mean, over ".join(["seeds"] * seeds + [f"{self.by}s"] * means)
        said = spread(("bands, ±" if pointed else "bands") if over else "", over)
        if not pointed:
            return said
        single = any(len(one.seeds) == 1 for one in self.members)
        said += tuple(map(clean, self.uncertainty.notes("bands of single seeds" if single else "", chance=True)))
        yardstick = any(np.isfinite(one.field.yardstick).any() for one in self.members)
        return said + (words.apart(self.data.measure),) * yardstick

    def read(self, at: Cursor, room: int) -> str:
        """Return what a clamped cursor points at, in about so many cells."""
        if at.x < 0:
            return ""
        lines, steps = self.field.axes[1:]
        if at.y < 0:
            names = [
                f"{self._member(i)}, {lines.said(j)}"
                for i in range(len(self.members))
                for j in range(len(lines.places))
            ]
            return clean(f"{steps.said(at.x)}: {between(np.ravel(self.field.values[:, :, at.x]), names)}")
        each = [f"{self._member(i)} {self._said(self.field, i, at.y, at.x)}" for i in range(len(self.members))]
        text = f"{lines.said(at.y)}, {steps.said(at.x)}: {', '.join(each[:_NAMED])}"
        text += f" and {len(each) - _NAMED} more" if len(each) > _NAMED else ""
        found = (self.mean if self.mean is not None else self.members[0].field).point(at.y, at.x)
        if self.mean is not None and found.value is not None and found.count > 1:
            text += f"; mean {self._said(self.mean, at.y, at.x)}"
        beside = words.yardstick(self.data, found.yardstick) + words.chance(found.null)
        return clean(words.together(text, beside, words.against(self.data), room))

    def _member(self, i: int) -> str:
        return self.field.axes[0].said(i)

    @staticmethod
    def _said(field: Field, *index: int) -> str:
        point = field.point(*index)
        return "none" if point.value is None else number(point.value) + words.spread_words(point.spread)

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """See ``View.rows``: every member's values, of seeds also their mean."""
        question, layout = self.data.question, Layout(STEP, OUTER).of(self.data.measure)
        shown = list(self.members)
        if self.mean is not None and self.by == SEED:
            seeds = tuple(one.name for one in self.members)
            shown.append(replace(self.members[0], seeds=seeds, field=self.mean))
        found = [
            row
            for one in shown
            for row in field_rows(question, layout, one.field.along(*layout.by), one.task, one.seeds)
        ]
        return layout.columns, found

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet:
        """See ``View.sheet``."""
        names = [panel.name + panel.pointed * focused for panel in self.panels]
        parts = (Part(p.chart, name, options.log) for p, name in zip(self.panels, names, strict=True))
        return Sheet(tuple(parts), shared=True)

    def _of_each(self, notes: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
        """Notes of all members: said once where they are the same, else of each by its name."""
        if len(set(notes)) == 1:
            return notes[0]
        named = [self._member(i) for i in range(len(self.members))]
        return tuple(clean(f"{name}: {note}") for name, each in zip(named, notes, strict=True) for note in each)

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``."""
        if self.empty:
            return words.instead(words.nothing(self.data), width, height, palette, self.notes)
        at = cursor.clamped(len(self.field.axes[2].places), len(self.field.axes[1].places))
        grid = Grid(width, height)
        boxes = arranged(len(self.panels), width, height)
        order = sorted(range(len(self.panels)), key=lambda i: i < self.spare)
        panels = [self.panels[i] for i in sorted(order[: len(boxes)])]
        targets: list[Target] = []
        for one, (x, y, size, high) in zip(panels, boxes, strict=True):
            chart = one.chart
            name = one.name + (one.pointed if at.y >= 0 and cell_len(one.name + one.pointed) < size else "")
            name = name.replace("±", "+-").replace("╌", "=") if options.ascii else name
            grid.put(y, x, crop(name, size, options.ascii), palette.strong)
            if high > 1:
                panel = chart.grid(size, high - 1, palette, at.x, at.y, options.log, options.ascii)
                grid.paste(panel, y + 1, x)
                found = chart.targets(size, high - 1, palette, at.y, options.log, options.ascii)
                # The panels share their axes: lines are named in the one with room, steps are marked in the first.
                new = {t.row for t in found if t.row >= 0} - {t.row for t in targets}
                first = one is panels[0]
                targets += [t.moved(x, y + 1) for t in found if t.row in new or (t.row < 0 and first)]
        hidden = len(self.panels) - len(panels)
        notes = (f"{hidden} of {len(self.panels)} panels do not fit on this screen",) if hidden else ()
        notes = (*notes, *self.notes, *self.marks(at.y >= 0), *words.on_scale(self.refused_scales, options), *self.low)
        return Picture(tuple(grid.lines()), self.read(at, width), at, notes, tuple(targets))


def of_seeds(data: Rows) -> SideBySide:
    """Return the seeds of the first task side by side, and their mean."""
    task = data.tasks[0] if data.tasks else ""
    whole = member_of(data, task)
    each = [
        replace(whole, name=seed, seeds=(seed,), field=member_of(data, task, (seed,)).field) for seed in whole.seeds
    ]
    return SideBySide(data, SEED, each or [whole])


def every_task(store: Store, question: Question, look: Look, *others: object) -> tuple[Member, ...]:
    """Each task's mean over its seeds."""
    return tuple(member_of(rows, rows.tasks[0]) for rows in fetch_each(store, question) if rows.tasks)


def seeds(data: Rows, tasks: Sequence[Member] | None = None, look: Look = ANYWHERE) -> SideBySide:
    """Return seeds side by side, or tasks."""
    return of_seeds(data) if tasks is None else SideBySide(data, TASK, tasks)
