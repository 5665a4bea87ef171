"""Compute what a selection lacks, in child processes, and keep every row as it comes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import AbstractContextManager
from itertools import islice
from typing import TYPE_CHECKING

from explorer.compute.plan import Plan, Task, group, plan
from explorer.compute.pool import cpus, local_pool
from explorer.compute.protocol import Failure, Outcome, Update
from explorer.compute.worker import Setting, TaskReport, run_task
from explorer.measures import get
from explorer.selection import Selection

if TYPE_CHECKING:
    from store.keys import Result
    from store.store import Store

PoolMaker = Callable[[int], AbstractContextManager[Executor]]
MOST_WORKERS = 8
"""Child processes unless asked for more: each takes some 300 MB for torch, and its own share of the GPU's memory."""
SMALL = 64 * 2**20
"""Bytes to read below which a second process costs more (a second for importing torch) than it brings."""
FLUSH_SECONDS = 0.5
"""Rows wait at most so long to be written: a fragment a task would be thousands of files in a large run."""


def compute(
    store: Store,
    selection: Selection,
    progress: Callable[[Update], None] = lambda update: None,
    workers: int | None = None,
    device: str = "auto",
    pool: PoolMaker = local_pool,
) -> Outcome:
    """Compute the selection's missing values; what is known stays as it is.

    Ctrl-C (KeyboardInterrupt, also raised by ``progress``) ends it: what was finished is kept, child processes are
    killed, and the outcome says ``cancelled``. So does the death of a child, with a failure that names its task.

    Args:
        progress: called at the start and after each task, in this thread.
        workers: child processes; None chooses by the machine and the work.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``...
        pool: makes an executor for a number of workers; the place for a cluster's.

    Raises:
        BertdynError: as plan(); or a device that is not there.
    """
    planned = plan(store, selection)
    todo = len(planned.missing)
    progress(Update(0, todo, planned.known, ""))
    if not todo:
        return Outcome(0, planned.known, notes=planned.notes)
    small = not get(selection.measure).needs_labels and _bytes(store, planned) < SMALL  # labels: long work, few bytes
    workers = workers or min(cpus(), MOST_WORKERS, 1 if small else todo)
    tasks = group(planned.missing, workers)
    kept = _Keeper(store)
    done = lost = 0
    failures: list[Failure] = []
    cancelled = False

    def finished(task: Task, report: TaskReport) -> None:
        nonlocal done, lost
        done += len(task.pairs)
        lost += len(report.failures)
        failures.extend(report.failures)
        kept.add(report.rows)
        progress(Update(done, todo, planned.known, str(task)))

    try:
        with pool(min(workers, len(tasks))) as executor:
            death = _run(executor, _setting(store, planned, device), tasks, min(workers, len(tasks)), finished)
        failures += [death] if death else []
    except KeyboardInterrupt:
        cancelled = True
    finally:
        kept.flush()
    return Outcome(done - lost, planned.known, tuple(failures), (*planned.notes, *warnings(kept.warned)), cancelled)


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
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                report = future.result()
                finished(running.pop(future), report)
    except BrokenExecutor as error:
        suspects = [task for future, task in running.items() if not _salvaged(future, task, finished)]
        suspects = suspects or [handed]  # it died between two tasks: the next one could not be handed out
        code = re.search(r"\{(.*?)\}", str(error))
        return Failure(
            " or ".join(map(str, suspects)),
            f"A worker process died{f' ({code[1]})' if code else ''} while computing {setting.measure}. "
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


def _setting(store: Store, planned: Plan, device: str) -> Setting:
    chosen = planned.selection
    return Setting(str(store.path), chosen.measure, chosen.probe, chosen.parameters, device)


def _bytes(store: Store, planned: Plan) -> int:
    """What the missing values' sides take in the store, near enough."""
    selection = planned.selection
    info = next(i for i in store.probes() if i.name == selection.probe)
    first = store.checkpoint(selection.probe, planned.missing[0].pair.key)
    hidden = get(selection.measure).reads == "hidden"
    return len(planned.missing) * 2 * (info.tokens * first.width if hidden else info.pairs * first.heads)


class _Keeper:
    """Writes rows a few times a second, those of one task always together."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._rows: list[Result] = []
        self._written = -FLUSH_SECONDS
        self.warned: list[Result] = []

    def add(self, rows: Sequence[Result]) -> None:
        self._rows += rows
        self.warned += [row for row in rows if row.reason]
        if time.monotonic() - self._written >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            self._store.add_results(self._rows)
            # Only now: an interrupt before this line writes them twice, which the newest row of a key makes harmless.
            self._rows = []
            self._written = time.monotonic()
