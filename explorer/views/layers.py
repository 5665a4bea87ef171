"""Layers: each layer of one checkpoint against each layer of what it is compared with, as a map."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from explorer.answers.coordinates import SEED, STEP
from explorer.answers.rows import Rows
from explorer.fields.field import Field, FieldAxis, field_of
from explorer.measures.declaration import LAYER, REF_LAYER
from explorer.measures.registry import all_measures
from explorer.render.axes import number
from explorer.render.text import clean
from explorer.selection import Pair, seed_order
from explorer.selection.stored import cell_of
from explorer.views import words
from explorer.views.base import Cursor
from explorer.views.field_view import Layout
from explorer.views.maps import Map

BY_LAYER = Layout(
    REF_LAYER.name,
    LAYER.name,
    (
        *("measure", "corpus", "task", SEED, STEP, LAYER.name, "against", REF_LAYER.name, "value"),
        *("interval_low", "interval_high", "null", "seed_to_seed", "unit", "reason"),
    ),
    (LAYER.name, REF_LAYER.name),
)


class Layers(Map):
    """One comparison: x is the layer of the reference, y the layer of the checkpoint, counted upwards."""

    def __init__(self, data: Rows) -> None:
        self.pair, others = _one_pair(data)
        places = tuple(cell for cell in data.wanted if cell.pair == self.pair)
        there = set(places)
        rows = tuple(r for r in data.results if cell_of(r, data.measure) in there)
        super().__init__("layers", replace(data, wanted=places, results=rows), BY_LAYER)
        if others and self.pair is not None:
            more = f"the selection has {others:,} more comparison{'' if others == 1 else 's'}"
            self.notes += (clean(f"shows {self.pair.key}; {more}"),)

    def _fixed(self, look: object) -> dict[str, Any]:
        return {} if self.pair is None else {STEP: self.pair.key.step}

    def _field(self, tasks: object, of_heads: object) -> Field:
        self.shown = self.data.cells
        layers, others = ({getattr(cell, name) for cell in self.data.wanted} - {None} for name in (LAYER.name, _OTHER))
        axes = FieldAxis(LAYER.name, tuple(sorted(layers))), FieldAxis(_OTHER, tuple(sorted(others)), "reference layer")
        field = field_of(axes, self.shown)
        for i, layer in enumerate(axes[0].places):
            for r in self.shown:
                if layer == r.layer == r.ref_layer and (beside := self.data.yardstick(r)) is not None:
                    field.yardstick[i, axes[1].places.index(layer)] = beside
        return field

    def shape(self) -> tuple[str, ...]:
        """See FieldView."""
        return ("layer by layer",)

    def spot(self, row: int, column: int) -> str:
        """See FieldView."""
        return f"layer {self.y.places[row]} against layer {self.x.places[column]}"

    def read(self, at: Cursor, room: int) -> str:
        """See FieldView; with the nearest layer of the reference in the place of what is compared."""
        if at.x < 0 or at.y < 0:
            return super().read(at, room)
        found, level = self.field.point(at.y, at.x), self.uncertainty.level
        return words.point(self.data, self.spot(at.y, at.x), found, room, self._nearest(at.y), level)

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """See ``View.rows``: one row per pair of layers that has a value or a reason; against which checkpoint."""
        columns, found = super().rows()
        at = columns.index("against")
        reference = "" if self.pair is None or self.pair.reference is None else str(self.pair.reference)
        return columns, [(*row[:at], reference, *row[at + 1 :]) for row in found]

    def _nearest(self, row: int) -> str:
        away = np.abs(self.field.values[row] - self.data.measure.same)
        if np.isfinite(away).sum() < 2:
            return ""
        best = int(np.nanargmin(away))
        value = number(float(self.field.values[row, best]))
        return f"layer {self.y.places[row]} is nearest to {self.x.places[best]} ({value})"

    def nothing(self) -> str:
        """See FieldView."""
        measure = self.data.measure
        if not measure.cross_layers:
            able = ", ".join(m.name for m in all_measures() if m.cross_layers)
            return f"{measure.title} does not compare a layer with another one. These do: {able or 'none'}."
        if self.shown:
            return words.nothing(self.data)
        return (
            f"{self.data.asked:,} values of {measure.title} are not computed yet. bertdyn compute {measure.name} STORE "
            "--against-layer all computes them (with --task, --seed and --step for some checkpoints only)."
        )


_OTHER = REF_LAYER.name


def _one_pair(data: Rows) -> tuple[Pair | None, int]:
    """The comparison to show, and how many others there are.

    Among those that have values across layers, or else among all, it is the last step of the first seed of the first
    task.
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
