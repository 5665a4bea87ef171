"""Loss surfaces: a map of a plane with lines of equal loss and the paths of runs; several corpora or tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from rich.segment import Segment

from explorer.answers.coordinates import SEED
from explorer.answers.details import known
from explorer.answers.look import ANYWHERE, Look
from explorer.answers.rows import Rows
from explorer.answers.surfaces import PlaneData, PlanePath, agreement, low_share, shares
from explorer.fields.field import Field, FieldAxis, field_of
from explorer.fields.lattice import lattice
from explorer.fields.placing import field_along
from explorer.measures.declaration import Coordinate
from explorer.render.axes import number
from explorer.render.contours import MapPath
from explorer.render.heat import HeatChart
from explorer.render.palette import Palette
from explorer.render.relief import PlaneGrid, Relief
from explorer.render.text import clean
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Cursor, DrawOptions, Part, Picture, Sheet
from explorer.views.field_view import field_rows, other_tasks
from explorer.views.maps import GRID, Map, map_of
from store.results import Result

NEAR = 0.1
"""Difference from the lowest loss, in nats, up to which a point counts as low."""
_NARROW = 36
"""Smallest width of a map beside another one."""
_GAP = 2
"""Width of the space between two maps."""


class Surface(Map):
    """x is alpha, y is beta. Between computed points, values are interpolated."""

    def __init__(
        self,
        data: Rows,
        corpora: Rows | None,
        plane: PlaneData,
        tasks: Sequence[tuple[Rows, PlaneData]] | None = None,
        look: Look = ANYWHERE,
    ) -> None:
        """
        Args:
            data: points on the first corpus.
            corpora: points on every corpus, if several are shown.
            plane: what stands on the surface.
            tasks: points of every task and what stands on its surface, if several are shown.
        """
        super().__init__("surface", data, GRID, look)
        self.plane = plane
        self.maps: dict[str, _Drawn] = {}
        if tasks is not None:
            for one in (Surface(rows, None, of, look=look) for rows, of in tasks):
                self.maps |= (
                    {one.task: one.drawn(one.data, f" of {one.task}", f"{one.task}: ")} if not one.empty else {}
                )
                self.notes += tuple(clean(f"{one.task}: {note}") for note in one._of_plane())
            only = other_tasks(data, self.task)
            self.notes = tuple(note for note in self.notes if note not in only)
            self.title = words.title(data, f"{len(self.maps)} tasks side by side")
        else:
            own = {data.question.corpus: data}
            each = {name: _on(corpora, name) for name in data.question.corpora} if corpora is not None else own
            for name, rows in each.items():
                if rows.of(self.task):
                    self.maps[name] = self.drawn(rows, f" on {name}" if len(each) > 1 else "")
            self.notes += self._of_plane() + self._agreement()
        if self.maps:
            first = next(iter(self.maps.values()))
            self.chart, self.computed, self.field = first.chart, first.computed, first.field
        self.notes += tuple(clean(one.low_region()) for one in self.maps.values())

    def drawn(self, rows: Rows, beside: str, first: str = "") -> _Drawn:
        """Return the map of some points of the view's task.

        Args:
            beside: words that tell it from the maps beside it; empty if it stands alone.
            first: the same at the start of its name, if the name leaves no room at its end.
        """
        points = [r for r in rows.of(self.task) if r.seed in self.seeds]
        return _Drawn(rows, self._points(rows), self.plane, points, beside, first, self)

    def _points(self, rows: Rows) -> Field:
        """Return points along both axes."""
        axes = (self.layout.y, self.layout.x)
        field = field_along(rows, self.task, SEED, *axes, rows=None, **self.fixed)
        return field.at(SEED, field.places(SEED)[0]).along(*axes)

    def _of_plane(self) -> tuple[str, ...]:
        plane = self.plane
        if plane.command:
            return (clean(f"no path yet: {plane.command}"),)
        said = [f"{name.replace('-', ' ')} {number(value)}" for name, value in plane.facts.items()]
        if plane.paths:
            low, high = shares(plane.paths)
            said.append(f"the plane holds {100 * low:.0f} to {100 * high:.0f} % of the checkpoints' displacements")
            named = " and ".join(path.name for path in plane.paths)
            said.append(f"o start, x end of {named}")
        return tuple(map(clean, said))

    def _agreement(self) -> tuple[str, ...]:
        """Return notes on the rank correlations of the first surface with those of further corpora."""
        said = []
        names = list(self.maps)
        for name in names[1:]:
            first, other = self.maps[names[0]].rows.main, self.maps[name].rows.main
            errors = tuple(r for r in self.plane.errors if r.corpus == name)
            both = ((f"losses on {names[0]} and {name}", other), (f"loss on {names[0]} and error on {name}", errors))
            for what, rows in both:
                found = agreement(first, rows)
                if found is not None:
                    said.append(f"{what}: Spearman {found[0]:.3f} over {found[1]} points")
        return tuple(map(clean, said))

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``; several maps stand side by side where they have room."""
        shown = list(self.maps.values())[: max(1, width // _NARROW)]
        if self.empty or len(shown) < 2:
            return super().draw(width, height, palette, cursor, options)
        at = cursor.clamped(len(self.x.places), len(self.y.places))
        each, rest = divmod(width - _GAP * (len(shown) - 1), len(shown))
        parts = [
            one.chart.draw(
                each + (rest if i == 0 else 0), height, palette, *one.index(self.x, at.x, self.y, at.y),
                options.digits, options.log, options.ascii,
            )
            for i, one in enumerate(shown)
        ]  # fmt: skip
        rows = zip(*parts, strict=True)
        lines = [[s for i, line in enumerate(row) for s in (*[Segment(" " * _GAP)] * (i > 0), *line)] for row in rows]
        targets = self.chart.targets(each + rest, height, palette, options.digits, options.log, options.ascii)
        return Picture(tuple(lines), self.read(at, width), at, self.told(options), targets)

    def read(self, at: Cursor, room: int) -> str:
        """See FieldView: the value on each map, and whether it was computed or is interpolated."""
        if at.x < 0 or at.y < 0:
            return super().read(at, room)
        place = self.y.places[at.y], self.x.places[at.x]
        said = "; ".join(f"{one.at(*place)}{one.beside}" for one in self.maps.values())
        return clean(f"{self.spot(at.y, at.x)}: {said}")

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet:
        """See ``View.sheet``."""
        parts: list[Part] = []
        for one in self.maps.values():
            x, y = (tuple(float(place) for place in axis.places) for axis in reversed(one.field.axes))
            parts.append(Part(one.chart, log=options.log, digits=options.digits, shares=(1.2,)))
            parts.append(Part(Relief(one.chart.heat, x, y)))
        return Sheet(tuple(parts), across=2)

    def grid(self) -> PlaneGrid | None:
        """See ``View.grid``; maps of other points than the first one's are left out."""
        if self.empty:
            return None
        first = self.field.axes
        same = {name: one for name, one in self.maps.items() if one.field.axes == first}
        errors = {name: lattice(field_of(one.computed.axes, one.errors)) for name, one in same.items()}
        return PlaneGrid(
            self.title,
            np.array(first[1].places, float),
            np.array(first[0].places, float),
            {name: one.field.values for name, one in same.items()},
            {name: field.values for name, field in errors.items()},
            {name: one.field.there for name, one in same.items()},
        )

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """See ``View.rows``: the computed points of every map."""
        names, by = [axis.name for axis in self.field.axes], self.layout.by
        order = (*(n for n in by if n in names), *(n for n in names if n not in by))
        found: list[tuple[object, ...]] = []
        for one in self.maps.values():
            of, field = one.view, one.computed.along(*order)
            found += field_rows(one.rows.question, self.layout, field, of.task, of.seeds, of.fixed)
        return self.layout.columns, found


class _Drawn:
    """The map of one task on one corpus."""

    def __init__(
        self,
        rows: Rows,
        computed: Field,
        plane: PlaneData,
        points: Sequence[Result],
        beside: str,
        first: str,
        view: Surface,
    ) -> None:
        self.rows, self.computed, self.beside, self.view = rows, computed, beside, view
        self.field = lattice(computed)
        heat = map_of(rows, self.field).heat
        paths = tuple(_on_map(path, self.field, len(plane.paths) > 1) for path in plane.paths)
        self.chart = HeatChart(
            replace(heat, paths=paths, name=clean(first + heat.name if first else heat.name + beside))
        )
        self.errors = tuple(r for r in plane.errors if r.corpus == rows.question.corpus)
        self._points = {r.axes: r for r in points}
        self._error_at = {r.axes: r for r in self.errors}

    def index(self, x: FieldAxis, column: int, y: FieldAxis, row: int) -> tuple[int, int]:
        """Return the column and row of a place on the axes of another map; -1 where this one does not have it."""
        there = ((x, column, self.field.axes[1]), (y, row, self.field.axes[0]))
        column, row = (
            own.places.index(of.places[at]) if at >= 0 and of.places[at] in own.places else -1 for of, at, own in there
        )
        return column, row

    def low_region(self) -> str:
        """'within 0.1 nats of the lowest loss of sst2: 34 % of the plane'."""
        share = low_share(self.field.values, NEAR)
        unit = self.rows.measure.unit
        return f"within {NEAR} {unit} of the lowest value{self.beside}: {100 * share:.0f} % of the plane"

    def at(self, beta: Coordinate, alpha: Coordinate) -> str:
        """Return the value at a point in words, with its standard error, the error and the distance from (0, 0)."""
        places = tuple(axis.places for axis in self.field.axes)
        if beta not in places[0] or alpha not in places[1]:
            return "outside the grid"
        row, column = places[0].index(beta), places[1].index(alpha)
        point = self.field.point(row, column)
        if not point.there:
            return "not computed" if point.value is None else f"about {number(point.value)}, interpolated"
        return words.point(self.rows, "", replace(point, averaged=1), instead=self._beside(beta, alpha))[2:]

    def _beside(self, beta: Coordinate, alpha: Coordinate) -> str:
        """'se 0.052, error 0.187, distance 1.12 from (0, 0)'."""
        here = tuple((axis.name, place) for axis, place in zip(self.field.axes, (beta, alpha), strict=True))
        found, error = (rows.get(here) for rows in (self._points, self._error_at))
        details = {} if found is None else known(found)
        y, x, cosine = float(beta), float(alpha), float(str(details.get("cosine", 0.0)))
        said = [f"se {number(float(str(details['se'])))}"] if "se" in details else []
        said += [f"error {number(error.value)}"] if error is not None and error.value is not None else []
        away = max(0.0, x * x + y * y + 2 * x * y * cosine) ** 0.5
        return ", ".join([*said, f"distance {number(away)} from (0, 0)"])


def _on(rows: Rows, corpus: str) -> Rows:
    """Return the rows on one corpus."""
    question = next(one for one in rows.question.every if one.corpus == corpus)
    return replace(rows, question=question, results=tuple(r for r in rows.results if r.corpus == corpus), gaps=())


def _on_map(path: PlanePath, field: Field, several: bool) -> MapPath:
    """Return a path in units of a field's rows and columns."""

    def units(axis: FieldAxis, at: np.ndarray) -> np.ndarray:
        first, last = float(axis.places[0]), float(axis.places[-1])
        return (at - first) / (last - first) * (len(axis.places) - 1)

    names = [f"{step:,}" for step in path.steps]
    if several and names:
        names[-1] = path.name
    return MapPath(units(field.axes[0], path.beta), units(field.axes[1], path.alpha), tuple(names))


def surface(
    data: Rows,
    corpora: Rows | None,
    plane: PlaneData,
    tasks: Sequence[tuple[Rows, PlaneData]] | None,
    look: Look = ANYWHERE,
) -> Surface:
    """Return the surface of the first task and seed that are chosen, or of each task, at the step that is looked at."""
    return Surface(data, corpora, plane, tasks, look)
