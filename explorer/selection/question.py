"""Turn a selection into a question; ``ask`` is the only way to make one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from explorer.measures.base import Measure
from explorer.measures.computation import MeasureError, Uncertainty
from explorer.selection.against import SEEDS, Against, seed_order
from explorer.selection.axes import check, choosable_axes
from explorer.selection.comparisons import Pair, choose, comparisons
from explorer.selection.listing import Listing, at_or_before, default_against, list_store
from explorer.selection.ranges import Ranges
from explorer.selection.selection import Selection
from store.errors import BertdynError
from store.keys import NO_CORPUS, PRETRAINED, CheckpointKey, recipe_of, task_and_variant

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from explorer.measures.declaration import Input
    from store.keys import AnnotationInfo, CorpusInfo
    from store.store import Store

NO_TRUST = Uncertainty()


class QuestionError(BertdynError):
    """A selection is not valid; ``about`` names the choice to change."""

    def __init__(self, words: str, about: Literal["measure", "corpus", "uncertainty", ""] = "") -> None:
        super().__init__(words)
        self.about = about


@dataclass(frozen=True)
class Question:
    """A selection with everything spelled out. Small and hashable; ``Cells`` lists its cells."""

    measure: Measure
    corpus: str
    """Name of the corpus; NO_CORPUS for a measure that does not depend on texts."""
    annotation: str
    """Name of the labels that the measure reads; empty if it reads none."""
    tasks: tuple[str, ...]
    """Tasks, each ``TASK`` or ``TASK+VARIANT``; empty: all."""
    seeds: tuple[str, ...]
    steps: Ranges | None
    layers: Ranges | None
    against: Against | None
    """Reference; None only for measures of one checkpoint."""
    parameters: tuple[tuple[str, object], ...]
    """All parameters of the measure with their values, sorted by name."""
    ref_layers: Ranges | None
    detail: str
    """Granularity of the rows, one of the measure's ``details``; empty for the coarsest."""
    axes: tuple[tuple[str, str], ...] = ()
    """Choices along the measure's own axes, by name."""
    beside: tuple[Question, ...] = ()
    """The same question on further corpora, or of further labels, whose values are shown beside its own."""

    @property
    def every(self) -> tuple[Question, ...]:
        """The question itself and those beside it, each on one corpus."""
        return (replace(self, beside=()), *self.beside)

    @property
    def corpora(self) -> tuple[str, ...]:
        """Names of its corpora, in order."""
        return tuple(dict.fromkeys(one.corpus for one in (self, *self.beside)))

    def holds(self, task: str, variant: str) -> bool:
        """Return whether the question selects the runs of a task and variant.

        A measure over variants belongs to the task: its name selects all of them.
        """
        chosen = self.tasks
        return not chosen or recipe_of(task, variant) in chosen or (self.measure.over_variants and task in chosen)

    @property
    def recipes(self) -> tuple[str, ...]:
        """Names of the tasks with variants to which all its rows belong; empty: they may belong to any."""
        return () if self.measure.over_variants else self.tasks

    @property
    def selection(self) -> Selection:
        """Selection that gives the same question; used to send and to store a question."""
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
            axes=self.axes,
            beside=self.corpora[1:],
        )

    @property
    def between_seeds(self) -> bool:
        """Whether its values compare seeds of one task."""
        return self.against is not None and self.against.between_seeds


def ask(selection: Selection, measure: Measure, listing: Listing, trust: Uncertainty = NO_TRUST) -> Question:
    """Return the question of a selection: fill in all defaults, and check it against the measure and the store.

    Args:
        measure: the measure that the selection names.
        trust: extras that are requested with the values.

    Raises:
        QuestionError: the corpus or a parameter is unknown, labels that the measure needs are missing, or the measure
            does not support the given reference, layers, detail, axis, null or interval.
    """
    try:
        parameters = measure.settle(dict(selection.parameters))
    except MeasureError as error:
        raise QuestionError(str(error)) from None
    corpus, annotation = _texts(selection, measure, listing)
    parameters = _named_labels(measure, parameters, corpus, listing)
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
    own = {axis.name: axis for axis in choosable_axes(measure)}
    for name, text in selection.axes:
        if name not in own:
            raise QuestionError(f"{measure.name} has no axis '{name}', only {', '.join(own) or 'none'}.", "measure")
        check(own[name], text)
    beside = tuple(_on_another(selection, name, measure, listing, trust) for name in selection.beside)
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
        axes=selection.axes,
        beside=beside,
    )


def _on_another(selection: Selection, corpus: str, measure: Measure, listing: Listing, trust: Uncertainty) -> Question:
    """Return the question of the same selection on another corpus, with the same labels if the corpus has them."""
    info = listing.info(corpus)
    same = info is not None and info.annotation(selection.annotation) is not None
    annotation = selection.annotation if same else ""
    return ask(replace(selection, corpus=corpus, annotation=annotation, beside=()), measure, listing, trust)


def _texts(selection: Selection, measure: Measure, listing: Listing) -> tuple[str, str]:
    """Return the corpus and the annotation of a question, both empty for a measure that does not depend on texts."""
    if not measure.on_corpus:
        for flag, named in (("--corpus", selection.corpus), ("--annotation", selection.annotation)):
            if named:
                raise QuestionError(
                    f"{measure.name} does not depend on texts: {flag} has no meaning for it.", "measure"
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


def check_extras(measure: Measure, detail: str, trust: Uncertainty) -> None:
    """Check the extras requested with a measure's values: finer rows, a null, an interval, what is fitted.

    Raises:
        QuestionError: the measure does not support one of them.
    """
    if detail and detail not in measure.details:
        has = f", only {', '.join(measure.details)}" if measure.details else " nor any other"
        raise QuestionError(f"--detail: {measure.name} has no detail '{detail}'{has}.")
    if trust.keep and not measure.keeps:
        raise QuestionError(f"--keep: {measure.name} has nothing to keep.")
    if trust.null and not measure.null:
        raise QuestionError(f"--null: {measure.name} has no null.", "uncertainty")
    if trust.interval and trust.interval not in measure.intervals:
        has = f", only {' and '.join(measure.intervals)}" if measure.intervals else " nor any other"
        raise QuestionError(f"--interval: {measure.name} has no {trust.interval} interval{has}.", "uncertainty")


def fitting(measure: Measure, corpus: CorpusInfo) -> tuple[AnnotationInfo, ...]:
    """Return the annotations of a corpus that a measure can read, in the order of their addition."""
    return () if measure.labels is None else _fitting(measure.labels, corpus)


def _fitting(needs: Input, corpus: CorpusInfo) -> tuple[AnnotationInfo, ...]:
    return tuple(one for one in corpus.annotations if one.level in needs.levels and one.kind == needs.of)


def _named_labels(
    measure: Measure, parameters: tuple[tuple[str, object], ...], corpus: str, listing: Listing
) -> tuple[tuple[str, object], ...]:
    """Return the parameters with the names of annotations as the corpus spells them.

    Raises:
        QuestionError: a parameter names no annotation of the corpus, or one that does not fit.
    """
    named = {one.by: one for one in measure.inputs if one.by}
    info = listing.info(corpus) if named else None
    settled = dict(parameters)
    for name, needs in named.items():
        if settled[name] and info is not None:
            settled[name] = _annotation(f"--{name}", measure, needs, info, str(settled[name])).name
    return tuple(settled.items())


def annotation_for(measure: Measure, corpus: CorpusInfo, wanted: str, listing: Listing) -> str:
    """Return the name of the annotation that a measure reads: ``wanted``, else the only one that fits.

    Raises:
        QuestionError: no annotation fits, or several do and none is named; or the named one does not exist or fit.
    """
    needs = measure.labels
    if needs is None:
        if wanted:
            raise QuestionError(f"{measure.name} reads no labels: --annotation has no meaning for it.", "measure")
        return ""
    if wanted:
        return _annotation("--annotation", measure, needs, corpus, wanted).name
    fits = fitting(measure, corpus)
    names = _listed(one.name for one in fits)
    if not fits:
        labelled = ", ".join(i.name for i in listing.corpora if fitting(measure, i))
        hint = f"Labelled: {labelled}." if labelled else "Add some with 'bertdyn annotate'."
        others = any(one.kind != "split" for one in corpus.annotations)
        what = _described(needs) if others else "labels"
        raise QuestionError(
            f"{measure.name} needs {what}, but corpus '{corpus.name}' has none. {hint}", "corpus" if labelled else ""
        )
    if len(fits) > 1:
        raise QuestionError(
            f"{measure.name}: which labels of corpus '{corpus.name}'? {names} fit; name one with --annotation."
        )
    return fits[0].name


def _annotation(flag: str, measure: Measure, needs: Input, corpus: CorpusInfo, wanted: str) -> AnnotationInfo:
    """Return the named annotation of a corpus.

    Raises:
        QuestionError: there is none of that name, or it does not fit.
    """
    found = corpus.annotation(wanted)
    if found is None:
        there = _listed(one.name for one in corpus.annotations) or "none"
        raise QuestionError(f"{flag}: corpus '{corpus.name}' has no '{wanted}', only {there}.")
    fits = _fitting(needs, corpus)
    if found not in fits:
        names = _listed(one.name for one in fits)
        can = f" These fit: {names}." if names else ""
        raise QuestionError(
            f"{measure.name} needs {_described(needs)}, but '{found.name}' of corpus '{corpus.name}' "
            f"has {_KINDS[found.kind]} of {found.level}s.{can}"
        )
    return found


def _described(needs: Input) -> str:
    """Return the labels that fit, as in 'classes of sentences or words'."""
    *some, last = (f"{level}s" for level in needs.levels)
    return f"{_KINDS[needs.of]} of {', '.join(some)}{' or ' * bool(some)}{last}"


_KINDS: Mapping[str, str] = {"class": "classes", "number": "numbers", "split": "the splits", "tree": "the heads"}
"""Names of kinds of labels in a sentence."""
_NAMES = 8
"""Number of annotations that a message names."""


def _listed(names: Iterable[str]) -> str:
    every = list(names)
    return ", ".join(every[:_NAMES]) + (f" and {len(every) - _NAMES} more" if len(every) > _NAMES else "")


def ask_store(store: Store, selection: Selection, trust: Uncertainty = NO_TRUST) -> Question:
    """Return the question of a selection of a store.

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
    """Return the same question for only one comparison.

    It is of the first task, of the given step or the nearest one before it (None: the last), and of the first seed that
    has this step.

    Raises:
        BertdynError: nothing matches, or the measure has no reference.
    """
    against = question.against
    if against is None:
        raise QuestionError(
            f"{question.measure.name} is a value of one checkpoint alone: it is not compared with anything.",
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
    """Return the sorted steps of the first chosen task that have a comparison.

    Raises:
        BertdynError: nothing matches.
    """
    _, found = _first_compared(question, keys)
    return tuple(sorted({p.key.step for p in found}))


def _first_compared(question: Question, keys: Sequence[CheckpointKey]) -> tuple[str, tuple[Pair, ...]]:
    """Return the first task that has comparisons, in the question's order or else by name, and its comparisons.

    The pre-trained model counts as a task only if it is named or if nothing else matches.
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
    """Return the checkpoints of a task and of its possible references."""
    against = question.against
    there = {task, PRETRAINED, against.key.recipe if against is not None and against.key else task}
    plain, _ = task_and_variant(task)
    return [k for k in keys if k.recipe in there or k.recipe == plain]
