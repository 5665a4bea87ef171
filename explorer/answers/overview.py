"""Gather what a store says about a selection: the chosen measure, all other measures with values, and the training.

The first task is read before anything else, so that a picture can be drawn; the rest comes with ``others``. Of other
measures only the first and last step of each task are read, with their default parameters or, if none has values, the
parameters that have most.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from statistics import fmean
from typing import TYPE_CHECKING

from explorer.answers.ablated import of_variants
from explorer.answers.changes import Change, between_tasks, changes, of_measure
from explorer.answers.fetching import fetch, fetch_each, fetch_heads
from explorer.answers.findings import Door, Finding, Findings, Number, figure, listed
from explorer.answers.look import Look
from explorer.answers.rows import Rows
from explorer.answers.stored_measures import stored_measures
from explorer.answers.training import Training, training
from explorer.measures import Measure
from explorer.measures.declaration import ATTENTION, HEAD, TOPICS
from explorer.selection import Against, Question, Ranges
from store.errors import BertdynError
from store.keys import PRETRAINED, CheckpointKey
from store.results import Result

if TYPE_CHECKING:
    from store.store import Store

MOST_TASKS = 6
"""Tasks that are described; a store may have hundreds with their variants."""
_HEADS = 3
AGREE, TRAINING = "Do measures agree?", "Training"


def others(store: Store, question: Question, look: Look, found: Rows) -> Findings:
    """Return all findings of a selection.

    Args:
        found: the values of the chosen measure, of the first task.

    Raises:
        BertdynError: the store cannot be read.
    """
    rows = [found, *islice(fetch_each(store, question), 1, MOST_TASKS)] if len(found.tasks) > 1 else [found]
    described = [task for task in found.tasks if task != PRETRAINED][:MOST_TASKS]
    there = changes(rows)
    keys = [c.key for c in store.checkpoints(question.corpus)]
    stored = list(stored_measures(store, question, described, _ends(keys, described)))
    findings = [
        *of_measure(rows),
        *_two_tasks(store, there),
        *islice(_agreement(there, stored), 1),
        *_heads(store, [*stored, found]),
        *(f for topic in TOPICS for one in stored if one.measure.topic == topic for f in _summary(one)),
        *of_variants(store, question, found.tasks, MOST_TASKS),
        *_training(store, question, described),
    ]
    left = len([task for task in found.tasks if task != PRETRAINED]) - len(described)
    return Findings(question, tuple(described), left, _by_topic(findings), found.missing)


def _by_topic(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return the findings of each topic together, topics in the order of their first finding."""
    topics = list(dict.fromkeys(finding.topic for finding in findings))
    return tuple(sorted(findings, key=lambda finding: topics.index(finding.topic)))


def first(found: Rows) -> Findings:
    """Return the findings of the chosen measure in the first task, while the others are being read (pure)."""
    return Findings(found.question, found.tasks[:1], 0, tuple(of_measure([found])), found.missing, whole=False)


def _ends(keys: Iterable[CheckpointKey], tasks: Sequence[str]) -> tuple[int, ...]:
    """Return the first and last step of each task."""
    steps: dict[str, set[int]] = {}
    for key in keys:
        if key.recipe in tasks:
            steps.setdefault(key.recipe, set()).add(key.step)
    return tuple(sorted({end for there in steps.values() for end in (min(there), max(there))}))


def _two_tasks(store: Store, there: Sequence[Change]) -> Iterator[Finding]:
    """How far the first two tasks lie apart at their last common step."""
    if len(there) < 2 or not there[0].measure.compares:
        return
    first, other = there[:2]
    common = sorted(set(first.steps) & set(other.steps))
    if not common:
        return
    against, layer = Against("task", task=other.task), first.order[0]
    asked = replace(first.rows.question, against=against, tasks=(first.task,), steps=Ranges.one(common[-1]))
    with suppress(BertdynError):  # no seed that both have
        found = fetch(store, asked, whole=True)
        apart = [r.value for r in found.main if r.layer == layer and r.value is not None]
        yield between_tasks(first, other, common[-1], apart, len(found.wanted))


def _agreement(there: Sequence[Change], stored: Iterable[Rows]) -> Iterator[Finding]:
    """Rank correlation of layers between the chosen measure and each other one, in each task where one is there."""
    for change in there:
        numbers, said = [], []
        for rows in stored:
            other = next((c for c in changes([rows]) if c.task == change.task), None)
            same = rows.question.against == change.rows.question.against
            if other is None or not (same and rows.measure.compares) or other.steps[-1] != change.steps[-1]:
                continue
            rho, many = change.amounts.correlation(other.amounts)
            if rho is not None:
                said.append(f"{rows.measure.name} {rho:+.2f} ({many} layers)")
                numbers.append(
                    Number("Spearman's correlation of layers", rho, rows.measure.name, change.task, change.steps[-1])
                )
        if said:
            text = f"order of layers by {change.measure.name} and by {listed(said, 6)} (Spearman, +1: the same)"
            yield Finding(AGREE, change.task, text, Door("agreement", tasks=(change.task,)), numbers=tuple(numbers))


def _heads(store: Store, stored: Iterable[Rows]) -> Iterator[Finding]:
    """The heads whose attention moved most, and the door to the sentence that did."""
    for rows in stored:
        measure, task = rows.measure, next(iter(rows.tasks), "")
        if not (measure.compares and measure.axis(HEAD.name) and measure.topic == ATTENTION) or not task:
            continue
        step = max((r.step for r in rows.of(task)), default=0)
        found: dict[tuple[int, int], list[float]] = {}
        for r in fetch_heads(store, rows, step=step):
            if r.value is not None and r.head is not None:
                found.setdefault((r.layer or 0, r.head), []).append(r.value)
        means = {place: fmean(values) for place, values in found.items()}
        order = sorted(means, key=lambda place: (-abs(means[place] - measure.same), place))[:_HEADS]
        if order:
            (layer, head), *others = order
            text = f"layer {layer} head {head} moved most ({figure(means[layer, head])} {measure.unit})"
            shown = [f"layer {n} head {h} ({figure(means[n, h])})" for n, h in others]
            text += f", then {listed(shown)}" if shown else ""
            numbers = [Number(f"head {h}", means[n, h], measure.name, task, step, n) for n, h in order]
            yield Finding(
                ATTENTION, f"{task}, {measure.name}", text,
                Door("heads", measure=measure.name, tasks=(task,), step=step, layer=layer, head=head),
                numbers=tuple(numbers),
            )  # fmt: skip
            door = Door("example", tasks=(task,), step=step, layer=layer, head=head, changed=True)
            text = f"the sentence whose attention moved most in layer {layer} head {head}"
            yield Finding(ATTENTION, task, text, door, only_opens=True)
        return


def _summary(rows: Rows) -> Iterator[Finding]:
    """What a measure found in the first task that has values: by layer, or as one number, from first to last step."""
    measure = rows.measure
    if measure.over_variants:  # see ``of_variants``
        return
    subject = measure.name + (f" ({rows.question.annotation})" if rows.question.annotation else "")
    there = changes([rows])
    if there:
        yield from (_by_layer(change, subject) for change in there[:1])
        return
    alone = [r for r in rows.main if r.value is not None and r.layer is None and not r.axes]
    for task in rows.tasks[:1]:
        yield from _as_one(measure, task, [r for r in alone if r.recipe == task], subject)


def _by_layer(change: Change, subject: str) -> Finding:
    measure, final, step = change.measure, change.final, change.steps[-1]
    high, low = max(final, key=lambda n: final[n]), min(final, key=lambda n: final[n])
    text = (
        f"{change.task}: highest in layer {high} ({figure(final[high])}), lowest in layer {low} ({figure(final[low])})"
    )
    top = max(final)
    series = change.means[top]
    if len(series) > 1:
        begin = min(series)
        text += f"; layer {top} {figure(series[begin])} → {figure(series[step])} from step {begin:,} to {step:,}"
    numbers = tuple(Number("value", value, measure.name, change.task, step, n) for n, value in final.items())
    door = Door(
        "curves", measure=measure.name, annotation=change.rows.question.annotation, tasks=(change.task,), layer=high
    )
    return Finding(measure.topic, subject, text, door, tuple(change.sizes.items()), numbers)


def _as_one(measure: Measure, task: str, rows: Sequence[Result], subject: str) -> Iterator[Finding]:
    steps: dict[int, list[float]] = {}
    for r in rows:
        steps.setdefault(r.step, []).append(r.value or 0.0)
    if not steps:
        return
    first_step, last_step = min(steps), max(steps)
    begin, end = fmean(steps[first_step]), fmean(steps[last_step])
    unit = f" {measure.unit}" if measure.unit not in ("", measure.title) else ""
    text = f"{task}: {figure(end)}{unit} at step {last_step:,}"
    if first_step != last_step:
        text += f" ({figure(begin)} at step {first_step:,})"
    numbers = (
        Number("value", begin, measure.name, task, first_step), Number("value", end, measure.name, task, last_step),
    )  # fmt: skip
    yield Finding(measure.topic, subject, text, Door("curves", measure=measure.name, tasks=(task,)), numbers=numbers)


def _training(store: Store, question: Question, tasks: Sequence[str]) -> Iterator[Finding]:
    """How the runs were trained, as their checkpoints say."""
    checkpoints = store.checkpoints(question.corpus)
    for task in tasks:
        seeds = question.seeds or tuple({c.key.seed for c in checkpoints if c.key.recipe == task})
        yield from of_training(task, training(checkpoints, task, seeds))


def of_training(task: str, log: Training) -> Iterator[Finding]:
    """Say each quantity at the first and at the last step for which it was logged (pure)."""
    told: dict[tuple[int, int], list[str]] = {}
    numbers: list[Number] = []
    for track in log.tracks:
        known = [(step, float(v)) for step, v in zip(log.steps, track.values, strict=True) if v == v]
        (begin, one), (end, other) = known[0], known[-1]
        told.setdefault((begin, end), []).append(f"{track.short} {figure(one)} → {figure(other)}")
        numbers += [Number(track.short, one, "", task, begin), Number(track.short, other, "", task, end)]
    if told:
        text = "; ".join(f"{listed(said)} from step {begin:,} to {end:,}" for (begin, end), said in told.items())
        yield Finding(TRAINING, task, text, Door("curves", tasks=(task,)), numbers=tuple(numbers))
