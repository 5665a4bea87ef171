"""Rows of the pickers: measures, references, tasks, seeds, corpora and kept selections, made from the state. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from explorer.measures.declaration import TOPICS
from explorer.selection import Against
from explorer.ui.catalogue import Catalogue
from explorer.ui.modes import HEAD, LAYER, STEP
from explorer.ui.state import State, compared, settled, with_corpus
from store.errors import BertdynError

if TYPE_CHECKING:
    from explorer.answers.coverage import Coverage

MEASURE, REFERENCE, TASK, SEED, CORPUS = "measure", "reference", "task", "seed", "corpus"


@dataclass(frozen=True)
class Pick:
    """One row."""

    name: str
    """What is chosen; also what the command palette finds."""
    text: str
    """What it is, in a few words."""
    group: str = ""
    """Heading that it stands under."""
    why: str = ""
    """Reason to choose it, in one line; shown for the row under the cursor."""
    chosen: bool = False

    def matches(self, typed: str) -> bool:
        """Return whether each typed word is in its name, text or heading."""
        said = f"{self.name} {self.text} {self.group}".lower()
        return all(word in said for word in typed.lower().split())


def picks(what: str, state: State, catalogue: Catalogue) -> tuple[Pick, ...]:
    """Return the rows to choose a measure, reference, task, seed or corpus from."""
    return {MEASURE: _measures, REFERENCE: _references, TASK: _tasks, SEED: _seeds, CORPUS: _corpora}[what](
        state, catalogue
    )


def ranked(rows: Sequence[Pick], typed: str) -> tuple[Pick, ...]:
    """Return the rows that match what is typed: those whose name begins with it first, else in their order."""
    found = [row for row in rows if row.matches(typed)]
    wanted = typed.strip().lower()
    first = [row for row in found if wanted and row.name.lower() == wanted]
    begins = [row for row in found if wanted and row.name.lower().startswith(wanted) and row not in first]
    return (*first, *begins, *(row for row in found if row not in first and row not in begins))


def taken(what: str, name: str, state: State, catalogue: Catalogue) -> State:
    """Return the state after a row was chosen.

    Raises:
        BertdynError: there is nothing of that name.
    """
    if name not in {row.name for row in picks(what, state, catalogue)}:
        raise BertdynError(f"There is no {what} '{name}'.")
    if what == MEASURE:
        return replace(state, measure=name)
    if what == REFERENCE:
        return compared(state, name)
    if what == CORPUS:
        return with_corpus(state, catalogue, name)
    if what == TASK:
        return settled(replace(state, tasks=catalogue.tasks(state.corpus) if name == _EVERY else (name,)), catalogue)
    return replace(state, seeds=() if name == _EVERY else (name,))


def computed(coverage: Coverage, corpus: str) -> Mapping[str, str]:
    """Return how much of each measure is computed on a corpus, in words."""
    found: dict[str, tuple[int, int]] = {}
    for one in coverage.measures:
        if one.corpus in ("", corpus):
            known, possible = found.get(one.measure.name, (0, 0))
            found[one.measure.name] = known + one.known, possible + one.possible
    return {name: _share(*counts) for name, counts in found.items()}


def _share(known: int, possible: int) -> str:
    if not known:
        return f"none of {possible:,}"
    return f"all {possible:,}" if known >= possible else f"{known:,} of {possible:,}"


AGAINST = "against"


@dataclass(frozen=True)
class Place:
    """What is typed into the command palette with a name or a number of its own, such as ``layer 4``."""

    what: str
    """``layer``, ``step``, ``head`` or ``against``."""
    value: str

    @property
    def about(self) -> str:
        """What choosing it does."""
        if self.what == AGAINST:
            return f"compare with {self.value}"
        return f"point at {self.what} {self.value}, in all pictures that have it"


def place(typed: str) -> Place | None:
    """Return what a line of the command palette names: ``layer 4``, ``step 40``, ``against sst2/1/80``; else None."""
    what, _, value = typed.strip().partition(" ")
    value = value.strip()
    if what == AGAINST and value and " " not in value:
        return Place(what, value)
    return Place(what, value) if what in (LAYER, STEP, HEAD) and value.isdecimal() else None


_EVERY = "all"


def _measures(state: State, catalogue: Catalogue) -> tuple[Pick, ...]:
    order = sorted(catalogue.measures, key=lambda m: TOPICS.index(m.topic))
    return tuple(Pick(m.name, m.title, m.topic, m.why, m.name == state.measured) for m in order)


def _references(state: State, catalogue: Catalogue) -> tuple[Pick, ...]:
    chosen = state.compared_with(catalogue)
    tasks = catalogue.tasks(state.corpus)
    names = (*catalogue.references(state.corpus), *(f"task:{task}" for task in tasks if len(tasks) > 1))
    names = names if chosen in names else (*names, chosen)
    return tuple(Pick(name, Against.parse(name).said, chosen=name == chosen) for name in names)


def _tasks(state: State, catalogue: Catalogue) -> tuple[Pick, ...]:
    there = catalogue.tasks(state.corpus)
    rows = [Pick(t, _many(len(catalogue.seeds(state.corpus, (t,))), "seed"), chosen=state.tasks == (t,)) for t in there]
    every = [Pick(_EVERY, "all tasks", chosen=len(state.tasks) > 1)] if len(there) > 1 else []
    return (*rows, *every)


def _seeds(state: State, catalogue: Catalogue) -> tuple[Pick, ...]:
    there = catalogue.seeds(state.corpus, state.tasks)
    rows = [Pick(seed, f"seed {seed} alone", chosen=state.seeds == (seed,)) for seed in there]
    return (Pick(_EVERY, "all seeds, and their mean", chosen=not state.seeds), *rows)


def _corpora(state: State, catalogue: Catalogue) -> tuple[Pick, ...]:
    return tuple(
        Pick(info.name, f"{info.examples:,} sentences, {info.tokens:,} tokens", chosen=info.name == state.corpus)
        for info in catalogue.corpora
        if catalogue.of(info.name)
    )


def kept_selections(there: Mapping[str, State], remarks: Mapping[str, str]) -> tuple[Pick, ...]:
    """Return a row per kept selection, with what the user wrote about it."""
    return tuple(Pick(name, selected(state), why=remarks.get(name, "")) for name, state in there.items())


def selected(state: State) -> str:
    """Return a selection in words, on one line."""
    seeds = ", ".join(state.seeds) or "all"
    said = [state.measure, f"against {state.against}", f"corpus {state.corpus}", ", ".join(state.tasks)]
    said += [f"seeds {seeds}"]
    said += [f"{what} {span}" for what, span in (("steps", state.steps), ("layers", state.layers)) if span is not None]
    said += [f"{axis} {text}" for axis, text in state.along(state.measure)]
    return ", ".join(part for part in said if part)


def _many(number: int, unit: str) -> str:
    return f"{number} {unit}" + ("" if number == 1 else "s")
