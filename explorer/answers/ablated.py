"""What runs that lack something say: the metric against the number of layers, for each kind of variant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from statistics import fmean
from typing import TYPE_CHECKING

from explorer.answers.fetching import fetch_each
from explorer.answers.findings import Door, Finding, Number, figure
from explorer.answers.rows import Rows
from explorer.measures.declaration import KIND, K
from explorer.measures.registry import all_measures
from explorer.selection import Question, Selection, ask, list_store
from store.errors import BertdynError
from store.keys import NO_CORPUS, task_and_variant

if TYPE_CHECKING:
    from store.store import Store

MOST_PLACES = 13
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
    """Say the means over seeds at the last step of each kind of variant, along its number of layers."""
    measure, task = rows.measure, rows.tasks[0]
    values: dict[str, dict[tuple[int, int], list[float]]] = {}
    for r in rows.main:
        place = dict(r.axes)
        if r.value is not None and K.name in place:
            at = r.step, int(place[K.name])
            values.setdefault(str(place.get(KIND.name, "")), {}).setdefault(at, []).append(r.value)
    said, numbers = [], []
    for line, found in values.items():
        last = max(step for step, _ in found)
        means = {place: fmean(each) for (step, place), each in found.items() if step == last}
        order = sorted(means)
        shown = order if len(order) <= MOST_PLACES else [order[0], order[-1]]
        first, *others = (f"{figure(means[k])} ({{}}{k})" for k in shown)
        listed = ", ".join([first.format(f"{K.title} "), *(other.format("") for other in others)])
        said.append(f"{line} {listed}".strip())
        numbers += [Number(f"{line} {K.title} {k}".strip(), means[k], measure.name, task, last) for k in order]
    if said:
        door = Door("profile", "head", measure=measure.name, tasks=(task,))
        yield Finding(measure.topic, f"{task}, {measure.name}", "; ".join(said), door, numbers=tuple(numbers))
