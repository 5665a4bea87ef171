"""What the explorer shows: pure data, and pure functions from one state to the next."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from explorer.selection import Against, Ranges, Selection, default_against, narrowed, seed_order
from explorer.views.base import END, VIEWS, Cursor, DrawOptions
from store.errors import BertdynError
from store.keys import PRETRAINED, CheckpointKey, ProbeInfo

if TYPE_CHECKING:
    from explorer.measures.base import Measure

MODES = tuple(VIEWS)
FIRST_MEASURE = "svcca"
_AXES = {"curves": "steps", "heat": "steps", "seeds": "steps"}
"""Modes whose axes are step and layer: the cursor stays where it is between them."""
LINES = ("curves", "profile", "seeds")
"""Modes that draw lines: with no line pointed at, all keep their colours."""


@dataclass(frozen=True)
class Catalogue:
    """What a store holds and what can be asked of it, as the data thread last listed it."""

    probes: tuple[ProbeInfo, ...]
    keys: tuple[tuple[CheckpointKey, ...], ...]
    """Sorted checkpoints of each probe set, in the order of ``probes``."""
    layers: int
    """The most transformer layers of any checkpoint."""
    measures: tuple[Measure, ...]

    def of(self, probe: str) -> tuple[CheckpointKey, ...]:
        """The checkpoints of a probe set; none when there is no such set."""
        return next((k for info, k in zip(self.probes, self.keys, strict=True) if info.name == probe), ())

    def info(self, probe: str) -> ProbeInfo | None:
        """What the listing says of a probe set."""
        return next((info for info in self.probes if info.name == probe), None)

    def tasks(self, probe: str) -> tuple[str, ...]:
        """Fine-tuning tasks of a probe set (the pre-trained model is a reference, not a task to look at)."""
        return tuple(sorted({k.task for k in self.of(probe)} - {PRETRAINED}))

    def seeds(self, probe: str, tasks: Sequence[str] = ()) -> tuple[str, ...]:
        """Seeds of the tasks (of all when none is named), numbers in their own order."""
        found = {k.seed for k in self.of(probe) if k.task != PRETRAINED and (not tasks or k.task in tasks)}
        return tuple(sorted(found, key=seed_order))

    def measure(self, name: str) -> Measure | None:
        """The measure of that name."""
        return next((m for m in self.measures if m.name == name), None)

    def references(self, probe: str) -> tuple[str, ...]:
        """What checkpoints of a probe set can be compared with, as ``--against`` writes it."""
        pretrained = (PRETRAINED,) if any(k.task == PRETRAINED for k in self.of(probe)) else ()
        seeds = self.seeds(probe)
        others = ("seeds", *(f"seed:{seed}" for seed in seeds)) if len(seeds) > 1 else ()
        return (*pretrained, "first", "previous", "final", *others)


@dataclass(frozen=True)
class State:
    """The whole of what is shown; equal states show the same picture."""

    mode: str = MODES[0]
    measure: str = FIRST_MEASURE
    probe: str = ""
    tasks: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()
    steps: Ranges | None = None
    layers: Ranges | None = None
    against: Against = field(default_factory=lambda: Against("first"))
    """Kept while a measure of one checkpoint alone is shown."""
    reference_chosen: bool = False
    """By the user. Until then it is the pre-trained model as soon as the store has it."""
    cursors: tuple[tuple[str, Cursor], ...] = (("table", Cursor(0, 0)),)
    """Where the user pointed, by kind of axes. Elsewhere: the last step, of all lines or of a map's top layer."""
    options: DrawOptions = field(default_factory=DrawOptions)

    @property
    def cursor(self) -> Cursor:
        """Where the cursor is in this mode; views with the same axes share it."""
        at = dict(self.cursors).get(_AXES.get(self.mode, self.mode), Cursor(END, -1))
        return at if at.y >= 0 or self.mode in LINES else Cursor(at.x, END)

    def moved(self, at: Cursor, across: int, up: int) -> Cursor:
        """The cursor beside one that was drawn. From no line to the top one, and below the lowest to none."""
        if self.mode == "table":
            up = -up
        if up and at.y < 0:
            return Cursor(max(0, at.x + across), END)
        lowest = min(at.y, 0) if not up else -1 if self.mode in LINES else 0
        return Cursor(max(0, at.x + across), max(lowest, at.y + up))

    def pointing(self, cursor: Cursor) -> State:
        """The same with the cursor elsewhere."""
        moved = {**dict(self.cursors), _AXES.get(self.mode, self.mode): cursor}
        return replace(self, cursors=tuple(moved.items()))

    def selection(self, catalogue: Catalogue) -> Selection:
        """What views and jobs are asked for.

        Raises:
            BertdynError: nothing in the store yet, or a measure that needs the labels that the probe set has not.
        """
        measure = catalogue.measure(self.measure)
        if measure is None:
            names = ", ".join(m.name for m in catalogue.measures)
            raise BertdynError(f"There is no measure '{self.measure}', only {names}.")
        info = catalogue.info(self.probe)
        if info is not None and measure.needs_labels and not info.labels:
            labelled = ", ".join(i.name for i in catalogue.probes if i.labels)
            raise BertdynError(
                f"{measure.title} needs labels, and probe set '{self.probe}' has none. "
                + (f"Labelled: {labelled} (p)." if labelled else "Extract one with --label.")
            )
        if not catalogue.of(self.probe):
            raise BertdynError("No checkpoint here yet. New ones appear by themselves while 'bertdyn extract' runs.")
        chosen = Selection(
            measure=self.measure,
            probe=self.probe,
            tasks=self.tasks,
            seeds=self.seeds,
            steps=self.steps,
            layers=self.layers,
            against=self.against if measure.sides == 2 else None,
            parameters=measure.settle({}),
        )
        if not VIEWS[self.mode].across:
            return chosen
        if measure.sides == 1 or not measure.cross_layers:
            able = ", ".join(m.name for m in catalogue.measures if m.cross_layers)
            raise BertdynError(f"{measure.title} compares no layer with another one. These do: {able or 'none'} (m).")
        # A map is of one comparison: at the step that is pointed at where steps are an axis.
        at = dict(self.cursors).get("steps", Cursor(END, -1)).x
        return narrowed(VIEWS[self.mode].asked(chosen), catalogue.of(self.probe), at)


def settled(state: State, catalogue: Catalogue) -> State:
    """The state with whatever the catalogue no longer (or not yet) has replaced by what it has."""
    probes = [info.name for info in catalogue.probes]
    probe = state.probe
    if probe not in probes or not catalogue.of(probe):
        probe = next((name for name in probes if catalogue.of(name)), probes[0] if probes else "")
    if probe != state.probe:
        state = replace(state, probe=probe, reference_chosen=False)
    if not state.reference_chosen:
        state = replace(state, against=default_against(catalogue.of(probe)))
    there = catalogue.tasks(probe)
    tasks = tuple(t for t in state.tasks if t in there) or there[:1]
    seeds = tuple(s for s in state.seeds if s in catalogue.seeds(probe, tasks))
    return replace(state, tasks=tasks, seeds=seeds)


def cycled(choices: Sequence[str], current: str, by: int = 1) -> str:
    """The next of the choices after the current one, around the end; the first when it is none of them."""
    if current not in choices:
        return choices[0] if choices else current
    return choices[(choices.index(current) + by) % len(choices)]


def next_measure(state: State, catalogue: Catalogue, by: int = 1) -> State:
    """The next measure of the registry."""
    return replace(state, measure=cycled([m.name for m in catalogue.measures], state.measure, by))


def next_task(state: State, catalogue: Catalogue, by: int = 1) -> State:
    """One task after the other, each alone."""
    there = catalogue.tasks(state.probe)
    current = state.tasks[0] if len(state.tasks) == 1 else ""
    return settled(replace(state, tasks=(cycled(there, current, by),) if there else ()), catalogue)


def next_seed(state: State, catalogue: Catalogue, by: int = 1) -> State:
    """All seeds, then one after the other."""
    there = ("", *catalogue.seeds(state.probe, state.tasks))
    current = state.seeds[0] if len(state.seeds) == 1 else ""
    chosen = cycled(there, current, by)
    return replace(state, seeds=(chosen,) if chosen else ())


def next_probe(state: State, catalogue: Catalogue, by: int = 1) -> State:
    """The next probe set that holds checkpoints."""
    names = [info.name for info in catalogue.probes if catalogue.of(info.name)]
    return with_probe(state, catalogue, cycled(names, state.probe, by))


def next_reference(state: State, catalogue: Catalogue, by: int = 1) -> State:
    """The next thing to compare with."""
    there = catalogue.references(state.probe)
    return compared(state, cycled(there, str(state.against), by))


def compared(state: State, reference: str) -> State:
    """Compared with what ``reference`` says.

    Raises:
        BertdynError: it is nothing that ``--against`` understands.
    """
    return replace(state, against=Against.parse(reference), reference_chosen=True)


def with_probe(state: State, catalogue: Catalogue, probe: str) -> State:
    """Another probe set, and a reference that it has."""
    state = replace(state, probe=probe)
    if str(state.against) not in catalogue.references(probe) and state.against.kind != "key":
        state = replace(state, reference_chosen=False)
    return settled(state, catalogue)


def toggled_task(state: State, catalogue: Catalogue, name: str) -> State:
    """Take a task in or out; the last one stays, since no task would be an empty screen."""
    chosen = set(state.tasks or catalogue.tasks(state.probe)) ^ {name}
    there = tuple(t for t in catalogue.tasks(state.probe) if t in chosen)
    return settled(replace(state, tasks=there), catalogue) if there else state


def toggled_seed(state: State, catalogue: Catalogue, name: str) -> State:
    """Take a seed in or out; all of them is written as none, so that seeds that come later belong."""
    there = catalogue.seeds(state.probe, state.tasks)
    chosen = set(state.seeds or there) ^ {name}
    kept = tuple(s for s in there if s in chosen)
    if not kept:
        return state
    return replace(state, seeds=() if len(kept) == len(there) else kept)


def ranged(state: State, what: str, text: str) -> State:
    """Steps or layers written as on the command line; ``all`` or nothing takes all.

    Raises:
        BertdynError: neither numbers nor ranges.
    """
    text = text.strip()
    ranges = None if text in ("", "all", "*") else Ranges.parse(text, what)
    return replace(state, steps=ranges) if what == "step" else replace(state, layers=ranges)


def switched(options: DrawOptions, name: str) -> DrawOptions:
    """One way of drawing turned on or off: ``log_y``, ``digits`` or ``ascii``."""
    return {
        "log_y": replace(options, log_y=not options.log_y),
        "digits": replace(options, digits=not options.digits),
        "ascii": replace(options, ascii=not options.ascii),
    }[name]


def resorted(options: DrawOptions, columns: Sequence[str]) -> DrawOptions:
    """The next order of a table: each column ascending, then descending; at the end its own order again."""
    if options.sort and not options.descending:
        return replace(options, descending=True)
    return replace(options, sort=cycled(("", *columns), options.sort), descending=False)


def filtered(state: State, catalogue: Catalogue, text: str) -> State:
    """Apply a filter line: ``task:sst* seed:1,2 step:100-500 layer:8-12 measure:js probe:dev against:first``.

    Names may be globs. Words without a colon are looked for among tasks.

    Raises:
        BertdynError: a word that matches nothing; says what there is.
    """
    for word in text.split():
        what, colon, wanted = word.partition(":")
        if not colon:
            what, wanted = "task", f"*{word}*"
        match what:
            case "task":
                found = _matching(wanted, catalogue.tasks(state.probe), "task")
                state = settled(replace(state, tasks=found), catalogue)
            case "seed":
                found = _matching(wanted, catalogue.seeds(state.probe, state.tasks), "seed")
                state = replace(state, seeds=found)
            case "step" | "layer":
                state = ranged(state, what, wanted)
            case "measure":
                names = _matching(wanted, tuple(m.name for m in catalogue.measures), "measure")
                state = replace(state, measure=names[0])
            case "probe":
                names = _matching(wanted, tuple(info.name for info in catalogue.probes), "probe set")
                state = with_probe(state, catalogue, names[0])
            case "against":
                state = compared(state, wanted)
            case _:
                raise BertdynError(f"'{what}:' is none of task, seed, step, layer, measure, probe, against.")
    return state


def _matching(patterns: str, there: Sequence[str], what: str) -> tuple[str, ...]:
    found = tuple(name for name in there if any(name == p or fnmatch.fnmatchcase(name, p) for p in patterns.split(",")))
    if not found:
        raise BertdynError(f"No {what} matches '{patterns}'; there is {', '.join(there) or 'none'}.")
    return found
