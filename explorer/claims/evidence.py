"""Hold the stored rows that a claim is judged from, and read numbers from them. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import combinations

from explorer.claims.verdict import Sample, Samples, UndecidableError
from explorer.measures.registry import get
from store.keys import NO_CORPUS, PRETRAINED, PRETRAINED_KEY, CheckpointKey, recipe_of
from store.outputs import Classes
from store.results import Result


@dataclass(frozen=True)
class Need:
    """Stored rows that a claim is judged from: whole values of one statistic of a measure."""

    measure: str
    statistic: str = ""
    against: str = ""
    """Reference, as ``--against`` takes it; empty: the measure's default."""
    parameters: tuple[tuple[str, object], ...] = ()
    """Parameters that differ from the measure's defaults."""
    free: tuple[str, ...] = ()
    """Parameters that may have any value, such as the number of examples."""
    every_step: bool = False
    """Whether all checkpoints of a run are needed; if not, only the last."""
    pretrained: bool = False
    """Whether the value of the pre-trained model is needed too."""


@dataclass(frozen=True)
class Point:
    """One checkpoint of a run, as its training log describes it."""

    step: int
    epoch: float | None = None
    loss: float | None = None
    """Last training loss logged at or before this step."""
    metrics: Mapping[str, float] | None = None


@dataclass(frozen=True)
class Run:
    """A fine-tuning run."""

    task: str
    seed: str
    layers: int
    """Number of transformer layers."""
    points: tuple[Point, ...]
    """Its checkpoints in the order of their steps."""
    variant: str = ""
    kind: str = ""
    """What was changed in the model before training, such as ``freeze``; empty for a plain run."""
    k: int | None = None
    """Number of layers that this concerns."""
    classes: Classes | None = None
    """The classes of its classifier."""

    @property
    def last(self) -> int:
        """Step of the last checkpoint."""
        return self.points[-1].step

    @property
    def key(self) -> CheckpointKey:
        """Last checkpoint."""
        return CheckpointKey(self.task, self.variant, self.seed, self.last)

    @property
    def recipe(self) -> str:
        """Task and variant as one name."""
        return recipe_of(self.task, self.variant)

    @property
    def name(self) -> str:
        """Name of a repetition: 'seed 1'."""
        return f"seed {self.seed}"


@dataclass(frozen=True)
class Lack:
    """Something that is missing for a claim: values of a measure, or runs."""

    need: Need | None = None
    """Values that are missing; None: see ``making``."""
    task: str = ""
    seed: str = ""
    step: int | None = None
    """None: all steps."""
    corpus: str = ""
    annotation: str = ""
    chosen: tuple[tuple[str, object], ...] = ()
    """Free parameters of the values that are there, if they are not the defaults."""
    making: str = ""
    """Arguments of a command that makes missing runs or texts, with STORE for the store."""


def missing(lacking: Iterable[Lack]) -> str:
    """Return which values are missing: 'not computed: js of sst2, seeds 1, 2'; empty if none are."""
    groups: dict[str, dict[str, dict[str, None]]] = {}
    for one in lacking:
        if one.need is not None:
            groups.setdefault(one.need.measure, {}).setdefault(one.task, {})[one.seed] = None
    said = (
        f"{measure} of " + " and ".join(_runs(task, tuple(seeds)) for task, seeds in tasks.items())
        for measure, tasks in groups.items()
    )
    return "not computed: " + ", ".join(said) if groups else ""


def _runs(task: str, seeds: Sequence[str]) -> str:
    if task == PRETRAINED:
        return "the pre-trained model"
    return f"{task}, seed{'s' * (len(seeds) > 1)} {', '.join(seeds)}"


@dataclass(frozen=True)
class Scope:
    """What a verdict is about. Empty fields: all, or none."""

    task: str = ""
    corpus: str = ""
    annotation: str = ""
    other: str = ""
    """Second corpus."""

    @property
    def texts(self) -> str:
        """Name of the corpus, or of both."""
        return f"{self.corpus} - {self.other}" if self.other else self.corpus


Refusal = Callable[[Need, str, str, str], str]
"""Function of a need, a task with variant, a corpus and an annotation: the reason why the values cannot be computed, or
an empty text."""


def possible(need: Need, task: str, corpus: str, annotation: str) -> str:
    """Refuse nothing."""
    return ""


PRETRAINED_PLACE = (*PRETRAINED_KEY[:1], *PRETRAINED_KEY[2:])
"""Task, seed and step of the pre-trained model."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """The stored rows and runs for one claim in one scope."""

    scope: Scope
    runs: tuple[Run, ...]
    """All runs in the store, sorted by task, variant and seed."""
    rows: Mapping[Need, Sequence[Result]]
    """Stored rows by need, of all tasks and corpora."""
    refusal: Refusal = possible

    @property
    def plain(self) -> tuple[Run, ...]:
        """Plain runs of the task, or of all tasks."""
        return tuple(r for r in self.runs if not r.variant and self.scope.task in ("", r.task))

    @property
    def tasks(self) -> tuple[str, ...]:
        """Tasks of plain runs."""
        return tuple(dict.fromkeys(r.task for r in self.plain))

    def made(self, kind: str, task: str = "") -> tuple[Run, ...]:
        """Return runs of a task that were made on purpose: the kind of their variant."""
        return tuple(r for r in self.runs if r.kind == kind and r.task == (task or self.scope.task))

    def found(self, need: Need, run: Run | None, step: int | None = None, corpus: str = "") -> list[Result]:
        """Return the rows of a run at a step (default: its last), or of the pre-trained model if there is no run."""
        key = PRETRAINED_PLACE if run is None else (run.recipe, run.seed, run.last if step is None else step)
        where = (corpus or self.scope.corpus) if get(need.measure).on_corpus else NO_CORPUS
        return list(self._places[need].get((where, key), ()))

    @cached_property
    def _places(self) -> dict[Need, dict[tuple[str, tuple[str, str, int]], list[Result]]]:
        found: dict[Need, dict[tuple[str, tuple[str, str, int]], list[Result]]] = {}
        for need, rows in self.rows.items():
            by_place: dict[tuple[str, tuple[str, str, int]], list[Result]] = {}
            for r in rows:
                if r.annotation in ("", self.scope.annotation):
                    by_place.setdefault((r.corpus, (r.recipe, r.seed, r.step)), []).append(r)
            found[need] = by_place
        return found

    def lack(self, need: Need, run: Run | None, every: bool = False, corpus: str = "") -> UndecidableError:
        """Return the error for values of a run that are missing: with the reason, or with what to compute."""
        task = PRETRAINED_PLACE[0] if run is None else run.recipe
        measure, where = get(need.measure), corpus or self.scope.corpus
        corpus = where if measure.on_corpus else ""
        annotation = self.scope.annotation if measure.labels is not None else ""
        if refused := self.refusal(need, task, corpus, annotation):
            return UndecidableError(refused)
        lack = Lack(
            need,
            task,
            "" if run is None else run.seed,
            None if every or run is None else run.last,
            corpus,
            annotation,
            self._chosen(need, corpus, annotation),
        )
        return UndecidableError("", (lack,))

    def _chosen(self, need: Need, corpus: str, annotation: str) -> tuple[tuple[str, object], ...]:
        there = next((r for r in self.rows[need] if (r.corpus, r.annotation) == (corpus, annotation)), None)
        if there is None or not need.free:
            return ()
        said = json.loads(there.parameters)
        defaults = {p.name: p.default for p in get(need.measure).parameters}
        return tuple((n, said[n]) for n in need.free if n in said and str(said[n]) != str(defaults[n]))

    def warnings(self) -> tuple[str, ...]:
        """Return what the measures say against the values of the scope's tasks at their last steps, by layer."""
        mine = (
            r
            for run in self.plain
            for need in self.rows
            for r in sorted(self.found(need, run), key=lambda r: (-1 if r.layer is None else r.layer, str(r.axes)))
        )
        return tuple(dict.fromkeys(f"{r.measure}: {r.reason}" for r in mine if r.reason and r.value is not None))


def valued(rows: Iterable[Result]) -> list[Result]:
    """Return rows that have values.

    Raises:
        UndecidableError: one has none, with its reason.
    """
    found = list(rows)
    without = next((r for r in found if r.value is None), None)
    if without is not None:
        raise UndecidableError(f"{without.measure}: {without.reason or 'no value'}")
    return found


def by_layer(
    evidence: Evidence, need: Need, run: Run | None, layers: int, step: int | None = None, corpus: str = ""
) -> dict[int, float]:
    """Return the values of all layers of a checkpoint.

    Args:
        run: run whose last checkpoint (or ``step``) is meant; None: the pre-trained model.
        layers: number of transformer layers.

    Raises:
        UndecidableError: layers are missing, or have no value.
    """
    rows = [r for r in evidence.found(need, run, step, corpus) if r.layer is not None and not r.axes]
    axis = get(need.measure).layers
    wanted = set(range(1 if axis is None else axis.low, layers + 1))
    if not wanted <= {r.layer for r in rows}:
        raise evidence.lack(need, run, need.every_step, corpus)
    values = {r.layer: r.value for r in valued(rows)}
    return {layer: value for layer in sorted(wanted) if (value := values[layer]) is not None}


def last_layer(evidence: Evidence, need: Need, run: Run | None, layers: int) -> Result:
    """Return the row of the last layer.

    Raises:
        UndecidableError: it is missing, or has no value.
    """
    rows = [r for r in evidence.found(need, run) if r.layer == layers and not r.axes]
    if not rows:
        raise evidence.lack(need, run)
    return valued(rows[:1])[0]


def per_seed(of: Callable[[Evidence, Run], float | Sample]) -> Callable[[Evidence], Samples]:
    """Return the function that gives a number for each plain run of the task that has one.

    Its UndecidableError: no run has one.
    """

    def values(evidence: Evidence) -> Samples:
        return gathered((run.name, partial(of, evidence, run)) for run in evidence.plain)

    return values


def per_pair(of: Callable[[Evidence, Run, Run], float]) -> Callable[[Evidence], Samples]:
    """Return the function that gives a number for each pair of seeds of the task.

    Its UndecidableError: there is one seed only, or no pair has a number.
    """

    def values(evidence: Evidence) -> Samples:
        if len(evidence.plain) < 2:
            raise UndecidableError("one seed only: there is nothing to compare it with")
        pairs = combinations(evidence.plain, 2)
        named = ((f"seeds {a.seed} and {b.seed}", partial(of, evidence, a, b)) for a, b in pairs)
        return replace(gathered(named), over="pairs of seeds")

    return values


def gathered(named: Iterable[tuple[str, Callable[[], float | Sample]]], over: str = "seeds") -> Samples:
    """Return the numbers of those repetitions that have one.

    Raises:
        UndecidableError: none has one: with the reasons, and with everything that is missing.
    """
    values: dict[str, Sample] = {}
    reasons: dict[str, str] = {}
    lacking: list[Lack] = []
    for name, of in named:
        try:
            value = of()
        except UndecidableError as error:
            reasons[name] = str(error)
            lacking += error.lacking
            continue
        values[name] = value if isinstance(value, Sample) else Sample(value)
    told = {name: why for name, why in reasons.items() if why}
    if not values:
        nothing = "" if reasons else "there is no plain run"
        raise UndecidableError("; ".join(dict.fromkeys(told.values())) or nothing, lacking)
    return Samples(values, over, tuple(dict.fromkeys(lacking)), tuple(f"without {n}: {w}" for n, w in told.items()))
