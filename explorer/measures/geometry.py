"""Change of the labels' geometry between two checkpoints: distances between labels, centroids, smallest distances.

Zhou and Srikumar 2022 (ACL), section 5. Each side's clusters and distances (label_geometry.py) are computed once and
cached, so a map against one reference computes every side once.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import permutations as orders

import numpy as np

from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import Context, Given, MeasureError, Uncertainty, Value
from explorer.measures.declaration import COMPARED, LABEL_A, LABELLED, LABELS, LAYER, REF_LAYER, hidden
from explorer.measures.label_geometry import METHODS, LabelGeometry, inside_scale, side
from explorer.measures.labelled import labelled_points
from explorer.measures.resampling import groups_of, jackknife_interval

FEWEST_PAIRS = 3
"""Minimum number of pairs of labels for a correlation: two pairs always correlate perfectly."""
LARGEST = 1_000_000
"""Maximum number of entries of permuted matrices held at once."""


def spatial_similarity(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the Pearson correlation of the two sides' distances between labels, and its Mantel p-value.

    Raises:
        MeasureError: there are no labels, or some hidden states are not finite.
    """
    ours, theirs = _sides(given, str(parameters.get("method", "pairs")), context)
    return layouts_correlated(ours, theirs, given.labels.names, given.layer.width, parameters, context)


def layouts_correlated(
    ours: LabelGeometry,
    theirs: LabelGeometry,
    every_name: Sequence[str],
    width: int,
    parameters: Mapping[str, object],
    context: Context,
) -> list[Value]:
    """Return the Pearson correlation of two sides' distances between the labels that both have, and its p-value.

    Args:
        every_name: names of all labels, in the order of their ids.
        width: number of dimensions of the points.
        parameters: ``distance``, ``permutations`` and ``order_seed``, as measure spatial-similarity declares them.
    """
    distance = str(parameters.get("distance", "hull"))
    draws, seed = int(str(parameters.get("permutations", 999))), int(str(parameters.get("order_seed", 0)))
    which = 0 if distance == "hull" else 2
    labels, *at = np.intersect1d(ours.labels, theirs.labels, return_indices=True)
    a, b = (one.label_pairs()[which][np.ix_(i, i)] for one, i in zip((ours, theirs), at, strict=True))
    upper = np.triu_indices(len(a), 1)
    known = ~(np.isnan(a) | np.isnan(b))
    x, y = a[upper][known[upper]], b[upper][known[upper]]
    n, out = len(x), int((~known[upper]).sum())
    details: dict[str, object] = {"labels": len(labels), "pairs": n, "pairs_left_out": out, "width": width}
    details |= {"clusters": [len(s.cluster_label) for s in (ours, theirs)]}
    missing = [every_name[i] for i in np.setxor1d(ours.labels, theirs.labels)]
    details |= {"labels_on_one_side": missing} if missing else {}
    counts = [one.counts[i] for one, i in zip((ours, theirs), at, strict=True)]
    vacuous = np.logical_or(*(each[:, None] + each <= width + 1 for each in counts))
    absent = f"{out} of {len(upper[0])} pairs of labels have no distance on one side and are left out" if out else ""
    few = int(vacuous[upper].sum()) if distance == "hull" else 0
    easy = f"everything separates in {few} of {len(upper[0])} pairs: too few points for the width" if few else ""
    if n < FEWEST_PAIRS:
        note = f"{n} pair{'' if n == 1 else 's'} of labels: a correlation needs {FEWEST_PAIRS} (3 labels)"
        return [Value(None, n, s, details=details, reason=note) for s in ("pearson", "mantel_p")]
    if min(np.ptp(v) / max(np.abs(v).max(), 1e-300) for v in (x, y)) < 1e-12:
        flat = "all pairs of labels are equally far apart on one side: there is no correlation"
        return [Value(None, n, s, details=details, reason=flat) for s in ("pearson", "mantel_p")]
    pearson = 1.0 if np.array_equal(x, y) else float(np.corrcoef(x, y)[0, 1])
    note = "; ".join(filter(None, (absent, easy)))
    first = Value(pearson, n, "pearson", details=details, reason=note)
    if out:
        return [first, Value(None, n, "mantel_p", details=details, reason=f"{absent}: labels cannot be exchanged")]
    context.progress("permuting labels", 0.5)
    p, used, exact = mantel(a, b, draws, seed)
    said = {**details, "permutations": used, "exact": exact}
    return [first, Value(p, n, "mantel_p", "probability", details=said, reason=note)]


def mantel(a: np.ndarray, b: np.ndarray, draws: int, seed: int) -> tuple[float, int, bool]:
    """Return the one-sided p-value of the correlation of two distance matrices [P, P] (Mantel 1967).

    Permutes the labels: by all P! orders if there are at most ``draws`` + 1, else by random ones. The observed order
    always counts.

    Returns:
        p, the number of permutations (including the observed order), and whether these are all orders.
    """
    count = len(a)
    upper = np.triu_indices(count, 1)
    x = a[upper] - a[upper].mean()
    exact = count < 12 and math.factorial(count) <= draws + 1
    if exact:
        every = np.array(list(orders(range(count))))
    else:
        rng = np.random.default_rng([seed, 3 << 20])
        every = np.array([np.arange(count), *(rng.permutation(count) for _ in range(draws))])
    step = max(1, LARGEST // len(x))
    sums = np.concatenate(
        [b[e[:, upper[0]], e[:, upper[1]]] @ x for e in np.split(every, range(step, len(every), step))]
    )
    slack = 1e-12 * float(np.abs(sums).max())  # the same sum in another order
    return float((sums >= sums[0] - slack).mean()), len(every), exact


def centroid_movement(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the distance of each label's centroid from its position in the reference.

    Raises:
        MeasureError: there are no labels, the widths differ, or some hidden states are not finite.
    """
    (layer, reference), corpus, labels = given.compared, given.corpus, given.labels
    if reference.width != layer.width:
        raise MeasureError(f"The widths differ ({layer.width} and {reference.width}): centroids cannot be compared.")
    ours, theirs = (labelled_points(each, corpus, labels) for each in (layer, reference))
    n = len(ours.points)
    details: dict[str, object] = {"labels": len(ours.present), "width": layer.width}
    if not n:
        return [Value(None, 0, "mean", details=details, reason="no label has points")]
    sums, counts = ours.group_sums(ours.points - theirs.points, groups_of(np.asarray(corpus.offsets)))
    moved = np.linalg.norm(sums.sum(0) / counts.sum(0)[:, None], axis=1)
    scale = inside_scale(theirs)
    intervals, extra = _intervals(sums, counts, moved, context.trust)
    mean = float(moved.mean())
    why = "" if scale > 0 else "no label has two different points in the reference: no scale"
    rows = [
        Value(mean, n, "mean", interval=intervals[-1], details=details | extra),
        Value(mean / scale if scale > 0 else None, n, "mean_scaled", "ratio", details=details, reason=why),
    ]
    for p, label in enumerate(ours.present):
        points = int(counts[:, p].sum())
        rows.append(
            Value(
                float(moved[p]),
                points,
                "movement",
                label_a=labels.names[label],
                interval=intervals[p],
                details={"points": points} | extra,
            )
        )
    return rows


def label_distance_change(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return the change of each label's smallest hull distance to another label since the reference.

    Raises:
        MeasureError: there are no labels, or some hidden states are not finite.
    """
    method = str(parameters.get("method", "pairs"))
    ours, theirs = _sides(given, method, context)
    n = int(ours.counts.sum())
    details: dict[str, object] = {"labels": len(ours.labels), "width": given.layer.width}
    if len(ours.labels) < 2:
        few = "fewer than two labels have points: there is no other label"
        return [Value(None, n, s, details=details, reason=few) for s in ("mean", "mean_scaled")]
    now, before = (_smallest(s) for s in (ours, theirs))
    unknown = int(np.isnan(now - before).sum())
    why = f"{unknown} of {len(now)} labels have a distance that is not known on one side" if unknown else ""
    vacuous = int((ours.counts + np.sort(ours.counts)[0] <= given.layer.width + 1).sum())
    note = f"{vacuous} of {len(now)} labels always separate from another one: too few points for the width"
    rows = [Value(None if unknown else float((now - before).mean()), n, "mean", details=details, reason=why)]
    if vacuous and not unknown:
        rows = [Value(rows[0].value, n, "mean", details=details, reason=note)]
    scales = (ours.inside, theirs.inside)
    scaled = None if unknown or not min(scales) > 0 else float((now / scales[0] - before / scales[1]).mean())
    no_scale = why or ("" if scaled is not None else "no cluster has two different points on one side: no scale")
    inside = {"inside": [None if math.isnan(s) else s for s in scales]}
    rows.append(Value(scaled, n, "mean_scaled", "ratio", details=details | inside, reason=no_scale))
    for p, label in enumerate(ours.labels):
        known = not math.isnan(now[p] - before[p])
        rows.append(
            Value(
                float(now[p] - before[p]) if known else None,
                int(ours.counts[p]),
                "change",
                label_a=given.labels.names[label],
                details={"now": float(now[p]), "before": float(before[p])} if known else {},
                reason="" if known else "a distance to another label is not known on one side",
            )
        )
    return rows


def _smallest(side: LabelGeometry) -> np.ndarray:
    """Return each label's smallest mean hull distance to another label, float64 [P]; NaN if one is unknown."""
    mean = side.label_pairs()[0]
    np.fill_diagonal(mean, np.inf)
    return np.asarray(mean.min(1))


def _sides(given: Given, method: str, context: Context) -> tuple[LabelGeometry, LabelGeometry]:
    ours, theirs = (side(layer, given.corpus, given.labels, method, context) for layer in given.compared)
    return ours, theirs


def _intervals(
    sums: np.ndarray, counts: np.ndarray, moved: np.ndarray, trust: Uncertainty
) -> tuple[list[tuple[float, float] | None], dict[str, object]]:
    """Return jackknife intervals of each label's movement and, last, of their mean; and their details."""
    none: list[tuple[float, float] | None] = [None] * (len(moved) + 1)
    if not trust.interval:
        return none, {}
    if trust.interval != "jackknife":
        return none, {"no_interval": "only the jackknife: resampled centroids drift apart"}
    left = counts.sum(0) - counts
    if len(sums) < 2 or not left.min() > 0:
        return none, {"no_interval": "each label needs points in two groups of examples"}
    left_out = np.linalg.norm((sums.sum(0) - sums) / left[..., None], axis=2)
    values = zip([*moved, moved.mean()], [*left_out.T, left_out.mean(1)], strict=True)
    found = [jackknife_interval(float(value), out, trust.level) for value, out in values]
    return [*found], {"interval_groups": len(sums)}


METHOD = Parameter(
    "method",
    "pairs",
    "how points are grouped: pairs = one cluster per label, directprobe = the clusters that merging leaves",
    choices=METHODS,
)
CORRELATION = (
    Parameter("distance", "hull", "between convex hulls or between centroids", choices=("hull", "centroid")),
    Parameter("permutations", 999, "orders of the labels for mantel_p", low=19, high=1_000_000),
    Parameter("order_seed", 0, "seed of the orders of labels", low=0, high=2**31 - 1),
)
"""Parameters of ``layouts_correlated``."""
VACUITY = "If two labels have at most dimensions + 1 points, everything separates; such rows are marked."
POINTS = "Points are the first token of each labelled sentence, or the mean of each labelled word's sub-words. "

MEASURES: tuple[Measure, ...] = (
    Measure(
        name="spatial-similarity",
        title="Similarity of the labels' layout",
        topic=LABELLED,
        why="whether the classes keep their layout while they move",
        inputs=(*hidden(*COMPARED), LABELS),
        axes=(LAYER, REF_LAYER),
        slow=True,
        unit="correlation",
        low=-1.0,
        high=1.0,
        direction="1 = labels lie as in the reference, 0 = no relation",
        definition=(
            POINTS + "Pearson correlation of the two checkpoints' vectors of distances, one entry per pair of labels "
            "(hull: mean distance of the convex hulls of their clusters, as in measure clusters; centroid: distance of "
            "the labels' means). Pairs without a distance on a side are left out, not counted as zero. mantel_p: share "
            "of the orders of the labels whose correlation is at least as large (Mantel 1967, one-sided; all orders if "
            "there are at most permutations + 1). Entries of one label depend on each other, so Pearson's own p-value "
            "means nothing. " + VACUITY
        ),
        source="Zhou and Srikumar 2022 (ACL), section 5; Mantel 1967.",
        cost="That of measure clusters for each side, kept; then nothing.",
        counts="pairs of labels",
        compute=spatial_similarity,
        summary=(
            "effect of fine-tuning on that geometry: correlation of all label distances with the reference's, with a "
            "Mantel p-value, since pairs are not independent (Zhou and Srikumar 2022)"
        ),
        others=(
            "BERT-fine-tuning-analysis puts 0 for missing labels, which inflates the correlation; here missing is "
            "missing"
        ),
        parameters=(
            METHOD,
            *CORRELATION,
        ),
        main="pearson",
        symmetric=True,
        same=1.0,
    ),
    Measure(
        name="centroid-movement",
        title="Movement of the labels' centroids",
        topic=LABELLED,
        why="which classes move, and how far",
        inputs=(*hidden(*COMPARED), LABELS),
        axes=(LAYER, LABEL_A),
        slow=True,
        unit="distance",
        low=0.0,
        high=float("inf"),
        direction="0 = label means stayed; in units of the hidden states",
        definition=(
            POINTS + "Euclidean distance of each label's mean from the same label's mean in the reference, and its "
            "mean over labels; mean_scaled divides by the mean distance between two points of a label in the reference."
        ),
        source="Zhou and Srikumar 2022 (ACL) and their blog.",
        cost="One pass over both sides.",
        counts="points",
        compute=centroid_movement,
        summary="distance of each label's centroid from its position in the reference (Zhou and Srikumar 2022)",
        main="mean",
        intervals=("jackknife",),
    ),
    Measure(
        name="label-distance-change",
        title="Change of the labels' smallest distances",
        topic=LABELLED,
        why="which classes move away from their nearest neighbour",
        inputs=(*hidden(*COMPARED), LABELS),
        axes=(LAYER, LABEL_A),
        slow=True,
        unit="distance",
        low=float("-inf"),
        high=float("inf"),
        direction="> 0 = labels moved away from their nearest other label, < 0 = towards it",
        definition=(
            POINTS + "A label's smallest distance is that to its nearest other label (convex hulls, as in measure "
            "clusters). The change is the checkpoint's distance minus the reference's; the mean is over labels. "
            "mean_scaled first divides each side by its own mean distance between two points of a cluster. " + VACUITY
        ),
        source="Zhou and Srikumar 2022 (ACL), section 5.",
        cost="That of measure clusters for each side, kept; then nothing.",
        counts="points",
        compute=label_distance_change,
        summary="change of each label's distance to its nearest other label (Zhou and Srikumar 2022)",
        parameters=(METHOD,),
        main="mean",
    ),
)
