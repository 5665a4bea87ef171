"""What the data thread and the job tell the screen."""

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
    """The store was opened, or what it holds has changed."""

    catalogue: Catalogue


@dataclass
class Loaded(Message):
    """A view of what was asked for; drawn in place of the one before."""

    wish: Wish
    view: View
    missing: int
    """Values of a layer that nobody has computed yet."""


@dataclass
class Failed(Message):
    """No view: why, in words. ``wish`` is None when the store itself cannot be read."""

    wish: Wish | None
    reason: str


@dataclass
class Exported(Message):
    """A view was written to a file, or why not."""

    path: Path | None
    reason: str = ""


@dataclass
class Answered(Message):
    """A statement was answered, or why not."""

    number: int
    table: Table | None
    seconds: float
    reason: str = ""


@dataclass
class Described(Message):
    """Tables that can be asked, with their columns."""

    columns: dict[str, tuple[str, ...]]


@dataclass
class Progress(Message):
    """How far a job is."""

    done: int
    total: int
    doing: str

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Progress)


@dataclass
class Ended(Message):
    """A job is over."""

    request: Request
    how: Literal["done", "cancelled", "replaced"]
    """``replaced``: it made room for another."""
    reason: str = ""
    """Why not everything could be done; empty when all went well."""
    said: tuple[str, ...] = ()
    """What was done, in sentences, where the user waits for that."""


@dataclass
class Kept(Message):
    """The session was saved, or why not."""

    trouble: str


@dataclass
class Background(Message):
    """What the terminal says of its background."""

    dark: bool
