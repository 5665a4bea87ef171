"""What runs that lack something say: the metric against the number of layers, for each kind of variant."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from statistics import fmean
from typing import TYPE_CHECKING

from explorer.answers.fetching import fetch_each
from explorer.answers.findings import Door, Finding, Number, figure
from explorer.answers.rows import Rows
from explorer.answers.variants import at_last_steps
from explorer.measures.declaration import KIND, K
from explorer.measures.registry import all_measures
from explorer.selection import Question, Selection, ask, list_store
from store.errors import BertdynError
from store.keys import NO_CORPUS, task_and_variant
from store.results import Result

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
    """Say the means over seeds, each run at its last step, of each kind of variant along its number of layers."""
    measure, task = rows.measure, rows.tasks[0]
    values: dict[str, dict[int, list[Result]]] = {}
    for r in at_last_steps(rows).main:
        place = dict(r.axes)
        if r.value is not None and K.name in place:
            values.setdefault(str(place.get(KIND.name, "")), {}).setdefault(int(place[K.name]), []).append(r)
    said, numbers = [], []
    for line, found in values.items():
        means = {k: fmean(r.value for r in each if r.value is not None) for k, each in found.items()}
        last = {k: max(r.step for r in each) for k, each in found.items()}
        order = sorted(means)
        shown = order if len(order) <= MOST_PLACES else [order[0], order[-1]]
        first, *others = (f"{figure(means[k])} ({{}}{k})" for k in shown)
        listed = ", ".join([first.format(f"{K.title} "), *(other.format("") for other in others)])
        said.append(f"{line} {listed}".strip())
        numbers += [Number(f"{line} {K.title} {k}".strip(), means[k], measure.name, task, last[k]) for k in order]
    if said:
        door = Door("profile", "head", measure=measure.name, tasks=(task,))
        yield Finding(measure.topic, f"{task}, {measure.name}", "; ".join(said), door, numbers=tuple(numbers))
