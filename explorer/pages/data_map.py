"""Data map: each example of a run by the confidence and the variability of its label's probability."""

from __future__ import annotations

import numpy as np

from explorer.answers.data_map import COLUMNS, DataMapData
from explorer.render.axes import count, number
from explorer.render.fitting import DOT
from explorer.render.palette import Palette
from explorer.render.scatter import Scatter, cells, draw
from explorer.render.targets import Target, spread
from explorer.render.text import clean
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Base, Cursor, DrawOptions, Part, Picture, Sheet

MOST_VARIABLE = 0.5
"""Standard deviation of probabilities of which half are 0 and half are 1."""


class DataMap(Base):
    """x counts examples from the least confident on; y is not used."""

    name = "data-map"

    def __init__(self, data: DataMapData) -> None:
        self.data = data
        self.empty = not len(data.confidence)
        key = data.keys[-1]
        self.title = clean(f"Data map{DOT}{key.recipe}, seed {key.seed}, up to step {key.step:,}")
        self.subtitle = clean(
            DOT.join(
                (
                    f"{count(len(data.confidence))} {data.level}s",
                    f"label: {data.annotation} of corpus {data.corpus}",
                    f"over {len(data.keys)} checkpoints",
                    "colour (or digit, in tenths): share of checkpoints that are right",
                )
            )
        )
        self.order = np.argsort(data.confidence, kind="stable")
        self.scatter = Scatter(
            data.variability,
            data.confidence,
            data.right / len(data.keys),
            (0.0, MOST_VARIABLE),
            (0.0, 1.0),
            "variability",
            "confidence: mean probability of the label",
            (("easy to learn", 0.0, 1.0), ("hard to learn", 0.0, 0.0), ("ambiguous", MOST_VARIABLE, 0.5)),
        )
        self.notes = self._notes()

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``; x marks one example."""
        if self.empty:
            return words.instead("No example has a label.", width, height, palette, self.notes)
        at = Cursor(cursor.clamped(len(self.order), 1).x, -1)
        marked = int(self.order[at.x]) if at.x >= 0 else -1
        lines = draw(self.scatter, width, height, palette, marked, options.ascii)
        places = cells(self.scatter, width, height)
        points = (Target(*places[int(i)], column) for column, i in enumerate(self.order))
        reading = self._read(marked) if marked >= 0 else ""
        return Picture(tuple(lines), reading, at, self.notes, spread(points, width, height))

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet:
        """See ``View.sheet``."""
        return Sheet((Part(self.scatter),))

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """One row per labelled example or word, the least confident first."""
        return COLUMNS, self.data.rows(self.order.tolist())

    def _read(self, i: int) -> str:
        """'example 17, label negative: confidence 0.121, variability 0.310, right at 1 of 5 checkpoints: TEXT'."""
        data = self.data
        return clean(
            f"example {data.example[i]}, label {data.labels[i]}: confidence {number(float(data.confidence[i]))}, "
            f"variability {number(float(data.variability[i]))}, right at {data.right[i]} of {len(data.keys)} "
            f"checkpoints: {data.texts[i]}"
        )

    def _notes(self) -> tuple[str, ...]:
        if self.empty:
            return ()
        data = self.data
        never, always = int((data.right == 0).sum()), int((data.right == len(data.keys)).sum())
        return (
            f"never right: {count(never)}, always right: {count(always)} of {count(len(data.right))} {data.level}s",
            "how often checkpoints were saved is part of what confidence and variability mean",
        )
