"""Estimate how long a computation takes, from a few values that are computed and kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from explorer.commands.ablate import duration

if TYPE_CHECKING:
    from explorer.compute.executors.base import MakeWorkers
    from explorer.compute.plan import Plan
    from explorer.compute.protocol import Update
    from explorer.measures import Uncertainty
    from store.store import Store


class Stopwatch:
    """Takes the time of a value: waits until every process has finished one, and stops when each has finished another.

    The first value of a process is not timed: it loads libraries and perhaps a model.
    """

    def __init__(self, processes: int) -> None:
        self._processes = processes
        self._since: tuple[int, float] | None = None
        self.seconds: float | None = None
        """Seconds per value; None until it is known."""

    def __call__(self, update: Update) -> None:
        """Take note of progress (``compute``'s callback).

        Raises:
            KeyboardInterrupt: the time is known.
        """
        now = time.monotonic()
        if update.done >= self._processes and self._since is None:
            self._since = update.done, now
        elif self._since is not None and update.done >= self._since[0] + self._processes:
            self.seconds = (now - self._since[1]) / (update.done - self._since[0])
            raise KeyboardInterrupt


def estimate(
    store: Store,
    plans: Sequence[Plan],
    workers: int | None,
    device: str,
    executor: MakeWorkers,
    trust: Uncertainty,
) -> str:
    """Return how many values are missing on one corpus and about how long they take; a few are computed and kept.

    Raises:
        BertdynError: as ``compute``.
    """
    from explorer.compute.pool import cpus
    from explorer.compute.run import MOST_WORKERS, compute

    missing = sum(len(planned.missing) for planned in plans)
    more = "" if all(planned.exact for planned in plans) else " at first; more may follow from what they say"
    what = ", ".join(planned.question.measure.name for planned in plans)
    corpus = plans[0].question.corpus
    on = f" on corpus '{corpus}'" if corpus else ""
    said = f"{what}{on}: {missing:,} value{'s' * (missing != 1)} to compute{more}"
    processes = min(workers or min(cpus(), MOST_WORKERS), missing)
    if missing <= 2 * processes:
        return f"{said}; too few to be timed"
    watch = Stopwatch(processes)
    outcome = compute(store, [planned.question for planned in plans], watch, workers, device, executor, trust)
    if watch.seconds is None:
        return f"{said}; {outcome.computed:,} were computed, too few to be timed"
    left = missing - outcome.computed
    return (
        f"{said}; {watch.seconds:.2g} seconds each, about {duration(left * watch.seconds)} for the {left:,} that are "
        f"left ({outcome.computed:,} were timed and kept)"
    )
