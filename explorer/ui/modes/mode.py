"""The parts of a mode: its key, its pictures, its own actions, and how it behaves where it differs from others."""

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

STEPS = "steps"
"""Axes of views with a step along x and a layer along y."""
STEP, LAYER, HEAD = "step", "layer", "head"
AXES: Mapping[str, tuple[str, str]] = {
    STEPS: (STEP, LAYER),
    "steps of a seed": (STEP, ""),
    "steps of a task": (STEP, ""),
    "steps of a head": (STEP, HEAD),
    "labels": (STEP, ""),
    "paths": (STEP, ""),
    "profile": (LAYER, STEP),
    "layers of a seed": (LAYER, ""),
    "layers of a task": (LAYER, ""),
    "heads": (HEAD, LAYER),
    "layers": ("", LAYER),
}
"""Axes along which a cursor means the same in several views: a step, layer or head that is pointed at in one is pointed
at in all. A state's cursors hold numbers along these axes, and places along all others."""
TOP = Cursor(0, 0)


class Behaviour:
    """Behaviour of a mode on a screen. Subclasses override what differs, and may keep state of their own."""

    slot = False
    """The mode uses the screen's slot above the picture."""
    typing = False
    """Keys are text now."""

    def __init__(self, screen: MainScreen, mode: Mode) -> None:
        self.screen, self.mode = screen, mode

    @property
    def shown(self) -> bool:
        """The screen shows this mode."""
        return self.screen.state.mode == self.mode.name

    def show(self) -> None:
        """Draw the picture of a variant that has no view."""

    def job_changed(self) -> None:
        """React to the progress or the end of a job."""

    def leave(self) -> None:
        """Prepare for another mode."""

    def sort(self) -> None:
        """Change the order of the rows or sentences."""
        modes = [behaviour.mode for behaviour in self.screen.modes.values()]
        able = " and ".join(f"{m.sorts} ({self.screen.key_of(f'mode.{m.name}')})" for m in modes if m.sorts)
        self.screen.tell(f"{able} can be sorted.")

    def filter(self) -> None:
        """Open the prompt of the filter key."""
        self.screen.choosing.ask_filter()

    def answered(self, text: str) -> None:
        """Take the answer of a prompt that this mode opened (``prompt.ask`` with the mode's name)."""

    def cancel(self) -> None:
        """Stop the running job."""
        self.screen.computing.cancel()

    def holds(self, action: Action, pane: Pane) -> bool:
        """Whether an action must wait until a pane of this mode has read its view."""
        return False

    def pinned(self, pane: Pane, state: State) -> State:
        """Return the state with the pane's own default choices spelled out, so that they stay."""
        return state

    def leads_out(self, key: str) -> bool:
        """Whether a key may end typing: the keys behind it are commands then."""
        return False

    def hear(self, message: Message) -> None:
        """Take a message that a part of the mode sent from another thread (``messages.ToMode``)."""

    def kept(self) -> Any:
        """Return JSON values to keep in the session; None: nothing new."""
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
    """One of the view's parts."""
    axes: str = ""
    """Variants with the same axes share a cursor."""
    lines: bool = False
    """It draws lines: when none is pointed at, all keep their colours."""
    downwards: bool = False
    """Rows are counted from the top."""
    start: Cursor | None = None
    """Position of the cursor until it is moved."""
    every_task: bool = False
    """It shows all chosen tasks, not only the first."""

    @property
    def kind(self) -> ViewKind | None:
        """The view; None where the mode draws its own picture."""
        return VIEWS[self.view] if self.view else None

    @property
    def meaning(self) -> tuple[str, str]:
        """Meaning of x and y where other views share it: STEP, LAYER, HEAD or nothing."""
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
    """Actions that a first-time user of this mode should know."""
    behaviour: type[Behaviour] = Behaviour
    actions: tuple[Action, ...] = ()
    """Actions that only this mode has."""
    sorts: str = ""
    """Things that the sort key sorts in this mode, in words; empty: none."""


def list_of(name: str, key: str, **more: Any) -> Mode:
    """Return a mode that shows one view as rows counted from the top."""
    kind = VIEWS[name]
    variant = Variant(kind.title, name, axes=name, downwards=True, start=TOP, every_task=True)
    return Mode(name, key, kind.title, kind.help, (variant,), **more)


def own_list(title: str, axes: str) -> tuple[Variant, ...]:
    """Return the one variant of a mode that draws its own rows, counted from the top."""
    return (Variant(title, axes=axes, downwards=True, start=TOP),)
