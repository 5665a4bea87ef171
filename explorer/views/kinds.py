"""List the views: each row names the sources of a view's numbers and the function that makes its picture."""

from __future__ import annotations

from collections.abc import Mapping

from explorer.answers.look import FIRST, Source
from explorer.views.base import ViewKind

LABELLED = Source("explorer.answers.labels:labelled")
LABELS_AT = Source("explorer.answers.labels:labels_at", ("step", "layer"))
LABELS_IN = Source("explorer.answers.labels:labels_in", ("layer",))
HEADS = Source("explorer.answers.sources:heads", ("layer",), ("head",))
HEADS_AT = Source("explorer.answers.sources:heads_at", ("step",))
HEADS_OF_STEP = Source("explorer.answers.sources:heads_at", ("step",), ("head",))
TASKS = Source("explorer.views.side_by_side:every_task", (), ("task",))
TASKS_IN = Source("explorer.answers.sources:every_task_in", ("layer",), ("task",))
TASKS_AT = Source("explorer.answers.sources:every_task_at", ("step",), ("task",))
SECOND = Source("explorer.answers.sources:second_task", (), ("layer", "step"))
CORPORA = Source("explorer.answers.corpora:every_corpus", (), ("corpus",), stored=True)
CROSSED = Source("explorer.answers.sources:crossed", stored=True)
COUNTS = Source("explorer.answers.table_rows:counts", ("statistic",))
ROWS_AND_PARTS = Source(
    "explorer.answers.table_rows:rows_and_parts", ("statistic", "sort", "descending", "most"), stored=True
)
TRAINING = Source("explorer.answers.sources:training")
FOUND = Source("explorer.answers.examples:examples", ("layer", "head", "find", "changed"))
ATTENTION = Source("explorer.answers.examples:attention", ("layer", "head", "example", "find", "changed"))
CENTROIDS = Source("explorer.answers.sources:centroids", ("layer",))
DATA_MAP = Source("explorer.answers.sources:data_map")
PLANE = Source("explorer.answers.surfaces:plane_data", ("step",))
TASK_SURFACES = Source("explorer.answers.surfaces:every_task", ("step",), ("task",))
MOVED = Source("explorer.answers.moved:moved", ("step",))
DYNAMICS = Source("explorer.answers.dynamics:dynamics")
AGREEMENT = Source("explorer.answers.agreement:agreement")
GEOMETRY = Source("explorer.answers.geometry:geometry")
OVERVIEW = Source("explorer.answers.overview:others", later=True)
COVERAGE = Source("explorer.answers.coverage:coverage")


_DISTANCES = {"hulls": "distances between the labels' convex hulls", "centroids": "distances between their centroids"}
VIEWS: Mapping[str, ViewKind] = {
    kind.name: kind
    for kind in (
        ViewKind(
            "overview",
            "Overview",
            "what changed, where and since when, whether seeds, tasks and measures agree, and what is chance",
            "explorer.pages.overview:overview",
            sources=(FIRST, OVERVIEW),
            along=False,
            on_request=True,
            every_task=True,
        ),
        ViewKind(
            "curves",
            "Curves",
            "the measure against step, one line per layer, seed, task or head",
            "explorer.views.lines:curves",
            sources=(FIRST, TRAINING, HEADS, TASKS_IN, CORPORA, SECOND),
            uses=("part", "layer"),
            along=False,
            parts={
                "layer": "one line per layer",
                "seed": "one line per seed, of one layer",
                "task": "one line per task, of one layer",
                "head": "one line per head (or per place of the second axis), of one layer",
                "corpus": "one line per corpus and the gaps between them, of one layer",
            },
            joins=("corpus",),
        ),
        ViewKind(
            "profile",
            "Profile",
            "the measure against layer (or its own first axis), one line per step, seed, task or head",
            "explorer.views.lines:profile",
            sources=(FIRST, HEADS_OF_STEP, TASKS_AT, CORPORA, SECOND),
            uses=("part", "step"),
            parts={
                "step": "one line per step",
                "seed": "one line per seed, at one step",
                "task": "one line per task, at one step",
                "head": "one line per head (or per place of the second axis), at one step",
                "corpus": "one line per corpus and the gaps between them, at one step",
            },
            joins=("corpus",),
        ),
        ViewKind(
            "moved",
            "Moved and matters",
            "how far each layer moved beside the damage of its rollback, at one step",
            "explorer.pages.moved:moved",
            sources=(FIRST, MOVED),
            measure="rollback",
            at_step=True,
        ),
        ViewKind(
            "dynamics",
            "Dynamics",
            "weight change, sharpness, and length, tortuosity and turns of the path, along the steps of a task's runs",
            "explorer.pages.dynamics:dynamics",
            sources=(FIRST, DYNAMICS),
            measure="sharpness",
            along=False,
        ),
        ViewKind("heat", "Heat", "layer by step as a map", "explorer.views.maps:heat"),
        ViewKind(
            "heads",
            "Heads",
            "layer by head (or the measure's second axis) as a map, of one step",
            "explorer.views.maps:grid",
            sources=(FIRST, HEADS_AT),
            uses=("step",),
        ),
        ViewKind(
            "surface",
            "Surface",
            "losses in a plane with lines of equal loss and the paths of runs, of one seed",
            "explorer.views.surface:surface",
            sources=(FIRST, CORPORA, PLANE, TASK_SURFACES),
            uses=("part", "step"),
            parts={
                "first": "one corpus",
                "corpus": "corpora side by side, and how they agree",
                "task": "tasks side by side, such as one from scratch",
            },
            joins=("corpus",),
            plane=True,
        ),
        ViewKind(
            "seed-pairs",
            "Seed by seed",
            "each seed against each other seed, in one layer at one step",
            "explorer.views.maps:seed_pairs",
            uses=("part", "layer"),
            parts={"seed": "seeds in their order", "cluster": "two clusters of similar seeds, side by side"},
            against="seeds",
            at_step=True,
        ),
        ViewKind(
            "seeds",
            "Seeds",
            "seeds or tasks side by side on one scale, mean and spread",
            "explorer.views.side_by_side:seeds",
            sources=(FIRST, TASKS),
            uses=("part",),
            along=False,
            parts={
                "seed": "seeds side by side, and their mean",
                "task": "tasks side by side, and their mean",
            },
        ),
        ViewKind(
            "agreement",
            "Agreement",
            "the measure against each other one, a point per layer and step, with Spearman's rank correlation",
            "explorer.pages.agreement:agreement",
            sources=(FIRST, AGREEMENT),
        ),
        ViewKind(
            "clusters",
            "Clusters",
            "distances between labels, in one layer of one checkpoint",
            "explorer.views.clusters:clusters",
            sources=(FIRST, LABELLED, LABELS_AT),
            uses=("part", "step", "layer"),
            parts=_DISTANCES,
            measure="clusters",
        ),
        ViewKind(
            "labels",
            "Labels",
            "each label's distance to its nearest other label along the steps",
            "explorer.views.label_lines:labels",
            sources=(FIRST, LABELLED, LABELS_IN),
            uses=("part", "layer"),
            parts=_DISTANCES,
            measure="clusters",
        ),
        ViewKind(
            "confusion",
            "Confusion",
            "labels that a probe gives the points of each label, in one layer of one checkpoint",
            "explorer.views.confusion:Confusion",
            sources=(FIRST, LABELLED, LABELS_AT),
            uses=("part", "step", "layer"),
            parts={"shares": "share of the points of each label", "counts": "number of points"},
            measure="probe",
        ),
        ViewKind(
            "paths",
            "Paths",
            "the labels' centroids along the steps of a run, in a plane",
            "explorer.pages.paths:Paths",
            sources=(CENTROIDS,),
            measure="clusters",
        ),
        ViewKind(
            "data-map",
            "Data map",
            "each example by confidence and variability of its label along a run",
            "explorer.pages.data_map:DataMap",
            sources=(DATA_MAP,),
            measure="confidence",
            along=False,
        ),
        ViewKind(
            "example",
            "Example",
            "one sentence's attention in two checkpoints, and its largest changes",
            "explorer.pages.example:sentence",
            sources=(FOUND, ATTENTION),
            uses=("part", "layer", "head", "example", "find", "changed"),
            parts={
                "auto": "a sentence of more than 20 tokens as text, a shorter one as maps",
                "all": "both maps and the difference",
                "difference": "the difference alone",
                "checkpoint": "the checkpoint's map alone",
                "reference": "the reference's map alone",
                "reader": "the sentence as text, and its largest changes",
                "words": "each word's label, and what probes read off it",
            },
            one=True,
            measure="js",
        ),
        ViewKind(
            "table",
            "Table",
            "every value of the selection",
            "explorer.views.table:table",
            sources=(COUNTS, ROWS_AND_PARTS),
            along=False,
        ),
        ViewKind(
            "geometry",
            "Geometry",
            "probe accuracy, clusters and distances of labels, by task and step (Zhou and Srikumar)",
            "explorer.views.table:geometry",
            sources=(GEOMETRY,),
            joins=("",),
            measure="clusters",
            along=False,
        ),
        ViewKind(
            "store",
            "Store",
            "extracted, computed and missing data",
            "explorer.pages.store_view:StoreView",
            sources=(COVERAGE,),
            along=False,
            whole=True,
        ),
        ViewKind(
            "layers",
            "Layers",
            "each layer against each layer of the reference, of one checkpoint",
            "explorer.views.layers:Layers",
            sources=(CROSSED,),
            across=True,
            one=True,
        ),
    )
}
