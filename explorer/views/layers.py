"""Layers: each layer of one checkpoint against each layer of what it is compared with, as a map."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from explorer.measures.registry import all_measures
from explorer.render.axes import number
from explorer.render.cells import clean
from explorer.render.heat import names_of
from explorer.render.palette import Palette
from explorer.selection import Pair, seed_order
from explorer.selection.stored import cell_of
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Cursor, DrawOptions, Picture
from explorer.views.heat import heat_chart
from explorer.views.rows import Rows, layers_of
from explorer.views.trust import Trust

COLUMNS = (
    *("measure", "corpus", "task", "seed", "step", "layer", "against", "ref_layer", "value"),
    *("interval_low", "interval_high", "null", "seed_to_seed", "unit", "reason"),
)


class Layers:
    """One comparison: x is the layer of the reference, y the layer of the checkpoint, counted upwards."""

    name = "layers"

    def __init__(self, data: Rows) -> None:
        self.pair, others = _one_pair(data)
        places = tuple(cell for cell in data.wanted if cell.pair == self.pair)
        there = set(places)
        self.data = data = replace(
            data, wanted=places, results=tuple(r for r in data.results if cell_of(r, data.measure) in there)
        )
        self.layers = tuple(sorted(layers_of(places)))
        self.ref_layers = tuple(sorted({p.ref_layer for p in places if p.ref_layer is not None}))
        self.shown = data.cells
        self._by_layers = {(r.layer or 0, r.ref_layer or 0): r for r in self.shown}
        shape = len(self.layers), len(self.ref_layers)
        self.values, refused = np.full(shape, np.nan), np.zeros(shape, bool)
        for i, layer in enumerate(self.layers):
            for j, other in enumerate(self.ref_layers):
                r = self._by_layers.get((layer, other))
                if r is not None and r.value is not None:
                    self.values[i, j] = r.value
                refused[i, j] = r is not None and r.value is None
        self.empty = not bool(np.isfinite(self.values).any())
        self.title, self.subtitle = self._title(), words.subtitle(data, self.shown)
        self.notes = words.notes(data, self.shown)
        if others and self.pair is not None:
            more = f"the selection has {others:,} more comparison{'' if others == 1 else 's'}"
            self.notes += (clean(f"shows {self.pair.key}; {more}"),)
        self.chart = heat_chart(
            data.measure,
            self.values,
            ("layer", names_of(self.layers)),
            ("reference layer", names_of(self.ref_layers)),
            refused,
        )

    def draw(
        self,
        width: int,
        height: int,
        palette: Palette,
        cursor: Cursor = NOWHERE,
        options: DrawOptions = PLAIN,
    ) -> Picture:
        """See ``View.draw``."""
        if self.empty:
            return words.instead(self._nothing(), width, height, palette, self.notes)
        at = cursor.clamped(len(self.ref_layers), len(self.layers))
        lines = self.chart.draw(width, height, palette, at.x, at.y, options.digits, options.log_y, options.ascii)
        targets = self.chart.targets(width, height, palette, options.digits, options.log_y, options.ascii)
        reading = self._read(at, width) if at.x >= 0 and at.y >= 0 else ""
        pointed = self._by_layers.get((self.layers[at.y], self.ref_layers[at.x])) if reading else None
        beside = Trust.of(self.data.measure, (pointed,)).notes("[ ]", chance=True) if pointed else ()
        notes = self.notes + beside + words.on_noise(self.data.measure, self.shown)
        return Picture(tuple(lines), reading, at, notes, targets)

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """One row a pair of layers that has a value or a reason why not."""
        found: list[tuple[object, ...]] = []
        for (layer, other), r in sorted(self._by_layers.items(), key=lambda item: item[0]):
            yard = self.data.yardstick.get((r.recipe, layer, r.step)) if layer == other else None
            found.append(
                (
                    *(r.measure, r.corpus, r.recipe, r.seed, r.step, layer, _name(self.pair), other, r.value),
                    *(r.interval_low, r.interval_high, r.null_value, None if yard is None else yard.value),
                    *(r.unit, r.reason),
                )
            )
        return COLUMNS, found

    def _title(self) -> str:
        if self.pair is None:
            return words.title(self.data)
        key = self.pair.key
        return words.title(self.data, key.recipe, f"seed {key.seed}", f"step {key.step:,}, layer by layer")

    def _read(self, at: Cursor, room: int) -> str:
        layer, other = self.layers[at.y], self.ref_layers[at.x]
        where = f"layer {layer} against layer {other}"
        return words.reading(self.data, where, self._by_layers.get((layer, other)), room, self._nearest(at.y))

    def _nearest(self, row: int) -> str:
        away = np.abs(self.values[row] - self.data.measure.same)
        if np.isfinite(away).sum() < 2:
            return ""
        best = int(np.nanargmin(away))
        return (
            f"layer {self.layers[row]} is nearest to {self.ref_layers[best]} ({number(float(self.values[row, best]))})"
        )

    def _nothing(self) -> str:
        measure = self.data.measure
        if not measure.cross_layers:
            able = ", ".join(m.name for m in all_measures() if m.cross_layers)
            return f"{measure.title} compares no layer with another one. These do: {able or 'none'}."
        if self.shown:
            return words.nothing(self.data)
        return (
            f"Nothing computed yet: {self.data.asked:,} values of {measure.title} wait. "
            f"bertdyn compute {measure.name} STORE --against-layer all computes them (with --task, --seed and --step "
            "for some checkpoints only)."
        )


def _one_pair(data: Rows) -> tuple[Pair | None, int]:
    """The comparison to show, and how many others there are.

    Of those that have values of other layers (else of all) the last step of the first seed of the first task.
    """
    pairs = {cell.pair for cell in data.wanted if cell.reference is not None}
    if not pairs:
        return None, 0
    crossed = (cell_of(r, data.measure) for r in data.results if r.ref_layer not in (None, r.layer))
    known = {cell.pair for cell in crossed}

    def order(pair: Pair) -> tuple[Any, ...]:
        key = pair.key
        return pair not in known, data.tasks.index(key.recipe), seed_order(key.seed), -key.step, str(pair.reference)

    return min(pairs, key=order), len(pairs) - 1


def _name(pair: Pair | None) -> str:
    return "" if pair is None or pair.reference is None else str(pair.reference)
