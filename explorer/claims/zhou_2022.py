"""Claims of Zhou and Srikumar 2022 (ACL), on classifiers and on the geometry of labels."""

from __future__ import annotations

import json

from explorer.claims.arithmetic import ordering
from explorer.claims.claim import OWN_LABELS, Claim
from explorer.claims.evidence import Evidence, Need, Run, by_layer, last_layer, per_seed
from explorer.claims.verdict import NEGATIVE, POSITIVE, Bound, Part, Sample, Samples, UndecidableError
from store.results import Result

PAPER = "Zhou and Srikumar 2022"
PROBE = Need("probe", "accuracy", pretrained=True)
CLUSTERS = Need("clusters", "clusters", parameters=(("method", "directprobe"),), pretrained=True)
SPLITS = Need("split-similarity", "pearson", pretrained=True)
DISTANCES = Need("label-distance-change", "mean")
LAYOUT = Need("spatial-similarity", "pearson")
MOVEMENT = Need("centroid-movement", "mean")
FALLING, RISING, SIMILAR = -0.8, 0.8, 0.5


def change(need: Need, evidence: Evidence, run: Run) -> float:
    """Return the last layer's value minus the pre-trained model's."""
    tuned, before = (last_layer(evidence, need, one, run.layers) for one in (run, None))
    return _value(tuned) - _value(before)


def better(evidence: Evidence, run: Run) -> float:
    """Return the change of the probe accuracy in the last layer."""
    return change(PROBE, evidence, run)


def fewer(evidence: Evidence, run: Run) -> float:
    """Return the change of the number of clusters in the last layer.

    Raises:
        UndecidableError: any labels would be separable there: all pairs have too few points for the width.
    """
    for one in (run, None):
        row = last_layer(evidence, CLUSTERS, one, run.layers)
        said = json.loads(row.details)
        if 0 < said.get("pairs", 0) == said.get("pairs_vacuous"):
            raise UndecidableError(f"the number of clusters says nothing here: {row.reason}")
    return change(CLUSTERS, evidence, run)


def less_alike(evidence: Evidence, run: Run) -> float:
    """Return the change of the similarity of train and test in the last layer."""
    return change(SPLITS, evidence, run)


def moved_apart(evidence: Evidence, run: Run) -> float:
    """Return the change of the labels' smallest distances in the last layer, mean over labels."""
    return _value(last_layer(evidence, DISTANCES, run, run.layers))


def more_than_others(evidence: Evidence) -> Samples:
    """Return, for each seed of the task, by how much its change exceeds the largest one of the other tasks."""
    others = [run for run in evidence.runs if not run.variant and run.task != evidence.scope.task]
    if not others:
        raise UndecidableError("there is no other task to compare it with")
    return per_seed(lambda _, run: moved_apart(evidence, run) - max(moved_apart(evidence, one) for one in others))(
        evidence
    )


def follows(evidence: Evidence) -> Samples:
    """Return the rank correlation over runs of all tasks of the changes of distance and of accuracy."""
    runs = [run for run in evidence.runs if not run.variant]
    return Samples({"runs": Sample(ordering((moved_apart(evidence, r), better(evidence, r)) for r in runs))}, "runs")


def layout_order(evidence: Evidence, run: Run) -> float:
    """Return the rank correlation of layer and similarity of the layout, without the embeddings."""
    return ordering((n, v) for n, v in by_layer(evidence, LAYOUT, run, run.layers).items() if n > 0)


def least_layout(evidence: Evidence, run: Run) -> float:
    """Return the smallest similarity of the layout over layers."""
    return min(v for n, v in by_layer(evidence, LAYOUT, run, run.layers).items() if n > 0)


def movement_order(evidence: Evidence, run: Run) -> float:
    """Return the rank correlation of layer and movement of the centroids, without the embeddings."""
    return ordering((n, v) for n, v in by_layer(evidence, MOVEMENT, run, run.layers).items() if n > 0)


def _value(row: Result) -> float:
    assert row.value is not None, "last_layer gives rows with a value"
    return row.value


CLAIMS = (
    Claim(
        "D1",
        "Fine-tuning improves the classifier on the task's own labels.",
        PAPER,
        "4.1, table 7",
        "Accuracy of a linear probe on the task's own labels in the last layer at the last step, minus that of the "
        "pre-trained model: above 0. The paper uses perceptrons of two hidden layers.",
        OWN_LABELS,
        (Part("change of the last layer's probe accuracy", POSITIVE, per_seed(better)),),
        (PROBE,),
    ),
    Claim(
        "D2",
        "Fine-tuning never increases the number of clusters.",
        PAPER,
        "4.2, table 7",
        "Number of clusters that DirectProbe leaves in the last layer at the last step, minus that of the pre-trained "
        "model: at most 0. Where any labelling would be separable, the number says nothing.",
        OWN_LABELS,
        (Part("change of the number of clusters", Bound(high=0.0), per_seed(fewer)),),
        (CLUSTERS,),
    ),
    Claim(
        "D3",
        "Fine-tuning makes the layouts of training and test points less alike.",
        PAPER,
        "4.2, table 7",
        "Correlation of the labels' distances among training and among test points in the last layer at the last step, "
        "minus that of the pre-trained model: below 0.",
        OWN_LABELS,
        (Part("change of the similarity of train and test", NEGATIVE, per_seed(less_alike)),),
        (SPLITS,),
    ),
    Claim(
        "D4",
        "Labels of the own task move apart, more than after fine-tuning on other tasks, and accuracy follows.",
        PAPER,
        "4.3, table 5",
        "Change of the labels' smallest distances in the last layer at the last step, mean over labels: above 0; above "
        "that of every other task on the same labels; and its rank correlation with the change of the probe accuracy "
        "over all runs is at least 0.8 (ours). Which tasks are related or opposed, a store cannot know.",
        OWN_LABELS,
        (
            Part("change of the smallest distances", POSITIVE, per_seed(moved_apart)),
            Part("the same minus the largest of other tasks", POSITIVE, more_than_others),
            Part("rank correlation with the change of accuracy", Bound(low=RISING), follows),
        ),
        (DISTANCES, PROBE),
    ),
    Claim(
        "D5",
        "The layout of the labels stays similar to the original one, less the higher the layer.",
        PAPER,
        "4.3, figure 4",
        "Correlation of the labels' distances with the pre-trained model's at the last step: its rank correlation with "
        "the layer is at most -0.8 (ours), and it is above 0.5 in every layer.",
        OWN_LABELS,
        (
            Part("rank correlation of layer and similarity", Bound(high=FALLING), per_seed(layout_order)),
            Part("smallest similarity", Bound(low=SIMILAR, strict=True), per_seed(least_layout)),
        ),
        (LAYOUT,),
    ),
    Claim(
        "D6",
        "The centroids of the labels move further the higher the layer.",
        PAPER,
        "4.3 and the authors' blog",
        "Rank correlation of the layer and of the movement of the centroids since the pre-trained model, mean over "
        "labels, at the last step: at least 0.8 (ours).",
        OWN_LABELS,
        (Part("rank correlation of layer and movement", Bound(low=RISING), per_seed(movement_order)),),
        (MOVEMENT,),
    ),
)
