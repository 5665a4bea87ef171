"""Hands tasks to workers, listens to how far they are, and takes what they give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from itertools import islice

from explorer.compute.executors.base import Verdict, Workers
from explorer.compute.keeper import Keeper
from explorer.compute.plan import Task
from explorer.compute.protocol import Failure, Update
from explorer.compute.worker import Setting, TaskReport, run_task

LOOK_SECONDS = 0.5
"""How often the workers' own notes are read while none has finished its task."""


class Round:
    """How far the tasks are that are handed out in one go."""

    def __init__(self, progress: Callable[[Update], None], total: int, known: int, kept: Keeper) -> None:
        self._progress, self._total, self._known = progress, total, known
        self.kept = kept
        self.done = self.lost = 0
        self.failures: list[Failure] = []
        self._under_way: dict[int, int] = {}

    def finished(self, number: int, task: Task, report: TaskReport) -> None:
        """Keep what a task gave."""
        self._under_way.pop(number, None)
        self.done += task.cells
        self.lost += len(report.failures)
        self.failures.extend(report.failures)
        self.kept.add(report.rows)
        self._tell(str(task))

    def given_up(self, number: int, task: Task, message: str) -> None:
        """A task gives nothing; the others go on."""
        self._under_way.pop(number, None)
        self.done += task.cells
        self.lost += task.cells
        self.failures.append(Failure(str(task), message))
        self._tell(str(task))

    def look(self, crew: Workers, running: Iterable[int]) -> None:
        """Pass on how far the tasks are that are being done."""
        there = set(running)
        for note in crew.read_notes():
            if note.task in there:
                self._under_way[note.task] = note.done
                self._tell(note.text)

    def _tell(self, text: str) -> None:
        self._progress(Update(self.done + sum(self._under_way.values()), self._total, self._known, text))


def hand_out(crew: Workers, setting: Setting, tasks: Sequence[Task], run: Round, most: int | None) -> None:
    """Hand out tasks, as many as there are workers and no more: then it is known what each one was at when one dies.

    Args:
        most: tasks at once; None: as many as there are workers.
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
            except Exception as error:  # they died between two tasks: the next one could not be handed out
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
    """What an error means; it is raised again where it is a bug, or the task's own."""
    found = crew.verdict(error, doing)
    if found is None:
        raise error
    return found


def _salvaged(future: Future[TaskReport], number: int, task: Task, run: Round) -> bool:
    if not future.done() or future.cancelled() or future.exception() is not None:
        return False
    run.finished(number, task, future.result())
    return True
