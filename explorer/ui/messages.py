"""Messages to the main screen, from the data thread, the jobs and the modes' own threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual.message import Message

if TYPE_CHECKING:
    from pathlib import Path

    from explorer.compute.requests import Request
    from explorer.ui.state import Catalogue, Wish
    from explorer.views.base import View
    from store.duck import Table


@dataclass
class Listed(Message):
    """The store was opened, or its content has changed."""

    catalogue: Catalogue


@dataclass
class Loaded(Message):
    """A view that was asked for."""

    wish: Wish
    view: View
    missing: int
    """Number of values that are not computed."""


@dataclass
class Failed(Message):
    """There is no view, and why. ``wish`` is None when the store itself cannot be read."""

    wish: Wish | None
    reason: str


@dataclass
class Exported(Message):
    """A view was written to a file, or the reason why it was not."""

    path: Path | None
    reason: str = ""


@dataclass
class Answered(Message):
    """A statement was answered, or the reason why it was not."""

    number: int
    table: Table | None
    seconds: float
    reason: str = ""


@dataclass
class Described(Message):
    """Tables that can be queried, with their columns."""

    columns: dict[str, tuple[str, ...]]


@dataclass
class Progress(Message):
    """Progress of a job."""

    done: int
    total: int
    doing: str

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Progress)


@dataclass
class Ended(Message):
    """A job has ended."""

    request: Request
    how: Literal["done", "cancelled", "replaced"]
    """``replaced``: it made room for another one."""
    reason: str = ""
    """Why not everything could be done; empty if it was."""
    said: tuple[str, ...] = ()
    """Results in sentences, if the user waits for them."""


@dataclass
class SessionSaved(Message):
    """The session was saved, or the reason why it was not."""

    trouble: str


@dataclass
class Background(Message):
    """The terminal told its background."""

    dark: bool


@dataclass
class ToMode(Message):
    """A message for one of the modes."""

    mode: str
    message: Message


@dataclass
class Opened(Message):
    """A line that keys were waiting for is open. Unlike ``Led`` it says nothing of the last key: that may be a later
    one, which is still to lead somewhere."""


class Led(Message):
    """A key that might lead elsewhere has done so: what was typed behind it can be acted on."""
