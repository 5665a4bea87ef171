"""Claims of Merchant, Rahimtoroghi, Pavlick and Tenney 2020 (BlackboxNLP), on probing, RSA and frozen layers.

The paper counts layers from 0 to 11. Its layer n of 12 is our layer n + 1; in models of other depth, the layers at the
same share of the depth.
"""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean

from explorer.answers.corpora import gap
from explorer.answers.training import METRICS
from explorer.claims.arithmetic import ordering, thirds
from explorer.claims.claim import DOMAINS, LABELS, NO_DOMAIN, OTHER_TEXTS, STORE, TEXTS, Claim
from explorer.claims.evidence import Evidence, Lack, Need, Run, by_layer, per_seed
from explorer.claims.verdict import NEGATIVE, POSITIVE, Bound, Part, Sample, Samples, UndecidableError

PAPER = "Merchant et al. 2020"
PROBE = Need("probe", "accuracy", pretrained=True)
RSA = Need("rsa")
FREEZE = "freeze"
WORDS, SPANS, SENTENCES = "token", "span", "sequence"
_NAMES = {WORDS: "words", SPANS: "spans (question answering)", SENTENCES: "sentences"}
OTHER = "extract STORE RUNS_FOLDER --corpus other=FILE"
LOST, FALLING, DEPTH = 0.03, -0.8, 12
NLI = frozenset(("entailment", "neutral", "contradiction"))


def change_of_best(evidence: Evidence, run: Run) -> float:
    """Return the probe accuracy of the best layer minus that of the pre-trained model's best layer."""
    tuned, before = (by_layer(evidence, PROBE, one, run.layers) for one in (run, None))
    return max(tuned.values()) - max(before.values())


def similarity(evidence: Evidence, run: Run) -> dict[int, float]:
    """Return the RSA with the pre-trained model by layer, without the embeddings."""
    return {n: v for n, v in by_layer(evidence, RSA, run, run.layers).items() if n > 0}


def falling(evidence: Evidence, run: Run) -> float:
    """Return the rank correlation of layer and RSA."""
    return ordering(similarity(evidence, run).items())


def top_lowest(evidence: Evidence, run: Run) -> float:
    """Return the mean RSA of the upper third minus the smaller one of the other thirds."""
    lower, middle, upper = thirds(similarity(evidence, run), run.layers)
    return upper - min(lower, middle)


def mean_similarity(evidence: Evidence, kind: str) -> dict[float, float]:
    """Return the mean RSA of all runs whose classifier labels words, spans or sentences, by share of the depth.

    Raises:
        UndecidableError: there is no such run, or a value is missing; or the models have different depths.
    """
    runs = _of_kind(evidence, kind)
    if len({run.layers for run in runs}) > 1:
        raise UndecidableError(f"models of tasks on {_NAMES[kind]} have different numbers of layers")
    values = [similarity(evidence, run) for run in runs]
    return {n / runs[0].layers: fmean(of[n] for of in values) for n in values[0]}


def below(kind: str, others: tuple[str, ...], first: float, last: float) -> Part:
    """Return the part that compares a kind of task with others in a range of shares of the depth."""

    def values(evidence: Evidence) -> Samples:
        own, *them = (mean_similarity(evidence, one) for one in (kind, *others))
        there = [at for at in own if first - 1e-9 <= at <= last + 1e-9 and all(at in one for one in them)]
        if not there:
            raise UndecidableError("the models have no layers at the same share of the depth")
        worst = max(own[at] - min(one[at] for one in them) for at in there)
        return Samples({f"tasks on {_NAMES[kind]}": Sample(worst)}, "tasks")

    said = " and ".join(_NAMES[one] for one in others)
    layers = f"layers {round(first * DEPTH) - 1} to {round(last * DEPTH) - 1} of 0-{DEPTH - 1}"
    return Part(f"largest RSA of {_NAMES[kind]} minus {said}, {layers}", NEGATIVE, values)


def domain_gap(evidence: Evidence, run: Run) -> Sample:
    """Return the largest RSA on the first corpus minus that on the other one, over layers above the first quarter."""
    first, other = evidence.scope.corpus, evidence.scope.other
    worst: Sample | None = None
    for corpus in (first, other):
        by_layer(evidence, RSA, run, run.layers, corpus=corpus)
    there = {r.layer: r for r in evidence.found(RSA, run, corpus=other)}
    for r in evidence.found(RSA, run, corpus=first):
        if r.layer is None or r.layer / run.layers < 3 / DEPTH or r.layer not in there:
            continue
        found = gap(r, there[r.layer])
        if found.value is not None and (worst is None or found.value > worst.value):
            worst = Sample(found.value, found.interval_low, found.interval_high)
    if worst is None:
        raise evidence.lack(RSA, run)
    return worst


def frozen_damage(evidence: Evidence, kind: str) -> dict[float, float]:
    """Return the loss of the evaluation metric with frozen layers by share of the depth, as a share of the metric
    without: the mean over the tasks of a kind.

    Without are the runs that froze 0 layers, which were made in the same way; if there are none, the plain runs.

    Raises:
        UndecidableError: no run of such a task was fine-tuned with frozen layers, or its metrics are not logged.
    """
    found: dict[float, list[float]] = {}
    for task in dict.fromkeys(run.task for run in evidence.runs if _head(run) == kind):
        frozen = evidence.made(FREEZE, task)
        by_k = [(run.k, run.layers, m) for run in frozen if run.k and (m := _metric(run)) is not None]
        plain = (run for run in evidence.runs if run.task == task and not run.variant)
        base = _metrics(run for run in frozen if run.k == 0) or _metrics(plain)
        if by_k and base and fmean(base) > 0:
            for k, layers in dict.fromkeys((k, layers) for k, layers, _ in by_k):
                damage = 1 - fmean(m for at, _, m in by_k if at == k) / fmean(base)
                found.setdefault(round(k / layers, 6), []).append(damage)
    if not found:
        making = "ablate freeze STORE --task TASK --train TRAIN_FILE --eval DEV_FILE --out ablations/"
        raise UndecidableError(f"no task on {_NAMES[kind]} has runs with frozen layers", (Lack(making=making),))
    return {at: fmean(values) for at, values in found.items()}


def more_damage(kind: str, other: str) -> Part:
    """Return the part that compares the damage of two kinds of tasks, mean over the shares of depth of both."""

    def values(evidence: Evidence) -> Samples:
        ours, theirs = frozen_damage(evidence, kind), frozen_damage(evidence, other)
        both = ours.keys() & theirs.keys()
        if not both:
            raise UndecidableError("the tasks were not fine-tuned with the same share of layers frozen")
        difference = fmean(ours[at] for at in both) - fmean(theirs[at] for at in both)
        return Samples({"tasks": Sample(difference)}, "tasks")

    return Part(f"relative damage of freezing, {_NAMES[kind]} minus {_NAMES[other]}", POSITIVE, values)


def tenth(evidence: Evidence, run: Run) -> float:
    """Return the RSA of the paper's layer 10."""
    return similarity(evidence, run)[DEPTH - 1]


def is_mnli(run: Run) -> bool:
    """Return whether a run's classes are those of natural language inference, in a model of 12 layers."""
    labels = {label.lower() for label in run.classes.labels} if run.classes is not None else set()
    return labels == NLI and run.layers == DEPTH


def _of_kind(evidence: Evidence, kind: str) -> list[Run]:
    runs = [run for run in evidence.plain if _head(run) == kind]
    if not runs:
        raise UndecidableError(f"no task on {_NAMES[kind]} is in the store")
    return runs


def _head(run: Run) -> str:
    return "" if run.classes is None else run.classes.head


def _metrics(runs: Iterable[Run]) -> list[float]:
    return [m for run in runs if (m := _metric(run)) is not None]


def _metric(run: Run) -> float | None:
    logged = run.points[-1].metrics or {}
    return next((logged[name] for name in METRICS[:-1] if name in logged), None)


CLAIMS = (
    Claim(
        "C1",
        "Fine-tuning does not forget: probes find nearly as much linguistic information as before.",
        PAPER,
        "4, table 1",
        "Accuracy of a linear probe on the best layer at the last step, minus that of the pre-trained model: at least "
        "-0.03, about the largest loss in the paper. The paper uses edge probes on a mix of all layers.",
        LABELS,
        (Part("change of the best layer's probe accuracy", Bound(low=-LOST), per_seed(change_of_best)),),
        (PROBE,),
    ),
    Claim(
        "C2",
        "The similarity of representations to the pre-trained model falls with depth; the top layers change most.",
        PAPER,
        "5.1, figure 2",
        "Rank correlation of layer and RSA with the pre-trained model at the last step: at most -0.8 (ours); and the "
        "mean RSA of the upper third is below those of the others.",
        TEXTS,
        (
            Part("rank correlation of layer and RSA", Bound(high=FALLING), per_seed(falling)),
            Part("RSA of the upper third minus the lower of the others", NEGATIVE, per_seed(top_lowest)),
        ),
        (RSA,),
    ),
    Claim(
        "C3",
        "Dependency parsing changes the middle layers most, question answering the top layers; question answering is "
        "below inference from layer 8 on.",
        PAPER,
        "5.1, figure 2",
        "RSA with the pre-trained model, mean over runs whose classifier labels words (for parsing), spans (for "
        "question answering) and sentences (for inference): words are lowest in layers 5 to 9, spans below sentences "
        "in layers 8 to 11, spans lowest in layers 10 and 11; the paper's layers 0 to 11, or the same shares of the "
        "depth. On texts without own labels of a task: those change a task's representations most (C4).",
        NO_DOMAIN,
        (
            below(WORDS, (SPANS,), 6 / DEPTH, 10 / DEPTH),
            below(WORDS, (SENTENCES,), 6 / DEPTH, 10 / DEPTH),
            below(SPANS, (SENTENCES,), 9 / DEPTH, 1.0),
            below(SPANS, (WORDS, SENTENCES), 11 / DEPTH, 1.0),
        ),
        (RSA,),
        otherwise="a corpus without own labels of any task is needed: the paper's texts are Wikipedia sentences",
        making=OTHER,
    ),
    Claim(
        "C4",
        "Representations change more on texts of the task's own domain than on others.",
        PAPER,
        "5.1, figure 5",
        "RSA with the pre-trained model on a corpus with the task's own labels minus that on another corpus, the "
        "largest over layers from the paper's layer 2 on (a quarter of the depth): below 0.",
        DOMAINS,
        (Part("largest RSA in minus out of domain", NEGATIVE, per_seed(domain_gap)),),
        (RSA,),
        otherwise="a corpus with the task's own labels and one without them are needed",
        making=OTHER,
    ),
    Claim(
        "C5",
        "Freezing lower layers hurts dependency parsing most, then question answering, then inference.",
        PAPER,
        "5.2, figure 3",
        "Loss of the evaluation metric with the bottom layers frozen, as a share of the metric with 0 layers frozen "
        "(if there are no such runs, of the plain ones), mean over the frozen shares of the depth that both have: "
        "words (for parsing) above spans (for question answering) above sentences (for inference).",
        STORE,
        (more_damage(WORDS, SENTENCES), more_damage(WORDS, SPANS), more_damage(SPANS, SENTENCES)),
    ),
    Claim(
        "C6",
        "On MNLI, the RSA of layer 10 is 0.84 (sd 0.02).",
        PAPER,
        "5.1",
        "RSA of our layer 11 at the last step, of a 12-layer model with the classes entailment, neutral and "
        "contradiction: from 0.80 to 0.88, two standard deviations. On texts without the task's own labels: the "
        "paper's are Wikipedia sentences, and on those of the task it is lower (figure 5).",
        OTHER_TEXTS,
        (Part("RSA of layer 11", Bound(0.80, 0.88), per_seed(tenth)),),
        (RSA,),
        concerns=is_mnli,
        otherwise="a task with the classes entailment, neutral and contradiction and 12 layers is needed, and a corpus "
        "without its labels",
        making=OTHER,
    ),
)
