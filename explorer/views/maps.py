"""Maps of a field: one axis along x, one along y, colours for values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from explorer.answers.cells import signed
from explorer.answers.coordinates import OTHER_SEED, SEED, STEP, TASK
from explorer.answers.details import known
from explorer.answers.look import ANYWHERE, Look
from explorer.answers.rows import Rows
from explorer.fields.field import Field
from explorer.measures.landscapes.connectivity import BARRIER, NONE, OPEN, TwoClusters, two_clusters
from explorer.render.axes import number
from explorer.render.heat import HeatChart, HeatMap
from explorer.render.palette import Palette
from explorer.render.text import clean
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
        lines = self.chart.draw(width, height, palette, at.x, at.y, options.digits, options.log, options.ascii)
        targets = self.chart.targets(width, height, palette, options.digits, options.log, options.ascii)
        reading = self.read(at, width)
        pointed = at.x >= 0 and at.y >= 0
        told = self.told(options, self.beside("", at.y, at.x) if pointed else ())
        mark = options.mark
        marked = self.chart.cell(width, height, palette, mark.x, mark.y, options.digits, options.log, options.ascii)
        return Picture(tuple(lines), reading, at, told, targets, marked)

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet:
        """See ``View.sheet``."""
        return Sheet((Part(self.chart, log=options.log, digits=options.digits),))


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
    """x and y are seeds, in their own order or by cluster, with nothing on the diagonal.

    A row is a seed, a column the one that it is compared with.
    """

    def __init__(self, name: str, data: Rows, layout: Layout, look: Look = ANYWHERE) -> None:
        super().__init__(name, data, layout, look)
        signs = barrier_signs(self.shown)
        clusters = two_clusters(self._distances())
        if clusters is not None and look.part == CLUSTERED:
            self.field = self.field.reordered(0, clusters.order).reordered(1, clusters.order)
            self.chart = map_of(data, self.field)
        self.notes += (barriers(signs),) if signs else ()
        told = signs[BARRIER] > 0 if signs else look.part == CLUSTERED
        self.notes += (self._clustered(clusters),) if told and clusters is not None else ()

    def _distances(self) -> np.ndarray:
        """The distances by which seeds are clustered, [seeds, seeds]."""
        measure = self.data.measure
        if not measure.clusters:
            apart = np.abs(self.field.values - measure.same)
        else:
            apart = self._field((self.task,), self.data.of(self.task, measure.clusters)).values
        return np.asarray((apart + apart.T) / 2)

    def _clustered(self, found: TwoClusters) -> str:
        """'two clusters by convexity gap: 1, 3 | 2; mean 0.012 within, 0.31 between them'."""
        by = self.data.measure.clusters.replace("-", " ") or self.data.measure.title
        named = " | ".join(", ".join(self.seeds[i] for i in part) for part in found.members)
        means = f"mean {number(found.within)} within, {number(found.between)} between them"
        return clean(f"two clusters by {by}: {named}; {means}")

    def spot(self, row: int, column: int) -> str:
        """See FieldView."""
        one, other = self.y.places[row], self.x.places[column]
        two = f"seeds {one} and {other}" if self.data.measure.symmetric else f"seed {one} against seed {other}"
        who = f"seed {one} beside itself" if one == other else two
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
        """See ``View.rows``: one row per comparison of two seeds."""
        columns, found = super().rows()
        if not self.data.measure.symmetric:
            return columns, found
        one, other = columns.index(SEED), columns.index(OTHER_SEED)
        return columns, [row for row in found if self.seeds.index(str(row[one])) > self.seeds.index(str(row[other]))]


def barrier_signs(rows: Iterable[Result]) -> Counter[str]:
    """Return how many pairs of seeds have a barrier, none, or an open sign, as the details of the rows say (``sign``).

    Empty if the rows do not say it.
    """
    pairs = {frozenset((r.seed, r.ref_seed)): str(sign) for r in rows if (sign := known(r).get("sign")) is not None}
    return Counter(pairs.values())


def barriers(signs: Mapping[str, int]) -> str:
    """'3 pairs of seeds: 2 with a clear barrier, 1 without, 0 open'."""
    many, clear, none, unknown = sum(signs.values()), *(signs.get(sign, 0) for sign in (BARRIER, NONE, OPEN))
    if not clear:
        basin = "one basin" if none == many else f"{unknown} of {many} pairs are open"
        return f"no clear barrier between any two seeds: {basin}"
    return f"{many} pair{'s' * (many > 1)} of seeds: {clear} with a clear barrier, {none} without, {unknown} open"


def heat(data: Rows) -> Map:
    """Return layer by step."""
    return Map("heat", data, HEAT)


def grid(data: Rows, heads: Sequence[Result] = (), look: Look = ANYWHERE) -> Map:
    """Return the measure's first axis by its second (layer by head) at the step that is looked at."""
    return Map("heads", data, GRID, look, heads)


def seed_pairs(data: Rows, look: Look = ANYWHERE) -> Map:
    """Return seed by seed in the layer and at the step that are looked at."""
    return SeedPairs("seed-pairs", data, PAIRS, look)
