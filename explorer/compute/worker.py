"""Compute one task in a worker process, from stored arrays to rows. Writes nothing but artefacts."""

from __future__ import annotations

import json
import math
import os
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.compute.executors.base import NoNotes, Note, Notes
from explorer.compute.inputs import CORPUS_INPUTS, INPUTS, checkpoint_digests, layer_of
from explorer.compute.memory_cache import MemoryCache
from explorer.compute.plan import Task
from explorer.compute.pool import THREADS
from explorer.compute.protocol import Failure
from explorer.compute.trust import stamp
from explorer.measures import Context, Given, Measure, MeasureError, Uncertainty, Value
from explorer.measures.declaration import At, Known, Operand
from explorer.measures.protocols import Labels
from explorer.selection import Against, Cell, Question
from explorer.selection.against import runs_of
from store.errors import BertdynError
from store.keys import NO_CORPUS, Checkpoint, CheckpointKey, Corpus
from store.memory import is_out_of_memory
from store.results import InputDigest, Result, checkpoint_resource

if TYPE_CHECKING:
    from store.store import Store

CUDA_FILES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd", "/proc/driver/nvidia/version")
"""Files of which at least one exists on a machine with a GPU for torch's ``cuda``; the check avoids importing torch."""


SECONDS_BETWEEN_NOTES = 0.5


@dataclass(frozen=True)
class RunSetting:
    """The settings that all tasks of a run share."""

    store: str
    corpus: str
    questions: tuple[Question, ...]
    """Questions; ``Job.questions`` are indices into them."""
    device: str = "auto"
    trust: Uncertainty = field(default_factory=Uncertainty)
    notes: Notes = field(default_factory=NoNotes)
    """Object with which a worker reports its progress."""
    known: Mapping[Cell, Mapping[At, tuple[Known, ...]]] = field(default_factory=dict)
    """Finished cells of the same operands, for measures that propose their cells in rounds."""
    threads: int = 0
    """Number of arithmetic threads, on which the last bits of sums depend; 0: as many as the process has."""
    texts: tuple[str, ...] = ()
    """Digests of the corpus and of its annotations. A worker may live for days; it reads the corpus again if they have
    changed."""


@dataclass(frozen=True)
class TaskReport:
    """The result of a task: rows to store, and the cells that failed."""

    rows: tuple[Result, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, eq=False)
class _Bench:
    """The objects that a worker process keeps from task to task."""

    store: Store
    corpus: Corpus | None
    """Corpus; None for measures that do not depend on texts."""
    context: Context


def run_task(setting: RunSetting, number: int, task: Task) -> TaskReport:
    """Compute the values of a task. A value that cannot be computed is a failure; the others continue.

    Args:
        number: number of the task in its run, for its notes.

    Raises:
        BertdynError: the store or the corpus cannot be opened, or the device does not exist.
    """
    limit(setting.threads)
    bench = _bench(setting.store, setting.corpus, setting.device, setting.texts)
    bench.context.trust = setting.trust
    rows: list[Result] = []
    failures = []
    notes = _Progress(setting.notes, number)
    for job in task.jobs:
        for place in job.questions:
            question = setting.questions[place]
            bench.context.progress = notes.of(job.cell)
            bench.context.detail = question.detail
            try:
                rows += _cell_rows(bench, question, job.cell, setting.known.get(job.cell, {}))
            except (MeasureError, BertdynError) as error:
                failures.append(Failure(str(job.cell), str(error)))
            notes.finished(job.cell)
    return TaskReport(tuple(rows), tuple(failures))


class _Progress:
    """Sends notes of a task after each cell, and from time to time inside one; at most twice per second."""

    def __init__(self, notes: Notes, task: int) -> None:
        self._notes, self._task = notes, task
        self._done, self._last = 0, time.monotonic()

    def of(self, cell: Cell) -> Callable[[str, float], None]:
        """Return the function that a measure calls during long work on a cell."""
        return lambda what, share: self._write(f"{cell}: {what}, {share:.0%}")

    def finished(self, cell: Cell) -> None:
        """Report that one more cell is finished."""
        self._done += 1
        self._write(str(cell))

    def _write(self, text: str) -> None:
        now = time.monotonic()
        if now - self._last >= SECONDS_BETWEEN_NOTES:
            self._last = now
            self._notes.write(Note(self._task, self._done, text))


@lru_cache(maxsize=1)
def limit(threads: int) -> None:
    """Set the number of arithmetic threads of this process, also for libraries that are loaded later; 0: no change."""
    if threads == 0:
        return
    from threadpoolctl import threadpool_limits

    for name in THREADS:
        os.environ[name] = str(threads)
    threadpool_limits(threads)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)


def resolve_device(device: str) -> str:
    """Return the device to use; ``auto`` is CUDA if there is one, else the CPU.

    Raises:
        BertdynError: torch cannot use the named device.
    """
    if device == "cpu" or (device == "auto" and not any(map(os.path.exists, CUDA_FILES))):
        return "cpu"
    import torch

    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise BertdynError(f"--device: torch cannot use '{device}' here: {str(error).splitlines()[0]}") from None
    return device


@lru_cache(maxsize=1)
def _bench(store: str, corpus: str, device: str, texts: tuple[str, ...]) -> _Bench:
    from store.store import Store

    opened = Store.open(Path(store))
    read = None if corpus == NO_CORPUS else opened.corpus(corpus)
    return _Bench(opened, read, Context(resolve_device(device), MemoryCache(), opened.shelf()))


def _cell_rows(bench: _Bench, question: Question, cell: Cell, known: Mapping[At, tuple[Known, ...]]) -> list[Result]:
    measure, parameters = question.measure, dict(question.parameters)
    with ExitStack() as opened:
        given, digests, third = _given(bench, question, cell, known, opened)
        try:
            values = measure.compute(given, parameters, bench.context)
        except Exception as error:
            if is_out_of_memory(error):
                bench.context.kept.clear()
                said = str(error).partition("\n")[0] or "out of memory"
                raise BertdynError(f"Not enough memory on {bench.context.device}: {said}") from None
            raise
    asked = stamp(bench.context.trust, question.detail)
    row = Result(
        measure=measure.name,
        version=measure.version,
        parameters=measure.key(parameters),
        corpus=question.corpus,
        annotation=question.annotation,
        task=cell.task,
        variant=cell.variant,
        seed=cell.seed,
        step=cell.step,
        ref_task=cell.ref_task,
        ref_variant=cell.ref_variant,
        ref_seed=cell.ref_seed,
        ref_step=cell.ref_step,
        third=third,
        inputs=tuple(dict.fromkeys(digests)),
        computed_at=datetime.now(UTC).isoformat(timespec="microseconds"),
    )
    held = {id(value.artefact): value.artefact for value in values if value.artefact}
    stored = {one: bench.store.add_artefact(arrays) for one, arrays in held.items()}
    names = (stored.get(id(value.artefact), "") for value in values)
    return [_of_value(row, *of, question, cell, asked) for of in zip(values, names, strict=True)]


def _given(
    bench: _Bench, question: Question, cell: Cell, known: Mapping[At, tuple[Known, ...]], opened: ExitStack
) -> tuple[Given, list[InputDigest], str | None]:
    """Return what the measure receives, the digests of what it reads, and the checkpoint that a parameter names.

    Args:
        opened: closes the files of the inputs.
    """
    measure = question.measure
    operands: dict[str, dict[str, object]] = {operand.role: {} for operand in measure.operands}
    digests: list[InputDigest] = []
    steps: dict[str, tuple[int, ...]] = {}
    third = None
    for operand in measure.operands:
        key = _key(bench.store, question, operand, cell)
        third = str(key) if operand.by == "parameter" else third
        checkpoints = _checkpoints(bench.store, question.corpus, key, operand.path)
        steps[operand.role] = tuple(c.key.step for c in checkpoints)
        if operand.path or operand.by == "parameter":  # an earlier checkpoint that is added later counts
            resource = checkpoint_resource(question.corpus, key)
            members = _checkpoints(bench.store, question.corpus, key, path=True)
            digests.append(InputDigest("members", resource, str(len(members))))
        for one in (i for i in measure.inputs if i.role == operand.role):
            layer = layer_of(cell.at, operand.role)
            read = [INPUTS[one.kind].read(bench.store, c, layer, opened) for c in checkpoints]
            operands[operand.role][one.kind] = tuple(read) if operand.path else read[0]
            digests += [digest for c in checkpoints for digest in checkpoint_digests(one, c)]
    labels = _labels(bench.corpus, question, digests)
    annotation = labels.pop("annotation", None)
    given = Given(bench.corpus, operands, annotation, labels, cell.at, known, bench.store.artefact, steps)
    return given, digests, third


def _labels(corpus: Corpus | None, question: Question, digests: list[InputDigest]) -> dict[str, Labels]:
    """Return what a measure reads from the corpus, by parameter or kind of input, and add the digests."""
    found: dict[str, Labels] = {}
    for one in (one for one in question.measure.inputs if not one.role):
        assert corpus is not None, "a measure that reads labels depends on texts"
        named = str(dict(question.parameters)[one.by]) if one.by else question.annotation
        digest, info = CORPUS_INPUTS[one.kind].find(corpus.info, named)
        if digest is not None:
            digests.append(digest)
        if info is not None:
            found[one.by or one.kind] = corpus.annotations[info.name]
    return found


def _key(store: Store, question: Question, operand: Operand, cell: Cell) -> CheckpointKey:
    """Return the checkpoint that fills a role; of a path, the last one.

    Raises:
        BertdynError: a parameter names no checkpoint.
    """
    if operand.by == "selection":
        return cell.key
    if operand.by == "against":
        assert cell.reference is not None, "a measure that compares has a reference in every cell"
        return cell.reference
    named = str(dict(question.parameters)[operand.role])
    runs = runs_of(c.key for c in store.checkpoints(question.corpus))
    found = Against.parse(named, f"--{operand.role}").reference(cell.key, runs)
    if found is None:
        raise BertdynError(f"--{operand.role} {named}: {cell.key} has no such checkpoint beside it.")
    return found


def _checkpoints(store: Store, corpus: str, key: CheckpointKey, path: bool) -> list[Checkpoint]:
    """Return a checkpoint or, for a path, all checkpoints of its run up to it."""
    if not path:
        return [store.checkpoint(corpus, key)]
    run = (c for c in store.checkpoints(corpus) if c.key._replace(step=key.step) == key)
    return [c for c in run if c.key.step <= key.step]


def _of_value(
    row: Result, value: Value, artefact: str, question: Question, cell: Cell, asked: Mapping[str, object]
) -> Result:
    filled = with_value(row, value, question.measure, asked)
    return filled._replace(
        layer=cell.layer if value.layer is None else value.layer,
        ref_layer=cell.ref_layer,
        axes=(*cell.more, *value.axes),
        artefact=artefact,
    )


def with_value(row: Result, value: Value, measure: Measure, asked: Mapping[str, object]) -> Result:
    """Return a row with a value of a measure and its coordinates filled in.

    Args:
        asked: record of the requested extras (``trust.stamp``).
    """
    finite = value.value is None or math.isfinite(value.value)
    details = {**value.details, **({"trust": asked} if asked else {})}
    return row._replace(
        layer=value.layer,
        head=value.head,
        example=value.example,
        query=value.query,
        label_a=value.label_a,
        label_b=value.label_b,
        axes=value.axes,
        statistic=value.statistic,
        value=value.value if finite else None,
        unit=measure.unit if value.unit is None else value.unit,
        n=value.n,
        interval_low=None if value.interval is None else value.interval[0],
        interval_high=None if value.interval is None else value.interval[1],
        null_value=value.null,
        reason=value.reason if finite else f"{measure.name} is not a finite number",
        details=json.dumps(details, sort_keys=True),
    )
