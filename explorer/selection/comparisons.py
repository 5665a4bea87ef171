"""Choose the checkpoints of a question, and what each is compared with."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from explorer.selection.against import SEEDS, runs_of, seed_order
from store.errors import BertdynError
from store.keys import PRETRAINED, CheckpointKey, recipe_of

if TYPE_CHECKING:
    from explorer.selection.against import Against
    from explorer.selection.question import Question


class Pair(NamedTuple):
    """A checkpoint and its reference (None for measures of one checkpoint)."""

    key: CheckpointKey
    reference: CheckpointKey | None


def choose(question: Question, keys: Iterable[CheckpointKey]) -> tuple[CheckpointKey, ...]:
    """Return the checkpoints of a corpus that the question selects, sorted by task, variant, seed and step.

    Raises:
        BertdynError: the store lacks a task or seed, or nothing matches (the message lists what there is).
    """
    keys = sorted(keys)
    runs = {key[:3] for key in keys}
    tasks, seeds = sorted({recipe_of(*run[:2]) for run in runs}), sorted({seed for _, _, seed in runs})
    tasks += sorted({task for task, _, _ in runs} - {*tasks}) if question.measure.over_variants else []
    _known("--task", question.tasks, tasks)
    _known("--seed", question.seeds, seeds)
    meant = {
        (task, variant, seed)
        for task, variant, seed in runs
        if question.holds(task, variant) and (not question.seeds or seed in question.seeds)
    }
    chosen = tuple(k for k in keys if k[:3] in meant and (question.steps is None or k.step in question.steps))
    if not chosen:
        steps = sorted({k.step for k in keys})
        shown = ", ".join(map(str, steps[:12])) + (", ..." if len(steps) > 12 else "")
        raise BertdynError(
            f"The selection matches no checkpoint{of_corpus(question)}. "
            f"There are tasks {', '.join(tasks) or 'none'}; seeds {', '.join(seeds) or 'none'}; "
            f"steps {shown or 'none'}."
        )
    return chosen


def comparisons(question: Question, keys: Sequence[CheckpointKey]) -> tuple[Pair, ...]:
    """Return the comparisons of a question, given all checkpoints of its corpus.

    A checkpoint is never compared with itself, and a checkpoint without a counterpart (the first under ``previous``, a
    task without seed N) is left out. The pre-trained model is measured only if it is named, or if the measure has no
    reference. Under ``seeds``, a checkpoint is compared with every other seed of its task at its step; of a symmetric
    measure, each pair occurs once, with the smaller seed as the reference, and is included if either seed is chosen.
    Exception: if layers are compared with other layers, a checkpoint may be its own reference if the user named it.

    Of a measure of whole runs or of their ends, only the last chosen checkpoint of each run is measured.

    Raises:
        BertdynError: nothing matches, or no comparison is left (the message lists what there is).
    """
    chosen = choose(question, keys)
    measure = question.measure
    if any(operand.path for operand in measure.operands) or (measure.final and question.steps is None):
        chosen = tuple({(k.recipe, k.seed): k for k in chosen}.values())  # the last of each run stands for its path
    against = question.against
    if against is None:
        return tuple(Pair(key, None) for key in chosen)
    measured = [k for k in chosen if k.task != PRETRAINED or PRETRAINED in question.tasks]
    found = _compared(question, against, measured, keys)
    if not found:
        able = sorted({pair.key.recipe for pair in _compared(question, against, keys, keys)})
        known = sorted({k.recipe for k in keys})
        has = f"These tasks have one: {', '.join(able)}" if able else f"There are tasks {', '.join(known)}"
        raise BertdynError(
            f"Nothing to compare: no chosen checkpoint{of_corpus(question)} has a counterpart '{against}'. {has}."
        )
    return tuple(found)


def _compared(
    question: Question, against: Against, measured: Sequence[CheckpointKey], keys: Sequence[CheckpointKey]
) -> list[Pair]:
    """Return each checkpoint that has a reference, with it."""
    if against.kind == SEEDS:
        return _between_seeds(question.measure.symmetric, measured, keys)
    runs = runs_of(keys)
    itself = question.ref_layers is not None and against.kind in (PRETRAINED, "key")
    pairs = [(key, against.reference(key, runs)) for key in measured]
    return [Pair(key, of) for key, of in pairs if of is not None and (itself or of != key)]


def _between_seeds(symmetric: bool, chosen: Iterable[CheckpointKey], keys: Iterable[CheckpointKey]) -> list[Pair]:
    """Return each chosen checkpoint with each other seed of its task and step, sorted.

    Of a symmetric measure, a pair of seeds is compared once: the later seed with the earlier one.
    """
    alike: dict[tuple[str, int], list[CheckpointKey]] = {}
    for key in keys:
        alike.setdefault((key.recipe, key.step), []).append(key)
    found = set()
    for key in chosen:
        for other in alike[key.recipe, key.step]:
            if other.seed != key.seed:
                earlier, later = sorted((key, other), key=lambda k: seed_order(k.seed))
                found.add(Pair(later, earlier) if symmetric else Pair(key, other))
    return sorted(found, key=lambda p: (p.key, p.reference or p.key))


def of_corpus(question: Question) -> str:
    """Return the corpus in words, for messages after 'checkpoint': " of corpus 'dev'"; empty if there is none."""
    return f" of corpus '{question.corpus}'" if question.corpus else ""


def _known(flag: str, wanted: Sequence[str], there: Sequence[str]) -> None:
    for name in wanted:
        if name not in there:
            close = difflib.get_close_matches(name, there, 1)
            hint = f" Did you mean '{close[0]}'?" if close else ""
            raise BertdynError(f"{flag}: the store has no '{name}', only {', '.join(there) or 'nothing'}.{hint}")
