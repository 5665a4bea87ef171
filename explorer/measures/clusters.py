"""Distances between the labels of a corpus in one layer: centroids, linear separability, convex hulls.

Points are the first token ([CLS]) of each labelled sentence, or the mean of each labelled word's sub-words. Method
``pairs`` makes one cluster per label; ``directprobe`` finds clusters by DirectProbe's merging (Zhou and Srikumar 2021,
2022). The distance of two hulls is twice the hard margin of a linear SVM, and 0 if they overlap; hulls.py proves it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from explorer.measures.base import Measure, Parameter
from explorer.measures.computation import Context, Given, Uncertainty, Value
from explorer.measures.declaration import ALONE, LABEL_A, LABEL_B, LABELLED, LABELS, LAYER, hidden
from explorer.measures.label_geometry import METHODS, MOST_PAIRS, LabelGeometry, side, solve
from explorer.measures.labelled import Labelled, labelled_points
from explorer.measures.nearest_hull import GAP, predict
from explorer.measures.protocols import Corpus
from explorer.measures.resampling import groups_of, jackknife_interval

SUMMARIES = ("hull_mean", "hull_min", "centroid_mean", "centroid_min", "separable_share")
UNITS = {
    "separable": "1 = yes",
    "separable_share": "share",
    "linear": "1 = yes",
    "clusters": "clusters",
    "accuracy": "share",
    "hull_mean_scaled": "ratio",
    "hull_min_scaled": "ratio",
    "label_min_scaled": "ratio",
}
WITH_NULL = ("hull_mean", "hull_min", "separable_share", "clusters", "linear")
NULL_POINTS = 1000
"""Maximum number of points whose shuffled labels are merged: with more, a draw may take minutes."""
NO_HULL_INTERVAL = (
    "a hull's distance depends on its few nearest points: neither jackknife nor bootstrap is valid for minima"
)


def clusters(given: Given, parameters: Mapping[str, object], context: Context) -> list[Value]:
    """Return summaries of the layer, then values per label, then values per pair of labels that have points.

    Raises:
        MeasureError: there are no labels, or some hidden states are not finite.
    """
    layer, corpus, labels = given.layer, given.corpus, given.labels
    method = str(parameters.get("method", METHODS[0]))
    share, seed = float(str(parameters.get("held_out", 0.0))), int(str(parameters.get("split_seed", 0)))
    trust = context.trust
    data = held = None
    if share or trust.null or trust.interval:
        data = labelled_points(layer, corpus, labels)
    if share and data is not None:
        data, held = data.split(share, seed)
        found = solve(data, method, context.progress) if len(data.points) else None
    else:
        found = side(layer, corpus, labels, method, context)
    rows = _Rows(found, layer.width, labels.names, method)
    if found is None or len(found.labels) < 2:
        return rows.nothing()
    values = [*rows.summaries(), *rows.labels(), *rows.pairs()]
    if held is not None and data is not None:
        values.insert(1, accuracy(found, data, held, context, {"held_out": share, "split_seed": seed}))
    if trust.null and data is not None:
        values = _with_null(values, data, method, context)
    if trust.interval and data is not None:
        values = _with_interval(values, found, data, corpus, labels.names, trust)
    return values


class _Rows:
    """Makes values from a side."""

    def __init__(self, side: LabelGeometry | None, width: int, names: tuple[str, ...], method: str) -> None:
        self.side, self.width, self.names, self.method = side, width, names, method
        self.n = 0 if side is None else int(side.counts.sum())
        present = [] if side is None else side.labels.tolist()
        self.details: dict[str, object] = {"width": width, "labels": len(present), "points": self.n}
        missing = [name for i, name in enumerate(names) if i not in present]
        if missing:
            self.details["labels_without_points"] = missing
        self.present = [names[i] for i in present]

    def nothing(self) -> list[Value]:
        """Return empty values with the reason why there is none."""
        who = f"only label '{self.present[0]}' has points" if self.present else "no label has points"
        extra = ("clusters", "linear") if self.method == "directprobe" else ()
        wanted = [s for s in (*SUMMARIES, *extra) if s != "separable_share" or self.method == "pairs"]
        return [_value(s, None, self.n, self.details, f"{who}: there is no pair to compare") for s in wanted]

    def summaries(self) -> Iterator[Value]:
        """Yield means and minima over pairs of labels; empty if a pair has no value, since this would bias them."""
        side = self.side
        assert side is not None
        mean, least, centroids = side.label_pairs()
        upper = np.triu_indices(len(side.labels), 1)
        vacuous, count = self._vacuous(), len(upper[0])
        details = self.details | {"pairs": count, "pairs_vacuous": int(vacuous[upper].sum())}
        reason = ""
        if vacuous[upper].any():
            few = int(vacuous[upper].sum())
            reason = f"everything separates in {few} of {count} pairs: too few points for the width"
        unknown = int(np.isnan(mean[upper]).sum())
        hull_reason = self._too_many() or (f"{unknown} of {count} pairs have no hull distance" if unknown else reason)
        hulls = (None, None) if unknown else (float(mean[upper].mean()), float(least[upper].min()))
        inside = side.inside
        hull_details = details | {"inside": None if math.isnan(inside) else inside}
        yield _value("hull_mean", hulls[0], self.n, hull_details, hull_reason)
        yield _value("hull_min", hulls[1], self.n, hull_details, hull_reason)
        yield _value("centroid_mean", float(centroids[upper].mean()), self.n, details)
        yield _value("centroid_min", float(centroids[upper].min()), self.n, details)
        for name, hull in zip(("hull_mean_scaled", "hull_min_scaled"), hulls, strict=True):
            ratio = None if hull is None or not inside > 0 else hull / inside
            why = hull_reason if hull is None or ratio is not None else _no_inside(inside)
            yield _value(name, ratio, self.n, hull_details, why)
        why = _no_inside(inside) if math.isnan(inside) else ""
        yield _value("inside_mean", None if math.isnan(inside) else inside, self.n, details, why)
        if self.method == "directprobe":
            yield from self._merging(details, reason)
            return
        undecided = int((side.separable < 0).sum())
        share = None if undecided or self._too_many() else float((side.separable == 1).mean())
        why = self._too_many() or (f"{undecided} of {count} pairs are undecided" if undecided else reason)
        yield _value("separable_share", share, self.n, details, why)

    def _merging(self, details: Mapping[str, object], reason: str) -> Iterator[Value]:
        side = self.side
        assert side is not None
        untested, refused, undecided, tests, coinciding = side.merging.tolist()
        details = {
            **details,
            "assignment": side.assignment.tolist(),
            "cluster_labels": [self.names[i] for i in side.cluster_label],
            "radii": side.radius.tolist(),
            "merges_untested": untested,
            "merges_refused": refused,
            "merges_undecided": undecided,
            "problems_solved": tests,
            "vectors_with_several_labels": coinciding,
        }
        count = len(side.cluster_label)
        said = f"{undecided} merges are undecided: neither a plane nor a common point was verified" if undecided else ""
        linear = float(count == len(side.labels) and not coinciding)
        yield _value("clusters", None if undecided else float(count), self.n, details, said or reason)
        brief = {name: details[name] for name in details if name not in ("assignment", "cluster_labels", "radii")}
        yield _value("linear", None if undecided else linear, self.n, brief, said or reason)

    def labels(self) -> Iterator[Value]:
        """Yield the values of each label."""
        side = self.side
        assert side is not None
        mean = side.label_pairs()[0]
        np.fill_diagonal(mean, np.inf)
        inside, radius = side.inside, side.per_label(side.radius, np.max)
        inside_mean, inside_max = side.per_label(side.inside_mean, np.mean), side.per_label(side.inside_max, np.max)
        for p, name in enumerate(self.present):
            n = int(side.counts[p])
            details: dict[str, object] = {"points": n, "width": self.width}
            known = not np.isnan(mean[p]).any()
            nearest = float(mean[p].min()) if known else None
            why = "" if known else self._too_many() or "a distance to another label is not known"
            nearest_details = details | ({"nearest": self.present[int(mean[p].argmin())]} if known else {})
            yield _value("label_min", nearest, n, nearest_details, why, (name, None))
            scaled = nearest / inside if nearest is not None and inside > 0 else None
            why = why if nearest is None or scaled is not None else _no_inside(inside)
            yield _value("label_min_scaled", scaled, n, nearest_details, why, (name, None))
            alone = "no cluster has two points" if math.isnan(inside_mean[p]) else ""
            for statistic, value in (("inside_mean", inside_mean[p]), ("inside_max", inside_max[p])):
                yield _value(statistic, None if alone else float(value), n, details, alone, (name, None))
            yield _value("radius", float(radius[p]), n, details, "", (name, None))
            if self.method == "directprobe":
                own = float((side.cluster_label == side.labels[p]).sum())
                yield _value("clusters", own, n, details, "", (name, None))

    def pairs(self) -> Iterator[Value]:
        """Yield the values of each pair of labels."""
        side = self.side
        assert side is not None
        mean, least, centroids = side.label_pairs()
        vacuous = self._vacuous()
        at = np.searchsorted(side.labels, side.cluster_label[side.pairs])
        for a, b in zip(*np.triu_indices(len(side.labels), 1), strict=True):
            names = (self.present[a], self.present[b])
            n = int(side.counts[a] + side.counts[b])
            which = np.flatnonzero((at.min(1) == a) & (at.max(1) == b)) if len(at) else np.empty(0, np.int64)
            details: dict[str, object] = {
                "points_a": int(side.counts[a]),
                "points_b": int(side.counts[b]),
                "width": self.width,
            }
            yield _value("centroid_distance", float(centroids[a, b]), n, details, labels=names)
            known = not np.isnan(mean[a, b])
            reason = f"everything separates: {n} points in {self.width} dimensions" if vacuous[a, b] else ""
            why = reason if known else self._too_many() or self._not_known(which)
            hulls = details | self._proof(which)
            yield _value("hull_distance", float(mean[a, b]) if known else None, n, hulls, why, names)
            if self.method == "directprobe":
                yield _value("hull_least", float(least[a, b]) if known else None, n, details, why, names)
            elif len(which):
                state = int(side.separable[which[0]])
                why = self._not_known(which) if state < 0 else reason
                hulls = details | {"proof": str(side.proofs[which[0]])}
                yield _value("separable", None if state < 0 else float(state), n, hulls, why, names)

    def _proof(self, which: np.ndarray) -> dict[str, object]:
        side = self.side
        assert side is not None
        if not len(which):
            return {}
        with np.errstate(invalid="ignore", divide="ignore"):
            gaps = np.where(side.upper > 0, (side.upper - side.lower) / side.upper, 0.0)[which]
        found: dict[str, object] = {"gap": float(gaps.max())}
        if self.method == "pairs":
            return found | {"proof": str(side.proofs[which[0]])}
        distances = side.distances
        triples = [[*side.pairs[q].tolist(), None if math.isnan(distances[q]) else float(distances[q])] for q in which]
        return found | {"cluster_distances": triples}

    def _not_known(self, which: np.ndarray) -> str:
        side = self.side
        assert side is not None
        q = which[np.isnan(side.distances[which])][0]
        if side.separable[q] < 0:
            return f"undecided: neither a separating plane nor a common point was verified; at most {side.upper[q]:.3g}"
        return f"known only to lie between {side.lower[q]:.6g} and {side.upper[q]:.6g}"

    def _vacuous(self) -> np.ndarray:
        """Return whether two labels have so few points (width + 1) that a plane separates any labelling, bool [P, P].

        This holds for points in general position.
        """
        assert self.side is not None
        return self.side.counts[:, None] + self.side.counts <= self.width + 1

    def _too_many(self) -> str:
        side = self.side
        assert side is not None
        if not side.too_many:
            return ""
        return f"{len(side.cluster_label):,} clusters: more than {MOST_PAIRS:,} pairs of hulls to compare"


def accuracy(
    side: LabelGeometry, kept: Labelled, held: Labelled, context: Context, details: Mapping[str, object]
) -> Value:
    """Return the share of held-out points whose nearest cluster has their label (DirectProbe's intra-accuracy)."""
    unseen = int((~np.isin(held.labels, side.labels)).sum())
    details = {**details, "train_points": len(kept.points), "labels_only_held_out": unseen}
    if not len(held.points):
        return _value("accuracy", None, 0, details, "no labelled point is held out: raise held_out")
    groups = [kept.points[side.assignment == k] for k in range(len(side.cluster_label))]
    got = predict(held.points, groups, side.cluster_label, progress=context.progress)
    right = float((side.cluster_label[got.cluster] == held.labels).mean())
    sure = {"unsure": got.unsure, "distance_tolerance": GAP}
    return _value("accuracy", right, len(held.points), details | sure)


def _with_null(values: list[Value], data: Labelled, method: str, context: Context) -> list[Value]:
    """Add the null to the summaries: their mean over shuffled labels."""
    trust, n = context.trust, len(data.points)
    if method == "directprobe" and n > NULL_POINTS:
        why = f"{n:,} points: merging shuffled labels takes minutes beyond {NULL_POINTS:,}; method pairs has this null"
        return [replace(v, details={**v.details, "no_null": why}) if _may(v) else v for v in values]
    drawn: dict[str, list[float | None]] = {s: [] for s in WITH_NULL}
    for draw in range(trust.null):

        def progress(what: str, share: float, draw: int = draw) -> None:
            context.progress(f"shuffled labels {draw + 1} of {trust.null}: {what}", (draw + share) / trust.null)

        shuffled = solve(data.shuffled(trust.seed, draw), method, progress)
        for value in _Rows(shuffled, data.points.shape[1], ("",) * int(data.labels.max() + 1), method).summaries():
            if value.statistic in drawn:
                drawn[value.statistic].append(value.value)
    return [_null_value(v, drawn[v.statistic]) if _may(v) else v for v in values]


def _may(value: Value) -> bool:
    return value.statistic in WITH_NULL and value.label_a is None and value.value is not None


def _null_value(value: Value, drawn: list[float | None]) -> Value:
    known = [d for d in drawn if d is not None]
    if len(known) < len(drawn) or not known:
        return replace(value, details={**value.details, "no_null": "a draw has no value, since a test is undecided"})
    spread = float(np.std(known, ddof=1)) if len(known) > 1 else None
    return replace(value, null=float(np.mean(known)), details={**value.details, "null_sd": spread})


def _with_interval(
    values: list[Value], side: LabelGeometry, data: Labelled, corpus: Corpus, names: tuple[str, ...], trust: Uncertainty
) -> list[Value]:
    """Add jackknife intervals over groups of whole examples to centroid distances, and a reason to other values."""
    sums, counts = data.group_sums(data.points, groups_of(np.asarray(corpus.offsets)))
    groups = len(sums)
    left = counts.sum(0) - counts
    refusal = NO_HULL_INTERVAL
    if trust.interval == "jackknife" and groups > 1 and left.min() > 0:
        means = (sums.sum(0) - sums) / left[..., None]
        apart = np.linalg.norm(means[:, :, None] - means[:, None], axis=3)
    else:
        apart = None
        few = "each label needs points in two groups of examples"
        refusal = few if trust.interval == "jackknife" else "only the jackknife: resampled centroids drift apart"
    upper = np.triu_indices(len(side.labels), 1)
    place = {int(label): p for p, label in enumerate(side.labels)}

    def treated(value: Value) -> Value:
        if apart is None or not value.statistic.startswith("centroid") or value.value is None:
            hull = apart is None and value.statistic.startswith("centroid")
            return replace(value, details={**value.details, "no_interval": refusal if hull else NO_HULL_INTERVAL})
        if value.statistic == "centroid_min":
            return replace(value, details={**value.details, "no_interval": "a minimum over pairs of labels"})
        if value.statistic == "centroid_mean":
            left_out = apart[:, *upper].mean(1)
        else:
            a, b = (place[names.index(str(x))] for x in (value.label_a, value.label_b))
            left_out = apart[:, a, b]
        interval = jackknife_interval(value.value, left_out, trust.level)
        return replace(value, interval=interval, details={**value.details, "interval_groups": groups})

    return [treated(v) for v in values]


def _no_inside(inside: float) -> str:
    return "no cluster has two points" if math.isnan(inside) else "all points of a cluster are equal: no scale"


def _value(
    statistic: str,
    value: float | None,
    n: int,
    details: Mapping[str, object],
    reason: str = "",
    labels: tuple[str | None, str | None] = (None, None),
) -> Value:
    a, b = labels
    return Value(value, n, statistic, UNITS.get(statistic), label_a=a, label_b=b, details=details, reason=reason)


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="clusters",
        title="Distance between labels",
        topic=LABELLED,
        why="whether the classes lie apart in a layer, and how far",
        inputs=(*hidden(*ALONE), LABELS),
        operands=ALONE,
        axes=(LAYER, LABEL_A, LABEL_B),
        slow=True,
        unit="distance",
        low=0.0,
        high=float("inf"),
        direction="0 = hulls overlap; in units of the hidden states",
        definition=(
            "Points are the first token of each labelled sentence, or the mean of each labelled word's sub-words. "
            "Method pairs makes one cluster per label. Method directprobe merges as DirectProbe does: every point "
            "starts as a cluster; the two closest clusters of one label (by their means) merge, unless the hull of the "
            "new cluster meets the hull of a cluster of another label; a refused pair stays refused. Labels are "
            "linearly separable if one cluster per label is left. Each separable pair has a verified plane, each "
            "refused merge a verified point of both hulls. Hull distance: between the convex hulls of two clusters "
            "(twice the hard margin; 0 if they overlap), verified to a relative 1e-4; for two labels, the mean over "
            "their pairs of clusters. label_min: the smallest distance to another label. inside: mean and largest "
            "distance between two points of a cluster; scaled values are divided by its mean over clusters and labels. "
            "radius: largest distance of a point from its cluster's mean. held_out leaves out a share of the examples; "
            "accuracy is the share of their points whose nearest hull has their label. Curves show the mean hull "
            "distance over pairs of labels. With at most dimensions + 1 points, everything separates; such rows are "
            "marked."
        ),
        source="Zhou and Srikumar 2021 (DirectProbe, NAACL) and 2022 (ACL).",
        cost=(
            "A quadratic programme per pair of clusters, n width^2 per step: about 0.1 s for 800 points of width 384. "
            "Merging separable labels costs a linkage; 2,000 points of width 384 with random labels, about a minute."
        ),
        counts="points",
        compute=clusters,
        summary=(
            "for each pair of labels: distance of centroids and of convex hulls (twice the hard margin), whether a "
            "plane separates them, with a verified proof. One cluster per label or, with `--method directprobe`, "
            "clusters merged bottom up as far as possible (Zhou and Srikumar 2021)"
        ),
        others=(
            "DirectProbe trusts its solver: overlaps within Gurobi's tolerance of 1e-4 count as separable, and an SVM "
            "that did not converge counts as overlapping"
        ),
        version=2,
        parameters=(
            Parameter(
                "method",
                "pairs",
                "how points are grouped: pairs = one cluster per label, directprobe = the clusters that merging leaves",
                choices=METHODS,
            ),
            Parameter(
                "held_out", 0.0, "share of the examples to predict by their nearest hull; 0: none", low=0.0, high=0.5
            ),
            Parameter("split_seed", 0, "seed of the choice of examples held out", low=0, high=2**31 - 1),
        ),
        main="hull_mean",
        null="the order of the examples' labels (for words, of their sequences of labels) over the points",
        intervals=("jackknife",),
    ),
)
