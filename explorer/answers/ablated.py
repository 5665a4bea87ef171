"""What runs that lack something say: the metric against the number of layers, for each kind of variant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from statistics import fmean
from typing import TYPE_CHECKING

from explorer.answers.fetching import fetch_each
from explorer.answers.findings import Door, Finding, Number, figure
from explorer.answers.rows import Rows
from explorer.measures.registry import all_measures
from explorer.selection import Question, Selection, ask, list_store
from store.errors import BertdynError
from store.keys import NO_CORPUS, task_and_variant

if TYPE_CHECKING:
    from store.store import Store

_MOST_PLACES = 13
"""Values of a kind that are said: of more, the first and the last."""


def of_variants(store: Store, question: Question, recipes: Sequence[str], most: int) -> Iterator[Finding]:
    """Yield what each measure over variants says of each task that has variants.

    Args:
        recipes: tasks, also with variants (``sst2+freeze-3``).
        most: number of tasks.

    Raises:
        BertdynError: the store cannot be read.
    """
    tasks = tuple(dict.fromkeys(task for task, variant in map(task_and_variant, recipes) if variant))[:most]
    if not tasks:
        return
    listing = list_store(store)
    for measure in all_measures():
        if not measure.over_variants:
            continue
        corpus = question.corpus if measure.on_corpus else NO_CORPUS
        with suppress(BertdynError):  # no checkpoint of these seeds
            asked = ask(Selection(measure.name, corpus, tasks=tasks, seeds=question.seeds), measure, listing)
            for rows in fetch_each(store, asked):
                yield from _of_task(rows)


def _of_task(rows: Rows) -> Iterator[Finding]:
    """Say the means over seeds at the last step of each kind, along the measure's first axis."""
    measure, task = rows.measure, rows.tasks[0]
    along, lines = (axis.name for axis in measure.own_axes)
    values: dict[str, dict[tuple[int, float], list[float]]] = {}
    for r in rows.main:
        place = dict(r.axes)
        if r.value is not None and along in place:
            at = r.step, float(place[along])
            values.setdefault(str(place.get(lines, "")), {}).setdefault(at, []).append(r.value)
    said, numbers = [], []
    for line, found in values.items():
        last = max(step for step, _ in found)
        means = {place: fmean(each) for (step, place), each in found.items() if step == last}
        order = sorted(means)
        shown = order if len(order) <= _MOST_PLACES else [order[0], order[-1]]
        first, *others = (f"{figure(means[place])} ({{}}{place:g})" for place in shown)
        said.append(f"{line} " + ", ".join([first.format(f"{along} "), *(other.format("") for other in others)]))
        numbers += [Number(f"{line} {along} {place:g}", means[place], measure.name, task, last) for place in order]
    if said:
        door = Door("profile", "head", measure=measure.name, tasks=(task,))
        yield Finding(measure.topic, f"{task}, {measure.name}", "; ".join(said), door, numbers=tuple(numbers))
