"""All keys and the definition of the measure that is shown, made from the registries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from explorer.render.signs import plain
from explorer.ui.actions import Action, grouped
from explorer.ui.widgets.lines import PLAIN

if TYPE_CHECKING:
    from rich.console import RenderableType

    from explorer.measures.base import Measure
    from explorer.render.palette import Palette


class HelpScreen(ModalScreen[None]):
    """Opens over the picture; any of its keys closes it."""

    BINDINGS: ClassVar = [
        Binding("escape,q,enter", "dismiss", show=False),
        Binding("question_mark,f1", "dismiss", show=False, id="help"),
        Binding("down,j", "scroll(1)", show=False),
        Binding("up,k", "scroll(-1)", show=False),
        Binding("pagedown,space", "scroll(12)", show=False),
        Binding("pageup", "scroll(-12)", show=False),
        Binding("ctrl+c,ctrl+q", "app.quit", show=False),
    ]

    def __init__(
        self, palette: Palette, measure: Measure | None, actions: Sequence[Action], shown: Sequence[Sequence[str]] = ()
    ) -> None:
        """``shown``: of each view on the screen its title, what it is of, and its notes."""
        super().__init__()
        self._palette, self._measure, self._actions, self._shown = palette, measure, actions, shown

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="sheet", can_focus=False):
            for view in self._shown:
                yield Static(about(view, self._palette, self.app.has_class(PLAIN)))
            yield Static(keys(self._palette, self._actions, self.app.has_class(PLAIN)))
            if self._measure is not None:
                yield Static(definition(self._measure, self._palette, self.app.has_class(PLAIN)))

    def action_scroll(self, by: int) -> None:
        """Some lines up or down."""
        self.query_one(VerticalScroll).scroll_relative(y=by, animate=False)


def about(view: Sequence[str], palette: Palette, plainly: bool = False) -> RenderableType:
    """A view's title and all that is said about it, each in full."""
    title, *said = [plain(text) if plainly else text for text in view]
    table = Table.grid(padding=(0, 2))
    table.add_row(Text(title, palette.strong))
    for text in filter(None, said):
        table.add_row(Text(f"  {text}", palette.axis))
    return table


def keys(palette: Palette, shown: Sequence[Action], plainly: bool = False) -> RenderableType:
    """Every action with its keys, group by group; ``plainly``: without arrows."""
    table = Table.grid(padding=(0, 2))
    for group, actions in grouped(shown).items():
        table.add_row(Text(group, palette.strong), Text("? or esc closes, j and k scroll" if group == "Views" else ""))
        for action in actions:
            words = Text(f"{action.title}: {action.help}", palette.axis)
            table.add_row(Text(f"  {action.plain_keys if plainly else action.shown_keys}", palette.text), words)
    return table


def definition(measure: Measure, palette: Palette, plainly: bool = False) -> RenderableType:
    """What the measure is, in the registry's words."""
    facts = {
        "is": measure.definition,
        "means": measure.direction,
        "unit": f"{measure.unit or 'none'}, {measure.low:g} to {measure.high:g}; n counts {measure.counts}",
        "noise": _noise(measure),
        "chance": measure.null,
        "from": measure.source,
        "cost": measure.cost,
    }
    table = Table.grid(padding=(0, 2))
    table.add_row(Text(measure.name, palette.strong), Text(measure.title, palette.strong))
    for name, fact in facts.items():
        if fact:
            table.add_row(Text(f"  {name}", palette.text), Text(plain(fact) if plainly else fact, palette.axis))
    return table


def _noise(measure: Measure) -> str:
    if not measure.floor:
        return ""
    where = f"within {measure.floor:g} of {measure.same:g}" if measure.same else f"below {measure.floor:g}"
    return f"values {where} are noise of the stored numbers"
