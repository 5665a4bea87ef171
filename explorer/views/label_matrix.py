"""Draw values of pairs of labels as a matrix: rows and columns are labels."""

from __future__ import annotations

from explorer.answers.labels import Spot
from explorer.answers.rows import Rows
from explorer.render.matrix import Matrix, draw, spans, targets
from explorer.render.palette import Palette
from explorer.render.targets import upwards
from explorer.views import words
from explorer.views.base import NOWHERE, PLAIN, Base, Cursor, DrawOptions, Part, Picture, Sheet
from explorer.views.ranking import ranked


class LabelMatrix(Base):
    """x and y are labels, in the same order; the first row is on top, and y counts from the lowest (see ``row_of``)."""

    labels: tuple[str, ...]
    empty: bool
    notes: tuple[str, ...]

    def row_of(self, y: int) -> int:
        """Return the label (from 0, the first on top) of a cursor's y, and the other way round."""
        return len(self.labels) - 1 - y

    def matrix(self, log: bool = False) -> Matrix:
        """Return the matrix without a size; ``log``: levels even in the logarithm."""
        raise NotImplementedError

    def read(self, row: int, column: int) -> str:
        """Return what a row (-1: none) and column (-1: none) hold, in words."""
        raise NotImplementedError

    def nothing(self) -> str:
        """Return the text of an empty picture."""
        raise NotImplementedError

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """See ``View.draw``."""
        if self.empty:
            return words.instead(self.nothing(), width, height, palette, self.notes)
        at = cursor.clamped(len(self.labels), len(self.labels))
        row = self.row_of(at.y) if at.y >= 0 else -1
        matrix = self.matrix(options.log)
        lines, window = draw(matrix, width, height, palette, row, at.x, options.digits, options.ascii)
        hidden = spans(window, len(self.labels), len(self.labels), "rows", "columns")
        notes = (f"shows {hidden}: move the cursor for the others", *self.notes) if hidden else self.notes
        found = targets(matrix, width, height, palette, row, at.x, options.digits, options.ascii)
        return Picture(tuple(lines), self.read(row, at.x), at, notes, upwards(found, len(self.labels)))

    def ranked(self, options: DrawOptions = PLAIN) -> tuple[Cursor, ...]:
        """See ``View.ranked``."""
        return ranked(self.matrix().panels[0].values, top_first=True)

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet:
        """See ``View.sheet``."""
        matrix = self.matrix(options.log)
        return Sheet((Part(matrix, digits=options.digits, shares=matrix.shares),))


def place_words(spot: Spot) -> tuple[str, ...]:
    """Return a layer of a checkpoint in words."""
    return spot.key.recipe, f"seed {spot.key.seed}", f"step {spot.key.step:,}", f"layer {spot.layer}"


def rest(data: Rows, there: int) -> list[str]:
    """Return the notes on what is missing and on further layers and steps; ``there`` counts those with values."""
    missing = f"not computed: {data.missing:,} of {data.asked:,} values" if data.missing else ""
    others = f"the selection has {there - 1:,} more layers and steps" if there > 1 else ""
    return [note for note in (missing, others) if note]
