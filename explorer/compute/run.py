"""Compute what a selection lacks, in child processes, and keep every row as it comes."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import AbstractContextManager, suppress
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.compute.inputs import INPUTS
from explorer.compute.plan import Plan, Task, group, jobs_of, plan
from explorer.compute.pool import cpus, local_pool
from explorer.compute.protocol import Failure, Outcome, Update
from explorer.compute.trust import carried
from explorer.compute.worker import Setting, TaskReport, run_task
from explorer.measures import Trust
from explorer.selection import Question
from explorer.selection.question import NO_TRUST
from explorer.selection.stored import conditions, further_axes
from store.results import Result, row_key
from store.rows import AnyOf, Is, Not, RowQuery

if TYPE_CHECKING:
    from store.store import Store

PoolMaker = Callable[[int], AbstractContextManager[Executor]]
MOST_WORKERS = 8
"""Child processes unless asked for more: each takes some 300 MB for torch, and its own share of the GPU's memory."""
SMALL = 64 * 2**20
"""Bytes to read below which a second process costs more (a second for importing torch) than it brings."""
LOOK_SECONDS = 0.5
"""How often the workers' own notes are read while none has finished its task."""
FLUSH_SECONDS = 0.5
"""Rows wait at most so long to be written: a fragment a task would be thousands of files in a large run."""


def compute(
    store: Store,
    questions: Sequence[Question],
    progress: Callable[[Update], None] = lambda update: None,
    workers: int | None = None,
    device: str = "auto",
    pool: PoolMaker = local_pool,
    trust: Trust = NO_TRUST,
) -> Outcome:
    """Compute the questions' missing values; what is known stays as it is.

    A measure that proposes its cells in rounds is asked again after each, until it has nothing to add.

    Ctrl-C (KeyboardInterrupt, also raised by ``progress``) ends it: what was finished is kept, child processes are
    killed, and the outcome says ``cancelled``. So does the death of a child, with a failure that names its task.

    Args:
        questions: of one corpus: measures of the same checkpoints share what they read.
        progress: called at the start, after each task and now and then during long ones, in this thread.
        workers: child processes; None chooses by the machine and the work.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``...
        pool: makes an executor for a number of workers; the place for a cluster's.
        trust: null and interval that shall come with the values.

    Raises:
        BertdynError: as plan(); or a device that is not there.
    """
    plans = [plan(store, question, trust) for question in questions]
    outcome = _round(store, plans, progress, workers, device, pool, trust)
    known, rounds = outcome.known, [outcome]
    while not all(planned.exact for planned in plans) and outcome.ok and outcome.computed:
        plans = [plan(store, question, trust) for question in questions]
        if not any(planned.missing for planned in plans):
            break
        outcome = _round(store, plans, progress, workers, device, pool, trust)
        rounds.append(outcome)
    return Outcome(
        sum(each.computed for each in rounds),
        known,
        tuple(failure for each in rounds for failure in each.failures),
        tuple(dict.fromkeys(note for each in rounds for note in each.notes)),
        outcome.cancelled,
    )


def _round(
    store: Store,
    plans: Sequence[Plan],
    progress: Callable[[Update], None],
    workers: int | None,
    device: str,
    pool: PoolMaker,
    trust: Trust,
) -> Outcome:
    """Compute the cells that some plans lack."""
    todo, known = sum(len(p.missing) for p in plans), sum(p.known for p in plans)
    notes = tuple(dict.fromkeys(note for p in plans for note in p.notes))
    progress(Update(0, todo, known, ""))
    if not todo:
        return Outcome(0, known, notes=notes)
    small = not any(p.question.measure.slow for p in plans) and _bytes(store, plans) < SMALL
    workers = workers or min(cpus(), MOST_WORKERS, 1 if small else todo)
    tasks = group(jobs_of(plans), workers)
    kept = _Keeper(store, plans, _before(store, plans, trust))
    done = lost = 0
    failures: list[Failure] = []
    cancelled = False

    def finished(task: Task, report: TaskReport) -> None:
        nonlocal done, lost
        done += task.cells
        lost += len(report.failures)
        failures.extend(report.failures)
        kept.add(report.rows)
        progress(Update(done, todo, known, str(task)))

    def under_way(note: str) -> None:
        progress(Update(done, todo, known, note))

    try:
        with (
            tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
            pool(min(workers, len(tasks))) as executor,
        ):
            setting = _setting(store, plans, device, trust, folder)
            death = _run(executor, setting, tasks, min(workers, len(tasks)), finished, under_way)
        failures += [death] if death else []
    except KeyboardInterrupt:
        cancelled = True
    finally:
        kept.flush()
    return Outcome(done - lost, known, tuple(failures), (*notes, *warnings(kept.warned)), cancelled)


def warnings(rows: Iterable[Result]) -> tuple[str, ...]:
    """The reasons that rows give, each kind (the words before its colon) once, with its count and the first in full."""
    kinds: dict[str, list[str]] = {}
    for row in rows:
        if row.reason:
            kinds.setdefault(row.reason.partition(":")[0], []).append(row.reason)
    return tuple(
        f"{reasons[0]} ({len(reasons):,} rows{', this is the first' if len(set(reasons)) > 1 else ''})"
        for reasons in kinds.values()
    )


def _run(
    executor: Executor,
    setting: Setting,
    tasks: Sequence[Task],
    window: int,
    finished: Callable[[Task, TaskReport], None],
    under_way: Callable[[str], None],
) -> Failure | None:
    """Hand out tasks, as many as there are workers and no more: then it is known what each one was at when one dies."""
    waiting = iter(tasks)
    running: dict[Future[TaskReport], Task] = {}
    handed = tasks[0]
    try:
        while True:
            for handed in islice(waiting, window - len(running)):
                running[executor.submit(run_task, setting, handed)] = handed
            if not running:
                return None
            ready = wait(running, LOOK_SECONDS, FIRST_COMPLETED).done
            if not ready:
                for note in _noted(setting.notes):
                    under_way(note)
            for future in ready:
                report = future.result()
                finished(running.pop(future), report)
    except BrokenExecutor as error:
        suspects = [task for future, task in running.items() if not _salvaged(future, task, finished)]
        suspects = suspects or [handed]  # it died between two tasks: the next one could not be handed out
        code = re.search(r"\{(.*?)\}", str(error))
        return Failure(
            " or ".join(map(str, suspects)),
            f"A worker process died{f' ({code[1]})' if code else ''} while computing "
            f"{', '.join(question.measure.name for question in setting.questions)}. "
            "It may have run out of memory: try --workers 1.",
        )
    except KeyboardInterrupt:
        for future, task in running.items():
            _salvaged(future, task, finished)
        raise


def _salvaged(future: Future[TaskReport], task: Task, finished: Callable[[Task, TaskReport], None]) -> bool:
    if not future.done() or future.exception() is not None:
        return False
    finished(task, future.result())
    return True


def _noted(folder: str) -> list[str]:
    """What the workers wrote since the last look: each note is read once."""
    found = []
    for path in Path(folder).glob("*"):
        with suppress(OSError):
            found.append(path.read_text())
            path.unlink()
    return [note for note in found if note]


def _setting(store: Store, plans: Sequence[Plan], device: str, trust: Trust, notes: str) -> Setting:
    questions = tuple(planned.question for planned in plans)
    known = {cell: planned.known_of(cell) for planned in plans if planned.finished for cell in planned.missing}
    corpus = questions[0].corpus
    digests = tuple(a.digest for one in store.corpora() if one.name == corpus for a in one.annotations)
    return Setting(str(store.path), corpus, questions, device, trust, notes, known, digests)


def _bytes(store: Store, plans: Sequence[Plan]) -> int:
    """What the missing values' sides take in the store, near enough."""
    total = 0
    for planned in plans:
        if planned.missing:
            corpus = planned.question.corpus
            sizes = next(((one.tokens, one.pairs) for one in store.corpora() if one.name == corpus), (0, 0))
            first = store.checkpoint(corpus, planned.missing[0].key)
            reads = planned.question.measure.reads
            total += len(planned.missing) * sum(INPUTS[one.kind].bytes(first, *sizes) for one in reads)
    return total


def _before(store: Store, plans: Sequence[Plan], trust: Trust) -> dict[str, Result]:
    """Rows that are there already with something that was asked for beside the value, by the hash of their key."""
    found: dict[str, Result] = {}
    for planned in plans:
        question = planned.question
        if trust == NO_TRUST and not question.detail:
            continue
        more = AnyOf((Not(Is("null_value", None)), Not(Is("interval_low", None)), Not(Is("details", "{}"))))
        query = RowQuery((*conditions(question, question.tasks), more), axes=further_axes(question.measure))
        found |= {row_key(row): row for row in store.results(query)}
    return found


class _Keeper:
    """Writes rows a few times a second, those of one task always together."""

    def __init__(self, store: Store, plans: Sequence[Plan], before: Mapping[str, Result]) -> None:
        self._store, self._before = store, before
        self._details = {p.question.measure.name: p.question.measure.details for p in plans}
        self._rows: list[Result] = []
        self._written = -FLUSH_SECONDS
        self.warned: list[Result] = []

    def add(self, rows: Sequence[Result]) -> None:
        for row in rows:
            before = self._before.get(row_key(row)) if self._before else None
            self._rows.append(carried(row, before, self._details[row.measure]))
        self.warned += [row for row in rows if row.reason]
        if time.monotonic() - self._written >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            self._store.add_results(self._rows)
            # Only now: an interrupt before this line writes them twice, which the newest row of a key makes harmless.
            self._rows = []
            self._written = time.monotonic()
