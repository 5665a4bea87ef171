"""What a job says while it runs and at its end, and how that travels as JSON lines.

The explorer's screens use this module: it imports nothing heavy.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from explorer.selection.codec import decode_by_kind, encode_with_kind, kind_of
from store.errors import BertdynError


@dataclass(frozen=True)
class Update:
    """How far it is, counted in the units of its request; of a computation in values of a layer."""

    done: int
    """Finished in this run, failed ones included."""
    total: int
    """To be done in this run."""
    known: int
    """Done before: they were in the store."""
    current: str
    """What was finished last, in words; empty at the start."""


@dataclass(frozen=True)
class Failure:
    """One unit that could not be done, such as a layer of a checkpoint, and why."""

    where: str
    message: str


@dataclass(frozen=True)
class Outcome:
    """How it ended."""

    computed: int
    """Units that are in the store now and were not before."""
    known: int
    failures: tuple[Failure, ...] = ()
    notes: tuple[str, ...] = ()
    """What was left out, and warnings that came with values, each once."""
    cancelled: bool = False
    said: tuple[str, ...] = ()
    """What was done, in sentences, where the user waits for that."""

    @property
    def ok(self) -> bool:
        """Everything that was asked for is in the store."""
        return not self.failures and not self.cancelled

    @classmethod
    def joined(cls, several: Sequence[Outcome]) -> Outcome:
        """Return how the parts of one job ended, as the end of the whole."""
        return cls(
            sum(one.computed for one in several),
            sum(one.known for one in several),
            tuple(failure for one in several for failure in one.failures),
            tuple(dict.fromkeys(note for one in several for note in one.notes)),
            any(one.cancelled for one in several),
            tuple(sentence for one in several for sentence in one.said),
        )


@dataclass(frozen=True)
class Refused:
    """The request cannot be carried out, in a sentence or two for the user; nothing was changed."""

    message: str


Message = Update | Outcome | Refused
_MESSAGES: dict[str, type[Message]] = {kind_of(one): one for one in (Update, Outcome, Refused)}


def message_line(message: Message) -> str:
    """A message as one line of JSON, without its line break."""
    return json.dumps(encode_with_kind(message))


def read_message(line: str) -> Message:
    """The message of such a line.

    Raises:
        BertdynError: the line is none of ours (a job that died in the middle of a line).
    """
    try:
        return decode_by_kind(_MESSAGES, json.loads(line), "message")
    except (ValueError, BertdynError) as error:
        raise BertdynError(f"A job said what nobody understands: {line[:200]!r} ({error!r}).") from None
