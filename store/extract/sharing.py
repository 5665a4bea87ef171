"""Distribute checkpoints to other processes, and handle processes that die.

A task is one checkpoint, sent as names and paths. The process that gets it opens the folder itself, reads the corpora
from the store and writes the checkpoint there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from store.errors import BertdynError
from store.extract.checkpoint import ExtractProgress, Silent, extract_checkpoint
from store.extract.find import Found
from store.extract.plan import ExtractOptions, ExtractOutcome, ExtractPlan, Work, choose_device
from store.models.load import look
from store.store import Store

P = ParamSpec("P")
T = TypeVar("T")
POLL_SECONDS = 0.5


class Verdict(Protocol):
    """The meaning of an error of a task."""

    @property
    def message(self) -> str:
        """The error in one or two sentences."""
        ...

    @property
    def over(self) -> bool:
        """Whether no further task can be done."""
        ...


class Helpers(Protocol):
    """Other processes that do tasks, each at most one at a time."""

    @property
    def count(self) -> int:
        """Current number of processes."""
        ...

    @property
    def threads(self) -> int:
        """Number of arithmetic threads that each process may use; 0: as many as it has."""
        ...

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Send a task to one of the processes."""
        ...

    def gone(self) -> str:
        """Return why no task can be done any more; empty while the processes work."""
        ...

    def verdict(self, error: BaseException, doing: str) -> Verdict | None:
        """Return the meaning of an error of a task; None if the error is a bug."""
        ...


@dataclass(frozen=True)
class Errand:
    """One checkpoint for another process: names and paths, no arrays."""

    store: Path
    found: Found
    reference: Path | None
    """Folder of the pre-trained model, whose configuration or weights a checkpoint may need."""
    work: tuple[tuple[str, int, int, bool], ...]
    """Work per corpus: name of the corpus, bytes, tokens, and whether it replaces stored arrays."""
    options: ExtractOptions
    threads: int


def share(
    plan: ExtractPlan,
    store: Callable[[], Store],
    groups: Mapping[Found, tuple[Work, ...]],
    helpers: Helpers,
    notes: list[str],
    progress: ExtractProgress,
) -> Iterator[list[tuple[Work, ExtractOutcome]]]:
    """Distribute checkpoints, one per process at a time, and yield the outcomes of each.

    Args:
        store: create the store with the corpora in it and return it.
        notes: a list to which notes for the user are appended.
    """
    if groups:
        store()
    waiting = iter(groups.items())
    running: dict[Future[tuple[tuple[ExtractOutcome, ...], tuple[str, ...]]], tuple[Work, ...]] = {}
    gone = ""
    while True:
        while not gone and len(running) < helpers.count and (given := next(waiting, None)) is not None:
            found, group = given
            progress.loading(found.key)
            try:
                running[helpers.submit(run_errand, _errand(plan, found, group, helpers.threads))] = group
            except Exception as error:
                gone = _verdict(helpers, error, str(found.key)).message
                yield _failed(group, gone)
        if not running:
            break
        for future in wait(running, POLL_SECONDS, FIRST_COMPLETED).done:
            group = running.pop(future)
            try:
                outcomes, said = future.result()
            except Exception as error:
                verdict = _verdict(helpers, error, str(group[0].found.key))
                gone = verdict.message if verdict.over else gone
                yield _failed(group, verdict.message)
            else:
                notes += said
                yield list(zip(group, outcomes, strict=True))
        gone = gone or helpers.gone()
        if gone:  # the running tasks may never answer
            yield from (_failed(group, gone) for group in running.values())
            break
    for _, group in waiting:
        yield _failed(group, gone)


def run_errand(errand: Errand) -> tuple[tuple[ExtractOutcome, ...], tuple[str, ...]]:
    """Extract one checkpoint in this process. Return its outcome per corpus, and notes."""
    import torch

    if errand.threads:
        torch.set_num_threads(errand.threads)
    names = [corpus for corpus, *_ in errand.work]
    opened = Store.open(errand.store)
    try:
        model = look(errand.found.folder, errand.reference)
        device = choose_device(errand.options.device)
        corpora = {name: opened.corpus(name) for name in names}
    except BertdynError as error:
        return tuple(ExtractOutcome(errand.found.key, name, "failed", str(error)) for name in names), ()
    work = tuple(Work(errand.found, model, *one) for one in errand.work)
    plan = ExtractPlan(errand.store, corpora, work, (), (), 0, device, errand.options)
    notes: list[str] = []
    done = extract_checkpoint(plan, lambda: opened, errand.found, work, notes, Silent())
    return tuple(outcome for _, outcome in done), tuple(notes)


def _errand(plan: ExtractPlan, found: Found, group: tuple[Work, ...], threads: int) -> Errand:
    work = tuple((one.corpus, one.bytes, one.tokens, one.replace) for one in group)
    reference = group[0].model.base or group[0].model.config.folder
    options = replace(plan.options, elsewhere=False)
    absolute = replace(found, folder=found.folder.absolute())
    return Errand(plan.store.absolute(), absolute, reference.absolute(), work, options, threads)


def _failed(group: tuple[Work, ...], message: str) -> list[tuple[Work, ExtractOutcome]]:
    return [(one, ExtractOutcome(one.found.key, one.corpus, "failed", message)) for one in group]


def _verdict(helpers: Helpers, error: Exception, doing: str) -> Verdict:
    found = helpers.verdict(error, doing)
    if found is None:
        raise error
    return found
