"""The parts of a mode: its key, its pictures, its own actions, and its behaviour where it differs from other modes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from explorer.ui.action import Action
from explorer.views.base import Cursor, ViewKind
from explorer.views.kinds import VIEWS

if TYPE_CHECKING:
    from textual.message import Message

    from explorer.ui.screens.main import MainScreen
    from explorer.ui.state import State
    from explorer.ui.widgets.pane import Pane
    from explorer.views.base import View

STEPS = "steps"
"""Axes of views with a step along x and a layer along y."""
STEP, LAYER, HEAD, QUERY = "step", "layer", "head", "query"
AXES: Mapping[str, tuple[str, str]] = {
    STEPS: (STEP, LAYER),
    "steps of a seed": (STEP, ""),
    "steps of a task": (STEP, ""),
    "steps of a head": (STEP, HEAD),
    "steps of a corpus": (STEP, ""),
    "labels": (STEP, ""),
    "paths": (STEP, ""),
    "profile": (LAYER, STEP),
    "layers of a seed": (LAYER, ""),
    "layers of a task": (LAYER, ""),
    "layers of a corpus": (LAYER, ""),
    "layers of a head": (LAYER, HEAD),
    "moved": (LAYER, ""),
    "dynamics": (STEP, ""),
    "heads": (HEAD, LAYER),
    "layers": ("", LAYER),
    "tokens": ("", QUERY),
}
"""Axes that several views share: a cursor that points at a step, layer, head or query token in one view points at it in
all. A state's cursors hold numbers along these axes, and places along all others."""
TOP = Cursor(0, 0)
OF_A_LAYER = (("heads", "", HEAD), ("layers", "", "ref_layer"), ("curves", "seed", ""))
"""What is inside a layer at a step: its heads, its likeness to other layers, or the seeds."""
OF_A_HEAD = (("example", "", HEAD),)
"""What is inside a head: the sentences, the most changed one first."""


class Behaviour:
    """Behaviour of a mode on a screen. Subclasses override methods, and may have their own state."""

    slot = False
    """Whether the mode uses the screen's slot above the picture."""
    typing = False
    """Whether keys are text now."""

    def __init__(self, screen: MainScreen, mode: Mode) -> None:
        self.screen, self.mode = screen, mode

    @property
    def shown(self) -> bool:
        """Whether the screen shows this mode."""
        return self.screen.state.mode == self.mode.name

    def show(self) -> None:
        """Draw the mode's own picture, for a variant without a view."""

    def dressed(self, view: View) -> View:
        """Return a view that was read, with what only the screen knows."""
        return view

    def followed(self, before: View, view: View, at: Cursor) -> Cursor:
        """Return where the cursor points in a view that replaces another one of the same selection."""
        return at

    def job_changed(self) -> None:
        """React to the progress or the end of a job."""

    def leave(self) -> None:
        """Prepare for a change to another mode."""

    def sort(self) -> None:
        """Change the order of the rows or sentences."""
        modes = [behaviour.mode for behaviour in self.screen.modes.values()]
        able = " and ".join(f"{m.sorts} ({self.screen.key_of(f'mode.{m.name}')})" for m in modes if m.sorts)
        self.screen.tell(f"{able} can be sorted.")

    def filter(self) -> None:
        """Open the prompt of the filter key."""
        self.screen.choosing.ask_filter()

    def answered(self, text: str) -> None:
        """Handle the answer of a prompt that this mode opened (``prompt.ask`` with the mode's name)."""

    def cancel(self) -> None:
        """Stop the running job."""
        self.screen.computing.cancel()

    def deeper(self) -> State | None:
        """Return the state that shows what is inside the place that is pointed at; None if nothing changes."""
        return self.screen.walking.inside()

    def holds(self, action: Action, pane: Pane) -> bool:
        """Return whether an action must wait until a pane of this mode has read its view."""
        return False

    def pinned(self, pane: Pane, state: State) -> State:
        """Return the state with the choices that the pane made by default, so that they stay."""
        return state

    def leads_out(self, key: str) -> bool:
        """Return whether a key may end typing, so that the keys after it are commands."""
        return False

    def hear(self, message: Message) -> None:
        """Handle a message that the mode sent from another thread (``messages.ToMode``)."""

    def kept(self) -> Any:
        """Return JSON values to keep in the session; None: keep the earlier ones."""
        return None

    def finish(self) -> None:
        """End all threads and processes of the mode."""


@dataclass(frozen=True)
class Variant:
    """One picture of a mode."""

    title: str
    view: str = ""
    """Name of a view; empty: the mode draws its own picture."""
    part: str = ""
    """Name of one of the view's parts."""
    axes: str = ""
    """Name of its axes; variants with the same axes share a cursor."""
    lines: bool = False
    """Whether it draws lines. The cursor may then point at no line, and all lines keep their colours."""
    downwards: bool = False
    """Whether rows are counted from the top."""
    start: Cursor | None = None
    """Position of the cursor until it is moved."""
    inside: tuple[tuple[str, str, str], ...] = ()
    """Pictures of what is inside a place, the first that the measure has: view, part, and an axis that the measure must
    have (empty: none)."""
    every_task: bool = False
    """Whether it shows all chosen tasks, not only the first."""

    @property
    def kind(self) -> ViewKind | None:
        """Kind of the view; None if the mode draws its own picture."""
        return VIEWS[self.view] if self.view else None

    @property
    def meaning(self) -> tuple[str, str]:
        """Meaning of x and y: STEP, LAYER, HEAD or QUERY; empty for an axis that other views do not share."""
        return AXES.get(self.axes, ("", ""))


@dataclass(frozen=True)
class Mode:
    """A mode: its key, its pictures and its behaviour."""

    name: str
    key: str
    title: str
    help: str
    variants: tuple[Variant, ...]
    keys: tuple[str, ...] = ()
    """Ids of the actions that a first-time user of this mode should know."""
    behaviour: type[Behaviour] = Behaviour
    actions: tuple[Action, ...] = ()
    """Actions that only this mode has."""
    sorts: str = ""
    """Things that the sort key sorts in this mode, for messages; empty: none."""


def list_of(name: str, key: str, **more: Any) -> Mode:
    """Return a mode whose only view is a list of rows, counted from the top."""
    kind = VIEWS[name]
    variant = Variant(kind.title, name, axes=name, downwards=True, start=TOP, every_task=True)
    return Mode(name, key, kind.title, kind.help, (variant,), **more)


def own_list(title: str, axes: str) -> tuple[Variant, ...]:
    """Return the only variant of a mode that draws its own rows, counted from the top."""
    return (Variant(title, axes=axes, downwards=True, start=TOP),)
