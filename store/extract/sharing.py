"""Checkpoints that other processes extract: what each of them is told, and what becomes of one that dies.

A checkpoint is a task. It travels as names and paths; the process that does it looks at the folder itself, reads the
corpora from the store and puts the checkpoint in its place there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from store.errors import BertdynError
from store.extract.checkpoint import Progress, Silent, extract_checkpoint
from store.extract.find import Found
from store.extract.plan import ExtractOptions, Outcome, Plan, Work, choose_device
from store.models.load import look
from store.store import Store

P = ParamSpec("P")
T = TypeVar("T")
POLL_SECONDS = 0.5


class Verdict(Protocol):
    """What it means that a task gave an error."""

    @property
    def message(self) -> str:
        """In a sentence or two."""
        ...

    @property
    def over(self) -> bool:
        """No further task can be done."""
        ...


class Helpers(Protocol):
    """Other processes that do tasks, at most one each at a time."""

    @property
    def count(self) -> int:
        """How many there are now."""
        ...

    @property
    def threads(self) -> int:
        """Threads of arithmetic that each may use; 0: as many as it has."""
        ...

    def submit(self, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Hand out a task."""
        ...

    def gone(self) -> str:
        """Say why no task will ever be done any more; empty while they work."""
        ...

    def verdict(self, error: BaseException, doing: str) -> Verdict | None:
        """Say what an error of a task means; None where it is a bug."""
        ...


@dataclass(frozen=True)
class Errand:
    """One checkpoint for another process: names and paths, no array."""

    store: Path
    found: Found
    reference: Path | None
    """Folder of the pre-trained model, whose configuration or weights a checkpoint may need."""
    work: tuple[tuple[str, int, int, bool], ...]
    """Corpus, bytes, tokens, and whether it replaces a stored one."""
    options: ExtractOptions
    threads: int


def share(
    plan: Plan,
    store: Callable[[], Store],
    groups: Mapping[Found, tuple[Work, ...]],
    helpers: Helpers,
    notes: list[str],
    progress: Progress,
) -> Iterator[list[tuple[Work, Outcome]]]:
    """Hand out checkpoints, as many at a time as there are processes, and yield what became of each.

    Args:
        store: makes the store with the corpora in it.
        notes: gets what a user should know.
    """
    if groups:
        store()
    waiting = iter(groups.items())
    running: dict[Future[tuple[tuple[Outcome, ...], tuple[str, ...]]], tuple[Work, ...]] = {}
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
        if gone:  # they may never answer
            yield from (_failed(group, gone) for group in running.values())
            break
    for _, group in waiting:
        yield _failed(group, gone)


def run_errand(errand: Errand) -> tuple[tuple[Outcome, ...], tuple[str, ...]]:
    """Extract one checkpoint in this process: what became of it on each corpus, and notes."""
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
        return tuple(Outcome(errand.found.key, name, "failed", str(error)) for name in names), ()
    work = tuple(Work(errand.found, model, *one) for one in errand.work)
    plan = Plan(errand.store, corpora, work, (), (), 0, device, errand.options)
    notes: list[str] = []
    done = extract_checkpoint(plan, lambda: opened, errand.found, work, notes, Silent())
    return tuple(outcome for _, outcome in done), tuple(notes)


def _errand(plan: Plan, found: Found, group: tuple[Work, ...], threads: int) -> Errand:
    work = tuple((one.corpus, one.bytes, one.tokens, one.replace) for one in group)
    reference = group[0].model.base or group[0].model.config.folder
    options = replace(plan.options, elsewhere=False)
    absolute = replace(found, folder=found.folder.absolute())
    return Errand(plan.store.absolute(), absolute, reference.absolute(), work, options, threads)


def _failed(group: tuple[Work, ...], message: str) -> list[tuple[Work, Outcome]]:
    return [(one, Outcome(one.found.key, one.corpus, "failed", message)) for one in group]


def _verdict(helpers: Helpers, error: Exception, doing: str) -> Verdict:
    found = helpers.verdict(error, doing)
    if found is None:
        raise error
    return found
