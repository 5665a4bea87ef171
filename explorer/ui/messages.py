"""Messages to the main screen from the data thread, the jobs, and the modes' own threads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from textual.message import Message

if TYPE_CHECKING:
    from pathlib import Path

    from explorer.compute.requests import Request
    from explorer.ui.catalogue import Catalogue
    from explorer.ui.state import Wish
    from explorer.views.base import View
    from store.duck import Table


@dataclass
class Listed(Message):
    """The store was opened, or its content has changed."""

    catalogue: Catalogue


@dataclass
class Loaded(Message):
    """A requested view was read."""

    wish: Wish
    view: View
    missing: int
    """Number of values that are not computed."""


@dataclass
class Failed(Message):
    """A view could not be read. ``wish`` is None if the store itself cannot be read."""

    wish: Wish | None
    reason: str


@dataclass
class Exported(Message):
    """A view was written to a file, or could not be written (``reason``)."""

    path: Path | None
    reason: str = ""


@dataclass
class Answered(Message):
    """A statement has ended: with its rows, or without an answer (``reason``)."""

    number: int
    table: Table | None
    seconds: float
    reason: str = ""


@dataclass
class Described(Message):
    """The tables that can be queried were listed, with their columns."""

    columns: dict[str, tuple[str, ...]]


@dataclass
class Progress(Message):
    """A job has made progress."""

    done: int
    total: int
    doing: str
    request: Request | None = None
    """Request that is being done."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, Progress) and message.request == self.request


@dataclass
class Ended(Message):
    """A job has ended."""

    request: Request
    how: Literal["done", "cancelled", "replaced", "left"]
    """``replaced``: it was stopped because another job goes first; ``left``: because nobody looks at its values."""
    reason: str = ""
    """Reason why some work could not be done; empty if everything was done."""
    said: tuple[str, ...] = ()
    """Results as sentences, if the user waits for them."""


@dataclass
class SessionSaved(Message):
    """The session was saved, or could not be saved (``trouble``)."""

    trouble: str


@dataclass
class Background(Message):
    """The terminal reported its background colour."""

    dark: bool


@dataclass
class ToMode(Message):
    """A message for one of the modes."""

    mode: str
    message: Message


@dataclass
class Opened(Message):
    """The prompt is open and takes keys. Unlike ``KeyDone`` it does not say that the last key has taken effect: that
    may be a later key."""


class KeyDone(Message):
    """A key that may move the focus has taken effect: the keys after it can be acted on."""
