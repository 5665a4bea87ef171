"""Claims of Hao, Dong, Wei and Xu 2019 (EMNLP), on loss landscapes, optimisation and rollback."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from shlex import quote

from explorer.claims.arithmetic import crossing, ordering, width_around
from explorer.claims.claim import OWN_LABELS, OWN_PAIR, TASK, Claim
from explorer.claims.evidence import Evidence, Lack, Need, Run, gathered, per_seed, valued
from explorer.claims.verdict import POSITIVE, Bound, Part, Samples, UndecidableError
from explorer.measures.rollback import PART, THIRDS

PAPER = "Hao et al. 2019"
SCRATCH = "scratch"
_SIZE = ("examples", "map")
CURVE = Need("loss-curve", "loss", free=_SIZE)
SCRATCH_CURVE = Need("loss-curve", "loss", against="first", free=_SIZE)
LOSSES, ERRORS = Need("loss-surface", "loss", free=_SIZE), Need("loss-surface", "error", free=_SIZE)
ROLLBACK = Need("rollback", "loss-change", free=("map",))
ACCURACY = Need("output-accuracy", free=("map",), every_step=True)
RISE, FALL, AGREE, EPOCHS, TIMES = 0.05, 0.01, 0.8, 6.0, 2.0


def curve(evidence: Evidence, need: Need, run: Run) -> tuple[list[float], list[float]]:
    """Return the places alpha and the losses on the line to the last checkpoint of a run.

    Raises:
        UndecidableError: it is missing, or has no points at alpha 0 and 1.
    """
    rows = [(dict(r.axes), r) for r in evidence.found(need, run)]
    points = sorted((float(at["alpha"]), r) for at, r in rows if "alpha" in at)
    places = [alpha for alpha, _ in points]
    if not {0.0, 1.0} <= set(places):
        raise evidence.lack(need, run)
    return places, [float(r.value or 0.0) for r in valued(r for _, r in points)]


def ends(places: list[float], losses: list[float]) -> tuple[float, float]:
    """Return the losses at alpha 0 and 1.

    Raises:
        UndecidableError: the loss does not fall.
    """
    start, end = losses[places.index(0.0)], losses[places.index(1.0)]
    if end >= start:
        raise UndecidableError(f"the loss does not fall on the line: {start:.3g} to {end:.3g}")
    return start, end


def barrier(evidence: Evidence, run: Run) -> float:
    """Return by how much the loss rises above its start on the line to the solution, as a share of the whole fall."""
    places, losses = curve(evidence, CURVE, run)
    start, end = ends(places, losses)
    between = max(loss for alpha, loss in zip(places, losses, strict=True) if 0 <= alpha <= 1)
    return (between - start) / (start - end)


def width(evidence: Evidence, need: Need, run: Run) -> tuple[float, bool]:
    """Return the length of the line around the solution where the loss is below the middle of its two ends, in
    multiples of the way from the start; and whether the line is long enough to tell."""
    places, losses = curve(evidence, need, run)
    return width_around(places, losses, 1.0, sum(ends(places, losses)) / 2)


def wider(evidence: Evidence, run: Run, other: Run) -> float:
    """Return the width around a solution minus that around one that was trained from scratch."""
    (own, own_closed), (scratch, closed) = width(evidence, CURVE, run), width(evidence, SCRATCH_CURVE, other)
    if not closed or (not own_closed and own < scratch):
        raise UndecidableError("the line ends before the loss has risen half-way: compute it with a longer --range")
    return own - scratch


def against_scratch(of: Callable[[Evidence, Run, Run], float]) -> Callable[[Evidence], Samples]:
    """Return the function that gives a number for each seed with a run from scratch: of the same seed if there is one,
    else the first."""

    def values(evidence: Evidence) -> Samples:
        made = evidence.made(SCRATCH)
        if not made:
            lack = Lack(making=_making("scratch", evidence.scope.task))
            raise UndecidableError("no run of the task was trained from scratch", (lack,))
        beside = [(run, next((one for one in made if one.seed == run.seed), made[0])) for run in evidence.plain]
        return gathered((run.name, partial(of, evidence, run, other)) for run, other in beside)

    return values


def speed(evidence: Evidence, run: Run, other: Run) -> float:
    """Return the number of steps until the lowest training loss from scratch, as a share of those from scratch."""
    own, scratch = ([(p.step, -p.loss) for p in r.points if p.loss is not None] for r in (run, other))
    if len(own) < 2 or len(scratch) < 2:
        raise UndecidableError("the training loss is not logged at two checkpoints of both runs")
    level = max(loss for _, loss in scratch)
    theirs = next(step for step, loss in scratch if loss == level)
    if max(loss for _, loss in own) < level:
        if own[-1][0] >= theirs:
            return own[-1][0] / theirs
        raise UndecidableError("the fine-tuned run is too short to reach the training loss from scratch")
    return crossing([s for s, _ in own], [loss for _, loss in own], level)[0] / theirs


def overfitting(evidence: Evidence, run: Run) -> float:
    """Return by how much the accuracy at the last step is below the best of all steps."""
    if run.points[-1].epoch is None:
        raise UndecidableError("the number of epochs is not logged")
    if run.points[-1].epoch < EPOCHS:
        raise UndecidableError(f"the run has {run.points[-1].epoch:.3g} epochs; {EPOCHS:g} or more can tell")
    found = []
    for point in run.points:
        rows = evidence.found(ACCURACY, run, point.step)
        if not rows:
            raise evidence.lack(ACCURACY, run, True)
        found.append(float(valued(rows)[0].value or 0.0))
    return max(found) - found[-1]


def agreement(evidence: Evidence, run: Run) -> float:
    """Return the rank correlation of the loss on one corpus and the error on the other over the points of a plane: the
    smaller one of both directions."""
    first, second = evidence.scope.corpus, evidence.scope.other
    found = []
    for losses, errors in ((first, second), (second, first)):
        a, b = surface(evidence, LOSSES, run, losses), surface(evidence, ERRORS, run, errors)
        found.append(ordering((a[place], b[place]) for place in a.keys() & b.keys()))
    return min(found)


def surface(evidence: Evidence, need: Need, run: Run, corpus: str) -> dict[tuple[object, ...], float]:
    """Return the values of a plane on a corpus, by its second solution and the point.

    Raises:
        UndecidableError: it is missing.
    """
    rows = [r for r in evidence.found(need, run, corpus=corpus) if {"alpha", "beta"} <= dict(r.axes).keys()]
    if not rows:
        raise evidence.lack(need, run, corpus=corpus)
    return {(r.ref_recipe, r.ref_seed, r.ref_step, r.axes): float(r.value or 0.0) for r in valued(rows)}


def damages(evidence: Evidence, run: Run) -> tuple[float, float, float]:
    """Return the rollback damage of the lower, middle and upper third, in nats.

    Raises:
        UndecidableError: it is missing.
    """
    rows = {dict(r.axes).get(PART.name): r for r in evidence.found(ROLLBACK, run)}
    if run.layers < len(THIRDS):
        raise UndecidableError(f"{run.layers} layers have no thirds")
    if not set(THIRDS) <= rows.keys():
        raise evidence.lack(ROLLBACK, run)
    lower, middle, upper = (float(r.value or 0.0) for r in valued(rows[third] for third in THIRDS))
    return lower, middle, upper


def damage_rise(evidence: Evidence, run: Run) -> float:
    """Return the smaller rise of the damage from third to third."""
    lower, middle, upper = damages(evidence, run)
    return min(middle - lower, upper - middle)


def damage_excess(evidence: Evidence, run: Run) -> float:
    """Return the damage of the upper third minus twice that of the middle one."""
    _, middle, upper = damages(evidence, run)
    return upper - TIMES * middle


def _making(kind: str, task: str) -> str:
    return f"ablate {kind} STORE --task {quote(task)} --train TRAIN_FILE --eval DEV_FILE --out ablations/"


CLAIMS = (
    Claim(
        "B1",
        "Pre-training gives a good start: no barrier lies on the way to the solution, and the solution is wider than "
        "one trained from scratch.",
        PAPER,
        "3, 4",
        "On the straight line from the pre-trained model to the last checkpoint, the loss rises at most 5 % of its "
        "whole fall above its start (ours); and the part of the line around the solution where the loss is below the "
        "middle of both ends is longer than that of a run from scratch, each line in units of its own length, as in "
        "the paper.",
        OWN_LABELS,
        (
            Part("rise above the start, share of the fall", Bound(high=RISE), per_seed(barrier)),
            Part("width of the solution minus that from scratch", POSITIVE, against_scratch(wider)),
        ),
        (CURVE, SCRATCH_CURVE),
    ),
    Claim(
        "B2",
        "Pre-training makes optimisation easier: training converges faster than from scratch.",
        PAPER,
        "3",
        "Steps until the lowest training loss that the run from scratch logs at a checkpoint, as a share of the steps "
        "that the run from scratch takes to it: below 1.",
        TASK,
        (Part("steps to equal training loss, share of scratch", Bound(high=1.0, strict=True), against_scratch(speed)),),
    ),
    Claim(
        "B3",
        "Fine-tuning is robust to overfitting: further epochs hardly change the error on unseen texts.",
        PAPER,
        "4",
        "In a run of at least 6 epochs (ours: twice the usual 3), the accuracy of the last checkpoint is at most one "
        "point below the best one. On training texts this says nothing.",
        OWN_LABELS,
        (Part("best minus last accuracy", Bound(high=FALL), per_seed(overfitting)),),
        (ACCURACY,),
    ),
    Claim(
        "B4",
        "The surfaces of training loss and of generalisation error agree.",
        PAPER,
        "4",
        "Rank correlation over the points of the plane between the loss on one corpus and the error on the other, the "
        "smaller one of both directions: at least 0.8 (ours). One of the two corpora must be training texts, which the "
        "store cannot know. Points of a plane depend on each other, so there is no p-value.",
        OWN_PAIR,
        (Part("rank correlation of loss and error", Bound(low=AGREE), per_seed(agreement)),),
        (LOSSES, ERRORS),
        otherwise="two corpora with the task's labels are needed: training texts and others",
        making="extract STORE RUNS_FOLDER --corpus train=TRAIN_FILE",
    ),
    Claim(
        "B5",
        "Lower layers are more invariant: rolling back the high layers does far more damage than the middle ones, and "
        "these more than the low ones.",
        PAPER,
        "5",
        "Loss after the weights of a third of the layers are set back, minus the loss before, at the last step: it "
        "rises from the lower to the middle and to the upper third, and that of the upper third is more than twice "
        "that of the middle one (ours).",
        OWN_LABELS,
        (
            Part("smaller rise of damage from third to third, nats", POSITIVE, per_seed(damage_rise)),
            Part("damage of upper minus twice middle third, nats", POSITIVE, per_seed(damage_excess)),
        ),
        (ROLLBACK,),
    ),
)
