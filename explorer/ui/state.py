"""The state of the explorer, and functions that return the next state. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from explorer.answers.look import ANYWHERE, END, Look, trimmed
from explorer.selection import (
    Against,
    Question,
    QuestionError,
    Ranges,
    Selection,
    ask,
    at_or_before,
    default_against,
    narrowed,
    steps_of,
)
from explorer.selection.question import fitting
from explorer.ui.catalogue import Catalogue
from explorer.ui.modes import AXES, HEAD, LAYER, MODES, STEP, STEPS, Variant
from explorer.views.base import SCALES, Cursor, DrawOptions, ViewKind
from store.errors import BertdynError
from store.keys import NO_CORPUS

if TYPE_CHECKING:
    from explorer.measures.base import Measure

_LEADS_ON = {"corpus": "corpus.pick", "measure": "measure.pick"}
"""Action to suggest when a selection is not valid, by the choice that must change."""
FIRST_MEASURE = "svcca"
MOST_ROWS = 10_000
"""Largest number of rows of a table, limited by memory and by what a person can page through."""


class NotShownError(BertdynError):
    """The selection cannot be shown; ``action`` is the id of an action that helps."""

    def __init__(self, words: str, action: str) -> None:
        super().__init__(words)
        self.action = action


@dataclass(frozen=True)
class Wish:
    """A request for a view: its name, its question and its look."""

    view: str
    question: Question | None
    """None: the whole store."""
    look: Look


@dataclass(frozen=True)
class State:
    """Everything that decides what is shown; equal states show the same picture."""

    mode: str = "curves"
    measure: str = FIRST_MEASURE
    corpus: str = ""
    further: tuple[str, ...] = ()
    """Further corpora, for pictures that show several."""
    annotation: str = ""
    """Annotation that measures read where they can; empty: the first one that fits."""
    tasks: tuple[str, ...] = ()
    seeds: tuple[str, ...] = ()
    steps: Ranges | None = None
    layers: Ranges | None = None
    against: Against = field(default_factory=lambda: Against("first"))
    """Reference; kept while a measure without one is shown."""
    reference_chosen: bool = False
    """Whether the user chose the reference. Until then it is the pre-trained model, if the store has it."""
    parameters: tuple[tuple[str, str, str], ...] = ()
    """Changed parameters: measure, parameter and value. Parameters with their default value are not listed."""
    axes: tuple[tuple[str, str, str], ...] = ()
    """Choices along the measures' own axes: measure, axis and choice. Axes without a choice are not listed."""
    look: Look = ANYWHERE
    """Layer, head and example of views that can only show one of them; the step comes from the cursor."""
    variants: tuple[tuple[str, int], ...] = ()
    """Number of the variant that each mode shows; a mode that is not listed shows its first variant."""
    cursors: tuple[tuple[str, Cursor], ...] = ()
    """Cursors by kind of axes: numbers of steps, layers and heads (see cursor_axes.py), places of other lines and rows.
    Axes without a cursor point at the last step, and at no line or the top layer of a map."""
    options: DrawOptions = field(default_factory=DrawOptions)
    """Drawing options that all modes share; ``drawing`` adds those of the mode."""
    digits: tuple[str, ...] = ()
    """Modes that write values into the cells of maps."""
    beside: tuple[tuple[str, str], ...] = ()
    """Second views that the user chose, by first view (see beside.py); empty text: no second view."""

    @property
    def variant(self) -> Variant:
        """Variant that the mode shows."""
        there = MODES[self.mode].variants
        return there[dict(self.variants).get(self.mode, 0) % len(there)]

    @property
    def drawing(self) -> DrawOptions:
        """Drawing options of this mode."""
        return replace(self.options, digits=self.mode in self.digits)

    @property
    def joined(self) -> bool:
        """Whether the picture shows several corpora."""
        kind = self.variant.kind
        return kind is not None and bool(self.variant.part) and self.variant.part in kind.joins

    @property
    def cursor(self) -> Cursor:
        """Cursor of this mode; views with the same axes share it."""
        variant = self.variant
        at = dict(self.cursors).get(variant.axes, variant.start or Cursor(END, -1))
        return at if at.y >= 0 or variant.lines else Cursor(at.x, END)

    def moved(self, at: Cursor, across: int, up: int) -> Cursor:
        """Return a drawn cursor after a move: from no line to the top line, from the lowest line down to none."""
        if self.variant.downwards:
            up = -up
        if up and at.y < 0:
            return Cursor(max(0, at.x + across), END)
        lowest = min(at.y, 0) if not up else -1 if self.variant.lines else 0
        return Cursor(max(0, at.x + across), max(lowest, at.y + up))

    def pointing(self, cursor: Cursor, axes: str = "") -> State:
        """Return the state with another cursor; all axes that have the same meaning follow it."""
        axes = axes or self.variant.axes
        new = self
        for name, at in zip(AXES.get(axes, ("", "")), (cursor.x, cursor.y), strict=True):
            new = new.pointing_at(name, at) if name and at >= 0 else new
        return replace(new, cursors=tuple((dict(new.cursors) | {axes: cursor}).items()))

    def pointing_at(self, name: str, place: int) -> State:
        """Return the state whose cursors are at a place along an axis that views share, such as a step."""
        moved = dict(self.cursors)
        for axes, (x, y) in AXES.items():
            at = moved.get(axes, Cursor(END, -1))
            if name in (x, y):
                moved[axes] = replace(at, x=place) if name == x else replace(at, y=place)
        return replace(self, cursors=tuple(moved.items()))

    def wish(self, catalogue: Catalogue) -> Wish | None:
        """Return the view to request; None if the mode draws its own picture.

        Raises:
            BertdynError: the store is empty, or the corpus lacks the labels that the measure needs.
        """
        kind = self.variant.kind
        if kind is None:
            return None
        step = dict(self.cursors).get(STEPS, Cursor(END, -1)).x
        look = trimmed(replace(self.look, part=self.variant.part, step=step, most=MOST_ROWS), kind.depends)
        if LAYER in self.variant.meaning:
            look = replace(look, layer=None)  # the view shows all layers
        if STEP in self.variant.meaning:
            look = replace(look, step=ANYWHERE.step)
        return Wish(kind.name, None if kind.whole else self.question(catalogue, kind), look)

    def question(self, catalogue: Catalogue, kind: ViewKind | None = None) -> Question:
        """Return the question of a view (None: a view without conditions).

        Raises:
            BertdynError: as for wish().
        """
        chosen = self.chosen(catalogue, kind.measure if kind is not None and kind.measure else self.measure)
        if kind is None:
            return chosen
        measure = chosen.measure
        at = dict(self.cursors).get(STEPS, Cursor(END, -1)).x
        if why := kind.refusal(measure):
            raise NotShownError(why, "measure.pick")
        if kind.every_task:
            there = catalogue.tasks(chosen.corpus)
            chosen = replace(chosen, tasks=(*chosen.tasks, *(task for task in there if task not in chosen.tasks)))
        if kind.against:
            chosen = replace(chosen, against=Against.parse(kind.against))
        if kind.at_step:
            steps = steps_of(chosen, catalogue.of(chosen.corpus))
            chosen = replace(chosen, tasks=chosen.tasks[:1], steps=Ranges.one(steps[at_or_before(steps, at)]))
        if not kind.one:
            return chosen
        if kind.across and not measure.cross_layers:
            able = ", ".join(m.name for m in catalogue.measures if m.cross_layers)
            words = f"{measure.title} compares no layer with another one. These do: {able or 'none'}."
            raise NotShownError(words, "measure.pick")
        # The view shows a single comparison: the one at the cursor's step, if steps are an axis.
        return narrowed(kind.asked(chosen), catalogue.of(chosen.corpus), at)

    def chosen(self, catalogue: Catalogue, name: str) -> Question:
        """Return the question about one measure.

        Raises:
            BertdynError: as for wish().
        """
        measure = catalogue.measure(name)
        if measure is None:
            names = ", ".join(m.name for m in catalogue.measures)
            raise BertdynError(f"There is no measure '{name}', only {names}.")
        if not catalogue.everywhere:
            raise BertdynError("No checkpoints here yet. They appear by themselves as they are extracted.")
        typed = Selection(
            measure=name,
            corpus=self.corpus if measure.on_corpus else NO_CORPUS,
            annotation=self.labels(catalogue, measure),
            tasks=self.tasks,
            seeds=self.seeds,
            steps=self.steps,
            layers=self.layers,
            against=self.reference(catalogue, measure) if measure.compares else None,
            parameters=tuple(sorted((n, value) for of, n, value in self.parameters if of == name)),
            axes=self.along(name),
            beside=self.further if self.joined and measure.on_corpus else (),
        )
        try:
            return ask(typed, measure, catalogue)
        except QuestionError as error:
            if not catalogue.tasks(typed.corpus):
                raise BertdynError(
                    "Only the pre-trained model is here yet. Runs appear by themselves as they are extracted."
                ) from None
            if error.about in _LEADS_ON:
                raise NotShownError(str(error), _LEADS_ON[error.about]) from None
            raise

    def labels(self, catalogue: Catalogue, measure: Measure) -> str:
        """Return the annotation that a measure reads: the chosen one if it fits, else the first that fits; empty if
        none fits."""
        info = catalogue.info(self.corpus)
        fits = [one.name for one in fitting(measure, info)] if info is not None else []
        return self.annotation if self.annotation in fits else next(iter(fits), "")

    def settings(self, measure: Measure) -> tuple[tuple[str, object], ...]:
        """Return every parameter of a measure with its value.

        Raises:
            BertdynError: a value is not valid for its parameter.
        """
        try:
            return measure.settle({name: value for of, name, value in self.parameters if of == measure.name})
        except ValueError as error:
            raise BertdynError(str(error)) from None

    def along(self, measure: str) -> tuple[tuple[str, str], ...]:
        """Return the choices along a measure's own axes, by name."""
        return tuple((axis, text) for of, axis, text in self.axes if of == measure)

    @property
    def measured(self) -> str:
        """Name of the measure that the mode shows."""
        kind = self.variant.kind
        return kind.measure if kind is not None and kind.measure else self.measure

    def reference(self, catalogue: Catalogue, measure: Measure) -> Against:
        """Return the reference that the user chose, else the measure's own."""
        if self.reference_chosen:
            return self.against
        return default_against(catalogue.of(self.corpus), measure.default_reference)

    def compared_with(self, catalogue: Catalogue) -> str:
        """Return the reference of the mode, as ``--against`` writes it."""
        kind, measure = self.variant.kind, catalogue.measure(self.measured)
        if kind is not None and kind.against:
            return kind.against
        return str(self.against if measure is None else self.reference(catalogue, measure))


LANDING = State(mode="overview")
"""What a store opens with the first time."""


def looking(look: Look, name: str, place: int) -> Look:
    """Return the look of views of a single layer or head at another one; a place along any other axis leaves it."""
    return replace(look, layer=place) if name == LAYER else replace(look, head=place) if name == HEAD else look


def fixed(state: State, catalogue: Catalogue, what: str) -> str:
    """Return why another ``measure`` or ``reference`` would not change the picture; empty if it would."""
    kind, title = state.variant.kind, MODES[state.mode].title
    if what == "measure" and kind is not None and kind.measure:
        return f"{title} always shows {kind.measure}"
    measure = catalogue.measure(state.measured)
    if what == "reference" and measure is not None and not measure.compares:
        return f"{measure.name} is a value of one checkpoint: it has no reference"
    if what == "reference" and kind is not None and kind.against:
        return f"{state.variant.title} always compares with the other {kind.against}"
    return ""


def settled(state: State, catalogue: Catalogue) -> State:
    """Return the state with each choice that the store does not have replaced by one that it has."""
    corpora = [info.name for info in catalogue.corpora]
    corpus = state.corpus
    if corpus not in corpora or not catalogue.of(corpus):
        corpus = next((name for name in corpora if catalogue.of(name)), corpora[0] if corpora else "")
    if corpus != state.corpus:
        state = replace(state, corpus=corpus, reference_chosen=False)
    if not state.reference_chosen:
        state = replace(state, against=default_against(catalogue.of(corpus)))
    state = replace(state, further=tuple(c for c in state.further if c != corpus and catalogue.of(c)))
    there = catalogue.tasks(corpus)
    tasks = tuple(t for t in state.tasks if t in there) or there[:1]
    seeds = tuple(s for s in state.seeds if s in catalogue.seeds(corpus, tasks))
    return replace(state, tasks=tasks, seeds=seeds)


def compared(state: State, reference: str) -> State:
    """Return the state with a reference.

    Raises:
        BertdynError: the text is not a valid value of ``--against``.
    """
    return replace(state, against=Against.parse(reference), reference_chosen=True)


def with_corpus(state: State, catalogue: Catalogue, corpus: str) -> State:
    """Return the state with another corpus, and with a reference that this corpus has."""
    state = replace(state, corpus=corpus)
    if str(state.against) not in catalogue.references(corpus) and state.against.kind not in ("key", "task"):
        state = replace(state, reference_chosen=False)
    return settled(state, catalogue)


def toggled_corpus(state: State, catalogue: Catalogue, name: str) -> State:
    """Add or remove a corpus of a picture that shows several. The last corpus cannot be removed."""
    chosen = (state.corpus, *state.further)
    kept = tuple(c for c in chosen if c != name) if name in chosen else (*chosen, name)
    return with_corpus(replace(state, further=kept[1:]), catalogue, kept[0]) if kept else state


def comparable(state: State, catalogue: Catalogue) -> tuple[str, ...]:
    """Return the other corpora that have the first chosen task and labels that the measure can read."""
    measure = catalogue.measure(state.measured)
    if measure is None:
        return ()
    able = (i.name for i in catalogue.corpora if measure.labels is None or len(fitting(measure, i)) == 1)
    return tuple(c for c in able if c != state.corpus and set(state.tasks[:1]) <= set(catalogue.tasks(c)))


def toggled_task(state: State, catalogue: Catalogue, name: str) -> State:
    """Add or remove a task. The last task cannot be removed: the screen would be empty."""
    chosen = set(state.tasks or catalogue.tasks(state.corpus)) ^ {name}
    there = tuple(t for t in catalogue.tasks(state.corpus) if t in chosen)
    return settled(replace(state, tasks=there), catalogue) if there else state


def toggled_seed(state: State, catalogue: Catalogue, name: str) -> State:
    """Add or remove a seed. If all seeds are chosen, none is stored, so that seeds added later are included."""
    there = catalogue.seeds(state.corpus, state.tasks)
    chosen = set(state.seeds or there) ^ {name}
    kept = tuple(s for s in there if s in chosen)
    if not kept:
        return state
    return replace(state, seeds=() if len(kept) == len(there) else kept)


def next_scale(options: DrawOptions, refused: Collection[str]) -> tuple[DrawOptions, tuple[str, ...]]:
    """Return the options with the next scale of the value axis, and the refused scales that were passed over."""
    names = list(SCALES)
    at = names.index(options.scale) + 1 if options.scale in names else 0
    order = [*names[at:], *names[:at]]
    found = next(name for name in order if name not in refused)
    return replace(options, scale=found), tuple(order[: order.index(found)])


def switched(state: State, name: str) -> State:
    """Return the state with ``digits`` of its mode, or ``ascii`` of all modes, switched on or off."""
    return {
        "digits": replace(state, digits=tuple(sorted({*state.digits} ^ {state.mode}))),
        "ascii": replace(state, options=replace(state.options, ascii=not state.options.ascii)),
    }[name]
