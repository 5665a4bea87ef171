"""Agreement: the chosen measure along x against each other one along y, a point per layer and step."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from rich.cells import cell_len

from explorer.answers.agreement import Agreement, Pairing, Place
from explorer.answers.coordinates import STEP
from explorer.answers.rows import Rows
from explorer.measures import Measure
from explorer.measures.declaration import LAYER
from explorer.render.axes import number
from explorer.render.cells import Grid
from explorer.render.chart import Series
from explorer.render.palette import Palette
from explorer.render.panels import tiled
from explorer.render.scatter import Scatter, drawn, on_top
from explorer.render.targets import Target, spread
from explorer.render.text import clean, crop
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Base, Cursor, DrawOptions, Part, Picture, Sheet
from explorer.views.ranking import MOST

COLUMNS = (
    *("corpus", "task", "seeds", "measure", "other", "annotation", STEP, LAYER.name, "value", "other_value"),
    *("spearman", "points"),
)
_MEANING = "one sign per layer and step: the layer; rank correlation (Spearman), +1: the same order"
_DOWNWARDS = "a similarity counts by how far it lies below 1"
_BESIDE = 7
"""Cells before the name of a vertical axis."""
_MARGIN = 0.04
"""Share of the range that is left free at each end of an axis."""


class _PairingPanel:
    """The scatter plot of one pairing."""

    def __init__(self, pairing: Pairing, scatter: Scatter) -> None:
        self.pairing, self.scatter = pairing, scatter
        self.places = tuple(pairing.points)
        self.numbers = {place: i for i, place in enumerate(self.places)}


class AgreementView(Base):
    """x is the step, y the layer: their point is marked in every panel."""

    name = "agreement"

    def __init__(self, found: Agreement) -> None:
        self.found = found
        self.data = self.stored = rows = found.rows
        self.empty = not found.pairings
        self._places = {name: sorted({at[i] for p in found.pairings for at in p.points}) for i, name in _AXES}
        seeds = rows.seeds(found.task) if found.task else ()
        self.title = words.title(rows, found.task, words.seeds(seeds) if seeds else "", "agreement")
        self.subtitle = words.subtitle(rows, rows.main)
        self._index = [{place: i for i, place in enumerate(places)} for places in self._places.values()]
        self.panels = [_PairingPanel(one, self._scatter(one)) for one in found.pairings]
        noise = max((one.noise for one in found.pairings), default=0)
        self.notes = words.notes(rows, rows.main) + (_MEANING,) * (not self.empty)
        measures = (rows.measure, *(one.measure for one in found.pairings))
        self.notes += (_DOWNWARDS,) * any(measure.compares and measure.same for measure in measures)
        self.notes += (f"up to {noise} points of rounding are left out",) * bool(noise)
        self.notes += words.on_noise(rows.measure, rows.main)

    def _scatter(self, one: Pairing) -> Scatter:
        x, y = (np.array(side) for side in zip(*one.points.values(), strict=True))
        layers = np.array([layer for _, layer in one.points], np.float64)
        deepest = max(1, *self._places[LAYER.name])
        names = words.y_name(self.found.rows.measure), words.y_name(one.measure)
        letters = {layer: Series("", x, y, number=layer).letter for layer in self._places[LAYER.name]}
        signs = tuple(letters[layer] for _, layer in one.points)
        return Scatter(x, y, layers / deepest, _range(x), _range(y), *names, signs=signs)

    def places(self, axis: str) -> Sequence[int]:
        """See ``View.places``."""
        return self._places.get(axis, ())

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``."""
        if self.empty:
            alone = "No other measure has values of these layers and steps; the list of measures computes one."
            has_values = any(r.value is not None for r in self.found.rows.main)
            why = alone if has_values else words.nothing(self.found.rows)
            return words.instead(why, width, height, palette, self.notes)
        steps, layers = (self._places[name] for _, name in _AXES)
        at = cursor.clamped(len(steps), len(layers))
        place = (steps[at.x], layers[at.y]) if min(at.x, at.y) >= 0 else None
        grid = Grid(width, height)
        boxes, points = tiled(len(self.panels), width, height), list[Target]()
        for panel, (x, y, wide, high) in zip(self.panels, boxes, strict=False):
            grid.put(y, x, _heading(panel.pairing, wide, options.ascii), palette.strong)
            marked = -1 if place is None else panel.numbers.get(place, -1)
            if high > 1:
                named = replace(panel.scatter, y_name=_fitting(panel.pairing.measure, wide - _BESIDE))
                grid.paste(drawn(named, wide, high - 1, palette, marked, options.ascii), y + 1, x)
                for point, across, down in on_top(panel.scatter, wide, high - 1):
                    to = self._cursor_at(panel.places[point])
                    points.append(Target(x + across, y + 1 + down, to.x, to.y))
        hidden = len(self.panels) - len(boxes)
        notes = (f"{hidden} of {len(self.panels)} measures do not fit on this screen",) * (hidden > 0)
        return Picture(tuple(grid.lines()), self.read(place), at, (*notes, *self.notes), spread(points, width, height))

    def _cursor_at(self, place: Place) -> Cursor:
        (steps, layers), (step, layer) = self._index, place
        return Cursor(steps[step], layers[layer])

    def ranked(self, options: DrawOptions = PLAIN) -> tuple[Cursor, ...]:
        """See ``View.ranked``: by how far the chosen measure is from a checkpoint against itself."""
        same, sizes = self.found.rows.measure.same, dict[Place, float]()
        for one in self.found.pairings:
            for place, (value, _) in one.points.items():
                sizes[place] = max(sizes.get(place, 0.0), abs(value - same))
        order = sorted(sizes, key=lambda place: (-sizes[place], place))
        return tuple(map(self._cursor_at, order[:MOST]))

    def read(self, place: Place | None) -> str:
        """Return the values at a step and layer in words; without one, the rank correlations."""
        if place is None:
            return clean("; ".join(_named(one) for one in self.found.pairings))
        there = [(one, one.points[place]) for one in self.found.pairings if place in one.points]
        if not there:
            return f"layer {place[1]}, step {place[0]:,}: rounding, or not computed"
        others = ", ".join(f"{one.name} {number(pair[1])}" for one, pair in there)
        ours = f"{self.found.rows.measure.name} {number(there[0][1][0])}"
        return clean(f"layer {place[1]}, step {place[0]:,}: {ours}; {others}")

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """See ``View.rows``: one row per point."""
        rows, task = self.found.rows, self.found.task
        known = (rows.question.corpus, task, ",".join(rows.seeds(task)) if task else "", rows.measure.name)
        return COLUMNS, [
            (*known, one.measure.name, one.annotation, step, layer, *pair, one.rho, len(one.points))
            for one in self.found.pairings
            for (step, layer), pair in one.points.items()
        ]

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet:
        """See ``View.sheet``."""
        return Sheet(tuple(Part(panel.scatter, clean(_named(panel.pairing))) for panel in self.panels))


def agreement(rows: Rows, found: Agreement | None = None) -> AgreementView:
    """Return the view of the measures that were found beside the chosen one."""
    return AgreementView(Agreement(rows, next(iter(rows.tasks), ""), ()) if found is None else found)


_AXES = ((0, STEP), (1, LAYER.name))
"""Numbers of the coordinates of a point, and their axes."""


def _named(one: Pairing) -> str:
    """'js +0.94, n = 30': Spearman's rank correlation and the number of points."""
    return f"{one.name} {_order(one)}, n = {len(one.points)}"


def _order(one: Pairing) -> str:
    return "no order" if one.rho is None else f"{one.rho:+.2f}"


def _heading(one: Pairing, width: int, ascii_only: bool) -> str:
    """Return the heading of a panel. The rank correlation is never cut: the number of points goes first, then the
    end of the measure's name."""
    whole, order = clean(_named(one)), _order(one)
    if cell_len(whole) <= width:
        return whole
    return crop(f"{crop(one.name, max(1, width - len(order) - 1), ascii_only)} {order}", width, ascii_only)


def _fitting(measure: Measure, width: int) -> str:
    """Return the name of the measure's axis, or a shorter name that fits."""
    return next((name for name in (words.y_name(measure), measure.title) if cell_len(name) <= width), measure.name)


def _range(values: np.ndarray) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    free = _MARGIN * (high - low) or 0.5
    return low - free, high + free
