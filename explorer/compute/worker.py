"""What runs in a child process: one task, from stored arrays to rows. Nothing is written here."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.compute.kept import Kept
from explorer.compute.layers import StoredLayer
from explorer.compute.plan import Cell, Task
from explorer.compute.protocol import Failure
from explorer.compute.trust import stamp
from explorer.measures import Context, Measure, MeasureError, Trust, Value, canonical, get
from store.errors import BertdynError
from store.keys import Checkpoint, Corpus, Result

if TYPE_CHECKING:
    from store.store import Store

CUDA_FILES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd", "/proc/driver/nvidia/version")
"""One of them is there on a machine with a GPU that torch calls ``cuda``; looking is free, importing torch is not."""


SECONDS_BETWEEN_NOTES = 0.5


@dataclass(frozen=True)
class Setting:
    """What all tasks of a run have in common."""

    store: str
    corpus: str
    measures: tuple[tuple[str, tuple[tuple[str, object], ...]], ...]
    """Name and settled parameters of each measure of the run, in the order of ``Job.measures``."""
    device: str = "auto"
    trust: Trust = field(default_factory=Trust)
    notes: str = ""
    """Folder where each worker writes how far its task is; empty: nobody looks."""


@dataclass(frozen=True)
class TaskReport:
    """A finished task: rows to keep, and the pairs that have none."""

    rows: tuple[Result, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, eq=False)
class _Bench:
    """What a worker process keeps from task to task."""

    store: Store
    corpus: Corpus
    context: Context


def run_task(setting: Setting, task: Task) -> TaskReport:
    """Compute a task's values. One that cannot be computed is a failure; the others go on.

    Raises:
        BertdynError: the store or the corpus cannot be opened, or the device is not there.
    """
    bench = _bench(setting.store, setting.corpus, setting.device)
    bench.context.trust = setting.trust
    rows: list[Result] = []
    failures = []
    for job in task.jobs:
        for number in job.measures:
            name, parameters = setting.measures[number]
            bench.context.progress = _noting(setting.notes, job.cell)
            try:
                rows += _cell_rows(bench, get(name), dict(parameters), job.cell)
            except (MeasureError, BertdynError) as error:
                failures.append(Failure(str(job.cell), str(error)))
    return TaskReport(tuple(rows), tuple(failures))


def _noting(folder: str, cell: Cell) -> Callable[[str, float], None]:
    """Progress inside a task: a line in this worker's own file, at most twice a second."""
    last = time.monotonic()

    def note(what: str, share: float) -> None:
        nonlocal last
        now = time.monotonic()
        if folder and now - last >= SECONDS_BETWEEN_NOTES:
            last = now
            Path(folder, f"{os.getpid()}").write_text(f"{cell}: {what}, {share:.0%}")

    return note


def resolve_device(device: str) -> str:
    """``auto`` is CUDA where there is one, else the CPU.

    Raises:
        BertdynError: another device than the CPU was named and torch cannot use it.
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
def _bench(store: str, corpus: str, device: str) -> _Bench:
    from store.store import Store

    opened = Store.open(Path(store))
    return _Bench(opened, opened.corpus(corpus), Context(resolve_device(device), Kept(), opened.shelf()))


def _cell_rows(bench: _Bench, measure: Measure, parameters: Mapping[str, object], cell: Cell) -> list[Result]:
    pair, corpus = cell.pair, bench.corpus.info.name
    checkpoint = bench.store.checkpoint(corpus, pair.key)
    reference = None if pair.reference is None else bench.store.checkpoint(corpus, pair.reference)
    side = StoredLayer.of(bench.store, checkpoint, cell.layer)
    other = None
    if reference is not None and cell.ref_layer is not None:
        other = StoredLayer.of(bench.store, reference, cell.ref_layer)
    try:
        values = measure.compute(side, other, bench.corpus, parameters, bench.context)
    except Exception as error:
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's, not imported here
            bench.context.kept.clear()
            said = str(error).partition("\n")[0] or "out of memory"
            raise BertdynError(f"Not enough memory on {bench.context.device}: {said}") from None
        raise
    if any(v.value is not None and v.value - v.value != 0 for v in values):  # NaN or infinite
        raise MeasureError(f"{measure.name} came out as no finite number.")
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    asked = stamp(bench.context.trust)
    return [_row(v, measure, parameters, checkpoint, reference, cell, asked, now) for v in values]


def _row(
    value: Value,
    measure: Measure,
    parameters: Mapping[str, object],
    checkpoint: Checkpoint,
    reference: Checkpoint | None,
    cell: Cell,
    asked: Mapping[str, object],
    now: str,
) -> Result:
    key, ref = checkpoint.key, None if reference is None else reference.key
    hidden = measure.reads == "hidden"
    return Result(
        measure=measure.name,
        parameters=canonical(parameters),
        corpus=checkpoint.corpus,
        task=key.task,
        seed=key.seed,
        step=key.step,
        layer=cell.layer,
        head=value.head,
        ref_task=None if ref is None else ref.task,
        ref_seed=None if ref is None else ref.seed,
        ref_step=None if ref is None else ref.step,
        ref_layer=cell.ref_layer,
        example=value.example,
        query=value.query,
        statistic=value.statistic,
        label_a=value.label_a,
        label_b=value.label_b,
        value=value.value,
        unit=measure.unit if value.unit is None else value.unit,
        n=value.n,
        interval_low=None if value.interval is None else value.interval[0],
        interval_high=None if value.interval is None else value.interval[1],
        null_value=value.null,
        details=json.dumps({**value.details, **({"trust": asked} if asked else {})}, sort_keys=True),
        reason=value.reason,
        version=measure.version,
        digest=checkpoint.hidden_digest if hidden else checkpoint.attention_digest,
        ref_digest=None if reference is None else reference.hidden_digest if hidden else reference.attention_digest,
        computed_at=now,
    )
