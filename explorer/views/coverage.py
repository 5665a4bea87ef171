"""What a store holds and what is computed of it: runs by steps, sizes, values known of those possible."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.measures import Measure, all_measures
from explorer.measures.base import canonical
from explorer.selection import default_against, seed_order
from store.keys import PRETRAINED, Checkpoint, CorpusInfo
from store.shelf import kept_bytes

if TYPE_CHECKING:
    from store.store import Store

MISSING, BARE, FULL = 0, 1, 2
"""A checkpoint is not there; is there without attentions; with them."""

# Distinct places are counted, so of one value's several rows none has to be found that is the newest. Hashes of 64 bits
# take half the time of the columns themselves; among a million rows two are alike once in 30 million stores.
_KNOWN = """
select measure, parameters, corpus, version, count(distinct hash(task, seed, step, layer))
from stored_results
where head is null and label_a is null and example is null and query is null
and (ref_layer is null or ref_layer = layer)
and (ref_task is null or {reference})
and hash(corpus, task, seed, step, digest) in (select hash(corpus, task, seed, step, digest) from digests)
group by all
"""
_REFERENCES = {
    "pretrained": f"(ref_task = '{PRETRAINED}' "
    f"and ref_digest in (select digest from digests where task = '{PRETRAINED}'))",
    "first": "(ref_task = task and ref_seed = seed and (corpus, task, seed, ref_step) in "
    "(select (corpus, task, seed, min(step)) from checkpoints group by corpus, task, seed) "
    "and (corpus, ref_task, ref_seed, ref_step, ref_digest) in "
    "(select (corpus, task, seed, step, digest) from digests))",
}


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
    rows = store.query(_KNOWN.format(reference=_REFERENCES[against])).rows
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
        steps.setdefault(c.key.task, set()).add(c.key.step)
        found.setdefault((c.key.task, c.key.seed), {}).setdefault(c.corpus, {})[c.key.step] = c
    expected = {task: tuple(sorted(there)) for task, there in steps.items()}
    corpora = sorted({c.corpus for c in checkpoints})
    runs = sorted(found, key=lambda run: (run[0] == PRETRAINED, run[0], seed_order(run[1])))
    covered = []
    for task, seed in runs:
        for corpus in corpora:
            there = found[task, seed].get(corpus, {})
            states = tuple(
                MISSING if step not in there else FULL if there[step].has_attention else BARE for step in expected[task]
            )
            covered.append(
                RunCoverage(task, seed, corpus, expected[task], states, sum(c.bytes for c in there.values()))
            )
    return covered


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
            sides = (pairs if measure.sides == 2 else alone).get(info.name, Counter())
            possible = sum(
                many * max(0, layers + 1 - measure.first_layer)
                for (layers, attended), many in sides.items()
                if attended or measure.reads == "hidden"
            )
            if possible:
                there = known.get((measure.name, parameters, info.name, measure.version), 0)
                covered.append(MeasureCoverage(measure, info.name, min(there, possible), possible))
    return sorted(covered, key=lambda one: one.known == 0)


def _counted(sides: Iterable[tuple[Checkpoint, ...]]) -> Counter[tuple[int, bool]]:
    """How many have so many layers on every side, and attentions on every side."""
    return Counter((min(c.layers for c in one), all(c.has_attention for c in one)) for one in sides)


def _compared(checkpoints: Sequence[Checkpoint], against: str) -> list[tuple[Checkpoint, ...]]:
    """Checkpoints of one corpus with what each is compared with."""
    if against == "pretrained":
        reference = next((c for c in checkpoints if c.key.task == PRETRAINED), None)
        return [] if reference is None else [(c, reference) for c in checkpoints if c.key.task != PRETRAINED]
    first: dict[tuple[str, str], Checkpoint] = {}
    for c in sorted(checkpoints, key=lambda c: c.key):
        first.setdefault((c.key.task, c.key.seed), c)
    pairs = [(c, first[c.key.task, c.key.seed]) for c in checkpoints]
    return [pair for pair in pairs if pair[0].key != pair[1].key]
