"""List what the verdicts of a claim are about: tasks, corpora, labels. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

from explorer.claims.claim import (
    DOMAINS,
    LABELS,
    NO_DOMAIN,
    OTHER_TEXTS,
    OWN_LABELS,
    OWN_PAIR,
    STORE,
    TASK,
    TEXTS,
    Claim,
)
from explorer.claims.evidence import Run, Scope
from explorer.measures import MeasureError
from explorer.measures.output_labels import class_of
from store.keys import AnnotationInfo, CorpusInfo
from store.outputs import Classes

_LEVELS = {"sequence": "sentence", "token": "word"}


@dataclass(frozen=True)
class Contents:
    """The runs and texts of a store, as claims see them."""

    runs: tuple[Run, ...]
    corpora: tuple[CorpusInfo, ...]
    """Corpora on which claims are tested."""
    on: Mapping[str, frozenset[str]]
    """Tasks with checkpoints on each corpus."""
    stored: frozenset[tuple[str, str, str]] = frozenset()
    """Measures with stored values, by corpus and annotation."""

    @property
    def tasks(self) -> dict[str, Run]:
        """One plain run of each task."""
        return {run.task: run for run in reversed(self.runs) if not run.variant}

    def texts(self, task: str) -> list[CorpusInfo]:
        """Return the corpora on which a task has checkpoints."""
        return [corpus for corpus in self.corpora if task in self.on.get(corpus.name, ())]


def scopes(claim: Claim, contents: Contents) -> list[Scope]:
    """Return the scopes of a claim, sorted by task and corpus; none if a store has nothing to compare."""
    tasks = sorted(task for task, run in contents.tasks.items() if claim.concerns(run))
    return list(_KINDS[claim.per](claim, contents, tasks)) if tasks or claim.per == STORE else []


def own_labels(classes: Classes | None, corpus: CorpusInfo) -> AnnotationInfo | None:
    """Return the annotation of a corpus whose labels are classes of a classifier, as output-accuracy matches them.

    Of several, it is the one with most labels: some features of words have names of parts of speech as labels.
    """
    if classes is None or classes.problem != "single_label_classification":
        return None
    found = []
    for one in corpus.annotations:
        if one.kind == "class" and one.level == _LEVELS.get(classes.head):
            try:
                class_of(one.labels, classes.labels)
            except MeasureError:
                continue
            found.append(one)
    return max(found, key=lambda one: len(one.labels), default=None)


def named_after(task: str, corpus: str) -> bool:
    """Return whether a corpus has the name of a task, alone or at its beginning: sst2, sst2-dev, sst2_train."""
    return re.match(re.escape(task) + r"($|[^0-9A-Za-z])", corpus) is not None


def domain(contents: Contents, task: str) -> list[tuple[CorpusInfo, AnnotationInfo]]:
    """Return the corpora and annotations with the own labels of a task.

    Labels such as 0 and 1 fit many tasks: if corpora are named after the task, only those count.
    """
    classes = contents.tasks[task].classes
    both = ((corpus, own_labels(classes, corpus)) for corpus in contents.texts(task))
    found = [(corpus, one) for corpus, one in both if one is not None]
    return [pair for pair in found if named_after(task, pair[0].name)] or found


def _tasks(claim: Claim, contents: Contents, tasks: list[str]) -> Iterator[Scope]:
    return (Scope(task) for task in tasks)


def _texts(claim: Claim, contents: Contents, tasks: list[str]) -> Iterator[Scope]:
    return (Scope(task, corpus.name) for task in tasks for corpus in contents.texts(task))


def _own(claim: Claim, contents: Contents, tasks: list[str]) -> Iterator[Scope]:
    return (Scope(task, corpus.name, one.name) for task in tasks for corpus, one in domain(contents, task))


def _labels(claim: Claim, contents: Contents, tasks: list[str]) -> Iterator[Scope]:
    measures = {need.measure for need in claim.needs}
    for task in tasks:
        for corpus in contents.texts(task):
            names = [one.name for one in corpus.annotations if one.kind == "class"]
            there = [n for n in names if any((m, corpus.name, n) in contents.stored for m in measures)]
            yield from (Scope(task, corpus.name, name) for name in there or names[:1])


def _own_pairs(claim: Claim, contents: Contents, tasks: list[str]) -> Iterator[Scope]:
    for task in tasks:
        for (corpus, one), (other, also) in combinations(domain(contents, task), 2):
            if corpus is not other and one.name == also.name:
                yield Scope(task, corpus.name, one.name, other.name)


def _domains(claim: Claim, contents: Contents, tasks: list[str]) -> Iterator[Scope]:
    for task in tasks:
        own = _own_corpora(contents, task)
        others = [corpus.name for corpus in contents.texts(task) if corpus.name not in own]
        yield from (Scope(task, name, other=other) for name in own for other in others)


def _other_texts(claim: Claim, contents: Contents, tasks: list[str]) -> Iterator[Scope]:
    for task in tasks:
        own = _own_corpora(contents, task)
        yield from (Scope(task, corpus.name) for corpus in contents.texts(task) if corpus.name not in own)


def _no_domain(claim: Claim, contents: Contents, tasks: list[str]) -> Iterator[Scope]:
    own = {name for task in tasks for name in _own_corpora(contents, task)}
    return (Scope(corpus=corpus.name) for corpus in contents.corpora if corpus.name not in own)


def _own_corpora(contents: Contents, task: str) -> list[str]:
    return list(dict.fromkeys(corpus.name for corpus, _ in domain(contents, task)))


def _store(claim: Claim, contents: Contents, tasks: list[str]) -> Iterator[Scope]:
    yield Scope()


_KINDS: Mapping[str, Callable[[Claim, Contents, list[str]], Iterator[Scope]]] = {
    TASK: _tasks,
    TEXTS: _texts,
    OWN_LABELS: _own,
    LABELS: _labels,
    OWN_PAIR: _own_pairs,
    DOMAINS: _domains,
    OTHER_TEXTS: _other_texts,
    NO_DOMAIN: _no_domain,
    STORE: _store,
}
