"""What a view is: a title in words, a picture of any size, the words under the cursor, and the numbers behind it.

Importing this costs nothing: the modules that draw, and numpy with them, come with the first picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.segment import Segment

    from explorer.render.palette import Palette
    from explorer.selection import Selection
    from explorer.views.rows import Rows
    from store.store import Store

END = 10**9
"""A cursor index past every axis: it is drawn at the last place, and the picture says which that is."""


@dataclass(frozen=True)
class Cursor:
    """What the user points at: x along the horizontal axis, y the line or the row; indices into the data, -1 = none.

    Lines and rows are counted from the lowest (layer, step) up, so that y + 1 is what stands above on a heat map.
    In a table y is the row, counted from the top.
    """

    x: int = -1
    y: int = -1

    def clamped(self, columns: int, rows: int) -> Cursor:
        """The nearest cursor that exists on axes of so many places."""
        return Cursor(min(max(self.x, -1), columns - 1), min(max(self.y, -1), rows - 1))


@dataclass(frozen=True)
class DrawOptions:
    """How to draw, where the user may choose."""

    log_y: bool = False
    """Logarithmic value axis; values at or below zero are left out."""
    ascii: bool = False
    """Only characters that every font has."""
    digits: bool = False
    """Write values (or, in narrow cells, tenths of the scale) into the cells of a heat map."""
    sort: str = ""
    """Column that a table is sorted by; empty: task, seed, step, layer."""
    descending: bool = False


NOWHERE = Cursor()
PLAIN = DrawOptions()


@dataclass(frozen=True)
class Picture:
    """One drawing: exactly as many lines, of exactly as many cells, as was asked for."""

    lines: tuple[list[Segment], ...]
    reading: str
    """What the cursor points at, in words; empty when it points at nothing."""
    cursor: Cursor
    """The cursor as it was drawn, inside the data."""
    notes: tuple[str, ...]
    """What the reader must know: values not computed, noise floor, reasons; most important first."""


class View(Protocol):
    """A selection and its values, ready to draw. Made once per change of data, drawn as often as the screen needs."""

    name: str
    title: str
    """What is compared with what, in words."""
    subtitle: str
    """In which definition, on how much."""
    data: Rows
    """The values it shows, and what is missing of them."""
    empty: bool
    """No value to draw (the picture then says why)."""

    def draw(
        self,
        width: int,
        height: int,
        palette: Palette,
        cursor: Cursor = NOWHERE,
        options: DrawOptions = PLAIN,
    ) -> Picture:
        """Draw into width x height cells (at least 1 x 1)."""
        ...

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Column names and the numbers that the picture shows, one row a value."""
        ...


@dataclass(frozen=True)
class ViewKind:
    """One kind of view, before it has data."""

    name: str
    title: str
    help: str
    maker: str
    """``module:class`` of a view that is made from Rows."""
    across: bool = False
    """It shows layers against other layers."""
    parts: bool = False
    """It shows single examples and query tokens."""

    def asked(self, selection: Selection) -> Selection:
        """The values that the view needs: every layer of the reference where it shows them and none is chosen."""
        if not self.across or selection.ref_layers is not None:
            return selection
        from explorer.selection import EVERY

        return replace(selection, ref_layers=EVERY)

    def build(self, rows: Rows) -> View:
        """The view of values that were fetched already (pure; several views may share one fetch)."""
        module, _, name = self.maker.partition(":")
        made: Any = getattr(import_module(module), name)(rows)
        view: View = made
        return view

    def load(self, store: Store, selection: Selection) -> View:
        """Fetch the selection's values and make the view.

        Raises:
            BertdynError: the selection matches nothing, or the store cannot be read.
        """
        rows: Rows = import_module("explorer.views.rows").fetch(store, self.asked(selection), self.parts)
        return self.build(rows)


VIEWS: Mapping[str, ViewKind] = {
    kind.name: kind
    for kind in (
        ViewKind("curves", "Curves", "the measure against step, a line a layer", "explorer.views.curves:Curves"),
        ViewKind("profile", "Profile", "the measure against layer, a line a step", "explorer.views.profile:Profile"),
        ViewKind("heat", "Heat", "layer by step as a map", "explorer.views.heat:Heat"),
        ViewKind("seeds", "Seeds", "seeds side by side on one scale, mean and spread", "explorer.views.seeds:Seeds"),
        ViewKind("table", "Table", "every value of the selection", "explorer.views.table:Table", parts=True),
        ViewKind(
            "layers", "Layers", "each layer against each of the reference", "explorer.views.layers:Layers", across=True
        ),
    )
}
