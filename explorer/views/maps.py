"""Maps of a field: one axis along x, one along y, colours for values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from explorer.answers.cells import signed
from explorer.answers.coordinates import OTHER_SEED, SEED, STEP, TASK
from explorer.answers.details import known
from explorer.answers.look import ANYWHERE, Look
from explorer.answers.rows import Rows
from explorer.fields.field import Field
from explorer.render.cells import clean
from explorer.render.heat import HeatChart, HeatMap
from explorer.render.palette import Palette
from explorer.selection import seed_order
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Cursor, DrawOptions, Part, Picture, Sheet
from explorer.views.field_view import INNER, OUTER, FieldView, Layout
from store.results import Result

HEAT = Layout(STEP, OUTER)
_PLACE = ("measure", "corpus", TASK, STEP, OUTER)
GRID = Layout(INNER, OUTER, (*_PLACE, INNER, SEED, "value", "sd", "seeds", "unit"), (OUTER, INNER))
CLUSTERED = "cluster"
PAIRS = Layout(OTHER_SEED, SEED, (*_PLACE, SEED, OTHER_SEED, "value", "unit"), (SEED, OTHER_SEED))


class Map(FieldView):
    """x and y are axes of the field, y counted upwards."""

    def __init__(
        self, name: str, data: Rows, layout: Layout, look: Look = ANYWHERE, heads: Sequence[Result] | None = None
    ) -> None:
        super().__init__(name, data, layout, look, heads)
        self.chart = map_of(data, self.field)

    def shape(self) -> tuple[str, ...]:
        """See FieldView: nothing where the measure's own places lie against steps."""
        return () if self.layout.x == STEP or self.lacks_axis else (f"{self.y.words} by {self.x.words}",)

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``."""
        if self.empty:
            return words.instead(self.nothing(), width, height, palette, self.notes)
        at = cursor.clamped(len(self.x.places), len(self.y.places))
        lines = self.chart.draw(width, height, palette, at.x, at.y, options.digits, options.log_y, options.ascii)
        targets = self.chart.targets(width, height, palette, options.digits, options.log_y, options.ascii)
        reading = self.read(at, width)
        pointed = at.x >= 0 and at.y >= 0
        return Picture(
            tuple(lines), reading, at, self.told(options, self.beside("", at.y, at.x) if pointed else ()), targets
        )

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet:
        """See ``View.sheet``."""
        return Sheet((Part(self.chart, log=options.log_y, digits=options.digits),))


def map_of(data: Rows, field: Field) -> HeatChart:
    """Return the map of a field's second axis by its first on the measure's own scale; contours over two numbers."""
    measure, (rows, columns) = data.measure, field.axes
    own = [axis.name for axis in measure.own_axes if axis.name in (rows.name, columns.name)]
    surface = len(own) > 1 and rows.numeric and columns.numeric
    return HeatChart(
        HeatMap(
            values=field.values,
            row_names=tuple(rows.tick(i) for i in range(len(rows.places))),
            column_names=tuple(columns.tick(i) for i in range(len(columns.places))),
            row_title=rows.words,
            column_title=columns.words,
            name=words.y_name(measure),
            refused=field.refused,
            anchor=measure.same,
            signed=signed(measure),
            floor=0.0 if measure.same else measure.floor,
            contours=surface,
        )
    )


class SeedPairs(Map):
    """x and y are seeds, in their own order or by cluster; symmetrical, nothing on the diagonal."""

    def __init__(self, name: str, data: Rows, layout: Layout, look: Look = ANYWHERE) -> None:
        super().__init__(name, data, layout, look)
        if look.part == CLUSTERED and not self.empty:
            self.field = clustered(self.field)
            self.chart = map_of(data, self.field)
        basins = components([str(seed) for seed in self.y.places], self.shown)
        if basins:
            self.notes += (clean(f"without a clear barrier between them: {basins}"),)

    def spot(self, row: int, column: int) -> str:
        """See FieldView."""
        one, other = self.y.places[row], self.x.places[column]
        who = f"seed {one} beside itself" if one == other else f"seeds {one} and {other}"
        return ", ".join([who, *self._fixed_words.values()])

    def nothing(self) -> str:
        """See FieldView."""
        if len(self.seeds) < 2:
            return f"{self.task} has one seed at step {self.fixed[STEP]:,}: there is no other to compare it with."
        if self.data.main:
            return super().nothing()
        return (
            f"Seeds of {self.task} are not compared yet at step {self.fixed[STEP]:,}. The explorer computes what it "
            f"shows; bertdyn compute {self.data.measure.name} STORE --against seeds computes every step."
        )

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """See ``View.rows``: one row per pair of seeds."""
        columns, found = super().rows()
        one, other = columns.index(SEED), columns.index(OTHER_SEED)
        return columns, [row for row in found if self.seeds.index(str(row[one])) > self.seeds.index(str(row[other]))]


def clustered(field: Field) -> Field:
    """Return a square field with both axes in the order of average linkage: similar places stand side by side."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import squareform

    values = field.values
    if len(values) < 3 or not np.isfinite(values[~np.eye(len(values), dtype=bool)]).all():
        return field
    away = np.where(np.eye(len(values), dtype=bool), 0.0, values)
    order = leaves_list(linkage(squareform((away + away.T) / 2, checks=False), "average", optimal_ordering=True))
    places = tuple(field.axes[0].places[i] for i in order)
    for axis in (0, 1):
        field = field.reordered(axis, [field.axes[axis].places.index(place) for place in places])
    return field


def components(seeds: Sequence[str], rows: Iterable[Result]) -> str:
    """Return the groups of seeds that a path of pairs without a clear barrier connects: '1, 3 | 2'.

    Empty if the rows do not say whether there is a barrier (``sign`` in their details).
    """
    found = {seed: {seed} for seed in seeds}
    said = False
    for r in rows:
        sign = known(r).get("sign")
        said |= sign is not None
        if sign in ("none", "open") and r.seed in found and r.ref_seed in found:
            joined = found[r.seed] | found[r.ref_seed]
            found |= dict.fromkeys(joined, joined)
    groups = {tuple(sorted(group, key=seed_order)) for group in found.values()}
    return " | ".join(", ".join(group) for group in sorted(groups, key=lambda g: seed_order(g[0]))) if said else ""


def heat(data: Rows) -> Map:
    """Return layer by step."""
    return Map("heat", data, HEAT)


def grid(data: Rows, heads: Sequence[Result] = (), look: Look = ANYWHERE) -> Map:
    """Return the measure's first axis by its second (layer by head) at the step that is looked at."""
    return Map("heads", data, GRID, look, heads)


def seed_pairs(data: Rows, look: Look = ANYWHERE) -> Map:
    """Return seed by seed in the layer and at the step that are looked at."""
    return SeedPairs("seed-pairs", data, PAIRS, look)
