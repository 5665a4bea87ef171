"""What computing says while it runs and at its end, and how that and the request travel as JSON lines.

The explorer's screens use this module: it imports nothing heavy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from explorer.selection import Against, Ranges, Selection
from store.errors import BertdynError

if TYPE_CHECKING:
    from explorer.measures import Trust


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
    chosen = request.selection
    return json.dumps(
        {
            "measure": chosen.measure,
            "corpus": chosen.corpus,
            "annotation": chosen.annotation,
            "tasks": list(chosen.tasks),
            "seeds": list(chosen.seeds),
            "steps": None if chosen.steps is None else str(chosen.steps),
            "layers": None if chosen.layers is None else str(chosen.layers),
            "against": None if chosen.against is None else str(chosen.against),
            "parameters": dict(chosen.parameters),
            "ref_layers": None if chosen.ref_layers is None else str(chosen.ref_layers),
            "detail": chosen.detail,
            "trust": None if request.trust is None else asdict(request.trust),
            "workers": request.workers,
            "device": request.device,
        }
    )


def read_request(line: str) -> Request:
    """The request of such a line; only ``measure`` and ``corpus`` must be there.

    Raises:
        BertdynError: no JSON object, a field missing or of another type, or an unusable range or comparison.
    """
    try:
        given = json.loads(line)
        selection = Selection(
            measure=_text(given["measure"]),
            corpus=_text(given["corpus"]),
            annotation=_text(given.get("annotation") or ""),
            tasks=tuple(_text(t) for t in given.get("tasks") or ()),
            seeds=tuple(_text(s) for s in given.get("seeds") or ()),
            steps=_ranges(given.get("steps"), "steps"),
            layers=_ranges(given.get("layers"), "layers"),
            against=None if given.get("against") is None else Against.parse(_text(given["against"])),
            parameters=tuple(sorted(dict(given.get("parameters") or {}).items())),
            ref_layers=_ranges(given.get("ref_layers"), "ref_layers"),
            detail=_text(given.get("detail") or ""),
        )
        workers = given.get("workers")
        return Request(
            selection,
            None if workers is None else int(workers),
            _text(given.get("device") or "auto"),
            None if given.get("trust") is None else _trust(given["trust"]),
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BertdynError(f"The request is not a JSON object with 'measure' and 'corpus': {error!r}.") from None


def message_line(message: Message) -> str:
    """A message as one line of JSON, without its line break."""
    return json.dumps({"kind": type(message).__name__.lower(), **asdict(message)})


def read_message(line: str) -> Message:
    """The message of such a line.

    Raises:
        BertdynError: the line is none of ours (a job that died in the middle of a line).
    """
    try:
        fields: dict[str, Any] = json.loads(line)
        match fields.pop("kind"):
            case "update":
                return Update(**fields)
            case "refused":
                return Refused(**fields)
            case "outcome":
                return _outcome(fields)
            case other:
                raise ValueError(f"kind {other!r}")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise BertdynError(f"A computing job said what nobody understands: {line[:200]!r} ({error!r}).") from None


def _outcome(fields: Mapping[str, Any]) -> Outcome:
    given = dict(fields)
    failures = tuple(Failure(**failure) for failure in given.pop("failures"))
    return Outcome(failures=failures, notes=tuple(given.pop("notes")), **given)


def _trust(fields: Mapping[str, Any]) -> Trust:
    from explorer.measures import Trust  # numpy comes with it, which who only asks can do without

    return Trust(**fields)


def _ranges(value: object, what: str) -> Ranges | None:
    return None if value is None else Ranges.parse(_text(value), what)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value
