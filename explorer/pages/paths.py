"""Paths: the labels' centroids along the steps of a run, in the plane of their first two principal components."""

from __future__ import annotations

import numpy as np

from explorer.answers.centroids import Centroids
from explorer.answers.coordinates import STEP
from explorer.render.axes import count, number
from explorer.render.fitting import DOT
from explorer.render.palette import Palette
from explorer.render.plane import Path, Plane, draw, targets
from explorer.render.text import clean, crop
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Base, Cursor, DrawOptions, Part, Picture, Sheet

COLUMNS = (
    *("corpus", "task", "seed", "step", "layer", "label", "points", "pc1", "pc2", "from_first", "from_previous"),
    *("nearest", "nearest_distance"),
)
_LITTLE = 0.5
"""Share of the variance below which a plane hides more than it shows."""


class Paths(Base):
    """x is the checkpoint, in the order of the steps; y the label."""

    name = "paths"

    def __init__(self, data: Centroids) -> None:
        self.data = data
        self.empty = False
        places, shares = data.plane
        key, last = data.keys[0], data.keys[-1]
        self.title = clean(f"Paths of the labels' centroids{DOT}{key.recipe}, seed {key.seed}, layer {data.layer}")
        self.subtitle = clean(
            DOT.join(
                (
                    f"o step {key.step:,}, x step {last.step:,}, ◆ the step pointed at",
                    f"{len(data.keys)} checkpoints",
                    f"corpus {data.corpus}",
                    f"{count(sum(data.counts))} points, each the {data.points}",
                    "PC: principal components of all centroids, on one scale",
                )
            )
        )
        many = max(1, len(data.labels) - 1)
        self.plane = Plane(
            tuple(
                Path(clean(label), places[:, i, 0], places[:, i, 1], i / many, i) for i, label in enumerate(data.labels)
            ),
            f"PC 1, {100 * shares[0]:.0f} % of variance",
            f"PC 2, {100 * shares[1]:.0f} % of variance",
        )
        self.notes = self._notes(sum(shares))

    def places(self, axis: str) -> tuple[int, ...]:
        """See ``View.places``."""
        return tuple(key.step for key in self.data.keys) if axis == STEP else ()

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``; x marks a checkpoint on every path, y shows one path and dims the others."""
        if len(self.data.keys) * len(self.data.labels) < 2:
            text = "One centroid of one checkpoint has no path: choose a run with several steps."
            return words.instead(text, width, height, palette, self.notes)
        at = cursor.clamped(len(self.data.keys), len(self.data.labels))
        lines = draw(self.plane, width, height, palette, at.x, at.y, options.ascii)
        return Picture(tuple(lines), self._read(at), at, self.notes, targets(self.plane, width, height, at.y))

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet:
        """See ``View.sheet``."""
        return Sheet((Part(self.plane),))

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """One row a checkpoint and label; distances are those in all dimensions, not in the plane."""
        data = self.data
        found: list[tuple[object, ...]] = []
        places = data.plane[0]
        for s, key in enumerate(data.keys):
            for i, label in enumerate(data.labels):
                nearest = self._nearest(s, i)
                found.append(
                    (
                        *(data.corpus, key.recipe, key.seed, key.step, data.layer, label, data.counts[i]),
                        *(float(places[s, i, 0]), float(places[s, i, 1]), self._moved(0, s, i)),
                        *(self._moved(s - 1, s, i) if s else None,),
                        *((data.labels[nearest], self._apart(s, i, nearest)) if nearest is not None else (None, None)),
                    )
                )
        return COLUMNS, found

    def _moved(self, start: int, stop: int, label: int) -> float:
        return float(np.linalg.norm(self.data.values[stop, label] - self.data.values[start, label]))

    def _apart(self, step: int, a: int, b: int) -> float:
        return float(np.linalg.norm(self.data.values[step, a] - self.data.values[step, b]))

    def _nearest(self, step: int, label: int) -> int | None:
        others = [i for i in range(len(self.data.labels)) if i != label]
        return min(others, key=lambda i: self._apart(step, label, i)) if others else None

    def _read(self, at: Cursor) -> str:
        """'NOUN, step 40: 3.21 from where it was at step 0, 0.52 from step 20; nearest label PROPN, 2.10 away'."""
        data = self.data
        step = at.x if at.x >= 0 else len(data.keys) - 1
        first, here = data.keys[0], data.keys[step]
        if at.x < 0 and at.y < 0:
            return ""
        if at.y < 0:
            moved = np.linalg.norm(data.values[step] - data.values[0], axis=1)
            most = int(moved.argmax())
            text = f"step {here.step:,}: label {data.labels[most]} moved furthest from step {first.step:,}, "
            return clean(text + f"{number(float(moved[most]))}; mean over labels {number(float(moved.mean()))}")
        text = f"label {crop(data.labels[at.y], 40)}, step {here.step:,}: "
        if step:
            text += f"{number(self._moved(0, step, at.y))} from step {first.step:,}"
            if step > 1:
                text += f", {number(self._moved(step - 1, step, at.y))} from step {data.keys[step - 1].step:,}"
        else:
            text += "the start"
        nearest = self._nearest(step, at.y)
        if nearest is not None:
            text += f"; nearest label {data.labels[nearest]}, {number(self._apart(step, at.y, nearest))} away"
        return clean(text)

    def _notes(self, share: float) -> tuple[str, ...]:
        said = []
        if self.data.left_out:
            there = len(self.data.keys) + self.data.left_out
            said.append(f"shows {len(self.data.keys)} of the run's {there:,} checkpoints, evenly spaced")
        if share < _LITTLE:
            said.append(f"! the plane holds {100 * share:.0f} % of the variance only: near in it need not be near")
        said.append("distances in words and tables are those in all dimensions, not in the plane")
        few = [name for name, n in zip(self.data.labels, self.data.counts, strict=True) if n == 1]
        if few:
            named = ", ".join(few[:4]) + (f" and {len(few) - 4} more" if len(few) > 4 else "")
            said.append(f"of one point only: {named}")
        return tuple(clean(note) for note in said)
