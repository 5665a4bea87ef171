"""What a view is: a title in words, a picture of any size, the words under the cursor, and the numbers behind it.

Importing this costs nothing: the modules that draw, and numpy with them, come with the first picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from explorer.render.targets import Target
from store.errors import BertdynError

if TYPE_CHECKING:
    from rich.segment import Segment

    from explorer.measures import Measure
    from explorer.render.palette import Palette
    from explorer.selection import Question
    from explorer.views.rows import Rows
    from explorer.views.training import Training
    from store.store import Store

END = 10**9
"""Past every axis and beyond every step: it is drawn at the last place, and the picture says which that is."""


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
    targets: tuple[Target, ...] = ()
    """What one can go to, and where it stands; column and row are the cursor's x and y."""


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
    """What was logged while training, drawn below the first plot on the same steps."""
    shared: bool = False
    """The plots are small, share both axes and stand in rows."""


class View(Protocol):
    """A question and its values, ready to draw. Made once per change of data, drawn as often as the screen needs."""

    name: str
    title: str
    """What is compared with what, in words."""
    subtitle: str
    """In which definition, on how much."""
    data: Any
    """The values it shows; ``missing`` counts those that are not there."""
    stored: Rows | None
    """The stored values that it shows; None where it shows none."""
    empty: bool
    """No value to draw (the picture then says why)."""
    columns: tuple[str, ...]
    """Columns that its rows can be sorted by on the screen; empty: they cannot."""
    left_out: int
    """Rows that it does not show: too many for a table."""

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
        """Column names and the numbers that the picture shows, one row per value."""
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


class Base:
    """What a view is where it says nothing else: no table, no shared axes, no figure."""

    stored: Rows | None = None
    columns: tuple[str, ...] = ()
    left_out = 0

    def places(self, axis: str) -> Sequence[int]:
        """See View."""
        return ()

    def row(self, y: int, options: DrawOptions = PLAIN) -> tuple[tuple[str, ...], tuple[object, ...]] | None:
        """See View."""
        return None

    def sheet(self, options: DrawOptions, focused: bool = False) -> Sheet | None:
        """See View."""
        return None


@dataclass(frozen=True)
class Look:
    """What of a question is looked at where a view cannot show all of it. Unset: the view chooses."""

    part: str = ""
    """Which of the view's own parts (``ViewKind.parts``)."""
    step: int = END
    """The step, or the nearest before it that there is; END: the last one."""
    layer: int | None = None
    """None: the highest."""
    head: int = 0
    """Counted from 1; 0: the mean over heads."""
    example: int = -1
    """Counted from 0; -1: the first of those that are found."""
    find: str = ""
    """What an example's text holds; ``label:NAME`` asks for a label."""
    changed: bool = False
    """Examples come in the order of how far they moved."""
    statistic: str = ""
    """Globs of the statistics whose rows a table shows, separated by commas, ``!`` before them for all others; empty:
    every row."""
    sort: str = ""
    """Column that a table is sorted by before it is cut; empty: it is cut run by run."""
    descending: bool = False
    most: int | None = None
    """Rows that a table has at most; None: all."""


ANYWHERE = Look()


@dataclass(frozen=True)
class Source:
    """Numbers that views are made of, and what of a Look they depend on: equal questions share one answer."""

    fetcher: str
    """``module:function`` of (store, question, look, what the sources before it gave)."""
    uses: tuple[str, ...] = ()
    """Fields of Look."""
    parts: tuple[str, ...] = ()
    """The only parts of a view that need them; elsewhere the answer is None. Empty: every part."""

    stored: bool = False
    """The numbers are stored values of a question, of which some may still be missing."""

    def fetch(self, store: Store, question: Question | None, look: Look, earlier: Sequence[Any]) -> Any:
        """Read them.

        Raises:
            BertdynError: the selection matches nothing, or the store cannot be read.
        """
        return _named(self.fetcher)(store, question, self.trimmed(look), *earlier) if self.serves(look) else None

    def serves(self, look: Look) -> bool:
        """Whether what is looked at needs the numbers."""
        return not self.parts or look.part in self.parts

    def trimmed(self, look: Look) -> Look:
        """The look without what the numbers do not depend on."""
        uses = ("part", *self.uses) if self.parts else self.uses
        return trimmed(look, uses) if self.serves(look) else ANYWHERE


def trimmed(look: Look, uses: Sequence[str]) -> Look:
    """The look with only these of its fields set."""
    return replace(ANYWHERE, **{name: getattr(look, name) for name in uses})


FIRST = Source("explorer.views.sources:first_task", stored=True)
"""What most views are made of: the first task's values."""


@dataclass(frozen=True)
class ViewKind:
    """One kind of view, before it has data."""

    name: str
    title: str
    help: str
    maker: str
    """``module:class`` (or function) of what its sources gave, and a Look."""
    sources: tuple[Source, ...] = (FIRST,)
    uses: tuple[str, ...] = ()
    """Fields of Look that matter to it."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """What it can show, and that in words; the first is what it shows unless told."""
    across: bool = False
    """It shows layers against other layers."""
    one: bool = False
    """It shows one comparison: one checkpoint and what that is compared with."""
    measure: str = ""
    """The only measure it shows; empty: any."""
    against: str = ""
    """What it must be compared with; empty: anything."""
    at_step: bool = False
    """It shows one step."""
    along: bool = True
    """It draws values along an axis of the measure's own, such as layers."""
    whole: bool = False
    """It shows the whole store: there is nothing to select."""

    @property
    def computes(self) -> bool:
        """It shows stored values, of which some may still be missing."""
        return any(source.stored for source in self.sources)

    @property
    def free(self) -> bool:
        """It shows whatever measure is chosen."""
        return self.computes and not self.measure

    def refusal(self, measure: Measure) -> str:
        """Say why the view cannot show a measure; empty where it can."""
        if self.along and not measure.own_axes:
            return f"{measure.title} has no axis such as layers: curves and the table show it."
        if self.against and not measure.compares:
            return f"{measure.name} is a value of one checkpoint alone: nothing is compared."
        return ""

    def asked(self, question: Question) -> Question:
        """The values that the view needs: every layer of the reference where it shows them and none is chosen."""
        if not self.across or question.ref_layers is not None:
            return question
        from explorer.selection import EVERY

        return replace(question, ref_layers=EVERY)

    @property
    def depends(self) -> tuple[str, ...]:
        """Fields of Look that matter to it or to its numbers."""
        return tuple({*self.uses, *(name for source in self.sources for name in source.uses)})

    def build(self, *data: Any, look: Look = ANYWHERE) -> View:
        """The view of what its sources gave (pure; several views may share one source)."""
        made: Any = _named(self.maker)(*data, look=look) if self.uses else _named(self.maker)(*data)
        view: View = made
        return view

    def load(self, store: Store, question: Question | None, look: Look = ANYWHERE) -> View:
        """Fetch what the view needs of a question and make it.

        Raises:
            BertdynError: the view does not fit the measure, the selection matches nothing, or the store cannot be read.
        """
        if question is not None and (why := self.refusal(question.measure)):
            raise BertdynError(why)
        got: list[Any] = []
        for source in self.sources:
            got.append(source.fetch(store, question and self.asked(question), look, got))
        return self.build(*got, look=look)


def _named(place: str) -> Any:
    module, _, name = place.partition(":")
    return getattr(import_module(module), name)
