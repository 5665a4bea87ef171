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

from explorer.compute.plan import NO_TRUST, Plan, Task, group, jobs_of, plan
from explorer.compute.pool import cpus, local_pool
from explorer.compute.protocol import Failure, Outcome, Update
from explorer.compute.trust import carried
from explorer.compute.worker import Setting, TaskReport, run_task
from explorer.measures import Trust, canonical, get
from explorer.selection import Selection
from store.tables import RESULTS

if TYPE_CHECKING:
    from store.keys import Result
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
    selections: Sequence[Selection],
    progress: Callable[[Update], None] = lambda update: None,
    workers: int | None = None,
    device: str = "auto",
    pool: PoolMaker = local_pool,
    trust: Trust = NO_TRUST,
) -> Outcome:
    """Compute the selections' missing values; what is known stays as it is.

    Ctrl-C (KeyboardInterrupt, also raised by ``progress``) ends it: what was finished is kept, child processes are
    killed, and the outcome says ``cancelled``. So does the death of a child, with a failure that names its task.

    Args:
        selections: of one corpus: measures of the same checkpoints share what they read.
        progress: called at the start, after each task and now and then during long ones, in this thread.
        workers: child processes; None chooses by the machine and the work.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``...
        pool: makes an executor for a number of workers; the place for a cluster's.
        trust: null and interval that shall come with the values.

    Raises:
        BertdynError: as plan(); or a device that is not there.
    """
    plans = [plan(store, selection, trust) for selection in selections]
    todo, known = sum(len(p.missing) for p in plans), sum(p.known for p in plans)
    notes = tuple(dict.fromkeys(note for p in plans for note in p.notes))
    progress(Update(0, todo, known, ""))
    if not todo:
        return Outcome(0, known, notes=notes)
    labelled = any(get(s.measure).needs_labels for s in selections)  # long work, few bytes
    workers = workers or min(cpus(), MOST_WORKERS, 1 if not labelled and _bytes(store, plans) < SMALL else todo)
    tasks = group(jobs_of(plans), workers)
    kept = _Keeper(store, _trusted(store, plans, trust))
    done = lost = 0
    failures: list[Failure] = []
    cancelled = False

    def finished(task: Task, report: TaskReport) -> None:
        nonlocal done, lost
        done += task.values
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
            f"{', '.join(name for name, _ in setting.measures)}. "
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
    measures = tuple((p.selection.measure, p.selection.parameters) for p in plans)
    return Setting(str(store.path), plans[0].selection.corpus, measures, device, trust, notes)


def _bytes(store: Store, plans: Sequence[Plan]) -> int:
    """What the missing values' sides take in the store, near enough."""
    total = 0
    for planned in plans:
        if planned.missing:
            selection = planned.selection
            info = next(i for i in store.corpora() if i.name == selection.corpus)
            first = store.checkpoint(selection.corpus, planned.missing[0].pair.key)
            hidden = get(selection.measure).reads == "hidden"
            total += len(planned.missing) * 2 * (info.tokens * first.width if hidden else info.pairs * first.heads)
    return total


def _trusted(store: Store, plans: Sequence[Plan], trust: Trust) -> dict[tuple[object, ...], Result]:
    """Rows that are there already, with a null or an interval, by what they will be computed anew as."""
    if trust == NO_TRUST:
        return {}
    found = (
        row
        for planned in plans
        for row in store.results(
            planned.selection.measure,
            planned.selection.corpus,
            canonical(dict(planned.selection.parameters)),
            "null_value is not null or interval_low is not null",
        )
    )
    return {_identity(row): row for row in found}


def _identity(row: Result) -> tuple[object, ...]:
    return tuple(getattr(row, name) for name in RESULTS.key)


class _Keeper:
    """Writes rows a few times a second, those of one task always together."""

    def __init__(self, store: Store, before: Mapping[tuple[object, ...], Result]) -> None:
        self._store, self._before = store, before
        self._rows: list[Result] = []
        self._written = -FLUSH_SECONDS
        self.warned: list[Result] = []

    def add(self, rows: Sequence[Result]) -> None:
        self._rows += [carried(row, self._before.get(_identity(row))) for row in rows]
        self.warned += [row for row in rows if row.reason]
        if time.monotonic() - self._written >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        if self._rows:
            self._store.add_results(self._rows)
            # Only now: an interrupt before this line writes them twice, which the newest row of a key makes harmless.
            self._rows = []
            self._written = time.monotonic()
