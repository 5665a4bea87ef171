"""What runs in a child process: one task, from stored arrays to rows. Nothing is written here."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from explorer.compute.kept import Kept
from explorer.compute.layers import StoredLayer
from explorer.compute.plan import Task
from explorer.compute.protocol import Failure
from explorer.measures import Context, Measure, MeasureError, Value, canonical, get
from explorer.selection import Pair
from store.errors import BertdynError
from store.keys import Checkpoint, ProbeSet, Result

if TYPE_CHECKING:
    from store.store import Store

CUDA_FILES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd", "/proc/driver/nvidia/version")
"""One of them is there on a machine with a GPU that torch calls ``cuda``; looking is free, importing torch is not."""


@dataclass(frozen=True)
class Setting:
    """What all tasks of a run have in common."""

    store: str
    measure: str
    probe: str
    parameters: tuple[tuple[str, object], ...]
    device: str = "auto"


@dataclass(frozen=True)
class TaskReport:
    """A finished task: rows to keep, and the pairs that have none."""

    rows: tuple[Result, ...]
    failures: tuple[Failure, ...]


@dataclass(frozen=True, eq=False)
class _Bench:
    """What a worker process keeps from task to task."""

    store: Store
    probe: ProbeSet
    context: Context


def run_task(setting: Setting, task: Task) -> TaskReport:
    """Compute one layer of a task's pairs. A pair that cannot be computed is a failure; the others go on.

    Raises:
        BertdynError: the store or the probe set cannot be opened, or the device is not there.
    """
    bench = _bench(setting.store, setting.probe, setting.device)
    measure = get(setting.measure)
    rows: list[Result] = []
    failures = []
    for pair in task.pairs:
        try:
            rows += _pair_rows(bench, measure, dict(setting.parameters), pair, task.layer)
        except (MeasureError, BertdynError) as error:
            failures.append(Failure(str(Task(task.layer, (pair,))), str(error)))
    return TaskReport(tuple(rows), tuple(failures))


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
def _bench(store: str, probe: str, device: str) -> _Bench:
    from store.store import Store

    opened = Store.open(Path(store))
    return _Bench(opened, opened.probe(probe), Context(resolve_device(device), Kept()))


def _pair_rows(
    bench: _Bench, measure: Measure, parameters: Mapping[str, object], pair: Pair, layer: int
) -> list[Result]:
    checkpoint = bench.store.checkpoint(bench.probe.info.name, pair.key)
    reference = None if pair.reference is None else bench.store.checkpoint(bench.probe.info.name, pair.reference)
    side = StoredLayer.of(bench.store, checkpoint, layer)
    other = None if reference is None else StoredLayer.of(bench.store, reference, layer)
    try:
        values = measure.compute(side, other, bench.probe, parameters, bench.context)
    except Exception as error:
        if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's, not imported here
            bench.context.kept.clear()
            said = str(error).partition("\n")[0] or "out of memory"
            raise BertdynError(f"Not enough memory on {bench.context.device}: {said}") from None
        raise
    if any(v.value is not None and v.value - v.value != 0 for v in values):  # NaN or infinite
        raise MeasureError(f"{measure.name} came out as no finite number.")
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    return [_row(v, measure, parameters, checkpoint, reference, layer, now) for v in values]


def _row(
    value: Value,
    measure: Measure,
    parameters: Mapping[str, object],
    checkpoint: Checkpoint,
    reference: Checkpoint | None,
    layer: int,
    now: str,
) -> Result:
    key, ref = checkpoint.key, None if reference is None else reference.key
    hidden = measure.reads == "hidden"
    return Result(
        measure=measure.name,
        parameters=canonical(parameters),
        probe=checkpoint.probe,
        task=key.task,
        seed=key.seed,
        step=key.step,
        layer=layer,
        head=value.head,
        ref_task=None if ref is None else ref.task,
        ref_seed=None if ref is None else ref.seed,
        ref_step=None if ref is None else ref.step,
        ref_layer=None if ref is None else layer,
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
        details=json.dumps(dict(value.details), sort_keys=True),
        reason=value.reason,
        version=measure.version,
        digest=checkpoint.hidden_digest if hidden else checkpoint.attention_digest,
        ref_digest=None if reference is None else reference.hidden_digest if hidden else reference.attention_digest,
        computed_at=now,
    )
