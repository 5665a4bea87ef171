"""Say what one measure found: where and when tasks changed, whether seeds and tasks agree, what is chance. Pure.

Values are those of whole layers at the last step of each task, as means over seeds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean, stdev

from explorer.answers.cells import signed
from explorer.answers.findings import Door, Finding, Number, Price, figure, listed
from explorer.answers.onsets import onsets
from explorer.answers.profiles import Profile
from explorer.answers.rows import Rows
from explorer.answers.worth import WITHIN_CHANCE, WITHIN_SEEDS, worth
from explorer.measures.base import Measure
from explorer.measures.computation import Uncertainty
from explorer.measures.declaration import LAYER
from explorer.selection import Against, Ranges
from explorer.selection.against import SEEDS
from store.results import Result

CHANGED, SEEDS_AGREE, TASKS_DIFFER, CHANCE = (
    "What changed",
    "Do seeds agree?",
    "Do tasks differ?",
    "Is it chance?",
)
DRAWS = 5
"""Null draws that are offered: enough for a mean."""
_LARGEST = 3
"""Layers that are named."""


@dataclass(frozen=True, eq=False)
class Change:
    """One task's values by layer and step."""

    rows: Rows
    task: str

    @property
    def measure(self) -> Measure:
        """The measure."""
        return self.rows.measure

    @cached_property
    def of_task(self) -> tuple[Result, ...]:
        """Values of single layers, without places along other axes."""
        rows = self.rows.of(self.task)
        return tuple(r for r in rows if r.value is not None and r.layer is not None and not r.axes)

    @cached_property
    def steps(self) -> tuple[int, ...]:
        """Steps with a value, ascending."""
        return tuple(sorted({r.step for r in self.of_task}))

    @cached_property
    def _placed(self) -> dict[int, dict[int, list[Result]]]:
        """Rows of the seeds, by layer and step, both ascending."""
        found: dict[int, dict[int, list[Result]]] = {}
        for r in self.of_task:
            found.setdefault(r.layer or 0, {}).setdefault(r.step, []).append(r)
        return {layer: dict(sorted(steps.items())) for layer, steps in sorted(found.items())}

    @cached_property
    def means(self) -> dict[int, dict[int, float]]:
        """Mean over seeds, by layer and step."""
        return {
            layer: {step: fmean(r.value or 0.0 for r in rows) for step, rows in steps.items()}
            for layer, steps in self._placed.items()
        }

    @cached_property
    def last(self) -> dict[int, list[Result]]:
        """Rows of the seeds at the last step, by layer."""
        step = self.steps[-1]
        return {layer: steps[step] for layer, steps in self._placed.items() if step in steps}

    @cached_property
    def final(self) -> dict[int, float]:
        """Mean over seeds at the last step, by layer."""
        return {layer: fmean(r.value or 0.0 for r in rows) for layer, rows in self.last.items()}

    @cached_property
    def sizes(self) -> dict[int, float]:
        """How far each layer is from a checkpoint against itself, at the last step."""
        return {layer: abs(value - self.measure.same) for layer, value in self.final.items()}

    @property
    def so_far(self) -> str:
        """'1 of 7 layers computed so far: ' while layers of the task have no row at the last step; else empty."""
        layers = self.rows.places(self.task, LAYER.name)
        known = {r.layer for r in self.rows.of(self.task) if r.step == self.steps[-1] and r.layer is not None}
        return f"{len(known)} of {len(layers)} layers computed so far: " if len(known) < len(layers) else ""

    @property
    def amounts(self) -> Profile:
        """Changes at the last step with their signs, 0 where there is only rounding; of a similarity, how far it lies
        below 1."""
        sign, beyond = -1 if self.measure.same else 1, set(self.beyond)
        return Profile(
            self.measure,
            {n: (sign * (value - self.measure.same) if n in beyond else 0.0,) for n, value in self.final.items()},
        )

    @property
    def beyond(self) -> list[int]:
        """Layers that changed by more than rounding, the one that changed most first."""
        return [layer for layer in self.order if self.sizes[layer] > self.measure.floor]

    @property
    def order(self) -> list[int]:
        """Layers, the one that changed most first."""
        return sorted(self.sizes, key=lambda layer: (-self.sizes[layer], layer))

    @property
    def seeds(self) -> str:
        """'seed 1', 'seeds 1, 2': those with values at the last step."""
        there = {r.seed for r in self.of_task if r.step == self.steps[-1]}
        names = [seed for seed in self.rows.seeds(self.task) if seed in there]
        return f"seed{'s' if len(names) > 1 else ''} {', '.join(names[:5])}" + (" ..." if len(names) > 5 else "")

    def half(self, layer: int) -> int | None:
        """Return the first stored step at which a layer has made half of its change; None where none is claimed.

        The change is that of the seeds of the last step, and only steps count at which each of them has a value.
        """
        every = {r.seed for r in self.last[layer]}
        known = {step: {r.seed: r.value or 0.0 for r in rows} for step, rows in self._placed[layer].items()}
        series = {step: fmean(of[seed] for seed in every) for step, of in known.items() if every <= of.keys()}
        found = onsets(tuple(series), tuple(series.values()), self.measure.floor)
        return None if found is None else found.half.by

    def yardstick(self, layer: int) -> float | None:
        """Return the distance between two seeds in a layer at the last step."""
        return next((y for r in self.last[layer] if (y := self.rows.yardstick(r)) is not None), None)


def changes(rows: Sequence[Rows]) -> list[Change]:
    """Return the tasks that have a value of a layer."""
    found = (Change(one, task) for one in rows for task in one.tasks)
    return [change for change in found if change.of_task]


def of_measure(rows: Sequence[Rows]) -> Iterator[Finding]:
    """Yield what the chosen measure found in each task; one finding where nothing is computed yet."""
    there = changes(rows)
    for one in rows if there else ():
        yield from (_changed(change) for change in there if change.rows is one)
        known = {change.task for change in there}
        yield from (_lacking(one, task) for task in one.tasks[:1] if task not in known and one.wanted)
    if not there:
        yield _nothing(rows)
    if rows[0].measure.compares:
        yield from (found for change in there for found in _seeds_agree(change))
    yield from _tasks_differ(there)
    yield from (found for change in there[:1] for found in _chance(change))


def _nothing(rows: Sequence[Rows]) -> Finding:
    question = rows[0].question
    asked, missing = sum(one.asked for one in rows), sum(one.missing for one in rows)
    if not asked:
        text = "the selection has no value"
    elif missing == asked:
        text = f"{asked:,} values are possible, none is computed"
    else:
        text = f"{asked - missing:,} of {asked:,} values are computed, none of them the value of a layer"
    price = Price(question, missing) if missing else None
    return Finding(CHANGED, question.measure.title, text, Door("curves"), price=price)


def _lacking(rows: Rows, task: str) -> Finding:
    """Say that a task has no value yet."""
    question, many = replace(rows.question, tasks=(task,)), len(rows.wanted)
    text = f"none of {many:,} values is computed"
    return Finding(CHANGED, task, text, Door("curves", tasks=(task,)), price=Price(question, many))


def _changed(change: Change) -> Finding:
    order, measure, step = change.order, change.measure, change.steps[-1]
    top = order[0]
    beyond = change.beyond
    if not beyond:
        text = f"no layer differs by more than rounding ({measure.floor:g}) at step {step:,}"
    else:
        half = change.half(top)
        by = f", half of it by step {half:,}" if half is not None else ""
        text = f"{change.so_far}most in layer {top} ({figure(change.final[top])}{by})"
        others = [f"layer {n} ({figure(change.final[n])})" for n in beyond[1:_LARGEST]]
        text += f", then in {listed(others)}" if others else ""
    doubts = [r.reason for r in change.last[top] if r.value is not None and r.reason]
    text += f"; unreliable: {doubts[0].partition(':')[0]}" if doubts else ""
    numbers = [Number("value", v, measure.name, change.task, step, n) for n, v in change.final.items()]
    halves = ((n, change.half(n)) for n in change.final)
    numbers += [
        Number("half of the change by step", h, measure.name, change.task, None, n) for n, h in halves if h is not None
    ]
    rows = change.rows
    read = tuple(task for task in rows.tasks if task not in rows.unshown)
    price = Price(replace(rows.question, tasks=read), rows.missing_here) if rows.missing_here else None
    return Finding(
        CHANGED,
        f"{change.task}, {change.seeds}",
        text,
        Door("curves", measure=measure.name, tasks=(change.task,), layer=top),
        tuple(change.sizes.items()),
        tuple(numbers),
        price,
        warning=bool(doubts),
    )


def _seeds_agree(change: Change) -> Iterator[Finding]:
    """In amount: the spread of the values over seeds. In representation: what two seeds differ by."""
    if len(change.rows.seeds(change.task)) < 2 or change.rows.between_seeds:
        return
    measure, step, layer = change.measure, change.steps[-1], change.order[0]
    values = [r.value or 0.0 for r in change.last[layer]]
    spread = stdev(values) if len(values) > 1 else None
    apart = change.yardstick(layer)
    if spread is None:
        amount = f"layer {layer}: only seed {change.last[layer][0].seed} has a value at step {step:,}"
    else:
        amount = f"layer {layer}: each seed against the reference {figure(fmean(values))} ± {figure(spread)} (amount)"
    door = Door("seeds", measure=measure.name, tasks=(change.task,), layer=layer)
    numbers = [Number("standard deviation over seeds", spread, measure.name, change.task, step, layer)]
    if apart is None:
        pairs = measure.comparisons(len(change.rows.seeds(change.task)))
        at = replace(change.rows.question, against=Against(SEEDS), tasks=(change.task,), steps=Ranges.one(step))
        text = f"{amount}; seeds not compared with each other yet"
        yield Finding(
            SEEDS_AGREE, change.task, text, door, numbers=tuple(numbers), price=Price(at, pairs * len(change.last))
        )
        return
    size = abs(fmean(values) - measure.same)
    between = abs(apart - measure.same)
    within = worth(measure, fmean(values), apart) == WITHIN_SEEDS
    verdict = (
        "as far as from the reference: the change is within what seeds differ by"
        if within
        else f"less than from the reference: {between / size:.0%} of it".replace("%", " %")
    )
    numbers.append(Number("between two seeds", apart, measure.name, change.task, step, layer))
    text = f"{amount}; two seeds against each other {figure(apart)} (representation), {verdict}"
    yield Finding(SEEDS_AGREE, change.task, text, door, numbers=tuple(numbers), warning=within)


def _tasks_differ(there: Sequence[Change]) -> Iterator[Finding]:
    """The same layer in each task, and whether tasks put the layers into the same order."""
    if len(there) < 2:
        return
    first = there[0]
    layer, measure = first.order[0], first.measure
    shown = [f"{c.task} {figure(c.final[layer])}" for c in there if layer in c.final]
    profiles = [change.amounts for change in there]
    pairs = [(there[i], profiles[0].correlation(profiles[i])[0]) for i in range(1, len(there))]
    known = [(c, rho) for c, rho in pairs if rho is not None]
    order = [f"{c.task} {rho:+.2f}" for c, rho in known]
    text = listed(shown, 6)
    text += f"; order of layers as in {first.task} (Spearman, +1: the same): {listed(order, 6)}" if order else ""
    numbers = [
        Number("Spearman's correlation of layers with " + first.task, rho, measure.name, c.task) for c, rho in known
    ]
    tasks = tuple(c.task for c in there)
    yield Finding(
        TASKS_DIFFER,
        f"layer {layer}",
        text,
        Door("curves", "task", measure.name, tasks=tasks, layer=layer),
        numbers=tuple(numbers),
    )


def between_tasks(first: Change, other: Change, step: int, apart: Sequence[float], pairs: int) -> Finding:
    """Say how far two tasks lie apart in the layer that changed most in the first one, at the last step of both.

    Args:
        apart: values of the layer in one task compared with the other, one per seed; empty: not computed.
        pairs: number of values to compute.
    """
    measure, layer = first.measure, first.order[0]
    question = first.rows.question
    subject = f"{first.task}, {other.task}"
    at = replace(
        question, against=Against("task", task=other.task), tasks=(first.task,), steps=Ranges.one(step)
    )  # fmt: skip
    door = Door("curves", measure=measure.name, tasks=(first.task,), against=str(at.against), layer=layer)
    if not apart:
        text = f"layer {layer} of both is not compared yet"
        return Finding(TASKS_DIFFER, subject, text, door, price=Price(at, pairs))
    value, seeds = fmean(apart), first.yardstick(layer)
    text = f"layer {layer} of both compared, same seed and step: {figure(value)}"
    text += f"; two seeds of {first.task} {figure(seeds)}" if seeds is not None else ""
    verdict = worth(measure, value, seeds)
    text += f": {verdict}" if verdict else ""
    numbers = (Number(f"compared with {other.task}", value, measure.name, first.task, step, layer),)
    return Finding(TASKS_DIFFER, subject, text, door, numbers=numbers, warning=verdict == WITHIN_SEEDS)


def _chance(change: Change) -> Iterator[Finding]:
    """The value of the layer that changed most beside its chance level."""
    measure, layer, step = change.measure, change.order[0], change.steps[-1]
    if not measure.null:
        return
    nulls = [r.null_value for r in change.last[layer] if r.null_value is not None]
    value = change.final[layer]
    door = Door("profile", measure=measure.name, tasks=(change.task,), step=step, layer=layer)
    subject = f"{change.task}, layer {layer}"
    if not nulls:
        asked = replace(change.rows.question, tasks=(change.task,), steps=Ranges.one(step))
        text = f"{figure(value)}; its chance level is not computed"
        yield Finding(
            CHANCE,
            subject,
            text,
            door,
            price=Price(asked, sum(map(len, change.last.values())), Uncertainty(null=DRAWS)),
        )
        return
    chance = fmean(nulls)
    share = (value - measure.same) / (chance - measure.same) if chance != measure.same else 0.0
    text = f"{figure(value)}, where chance is {figure(chance)}"
    if not signed(measure):
        text += f": {share:.0%} of the way from no change to chance".replace("%", " %")
    text += f": {verdict}" if (verdict := worth(measure, value, None, chance)) == WITHIN_CHANCE else ""
    numbers = (Number("chance", chance, measure.name, change.task, step, layer),)
    yield Finding(CHANCE, subject, text, door, numbers=numbers, warning=verdict == WITHIN_CHANCE)
