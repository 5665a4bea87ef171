"""Compute the missing values of questions in other processes, and store the rows as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from explorer.compute.dispatch import Round, hand_out
from explorer.compute.executors.base import MakeWorkers, Workers
from explorer.compute.executors.local import local_workers
from explorer.compute.inputs import INPUTS
from explorer.compute.keeper import Keeper
from explorer.compute.plan import Plan, group, group_by_checkpoint, jobs_of, plan
from explorer.compute.pool import cpus
from explorer.compute.protocol import Outcome, Update
from explorer.compute.worker import RunSetting
from explorer.measures import Uncertainty
from explorer.selection import Question
from explorer.selection.question import NO_TRUST
from explorer.selection.stored import conditions, further_axes
from store.part import WHOLE, Part
from store.results import Result, row_key
from store.rows import AnyOf, Is, Not, RowQuery

if TYPE_CHECKING:
    from store.store import Store

MOST_WORKERS = 8
"""Default maximum of child processes: each takes about 300 MB for torch, and its own share of the GPU's memory."""
SMALL = 64 * 2**20
"""Bytes to read below which a second process costs more time (a second for importing torch) than it saves."""


def compute(
    store: Store,
    questions: Sequence[Question],
    progress: Callable[[Update], None] = lambda update: None,
    workers: int | None = None,
    device: str = "auto",
    executor: MakeWorkers = local_workers,
    trust: Uncertainty = NO_TRUST,
    part: Part = WHOLE,
) -> Outcome:
    """Compute the missing values of questions; known values stay unchanged.

    A measure that proposes its cells in rounds is asked again after each round, until it proposes nothing new.

    Ctrl-C (KeyboardInterrupt, also if ``progress`` raises it) ends the computation: finished values are kept, child
    processes are killed, and the outcome is ``cancelled``. The death of a child also ends it, with a failure that names
    its task.

    Args:
        questions: questions on one corpus; measures of the same checkpoints share their inputs.
        progress: called in this thread at the start, after each task, and from time to time during long tasks.
        workers: number of processes; None: depends on the machine and the work.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``...
        executor: starts the processes that do the tasks: child processes, or the workers of a cluster.
        trust: null and interval that are requested with the values.
        part: share of the missing cells to compute; other processes compute the rest.

    Raises:
        BertdynError: as plan(); or the device does not exist.
    """

    def planned() -> list[Plan]:
        return [_share(plan(store, question, trust), part) for question in questions]

    plans = planned()
    outcome = _round(store, plans, progress, workers, device, executor, trust)
    known, rounds = outcome.known, [outcome]
    while not all(one.exact for one in plans) and outcome.ok and outcome.computed:
        plans = planned()
        if not any(one.missing for one in plans):
            break
        outcome = _round(store, plans, progress, workers, device, executor, trust)
        rounds.append(outcome)
    return Outcome(
        sum(each.computed for each in rounds),
        known,
        tuple(failure for each in rounds for failure in each.failures),
        tuple(dict.fromkeys(note for each in rounds for note in each.notes)),
        outcome.cancelled,
    )


def _share(planned: Plan, part: Part) -> Plan:
    """Return the share of a plan that this process computes."""
    if part == WHOLE:
        return planned
    cells, missing = (tuple(c for c in each if part.has(str(c))) for each in (planned.cells, planned.missing))
    return replace(planned, cells=cells, missing=missing)


def _round(
    store: Store,
    plans: Sequence[Plan],
    progress: Callable[[Update], None],
    workers: int | None,
    device: str,
    executor: MakeWorkers,
    trust: Uncertainty,
) -> Outcome:
    """Compute the missing cells of some plans."""
    todo, known = sum(len(p.missing) for p in plans), sum(p.known for p in plans)
    notes = tuple(dict.fromkeys(note for p in plans for note in p.notes))
    progress(Update(0, todo, known, ""))
    if not todo:
        return Outcome(0, known, notes=notes)
    slow = any(p.question.measure.slow for p in plans)
    small = not slow and _bytes(store, plans) < SMALL
    jobs = jobs_of(plans)
    wanted = min(workers or min(cpus(), MOST_WORKERS, 1 if small else todo), len(jobs))
    run = Round(progress, todo, known, Keeper(store, plans, _before(store, plans, trust)))
    cancelled = False
    kept = any(p.question.measure.kept for p in plans)
    try:
        with executor(wanted) as crew:
            tasks = group_by_checkpoint(jobs, crew.count) if kept else group(jobs, crew.count, slow)
            hand_out(crew, _setting(store, plans, device, trust, crew), tasks, run, workers)
    except KeyboardInterrupt:
        cancelled = True
    finally:
        run.kept.flush()
    lost = (*notes, *warnings(run.kept.warned))
    return Outcome(run.done - run.lost, known, tuple(run.failures), lost, cancelled)


def warnings(rows: Iterable[Result]) -> tuple[str, ...]:
    """Return the reasons in rows, each kind (the words before the colon) once, with its count and its first reason."""
    kinds: dict[str, list[str]] = {}
    for row in rows:
        if row.reason:
            kinds.setdefault(row.reason.partition(":")[0], []).append(row.reason)
    return tuple(
        f"{reasons[0]} ({len(reasons):,} rows{', this is the first' if len(set(reasons)) > 1 else ''})"
        for reasons in kinds.values()
    )


def _setting(store: Store, plans: Sequence[Plan], device: str, trust: Uncertainty, crew: Workers) -> RunSetting:
    questions = tuple(planned.question for planned in plans)
    known = {cell: planned.known_of(cell) for planned in plans if planned.finished for cell in planned.missing}
    corpus = questions[0].corpus
    info = next((one for one in store.corpora() if one.name == corpus), None)
    digests = () if info is None else (info.fingerprint, *(one.digest for one in info.annotations))
    return RunSetting(str(store.path), corpus, questions, device, trust, crew.notes, known, crew.threads, digests)


def _bytes(store: Store, plans: Sequence[Plan]) -> int:
    """Estimate the bytes to read for the missing values."""
    total = 0
    for planned in plans:
        if planned.missing:
            corpus = planned.question.corpus
            sizes = next(((one.tokens, one.pairs) for one in store.corpora() if one.name == corpus), (0, 0))
            first = store.checkpoint(corpus, planned.missing[0].key)
            reads = planned.question.measure.reads
            total += len(planned.missing) * sum(INPUTS[one.kind].bytes(first, *sizes) for one in reads)
    return total


def _before(store: Store, plans: Sequence[Plan], trust: Uncertainty) -> dict[str, Result]:
    """Return stored rows that have a null, an interval or details, by the hash of their key."""
    found: dict[str, Result] = {}
    for planned in plans:
        question = planned.question
        if trust == NO_TRUST and not question.detail:
            continue
        more = AnyOf((Not(Is("null_value", None)), Not(Is("interval_low", None)), Not(Is("details", "{}"))))
        query = RowQuery((*conditions(question, question.recipes), more), axes=further_axes(question.measure))
        found |= {row_key(row): row for row in store.results(query)}
    return found
