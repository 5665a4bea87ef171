"""What computing says while it runs and at its end, and how that and the request travel as JSON lines.

The explorer's screens use this module: it imports nothing heavy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from explorer.measures.base import Trust
from explorer.selection import Selection
from explorer.selection.codec import decode_strictly, encode
from store.errors import BertdynError


@dataclass(frozen=True)
class Update:
    """How far it is, counted in values of a layer (one layer of one checkpoint, against its reference)."""

    done: int
    """Computed in this run, failed ones included."""
    total: int
    """To be computed in this run."""
    known: int
    """Read back: they were in the store before."""
    current: str
    """What was finished last, in words; empty at the start."""


@dataclass(frozen=True)
class Failure:
    """One layer of one checkpoint that has no value, and why."""

    where: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """How it ended."""

    computed: int
    """Values of a layer that are in the store now and were not before."""
    known: int
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
    """What was left out, and warnings that came with values, each once."""
    cancelled: bool = False

    @property
    def ok(self) -> bool:
        """Everything that was asked for is in the store."""
        return not self.failures and not self.cancelled


@dataclass(frozen=True)
class Refused:
    """The request cannot be carried out, in a sentence or two for the user; nothing was changed."""

    message: str


@dataclass(frozen=True)
class Request:
    """One selection to compute, and where."""

    selection: Selection
    workers: int | None = None
    """Child processes; None lets the machine and the work decide."""
    device: str = "auto"
    trust: Trust | None = None
    """Null and interval that shall come with the values; None: neither."""


Message = Update | Outcome | Refused


def request_line(request: Request) -> str:
    """The request as one line of JSON, without its line break."""
    return json.dumps(encode(request))


def read_request(line: str) -> Request:
    """The request of such a line.

    Raises:
        BertdynError: not JSON, a field missing, unknown or of another type, or an unusable range or comparison.
    """
    try:
        given = json.loads(line)
    except ValueError:
        raise BertdynError(f"The request is not JSON: {line[:200]!r}.") from None
    return decode_strictly(Request, given)


def message_line(message: Message) -> str:
    """A message as one line of JSON, without its line break."""
    return json.dumps({"kind": type(message).__name__.lower(), **encode(message)})


def read_message(line: str) -> Message:
    """The message of such a line.

    Raises:
        BertdynError: the line is none of ours (a job that died in the middle of a line).
    """
    try:
        fields: dict[str, Any] = json.loads(line)
        return decode_strictly(_MESSAGES[fields.pop("kind")], fields)
    except (ValueError, TypeError, KeyError, AttributeError, BertdynError) as error:
        raise BertdynError(f"A computing job said what nobody understands: {line[:200]!r} ({error!r}).") from None


_MESSAGES: Mapping[str, type[Message]] = {kind.__name__.lower(): kind for kind in (Update, Outcome, Refused)}
