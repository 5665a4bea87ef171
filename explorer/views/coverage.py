"""What a store holds and what is computed of it: runs by steps, sizes, values known of those possible."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.measures import Measure
from explorer.measures.base import canonical
from explorer.measures.registry import all_measures
from explorer.selection import default_against, seed_order
from store.keys import PRETRAINED, Checkpoint, CorpusInfo
from store.layout import ATTENTION
from store.rows import AGAINST_PRETRAINED, PAIRED_WITH_ITSELF, WHOLE, AgainstFirst, AnyOf, Condition, Is, RowQuery
from store.shelf import kept_bytes

if TYPE_CHECKING:
    from store.store import Store

MISSING, BARE, FULL = 0, 1, 2
"""A checkpoint is not there; is there without attentions; with them."""

_AGAINST: dict[str, Condition] = {"pretrained": AGAINST_PRETRAINED, "first": AgainstFirst()}


@dataclass(frozen=True)
class RunCoverage:
    """One run on one corpus."""

    task: str
    seed: str
    corpus: str
    steps: tuple[int, ...]
    """Those that some run of the task has, on any corpus."""
    states: tuple[int, ...]
    """MISSING, BARE or FULL, a step."""
    bytes: int

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


@dataclass(frozen=True)
class Coverage:
    """A store at a glance."""

    path: str
    against: str
    """What checkpoints are compared with: ``pretrained`` or ``first``."""
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


def fetch_coverage(store: Store) -> Coverage:
    """List a store's checkpoints, count its values (in one query) and look at the disk.

    Raises:
        BertdynError: the store cannot be read.
    """
    checkpoints = store.checkpoints()
    corpora = {info.name: info for info in store.corpora()}
    against = default_against(c.key for c in checkpoints).kind
    by = ("measure", "parameters", "corpus", "version")
    compared = AnyOf((Is("ref_task", None), _AGAINST[against]))
    where = (WHOLE, PAIRED_WITH_ITSELF, compared)
    places = ("task", "variant", "seed", "step", "layer")
    rows = store.result_columns(RowQuery(where, by, count_distinct=places))
    known = {(name, parameters, corpus, version): int(n) for name, parameters, corpus, version, n in rows}
    measures = tuple(measure_coverage(all_measures(), corpora.values(), checkpoints, against, known))
    return Coverage(
        path=str(store.path),
        against=against,
        runs=tuple(run_coverage(checkpoints)),
        measures=measures,
        bytes=sum(c.bytes for c in checkpoints),
        kept=kept_bytes(store.path),
        free=shutil.disk_usage(store.path).free,
        missing=sum(m.possible - m.known for m in measures),
    )


def run_coverage(checkpoints: Sequence[Checkpoint]) -> list[RunCoverage]:
    """Each run on each corpus that the store has checkpoints of, the pre-trained model last (pure)."""
    steps: dict[str, set[int]] = {}
    found: dict[tuple[str, str], dict[str, dict[int, Checkpoint]]] = {}
    for c in checkpoints:
        steps.setdefault(c.key.recipe, set()).add(c.key.step)
        found.setdefault((c.key.recipe, c.key.seed), {}).setdefault(c.corpus, {})[c.key.step] = c
    expected = {task: tuple(sorted(there)) for task, there in steps.items()}
    corpora = sorted({c.corpus for c in checkpoints})
    runs = sorted(found, key=lambda run: (run[0] == PRETRAINED, run[0], seed_order(run[1])))
    covered = []
    for task, seed in runs:
        for corpus in corpora:
            there = found[task, seed].get(corpus, {})
            states = tuple(_state(there.get(step)) for step in expected[task])
            covered.append(
                RunCoverage(task, seed, corpus, expected[task], states, sum(c.bytes for c in there.values()))
            )
    return covered


def _state(checkpoint: Checkpoint | None) -> int:
    if checkpoint is None:
        return MISSING
    return FULL if ATTENTION in checkpoint.digests else BARE


def measure_coverage(
    measures: Iterable[Measure],
    corpora: Iterable[CorpusInfo],
    checkpoints: Sequence[Checkpoint],
    against: str,
    known: dict[tuple[str, str, str, int], int],
) -> list[MeasureCoverage]:
    """Values known of those possible, for each measure on each corpus where any is possible; those with none last
    (pure).

    Args:
        known: by measure, canonical parameters, corpus and version.
    """
    by_corpus: dict[str, list[Checkpoint]] = {}
    for c in checkpoints:
        by_corpus.setdefault(c.corpus, []).append(c)
    alone = {name: _counted((c,) for c in found) for name, found in by_corpus.items()}
    pairs = {name: _counted(_compared(found, against)) for name, found in by_corpus.items()}
    covered = []
    for measure in measures:
        parameters = canonical(dict(measure.settle({})))
        for info in corpora:
            if measure.needs_labels and not info.labels:
                continue
            sides = (pairs if measure.compares else alone).get(info.name, Counter())
            possible = sum(
                many * _layers(measure, layers)
                for (layers, there), many in sides.items()
                if all(one.kind in there for one in measure.reads)
            )
            if possible:
                there = known.get((measure.name, parameters, info.name, measure.version), 0)
                covered.append(MeasureCoverage(measure, info.name, min(there, possible), possible))
    return sorted(covered, key=lambda one: one.known == 0)


def _layers(measure: Measure, last: int) -> int:
    """How many cells a comparison has; of a measure with rounds, how many it has at least."""
    axis = measure.layers
    return 1 if axis is None or axis.within else max(0, last + 1 - axis.low)


def _counted(sides: Iterable[tuple[Checkpoint, ...]]) -> Counter[tuple[int, frozenset[str]]]:
    """How many have so many layers on every side, and these inputs on every side."""
    return Counter(
        (min(c.layers for c in one), frozenset.intersection(*(frozenset(c.digests) for c in one))) for one in sides
    )


def _compared(checkpoints: Sequence[Checkpoint], against: str) -> list[tuple[Checkpoint, ...]]:
    """Checkpoints of one corpus with what each is compared with."""
    if against == "pretrained":
        reference = next((c for c in checkpoints if c.key.recipe == PRETRAINED), None)
        return [] if reference is None else [(c, reference) for c in checkpoints if c.key.recipe != PRETRAINED]
    first: dict[tuple[str, str], Checkpoint] = {}
    for c in sorted(checkpoints, key=lambda c: c.key):
        first.setdefault((c.key.recipe, c.key.seed), c)
    pairs = [(c, first[c.key.recipe, c.key.seed]) for c in checkpoints]
    return [pair for pair in pairs if pair[0].key != pair[1].key]
