"""Clusters: distances between labels, the paths of their centroids, and the data map of the examples."""

from __future__ import annotations

from explorer.ui.modes.mode import TOP, Mode, Variant

MODE = Mode(
    "clusters",
    "5",
    "Clusters",
    "distances between labels, also along the steps; paths; a table; confusion by a probe; data map of the examples",
    (
        Variant("label by label, hulls", "clusters", "hulls", "pairs"),
        Variant("label by label, centroids", "clusters", "centroids", "pairs"),
        Variant("along the steps, hulls", "labels", "hulls", "labels", True),
        Variant("along the steps, centroids", "labels", "centroids", "labels", True),
        Variant("paths of the centroids", "paths", axes="paths", lines=True),
        Variant("table of the geometry", "geometry", axes="geometry", downwards=True, start=TOP, every_task=True),
        Variant("data map: each example along the run", "data-map", axes="examples", start=TOP),
        Variant("confusion of labels by a probe, shares", "confusion", "shares", "pairs"),
        Variant("confusion of labels by a probe, points", "confusion", "counts", "pairs"),
    ),
    ("vary", "step.next", "layer.next"),
)
