"""From what a person typed to what is asked: ``ask`` is the only way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from explorer.measures.base import Measure, MeasureError, Trust
from explorer.selection.against import SEEDS, Against
from explorer.selection.cells import Pair, choose, comparisons
from explorer.selection.listing import Listing, at_or_before, default_against, list_store, seed_order
from explorer.selection.ranges import Ranges
from explorer.selection.selection import Selection
from store.errors import BertdynError
from store.keys import NO_CORPUS, PRETRAINED, CheckpointKey, task_and_variant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from store.keys import AnnotationInfo, CorpusInfo
    from store.store import Store

NO_TRUST = Trust()


class QuestionError(BertdynError):
    """A selection that cannot be settled; ``about`` says which choice would have to be another one."""

    def __init__(self, words: str, about: Literal["measure", "corpus", "uncertainty", ""] = "") -> None:
        super().__init__(words)
        self.about = about


@dataclass(frozen=True)
class Question:
    """A selection with everything spelled out. Small and hashable; ``Cells`` lists what it asks for."""

    measure: Measure
    corpus: str
    """NO_CORPUS for a measure that reads nothing of any texts."""
    annotation: str
    """Name of the labels that the measure reads; empty where it reads none."""
    tasks: tuple[str, ...]
    """Each ``TASK`` or ``TASK+VARIANT``; empty: all."""
    seeds: tuple[str, ...]
    steps: Ranges | None
    layers: Ranges | None
    against: Against | None
    """None only for measures of one checkpoint."""
    parameters: tuple[tuple[str, object], ...]
    """Every parameter of the measure with its value, sorted by name."""
    ref_layers: Ranges | None
    detail: str
    """One of the measure's ``details``; empty for the coarsest."""

    @property
    def selection(self) -> Selection:
        """The selection that asks the same: how a question travels and is written down."""
        return Selection(
            measure=self.measure.name,
            corpus=self.corpus,
            annotation=self.annotation,
            tasks=self.tasks,
            seeds=self.seeds,
            steps=self.steps,
            layers=self.layers,
            against=self.against,
            parameters=self.parameters,
            ref_layers=self.ref_layers,
            detail=self.detail,
        )

    @property
    def between_seeds(self) -> bool:
        """Its values compare seeds of one task."""
        return self.against is not None and self.against.between_seeds


def ask(selection: Selection, measure: Measure, listing: Listing, trust: Trust = NO_TRUST) -> Question:
    """Settle a selection: fill in every default, and check it against the measure and the store.

    Args:
        measure: the one that the selection names.
        trust: null and interval that shall come with the values.

    Raises:
        QuestionError: an unknown corpus or parameter, no labels where the measure needs them, a comparison, layers, a
            detail, a null or an interval that the measure does not have.
    """
    try:
        parameters = measure.settle(dict(selection.parameters))
    except MeasureError as error:
        raise QuestionError(str(error)) from None
    corpus, annotation = _texts(selection, measure, listing)
    against = selection.against
    if against is not None and not measure.compares:
        raise QuestionError(
            f"{measure.name} is a value of one checkpoint alone: --against has no meaning for it.", "measure"
        )
    if selection.ref_layers is not None and not measure.cross_layers:
        raise QuestionError(
            f"{measure.name} compares no layer with another one: --against-layer has no meaning for it.", "measure"
        )
    check_extras(measure, selection.detail, trust)
    if against is None and measure.compares:
        against = default_against(listing.of(corpus), measure.default_reference)
    return Question(
        measure=measure,
        corpus=corpus,
        annotation=annotation,
        tasks=selection.tasks,
        seeds=selection.seeds,
        steps=selection.steps,
        layers=selection.layers,
        against=against,
        parameters=parameters,
        ref_layers=selection.ref_layers,
        detail="" if selection.detail in measure.details[:1] else selection.detail,
    )


def _texts(selection: Selection, measure: Measure, listing: Listing) -> tuple[str, str]:
    """The corpus and the annotation that a measure is asked for, both empty for one that reads no texts."""
    if not measure.on_corpus:
        for flag, named in (("--corpus", selection.corpus), ("--annotation", selection.annotation)):
            if named:
                raise QuestionError(
                    f"{measure.name} is a value of checkpoints on no texts: {flag} has no meaning for it.", "measure"
                )
        if not listing.everywhere:
            raise QuestionError("The store holds no checkpoint yet: run 'bertdyn extract' or 'bertdyn register' first.")
        return NO_CORPUS, ""
    if not listing.corpora:
        raise QuestionError("The store holds no corpus yet: run 'bertdyn extract' first.")
    info = listing.info(selection.corpus)
    if info is None:
        known = ", ".join(i.name for i in listing.corpora)
        raise QuestionError(f"--corpus: the store has no '{selection.corpus}', only {known}.", "corpus")
    return info.name, annotation_for(measure, info, selection.annotation, listing)


def check_extras(measure: Measure, detail: str, trust: Trust) -> None:
    """Check what is wanted beside a measure's values: finer rows, a null, an interval.

    Raises:
        QuestionError: the measure has none of that kind.
    """
    if detail and detail not in measure.details:
        has = f", only {', '.join(measure.details)}" if measure.details else " nor any other"
        raise QuestionError(f"--detail: {measure.name} has no detail '{detail}'{has}.")
    if trust.null and not measure.null:
        raise QuestionError(f"--null: {measure.name} has no null.", "uncertainty")
    if trust.interval and trust.interval not in measure.intervals:
        has = f", only {' and '.join(measure.intervals)}" if measure.intervals else " nor any other"
        raise QuestionError(f"--interval: {measure.name} has no {trust.interval} interval{has}.", "uncertainty")


def fitting(measure: Measure, corpus: CorpusInfo) -> tuple[AnnotationInfo, ...]:
    """Return the annotations of a corpus that a measure can read, in the order in which they were added."""
    needs = measure.labels
    if needs is None:
        return ()
    return tuple(one for one in corpus.annotations if one.level in needs.levels and one.kind == needs.of)


def annotation_for(measure: Measure, corpus: CorpusInfo, wanted: str, listing: Listing) -> str:
    """Return the name of the annotation that a measure reads: the one that is wanted, else the only one that fits.

    Raises:
        QuestionError: none fits, or several do and none is named; there is none of that name, or it does not fit.
    """
    needs = measure.labels
    if needs is None:
        if wanted:
            raise QuestionError(f"{measure.name} reads no labels: --annotation has no meaning for it.", "measure")
        return ""
    fits = fitting(measure, corpus)
    names = _listed(one.name for one in fits)
    if wanted:
        found = corpus.annotation(wanted)
        if found is None:
            there = _listed(one.name for one in corpus.annotations) or "none"
            raise QuestionError(f"--annotation: corpus '{corpus.name}' has no '{wanted}', only {there}.")
        if found not in fits:
            levels = " or ".join(f"{level}s" for level in needs.levels)
            can = f" These fit: {names}." if names else ""
            raise QuestionError(
                f"{measure.name} needs {_KINDS[needs.of]} of {levels}; '{found.name}' of corpus '{corpus.name}' has "
                f"{_KINDS[found.kind]} of {found.level}s.{can}"
            )
        return found.name
    if not fits:
        labelled = ", ".join(i.name for i in listing.corpora if fitting(measure, i))
        hint = f"Labelled: {labelled}." if labelled else "Add some with 'bertdyn annotate'."
        raise QuestionError(
            f"{measure.name} needs labels, and corpus '{corpus.name}' has none. {hint}", "corpus" if labelled else ""
        )
    if len(fits) > 1:
        raise QuestionError(
            f"{measure.name}: which labels of corpus '{corpus.name}'? {names} fit; name one with --annotation."
        )
    return fits[0].name


_KINDS: Mapping[str, str] = {"class": "classes", "number": "numbers", "split": "the splits", "tree": "the heads"}
"""What kinds of labels are called in a sentence."""
_NAMES = 8
"""Annotations that a sentence names."""


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:_NAMES]) + (f" and {len(every) - _NAMES} more" if len(every) > _NAMES else "")


def ask_store(store: Store, selection: Selection, trust: Trust = NO_TRUST) -> Question:
    """Settle a selection against a store.

    Raises:
        QuestionError: as ``ask``, or there is no measure of that name.
        BertdynError: the store cannot be read.
    """
    from explorer.measures.registry import get

    try:
        measure = get(selection.measure)
    except MeasureError as error:
        raise QuestionError(str(error), "measure") from None
    return ask(selection, measure, list_store(store), trust)


def narrowed(question: Question, keys: Sequence[CheckpointKey], step: int | None = None) -> Question:
    """Return the same question about one comparison only: of the first task the step that is asked for or the nearest
    before it (None: the last one), of the first seed that has it.

    Raises:
        BertdynError: nothing matches, or the measure compares nothing.
    """
    against = question.against
    if against is None:
        raise QuestionError(
            f"{question.measure.name} is a value of one checkpoint alone: there is nothing it is compared with.",
            "measure",
        )
    task, found = _first_compared(question, keys)
    steps = sorted({p.key.step for p in found})
    step = steps[-1] if step is None else steps[at_or_before(steps, step)]
    one = min((p for p in found if p.key.step == step), key=lambda p: (seed_order(p.key.seed), p))
    if against.kind == SEEDS and one.reference is not None:
        against = Against("seed", seed=one.reference.seed)
    return replace(question, tasks=(task,), seeds=(one.key.seed,), steps=Ranges.one(step), against=against)


def steps_of(question: Question, keys: Sequence[CheckpointKey]) -> tuple[int, ...]:
    """Return the steps of the first chosen task that are compared with something, in their order.

    Raises:
        BertdynError: nothing matches.
    """
    _, found = _first_compared(question, keys)
    return tuple(sorted({p.key.step for p in found}))


def _first_compared(question: Question, keys: Sequence[CheckpointKey]) -> tuple[str, tuple[Pair, ...]]:
    """The first task with anything to compare, of those asked for, else by name, and its comparisons.

    The pre-trained model is one of them only when it is named, or nothing else matches.
    """
    there = question.tasks or tuple(sorted({k.recipe for k in choose(question, keys)}))
    refusal: BertdynError | None = None
    for task in tuple(t for t in there if question.tasks or t != PRETRAINED) or there:
        try:
            return task, comparisons(replace(question, tasks=(task,)), _near(question, task, keys))
        except BertdynError as error:
            refusal = refusal or error
    assert refusal is not None, "choose() gives at least one task"
    raise refusal


def _near(question: Question, task: str, keys: Sequence[CheckpointKey]) -> list[CheckpointKey]:
    """The checkpoints of a task and of whatever it may be compared with."""
    against = question.against
    there = {task, PRETRAINED, against.key.recipe if against is not None and against.key else task}
    plain, _ = task_and_variant(task)
    return [k for k in keys if k.recipe in there or k.recipe == plain]
