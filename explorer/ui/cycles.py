"""Go to the next measure, task, seed and so on: functions from one state to the next. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from explorer.answers.look import END
from explorer.selection import at_or_before, steps_of
from explorer.ui.catalogue import Catalogue
from explorer.ui.modes import MODES, STEPS
from explorer.ui.state import FIRST_MEASURE, State, comparable, compared, settled, with_corpus
from explorer.views.base import Cursor, DrawOptions

ALL = ""
"""Used in place of a name, for all names."""


def cycled(choices: Sequence[str], current: str, by: int = 1) -> str:
    """Return the choice after the current one; the first after the last, or if ``current`` is not a choice."""
    if current not in choices:
        return choices[0] if choices else current
    return choices[(choices.index(current) + by) % len(choices)]


def next_measure(state: State, catalogue: Catalogue, by: int = 1) -> State:
    """Return the state with the next measure of the registry."""
    return replace(state, measure=cycled([m.name for m in catalogue.measures], state.measure, by))


def next_task(state: State, catalogue: Catalogue, by: int = 1) -> State:
    """Return the state with the next task; after the last one, with all tasks."""
    there = catalogue.tasks(state.corpus)
    chosen = cycled((*there, ALL) if len(there) > 1 else there, _one(state.tasks, there), by)
    return settled(replace(state, tasks=there if chosen == ALL else (chosen,)), catalogue)


def next_seed(state: State, catalogue: Catalogue, by: int = 1) -> State:
    """Return the state with the next seed; after the last one, with all seeds."""
    there = catalogue.seeds(state.corpus, state.tasks)
    chosen = cycled((ALL, *there), _one(state.seeds or there, there), by)
    return replace(state, seeds=() if chosen == ALL else (chosen,))


def where(state: State, catalogue: Catalogue, what: str, key: str, other_picture: str) -> str:
    """Return a sentence that says which task or seed is shown, and how to get to the others.

    Args:
        what: ``task`` or ``seed``.
        key: key for the next task or seed.
        other_picture: key for the next picture.
    """
    there = catalogue.tasks(state.corpus) if what == "task" else catalogue.seeds(state.corpus, state.tasks)
    chosen = (state.tasks if what == "task" else state.seeds) or there
    if len(there) < 2:
        return f"There is one {what}: {there[0]}." if there else f"There is no {what}."
    if len(chosen) == 1:
        place = there.index(chosen[0]) + 1
        then = "all of them" if place == len(there) else "the next, after the last one all of them"
        return f"{what.capitalize()} {chosen[0]}, {place} of {len(there)}; {key} shows {then}."
    words = f"All {len(there)} {what}s; {key} shows one after the other."
    parts = {variant.part for variant in MODES[state.mode].variants}
    if (
        what == "task"
        and state.variant.kind is not None
        and not state.variant.every_task
        and state.variant.part != what
    ):
        words += f" Only {chosen[0]} is drawn" + (f"; {other_picture}: one line per task." if what in parts else ".")
    return words


def _one(chosen: Sequence[str], there: Sequence[str]) -> str:
    """Return the only chosen name; ALL if several are chosen."""
    return chosen[0] if len(chosen) == 1 and len(there) > 1 else ALL


def next_corpus(state: State, catalogue: Catalogue, by: int = 1) -> State:
    """Return the state with the next corpus that has checkpoints."""
    names = [info.name for info in catalogue.corpora if catalogue.of(info.name)]
    return with_corpus(state, catalogue, cycled(names, state.corpus, by))


def next_reference(state: State, catalogue: Catalogue, by: int = 1) -> State:
    """Return the state with the next reference."""
    there = catalogue.references(state.corpus)
    return compared(state, cycled(there, state.compared_with(catalogue), by))


def varied(state: State, catalogue: Catalogue, by: int = 1) -> State:
    """Return the state with the mode's next variant. If a variant compares tasks and only one is chosen, the other
    tasks are added after it, so that views of one task still show the same; and so are other corpora."""
    there = dict(state.variants)
    there[state.mode] = (there.get(state.mode, 0) + by) % len(MODES[state.mode].variants)
    new = replace(state, variants=tuple(there.items()))
    alone = new.variant.part == "task" and len(state.tasks) == 1
    others = (task for task in catalogue.tasks(state.corpus) if task not in state.tasks)
    if new.joined and not new.further:
        new = replace(new, further=comparable(new, catalogue))
    return replace(new, tasks=(*state.tasks, *others)) if alone else new


def stepped(state: State, catalogue: Catalogue, by: int) -> State:
    """Return the state with the next step, for all views of one step or with steps along x.

    Raises:
        BertdynError: the selection is not valid or empty.
    """
    measure = catalogue.measure(state.measure)
    asked = state.chosen(catalogue, state.measure if measure is None or measure.compares else FIRST_MEASURE)
    there = steps_of(asked, catalogue.of(state.corpus))
    at = dict(state.cursors).get(STEPS, Cursor(END, -1))
    place = min(max(at_or_before(there, at.x) + by, 0), len(there) - 1)
    return state.pointing(Cursor(there[place], at.y), STEPS)


def looking(state: State, catalogue: Catalogue, what: str, by: int) -> State:
    """Return the state with the next layer or head, for views of a single layer or head."""
    if what == "head":
        return replace(state, look=replace(state.look, head=(state.look.head + by) % (catalogue.heads + 1)))
    layer = catalogue.layers if state.look.layer is None else state.look.layer
    return replace(state, look=replace(state.look, layer=min(max(layer + by, 0), catalogue.layers)))


def resorted(options: DrawOptions, columns: Sequence[str]) -> DrawOptions:
    """Return the next order of a table: by each column, ascending and then descending, at last its own order again."""
    if options.sort and not options.descending:
        return replace(options, descending=True)
    return replace(options, sort=cycled(("", *columns), options.sort), descending=False)
