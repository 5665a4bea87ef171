"""Read what claims need from a store, and give the verdicts with the commands that compute what is missing."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from explorer.claims.claim import Claim
from explorer.claims.evidence import PRETRAINED_PLACE, Evidence, Lack, Need, Point, Run, Scope
from explorer.claims.registry import CLAIMS
from explorer.claims.scopes import Contents, scopes
from explorer.claims.verdict import OPEN, Verdict
from explorer.measures.registry import get
from explorer.selection import (
    Against,
    Cells,
    Listing,
    Selection,
    ask,
    default_against,
    listing_of,
    seed_order,
)
from explorer.selection.against import SEEDS, Runs, runs_of
from explorer.selection.stored import further_axes
from store.errors import BertdynError
from store.keys import NO_CORPUS, PRETRAINED, Checkpoint, CheckpointKey
from store.outputs import Classes
from store.results import Result
from store.rows import PAIRED_WITH_ITSELF, WHOLE, Condition, In, Is, RowQuery

if TYPE_CHECKING:
    from store.store import Store


@dataclass(frozen=True)
class Judgement:
    """A verdict on a claim."""

    claim: Claim
    scope: Scope
    verdict: Verdict
    commands: tuple[str, ...]
    """Commands that compute or make what is missing."""


def judged(store: Store, corpora: Sequence[str] = (), claims: Iterable[Claim] = CLAIMS) -> list[Judgement]:
    """Test claims on a store.

    Args:
        corpora: names of the corpora to test them on; none: all.

    Raises:
        BertdynError: there is no corpus of a name, or the store cannot be read.
    """
    claims = tuple(claims)
    checkpoints = store.checkpoints()
    everything = listing_of(store.corpora(), checkpoints)
    chosen = _chosen(everything, corpora)
    needs = tuple(dict.fromkeys(need for claim in claims for need in claim.needs))
    described = _Runs(store, checkpoints)
    runs = described.of(Scope())
    last = {run.last for name in chosen for run in described.of(Scope(corpus=name))}
    rows = {need: _stored(store, need, chosen, last, everything) for need in needs}
    contents = Contents(
        runs,
        tuple(info for info in everything.corpora if info.name in chosen),
        {name: frozenset(key.recipe for key in everything.of(name)) for name in chosen},
        frozenset((r.measure, r.corpus, r.annotation) for found in rows.values() for r in found),
    )
    refusals = _Refusals(store, everything)
    found = []
    for claim in claims:
        about = scopes(claim, contents)
        for scope in about:
            evidence = Evidence(scope, described.of(scope), {need: rows[need] for need in claim.needs}, refusals)
            verdict = claim.judge(evidence)
            found.append(Judgement(claim, scope, verdict, commands(store, verdict.lacking)))
        if not about:
            why = claim.otherwise or _nothing(contents)
            nothing = Verdict(OPEN, claim.parts[0].statistic, why=why)
            making = (Lack(making=claim.making),) if claim.making else ()
            found.append(Judgement(claim, Scope(), nothing, commands(store, making)))
    return found


def commands(store: Store, lacking: Iterable[Lack]) -> tuple[str, ...]:
    """Return the commands that compute or make what is missing, as few as possible."""
    groups: dict[tuple[object, ...], list[Lack]] = {}
    for lack in lacking:
        need = lack.need and (lack.need.measure, lack.need.against, lack.need.parameters)
        groups.setdefault((need, lack.making, lack.annotation, lack.chosen, lack.task == PRETRAINED), []).append(lack)
    found = []
    for each in groups.values():
        first = each[0]
        if first.need is None:
            found.append("bertdyn " + first.making.replace("STORE", shlex.quote(str(store.path)), 1))
        else:
            found.append(_compute(store, first.need, each))
    return tuple(found)


def _compute(store: Store, need: Need, lacking: Sequence[Lack]) -> str:
    said = ["bertdyn", "compute", need.measure, str(store.path)]
    corpora = dict.fromkeys(lack.corpus for lack in lacking if lack.corpus)
    said += ["--corpus", ",".join(corpora)] if corpora else []
    said += ["--annotation", lacking[0].annotation] if lacking[0].annotation else []
    said += ["--task", ",".join(dict.fromkeys(lack.task for lack in lacking))]
    seeds = sorted({lack.seed for lack in lacking if lack.seed}, key=seed_order)
    said += ["--seed", ",".join(seeds)] if seeds else []
    steps = {lack.step for lack in lacking}
    said += ["--step", ",".join(map(str, sorted(step for step in steps if step is not None)))] * (None not in steps)
    said += ["--against", need.against] if need.against else []
    said += [
        word
        for name, value in (*need.parameters, *lacking[0].chosen)
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]
    return shlex.join(said)


def _chosen(listing: Listing, corpora: Sequence[str]) -> tuple[str, ...]:
    names = tuple(info.name for info in listing.corpora)
    for name in corpora:
        if name not in names:
            raise BertdynError(f"--corpus: the store has no '{name}', only {', '.join(names) or 'none'}.")
    return tuple(name for name in names if not corpora or name in corpora)


def _nothing(contents: Contents) -> str:
    if not contents.tasks:
        return "the store has no plain run of a task"
    return "no chosen corpus has labels that are the classes of a task's classifier"


class _Runs:
    """Describes the fine-tuning runs in a store."""

    def __init__(self, store: Store, checkpoints: Sequence[Checkpoint]) -> None:
        self._store, self._checkpoints = store, checkpoints
        self._classes: dict[str, Classes | None] = {}
        self._known: dict[frozenset[str], tuple[Run, ...]] = {}

    def of(self, scope: Scope) -> tuple[Run, ...]:
        """Return the runs with their checkpoints on all corpora of a scope; without a corpus, with those on any."""
        corpora = frozenset({scope.corpus, scope.other} - {""})
        if corpora not in self._known:
            self._known[corpora] = self._described(corpora)
        return self._known[corpora]

    def _described(self, corpora: frozenset[str]) -> tuple[Run, ...]:
        there = [{c.key for c in self._checkpoints if c.corpus == name} for name in corpora]
        groups: dict[tuple[str, str, tuple[int, int, str]], dict[int, Checkpoint]] = {}
        for c in self._checkpoints:
            if c.key.task != PRETRAINED and all(c.key in keys for keys in there):
                at = groups.setdefault((c.key.task, c.key.variant, seed_order(c.key.seed)), {})
                if c.key.step not in at or at[c.key.step].layers < c.layers:  # a registered one may have no layers
                    at[c.key.step] = c
        return tuple(self._run(by_step) for _, by_step in sorted(groups.items()))

    def _run(self, by_step: Mapping[int, Checkpoint]) -> Run:
        last = by_step[max(by_step)]
        if last.key.recipe not in self._classes:
            self._classes[last.key.recipe] = self._classes_of(last)
        points = tuple(Point(step, c.epoch, c.loss, c.metrics) for step, c in sorted(by_step.items()))
        task, variant, seed, _ = last.key
        return Run(task, seed, last.layers, points, variant, last.kind, last.k, self._classes[last.key.recipe])

    def _classes_of(self, checkpoint: Checkpoint) -> Classes | None:
        said = self._store.attributes(checkpoint.corpus, checkpoint.key).get("classifier")
        return Classes(said["head"], tuple(said["labels"]), said["problem"]) if said else None


def _stored(
    store: Store, need: Need, corpora: Sequence[str], last: Iterable[int], listing: Listing
) -> tuple[Result, ...]:
    """Return the rows for a need, of one choice of its free parameters.

    Args:
        last: last steps of runs.
    """
    measure = get(need.measure)
    where: list[Condition] = [
        Is("measure", measure.name),
        Is("version", measure.version),
        Is("statistic", need.statistic or measure.main),
        Is("ref_corpus", ""),
        WHOLE,
        PAIRED_WITH_ITSELF,
        In("corpus", tuple(corpora) if measure.on_corpus else (NO_CORPUS,)),
    ]
    if not need.every_step:
        where.append(In("step", tuple(sorted({*last, *PRETRAINED_PLACE[2:]} if need.pretrained else {*last}))))
    rows = store.results(RowQuery(tuple(where), axes=further_axes(measure)))
    if measure.compares:
        rows = _against(need, rows, listing)
    return _one_choice(need, rows)


def _against(need: Need, rows: Iterable[Result], listing: Listing) -> list[Result]:
    """Return the rows with the reference of a need."""
    measure = get(need.measure)
    runs: dict[str, tuple[Against, Runs]] = {}
    found = []
    for r in rows:
        if r.corpus not in runs:
            keys = listing.of(r.corpus)
            against = Against.parse(need.against) if need.against else default_against(keys, measure.default_reference)
            runs[r.corpus] = against, runs_of(keys)
        against, there = runs[r.corpus]
        key = CheckpointKey(r.task, r.variant, r.seed, r.step)
        if r.ref_task is None or r.ref_seed is None or r.ref_step is None or (r.recipe, r.seed) not in there:
            continue
        reference = CheckpointKey(r.ref_task, r.ref_variant or "", r.ref_seed, r.ref_step)
        if against.kind == SEEDS:
            fits = reference._replace(seed=key.seed) == key and reference.seed != key.seed
        else:
            fits = against.reference(key, there) == reference
        if fits:
            found.append(r)
    return found


def _one_choice(need: Need, rows: Sequence[Result]) -> tuple[Result, ...]:
    """Return the rows with the parameters of a need; of several choices of its free parameters, the default or else
    the one with most rows on each corpus."""
    measure = get(need.measure)
    wanted = json.loads(measure.key(dict(measure.settle(dict(need.parameters)))))
    fixed = {name: value for name, value in wanted.items() if name not in need.free}
    groups: dict[tuple[str, str], dict[str, list[Result]]] = {}
    for r in rows:
        said = json.loads(r.parameters)
        if all(said.get(name) == value for name, value in fixed.items()):
            groups.setdefault((r.corpus, r.annotation), {}).setdefault(r.parameters, []).append(r)
    usual = measure.key(dict(measure.settle(dict(need.parameters))))
    found: list[Result] = []
    for choices in groups.values():
        best = max(choices, key=lambda text: (text == usual, len(choices[text]), text))
        found += choices[best]
    return tuple(found)


class _Refusals:
    """Finds out why values cannot be computed; each answer is kept."""

    def __init__(self, store: Store, listing: Listing) -> None:
        self._store, self._listing = store, listing
        self._known: dict[tuple[Need, str, str, str], str] = {}

    def __call__(self, need: Need, task: str, corpus: str, annotation: str) -> str:
        """Return the reason why a measure has no values of a task, or an empty text."""
        place = need, task, corpus, annotation
        if place not in self._known:
            self._known[place] = self._asked(*place)
        return self._known[place]

    def _asked(self, need: Need, task: str, corpus: str, annotation: str) -> str:
        measure = get(need.measure)
        against = Against.parse(need.against) if need.against else None
        chosen = Selection(
            measure.name, corpus, (task,), against=against, parameters=need.parameters, annotation=annotation
        )
        try:
            question = ask(chosen, measure, self._listing)
            cells = Cells(question, self._store.checkpoints(corpus))
            cells.require()
        except BertdynError as error:
            return str(error)
        return ""
