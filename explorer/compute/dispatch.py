"""Send tasks to workers, report their progress, and collect their results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import islice

from explorer.compute.executors.base import Verdict, Workers
from explorer.compute.keeper import Keeper
from explorer.compute.plan import Task
from explorer.compute.protocol import Failure, Update
from explorer.compute.worker import RunSetting, TaskReport, run_task

LOOK_SECONDS = 0.5
"""Seconds between readings of the workers' progress notes while no task finishes."""


class Round:
    """The state of one round of tasks."""

    def __init__(self, progress: Callable[[Update], None], total: int, known: int, kept: Keeper) -> None:
        self._progress, self._total, self._known = progress, total, known
        self.kept = kept
        self.done = self.lost = 0
        self.failures: list[Failure] = []
        self._under_way: dict[int, int] = {}

    def finished(self, number: int, task: Task, report: TaskReport) -> None:
        """Store the rows of a finished task."""
        self._under_way.pop(number, None)
        self.done += task.cells
        self.lost += len(report.failures)
        self.failures.extend(report.failures)
        self.kept.add(report.rows)
        self._tell(str(task))

    def given_up(self, number: int, task: Task, message: str) -> None:
        """Record that a task failed; the others continue."""
        self._under_way.pop(number, None)
        self.done += task.cells
        self.lost += task.cells
        self.failures.append(Failure(str(task), message))
        self._tell(str(task))

    def look(self, crew: Workers, running: Iterable[int]) -> None:
        """Report the progress of the running tasks."""
        there = set(running)
        for note in crew.read_notes():
            if note.task in there:
                self._under_way[note.task] = note.done
                self._tell(note.text)

    def _tell(self, text: str) -> None:
        self._progress(Update(self.done + sum(self._under_way.values()), self._total, self._known, text))


def hand_out(crew: Workers, setting: RunSetting, tasks: Sequence[Task], run: Round, most: int | None) -> None:
    """Run tasks, at most one per worker at a time, so that the tasks of a worker that dies are known.

    Args:
        most: maximum number of tasks at once; None: the number of workers.
    """
    doing = ", ".join(question.measure.name for question in setting.questions)
    waiting = iter(enumerate(tasks))
    running: dict[Future[TaskReport], tuple[int, Task]] = {}
    handed = tasks[0]
    try:
        while True:
            window = crew.count if most is None else min(most, crew.count)
            try:
                for number, handed in islice(waiting, max(0, window - len(running))):
                    running[crew.submit(run_task, setting, number, handed)] = number, handed
            except Exception as error:  # the workers died between two tasks, so the next one cannot be sent
                raise _OverError(_verdict(crew, error, doing).message, []) from error
            if not running:
                return
            for future in wait(running, LOOK_SECONDS, FIRST_COMPLETED).done:
                number, task = running.pop(future)
                try:
                    report = future.result()
                except Exception as error:
                    verdict = _verdict(crew, error, doing)
                    if verdict.over:
                        raise _OverError(verdict.message, [task]) from error
                    run.given_up(number, task, verdict.message)
                else:
                    run.finished(number, task, report)
            run.look(crew, (number for number, _ in running.values()))
            if running and (why := crew.gone()):
                raise _OverError(why, [])
    except _OverError as end:
        others = [task for future, (number, task) in running.items() if not _salvaged(future, number, task, run)]
        run.failures.append(Failure(" or ".join(map(str, [*end.suspects, *others] or [handed])), str(end)))
    except KeyboardInterrupt:
        for future, (number, task) in running.items():
            _salvaged(future, number, task, run)
        raise


class _OverError(Exception):
    """No further task can be done."""

    def __init__(self, message: str, suspects: list[Task]) -> None:
        super().__init__(message)
        self.suspects = suspects


def _verdict(crew: Workers, error: Exception, doing: str) -> Verdict:
    """Return the meaning of an error; raise the error again if it is a bug or an error of the task itself."""
    found = crew.verdict(error, doing)
    if found is None:
        raise error
    return found


def _salvaged(future: Future[TaskReport], number: int, task: Task, run: Round) -> bool:
    if not future.done() or future.cancelled() or future.exception() is not None:
        return False
    run.finished(number, task, future.result())
    return True
