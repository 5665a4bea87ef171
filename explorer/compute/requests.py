"""Define the requests that a job can run: each kind is a dataclass with its own ``run``.

The queue, its child process and the list of jobs take any of them: a new kind is a class here, named in ``KINDS``. The
explorer's screens use this module: it imports nothing heavy.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from explorer.compute.protocol import Failure, Outcome, Update
from explorer.measures.computation import Uncertainty
from explorer.selection import Selection
from explorer.selection.codec import decode_by_kind, encode_with_kind, kind_of
from store.errors import BertdynError


class Request(ABC):
    """Work for one child process. Subclasses are frozen dataclasses with fields that JSON can hold."""

    units: ClassVar[str]
    """Unit of its progress: ``values of a layer``."""
    doing: ClassVar[str]
    """Verb shown while it runs: ``computing``."""
    undone: ClassVar[str]
    """Words before the reason of a failure: ``Not computed``."""
    kept: ClassVar[str]
    """What stays when it is cancelled, and what continues it; ``{compute}`` is the key that computes."""
    beside: ClassVar[bool] = False
    """Whether it runs beside the queue: it stops no job, waits for none, and is stopped for none."""
    module: ClassVar[str] = "explorer.compute.job"
    """Module that runs it as a child process; it knows the kind."""

    @property
    @abstractmethod
    def title(self) -> str:
        """Title of the job in one or two words: a measure, 'labels'."""

    @property
    @abstractmethod
    def subject(self) -> str:
        """Checkpoints, corpus or file of the job, in one line."""

    @property
    def facts(self) -> Mapping[str, str]:
        """Columns and cells of the job in a table."""
        return {}

    @abstractmethod
    def run(self, store: Path, progress: Callable[[Update], None]) -> Outcome:
        """Run it in the child process.

        KeyboardInterrupt cancels it: what was finished must be kept.

        Raises:
            BertdynError: it is refused, and nothing was changed.
        """


@dataclass(frozen=True)
class Compute(Request):
    """Compute the missing values of one selection."""

    units: ClassVar[str] = "values of a layer"
    doing: ClassVar[str] = "computing"
    undone: ClassVar[str] = "Not computed"
    kept: ClassVar[str] = "finished values are kept. {compute} continues"

    selection: Selection
    workers: int | None = None
    """Number of child processes; None: chosen by machine and work."""
    device: str = "auto"
    trust: Uncertainty | None = None
    """Null and interval to compute with the values; None: neither."""

    @property
    def title(self) -> str:
        """See ``Request``."""
        return self.selection.measure

    @property
    def subject(self) -> str:
        """See ``Request``: 'sst2 seed 1,2 from pretrained, corpus dev'."""
        asked = self.selection
        parts = [", ".join(asked.tasks) or "all tasks"]
        parts += [f"seed {','.join(asked.seeds)}"] if asked.seeds else []
        parts += [f"step {asked.steps}"] if asked.steps else []
        parts += [f"layer {asked.layers}"] if asked.layers else []
        parts += [f"from {asked.against}"] if asked.against else []
        parts += ["every layer against every layer"] if asked.ref_layers else []
        return " ".join(parts) + (f", corpus {self._corpora}" if asked.corpus else "")

    @property
    def _corpora(self) -> str:
        return ",".join((self.selection.corpus, *self.selection.beside))

    @property
    def facts(self) -> Mapping[str, str]:
        """See ``Request``."""
        asked = self.selection
        return {
            "measure": asked.measure,
            "corpus": self._corpora,
            "tasks": ",".join(asked.tasks),
            "seeds": ",".join(asked.seeds),
            "steps": str(asked.steps or ""),
            "layers": str(asked.layers or ""),
            "against": str(asked.against or ""),
        }

    def run(self, store: Path, progress: Callable[[Update], None]) -> Outcome:
        """See ``Request``."""
        from explorer.compute.executors import workers_of
        from explorer.compute.run import compute
        from explorer.selection import ask_store
        from explorer.selection.question import NO_TRUST
        from store.store import Store

        opened = Store.open(store)
        trust = self.trust or NO_TRUST
        executor = workers_of(None, opened.path)
        done: list[Outcome] = []
        for one in ask_store(opened, self.selection, trust).every:
            done.append(compute(opened, [one], progress, self.workers, self.device, executor, trust))
            if done[-1].cancelled:
                break
        return Outcome.joined(done)


@dataclass(frozen=True)
class Annotate(Request):
    """Add the labels in a file to a corpus, as `bertdyn annotate` does."""

    units: ClassVar[str] = "annotations"
    doing: ClassVar[str] = "adding"
    undone: ClassVar[str] = "Not added"
    kept: ClassVar[str] = "labels that were added stay"

    corpus: str
    file: str
    """Path, relative to the working directory."""
    text: str | None = None
    """Column of the sentences; None: the usual one."""
    label: str | None = None
    """Columns of the labels; None: the usual ones."""
    name: str | None = None
    """Name of the labels of one column; None: the column's name."""
    limit: int | None = None
    """Number of sentences to read; None: all."""
    replace: bool = False
    """Whether labels replace others of the same name."""

    @property
    def title(self) -> str:
        """See ``Request``."""
        return "labels"

    @property
    def subject(self) -> str:
        """See ``Request``: 'topics.tsv, column topic, corpus dev'."""
        columns = f", column {self.label}" if self.label else ""
        return f"{Path(self.file).name}{columns}, corpus {self.corpus}"

    @property
    def facts(self) -> Mapping[str, str]:
        """See ``Request``."""
        return {"corpus": self.corpus, "file": self.file, "labels": self.label or ""}

    def run(self, store: Path, progress: Callable[[Update], None]) -> Outcome:
        """See ``Request``."""
        from store.corpora.annotate import annotations_in
        from store.store import Store

        opened = Store.open(store)
        made = annotations_in(
            Path(self.file),
            opened,
            self.corpus,
            text=self.text,
            label=self.label,
            name=self.name,
            limit=self.limit,
            replace=self.replace,
        )
        said: list[str] = []
        lost: list[Failure] = []
        added = 0
        progress(Update(0, len(made), 0, ""))
        for done, one in enumerate(made, 1):
            try:
                is_new = opened.annotate(self.corpus, one, self.replace)
            except BertdynError as error:  # what was added before stays
                lost.append(Failure(one.info.name, str(error)))
            else:
                added += is_new
                said.append(f"{'added' if is_new else 'there already'}: {one.info.in_words()}")
            progress(Update(done, len(made), 0, one.info.name))
        return Outcome(added, len(said) - added, tuple(lost), said=tuple(said))


KINDS: list[type[Request]] = [Compute, Annotate]
"""All kinds of requests."""


def request_line(request: Request) -> str:
    """Return a request as one line of JSON, without a line break."""
    return json.dumps(encode_with_kind(request))


def read_request(line: str) -> Request:
    """Return the request in a line of JSON.

    Raises:
        BertdynError: not JSON, an unknown kind, a field missing, unknown or of another type, or an unusable range or
            comparison.
    """
    try:
        given = json.loads(line)
    except ValueError:
        raise BertdynError(f"The request is not JSON: {line[:200]!r}.") from None
    return decode_by_kind({kind_of(one): one for one in KINDS}, given, "request")
