"""What the user picked and what it is compared with. Pure, frozen, hashable; every command and every screen uses it."""

from __future__ import annotations

import difflib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from store.errors import BertdynError
from store.keys import PRETRAINED, CheckpointKey


@dataclass(frozen=True)
class Ranges:
    """A set of whole numbers written ``0,20,100-500``. Both ends of a range belong to it; ``None`` is an open end."""

    spans: tuple[tuple[int, int | None], ...]

    def __contains__(self, number: int) -> bool:
        return any(low <= number and (high is None or number <= high) for low, high in self.spans)

    def __str__(self) -> str:
        return ",".join(
            str(low) if low == high else f"{low}-{'' if high is None else high}" for low, high in self.spans
        )

    @classmethod
    def parse(cls, text: str, what: str) -> Ranges:
        """Read ``0,20,100-500`` or ``100-``.

        Raises:
            BertdynError: a part is neither a number nor a range; ``what`` names the flag.
        """
        spans: list[tuple[int, int | None]] = []
        for part in (p.strip() for p in text.split(",")):
            low, dash, high = part.partition("-")
            try:
                span = (int(low), (int(high) if high else None) if dash else int(low))
            except ValueError:
                raise BertdynError(f"{what}: '{part}' is neither a number nor a range such as 100-500.") from None
            if span[1] is not None and span[1] < span[0]:
                raise BertdynError(f"{what}: the range '{part}' runs backwards.")
            spans.append(span)
        return cls(tuple(spans))


EVERY = Ranges(((0, None),))
"""All layers, also those of a model that is not there yet."""

KINDS = ("pretrained", "first", "previous", "final", "seeds")
"""What ``--against`` takes as one word. ``seeds``: every other seed of the task at the same step."""


@dataclass(frozen=True)
class Against:
    """What a checkpoint is compared with: one of KINDS, ``seed:N`` or one key."""

    kind: str
    seed: str = ""
    key: CheckpointKey | None = None

    def __str__(self) -> str:
        return f"seed:{self.seed}" if self.kind == "seed" else str(self.key) if self.key else self.kind

    @classmethod
    def parse(cls, text: str) -> Against:
        """Read one of KINDS, ``seed:N`` or ``TASK/SEED/STEP``.

        Raises:
            BertdynError: the text is none of them.
        """
        if text in KINDS:
            return cls(text)
        if text.startswith("seed:") and len(text) > 5:
            return cls("seed", seed=text[5:])
        task, *rest = text.rsplit("/", 2)
        if len(rest) == 2 and rest[1].isdigit():
            return cls("key", key=CheckpointKey(task, rest[0], int(rest[1])))
        raise BertdynError(f"--against: '{text}' is not one of {', '.join(KINDS)}, seed:N or TASK/SEED/STEP.")


@dataclass(frozen=True)
class Selection:
    """One choice of values: a measure and its parameters on checkpoints of a corpus. Empty means everything."""

    measure: str
    corpus: str
    tasks: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()
    steps: Ranges | None = None
    layers: Ranges | None = None
    against: Against | None = None
    """None for measures of one checkpoint alone."""
    parameters: tuple[tuple[str, object], ...] = ()
    """Every parameter of the measure with its value, sorted by name (``Measure.settle`` makes it)."""
    ref_layers: Ranges | None = None
    """Layers of the reference that every chosen layer is compared with; None: each layer with itself."""


class Pair(NamedTuple):
    """A checkpoint and the one it is compared with (None for measures of one checkpoint)."""

    key: CheckpointKey
    reference: CheckpointKey | None


def choose(selection: Selection, keys: Iterable[CheckpointKey]) -> tuple[CheckpointKey, ...]:
    """The checkpoints of a corpus that the selection names, sorted by task, seed and step.

    Raises:
        BertdynError: a task or seed that the store does not have, or nothing left; says what there is.
    """
    keys = sorted(keys)
    tasks, seeds = sorted({k.task for k in keys}), sorted({k.seed for k in keys})
    _known("--task", selection.tasks, tasks)
    _known("--seed", selection.seeds, seeds)
    chosen = tuple(
        k
        for k in keys
        if (not selection.tasks or k.task in selection.tasks)
        and (not selection.seeds or k.seed in selection.seeds)
        and (selection.steps is None or k.step in selection.steps)
    )
    if not chosen:
        steps = sorted({k.step for k in keys})
        shown = ", ".join(map(str, steps[:12])) + (", ..." if len(steps) > 12 else "")
        raise BertdynError(
            f"The selection matches no checkpoint of corpus '{selection.corpus}'. "
            f"There are tasks {', '.join(tasks) or 'none'}; seeds {', '.join(seeds) or 'none'}; "
            f"steps {shown or 'none'}."
        )
    return chosen


def pairs(selection: Selection, keys: Sequence[CheckpointKey]) -> tuple[Pair, ...]:
    """The comparisons that the selection asks for, given all checkpoints of its corpus.

    A checkpoint is never compared with itself, and one without a counterpart (the first under ``previous``, a task
    without seed N) is left out. The pre-trained model is measured only when named, or when the measure stands alone.
    Under ``seeds`` a checkpoint has several pairs, one with each other seed of its task at its step; of the two the
    smaller seed is the reference, so that no pair comes twice, and a pair is wanted when either seed is chosen.
    Where layers are compared with other layers, a checkpoint that is itself the reference that was named stays: its
    own layers with one another.

    Raises:
        BertdynError: nothing matches, or no comparison is left; says what there is.
    """
    chosen = choose(selection, keys)
    if selection.against is None:
        return tuple(Pair(key, None) for key in chosen)
    runs: dict[tuple[str, str], list[CheckpointKey]] = {}
    for key in sorted(keys):
        runs.setdefault((key.task, key.seed), []).append(key)
    measured = [k for k in chosen if k.task != PRETRAINED or PRETRAINED in selection.tasks]
    if selection.against.kind == "seeds":
        found = _between_seeds(measured, keys)
    else:
        itself = selection.ref_layers is not None and selection.against.kind in ("pretrained", "key")
        found = []
        for key in measured:
            reference = _reference(selection.against, key, runs)
            if reference is not None and (itself or reference != key):
                found.append(Pair(key, reference))
    if not found:
        known = sorted({k.task for k in keys})
        raise BertdynError(
            f"Nothing to compare: no chosen checkpoint of corpus '{selection.corpus}' has a counterpart "
            f"'{selection.against}'. There are tasks {', '.join(known)}."
        )
    return tuple(found)


def at_or_before(there: Sequence[int], wanted: int) -> int:
    """Place of a number in an ascending list: its own, else that of the nearest one below it, else the first."""
    return max(0, bisect_right(there, wanted) - 1)


def narrowed(selection: Selection, keys: Sequence[CheckpointKey], step: int | None = None) -> Selection:
    """The same question about one comparison only: of the first task the step that is asked for or the nearest before
    it (None: the last one), of the first seed that has it.

    Raises:
        BertdynError: as pairs(), and where the measure compares nothing.
    """
    task = next(iter(selection.tasks), None) or min(
        (k.task for k in choose(selection, keys)), key=lambda name: (name == PRETRAINED, name)
    )
    against = selection.against
    if against is None:
        raise BertdynError(
            f"{selection.measure} is a value of one checkpoint alone: there is nothing it is compared with."
        )
    there = {task, PRETRAINED, against.key.task if against.key else task}
    found = pairs(replace(selection, tasks=(task,)), [k for k in keys if k.task in there])
    steps = sorted({p.key.step for p in found})
    step = steps[-1] if step is None else steps[at_or_before(steps, step)]
    one = min((p for p in found if p.key.step == step), key=lambda p: (seed_order(p.key.seed), p))
    if against.kind == "seeds" and one.reference is not None:
        against = Against("seed", seed=one.reference.seed)
    return replace(selection, tasks=(task,), seeds=(one.key.seed,), steps=Ranges(((step, step),)), against=against)


def steps_of(selection: Selection, keys: Sequence[CheckpointKey]) -> tuple[int, ...]:
    """The steps of the first chosen task that are compared with something, in their order.

    Raises:
        BertdynError: as pairs().
    """
    task = next(iter(selection.tasks), None) or min(
        (k.task for k in choose(selection, keys)), key=lambda name: (name == PRETRAINED, name)
    )
    there = {task, PRETRAINED, selection.against.key.task if selection.against and selection.against.key else task}
    found = pairs(replace(selection, tasks=(task,)), [k for k in keys if k.task in there])
    return tuple(sorted({p.key.step for p in found}))


def default_against(keys: Iterable[CheckpointKey]) -> Against:
    """``pretrained`` when the store has it, else ``first``."""
    return Against("pretrained" if any(k.task == PRETRAINED for k in keys) else "first")


def seed_order(seed: str) -> tuple[int, int, str]:
    """Sorts seeds: numbers by their size, then words."""
    return (0, int(seed), seed) if seed.isascii() and seed.isdigit() else (1, 0, seed)


def _between_seeds(chosen: Iterable[CheckpointKey], keys: Iterable[CheckpointKey]) -> list[Pair]:
    """Every pair of seeds of one task and step that has a chosen checkpoint in it, once, sorted."""
    alike: dict[tuple[str, int], list[CheckpointKey]] = {}
    for key in keys:
        alike.setdefault((key.task, key.step), []).append(key)
    found = set()
    for key in chosen:
        for other in alike[key.task, key.step]:
            if other.seed != key.seed:
                smaller, larger = sorted((key, other), key=lambda k: seed_order(k.seed))
                found.add(Pair(larger, smaller))
    return sorted(found, key=lambda p: (p.key, p.reference or p.key))


def _reference(
    against: Against, key: CheckpointKey, runs: dict[tuple[str, str], list[CheckpointKey]]
) -> CheckpointKey | None:
    run = runs[key.task, key.seed]
    match against.kind:
        case "pretrained":
            return next((keys[0] for (task, _), keys in runs.items() if task == PRETRAINED), None)
        case "first":
            return run[0]
        case "previous":
            place = run.index(key)
            return run[place - 1] if place else None
        case "final":
            return run[-1]
        case "seed":
            other = CheckpointKey(key.task, against.seed, key.step)
            return other if other in runs.get((key.task, against.seed), ()) else None
        case _:
            wanted = against.key
            return wanted if wanted is not None and wanted in runs.get((wanted.task, wanted.seed), ()) else None


def _known(flag: str, wanted: Sequence[str], there: Sequence[str]) -> None:
    for name in wanted:
        if name not in there:
            close = difflib.get_close_matches(name, there, 1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise BertdynError(f"{flag}: the store has no '{name}', only {', '.join(there) or 'nothing'}.{hint}")
