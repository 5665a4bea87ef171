"""How far apart the labels of a probe set lie in one layer: centroids, linear separability, convex hulls.

Points are the first token ([CLS]) of each labelled sentence, or the mean of each labelled word's sub-words. The
distances are those DirectProbe reports between clusters (Zhou and Srikumar 2021, 2022), with one cluster a label: the
hulls' distance is twice the hard margin of a linear SVM, 0 where they overlap. hulls.py proves each answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from explorer.measures import tokens as rows
from explorer.measures.base import Context, Layer, Measure, MeasureError, Parameter, Stimuli, Value
from explorer.measures.hulls import Hulls, compare

TOLERANCE = 1e-4
"""Relative tolerance of a hull distance; a wider gap between its bounds is no value."""
SUMMARIES = ("hull_mean", "hull_min", "centroid_mean", "centroid_min", "separable_share")
UNITS = {"separable": "1 = yes", "separable_share": "share"}


@dataclass(frozen=True)
class Pair:
    """Two labels' comparison."""

    a: str
    b: str
    n_a: int
    n_b: int
    centroids: float
    hulls: Hulls
    vacuous: bool
    """No more than width + 1 points: whatever their labels, in general position a plane separates them."""

    @property
    def hull_distance(self) -> float | None:
        """Distance of the hulls to TOLERANCE; None where the bounds are further apart."""
        if self.hulls.separable is None or self.hulls.gap > TOLERANCE:
            return None
        return self.hulls.upper


def clusters(
    layer: Layer, reference: Layer | None, stimuli: Stimuli, parameters: Mapping[str, object], context: Context
) -> list[Value]:
    """The layer's summaries, then the values of each pair of labels that have points.

    Raises:
        MeasureError: no labels, or hidden states that are not finite.
    """
    from threadpoolctl import threadpool_limits

    points, labels = labelled_points(layer, stimuli)
    names = stimuli.label_names
    present = [i for i in range(len(names)) if (labels == i).any()]
    missing = [name for i, name in enumerate(names) if i not in present]
    details: dict[str, object] = {"width": layer.width, "labels": len(present)}
    if missing:
        details["labels_without_points"] = missing
    if len(present) < 2:
        who = f"only label '{names[present[0]]}' has points" if present else "no label has points"
        return [_value(s, None, len(points), details, f"{who}: there is no pair to compare") for s in SUMMARIES]
    groups = {i: points[labels == i] for i in present}
    with threadpool_limits(1):  # width x width is too small to share: measured 20 times the CPU time on two busy cores
        pairs = [
            _compare(names[i], groups[i], names[j], groups[j])
            for at, i in enumerate(present)
            for j in present[at + 1 :]
        ]
    values = _summaries(pairs, len(points), details)
    for pair in pairs:
        values += _pair_values(pair, layer.width)
    return values


def labelled_points(layer: Layer, stimuli: Stimuli) -> tuple[np.ndarray, np.ndarray]:
    """Points float64 [n, width] and their label ids [n]; negative ids are unlabelled and left out.

    Raises:
        MeasureError: no labels, or hidden states that are not finite.
    """
    if stimuli.label_ids is None:
        raise MeasureError("The probe set has no labels; clusters needs one for each sentence or word.")
    tokens = "words" if stimuli.kind == "word" else "cls"
    labels = np.asarray(stimuli.label_ids)
    if tokens == "cls":
        labels = labels[np.diff(stimuli.offsets) > 0]
    found = [block[0].astype(np.float64) for block in rows.blocks((layer,), stimuli, tokens)]
    points = np.concatenate(found) if found else np.empty((0, layer.width))
    rows.check_finite(float(points.sum()), "hidden states")
    return points[labels >= 0], labels[labels >= 0]


def _compare(name_a: str, a: np.ndarray, name_b: str, b: np.ndarray) -> Pair:
    centroids = float(np.linalg.norm(a.mean(0) - b.mean(0)))
    return Pair(name_a, name_b, len(a), len(b), centroids, compare(a, b), len(a) + len(b) <= a.shape[1] + 1)


def _pair_values(pair: Pair, width: int) -> list[Value]:
    n = pair.n_a + pair.n_b
    details = {"points_a": pair.n_a, "points_b": pair.n_b, "width": width, "proof": pair.hulls.proof}
    vacuous = f"everything separates: {n} points in {width} dimensions" if pair.vacuous else ""
    undecided = f"undecided: neither a separating plane nor a common point was verified; at most {pair.hulls.upper:.3g}"
    loose = f"known only to lie between {pair.hulls.lower:.6g} and {pair.hulls.upper:.6g}"
    separable = None if pair.hulls.separable is None else float(pair.hulls.separable)
    hull_reason = vacuous if pair.hull_distance is not None else undecided if separable is None else loose
    labels = (pair.a, pair.b)
    return [
        _value("centroid_distance", pair.centroids, n, details, labels=labels),
        _value("separable", separable, n, details, undecided if separable is None else vacuous, labels),
        _value("hull_distance", pair.hull_distance, n, details | {"gap": pair.hulls.gap}, hull_reason, labels),
    ]


def _summaries(pairs: Sequence[Pair], n: int, details: dict[str, object]) -> list[Value]:
    """Mean and minimum over pairs. A pair without a value would bias them: then there is none."""
    centroids = [p.centroids for p in pairs]
    hulls = [p.hull_distance for p in pairs]
    known = [h for h in hulls if h is not None]
    vacuous = sum(p.vacuous for p in pairs)
    details = details | {"pairs": len(pairs), "pairs_vacuous": vacuous}
    reason = f"everything separates in {vacuous} of {len(pairs)} pairs: too few points for the width" if vacuous else ""
    open_pairs = len(hulls) - len(known)
    hull_reason = f"{open_pairs} of {len(pairs)} pairs have no hull distance" if open_pairs else reason
    undecided = sum(p.hulls.separable is None for p in pairs)
    share = None if undecided else float(np.mean([bool(p.hulls.separable) for p in pairs]))
    share_reason = f"{undecided} of {len(pairs)} pairs are undecided" if undecided else reason
    return [
        _value("hull_mean", None if open_pairs else float(np.mean(known)), n, details, hull_reason),
        _value("hull_min", None if open_pairs else float(np.min(known)), n, details, hull_reason),
        _value("centroid_mean", float(np.mean(centroids)), n, details),
        _value("centroid_min", float(np.min(centroids)), n, details),
        _value("separable_share", share, n, details, share_reason),
    ]


def _value(
    statistic: str,
    value: float | None,
    n: int,
    details: Mapping[str, object],
    reason: str = "",
    labels: tuple[str, str] | tuple[None, None] = (None, None),
) -> Value:
    a, b = labels
    return Value(value, n, statistic, UNITS.get(statistic), label_a=a, label_b=b, details=details, reason=reason)


MEASURES: tuple[Measure, ...] = (
    Measure(
        name="clusters",
        title="Distance between labels",
        reads="hidden",
        sides=1,
        unit="distance",
        low=0.0,
        high=float("inf"),
        direction="0 = the labels' convex hulls overlap, larger = further apart (in the hidden states' own units)",
        definition=(
            "Points are the first token of each labelled sentence, or the mean of each labelled word's sub-words. For "
            "each pair of labels: Euclidean distance of the centroids, whether a plane separates the two sets, and the "
            "distance of their convex hulls (twice the hard margin; 0 where they overlap). Curves show the mean hull "
            "distance over pairs. Where points are no more than dimensions + 1 everything separates: marked."
        ),
        source="Zhou and Srikumar 2021 (DirectProbe, NAACL) and 2022 (ACL), with one cluster a label.",
        cost="A quadratic programme a pair of labels, n width^2 a step: about 0.2 s for 800 points of width 384.",
        counts="points",
        compute=clusters,
        parameters=(
            Parameter("method", "pairs", "how points are grouped: pairs = one group a label", choices=("pairs",)),
        ),
        needs_labels=True,
        main="hull_mean",
    ),
)
