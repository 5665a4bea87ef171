"""Define a view: a title, a picture of any size, a reading under the cursor, and the numbers behind it.

Importing this costs nothing: the modules that draw, and numpy with them, come with the first picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol

from explorer.answers.look import ANYWHERE, FIRST, Look, Source, named
from explorer.render.targets import Target
from store.errors import BertdynError

if TYPE_CHECKING:
    from rich.segment import Segment

    from explorer.answers.rows import Rows
    from explorer.answers.training import Training
    from explorer.measures import Measure
    from explorer.render.palette import Palette
    from explorer.render.relief import PlaneGrid
    from explorer.selection import Question
    from explorer.views.spot import Spot
    from store.store import Store


@dataclass(frozen=True)
class Cursor:
    """Position of the cursor: x along the horizontal axis, y the line or row; indices into the data, -1 = none.

    Lines and rows are counted from the lowest (layer, step) up, so that y + 1 is what stands above on a heat map.
    In a table y is the row, counted from the top.
    """

    x: int = -1
    y: int = -1

    def clamped(self, columns: int, rows: int) -> Cursor:
        """Return the nearest cursor on axes with so many places."""
        return Cursor(min(max(self.x, -1), columns - 1), min(max(self.y, -1), rows - 1))

    def at(self, target: Target) -> Cursor:
        """Return the cursor at a place; a coordinate that the place does not have stays."""
        return Cursor(target.column if target.column >= 0 else self.x, target.row if target.row >= 0 else self.y)


NOWHERE = Cursor()
LINEAR, LOG, PERCENT, SEEDS = "linear", "log", "percent", "seeds"
SCALES: Mapping[str, str] = {
    LINEAR: "linear",
    LOG: "logarithmic",
    PERCENT: "per cent of each line's final value",
    SEEDS: "multiples of the distance between two seeds",
}
"""Scales of the value axis in words, in the order in which a key shows them."""


@dataclass(frozen=True)
class DrawOptions:
    """Drawing options that the user can change."""

    scale: str = LINEAR
    """Scale of the value axis, one of SCALES."""
    ascii: bool = False
    """Draw with ASCII characters only."""
    digits: bool = False
    """Write values (or, in narrow cells, tenths of the scale) into the cells of a heat map."""
    sort: str = ""
    """Column that a table is sorted by; empty: task, seed, step, layer."""
    descending: bool = False
    mark: Cursor = NOWHERE
    """Place of the marked value; NOWHERE: the picture does not show it."""

    @property
    def log(self) -> bool:
        """Whether the value axis is logarithmic; values at or below zero are then left out."""
        return self.scale == LOG


PLAIN = DrawOptions()


@dataclass(frozen=True)
class Picture:
    """One drawing of exactly the requested number of lines and cells."""

    lines: tuple[list[Segment], ...]
    reading: str
    """The value under the cursor in words; empty without a cursor."""
    cursor: Cursor
    """The cursor as drawn, inside the data."""
    notes: tuple[str, ...]
    """Notes on the values: missing ones, noise level, reasons; the most important first."""
    targets: tuple[Target, ...] = ()
    """Places to jump to; column and row are the cursor's x and y."""
    marked: tuple[int, int] | None = None
    """Cell of the marked value: its column and line; None: it is not in the picture."""


@dataclass(frozen=True, eq=False)
class Part:
    """One plot of a figure."""

    chart: Any
    """A chart, map, plane, scatter plot or matrix of ``explorer.render``."""
    name: str = ""
    """Title of the plot."""
    log: bool = False
    """Logarithmic scale of the values."""
    digits: bool = False
    """Values are written into the cells of a map."""
    focus: bool = True
    """The line that is pointed at stands out."""
    shares: tuple[float, ...] = (1.0,)
    """Widths of its axes, beside those of the other plots."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """The plots of a view in a figure for a paper."""

    parts: tuple[Part, ...]
    training: Training | None = None
    """Training log, drawn below the first plot on the same steps."""
    shared: bool = False
    """The plots are small and stand in rows on one x axis, and on one y axis if their charts have ``scale_of``."""
    across: int = 0
    """Number of plots per row, of equal shares in each row; 0: one row."""
    notes: tuple[str, ...] | None = None
    """Notes on the values in the plots; None: the picture's, which shows the same."""


class View(Protocol):
    """The values of a question, ready to draw. Built once per change of data, drawn as often as needed."""

    name: str
    title: str
    """Measure, reference and place in words."""
    subtitle: str
    """Corpus, number of tokens, parameters and direction in words."""
    data: Any
    """The values it shows; ``missing`` counts those that are not there."""
    stored: Rows | None
    """The stored values that it shows; None where it shows none."""
    empty: bool
    """Whether there is no value to draw; the picture then gives the reason."""
    columns: tuple[str, ...]
    """Columns that its rows can be sorted by on the screen; empty: they cannot."""
    listed: bool
    """Whether it is a table, of which a pipe or a file gets every row and column."""
    left_out: int
    """Rows that it does not show: too many for a table."""
    own_unit: bool
    """Whether it shows other units than that of the stored measure, and names them itself."""

    @property
    def refused_scales(self) -> Mapping[str, str]:
        """Scales that it cannot have, with the reasons."""
        ...

    def draw(
        self, width: int, height: int, palette: Palette, cursor: Cursor = NOWHERE, options: DrawOptions = PLAIN
    ) -> Picture:
        """Draw into width x height cells (at least 1 x 1)."""
        ...

    def rows(self) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
        """Column names and the numbers that the picture shows, one row per value."""
        ...

    def lines_needed(self, width: int) -> int:
        """Lines that it takes at a width to show everything; 0: any number of lines will do."""
        ...

    def places(self, axis: str) -> Sequence[int]:
        """Places along an axis that several views share (step, layer, head); empty: it is not an axis of this view."""
        ...

    def row(self, y: int, options: DrawOptions = PLAIN) -> tuple[tuple[str, ...], tuple[object, ...]] | None:
        """Columns and values of one row of a table, in the order that is shown; None where the view is no table."""
        ...

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet | None:
        """Plots for a figure; None where the view has none. ``focused``: a line is pointed at."""
        ...

    def ranked(self, options: DrawOptions = PLAIN) -> Sequence[Cursor]:
        """Places of its values, the largest first (of changes, the largest in size); empty: it has none."""
        ...

    def grid(self) -> PlaneGrid | None:
        """Values on a plane for other programs; None where the view has none."""
        ...

    def valued(self, at: Cursor, options: DrawOptions = PLAIN) -> Spot | None:
        """Return the single value at a place; None where there is none, or several."""
        ...

    def place_of(self, spot: Spot, options: DrawOptions = PLAIN) -> Cursor:
        """Return the place of a value; NOWHERE if the view does not show it."""
        ...


_OF_LINES = "this unit is for lines, as in Curves"


class Base:
    """Defaults of a view: no table, no shared axes, no figure."""

    stored: Rows | None = None
    columns: tuple[str, ...] = ()
    listed = False
    left_out = 0
    own_unit = False

    @property
    def refused_scales(self) -> Mapping[str, str]:
        """See View."""
        return {PERCENT: _OF_LINES, SEEDS: _OF_LINES}

    def places(self, axis: str) -> Sequence[int]:
        """See View."""
        return ()

    def lines_needed(self, width: int) -> int:
        """See View."""
        return 0

    def row(self, y: int, options: DrawOptions = PLAIN) -> tuple[tuple[str, ...], tuple[object, ...]] | None:
        """See View."""
        return None

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet | None:
        """See View."""
        return None

    def ranked(self, options: DrawOptions = PLAIN) -> Sequence[Cursor]:
        """See View."""
        return ()

    def grid(self) -> PlaneGrid | None:
        """See View."""
        return None

    def valued(self, at: Cursor, options: DrawOptions = PLAIN) -> Spot | None:
        """See View."""
        return None

    def place_of(self, spot: Spot, options: DrawOptions = PLAIN) -> Cursor:
        """See View."""
        return NOWHERE


@dataclass(frozen=True)
class ViewKind:
    """Declaration of a view."""

    name: str
    title: str
    help: str
    maker: str
    """``module:function`` of (*results of its sources, look) that returns the view."""
    sources: tuple[Source, ...] = (FIRST,)
    uses: tuple[str, ...] = ()
    """Fields of Look that the maker needs."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """Variants by name, in words; the first is the default."""
    joins: tuple[str, ...] = ()
    """Parts that show several corpora in one picture; all others have one picture per corpus."""
    across: bool = False
    """Whether it shows layers against other layers."""
    one: bool = False
    """Whether it shows a single comparison of a checkpoint with a reference."""
    measure: str = ""
    """The only measure that it shows; empty: any."""
    against: str = ""
    """The only kind of reference that it shows; empty: any."""
    at_step: bool = False
    """Whether it shows a single step."""
    along: bool = True
    """Whether it needs an axis of the measure, such as layers."""
    plane: bool = False
    """Whether it needs a measure with values in a plane."""
    on_request: bool = False
    """Whether its missing values are computed only if they are asked for."""
    every_task: bool = False
    """Whether it shows all tasks of a corpus, the chosen ones first."""
    whole: bool = False
    """Whether it shows the whole store: nothing is selected."""

    @property
    def computes(self) -> bool:
        """Whether it shows stored values, some of which may be missing."""
        return any(source.stored for source in self.sources)

    @property
    def free(self) -> bool:
        """Whether it shows any measure."""
        return self.computes and not self.measure

    def refusal(self, measure: Measure) -> str:
        """Return why the view cannot show a measure; empty if it can."""
        if self.along and not measure.own_axes:
            return f"{measure.title} has no axis such as layers: curves and the table show it."
        if self.plane and not measure.plane:
            return f"{measure.title} has no values in a plane of two numbers: another map shows it."
        if self.against and not measure.compares:
            return f"{measure.name} is a value of one checkpoint alone: nothing is compared."
        return ""

    def asked(self, question: Question) -> Question:
        """Return the question for the values that the view needs: with every reference layer if it shows them."""
        if not self.across or question.ref_layers is not None:
            return question
        from explorer.selection import EVERY

        return replace(question, ref_layers=EVERY)

    @property
    def depends(self) -> tuple[str, ...]:
        """Fields of Look on which the view or its numbers depend."""
        return tuple({*self.uses, *(name for source in self.sources for name in source.uses)})

    def build(self, *data: Any, look: Look = ANYWHERE) -> View:
        """Return the view of the results of its sources (pure; views may share a source)."""
        made: Any = named(self.maker)(*data, look=look) if self.uses else named(self.maker)(*data)
        view: View = made
        return view

    def load(self, store: Store, question: Question | None, look: Look = ANYWHERE) -> View:
        """Fetch the numbers of a question and build the view.

        Raises:
            BertdynError: the view does not fit the measure, the selection matches nothing, or the store cannot be read.
        """
        if question is not None and (why := self.refusal(question.measure)):
            raise BertdynError(why)
        got: list[Any] = []
        for source in self.sources:
            got.append(source.fetch(store, question and self.asked(question), look, got))
        return self.build(*got, look=look)
