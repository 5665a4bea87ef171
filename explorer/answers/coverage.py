"""Count what a store holds and which values are computed: runs by steps, sizes, known and possible values."""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.answers.fetching import wanted_of
from explorer.answers.shares import shares
from explorer.measures import Measure
from explorer.measures.registry import all_measures
from explorer.selection import (
    Against,
    Cells,
    Question,
    QuestionError,
    Selection,
    ask,
    default_against,
    listing_of,
    seed_order,
)
from explorer.selection.cells import Shape, count, shapes_of
from explorer.selection.question import fitting
from store.errors import BertdynError
from store.keys import NO_CORPUS, PRETRAINED, Checkpoint, CorpusInfo
from store.layout import ATTENTION
from store.registered import newest, without_corpus
from store.rows import AGAINST_PRETRAINED, PAIRED_WITH_ITSELF, WHOLE, AgainstFirst, Condition, Is, RowQuery
from store.shelf import kept_bytes

if TYPE_CHECKING:
    from explorer.answers.look import Look
    from store.store import Store

COLUMNS = (
    *("kind", "task", "seed", "corpus", "measure", "extracted", "with_attention", "expected", "missing_steps", "bytes"),
    *("known", "possible", "annotation"),
)
"""Columns of the rows of a store."""
MISSING, BARE, FULL, REGISTERED = 0, 1, 2, 3
"""A checkpoint is not there; is there without attentions; with them; is listed without any array."""

_AGAINST: dict[str, Condition] = {
    "": Is("ref_task", None),
    "pretrained": AGAINST_PRETRAINED,
    "first": AgainstFirst(),
}
"""Rows of the comparisons that a measure makes unless told otherwise."""


@dataclass(frozen=True)
class RunCoverage:
    """One run on one corpus."""

    task: str
    seed: str
    corpus: str
    """NO_CORPUS: what was registered of the run, on no texts."""
    steps: tuple[int, ...]
    """Those that some run of the task has, on any corpus; those of the run itself that were registered."""
    states: tuple[int, ...]
    """MISSING, BARE, FULL or REGISTERED of each step."""
    bytes: int

    @property
    def there(self) -> tuple[int, ...]:
        """Steps that are there."""
        return tuple(step for step, state in zip(self.steps, self.states, strict=True) if state != MISSING)

    @property
    def missing(self) -> tuple[int, ...]:
        """Steps that are not there."""
        return tuple(step for step, state in zip(self.steps, self.states, strict=True) if state == MISSING)


@dataclass(frozen=True)
class MeasureCoverage:
    """One measure on one corpus, with its own default parameters, against the default reference."""

    measure: Measure
    corpus: str
    known: int
    """Layers of checkpoints that have a value, or a reason why there is none."""
    possible: int
    annotation: str = ""
    """Labels that the measure reads; empty where it reads none."""

    @property
    def texts(self) -> str:
        """The corpus and, where the measure reads any, its labels, in words."""
        return f"{self.annotation} of {self.corpus}" if self.annotation else self.corpus or "no texts"


@dataclass(frozen=True)
class Coverage:
    """A store at a glance."""

    path: str
    against: str
    """Reference of the checkpoints: ``pretrained`` or ``first``."""
    runs: tuple[RunCoverage, ...]
    measures: tuple[MeasureCoverage, ...]
    bytes: int
    """Of all checkpoints."""
    kept: int
    """Bytes of the cache, which may be deleted any time."""
    free: int
    """Bytes free on the disk."""
    missing: int
    """Values that could be computed and are not."""

    def rows(self) -> list[tuple[object, ...]]:
        """Return one row per run and corpus, then one per measure and corpus, in the order of COLUMNS."""
        found: list[tuple[object, ...]] = []
        for run in self.runs:
            there, attended = len(run.there), run.states.count(FULL)
            missing = " ".join(map(str, run.missing))
            counts = (there, attended, len(run.steps), missing, run.bytes)
            found.append(("run", run.task, run.seed, run.corpus, None, *counts, None, None, None))
        for one in self.measures:
            known = (*(None,) * 5, one.known, one.possible, one.annotation)
            found.append(("measure", None, None, one.corpus, one.measure.name, *known))
        return found


def fetch_coverage(store: Store) -> Coverage:
    """List a store's checkpoints, count its values (in few queries, however many annotations there are) and look at
    the disk.

    Raises:
        BertdynError: the store cannot be read.
    """
    checkpoints = store.checkpoints()
    corpora = store.corpora()
    against = default_against(c.key for c in checkpoints).kind
    questions = default_questions(all_measures(), corpora, checkpoints)
    layered = [question for question in questions if _by_layer(question)]
    others = _one_by_one(store, [question for question in questions if not _by_layer(question)])
    measures = measure_coverage(layered, checkpoints, _known(store, layered))
    measures = sorted([*measures, *others], key=lambda one: one.known == 0)
    return Coverage(
        path=str(store.path),
        against=against,
        runs=tuple(run_coverage(checkpoints)),
        measures=tuple(measures),
        bytes=sum(c.bytes for c in checkpoints),
        kept=kept_bytes(store.path),
        free=shutil.disk_usage(store.path).free,
        missing=sum(m.possible - m.known for m in measures),
    )


def coverage(store: Store, question: Question | None, look: Look) -> Coverage:
    """Read what the store holds, as a source of views; neither question nor look matters."""
    return fetch_coverage(store)


def run_coverage(checkpoints: Sequence[Checkpoint]) -> list[RunCoverage]:
    """Each run on each corpus that the store has checkpoints of, the pre-trained model last (pure)."""
    steps: dict[str, set[int]] = {}
    found: dict[tuple[str, str], dict[str, dict[int, Checkpoint]]] = {}
    for c in checkpoints:
        if c.corpus != NO_CORPUS:
            steps.setdefault(c.key.recipe, set()).add(c.key.step)
        found.setdefault((c.key.recipe, c.key.seed), {}).setdefault(c.corpus, {})[c.key.step] = c
    expected = {task: tuple(sorted(there)) for task, there in steps.items()}
    corpora = sorted({c.corpus for c in checkpoints}, key=lambda name: (name == NO_CORPUS, name))
    runs = sorted(found, key=lambda run: (run[0] == PRETRAINED, run[0], seed_order(run[1])))
    covered = []
    for task, seed in runs:
        for corpus in corpora:
            there = found[task, seed].get(corpus, {})
            listed = expected.get(task, ()) if corpus else tuple(sorted(there))
            states = tuple(_state(there.get(step)) for step in listed)
            if listed:
                covered.append(RunCoverage(task, seed, corpus, listed, states, sum(c.bytes for c in there.values())))
    return covered


def _state(checkpoint: Checkpoint | None) -> int:
    if checkpoint is None:
        return MISSING
    if checkpoint.corpus == NO_CORPUS:
        return REGISTERED
    return FULL if ATTENTION in checkpoint.digests else BARE


def default_questions(
    measures: Iterable[Measure], corpora: Sequence[CorpusInfo], checkpoints: Sequence[Checkpoint]
) -> list[Question]:
    """Return what each measure asks of each corpus that it fits, with its defaults (pure)."""
    listing = listing_of(corpora, checkpoints)
    asked = []
    for measure in measures:
        if not measure.on_corpus:
            with suppress(QuestionError):
                asked.append(ask(Selection(measure.name), measure, listing))
            continue
        for info in corpora:
            for annotation in [one.name for one in fitting(measure, info)] or [""]:
                with suppress(QuestionError):
                    asked.append(ask(Selection(measure.name, info.name, annotation=annotation), measure, listing))
    return asked


def measure_coverage(
    questions: Iterable[Question], checkpoints: Sequence[Checkpoint], known: Mapping[Question, int]
) -> list[MeasureCoverage]:
    """Return the values known of those possible, for each question where any is possible; those with none last (pure).

    Of the annotations that a measure can read, those with values are listed, and the first one.

    Args:
        known: values that a question has in the store.
    """
    by_corpus: dict[str, list[Checkpoint]] = {}
    for c in checkpoints:
        by_corpus.setdefault(c.corpus, []).append(c)
    by_corpus[NO_CORPUS] = list(map(without_corpus, newest(checkpoints).values()))
    shapes: dict[tuple[str, Against | None], Mapping[Shape, int]] = {}
    covered = []
    seen: set[tuple[Measure, str]] = set()
    for question in questions:
        compared = question.corpus, question.against
        if compared not in shapes:
            shapes[compared] = {}
            with suppress(BertdynError):  # nothing to compare
                shapes[compared] = shapes_of(question, by_corpus.get(question.corpus, ()))
        possible, _ = count(question, shapes[compared])
        there = min(known.get(question, 0), possible)
        first = (question.measure, question.corpus) not in seen
        seen.add((question.measure, question.corpus))
        if possible and (there or first):
            covered.append(MeasureCoverage(question.measure, question.corpus, there, possible, question.annotation))
    return sorted(covered, key=lambda one: one.known == 0)


def _by_layer(question: Question) -> bool:
    """Whether the distinct layers of rows, of all checkpoints at once, tell how many cells are known."""
    layers = question.measure.layers
    return question.measure.cells is None and not (layers and layers.within) and _kind(question) in _AGAINST


def _one_by_one(store: Store, questions: Sequence[Question]) -> Iterator[MeasureCoverage]:
    """Count the cells of questions of any kind one by one; of a measure with rounds, those that are proposed so far.

    Of the annotations that a measure can read, those with values are listed, and the first one. Only questions with
    rows are put to the store.
    """
    names = ("measure", "corpus", "annotation")
    stored = {tuple(row) for row in store.result_columns(RowQuery(columns=names, distinct=True))}
    checkpoints: dict[str, tuple[Checkpoint, ...]] = {}
    seen: set[tuple[str, str]] = set()
    for q in questions:
        has_rows, first = (q.measure.name, q.corpus, q.annotation) in stored, (q.measure.name, q.corpus) not in seen
        seen.add((q.measure.name, q.corpus))
        known = possible = 0
        with suppress(BertdynError):  # nothing to compare
            if has_rows:
                wanted = wanted_of(store, q)
                known = sum(share.wanted - share.missing for share in shares(store, wanted, wanted.tasks).values())
            elif first:
                if q.corpus not in checkpoints:
                    checkpoints[q.corpus] = store.checkpoints(q.corpus)
                wanted = Cells(q, checkpoints[q.corpus])
            else:
                continue
            possible = len(wanted)
        if possible and (known or first):
            yield MeasureCoverage(q.measure, q.corpus, known, possible, q.annotation)


def _known(store: Store, questions: Sequence[Question]) -> dict[Question, int]:
    """How many values each question has, counted in one question to the store for each comparison."""
    by = ("measure", "parameters", "corpus", "annotation", "version")
    places = ("task", "variant", "seed", "step", "layer")
    found: dict[Question, int] = {}
    for against in {_kind(question) for question in questions}:
        rows = store.result_columns(RowQuery((WHOLE, PAIRED_WITH_ITSELF, _AGAINST[against]), by, count_distinct=places))
        counted = {row[:-1]: int(row[-1]) for row in rows}
        for q in questions:
            if _kind(q) == against:
                named = q.measure.name, q.measure.key(dict(q.parameters)), q.corpus, q.annotation, q.measure.version
                found[q] = counted.get(named, 0)
    return found


def _kind(question: Question) -> str:
    return "" if question.against is None else question.against.kind
