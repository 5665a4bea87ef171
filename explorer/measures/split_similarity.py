"""Similarity of the labels' layout between the training and the test points of one checkpoint.

Zhou and Srikumar 2022 (ACL), section 5 and table 7: where fine-tuning has shaped the training points more than others,
the distances between labels of the two sets agree less.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import Context, Given, Value
from explorer.measures.declaration import ALONE, LABELLED, LABELS, LAYER, SPLITS, hidden
from explorer.measures.geometry import CORRELATION, METHOD, POINTS, VACUITY, layouts_correlated
from explorer.measures.label_geometry import solve
from explorer.measures.labelled import labelled_points
from explorer.measures.probes.splits import PARTS, parts_of, random_parts


def split_similarity(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the Pearson correlation of the labels' distances among training and among test points, and its p-value.

    Raises:
        MeasureError: there are no labels, the split has an unknown name, or some hidden states are not finite.
    """
    layer, corpus, labels = given.layer, given.corpus, given.labels
    split = given.others.get(SPLITS.kind)
    if split is None:
        part = random_parts(corpus.same_text, int(str(parameters["split_seed"])))
    else:
        part = parts_of(split.names, np.asarray(split.values))
    every = labelled_points(layer, corpus, labels)
    train, test = (every.only(part[every.example] == PARTS.index(name)) for name in ("train", "test"))
    details = {
        "train": len(train.points),
        "test": len(test.points),
        "split": "random" if split is None else "of the corpus",
    }
    for name, points in (("train", train), ("test", test)):
        if not len(points.points):
            why = f"the split has no labelled points in {name}"
            return [Value(None, 0, s, details=details, reason=why) for s in ("pearson", "mantel_p")]
    ours, theirs = (solve(one, str(parameters["method"]), context.progress) for one in (train, test))
    values = layouts_correlated(ours, theirs, labels.names, layer.width, parameters, context)
    return [Value(v.value, v.n, v.statistic, v.unit, details={**v.details, **details}, reason=v.reason) for v in values]


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="split-similarity",
        title="Similarity of the labels' layout in train and test",
        topic=LABELLED,
        why="whether the layout of the classes holds for points that no model was fitted to",
        inputs=(*hidden(*ALONE), LABELS, SPLITS),
        operands=ALONE,
        axes=(LAYER,),
        slow=True,
        unit="correlation",
        low=-1.0,
        high=1.0,
        direction="1 = labels lie in test as in train, 0 = no relation",
        definition=(
            POINTS + "Pearson correlation of two vectors of distances, one entry per pair of labels that have points "
            "in both: among the points of the split train, and among those of test (distances as in measure "
            "spatial-similarity). Without a split of the corpus, a random one of whole sentences (60, 20, 20 %), equal "
            "texts on one side. mantel_p is as in spatial-similarity. " + VACUITY
        ),
        source="Zhou and Srikumar 2022 (ACL), section 5 and table 7; Mantel 1967.",
        cost="That of measure clusters for the training and for the test points.",
        counts="pairs of labels",
        compute=split_similarity,
        summary=(
            "does that geometry hold for unseen points: correlation of the labels' distances among training points "
            "with those among test points, with a Mantel p-value (Zhou and Srikumar 2022)"
        ),
        parameters=(METHOD, *CORRELATION, Parameter("split_seed", 1, "seed of a random split", low=0, high=2**31 - 1)),
        main="pearson",
        version=2,
        same=1.0,
    ),
)
